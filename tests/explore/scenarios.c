// SPDX-License-Identifier: MIT
/*
 * tests/explore/scenarios.c - what is explored.
 *
 * A machine of three CPUs and half a MiB, magazines of six rounds, one cache
 * of large objects: so that a slab, a magazine or a depot is full or empty
 * after a few operations. Whoever gets an object or a block writes all of it
 * in the model's sight, so that two owners are a race; and what is held is
 * kept in a table, so that they are also seen when the schedule orders them.
 *
 * At the end of each schedule all is given back, kmem_check_all() walks
 * everything, and each page and object is accounted for.
 */
#include <stdio.h>
#include <string.h>

#include <kmem/kmem.h>

#include "explore.h"

#define ARENA_BYTES	(512 * 1024)
#define OBJECT		1024

static _Alignas(64 * 1024) char arena[ARENA_BYTES];
static struct kmem_cache *cache;
static void *object[16];		/* allocated by setup() */
static struct page *block[4];
static size_t live, pages_free;		/* after setup() */

void kmem_panic(const char *reason)
{
	explore_reports++;
	if (explore_tracing)
		fprintf(stderr, "%s\n", reason);
}

/* ---- what is held ---- */

#define HELD_MAX	32

static struct held {
	char *p;
	size_t size;
} held[HELD_MAX];

static void hold(void *p, size_t size)
{
	struct held *room = NULL;

	if (!p)
		return;
	for (unsigned i = 0; i < HELD_MAX; i++) {
		struct held *h = &held[i];

		if (!h->p)
			room = h;
		else if ((char *)p < h->p + h->size && h->p < (char *)p + size)
			explore_fail("%p is given to two", p);
	}
	MUST(room);
	explore_save(room, sizeof(*room));
	*room = (struct held){ p, size };
	explore_write(p, size < 64 ? size : 64);
}

static void drop(void *p)
{
	for (unsigned i = 0; i < HELD_MAX; i++)
		if (held[i].p == p) {
			explore_write(p, held[i].size < 64 ?
				      held[i].size : 64);
			explore_save(&held[i], sizeof(held[i]));
			held[i].p = NULL;
			return;
		}
	explore_fail("%p is not held", p);
}

static void *get(void)
{
	void *p = kmem_cache_alloc(cache, GFP_ATOMIC | __GFP_NOWARN);

	hold(p, OBJECT);
	return p;
}

static void put(void *p)
{
	if (!p)
		return;
	drop(p);
	kmem_cache_free(cache, p);
}

static struct page *get_block(unsigned order)
{
	struct page *page = alloc_pages(GFP_ATOMIC | __GFP_NOWARN, order);

	if (page)
		hold(page_to_virt(page), KMEM_PAGE_SIZE << order);
	return page;
}

static void put_block(struct page *page, unsigned order)
{
	if (!page)
		return;
	drop(page_to_virt(page));
	__free_pages(page, order);
}

/* ---- machines ---- */

/* As that CPU, outside of any schedule. */
static void on(unsigned cpu, void (*fn)(void))
{
	unsigned here = explore_cpu;

	explore_cpu = cpu;
	fn();
	explore_cpu = here;
}

static size_t count_live(void)
{
	struct kmem_cache_stats st;

	kmem_cache_stats(cache, &st);
	return st.live;
}

static void settled(void)
{
	live = count_live();
	pages_free = nr_free_pages();
}

static void machine(void)
{
	kmem_reset();
	memset(arena, 0, sizeof(arena));
	memset(held, 0, sizeof(held));
	memset(object, 0, sizeof(object));
	model_init(arena, sizeof(arena));
	if (kmem_add_region((uintptr_t)arena, sizeof(arena),
			    KMEM_REGION_USABLE, KMEM_NO_NODE) ||
	    kmem_init(&(struct kmem_params){ .nr_cpus = CPUS }))
		explore_fail("the machine does not start");
	cache = kmem_cache_create("explored", OBJECT, 0, 0, NULL);
	MUST(cache);
	settled();
}

static void fill_objects(unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		object[i] = get();
}

static void some_objects(void)
{
	machine();
	fill_objects(8);
	settled();
}

/* The magazines of CPU 0 are full: two of four rounds. */
static void full_magazines(void)
{
	machine();
	fill_objects(14);
	for (unsigned i = 4; i < 12; i++) {
		put(object[i]);
		object[i] = NULL;
	}
	settled();
}

static void free_all_objects(void)
{
	for (unsigned i = 0; i < 16; i++) {
		put(object[i]);
		object[i] = NULL;
	}
}

/* CPU 0 and the depot have full magazines; the others have none. */
static void full_depot(void)
{
	machine();
	fill_objects(16);
	free_all_objects();
	settled();
}

static void fill_own(void)
{
	static void *p[8];

	for (unsigned i = 0; i < 8; i++)
		p[i] = get();
	for (unsigned i = 0; i < 8; i++)
		put(p[i]);
}

/* CPUs 0 and 1 have full magazines, the next free goes to the depot. */
static void full_on_two(void)
{
	machine();
	fill_objects(4);
	on(1, fill_own);
	on(0, fill_own);
	settled();
}

static void use_a_little(void)
{
	put(get());
}

/* Both CPUs have loaded magazines with something in them. */
static void warm(void)
{
	some_objects();
	for (unsigned cpu = 0; cpu < CPUS; cpu++)
		on(cpu, use_a_little);
	settled();
}

static void some_blocks(void)
{
	machine();
	for (unsigned i = 0; i < 4; i++)
		block[i] = get_block(i == 3 ? 2 : 0);
	settled();
}

/* ---- the end of a schedule ---- */

static void print(void *ctx, const char *line)
{
	char *first = ctx;

	if (!first[0])
		snprintf(first, 200, "%s", line);
}

static void sound(void)
{
	char first[200] = "";

	if (kmem_check_all(print, first))
		explore_fail("%s", first);
	MUST(count_live() <= live + HELD_MAX);
}

/* What setup() had allocated and no body has freed is all that is live. */
static void all_back(void)
{
	size_t n = 0;

	sound();
	for (unsigned i = 0; i < HELD_MAX; i++)
		n += held[i].p && held[i].size == OBJECT;
	if (count_live() != n)
		explore_fail("%zu objects live, %zu held", count_live(), n);
}

static void pages_back(void)
{
	sound();
	for (unsigned i = 0; i < HELD_MAX; i++)
		MUST(!held[i].p);
	MUST(nr_free_pages() == pages_free + 3 + 4);
}

/* ---- bodies ---- */

static void get_and_put(void)
{
	put(get());
}

static void get_two(void)
{
	void *a = get(), *b = get();

	put(a);
	put(b);
}

static void put_one(void)
{
	put(object[0]);
}

static void put_another(void)
{
	put(object[1]);
}

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

static void shrink(void)
{
	kmem_cache_shrink(cache);
}

static void drain_all(void)
{
	kmem_trim(KMEM_DRAIN);
}

static void drain(void)
{
	drain_pages();
}

static void page_and_back(void)
{
	put_block(get_block(0), 0);
}

static void block_and_back(void)
{
	put_block(get_block(2), 2);
}

static void large_and_back(void)
{
	put_block(get_block(4), 4);
}

static void free_blocks(void)
{
	put_block(block[0], 0);
	put_block(block[1], 0);
	put_block(block[2], 0);
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
	explore_save(&posted, sizeof(posted));
	explore_post(&posted);
}

static void await_and_destroy(void)
{
	explore_await(&posted);
	kmem_cache_destroy(cache);
}

static void one_object(void)
{
	machine();
	posted = 0;
	fill_objects(1);
	settled();
}

static void destroyed(void)
{
	char first[200] = "";

	if (kmem_check_all(print, first))
		explore_fail("%s", first);
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

/* What was put aside comes back. */
static void trimmed(void)
{
	for (unsigned cpu = 0; cpu < CPUS; cpu++)
		on(cpu, drain_all);
	sound();
}

/* Both copies go to the slab; there the second is found, if it was not before.
 * Never is kmem's own state broken. */
static void freed_twice(void)
{
	for (unsigned cpu = 0; cpu < CPUS; cpu++)
		on(cpu, shrink);
	MUST(explore_reports > 0);
	sound();
	MUST(count_live() == 0);
}

/* ---- the list ---- */

const struct scenario scenarios[] = {
	{ "alloc-alloc", "two refills take the same object", 2,
	  machine, { get_two, get_two }, .check = all_back },
	{ "alloc-free", "an object is freed to a slab that is taken from", 2,
	  full_magazines, { put_rest, get_two }, .check = all_back },
	{ "three", "three CPUs", 2,
	  some_objects, { get_and_put, put_one, put_another },
	  .check = all_back },
	{ "remote-free-refill", "objects travel in a magazine", 2,
	  full_magazines, { get_and_put, put_many }, .check = all_back },
	{ "drain-fast", "a drain meets a fast path", 2,
	  warm, { shrink, get_and_put }, .check = all_back },
	{ "shrink-free", "a slab is given up while an object of it comes", 2,
	  some_objects, { shrink, put_many }, .check = all_back },
	{ "depot-get", "two CPUs take one magazine", 3,
	  full_depot, { NULL, get_and_put, get_and_put }, .check = all_back },
	{ "depot-put", "two CPUs put theirs", 3,
	  full_on_two, { put_one, put_another }, .check = all_back },
	{ "depot-get-put", "one puts what another takes", 3,
	  full_on_two, { put_one, put_another, get_and_put },
	  .check = all_back },
	{ "depot-shrink", "the depot is drained while it is used", 3,
	  full_depot, { shrink, get_two, shrink }, .check = all_back },
	{ "destroy-after-free", "a cache ends with a free on its way", 2,
	  one_object, { put_and_post, await_and_destroy },
	  .check = destroyed },
	{ "create-create", "two caches of one name", 2,
	  machine, { create_same, create_same }, .check = all_back },
	{ "page-refill-coalesce", "a refill splits what a free merges", 2,
	  some_blocks, { free_blocks, free_large }, .check = pages_back },
	{ "page-alloc-free", "", 2,
	  some_blocks, { page_and_back, block_and_back, large_and_back },
	  .check = sound },
	{ "page-drain", "", 2,
	  some_blocks, { drain, page_and_back }, .check = sound },
	{ "double-free", "two CPUs free one object", 2,
	  one_object, { put_one, put_again }, .check = freed_twice,
	  .reports = 2 },
	{ "irq-alloc", "an interrupt lands in an allocation", 2,
	  warm, { get_two, get_and_put }, { get_and_put, get_and_put },
	  .check = all_back },
	{ "irq-free", "an interrupt lands in a free", 2,
	  full_magazines, { put_many }, { get_two }, .irqs = 2,
	  .check = all_back },
	{ "irq-nested", "an interrupt in an interrupt", 3,
	  warm, { get_two }, { get_and_put }, .irqs = 2, .check = all_back },
	{ "irq-shrink", "an interrupt drains below a fast path", 2,
	  warm, { get_two }, { shrink }, .check = all_back },
	{ "irq-pages", "", 2,
	  some_blocks, { page_and_back, block_and_back }, { page_and_back },
	  .check = sound },
	{ "nmi-kmalloc", "an NMI lands anywhere in alloc, refill or free", 2,
	  machine, { small_and_back }, .nmi = { nolock_and_back }, .irqs = 2,
	  .check = trimmed },
	{ "nmi-two", "and another CPU is at work", 2,
	  machine, { small_and_back, small_and_back },
	  .nmi = { nolock_and_back }, .check = trimmed },
	{ "kmalloc", "constant and other sizes share a cache", 2,
	  machine, { small_and_back, small_and_back }, { small_and_back },
	  .check = sound },
};

const size_t nr_scenarios = sizeof(scenarios) / sizeof(scenarios[0]);
