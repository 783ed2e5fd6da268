// SPDX-License-Identifier: MIT
/*
 * tests/unit/linux_test.c - code written for Linux, with <kmem/linux.h> in
 * place of Linux's headers: do its names mean here what they mean there?
 */
#include <kmem/linux.h>

#include "unit.h"

struct item {
	unsigned long key;
	unsigned nr;
	unsigned long values[];
};

static int setup(void **state)
{
	(void)state;
	host_machine(64 * MIB, 1);
	test_panics_record();
	return 0;
}

static void test_names_of_pages(void **state)
{
	unsigned long addr = __get_free_pages(GFP_KERNEL | __GFP_HIGHMEM, 1);
	unsigned long dma = __get_dma_pages(GFP_KERNEL, 0);

	(void)state;
	assert_int_equal(PAGE_SIZE, KMEM_PAGE_SIZE);
	assert_int_equal(PAGE_ALIGN(addr + 1), addr + PAGE_SIZE);
	assert_int_equal(PAGE_ALIGN(addr), addr);
	assert_int_equal((addr + 5) & PAGE_MASK, addr);
	assert_int_equal(offset_in_page(addr + 5), 5);
	assert_true(PAGE_ALIGNED(addr) && !PAGE_ALIGNED(addr + 8));
	assert_ptr_equal(__va(__pa(addr + 3)), (void *)(addr + 3));
	assert_int_equal(PFN_PHYS(virt_to_pfn((void *)addr)), __pa(addr));
	assert_int_equal(PFN_DOWN(__pa(addr) + 1), virt_to_pfn((void *)addr));
	assert_int_equal(PFN_UP(__pa(addr) + 1),
			 virt_to_pfn((void *)addr) + 1);
	assert_true(pfn_valid(virt_to_pfn((void *)addr)));
	assert_false(pfn_valid(~0ul >> PAGE_SHIFT));
	assert_ptr_equal(kmap_local_page(virt_to_page((void *)addr)),
			 (void *)addr);
	assert_true(__pa(dma) < 16 * MIB);
	assert_null((void *)__get_free_pages(GFP_KERNEL | __GFP_NOWARN,
					     NR_PAGE_ORDERS));
	free_pages(addr, 1);
	free_page(dma);
}

/* Radix trees keep a gfp_t in the word of their own flags: those in the lowest
 * four bits, where flags that requests need must not be, and those above
 * __GFP_BITS_SHIFT. */
static void test_gfp_leaves_room_for_flags_of_others(void **state)
{
	static const gfp_t needed = GFP_KERNEL | GFP_ATOMIC | __GFP_ZERO |
		__GFP_NOWARN | __GFP_NORETRY | __GFP_NOFAIL | __GFP_THISNODE |
		__GFP_COMP | __GFP_ACCOUNT | __GFP_RECLAIMABLE;

	(void)state;
	assert_int_equal(GFP_ZONEMASK, 15);
	assert_int_equal(needed & GFP_ZONEMASK, 0);
	assert_int_equal((__GFP_DMA | __GFP_DMA32 | __GFP_MOVABLE) &
			 ~GFP_ZONEMASK, 0);
	assert_int_equal(needed & ~__GFP_BITS_MASK, 0);
	assert_true(__GFP_BITS_SHIFT + 3 <= 32);
	assert_true(gfpflags_allow_blocking(GFP_KERNEL));
	assert_true(gfpflags_allow_blocking(GFP_NOFS));
	assert_false(gfpflags_allow_blocking(GFP_ATOMIC));
	assert_false(gfpflags_allow_blocking(GFP_NOWAIT));
}

static void test_sizes_saturate(void **state)
{
	volatile size_t huge = SIZE_MAX / 2 + 1;
	struct item *item = NULL;

	(void)state;
	assert_int_equal(size_mul(3, 5), 15);
	assert_int_equal(size_mul(huge, 2), SIZE_MAX);
	assert_int_equal(size_add(huge, huge), SIZE_MAX);
	assert_int_equal(size_add(huge, huge - 1), SIZE_MAX);
	assert_int_equal(size_add(size_mul(huge, 2), 1), SIZE_MAX);
	assert_int_equal(size_sub(5, 3), 2);
	assert_int_equal(size_sub(3, 5), SIZE_MAX);
	assert_int_equal(size_sub(SIZE_MAX, 1), SIZE_MAX);
	assert_int_equal(size_sub(1, SIZE_MAX), SIZE_MAX);
	assert_int_equal(size_sub(SIZE_MAX, SIZE_MAX), SIZE_MAX);
	assert_int_equal(size_sub(3, 3), 0);
	assert_int_equal(array_size(huge, 2), SIZE_MAX);
	assert_int_equal(array3_size(2, 3, 4), 24);
	assert_int_equal(struct_size(item, values, 3),
			 sizeof(*item) + 3 * sizeof(long));
	assert_int_equal(struct_size(item, values, huge), SIZE_MAX);
	assert_null(kmalloc(struct_size(item, values, huge),
			    GFP_KERNEL | __GFP_NOWARN));
}

static void test_objects_by_their_type(void **state)
{
	volatile size_t huge = SIZE_MAX / 2;
	struct item *a, *b, *c;
	int *list;

	(void)state;
	a = kmalloc_obj(*a);
	b = kzalloc_obj(struct item, GFP_ATOMIC);
	c = kzalloc_flex(*c, values, 9);
	list = kzalloc_objs(*list, 100);
	assert_true(ksize(a) >= sizeof(*a));
	assert_int_equal(b->key, 0);
	assert_true(ksize(c) >= sizeof(*c) + 9 * sizeof(long));
	assert_int_equal(c->values[8], 0);
	assert_int_equal(list[99], 0);
	kvfree(list);
	list = kvzalloc_objs(*list, 100);
	assert_int_equal(list[99], 0);
	assert_null(kmalloc_objs(*list, huge, GFP_KERNEL | __GFP_NOWARN));
	assert_null(kmalloc_flex(*c, values, huge, GFP_NOWAIT | __GFP_NOWARN));
	kfree(a);
	kfree(b);
	kfree(c);
	kfree(list);
}

static char *keep(bool really)
{
	char *dropped __free(kfree) = kmalloc(100, GFP_KERNEL);
	char *kept __free(kfree_sensitive) = kmalloc(100, GFP_KERNEL);
	char *error __free(kfree) = (char *)-12l;	/* -ENOMEM */

	assert_ptr_equal(error, (char *)-12l);
	if (!dropped || !really)
		return NULL;
	return_ptr(kept);
}

/* What goes out of scope is freed once, what is returned is not, and neither
 * NULL nor an error's number is a block. */
static void test_freed_with_its_scope(void **state)
{
	static struct kmem_leak_mark marks[200];
	size_t n = kmem_leak_mark(marks, 200);
	char *p;

	(void)state;
	assert_null(keep(false));
	assert_int_equal(kmem_leak_report(marks, n, NULL, NULL), 0);
	p = keep(true);
	assert_non_null(p);
	assert_int_equal(kmem_leak_report(marks, n, NULL, NULL), 1);
	kfree(p);
	assert_int_equal(kmem_leak_report(marks, n, NULL, NULL), 0);
}

static void test_caches(void **state)
{
	struct kmem_cache *s = kmem_cache_create_usercopy("user", 40, 0,
		SLAB_MEM_SPREAD | SLAB_TEMPORARY | SLAB_PANIC, 0, 8, NULL);
	void *p = kmem_cache_alloc_lru(s, NULL, GFP_KERNEL);
	char *text;

	(void)state;
	assert_true(slab_is_available());
	assert_non_null(p);
	kmem_cache_free(s, p);
	kmem_cache_destroy(s);
	text = kmemdup_nul("abcdef", 3, GFP_KERNEL);
	assert_string_equal(text, "abc");
	kfree_const(text);
	p = kmemdup_array("abcd", 2, 2, GFP_KERNEL);
	assert_memory_equal(p, "abcd", 4);
	kzfree(p);
	p = kmalloc_obj(char);
	assert_int_equal((uintptr_t)p % ARCH_KMALLOC_MINALIGN, 0);
	kfree(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_names_of_pages),
		CASE(test_gfp_leaves_room_for_flags_of_others),
		CASE(test_sizes_saturate),
		CASE(test_objects_by_their_type),
		CASE(test_freed_with_its_scope),
		CASE(test_caches),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
