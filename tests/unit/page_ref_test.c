// SPDX-License-Identifier: MIT
/*
 * tests/unit/page_ref_test.c - blocks with several holders.
 */
#include "unit.h"
#include "page_alloc.h"

static int setup(void **state)
{
	(void)state;
	host_machine(64 * MIB, 4);
	test_panics_record();
	return 0;
}

/* Each order and kind: the block lives as long as anybody holds it, whichever
 * of its pages they name, and then is free at once. */
static void test_last_put_frees(void **state)
{
	static const gfp_t kind[] = { GFP_KERNEL, GFP_HIGHUSER_MOVABLE,
				      GFP_KERNEL | __GFP_RECLAIMABLE };

	(void)state;
	test_drain(4);
	for (unsigned o = 0; o <= KMEM_MAX_ORDER; o++)
		for (unsigned k = 0; k < KMEM_ARRAY_SIZE(kind); k++) {
			size_t before = test_pages();
			struct page *page = alloc_pages(kind[k], o);
			struct page *last = page + ((1u << o) - 1);

			assert_int_equal(page_count(page), 1);
			for (unsigned i = 0; i < 5; i++) {
				get_page(i % 2 ? page : last);
				assert_int_equal(page_count(last), i + 2);
			}
			assert_sound();
			for (unsigned i = 0; i < 5; i++)
				put_page(i % 2 ? last : page);
			assert_int_equal(page_count(page), 1);
			assert_int_equal(before - test_pages(), 1u << o);
			put_page(last);
			assert_int_equal(page_count(last), 0);
			assert_int_equal(test_pages(), before);
			assert_sound();
		}
	assert_no_panic();
}

/* __free_pages() and free_pages() drop one reference, as Linux's do. */
static void test_free_pages_drops_one(void **state)
{
	struct page *page = alloc_pages(GFP_KERNEL, 2);

	(void)state;
	get_page(page);
	get_page(page);
	__free_pages(page, 2);
	assert_int_equal(page_count(page), 2);
	free_pages((uintptr_t)page_to_virt(page), 2);
	assert_int_equal(page_count(page), 1);
	memset(page_to_virt(page), 1, 4 * PAGE);
	__free_pages(page, 2);
	assert_int_equal(page_count(page), 0);
	/* a stale count would keep the next holder's block alive */
	page = alloc_pages(GFP_KERNEL, 2);
	assert_int_equal(page_count(page), 1);
	__free_pages(page, 2);
	assert_int_equal(page_count(page), 0);
}

/* References to what nobody holds, or what isn't counted, are reported. */
static void test_bad_references(void **state)
{
	struct page *page = alloc_pages(GFP_KERNEL, 1);
	void *object = kmalloc(64, GFP_KERNEL);
	void *large = kmalloc(100000, GFP_KERNEL);

	(void)state;
	__free_pages(page, 1);
	get_page(page);
	assert_panicked(page_to_virt(page), "get_page", "free");
	put_page(page);
	assert_panicked(page_to_virt(page), "put_page", "free");
	get_page(page + 1);
	assert_panicked(page_to_virt(page + 1), "get_page", "free");
	assert_false(get_page_unless_zero(page));
	get_page(virt_to_page(object));
	assert_panicked(NULL, "get_page", "part of a slab of cache");
	get_page(virt_to_page(large));
	assert_panicked(NULL, "nobody holds it", "kmalloc");
	put_page(virt_to_page(large));
	assert_panicked(NULL, "put_page", "kmalloc");
	put_page(NULL);
	assert_no_panic();
	kfree(object);
	kfree(large);
}

/* A put too many is a double free, of a block that was shared as well. */
static void test_one_put_too_many(void **state)
{
	struct page *page = alloc_page(GFP_KERNEL);

	(void)state;
	get_page(page);
	put_page(page);
	put_page(page);
	assert_no_panic();
	put_page(page);
	assert_panicked(page_to_virt(page), "put_page", "free");
	__free_page(page);
	assert_panicked(page_to_virt(page), "freed twice", NULL);
	assert_sound();
}

/* A shared block isn't split: its other holders would be of no block. And a
 * wrong order is refused, whoever else holds it. */
static void test_shared_block_stays_whole(void **state)
{
	struct page *page = alloc_pages(GFP_HIGHUSER_MOVABLE, 3);

	(void)state;
	get_page(page);
	split_page(page, 3);
	assert_int_equal(test_panics(), 1);
	test_panics_clear();
	__free_pages(page, 2);
	assert_panicked(page_to_virt(page), "order 2", "order 3");
	assert_int_equal(page_count(page), 2);
	put_page(page);
	split_page(page, 3);
	assert_no_panic();
	for (unsigned i = 0; i < 8; i++)
		put_page(page + i);
}

static void test_compound_queries(void **state)
{
	struct page *page = alloc_pages(GFP_KERNEL | __GFP_COMP, 3);
	struct page *one = alloc_page(GFP_KERNEL);

	(void)state;
	assert_true(PageHead(page) && PageCompound(page) && !PageTail(page));
	assert_int_equal(compound_order(page), 3);
	assert_int_equal(compound_nr(page), 8);
	assert_int_equal(page_size(page), 8 * PAGE);
	for (unsigned i = 1; i < 8; i++) {
		assert_ptr_equal(compound_head(page + i), page);
		assert_true(PageTail(page + i) && PageCompound(page + i));
		assert_false(PageHead(page + i));
		assert_int_equal(compound_order(page + i), 0);
	}
	assert_false(PageCompound(one) || PageHead(one) || PageTail(one));
	assert_ptr_equal(compound_head(one), one);
	__free_pages(page, 3);
	__free_page(one);
	assert_false(PageCompound(page + 1));
}

static void test_release_pages(void **state)
{
	struct page *page[10] = { NULL };
	size_t before;

	(void)state;
	test_drain(4);
	before = test_pages();
	assert_int_equal(alloc_pages_bulk(GFP_KERNEL, 10, page), 10);
	get_page(page[3]);
	__free_page(page[7]);
	page[7] = NULL;
	release_pages(page, 10);
	assert_int_equal(before - test_pages(), 1);
	put_page(page[3]);
	assert_int_equal(test_pages(), before);
}

/* Four CPUs hold and let go of the same blocks, and all let go at last at the
 * same time: exactly one of them frees each. */
#define SHARED	64

static struct page *shared[SHARED];

static void hold_and_let_go(unsigned cpu, void *arg)
{
	uint64_t seed = cpu + 1;

	(void)arg;
	for (unsigned i = 0; i < test_scaled(20000); i++) {
		struct page *page = shared[test_below(&seed, SHARED)];

		get_page(page + test_below(&seed, 4));
		put_page(page + test_below(&seed, 4));
	}
	for (unsigned i = 0; i < SHARED; i++)
		put_page(shared[i]);
}

static void test_racing_holders(void **state)
{
	size_t before;

	(void)state;
	for (unsigned round = 0; round < 5; round++) {
		test_drain(4);
		before = test_pages();
		for (unsigned i = 0; i < SHARED; i++) {
			shared[i] = alloc_pages(i % 2 ? GFP_KERNEL :
						GFP_HIGHUSER_MOVABLE, 2);
			for (unsigned k = 1; k < 4; k++)
				get_page(shared[i]);
		}
		host_run_cpus(4, hold_and_let_go, NULL);
		assert_no_panic();
		assert_int_equal(test_pages(), before);
		assert_sound();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_last_put_frees),
		CASE(test_free_pages_drops_one),
		CASE(test_bad_references),
		CASE(test_one_put_too_many),
		CASE(test_shared_block_stays_whole),
		CASE(test_compound_queries),
		CASE(test_release_pages),
		CASE(test_racing_holders),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
