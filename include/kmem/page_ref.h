/* SPDX-License-Identifier: MIT */
/*
 * kmem/page_ref.h - blocks of pages with several holders.
 *
 *	page = alloc_pages(GFP_KERNEL, 2);	count 1
 *	get_page(page);				2: a second holder
 *	put_page(page);				1
 *	__free_pages(page, 2);			0: the block is free
 *
 * A block has one count, and any of its pages stands for it: every block of
 * order 1 and above is what Linux calls a compound page, with or without
 * __GFP_COMP. put_page() and __free_pages() both drop one reference; whoever
 * drops the last frees the block. (With config_small.h, KMEM_MOBILITY 0 and
 * nothing per CPU, a block that get_page() was called for is freed by put_page()
 * alone.) The memory of slabs and of kmalloc() has an owner already, and is
 * refused.
 *
 * Context of every call here: any, NMI excepted.
 */
#ifndef KMEM_PAGE_REF_H
#define KMEM_PAGE_REF_H

#include <kmem/page_alloc.h>

KMEM_BEGIN_DECLS

/**
 * get_page - one more holder of a block
 * @page: any page of a block of alloc_pages() that the caller holds
 *
 * Cost: one atomic addition; of a page inside a block also O(KMEM_MAX_ORDER).
 * Misuse: a free page, and one of a slab or of kmalloc(), are reported, and
 * nothing is counted.
 */
void get_page(struct page *page);

/**
 * get_page_unless_zero - get_page() of a page that may be free
 *
 * For those who keep the block's last holder from freeing it meanwhile.
 *
 * Return: false, without a report, if nobody holds a block there.
 */
bool get_page_unless_zero(struct page *page);

/**
 * put_page - one holder less; the last one frees the block
 * @page: any page of a block; NULL does nothing
 *
 * Cost: as __free_pages(), or one atomic addition.
 * Misuse: as get_page(). More puts than gets are a double free.
 */
void put_page(struct page *page);

/** release_pages - put_page() of nr pages; those that are NULL are skipped */
void release_pages(struct page **pages, size_t nr);

/** kmem_page_count - holders of the block that a page is part of; 0: it is free */
size_t kmem_page_count(const struct page *page);

#ifndef KMEM_PREFIX_NAMES
/* No symbol: programs for Linux have variables of that name. */
#define page_count(page)	kmem_page_count(page)
#endif

/**
 * compound_head - the first page of the block that a page is part of
 *
 * Return: the page itself, if it is the first or of no block.
 * Cost: O(KMEM_MAX_ORDER).
 */
struct page *compound_head(struct page *page);

/** PageHead - the page is the first of an allocated block of several */
bool PageHead(const struct page *page);
/** PageTail - the page is of such a block, and not the first */
bool PageTail(const struct page *page);
/** PageCompound - the page is part of an allocated block of several */
bool PageCompound(const struct page *page);

/** compound_order - the order of the block that a page is the first of; else 0 */
unsigned compound_order(const struct page *page);

/** compound_nr - how many pages that are */
KMEM_INLINE size_t compound_nr(const struct page *page)
{
	return (size_t)1 << compound_order(page);
}

/** page_size - how many bytes that are */
KMEM_INLINE size_t page_size(const struct page *page)
{
	return KMEM_PAGE_SIZE << compound_order(page);
}

KMEM_END_DECLS

#endif /* KMEM_PAGE_REF_H */
