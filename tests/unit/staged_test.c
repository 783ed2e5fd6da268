// SPDX-License-Identifier: MIT
/*
 * tests/unit/staged_test.c - memory that kmem_init() knows of but does not
 * touch, and its release.
 *
 * What could go wrong: a table or a page of what is held back is touched too
 * early (here that faults: the memory is not there yet); a page is given twice
 * or never; a refused release has done half of its work; the account loses a
 * byte; CPUs that allocate meanwhile see something unfinished.
 */
#include <time.h>

#include "unit.h"
#include "buddy.h"

#define USABLE(start, end) \
	{ (start), (end), KMEM_REGION_USABLE, KMEM_NO_NODE }
#define LATER(start, end) \
	{ (start), (end), KMEM_REGION_LATER, KMEM_NO_NODE }
#define RESERVED(start, end) \
	{ (start), (end), KMEM_REGION_RESERVED, KMEM_NO_NODE }
#define COUNT(map)	KMEM_ARRAY_SIZE(map)

static int setup(void **state)
{
	(void)state;
	test_log_clear();
	test_panics_record();
	host_cpu_set(0);
	return 0;
}

static const struct kmem_boot_info *info;

static void assert_identity(void)
{
	info = kmem_boot_info();
	assert_int_equal(info->usable, info->managed + info->held +
				       info->metadata + info->rounding +
				       info->unreachable);
	assert_sound();
}

/* Take all there is, page by page, write to it, and give it back. Returns how
 * many pages; *low and *high are set to the lowest and highest byte given. */
static size_t take_all(kmem_phys_t *low, kmem_phys_t *high)
{
	struct page *page, *list = NULL;
	size_t n = 0;

	*low = ~(kmem_phys_t)0;
	*high = 0;
	while ((page = alloc_page(GFP_ATOMIC | __GFP_NOWARN))) {
		kmem_phys_t at = page_to_phys(page);
		struct page **link = page_to_virt(page);

		memset(link, 0x5a, KMEM_PAGE_SIZE);
		*link = list;
		list = page;
		*low = at < *low ? at : *low;
		*high = at + PAGE > *high ? at + PAGE : *high;
		n++;
	}
	while (list) {
		page = list;
		list = *(struct page **)page_to_virt(page);
		__free_page(page);
	}
	test_drain(1);
	assert_sound();
	return n;
}

/* ------------------------------------------------- two stages of the mapping */

/* Of 16 MiB, 4 are mapped at first. What lies above faults when it is touched;
 * so that nothing does, and that all metadata is below, shows by itself. */
static void start_with_early_mapping(bool zeroed)
{
	struct kmem_params p = { .nr_cpus = 1, .early_end = 5 * MIB,
				 .zeroed = zeroed };
	static const struct test_range map[] = { USABLE(1 * MIB, 17 * MIB) };

	assert_int_equal(test_map(map, 1), KMEM_OK);
	assert_true(host_memory_reserve(1 * MIB, 17 * MIB));
	assert_true(host_memory_back(1 * MIB, 5 * MIB));
	p.virt_offset = host_virt_offset();
	assert_int_equal(kmem_init(&p), KMEM_OK);
	assert_identity();
	assert_int_equal(info->held, 12 * MIB);
	assert_int_equal(info->usable, 16 * MIB);
}

static void nothing_above_the_early_mapping_is_touched(void **state)
{
	kmem_phys_t low, high;
	size_t before, after;

	(void)state;
	for (int zeroed = 0; zeroed < 2; zeroed++) {
		start_with_early_mapping(zeroed);
		before = take_all(&low, &high);
		assert_in_range(high, 1 * MIB, 5 * MIB);

		assert_true(host_memory_back(5 * MIB, 17 * MIB));
		assert_int_equal(kmem_release_type(KMEM_REGION_USABLE, 0),
				 KMEM_OK);
		assert_identity();
		assert_int_equal(info->held, 0);
		after = take_all(&low, &high);
		assert_in_range(high, 17 * MIB - 8 * PAGE, 17 * MIB);
		assert_in_range(after - before, 12 * MIB / PAGE - 32,
				12 * MIB / PAGE);
	}
}

/* A mapping that grows: a part of a page waits until all of it is mapped, and
 * what has been released is not released again. */
static void released_bit_by_bit(void **state)
{
	kmem_phys_t held = 12 * MIB;

	(void)state;
	start_with_early_mapping(false);
	for (kmem_phys_t end = 5 * MIB; end < 18 * MIB; end += MIB / 2 + 77) {
		kmem_phys_t to = end / PAGE * PAGE;

		if (to > 17 * MIB)
			to = 17 * MIB;
		assert_true(host_memory_back(5 * MIB, to));
		assert_int_equal(kmem_release_type(KMEM_REGION_USABLE, end),
				 KMEM_OK);
		held = 17 * MIB - to;
		assert_identity();
		assert_int_equal(info->held, held);
		assert_int_equal(kmem_release_type(KMEM_REGION_LATER, 0),
				 KMEM_OK);
		assert_int_equal(kmem_boot_info()->held, held);
	}
}

/* Metadata that does not fit below the limit is an error, and no machine. */
static void metadata_must_fit_below_the_limit(void **state)
{
	static const struct test_range map[] = { USABLE(1 * MIB, 64 * MIB) };
	struct kmem_params p = { .nr_cpus = 1, .early_end = MIB + 16 * PAGE };

	(void)state;
	assert_int_equal(test_machine(map, 1, &p), KMEM_ENOMEM);
	p.early_end = MIB;
	assert_int_equal(test_start(map, 1, &p), KMEM_ENOMEM);
	p.early_end = 0;
	p.metadata_end = MIB + 16 * PAGE;
	assert_int_equal(test_start(map, 1, &p), KMEM_ENOMEM);
	p.metadata_end = 4 * MIB;
	assert_int_equal(test_start(map, 1, &p), KMEM_OK);
}

/* ------------------------------------------------------- the boot loader's */

/* The loader's memory is in three places, one of them within a page of what is
 * usable; a reserved range lies over it. */
static const struct test_range loader_map[] = {
	USABLE(1 * MIB, 4 * MIB + 100),
	LATER(4 * MIB + 100, 6 * MIB),
	LATER(7 * MIB, 8 * MIB),
	RESERVED(7 * MIB + 3 * PAGE + 1, 7 * MIB + 4 * PAGE),
	USABLE(8 * MIB, 16 * MIB),
	LATER(12 * MIB, 12 * MIB + 10),
};

static void start_loader(void)
{
	assert_int_equal(test_machine(loader_map, COUNT(loader_map), NULL),
			 KMEM_OK);
	assert_identity();
	assert_int_equal(info->usable, 3 * MIB + 2 * MIB + MIB - PAGE + 1 +
				       8 * MIB);
	/* less two pages of mixed contents, and the reserved one */
	assert_int_equal(info->held, 3 * MIB - 2 * PAGE);
}

static void later_memory_is_given_when_released(void **state)
{
	kmem_phys_t managed, rounding, low, high;
	size_t before, after;

	(void)state;
	start_loader();
	managed = info->managed;
	rounding = info->rounding;
	before = take_all(&low, &high);
	assert_int_equal(kmem_release_type(KMEM_REGION_LATER, 0), KMEM_OK);
	assert_identity();
	assert_int_equal(info->held, 0);
	assert_int_equal(info->managed, managed + 3 * MIB - 2 * PAGE);
	after = take_all(&low, &high);
	assert_in_range(after - before, 3 * MIB / PAGE - 8, 3 * MIB / PAGE);
	/* The page that was half the loader's takes a call of its own. */
	assert_int_equal(kmem_release_region(4 * MIB, PAGE), KMEM_OK);
	assert_int_equal(kmem_release_region(12 * MIB, PAGE), KMEM_OK);
	assert_identity();
	assert_int_equal(info->managed, managed + 3 * MIB);
	assert_int_equal(info->rounding, rounding - 2 * PAGE);
}

/* A refusal changes nothing. */
static void assert_refused(kmem_phys_t start, kmem_phys_t size, int error)
{
	struct kmem_boot_info before = *kmem_boot_info();
	size_t pages = nr_free_pages();

	assert_int_equal(kmem_release_region(start, size), error);
	assert_memory_equal(&before, kmem_boot_info(), sizeof(before));
	assert_int_equal(nr_free_pages(), pages);
	assert_sound();
}

static void a_second_release_is_refused(void **state)
{
	(void)state;
	start_loader();
	assert_int_equal(kmem_release_region(5 * MIB, MIB), KMEM_OK);
	assert_refused(5 * MIB, MIB, KMEM_EBUSY);
	assert_refused(5 * MIB, PAGE, KMEM_EBUSY);
	assert_refused(6 * MIB - PAGE, PAGE, KMEM_EBUSY);
	/* partly new, at either end */
	assert_refused(5 * MIB - PAGE, 2 * PAGE, KMEM_EBUSY);
	assert_refused(5 * MIB - 2 * PAGE, 3 * PAGE, KMEM_EBUSY);
	/* never held back */
	assert_refused(2 * MIB, PAGE, KMEM_EBUSY);
	assert_refused(9 * MIB, MIB, KMEM_EBUSY);
	/* and after all of that the rest can still be had */
	assert_int_equal(kmem_release_region(5 * MIB - 2 * PAGE, 2 * PAGE),
			 KMEM_OK);
	assert_identity();
	assert_int_equal(kmem_release_type(KMEM_REGION_LATER, 0), KMEM_OK);
	assert_identity();
	assert_int_equal(info->held, 0);
}

static void bad_ranges_are_refused(void **state)
{
	static const kmem_phys_t max = ~(kmem_phys_t)0;

	(void)state;
	assert_int_equal(kmem_release_region(5 * MIB, MIB), KMEM_EINVAL);
	assert_int_equal(kmem_release_type(KMEM_REGION_LATER, 0), KMEM_EINVAL);
	start_loader();
	assert_int_equal(kmem_release_region(5 * MIB, 0), KMEM_OK);
	assert_refused(5 * MIB + 1, PAGE, KMEM_EINVAL);
	assert_refused(5 * MIB, PAGE - 1, KMEM_EINVAL);
	assert_refused(0, PAGE, KMEM_EINVAL);
	assert_refused(6 * MIB, PAGE, KMEM_EINVAL);	/* a hole */
	assert_refused(6 * MIB - PAGE, 2 * PAGE, KMEM_EINVAL);
	assert_refused(1024 * MIB, PAGE, KMEM_EINVAL);
	assert_refused(max - PAGE + 1, PAGE, KMEM_EINVAL);
	assert_refused(5 * MIB, max / PAGE * PAGE, KMEM_EINVAL);
	assert_refused(max / PAGE * PAGE, 2 * PAGE, KMEM_EINVAL);
	assert_refused(5 * MIB, max - PAGE * 4 + 1, KMEM_EINVAL);
	assert_int_equal(kmem_release_type(KMEM_REGION_RESERVED, 0),
			 KMEM_EINVAL);
	assert_int_equal(kmem_release_type(KMEM_REGION_NODE, 0), KMEM_EINVAL);
	assert_int_equal(kmem_release_type(KMEM_REGION_BOOT, 0), KMEM_EINVAL);
}

/* kmem's own tables, and what was given early, stay. */
static void metadata_is_not_released(void **state)
{
	static const struct test_range map[] = { USABLE(1 * MIB, 9 * MIB) };
	unsigned refused = 0, managed = 0;
	kmem_phys_t early;

	(void)state;
	assert_int_equal(test_map(map, 1), KMEM_OK);
	early = kmem_boot_alloc(3 * PAGE, PAGE, 0);
	assert_int_equal(test_start(map, 1, NULL), KMEM_OK);
	for (kmem_phys_t at = 1 * MIB; at < 9 * MIB; at += PAGE) {
		int err = kmem_release_region(at, PAGE);

		assert_true(err == KMEM_EINVAL || err == KMEM_EBUSY);
		assert_true(err == KMEM_EINVAL || at + PAGE <= early ||
			    at >= early + 3 * PAGE);
		refused += err == KMEM_EINVAL;
		managed += err == KMEM_EBUSY;
	}
	assert_identity();
	assert_int_equal(managed * PAGE, info->managed);
	assert_int_equal(refused * PAGE, info->metadata + info->rounding);
}

/* The kernel's own initialisation code, reserved at boot, which ends within a
 * page of what is kept. */
static void reserved_memory_can_be_released(void **state)
{
	static const struct test_range map[] = {
		USABLE(1 * MIB, 9 * MIB),
		RESERVED(2 * MIB, 3 * MIB + 100),	/* the kernel */
		RESERVED(20 * MIB, 21 * MIB),		/* a device */
	};
	kmem_phys_t usable, managed;	/* and metadata */

	(void)state;
	assert_int_equal(test_machine(map, COUNT(map), NULL), KMEM_OK);
	assert_identity();
	usable = info->usable;
	managed = info->managed + info->metadata;
	assert_int_equal(kmem_release_region(3 * MIB - 16 * PAGE, 17 * PAGE),
			 KMEM_OK);
	assert_identity();
	/* a section that was reserved as a whole holds its own descriptors */
	assert_int_equal(info->managed + info->metadata, managed + 17 * PAGE);
	assert_int_equal(info->usable, usable + 16 * PAGE + 100);
	assert_refused(3 * MIB, PAGE, KMEM_EBUSY);
	assert_int_equal(kmem_release_region(2 * MIB, MIB / 2), KMEM_OK);
	assert_identity();
	assert_int_equal(info->usable, usable + MIB / 2 + 16 * PAGE + 100);
	assert_refused(20 * MIB, PAGE, KMEM_EINVAL);
}

/* ----------------------------------------------------------- zones and nodes */

/* A zone, and a node, that have nothing but later memory at first. */
static void a_zone_gets_its_first_memory(void **state)
{
	static const struct test_range map[] = {
		{ 1 * MIB, 9 * MIB, KMEM_REGION_USABLE, 0 },
		{ 4 * GIB, 4 * GIB + 64 * MIB, KMEM_REGION_LATER, 0 },
		{ 8 * GIB, 8 * GIB + 64 * MIB, KMEM_REGION_LATER, 1 },
	};
	struct kmem_zone_stats st;
	struct page *page;

	(void)state;
	NEEDS_64_BIT();
	if (KMEM_ZONES == 1 || KMEM_MAX_NODES == 1)
		skip();
	assert_int_equal(test_machine(map, COUNT(map), NULL), KMEM_OK);
	assert_int_equal(kmem_boot_info()->nr_nodes, 2);
	assert_false(test_zone("Normal", 0, &st));
	assert_null(alloc_pages_node(1, GFP_NOWAIT | __GFP_THISNODE |
				     __GFP_NOWARN, 0));
	page = alloc_pages_node(1, GFP_KERNEL, 0);	/* from node 0 */
	assert_non_null(page);
	__free_page(page);

	assert_int_equal(kmem_release_region(8 * GIB, 64 * MIB), KMEM_OK);
	assert_identity();
	page = alloc_pages_node(1, GFP_KERNEL | __GFP_THISNODE, 0);
	assert_non_null(page);
	assert_true(page_to_phys(page) >= 8 * GIB);
	__free_page(page);
	assert_true(test_zone("Normal", 1, &st));
	assert_int_equal(st.managed, 64 * MIB / PAGE);
	assert_true(st.min > 0 && st.min < st.low && st.low < st.high);

	assert_int_equal(kmem_release_type(KMEM_REGION_LATER, 0), KMEM_OK);
	assert_identity();
	page = alloc_page(GFP_KERNEL);
	assert_in_range(page_to_phys(page), 4 * GIB, 8 * GIB);
	__free_page(page);
	/* Its magazines are no shorter than had it been there from the start. */
	assert_true(test_zone("Normal", 0, &st));
	assert_true(st.order[0].in_cpus > 0);
	test_drain(1);
	assert_sound();
}

/* A range that is free, but not described yet, is managed all the same. */
static void late_pages_are_not_released(void **state)
{
	static const struct test_range map[] = {
		USABLE(1 * MIB, 64 * MIB), LATER(64 * MIB, 65 * MIB),
	};
	struct kmem_params p = { .nr_cpus = 1, .zeroed = true };
	kmem_phys_t low, high;

	(void)state;
	assert_int_equal(test_machine(map, COUNT(map), &p), KMEM_OK);
	assert_refused(40 * MIB, MIB, KMEM_EBUSY);
	assert_refused(50 * MIB, PAGE, KMEM_EBUSY);
	assert_int_equal(kmem_release_type(KMEM_REGION_LATER, 0), KMEM_OK);
	assert_identity();
	take_all(&low, &high);
	assert_in_range(high, 65 * MIB - 8 * PAGE, 65 * MIB);
}

/* -------------------------------------------------------------- under load */

#define LOAD_CPUS	4

static bool loaded_stop;

/* CPU 0 releases, a few pages at a time; the others allocate and free. */
static void load(unsigned cpu, void *arg)
{
	uint64_t seed = *(uint64_t *)arg + cpu;
	void *held[64] = { NULL };
	kmem_phys_t at = 16 * MIB;

	while (cpu == 0 && at < 64 * MIB) {
		kmem_phys_t n = 1 + test_below(&seed, 600);

		if (at + n * PAGE > 64 * MIB)
			n = (64 * MIB - at) / PAGE;
		REQUIRE(kmem_release_region(at, n * PAGE) == KMEM_OK);
		REQUIRE(kmem_release_region(at, PAGE) == KMEM_EBUSY);
		at += n * PAGE;
	}
	if (cpu == 0)
		kmem_store_release(&loaded_stop, true);
	while (cpu && !kmem_load_acquire(&loaded_stop)) {
		unsigned i = (unsigned)test_below(&seed, 64);

		if (held[i])
			REQUIRE(!test_changed(held[i], 64, i));
		kfree(held[i]);
		held[i] = kmalloc(64 + test_below(&seed, 40000),
				  GFP_ATOMIC | __GFP_NOWARN);
		if (held[i])
			test_fill(held[i], 64, i);
	}
	for (unsigned i = 0; i < 64; i++)
		kfree(held[i]);
}

static void release_while_others_allocate(void **state)
{
	static const struct test_range map[] = {
		USABLE(1 * MIB, 16 * MIB), LATER(16 * MIB, 64 * MIB),
	};
	static const struct kmem_hooks hooks = {
		.run_on_cpu = host_run_on_cpu,
	};
	struct kmem_params p = { .nr_cpus = LOAD_CPUS, .hooks = &hooks };
	uint64_t seed = test_seed("staged_test: load");
	kmem_phys_t low, high;

	(void)state;
	for (unsigned i = 0; i < test_scaled(20); i++) {
		assert_int_equal(test_machine(map, COUNT(map), &p), KMEM_OK);
		loaded_stop = false;
		host_run_cpus(LOAD_CPUS, load, &seed);
		test_drain(LOAD_CPUS);
		assert_identity();
		assert_int_equal(info->held, 0);
		take_all(&low, &high);
		assert_in_range(high, 64 * MIB - 64 * PAGE, 64 * MIB);
	}
}

/* ------------------------------------------------------------ what it costs */

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* How much time of a CPU kmem_init() takes for so much memory, and how many free blocks it
 * has made then: no free block is ever split or taken at boot but for the few
 * pages of the first caches, so each was one operation. */
static double init_seconds(const struct test_range *map, size_t n,
			   size_t *blocks)
{
	struct kmem_zone_stats st;
	double t0 = seconds(), t1;

	assert_int_equal(test_machine(map, n, NULL), KMEM_OK);
	t1 = seconds();
	*blocks = 0;
	for (unsigned z = 0; kmem_zone_stats(z, &st); z++)
		for (unsigned o = 0; o <= KMEM_MAX_ORDER; o++)
			*blocks += st.nr_free[o];
	return t1 - t0;
}

static void init_takes_no_time_for_free_lists(void **state)
{
	static const struct test_range map[] = {
		USABLE(0x9000, 0x9f000), USABLE(1 * MIB, 3 * GIB - 5 * PAGE),
		USABLE(4 * GIB + PAGE, 61 * GIB),
		USABLE(100 * GIB, 104 * GIB - 3 * PAGE),
	};
	size_t blocks, most = 0;
	double time, gib = 0;

	(void)state;
	NEEDS_64_BIT();
	if (test_emulated() || host_memory_spare() < 2 * GIB)
		skip();
	for (size_t i = 0; i < COUNT(map); i++) {
		most += (map[i].end - map[i].start) / PAGE >> KMEM_MAX_ORDER;
		/* the ends of each range, and of each zone */
		most += 3 * 2 * KMEM_MAX_ORDER;
		gib += (double)(map[i].end - map[i].start) / (double)GIB;
	}
	time = init_seconds(map, COUNT(map), &blocks);
	print_message("%.0f GiB described in %.0f ms: %.0f GiB/s; %zu free "
		      "blocks, %zu pages\n", gib, 1e3 * time, gib / time,
		      blocks, nr_free_pages());
	assert_true(blocks <= most);
#ifndef KMEM_COUNT_ATOMIC
	if (test_scaled(100) == 100)
		assert_true(gib / time >= 1);
#endif
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(nothing_above_the_early_mapping_is_touched),
		CASE(released_bit_by_bit),
		CASE(metadata_must_fit_below_the_limit),
		CASE(later_memory_is_given_when_released),
		CASE(a_second_release_is_refused),
		CASE(bad_ranges_are_refused),
		CASE(metadata_is_not_released),
		CASE(reserved_memory_can_be_released),
		CASE(a_zone_gets_its_first_memory),
		CASE(late_pages_are_not_released),
		CASE(release_while_others_allocate),
		CASE(init_takes_no_time_for_free_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
