/* SPDX-License-Identifier: MIT */
/*
 * kmem/reserve.h - what a cache is sure to have, and what it may have at most.
 *
 * A *sheaf* is a number of objects taken in advance, so that allocations inside
 * an atomic section can't fail: Linux's names.
 */
#ifndef KMEM_RESERVE_H
#define KMEM_RESERVE_H

#include <kmem/cache.h>

struct slab_sheaf;

KMEM_BEGIN_DECLS

/**
 * kmem_cache_prefill_sheaf - take `size` objects in advance
 * @s: the cache
 * @gfp: flags of <kmem/gfp.h>, for the objects and the sheaf
 * @size: objects
 *
 * Context: any; with __GFP_DIRECT_RECLAIM it may sleep.
 * Return: the sheaf; NULL if there is no memory (then nothing was taken).
 */
struct slab_sheaf *kmem_cache_prefill_sheaf(struct kmem_cache *s, gfp_t gfp,
					    unsigned size) KMEM_MUST_CHECK;

/**
 * kmem_cache_refill_sheaf - have at least `size` objects in it again
 * @s: the cache
 * @gfp: as for kmem_cache_prefill_sheaf()
 * @sheafp: the sheaf; replaced by another one if it is too small
 * @size: objects
 *
 * Context: as kmem_cache_prefill_sheaf().
 * Return: 0; KMEM_ENOMEM: the sheaf is as it was.
 */
int kmem_cache_refill_sheaf(struct kmem_cache *s, gfp_t gfp,
			    struct slab_sheaf **sheafp, unsigned size);

/**
 * kmem_cache_return_sheaf - free what is left in it, and the sheaf
 *
 * Context: any. NULL does nothing; the flags have no effect.
 * Misuse: a sheaf of another cache is reported through kmem_panic(), and kept.
 */
void kmem_cache_return_sheaf(struct kmem_cache *s, gfp_t gfp,
			     struct slab_sheaf *sheaf);

/**
 * kmem_cache_alloc_from_sheaf - an object of those taken in advance
 * @s: the cache
 * @gfp: of its flags, only __GFP_ZERO has an effect
 * @sheaf: one context at a time may use it
 *
 * Context: any; touches nothing but the sheaf: no lock, no failure.
 * Return: never NULL as often as was asked for; then NULL, without a look into
 * the cache.
 * Cost: O(1).
 * Misuse: as kmem_cache_return_sheaf(); then NULL.
 */
void *kmem_cache_alloc_from_sheaf(struct kmem_cache *s, gfp_t gfp,
				  struct slab_sheaf *sheaf) KMEM_MUST_CHECK;

/** kmem_cache_sheaf_size - objects that are still in it */
unsigned kmem_cache_sheaf_size(const struct slab_sheaf *sheaf);

/**
 * kmem_cache_set_max - bound the memory of a cache
 * @s: the cache; for the first time, before others use it
 * @objects: the most that it may have, free ones included; 0: no bound
 *
 * Counted in pages, whenever a slab is made, and so rounded up to whole slabs.
 * At the bound an allocation takes back what lies in this CPU's magazines and
 * the depot, and those of all CPUs if it may sleep; then it returns NULL, or
 * with __GFP_NOFAIL waits for a free. A bound below what there is takes effect
 * as slabs are given up.
 *
 * Context: thread. Return: the objects that fit into the bound; with large slabs
 * (KMEM_LARGE_SLABS_BYTES) up to 2 in 100 more do.
 */
size_t kmem_cache_set_max(struct kmem_cache *s, size_t objects);

/**
 * kmem_cache_prealloc - have room for so many objects, and keep it
 * @s: the cache
 * @objects: room for them, used or free, is made now, and is not given back by
 *	trims, shrinking or shortage of memory until this is called with less;
 *	0: keep nothing
 * @gfp: flags of <kmem/gfp.h>, for the slabs
 *
 * On several CPUs, objects in another CPU's magazines count as well: who must
 * be sure of objects takes a sheaf or a mempool.
 *
 * Context: thread.
 * Return: 0; KMEM_ENOMEM: what could be made is kept; KMEM_EINVAL in builds
 * without magazines, where empty slabs are not kept.
 */
int kmem_cache_prealloc(struct kmem_cache *s, size_t objects, gfp_t gfp);

KMEM_END_DECLS

#endif /* KMEM_RESERVE_H */
