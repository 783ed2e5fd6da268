// SPDX-License-Identifier: MIT
/*
 * tests/points/nmi.c - an NMI, or an interrupt, at every point of kmem.
 *
 * What could go wrong: a slot, a list or a count that is for two instructions
 * not what it should be, where nothing keeps an NMI out: then it pops what is
 * not there, or what it changes is overwritten by the code that it
 * interrupted. So each operation below is run once for each of its memory
 * accesses, and there and then comes
 *
 *	an NMI that allocates and frees with the _nolock calls,
 *	an interrupt that does with the ordinary ones, where they are let through,
 *	an interrupt, and an NMI somewhere in it.
 *
 * After each run: what the event allocated has kept its contents, all is freed,
 * every invariant holds, and no page is missing.
 */
#include <stdlib.h>

#include "points.h"
#include "testlib.h"
#include "zone.h"

#define QUIET	__GFP_NOWARN
#define MANY	70		/* more than a magazine */
#define STRAYS	200		/* more than the stores of what is freed later */
#define NOLOCKS	24

static struct kmem_cache *objects;

/* -------------------------------------------------------------- operations */

static void one_object(void)
{
	kfree(kmalloc(64, GFP_KERNEL));
}

/* Refills, exchanges with the depot, flushes, new slabs, slabs given up. */
static void many_objects(void)
{
	static void *p[MANY];

	for (unsigned i = 0; i < MANY; i++) {
		p[i] = kmalloc(64, GFP_KERNEL);
		REQUIRE(p[i]);
		test_fill(p[i], 64, i);
	}
	for (unsigned i = 0; i < MANY; i++) {
		REQUIRE(!test_changed(p[i], 64, i));
		kfree(p[i]);
	}
}

static void large_objects(void)
{
	void *p[12];

	for (unsigned i = 0; i < 12; i++) {
		p[i] = kmem_cache_alloc(objects, GFP_KERNEL);
		REQUIRE(p[i]);
		memset(p[i], (int)i, 3000);
	}
	kmem_cache_free_bulk(objects, 12, p);
}

static void bulk(void)
{
	void *p[MANY];

	REQUIRE(kmem_cache_alloc_bulk(objects, GFP_KERNEL, 30, p) == 30);
	kmem_cache_free_bulk(objects, 30, p);
}

static void pages(void)
{
	struct page *p[24];

	for (unsigned i = 0; i < 24; i++) {
		p[i] = alloc_pages(GFP_KERNEL, i % 6);
		REQUIRE(p[i]);
	}
	for (unsigned i = 0; i < 24; i++)
		__free_pages(p[i], i % 6);
}

static void large_block(void)
{
	kfree(kmalloc(5 * PAGE, GFP_KERNEL));
}

static void shrink(void)
{
	one_object();
	kmem_cache_shrink(objects);
	drain_pages();
}

static void brief_cache(void)
{
	struct kmem_cache *s = kmem_cache_create("brief", 200, 0, 0, NULL);
	void *p = s ? kmem_cache_alloc(s, GFP_KERNEL) : NULL;

	REQUIRE(p);
	kmem_cache_free(s, p);
	kmem_cache_destroy(s);
}

/* Called where it could wait, and interrupted itself. */
static void nolock(void)
{
	void *p[NOLOCKS];

	for (unsigned i = 0; i < NOLOCKS; i++)
		p[i] = kmalloc_nolock(64, 0, KMEM_NO_NODE);
	for (unsigned i = 0; i < NOLOCKS; i++)
		kfree_nolock(p[i]);
}

static const struct {
	const char *name;
	void (*fn)(void);
} operations[] = {
	{ "one object", one_object },
	{ "many objects", many_objects },
	{ "large objects", large_objects },
	{ "bulk", bulk },
	{ "pages", pages },
	{ "large block", large_block },
	{ "shrink", shrink },
	{ "brief cache", brief_cache },
	{ "nolock", nolock },
};

/* ------------------------------------------------------------------ events */

struct kept {
	void *p;
	size_t size;
};

static struct kept kept[8];
static unsigned nr_kept;
static void *stray[STRAYS];		/* LIVE ones for an NMI to free */
static struct page *stray_page[3];
static unsigned long got, refused, left, scanned;

static void keep(void *p, size_t size)
{
	if (!p) {
		refused++;
		return;
	}
	got++;
	test_fill(p, size, (uintptr_t)p);
	kept[nr_kept++] = (struct kept){ p, size };
}

static void nmi(void)
{
	struct page *page = alloc_pages_nolock(0, KMEM_NO_NODE, 0);

	for (unsigned i = 0; i < STRAYS; i++)
		kfree_nolock(stray[i]);
	keep(kmalloc_nolock(64, 0, KMEM_NO_NODE), 64);
	keep(kmalloc_nolock(64, __GFP_ZERO, KMEM_NO_NODE), 64);
	keep(kmalloc_nolock(3000, 0, KMEM_NO_NODE), 3000);
	keep(kmalloc_nolock(3 * PAGE, 0, KMEM_NO_NODE), 3 * PAGE);
	for (unsigned i = 0; i < 3; i++)
		free_pages_nolock(stray_page[i], 2 * i);
	if (page)
		free_pages_nolock(page, 0);
	memset(stray, 0, sizeof(stray));
	memset(stray_page, 0, sizeof(stray_page));
}

static void irq(void)
{
	struct page *page = alloc_pages(GFP_ATOMIC, 0);

	keep(kmalloc(64, GFP_ATOMIC), 64);
	keep(kmem_cache_alloc(objects, GFP_ATOMIC), 3000);
	kfree(kmalloc(64, GFP_ATOMIC));
	for (unsigned i = 0; i < STRAYS / 2; i++) {
		void *p = stray[i];

		stray[i] = NULL;	/* an NMI won't free it as well */
		kfree(p);
	}
	__free_pages(page, 0);
}

/* -------------------------------------------------------------------- runs */

static void before(void)
{
	for (unsigned i = 0; i < STRAYS; i++)
		stray[i] = kmalloc(i % 8 ? 64 : 3000, GFP_KERNEL);
	for (unsigned i = 0; i < 3; i++)
		stray_page[i] = alloc_pages(GFP_KERNEL, 2 * i);
}

static void after(void)
{
	left += zones.later;
	scanned += zones.aside;
	while (nr_kept) {
		struct kept *k = &kept[--nr_kept];

		REQUIRE(!test_changed(k->p, k->size, (uintptr_t)k->p));
		kfree(k->p);
	}
	for (unsigned i = 0; i < STRAYS; i++)
		kfree(stray[i]);
	for (unsigned i = 0; i < 3; i++)
		__free_pages(stray_page[i], 2 * i);
	memset(stray, 0, sizeof(stray));
	memset(stray_page, 0, sizeof(stray_page));
	REQUIRE(test_violations() == 0);
}

/* `cold`: from empty magazines and with no slab to spare. */
static unsigned long every_point(void (*op)(void), struct points_event e,
				 struct points_event *second, bool cold,
				 size_t all)
{
	bool came = true;

	for (e.n = 0; came; e.n += test_step()) {
		if (cold)
			test_drain(1);
		before();
		if (second)
			second->n = e.n * 37 % 400;
		points_start(&e, second);
		op();
		came = points_stop();
		after();
		REQUIRE(test_live_objects() == 0);
		if (e.n % 64 == 0) {
			test_drain(1);
			REQUIRE(test_pages() == all);
		}
	}
	test_drain(1);
	REQUIRE(test_pages() == all);
	return e.n;
}

static void run_all(bool cold)
{
	const struct points_event an_nmi = { nmi, false, 0 };
	const struct points_event an_irq = { irq, true, 0 };
	size_t all;

	test_drain(1);
	all = test_pages();
	for (unsigned i = 0; i < KMEM_ARRAY_SIZE(operations); i++) {
		struct points_event inside = an_nmi;
		void (*op)(void) = operations[i].fn;
		unsigned long n[3];

		n[0] = every_point(op, an_nmi, NULL, cold, all);
		n[1] = every_point(op, an_irq, NULL, cold, all);
		n[2] = every_point(op, an_irq, &inside, cold, all);
		printf("points: %-14s %s: %6lu NMIs, %6lu interrupts, %6lu "
		       "with an NMI inside\n", operations[i].name,
		       cold ? "cold" : "warm", n[0], n[1], n[2]);
		fflush(stdout);
	}
}

int main(void)
{
	host_machine(4 * MIB, 1);
	objects = kmem_cache_create("objects", 3000, 0, 0, NULL);
	REQUIRE(objects);
	run_all(false);
	run_all(true);
	kmem_cache_destroy(objects);
	printf("points: %lu allocations of events served, %lu refused; %lu "
	       "times were frees left for later, %lu times without a note\n",
	       got, refused, left, scanned);
	REQUIRE(got > 0 && refused > 0 && left > 0 && scanned > 0);
	return EXIT_SUCCESS;
}
