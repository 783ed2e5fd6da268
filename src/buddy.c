/* SPDX-License-Identifier: MIT */
/*
 * buddy.c - the buddy system (Knowlton 1965; Knuth, TAOCP 1, 2.5).
 *
 * Free memory is kept as blocks of 2^order pages, each aligned to its size.
 * The two halves of a block are each other's buddies: their page frame
 * numbers differ in bit `order` only, so that either is found from the other
 * by one exclusive or.
 *
 *	order 3   |               8 pages                 |
 *	order 2   |      4 (taken)    |      4 (free)     |   take(2): split
 *	order 1                       |  2 (t.) |  2      |   take(1): split
 *
 * take: the smallest free block that is large enough is halved until it fits;
 * the upper halves go to the lists of their orders.
 * give: while the block's buddy is free as well, as a whole, the two become
 * one block of the next order.
 *
 * The links of the lists are in the page descriptors, and nothing is written
 * into free memory. Of a block only the first descriptor says anything:
 *
 *	head of a free block	PAGE_FREE, order, list
 *	head of any other block	another type, order
 *	every other page	PAGE_TAIL
 *
 * There are lists for each mobility (mobility.h), which all this is the same
 * for: blocks merge whatever they are, and halves are what the whole was.
 *
 * Splitting makes one tail a head, merging makes one head a tail; so both are
 * O(1), and a pointer to the middle of a block is known as one at sight. A
 * hole is all tails and has no head; it never merges with anything.
 *
 * Invariants:
 *
 *  B1	free_pages == sum over orders o of nr_blocks[o] * 2^o
 *  B2	nr_blocks[o] == length of all blocks[m][o], and bit o of nonempty[m]
 *	tells whether blocks[m][o] is not empty
 *  B3	every page on blocks[m][o] has type PAGE_FREE, order o, this zone, a frame
 *	number that is a multiple of 2^o, and only tails behind it
 *  B4	no two buddies of the same order below the highest are both free
 *  B5	every page on blocks[m][o] has mobility m, and lies in a page block
 *	that has
 *
 * Every loop here runs over orders, so take and give end after at most
 * KMEM_MAX_ORDER steps, whatever the history.
 */
#include "bits.h"
#include "buddy.h"
#include "list.h"

void buddy_init(struct buddy *b, uint8_t zone)
{
	for (unsigned o = 0; o <= KMEM_MAX_ORDER; o++) {
		for (unsigned m = 0; m < NR_MOBILITIES; m++)
			list_init(&b->blocks[m][o]);
		b->nr_blocks[o] = 0;
	}
	for (unsigned m = 0; m < NR_MOBILITIES; m++)
		b->nonempty[m] = 0;
	b->free_pages = 0;
	b->zone = zone;
}

/* Statistics read the counts without the lock. */
static void count_add(size_t *count, size_t n)
{
	kmem_store_relaxed(count, *count + n);
}

/* Of a free block. */
static enum mobility list_of(const struct page *page)
{
	return KMEM_MOBILITY ? (enum mobility)page->mobility : UNMOVABLE;
}

static struct kmem_list *list_for(struct buddy *b, enum mobility m,
				  unsigned order)
{
	return &b->blocks[KMEM_MOBILITY ? m : 0][order];
}

static uint32_t *nonempty_for(struct buddy *b, enum mobility m)
{
	return &b->nonempty[KMEM_MOBILITY ? m : 0];
}

/* The lowest `order` bits. */
static uint32_t orders_below(unsigned order)
{
	return ((uint32_t)1 << order) - 1;
}

/* It heads a free block from now on. */
KMEM_INLINE void block_mark(struct page *page, unsigned order, enum mobility m)
{
	page_set_type(page, PAGE_FREE);
	page->order = (uint8_t)order;
	if (KMEM_MOBILITY) {
		page_set_mobility(page, m);
		if (order >= PAGE_BLOCK_ORDER)
			kmem_store_relaxed(&page->block_mobility,
					   (uint8_t)m);
	}
}

KMEM_INLINE void block_insert(struct buddy *b, struct page *page,
			      unsigned order, enum mobility m)
{
	block_mark(page, order, m);
	list_add(&page->list, list_for(b, m, order));
	count_add(&b->nr_blocks[order], 1);
	*nonempty_for(b, m) |= (uint32_t)1 << order;
}

KMEM_INLINE enum mobility block_remove(struct buddy *b, struct page *page,
				       unsigned order)
{
	enum mobility m = list_of(page);

	/* between the head and the head: the only one */
	if (page->list.next == page->list.prev)
		*nonempty_for(b, m) &= ~((uint32_t)1 << order);
	list_unlink(&page->list);
	count_add(&b->nr_blocks[order], (size_t)-1);
	return m;
}

void buddy_move(struct buddy *b, struct page *head, enum mobility m)
{
	block_remove(b, head, head->order);
	block_insert(b, head, head->order, m);
}

/* The first page of the upper half. A section has descriptors for all of its
 * pages, side by side; and of a block no larger than that, both halves are in
 * it. */
KMEM_INLINE struct page *upper_half(struct page *page, unsigned half)
{
	uintptr_t pages = (uintptr_t)1 << half;

	if (KMEM_LIKELY(pages <= kmem_page_map.page_mask))
		return page + pages;
	return pfn_to_page(page->pfn + pages);
}

/* The free block that could merge with this one, or NULL. */
KMEM_INLINE struct page *free_buddy(const struct buddy *b, uintptr_t pfn,
				    unsigned order)
{
	struct page *p = pfn_to_page(pfn ^ ((uintptr_t)1 << order));

	if (p && page_type(p) == PAGE_FREE && p->order == order &&
	    p->zone == b->zone)
		return p;
	return NULL;
}

/* A block of several page blocks: its user may return them one by one. */
static KMEM_NOINLINE void mark_page_blocks(struct page *page, unsigned order,
					   enum mobility m)
{
	unsigned blocks = 1u << (order - PAGE_BLOCK_ORDER);

	for (uintptr_t i = 0; i < blocks; i++) {
		uintptr_t pfn = page->pfn + (i << PAGE_BLOCK_ORDER);

		kmem_store_relaxed(&pfn_to_page(pfn)->block_mobility,
				   (uint8_t)m);
	}
}

struct page *buddy_take(struct buddy *b, unsigned order, enum mobility m)
{
	uint32_t fits = *nonempty_for(b, m) & ~orders_below(order);
	struct kmem_list *list;
	struct page *page;
	unsigned o;

	if (!fits)
		return NULL;
	o = bits_ffs(fits);
	list = list_for(b, m, o);
	page = list_page(list->next);
	KMEM_ASSERT(page_type(page) == PAGE_FREE && page->order == o);
	block_remove(b, page, o);
	*nonempty_for(b, m) |= orders_below(o) & ~orders_below(order);
	/* The lists of the orders between are empty, or o were one of them. */
	while (o-- > order) {
		struct page *half = upper_half(page, o);

		block_mark(half, o, m);
		list_start(&half->list, --list);
		count_add(&b->nr_blocks[o], 1);
	}
	if (KMEM_MOBILITY && order > PAGE_BLOCK_ORDER)
		mark_page_blocks(page, order, m);
	page_set_type(page, PAGE_ALLOCATED);
	page->order = (uint8_t)order;
	count_add(&b->free_pages, 0 - ((size_t)1 << order));
	return page;
}

void buddy_give(struct buddy *b, struct page *page, unsigned order)
{
	uintptr_t pfn = page->pfn;
	struct page *other;

	KMEM_ASSERT(page->zone == b->zone);
	KMEM_ASSERT((page->pfn & (((uintptr_t)1 << order) - 1)) == 0);
	KMEM_ASSERT(page_type(page) != PAGE_FREE);
	count_add(&b->free_pages, (size_t)1 << order);
	for (; order < KMEM_MAX_ORDER; order++) {
		other = free_buddy(b, pfn, order);
		if (!other)
			break;
		block_remove(b, other, order);
		if (pfn >> order & 1) {
			page_set_type(page, PAGE_TAIL);
			page = other;
			pfn -= (uintptr_t)1 << order;
		} else {
			page_set_type(other, PAGE_TAIL);
		}
	}
	block_insert(b, page, order, block_mobility(b, pfn));
}

unsigned block_order(uintptr_t pfn, uintptr_t end)
{
	unsigned order = 0;

	while (order < KMEM_MAX_ORDER && !(pfn >> order & 1) &&
	       (uintptr_t)2 << order <= end - pfn)
		order++;
	return order;
}

struct page *buddy_free_head(const struct buddy *b, uintptr_t pfn)
{
	for (unsigned o = 0; o <= KMEM_MAX_ORDER; o++) {
		struct page *p = pfn_to_page(pfn >> o << o);

		if (p && page_type(p) != PAGE_TAIL)
			return page_type(p) == PAGE_FREE &&
			       p->zone == b->zone && p->order >= o ? p : NULL;
	}
	return NULL;
}

static void give_range(struct buddy *b, uintptr_t pfn, uintptr_t end)
{
	while (pfn < end) {
		unsigned order = block_order(pfn, end);

		buddy_give(b, pfn_to_page(pfn), order);
		pfn += (uintptr_t)1 << order;
	}
}

uintptr_t buddy_carve(struct buddy *b, uintptr_t pfn, uintptr_t end)
{
	struct page *head = buddy_free_head(b, pfn);
	uintptr_t first, last;

	if (!head)
		return 0;
	first = head->pfn;
	last = first + ((uintptr_t)1 << head->order);
	end = KMEM_MIN(end, last);
	block_remove(b, head, head->order);
	count_add(&b->free_pages, first - last);
	page_set_type(head, PAGE_TAIL);
	give_range(b, first, pfn);
	give_range(b, end, last);
	return end - pfn;
}

static bool tails_only(const struct page *head)
{
	for (uintptr_t i = 1; i >> head->order == 0; i++) {
		struct page *p = pfn_to_page(head->pfn + i);

		if (!p || page_type(p) != PAGE_TAIL)
			return false;
	}
	return true;
}

static void block_check(const struct buddy *b, const struct page *p,
			unsigned m, unsigned o, struct check *c)
{
	unsigned long pfn = p->pfn;

	if (page_type(p) != PAGE_FREE || p->order != o || p->zone != b->zone ||
	    pfn & (((unsigned long)1 << o) - 1))
		check_violated(c, "B3: zone %u, order %u: pfn 0x%lx is type %u,"
			       " order %u, zone %u", b->zone, o, pfn, p->type,
			       p->order, p->zone);
	else if (!tails_only(p))
		check_violated(c, "B3: zone %u: the free block of order %u at "
			       "pfn 0x%lx has another head inside", b->zone, o,
			       pfn);
	if (list_of(p) != m || block_mobility(b, p->pfn) != m)
		check_violated(c, "B5: zone %u, order %u: pfn 0x%lx is on list "
			       "%u, has mobility %u in a page block of %u",
			       b->zone, o, pfn, m, p->mobility,
			       block_mobility(b, p->pfn));
	if (o < KMEM_MAX_ORDER && free_buddy(b, p->pfn, o))
		check_violated(c, "B4: zone %u, order %u: pfn 0x%lx and its "
			       "buddy are both free", b->zone, o, pfn);
}

/* The length of a list. */
static size_t list_check(const struct buddy *b, unsigned m, unsigned o,
			 struct check *c)
{
	struct kmem_list *l;
	size_t n = 0;

	list_for_each(l, &b->blocks[m][o]) {
		block_check(b, list_page(l), m, o, c);
		if (n++ > b->nr_blocks[o])
			break;
	}
	if ((n != 0) != (b->nonempty[m] >> o & 1))
		check_violated(c, "B2: zone %u, order %u: %zu blocks of "
			       "mobility %u, nonempty is 0x%lx", b->zone, o, n,
			       m, (unsigned long)b->nonempty[m]);
	return n;
}

void buddy_check(const struct buddy *b, struct check *c)
{
	size_t pages = 0;

	for (unsigned o = 0; o <= KMEM_MAX_ORDER; o++) {
		size_t n = 0;

		for (unsigned m = 0; m < NR_MOBILITIES; m++)
			n += list_check(b, m, o, c);
		pages += n << o;
		if (n != b->nr_blocks[o])
			check_violated(c, "B2: zone %u, order %u: %zu blocks, "
				       "count says %zu", b->zone, o, n,
				       b->nr_blocks[o]);
	}
	if (pages != b->free_pages)
		check_violated(c, "B1: zone %u: %zu pages in free blocks, "
			       "count says %zu", b->zone, pages,
			       b->free_pages);
}
