/* SPDX-License-Identifier: MIT */
/*
 * tests/host/calls.c - see calls.h.
 */
#include "oracle.h"

#define QUIET		__GFP_NOWARN
#define CPUS		4

static size_t all_pages;	/* what test_pages() said at first */
static size_t first_objects;
static unsigned refused;	/* calls, for lack of memory */

/* -------------------------------------------------------------- the caches */

static const struct {
	size_t size, align;
	slab_flags_t flags;
} cache_kind[] = {
	{ 8, 0, 0 }, { 24, 0, 0 }, { 40, 64, 0 },
	{ 100, 0, SLAB_HWCACHE_ALIGN }, { 600, 128, 0 },
	{ 1400, 0, SLAB_CACHE_DMA }, { 4096, 4096, 0 },
	{ 6000, 0, 0 }, { 20000, 0, 0 },
};
#define NR_CACHES	KMEM_ARRAY_SIZE(cache_kind)

static struct kmem_cache *cache[NR_CACHES];
static unsigned cache_live[NR_CACHES];

static void create_cache(unsigned c)
{
	char name[16];

	snprintf(name, sizeof(name), "calls-%u", c);
	cache[c] = kmem_cache_create(name, cache_kind[c].size,
				     cache_kind[c].align, cache_kind[c].flags,
				     NULL);
}

static void recreate_cache(void)
{
	unsigned c = (unsigned)below(NR_CACHES);

	if (cache_live[c])
		return;
	kmem_cache_destroy(cache[c]);
	create_cache(c);
}

static void hold_object(unsigned c, void *p, gfp_t gfp)
{
	if (cache_kind[c].align)
		CHECK((uintptr_t)p % cache_kind[c].align == 0);
	if (cache_kind[c].flags & SLAB_CACHE_DMA)
		gfp |= __GFP_DMA;
	hold(CACHE, p, cache_kind[c].size, c, gfp);
	cache_live[c]++;
}

/* --------------------------------------------------------------- the calls */

static gfp_t random_gfp(void)
{
	static const gfp_t gfp[] = {
		GFP_KERNEL, GFP_KERNEL, GFP_KERNEL, GFP_ATOMIC, GFP_NOWAIT,
		GFP_NOIO, GFP_KERNEL | __GFP_ZERO, GFP_ATOMIC | __GFP_ZERO,
		GFP_KERNEL | __GFP_NORETRY, GFP_KERNEL | GFP_DMA,
		GFP_ATOMIC | GFP_DMA, GFP_KERNEL | GFP_DMA32,
		GFP_HIGHUSER_MOVABLE, GFP_HIGHUSER_MOVABLE,
		GFP_ATOMIC | __GFP_MOVABLE | __GFP_ZERO,
		GFP_KERNEL | __GFP_RECLAIMABLE,
	};

	return gfp[below(KMEM_ARRAY_SIZE(gfp))] | QUIET;
}

static size_t random_size(void)
{
	unsigned r = (unsigned)below(1000);

	if (r < 600)
		return 1 + below(256);
	if (r < 850)
		return 1 + below(2048);
	if (r < 950)
		return 1 + below(8192);
	if (r < 995)
		return 1 + below(65536);
	return 1 + below(MIB);
}

/* A single page was refused: no zone of the request may have more free than
 * its marks and reserves, whatever CPUs have cached. */
static void check_refusal(gfp_t gfp)
{
	struct kmem_zone_stats st;

	for (unsigned i = 0; kmem_zone_stats(i, &st); i++) {
		if (KMEM_ZONES > 1 && (gfp & __GFP_DMA) && strcmp(st.name, "DMA"))
			continue;
		CHECK(st.free_pages <= st.min + BYTES / PAGE / 256 + 1);
	}
}

static void do_kmalloc(void)
{
	size_t size = random_size();
	gfp_t gfp = random_gfp();
	void *p = below(8) ? kmalloc(size, gfp) :
			     kcalloc(1, size, gfp);

	refused += !p;
	if (!p)
		return;
	CHECK(ksize(p) == test_ksize(size) ||
	      (gfp & KMALLOC_TYPE_GFP) ||
	      calls_source.debug);
	CHECK(ksize(p) >= size);
	hold(KMALLOC, p, ksize(p), 0, gfp);
}

static void do_krealloc(void)
{
	unsigned i = find_held(KMALLOC);
	size_t size = random_size();
	struct holding h;
	void *p;

	if (i == HELD_MAX)
		return;
	h = let_go(i);
	test_fill(h.p, h.size, h.tag);
	p = krealloc(h.p, size, GFP_KERNEL | QUIET);
	if (!p) {
		/* it failed: the old block is as it was */
		p = h.p;
		CHECK(ksize(p) == h.size);
		size = h.size;
	}
	CHECK(ksize(p) >= size);
	CHECK(!test_changed(p, h.size < size ? h.size : size, h.tag));
	hold(KMALLOC, p, ksize(p), 0, 0);
}

static void do_object(void)
{
	unsigned c = (unsigned)below(NR_CACHES);
	gfp_t gfp = random_gfp() & ~KMEM_GFP_ZONEMASK;
	void *p;

	if (!cache[c])
		create_cache(c);
	if (!cache[c])
		return;
	p = below(4) ? kmem_cache_alloc(cache[c], gfp) :
		       kmem_cache_zalloc(cache[c], gfp |= __GFP_ZERO);
	if (p)
		hold_object(c, p, gfp);
}

static void do_bulk(void)
{
	unsigned c = (unsigned)below(NR_CACHES);
	gfp_t gfp = random_gfp() & ~KMEM_GFP_ZONEMASK;
	size_t n = 1 + below(100);
	void *obj[100];

	if (!cache[c] || !kmem_cache_alloc_bulk(cache[c], gfp, n, obj))
		return;
	while (n)
		hold_object(c, obj[--n], gfp);
}

static void do_block(void)
{
	static const unsigned char orders[] = {
		0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 3, 3, 4, 5, 6, 7, 8, 9, 10,
	};
	unsigned order = orders[below(sizeof(orders))];
	gfp_t gfp = random_gfp();
	struct page *page;
	char *p;

	if (order > 5 && below(4))
		order = 0;
	page = alloc_pages(gfp, order);
	refused += !page;
	if (!page) {
		if (!order)
			check_refusal(gfp);
		return;
	}
	p = page_to_virt(page);
	CHECK((uintptr_t)p % (PAGE << order) == 0);
	hold(BLOCK, p, PAGE << order, order, gfp);
}

static void do_exact(void)
{
	size_t size = 1 + below(20 * PAGE);
	gfp_t gfp = random_gfp();
	void *p = alloc_pages_exact(size, gfp);

	if (p)
		hold(EXACT, p, size, 0, gfp);
}

/* A block below a limit, or a run of single pages, or many of them. */
static void do_placed(void)
{
	kmem_phys_t limit = BASE + below(BYTES);
	unsigned order = (unsigned)below(6);
	size_t n = 1 + below(100);
	struct page *page[100] = { NULL };
	gfp_t gfp = random_gfp();

	switch (below(3)) {
	case 0:
		page[0] = alloc_pages_range(order, gfp, limit, 0);
		if (!page[0])
			break;
		CHECK(page_to_phys(page[0]) + (PAGE << order) <= limit);
		hold(BLOCK, page_to_virt(page[0]), PAGE << order, order, gfp);
		break;
	case 1:
		page[0] = alloc_contig_pages(n, gfp, KMEM_NO_NODE, NULL);
		for (size_t i = 0; page[0] && i < n; i++)
			hold(BLOCK, page_to_virt(page[0] + i), PAGE, 0, gfp);
		break;
	default:
		n = alloc_pages_bulk(gfp, n, page);
		for (size_t i = 0; i < n; i++)
			hold(BLOCK, page_to_virt(page[i]), PAGE, 0, gfp);
	}
}

/* A second holder, who lets go again, first or last. */
static void do_share(void)
{
	unsigned i = find_held(BLOCK);
	struct page *page;

	if (i == HELD_MAX)
		return;
	page = virt_to_page(held[i].p);
	CHECK(page_count(page) == 1);
	get_page(page + below(1u << held[i].order));
	held[i].shared = !(KMEM_MOBILITY || KMEM_DEFERRED);
	if (!held[i].shared && below(2))
		__free_pages(page, held[i].order);
	else
		put_page(page);
	CHECK(page_count(page) == 1);
	verify(&held[i]);
}

static void do_split(void)
{
	unsigned i = find_held(BLOCK);
	struct holding h;

	if (i == HELD_MAX || nr_held + (1u << held[i].order) >= HELD_MAX ||
	    held[i].shared)
		return;
	h = let_go(i);
	split_page(virt_to_page(h.p), h.order);
	for (size_t at = 0; at < h.size; at += PAGE)
		hold(BLOCK, h.p + at, PAGE, 0, 0);
}

static void free_object(struct holding *h)
{
	cache_live[h->cache]--;
	if (below(2))
		kmem_cache_free(cache[h->cache], h->p);
	else
		kfree(h->p);
}

static void do_free(void)
{
	struct holding h;

	if (!nr_held)
		return;
	h = let_go((unsigned)below(nr_held));
	switch ((enum kind)h.kind) {
	case KMALLOC:
		if (below(10))
			kfree(h.p);
		else
			kfree_sensitive(h.p);
		break;
	case CACHE:
		free_object(&h);
		break;
	case BLOCK:
		if (!h.shared && below(2))
			__free_pages(virt_to_page(h.p), h.order);
		else if (h.shared || below(2))
			put_page(virt_to_page(h.p));
		else
			free_pages((uintptr_t)h.p, h.order);
		break;
	case EXACT:
		free_pages_exact(h.p, h.size);
	}
}

static void do_free_bulk(void)
{
	void *obj[100];
	size_t n = 1 + below(100), got = 0;

	while (got < n) {
		unsigned i = find_held(CACHE);
		struct holding h;

		if (i == HELD_MAX)
			break;
		h = let_go(i);
		cache_live[h.cache]--;
		obj[got++] = h.p;
	}
	kmem_cache_free_bulk(NULL, got, obj);
}

/* A pointer that must be refused: into the middle of something, or something
 * that is not held by anybody. */
static void do_wrong_free(void)
{
	unsigned i = (unsigned)below(nr_held + 1u);
	const char *p;

	CHECK(test_panics() == 0);
	if (i < nr_held && held[i].size > 16 && below(2)) {
		p = held[i].p + 1 + below(held[i].size - 1);
		if (held[i].kind == EXACT && (uintptr_t)p % PAGE == 0)
			return;		/* those are pages of their own */
	} else {
		p = phys_to_virt(BASE + below(BYTES));
		if (is_owned(p))
			return;
	}
	if (below(2))
		kfree(p);
	else
		kmem_cache_free(cache[0], (void *)(uintptr_t)p);
	CHECK(test_panics() == 1);
	test_panics_clear();
}

static void do_maintenance(void)
{
	unsigned c = (unsigned)below(NR_CACHES);

	switch (below(4)) {
	case 0:
		if (cache[c])
			kmem_cache_shrink(cache[c]);
		break;
	case 1:
		drain_pages();
		break;
	case 2:
		recreate_cache();
		break;
	default:
		break;
	}
}

/* --------------------------------------------------------- the whole of it */

void calls_check(void)
{
	CHECK(test_violations() == 0);
	CHECK(test_pages() + held_pages == all_pages);
	CHECK(test_live_objects() == first_objects + held_objects);
	for (unsigned c = 0; c < NR_CACHES; c++)
		if (cache[c]) {
			struct kmem_cache_stats st;

			kmem_cache_stats(cache[c], &st);
			CHECK(st.live == cache_live[c]);
		}
}

void calls_one(bool growing)
{
	unsigned r = (unsigned)below(1000);

	if (below(4) == 0)
		host_cpu_set((unsigned)below(CPUS));
	if (r < 4)
		do_maintenance();
	else if (r < 10)
		do_wrong_free();
	else if (r < 20)
		do_split();
	else if (r < 24)
		do_placed();
	else if (r < 34)
		do_share();
	else if (r < 70)
		do_krealloc();
	else if (below(100) < (growing ? 60 : 40) && nr_held < HELD_MAX - 200) {
		r = (unsigned)below(100);
		if (r < 45)
			do_kmalloc();
		else if (r < 75)
			do_object();
		else if (r < 78)
			do_bulk();
		else if (r < 95)
			do_block();
		else
			do_exact();
	} else if (below(60) == 0) {
		do_free_bulk();
	} else {
		do_free();
	}
	CHECK(test_panics() == 0);
}

static int node_of_cpu(void *ctx, unsigned cpu)
{
	(void)ctx;
	return (int)(cpu % 2);
}

void calls_start(const struct calls_source *source)
{
	static const struct kmem_hooks hooks = {
		.cpu_node = node_of_cpu, .run_on_cpu = host_run_on_cpu,
	};
	/* the seam is in the middle of a block and of the DMA zone */
	const kmem_phys_t seam = DMA_END - 3 * MIB - 5 * PAGE;
	const struct test_range map[] = {
		{ BASE, BASE + BYTES, KMEM_REGION_USABLE, KMEM_NO_NODE },
		{ seam, BASE + BYTES, KMEM_REGION_NODE,
		  KMEM_MAX_NODES > 1 ? (int)source->nodes - 1 : 0 },
	};
	struct kmem_params p = { .nr_cpus = CPUS, .hooks = &hooks };

	calls_source = *source;
	refused = 0;
	p.debug = calls_source.debug;
	CHECK(test_machine(map, 2, &p) == KMEM_OK);
	test_panics_record();
	for (unsigned c = 0; c < NR_CACHES; c++)
		create_cache(c);
	first_objects = test_live_objects();
	all_pages = test_pages();
}

void calls_end(void)
{
	while (nr_held)
		do_free();
	calls_check();
	test_drain(CPUS);
	calls_check();
	for (unsigned c = 0; c < NR_CACHES; c++)
		kmem_cache_destroy(cache[c]);
	CHECK(test_panics() == 0);
	memset(cache, 0, sizeof(cache));
	kmem_reset();
	host_memory_release();
}

unsigned calls_refused(void)
{
	return refused;
}

size_t calls_pages(size_t *of)
{
	*of = all_pages;
	return all_pages - nr_free_pages();
}
