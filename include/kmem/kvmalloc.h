/* SPDX-License-Identifier: MIT */
/*
 * kmem/kvmalloc.h - kmalloc(), and vmalloc() where that has nothing.
 *
 * What is larger than a page is first asked of kmalloc(), which does not try
 * hard then, and after that of vmalloc(), which needs no contiguous pages. So
 * the memory may not be contiguous physically. Until kmem_vmalloc_init(), and
 * in a kernel that never calls it, each call here is what its kmalloc()
 * namesake is; nothing of vmalloc() is linked on its account.
 *
 * Context: of allocations with __GFP_DIRECT_RECLAIM (GFP_KERNEL): thread; with
 * other flags, any, NMI excepted: then only kmalloc() is asked. Of kvfree(): as
 * vfree(), any if it was kmalloc()'s.
 */
#ifndef KMEM_KVMALLOC_H
#define KMEM_KVMALLOC_H

#include <kmem/kmalloc.h>

/* Linux's limit on what kvmalloc() and its family give, where kmalloc() has
 * not given it: bytes. */
#define KVMALLOC_MAX_SIZE	((size_t)0x7fffffff)

KMEM_BEGIN_DECLS

/**
 * kvmalloc_node - allocate memory, preferring a node's
 * @size: bytes
 * @gfp: flags of <kmem/gfp.h>; __GFP_NOFAIL and the zone modifiers included
 * @node: of which memory is preferred, or KMEM_NO_NODE; a hint
 *
 * Return: as kmalloc(): ZERO_SIZE_PTR for size 0; NULL on failure. Aligned as
 * kmalloc() aligns, or to a page.
 * Cost: as kmalloc(), or as vmalloc().
 */
void *kvmalloc_node(size_t size, gfp_t gfp, int node)
	KMEM_MALLOC KMEM_ALLOC_SIZE(1) KMEM_MUST_CHECK;

/** kvmalloc - kvmalloc_node() of no node in particular */
KMEM_INLINE KMEM_MALLOC KMEM_ALLOC_SIZE(1) KMEM_MUST_CHECK
void *kvmalloc(size_t size, gfp_t gfp)
{
	return kvmalloc_node(size, gfp, KMEM_NO_NODE);
}

/** kvzalloc - kvmalloc(), zeroed */
KMEM_INLINE KMEM_MALLOC KMEM_ALLOC_SIZE(1) KMEM_MUST_CHECK
void *kvzalloc(size_t size, gfp_t gfp)
{
	return kvmalloc(size, gfp | __GFP_ZERO);
}

/** kvzalloc_node - kvmalloc_node(), zeroed */
KMEM_INLINE KMEM_MALLOC KMEM_ALLOC_SIZE(1) KMEM_MUST_CHECK
void *kvzalloc_node(size_t size, gfp_t gfp, int node)
{
	return kvmalloc_node(size, gfp | __GFP_ZERO, node);
}

/** kvmalloc_array_node - n elements of size bytes; NULL if that overflows */
KMEM_INLINE KMEM_MALLOC KMEM_ALLOC_SIZE(1, 2) KMEM_MUST_CHECK
void *kvmalloc_array_node(size_t n, size_t size, gfp_t gfp, int node)
{
	size_t bytes;

	if (kmem_mul_overflow(n, size, &bytes))
		return NULL;
	return kvmalloc_node(bytes, gfp, node);
}

/** kvcalloc_node - kvmalloc_array_node(), zeroed */
KMEM_INLINE KMEM_MALLOC KMEM_ALLOC_SIZE(1, 2) KMEM_MUST_CHECK
void *kvcalloc_node(size_t n, size_t size, gfp_t gfp, int node)
{
	return kvmalloc_array_node(n, size, gfp | __GFP_ZERO, node);
}

/** kvmalloc_array - n elements of size bytes; NULL if n * size overflows */
KMEM_INLINE KMEM_MALLOC KMEM_ALLOC_SIZE(1, 2) KMEM_MUST_CHECK
void *kvmalloc_array(size_t n, size_t size, gfp_t gfp)
{
	return kvmalloc_array_node(n, size, gfp, KMEM_NO_NODE);
}

/** kvcalloc - kvmalloc_array(), zeroed */
KMEM_INLINE KMEM_MALLOC KMEM_ALLOC_SIZE(1, 2) KMEM_MUST_CHECK
void *kvcalloc(size_t n, size_t size, gfp_t gfp)
{
	return kvmalloc_array(n, size, gfp | __GFP_ZERO);
}

/**
 * kvrealloc - change the size of a block
 * @p: from kvmalloc() and its family, kmalloc() or vmalloc(); NULL: as
 *	kvmalloc()
 * @size: bytes; 0: frees p, and returns ZERO_SIZE_PTR, or NULL if p was of
 *	vmalloc()
 * @gfp: flags of <kmem/gfp.h>
 *
 * The content up to the smaller size is kept; __GFP_ZERO as for krealloc() and
 * vrealloc().
 *
 * Return: the block, which may have moved; NULL on failure, and then p is
 * still valid.
 */
void *kvrealloc(const void *p, size_t size, gfp_t gfp)
	KMEM_ALLOC_SIZE(2) KMEM_MUST_CHECK;

/**
 * kvfree - give memory back, kmalloc()'s or vmalloc()'s
 * @p: NULL and ZERO_SIZE_PTR do nothing
 *
 * Misuse: as kfree() and vfree(), whichever it is of.
 */
void kvfree(const void *p);

/** kvfree_sensitive - zero len bytes, then kvfree() it; NULL: nothing */
void kvfree_sensitive(const void *p, size_t len);

/** kvmemdup - a copy of len bytes, from kvmalloc() */
void *kvmemdup(const void *src, size_t len, gfp_t gfp) KMEM_MUST_CHECK;

/**
 * is_vmalloc_addr - whether an address is in the range given to vmalloc()
 *
 * Context: any. Cost: O(1). False for all until kmem_vmalloc_init().
 */
bool is_vmalloc_addr(const void *p);

KMEM_END_DECLS

#endif /* KMEM_KVMALLOC_H */
