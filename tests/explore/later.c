// SPDX-License-Identifier: MIT
/*
 * tests/explore/later.c - what is explored of those who may wait for nobody
 * (nolock.c): what they take and give while others do, and the frees that they
 * put aside; and of those that wait for a grace period.
 */
#include "machine.h"

#define SMALL		24		/* bytes, of a kmalloc() cache */
#define LARGE		4		/* order, in no magazine */

static void *small[28];
static struct page *block;

static void *get_small(void)
{
	void *p = kmalloc(SMALL, GFP_ATOMIC | __GFP_NOWARN);

	hold(p, SMALL);
	return p;
}

static void put_small(void *p)
{
	if (!p)
		return;
	drop(p);
	kfree(p);
}

/* ---- machines ---- */

static void get_28_small(void)
{
	for (unsigned i = 0; i < 28; i++)
		small[i] = get_small();
}

static void put_8_small(void)
{
	for (unsigned i = 0; i < 8; i++)
		put_small(small[i]);
}

static void put_24_small(void)
{
	for (unsigned i = 0; i < 24; i++)
		put_small(small[i]);
}

static void trim_all(void)
{
	kmem_trim(KMEM_DRAIN);
}

/* Slabs of small ones have some free; in magazines there are none. */
static void small_slab(void)
{
	machine();
	on(2, get_28_small);
	on(2, put_8_small);
	on_each(trim_all);
	settled();
}

/* CPU 2 has magazines of small ones, the depot a full one, which is CPU 0's as
 * well; CPUs 0 and 1 have none. */
static void small_depot(void)
{
	machine();
	on(2, get_28_small);
	on_each(trim_all);
	on(2, put_24_small);
	settled();
}

static void blocks(void)
{
	machine();
	settled();
}

/* Frees of a debugged cache are put aside: none so far. */
static void never_aside(void)
{
	machine_with(&(struct kmem_params){ .nr_cpus = CPUS },
		     SLAB_CONSISTENCY_CHECKS);
	fill_objects(3);
	settled();
}

static void put_aside(unsigned i)
{
	if (!object[i])
		return;
	drop(object[i]);
	kfree_nolock(object[i]);
}

static void put_aside_many(unsigned first, unsigned end)
{
	for (unsigned i = first; i < end; i++)
		put_aside(i);
}

/* Both stores are full; of object[] those from 2 to 29 are aside. */
static void full_stores(void)
{
	machine_with(&(struct kmem_params){ .nr_cpus = CPUS },
		     SLAB_CONSISTENCY_CHECKS);
	fill_objects(30);
	put_aside_many(2, 30);
	settled();
}

static void many_with(slab_flags_t flags)
{
	machine_with(&(struct kmem_params){ .nr_cpus = CPUS }, flags);
	fill_objects(60);
	settled();
}

static void many_objects(void)
{
	many_with(SLAB_CONSISTENCY_CHECKS);
}

/* The stores are full, and one free is in none, so that a scan is due. */
static void scan_due(void)
{
	many_objects();
	put_aside_many(1, 30);
	settled();
}

/* Whoever frees them writes them. */
static void poison_scan_due(void)
{
	many_with(SLAB_POISON);
	put_aside_many(1, 30);
	settled();
}

/* Of a scan there remain the pages of objects, and of a block. The stores are
 * empty. */
static void half_scanned(void)
{
	many_objects();
	block = get_block(LARGE);
	put_aside_many(1, 30);
	get_one();
	settled();
}

/* And full. */
static void half_scanned_full(void)
{
	half_scanned();
	put_aside_many(30, 58);
	settled();
}

/* ---- bodies ---- */

static void small_and_back(void)
{
	put_small(get_small());
}

static void take_small_nolock(void)
{
	small[27] = kmalloc_nolock(SMALL, 0, KMEM_NO_NODE);
	hold(small[27], SMALL);
}

static void small_nolock(void)
{
	void *p = kmalloc_nolock(SMALL, 0, KMEM_NO_NODE);

	hold(p, SMALL);
	if (p) {
		drop(p);
		kfree_nolock(p);
	}
}

static void large_and_back(void)
{
	put_block(get_block(LARGE), LARGE);
}

static void large_nolock(void)
{
	struct page *page = alloc_pages_nolock(0, KMEM_NO_NODE, LARGE);

	if (page) {
		hold(page_to_virt(page), KMEM_PAGE_SIZE << LARGE);
		drop(page_to_virt(page));
		free_pages_nolock(page, LARGE);
	}
}

static void put_small_here(void)
{
	put_small(small[24]);
}

static void put_aside_0(void)
{
	put_aside(0);
}

static void put_aside_1(void)
{
	put_aside(1);
}

static void put_aside_and_get(void)
{
	put_aside(0);
	get_one();
}

static void put_aside_and_trim(void)
{
	put_aside(0);
	trim_all();
}

static void fill_stores(void)
{
	put_aside_many(30, 58);
}

/* This one is in no store. */
static void put_aside_29(void)
{
	explore_at_once(fill_stores);
	put_aside(58);
}

/* Neither in its zone, nor in a store. */
static void put_block_aside(void)
{
	explore_at_once(fill_stores);
	drop(page_to_virt(block));
	free_pages_nolock(block, LARGE);
}

static void scan_and_get_block(void)
{
	get_one();
	get_block(LARGE);
}

/* Each of them scans on. */
static void get_eight(void)
{
	for (unsigned i = 0; i < 8; i++)
		get();
}

/* ---- the end of a schedule ---- */

static void all_settled(void)
{
	on_each(shrink);
	on_each(shrink);
	on_each(trim_all);
	all_back();
}

static void trimmed(void)
{
	on_each(trim_all);
	sound();
}

/* ---- RCU: readers are none, a grace period ends when a body says so ---- */

static struct callback {
	struct rcu_head *head;
	void (*fn)(struct rcu_head *head);
} callbacks[8];
static unsigned nr_callbacks, called_rcu;

static void call_rcu(void *ctx, struct rcu_head *head,
		     void (*fn)(struct rcu_head *head))
{
	(void)ctx;
	MUST(nr_callbacks < 8);
	explore_post(&called_rcu);
	explore_save(callbacks, sizeof(callbacks));
	explore_save(&nr_callbacks, sizeof(nr_callbacks));
	callbacks[nr_callbacks++] = (struct callback){ head, fn };
}

static void end_grace_periods(void)
{
	while (nr_callbacks) {
		struct callback c = callbacks[nr_callbacks - 1];

		explore_save(&nr_callbacks, sizeof(nr_callbacks));
		nr_callbacks--;
		explore_post(&called_rcu);	/* after its call_rcu() */
		c.fn(c.head);
		explore_post(&called_rcu);	/* who waits looks again */
	}
}

static void grace_period(void)
{
	explore_await(&called_rcu);
	end_grace_periods();
}

static void rcu_machine_with(slab_flags_t flags)
{
	static const struct kmem_hooks hooks = { .call_rcu = call_rcu };

	nr_callbacks = called_rcu = 0;
	machine_with(&(struct kmem_params){
		.nr_cpus = CPUS, .hooks = &hooks }, flags);
}

static void rcu_machine(void)
{
	rcu_machine_with(0);
	fill_objects(4);
	settled();
}

static void typesafe_machine(void)
{
	rcu_machine_with(SLAB_TYPESAFE_BY_RCU);
	fill_objects(12);
	put_objects(0, 12);
	settled();
}

/* It returns early, but not twice for nothing. */
static void rcu_barrier(void *ctx)
{
	static unsigned seen;

	(void)ctx;
	explore_await(&called_rcu);
	if (nr_callbacks)
		end_grace_periods();
	else if (seen == called_rcu)
		explore_relax();
	explore_save(&seen, sizeof(seen));
	seen = called_rcu;
}

static void barrier_machine(void)
{
	static const struct kmem_hooks hooks = {
		.call_rcu = call_rcu, .rcu_barrier = rcu_barrier };

	nr_callbacks = called_rcu = 0;
	machine_with(&(struct kmem_params){
		.nr_cpus = CPUS, .hooks = &hooks }, 0);
	fill_objects(3);
	settled();
}

static void put_rcu(unsigned i)
{
	drop(object[i]);
	kvfree_call_rcu(object[i], object[i]);
}

static void put_rcu_0(void)
{
	put_rcu(0);
}

static void put_rcu_1(void)
{
	put_rcu(1);
}

/* It is free, and may be in use again. */
static void put_rcu_and_wait(void)
{
	struct kmem_obj_info info;

	put_rcu(2);
	kvfree_rcu_barrier();
	kmem_obj_lookup(object[2], &info);
	MUST(info.state == KMEM_OBJ_CACHED || info.state == KMEM_OBJ_FREE);
}

static void rcu_back(void)
{
	end_grace_periods();
	all_back();
}

/* ---- the list ---- */

static const struct scenario list[] = {
	{ "rcu-batch", "a batch is filled while its grace period begins", 3,
	  rcu_machine, { put_rcu_0, grace_period, put_rcu_1 },
	  .check = rcu_back },
	{ "rcu-barrier", "a barrier ends before what it waits for", 2,
	  barrier_machine, { put_rcu_and_wait, grace_period, put_rcu_1 },
	  .check = rcu_back },
	{ "rcu-typesafe", "slabs retire while others are unmade", 2,
	  typesafe_machine, { shrink, get_two, grace_period },
	  .check = rcu_back },
	{ "nolock-depot", "a round is taken from a magazine that moves", 2,
	  small_depot, { small_and_back, small_nolock }, .check = trimmed },
	{ "nolock-slab", "an object is taken from a slab that changes", 2,
	  small_slab, { small_nolock, small_and_back }, .check = trimmed },
	{ "nolock-grow", "a slab is made while another one is", 1,
	  blocks, { small_nolock, small_and_back }, .check = trimmed },
	{ "nolock-blocks", "a block is taken while blocks merge", ALL,
	  blocks, { large_nolock, large_and_back }, .check = trimmed },
	{ "nolock-irq", "an interrupt lands in who has got a lock so", ALL,
	  blocks, { large_nolock }, { large_and_back }, .check = trimmed },
	{ "nolock-pushed", "an NMI takes what has just been pushed", ALL,
	  small_slab, { put_small_here }, .nmi = { take_small_nolock },
	  .check = trimmed },
	{ "aside-first", "the first free that is put aside", ALL,
	  never_aside, { get_one, put_aside_0 }, .check = all_settled },
	{ "aside-first-trim", "and who does all that is aside", ALL,
	  never_aside, { trim_all, put_aside_0 }, .check = all_settled },
	{ "aside-first-scan", "and one that only a scan finds", 1,
	  many_objects, { put_aside_29, get_one, get_one },
	  .check = all_settled },
	{ "aside-two", "two CPUs put aside in one store", ALL,
	  never_aside, { put_aside_0, NULL, put_aside_1 },
	  .check = all_settled },
	{ "aside-drains", "two CPUs scan", 1,
	  scan_due, { get_one, put_aside_and_get }, .check = all_settled },
	{ "aside-trim", "and one of them for everything that is aside", 1,
	  scan_due, { get_one, put_aside_and_trim }, .check = all_settled },
	{ "aside-full", "a free is put aside that no store has room for", 2,
	  full_stores, { get_one, put_aside_1 }, .check = all_settled },
	{ "aside-scanned", "and it meets a scan", 1,
	  poison_scan_due, { get_eight, put_aside_29 }, .check = all_settled },
	{ "aside-marked", "and one that is not to be seen yet", 3,
	  half_scanned_full, { put_aside_0, get_one }, .check = all_settled },
	{ "aside-block", "and a block that is just put aside", 1,
	  half_scanned, { scan_and_get_block, put_block_aside },
	  .check = all_settled },
	{ "aside-missed", "and that scan ends too early", 2,
	  scan_due, { get_one, put_aside_29 }, .check = all_settled },
};

const struct scenario_list later_scenarios = {
	list, sizeof(list) / sizeof(list[0])
};
