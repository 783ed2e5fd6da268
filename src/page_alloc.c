/* SPDX-License-Identifier: MIT */
/*
 * page_alloc.c - pages for everybody: the zones, with a per-CPU layer in
 * front.
 *
 *	alloc_pages(gfp, order)
 *	   │ order < NR_CACHED_ORDERS: pop from this CPU's magazine of the
 *	   │ preferred zone (no lock)
 *	   ▼ empty
 *	alloc_slow(): the zones, and what is tried when they are short
 *	(page_reclaim.c)
 *
 * A block in a magazine is PAGE_CACHED: not free in the zone's lists, but
 * counted as free in the statistics, and any free of it is a double free. The
 * objects in these magazines are descriptors, not addresses.
 *
 * An allocated block is PAGE_ALLOCATED with its order, and __free_pages()
 * believes nothing else: a wrong order, a page inside a block, a page of a
 * slab are refused before anything is changed.
 *
 * Invariant:
 *
 *  P1	every block in the magazines and depot of (zone, order) has type
 *	PAGE_CACHED, that zone and that order
 *
 * Locks: none of its own.
 */
#include "bits.h"
#include "page_alloc.h"
#include "vm_ops.h"

/* What one magazine of pages may pin, and one depot. */
#define PAGE_MAGAZINE_BYTES	(128 * KMEM_PAGE_SIZE)
#define PAGE_DEPOT_BYTES	(512 * KMEM_PAGE_SIZE)

/* ---- the per-CPU layer: blocks of one order of one zone ---- */

static struct page_layer *layer_of(struct magazine_layer *l)
{
	return kmem_container_of(l, struct page_layer, magazine);
}

/* A zone cuts blocks from the lower end of larger ones, and the last round is
 * popped first: so that neighbours are given out in ascending order, which is
 * what caches and readers ahead expect of who uses memory in the order in which
 * he got it. (A program whose garbage collector walks all objects took 1.2 times
 * as long otherwise.) */
static void turn_round(struct round *rounds, size_t n)
{
	for (size_t i = 0; i < n / 2; i++) {
		struct round r = rounds[i];

		rounds[i] = rounds[n - 1 - i];
		rounds[n - 1 - i] = r;
	}
}

static size_t take_blocks(struct magazine_layer *l, struct round *rounds,
			  size_t n, bool any)
{
	struct page_layer *p = layer_of(l);
	size_t got = zone_take(p->zone, p->order, (enum mobility)p->mobility,
			       rounds, n,
			       kmem_load_relaxed(&p->zone->wmark[WMARK_LOW]));

	(void)any;
	for (size_t i = 0; i < got; i++)
		page_set_type(rounds[i].obj, PAGE_CACHED);
	turn_round(rounds, got);
	return got;
}

static void give_blocks(struct magazine_layer *l, const struct round *rounds,
			size_t n)
{
	struct page_layer *p = layer_of(l);

	zone_give(p->zone, p->order, rounds, n, PAGE_CACHED);
}

/* Small zones must not vanish into magazines: a 64th of a zone for all CPUs',
 * two for each order (and as much for movable pages as for one order). A CPU
 * whose share is less than a block has none. Nor has any whose pages nobody
 * could fetch: what is free must be there for whoever asks for it last. */
static size_t magazine_bytes(const struct zone *z)
{
	size_t share;

	if (zones.nr_cpus > 1 && !kmem_hooks.run_on_cpu)
		return 0;
	share = bits_divide((z->managed << KMEM_PAGE_SHIFT) / 64,
			    (size_t)2 * NR_CACHED_ORDERS * zones.nr_cpus);
	return KMEM_MIN(share, PAGE_MAGAZINE_BYTES);
}

void page_layers_init(struct zone *z, void *mem)
{
	size_t bytes = magazine_bytes(z);

	for (unsigned i = 0; is_page_layer(i); i++) {
		unsigned o = i == MOVABLE_LAYER ? 0 : i;
		struct page_layer *p = (void *)((char *)mem + i *
				       PAGE_LAYER_BYTES(zones.nr_cpus));

		magazine_layer_init(&p->magazine, KMEM_PAGE_SIZE << o, bytes,
				    KMEM_MIN(4 * bytes, PAGE_DEPOT_BYTES));
		p->magazine.take = take_blocks;
		p->magazine.give = give_blocks;
		p->zone = z;
		p->order = (uint8_t)o;
		p->mobility = i == MOVABLE_LAYER ? MOVABLE : UNMOVABLE;
		z->layer[i] = p;
	}
}

void page_layers_resize(struct zone *z)
{
	size_t bytes = magazine_bytes(z);

	for (unsigned i = 0; is_page_layer(i); i++) {
		struct page_layer *p = page_layer(z, i);

		magazine_layer_grow(&p->magazine, KMEM_PAGE_SIZE << p->order,
				    bytes,
				    KMEM_MIN(4 * bytes, PAGE_DEPOT_BYTES));
	}
}

/* ---- the interface ---- */

/* Any request, when its magazine has nothing, or none will do. */
static KMEM_NOINLINE struct page *alloc_rare(unsigned node, gfp_t gfp,
					     unsigned order)
{
	struct page *page;

	gfp = gfp_checked("alloc_pages", gfp);
	page = alloc_slow(node, gfp, order);
	if (KMEM_UNLIKELY(!page))
		return NULL;
	page_set_allocated(page, gfp_mobility(gfp));
	page->order = (uint8_t)order;
	if (gfp & __GFP_ZERO)
		memset(page_to_virt(page), 0, KMEM_PAGE_SIZE << order);
	return page;
}

void second_block(struct page *bad, unsigned order)
{
	kmem_misuse("double free", page_to_virt(bad),
		    "kmem: free_pages of %p (pfn 0x%lx), order %u: freed "
		    "twice, by CPUs that raced; the second copy is dropped",
		    page_to_virt(bad), (unsigned long)bad->pfn, order);
}

struct page *alloc_again(struct page *bad, unsigned node, gfp_t gfp,
			 unsigned order)
{
	second_block(bad, order);
	return alloc_rare(node, gfp, order);
}

/* Requests that the magazine of the preferred zone can't serve as it is. */
#define GFP_RARE	(KMEM_GFP_ZONEMASK | KMEM_GFP_MOBILITYMASK | \
			 __GFP_THISNODE | __GFP_ZERO)

/* The block at the top of a magazine knows its order. What fails ends in a
 * tail call. */
KMEM_INLINE struct page *alloc_block(unsigned node, gfp_t gfp, unsigned order)
{
	struct zone *z = kmem_load_relaxed(
		&zones.node[node]->preferred[ZONE_NORMAL]);
	struct page *page;
	struct round r;

	if (KMEM_DEBUG)
		gfp = gfp_checked("alloc_pages", gfp);
	if (KMEM_UNLIKELY(!order_is_cached(order) || (gfp & GFP_RARE) ||
			  !magazine_alloc(&page_layer(z, order)->magazine,
					  &r)))
		return alloc_rare(node, gfp, order);
	page = r.obj;
	if (KMEM_WRONG(page_type(page) != PAGE_CACHED))
		return alloc_again(page, node, gfp, order);
	page_set_type(page, PAGE_ALLOCATED);
	return page;
}

struct page *alloc_pages(gfp_t gfp, unsigned order)
{
	if (KMEM_UNLIKELY(order > KMEM_MAX_ORDER || !zones.nr_nodes))
		return NULL;
	if (pages_injected(gfp, INJECT_CALLER))
		return NULL;
	return alloc_block(this_node(), gfp, order);
}

struct page *alloc_pages_near(unsigned node, gfp_t gfp, unsigned order)
{
	return alloc_block(node, gfp, order);
}

bool node_index(int id, gfp_t gfp, unsigned *index)
{
	*index = node_find(id);
	if (*index < zones.nr_nodes)
		return true;
	*index = this_node();
	return id == KMEM_NO_NODE || !(gfp & __GFP_THISNODE);
}

struct page *alloc_pages_node(int node, gfp_t gfp, unsigned order)
{
	unsigned index;

	if (KMEM_UNLIKELY(order > KMEM_MAX_ORDER || !zones.nr_nodes))
		return NULL;
	if (pages_injected(gfp, INJECT_CALLER))
		return NULL;
	return node_index(node, gfp, &index) ?
	       alloc_block(index, gfp, order) : NULL;
}

struct page *alloc_pages_by(int node, gfp_t gfp, unsigned order,
			    uintptr_t caller)
{
	unsigned index;

	if (!KMEM_INJECT || order > KMEM_MAX_ORDER || !zones.nr_nodes ||
	    pages_injected(gfp, caller) || !node_index(node, gfp, &index))
		return NULL;
	return alloc_block(index, gfp, order);
}

struct page *page_find_head(const struct page *page)
{
	for (unsigned o = 1; o <= KMEM_MAX_ORDER; o++) {
		struct page *p = pfn_to_page(page->pfn >> o << o);

		if (p && page_type(p) != PAGE_TAIL)
			return p->pfn + ((uintptr_t)1 << p->order) >
			       page->pfn ? p : NULL;
	}
	return NULL;
}

const char *page_describe(const struct page *page)
{
	static const char *const head_of[] = {
		"no memory of kmem's", "free: freed twice",
		"free: freed twice", "allocated by alloc_pages()",
		"allocated by kmalloc()", "part of a slab",
		"allocated by alloc_pages()",
		"free: freed twice, once by kfree_rcu()",
		"free: freed twice",
	};
	static const char *const inside[] = {
		"", "inside a free block", "inside a free block",
		"inside a block of alloc_pages()",
		"inside a block of kmalloc()", "part of a slab",
		"inside a block of alloc_pages()",
		"inside a free block", "inside a free block",
	};
	const struct page *head;

	if (!KMEM_REPORT_TEXT)
		return "";
	if (page_type(page) != PAGE_TAIL)
		return head_of[page->type];
	if (pfn_to_page(page->pfn) != page)	/* not described yet */
		return head_of[PAGE_TAIL];
	head = page_find_head(page);
	return head ? inside[head->type] : head_of[PAGE_TAIL];
}

KMEM_COLD void bad_block(const char *call, const struct page *page,
			 unsigned order, uintptr_t caller)
{
	void *addr = page_to_virt(page);
	unsigned long pfn = page->pfn;

	if (page_is_allocated(page))
		kmem_misuse_by(caller, "wrong order", addr,
			       "kmem: %s of %p (pfn 0x%lx) with order %u: it "
			       "was allocated with order %u", call, addr, pfn,
			       order, page->order);
	else if (page_type(page) == PAGE_SLAB)
		kmem_misuse_by(caller, "bad free", addr,
			       "kmem: %s of %p (pfn 0x%lx), order %u: the page "
			       "is part of a slab of cache %s", call, addr, pfn,
			       order, page->slabs->name);
	else
		kmem_misuse_by(caller, page_is_free(page) ? "double free" :
			       "bad free", addr,
			       "kmem: %s of %p (pfn 0x%lx), order %u: the page "
			       "is %s", call, addr, pfn, order,
			       page_describe(page));
}

void page_bad_free(const char *call, const struct page *page, unsigned order,
		   uintptr_t caller)
{
	if (KMEM_DEFERRED)
		bad_block(call, page, order, caller);
}

/* A block of an order that has no magazines. */
static KMEM_NOINLINE void free_rare(struct page *page, unsigned order)
{
	struct round r = { page, NULL };

	zone_give(page_zone(page), order, &r, 1, PAGE_ALLOCATED);
}

/* A block that is not PAGE_ALLOCATED of that order. */
static KMEM_NOINLINE void free_unusual(struct page *page, unsigned order)
{
	if (page_type(page) == PAGE_HELD && page->order == order)
		free_held(page, KMEM_CALLER);
	else
		bad_block("free_pages", page, order, KMEM_CALLER);
}

void __free_pages(struct page *page, unsigned order)
{
	struct magazine_layer *l;

	if (!page)
		return;
	if (KMEM_WRONG(page_type(page) != PAGE_ALLOCATED ||
		       page->order != order)) {
		if (KMEM_MOBILITY || KMEM_DEFERRED)
			free_unusual(page, order);
		else
			bad_block("free_pages", page, order, KMEM_CALLER);
		return;
	}
	if (KMEM_UNLIKELY(!order_is_cached(order))) {
		free_rare(page, order);
		return;
	}
	page_set_type(page, PAGE_CACHED);
	l = &page_layer(page_zone(page), order)->magazine;
	if (KMEM_UNLIKELY(!magazine_free(l, page, NULL)))
		magazine_free_slow(l, page, NULL);
}

uintptr_t __get_free_pages(gfp_t gfp, unsigned order)
{
	struct page *page = alloc_pages_for(gfp, order, INJECT_CALLER);

	return page ? (uintptr_t)page_to_virt(page) : 0;
}

uintptr_t get_zeroed_page(gfp_t gfp)
{
	return __get_free_pages(gfp | __GFP_ZERO, 0);
}

/* No page of kmem's begins there. */
static KMEM_COLD void bad_address(const char *call, uintptr_t addr,
				  unsigned order, uintptr_t caller)
{
	kmem_misuse_by(caller, "bad free", (void *)addr,
		       "kmem: %s of %p, order %u: %s", call, (void *)addr,
		       order, addr & (KMEM_PAGE_SIZE - 1) ?
		       "not the start of a page" :
		       foreign_describe((void *)addr));
}

void free_pages(uintptr_t addr, unsigned order)
{
	struct page *page;

	if (!addr)
		return;
	page = virt_to_page((void *)addr);
	if (KMEM_UNLIKELY(!page || page_to_virt(page) != (void *)addr))
		bad_address("free_pages", addr, order, KMEM_CALLER);
	else
		__free_pages(page, order);
}

void split_page(struct page *page, unsigned order)
{
	unsigned m;

	if (!page_is_allocated(page) || page->order != order ||
	    page_is_shared(page)) {
		bad_block("split_page", page, order, KMEM_CALLER);
		return;
	}
	m = page_mobility(page);
	for (uintptr_t i = 0; i >> order == 0; i++) {
		struct page *p = pfn_to_page(page->pfn + i);

		page_set_allocated(p, m);
		p->order = 0;
	}
}

static size_t pages_for(size_t size)
{
	return ((size - 1) >> KMEM_PAGE_SHIFT) + 1;
}

void *alloc_pages_exact(size_t size, gfp_t gfp)
{
	struct page *page;
	unsigned order;

	if (!size || size > KMEM_PAGE_SIZE << KMEM_MAX_ORDER)
		return NULL;
	order = get_order(size);
	page = alloc_pages_for(gfp, order, INJECT_CALLER);
	if (!page)
		return NULL;
	split_page(page, order);
	for (uintptr_t i = pages_for(size); i >> order == 0; i++)
		__free_pages(pfn_to_page(page->pfn + i), 0);
	return page_to_virt(page);
}

/* One of a run of single pages, for the caller of `call`. */
void free_single(const char *call, struct page *page, uintptr_t caller)
{
	if (page_is_allocated(page) && !page->order)
		__free_pages(page, 0);
	else
		bad_block(call, page, 0, caller);
}

void free_pages_exact(void *addr, size_t size)
{
	const char *at = addr;

	if (!addr || !size)
		return;
	for (size_t n = pages_for(size); n--; at += KMEM_PAGE_SIZE) {
		struct page *page = virt_to_page(at);

		if (page && page_to_virt(page) == at)
			free_single("free_pages_exact", page, KMEM_CALLER);
		else
			bad_address("free_pages_exact", (uintptr_t)at, 0,
				    KMEM_CALLER);
	}
}

size_t zone_cached_pages(struct zone *z)
{
	struct kmem_layer_stats st;
	size_t n = 0;

	for (unsigned i = 0; is_page_layer(i); i++) {
		const struct page_layer *l = page_layer(z, i);

		magazine_layer_stats(&page_layer(z, i)->magazine, &st);
		n += (st.in_cpus + st.in_depot) << l->order;
	}
	return n;
}

size_t nr_free_pages(void)
{
	size_t n = 0;

	for (unsigned i = 0; i < KMEM_ARRAY_SIZE(zones.zone); i++)
		if (zone_by_id(i))
			n += zone_free_pages(zone_by_id(i)) +
			     zone_cached_pages(zone_by_id(i));
	return n;
}

/* ---- the checker ---- */

struct block_check {
	const struct page_layer *layer;
	struct check *c;
};

static void check_block(const struct round *r, void *arg)
{
	const struct block_check *b = arg;
	const struct page *p = r->obj;

	if (page_type(p) != PAGE_CACHED || p->zone != b->layer->zone->id ||
	    p->order != b->layer->order)
		check_violated(b->c, "P1: zone %u, order %u: cached pfn 0x%lx "
			       "is type %u, zone %u, order %u",
			       b->layer->zone->id, b->layer->order,
			       (unsigned long)p->pfn, p->type, p->zone,
			       p->order);
}

void page_layers_check(struct zone *z, struct check *c)
{
	for (unsigned i = 0; is_page_layer(i); i++) {
		struct page_layer *l = page_layer(z, i);
		struct block_check b = { l, c };

		magazine_layer_check(&l->magazine,
				     zone_name((enum zone_type)z->type), c);
		magazine_for_each(&l->magazine, check_block, &b);
	}
}
