// SPDX-License-Identifier: MIT
/*
 * tests/unit/contig_test.c - pages by where they are, and many at once.
 */
#include "unit.h"
#include "page_alloc.h"

#define QUIET	__GFP_NOWARN
#define BYTES	(64 * MIB)

static int setup(void **state)
{
	(void)state;
	host_machine(BYTES, 2);
	test_panics_record();
	test_drain(2);
	return 0;
}

static struct page *held[BYTES / 4096];
static size_t nr_held;

/* All of memory, as single pages; then those that `keep` wants. */
static void hold_all_but(bool (*free_it)(uintptr_t pfn))
{
	nr_held = 0;
	while ((held[nr_held] = alloc_page(GFP_ATOMIC | __GFP_MEMALLOC |
					   QUIET)))
		nr_held++;
	for (size_t i = 0; i < nr_held; i++)
		if (free_it(page_to_pfn(held[i]))) {
			__free_page(held[i]);
			held[i] = NULL;
		}
	drain_pages();
}

static void let_go(void)
{
	while (nr_held)
		__free_page(held[--nr_held]);
}

/* ------------------------------------------------------------------ ranges */

/* Every order below every limit: right below it, and nothing is lost. */
static void test_below_a_limit(void **state)
{
	size_t before = test_pages();

	(void)state;
	for (kmem_phys_t limit = 2 * MIB; limit <= 64 * MIB; limit += 5 * MIB)
		for (unsigned o = 0; o <= KMEM_MAX_ORDER; o++) {
			kmem_phys_t size = PAGE << o;
			struct page *page = alloc_pages_range(o, GFP_KERNEL |
							      QUIET, limit, 0);

			if (limit < 12 * MIB && !page)
				continue;
			assert_non_null(page);
			assert_true(page_to_phys(page) + size <= limit);
			assert_int_equal(page_to_phys(page) % size, 0);
			assert_int_equal(before - test_pages(), 1u << o);
			memset(page_to_virt(page), 1, size);
			assert_sound();
			__free_pages(page, o);
			assert_int_equal(test_pages(), before);
		}
}

static bool one_below_20(uintptr_t pfn)
{
	return pfn == 20 * MIB / PAGE - 77 || pfn >= 20 * MIB / PAGE;
}

/* The only page below the limit is found among thousands above it, once; the
 * second request is refused though memory is free. */
static void test_the_only_page_below(void **state)
{
	struct page *page;

	(void)state;
	hold_all_but(one_below_20);
	page = alloc_pages_range(0, GFP_KERNEL, 20 * MIB, 0);
	assert_non_null(page);
	assert_int_equal(page_to_pfn(page), 20 * MIB / PAGE - 77);
	assert_null(alloc_pages_range(0, GFP_KERNEL | QUIET, 20 * MIB, 0));
	__free_page(page);
	let_go();
}

/* A page below the limit that sits in a magazine is found as well. */
static void test_the_page_in_a_magazine(void **state)
{
	struct page *page;

	(void)state;
	hold_all_but(one_below_20);
	page = alloc_pages_range(0, GFP_KERNEL, 20 * MIB, 0);
	__free_page(page);
	assert_int_equal(page->type, PAGE_CACHED);
	assert_ptr_equal(alloc_pages_range(0, GFP_KERNEL, 20 * MIB, 0), page);
	__free_page(page);
	let_go();
}

/* What can't be: no memory below, a block larger than the boundary or that is
 * no power of two, an order too large. */
static void test_impossible_ranges(void **state)
{
	(void)state;
	assert_null(alloc_pages_range(0, GFP_KERNEL | QUIET, PAGE, 0));
	assert_null(alloc_pages_range(4, GFP_KERNEL | QUIET, 0, 8 * PAGE));
	assert_null(alloc_pages_range(0, GFP_KERNEL | QUIET, 0, 3 * PAGE));
	assert_null(alloc_pages_range(KMEM_MAX_ORDER + 1, GFP_KERNEL | QUIET,
				      0, 0));
	assert_null(alloc_pages_exact_range(0, GFP_KERNEL, 0, 0, 0));
	assert_null(alloc_pages_exact_range(9000, GFP_KERNEL, 0, 0, 8192));
	assert_null(alloc_pages_exact_range(100, GFP_KERNEL, 0, 3, 0));
	assert_null(alloc_pages_exact_range((PAGE << KMEM_MAX_ORDER) + 1,
					    GFP_KERNEL, 0, 0, 0));
}

/* Buffers of any size never cross the boundary, lie as they were asked to, and
 * cost no page more than they need. */
static void test_boundary(void **state)
{
	uint64_t seed = test_seed("contig_test: boundary");
	size_t before = test_pages();

	(void)state;
	for (unsigned i = 0; i < 300; i++) {
		size_t size = 1 + test_below(&seed, 65536);
		kmem_phys_t align = (kmem_phys_t)1 << test_below(&seed, 18);
		char *p = alloc_pages_exact_range(size, GFP_KERNEL, 16 * MIB,
						  align, 65536);
		kmem_phys_t phys = p ? virt_to_phys(p) : 0;

		assert_non_null(p);
		assert_int_equal(phys / 65536, (phys + size - 1) / 65536);
		assert_int_equal(phys % align, 0);
		assert_true(phys + size <= 16 * MIB);
		assert_int_equal(before - test_pages(),
				 (size + PAGE - 1) / PAGE);
		memset(p, 1, size);
		free_pages_exact(p, size);
		assert_int_equal(test_pages(), before);
	}
	assert_sound();
}

/* -------------------------------------------------------- contiguous ranges */

/* More than a block of the largest order holds, of odd sizes and of powers of
 * two; every page is a block, and parts can go back on their own. */
static void test_larger_than_a_block(void **state)
{
	static const size_t sizes[] = { 1, 3, 1000, 1024, 1025, 3000, 4096,
					5001, 8000 };
	size_t before = test_pages();

	(void)state;
	for (size_t i = 0; i < KMEM_ARRAY_SIZE(sizes); i++) {
		size_t n = sizes[i];
		struct page *page = alloc_contig_pages(n, GFP_KERNEL |
						       __GFP_ZERO,
						       KMEM_NO_NODE, NULL);
		uintptr_t pfn;
		char *p;

		assert_non_null(page);
		pfn = page_to_pfn(page);
		p = page_to_virt(page);
		if (!(n & (n - 1)))
			assert_int_equal(pfn % n, 0);
		assert_int_equal(before - test_pages(), n);
		for (size_t at = 0; at < n * PAGE; at += 1021)
			REQUIRE(p[at] == 0);
		memset(p, 0xff, n * PAGE);
		assert_sound();
		free_contig_range(pfn + n / 2, n - n / 2);
		free_contig_range(pfn, n / 2);
		assert_int_equal(test_pages(), before);
	}
	test_drain(2);
	assert_sound();
}

static bool a_run(uintptr_t pfn)
{
	return (pfn >= 4000 && pfn < 4100) || (pfn > 6000 && pfn % 2) ||
	       (pfn >= 2000 && pfn < 2333);
}

/* The only run that is long enough, at no round number, with gaps all over the
 * rest of memory: found to the page, and one page more is refused. */
static void test_the_only_run(void **state)
{
	const gfp_t gfp = GFP_ATOMIC | __GFP_MEMALLOC | QUIET;
	struct page *page;

	(void)state;
	hold_all_but(a_run);
	assert_null(alloc_contig_pages(334, gfp, 0, NULL));
	page = alloc_contig_pages(333, gfp, 0, NULL);
	assert_non_null(page);
	assert_int_equal(page_to_pfn(page), 2000);
	assert_null(alloc_contig_pages(97, gfp, 0, NULL));
	free_contig_range(2000, 333);
	page = alloc_contig_pages(256, gfp, 0, NULL);
	assert_non_null(page);		/* aligned: 2048 .. 2303 */
	assert_int_equal(page_to_pfn(page), 2048);
	free_contig_range(2048, 256);
	assert_sound();
	let_go();
}

static void test_bad_contig(void **state)
{
	struct page *page = alloc_contig_pages(10, GFP_KERNEL, 0, NULL);
	uintptr_t pfn = page_to_pfn(page);
	const uint64_t none = 0, first = 1;

	(void)state;
	assert_null(alloc_contig_pages(0, GFP_KERNEL, 0, NULL));
	assert_null(alloc_contig_pages(SIZE_MAX, GFP_KERNEL | QUIET, 0, NULL));
	assert_null(alloc_contig_pages(1, GFP_KERNEL | QUIET, 0, &none));
	assert_null(alloc_contig_pages(1, GFP_KERNEL | __GFP_THISNODE | QUIET,
				       7, NULL));
	free_contig_range(pfn, 10);
	free_contig_range(pfn + 9, 1);
	assert_panicked(page_to_virt(page + 9), "freed twice", NULL);
	page = alloc_contig_pages(10, GFP_KERNEL, 0, &first);
	assert_non_null(page);
	free_contig_range(page_to_pfn(page), 10);
}

/* These pages and no others, or an error that has changed nothing. */
static void test_contig_range(void **state)
{
	size_t before = test_pages();
	uintptr_t pfn = 16 * MIB / PAGE - 7;
	struct page *page;

	(void)state;
	assert_int_equal(alloc_contig_range(pfn, pfn + 100, 0, GFP_KERNEL |
					    __GFP_ZERO), -22);
	pfn += 500;
	assert_int_equal(alloc_contig_range(pfn, pfn + 1500, 0, GFP_KERNEL),
			 0);
	assert_int_equal(before - test_pages(), 1500);
	assert_int_equal(alloc_contig_range(pfn + 1499, pfn + 1501, 0,
					    GFP_KERNEL), -16);
	assert_int_equal(before - test_pages(), 1500);
	assert_sound();
	page = pfn_to_page(pfn + 1500);
	assert_true(page_is_free(page) || page_type(page) == PAGE_TAIL);
	free_contig_range(pfn, 1500);
	assert_int_equal(alloc_contig_range(5, 5, 0, GFP_KERNEL), -22);
	assert_int_equal(alloc_contig_range(0, 5, 0, GFP_KERNEL), -22);
	assert_int_equal(test_pages(), before);
}

/* Ranges while other CPUs allocate and free: whoever loses a race for a run
 * gives back what it had of it, and nothing is given twice. */
static void range_and_free(unsigned cpu, void *arg)
{
	uint64_t seed = cpu + 1;

	(void)arg;
	for (unsigned i = 0; i < test_scaled(3000); i++) {
		size_t n = 1 + test_below(&seed, 300);
		unsigned o = (unsigned)test_below(&seed, 7);
		struct page *page = cpu % 2 ?
			alloc_contig_pages(n, GFP_ATOMIC | QUIET, 0, NULL) :
			alloc_pages(GFP_ATOMIC | QUIET, o);

		if (!page)
			continue;
		n = cpu % 2 ? n : (size_t)1 << o;
		test_fill(page_to_virt(page), n * PAGE, cpu);
		REQUIRE(!test_changed(page_to_virt(page), n * PAGE, cpu));
		if (cpu % 2)
			free_contig_range(page_to_pfn(page), n);
		else
			__free_pages(page, o);
	}
}

static void test_racing_ranges(void **state)
{
	(void)state;
	kmem_reset();
	host_machine(8 * MIB, 4);
	host_run_cpus(4, range_and_free, NULL);
	assert_no_panic();
	assert_sound();
}

/* ---------------------------------------------------------- many at once */

/* NULL entries are filled, others stay; one lock for many. */
static void test_bulk(void **state)
{
	struct page *page[1000] = { NULL }, *mine = alloc_page(GFP_KERNEL);
	struct kmem_zone_stats st;
	uint64_t locks;
	size_t before;

	(void)state;
	page[0] = page[500] = page[999] = mine;
	before = test_pages();
	assert_true(kmem_zone_stats(KMEM_ZONES > 1 ? 1 : 0, &st));
	locks = st.locks;
	assert_int_equal(alloc_pages_bulk(GFP_KERNEL, 1000, page), 1000);
	assert_true(kmem_zone_stats(KMEM_ZONES > 1 ? 1 : 0, &st));
	assert_true(st.locks - locks < 997 / 32 + 20);
	assert_int_equal(before - test_pages(), 997);
	for (unsigned i = 0; i < 1000; i++) {
		assert_int_equal(page_count(page[i]), 1);
		memset(page_to_virt(page[i]), 1, PAGE);
	}
	assert_ptr_equal(page[500], mine);
	assert_sound();
	page[0] = page[500] = NULL;
	release_pages(page, 1000);
	assert_int_equal(alloc_pages_bulk(GFP_KERNEL, 0, page), 0);
}

/* Zeroed if asked for, movable if asked for, and as many as there are when
 * memory ends: none lost, none twice. */
static void test_bulk_to_the_end(void **state)
{
	size_t n;

	(void)state;
	memset(held, 0, sizeof(held));
	n = alloc_pages_bulk(GFP_HIGHUSER_MOVABLE | __GFP_ZERO, 500, held);
	assert_int_equal(n, 500);
	for (size_t i = 0; i < n; i++) {
		for (size_t at = 0; at < PAGE; at++)
			REQUIRE(((char *)page_to_virt(held[i]))[at] == 0);
		memset(page_to_virt(held[i]), 0xff, PAGE);
	}
	do {
		nr_held = n;
		n = alloc_pages_bulk(GFP_ATOMIC | QUIET,
				     KMEM_ARRAY_SIZE(held), held);
	} while (n > nr_held);
	assert_true(n > 10000);
	for (size_t i = 0; i < n; i++)
		test_fill(page_to_virt(held[i]), PAGE, i);
	for (size_t i = 0; i < n; i++)
		REQUIRE(!test_changed(page_to_virt(held[i]), PAGE, i));
	assert_sound();
	let_go();
}

/* A hole of one page has a descriptor, and no range goes over it; the next free
 * block below is not taken for one that reaches there. */
static void test_no_range_over_a_hole(void **state)
{
	static const struct test_range map[] = {
		{ 1 * MIB, 33 * MIB, KMEM_REGION_USABLE, KMEM_NO_NODE },
		{ 8 * MIB + 128 * PAGE, 8 * MIB + 129 * PAGE,
		  KMEM_REGION_RESERVED, KMEM_NO_NODE },
	};
	const struct kmem_params params = { .nr_cpus = 2 };
	const uintptr_t hole = map[1].start / PAGE;
	size_t before;

	(void)state;
	assert_int_equal(test_machine(map, 2, &params), KMEM_OK);
	test_drain(2);
	before = test_pages();
	assert_non_null(pfn_to_page(hole));
	assert_int_equal(pfn_to_page(hole - 128)->type, PAGE_FREE);
	assert_int_equal(pfn_to_page(hole - 128)->order, 7);
	assert_int_equal(alloc_contig_range(hole - 8, hole + 8, 0, GFP_KERNEL),
			 -16);
	assert_int_equal(alloc_contig_range(hole, hole + 1, 0, GFP_KERNEL),
			 -22);
	assert_int_equal(test_pages(), before);
	assert_sound();
	assert_int_equal(alloc_contig_range(hole - 8, hole, 0, GFP_KERNEL), 0);
	assert_int_equal(test_pages(), before - 8);
	free_contig_range(hole - 8, 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_below_a_limit),
		CASE(test_the_only_page_below),
		CASE(test_the_page_in_a_magazine),
		CASE(test_impossible_ranges),
		CASE(test_boundary),
		CASE(test_larger_than_a_block),
		CASE(test_the_only_run),
		CASE(test_bad_contig),
		CASE(test_contig_range),
		CASE(test_no_range_over_a_hole),
		CASE(test_racing_ranges),
		CASE(test_bulk),
		CASE(test_bulk_to_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
