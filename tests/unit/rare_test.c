// SPDX-License-Identifier: MIT
/*
 * tests/unit/rare_test.c - what callers rarely do, and machines that are rare.
 *
 * What could go wrong: the one call in a million is taken for another one, and
 * changes something, or is not reported. Each is made here, and all is as before;
 * or the machine is made on which it is the ordinary one. edges_test.c has what
 * only CPUs that race, or wild writes, bring about.
 */
#include "unit.h"
#include "cache.h"
#include "kmalloc.h"
#include "list.h"
#include "page_alloc.h"

#define QUIET	__GFP_NOWARN

static int setup(void **state)
{
	(void)state;
	host_machine(32 * MIB, 1);
	test_panics_record();
	return 0;
}

static void machine(const struct test_range *map, size_t n,
		    const struct kmem_hooks *hooks)
{
	const struct kmem_params params = { .nr_cpus = 1, .hooks = hooks };

	assert_int_equal(test_machine(map, n, &params), KMEM_OK);
	host_cpu_set(0);
}

static unsigned lines;

static void count_line(void *ctx, const char *line)
{
	(void)ctx;
	(void)line;
	lines++;
}

static bool see_name(const char *name, struct kmem_cache *s, void *arg)
{
	(void)name;
	(void)s;
	++*(unsigned *)arg;
	return true;
}

/* ---- too early ---- */

/* Figures of a machine that is not there yet: nothing, and no harm. */
static void test_figures_before_the_start(void **state)
{
	struct kmem_leak_mark mark[4];
	unsigned names = 0;

	(void)state;
	kmem_reset();
	assert_true(kmem_leak_mark(mark, 4) <= 1);
	kmem_for_each_alias(see_name, &names);
	assert_int_equal(names, 0);
	lines = 0;
	kmem_report_raw(count_line, NULL);
	assert_true(lines > 0);
	assert_null(__kmalloc_node(8, GFP_KERNEL, KMEM_NO_NODE));
	host_machine(32 * MIB, 1);
}

/* An NMI while the caches of kmalloc() are being made. */
static void test_nmi_during_the_start(void **state)
{
	struct kmem_cache **first =
		&kmalloc_caches[KMALLOC_NORMAL][kmalloc_index(8)];
	struct kmem_cache *was = *first;

	(void)state;
	*first = NULL;
	assert_null(kmalloc_nolock(8, 0, KMEM_NO_NODE));
	*first = was;
	assert_no_panic();
}

/* ---- pointers that are wrong ---- */

/* Deferred frees of what is no object and no block. */
static void test_deferred_frees_of_strangers(void **state)
{
	char *large = kmalloc(4 * PAGE, GFP_KERNEL);
	char here = 0;

	(void)state;
	kfree_nolock(&here);
	assert_panicked(&here, "kfree_nolock", NULL);
	kfree_nolock(large + 8);
	assert_panicked(large + 8, "kfree_nolock", NULL);
	kfree_nolock(large + PAGE);
	assert_panicked(large + PAGE, "kfree_nolock", NULL);
	kfree_nolock(large);
	assert_no_panic();
}

static void test_exact_pages_that_are_not(void **state)
{
	char *p = alloc_pages_exact(3 * PAGE, GFP_KERNEL);
	char *block = (char *)__get_free_pages(GFP_KERNEL, 1);

	(void)state;
	free_pages_exact(p + 8, PAGE);
	assert_panicked(p + 8, "free_pages_exact", NULL);
	free_pages_exact(block, PAGE);
	assert_panicked(block, "free_pages_exact", "order");
	free_pages_exact(p, 3 * PAGE);
	free_pages((unsigned long)block, 1);
	assert_no_panic();
}

/* Pages that are nobody's block: reserved ones at the start of memory, so that
 * some of the places where a head could be are not described. */
static void test_no_head(void **state)
{
	static const struct test_range map[] = {
		{ MIB, MIB + 64 * PAGE, KMEM_REGION_USABLE, KMEM_NO_NODE },
		{ MIB, MIB + 8 * PAGE, KMEM_REGION_RESERVED, KMEM_NO_NODE },
		{ 9 * MIB, 33 * MIB, KMEM_REGION_USABLE, KMEM_NO_NODE },
	};
	struct page *page;
	struct kmem_obj_info info;

	(void)state;
	machine(map, 3, NULL);
	page = pfn_to_page(MIB / PAGE + 3);
	assert_non_null(page);
	assert_ptr_equal(compound_head(page), page);
	assert_int_equal(kmem_page_count(page), 0);
	get_page(page);
	assert_int_equal(test_panics(), 1);
	test_panics_clear();
	assert_false(kmem_obj_lookup(page_to_virt(page), &info));
	assert_int_equal(info.state, KMEM_OBJ_UNKNOWN);
	kfree(page_to_virt(page));
	assert_panicked(page_to_virt(page), "kfree", "no memory of kmem's");
}

/* An object that an NMI, or kfree_rcu(), has freed and that is not free yet: freed
 * once more, it is said which. */
static void test_free_of_what_will_be_free(void **state)
{
	const struct { kmem_slot_t slot; const char *name; } states[] = {
		{ SLOT_NOLOCK, "found NOLOCK" }, { SLOT_RCU, "found RCU" },
	};
	char *p = kmalloc(100, GFP_KERNEL);
	struct page *page = virt_to_page(p);
	kmem_slot_t *slot = &page->slot[slab_index(page, page->slabs, p).index];

	(void)state;
	for (int i = 0; i < 2; i++) {
		*slot = states[i].slot;
		kfree(p);
		assert_panicked(p, "double free", states[i].name);
		assert_int_equal(*slot, states[i].slot);
	}
	*slot = SLOT_LIVE;
	kfree(p);
	assert_no_panic();
}

/* The kernel knows more of a caller than its address: a report has that. */
static uintptr_t name_caller(void *ctx, uintptr_t address)
{
	(void)ctx;
	return address ? 0xabcd1234 : 0;
}

static void test_report_has_the_kernels_caller(void **state)
{
	static const struct test_range map[] = {
		{ MIB, 33 * MIB, KMEM_REGION_USABLE, KMEM_NO_NODE },
	};
	static const struct kmem_hooks hooks = { .caller = name_caller };
	void *p;

	(void)state;
	machine(map, 1, &hooks);
	p = kmalloc(100, GFP_KERNEL);
	kfree(p);
	kfree(p);
	assert_panicked(p, "double free", "caller 0xabcd1234");
}

/* ---- arguments that are rare ---- */

static void test_pointer_in_a_free_object(void **state)
{
	struct kmem_cache_args args = { .use_freeptr_offset = true,
					.freeptr_offset = 2 };
	struct kmem_cache *s;

	(void)state;
	assert_null(kmem_cache_create("odd", 64, &args, 0));
	args.freeptr_offset = 64;
	assert_null(kmem_cache_create("outside", 64, &args, 0));
	args.freeptr_offset = 56;
	s = kmem_cache_create("right", 64, &args, 0);
	assert_non_null(s);
	kmem_cache_destroy(s);
}

/* On no node in particular, and on no other: where it is. */
static void test_resize_on_any_node(void **state)
{
	char *p = kmalloc(100, GFP_KERNEL);

	(void)state;
	assert_ptr_equal(krealloc_node_align(p, 90, 8, GFP_KERNEL |
					     __GFP_THISNODE, KMEM_NO_NODE), p);
	kfree(p);
}

static void test_resize_to_nothing(void **state)
{
	char here = 0;

	(void)state;
	assert_ptr_equal(kvrealloc(&here, 0, GFP_KERNEL), ZERO_SIZE_PTR);
	assert_panicked(&here, "kvrealloc", NULL);
	assert_null(kvrealloc(&here, 10, GFP_KERNEL));
	assert_panicked(&here, "kvrealloc", NULL);
	assert_ptr_equal(kvmemdup(&here, 0, GFP_KERNEL), ZERO_SIZE_PTR);
}

/* Growing in place and shrinking, where vmalloc() could be had. */
static void test_resize_with_vmalloc(void **state)
{
	char *p = kmalloc(3 * PAGE, GFP_KERNEL), *q;

	(void)state;
	assert_int_equal(host_vmalloc(4 * MIB), KMEM_OK);
	test_fill(p, 2 * PAGE, 7);
	assert_ptr_equal(kvrealloc(p, 4 * PAGE, GFP_KERNEL), p);
	q = kvrealloc(p, 2 * PAGE, GFP_KERNEL);
	assert_non_null(q);
	assert_null(test_changed(q, 2 * PAGE, 7));
	q = kvrealloc(q, 5 * PAGE, GFP_KERNEL);
	assert_non_null(q);
	assert_null(test_changed(q, 2 * PAGE, 7));
	kvfree(q);
}

/* And where it could not, or is not wanted. */
static void test_resize_without_vmalloc(void **state)
{
	char *p = kmalloc(100, GFP_KERNEL);

	(void)state;
	test_fill(p, 100, 3);
	p = kvrealloc(p, 5 * PAGE, GFP_KERNEL);
	assert_non_null(p);
	assert_null(test_changed(p, 100, 3));
	kvfree(p);
}

static void test_boundary_below_the_size(void **state)
{
	struct page *page;

	(void)state;
	assert_null(alloc_pages_range(3, GFP_KERNEL, 0, PAGE));
	assert_null(alloc_pages_range(0, GFP_KERNEL, 0, 3 * PAGE));
	page = alloc_pages_range(3, GFP_KERNEL, 0, 8 * PAGE);
	assert_non_null(page);
	__free_pages(page, 3);
}

/* The name of a cache with a character that no name has. */
static void test_debug_string_of_strange_names(void **state)
{
	static const struct test_range map[] = {
		{ MIB, 33 * MIB, KMEM_REGION_USABLE, KMEM_NO_NODE },
	};
	struct kmem_params params = { .nr_cpus = 1, .debug = "F,a\x7f" };

	(void)state;
	assert_int_equal(test_machine(map, 1, &params), KMEM_EINVAL);
	params.debug = "F,a b";
	assert_int_equal(test_machine(map, 1, &params), KMEM_EINVAL);
	params.debug = "F,a";
	assert_int_equal(test_machine(map, 1, &params), KMEM_OK);
}

/* The end of a zone below the beginning of it. */
static void test_zones_that_overlap(void **state)
{
	static const struct test_range map[] = {
		{ MIB, 33 * MIB, KMEM_REGION_USABLE, KMEM_NO_NODE },
	};
	struct kmem_params params = { .nr_cpus = 1, .dma_end = 24 * MIB,
				      .dma32_end = 20 * MIB };

	(void)state;
	assert_int_equal(test_machine(map, 1, &params), KMEM_EINVAL);
	params.dma32_end = 24 * MIB;
	assert_int_equal(test_machine(map, 1, &params), KMEM_OK);
}

/* ---- reserves ---- */

/* What is given to a pool and is none of its elements goes to the allocator,
 * which says so. */
static void test_pools_and_strangers(void **state)
{
	struct kmem_cache *s = kmem_cache_create("of", 80, 0, SLAB_NO_MERGE,
						 NULL);
	mempool_t *slab = mempool_create_slab_pool(2, s);
	mempool_t *mem = mempool_create_kmalloc_pool(2, 3 * PAGE);
	mempool_t *pages = mempool_create_page_pool(2, 0);
	void *of_slab = mempool_alloc_preallocated(slab);
	void *of_mem = mempool_alloc_preallocated(mem);
	struct page *of_pages = mempool_alloc_preallocated(pages);
	struct page *block = alloc_page(GFP_KERNEL), *freed;
	char *large = kmalloc(3 * PAGE, GFP_KERNEL), here = 0;

	(void)state;
	mempool_free(large, slab);
	assert_int_equal(test_panics(), 1);
	test_panics_clear();
	mempool_free(&here, mem);
	assert_panicked(&here, NULL, NULL);
	mempool_free(page_to_virt(block), mem);
	assert_panicked(page_to_virt(block), NULL, NULL);
	mempool_free(large + 8, mem);
	assert_panicked(large + 8, NULL, NULL);
	freed = alloc_page(GFP_KERNEL);
	__free_page(freed);
	mempool_free(freed, pages);
	assert_panicked(page_to_virt(freed), "free", NULL);
	assert_sound();
	kfree(large);
	__free_page(block);
	mempool_free(of_slab, slab);
	mempool_free(of_mem, mem);
	mempool_free(of_pages, pages);
	mempool_destroy(pages);
	mempool_destroy(mem);
	mempool_destroy(slab);
	kmem_cache_destroy(s);
}

/* ---- hooks that do nothing ---- */

static unsigned asked;

static size_t promise(void *ctx, const struct kmem_pressure *p)
{
	(void)ctx;
	(void)p;
	asked++;
	return 1;
}

/* A kernel that always says that it has freed something is asked again, and not
 * for ever. */
static void test_promises_come_to_an_end(void **state)
{
	static const struct test_range map[] = {
		{ MIB, 33 * MIB, KMEM_REGION_USABLE, KMEM_NO_NODE },
	};
	static const struct kmem_hooks hooks = { .reclaim = promise };

	(void)state;
	machine(map, 1, &hooks);
	asked = 0;
	while (alloc_pages(GFP_KERNEL | QUIET, KMEM_MAX_ORDER))
		;
	assert_in_range(asked, 2, 1000);
	assert_sound();
}

/* A pool whose allocator has nothing, and nobody to wait for. */
static void *nothing(gfp_t gfp, void *data)
{
	(void)gfp;
	return *(bool *)data ? NULL : malloc(8);
}

static void give(void *element, void *data)
{
	(void)data;
	free(element);
}

static void test_empty_pool_without_a_wait_hook(void **state)
{
	bool dry = false;
	mempool_t *pool = mempool_create(1, nothing, give, &dry);
	void *last;

	(void)state;
	dry = true;
	last = mempool_alloc(pool, GFP_KERNEL);
	assert_non_null(last);
	assert_null(mempool_alloc(pool, GFP_KERNEL));
	assert_panicked(NULL, "there is no wait hook", NULL);
	assert_null(mempool_alloc(pool, GFP_ATOMIC));
	mempool_free(last, pool);
	mempool_destroy(pool);
}

/* A shrinker is freed while it runs: whoever frees it waits, by the hook. */
static struct shrinker *running;

static void let_it_end(void *ctx, const struct kmem_pressure *p)
{
	(void)ctx;
	(void)p;
	asked++;
	running->running = false;
	list_del(&running->list);
	list_init(&running->list);
}

static unsigned long none(struct shrinker *s, struct shrink_control *sc)
{
	(void)s;
	(void)sc;
	return 0;
}

static void test_shrinker_that_runs_is_waited_for(void **state)
{
	static const struct test_range map[] = {
		{ MIB, 33 * MIB, KMEM_REGION_USABLE, KMEM_NO_NODE },
	};
	static const struct kmem_hooks hooks = { .wait = let_it_end };

	(void)state;
	machine(map, 1, &hooks);
	running = shrinker_alloc(0, "busy");
	running->count_objects = none;
	running->scan_objects = none;
	shrinker_register(running);
	running->running = true;
	asked = 0;
	shrinker_free(running);
	assert_int_equal(asked, 1);
	assert_sound();
}

/* ---- where memory is ---- */

/* No memory for devices that reach little: requests for it are refused, by all
 * ways. */
static void test_no_dma_memory(void **state)
{
	static const struct test_range map[] = {
		{ 64 * MIB, 96 * MIB, KMEM_REGION_USABLE, KMEM_NO_NODE },
	};
	struct page *page[2] = { NULL, NULL };

	(void)state;
	machine(map, 1, NULL);
	assert_null(alloc_page(GFP_DMA | QUIET));
	assert_null(alloc_page(GFP_DMA | GFP_ATOMIC | QUIET));
	assert_int_equal(alloc_pages_bulk(GFP_DMA | QUIET, 2, page), 0);
	assert_int_equal(alloc_pages_bulk_node(GFP_KERNEL | __GFP_THISNODE, 7,
					       2, page), 0);
	assert_null(page[0]);
	assert_sound();
}

/* A run of pages over a hole: what is above it is too short, so it must be looked
 * for below; and each page on its own. */
static void test_contig_below_a_hole(void **state)
{
	static const struct test_range map[] = {
		{ 32 * MIB, 56 * MIB, KMEM_REGION_USABLE, KMEM_NO_NODE },
		{ 96 * MIB, 104 * MIB, KMEM_REGION_USABLE, KMEM_NO_NODE },
	};
	struct page *page;

	(void)state;
	machine(map, 2, NULL);
	page = alloc_contig_pages(10 * MIB / PAGE, GFP_KERNEL, KMEM_NO_NODE,
				  NULL);
	assert_non_null(page);
	assert_true(page_to_phys(page) + 10 * MIB <= 56 * MIB);
	free_contig_range(page_to_pfn(page), 10 * MIB / PAGE);
	assert_no_panic();
	kmem_trim(KMEM_TRIM);
	assert_sound();
}

/* Longer than is looked at in one step. */
static void test_contig_of_many_blocks(void **state)
{
	static const struct test_range map[] = {
		{ 32 * MIB, 672 * MIB, KMEM_REGION_USABLE, KMEM_NO_NODE },
	};
	const size_t nr = 400 * MIB / PAGE;
	struct page *page;

	(void)state;
	machine(map, 1, NULL);
	page = alloc_contig_pages(nr, GFP_KERNEL, KMEM_NO_NODE, NULL);
	assert_non_null(page);
	free_contig_range(page_to_pfn(page), nr);
	assert_no_panic();
}

/* A range that begins with memory of kmem's own, which is of no zone. */
static void test_contig_range_of_no_zone(void **state)
{
	uintptr_t pfn = page_to_pfn(virt_to_page(zones.node[0]));

	(void)state;
	assert_int_not_equal(alloc_contig_range(pfn, pfn + 1, 0, GFP_KERNEL),
			     0);
	assert_sound();
}

/* Nodes with large numbers, whose memory alternates: a run of one has a hole where
 * the other's memory is, and is told from it. */
static const struct test_range alternating[] = {
	{ 32 * MIB, 48 * MIB, KMEM_REGION_USABLE, 3 },
	{ 48 * MIB, 64 * MIB, KMEM_REGION_USABLE, 40 },
	{ 64 * MIB, 80 * MIB, KMEM_REGION_USABLE, 3 },
	{ 80 * MIB, 96 * MIB, KMEM_REGION_USABLE, 40 },
};

static void test_contig_of_one_node(void **state)
{
	const uint64_t only_40 = (uint64_t)1 << 40, only_3 = 8;
	struct page *page;

	(void)state;
	machine(alternating, 4, NULL);
	page = alloc_contig_pages(1024, GFP_KERNEL, KMEM_NO_NODE, &only_40);
	assert_non_null(page);
	assert_int_equal(page_to_nid(page), 40);
	free_contig_range(page_to_pfn(page), 1024);
	page = alloc_contig_pages(1024, GFP_KERNEL, KMEM_NO_NODE, &only_3);
	assert_non_null(page);
	assert_int_equal(page_to_nid(page), 3);
	free_contig_range(page_to_pfn(page), 1024);
	/* 16 MiB at most lie side by side */
	assert_null(alloc_contig_pages(20 * MIB / PAGE, GFP_KERNEL | QUIET, 3,
				       &only_3));
	assert_no_panic();
}

static bool count_object(void *obj, void *arg)
{
	(void)obj;
	++*(unsigned *)arg;
	return true;
}

static void test_walk_of_two_nodes(void **state)
{
	struct kmem_cache *s;
	void *p[60];
	unsigned seen = 0;

	(void)state;
	machine(alternating, 4, NULL);
	s = kmem_cache_create("walked", 500, 0, SLAB_NO_MERGE, NULL);
	for (int i = 0; i < 60; i++) {
		p[i] = kmem_cache_alloc_node(s, GFP_KERNEL, i & 1 ? 3 : 40);
		assert_int_equal(page_to_nid(virt_to_page(p[i])),
				 i & 1 ? 3 : 40);
	}
	assert_true(kmem_cache_walk(s, count_object, &seen));
	assert_int_equal(seen, 60);
	for (int i = 0; i < 60; i++)
		kmem_cache_free(s, p[i]);
	kmem_cache_destroy(s);
}

/* An object of a node that two CPUs have freed. */
static void test_second_copy_of_a_node(void **state)
{
	struct kmem_cache *s;
	kmem_slot_t *slot;
	struct page *page;
	void *p, *q;

	(void)state;
	if (KMEM_HARDEN)
		skip();			/* it is in quarantine */
	machine(alternating, 4, NULL);
	s = kmem_cache_create("twice", 100, 0, SLAB_NO_MERGE, NULL);
	p = kmem_cache_alloc_node(s, GFP_KERNEL, 3);
	page = virt_to_page(p);
	kmem_cache_free(s, p);
	slot = &page->slot[slab_index(page, &s->slabs, p).index];
	kmem_store_relaxed(slot, SLOT_LIVE);
	q = kmem_cache_alloc_node(s, GFP_KERNEL, 3);
	assert_panicked(p, "freed twice", NULL);
	assert_non_null(q);
	assert_ptr_not_equal(p, q);
	kmem_cache_free(s, q);
	kmem_cache_free(s, p);
	kmem_cache_destroy(s);
}

/* Of a cache that is debugged; and those that can't be had, though they must,
 * with nobody to wait for. */
static void test_objects_of_a_node(void **state)
{
	struct kmem_cache *s, *watched;
	void *p;

	(void)state;
	machine(alternating, 4, NULL);
	watched = kmem_cache_create("watched", 100, 0, SLAB_RED_ZONE, NULL);
	p = kmem_cache_alloc_node(watched, GFP_KERNEL | __GFP_ZERO, 40);
	assert_int_equal(page_to_nid(virt_to_page(p)), 40);
	((char *)p)[100] = 1;
	kmem_cache_free(watched, p);
	assert_panicked(p, "red zone", NULL);
	kmem_cache_destroy(watched);
	s = kmem_cache_create("all", 4096, 0, SLAB_NO_MERGE, NULL);
	while (kmem_cache_alloc_node(s, GFP_KERNEL | __GFP_THISNODE | QUIET,
				     3))
		;
	assert_null(kmem_cache_alloc_node(s, GFP_KERNEL | __GFP_THISNODE |
					  __GFP_NOFAIL, 3));
	assert_panicked(NULL, "there is no wait hook", NULL);
	assert_sound();
}

/* What was put aside by an NMI is looked for in all of memory, over holes. */
static void test_scan_over_a_hole(void **state)
{
	static const struct test_range map[] = {
		{ 32 * MIB, 40 * MIB, KMEM_REGION_USABLE, KMEM_NO_NODE },
		{ 96 * MIB, 104 * MIB, KMEM_REGION_USABLE, KMEM_NO_NODE },
	};
	struct kmem_cache *s;
	struct magazine_cpu *c;
	kmem_slot_t *slot;
	struct page *page;
	void *p, *q;

	(void)state;
	machine(map, 2, NULL);
	s = kmem_cache_create("aside", 200, 0, SLAB_NO_MERGE, NULL);
	p = kmem_cache_alloc(s, GFP_KERNEL);
	page = virt_to_page(p);
	slot = &page->slot[slab_index(page, &s->slabs, p).index];
	q = kmem_cache_alloc(s, GFP_KERNEL);
	lock_take(&s->slabs.node[0].lock);
	c = magazine_enter(&s->magazine);
	kfree_nolock(q);			/* not before the next drain */
	magazine_exit(c);
	lock_release(&s->slabs.node[0].lock);
	kmem_store_relaxed(slot, SLOT_NOLOCK);
	zones_scan_later();
	kmem_trim(KMEM_TRIM);
	kmem_trim(KMEM_DRAIN);
	assert_int_not_equal(*slot, SLOT_NOLOCK);
	kmem_cache_destroy(s);
	assert_no_panic();
}

/* Memory up to the last byte that there is; a run there that is no whole page; all
 * of it with one range. Far more than there is, so it is only planned. */
static void test_memory_up_to_the_end(void **state)
{
	const kmem_phys_t end = 0 - (kmem_phys_t)MIB;
	const struct kmem_params params = { .nr_cpus = 1, .direct_map_end = GIB };
	struct kmem_boot_info info;

	(void)state;
	NEEDS_64_BIT();
	kmem_reset();
	assert_int_equal(kmem_add_region(MIB, 32 * MIB, KMEM_REGION_USABLE,
					 KMEM_NO_NODE), KMEM_OK);
	assert_int_equal(kmem_add_region(end, MIB, KMEM_REGION_USABLE,
					 KMEM_NO_NODE), KMEM_OK);
	assert_int_equal(kmem_boot_plan(&params, &info), KMEM_OK);
	assert_int_equal(info.usable, 33 * MIB);
	assert_int_equal(info.usable_pages, 33 * MIB / PAGE);
	kmem_reset();
	assert_int_equal(kmem_add_region(MIB, 32 * MIB, KMEM_REGION_USABLE,
					 KMEM_NO_NODE), KMEM_OK);
	assert_int_equal(kmem_add_region(0 - (kmem_phys_t)100, 100,
					 KMEM_REGION_USABLE, KMEM_NO_NODE),
			 KMEM_OK);
	assert_int_equal(kmem_boot_plan(&params, &info), KMEM_OK);
	assert_int_equal(info.usable_pages, 32 * MIB / PAGE);
	kmem_reset();
	assert_int_equal(kmem_add_region(MIB, 0 - (kmem_phys_t)MIB,
					 KMEM_REGION_USABLE, KMEM_NO_NODE),
			 KMEM_OK);
	assert_int_equal(kmem_boot_plan(&params, &info), KMEM_OK);
	assert_true(info.usable == end);
	assert_true(info.unreachable == (kmem_phys_t)0 - GIB);
	host_machine(32 * MIB, 1);
}

/* Two windows that overlap: the first one is believed. */
static void test_windows_that_overlap(void **state)
{
	static const struct test_range map[] = {
		{ 0, 32 * MIB, KMEM_REGION_NODE, 1 },
		{ 16 * MIB, 64 * MIB, KMEM_REGION_NODE, 2 },
		{ 8 * MIB, 48 * MIB, KMEM_REGION_USABLE, KMEM_NO_NODE },
	};

	(void)state;
	machine(map, 3, NULL);
	assert_int_equal(page_to_nid(pfn_to_page(20 * MIB / PAGE)), 1);
	assert_int_equal(page_to_nid(pfn_to_page(40 * MIB / PAGE)), 2);
}

/* Ends that say more than there is, or less, of where tables and more memory may
 * be. */
static void test_ends_that_are_far(void **state)
{
	static const struct test_range map[] = {
		{ MIB, 33 * MIB, KMEM_REGION_USABLE, KMEM_NO_NODE },
	};
	struct kmem_params params = {
		.nr_cpus = 1, .direct_map_end = 20 * MIB,
		.metadata_end = 24 * MIB, .hotplug_end = 10 * MIB,
	};

	(void)state;
	assert_int_equal(test_machine(map, 1, &params), KMEM_OK);
	assert_int_equal(kmem_boot_info()->unreachable, 13 * MIB);
	assert_true(virt_to_phys(zones.node[0]) < 20 * MIB);
	assert_non_null(pfn_to_page(20 * MIB / PAGE - 1));
	assert_null(pfn_to_page(33 * MIB / PAGE + 1024));
}

static void see_two_nodes(void *ctx, const char *line)
{
	lines += strstr(line, "2 nodes") != NULL;
	(void)ctx;
}

static void test_report_of_two_nodes(void **state)
{
	(void)state;
	machine(alternating, 4, NULL);
	lines = 0;
	kmem_report(see_two_nodes, NULL);
	assert_true(lines > 0);
}

/* Caches of one shape that exist already, and others behind them. */
static void test_sharing_looks_at_all(void **state)
{
	static const struct test_range map[] = {
		{ MIB, 33 * MIB, KMEM_REGION_USABLE, KMEM_NO_NODE },
	};
	const struct kmem_params params = { .merge_caches = true };
	struct kmem_cache *a, *b, *c, *d;

	(void)state;
	assert_int_equal(test_machine(map, 1, &params), KMEM_OK);
	a = kmem_cache_create("first", 5000, 0, 0, NULL);
	b = kmem_cache_create("other", 3000, 0, 0, NULL);
	c = kmem_cache_create("second", 5000, 0, 0, NULL);
	d = kmem_cache_create("third", 3000, 0, 0, NULL);
	assert_ptr_equal(a, c);
	assert_ptr_equal(b, d);
	kmem_cache_destroy(d);
	kmem_cache_destroy(c);
	kmem_cache_destroy(b);
	kmem_cache_destroy(a);
}

/* What is debugged is not shared, though nothing is left to be debugged of it: what
 * would need larger slabs was left out. */
static void test_debugged_is_not_shared(void **state)
{
	static const struct test_range map[] = {
		{ MIB, 33 * MIB, KMEM_REGION_USABLE, KMEM_NO_NODE },
	};
	const struct kmem_params params = { .merge_caches = true,
					    .debug = "ZO,first" };
	struct kmem_cache *a, *b;

	(void)state;
	assert_int_equal(test_machine(map, 1, &params), KMEM_OK);
	a = kmem_cache_create("first", PAGE, PAGE, 0, NULL);
	b = kmem_cache_create("second", PAGE, PAGE, 0, NULL);
	assert_ptr_not_equal(a, b);
	kmem_cache_destroy(b);
	kmem_cache_destroy(a);
}

/* What comes later is below all that is there, or is no memory that the map knows
 * of. */
static void test_later_memory_below(void **state)
{
	static const struct test_range map[] = {
		{ 4 * MIB, 32 * MIB, KMEM_REGION_USABLE, KMEM_NO_NODE },
		{ 2 * MIB, 4 * MIB, KMEM_REGION_LATER, KMEM_NO_NODE },
	};
	const struct kmem_params params = { .nr_cpus = 1,
					    .hotplug_end = 128 * MIB };
	struct page *page;
	size_t was;

	(void)state;
	assert_int_equal(test_machine(map, 2, &params), KMEM_OK);
	was = nr_free_pages();
	assert_int_equal(kmem_release_region(120 * MIB, MIB), KMEM_EINVAL);
	assert_int_equal(nr_free_pages(), was);
	assert_int_equal(kmem_release_region(2 * MIB, 2 * MIB), KMEM_OK);
	assert_int_equal(nr_free_pages(), was + 2 * MIB / PAGE);
	page = pfn_to_page(2 * MIB / PAGE);
	assert_int_equal(page_zone(page)->start_pfn, 2 * MIB / PAGE);
	assert_sound();
}

/* Page blocks of which a part is a hole, or another zone's, change their mobility
 * like others; one that begins below its zone has none to lose. */
static void test_page_blocks_that_are_not_whole(void **state)
{
	static const struct test_range map[] = {
		{ MIB, 33 * MIB, KMEM_REGION_USABLE, KMEM_NO_NODE },
		{ 39 * MIB, 64 * MIB, KMEM_REGION_USABLE, KMEM_NO_NODE },
	};
	const struct kmem_params params = { .nr_cpus = 1,
		.dma_end = 17 * MIB, .dma32_end = 17 * MIB };
	const size_t first = MIB / PAGE;
	size_t was;

	(void)state;
	assert_int_equal(test_machine(map, 2, &params), KMEM_OK);
	was = test_pages();
	for (unsigned order = 0; order <= 3; order += 3) {
		struct page *all = NULL, *page;
		gfp_t gfp = order ? GFP_KERNEL : GFP_KERNEL | __GFP_MOVABLE;

		while ((page = alloc_pages(gfp | __GFP_NORETRY | QUIET, order))) {
			*(struct page **)page_to_virt(page) = all;
			all = page;
		}
		assert_sound();
		while ((page = all)) {
			all = *(struct page **)page_to_virt(page);
			__free_pages(page, order);
		}
		assert_sound();
	}
	test_drain(1);
	assert_int_equal(test_pages(), was);
	assert_int_equal(kmem_remove_memory(first * PAGE, 16 * PAGE), KMEM_OK);
	assert_sound();
	assert_int_equal(kmem_add_memory(first * PAGE, 16 * PAGE, KMEM_NO_NODE),
			 KMEM_OK);
	assert_sound();
	assert_int_equal(test_pages(), was);
}

/* With ever more memory kmem_init() comes further, is refused, and leaves
 * nothing; then it starts, and does so with all that is more. */
static void test_ever_more_memory(void **state)
{
	bool runs = false;
	unsigned least = 0;

	(void)state;
	for (unsigned pages = 1; pages < 240; pages++) {
		const kmem_phys_t at = pages & 1 ? MIB : 0;
		const struct test_range map[] = {
			{ at, at + pages / 2 * PAGE + PAGE,
			  KMEM_REGION_USABLE, KMEM_NO_NODE },
		};
		int err = test_machine(map, 1, NULL);

		if (err == KMEM_OK) {
			if (!runs)
				least = pages / 2 + 1;
			runs = true;
			assert_sound();
		} else {
			assert_false(runs && pages > 2 * least);
		}
	}
	assert_true(runs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_figures_before_the_start),
		CASE(test_nmi_during_the_start),
		CASE(test_deferred_frees_of_strangers),
		CASE(test_exact_pages_that_are_not),
		CASE(test_no_head),
		CASE(test_free_of_what_will_be_free),
		CASE(test_report_has_the_kernels_caller),
		CASE(test_pointer_in_a_free_object),
		CASE(test_resize_on_any_node),
		CASE(test_resize_to_nothing),
		CASE(test_resize_with_vmalloc),
		CASE(test_resize_without_vmalloc),
		CASE(test_boundary_below_the_size),
		CASE(test_debug_string_of_strange_names),
		CASE(test_zones_that_overlap),
		CASE(test_pools_and_strangers),
		CASE(test_promises_come_to_an_end),
		CASE(test_empty_pool_without_a_wait_hook),
		CASE(test_shrinker_that_runs_is_waited_for),
		CASE(test_no_dma_memory),
		CASE(test_contig_below_a_hole),
		CASE(test_contig_of_many_blocks),
		CASE(test_contig_range_of_no_zone),
		CASE(test_contig_of_one_node),
		CASE(test_walk_of_two_nodes),
		CASE(test_second_copy_of_a_node),
		CASE(test_objects_of_a_node),
		CASE(test_scan_over_a_hole),
		CASE(test_memory_up_to_the_end),
		CASE(test_windows_that_overlap),
		CASE(test_ends_that_are_far),
		CASE(test_report_of_two_nodes),
		CASE(test_sharing_looks_at_all),
		CASE(test_debugged_is_not_shared),
		CASE(test_later_memory_below),
		CASE(test_page_blocks_that_are_not_whole),
		CASE(test_ever_more_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
