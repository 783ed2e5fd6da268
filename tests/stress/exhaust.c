// SPDX-License-Identifier: MIT
/*
 * tests/stress/exhaust.c - all memory is taken, and all of it comes back.
 *
 * What could go wrong: who may use the reserve finds none of it, as others got
 * there first; a page stays behind in a table or a magazine; blocks that were
 * split don't meet again; a request that fails leaves something changed.
 *
 * A hundred rounds, on one CPU and on four. Each takes memory in every way there
 * is until GFP_KERNEL gets nothing, in no size; then GFP_ATOMIC, which still
 * does, until it gets nothing either; then the last page by __GFP_MEMALLOC. All
 * of it is freed in random order, on other CPUs than took it. Then each zone has
 * as many free blocks of each order as it had in the beginning, which is what
 * the memory map makes possible.
 *
 *	exhaust		KMEM_SEED=n replays, KMEM_TEST_SCALE=percent of rounds
 */
#include <stdlib.h>

#include "kmem_arch.h"
#include "testlib.h"

#define ROUNDS		100
#define CPUS		4
#define MOST_ITEMS	(1u << 17)	/* a CPU */
#define QUIET		__GFP_NOWARN

/* Not aligned to large blocks, with a hole, in two zones and on two nodes. */
static const struct test_range map[] = {
	{ 1 * MIB + 12 * PAGE, 5 * MIB + 3 * PAGE, KMEM_REGION_USABLE, 0 },
	{ 6 * MIB, 15 * MIB, KMEM_REGION_USABLE, 0 },
	{ 17 * MIB, 24 * MIB - PAGE, KMEM_REGION_USABLE, 1 },
};

/* ---- the machine ---- */

static bool cpus_run;		/* then none can be told to do something */

static void run_on_cpu(void *ctx, unsigned cpu, void (*fn)(void *), void *arg)
{
	unsigned here = kmem_arch_cpu();

	(void)ctx;
	if (cpus_run)
		return;
	host_cpu_set(cpu);
	fn(arg);
	host_cpu_set(here);
}

static int cpu_node(void *ctx, unsigned cpu)
{
	(void)ctx;
	return (int)cpu & 1;
}

static struct kmem_cache *cache[3];

static void machine(unsigned nr_cpus)
{
	static const struct kmem_hooks hooks = {
		.run_on_cpu = run_on_cpu, .cpu_node = cpu_node,
	};
	struct kmem_params p = { .nr_cpus = nr_cpus, .hooks = &hooks };

	host_cpu_set(0);
	REQUIRE(test_machine(map, KMEM_ARRAY_SIZE(map), &p) == KMEM_OK);
	REQUIRE((cache[0] = kmem_cache_create("small", 24, 0, 0, NULL)));
	REQUIRE((cache[1] = kmem_cache_create("medium", 700, 0, 0, NULL)));
	REQUIRE((cache[2] = kmem_cache_create("large", 5000, 0, 0, NULL)));
}

/* ---- what is taken ---- */

enum kind { PAGES, KMALLOC, CACHE, NR_KINDS = CACHE + 3 };

struct item {
	void *p;
	enum kind kind;
	unsigned order;
};

static struct items {
	struct item item[MOST_ITEMS];
	unsigned nr;
	uint64_t seed;
} items[CPUS];

/* n: order, bytes, nothing. */
static void *take(enum kind kind, gfp_t gfp, unsigned n)
{
	struct page *page;

	if (kind == KMALLOC)
		return kmalloc(n, gfp);
	if (kind >= CACHE)
		return kmem_cache_alloc(cache[kind - CACHE], gfp);
	page = alloc_pages(gfp, n);
	return page ? page_to_virt(page) : NULL;
}

static void keep(struct items *mine, void *p, enum kind kind, unsigned order)
{
	REQUIRE(mine->nr < MOST_ITEMS);
	*(void **)p = p;
	mine->item[mine->nr++] = (struct item){ p, kind, order };
}

/* Seldom blocks, or they would be all that there is. */
static enum kind choose_kind(uint64_t *seed)
{
	uint64_t n = test_below(seed, 64);

	return n ? (enum kind)(KMALLOC + n % (NR_KINDS - KMALLOC)) : PAGES;
}

/* Mostly small. */
static unsigned choose_size(uint64_t *seed, unsigned most)
{
	unsigned n = (unsigned)test_below(seed, most);

	return (n >> test_below(seed, 12)) + 1;
}

/* Everything that gfp is given, of every kind and size. Return: how much. */
static unsigned take_all(struct items *mine, gfp_t gfp)
{
	unsigned most[NR_KINDS] = { KMEM_MAX_ORDER + 1, 20000, 1, 1, 1 };
	unsigned had = mine->nr, dry = 0;

	while (dry < NR_KINDS) {
		enum kind kind = choose_kind(&mine->seed);
		unsigned n;
		void *p;

		if (!most[kind])
			continue;
		n = kind == KMALLOC ? choose_size(&mine->seed, most[kind]) :
		    (unsigned)test_below(&mine->seed, most[kind]);
		p = take(kind, gfp | QUIET, n);
		if (p) {
			keep(mine, p, kind, n);
			continue;
		}
		/* Smaller ones may still be there. */
		most[kind] = kind == KMALLOC ? n - 1 : kind == PAGES ? n : 0;
		dry += !most[kind];
	}
	return mine->nr - had;
}

static void give(const struct item *i)
{
	REQUIRE(*(void **)i->p == i->p);
	if (i->kind == PAGES)
		__free_pages(virt_to_page(i->p), i->order);
	else if (i->kind == KMALLOC)
		kfree(i->p);
	else
		kmem_cache_free(cache[i->kind - CACHE], i->p);
}

/* ---- in parallel ---- */

static unsigned nr_cpus;
static gfp_t wanted;

static void take_on(unsigned cpu, void *arg)
{
	(void)arg;
	take_all(&items[cpu], wanted);
}

/* What all took, in the order of release: each CPU frees every nr_cpus-th. */
static struct item *all[CPUS * MOST_ITEMS];
static unsigned nr_all;

static void give_on(unsigned cpu, void *arg)
{
	(void)arg;
	for (unsigned i = cpu; i < nr_all; i += nr_cpus)
		give(all[i]);
}

static void on_all_cpus(void (*fn)(unsigned cpu, void *arg))
{
	cpus_run = true;
	if (nr_cpus > 1)
		host_run_cpus(nr_cpus, fn, NULL);
	else
		fn(0, NULL);
	cpus_run = false;
}

static void shuffle(uint64_t *seed)
{
	nr_all = 0;
	for (unsigned cpu = 0; cpu < nr_cpus; cpu++)
		for (unsigned i = 0; i < items[cpu].nr; i++)
			all[nr_all++] = &items[cpu].item[i];
	for (unsigned i = nr_all; i > 1; i--) {
		unsigned k = (unsigned)test_below(seed, i);
		struct item *last = all[i - 1];

		all[i - 1] = all[k];
		all[k] = last;
	}
}

/* ---- the free blocks of all zones ---- */

#define ZONES	6

struct picture {
	size_t nr_free[ZONES][KMEM_MAX_ORDER + 1];
	unsigned zones;
};

static struct picture picture(void)
{
	struct picture pic = { .zones = 0 };
	struct kmem_zone_stats st;

	kmem_trim(KMEM_DRAIN_CPU);
	for (unsigned i = 0; kmem_zone_stats(i, &st); i++) {
		if (!st.managed)
			continue;
		REQUIRE(pic.zones < ZONES);
		memcpy(pic.nr_free[pic.zones++], st.nr_free,
		       sizeof(st.nr_free));
	}
	return pic;
}

static void require_same(const struct picture *a, const struct picture *b)
{
	REQUIRE(a->zones == b->zones);
	for (unsigned z = 0; z < a->zones; z++)
		for (unsigned o = 0; o <= KMEM_MAX_ORDER; o++)
			if (a->nr_free[z][o] != b->nr_free[z][o]) {
				fprintf(stderr, "zone %u, order %u: %zu blocks "
					"were free, %zu are now\n", z, o,
					a->nr_free[z][o], b->nr_free[z][o]);
				REQUIRE(!"as many free blocks as before");
			}
}

/* ---- a round ---- */

static bool any(gfp_t gfp)
{
	for (int kind = 0; kind < NR_KINDS; kind++)
		if (take((enum kind)kind, gfp | QUIET, kind == KMALLOC)) {
			fprintf(stderr, "kind %d is there for 0x%x\n", kind,
				gfp);
			return true;
		}
	return false;
}

struct taken {
	unsigned kernel, atomic, last;
};

static struct taken take_everything(void)
{
	struct taken t = { 0 };

	wanted = GFP_KERNEL;
	on_all_cpus(take_on);
	/* What others had in their magazines when the last of them gave up. */
	take_all(&items[0], GFP_KERNEL);
	for (unsigned i = 0; i < nr_cpus; i++)
		t.kernel += items[i].nr;
	REQUIRE(!any(GFP_KERNEL));

	/* On each CPU there is something, though the others take it too. */
	wanted = GFP_ATOMIC;
	for (unsigned i = 0; i < nr_cpus; i++) {
		void *p;

		host_cpu_set(i);
		REQUIRE((p = take(PAGES, GFP_ATOMIC | QUIET, 0)));
		keep(&items[i], p, PAGES, 0);
		REQUIRE((p = take(KMALLOC, GFP_ATOMIC | QUIET, 100)));
		keep(&items[i], p, KMALLOC, 0);
		REQUIRE((p = take(CACHE + 1, GFP_ATOMIC | QUIET, 0)));
		keep(&items[i], p, CACHE + 1, 0);
		REQUIRE(!take(PAGES, GFP_KERNEL | QUIET, 0));
	}
	host_cpu_set(0);
	on_all_cpus(take_on);
	take_all(&items[0], GFP_ATOMIC);
	for (unsigned i = 0; i < nr_cpus; i++)
		t.atomic += items[i].nr;
	t.atomic -= t.kernel;
	REQUIRE(!any(GFP_ATOMIC));
	REQUIRE(!any(GFP_KERNEL));

	t.last = take_all(&items[0], GFP_ATOMIC | __GFP_MEMALLOC);
	REQUIRE(t.last > 0);
	REQUIRE(nr_free_pages() == 0);
	return t;
}

static void rounds(unsigned n, uint64_t *seed)
{
	struct picture before, after;
	struct taken t, sum = { 0 };

	machine(nr_cpus);
	before = picture();
	for (unsigned i = 0; i < n; i++) {
		for (unsigned cpu = 0; cpu < nr_cpus; cpu++) {
			items[cpu].nr = 0;
			items[cpu].seed = test_random(seed);
		}
		t = take_everything();
		sum.kernel += t.kernel;
		sum.atomic += t.atomic;
		sum.last += t.last;
		if (i % 10 == 0)
			REQUIRE(test_violations() == 0);
		shuffle(seed);
		on_all_cpus(give_on);
		after = picture();
		require_same(&before, &after);
		if (i % 10 == 0)
			REQUIRE(test_violations() == 0);
	}
	REQUIRE(test_violations() == 0);
	printf("%u CPUs, %u rounds; of each, in the mean: %u for GFP_KERNEL, "
	       "%u more for GFP_ATOMIC, the last %u\n", nr_cpus, n,
	       sum.kernel / n, sum.atomic / n, sum.last / n);
}

int main(void)
{
	uint64_t seed = test_seed("exhaust");

	for (nr_cpus = 1; nr_cpus <= CPUS; nr_cpus += CPUS - 1)
		rounds(test_scaled(ROUNDS), &seed);
	kmem_reset();
	host_memory_release();
	printf("[  PASSED  ] 2 tests\n");
	return 0;
}
