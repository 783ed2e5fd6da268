/* SPDX-License-Identifier: MIT */
/*
 * zone.h - nodes, their zones, and who falls back to whom. Theory in zone.c.
 */
#ifndef KMEM_ZONE_H
#define KMEM_ZONE_H

#include "mobility.h"
#include "spinlock.h"

struct page_layer;

/* With KMEM_ZONES 1, all three are the same. */
enum zone_type {
	ZONE_DMA,
	ZONE_DMA32 = KMEM_ZONES > 1 ? 1 : 0,
	ZONE_NORMAL = KMEM_ZONES - 1,
	NR_ZONE_TYPES = KMEM_ZONES
};

enum watermark { WMARK_MIN, WMARK_LOW, WMARK_HIGH, NR_WMARKS };

struct zone {
	/* properties, fixed after boot */
	struct node *node;
	uint8_t id;			/* index in zones[], page->zone */
	uint8_t type;			/* enum zone_type */
	/* these change when memory comes or goes, one change at a time
	 * (hotplug.c), while others read them */
	uintptr_t start_pfn, end_pfn;	/* spanned */
	size_t managed;			/* pages */
	size_t wmark[NR_WMARKS];	/* pages that must stay free */
	size_t reserve[NR_ZONE_TYPES];	/* more, for requests that could have
					 * used a higher zone of type [i] */

	/* the per-CPU layer in front, one for each small order, and one for
	 * movable pages; the page allocator's (page_alloc.c) */
	struct page_layer *layer[KMEM_CACHED_MAX_ORDER + 1 + KMEM_MOBILITY];

	/* free blocks */
	KMEM_ALIGNED(KMEM_CACHE_LINE) struct kmem_lock lock;
	struct buddy buddy;		/* under lock */
	/* under lock: pages [late_pfn, late_end) are free, but have no
	 * descriptors yet (params.zeroed) */
	uintptr_t late_pfn, late_end;
};

struct node {
	int id;
	unsigned index;			/* in nodes[] */
	unsigned nearest[KMEM_MAX_NODES]; /* indices, nearest first: itself */
	struct zone *preferred[NR_ZONE_TYPES]; /* first choice of a request
						* for zones up to type [i] */
	struct zone zone[NR_ZONE_TYPES];
};

/* Everything that zones know; filled in at boot. */
struct zones {
	unsigned nr_nodes;
	unsigned nr_cpus;
	size_t managed;			/* pages of all zones */
	size_t empty_pages;		/* of them in empty slabs (slab.c) */
	size_t depot_bytes;		/* that depots may hold (depot.c) */
	unsigned waiters;		/* requests that wait for memory, and */
	unsigned wakes;			/* how often some came free meanwhile
					 * (page_reclaim.c) */
	bool mix_mobility;		/* never tell it apart */
	bool mobility;			/* it is told apart (mobility.h) */
	enum zone_type dma, dma32;	/* what GFP_DMA and GFP_DMA32 mean: a
					 * higher zone if there is no such */
	uint8_t *cpu_node;		/* CPU -> index of its node */
	struct node *node[KMEM_MAX_NODES];	/* those with memory */
	struct zone *zone[KMEM_MAX_NODES * NR_ZONE_TYPES + 1]; /* by id; NULL:
							* it never had a page */
	/* frees that wait for somebody who can take locks (nolock.c) */
	unsigned later;			/* there are some */
	unsigned aside;			/* of them some that are nowhere noted */
	void (*drain_later)(bool all);	/* NULL: there never were any */
	void (*rcu_flush)(void);	/* wait for those of kfree_rcu(); NULL:
					 * there never were any */
};

/*
 * page->zone of pages that are in no zone. All zeros, so that memory that reads
 * as zero has such descriptors.
 */
#define PAGE_NO_ZONE	0		/* not given to kmem yet, or never */
#define PAGE_TABLE	(UINT8_MAX - 1)	/* descriptors of its own section */
#define PAGE_GONE	UINT8_MAX	/* taken away by kmem_remove_memory() */

_Static_assert(KMEM_MAX_NODES * NR_ZONE_TYPES < PAGE_TABLE,
	       "a zone's id fits into page->zone");

extern struct zones zones;

/* A walk over the zones that may serve a request, best first. */
struct zone_walk {
	const struct node *from;
	enum zone_type type;		/* highest allowed */
	bool this_node;
	unsigned i;			/* how far: nearest[i] */
	int t;				/* and its zone type */
};

KMEM_INLINE enum zone_type gfp_zone(gfp_t gfp)
{
	if (KMEM_ZONES == 1 || KMEM_LIKELY(!(gfp & KMEM_GFP_ZONEMASK)))
		return ZONE_NORMAL;
	return gfp & __GFP_DMA ? zones.dma : zones.dma32;
}

KMEM_INLINE bool mobility_on(void)
{
	return KMEM_MOBILITY && kmem_load_relaxed(&zones.mobility);
}

KMEM_INLINE enum mobility gfp_mobility(gfp_t gfp)
{
	if (!KMEM_MOBILITY || !(gfp & KMEM_GFP_MOBILITYMASK) ||
	    !mobility_on())
		return UNMOVABLE;
	return gfp & __GFP_MOVABLE ? MOVABLE : RECLAIMABLE;
}

/* The node of this CPU; interrupts or preemption are off, or a wrong guess
 * does no harm. */
KMEM_INLINE unsigned this_node(void)
{
	if (KMEM_MAX_NODES == 1 || KMEM_LIKELY(zones.nr_nodes == 1))
		return 0;
	return zones.cpu_node[kmem_arch_cpu()];
}

/* A zone by its id, or NULL; one may just be getting its first memory. */
KMEM_INLINE struct zone *zone_by_id(unsigned id)
{
	return kmem_load_relaxed(&zones.zone[id]);
}

/* The index of the node of that number, or zones.nr_nodes: no such. */
unsigned node_find(int id);

KMEM_INLINE struct zone *page_zone(const struct page *page)
{
	return zones.zone[page->zone];
}

/* Nobody asks where there is but one (KMEM_MAX_NODES). */
KMEM_INLINE unsigned page_node(const struct page *page)
{
	return page_zone(page)->node->index;
}

void node_init(struct node *n, int id, unsigned index);
void zone_init(struct zone *z, struct node *n, enum zone_type type);

/* When all nodes are there: fallback orders. */
void zones_order(void);

/* After all pages are in, and whenever that changes: watermarks, reserves,
 * first choices. */
void zones_update(void);

/* Pages [pfn, end), none of them managed yet, are z's from now on; they have
 * descriptors that say so, or will (zone_extend()). */
void zone_grow(struct zone *z, uintptr_t pfn, uintptr_t end);

/* Make pages [pfn, end) free, in the largest blocks that fit. The lock is taken
 * for one at a time. */
void zone_give_range(struct zone *z, uintptr_t pfn, uintptr_t end);

/*
 * The opposites. zone_take_range: take from pfn on, up to end, as long as pages
 * are free; they are nobody's then. Return: the first page that was not; and
 * the lock is taken for one block at a time, too. zone_shrink: pages [pfn, end),
 * so taken, are not z's any more.
 */
uintptr_t zone_take_range(struct zone *z, uintptr_t pfn, uintptr_t end);
void zone_shrink(struct zone *z, uintptr_t pfn, uintptr_t end);

/* Wait until whoever holds a zone's lock now has released it, and so has done
 * with descriptors that it found (hotplug.c). */
void zones_wait(void);

/* Whether some page of [pfn, end) is free but has no descriptor yet. After a
 * false, the descriptors of these pages can be believed. */
bool zones_late(uintptr_t pfn, uintptr_t end);

/* Make it so: describe those pages. */
void zones_describe(uintptr_t pfn, uintptr_t end);

void zone_walk_start(struct zone_walk *w, unsigned node, enum zone_type type,
		     bool this_node_only);
struct zone *zone_walk_next(struct zone_walk *w);

/* Whether there are magazines (magazine.h). If not, only objects of kmem's own
 * tables are CACHED. */
#define MAGAZINES	(KMEM_MAGAZINE_ROUNDS > 0)

/*
 * Something free on its way between the layers, and what magazines are filled
 * with: an object, with the place of its state, so that whoever allocates it
 * need not look for that again; or a block of pages, by its descriptor, which
 * is its own state: slot is NULL.
 */
struct round {
	void *obj;
	kmem_slot_t *slot;
};

/*
 * Take up to n blocks of 2^order pages, leaving at least `mark` pages free;
 * one at most that is meant for another mobility.
 *
 * Return: how many were taken.
 * Cost: O(n * KMEM_MAX_ORDER + PAGE_BLOCK_PAGES), one lock operation.
 */
size_t zone_take(struct zone *z, unsigned order, enum mobility m,
		 struct round *rounds, size_t n, size_t mark);

/* The same of one: the block, or NULL. */
struct page *zone_take_one(struct zone *z, unsigned order, enum mobility m,
			   size_t mark);

/* Whether pages can be late: where memory is small, all are described at boot.
 */
#define LATE_PAGES	(MAGAZINES || KMEM_PAGE_SHIFT > 8)

/* Describe some late pages; the lock is held. False: there are none. */
bool zone_extend(struct zone *z);

/* Pages in free blocks, and those without descriptors yet. */
KMEM_INLINE size_t zone_free_pages(const struct zone *z)
{
	size_t n = kmem_load_relaxed(&z->buddy.free_pages);

	return LATE_PAGES ? n + kmem_load_relaxed(&z->late_end) -
			    kmem_load_relaxed(&z->late_pfn) : n;
}

/* Give back n blocks of 2^order pages. Those that are not of that type any more
 * are second copies of a racing double free: reported, and left alone. */
void zone_give(struct zone *z, unsigned order, const struct round *rounds,
	       size_t n, enum kmem_page_type type);

/*
 * A block of this node, or of any, and back, if nobody has the lock that it
 * takes. Context: any, NMI included. Return: the block, PAGE_ALLOCATED, or
 * NULL; false if the block could not be given back.
 */
struct page *zones_try_take(unsigned node, unsigned order, bool this_node);
bool zone_try_give(struct page *page, unsigned order);

/* A block that could not, or what else is marked as put aside: it is given back
 * later (nolock.c finds it by its mark). Context: any, NMI included. */
void page_set_aside(struct page *page);
void zones_scan_later(void);

/* Frees wait for somebody who can take locks: do some, if so. In the slow paths
 * of allocation and free, with no lock held. */
KMEM_INLINE void zones_do_later(void)
{
	if (KMEM_DEFERRED && KMEM_UNLIKELY(kmem_load_acquire(&zones.later)))
		kmem_load_relaxed(&zones.drain_later)(false);
}

/* Do all of them. Context: thread. */
KMEM_INLINE void zones_do_all_later(void)
{
	if (KMEM_DEFERRED && kmem_load_acquire(&zones.later))
		kmem_load_relaxed(&zones.drain_later)(true);
}

/* How many pages of z this request must leave free. */
size_t zone_mark(const struct zone *z, gfp_t gfp);

/*
 * For kmem's own tables: one block from anywhere, past all per-CPU layers;
 * with `reserve` down to the last page.
 */
struct page *zones_take_raw(unsigned node, unsigned order, bool reserve);
void zones_give_raw(struct page *page, unsigned order);

/*
 * Something came free, and its lock was held since: tell those who wait for
 * memory. Where nobody can be freeing while somebody waits there is nothing to
 * tell: a machine without magazines polls.
 */
#define WAKES		MAGAZINES
void zones_wake(void) KMEM_COLD;

KMEM_INLINE bool somebody_waits(void)
{
	return WAKES && KMEM_UNLIKELY(kmem_load_relaxed(&zones.waiters));
}

KMEM_INLINE void wake_waiters(void)
{
	if (somebody_waits())
		zones_wake();
}

void zone_check(struct zone *z, struct check *c);
const char *zone_name(enum zone_type type);

#endif /* KMEM_ZONE_H */
