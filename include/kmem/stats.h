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
	uint64_t depot_allocs, depot_frees; /* magazines exchanged with depot */
	uint64_t refills, refilled;	/* trips to the backend, objects */
	uint64_t flushes, flushed;
	uint64_t directs;		/* single objects past the magazines:
					 * the CPU's slots were busy (it was
					 * interrupted) or had no magazine */
	uint64_t depot_locks, depot_contended;

	/* objects held now */
	size_t in_cpus, in_depot;
	size_t magazines, magazine_bytes; /* that exist, in any state */
};

/* One cache. */
struct kmem_cache_stats {
	const char *name;
	size_t object_size, slot_size, align;
	unsigned order, objects_per_slab;
	struct kmem_layer_stats layer;
	size_t live;			/* objects that users hold */
	size_t free_in_slabs;
	size_t slabs, empty_slabs;
	size_t slab_bytes;		/* their pages */
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
	uint64_t locks, contended;
	struct kmem_layer_stats order[KMEM_SLAB_MAX_ORDER + 1];
};

struct kmem_cache;

KMEM_BEGIN_DECLS

/**
 * kmem_zone_stats - figures of the n-th zone that has memory
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

KMEM_END_DECLS

#endif /* KMEM_STATS_H */
