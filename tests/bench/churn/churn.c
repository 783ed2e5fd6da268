// SPDX-License-Identifier: MIT
/*
 * tests/bench/churn/churn.c - what days of use leave of large blocks, with
 * pages kept apart by mobility and without: `make bench-churn`.
 *
 * A machine of 1 GiB. Pages of the page cache (movable) fill what there is and
 * are replaced at random; among them live small things of the kernel (kmalloc,
 * unmovable), dentries (a reclaimable cache), and page tables (single pages),
 * which come and go too. At the end all that is movable goes, and then what is
 * reclaimable: the state of memory before and after each is one line.
 *
 * Blocks are counted, nothing is timed: the numbers depend on the seed alone.
 *
 *	churn [-n steps] [-s seed]
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kmem/kmem.h>

#include "host.h"

#define BYTES	((kmem_phys_t)1 << 30)
#define START	((kmem_phys_t)1 << 20)
#define PAGES	(BYTES / KMEM_PAGE_SIZE)
#define NR_KINDS 4

static uint64_t state;

static uint64_t below(uint64_t n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state % n;
}

/* ------------------------------------------- what comes and goes, by kind */

static struct kmem_cache *dentries;

static void *get_cache_page(void)
{
	return alloc_page(GFP_HIGHUSER_MOVABLE | __GFP_NOWARN);
}

static void *get_table(void)
{
	return alloc_page(GFP_KERNEL | __GFP_NOWARN);
}

static void put_a_page(void *page)
{
	put_page(page);
}

static void *get_small(void)
{
	return kmalloc(16 + below(1000), GFP_KERNEL | __GFP_NOWARN);
}

static void put_small(void *p)
{
	kfree(p);
}

static void *get_dentry(void)
{
	return kmem_cache_alloc(dentries, GFP_KERNEL | __GFP_NOWARN);
}

static void put_dentry(void *p)
{
	kmem_cache_free(dentries, p);
}

static struct kind {
	const char *name;
	void *(*get)(void);
	void (*put)(void *p);
	unsigned share;			/* of the steps, in per cent */
	size_t most;
	size_t nr;
	void **held;
} kinds[NR_KINDS] = {
	{ "page cache", get_cache_page, put_a_page, 70, PAGES, 0, NULL },
	{ "page tables", get_table, put_a_page, 5, PAGES / 50, 0, NULL },
	{ "kmalloc", get_small, put_small, 15, PAGES / 3, 0, NULL },
	{ "dentries", get_dentry, put_dentry, 10, PAGES / 2, 0, NULL },
};

static void drop_one(struct kind *k)
{
	size_t i = below(k->nr);

	k->put(k->held[i]);
	k->held[i] = k->held[--k->nr];
}

/* One more, or one less; where memory is used up, the page cache gives way, as
 * in a kernel. */
static void step(struct kind *k)
{
	struct kind *page_cache = &kinds[0];
	void *p;

	if (k->nr == k->most || (k->nr && below(100) < 45)) {
		drop_one(k);
		return;
	}
	for (unsigned i = 0; !(p = k->get()) && i < 16; i++)
		if (page_cache->nr)
			drop_one(page_cache);
	if (p)
		k->held[k->nr++] = p;
}

static struct kind *choose(void)
{
	unsigned at = (unsigned)below(100);
	struct kind *k = kinds;

	for (; at >= k->share; k++)
		at -= k->share;
	return k;
}

/* --------------------------------------------------------------- the table */

static void say(const char *when)
{
	size_t nr_free = 0, large = 0, usable = 0;
	struct kmem_zone_stats st;

	for (unsigned i = 0; kmem_zone_stats(i, &st); i++) {
		nr_free += st.free_pages;
		for (unsigned o = 9; o <= KMEM_MAX_ORDER; o++) {
			large += st.nr_free[o] << (o - 9);
			usable += st.nr_free[o] << o;
		}
	}
	printf("    %-28s %9zu %14zu %14.1f %%\n", when, nr_free, large,
	       nr_free ? 100.0 * (double)(nr_free - usable) / (double)nr_free :
	       0.0);
}

static void all_back(void)
{
	kmem_cache_shrink(dentries);
	drain_pages();
}

static void drop_all(struct kind *k)
{
	while (k->nr)
		drop_one(k);
	all_back();
}

static void start(bool mix)
{
	struct kmem_params p = { .nr_cpus = 1, .mix_mobility = mix };

	kmem_reset();
	if (!host_memory_reserve(START, START + BYTES) ||
	    !host_memory_back(START, START + BYTES) ||
	    kmem_add_region(START, BYTES, KMEM_REGION_USABLE, KMEM_NO_NODE))
		exit(EXIT_FAILURE);
	p.virt_offset = host_virt_offset();
	if (kmem_init(&p))
		exit(EXIT_FAILURE);
	dentries = kmem_cache_create("dentry", 192, 0, SLAB_RECLAIM_ACCOUNT,
				     NULL);
}

/* Up to a fiftieth of memory. */
static void fill_page_cache(void)
{
	struct kind *k = &kinds[0];
	void *p;

	while (nr_free_pages() > PAGES / 50 && k->nr < k->most &&
	       (p = k->get()))
		k->held[k->nr++] = p;
}

static void churn(bool mix, uint64_t seed, uint64_t steps)
{
	start(mix);
	state = seed;
	printf("  %s\n", mix ? "mixed" : "kept apart by mobility");
	for (struct kind *k = kinds; k < kinds + NR_KINDS; k++) {
		k->held = malloc(k->most * sizeof(*k->held));
		if (!k->held)
			exit(EXIT_FAILURE);
	}
	fill_page_cache();
	for (uint64_t i = 0; i < steps; i++)
		step(choose());
	all_back();
	say("after the churn");
	drop_all(&kinds[0]);
	say("without the page cache");
	drop_all(&kinds[3]);
	say("and without dentries");
	for (struct kind *k = kinds; k < kinds + NR_KINDS; k++) {
		drop_all(k);
		free(k->held);
	}
	say("and without all the rest");
}

int main(int argc, char **argv)
{
	uint64_t steps = 20000000, seed = 1;

	for (int i = 1; i + 1 < argc; i += 2) {
		if (!strcmp(argv[i], "-n"))
			steps = strtoull(argv[i + 1], NULL, 0);
		if (!strcmp(argv[i], "-s"))
			seed = strtoull(argv[i + 1], NULL, 0) | 1;
	}
	printf("churn: 1 GiB, %" PRIu64 " steps, seed %" PRIu64 "\n", steps,
	       seed);
	printf("    %-28s %9s %14s %16s\n", "", "free", "blocks of 2^9",
	       "free in smaller");
	churn(false, seed, steps);
	churn(true, seed, steps);
	return EXIT_SUCCESS;
}
