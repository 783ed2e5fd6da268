/* SPDX-License-Identifier: MIT */
/*
 * magazine_check.c - what the per-CPU layer did and holds, and its invariants,
 * M1 to M5, verified.
 */
#include "depot.h"

/* Of a CPU that may be changing magazines meanwhile: then, 0. */
static size_t near_rounds(const struct magazine_cpu *c)
{
	uintptr_t top = (uintptr_t)kmem_load_relaxed(&c->top);
	uintptr_t bottom = (uintptr_t)kmem_load_relaxed(&c->bottom);
	size_t n = (top - bottom) / sizeof(struct round);

	return n <= KMEM_MAGAZINE_ROUNDS ? n : 0;
}

/* A CPU has its quarantine from its first slow path on, until it unloads. */
static size_t quarantined(const struct magazine_cpu *c)
{
	const struct quarantine *q = kmem_load_relaxed(&c->quarantine);

	return q ? kmem_load_relaxed(&q->held) : 0;
}

size_t frees_of(const struct magazine_cpu *c)
{
	size_t held = near_rounds(c) + kmem_load_relaxed(&c->previous_rounds) +
		      (KMEM_HARDEN ? quarantined(c) : 0);

	return kmem_load_relaxed(&c->served) + held +
	       kmem_load_relaxed(&c->moved[DIR_FREE]) -
	       kmem_load_relaxed(&c->moved[DIR_ALLOC]) -
	       kmem_load_relaxed(&c->exchanged_rounds);
}

void magazine_layer_stats(struct magazine_layer *l,
			  struct kmem_layer_stats *st)
{
	memset(st, 0, sizeof(*st));
	if (!MAGAZINES)
		return;
	for (unsigned i = 0; i < zones.nr_cpus; i++) {
		struct magazine_cpu *c = layer_cpu(l, i);
		size_t direct_allocs = kmem_load_relaxed(&c->directs[0]);
		size_t direct_frees = kmem_load_relaxed(&c->directs[1]);

		st->allocs += kmem_load_relaxed(&c->served) + direct_allocs;
		st->frees += frees_of(c) + direct_frees;
		st->directs += direct_allocs + direct_frees;
		st->alloc_swaps += kmem_load_relaxed(&c->swaps[0]);
		st->free_swaps += kmem_load_relaxed(&c->swaps[1]);
		st->depot_allocs += kmem_load_relaxed(&c->exchanged[0]);
		st->depot_frees += kmem_load_relaxed(&c->exchanged[1]);
		st->refills += kmem_load_relaxed(&c->trips_below[0]);
		st->flushes += kmem_load_relaxed(&c->trips_below[1]);
		st->refilled += kmem_load_relaxed(&c->moved[0]);
		st->flushed += kmem_load_relaxed(&c->moved[1]);
		st->in_cpus += near_rounds(c) +
			       kmem_load_relaxed(&c->previous_rounds);
		if (KMEM_HARDEN)
			st->in_quarantine += quarantined(c);
	}
	st->in_cpus += st->in_quarantine;
	st->magazines = kmem_load_relaxed(&l->magazines);
	st->magazine_bytes = kmem_load_relaxed(&l->magazine_bytes);
	for_each_depot(d, l) {
		st->in_depot += kmem_load_relaxed(&d->objects);
		st->depot_locks += LOCK_READ(&d->lock, taken);
		st->depot_contended += LOCK_READ(&d->lock, contended);
	}
}

/* ---- what can be believed: a checker goes nowhere else ---- */

/* That is one of the places of m, or behind its last. */
static bool is_place(const struct magazine *m, const struct round *at)
{
	uintptr_t bytes = (uintptr_t)at - (uintptr_t)m->round;

	return bytes <= m->capacity * sizeof(struct round) &&
	       !(bytes % sizeof(struct round));
}

/* loaded(), of a `bottom` that may be anything but NULL. */
static const struct magazine *maybe_loaded(const struct magazine_cpu *c)
{
	return (const struct magazine *)((uintptr_t)c->bottom -
					 offsetof(struct magazine, round));
}

/* M1: what a CPU says it has are magazines; or it has none, nor rounds. */
static bool has_magazines(const struct magazine_cpu *c)
{
	return (c->bottom ? magazine_exists(maybe_loaded(c)) :
			    !c->top && !c->end) &&
	       (c->previous ? magazine_exists(c->previous) :
			      !c->previous_rounds);
}

/* M2, if M1 holds. */
static bool has_places(const struct magazine_cpu *c)
{
	const struct magazine *m = loaded(c);

	return (!m || (is_place(m, c->top) && (!c->end || is_place(m, c->end)))) &&
	       (!c->previous || c->previous_rounds <= c->previous->capacity);
}

/* Of a list of the depot's: m, unless the list ends there, or goes astray, or has
 * more than there are, as in a circle. */
static const struct magazine *listed(const struct magazine *m, size_t *left)
{
	if (!m || !*left || !magazine_exists(m))
		return NULL;
	--*left;
	return m;
}

static void each_round(const struct round *r, size_t n,
		       void (*fn)(const struct round *r, void *arg),
		       void *arg)
{
	for (size_t i = 0; i < n; i++)
		fn(&r[i], arg);
}

static void each_quarantined(const struct quarantine *q,
			     void (*fn)(const struct round *r, void *arg),
			     void *arg)
{
	for (unsigned i = 0; i < QUARANTINE_PLACES; i++) {
		struct round r = { q->obj[i], q->slot[i] };

		if (r.obj)
			fn(&r, arg);
	}
}

static void each_of_cpu(const struct magazine_cpu *c,
			void (*fn)(const struct round *r, void *arg),
			void *arg)
{
	if (has_magazines(c) && has_places(c)) {
		each_round(c->bottom, rounds(c), fn, arg);
		if (c->previous)
			each_round(c->previous->round, c->previous_rounds, fn,
				   arg);
	}
	if (KMEM_HARDEN && c->quarantine)
		each_quarantined(c->quarantine, fn, arg);
}

void magazine_for_each(struct magazine_layer *l,
		       void (*fn)(const struct round *r, void *arg), void *arg)
{
	size_t left = l->magazines;

	for (unsigned i = 0; MAGAZINES && i < zones.nr_cpus; i++)
		each_of_cpu(layer_cpu(l, i), fn, arg);
	for (unsigned i = 0; MAGAZINES && i < NR_DEPOTS(zones.nr_cpus); i++) {
		const struct magazine *m = layer_depot(l, i)->full;

		for (; (m = listed(m, &left)); m = m->next)
			each_round(m->round, KMEM_MIN(m->rounds, m->capacity),
				   fn, arg);
	}
}

static void cpu_check(const struct magazine_cpu *c, unsigned cpu,
		      const char *name, struct check *k)
{
	if (!has_magazines(c))
		check_violated(k, "M1: %s, CPU %u: rounds without a magazine, "
			       "or no magazine around %p or at %p", name, cpu,
			       (void *)c->bottom, (void *)c->previous);
	else if (!has_places(c))
		check_violated(k, "M2: %s, CPU %u: rounds %u and %u", name,
			       cpu, rounds(c), c->previous_rounds);
	if (c->busy)
		check_violated(k, "M5: %s, CPU %u: busy", name, cpu);
}

/* Of one list: *nr and *objects grow by what it has. False: it leads astray, or
 * to a magazine that is not as full as it must be. */
static bool depot_list_check(const struct magazine *list, bool full,
			     size_t *left, size_t *nr, size_t *objects)
{
	const struct magazine *m;
	bool right = true;

	for (; (m = listed(list, left)); list = m->next) {
		++*nr;
		*objects += m->rounds;
		if ((m->rounds > 0) != full || m->rounds > m->capacity)
			right = false;
	}
	return right && !list;
}

static void depot_check(const struct depot *d, size_t *left, const char *name,
			struct check *k)
{
	size_t full = 0, empty = 0, objects = 0;
	bool right = depot_list_check(d->empty, false, left, &empty,
				      &objects) &&
		     depot_list_check(d->full, true, left, &full, &objects);

	if (full != d->nr_full || empty != d->nr_empty || !right)
		check_violated(k, "M3: %s: depot has %zu full, %zu empty; "
			       "counts say %zu, %zu", name, full, empty,
			       d->nr_full, d->nr_empty);
	if (objects != d->objects || objects > d->max_objects)
		check_violated(k, "M4: %s: depot has %zu objects; count says "
			       "%zu, bound %zu", name, objects, d->objects,
			       d->max_objects);
}

void magazine_layer_check(struct magazine_layer *l, const char *name,
			  struct check *c)
{
	size_t left = l->magazines;

	if (!MAGAZINES)
		return;
	for (unsigned i = 0; i < zones.nr_cpus; i++)
		cpu_check(layer_cpu(l, i), i, name, c);
	for_each_depot(d, l) {
		depot_check(d, &left, name, c);
		c->depot_bytes += d->max_objects * l->object_bytes;
	}
}
