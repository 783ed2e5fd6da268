/* SPDX-License-Identifier: MIT */
/*
 * regions.h - the memory map as it was given, and questions about it.
 *
 * Theory in regions.c.
 */
#ifndef KMEM_REGIONS_H
#define KMEM_REGIONS_H

#include "hooks.h"

#include <kmem/boot.h>

/* Beside the public types: the page that would lie at address NULL; and what
 * lies from params.early_end on, memory or not. */
#define REGION_NULL_PAGE	((enum kmem_region_type)(KMEM_REGION_BOOT + 1))
#define REGION_STAGED		((enum kmem_region_type)(KMEM_REGION_BOOT + 2))

struct region {
	kmem_phys_t start, last;	/* bytes, both inclusive */
	enum kmem_region_type type;
	int node;			/* or KMEM_NO_NODE */
	/* BOOT: holds the descriptors of these sections of the table */
	uint32_t first_section, nr_sections;
};

struct regions {
	unsigned nr;
	struct region r[KMEM_MAX_REGIONS];
};

extern struct regions regions;

/* Which bytes a question is about. */
enum view {
	VIEW_USABLE,	/* usable, now or later, and not reserved */
	VIEW_LEFT,	/* and not taken by kmem_boot_alloc() either */
	VIEW_FREE,	/* of these: free to use now */
	VIEW_LATER,	/* held back: given as KMEM_REGION_LATER */
	VIEW_STAGED,	/* held back: usable, but beyond early_end */
	VIEW_NAMED,	/* in the map at all, and not taken */
	VIEW_MEMORY,	/* usable, now or later, reserved, or taken */
};

/* Bytes [start, last], all in the view; the bytes around are not. */
struct run {
	kmem_phys_t start, last;
};

/* The first run at or above `at`; it is cut there if `at` is inside of it. */
bool next_run(enum view view, kmem_phys_t at, struct run *run);

/* A page frame number, of whatever the map may tell of. */
typedef kmem_phys_t pfn_t;

/* Pages [pfn, end). */
struct page_run {
	pfn_t pfn, end;
};

/* The first run of whole pages, all of whose bytes are in the view, at or
 * above page `at`. */
bool next_page_run(enum view view, pfn_t at, struct page_run *run);

/* The node of an address, 0 if the map doesn't say, and the last address up to
 * which the answer is the same. */
int region_node(kmem_phys_t at, kmem_phys_t *last);

/* The last address up to `limit` that is on the same node as `at`. */
kmem_phys_t node_until(kmem_phys_t at, kmem_phys_t limit);

/* An entry at the end of the table; NULL if it is full. */
struct region *region_add(kmem_phys_t start, kmem_phys_t size,
			  enum kmem_region_type type, int node);

/*
 * Find free bytes, highest address first, on one node (KMEM_NO_NODE: any),
 * below `end`, and enter them as KMEM_REGION_BOOT.
 */
struct region *region_take(kmem_phys_t size, kmem_phys_t align,
			   kmem_phys_t end, int node);

/* Bytes of [start, last] that are in the view. */
kmem_phys_t view_bytes(enum view view, kmem_phys_t start, kmem_phys_t last);

/* Bytes of all entries of that type, which don't overlap. */
kmem_phys_t region_bytes(enum kmem_region_type type);

#endif /* KMEM_REGIONS_H */
