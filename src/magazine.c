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
 * little, busy ones soon have long magazines. The depot holds max_objects at
 * most; each time its lock is found taken the bound grows by a magazine, up
 * to max_depot: what CPUs don't fight over need not be kept.
 *
 * Invariants:
 *
 *  M1	loaded == NULL implies rounds == 0 and limit == 0; the same for
 *	previous and previous_rounds
 *  M2	rounds, previous_rounds <= KMEM_MAGAZINE_ROUNDS
 *  M3	depot: nr_full and nr_empty are the lengths of the lists; every full
 *	magazine has at least one round, every empty one none
 *  M4	depot.objects == sum of rounds over the full magazines <= max_objects
 *  M5	outside of a fast or slow path, busy == 0
 *
 * Magazines themselves come from slabs of their own that have no per-CPU
 * layer and take pages straight from the zones: the page allocator has
 * magazines too, and must not need itself.
 */
#include "bits.h"
#include "magazine.h"

#define START_LIMIT	4
#define RAISE_TRIPS	4

static struct kmem_slabs magazine_slabs;
static struct slab_node magazine_node;

void magazines_init(void)
{
	slabs_init(&magazine_slabs, "magazines", sizeof(struct magazine),
		   &magazine_node, 1);
}

size_t magazines_bytes(void)
{
	return slabs_bytes(&magazine_slabs);
}

void magazines_check(struct check *c)
{
	slabs_check(&magazine_slabs, c);
}

static struct magazine *magazine_new(void)
{
	return slabs_alloc(&magazine_slabs, GFP_NOWAIT);
}

static void magazine_delete(struct magazine *m)
{
	void *obj = m;

	if (m)
		slabs_give(&magazine_slabs, &obj, 1);
}

void magazine_layer_init(struct magazine_layer *l, size_t object_bytes,
			 size_t magazine_bytes, size_t depot_bytes)
{
	size_t limit = KMEM_MAX(magazine_bytes / object_bytes, 2u);

	memset(layer_cpu(l, 0), 0, LAYER_BYTES(zones.nr_cpus));
	l->max_limit = (uint8_t)KMEM_MIN(limit,
					 (size_t)KMEM_MAGAZINE_ROUNDS);
	l->epoch = 0;
	memset(&l->depot, 0, sizeof(l->depot));
	l->depot.max_objects = KMEM_MAX(depot_bytes / object_bytes,
					(size_t)l->max_limit);
	l->max_depot = l->depot.max_objects * zones.nr_cpus;
}

/* ---- one CPU's magazines; interrupts are masked and busy is set ---- */

static void set_rounds(struct magazine_cpu *c, size_t rounds)
{
	kmem_store_relaxed(&c->rounds, (uint32_t)rounds);
}

static void set_previous_rounds(struct magazine_cpu *c, size_t rounds)
{
	kmem_store_relaxed(&c->previous_rounds, (uint32_t)rounds);
}

/* Readers of statistics look at it to know whether there are magazines. */
static void set_limit(struct magazine_layer *l, struct magazine_cpu *c,
		      unsigned limit)
{
	kmem_store_relaxed(&c->limit, (uint8_t)KMEM_MIN(limit, l->max_limit));
}

static void swap_magazines(struct magazine_cpu *c)
{
	struct magazine *m = c->loaded;
	uint32_t rounds = c->rounds;

	c->loaded = c->previous;
	set_rounds(c, c->previous_rounds);
	c->previous = m;
	set_previous_rounds(c, rounds);
}

/* Two magazines are there, or could be made. */
static bool magazines_ready(struct magazine_layer *l, struct magazine_cpu *c)
{
	if (KMEM_LIKELY(c->loaded && c->previous))
		return true;
	if (!l->max_limit)
		return false;
	if (!c->loaded)
		c->loaded = magazine_new();
	if (!c->previous && c->loaded)
		c->previous = magazine_new();
	if (c->loaded && !c->limit)
		set_limit(l, c, START_LIMIT);
	return c->previous;
}

/* A CPU that often has to look beyond its magazines gets longer ones. */
static void count_trip(struct magazine_layer *l, struct magazine_cpu *c)
{
	if (c->limit == l->max_limit || ++c->trips < RAISE_TRIPS)
		return;
	c->trips = 0;
	set_limit(l, c, c->limit * 2u);
}

static void give_below(struct magazine_layer *l, struct magazine_cpu *c,
		       void **objs, size_t n)
{
	if (!n)
		return;
	kmem_count(&c->trips_below[DIR_FREE]);
	kmem_count_n(&c->moved[DIR_FREE], n);
	l->give(l, objs, n);
}

static void empty_both(struct magazine_layer *l, struct magazine_cpu *c)
{
	if (c->rounds)
		give_below(l, c, c->loaded->round, c->rounds);
	set_rounds(c, 0);
	if (c->previous_rounds)
		give_below(l, c, c->previous->round, c->previous_rounds);
	set_previous_rounds(c, 0);
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
	size_t contended = kmem_load_relaxed(&l->depot.lock.contended);
	uintptr_t irq = lock_irq(&l->depot.lock);

	if (KMEM_UNLIKELY(l->depot.lock.contended != contended))
		l->depot.max_objects = KMEM_MIN(l->depot.max_objects +
						l->max_limit, l->max_depot);
	return irq;
}

/* Both magazines are empty: exchange one for a full one. */
static bool depot_get_full(struct magazine_layer *l, struct magazine_cpu *c)
{
	struct magazine *full, *spare = NULL;
	uintptr_t irq;

	if (!kmem_load_relaxed(&l->depot.nr_full))
		return false;
	irq = depot_lock(l);
	full = pop(&l->depot.full);
	if (full) {
		kmem_store_relaxed(&l->depot.nr_full, l->depot.nr_full - 1);
		l->depot.objects -= full->rounds;
		spare = c->previous;
		spare->rounds = 0;
		if (l->depot.nr_empty <= l->depot.nr_full) {
			push(&l->depot.empty, spare);
			l->depot.nr_empty++;
			spare = NULL;
		}
	}
	unlock_irq(&l->depot.lock, irq);
	if (!full)
		return false;
	magazine_delete(spare);
	c->previous = c->loaded;
	set_previous_rounds(c, 0);
	c->loaded = full;
	set_rounds(c, full->rounds);
	kmem_count(&c->exchanged[DIR_ALLOC]);
	return true;
}

/* Both magazines are full: exchange one for an empty one. */
static bool depot_put_full(struct magazine_layer *l, struct magazine_cpu *c)
{
	uintptr_t irq = depot_lock(l);
	bool room = l->depot.objects + c->previous_rounds <=
		    l->depot.max_objects;
	struct magazine *empty = NULL;

	if (room) {
		c->previous->rounds = c->previous_rounds;
		push(&l->depot.full, c->previous);
		kmem_store_relaxed(&l->depot.nr_full, l->depot.nr_full + 1);
		l->depot.objects += c->previous_rounds;
		empty = pop(&l->depot.empty);
		l->depot.nr_empty -= empty != NULL;
	}
	unlock_irq(&l->depot.lock, irq);
	if (!room)
		return false;
	kmem_count(&c->exchanged[DIR_FREE]);
	c->previous = empty ? empty : magazine_new();
	set_previous_rounds(c, 0);
	return c->previous;
}

/* ---- the slow paths ---- */

static bool refill(struct magazine_layer *l, struct magazine_cpu *c)
{
	size_t n = l->take(l, c->loaded->round, (c->limit + 1u) / 2);

	set_rounds(c, n);
	kmem_count(&c->trips_below[DIR_ALLOC]);
	kmem_count_n(&c->moved[DIR_ALLOC], n);
	return n;
}

/* Have at least one round in `loaded`. */
static bool reload(struct magazine_layer *l, struct magazine_cpu *c)
{
	if (c->rounds)
		return true;
	if (c->previous_rounds) {
		swap_magazines(c);
		kmem_count(&c->swaps[DIR_ALLOC]);
		return true;
	}
	count_trip(l, c);
	return depot_get_full(l, c) || refill(l, c);
}

/* Have room for at least one round in `loaded`. */
static void make_room(struct magazine_layer *l, struct magazine_cpu *c)
{
	if (c->rounds < c->limit)
		return;
	if (c->previous_rounds < c->limit) {
		swap_magazines(c);
		kmem_count(&c->swaps[DIR_FREE]);
		return;
	}
	count_trip(l, c);
	if (c->rounds < c->limit)
		return;
	if (depot_put_full(l, c)) {
		swap_magazines(c);
		return;
	}
	if (!c->previous) {		/* no empty magazine to be had */
		empty_both(l, c);
		return;
	}
	give_below(l, c, c->previous->round, c->previous_rounds);
	set_previous_rounds(c, 0);
	swap_magazines(c);
}

void *magazine_alloc_slow(struct magazine_layer *l)
{
	uintptr_t irq = kmem_arch_irq_save();
	struct magazine_cpu *c = layer_cpu(l, kmem_arch_cpu());
	void *obj = NULL;

	if (kmem_load_relaxed(&c->busy) || !magazines_ready(l, c)) {
		if (l->take(l, &obj, 1))
			kmem_count(&c->directs[DIR_ALLOC]);
	} else {
		kmem_store_relaxed(&c->busy, 1);
		drain_if_asked(l, c);
		if (reload(l, c)) {
			set_rounds(c, c->rounds - 1);
			obj = c->loaded->round[c->rounds];
			kmem_count(&c->served[DIR_ALLOC]);
		}
		kmem_store_relaxed(&c->busy, 0);
	}
	kmem_arch_irq_restore(irq);
	return obj;
}

void magazine_free_slow(struct magazine_layer *l, void *obj)
{
	uintptr_t irq = kmem_arch_irq_save();
	struct magazine_cpu *c = layer_cpu(l, kmem_arch_cpu());

	if (kmem_load_relaxed(&c->busy) || !magazines_ready(l, c)) {
		kmem_count(&c->directs[DIR_FREE]);
		l->give(l, &obj, 1);
	} else {
		kmem_store_relaxed(&c->busy, 1);
		drain_if_asked(l, c);
		make_room(l, c);
		c->loaded->round[c->rounds] = obj;
		set_rounds(c, c->rounds + 1);
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

static struct magazine *depot_pop_full(struct magazine_layer *l)
{
	uintptr_t irq = depot_lock(l);
	struct magazine *m = pop(&l->depot.full);

	if (m) {
		kmem_store_relaxed(&l->depot.nr_full, l->depot.nr_full - 1);
		l->depot.objects -= m->rounds;
	}
	unlock_irq(&l->depot.lock, irq);
	return m;
}

static struct magazine *depot_pop_empty(struct magazine_layer *l)
{
	uintptr_t irq = depot_lock(l);
	struct magazine *m = pop(&l->depot.empty);

	l->depot.nr_empty -= m != NULL;
	unlock_irq(&l->depot.lock, irq);
	return m;
}

void magazine_drain_depot(struct magazine_layer *l)
{
	struct magazine *m;

	while ((m = depot_pop_full(l))) {
		l->give(l, m->round, m->rounds);
		magazine_delete(m);
	}
	while ((m = depot_pop_empty(l)))
		magazine_delete(m);
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
		magazine_delete(c->loaded);
		magazine_delete(c->previous);
		c->loaded = NULL;
		c->previous = NULL;
		set_limit(l, c, 0);
	}
	magazine_drain_depot(l);
}

void run_on_all_cpus(void (*fn)(void *arg), void *arg)
{
	unsigned here = kmem_arch_enter();

	kmem_arch_exit();
	for (unsigned cpu = 0; kmem_hooks.run_on_cpu && cpu < zones.nr_cpus;
	     cpu++)
		if (cpu != here)
			kmem_hooks.run_on_cpu(kmem_hooks.ctx, cpu, fn, arg);
	fn(arg);
}

/* ---- figures and checks ---- */

void magazine_layer_stats(struct magazine_layer *l,
			  struct kmem_layer_stats *st)
{
	uintptr_t irq;

	memset(st, 0, sizeof(*st));
	for (unsigned i = 0; i < zones.nr_cpus; i++) {
		struct magazine_cpu *c = layer_cpu(l, i);
		size_t direct_allocs = kmem_load_relaxed(&c->directs[0]);
		size_t direct_frees = kmem_load_relaxed(&c->directs[1]);

		st->allocs += kmem_load_relaxed(&c->served[0]) +
			      direct_allocs;
		st->frees += kmem_load_relaxed(&c->served[1]) + direct_frees;
		st->directs += direct_allocs + direct_frees;
		st->alloc_swaps += kmem_load_relaxed(&c->swaps[0]);
		st->free_swaps += kmem_load_relaxed(&c->swaps[1]);
		st->depot_allocs += kmem_load_relaxed(&c->exchanged[0]);
		st->depot_frees += kmem_load_relaxed(&c->exchanged[1]);
		st->refills += kmem_load_relaxed(&c->trips_below[0]);
		st->flushes += kmem_load_relaxed(&c->trips_below[1]);
		st->refilled += kmem_load_relaxed(&c->moved[0]);
		st->flushed += kmem_load_relaxed(&c->moved[1]);
		st->in_cpus += kmem_load_relaxed(&c->rounds) +
			       kmem_load_relaxed(&c->previous_rounds);
		st->magazines += kmem_load_relaxed(&c->limit) ? 2 : 0;
	}
	irq = lock_irq(&l->depot.lock);
	st->in_depot = l->depot.objects;
	st->magazines += l->depot.nr_full + l->depot.nr_empty;
	st->depot_locks = l->depot.lock.taken;
	st->depot_contended = l->depot.lock.contended;
	unlock_irq(&l->depot.lock, irq);
}

static void each_round(struct magazine *m, size_t n,
		       void (*fn)(void *obj, void *arg), void *arg)
{
	for (size_t i = 0; i < n; i++)
		fn(m->round[i], arg);
}

void magazine_for_each(struct magazine_layer *l,
		       void (*fn)(void *obj, void *arg), void *arg)
{
	for (unsigned i = 0; i < zones.nr_cpus; i++) {
		struct magazine_cpu *c = layer_cpu(l, i);

		each_round(c->loaded, c->rounds, fn, arg);
		each_round(c->previous, c->previous_rounds, fn, arg);
	}
	for (struct magazine *m = l->depot.full; m; m = m->next)
		each_round(m, m->rounds, fn, arg);
}

static void cpu_check(const struct magazine_cpu *c, unsigned cpu,
		      const char *name, struct check *k)
{
	if ((!c->loaded && (c->rounds || c->limit)) ||
	    (!c->previous && c->previous_rounds))
		check_violated(k, "M1: %s, CPU %u: rounds %u and %u without "
			       "a magazine", name, cpu, c->rounds,
			       c->previous_rounds);
	if (c->rounds > KMEM_MAGAZINE_ROUNDS ||
	    c->previous_rounds > KMEM_MAGAZINE_ROUNDS)
		check_violated(k, "M2: %s, CPU %u: rounds %u and %u", name,
			       cpu, c->rounds, c->previous_rounds);
	if (c->busy)
		check_violated(k, "M5: %s, CPU %u: busy", name, cpu);
}

static void depot_check(const struct depot *d, const char *name,
			struct check *k)
{
	size_t full = 0, empty = 0, objects = 0;
	bool right = true;

	for (struct magazine *m = d->full; m; m = m->next) {
		full++;
		objects += m->rounds;
		right = right && m->rounds > 0;
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
	for (unsigned i = 0; i < zones.nr_cpus; i++)
		cpu_check(layer_cpu(l, i), i, name, c);
	depot_check(&l->depot, name, c);
}
