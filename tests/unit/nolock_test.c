// SPDX-License-Identifier: MIT
/*
 * tests/unit/nolock_test.c - the _nolock calls, by an NMI that lands in the worst
 * places.
 *
 * An NMI is a call made while the test itself holds what the NMI asks for: a
 * CPU's magazines, by their busy flag, and the locks of slabs, zones and the
 * list of caches. A call that waited for one of them would never return.
 */
#include "unit.h"
#include "cache.h"
#include "kmalloc.h"
#include "nolock.h"
#include "page_alloc.h"

#define CPUS	1		/* and so magazines of pages */
#define MANY	400		/* more than all stores have room for */
#define BLOCKS	8

static void machine(const struct kmem_params *params)
{
	const struct test_range map[] = {
		{ 32 * MIB, 64 * MIB, KMEM_REGION_USABLE, 0 },
		{ 64 * MIB, 96 * MIB, KMEM_REGION_USABLE, 1 },
	};

	assert_int_equal(test_machine(map, 2, params), KMEM_OK);
	host_cpu_set(0);
}

static int setup(void **state)
{
	const struct kmem_params params = { .nr_cpus = CPUS };

	(void)state;
	machine(&params);
	test_panics_record();
	return 0;
}

/* ---- what the NMI lands in ---- */

static struct kmem_cache *class_of(size_t size)
{
	return kmalloc_caches[KMALLOC_NORMAL][kmalloc_index(size)];
}

struct held {
	struct magazine_cpu *near;
	uintptr_t irq[KMEM_MAX_NODES];
};

/* In the middle of an allocation or a free, on all nodes at once. */
static struct held hold_cache(struct kmem_cache *s)
{
	struct held h;

	h.near = magazine_enter(&s->magazine);
	assert_non_null(h.near);
	for (unsigned i = 0; i < s->slabs.nr_nodes; i++)
		h.irq[i] = lock_irq(&s->slabs.node[i].lock);
	return h;
}

static void release_cache(struct kmem_cache *s, struct held *h)
{
	for (unsigned i = s->slabs.nr_nodes; i--; )
		unlock_irq(&s->slabs.node[i].lock, h->irq[i]);
	magazine_exit(h->near);
}

/* In the zones, and in this CPU's magazines of pages of that order. */
static uintptr_t zone_irq[KMEM_ARRAY_SIZE(zones.zone)];
static struct magazine_cpu *near_pages[KMEM_ARRAY_SIZE(zones.zone)];

static void hold_zones(unsigned order)
{
	for (unsigned i = 0; i < KMEM_ARRAY_SIZE(zones.zone); i++) {
		struct zone *z = zones.zone[i];

		if (!z)
			continue;
		if (order_is_cached(order))
			near_pages[i] = magazine_enter(
				&page_layer(z, order)->magazine);
		zone_irq[i] = lock_irq(&z->lock);
	}
}

static void release_zones(unsigned order)
{
	for (unsigned i = KMEM_ARRAY_SIZE(zones.zone); i--; )
		if (zones.zone[i]) {
			unlock_irq(&zones.zone[i]->lock, zone_irq[i]);
			if (order_is_cached(order))
				magazine_exit(near_pages[i]);
		}
}

static size_t live(struct kmem_cache *s)
{
	struct kmem_cache_stats st;

	kmem_cache_stats(s, &st);
	return st.live;
}

static kmem_slot_t state_of(const void *p)
{
	struct page *page = virt_to_page(p);

	return page->slot[slab_index(page, page->slabs, p).index];
}

/* ---- allocation ---- */

/* A class is held by whoever was interrupted: the next one serves, and if that
 * is held too, nobody does. */
static void test_next_class(void **state)
{
	struct kmem_cache *s = class_of(64);
	struct kmem_cache *next = class_of(s->object_size + 1);
	struct held a, b;
	void *p, *q;

	(void)state;
	a = hold_cache(s);
	p = kmalloc_nolock(64, __GFP_ZERO, KMEM_NO_NODE);
	b = hold_cache(next);
	q = kmalloc_nolock(64, 0, KMEM_NO_NODE);
	release_cache(next, &b);
	release_cache(s, &a);
	assert_non_null(p);
	assert_ptr_equal(slabs_cache(virt_to_page(p)->slabs), next);
	assert_null(q);
	assert_int_equal(live(s), 0);
	kfree(p);
	assert_int_equal(live(next), 0);
}

/* The largest class has no next one. */
static void test_largest_class(void **state)
{
	struct kmem_cache *s = class_of(KMALLOC_MAX_CACHE_SIZE);
	struct held h = hold_cache(s);
	void *p = kmalloc_nolock(KMALLOC_MAX_CACHE_SIZE, 0, KMEM_NO_NODE);

	(void)state;
	release_cache(s, &h);
	assert_null(p);
	assert_int_equal(live(s), 0);
}

/* What holds the zones: no pages, and no new slab; nothing is lost. */
static void test_zones_are_held(void **state)
{
	size_t before = test_pages();
	void *p = NULL;

	(void)state;
	for (unsigned order = 0; order <= KMEM_MAX_ORDER; order++) {
		struct page *page;
		void *large;

		hold_zones(order);
		page = alloc_pages_nolock(0, KMEM_NO_NODE, order);
		large = order ? kmalloc_nolock(PAGE << order, 0, KMEM_NO_NODE) :
				NULL;
		p = order ? NULL : kmalloc_nolock(3000, 0, KMEM_NO_NODE);
		release_zones(order);
		assert_null(page);
		assert_null(p);
		if (order >= 3)
			assert_null(large);
		kfree(large);
	}
	assert_null(alloc_pages_nolock(0, KMEM_NO_NODE, KMEM_MAX_ORDER + 1));
	assert_null(kmalloc_nolock(KMALLOC_MAX_SIZE + 1, 0, KMEM_NO_NODE));
	assert_int_equal(test_pages(), before);
}

/* Slab after slab, and the tables that they need, on a machine of one node. */
static void test_all_of_one_node(void **state)
{
	const struct test_range map[] = {
		{ 32 * MIB, 48 * MIB, KMEM_REGION_USABLE, KMEM_NO_NODE },
	};
	const struct kmem_params params = { .nr_cpus = CPUS };
	static const size_t sizes[] = { 8, 64, 500, 3000 };
	static void *p[100000];

	(void)state;
	assert_int_equal(test_machine(map, 1, &params), KMEM_OK);
	for (unsigned i = 0; i < KMEM_ARRAY_SIZE(sizes); i++) {
		size_t n = 0;

		while (n < 100000 &&
		       (p[n] = kmalloc_nolock(sizes[i], 0, KMEM_NO_NODE)))
			n++;
		assert_true(n * sizes[i] > 600 * KIB);
		assert_sound();
		while (n)
			kfree_nolock(p[--n]);
		zones_do_all_later();
	}
}

/* Of the node that was asked for; of this CPU's, if there is none of the name. */
static void test_nodes(void **state)
{
	/* each has a slab: of another node's there would be before a new one */
	void *near = kmalloc_node(64, GFP_KERNEL, 0);
	void *far = kmalloc_node(64, GFP_KERNEL, 1);
	struct page *page[3];
	void *p[3];

	(void)state;
	/* and this CPU has some of its own at hand */
	kfree(kmalloc(64, GFP_KERNEL));
	for (int node = 0; node < 3; node++) {
		p[node] = kmalloc_nolock(64, 0, node);
		page[node] = alloc_pages_nolock(0, node, 1);
		assert_int_equal(page_to_nid(virt_to_page(p[node])), node % 2);
		assert_int_equal(page_to_nid(page[node]), node % 2);
	}
	for (int node = 0; node < 3; node++) {
		kfree_nolock(p[node]);
		free_pages_nolock(page[node], 1);
	}
	kfree(near);
	kfree(far);
}

/* Flags that ask for what can't be had. */
static void test_bad_flags(void **state)
{
	(void)state;
	assert_null(kmalloc_nolock(64, GFP_KERNEL, KMEM_NO_NODE));
	assert_panicked(NULL, "kmalloc_nolock", "only __GFP_ZERO");
	assert_null(alloc_pages_nolock(GFP_ATOMIC, KMEM_NO_NODE, 0));
	assert_panicked(NULL, "alloc_pages_nolock", "only __GFP_ZERO");
	assert_ptr_equal(kmalloc_nolock(0, 0, KMEM_NO_NODE), ZERO_SIZE_PTR);
	kfree_nolock(ZERO_SIZE_PTR);
	kfree_nolock(NULL);
	free_pages_nolock(NULL, 0);
	assert_no_panic();
}

/* ---- free ---- */

/* Freed while its cache is held: nobody's, but not usable until the next slow
 * path; a second free of it is reported, as ever. */
static void test_object_is_put_aside(void **state)
{
	void *p = kmalloc(64, GFP_KERNEL);
	struct kmem_cache *s = class_of(64);
	struct held h = hold_cache(s);

	(void)state;
	kfree_nolock(p);
	release_cache(s, &h);
	assert_int_equal(state_of(p), SLOT_CACHED);
	assert_true(zones.later);
	kfree_nolock(p);
	assert_panicked(p, "kfree_nolock", "double free");
	for (int i = 0; i < 10; i++) {
		void *q = kmalloc_nolock(64, 0, KMEM_NO_NODE);

		assert_ptr_not_equal(q, p);
		kfree_nolock(q);
	}
	zones_do_later();
	assert_false(zones.later);
	assert_int_equal(live(s), 0);
	assert_sound();
}

/* Whatever is said to do such frees, does, without any other call. */
static void test_who_does_them(void **state)
{
	struct kmem_cache *s = class_of(64);

	(void)state;
	for (unsigned who = 0; who < 5; who++) {
		struct kmem_cache *other = kmem_cache_create("other", 100, 0, 0,
							     NULL);
		void *p = kmalloc(64, GFP_KERNEL), *obj[MANY];
		struct held h;

		assert_int_equal(kmem_cache_alloc_bulk(other, GFP_KERNEL, MANY,
						       obj), MANY);
		for (unsigned i = 0; who != 4 && i < MANY; i++)
			kmem_cache_free(other, obj[i]);
		h = hold_cache(s);
		kfree_nolock(p);
		release_cache(s, &h);
		assert_true(zones.later);
		if (who == 0)
			kmem_cache_shrink(other);
		else if (who == 1)
			kmem_cache_destroy(other);
		else if (who == 2)
			drain_pages();
		else if (who == 4)	/* frees, of which some are slow */
			for (unsigned i = 0; i < MANY; i++)
				kmem_cache_free(other, obj[i]);
		else
			assert_sound();
		assert_false(zones.later);
		assert_int_equal(live(s), 0);
		if (who != 1)
			kmem_cache_destroy(other);
	}
	/* who has seen that there are some, but is not the first, finds none */
	zones.drain_later(false);
	zones.drain_later(true);
	assert_false(zones.later);
	assert_sound();
}

/* More than the stores have room for, of several slabs, and blocks of pages:
 * they are found by their states, a few descriptors at each slow path. */
static void test_more_than_the_stores_hold(void **state)
{
	void *p[MANY], *large[BLOCKS];
	struct page *page[BLOCKS];
	struct kmem_cache *s = class_of(64);
	size_t before, steps = 0;
	struct held h;

	(void)state;
	test_drain(CPUS);
	before = test_pages();
	for (unsigned i = 0; i < MANY; i++)
		p[i] = kmalloc(64, GFP_KERNEL);
	for (unsigned i = 0; i < BLOCKS; i++) {
		large[i] = kmalloc(64 * KIB, GFP_KERNEL);
		page[i] = alloc_pages(GFP_KERNEL, 0);
	}
	h = hold_cache(s);
	hold_zones(0);
	for (unsigned i = 0; i < MANY; i++)
		kfree_nolock(p[i]);
	for (unsigned i = 0; i < BLOCKS; i++) {
		kfree_nolock(large[i]);
		free_pages_nolock(page[i], 0);
	}
	release_zones(0);
	release_cache(s, &h);
	assert_int_equal(state_of(p[0]), SLOT_CACHED);
	assert_int_equal(state_of(p[MANY - 1]), SLOT_NOLOCK);
	assert_int_equal(page_type(virt_to_page(large[0])), PAGE_NOLOCK);
	assert_int_equal(page_type(page[0]), PAGE_NOLOCK);
	for (; zones.later; steps++)
		zones_do_later();
	assert_in_range(steps, 2, 2 * 64 * MIB / PAGE / 64 + 64);
	assert_int_equal(live(s), 0);
	test_drain(CPUS);
	assert_int_equal(test_pages(), before);
}

/* The list of caches is held by who makes or destroys one: the scan waits for the
 * next slow path. */
static void test_scan_waits_for_the_list_of_caches(void **state)
{
	struct page *page = alloc_pages(GFP_KERNEL, KMEM_MAX_ORDER);
	struct kmem_cache *s = class_of(64);
	void *p[MANY];
	struct held h;

	(void)state;
	for (unsigned i = 0; i < MANY; i++)
		p[i] = kmalloc(64, GFP_KERNEL);
	h = hold_cache(s);
	hold_zones(KMEM_MAX_ORDER);
	for (unsigned i = 0; i < MANY; i++)	/* no store has room */
		kfree_nolock(p[i]);
	free_pages_nolock(page, KMEM_MAX_ORDER);
	release_zones(KMEM_MAX_ORDER);
	release_cache(s, &h);
	assert_true(caches_lock(true));
	assert_false(caches_lock(false));
	zones_do_later();
	caches_unlock();
	assert_int_equal(page_type(page), PAGE_NOLOCK);
	assert_true(zones.later);
	/* by whoever may wait: at once, to the end */
	zones_do_all_later();
	assert_int_equal(page_type(page), PAGE_FREE);
	assert_false(zones.later);
}

/* Somebody sleeps until memory comes free: an NMI may not wake him, so the free
 * is left to somebody who may. */
static void test_who_waits_is_woken_by_others(void **state)
{
	void *p = kmalloc(64, GFP_KERNEL);
	struct page *page = alloc_pages(GFP_KERNEL, 0);

	(void)state;
	kmem_store_relaxed(&zones.waiters, 1);
	kfree_nolock(p);
	assert_true(zones.later);
	assert_int_equal(state_of(p), SLOT_CACHED);
	kmem_store_relaxed(&zones.waiters, 0);
	zones_do_later();
	assert_int_equal(live(class_of(64)), 0);
	assert_false(zones.later);
	kmem_store_relaxed(&zones.waiters, 1);
	free_pages_nolock(page, 0);
	kmem_store_relaxed(&zones.waiters, 0);
	assert_true(zones.later);
	assert_int_equal(page_type(page), PAGE_CACHED);
	zones_do_later();
	assert_false(zones.later);
	assert_int_equal(live(class_of(64)), 0);
}

/* With the wrong order, twice, or of an object. */
static void test_bad_frees(void **state)
{
	struct page *page = alloc_pages(GFP_KERNEL, 2);
	void *p = kmalloc(64, GFP_KERNEL);

	(void)state;
	free_pages_nolock(page, 1);
	assert_panicked(page_to_virt(page), "free_pages_nolock", "allocated with order 2");
	free_pages_nolock(page, 2);
	free_pages_nolock(page, 2);
	assert_panicked(page_to_virt(page), "free_pages_nolock", NULL);
	free_pages_nolock(virt_to_page(p), 0);
	assert_panicked(NULL, "free_pages_nolock", "slab");
	kfree_nolock((char *)p + 8);
	assert_panicked(NULL, "kfree_nolock", NULL);
	kfree_nolock(p);
	kfree_nolock(p);
	assert_panicked(p, "kfree_nolock", "double free");
}

/* ---- caches that are debugged ---- */

/* An NMI can't verify and poison: it gets none of their objects, and what it frees
 * is verified later. */
static void test_debugged_class(void **state)
{
	const struct kmem_params params = {
		.nr_cpus = CPUS, .debug = "FZPU,kmalloc-64",
	};
	struct kmem_cache *s;
	void *p, *q;

	(void)state;
	machine(&params);
	s = class_of(64);
	assert_true(slabs_debugged(&s->slabs));
	p = kmalloc(64, GFP_KERNEL);
	q = kmalloc_nolock(64, 0, KMEM_NO_NODE);
	assert_ptr_not_equal(slabs_cache(virt_to_page(q)->slabs), s);
	kfree_nolock(q);
	kfree_nolock(p);
	assert_true(zones.later);
	assert_sound();
	zones_do_later();
	assert_false(zones.later);
	assert_int_equal(live(s), 0);
	kfree(p);
	assert_panicked(p, "double free", NULL);

	/* behind its end: found, but later */
	p = kmalloc(64, GFP_KERNEL);
	((volatile char *)p)[64] = 1;
	kfree_nolock(p);
	assert_no_panic();
	zones_do_later();
	assert_panicked(p, "right", NULL);
}

/* ---- two that free the same at once ---- */

/* An object, or a page, is in a magazine and yet its user's: the second copy is
 * dropped and reported, and never given out. */
static void test_second_copies(void **state)
{
	void *p = kmalloc(64, GFP_KERNEL), *q;
	struct page *of = virt_to_page(p), *page, *other, *some[64];

	(void)state;
	if (KMEM_HARDEN)
		skip();			/* it is in quarantine */
	kfree_nolock(p);
	assert_int_equal(state_of(p), SLOT_CACHED);
	kmem_store_relaxed(&of->slot[slab_index(of, of->slabs, p).index],
			   slabs_live(of->slabs));
	q = kmalloc_nolock(64, 0, KMEM_NO_NODE);
	assert_panicked(p, "freed twice", NULL);
	assert_ptr_not_equal(p, q);
	kfree(q);
	kfree(p);

	for (int i = 0; i < 64; i++)	/* so that there is a magazine */
		some[i] = alloc_pages(GFP_KERNEL, 0);
	for (int i = 0; i < 64; i++)
		__free_pages(some[i], 0);
	page = alloc_pages(GFP_KERNEL, 0);
	free_pages_nolock(page, 0);
	assert_int_equal(page_type(page), PAGE_CACHED);
	page_set_type(page, PAGE_ALLOCATED);
	other = alloc_pages_nolock(0, KMEM_NO_NODE, 0);
	assert_int_equal(test_panics(), 1);
	assert_panicked(page_to_virt(page), NULL, NULL);
	assert_ptr_not_equal(page, other);
	if (other)
		__free_pages(other, 0);
	__free_pages(page, 0);
}

/* The magazine in use is full, the other one is not: nobody else is needed. */
static void test_the_other_magazine(void **state)
{
	struct kmem_cache *s = class_of(64);
	struct kmem_layer_stats before, after;
	static void *p[MANY];
	unsigned n = 0;
	struct magazine_cpu *c;

	(void)state;
	while (n < MANY)
		p[n++] = kmalloc(64, GFP_KERNEL);
	c = magazine_enter(&s->magazine);
	assert_non_null(c);
	magazine_exit(c);
	while (n > 2)
		kfree(p[--n]);
	do
		p[n++] = kmalloc(64, GFP_KERNEL);
	while (n < MANY && (!c->previous || c->previous_rounds));
	while (n > 1 && c->top < c->end)
		kfree(p[--n]);
	assert_int_equal(c->previous_rounds, 0);
	magazine_layer_stats(&s->magazine, &before);
	kfree_nolock(p[--n]);
	magazine_layer_stats(&s->magazine, &after);
	assert_int_equal(after.in_cpus, before.in_cpus + 1);
	assert_int_equal(after.free_swaps, before.free_swaps + 1);
	while (n)
		kfree(p[--n]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_next_class),
		CASE(test_largest_class),
		CASE(test_zones_are_held),
		CASE(test_all_of_one_node),
		CASE(test_nodes),
		CASE(test_bad_flags),
		CASE(test_object_is_put_aside),
		CASE(test_who_does_them),
		CASE(test_more_than_the_stores_hold),
		CASE(test_scan_waits_for_the_list_of_caches),
		CASE(test_who_waits_is_woken_by_others),
		CASE(test_bad_frees),
		CASE(test_debugged_class),
		CASE(test_second_copies),
		CASE(test_the_other_magazine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
