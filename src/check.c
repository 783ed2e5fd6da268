/* SPDX-License-Identifier: MIT */
/*
 * check.c - kmem_check_all(): every structure, every numbered invariant.
 *
 * Each module verifies its own; what only the whole can say is here:
 *
 *  A1	every managed page of a zone is in exactly one block: free, cached,
 *	allocated or of a slab; so the pages of the blocks add up to `managed`
 *
 * which is found by stepping from head to head through each zone, and is
 * independent of all lists and counters; and
 *
 *  T1	the boot's account (account.c) adds up, and what it calls managed is what
 *	the zones have
 */
#include "plan.h"
#include "vm_ops.h"

#include <kmem/report.h>

/* Pages to step over, and how many of them belong to a block of zone z. */
static uintptr_t step(const struct zone *z, uintptr_t pfn, size_t *pages)
{
	const struct page *p = pfn_to_page(pfn);

	if (!p || page_type(p) == PAGE_TAIL || p->zone != z->id)
		return 1;
	*pages += (size_t)1 << p->order;
	return (uintptr_t)1 << p->order;
}

static void zone_check_blocks(struct zone *z, struct check *c)
{
	size_t pages = 0;

	for (uintptr_t pfn = z->start_pfn; pfn < z->end_pfn; ) {
		if (pfn == z->late_pfn && pfn < z->late_end) {
			pages += z->late_end - pfn;
			pfn = z->late_end;
			continue;
		}
		if (!pfn_to_page(pfn))	/* a hole: on to the next section */
			pfn = (pfn | kmem_page_map.page_mask) + 1;
		else
			pfn += step(z, pfn, &pages);
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

size_t kmem_check_all(kmem_out_fn out, void *ctx)
{
	struct check c = { out, ctx, 0 };

	for (unsigned i = 0; i < KMEM_ARRAY_SIZE(zones.zone); i++) {
		struct zone *z = zones.zone[i];

		if (!z)
			continue;
		zone_check(z, &c);
		page_layers_check(z, &c);
		zone_check_blocks(z, &c);
	}
	if (zones.nr_nodes) {
		account_check(&c);
		slots_check(&c);
		magazines_check(&c);
		caches_check(&c);
	}
	if (vm_range.ops)
		vm_range.ops->check(&c);
	return c.violations;
}
