/* SPDX-License-Identifier: MIT */
/*
 * plan.c - where kmem's tables go.
 *
 *	map (regions.c)
 *	  │ enter a KMEM_REGION_BOOT range for each table:
 *	  │	1. the section table, and	one block each, anywhere
 *	  │	   the table of CPUs' nodes
 *	  │	2. descriptors			a block a group of sections, on
 *	  │					the node whose memory it describes
 *	  │	3. node structures, with the	one block a node
 *	  │	   per-CPU layers of its zones
 *	  ▼ count where every byte went (account.c)
 *	plan
 *
 * Nothing here touches any memory but the map, so a map of any size can be
 * planned and accounted on any machine. The plan is the list of BOOT ranges
 * itself: a block of descriptors remembers which section it begins with, a
 * node's block which node it is for.
 *
 * Memory is divided into sections of 2^section_order pages (page.h). A section
 * that has any memory has descriptors for all of its pages: large sections
 * waste descriptors at the edges of memory, small ones make a long table where
 * there are wide holes. The order is the one that makes the sum smallest, and
 * of equals the largest, so that the table stays in the CPU's cache.
 *
 * Tables are placed from the top of memory downwards, which spares the low
 * zones, and one below the other, which leaves one piece.
 *
 * Memory that is held back (KMEM_REGION_LATER, params.early_end) gets
 * descriptors, and its node a structure, like any other, and no table is ever
 * placed in it. Up to params.hotplug_end the section table has room for memory
 * that does not exist yet (hotplug.c); sections are then so large that one
 * which holds its own descriptors still has whole blocks of the highest order.
 *
 * Cost: O(ranges^2) for each table and each section order tried: 0.03 s for
 * 500 ranges that adjoin, 0.5 s for 280 with gaps between them, at boot.
 */
#include "bits.h"
#include "plan.h"

/* ---- pieces ---- */

static pfn_t pfn_of(kmem_phys_t phys)
{
	return phys >> KMEM_PAGE_SHIFT;
}

/* The end of what can be used, as a page number. */
pfn_t plan_reach(const struct plan *plan)
{
	return pfn_of(plan->params.direct_map_end);
}

static enum zone_type zone_of(const struct plan *plan, pfn_t pfn,
			      pfn_t *end)
{
	pfn_t dma = pfn_of(plan->params.dma_end);
	pfn_t dma32 = pfn_of(plan->params.dma32_end);

	if (KMEM_ZONES == 1)
		return ZONE_NORMAL;
	if (pfn < dma) {
		*end = KMEM_MIN(*end, dma);
		return ZONE_DMA;
	}
	if (pfn < dma32) {
		*end = KMEM_MIN(*end, dma32);
		return ZONE_DMA32;
	}
	return ZONE_NORMAL;
}

/* End a run of pages where the node changes. A page is on the node of its first
 * byte. */
static void cut_at_node(pfn_t pfn, pfn_t *end, int *node)
{
	kmem_phys_t at = pfn << KMEM_PAGE_SHIFT, unused;
	kmem_phys_t last = ((*end - 1) << KMEM_PAGE_SHIFT) +
			   (KMEM_PAGE_SIZE - 1);

	*node = 0;
	if (KMEM_MAX_NODES == 1)
		return;
	*node = region_node(at, &unused);
	*end = pfn_of(node_until(at, last)) + 1;
}

void piece_cut(const struct plan *plan, struct piece *p)
{
	cut_at_node(p->pfn, &p->end, &p->node);
	p->type = zone_of(plan, p->pfn, &p->end);
}

bool next_piece(const struct plan *plan, enum view view, pfn_t at,
		struct piece *p)
{
	struct page_run run;

	if (!next_page_run(view, at, &run) || run.pfn >= plan_reach(plan))
		return false;
	p->pfn = run.pfn;
	p->end = KMEM_MIN(run.end, plan_reach(plan));
	piece_cut(plan, p);
	return true;
}

/*
 * A pointer of 32 bits tells no more than 4 GiB of physical memory apart: from
 * the lowest page on, up to the one whose address would be NULL again.
 */
static kmem_phys_t addresses_end(const struct plan *plan)
{
	kmem_phys_t null;
	struct run run;

	if (sizeof(uintptr_t) >= sizeof(kmem_phys_t) ||
	    !next_run(VIEW_USABLE, 0, &run))
		return ~(kmem_phys_t)0;
	null = 0 - plan->params.virt_offset;
	return run.start + 1 + (uintptr_t)(null - run.start - 1);
}

static kmem_phys_t zone_end(kmem_phys_t wanted, kmem_phys_t usual)
{
	if (KMEM_ZONES == 1 || wanted == KMEM_NO_ZONE)
		return 0;
	return wanted ? wanted : usual;
}

static void set_defaults(struct plan *plan, const struct kmem_params *params)
{
	struct kmem_params *p = &plan->params;
	static const struct kmem_hooks none;

	*p = *params;
	kmem_hooks = params->hooks ? *params->hooks : none;
	p->hooks = &kmem_hooks;
	p->nr_cpus = KMEM_MAX(p->nr_cpus, 1u);
	if (!p->direct_map_end)
		p->direct_map_end = ~(kmem_phys_t)0;
	p->direct_map_end = KMEM_MIN(p->direct_map_end, addresses_end(plan));
	if (!p->metadata_end || p->metadata_end > p->direct_map_end)
		p->metadata_end = p->direct_map_end;
	if (p->early_end)
		p->metadata_end = KMEM_MIN(p->metadata_end, p->early_end);
	p->hotplug_end = KMEM_MIN(p->hotplug_end, p->direct_map_end);
	p->dma_end = zone_end(p->dma_end, KMEM_ARCH_DMA_LIMIT);
	p->dma32_end = zone_end(p->dma32_end, KMEM_ARCH_DMA32_LIMIT);
}

static int check_params(const struct kmem_params *p)
{
	if (p->virt_offset & (KMEM_PAGE_SIZE - 1)) {
		kmem_log("kmem: boot: virt_offset 0x%llx is not a multiple of "
			 "the page size",
			 (unsigned long long)p->virt_offset);
		return KMEM_EINVAL;
	}
	if (KMEM_CACHE_DEBUG ? !debug_options_set(p->debug) : p->debug != NULL)
		return KMEM_EINVAL;
	if (p->nr_cpus <= CACHE_MAX_CPUS &&
	    (!p->dma32_end || p->dma_end <= p->dma32_end))
		return KMEM_OK;
	kmem_log("kmem: boot: parameters out of range: %u CPUs (at most %u), "
		 "zone ends 0x%llx 0x%llx", p->nr_cpus,
		 (unsigned)CACHE_MAX_CPUS,
		 (unsigned long long)p->dma_end,
		 (unsigned long long)p->dma32_end);
	return KMEM_EINVAL;
}

/* The page whose virtual address would be NULL can't be given to anybody; what
 * lies from early_end on, not yet. */
static bool hide_pages(const struct plan *plan)
{
	kmem_phys_t phys = (uintptr_t)0 - (uintptr_t)plan->params.virt_offset;
	kmem_phys_t early_end = plan->params.early_end;

	return region_add(phys, KMEM_PAGE_SIZE, REGION_NULL_PAGE,
			  KMEM_NO_NODE) &&
	       (!early_end || region_add(early_end, 0 - early_end,
					 REGION_STAGED, KMEM_NO_NODE));
}

int plan_refuse(const struct plan *plan, const char *what, kmem_phys_t bytes)
{
	const struct kmem_boot_info *info = &plan->info;

	kmem_log("kmem: boot: %s: the %u ranges of the map leave %llu usable "
		 "bytes, %llu whole pages in %u runs", what, info->nr_regions,
		 (unsigned long long)info->usable,
		 (unsigned long long)info->usable_pages, info->usable_runs);
	if (bytes)
		kmem_log("kmem: boot: %llu bytes needed, below 0x%llx",
			 (unsigned long long)bytes,
			 (unsigned long long)plan->params.metadata_end);
	return KMEM_ENOMEM;
}

/* A BOOT range for a table of kmem's own. Whole cache lines, not pages: the
 * tables lie one below the other, and together end within a page. */
static struct region *take_table(const struct plan *plan, kmem_phys_t size,
				 int node)
{
	kmem_phys_t end = plan->params.metadata_end;
	struct region *r = NULL;

	size = round_up_to(size, KMEM_CACHE_LINE);
	if (node != KMEM_NO_NODE)
		r = region_take(size, KMEM_CACHE_LINE, end, node);
	return r ? r : region_take(size, KMEM_CACHE_LINE, end, KMEM_NO_NODE);
}

/* ---- sections and their descriptors ---- */

/* Sections [first, end) of the table, all of one node. */
struct section_group {
	pfn_t first, end;
	int node;
};

/*
 * A walk over the sections that have memory, lower first, each once. `at` is
 * the page to go on from, `done` the first section not yet visited.
 */
struct section_walk {
	const struct plan *plan;
	unsigned order;
	pfn_t at, done;
};

/* In the view of all that is usable: tables need no descriptors, but sections
 * that hold nothing else are rare, and so the walk is the same before and
 * after tables are placed. */
static bool next_sections(struct section_walk *w, struct section_group *g)
{
	struct page_run run;

	do {
		if (!next_page_run(VIEW_USABLE, w->at, &run) ||
		    run.pfn >= plan_reach(w->plan))
			return false;
		run.end = KMEM_MIN(run.end, plan_reach(w->plan));
		cut_at_node(run.pfn, &run.end, &g->node);
		w->at = run.end;
		g->first = KMEM_MAX(run.pfn >> w->order, w->done);
		g->end = ((run.end - 1) >> w->order) + 1;
	} while (g->first >= g->end);
	w->done = g->end;
	return true;
}

/* The end of the section table: behind the last section that has memory, or
 * may get some. */
static pfn_t sections_end(const struct section_walk *w)
{
	kmem_phys_t last = w->plan->params.hotplug_end - 1;

	if (!w->plan->params.hotplug_end)
		return w->done;
	return KMEM_MAX(w->done, (pfn_of(last) >> w->order) + 1);
}

static kmem_phys_t section_bytes(unsigned order)
{
	return (kmem_phys_t)sizeof(struct page) << order;
}

/* Bytes of descriptors and section table with sections of that order. */
static kmem_phys_t sections_cost(const struct plan *plan, unsigned order)
{
	struct section_walk w = { plan, order, 0, 0 };
	struct section_group g = { 0, 0, 0 };
	pfn_t first = 0, sections = 0;

	while (next_sections(&w, &g)) {
		if (!sections)
			first = g.first;
		sections += g.end - g.first;
	}
	return (sections_end(&w) - first) * sizeof(struct page *) +
	       sections * section_bytes(order);
}

/* Memory is added by sections of 8 blocks of the highest order or more, one of
 * which is spoilt. */
#define HOTPLUG_MIN_ORDER \
	KMEM_MAX(KMEM_SECTION_MIN_ORDER, \
		 KMEM_MIN(KMEM_MAX_ORDER + 3, SECTION_MAX_ORDER))

static unsigned least_order(const struct plan *plan)
{
	return plan->params.hotplug_end ? HOTPLUG_MIN_ORDER :
					  KMEM_SECTION_MIN_ORDER;
}

static void choose_section_order(struct plan *plan)
{
	kmem_phys_t least = ~(kmem_phys_t)0;

	for (unsigned o = least_order(plan); o <= SECTION_MAX_ORDER; o++) {
		kmem_phys_t cost = sections_cost(plan, o);

		if (cost <= least) {
			least = cost;
			plan->section_order = o;
		}
	}
}

/* Which sections there are; false if there is no page at all. */
static bool plan_sections(struct plan *plan)
{
	struct section_walk w = { plan, plan->section_order, 0, 0 };
	struct section_group g;

	if (!next_sections(&w, &g))
		return false;
	plan->first_section = g.first;
	while (next_sections(&w, &g))
		;
	plan->nr_sections = sections_end(&w) - plan->first_section;
	return true;
}

/* Descriptors of a group, in as few blocks as memory allows. */
static bool plan_group(struct plan *plan, const struct section_group *g)
{
	kmem_phys_t bytes = section_bytes(plan->section_order);

	for (pfn_t first = g->first; first < g->end; ) {
		pfn_t n = g->end - first;
		struct region *r;

		while (!(r = take_table(plan, n * bytes, g->node)) && n > 1)
			n /= 2;
		if (!r)
			return false;
		r->first_section = (uint32_t)(first - plan->first_section);
		r->nr_sections = (uint32_t)n;
		plan->info.descriptors += r->last - r->start + 1;
		first += n;
	}
	return true;
}

static bool plan_descriptors(struct plan *plan)
{
	struct section_walk w = { plan, plan->section_order, 0, 0 };
	struct section_group g;

	while (next_sections(&w, &g))
		if (!plan_group(plan, &g))
			return false;
	return true;
}

/* ---- nodes ---- */

size_t node_block_bytes(unsigned nr_cpus)
{
	return sizeof(struct node) +
	       NR_ZONE_TYPES * PAGE_LAYERS_BYTES(nr_cpus);
}

/* Which nodes have pages, now or later. */
static void find_nodes(const struct plan *plan, bool present[KMEM_MAX_NODES])
{
	static const enum view of[] = { VIEW_FREE, VIEW_LATER, VIEW_STAGED };
	struct piece p;

	memset(present, 0, KMEM_MAX_NODES * sizeof(present[0]));
	for (unsigned i = 0; i < KMEM_ARRAY_SIZE(of); i++)
		for_each_piece(plan, of[i], p)
			present[p.node] = true;
}

static bool plan_nodes(struct plan *plan)
{
	bool present[KMEM_MAX_NODES];

	find_nodes(plan, present);
	for (int id = 0; id < KMEM_MAX_NODES; id++) {
		struct region *r;

		if (!present[id])
			continue;
		r = take_table(plan, node_block_bytes(plan->params.nr_cpus),
			       id);
		if (!r)
			return false;
		r->node = id;		/* marks it as that node's block */
		plan->info.nr_nodes++;
		plan->info.per_cpu += r->last - r->start + 1;
	}
	return plan->info.nr_nodes > 0;
}

/* All tables, with sections of plan->section_order. */
static bool place_tables(struct plan *plan)
{
	kmem_phys_t table;

	plan->info.descriptors = 0;
	plan->info.per_cpu = 0;
	plan->info.nr_nodes = 0;
	plan_sections(plan);	/* there are some: plan_all() has looked */
	table = plan->nr_sections * sizeof(struct page *);
	plan->table = take_table(plan, table, KMEM_NO_NODE);
	plan->cpus = take_table(plan, plan->params.nr_cpus, KMEM_NO_NODE);
	return plan->table && plan->cpus && plan_descriptors(plan) &&
	       plan_nodes(plan);
}

/*
 * With the best sections. Should that fail, with larger ones, which need fewer
 * entries of the map, and then with smaller ones, which need less memory in
 * one piece.
 */
static bool place(struct plan *plan)
{
	unsigned nr = regions.nr, best, o;

	choose_section_order(plan);
	best = plan->section_order;
	for (o = best; o <= SECTION_MAX_ORDER; o++) {
		plan->section_order = o;
		if (place_tables(plan))
			return true;
		regions.nr = nr;
	}
	for (o = best; o-- > least_order(plan); ) {
		plan->section_order = o;
		if (place_tables(plan))
			return true;
		regions.nr = nr;
	}
	return false;
}

/* Page numbers and sections must fit what they are kept in. */
static bool too_far(const struct plan *plan)
{
	unsigned shift = plan->section_order + KMEM_PAGE_SHIFT;

	return plan->nr_sections > UINT32_MAX ||
	       plan->nr_sections - 1 > UINTPTR_MAX >> shift;
}

static int plan_all(struct plan *plan)
{
	struct kmem_boot_info *info = &plan->info;
	kmem_phys_t need;

	account_usable(info);
	info->early = region_bytes(KMEM_REGION_BOOT);
	if (!hide_pages(plan))
		return plan_refuse(plan, "KMEM_MAX_REGIONS is too small", 0);
	plan->section_order = least_order(plan);
	if (!plan_sections(plan))
		return plan_refuse(plan, "no usable page", KMEM_PAGE_SIZE);
	need = sections_cost(plan, plan->section_order) +
	       node_block_bytes(plan->params.nr_cpus);
	if (!place(plan))
		return plan_refuse(plan, "too little memory for the metadata, "
				   "or KMEM_MAX_REGIONS is too small", need);
	if (too_far(plan))
		return plan_refuse(plan, "memory is spread too far", need);
	info->section_table = plan->table->last - plan->table->start + 1;
	info->per_cpu += plan->cpus->last - plan->cpus->start + 1;
	account_rest(plan);
	if (!info->managed)
		return plan_refuse(plan, "too little memory for the metadata",
				   need);
	/* account_rest() has made it so */
	if (KMEM_NEVER(!info_adds_up(info))) {
		kmem_bug(__FILE__, __LINE__, "T1: boot accounting");
		return KMEM_EINVAL;
	}
	return KMEM_OK;
}

int plan_make(struct plan *plan, const struct kmem_params *params,
	      unsigned nr_regions)
{
	unsigned nr = regions.nr;
	int err;

	memset(plan, 0, sizeof(*plan));
	plan->info.nr_regions = nr_regions;
	set_defaults(plan, params);
	err = check_params(&plan->params);
	if (!err)
		err = plan_all(plan);
	if (err)
		regions.nr = nr;
	return err;
}
