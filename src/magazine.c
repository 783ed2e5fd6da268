/* SPDX-License-Identifier: MIT */
/*
 * magazine.c - the per-CPU layer (Bonwick & Adams 2001, "Magazines and Vmem").
 *
 *	CPU 0              CPU 1
 *	┌────────────────┐ ┌────────────────┐
 *	│ loaded  ▓▓▓▓░░ │ │ loaded  ▓░░░░░ │   alloc: pop   free: push
 *	│ previous ▓▓▓▓▓▓│ │ previous ░░░░░░│   then: swap the two
 *	└───────┬────────┘ └───────┬────────┘
 *	┌ depot ┴────────┐ ┌ depot ┴────────┐    then: exchange with the depot
 *	│ full ▓▓▓▓▓▓    │ │ full ▓▓▓▓▓▓    │
 *	│ empty ░░░░░░   │ │ empty ░░░░░░   │
 *	└───────┬────────┘ └───────┬────────┘
 *	        └─ the layer below ┘             then: take or give objects
 *
 * A magazine is an array of free objects. Each CPU has two of each layer, and a
 * depot with more of them, which it shares if there are many CPUs (depot.c). An
 * allocation pops from `loaded`; when that is empty and `previous` is not,
 * the two are swapped (or what is in it moves, if it has become too short); when
 * both are empty, the empty one is exchanged for a full one at the depot; when
 * the depot has none, `loaded` is refilled from the layer below. A free is the
 * mirror image, and when the depot is at its bound, and others lend it nothing, a
 * magazine is flushed to the layer below. Because there are two, a CPU has to go
 * to the depot only after a magazine-full of operations in one direction, however
 * allocations and frees alternate. Objects freed on another CPU travel in full
 * magazines: there is no special path for them.
 *
 * The layer below is a set of slabs (cache.c) or a zone (page_alloc.c); what
 * the objects are is its business.
 *
 * Who may touch what:
 *
 *   magazine_cpu	its own CPU, in the order thread < interrupt < NMI (but
 *			for `end`: magazine_drain.c). Fast path: preemption
 *			off, `busy` set. Slow path: interrupts masked too. An
 *			interrupt that finds `busy` set has landed in a fast
 *			path below it: it leaves the slots alone and moves its
 *			one object directly between its caller and the layer
 *			below ("direct"). Nobody waits. An NMI (nolock.c) may
 *			land in a slow path as well, and then finds `busy` set
 *			too. With KMEM_ARCH_NESTS 0 none of these lands as the
 *			same CPU, and there is no `busy`.
 *   depot		any CPU, under its lock.
 *
 * How much may sit here. A CPU's `limit` starts at START_LIMIT and doubles
 * with every RAISE_TRIPS trips beyond its own magazines, as one of which
 * TRIP_SWAPS swaps by allocations count, up to max_limit, which also bounds the
 * bytes in a magazine: caches that are seldom used pin little and have short
 * magazines, busy ones soon have long ones. A depot's bound follows the
 * working set (depot.c): up when a refill asks below for what was flushed there
 * before, down by a trim when magazines lay idle; far up only as long as all
 * bounds together are within a share of memory. A trim also takes the magazines
 * from the CPU it runs on, with what is in them, if that CPU has not used them
 * since it last trimmed this layer; when it does, new ones are as long. Trims are
 * driven by growth and by frees (cache_trim.c), so that what one cache no longer
 * needs another can have.
 *
 * Nodes. A free goes to the CPU's magazine wherever the object lies, so that
 * the fast path need not ask. But what is of another node than the CPU's goes
 * home, to its slab, as soon as magazines are exchanged: a magazine that comes
 * from the depot keeps what is of its CPU's node, and so does a full one before
 * it goes there.
 *
 * Invariants:
 *
 *  M1	without a loaded magazine, bottom, top and end are NULL; without a
 *	previous one, previous_rounds is 0
 *  M2	bottom <= top <= bottom + capacity, so is end, or it is NULL;
 *	previous_rounds <= capacity
 *  M3	each depot: nr_full and nr_empty are the lengths of the lists; every full
 *	magazine has at least one round, every empty one none
 *  M4	its objects == sum of rounds over the full magazines <= max_objects
 *  M5	outside of a fast or slow path, busy == 0
 */
#include "bits.h"
#include "magazine_cpu.h"

#define START_LIMIT	4
#define RAISE_TRIPS	4
#define TRIP_SWAPS	16u

/* Who needed a full magazine so many times, and left none, allocates what others
 * free. */
#define FED		8u

static uint8_t fit_limit(size_t object_bytes, size_t magazine_bytes)
{
	size_t limit = bits_divide(magazine_bytes, object_bytes);

	return (uint8_t)(limit > KMEM_MAGAZINE_ROUNDS ? KMEM_MAGAZINE_ROUNDS :
							limit);
}

void magazine_layer_init(struct magazine_layer *l, size_t object_bytes,
			 size_t magazine_bytes, size_t depot_bytes)
{
	memset(layer_cpu(l, 0), 0, LAYER_BYTES(zones.nr_cpus));
	l->max_limit = fit_limit(object_bytes, magazine_bytes);
	l->nodes = false;
	l->apart = false;
	l->quarantine = 0;
	l->epoch = 0;
	depots_init(l, object_bytes, depot_bytes);
}

void magazine_layer_quarantine(struct magazine_layer *l, size_t object_bytes)
{
	l->quarantine = object_bytes <= QUARANTINE_BYTES / QUARANTINE_MOST ?
			QUARANTINE_MOST : QUARANTINE_LEAST;
}

void magazine_layer_grow(struct magazine_layer *l, size_t object_bytes,
			 size_t magazine_bytes, size_t depot_bytes)
{
	uint8_t limit = fit_limit(object_bytes, magazine_bytes);

	if (limit > l->max_limit)
		kmem_store_relaxed(&l->max_limit, limit);
	depots_grow(l, depot_bytes);
}

void magazine_layer_set_limit(struct magazine_layer *l, unsigned limit)
{
	l->max_limit = (uint8_t)(limit > KMEM_MAGAZINE_ROUNDS ?
				 KMEM_MAGAZINE_ROUNDS : limit);
	depots_set_least(l);
}

/* ---- one CPU's magazines; interrupts are masked and busy is set ---- */

/* A slow path begins, so that this CPU is not idle. Return: a magazine is loaded,
 * or could be made. */
static bool magazine_ready(struct magazine_layer *l, struct magazine_cpu *c)
{
	unsigned max = kmem_load_relaxed(&l->max_limit);

	c->seen = SIZE_MAX;
	if (KMEM_HARDEN && max && l->quarantine && !c->quarantine)
		c->quarantine = quarantine_new(l);
	if (KMEM_LIKELY(c->bottom != NULL))
		return true;
	if (!max)
		return false;
	if (!c->limit)
		c->limit = (uint8_t)KMEM_MIN(START_LIMIT, max);
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

/* The loaded one is empty, and the other too short: so that one that never is
 * empty when something is freed gives way as well. */
static void leave_short(struct magazine_layer *l, struct magazine_cpu *c)
{
	unsigned n = c->previous_rounds;

	memcpy(c->bottom, c->previous->round, n * sizeof(struct round));
	set_rounds(c, n);
	set_previous(c, long_enough(l, c, c->previous), 0);
}

/* A CPU that often has to look beyond its magazines, or from one to the other,
 * gets longer ones. */
static void count_trip(struct magazine_layer *l, struct magazine_cpu *c)
{
	unsigned max = kmem_load_relaxed(&l->max_limit);

	if (c->limit == max || ++c->trips < RAISE_TRIPS)
		return;
	c->trips = 0;
	c->limit = (uint8_t)KMEM_MIN(c->limit * 2, max);
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

/* ---- nodes ---- */

/* Of n rounds, those of this CPU's node first. Return: how many they are. */
static unsigned sort_own(struct round *r, unsigned n)
{
	unsigned here = this_node(), own = 0;

	for (unsigned i = 0; i < n; i++) {
		struct round next = r[i];

		if (page_node(virt_to_page(next.obj)) != here)
			continue;
		r[i] = r[own];
		r[own++] = next;
	}
	return own;
}

/* What is of other nodes goes home. Return: how many rounds stay. */
static unsigned keep_own(struct magazine_layer *l, struct magazine_cpu *c,
			 struct round *r, unsigned n)
{
	unsigned own;

	if (KMEM_MAX_NODES == 1 || KMEM_LIKELY(!l->nodes))
		return n;
	own = sort_own(r, n);
	give_below(l, c, r + own, n - own);
	return own;
}

/* ---- exchanging with the depot ---- */

/* Both magazines are empty: exchange one for a full one. */
static bool get_full(struct magazine_layer *l, struct magazine_cpu *c,
		     bool any)
{
	struct magazine *full = depot_get_full(l, c->previous, any);

	if (!full)
		return false;
	set_previous(c, loaded(c), 0);
	kmem_count_n(&c->exchanged_rounds, full->rounds);
	load(c, full, keep_own(l, c, full->round, full->rounds));
	kmem_count(&c->exchanged[DIR_ALLOC]);
	return rounds(c);
}

/* Both magazines are full: exchange one for an empty one. Or, with the depot
 * at its bound, flush it. If there is no empty one to be had, previous is
 * NULL afterwards. */
static void put_full(struct magazine_layer *l, struct magazine_cpu *c)
{
	struct magazine *empty;
	unsigned n = c->previous_rounds;

	c->unserved = 0;
	if (depot_put_full(l, c->previous, n, &empty)) {
		kmem_count(&c->exchanged[DIR_FREE]);
		kmem_count_n(&c->exchanged_rounds, (size_t)0 - n);
		set_previous(c, empty ? empty : magazine_new(l, c->limit), 0);
	} else {
		give_below(l, c, c->previous->round, n);
		set_previous(c, c->previous, 0);
	}
}

/* ---- the slow paths: have at least one round in the loaded magazine ---- */

/* Up to n from below, to the loaded magazine, which is empty. */
static bool take_below(struct magazine_layer *l, struct magazine_cpu *c,
		       size_t n, bool any)
{
	n = l->take(l, c->bottom, n, any);
	set_rounds(c, n);
	kmem_count(&c->trips_below[DIR_ALLOC]);
	kmem_count_n(&c->moved[DIR_ALLOC], n);
	return n;
}

static bool refill(struct magazine_layer *l, struct magazine_cpu *c)
{
	struct magazine *m = long_enough(l, c, loaded(c));
	size_t n = KMEM_MIN(c->limit, m->capacity);

	depot_regret(l, n, c->unserved == FED);
	load(c, m, 0);
	return take_below(l, c, n, false);
}

/* Of the two magazines. */
static bool reload_own(struct magazine_layer *l, struct magazine_cpu *c)
{
	if (rounds(c))
		return true;
	if (!c->previous_rounds)
		return false;
	if (KMEM_UNLIKELY(c->previous->capacity <
			  KMEM_MIN(c->limit, loaded(c)->capacity)))
		leave_short(l, c);
	else
		swap_magazines(c);
	kmem_count(&c->swaps[DIR_ALLOC]);
	if (c->swaps[DIR_ALLOC] % TRIP_SWAPS == 0)
		count_trip(l, c);
	return true;
}

/* From the depot, or below; of other CPUs only what need not be left to them. */
static bool reload(struct magazine_layer *l, struct magazine_cpu *c)
{
	if (reload_own(l, c))
		return true;
	count_trip(l, c);
	if (get_full(l, c, c->unserved == FED))
		return true;
	c->unserved = (uint8_t)KMEM_MIN(c->unserved + 1u, FED);
	if (refill(l, c))
		return true;
	return CPU_LISTS > 1 && !kmem_load_relaxed(&l->apart) &&
	       get_full(l, c, true);
}

/* After that: from what other CPUs have left in the depot. */
static bool reload_left(struct magazine_layer *l, struct magazine_cpu *c)
{
	return reload_own(l, c) || get_full(l, c, true);
}

/* From wherever there is something. Of the last objects below only a few: others
 * want some as well. */
static bool reload_any(struct magazine_layer *l, struct magazine_cpu *c)
{
	return reload_left(l, c) ||
	       take_below(l, c, KMEM_MIN(c->limit, START_LIMIT), true);
}

/* Load `previous`, which is empty, in place of the full one. */
static void load_empty(struct magazine_layer *l, struct magazine_cpu *c)
{
	c->previous = long_enough(l, c, c->previous);
	swap_magazines(c);
}

static bool previous_full(const struct magazine_cpu *c)
{
	return c->previous && is_full(c, c->previous, c->previous_rounds);
}

/* Have room for at least one round in the loaded magazine. Return: whether a
 * magazine had to go, to the depot or below. */
static bool make_room(struct magazine_layer *l, struct magazine_cpu *c)
{
	if (c->top < load_end(c))
		return false;
	if (!c->previous)
		set_previous(c, magazine_new(l, c->limit), 0);
	if (previous_full(c))
		set_previous(c, c->previous,
			     keep_own(l, c, c->previous->round,
				      c->previous_rounds));
	if (c->previous && !previous_full(c)) {
		kmem_count(&c->swaps[DIR_FREE]);
		if (c->previous_rounds)
			swap_magazines(c);
		else
			load_empty(l, c);
		return false;
	}
	count_trip(l, c);
	if (c->top < load_end(c))
		return false;
	if (c->previous)
		put_full(l, c);
	if (c->previous)
		load_empty(l, c);
	else				/* no empty magazine to be had */
		empty_both(l, c);
	return true;
}

static bool take_direct(struct magazine_layer *l, struct round *r, bool any)
{
	if (!l->take(l, r, 1, any))
		return false;
	count_direct(l, DIR_ALLOC);
	return true;
}

/* How to have a round. */
typedef bool reload_fn(struct magazine_layer *l, struct magazine_cpu *c);

/* The slots are ours. Return: false if there is no magazine. */
static bool alloc_slow_owned(struct magazine_layer *l, struct magazine_cpu *c,
			     reload_fn *fn, struct round *r)
{
	if (!magazine_ready(l, c))
		return false;
	drain_if_asked(l, c);
	if (fn(l, c))
		*r = pop_round(c);
	settle(l, c);
	return true;
}

static struct round pop_slow(struct magazine_layer *l, reload_fn *fn)
{
	uintptr_t irq = kmem_arch_irq_save();
	struct magazine_cpu *c = cpu_claim(l);
	struct round r = { NULL, NULL };
	bool direct = !c || !alloc_slow_owned(l, c, fn, &r);

	if (c)
		busy_clear(c);
	if (direct && fn != reload_left)
		take_direct(l, &r, fn == reload_any);
	kmem_arch_irq_restore(irq);
	return r;
}

struct round magazine_alloc_slow(struct magazine_layer *l)
{
	return pop_slow(l, reload);
}

struct round magazine_alloc_left(struct magazine_layer *l)
{
	return pop_slow(l, reload_left);
}

struct round magazine_alloc_last(struct magazine_layer *l)
{
	return pop_slow(l, reload_any);
}

static bool free_slow_owned(struct magazine_layer *l, struct magazine_cpu *c,
			    struct round r, bool *full)
{
	if (!magazine_ready(l, c))
		return false;
	drain_if_asked(l, c);
	*full = make_room(l, c);
	push_round(c, r);
	settle(l, c);
	return true;
}

bool magazine_free_slow(struct magazine_layer *l, void *obj,
			kmem_slot_t *slot)
{
	uintptr_t irq = kmem_arch_irq_save();
	struct magazine_cpu *c = cpu_claim(l);
	struct round r = { obj, slot };
	bool full = false;
	bool direct = !c || !free_slow_owned(l, c, r, &full);

	if (c)
		busy_clear(c);
	if (direct) {
		count_direct(l, DIR_FREE);
		l->give(l, &r, 1);
	}
	kmem_arch_irq_restore(irq);
	return full;
}
