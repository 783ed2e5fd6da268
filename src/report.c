/* SPDX-License-Identifier: MIT */
/*
 * report.c - tables for people.
 *
 * Everything shown comes from the structures of <kmem/stats.h>, which anyone
 * can read; nothing is known here that is not known there. The first tables
 * have the layout of Linux's /proc/buddyinfo and /proc/slabinfo.
 */
#include "bits.h"
#include "format.h"
#include "kmalloc.h"
#include "vm_ops.h"

#include <kmem/report.h>

struct sink {
	kmem_out_fn out;
	void *ctx;
};

static void say(const struct sink *s, const char *fmt, ...)
	KMEM_PRINTF(2, 3);

static void say(const struct sink *s, const char *fmt, ...)
{
	char line[KMEM_LINE_MAX];
	va_list args;

	va_start(args, fmt);
	vformat(line, sizeof(line), fmt, args);
	va_end(args);
	s->out(s->ctx, line);
}

struct percent {
	unsigned whole, tenths;
};

/* part / whole; no 64-bit division (see format.c). */
static struct percent percent(uint64_t part, uint64_t whole)
{
	size_t n, ones;

	if (!whole)
		return (struct percent){ 0, 0 };
	while (whole > UINT32_MAX / 1024) {
		whole >>= 1;
		part >>= 1;
	}
	n = bits_divide((size_t)part * 1000, (uint32_t)whole);
	ones = bits_divide(n, 10);
	return (struct percent){ (unsigned)ones, (unsigned)(n - 10 * ones) };
}

/* ---- boot ---- */

static void say_bytes(const struct sink *s, const char *what,
		      kmem_phys_t bytes)
{
	say(s, "  %-28s %18llu bytes  %14llu KiB", what,
	    (unsigned long long)bytes, (unsigned long long)bytes >> 10);
}

void kmem_report_boot(const struct kmem_boot_info *info, kmem_out_fn out,
		      void *ctx)
{
	struct sink s = { out, ctx };
	kmem_phys_t sum = info->managed + info->held + info->metadata +
			  info->rounding + info->unreachable;
	struct percent p = percent(info->descriptors + info->section_table,
				   info->managed);

	say(&s, "Memory map: %u ranges, %llu usable pages in %u runs, "
	    "%u node%s", info->nr_regions,
	    (unsigned long long)info->usable_pages, info->usable_runs,
	    info->nr_nodes, info->nr_nodes == 1 ? "" : "s");
	say_bytes(&s, "usable", info->usable);
	say_bytes(&s, "= managed", info->managed);
	say_bytes(&s, "+ held back", info->held);
	say_bytes(&s, "+ metadata", info->metadata);
	say_bytes(&s, "    page descriptors", info->descriptors);
	say_bytes(&s, "    section table", info->section_table);
	say_bytes(&s, "    nodes and per-CPU areas", info->per_cpu);
	say_bytes(&s, "    early allocations", info->early);
	say_bytes(&s, "+ rounding to pages", info->rounding);
	say_bytes(&s, "+ beyond the direct map", info->unreachable);
	say(&s, "  the sum is %s; descriptors and section table are %u.%u %% "
	    "of managed memory",
	    sum == info->usable ? "exact" : "WRONG",
	    p.whole, p.tenths);
}

/* ---- zones ---- */

/* The order that fragmentation is judged by: that of a page block. */
static void say_fragmentation(const struct sink *s,
			      const struct kmem_zone_stats *z)
{
	unsigned mille = z->unusable[z->page_block_order];
	unsigned whole = (unsigned)bits_divide(mille, 10);

	say(s, "Node %d, zone %8s %10d %8u.%u %% %10zu %10zu %11zu", z->node,
	    z->name, z->largest_order, whole, mille - 10 * whole,
	    z->page_blocks[UNMOVABLE], z->page_blocks[MOVABLE],
	    z->page_blocks[RECLAIMABLE]);
}

static void say_free_blocks(const struct sink *s,
			    const struct kmem_zone_stats *z)
{
	char line[KMEM_LINE_MAX];
	size_t len;

	len = format(line, sizeof(line), "Node %d, zone %8s ", z->node,
		     z->name);
	for (unsigned o = 0; o <= KMEM_MAX_ORDER; o++)
		len += format(line + len, sizeof(line) - len, "%6zu ",
			      z->nr_free[o]);
	s->out(s->ctx, line);
}

void kmem_report_zones(kmem_out_fn out, void *ctx)
{
	struct sink s = { out, ctx };
	struct kmem_zone_stats z;

	say(&s, "Free blocks of 2^0 .. 2^%d pages", KMEM_MAX_ORDER);
	for (unsigned i = 0; kmem_zone_stats(i, &z); i++)
		say_free_blocks(&s, &z);
	say(&s, "                     managed       free     cached        min"
	    "        low       high  locks/contended");
	for (unsigned i = 0; kmem_zone_stats(i, &z); i++)
		say(&s, "Node %d, zone %8s %10zu %10zu %10zu %10zu %10zu %10zu"
		    "  %llu/%llu", z.node, z.name, z.managed, z.free_pages,
		    z.cached_pages, z.min, z.low, z.high,
		    (unsigned long long)z.locks,
		    (unsigned long long)z.contended);
	say(&s, "Page blocks of 2^%u pages   largest   unusable  unmovable "
	    "   movable reclaimable", PAGE_BLOCK_ORDER);
	for (unsigned i = 0; kmem_zone_stats(i, &z); i++)
		say_fragmentation(&s, &z);
}

/* ---- caches ---- */

static bool say_cache(struct kmem_cache *c, void *arg)
{
	const struct sink *s = arg;
	struct kmem_cache_stats st;

	kmem_cache_stats(c, &st);
	if (st.slabs_made)
		say(s, "%-24s %8zu %8zu %6zu %4u %4u : %7zu %6zu %6zu : %8zu "
		    "%7zu", st.name, st.live,
		    st.live + st.layer.in_cpus + st.layer.in_depot +
		    st.free_in_slabs, st.slot_size, st.objects_per_slab,
		    1u << st.order, st.layer.in_cpus, st.layer.in_depot,
		    st.free_in_slabs, st.slab_bytes >> 10,
		    (st.overhead_bytes + 1023) >> 10);
	return true;
}

static bool say_alias(const char *name, struct kmem_cache *c, void *arg)
{
	say(arg, "%-24s shares %s", name, kmem_cache_name(c));
	return true;
}

void kmem_report_caches(kmem_out_fn out, void *ctx)
{
	struct sink s = { out, ctx };

	say(&s, "# name                     active    total   size objs page"
	    " : in CPUs  depot  slabs :  slabKiB overKiB");
	kmem_for_each_cache(say_cache, &s);
	kmem_for_each_alias(say_alias, &s);
	say(&s, "slot arrays, magazines and cache descriptors use %zu KiB of "
	    "pages", kmem_internal_bytes() >> 10);
}

/* ---- what each layer absorbed ---- */

static void add_layer(struct kmem_layer_stats *sum,
		      const struct kmem_layer_stats *l)
{
	sum->allocs += l->allocs;
	sum->frees += l->frees;
	sum->alloc_swaps += l->alloc_swaps;
	sum->free_swaps += l->free_swaps;
	sum->depot_allocs += l->depot_allocs;
	sum->depot_frees += l->depot_frees;
	sum->refills += l->refills;
	sum->refilled += l->refilled;
	sum->flushes += l->flushes;
	sum->flushed += l->flushed;
	sum->directs += l->directs;
	sum->depot_locks += l->depot_locks;
	sum->depot_contended += l->depot_contended;
	sum->in_cpus += l->in_cpus;
	sum->in_depot += l->in_depot;
	sum->magazines += l->magazines;
	sum->magazine_bytes += l->magazine_bytes;
}

struct totals {
	struct kmem_layer_stats layer;
	uint64_t slabs_made, slabs_freed, node_locks, node_contended;
};

static bool add_cache(struct kmem_cache *c, void *arg)
{
	struct totals *t = arg;
	struct kmem_cache_stats st;

	kmem_cache_stats(c, &st);
	add_layer(&t->layer, &st.layer);
	t->slabs_made += st.slabs_made;
	t->slabs_freed += st.slabs_freed;
	t->node_locks += st.node_locks;
	t->node_contended += st.node_contended;
	return true;
}

static void say_share(const struct sink *s, const char *what, uint64_t n,
		      uint64_t all)
{
	struct percent p = percent(n, all);

	say(s, "  %-44s %12llu  %3u.%u %%", what, (unsigned long long)n,
	    p.whole, p.tenths);
}

static void say_layer(const struct sink *s, const struct kmem_layer_stats *l,
		      uint64_t made)
{
	uint64_t ops = l->allocs + l->frees;
	uint64_t below = l->depot_allocs + l->depot_frees + l->refills +
			 l->flushes + l->directs + made;
	uint64_t swaps = l->alloc_swaps + l->free_swaps;

	say_share(s, "operations", ops, ops);
	say_share(s, "served by the loaded magazine",
		  ops > below + swaps ? ops - below - swaps : 0, ops);
	say_share(s, "after a swap with the previous one", swaps, ops);
	say_share(s, "after an exchange with the depot",
		  l->depot_allocs + l->depot_frees, ops);
	say_share(s, "after a refill or flush below",
		  l->refills + l->flushes, ops);
	say_share(s, "single objects past the magazines", l->directs, ops);
	if (made)
		say_share(s, "the first object of a new slab", made, ops);
	say(s, "  objects moved: %llu in refills, %llu in flushes",
	    (unsigned long long)l->refilled, (unsigned long long)l->flushed);
	say(s, "  depot lock: %llu taken, %llu contended",
	    (unsigned long long)l->depot_locks,
	    (unsigned long long)l->depot_contended);
	say(s, "  held now: %zu in CPUs, %zu in depots; %zu magazines, %zu KiB",
	    l->in_cpus, l->in_depot, l->magazines, l->magazine_bytes >> 10);
}

void kmem_report_layers(kmem_out_fn out, void *ctx)
{
	struct sink s = { out, ctx };
	struct kmem_layer_stats pages = { .allocs = 0 };
	struct kmem_zone_stats z;
	struct totals t = { .slabs_made = 0 };

	if (!MAGAZINES) {
		say(&s, "There is no per-CPU layer");
		return;
	}
	kmem_for_each_cache(add_cache, &t);
	say(&s, "Objects: what the per-CPU layer absorbed");
	say_layer(&s, &t.layer, t.slabs_made);
	say(&s, "  slabs: %llu made, %llu freed; node locks: %llu taken, %llu "
	    "contended", (unsigned long long)t.slabs_made,
	    (unsigned long long)t.slabs_freed,
	    (unsigned long long)t.node_locks,
	    (unsigned long long)t.node_contended);
	for (unsigned i = 0; kmem_zone_stats(i, &z); i++) {
		for (unsigned o = 0; o < NR_CACHED_ORDERS; o++)
			add_layer(&pages, &z.order[o]);
		add_layer(&pages, &z.movable);
	}
	say(&s, "Pages of order 0 to %d: what the per-CPU layer absorbed",
	    KMEM_CACHED_MAX_ORDER);
	say_layer(&s, &pages, 0);
}

/* ---- whose memory is it ---- */

#define KIB_OF_PAGES(n)	((n) << KMEM_PAGE_SHIFT >> 10)

static void say_kib(const struct sink *s, const char *what, size_t kib,
		    size_t all)
{
	struct percent p = percent(kib, all);

	say(s, "%-28s %10zu KiB  %3u.%u %%", what, kib, p.whole, p.tenths);
}

/* The cache with the most live bytes below those of `below`. */
struct largest {
	struct kmem_cache_stats st;
	size_t bytes, below;
};

static bool look_for_largest(struct kmem_cache *c, void *arg)
{
	struct largest *l = arg;
	struct kmem_cache_stats st;
	size_t bytes;

	kmem_cache_stats(c, &st);
	bytes = st.live * st.slot_size;
	if (bytes > l->bytes && bytes < l->below) {
		l->st = st;
		l->bytes = bytes;
	}
	return true;
}

static void say_largest(const struct sink *s)
{
	struct largest l = { .below = SIZE_MAX };

	for (unsigned i = 0; i < 3; i++) {
		l.bytes = 0;
		kmem_for_each_cache(look_for_largest, &l);
		if (!l.bytes)
			return;
		say(s, "  %-26s %10zu KiB, %zu objects", l.st.name,
		    l.bytes >> 10, l.st.live);
		l.below = l.bytes;
	}
}

void kmem_report_usage(kmem_out_fn out, void *ctx)
{
	struct sink s = { out, ctx };
	struct kmem_usage u;
	size_t all, objects;

	kmem_usage(&u);
	all = KIB_OF_PAGES(u.managed);
	objects = (u.in_cpus + u.in_depots + u.in_partial + u.in_empty) >> 10;
	say_kib(&s, "Users hold", KIB_OF_PAGES(u.allocated) + (u.live >> 10),
		all);
	say(&s, "  %-26s %10zu KiB", "pages", KIB_OF_PAGES(u.allocated));
	say_largest(&s);
	say_kib(&s, "Freed, and kept by kmem", KIB_OF_PAGES(u.cached) + objects,
		all);
	say(&s, "  pages in CPUs and depots   %10zu KiB",
	    KIB_OF_PAGES(u.cached));
	say(&s, "  objects in CPUs %zu, depots %zu, slabs %zu, empty slabs %zu "
	    "KiB", u.in_cpus >> 10, u.in_depots >> 10, u.in_partial >> 10,
	    u.in_empty >> 10);
	say_kib(&s, "Beside objects", KIB_OF_PAGES(u.metadata) +
		(u.slack >> 10), all);
	say_kib(&s, "Free", KIB_OF_PAGES(u.free), all);
	say(&s, "= %zu pages: allocated %zu + slabs %zu + metadata %zu + "
	    "cached %zu + free %zu", u.managed, u.allocated, u.slabs,
	    u.metadata, u.cached, u.free);
}

/* ---- what has grown ---- */

struct growth {
	struct sink s;
	const struct kmem_leak_mark *marks;
	size_t nr, grown;
};

static size_t marked(const struct growth *g, const struct kmem_cache *c)
{
	for (size_t i = 0; i < g->nr; i++)
		if (g->marks[i].cache == c)
			return g->marks[i].live;
	return 0;
}

static void compare(struct growth *g, const struct kmem_cache *c,
		    const char *name, size_t live)
{
	size_t before = marked(g, c);

	if (live <= before)
		return;
	g->grown++;
	if (g->s.out)
		say(&g->s, "%-28s %10zu more, now %zu", name, live - before,
		    live);
}

static bool compare_cache(struct kmem_cache *c, void *arg)
{
	struct kmem_cache_stats st;

	kmem_cache_stats(c, &st);
	compare(arg, c, st.name, st.live);
	return true;
}

size_t kmem_leak_report(const struct kmem_leak_mark *marks, size_t n,
			kmem_out_fn out, void *ctx)
{
	struct growth g = { { out, ctx }, marks, n, 0 };
	struct kmem_usage u;

	kmem_usage(&u);
	compare(&g, NULL, "(pages)", u.allocated);
	if (u.managed)
		kmem_for_each_cache(compare_cache, &g);
	return g.grown;
}

/* ---- for programs ---- */

static void say_raw_layer(const struct sink *s, const char *kind,
			  const char *name, unsigned order,
			  const struct kmem_layer_stats *l)
{
	say(s, "%s name=%s order=%u allocs=%llu frees=%llu refills=%llu "
	    "flushes=%llu contended=%llu", kind, name, order,
	    (unsigned long long)l->allocs, (unsigned long long)l->frees,
	    (unsigned long long)l->refills, (unsigned long long)l->flushes,
	    (unsigned long long)l->depot_contended);
}

static bool say_raw_cache(struct kmem_cache *c, void *arg)
{
	struct kmem_cache_stats st;

	kmem_cache_stats(c, &st);
	say(arg, "cache name=%s size=%zu live=%zu cpus=%zu depot=%zu "
	    "partial=%zu empty=%zu bytes=%zu empty_bytes=%zu", st.name,
	    st.slot_size, st.live, st.layer.in_cpus, st.layer.in_depot,
	    st.free_in_slabs - st.free_in_empty, st.free_in_empty,
	    st.slab_bytes, st.empty_bytes);
	say_raw_layer(arg, "cache_ops", st.name, st.order, &st.layer);
	return true;
}

void kmem_report_raw(kmem_out_fn out, void *ctx)
{
	struct sink s = { out, ctx };
	struct kmem_zone_stats z;
	struct kmem_usage u;

	kmem_usage(&u);
	say(&s, "memory managed=%zu allocated=%zu slabs=%zu metadata=%zu "
	    "cached=%zu free=%zu", u.managed, u.allocated, u.slabs,
	    u.metadata, u.cached, u.free);
	for (unsigned i = 0; kmem_zone_stats(i, &z); i++) {
		say(&s, "zone name=%s node=%d managed=%zu free=%zu cached=%zu "
		    "locks=%llu contended=%llu", z.name, z.node, z.managed,
		    z.free_pages, z.cached_pages, (unsigned long long)z.locks,
		    (unsigned long long)z.contended);
		for (unsigned o = 0; o < NR_CACHED_ORDERS; o++)
			say_raw_layer(&s, "zone_ops", z.name, o, &z.order[o]);
	}
	if (u.managed)
		kmem_for_each_cache(say_raw_cache, &s);
}

void kmem_report(kmem_out_fn out, void *ctx)
{
	kmem_report_boot(kmem_boot_info(), out, ctx);
	kmem_report_zones(out, ctx);
	kmem_report_caches(out, ctx);
	kmem_report_layers(out, ctx);
	if (vm_ops())
		vm_range.ops->report(out, ctx);
	kmem_report_usage(out, ctx);
}

static void count_fragmentation(struct kmem_zone_stats *st)
{
	size_t all = 0, below = 0;

	st->largest_order = -1;
	for (unsigned o = 0; o <= KMEM_MAX_ORDER; o++) {
		all += st->nr_free[o] << o;
		if (st->nr_free[o])
			st->largest_order = (int)o;
	}
	for (unsigned o = 0; o <= KMEM_MAX_ORDER; o++) {
		struct percent p = percent(below, all);

		st->unusable[o] = (uint16_t)(p.whole * 10 + p.tenths);
		below += st->nr_free[o] << o;
	}
}

/* Page blocks counted under one lock. */
#define COUNT_STEPS	64

/* From pfn on. The lock keeps descriptors where memory is removed (hotplug.c).
 * Return: how far that went. */
static uintptr_t count_some_blocks(struct zone *z, uintptr_t pfn,
				   struct kmem_zone_stats *st)
{
	uintptr_t irq = lock_irq(&z->lock);
	uintptr_t end = kmem_load_relaxed(&z->end_pfn);

	for (unsigned i = 0; pfn < end && i < COUNT_STEPS; i++) {
		const struct page *p = page_block(&z->buddy, pfn);

		if (p)
			st->page_blocks[KMEM_MOBILITY ? kmem_load_relaxed(
					&p->block_mobility) : UNMOVABLE]++;
		if (!pfn_to_page(pfn))	/* a hole: on to the next section */
			pfn |= kmem_page_map.page_mask &
			       ~(PAGE_BLOCK_PAGES - 1);
		pfn += PAGE_BLOCK_PAGES;
	}
	unlock_irq(&z->lock, irq);
	return pfn;
}

static void count_page_blocks(struct zone *z, struct kmem_zone_stats *st)
{
	uintptr_t pfn = kmem_load_relaxed(&z->start_pfn) &
			~(PAGE_BLOCK_PAGES - 1);

	st->page_block_order = PAGE_BLOCK_ORDER;
	while (pfn < kmem_load_relaxed(&z->end_pfn))
		pfn = count_some_blocks(z, pfn, st);
}

bool kmem_zone_stats(unsigned n, struct kmem_zone_stats *st)
{
	struct zone *z = NULL;

	for (unsigned i = 0; i < KMEM_ARRAY_SIZE(zones.zone) && !z; i++)
		if (zone_by_id(i) && !n--)
			z = zone_by_id(i);
	if (!z)
		return false;
	memset(st, 0, sizeof(*st));
	st->name = zone_name((enum zone_type)z->type);
	st->node = z->node->id;
	st->start_pfn = kmem_load_relaxed(&z->start_pfn);
	st->end_pfn = kmem_load_relaxed(&z->end_pfn);
	st->managed = kmem_load_relaxed(&z->managed);
	st->free_pages = zone_free_pages(z);
	st->cached_pages = zone_cached_pages(z);
	st->min = kmem_load_relaxed(&z->wmark[WMARK_MIN]);
	st->low = kmem_load_relaxed(&z->wmark[WMARK_LOW]);
	st->high = kmem_load_relaxed(&z->wmark[WMARK_HIGH]);
	st->locks = LOCK_READ(&z->lock, taken);
	st->contended = LOCK_READ(&z->lock, contended);
	for (unsigned o = 0; o <= KMEM_MAX_ORDER; o++)
		st->nr_free[o] = kmem_load_relaxed(&z->buddy.nr_blocks[o]);
	count_fragmentation(st);
	count_page_blocks(z, st);
	for (unsigned o = 0; order_is_cached(o); o++)
		magazine_layer_stats(&page_layer(z, o)->magazine,
				     &st->order[o]);
	if (MAGAZINES && KMEM_MOBILITY)
		magazine_layer_stats(&page_layer(z, MOVABLE_LAYER)->magazine,
				     &st->movable);
	return true;
}
