// SPDX-License-Identifier: MIT
/*
 * tests/unit/semantics_test.c - what a port from Linux relies on, clause by
 * clause: each case is named after one promise and would fail if it were not
 * kept. How it is kept under stress, in corners and against misuse is in the
 * modules' own tests.
 */
#include "unit.h"

#define QUIET	__GFP_NOWARN

static struct {
	unsigned reclaims, ooms, waits;
	unsigned reclaims_before; /* when out_of_memory was called last */
	unsigned ooms_before;	/* when wait was */
	void *give;		/* freed by the wait hook */
} hook;

static size_t reclaim(void *ctx, const struct kmem_pressure *p)
{
	(void)ctx;
	(void)p;
	hook.reclaims++;
	return 0;
}

static bool out_of_memory(void *ctx, const struct kmem_pressure *p)
{
	(void)ctx;
	(void)p;
	hook.reclaims_before = hook.reclaims;
	hook.ooms++;
	return false;
}

static void wait_for_memory(void *ctx, const struct kmem_pressure *p)
{
	(void)ctx;
	(void)p;
	hook.ooms_before = hook.ooms;
	hook.waits++;
	kfree(hook.give);
	hook.give = NULL;
}

static const struct kmem_hooks hooks = {
	.log = test_log, .reclaim = reclaim,
	.out_of_memory = out_of_memory, .wait = wait_for_memory,
};

static const struct test_range map[] = {
	{ 8 * MIB, 24 * MIB, KMEM_REGION_USABLE, KMEM_NO_NODE },
};

static int setup(void **state)
{
	struct kmem_params p = { .nr_cpus = 1, .hooks = &hooks };

	(void)state;
	memset(&hook, 0, sizeof(hook));
	test_log_clear();
	test_panics_record();
	return test_machine(map, 1, &p);
}

/* All that `gfp` can get, as a list through the pages; then give it back. */
static void *take_all(gfp_t gfp)
{
	void *all = NULL, **p;

	while ((p = kmalloc(KMALLOC_MAX_CACHE_SIZE + 1, gfp | QUIET)) ||
	       (p = (void **)get_zeroed_page(gfp | QUIET))) {
		*p = all;
		all = p;
	}
	return all;
}

static void give_all(void *all)
{
	while (all) {
		void *next = *(void **)all;
		struct page *page = virt_to_page(all);

		if (page->type == PAGE_KMALLOC)
			kfree(all);
		else
			free_page((uintptr_t)all);
		all = next;
	}
}

/* ------------------------------------------------------------------- pages */

static void test_orders_from_0_to_the_largest(void **state)
{
	(void)state;
	for (unsigned o = 0; o <= KMEM_MAX_ORDER; o++) {
		struct page *p = alloc_pages(GFP_KERNEL, o);

		assert_non_null(p);
		assert_int_equal(page_to_phys(p) % (PAGE << o), 0);
		__free_pages(p, o);
	}
	assert_null(alloc_pages(GFP_KERNEL | QUIET, KMEM_MAX_ORDER + 1));
}

static void test_requests_fall_back_downwards(void **state)
{
	struct kmem_zone_stats dma;
	void *all = take_all(GFP_ATOMIC);

	(void)state;
	assert_true(test_zone("DMA", 0, &dma));
	assert_true(dma.free_pages < dma.managed / 4);
	give_all(all);
}

static void test_dma_never_goes_up(void **state)
{
	struct kmem_zone_stats dma, dma32;
	void *all = take_all(GFP_DMA);

	(void)state;
	assert_true(test_zone("DMA", 0, &dma));
	assert_true(test_zone("DMA32", 0, &dma32));
	assert_int_equal(dma.free_pages, dma.min);
	assert_true(dma32.free_pages > dma32.managed / 2);
	for (void *p = all; p; p = *(void **)p)
		assert_true(virt_to_phys(p) < 16 * MIB);
	give_all(all);
}

static void test_atomic_digs_below_the_minimum(void **state)
{
	void *all = take_all(GFP_NOWAIT), *more;

	(void)state;
	assert_null(alloc_page(GFP_NOWAIT | QUIET));
	more = take_all(GFP_ATOMIC);
	assert_non_null(more);
	give_all(more);
	give_all(all);
}

static void test_kernel_reclaims_then_kills_then_waits(void **state)
{
	void *all, *p;

	(void)state;
	hook.give = kmalloc(256 * KIB, GFP_KERNEL);
	all = take_all(GFP_NOWAIT);
	assert_null(alloc_pages(GFP_KERNEL | QUIET, 4));
	assert_true(hook.reclaims >= 1);
	assert_true(hook.ooms >= 1);
	assert_int_equal(hook.reclaims_before, hook.reclaims);
	assert_int_equal(hook.waits, 0);
	p = kmalloc(64 * KIB, GFP_KERNEL | __GFP_NOFAIL);
	assert_non_null(p);
	assert_true(hook.waits >= 1);
	assert_true(hook.ooms_before >= 2);
	kfree(p);
	give_all(all);
}

static void test_atomic_and_nowait_call_no_hook(void **state)
{
	void *all = take_all(GFP_ATOMIC);

	(void)state;
	assert_null(alloc_pages(GFP_ATOMIC | QUIET, 4));
	assert_null(kmalloc(64 * KIB, GFP_NOWAIT | QUIET));
	assert_int_equal(hook.reclaims + hook.ooms + hook.waits, 0);
	give_all(all);
}

static void test_nowarn_is_silent_others_are_not(void **state)
{
	void *all = take_all(GFP_ATOMIC);

	(void)state;
	test_log_clear();
	assert_null(alloc_pages(GFP_NOWAIT | __GFP_NOWARN, 5));
	assert_int_equal(test_log_lines(), 0);
	assert_null(alloc_pages(GFP_NOWAIT & ~__GFP_NOWARN, 5));
	assert_true(test_logged("order 5"));
	give_all(all);
}

static void test_the_four_names_of_a_page(void **state)
{
	struct page *p = alloc_page(GFP_KERNEL);
	char *addr = page_to_virt(p);

	(void)state;
	assert_ptr_equal(virt_to_page(addr + PAGE - 1), p);
	assert_ptr_equal(phys_to_virt(page_to_phys(p)), addr);
	assert_int_equal(virt_to_phys(addr + 5), page_to_phys(p) + 5);
	assert_ptr_equal(pfn_to_page(page_to_pfn(p)), p);
	assert_ptr_equal(page_address(p), addr);
	__free_page(p);
}

/* ----------------------------------------------------------------- kmalloc */

static void test_kmalloc_from_caches_then_from_pages(void **state)
{
	void *small = kmalloc(KMALLOC_MAX_CACHE_SIZE, GFP_KERNEL);
	void *large = kmalloc(KMALLOC_MAX_CACHE_SIZE + 1, GFP_KERNEL);

	(void)state;
	assert_int_equal(KMALLOC_MAX_CACHE_SIZE, 8192);
	assert_int_equal(virt_to_page(small)->type, PAGE_SLAB);
	assert_int_equal(virt_to_page(large)->type, PAGE_KMALLOC);
	kfree(small);
	kfree(large);
}

static void test_kmalloc_up_to_the_largest_block(void **state)
{
	const size_t max = PAGE << KMEM_MAX_ORDER;
	void *p = kmalloc(max, GFP_KERNEL);
	volatile size_t most = SIZE_MAX;

	(void)state;
	assert_int_equal(KMALLOC_MAX_SIZE, max);
	assert_non_null(p);
	kfree(p);
	assert_null(__kmalloc(max + 1, GFP_KERNEL | QUIET));
	assert_null(__kmalloc(most, GFP_KERNEL | QUIET));
}

static void test_kmalloc_of_nothing(void **state)
{
	(void)state;
	assert_ptr_equal(kmalloc(0, GFP_KERNEL), ZERO_SIZE_PTR);
	assert_ptr_equal(ZERO_SIZE_PTR, (void *)16);
	kfree(ZERO_SIZE_PTR);
	kfree(NULL);
	assert_int_equal(ksize(ZERO_SIZE_PTR), 0);
}

static void test_kfree_takes_objects_of_caches(void **state)
{
	struct kmem_cache *s = kmem_cache_create("any", 40, 0, 0, NULL);
	struct kmem_cache_stats st;

	(void)state;
	kfree(kmem_cache_alloc(s, GFP_KERNEL));
	kmem_cache_stats(s, &st);
	assert_int_equal(st.live, 0);
	kmem_cache_destroy(s);
}

/* Two at a time: the first of a slab is aligned whatever is promised. */
static void test_alignment_of_kmalloc(void **state)
{
	(void)state;
	for (size_t size = 1; size <= 2 * KMALLOC_MAX_CACHE_SIZE; size++) {
		size_t class = kmalloc_size_roundup(size);
		size_t align = size & (size - 1) ? class & -class : size;
		void *a = __kmalloc(size, GFP_KERNEL);
		void *b = __kmalloc(size, GFP_KERNEL);

		assert_int_equal((uintptr_t)a % align, 0);
		assert_int_equal((uintptr_t)b % align, 0);
		assert_true(align >= 2 * sizeof(void *) || align == size);
		kfree(a);
		kfree(b);
	}
}

/* Four classes a doubling: at most a fifth of a block is lost. */
static void test_classes_of_kmalloc(void **state)
{
	(void)state;
	for (size_t size = KMALLOC_LINEAR; size <= KMALLOC_MAX_CACHE_SIZE;
	     size++)
		assert_true(kmalloc_size_roundup(size) * 4 <= size * 5);
	assert_int_equal(kmalloc_size_roundup(KMALLOC_MAX_CACHE_SIZE), 8192);
}

static void test_class_of_a_constant_at_compile_time(void **state)
{
	enum { CONSTANT = __builtin_choose_expr(
		__builtin_constant_p(kmalloc_index(100)), 1, 1) };
	void *a = kmalloc(100, GFP_KERNEL), *b;
	volatile size_t size = 100;

	(void)state;
	b = kmalloc(size, GFP_KERNEL);
	assert_int_equal(CONSTANT, 1);
	assert_ptr_equal(virt_to_page(a)->slabs, virt_to_page(b)->slabs);
	kfree(a);
	kfree(b);
}

static void test_overflow_of_arrays_is_null(void **state)
{
	volatile size_t n = SIZE_MAX / 8 + 1;
	void *p = kmalloc(8, GFP_KERNEL);

	(void)state;
	assert_null(kmalloc_array(n, 8, GFP_KERNEL | QUIET));
	assert_null(kcalloc(n, 8, GFP_KERNEL | QUIET));
	assert_null(krealloc_array(p, n, 8, GFP_KERNEL | QUIET));
	kfree(p);
}

static void test_krealloc(void **state)
{
	char *p = krealloc(NULL, 100, GFP_KERNEL), *q;

	(void)state;
	strcpy(p, "kept");
	assert_ptr_equal(krealloc(p, ksize(p), GFP_KERNEL), p);
	q = krealloc(p, 1000, GFP_KERNEL);
	assert_string_equal(q, "kept");
	assert_null(krealloc(q, KMALLOC_MAX_SIZE + 1, GFP_KERNEL | QUIET));
	assert_string_equal(q, "kept");
	assert_ptr_equal(krealloc(q, 0, GFP_KERNEL), ZERO_SIZE_PTR);
}

static void test_the_smaller_ones_of_kmalloc(void **state)
{
	static const char text[] = "text";
	char *p = kzalloc(77, GFP_KERNEL);

	(void)state;
	for (unsigned i = 0; i < 77; i++)
		assert_int_equal(p[i], 0);
	assert_int_equal(ksize(p), test_ksize(77));
	kfree_sensitive(p);
	p = kmemdup(text, 2, GFP_KERNEL);
	assert_memory_equal(p, text, 2);
	kfree(p);
	p = kstrdup(text, GFP_KERNEL);
	assert_string_equal(p, text);
	kfree(p);
	p = kstrndup(text, 2, GFP_KERNEL);
	assert_string_equal(p, "te");
	kfree(p);
}

/* ------------------------------------------------------------------ caches */

static unsigned constructed;

static void construct(void *obj)
{
	*(int *)obj = 42;
	constructed++;
}

static void test_ctor_when_a_slab_is_made(void **state)
{
	struct kmem_cache *s = kmem_cache_create("made", 64, 0, 0, construct);
	struct kmem_cache_stats st;
	int *p;

	(void)state;
	constructed = 0;
	for (unsigned i = 0; i < 100; i++) {
		p = kmem_cache_alloc(s, GFP_KERNEL);
		assert_int_equal(*p, 42);
		kmem_cache_free(s, p);
	}
	kmem_cache_stats(s, &st);
	assert_int_equal(constructed, st.slabs_made * st.objects_per_slab);
	kmem_cache_destroy(s);
}

static void test_hwcache_align(void **state)
{
	struct kmem_cache *s = kmem_cache_create("lines", 40, 0,
						 SLAB_HWCACHE_ALIGN, NULL);
	void *a = kmem_cache_alloc(s, GFP_KERNEL);
	void *b = kmem_cache_alloc(s, GFP_KERNEL);

	(void)state;
	assert_int_equal((uintptr_t)a % KMEM_CACHE_LINE, 0);
	assert_int_equal((uintptr_t)b % KMEM_CACHE_LINE, 0);
	kmem_cache_free(s, a);
	kmem_cache_free(s, b);
	kmem_cache_destroy(s);
}

static void test_panic_where_create_fails(void **state)
{
	(void)state;
	assert_null(kmem_cache_create("", 8, 0, SLAB_PANIC, NULL));
	assert_panicked(NULL, "kmem_cache_create", NULL);
}

static void test_bulk_is_all_or_nothing(void **state)
{
	struct kmem_cache *s = kmem_cache_create("bulk", 4096, 0, 0, NULL);
	static void *objs[100000];
	struct kmem_cache_stats st;

	(void)state;
	assert_int_equal(kmem_cache_alloc_bulk(s, GFP_KERNEL, 50, objs), 50);
	kmem_cache_free_bulk(s, 50, objs);
	assert_int_equal(kmem_cache_alloc_bulk(s, GFP_NOWAIT | QUIET, 100000,
					       objs), 0);
	kmem_cache_stats(s, &st);
	assert_int_equal(st.live, 0);
	kmem_cache_destroy(s);
}

static void test_destroy_with_live_objects_keeps_them(void **state)
{
	struct kmem_cache *s = kmem_cache_create("kept", 40, 0, 0, NULL);
	char *a = kmem_cache_alloc(s, GFP_KERNEL);
	char *b = kmem_cache_alloc(s, GFP_KERNEL);

	(void)state;
	strcpy(a, "in use");
	kmem_cache_destroy(s);
	assert_true(test_panics() >= 2);
	test_panics_clear();
	assert_string_equal(a, "in use");
	kmem_cache_free(s, a);
	kmem_cache_free(s, b);
	kmem_cache_destroy(s);
}

static void test_shrink_returns_empty_slabs(void **state)
{
	struct kmem_cache *s = kmem_cache_create("thin", 512, 0, 0, NULL);
	struct kmem_cache_stats st;
	void *p = kmem_cache_alloc(s, GFP_KERNEL);

	(void)state;
	assert_int_equal(kmem_cache_shrink(s), 1);
	kmem_cache_free(s, p);
	assert_int_equal(kmem_cache_shrink(s), 0);
	kmem_cache_stats(s, &st);
	assert_int_equal(st.slabs, 0);
	kmem_cache_destroy(s);
}

static void test_create_refuses_names_and_sizes(void **state)
{
	struct kmem_cache *s = kmem_cache_create("name", 8, 0, 0, NULL);

	(void)state;
	assert_non_null(s);
	assert_null(kmem_cache_create("name", 8, 0, 0, NULL));
	assert_null(kmem_cache_create("two words", 8, 0, 0, NULL));
	assert_null(kmem_cache_create(NULL, 8, 0, 0, NULL));
	assert_null(kmem_cache_create("zero", 0, 0, 0, NULL));
	assert_null(kmem_cache_create("huge", KMEM_CACHE_MAX_SIZE + 1, 0, 0,
				      NULL));
	assert_null(kmem_cache_create("odd", 8, 3, 0, NULL));
	kmem_cache_destroy(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_orders_from_0_to_the_largest),
		CASE(test_requests_fall_back_downwards),
		CASE(test_dma_never_goes_up),
		CASE(test_atomic_digs_below_the_minimum),
		CASE(test_kernel_reclaims_then_kills_then_waits),
		CASE(test_atomic_and_nowait_call_no_hook),
		CASE(test_nowarn_is_silent_others_are_not),
		CASE(test_the_four_names_of_a_page),
		CASE(test_kmalloc_from_caches_then_from_pages),
		CASE(test_kmalloc_up_to_the_largest_block),
		CASE(test_kmalloc_of_nothing),
		CASE(test_kfree_takes_objects_of_caches),
		CASE(test_alignment_of_kmalloc),
		CASE(test_classes_of_kmalloc),
		CASE(test_class_of_a_constant_at_compile_time),
		CASE(test_overflow_of_arrays_is_null),
		CASE(test_krealloc),
		CASE(test_the_smaller_ones_of_kmalloc),
		CASE(test_ctor_when_a_slab_is_made),
		CASE(test_hwcache_align),
		CASE(test_panic_where_create_fails),
		CASE(test_bulk_is_all_or_nothing),
		CASE(test_destroy_with_live_objects_keeps_them),
		CASE(test_shrink_returns_empty_slabs),
		CASE(test_create_refuses_names_and_sizes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
