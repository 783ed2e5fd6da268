/* SPDX-License-Identifier: MIT */
/*
 * trim.c - kmem_trim(): memory that kmem holds for nobody, back to the zones.
 *
 *	objects in magazines ─► slabs ─► page magazines ─► zones
 *	slot arrays, magazines, descriptors: kmem's own slabs ─► zones
 *
 * Frees that could not be done at once (nolock.c) are done first. A drain goes
 * from left to right, so that what one layer lets go reaches the next before
 * that is drained: caches first, then pages, then the tables that both have
 * left. After a drain of all CPUs nothing is held but what callers hold, and
 * slabs that are partly theirs.
 */
#include "cache.h"

#include <kmem/trim.h>

static void drain_all(bool all_cpus)
{
	zones_do_all_later();
	if (MAGAZINES)
		caches_unload(all_cpus);
	caches_shrink(false);
	caches_shrink_tables();
	if (MAGAZINES) {
		pages_unload(all_cpus);
		magazines_shrink();
	}
	if (SLOT_TABLES)
		slots_shrink();
}

size_t kmem_trim(enum kmem_trim_level level)
{
	size_t before, after;

	if (!zones.nr_nodes)
		return 0;
	before = nr_free_pages();
	if (level == KMEM_TRIM && MAGAZINES) {
		caches_trim_idle();
		pages_trim();
	} else {
		drain_all(level == KMEM_DRAIN_CPU);
	}
	after = nr_free_pages();
	return after > before ? after - before : 0;
}
