// SPDX-License-Identifier: MIT
/*
 * tests/fuzz/map.c - any memory map, as text: read, planned, and reckoned
 * twice.
 *
 * What could go wrong: the reader of maps runs past the end of its input; a
 * map that firmware could well leave makes the planner lose or invent memory,
 * place a table where none may be, or never end. The second reckoning of what
 * is usable is tests/host/memmap.c's, which shares nothing with kmem's own.
 *
 * The first bytes choose the parameters, the rest is the text.
 */
#include <stdio.h>
#include <stdlib.h>

#include "memmap.h"
#include "testlib.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static struct kmem_params choose_params(const uint8_t choice[4])
{
	struct kmem_params p = { .nr_cpus = 1 + choice[0] % KMEM_MAX_CPUS };

	/* Any limit, from a few KiB to all that addresses can say. */
	if (choice[1])
		p.direct_map_end = (kmem_phys_t)0x1801 << choice[1] % 52;
	if (choice[2])
		p.metadata_end = (kmem_phys_t)0x1803 << choice[2] % 52;
	p.zeroed = choice[3] & 1;
	if (choice[3] & 2)
		p.dma_end = KMEM_NO_ZONE;
	if (choice[3] & 4)
		p.dma32_end = KMEM_NO_ZONE;
	return p;
}

/* What the reader accepted, kmem must take too, as far as there is room. */
static void plan(const struct memmap *m, const struct kmem_params *params)
{
	char error[MEMMAP_ERROR_MAX];
	struct memmap_piece *pieces;
	struct kmem_boot_info info;
	unsigned runs;
	uint64_t pages;
	size_t nr;
	int err;

	kmem_reset();
	err = memmap_feed(m, error);
	REQUIRE(err == KMEM_OK || err == KMEM_ENOSPC || err == KMEM_EINVAL);
	if (err)
		return;
	err = kmem_boot_plan(params, &info);
	REQUIRE(err == KMEM_OK || err == KMEM_ENOMEM || err == KMEM_EINVAL);
	if (err)
		return;
	REQUIRE(info.usable == info.managed + info.metadata + info.rounding +
	       info.unreachable);
	REQUIRE(info.managed % PAGE == 0);
	pieces = memmap_pieces(m, &nr, &pages, &runs);
	REQUIRE(pieces);
	REQUIRE(info.usable_pages == pages && info.usable_runs == runs);
	free(pieces);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	char error[MEMMAP_ERROR_MAX] = "";
	struct kmem_params params;
	struct memmap m;
	FILE *f;

	if (n < 5)
		return 0;
	params = choose_params(bytes);
	f = fmemopen((void *)(uintptr_t)(bytes + 4), n - 4, "r");
	REQUIRE(f);
	if (memmap_read_stream(&m, f, "map", error)) {
		plan(&m, &params);
		memmap_free(&m);
	} else {
		REQUIRE(error[0] && !m.entry);
	}
	fclose(f);
	return 0;
}
