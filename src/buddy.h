/* SPDX-License-Identifier: MIT */
/*
 * buddy.h - free blocks of 2^order pages. The theory is in buddy.c.
 *
 * Nothing here locks: the caller holds the lock of the zone that the buddy
 * belongs to.
 */
#ifndef KMEM_BUDDY_H
#define KMEM_BUDDY_H

#include "invariant.h"

#include <kmem/atomic.h>
#include <kmem/page.h>

/*
 * A page's type is written by the owner of its block, without a lock unless
 * the block is free, and read by whoever frees the neighbouring block. Only
 * PAGE_FREE means anything to that reader, and it comes and goes under the
 * lock that the reader holds.
 */
KMEM_INLINE unsigned page_type(const struct page *page)
{
	return kmem_load_relaxed(&page->type);
}

KMEM_INLINE void page_set_type(struct page *page, enum kmem_page_type type)
{
	kmem_store_relaxed(&page->type, (uint8_t)type);
}

struct buddy {
	struct kmem_list blocks[KMEM_MAX_ORDER + 1];	/* free, by order */
	size_t nr_blocks[KMEM_MAX_ORDER + 1];	/* length of each list */
	uint32_t nonempty;		/* bit o: blocks[o] is not empty */
	size_t free_pages;		/* in all lists */
	uint8_t zone;			/* blocks of other zones don't merge */
};

void buddy_init(struct buddy *b, uint8_t zone);

/*
 * Take a block of 2^order pages.
 *
 * Return: its first page, with type PAGE_ALLOCATED and `order` set; NULL if
 * no free block is large enough.
 * Cost: O(KMEM_MAX_ORDER - order).
 */
struct page *buddy_take(struct buddy *b, unsigned order);

/*
 * Give back a block that is no longer used. `page` is its first page, of any
 * type.
 *
 * Cost: O(KMEM_MAX_ORDER - order).
 */
void buddy_give(struct buddy *b, struct page *page, unsigned order);

/* The largest order of a block that begins at pfn and ends by `end`. */
unsigned block_order(uintptr_t pfn, uintptr_t end);

/*
 * Take out of the free block that pfn lies in what lies in [pfn, end): nobody's
 * pages then, PAGE_TAIL all of them. The rest of the block stays free.
 *
 * Return: how many pages; 0: it is not free.
 * Cost: O(KMEM_MAX_ORDER^2).
 */
uintptr_t buddy_carve(struct buddy *b, uintptr_t pfn, uintptr_t end);

/* Verify B1 to B4. */
void buddy_check(const struct buddy *b, struct check *c);

#endif /* KMEM_BUDDY_H */
