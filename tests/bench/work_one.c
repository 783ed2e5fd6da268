/* SPDX-License-Identifier: MIT */
/*
 * tests/bench/work_one.c - workloads of one thread.
 *
 * Each is a body that does n operations, an operation being a pair of an
 * allocation and a free. The same body is timed, verified and counted.
 */
#define _GNU_SOURCE
#include "bench.h"

#include <stdio.h>
#include <string.h>

/* ---- sampling ---------------------------------------------------------- */

/* Ticks of doing n operations, per operation. */
static double time_of(struct bench_run *r, bench_body_fn body, void *ctx,
		      size_t n)
{
	uint64_t start = bench_ticks();
	size_t done = body(r, ctx, n);

	return (double)(bench_ticks() - start) / (double)done;
}

/*
 * Warm up with growing amounts of work until one takes its share of the
 * budget; then take samples of that amount.
 */
static void measure(struct bench_run *r, bench_body_fn body, void *ctx)
{
	double sample[BENCH_SAMPLES], share, t;
	size_t i, n = 64;

	share = (double)r->budget / r->samples;
	for (;;) {
		t = time_of(r, body, ctx, n);
		if (t * (double)n >= share / 2)
			break;
		n *= 2;
	}
	for (i = 0; i < r->samples; i++)
		sample[i] = time_of(r, body, ctx, n);
	r->value[0] = bench_median(sample, r->samples);
}

void bench_sample(struct bench_run *r, bench_body_fn body, void *ctx)
{
	if (r->mode == BENCH_MEASURE)
		measure(r, body, ctx);
	else
		body(r, ctx, r->ops_to_do);
}

/* ---- hot --------------------------------------------------------------- */

static size_t hot_body(struct bench_run *r, void *ctx, size_t n)
{
	const struct bench_ops ops = r->ops;
	size_t i;

	(void)ctx;
	for (i = 0; i < n; i++)
		ops.free(bench_alloc(&ops, ops.what), ops.what);
	return n;
}

/* One block is held all the time: that the last one of a size goes and comes
 * would be another thing to measure. */
void bench_hot(struct bench_run *r)
{
	void *held = bench_alloc(&r->ops, r->ops.what);

	bench_sample(r, hot_body, NULL);
	r->ops.free(held, r->ops.what);
}

/* ---- batches ----------------------------------------------------------- */

struct batch {
	size_t n;
	void **object;
	uint32_t *order;	/* in which they are freed */
};

static void batch_once(const struct bench_ops *ops, const struct batch *b,
		       bool touch)
{
	size_t i;

	for (i = 0; i < b->n; i++) {
		b->object[i] = bench_alloc(ops, ops->what);
		if (touch)
			bench_touch(b->object[i]);
	}
	for (i = 0; i < b->n; i++)
		ops->free(b->object[b->order[i]], ops->what);
}

static size_t batch_body(struct bench_run *r, void *ctx, size_t n)
{
	const struct bench_ops ops = r->ops;
	const struct batch *b = ctx;
	size_t done;

	for (done = 0; done < n; done += b->n)
		batch_once(&ops, b, r->row->touch);
	return done;
}

static void batch_order(struct batch *b, enum bench_order order)
{
	uint64_t random = 88172645463325252;
	size_t i, j;
	uint32_t k;

	for (i = 0; i < b->n; i++)
		b->order[i] = (uint32_t)(order == BENCH_REVERSE ?
					 b->n - 1 - i : i);
	for (i = b->n - 1; order == BENCH_SHUFFLED && i > 0; i--) {
		j = bench_below(bench_random(&random), i + 1);
		k = b->order[i];
		b->order[i] = b->order[j];
		b->order[j] = k;
	}
}

void bench_batch(struct bench_run *r)
{
	struct batch b = { .n = r->row->count };

	b.object = bench_memory(b.n * sizeof(*b.object));
	b.order = bench_memory(b.n * sizeof(*b.order));
	batch_order(&b, r->row->order);
	bench_sample(r, batch_body, &b);
}

/* ---- bulk -------------------------------------------------------------- */

#define BULK 16

/* Sixteen at a time, `count` in all, then back in the same way. */
static size_t bulk_body(struct bench_run *r, void *ctx, size_t n)
{
	const struct bench_ops ops = r->ops;
	size_t done, i, count = r->row->count;
	void **object = ctx;

	for (done = 0; done < n; done += count) {
		for (i = 0; i < count; i += BULK)
			if (ops.bulk_alloc(&ops, BULK, object + i) != BULK)
				bench_fail("out of memory");
		bench_keep(object);
		for (i = 0; i < count; i += BULK)
			ops.bulk_free(&ops, BULK, object + i);
	}
	return done;
}

void bench_bulk(struct bench_run *r)
{
	bench_sample(r, bulk_body,
		     bench_memory(r->row->count * sizeof(void *)));
}

/* ---- random replacement ------------------------------------------------ */

struct heap {
	size_t n;
	void **object;
	uint64_t random;
};

static void heap_fill(struct bench_run *r, struct heap *h)
{
	size_t i;

	h->n = r->row->count;
	h->object = bench_memory(h->n * sizeof(*h->object));
	h->random = 88172645463325252;
	for (i = 0; i < h->n; i++) {
		h->object[i] = bench_alloc(&r->ops, bench_size(
					   bench_random(&h->random)));
		bench_touch(h->object[i]);
	}
}

/* One object goes, whichever it is, and another comes. */
static inline void heap_replace(const struct bench_ops *ops, struct heap *h)
{
	uint64_t random = bench_random(&h->random);
	void **slot = &h->object[bench_below(random, h->n)];

	ops->free(*slot, 0);
	*slot = bench_alloc(ops, bench_size(random));
	bench_touch(*slot);
}

static size_t replace_body(struct bench_run *r, void *ctx, size_t n)
{
	const struct bench_ops ops = r->ops;
	struct heap h = *(struct heap *)ctx;
	size_t i;

	for (i = 0; i < n; i++)
		heap_replace(&ops, &h);
	((struct heap *)ctx)->random = h.random;
	return n;
}

/* Each object has been replaced twice, on average, before it counts. */
static void heap_settle(struct bench_run *r, struct heap *h)
{
	heap_fill(r, h);
	if (r->mode != BENCH_CHECK)
		replace_body(r, h, 2 * h->n);
}

static void heap_empty(struct bench_run *r, struct heap *h)
{
	size_t i;

	if (r->mode == BENCH_CHECK)
		for (i = 0; i < h->n; i++)
			r->ops.free(h->object[i], 0);
}

void bench_replace(struct bench_run *r)
{
	struct heap h;

	heap_settle(r, &h);
	bench_sample(r, replace_body, &h);
	heap_empty(r, &h);
}

/* ---- use, in the order of allocation ----------------------------------- */

struct object {
	struct object *self, *next;
};

static size_t walk_body(struct bench_run *r, void *ctx, size_t n)
{
	struct object **at = ctx, *o = *at;
	size_t i;

	(void)r;
	for (i = 0; i < n; i++)
		o = o->next;
	*at = o;
	bench_keep(o);
	return n;
}

/*
 * A list of objects of a few sizes, in the order in which they were allocated,
 * as a garbage collector walks all that a program has, or a kernel its inodes: how
 * long a step takes. An allocator is not called at all, but where it has put
 * them decides what the caches have read ahead.
 */
void bench_walk(struct bench_run *r)
{
	static const size_t sizes[] = { 24, 40, 56, 72 };
	struct heap h = { .n = r->row->count, .random = 88172645463325252 };
	struct object *o;
	size_t i;

	h.object = bench_memory(h.n * sizeof(*h.object));
	for (i = 0; i < h.n; i++) {
		h.object[i] = bench_alloc(&r->ops, sizes[bench_below(
					  bench_random(&h.random), 4)]);
		bench_touch(h.object[i]);
	}
	/* A checking run wants what it has written to stay. */
	for (i = 0; r->mode != BENCH_CHECK && i < h.n; i++) {
		o = h.object[i];
		o->next = h.object[(i + 1) % h.n];
	}
	o = h.object[0];
	if (r->mode != BENCH_CHECK)
		bench_sample(r, walk_body, &o);
	heap_empty(r, &h);
}

/* ---- memory ------------------------------------------------------------ */

/* Bytes of this process that are in memory, from the one place where Linux
 * counts them exactly. */
static double resident(void)
{
	FILE *f = fopen("/proc/self/smaps_rollup", "r");
	unsigned long kib = 0;
	char line[128];

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "Rss: %lu", &kib) == 1)
			break;
	if (f)
		fclose(f);
	return (double)kib * 1024;
}

/* As heap_replace(), and how many bytes are live. */
static double replace_counting(struct bench_run *r, struct heap *h,
			       uint16_t *size, size_t n)
{
	double live = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		uint64_t random = bench_random(&h->random);
		size_t at = n == h->n ? i : bench_below(random, h->n);

		if (h->object[at])
			r->ops.free(h->object[at], 0);
		live -= size[at];
		size[at] = (uint16_t)bench_size(random);
		live += size[at];
		h->object[at] = bench_alloc(&r->ops, size[at]);
		if (r->mode != BENCH_CHECK)
			memset(h->object[at], 1, size[at]);
		bench_touch(h->object[at]);
	}
	return live;
}

/*
 * What came into memory since before the first allocation, for each byte that
 * is live. kmem's machine has one descriptor of 64 bytes for each page, all
 * of them written by kmem_init(): those of the pages that came into use are
 * added here.
 */
void bench_resident(struct bench_run *r)
{
	struct heap h = { .n = r->row->count, .random = 88172645463325252 };
	uint16_t *size = bench_memory(h.n * sizeof(*size));
	double before, held, live;

	h.object = bench_memory(h.n * sizeof(*h.object));
	before = resident();
	live = replace_counting(r, &h, size, h.n);
	live += replace_counting(r, &h, size, 3 * h.n);
	held = resident() - before;
	if (r->contender->kind == BENCH_KMEM)
		held += held / 64;
	r->value[0] = held / live;
	heap_empty(r, &h);
}

/* ---- latency ----------------------------------------------------------- */

/*
 * The time of each allocation, alone. Every round does exactly the same
 * operations, and what counts is the least time that each of them took in any
 * round: that rids it of the host's interrupts, and keeps what the allocator
 * does now and then.
 */
static uint64_t timing_itself(void)
{
	uint64_t least = UINT64_MAX, start, took;
	int i;

	for (i = 0; i < 10000; i++) {
		start = bench_ticks();
		took = bench_ticks() - start;
		if (took < least)
			least = took;
	}
	return least;
}

static size_t latency_body(struct bench_run *r, void *ctx, size_t n)
{
	const struct bench_ops ops = r->ops;
	struct heap *h = ctx;
	uint64_t start, took, itself = timing_itself();
	size_t i;

	for (i = 0; i < n; i++) {
		uint64_t random = bench_random(&h->random);
		void **slot = &h->object[bench_below(random, h->n)];
		size_t size = bench_size(random);

		ops.free(*slot, 0);
		start = bench_ticks();
		*slot = bench_alloc(&ops, size);
		took = bench_ticks() - start;
		took = took > itself ? took - itself : 0;
		bench_touch(*slot);
		if (r->latency && took < r->latency[i])
			r->latency[i] = (uint32_t)took;
	}
	return n;
}

/* Results are not here but in r->latency, which outlives this process. */
void bench_latency(struct bench_run *r)
{
	struct heap h;

	heap_settle(r, &h);
	latency_body(r, &h, r->mode == BENCH_MEASURE ? r->nr_latencies :
		     r->ops_to_do);
	heap_empty(r, &h);
}
