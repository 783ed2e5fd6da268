/* SPDX-License-Identifier: MIT */
/*
 * tests/demo/machine.c - from a file with a memory map to a running kmem.
 *
 * Any machine can be planned; only one that fits into this host can run. So
 * there are two machines: the map's, which is normalised and accounted for
 * but never touched, and, if that is too large, one with less memory in the
 * same places.
 */
#include "machine.h"
#include "memmap.h"

#include <host.h>

#include <inttypes.h>
#include <stdlib.h>

/* Address space that a process can surely reserve; and a part of it whose
 * section table is small. */
#define SPAN_MAX	((kmem_phys_t)1 << 46)
#define SPAN_SMALL	((kmem_phys_t)1 << 40)

static struct {
	struct memmap map;		/* as it was read */
	struct memmap_piece *piece;
	size_t nr_pieces;
	uint64_t pages;
	unsigned runs;
	bool quiet;			/* kmem's messages are not shown */

	unsigned nr_nodes;
	int node[KMEM_MAX_NODES];	/* that have memory */
} machine;

/* CPUs are dealt to the nodes like cards. */
static int cpu_node(void *ctx, unsigned cpu)
{
	(void)ctx;
	return machine.node[cpu % machine.nr_nodes];
}

static void log_line(void *ctx, const char *line)
{
	(void)ctx;
	if (machine.quiet)
		return;
	fflush(stdout);
	fprintf(stderr, "%s\n", line);
}

static const struct kmem_hooks hooks = {
	.log = log_line,
	.cpu_node = cpu_node,
	.run_on_cpu = host_run_on_cpu,
};

static void find_nodes(void)
{
	bool seen[KMEM_MAX_NODES] = { false };
	size_t i;

	machine.nr_nodes = 0;
	for (i = 0; i < machine.nr_pieces; i++) {
		int node = machine.piece[i].node;

		if (node == KMEM_NO_NODE)
			node = 0;
		if (!seen[node])
			machine.node[machine.nr_nodes++] = node;
		seen[node] = true;
	}
	if (!machine.nr_nodes)
		machine.node[machine.nr_nodes++] = 0;
}

/*
 * A machine without memory in a zone is one whose devices don't need that
 * zone: there, GFP_DMA must mean the next one.
 */
static void find_zones(struct kmem_params *params)
{
	kmem_phys_t lowest = machine.nr_pieces ? machine.piece[0].start : 0;

	if (lowest >= KMEM_ARCH_DMA_LIMIT)
		params->dma_end = KMEM_NO_ZONE;
	if (lowest >= KMEM_ARCH_DMA32_LIMIT)
		params->dma32_end = KMEM_NO_ZONE;
}

static bool adds_up(const struct kmem_boot_info *info)
{
	return info->usable == info->managed + info->held + info->metadata +
			       info->rounding + info->unreachable;
}

/* Print the plan; false if it is not what it should be. */
static bool print_plan(const struct kmem_boot_info *info)
{
	const struct memmap *m = &machine.map;
	bool ok = true;

	printf("%s, %zu entries\n", m->name, m->nr_entries);
	kmem_report_boot(info, host_print, NULL);
	if (m->has_expect && (m->expect_pages != info->usable_pages ||
			      m->expect_runs != info->usable_runs)) {
		printf("  MISMATCH: the file expects %" PRIu64 " pages in %u "
		       "runs\n", m->expect_pages, m->expect_runs);
		ok = false;
	} else if (m->has_expect) {
		printf("  pages and runs are what the file expects: OK\n");
	}
	if (machine.pages != info->usable_pages ||
	    machine.runs != info->usable_runs) {
		printf("  MISMATCH: the reader of the file counts %" PRIu64
		       " pages in %u runs\n", machine.pages, machine.runs);
		ok = false;
	}
	if (!adds_up(info)) {
		printf("  MISMATCH: the accounting does not add up\n");
		ok = false;
	}
	return ok;
}

/* Feed a map to kmem and have it planned. */
static bool plan(const struct memmap *m, struct kmem_params *params,
		 struct kmem_boot_info *info)
{
	char error[MEMMAP_ERROR_MAX];
	int result;

	kmem_reset();
	if (memmap_feed(m, error)) {
		fprintf(stderr, "%s\n", error);
		return false;
	}
	result = kmem_boot_plan(params, info);
	if (result && !machine.quiet)
		fprintf(stderr, "%s: kmem can't run on this machine (error "
			"%d)\n", m->name, result);
	return !result;
}

/* Back the pieces, those within reach, with memory of the host. */
static bool back(const struct memmap_piece *piece, size_t nr,
		 kmem_phys_t reach)
{
	kmem_phys_t end = piece[nr - 1].end;
	size_t i;

	if (!host_memory_reserve(piece[0].start, end < reach ? end : reach))
		return false;
	for (i = 0; i < nr && piece[i].start < reach; i++)
		if (!host_memory_back(piece[i].start, piece[i].end < reach ?
				      piece[i].end : reach))
			return false;
	return true;
}

/* Run on m, which fits. */
static bool start(const struct memmap *m, struct kmem_params *params)
{
	struct memmap_piece *piece;
	char error[MEMMAP_ERROR_MAX];
	uint64_t pages;
	unsigned runs;
	size_t nr;
	bool ok;

	piece = memmap_pieces(m, &nr, &pages, &runs);
	ok = piece && nr;
	if (ok && !params->direct_map_end &&
	    piece[nr - 1].end - piece[0].start > SPAN_MAX) {
		params->direct_map_end = piece[0].start + SPAN_MAX;
		printf("  Memory from 0x%" PRIx64 " up is out of this host's "
		       "reach: left alone\n", params->direct_map_end);
	}
	ok = ok && back(piece, nr, params->direct_map_end ?
			params->direct_map_end : UINT64_MAX);
	free(piece);
	params->virt_offset = host_virt_offset();
	kmem_reset();
	if (!ok || memmap_feed(m, error))
		return false;
	return kmem_init(params) == KMEM_OK;
}

/*
 * Cut the machine down. With little memory to spare, the section table of a
 * machine that is spread far may find no room; then first the largest piece
 * is favoured, and at last what is far away is left out of reach.
 */
static bool shrink(struct memmap *small, struct kmem_params *params,
		   struct kmem_boot_info *info, uint64_t spare)
{
	const kmem_phys_t start = machine.piece[0].start;
	unsigned attempt;
	bool ok = false;

	for (attempt = 0; !ok && attempt < 3; attempt++) {
		if (attempt == 2)
			params->direct_map_end = start + SPAN_SMALL;
		if (!memmap_shrink(small, &machine.map, spare, attempt > 0)) {
			fprintf(stderr, "demo: out of memory\n");
			return false;
		}
		machine.quiet = attempt < 2;
		ok = plan(small, params, info);
		machine.quiet = false;
		if (!ok)
			memmap_free(small);
	}
	return ok;
}

/* The machine is too large: run on one that is not. */
static bool start_shrunk(struct kmem_params *params, uint64_t spare)
{
	struct kmem_boot_info info;
	struct memmap small;
	bool ok;

	printf("\nThis host can spare %" PRIu64 " MiB: running with as much, "
	       "each piece of memory cut in\nproportion, every node and zone "
	       "kept\n", spare >> 20);
	if (!shrink(&small, params, &info, spare))
		return false;
	if (params->direct_map_end)
		printf("  (what is further than 1 TiB from the lowest byte is "
		       "left out)\n");
	kmem_report_boot(&info, host_print, NULL);
	ok = start(&small, params);
	memmap_free(&small);
	return ok;
}

int machine_load(const char *path, uint64_t *usable)
{
	char error[MEMMAP_ERROR_MAX];

	if (!memmap_read(&machine.map, path, error)) {
		fprintf(stderr, "%s\n", error);
		return STATUS_BAD_INPUT;
	}
	if (machine.map.unknown_types)
		fprintf(stderr, "%s:%u: note: the type '%s' is not in the "
			"format's list: reserved (%zu such entries)\n", path,
			machine.map.unknown_line, machine.map.unknown_word,
			machine.map.unknown_types);
	machine.piece = memmap_pieces(&machine.map, &machine.nr_pieces,
				      &machine.pages, &machine.runs);
	if (!machine.piece) {
		fprintf(stderr, "demo: out of memory\n");
		return STATUS_BAD_INPUT;
	}
	*usable = machine.pages << KMEM_PAGE_SHIFT;
	return STATUS_OK;
}

int machine_start(unsigned nr_cpus, bool *mismatch)
{
	struct kmem_params params = { .nr_cpus = nr_cpus, .hooks = &hooks };
	uint64_t spare = host_memory_spare();
	struct kmem_boot_info info;
	bool ok;

	host_cpu_set(0);
	find_nodes();
	find_zones(&params);
	ok = plan(&machine.map, &params, &info);
	if (ok) {
		*mismatch = !print_plan(&info);
		fflush(stdout);
		ok = info.usable <= spare ?
			start(&machine.map, &params) :
			start_shrunk(&params, spare);
		if (!ok)
			fprintf(stderr, "%s: kmem could not be started on "
				"this machine\n", machine.map.name);
	}
	return ok ? STATUS_OK : STATUS_BAD_INPUT;
}

void machine_stop(void)
{
	kmem_reset();
	host_memory_release();
	free(machine.piece);
	machine.piece = NULL;
	machine.nr_pieces = 0;
	memmap_free(&machine.map);
}
