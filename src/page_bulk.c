/* SPDX-License-Identifier: MIT */
/*
 * page_bulk.c - many single pages at once.
 *
 *	1. this CPU's magazine, with one entry into it
 *	2. the zones of the request's fallback order, BULK_PAGES for each lock
 *	   operation, above the low-memory mark
 *	3. if that gave nothing: one page, as alloc_page() gets it
 *
 * Locks: none of its own.
 */
#include "bits.h"
#include "page_alloc.h"

#define BULK_PAGES	32

/* From this CPU's magazine. Second copies of a racing double free are dropped
 * by those who ask for one page; here they end what can be had. */
static size_t take_cached(struct zone *z, gfp_t gfp, struct round *r, size_t n)
{
	size_t got, good = 0;

	if (!z || !has_page_layer(gfp, 0))
		return 0;
	got = magazine_alloc_many(&gfp_layer(z, gfp, 0)->magazine, r, n);
	for (size_t i = 0; i < got; i++)
		if (KMEM_LIKELY(page_type(r[i].obj) == PAGE_CACHED))
			r[good++] = r[i];
		else
			second_block(r[i].obj, 0);
	return good;
}

static size_t take_from_zones(unsigned node, gfp_t gfp, struct round *r,
			      size_t n)
{
	struct zone_walk w;
	struct zone *z;
	size_t got = 0;

	zone_walk_start(&w, node, gfp_zone(gfp), gfp & __GFP_THISNODE);
	while (!got && (z = zone_walk_next(&w)))
		got = zone_take(z, 0, gfp_mobility(gfp), r, n,
				kmem_load_relaxed(&z->wmark[WMARK_LOW]) +
				kmem_load_relaxed(
					&z->reserve[gfp_zone(gfp)]));
	return got;
}

/* The next entry that is NULL; n if there is none. */
static size_t next_empty(struct page **pages, size_t i, size_t n)
{
	while (i < n && pages[i])
		i++;
	return i;
}

static void prepare(struct page *page, gfp_t gfp)
{
	page->order = 0;
	page_set_allocated(page, gfp_mobility(gfp));
	if (gfp & __GFP_ZERO)
		memset(page_to_virt(page), 0, KMEM_PAGE_SIZE);
}

static size_t count_empty_entries(struct page **pages, size_t i, size_t n)
{
	size_t empty = 0;

	while ((i = next_empty(pages, i, n)) < n && empty < BULK_PAGES) {
		empty++;
		i++;
	}
	return empty;
}

size_t alloc_pages_bulk_node(gfp_t gfp, int nid, size_t nr_pages,
			     struct page **pages)
{
	struct round r[BULK_PAGES];
	size_t at = next_empty(pages, 0, nr_pages), got;
	unsigned node;

	if (!zones.nr_nodes || !node_index(nid, gfp, &node) ||
	    pages_injected(gfp, INJECT_CALLER))
		return at;
	do {
		size_t want = count_empty_entries(pages, at, nr_pages);

		got = take_cached(kmem_load_relaxed(&zones.node[node]->
				  preferred[gfp_zone(gfp)]), gfp, r, want);
		if (!got)
			got = take_from_zones(node, gfp, r, want);
		for (size_t i = 0; i < got; i++) {
			prepare(r[i].obj, gfp);
			pages[at] = r[i].obj;
			at = next_empty(pages, at, nr_pages);
		}
	} while (got && at < nr_pages);
	if (at < nr_pages)
		pages[at] = alloc_pages_near(node, gfp, 0);
	return next_empty(pages, at, nr_pages);
}

size_t alloc_pages_bulk(gfp_t gfp, size_t nr_pages, struct page **pages)
{
	return alloc_pages_bulk_node(gfp, KMEM_NO_NODE, nr_pages, pages);
}
