// SPDX-License-Identifier: MIT
/*
 * tests/unit/gfp_test.c - what flags promise: reserves, zones, nodes, and that
 * who must not sleep is told.
 */
#include "unit.h"
#include "page_alloc.h"

#define QUIET	__GFP_NOWARN

static int setup(void **state)
{
	(void)state;
	host_machine(64 * MIB, 1);
	test_panics_record();
	return 0;
}

/* No two flags share a bit, and the sets are what their parts are. */
static void test_flags(void **state)
{
	static const gfp_t flag[] = {
		__GFP_DMA, __GFP_HIGHMEM, __GFP_DMA32, __GFP_MOVABLE,
		__GFP_RECLAIMABLE, __GFP_DIRECT_RECLAIM, __GFP_ZERO,
		__GFP_ACCOUNT, __GFP_NOFAIL, __GFP_HIGH, __GFP_ATOMIC,
		__GFP_NORETRY, __GFP_IO, __GFP_FS, __GFP_NOWARN,
		__GFP_THISNODE, __GFP_COMP, __GFP_RETRY_MAYFAIL,
		__GFP_MEMALLOC, __GFP_NOMEMALLOC,
	};
	gfp_t all = 0;

	(void)state;
	for (size_t i = 0; i < KMEM_ARRAY_SIZE(flag); i++) {
		assert_int_not_equal(flag[i], 0);
		assert_int_equal(all & flag[i], 0);
		all |= flag[i];
	}
	assert_int_equal(all & ~__GFP_BITS_MASK, 0);
	assert_true(gfpflags_allow_blocking(GFP_KERNEL));
	assert_true(gfpflags_allow_blocking(GFP_HIGHUSER_MOVABLE));
	assert_true(gfpflags_allow_blocking(GFP_NOIO));
	assert_true(gfpflags_allow_blocking(GFP_TRANSHUGE));
	assert_false(gfpflags_allow_blocking(GFP_ATOMIC));
	assert_false(gfpflags_allow_blocking(GFP_NOWAIT));
	assert_false(gfpflags_allow_blocking(GFP_TRANSHUGE_LIGHT));
	assert_true(GFP_HIGHUSER_MOVABLE & __GFP_MOVABLE);
	assert_false(GFP_HIGHUSER & __GFP_MOVABLE);
}

static size_t take_all(gfp_t gfp)
{
	static struct page *held[64 * MIB / 4096];
	size_t n = 0, got;

	while ((held[n] = alloc_page(gfp | QUIET)))
		n++;
	assert_sound();
	for (got = n; n; )
		__free_page(held[--n]);
	drain_pages();
	return got;
}

/* Each deeper into the reserve than the one before, and MEMALLOC to the last
 * page, lowmem reserves included; NOMEMALLOC takes that back. */
static void test_reserves(void **state)
{
	size_t nowait = take_all(GFP_NOWAIT), high = take_all(__GFP_HIGH);
	size_t atomic = take_all(GFP_ATOMIC);
	size_t memalloc = take_all(GFP_NOWAIT | __GFP_MEMALLOC);

	(void)state;
	assert_true(nowait < high && high < atomic && atomic < memalloc);
	assert_true(take_all(GFP_NOWAIT | __GFP_MEMALLOC | __GFP_NOMEMALLOC) <
		    nowait + 16);
	assert_true(memalloc + 16 > nr_free_pages());
}

/* ---------------------------------------------- sleeping in atomic context */

static bool atomic;
static unsigned asked, reclaims;

static bool in_atomic(void *ctx)
{
	(void)ctx;
	asked++;
	return atomic;
}

static size_t reclaim(void *ctx, const struct kmem_pressure *p)
{
	(void)ctx;
	(void)p;
	reclaims++;
	return 0;
}

static void start_asked(void)
{
	static const struct kmem_hooks hooks = { .in_atomic = in_atomic,
						 .reclaim = reclaim };
	const struct test_range map[] = {
		{ MIB, 33 * MIB, KMEM_REGION_USABLE, KMEM_NO_NODE },
	};
	struct kmem_params p = { .nr_cpus = 1, .hooks = &hooks };

	kmem_reset();
	atomic = true;			/* while it starts, too */
	assert_int_equal(test_machine(map, 1, &p), KMEM_OK);
	assert_no_panic();
	atomic = false;
	asked = reclaims = 0;
}

/* GFP_KERNEL in atomic context is found within a magazine-full of calls, by
 * name; GFP_ATOMIC is no mistake, nor is GFP_KERNEL in a thread. */
static void test_sleeping_alloc_is_reported(void **state)
{
	struct kmem_cache *s;
	void *obj[1000];
	unsigned n = 0;

	(void)state;
	start_asked();
	s = kmem_cache_create("sleepy", 100, 0, 0, NULL);
	for (unsigned i = 0; i < 1000; i++)
		obj[i] = kmem_cache_alloc(s, GFP_KERNEL);
	assert_true(asked > 0);
	assert_no_panic();
	for (n = 1000; n; )
		kmem_cache_free(s, obj[--n]);
	atomic = true;
	for (n = 0; n < 1000; n++)
		obj[n] = kmem_cache_alloc(s, GFP_ATOMIC);
	assert_no_panic();
	while (n)
		kmem_cache_free(s, obj[--n]);
	for (n = 0; n < 64 && !test_panics(); n++)
		obj[n] = kmem_cache_alloc(s, GFP_KERNEL);
	assert_panicked(NULL, "kmem_cache_alloc", "atomic context");
	while (n)			/* it went on, as GFP_ATOMIC's */
		kmem_cache_free(s, obj[--n]);
	atomic = false;
	kmem_cache_destroy(s);
}

/* Blocks of pages: at once where there is no magazine. */
static void test_sleeping_pages_are_reported(void **state)
{
	struct page *page;

	(void)state;
	start_asked();
	atomic = true;
	page = alloc_pages(GFP_KERNEL, 5);
	assert_panicked(NULL, "alloc_pages", "atomic context");
	assert_non_null(page);
	__free_pages(page, 5);
	page = alloc_pages(GFP_ATOMIC, 5);
	assert_no_panic();
	__free_pages(page, 5);
	page = alloc_contig_pages(10, GFP_NOIO, 0, NULL);
	assert_panicked(NULL, "alloc_contig_pages", "atomic context");
	free_contig_range(page_to_pfn(page), 10);
	page = alloc_pages_range(0, GFP_NOFS, 0, 0);
	assert_panicked(NULL, "alloc_pages_range", "atomic context");
	__free_page(page);
	atomic = false;
}

/* What was reported does not sleep after all: no hook that may is called. */
static void test_reported_does_not_sleep(void **state)
{
	struct page *page[64];
	unsigned n = 0;

	(void)state;
	start_asked();
	while (n < 64 && (page[n] = alloc_pages(GFP_NOWAIT | QUIET, 10)))
		n++;
	atomic = true;
	assert_null(alloc_pages(GFP_KERNEL | QUIET, 10));
	assert_panicked(NULL, "alloc_pages", NULL);
	assert_int_equal(reclaims, 0);
	atomic = false;
	assert_null(alloc_pages(GFP_KERNEL | QUIET, 10));
	assert_true(reclaims > 0);
	while (n)
		__free_pages(page[--n], 10);
}

/* Calls that are for threads only. */
static void test_other_sleeping_calls(void **state)
{
	struct kmem_cache *s;

	(void)state;
	start_asked();
	atomic = true;
	s = kmem_cache_create("atomic", 100, 0, 0, NULL);
	assert_true(test_panics() >= 1);
	test_panics_clear();
	assert_non_null(s);
	kmem_cache_shrink(s);
	assert_panicked(NULL, "kmem_cache_shrink", NULL);
	kmem_cache_destroy(s);
	assert_panicked(NULL, "kmem_cache_destroy", NULL);
	atomic = false;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_flags),
		CASE(test_reserves),
		CASE(test_sleeping_alloc_is_reported),
		CASE(test_sleeping_pages_are_reported),
		CASE(test_reported_does_not_sleep),
		CASE(test_other_sleeping_calls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
