/* SPDX-License-Identifier: MIT */
/*
 * check.c - kmem_check_all(): every structure, every numbered invariant.
 *
 * Each module verifies its own; what only the whole can say is here:
 *
 *  A1	every managed page of a zone is in exactly one block: free, cached,
 *	allocated or of a slab; so the pages of the blocks add up to `managed`
 *  A2	the pages of each kind are those that kmem_usage() says
 *  A3	what bounds all caches together is the sum of what they have: pages of
 *	empty slabs, tables' too, and bytes that depots may hold
 *  P2	(page_ref.c)
 *
 * which is found by stepping from head to head through each zone, and is
 * independent of all lists and counters; and
 *
 *  T1	the boot's account (account.c) adds up, and what it calls managed is what
 *	the zones have
 */
#include "plan.h"
#include "rcu.h"
#include "vm_ops.h"

#include <kmem/report.h>

/* Pages in blocks, by the type of the block: enum kmem_page_type. */
struct page_count {
	size_t pages[PAGE_SLAB + 1];
};

/* Pages to step over; counted, if they belong to a block of zone z. */
static uintptr_t step(const struct zone *z, const struct page *p,
		      uintptr_t pfn, struct page_count *n, struct check *c)
{
	if (page_type(p) == PAGE_TAIL || p->zone != z->id)
		return 1;
	if (page_type(p) < PAGE_SLAB && p->refs)
		check_violated(c, "P2: zone %u: pfn 0x%lx of type %u has %zu "
			       "holders more", z->id, (unsigned long)pfn,
			       p->type, (size_t)p->refs);
	if (page_type(p) > PAGE_SLAB)	/* held, or on its way back */
		n->pages[PAGE_ALLOCATED] += (size_t)1 << p->order;
	else
		n->pages[page_type(p)] += (size_t)1 << p->order;
	return (uintptr_t)1 << p->order;
}

static void count_blocks(const struct zone *z, struct page_count *n,
			 struct check *c)
{
	for (uintptr_t pfn = z->start_pfn; pfn < z->end_pfn; ) {
		const struct page *p = pfn_to_page(pfn);

		if (pfn == z->late_pfn && pfn < z->late_end) {
			n->pages[PAGE_FREE] += z->late_end - pfn;
			pfn = z->late_end;
			continue;
		}
		if (!p)		/* a hole: on to the next section */
			pfn = (pfn | kmem_page_map.page_mask) + 1;
		else
			pfn += step(z, p, pfn, n, c);
	}
}

static void zone_check_blocks(struct zone *z, struct check *c,
			      struct page_count *all)
{
	struct page_count n = { { 0 } };
	size_t pages = 0;

	count_blocks(z, &n, c);
	for (unsigned t = 0; t < KMEM_ARRAY_SIZE(n.pages); t++) {
		pages += n.pages[t];
		all->pages[t] += n.pages[t];
	}
	if (pages != z->managed)
		check_violated(c, "A1: zone %u: its blocks have %zu pages, "
			       "%zu are managed", z->id, pages, z->managed);
}

static void account_check(struct check *c)
{
	const struct kmem_boot_info *info = kmem_boot_info();
	kmem_phys_t managed = 0;

	for (unsigned i = 0; i < KMEM_ARRAY_SIZE(zones.zone); i++)
		if (zones.zone[i])
			managed += zones.zone[i]->managed;
	if (managed << KMEM_PAGE_SHIFT != info->managed ||
	    managed != zones.managed || !info_adds_up(info))
		check_violated(c, "T1: usable %llu, managed %llu (zones: %llu "
			       "pages), held %llu",
			       (unsigned long long)info->usable,
			       (unsigned long long)info->managed,
			       (unsigned long long)managed,
			       (unsigned long long)info->held);
}

static void check_usage(const struct page_count *n, struct check *c)
{
	size_t taken = n->pages[PAGE_ALLOCATED] + n->pages[PAGE_KMALLOC];
	struct kmem_usage u;

	kmem_usage(&u);
	if (n->pages[PAGE_FREE] != u.free ||
	    n->pages[PAGE_CACHED] != u.cached ||
	    n->pages[PAGE_SLAB] != u.slabs + u.metadata ||
	    taken != u.allocated)
		check_violated(c, "A2: pages are %zu free, %zu cached, %zu of "
			       "slabs, %zu allocated; the accounts say %zu, "
			       "%zu, %zu, %zu", n->pages[PAGE_FREE],
			       n->pages[PAGE_CACHED], n->pages[PAGE_SLAB],
			       taken, u.free, u.cached, u.slabs + u.metadata,
			       u.allocated);
}

/* Each module has added what it saw. */
static void check_sums(struct check *c)
{
	if (zones.empty_pages != c->empty_pages ||
	    zones.depot_bytes != c->depot_bytes)
		check_violated(c, "A3: %zu pages of empty slabs, %zu bytes for "
			       "depots; the sums say %zu, %zu", c->empty_pages,
			       c->depot_bytes, zones.empty_pages,
			       zones.depot_bytes);
}

size_t kmem_check_all(kmem_out_fn out, void *ctx)
{
	struct check c = { .out = out, .ctx = ctx };
	struct page_count n = { { 0 } };

	zones_do_all_later();
	for (unsigned i = 0; i < KMEM_ARRAY_SIZE(zones.zone); i++) {
		struct zone *z = zones.zone[i];

		if (!z)
			continue;
		zone_check(z, &c);
		page_layers_check(z, &c);
		zone_check_blocks(z, &c, &n);
	}
	if (zones.nr_nodes) {
		account_check(&c);
		slots_check(&c);
		magazines_check(&c);
		caches_check(&c);
		check_usage(&n, &c);
		if (MAGAZINES)
			check_sums(&c);
		if (KMEM_DEFERRED)
			rcu_check(&c);
	}
	if (vm_range.ops)
		vm_range.ops->check(&c);
	return c.violations;
}
