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
	size_t magazines;		/* that exist; 512 bytes each */
};

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

#endif /* KMEM_STATS_H */
