// SPDX-License-Identifier: MIT
/*
 * tests/explore/memory.c - what is explored of the modules beside and above
 * pages: holders, vmalloc(), plugging, ranges, shrinkers.
 */
#include "machine.h"

/* ---- blocks with several holders ---- */

static struct page *shared_page;

static void holders_machine(void)
{
	machine();
	shared_page = alloc_pages(GFP_KERNEL, 0);
	settled();
	get_page(shared_page);
}

/* What a holder has written has been, when the last one frees the page. */
static void let_go(void)
{
	explore_read(page_to_virt(shared_page), 64);
	put_page(shared_page);
	page_and_back();
}

static void page_gone(void)
{
	sound();
	MUST(nr_free_pages() == pages_free + 1);
}

/* ---- vmalloc() ---- */

static void *area;
static bool irq_came;

static int map(void *ctx, uintptr_t virt, kmem_phys_t phys, size_t nr_pages,
	       unsigned long prot, gfp_t gfp)
{
	(void)ctx, (void)virt, (void)phys, (void)nr_pages, (void)prot;
	(void)gfp;
	return 0;
}

static void unmap(void *ctx, uintptr_t virt, size_t nr_pages)
{
	(void)ctx, (void)virt, (void)nr_pages;
}

/* The range is as long as addresses of the machine are high. */
static void begin_vmalloc(void)
{
	uintptr_t start = (uintptr_t)1 << 44;

	MUST(!kmem_vmalloc_init(&(struct kmem_vmalloc_params){
		.start = start, .end = start + (1 << 30), .map = map,
		.unmap = unmap }));
}

static void no_vmalloc_machine(void)
{
	machine();
	area = kvmalloc(100, GFP_KERNEL);
	MUST((uintptr_t)area < 1 << 30);
	settled();
}

static void vmalloc_machine(void)
{
	machine();
	begin_vmalloc();
	irq_came = false;
	area = vmalloc(100);
	MUST(area);
	settled();
}

static void map_and_back(void)
{
	vfree(vmalloc(100));
}

static void free_area(void)
{
	vfree(area);
}

static void free_area_atomic(void)
{
	explore_save(&irq_came, sizeof(irq_came));
	irq_came = true;
	vfree_atomic(area);
}

/* The second one is too long for kmalloc(). */
static void free_small_and_get_long(void)
{
	kvfree(area);
	kvfree(kvmalloc((KMEM_PAGE_SIZE << KMEM_MAX_ORDER) + 1,
			GFP_KERNEL | __GFP_NOWARN));
	kvfree_rcu_barrier();
}

static void look_at_area(void)
{
	(void)kmem_stack_overflowed(area);
}

static void areas_gone(void)
{
	struct kmem_vmalloc_stats st;

	vm_unmap_aliases();
	sound();
	kmem_vmalloc_stats(&st);
	MUST(!st.areas && !st.pages);
}

/* The interrupt may not have come. */
static void area_perhaps(void)
{
	if (irq_came)
		areas_gone();
	else
		sound();
}

/* ---- memory that goes and comes, ranges ---- */

#define PLUGGED		(ARENA_BYTES / 8)

static void plug_machine(void)
{
	machine();
	drain_pages();
	settled();
}

static kmem_phys_t plugged(void)
{
	return (kmem_phys_t)(uintptr_t)arena + ARENA_BYTES / 4;
}

static void remove_and_add(void)
{
	if (!kmem_remove_memory(plugged(), PLUGGED))
		MUST(!kmem_add_memory(plugged(), PLUGGED, KMEM_NO_NODE));
}

static void remove_and_add_next(void)
{
	if (!kmem_remove_memory(plugged() + PLUGGED, PLUGGED))
		MUST(!kmem_add_memory(plugged() + PLUGGED, PLUGGED,
				      KMEM_NO_NODE));
}

static void large_and_back(void)
{
	put_block(get_block(3), 3);
}

static void range_and_back(void)
{
	uintptr_t pfn = (uintptr_t)(plugged() >> KMEM_PAGE_SHIFT);

	if (!alloc_contig_range(pfn, pfn + 4, 0, GFP_KERNEL | __GFP_NOWARN))
		free_contig_range(pfn, 4);
}

static void run_and_back(void)
{
	struct page *page = alloc_contig_pages(3, GFP_KERNEL | __GFP_NOWARN,
					       -1, NULL);

	if (page)
		free_contig_range(page_to_pfn(page), 3);
}

/* The second half is held back. */
static void half_machine(void)
{
	machine_with(&(struct kmem_params){ .nr_cpus = CPUS,
		.early_end = (uintptr_t)arena + ARENA_BYTES / 2 }, 0);
	settled();
}

static void release(void)
{
	MUST(!kmem_release_type(KMEM_REGION_USABLE, 0));
}

static bool look(void *obj, void *arg)
{
	(void)obj, (void)arg;
	return true;
}

/* What goes by the span of a zone. */
static void go_over_zones(void)
{
	struct kmem_zone_stats zone;

	kmem_cache_walk(cache, look, NULL);
	kmem_zone_stats(0, &zone);
	run_and_back();
}

/* Memory has no descriptors yet. */
static void late_machine(void)
{
	machine_with(&(struct kmem_params){ .nr_cpus = CPUS,
					    .zeroed = true }, 0);
	settled();
}

/* The first half of a page block. */
static void remove_and_add_part(void)
{
	if (!kmem_remove_memory(plugged(), PLUGGED / 2))
		MUST(!kmem_add_memory(plugged(), PLUGGED / 2, KMEM_NO_NODE));
}

static void mobile_machine(void)
{
	large_machine();
	drain_pages();
	settled();
}

static struct page *single[4];

static void two_full_magazines(void)
{
	for (unsigned i = 0; i < 4; i++)
		single[i] = get_block(0);
	for (unsigned i = 0; i < 2; i++)
		put_block(single[i], 0);
}

static void put_two_pages(void)
{
	put_block(single[2], 0);
	put_block(single[3], 0);
}

static void unplugged_machine(void)
{
	paged_machine();
	drain_pages();
	MUST(!kmem_remove_memory(plugged(), PLUGGED));
	on(1, two_full_magazines);
	settled();
}

static void add(void)
{
	MUST(!kmem_add_memory(plugged(), PLUGGED, KMEM_NO_NODE));
}

static void all_free(void)
{
	sound();
	drain_pages();
	MUST(nr_free_pages() == pages_free);
}

/* ---- memory whose descriptors go with it ---- */

#define SECTION		(128 * KMEM_PAGE_SIZE)

/* The first section that is not of the boot's memory. */
static kmem_phys_t section(void)
{
	return ((uintptr_t)arena + ARENA_BYTES + SECTION - 1) & ~(SECTION - 1);
}

/* How often kmem_remove_memory() asks other CPUs, before it begins to remove. */
static unsigned asked, last_asked;
static unsigned trimmed, scanning;

static void ask(void *ctx, unsigned cpu, void (*fn)(void *), void *arg)
{
	(void)ctx, (void)cpu, (void)fn, (void)arg;
	explore_save(&asked, sizeof(asked));
	if (++asked != last_asked)
		return;
	explore_post(&trimmed);
	explore_await(&scanning);
}

static void section_machine_with(slab_flags_t flags, unsigned objects)
{
	static const struct kmem_hooks hooks = { .run_on_cpu = ask };

	asked = last_asked = trimmed = scanning = 0;
	machine_with(&(struct kmem_params){ .nr_cpus = CPUS, .hooks = &hooks,
		.hotplug_end = (uintptr_t)arena + ARENA_BYTES + 2 * SECTION }, flags);
	fill_objects(objects);
	MUST(!kmem_add_memory(section(), SECTION, KMEM_NO_NODE));
	drain_pages();
	settled();
}

static void section_machine(void)
{
	section_machine_with(0, 0);
}

/* Afterwards it is somebody else's. */
static void remove_section(void)
{
	if (!kmem_remove_memory(section(), SECTION))
		explore_write(phys_to_virt(section()),
			      SECTION / KMEM_PAGE_SIZE * sizeof(struct page));
}

/* Who looks at pages that are not its own. */
static void look_at_section(void)
{
	uintptr_t pfn = (uintptr_t)((section() + SECTION / 2) >> KMEM_PAGE_SHIFT);
	struct kmem_zone_stats zone;

	kmem_zone_stats(0, &zone);
	kmem_cache_walk(cache, look, NULL);
	if (!alloc_contig_range(pfn, pfn + 4, 0, GFP_KERNEL | __GFP_NOWARN))
		free_contig_range(pfn, 4);
}

/* Both stores are filled, and one free more is looked for in all pages: those
 * before the section are scanned. */
static void scan_to_section(void)
{
	for (unsigned i = 0; i < 29; i++) {
		drop(object[i]);
		kfree_nolock(object[i]);
	}
	/* Each goes over 64 pages. */
	kmem_cache_free(cache, kmem_cache_alloc(cache, GFP_KERNEL));
}

/* When whoever removes it has no need of the list of caches any more. */
static void scan_section(void)
{
	explore_await(&trimmed);
	explore_at_once(scan_to_section);
	explore_post(&scanning);
	get_one();
}

static void section_aside_machine(void)
{
	section_machine_with(SLAB_CONSISTENCY_CHECKS, 29);
	asked = 0;
	kmem_trim(KMEM_DRAIN_CPU);
	last_asked = asked;
	asked = 0;
	settled();
}

static void get_first(void)
{
	object[0] = get();
}

/* The only slab is in the section, and of that all else is free. */
static void walk_section_machine(void)
{
	struct page *page, *rest = NULL;

	section_machine();
	while ((page = alloc_page(GFP_ATOMIC | __GFP_NOWARN))) {
		if (page_to_phys(page) < section())
			continue;
		*(struct page **)page_to_virt(page) = rest;
		rest = page;
	}
	while ((page = rest)) {
		rest = *(struct page **)page_to_virt(page);
		__free_page(page);
	}
	drain_pages();
	on(1, get_first);
	MUST(virt_to_phys(object[0]) >= section());
	drain_pages();
	settled();
}

static void walk(void)
{
	kmem_cache_walk(cache, look, NULL);
}

static void empty_and_remove(void)
{
	put_one();
	shrink();
	MUST(!kmem_remove_memory(section(), SECTION));
	explore_write(phys_to_virt(section()),
		      SECTION / KMEM_PAGE_SIZE * sizeof(struct page));
}

/* However it meets the walk. */
static void remove_at_once(void)
{
	explore_at_once(empty_and_remove);
}

/* ---- shrinkers ---- */

static struct shrinker *shrinker;

static unsigned long one(struct shrinker *s, struct shrink_control *sc)
{
	(void)s, (void)sc;
	return 1;
}

static void make_shrinker(void)
{
	shrinker = shrinker_alloc(0, "one");
	MUST(shrinker);
	shrinker->count_objects = shrinker->scan_objects = one;
}

static void begin_shrinker(void)
{
	shrinker_register(shrinker);
}

static struct page *largest(void)
{
	return alloc_pages(GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN,
			   KMEM_MAX_ORDER);
}

static void run_short(void)
{
	MUST(!largest());
}

static void use_up(void)
{
	while (largest())
		;
	settled();
}

/* None is registered yet. */
static void first_shrinker_machine(void)
{
	machine();
	make_shrinker();
	use_up();
}

static void shrinker_machine(void)
{
	machine();
	make_shrinker();
	begin_shrinker();
	make_shrinker();
	begin_shrinker();
	use_up();
}

static void end_shrinker(void)
{
	shrinker_free(shrinker);
}

/* ---- the list ---- */

static const struct scenario list[] = {
	{ "hold-put", "two holders let a page go", ALL,
	  holders_machine, { let_go, let_go }, .check = page_gone },
	{ "vmalloc-vfree", "an area comes while another goes", 2,
	  vmalloc_machine, { map_and_back, free_area }, .check = areas_gone },
	{ "vfree-irq", "an interrupt ends an area", ALL,
	  vmalloc_machine, { map_and_back }, { free_area_atomic },
	  .check = area_perhaps },
	{ "vmalloc-look-irq", "and lands in who looks at an area", ALL,
	  vmalloc_machine, { look_at_area }, { free_area_atomic },
	  .check = area_perhaps },
	{ "vmalloc-begins", "areas begin while others fall back to them", 2,
	  no_vmalloc_machine, { begin_vmalloc, free_small_and_get_long },
	  .check = areas_gone },
	{ "vmalloc-nmi", "a fault handler looks at an area that changes", ALL,
	  vmalloc_machine, { free_area }, .nmi = { look_at_area },
	  .check = areas_gone },
	{ "remove-alloc", "memory goes away that is being allocated", 1,
	  plug_machine, { remove_and_add, large_and_back },
	  .check = all_free },
	{ "remove-remove", "two parts of it go and come", 1,
	  plug_machine, { remove_and_add, remove_and_add_next },
	  .check = all_free },
	{ "range-alloc", "a range is taken that is being allocated", 2,
	  plug_machine, { range_and_back, large_and_back },
	  .check = all_free },
	{ "range-late", "a range is taken that is being described", 2,
	  late_machine, { range_and_back, large_and_back },
	  .check = sound },
	{ "remove-part", "a part of a page block goes, and the rest is used", 1,
	  mobile_machine, { remove_and_add_part, large_and_back },
	  .check = all_free },
	{ "add-depot", "depots grow with memory, in use", 1,
	  unplugged_machine, { add, put_two_pages }, .check = sound },
	{ "release-walk", "a zone grows while it is walked", 1,
	  half_machine, { release, go_over_zones }, .check = sound },
	{ "run-alloc", "a run is found that then is allocated", 1,
	  plug_machine, { run_and_back, large_and_back },
	  .check = all_free },
	{ "remove-look", "descriptors go that somebody looks at", 1,
	  section_machine, { look_at_section, remove_section },
	  .check = sound, .at_random = 200 },
	{ "remove-scan", "and those that frees put aside are looked for in", 1,
	  section_aside_machine, { scan_section, remove_section },
	  .check = sound, .at_random = 200 },
	{ "remove-walk", "and those of the slab that a walk has come to", 2,
	  walk_section_machine, { walk, remove_at_once },
	  .check = sound, .at_random = 200 },
	{ "shrinker-first", "the first shrinker comes while memory is short", 1,
	  first_shrinker_machine, { run_short, begin_shrinker },
	  .check = sound },
	{ "shrinker-free", "a shrinker ends while it runs", 1,
	  shrinker_machine, { run_short, end_shrinker }, .check = sound },
};

const struct scenario_list memory_scenarios = {
	list, sizeof(list) / sizeof(list[0])
};
