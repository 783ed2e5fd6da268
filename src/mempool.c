/* SPDX-License-Identifier: MIT */
/*
 * mempool.c - a reserve of elements that are allocated already.
 *
 *	mempool_alloc                       mempool_free
 *	  1. the allocator, at once           the reserve, if it is not full:
 *	  2. the reserve                        wake those who wait
 *	  3. the allocator, with reclaim      else the allocator
 *	  4. the reserve
 *	  ── may sleep ──
 *	  5. wait; 1. again
 *
 * Why it gets on: every element taken from a reserve that is not full goes back
 * to it when it is freed, and wakes those who wait. So with n elements of the
 * reserve, n users that need one each to get on, and free it then, all do,
 * whatever else happens to memory. Waiting is that of page_reclaim.c: what is
 * freed elsewhere wakes too, and nothing is missed.
 *
 * elements[0 .. curr_nr) are in the reserve, the last in is the first out.
 * Nothing is written into an element.
 *
 * Invariant:
 *
 *  L1	0 <= curr_nr <= max(min_nr, 1), and no element is there twice
 *
 * Locks: the pool's guards elements, min_nr and curr_nr. The allocator is
 * called outside of it.
 */
#include "kmalloc.h"

#include <kmem/boot.h>
#include <kmem/mempool.h>

_Static_assert(sizeof(struct kmem_lock) <= sizeof(((mempool_t *)0)->lock),
	       "a pool has room for its lock");

static struct kmem_lock *pool_lock(mempool_t *pool)
{
	return (struct kmem_lock *)(void *)pool->lock;
}

/* ---- the reserve ---- */

void *mempool_alloc_preallocated(mempool_t *pool)
{
	uintptr_t irq = lock_irq(pool_lock(pool));
	void *element = NULL;

	if (pool->curr_nr > 0) {
		element = pool->elements[pool->curr_nr - 1];
		kmem_store_relaxed(&pool->curr_nr, pool->curr_nr - 1);
	}
	unlock_irq(pool_lock(pool), irq);
	return element;
}

/* A pool of 0 elements has none, but whoever waits for it is told all the
 * same: what is freed goes to the allocator. */
static bool wanted(const mempool_t *pool)
{
	return kmem_load_relaxed(&pool->curr_nr) <
	       kmem_load_relaxed(&pool->min_nr);
}

static bool is_here(const mempool_t *pool, const void *element)
{
	for (int i = 0; i < pool->curr_nr; i++)
		if (pool->elements[i] == element)
			return true;
	return false;
}

enum put { PUT, PUT_FULL, PUT_TWICE };

/* Into the reserve. */
static enum put put_back(mempool_t *pool, void *element)
{
	uintptr_t irq = lock_irq(pool_lock(pool));
	enum put put = PUT;

	if (!wanted(pool)) {
		put = PUT_FULL;
	} else if (is_here(pool, element)) {
		put = PUT_TWICE;
	} else {
		pool->elements[pool->curr_nr] = element;
		kmem_store_relaxed(&pool->curr_nr, pool->curr_nr + 1);
	}
	unlock_irq(pool_lock(pool), irq);
	return put;
}

/* ---- allocation and free ---- */

static void *try_once(mempool_t *pool, gfp_t gfp)
{
	gfp_t at_once = gfp & ~(__GFP_DIRECT_RECLAIM | __GFP_IO | __GFP_FS);
	void *element = pool->alloc(at_once, pool->pool_data);

	if (!element)
		element = mempool_alloc_preallocated(pool);
	if (element || gfp == at_once)
		return element;
	element = pool->alloc(gfp, pool->pool_data);
	return element ? element : mempool_alloc_preallocated(pool);
}

void *mempool_alloc(mempool_t *pool, gfp_t gfp)
{
	struct waiter w = { .waiting = false };
	void *element;

	gfp &= ~(__GFP_ZERO | __GFP_NOFAIL);
	gfp |= __GFP_NORETRY | __GFP_NOWARN;
	do {
		element = try_once(pool, gfp);
	} while (!element && (gfp & __GFP_DIRECT_RECLAIM) &&
		 wait_for_memory(&w, gfp, 0));
	wait_end(&w);
	return element;
}

static bool is_live(const struct page *page, const void *obj)
{
	struct slab_index i = slab_index(page, page->slabs, obj);

	return i.exact && kmem_load_relaxed(&page->slot[i.index]) ==
			  slabs_live(page->slabs);
}

/* The allocator would take it back. Of a pool with functions of its own that
 * is not known. */
static bool is_allocated(const mempool_t *pool, const void *element)
{
	const struct page *page;

	if (pool->free == mempool_free_pages) {
		page = element;
		return page_type(page) == PAGE_ALLOCATED &&
		       page->order == (uintptr_t)pool->pool_data;
	}
	if (pool->free != mempool_free_slab && pool->free != mempool_kfree)
		return true;
	page = virt_to_page(element);
	if (!page || !page->slabs)
		return pool->free == mempool_kfree && page &&
		       page_type(page) == PAGE_KMALLOC &&
		       page_to_virt(page) == element;
	return (pool->free == mempool_kfree ||
		page->slabs == pool->pool_data) &&
	       is_live(page, element);
}

void mempool_free(void *element, mempool_t *pool)
{
	enum put put = PUT_FULL;

	if (!element)
		return;
	/* What was taken from the reserve was taken before it came here: its
	 * lack is seen without the lock. What the allocator would not take
	 * back, it reports. */
	if (wanted(pool) && is_allocated(pool, element))
		put = put_back(pool, element);
	if (put == PUT_TWICE)
		kmem_misuse_by(KMEM_CALLER, "double free", element,
			       "kmem: mempool_free(%p): double free: it is in "
			       "the reserve already", element);
	else if (put == PUT_FULL)
		pool->free(element, pool->pool_data);
	else
		wake_waiters();
}

/* ---- the life of a pool ---- */

/* Allocate what the reserve lacks. */
static bool fill(mempool_t *pool)
{
	while (wanted(pool)) {
		void *element = pool->alloc(GFP_KERNEL, pool->pool_data);

		if (!element)
			return false;
		if (put_back(pool, element) != PUT)
			pool->free(element, pool->pool_data);
	}
	wake_waiters();
	return true;
}

static void **new_elements(int n)
{
	return kmalloc_array((size_t)KMEM_MAX(n, 1), sizeof(void *),
			     GFP_KERNEL);
}

int mempool_init(mempool_t *pool, int min_nr, mempool_alloc_t *alloc,
		 mempool_free_t *free, void *pool_data)
{
	memset(pool, 0, sizeof(*pool));
	if (min_nr < 0 || !alloc || !free)
		return KMEM_EINVAL;
	pool->elements = new_elements(min_nr);
	if (!pool->elements)
		return KMEM_ENOMEM;
	lock_init(pool_lock(pool));
	pool->min_nr = min_nr;
	pool->alloc = alloc;
	pool->free = free;
	pool->pool_data = pool_data;
	if (fill(pool))
		return 0;
	mempool_exit(pool);
	return KMEM_ENOMEM;
}

void mempool_exit(mempool_t *pool)
{
	if (!pool->elements)
		return;
	while (pool->curr_nr > 0)
		pool->free(pool->elements[--pool->curr_nr], pool->pool_data);
	kfree(pool->elements);
	memset(pool, 0, sizeof(*pool));
}

mempool_t *mempool_create(int min_nr, mempool_alloc_t *alloc,
			  mempool_free_t *free, void *pool_data)
{
	mempool_t *pool = kmalloc(sizeof(*pool), GFP_KERNEL);

	if (pool && mempool_init(pool, min_nr, alloc, free, pool_data)) {
		kfree(pool);
		return NULL;
	}
	return pool;
}

void mempool_destroy(mempool_t *pool)
{
	if (!pool)
		return;
	mempool_exit(pool);
	kfree(pool);
}

/* Free elements until there are at most min_nr, which is the new size. */
static void reduce(mempool_t *pool, int min_nr)
{
	void *element;
	uintptr_t irq;

	irq = lock_irq(pool_lock(pool));
	kmem_store_relaxed(&pool->min_nr, min_nr);
	unlock_irq(pool_lock(pool), irq);
	while (kmem_load_relaxed(&pool->curr_nr) > min_nr &&
	       (element = mempool_alloc_preallocated(pool)))
		pool->free(element, pool->pool_data);
}

/* Have room for more. */
static bool enlarge(mempool_t *pool, int min_nr)
{
	void **elements = new_elements(min_nr), **old;
	uintptr_t irq;

	if (!elements)
		return false;
	irq = lock_irq(pool_lock(pool));
	old = pool->elements;
	memcpy(elements, old, (size_t)pool->curr_nr * sizeof(void *));
	pool->elements = elements;
	kmem_store_relaxed(&pool->min_nr, min_nr);
	unlock_irq(pool_lock(pool), irq);
	kfree(old);
	return true;
}

int mempool_resize(mempool_t *pool, int min_nr)
{
	if (min_nr < 1)
		return KMEM_EINVAL;
	if (min_nr < pool->min_nr)
		reduce(pool, min_nr);
	else if (min_nr > pool->min_nr && !enlarge(pool, min_nr))
		return KMEM_ENOMEM;
	return fill(pool) ? 0 : KMEM_ENOMEM;
}

/* ---- the usual allocators ---- */

void *mempool_alloc_slab(gfp_t gfp, void *cache)
{
	return kmem_cache_alloc(cache, gfp);
}

void mempool_free_slab(void *element, void *cache)
{
	kmem_cache_free(cache, element);
}

void *mempool_kmalloc(gfp_t gfp, void *size)
{
	return kmalloc((uintptr_t)size, gfp);
}

void mempool_kfree(void *element, void *size)
{
	(void)size;
	kfree(element);
}

void *mempool_alloc_pages(gfp_t gfp, void *order)
{
	return alloc_pages(gfp, (unsigned)(uintptr_t)order);
}

void mempool_free_pages(void *element, void *order)
{
	__free_pages(element, (unsigned)(uintptr_t)order);
}
