/* SPDX-License-Identifier: MIT */
/*
 * nolock.h - what kmem_reset() needs of nolock.c.
 */
#ifndef KMEM_NOLOCK_PRIVATE_H
#define KMEM_NOLOCK_PRIVATE_H

#include "deferred.h"

#include <kmem/nolock.h>

/* Nothing waits any more: the memory it was in is gone. */
void nolock_forget(void);

/* Where <kmem/nolock.h> has no calls, they are compiled all the same, and no
 * program holds them. */
#if !KMEM_DEFERRED
void *kmalloc_nolock(size_t size, gfp_t gfp, int node);
void kfree_nolock(const void *p);
struct page *alloc_pages_nolock(gfp_t gfp, int nid, unsigned order);
void free_pages_nolock(struct page *page, unsigned order);
#endif

#endif /* KMEM_NOLOCK_PRIVATE_H */
