/* SPDX-License-Identifier: MIT */
/*
 * depot.c - the magazines that no CPU has loaded, full and empty.
 *
 * A depot is two stacks, of full and of empty magazines, and four numbers that
 * make it follow the working set of its CPUs (magazine.c says who drives it):
 *
 *	objects		in the full ones
 *	max_objects	their bound, for now
 *	flushed		objects that had to go below because of the bound
 *	idle		full magazines that nobody has needed since the last
 *			trim: the least that there were
 *
 *	put_full: at the bound ──► takes what other    get_full: idle = least
 *	        depots do not use of theirs, or        trim: idle > 0 ─► bound
 *	        flushed += n                           down, one goes below
 *	regret: flushed > 0 ─────► bound up by what
 *	        is asked for again
 *
 * Of a layer whose depots nobody has come to since, a trim takes several; and one
 * that is to take all takes what bounds leave unused, too. (None of those that
 * follow growth does: who first fills slabs for a while, before he frees, has not
 * come either.)
 *
 * *Whose they are.* A layer has a depot for each CPU, or for each list of them
 * (CPU_LISTS), so that as a rule a CPU meets nobody there. With one for all, an
 * exchange found the lock, the counts and the empty magazine in the cache of
 * another CPU: two that allocated and freed 256 pages each, over and over, took
 * twice as long for it as one alone, and now take no longer. What a layer's bounds
 * add up to is for all of its CPUs, though: a depot at its bound borrows what
 * others leave unused, and a thread that moves to another CPU finds what it has
 * learnt. (So a bound can be lent away to nothing; its CPU borrows in turn.)
 *
 * Nor should CPUs meet at the objects. Those of one slab share a cache line of
 * slots, so that what one CPU has freed is better used by the same one again
 * (slab.c). A CPU takes from its own depot; then what its own slabs have. What
 * other CPUs have left it takes only where that is much of what the cache has, or
 * no more slabs should be made (cache_get_left() in cache.c); of pages, which
 * share nothing, always. But who has not left any for long allocates what others
 * free, and begins with theirs. Where he takes a full one he leaves an empty one,
 * which they fill again.
 *
 * So who allocates a hundred thousand objects, frees them all and does so again
 * finds them in the depot the third time: exchanging magazines is all that there
 * is to do, where slabs would be filled, emptied and given up. Where does it
 * end? Those of a layer may hold what max_depot says, and more than that only as
 * long as all bounds together are at most 1/DEPOTS_SHARE of memory; and all of it
 * goes back when pages run short.
 *
 * Locks: a depot's, once in a magazine-full of operations; at its bound, those
 * that lend, one after the other. Objects are given below outside of it.
 * Invariants: M3, M4 (magazine.c).
 */
#include "bits.h"
#include "depot.h"

/* The bounds of all depots together may be this part of all memory. */
#define DEPOTS_SHARE	32

/* The least that those of a layer are, of what they may hold for each CPU: little,
 * for there are many that nobody comes to. */
#define LEAST_SHARE	32u

/* Magazines that a trim takes at least where nobody has come to. */
#define TRIM_DORMANT	8u

/* ---- bounds; the lock is held, or nobody uses it yet ---- */

static void set_bound(struct magazine_layer *l, struct depot *d,
		      size_t objects)
{
	kmem_add_relaxed(&zones.depot_bytes, (objects - d->max_objects) *
					     l->object_bytes);
	kmem_store_relaxed(&d->max_objects, objects);
}

/* What each begins with; no trim takes more. */
static size_t least_bound(const struct magazine_layer *l)
{
	size_t share = bits_divide(l->max_depot, (size_t)LEAST_SHARE *
				   NR_DEPOTS(zones.nr_cpus) * zones.nr_cpus);

	return KMEM_MIN(share, l->max_limit);
}

/* What all depots of a layer may hold. */
static size_t all_bounds(struct magazine_layer *l)
{
	size_t n = 0;

	for_each_depot(d, l)
		n += kmem_load_relaxed(&d->max_objects);
	return n;
}

/* The highest that it can be now. (CPUs that look at the same time, at several
 * depots, may each find the same room; and for room what is being lent.) */
static size_t highest_bound(struct magazine_layer *l, const struct depot *d)
{
	size_t bounds = all_bounds(l), max = kmem_load_relaxed(&l->max_depot);
	size_t all = bits_divide(kmem_load_relaxed(&zones.managed),
				 DEPOTS_SHARE) << KMEM_PAGE_SHIFT;
	size_t used = kmem_load_relaxed(&zones.depot_bytes);
	size_t room = used < all ? bits_divide(all - used, l->object_bytes) : 0;

	if (bounds < max)
		room = KMEM_MAX(room, max - bounds);
	return d->max_objects + room;
}

static size_t objects_in(const struct magazine_layer *l, size_t depot_bytes)
{
	return bits_divide(depot_bytes, l->object_bytes) * zones.nr_cpus;
}

/* Every bound, to between these. */
static void set_bounds(struct magazine_layer *l, size_t least, size_t most)
{
	for_each_depot(d, l) {
		uintptr_t irq = lock_irq(&d->lock);

		set_bound(l, d, KMEM_MIN(KMEM_MAX(d->max_objects, least),
					 most));
		unlock_irq(&d->lock, irq);
	}
}

void depots_set_least(struct magazine_layer *l)
{
	l->max_depot = KMEM_MAX(l->max_depot, l->max_limit);
	l->min_depot = least_bound(l);
	set_bounds(l, l->min_depot, l->min_depot);
}

void depots_init(struct magazine_layer *l, size_t object_bytes,
		 size_t depot_bytes)
{
	l->magazines = 0;
	l->magazine_bytes = 0;
	l->object_bytes = object_bytes;
	l->max_depot = objects_in(l, depot_bytes);
	depots_set_least(l);
}

void depots_grow(struct magazine_layer *l, size_t depot_bytes)
{
	size_t max = KMEM_MAX(objects_in(l, depot_bytes), l->max_limit);

	kmem_store_relaxed(&l->max_depot, KMEM_MAX(l->max_depot, max));
	kmem_store_relaxed(&l->min_depot, least_bound(l));
	set_bounds(l, l->min_depot, SIZE_MAX);
}

void depots_fini(struct magazine_layer *l)
{
	depot_drain(l);
	set_bounds(l, 0, 0);
}

/* ---- the stacks; the lock is held ---- */

static void push(struct magazine **list, struct magazine *m)
{
	m->next = *list;
	*list = m;
}

static struct magazine *pop(struct magazine **list)
{
	struct magazine *m = *list;

	if (m)
		*list = m->next;
	return m;
}

static void push_full(struct depot *d, struct magazine *m, size_t n)
{
	KMEM_ASSERT(n > 0 && n <= m->capacity);
	m->rounds = (uint16_t)n;
	push(&d->full, m);
	kmem_store_relaxed(&d->nr_full, d->nr_full + 1);
	kmem_count_n(&d->objects, n);
	kmem_store_relaxed(&d->used, true);
}

/* The last that came. */
static struct magazine *pop_full(struct depot *d)
{
	struct magazine *m = pop(&d->full);

	if (!m)
		return NULL;
	kmem_store_relaxed(&d->nr_full, d->nr_full - 1);
	kmem_count_n(&d->objects, (size_t)0 - m->rounds);
	d->idle = KMEM_MIN(d->idle, d->nr_full);
	return m;
}

static void push_empty(struct depot *d, struct magazine *m)
{
	m->rounds = 0;
	push(&d->empty, m);
	kmem_store_relaxed(&d->nr_empty, d->nr_empty + 1);
}

static struct magazine *pop_empty(struct depot *d)
{
	struct magazine *m = pop(&d->empty);

	if (m)
		kmem_store_relaxed(&d->nr_empty, d->nr_empty - 1);
	return m;
}

/* Keep as many empty ones as there are full ones, or as can be filled before the
 * bound is met. */
static bool wants_empty(const struct depot *d, const struct magazine *m)
{
	return d->nr_empty <= d->nr_full ||
	       (d->nr_empty + d->nr_full) * m->capacity < d->max_objects;
}

/* ---- what CPUs ask for ---- */

/* This CPU's, for i 0, and then the others'. */
static struct depot *depot_near(struct magazine_layer *l, unsigned i)
{
	unsigned n = NR_DEPOTS(zones.nr_cpus);

	i += own_list();
	return layer_depot(l, i < n ? i : i - n);
}

/* A full magazine for an empty one, or for NULL. */
static struct magazine *exchange(struct magazine_layer *l, struct depot *d,
				 struct magazine *empty)
{
	uintptr_t irq = lock_irq(&d->lock);
	struct magazine *full = pop_full(d);

	kmem_store_relaxed(&d->used, true);
	if (full && empty && wants_empty(d, empty)) {
		push_empty(d, empty);
		empty = NULL;
	}
	unlock_irq(&d->lock, irq);
	if (full)
		magazine_delete(l, empty);
	return full;
}

struct magazine *depot_get_full(struct magazine_layer *l,
				struct magazine *empty, bool any)
{
	unsigned n = any ? NR_DEPOTS(zones.nr_cpus) : 1;
	struct magazine *full = NULL;

	for (unsigned i = 0; i < n && !full; i++) {
		struct depot *d = depot_near(l, i);

		if (kmem_load_relaxed(&d->nr_full) &&
		    !inject_fails(KMEM_INJECT_DEPOT, NULL, GFP_NOWAIT, 0))
			full = exchange(l, d, empty);
	}
	return full;
}

/* The last round of a magazine makes it an empty one. */
static void take_round(struct depot *d, struct magazine *full, struct round *r)
{
	unsigned left = full->rounds - 1u;

	*r = full->round[left];
	if (left)
		push_full(d, full, left);
	else
		push_empty(d, full);
}

static bool try_take_from(struct depot *d, struct round *r)
{
	struct magazine *full;
	uintptr_t irq;

	if (!kmem_load_relaxed(&d->nr_full) || !lock_try_irq(&d->lock, &irq))
		return false;
	full = pop_full(d);
	if (full)
		take_round(d, full, r);
	unlock_irq(&d->lock, irq);
	return full;
}

bool depot_try_take(struct magazine_layer *l, struct round *r)
{
	for (unsigned i = 0; i < NR_DEPOTS(zones.nr_cpus); i++)
		if (try_take_from(depot_near(l, i), r))
			return true;
	return false;
}

/* What its bound leaves for more objects; without the lock. */
static size_t unused(const struct depot *d)
{
	size_t objects = kmem_load_relaxed(&d->objects);
	size_t most = kmem_load_relaxed(&d->max_objects);

	return most > objects ? most - objects : 0;
}

/* Lower its bound by up to n, and not below what it holds. Return: by how many. */
static size_t take_bound(struct magazine_layer *l, struct depot *d, size_t n)
{
	uintptr_t irq = lock_irq(&d->lock);

	n = KMEM_MIN(n, d->max_objects - d->objects);
	set_bound(l, d, d->max_objects - n);
	unlock_irq(&d->lock, irq);
	return n;
}

/* This CPU's depot is to hold n more objects: what its bound lacks for that is
 * taken from those of other depots, if they leave so much unused. Return: how
 * much. */
static size_t borrow(struct magazine_layer *l, size_t n)
{
	size_t own = unused(depot_near(l, 0)), all = own, got = 0;

	if (KMEM_LIKELY(own >= n))
		return 0;
	for (unsigned i = 1; i < NR_DEPOTS(zones.nr_cpus); i++)
		all += unused(depot_near(l, i));
	if (all < n)
		return 0;
	for (unsigned i = 1; i < NR_DEPOTS(zones.nr_cpus); i++) {
		struct depot *d = depot_near(l, i);

		if (own + got < n && unused(d))
			got += take_bound(l, d, n - own - got);
	}
	return got;
}

bool depot_put_full(struct magazine_layer *l, struct magazine *full,
		    unsigned n, struct magazine **empty)
{
	bool allowed = !inject_fails(KMEM_INJECT_DEPOT, NULL, GFP_NOWAIT, 0);
	struct depot *d = depot_near(l, 0);
	size_t more = allowed ? borrow(l, n) : 0;
	uintptr_t irq = lock_irq(&d->lock);
	bool room;

	if (more)
		set_bound(l, d, d->max_objects + more);
	room = allowed && d->objects + n <= d->max_objects;
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

/* Return: by how many its bound has risen, or would have. */
static size_t regret(struct magazine_layer *l, struct depot *d, size_t n)
{
	uintptr_t irq = lock_irq(&d->lock);

	n = KMEM_MIN(n, d->flushed);
	set_bound(l, d, KMEM_MIN(d->max_objects + n, highest_bound(l, d)));
	kmem_store_relaxed(&d->flushed, d->flushed - n);
	unlock_irq(&d->lock, irq);
	return n;
}

void depot_regret(struct magazine_layer *l, size_t n, bool any)
{
	unsigned depots = any ? NR_DEPOTS(zones.nr_cpus) : 1;

	for (unsigned i = 0; n && i < depots; i++) {
		struct depot *d = depot_near(l, i);

		if (kmem_load_relaxed(&d->flushed))
			n -= regret(l, d, n);
	}
}

size_t depot_objects(struct magazine_layer *l)
{
	size_t n = 0;

	for_each_depot(d, l)
		n += kmem_load_relaxed(&d->objects);
	return n;
}

/* ---- getting memory back ---- */

/* A full magazine, or else an empty one, or NULL. */
static struct magazine *take_any(struct depot *d)
{
	uintptr_t irq = lock_irq(&d->lock);
	struct magazine *m = pop_full(d);

	if (!m)
		m = pop_empty(d);
	unlock_irq(&d->lock, irq);
	return m;
}

static void magazine_give_up(struct magazine_layer *l, struct magazine *m)
{
	if (m->rounds)
		l->give(l, m->round, m->rounds);
	magazine_delete(l, m);
}

static size_t nr_magazines(const struct depot *d)
{
	return kmem_load_relaxed(&d->nr_full) +
	       kmem_load_relaxed(&d->nr_empty);
}

void depot_drain(struct magazine_layer *l)
{
	for_each_depot(d, l) {
		size_t n = nr_magazines(d);
		struct magazine *m;

		/* Not longer: other CPUs may be filling it meanwhile. */
		while (n-- && (m = take_any(d)))
			magazine_give_up(l, m);
	}
}

/* So many idle objects have been taken; but not below the least. The lock is
 * held. */
static void lower_bound(struct magazine_layer *l, struct depot *d, size_t n)
{
	size_t least = KMEM_MAX(kmem_load_relaxed(&l->min_depot), d->objects);

	if (d->max_objects > least)
		set_bound(l, d, KMEM_MAX(d->max_objects - n, least));
}

/* From now on, what is there is idle until it is needed. The lock is held. */
static void look_again(struct depot *d)
{
	d->idle = d->nr_full;
	kmem_store_relaxed(&d->used, false);
}

/* One magazine that nobody has needed, or an empty one too many; NULL: there is
 * none, or that was the last to take. */
static struct magazine *take_idle(struct magazine_layer *l, struct depot *d,
				  size_t most)
{
	uintptr_t irq = lock_irq(&d->lock);
	struct magazine *m = NULL;

	if (d->idle && most) {
		d->idle--;
		m = pop_full(d);
		lower_bound(l, d, m->rounds);
	} else if (d->nr_empty > d->nr_full && most) {
		m = pop_empty(d);
	} else {
		look_again(d);
	}
	unlock_irq(&d->lock, irq);
	return m;
}

/* Return: how many of `most` are left. */
static size_t trim(struct magazine_layer *l, struct depot *d, size_t most)
{
	struct magazine *m;

	if (!nr_magazines(d) && !kmem_load_relaxed(&d->used))
		return most;
	while ((m = take_idle(l, d, most))) {
		magazine_give_up(l, m);
		most--;
	}
	return most;
}

/* Somebody has come to one of them since the last trim. */
static bool depots_used(struct magazine_layer *l)
{
	for_each_depot(d, l)
		if (kmem_load_relaxed(&d->used))
			return true;
	return false;
}

/* If it is more: keep the least, or what is there. */
static void forget_bound(struct magazine_layer *l, struct depot *d)
{
	uintptr_t irq = lock_irq(&d->lock);

	lower_bound(l, d, d->max_objects);
	unlock_irq(&d->lock, irq);
}

/* The others' before this CPU's own, so that one who frees and frees leaves none
 * for ever untrimmed. */
void depot_trim(struct magazine_layer *l, size_t most)
{
	bool dormant = !depots_used(l), all = most == SIZE_MAX;

	if (dormant)
		most = KMEM_MAX(most, TRIM_DORMANT);
	for (unsigned i = 1; i <= NR_DEPOTS(zones.nr_cpus); i++)
		most = trim(l, depot_near(l, i), most);
	if (dormant && all)
		for_each_depot(d, l)
			forget_bound(l, d);
}
