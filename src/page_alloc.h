/* SPDX-License-Identifier: MIT */
/*
 * page_alloc.h - what the layers above ask of the page allocator beside its
 * public interface.
 */
#ifndef KMEM_PAGE_ALLOC_PRIVATE_H
#define KMEM_PAGE_ALLOC_PRIVATE_H

#include "magazine.h"

#include <kmem/page_alloc.h>

/* Orders that CPUs have magazines for, if they have any. */
#define NR_CACHED_ORDERS	(KMEM_CACHED_MAX_ORDER + 1)

KMEM_INLINE bool order_is_cached(unsigned order)
{
	return MAGAZINES && order < NR_CACHED_ORDERS;
}

/* A zone's layers: one for each of those orders, of unmovable blocks, and the
 * last for movable single pages, which are what most of user space is. What
 * else is movable or reclaimable goes straight to the zone. */
#define MOVABLE_LAYER	NR_CACHED_ORDERS
#define NR_PAGE_LAYERS	(NR_CACHED_ORDERS + KMEM_MOBILITY)

KMEM_INLINE bool is_page_layer(unsigned layer)
{
	return MAGAZINES && layer < NR_PAGE_LAYERS;
}

/* The per-CPU layer of one zone, order and mobility. */
struct page_layer {
	struct zone *zone;
	uint8_t order, mobility;
	struct magazine_layer magazine;	/* last: the CPUs' parts follow */
};

/* Bytes of one, and of a zone's. */
#define PAGE_LAYER_BYTES(nr_cpus) \
	(sizeof(struct page_layer) + LAYER_BYTES(nr_cpus))
#define PAGE_LAYERS_BYTES(nr_cpus) \
	(MAGAZINES ? NR_PAGE_LAYERS * PAGE_LAYER_BYTES(nr_cpus) : 0)

/*
 * At boot: give a zone its per-CPU layers, in PAGE_LAYERS_BYTES at `mem`.
 * z->managed is known.
 */
void page_layers_init(struct zone *z, void *mem);

/* z->managed has changed: its magazines may hold more, if that allows it. They
 * never hold less: a zone that was large once keeps its bounds. */
void page_layers_resize(struct zone *z);

/* The upper layers' own reserves, given back when memory is short: called in
 * a context that may sleep, no lock held. Set once at boot. */
void page_alloc_set_shrink(void (*shrink)(bool all_cpus));

/* With magazines, return the blocks that were not needed since the last call;
 * or all of them, and the magazines, of this CPU or of all. */
void pages_trim(void);
/* One magazine of each layer of this CPU's node that was not needed. Context:
 * any. */
void pages_trim_near(void);
void pages_unload(bool all_cpus);

/* alloc_pages() near the node of that index. */
struct page *alloc_pages_near(unsigned node, gfp_t gfp, unsigned order);

/* The blocks that are asked for are to fail. */
KMEM_INLINE bool pages_injected(gfp_t gfp, uintptr_t caller)
{
	return inject_fails(KMEM_INJECT_PAGES, NULL, gfp & __GFP_BITS_MASK,
			    caller);
}

/* alloc_pages() and alloc_pages_node() for those who know whom it is for. */
struct page *alloc_pages_by(int node, gfp_t gfp, unsigned order,
			    uintptr_t caller);

KMEM_INLINE struct page *alloc_pages_for(gfp_t gfp, unsigned order,
					 uintptr_t caller)
{
	return KMEM_INJECT ? alloc_pages_by(KMEM_NO_NODE, gfp, order, caller) :
			     alloc_pages(gfp, order);
}

KMEM_INLINE struct page *alloc_pages_node_for(int node, gfp_t gfp,
					      unsigned order, uintptr_t caller)
{
	return KMEM_INJECT ? alloc_pages_by(node, gfp, order, caller) :
			     alloc_pages_node(node, gfp, order);
}

/* Any request, when its magazine has nothing, or none will do. The block has
 * the type that it was found with. */
struct page *alloc_slow(unsigned node, gfp_t gfp, unsigned order)
	KMEM_NOINLINE;

/* The index of the node with that id, or of this CPU's. Return: false if the
 * request is for a node that has no memory and for no other. */
bool node_index(int id, gfp_t gfp, unsigned *index);

/* Report the second copy of a block that CPUs freed twice. */
void second_block(struct page *bad, unsigned order) KMEM_COLD;

/* A magazine gave a block that is not PAGE_CACHED any more: it was freed twice
 * by CPUs that raced, and this is the second copy. Reports it, and allocates
 * another one. */
struct page *alloc_again(struct page *bad, unsigned node, gfp_t gfp,
			 unsigned order) KMEM_COLD;

/* Report that; and why a page can't be freed by `call` with that order. */
void page_bad_free(const char *call, const struct page *page, unsigned order,
		   uintptr_t caller);

/* A request that must not fail has failed: call the wait hook. Return: false,
 * after a report, if there is no way to wait. */
bool page_alloc_wait(gfp_t gfp, unsigned order, unsigned wakes);

/* Call the reclaim hook, if there is one. Return: about how many pages came
 * free. */
size_t reclaim_by_hook(const struct kmem_pressure *p);

/* A request that may have to wait, and has not yet. */
struct waiter {
	bool waiting;
	unsigned wakes;			/* zones.wakes before the last try */
};

bool waiter_wait(struct waiter *w, gfp_t gfp, unsigned order);
void waiter_end(struct waiter *w);

/*
 * The same so that no wake-up is missed: the first call does not sleep, but
 * has the next attempt made as one that waits already. wait_end() ends it,
 * begun or not.
 */
KMEM_INLINE bool wait_for_memory(struct waiter *w, gfp_t gfp, unsigned order)
{
	return WAKES ? waiter_wait(w, gfp, order) :
		       page_alloc_wait(gfp, order, 0);
}

KMEM_INLINE void wait_end(struct waiter *w)
{
	if (WAKES)
		waiter_end(w);
}

/* Pages of a zone that are in magazines and depots. */
size_t zone_cached_pages(struct zone *z);

/* It heads a block that its user has. */
KMEM_INLINE bool page_is_allocated(const struct page *page)
{
	return page_type(page) == PAGE_ALLOCATED ||
	       page_type(page) == PAGE_HELD;
}

/* It heads a block that nobody has. */
KMEM_INLINE bool page_is_free(const struct page *page)
{
	return page_type(page) == PAGE_FREE || page_type(page) == PAGE_CACHED ||
	       (KMEM_DEFERRED && page_type(page) >= PAGE_RCU);
}

/* As what an allocated block was given; whether others hold it too. */
KMEM_INLINE enum mobility page_mobility(const struct page *page)
{
	return KMEM_MOBILITY && page_type(page) == PAGE_HELD ?
	       (enum mobility)page->mobility : UNMOVABLE;
}

KMEM_INLINE bool page_is_shared(const struct page *page)
{
	return page_type(page) == PAGE_HELD && kmem_load_relaxed(&page->refs);
}

/* __free_pages() of a block that is PAGE_HELD, for that caller (page_ref.c). */
void free_held(struct page *page, uintptr_t caller);

/* The head of the block that a page lies inside, or NULL. */
struct page *page_find_head(const struct page *page);

/* Report that a call was given a block that it can't be given. */
void bad_block(const char *call, const struct page *page, unsigned order,
	       uintptr_t caller) KMEM_COLD;

/* Free a page of order 0, or report, as `call`, that it is none. */
void free_single(const char *call, struct page *page, uintptr_t caller);

/* In words, what a page is that should have been something else. */
const char *page_describe(const struct page *page);

KMEM_INLINE struct page_layer *page_layer(const struct zone *z,
					  unsigned layer)
{
	return z->layer[layer];
}

/* Whether CPUs cache what this request is for, and which layer that is. */
KMEM_INLINE bool has_page_layer(gfp_t gfp, unsigned order)
{
	enum mobility m = gfp_mobility(gfp);

	return order_is_cached(order) && !(gfp & __GFP_THISNODE) &&
	       (m == UNMOVABLE || (m == MOVABLE && !order));
}

KMEM_INLINE struct page_layer *gfp_layer(const struct zone *z, gfp_t gfp,
					 unsigned order)
{
	return page_layer(z, gfp_mobility(gfp) == MOVABLE ? MOVABLE_LAYER :
			  order);
}

/* Verify P1 and the magazines of a zone's layers. */
void page_layers_check(struct zone *z, struct check *c);

#endif /* KMEM_PAGE_ALLOC_PRIVATE_H */
