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

/* With release: whoever takes it for the `inuse` of a slab, which the page was,
 * must see that it is none any more (cache_walk.c). */
KMEM_INLINE void page_set_mobility(struct page *page, unsigned mobility)
{
	kmem_store_release(&page->mobility, (uint8_t)mobility);
}

/* For the owner of a block: it has been allocated as that. */
KMEM_INLINE void page_set_allocated(struct page *page, unsigned mobility)
{
	if (KMEM_MOBILITY && mobility) {
		page_set_mobility(page, mobility);
		page_set_type(page, PAGE_HELD);
	} else {
		page_set_type(page, PAGE_ALLOCATED);
	}
}

/* What can be done about a block that is in the way (mobility.h). Memory
 * begins as the first. */
enum mobility {
	UNMOVABLE,			/* nothing */
	MOVABLE,			/* its user can move the contents */
	RECLAIMABLE,			/* its user can give it up */
};
#define NR_MOBILITIES	(KMEM_MOBILITY ? 3 : 1)

/* Mobility is a property of page blocks, of 2^this pages. */
#define PAGE_BLOCK_ORDER	(KMEM_MAX_ORDER < 9 ? KMEM_MAX_ORDER : 9)
#define PAGE_BLOCK_PAGES	((uintptr_t)1 << PAGE_BLOCK_ORDER)

struct buddy {
	struct kmem_list blocks[NR_MOBILITIES][KMEM_MAX_ORDER + 1]; /* free */
	size_t nr_blocks[KMEM_MAX_ORDER + 1];	/* on the lists of an order */
	uint32_t nonempty[NR_MOBILITIES]; /* bit o: blocks[][o] is not empty */
	size_t free_pages;		/* in all lists */
	uint8_t zone;			/* blocks of other zones don't merge */
};

void buddy_init(struct buddy *b, uint8_t zone);

/*
 * Take a block of 2^order pages of that mobility.
 *
 * Return: its first page, with type PAGE_ALLOCATED and `order` set; NULL if
 * no free block of that mobility is large enough.
 * Cost: O(KMEM_MAX_ORDER - order), and O(2^(order - PAGE_BLOCK_ORDER)).
 */
struct page *buddy_take(struct buddy *b, unsigned order, enum mobility m);

/* The free block that a page is in, or NULL. */
struct page *buddy_free_head(const struct buddy *b, uintptr_t pfn);

/* Put a free block on the list of that mobility. */
void buddy_move(struct buddy *b, struct page *head, enum mobility m);

/* The page whose block_mobility says what page `pfn` is. NULL: none does, the
 * page block begins outside of the zone; then it is UNMOVABLE for good. */
KMEM_INLINE struct page *page_block(const struct buddy *b, uintptr_t pfn)
{
	uintptr_t first = pfn & ~(PAGE_BLOCK_PAGES - 1);
	struct page *p = pfn_to_page(first);

	return p && kmem_load_relaxed(&p->zone) == b->zone &&
	       kmem_load_relaxed(&p->pfn) == first ? p : NULL;
}

KMEM_INLINE enum mobility block_mobility(const struct buddy *b, uintptr_t pfn)
{
	struct page *p = KMEM_MOBILITY ? page_block(b, pfn) : NULL;

	return p ? (enum mobility)p->block_mobility : UNMOVABLE;
}

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

/* Verify B1 to B5. */
void buddy_check(const struct buddy *b, struct check *c);

#endif /* KMEM_BUDDY_H */
