/* SPDX-License-Identifier: MIT */
/*
 * kmem/linux.h - for code that was written for Linux.
 *
 * What such code includes this instead of: <linux/slab.h>, <linux/gfp.h>,
 * <linux/mm.h>, <linux/vmalloc.h>, <linux/pfn.h>, <linux/highmem.h>, and of
 * <linux/overflow.h> and <linux/cleanup.h> what belongs to allocation. It is
 * <kmem/kmem.h>, which has Linux's functions under Linux's names, and the
 * further names that Linux has for the same things. kmem itself uses none of
 * them.
 *
 *	code for Linux ── PAGE_SIZE, struct_size(), kmalloc_obj(), … ─┐
 *	                                                   kmem/linux.h
 *	your kernel ── kmalloc(), alloc_pages(), … ── kmem/kmem.h ────┘
 *
 * Three kinds of names are here:
 *
 *	= another name for what kmem has	PAGE_SIZE, NUMA_NO_NODE
 *	+ made of what kmem has			array_size(), kmalloc_obj()
 *	0 accepted, and without effect		__GFP_HIGHMEM, SLAB_MEM_SPREAD
 *
 * A macro that is defined already is left as it is: PAGE_SIZE and the others of
 * pages, kmap() and its kin, struct_size() with all of <linux/overflow.h>. What
 * a function here is said to do is what Linux's does.
 *
 * `struct page` is kmem's and opaque. A file that has one of its own writes
 * `#define page kmem_page` before it includes this, and `#undef page` after.
 *
 * Headers that stand in for Linux's, one by one, are best made of kmem's:
 * <linux/gfp.h> of <kmem/gfp.h> and <kmem/page_alloc.h>, <linux/slab.h> of
 * <kmem/cache.h> and <kmem/kmalloc.h>. What includes those may have names of
 * its own that Linux has in others, say <linux/mm.h>; for phys_to_virt() and
 * virt_to_phys(), as for `page`, by a macro around the include. Whose own is
 * struct rcu_head says so by KMEM_ARCH_RCU_HEAD (port.h).
 *
 * With KMEM_PREFIX_NAMES the kernel has names of its own, which these must
 * not meet: this header is then <kmem/kmem.h> and nothing more.
 */
#ifndef KMEM_LINUX_H
#define KMEM_LINUX_H

#include <kmem/kmem.h>

#ifndef KMEM_PREFIX_NAMES

/* ---- = pages ---- */

#ifndef PAGE_SHIFT
#define PAGE_SHIFT		KMEM_PAGE_SHIFT
#endif
#ifndef PAGE_SIZE
#define PAGE_SIZE		(1UL << PAGE_SHIFT)
#endif
#ifndef PAGE_MASK
#define PAGE_MASK		(~(PAGE_SIZE - 1))
#endif
KMEM_STATIC_ASSERT(PAGE_SIZE == KMEM_PAGE_SIZE,
		   "PAGE_SIZE and KMEM_PAGE_SHIFT are of one page");

#ifndef PAGE_ALIGN
#define PAGE_ALIGN(addr)	(((addr) + PAGE_SIZE - 1) & PAGE_MASK)
#endif
#ifndef PAGE_ALIGN_DOWN
#define PAGE_ALIGN_DOWN(addr)	((addr) & PAGE_MASK)
#endif
#ifndef PAGE_ALIGNED
#define PAGE_ALIGNED(addr)	(!((unsigned long)(addr) & ~PAGE_MASK))
#endif
#ifndef offset_in_page
#define offset_in_page(addr)	((unsigned long)(addr) & ~PAGE_MASK)
#endif
#ifndef PFN_UP
#define PFN_UP(phys)		(((phys) + PAGE_SIZE - 1) >> PAGE_SHIFT)
#define PFN_DOWN(phys)		((phys) >> PAGE_SHIFT)
#define PFN_PHYS(pfn)		((kmem_phys_t)(pfn) << PAGE_SHIFT)
#define PHYS_PFN(phys)		((unsigned long)((phys) >> PAGE_SHIFT))
#endif

/* The largest order. There is no MAX_ORDER: it was one more until Linux 6.4.
 */
#ifndef MAX_PAGE_ORDER
#define MAX_PAGE_ORDER		KMEM_MAX_ORDER
#endif
#ifndef NR_PAGE_ORDERS
#define NR_PAGE_ORDERS		(MAX_PAGE_ORDER + 1)
#endif
#ifndef NUMA_NO_NODE
#define NUMA_NO_NODE		KMEM_NO_NODE
#endif
#ifndef MAX_NUMNODES
#define MAX_NUMNODES		KMEM_MAX_NODES
#endif

/* Linux has addresses of pages as unsigned long, which has their width. */
#define __get_free_pages(gfp, order) \
	((unsigned long)__get_free_pages((gfp), (order)))
#define get_zeroed_page(gfp)	((unsigned long)get_zeroed_page(gfp))
#define __get_dma_pages(gfp, order) \
	__get_free_pages((gfp) | GFP_DMA, (order))

/* All memory that kmem gives is in the direct map. */
#ifndef __pa
#define __pa(addr)		virt_to_phys((const void *)(addr))
#define __va(phys)		phys_to_virt(phys)
#endif
#ifndef virt_to_pfn
#define virt_to_pfn(addr)	page_to_pfn(virt_to_page(addr))
#endif
#ifndef pfn_valid
#define pfn_valid(pfn)		(pfn_to_page(pfn) != NULL)
#endif
#ifndef kmap
#define kmap(page)		page_address(page)
#define kmap_local_page(page)	page_address(page)
#define kmap_atomic(page)	page_address(page)
#define kunmap(page)		((void)(page))
#define kunmap_local(addr)	((void)(addr))
#define kunmap_atomic(addr)	((void)(addr))
#endif

/* ---- 0 flags ---- */

#define SLAB_MEM_SPREAD		((slab_flags_t)0)
#define SLAB_NO_OBJ_EXT		((slab_flags_t)0)

/* ---- = objects ---- */

#define ARCH_KMALLOC_MINALIGN	KMALLOC_MIN_SIZE
#define ARCH_SLAB_MINALIGN	__alignof__(void *)
#define KMALLOC_SHIFT_LOW	KMALLOC_MIN_SHIFT
#define KMALLOC_SHIFT_MAX	(KMEM_MAX_ORDER + KMEM_PAGE_SHIFT)
#define KMALLOC_MAX_ORDER	KMEM_MAX_ORDER

#define kzfree(p)		kfree_sensitive(p)

KMEM_BEGIN_DECLS

/** slab_is_available - kmem_init() has returned: kmalloc() may be called */
KMEM_INLINE bool slab_is_available(void)
{
	return kmalloc_caches[KMALLOC_NORMAL][0] != NULL;
}

KMEM_END_DECLS

#ifndef struct_size
KMEM_BEGIN_DECLS

/* ---- + sizes that stay too large when they overflow ---- */

/** size_mul - a * b, or SIZE_MAX, which no allocation grants */
KMEM_INLINE size_t size_mul(size_t a, size_t b)
{
	size_t product;

	return kmem_mul_overflow(a, b, &product) ? SIZE_MAX : product;
}

/** size_add - a + b, or SIZE_MAX */
KMEM_INLINE size_t size_add(size_t a, size_t b)
{
	return a > SIZE_MAX - b ? SIZE_MAX : a + b;
}

/** size_sub - a - b, or SIZE_MAX if that is negative or one of them SIZE_MAX */
KMEM_INLINE size_t size_sub(size_t a, size_t b)
{
	return a == SIZE_MAX || b > a ? SIZE_MAX : a - b;
}

KMEM_END_DECLS

#define array_size(a, b)	size_mul((a), (b))
#define array3_size(a, b, c)	size_mul(size_mul((a), (b)), (c))
#define flex_array_size(p, member, n) \
	size_mul((n), sizeof(*(p)->member))
#define struct_size(p, member, n) \
	size_add(sizeof(*(p)), flex_array_size((p), member, (n)))
#define struct_size_t(type, member, n) \
	struct_size((type *)NULL, member, (n))
#endif

/* ---- + objects by their type: gfp may be left out, and is GFP_KERNEL ---- */

#define kmem_obj(fn, what, gfp, ...) \
	((__typeof__(what) *)fn(sizeof(what), (gfp)))
#define kmem_objs(fn, what, n, gfp, ...) \
	((__typeof__(what) *)fn(array_size((n), sizeof(what)), (gfp)))
#define kmem_flex(fn, what, member, n, gfp, ...) \
	((__typeof__(what) *)fn(struct_size_t(__typeof__(what), member, (n)), \
				(gfp)))

/* kmalloc_obj(*p), kmalloc_obj(struct task, GFP_ATOMIC) */
#define kmalloc_obj(...)	kmem_obj(kmalloc, __VA_ARGS__, GFP_KERNEL, )
#define kzalloc_obj(...)	kmem_obj(kzalloc, __VA_ARGS__, GFP_KERNEL, )
#define kvmalloc_obj(...)	kmem_obj(kvmalloc, __VA_ARGS__, GFP_KERNEL, )
#define kvzalloc_obj(...)	kmem_obj(kvzalloc, __VA_ARGS__, GFP_KERNEL, )
/* kmalloc_objs(*p, n) */
#define kmalloc_objs(...)	kmem_objs(kmalloc, __VA_ARGS__, GFP_KERNEL, )
#define kzalloc_objs(...)	kmem_objs(kzalloc, __VA_ARGS__, GFP_KERNEL, )
#define kvmalloc_objs(...)	kmem_objs(kvmalloc, __VA_ARGS__, GFP_KERNEL, )
#define kvzalloc_objs(...)	kmem_objs(kvzalloc, __VA_ARGS__, GFP_KERNEL, )
/* kmalloc_flex(*p, member, n) */
#define kmalloc_flex(...)	kmem_flex(kmalloc, __VA_ARGS__, GFP_KERNEL, )
#define kzalloc_flex(...)	kmem_flex(kzalloc, __VA_ARGS__, GFP_KERNEL, )
#define kvmalloc_flex(...)	kmem_flex(kvmalloc, __VA_ARGS__, GFP_KERNEL, )
#define kvzalloc_flex(...)	kmem_flex(kvzalloc, __VA_ARGS__, GFP_KERNEL, )

/* ---- + freed where its name goes out of scope ---- */

#if !defined(DEFINE_FREE) && !defined(__cplusplus)
/* void *p __free(kfree) = kmalloc(…); frees it with the function that
 * DEFINE_FREE(kfree, …) names, whichever way the block is left. */
#define DEFINE_FREE(name, type, free) \
	KMEM_INLINE void __free_##name(void *p) \
	{ \
		type _T = *(type *)p; \
		free; \
	}
#define __free(name)		__attribute__((cleanup(__free_##name)))

/* The pointer, whose variable is NULL from now on. */
#define no_free_ptr(p) \
	(__extension__ ({ \
		__auto_type kmem_kept = (p); \
		(p) = NULL; \
		kmem_kept; \
	}))
#define return_ptr(p)		return no_free_ptr(p)

/* Neither NULL nor one of Linux's error pointers, the last 4,095 addresses. */
#define kmem_is_block(p) \
	((uintptr_t)(p) - 1 < (uintptr_t)-4096)

/** @cond */
DEFINE_FREE(kfree, void *, if (kmem_is_block(_T)) kfree(_T))
DEFINE_FREE(kvfree, void *, if (kmem_is_block(_T)) kvfree(_T))
DEFINE_FREE(kfree_sensitive, void *,
	    if (kmem_is_block(_T)) kfree_sensitive(_T))
/** @endcond */
#endif

#endif /* !KMEM_PREFIX_NAMES */

#endif /* KMEM_LINUX_H */
