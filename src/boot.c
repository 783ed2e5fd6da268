/* SPDX-License-Identifier: MIT */
/*
 * boot.c - from the map to a running allocator.
 *
 *	kmem_add_region, kmem_reserve	the map (regions.c)
 *	kmem_boot_alloc			takes from it
 *	kmem_init
 *	  │ plan (plan.c): a place for each table; nothing is touched
 *	  │ write the tables: sections, nodes, descriptors
 *	  │ give what is left to the zones, in the largest blocks that fit
 *	  │ watermarks, fallback orders, per-CPU layers of pages
 *	  ▼ caches, kmalloc
 *	running				memory comes and goes: hotplug.c
 *
 * A *piece* is a run of whole free pages that lie on one node and in one zone
 * (plan.h). Pieces are what descriptors are initialised by and zones are
 * filled from.
 *
 * Cost: one write of each descriptor, one buddy_give for each block of the
 * highest order and a few for the ends of each piece, and the plan (plan.c).
 */
#include "bits.h"
#include "boot.h"
#include "nolock.h"
#include "rcu.h"
#include "vm_ops.h"

#include <kmem/trim.h>

struct boot boot;

/* ---- the map ---- */

static int map_full(void)
{
	kmem_log("kmem: boot: more than %d ranges: raise KMEM_MAX_REGIONS",
		 KMEM_MAX_REGIONS);
	return KMEM_ENOSPC;
}

int kmem_add_region(kmem_phys_t start, kmem_phys_t size,
		    enum kmem_region_type type, int node)
{
	if (boot.running)
		return KMEM_EBUSY;
	if ((unsigned)type > KMEM_REGION_NODE || node < KMEM_NO_NODE ||
	    node >= KMEM_MAX_NODES ||
	    (type == KMEM_REGION_NODE && node == KMEM_NO_NODE))
		return KMEM_EINVAL;
	if (!size)
		return KMEM_OK;
	if (start + (size - 1) < start)
		return KMEM_EINVAL;
	if (!region_add(start, size, type, node))
		return map_full();
	boot.nr_given++;
	return KMEM_OK;
}

int kmem_reserve(kmem_phys_t start, kmem_phys_t size)
{
	return kmem_add_region(start, size, KMEM_REGION_RESERVED,
			       KMEM_NO_NODE);
}

kmem_phys_t kmem_boot_alloc(kmem_phys_t size, kmem_phys_t align,
			    kmem_phys_t end)
{
	struct region *r;

	if (boot.running || !size || !is_power_of_two(align))
		return 0;
	r = region_take(size, align, end, KMEM_NO_NODE);
	return r ? r->start : 0;
}

int kmem_boot_plan(const struct kmem_params *params,
		   struct kmem_boot_info *info)
{
	struct plan trial;
	unsigned nr = regions.nr;
	int err;

	memset(info, 0, sizeof(*info));
	if (boot.running)
		return KMEM_EBUSY;
	if (!params)
		return KMEM_EINVAL;
	err = plan_make(&trial, params, boot.nr_given);
	*info = trial.info;
	regions.nr = nr;
	return err;
}

/* ---- writing the tables ---- */

static void *table_at(const struct region *r)
{
	return (void *)(uintptr_t)(r->start + boot.plan.params.virt_offset);
}

/* The largest block of descriptors is what virt_to_page() tries first. */
static void choose_main_range(const struct region *r)
{
	struct kmem_page_map *m = &kmem_page_map;
	uintptr_t bytes = (uintptr_t)r->nr_sections << m->section_shift;
	uintptr_t base = m->base +
			 ((uintptr_t)r->first_section << m->section_shift);

	/* Arithmetic on addresses holds up to the end of them only. */
	if (bytes >> KMEM_PAGE_SHIFT <= m->main_nr || base + (bytes - 1) < base)
		return;
	m->main_nr = bytes >> KMEM_PAGE_SHIFT;
	m->main_base = base;
	m->main_pages = table_at(r);
	m->main_pfn = m->first_pfn + ((base - m->base) >> KMEM_PAGE_SHIFT);
}

static void write_section_table(void)
{
	struct kmem_page_map *m = &kmem_page_map;
	const struct plan *plan = &boot.plan;
	unsigned shift = plan->section_order + KMEM_PAGE_SHIFT;
	kmem_phys_t base = plan->first_section << shift;

	m->section = table_at(plan->table);
	memset(m->section, 0,
	       (size_t)plan->nr_sections * sizeof(m->section[0]));
	m->virt_offset = plan->params.virt_offset;
	m->base = (uintptr_t)(base + m->virt_offset);
	m->first_pfn = (uintptr_t)(base >> KMEM_PAGE_SHIFT);
	m->nr_sections = (uintptr_t)plan->nr_sections;
	m->section_shift = shift;
	m->page_mask = ((uintptr_t)1 << plan->section_order) - 1;
	for (unsigned i = 0; i < regions.nr; i++) {
		const struct region *r = &regions.r[i];
		struct page *pages = table_at(r);

		choose_main_range(r);
		for (uint32_t s = 0; s < r->nr_sections; s++)
			m->section[r->first_section + s] =
				pages + ((size_t)s << plan->section_order);
	}
}

/* Descriptors of [pfn, end), where sections exist. */
static void init_descriptors(pfn_t pfn, pfn_t end, unsigned zone)
{
	struct page *p = NULL;

	for (; pfn < end; pfn++) {
		if (!p || !(pfn & kmem_page_map.page_mask))
			p = pfn_to_page((uintptr_t)pfn);
		if (!p) {		/* no section: on to the next */
			pfn |= kmem_page_map.page_mask;
			continue;
		}
		memset(p, 0, sizeof(*p));
		p->pfn = (uintptr_t)pfn;
		p->zone = (uint8_t)zone;
		p++;
	}
}

struct node *boot_node(int id)
{
	for (unsigned i = 0; i < zones.nr_nodes; i++)
		if (zones.node[i]->id == id)
			return zones.node[i];
	return NULL;
}

static struct zone *piece_zone(const struct piece *p)
{
	return &boot_node(p->node)->zone[p->type];
}

static void write_nodes(void)
{
	const struct kmem_params *params = &boot.plan.params;

	zones.nr_cpus = params->nr_cpus;
	zones.dma32 = params->dma32_end ? ZONE_DMA32 : ZONE_NORMAL;
	zones.dma = params->dma_end ? ZONE_DMA : zones.dma32;
	for (int id = 0; id < KMEM_MAX_NODES; id++)
		for (unsigned i = 0; i < regions.nr; i++) {
			struct region *r = &regions.r[i];

			if (r->type != KMEM_REGION_BOOT || r->node != id)
				continue;
			memset(table_at(r), 0, node_block_bytes(zones.nr_cpus));
			node_init(table_at(r), id, zones.nr_nodes++);
		}
	zones.cpu_node = table_at(boot.plan.cpus);
	for (unsigned cpu = 0; cpu < zones.nr_cpus; cpu++) {
		int id = kmem_hooks.cpu_node ?
			 kmem_hooks.cpu_node(kmem_hooks.ctx, cpu) : 0;
		struct node *n = boot_node(id);

		zones.cpu_node[cpu] = (uint8_t)(n ? n->index : 0);
	}
}

/* All descriptors: those of pieces, and those between them. */
static void write_descriptors(void)
{
	const struct plan *plan = &boot.plan;
	pfn_t pfn = kmem_page_map.first_pfn;
	pfn_t end = pfn + (plan->nr_sections << plan->section_order);
	struct piece p;

	if (LATE_PAGES && plan->params.zeroed)	/* see zone_extend() */
		return;
	for_each_piece(plan, VIEW_FREE, p) {
		init_descriptors(pfn, p.pfn, PAGE_NO_ZONE);
		init_descriptors(p.pfn, p.end, piece_zone(&p)->id);
		pfn = p.end;
	}
	init_descriptors(pfn, end, PAGE_NO_ZONE);
}

/* With zeroed memory, the longest piece of each zone is described later. */
static void choose_late_pieces(void)
{
	struct piece p;

	for_each_piece(&boot.plan, VIEW_FREE, p) {
		struct zone *z = piece_zone(&p);

		if (p.end - p.pfn > z->late_end - z->late_pfn) {
			z->late_pfn = (uintptr_t)p.pfn;
			z->late_end = (uintptr_t)p.end;
		}
	}
}

static void fill_zones(void)
{
	struct piece p;

	if (LATE_PAGES && boot.plan.params.zeroed)
		choose_late_pieces();
	for_each_piece(&boot.plan, VIEW_FREE, p) {
		struct zone *z = piece_zone(&p);
		uintptr_t pfn = (uintptr_t)p.pfn, end = (uintptr_t)p.end;

		zone_grow(z, pfn, end);
		if (z->late_end > z->late_pfn && pfn == z->late_pfn)
			continue;
		if (LATE_PAGES && boot.plan.params.zeroed)
			init_descriptors(pfn, end, z->id);
		zone_give_range(z, pfn, end);
	}
}

static void init_layers(void)
{
	for (unsigned i = 0; i < zones.nr_nodes; i++) {
		struct node *n = zones.node[i];
		char *mem = (char *)(n + 1);

		for (unsigned t = 0; t < NR_ZONE_TYPES; t++) {
			page_layers_init(&n->zone[t], mem);
			mem += PAGE_LAYERS_BYTES(zones.nr_cpus);
		}
	}
}

static void log_accounting(const struct kmem_boot_info *info)
{
	kmem_log("kmem: boot: usable %llu bytes = managed %llu + held %llu + "
		 "metadata %llu + rounding %llu + unreachable %llu; %llu "
		 "usable pages in %u runs, %u nodes",
		 (unsigned long long)info->usable,
		 (unsigned long long)info->managed,
		 (unsigned long long)info->held,
		 (unsigned long long)info->metadata,
		 (unsigned long long)info->rounding,
		 (unsigned long long)info->unreachable,
		 (unsigned long long)info->usable_pages, info->usable_runs,
		 info->nr_nodes);
}

/* All that was built from the map, but not the map. */
static void forget(void)
{
	memset(&zones, 0, sizeof(zones));
	memset(&kmem_page_map, 0, sizeof(kmem_page_map));
	kmalloc_forget();
	if (KMEM_DEFERRED) {
		nolock_forget();
		rcu_forget();
		grace_forget();
	}
}

int kmem_init(const struct kmem_params *params)
{
	unsigned nr = regions.nr;
	int err;

	if (boot.running)
		return KMEM_EBUSY;
	if (!params)
		return KMEM_EINVAL;
	err = plan_make(&boot.plan, params, boot.nr_given);
	if (err)
		return err;
	kmem_hooks.in_atomic = NULL;	/* now, everything is */
	write_section_table();
	write_nodes();
	write_descriptors();
	fill_zones();
	zones_order();
	zones.mix_mobility = boot.plan.params.mix_mobility;
	zones_update();
	if (KMEM_HARDEN)
		guard_bootstrap(params->secret);
	if (MAGAZINES)
		init_layers();
	kmem_cache_bootstrap(params->merge_caches);
	if (!kmalloc_bootstrap()) {
		forget();
		regions.nr = nr;
		return plan_refuse(&boot.plan, "too little memory for the caches",
				   0);
	}
	if (MAGAZINES)		/* how the count of free pages begins */
		kmem_trim(KMEM_DRAIN);
	boot.running = true;
	if (params->hooks)
		kmem_hooks.in_atomic = params->hooks->in_atomic;
	log_accounting(&boot.plan.info);
	return KMEM_OK;
}

const struct kmem_boot_info *kmem_boot_info(void)
{
	return &boot.plan.info;
}

void kmem_reset(void)
{
	static const struct kmem_hooks none;

	kmem_hooks = none;
	memset(&vm_range, 0, sizeof(vm_range));
	memset(&boot, 0, sizeof(boot));
	forget();
	regions.nr = 0;
}
