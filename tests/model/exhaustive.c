// SPDX-License-Identifier: MIT
/*
 * tests/model/exhaustive.c - every state that a small zone can be in.
 *
 * A state says which blocks are free and which are allocated. A block of
 * order n is wholly free, wholly allocated, or two halves that are not both
 * wholly free (those would have merged). So there are
 *
 *	f(0) = 2, f(n) = f(n - 1)^2 + 1:	2, 5, 26, 677, 458330
 *
 * of them for 1, 2, 4, 8 and 16 pages. Starting with all pages free, the
 * program does in each state everything that a caller can do: take a block of
 * each order, for each choice that the order of the free list leaves open,
 * and give back each allocated block. After each step it compares what the
 * buddy did with an oracle that knows only the picture above, and has B1 to
 * B5 verified. The states found must be exactly that many.
 *
 * What could go wrong and would be seen here: a split that loses or doubles a
 * part, a merge that is missed or reaches across the end, a count or a
 * nonempty bit that is off in a rare combination, a refusal although a block
 * would fit.
 */
#include <stdlib.h>

#include "buddy.h"
#include "list.h"
#include "testlib.h"

#define ORDER_MAX	4
#define PAGES_MAX	(1u << ORDER_MAX)
#define STATES_MAX	458330u
#define TABLE_SIZE	(1u << 20)

/*
 * A state as a number: four bits a page. A page is a tail, or the head of a
 * free or an allocated block of some order.
 */
typedef uint64_t state_t;

#define TAIL		0u
#define FREE(order)	(1u + (order))
#define TAKEN(order)	(1u + (ORDER_MAX + 1) + (order))

static unsigned state_get(state_t s, unsigned page)
{
	return s >> 4 * page & 15;
}

static state_t state_set(state_t s, unsigned page, unsigned what)
{
	return (s & ~((state_t)15 << 4 * page)) | (state_t)what << 4 * page;
}

/* ---------------------------------------------- the states that were found */

static state_t table[TABLE_SIZE];	/* 0: no entry; no state is 0 */
static state_t queue[STATES_MAX + 1];	/* found; those from `next` on have
					 * still to be explored */
static unsigned found;

static void state_found(state_t s)
{
	unsigned at = (unsigned)(s * 0x9e3779b97f4a7c15u >> 44);

	for (; table[at]; at = (at + 1) % TABLE_SIZE)
		if (table[at] == s)
			return;
	REQUIRE(found < STATES_MAX);
	table[at] = s;
	queue[found++] = s;
}

/* ------------------------------------------------------ the real structure */

#define SECTION_PAGES	256
#define FIRST_PFN	((uintptr_t)SECTION_PAGES * 3)

static struct page descriptors[SECTION_PAGES];
static struct page *sections[1] = { descriptors };
static unsigned nr_pages, nr_orders;

struct zone_copy {
	struct buddy buddy;
	struct page page[PAGES_MAX];
};

static struct buddy buddy;

/* The pages of the zone are the first of a section that has no others. */
static void machine_init(void)
{
	kmem_page_map.section = sections;
	kmem_page_map.nr_sections = 1;
	kmem_page_map.page_mask = SECTION_PAGES - 1;
	kmem_page_map.section_shift = KMEM_PAGE_SHIFT + 8;
	kmem_page_map.first_pfn = FIRST_PFN;
	kmem_page_map.base = FIRST_PFN << KMEM_PAGE_SHIFT;
	for (unsigned i = 0; i < SECTION_PAGES; i++) {
		descriptors[i].pfn = FIRST_PFN + i;
		list_init(&descriptors[i].list);
	}
}

/*
 * Build a state from nothing, with the public calls only: give() each free
 * block, which can't merge. `first`, if it heads a free block, comes to the
 * front of its list by being given last.
 */
static void zone_build(state_t s, unsigned first)
{
	unsigned what;

	buddy_init(&buddy, 0);
	for (unsigned i = 0; i < nr_pages; i++) {
		what = state_get(s, i);
		descriptors[i].type = PAGE_TAIL;
		descriptors[i].order = 0;
		list_init(&descriptors[i].list);
		if (what >= TAKEN(0)) {
			descriptors[i].type = PAGE_ALLOCATED;
			descriptors[i].order = (uint8_t)(what - TAKEN(0));
		}
	}
	for (unsigned i = 0; i < nr_pages; i++) {
		what = state_get(s, i);
		if (i != first && what >= FREE(0) && what < TAKEN(0))
			buddy_give(&buddy, &descriptors[i], what - FREE(0));
	}
	if (first < nr_pages)
		buddy_give(&buddy, &descriptors[first],
			   state_get(s, first) - FREE(0));
}

static void zone_save(struct zone_copy *copy)
{
	copy->buddy = buddy;
	memcpy(copy->page, descriptors, nr_pages * sizeof(struct page));
}

static void zone_restore(const struct zone_copy *copy)
{
	buddy = copy->buddy;
	memcpy(descriptors, copy->page, nr_pages * sizeof(struct page));
}

/* The state that the descriptors show, none of the lists being looked at:
 * those are the business of buddy_check(). */
static state_t zone_state(void)
{
	state_t s = 0;

	for (unsigned i = 0; i < nr_pages; i++) {
		const struct page *p = &descriptors[i];

		if (p->type == PAGE_FREE)
			s = state_set(s, i, FREE(p->order));
		else if (p->type == PAGE_ALLOCATED)
			s = state_set(s, i, TAKEN(p->order));
		else
			REQUIRE(p->type == PAGE_TAIL);
	}
	return s;
}

static void say(void *ctx, const char *line)
{
	fprintf(stderr, "state 0x%016" PRIx64 ": %s\n", *(state_t *)ctx, line);
}

static void zone_verify(state_t expected)
{
	struct check c = { .out = say, .ctx = &expected };
	state_t s = zone_state();

	if (s != expected)
		fprintf(stderr, "state 0x%016" PRIx64 ", expected 0x%016" PRIx64
			"\n", s, expected);
	REQUIRE(s == expected);
	buddy_check(&buddy, &c);
	REQUIRE(c.violations == 0);
}

/* -------------------------------------------------------------- the oracle */

/* The smallest order that has a free block of at least `order`; more than
 * nr_orders if there is none. */
static unsigned oracle_fit(state_t s, unsigned order)
{
	for (; order < nr_orders; order++)
		for (unsigned i = 0; i < nr_pages; i++)
			if (state_get(s, i) == FREE(order))
				return order;
	return nr_orders;
}

static state_t oracle_take(state_t s, unsigned page, unsigned order)
{
	unsigned o = state_get(s, page) - FREE(0);

	while (o-- > order)
		s = state_set(s, page + (1u << o), FREE(o));
	return state_set(s, page, TAKEN(order));
}

static state_t oracle_give(state_t s, unsigned page)
{
	unsigned o = state_get(s, page) - TAKEN(0);

	for (; o + 1 < nr_orders; o++) {
		unsigned other = page ^ (1u << o);

		if (state_get(s, other) != FREE(o))
			break;
		s = state_set(s, page | other, TAIL);
		page &= other;
	}
	return state_set(s, page, FREE(o));
}

/* ------------------------------------------------------------- exploration */

static uint64_t steps;

/* Take a block of this order in state s, with `first` at the front of the
 * list that it must come from; then give it back, which must lead to s. */
static void try_take(state_t s, unsigned order, unsigned first)
{
	state_t after = oracle_take(s, first, order);
	struct page *page;

	zone_build(s, first);
	page = buddy_take(&buddy, order, UNMOVABLE);
	REQUIRE(page == &descriptors[first]);
	REQUIRE(page->type == PAGE_ALLOCATED && page->order == order);
	zone_verify(after);
	state_found(after);
	buddy_give(&buddy, page, order);
	zone_verify(s);
	steps += 2;
}

static void try_takes(state_t s)
{
	for (unsigned order = 0; order <= KMEM_MAX_ORDER; order++) {
		unsigned fit = oracle_fit(s, order);

		if (fit == nr_orders) {
			REQUIRE(!buddy_take(&buddy, order, UNMOVABLE));
			steps++;
			continue;
		}
		for (unsigned i = 0; i < nr_pages; i++)
			if (state_get(s, i) == FREE(fit))
				try_take(s, order, i);
	}
}

static void try_gives(state_t s)
{
	struct zone_copy copy;

	zone_build(s, nr_pages);
	zone_verify(s);
	zone_save(&copy);
	for (unsigned i = 0; i < nr_pages; i++) {
		unsigned what = state_get(s, i);
		state_t after;

		if (what < TAKEN(0))
			continue;
		after = oracle_give(s, i);
		buddy_give(&buddy, &descriptors[i], what - TAKEN(0));
		zone_verify(after);
		state_found(after);
		zone_restore(&copy);
		steps++;
	}
}

static void explore(unsigned order)
{
	unsigned expected = 2, next = 0;

	for (unsigned o = 0; o < order; o++)
		expected = expected * expected + 1;
	memset(table, 0, sizeof(table));
	nr_pages = 1u << order;
	nr_orders = order + 1;
	found = 0;
	steps = 0;
	state_found(state_set(0, 0, FREE(order)));
	while (next < found) {
		try_gives(queue[next]);
		try_takes(queue[next]);
		next++;
	}
	printf("exhaustive: %2u pages: %6u states, %9" PRIu64 " steps\n",
	       nr_pages, found, steps);
	REQUIRE(found == expected);
}

int main(void)
{
	/* The largest zone only where it takes seconds, not minutes. */
	unsigned order_max = test_scaled(100) < 50 ? ORDER_MAX - 1 : ORDER_MAX;

	machine_init();
	for (unsigned order = 0; order <= order_max; order++)
		explore(order);
	return EXIT_SUCCESS;
}
