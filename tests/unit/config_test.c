// SPDX-License-Identifier: MIT
/*
 * tests/unit/config_test.c - what holds whatever is chosen in <kmem/config.h>.
 *
 * What could go wrong: a layer that a configuration leaves out is asked for all
 * the same, or what is wrong is not found where there is no text to say it with.
 * So this runs in any configuration, and looks into no layer.
 */
#include <kmem/reserve.h>

#include "unit.h"
#include "page_alloc.h"

static int setup(void **state)
{
	(void)state;
	host_machine(8 * MIB, 1);
	test_panics_record();
	return 0;
}

static unsigned lines;

static void count_line(void *ctx, const char *line)
{
	(void)ctx;
	REQUIRE(line[0]);
	lines++;
}

static void test_reports(void **state)
{
	(void)state;
	lines = 0;
	kmem_report(count_line, NULL);
	assert_true(lines > 10);
	lines = 0;
	kmem_report_raw(count_line, NULL);
	assert_true(lines > 10);
}

/* A bound on a cache is kept, whether the request could sleep or not; and what is
 * allocated ahead is, where there are magazines. */
static void test_bound(void **state)
{
	struct kmem_cache *s = kmem_cache_create("bound", 64, 0, 0, NULL);
	struct kmem_cache *next = kmem_cache_create("next", 96, 0, 0, NULL);
	size_t most = kmem_cache_set_max(s, 64), n = 0;
	void *all = NULL, *p;

	(void)state;
	assert_in_range(most, 64, 64 + PAGE / 64);
	while ((p = kmem_cache_alloc(s, GFP_KERNEL | __GFP_NOWARN))) {
		*(void **)p = all;
		all = p;
		n++;
	}
	assert_int_equal(n, most);
	assert_null(kmem_cache_alloc(s, GFP_ATOMIC | __GFP_NOWARN));
	for (; all; all = p) {
		p = *(void **)all;
		kmem_cache_free(s, all);
	}
	assert_int_equal(kmem_cache_prealloc(s, 32, GFP_KERNEL),
			 KMEM_MAGAZINE_ROUNDS ? KMEM_OK : KMEM_EINVAL);
	kmem_cache_destroy(s);
	/* the one whose descriptor lies behind is as it was */
	for (n = 0; n < 3; n++) {
		p = kmem_cache_alloc(next, GFP_KERNEL);
		*(void **)p = all;
		all = p;
	}
	for (; all; all = p) {
		p = *(void **)all;
		kmem_cache_free(next, all);
	}
	kmem_cache_destroy(next);
}

/* Each wrong free is found, once, and changes nothing. */
static void test_wrong_frees(void **state)
{
	struct page *page = alloc_pages(GFP_KERNEL, 1);
	char *p = kmalloc(40, GFP_KERNEL), *large, here = 0;

	(void)state;
	large = kmalloc(KMALLOC_MAX_CACHE_SIZE + 1, GFP_KERNEL);
	kfree(p + 1);
	kfree(&here);
	kfree(large + 1);
	__free_pages(page, 0);
	assert_int_equal(test_panics(), 4);
	__free_pages(page, 1);
	__free_pages(page, 1);
	kfree(p);
	kfree(p);
	kfree(large);
	kfree(large);
	assert_int_equal(test_panics(), 7);
	test_panics_clear();
}

/* What is no block of pages' caller's: of kmalloc(), inside one, waiting for a
 * grace period, free. Where there is text, it has words for each. */
static void test_pages_of_others(void **state)
{
	static const struct kmem_hooks hooks = { .call_rcu = test_call_rcu };
	const struct test_range map[] = {
		{ MIB, 9 * MIB, KMEM_REGION_USABLE, KMEM_NO_NODE },
	};
	const struct kmem_params params = { .nr_cpus = 1, .hooks = &hooks };
	struct page *page;
	unsigned order, n = 0;
	void *p;

	(void)state;
	assert_int_equal(test_machine(map, 1, &params), KMEM_OK);
	p = kmalloc(KMALLOC_MAX_CACHE_SIZE + 1, GFP_KERNEL);
	page = virt_to_page(p);
	order = page->order;
	assert_true(order > 0);
	__free_pages(page, order);
	assert_int_equal(test_panics(), ++n);
	__free_pages(page + 1, 0);
	assert_int_equal(test_panics(), ++n);
	assert_int_equal(strlen(page_describe(page + 1)) > 0, KMEM_REPORT_TEXT);
	if (KMEM_DEFERRED) {
		kfree_rcu_mightsleep(p);
		assert_int_equal(test_panics(), n);
		__free_pages(page, order);
		assert_int_equal(test_panics(), ++n);
		test_grace_period();
		kmem_trim(KMEM_DRAIN);
	} else {
		kfree(p);
	}
	assert_int_equal(test_panics(), n);
	__free_pages(page, order);
	assert_int_equal(test_panics(), ++n);
	test_panics_clear();
}

static void *waited_for;

static void give_up_one(void *ctx, const struct kmem_pressure *p)
{
	void *next = waited_for ? *(void **)waited_for : NULL;

	(void)ctx;
	(void)p;
	REQUIRE(waited_for);
	free_pages((uintptr_t)waited_for, 0);
	waited_for = next;
}

/* Who must have memory waits until another gives some. */
static void test_waits(void **state)
{
	static const struct kmem_hooks hooks = { .wait = give_up_one };
	const struct test_range map[] = {
		{ MIB, 9 * MIB, KMEM_REGION_USABLE, KMEM_NO_NODE },
	};
	const struct kmem_params params = { .nr_cpus = 1, .hooks = &hooks };
	void *p;

	(void)state;
	assert_int_equal(test_machine(map, 1, &params), KMEM_OK);
	waited_for = NULL;
	while ((p = (void *)__get_free_pages(GFP_KERNEL | __GFP_NOWARN, 0))) {
		*(void **)p = waited_for;
		waited_for = p;
	}
	p = waited_for;
	assert_int_equal(__get_free_pages(GFP_KERNEL | __GFP_NOFAIL, 0),
			 (uintptr_t)p);
	assert_ptr_not_equal(waited_for, p);
	free_pages((uintptr_t)p, 0);
	while (waited_for)
		give_up_one(NULL, NULL);
	assert_no_panic();
}

/* All that there is, by calls that would wait, and back. */
static void test_all_of_memory(void **state)
{
	struct page *all = NULL, *page;
	size_t before;

	(void)state;
	kmem_trim(KMEM_DRAIN);
	before = test_pages();
	while ((page = alloc_page(GFP_KERNEL | __GFP_NOWARN))) {
		*(struct page **)page_to_virt(page) = all;
		all = page;
	}
	assert_null(kmalloc(KMALLOC_MAX_SIZE, GFP_KERNEL | __GFP_NOWARN));
	while ((page = all)) {
		all = *(struct page **)page_to_virt(page);
		__free_page(page);
	}
	kmem_trim(KMEM_DRAIN);
	assert_int_equal(test_pages(), before);
}

/* n times size, on machines that multiply to one word as well. */
static void test_products(void **state)
{
	const size_t half = (size_t)1 << sizeof(size_t) * 4;
	size_t product;

	(void)state;
	assert_true(kmem_mul_overflow(half, half, &product));
	assert_true(kmem_mul_overflow(half << 1, half - 1, &product));
	assert_true(kmem_mul_overflow(half + 1, half - 1 + 2, &product));
	assert_true(kmem_mul_overflow(SIZE_MAX, 2, &product));
	assert_true(kmem_mul_overflow(2, SIZE_MAX, &product));
	assert_true(kmem_mul_overflow(SIZE_MAX / 3 + 1, 3, &product));
	assert_false(kmem_mul_overflow(SIZE_MAX, 1, &product));
	assert_true(product == SIZE_MAX);
	assert_false(kmem_mul_overflow(half - 1, half + 1, &product));
	assert_true(product == SIZE_MAX);
	assert_false(kmem_mul_overflow(SIZE_MAX / 3, 3, &product));
	assert_true(product == SIZE_MAX);
	assert_false(kmem_mul_overflow(0, SIZE_MAX, &product));
	assert_true(product == 0);
	assert_null(kmalloc_array(half, half, GFP_KERNEL));
	assert_null(kvmalloc_array(half, half, GFP_KERNEL));
	assert_null(kcalloc(half, half, GFP_KERNEL));
	assert_null(krealloc_array(NULL, half, half, GFP_KERNEL));
}

/* What an NMI and RCU free is free at last. */
static void test_frees_that_come_later(void **state)
{
	(void)state;
	if (!KMEM_DEFERRED)
		skip();
	kfree_nolock(kmalloc(40, GFP_KERNEL));
	kfree_nolock(kmalloc(KMALLOC_MAX_CACHE_SIZE + 1, GFP_KERNEL));
	kmem_trim(KMEM_DRAIN);
	assert_int_equal(test_live_objects(), 0);
}

/* What RCU frees is live until the grace period is over, and then freed once. */
static void test_frees_after_a_grace_period(void **state)
{
	static const struct kmem_hooks hooks = { .call_rcu = test_call_rcu };
	const struct test_range map[] = {
		{ MIB, 9 * MIB, KMEM_REGION_USABLE, KMEM_NO_NODE },
	};
	const struct kmem_params params = { .nr_cpus = 1, .hooks = &hooks };
	void *p;

	(void)state;
	if (!KMEM_DEFERRED)
		skip();
	assert_int_equal(test_machine(map, 1, &params), KMEM_OK);
	p = kmalloc(40, GFP_KERNEL);
	kfree_rcu_mightsleep(p);
	kfree(p);
	assert_int_equal(test_panics(), 1);
	test_panics_clear();
	test_grace_period();
	kmem_trim(KMEM_DRAIN);
	assert_int_equal(test_live_objects(), 0);
	kfree(p);
	assert_int_equal(test_panics(), 1);
	test_panics_clear();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_reports),
		CASE(test_bound),
		CASE(test_wrong_frees),
		CASE(test_pages_of_others),
		CASE(test_waits),
		CASE(test_all_of_memory),
		CASE(test_products),
		CASE(test_frees_that_come_later),
		CASE(test_frees_after_a_grace_period),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
