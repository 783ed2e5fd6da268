/* SPDX-License-Identifier: MIT */
/*
 * kmem/stats.h - the figures that kmem keeps of itself.
 */
#ifndef KMEM_STATS_H
#define KMEM_STATS_H

#include <kmem/page.h>

/* Gets one line of text, without newline. */
typedef void (*kmem_out_fn)(void *ctx, const char *line);

/* What each layer of one cache (or of one order of pages) did and holds. */
struct kmem_layer_stats {
	/* operations, since creation */
	uint64_t allocs, frees;		/* all that reached this layer */
	uint64_t alloc_swaps, free_swaps; /* served by the other magazine */
	uint64_t depot_allocs, depot_frees; /* magazines exchanged there */
	uint64_t refills, refilled;	/* trips to the backend, objects */
	uint64_t flushes, flushed;
	uint64_t directs;		/* single objects past the magazines:
					 * the CPU's slots were busy (it was
					 * interrupted) or had no magazine */
	uint64_t depot_locks, depot_contended;

	/* objects held now */
	size_t in_cpus, in_depot;
	size_t in_quarantine;		/* of those in_cpus: freed lately, with
					 * KMEM_HARDEN or in a cache that is
					 * debugged */
	size_t magazines, magazine_bytes; /* that exist, in any state */
};

/* One cache. */
struct kmem_cache_stats {
	const char *name;
	size_t object_size, slot_size, align;
	unsigned order, objects_per_slab; /* of slabs, as long as they are few:
					 * see KMEM_LARGE_SLABS_BYTES */
	struct kmem_layer_stats layer;
	size_t live;			/* objects that users hold */
	size_t free_in_slabs;
	size_t free_in_empty;		/* of them, in empty slabs */
	size_t slabs, empty_slabs;
	size_t slab_bytes;		/* their pages */
	size_t empty_bytes;		/* of them, those of empty slabs */
	size_t overhead_bytes;		/* slot arrays, magazines, per-CPU */
	uint64_t slabs_made, slabs_freed;
	uint64_t node_locks, node_contended;
};

/* One zone of one node. */
struct kmem_zone_stats {
	const char *name;
	int node;
	uintptr_t start_pfn, end_pfn;	/* spanned, end exclusive */
	size_t managed, free_pages;	/* cached pages not counted as free */
	size_t cached_pages;		/* in magazines and depots */
	size_t min, low, high;		/* watermarks, pages */
	size_t nr_free[KMEM_MAX_ORDER + 1];
	int largest_order;		/* of a free block; -1: there is none */
	/* Of all pages in free blocks, per mille: those in blocks of less than
	 * that order, which a request of it can't use. 0: not fragmented. */
	uint16_t unusable[KMEM_MAX_ORDER + 1];
	/* Page blocks, of 2^page_block_order pages, by the mobility of what is
	 * allocated from them: unmovable, movable, reclaimable. */
	unsigned page_block_order;
	size_t page_blocks[3];
	uint64_t locks, contended;
	struct kmem_layer_stats order[KMEM_CACHED_MAX_ORDER + 1];
	struct kmem_layer_stats movable; /* pages of __GFP_MOVABLE */
};

struct kmem_cache;

/*
 * The whole of managed memory. Every managed page is one of
 *
 *	managed = allocated + slabs + metadata + cached + free
 *
 * and the pages of slabs are
 *
 *	slabs * KMEM_PAGE_SIZE = live + in_cpus + in_depots + in_partial +
 *				 in_empty + slack
 *
 * What users hold is `allocated` and `live`: if that grows and should not, it
 * is a leak. What is in magazines, depots and empty slabs has been freed, and
 * kept for the next who wants it.
 */
struct kmem_usage {
	/* pages */
	size_t managed;
	size_t allocated;	/* by alloc_pages() and large kmalloc() */
	size_t slabs;		/* of all caches */
	size_t metadata;	/* kmem_internal_bytes() */
	size_t cached;		/* blocks in magazines and depots */
	size_t free;		/* in the zones */

	/* bytes of objects */
	size_t live;
	size_t in_cpus, in_depots;
	size_t in_partial, in_empty; /* free in slabs, partial or empty */
	size_t slack;		/* what is left of slabs beside objects */
};

/* A point in time: how much of one cache users held. */
struct kmem_leak_mark {
	const struct kmem_cache *cache;	/* NULL: pages, not objects */
	size_t live;
};

KMEM_BEGIN_DECLS

/** kmem_internal_bytes - memory of kmem's own slabs (slot arrays, magazines,
 * per-CPU lines, cache descriptors), in bytes of pages */
size_t kmem_internal_bytes(void);

/**
 * kmem_usage - what all of memory is used for
 *
 * Context: thread; takes each cache's locks in turn. Cost: O(caches × CPUs).
 * Exact when no other CPU allocates or frees.
 */
void kmem_usage(struct kmem_usage *u);

/**
 * kmem_leak_mark - remember what users hold of each cache, and in pages
 * @marks: filled in
 * @room: entries that there is room for
 *
 * Context: thread. Later, kmem_leak_report() tells what has grown since.
 * Return: entries that are needed, one a cache and one for pages.
 */
size_t kmem_leak_mark(struct kmem_leak_mark *marks, size_t room);

/**
 * kmem_zone_stats - figures of the n-th zone that has memory
 *
 * Context: any, NMI excepted.
 * Cost: O(CPUs + page blocks).
 * Return: false if there are not that many.
 */
bool kmem_zone_stats(unsigned n, struct kmem_zone_stats *st);

/** kmem_cache_stats - figures of one cache */
void kmem_cache_stats(struct kmem_cache *s, struct kmem_cache_stats *st);

/**
 * kmem_for_each_cache - call fn for every cache until it returns false
 *
 * The list of caches is locked meanwhile, with preemption off: fn must not
 * create or destroy one, nor allocate with __GFP_DIRECT_RECLAIM.
 */
void kmem_for_each_cache(bool (*fn)(struct kmem_cache *s, void *arg),
			 void *arg);

/**
 * kmem_for_each_alias - call fn for every other name of a cache that is
 * shared (params.merge_caches), until it returns false
 *
 * A shared cache that has been destroyed by some of its users, but not the
 * last, keeps all its names: nobody can tell whose is gone.
 *
 * Context: thread. As with kmem_for_each_cache(), the list is locked.
 */
void kmem_for_each_alias(bool (*fn)(const char *name, struct kmem_cache *s,
				    void *arg), void *arg);

KMEM_END_DECLS

#endif /* KMEM_STATS_H */
