/* SPDX-License-Identifier: MIT */
/*
 * kmem/mempool.h - a reserve of elements, for those who must go on. Names and
 * meanings are Linux's.
 *
 * A pool keeps min_nr elements back. mempool_alloc() asks the allocator first;
 * if that has nothing, the reserve; and if that is empty, it waits until an
 * element comes back. So whoever holds a bounded number of elements at a time
 * and frees them in the end gets on, however short memory is.
 */
#ifndef KMEM_MEMPOOL_H
#define KMEM_MEMPOOL_H

#include <kmem/cache.h>

/* Where elements come from and go to. The allocation gets flags that never
 * wait for long (__GFP_NORETRY, __GFP_NOWARN), and may return NULL. */
typedef void *(mempool_alloc_t)(gfp_t gfp, void *pool_data);
/* The free gets any element of the pool. */
typedef void (mempool_free_t)(void *element, void *pool_data);

/* A pool; use the functions. All zero: not initialised, or at its end. */
typedef struct mempool {
	unsigned lock[sizeof(size_t) < 8 ? 3 : 6]; /* kmem's own */
	int min_nr;			/* elements to keep back */
	int curr_nr;			/* of them here */
	void **elements;
	void *pool_data;
	mempool_alloc_t *alloc;
	mempool_free_t *free;
} mempool_t;

KMEM_BEGIN_DECLS

/**
 * mempool_init - set up a pool in memory of the caller's, its reserve filled
 * @pool: may hold anything
 * @min_nr: elements of the reserve, 0 or more
 * @alloc: see mempool_alloc_t
 * @free: see mempool_free_t
 * @pool_data: passed to both
 *
 * Context: thread; may sleep.
 * Return: 0; KMEM_EINVAL if min_nr is negative or a function missing;
 * KMEM_ENOMEM (then the pool is all zero, and mempool_exit() harmless).
 */
int mempool_init(mempool_t *pool, int min_nr, mempool_alloc_t *alloc,
		 mempool_free_t *free, void *pool_data);

/** mempool_exit - free the reserve; a pool that is all zero is left alone.
 * Elements that callers hold remain valid, for the pool's `free`. */
void mempool_exit(mempool_t *pool);

/** mempool_create - mempool_init() of a pool that kmem allocates; or NULL */
mempool_t *mempool_create(int min_nr, mempool_alloc_t *alloc,
			  mempool_free_t *free, void *pool_data)
	KMEM_MUST_CHECK;

/** mempool_destroy - end a pool of mempool_create(); NULL does nothing */
void mempool_destroy(mempool_t *pool);

/**
 * mempool_resize - another size of the reserve
 *
 * Elements too many are freed, those missing allocated. mempool_alloc() and
 * mempool_free() may go on meanwhile, another mempool_resize() may not.
 * Context: thread; may sleep.
 * Return: 0; KMEM_EINVAL if min_nr is less than 1; KMEM_ENOMEM: the reserve is
 * as large as before, or as large as asked for but not filled yet, which frees
 * will do.
 */
int mempool_resize(mempool_t *pool, int min_nr);

/**
 * mempool_alloc - an element
 * @pool: the pool
 * @gfp: flags of <kmem/gfp.h>; __GFP_ZERO is dropped: elements of the reserve
 *	are as they were freed
 *
 * Context: any; with __GFP_DIRECT_RECLAIM it may sleep, in the wait hook.
 * Return: with __GFP_DIRECT_RECLAIM never NULL where there is a wait hook. If
 * there is none, an allocation that would have to wait is reported through
 * kmem_panic(), as with __GFP_NOFAIL, and returns NULL. Without that flag NULL
 * if allocator and reserve have nothing.
 * Cost: as the allocator's; one lock for an element of the reserve.
 */
void *mempool_alloc(mempool_t *pool, gfp_t gfp) KMEM_MUST_CHECK;

/** mempool_alloc_preallocated - an element of the reserve, or NULL. Context:
 * any. Cost: one lock. */
void *mempool_alloc_preallocated(mempool_t *pool) KMEM_MUST_CHECK;

/**
 * mempool_free - give an element back: to the reserve if that is not full
 * @element: NULL does nothing
 * @pool: the pool
 *
 * Context: any that the pool's `free` can be called in.
 * Misuse: for pools of a cache, of kmalloc() and of pages, an element that is
 * not allocated, and for all pools one that is in the reserve already while
 * that has room, is reported through kmem_panic() and not taken. (With a full
 * reserve nobody looks: it is freed, and found so when the pool ends.)
 * Cost: O(min_nr) when the reserve takes it, else as the pool's `free`.
 */
void mempool_free(void *element, mempool_t *pool);

/** mempool_initialized - it was, and has not come to its end */
KMEM_INLINE bool mempool_initialized(const mempool_t *pool)
{
	return pool->elements != NULL;
}

/** mempool_is_saturated - the reserve is full */
KMEM_INLINE bool mempool_is_saturated(const mempool_t *pool)
{
	return pool->curr_nr >= pool->min_nr;
}

/* For pools of objects of a cache, which is pool_data: an allocation. */
void *mempool_alloc_slab(gfp_t gfp, void *cache);
/* The free. */
void mempool_free_slab(void *element, void *cache);
/* For pools of kmalloc(); pool_data is the size: an allocation. */
void *mempool_kmalloc(gfp_t gfp, void *size);
/* The free. */
void mempool_kfree(void *element, void *size);
/* For pools of blocks of pages; pool_data is the order: an allocation. */
void *mempool_alloc_pages(gfp_t gfp, void *order);
/* The free. */
void mempool_free_pages(void *element, void *order);

/** mempool_init_slab_pool - of objects of a cache */
KMEM_INLINE int mempool_init_slab_pool(mempool_t *pool, int min_nr,
				       struct kmem_cache *s)
{
	return mempool_init(pool, min_nr, mempool_alloc_slab,
			    mempool_free_slab, (void *)s);
}

/** mempool_create_slab_pool - of objects of a cache; NULL without memory */
KMEM_INLINE mempool_t *mempool_create_slab_pool(int min_nr,
						struct kmem_cache *s)
{
	return mempool_create(min_nr, mempool_alloc_slab, mempool_free_slab,
			      (void *)s);
}

/** mempool_init_kmalloc_pool - of kmalloc() of that size */
KMEM_INLINE int mempool_init_kmalloc_pool(mempool_t *pool, int min_nr,
					  size_t size)
{
	return mempool_init(pool, min_nr, mempool_kmalloc, mempool_kfree,
			    (void *)(uintptr_t)size);
}

/** mempool_create_kmalloc_pool - of kmalloc(); NULL without memory */
KMEM_INLINE mempool_t *mempool_create_kmalloc_pool(int min_nr, size_t size)
{
	return mempool_create(min_nr, mempool_kmalloc, mempool_kfree,
			      (void *)(uintptr_t)size);
}

/** mempool_init_page_pool - of blocks of 2^order pages, by descriptor */
KMEM_INLINE int mempool_init_page_pool(mempool_t *pool, int min_nr,
				       unsigned order)
{
	return mempool_init(pool, min_nr, mempool_alloc_pages,
			    mempool_free_pages, (void *)(uintptr_t)order);
}

/** mempool_create_page_pool - of blocks of pages; NULL without memory */
KMEM_INLINE mempool_t *mempool_create_page_pool(int min_nr, unsigned order)
{
	return mempool_create(min_nr, mempool_alloc_pages, mempool_free_pages,
			      (void *)(uintptr_t)order);
}

KMEM_END_DECLS

#endif /* KMEM_MEMPOOL_H */
