/* SPDX-License-Identifier: MIT */
/*
 * tests/bench/rows.c - what is measured.
 *
 * A row's name is what one asks for with ROWS=. Targets are ratios to the best
 * peer of the row, but where another unit is named.
 */
#include "bench.h"

#include "trace.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MIB	((uint64_t)1 << 20)
#define GIB	((uint64_t)1 << 30)

#define HOT_TARGET	1.15
#define TARGET		1.0
#define BULK_TARGET	10	/* ticks a pair: 5 each way */
#define MEMORY_TARGET	1.15	/* resident bytes a live byte */

struct list {
	struct bench_row *row;
	size_t n;
};

/* A row with what most have in common. */
__attribute__((format(printf, 3, 4)))
static struct bench_row *add(struct list *l, void (*work)(struct bench_run *),
			     const char *fmt, ...)
{
	struct bench_row *row = &l->row[l->n++];
	va_list args;

	*row = (struct bench_row){ .work = work, .threads = 1,
				   .machine_bytes = GIB, .target = TARGET };
	va_start(args, fmt);
	vsnprintf(row->name, sizeof(row->name), fmt, args);
	va_end(args);
	return row;
}

static const char *bytes_name(size_t bytes)
{
	static char name[4][32];
	static unsigned next;
	char *s = name[next++ % 4];

	if (bytes < 1024)
		snprintf(s, sizeof(name[0]), "%zu B", bytes);
	else
		snprintf(s, sizeof(name[0]), "%zu KiB", bytes / 1024);
	return s;
}

static const char *count_name(size_t n)
{
	static char name[4][32];
	static unsigned next;
	char *s = name[next++ % 4];

	if (n >= 1000000)
		snprintf(s, sizeof(name[0]), "%zu M", n / 1000000);
	else if (n >= 1000)
		snprintf(s, sizeof(name[0]), "%zu k", n / 1000);
	else
		snprintf(s, sizeof(name[0]), "%zu", n);
	return s;
}

static void add_hot(struct list *l)
{
	static const size_t sizes[] = { 16, 64, 1024, 8192, 65536 };
	size_t i;

	for (i = 0; i < 5; i++) {
		struct bench_row *row = add(l, bench_hot, "hot %s",
					    bytes_name(sizes[i]));

		row->size = sizes[i];
		row->target = sizes[i] <= 8192 ? HOT_TARGET : 0;
	}
}

static void add_batches(struct list *l)
{
	static const size_t counts[] = { 64, 1000, 100000 };
	static const size_t sizes[] = { 64, 256 };
	static const char *const orders[] = { "in order", "reverse",
					      "random" };
	struct bench_row *row;
	unsigned i;

	for (i = 0; i < 18; i++) {
		row = add(l, bench_batch, "batch %s x %s, %s",
			  count_name(counts[i / 6]),
			  bytes_name(sizes[i / 3 % 2]), orders[i % 3]);
		row->count = counts[i / 6];
		row->size = sizes[i / 3 % 2];
		row->order = (enum bench_order)(i % 3);
	}
	row = add(l, bench_batch, "batch 100 k x 256 B, random, written");
	row->count = 100000;
	row->size = 256;
	row->order = BENCH_SHUFFLED;
	row->touch = true;
}

static void add_bulk(struct list *l)
{
	static const size_t counts[] = { 16, 10000 };
	size_t i;

	for (i = 0; i < 2; i++) {
		struct bench_row *row = add(l, bench_bulk, i ?
					    "bulk 16 x 64 B, %s live" :
					    "bulk 16 x 64 B, hot",
					    count_name(counts[i]));

		row->size = 64;
		row->count = counts[i];
		row->ours = BENCH_KMEM_CACHE;
		row->target = 0;
		row->target_ticks = i ? 0 : BULK_TARGET;
	}
}

static size_t scaled(size_t n, bool quick)
{
	return quick && n > 100000 ? 100000 : n;
}

static void add_replacement(struct list *l, bool quick, bool longer)
{
	static const size_t counts[] = { 10000, 1000000, 10000000 };
	struct bench_row *row;
	size_t i, n;

	for (i = 0; i < (longer ? 3 : 2); i++) {
		n = scaled(counts[i], quick);
		row = add(l, bench_replace, "replacement, %s live",
			  count_name(n));
		row->interface = BENCH_ANY_SIZE;
		row->count = n;
		row->machine_bytes = n > 1000000 ? 4 * GIB : GIB;
	}
	n = scaled(1000000, quick);
	row = add(l, bench_resident, "resident / live bytes, %s live",
		  count_name(n));
	row->interface = BENCH_ANY_SIZE;
	row->count = n;
	row->unit = BENCH_RATIO;
	row->target = 0;
	row->target_value = MEMORY_TARGET;
}

static void add_walk(struct list *l, bool quick)
{
	size_t n = scaled(1000000, quick);
	struct bench_row *row = add(l, bench_walk, "walk of %s, as allocated",
				    count_name(n));

	row->interface = BENCH_ANY_SIZE;
	row->count = n;
}

static void add_threads(struct list *l)
{
	struct bench_row *row;
	size_t i;

	for (i = 0; i < 2; i++) {
		row = add(l, bench_handover, "producer -> consumer %s",
			  bytes_name(i ? 1024 : 64));
		row->size = i ? 1024 : 64;
		row->threads = 2;
	}
	row = add(l, bench_larson, "larson, 2 threads");
	row->interface = BENCH_ANY_SIZE;
	row->count = 5000;
	row->threads = 2;
	row = add(l, bench_many_hot, "both cores: hot 64 B");
	row->size = 64;
	row->threads = 2;
	row->target = HOT_TARGET;
	row = add(l, bench_many_replace, "both cores: replacement, 10 k live");
	row->interface = BENCH_ANY_SIZE;
	row->count = 10000;
	row->threads = 2;
}

static struct bench_row *add_pages(struct list *l, unsigned order,
				   size_t count)
{
	struct bench_row *row;

	if (count == 1)
		row = add(l, bench_hot, "pages, order %u, hot", order);
	else
		row = add(l, bench_batch, "pages, order %u, batch %s%s", order,
			  count > 9999 ? count_name(count) : "256",
			  count > 9999 ? ", random" : "");
	row->interface = BENCH_PAGES;
	row->size = order;
	row->count = count;
	row->order = count > 9999 ? BENCH_SHUFFLED : BENCH_IN_ORDER;
	row->machine_bytes = 2 * GIB;
	return row;
}

/* 20,000 blocks of order 9 are more than this machine has. */
static void add_all_pages(struct list *l)
{
	static const size_t counts[] = { 1, 256, 20000 };
	struct bench_row *row;
	unsigned i;

	for (i = 0; i < 8; i++)
		add_pages(l, i / 3 * 3 + (i / 3 == 2) * 3, counts[i % 3]);
	row = add_pages(l, 0, 1);
	row->interface = BENCH_ALIGNED_PAGES;
	snprintf(row->name, sizeof(row->name),
		 "pages, order 0, hot, aligned peers");
	row = add_pages(l, 0, 256);
	row->work = bench_many_batch;
	row->threads = 2;
	snprintf(row->name, sizeof(row->name),
		 "both cores: order 0, batch 256");
}

static void add_latency(struct list *l, bool quick)
{
	static const size_t counts[] = { 10000, 1000000 };
	struct bench_row *row;
	size_t i, n;

	for (i = 0; i < 4; i++) {
		n = scaled(counts[i / 2], quick);
		row = add(l, bench_latency, "one alloc, %s live: %s",
			  count_name(n), i % 2 ? "maximum" : "99.99 %");
		row->interface = BENCH_ANY_SIZE;
		row->count = n;
		row->value = i % 2;
		row->same_run = i % 2;
		row->target = 0;
	}
}

static void add_traces(struct list *l)
{
	const struct trace *trace[4];
	size_t i, n = bench_traces(trace, 4);

	for (i = 0; i < n; i++) {
		const char *base = strrchr(trace[i]->name, '/');
		struct bench_row *row = add(l, bench_trace, "trace %.30s",
					    base ? base + 1 : trace[i]->name);

		row->interface = BENCH_ANY_SIZE;
		row->machine_bytes = 2 * GIB;
		row->target = 0;
		row->trace = trace[i];
	}
}

size_t bench_rows(struct bench_row *rows, bool quick, bool longer)
{
	struct list l = { rows, 0 };

	add_hot(&l);
	add_batches(&l);
	add_bulk(&l);
	add_replacement(&l, quick, longer);
	add_walk(&l, quick);
	add_threads(&l);
	add_all_pages(&l);
	add_traces(&l);
	add_latency(&l, quick);
	return l.n;
}
