/* SPDX-License-Identifier: MIT */
/*
 * kmalloc_node.c - memory by the byte, where it is wanted: in a node, at a
 * multiple of a power of two.
 *
 * Alignment needs no bookkeeping. A class is a multiple of a quarter of the
 * power of two below it, and its objects lie at multiples of it from the start
 * of a block, so each is aligned to the largest power of two that divides the
 * class. A size that is a multiple of `align` has a class that is one too:
 *
 *	quarter >= align	every class between is a multiple of align
 *	quarter < align		the multiples of align are classes themselves
 *
 * and blocks of whole pages are aligned to their size. So an aligned request
 * is one for the next multiple of its alignment, and any block is aligned at
 * least as well as the size says that ksize() gives for it.
 *
 * Locks: none of its own.
 */
#include "bits.h"
#include "kmalloc.h"

/* `size` bytes in a block that `room` bytes would be given. */
static void *alloc_on(size_t size, size_t room, gfp_t gfp, int node,
		      uintptr_t caller)
{
	struct kmem_cache *s;

	if (!size)
		return ZERO_SIZE_PTR;
	if (room > KMALLOC_MAX_SIZE)
		return NULL;
	if (room > KMALLOC_MAX_CACHE_SIZE)
		return kmalloc_block(alloc_pages_node_for(node, gfp,
							  get_order(room),
							  caller));
	s = class_cache(room, gfp);
	return s ? cache_alloc_node(s, size, gfp, node, caller) : NULL;
}

void *__kmalloc_node(size_t size, gfp_t gfp, int node)
{
	return alloc_on(size, size, gfp, node, KMEM_CALLER);
}

static bool valid_align(const char *call, size_t align)
{
	if (is_power_of_two(align))
		return align <= KMALLOC_MAX_SIZE;
	kmem_misuse("bad alignment", NULL,
		    "kmem: %s: alignment %zu is not a power of two", call,
		    align);
	return false;
}

void *kmalloc_aligned(size_t size, size_t align, gfp_t gfp)
{
	if (!valid_align("kmalloc_aligned", align))
		return NULL;
	return alloc_on(size, size_aligned_as(size, align), gfp, KMEM_NO_NODE,
			KMEM_CALLER);
}

/* A block of a class of `room` bytes need not move. That it happens to be
 * aligned is not enough: krealloc() would not know. */
static bool placed_well(const void *p, size_t room, size_t align,
			gfp_t gfp, int node)
{
	return !((room | (uintptr_t)p) & (align - 1)) &&
	       (!(gfp & __GFP_THISNODE) || node == KMEM_NO_NODE ||
		page_to_nid(virt_to_page(p)) == node);
}

void *krealloc_node_align(const void *p, size_t size, size_t align, gfp_t gfp,
			  int node)
{
	size_t old, room;

	if (!valid_align("krealloc_node_align", align))
		return NULL;
	if (!size) {
		kfree(p);
		return ZERO_SIZE_PTR;
	}
	if (ZERO_OR_NULL_PTR(p))
		return alloc_on(size, size_aligned_as(size, align), gfp, node,
				KMEM_CALLER);
	old = ksize(p);
	if (!old)			/* misuse, and reported */
		return NULL;
	room = kmalloc_room(p, old);
	if (placed_well(p, room, align, gfp, node) &&
	    kmalloc_resize(p, old, size, gfp))
		return (void *)(uintptr_t)p;
	if (size > old)
		align = KMEM_MAX(align, room & (0 - room));
	return kmalloc_move(p, KMEM_MIN(old, size),
			    alloc_on(size, size_aligned_as(size, align), gfp,
				     node, KMEM_CALLER));
}

size_t block_size_by(const char *call, const void *p, uintptr_t caller)
{
	struct page *page = virt_to_page(p);

	if (ZERO_OR_NULL_PTR(p) || is_large(page, p) ||
	    (page && page->slabs && is_live_object(page, p)))
		return ksize(p);
	cache_bad_free(call, NULL, p, caller);
	return 0;
}
