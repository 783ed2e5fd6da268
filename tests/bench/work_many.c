/* SPDX-License-Identifier: MIT */
/*
 * tests/bench/work_many.c - workloads of several threads.
 *
 * The threads are kmem's CPUs and, as far as there are cores, pinned to one
 * each. They do their samples in step: a barrier, then all work, then each
 * notes when it was done. A sample takes from the first start to the last
 * end; operations are counted for one thread.
 */
#define _GNU_SOURCE
#include "bench.h"

#include <host.h>

#include <sched.h>

#define SAMPLES		BENCH_SAMPLES
#define SPINS		4096	/* before the core is left to another thread */
#define PER_CPU_OBJECTS	10000	/* replacement */
#define LARSON_OBJECTS	5000
#define RING		4096
#define RING_PUBLISH	64

static void relax(unsigned *spins)
{
	if (++*spins % SPINS == 0)
		sched_yield();
	else
		__asm__ __volatile__("" ::: "memory");
}

/* ---- a barrier that spins ---------------------------------------------- */

struct barrier {
	unsigned waiting, generation;
} KMEM_ALIGNED(128);

static void barrier_wait(struct barrier *b, unsigned nr)
{
	unsigned generation = kmem_load_acquire(&b->generation), spins = 0;

	if (__atomic_add_fetch(&b->waiting, 1, __ATOMIC_ACQ_REL) == nr) {
		kmem_store_relaxed(&b->waiting, 0);
		kmem_store_release(&b->generation, generation + 1);
		return;
	}
	while (kmem_load_acquire(&b->generation) == generation)
		relax(&spins);
}

/* ---- samples in step --------------------------------------------------- */

struct team;
typedef void (*team_fn)(struct team *t, unsigned me, size_t n);

/* Pointers from one thread to one other. Each side keeps to its own line, and
 * tells the other how far it is only now and then. */
struct ring {
	struct {
		size_t at KMEM_ALIGNED(128);
	} head, tail;
	void *slot[RING] KMEM_ALIGNED(128);
};

struct team {
	struct bench_run *r;
	unsigned nr;
	struct barrier barrier;
	team_fn setup, work, end;
	size_t n, samples;
	uint64_t started[SAMPLES][BENCH_MAX_THREADS];
	uint64_t ended[SAMPLES][BENCH_MAX_THREADS];

	/* what the workloads need */
	struct team_heap {
		void **object;
		size_t n;
	} *heap[BENCH_MAX_THREADS];
	struct team_heap *spare;	/* larson's, up for an exchange */
	uint64_t random[BENCH_MAX_THREADS][16];
	struct ring *ring[BENCH_MAX_THREADS];
};

static void look(struct team *t, unsigned me, bool end)
{
	barrier_wait(&t->barrier, t->nr);
	if (me == 0 && t->r->look)
		t->r->look(t->r->look_ctx, end);
	barrier_wait(&t->barrier, t->nr);
}

static void team_member(unsigned me, void *arg)
{
	struct team *t = arg;
	size_t i;

	bench_pin(me);
	t->random[me][0] = (me + 1) * 0x9e3779b97f4a7c15;
	if (t->setup)
		t->setup(t, me, 0);
	barrier_wait(&t->barrier, t->nr);
	if (t->r->mode == BENCH_MEASURE)
		t->work(t, me, t->n);
	look(t, me, false);
	for (i = 0; i < t->samples; i++) {
		barrier_wait(&t->barrier, t->nr);
		t->started[i][me] = bench_ticks();
		t->work(t, me, t->n);
		t->ended[i][me] = bench_ticks();
	}
	look(t, me, true);
	if (t->end)
		t->end(t, me, 0);
}

static double team_sample(const struct team *t, size_t i)
{
	uint64_t first = UINT64_MAX, last = 0;
	unsigned me;

	for (me = 0; me < t->nr; me++) {
		if (t->started[i][me] < first)
			first = t->started[i][me];
		if (t->ended[i][me] > last)
			last = t->ended[i][me];
	}
	return (double)(last - first) / (double)t->n;
}

/* n: operations of a sample, at about 30 ns each for the default budget */
static void team_run(struct bench_run *r, team_fn setup, team_fn work,
		     team_fn end)
{
	struct team *t = bench_memory(sizeof(*t));
	double value[SAMPLES];
	size_t i;

	t->r = r;
	t->nr = r->row->threads;
	t->setup = setup;
	t->work = work;
	t->end = end;
	t->samples = r->mode == BENCH_MEASURE ? r->samples : 1;
	t->n = r->ops_to_do;
	if (r->mode == BENCH_MEASURE)
		t->n = (size_t)(r->budget / r->samples / 80) + 1024;
	for (i = 0; i < t->nr; i++)
		t->ring[i] = bench_memory(sizeof(struct ring));
	host_run_cpus(t->nr, team_member, t);
	for (i = 0; i < t->samples; i++)
		value[i] = team_sample(t, i);
	r->value[0] = bench_median(value, t->samples);
}

/* ---- arrays of objects ------------------------------------------------- */

static struct team_heap *heap_new(size_t n)
{
	struct team_heap *h = bench_memory(sizeof(*h));

	h->object = bench_memory(n * sizeof(void *));
	h->n = n;
	return h;
}

static void heap_free(struct team *t, struct team_heap *h)
{
	size_t i;

	for (i = 0; h && i < h->n; i++)
		t->r->ops.free(h->object[i], t->r->ops.what);
}

/* ---- hot, on all cores ------------------------------------------------- */

static void many_hot(struct team *t, unsigned me, size_t n)
{
	const struct bench_ops ops = t->r->ops;
	size_t i;

	(void)me;
	for (i = 0; i < n; i++)
		ops.free(bench_alloc(&ops, ops.what), ops.what);
}

/* As in bench_hot(), each thread holds one. */
static void many_hot_setup(struct team *t, unsigned me, size_t n)
{
	(void)n;
	t->heap[me] = heap_new(1);
	t->heap[me]->object[0] = bench_alloc(&t->r->ops, t->r->ops.what);
}

static void many_hot_end(struct team *t, unsigned me, size_t n)
{
	(void)n;
	heap_free(t, t->heap[me]);
}

void bench_many_hot(struct bench_run *r)
{
	team_run(r, many_hot_setup, many_hot, many_hot_end);
}

/* ---- batches, on all cores --------------------------------------------- */

static void many_batch_setup(struct team *t, unsigned me, size_t n)
{
	(void)n;
	t->heap[me] = heap_new(t->r->row->count);
}

static void many_batch(struct team *t, unsigned me, size_t n)
{
	const struct bench_ops ops = t->r->ops;
	struct team_heap *h = t->heap[me];
	size_t done, i;

	for (done = 0; done < n; done += h->n) {
		for (i = 0; i < h->n; i++)
			h->object[i] = bench_alloc(&ops, ops.what);
		for (i = 0; i < h->n; i++)
			ops.free(h->object[i], ops.what);
	}
}

void bench_many_batch(struct bench_run *r)
{
	team_run(r, many_batch_setup, many_batch, NULL);
}

/* ---- random replacement, on all cores ---------------------------------- */

static void replace_in(const struct bench_ops *ops, struct team_heap *h,
		       uint64_t *random, size_t n)
{
	uint64_t state = *random;
	size_t i;

	for (i = 0; i < n; i++) {
		uint64_t x = bench_random(&state);
		void **slot = &h->object[bench_below(x, h->n)];

		ops->free(*slot, 0);
		*slot = bench_alloc(ops, bench_size(x));
		bench_touch(*slot);
	}
	*random = state;
}

static struct team_heap *heap_filled(struct team *t, unsigned me, size_t n)
{
	struct team_heap *h = heap_new(n);
	size_t i;

	for (i = 0; i < n; i++) {
		h->object[i] = bench_alloc(&t->r->ops, bench_size(
					   bench_random(t->random[me])));
		bench_touch(h->object[i]);
	}
	return h;
}

static void many_replace_setup(struct team *t, unsigned me, size_t n)
{
	(void)n;
	t->heap[me] = heap_filled(t, me, t->r->row->count);
	if (t->r->mode == BENCH_MEASURE)
		replace_in(&t->r->ops, t->heap[me], t->random[me],
			   2 * t->heap[me]->n);
}

static void many_replace(struct team *t, unsigned me, size_t n)
{
	const struct bench_ops ops = t->r->ops;

	replace_in(&ops, t->heap[me], t->random[me], n);
}

static void many_replace_end(struct team *t, unsigned me, size_t n)
{
	(void)n;
	heap_free(t, t->heap[me]);
}

void bench_many_replace(struct bench_run *r)
{
	team_run(r, many_replace_setup, many_replace, many_replace_end);
}

/* ---- larson ------------------------------------------------------------ */

/*
 * A server's threads: each replaces random objects of 10 to 500 bytes in an
 * array, and now and then hands its array, with all that is in it, to whoever
 * wants one next and goes on with what another thread has left behind. There
 * is one array more than there are threads, so nobody waits.
 */
static void larson_fill(struct team *t, struct team_heap *h, uint64_t *random)
{
	size_t i;

	for (i = 0; i < h->n; i++)
		h->object[i] = bench_alloc(&t->r->ops, 10 + bench_below(
					   bench_random(random), 491));
}

static void larson_setup(struct team *t, unsigned me, size_t n)
{
	(void)n;
	t->heap[me] = heap_new(t->r->row->count);
	larson_fill(t, t->heap[me], t->random[me]);
	for (size_t i = 0; i < t->heap[me]->n; i++)
		bench_touch(t->heap[me]->object[i]);
	if (me)
		return;
	t->spare = heap_new(t->r->row->count);
	larson_fill(t, t->spare, t->random[me]);
	for (size_t i = 0; i < t->spare->n; i++)
		bench_touch(t->spare->object[i]);
}

static void larson_replace(const struct bench_ops *ops, struct team_heap *h,
			   uint64_t *random, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		uint64_t x = bench_random(random);
		void **slot = &h->object[bench_below(x, h->n)];

		ops->free(*slot, 0);
		*slot = bench_alloc(ops, 10 + bench_below(x >> 32, 491));
		bench_touch(*slot);
	}
}

static void larson(struct team *t, unsigned me, size_t n)
{
	const struct bench_ops ops = t->r->ops;
	size_t done, some;

	for (done = 0; done < n; done += some) {
		some = n - done < t->heap[me]->n ? n - done : t->heap[me]->n;
		larson_replace(&ops, t->heap[me], t->random[me], some);
		t->heap[me] = __atomic_exchange_n(&t->spare, t->heap[me],
						  __ATOMIC_ACQ_REL);
	}
}

static void larson_end(struct team *t, unsigned me, size_t n)
{
	(void)n;
	heap_free(t, t->heap[me]);
	if (me == 0)
		heap_free(t, t->spare);
}

void bench_larson(struct bench_run *r)
{
	team_run(r, larson_setup, larson, larson_end);
}

/* ---- producer -> consumer ---------------------------------------------- */

static void produce(const struct bench_ops *ops, struct ring *ring, size_t n)
{
	size_t i, at = ring->tail.at, head = kmem_load_acquire(&ring->head.at);
	unsigned spins = 0;

	for (i = 0; i < n; i++) {
		while (at - head == RING) {
			kmem_store_release(&ring->tail.at, at);
			relax(&spins);
			head = kmem_load_acquire(&ring->head.at);
		}
		ring->slot[at++ % RING] = bench_alloc(ops, ops->what);
		if (at % RING_PUBLISH == 0)
			kmem_store_release(&ring->tail.at, at);
	}
	kmem_store_release(&ring->tail.at, at);
}

static void consume(const struct bench_ops *ops, struct ring *ring, size_t n)
{
	size_t i, at = ring->head.at, tail = kmem_load_acquire(&ring->tail.at);
	unsigned spins = 0;

	for (i = 0; i < n; i++) {
		while (at == tail) {
			kmem_store_release(&ring->head.at, at);
			relax(&spins);
			tail = kmem_load_acquire(&ring->tail.at);
		}
		ops->free(ring->slot[at++ % RING], ops->what);
		if (at % RING_PUBLISH == 0)
			kmem_store_release(&ring->head.at, at);
	}
	kmem_store_release(&ring->head.at, at);
}

/* Even threads allocate, and the odd one after each frees. */
static void handover(struct team *t, unsigned me, size_t n)
{
	const struct bench_ops ops = t->r->ops;

	if (me % 2 == 0)
		produce(&ops, t->ring[me / 2], n);
	else
		consume(&ops, t->ring[me / 2], n);
}

void bench_handover(struct bench_run *r)
{
	team_run(r, NULL, handover, NULL);
}
