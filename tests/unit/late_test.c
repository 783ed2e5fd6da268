// SPDX-License-Identifier: MIT
/*
 * tests/unit/late_test.c - descriptors that are written when they are needed.
 *
 * A machine whose memory is zero must behave like any other, page for page;
 * what differs is how much of it is touched at start-up.
 */
#include <stdio.h>
#include <sys/prctl.h>

#include "unit.h"

static int setup(void **state)
{
	(void)state;
	test_panics_record();
	test_panics_clear();
	return 0;
}

/* A second piece of the zone, behind a hole, is described at boot. */
static void start(kmem_phys_t begin, kmem_phys_t end, bool zeroed)
{
	const struct test_range map[] = {
		{ begin, end, KMEM_REGION_USABLE, KMEM_NO_NODE },
		{ end - MIB - 12345, end - MIB, KMEM_REGION_RESERVED,
		  KMEM_NO_NODE },
	};
	struct kmem_params params = { .nr_cpus = 2, .zeroed = zeroed };

	assert_int_equal(test_machine(map, 2, &params), KMEM_OK);
}

static size_t resident_pages(void)
{
	size_t total = 0, resident = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%zu %zu", &total, &resident), 2);
	fclose(f);
	return resident;
}

/* One zone of 32 GiB has 512 MiB of descriptors: hardly any are written, which
 * shows where each small page comes by itself. */
static void touches_little(void **state)
{
	const struct test_range map[] = {
		{ 4 * GIB, 36 * GIB, KMEM_REGION_USABLE, KMEM_NO_NODE },
	};
	struct kmem_params params = { .nr_cpus = 2, .zeroed = true };
	size_t before = resident_pages();

	(void)state;
	NEEDS_64_BIT();
	if (test_emulated())
		skip();
	assert_int_equal(prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0), 0);
	assert_int_equal(test_machine(map, 1, &params), KMEM_OK);
	assert_non_null(kmalloc(100, GFP_KERNEL));
	assert_non_null(alloc_pages(GFP_KERNEL, KMEM_MAX_ORDER));
	assert_in_range(resident_pages() - before, 0, 2048);
	prctl(PR_SET_THP_DISABLE, 0, 0, 0, 0);
}

/* Take all there is in blocks of one order. */
static size_t take_all(unsigned order, struct page **list, size_t max)
{
	size_t n = 0;

	while (n < max && (list[n] = alloc_pages(GFP_NOWAIT | __GFP_NOWARN,
						 order)))
		n++;
	return n;
}

/* As many blocks of each order as a machine that was described at boot. */
static void same_blocks(void **state)
{
	enum { MAX = 1 << 15 };
	struct page **list = malloc(MAX * sizeof(*list));

	(void)state;
	for (unsigned order = 0; order <= KMEM_MAX_ORDER; order++) {
		size_t count[2], free_pages[2];

		for (int zeroed = 0; zeroed < 2; zeroed++) {
			start(0x123000, 0x123000 + GIB / 16, zeroed);
			free_pages[zeroed] = nr_free_pages();
			count[zeroed] = take_all(order, list, MAX);
			assert_sound();
			for (size_t i = 0; i < count[zeroed]; i++)
				__free_pages(list[i], order);
			assert_sound();
			test_drain(2);
			assert_sound();
		}
		assert_int_equal(free_pages[0], free_pages[1]);
		assert_int_equal(count[0], count[1]);
	}
	assert_no_panic();
	free(list);
}

/* Orders at random, freed at random, half of the zone still late. */
static void random_orders(void **state)
{
	static struct { struct page *page; unsigned order; } held[500];
	uint64_t seed = 3;

	(void)state;
	start(0x123000, 0x123000 + GIB / 4, true);
	for (int step = 0; step < 20000; step++) {
		size_t k = test_below(&seed, 500);

		if (held[k].page) {
			__free_pages(held[k].page, held[k].order);
			held[k].page = NULL;
		} else {
			held[k].order = (unsigned)test_below(&seed, 7);
			held[k].page = alloc_pages(GFP_NOWAIT, held[k].order);
		}
		if (step % 1000 == 0)
			assert_sound();
	}
	for (int k = 0; k < 500; k++) {
		if (held[k].page)
			__free_pages(held[k].page, held[k].order);
		held[k].page = NULL;
	}
	test_drain(2);
	assert_sound();
	assert_no_panic();
}

/* A pointer into memory that has no descriptors yet is nobody's. */
static void late_pointer(void **state)
{
	struct page *page = NULL;
	struct kmem_obj_info info;
	char *p;

	(void)state;
	start(0x123000, 0x123000 + GIB / 4, true);
	for (kmem_phys_t at = GIB / 16; !page && at < GIB / 4; at += GIB / 16) {
		p = phys_to_virt(at);
		page = virt_to_page(p);
		if (page && page_to_pfn(page))	/* described already */
			page = NULL;
	}
	assert_non_null(page);
	kfree(p);
	assert_panicked(p, "kfree", "no memory of kmem's");
	__free_pages(page, 0);
	assert_panicked(NULL, "no memory of kmem's", NULL);
	assert_false(kmem_obj_lookup(p, &info));
	assert_int_equal(info.state, KMEM_OBJ_UNKNOWN);
	p = kmalloc(100, GFP_KERNEL);
	assert_non_null(p);
	kfree(p);
	assert_no_panic();
	assert_sound();
}

/* A range of pages that nobody has described; and one that is no zone's. */
static void late_range(void **state)
{
	const uintptr_t late = GIB / 8 >> KMEM_PAGE_SHIFT;
	const uintptr_t reserved = (GIB / 4 - MIB) >> KMEM_PAGE_SHIFT;
	size_t before;

	(void)state;
	start(0, GIB / 4, true);
	before = nr_free_pages();
	assert_int_equal(alloc_contig_range(late, late + 5, 0, GFP_KERNEL), 0);
	assert_int_equal(nr_free_pages(), before - 5);
	assert_sound();
	free_contig_range(late, 5);
	test_drain(2);
	assert_int_equal(nr_free_pages(), before);
	assert_int_equal(alloc_contig_range(reserved - 2, reserved - 1, 0,
					    GFP_KERNEL | __GFP_NOWARN), -22);
	assert_no_panic();
	assert_sound();
}

/* What has no descriptors yet is memory all the same: it can't be added. */
static void late_memory_is_there(void **state)
{
	const kmem_phys_t late = GIB / 8;

	(void)state;
	start(0, GIB / 4, true);
	assert_int_equal(kmem_add_memory(late, MIB, KMEM_NO_NODE), KMEM_EBUSY);
	assert_int_equal(kmem_add_memory(late, 100, KMEM_NO_NODE),
			 KMEM_EINVAL);
	assert_sound();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(touches_little), CASE(same_blocks), CASE(random_orders),
		CASE(late_pointer), CASE(late_range),
		CASE(late_memory_is_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
