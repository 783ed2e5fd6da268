/* SPDX-License-Identifier: MIT */
/*
 * kmem/cache.h - caches of objects of one size.
 *
 * Context of alloc and free: any, NMI excepted; an allocation with
 * __GFP_DIRECT_RECLAIM (GFP_KERNEL) may sleep in the hooks. Of create,
 * destroy and shrink: thread.
 */
#ifndef KMEM_CACHE_H
#define KMEM_CACHE_H

#include <kmem/page.h>

/* SLAB_* */
typedef unsigned int slab_flags_t;

#define SLAB_HWCACHE_ALIGN	((slab_flags_t)0x01) /* to KMEM_CACHE_LINE */
#define SLAB_PANIC		((slab_flags_t)0x02) /* create can't fail */
#define SLAB_CACHE_DMA		((slab_flags_t)0x04) /* pages of zone DMA */
#define SLAB_CACHE_DMA32	((slab_flags_t)0x08) /* pages of zone DMA32 */
#define SLAB_RECLAIM_ACCOUNT	((slab_flags_t)0x10) /* a shrinker frees it */
#define SLAB_ACCOUNT		((slab_flags_t)0x20) /* accepted, no effect */
#define SLAB_NO_MERGE		((slab_flags_t)0x40) /* kmem never merges */
#define SLAB_TYPESAFE_BY_RCU	((slab_flags_t)0x80) /* not yet: refused */

/* Debugging: what they do is in kmem/debug.h. Refused if there is no
 * KMEM_REPORT_TEXT. */
#define SLAB_CONSISTENCY_CHECKS	((slab_flags_t)0x100)
#define SLAB_RED_ZONE		((slab_flags_t)0x200)
#define SLAB_POISON		((slab_flags_t)0x400)
#define SLAB_STORE_USER		((slab_flags_t)0x800)
#define SLAB_TRACE		((slab_flags_t)0x1000)
#define SLAB_DEBUG_FLAGS	((slab_flags_t)0x1f00)

/* Largest object of a cache: one fills a slab of the highest order. */
#define KMEM_CACHE_MAX_SIZE	(KMEM_PAGE_SIZE << KMEM_SLAB_MAX_ORDER)

struct kmem_cache;

KMEM_BEGIN_DECLS

/**
 * kmem_cache_create - make a cache
 * @name: shown in reports; copied; less than KMEM_NAME_BYTES printable
 *	characters, no space, and no other cache's name
 * @size: bytes of an object, 1 .. KMEM_CACHE_MAX_SIZE
 * @align: a power of two up to KMEM_PAGE_SIZE, or 0 for that of a pointer
 * @flags: SLAB_*
 * @ctor: called for each object when a slab is made, in the context of the
 *	allocation that needs it, not for each allocation; may be NULL.
 *	Objects must be freed in the state that it leaves them in.
 *
 * Return: the cache, or NULL (a reason is logged; SLAB_PANIC: kmem_panic()).
 */
struct kmem_cache *kmem_cache_create(const char *name, size_t size,
				     size_t align, slab_flags_t flags,
				     void (*ctor)(void *));

/** KMEM_CACHE - a cache for a struct, named after it */
#define KMEM_CACHE(__struct, __flags) \
	kmem_cache_create(#__struct, sizeof(struct __struct), \
			  __alignof__(struct __struct), (__flags), NULL)

/**
 * kmem_cache_destroy - end a cache; NULL does nothing
 *
 * Nobody may be using the cache any more: magazines of all CPUs are emptied
 * from here. If objects are still allocated, each is reported through
 * kmem_panic() and the cache is kept (leaked), its memory untouched.
 */
void kmem_cache_destroy(struct kmem_cache *s);

/**
 * kmem_cache_alloc - allocate an object
 *
 * Return: an object, or NULL if there is no memory.
 * Cost: O(1) from the CPU's magazine, no lock and no atomic operation.
 */
void *kmem_cache_alloc(struct kmem_cache *s, gfp_t gfp)
	KMEM_MALLOC KMEM_MUST_CHECK;

/** kmem_cache_zalloc - kmem_cache_alloc(), zeroed. Not with a constructor. */
void *kmem_cache_zalloc(struct kmem_cache *s, gfp_t gfp)
	KMEM_MALLOC KMEM_MUST_CHECK;

/**
 * kmem_cache_free - give an object back; NULL does nothing
 *
 * Misuse: a free object, a pointer into the middle of one, one of another
 * cache or of no cache are reported through kmem_panic(), and nothing is
 * freed.
 * Cost: as kmem_cache_alloc().
 */
void kmem_cache_free(struct kmem_cache *s, void *obj);

/**
 * kmem_cache_alloc_bulk - allocate n objects, all or none
 * @s: the cache
 * @gfp: flags of <kmem/gfp.h>
 * @n: how many
 * @objs: filled in
 *
 * Return: n, or 0 on failure (then nothing was allocated). With n 0: 0.
 */
size_t kmem_cache_alloc_bulk(struct kmem_cache *s, gfp_t gfp, size_t n,
			     void **objs) KMEM_MUST_CHECK;

/** kmem_cache_free_bulk - free n objects of one cache; s NULL: of any */
void kmem_cache_free_bulk(struct kmem_cache *s, size_t n, void **objs);

/**
 * kmem_cache_shrink - give empty slabs back to the page allocator
 *
 * Empties this CPU's magazines and the depot first (with the run_on_cpu hook:
 * every CPU's).
 * Return: 0 if no slab remains, 1 otherwise.
 */
int kmem_cache_shrink(struct kmem_cache *s);

/** kmem_cache_size - bytes of an object, as given to kmem_cache_create() */
size_t kmem_cache_size(const struct kmem_cache *s);

/** kmem_cache_name - its name */
const char *kmem_cache_name(const struct kmem_cache *s);

KMEM_END_DECLS

#endif /* KMEM_CACHE_H */
