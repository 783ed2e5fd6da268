/* SPDX-License-Identifier: MIT */
/*
 * cache_node.c - an object in the memory of a given node.
 *
 *	the CPU's own node	its magazine, filled from the node's slabs; or
 *				what another CPU has left there
 *	any node		a slab of the node that has something free
 *				a new slab, in the node's memory
 *	and if there is none	__GFP_THISNODE: what the caller's flags allow
 *				to be done for memory of that node, or NULL
 *				else: as kmem_cache_alloc()
 *
 * Magazines are filled from the slabs of their CPU's node while it has pages,
 * but what is freed on a CPU stays there for a while wherever it lies
 * (magazine.c). So what a magazine gives is looked at; if it is of another node
 * it goes home.
 *
 * Locks: none of its own.
 */
#include "bits.h"
#include "cache.h"

/* From magazines, if they give an object of that node. */
static struct round node_from_magazine(struct kmem_cache *s, unsigned node)
{
	struct round r = { NULL, NULL };

	if (!MAGAZINES || node != this_node())
		return r;
	if (!magazine_alloc(&s->magazine, &r))
		r = magazine_alloc_slow(&s->magazine);
	if (!r.obj)
		r = cache_get_left(s);
	if (r.obj && page_node(virt_to_page(r.obj)) != node) {
		slabs_give(&s->slabs, &r, 1);
		r.obj = NULL;
	}
	return r;
}

/* From a slab of that node, a new one if need be. */
static struct round node_from_slabs(struct kmem_cache *s, gfp_t gfp,
				    unsigned node)
{
	struct round r = slabs_take_from(&s->slabs, node);

	if (r.obj)
		return r;
	r = slabs_grow_on(&s->slabs, gfp | __GFP_THISNODE, node);
	if (MAGAZINES && r.obj)
		caches_grown(virt_to_page(r.obj));
	return r;
}

/* The same when nothing else will do: what magazines hold is given back first,
 * and memory reclaimed, if the caller may wait for that. */
static struct round node_from_slabs_only(struct kmem_cache *s, gfp_t gfp,
					 unsigned node)
{
	struct waiter w = { .waiting = false };
	gfp_t once = gfp & ~__GFP_NOFAIL;
	struct round r;

	if (gfp & __GFP_NOFAIL)
		once |= __GFP_NOWARN | GFP_NO_INJECT;
	do {
		if (MAGAZINES)
			magazine_drain(&s->magazine);
		r = node_from_slabs(s, once, node);
	} while (!r.obj && (gfp & __GFP_NOFAIL) &&
		 wait_for_memory(&w, gfp, s->slabs.min_order));
	wait_end(&w);
	return r;
}

static struct round get_of_node(struct kmem_cache *s, gfp_t gfp, unsigned node)
{
	gfp_t at_once = (gfp & ~(__GFP_DIRECT_RECLAIM | __GFP_NOFAIL)) |
			__GFP_NOWARN;
	struct round r = node_from_magazine(s, node);

	if (!r.obj)
		r = node_from_slabs(s, at_once, node);
	if (!r.obj && (gfp & __GFP_THISNODE))
		r = node_from_slabs_only(s, gfp, node);
	return r;
}

/* Of that node, or NULL; zeroed, if it is to be. */
static void *cache_alloc_of_node(struct kmem_cache *s, size_t size, gfp_t gfp,
				 unsigned node, uintptr_t caller)
{
	struct round r = get_of_node(s, gfp, node);

	if (!r.obj)
		return NULL;
	if (KMEM_CACHE_DEBUG && slabs_debugged(&s->slabs))
		return cache_given(r.obj, size, gfp, caller);
	if (!cache_mark_live(s, r, cache_asked(s, 0))) {
		cache_second_copy(s, r.obj);
		return cache_alloc_of_node(s, size, gfp, node, caller);
	}
	if (gfp & __GFP_ZERO)
		memset(r.obj, 0, CACHE_ZEROED(s));
	return r.obj;
}

void *cache_alloc_node(struct kmem_cache *s, size_t size, gfp_t gfp, int node,
		       uintptr_t caller)
{
	bool strict = node != KMEM_NO_NODE && (gfp & __GFP_THISNODE);
	unsigned index = node_find(node);
	void *obj = NULL;

	if (cache_is_gone(s)) {
		cache_missing("kmem_cache_alloc_node", s, NULL, caller);
		return NULL;
	}
	if (cache_injected(s, gfp, caller))
		return NULL;
	if (zones.nr_nodes > 1 && index < zones.nr_nodes)
		obj = cache_alloc_of_node(s, size, gfp, index, caller);
	else if (index < zones.nr_nodes)
		strict = false;		/* there is no other */
	if (obj || strict)
		return KMEM_HARDEN ? cache_fit(obj, size) : obj;
	if (KMEM_CACHE_DEBUG && slabs_debugged(&s->slabs))
		return cache_alloc_debugged(s, size, gfp, caller);
	obj = cache_alloc_asked(s, gfp);
	return KMEM_HARDEN ? cache_fit(obj, size) : obj;
}

void *kmem_cache_alloc_node(struct kmem_cache *s, gfp_t gfp, int node)
{
	return cache_alloc_node(s, kmem_cache_size(s), gfp, node, KMEM_CALLER);
}
