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
 * the depot has none, `loaded` is refilled from the layer below. A
 * free is the mirror image, and when the depot is at its bound, a magazine is
 * flushed to the layer below. Because there are two, a CPU has to go to the depot
 * only after a magazine-full of operations in one direction, however allocations
 * and frees alternate. Objects freed on another CPU travel in full magazines:
 * there is no special path for them.
 *
 * The layer below is a set of slabs (cache.c) or a zone (page_alloc.c); what
 * the objects are is its business.
 *
 * Who may touch what:
 *
 *   magazine_cpu	its own CPU, in the order thread < interrupt < NMI (but
 *			see Waiting for `end`). Fast path: preemption off,
 *			`busy` set. Slow path: interrupts masked too. An
 *			interrupt that finds `busy` set has
 *			landed in a fast path below it: it leaves the slots
 *			alone and moves its one object directly between its
 *			caller and the layer below ("direct"). Nobody waits. An
 *			NMI (nolock.c) may land in a slow path as well, and
 *			then finds `busy` set too. With KMEM_ARCH_NESTS 0 none
 *			of these lands as the same CPU, and there is no `busy`.
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
 * driven by growth and by frees (caches.c), so that what one cache no longer
 * needs another can have.
 *
 * *Waiting.* While somebody sleeps until memory comes free (page_reclaim.c),
 * nothing may stay in magazines that nobody looks at. Whoever begins to wait
 * drains the layers, and a drain also *closes* them: it sets every CPU's `end`
 * to NULL, so that its next free finds no room and goes the slow way. That way
 * ends in settle(), which opens the magazine again; or, as long as somebody
 * waits, leaves it closed and gives all it holds below, where the give wakes
 * them. That is all that other CPUs ever write to a magazine_cpu. For the two
 * not to miss one another, settle() stores `end` by an exchange: if a closer
 * was first, it is seen, and with it the count of those who wait; if not, its
 * NULL remains.
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
#include "depot.h"

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

/*
 * Interrupts are masked: from here to busy_clear() the slots of this CPU are
 * ours, from an NMI too. Return: NULL if whom we interrupted has them.
 */
static struct magazine_cpu *cpu_claim(struct magazine_layer *l)
{
	struct magazine_cpu *c = layer_cpu(l, kmem_arch_cpu());

	return busy_set(c) ? c : NULL;
}

/* Objects went past the magazines. Not only the slots' owner counts these. */
static void count_direct(struct magazine_layer *l, unsigned way)
{
	kmem_add_relaxed(&layer_cpu(l, kmem_arch_cpu())->directs[way], 1);
}

/* ---- one CPU's magazines; interrupts are masked and busy is set ---- */

/* Load m, which has n rounds; NULL: unload. */
static void load(struct magazine_cpu *c, struct magazine *m, unsigned n)
{
	struct round *bottom = m ? m->round : NULL;

	kmem_store_relaxed(&c->bottom, bottom);
	kmem_store_relaxed(&c->top, m ? bottom + n : NULL);
}

/* How far the loaded magazine may be filled. */
static struct round *load_end(const struct magazine_cpu *c)
{
	struct magazine *m = loaded(c);

	return m ? c->bottom + KMEM_MIN(c->limit, m->capacity) : NULL;
}

static void set_rounds(struct magazine_cpu *c, size_t n)
{
	KMEM_ASSERT(loaded(c) && n <= loaded(c)->capacity);
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

static void give_below(struct magazine_layer *l, struct magazine_cpu *c,
		       const struct round *r, size_t n)
{
	if (!n)
		return;
	kmem_count(&c->trips_below[DIR_FREE]);
	kmem_count_n(&c->moved[DIR_FREE], n);
	l->give(l, r, n);
}

static void empty_quarantine(struct magazine_layer *l, struct magazine_cpu *c)
{
	struct quarantine *q = c->quarantine;
	struct round r[QUARANTINE_SEATS];
	size_t n = 0;

	if (!q || !q->held)
		return;
	for (unsigned i = 0; i < QUARANTINE_PLACES; i++) {
		if (q->obj[i])
			r[n++] = (struct round){ q->obj[i], q->slot[i] };
		if (n == KMEM_ARRAY_SIZE(r) || i == QUARANTINE_PLACES - 1) {
			give_below(l, c, r, n);
			n = 0;
		}
	}
	memset(q->obj, 0, sizeof(q->obj));
	kmem_store_relaxed(&q->held, 0);
}

static void empty_both(struct magazine_layer *l, struct magazine_cpu *c)
{
	if (KMEM_HARDEN)
		empty_quarantine(l, c);
	if (loaded(c)) {
		give_below(l, c, c->bottom, rounds(c));
		set_rounds(c, 0);
	}
	if (c->previous)
		give_below(l, c, c->previous->round, c->previous_rounds);
	set_previous(c, c->previous, 0);
}

/* Give up the magazines too, which are memory as well. */
static void unload_both(struct magazine_layer *l, struct magazine_cpu *c)
{
	empty_both(l, c);
	magazine_delete(l, loaded(c));
	magazine_delete(l, c->previous);
	if (KMEM_HARDEN) {
		quarantine_delete(l, c->quarantine);
		c->quarantine = NULL;
	}
	load(c, NULL, 0);
	set_previous(c, NULL, 0);
}

/* The same outside of a slow path that ends in settle(). */
static void unload_closed(struct magazine_layer *l, struct magazine_cpu *c)
{
	unload_both(l, c);
	kmem_store_relaxed(&c->end, NULL);
}

/* The end of every slow path: let the fast ones use what is loaded now; or,
 * while somebody waits for memory, keep nothing. */
static void settle(struct magazine_layer *l, struct magazine_cpu *c)
{
	if (!kmem_hooks.wait) {
		kmem_store_relaxed(&c->end, load_end(c));
		return;
	}
	kmem_store_exchange(&c->end, load_end(c));
	if (KMEM_LIKELY(!kmem_load_relaxed(&zones.waiters)))
		return;
	kmem_store_relaxed(&c->end, NULL);
	empty_both(l, c);
	depot_drain(l);
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

	depot_regret(l, n);
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

static struct round pop_round(struct magazine_cpu *c)
{
	set_rounds(c, rounds(c) - 1);
	kmem_count(&c->served);
	return *c->top;
}

/* An object is freed, and there is room for what goes to the magazine. */
static void push_round(struct magazine_cpu *c, struct round r)
{
	if (quarantine_pass(c, &r)) {
		*c->top = r;
		set_rounds(c, rounds(c) + 1);
	}
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

/* ---- without waiting for anybody: the _nolock calls ---- */

/* Close the magazine: the next free settles what `end` must be. */
static void swap_and_close(struct magazine_cpu *c, unsigned way)
{
	swap_magazines(c);
	kmem_store_relaxed(&c->end, NULL);
	kmem_count(&c->swaps[way]);
}

/* One of the two magazines has a round: load it. */
static bool swap_to_rounds(struct magazine_cpu *c)
{
	if (!rounds(c) && c->previous_rounds)
		swap_and_close(c, DIR_ALLOC);
	return rounds(c);
}

/* One of the two has room: load it. A closed one has none. */
static bool swap_to_room(struct magazine_cpu *c)
{
	if (!kmem_load_relaxed(&c->end))
		return false;
	if (c->top >= load_end(c) && c->previous &&
	    !is_full(c, c->previous, c->previous_rounds))
		swap_and_close(c, DIR_FREE);
	return c->top < load_end(c);
}

bool magazine_try_alloc(struct magazine_layer *l, struct round *r)
{
	uintptr_t irq = kmem_arch_irq_save();
	struct magazine_cpu *c = cpu_claim(l);
	bool got = c && swap_to_rounds(c);

	if (got)
		*r = pop_round(c);
	if (c)
		busy_clear(c);
	if (!got && depot_try_take(l, r)) {
		count_direct(l, DIR_ALLOC);
		got = true;
	}
	kmem_arch_irq_restore(irq);
	return got;
}

bool magazine_try_free(struct magazine_layer *l, struct round r)
{
	uintptr_t irq = kmem_arch_irq_save();
	struct magazine_cpu *c = cpu_claim(l);
	bool put = c && swap_to_room(c);

	if (put)
		push_round(c, r);
	if (c)
		busy_clear(c);
	kmem_arch_irq_restore(irq);
	return put;
}

void magazine_count_direct(struct magazine_layer *l, unsigned way)
{
	count_direct(l, way);
}

/* ---- draining ---- */

static void drain_here(struct magazine_layer *l,
		       void (*drain)(struct magazine_layer *l,
				     struct magazine_cpu *c))
{
	uintptr_t irq = kmem_arch_irq_save();
	struct magazine_cpu *c = cpu_claim(l);

	/* If busy, we are an interrupt in a fast path: it will see epoch. */
	if (c) {
		c->epoch = kmem_load_relaxed(&l->epoch);
		drain(l, c);
		settle(l, c);
		busy_clear(c);
	}
	kmem_arch_irq_restore(irq);
}

void magazine_drain_cpu(struct magazine_layer *l)
{
	drain_here(l, empty_both);
}

void magazine_unload_cpu(struct magazine_layer *l)
{
	drain_here(l, unload_both);
}

bool magazine_trim_cpu(struct magazine_layer *l)
{
	uintptr_t irq = kmem_arch_irq_save();
	struct magazine_cpu *c = cpu_claim(l);
	bool idle = false;
	size_t served;

	if (c && c->bottom) {
		served = c->served + frees_of(c);
		idle = served == c->seen;
		c->seen = served;
		if (idle) {
			unload_closed(l, c);
			/* The trip to come does not mean that they were short. */
			c->trips = 0;
		}
	}
	if (c)
		busy_clear(c);
	kmem_arch_irq_restore(irq);
	return idle;
}

void magazine_trim(struct magazine_layer *l, size_t most)
{
	magazine_trim_cpu(l);
	depot_trim(l, most);
}

void magazine_drain(struct magazine_layer *l)
{
	kmem_add_relaxed(&l->epoch, 1);
	for (unsigned i = 0; i < zones.nr_cpus; i++)
		kmem_store_exchange(&layer_cpu(l, i)->end, NULL);
	magazine_drain_cpu(l);
	depot_drain(l);
}

void magazine_layer_fini(struct magazine_layer *l)
{
	for (unsigned i = 0; i < zones.nr_cpus; i++) {
		unload_closed(l, layer_cpu(l, i));
		layer_cpu(l, i)->limit = 0;
	}
	depots_fini(l);
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
