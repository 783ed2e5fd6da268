/* SPDX-License-Identifier: MIT */
/*
 * cache_walk.c - every object that somebody has, while CPUs go on.
 *
 * The slabs of a cache move from list to list as objects come and go, so a
 * walk along the lists that lets go of the lock in between would meet some
 * twice and others never. Addresses don't move: the walk goes through the
 * descriptors of all pages, in the order of memory, and stops at the first
 * page of each slab of the cache. An object that is allocated all the while is
 * in a slab all the while, and so is met once.
 *
 * Memory may be removed meanwhile, and take its descriptors with it; they are
 * there as long as a zone's lock is held (hotplug.c). So a candidate is found
 * with that lock, and looked up again with both, to stay: a slab is looked at
 * under the lock of its node, if it has objects in use and, read after that, is
 * of the cache, and the page is its first:
 *
 *	on a list	inuse changes under the lock only, and with it above 0
 *			the slab stays
 *	being made	inuse is 0, or was read when the page was another's;
 *			slabs is set last, when no slot is LIVE; and it can't
 *			get on a list without the lock
 *	being unmade	inuse is 0 from when it left its list until the page
 *			is another's
 *	something else	slabs is NULL, or another's: what inuse is then (it
 *			shares its place) was written after that, with release
 *
 * LIVE objects become CACHED and back without the lock: an object may be freed
 * while its slot is looked at. It can't leave its slab as long as the lock is
 * held, so it stays memory of this cache.
 *
 * Locks: the zone's, for WALK_STEPS descriptors at a time; one node's, for the
 * slots of one slab, and the zone's within it.
 */
#include "cache.h"

/* Descriptors looked at under one lock. */
#define WALK_STEPS	64

struct walk {
	struct kmem_cache *s;
	bool (*fn)(void *obj, void *arg);
	void *arg;
};

/* The objects of a slab, its node locked. Return: false to stop. */
static bool walk_objects(const struct walk *w, struct page *head)
{
	for (unsigned i = 0; i < slab_objects(head); i++)
		if (kmem_load_plain(slab_slot(head, i)) ==
			    slabs_live(&w->s->slabs) &&
		    !w->fn(slab_object(head, i), w->arg))
			return false;
	return true;
}

/* A hint, without order: what matters is read again, with the lock of the node
 * too. */
static bool is_candidate(const struct walk *w, const struct zone *z,
			 const struct page *page)
{
	return kmem_load_relaxed(&page->slabs) == &w->s->slabs &&
	       kmem_load_relaxed(&page->zone) == z->id &&
	       kmem_load_relaxed(&page->to_offset) ==
		       slab_to_offset(&w->s->slabs, page);
}

/* From pfn on: the first page that seems to begin a slab of the cache; or how
 * far that looked. */
static uintptr_t skip_others(const struct walk *w, struct zone *z,
			     uintptr_t pfn, bool *found)
{
	uintptr_t irq = lock_irq(&z->lock);
	uintptr_t end = kmem_load_relaxed(&z->end_pfn);

	*found = false;
	for (unsigned i = 0; pfn < end && i < WALK_STEPS; i++, pfn++) {
		struct page *page = pfn_to_page(pfn);

		if (page && is_candidate(w, z, page)) {
			*found = true;
			break;
		}
		if (!page)		/* a section without memory */
			pfn |= kmem_page_map.page_mask;
	}
	unlock_irq(&z->lock, irq);
	return pfn;
}

static bool walk_slab_at(const struct walk *w, struct zone *z, uintptr_t pfn)
{
	struct kmem_slabs *s = &w->s->slabs;
	struct slab_node *n = slabs_node(s, z->node->index);
	uintptr_t irq = lock_irq(&n->lock);
	struct page *head = slab_beginning_at(s, z, pfn);
	bool more = !head || walk_objects(w, head);

	unlock_irq(&n->lock, irq);
	return more;
}

static bool walk_zone(const struct walk *w, struct zone *z)
{
	uintptr_t pfn = kmem_load_relaxed(&z->start_pfn);
	bool found;

	while (pfn < kmem_load_relaxed(&z->end_pfn)) {
		pfn = skip_others(w, z, pfn, &found);
		if (found && !walk_slab_at(w, z, pfn++))
			return false;
	}
	return true;
}

bool kmem_cache_walk(struct kmem_cache *s, bool (*fn)(void *obj, void *arg),
		     void *arg)
{
	struct walk w = { s, fn, arg };

	for (unsigned i = 0; i < KMEM_ARRAY_SIZE(zones.zone); i++) {
		struct zone *z = zone_by_id(i);

		if (z && !walk_zone(&w, z))
			return false;
	}
	return true;
}
