/* SPDX-License-Identifier: MIT */
/*
 * account.c - where every byte of the map went.
 *
 * All is counted from the map (regions.c), with what the plan has entered:
 *
 *	usable		bytes of VIEW_USABLE
 *	metadata	of them, what BOOT ranges cover
 *	managed		whole pages of VIEW_FREE		} below the
 *	held		whole pages of VIEW_LATER, VIEW_STAGED	} direct map's
 *	unreachable	the same pages beyond			} end
 *	rounding	the rest of VIEW_LEFT, and the page at NULL
 *
 * Invariant, to the byte, verified for each plan and by kmem_check_all():
 *
 *  T1	usable == managed + held + metadata + rounding + unreachable
 *
 * What is released, added and removed later is booked by hotplug.c.
 */
#include "bits.h"
#include "plan.h"

void account_usable(struct kmem_boot_info *info)
{
	struct page_run pages;

	info->usable = view_bytes(VIEW_USABLE, 0, ~(kmem_phys_t)0);
	info->usable_pages = 0;
	info->usable_runs = 0;
	for (pfn_t at = 0; next_page_run(VIEW_USABLE, at, &pages);
	     at = pages.end) {
		info->usable_pages += pages.end - pages.pfn;
		info->usable_runs++;
	}
}

kmem_phys_t page_bytes(enum view view, pfn_t pfn, pfn_t end)
{
	kmem_phys_t sum = 0;
	struct page_run run;

	while (next_page_run(view, pfn, &run) && run.pfn < end) {
		pfn = run.end;
		sum += (KMEM_MIN(run.end, end) - run.pfn) << KMEM_PAGE_SHIFT;
	}
	return sum;
}

static void count_pages(struct plan *plan)
{
	const pfn_t reach = plan_reach(plan), all = ~(pfn_t)0;
	struct kmem_boot_info *info = &plan->info;

	info->managed = page_bytes(VIEW_FREE, 0, reach);
	info->held = page_bytes(VIEW_LATER, 0, reach) +
		     page_bytes(VIEW_STAGED, 0, reach);
	info->unreachable = page_bytes(VIEW_FREE, reach, all) +
			    page_bytes(VIEW_LATER, reach, all) +
			    page_bytes(VIEW_STAGED, reach, all);
	info->rounding = view_bytes(VIEW_LEFT, 0, ~(kmem_phys_t)0) -
			 info->managed - info->held - info->unreachable;
}

bool info_adds_up(const struct kmem_boot_info *info)
{
	return info->usable == info->managed + info->held + info->metadata +
			       info->rounding + info->unreachable;
}

/* Usable bytes that entries of that type have taken. */
static kmem_phys_t taken_bytes(enum kmem_region_type type)
{
	kmem_phys_t sum = 0;

	for (unsigned i = 0; i < regions.nr; i++)
		if (regions.r[i].type == type)
			sum += view_bytes(VIEW_USABLE, regions.r[i].start,
					  regions.r[i].last);
	return sum;
}

/* Usable bytes of the page at NULL that are lost: not those of it that
 * kmem_boot_alloc() gave. */
static kmem_phys_t null_page_bytes(void)
{
	kmem_phys_t bytes = taken_bytes(REGION_NULL_PAGE);
	const struct region *hidden = NULL;

	for (unsigned i = 0; i < regions.nr; i++)
		if (regions.r[i].type == REGION_NULL_PAGE)
			hidden = &regions.r[i];
	if (KMEM_NEVER(!hidden))	/* hide_pages() has added it */
		return bytes;
	for (unsigned i = 0; i < regions.nr; i++) {
		const struct region *r = &regions.r[i];
		kmem_phys_t start = KMEM_MAX(r->start, hidden->start);
		kmem_phys_t last = KMEM_MIN(r->last, hidden->last);

		if (r->type == KMEM_REGION_BOOT && start <= last)
			bytes -= last - start + 1;
	}
	return bytes;
}

void account_rest(struct plan *plan)
{
	plan->info.metadata = taken_bytes(KMEM_REGION_BOOT);
	count_pages(plan);
	plan->info.rounding += null_page_bytes();
}
