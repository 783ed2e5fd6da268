/* SPDX-License-Identifier: MIT */
/*
 * regions.c - what the firmware said.
 *
 * A memory map is a list of ranges that may overlap, touch, be empty, lie in
 * any order and begin anywhere. It is kept as it came, in the order it came:
 * nothing is sorted or cut, so nothing can be lost by doing so. (What is
 * reserved page by page becomes one range as it comes.) Instead, every question is answered from the whole list:
 *
 *	              at
 *	usable   |────┼─────────────|
 *	reserved      ┼    |──|
 *	look(at):     |────|             the same answer up to `last`
 *
 * look(at) tells by which kinds of range one byte is covered, and how far
 * that answer holds: up to the nearest start or end of any range. Walking from
 * answer to answer yields the runs of usable bytes; rounding a run inward
 * yields whole pages. Two usable ranges that meet in the middle of a page make
 * that page usable, because runs are formed before they are rounded.
 *
 * A byte belongs to us if a USABLE range covers it and no range of another
 * type does (NODE ranges aside, which tell only where memory is). A byte that
 * a LATER range covers, and no RESERVED one, will be ours. What kmem takes for
 * its tables is entered as one more range, KMEM_REGION_BOOT. So "what is left"
 * needs no data structure of its own either: each question is a *view*, which
 * says of which kinds the ranges over a byte must be.
 *
 * The node of a byte: that of the first NODE range that covers it; failing
 * that, of the first range of memory that covers it and names a node; failing
 * that, 0.
 *
 * Ends are inclusive, so that the last byte of the address space can be in a
 * range.
 *
 * Cost: a look is O(ranges), a walk O(ranges^2): for the longest real maps
 * (some 120 entries) about 30,000 steps, at boot only.
 */
#include "bits.h"
#include "regions.h"

struct regions regions;

/* One bit for each type of range; two for pairs that go together. */
#define KIND(type)	((uint8_t)(1u << (type)))
#define KIND_USABLE	KIND(KMEM_REGION_USABLE)
#define KIND_RESERVED	KIND(KMEM_REGION_RESERVED)
#define KIND_LATER	KIND(KMEM_REGION_LATER)
#define KIND_STAGED	KIND(REGION_STAGED)
#define KIND_MEMORY	(KIND_USABLE | KIND_LATER)
#define KIND_TAKEN	(KIND(KMEM_REGION_BOOT) | KIND(REGION_NULL_PAGE))

/* A byte is in a view if ranges of at least one kind of `any` cover it, ranges
 * of all kinds of `all`, and of no kind of `none`. */
static const struct {
	uint8_t any, all, none;
} view_kinds[] = {
	[VIEW_USABLE] = { KIND_MEMORY, 0, KIND_RESERVED },
	[VIEW_LEFT] = { KIND_MEMORY, 0, KIND_RESERVED | KIND_TAKEN },
	[VIEW_FREE] = { KIND_USABLE, 0, KIND_RESERVED | KIND_TAKEN |
			KIND_LATER | KIND_STAGED },
	[VIEW_LATER] = { KIND_LATER, 0, KIND_RESERVED | KIND_TAKEN },
	[VIEW_STAGED] = { KIND_USABLE, KIND_STAGED, KIND_RESERVED |
			  KIND_TAKEN | KIND_LATER },
	[VIEW_NAMED] = { KIND_MEMORY | KIND_RESERVED, 0, KIND_TAKEN },
	[VIEW_MEMORY] = { KIND_MEMORY | KIND_TAKEN, 0, 0 },
};

struct look {
	unsigned kinds;			/* of the ranges that cover it */
	kmem_phys_t last;
};

static struct look look(kmem_phys_t at)
{
	struct look l = { 0, ~(kmem_phys_t)0 };

	for (unsigned i = 0; i < regions.nr; i++) {
		const struct region *r = &regions.r[i];

		if (r->start > at) {
			l.last = KMEM_MIN(l.last, r->start - 1);
			continue;
		}
		if (r->last < at)
			continue;
		l.last = KMEM_MIN(l.last, r->last);
		l.kinds |= KIND(r->type);
	}
	return l;
}

static bool in_view(enum view view, const struct look *l)
{
	unsigned all = view_kinds[view].all;

	return (l->kinds & view_kinds[view].any) &&
	       !(l->kinds & view_kinds[view].none) &&
	       (l->kinds & all) == all;
}

bool next_run(enum view view, kmem_phys_t at, struct run *run)
{
	bool found = false;

	for (;;) {
		struct look l = look(at);
		bool in = in_view(view, &l);

		if (in && !found)
			run->start = at;
		if (in)
			run->last = l.last;
		else if (found)
			return true;
		found |= in;
		if (l.last == ~(kmem_phys_t)0)
			return found;
		at = l.last + 1;
	}
}

bool next_page_run(enum view view, pfn_t at, struct page_run *run)
{
	kmem_phys_t from = at << KMEM_PAGE_SHIFT;
	struct run r;

	if (from >> KMEM_PAGE_SHIFT != at)
		return false;
	while (next_run(view, from, &r)) {
		/* Whole pages end before the byte after them; that byte's
		 * page number can't overflow, its address could. */
		run->pfn = (r.start >> KMEM_PAGE_SHIFT) +
			   ((r.start & (KMEM_PAGE_SIZE - 1)) != 0);
		run->end = (r.last >> KMEM_PAGE_SHIFT) +
			   ((r.last & (KMEM_PAGE_SIZE - 1)) ==
			    KMEM_PAGE_SIZE - 1);
		if (run->pfn < run->end)
			return true;
		if (r.last == ~(kmem_phys_t)0)
			return false;
		from = r.last + 1;
	}
	return false;
}

int region_node(kmem_phys_t at, kmem_phys_t *last)
{
	int window = KMEM_NO_NODE, own = KMEM_NO_NODE;

	*last = look(at).last;
	for (unsigned i = 0; i < regions.nr; i++) {
		const struct region *r = &regions.r[i];

		if (at < r->start || at > r->last)
			continue;
		if (r->type == KMEM_REGION_NODE && window == KMEM_NO_NODE)
			window = r->node;
		if ((KIND(r->type) & KIND_MEMORY) && own == KMEM_NO_NODE)
			own = r->node;
	}
	if (window != KMEM_NO_NODE)
		return window;
	return own != KMEM_NO_NODE ? own : 0;
}

kmem_phys_t node_until(kmem_phys_t at, kmem_phys_t limit)
{
	kmem_phys_t last, next;
	int node = region_node(at, &last);

	while (last < limit && region_node(last + 1, &next) == node)
		last = next;
	return KMEM_MIN(last, limit);
}

struct region *region_add(kmem_phys_t start, kmem_phys_t size,
			  enum kmem_region_type type, int node)
{
	struct region *r = regions.nr ? &regions.r[regions.nr - 1] : NULL;

	if (r && type == KMEM_REGION_RESERVED && r->type == type &&
	    r->last + 1 == start && start) {
		r->last += size;
		return r;
	}
	if (regions.nr == KMEM_MAX_REGIONS)
		return NULL;
	r = &regions.r[regions.nr++];
	*r = (struct region){ start, start + (size - 1), type, node, 0, 0 };
	return r;
}

/* The highest aligned place for `size` bytes in [start, last], which is not
 * empty. */
static bool fit_top(kmem_phys_t start, kmem_phys_t last, kmem_phys_t size,
		    kmem_phys_t align, kmem_phys_t *place)
{
	kmem_phys_t p;

	if (last - start < size - 1)
		return false;
	p = round_down_to(last - (size - 1), align);
	if (p < start || !p)
		return false;
	*place = p;
	return true;
}

/* The highest place in a run that is on the node as a whole. */
static bool fit_run(const struct run *run, kmem_phys_t size,
		    kmem_phys_t align, int node, kmem_phys_t *place)
{
	kmem_phys_t from = run->start, last, unused;
	bool found = false;

	if (KMEM_MAX_NODES == 1 || node == KMEM_NO_NODE)
		return fit_top(run->start, run->last, size, align, place);
	for (;;) {
		last = node_until(from, run->last);
		if (region_node(from, &unused) == node &&
		    fit_top(from, last, size, align, place))
			found = true;
		if (last == run->last)
			return found;
		from = last + 1;
	}
}

struct region *region_take(kmem_phys_t size, kmem_phys_t align,
			   kmem_phys_t end, int node)
{
	kmem_phys_t at = 0, place = 0, p;
	bool found = false;
	struct run run;

	while (next_run(VIEW_FREE, at, &run)) {
		at = run.last + 1;
		if (run.start > end - 1)
			break;
		run.last = KMEM_MIN(run.last, end - 1);
		if (fit_run(&run, size, align, node, &p)) {
			place = p;
			found = true;
		}
		if (!at)
			break;
	}
	return found ? region_add(place, size, KMEM_REGION_BOOT,
				  KMEM_NO_NODE) : NULL;
}

kmem_phys_t view_bytes(enum view view, kmem_phys_t start, kmem_phys_t last)
{
	kmem_phys_t sum = 0;
	struct run run;

	while (next_run(view, start, &run) && run.start <= last) {
		run.last = KMEM_MIN(run.last, last);
		sum += run.last - run.start + 1;
		if (run.last == last)
			break;
		start = run.last + 1;
	}
	return sum;
}

kmem_phys_t region_bytes(enum kmem_region_type type)
{
	kmem_phys_t sum = 0;

	for (unsigned i = 0; i < regions.nr; i++)
		if (regions.r[i].type == type)
			sum += regions.r[i].last - regions.r[i].start + 1;
	return sum;
}
