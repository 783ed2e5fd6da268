// SPDX-License-Identifier: MIT
/*
 * tests/inject/inject_test.c - what a rule says fails, and nothing else.
 */
#include "unit.h"
#include "kmem_arch.h"

#define CALLS	100

static struct kmem_cache *s;
static struct kmem_inject rule;

static int setup(void **state)
{
	(void)state;
	host_cpu_set(0);
	host_machine(16 * MIB, 1);
	test_panics_record();
	s = kmem_cache_create("inject", 120, 0, 0, NULL);
	assert_non_null(s);
	memset(&rule, 0, sizeof(rule));
	return 0;
}

static int teardown(void **state)
{
	kmem_inject_clear();
	kmem_cache_destroy(s);
	return clean_end(state);
}

/* Allocate and free an object, CALLS times; which[i]: the call i + 1 failed.
 * Return: how many did. */
static unsigned which_fail(bool which[CALLS])
{
	unsigned n = 0;

	for (unsigned i = 0; i < CALLS; i++) {
		void *p = kmem_cache_alloc(s, GFP_KERNEL);

		which[i] = !p;
		n += !p;
		if (p)
			kmem_cache_free(s, p);
	}
	return n;
}

/* Every call fails from the nth on, or the nth alone: also one that the
 * magazine has an object for. */
static void test_nth(void **state)
{
	bool which[CALLS];

	(void)state;
	assert_int_equal(which_fail(which), 0);
	rule.nth = 40;
	assert_true(kmem_inject_set(&rule));
	assert_int_equal(which_fail(which), CALLS - 39);
	assert_false(which[38]);
	assert_true(which[39]);
	rule.times = 1;
	assert_true(kmem_inject_set(&rule));
	assert_int_equal(which_fail(which), 1);
	assert_true(which[39]);
	assert_int_equal(kmem_inject_failed(&rule), 1);
}

static void test_interval_and_times(void **state)
{
	bool which[CALLS];

	(void)state;
	rule.nth = 5;
	rule.interval = 7;
	assert_true(kmem_inject_set(&rule));
	assert_int_equal(which_fail(which), 14);
	for (unsigned i = 0; i < CALLS; i++)
		assert_int_equal(which[i], i >= 4 && (i - 4) % 7 == 0);
	rule.times = 3;
	assert_true(kmem_inject_set(&rule));
	assert_int_equal(which_fail(which), 3);
	assert_true(which[4] && which[11] && which[18]);
}

/* The share is about what was asked for; the same seed fails the same calls,
 * another one others. */
static void test_chance_and_seed(void **state)
{
	bool first[CALLS], again[CALLS], other[CALLS];
	unsigned n = 0;

	(void)state;
	rule.chance = 65536 / 4;
	for (rule.seed = 0; rule.seed < 100; rule.seed++) {
		assert_true(kmem_inject_set(&rule));
		n += which_fail(first);
		assert_true(kmem_inject_set(&rule));
		which_fail(again);
		assert_memory_equal(first, again, sizeof(first));
	}
	/* Of 10,000 at 1/4 the standard deviation is 43. */
	assert_in_range(n, 2500 - 260, 2500 + 260);
	rule.seed = 12345;
	assert_true(kmem_inject_set(&rule));
	which_fail(other);
	assert_true(memcmp(first, other, sizeof(first)) != 0);
	rule.chance = 65536;
	assert_true(kmem_inject_set(&rule));
	assert_int_equal(which_fail(other), CALLS);
}

static bool cache_fails(struct kmem_cache *c)
{
	void *p = kmem_cache_alloc(c, GFP_KERNEL);

	kmem_cache_free(c, p);
	return !p;
}

static bool kmalloc_fails(size_t size)
{
	void *p = kmalloc(size, GFP_KERNEL);

	kfree(p);
	return !p;
}

static void test_caches_by_name(void **state)
{
	struct kmem_cache *other = kmem_cache_create("injected", 120, 0, 0,
						     NULL);
	struct page *page;

	(void)state;
	rule.caches = "no,inject";
	assert_true(kmem_inject_set(&rule));
	assert_true(cache_fails(s));
	assert_false(cache_fails(other));
	assert_false(kmalloc_fails(64));
	rule.caches = "kmalloc-*,injected";
	assert_true(kmem_inject_set(&rule));
	assert_false(cache_fails(s));
	assert_true(cache_fails(other));
	assert_true(kmalloc_fails(64));
	/* Pages have no name. */
	page = alloc_pages(GFP_KERNEL, 0);
	assert_non_null(page);
	__free_pages(page, 0);
	assert_int_equal(rule.seen[KMEM_INJECT_OBJECT], 2);
	kmem_inject_clear();
	kmem_cache_destroy(other);
}

static void test_flags(void **state)
{
	void *p;

	(void)state;
	rule.gfp_mask = __GFP_DIRECT_RECLAIM | __GFP_ZERO;
	rule.gfp_value = __GFP_ZERO;
	assert_true(kmem_inject_set(&rule));
	p = kmem_cache_alloc(s, GFP_NOWAIT);
	assert_non_null(p);
	kmem_cache_free(s, p);
	p = kmem_cache_zalloc(s, GFP_KERNEL);
	assert_non_null(p);
	kmem_cache_free(s, p);
	assert_null(kmem_cache_alloc(s, GFP_NOWAIT | __GFP_ZERO));
	assert_null(kzalloc(100, GFP_ATOMIC));
	assert_int_equal(rule.seen[KMEM_INJECT_OBJECT], 2);
}

/* Two call sites of each kind. Code lies in the order of its labels as far as a
 * test can tell: by a section of its own. */
#define SITE __attribute__((noinline, section(".text.site")))
#define KEEP(p) __asm__ volatile("" : "+r"(p))

SITE static void *site_object(size_t size)
{
	void *p = kmem_cache_alloc(s, GFP_KERNEL);

	KEEP(p);
	kmem_cache_free(s, p);
	return size ? p : NULL;
}

SITE static void *site_kmalloc(size_t size)
{
	void *p = __kmalloc(size, GFP_KERNEL);

	KEEP(p);
	kfree(p);
	return p;
}

SITE static void *site_zeroed(size_t size)
{
	void *p = __kmalloc(size, GFP_KERNEL | __GFP_ZERO);

	KEEP(p);
	kfree(p);
	return p;
}

SITE static void *site_krealloc(size_t size)
{
	void *p = krealloc(NULL, size, GFP_KERNEL);

	KEEP(p);
	kfree(p);
	return p;
}

SITE static void *site_node(size_t size)
{
	void *p = __kmalloc_node(size, GFP_KERNEL, 0);

	KEEP(p);
	kfree(p);
	return p;
}

SITE static void *site_pages(size_t size)
{
	struct page *p = alloc_pages(GFP_KERNEL, get_order(size));

	KEEP(p);
	__free_pages(p, get_order(size));
	return p;
}

SITE static void *site_address(size_t size)
{
	void *p = (void *)__get_free_pages(GFP_KERNEL, get_order(size));

	KEEP(p);
	free_pages((uintptr_t)p, get_order(size));
	return p;
}

SITE static void *site_exact(size_t size)
{
	void *p = alloc_pages_exact(size, GFP_KERNEL);

	KEEP(p);
	free_pages_exact(p, size);
	return p;
}

SITE static void *site_nolock(size_t size)
{
	void *p = kmalloc_nolock(size, 0, KMEM_NO_NODE);

	KEEP(p);
	kfree_nolock(p);
	return p;
}

static void *(*const sites[])(size_t size) = {
	site_object, site_kmalloc, site_zeroed, site_krealloc, site_node,
	site_pages, site_address, site_exact, site_nolock,
};

/* The call site is the address that the public function returns to, whatever it
 * is made of: small and large, each from one site fails, from others it does
 * not. */
static void test_call_sites(void **state)
{
	static const size_t size[] = { 100, 5 * KMEM_PAGE_SIZE };

	(void)state;
	for (unsigned i = 0; i < KMEM_ARRAY_SIZE(sites); i++)
		for (unsigned k = 0; k < KMEM_ARRAY_SIZE(size); k++) {
			rule.caller_start = (uintptr_t)sites[i];
			rule.caller_end = rule.caller_start + 1024;
			for (unsigned j = 0; j < KMEM_ARRAY_SIZE(sites); j++) {
				uintptr_t at = (uintptr_t)sites[j];

				if (at > rule.caller_start &&
				    at < rule.caller_end)
					rule.caller_end = at;
			}
			for (unsigned j = 0; j < KMEM_ARRAY_SIZE(sites); j++) {
				assert_true(kmem_inject_set(&rule));
				assert_int_equal(!sites[j](size[k]), i == j);
				assert_int_equal(kmem_inject_failed(&rule),
						 i == j);
			}
		}
}

static const uintptr_t further_up = 0x1234;

static uintptr_t caller_hook(void *ctx, uintptr_t caller)
{
	(void)ctx;
	return caller ? further_up : 0;
}

/* A kernel that says who called says it here too. */
static void test_caller_hook(void **state)
{
	static const struct test_range map[] = {
		{ 1 * MIB, 17 * MIB, KMEM_REGION_USABLE, KMEM_NO_NODE },
	};
	static const struct kmem_hooks hooks = { .caller = caller_hook };
	struct kmem_params p = { .nr_cpus = 1, .hooks = &hooks };

	(void)state;
	assert_int_equal(test_machine(map, 1, &p), KMEM_OK);
	s = kmem_cache_create("inject", 120, 0, 0, NULL);
	rule.caller_start = further_up;
	rule.caller_end = further_up + 1;
	assert_true(kmem_inject_set(&rule));
	assert_true(cache_fails(s));
	rule.caller_start--;
	rule.caller_end--;
	assert_true(kmem_inject_set(&rule));
	assert_false(cache_fails(s));
}

/* Each public function that allocates is one call of one outer kind. */
static void test_every_function(void **state)
{
	enum kmem_inject_kind object = KMEM_INJECT_OBJECT,
			      pages = KMEM_INJECT_PAGES;
	struct page *many[3] = { NULL };
	size_t large = 5 * KMEM_PAGE_SIZE;
	void *objs[3], *p = kmalloc(8, GFP_KERNEL);

	(void)state;
#define FAILS(kind, expr) do { \
	assert_true(kmem_inject_set(&rule)); \
	assert_true(!(expr)); \
	assert_int_equal(rule.calls, 1); \
	assert_int_equal(rule.seen[kind], 1); \
	assert_int_equal(rule.failed[kind], 1); \
} while (0)
	FAILS(object, kmem_cache_alloc(s, GFP_KERNEL));
	FAILS(object, kmem_cache_zalloc(s, GFP_KERNEL));
	FAILS(object, kmem_cache_alloc_node(s, GFP_KERNEL, 0));
	FAILS(object, kmem_cache_alloc_bulk(s, GFP_KERNEL, 3, objs));
	FAILS(object, kmalloc(100, GFP_KERNEL));
	FAILS(object, kzalloc(100, GFP_KERNEL));
	FAILS(object, kmalloc(100, GFP_DMA));
	FAILS(object, kmalloc_node(100, GFP_KERNEL, 0));
	FAILS(object, kmalloc_aligned(100, 64, GFP_KERNEL));
	FAILS(object, kmalloc_array(10, 10, GFP_KERNEL));
	FAILS(object, krealloc(NULL, 100, GFP_KERNEL));
	FAILS(object, krealloc(p, 1000, GFP_KERNEL));
	FAILS(object, krealloc_node_align(p, 1000, 64, GFP_KERNEL, 0));
	FAILS(object, kmemdup("x", 2, GFP_KERNEL));
	FAILS(object, kstrdup("x", GFP_KERNEL));
	FAILS(object, kmalloc_nolock(100, 0, KMEM_NO_NODE));
	FAILS(pages, kmalloc(large, GFP_KERNEL));
	FAILS(pages, kzalloc(large, GFP_KERNEL));
	FAILS(pages, kmalloc_node(large, GFP_KERNEL, 0));
	FAILS(pages, krealloc(p, large, GFP_KERNEL));
	FAILS(pages, kmalloc_nolock(large, 0, KMEM_NO_NODE));
	FAILS(pages, alloc_pages(GFP_KERNEL, 2));
	FAILS(pages, alloc_pages_node(0, GFP_KERNEL, 0));
	FAILS(pages, alloc_pages_nolock(0, KMEM_NO_NODE, 0));
	FAILS(pages, __get_free_pages(GFP_KERNEL, 0));
	FAILS(pages, get_zeroed_page(GFP_KERNEL));
	FAILS(pages, alloc_pages_exact(large, GFP_KERNEL));
	FAILS(pages, alloc_pages_exact_range(large, GFP_KERNEL, 0, 0, 0));
	FAILS(pages, alloc_pages_range(0, GFP_KERNEL, 0, 0));
	FAILS(pages, alloc_contig_pages(3, GFP_KERNEL, -1, NULL));
	FAILS(pages, alloc_pages_bulk(GFP_KERNEL, 3, many));
	kmem_inject_clear();
	kfree(p);
}

/* Size 0, sizes that are impossible, frees: not calls that could fail. */
static void test_not_counted(void **state)
{
	void *p = kmalloc(100, GFP_KERNEL);

	(void)state;
	assert_true(kmem_inject_set(&rule));
	assert_ptr_equal(kmalloc(0, GFP_KERNEL), ZERO_SIZE_PTR);
	assert_null(alloc_pages(GFP_KERNEL, KMEM_MAX_ORDER + 1));
	assert_int_equal(kmem_cache_alloc_bulk(s, GFP_KERNEL, 0, NULL), 0);
	assert_ptr_equal(krealloc(p, 99, GFP_KERNEL), p);
	kfree(p);
	assert_int_equal(rule.calls, 0);
}

static unsigned waits;

static void wait_hook(void *ctx, const struct kmem_pressure *p)
{
	(void)ctx;
	(void)p;
	waits++;
}

/* Whatever is set, __GFP_NOFAIL succeeds, at once, and is not counted: the outer
 * call or what it needs of the inner ones. */
static void test_nofail(void **state)
{
	static const struct test_range map[] = {
		{ 1 * MIB, 17 * MIB, KMEM_REGION_USABLE, KMEM_NO_NODE },
	};
	static const struct kmem_hooks hooks = { .wait = wait_hook };
	struct kmem_params p = { .nr_cpus = 1, .hooks = &hooks };
	void *objs[300];
	struct page *page;

	(void)state;
	assert_int_equal(test_machine(map, 1, &p), KMEM_OK);
	s = kmem_cache_create("inject", 120, 0, 0, NULL);
	waits = 0;
	rule.kinds = KMEM_INJECT_ALL;
	assert_true(kmem_inject_set(&rule));
	for (unsigned i = 0; i < KMEM_ARRAY_SIZE(objs); i++) {
		objs[i] = kmem_cache_alloc(s, GFP_KERNEL | __GFP_NOFAIL);
		assert_non_null(objs[i]);
	}
	page = alloc_pages(GFP_KERNEL | __GFP_NOFAIL, 3);
	assert_non_null(page);
	assert_int_equal(rule.seen[KMEM_INJECT_OBJECT], 0);
	assert_int_equal(rule.seen[KMEM_INJECT_PAGES], 0);
	assert_int_equal(rule.seen[KMEM_INJECT_SLAB], 0);
	assert_int_equal(rule.seen[KMEM_INJECT_TABLE], 0);
	assert_int_equal(waits, 0);
	kmem_inject_clear();
	__free_pages(page, 3);
	kmem_cache_free_bulk(s, KMEM_ARRAY_SIZE(objs), objs);
}

/* A bulk fails whole, and an array of pages keeps what it had. */
static void test_bulk(void **state)
{
	struct page *pages[8] = { NULL };
	void *objs[8];

	(void)state;
	pages[0] = alloc_page(GFP_KERNEL);
	assert_true(kmem_inject_set(&rule));
	assert_int_equal(kmem_cache_alloc_bulk(s, GFP_KERNEL, 8, objs), 0);
	assert_int_equal(alloc_pages_bulk(GFP_KERNEL, 8, pages), 1);
	assert_null(pages[1]);
	kmem_inject_clear();
	__free_pages(pages[0], 0);
}

/* No slab: no object, once all that there are have been given out, and one of
 * the larger order is not needed. No table: no slab either, and no cache. */
static void test_inner_slab_and_table(void **state)
{
	struct kmem_cache *big = kmem_cache_create("big", 3000, 0, 0, NULL);
	struct kmem_cache_stats st;
	void *p;

	(void)state;
	kmem_cache_stats(big, &st);
	rule.kinds = KMEM_INJECT_BIT(SLAB);
	rule.caches = "big";
	rule.times = 1;
	assert_true(kmem_inject_set(&rule));
	p = kmem_cache_alloc(big, GFP_KERNEL);
	assert_non_null(p);
	assert_int_equal(rule.seen[KMEM_INJECT_SLAB], 2);
	kmem_cache_free(big, p);
	kmem_cache_shrink(big);
	rule.times = 0;
	assert_true(kmem_inject_set(&rule));
	assert_null(kmem_cache_alloc(big, GFP_KERNEL));
	kmem_inject_clear();
	kmem_cache_destroy(big);

	rule.kinds = KMEM_INJECT_BIT(TABLE);
	rule.caches = "kmem_cache*";
	rule.nth = 2;
	assert_true(kmem_inject_set(&rule));
	assert_null(kmem_cache_create("big", 3000, 0, 0, NULL));
	assert_int_equal(rule.seen[KMEM_INJECT_TABLE], 2);

	/* nor one that is debugged, whichever of its tables is missing */
	rule.caches = NULL;
	for (rule.nth = 1; ; rule.nth++) {
		assert_true(kmem_inject_set(&rule));
		big = kmem_cache_create("big", 3000, 0, SLAB_STORE_USER, NULL);
		kmem_inject_clear();
		if (big)
			break;
		assert_sound();
	}
	assert_in_range(rule.nth, 4, 100);
	kmem_cache_destroy(big);
}

/* Without magazines and depot, allocations go on. */
static void test_inner_magazine_and_depot(void **state)
{
	void *objs[500];

	(void)state;
	rule.kinds = KMEM_INJECT_BIT(MAGAZINE) | KMEM_INJECT_BIT(DEPOT);
	for (unsigned round = 0; round < 2; round++) {
		assert_true(kmem_inject_set(&rule));
		for (unsigned i = 0; i < KMEM_ARRAY_SIZE(objs); i++) {
			objs[i] = kmem_cache_alloc(s, GFP_KERNEL);
			assert_non_null(objs[i]);
		}
		kmem_cache_free_bulk(s, KMEM_ARRAY_SIZE(objs), objs);
		assert_true(rule.failed[KMEM_INJECT_MAGAZINE + round] > 0);
		assert_sound();
		rule.kinds = KMEM_INJECT_BIT(DEPOT);
	}
}

/* A block of a debugged class is not moved, or made, if that is to fail; what there
 * is stays as it was. */
static void test_debugged_class(void **state)
{
	static const struct test_range map[] = {
		{ MIB, 17 * MIB, KMEM_REGION_USABLE, KMEM_NO_NODE },
	};
	const struct kmem_params params = { .nr_cpus = 1,
					    .debug = "FZPU,kmalloc-*" };
	char *p, *q;

	(void)state;
	assert_int_equal(test_machine(map, 1, &params), KMEM_OK);
	s = kmem_cache_create("inject", 120, 0, 0, NULL);
	p = kmalloc(100, GFP_KERNEL);
	test_fill(p, 100, 5);
	rule.kinds = KMEM_INJECT_BIT(OBJECT);
	rule.caches = "kmalloc-*";
	assert_true(kmem_inject_set(&rule));
	assert_null(krealloc(NULL, 100, GFP_KERNEL));
	assert_null(krealloc(p, 1000, GFP_KERNEL));
	assert_int_equal(rule.failed[KMEM_INJECT_OBJECT], 2);
	kmem_inject_clear();
	assert_null(test_changed(p, 100, 5));
	q = krealloc(p, 1000, GFP_KERNEL);
	assert_non_null(q);
	assert_null(test_changed(q, 100, 5));
	kfree(q);
}

static void test_counts_without_failing(void **state)
{
	bool which[CALLS];

	(void)state;
	rule.nth = SIZE_MAX;
	assert_true(kmem_inject_set(&rule));
	assert_int_equal(which_fail(which), 0);
	assert_int_equal(rule.seen[KMEM_INJECT_OBJECT], CALLS);
	assert_int_equal(rule.calls, CALLS);
	assert_int_equal(kmem_inject_failed(&rule), 0);
	kmem_inject_clear();
	assert_int_equal(which_fail(which), 0);
	assert_int_equal(rule.calls, CALLS);
}

static void test_nonsense_is_refused(void **state)
{
	bool which[CALLS];

	(void)state;
	rule.kinds = 1u << KMEM_INJECT_KINDS;
	assert_false(kmem_inject_set(&rule));
	rule.kinds = 0;
	rule.chance = 65537;
	assert_false(kmem_inject_set(&rule));
	rule.chance = 0;
	rule.caller_start = 2;
	rule.caller_end = 1;
	assert_false(kmem_inject_set(&rule));
	assert_int_equal(which_fail(which), 0);
}

/* CPUs at once: as many fail as `times` says, no matter on which. */
#define RACERS	4
#define RACES	20000

static void race(unsigned cpu, void *arg)
{
	size_t *failed = arg;

	for (unsigned i = 0; i < RACES; i++) {
		void *p = kmem_cache_alloc(s, GFP_KERNEL);

		failed[cpu] += !p;
		kmem_cache_free(s, p);
	}
}

static void test_several_cpus(void **state)
{
	size_t failed[RACERS] = { 0 };

	(void)state;
	host_machine(16 * MIB, RACERS);
	s = kmem_cache_create("inject", 120, 0, 0, NULL);
	rule.interval = 3;
	rule.times = 5000;
	assert_true(kmem_inject_set(&rule));
	host_run_cpus(RACERS, race, failed);
	kmem_inject_clear();
	assert_int_equal(failed[0] + failed[1] + failed[2] + failed[3], 5000);
	assert_int_equal(rule.seen[KMEM_INJECT_OBJECT], RACERS * RACES);
	assert_int_equal(kmem_inject_failed(&rule), 5000);
}

/* Requests that no rule is asked about: they fail whatever it says. */
static void test_impossible_requests(void **state)
{
	(void)state;
	assert_true(kmem_inject_set(&rule));
	assert_int_equal(__get_free_pages(GFP_KERNEL, KMEM_MAX_ORDER + 1), 0);
	assert_int_equal(rule.seen[KMEM_INJECT_PAGES], 0);
	kmem_inject_clear();
	assert_null(kmalloc_node(3 * KMEM_PAGE_SIZE,
				 GFP_KERNEL | __GFP_THISNODE, 77));
	kmem_reset();
	assert_null(kmalloc(3 * KMEM_PAGE_SIZE, GFP_KERNEL));
	host_machine(16 * MIB, 1);
	s = kmem_cache_create("inject", 120, 0, 0, NULL);
}

/* Allocations of kmem's own have no caller: a rule for some callers is not about
 * them, whether the kernel names callers or not. */
static void test_no_caller(void **state)
{
	(void)state;
	rule.kinds = (1u << KMEM_INJECT_KINDS) - 1;
	rule.caller_start = 1;
	rule.caller_end = 2;
	assert_true(kmem_inject_set(&rule));
	for (unsigned i = 0; i < 1000; i++)
		assert_non_null(kmem_cache_alloc(s, GFP_KERNEL));
	kmem_inject_clear();
	assert_int_equal(rule.seen[KMEM_INJECT_SLAB], 0);
	assert_int_equal(kmem_inject_failed(&rule), 0);
	host_machine(16 * MIB, 1);
	s = kmem_cache_create("inject", 120, 0, 0, NULL);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_nth),
		TEST(test_interval_and_times),
		TEST(test_chance_and_seed),
		TEST(test_caches_by_name),
		TEST(test_flags),
		TEST(test_call_sites),
		TEST(test_caller_hook),
		TEST(test_every_function),
		TEST(test_not_counted),
		TEST(test_nofail),
		TEST(test_bulk),
		TEST(test_inner_slab_and_table),
		TEST(test_inner_magazine_and_depot),
		TEST(test_debugged_class),
		TEST(test_counts_without_failing),
		TEST(test_nonsense_is_refused),
		TEST(test_several_cpus),
		TEST(test_impossible_requests),
		TEST(test_no_caller),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
