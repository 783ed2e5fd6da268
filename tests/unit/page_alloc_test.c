// SPDX-License-Identifier: MIT
/*
 * tests/unit/page_alloc_test.c - blocks of pages, through the public calls.
 *
 * The buddy itself is explored state by state in tests/model/exhaustive.c;
 * here it is seen from outside, together with the CPUs' magazines, the zones,
 * the watermarks and what happens when memory runs short.
 */
#include "unit.h"
#include "kmem_arch.h"

#define QUIET	__GFP_NOWARN

static int setup(void **state)
{
	(void)state;
	host_machine(64 * MIB, 1);
	test_panics_record();
	test_log_clear();
	return 0;
}

/* --------------------------------------------------------- lists of blocks */

struct block {
	struct page *page;
	unsigned order;
};

static struct {
	struct block b[65536];
	size_t nr;
} held;

static bool hold(struct page *page, unsigned order)
{
	if (!page)
		return false;
	REQUIRE(held.nr < KMEM_ARRAY_SIZE(held.b));
	held.b[held.nr++] = (struct block){ page, order };
	return true;
}

static void let_go(void)
{
	while (held.nr) {
		held.nr--;
		__free_pages(held.b[held.nr].page, held.b[held.nr].order);
	}
}

/* All that can be had with these flags, largest blocks first. */
static size_t hold_all(gfp_t gfp)
{
	size_t pages = 0;

	for (unsigned order = KMEM_MAX_ORDER + 1; order-- > 0;)
		while (hold(alloc_pages(gfp | QUIET, order), order))
			pages += (size_t)1 << order;
	return pages;
}

static size_t highest_blocks(void)
{
	struct kmem_zone_stats st;
	size_t n = 0;

	for (unsigned i = 0; kmem_zone_stats(i, &st); i++)
		n += st.nr_free[KMEM_MAX_ORDER];
	return n;
}

/* How much there is of memory, and in blocks how large, with nothing cached. */
struct whole {
	size_t pages, free_pages, highest;
};

static struct whole drained(void)
{
	test_drain(1);
	assert_sound();
	return (struct whole){ test_pages(), nr_free_pages(),
			       highest_blocks() };
}

/* All is as before, but for what kmem's own tables have grown by: each page of
 * those can have cost one block of the highest order. */
static void assert_as_whole(struct whole before)
{
	struct whole now = drained();

	assert_int_equal(now.pages, before.pages);
	assert_true(before.free_pages - now.free_pages < 16);
	assert_true(now.highest + (before.free_pages - now.free_pages) >=
		    before.highest);
}

static size_t zone_pages(const char *name, int node)
{
	struct kmem_zone_stats st;

	return test_zone(name, node, &st) ? st.free_pages + st.cached_pages : 0;
}

/* ------------------------------------------------------------------ basics */

/* Each order: aligned to its size, wholly usable, counted to the page. */
static void test_every_order(void **state)
{
	(void)state;
	test_drain(1);
	for (unsigned order = 0; order <= KMEM_MAX_ORDER; order++) {
		size_t before = test_pages();
		struct page *page = alloc_pages(GFP_KERNEL, order);

		assert_non_null(page);
		assert_int_equal(page_to_pfn(page) & ((1u << order) - 1), 0);
		assert_int_equal((uintptr_t)page_to_virt(page) &
				 ((PAGE << order) - 1), 0);
		assert_int_equal(before - test_pages(), 1u << order);
		memset(page_to_virt(page), 0xa5, PAGE << order);
		assert_sound();
		__free_pages(page, order);
		assert_int_equal(test_pages(), before);
		assert_sound();
	}
}

/* An order that no block can have is refused, not shifted out of range. */
static void test_order_too_large(void **state)
{
	(void)state;
	assert_null(alloc_pages(GFP_KERNEL | QUIET, KMEM_MAX_ORDER + 1));
	assert_null(alloc_pages(GFP_KERNEL | QUIET, 31));
	assert_null(alloc_pages(GFP_KERNEL | QUIET, 64));
	assert_null(alloc_pages(GFP_KERNEL | QUIET, ~0u));
	assert_null(alloc_pages_node(0, GFP_KERNEL | QUIET, ~0u));
	assert_int_equal(__get_free_pages(GFP_KERNEL | QUIET, 100), 0);
}

/* Freeing nothing does nothing. */
static void test_free_null(void **state)
{
	(void)state;
	__free_pages(NULL, 0);
	__free_pages(NULL, 77);
	free_pages(0, 3);
	free_pages_exact(NULL, 100);
}

/* Before kmem_init() there is no memory, and asking for some is no fault. */
static void test_before_init(void **state)
{
	(void)state;
	kmem_reset();
	assert_null(alloc_pages(GFP_ATOMIC | QUIET, 0));
	assert_null(alloc_pages_node(0, GFP_ATOMIC | QUIET, 3));
	assert_int_equal(nr_free_pages(), 0);
	host_machine(16 * MIB, 1);
}

/* No page is given twice: all of memory in single pages, and in blocks of
 * mixed orders, each marked with its number. */
static void test_no_page_twice(void **state)
{
	uint64_t seed = test_seed("page_alloc_test: no page twice");
	struct page *page;
	unsigned order;

	(void)state;
	for (;;) {
		order = (unsigned)test_below(&seed, 6);
		page = alloc_pages(GFP_KERNEL | QUIET, order);
		if (!page)
			break;
		test_fill(page_to_virt(page), PAGE << order, held.nr);
		assert_true(hold(page, order));
	}
	while ((page = alloc_pages(GFP_KERNEL | QUIET, 0))) {
		test_fill(page_to_virt(page), PAGE, held.nr);
		assert_true(hold(page, 0));
	}
	assert_true(held.nr > 1000);
	for (size_t i = 0; i < held.nr; i++)
		assert_null(test_changed(page_to_virt(held.b[i].page),
					 PAGE << held.b[i].order, i));
	assert_sound();
	let_go();
}

/* After any mixture of orders has been freed in any order, the blocks have
 * merged into those of the start: memory does not crumble. */
static void test_coalesce_to_the_start(void **state)
{
	uint64_t seed = test_seed("page_alloc_test: coalesce");
	struct whole before;

	(void)state;
	before = drained();
	for (unsigned round = 0; round < 3; round++) {
		for (;;) {
			unsigned order = (unsigned)test_below(&seed, 4);

			if (!hold(alloc_pages(GFP_KERNEL | QUIET, order),
				  order))
				break;
		}
		for (size_t i = held.nr; i > 1; i--) {	/* shuffle */
			size_t j = test_below(&seed, i);
			struct block b = held.b[j];

			held.b[j] = held.b[i - 1];
			held.b[i - 1] = b;
		}
		let_go();
		assert_as_whole(before);
	}
}

/* Contents of a page freed are not kept for the next with __GFP_ZERO, of any
 * order, from a magazine or not. */
static void test_zeroed(void **state)
{
	(void)state;
	for (unsigned order = 0; order <= 5; order++)
		for (unsigned round = 0; round < 10; round++) {
			struct page *page = alloc_pages(GFP_KERNEL |
							__GFP_ZERO, order);
			const char *p = page_to_virt(page);

			assert_non_null(page);
			for (size_t i = 0; i < PAGE << order; i++)
				REQUIRE(p[i] == 0);
			memset(page_to_virt(page), 0xff, PAGE << order);
			__free_pages(page, order);
		}
	for (unsigned round = 0; round < 10; round++) {
		uintptr_t addr = get_zeroed_page(GFP_KERNEL);

		assert_int_not_equal(addr, 0);
		for (size_t i = 0; i < PAGE; i++)
			REQUIRE(((char *)addr)[i] == 0);
		memset((void *)addr, 0xff, PAGE);
		free_page(addr);
	}
}

/* A split block is so many pages, each freed on its own, in any order; then
 * they merge again. */
static void test_split_page(void **state)
{
	struct whole before;

	(void)state;
	before = drained();
	for (unsigned order = 0; order <= KMEM_MAX_ORDER; order++) {
		struct page *page = alloc_pages(GFP_KERNEL, order);
		uintptr_t pfn;

		assert_non_null(page);
		pfn = page_to_pfn(page);
		split_page(page, order);
		assert_sound();
		for (size_t i = 0; i < (size_t)1 << order; i += 2)
			__free_page(pfn_to_page(pfn + i));
		for (size_t i = 1; i < (size_t)1 << order; i += 2)
			__free_page(pfn_to_page(pfn + i));
		assert_sound();
	}
	assert_as_whole(before);
}

/* After a split the block's order is no longer right for its first page. */
static void test_split_then_free_whole(void **state)
{
	struct page *page = alloc_pages(GFP_KERNEL, 2);
	uintptr_t pfn = page_to_pfn(page);

	(void)state;
	split_page(page, 1);
	assert_panicked(page_to_virt(page), "order 1", "order 2");
	split_page(page, 2);
	__free_pages(page, 2);
	assert_panicked(page_to_virt(page), "order 2", "order 0");
	assert_sound();
	for (unsigned i = 0; i < 4; i++)
		__free_page(pfn_to_page(pfn + i));
}

/* alloc_pages_exact() takes as many pages as needed and not one more, for
 * every number of pages up to a block and for odd sizes. */
static void test_exact(void **state)
{
	static const size_t odd[] = {
		1, 4095, 4097, 3 * 4096, 5 * 4096 + 1, 33 * 4096, 511 * 4096,
		(size_t)1 << 22,
	};

	(void)state;
	test_drain(1);
	for (size_t i = 0; i < 64 + KMEM_ARRAY_SIZE(odd); i++) {
		size_t size = i < 64 ? (i + 1) * PAGE : odd[i - 64];
		size_t pages = (size + PAGE - 1) / PAGE;
		size_t before = test_pages();
		char *p = alloc_pages_exact(size, GFP_KERNEL);

		assert_non_null(p);
		assert_int_equal((uintptr_t)p % PAGE, 0);
		assert_int_equal(before - test_pages(), pages);
		memset(p, 0x77, size);
		assert_sound();
		free_pages_exact(p, size);
		assert_int_equal(test_pages(), before);
	}
	assert_null(alloc_pages_exact(0, GFP_KERNEL | QUIET));
	assert_null(alloc_pages_exact((PAGE << KMEM_MAX_ORDER) + 1,
				      GFP_KERNEL | QUIET));
	assert_null(alloc_pages_exact(SIZE_MAX, GFP_KERNEL | QUIET));
	test_drain(1);
	assert_sound();
}

/* get_order() against the definition. */
static void test_get_order(void **state)
{
	unsigned order = 0;

	(void)state;
	for (size_t size = 1; size <= PAGE << KMEM_MAX_ORDER; size++) {
		if (size > PAGE << order)
			order++;
		REQUIRE(get_order(size) == order);
	}
}

/* Orders with magazines: blocks go to the CPU first, are counted as free, and
 * drain_pages() brings them back to the zone. */
static void test_magazines_of_pages(void **state)
{
	struct kmem_zone_stats st;
	uint64_t live;
	size_t before;

	(void)state;
	test_drain(1);
	assert_true(test_zone("DMA32", 0, &st));
	live = st.order[0].allocs - st.order[0].frees;
	before = test_pages();
	for (unsigned i = 0; i < 100; i++)
		assert_true(hold(alloc_page(GFP_KERNEL), 0));
	let_go();
	assert_int_equal(test_pages(), before);
	assert_true(test_zone("DMA32", 0, &st));
	assert_true(st.cached_pages > 0);
	assert_true(st.order[0].allocs >= 100);
	assert_int_equal(st.order[0].allocs - st.order[0].frees, live);
	assert_sound();
	drain_pages();
	assert_true(test_zone("DMA32", 0, &st));
	assert_int_equal(st.cached_pages, 0);
	assert_int_equal(test_pages(), before);
}

/* Of memory that nobody has used yet, blocks come in the order of addresses,
 * and each begins where the one before it ended: but for the first of what a
 * magazine takes at a time. */
static void test_ascending(void **state)
{
	(void)state;
	for (unsigned order = 0; order <= KMEM_CACHED_MAX_ORDER; order++) {
		uintptr_t last = 0;
		unsigned runs = 0;

		for (unsigned i = 0; i < 200; i++) {
			struct page *page = alloc_pages(GFP_KERNEL, order);
			uintptr_t pfn = page_to_pfn(page);

			assert_true(hold(page, order));
			runs += pfn != last + ((uintptr_t)1 << order);
			last = pfn;
		}
		assert_true(runs <= 20);
	}
	let_go();
	assert_sound();
}

/* ------------------------------------------------------------------ misuse */

/* A block freed twice: at once, and after others were freed. It is reported,
 * and the block is not on two lists: no two later requests get it. */
static void test_double_free(void **state)
{
	(void)state;
	for (unsigned order = 0; order <= 5; order++) {
		struct page *page = alloc_pages(GFP_KERNEL, order);
		struct page *other = alloc_pages(GFP_KERNEL, order);
		struct page *a, *b, *c;

		__free_pages(page, order);
		__free_pages(page, order);
		assert_panicked(order <= KMEM_CACHED_MAX_ORDER ?
				page_to_virt(page) : NULL, "free_pages",
				"free");
		__free_pages(other, order);
		__free_pages(page, order);
		assert_panicked(NULL, "free_pages", "free");
		assert_sound();
		a = alloc_pages(GFP_KERNEL, order);
		b = alloc_pages(GFP_KERNEL, order);
		c = alloc_pages(GFP_KERNEL, order);
		assert_true(a && b && c && a != b && b != c && a != c);
		__free_pages(a, order);
		__free_pages(b, order);
		__free_pages(c, order);
		/* and when they have gone back to the zone and merged */
		drain_pages();
		__free_pages(page, order);
		assert_panicked(page_to_virt(page), "free", NULL);
		assert_sound();
	}
}

/* Freed with another order than it was allocated with: both are named. */
static void test_wrong_order(void **state)
{
	struct page *page = alloc_pages(GFP_KERNEL, 3);

	(void)state;
	__free_pages(page, 2);
	assert_panicked(page_to_virt(page), "order 2", "order 3");
	__free_pages(page, 4);
	assert_panicked(page_to_virt(page), "order 4", "order 3");
	__free_pages(page, ~0u);
	assert_panicked(page_to_virt(page), "order 3", NULL);
	assert_sound();
	__free_pages(page, 3);
}

/* A page that is not the first of its block. */
static void test_inner_page(void **state)
{
	struct page *page = alloc_pages(GFP_KERNEL, 3);
	struct page *inner = pfn_to_page(page_to_pfn(page) + 5);

	(void)state;
	__free_pages(inner, 0);
	assert_panicked(page_to_virt(inner), "inside a block", NULL);
	free_pages((uintptr_t)page_to_virt(page) + 8, 3);
	assert_panicked((char *)page_to_virt(page) + 8, "not the start", NULL);
	assert_sound();
	__free_pages(page, 3);
}

/* Addresses that are none of ours, and pages that belong to other layers. */
static void test_foreign_page(void **state)
{
	static char foreign[2 * 4096];
	void *object = kmalloc(100, GFP_KERNEL);
	void *large = kmalloc(64 * KIB, GFP_KERNEL);
	uintptr_t inside = ((uintptr_t)foreign + 4095) & ~(uintptr_t)4095;

	(void)state;
	free_pages(inside, 0);
	assert_panicked((void *)inside, "no memory of kmem's", NULL);
	free_pages((uintptr_t)&inside & ~(uintptr_t)4095, 0);
	assert_panicked(NULL, "no memory of kmem's", NULL);
	__free_pages(virt_to_page(object), 0);
	assert_panicked(NULL, "part of a slab", "kmalloc");
	__free_pages(virt_to_page(large), 4);
	assert_panicked(large, "allocated by kmalloc()", NULL);
	split_page(virt_to_page(large), 4);
	assert_panicked(large, "allocated by kmalloc()", NULL);
	assert_sound();
	kfree(object);
	kfree(large);
}

/* Memory of kmem's own (descriptors) is nobody's to free. */
static void test_metadata_page(void **state)
{
	struct page *own = virt_to_page(kmem_page_map.section);

	(void)state;
	if (!own)
		return;
	__free_pages(own, 0);
	assert_panicked(page_to_virt(own), "no memory of kmem's", NULL);
	assert_sound();
}

/* ------------------------------------------------------------------- zones */

static const struct test_range three_zones[] = {
	{ 1 * MIB, 16 * MIB, KMEM_REGION_USABLE, KMEM_NO_NODE },
	{ 16 * MIB, 32 * MIB, KMEM_REGION_USABLE, KMEM_NO_NODE },
	{ 4 * GIB, 4 * GIB + 16 * MIB, KMEM_REGION_USABLE, KMEM_NO_NODE },
};

static void start_three_zones(const struct kmem_hooks *hooks)
{
	struct kmem_params p = { .nr_cpus = 1, .hooks = hooks };

	NEEDS_64_BIT();
	assert_int_equal(test_machine(three_zones, 3, &p), KMEM_OK);
}

/* Which zone a page is in, by its address. */
static int zone_of(const struct page *page)
{
	kmem_phys_t at = page_to_phys(page);

	return at < 16 * MIB ? 0 : at < 4 * GIB ? 1 : 2;
}

/* An ordinary request takes the highest zone until that is used up, then the
 * next lower, and never goes up again: what is scarce is taken last. */
static void test_zone_fallback(void **state)
{
	struct page *page;
	size_t count[3] = { 0 };
	int last = 2;

	(void)state;
	start_three_zones(NULL);
	/* what start-up left in magazines would come back as reclaim's find,
	 * out of order */
	drain_pages();
	while ((page = alloc_pages(GFP_KERNEL | QUIET, 4))) {
		assert_true(zone_of(page) <= last);
		last = zone_of(page);
		count[last]++;
		hold(page, 4);
	}
	assert_true(count[0] > 0 && count[1] > 0 && count[2] > 0);
	/* ordinary requests leave something of the low zones */
	assert_true(zone_pages("DMA", 0) > 0);
	let_go();
	test_drain(1);
	/* single pages, from magazines, follow the same rule, except that a
	 * magazine may hold a page of the zone that it is of */
	last = 2;
	while ((page = alloc_page(GFP_KERNEL | QUIET))) {
		assert_true(zone_of(page) <= last);
		last = zone_of(page);
		hold(page, 0);
	}
	assert_int_equal(last, 0);
	let_go();
}

/* GFP_DMA stays below 16 MiB and GFP_DMA32 below 4 GiB, of every order, until
 * there is nothing there, although there is plenty above. */
static void test_dma_never_goes_up(void **state)
{
	static const unsigned orders[] = { 0, 1, 3, 4, 7, 10 };

	(void)state;
	start_three_zones(NULL);
	for (unsigned i = 0; i < KMEM_ARRAY_SIZE(orders); i++) {
		struct page *page;

		while ((page = alloc_pages(GFP_DMA | QUIET, orders[i]))) {
			assert_int_equal(zone_of(page), 0);
			hold(page, orders[i]);
		}
		while ((page = alloc_pages(GFP_DMA32 | QUIET, orders[i]))) {
			assert_true(zone_of(page) <= 1);
			hold(page, orders[i]);
		}
		page = alloc_pages(GFP_KERNEL | QUIET, orders[i]);
		assert_non_null(page);
		assert_int_equal(zone_of(page), 2);
		__free_pages(page, orders[i]);
		assert_sound();
		let_go();
		test_drain(1);
	}
}

/* With both zone flags the lower limit counts. */
static void test_both_zone_flags(void **state)
{
	struct page *page;

	(void)state;
	start_three_zones(NULL);
	page = alloc_pages(GFP_DMA | GFP_DMA32, 0);
	assert_non_null(page);
	assert_int_equal(zone_of(page), 0);
	__free_page(page);
}

/* A low zone keeps a reserve from requests that could have gone higher, and
 * gives it to those that can't. */
static void test_low_zone_reserve(void **state)
{
	size_t left;

	(void)state;
	start_three_zones(NULL);
	hold_all(GFP_ATOMIC);
	left = zone_pages("DMA", 0);
	assert_true(left > 0);
	assert_non_null(alloc_pages(GFP_DMA | GFP_ATOMIC | QUIET, 0));
	kmem_reset();		/* with all of that */
	held.nr = 0;
	start_three_zones(NULL);
}

/* -------------------------------------------------------------- watermarks */

/* How deep each kind of request may dig: GFP_KERNEL and GFP_NOWAIT to min,
 * __GFP_HIGH to half of it, GFP_ATOMIC to a quarter. */
static void test_watermarks(void **state)
{
	static const gfp_t flags[] = {
		GFP_NOWAIT, GFP_KERNEL, __GFP_HIGH, GFP_ATOMIC,
	};
	struct kmem_params p = { .nr_cpus = 1, .dma_end = KMEM_NO_ZONE,
				 .dma32_end = KMEM_NO_ZONE };
	struct kmem_zone_stats st;
	size_t left[4];

	(void)state;
	assert_int_equal(test_machine(three_zones, 2, &p), KMEM_OK);
	for (unsigned i = 0; i < 4; i++) {
		hold_all(flags[i]);
		assert_true(kmem_zone_stats(0, &st));
		left[i] = st.free_pages;
		assert_null(alloc_pages(flags[i] | QUIET, 0));
	}
	let_go();
	assert_true(st.min > 8);
	assert_true(st.min <= st.low && st.low <= st.high);
	assert_int_equal(left[0], st.min);
	assert_int_equal(left[1], st.min);
	assert_int_equal(left[2], st.min / 2);
	assert_int_equal(left[3], st.min / 4);
}

/* A block larger than what is left above the mark is refused even though a
 * block of that size is free: the mark is about what remains. */
static void test_watermark_counts_the_block(void **state)
{
	struct kmem_params p = { .nr_cpus = 1, .dma_end = KMEM_NO_ZONE,
				 .dma32_end = KMEM_NO_ZONE };
	struct kmem_zone_stats st;
	struct page *page;
	unsigned order = 3;

	(void)state;
	assert_int_equal(test_machine(three_zones, 2, &p), KMEM_OK);
	while ((page = alloc_pages(GFP_NOWAIT | QUIET, order)))
		hold(page, order);
	drain_pages();
	assert_true(kmem_zone_stats(0, &st));
	assert_true(st.free_pages >= st.min);
	assert_true(st.free_pages < st.min + (1u << order));
	let_go();
}

/* ------------------------------------------------------------------- nodes */

static int node_of_cpu(void *ctx, unsigned cpu)
{
	(void)ctx;
	return (int)(cpu % 3);
}

/* 0 - 1 near, 0 - 2 far, 1 - 2 near: a chain */
static unsigned chain_distance(void *ctx, int from, int to)
{
	int d = from > to ? from - to : to - from;

	(void)ctx;
	return d == 0 ? 10 : d == 1 ? 20 : 40;
}

static const struct test_range three_nodes[] = {
	{ 16 * MIB, 24 * MIB, KMEM_REGION_USABLE, 0 },
	{ 24 * MIB, 32 * MIB, KMEM_REGION_USABLE, 1 },
	{ 32 * MIB, 40 * MIB, KMEM_REGION_USABLE, 2 },
};

static int node_at(const struct page *page)
{
	return (int)((page_to_phys(page) - 16 * MIB) / (8 * MIB));
}

static void start_three_nodes(void)
{
	static const struct kmem_hooks hooks = {
		.cpu_node = node_of_cpu, .node_distance = chain_distance,
	};
	struct kmem_params p = { .nr_cpus = 6, .hooks = &hooks };

	assert_int_equal(test_machine(three_nodes, 3, &p), KMEM_OK);
	assert_int_equal(kmem_boot_info()->nr_nodes, 3);
}

/* A request is served by the node of its CPU, or the one asked for. */
static void test_local_node(void **state)
{
	(void)state;
	start_three_nodes();
	for (unsigned cpu = 0; cpu < 6; cpu++) {
		host_cpu_set(cpu);
		for (unsigned order = 0; order < 6; order++) {
			struct page *page = alloc_pages(GFP_KERNEL, order);

			assert_non_null(page);
			assert_int_equal(node_at(page), cpu % 3);
			__free_pages(page, order);
			for (int node = 0; node < 3; node++) {
				page = alloc_pages_node(node, GFP_KERNEL,
							order);
				assert_non_null(page);
				assert_int_equal(node_at(page), node);
				__free_pages(page, order);
			}
			page = alloc_pages_node(-1, GFP_KERNEL, order);
			assert_non_null(page);
			assert_int_equal(node_at(page), cpu % 3);
			__free_pages(page, order);
		}
	}
	host_cpu_set(0);
}

/* When a node is used up, the nearest helps out, then the next. */
static void test_node_fallback(void **state)
{
	static const int expected[3][3] = {
		{ 0, 1, 2 }, { 1, 2, 0 }, { 2, 1, 0 },
	};
	struct page *page;

	(void)state;
	for (int node = 0; node < 3; node++) {
		unsigned at = 0;
		bool seen[3] = { false };

		start_three_nodes();
		while ((page = alloc_pages_node(node, GFP_NOWAIT | QUIET, 4))) {
			while (at < 3 && expected[node][at] != node_at(page))
				at++;
			assert_true(at < 3);
			seen[node_at(page)] = true;
			hold(page, 4);
		}
		assert_true(seen[0] && seen[1] && seen[2]);
		let_go();
	}
}

/* __GFP_THISNODE: this node or none, although others have plenty. */
static void test_this_node(void **state)
{
	struct page *page;

	(void)state;
	start_three_nodes();
	for (unsigned order = 0; order < 6; order++) {
		while ((page = alloc_pages_node(1, GFP_NOWAIT | QUIET |
						__GFP_THISNODE, order))) {
			assert_int_equal(node_at(page), 1);
			hold(page, order);
		}
		page = alloc_pages_node(1, GFP_NOWAIT | QUIET, order);
		assert_non_null(page);
		assert_true(node_at(page) != 1);
		hold(page, order);
		assert_sound();
		let_go();
		test_drain(6);
	}
	assert_null(alloc_pages_node(5, GFP_NOWAIT | QUIET | __GFP_THISNODE,
				     0));
	page = alloc_pages_node(5, GFP_NOWAIT | QUIET, 0);
	assert_non_null(page);
	__free_page(page);
}

/* A block freed by a CPU of another node still belongs to its own. */
static void test_remote_free(void **state)
{
	size_t before[3], internal;

	(void)state;
	start_three_nodes();
	test_drain(6);
	internal = kmem_internal_bytes();
	for (int node = 0; node < 3; node++)
		before[node] = zone_pages("DMA32", node);
	for (unsigned round = 0; round < 200; round++) {
		host_cpu_set(round % 6);
		assert_true(hold(alloc_pages(GFP_KERNEL, round % 4),
				 round % 4));
	}
	while (held.nr) {
		host_cpu_set((unsigned)(held.nr * 5 % 6));
		held.nr--;
		__free_pages(held.b[held.nr].page, held.b[held.nr].order);
	}
	assert_sound();
	test_drain(6);
	internal = (kmem_internal_bytes() - internal) / PAGE;
	for (int node = 0; node < 3; node++)
		assert_in_range(zone_pages("DMA32", node),
				before[node] - internal, before[node]);
}

/* -------------------------------------------------- when memory runs short */

static struct {
	unsigned reclaims, ooms, waits;
	bool masked;		/* a hook was called with interrupts masked */
	gfp_t gfp;
	unsigned order, last_attempt;
	/* behaviour */
	unsigned give_in_reclaim, give_in_oom, give_in_wait; /* blocks */
	unsigned oom_yes;	/* how often to say: try again */
} hook;

static void note(const struct kmem_pressure *p)
{
	hook.masked |= kmem_host_cpu.irqs_masked;
	hook.gfp = p->gfp;
	hook.order = p->order;
	hook.last_attempt = p->attempt;
}

static size_t give(unsigned blocks)
{
	size_t pages = 0;

	for (; blocks && held.nr; blocks--) {
		held.nr--;
		pages += (size_t)1 << held.b[held.nr].order;
		__free_pages(held.b[held.nr].page, held.b[held.nr].order);
	}
	return pages;
}

static size_t hook_reclaim(void *ctx, const struct kmem_pressure *p)
{
	assert_ptr_equal(ctx, &hook);
	note(p);
	hook.reclaims++;
	return give(hook.give_in_reclaim);
}

static bool hook_oom(void *ctx, const struct kmem_pressure *p)
{
	assert_ptr_equal(ctx, &hook);
	note(p);
	hook.ooms++;
	give(hook.give_in_oom);
	return hook.ooms <= hook.oom_yes;
}

static void hook_wait(void *ctx, const struct kmem_pressure *p)
{
	assert_ptr_equal(ctx, &hook);
	note(p);
	hook.waits++;
	give(hook.give_in_wait);
}

static const struct kmem_hooks short_hooks = {
	.ctx = &hook, .log = test_log, .reclaim = hook_reclaim,
	.out_of_memory = hook_oom, .wait = hook_wait,
};

static const struct kmem_hooks log_only = { .log = test_log };

/* A machine with all memory taken that an ordinary request can have, in blocks
 * of two pages; and the hooks forget. */
static void start_exhausted(const struct kmem_hooks *hooks)
{
	struct kmem_params p = { .nr_cpus = 1, .hooks = hooks };
	struct page *page;

	assert_int_equal(test_machine(three_zones, 2, &p), KMEM_OK);
	while ((page = alloc_pages(GFP_NOWAIT | QUIET, 0)))
		hold(page, 0);
	let_go();
	while ((page = alloc_pages(GFP_NOWAIT | QUIET, 1)))
		hold(page, 1);
	while (alloc_pages(GFP_NOWAIT | QUIET, 0))
		;		/* for good: the odd page */
	memset(&hook, 0, sizeof(hook));
	test_log_clear();
}

/* Requests that must not sleep never reach a hook. */
static void test_atomic_calls_no_hook(void **state)
{
	static const gfp_t flags[] = {
		GFP_NOWAIT, GFP_ATOMIC, GFP_DMA, GFP_DMA32 | __GFP_HIGH,
		GFP_ATOMIC | __GFP_NORETRY,
	};

	(void)state;
	start_exhausted(&short_hooks);
	hook.give_in_reclaim = 10;
	hook.oom_yes = 5;
	for (unsigned i = 0; i < KMEM_ARRAY_SIZE(flags); i++) {
		while (alloc_pages(flags[i] | QUIET, 0))
			;
		assert_null(alloc_pages(flags[i] | QUIET, 5));
		assert_null(kmalloc(100 * KIB, flags[i] | QUIET));
	}
	assert_int_equal(hook.reclaims + hook.ooms + hook.waits, 0);
	let_go();
}

/* GFP_KERNEL calls reclaim, is told what is wanted, and gets what it frees. */
static void test_reclaim_helps(void **state)
{
	struct page *page;

	(void)state;
	start_exhausted(&short_hooks);
	hook.give_in_reclaim = 64;
	page = alloc_pages(GFP_KERNEL, 1);
	assert_non_null(page);
	assert_true(hook.reclaims >= 1);
	assert_int_equal(hook.ooms, 0);
	assert_int_equal(hook.waits, 0);
	assert_false(hook.masked);
	assert_int_equal(hook.order, 1);
	assert_true(hook.gfp & __GFP_DIRECT_RECLAIM);
	assert_int_equal(test_log_lines(), 0);
	__free_pages(page, 1);
	let_go();
}

/* Reclaim that helps a little each time is called again. */
static void test_reclaim_again(void **state)
{
	struct page *page;

	(void)state;
	start_exhausted(&short_hooks);
	hook.give_in_reclaim = 1;
	page = alloc_pages(GFP_KERNEL, 3);	/* four pairs at the least */
	assert_true(hook.reclaims >= 2);
	assert_true(hook.last_attempt >= 1);
	if (page)
		__free_pages(page, 3);
	let_go();
}

/* Reclaim has nothing: the out-of-memory hook decides. It says no: NULL, and
 * a line in the log. */
static void test_out_of_memory_says_no(void **state)
{
	(void)state;
	start_exhausted(&short_hooks);
	assert_null(alloc_pages(GFP_KERNEL, 2));
	assert_true(hook.reclaims >= 1);
	assert_int_equal(hook.ooms, 1);
	assert_int_equal(hook.waits, 0);
	assert_false(hook.masked);
	assert_true(test_logged("order 2"));
	test_log_clear();
	assert_null(alloc_pages(GFP_KERNEL | __GFP_NOWARN, 2));
	assert_int_equal(test_log_lines(), 0);
	let_go();
}

/* It says yes, having freed something: the request succeeds. */
static void test_out_of_memory_helps(void **state)
{
	struct page *page;

	(void)state;
	start_exhausted(&short_hooks);
	hook.oom_yes = 100;
	hook.give_in_oom = 32;
	page = alloc_pages(GFP_KERNEL, 2);
	assert_non_null(page);
	assert_true(hook.ooms >= 1);
	__free_pages(page, 2);
	let_go();
}

/* It says yes three times without freeing anything, then no: an end. */
static void test_out_of_memory_gives_up(void **state)
{
	(void)state;
	start_exhausted(&short_hooks);
	hook.oom_yes = 3;
	assert_null(alloc_pages(GFP_KERNEL | QUIET, 2));
	assert_int_equal(hook.ooms, 4);
	let_go();
}

/* __GFP_NORETRY: one reclaim, no out-of-memory. */
static void test_noretry(void **state)
{
	(void)state;
	start_exhausted(&short_hooks);
	hook.oom_yes = 100;
	assert_null(alloc_pages(GFP_KERNEL | __GFP_NORETRY | QUIET, 2));
	assert_int_equal(hook.reclaims, 1);
	assert_int_equal(hook.ooms, 0);
	hook.give_in_reclaim = 1000;
	{
		struct page *page = alloc_pages(GFP_KERNEL | __GFP_NORETRY, 2);

		assert_non_null(page);
		__free_pages(page, 2);
	}
	let_go();
}

/* __GFP_NOFAIL waits as often as it takes. */
static void test_nofail_waits(void **state)
{
	struct page *page;

	(void)state;
	start_exhausted(&short_hooks);
	hook.give_in_wait = 1;
	page = alloc_pages(GFP_KERNEL | __GFP_NOFAIL, 2);
	assert_non_null(page);
	assert_true(hook.waits >= 1);
	assert_false(hook.masked);
	assert_int_equal(test_log_lines(), 0);
	__free_pages(page, 2);
	let_go();
}

/* __GFP_NOFAIL without a wait hook: a panic that says so, and NULL if that
 * returns. */
static void test_nofail_without_hook(void **state)
{
	(void)state;
	start_exhausted(&log_only);
	assert_null(alloc_pages(GFP_KERNEL | __GFP_NOFAIL | QUIET, 2));
	assert_panicked(NULL, "__GFP_NOFAIL", "wait hook");
	assert_sound();
	let_go();
}

/* No hooks at all: GFP_KERNEL fails with a line in the log, __GFP_NOWARN
 * without. */
static void test_no_hooks(void **state)
{
	(void)state;
	start_exhausted(&log_only);
	assert_null(alloc_pages(GFP_KERNEL, 3));
	assert_true(test_logged("order 3"));
	test_log_clear();
	assert_null(alloc_pages(GFP_KERNEL | __GFP_NOWARN, 3));
	assert_null(alloc_pages(GFP_NOWAIT | __GFP_NOWARN, 3));
	assert_int_equal(test_log_lines(), 0);
	let_go();
}

/* Pages in this CPU's magazines are found when the zone has none: of the same
 * order, and as parts of a larger block. */
static void test_cached_pages_are_found(void **state)
{
	struct page *a, *b;

	(void)state;
	start_exhausted(&log_only);
	assert_true(give(2) == 4);		/* into a magazine */
	a = alloc_pages(GFP_NOWAIT | QUIET, 0);
	b = alloc_pages(GFP_NOWAIT | QUIET, 0);
	assert_true(a && b);
	hold(a, 0);
	hold(b, 0);
	assert_sound();
	let_go();
}

/* ---------------------------------------------- what magazines may pin down */

/* Fill and empty the magazines of pages of all CPUs, a few times. */
static void fill_magazines(unsigned cpus)
{
	struct page *page[40];

	for (unsigned cpu = 0; cpu < cpus; cpu++)
		for (unsigned i = 0; i < 16; i++) {
			unsigned n = 0, order = i % 4;

			host_cpu_set(cpu);
			while (n < 40 && (page[n] = alloc_pages(GFP_NOWAIT |
								QUIET, order)))
				n++;
			while (n)
				__free_pages(page[--n], order);
		}
	host_cpu_set(0);
}

/*
 * Many CPUs on a small machine, each with magazines of pages that nobody takes
 * back in time: together they must not hold more than a 64th of
 * a zone, and the depots twice that. Where a CPU's share is
 * less than a block it has no magazine, and all must work without.
 */
static void test_many_cpus_on_a_small_zone(void **state)
{
	static const struct {
		unsigned cpus, mib;
		bool none;		/* no share makes a page */
	} machine[] = {
		{ 64, 16, true }, { 240, 64, true }, { 64, 256, false },
		{ 8, 16, true }, { 8, 64, false }, { 2, 4, true },
		{ 2, 12, false }, { 1, 64, false },
	};

	(void)state;
	for (unsigned i = 0; i < KMEM_ARRAY_SIZE(machine); i++) {
		unsigned cpus = machine[i].cpus;
		size_t cached = 0, managed = 0, got;
		struct kmem_zone_stats st;

		host_machine(machine[i].mib * MIB, cpus);
		for (unsigned round = 0; round < 3; round++)
			fill_magazines(cpus);
		for (unsigned k = 0; kmem_zone_stats(k, &st); k++) {
			assert_true(st.cached_pages * 64 <= st.managed * 3);
			cached += st.cached_pages;
			managed += st.managed;
		}
		assert_sound();
		assert_int_equal(cached == 0, machine[i].none);
		got = hold_all(GFP_KERNEL);
		/* CPU 0 alone gets all but the marks and that little */
		assert_true(got * 100 >= managed * 90);
		assert_sound();
		let_go();
	}
	host_machine(64 * MIB, 1);
}

static unsigned ran_on;

/* Stands for an inter-processor interrupt: be that CPU for a moment. */
static void run_on_cpu(void *ctx, unsigned cpu, void (*fn)(void *), void *arg)
{
	(void)ctx;
	ran_on |= 1u << cpu;
	host_cpu_set(cpu);
	fn(arg);
	host_cpu_set(0);
}

/* Pages in the magazines of CPUs that are idle: with a run_on_cpu hook a
 * request that may wait gets them, one that may not does without. */
static void test_pages_of_idle_cpus(void **state)
{
	static const struct kmem_hooks hooks = { .run_on_cpu = run_on_cpu };
	static const struct test_range map[] = {
		{ 1 * MIB, 16 * MIB, KMEM_REGION_USABLE, KMEM_NO_NODE },
	};
	struct kmem_params p = { .nr_cpus = 3, .hooks = &hooks };
	struct kmem_zone_stats st;

	(void)state;
	assert_int_equal(test_machine(map, 1, &p), KMEM_OK);
	fill_magazines(3);
	ran_on = 0;
	hold_all(GFP_NOWAIT);
	assert_int_equal(ran_on, 0);
	assert_true(test_zone("DMA", 0, &st));
	assert_true(st.cached_pages > 0);
	assert_true(hold(alloc_page(GFP_KERNEL | QUIET), 0));
	assert_int_equal(ran_on, 6);
	hold_all(GFP_KERNEL);
	assert_true(test_zone("DMA", 0, &st));
	assert_int_equal(st.cached_pages, 0);
	assert_true(st.free_pages <= st.min);
	assert_sound();
	let_go();
}

/*
 * A kernel without run_on_cpu that counts its memory by taking it: whatever
 * other CPUs have freed before, and never come back, one CPU gets the same, to
 * the page.
 */
static void test_taking_all_counts_all(void **state)
{
	static const struct test_range map[] = {
		{ 1 * MIB, 65 * MIB, KMEM_REGION_USABLE, KMEM_NO_NODE },
	};
	struct kmem_params p = { .nr_cpus = 8, .hooks = &log_only };
	struct kmem_zone_stats st;
	size_t before;

	(void)state;
	assert_int_equal(test_machine(map, 1, &p), KMEM_OK);
	before = hold_all(GFP_NOWAIT);
	let_go();
	fill_magazines(8);
	for (unsigned k = 0; kmem_zone_stats(k, &st); k++)
		assert_int_equal(st.cached_pages, 0);
	assert_int_equal(hold_all(GFP_NOWAIT), before);
	let_go();
	assert_sound();
}

/* The CPUs of a hosted machine are threads, and each can be reached: one takes
 * all that there is while the others, idle, have had pages in magazines. */
static unsigned nr_idle;

static void idle_with_pages(unsigned cpu, void *arg)
{
	size_t *got = arg;
	struct page *page[32];

	if (cpu) {
		for (unsigned i = 0; i < KMEM_ARRAY_SIZE(page); i++)
			page[i] = alloc_page(GFP_KERNEL);
		for (unsigned i = 0; i < KMEM_ARRAY_SIZE(page); i++)
			__free_page(page[i]);
	}
	kmem_add_relaxed(&nr_idle, 1);
	while (kmem_load_acquire(&nr_idle) < 4)
		kmem_arch_relax();
	if (cpu)
		while (kmem_load_acquire(&nr_idle) < 5)
			kmem_arch_relax();
	else
		*got = hold_all(GFP_KERNEL);
	kmem_add_relaxed(&nr_idle, 1);
}

/* But for what magazines themselves need, which depends on the order in which
 * they came and went, and on whose tables their slots are in, all pages. */
static void test_threads_are_reached(void **state)
{
	size_t before, tables, got = 0;

	(void)state;
	host_machine(64 * MIB, 4);
	before = hold_all(GFP_KERNEL);
	tables = kmem_internal_bytes();
	let_go();
	nr_idle = 0;
	host_run_cpus(4, idle_with_pages, &got);
	tables = kmem_internal_bytes() - tables;
	assert_int_equal(got + tables / KMEM_PAGE_SIZE, before);
	assert_in_range(tables, 0, 4 * KMEM_PAGE_SIZE);
	let_go();
	assert_sound();
}

/* Magazines themselves take memory. When that is down to the mark they must
 * leave the rest to those it is kept for: objects then go directly between
 * their users and the slabs. */
static void test_magazines_leave_the_reserve(void **state)
{
	enum { CPUS = 8, CACHES = 40 };
	static struct kmem_cache *s[CACHES];
	static void *obj[CACHES];
	struct kmem_zone_stats st;

	(void)state;
	host_machine(14 * MIB, CPUS);
	for (unsigned k = 0; k < CACHES; k++) {
		char name[16];

		snprintf(name, sizeof(name), "reserve-%u", k);
		s[k] = kmem_cache_create(name, 64, 0, 0, NULL);
		obj[k] = kmem_cache_alloc(s[k], GFP_KERNEL);
		assert_non_null(obj[k]);
	}
	while (hold(alloc_page(GFP_KERNEL | QUIET), 0))
		;
	assert_true(test_zone("DMA", 0, &st));
	assert_true(st.min > 0);
	assert_true(st.free_pages >= st.min);
	for (unsigned cpu = 0; cpu < CPUS; cpu++) {
		host_cpu_set(cpu);
		for (unsigned k = 0; k < CACHES; k++)
			for (unsigned i = 0; i < 3; i++) {
				void *p = kmem_cache_alloc(s[k], GFP_NOWAIT |
							   QUIET);

				assert_non_null(p);
				kmem_cache_free(s[k], p);
			}
		assert_null(alloc_page(GFP_NOWAIT | QUIET));
	}
	host_cpu_set(0);
	assert_true(test_zone("DMA", 0, &st));
	assert_true(st.free_pages >= st.min);
	assert_sound();
	/* those it is kept for get it */
	assert_true(hold(alloc_page(GFP_ATOMIC | QUIET), 0));
	let_go();
	for (unsigned k = 0; k < CACHES; k++) {
		kmem_cache_free(s[k], obj[k]);
		kmem_cache_destroy(s[k]);
	}
}

/* Empty slabs are given back when pages are needed. */
static void test_slabs_are_reclaimed(void **state)
{
	struct kmem_params p = { .nr_cpus = 1, .hooks = &log_only };
	static void *objs[20000];
	unsigned n = 0;

	(void)state;
	assert_int_equal(test_machine(three_zones, 2, &p), KMEM_OK);
	while (n < KMEM_ARRAY_SIZE(objs) &&
	       (objs[n] = kmalloc(2048, GFP_NOWAIT | QUIET)))
		n++;
	assert_true(n > 5000 && n < KMEM_ARRAY_SIZE(objs));
	while (n)
		kfree(objs[--n]);
	hold_all(GFP_KERNEL);
	assert_true(held.nr > 0);
	assert_sound();
	/* all but the reserve and kmem's own */
	assert_true(nr_free_pages() < 400);
	let_go();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_every_order),
		CASE(test_order_too_large),
		CASE(test_free_null),
		CASE(test_before_init),
		CASE(test_no_page_twice),
		CASE(test_coalesce_to_the_start),
		CASE(test_zeroed),
		CASE(test_split_page),
		CASE(test_split_then_free_whole),
		CASE(test_exact),
		CASE(test_get_order),
		CASE(test_magazines_of_pages),
		CASE(test_ascending),
		CASE(test_double_free),
		CASE(test_wrong_order),
		CASE(test_inner_page),
		CASE(test_foreign_page),
		CASE(test_metadata_page),
		CASE(test_zone_fallback),
		CASE(test_dma_never_goes_up),
		CASE(test_both_zone_flags),
		CASE(test_low_zone_reserve),
		CASE(test_watermarks),
		CASE(test_watermark_counts_the_block),
		CASE(test_local_node),
		CASE(test_node_fallback),
		CASE(test_this_node),
		CASE(test_remote_free),
		CASE(test_atomic_calls_no_hook),
		CASE(test_reclaim_helps),
		CASE(test_reclaim_again),
		CASE(test_out_of_memory_says_no),
		CASE(test_out_of_memory_helps),
		CASE(test_out_of_memory_gives_up),
		CASE(test_noretry),
		CASE(test_nofail_waits),
		CASE(test_nofail_without_hook),
		CASE(test_no_hooks),
		CASE(test_cached_pages_are_found),
		CASE(test_many_cpus_on_a_small_zone),
		CASE(test_pages_of_idle_cpus),
		CASE(test_taking_all_counts_all),
		CASE(test_threads_are_reached),
		CASE(test_magazines_leave_the_reserve),
		CASE(test_slabs_are_reclaimed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
