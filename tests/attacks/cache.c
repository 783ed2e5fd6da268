// SPDX-License-Identifier: MIT
/*
 * cache.c - the life of caches, and CPUs that do it at the same time.
 */
#include "attack.h"

#include <kmem/mempool.h>

/* ---- two CPUs ---- */

#define BATCH	16

static struct {
	struct run *r;
	void *p[BATCH];
	unsigned n, arrived;
} race;

static MISUSE_CALL void free_all(unsigned cpu, void *arg)
{
	(void)arg;
	__atomic_fetch_add(&race.arrived, 1, __ATOMIC_ACQ_REL);
	while (__atomic_load_n(&race.arrived, __ATOMIC_ACQUIRE) < 2)
		kmem_host_yield();
	for (unsigned i = 0; i < race.n; i++)
		give(race.r, race.p[cpu ? race.n - 1 - i : i]);
	END_OF_CALL();
}

/*
 * Both free the same objects at the same time, each from another end: what one
 * frees after the other, and what both free at once. Each must be reported
 * once, at the latest when its second copy reaches the slab.
 */
static void concurrent(struct run *r)
{
	void *p = victim(r);

	race.r = r;
	race.p[0] = p;
	for (race.n = 1; race.n < BATCH; race.n++)
		REQUIRE(race.p[race.n] = take(r));
	if (r->kind == PAGES && r->order > 3)
		r->nothing = true;
	expect(r, NULL, "free", NO_PLACE | NO_CALLER);
	r->reports = race.n;
	r->racing = true;
	during(r, "at the free");
	host_run_cpus(2, free_all, NULL);
	during(r, "at the slab");
	drain(r);
}

/* ---- the end of a cache ---- */

static MISUSE_CALL void destroy(struct kmem_cache *s)
{
	kmem_cache_destroy(s);
	END_OF_CALL();
}

struct search {
	const struct kmem_cache *s;
	bool found;
};

static bool look(struct kmem_cache *s, void *arg)
{
	struct search *search = arg;

	search->found |= s == search->s;
	return true;
}

static bool is_there(const struct kmem_cache *s)
{
	struct search search = { s, 0 };

	kmem_for_each_cache(look, &search);
	return search.found;
}

static void destroy_in_use(struct run *r)
{
	struct kmem_cache *s = kmem_cache_create("doomed", r->size, 0, 0, NULL);
	void *live[20];
	unsigned n = (unsigned)between(r, 1, KMEM_ARRAY_SIZE(live));

	REQUIRE(s);
	for (unsigned i = 0; i < n; i++)
		REQUIRE(live[i] = kmem_cache_alloc(s, GFP_KERNEL));
	for (unsigned i = n / 2; i + 1 < n; i++)
		kmem_cache_free(s, live[i]);
	live[n / 2] = live[n - 1];
	n = n / 2 + 1;
	/* One of them is named; that each is, their number says. */
	expect(r, NULL, "doomed", SAYS_ALLOC | NO_PLACE);
	r->reports = n;
	during(r, "at destroy");
	destroy(s);
	for (unsigned i = 0; i < n; i++)
		test_fill(live[i], r->size, i);
	if (!is_there(s) || kmem_cache_create("doomed", 64, 0, 0, NULL))
		r->reports = ~0u;	/* it was not kept */
	for (unsigned i = 0; i < n; i++)
		kmem_cache_free(s, live[i]);
	kmem_cache_destroy(s);
}

/* A cache that was used, and is gone: what is expected to be named. */
static struct kmem_cache *destroyed(struct run *r)
{
	struct kmem_cache *s = kmem_cache_create("doomed", r->size, 0, 0, NULL);

	REQUIRE(s);
	kmem_cache_free(s, kmem_cache_alloc(s, GFP_KERNEL));
	kmem_cache_destroy(s);
	expect(r, s, NULL, NO_PLACE);
	return s;
}

static void destroy_twice(struct run *r)
{
	struct kmem_cache *s = destroyed(r);

	during(r, "at destroy");
	destroy(s);
}

static MISUSE_CALL void alloc_from(struct run *r, struct kmem_cache *s)
{
	void *p = below(r, 2) ? kmem_cache_alloc(s, GFP_KERNEL) :
		  below(r, 2) ? kmem_cache_zalloc(s, GFP_KERNEL) :
				kmem_cache_alloc_node(s, GFP_KERNEL, 0);

	END_OF_CALL();
	REQUIRE(!p || !nr_reports());
}

static void use_destroyed(struct run *r)
{
	struct kmem_cache *s = destroyed(r);

	during(r, "at the call");
	alloc_from(r, s);
}

static MISUSE_CALL void free_to(struct kmem_cache *s, void *p)
{
	kmem_cache_free(s, p);
	END_OF_CALL();
}

/* Nothing of a destroyed cache is left, so what is freed to it is of others. */
static void free_to_destroyed(struct run *r)
{
	struct kmem_cache *s = kmem_cache_create("doomed", r->size, 0, 0, NULL);
	void *old, *p = victim(r);

	REQUIRE(s);
	old = kmem_cache_alloc(s, GFP_KERNEL);
	kmem_cache_free(s, old);
	kmem_cache_destroy(s);
	if (below(r, 2)) {
		expect(r, old, NULL, NO_PLACE);
		during(r, "at the free");
		free_to(s, old);
	} else {
		expect(r, p, "the object is of cache", 0);
		during(r, "at the free");
		free_to(s, p);
	}
	give(r, p);
}

static void free_to_no_cache(struct run *r)
{
	void *p = victim(r);

	expect(r, p, "no cache is there: NULL", NO_PLACE);
	during(r, "at the free");
	free_to(NULL, p);
	give(r, p);
}

/* The constructor or a name that nobody could mean. */
static void create_badly(struct run *r)
{
	const struct { const char *name; size_t size, align; } bad[] = {
		{ NULL, 64, 0 }, { "", 64, 0 }, { "victims", 64, 0 },
		{ "a b", 64, 0 }, { "x", 0, 0 }, { "x", SIZE_MAX, 0 },
		{ "x", KMEM_CACHE_MAX_SIZE + 1, 0 }, { "x", 64, 3 },
		{ "x", 64, 2 * PAGE }, { "x", 64, SIZE_MAX },
	};
	unsigned i = (unsigned)below(r, KMEM_ARRAY_SIZE(bad));

	holds(r, !kmem_cache_create(bad[i].name, bad[i].size, bad[i].align, 0,
				    NULL) && !nr_reports());
}

/* ---- mempools ---- */

static MISUSE_CALL void to_pool(void *p, mempool_t *pool)
{
	mempool_free(p, pool);
	END_OF_CALL();
}

/* An element that is in the reserve: while there is room in that, or none. */
static void reserve_twice(struct run *r, bool full)
{
	mempool_t *pool = mempool_create_kmalloc_pool(4, r->size);
	void *p, *other;

	REQUIRE(pool);
	p = mempool_alloc_preallocated(pool);
	other = mempool_alloc_preallocated(pool);
	mempool_free(p, pool);
	if (full)
		mempool_free(other, pool);
	expect(r, p, "double free", NO_PLACE | (full ? NO_CALLER : 0));
	during(r, "at the free");
	to_pool(p, pool);
	if (!full)
		kfree(other);
	during(r, "at the pool's end");
	mempool_destroy(pool);
}

static void mempool_twice(struct run *r)
{
	reserve_twice(r, false);
}

static void mempool_twice_full(struct run *r)
{
	reserve_twice(r, true);
}

#define YES	{ ALWAYS, ALWAYS, ALWAYS }

const struct attack cache_attacks[] = {
	{ "the same freed by two CPUs at once", concurrent, ALL_KINDS, YES,
	  0 },
	{ "live objects at kmem_cache_destroy(): each, and it is kept",
	  destroy_in_use, BIT(CACHE), YES, 0 },
	{ "kmem_cache_destroy() twice", destroy_twice, BIT(CACHE), YES, 0 },
	{ "allocation from a destroyed cache", use_destroyed, BIT(CACHE), YES,
	  0 },
	{ "free to a destroyed cache", free_to_destroyed, BIT(CACHE), YES,
	  0 },
	{ "kmem_cache_free() with no cache", free_to_no_cache, BYTES, YES,
	  0 },
	{ "caches that can't be are refused", create_badly, BIT(CACHE),
	  { HOLDS, HOLDS, HOLDS }, 0 },
	{ "mempool_free() of what the reserve has", mempool_twice, ONCE, YES,
	  0 },
	{ "the same, the reserve full", mempool_twice_full, ONCE,
	  { NOTHING, NOTHING, NOTHING }, 0 },
	{ .what = NULL },
};
