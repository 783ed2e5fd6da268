// SPDX-License-Identifier: MIT
/*
 * tests/unit/reserve_test.c - sheaves, bounds and preallocation of caches, and
 * shrinkers.
 */
#include "unit.h"
#include "kmem_arch.h"

#define QUIET	__GFP_NOWARN

static void run_on_cpu(void *ctx, unsigned cpu, void (*fn)(void *), void *arg)
{
	unsigned here = kmem_arch_cpu();

	(void)ctx;
	host_cpu_set(cpu);
	fn(arg);
	host_cpu_set(here);
}

static const struct kmem_hooks hooks = {
	.log = test_log, .run_on_cpu = run_on_cpu,
};

static const struct test_range map[] = {
	{ 1 * MIB, 17 * MIB, KMEM_REGION_USABLE, KMEM_NO_NODE },
};

static struct kmem_cache *s;
static void *objs[1 << 18];
static size_t nr;

static void start(const struct kmem_hooks *h)
{
	struct kmem_params p = { .nr_cpus = 4, .hooks = h };

	host_cpu_set(0);
	assert_int_equal(test_machine(map, 1, &p), KMEM_OK);
	s = kmem_cache_create("reserve", 120, 0, 0, NULL);
	nr = 0;
}

static int setup(void **state)
{
	(void)state;
	start(&hooks);
	test_panics_record();
	test_log_clear();
	return 0;
}

static int teardown(void **state)
{
	while (nr)
		kmem_cache_free(s, objs[--nr]);
	kmem_cache_destroy(s);
	return clean_end(state);
}

static void exhaust(struct kmem_cache *of, gfp_t gfp)
{
	while ((objs[nr] = kmem_cache_alloc(of, gfp | QUIET)))
		nr++;
}

static size_t live(void)
{
	struct kmem_cache_stats st;

	kmem_cache_stats(s, &st);
	return st.live;
}

static size_t slab_pages(void)
{
	struct kmem_cache_stats st;

	kmem_cache_stats(s, &st);
	return st.slab_bytes / PAGE;
}

/* ----------------------------------------------------------------- sheaves */

/* All memory goes after the sheaf was filled; inside a section with interrupts
 * masked exactly what was asked for can still be had, then NULL. */
static void test_sheaf_under_exhaustion(void **state)
{
	struct slab_sheaf *sheaf = kmem_cache_prefill_sheaf(s, GFP_KERNEL, 50);
	unsigned char *p[51];
	uintptr_t irq;

	(void)state;
	assert_non_null(sheaf);
	assert_int_equal(kmem_cache_sheaf_size(sheaf), 50);
	exhaust(s, GFP_ATOMIC);
	irq = kmem_arch_irq_save();
	for (unsigned i = 0; i < 51; i++)
		p[i] = kmem_cache_alloc_from_sheaf(s, i & 1 ? __GFP_ZERO : 0,
						   sheaf);
	kmem_arch_irq_restore(irq);
	for (unsigned i = 0; i < 50; i++) {
		assert_non_null(p[i]);
		assert_true(!(i & 1) || (!p[i][0] && !p[i][119]));
		for (unsigned k = 0; k < i; k++)
			assert_ptr_not_equal(p[i], p[k]);
	}
	assert_null(p[50]);
	assert_int_equal(kmem_cache_refill_sheaf(s, GFP_ATOMIC | QUIET, &sheaf,
						 10), KMEM_ENOMEM);
	assert_int_equal(kmem_cache_sheaf_size(sheaf), 0);
	for (unsigned i = 0; i < 50; i++)
		kmem_cache_free(s, p[i]);
	kmem_cache_return_sheaf(s, GFP_KERNEL, sheaf);
}

/* Refilled, grown, returned half used: nothing is lost or had twice. */
static void test_sheaf_life(void **state)
{
	struct kmem_cache *other = kmem_cache_create("other", 64, 0, 0, NULL);
	struct slab_sheaf *sheaf = kmem_cache_prefill_sheaf(s, GFP_KERNEL, 4);

	(void)state;
	objs[nr++] = kmem_cache_alloc_from_sheaf(s, 0, sheaf);
	assert_int_equal(kmem_cache_refill_sheaf(s, GFP_KERNEL, &sheaf, 4), 0);
	assert_int_equal(kmem_cache_sheaf_size(sheaf), 4);
	assert_int_equal(kmem_cache_refill_sheaf(s, GFP_KERNEL, &sheaf, 2), 0);
	assert_int_equal(kmem_cache_sheaf_size(sheaf), 4);
	assert_int_equal(kmem_cache_refill_sheaf(s, GFP_KERNEL, &sheaf, 300),
			 0);
	assert_int_equal(kmem_cache_sheaf_size(sheaf), 300);
	assert_int_equal(live(), 301);
	assert_null(kmem_cache_alloc_from_sheaf(other, 0, sheaf));
	assert_panicked(sheaf, "another cache", "other");
	kmem_cache_return_sheaf(other, 0, sheaf);
	assert_panicked(sheaf, "another cache", "other");
	kmem_cache_return_sheaf(s, 0, sheaf);
	kmem_cache_return_sheaf(s, 0, NULL);
	assert_int_equal(live(), 1);
	assert_null(kmem_cache_prefill_sheaf(s, GFP_KERNEL | QUIET, ~0u));
	sheaf = kmem_cache_prefill_sheaf(s, GFP_KERNEL, 0);
	assert_null(kmem_cache_alloc_from_sheaf(s, 0, sheaf));
	kmem_cache_return_sheaf(s, 0, sheaf);
	assert_int_equal(live(), 1);
	kmem_cache_destroy(other);
}

/* ------------------------------------------------------------------ bounds */

static size_t bound;

static void at_the_bound(unsigned cpu, void *arg)
{
	static void *mine[4][400];
	unsigned n[4] = { 0 };
	uint64_t rnd = cpu;

	(void)arg;
	for (unsigned i = 0; i < test_scaled(100000); i++) {
		bool more = test_below(&rnd, 5) < 3;

		if (more && n[cpu] < 400) {
			void *p = kmem_cache_alloc(s, GFP_NOWAIT);

			if (p)
				mine[cpu][n[cpu]++] = p;
		} else if (n[cpu]) {
			kmem_cache_free(s, mine[cpu][--n[cpu]]);
		}
		REQUIRE(i % 64 || slab_pages() * PAGE / 120 <= bound + 200);
	}
	while (n[cpu])
		kmem_cache_free(s, mine[cpu][--n[cpu]]);
}

/* All objects that fit are free, in another CPU's magazines: whoever asks has the
 * slabs given up that they are all of, and one made anew. */
static void test_bound_of_free_objects(void **state)
{
	(void)state;
	for (unsigned turn = 0; turn < 20; turn++) {
		bound = kmem_cache_set_max(s, 30);
		host_cpu_set(1);
		exhaust(s, GFP_KERNEL);
		assert_in_range(nr, 30, bound);
		while (nr)
			kmem_cache_free(s, objs[--nr]);
		host_cpu_set(0);
		exhaust(s, GFP_KERNEL);
		assert_in_range(nr, 30, bound);
		while (nr)
			kmem_cache_free(s, objs[--nr]);
	}
	assert_sound();
}

/* Four CPUs at a cache with a bound: it never has more slabs; and afterwards
 * one CPU gets every object that fits, whoever's magazines it lay in. */
static void test_bound_on_several_CPUs(void **state)
{
	size_t max_pages;

	(void)state;
	bound = kmem_cache_set_max(s, 500);
	assert_in_range(bound, 500, 600);
	exhaust(s, GFP_KERNEL);
	assert_in_range(nr, 500, bound);
	max_pages = slab_pages();
	assert_null(kmem_cache_alloc(s, GFP_ATOMIC));
	while (nr)
		kmem_cache_free(s, objs[--nr]);
	host_run_cpus(4, at_the_bound, NULL);
	exhaust(s, GFP_KERNEL);
	assert_in_range(nr, 500, bound);
	assert_true(slab_pages() <= max_pages);
	assert_sound();
	/* raised, lifted */
	bound = kmem_cache_set_max(s, 1000);
	exhaust(s, GFP_KERNEL);
	assert_in_range(nr, 1000, bound);
	kmem_cache_set_max(s, 0);
	exhaust(s, GFP_KERNEL);
	assert_true(nr > 5000);
}

/* At the bound, what another CPU has left is taken a magazine at a time: the rest
 * of it stays there, and nobody is asked to give anything back. */
static void test_bound_and_what_others_left(void **state)
{
	struct kmem_cache_stats was, st;

	(void)state;
	bound = kmem_cache_set_max(s, 2000);
	host_cpu_set(1);
	exhaust(s, GFP_KERNEL);
	while (nr)			/* the depot learns its bound */
		kmem_cache_free(s, objs[--nr]);
	exhaust(s, GFP_KERNEL);
	do {
		assert_true(nr > 0);
		kmem_cache_free(s, objs[--nr]);
		kmem_cache_stats(s, &was);
	} while (!was.layer.in_depot);
	host_cpu_set(0);
	objs[nr] = kmem_cache_alloc(s, GFP_KERNEL);
	assert_non_null(objs[nr++]);
	kmem_cache_stats(s, &st);
	assert_int_equal(st.slabs, was.slabs);
	assert_int_equal(st.layer.flushes, was.layer.flushes);
	assert_int_equal(st.layer.depot_allocs, was.layer.depot_allocs + 1);
	while (nr)
		kmem_cache_free(s, objs[--nr]);
}

/* A bound that is set late counts what there is; and pages that were not to be
 * had are not counted: there is as much room when there is memory again. */
static void test_bound_counts_what_there_is(void **state)
{
	struct kmem_cache *big = kmem_cache_create("big", 4096, 0, 0, NULL);
	static void *room[2000];
	size_t n = 0;

	(void)state;
	for (nr = 0; nr < 300; nr++)
		assert_non_null(objs[nr] = kmem_cache_alloc(s, GFP_KERNEL));
	bound = kmem_cache_set_max(s, 500);
	exhaust(s, GFP_KERNEL);
	assert_in_range(nr, 500, bound);
	while (nr)
		kmem_cache_free(s, objs[--nr]);
	kmem_cache_shrink(s);
	assert_int_equal(slab_pages(), 0);
	exhaust(big, GFP_ATOMIC);
	for (unsigned i = 0; i < 500; i++)
		while ((room[n] = kmem_cache_alloc(s, GFP_NOWAIT | QUIET)))
			n++;
	assert_true(n < 500);
	while (nr)
		kmem_cache_free(big, objs[--nr]);
	while (n)
		kmem_cache_free(s, room[--n]);
	kmem_cache_destroy(big);
	exhaust(s, GFP_KERNEL);
	assert_in_range(nr, 500, bound);
}

/* __GFP_NOFAIL at the bound waits; with nothing to wait with it says so. */
static void test_bound_and_nofail(void **state)
{
	(void)state;
	kmem_cache_set_max(s, 100);
	exhaust(s, GFP_KERNEL);
	assert_null(kmem_cache_alloc(s, GFP_KERNEL | __GFP_NOFAIL));
	assert_panicked(NULL, "__GFP_NOFAIL", "wait hook");
}

/* Room that was made in advance survives trims, drains and shortage, and is
 * there when all other memory is gone. */
static void test_preallocation(void **state)
{
	struct kmem_cache *big;
	size_t before;

	(void)state;
	kmem_trim(KMEM_DRAIN_CPU);
	before = nr_free_pages();
	big = kmem_cache_create("big", 1000, 0, 0, NULL);
	assert_int_equal(kmem_cache_prealloc(s, 700, GFP_KERNEL), 0);
	assert_true(slab_pages() * PAGE / 120 >= 700);
	kmem_trim(KMEM_DRAIN_CPU);
	kmem_cache_shrink(s);
	for (unsigned i = 0; i < 10; i++)
		kmem_trim(KMEM_TRIM);
	assert_true(slab_pages() * PAGE / 120 >= 700);
	assert_sound();
	exhaust(big, GFP_KERNEL);
	exhaust(big, GFP_ATOMIC);
	for (unsigned i = 0; i < 700; i++)
		assert_non_null(objs[nr++] = kmem_cache_alloc(s, GFP_NOWAIT));
	for (unsigned i = 0; i < 700; i++)
		kmem_cache_free(s, objs[--nr]);
	while (nr)
		kmem_cache_free(big, objs[--nr]);
	/* a promise ends with its cache */
	assert_int_equal(kmem_cache_prealloc(big, 100, GFP_KERNEL), 0);
	kmem_cache_destroy(big);
	assert_int_equal(kmem_cache_prealloc(s, 0, GFP_KERNEL), 0);
	kmem_trim(KMEM_DRAIN_CPU);
	assert_int_equal(nr_free_pages(), before);
	assert_int_equal(slab_pages(), 0);
	assert_int_equal(kmem_cache_prealloc(s, 100, GFP_KERNEL), 0);
}

/* --------------------------------------------------------------- shrinkers */

struct mine {
	struct shrinker *s;
	unsigned long objects, scanned, calls, counts, most;
	void *mem[600];		/* pages that it gives up */
	unsigned nr;
	bool stop, recurse, empty, inside, slow, pretend;
	gfp_t gfp;
};

static unsigned long my_count(struct shrinker *sh, struct shrink_control *sc)
{
	struct mine *m = sh->private_data;

	m->counts++;
	m->gfp = sc->gfp_mask;
	return m->empty ? SHRINK_EMPTY : m->objects;
}

static unsigned long my_scan(struct shrinker *sh, struct shrink_control *sc)
{
	struct mine *m = sh->private_data;
	unsigned long freed = 0;

	assert_false(m->inside);
	m->inside = true;
	m->calls++;
	m->scanned += sc->nr_to_scan;
	assert_int_equal(sc->nr_scanned, sc->nr_to_scan);
	if (m->slow)
		sc->nr_scanned = 1;
	if (sc->nr_to_scan > m->most)
		m->most = sc->nr_to_scan;
	if (m->recurse) {
		void *p = (void *)alloc_pages(GFP_KERNEL | QUIET, 9);

		assert_null(p);
	}
	for (; !m->stop && m->nr && freed < sc->nr_to_scan; freed++)
		free_page((uintptr_t)m->mem[--m->nr]);
	m->objects -= freed;
	if (m->pretend)
		freed = sc->nr_to_scan;
	m->inside = false;
	return m->stop ? SHRINK_STOP : freed;
}

static void begin(struct mine *m, unsigned long objects)
{
	memset(m, 0, sizeof(*m));
	m->s = shrinker_alloc(0, "mine-%d", 1);
	assert_non_null(m->s);
	assert_int_equal(m->s->seeks, DEFAULT_SEEKS);
	m->objects = objects;
	m->s->private_data = m;
	m->s->count_objects = my_count;
	m->s->scan_objects = my_scan;
}

static void *pages[5000];
static unsigned nr_pages;

static void take_all_pages(void)
{
	while ((pages[nr_pages] = alloc_page(GFP_NOWAIT | QUIET)))
		nr_pages++;
}

static void end(struct mine *m)
{
	while (nr_pages)
		__free_pages(pages[--nr_pages], 0);
	while (m->nr)
		free_page((uintptr_t)m->mem[--m->nr]);
	shrinker_free(m->s);
}

/* A request that fails asks shrinkers; what they free it gets. One that may
 * not sleep does not. */
static void test_shrinker_helps(void **state)
{
	static struct mine m;
	struct page *p;

	(void)state;
	begin(&m, 0);
	shrinker_register(m.s);
	for (; m.nr < 600; m.nr++)
		m.mem[m.nr] = (void *)get_zeroed_page(GFP_KERNEL);
	m.objects = m.nr;
	take_all_pages();
	assert_int_equal(m.counts, 0);
	assert_null(alloc_page(GFP_ATOMIC & ~(__GFP_HIGH | __GFP_ATOMIC)));
	assert_int_equal(m.counts, 0);
	p = alloc_page(GFP_NOFS);
	assert_non_null(p);
	assert_true(m.calls > 0 && m.nr < 600);
	assert_int_equal(m.gfp & (GFP_KERNEL | __GFP_HIGH), GFP_NOFS);
	__free_pages(p, 0);
	end(&m);
}

/* In proportion to what they have, and less where it is dear; in batches. */
static void test_shrinker_proportion(void **state)
{
	static struct mine big, small, dear;

	(void)state;
	begin(&big, 100000);
	begin(&small, 10000);
	begin(&dear, 100000);
	dear.s->seeks = 4 * DEFAULT_SEEKS;
	big.s->batch = small.s->batch = dear.s->batch = 7;
	shrinker_register(big.s);
	shrinker_register(small.s);
	shrinker_register(dear.s);
	take_all_pages();
	assert_null(alloc_page(GFP_KERNEL | __GFP_NORETRY | QUIET));
	assert_in_range(big.scanned, 9 * small.scanned, 11 * small.scanned);
	assert_in_range(big.scanned, 7 * dear.scanned / 2, 9 * dear.scanned / 2);
	assert_true(big.most <= 7);
	shrinker_free(small.s);
	shrinker_free(dear.s);
	end(&big);
}

/* Less than a batch is put off until it is one, or all that there is. */
static void test_shrinker_batch(void **state)
{
	static struct mine m;

	(void)state;
	begin(&m, 1000);
	m.s->batch = 100000;
	shrinker_register(m.s);
	take_all_pages();
	assert_null(alloc_page(GFP_KERNEL | __GFP_NORETRY | QUIET));
	assert_true(m.calls > 0);
	assert_true(m.scanned >= m.calls * 1000);
	end(&m);
}

/* A batch is 128 if nothing else is said; and a scan that looked at less than it
 * was asked to is asked again for the rest. */
static void test_shrinker_looks_at_less(void **state)
{
	static struct mine quick, slow;

	(void)state;
	begin(&quick, 600);
	begin(&slow, 600);
	slow.slow = true;
	shrinker_register(quick.s);
	shrinker_register(slow.s);
	take_all_pages();
	assert_null(alloc_page(GFP_KERNEL | __GFP_NORETRY | QUIET));
	assert_int_equal(quick.most, 128);
	assert_int_equal(slow.most, 128);
	assert_true(slow.calls > 100 * quick.calls / 2);
	shrinker_free(slow.s);
	end(&quick);
}

/* What was put off counts later, but is never more than twice what there is. */
static void test_shrinker_debt_is_bounded(void **state)
{
	static struct mine m;

	(void)state;
	begin(&m, 100000);
	m.s->batch = 1000000;
	m.stop = true;
	shrinker_register(m.s);
	take_all_pages();
	assert_null(alloc_page(GFP_KERNEL | __GFP_NORETRY | QUIET));
	assert_true(m.most >= 100000);
	m.stop = false;
	m.objects = 10;
	m.most = m.scanned = 0;
	assert_null(alloc_page(GFP_KERNEL | __GFP_NORETRY | QUIET));
	assert_in_range(m.most, 1, 20);
	end(&m);
}

/* As many objects as pages are asked for, but 32 at least, are enough. */
static void test_shrinkers_stop_in_time(void **state)
{
	static struct mine m;

	(void)state;
	begin(&m, 4096 * 32);
	m.s->batch = 1;
	m.pretend = true;
	shrinker_register(m.s);
	take_all_pages();
	assert_null(alloc_page(GFP_KERNEL | __GFP_NORETRY | QUIET));
	assert_int_equal(m.counts, 1);
	assert_int_equal(m.scanned, 64);
	m.counts = 0;
	assert_null(alloc_pages(GFP_KERNEL | __GFP_NORETRY | QUIET, 7));
	assert_int_equal(m.counts, 2);
	end(&m);
}

/* SHRINK_STOP ends it for this round; SHRINK_EMPTY is not scanned. */
static void test_shrink_stop_and_empty(void **state)
{
	static struct mine m, e;

	(void)state;
	begin(&m, 1000000);
	begin(&e, 1000000);
	m.stop = e.empty = true;
	shrinker_register(m.s);
	shrinker_register(e.s);
	take_all_pages();
	assert_null(alloc_page(GFP_KERNEL | __GFP_NORETRY | QUIET));
	assert_true(m.calls > 0 && m.calls <= 13);
	assert_int_equal(m.calls, m.counts);
	assert_true(e.counts > 0);
	assert_int_equal(e.calls, 0);
	shrinker_free(e.s);
	end(&m);
}

/* A scan that allocates with GFP_KERNEL is not called from inside itself. */
static void test_shrinker_recursion(void **state)
{
	static struct mine m;

	(void)state;
	begin(&m, 1000);
	m.recurse = true;
	shrinker_register(m.s);
	take_all_pages();
	assert_null(alloc_page(GFP_KERNEL | __GFP_NORETRY | QUIET));
	assert_true(m.calls > 0);
	end(&m);
}

static bool scanning, freed;

static unsigned long slow_scan(struct shrinker *sh, struct shrink_control *sc)
{
	(void)sh;
	(void)sc;
	__atomic_store_n(&scanning, true, __ATOMIC_RELEASE);
	for (unsigned i = 0; i < 200; i++)
		kmem_host_yield();
	REQUIRE(!__atomic_load_n(&freed, __ATOMIC_ACQUIRE));
	return SHRINK_STOP;
}

static void scan_or_free(unsigned cpu, void *arg)
{
	struct mine *m = arg;

	if (cpu == 0) {
		while ((pages[nr_pages] = alloc_page(GFP_KERNEL | QUIET |
						     __GFP_NORETRY)))
			nr_pages++;
		return;
	}
	while (!__atomic_load_n(&scanning, __ATOMIC_ACQUIRE))
		kmem_host_yield();
	shrinker_free(m->s);
	__atomic_store_n(&freed, true, __ATOMIC_RELEASE);
}

/* shrinker_free() while another CPU is inside: it returns only after that. */
static void test_free_during_scan(void **state)
{
	static const struct kmem_hooks none = { .log = test_log };
	static struct mine m;

	(void)state;
	start(&none);			/* the other CPU is at work: not ours */
	for (unsigned i = 0; i < test_scaled(50); i++) {
		while (nr_pages)
			__free_pages(pages[--nr_pages], 0);
		begin(&m, 1000000);
		m.s->scan_objects = slow_scan;
		shrinker_register(m.s);
		take_all_pages();
		scanning = freed = false;
		host_run_cpus(2, scan_or_free, &m);
		assert_true(freed);
	}
	m.s = NULL;
	end(&m);
}

/* Registered twice, or without functions. */
static void test_shrinker_misuse(void **state)
{
	static struct mine m;
	struct shrinker *none = shrinker_alloc(0, "none");

	(void)state;
	shrinker_register(none);
	assert_panicked(NULL, "none", "lacks a function");
	shrinker_free(none);
	begin(&m, 1);
	shrinker_register(m.s);
	shrinker_register(m.s);
	assert_panicked(NULL, "mine-1", "is registered");
	end(&m);
	shrinker_free(NULL);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_sheaf_under_exhaustion),
		TEST(test_sheaf_life),
		TEST(test_bound_of_free_objects),
		TEST(test_bound_on_several_CPUs),
		TEST(test_bound_and_what_others_left),
		TEST(test_bound_counts_what_there_is),
		TEST(test_bound_and_nofail),
		TEST(test_preallocation),
		TEST(test_shrinker_helps),
		TEST(test_shrinker_proportion),
		TEST(test_shrinker_batch),
		TEST(test_shrinker_debt_is_bounded),
		TEST(test_shrinkers_stop_in_time),
		TEST(test_shrinker_looks_at_less),
		TEST(test_shrink_stop_and_empty),
		TEST(test_shrinker_recursion),
		TEST(test_free_during_scan),
		TEST(test_shrinker_misuse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
