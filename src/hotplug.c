/* SPDX-License-Identifier: MIT */
/*
 * hotplug.c - memory that comes after kmem_init(), and memory that goes.
 *
 *	map: USABLE beyond early_end,		      gap in the map
 *	     LATER, RESERVED			     ┌───────┴────────┐
 *	     │					     │ kmem_add_memory│
 *	     │ kmem_release_type, _region	     ▼		      │
 *	     └───────────────────────────────────► managed	      │
 *						     │ kmem_remove_memory
 *						     ▼		      │
 *						    gone ─────────────┘
 *
 * What a page is, its descriptor's `zone` tells, and where that says nothing,
 * the map, which is never changed:
 *
 *	no descriptor	no memory, out of reach, or reserved
 *	PAGE_NO_ZONE	not kmem's: held back, reserved, a table's, or a gap
 *	a zone's id	managed
 *	PAGE_TABLE	holds descriptors of its own section
 *	PAGE_GONE	was managed, and has been taken away
 *
 * All but the first two are known without the map: so a page can't be given
 * twice, and what has gone comes back only by kmem_add_memory().
 *
 * Descriptors. All that the map calls usable, now or later, has them since
 * boot. Any other section (page.h), one that is reserved as a whole or was not
 * there, gets them at the start of what is given of it:
 *
 *	section ─►│ gap │ table │ pages of the zone	│ gap │
 *		        ▲ PAGE_TABLE
 *
 * They describe the section alone, so each can be taken away without the
 * others. Adding more of the section uses the same table, and the table goes
 * when nothing else of its section is left. The table of sections was made
 * large enough at boot, and an entry of it is written by one store: looking a
 * page up takes no lock. The pages are published after that, by the lock of
 * their zone.
 *
 * When a table goes, other CPUs may just be looking there: for the buddy of a
 * page next to it, or since they go over the descriptors of all pages. The rule
 * is that descriptors of pages that are not one's own are found and read with
 * a zone's lock held, any one's. So who may have found the table has finished
 * when all of these have been taken once, and who comes later finds none:
 *
 *	neighbours	buddy.c, mobility.c, contig.c
 *	all pages	cache_walk.c, nolock.c, the statistics (report.c)
 *	any address	alloc_contig_range(); not obj_info.c, which takes no
 *			lock: its caller answers for the page's being there
 *
 * A page that somebody owns, or a slab whose node is locked and that has
 * objects in use, can't be removed: their descriptors need no lock.
 *
 * Giving and taking go by blocks, with the zone's lock held for one at a time,
 * while other CPUs allocate and free. To remove a range is to take all of its
 * pages as if to allocate them; if one is not free, those taken are given back.
 *
 * The account (boot.info): of the bytes that are released, those that no
 * usable range covered are new; the others were held, or were the rest of a
 * page that only now is whole.
 *
 * Invariants: T1 (account.c) and A1 (check.c) hold after each call.
 *
 * Locks: `memory_lock` serialises these calls. It is taken by threads only,
 * with preemption off but interrupts on, because ranges are long; zones' and
 * depots' locks nest inside it.
 */
#include "bits.h"
#include "boot.h"

#include <kmem/trim.h>

static struct kmem_lock memory_lock;

static void memory_begin(void)
{
	kmem_arch_enter();
	lock_take(&memory_lock);
}

static void memory_end(void)
{
	lock_release(&memory_lock);
	kmem_arch_exit();
}

/* ---- ranges ---- */

/* The pages of an argument; all of them have an entry in the section table,
 * and the direct map reaches them. */
static int range_of(kmem_phys_t start, kmem_phys_t size, struct page_run *r)
{
	const struct kmem_page_map *m = &kmem_page_map;
	pfn_t limit;

	if (!boot.running || ((start | size) & (KMEM_PAGE_SIZE - 1)))
		return KMEM_EINVAL;
	limit = m->first_pfn + ((pfn_t)m->nr_sections <<
				(m->section_shift - KMEM_PAGE_SHIFT));
	limit = KMEM_MIN(limit, plan_reach(&boot.plan));
	r->pfn = start >> KMEM_PAGE_SHIFT;
	r->end = r->pfn + (size >> KMEM_PAGE_SHIFT);
	return size && (r->pfn < m->first_pfn || r->end > limit) ?
	       KMEM_EINVAL : KMEM_OK;
}

static kmem_phys_t range_bytes(const struct page_run *r)
{
	return (r->end - r->pfn) << KMEM_PAGE_SHIFT;
}

static kmem_phys_t range_start(const struct page_run *r)
{
	return r->pfn << KMEM_PAGE_SHIFT;
}

static kmem_phys_t range_last(const struct page_run *r)
{
	return range_start(r) + (range_bytes(r) - 1);
}

/* All bytes of the range are in the view; some are. */
static bool range_within(enum view view, const struct page_run *r)
{
	struct run run;

	return next_run(view, range_start(r), &run) &&
	       run.start == range_start(r) && run.last >= range_last(r);
}

static bool range_touches(enum view view, const struct page_run *r)
{
	struct run run;

	return next_run(view, range_start(r), &run) &&
	       run.start <= range_last(r);
}

/* ---- what pages are ---- */

#define NO_DESCRIPTOR	(UINT8_MAX + 1u)

static unsigned page_state(pfn_t pfn)
{
	const struct page *p = pfn_to_page((uintptr_t)pfn);

	return p ? p->zone : NO_DESCRIPTOR;
}

static bool is_managed(unsigned state)
{
	return state != PAGE_NO_ZONE && state < PAGE_TABLE;
}

/* Pages from pfn on, before end, that are all the same; run->pfn == end: there
 * are no more. */
static unsigned next_state(pfn_t pfn, pfn_t end, struct page_run *run)
{
	unsigned state = pfn < end ? page_state(pfn) : NO_DESCRIPTOR;
	pfn_t mask = kmem_page_map.page_mask;

	run->pfn = pfn;
	while (pfn < end && page_state(pfn) == state)
		pfn = state == NO_DESCRIPTOR ? (pfn | mask) + 1 : pfn + 1;
	run->end = KMEM_MIN(pfn, end);
	return state;
}

#define for_each_state(range, run, state) \
	for ((state) = next_state((range)->pfn, (range)->end, &(run)); \
	     (run).pfn < (range)->end; \
	     (state) = next_state((run).end, (range)->end, &(run)))

/* Of pages that are in no block. Nobody else writes there; their neighbours'
 * users look at `type`, which is PAGE_TAIL and stays so, and who goes over all
 * pages at `zone`. */
static void set_zone(const struct page_run *r, unsigned zone)
{
	for (pfn_t pfn = r->pfn; pfn < r->end; pfn++) {
		struct page *p = pfn_to_page((uintptr_t)pfn);

		kmem_store_relaxed(&p->pfn, (uintptr_t)pfn);
		kmem_store_relaxed(&p->zone, (uint8_t)zone);
	}
}

/* ---- sections with descriptors of their own ---- */

static size_t section_pages(void)
{
	return (size_t)kmem_page_map.page_mask + 1;
}

/* How many hold its descriptors. */
static size_t table_pages(void)
{
	return (section_pages() * sizeof(struct page) + KMEM_PAGE_SIZE - 1) >>
	       KMEM_PAGE_SHIFT;
}

/* The entry of the section that a page is in. */
static struct page **section_of(pfn_t pfn)
{
	const struct kmem_page_map *m = &kmem_page_map;

	return &m->section[(uintptr_t)(pfn - m->first_pfn) >>
			   (m->section_shift - KMEM_PAGE_SHIFT)];
}

/* The part of r that lies in one section, from pfn on. */
static struct page_run section_part(const struct page_run *r, pfn_t pfn)
{
	pfn_t end = (pfn | kmem_page_map.page_mask) + 1;

	return (struct page_run){ pfn, KMEM_MIN(end, r->end) };
}

#define for_each_part(range, part) \
	for ((part) = section_part(range, (range)->pfn); \
	     (part).pfn < (range)->end; \
	     (part) = section_part(range, (part).end))

/* Where descriptors are missing, there is room for them, and for a page. */
static bool tables_fit(const struct page_run *r)
{
	struct page_run part;

	for_each_part(r, part)
		if (!*section_of(part.pfn) &&
		    part.end - part.pfn <= table_pages())
			return false;
	return true;
}

/* Descriptors for the section that `part` begins in, at its start, and publish
 * them. */
static void make_table(struct page_run *part)
{
	pfn_t first = part->pfn & ~(pfn_t)kmem_page_map.page_mask;
	struct page *table = phys_to_virt(range_start(part));
	struct page_run pages = { part->pfn, part->pfn + table_pages() };

	memset(table, 0, (size_t)range_bytes(&pages));
	for (size_t i = 0; i < section_pages(); i++)
		table[i].pfn = (uintptr_t)first + i;
	kmem_store_release(section_of(first), table);
	set_zone(&pages, PAGE_TABLE);
	part->pfn = pages.end;
}

/* ---- giving ---- */

static void give(struct zone *z, const struct page_run *r)
{
	set_zone(r, z->id);
	zone_grow(z, (uintptr_t)r->pfn, (uintptr_t)r->end);
	zone_give_range(z, (uintptr_t)r->pfn, (uintptr_t)r->end);
}

/* What has no zone yet, to the zones of a node; KMEM_NO_NODE: as the map has
 * it. */
static void give_pieces(const struct page_run *r, int node)
{
	struct piece p;

	for (p.pfn = r->pfn; p.pfn < r->end; p.pfn = p.end) {
		p.end = r->end;
		piece_cut(&boot.plan, &p);
		give(&boot_node(node == KMEM_NO_NODE ? p.node :
			node)->zone[p.type],
		     &(struct page_run){ p.pfn, p.end });
	}
}

/* The same for pages of which some have no descriptors yet. The account knows
 * already that the bytes are usable. */
static void give_range_of(const struct page_run *r, int node)
{
	struct kmem_boot_info *info = &boot.plan.info;
	struct page_run part, pages;

	for_each_part(r, part) {
		pages = part;
		if (!*section_of(part.pfn))
			make_table(&pages);
		give_pieces(&pages, node);
		info->managed += range_bytes(&pages);
		info->metadata += range_bytes(&part) - range_bytes(&pages);
		info->descriptors += range_bytes(&part) - range_bytes(&pages);
	}
}

/* All that follows from how much memory there is. */
static void update(void)
{
	zones_update();
	for (unsigned i = 0; MAGAZINES && i < KMEM_ARRAY_SIZE(zones.zone); i++)
		if (zones.zone[i])
			page_layers_resize(zones.zone[i]);
}

/* ---- releasing ---- */

static void account_release(const struct page_run *r)
{
	struct kmem_boot_info *info = &boot.plan.info;
	kmem_phys_t held = page_bytes(VIEW_LATER, r->pfn, r->end) +
			   page_bytes(VIEW_STAGED, r->pfn, r->end);
	kmem_phys_t known = view_bytes(VIEW_USABLE, range_start(r),
				       range_last(r));

	info->usable += range_bytes(r) - known;
	info->held -= held;
	info->rounding -= known - held;
}

static void release(const struct page_run *r)
{
	account_release(r);
	give_range_of(r, KMEM_NO_NODE);
}

static bool nodes_exist(const struct page_run *r)
{
	struct piece p;

	for (p.pfn = r->pfn; p.pfn < r->end; p.pfn = p.end) {
		p.end = r->end;
		piece_cut(&boot.plan, &p);
		if (!boot_node(p.node))
			return false;
	}
	return true;
}

static int may_release(const struct page_run *r)
{
	struct page_run run;
	unsigned state;

	if (zones_late((uintptr_t)r->pfn, (uintptr_t)r->end))
		return KMEM_EBUSY;
	for_each_state(r, run, state)
		if (state != PAGE_NO_ZONE && state != NO_DESCRIPTOR)
			return is_managed(state) ? KMEM_EBUSY : KMEM_EINVAL;
	return range_within(VIEW_NAMED, r) && nodes_exist(r) &&
	       tables_fit(r) ? KMEM_OK : KMEM_EINVAL;
}

int kmem_release_region(kmem_phys_t start, kmem_phys_t size)
{
	struct page_run r;
	int err = range_of(start, size, &r);

	if (err || !size)
		return err;
	memory_begin();
	err = may_release(&r);
	if (!err) {
		release(&r);
		update();
	}
	memory_end();
	return err;
}

int kmem_release_type(enum kmem_region_type type, kmem_phys_t end)
{
	enum view view = type == KMEM_REGION_LATER ? VIEW_LATER : VIEW_STAGED;
	pfn_t limit = end ? end >> KMEM_PAGE_SHIFT : ~(pfn_t)0;
	struct page_run run;
	unsigned state;
	struct piece p;

	if (!boot.running || (type != KMEM_REGION_LATER &&
			      type != KMEM_REGION_USABLE))
		return KMEM_EINVAL;
	memory_begin();
	for_each_piece(&boot.plan, view, p) {
		if (p.pfn >= limit)
			break;
		p.end = KMEM_MIN(p.end, limit);
		for_each_state(&p, run, state)
			if (state == PAGE_NO_ZONE)
				release(&run);
	}
	update();
	memory_end();
	return KMEM_OK;
}

/* ---- adding ---- */

static int may_add(const struct page_run *r)
{
	struct page_run run;
	unsigned state;

	if (zones_late((uintptr_t)r->pfn, (uintptr_t)r->end))
		return KMEM_EBUSY;
	for_each_state(r, run, state)
		if (state != PAGE_GONE &&
		    ((state != PAGE_NO_ZONE && state != NO_DESCRIPTOR) ||
		     range_touches(VIEW_MEMORY, &run)))
			return KMEM_EBUSY;
	return tables_fit(r) ? KMEM_OK : KMEM_EINVAL;
}

int kmem_add_memory(kmem_phys_t start, kmem_phys_t size, int node)
{
	kmem_phys_t unused;
	struct page_run r;
	int err = range_of(start, size, &r);

	if (err || !size)
		return err;
	if (node == KMEM_NO_NODE)
		node = region_node(start, &unused);
	if (node < 0 || !boot_node(node))
		return KMEM_EINVAL;
	memory_begin();
	err = may_add(&r);
	if (!err) {
		boot.plan.info.usable += size;
		give_range_of(&r, node);
		update();
	}
	memory_end();
	return err;
}

/* ---- removing ---- */

/* The pages of a section that hold its own descriptors, if there are any: of
 * a page that has a descriptor. */
static bool own_table(pfn_t pfn, struct page_run *table)
{
	table->pfn = virt_to_phys(*section_of(pfn)) >> KMEM_PAGE_SHIFT;
	table->end = table->pfn + table_pages();
	return page_state(table->pfn) == PAGE_TABLE;
}

/* The table may go with r, or stay: it is not cut, and it describes nothing
 * else that is managed. */
static bool table_spared(const struct page_run *r, const struct page_run *table)
{
	pfn_t mask = kmem_page_map.page_mask, first = table->pfn & ~mask;
	struct page_run section = { first, first + mask + 1 }, run;
	unsigned state;

	if (table->end <= r->pfn || table->pfn >= r->end)
		return true;
	if (table->pfn < r->pfn || table->end > r->end)
		return false;
	for_each_state(&section, run, state)
		if (is_managed(state) &&
		    (run.pfn < r->pfn || run.end > r->end))
			return false;
	return true;
}

static int may_remove(const struct page_run *r)
{
	struct page_run run, table;
	unsigned state;

	zones_describe((uintptr_t)r->pfn, (uintptr_t)r->end);
	for_each_state(r, run, state)
		if (!is_managed(state) && state != PAGE_TABLE)
			return KMEM_EINVAL;
	for_each_part(r, run)
		if (own_table(run.pfn, &table) && !table_spared(r, &table))
			return KMEM_EBUSY;
	return KMEM_OK;
}

/* Give back what was taken. */
static void untake(pfn_t pfn, pfn_t end)
{
	struct page_run r = { pfn, end }, run;
	unsigned state;

	for_each_state(&r, run, state)
		if (is_managed(state))
			zone_give_range(zones.zone[state], (uintptr_t)run.pfn,
					(uintptr_t)run.end);
}

static int take(const struct page_run *r)
{
	struct page_run run;
	unsigned state;
	pfn_t taken;

	for_each_state(r, run, state) {
		if (!is_managed(state))
			continue;
		taken = zone_take_range(zones.zone[state], (uintptr_t)run.pfn,
					(uintptr_t)run.end);
		if (taken < run.end) {
			untake(r->pfn, taken);
			return KMEM_EBUSY;
		}
	}
	return KMEM_OK;
}

/* All of r is taken: forget it, and the tables in it. */
static void forget_range(const struct page_run *r)
{
	struct kmem_boot_info *info = &boot.plan.info;
	struct page_run run, table;
	unsigned state;

	for_each_state(r, run, state) {
		kmem_phys_t bytes = range_bytes(&run);

		info->usable -= bytes;
		if (is_managed(state)) {
			zone_shrink(zones.zone[state], (uintptr_t)run.pfn,
				    (uintptr_t)run.end);
			info->managed -= bytes;
			set_zone(&run, PAGE_GONE);
		} else {
			info->metadata -= bytes;
			info->descriptors -= bytes;
		}
	}
	for_each_part(r, run)
		if (own_table(run.pfn, &table) && table.pfn >= r->pfn &&
		    table.end <= r->end)
			kmem_store_release(section_of(run.pfn), NULL);
	zones_wait();
}

int kmem_remove_memory(kmem_phys_t start, kmem_phys_t size)
{
	struct page_run r;
	int err = range_of(start, size, &r);

	if (err || !size)
		return err;
	kmem_trim(KMEM_DRAIN_CPU);
	memory_begin();
	err = may_remove(&r);
	if (!err)
		err = take(&r);
	if (!err) {
		forget_range(&r);
		update();
	}
	memory_end();
	return err;
}
