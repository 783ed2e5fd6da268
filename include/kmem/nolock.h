/* SPDX-License-Identifier: MIT */
/*
 * kmem/nolock.h - memory for those who may wait for nobody: NMI handlers, and
 * code that may have interrupted the allocator itself (probes, tracers).
 *
 * Context of every call here: any, NMI included; none sleeps, none waits for a
 * lock, and all of them end after a bounded number of steps. What they need of
 * the port: that kmem_arch_enter(), _exit() and _cpu() work in an NMI and don't
 * switch threads there, and that an NMI is not interrupted by another one on
 * the same CPU. kmem_panic() may be called in the NMI, for misuse.
 *
 * Caches that are debugged (kmem/debug.h) have nothing for them; frees of their
 * objects are done later.
 *
 * Allocation is best effort, and a caller must do without: NULL means that what
 * this CPU has at hand is used up and somebody, perhaps the code that was
 * interrupted, has the lock that would be needed. Freeing always works.
 *
 * Not there with KMEM_MAX_CPUS 1 and KMEM_MAGAZINE_ROUNDS 0 (config_small.h):
 * locks are then the interrupt mask alone, and nobody can see that one is
 * taken.
 */
#ifndef KMEM_NOLOCK_H
#define KMEM_NOLOCK_H

#include <kmem/page.h>

#if KMEM_DEFERRED

KMEM_BEGIN_DECLS

/**
 * kmalloc_nolock - kmalloc(), if that needs no waiting
 * @size: bytes; 0 gives ZERO_SIZE_PTR
 * @gfp: 0, or of __GFP_ZERO, __GFP_ACCOUNT, __GFP_NOWARN
 * @node: the node preferred, KMEM_NO_NODE: this CPU's
 *
 * Context: any, NMI included.
 * Return: memory aligned as kmalloc()'s, to be freed with kfree_nolock(),
 *	kfree() or any other of its family; NULL if it can't be had at once.
 * Cost: as kmalloc(); a slab more is made if need be.
 * Misuse: another flag is reported, and NULL returned.
 */
void *kmalloc_nolock(size_t size, gfp_t gfp, int node)
	KMEM_MALLOC KMEM_MUST_CHECK;

/**
 * kfree_nolock - kfree() without waiting
 * @p: an object of kmalloc(), kmalloc_nolock() or a cache; NULL and
 *	ZERO_SIZE_PTR do nothing
 *
 * What can't be done at once is put aside, and done by the next allocation or
 * free that takes a slow path, on any CPU, or by kmem_cache_shrink(),
 * kmem_cache_destroy(), drain_pages() or kmem_check_all(). Until then the
 * object is free for its user, and a second free of it is reported.
 *
 * Context: any, NMI included.
 * Cost: as kfree().
 * Misuse: as kfree(): reported, and nothing is freed.
 */
void kfree_nolock(const void *p);

/**
 * alloc_pages_nolock - alloc_pages() of zeroed pages, if that needs no waiting
 * @gfp: 0, or of __GFP_ZERO, __GFP_ACCOUNT, __GFP_NOWARN
 * @nid: the node preferred, KMEM_NO_NODE: this CPU's
 * @order: 0 .. KMEM_MAX_ORDER
 *
 * Context: any, NMI included.
 * Return: the block, which reads as zero; NULL if it can't be had at once.
 * Cost: O(2^order), for the zeros.
 * Misuse: another flag is reported, and NULL returned.
 */
struct page *alloc_pages_nolock(gfp_t gfp, int nid, unsigned order)
	KMEM_MUST_CHECK;

/**
 * free_pages_nolock - __free_pages() without waiting
 * @page: what alloc_pages() or alloc_pages_nolock() returned; NULL does nothing
 * @order: the order it was allocated with
 *
 * What can't be done at once is done later, as by kfree_nolock().
 *
 * Context: any, NMI included.
 * Misuse: as __free_pages(): reported, and nothing is freed.
 */
void free_pages_nolock(struct page *page, unsigned order);

KMEM_END_DECLS

#endif

#endif /* KMEM_NOLOCK_H */
