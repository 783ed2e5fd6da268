/* SPDX-License-Identifier: MIT */
/*
 * plan.h - where kmem's tables go, decided before any memory is touched.
 *
 * Theory in plan.c.
 */
#ifndef KMEM_PLAN_H
#define KMEM_PLAN_H

#include "kmalloc.h"
#include "regions.h"

/* Sections are of 2^KMEM_SECTION_MIN_ORDER .. 2^SECTION_MAX_ORDER pages; their
 * bytes must be a number, too, on 32-bit machines. */
#define ADDRESS_BITS		((int)sizeof(uintptr_t) * __CHAR_BIT__)
#define SECTION_MAX_ORDER	KMEM_MIN(18, ADDRESS_BITS - 1 - KMEM_PAGE_SHIFT)

struct plan {
	struct kmem_params params;	/* with defaults filled in */
	struct kmem_boot_info info;
	unsigned section_order;
	pfn_t first_section;		/* its number; 0 of the table */
	pfn_t nr_sections;
	struct region *table;		/* BOOT range of the section table */
	struct region *cpus;		/* of the table of CPUs' nodes */
};

/*
 * Plan with these parameters. On success the BOOT ranges are in the map; on
 * failure the map is as before, and the log has the reason.
 *
 * Return: as kmem_init().
 */
int plan_make(struct plan *plan, const struct kmem_params *params,
	      unsigned nr_regions);

/* KMEM_ENOMEM, after a line that says what was found and what was needed. */
int plan_refuse(const struct plan *plan, const char *what, kmem_phys_t bytes);

/* Bytes of what a node needs beside its descriptors: struct node, then the
 * per-CPU layers of its zones. */
size_t node_block_bytes(unsigned nr_cpus);

/* Pages that lie on one node and in one zone. */
struct piece {
	pfn_t pfn, end;
	int node;
	enum zone_type type;
};

/* The first piece at or above page `at`, of pages in the view. */
bool next_piece(const struct plan *plan, enum view view, pfn_t at,
		struct piece *p);

#define for_each_piece(plan, view, p) \
	for (pfn_t at_ = 0; next_piece(plan, view, at_, &(p)); at_ = (p).end)

/* Of any pages [p->pfn, p->end): end them where the node or the zone changes,
 * and say which these are. */
void piece_cut(const struct plan *plan, struct piece *p);

/* The first page that the direct map does not reach. */
pfn_t plan_reach(const struct plan *plan);

/* Bytes of whole pages in the view that lie in [pfn, end). */
kmem_phys_t page_bytes(enum view view, pfn_t pfn, pfn_t end);

/* What the map has, before any table is placed; and, when all are, where it
 * went. */
void account_usable(struct kmem_boot_info *info);
void account_rest(struct plan *plan);

/* The account's identity (account.c: T1). */
bool info_adds_up(const struct kmem_boot_info *info);

#endif /* KMEM_PLAN_H */
