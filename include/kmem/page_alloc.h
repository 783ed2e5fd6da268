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

/**
 * alloc_pages_bulk - single pages, many at once
 * @gfp: flags of <kmem/gfp.h>
 * @nr_pages: entries of `pages`
 * @pages: those that are NULL are filled, in order; others stay as they are
 *
 * With one lock operation for 32 pages. It does not reclaim for more than one
 * page, and leaves what is below the low-memory mark to others: who gets too
 * few calls again, or goes on with alloc_page().
 *
 * Return: how many entries, from the first on, are not NULL.
 */
size_t alloc_pages_bulk(gfp_t gfp, size_t nr_pages, struct page **pages);

/** alloc_pages_bulk_node - the same, preferring a node's memory */
size_t alloc_pages_bulk_node(gfp_t gfp, int nid, size_t nr_pages,
			     struct page **pages);

/**
 * alloc_pages_range - a block below an address, that crosses no boundary
 * @order: 0 .. KMEM_MAX_ORDER
 * @gfp: flags of <kmem/gfp.h>
 * @limit: the block ends at or below this physical address; 0: anywhere
 * @boundary: it crosses no multiple of this, a power of two; 0: none
 *
 * Every block is aligned to its size, so a boundary of that size or more is
 * kept by itself, and a smaller one can't be.
 *
 * Context: as alloc_pages(); locks are held for 64 steps at a time.
 * Return: the block, as alloc_pages() gives it; NULL if there is none, or for
 * a boundary that is smaller than the block, or is no power of two.
 * Cost: O(pages below the limit / 2^order) in the worst case.
 */
struct page *alloc_pages_range(unsigned order, gfp_t gfp, kmem_phys_t limit,
			       kmem_phys_t boundary) KMEM_MUST_CHECK;

/**
 * alloc_pages_exact_range - alloc_pages_exact() with alloc_pages_range()'s care
 * @size: bytes, 1 .. KMEM_PAGE_SIZE << KMEM_MAX_ORDER
 * @gfp: flags of <kmem/gfp.h>
 * @limit: physical, exclusive; 0: none
 * @align: physical, a power of two up to the largest block; 0: a page
 * @boundary: a power of two, at least `size`; 0: none
 *
 * For buffers of devices: 24 KiB that don't cross 64 KiB, below 16 MiB.
 * Return: the address, for free_pages_exact() with this size; NULL on failure
 * or for arguments out of range.
 */
void *alloc_pages_exact_range(size_t size, gfp_t gfp, kmem_phys_t limit,
			      kmem_phys_t align, kmem_phys_t boundary)
	KMEM_MUST_CHECK;

/**
 * alloc_contig_pages - pages side by side, as many as there are
 * @nr_pages: at least 1; may be more than a block of the largest order has
 * @gfp: flags of <kmem/gfp.h>
 * @nid: the node to begin with; -1: this CPU's
 * @nodes: bit n allows node n; NULL: all
 *
 * Takes what is free; kmem moves nothing. If nr_pages is a power of two, the
 * range is aligned to it. Each page is then a block of its own, so that any
 * part of the range can be freed.
 *
 * Context: as alloc_pages(), and the CPUs' magazines are drained; locks are
 * held for 64 steps at a time.
 * Return: the first page; NULL if there is no such range.
 * Cost: O(pages of the zones).
 */
struct page *alloc_contig_pages(size_t nr_pages, gfp_t gfp, int nid,
				const uint64_t *nodes) KMEM_MUST_CHECK;

/**
 * alloc_contig_range - those pages, [start, end), if all of them are free
 * @start: page frame number
 * @end: page frame number, exclusive; in the same zone
 * @flags: 0; Linux's are accepted and say nothing
 * @gfp: flags of <kmem/gfp.h>
 *
 * Return: 0; -16 (Linux's EBUSY) if some are in use, or memory is too short;
 * -22 (EINVAL) if they are not of one zone.
 */
int alloc_contig_range(uintptr_t start, uintptr_t end, unsigned flags,
		       gfp_t gfp) KMEM_MUST_CHECK;

/**
 * free_contig_range - free pages of the two calls above
 * @pfn: page frame number of the first
 * @nr_pages: all of them, or any part
 *
 * Misuse: each page is checked as by __free_pages().
 */
void free_contig_range(uintptr_t pfn, size_t nr_pages);

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
