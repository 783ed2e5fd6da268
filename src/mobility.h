/* SPDX-License-Identifier: MIT */
/*
 * mobility.h - pages that stay kept apart from pages that can go. The theory
 * is in mobility.c.
 *
 * The caller holds the lock of the zone that the buddy belongs to.
 */
#ifndef KMEM_MOBILITY_H
#define KMEM_MOBILITY_H

#include "buddy.h"

/* With less memory there are too few page blocks to keep apart. */
#define MOBILITY_MIN_PAGES	((uintptr_t)4 * NR_MOBILITIES * PAGE_BLOCK_PAGES)

/*
 * Where no free block has that mobility: make a page block, or several, be of
 * it, if that is worth it, and take from there.
 *
 * Return: as buddy_take().
 * Cost: O(PAGE_BLOCK_PAGES).
 */
struct page *mobility_claim(struct buddy *b, unsigned order, enum mobility m);

/* The same; or else take one block, the smallest, that is meant for others. */
struct page *mobility_take(struct buddy *b, unsigned order, enum mobility m);

/* Pages [pfn, end), which are nobody's, are leaving the zone: what they say of
 * the rest of a page block is true no longer. */
void mobility_forget(struct buddy *b, uintptr_t pfn, uintptr_t end);

#endif /* KMEM_MOBILITY_H */
