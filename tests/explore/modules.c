// SPDX-License-Identifier: MIT
/*
 * tests/explore/modules.c - what is explored of the modules above caches: frees
 * put aside, pools, bounds, waiting, sharing, walks. (A sheaf has one user:
 * nothing to explore.)
 */
#include "machine.h"

/* ---- frees put aside: those of a debugged cache ---- */

static void aside_machine(void)
{
	machine_with(&(struct kmem_params){ .nr_cpus = CPUS },
		     SLAB_CONSISTENCY_CHECKS);
	fill_objects(3);
	drop(object[0]);
	kfree_nolock(object[0]);
	settled();
}

/* Both stores are full: the next one is found by a scan only. */
static void scan_machine(void)
{
	machine_with(&(struct kmem_params){ .nr_cpus = CPUS },
		     SLAB_CONSISTENCY_CHECKS);
	fill_objects(30);
	for (unsigned i = 2; i < 30; i++) {
		drop(object[i]);
		kfree_nolock(object[i]);
	}
	settled();
}

static void put_aside(void)
{
	drop(object[1]);
	kfree_nolock(object[1]);
}

static void settle_aside(void)
{
	on_each(shrink);
	on_each(shrink);
	kmem_trim(KMEM_DRAIN);
	all_back();
}

/* ---- a pool ---- */

static mempool_t pool;

static void pool_machine(void)
{
	machine();
	MUST(!mempool_init(&pool, 2, mempool_alloc_slab, mempool_free_slab,
			   cache));
	for (unsigned i = 0; i < 3; i++) {
		object[i] = mempool_alloc_preallocated(&pool);
		hold(object[i], OBJECT);
	}
	settled();
}

static void pool_put(unsigned i)
{
	if (!object[i])
		return;
	drop(object[i]);
	mempool_free(object[i], &pool);
}

static void pool_end(void);

static void pool_put_0(void)
{
	pool_put(0);
}

static void pool_put_1(void)
{
	pool_put(1);
}

static void pool_get(void)
{
	hold(mempool_alloc_preallocated(&pool), OBJECT);
}

static void pool_grow(void)
{
	MUST(!mempool_resize(&pool, 3));
}

static void pool_reduce(void)
{
	MUST(!mempool_resize(&pool, 1));
}

/* One of two is here. */
static void half_pool_machine(void)
{
	pool_machine();
	pool_put(0);
	settled();
}

static void pool_reduced(void)
{
	MUST(pool.curr_nr <= pool.min_nr);
	pool_end();
}

static void pool_end(void)
{
	mempool_exit(&pool);
	all_back();
}

/* ---- a bound, and waiting for what comes free below it ---- */

#define BOUND	4

static void limited_machine(void)
{
	machine();
	kmem_cache_set_max(cache, BOUND);
	settled();
}

/* One slab of two, empty, in no magazine. */
static void limited_empty(void)
{
	machine();
	kmem_cache_set_max(cache, 2 * BOUND);
	one_empty_slab();
	settled();
}

/* The same, and no bound. */
static void one_slab(void)
{
	machine();
	one_empty_slab();
	settled();
}

static void keep_objects(void)
{
	MUST(!kmem_cache_prealloc(cache, 2 * BOUND, GFP_KERNEL));
}

static void enough_kept(void)
{
	struct kmem_cache_stats st;

	all_back();
	on_each(shrink);
	kmem_cache_stats(cache, &st);
	MUST(st.slabs >= 2);
}

static void raise_bound(void)
{
	kmem_cache_set_max(cache, 3 * BOUND);
}

static void within_bound(void)
{
	struct kmem_cache_stats st;

	all_back();
	kmem_cache_stats(cache, &st);
	MUST(st.slabs <= 2);
}

static unsigned waits;			/* or need not */

static void wait_hook(void *ctx, const struct kmem_pressure *p)
{
	(void)ctx;
	explore_post(&waits);
	while (!kmem_woken(p))
		explore_relax();
}

/* All objects that there may be are held. */
static void waiting_machine(void)
{
	static const struct kmem_hooks hooks = { .wait = wait_hook };

	machine_with(&(struct kmem_params){
		.nr_cpus = CPUS, .hooks = &hooks }, 0);
	waits = 0;
	kmem_cache_set_max(cache, BOUND);
	for (unsigned i = 0; i < OBJECTS && (!i || object[i - 1]); i++)
		object[i] = get();
	settled();
}

static void get_or_wait(void)
{
	void *p = kmem_cache_alloc(cache, GFP_KERNEL | __GFP_NOFAIL);

	MUST(p);
	hold(p, OBJECT);
	explore_post(&waits);
}

/* The first may be in a magazine, or on its way there, when the other one begins
 * to wait; the next finds it closed. */
static void put_two(void)
{
	put(object[0]);
	explore_await(&waits);
	put(object[1]);
}

/* ---- caches that share one ---- */

static void merging_machine(void)
{
	machine_with(&(struct kmem_params){
		.nr_cpus = CPUS, .merge_caches = true }, 0);
}

static void share(const char *name)
{
	struct kmem_cache *s = kmem_cache_create(name, OBJECT, 0, 0, NULL);

	if (s)
		kmem_cache_destroy(s);
}

static void share_a(void)
{
	share("a");
}

static void share_b(void)
{
	share("b");
}

/* ---- walks ---- */

#define OTHER	(OBJECT - 128)

static struct kmem_cache *other;

/* What is of the cache is no page, and of no other cache. */
static bool look(void *obj, void *arg)
{
	(void)arg;
	if (is_held(obj, KMEM_PAGE_SIZE) || is_held(obj, OTHER))
		explore_fail("a walk gives %p, which is another's", obj);
	return true;
}

static void walk(void)
{
	kmem_cache_walk(cache, look, NULL);
}

static void figures(void)
{
	struct kmem_cache_stats st;
	struct kmem_zone_stats zone;

	kmem_cache_stats(cache, &st);
	kmem_zone_stats(0, &zone);
}

static void fill_and_put_16(void)
{
	fill_objects(16);
	put_objects(0, 16);
}

/* CPU 1 and the depot have full magazines, a slab is empty. */
static void figures_machine(void)
{
	machine();
	on(1, fill_and_put_16);
	settled();
}

static void reuse_as_page(void)
{
	put(object[0]);
	kmem_cache_shrink(cache);
	get_block(0);
	get_block(0);
}

static void reuse_as_other(void)
{
	put(object[0]);
	kmem_cache_shrink(cache);
	hold(kmem_cache_alloc(other, GFP_ATOMIC), OTHER);
}

#define GFP_LAST	(GFP_ATOMIC | __GFP_NOWARN | __GFP_MEMALLOC)

/* Pages of another mobility have what looks like objects in use. */
static void reuse_as_movable(void)
{
	struct page *page;

	put(object[0]);
	kmem_trim(KMEM_DRAIN);
	page = alloc_pages(GFP_LAST | __GFP_MOVABLE, 0);
	if (!page)
		return;
	__free_pages(page, 0);
	drain_pages();
	hold(kmem_cache_alloc(cache, GFP_LAST), OBJECT);
}

static void reuse_machine(void)
{
	machine();
	other = kmem_cache_create("other", OTHER, 0, 0, NULL);
	MUST(other);
	fill_objects(1);
	on_each(shrink);
	settled();
}

static void use_up(void)
{
	drain_pages();
	for (unsigned order = KMEM_MAX_ORDER + 1; order--; )
		while (alloc_pages(GFP_LAST, order))
			;
}

/* The page of the slab will be the only one that is free. */
static void last_page_machine(void)
{
	large_machine();
	fill_objects(1);
	on_each(shrink);
	use_up();
	settled();
}

/* And a slab is being made of it, by who has found none, when it comes back. */
static struct page *movable;
static unsigned movable_is_there, movable_goes;

static void slab_to_movable(void)
{
	put(object[0]);
	kmem_cache_shrink(cache);
	explore_save(&movable, sizeof(movable));
	movable = alloc_pages(GFP_LAST | __GFP_MOVABLE, 0);
	explore_post(&movable_is_there);
}

static void get_last(void)
{
	hold(kmem_cache_alloc(cache, GFP_LAST), OBJECT);
}

static void remake(void)
{
	explore_at_once(slab_to_movable);
	explore_await(&movable_goes);
	explore_at_once(get_last);
}

/* With the lock that the other one then waits for. */
static void free_movable(void)
{
	explore_await(&movable_is_there);
	explore_post(&movable_goes);
	if (movable)
		__free_pages(movable, 0);
}

static void walk_remade_machine(void)
{
	last_page_machine();
	movable_is_there = movable_goes = 0;
}

/* The next pages that are scanned for frees put aside have the slab. */
static void *get_other(void)
{
	void *p = kmem_cache_alloc(other, GFP_LAST);

	MUST(p);
	return p;
}

static void get_one_other(void)
{
	get_other();
}

static void scan_remade_machine(void)
{
	void *p[45];
	size_t page;

	large_machine();
	movable_is_there = movable_goes = 0;
	fill_objects(1);
	on_each(shrink);
	other = kmem_cache_create("other", OTHER, 0, SLAB_CONSISTENCY_CHECKS,
				  NULL);
	MUST(other);
	for (unsigned i = 0; i < 45; i++)
		p[i] = get_other();
	use_up();
	for (unsigned i = 0; i < 45; i++)
		if (i % 3)
			kfree_nolock(p[i]);
	page = (size_t)((char *)object[0] - arena) / KMEM_PAGE_SIZE;
	for (size_t i = 0; i < (page + 1) / 64; i++)
		get_one_other();
	settled();
}

/* Slabs of what can be given up: their pages have a mobility, in the place of
 * inuse, before the slab begins and after it has ended. */
static void reclaimable_machine(void)
{
	machine_of(LARGE_BYTES, &(struct kmem_params){ .nr_cpus = CPUS },
		   SLAB_RECLAIM_ACCOUNT);
	settled();
}

static void reclaimable_slab(void)
{
	reclaimable_machine();
	one_empty_slab();
	settled();
}

static void walk_machine(void)
{
	machine();
	fill_objects(5);
	put_objects(1, 4);
	settled();
}

/* ---- the list ---- */

static const struct scenario list[] = {
	{ "aside-drain", "a free is put aside while those are done", ALL,
	  aside_machine, { get_one, put_aside }, .check = settle_aside },
	{ "aside-scan", "and one that no store has room for", 2,
	  scan_machine, { get_one, put_aside }, .check = settle_aside },
	{ "aside-nmi", "an NMI puts one aside below the draining", ALL,
	  aside_machine, { get_one }, .nmi = { put_aside },
	  .check = settle_aside },
	{ "pool-put-put", "two elements come to one place", ALL,
	  pool_machine, { pool_put_0, pool_put_1 }, .check = pool_end },
	{ "pool-get-put", "an element goes while another comes", 3,
	  pool_machine, { pool_put_0, pool_get, pool_put_1 },
	  .check = pool_end },
	{ "pool-resize", "an element comes to a pool that grows", 2,
	  pool_machine, { pool_put_0, pool_grow }, .check = pool_end },
	{ "pool-reduce", "an element comes to a pool that shrinks", ALL,
	  half_pool_machine, { pool_put_1, pool_reduce },
	  .check = pool_reduced },
	{ "limit", "two CPUs grow a cache beyond its bound", 2,
	  limited_machine, { get_one, get_one }, .check = within_bound },
	{ "limit-shrink", "a slab is counted off while one is made", 2,
	  limited_empty, { shrink, get_two }, .check = within_bound },
	{ "limit-raise", "the bound goes up while one is made", 2,
	  limited_machine, { raise_bound, get_one }, .check = within_bound },
	{ "keep-shrink", "a slab that is to be kept is given up", 2,
	  one_slab, { keep_objects, shrink }, .check = enough_kept },
	{ "wait", "the free that a sleeper waits for is missed", 1,
	  waiting_machine, { get_or_wait, put_two }, .check = all_back },
	{ "share", "two caches come to share one, and go", 2,
	  merging_machine, { share_a, share_b }, .check = all_back },
	{ "figures", "statistics are read while they change", 2,
	  walk_machine, { figures, get_two }, .check = all_back },
	{ "figures-shrink", "and while slabs and magazines go", 2,
	  figures_machine, { figures, shrink }, .check = all_back },
	{ "walk-grow", "a walk meets a slab that is being made", 2,
	  walk_machine, { walk, get_two }, .check = all_back },
	{ "walk-page", "a walk meets a slab that becomes a page", 3,
	  reuse_machine, { walk, reuse_as_page }, .check = sound },
	{ "walk-other", "and one that becomes another cache's", 3,
	  reuse_machine, { walk, reuse_as_other }, .check = sound },
	{ "walk-movable", "and one that becomes movable, and a slab again", 3,
	  last_page_machine, { walk, reuse_as_movable }, .check = sound },
	{ "walk-remade", "and a slab again, while it is looked at", 3,
	  walk_remade_machine, { walk, remake, free_movable }, .check = sound },
	{ "scan-remade", "a scan meets such a one", 2,
	  scan_remade_machine, { get_one_other, remake, free_movable }, .check = sound },
	{ "walk-begins", "a walk meets pages of a mobility that become a slab", 3,
	  reclaimable_machine, { walk, get_one }, .check = all_back },
	{ "walk-ends", "and a slab that becomes such pages", 2,
	  reclaimable_slab, { walk, shrink }, .check = all_back },
	{ "walk-shrink", "a walk meets a slab that is given up", 2,
	  walk_machine, { walk, shrink }, .check = all_back },
};

const struct scenario_list module_scenarios = {
	list, sizeof(list) / sizeof(list[0])
};
