/* SPDX-License-Identifier: MIT */
/*
 * tests/demo/measure.c - memory held against memory asked for.
 *
 * What is compared, at the same instants of the same trace:
 *
 *	kmem	pages of all slabs, its own included (slot arrays, magazines,
 *		cache descriptors), per byte that the trace has live
 *	Linux	pages of all slabs, less the tracer's objects, per byte live,
 *		objects older than the trace included
 *
 * Descriptors of pages are in neither, nor is kmalloc() above 8 KiB, which
 * takes whole pages in both. Where Linux's figures were not recorded, there
 * is only what it can't have done with less: all its slabs full.
 */
#define _GNU_SOURCE
#include "measure.h"

#include <inttypes.h>
#include <stdio.h>

struct measurement {
	struct replay_instant at;
	uint64_t slabs, own, cached;
};

static struct measurement measured[MEASURE_MAX + 1];
static size_t nr_measured;

size_t measure_instants(const struct trace *t, uint32_t record[MEASURE_MAX])
{
	size_t i, n = 0, some = MEASURE_MAX - 2;

	record[n++] = t->peak_record;
	if (t->nr_linux) {
		if (t->nr_linux < some)
			some = t->nr_linux;
		for (i = 1; i <= some; i++)
			record[n++] = t->linux_at[i * t->nr_linux / some - 1]
					      .record;
	} else {
		for (i = 1; i < 4; i++)
			record[n++] = (uint32_t)((uint64_t)t->nr_records * i /
						 4);
	}
	return n;
}

static bool add_slabs(struct kmem_cache *s, void *arg)
{
	struct kmem_cache_stats st;

	struct measurement *m = arg;

	kmem_cache_stats(s, &st);
	m->slabs += st.slab_bytes;
	m->cached += (st.layer.in_cpus + st.layer.in_depot) * st.slot_size;
	return true;
}

static void measure_slabs(struct measurement *m)
{
	m->cached = 0;
	m->own = kmem_internal_bytes();
	m->slabs = m->own;
	kmem_for_each_cache(add_slabs, m);
}

uint64_t measure_slab_bytes(void)
{
	struct measurement m;

	measure_slabs(&m);
	return m.slabs;
}

void measure_take(const struct replay_instant *at)
{
	struct measurement *m = &measured[nr_measured];

	if (nr_measured > MEASURE_MAX)
		return;
	m->at = *at;
	measure_slabs(m);
	nr_measured++;
}

void measure_reset(void)
{
	nr_measured = 0;
}

static double ratio(uint64_t bytes, uint64_t live)
{
	return live ? (double)bytes / (double)live : 0;
}

static void print_row(const struct measurement *m)
{
	const struct trace_linux *l = m->at.linux_at;

	printf("  %10" PRIu32 "%9" PRIu64 "%9" PRIu64 "%7.3f%7" PRIu64
	       "%8" PRIu64, m->at.record, m->at.small >> 10, m->slabs >> 10,
	       ratio(m->slabs, m->at.small), m->own >> 10,
	       m->cached >> 10);
	if (l)
		printf("%9" PRIu64 "%8.3f",
		       (l->slab_bytes - l->tracer_bytes) >> 10,
		       ratio(l->slab_bytes - l->tracer_bytes,
			     l->requested_small + l->pre_trace_bytes));
	else
		printf("%9s%8s", "-", "-");
	printf("%10.3f\n", ratio(m->at.linux_least, m->at.small));
}

void measure_print(bool all_allocated)
{
	const struct measurement *peak = NULL;
	size_t i;

	printf("\nMemory held, in KiB, and per byte that is live (requested "
	       "and not freed)\n"
	       "   (just be-     live   kmem's    per   of that in CPUs,"
	       "  Linux's    per Linux, at\n"
	       " fore record)   bytes    slabs   byte    own  depots    "
	       "slabs   byte the least\n");
	for (i = 0; i < nr_measured; i++) {
		print_row(&measured[i]);
		if (!peak || measured[i].at.small > peak->at.small)
			peak = &measured[i];
	}
	if (!all_allocated)
		printf("  (allocations have failed: less is live than the "
		       "trace says, and the figures\n  are not comparable)\n");
	else if (peak)
		printf("  at the most live: kmem %.3f bytes per byte; pages "
		       "allocated as such: %.1f MiB\n",
		       ratio(peak->slabs, peak->at.small),
		       (double)peak->at.pages * (double)KMEM_PAGE_SIZE /
		       1048576);
}
