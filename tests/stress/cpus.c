// SPDX-License-Identifier: MIT
/*
 * tests/stress/cpus.c - several CPUs and their interrupts at once.
 *
 * Threads stand for CPUs, signals for interrupts (arch/host). Each CPU
 *
 *	- keeps some hundred objects, blocks and kmalloc memory of all sizes and
 *	  replaces them at random,
 *	- hands things to the next CPU through a ring, which frees them there,
 *	- exchanges things with all others through shared places,
 *	- shrinks and drains, makes a cache, uses it and destroys it, now and
 *	  then,
 *
 * while interrupts allocate and free in the same caches. Everything carries
 * its number as a pattern from allocation to free, wherever that happens: what
 * is given to two at a time, or written to by the allocator, is found. At the
 * end all is freed and drained, and every structure and page must be as if
 * nothing had been.
 *
 * Run on a machine with plenty of memory, and on one that is so small that
 * allocations fail and caches are shrunk all the time.
 */
#include <stdlib.h>

#include "testlib.h"

#define QUIET		__GFP_NOWARN
#define MAX_CPUS	8
#define PRIVATE		256
#define RING		64
#define SHARED		128
#define IN_IRQ		32

enum kind { NOTHING, KMALLOC, OBJECT, BLOCK };

struct thing {
	char *p;
	uint32_t size;
	uint8_t kind, order, cache;
};

/* A thing on its way to another CPU: everything about it is in itself. */
struct parcel {
	struct thing t;
	uint64_t tag;
};

struct ring {
	_Alignas(64) unsigned head;	/* written by the producer */
	_Alignas(64) unsigned tail;	/* written by the consumer */
	struct parcel *slot[RING];
};

struct cpu {
	uint64_t seed, irq_seed;
	struct thing private[PRIVATE];
	struct thing in_irq[IN_IRQ];
	uint64_t irqs, done, refused;
};

static struct {
	unsigned nr_cpus, ops;
	struct cpu cpu[MAX_CPUS];
	struct ring ring[MAX_CPUS];		/* to that CPU */
	struct parcel *shared[SHARED];
	struct kmem_cache *cache[4], *parcels;
} run;

/* the last: a page, or as large as caches of small pages can be */
static const size_t cache_size[4] = {
	32, 120, 700,
	KMEM_CACHE_MAX_SIZE < 4096 ? KMEM_CACHE_MAX_SIZE : 4096,
};

/* ------------------------------------------------------------------ things */

static uint64_t tag_of(const struct thing *t)
{
	return (uintptr_t)t->p >> 3;
}

static size_t stamped(const struct thing *t)
{
	return t->size < 128 ? t->size : 128;
}

static void stamp(const struct thing *t)
{
	test_fill(t->p, stamped(t), tag_of(t));
	test_fill(t->p + t->size - stamped(t), stamped(t), tag_of(t));
}

static void verify(const struct thing *t)
{
	REQUIRE(!test_changed(t->p + t->size - stamped(t), stamped(t),
			      tag_of(t)));
	if (t->size >= 256)
		REQUIRE(!test_changed(t->p, stamped(t), tag_of(t)));
}

static struct thing make(uint64_t *seed, gfp_t gfp)
{
	unsigned r = (unsigned)test_below(seed, 100);
	struct thing t = { .kind = KMALLOC };
	struct page *page;

	gfp |= QUIET;
	if (r < 50) {
		t.size = 1 + (uint32_t)test_below(seed, r < 45 ? 600 : 12000);
		t.p = kmalloc(t.size, gfp);
	} else if (r < 85) {
		t.kind = OBJECT;
		t.cache = (uint8_t)test_below(seed, 4);
		t.size = (uint32_t)cache_size[t.cache];
		t.p = kmem_cache_alloc(run.cache[t.cache], gfp);
	} else {
		t.kind = BLOCK;
		t.order = (uint8_t)test_below(seed, r < 97 ? 3 : 6);
		t.size = (uint32_t)(PAGE << t.order);
		page = alloc_pages(gfp, t.order);
		t.p = page ? page_to_virt(page) : NULL;
	}
	if (t.p)
		stamp(&t);
	else
		t.kind = NOTHING;
	return t;
}

static void drop(struct thing *t)
{
	if (t->kind == NOTHING)
		return;
	verify(t);
	if (t->kind == KMALLOC)
		kfree(t->p);
	else if (t->kind == OBJECT)
		kmem_cache_free(run.cache[t->cache], t->p);
	else
		free_pages((uintptr_t)t->p, t->order);
	t->kind = NOTHING;
}

static void drop_parcel(struct parcel *p)
{
	if (!p)
		return;
	REQUIRE(p->tag == tag_of(&p->t));
	drop(&p->t);
	kmem_cache_free(run.parcels, p);
}

static struct parcel *make_parcel(struct cpu *c)
{
	struct parcel *p = kmem_cache_alloc(run.parcels, GFP_NOWAIT | QUIET);

	if (!p)
		return NULL;
	p->t = make(&c->seed, GFP_KERNEL);
	p->tag = tag_of(&p->t);
	return p;
}

/* ------------------------------------------------------------ what CPUs do */

static void replace(struct cpu *c)
{
	struct thing *t = &c->private[test_below(&c->seed, PRIVATE)];

	drop(t);
	*t = make(&c->seed, GFP_KERNEL);
	c->refused += t->kind == NOTHING;
}

/* To the next CPU, if its ring has room. */
static void produce(unsigned cpu)
{
	struct ring *r = &run.ring[(cpu + 1) % run.nr_cpus];
	unsigned head = __atomic_load_n(&r->head, __ATOMIC_RELAXED);
	struct parcel *p;

	if (head - __atomic_load_n(&r->tail, __ATOMIC_ACQUIRE) == RING)
		return;
	p = make_parcel(&run.cpu[cpu]);
	if (!p)
		return;
	r->slot[head % RING] = p;
	__atomic_store_n(&r->head, head + 1, __ATOMIC_RELEASE);
}

static void consume(unsigned cpu)
{
	struct ring *r = &run.ring[cpu];
	unsigned tail = __atomic_load_n(&r->tail, __ATOMIC_RELAXED);

	if (tail == __atomic_load_n(&r->head, __ATOMIC_ACQUIRE))
		return;
	drop_parcel(r->slot[tail % RING]);
	__atomic_store_n(&r->tail, tail + 1, __ATOMIC_RELEASE);
}

/* Put one into a shared place and free what was there, whoever made it. */
static void exchange(struct cpu *c)
{
	struct parcel **place = &run.shared[test_below(&c->seed, SHARED)];

	drop_parcel(__atomic_exchange_n(place, make_parcel(c),
					__ATOMIC_ACQ_REL));
}

/* A cache of this CPU alone, while others walk the list of all caches. */
static void brief_cache(struct cpu *c, unsigned cpu)
{
	struct kmem_cache *s;
	char name[16];
	void *obj[30];
	size_t n = 1 + test_below(&c->seed, 30);

	snprintf(name, sizeof(name), "brief-%u", cpu);
	s = kmem_cache_create(name, 1 + test_below(&c->seed, 2000), 0, 0, NULL);
	if (!s)
		return;
	n = kmem_cache_alloc_bulk(s, GFP_KERNEL | QUIET, n, obj);
	for (size_t i = 0; i < n; i++)
		memset(obj[i], (int)i, kmem_cache_size(s));
	kmem_cache_free_bulk(s, n, obj);
	kmem_cache_destroy(s);
}

static void tidy(struct cpu *c, unsigned cpu)
{
	unsigned r = (unsigned)test_below(&c->seed, 12);

	if (r < 4)
		kmem_cache_shrink(run.cache[r]);
	else if (r < 8)
		drain_pages();
	else
		brief_cache(c, cpu);
}

static void cpu_main(unsigned cpu, void *arg)
{
	struct cpu *c = &run.cpu[cpu];

	(void)arg;
	for (unsigned i = 0; i < run.ops; i++) {
		unsigned r = (unsigned)test_below(&c->seed, 1000);

		if (r < 500)
			replace(c);
		else if (r < 700)
			produce(cpu);
		else if (r < 920)
			consume(cpu);
		else if (r < 998)
			exchange(c);
		else
			tidy(c, cpu);
		c->done++;
	}
	for (unsigned i = 0; i < PRIVATE; i++)
		drop(&c->private[i]);
}

static void irq_handler(unsigned cpu)
{
	struct cpu *c = &run.cpu[cpu];

	/* At most one in four steps, for it does as much as they do: they come by the
	 * clock, and where steps are slow, nothing else would be done. */
	if (4 * c->irqs > c->done)
		return;
	c->irqs++;
	if (!KMEM_ARCH_NESTS)
		host_cpu_set(run.nr_cpus + cpu);
	for (unsigned i = 0; i < 4; i++) {
		struct thing *t = &c->in_irq[test_below(&c->irq_seed, IN_IRQ)];

		drop(t);
		*t = make(&c->irq_seed, GFP_ATOMIC);
	}
	host_cpu_set(cpu);
}

/* ---------------------------------------------------------------- the runs */

/* Handlers may need to be CPUs of their own. */
static unsigned kmem_cpus(void)
{
	return KMEM_ARCH_NESTS ? run.nr_cpus : 2 * run.nr_cpus;
}

static void start(uint64_t bytes, unsigned nr_cpus, uint64_t seed)
{
	static const char *const name[] = {
		"s-32", "s-120", "s-700", "s-large",
	};

	memset(&run, 0, sizeof(run));
	run.nr_cpus = nr_cpus;
	host_machine(bytes, kmem_cpus());
	for (unsigned i = 0; i < 4; i++) {
		run.cache[i] = kmem_cache_create(name[i], cache_size[i], 0, 0,
						 NULL);
		REQUIRE(run.cache[i]);
	}
	run.parcels = kmem_cache_create("parcels", sizeof(struct parcel), 0, 0,
					NULL);
	REQUIRE(run.parcels);
	for (unsigned i = 0; i < nr_cpus; i++) {
		run.cpu[i].seed = test_random(&seed);
		run.cpu[i].irq_seed = test_random(&seed);
	}
}

/* Free what is under way, and compare with the start. */
static void finish(size_t pages)
{
	for (unsigned i = 0; i < run.nr_cpus; i++) {
		struct ring *r = &run.ring[i];

		for (unsigned k = 0; k < IN_IRQ; k++)
			drop(&run.cpu[i].in_irq[k]);
		while (r->tail != r->head)
			drop_parcel(r->slot[r->tail++ % RING]);
	}
	for (unsigned i = 0; i < SHARED; i++)
		drop_parcel(run.shared[i]);
	REQUIRE(test_violations() == 0);
	REQUIRE(test_pages() == pages);
	for (unsigned i = 0; i < 4; i++) {
		struct kmem_cache_stats st;

		kmem_cache_stats(run.cache[i], &st);
		REQUIRE(st.live == 0);
		REQUIRE(st.layer.allocs == st.layer.frees);
		REQUIRE((st.live + st.layer.in_cpus + st.layer.in_depot +
			 st.free_in_slabs) * st.slot_size <= st.slab_bytes);
	}
	test_drain(kmem_cpus());
	REQUIRE(test_violations() == 0);
	REQUIRE(test_pages() == pages);
	for (unsigned i = 0; i < 4; i++) {
		REQUIRE(kmem_cache_shrink(run.cache[i]) == 0);
		kmem_cache_destroy(run.cache[i]);
	}
	kmem_cache_destroy(run.parcels);
	REQUIRE(test_violations() == 0);
}

static void stress(uint64_t bytes, unsigned nr_cpus, unsigned irq_usec,
		   uint64_t seed)
{
	uint64_t done = 0, irqs = 0, refused = 0;
	size_t pages;

	start(bytes, nr_cpus, seed);
	pages = test_pages();
	run.ops = test_scaled(1500000) / nr_cpus;
	if (irq_usec)
		host_irq_start(irq_usec, false, irq_handler);
	host_run_cpus(nr_cpus, cpu_main, NULL);
	host_irq_stop();
	for (unsigned i = 0; i < nr_cpus; i++) {
		done += run.cpu[i].done;
		irqs += run.cpu[i].irqs;
		refused += run.cpu[i].refused;
	}
	REQUIRE(done == (uint64_t)run.ops * nr_cpus);
	finish(pages);
	printf("cpus: %3" PRIu64 " MiB, %u CPUs: %" PRIu64 " steps, %" PRIu64
	       " interrupts, %" PRIu64 " refusals\n", bytes / MIB, nr_cpus,
	       done, irqs, refused);
	fflush(stdout);
}

int main(void)
{
	uint64_t seed = test_seed("cpus");

	for (unsigned nr_cpus = 2; nr_cpus <= MAX_CPUS; nr_cpus *= 2) {
		stress(128 * MIB, nr_cpus, 0, test_random(&seed));
		stress(128 * MIB, nr_cpus, 30, test_random(&seed));
		/* less memory than the CPUs would keep: so many pages */
		stress((nr_cpus + 1) * (PAGE > 8192 ? 128 * PAGE : MIB),
		       nr_cpus, 50, test_random(&seed));
	}
	return EXIT_SUCCESS;
}
