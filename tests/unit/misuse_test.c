// SPDX-License-Identifier: MIT
/*
 * tests/unit/misuse_test.c - double frees that race, played step by step.
 *
 * Two CPUs free the same object at the same time: both read LIVE before either
 * has written CACHED, both checks pass, and the object is in two magazines.
 * Here the second CPU's view is restored by hand between the two calls, so
 * that each way in which the second copy can be met is tried for certain:
 * flushed to the slab, flushed when the slab has gone, allocated. It must be
 * reported once, and the state must be sound afterwards.
 *
 * Misuse that does not race is in the test of each module.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "cache.h"
#include "testlib.h"

static struct kmem_cache *s;

static int setup(void **state)
{
	(void)state;
	host_machine(256 * MIB, 2);
	test_panics_record();
	s = kmem_cache_create("raced", 256, 0, 0, NULL);
	return 0;
}

static int teardown(void **state)
{
	struct kmem_cache_stats st;

	(void)state;
	test_drain(2);
	assert_no_panic();
	assert_sound();
	kmem_cache_stats(s, &st);
	assert_int_equal(st.live, 0);
	kmem_cache_destroy(s);
	assert_no_panic();
	assert_sound();
	kmem_reset();
	host_memory_release();
	return 0;
}

static kmem_slot_t *slot_of(void *obj)
{
	struct page *page = virt_to_page(obj);

	return &page->slot[slab_index(page, page->slabs, obj).index];
}

/* CPU 0 and CPU 1 free it at once: it is in a magazine of each. */
static void free_on_both(void *obj)
{
	host_cpu_set(0);
	kmem_cache_free(s, obj);
	assert_int_equal(*slot_of(obj), SLOT_CACHED);
	*slot_of(obj) = SLOT_LIVE;
	host_cpu_set(1);
	kmem_cache_free(s, obj);
	host_cpu_set(0);
	assert_no_panic();
}

static void drain_cpu(unsigned cpu)
{
	host_cpu_set(cpu);
	kmem_cache_shrink(s);
	host_cpu_set(0);
}

/* Both copies reach the slab, which stays because of another object. */
static void test_second_copy_at_the_slab(void **state)
{
	void *other = kmem_cache_alloc(s, GFP_KERNEL);
	void *obj = kmem_cache_alloc(s, GFP_KERNEL);

	(void)state;
	free_on_both(obj);
	drain_cpu(0);
	drain_cpu(1);
	assert_panicked(obj, "raced", "freed twice");
	assert_sound();
	kmem_cache_free(s, other);
}

/* The first copy was the slab's last object: its pages have gone back when the
 * second copy arrives. */
static void test_second_copy_without_slab(void **state)
{
	void *obj = kmem_cache_alloc(s, GFP_KERNEL);

	(void)state;
	free_on_both(obj);
	drain_cpu(0);
	drain_pages();
	assert_int_not_equal(virt_to_page(obj)->type, PAGE_SLAB);
	drain_cpu(1);
	assert_panicked(obj, "raced", NULL);
	assert_sound();
}

/* The same, but the second copy is met by an allocation. */
static void test_allocation_without_slab(void **state)
{
	void *obj = kmem_cache_alloc(s, GFP_KERNEL), *fresh;

	(void)state;
	free_on_both(obj);
	drain_cpu(0);
	drain_pages();
	assert_int_not_equal(virt_to_page(obj)->type, PAGE_SLAB);
	host_cpu_set(1);
	/* that shrinking asked CPU 1 to drain is seen on slow paths only */
	fresh = kmem_cache_alloc(s, GFP_KERNEL);
	assert_panicked(obj, "raced", "freed twice");
	assert_non_null(fresh);
	assert_sound();
	kmem_cache_free(s, fresh);
}

/* The pages have even become a slab of another cache. */
static void test_second_copy_in_a_foreign_slab(void **state)
{
	void *obj = kmem_cache_alloc(s, GFP_KERNEL);
	struct kmem_cache *other = kmem_cache_create("other", 128, 0, 0, NULL);
	static void *taken[100000];
	size_t n = 0;

	(void)state;
	free_on_both(obj);
	drain_cpu(0);
	drain_pages();
	while (n < 100000 && virt_to_page(obj)->type != PAGE_SLAB)
		assert_non_null(taken[n++] = kmem_cache_alloc(other,
							      GFP_NOWAIT));
	if (virt_to_page(obj)->slabs != &s->slabs) {
		drain_cpu(1);
		assert_panicked(obj, "raced", NULL);
	}
	assert_sound();
	kmem_cache_free_bulk(other, n, taken);
	kmem_cache_destroy(other);
}

/* Both copies are allocated: the second is dropped, and the caller gets
 * another object. */
static void test_second_copy_is_allocated(void **state)
{
	void *obj = kmem_cache_alloc(s, GFP_KERNEL), *a, *b;

	(void)state;
	free_on_both(obj);
	host_cpu_set(0);
	a = kmem_cache_alloc(s, GFP_KERNEL);
	assert_ptr_equal(a, obj);
	assert_no_panic();
	host_cpu_set(1);
	b = kmem_cache_alloc(s, GFP_KERNEL);
	assert_panicked(obj, "raced", "freed twice");
	assert_non_null(b);
	assert_ptr_not_equal(a, b);
	test_fill(a, 256, 1);
	test_fill(b, 256, 2);
	assert_null(test_changed(a, 256, 1));
	assert_sound();
	kmem_cache_free(s, a);
	kmem_cache_free(s, b);
}

/* The second copy is met by a bulk allocation. */
static void test_second_copy_in_bulk(void **state)
{
	void *obj[40], *more[40];

	(void)state;
	assert_int_equal(kmem_cache_alloc_bulk(s, GFP_KERNEL, 10, obj), 10);
	free_on_both(obj[4]);
	host_cpu_set(0);
	assert_int_equal(kmem_cache_alloc_bulk(s, GFP_KERNEL, 1, &obj[4]), 1);
	host_cpu_set(1);
	assert_int_equal(kmem_cache_alloc_bulk(s, GFP_KERNEL, 40, more), 40);
	assert_panicked(NULL, "raced", "freed twice");
	assert_sound();
	for (unsigned i = 0; i < 40; i++)
		for (unsigned k = 0; k < i; k++)
			assert_ptr_not_equal(more[i], more[k]);
	for (unsigned i = 0; i < 40; i++)
		assert_ptr_not_equal(more[i], obj[4]);
	kmem_cache_free_bulk(s, 40, more);
	kmem_cache_free_bulk(s, 10, obj);
}

/* The first copy is allocated and in use while the second reaches the slab:
 * whoever uses it must not lose it. */
static void test_second_copy_of_a_live_object(void **state)
{
	void *obj = kmem_cache_alloc(s, GFP_KERNEL), *a;

	(void)state;
	free_on_both(obj);
	host_cpu_set(0);
	a = kmem_cache_alloc(s, GFP_KERNEL);
	assert_ptr_equal(a, obj);
	test_fill(a, 256, 9);
	drain_cpu(1);
	assert_panicked(obj, "raced", "freed twice");
	assert_sound();
	assert_null(test_changed(a, 256, 9));
	kmem_cache_free(s, a);
}

/* --------------------------------------------------------- blocks of pages */

static void free_pages_on_both(struct page *page, unsigned order)
{
	host_cpu_set(0);
	__free_pages(page, order);
	assert_int_equal(page->type, PAGE_CACHED);
	page->type = PAGE_ALLOCATED;
	host_cpu_set(1);
	__free_pages(page, order);
	host_cpu_set(0);
	assert_no_panic();
}

static void drain_pages_of(unsigned cpu)
{
	host_cpu_set(cpu);
	drain_pages();
	host_cpu_set(0);
}

/* A block freed on two CPUs at once: both copies go back to the zone. */
static void test_block_on_both(void **state)
{
	(void)state;
	for (unsigned order = 0; order <= KMEM_SLAB_MAX_ORDER; order++) {
		struct page *page = alloc_pages(GFP_KERNEL, order);

		free_pages_on_both(page, order);
		drain_pages_of(0);
		assert_no_panic();
		drain_pages_of(1);
		assert_panicked(page_to_virt(page), "freed twice", NULL);
		assert_sound();
	}
}

/* The first copy is allocated and in use while the second goes back to the
 * zone: whoever uses it must not lose it. */
static void test_block_in_use(void **state)
{
	(void)state;
	for (unsigned order = 0; order <= KMEM_SLAB_MAX_ORDER; order++) {
		struct page *page = alloc_pages(GFP_KERNEL, order);

		free_pages_on_both(page, order);
		host_cpu_set(0);
		assert_ptr_equal(alloc_pages(GFP_KERNEL, order), page);
		drain_pages_of(1);
		assert_panicked(page_to_virt(page), "freed twice", NULL);
		assert_sound();
		__free_pages(page, order);
	}
}

int main(void)
{
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(test_second_copy_at_the_slab),
		CASE(test_second_copy_without_slab),
		CASE(test_allocation_without_slab),
		CASE(test_second_copy_in_a_foreign_slab),
		CASE(test_second_copy_is_allocated),
		CASE(test_second_copy_in_bulk),
		CASE(test_second_copy_of_a_live_object),
		CASE(test_block_on_both),
		CASE(test_block_in_use),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
