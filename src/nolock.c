/* SPDX-License-Identifier: MIT */
/*
 * nolock.c - allocation and free for those who may wait for nobody.
 *
 *	kmalloc_nolock()                     kfree_nolock()
 *	   │ this CPU's magazines               │ the checks of kfree()
 *	   │ one of the depot's   ┐             │ this CPU's magazines
 *	   │ its slabs            │ try         │ its slab: try the lock
 *	   │ a new slab, from     │ the         │ a store: try the lock
 *	   ▼ the zones            ┘ lock        ▼ put aside, by its state
 *	NULL                                 and done later, by somebody else
 *
 * An NMI may land between any two instructions of kmem, so what it finds is
 * one of three: a CPU's slots with `busy` set, or a lock that is taken, which
 * it leaves alone; or a structure that is whole, and that whoever was
 * interrupted does not remember anything of. It follows that every slow path
 * that changes a CPU's slots has `busy` set (magazine.c), and that every lock
 * is a flag that can be looked at (spinlock.h). States of objects are single
 * bytes, written by who owns the object.
 *
 * *Frees that can't be done* must neither be lost nor need memory. There are a
 * few stores, arrays of pointers, each with a lock that is only tried. If all
 * are full or taken, the object's slot is set to NOLOCK, or the block's type to
 * PAGE_NOLOCK, and nobody has its address any more: it is found by a scan of
 * the page descriptors. In a store an object is CACHED, as in a magazine.
 *
 *	zones.later	some are waiting
 *	zones.aside	of them some that only a scan finds
 *
 * Both are set after the free they speak of, and cleared before it is looked
 * for; so what comes meanwhile sets them again. The slow paths of allocation
 * and free look at `later` (zones_do_later()) and then empty the stores and
 * scan SCAN_PAGES descriptors; one CPU at a time: `draining` is only tried, too.
 *
 * Locks: `draining`, with preemption off, around all others; while slabs are
 * scanned, the lock of the list of caches, so that none is destroyed; to look at
 * a page, its zone's, so that its descriptor is there (hotplug.c).
 *
 * Not done: kfree_rcu() in an NMI; the caches' constructors, since kmalloc()
 * has none; reserves (the zones' MIN mark holds); no other zone than NORMAL's
 * fallbacks.
 */
#include "bits.h"
#include "nolock.h"

#define GFP_ALLOWED	(__GFP_ZERO | __GFP_ACCOUNT | __GFP_NOWARN)

#define NR_STORES	(KMEM_MAX_CPUS >= 8 ? 8u : 2u)
#define STORE_ROOM	14u
#define SCAN_PAGES	64u

static struct store {
	struct kmem_lock lock;
	size_t n;
	const void *p[STORE_ROOM];
} stores[NR_STORES];

static struct {
	struct kmem_lock draining;
	/* under it, the scan: where it is, and how far it has to go */
	unsigned zone;			/* its index */
	uintptr_t pfn;			/* or below: the zone's first */
	size_t left;			/* pages */
} later;

static void drain(bool all);

static const struct deferred_state stored = { SLOT_CACHED, PAGE_CACHED };

/* ---- allocation ---- */

static bool wrong_flags(const char *call, gfp_t gfp)
{
	if (KMEM_LIKELY(!(gfp & ~GFP_ALLOWED)))
		return false;
	kmem_misuse("bad flags", NULL, "kmem: %s: gfp 0x%x: only __GFP_ZERO, "
		    "__GFP_ACCOUNT and __GFP_NOWARN are allowed", call, gfp);
	return true;
}

/* The index of a node, this CPU's if there is none of that number. */
static unsigned near_node(int id)
{
	for (unsigned i = 0; id != KMEM_NO_NODE && i < zones.nr_nodes; i++)
		if (zones.node[i]->id == id)
			return i;
	return this_node();
}

/* PAGE_ALLOCATED, with its order. */
static struct page *try_block(unsigned node, unsigned order)
{
	struct zone *z =
		kmem_load_relaxed(&zones.node[node]->preferred[ZONE_NORMAL]);
	struct page *page;
	struct round r;

	if (!order_is_cached(order) ||
	    !magazine_try_alloc(&page_layer(z, order)->magazine, &r))
		return zones_try_take(node, order, false);
	page = r.obj;
	if (KMEM_UNLIKELY(page_type(page) != PAGE_CACHED)) {
		second_block(page, order);
		return NULL;
	}
	page_set_type(page, PAGE_ALLOCATED);
	return page;
}

/* From slabs that exist, the nearest first, or from a new one. */
static bool try_slabs(struct kmem_slabs *s, unsigned node, struct round *r)
{
	const struct node *n = zones.node[node];

	for (unsigned i = 0; i < s->nr_nodes; i++)
		if (slabs_try_take(s, n->nearest[i], r))
			return true;
	/* Pages that it finds no use for may be put aside. */
	kmem_store_relaxed(&zones.drain_later, drain);
	for (unsigned i = 0; i < s->nr_nodes; i++)
		if (slabs_try_grow(s, n->nearest[i], r))
			return true;
	return false;
}

static void *try_cache(struct kmem_cache *s, size_t size, unsigned node)
{
	struct round r;

	if (slabs_debugged(&s->slabs))
		return NULL;
	if (!MAGAZINES || node != this_node() ||
	    !magazine_try_alloc(&s->magazine, &r)) {
		if (!try_slabs(&s->slabs, node, &r))
			return NULL;
		if (MAGAZINES)
			magazine_count_direct(&s->magazine, DIR_ALLOC);
	}
	if (KMEM_UNLIKELY(!cache_mark_live(s, r, size))) {
		cache_second_copy(s, r.obj);
		return NULL;
	}
	return r.obj;
}

/* Whoever was interrupted has the lock of one class at most: try the next one
 * too. */
static void *try_classes(size_t size, gfp_t gfp, unsigned node,
			 uintptr_t caller)
{
	struct kmem_cache *const *s =
		&kmalloc_caches[KMALLOC_NORMAL][kmalloc_index(size)];
	void *p = NULL;

	if (*s && cache_injected(*s, gfp, caller))
		return NULL;
	for (unsigned i = 0; *s && !p && i < 2; i++) {
		p = try_cache(*s, size, node);
		if (p && (gfp & __GFP_ZERO))
			memset(p, 0, CACHE_ZEROED(*s));
		if (!p && (*s)->object_size < KMALLOC_MAX_CACHE_SIZE)
			s = &kmalloc_caches[KMALLOC_NORMAL][
				kmalloc_index((*s)->object_size + 1)];
	}
	return p;
}

void *kmalloc_nolock(size_t size, gfp_t gfp, int node)
{
	struct page *page;
	unsigned order;

	if (wrong_flags("kmalloc_nolock", gfp))
		return NULL;
	if (!size)
		return ZERO_SIZE_PTR;
	if (!zones.nr_nodes || size > KMALLOC_MAX_SIZE)
		return NULL;
	if (size <= KMALLOC_MAX_CACHE_SIZE)
		return try_classes(size, gfp, near_node(node), INJECT_CALLER);
	if (pages_injected(gfp, INJECT_CALLER))
		return NULL;
	order = get_order(size);
	page = try_block(near_node(node), order);
	if (!page)
		return NULL;
	if (gfp & __GFP_ZERO)
		memset(page_to_virt(page), 0, KMEM_PAGE_SIZE << order);
	page_set_type(page, PAGE_KMALLOC);
	return page_to_virt(page);
}

struct page *alloc_pages_nolock(gfp_t gfp, int nid, unsigned order)
{
	struct page *page;

	if (wrong_flags("alloc_pages_nolock", gfp) || !zones.nr_nodes ||
	    order > KMEM_MAX_ORDER || pages_injected(gfp, INJECT_CALLER))
		return NULL;
	page = try_block(near_node(nid), order);
	if (page)
		memset(page_to_virt(page), 0, KMEM_PAGE_SIZE << order);
	return page;
}

/* ---- frees that can't be done ---- */

/* In a store. */
static bool note(const void *p)
{
	unsigned cpu = kmem_arch_cpu();
	bool noted = false;
	uintptr_t irq;

	for (unsigned i = 0; i < NR_STORES && !noted; i++) {
		struct store *s = &stores[(cpu + i) % NR_STORES];

		if (!lock_try_irq(&s->lock, &irq))
			continue;
		noted = s->n < STORE_ROOM;
		if (noted)
			s->p[s->n++] = p;
		unlock_irq(&s->lock, irq);
	}
	return noted;
}

/* p has been claimed, and is CACHED; slot NULL: a block. */
static void put_aside(struct page *page, const void *p, kmem_slot_t *slot)
{
	kmem_store_relaxed(&zones.drain_later, drain);
	if (note(p)) {
		kmem_store_release(&zones.later, 1);
	} else if (slot) {
		kmem_store_release(slot, SLOT_NOLOCK);
		zones_scan_later();
	} else {
		page_set_aside(page);
	}
}

/* ---- free ---- */

static bool try_free_object(struct kmem_cache *s, struct round r)
{
	if (slabs_debugged(&s->slabs))
		return false;
	if (KMEM_HARDEN)
		guard_taken("kfree_nolock", &s->slabs, r.obj, r.slot, 0);
	if (MAGAZINES && magazine_try_free(&s->magazine, r))
		return true;
	if (!slabs_try_give(&s->slabs, r)) {
		/* It will be taken once more; of its guard only that part is
		 * left. */
		if (slabs_sized(&s->slabs))
			guard_set_size(s->slabs.guard, r.slot,
				       s->slabs.guard->size);
		return false;
	}
	if (MAGAZINES)
		magazine_count_direct(&s->magazine, DIR_FREE);
	return true;
}

/* A block that is PAGE_CACHED. */
static bool try_free_block(struct page *page)
{
	unsigned order = page->order;
	struct round r = { page, NULL };

	return (order_is_cached(order) && magazine_try_free(
		&page_layer(page_zone(page), order)->magazine, r)) ||
	       zone_try_give(page, order);
}

void kfree_nolock(const void *p)
{
	struct page *page;
	kmem_slot_t *slot;
	struct round r;

	if (ZERO_OR_NULL_PTR(p) ||
	    !deferred_claim("kfree_nolock", p, stored, KMEM_CALLER))
		return;
	page = virt_to_page(p);
	slot = deferred_slot(page, p);
	r = (struct round){ (void *)(uintptr_t)p, slot };
	if (somebody_waits() || (slot ? !try_free_object(slabs_cache(page->slabs), r) :
				 !try_free_block(page)))
		put_aside(page, p, slot);
}

void free_pages_nolock(struct page *page, unsigned order)
{
	if (!page)
		return;
	if (KMEM_UNLIKELY(page_type(page) != PAGE_ALLOCATED ||
			  page->order != order)) {
		page_bad_free("free_pages_nolock", page, order, KMEM_CALLER);
		return;
	}
	page_set_type(page, PAGE_CACHED);
	if (somebody_waits() || !try_free_block(page))
		put_aside(page, page_to_virt(page), NULL);
}

/* ---- doing them later ---- */

/* Whether it was set; cleared, before what it speaks of is looked at. */
static bool take_flag(unsigned *flag)
{
	if (!kmem_load_relaxed(flag))
		return false;
	if (KMEM_MAX_CPUS > 1)
		return kmem_exchange_acquire(flag, 0);
	kmem_store_relaxed(flag, 0);
	kmem_barrier();
	return true;
}

static void empty_store(struct store *s)
{
	const void *p[STORE_ROOM];
	uintptr_t irq = lock_irq(&s->lock);
	size_t n = s->n;

	memcpy(p, s->p, n * sizeof(*p));
	s->n = 0;
	unlock_irq(&s->lock, irq);
	while (n--)
		deferred_finish(p[n], stored);
}

/* The list of caches is locked. */
static void scan_slab(struct kmem_slabs *s, struct zone *z, uintptr_t pfn)
{
	struct round r[STORE_ROOM];
	size_t n;

	do {
		n = slabs_collect(s, z, pfn, SLOT_NOLOCK, r, STORE_ROOM);
		for (size_t i = 0; i < n; i++)
			deferred_finish(r[i].obj, stored);
	} while (n == STORE_ROOM);
}

/* What a page is, and whose; NULL: it has no descriptor. It is there as long
 * as the zone is locked, and then if it is PAGE_NOLOCK: that one is ours. */
static struct page *scan_look(struct zone *z, uintptr_t pfn, unsigned *type,
			      struct kmem_slabs **s)
{
	uintptr_t irq = lock_irq(&z->lock);
	struct page *page = pfn_to_page(pfn);

	if (page) {
		*type = kmem_load_acquire(&page->type);
		*s = kmem_load_relaxed(&page->slabs);
	}
	unlock_irq(&z->lock, irq);
	return page;
}

/* Return: false if there is no such page. */
static bool scan_page(struct zone *z, uintptr_t pfn)
{
	struct kmem_slabs *s = NULL;
	unsigned type = PAGE_TAIL;
	struct page *page = scan_look(z, pfn, &type, &s);

	if (!page)
		return false;
	if (type == PAGE_NOLOCK) {
		page_set_type(page, PAGE_ALLOCATED);
		__free_pages(page, page->order);
	} else if (type == PAGE_SLAB && s) {
		scan_slab(s, z, pfn);
	}
	return true;
}

/* On to the next page of all zones, or past a hole. Return: how many pages. */
static size_t scan_step(void)
{
	struct zone *z = zone_by_id(later.zone);
	uintptr_t pfn, end = z ? kmem_load_relaxed(&z->end_pfn) : 0;

	if (later.pfn >= end) {
		later.zone = (later.zone + 1) %
			     (unsigned)KMEM_ARRAY_SIZE(zones.zone);
		later.pfn = 0;
		return 0;
	}
	pfn = KMEM_MAX(later.pfn, kmem_load_relaxed(&z->start_pfn));
	later.pfn = scan_page(z, pfn) ? pfn + 1 :
		    (pfn | kmem_page_map.page_mask) + 1;
	later.pfn = KMEM_MIN(later.pfn, end);
	return later.pfn - pfn;
}

static size_t later_pages(void)
{
	size_t n = 0;

	for (unsigned i = 0; i < KMEM_ARRAY_SIZE(zones.zone); i++) {
		const struct zone *z = zone_by_id(i);

		if (z)
			n += kmem_load_relaxed(&z->end_pfn) -
			     kmem_load_relaxed(&z->start_pfn);
	}
	return n;
}

/* Whatever was put aside before lies in the next later_pages(), from here on and
 * around. */
static void later_scan(bool all)
{
	unsigned steps = 0;

	if (take_flag(&zones.aside))
		later.left = later_pages();
	if (!later.left || !caches_lock(all))
		return;
	while (later.left && (all || steps++ < SCAN_PAGES)) {
		size_t n = scan_step();

		later.left -= KMEM_MIN(n, later.left);
	}
	caches_unlock();
}

static void drain_locked(bool all)
{
	if (take_flag(&zones.later))
		for (unsigned i = 0; i < NR_STORES; i++)
			empty_store(&stores[i]);
	later_scan(all);
	if (later.left)
		kmem_store_release(&zones.later, 1);
}

/* With `all`: thread. Whoever is draining may be below us otherwise. */
static void drain(bool all)
{
	kmem_arch_enter();
	if (all)
		lock_take(&later.draining);
	if (all || lock_try(&later.draining)) {
		drain_locked(all);
		lock_release(&later.draining);
	}
	kmem_arch_exit();
}

void nolock_forget(void)
{
	memset(stores, 0, sizeof(stores));
	memset(&later, 0, sizeof(later));
}
