/* SPDX-License-Identifier: MIT */
/*
 * magazine.c - the per-CPU layer (Bonwick & Adams 2001, "Magazines and Vmem").
 *
 *	CPU 0              CPU 1
 *	┌────────────────┐ ┌────────────────┐
 *	│ loaded  ▓▓▓▓░░ │ │ loaded  ▓░░░░░ │   alloc: pop   free: push
 *	│ previous ▓▓▓▓▓▓│ │ previous ░░░░░░│   then: swap the two
 *	└───────┬────────┘ └───────┬────────┘
 *	        └─────── depot ────┘             then: exchange with the depot
 *	          full ▓▓▓▓▓▓  ▓▓▓▓▓▓
 *	          empty ░░░░░░
 *	                │
 *	          the layer below                then: take or give objects
 *
 * A magazine is an array of free objects. Each CPU has two of each layer. An
 * allocation pops from `loaded`; when that is empty and `previous` is not,
 * the two are swapped; when both are empty, the empty one is exchanged for a
 * full one at the depot; when the depot has none, `loaded` is refilled from
 * the layer below. A free is the mirror image, and when the depot is at its
 * bound, a magazine is flushed to the layer below. Because there are two, a
 * CPU has to go to the depot only after a magazine-full of operations in one
 * direction, however allocations and frees alternate. Objects freed on
 * another CPU travel in full magazines: there is no special path for them.
 *
 * The layer below is a set of slabs (cache.c) or a zone (page_alloc.c); what
 * the objects are is its business.
 *
 * Who may touch what:
 *
 *   magazine_cpu	its own CPU, in the order thread < interrupt. Fast path:
 *			preemption off, `busy` set. Slow path: interrupts
 *			masked too. An interrupt that finds `busy` set has
 *			landed in a fast path below it: it leaves the slots
 *			alone and moves its one object directly between its
 *			caller and the layer below ("direct"). Nobody waits.
 *   depot		under its lock.
 *
 * How much may sit here. A CPU's `limit` starts at START_LIMIT and doubles
 * with every RAISE_TRIPS trips beyond its own magazines, up to max_limit,
 * which also bounds the bytes in a magazine: caches that are seldom used pin
 * little and have short magazines, busy ones soon have long ones. The depot
 * follows the working set, in both directions:
 *
 *	up	when a refill asks the layer below for objects that were
 *		flushed there before, the bound was too low: it is raised by
 *		what was flushed, at most doubled, up to max_depot
 *	down	`idle` is the least number of full magazines that were in the
 *		depot since the last trim: so many were not needed. A trim
 *		returns one of them and lowers the bound by as much
 *
 * and it also empties the magazines of the CPU it runs on, if that CPU has
 * not used them since it last trimmed this layer. Trims are driven by growth:
 * each new slab of any cache trims a few caches (cache.c), so that what one
 * cache no longer needs another can have.
 *
 * Invariants:
 *
 *  M1	without a loaded magazine, bottom, top and end are NULL; without a
 *	previous one, previous_rounds is 0
 *  M2	bottom <= top <= bottom + capacity; previous_rounds <= capacity
 *  M3	depot: nr_full and nr_empty are the lengths of the lists; every full
 *	magazine has at least one round, every empty one none
 *  M4	depot.objects == sum of rounds over the full magazines <= max_objects
 *  M5	outside of a fast or slow path, busy == 0
 *
 * Magazines themselves come from slabs of their own that have no per-CPU
 * layer and take pages straight from the zones: the page allocator has
 * magazines too, and must not need itself. They leave the zones' reserves
 * alone: without a magazine, objects go directly.
 */
#include "bits.h"
#include "magazine.h"

#define START_LIMIT	4
#define RAISE_TRIPS	4

/* [0]: short ones, [1]: long ones */
static struct kmem_slabs magazine_slabs[2];
static struct slab_node magazine_node[2];

static size_t magazine_size(unsigned capacity)
{
	return sizeof(struct magazine) + capacity * sizeof(struct round);
}

void magazines_init(void)
{
	slabs_init(&magazine_slabs[0], "magazines-short",
		   magazine_size(MAGAZINE_SHORT), &magazine_node[0], 1);
	slabs_init(&magazine_slabs[1], "magazines-long",
		   magazine_size(MAGAZINE_LONG), &magazine_node[1], 1);
	magazine_slabs[0].get_pages = slabs_spare_pages;
	magazine_slabs[1].get_pages = slabs_spare_pages;
}

size_t magazines_bytes(void)
{
	return slabs_bytes(&magazine_slabs[0]) +
	       slabs_bytes(&magazine_slabs[1]);
}

void magazines_check(struct check *c)
{
	slabs_check(&magazine_slabs[0], c);
	slabs_check(&magazine_slabs[1], c);
}

static struct kmem_slabs *slabs_for(unsigned capacity)
{
	return &magazine_slabs[capacity > MAGAZINE_SHORT];
}

/* One for `limit` rounds. */
static struct magazine *magazine_new(struct magazine_layer *l, unsigned limit)
{
	struct magazine *m = slabs_alloc(slabs_for(limit),
					 GFP_NOWAIT | __GFP_NOWARN);

	if (!m)
		return NULL;
	m->capacity = limit > MAGAZINE_SHORT ? MAGAZINE_LONG : MAGAZINE_SHORT;
	m->rounds = 0;
	kmem_add_relaxed(&l->magazines, 1);
	kmem_add_relaxed(&l->magazine_bytes, magazine_size(m->capacity));
	return m;
}

static void magazine_delete(struct magazine_layer *l, struct magazine *m)
{
	if (!m)
		return;
	kmem_add_relaxed(&l->magazines, (size_t)-1);
	kmem_add_relaxed(&l->magazine_bytes, 0 - magazine_size(m->capacity));
	slabs_free(slabs_for(m->capacity), m);
}

void magazine_layer_init(struct magazine_layer *l, size_t object_bytes,
			 size_t magazine_bytes, size_t depot_bytes)
{
	size_t limit = magazine_bytes / object_bytes;

	memset(layer_cpu(l, 0), 0, LAYER_BYTES(zones.nr_cpus));
	l->max_limit = (uint8_t)KMEM_MIN(limit,
					 (size_t)KMEM_MAGAZINE_ROUNDS);
	l->epoch = 0;
	l->magazines = 0;
	l->magazine_bytes = 0;
	memset(&l->depot, 0, sizeof(l->depot));
	l->min_depot = l->max_limit;
	l->max_depot = KMEM_MAX(depot_bytes / object_bytes * zones.nr_cpus,
				l->min_depot);
	l->depot.max_objects = l->min_depot;
}

/* ---- one CPU's magazines; interrupts are masked and busy is set ---- */

/* Load m, which has n rounds; NULL: unload. */
static void load(struct magazine_cpu *c, struct magazine *m, unsigned n)
{
	struct round *bottom = m ? m->round : NULL;
	unsigned room = m ? KMEM_MIN(c->limit, m->capacity) : 0;

	kmem_store_relaxed(&c->bottom, bottom);
	kmem_store_relaxed(&c->top, m ? bottom + n : NULL);
	c->end = m ? bottom + room : NULL;
}

static void set_rounds(struct magazine_cpu *c, size_t n)
{
	KMEM_ASSERT(loaded(c) ? n <= loaded(c)->capacity : n == 0);
	kmem_store_relaxed(&c->top, c->bottom + n);
}

static void set_previous(struct magazine_cpu *c, struct magazine *m,
			 unsigned n)
{
	c->previous = m;
	kmem_store_relaxed(&c->previous_rounds, (uint8_t)n);
}

static void swap_magazines(struct magazine_cpu *c)
{
	struct magazine *m = loaded(c);
	unsigned n = rounds(c);

	load(c, c->previous, c->previous_rounds);
	set_previous(c, m, n);
}

static bool is_full(const struct magazine_cpu *c, const struct magazine *m,
		    unsigned n)
{
	return n >= KMEM_MIN(c->limit, m->capacity);
}

/* A magazine is loaded, or could be made. */
static bool magazine_ready(struct magazine_layer *l, struct magazine_cpu *c)
{
	if (KMEM_LIKELY(c->bottom != NULL))
		return true;
	if (!l->max_limit)
		return false;
	if (!c->limit)
		c->limit = (uint8_t)KMEM_MIN(START_LIMIT, l->max_limit);
	load(c, magazine_new(l, c->limit), 0);
	return c->bottom;
}

/* An empty magazine that has become too short for the limit gives way to a
 * longer one, if there is one to be had. */
static struct magazine *long_enough(struct magazine_layer *l,
				    struct magazine_cpu *c,
				    struct magazine *empty)
{
	struct magazine *m;

	if (KMEM_LIKELY(empty->capacity >= c->limit))
		return empty;
	m = magazine_new(l, c->limit);
	if (!m)
		return empty;
	magazine_delete(l, empty);
	return m;
}

/* A CPU that often has to look beyond its magazines gets longer ones. */
static void count_trip(struct magazine_layer *l, struct magazine_cpu *c)
{
	if (c->limit == l->max_limit || ++c->trips < RAISE_TRIPS)
		return;
	c->trips = 0;
	c->limit = (uint8_t)KMEM_MIN(c->limit * 2, l->max_limit);
	load(c, loaded(c), rounds(c));
}

static void give_below(struct magazine_layer *l, struct magazine_cpu *c,
		       const struct round *r, size_t n)
{
	if (!n)
		return;
	kmem_count(&c->trips_below[DIR_FREE]);
	kmem_count_n(&c->moved[DIR_FREE], n);
	l->give(l, r, n);
}

static void empty_both(struct magazine_layer *l, struct magazine_cpu *c)
{
	give_below(l, c, c->bottom, rounds(c));
	set_rounds(c, 0);
	if (c->previous)
		give_below(l, c, c->previous->round, c->previous_rounds);
	set_previous(c, c->previous, 0);
}

/* Somebody wanted the memory back since we were here last. */
static void drain_if_asked(struct magazine_layer *l, struct magazine_cpu *c)
{
	uint32_t epoch = kmem_load_relaxed(&l->epoch);

	if (KMEM_LIKELY(c->epoch == epoch))
		return;
	c->epoch = epoch;
	empty_both(l, c);
}

/* ---- the depot ---- */

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

static uintptr_t depot_lock(struct magazine_layer *l)
{
	return lock_irq(&l->depot.lock);
}

static void depot_push_full(struct depot *d, struct magazine *m, size_t n)
{
	KMEM_ASSERT(n > 0 && n <= m->capacity);
	m->rounds = (uint16_t)n;
	push(&d->full, m);
	kmem_store_relaxed(&d->nr_full, d->nr_full + 1);
	d->objects += n;
}

static struct magazine *depot_pop_full(struct depot *d)
{
	struct magazine *m = pop(&d->full);

	if (!m)
		return NULL;
	kmem_store_relaxed(&d->nr_full, d->nr_full - 1);
	d->objects -= m->rounds;
	d->idle = KMEM_MIN(d->idle, d->nr_full);
	return m;
}

/* Keep an empty magazine, as many as there are full ones. Return: what is not
 * kept. */
static struct magazine *depot_push_empty(struct depot *d, struct magazine *m)
{
	if (!m || d->nr_empty > d->nr_full)
		return m;
	m->rounds = 0;
	push(&d->empty, m);
	kmem_store_relaxed(&d->nr_empty, d->nr_empty + 1);
	return NULL;
}

static struct magazine *depot_pop_empty(struct depot *d)
{
	struct magazine *m = pop(&d->empty);

	if (m)
		kmem_store_relaxed(&d->nr_empty, d->nr_empty - 1);
	return m;
}

/* Both magazines are empty: exchange one for a full one. */
static bool depot_get_full(struct magazine_layer *l, struct magazine_cpu *c)
{
	struct magazine *full, *spare = NULL;
	uintptr_t irq;

	if (!kmem_load_relaxed(&l->depot.nr_full))
		return false;
	irq = depot_lock(l);
	full = depot_pop_full(&l->depot);
	if (full)
		spare = depot_push_empty(&l->depot, c->previous);
	unlock_irq(&l->depot.lock, irq);
	if (!full)
		return false;
	magazine_delete(l, spare);
	set_previous(c, loaded(c), 0);
	load(c, full, full->rounds);
	kmem_count(&c->exchanged[DIR_ALLOC]);
	return true;
}

/*
 * Both magazines are full: exchange one for an empty one. Or, with the depot
 * at its bound, flush it. If there is no empty one to be had, previous is
 * NULL afterwards.
 */
static void depot_put_full(struct magazine_layer *l, struct magazine_cpu *c)
{
	size_t n = c->previous_rounds;
	uintptr_t irq = depot_lock(l);
	bool room = l->depot.objects + n <= l->depot.max_objects;
	struct magazine *empty = NULL;

	if (room) {
		depot_push_full(&l->depot, c->previous, n);
		empty = depot_pop_empty(&l->depot);
	} else {
		kmem_store_relaxed(&l->depot.flushed,
				   l->depot.flushed + n);
	}
	unlock_irq(&l->depot.lock, irq);
	if (room) {
		kmem_count(&c->exchanged[DIR_FREE]);
		set_previous(c, empty ? empty : magazine_new(l, c->limit), 0);
	} else {
		give_below(l, c, c->previous->round, n);
		set_previous(c, c->previous, 0);
	}
}

/* Objects are wanted from below. If some were flushed there, the depot was too
 * small for what its users do. */
static void depot_regret(struct magazine_layer *l)
{
	struct depot *d = &l->depot;
	uintptr_t irq;
	size_t more;

	if (!kmem_load_relaxed(&d->flushed))
		return;
	irq = depot_lock(l);
	more = KMEM_MIN(d->flushed, d->max_objects);
	d->max_objects = KMEM_MIN(d->max_objects + more, l->max_depot);
	kmem_store_relaxed(&d->flushed, 0);
	unlock_irq(&d->lock, irq);
}

/* ---- the slow paths ---- */

static bool refill(struct magazine_layer *l, struct magazine_cpu *c)
{
	struct magazine *m = long_enough(l, c, loaded(c));
	size_t n = (KMEM_MIN(c->limit, m->capacity) + 1u) / 2;

	depot_regret(l);
	load(c, m, 0);
	n = l->take(l, m->round, n);
	set_rounds(c, n);
	kmem_count(&c->trips_below[DIR_ALLOC]);
	kmem_count_n(&c->moved[DIR_ALLOC], n);
	return n;
}

/* Have at least one round in the loaded magazine. */
static bool reload(struct magazine_layer *l, struct magazine_cpu *c)
{
	if (rounds(c))
		return true;
	if (c->previous_rounds) {
		swap_magazines(c);
		kmem_count(&c->swaps[DIR_ALLOC]);
		return true;
	}
	count_trip(l, c);
	return depot_get_full(l, c) || refill(l, c);
}

/* Load `previous`, which is empty, in place of the full one. */
static void load_empty(struct magazine_layer *l, struct magazine_cpu *c)
{
	c->previous = long_enough(l, c, c->previous);
	swap_magazines(c);
}

/* Have room for at least one round in the loaded magazine. */
static void make_room(struct magazine_layer *l, struct magazine_cpu *c)
{
	if (c->top < c->end)
		return;
	if (!c->previous)
		set_previous(c, magazine_new(l, c->limit), 0);
	if (c->previous && !is_full(c, c->previous, c->previous_rounds)) {
		kmem_count(&c->swaps[DIR_FREE]);
		if (c->previous_rounds)
			swap_magazines(c);
		else
			load_empty(l, c);
		return;
	}
	count_trip(l, c);
	if (c->top < c->end)
		return;
	if (c->previous)
		depot_put_full(l, c);
	if (c->previous)
		load_empty(l, c);
	else				/* no empty magazine to be had */
		empty_both(l, c);
}

struct round magazine_alloc_slow(struct magazine_layer *l)
{
	uintptr_t irq = kmem_arch_irq_save();
	struct magazine_cpu *c = layer_cpu(l, kmem_arch_cpu());
	struct round r = { NULL, NULL };

	if (kmem_load_relaxed(&c->busy) || !magazine_ready(l, c)) {
		if (l->take(l, &r, 1))
			kmem_count(&c->directs[DIR_ALLOC]);
	} else {
		kmem_store_relaxed(&c->busy, 1);
		drain_if_asked(l, c);
		if (reload(l, c)) {
			set_rounds(c, rounds(c) - 1);
			r = *c->top;
			kmem_count(&c->served[DIR_ALLOC]);
		}
		kmem_store_relaxed(&c->busy, 0);
	}
	kmem_arch_irq_restore(irq);
	return r;
}

void magazine_free_slow(struct magazine_layer *l, void *obj,
			kmem_slot_t *slot)
{
	uintptr_t irq = kmem_arch_irq_save();
	struct magazine_cpu *c = layer_cpu(l, kmem_arch_cpu());
	struct round r = { obj, slot };

	if (kmem_load_relaxed(&c->busy) || !magazine_ready(l, c)) {
		kmem_count(&c->directs[DIR_FREE]);
		l->give(l, &r, 1);
	} else {
		kmem_store_relaxed(&c->busy, 1);
		drain_if_asked(l, c);
		make_room(l, c);
		*c->top = r;
		set_rounds(c, rounds(c) + 1);
		kmem_count(&c->served[DIR_FREE]);
		kmem_store_relaxed(&c->busy, 0);
	}
	kmem_arch_irq_restore(irq);
}

/* ---- draining ---- */

void magazine_drain_cpu(struct magazine_layer *l)
{
	uintptr_t irq = kmem_arch_irq_save();
	struct magazine_cpu *c = layer_cpu(l, kmem_arch_cpu());

	/* If busy, we are an interrupt in a fast path: it will see epoch. */
	if (!kmem_load_relaxed(&c->busy)) {
		kmem_store_relaxed(&c->busy, 1);
		c->epoch = kmem_load_relaxed(&l->epoch);
		empty_both(l, c);
		kmem_store_relaxed(&c->busy, 0);
	}
	kmem_arch_irq_restore(irq);
}

/* A full magazine, or else an empty one, or NULL. */
static struct magazine *depot_take_any(struct magazine_layer *l)
{
	uintptr_t irq = depot_lock(l);
	struct magazine *m = depot_pop_full(&l->depot);

	if (!m)
		m = depot_pop_empty(&l->depot);
	unlock_irq(&l->depot.lock, irq);
	return m;
}

static void magazine_give_up(struct magazine_layer *l, struct magazine *m)
{
	if (m->rounds)
		l->give(l, m->round, m->rounds);
	magazine_delete(l, m);
}

void magazine_drain_depot(struct magazine_layer *l)
{
	size_t n = kmem_load_relaxed(&l->depot.nr_full) +
		   kmem_load_relaxed(&l->depot.nr_empty);
	struct magazine *m;

	/* Not longer than that: other CPUs may be filling it meanwhile. */
	while (n-- && (m = depot_take_any(l)))
		magazine_give_up(l, m);
}

static void trim_cpu(struct magazine_layer *l)
{
	uintptr_t irq = kmem_arch_irq_save();
	struct magazine_cpu *c = layer_cpu(l, kmem_arch_cpu());
	size_t served = c->served[0] + c->served[1];

	if (!kmem_load_relaxed(&c->busy)) {
		kmem_store_relaxed(&c->busy, 1);
		if (served == c->seen)
			empty_both(l, c);
		c->seen = served;
		kmem_store_relaxed(&c->busy, 0);
	}
	kmem_arch_irq_restore(irq);
}

static void trim_depot(struct magazine_layer *l)
{
	struct depot *d = &l->depot;
	struct magazine *m = NULL;
	uintptr_t irq;

	if (!kmem_load_relaxed(&d->nr_full))
		return;
	irq = depot_lock(l);
	if (d->idle) {
		m = depot_pop_full(d);
		d->max_objects = KMEM_MAX(d->max_objects - m->rounds,
					  KMEM_MAX(l->min_depot, d->objects));
	}
	d->idle = d->nr_full;
	unlock_irq(&d->lock, irq);
	if (m)
		magazine_give_up(l, m);
}

void magazine_trim(struct magazine_layer *l)
{
	trim_cpu(l);
	trim_depot(l);
}

void magazine_drain(struct magazine_layer *l)
{
	kmem_add_relaxed(&l->epoch, 1);
	magazine_drain_cpu(l);
	magazine_drain_depot(l);
}

void magazine_layer_fini(struct magazine_layer *l)
{
	for (unsigned i = 0; i < zones.nr_cpus; i++) {
		struct magazine_cpu *c = layer_cpu(l, i);

		empty_both(l, c);
		magazine_delete(l, loaded(c));
		magazine_delete(l, c->previous);
		load(c, NULL, 0);
		set_previous(c, NULL, 0);
		c->limit = 0;
	}
	magazine_drain_depot(l);
}

void run_on_all_cpus(void (*fn)(void *arg), void *arg)
{
	unsigned here = kmem_arch_enter();

	for (unsigned cpu = 0; kmem_hooks.run_on_cpu && cpu < zones.nr_cpus;
	     cpu++)
		if (cpu != here)
			kmem_hooks.run_on_cpu(kmem_hooks.ctx, cpu, fn, arg);
	fn(arg);
	kmem_arch_exit();
}
