/* SPDX-License-Identifier: MIT */
/*
 * zone_range.c - memory that comes to a zone and goes from it, by address: at
 * boot, when it is plugged in or out, or as one long range (contig.c).
 *
 * Ranges are given and taken a block at a time, the lock held for each alone:
 * so however long they are, nobody waits for long. What a range is made of is
 * its blocks, the largest that fit; they merge with their neighbours.
 *
 * Locks: each zone's. Cost: O(pages / 2^KMEM_MAX_ORDER + KMEM_MAX_ORDER) blocks
 * for a range.
 */
#include "zone.h"

void zone_grow(struct zone *z, uintptr_t pfn, uintptr_t end)
{
	if (!z->managed || pfn < z->start_pfn)
		kmem_store_relaxed(&z->start_pfn, pfn);
	if (!z->managed || end > z->end_pfn)
		kmem_store_relaxed(&z->end_pfn, end);
	kmem_store_relaxed(&z->managed, z->managed + (end - pfn));
	if (!zones.zone[z->id])
		kmem_store_relaxed(&zones.zone[z->id], z);
}

void zone_shrink(struct zone *z, uintptr_t pfn, uintptr_t end)
{
	uintptr_t irq = lock_irq(&z->lock);

	if (KMEM_MOBILITY)
		mobility_forget(&z->buddy, pfn, end);
	unlock_irq(&z->lock, irq);
	kmem_store_relaxed(&z->managed, z->managed - (end - pfn));
}

void zone_give_range(struct zone *z, uintptr_t pfn, uintptr_t end)
{
	while (pfn < end) {
		unsigned order = block_order(pfn, end);
		uintptr_t irq = lock_irq(&z->lock);

		buddy_give(&z->buddy, pfn_to_page(pfn), order);
		unlock_irq(&z->lock, irq);
		pfn += (uintptr_t)1 << order;
	}
}

/* Whether late pages of z are in [pfn, end); if so, and if asked to, describe
 * the first few of them. */
static bool zone_late(struct zone *z, uintptr_t pfn, uintptr_t end,
		      bool describe)
{
	uintptr_t irq = lock_irq(&z->lock);
	bool late = z->late_pfn < z->late_end && pfn < z->late_end &&
		    end > z->late_pfn;

	if (late && describe)
		zone_extend(z);
	unlock_irq(&z->lock, irq);
	return late;
}

bool zones_late(uintptr_t pfn, uintptr_t end)
{
	for (unsigned i = 0; i < KMEM_ARRAY_SIZE(zones.zone); i++)
		if (zone_by_id(i) && zone_late(zone_by_id(i), pfn, end, false))
			return true;
	return false;
}

void zones_describe(uintptr_t pfn, uintptr_t end)
{
	for (unsigned i = 0; i < KMEM_ARRAY_SIZE(zones.zone); i++)
		while (zone_by_id(i) &&
		       zone_late(zone_by_id(i), pfn, end, true))
			;
}

void zones_wait(void)
{
	for (unsigned i = 0; i < KMEM_ARRAY_SIZE(zones.zone); i++) {
		struct zone *z = zone_by_id(i);
		uintptr_t irq;

		if (!z)
			continue;
		irq = lock_irq(&z->lock);
		unlock_irq(&z->lock, irq);
	}
}

uintptr_t zone_take_range(struct zone *z, uintptr_t pfn, uintptr_t end)
{
	uintptr_t taken;

	do {
		uintptr_t irq = lock_irq(&z->lock);

		taken = buddy_carve(&z->buddy, pfn, end);
		unlock_irq(&z->lock, irq);
		pfn += taken;
	} while (taken && pfn < end);
	return pfn;
}
