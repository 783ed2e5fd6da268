/* SPDX-License-Identifier: MIT */
/*
 * tests/demo/demo.c - `make demo`: kmem at its work, on real input.
 *
 *	demo [-v] [-m MAP] [-t TRACE] [-c CPUS]		-v: all caches
 *
 *	1. a real machine's memory map becomes zones (machine.c);
 *	2. a real kernel's allocations are done again, on threads that stand
 *	   for its CPUs, and memory is measured on the way (replay.c,
 *	   measure.c);
 *	3. everything is freed, every invariant checked, every page counted;
 *	4. the same again for the time alone, without a look at the memory,
 *	   which the host has supplied by now.
 *
 * Exit status: 0, all is well; 1, something went wrong; 2, bad input.
 */
#define _GNU_SOURCE
#include "machine.h"
#include "measure.h"
#include "replay.h"

#include <host.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_MAP	"tests/data/memmaps/x86-7g-ibm-subpage.map"
#define DEFAULT_TRACE	"tests/data/fork-head.kat"
#define SMALL_TRACE	"tests/data/boot-head.kat"
#define SMALL_MACHINE	((uint64_t)256 << 20)	/* bytes */

#define TOP_CACHES 16

struct options {
	const char *map;
	const char *trace;	/* NULL: whichever fits the machine */
	unsigned nr_cpus;	/* 0: as many as the trace has */
	bool verbose;
};

struct demo {
	const struct trace *trace;
	bool tty, verbose;
	unsigned percent_shown;
};

static unsigned long nr_panics;

static void note_panic(const char *reason)
{
	if (kmem_add_relaxed(&nr_panics, 1) < 10)
		fprintf(stderr, "%s\n", reason);
}

/* ---- while it runs ----------------------------------------------------- */

static void show_progress(void *ctx, uint32_t record)
{
	struct demo *d = ctx;
	unsigned percent = (unsigned)((uint64_t)record * 100 /
				      d->trace->nr_records);

	if (d->tty) {
		printf("\r  record %" PRIu32 " of %" PRIu32 " (%u %%) ",
		       record, d->trace->nr_records, percent);
		if (percent == 100)
			printf("\n");
	} else if (percent >= d->percent_shown) {
		printf("  record %" PRIu32 " of %" PRIu32 "\n", record,
		       d->trace->nr_records);
		d->percent_shown = percent / 25 * 25 + 25;
	}
	fflush(stdout);
}

/* The caches that hold most memory, largest first. */
struct top {
	size_t bytes[TOP_CACHES];
	const char *name[TOP_CACHES];
	unsigned nr, left_out;
};

static bool top_add(struct kmem_cache *s, void *arg)
{
	struct top *top = arg;
	struct kmem_cache_stats st;
	unsigned i = top->nr;

	kmem_cache_stats(s, &st);
	if (top->nr < TOP_CACHES)
		top->nr++;
	else if (top->left_out++, st.slab_bytes <= top->bytes[--i])
		return true;
	for (; i && top->bytes[i - 1] < st.slab_bytes; i--) {
		top->bytes[i] = top->bytes[i - 1];
		top->name[i] = top->name[i - 1];
	}
	top->bytes[i] = st.slab_bytes;
	top->name[i] = st.name;
	return true;
}

/* Lines of the report that are about one of them, or about none. */
static void print_top(void *ctx, const char *line)
{
	const struct top *top = ctx;
	size_t n = strcspn(line, " ");
	unsigned i;

	for (i = 0; i < top->nr; i++)
		if (strlen(top->name[i]) == n &&
		    !strncmp(top->name[i], line, n))
			break;
	if (i < top->nr || *line == '#')
		printf("%s\n", line);
}

static void report_caches(bool all)
{
	struct top top = { .nr = 0 };

	if (all) {
		kmem_report_caches(host_print, NULL);
		return;
	}
	kmem_for_each_cache(top_add, &top);
	kmem_report_caches(print_top, &top);
	if (top.left_out)
		printf("... and %u caches that hold less (make demo "
		       "VERBOSE=1)\n", top.left_out);
}

/* At the end of the trace, all that it left is still allocated. */
static void at_instant(void *ctx, const struct replay_instant *at)
{
	struct demo *d = ctx;

	measure_take(at);
	if (at->record < d->trace->nr_records)
		return;
	show_progress(d, at->record);
	printf("\nAt the end of the trace, what it leaves still allocated: "
	       "zones\n");
	kmem_report_zones(host_print, NULL);
	printf("\nCaches\n");
	report_caches(d->verbose);
	printf("\nLayers\n");
	kmem_report_layers(host_print, NULL);
}

/* ---- after it ---------------------------------------------------------- */

/* Every page that kmem manages: free, or in a slab, or still allocated. */
static uint64_t pages_accounted(uint64_t *free_pages, uint64_t *slab_pages)
{
	drain_pages();
	*free_pages = nr_free_pages();
	*slab_pages = measure_slab_bytes() >> KMEM_PAGE_SHIFT;
	return *free_pages + *slab_pages;
}

static bool print_failures(const struct replay *r)
{
	uint64_t k = replay_failed(r, TRACE_KMALLOC);
	uint64_t c = replay_failed(r, TRACE_CACHE);
	uint64_t p = replay_failed(r, TRACE_PAGE);
	bool ok = true;

	if (k + c + p) {
		ok = false;
		printf("  FAILED: no memory for %" PRIu64 " allocations (%"
		       PRIu64 " kmalloc, %" PRIu64 " cache, %" PRIu64
		       " page),\n  the first at record %" PRIu32 "; %" PRIu64
		       " operations on them left out: this machine is too "
		       "small\n  for this trace\n", k + c + p, k, c, p,
		       replay_first_failed(r), replay_skipped(r));
	}
	if (replay_bad(r)) {
		ok = false;
		printf("  FAILED: memory was not as it should be %" PRIu64
		       " times; first: %s\n", replay_bad(r),
		       replay_first_bad(r));
	}
	return ok;
}

static bool check_end(uint64_t pages_before)
{
	uint64_t free_pages, slab_pages, pages;
	size_t violations = kmem_check_all(host_print, NULL);
	bool ok = !violations && !nr_panics;

	pages = pages_accounted(&free_pages, &slab_pages);
	printf("  all freed: %" PRIu64 " pages free + %" PRIu64 " in slabs "
	       "that kmem keeps = %" PRIu64 ", before: %" PRIu64 ": %s\n",
	       free_pages, slab_pages, pages, pages_before,
	       pages == pages_before ? "OK" : "PAGES ARE LOST");
	printf("  invariants violated: %zu; misuse reported: %lu\n",
	       violations, nr_panics);
	return ok && pages == pages_before;
}

static void print_trace(const struct trace *t, unsigned nr_cpus)
{
	printf("\nTrace: %s%s%s, %" PRIu32 " records of %u CPUs\n", t->name,
	       *t->workload ? ", workload " : "", t->workload, t->nr_records,
	       t->nr_cpus);
	printf("  %" PRIu32 " kmalloc, %" PRIu32 " cache and %" PRIu32
	       " page allocations; most live: %.1f MiB of objects,\n"
	       "  %.1f MiB of pages\n", t->nr_ops[TRACE_KMALLOC],
	       t->nr_ops[TRACE_CACHE], t->nr_ops[TRACE_PAGE],
	       (double)t->peak_bytes / 1048576,
	       (double)t->peak_pages * 4096 / 1048576);
	if (*t->note)
		printf("  note: %s\n", t->note);
	if (nr_cpus > t->nr_cpus)
		printf("  (of %u CPUs only %u have work in it)\n", nr_cpus,
		       t->nr_cpus);
}

/* The replay that is checked and measured. */
static bool replay_checked(const struct trace *t, unsigned nr_cpus,
			   bool verbose)
{
	struct demo d = { .trace = t, .tty = isatty(STDOUT_FILENO),
			  .verbose = verbose };
	struct replay r = { .trace = t, .nr_cpus = nr_cpus, .touch = true,
			    .at_instant = at_instant, .ctx = &d,
			    .progress = show_progress };
	uint64_t free_pages, slab_pages, before;
	uint32_t instant[MEASURE_MAX];
	char error[REPLAY_ERROR_MAX];
	size_t nr;
	bool ok;

	before = pages_accounted(&free_pages, &slab_pages);
	nr = measure_instants(t, instant);
	if (!replay_prepare(&r, instant, nr, error)) {
		fprintf(stderr, "%s: %s\n", t->name, error);
		replay_finish(&r);
		return false;
	}
	printf("\nReplay on %u CPUs\n", nr_cpus);
	replay_run(&r);
	ok = print_failures(&r);
	measure_print(ok);
	replay_finish(&r);
	printf("\nAfterwards\n");
	return check_end(before) && ok;
}

/* The same for the time alone. */
static bool replay_timed(const struct trace *t, unsigned nr_cpus)
{
	struct replay r = { .trace = t, .nr_cpus = nr_cpus };
	char error[REPLAY_ERROR_MAX];
	bool ok = replay_prepare(&r, NULL, 0, error);

	if (ok) {
		replay_run(&r);
		printf("  %6.1f ns on %u CPU%s\n", replay_ns_per_op(&r),
		       nr_cpus, nr_cpus == 1 ? "" : "s");
	} else {
		fprintf(stderr, "%s: %s\n", t->name, error);
	}
	replay_finish(&r);
	return ok;
}

static int run_trace(const struct options *o, const struct trace *t)
{
	unsigned nr_cpus = o->nr_cpus ? o->nr_cpus : t->nr_cpus;
	bool mismatch = false, ok;
	int status = machine_start(nr_cpus, &mismatch);

	if (status)
		return status;
	print_trace(t, nr_cpus);
	ok = replay_checked(t, nr_cpus, o->verbose);
	printf("\nTime per operation (CPU time of the whole replay by the "
	       "number of operations)\n");
	ok = replay_timed(t, nr_cpus) && ok;
	if (nr_cpus > 1)
		ok = replay_timed(t, 1) && ok;
	ok = !kmem_check_all(host_print, NULL) && !nr_panics && ok;
	printf("\n%s\n", ok && !mismatch ? "OK" : "FAILED");
	return ok && !mismatch ? STATUS_OK : STATUS_FAILED;
}

static int run(const struct options *o)
{
	const char *path = o->trace;
	char error[TRACE_ERROR_MAX];
	struct trace t;
	uint64_t usable;
	int status = machine_load(o->map, &usable);

	if (status)
		return status;
	if (!path)
		path = usable < SMALL_MACHINE ||
		       host_memory_spare() < SMALL_MACHINE ? SMALL_TRACE
							   : DEFAULT_TRACE;
	if (trace_read(&t, path, error)) {
		status = run_trace(o, &t);
		trace_free(&t);
	} else {
		fprintf(stderr, "%s\n", error);
		status = STATUS_BAD_INPUT;
	}
	machine_stop();
	return status;
}

/* ---- options ----------------------------------------------------------- */

static int usage(const char *why)
{
	fprintf(stderr, "demo: %s\nusage: demo [-v] [-m MAP] [-t TRACE] [-c CPUS]\n"
		"as make targets: make demo MAP=file TRACE=file CPUS=n VERBOSE=1\n",
		why);
	return STATUS_BAD_INPUT;
}

static bool parse_cpus(const char *s, unsigned *cpus)
{
	char *end;
	unsigned long n = strtoul(s, &end, 10);

	*cpus = (unsigned)n;
	return *s >= '0' && *s <= '9' && !*end && n >= 1 &&
	       n <= KMEM_MAX_CPUS;
}

int main(int argc, char **argv)
{
	struct options o = { .map = DEFAULT_MAP };
	char why[64];
	int c;

	while ((c = getopt(argc, argv, "vm:t:c:")) != -1) {
		if (c == 'm') {
			o.map = optarg;
		} else if (c == 't') {
			o.trace = optarg;
		} else if (c == 'v') {
			o.verbose = true;
		} else if (c != 'c') {
			return usage("unknown option");
		} else if (!parse_cpus(optarg, &o.nr_cpus)) {
			snprintf(why, sizeof(why), "CPUS must be 1 to %d",
				 KMEM_MAX_CPUS);
			return usage(why);
		}
	}
	if (optind < argc)
		return usage("arguments go with options");
	if (o.trace && !strcmp(o.trace, "-") && !strcmp(o.map, "-"))
		return usage("only one file can be standard input");
	host_on_panic(note_panic);
	return run(&o);
}
