/* SPDX-License-Identifier: MIT */
/*
 * mobility.c - pages that stay kept apart from pages that can go.
 *
 *	mixed	 |u···|··u·|m·um|u··m|   everything movable has been freed or
 *					 moved, and no large block is free
 *	apart	 |uuu·|u···|····|····|   of these, half is
 *		   └ page blocks
 *
 * One page that can't be moved is enough to keep a large block from ever being
 * free again. So memory is divided into *page blocks* of 2^PAGE_BLOCK_ORDER
 * pages, and each has a mobility, one byte in the descriptor of its first
 * page:
 *
 *	UNMOVABLE	what kernels allocate; the start of all memory
 *	MOVABLE		__GFP_MOVABLE: of user space, of the page cache
 *	RECLAIMABLE	__GFP_RECLAIMABLE: caches that a shrinker can empty
 *
 * A block that becomes free goes to the list of its page block's mobility
 * (buddy.c), and a request takes from the list of its own. When that has
 * nothing, in this order:
 *
 *	claim	the largest block of the others' lists: if it is a page block
 *		or more, or at least half of its page block is free, the whole
 *		page block becomes the request's, with all that is free in it;
 *		a movable page block becomes that of a request that is not
 *		movable however little of it is free
 *	steal	the smallest block that fits, and nothing else changes: better
 *		one page in a wrong place than a failure
 *
 * The last is what counts where memory is always nearly full of page cache.
 * What moves or goes in a claimed page block makes room for what stays, and
 * only for that: so what stays gathers in few page blocks. Were it to steal
 * instead, it would soon have a page in every one. (make bench-churn)
 *
 * The others are asked in the order of `others`: what stays goes first where
 * other things stay that may be given up, what is movable likewise.
 *
 * A page block that begins outside of its zone has no byte of its own there:
 * it is UNMOVABLE for good. Free blocks of several page blocks have the
 * mobility of the first.
 *
 * Invariant: B5 (buddy.c). Locks: the zone's, held by the caller.
 *
 * What it does not do: move anything. kmem hands out pages and knows no page
 * tables; a kernel that moves pages finds large blocks behind them.
 */
#include "bits.h"
#include "list.h"
#include "mobility.h"

#define NR_OTHERS	2u

static const uint8_t others[][NR_OTHERS] = {
	[UNMOVABLE] = { RECLAIMABLE, MOVABLE },
	[MOVABLE] = { RECLAIMABLE, UNMOVABLE },
	[RECLAIMABLE] = { UNMOVABLE, MOVABLE },
};

/* The largest block, of at least that order, that is not of mobility m. */
static struct page *largest_other(const struct buddy *b, unsigned order,
				  enum mobility m)
{
	const uint8_t *other = others[m];

	for (unsigned o = KMEM_MAX_ORDER + 1; o-- > order; )
		for (unsigned i = 0; i < NR_OTHERS; i++)
			if (b->nonempty[other[i]] >> o & 1)
				return list_page(b->blocks[other[i]][o].next);
	return NULL;
}

/* The first free block that begins in [pfn, end), or NULL. */
static struct page *next_free_block(const struct buddy *b, uintptr_t pfn,
				    uintptr_t end)
{
	for (; pfn < end; pfn++) {
		struct page *p = pfn_to_page(pfn);

		if (p && page_type(p) == PAGE_FREE && p->zone == b->zone)
			return p;
	}
	return NULL;
}

#define for_each_free_block(b, start, end, p) \
	for ((p) = next_free_block(b, start, end); (p); \
	     (p) = next_free_block(b, (p)->pfn + ((uintptr_t)1 << (p)->order), \
				   end))

/* Make the page block of a free block be of mobility m. */
static void claim_page_block(struct buddy *b, struct page *block,
			     enum mobility m)
{
	uintptr_t end = block->pfn + PAGE_BLOCK_PAGES;
	struct page *p;

	kmem_store_relaxed(&block->block_mobility, (uint8_t)m);
	for_each_free_block(b, block->pfn, end, p)
		buddy_move(b, p, m);
}

/* Whether the page block of that free block should be of mobility m. */
static bool worth_claiming(const struct buddy *b, const struct page *block,
			   enum mobility m)
{
	uintptr_t end = block->pfn + PAGE_BLOCK_PAGES;
	uintptr_t nr_free = 0;
	struct page *p;

	if (m != MOVABLE && block->block_mobility == MOVABLE)
		return true;
	for_each_free_block(b, block->pfn, end, p)
		nr_free += (uintptr_t)1 << p->order;
	return nr_free >= PAGE_BLOCK_PAGES / 2;
}

struct page *mobility_claim(struct buddy *b, unsigned order, enum mobility m)
{
	struct page *page = largest_other(b, order, m), *block;

	if (!page)
		return NULL;
	if (page->order >= PAGE_BLOCK_ORDER) {
		buddy_move(b, page, m);
	} else {
		block = page_block(b, page->pfn);
		if (!block || !worth_claiming(b, block, m))
			return NULL;
		claim_page_block(b, block, m);
	}
	return buddy_take(b, order, m);
}

struct page *mobility_take(struct buddy *b, unsigned order, enum mobility m)
{
	struct page *page = mobility_claim(b, order, m);

	for (unsigned i = 0; !page && i < NR_OTHERS; i++)
		page = buddy_take(b, order, (enum mobility)others[m][i]);
	return page;
}

void mobility_forget(struct buddy *b, uintptr_t pfn, uintptr_t end)
{
	struct page *block = page_block(b, end - 1);
	struct page *p;

	if (!block || block->pfn < pfn)
		return;
	kmem_store_relaxed(&block->block_mobility, (uint8_t)UNMOVABLE);
	for_each_free_block(b, end, block->pfn + PAGE_BLOCK_PAGES, p)
		buddy_move(b, p, UNMOVABLE);
}
