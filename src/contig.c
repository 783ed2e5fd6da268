/* SPDX-License-Identifier: MIT */
/*
 * contig.c - pages by where they are: below a limit, within a boundary, more
 * of them side by side than a block can hold.
 *
 *	zone	|▓▓▓|  |▓|      |▓▓▓▓▓|     |▓|
 *			      end of the search ^  limit
 *				 └─run─┘ <── looked for downwards
 *
 * The free lists know sizes, not places. So these requests look at the zone
 * itself, page by page: a *run* is `nr` pages that are all free, and begin at
 * a multiple of `align`. Candidates are tried from the top of what is allowed
 * downwards, which spares the low memory that is scarce; a page in the way
 * decides where the next candidate ends.
 *
 *	find	SEARCH_STEPS blocks at a time under the zone's lock; between
 *		two holds others may take what was seen, so it is only a hint
 *	grab	carve the run out of its free blocks (buddy_carve), one for
 *		each hold; if somebody was faster, give back what was grabbed
 *		and go on searching below
 *
 * There is no migration: only what is free can be taken. What CPUs hold in
 * magazines is returned to the zones before a search is given up.
 *
 * Cost: O(pages of the zone) in the worst case, O(KMEM_MAX_ORDER) for each free
 * block that is stepped over: not for hot paths. Locks: the zone's.
 */
#include "bits.h"
#include "page_alloc.h"

/* Linux's EBUSY and EINVAL. */
#define RANGE_BUSY	(-16)
#define NO_SUCH_RANGE	(-22)

/* Free blocks, or pages that are not free, looked at under one lock. */
#define SEARCH_STEPS	64

/* What is looked for: nr pages, from a multiple of align on, within
 * [start, end). All in pages. */
struct search {
	struct zone *zone;
	uintptr_t nr, align;
	uintptr_t start, end;
};

/* The last candidate that ends by `end`; false: there is none. */
static bool candidate(const struct search *s, uintptr_t end, uintptr_t *pfn)
{
	uintptr_t first;

	if (end < s->start || end - s->start < s->nr)
		return false;
	first = (end - s->nr) & ~(s->align - 1);
	*pfn = first;
	return first >= s->start;
}

/* From a page of a run on: the first page of it that is not free, or its end;
 * at most SEARCH_STEPS blocks further. */
static uintptr_t step_over_free(const struct search *s, uintptr_t pfn,
				uintptr_t end, bool *blocked)
{
	uintptr_t irq = lock_irq(&s->zone->lock);

	*blocked = false;
	for (unsigned i = 0; pfn < end && i < SEARCH_STEPS; i++) {
		struct page *head = buddy_free_head(&s->zone->buddy, pfn);

		if (!head) {
			*blocked = true;
			break;
		}
		pfn = head->pfn + ((uintptr_t)1 << head->order);
	}
	unlock_irq(&s->zone->lock, irq);
	return KMEM_MIN(pfn, end);
}

/* Below a page that is in the way: a hole is left in one step. */
static uintptr_t below(uintptr_t pfn)
{
	if (pfn_to_page(pfn))
		return pfn;
	return pfn & ~kmem_page_map.page_mask;
}

/* A run that was free a moment ago, and that ends by `end`. */
static bool find_run(const struct search *s, uintptr_t end, uintptr_t *first)
{
	while (candidate(s, end, first)) {
		uintptr_t pfn = *first;
		bool blocked = false;

		while (!blocked && pfn < *first + s->nr)
			pfn = step_over_free(s, pfn, *first + s->nr, &blocked);
		if (!blocked)
			return true;
		end = below(pfn);
	}
	return false;
}

/* ---- taking it ---- */

/* All of a run, as pages that are nobody's, PAGE_TAIL; or none. */
static bool grab_run(struct zone *z, uintptr_t first, uintptr_t nr)
{
	uintptr_t end = zone_take_range(z, first, first + nr);

	if (end == first + nr)
		return true;
	zone_give_range(z, first, end);
	return false;
}

/* ---- zone by zone ---- */

/* What a request may take, as for every other. */
static bool enough_free(const struct search *s, gfp_t gfp)
{
	return zone_free_pages(s->zone) >= zone_mark(s->zone, gfp) + s->nr;
}

static struct page *search_zone(const struct search *s, gfp_t gfp)
{
	uintptr_t end = s->end, first;

	while (enough_free(s, gfp) && find_run(s, end, &first)) {
		if (grab_run(s->zone, first, s->nr))
			return pfn_to_page(first);
		end = first + s->nr - 1;
	}
	return NULL;
}

/* Which zones, and what of them. */
struct request {
	gfp_t gfp;
	unsigned node;			/* index: this one first */
	const uint64_t *nodes;		/* NULL, or a bit for each node's id */
	uintptr_t nr, align;
	uintptr_t limit;		/* first page beyond; ~0: none */
};

static bool node_allowed(const struct request *q, const struct zone *z)
{
	unsigned id = (unsigned)z->node->id;
	uint32_t half;

	if (!q->nodes)
		return true;
	/* Not every CPU shifts 64 bits by a variable. */
	half = (uint32_t)(id < 32 ? *q->nodes : *q->nodes >> 32);
	return half >> (id & 31) & 1;
}

static struct page *search_zones(const struct request *q)
{
	struct zone_walk w;
	struct page *page = NULL;
	struct zone *z;

	zone_walk_start(&w, q->node, gfp_zone(q->gfp),
			q->gfp & __GFP_THISNODE);
	while (!page && (z = zone_walk_next(&w))) {
		uintptr_t end = kmem_load_relaxed(&z->end_pfn);
		struct search s = { z, q->nr, q->align,
				    kmem_load_relaxed(&z->start_pfn),
				    KMEM_MIN(end, q->limit) };

		if (!node_allowed(q, z))
			continue;
		zones_describe(s.start, s.end);
		page = search_zone(&s, q->gfp);
	}
	return page;
}

/* Every page of a run, on its own. */
static void make_single(struct page *page, uintptr_t nr, gfp_t gfp)
{
	for (uintptr_t i = 0; i < nr; i++) {
		struct page *p = pfn_to_page(page->pfn + i);

		p->order = 0;
		page_set_allocated(p, gfp_mobility(gfp));
	}
}

/* Have the kernel free something, if the request may wait for that. */
static bool ask_for_memory(const struct request *q)
{
	struct kmem_pressure p = { .gfp = q->gfp, .order = KMEM_MAX_ORDER,
				   .node = zones.node[q->node]->id };

	if (!(q->gfp & __GFP_DIRECT_RECLAIM) || !reclaim_by_hook(&p))
		return false;
	drain_pages();
	return true;
}

/* The run; NULL, after a word in the log. */
static struct page *search_all(const struct request *q)
{
	struct page *page = search_zones(q);

	if (!page) {
		drain_pages();
		page = search_zones(q);
	}
	if (!page && ask_for_memory(q))
		page = search_zones(q);
	if (!page && !(q->gfp & __GFP_NOWARN))
		kmem_log("kmem: no %zu pages side by side below page 0x%lx, "
			 "gfp 0x%x", (size_t)q->nr, (unsigned long)q->limit,
			 q->gfp);
	if (page && (q->gfp & __GFP_ZERO))
		memset(page_to_virt(page), 0, q->nr << KMEM_PAGE_SHIFT);
	return page;
}

/* ---- the interface ---- */

struct page *alloc_contig_pages(size_t nr_pages, gfp_t gfp, int nid,
				const uint64_t *nodes)
{
	struct request q = { .gfp = gfp, .nodes = nodes, .nr = nr_pages,
			     .align = 1, .limit = UINTPTR_MAX };
	struct page *page;

	if (!nr_pages || nr_pages > kmem_load_relaxed(&zones.managed) ||
	    !node_index(nid, gfp, &q.node) || pages_injected(gfp, INJECT_CALLER))
		return NULL;
	q.gfp = gfp_checked("alloc_contig_pages", gfp);
	if (is_power_of_two(nr_pages))
		q.align = nr_pages;
	page = search_all(&q);
	if (page)
		make_single(page, nr_pages, gfp);
	return page;
}

static bool is_of_zone(struct zone *z, uintptr_t pfn)
{
	uintptr_t irq = lock_irq(&z->lock);	/* keeps descriptors: hotplug.c */
	const struct page *page = pfn_to_page(pfn);
	bool is = page && kmem_load_relaxed(&page->zone) == z->id;

	unlock_irq(&z->lock, irq);
	return is;
}

/* The zone of a page that may be any, described; NULL: it is in none. */
static struct zone *zone_of_pfn(uintptr_t pfn)
{
	for (unsigned i = 0; i < KMEM_ARRAY_SIZE(zones.zone); i++)
		if (zone_by_id(i) && is_of_zone(zone_by_id(i), pfn))
			return zone_by_id(i);
	return NULL;
}

int alloc_contig_range(uintptr_t start, uintptr_t end, unsigned flags,
		       gfp_t gfp)
{
	struct search s = { NULL, end - start, 1, start, end };
	struct page *page;

	(void)flags;
	if (start >= end || !zones.nr_nodes)
		return NO_SUCH_RANGE;
	zones_describe(start, end);
	s.zone = zone_of_pfn(start);
	if (!s.zone)
		return NO_SUCH_RANGE;
	gfp = gfp_checked("alloc_contig_range", gfp);
	if (end > kmem_load_relaxed(&s.zone->end_pfn))
		return NO_SUCH_RANGE;
	if (pages_injected(gfp, INJECT_CALLER))
		return RANGE_BUSY;
	page = search_zone(&s, gfp);
	if (!page) {
		drain_pages();
		page = search_zone(&s, gfp);
	}
	if (!page)
		return RANGE_BUSY;
	make_single(page, s.nr, gfp);
	if (gfp & __GFP_ZERO)
		memset(page_to_virt(page), 0, s.nr << KMEM_PAGE_SHIFT);
	return 0;
}

void free_contig_range(uintptr_t pfn, size_t nr_pages)
{
	for (size_t i = 0; i < nr_pages; i++) {
		struct page *page = pfn_to_page(pfn + i);

		if (page)
			free_single("free_contig_range", page, KMEM_CALLER);
		else
			kmem_misuse_by(KMEM_CALLER, "bad free", NULL,
				       "kmem: free_contig_range of pfn 0x%lx: "
				       "no memory of kmem's",
				       (unsigned long)(pfn + i));
	}
}

/* The first page beyond that limit in bytes; 0: none. */
static uintptr_t limit_pfn(kmem_phys_t limit)
{
	kmem_phys_t pfn = limit >> KMEM_PAGE_SHIFT;

	return !limit || pfn > UINTPTR_MAX ? UINTPTR_MAX : (uintptr_t)pfn;
}

struct page *alloc_pages_range(unsigned order, gfp_t gfp, kmem_phys_t limit,
			       kmem_phys_t boundary)
{
	struct request q = { .gfp = gfp, .limit = limit_pfn(limit) };
	struct page *page;

	if (order > KMEM_MAX_ORDER || !zones.nr_nodes ||
	    (boundary && (!is_power_of_two(boundary) ||
			  boundary < KMEM_PAGE_SIZE << order)))
		return NULL;
	if (pages_injected(gfp, INJECT_CALLER))
		return NULL;
	q.gfp = gfp_checked("alloc_pages_range", gfp);
	q.node = this_node();
	q.nr = q.align = (uintptr_t)1 << order;
	page = search_all(&q);
	if (page) {
		page->order = (uint8_t)order;
		page_set_allocated(page, gfp_mobility(gfp));
	}
	return page;
}

void *alloc_pages_exact_range(size_t size, gfp_t gfp, kmem_phys_t limit,
			      kmem_phys_t align, kmem_phys_t boundary)
{
	size_t bytes = KMEM_MAX(KMEM_PAGE_SIZE, (size_t)align);
	struct page *page;
	unsigned order;

	if (!size || size > KMEM_PAGE_SIZE << KMEM_MAX_ORDER ||
	    (align && (!is_power_of_two(align) ||
		       align > KMEM_PAGE_SIZE << KMEM_MAX_ORDER)) ||
	    (boundary && (!is_power_of_two(boundary) || boundary < size)))
		return NULL;
	/* A block begins at a multiple of its size, which is as large as the
	 * boundary or a part of it: so no boundary is within `size` bytes. */
	order = get_order(KMEM_MAX(bytes, size));
	page = alloc_pages_range(order, gfp, limit, 0);
	if (!page)
		return NULL;
	split_page(page, order);
	for (uintptr_t i = ((size - 1) >> KMEM_PAGE_SHIFT) + 1;
	     i >> order == 0; i++)
		__free_pages(pfn_to_page(page->pfn + i), 0);
	return page_to_virt(page);
}
