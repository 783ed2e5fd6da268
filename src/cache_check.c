/* SPDX-License-Identifier: MIT */
/*
 * cache_check.c - what a cache holds, and its invariants, C1 and C2, verified.
 */
#include "cache.h"
#include "debug.h"
#include "guard.h"

struct cache_check {
	struct kmem_cache *s;
	struct check *c;
	size_t live, cached;
};

static void count_live(void *obj, unsigned index, void *arg)
{
	struct cache_check *k = arg;

	(void)obj;
	(void)index;
	k->live++;
}

static void check_cached(const struct round *r, void *arg)
{
	struct cache_check *k = arg;
	struct page *page = virt_to_page(r->obj);
	struct slab_index i;

	k->cached++;
	if (!page || page_type(page) != PAGE_SLAB ||
	    page->slabs != &k->s->slabs) {
		check_violated(k->c, "C2: cache %s: %p in a magazine is not "
			       "of this cache", k->s->name, r->obj);
		return;
	}
	i = slab_index(page, page->slabs, r->obj);
	if (!i.exact ||
	    i.index - slabs_first(page->slabs) >= slab_objects(page) ||
	    r->slot != &page->slot[i.index] || *r->slot != SLOT_CACHED)
		check_violated(k->c, "C2: cache %s: %p in a magazine is not a "
			       "cached object, or has not its slot",
			       k->s->name, r->obj);
}

void cache_check(struct kmem_cache *s, struct check *c)
{
	struct cache_check k = { s, c, 0, 0 };
	struct slab_node sum;

	slabs_check(&s->slabs, c);
	if (slabs_debugged(&s->slabs))
		debug_check(&s->slabs, c);
	else if (slabs_sized(&s->slabs))
		slabs_check(guard_sizes(&s->slabs), c);
	magazine_layer_check(&s->magazine, s->name, c);
	slabs_sum(&s->slabs, &sum);
	slabs_for_each(&s->slabs, SLOT_LIVE, count_live, &k);
	slabs_for_each(&s->slabs, SLOT_RCU, count_live, &k);
	slabs_for_each(&s->slabs, SLOT_NOLOCK, count_live, &k);
	magazine_for_each(&s->magazine, check_cached, &k);
	if (slabs_debugged(&s->slabs))
		debug_each_held(&s->slabs, check_cached, &k);
	if (sum.inuse != k.live + k.cached)
		check_violated(c, "C1: cache %s: %zu objects in use, but %zu "
			       "live + %zu cached", s->name, sum.inuse, k.live,
			       k.cached);
}

void kmem_cache_stats(struct kmem_cache *s, struct kmem_cache_stats *st)
{
	struct slab_node sum;
	size_t cached, empty_pages;

	memset(st, 0, sizeof(*st));
	slabs_sum(&s->slabs, &sum);
	magazine_layer_stats(&s->magazine, &st->layer);
	if (slabs_debugged(&s->slabs))
		st->layer.in_cpus = st->layer.in_quarantine =
			kmem_load_relaxed(&s->slabs.debug->nr_held);
	cached = st->layer.in_cpus + st->layer.in_depot;
	st->name = s->name;
	st->object_size = kmem_load_relaxed(&s->object_size);
	st->slot_size = s->slabs.size;
	st->align = s->align;
	st->order = s->slabs.order;
	st->objects_per_slab = s->slabs.objects;
	/* Whoever makes a slab keeps its first object. */
	if (MAGAZINES)
		st->layer.allocs += sum.made;
	st->live = sum.inuse > cached ? sum.inuse - cached : 0;
	st->free_in_slabs = sum.capacity - sum.inuse;
	st->slabs = sum.nr_slabs;
	st->empty_slabs = sum.nr_empty;
	slabs_empty(&s->slabs, &st->free_in_empty, &empty_pages);
	st->empty_bytes = empty_pages << KMEM_PAGE_SHIFT;
	st->slab_bytes = sum.nr_pages << KMEM_PAGE_SHIFT;
	st->overhead_bytes = slabs_slot_bytes(&s->slabs, &sum) +
			     st->layer.magazine_bytes +
			     CACHE_BYTES(zones.nr_cpus);
	st->slabs_made = sum.made;
	st->slabs_freed = sum.made - sum.nr_slabs;
	st->node_locks = LOCK_READ(&sum.lock, taken);
	st->node_contended = LOCK_READ(&sum.lock, contended);
}
