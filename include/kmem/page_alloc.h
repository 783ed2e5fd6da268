/* SPDX-License-Identifier: MIT */
/*
 * kmem/page_alloc.h - whole pages: blocks of 2^order pages, aligned to their
 * size, in the direct map.
 *
 * Context of every call here: any, NMI excepted, unless the flags contain
 * __GFP_DIRECT_RECLAIM (as GFP_KERNEL does): then the call may sleep in the
 * hooks. Orders 0 to 3 come from the CPU's own magazines, without lock or
 * atomic operation; others and refills take the zone lock.
 */
#ifndef KMEM_PAGE_ALLOC_H
#define KMEM_PAGE_ALLOC_H

#include <kmem/page.h>

KMEM_BEGIN_DECLS

/**
 * alloc_pages - allocate a block of 2^order pages
 * @gfp: flags of <kmem/gfp.h>
 * @order: 0 .. KMEM_MAX_ORDER
 *
 * Return: the descriptor of the first page; NULL if there is no such block,
 * or the order is too large.
 * Cost: O(1) for a magazine hit, else O(KMEM_MAX_ORDER) a zone.
 */
struct page *alloc_pages(gfp_t gfp, unsigned order) KMEM_MUST_CHECK;

/** alloc_pages_node - the same, preferring a node's memory (-1: this CPU's) */
struct page *alloc_pages_node(int node, gfp_t gfp, unsigned order)
	KMEM_MUST_CHECK;

/**
 * __free_pages - give a block back
 * @page: what alloc_pages() returned; NULL does nothing
 * @order: the order it was allocated with
 *
 * Misuse: a free block, a page inside a block, another order than the
 * block's, a slab's or kmalloc's page are reported through kmem_panic(), and
 * nothing is freed.
 */
void __free_pages(struct page *page, unsigned order);

/** alloc_page, __free_page - the same for one page */
#define alloc_page(gfp)		alloc_pages(gfp, 0)
#define __free_page(page)	__free_pages(page, 0)

/** __get_free_pages - alloc_pages(), as an address; 0 on failure */
uintptr_t __get_free_pages(gfp_t gfp, unsigned order) KMEM_MUST_CHECK;
#define __get_free_page(gfp)	__get_free_pages(gfp, 0)

/** get_zeroed_page - one page of zeros, as an address; 0 on failure */
uintptr_t get_zeroed_page(gfp_t gfp) KMEM_MUST_CHECK;

/** free_pages - __free_pages() by address; 0 does nothing */
void free_pages(uintptr_t addr, unsigned order);
#define free_page(addr)		free_pages(addr, 0)

/**
 * split_page - turn a block into single pages, each to be freed on its own
 * @page: an allocated block
 * @order: of the block
 *
 * Cost: O(2^order).
 */
void split_page(struct page *page, unsigned order);

/**
 * alloc_pages_exact - physically contiguous pages for `size` bytes
 * @size: bytes, 1 .. KMEM_PAGE_SIZE << KMEM_MAX_ORDER
 * @gfp: flags of <kmem/gfp.h>
 *
 * The tail of the block beyond the last page needed is given back at once.
 *
 * Return: the address, aligned to a page; NULL on failure.
 * Cost: O(2^order).
 */
void *alloc_pages_exact(size_t size, gfp_t gfp) KMEM_MUST_CHECK;

/** free_pages_exact - free it; size as it was asked for. NULL: nothing */
void free_pages_exact(void *addr, size_t size);

/** get_order - the smallest order whose block holds `size` bytes (size >= 1) */
KMEM_INLINE unsigned get_order(size_t size)
{
	size_t pages = (size - 1) >> KMEM_PAGE_SHIFT;
	unsigned order = 0;

	while (pages) {
		pages >>= 1;
		order++;
	}
	return order;
}

/** numa_node_id - the number of this CPU's node. Context: any; it may be out of
 * date at once if the caller can be moved to another CPU. */
int numa_node_id(void);

/** page_to_nid - the number of the node that a page of kmem's is of */
int page_to_nid(const struct page *page);

/**
 * nr_free_pages - free pages of all zones, those in magazines included
 *
 * Cost: O(zones × CPUs). Exact when no other CPU allocates.
 */
size_t nr_free_pages(void);

/**
 * drain_pages - return this CPU's cached blocks, and the depots', to the zones
 *
 * With the run_on_cpu hook, all CPUs' blocks.
 * Context: thread, if the hook may sleep; else any.
 */
void drain_pages(void);

KMEM_END_DECLS

#endif /* KMEM_PAGE_ALLOC_H */
