// SPDX-License-Identifier: MIT
/*
 * tests/unit/boot_test.c - from a memory map to zones.
 *
 * The oracle of this file knows one byte at a time: it is given the same
 * ranges as kmem, keeps for each byte of a small window of the address space
 * whether it is usable or taken, and counts. Whatever kmem says of bytes and
 * pages must agree with it.
 */
#define _GNU_SOURCE
#include <sys/mman.h>
#include <time.h>

#include "unit.h"
#include "regions.h"

#define USABLE(start, end) \
	{ (start), (end), KMEM_REGION_USABLE, KMEM_NO_NODE }
#define RESERVED(start, end) \
	{ (start), (end), KMEM_REGION_RESERVED, KMEM_NO_NODE }
#define NODE(start, end, node) \
	{ (start), (end), KMEM_REGION_NODE, (node) }

#define COUNT(map)	KMEM_ARRAY_SIZE(map)

/* -------------------------------------------------------------- the oracle */

#define WINDOW_PAGES	768u

static struct {
	kmem_phys_t base, early_end;
	/* a byte each: usable, usable later, and covered by anything else */
	unsigned char usable[WINDOW_PAGES * 4096];
	unsigned char later[WINDOW_PAGES * 4096];
	unsigned char taken[WINDOW_PAGES * 4096];
	bool released[4];	/* what was held back, by enum held */
} oracle;

/* What kmem may do with a byte that is not taken. */
enum held { NOT_OURS, FREE_NOW, HELD_LATER, HELD_STAGED };

static void oracle_start(kmem_phys_t base)
{
	oracle.base = base;
	oracle.early_end = ~(kmem_phys_t)0;
	memset(oracle.released, 0, sizeof(oracle.released));
	memset(oracle.usable, 0, sizeof(oracle.usable));
	memset(oracle.later, 0, sizeof(oracle.later));
	memset(oracle.taken, 0, sizeof(oracle.taken));
}

static void oracle_add(kmem_phys_t start, kmem_phys_t size,
		       enum kmem_region_type type)
{
	if (type == KMEM_REGION_USABLE)
		memset(oracle.usable + (start - oracle.base), 1, size);
	else if (type == KMEM_REGION_LATER)
		memset(oracle.later + (start - oracle.base), 1, size);
	else if (type != KMEM_REGION_NODE)
		memset(oracle.taken + (start - oracle.base), 1, size);
}

static enum held oracle_held(size_t i)
{
	if (oracle.taken[i] || !(oracle.usable[i] || oracle.later[i]))
		return NOT_OURS;
	if (oracle.later[i])
		return HELD_LATER;
	return oracle.base + i < oracle.early_end ? FREE_NOW : HELD_STAGED;
}

static bool oracle_byte(size_t i)
{
	return oracle_held(i) != NOT_OURS;
}

static size_t oracle_bytes_of_page(size_t page)
{
	size_t n = 0;

	for (size_t i = 0; i < KMEM_PAGE_SIZE; i++)
		n += oracle_byte(page * KMEM_PAGE_SIZE + i);
	return n;
}

/* A page whose bytes differ is nobody's. */
static enum held oracle_page_held(size_t page)
{
	enum held held = oracle_held(page * KMEM_PAGE_SIZE);

	for (size_t i = 1; i < KMEM_PAGE_SIZE; i++)
		if (oracle_held(page * KMEM_PAGE_SIZE + i) != held)
			return NOT_OURS;
	return held;
}

/* kmem may give it out. */
static bool oracle_page(size_t page)
{
	enum held held = oracle_page_held(page);

	return held == FREE_NOW || oracle.released[held];
}

struct totals {
	uint64_t usable, managed, held, rounding, unreachable, pages;
	unsigned runs;
};

/* What the oracle would print. `end` is where the direct map ends. */
static struct totals oracle_totals(kmem_phys_t end)
{
	struct totals t = { 0 };
	bool before = false;	/* the page before is whole */

	for (size_t p = 0; p < WINDOW_PAGES; p++) {
		kmem_phys_t start = oracle.base + p * PAGE;
		size_t bytes = oracle_bytes_of_page(p);
		bool whole = bytes == KMEM_PAGE_SIZE;

		t.usable += bytes;
		if (oracle_page_held(p) == NOT_OURS)
			t.rounding += bytes;
		else if (start + PAGE > end)
			t.unreachable += bytes;
		else if (oracle_page(p))
			t.managed += bytes;
		else
			t.held += bytes;
		t.pages += whole;
		t.runs += whole && !before;
		before = whole;
	}
	return t;
}

/* ----------------------------------------------------------- small helpers */

static const struct kmem_hooks log_hooks = { .log = test_log };
static const struct kmem_params one_cpu = { .nr_cpus = 1, .hooks = &log_hooks };

static void assert_identity(const struct kmem_boot_info *i)
{
	assert_int_equal(i->usable, i->managed + i->held + i->metadata +
				    i->rounding + i->unreachable);
	assert_int_equal(i->metadata, i->descriptors + i->section_table +
				      i->per_cpu + i->early);
	assert_int_equal(i->managed % PAGE, 0);
}

static void assert_same_info(const struct kmem_boot_info *a,
			     const struct kmem_boot_info *b)
{
	assert_int_equal(a->usable, b->usable);
	assert_int_equal(a->managed, b->managed);
	assert_int_equal(a->held, b->held);
	assert_int_equal(a->metadata, b->metadata);
	assert_int_equal(a->rounding, b->rounding);
	assert_int_equal(a->unreachable, b->unreachable);
	assert_int_equal(a->usable_pages, b->usable_pages);
	assert_int_equal(a->usable_runs, b->usable_runs);
	assert_int_equal(a->descriptors, b->descriptors);
	assert_int_equal(a->section_table, b->section_table);
	assert_int_equal(a->per_cpu, b->per_cpu);
	assert_int_equal(a->early, b->early);
	assert_int_equal(a->nr_regions, b->nr_regions);
	assert_int_equal(a->nr_nodes, b->nr_nodes);
}

/* Plan and start that map, which is good. */
static void start(const struct test_range *map, size_t n,
		  const struct kmem_params *params)
{
	struct kmem_boot_info plan;

	if (!params)
		params = &one_cpu;
	assert_int_equal(test_map(map, n), KMEM_OK);
	assert_int_equal(kmem_boot_plan(params, &plan), KMEM_OK);
	assert_identity(&plan);
	assert_int_equal(test_start(map, n, params), KMEM_OK);
	assert_identity(kmem_boot_info());
	assert_same_info(&plan, kmem_boot_info());
	assert_sound();
}

static int plan(const struct test_range *map, size_t n,
		struct kmem_boot_info *info)
{
	assert_int_equal(test_map(map, n), KMEM_OK);
	return kmem_boot_plan(&one_cpu, info);
}

static size_t managed_in_zones(void)
{
	struct kmem_zone_stats st;
	size_t pages = 0;

	for (unsigned i = 0; kmem_zone_stats(i, &st); i++)
		pages += st.managed;
	return pages;
}

static size_t free_in_zones(void)
{
	struct kmem_zone_stats st;
	size_t pages = 0;

	for (unsigned i = 0; kmem_zone_stats(i, &st); i++)
		pages += st.free_pages;
	return pages;
}

static int setup(void **state)
{
	(void)state;
	test_log_clear();
	test_panics_record();
	host_cpu_set(0);
	return 0;
}

/* ------------------------------------------------------ maps, well and ill */

/* The entries of a map may come in any order: firmware doesn't sort. */
static void test_unsorted(void **state)
{
	static const struct test_range up[] = {
		USABLE(1 * MIB, 3 * MIB), USABLE(4 * MIB, 8 * MIB),
		RESERVED(8 * MIB, 9 * MIB), USABLE(9 * MIB, 12 * MIB),
	};
	static const struct test_range mixed[] = {
		USABLE(9 * MIB, 12 * MIB), USABLE(1 * MIB, 3 * MIB),
		RESERVED(8 * MIB, 9 * MIB), USABLE(4 * MIB, 8 * MIB),
	};
	struct kmem_boot_info a, b;

	(void)state;
	assert_int_equal(plan(up, COUNT(up), &a), KMEM_OK);
	assert_int_equal(plan(mixed, COUNT(mixed), &b), KMEM_OK);
	assert_same_info(&a, &b);
	assert_int_equal(a.usable, 9 * MIB);
	assert_int_equal(a.usable_runs, 3);
	start(mixed, COUNT(mixed), NULL);
}

/* Ranges that overlap must be counted once, and those that touch must join:
 * otherwise a page is managed twice, or a run is cut. */
static void test_overlapping(void **state)
{
	static const struct test_range map[] = {
		USABLE(1 * MIB, 4 * MIB), USABLE(2 * MIB, 6 * MIB),
		USABLE(2 * MIB, 3 * MIB), USABLE(1 * MIB, 4 * MIB),
		USABLE(6 * MIB, 7 * MIB),
	};
	struct kmem_boot_info info;

	(void)state;
	assert_int_equal(plan(map, COUNT(map), &info), KMEM_OK);
	assert_int_equal(info.usable, 6 * MIB);
	assert_int_equal(info.usable_runs, 1);
	assert_int_equal(info.usable_pages, 6 * MIB / PAGE);
	assert_true(info.rounding < PAGE);	/* the end of the tables */
	assert_int_equal(info.nr_regions, 5);
	start(map, COUNT(map), NULL);
}

/* Reserved wins over usable, whichever came first, inside, across an end, or
 * covering it all. */
static void test_reserved_inside(void **state)
{
	static const struct test_range map[] = {
		RESERVED(2 * MIB, 2 * MIB + 64 * KIB),
		USABLE(1 * MIB, 8 * MIB),
		RESERVED(7 * MIB, 9 * MIB), RESERVED(0, 1 * MIB + PAGE),
		USABLE(20 * MIB, 21 * MIB), RESERVED(19 * MIB, 22 * MIB),
	};
	struct kmem_boot_info info;

	(void)state;
	assert_int_equal(plan(map, COUNT(map), &info), KMEM_OK);
	assert_int_equal(info.usable, 6 * MIB - 64 * KIB - PAGE);
	assert_int_equal(info.usable_runs, 2);
	start(map, COUNT(map), NULL);
	assert_null(virt_to_page(phys_to_virt(20 * MIB)));
}

/* The parts of pages at the ends of ranges are lost, unless tables fit there,
 * but accounted for. A page made up of two ranges that touch in its middle is
 * whole. */
static void test_unaligned(void **state)
{
	static const struct test_range map[] = {
		USABLE(1 * MIB + 1, 2 * MIB + 100),
		USABLE(2 * MIB + 100, 3 * MIB - 1),
		RESERVED(2 * MIB + 5000, 2 * MIB + 5001),
		USABLE(4 * MIB + 10, 4 * MIB + 4000),	/* no page at all */
	};
	struct kmem_boot_info info;

	(void)state;
	assert_int_equal(plan(map, COUNT(map), &info), KMEM_OK);
	assert_int_equal(info.usable, 2 * MIB - 2 - 1 + 3990);
	assert_int_equal(info.usable_pages, 2 * MIB / PAGE - 3);
	assert_true(info.rounding < 3 * (PAGE - 1) + 3990 + PAGE);
	assert_identity(&info);
	assert_int_equal(info.usable_runs, 2);
	start(map, COUNT(map), NULL);
}

/* Empty entries are legal and mean nothing, wherever they lie. */
static void test_empty_entries(void **state)
{
	static const struct test_range map[] = {
		USABLE(0, 0), RESERVED(2 * MIB, 2 * MIB),
		USABLE(1 * MIB, 4 * MIB), USABLE(5 * MIB + 7, 5 * MIB + 7),
	};
	struct kmem_boot_info info;

	(void)state;
	assert_int_equal(plan(map, COUNT(map), &info), KMEM_OK);
	assert_int_equal(info.usable, 3 * MIB);
	assert_int_equal(info.usable_runs, 1);
	assert_int_equal(kmem_add_region(~(kmem_phys_t)0, 0,
					 KMEM_REGION_USABLE, KMEM_NO_NODE),
			 KMEM_OK);
	start(map, COUNT(map), NULL);
}

/* A hole of many sections has no descriptors, costs next to nothing, and no
 * block reaches across it. */
static void test_holes(void **state)
{
	static const struct test_range map[] = {
		USABLE(1 * MIB, 5 * MIB), USABLE(512 * MIB, 516 * MIB),
	};
	const struct kmem_boot_info *info;

	(void)state;
	start(map, COUNT(map), NULL);
	info = kmem_boot_info();
	assert_true(info->descriptors < 2 * info->usable_pages *
		    sizeof(struct page));
	assert_true(info->section_table < 64 * KIB);
	assert_non_null(virt_to_page(phys_to_virt(1 * MIB)));
	assert_non_null(virt_to_page(phys_to_virt(516 * MIB - 1)));
	assert_null(virt_to_page(phys_to_virt(256 * MIB)));
	assert_null(virt_to_page(phys_to_virt(600 * MIB)));
	assert_null(virt_to_page(phys_to_virt(0)));
}

/* Far enough for a long hole, near enough for the address space that
 * ThreadSanitizer leaves a program; QEMU's user mode keeps a record for every
 * page, holes included. */
#define FAR_AWAY	(test_emulated() ? 8 * GIB : 256 * GIB)

/* Memory above 4 GiB, the usual PC: frame numbers and byte counts that don't
 * fit into 32 bits, and three zones. */
static void test_above_4_gib(void **state)
{
	const struct test_range map[] = {
		USABLE(0x1000, 0x9fc00), USABLE(1 * MIB, 32 * MIB),
		RESERVED(0xfeffc000, 0xff000000),
		USABLE(4 * GIB, 4 * GIB + 16 * MIB),
		USABLE(FAR_AWAY, FAR_AWAY + 4 * MIB),
	};
	struct kmem_zone_stats st;
	struct page *page;

	(void)state;
	NEEDS_64_BIT();
	start(map, COUNT(map), NULL);
	assert_true(test_zone("DMA", 0, &st));
	assert_true(st.end_pfn <= 16 * MIB / PAGE);
	assert_true(test_zone("DMA32", 0, &st));
	assert_true(st.start_pfn >= 16 * MIB / PAGE);
	assert_true(st.end_pfn <= 4 * GIB / PAGE);
	assert_true(test_zone("Normal", 0, &st));
	assert_true(st.start_pfn >= 4 * GIB / PAGE);
	page = pfn_to_page(FAR_AWAY / PAGE);
	assert_non_null(page);
	assert_int_equal(page_to_phys(page), FAR_AWAY);
	assert_int_equal(managed_in_zones() * PAGE, kmem_boot_info()->managed);
}

/* A range must not wrap around the end of the address space. */
static void test_wrap_around(void **state)
{
	kmem_phys_t last = ~(kmem_phys_t)0;

	(void)state;
	kmem_reset();
	assert_int_equal(kmem_add_region(last - 0xfff, 0x1001,
					 KMEM_REGION_USABLE, KMEM_NO_NODE),
			 KMEM_EINVAL);
	assert_int_equal(kmem_add_region(2, last, KMEM_REGION_RESERVED,
					 KMEM_NO_NODE), KMEM_EINVAL);
	/* but it may end with the last byte */
	assert_int_equal(kmem_add_region(1, last, KMEM_REGION_RESERVED,
					 KMEM_NO_NODE), KMEM_OK);
	kmem_reset();
	assert_int_equal(kmem_reserve(last, 2), KMEM_EINVAL);
	assert_int_equal(kmem_add_region(last - 0xfffff, 0xf0000,
					 KMEM_REGION_RESERVED, KMEM_NO_NODE),
			 KMEM_OK);
}

/* Types and nodes out of range are refused. */
static void test_region_arguments(void **state)
{
	(void)state;
	kmem_reset();
	assert_int_equal(kmem_add_region(0, MIB, (enum kmem_region_type)17,
					 KMEM_NO_NODE), KMEM_EINVAL);
	assert_int_equal(kmem_add_region(0, MIB, KMEM_REGION_USABLE,
					 KMEM_MAX_NODES), KMEM_EINVAL);
	assert_int_equal(kmem_add_region(0, MIB, KMEM_REGION_USABLE, -2),
			 KMEM_EINVAL);
	assert_int_equal(kmem_add_region(0, MIB, KMEM_REGION_BOOT,
					 KMEM_NO_NODE), KMEM_EINVAL);
	assert_int_equal(kmem_add_region(0, MIB, KMEM_REGION_NODE,
					 KMEM_NO_NODE), KMEM_EINVAL);
}

/* A map that is too full is refused, not cut: KMEM_ENOSPC, and a line in the
 * log that says what to do. */
static void test_too_many_regions(void **state)
{
	int error = KMEM_OK;
	unsigned n = 0;

	(void)state;
	kmem_reset();
	/* twins with a gap: they can't be joined */
	for (; n < KMEM_MAX_REGIONS + 1; n++) {
		error = kmem_add_region(MIB + n * 8 * PAGE, 4 * PAGE,
					KMEM_REGION_USABLE, KMEM_NO_NODE);
		if (error)
			break;
	}
	assert_int_equal(error, KMEM_ENOSPC);
	assert_int_equal(n, KMEM_MAX_REGIONS);
	assert_int_equal(kmem_reserve(0, PAGE), KMEM_ENOSPC);
	/* there is no room for entries of kmem's own either */
	test_log_clear();
	error = kmem_init(&one_cpu);
	assert_true(error == KMEM_ENOSPC || error == KMEM_ENOMEM);
	assert_true(test_logged("KMEM_MAX_REGIONS"));
}

/* Who reserves page by page has reserved a range. */
static void test_reserve_by_the_page(void **state)
{
	struct kmem_boot_info info;

	(void)state;
	kmem_reset();
	assert_int_equal(kmem_add_region(MIB, 64 * MIB, KMEM_REGION_USABLE,
					 KMEM_NO_NODE), KMEM_OK);
	for (unsigned n = 0; n < 4 * KMEM_MAX_REGIONS; n++)
		assert_int_equal(kmem_reserve(2 * MIB + n * PAGE, PAGE),
				 KMEM_OK);
	assert_int_equal(kmem_reserve(UINT64_MAX - PAGE + 1, PAGE), KMEM_OK);
	assert_int_equal(kmem_reserve(0, PAGE), KMEM_OK); /* no wrap */
	assert_int_equal(kmem_boot_plan(&one_cpu, &info), KMEM_OK);
	assert_int_equal(info.usable, 64 * MIB - 4 * KMEM_MAX_REGIONS * PAGE);
}

/* A long map, all of it memory in pieces: it starts, and nothing is lost. */
static void test_long_map(void **state)
{
	static struct test_range map[KMEM_MAX_REGIONS / 3];

	(void)state;
	for (unsigned i = 0; i < COUNT(map); i++)
		map[i] = (struct test_range)
			USABLE(MIB + i * 512 * KIB, MIB + i * 512 * KIB +
			       256 * KIB);
	start(map, COUNT(map), NULL);
	assert_int_equal(kmem_boot_info()->usable_runs, COUNT(map));
	assert_int_equal(managed_in_zones() * PAGE, kmem_boot_info()->managed);
}

/* The same number of entries, but they touch, as in maps of some UEFI
 * firmware: one run, and tables may lie across the seams. */
static void test_long_map_of_one_run(void **state)
{
	static struct test_range map[KMEM_MAX_REGIONS * 3 / 4];

	(void)state;
	for (unsigned i = 0; i < COUNT(map); i++)
		map[i] = (struct test_range)
			USABLE(MIB + i * 3 * PAGE, MIB + (i + 1) * 3 * PAGE);
	start(map, COUNT(map), NULL);
	assert_int_equal(kmem_boot_info()->usable_runs, 1);
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void touching(struct test_range *map, unsigned n, int node)
{
	for (unsigned i = 0; i < n; i++)
		map[i] = (struct test_range){ MIB + i * 64 * PAGE,
					      MIB + (i + 1) * 64 * PAGE,
					      KMEM_REGION_USABLE, node };
}

/*
 * A map of nothing but touching entries on one node, nearly as long as the
 * table: they must not be taken for as many pieces, each with tables of its
 * own, which would not fit. Only the table's end is a reason to refuse: kmem
 * needs five entries of it (section table, CPUs, the page at NULL, one block
 * of descriptors, one node). And a plan takes no time worth noticing.
 */
static void test_full_map_of_one_run(void **state)
{
	static struct test_range map[KMEM_MAX_REGIONS];
	struct kmem_params p = one_cpu;
	struct kmem_boot_info info;

	(void)state;
	for (int node = KMEM_NO_NODE; node <= 3; node += 4) {
		double time;

		touching(map, 500, node);
		assert_int_equal(test_map(map, 500), KMEM_OK);
		time = seconds();
		assert_int_equal(kmem_boot_plan(&one_cpu, &info), KMEM_OK);
		time = seconds() - time;
		/* 1 s; the test runs a part of its loops on slow machines */
		assert_true(time < 100.0 / test_scaled(100));
		assert_identity(&info);
		assert_int_equal(info.usable, 500 * 64 * PAGE);
		assert_int_equal(info.usable_runs, 1);
		assert_int_equal(info.rounding % KMEM_CACHE_LINE, 0);
		assert_true(info.rounding < PAGE);

		start(map, 500, NULL);
		assert_int_equal(managed_in_zones() * PAGE,
				 kmem_boot_info()->managed);
		print_message("500 touching entries: planned in %.3f s\n",
			      time);
	}
	touching(map, KMEM_MAX_REGIONS, KMEM_NO_NODE);
	assert_int_equal(plan(map, KMEM_MAX_REGIONS - 5, &info), KMEM_OK);
	for (unsigned left = 0; left <= 4; left++) {
		test_log_clear();
		assert_int_equal(plan(map, KMEM_MAX_REGIONS - left, &info),
				 KMEM_ENOMEM);
		assert_true(test_logged("KMEM_MAX_REGIONS"));
	}
	/* memory that is held back by address takes one more */
	p.early_end = 2 * MIB;
	for (unsigned left = 0; left <= 2; left++) {
		assert_int_equal(test_map(map, KMEM_MAX_REGIONS - left),
				 KMEM_OK);
		test_log_clear();
		assert_int_equal(kmem_boot_plan(&p, &info), KMEM_ENOMEM);
		assert_true(test_logged("KMEM_MAX_REGIONS"));
	}
}

/* Memory in which no run is longer than seven pages has no place for the
 * descriptors of the cheapest sections, nor for larger ones: smaller do. */
static void test_sections_that_find_room(void **state)
{
	static struct test_range map[257] = { USABLE(8 * MIB, 16 * MIB) };
	unsigned order;

	(void)state;
	for (unsigned i = 1; i < COUNT(map); i++)
		map[i] = (struct test_range)RESERVED(
			8 * MIB + (8 * i - 1) * PAGE, 8 * MIB + 8 * i * PAGE);
	start(map, COUNT(map), NULL);
	order = kmem_page_map.section_shift - KMEM_PAGE_SHIFT;
	assert_true(sizeof(struct page) << order <= 7 * PAGE);
	assert_true(sizeof(struct page) << (order + 1) > 7 * PAGE);
	assert_int_equal(kmem_boot_info()->usable, 8 * MIB - 256 * PAGE);
	assert_int_equal(managed_in_zones() * PAGE, kmem_boot_info()->managed);
	assert_true(managed_in_zones() > 1600);
}

/* Nothing to manage: refused, and the message says what was found. */
static void test_no_usable_page(void **state)
{
	static const struct test_range nothing[] = {
		RESERVED(0, 16 * MIB),
	};
	static const struct test_range crumbs[] = {
		USABLE(1 * MIB + 1, 1 * MIB + PAGE),
		USABLE(2 * MIB + 100, 2 * MIB + 200),
		RESERVED(4 * MIB, 5 * MIB),
	};
	struct kmem_boot_info info;

	(void)state;
	kmem_reset();
	test_log_clear();
	assert_int_equal(kmem_init(&one_cpu), KMEM_ENOMEM);
	assert_true(test_log_lines() > 0);
	assert_true(test_logged("no usable page"));

	assert_int_equal(test_map(nothing, COUNT(nothing)), KMEM_OK);
	test_log_clear();
	assert_int_equal(kmem_init(&one_cpu), KMEM_ENOMEM);
	assert_true(test_logged("no usable page"));

	assert_int_equal(test_map(crumbs, COUNT(crumbs)), KMEM_OK);
	test_log_clear();
	assert_int_equal(kmem_boot_plan(&one_cpu, &info), KMEM_ENOMEM);
	assert_int_equal(kmem_init(&one_cpu), KMEM_ENOMEM);
	assert_true(test_logged("no usable page"));
	assert_true(test_logged("4195"));	/* bytes that are usable */
}

/* Too little for the descriptors: refused with what was found and needed, and
 * a machine that is large enough starts afterwards. */
static void test_too_little(void **state)
{
	static const struct test_range tiny[] = {
		USABLE(1 * MIB, 1 * MIB + 2 * PAGE),
	};
	static const struct test_range enough[] = {
		USABLE(1 * MIB, 3 * MIB),
	};
	struct kmem_boot_info info;

	(void)state;
	assert_int_equal(plan(tiny, COUNT(tiny), &info), KMEM_ENOMEM);
	assert_int_equal(info.usable, 2 * PAGE);
	assert_int_equal(info.usable_pages, 2);
	test_log_clear();
	assert_int_equal(test_start(tiny, COUNT(tiny), &one_cpu), KMEM_ENOMEM);
	assert_true(test_logged("metadata"));
	assert_true(test_logged("8192"));
	start(enough, COUNT(enough), NULL);
}

/* The smallest machine that starts: from a page on, add one until it does.
 * Every refusal must be a clean one, and what starts must work. */
static void test_smallest_machine(void **state)
{
	struct test_range map[] = { USABLE(1 * MIB, 1 * MIB) };
	int error = KMEM_ENOMEM;
	unsigned pages = 0;
	void *p;

	(void)state;
	while (error) {
		pages++;
		assert_in_range(pages, 1, 512);
		map[0].end = MIB + pages * PAGE;
		error = test_machine(map, 1, &one_cpu);
		assert_true(error == KMEM_OK || error == KMEM_ENOMEM);
	}
	print_message("the smallest machine has %u pages\n", pages);
	assert_sound();
	assert_identity(kmem_boot_info());
	p = kmalloc(24, GFP_NOWAIT | __GFP_NOWARN);
	kfree(p);
	assert_sound();
	for (unsigned more = 1; more < 40; more++) {
		map[0].end = MIB + (pages + more) * PAGE;
		assert_int_equal(test_machine(map, 1, &one_cpu), KMEM_OK);
		assert_sound();
	}
}

static bool no_kmalloc_caches(void)
{
	for (unsigned type = 0; type < KMALLOC_NR_TYPES; type++)
		for (unsigned i = 0; i < KMALLOC_NR_CLASSES; i++)
			if (kmalloc_caches[type][i])
				return false;
	return true;
}

/*
 * A start that fails, early (no room for the tables) or late (no room for the
 * caches, with pages in the zones already), leaves nothing behind and keeps
 * the map: the same again fails the same way, and with more memory added it
 * succeeds, with all of the memory accounted for.
 */
static void test_failed_start_keeps_the_map(void **state)
{
	struct test_range map[] = { USABLE(1 * MIB, 1 * MIB) };
	struct kmem_params p = one_cpu;
	struct kmem_boot_info first;
	unsigned pages, failed = 0;

	(void)state;
	for (pages = 1; pages < 512; pages++, failed++) {
		map[0].end = MIB + pages * PAGE;
		assert_int_equal(test_map(map, 1), KMEM_OK);
		assert_true(host_memory_reserve(MIB, 8 * MIB));
		assert_true(host_memory_back(MIB, 8 * MIB));
		p.virt_offset = host_virt_offset();
		if (!kmem_init(&p))
			break;
		assert_true(no_kmalloc_caches());
		assert_null(virt_to_page(phys_to_virt(MIB)));
		assert_null(alloc_page(GFP_KERNEL | __GFP_NOWARN));
		assert_int_equal(kmem_init(&p), KMEM_ENOMEM);

		assert_int_equal(kmem_add_region(4 * MIB, 4 * MIB,
						 KMEM_REGION_USABLE,
						 KMEM_NO_NODE), KMEM_OK);
		assert_int_equal(kmem_init(&p), KMEM_OK);
		assert_identity(kmem_boot_info());
		assert_int_equal(kmem_boot_info()->usable,
				 4 * MIB + pages * PAGE);
		assert_sound();
		kfree(kmalloc(100, GFP_KERNEL));
		assert_sound();
		first = *kmem_boot_info();

		/* nothing is lost to the tables of the failed starts */
		assert_int_equal(test_map(map, 1), KMEM_OK);
		assert_int_equal(kmem_add_region(4 * MIB, 4 * MIB,
						 KMEM_REGION_USABLE,
						 KMEM_NO_NODE), KMEM_OK);
		assert_int_equal(kmem_init(&p), KMEM_OK);
		assert_same_info(&first, kmem_boot_info());
	}
	assert_true(pages < 512 && failed > 2);
	assert_false(no_kmalloc_caches());
	kmem_reset();
	assert_true(no_kmalloc_caches());
	assert_null(alloc_page(GFP_KERNEL | __GFP_NOWARN));
	for (volatile size_t size = 1; size < 20000; size *= 3)
		assert_null(kmalloc(size, GFP_KERNEL | __GFP_NOWARN));
}

/* -------------------------------------------------------------- the limits */

/* What lies beyond the direct map can't be used, and is counted as such, even
 * if the limit cuts a page. */
static void test_direct_map_end(void **state)
{
	static const struct test_range map[] = {
		USABLE(1 * MIB, 8 * MIB), USABLE(4 * GIB, 4 * GIB + MIB),
	};
	static const struct test_range across[] = {
		USABLE(1 * MIB, 4 * MIB),
		{ 4 * MIB, 8 * MIB, KMEM_REGION_LATER, KMEM_NO_NODE },
	};
	struct kmem_params p = one_cpu;

	(void)state;
	p.direct_map_end = 6 * MIB;
	start(across, COUNT(across), &p);	/* held back, as far as it is */
	assert_int_equal(kmem_boot_info()->held, 2 * MIB);
	assert_int_equal(kmem_boot_info()->unreachable, 2 * MIB);
	NEEDS_64_BIT();
	start(map, COUNT(map), &p);
	assert_int_equal(kmem_boot_info()->usable, 8 * MIB);
	assert_int_equal(kmem_boot_info()->unreachable, 3 * MIB);
	assert_null(virt_to_page(phys_to_virt(7 * MIB)));

	p.direct_map_end = 6 * MIB + 100;
	start(map, COUNT(map), &p);
	assert_int_equal(kmem_boot_info()->usable, 8 * MIB);
	assert_in_range(kmem_boot_info()->rounding +
			kmem_boot_info()->unreachable, 3 * MIB,
			3 * MIB + PAGE - 1);
	assert_int_equal(kmem_boot_info()->usable_pages, 8 * MIB / PAGE);

	p.direct_map_end = 4 * GIB + 16 * PAGE;
	start(map, COUNT(map), &p);
	assert_int_equal(kmem_boot_info()->unreachable, MIB - 16 * PAGE);
}

/* Memory from address 0 on counts from its first page on. */
static void test_usable_from_zero(void **state)
{
	static const struct test_range map[] = {
		USABLE(0, 4 * MIB), USABLE(8 * MIB, 12 * MIB),
	};
	struct kmem_params p = one_cpu;
	struct kmem_boot_info info;

	(void)state;
	p.virt_offset = GIB;
	assert_int_equal(test_map(map, COUNT(map)), KMEM_OK);
	assert_int_equal(kmem_boot_plan(&p, &info), KMEM_OK);
	assert_int_equal(info.usable, 8 * MIB);
	assert_int_equal(info.usable_pages, 8 * MIB / PAGE);
	assert_int_equal(info.usable_runs, 2);
	assert_identity(&info);
}

/* Without a limit the direct map ends where addresses do: 32 bits reach 4 GiB
 * from the lowest page up, less what lies above the last address. */
static void test_addresses_end(void **state)
{
	static const struct test_range map[] = {
		USABLE(2 * GIB, 2 * GIB + 8 * MIB),
		USABLE(4 * GIB, 4 * GIB + 8 * MIB),
		USABLE(5 * GIB, 5 * GIB + 8 * MIB),
		USABLE(6 * GIB, 6 * GIB + 8 * MIB),
	};
	const uint64_t beyond = sizeof(void *) > 4 ? 0 : 8 * MIB;
	struct kmem_params p = one_cpu;
	struct kmem_boot_info info;

	(void)state;
	assert_int_equal(test_map(map, COUNT(map)), KMEM_OK);
	assert_int_equal(kmem_boot_plan(&p, &info), KMEM_OK);
	assert_int_equal(info.unreachable, 3 * beyond);
	assert_identity(&info);
	p.virt_offset = (uint64_t)0 - 2 * GIB;
	assert_int_equal(kmem_boot_plan(&p, &info), KMEM_OK);
	assert_int_equal(info.unreachable, beyond);
	assert_identity(&info);
	p.virt_offset = (uint64_t)0 - GIB;
	p.direct_map_end = ~(kmem_phys_t)0;
	assert_int_equal(kmem_boot_plan(&p, &info), KMEM_OK);
	assert_int_equal(info.unreachable, 2 * beyond);
	assert_identity(&info);
}

/* More sections than can be counted, or than there are addresses: refused. Where
 * pointers have 32 bits, memory that reaches as far as they do has one section
 * more, if it begins in the middle of one. */
static void test_spread_too_far(void **state)
{
	static const struct test_range far[] = {
		USABLE(1 * MIB, 128 * GIB),
		USABLE((uint64_t)1 << 63, ((uint64_t)1 << 63) + 8 * MIB),
	};
	static const struct test_range wide[] = {
		USABLE(541 * MIB, 549 * MIB),
		USABLE(4 * GIB + 520 * MIB, 4 * GIB + 521 * MIB),
	};
	struct kmem_params p = one_cpu;
	struct kmem_boot_info info;

	(void)state;
	test_log_clear();
	if (sizeof(void *) > 4) {
		assert_int_equal(test_map(far, COUNT(far)), KMEM_OK);
	} else {
		assert_int_equal(test_map(wide, COUNT(wide)), KMEM_OK);
		p.virt_offset = (uint64_t)0 - 540 * MIB;
		p.hotplug_end = GIB;	/* so that sections are of 32 MiB */
	}
	assert_int_equal(kmem_boot_plan(&p, &info), KMEM_ENOMEM);
	assert_true(test_logged("spread too far"));
	assert_int_equal(test_map(wide, 1), KMEM_OK);
	assert_int_equal(kmem_boot_plan(&p, &info), KMEM_OK);
}

/* Memory of our own at an address that we choose; false if something is there. */
static bool memory_at(uintptr_t addr, size_t bytes)
{
	void *at = (void *)addr;
	void *map = mmap(at, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE |
			 MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	if (map == at)
		return true;
	if (map != MAP_FAILED)
		munmap(map, bytes);
	return false;
}

static void add_all(const struct test_range *map, size_t n)
{
	kmem_reset();
	for (size_t i = 0; i < n; i++)
		assert_int_equal(kmem_add_region(map[i].start, map[i].end -
						 map[i].start, map[i].type,
						 map[i].node), KMEM_OK);
}

static void use_some(void)
{
	void *p[100];

	for (size_t i = 0; i < COUNT(p); i++) {
		p[i] = kmalloc(i * 50, GFP_KERNEL);
		assert_non_null(p[i]);
		test_fill(p[i], i * 50, i);
	}
	for (size_t i = 0; i < COUNT(p); i++) {
		assert_null(test_changed(p[i], i * 50, i));
		kfree(p[i]);
	}
	kfree(NULL);
	assert_no_panic();
	assert_sound();
}

/* The first section begins below the first address there is: the pages in front of
 * memory, NULL's among them, are nobody's. */
static void test_section_around_null(void **state)
{
	static const struct test_range map[] = { USABLE(2 * MIB, 10 * MIB) };
	struct kmem_params p = one_cpu;

	(void)state;
	if (!memory_at(MIB, 8 * MIB))
		skip();
	add_all(map, 1);
	p.virt_offset = (uint64_t)0 - MIB;
	p.hotplug_end = 16 * MIB;	/* so that sections are of 32 MiB */
	assert_int_equal(kmem_init(&p), KMEM_OK);
	assert_true(kmem_page_map.base > (uintptr_t)8 * MIB);
	assert_int_equal(kmem_page_map.main_nr, 0);
	use_some();
	kmem_reset();
	munmap((void *)(uintptr_t)MIB, 8 * MIB);
}

static int no_map(void *ctx, uintptr_t virt, kmem_phys_t phys, size_t nr_pages,
		  unsigned long prot, gfp_t gfp)
{
	(void)ctx, (void)virt, (void)phys, (void)nr_pages, (void)prot, (void)gfp;
	return 1;
}

static void no_unmap(void *ctx, uintptr_t virt, size_t nr_pages)
{
	(void)ctx, (void)virt, (void)nr_pages;
}

/* Sections of all addresses that 32 bits can tell: none is left for vmalloc(). */
static void test_sections_of_all_addresses(void **state)
{
	static const struct test_range map[] = {
		USABLE(31 * MIB, 47 * MIB),
		USABLE(4 * GIB - 16 * MIB, 4 * GIB - 8 * MIB),
	};
	struct kmem_vmalloc_params v = { .start = 1 * GIB, .end = 2 * GIB };
	const uintptr_t low = MIB, high = (uintptr_t)(0 - 46 * MIB);
	struct kmem_params p = one_cpu;

	(void)state;
	if (sizeof(void *) > 4 || !memory_at(low, 16 * MIB))
		skip();
	if (!memory_at(high, 8 * MIB)) {
		munmap((void *)low, 16 * MIB);
		skip();
	}
	add_all(map, COUNT(map));
	p.virt_offset = (uint64_t)0 - 30 * MIB;
	p.hotplug_end = 48 * MIB;	/* so that sections are of 32 MiB */
	assert_int_equal(kmem_init(&p), KMEM_OK);
	assert_int_equal((uintptr_t)(kmem_page_map.nr_sections <<
				     kmem_page_map.section_shift), 0);
	use_some();
	v.map = no_map;
	v.unmap = no_unmap;
	test_log_clear();
	assert_int_equal(kmem_vmalloc_init(&v), KMEM_EINVAL);
	assert_true(test_logged("meets the direct map"));
	kmem_reset();
	munmap((void *)low, 16 * MIB);
	munmap((void *)high, 8 * MIB);
}

/* Nothing but pages beyond the direct map: refused. */
static void test_all_unreachable(void **state)
{
	static const struct test_range map[] = {
		USABLE(8 * MIB, 16 * MIB),
	};
	struct kmem_params p = one_cpu;
	struct kmem_boot_info info;

	(void)state;
	p.direct_map_end = 4 * MIB;
	assert_int_equal(test_map(map, COUNT(map)), KMEM_OK);
	test_log_clear();
	assert_int_equal(kmem_boot_plan(&p, &info), KMEM_ENOMEM);
	assert_int_equal(info.usable, 8 * MIB);
	assert_true(test_logged("no usable page"));
	assert_true(test_logged("400000"));	/* the limit */
}

/* Early page tables reach the first megabytes only: metadata must stay below
 * metadata_end, and the memory above is managed all the same. */
static void test_metadata_end(void **state)
{
	static const struct test_range map[] = {
		USABLE(1 * MIB, 128 * MIB),
	};
	struct kmem_params p = one_cpu;
	size_t above = 0;
	uintptr_t pfn;

	(void)state;
	p.metadata_end = 8 * MIB;
	start(map, COUNT(map), &p);
	for (unsigned i = 0; i < kmem_page_map.nr_sections; i++)
		if (kmem_page_map.section[i])
			assert_true(virt_to_phys(kmem_page_map.section[i]) <
				    8 * MIB);
	assert_true(virt_to_phys(kmem_page_map.section) < 8 * MIB);
	/* nothing above was taken: it is all in free blocks */
	for (pfn = 8 * MIB / PAGE; pfn < 128 * MIB / PAGE; pfn++) {
		struct page *page = pfn_to_page(pfn);

		assert_non_null(page);
		if (page->type == PAGE_FREE && page->order == KMEM_MAX_ORDER)
			above += (size_t)1 << KMEM_MAX_ORDER;
	}
	assert_true(above >= 108 * MIB / PAGE);

	p.metadata_end = 1 * MIB + 64 * KIB;
	assert_int_equal(test_map(map, COUNT(map)), KMEM_OK);
	test_log_clear();
	assert_int_equal(test_start(map, COUNT(map), &p), KMEM_ENOMEM);
	assert_true(test_logged("metadata"));
}

/* Zone limits can be moved and zones left out. */
static void test_zone_limits(void **state)
{
	static const struct test_range map[] = {
		USABLE(1 * MIB, 64 * MIB),
	};
	struct kmem_params p = one_cpu;
	struct kmem_zone_stats st;

	(void)state;
	p.dma_end = 8 * MIB;
	p.dma32_end = 24 * MIB;
	start(map, COUNT(map), &p);
	assert_true(test_zone("DMA", 0, &st));
	assert_int_equal(st.end_pfn, 8 * MIB / PAGE);
	assert_true(test_zone("DMA32", 0, &st));
	assert_int_equal(st.start_pfn, 8 * MIB / PAGE);
	assert_int_equal(st.end_pfn, 24 * MIB / PAGE);
	assert_true(test_zone("Normal", 0, &st));
	assert_int_equal(st.start_pfn, 24 * MIB / PAGE);

	p.dma_end = KMEM_NO_ZONE;
	p.dma32_end = KMEM_NO_ZONE;
	start(map, COUNT(map), &p);
	assert_false(test_zone("DMA", 0, &st));
	assert_false(test_zone("DMA32", 0, &st));
	assert_true(test_zone("Normal", 0, &st));
	assert_int_equal(st.start_pfn, 1 * MIB / PAGE);
}

/* Blocks don't merge across a zone's end even where it is not aligned to the
 * largest block. */
static void test_unaligned_zone_limit(void **state)
{
	static const struct test_range map[] = {
		USABLE(1 * MIB, 64 * MIB),
	};
	struct kmem_params p = one_cpu;
	struct kmem_zone_stats st;

	(void)state;
	p.dma_end = 9 * MIB + 3 * PAGE;
	p.dma32_end = 33 * MIB + 5 * PAGE;
	start(map, COUNT(map), &p);
	assert_true(test_zone("DMA", 0, &st));
	assert_int_equal(st.end_pfn, 9 * MIB / PAGE + 3);
	assert_true(test_zone("DMA32", 0, &st));
	assert_int_equal(st.start_pfn, 9 * MIB / PAGE + 3);
	assert_int_equal(st.end_pfn, 33 * MIB / PAGE + 5);
}

/* Physical page 0 is memory, but where its virtual address would be NULL it
 * can't be handed out: that page counts as rounding. */
static void test_page_at_null(void **state)
{
	static const struct test_range map[] = { USABLE(0, 4 * MIB) };
	static const struct test_range high[] = { USABLE(8 * MIB, 12 * MIB) };
	struct kmem_params p = one_cpu;
	struct kmem_boot_info info;

	(void)state;
	assert_int_equal(test_map(map, 1), KMEM_OK);
	assert_int_equal(kmem_boot_plan(&p, &info), KMEM_OK);
	assert_in_range(info.rounding, PAGE, 2 * PAGE - 1);
	assert_identity(&info);
	p.virt_offset = UINTPTR_MAX / 2 + 1;
	assert_int_equal(kmem_boot_plan(&p, &info), KMEM_OK);
	assert_in_range(info.rounding, 0, PAGE - 1);
	assert_int_equal(test_map(high, 1), KMEM_OK);
	p.virt_offset = (uint64_t)0 - 9 * MIB;
	assert_int_equal(kmem_boot_plan(&p, &info), KMEM_OK);
	assert_in_range(info.rounding, PAGE, 2 * PAGE - 1);
	assert_identity(&info);
}

/* Parameters out of range are refused before anything is touched. */
static void test_parameters(void **state)
{
	static const struct test_range map[] = { USABLE(1 * MIB, 8 * MIB) };
	struct kmem_params p = one_cpu;
	struct kmem_boot_info info;

	(void)state;
	assert_int_equal(test_map(map, 1), KMEM_OK);
	p.nr_cpus = KMEM_MAX_CPUS + 1;
	assert_int_equal(kmem_boot_plan(&p, &info), KMEM_EINVAL);
	assert_int_equal(kmem_init(&p), KMEM_EINVAL);
	p = one_cpu;
	p.virt_offset = 100;		/* not of whole pages */
	assert_int_equal(kmem_init(&p), KMEM_EINVAL);
	p = one_cpu;
	p.nr_cpus = 0;			/* counts as 1 */
	assert_int_equal(kmem_boot_plan(&p, &info), KMEM_OK);
	p.nr_cpus = KMEM_MAX_CPUS;
	assert_int_equal(kmem_boot_plan(&p, &info), KMEM_OK);
	assert_int_equal(test_start(map, 1, &p), KMEM_OK);
	assert_sound();
}

/* After kmem_init() the map is closed; kmem_reset() opens it again. */
static void test_busy_and_reset(void **state)
{
	static const struct test_range map[] = { USABLE(1 * MIB, 8 * MIB) };
	struct kmem_boot_info info;

	(void)state;
	start(map, 1, NULL);
	assert_int_equal(kmem_init(&one_cpu), KMEM_EBUSY);
	assert_int_equal(kmem_add_region(16 * MIB, MIB, KMEM_REGION_USABLE,
					 KMEM_NO_NODE), KMEM_EBUSY);
	assert_int_equal(kmem_reserve(0, 1), KMEM_EBUSY);
	assert_int_equal(kmem_boot_alloc(16, 16, 0), 0);
	assert_sound();

	kmem_reset();
	assert_int_equal(kmem_boot_plan(&one_cpu, &info), KMEM_ENOMEM);
	assert_int_equal(info.usable, 0);
	assert_null(virt_to_page(phys_to_virt(2 * MIB)));
	for (unsigned i = 0; i < 3; i++) {
		start(map, 1, NULL);
		kfree(kmalloc(100, GFP_KERNEL));
		assert_sound();
	}
}

/* --------------------------------------------------------- kmem_boot_alloc */

/* What is given early must be inside of usable memory, aligned, below the
 * limit, as high as it can be, disjoint, and counted; and kmem_init() must
 * keep away from it. */
static void test_boot_alloc(void **state)
{
	static const struct test_range map[] = {
		USABLE(1 * MIB, 8 * MIB), RESERVED(5 * MIB, 5 * MIB + PAGE),
		USABLE(16 * MIB, 20 * MIB),
	};
	kmem_phys_t a, b, c, d;

	(void)state;
	assert_int_equal(test_map(map, COUNT(map)), KMEM_OK);
	a = kmem_boot_alloc(2 * PAGE, PAGE, 0);
	assert_int_equal(a, 20 * MIB - 2 * PAGE);
	b = kmem_boot_alloc(PAGE, MIB, 0);
	assert_int_equal(b % MIB, 0);
	assert_int_equal(b, 19 * MIB);
	c = kmem_boot_alloc(3 * MIB, PAGE, 8 * MIB);
	assert_int_equal(c, 2 * MIB);		/* above 5 MiB are < 3 MiB */
	d = kmem_boot_alloc(100, 8, 0);
	assert_true(d % 8 == 0 && d >= 16 * MIB && d + 100 <= 20 * MIB);
	assert_int_equal(kmem_boot_alloc(5 * MIB, PAGE, 0), 0);
	assert_int_equal(kmem_boot_alloc(PAGE, PAGE, 1 * MIB), 0);
	assert_int_equal(kmem_boot_alloc(~(kmem_phys_t)0, PAGE, 0), 0);

	assert_int_equal(test_start(map, COUNT(map), &one_cpu), KMEM_OK);
	assert_identity(kmem_boot_info());
	assert_true(kmem_boot_info()->early >= 3 * PAGE + 3 * MIB + 100);
	assert_int_equal(kmem_boot_info()->usable, 11 * MIB - PAGE);
	assert_sound();
	/* use what was given: the free lists must not notice */
	memset(phys_to_virt(a), 0xff, 2 * PAGE);
	memset(phys_to_virt(b), 0xff, PAGE);
	memset(phys_to_virt(c), 0xff, 3 * MIB);
	memset(phys_to_virt(d), 0xff, 100);
	assert_sound();
}

/* Early memory taken from the very page whose address would be NULL, at the
 * bottom of memory and at its top: it must not be counted as metadata and as
 * lost besides. */
static void test_boot_alloc_in_the_null_page(void **state)
{
	static const struct test_range map[] = { USABLE(0, 64 * MIB) };
	struct kmem_params p = one_cpu;
	struct kmem_boot_info info;

	(void)state;
	p.virt_offset = 0;
	assert_int_equal(test_map(map, 1), KMEM_OK);
	assert_int_equal(kmem_boot_alloc(256, 16, PAGE), PAGE - 256);
	assert_int_equal(kmem_boot_plan(&p, &info), KMEM_OK);
	assert_identity(&info);
	assert_int_equal(info.early, 256);

	/* 0 says that there was no room: it is never where something is */
	assert_int_equal(test_map(map, 1), KMEM_OK);
	assert_int_equal(kmem_boot_alloc(PAGE, 16, PAGE), 0);
	assert_int_equal(kmem_boot_alloc(PAGE - 16, 16, PAGE), 16);

	p.virt_offset = PAGE - 64 * MIB;	/* the last page is at NULL */
	assert_int_equal(test_map(map, 1), KMEM_OK);
	assert_int_equal(kmem_boot_alloc(256, 16, 0), 64 * MIB - 256);
	assert_int_equal(kmem_boot_plan(&p, &info), KMEM_OK);
	assert_identity(&info);
}

/*
 * A kernel that reserves what it was given early, wholly or in part, for good
 * measure: those bytes are nobody's then, and must not be counted twice, as
 * metadata and as reserved.
 */
static void test_reserve_over_boot_alloc(void **state)
{
	static const struct test_range map[] = { USABLE(1 * MIB, 8 * MIB) };
	static const struct {
		int64_t from, to;	/* reserved, from the start and end */
	} around[] = {
		{ 0, 0 }, { 0, -100 }, { 100, 0 }, { 1, -1 },
		{ -300, 300 }, { -(int64_t)PAGE, -5000 },
	};

	(void)state;
	for (unsigned i = 0; i < COUNT(around); i++) {
		kmem_phys_t size = 2 * PAGE, a, from, to, both;
		const struct kmem_boot_info *info = kmem_boot_info();
		kmem_phys_t plain;

		assert_int_equal(test_map(map, 1), KMEM_OK);
		assert_int_equal(test_start(map, 1, &one_cpu), KMEM_OK);
		plain = info->metadata;

		assert_int_equal(test_map(map, 1), KMEM_OK);
		a = kmem_boot_alloc(size, PAGE, 4 * MIB);
		assert_int_equal(a, 4 * MIB - size);
		from = a + (kmem_phys_t)around[i].from;
		to = a + size + (kmem_phys_t)around[i].to;
		assert_int_equal(kmem_reserve(from, to - from), KMEM_OK);
		both = (to < a + size ? to : a + size) - (from > a ? from : a);

		assert_int_equal(test_start(map, 1, &one_cpu), KMEM_OK);
		assert_no_panic();
		assert_int_equal(info->usable, 7 * MIB - (to - from));
		assert_int_equal(info->usable, info->managed + info->held +
				 info->metadata + info->rounding +
				 info->unreachable);
		assert_int_equal(info->metadata, plain + size - both);
		assert_int_equal(managed_in_zones() * PAGE, info->managed);
		assert_sound();
		memset(phys_to_virt(a), 0xff, size);
		memset(phys_to_virt(from), 0xff, to - from);
		assert_sound();
	}
}

/* Arguments that make no sense give nothing. */
static void test_boot_alloc_arguments(void **state)
{
	static const struct test_range map[] = { USABLE(1 * MIB, 8 * MIB) };

	(void)state;
	assert_int_equal(test_map(map, 1), KMEM_OK);
	assert_int_equal(kmem_boot_alloc(0, PAGE, 0), 0);
	assert_int_equal(kmem_boot_alloc(PAGE, 3, 0), 0);
	assert_int_equal(kmem_boot_alloc(PAGE, 0, 0), 0);
	assert_int_equal(kmem_boot_alloc(PAGE, 16 * MIB, 0), 0);
}

/* Many early allocations of random size and alignment, compared byte by byte:
 * none overlaps anything that is not free. */
static void test_boot_alloc_random(void **state)
{
	uint64_t seed = test_seed("boot_test: boot_alloc");
	const kmem_phys_t base = 2 * MIB;

	(void)state;
	for (unsigned round = 0; round < test_scaled(40); round++) {
		kmem_reset();
		oracle_start(base);
		for (unsigned i = 0; i < 6; i++) {
			kmem_phys_t at = test_below(&seed, 2 * MIB);
			kmem_phys_t size = test_below(&seed, MIB);
			enum kmem_region_type type =
				i < 4 ? KMEM_REGION_USABLE :
					KMEM_REGION_RESERVED;

			kmem_add_region(base + at, size, type, KMEM_NO_NODE);
			oracle_add(base + at, size, type);
		}
		for (unsigned i = 0; i < 40; i++) {
			kmem_phys_t size = 1 + test_below(&seed, 20000);
			kmem_phys_t align =
				(kmem_phys_t)1 << test_below(&seed, 16);
			kmem_phys_t p = kmem_boot_alloc(size, align, 0);

			if (!p)
				continue;
			REQUIRE(p % align == 0);
			for (kmem_phys_t j = 0; j < size; j++)
				REQUIRE(oracle_byte(p - base + j));
			oracle_add(p, size, KMEM_REGION_RESERVED);
		}
	}
}

/* --------------------------------------------------------- the random maps */

/* A random map in the window: unaligned, overlapping, touching, empty. */
static void random_map(uint64_t *seed, kmem_phys_t base, struct test_range *map,
		       unsigned n)
{
	static const enum kmem_region_type type[8] = {
		KMEM_REGION_RESERVED, KMEM_REGION_RESERVED, KMEM_REGION_LATER,
		KMEM_REGION_USABLE, KMEM_REGION_USABLE, KMEM_REGION_USABLE,
		KMEM_REGION_USABLE, KMEM_REGION_USABLE,
	};
	kmem_phys_t window = WINDOW_PAGES * PAGE, last = 0;

	for (unsigned i = 0; i < n; i++) {
		kmem_phys_t at = test_below(seed, window);
		kmem_phys_t size = test_below(seed, window - at);

		if (test_below(seed, 3) == 0)
			at = last;			/* touch the last */
		if (test_below(seed, 2))
			at &= ~(PAGE - 1);
		if (test_below(seed, 4))
			size %= 64 * PAGE;
		if (test_below(seed, 2))
			size &= ~(PAGE - 1);
		if (at + size > window)
			size = window - at;
		map[i] = (struct test_range){
			base + at, base + at + size, type[test_below(seed, 8)],
			KMEM_NO_NODE,
		};
		last = at + size;
	}
}

static void oracle_take_map(const struct test_range *map, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		oracle_add(map[i].start, map[i].end - map[i].start,
			   map[i].type);
}

/*
 * After kmem_init(): each page that the oracle has is either inside a free
 * block, once, or metadata or in use by kmem itself; and no other page is in a
 * free block.
 */
static void compare_pages(const struct kmem_boot_info *info)
{
	static unsigned char seen[WINDOW_PAGES];
	size_t free_pages = 0;

	memset(seen, 0, sizeof(seen));
	for (size_t i = 0; i < WINDOW_PAGES; i++) {
		struct page *page = pfn_to_page(oracle.base / PAGE + i);

		if (!page || page->type != PAGE_FREE)
			continue;
		for (size_t j = i; j < i + ((size_t)1 << page->order); j++) {
			REQUIRE(j < WINDOW_PAGES);
			REQUIRE(oracle_page(j));
			REQUIRE(!seen[j]);
			seen[j] = 1;
			free_pages++;
		}
	}
	REQUIRE(free_pages == free_in_zones());
	REQUIRE(info->managed == (kmem_phys_t)managed_in_zones() * PAGE);
}

/* Enter into the oracle what kmem has taken for its tables: all of it must
 * have been free, below `end`, and as much as it says. */
static void oracle_take_tables(const struct kmem_boot_info *info,
			       kmem_phys_t end)
{
	kmem_phys_t sum = 0;

	for (unsigned i = 0; i < regions.nr; i++) {
		const struct region *r = &regions.r[i];
		kmem_phys_t size = r->last - r->start + 1;

		if (r->type != KMEM_REGION_BOOT)
			continue;
		REQUIRE(r->last < end);
		for (kmem_phys_t at = r->start; at <= r->last; at++)
			REQUIRE(oracle_byte(at - oracle.base));
		oracle_add(r->start, size, KMEM_REGION_BOOT);
		sum += size;
	}
	REQUIRE(sum == info->metadata);
}

/* Take every page that can be taken: none twice, none that is not ours. */
static void exhaust(uint64_t *seed)
{
	static unsigned char seen[WINDOW_PAGES];
	static struct page *got[WINDOW_PAGES];
	size_t n = 0;
	struct page *page;

	memset(seen, 0, sizeof(seen));
	while ((page = alloc_page(GFP_ATOMIC | __GFP_NOWARN))) {
		kmem_phys_t at = page_to_phys(page) - oracle.base;

		REQUIRE(at < WINDOW_PAGES * PAGE);
		REQUIRE(oracle_page(at / PAGE));
		REQUIRE(!seen[at / PAGE]);
		seen[at / PAGE] = 1;
		memset(page_to_virt(page), (int)test_random(seed), PAGE);
		got[n++] = page;
	}
	REQUIRE(test_violations() == 0);
	while (n)
		__free_page(got[--n]);
	REQUIRE(test_violations() == 0);
}

/* After kmem_init() and each release: all as the oracle has it. */
static void compare_account(kmem_phys_t end)
{
	const struct kmem_boot_info *info = kmem_boot_info();
	struct totals t = oracle_totals(end);

	REQUIRE(info->managed == t.managed);
	REQUIRE(info->held == t.held);
	REQUIRE(info->rounding == t.rounding);
	REQUIRE(info->unreachable == t.unreachable);
	REQUIRE(test_violations() == 0);
	compare_pages(info);
}

/* What was held back, of either type, the one first or the other. Half of the
 * time it is let go up to a limit first. */
static void release_both(uint64_t *seed, kmem_phys_t base, kmem_phys_t end)
{
	static const enum kmem_region_type type[] = {
		KMEM_REGION_LATER, KMEM_REGION_USABLE,
	};
	unsigned first = (unsigned)test_below(seed, 2);

	for (unsigned i = 0; i < 2; i++) {
		unsigned n = first ^ i;

		if (test_below(seed, 2))
			REQUIRE(kmem_release_type(type[n], base +
				test_below(seed, WINDOW_PAGES * PAGE)) ==
				KMEM_OK);
		REQUIRE(kmem_release_type(type[n], 0) == KMEM_OK);
		oracle.released[n ? HELD_STAGED : HELD_LATER] = true;
		compare_account(end);
	}
	REQUIRE(kmem_boot_info()->held == 0);
}

static void random_round(uint64_t *seed, kmem_phys_t base, bool run)
{
	struct test_range map[24];
	unsigned n = 1 + (unsigned)test_below(seed, KMEM_ARRAY_SIZE(map));
	struct kmem_params p = { .nr_cpus = 1 };
	kmem_phys_t end = ~(kmem_phys_t)0;
	struct kmem_boot_info info;
	struct totals t;
	int error;

	random_map(seed, base, map, n);
	oracle_start(base);
	oracle_take_map(map, n);
	if (test_below(seed, 4) == 0)
		end = p.direct_map_end =
			base + (1 + test_below(seed, WINDOW_PAGES)) * PAGE;
	if (test_below(seed, 2) == 0)
		oracle.early_end = p.early_end = base + 1 +
			test_below(seed, WINDOW_PAGES * PAGE);
	/* a virtual offset that no page of the window is NULL with */
	p.virt_offset = 64 * MIB - base / PAGE * PAGE;
	t = oracle_totals(end);
	REQUIRE(test_map(map, n) == KMEM_OK);
	error = kmem_boot_plan(&p, &info);
	REQUIRE(error == KMEM_OK || error == KMEM_ENOMEM);
	REQUIRE(info.usable == t.usable);
	REQUIRE(info.usable_pages == t.pages);
	REQUIRE(info.usable_runs == t.runs);
	REQUIRE(t.managed || error == KMEM_ENOMEM);
	if (error)
		return;
	REQUIRE(info.unreachable == t.unreachable);
	REQUIRE(info.usable == info.managed + info.held + info.metadata +
			       info.rounding + info.unreachable);
	REQUIRE(info.held == t.held);
	if (!run)
		return;
	error = test_start(map, n, &p);
	/* the first caches may not fit into what a plan left over */
	if (error == KMEM_ENOMEM && info.managed <= 32 * PAGE)
		return;
	REQUIRE(error == KMEM_OK);
	REQUIRE(!memcmp(&info, kmem_boot_info(), sizeof(info)));
	REQUIRE(test_violations() == 0);
	oracle_take_tables(&info, end);
	compare_account(end);
	exhaust(seed);
	release_both(seed, base, end);
	exhaust(seed);
}

/* Any map whatever, with and without a limit of the direct map, low, across
 * the ends of DMA and DMA32, and high up: byte for byte as the oracle has it,
 * and the identity holds. */
static void test_random_maps(void **state)
{
	static const kmem_phys_t bases[] = {
		0, 2 * MIB, 15 * MIB + 5 * PAGE, 4 * GIB - MIB, 77 * GIB,
	};
	uint64_t seed = test_seed("boot_test: random maps");

	(void)state;
	for (unsigned i = 0; i < test_scaled(120); i++)
		random_round(&seed, bases[i % COUNT(bases)], i % 2);
}

/* ------------------------------------------------------------------- nodes */

/* Windows of nodes given by their own entries, before or after the memory. */
static void test_node_windows(void **state)
{
	static const struct test_range map[] = {
		NODE(0, 32 * MIB, 0),
		USABLE(1 * MIB, 48 * MIB),
		NODE(32 * MIB, 64 * MIB, 3),
		NODE(1024 * MIB, 2048 * MIB, 5),	/* has no memory */
	};
	struct kmem_zone_stats st;
	struct page *page;

	(void)state;
	start(map, COUNT(map), NULL);
	assert_int_equal(kmem_boot_info()->nr_nodes, 2);
	assert_true(test_zone("DMA", 0, &st));
	assert_true(test_zone("DMA32", 0, &st));
	assert_true(st.end_pfn <= 32 * MIB / PAGE);
	assert_true(test_zone("DMA32", 3, &st));
	assert_true(st.start_pfn >= 32 * MIB / PAGE);
	page = alloc_pages_node(3, GFP_KERNEL | __GFP_THISNODE, 0);
	assert_non_null(page);
	assert_in_range(page_to_phys(page), 32 * MIB, 48 * MIB);
	__free_page(page);
	page = alloc_pages_node(0, GFP_KERNEL | __GFP_THISNODE, 0);
	assert_non_null(page);
	assert_in_range(page_to_phys(page), 1 * MIB, 32 * MIB);
	__free_page(page);
	assert_sound();
}

/* What describes a node's memory is in that memory, also where nodes touch. */
static void test_descriptors_near_their_pages(void **state)
{
	static const struct test_range map[] = {
		{ 1 * MIB, 32 * MIB, KMEM_REGION_USABLE, 0 },
		{ 32 * MIB, 64 * MIB, KMEM_REGION_USABLE, 1 },
	};

	(void)state;
	start(map, COUNT(map), NULL);
	for (kmem_phys_t at = 1 * MIB; at < 64 * MIB; at += MIB) {
		struct page *page = pfn_to_page(at / PAGE);

		if (page)
			assert_int_equal(virt_to_phys(page) >= 32 * MIB,
					 at >= 32 * MIB);
	}
	assert_non_null(pfn_to_page(40 * MIB / PAGE));
}

/* Nodes given with the memory itself, interleaved, with unaligned ends: every
 * page belongs to one node, and no block to two. */
static void test_interleaved_nodes(void **state)
{
	struct test_range map[32];

	(void)state;
	for (unsigned i = 0; i < 32; i++)
		map[i] = (struct test_range){
			MIB + i * 300 * PAGE, MIB + (i + 1) * 300 * PAGE,
			KMEM_REGION_USABLE, (int)(i % 4) };
	start(map, 32, NULL);
	assert_int_equal(kmem_boot_info()->nr_nodes, 4);
	assert_int_equal(managed_in_zones() * PAGE, kmem_boot_info()->managed);
	for (int node = 0; node < 4; node++)
		for (unsigned i = 0; i < 50; i++) {
			struct page *page = alloc_pages_node(node,
					GFP_KERNEL | __GFP_THISNODE, 0);
			kmem_phys_t at;

			assert_non_null(page);
			at = (page_to_phys(page) - MIB) / (300 * PAGE);
			assert_int_equal(at % 4, node);
		}
	assert_sound();
}

/* ----------------------------------------------------------- what it costs */

static uint64_t per_mille(const struct kmem_boot_info *info)
{
	return (info->descriptors + info->section_table) * 1000 /
	       info->managed;
}

/* Descriptors and the section table cost at most 1.6 % of what is managed, up
 * to machines that no test can run. (64 of 4096 bytes are 1.5625 % of all, and
 * 1.587 % of the rest: a small machine can't afford the hole below 1 MiB.) */
static void test_overhead(void **state)
{
	static const uint64_t sizes[] = {
		128 * MIB, 1 * GIB, 64 * GIB, 12 * 1024 * GIB,
	};
	static const struct test_range small[] = {
		USABLE(1 * MIB, 65 * MIB),
	};
	struct kmem_boot_info info;

	(void)state;
	assert_int_equal(plan(small, COUNT(small), &info), KMEM_OK);
	assert_true((info.descriptors + info.section_table) * 1000 <=
		    info.managed * 16);
	for (unsigned i = 0; i < COUNT(sizes); i++) {
		struct test_range pc[] = {
			USABLE(0x1000, 0x9f000),
			USABLE(1 * MIB, sizes[i] > 3 * GIB ? 3 * GIB :
							     sizes[i]),
			USABLE(4 * GIB, 4 * GIB +
			       (sizes[i] > 3 * GIB ? sizes[i] - 3 * GIB : 0)),
		};

		assert_int_equal(plan(pc, COUNT(pc), &info), KMEM_OK);
		assert_identity(&info);
		assert_true((info.descriptors + info.section_table) * 1000 <=
			    info.managed * 16);
		print_message("%8" PRIu64 " MiB: descriptors and sections "
			      "%" PRIu64 " per mille\n", sizes[i] / MIB,
			      per_mille(&info));
	}
}

/* Sections are as long as is cheapest, however far two pieces of memory are
 * from 0 and from one another. */
static void test_cheapest_sections(void **state)
{
	static const uint64_t at[][2] = {
		{ 1 * MIB, 100 * MIB }, { 1 * MIB, 2048 * GIB },
		{ 900 * GIB, 3000 * GIB },
		{ 900 * GIB + 5 * MIB, 901 * GIB + 5 * MIB },
	};
	const uint64_t bytes = 60 * MIB;
	struct kmem_boot_info info;

	(void)state;
	NEEDS_64_BIT();
	for (unsigned i = 0; i < COUNT(at); i++) {
		const struct test_range map[] = {
			USABLE(at[i][0], at[i][0] + bytes),
			USABLE(at[i][1], at[i][1] + bytes),
		};
		uint64_t least = UINT64_MAX, cost;

		for (unsigned o = 6; o <= 18; o++) {
			uint64_t section = (uint64_t)PAGE << o;
			uint64_t first[2], end[2];

			for (unsigned k = 0; k < 2; k++) {
				first[k] = at[i][k] / section;
				end[k] = (at[i][k] + bytes - 1) / section + 1;
			}
			if (first[1] < end[0])
				first[1] = end[0];
			cost = (end[1] - first[0]) * sizeof(void *) +
			       (end[0] - first[0] + end[1] - first[1]) *
			       (sizeof(struct page) << o);
			if (least > cost)
				least = cost;
		}
		assert_int_equal(plan(map, COUNT(map), &info), KMEM_OK);
		cost = info.descriptors + info.section_table;
		assert_true(cost >= least && cost < least + 4 * PAGE);
	}
}

/* A machine of 12 TiB is planned without touching any of it, twice with the
 * same result, and the map is as before. */
static void test_plan_leaves_no_trace(void **state)
{
	static const struct test_range map[] = {
		USABLE(1 * MIB, 3 * GIB), USABLE(4 * GIB, 12 * 1024 * GIB),
	};
	struct kmem_boot_info a, b;

	(void)state;
	assert_int_equal(plan(map, COUNT(map), &a), KMEM_OK);
	assert_int_equal(kmem_boot_plan(&one_cpu, &b), KMEM_OK);
	assert_same_info(&a, &b);
	assert_int_equal(a.usable, 3 * GIB - MIB + 12 * 1024 * GIB - 4 * GIB);
	assert_int_equal(kmem_reserve(2 * MIB, PAGE), KMEM_OK);
	assert_int_equal(kmem_boot_plan(&one_cpu, &b), KMEM_OK);
	assert_int_equal(b.usable, a.usable - PAGE);
}

/* The log of a start says where every byte went. */
static void test_log_of_start(void **state)
{
	static const struct test_range map[] = { USABLE(1 * MIB, 8 * MIB) };

	(void)state;
	test_log_clear();
	start(map, 1, NULL);
	assert_true(test_log_lines() > 0);
	assert_true(test_logged("usable"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_unsorted),
		CASE(test_overlapping),
		CASE(test_reserved_inside),
		CASE(test_unaligned),
		CASE(test_empty_entries),
		CASE(test_holes),
		CASE(test_above_4_gib),
		CASE(test_wrap_around),
		CASE(test_region_arguments),
		CASE(test_too_many_regions),
		CASE(test_reserve_by_the_page),
		CASE(test_long_map),
		CASE(test_long_map_of_one_run),
		CASE(test_full_map_of_one_run),
		CASE(test_no_usable_page),
		CASE(test_too_little),
		CASE(test_smallest_machine),
		CASE(test_failed_start_keeps_the_map),
		CASE(test_sections_that_find_room),
		CASE(test_direct_map_end),
		CASE(test_usable_from_zero),
		CASE(test_addresses_end),
		CASE(test_spread_too_far),
		CASE(test_section_around_null),
		CASE(test_sections_of_all_addresses),
		CASE(test_all_unreachable),
		CASE(test_metadata_end),
		CASE(test_zone_limits),
		CASE(test_unaligned_zone_limit),
		CASE(test_page_at_null),
		CASE(test_parameters),
		CASE(test_busy_and_reset),
		CASE(test_boot_alloc),
		CASE(test_reserve_over_boot_alloc),
		CASE(test_boot_alloc_in_the_null_page),
		CASE(test_boot_alloc_arguments),
		CASE(test_boot_alloc_random),
		CASE(test_random_maps),
		CASE(test_node_windows),
		CASE(test_descriptors_near_their_pages),
		CASE(test_interleaved_nodes),
		CASE(test_overhead),
		CASE(test_cheapest_sections),
		CASE(test_plan_leaves_no_trace),
		CASE(test_log_of_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
