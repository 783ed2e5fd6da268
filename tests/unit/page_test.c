// SPDX-License-Identifier: MIT
/*
 * tests/unit/page_test.c - the four names of a page, and what has none.
 */
#include "unit.h"

/* Beyond what 32 bits can number, where addresses have more. */
#define FAR	(sizeof(void *) > 4 ? 4 * GIB : GIB)

/* Three runs with holes of less and of more than a section between them. */
static const struct test_range map[] = {
	{ 1 * MIB, 3 * MIB, KMEM_REGION_USABLE, KMEM_NO_NODE },
	{ 3 * MIB + 64 * KIB, 5 * MIB, KMEM_REGION_USABLE, KMEM_NO_NODE },
	{ FAR + 5 * PAGE, FAR + 2 * MIB, KMEM_REGION_USABLE,
	  KMEM_NO_NODE },
};

static int setup(void **state)
{
	(void)state;
	host_cpu_set(0);
	test_panics_record();
	return test_machine(map, KMEM_ARRAY_SIZE(map), NULL);
}

static void check_page(uintptr_t pfn)
{
	kmem_phys_t phys = (kmem_phys_t)pfn << KMEM_PAGE_SHIFT;
	char *virt = phys_to_virt(phys);
	struct page *page = pfn_to_page(pfn);

	REQUIRE(page);
	REQUIRE(page_to_pfn(page) == pfn);
	REQUIRE(page_to_phys(page) == phys);
	REQUIRE(page_to_virt(page) == virt);
	REQUIRE(page_address(page) == virt);
	REQUIRE(virt_to_page(virt) == page);
	REQUIRE(virt_to_page(virt + PAGE - 1) == page);
	REQUIRE(virt_to_phys(virt) == phys);
	REQUIRE(virt_to_phys(virt + 123) == phys + 123);
}

/* Every page of every range, to each name and back: an error by one at the end
 * of a section or of the table would show. */
static void test_every_page(void **state)
{
	(void)state;
	for (size_t i = 0; i < KMEM_ARRAY_SIZE(map); i++)
		for (kmem_phys_t at = map[i].start; at < map[i].end;
		     at += PAGE)
			check_page((uintptr_t)(at >> KMEM_PAGE_SHIFT));
}

/* Descriptors are distinct and belong to the page that they say. */
static void test_no_two_share_a_descriptor(void **state)
{
	const struct page *before = NULL;

	(void)state;
	for (size_t i = 0; i < KMEM_ARRAY_SIZE(map); i++)
		for (kmem_phys_t at = map[i].start; at < map[i].end;
		     at += PAGE) {
			const struct page *p = virt_to_page(phys_to_virt(at));

			assert_ptr_not_equal(p, before);
			assert_true(!before || p->pfn > before->pfn);
			before = p;
		}
}

/* Addresses that nobody has memory at: NULL, and no fault, whatever they are:
 * kfree() asks this of any pointer that it is given. */
static void test_foreign_addresses(void **state)
{
	static char in_bss[3 * 4096];
	char *heap = malloc(1 << 20);
	char on_stack;

	(void)state;
	assert_null(virt_to_page(NULL));
	assert_null(virt_to_page((void *)16));
	assert_null(virt_to_page((void *)UINTPTR_MAX));
	assert_null(virt_to_page(in_bss));
	assert_null(virt_to_page(in_bss + sizeof(in_bss)));
	assert_null(virt_to_page(heap));
	assert_null(virt_to_page(&on_stack));
	assert_null(virt_to_page(&in_bss));
	assert_null(virt_to_page((void *)(uintptr_t)test_every_page));
	assert_null(virt_to_page((char *)phys_to_virt(1 * MIB) - 1));
	assert_null(virt_to_page(phys_to_virt(FAR + 2 * MIB)));
	assert_null(virt_to_page(phys_to_virt(FAR / 2)));
	assert_null(pfn_to_page(0));
	assert_null(pfn_to_page(UINTPTR_MAX));
	assert_null(pfn_to_page((uintptr_t)(FAR / 2 / PAGE)));
	assert_null(pfn_to_page((uintptr_t)(FAR / PAGE) + 512));
	free(heap);
}

/* A page of a hole inside a section that has descriptors: there is one, and it
 * says that the page is nobody's. */
static void test_hole_in_section(void **state)
{
	struct page *page = pfn_to_page(3 * MIB / PAGE + 3);

	(void)state;
	assert_non_null(page);
	assert_int_equal(page->type, PAGE_TAIL);
	__free_pages(page, 0);
	assert_panicked(page_to_virt(page), "no memory of kmem's", NULL);
	page = pfn_to_page(FAR / PAGE);
	assert_non_null(page);
	assert_int_equal(page->type, PAGE_TAIL);
	assert_sound();
}

/* Random addresses, near the map and anywhere: an answer must be a descriptor
 * of the very page asked for. */
static void test_random_addresses(void **state)
{
	uint64_t seed = test_seed("page_test");

	(void)state;
	for (unsigned i = 0; i < test_scaled(1000000); i++) {
		uint64_t r = test_random(&seed);
		uintptr_t at;
		struct page *page;

		if (i % 2)
			at = (uintptr_t)r;
		else
			at = (uintptr_t)phys_to_virt(r % (2 * FAR));
		page = virt_to_page((void *)at);
		if (page)
			REQUIRE((uintptr_t)page_to_virt(page) ==
				(at & ~(uintptr_t)(PAGE - 1)));
		page = pfn_to_page((uintptr_t)(r >> (i % 64)));
		if (page)
			REQUIRE(page_to_pfn(page) ==
				(uintptr_t)(r >> (i % 64)));
	}
}

/* What is allocated is described by the same names. */
static void test_allocated_page(void **state)
{
	struct page *page = alloc_pages(GFP_KERNEL, 2);
	uintptr_t addr = __get_free_pages(GFP_KERNEL, 1);

	(void)state;
	assert_non_null(page);
	check_page(page_to_pfn(page));
	check_page(page_to_pfn(page) + 3);
	assert_int_not_equal(addr, 0);
	check_page(page_to_pfn(virt_to_page((void *)addr)));
	__free_pages(page, 2);
	free_pages(addr, 1);
	assert_sound();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_every_page),
		CASE(test_no_two_share_a_descriptor),
		CASE(test_foreign_addresses),
		CASE(test_hole_in_section),
		CASE(test_random_addresses),
		CASE(test_allocated_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
