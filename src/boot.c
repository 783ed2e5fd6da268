/* SPDX-License-Identifier: MIT */
/*
 * boot.c - from the map to the zones.
 *
 *	map (regions.c)
 *	  │ plan: enter a KMEM_REGION_BOOT range for each table
 *	  │	1. the section table		one, anywhere
 *	  │	2. descriptors			a block a group of sections, on
 *	  │					the node whose memory it describes
 *	  │	3. node structures, with the	one block a node
 *	  │	   per-CPU lines of its zones
 *	  ▼ count: usable == managed + metadata + rounding + unreachable
 *	commit: write the tables, hand what is left to the zones
 *	  │
 *	  ▼ zones_finish, per-CPU layers, caches, kmalloc
 *
 * Planning touches no memory but the map: so a map of any size can be planned
 * and accounted on any machine (kmem_boot_plan), and kmem_init() does just
 * that first. The plan is the list of BOOT ranges itself: a block of
 * descriptors remembers which section it begins with.
 *
 * A *piece* is a run of whole free pages that lie on one node and in one
 * zone. Pieces are what descriptors are initialised by and zones are filled
 * from.
 *
 * Invariant, to the byte, verified before kmem_init() returns:
 *
 *  T1	usable == managed + metadata + rounding + unreachable
 *
 * Cost: O(ranges^2) for the plan, one write a descriptor, one buddy_give a
 * block of the highest order.
 */
#include "bits.h"
#include "kmalloc.h"
#include "regions.h"

static struct {
	bool running;
	struct kmem_params params;	/* with defaults filled in */
	struct kmem_boot_info info;
	kmem_phys_t first_section;	/* its number; section 0 of the table */
	uint64_t nr_sections;
	struct region *table;		/* BOOT range of the section table */
	struct region *cpus;		/* of the table of CPUs' nodes */
} boot;

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
	boot.info.nr_regions++;
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

/* ---- pieces ---- */

struct piece {
	uint64_t pfn, end;
	int node;
	enum zone_type type;
};

static uint64_t pfn_of(kmem_phys_t phys)
{
	return phys >> KMEM_PAGE_SHIFT;
}

/* The end of what can be used, as a page number. */
static uint64_t reach(void)
{
	return pfn_of(boot.params.direct_map_end);
}

static enum zone_type zone_of(uint64_t pfn, uint64_t *end)
{
	uint64_t dma = pfn_of(boot.params.dma_end);
	uint64_t dma32 = pfn_of(boot.params.dma32_end);

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

/* The first piece at or above page `at`. A page is on the node of its first
 * byte. */
static bool next_piece(uint64_t at, struct piece *p)
{
	struct page_run run;
	kmem_phys_t last;

	if (!next_page_run(VIEW_FREE, at, &run) || run.pfn >= reach())
		return false;
	p->pfn = run.pfn;
	p->end = KMEM_MIN(run.end, reach());
	p->node = region_node(run.pfn << KMEM_PAGE_SHIFT, &last);
	p->end = KMEM_MIN(p->end, pfn_of(last) + 1);
	p->type = zone_of(p->pfn, &p->end);
	return true;
}

#define for_each_piece(p) \
	for (uint64_t at_ = 0; next_piece(at_, &(p)); at_ = (p).end)

/* ---- the plan ---- */

static void set_defaults(const struct kmem_params *params)
{
	struct kmem_params *p = &boot.params;
	static const struct kmem_hooks none;

	*p = *params;
	kmem_hooks = params->hooks ? *params->hooks : none;
	p->hooks = &kmem_hooks;
	p->nr_cpus = KMEM_MAX(p->nr_cpus, 1u);
	if (!p->direct_map_end)
		p->direct_map_end = ~(kmem_phys_t)0;
	if (!p->metadata_end || p->metadata_end > p->direct_map_end)
		p->metadata_end = p->direct_map_end;
	if (!p->dma_end)
		p->dma_end = KMEM_ARCH_DMA_LIMIT;
	else if (p->dma_end == KMEM_NO_ZONE)
		p->dma_end = 0;
	if (!p->dma32_end)
		p->dma32_end = KMEM_ARCH_DMA32_LIMIT;
	else if (p->dma32_end == KMEM_NO_ZONE)
		p->dma32_end = 0;
}

static int check_params(void)
{
	const struct kmem_params *p = &boot.params;

	if (p->virt_offset & (KMEM_PAGE_SIZE - 1)) {
		kmem_log("kmem: boot: virt_offset 0x%llx is not a multiple of "
			 "the page size",
			 (unsigned long long)p->virt_offset);
		return KMEM_EINVAL;
	}
	if (p->nr_cpus <= KMEM_MAX_CPUS &&
	    sizeof(struct kmem_cache) + LAYER_BYTES(p->nr_cpus) <=
	    KMEM_CACHE_MAX_SIZE &&
	    (!p->dma32_end || p->dma_end <= p->dma32_end))
		return KMEM_OK;
	kmem_log("kmem: boot: parameters out of range: %u CPUs (at most %d), "
		 "zone ends 0x%llx 0x%llx", p->nr_cpus, KMEM_MAX_CPUS,
		 (unsigned long long)p->dma_end,
		 (unsigned long long)p->dma32_end);
	return KMEM_EINVAL;
}

/* The page whose virtual address would be NULL can't be given to anybody. */
static bool hide_null_page(void)
{
	kmem_phys_t phys = (uintptr_t)0 - (uintptr_t)boot.params.virt_offset;

	if (phys & (KMEM_PAGE_SIZE - 1))
		return true;
	return region_add(phys, KMEM_PAGE_SIZE, REGION_NULL_PAGE,
			  KMEM_NO_NODE);
}

static void count_usable(struct kmem_boot_info *info)
{
	struct page_run pages;
	struct run run;

	info->usable = 0;
	info->usable_pages = 0;
	info->usable_runs = 0;
	for (kmem_phys_t at = 0; next_run(VIEW_USABLE, at, &run); ) {
		info->usable += run.last - run.start + 1;
		at = run.last + 1;
		if (!at)
			break;
	}
	for (uint64_t at = 0; next_page_run(VIEW_USABLE, at, &pages);
	     at = pages.end) {
		info->usable_pages += pages.end - pages.pfn;
		info->usable_runs++;
	}
}

static int refuse(struct kmem_boot_info *info, const char *what,
		  kmem_phys_t bytes)
{
	kmem_log("kmem: boot: %s: the %u ranges of the map leave %llu usable "
		 "bytes, %llu whole pages in %u runs; %llu bytes needed, below"
		 " 0x%llx", what, info->nr_regions,
		 (unsigned long long)info->usable,
		 (unsigned long long)info->usable_pages, info->usable_runs,
		 (unsigned long long)bytes,
		 (unsigned long long)boot.params.metadata_end);
	return KMEM_ENOMEM;
}

/* A BOOT range for a table of kmem's own, whole pages. */
static struct region *take_table(kmem_phys_t size, int node)
{
	kmem_phys_t end = boot.params.metadata_end;
	struct region *r = NULL;

	size = round_up_to(size, KMEM_PAGE_SIZE);
	if (node != KMEM_NO_NODE)
		r = region_take(size, KMEM_PAGE_SIZE, end, node);
	return r ? r : region_take(size, KMEM_PAGE_SIZE, end, KMEM_NO_NODE);
}

static kmem_phys_t section_bytes(void)
{
	return KMEM_SECTION_PAGES * sizeof(struct page);
}

/* Descriptors of sections [first, end), in as few blocks as memory allows. */
static bool plan_descriptors(uint64_t first, uint64_t end, int node)
{
	while (first < end) {
		uint64_t n = end - first;
		struct region *r;

		while (!(r = take_table(n * section_bytes(), node)) && n > 1)
			n /= 2;
		if (!r)
			return false;
		r->first_section = (uint32_t)first;
		r->nr_sections = (uint32_t)n;
		boot.info.descriptors += r->last - r->start + 1;
		first += n;
	}
	return true;
}

static uint64_t section_of(uint64_t pfn)
{
	return (pfn >> KMEM_SECTION_ORDER) - boot.first_section;
}

/*
 * The sections in use, as seen before any table was placed: the pieces then
 * are a superset of the pieces at the end, and they are walked with no table
 * entered, so they are collected by what they were: in the view of all that
 * is usable, early allocations included.
 */
static bool plan_all_descriptors(void)
{
	uint64_t done = 0;		/* sections below it have theirs */
	struct page_run run;
	kmem_phys_t last;

	for (uint64_t at = 0; next_page_run(VIEW_USABLE, at, &run) &&
	     run.pfn < reach(); at = run.end) {
		uint64_t first, end;
		int node = region_node(run.pfn << KMEM_PAGE_SHIFT, &last);

		run.end = KMEM_MIN(run.end, reach());
		run.end = KMEM_MIN(run.end, pfn_of(last) + 1);
		first = KMEM_MAX(section_of(run.pfn), done);
		end = section_of(run.end - 1) + 1;
		if (first < end && !plan_descriptors(first, end, node))
			return false;
		done = KMEM_MAX(done, end);
	}
	return true;
}

/* What a node needs beside its descriptors: struct node, then the per-CPU
 * layers of its zones. */
static size_t node_block_bytes(void)
{
	return sizeof(struct node) +
	       NR_ZONE_TYPES * PAGE_LAYERS_BYTES(boot.params.nr_cpus);
}

/* The nodes that have pages, by number: bit i of the result. */
static uint64_t nodes_present(void)
{
	struct piece p;
	uint64_t nodes = 0;

	for_each_piece(p)
		nodes |= (uint64_t)1 << p.node;
	return nodes;
}

static bool plan_nodes(void)
{
	uint64_t nodes = nodes_present();

	for (int id = 0; id < KMEM_MAX_NODES; id++) {
		struct region *r;

		if (!(nodes >> id & 1))
			continue;
		r = take_table(node_block_bytes(), id);
		if (!r)
			return false;
		r->node = id;		/* marks it as that node's block */
		boot.info.nr_nodes++;
		boot.info.per_cpu += r->last - r->start + 1;
	}
	return boot.info.nr_nodes > 0;
}

/* Which sections there are; false if there is no page at all. */
static bool plan_sections(void)
{
	struct page_run run;
	uint64_t last = 0;
	bool any = false;

	for (uint64_t at = 0; next_page_run(VIEW_USABLE, at, &run) &&
	     run.pfn < reach(); at = run.end) {
		if (!any)
			boot.first_section = run.pfn >> KMEM_SECTION_ORDER;
		any = true;
		last = KMEM_MIN(run.end, reach()) - 1;
	}
	boot.nr_sections = any ? (last >> KMEM_SECTION_ORDER) -
				 boot.first_section + 1 : 0;
	return any;
}

static void count_rest(struct kmem_boot_info *info)
{
	struct page_run pages;
	struct piece p;
	struct run run;

	for (uint64_t at = 0; next_page_run(VIEW_FREE, at, &pages);
	     at = pages.end)
		if (pages.end > reach())
			info->unreachable += (pages.end - KMEM_MAX(pages.pfn,
					      reach())) << KMEM_PAGE_SHIFT;
	for_each_piece(p)
		info->managed += (p.end - p.pfn) << KMEM_PAGE_SHIFT;
	info->rounding = 0;
	for (kmem_phys_t at = 0; next_run(VIEW_FREE, at, &run); ) {
		info->rounding += run.last - run.start + 1;
		at = run.last + 1;
		if (!at)
			break;
	}
	info->rounding -= info->managed + info->unreachable;
}

/* Usable bytes that entries of that type have taken. */
static kmem_phys_t taken_bytes(enum kmem_region_type type)
{
	kmem_phys_t sum = 0;

	for (unsigned i = 0; i < regions.nr; i++) {
		const struct region *r = &regions.r[i];
		struct run run;

		for (kmem_phys_t at = r->start; r->type == type; ) {
			if (!next_run(VIEW_USABLE, at, &run) ||
			    run.start > r->last)
				break;
			run.last = KMEM_MIN(run.last, r->last);
			sum += run.last - run.start + 1;
			if (run.last == r->last)
				break;
			at = run.last + 1;
		}
	}
	return sum;
}

static int plan(void)
{
	struct kmem_boot_info *info = &boot.info;
	kmem_phys_t need;

	count_usable(info);
	info->early = region_bytes(KMEM_REGION_BOOT);
	if (!hide_null_page())
		return map_full();
	if (!plan_sections())
		return refuse(info, "no usable page", KMEM_PAGE_SIZE);
	need = boot.nr_sections * sizeof(struct page *);
	if (boot.nr_sections > UINT32_MAX ||
	    boot.nr_sections << KMEM_SECTION_SHIFT > UINTPTR_MAX)
		return refuse(info, "memory is spread too far", need);
	boot.table = take_table(need, KMEM_NO_NODE);
	boot.cpus = take_table(boot.params.nr_cpus, KMEM_NO_NODE);
	need += boot.nr_sections * section_bytes() + node_block_bytes();
	if (!boot.table || !boot.cpus || !plan_all_descriptors() ||
	    !plan_nodes())
		return refuse(info, regions.nr == KMEM_MAX_REGIONS ?
			      "KMEM_MAX_REGIONS is too small" :
			      "too little memory for the metadata", need);
	info->section_table = boot.table->last - boot.table->start + 1;
	info->per_cpu += boot.cpus->last - boot.cpus->start + 1;
	info->metadata = region_bytes(KMEM_REGION_BOOT);
	count_rest(info);
	info->rounding += taken_bytes(REGION_NULL_PAGE);
	if (!info->managed)
		return refuse(info, "too little memory for the metadata",
			      need);
	if (info->usable != info->managed + info->metadata + info->rounding +
			    info->unreachable)
		kmem_bug(__FILE__, __LINE__, "T1: boot accounting");
	return KMEM_OK;
}

/* Plan with these parameters; on failure the map is as before. */
static int try_plan(const struct kmem_params *params)
{
	unsigned nr = regions.nr, given = boot.info.nr_regions;
	int err;

	memset(&boot.info, 0, sizeof(boot.info));
	boot.info.nr_regions = given;
	set_defaults(params);
	err = check_params();
	if (!err)
		err = plan();
	if (err)
		regions.nr = nr;
	return err;
}

int kmem_boot_plan(const struct kmem_params *params,
		   struct kmem_boot_info *info)
{
	unsigned nr = regions.nr;
	int err;

	memset(info, 0, sizeof(*info));
	if (boot.running)
		return KMEM_EBUSY;
	if (!params)
		return KMEM_EINVAL;
	err = try_plan(params);
	*info = boot.info;
	regions.nr = nr;
	return err;
}

/* ---- the commit ---- */

static void *table_at(const struct region *r)
{
	return (void *)(uintptr_t)(r->start + boot.params.virt_offset);
}

static void write_section_table(void)
{
	struct kmem_page_map *m = &kmem_page_map;
	kmem_phys_t base = boot.first_section << KMEM_SECTION_SHIFT;

	m->section = table_at(boot.table);
	memset(m->section, 0,
	       (size_t)boot.nr_sections * sizeof(m->section[0]));
	m->virt_offset = boot.params.virt_offset;
	m->base = (uintptr_t)(base + m->virt_offset);
	m->first_pfn = (uintptr_t)pfn_of(base);
	m->nr_sections = (uintptr_t)boot.nr_sections;
	for (unsigned i = 0; i < regions.nr; i++) {
		const struct region *r = &regions.r[i];
		struct page *pages = table_at(r);

		for (uint32_t s = 0; s < r->nr_sections; s++)
			m->section[r->first_section + s] =
				pages + s * KMEM_SECTION_PAGES;
	}
}

/* Descriptors of [pfn, end), where sections exist. */
static void init_descriptors(uint64_t pfn, uint64_t end, unsigned zone)
{
	struct page *p = NULL;

	for (; pfn < end; pfn++) {
		if (!p || !(pfn & (KMEM_SECTION_PAGES - 1)))
			p = pfn_to_page((uintptr_t)pfn);
		if (!p) {		/* no section: on to the next */
			pfn |= KMEM_SECTION_PAGES - 1;
			continue;
		}
		memset(p, 0, sizeof(*p));
		p->pfn = (uintptr_t)pfn;
		p->zone = (uint8_t)zone;
		p++;
	}
}

static struct node *node_by_id(int id)
{
	for (unsigned i = 0; i < zones.nr_nodes; i++)
		if (zones.node[i]->id == id)
			return zones.node[i];
	return NULL;
}

static struct zone *piece_zone(const struct piece *p)
{
	return &node_by_id(p->node)->zone[p->type];
}

static void write_nodes(void)
{
	zones.nr_cpus = boot.params.nr_cpus;
	zones.dma32 = boot.params.dma32_end ? ZONE_DMA32 : ZONE_NORMAL;
	zones.dma = boot.params.dma_end ? ZONE_DMA : zones.dma32;
	for (int id = 0; id < KMEM_MAX_NODES; id++)
		for (unsigned i = 0; i < regions.nr; i++) {
			struct region *r = &regions.r[i];

			if (r->type != KMEM_REGION_BOOT || r->node != id)
				continue;
			memset(table_at(r), 0, node_block_bytes());
			node_init(table_at(r), id, zones.nr_nodes++);
		}
	zones.cpu_node = table_at(boot.cpus);
	for (unsigned cpu = 0; cpu < zones.nr_cpus; cpu++) {
		int id = kmem_hooks.cpu_node ?
			 kmem_hooks.cpu_node(kmem_hooks.ctx, cpu) : 0;
		struct node *n = node_by_id(id);

		zones.cpu_node[cpu] = (uint8_t)(n ? n->index : 0);
	}
}

/* All descriptors: those of pieces, and those between them. */
static void write_descriptors(void)
{
	uint64_t pfn = kmem_page_map.first_pfn;
	uint64_t end = pfn + (boot.nr_sections << KMEM_SECTION_ORDER);
	struct piece p;

	for_each_piece(p) {
		init_descriptors(pfn, p.pfn, UINT8_MAX);
		init_descriptors(p.pfn, p.end, piece_zone(&p)->id);
		pfn = p.end;
	}
	init_descriptors(pfn, end, UINT8_MAX);
}

/* The largest block that begins at pfn and ends by `end`. */
static unsigned block_order(uint64_t pfn, uint64_t end)
{
	unsigned order = 0;

	while (order < KMEM_MAX_ORDER && !(pfn >> order & 1) &&
	       pfn + ((uint64_t)2 << order) <= end)
		order++;
	return order;
}

static void fill_zones(void)
{
	struct piece p;

	for_each_piece(p) {
		struct zone *z = piece_zone(&p);

		if (!z->managed)
			z->start_pfn = (uintptr_t)p.pfn;
		z->end_pfn = (uintptr_t)p.end;
		z->managed += (size_t)(p.end - p.pfn);
		for (uint64_t pfn = p.pfn; pfn < p.end; ) {
			unsigned order = block_order(pfn, p.end);

			buddy_give(&z->buddy, pfn_to_page((uintptr_t)pfn),
				   order);
			pfn += (uint64_t)1 << order;
		}
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

int kmem_init(const struct kmem_params *params)
{
	int err;

	if (boot.running)
		return KMEM_EBUSY;
	if (!params)
		return KMEM_EINVAL;
	err = try_plan(params);
	if (err)
		return err;
	write_section_table();
	write_nodes();
	write_descriptors();
	fill_zones();
	zones_finish();
	init_layers();
	if (!kmem_cache_bootstrap() || !kmalloc_bootstrap()) {
		struct kmem_boot_info info = boot.info;

		err = refuse(&info, "too little memory for the caches", 0);
		kmem_reset();
		return err;
	}
	boot.running = true;
	return KMEM_OK;
}

const struct kmem_boot_info *kmem_boot_info(void)
{
	return &boot.info;
}

void kmem_reset(void)
{
	static const struct kmem_hooks none;

	kmem_hooks = none;
	memset(&boot, 0, sizeof(boot));
	memset(&zones, 0, sizeof(zones));
	memset(&kmem_page_map, 0, sizeof(kmem_page_map));
	regions.nr = 0;
}
