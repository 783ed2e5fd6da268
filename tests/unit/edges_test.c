// SPDX-License-Identifier: MIT
/*
 * tests/unit/edges_test.c - what is rarely asked, and what rarely happens.
 *
 * Calls too early, with nothing, or with more than there is: refused, and
 * nothing is changed. Hooks that are missing. States that only CPUs that race,
 * or wild writes, bring about: made by hand, and then reported. One group a
 * module; what is usual is in that module's own tests.
 */
#include "unit.h"
#include "cache.h"
#include "format.h"
#include "grace.h"
#include "kmalloc.h"
#include "list.h"
#include "page_alloc.h"

#define BYTES	(32 * MIB)

static void machine(const struct kmem_hooks *hooks)
{
	const struct test_range map[] = {
		{ MIB, MIB + BYTES, KMEM_REGION_USABLE, KMEM_NO_NODE },
	};
	const struct kmem_params params = { .nr_cpus = 1, .hooks = hooks };

	assert_int_equal(test_machine(map, 1, &params), KMEM_OK);
	host_cpu_set(0);
}

static int setup(void **state)
{
	(void)state;
	machine(NULL);
	test_panics_record();
	return 0;
}

static kmem_slot_t *slot_of(const void *p)
{
	struct page *page = virt_to_page(p);

	return &page->slot[slab_index(page, page->slabs, p).index];
}

/* What the checkers say, when they are to say something. */
static char said[200];

static void remember(void *ctx, const char *line)
{
	(void)ctx;
	snprintf(said, sizeof(said), "%s", line);
}

static bool check_says(const char *invariant)
{
	said[0] = '\0';
	return kmem_check_all(remember, NULL) == 1 && strstr(said, invariant);
}

/* ---- boot ---- */

/* It runs already, or there are no parameters. */
static void test_started_twice(void **state)
{
	const struct kmem_params params = { .nr_cpus = 1 };
	struct kmem_boot_info info;

	(void)state;
	assert_int_equal(kmem_boot_plan(&params, &info), KMEM_EBUSY);
	assert_int_equal(info.managed, 0);
	assert_int_equal(kmem_init(&params), KMEM_EBUSY);
	assert_int_equal(kmem_boot_alloc(PAGE, PAGE, 0), 0);
	kmem_reset();
	assert_int_equal(kmem_boot_plan(NULL, &info), KMEM_EINVAL);
	assert_int_equal(kmem_init(NULL), KMEM_EINVAL);
	machine(NULL);
}

/* Before there is any memory. */
static void test_before_the_start(void **state)
{
	struct page *page[2] = { NULL, NULL };

	(void)state;
	kmem_reset();
	assert_null(kmalloc_nolock(8, 0, KMEM_NO_NODE));
	assert_null(alloc_pages_nolock(0, KMEM_NO_NODE, 0));
	assert_null(alloc_pages_range(0, GFP_KERNEL, 0, 0));
	assert_null(alloc_contig_pages(1, GFP_KERNEL, KMEM_NO_NODE, NULL));
	assert_int_not_equal(alloc_contig_range(0, 1, 0, GFP_KERNEL), 0);
	assert_int_equal(alloc_pages_bulk(GFP_KERNEL, 2, page), 0);
	assert_null(page[0]);
	assert_int_equal(numa_node_id(), 0);
	machine(NULL);
}

/* ---- pages ---- */

static void test_pages_that_are_none(void **state)
{
	char here;

	(void)state;
	assert_null(kmem_page_of_pfn(UINTPTR_MAX));
	assert_null(kmem_page_of_pfn(kmem_page_map.first_pfn - 1));
	assert_null(kmem_page_of_virt(&here));
	assert_non_null(kmem_page_of_pfn(MIB / PAGE + 16));
	free_contig_range(UINTPTR_MAX - 1, 1);
	assert_panicked(NULL, "free_contig_range", "no memory of kmem's");
	free_pages_exact(NULL, PAGE);
	free_pages_exact(&here, 0);
	assert_no_panic();
	free_pages_exact(&here, PAGE);
	assert_panicked(&here, "free_pages_exact", NULL);
}

/* Of a slab, the page that its objects begin in. */
static void test_heads(void **state)
{
	struct kmem_cache *s = kmem_cache_create("large", 3000, 0, 0, NULL);
	void *p = kmem_cache_alloc(s, GFP_KERNEL);
	struct page *head = slab_head(virt_to_page(p));
	struct page *block = alloc_pages(GFP_KERNEL, 2);

	(void)state;
	assert_true(head->order > 0);
	assert_ptr_equal(compound_head(head), head);
	assert_ptr_equal(compound_head(head + 1), head);
	assert_true(PageTail(head + 1));
	assert_false(PageTail(head));
	assert_int_equal(compound_order(head + 1), 0);
	assert_int_equal(compound_order(head), head->order);
	assert_ptr_equal(compound_head(block + 3), block);
	assert_true(PageTail(block + 3));
	assert_int_equal(kmem_page_count(block + 3), 1);
	__free_pages(block, 2);
	assert_int_equal(kmem_page_count(block), 0);
	assert_false(PageHead(block));
	kmem_cache_free(s, p);
	kmem_cache_destroy(s);
}

/* The count of a block's holders was written over: said, and the block stays. */
static void test_holders_written_over(void **state)
{
	struct page *page = alloc_page(GFP_KERNEL);

	(void)state;
	get_page(page);
	kmem_store_relaxed(&page->refs, UINTPTR_MAX);
	put_page(page);
	assert_panicked(page_to_virt(page), "put_page", NULL);
	assert_int_equal(kmem_load_relaxed(&page->refs), UINTPTR_MAX);
	kmem_store_relaxed(&page->refs, 1);
	put_page(page);
	put_page(page);
}

/* Of the pages that were put into the magazine, one is somebody's: it is told,
 * and not among those that many are asked of. */
static void test_bulk_second_copy(void **state)
{
	struct page *page[8] = { NULL }, *bad;
	size_t n;

	(void)state;
	assert_int_equal(alloc_pages_bulk(GFP_KERNEL, 8, page), 8);
	for (int i = 0; i < 8; i++)
		__free_page(page[i]);
	bad = alloc_page(GFP_KERNEL);
	__free_page(bad);
	assert_int_equal(page_type(bad), PAGE_CACHED);
	page_set_type(bad, PAGE_ALLOCATED);
	memset(page, 0, sizeof(page));
	n = alloc_pages_bulk(GFP_KERNEL, 8, page);
	assert_panicked(page_to_virt(bad), "freed twice", NULL);
	for (size_t i = 0; i < n; i++) {
		assert_ptr_not_equal(page[i], bad);
		__free_page(page[i]);
	}
	__free_page(bad);
}

/* The same of objects: what is behind it in the magazine is for the next call; and
 * one that is given back twice by one call. */
static void test_bulk_second_copy_of_an_object(void **state)
{
	struct kmem_cache *s = kmem_cache_create("bulk", 100, 0, 0, NULL);
	void *p[8], *bad;

	(void)state;
	assert_int_equal(kmem_cache_alloc_bulk(s, GFP_KERNEL, 8, p), 8);
	kmem_cache_free_bulk(s, 8, p);
	bad = kmem_cache_alloc(s, GFP_KERNEL);
	kmem_cache_free(s, bad);
	*slot_of(bad) = SLOT_LIVE;
	assert_int_equal(kmem_cache_alloc_bulk(s, GFP_KERNEL, 4, p), 4);
	assert_panicked(bad, "freed twice", NULL);
	for (int i = 0; i < 4; i++)
		assert_ptr_not_equal(p[i], bad);
	kmem_cache_free(s, bad);
	p[3] = p[2];
	kmem_cache_free_bulk(s, 4, p);
	assert_panicked(p[2], "double free", NULL);
	kmem_cache_shrink(s);
	assert_sound();
	kmem_cache_destroy(s);
	assert_int_equal(test_panics(), 1);	/* p[3] is live */
	test_panics_clear();
}

static unsigned asked;
static void *spare;

static size_t reclaim(void *ctx, const struct kmem_pressure *p)
{
	void *give = spare;

	(void)ctx;
	(void)p;
	asked++;
	spare = NULL;
	free_contig_range(give ? page_to_pfn(virt_to_page(give)) : 0,
			  give ? 1024 : 0);
	return give ? 1024 : 0;
}

/* A long run is not there: who may wait asks the kernel for it; who may not,
 * doesn't, and a word is said unless it is unwanted. */
static void test_contig_reclaims(void **state)
{
	static const struct kmem_hooks hooks = {
		.log = test_log, .reclaim = reclaim,
	};
	static struct page *run[64];
	struct page *page;
	size_t n = 0;

	(void)state;
	machine(&hooks);
	asked = 0;
	spare = NULL;
	while ((run[n] = alloc_contig_pages(1024, GFP_NOWAIT | __GFP_NOWARN,
					    KMEM_NO_NODE, NULL)))
		n++;
	assert_in_range(n, 2, 8);
	test_log_clear();
	assert_null(alloc_contig_pages(1024, GFP_NOWAIT & ~__GFP_NOWARN,
				       KMEM_NO_NODE, NULL));
	assert_true(test_logged("no 1024 pages side by side"));
	assert_int_equal(asked, 0);
	memset(page_to_virt(run[n - 1]), 0xaa, 1024 * PAGE);
	spare = page_to_virt(run[--n]);
	page = alloc_contig_pages(1024, GFP_KERNEL | __GFP_ZERO, KMEM_NO_NODE,
				  NULL);
	assert_non_null(page);
	assert_true(asked > 0);
	for (size_t i = 0; i < 1024 * PAGE; i += 512)
		assert_int_equal(((char *)page_to_virt(page))[i], 0);
	free_contig_range(page_to_pfn(page), 1024);
	while (n)
		free_contig_range(page_to_pfn(run[--n]), 1024);
}

static void test_contig_range_zeroed(void **state)
{
	struct page *page = alloc_pages(GFP_KERNEL, 3);
	uintptr_t pfn = page_to_pfn(page);

	(void)state;
	memset(page_to_virt(page), 0xaa, 8 * PAGE);
	assert_int_not_equal(alloc_contig_range(pfn, pfn + 8, 0, GFP_KERNEL), 0);
	__free_pages(page, 3);
	assert_int_not_equal(alloc_contig_range(pfn, pfn, 0, GFP_KERNEL), 0);
	assert_int_not_equal(alloc_contig_range(0, 1, 0, GFP_KERNEL), 0);
	assert_int_not_equal(alloc_contig_range(pfn, pfn + BYTES, 0,
						GFP_KERNEL), 0);
	assert_int_equal(alloc_contig_range(pfn, pfn + 8, 0,
					    GFP_KERNEL | __GFP_ZERO), 0);
	for (size_t i = 0; i < 8 * PAGE; i++)
		assert_int_equal(((char *)page_to_virt(page))[i], 0);
	free_contig_range(pfn, 8);
}

/* Boundaries and alignments that are none, or that nothing can keep to. */
static void test_impossible_blocks(void **state)
{
	(void)state;
	assert_null(alloc_pages_range(KMEM_MAX_ORDER + 1, GFP_KERNEL, 0, 0));
	assert_null(alloc_pages_range(1, GFP_KERNEL, 0, 3 * PAGE));
	assert_null(alloc_pages_range(1, GFP_KERNEL, 0, PAGE));
	assert_null(alloc_pages_exact_range(0, GFP_KERNEL, 0, 0, 0));
	assert_null(alloc_pages_exact_range((PAGE << KMEM_MAX_ORDER) + 1,
					    GFP_KERNEL, 0, 0, 0));
	assert_null(alloc_pages_exact_range(PAGE, GFP_KERNEL, 0, 3, 0));
	assert_null(alloc_pages_exact_range(PAGE, GFP_KERNEL, 0,
					    PAGE << (KMEM_MAX_ORDER + 1), 0));
	assert_null(alloc_pages_exact_range(PAGE, GFP_KERNEL, 0, 0, 3));
	assert_null(alloc_pages_exact_range(3 * PAGE, GFP_KERNEL, 0, 0, PAGE));
	assert_null(alloc_contig_pages(0, GFP_KERNEL, KMEM_NO_NODE, NULL));
	assert_null(alloc_contig_pages(BYTES, GFP_KERNEL, KMEM_NO_NODE, NULL));
	assert_null(alloc_contig_pages(1, GFP_KERNEL | __GFP_THISNODE, 77,
				       NULL));
	assert_no_panic();
}

/* ---- objects ---- */

static void test_sizes_that_overflow(void **state)
{
	size_t half = SIZE_MAX / 2 + 1;

	(void)state;
	assert_null(kmalloc_array(half, 2, GFP_KERNEL));
	assert_null(kvmalloc_array_node(half, 2, GFP_KERNEL, KMEM_NO_NODE));
	assert_null(kcalloc(2, half, GFP_KERNEL));
	assert_no_panic();
}

/* Freed twice by CPUs that raced: the second copy comes to whoever asks a node. */
static void test_node_second_copy(void **state)
{
	struct kmem_cache *s = kmem_cache_create("twice", 100, 0, 0, NULL);
	void *p = kmem_cache_alloc(s, GFP_KERNEL), *q;

	(void)state;
	kmem_cache_free(s, p);
	kmem_store_relaxed(slot_of(p), SLOT_LIVE);
	q = kmem_cache_alloc_node(s, GFP_KERNEL, 0);
	assert_panicked(p, "freed twice", NULL);
	assert_non_null(q);
	assert_ptr_not_equal(p, q);
	kmem_cache_free(s, q);
	kmem_cache_free(s, p);
	kmem_cache_destroy(s);
}

/* A chain of free objects leads nowhere: said, the slab's free objects are not
 * given out, and what is in use can be freed. */
static void test_broken_chain(void **state)
{
	struct kmem_cache *s = kmem_cache_create("chain", 1000, 0, 0, NULL);
	void *p = kmem_cache_alloc(s, GFP_KERNEL), *q;
	struct page *head = slab_head(virt_to_page(p));
	unsigned objects = slab_objects(head);

	(void)state;
	test_drain(1);
	assert_int_equal(head->inuse, 1);
	head->free = (kmem_slot_t)objects;
	q = kmem_cache_alloc(s, GFP_KERNEL);
	assert_panicked(page_to_virt(head), "freed twice", "are lost");
	assert_ptr_not_equal(slab_head(virt_to_page(q)), head);
	assert_int_equal(head->inuse, objects);
	assert_sound();
	kmem_cache_free(s, q);
	kmem_cache_free(s, p);
	for (unsigned i = 0; i < objects; i++)	/* they count as live */
		if (*slab_slot(head, i) == SLOT_LIVE)
			kmem_cache_free(s, slab_object(head, i));
	assert_no_panic();
	kmem_cache_destroy(s);
}

/* The same where nobody may wait. */
static void test_broken_chain_without_waiting(void **state)
{
	struct kmem_cache *s = kmem_cache_create("chain", 1000, 0, 0, NULL);
	void *p = kmem_cache_alloc(s, GFP_KERNEL);
	struct page *head = slab_head(virt_to_page(p));
	struct round r = { NULL, NULL };

	(void)state;
	test_drain(1);
	head->free = (kmem_slot_t)slab_objects(head);
	assert_false(slabs_try_take(&s->slabs, 0, &r));
	assert_null(r.obj);
	assert_panicked(page_to_virt(head), "freed twice", "are lost");
	assert_sound();
	for (unsigned i = 0; i < slab_objects(head); i++)
		kmem_cache_free(s, slab_object(head, i));
	assert_no_panic();
	kmem_cache_destroy(s);
}

static unsigned entered;

static void enter_zones(const char *reason)
{
	if (!strstr(reason, "are lost"))
		return;
	for (unsigned i = 0; i < KMEM_ARRAY_SIZE(zones.zone); i++)
		if (zones.zone[i])
			entered += lock_try(&zones.zone[i]->lock);
}

/* A slab's pages were had, but not the slots of its objects; and then somebody
 * is in the zones, so that they can't be given back. They are put aside, and come
 * back later. */
static void test_pages_that_cannot_go_back(void **state)
{
	struct kmem_cache *s =
		kmalloc_caches[KMALLOC_NORMAL][kmalloc_index(32)];
	struct kmem_slabs *table;
	struct page *head;
	size_t before;
	void *p, *q;

	(void)state;
	p = kmalloc(32, GFP_KERNEL);
	table = virt_to_page(virt_to_page(p)->slot)->slabs;
	assert_string_equal(table->name, "slots-128");
	kfree(p);
	test_drain(1);
	assert_int_equal(s->slabs.node[0].nr_slabs, 0);
	before = test_pages();
	assert_false(list_empty(&table->node[0].partial[0]));
	head = list_page(table->node[0].partial[0].next);
	head->free = (kmem_slot_t)slab_objects(head);
	entered = 0;
	host_on_panic(enter_zones);
	q = kmalloc_nolock(32, 0, KMEM_NO_NODE);
	test_panics_record();
	for (unsigned i = 0; i < KMEM_ARRAY_SIZE(zones.zone); i++)
		if (zones.zone[i])
			lock_release(&zones.zone[i]->lock);
	assert_true(entered > 0);
	assert_null(q);
	assert_int_equal(kmem_load_relaxed(&zones.later), 1);
	assert_int_equal(test_pages(), before - 1);
	test_drain(1);
	kmem_trim(KMEM_DRAIN);
	assert_int_equal(kmem_load_relaxed(&zones.later), 0);
	assert_int_equal(test_pages(), before);
}

/* What was found without the lock need not be so with it: the page is of another
 * cache's slab, inside a slab, of another zone. */
static void test_no_beginning_of_a_slab(void **state)
{
	const struct test_range map[] = {
		{ 8 * MIB, 40 * MIB, KMEM_REGION_USABLE, KMEM_NO_NODE },
	};
	const struct kmem_params params = { .nr_cpus = 1,
					    .dma_end = 16 * MIB };
	struct kmem_cache *s, *other;
	struct page *head, *page;
	struct zone *z, *dma;
	uintptr_t pfn;

	(void)state;
	assert_int_equal(test_machine(map, 1, &params), KMEM_OK);
	s = kmem_cache_create("begins", 3000, 0, 0, NULL);
	other = kmem_cache_create("other", 100, 0, 0, NULL);
	head = slab_head(virt_to_page(kmem_cache_alloc(s, GFP_KERNEL)));
	assert_true(head->order > 0);
	z = page_zone(head);
	dma = &z->node->zone[ZONE_DMA];
	assert_ptr_not_equal(z, dma);
	pfn = page_to_pfn(head);
	assert_ptr_equal(slab_beginning_at(&s->slabs, z, pfn), head);
	assert_null(slab_beginning_at(&other->slabs, z, pfn));
	assert_null(slab_beginning_at(&s->slabs, dma, pfn));
	assert_null(slab_beginning_at(&s->slabs, z, 0));	/* no memory */
	page = head + 1;
	assert_null(slab_beginning_at(&s->slabs, z, pfn + 1));
	page->inuse = 1;		/* as if it had begun one before */
	assert_null(slab_beginning_at(&s->slabs, z, pfn + 1));
	page->inuse = 0;
	page = alloc_page(GFP_KERNEL);
	assert_null(slab_beginning_at(&s->slabs, z, page_to_pfn(page)));
	__free_page(page);
	assert_sound();
}

/* What comes back to the slabs is none of their objects any more. */
static void test_slabs_given_a_stranger(void **state)
{
	struct kmem_cache *s = kmem_cache_create("strict", 100, 0, 0, NULL);
	char *p = kmem_cache_alloc(s, GFP_KERNEL);
	struct round r[] = { { p + 1, slot_of(p) }, { p, slot_of(p) + 1 },
			     { p, slot_of(p) } };

	(void)state;
	for (int i = 0; i < 3; i++) {	/* the last one is LIVE */
		slabs_give(&s->slabs, &r[i], 1);
		assert_panicked(r[i].obj, "freed twice", "strict");
		assert_sound();
	}
	kmem_cache_free(s, p);
	kmem_cache_destroy(s);
	assert_no_panic();
}

/* The object that the slow path finds in the other magazine is somebody's. */
static void test_second_copy_in_the_other_magazine(void **state)
{
	struct kmem_cache *s = kmem_cache_create("copy", 100, 0, 0, NULL);
	struct magazine_cpu *c = layer_cpu(&s->magazine, 0);
	void *p[100], *bad, *q;

	(void)state;
	for (int i = 0; i < 100; i++)
		p[i] = kmem_cache_alloc(s, GFP_KERNEL);
	for (int i = 0; i < 100; i++)
		kmem_cache_free(s, p[i]);
	assert_true(c->previous_rounds > 0);
	for (int i = 0; rounds(c); i++)
		p[i] = kmem_cache_alloc(s, GFP_KERNEL);
	bad = c->previous->round[c->previous_rounds - 1].obj;
	*slot_of(bad) = SLOT_LIVE;
	q = kmem_cache_alloc(s, GFP_KERNEL);
	assert_panicked(bad, "freed twice", "copy");
	assert_non_null(q);
	assert_ptr_not_equal(q, bad);
	assert_sound();
	kmem_cache_free(s, bad);
	kmem_cache_free(s, q);
	assert_no_panic();
}

/* A CPU that is in the middle of its magazines is not trimmed. */
static void test_no_trim_of_who_is_busy(void **state)
{
	struct kmem_cache *s = kmem_cache_create("busy", 100, 0, 0, NULL);
	struct magazine_cpu *c;
	unsigned n;

	(void)state;
	kmem_cache_free(s, kmem_cache_alloc(s, GFP_KERNEL));
	c = magazine_enter(&s->magazine);
	n = rounds(c);
	assert_true(n > 0);
	magazine_trim(&s->magazine, SIZE_MAX);
	magazine_trim(&s->magazine, SIZE_MAX);
	assert_int_equal(rounds(c), n);
	magazine_exit(c);
	magazine_trim(&s->magazine, SIZE_MAX);
	magazine_trim(&s->magazine, SIZE_MAX);
	assert_int_equal(rounds(c), 0);
	kmem_cache_destroy(s);
}

/* What an address is, of a slab that goes just then: as much as is known. */
static void test_lookup_in_a_slab_that_goes(void **state)
{
	char *p = kmalloc(100, GFP_KERNEL);
	struct page *head = slab_head(virt_to_page(p));
	kmem_slot_t *slot = head->slot;
	struct kmem_obj_info info;

	(void)state;
	head->slot = NULL;
	assert_false(kmem_obj_lookup(p, &info));
	assert_int_equal(info.state, KMEM_OBJ_REST);
	assert_ptr_equal(info.slab, page_to_virt(head));
	assert_null(info.start);
	head->slot = slot;
	assert_true(kmem_obj_lookup(p, &info));
	assert_ptr_equal(info.start, p);
	kfree(p);
}

static void test_lookup_of_what_is_no_block(void **state)
{
	struct kmem_obj_info info;
	struct page *page = alloc_pages(GFP_KERNEL, 1);
	void *p = page_to_virt(page);

	(void)state;
	assert_true(kmem_obj_lookup((char *)p + PAGE + 5, &info));
	assert_int_equal(info.state, KMEM_OBJ_PAGES);
	assert_ptr_equal(info.start, p);
	assert_int_equal(info.offset, PAGE + 5);
	__free_pages(page, 1);
	assert_false(kmem_obj_lookup(p, &info));
	assert_int_equal(info.state, KMEM_OBJ_FREE_PAGES);
	assert_false(kmem_obj_lookup(zones.node[0], &info));	/* a table */
	assert_int_equal(info.state, KMEM_OBJ_UNKNOWN);
}

static void test_sheaf_of_another_cache(void **state)
{
	struct kmem_cache *s = kmem_cache_create("one", 64, 0, 0, NULL);
	struct kmem_cache *other = kmem_cache_create("two", 72, 0, 0, NULL);
	struct slab_sheaf *sheaf = kmem_cache_prefill_sheaf(s, GFP_KERNEL, 4);
	struct slab_sheaf *same = sheaf;

	(void)state;
	assert_int_equal(kmem_cache_refill_sheaf(other, GFP_KERNEL, &sheaf, 8),
			 KMEM_EINVAL);
	assert_panicked(sheaf, "of another cache", "two");
	assert_ptr_equal(sheaf, same);
	assert_int_equal(kmem_cache_sheaf_size(sheaf), 4);
	kmem_cache_return_sheaf(s, GFP_KERNEL, sheaf);

	/* one that can't grow, since the cache may not, is as it was */
	sheaf = same = kmem_cache_prefill_sheaf(other, GFP_KERNEL, 4);
	kmem_cache_set_max(other, 1);
	assert_int_equal(kmem_cache_refill_sheaf(other, GFP_KERNEL | __GFP_NOWARN,
						 &sheaf, 1000), KMEM_ENOMEM);
	assert_ptr_equal(sheaf, same);
	assert_int_equal(kmem_cache_sheaf_size(sheaf), 4);
	kmem_cache_return_sheaf(other, GFP_KERNEL, sheaf);
	kmem_cache_destroy(other);
	kmem_cache_destroy(s);
}

/* An interrupt lands in a fast path of the same cache, and allocates and frees
 * many: past the magazines, which are whole afterwards. */
static void test_bulk_in_an_interrupt(void **state)
{
	struct kmem_cache *s = kmem_cache_create("bulk", 100, 0, 0, NULL);
	struct kmem_cache_stats before, after;
	struct magazine_cpu *c;
	struct page *page[4] = { NULL };
	void *p[40];

	(void)state;
	assert_int_equal(kmem_cache_alloc_bulk(s, GFP_ATOMIC, 40, p), 40);
	kmem_cache_free_bulk(s, 40, p);
	kmem_cache_stats(s, &before);
	c = magazine_enter(&s->magazine);
	assert_int_equal(kmem_cache_alloc_bulk(s, GFP_ATOMIC, 40, p), 40);
	kmem_cache_stats(s, &after);
	assert_int_equal(after.live, 40);
	assert_int_equal(after.layer.in_cpus, before.layer.in_cpus);
	kmem_cache_free_bulk(s, 40, p);
	kmem_cache_stats(s, &after);
	assert_int_equal(after.layer.in_cpus, before.layer.in_cpus);
	magazine_exit(c);
	kmem_cache_destroy(s);

	c = magazine_enter(&page_layer(zones.node[0]->preferred[ZONE_NORMAL],
				       0)->magazine);
	assert_int_equal(alloc_pages_bulk(GFP_ATOMIC, 4, page), 4);
	for (int i = 0; i < 4; i++)
		__free_page(page[i]);
	magazine_exit(c);
}

/* ---- reserves ---- */

static mempool_t *growing;
static int out;			/* of the allocator */

static void *two_at_once(gfp_t gfp, void *data)
{
	(void)data;
	out++;
	if (growing && growing->curr_nr < growing->min_nr) {
		out++;
		mempool_free(kmalloc(64, gfp), growing);
	}
	return kmalloc(64, gfp);
}

static void give_one(void *element, void *data)
{
	(void)data;
	out--;
	kfree(element);
}

/* While a reserve is filled somebody else fills it: what is too much goes back to
 * the allocator. */
static void test_pool_filled_meanwhile(void **state)
{
	(void)state;
	out = 0;
	growing = NULL;
	growing = mempool_create(1, two_at_once, give_one, NULL);
	assert_non_null(growing);
	assert_int_equal(mempool_resize(growing, 2), 0);
	assert_int_equal(growing->curr_nr, 2);
	assert_int_equal(out, 2);
	mempool_destroy(growing);
	assert_int_equal(out, 0);
}

static void *gives_one_back;

/* Nothing, the second time because the caller's element came back instead. */
static void *reclaims_for_the_pool(gfp_t gfp, void *data)
{
	void *element = gives_one_back;

	(void)data;
	if (!growing)
		return kmalloc(64, gfp);
	if (element && (gfp & __GFP_DIRECT_RECLAIM)) {
		gives_one_back = NULL;
		mempool_free(element, growing);
	}
	return NULL;
}

/* What the allocator's reclaim brought back to the reserve serves the request,
 * which then needs not wait, and so no wait hook. */
static void test_pool_filled_by_reclaim(void **state)
{
	mempool_t *pool;
	void *p;

	(void)state;
	growing = NULL;
	out = 0;
	pool = mempool_create(1, reclaims_for_the_pool, give_one, NULL);
	assert_non_null(pool);
	growing = pool;
	gives_one_back = mempool_alloc(pool, GFP_NOWAIT);
	assert_non_null(gives_one_back);
	assert_null(mempool_alloc(pool, GFP_NOWAIT));
	p = gives_one_back;
	assert_ptr_equal(mempool_alloc(pool, GFP_KERNEL), p);
	assert_no_panic();
	mempool_free(p, pool);
	mempool_destroy(pool);
}

static unsigned waits;

/* Somebody frees what we wait for. */
static void wait_for_the_pool(void *ctx, const struct kmem_pressure *p)
{
	void *element = gives_one_back;

	(void)ctx;
	(void)p;
	waits++;
	gives_one_back = NULL;
	mempool_free(element, growing);
}

static void *nothing(gfp_t gfp, void *data)
{
	(void)data;
	return growing ? NULL : kmalloc(64, gfp);
}

/* Who may wait for an element does, until it gets one; who may not, doesn't. */
static void test_pool_is_waited_for(void **state)
{
	static const struct kmem_hooks hooks = { .wait = wait_for_the_pool };
	mempool_t *pool;
	void *p;

	(void)state;
	machine(&hooks);
	growing = NULL;
	pool = mempool_create(1, nothing, give_one, NULL);
	assert_non_null(pool);
	growing = pool;
	p = gives_one_back = mempool_alloc(pool, GFP_KERNEL);
	assert_non_null(p);
	waits = 0;
	assert_null(mempool_alloc(pool, GFP_NOWAIT));
	assert_int_equal(waits, 0);
	assert_ptr_equal(mempool_alloc(pool, GFP_KERNEL), p);
	assert_int_equal(waits, 1);
	mempool_free(p, pool);
	mempool_destroy(pool);
	assert_no_panic();
}

static void test_pool_of_nothing(void **state)
{
	mempool_t pool;

	(void)state;
	assert_null(mempool_create(-1, two_at_once, give_one, NULL));
	assert_null(mempool_create(1, NULL, give_one, NULL));
	assert_null(mempool_create(1, two_at_once, NULL, NULL));
	assert_int_not_equal(mempool_init(&pool, -1, two_at_once, give_one,
					  NULL), 0);
	assert_no_panic();
}

/* What is given to a pool and is no element: the allocator is asked, which
 * reports it; the reserve takes no such thing. */
static void test_pool_takes_no_strangers(void **state)
{
	mempool_t *pages = mempool_create_page_pool(2, 1);
	mempool_t *mem = mempool_create_kmalloc_pool(2, 3 * PAGE);
	struct page *page = alloc_pages(GFP_KERNEL, 2);
	void *p = mempool_alloc_preallocated(mem), *large;
	struct page *of = mempool_alloc_preallocated(pages);

	(void)state;
	mempool_free(page, pages);
	assert_panicked(page_to_virt(page), "order", NULL);
	mempool_free((char *)p + PAGE, mem);
	assert_int_equal(test_panics(), 1);
	test_panics_clear();
	mempool_free(p, mem);
	mempool_free(of, pages);
	large = kmalloc(64, GFP_KERNEL);	/* of kmalloc, too: taken or freed */
	mempool_free(large, mem);
	assert_no_panic();
	__free_pages(page, 2);
	mempool_destroy(mem);
	mempool_destroy(pages);
}

/* ---- shrinkers ---- */

static unsigned counted, scanned;
static unsigned long says;

static unsigned long count(struct shrinker *s, struct shrink_control *sc)
{
	(void)s;
	(void)sc;
	counted++;
	return says;
}

static unsigned long look_at_nothing(struct shrinker *s,
				     struct shrink_control *sc)
{
	(void)s;
	scanned++;
	sc->nr_scanned = 0;
	return 0;
}

static void use_up_memory(void)
{
	struct page *all = NULL, *page;

	while ((page = alloc_pages(GFP_KERNEL | __GFP_NOWARN | __GFP_NORETRY,
				   4))) {
		*(struct page **)page_to_virt(page) = all;
		all = page;
	}
	while ((page = all)) {
		all = *(struct page **)page_to_virt(page);
		__free_pages(page, 4);
	}
}

/* One that says it looked at nothing is not asked again and again; one that has
 * nothing is not told to scan; with NUMA_AWARE each node is asked for. */
static void test_shrinkers_that_do_nothing(void **state)
{
	struct shrinker *s = shrinker_alloc(SHRINKER_NUMA_AWARE, "idle");

	(void)state;
	shrinker_register(s);			/* no functions yet */
	assert_panicked(NULL, "shrinker_register", NULL);
	s->count_objects = count;
	shrinker_register(s);
	assert_panicked(NULL, "shrinker_register", NULL);
	s->scan_objects = look_at_nothing;
	s->seeks = 0;
	shrinker_register(s);
	assert_no_panic();
	shrinker_register(s);			/* twice */
	assert_panicked(NULL, "shrinker_register", NULL);
	counted = scanned = 0;
	says = 0;
	use_up_memory();
	assert_true(counted > 0);
	assert_int_equal(scanned, 0);
	says = SHRINK_EMPTY;
	use_up_memory();
	assert_int_equal(scanned, 0);
	counted = 0;
	says = 100000;
	use_up_memory();
	assert_in_range(scanned, 1, counted);
	shrinker_free(s);
	shrinker_free(NULL);
	counted = 0;
	use_up_memory();
	assert_int_equal(counted, 0);
}

static size_t reclaim_nothing(void *ctx, const struct kmem_pressure *p)
{
	(void)ctx;
	(void)p;
	asked++;
	return 0;
}

/* Shrinkers first, and then the kernel's own hook, each time. */
static void test_shrinkers_and_the_hook(void **state)
{
	static const struct kmem_hooks hooks = { .reclaim = reclaim_nothing };
	struct shrinker *s;

	(void)state;
	machine(&hooks);
	s = shrinker_alloc(0, "beside %d", 1);
	assert_string_equal(s->name, "beside 1");
	s->count_objects = count;
	s->scan_objects = look_at_nothing;
	shrinker_register(s);
	asked = counted = 0;
	says = 0;
	use_up_memory();
	assert_true(asked > 0);
	assert_in_range(counted, asked, UINT32_MAX);
	shrinker_free(s);
}

/* ---- RCU ---- */

static const struct kmem_hooks with_call_rcu = {
	.log = test_log, .call_rcu = test_call_rcu,
};

/* During the grace period an object became something else. */
static void test_rcu_not_what_it_was(void **state)
{
	struct kmem_obj_info info;
	void *p;

	(void)state;
	machine(&with_call_rcu);
	p = kmalloc(64, GFP_KERNEL);
	kfree_rcu_mightsleep(p);
	assert_int_equal(*slot_of(p), SLOT_RCU);
	assert_sound();
	*slot_of(p) = SLOT_LIVE;
	assert_true(check_says("R1"));
	test_grace_period();
	assert_panicked(p, "kfree_rcu", "not what it was");
	kfree(p);
	kfree_rcu_mightsleep(NULL);
	assert_no_panic();

	p = kmalloc(3 * PAGE, GFP_KERNEL);
	kfree_rcu_mightsleep(p);
	assert_sound();
	assert_false(kmem_obj_lookup(p, &info));
	assert_int_equal(info.state, KMEM_OBJ_UNKNOWN);
	kfree(p);
	assert_panicked(p, "freed twice", "kfree_rcu()");
	page_set_type(virt_to_page(p), PAGE_KMALLOC);
	assert_true(check_says("R1"));
	test_grace_period();
	assert_panicked(p, "kfree_rcu", "not what it was");
	kfree(p);
}

/* A batch that was written over: what is in it now is no memory of kmem's. */
static void test_rcu_batch_written_over(void **state)
{
	void **batch, *p, *here = NULL;
	unsigned i = 0;

	(void)state;
	machine(&with_call_rcu);
	p = kmalloc(64, GFP_KERNEL);
	batch = kmalloc(1024, GFP_KERNEL);
	kfree(batch);			/* the next to be given out */
	kfree_rcu_mightsleep(p);
	while (batch[i] != p)
		REQUIRE(++i < 1024 / sizeof(p));
	batch[i] = &here;
	assert_true(check_says("R1"));
	batch[i] = p;
	assert_sound();
	test_grace_period();
	assert_no_panic();
}

/* The same where an object's state has more to it. */
static void test_rcu_debugged_not_what_it_was(void **state)
{
	const struct test_range map[] = {
		{ MIB, MIB + BYTES, KMEM_REGION_USABLE, KMEM_NO_NODE },
	};
	const struct kmem_params params = {
		.nr_cpus = 1, .hooks = &with_call_rcu, .debug = "FZPU,kmalloc-64",
	};
	void *p;

	(void)state;
	assert_int_equal(test_machine(map, 1, &params), KMEM_OK);
	p = kmalloc(64, GFP_KERNEL);
	assert_int_equal(*slot_of(p), SLOT_TRACKED);
	kfree_rcu_mightsleep(p);
	*slot_of(p) = SLOT_TRACKED;
	test_grace_period();
	assert_panicked(p, "kfree_rcu", "not what it was");
	kfree(p);
	assert_no_panic();
	p = kmalloc(64, GFP_KERNEL);
	kfree_rcu_mightsleep(p);
	test_grace_period();
	assert_no_panic();
	kfree(p);
	assert_panicked(p, "double free", NULL);
}

static void *fill_memory(size_t size)
{
	void *all = NULL, *p;

	while ((p = kmalloc(size, GFP_ATOMIC | __GFP_MEMALLOC |
			    __GFP_NOWARN))) {
		*(void **)p = all;
		all = p;
	}
	return all;
}

static void empty_memory(void *all)
{
	for (void *p; all; all = p) {
		p = *(void **)all;
		kfree(all);
	}
}

/* No memory for a batch. The rcu_head may lie anywhere in a block. And who has
 * none, where nothing can be waited with, is told that it is not freed. */
static void test_rcu_without_memory(void **state)
{
	struct rcu_head *head;
	void *p, *large, *all;

	(void)state;
	machine(&with_call_rcu);
	p = kmalloc(64, GFP_KERNEL);
	large = kmalloc(32 * PAGE, GFP_KERNEL);
	head = (void *)((char *)large + 5 * PAGE);
	/* batches are of kmalloc() */
	all = fill_memory(PAGE);
	for (size_t n = 2048; n >= 8; n /= 2) {
		void *more = fill_memory(n), *last = more;

		while (last && *(void **)last)
			last = *(void **)last;
		if (last) {
			*(void **)last = all;
			all = more;
		}
	}
	kvfree_call_rcu(head, large);
	kfree_rcu_mightsleep(p);
	assert_panicked(p, "no memory", "not freed");
	empty_memory(all);
	assert_int_not_equal(page_type(virt_to_page(large)), PAGE_KMALLOC);
	test_grace_period();
	kfree(large);
	assert_panicked(large, "kfree", NULL);
	assert_int_equal(*slot_of(p), SLOT_RCU);
	*slot_of(p) = SLOT_LIVE;
	kfree(p);
}

/* ---- areas ---- */

static void test_vmalloc_without_memory(void **state)
{
	const struct kmem_vmalloc_params no_hooks = {
		.start = MIB, .end = 2 * MIB,
	};
	char name[KMEM_NAME_BYTES];
	void *all;
	int n = 0;

	(void)state;
	all = fill_memory(PAGE);
	do {		/* and what descriptors of caches are of */
		format(name, sizeof(name), "filler-%d", n++);
	} while (kmem_cache_create(name, 64, 0, SLAB_NO_MERGE, NULL));
	assert_int_equal(host_vmalloc(4 * MIB), KMEM_ENOMEM);
	assert_null(vmalloc(PAGE));
	empty_memory(all);
	assert_int_equal(kmem_vmalloc_init(NULL), KMEM_EINVAL);
	assert_int_equal(kmem_vmalloc_init(&no_hooks), KMEM_EINVAL);
	assert_int_equal(host_vmalloc(4 * MIB), KMEM_OK);
	for (volatile size_t size = SIZE_MAX - 4 * PAGE; size;
	     size = size == SIZE_MAX ? 0 : SIZE_MAX)
		assert_null(vmalloc(size));
	vfree(vmalloc(PAGE));
	vm_unmap_aliases();
	test_panics_clear();
}

/* An area that must be had, where there are no addresses and nobody to wait for. */
static void test_vmalloc_must_not_fail(void **state)
{
	(void)state;
	assert_int_equal(host_vmalloc(4 * MIB), KMEM_OK);
	while (__vmalloc(PAGE, GFP_KERNEL | __GFP_NOWARN))
		;
	assert_null(__vmalloc(PAGE, GFP_KERNEL | __GFP_NOFAIL));
	assert_panicked(NULL, "there is no wait hook", NULL);
	assert_sound();
}

/* ---- the checkers ---- */

/* Each sees what is wrong in the magazines and queues that it walks. */
static void test_checkers_see(void **state)
{
	struct kmem_cache *s = kmem_cache_create("seen", 100, 0, 0, NULL);
	struct magazine_layer *l = &s->magazine;
	struct depot *d = layer_depot(l, 0);
	struct check c = { .out = remember };
	struct grace g = { .running = true };
	struct magazine_cpu *cpu;
	void *p[300];

	(void)state;
	for (int i = 0; i < 300; i++)
		p[i] = kmem_cache_alloc(s, GFP_KERNEL);
	for (int i = 0; i < 300; i++)
		kmem_cache_free(s, p[i]);
	assert_sound();
	d->nr_full++;
	assert_true(check_says("M3"));
	d->nr_full--;
	d->nr_empty++;
	assert_true(check_says("M3"));
	d->nr_empty--;
	d->objects++;
	magazine_layer_check(l, s->name, &c);
	assert_true(c.violations > 0);
	assert_non_null(strstr(said, "M4"));
	d->objects--;
	cpu = magazine_enter(l);
	assert_true(check_says("M5"));
	magazine_exit(cpu);
	kmem_cache_destroy(s);

	c.violations = 0;
	grace_check(&g, &c);
	assert_int_equal(c.violations, 1);
	assert_non_null(strstr(said, "G1"));
}

/* ---- text ---- */

static void test_format_ends_in_percent(void **state)
{
	static const char *const ends[] = { "ab%", "ab%5" };
	size_t (*unchecked)(char *, size_t, const char *, ...) = format;
	char text[8];

	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(unchecked(text, sizeof(text), ends[i]), 2);
		assert_string_equal(text, "ab");
	}
}

/* Where there is no text, a reason is the kind and the address in full. */
static void test_reason_without_text(void **state)
{
	(void)state;
	kmem_misuse_kind("double free", (void *)(uintptr_t)0x1230);
	assert_int_equal(test_panics(), 1);
	assert_string_equal(test_panic(0), sizeof(void *) == 8 ?
			    "kmem: double free 0x0000000000001230" :
			    "kmem: double free 0x00001230");
	test_panics_clear();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_started_twice),
		CASE(test_before_the_start),
		CASE(test_pages_that_are_none),
		CASE(test_heads),
		CASE(test_holders_written_over),
		CASE(test_bulk_second_copy),
		CASE(test_bulk_second_copy_of_an_object),
		CASE(test_vmalloc_must_not_fail),
		CASE(test_contig_reclaims),
		CASE(test_contig_range_zeroed),
		CASE(test_impossible_blocks),
		CASE(test_sizes_that_overflow),
		CASE(test_node_second_copy),
		CASE(test_broken_chain),
		CASE(test_broken_chain_without_waiting),
		CASE(test_pages_that_cannot_go_back),
		CASE(test_no_beginning_of_a_slab),
		CASE(test_slabs_given_a_stranger),
		CASE(test_second_copy_in_the_other_magazine),
		CASE(test_no_trim_of_who_is_busy),
		CASE(test_lookup_in_a_slab_that_goes),
		CASE(test_lookup_of_what_is_no_block),
		CASE(test_sheaf_of_another_cache),
		CASE(test_bulk_in_an_interrupt),
		CASE(test_pool_filled_meanwhile),
		CASE(test_pool_filled_by_reclaim),
		CASE(test_pool_is_waited_for),
		CASE(test_pool_of_nothing),
		CASE(test_pool_takes_no_strangers),
		CASE(test_shrinkers_that_do_nothing),
		CASE(test_shrinkers_and_the_hook),
		CASE(test_rcu_not_what_it_was),
		CASE(test_rcu_batch_written_over),
		CASE(test_rcu_debugged_not_what_it_was),
		CASE(test_rcu_without_memory),
		CASE(test_vmalloc_without_memory),
		CASE(test_checkers_see),
		CASE(test_format_ends_in_percent),
		CASE(test_reason_without_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
