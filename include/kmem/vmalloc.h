/* SPDX-License-Identifier: MIT */
/*
 * kmem/vmalloc.h - memory that is contiguous in virtual addresses only.
 *
 *	virtual    [guard] page page page page [guard]     one area
 *	                    |     \  /     |
 *	physical    ........|......\/......|..........     single pages
 *
 * A range of addresses that the kernel sets aside, its page tables behind two
 * hooks, and single pages: so an area of megabytes needs no megabytes in one
 * piece. Above each area one page stays unmapped, so that running over its end
 * faults; below a kernel stack another one.
 *
 * It begins with kmem_vmalloc_init(), after kmem_init(). Until then calls fail,
 * and a program that never calls it is linked without any of this
 * (--gc-sections): kvmalloc() and kvfree() (<kmem/kvmalloc.h>) know of it by a
 * pointer only.
 *
 * Context of all calls here, where not said otherwise: thread, interrupts not
 * masked, since the hooks are called: page tables take memory, and what is
 * unmapped must be forgotten by every CPU. Allocations are GFP_KERNEL,
 * GFP_NOFS or GFP_NOIO, as in Linux: others are refused.
 *
 * Addresses given here are not in the direct map: virt_to_page() knows none of
 * them, vmalloc_to_page() does.
 */
#ifndef KMEM_VMALLOC_H
#define KMEM_VMALLOC_H

#include <kmem/boot.h>
#include <kmem/kvmalloc.h>
#include <kmem/page_alloc.h>
#include <kmem/stats.h>

/*
 * What kmem_vmalloc_init() is told. The hooks are called with none of kmem's
 * locks held and interrupts as the caller had them; several CPUs may call them
 * at the same time, never for the same pages.
 */
struct kmem_vmalloc_params {
	/* The range of virtual addresses, in bytes, end exclusive; multiples of
	 * the page size. Nothing is mapped there, and the direct map is
	 * elsewhere. */
	uintptr_t start, end;

	/* What `map` is passed for memory that kmem maps of its own accord:
	 * readable, writable, as the kernel's page tables have it. kmem does
	 * not look at it. */
	unsigned long prot;

	/* Passed to the hooks. */
	void *ctx;

	/*
	 * Map nr_pages at virt to the pages from phys on. May allocate page
	 * tables, by kmem itself, with these flags (GFP_KERNEL, GFP_NOFS, …).
	 * Need not flush, unless the CPU remembers what was not mapped.
	 *
	 * Return: 0; anything else: failed. A part may be mapped then: `unmap`
	 * is called for all of it.
	 */
	int (*map)(void *ctx, uintptr_t virt, kmem_phys_t phys,
		   size_t nr_pages, unsigned long prot, gfp_t gfp);

	/*
	 * Unmap; when it returns, no CPU has any of these pages in its TLB.
	 * Some may not be mapped: that is no error. It can't fail. Page tables
	 * may be kept.
	 */
	void (*unmap)(void *ctx, uintptr_t virt, size_t nr_pages);

	/*
	 * True where `unmap` must not be called: in an interrupt handler, with
	 * interrupts masked, with preemption off. vfree() then does what
	 * vfree_atomic() does. NULL: vfree() is called by threads only.
	 */
	bool (*is_atomic)(void *ctx);
};

/* vm_struct.flags: what an area is. */
#define VM_IOREMAP	0x001ul		/* vm_map_phys() */
#define VM_ALLOC	0x002ul		/* vmalloc() */
#define VM_MAP		0x004ul		/* vmap() */
#define VM_USERMAP	0x008ul		/* vmalloc_user(): may be shown to users */
#define VM_NO_GUARD	0x040ul		/* no guard page above */
#define VM_MAP_PUT_PAGES 0x200ul	/* vfree() frees vmap()'s pages too */
#define KMEM_VM_STACK	0x1000ul /* kmem_stack_alloc() */

/* An area. Its fields are kmem's; read them while you own the area. */
struct vm_struct {
	void *addr;			/* of the first page */
	size_t size;			/* bytes, the guard page above included */
	unsigned long flags;
	struct page **pages;		/* nr_pages of them; NULL: not by page */
	size_t nr_pages;		/* that are mapped, or may be */
	kmem_phys_t phys_addr;		/* VM_IOREMAP: of the first page */
	const void *caller;		/* who asked for it */
};

/* Figures of vmalloc(). */
struct kmem_vmalloc_stats {
	uintptr_t start, end;		/* the range */
	size_t areas;			/* that exist */
	size_t taken_bytes;		/* of addresses, guard pages included */
	size_t largest_gap;		/* bytes of the longest free run */
	size_t pages;			/* of memory, of vmalloc() and stacks */
	size_t deferred;		/* freed, not unmapped yet */
	/* since kmem_vmalloc_init(); they wrap */
	size_t allocs, frees;		/* areas */
	size_t failed;			/* requests of any kind, refused ones not */
	size_t steps;			/* nodes of the tree looked at */
};

KMEM_BEGIN_DECLS

/**
 * kmem_vmalloc_init - set a range of addresses aside for vmalloc()
 * @params: copied; never NULL
 *
 * Context: thread, once, after kmem_init() and before any other call here.
 * Return: KMEM_OK; KMEM_EINVAL if the range is empty, begins at 0, is not of
 * whole pages or meets the direct map, or a hook is missing; KMEM_ENOMEM;
 * KMEM_EBUSY if it was called before, or kmem_init() was not (the log says
 * which).
 */
int kmem_vmalloc_init(const struct kmem_vmalloc_params *params);

/* ---- memory ---- */

/**
 * __vmalloc_node - allocate virtually contiguous memory
 * @size: bytes, at least 1
 * @align: of the address, a power of two; 0 or less than a page: a page
 * @gfp: with __GFP_DIRECT_RECLAIM, or it is refused; zone modifiers and
 *	__GFP_ZERO hold for the pages
 * @node: of which memory is preferred, or KMEM_NO_NODE
 * @caller: shown in kmem_report_vmalloc(); NULL: who called this
 *
 * Whatever fails, addresses, pages or page tables, all of it is undone.
 * __GFP_NOFAIL waits (the hook `wait`) until all are to be had; a size that
 * never can be is refused nevertheless.
 *
 * Return: the address of the first page; NULL on failure, which is logged
 * unless __GFP_NOWARN is given.
 * Cost: O(pages + log areas), and one call of `map` for each run of physically
 * contiguous pages.
 */
void *__vmalloc_node(size_t size, size_t align, gfp_t gfp, int node,
		     const void *caller)
	KMEM_MALLOC KMEM_ALLOC_SIZE(1) KMEM_MUST_CHECK;

/** __vmalloc - __vmalloc_node() aligned to a page, of no node in particular */
void *__vmalloc(size_t size, gfp_t gfp)
	KMEM_MALLOC KMEM_ALLOC_SIZE(1) KMEM_MUST_CHECK;

/** vmalloc - the same with GFP_KERNEL */
void *vmalloc(size_t size) KMEM_MALLOC KMEM_ALLOC_SIZE(1) KMEM_MUST_CHECK;

/** vzalloc - vmalloc(), zeroed */
void *vzalloc(size_t size) KMEM_MALLOC KMEM_ALLOC_SIZE(1) KMEM_MUST_CHECK;

/** vmalloc_node - vmalloc(), preferring a node's memory */
void *vmalloc_node(size_t size, int node)
	KMEM_MALLOC KMEM_ALLOC_SIZE(1) KMEM_MUST_CHECK;

/** vzalloc_node - vmalloc_node(), zeroed */
void *vzalloc_node(size_t size, int node)
	KMEM_MALLOC KMEM_ALLOC_SIZE(1) KMEM_MUST_CHECK;

/** vmalloc_user - vzalloc(), of an area with VM_USERMAP */
void *vmalloc_user(size_t size)
	KMEM_MALLOC KMEM_ALLOC_SIZE(1) KMEM_MUST_CHECK;

/** vmalloc_32 - vmalloc() of pages below 4 GiB (params.dma32_end) */
KMEM_INLINE KMEM_MALLOC KMEM_ALLOC_SIZE(1) KMEM_MUST_CHECK
void *vmalloc_32(size_t size)
{
	return __vmalloc(size, GFP_KERNEL | GFP_DMA32);
}

/** vmalloc_huge - __vmalloc(); kmem maps single pages */
KMEM_INLINE KMEM_MALLOC KMEM_ALLOC_SIZE(1) KMEM_MUST_CHECK
void *vmalloc_huge(size_t size, gfp_t gfp)
{
	return __vmalloc(size, gfp);
}

/** __vmalloc_array - n elements of size bytes; NULL if n * size overflows */
KMEM_INLINE KMEM_MALLOC KMEM_ALLOC_SIZE(1, 2) KMEM_MUST_CHECK
void *__vmalloc_array(size_t n, size_t size, gfp_t gfp)
{
	size_t bytes;

	if (kmem_mul_overflow(n, size, &bytes))
		return NULL;
	return __vmalloc(bytes, gfp);
}

/** vmalloc_array - __vmalloc_array() with GFP_KERNEL */
KMEM_INLINE KMEM_MALLOC KMEM_ALLOC_SIZE(1, 2) KMEM_MUST_CHECK
void *vmalloc_array(size_t n, size_t size)
{
	return __vmalloc_array(n, size, GFP_KERNEL);
}

/** __vcalloc - __vmalloc_array(), zeroed */
KMEM_INLINE KMEM_MALLOC KMEM_ALLOC_SIZE(1, 2) KMEM_MUST_CHECK
void *__vcalloc(size_t n, size_t size, gfp_t gfp)
{
	return __vmalloc_array(n, size, gfp | __GFP_ZERO);
}

/** vcalloc - vmalloc_array(), zeroed */
KMEM_INLINE KMEM_MALLOC KMEM_ALLOC_SIZE(1, 2) KMEM_MUST_CHECK
void *vcalloc(size_t n, size_t size)
{
	return __vcalloc(n, size, GFP_KERNEL);
}

/**
 * vrealloc - change the size of an area
 * @p: from vmalloc() and its family; NULL: as __vmalloc()
 * @size: bytes; 0: frees p and returns NULL
 * @gfp: as for __vmalloc_node()
 *
 * A smaller one stays where it is, and its last pages are given back. A larger
 * one moves, unless the pages it has suffice. The content up to the smaller
 * size is kept; with __GFP_ZERO, what is beyond the old size is zero.
 *
 * Return: the area, which may have moved; NULL on failure, and then p is still
 * valid.
 */
void *vrealloc(const void *p, size_t size, gfp_t gfp)
	KMEM_ALLOC_SIZE(2) KMEM_MUST_CHECK;

/**
 * vfree - unmap an area, and free its pages
 * @p: from vmalloc() and its family, or vmap() with VM_MAP_PUT_PAGES; NULL does
 *	nothing
 *
 * Context: thread; any but NMI if the hook `is_atomic` tells which is which.
 * Misuse: a second vfree(), an address inside an area, an area of another kind
 * (vmap(), a stack), a pointer of kmalloc()'s or of nobody's are reported
 * through kmem_panic(), and nothing is freed.
 */
void vfree(const void *p);

/**
 * vfree_atomic - vfree() from any context: the area ends later
 *
 * It can't be used or freed again from here on; it is unmapped, and its memory
 * freed, when a thread next calls vmalloc(), vfree() or one of their families,
 * or vm_unmap_aliases().
 * Context: any but NMI. Cost: O(log areas).
 */
void vfree_atomic(const void *p);

/** vm_unmap_aliases - end now what vfree() or vfree_atomic() has put off */
void vm_unmap_aliases(void);

/* ---- mappings ---- */

/**
 * vmap - map pages side by side
 * @pages: allocated ones, of any kind; the array is copied, unless
 *	VM_MAP_PUT_PAGES is given
 * @count: how many, at least 1
 * @flags: VM_MAP, VM_NO_GUARD; VM_MAP_PUT_PAGES: the array, from kvmalloc(),
 *	and the pages, single ones, are the area's, and vfree() frees them all
 * @prot: passed to the hook `map`
 *
 * Return: the address of the first; NULL on failure, and then nothing has
 * changed hands.
 */
void *vmap(struct page **pages, size_t count, unsigned long flags,
	   unsigned long prot) KMEM_MUST_CHECK;

/** vunmap - end a vmap(), not its pages. NULL: nothing. Misuse: as vfree() */
void vunmap(const void *p);

/**
 * vm_map_phys - map physical addresses, such as a device's registers
 * @phys: of the first byte; need not be the start of a page
 * @size: bytes, at least 1
 * @prot: passed to the hook `map`: uncached, for devices
 *
 * Return: the address of that byte; NULL on failure.
 */
void *vm_map_phys(kmem_phys_t phys, size_t size, unsigned long prot)
	KMEM_MUST_CHECK;

/** vm_unmap_phys - end it. p: any address of its first page. NULL: nothing */
void vm_unmap_phys(const void *p);

/**
 * get_vm_area - addresses alone, for whoever maps something there
 * @size: bytes, at least 1
 * @flags: kept in the area; VM_NO_GUARD
 *
 * Return: the area, nothing of it mapped; NULL on failure.
 */
struct vm_struct *get_vm_area(size_t size, unsigned long flags)
	KMEM_MUST_CHECK;

/** free_vm_area - unmap whatever is mapped there, and end it. NULL: nothing.
 * Misuse: an area of get_vm_area() only. */
void free_vm_area(struct vm_struct *area);

/** get_vm_area_size - bytes of an area without its guard page */
size_t get_vm_area_size(const struct vm_struct *area);

/** find_vm_area - the area that an address lies in, guard page included; NULL:
 * none, or one that is being freed. Context: any. Cost: O(log areas). */
struct vm_struct *find_vm_area(const void *p);

/** vmalloc_to_page - the page that is mapped at an address; NULL: none, or no
 * memory of kmem's. Context: any. Cost: O(log areas). */
struct page *vmalloc_to_page(const void *p);

/** vmalloc_to_pfn - its frame number; 0: none is mapped. Context: any. */
uintptr_t vmalloc_to_pfn(const void *p);

/* ---- kernel stacks ---- */

/**
 * kmem_stack_alloc - a stack for a thread, with unmapped pages at both ends
 * @size: bytes, at least 1; rounded up to pages
 *
 * Return: its lowest address (the stack pointer begins at that + size); zeros;
 * NULL on failure.
 */
void *kmem_stack_alloc(size_t size) KMEM_MALLOC KMEM_MUST_CHECK;

/** kmem_stack_free - free it: from another stack. NULL: nothing. Context and
 * Misuse: as vfree() */
void kmem_stack_free(const void *stack);

/**
 * kmem_stack_overflowed - for the handler of page faults
 * @addr: that was accessed
 *
 * Context: any, the middle of kmem included: never waits for a lock, and says
 * NULL if it would have to.
 * Return: the stack, as kmem_stack_alloc() gave it, if addr is in the guard
 * page below one; else NULL.
 */
const void *kmem_stack_overflowed(const void *addr);

/* ---- looking inside ---- */

/** kmem_vmalloc_stats - figures. All 0 until kmem_vmalloc_init() */
void kmem_vmalloc_stats(struct kmem_vmalloc_stats *st);

/** kmem_report_vmalloc - a line for each area, by address, as Linux's
 * /proc/vmallocinfo: address, size, caller, pages, kind. Part of
 * kmem_report(). Context: thread */
void kmem_report_vmalloc(kmem_out_fn out, void *ctx);

/** kmem_vmalloc_check - verify its invariants: part of kmem_check_all(), which
 * see */
size_t kmem_vmalloc_check(kmem_out_fn out, void *ctx);

KMEM_END_DECLS

#endif /* KMEM_VMALLOC_H */
