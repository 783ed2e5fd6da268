// SPDX-License-Identifier: MIT
/*
 * tests/inject/scenarios.c - see scenarios.h.
 */
#include <stdlib.h>

#include "scenarios.h"

#define NR(a)	KMEM_ARRAY_SIZE(a)
#define LARGE	(5 * KMEM_PAGE_SIZE)

/* Freed by another CPU than the one that allocates, so that magazines fill on
 * one and run dry on the other, and the depot has something to do. */
static void there_and_back(struct kmem_cache *s, gfp_t gfp)
{
	void *p[150];

	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < NR(p); i++) {
			p[i] = kmem_cache_alloc(s, gfp);
			if (p[i])
				memset(p[i], (int)i, kmem_cache_size(s));
		}
		host_cpu_set(1);
		for (unsigned i = 0; i < NR(p); i++)
			kmem_cache_free(s, p[i]);
		host_cpu_set(0);
	}
}

/* ---- caches ---- */

static void ctor(void *obj)
{
	memset(obj, 0x11, 100);
}

static void caches(void)
{
	const struct kmem_cache_args args = { .align = 64, .ctor = ctor,
					      .sheaf_capacity = 8 };
	struct kmem_cache *a = kmem_cache_create("a", 100, 0, 0, NULL);
	struct kmem_cache *b = kmem_cache_create("b", 100, &args, 0);
	struct kmem_cache *c = kmem_cache_create("c", 6000, 0, SLAB_CACHE_DMA |
						 SLAB_HWCACHE_ALIGN, NULL);
	void *p;

	/* A name that is taken is refused, whatever else fails. */
	REQUIRE(!a || !kmem_cache_create("a", 100, 0, 0, NULL));
	if (a)
		there_and_back(a, GFP_KERNEL);
	if (b)
		there_and_back(b, GFP_NOWAIT);
	if (c) {
		p = kmem_cache_zalloc(c, GFP_ATOMIC);
		kmem_cache_shrink(c);
		kmem_cache_free(c, p);
	}
	kmem_cache_destroy(c);
	kmem_cache_destroy(b);
	kmem_cache_destroy(a);
}

/* params.merge_caches is set: these share one. */
static void shared_caches(void)
{
	struct kmem_cache *s[4];
	char name[] = "share0";
	void *p[NR(s)] = { NULL };

	for (unsigned i = 0; i < NR(s); i++, name[5]++)
		s[i] = kmem_cache_create(name, 500 - 8 * i, 0, 0, NULL);
	for (unsigned i = 0; i < NR(s); i++)
		if (s[i])
			p[i] = kmem_cache_zalloc(s[i], GFP_KERNEL);
	for (unsigned i = 0; i < NR(s); i++) {
		if (s[i])
			kmem_cache_free(s[i], p[i]);
		kmem_cache_destroy(s[i]);
	}
}

static void bulk(void)
{
	struct kmem_cache *s = kmem_cache_create("bulk", 72, 0, 0, NULL);
	void *p[100];
	size_t n;

	if (!s)
		return;
	for (unsigned i = 0; i < 3; i++) {
		n = kmem_cache_alloc_bulk(s, GFP_KERNEL | __GFP_ZERO, NR(p), p);
		REQUIRE(n == 0 || n == NR(p));
		host_cpu_set(i & 1);
		kmem_cache_free_bulk(s, n, p);
	}
	host_cpu_set(0);
	kmem_cache_destroy(s);
}

static void sheaves(void)
{
	struct kmem_cache *s = kmem_cache_create("sheaf", 200, 0, 0, NULL);
	struct slab_sheaf *sheaf;
	void *p[20] = { NULL };

	if (!s)
		return;
	sheaf = kmem_cache_prefill_sheaf(s, GFP_KERNEL, 10);
	if (sheaf) {
		REQUIRE(kmem_cache_sheaf_size(sheaf) == 10);
		for (unsigned i = 0; i < 5; i++)
			REQUIRE((p[i] = kmem_cache_alloc_from_sheaf(s,
					GFP_NOWAIT, sheaf)));
		if (!kmem_cache_refill_sheaf(s, GFP_KERNEL, &sheaf, 15))
			REQUIRE(kmem_cache_sheaf_size(sheaf) == 15);
		else
			REQUIRE(kmem_cache_sheaf_size(sheaf) == 5);
		kmem_cache_return_sheaf(s, GFP_KERNEL, sheaf);
	}
	kmem_cache_free_bulk(s, NR(p), p);
	kmem_cache_destroy(s);
}

static void limits(void)
{
	struct kmem_cache *s = kmem_cache_create("limit", 300, 0, 0, NULL);
	void *p[60];
	size_t most, got = 0;

	if (!s)
		return;
	most = kmem_cache_set_max(s, 40);
	for (unsigned i = 0; i < NR(p); i++)
		got += !!(p[i] = kmem_cache_alloc(s, GFP_KERNEL));
	REQUIRE(got <= most);
	kmem_cache_free_bulk(s, NR(p), p);
	if (!kmem_cache_prealloc(s, 30, GFP_KERNEL))
		for (unsigned i = 0; i < 30; i++)
			p[i] = kmem_cache_alloc(s, GFP_NOWAIT);
	else
		memset(p, 0, sizeof(p));
	kmem_cache_free_bulk(s, 30, p);
	kmem_cache_destroy(s);
}

static void debugged(void)
{
	struct kmem_cache *s = kmem_cache_create("debugged", 120, 0,
			SLAB_CONSISTENCY_CHECKS | SLAB_RED_ZONE | SLAB_POISON |
			SLAB_STORE_USER, NULL);
	void *p[60], *more[4];

	if (!s)
		return;
	for (unsigned i = 0; i < NR(p); i++)
		p[i] = kmem_cache_alloc(s, i & 1 ? GFP_KERNEL : GFP_ATOMIC);
	if (kmem_cache_alloc_bulk(s, GFP_KERNEL, NR(more), more))
		kmem_cache_free_bulk(s, NR(more), more);
	kmem_cache_free_bulk(s, NR(p), p);
	REQUIRE(kmem_cache_validate(s) == 0);
	kmem_cache_destroy(s);
}

/* ---- kmalloc ---- */

static void kmallocs(void)
{
	static const size_t size[] = { 1, 8, 60, 100, 500, 1000, 3000, 8000,
				       9000, 20000, 100000 };
	void *p[NR(size)][3];

	for (unsigned i = 0; i < NR(size); i++) {
		p[i][0] = kmalloc(size[i], GFP_KERNEL);
		p[i][1] = kzalloc(size[i], GFP_ATOMIC);
		p[i][2] = kmalloc(size[i], i & 1 ? GFP_KERNEL | GFP_DMA :
				  GFP_KERNEL | __GFP_RECLAIMABLE);
	}
	for (unsigned i = 0; i < NR(size); i++) {
		kfree(p[i][0]);
		kfree_sensitive(p[i][1]);
		kfree(p[i][2]);
	}
	p[0][0] = kcalloc(10, 30, GFP_KERNEL);
	p[0][1] = kmalloc_aligned(100, 256, GFP_KERNEL);
	p[0][2] = kstrdup("a string", GFP_KERNEL);
	p[1][0] = kstrndup("a string", 3, GFP_KERNEL);
	p[1][1] = kmemdup("bytes", 5, GFP_KERNEL);
	p[1][2] = kmemdup_nul("bytes", 5, GFP_KERNEL);
	REQUIRE(!p[0][2] || !strcmp(p[0][2], "a string"));
	kfree_bulk(6, p[0]);
}

/* When it can't grow, the old block is as it was. */
static void kreallocs(void)
{
	static const size_t size[] = { 10, 100, 101, 5000, 30000, 31000, 50,
				       200000, 20 };
	char *p = NULL;
	size_t old = 0;

	for (unsigned i = 0; i < NR(size); i++) {
		char *q = i & 1 ? krealloc_aligned(p, size[i], 64, GFP_KERNEL) :
				  krealloc(p, size[i], GFP_KERNEL);
		size_t same = old < size[i] ? old : size[i];

		if (!q) {
			REQUIRE(!test_changed(p ? p : "", old, 1));
			continue;
		}
		p = q;
		REQUIRE(!test_changed(p, same, 1));
		old = size[i];
		test_fill(p, old, 1);
	}
	kfree(p);
}

static void nodes(void)
{
	struct kmem_cache *s = kmem_cache_create("node", 400, 0, 0, NULL);
	void *p[30][3] = { { NULL } };
	struct page *page = alloc_pages_node(1, GFP_KERNEL | __GFP_THISNODE, 2);

	for (unsigned i = 0; s && i < NR(p); i++) {
		p[i][0] = kmem_cache_alloc_node(s, GFP_KERNEL, (int)i & 1);
		p[i][1] = kmem_cache_alloc_node(s, GFP_KERNEL | __GFP_THISNODE,
						1);
		if (p[i][1])
			REQUIRE(page_to_nid(virt_to_page(p[i][1])) == 1);
	}
	for (unsigned i = 0; i < 10; i++)
		p[i][2] = kmalloc_node(i * 2000, GFP_KERNEL, 1);
	for (unsigned i = 0; i < NR(p); i++)
		kfree_bulk(NR(p[i]), p[i]);
	kmem_cache_destroy(s);
	__free_pages(page, 2);
}

static void nolocks(void)
{
	void *p[40], *large = kmalloc_nolock(LARGE, __GFP_ZERO, KMEM_NO_NODE);
	struct page *page = alloc_pages_nolock(0, KMEM_NO_NODE, 1);

	for (unsigned i = 0; i < NR(p); i++)
		p[i] = kmalloc_nolock(1 + 90 * i, __GFP_ZERO, KMEM_NO_NODE);
	for (unsigned i = 0; i < NR(p); i++)
		if (i & 1)
			kfree_nolock(p[i]);
		else
			kfree(p[i]);
	free_pages_nolock(page, 1);
	kfree_nolock(large);
}

/* ---- pages ---- */

static void blocks(void)
{
	static const gfp_t gfp[] = { GFP_KERNEL, GFP_ATOMIC, GFP_KERNEL | GFP_DMA,
				     GFP_HIGHUSER_MOVABLE, GFP_KERNEL |
				     __GFP_RECLAIMABLE | __GFP_ZERO };
	struct page *page[NR(gfp)][7];
	uintptr_t addr = __get_free_pages(GFP_KERNEL, 1);
	uintptr_t zeroed = get_zeroed_page(GFP_NOWAIT);

	for (unsigned i = 0; i < NR(gfp); i++)
		for (unsigned o = 0; o < 7; o++)
			page[i][o] = alloc_pages(gfp[i], o);
	if (page[0][3]) {
		get_page(page[0][3]);
		put_page(page[0][3]);
	}
	for (unsigned i = 0; i < NR(gfp); i++) {
		host_cpu_set(i & 1);
		for (unsigned o = 0; o < 7; o++)
			__free_pages(page[i][o], o);
	}
	host_cpu_set(0);
	free_pages(addr, 1);
	free_pages(zeroed, 0);
}

static void pages_apart(void)
{
	void *exact = alloc_pages_exact(LARGE, GFP_KERNEL);
	void *within = alloc_pages_exact_range(LARGE, GFP_KERNEL, 16 * MIB, 0,
					       64 * KIB);
	struct page *split = alloc_pages(GFP_KERNEL, 2);
	struct page *below = alloc_pages_range(1, GFP_KERNEL, 16 * MIB, 0);
	struct page *contig = alloc_contig_pages(37, GFP_KERNEL, -1, NULL);
	uintptr_t first = (uintptr_t)(8 * MIB >> KMEM_PAGE_SHIFT);
	struct page *many[50] = { NULL };
	size_t got;

	if (!alloc_contig_range(first, first + 16, 0, GFP_KERNEL))
		free_contig_range(first, 16);
	got = alloc_pages_bulk(GFP_KERNEL, NR(many), many);
	for (size_t i = 0; i < got; i++)
		REQUIRE(many[i]);
	for (unsigned i = 0; i < NR(many); i++)
		__free_pages(many[i], 0);
	if (contig)
		free_contig_range(page_to_pfn(contig), 37);
	if (split) {
		split_page(split, 2);
		for (unsigned i = 0; i < 4; i++)
			__free_pages(split + i, 0);
	}
	__free_pages(below, 1);
	free_pages_exact(within, LARGE);
	free_pages_exact(exact, LARGE);
}

/* ---- virtual memory ---- */

static void virtual_memory(void)
{
	void *a = vmalloc(3 * LARGE), *b = vzalloc_node(100, 1);
	void *c = kvmalloc(100, GFP_KERNEL), *d = kvmalloc(MIB, GFP_KERNEL), *e;
	void *stack = kmem_stack_alloc(4 * KMEM_PAGE_SIZE);
	struct page *page[3] = { NULL };
	void *map = NULL, *phys = vm_map_phys(4 * MIB, 3 * KMEM_PAGE_SIZE, 0);

	if (alloc_pages_bulk(GFP_KERNEL, NR(page), page) == NR(page))
		map = vmap(page, NR(page), 0, 0);
	e = kvrealloc(c, 200000, GFP_KERNEL);
	c = e ? e : c;
	e = vrealloc(a, 6 * LARGE, GFP_KERNEL);
	a = e ? e : a;
	e = kvmemdup("bytes", 5, GFP_KERNEL);
	kvfree(e);
	vunmap(map);
	for (unsigned i = 0; i < NR(page); i++)
		__free_pages(page[i], 0);
	vm_unmap_phys(phys);
	kmem_stack_free(stack);
	kvfree(d);
	kvfree(c);
	vfree(b);
	vfree(a);
	vm_unmap_aliases();
}

/* ---- reserves, reclaim, grace periods ---- */

static void pools(void)
{
	struct kmem_cache *s = kmem_cache_create("pool", 256, 0, 0, NULL);
	mempool_t *objects = s ? mempool_create_slab_pool(4, s) : NULL;
	mempool_t *blocks = mempool_create_page_pool(2, 1);
	mempool_t bytes = { 0 };
	void *p[8] = { NULL }, *b[4] = { NULL };

	if (!mempool_init_kmalloc_pool(&bytes, 2, 500))
		mempool_exit(&bytes);
	/* Four elements there always are, whatever fails. */
	for (unsigned i = 0; objects && i < NR(p); i++) {
		p[i] = mempool_alloc(objects, i < 4 ? GFP_KERNEL : GFP_NOWAIT);
		REQUIRE(p[i] || i >= 4);
	}
	for (unsigned i = 0; blocks && i < NR(b); i++)
		b[i] = mempool_alloc(blocks, GFP_NOWAIT);
	for (unsigned i = 0; objects && i < NR(p); i++)
		mempool_free(p[i], objects);
	for (unsigned i = 0; blocks && i < NR(b); i++)
		mempool_free(b[i], blocks);
	if (objects)
		mempool_resize(objects, 7);
	mempool_destroy(blocks);
	mempool_destroy(objects);
	kmem_cache_destroy(s);
}

static unsigned long count_some(struct shrinker *s, struct shrink_control *sc)
{
	(void)s;
	(void)sc;
	return 10;
}

static unsigned long scan_none(struct shrinker *s, struct shrink_control *sc)
{
	(void)s;
	(void)sc;
	return SHRINK_STOP;
}

static void shrinkers(void)
{
	struct shrinker *s[3];

	for (unsigned i = 0; i < NR(s); i++) {
		s[i] = shrinker_alloc(0, "shrinker-%u", i);
		if (!s[i])
			continue;
		s[i]->count_objects = count_some;
		s[i]->scan_objects = scan_none;
		shrinker_register(s[i]);
	}
	blocks();
	for (unsigned i = 0; i < NR(s); i++)
		shrinker_free(s[i]);
}

struct thing {
	long value;
	struct rcu_head rcu;
	char more[40];
};

static void grace_periods(void)
{
	struct kmem_cache *s = kmem_cache_create("rcu", 100, 0,
						 SLAB_TYPESAFE_BY_RCU, NULL);

	for (unsigned i = 0; i < 60; i++) {
		struct thing *t = kmalloc(sizeof(*t), GFP_KERNEL);
		void *p = kmalloc(i & 1 ? 20 : 10000, GFP_KERNEL);

		kfree_rcu(t, rcu);
		if (p)
			kfree_rcu_mightsleep(p);
	}
	if (s)
		there_and_back(s, GFP_KERNEL);
	kmem_cache_destroy(s);
	kfree_rcu_barrier();
}

/* ---- memory that comes and goes ---- */

static void hotplug(void)
{
	struct kmem_cache *s = kmem_cache_create("plug", 1000, 0, 0, NULL);
	struct page *page[20];

	REQUIRE(!kmem_add_memory(PLUG_START, PLUG_BYTES, 0));
	for (unsigned i = 0; i < NR(page); i++)
		page[i] = alloc_pages(GFP_KERNEL, i % 5);
	if (s)
		there_and_back(s, GFP_KERNEL);
	for (unsigned i = 0; i < NR(page); i++)
		__free_pages(page[i], i % 5);
	kmem_cache_destroy(s);
	kmem_trim(KMEM_DRAIN_CPU);
	REQUIRE(!kmem_remove_memory(PLUG_START, PLUG_BYTES));
}

/* ---- requests that must not fail ---- */

static void nofail(void)
{
	struct kmem_cache *s = kmem_cache_create("nofail", 90, 0, 0, NULL);
	gfp_t gfp = GFP_KERNEL | __GFP_NOFAIL;
	struct page *page;
	void *p[80];

	for (unsigned i = 0; s && i < NR(p); i++)
		REQUIRE((p[i] = i & 1 ? kmem_cache_alloc_node(s, gfp, 1) :
			 kmem_cache_alloc(s, gfp)));
	if (s)
		kmem_cache_free_bulk(s, NR(p), p);
	kmem_cache_destroy(s);
	REQUIRE((p[0] = kmalloc(100, gfp)));
	REQUIRE((p[1] = kmalloc(LARGE, gfp)));
	REQUIRE((page = alloc_pages(gfp, 3)));
	kfree(p[0]);
	kfree(p[1]);
	__free_pages(page, 3);
}

/* All that is there and has no name of its own. */
static void statistics(void)
{
	void *p = kmalloc(77, GFP_KERNEL);

	kmem_trim(KMEM_TRIM);
	if (p)
		REQUIRE(kmem_valid_obj(p) && ksize(p) >= 77);
	REQUIRE(kmem_check_all(NULL, NULL) == 0);
	kfree(p);
	kmem_trim(KMEM_DRAIN);
}

#define SCENARIO(fn) { #fn, fn }
const struct scenario scenarios[] = {
	SCENARIO(caches), SCENARIO(shared_caches), SCENARIO(bulk),
	SCENARIO(sheaves), SCENARIO(limits), SCENARIO(debugged),
	SCENARIO(kmallocs), SCENARIO(kreallocs), SCENARIO(nodes),
	SCENARIO(nolocks), SCENARIO(blocks), SCENARIO(pages_apart),
	SCENARIO(virtual_memory), SCENARIO(pools), SCENARIO(shrinkers),
	SCENARIO(grace_periods), SCENARIO(hotplug), SCENARIO(nofail),
	SCENARIO(statistics),
};
const unsigned nr_scenarios = NR(scenarios);
