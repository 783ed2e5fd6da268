/* SPDX-License-Identifier: MIT */
/*
 * page_reclaim.c - a request for pages that its magazine can't serve, and what
 * is tried when the zones run short.
 *
 *	alloc_slow(node, gfp, order)
 *	1. refill the magazine from its zone, above the low-memory mark
 *	2. any zone of the request's fallback order, down to its own mark
 *	3. return what this CPU and the depots hold to the zones; 2. again
 *	   (not with __GFP_NORETRY: who has a second choice should not make
 *	   everybody refill)
 *	   ── requests that must not sleep end here ──
 *	4. shrink kmem's caches, on all CPUs; 2. again
 *	5. the reclaim hook, in front of which shrinkers put themselves
 *	   (shrinker.c); 4. again, as long as that helps, at most MAX_ATTEMPTS
 *	   times, once with __GFP_NORETRY
 *	6. the out-of-memory hook, not with __GFP_RETRY_MAYFAIL; again while
 *	   it says so
 *	7. __GFP_NOFAIL: wait, and begin anew
 *
 * *Waiting without missing anything.* zones.waiters counts those who wait, and
 * zones.wakes how often memory came free meanwhile. A waiter
 *
 *	waiters++, then drains and closes all magazines (magazine_drain.c)
 *	repeats	seen = wakes; tries; sleeps until wakes != seen
 *	waiters--
 *
 * and whoever gives something to a zone, a slab or a mempool's reserve looks,
 * after taking its lock, whether there are waiters, and then wakes++ and calls
 * the wake hook. Of the try and the give one had that lock first: the give, and
 * the try finds what it gave; or the try, and then the give sees the waiter, and
 * `wakes` differs from what the waiter saw before it tried.
 *
 * Locks: none of its own.
 */
#include "page_alloc.h"

#define MAX_ATTEMPTS	16

static void (*shrink_upper_layers)(bool all_cpus);

void page_alloc_set_shrink(void (*shrink)(bool all_cpus))
{
	shrink_upper_layers = shrink;
}

/* ---- what the per-CPU layer holds ---- */

static void drain_layers(void (*drain)(struct magazine_layer *l))
{
	for (unsigned i = 0; i < KMEM_ARRAY_SIZE(zones.zone); i++)
		for (unsigned o = 0; zone_by_id(i) && is_page_layer(o); o++)
			drain(&page_layer(zone_by_id(i), o)->magazine);
}

static void drain_this_cpu(void *arg)
{
	(void)arg;
	drain_layers(magazine_drain_cpu);
}

void drain_pages(void)
{
	zones_do_later();
	if (!MAGAZINES)
		return;
	run_on_all_cpus(drain_this_cpu, NULL);
	drain_layers(magazine_drain);
}

static void unload_this_cpu(void *arg)
{
	(void)arg;
	drain_layers(magazine_unload_cpu);
}

void pages_unload(bool all_cpus)
{
	if (all_cpus)
		run_on_all_cpus(unload_this_cpu, NULL);
	else
		unload_this_cpu(NULL);
	drain_layers(magazine_drain);
}

static void trim_layer(struct magazine_layer *l)
{
	magazine_trim(l, SIZE_MAX);
}

void pages_trim(void)
{
	drain_layers(trim_layer);
}

void pages_trim_near(void)
{
	struct node *n = zones.node[this_node()];

	for (unsigned t = 0; t < NR_ZONE_TYPES; t++)
		for (unsigned o = 0; kmem_load_relaxed(&n->zone[t].managed) &&
		     is_page_layer(o); o++)
			magazine_trim(&page_layer(&n->zone[t], o)->magazine, 1);
}

/* ---- when magazines are empty ---- */

KMEM_INLINE struct page *try_zone(struct zone *z, gfp_t gfp, unsigned order)
{
	return zone_take_one(z, order, gfp_mobility(gfp), zone_mark(z, gfp));
}

static struct page *try_zones(unsigned node, gfp_t gfp, unsigned order)
{
	struct page *page = NULL;
	struct zone_walk w;
	struct zone *z;

	zone_walk_start(&w, node, gfp_zone(gfp), gfp & __GFP_THISNODE);
	while (!page && (z = zone_walk_next(&w)))
		page = try_zone(z, gfp, order);
	return page;
}

/* What kmem holds itself is the first to go: of caches, then of pages. */
static struct page *take_back(unsigned node, gfp_t gfp, unsigned order)
{
	shrink_upper_layers(true);
	if (MAGAZINES)
		drain_pages();
	return try_zones(node, gfp, order);
}

/* The first shrinker may be putting itself in front of the hook just now; what
 * it has set up before is read under its lock. */
size_t reclaim_by_hook(const struct kmem_pressure *p)
{
	size_t (*hook)(void *ctx, const struct kmem_pressure *p) =
		kmem_load_relaxed(&kmem_hooks.reclaim);

	return hook ? hook(kmem_hooks.ctx, p) : 0;
}

/* Ask the kernel for memory. Return: whether that may have helped. */
static bool reclaim(const struct kmem_pressure *p)
{
	return reclaim_by_hook(p) || p->attempt == 0;
}

static bool out_of_memory(const struct kmem_pressure *p)
{
	return !(p->gfp & __GFP_RETRY_MAYFAIL) && kmem_hooks.out_of_memory &&
	       kmem_hooks.out_of_memory(kmem_hooks.ctx, p);
}

static struct page *reclaim_and_retry(unsigned node, gfp_t gfp,
				      unsigned order)
{
	struct kmem_pressure p = { gfp, order, zones.node[node]->id, 0, 0 };
	struct page *page = MAGAZINES ? take_back(node, gfp, order) : NULL;

	for (; !page; p.attempt++) {
		bool more = p.attempt < MAX_ATTEMPTS && reclaim(&p);

		page = take_back(node, gfp, order);
		if (page || (gfp & __GFP_NORETRY) ||
		    (!more && !out_of_memory(&p)))
			break;
	}
	return page;
}

/* ---- waiting ---- */

bool kmem_woken(const struct kmem_pressure *p)
{
	return !WAKES || kmem_load_relaxed(&zones.wakes) != p->wakes;
}

bool page_alloc_wait(gfp_t gfp, unsigned order, unsigned wakes)
{
	struct kmem_pressure p = { gfp, order, zones.node[this_node()]->id,
				   0, wakes };

	if ((gfp & __GFP_DIRECT_RECLAIM) && kmem_hooks.wait) {
		kmem_hooks.wait(kmem_hooks.ctx, &p);
		return true;
	}
	kmem_misuse("no memory", NULL,
		    "kmem: no memory of order %u with __GFP_NOFAIL (gfp 0x%x),"
		    " and %s", order, gfp, kmem_hooks.wait ?
		    "the caller may not wait" : "there is no wait hook");
	return false;
}

static void begin_wait(struct waiter *w)
{
	w->waiting = true;
	kmem_add_relaxed(&zones.waiters, 1);
	shrink_upper_layers(true);
	drain_pages();
}

bool waiter_wait(struct waiter *w, gfp_t gfp, unsigned order)
{
	if (!w->waiting && (gfp & __GFP_DIRECT_RECLAIM) && kmem_hooks.wait)
		begin_wait(w);
	else if (!page_alloc_wait(gfp, order, w->wakes))
		return false;
	w->wakes = kmem_load_relaxed(&zones.wakes);
	/* What came free may sit in magazines, where tables that take
	 * pages from the zones don't see it. */
	drain_layers(magazine_drain_cpu);
	drain_layers(depot_drain);
	return true;
}

void waiter_end(struct waiter *w)
{
	if (w->waiting)
		kmem_add_relaxed(&zones.waiters, (unsigned)-1);
}

/* ---- a request ---- */

static KMEM_COLD void warn_failed(gfp_t gfp, unsigned order)
{
	if (!(gfp & __GFP_NOWARN))
		kmem_log("kmem: allocation of order %u failed, gfp 0x%x, %zu "
			 "pages free", order, gfp, nr_free_pages());
}

/* What zones and magazines have, without waiting for anybody. */
static struct page *alloc_at_once(unsigned node, gfp_t gfp, unsigned order)
{
	struct zone *z = kmem_load_relaxed(
		&zones.node[node]->preferred[gfp_zone(gfp)]);
	struct page *page = NULL;
	struct round r;

	if (z && has_page_layer(gfp, order)) {
		struct magazine_layer *l = &gfp_layer(z, gfp, order)->magazine;

		page = magazine_alloc(l, &r) ? r.obj :
					       magazine_alloc_slow(l).obj;
	} else if (MAGAZINES && z && !(gfp & __GFP_THISNODE)) {
		page = try_zone(z, gfp, order);
		if (KMEM_LIKELY(page))
			return page;
	}
	if (KMEM_UNLIKELY(page && page_type(page) != PAGE_CACHED))
		return alloc_again(page, node, gfp, order);
	if (!page)
		page = try_zones(node, gfp, order);
	if (MAGAZINES && !page && !(gfp & __GFP_NORETRY)) {
		drain_layers(magazine_drain_cpu);
		drain_layers(depot_drain);
		page = try_zones(node, gfp, order);
	}
	return page;
}

/* Whatever else there is to be tried. */
static KMEM_NOINLINE struct page *alloc_short(unsigned node, gfp_t gfp,
					      unsigned order)
{
	struct waiter w = { .waiting = false };
	struct page *page = NULL;

	do {
		if (gfp & __GFP_DIRECT_RECLAIM)
			page = reclaim_and_retry(node, gfp, order);
	} while (!page && (gfp & __GFP_NOFAIL) &&
		 wait_for_memory(&w, gfp, order));
	wait_end(&w);
	if (KMEM_UNLIKELY(!page))
		warn_failed(gfp, order);
	return page;
}

struct page *alloc_slow(unsigned node, gfp_t gfp, unsigned order)
{
	struct page *page;

	zones_do_later();
	page = alloc_at_once(node, gfp, order);
	return KMEM_LIKELY(page) ? page : alloc_short(node, gfp, order);
}
