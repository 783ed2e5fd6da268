/* SPDX-License-Identifier: MIT */
/*
 * depot.c - the magazines that belong to no CPU: where they wait, and where
 * they come from.
 *
 * A depot is two stacks, of full and of empty magazines, and four numbers that
 * make it follow the working set of its layer (magazine.c says who drives it):
 *
 *	objects		in the full ones
 *	max_objects	their bound, for now; at least min_depot
 *	flushed		objects that had to go below because of the bound
 *	idle		full magazines that nobody has needed since the last
 *			trim: the least that there were
 *
 *	put_full: at the bound ──► flushed += n        get_full: idle = least
 *	regret: flushed > 0 ─────► bound up by what    trim: idle > 0 ─► bound
 *	        is asked for again                     down, one goes below
 *
 * Of a depot that nobody has come to since, a trim takes several.
 *
 * *Whose they are.* Objects of one slab share a cache line of slots, so that what
 * one CPU has freed is better used by the same one again (slab.c). Full
 * magazines are on CPU_LISTS lists. A CPU takes its own first; then what its own
 * slabs have. What other CPUs have left it takes only where that is much of what
 * the cache has, or no more slabs should be made (cache_get_left() in cache.c);
 * of pages, which share nothing, always. But who has not left any for long
 * allocates what others free, and begins with theirs.
 *
 * So who allocates a hundred thousand objects, frees them all and does so again
 * finds them in the depot the third time: exchanging magazines is all that there
 * is to do, where slabs would be filled, emptied and given up. Where does it
 * end? Each depot may hold what max_depot says, and more than that only as long
 * as all bounds together are at most 1/DEPOTS_SHARE of memory; and all of it goes
 * back when pages run short.
 *
 * Magazines themselves come from slabs of their own that have no per-CPU
 * layer and take pages straight from the zones: the page allocator has
 * magazines too, and must not need itself. They leave the zones' reserves
 * alone: without a magazine, objects go directly.
 *
 * Locks: the depot's, once in a magazine-full of operations. Objects are given
 * below outside of it. Invariants: M3, M4 (magazine.c).
 */
#include "bits.h"
#include "depot.h"
#include "guard.h"

/* The bounds of all depots together may be this part of all memory. */
#define DEPOTS_SHARE	32

/* The least that one is, of what it may hold for each CPU: little, for there are
 * many that nobody comes to. */
#define LEAST_SHARE	32u

/* Magazines that a trim takes at least of a depot that nobody has come to. */
#define TRIM_DORMANT	8u

/* [0]: short ones, [1]: long ones */
static struct kmem_slabs magazine_slabs[2];
static struct slab_node magazine_node[2];

static struct kmem_slabs quarantine_slabs;
static struct slab_node quarantine_node;

static size_t magazine_size(unsigned capacity)
{
	return sizeof(struct magazine) + capacity * sizeof(struct round);
}

void magazines_init(void)
{
	tables_init(&magazine_slabs[0], "magazines-short",
		    magazine_size(MAGAZINE_SHORT), &magazine_node[0]);
	tables_init(&magazine_slabs[1], "magazines-long",
		    magazine_size(MAGAZINE_LONG), &magazine_node[1]);
	if (KMEM_HARDEN)
		tables_init(&quarantine_slabs, "quarantines",
			    sizeof(struct quarantine), &quarantine_node);
}

size_t magazines_bytes(void)
{
	return MAGAZINES ? slabs_bytes(&magazine_slabs[0]) +
			   slabs_bytes(&magazine_slabs[1]) +
			   (KMEM_HARDEN ? slabs_bytes(&quarantine_slabs) : 0) :
			   0;
}

void magazines_shrink(void)
{
	slabs_shrink(&magazine_slabs[0]);
	slabs_shrink(&magazine_slabs[1]);
	if (KMEM_HARDEN)
		slabs_shrink(&quarantine_slabs);
}

void magazines_check(struct check *c)
{
	if (!MAGAZINES)
		return;
	slabs_check(&magazine_slabs[0], c);
	slabs_check(&magazine_slabs[1], c);
	if (KMEM_HARDEN)
		slabs_check(&quarantine_slabs, c);
}

static bool table_has(const struct kmem_slabs *t, const void *p)
{
	struct page *page = virt_to_page(p);
	struct slab_index i;

	if (!page || page->slabs != t)
		return false;
	i = slab_index(page, t, p);
	return i.exact && i.index - slabs_first(t) < slab_objects(page) &&
	       kmem_load_relaxed(&page->slot[i.index]) == SLOT_CACHED;
}

bool magazine_exists(const struct magazine *m)
{
	return (table_has(&magazine_slabs[0], m) &&
		m->capacity == MAGAZINE_SHORT) ||
	       (table_has(&magazine_slabs[1], m) &&
		m->capacity == MAGAZINE_LONG);
}

static struct kmem_slabs *slabs_for(unsigned capacity)
{
	return &magazine_slabs[capacity > MAGAZINE_SHORT];
}

struct magazine *magazine_new(struct magazine_layer *l, unsigned limit)
{
	const gfp_t gfp = GFP_NOWAIT | __GFP_NORETRY;
	struct magazine *m = NULL;

	if (!inject_fails(KMEM_INJECT_MAGAZINE, NULL, gfp, 0))
		m = slabs_alloc(slabs_for(limit), gfp);
	if (!m)
		return NULL;
	m->capacity = limit > MAGAZINE_SHORT ? MAGAZINE_LONG : MAGAZINE_SHORT;
	m->rounds = 0;
	kmem_add_relaxed(&l->magazines, 1);
	kmem_add_relaxed(&l->magazine_bytes, magazine_size(m->capacity));
	return m;
}

void magazine_delete(struct magazine_layer *l, struct magazine *m)
{
	if (!m)
		return;
	kmem_add_relaxed(&l->magazines, (size_t)-1);
	kmem_add_relaxed(&l->magazine_bytes, 0 - magazine_size(m->capacity));
	slabs_free(slabs_for(m->capacity), m);
}

struct quarantine *quarantine_new(struct magazine_layer *l)
{
	struct quarantine *q = slabs_alloc(&quarantine_slabs,
					   GFP_NOWAIT | __GFP_NORETRY);

	if (!q)
		return NULL;
	memset(q, 0, sizeof(*q));
	q->last = l->quarantine - 1u;
	q->random = (uint32_t)guard_of(q);
	kmem_add_relaxed(&l->magazine_bytes, sizeof(*q));
	return q;
}

void quarantine_delete(struct magazine_layer *l, struct quarantine *q)
{
	if (!q)
		return;
	kmem_add_relaxed(&l->magazine_bytes, 0 - sizeof(*q));
	slabs_free(&quarantine_slabs, q);
}

/* ---- its bound; the lock is held, or nobody uses it yet ---- */

static void set_bound(struct magazine_layer *l, size_t objects)
{
	struct depot *d = &l->depot;

	kmem_add_relaxed(&zones.depot_bytes, (objects - d->max_objects) *
					     l->object_bytes);
	d->max_objects = objects;
}

/* What it may hold in any case. */
static size_t least_bound(const struct magazine_layer *l)
{
	size_t share = bits_divide(l->max_depot,
				   (size_t)LEAST_SHARE * zones.nr_cpus);

	return KMEM_MIN(KMEM_MAX(share, 1u), l->max_limit);
}

/* The highest that it can be now. (CPUs that look at the same time, at several
 * depots, may each find the same room.) */
static size_t highest_bound(const struct magazine_layer *l)
{
	size_t all = bits_divide(kmem_load_relaxed(&zones.managed),
				 DEPOTS_SHARE) << KMEM_PAGE_SHIFT;
	size_t used = kmem_load_relaxed(&zones.depot_bytes);
	size_t room = used < all ? bits_divide(all - used, l->object_bytes) : 0;

	return KMEM_MAX(l->depot.max_objects + room, l->max_depot);
}

static size_t objects_in(const struct magazine_layer *l, size_t depot_bytes)
{
	return bits_divide(depot_bytes, l->object_bytes) * zones.nr_cpus;
}

void depot_set_least(struct magazine_layer *l)
{
	l->max_depot = KMEM_MAX(l->max_depot, l->max_limit);
	l->min_depot = least_bound(l);
	set_bound(l, l->min_depot);
}

void depot_init(struct magazine_layer *l, size_t object_bytes,
		size_t depot_bytes)
{
	memset(&l->depot, 0, sizeof(l->depot));
	l->magazines = 0;
	l->magazine_bytes = 0;
	l->object_bytes = object_bytes;
	l->max_depot = objects_in(l, depot_bytes);
	depot_set_least(l);
}

void depot_grow(struct magazine_layer *l, size_t depot_bytes)
{
	uintptr_t irq = lock_irq(&l->depot.lock);

	l->max_depot = KMEM_MAX(l->max_depot,
				KMEM_MAX(objects_in(l, depot_bytes),
					 l->max_limit));
	l->min_depot = least_bound(l);
	set_bound(l, KMEM_MAX(l->depot.max_objects, l->min_depot));
	unlock_irq(&l->depot.lock, irq);
}

void depot_fini(struct magazine_layer *l)
{
	depot_drain(l);
	set_bound(l, 0);
}

/* ---- the stacks; the lock is held ---- */

static void push(struct magazine **list, struct magazine *m)
{
	m->next = *list;
	kmem_store_relaxed(list, m);
}

static struct magazine *pop(struct magazine **list)
{
	struct magazine *m = *list;

	if (m)
		kmem_store_relaxed(list, m->next);
	return m;
}

static void push_full(struct depot *d, struct magazine *m, size_t n)
{
	KMEM_ASSERT(n > 0 && n <= m->capacity);
	m->rounds = (uint16_t)n;
	push(&d->full[own_list()], m);
	kmem_store_relaxed(&d->nr_full, d->nr_full + 1);
	kmem_count_n(&d->objects, n);
	kmem_store_relaxed(&d->used, true);
}

/* The last that came; of any CPU, if there is none of its own and `any`. */
static struct magazine *pop_full(struct depot *d, bool any)
{
	unsigned own = own_list(), n = any ? CPU_LISTS : 1;
	struct magazine *m = NULL;

	for (unsigned i = 0; !m && i < n; i++)
		m = pop(&d->full[(own + i) % CPU_LISTS]);
	if (!m)
		return NULL;
	kmem_store_relaxed(&d->nr_full, d->nr_full - 1);
	kmem_count_n(&d->objects, (size_t)0 - m->rounds);
	d->idle = KMEM_MIN(d->idle, d->nr_full);
	return m;
}

/* Keep an empty magazine: as many as there are full ones, or as can be filled
 * before the bound is met. Return: what is not kept. */
static struct magazine *push_empty(struct depot *d, struct magazine *m)
{
	if (!m || (d->nr_empty > d->nr_full &&
		   (d->nr_empty + d->nr_full) * m->capacity >= d->max_objects))
		return m;
	m->rounds = 0;
	push(&d->empty, m);
	kmem_store_relaxed(&d->nr_empty, d->nr_empty + 1);
	return NULL;
}

static struct magazine *pop_empty(struct depot *d)
{
	struct magazine *m = pop(&d->empty);

	if (m)
		kmem_store_relaxed(&d->nr_empty, d->nr_empty - 1);
	return m;
}

/* ---- what CPUs ask for ---- */

/* There may be one for this CPU, its own or any. A look without the lock. */
static bool has_full(const struct depot *d, bool any)
{
	if (any)
		return kmem_load_relaxed(&d->nr_full);
	return kmem_load_relaxed(&d->full[own_list()]);
}

struct magazine *depot_get_full(struct magazine_layer *l,
				struct magazine *empty, bool any)
{
	struct depot *d = &l->depot;
	struct magazine *full;
	uintptr_t irq;

	if (!has_full(d, any) ||
	    inject_fails(KMEM_INJECT_DEPOT, NULL, GFP_NOWAIT, 0))
		return NULL;
	irq = lock_irq(&d->lock);
	full = pop_full(d, any);
	kmem_store_relaxed(&d->used, true);
	if (full)
		empty = push_empty(d, empty);
	unlock_irq(&d->lock, irq);
	if (full)
		magazine_delete(l, empty);
	return full;
}

/* The last round of a magazine makes it an empty one. */
static void take_round(struct depot *d, struct magazine *full, struct round *r)
{
	unsigned left = full->rounds - 1u;

	*r = full->round[left];
	if (left) {
		push_full(d, full, left);
		return;
	}
	full->rounds = 0;
	push(&d->empty, full);
	kmem_store_relaxed(&d->nr_empty, d->nr_empty + 1);
}

bool depot_try_take(struct magazine_layer *l, struct round *r)
{
	struct depot *d = &l->depot;
	struct magazine *full;
	uintptr_t irq;

	if (!kmem_load_relaxed(&d->nr_full) || !lock_try_irq(&d->lock, &irq))
		return false;
	full = pop_full(d, true);
	if (full)
		take_round(d, full, r);
	unlock_irq(&d->lock, irq);
	return full;
}

bool depot_put_full(struct magazine_layer *l, struct magazine *full,
		    unsigned n, struct magazine **empty)
{
	bool allowed = !inject_fails(KMEM_INJECT_DEPOT, NULL, GFP_NOWAIT, 0);
	struct depot *d = &l->depot;
	uintptr_t irq = lock_irq(&d->lock);
	bool room = allowed && d->objects + n <= d->max_objects;

	*empty = NULL;
	if (room) {
		push_full(d, full, n);
		*empty = pop_empty(d);
	} else {
		kmem_store_relaxed(&d->flushed, d->flushed + n);
	}
	unlock_irq(&d->lock, irq);
	return room;
}

void depot_regret(struct magazine_layer *l, size_t n)
{
	struct depot *d = &l->depot;
	uintptr_t irq;

	if (!kmem_load_relaxed(&d->flushed))
		return;
	irq = lock_irq(&d->lock);
	n = KMEM_MIN(n, d->flushed);
	set_bound(l, KMEM_MIN(d->max_objects + n, highest_bound(l)));
	kmem_store_relaxed(&d->flushed, d->flushed - n);
	unlock_irq(&d->lock, irq);
}

/* ---- getting memory back ---- */

/* A full magazine, or else an empty one, or NULL. */
static struct magazine *depot_take_any(struct magazine_layer *l)
{
	uintptr_t irq = lock_irq(&l->depot.lock);
	struct magazine *m = pop_full(&l->depot, true);

	if (!m)
		m = pop_empty(&l->depot);
	unlock_irq(&l->depot.lock, irq);
	return m;
}

static void magazine_give_up(struct magazine_layer *l, struct magazine *m)
{
	if (m->rounds)
		l->give(l, m->round, m->rounds);
	magazine_delete(l, m);
}

void depot_drain(struct magazine_layer *l)
{
	size_t n = kmem_load_relaxed(&l->depot.nr_full) +
		   kmem_load_relaxed(&l->depot.nr_empty);
	struct magazine *m;

	/* Not longer than that: other CPUs may be filling it meanwhile. */
	while (n-- && (m = depot_take_any(l)))
		magazine_give_up(l, m);
}

/* One magazine that nobody has needed, or an empty one too many, or NULL. */
static struct magazine *depot_take_idle(struct magazine_layer *l)
{
	struct depot *d = &l->depot;
	uintptr_t irq = lock_irq(&d->lock);
	struct magazine *m = NULL;

	if (d->idle) {
		d->idle--;
		m = pop_full(d, true);
		set_bound(l, KMEM_MAX(d->max_objects - m->rounds,
				      KMEM_MAX(l->min_depot, d->objects)));
	} else if (d->nr_empty > d->nr_full) {
		m = pop_empty(d);
	}
	unlock_irq(&d->lock, irq);
	return m;
}

/* From now on, what is there is idle until it is needed. */
static void depot_look_again(struct depot *d)
{
	uintptr_t irq = lock_irq(&d->lock);

	d->idle = d->nr_full;
	kmem_store_relaxed(&d->used, false);
	unlock_irq(&d->lock, irq);
}

void depot_trim(struct magazine_layer *l, size_t most)
{
	struct depot *d = &l->depot;
	struct magazine *m;

	if (!kmem_load_relaxed(&d->nr_full) &&
	    !kmem_load_relaxed(&d->nr_empty))
		return;
	if (!kmem_load_relaxed(&d->used) && most < TRIM_DORMANT)
		most = TRIM_DORMANT;
	while (most-- && (m = depot_take_idle(l)))
		magazine_give_up(l, m);
	depot_look_again(d);
}
