/* SPDX-License-Identifier: MIT */
/*
 * zone.c - which memory a request may use, and how far down it may go.
 *
 *	node 0   DMA  DMA32  NORMAL  ──►  one buddy and one lock each
 *	node 1                NORMAL
 *
 * A *node* is memory that is equally near to some CPUs. A *zone* is the part
 * of a node that lies below an address limit: DMA (old ISA devices), DMA32
 * (devices with 32-bit addresses), NORMAL (the rest).
 *
 * A request names the highest zone it can use and, by the CPU it comes from,
 * a node. The walk visits the nodes by distance, and on each node the zones
 * from that highest one down: what is scarce is taken last. It never goes up.
 *
 * Watermarks (in pages) keep some of every zone for those who can't wait:
 *
 *	mark(z, gfp) == wmark[MIN] · {1, ½ with __GFP_HIGH, ¼ with
 *	                __GFP_HIGH and __GFP_ATOMIC} + reserve[gfp_zone]
 *
 * and a request may take a block only if at least mark pages stay free. MIN
 * grows with the square root of the zone (4 · √KiB, as in Linux), but is never
 * more than 1/64 of it, so that a small machine can use its memory.
 * reserve[t] protects a low zone from requests that could have been served by
 * a higher zone of the same node: 1/256 of the pages of those zones.
 *
 * Where all memory reads as zero at boot (params.zeroed), a zone begins with
 * *late* pages, [late_pfn, late_end): free, but without descriptors. They are
 * described a page of descriptors at a time, when the buddy has no block for a
 * request. Until then a late page's descriptor is all zero, PAGE_TAIL: "no
 * memory of kmem's".
 *
 * Memory may come and go while others allocate (hotplug.c): `managed`, what is
 * derived from it and preferred[] change under their eyes. They look at each
 * once, and an outdated answer is as good as any: what counts is under lock.
 *
 * Invariants:
 *
 *  Z1	buddy.free_pages + late_end - late_pfn <= managed
 *  Z2	every free block lies within [start_pfn, end_pfn)
 *  Z3	wmark[MIN] <= wmark[LOW] <= wmark[HIGH]
 *
 * Locks: `lock` guards `buddy`, `managed` and the span. It is held for at most
 * n · O(KMEM_MAX_ORDER)
 * steps, where n is a magazine's size.
 */
#include "bits.h"
#include "list.h"
#include "zone.h"

struct zones zones;

const char *zone_name(enum zone_type type)
{
	static const char *const name[] = { "DMA", "DMA32", "Normal" };

	return name[KMEM_ZONES == 1 ? 2 : type];
}

void node_init(struct node *n, int id, unsigned index)
{
	n->id = id;
	n->index = index;
	zones.node[index] = n;
	for (int t = 0; t < NR_ZONE_TYPES; t++)
		zone_init(&n->zone[t], n, (enum zone_type)t);
}

void zone_init(struct zone *z, struct node *n, enum zone_type type)
{
	memset(z, 0, sizeof(*z));
	z->node = n;
	z->type = (uint8_t)type;
	z->id = (uint8_t)(n->index * NR_ZONE_TYPES + type + 1);
	lock_init(&z->lock);
	buddy_init(&z->buddy, z->id);
}

static size_t square_root(size_t n)
{
	size_t root = 0;

	for (size_t bit = (size_t)1 << (sizeof(size_t) * 4 - 1); bit;
	     bit >>= 1)
		if ((root | bit) * (root | bit) <= n)
			root |= bit;
	return root;
}

/* 4 * sqrt(KiB) KiB, as pages. */
static size_t min_pages(size_t managed)
{
	size_t kib = managed << (KMEM_PAGE_SHIFT - 8) >> 2;
	size_t pages = 4 * square_root(kib) << 2 >> (KMEM_PAGE_SHIFT - 8);

	return KMEM_MIN(pages, managed / 64);
}

static void set_watermarks(struct zone *z)
{
	size_t above = 0;

	size_t min = min_pages(z->managed);

	kmem_store_relaxed(&z->wmark[WMARK_MIN], min);
	kmem_store_relaxed(&z->wmark[WMARK_LOW], min * 5 / 4);
	kmem_store_relaxed(&z->wmark[WMARK_HIGH], min * 3 / 2);
	for (unsigned t = 0; KMEM_ZONES > 1 && t < NR_ZONE_TYPES; t++) {
		if (t > z->type)
			above += z->node->zone[t].managed;
		kmem_store_relaxed(&z->reserve[t], above / 256);
	}
}

static unsigned distance(const struct node *a, const struct node *b)
{
	if (a == b)
		return 0;
	if (!kmem_hooks.node_distance)
		return 20;
	return kmem_hooks.node_distance(kmem_hooks.ctx, a->id, b->id);
}

/* nearest[]: insertion sort by distance; of equals, the next in number (and
 * around) is first, so that neighbours don't all fall back to node 0. */
static void order_nodes(struct node *n)
{
	for (unsigned i = 0; i < zones.nr_nodes; i++) {
		unsigned next = n->index + i;
		unsigned other = next < zones.nr_nodes ? next :
				 next - zones.nr_nodes;
		unsigned d = distance(n, zones.node[other]);
		unsigned at = i;

		for (; at > 0; at--) {
			unsigned prev = n->nearest[at - 1];

			if (distance(n, zones.node[prev]) <= d)
				break;
			n->nearest[at] = prev;
		}
		n->nearest[at] = other;
	}
}

void zones_order(void)
{
	for (unsigned i = 0; KMEM_MAX_NODES > 1 && i < zones.nr_nodes; i++)
		order_nodes(zones.node[i]);
}

void zones_update(void)
{
	struct zone_walk w;
	size_t managed = 0;

	for (unsigned i = 0; i < zones.nr_nodes; i++) {
		struct node *n = zones.node[i];

		for (int t = 0; t < NR_ZONE_TYPES; t++) {
			set_watermarks(&n->zone[t]);
			managed += n->zone[t].managed;
			zone_walk_start(&w, i, (enum zone_type)t, false);
			kmem_store_relaxed(&n->preferred[t],
					   zone_walk_next(&w));
		}
	}
	kmem_store_relaxed(&zones.managed, managed);
	/* Never off again: free blocks would stay on lists that nobody asks. */
	if (KMEM_MOBILITY && managed >= MOBILITY_MIN_PAGES &&
	    !zones.mix_mobility)
		kmem_store_relaxed(&zones.mobility, true);
}

unsigned node_find(int id)
{
	unsigned i = 0;

	while (i < zones.nr_nodes && zones.node[i]->id != id)
		i++;
	return i;
}

void zone_walk_start(struct zone_walk *w, unsigned node, enum zone_type type,
		     bool this_node_only)
{
	w->from = zones.node[node];
	w->type = type;
	w->this_node = this_node_only;
	w->i = 0;
	w->t = (int)w->type;
}

struct zone *zone_walk_next(struct zone_walk *w)
{
	unsigned nodes = KMEM_MAX_NODES == 1 || w->this_node ? 1 :
			 zones.nr_nodes;

	for (; w->i < nodes; w->i++, w->t = (int)w->type) {
		struct node *n = zones.node[w->from->nearest[w->i]];

		while (w->t >= 0) {
			struct zone *z = &n->zone[w->t--];

			if (kmem_load_relaxed(&z->managed))
				return z;
		}
	}
	return NULL;
}

/* It frees more than it takes. */
static bool reserve_is_open(gfp_t gfp)
{
	return (gfp & (__GFP_MEMALLOC | __GFP_NOMEMALLOC)) == __GFP_MEMALLOC;
}

size_t zone_mark(const struct zone *z, gfp_t gfp)
{
	size_t mark = kmem_load_relaxed(&z->wmark[WMARK_MIN]);

	if (reserve_is_open(gfp))
		return 0;
	if (gfp & __GFP_HIGH)
		mark >>= gfp & __GFP_ATOMIC ? 2 : 1;
	return mark + kmem_load_relaxed(&z->reserve[gfp_zone(gfp)]);
}

/*
 * Describe the next few late pages, a page of descriptors, and give them to
 * the buddy, where they merge with those before. (Their own buddies, if late,
 * have type PAGE_TAIL, which is zero.)
 */
bool zone_extend(struct zone *z)
{
	uintptr_t granule = KMEM_PAGE_SIZE / sizeof(struct page);
	uintptr_t pfn = z->late_pfn, end;
	unsigned order = 0;

	if (!LATE_PAGES || pfn == z->late_end)
		return false;
	while (order < KMEM_MAX_ORDER && ((uintptr_t)2 << order) <= granule &&
	       !(pfn >> order & 1) &&
	       pfn + ((uintptr_t)2 << order) <= z->late_end)
		order++;
	end = pfn + ((uintptr_t)1 << order);
	for (uintptr_t i = pfn; i < end; i++) {
		struct page *p = pfn_to_page(i);

		kmem_store_relaxed(&p->pfn, i);
		kmem_store_relaxed(&p->zone, z->id);
	}
	kmem_store_relaxed(&z->late_pfn, end);
	buddy_give(&z->buddy, pfn_to_page(pfn), order);
	return true;
}

/*
 * A free block, from late pages if need be, which begin as unmovable; so
 * movable ones look for a page block to claim meanwhile. `first`: if all else
 * fails, one that is meant for others.
 */
KMEM_INLINE struct page *take_block(struct zone *z, unsigned order,
				    enum mobility m, bool first)
{
	struct page *page;

	do {
		page = buddy_take(&z->buddy, order, m);
		if (KMEM_MOBILITY && m != UNMOVABLE && !page && first)
			page = mobility_claim(&z->buddy, order, m);
	} while (LATE_PAGES && !page && zone_extend(z));
	if (KMEM_MOBILITY && !page && first && mobility_on())
		page = mobility_take(&z->buddy, order, m);
	return page;
}

/* A free block that may be had, NULL: there is none; the lock is held. */
KMEM_INLINE struct page *take_above(struct zone *z, unsigned order,
				    enum mobility m, bool first, size_t mark)
{
	KMEM_ASSERT(order <= KMEM_MAX_ORDER);
	return zone_free_pages(z) >= mark + ((size_t)1 << order) ?
	       take_block(z, order, m, first) : NULL;
}

struct page *zone_take_one(struct zone *z, unsigned order, enum mobility m,
			   size_t mark)
{
	uintptr_t irq = lock_irq(&z->lock);
	struct page *page = take_above(z, order, m, true, mark);

	unlock_irq(&z->lock, irq);
	return page;
}

size_t zone_take(struct zone *z, unsigned order, enum mobility m,
		 struct round *rounds, size_t n, size_t mark)
{
	uintptr_t irq = lock_irq(&z->lock);
	size_t taken = 0;

	while (taken < n) {
		struct page *page = take_above(z, order, m, !taken, mark);

		if (!page)
			break;
		rounds[taken++] = (struct round){ page, NULL };
	}
	unlock_irq(&z->lock, irq);
	return taken;
}

struct page *zones_try_take(unsigned node, unsigned order, bool this_node)
{
	struct zone_walk w;
	struct page *page = NULL;
	struct zone *z;
	uintptr_t irq;

	zone_walk_start(&w, node, ZONE_NORMAL, this_node);
	while (KMEM_DEFERRED && !page && (z = zone_walk_next(&w))) {
		if (!lock_try_irq(&z->lock, &irq))
			continue;
		page = take_above(z, order, UNMOVABLE, true,
				  zone_mark(z, GFP_NOWAIT));
		unlock_irq(&z->lock, irq);
	}
	return page;
}

void zones_scan_later(void)
{
	kmem_store_release(&zones.aside, 1);
	kmem_store_release(&zones.later, 1);
}

void page_set_aside(struct page *page)
{
	kmem_store_release(&page->type, PAGE_NOLOCK);
	zones_scan_later();
}

bool zone_try_give(struct page *page, unsigned order)
{
	struct zone *z = page_zone(page);
	uintptr_t irq;

	if (!KMEM_DEFERRED || !lock_try_irq(&z->lock, &irq))
		return false;
	buddy_give(&z->buddy, page, order);
	unlock_irq(&z->lock, irq);
	return true;
}

/* Two CPUs freed it at once, and the other copy has been given back before. */
static KMEM_COLD void second_block_copy(const struct page *page,
					 unsigned order)
{
	kmem_misuse("double free", page_to_virt(page),
		    "kmem: free_pages of %p (pfn 0x%lx), order %u: freed "
		    "twice, by CPUs that raced", page_to_virt(page),
		    (unsigned long)page->pfn, order);
}

void zone_give(struct zone *z, unsigned order, const struct round *rounds,
	       size_t n, enum kmem_page_type type)
{
	uintptr_t irq = lock_irq(&z->lock);

	for (size_t i = 0; i < n; i++) {
		struct page *page = rounds[i].obj;

		if (KMEM_LIKELY(page_type(page) == type))
			buddy_give(&z->buddy, page, order);
		else
			second_block_copy(page, order);
	}
	unlock_irq(&z->lock, irq);
	wake_waiters();
}

void zones_wake(void)
{
	kmem_add_relaxed(&zones.wakes, 1);
	if (kmem_hooks.wake)
		kmem_hooks.wake(kmem_hooks.ctx);
}

struct page *zones_take_raw(unsigned node, unsigned order, bool reserve)
{
	struct zone_walk w;
	struct page *page = NULL;
	struct zone *z;

	zone_walk_start(&w, node, ZONE_NORMAL, false);
	while (!page && (z = zone_walk_next(&w)))
		page = zone_take_one(z, order, UNMOVABLE, reserve ? 0 :
			kmem_load_relaxed(&z->wmark[WMARK_MIN]));
	return page;
}

void zones_give_raw(struct page *page, unsigned order)
{
	struct round r = { page, NULL };

	zone_give(page_zone(page), order, &r, 1, PAGE_ALLOCATED);
}

static void check_inside(const struct zone *z, uintptr_t pfn, unsigned order,
			 struct check *c)
{
	if (pfn < z->start_pfn || pfn + ((uintptr_t)1 << order) > z->end_pfn)
		check_violated(c, "Z2: zone %u: free block at pfn 0x%lx is "
			       "outside", z->id, (unsigned long)pfn);
}

void zone_check(struct zone *z, struct check *c)
{
	uintptr_t irq = lock_irq(&z->lock);
	struct kmem_list *l;

	buddy_check(&z->buddy, c);
	if (zone_free_pages(z) > z->managed)
		check_violated(c, "Z1: zone %u: %zu pages free of %zu", z->id,
			       zone_free_pages(z), z->managed);
	for (unsigned m = 0; m < NR_MOBILITIES; m++)
		for (unsigned o = 0; o <= KMEM_MAX_ORDER; o++)
			list_for_each(l, &z->buddy.blocks[m][o])
				check_inside(z, list_page(l)->pfn, o, c);
	if (z->wmark[WMARK_MIN] > z->wmark[WMARK_LOW] ||
	    z->wmark[WMARK_LOW] > z->wmark[WMARK_HIGH])
		check_violated(c, "Z3: zone %u: watermarks %zu %zu %zu", z->id,
			       z->wmark[WMARK_MIN], z->wmark[WMARK_LOW],
			       z->wmark[WMARK_HIGH]);
	unlock_irq(&z->lock, irq);
}
