// SPDX-License-Identifier: MIT
/*
 * tests/unit/every_call_test.c - what is promised of every call that gives
 * memory or takes it back, asked of each of them.
 *
 *	zeroed		with __GFP_ZERO all bytes are 0, whoever had them before
 *	interrupts	are left as they were, masked or not, also in failure
 *	zone, node	__GFP_DMA and __GFP_THISNODE are kept to
 *	watermarks	each kind of request stops at its own, and not before
 *	hooks		are called by those that may sleep, and by no others, and
 *			are told of the request what is so
 *	waiters		are woken by whatever comes back
 *
 * A call that is new belongs into the table.
 */
#include <kmem/nolock.h>
#include <kmem/page_ref.h>

#include "unit.h"
#include "kmem_arch.h"

#define QUIET		__GFP_NOWARN
#define START		(1 * MIB)
#define DMA_END		(5 * MIB)
#define SECOND_NODE	(9 * MIB)
#define END		(17 * MIB)
#define MOST		32768		/* bytes of one block here */

static unsigned wakes, waits, reclaims, kills;
static struct kmem_pressure told;
static void (*when_waiting)(const struct kmem_pressure *p);

static size_t (*also_reclaim)(void);

static size_t on_reclaim(void *ctx, const struct kmem_pressure *p)
{
	(void)ctx;
	if (!reclaims++)
		told = *p;
	return also_reclaim ? also_reclaim() : 0;
}

static bool on_kill(void *ctx, const struct kmem_pressure *p)
{
	(void)ctx;
	(void)p;
	kills++;
	return false;
}

static void on_wait(void *ctx, const struct kmem_pressure *p)
{
	(void)ctx;
	REQUIRE(waits++ < 1000);
	when_waiting(p);
}

static void on_wake(void *ctx)
{
	(void)ctx;
	wakes++;
}

static int node_of_cpu(void *ctx, unsigned cpu)
{
	(void)ctx;
	(void)cpu;
	return 4;
}

static struct kmem_cache *cache;

/* Node numbers are not those of a table of nodes: that would look the same. */
static int setup(void **state)
{
	static const struct test_range map[] = {
		{ START, SECOND_NODE, KMEM_REGION_USABLE, 4 },
		{ SECOND_NODE, END, KMEM_REGION_USABLE, 2 },
	};
	static const struct kmem_hooks hooks = {
		.log = test_log,
		.reclaim = on_reclaim, .out_of_memory = on_kill,
		.wait = on_wait, .wake = on_wake, .cpu_node = node_of_cpu,
	};
	const struct kmem_params p = { .nr_cpus = 1, .dma_end = DMA_END,
				       .dma32_end = KMEM_NO_ZONE,
				       .hooks = &hooks };

	(void)state;
	host_memory_share(true);
	assert_int_equal(test_machine(map, 2, &p), KMEM_OK);
	assert_int_equal(host_vmalloc(16 * MIB), KMEM_OK);
	test_panics_record();
	cache = kmem_cache_create("every", 600, 0, 0, NULL);
	assert_non_null(cache);
	wakes = waits = reclaims = kills = 0;
	also_reclaim = NULL;
	return 0;
}

/* ---------------------------------------------------------------- the calls */

static void *address(struct page *page)
{
	return page ? page_to_virt(page) : NULL;
}

static void *get_pages(gfp_t gfp, size_t bytes, int node)
{
	return address(node == KMEM_NO_NODE ?
		       alloc_pages(gfp, get_order(bytes)) :
		       alloc_pages_node(node, gfp, get_order(bytes)));
}

static void *get_free(gfp_t gfp, size_t bytes, int node)
{
	(void)node;
	return (void *)__get_free_pages(gfp, get_order(bytes));
}

static void put_pages(void *p, size_t bytes)
{
	free_pages((uintptr_t)p, get_order(bytes));
}

static void put_ref(void *p, size_t bytes)
{
	(void)bytes;
	put_page(virt_to_page(p));
}

static void *get_exact(gfp_t gfp, size_t bytes, int node)
{
	(void)node;
	return alloc_pages_exact(bytes, gfp);
}

static void *get_exact_range(gfp_t gfp, size_t bytes, int node)
{
	(void)node;
	return alloc_pages_exact_range(bytes, gfp, 0, 0, 0);
}

static void put_exact(void *p, size_t bytes)
{
	free_pages_exact(p, bytes);
}

static void *get_range(gfp_t gfp, size_t bytes, int node)
{
	(void)node;
	return address(alloc_pages_range(get_order(bytes), gfp, 0, 0));
}

static void *get_contig(gfp_t gfp, size_t bytes, int node)
{
	return address(alloc_contig_pages(bytes / PAGE, gfp, node, NULL));
}

static void put_contig(void *p, size_t bytes)
{
	free_contig_range(page_to_pfn(virt_to_page(p)), bytes / PAGE);
}

/* One of several is looked at; the others go back. */
static void *get_bulk(gfp_t gfp, size_t bytes, int node)
{
	struct page *page[3] = { NULL };
	size_t n = node == KMEM_NO_NODE ? alloc_pages_bulk(gfp, 3, page) :
		   alloc_pages_bulk_node(gfp, node, 3, page);

	(void)bytes;
	while (n > 1)
		__free_page(page[--n]);
	return address(page[0]);
}

static void *get_kmalloc(gfp_t gfp, size_t bytes, int node)
{
	return node == KMEM_NO_NODE ? kmalloc(bytes, gfp) :
				      kmalloc_node(bytes, gfp, node);
}

static void *get_aligned(gfp_t gfp, size_t bytes, int node)
{
	(void)node;
	return kmalloc_aligned(bytes, 64, gfp);
}

/* Grown from a third: where it is, or elsewhere. The third is the caller's. */
static void *get_krealloc(gfp_t gfp, size_t bytes, int node)
{
	char *p = kmalloc(bytes / 3, gfp & ~__GFP_ZERO), *more;

	if (!p)
		return NULL;
	memset(p, 0xff, ksize(p));
	if (gfp & __GFP_ZERO) {
		kfree(p);
		p = kmalloc(bytes / 3, gfp);
	}
	more = node == KMEM_NO_NODE ? krealloc(p, bytes, gfp) :
	       krealloc_node_align(p, bytes, 1, gfp, node);
	if (!more)
		kfree(p);
	return more;
}

static void put_kfree(void *p, size_t bytes)
{
	(void)bytes;
	kfree(p);
}

static void put_kfree_bulk(void *p, size_t bytes)
{
	(void)bytes;
	kfree_bulk(1, &p);
}

static void *get_object(gfp_t gfp, size_t bytes, int node)
{
	(void)bytes;
	return node == KMEM_NO_NODE ? kmem_cache_alloc(cache, gfp) :
				      kmem_cache_alloc_node(cache, gfp, node);
}

static void *get_objects(gfp_t gfp, size_t bytes, int node)
{
	void *obj[40];

	(void)bytes;
	(void)node;
	if (!kmem_cache_alloc_bulk(cache, gfp, 40, obj))
		return NULL;
	kmem_cache_free_bulk(cache, 39, obj);
	return obj[39];
}

static void put_object(void *p, size_t bytes)
{
	(void)bytes;
	kmem_cache_free(cache, p);
}

static void *get_kvmalloc(gfp_t gfp, size_t bytes, int node)
{
	return kvmalloc_node(bytes, gfp, node);
}

static void put_kvfree(void *p, size_t bytes)
{
	(void)bytes;
	kvfree(p);
}

static void *get_vmalloc(gfp_t gfp, size_t bytes, int node)
{
	return __vmalloc_node(bytes, 0, gfp, node, NULL);
}

static void *get_vrealloc(gfp_t gfp, size_t bytes, int node)
{
	void *p = __vmalloc_node(bytes / 3, 0, gfp, node, NULL), *more;

	if (!p)
		return NULL;
	more = vrealloc(p, bytes, gfp);
	if (!more)
		vfree(p);
	return more;
}

static void put_vfree(void *p, size_t bytes)
{
	(void)bytes;
	vfree(p);
}

enum { PAGES = 1, NODE = 2, DMA = 4, SLEEPS = 8, SLOW = 16 };

static const struct call {
	const char *name;
	size_t bytes;
	unsigned is;		/* whole pages; may be told a node, __GFP_DMA;
				 * GFP_KERNEL alone; looks at all of memory */
	void *(*get)(gfp_t gfp, size_t bytes, int node);
	void (*put)(void *p, size_t bytes);
} calls[] = {
	{ "order 0", PAGE, PAGES | NODE | DMA, get_pages, put_pages },
	{ "order 2", 4 * PAGE, PAGES | NODE | DMA, get_pages, put_pages },
	{ "order 3", 8 * PAGE, PAGES | NODE | DMA, get_pages, put_ref },
	{ "__get_free_pages", 2 * PAGE, PAGES | DMA, get_free, put_pages },
	{ "exact", 3 * PAGE, PAGES | DMA, get_exact, put_exact },
	{ "exact_range", 3 * PAGE, PAGES | DMA | SLOW, get_exact_range,
	  put_exact },
	{ "range", 4 * PAGE, PAGES | DMA | SLOW, get_range, put_pages },
	{ "contig", 3 * PAGE, PAGES | NODE | DMA | SLOW, get_contig,
	  put_contig },
	{ "pages_bulk", PAGE, PAGES | NODE | DMA, get_bulk, put_pages },
	{ "large kmalloc", 5 * PAGE, PAGES | NODE | DMA, get_kmalloc,
	  put_kfree },
	{ "large krealloc", 7 * PAGE, PAGES | NODE | DMA, get_krealloc,
	  put_kfree_bulk },
	{ "kmalloc", 200, NODE | DMA, get_kmalloc, put_kfree },
	{ "kmalloc of 4096", 4096, NODE | DMA, get_kmalloc, put_kfree_bulk },
	{ "kmalloc_aligned", 300, DMA, get_aligned, put_kfree },
	{ "krealloc", 900, NODE | DMA, get_krealloc, put_kfree },
	{ "object", 600, NODE, get_object, put_object },
	{ "objects", 600, 0, get_objects, put_object },
	{ "kvmalloc", 6 * PAGE, NODE | DMA, get_kvmalloc, put_kvfree },
	{ "vmalloc", 3 * PAGE, NODE | SLEEPS, get_vmalloc, put_vfree },
	{ "vrealloc", 4 * PAGE, SLEEPS, get_vrealloc, put_vfree },
};

#define for_each_call(c) \
	for (const struct call *c = calls; \
	     c < calls + KMEM_ARRAY_SIZE(calls); c++)

/* ------------------------------------------------------------ all of memory */

static void *held[8192];
static size_t nr_held;

static void hold_all(gfp_t gfp)
{
	struct page *page;

	while ((page = alloc_page(gfp | QUIET))) {
		REQUIRE(nr_held < KMEM_ARRAY_SIZE(held));
		held[nr_held++] = page;
	}
}

static void let_go(void)
{
	while (nr_held)
		__free_page(held[--nr_held]);
}

/* All that is free was something else before. */
static void soil(void)
{
	hold_all(GFP_NOWAIT);
	for (size_t i = 0; i < nr_held; i++)
		memset(page_to_virt(held[i]), 0xee, PAGE);
	let_go();
}

/* -------------------------------------------------------------------- tests */

static void *must_get(const struct call *c, gfp_t gfp, int node)
{
	void *p = c->get(gfp, c->bytes, node);

	if (!p)
		fail_msg("%s has none", c->name);
	return p;
}

static void test_zeroed(void **state)
{
	(void)state;
	soil();
	for_each_call(c)
		for (unsigned i = 0; i < 12; i++) {
			gfp_t gfp = GFP_KERNEL | __GFP_ZERO |
				    (i % 3 == 1 ? __GFP_MOVABLE : 0) |
				    (i % 3 == 2 && (c->is & DMA) ? __GFP_DMA : 0);
			char *p = must_get(c, gfp, KMEM_NO_NODE);

			for (size_t b = 0; b < c->bytes; b++)
				if (p[b])
					fail_msg("%s, byte %zu", c->name, b);
			memset(p, 0xff, c->bytes);
			c->put(p, c->bytes);
		}
}

/* With all flags, as it were: while there is memory, and when there is none. */
static void test_interrupts_stay_as_they_are(void **state)
{
	(void)state;
	for (unsigned short_of = 0; short_of < 2; short_of++) {
		if (short_of)
			hold_all(GFP_NOWAIT);
		for_each_call(c) {
			if (c->is & SLEEPS)
				continue;
			for (unsigned masked = 0; masked < 2; masked++) {
				gfp_t gfp = (short_of ? GFP_NOWAIT : GFP_ATOMIC) |
					    QUIET;
				void *p;

				kmem_host_cpu.irqs_masked = (unsigned char)masked;
				p = c->get(gfp, c->bytes, KMEM_NO_NODE);
				if (kmem_host_cpu.irqs_masked != masked)
					fail_msg("%s", c->name);
				if (p)
					c->put(p, c->bytes);
				if (kmem_host_cpu.irqs_masked != masked)
					fail_msg("the end of %s", c->name);
				kmem_host_cpu.irqs_masked = 0;
			}
		}
	}
	let_go();
}

static void test_zone_and_node(void **state)
{
	static const int ids[] = { 4, 2 };

	(void)state;
	for_each_call(c) {
		void *p;

		for (unsigned i = 0; (c->is & NODE) && i < 2; i++) {
			gfp_t gfp = GFP_KERNEL | __GFP_THISNODE;
			struct page *page;

			p = must_get(c, gfp, ids[i]);
			page = vmalloc_to_page(p);
			page = page ? page : virt_to_page(p);
			if (page_to_nid(page) != ids[i])
				fail_msg("%s, node %d", c->name, ids[i]);
			c->put(p, c->bytes);
			/* one that is not there has no memory */
			if (c->get(gfp | QUIET, c->bytes, 0))
				fail_msg("%s of no node", c->name);
		}
		for (unsigned i = 0; (c->is & DMA) && i < 5; i++) {
			p = must_get(c, GFP_KERNEL | __GFP_DMA, KMEM_NO_NODE);
			if (virt_to_phys(p) >= DMA_END)
				fail_msg("%s of DMA memory", c->name);
			c->put(p, c->bytes);
		}
	}
}

static size_t free_of(const struct kmem_zone_stats *st)
{
	return st->free_pages + st->cached_pages;
}

/* What each kind of request leaves of each zone, by whichever call: its mark or
 * more; and where it is single pages, not more than what magazines may hold. */
static void test_watermarks(void **state)
{
	static const struct { gfp_t gfp; unsigned part; } kind[] = {
		{ GFP_NOWAIT, 1 }, { __GFP_HIGH, 2 }, { GFP_ATOMIC, 4 },
	};
	static void *got[8192];

	(void)state;
	for (unsigned k = 0; k < KMEM_ARRAY_SIZE(kind); k++)
		for_each_call(c) {
			struct kmem_zone_stats st;
			size_t n = 0;

			if (!(c->is & PAGES))
				continue;
			/* those that look at all memory each time: the rest */
			if (c->is & SLOW) {
				hold_all(GFP_NOWAIT);
				for (unsigned i = 0; i < 64; i++)
					__free_page(held[--nr_held]);
			}
			while ((got[n] = c->get(kind[k].gfp | QUIET, c->bytes,
						KMEM_NO_NODE)))
				n++;
			for (unsigned i = 0; kmem_zone_stats(i, &st); i++) {
				if (free_of(&st) < st.min / kind[k].part)
					fail_msg("%s leaves %zu", c->name,
						 free_of(&st));
				/* and a 256th of what lies above it */
				if (!strcmp(st.name, "DMA"))
					assert_true(free_of(&st) >=
						    st.min / kind[k].part + 3);
				if (c->bytes == PAGE && free_of(&st) >
				    st.min / kind[k].part +
				    (strcmp(st.name, "DMA") ? 0 : 4))
					fail_msg("%s stops at %zu", c->name,
						 free_of(&st));
			}
			assert_true(n > 0);
			while (n)
				c->put(got[--n], c->bytes);
			let_go();
			drain_pages();
		}
	assert_int_equal(reclaims + kills + waits, 0);
}

static void put_all(struct page **page, size_t n)
{
	while (n)
		if (page[--n])
			__free_page(page[n]);
}

/* Many pages at once: zeroed to the last; of their kind and node, or none; and
 * where memory is low, a page for each call and no more. */
static void test_many_pages(void **state)
{
	static struct page *page[3000];
	struct kmem_zone_stats st;
	size_t n, before;

	(void)state;
	soil();
	n = alloc_pages_bulk_node(GFP_NOWAIT | __GFP_THISNODE | __GFP_ZERO |
				  __GFP_MOVABLE | QUIET, 2, 3000, page);
	assert_in_range(n, 1500, 2048);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(page_to_nid(page[i]), 2);
		for (size_t b = 0; b < PAGE; b++)
			REQUIRE(!((char *)page_to_virt(page[i]))[b]);
	}
	for (unsigned i = 0; kmem_zone_stats(i, &st); i++)
		if (st.node == 2)
			assert_in_range(st.free_pages, st.low - 1, st.low);
	/* low by now: one at a time, down to the minimum; a second one if that
	 * was left for a magazine above the low mark */
	while ((before = n) < 3000) {
		n = alloc_pages_bulk_node(GFP_NOWAIT | __GFP_THISNODE |
					  __GFP_ZERO | QUIET, 2, 3000, page);
		if (n == before)
			break;
		assert_in_range(n - before, 1, 2);
		for (; before < n; before++) {
			for (size_t b = 0; b < PAGE; b++)
				REQUIRE(!((char *)page_to_virt(
						page[before]))[b]);
			memset(page_to_virt(page[before]), 0xff, PAGE);
		}
	}
	for (unsigned i = 0; kmem_zone_stats(i, &st); i++)
		if (st.node == 2)
			assert_int_equal(free_of(&st), st.min);
	put_all(page, n);
	memset(page, 0, sizeof(page));
	/* the DMA zone is kept for those who need it */
	n = alloc_pages_bulk(GFP_NOWAIT | QUIET, 3000, page);
	for (unsigned i = 0; kmem_zone_stats(i, &st); i++)
		if (!strcmp(st.name, "DMA"))
			assert_true(free_of(&st) >= st.low + 1024 / 256 - 1);
	put_all(page, n);
}

/* What waits for nobody has no reserve either. */
static void test_nolock_leaves_the_reserve(void **state)
{
	struct kmem_zone_stats st;
	struct page *page;

	(void)state;
	while ((page = alloc_pages_nolock(0, KMEM_NO_NODE, 0)))
		held[nr_held++] = page;
	for (unsigned i = 0; kmem_zone_stats(i, &st); i++)
		assert_true(free_of(&st) >= st.min);
	assert_true(nr_held > 2000);
	page = alloc_page(GFP_ATOMIC);
	assert_non_null(page);
	__free_page(page);
	let_go();
}

/* Who may sleep asks reclaim, then for a victim, and no more. With
 * __GFP_NORETRY, once and for none; with __GFP_RETRY_MAYFAIL for none. */
static void test_hooks(void **state)
{
	(void)state;
	for_each_call(c) {
		if (!(c->is & PAGES) || (c->is & SLOW))
			continue;
		hold_all(GFP_NOWAIT);
		while (c->get(GFP_NOWAIT, c->bytes, 2))
			fail_msg("%s has memory", c->name);
		reclaims = kills = 0;
		assert_null(c->get(GFP_KERNEL | QUIET, c->bytes, KMEM_NO_NODE));
		if (!reclaims || !kills || waits)
			fail_msg("%s: %u, %u, %u", c->name, reclaims, kills,
				 waits);
		assert_true(told.gfp & __GFP_DIRECT_RECLAIM);
		assert_int_equal(told.node, 4);
		assert_int_equal(told.attempt, 0);
		if (c->get != get_krealloc)
			assert_int_equal(told.order, get_order(c->bytes));
		reclaims = kills = 0;
		assert_null(c->get(GFP_KERNEL | __GFP_RETRY_MAYFAIL | QUIET,
				   c->bytes, KMEM_NO_NODE));
		if (!reclaims || kills)
			fail_msg("%s may fail: %u", c->name, kills);
		reclaims = kills = 0;
		assert_null(c->get(GFP_KERNEL | __GFP_NORETRY | QUIET,
				   c->bytes, KMEM_NO_NODE));
		if (reclaims != 1 || kills)
			fail_msg("%s, not again: %u, %u", c->name, reclaims,
				 kills);
		if ((c->is & NODE) && c->get != get_krealloc) {
			reclaims = 0;
			assert_null(c->get(GFP_KERNEL | QUIET, c->bytes, 2));
			assert_int_equal(told.node, 2);
		}
		let_go();
	}
}

/* -- shrinkers -- */

static unsigned counted[5];

static unsigned long count_by_node(struct shrinker *s, struct shrink_control *sc)
{
	(void)s;
	counted[sc->nid]++;
	return 0;
}

static unsigned long scan_nothing(struct shrinker *s, struct shrink_control *sc)
{
	(void)s;
	(void)sc;
	return 0;
}

/* One that cares for nodes is asked for each, by its number; others once. */
static void test_shrinkers_and_nodes(void **state)
{
	struct shrinker *s;

	(void)state;
	for (unsigned flags = 0; flags <= SHRINKER_NUMA_AWARE; flags++) {
		memset(counted, 0, sizeof(counted));
		s = shrinker_alloc(flags, "nodes");
		assert_non_null(s);
		s->count_objects = count_by_node;
		s->scan_objects = scan_nothing;
		shrinker_register(s);
		hold_all(GFP_KERNEL);
		assert_int_equal(counted[4] && counted[2], flags);
		assert_int_equal(counted[0] > 0, !flags);
		assert_int_equal(counted[1] + counted[3], 0);
		shrinker_free(s);
		let_go();
	}
}

static size_t frees_at_last(void)
{
	if (reclaims == 5)
		__free_page(held[--nr_held]);
	return 1;
}

/* The kernel's own reclaim behind them says that it helps: it is believed, and
 * asked again. */
static void test_shrinkers_and_reclaim(void **state)
{
	struct shrinker *s = shrinker_alloc(0, "in front");
	struct page *page;

	(void)state;
	s->count_objects = s->scan_objects = scan_nothing;
	shrinker_register(s);
	hold_all(GFP_KERNEL);
	also_reclaim = frees_at_last;
	reclaims = kills = 0;
	page = alloc_page(GFP_KERNEL | QUIET);
	assert_non_null(page);
	assert_int_equal(reclaims, 5);
	assert_int_equal(kills, 0);
	assert_int_equal(told.attempt, 0);
	__free_page(page);
	shrinker_free(s);
	let_go();
}

/* -- who waits is woken -- */

static const struct call *being_freed;
static void *to_free;

static void free_something(const struct kmem_pressure *p)
{
	assert_int_equal(p->node, 4);
	assert_int_equal(p->order, 0);
	if (to_free) {
		assert_false(kmem_woken(p));
		wakes = 0;
		being_freed->put(to_free, being_freed->bytes);
		if (!wakes || !kmem_woken(p))
			fail_msg("%s wakes nobody", being_freed->name);
		to_free = NULL;
	} else {
		assert_true(nr_held > 0);
		__free_page(held[--nr_held]);
	}
}

static void test_whatever_comes_back_wakes(void **state)
{
	(void)state;
	when_waiting = free_something;
	for_each_call(c) {
		struct page *page;

		being_freed = c;
		to_free = must_get(c, GFP_KERNEL, KMEM_NO_NODE);
		if (c->put == put_ref) {	/* two holders: the last */
			get_page(virt_to_page(to_free));
			put_page(virt_to_page(to_free));
		}
		hold_all(GFP_KERNEL);
		waits = 0;
		page = alloc_page(GFP_KERNEL | __GFP_NOFAIL | QUIET);
		assert_non_null(page);
		assert_true(waits > 0);
		assert_null(to_free);
		__free_page(page);
		let_go();
		wakes = 0;		/* nobody waits any more */
		c->put(must_get(c, GFP_KERNEL, KMEM_NO_NODE), c->bytes);
		assert_int_equal(wakes, 0);
	}
}

static void free_a_page(const struct kmem_pressure *p)
{
	(void)p;
	assert_true(nr_held > 0);
	__free_page(held[--nr_held]);
}

/* What must not fail is tried until it succeeds, and tries that fail are no
 * news; what may fail says so once (vmalloc() besides, if its array failed). */
static void test_failures_are_told_once(void **state)
{
	(void)state;
	when_waiting = free_a_page;
	for_each_call(c) {
		void *p;

		if (c->get == get_bulk || c->get == get_objects ||
		    c->get == get_krealloc || (c->is & SLOW))
			continue;
		hold_all(GFP_KERNEL);
		test_log_clear();
		p = c->get(GFP_KERNEL, c->bytes, KMEM_NO_NODE);
		if (!p && (test_log_lines() < 1 || test_log_lines() >
			   (c->put == put_kvfree || c->put == put_vfree) + 1u))
			fail_msg("%s says %u lines", c->name, test_log_lines());
		if (p)
			c->put(p, c->bytes);
		test_log_clear();
		waits = 0;
		p = c->get(GFP_KERNEL | __GFP_NOFAIL, c->bytes, KMEM_NO_NODE);
		if (!p || test_log_lines())
			fail_msg("%s: %u lines", c->name, test_log_lines());
		c->put(p, c->bytes);
		if (c->is & NODE) {
			hold_all(GFP_KERNEL);
			p = c->get(GFP_KERNEL | __GFP_NOFAIL | __GFP_THISNODE,
				   c->bytes, 2);
			assert_non_null(p);
			c->put(p, c->bytes);
		}
		wakes = 0;	/* nobody waits any more */
		let_go();
		assert_int_equal(wakes, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_zeroed),
		CASE(test_interrupts_stay_as_they_are),
		CASE(test_zone_and_node),
		CASE(test_watermarks),
		CASE(test_many_pages),
		CASE(test_nolock_leaves_the_reserve),
		CASE(test_hooks),
		CASE(test_shrinkers_and_nodes),
		CASE(test_shrinkers_and_reclaim),
		CASE(test_whatever_comes_back_wakes),
		CASE(test_failures_are_told_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
