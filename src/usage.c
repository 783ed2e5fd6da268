/* SPDX-License-Identifier: MIT */
/*
 * usage.c - whose memory is it: the accounts of the whole.
 *
 * Nothing is counted for this as kmem runs. Zones, slabs and magazines know
 * what they hold; what of a zone is in none of them, its users hold:
 *
 *	managed ─┬─ free			zones' free blocks
 *	         ├─ cached			page magazines, page depots
 *	         ├─ slabs ── live, in CPUs, in depots, free in slabs, slack
 *	         ├─ metadata			kmem's own slabs
 *	         └─ allocated			the rest
 *
 *  A2	counted block by block over all descriptors, the pages of each kind are
 *	those of kmem_usage(); check.c walks them
 *
 * A leak is what grows from one point in time to another and should not.
 * Live objects of each cache are remembered in memory of the caller's.
 *
 * Locks: each cache's and zone's in turn. Cost: O(caches × CPUs).
 */
#include "grace.h"
#include "kmalloc.h"

size_t kmem_internal_bytes(void)
{
	if (!zones.nr_nodes)
		return 0;
	return slots_bytes() + magazines_bytes() + caches_bytes();
}

static bool add_usage(struct kmem_cache *s, void *arg)
{
	struct kmem_usage *u = arg;
	struct kmem_cache_stats st;

	kmem_cache_stats(s, &st);
	u->slabs += st.slab_bytes >> KMEM_PAGE_SHIFT;
	u->live += st.live * st.slot_size;
	u->in_cpus += st.layer.in_cpus * st.slot_size;
	u->in_depots += st.layer.in_depot * st.slot_size;
	u->in_partial += (st.free_in_slabs - st.free_in_empty) * st.slot_size;
	u->in_empty += st.free_in_empty * st.slot_size;
	return true;
}

void kmem_usage(struct kmem_usage *u)
{
	memset(u, 0, sizeof(*u));
	for (unsigned i = 0; i < KMEM_ARRAY_SIZE(zones.zone); i++) {
		struct zone *z = zone_by_id(i);

		if (!z)
			continue;
		u->managed += kmem_load_relaxed(&z->managed);
		u->free += zone_free_pages(z);
		u->cached += zone_cached_pages(z);
	}
	if (u->managed)
		kmem_for_each_cache(add_usage, u);
	u->slabs += slabs_retired_pages();
	u->slack = (u->slabs << KMEM_PAGE_SHIFT) - u->live - u->in_cpus -
		   u->in_depots - u->in_partial - u->in_empty;
	u->metadata = kmem_internal_bytes() >> KMEM_PAGE_SHIFT;
	u->allocated = u->managed - u->slabs - u->metadata - u->cached -
		       u->free;
}

/* ---- two points in time ---- */

struct marking {
	struct kmem_leak_mark *marks;
	size_t room, nr;
};

static void mark(struct marking *m, const struct kmem_cache *s, size_t live)
{
	if (m->nr < m->room)
		m->marks[m->nr] = (struct kmem_leak_mark){ s, live };
	m->nr++;
}

static bool mark_cache(struct kmem_cache *s, void *arg)
{
	struct kmem_cache_stats st;

	kmem_cache_stats(s, &st);
	mark(arg, s, st.live);
	return true;
}

size_t kmem_leak_mark(struct kmem_leak_mark *marks, size_t room)
{
	struct marking m = { marks, room, 0 };
	struct kmem_usage u;

	kmem_usage(&u);
	mark(&m, NULL, u.allocated);
	if (u.managed)
		kmem_for_each_cache(mark_cache, &m);
	return m.nr;
}
