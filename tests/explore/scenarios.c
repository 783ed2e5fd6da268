// SPDX-License-Identifier: MIT
/*
 * tests/explore/scenarios.c - what is explored: pages, slabs, magazines,
 * depots, and what lands in them. Others: modules.c, memory.c.
 */
#include <stdio.h>

#include "machine.h"

static struct page *block[4];

/* ---- machines ---- */

/* Magazines are empty, slabs are not. */
static void drained(void)
{
	machine();
	fill_objects(6);
	put_objects(2, 4);
	on_each(shrink);
	settled();
}

static void some_objects(void)
{
	machine();
	fill_objects(8);
	settled();
}

/* Each allocation and free of a debugged cache goes to the slab. */
static void bare(void)
{
	machine_with(&(struct kmem_params){ .nr_cpus = CPUS },
		     SLAB_CONSISTENCY_CHECKS);
	fill_objects(2);
	settled();
}

/* The magazines of CPU 0 are full: two of four rounds. */
static void full_magazines(void)
{
	machine();
	fill_objects(14);
	put_objects(4, 8);
	settled();
}

static struct kmem_layer_stats layer(void)
{
	struct kmem_cache_stats st;

	kmem_cache_stats(cache, &st);
	return st.layer;
}

/* Magazines are full, of CPU 1; of CPUs 0 and 2, which share a depot; the next
 * free of theirs goes there. Those of the others are empty. */
static void put_8_to_15(void)
{
	put_objects(8, 8);
}

static void put_16_to_23(void)
{
	put_objects(16, 8);
}

static void fill_24(void)
{
	fill_objects(24);
}

static void full_on_one(void)
{
	machine();
	on(2, fill_24);
	on(2, shrink);
	on(1, put_8_to_15);
	settled();
}

static void full_on_two(void)
{
	machine();
	on(1, fill_24);
	on(1, shrink);
	on(2, put_8_to_15);
	on(0, put_16_to_23);
	settled();
}

/* There is an empty slab that has not been needed. */
static void empty_slab(void)
{
	machine();
	one_empty_slab();
	settled();
}

static void fill_32(void)
{
	fill_objects(32);
}

static void put_6_to_31(void)
{
	put_objects(6, 26);
}

static void put_six(void)
{
	for (unsigned i = 0; i < 6; i++)
		put(object[i]);
}

/* CPU 2 has magazines, and its depot, empty again, has had to flush. It is CPU
 * 0's as well, which has none left. */
static void flushed(void)
{
	uint64_t before;

	machine();
	on(1, fill_32);
	on(1, shrink);
	before = layer().flushes;
	on(2, put_6_to_31);
	MUST(layer().flushes > before);
	for (size_t n = layer().in_depot; n--; )
		get();
	MUST(!layer().in_depot);
	settled();
}

/* And nobody has come to a depot since it was trimmed last. */
static void flushed_and_left(void)
{
	flushed();
	kmem_trim(KMEM_TRIM);
	settled();
}

/* Of three CPUs: there is room for one of their magazines in the depot of CPUs 0
 * and 2, and for one in that of CPU 1. */
static void put_24_to_31(void)
{
	put_objects(24, 8);
}

static void full_on_three(void)
{
	machine();
	on(1, fill_32);
	on(1, shrink);
	on(2, put_8_to_15);
	on(1, put_24_to_31);
	on(0, put_16_to_23);
	settled();
}

static void put_third(void)
{
	put(object[2]);
}

/* CPU 0 and its depot have full magazines; the others have none. */
static void full_depot(void)
{
	machine();
	fill_objects(16);
	put_objects(0, 16);
	MUST(layer().in_depot);
	settled();
}

/* The same, but for CPU 0. Its depot is that of CPU 2, too. */
static void only_depot(void)
{
	machine();
	fill_objects(16);
	put_objects(0, 16);
	while (layer().in_cpus)
		get();
	MUST(layer().in_depot);
	settled();
}

/* CPUs have loaded magazines with something in them. */
static void warm(void)
{
	some_objects();
	on_each(get_and_put);
	settled();
}

static void hold_blocks(void)
{
	for (unsigned i = 0; i < 4; i++)
		block[i] = get_block(i == 3 ? 2 : 0);
	settled();
}

static void some_blocks(void)
{
	machine();
	hold_blocks();
}

static void free_blocks(void)
{
	put_block(block[0], 0);
	put_block(block[1], 0);
	put_block(block[2], 0);
}

/* CPU 0 and its depot, whose bound has followed, have pages in magazines. */
static void free_pages_here(void)
{
	struct kmem_zone_stats st;

	paged_machine();
	for (unsigned wave = 0; wave < 4; wave++) {
		hold_blocks();
		free_blocks();
		put_block(block[3], 2);
	}
	kmem_zone_stats(0, &st);
	MUST(st.order[0].in_depot);
	hold_blocks();
	free_blocks();
	settled();
}

static void one_object(void)
{
	machine();
	fill_objects(1);
	settled();
}

static void one_tracked(void)
{
	machine_with(&(struct kmem_params){ .nr_cpus = CPUS },
		     SLAB_STORE_USER);
	fill_objects(1);
	settled();
}

/* ---- bodies ---- */

static void put_many(void)
{
	for (unsigned i = 0; i < 4; i++)
		put(object[i]);
}

static void put_rest(void)
{
	for (unsigned i = 12; i < 14; i++)
		put(object[i]);
}

static void trim(void)
{
	kmem_trim(KMEM_TRIM);
}

static void drain_all(void)
{
	kmem_trim(KMEM_DRAIN);
}

static void drain(void)
{
	drain_pages();
}

static void block_and_back(void)
{
	put_block(get_block(2), 2);
}

static void large_and_back(void)
{
	put_block(get_block(4), 4);
}

static void free_large(void)
{
	put_block(block[3], 2);
}

/* The owner's, and somebody else's who should not. */
static void put_again(void)
{
	kmem_cache_free(cache, object[0]);
}

static unsigned posted;

static void put_and_post(void)
{
	put(object[0]);
	explore_post(&posted);
}

static void await_and_destroy(void)
{
	explore_await(&posted);
	kmem_cache_destroy(cache);
}

static void create_same(void)
{
	struct kmem_cache *s = kmem_cache_create("same", 64, 0, 0, NULL);

	if (s)
		kmem_cache_destroy(s);
}

static void small_and_back(void)
{
	void *p = kmalloc(24, GFP_ATOMIC | __GFP_NOWARN);

	hold(p, 24);
	if (p) {
		drop(p);
		kfree(p);
	}
}

/* From an NMI: it may fail, and the free may be done later. */
static void nolock_and_back(void)
{
	void *p = kmalloc_nolock(24, 0, KMEM_NO_NODE);

	hold(p, 24);
	if (p) {
		drop(p);
		kfree_nolock(p);
	}
}

static void nolock_free(void)
{
	drop(object[7]);
	kfree_nolock(object[7]);
}

static void nolock_page(void)
{
	struct page *page = alloc_pages_nolock(0, KMEM_NO_NODE, 0);

	if (page) {
		hold(page_to_virt(page), KMEM_PAGE_SIZE);
		drop(page_to_virt(page));
		free_pages_nolock(page, 0);
	}
}

/* ---- the end of a schedule ---- */

static void pages_back(void)
{
	sound();
	MUST(!nr_held(KMEM_PAGE_SIZE) && !nr_held(4 * KMEM_PAGE_SIZE));
	MUST(nr_free_pages() == pages_free + 3 + 4);
}

/* What was put aside comes back. */
static void trimmed(void)
{
	on_each(drain_all);
	all_back();
}

/* Both copies go to the slab; there the second is found, if it was not before.
 * Never is kmem's own state broken. */
static void freed_twice(void)
{
	on_each(shrink);
	MUST(explore_reports > 0);
	sound();
	MUST(count_live() == 0);
}

/* ---- the list ---- */

static const struct scenario list[] = {
	{ "alloc-alloc", "two refills take the same object", ALL,
	  drained, { get_one, get_one }, .check = all_back },
	{ "alloc-free", "an object is freed to a slab that is taken from", ALL,
	  bare, { put_one, get_one }, .check = all_back },
	{ "free-free", "two objects are freed to one slab", ALL,
	  bare, { put_one, put_another }, .check = all_back },
	{ "grow-grow", "two CPUs make slabs and magazines", 2,
	  machine, { get_two, get_two }, .check = all_back },
	{ "three", "three CPUs", 3,
	  some_objects, { get_and_put, put_one, put_another },
	  .check = all_back },
	{ "remote-free-refill", "objects travel in a magazine", ALL,
	  full_on_one, { get_one, put_one }, .check = all_back },
	{ "drain-refill", "a drain gives what a refill takes", ALL,
	  full_magazines, { shrink, get_one }, .check = all_back },
	{ "drain-fast", "a drain meets a fast path", ALL,
	  warm, { shrink, get_and_put }, .check = all_back },
	{ "shrink-free", "a slab is given up while an object of it comes", ALL,
	  some_objects, { shrink, put_many }, .check = all_back },
	{ "trim-free", "the same, of slabs not needed", 2,
	  empty_slab, { trim, get_and_put }, .check = all_back },
	{ "depot-get", "two CPUs take one magazine", ALL,
	  only_depot, { get_one, NULL, get_one }, .check = all_back },
	{ "depot-put", "two CPUs put theirs", ALL,
	  full_on_two, { put_one, NULL, put_another }, .check = all_back },
	{ "depot-get-put", "one puts what another takes", 3,
	  full_on_two, { put_one, get_one, put_another },
	  .check = all_back },
	{ "depot-shrink", "the depot is drained while it is used", 2,
	  full_depot, { shrink, shrink, get_two }, .check = all_back },
	{ "depot-trim", "an idle magazine is just wanted", 2,
	  full_depot, { trim, NULL, get_one }, .check = all_back },
	{ "depot-bound", "its bound goes up while it flushes", ALL,
	  flushed, { get_one, NULL, put_six }, .check = all_back },
	{ "depot-forget", "its bound goes down while it is filled", 2,
	  flushed_and_left, { trim, NULL, put_six }, .check = all_back },
	{ "depot-lend", "one has to borrow of what another is using", 3,
	  full_on_three, { put_one, put_third, put_another },
	  .check = all_back },
	{ "destroy-after-free", "a cache ends with a free on its way", ALL,
	  one_object, { put_and_post, await_and_destroy },
	  .check = whole },
	{ "create-create", "two caches of one name", 2,
	  machine, { create_same, create_same }, .check = all_back },
	{ "page-refill-coalesce", "a refill splits what a free merges", ALL,
	  some_blocks, { free_blocks, free_large }, .check = pages_back },
	{ "page-alloc-free", "three orders", 3,
	  some_blocks, { page_and_back, block_and_back, large_and_back },
	  .check = sound },
	{ "page-drain", "page magazines are drained while they are used", ALL,
	  free_pages_here, { drain, page_and_back }, .check = sound },
	{ "double-free", "two CPUs free one object", ALL,
	  one_object, { put_one, put_again }, .check = freed_twice,
	  .reports = 2 },
	{ "double-free-tracked", "and who freed it is told", 2,
	  one_tracked, { put_one, put_again }, .check = freed_twice,
	  .reports = 2 },
	{ "irq-alloc", "an interrupt lands in an allocation", ALL,
	  warm, { get_two }, { get_and_put }, .check = all_back },
	{ "irq-free", "an interrupt lands in a free", ALL,
	  full_magazines, { put_rest }, { get_two }, .check = all_back },
	{ "irq-both", "and another CPU is at work", 2,
	  warm, { get_two, get_and_put }, { get_and_put },
	  .check = all_back },
	{ "irq-nested", "an interrupt in an interrupt", 3,
	  warm, { get_and_put }, { get_and_put }, .irqs = 2,
	  .check = all_back },
	{ "irq-shrink", "an interrupt drains below a fast path", ALL,
	  warm, { get_two }, { shrink }, .check = all_back },
	{ "irq-pages", "an interrupt lands in the page allocator", 2,
	  some_blocks, { page_and_back, block_and_back }, { page_and_back },
	  .check = sound },
	{ "irq-page-magazine", "and in its magazines", ALL,
	  free_pages_here, { page_and_back }, { page_and_back },
	  .check = sound },
	{ "nmi-kmalloc", "an NMI lands anywhere in alloc, refill or free", ALL,
	  machine, { small_and_back }, .nmi = { nolock_and_back },
	  .check = trimmed },
	{ "nmi-free", "an NMI frees, below each section", ALL,
	  some_objects, { get_two }, .nmi = { nolock_free },
	  .check = trimmed },
	{ "nmi-depot", "an NMI lands in a depot that changes", ALL,
	  full_on_two, { put_one }, .nmi = { nolock_free },
	  .check = trimmed },
	{ "nmi-shrink", "an NMI lands in a drain", ALL,
	  full_magazines, { shrink }, .nmi = { nolock_free },
	  .check = trimmed },
	{ "nmi-pages", "an NMI lands in the page allocator", ALL,
	  some_blocks, { block_and_back }, .nmi = { nolock_page },
	  .check = sound },
	{ "nmi-page-magazine", "and in its magazines", ALL,
	  free_pages_here, { page_and_back }, .nmi = { nolock_page },
	  .check = sound },
	{ "nmi-in-irq", "an NMI lands in an interrupt", 3,
	  warm, { get_and_put }, { get_and_put }, { nolock_and_back },
	  .irqs = 2, .check = trimmed },
	{ "nmi-two", "and another CPU is at work", 2,
	  machine, { small_and_back, small_and_back },
	  .nmi = { nolock_and_back }, .check = trimmed },
	{ "kmalloc", "constant and other sizes share a cache", 2,
	  machine, { small_and_back, small_and_back }, { small_and_back },
	  .check = sound },
};

const struct scenario_list core_scenarios = {
	list, sizeof(list) / sizeof(list[0])
};
