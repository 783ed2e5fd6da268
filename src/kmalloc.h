/* SPDX-License-Identifier: MIT */
/*
 * kmalloc.h - the size-class caches, for the layers above.
 */
#ifndef KMEM_KMALLOC_PRIVATE_H
#define KMEM_KMALLOC_PRIVATE_H

#include "cache.h"

#include <kmem/kmalloc.h>

/* At boot, once; caches can be created. Return: false without memory. */
bool kmalloc_bootstrap(void);

/* The caches are gone: back to before. */
void kmalloc_forget(void);

/* The cache of a size; NULL if there is none. */
KMEM_INLINE struct kmem_cache *class_cache(size_t size, gfp_t gfp)
{
	if (!size || size > KMALLOC_MAX_CACHE_SIZE)
		return NULL;
	return kmalloc_caches[kmalloc_type(gfp)][kmalloc_index(size)];
}

/* The ordinary cache of size 1, KMALLOC_MIN_SIZE + 1, ... (kmalloc.c). */
extern struct kmem_cache *
kmalloc_by_size[KMALLOC_MAX_CACHE_SIZE / KMALLOC_MIN_SIZE];

/* kmalloc() for a caller of another of kmem's functions: `size` bytes, in a
 * block that `room` bytes would be given. */
void *kmalloc_in(size_t size, size_t room, gfp_t gfp, uintptr_t caller);

/* ksize() for another of kmem's functions: what p is not is reported in the
 * name of `call`, where reports have names. */
size_t block_size_by(const char *call, const void *p, uintptr_t caller);

KMEM_INLINE size_t block_size(const char *call, const void *p,
			      uintptr_t caller)
{
	return KMEM_REPORT_TEXT ? block_size_by(call, p, caller) : ksize(p);
}

/* What kmalloc() gives when it gives whole pages; NULL for NULL. */
KMEM_INLINE void *kmalloc_block(struct page *page)
{
	if (!page)
		return NULL;
	page_set_type(page, PAGE_KMALLOC);
	return page_to_virt(page);
}

/*
 * How much to ask for, instead of `size`, so that the block is aligned as one
 * of `old` bytes is: the next multiple of the largest power of two in `old`,
 * less one; which has the same class, for classes are multiples of more than
 * that one, and does not overflow.
 */
KMEM_INLINE size_t size_aligned_as(size_t size, size_t old)
{
	return (size - 1) | ((old & (0 - old)) - 1) | (KMALLOC_MIN_SIZE - 1);
}

/* The size that says how a block of `old` bytes is aligned: a debugged object
 * has as many bytes as were asked for, in a class that has more. */
KMEM_INLINE size_t kmalloc_room(const void *p, size_t old)
{
	struct kmem_slabs *s = KMEM_CACHE_DEBUG ? virt_to_page(p)->slabs :
						    NULL;

	return s ? kmem_cache_size(slabs_cache(s)) : old;
}

/* Make a block of `old` bytes one of `size`, where it is; what it has beyond
 * the less of the two is zero, if it is to be zero. False: it is too small. */
KMEM_INLINE bool kmalloc_resize(const void *p, size_t old, size_t size,
				gfp_t gfp)
{
	char *mem = (char *)(uintptr_t)p;
	bool debugged = KMEM_CACHE_DEBUG &&
			cache_resize("krealloc", p, size, KMEM_CALLER);

	if (size > old && !debugged)
		return false;
	if (!(gfp & __GFP_ZERO))
		return true;
	if (size > old)
		memset(mem + old, 0, size - old);
	else if (!debugged)
		memset(mem + size, 0, old - size);
	return true;
}

/* The content of a block of `old` bytes goes to a new one, if there is one. */
KMEM_INLINE void *kmalloc_move(const void *p, size_t old, void *new)
{
	if (!new)
		return NULL;
	memcpy(new, p, old);
	kfree(p);
	return new;
}

#endif /* KMEM_KMALLOC_PRIVATE_H */
