/* SPDX-License-Identifier: MIT */
/*
 * kvmalloc.c - kmalloc(), and vmalloc() where that has nothing.
 *
 *	size	.. a page		kmalloc()
 *		.. KMALLOC_MAX_SIZE	kmalloc(), not trying hard, then
 *		   more			vmalloc(), if it may sleep
 *
 * A block of several pages may be hard to find where single pages are plenty:
 * so kmalloc() is told not to reclaim for it more than once, nor to complain.
 * To whom a block belongs is told by its address.
 *
 * vmalloc() is reached by the pointers that kmem_vmalloc_init() has set; until
 * then there is no second choice, and kmalloc() gets the flags as they are.
 */
#include "kmalloc.h"
#include "vm_ops.h"

#include <kmem/kvmalloc.h>

bool is_vmalloc_addr(const void *p)
{
	return vm_range_has(p);
}

/* There is a second choice for a request of that size. */
static bool have_vmalloc(size_t size, gfp_t gfp)
{
	return vm_ops() && size > KMEM_PAGE_SIZE &&
	       size <= KVMALLOC_MAX_SIZE && (gfp & __GFP_DIRECT_RECLAIM);
}

/* How kmalloc() is to be asked then. */
static gfp_t first_choice(gfp_t gfp)
{
	return (gfp & ~__GFP_NOFAIL) | __GFP_NOWARN | __GFP_NORETRY;
}

void *kvmalloc_node(size_t size, gfp_t gfp, int node)
{
	void *p;

	if (!have_vmalloc(size, gfp))
		return kmalloc_node(size, gfp, node);
	p = kmalloc_node(size, first_choice(gfp), node);
	return p ? p : vm_range.ops->alloc(size, gfp, node,
					   __builtin_return_address(0));
}

void kvfree(const void *p)
{
	if (vm_range_has(p))
		vm_range.ops->free(p);
	else
		kfree(p);
}

static void *kvrealloc_move(const void *p, size_t old, size_t size, gfp_t gfp)
{
	void *new = kvmalloc(size, gfp);

	if (new) {
		memcpy(new, p, KMEM_MIN(old, size));
		kfree(p);
	}
	return new;
}

void *kvrealloc(const void *p, size_t size, gfp_t gfp)
{
	size_t old;

	if (vm_range_has(p))
		return vm_range.ops->resize(p, size, gfp);
	if (!size) {
		if (block_size("kvrealloc", p, KMEM_CALLER))
			kfree(p);
		return ZERO_SIZE_PTR;
	}
	if (ZERO_OR_NULL_PTR(p))
		return kvmalloc(size, gfp);
	old = block_size("kvrealloc", p, KMEM_CALLER);
	if (!old)			/* misuse, and reported */
		return NULL;
	if (size <= old || !have_vmalloc(size, gfp))
		return krealloc(p, size, gfp);
	return kvrealloc_move(p, old, size, gfp);
}

void kvfree_sensitive(const void *p, size_t len)
{
	size_t size;

	if (ZERO_OR_NULL_PTR(p))
		return;
	/* What is not to be freed is not to be written to either. */
	if (vm_range_has(p)) {
		size = vm_range.ops->bytes(p);
	} else {
		size = block_size("kvfree_sensitive", p, KMEM_CALLER);
		if (!size)		/* misuse, and reported */
			return;
	}
	memset((void *)(uintptr_t)p, 0, KMEM_MIN(len, size));
	kmem_barrier();		/* as in kfree_sensitive() */
	kvfree(p);
}

void *kvmemdup(const void *src, size_t len, gfp_t gfp)
{
	void *p = kvmalloc(len, gfp);

	if (p && len)
		memcpy(p, src, len);
	return p;
}
