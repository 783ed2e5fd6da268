/* SPDX-License-Identifier: MIT */
/*
 * magazine_check.c - what the per-CPU layer did and holds, and its invariants,
 * M1 to M5, verified.
 */
#include "magazine.h"

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
	uintptr_t irq;

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
	irq = lock_irq(&l->depot.lock);
	st->in_depot = l->depot.objects;
	st->depot_locks = LOCK_READ(&l->depot.lock, taken);
	st->depot_contended = LOCK_READ(&l->depot.lock, contended);
	unlock_irq(&l->depot.lock, irq);
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

void magazine_for_each(struct magazine_layer *l,
		       void (*fn)(const struct round *r, void *arg), void *arg)
{
	for (unsigned i = 0; MAGAZINES && i < zones.nr_cpus; i++) {
		struct magazine_cpu *c = layer_cpu(l, i);

		each_round(c->bottom, rounds(c), fn, arg);
		if (c->previous)
			each_round(c->previous->round, c->previous_rounds, fn,
				   arg);
		if (KMEM_HARDEN && c->quarantine)
			each_quarantined(c->quarantine, fn, arg);
	}
	for (unsigned k = 0; MAGAZINES && k < CPU_LISTS; k++)
		for (struct magazine *m = l->depot.full[k]; m; m = m->next)
			each_round(m->round, m->rounds, fn, arg);
}

static void cpu_check(const struct magazine_cpu *c, unsigned cpu,
		      const char *name, struct check *k)
{
	const struct magazine *m = loaded(c);

	if ((!m && (c->top || c->end)) ||
	    (!c->previous && c->previous_rounds))
		check_violated(k, "M1: %s, CPU %u: rounds without a magazine",
			       name, cpu);
	if ((m && rounds(c) > m->capacity) ||
	    (c->previous && c->previous_rounds > c->previous->capacity))
		check_violated(k, "M2: %s, CPU %u: rounds %u and %u", name,
			       cpu, rounds(c), c->previous_rounds);
	if (c->busy)
		check_violated(k, "M5: %s, CPU %u: busy", name, cpu);
}

static void depot_check(const struct depot *d, const char *name,
			struct check *k)
{
	size_t full = 0, empty = 0, objects = 0;
	bool right = true;

	for (unsigned i = 0; i < CPU_LISTS; i++) {
		for (struct magazine *m = d->full[i]; m; m = m->next) {
			full++;
			objects += m->rounds;
			right = right && m->rounds > 0;
		}
	}
	for (struct magazine *m = d->empty; m; m = m->next) {
		empty++;
		right = right && m->rounds == 0;
	}
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
	if (!MAGAZINES)
		return;
	for (unsigned i = 0; i < zones.nr_cpus; i++)
		cpu_check(layer_cpu(l, i), i, name, c);
	depot_check(&l->depot, name, c);
}
