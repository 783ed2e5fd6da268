/* SPDX-License-Identifier: MIT */
/*
 * magazine.h - the per-CPU layer: arrays of free objects, and their depot.
 *
 * The fast paths are here, inline; the slow ones and the theory are in
 * magazine.c. With KMEM_MAGAZINE_ROUNDS 0 the fast paths never succeed, and
 * whoever has a layer goes to what lies below it: a layer is then not even
 * initialised.
 */
#ifndef KMEM_MAGAZINE_H
#define KMEM_MAGAZINE_H

#include "slab.h"

#include <kmem/stats.h>

/*
 * An array of free objects. There are two lengths: most caches are used
 * little, and a long magazine for each CPU would cost more than it holds.
 */
struct magazine {
	struct magazine *next;		/* in a list of the depot */
	uint16_t rounds;		/* while in the depot: how many of
					 * round[] are filled, from the start */
	uint16_t capacity;		/* of round[] */
	struct round round[];
};

#define MAGAZINE_SHORT		14u	/* rounds: 240 bytes */
#define MAGAZINE_LONG		KMEM_MAGAZINE_ROUNDS	/* 62: 1008 bytes */

/*
 * Hardened (KMEM_HARDEN): what a CPU has freed of a cache lately. An object that
 * is freed goes in first; what comes out in its place, to a magazine, has been
 * through the queue, and so has seen as many frees come after it as that is
 * long, and then through one of the seats, whichever chance has chosen.
 *
 * One generator serves both: x -> a x + c modulo 2^32, a - 1 a multiple of four
 * and c odd, is a cycle of all numbers, and its lower k bits are one of 2^k
 * (Hull, Dobell 1962). So they come to each place of the queue in turn, in an
 * order that is as good as any; and the upper ones choose the seat.
 */
#define QUARANTINE_MOST		32u	/* frees; of large objects fewer, */
#define QUARANTINE_LEAST	16u	/* but so many; powers of two */
#define QUARANTINE_BYTES	32768u	/* that few enough have at most */
#define QUARANTINE_SEATS	8u	/* a power of two */
#define QUARANTINE_PLACES	(QUARANTINE_SEATS + QUARANTINE_MOST)

struct quarantine {
	uint32_t random;
	uint32_t last;			/* place of the queue: its length - 1 */
	size_t held;			/* objects, in both */
	void *obj[QUARANTINE_PLACES];	/* the seats, then the queue; or NULL */
	kmem_slot_t *slot[QUARANTINE_PLACES];	/* of each */
};

_Static_assert(!(QUARANTINE_MOST & (QUARANTINE_MOST - 1)) &&
	       !(QUARANTINE_LEAST & (QUARANTINE_LEAST - 1)),
	       "the queue is a cycle of the generator's lower bits");

/*
 * What one CPU has of one layer, written by that CPU only (but `end` may be
 * set to NULL by others). The fast paths use the first cache line; `busy` is
 * set while it is being changed.
 *
 *	loaded->round[]  │▓▓▓▓▓▓▓▓▓▓▓▓│░░░░░░░│
 *	                 bottom       top     end
 *
 * A pop takes what is below top, if top is above bottom; a push goes to top,
 * if that is below end. Without a magazine the three are NULL; end also while
 * the magazine is closed (magazine_drain.c). (top may be
 * above end, when a magazine was filled further than `limit` elsewhere.) The
 * pairs count allocations [0] and frees [1].
 *
 * Of allocations and frees that do no more than that, only the former are
 * counted, for a count is a fifteenth of the work: what is here came by frees,
 * from the depot or from below, and what is not here any more went likewise
 * (frees_of).
 */
struct magazine_cpu {
	KMEM_ALIGNED(KMEM_CACHE_LINE) uint8_t busy;
	uint8_t limit;			/* how far a magazine is filled */
	uint8_t trips;			/* since limit was last raised */
	uint8_t previous_rounds;	/* filled, of `previous` */
	uint32_t epoch;			/* of the last drain asked for */
	struct round *top, *bottom, *end; /* of the loaded magazine */
	struct magazine *previous;	/* as a rule, full or empty; or NULL */
	size_t served;			/* allocations, from `loaded` */
	size_t exchanged_rounds;	/* with the depot: come, less gone */
	uint32_t directs[2];		/* objects that went past magazines */

	KMEM_ALIGNED(KMEM_CACHE_LINE) uint32_t swaps[2]; /* of the two, or
							   * as good as */
	uint32_t exchanged[2];		/* magazines, with the depot */
	size_t seen;			/* served and freed, at the last trim;
					 * SIZE_MAX: a slow path since */
	struct quarantine *quarantine;	/* NULL: none, or not yet */
	uint32_t trips_below[2];	/* to the layer below */
	uint8_t unserved;		/* times that it found no full magazine
					 * of its own since it last left one */
	size_t moved[2];		/* objects that they moved */
};

_Static_assert(sizeof(struct magazine_cpu) == 2 * KMEM_CACHE_LINE ||
	       KMEM_CACHE_LINE != 64 || sizeof(void *) != 8,
	       "what the fast path uses is one cache line");

/* Full and empty magazines that no CPU has loaded: those of the CPUs of one
 * list. */
struct depot {
	KMEM_ALIGNED(KMEM_CACHE_LINE) struct kmem_lock lock;
	/* under lock: */
	struct magazine *full, *empty;
	size_t nr_full, nr_empty;
	size_t objects;			/* in the full ones */
	size_t max_objects;		/* bound of `objects`, for now */
	size_t flushed;			/* objects given below because of that
					 * bound, and not asked for since by
					 * its CPUs, or who is fed by them */
	size_t idle;			/* full magazines that nobody has
					 * needed since the last trim */
	bool used;			/* full ones came or went since then */
};

/*
 * A layer. The CPUs' parts follow it in memory, one for each CPU, and then the
 * depots: whoever has one in a structure has it last, and LAYER_BYTES more. So
 * the address of a CPU's part needs no load beyond that of the layer, which on
 * a free is known only after the object's descriptor was read.
 */
struct magazine_layer {
	KMEM_ALIGNED(KMEM_CACHE_LINE) uint8_t max_limit; /* 0: no magazines at
							  * all */
	bool nodes;			/* objects are of more than one node */
	bool apart;			/* they share cache lines, so that what
					 * other CPUs have left is not taken
					 * for being there */
	uint8_t quarantine;		/* length of a CPU's queue; 0: none */
	uint32_t epoch;			/* raised to make CPUs drain */
	size_t object_bytes;
	size_t min_depot;		/* a depot's max_objects after trims */
	size_t max_depot;		/* that of all, where memory is scarce */
	size_t magazines, magazine_bytes; /* that exist */
	/*
	 * The layer below. take: up to n free objects that exist, `any`: even
	 * those that are better left to other CPUs; give: n objects back. Both
	 * from any context, and neither may sleep.
	 */
	size_t (*take)(struct magazine_layer *l, struct round *rounds,
		       size_t n, bool any);
	void (*give)(struct magazine_layer *l, const struct round *rounds,
		     size_t n);
};

enum { DIR_ALLOC, DIR_FREE };

/* Depots of so many CPUs. */
#define NR_DEPOTS(nr_cpus)	KMEM_MIN(nr_cpus, CPU_LISTS)

#define LAYER_BYTES(nr_cpus) \
	(MAGAZINES ? (nr_cpus) * sizeof(struct magazine_cpu) + \
		     NR_DEPOTS(nr_cpus) * sizeof(struct depot) : 0)

KMEM_INLINE struct magazine_cpu *layer_cpu(struct magazine_layer *l,
					   unsigned cpu)
{
	/* (l + 1) + cpu, but what is constant is added last: gcc would add it
	 * to the number, which is an instruction of the fast paths more. */
	char *at = (char *)l + cpu * sizeof(struct magazine_cpu);

	return (struct magazine_cpu *)(void *)(at + sizeof(*l));
}

KMEM_INLINE struct depot *layer_depot(struct magazine_layer *l, unsigned i)
{
	return (struct depot *)(void *)layer_cpu(l, zones.nr_cpus) + i;
}

#define for_each_depot(d, l) \
	for (struct depot *(d) = layer_depot(l, 0); \
	     (d) < layer_depot(l, NR_DEPOTS(zones.nr_cpus)); (d)++)

/* The round takes that place; what was there comes out. */
KMEM_INLINE void quarantine_swap(struct quarantine *q, size_t place,
				 struct round *r)
{
	struct round out = { q->obj[place], q->slot[place] };

	q->obj[place] = r->obj;
	q->slot[place] = r->slot;
	*r = out;
}

/* An object is freed: *r is another one then, which may be given out again.
 * Return: false if there is none yet. Blocks of pages, which have no slot, go
 * past it. As long as the queue has none to give, there is none in a seat. */
KMEM_INLINE bool quarantine_pass(struct magazine_cpu *c, struct round *r)
{
	struct quarantine *q = KMEM_HARDEN && r->slot ? c->quarantine : NULL;
	uint32_t now;

	if (!KMEM_HARDEN || KMEM_UNLIKELY(!q))
		return true;
	now = q->random * 1664525u + 1013904223u;
	q->random = now;
	quarantine_swap(q, (size_t)(now & q->last) + QUARANTINE_SEATS, r);
	quarantine_swap(q, now / (UINT32_MAX / QUARANTINE_SEATS + 1), r);
	if (KMEM_LIKELY(r->obj))
		return true;
	kmem_store_relaxed(&q->held, q->held + 1);
	return false;
}

/* The magazine that a CPU has loaded, or NULL; and how much is in it. */
KMEM_INLINE struct magazine *loaded(const struct magazine_cpu *c)
{
	return c->bottom ? kmem_container_of(c->bottom, struct magazine,
					     round[0]) : NULL;
}

KMEM_INLINE unsigned rounds(const struct magazine_cpu *c)
{
	return (unsigned)(c->top - c->bottom);
}

/* The frees of a CPU that no `directs` counts. Near, while it is at work. */
size_t frees_of(const struct magazine_cpu *c);

/* Run fn(arg) on every CPU that can be reached (hooks.run_on_cpu), on this
 * one last. Context: thread. */
void run_on_all_cpus(void (*fn)(void *arg), void *arg);

/* At boot, once, before any layer is used. */
void magazines_init(void);
/* Bytes of pages that hold magazines; return those that hold none. */
size_t magazines_bytes(void);
void magazines_shrink(void);
void magazines_check(struct check *c);
/* It is one that a layer has, wherever that pointer comes from. */
bool magazine_exists(const struct magazine *m);

/*
 * Set up a layer and its CPUs' parts. object_bytes and the two bounds in bytes
 * decide how many objects a magazine and the depot may hold; none, if
 * magazine_bytes is less than one.
 */
void magazine_layer_init(struct magazine_layer *l, size_t object_bytes,
			 size_t magazine_bytes, size_t depot_bytes);

/* Hardened: what is freed goes to a quarantine first; before anybody uses it. */
void magazine_layer_quarantine(struct magazine_layer *l, size_t object_bytes);

/* Raise these bounds of a layer in use; those that are lower stay as they
 * are. */
void magazine_layer_grow(struct magazine_layer *l, size_t object_bytes,
			 size_t magazine_bytes, size_t depot_bytes);

/* Of a layer that nobody has used: how many objects a magazine holds, instead;
 * at least 1, and no more than KMEM_MAGAZINE_ROUNDS. */
void magazine_layer_set_limit(struct magazine_layer *l, unsigned limit);

/*
 * When the fast path has failed: from the other magazine, the depot, or the
 * layer below.
 *
 * Context: any. Return: obj NULL if there is none but what had better be left to
 * other CPUs or nodes.
 */
struct round magazine_alloc_slow(struct magazine_layer *l);

/* When that has failed: from what other CPUs have left in the depot; or else any
 * object that the layer below has. */
struct round magazine_alloc_left(struct magazine_layer *l);
struct round magazine_alloc_last(struct magazine_layer *l);

/* When the fast path has failed: there is always room for a free. Return:
 * whether a full magazine left this CPU. */
bool magazine_free_slow(struct magazine_layer *l, void *obj,
			kmem_slot_t *slot);

/*
 * From what this CPU and the depot hold, to what this CPU has room for, without
 * waiting for anybody and without the layer below. Context: any, NMI included.
 * Return: false if it can't be done.
 */
bool magazine_try_alloc(struct magazine_layer *l, struct round *r);
bool magazine_try_free(struct magazine_layer *l, struct round r);
/* Then whoever went to the layer below himself counts it. */
void magazine_count_direct(struct magazine_layer *l, unsigned way);

/* Return this CPU's objects, or the depots' (depot.c; as many as there are at
 * the call), to the layer below; and this CPU's magazines too. */
void magazine_drain_cpu(struct magazine_layer *l);
void magazine_unload_cpu(struct magazine_layer *l);
void depot_drain(struct magazine_layer *l);

/* Return this CPU's magazines, if it has not used them since the last call; and
 * of the depot's up to `most` that were not needed since, lowering the depot's
 * bound. _cpu: not the depot's; return: whether that CPU's were idle, and have
 * gone. */
void magazine_trim(struct magazine_layer *l, size_t most);
bool magazine_trim_cpu(struct magazine_layer *l);

/* Drain both, and ask every other CPU to drain at its next slow path, which
 * its next free is. */
void magazine_drain(struct magazine_layer *l);

/* All of them, and the magazines too; no CPU may use the layer any more. */
void magazine_layer_fini(struct magazine_layer *l);

/* Figures; near, while CPUs are at work. */
void magazine_layer_stats(struct magazine_layer *l,
			  struct kmem_layer_stats *st);

/* Call fn for every round in magazines and depot. No CPU may use l. */
void magazine_for_each(struct magazine_layer *l,
		       void (*fn)(const struct round *r, void *arg),
		       void *arg);

/* Verify M1 to M5. No CPU may use l. */
void magazine_layer_check(struct magazine_layer *l, const char *name,
			  struct check *c);

/* False: whom we interrupted has set it. */
KMEM_INLINE bool busy_set(struct magazine_cpu *c)
{
	if (KMEM_ARCH_NESTS) {
		if (KMEM_UNLIKELY(kmem_load_plain(&c->busy)))
			return false;
		kmem_store_plain(&c->busy, 1);
	}
	kmem_barrier();
	return true;
}

KMEM_INLINE void busy_clear(struct magazine_cpu *c)
{
	kmem_barrier();
	if (KMEM_ARCH_NESTS)
		kmem_store_plain(&c->busy, 0);
}

/*
 * The fast paths. Between magazine_enter() and magazine_exit() the slots are
 * this context's: an interrupt that comes in between sees `busy` set and takes
 * the slow path, and one that comes outside finds them whole. The barriers
 * keep the compiler from moving the accesses out; the CPU sees its own
 * accesses in order.
 *
 * Return: NULL if this context is an interrupt that came in between; then
 * there is nothing to exit.
 */
KMEM_INLINE struct magazine_cpu *magazine_enter(struct magazine_layer *l)
{
	struct magazine_cpu *c = layer_cpu(l, kmem_arch_enter());

	kmem_barrier();			/* kmem_arch_enter() may be none */
	if (KMEM_LIKELY(busy_set(c)))
		return c;
	kmem_arch_exit();
	return NULL;
}

KMEM_INLINE void magazine_exit(struct magazine_cpu *c)
{
	busy_clear(c);
	kmem_arch_exit();
}

/* Pop. Return: false if the slow path must be tried. */
KMEM_INLINE bool magazine_alloc(struct magazine_layer *l, struct round *r)
{
	struct magazine_cpu *c = MAGAZINES ? magazine_enter(l) : NULL;
	struct round *top;
	bool any;

	if (KMEM_UNLIKELY(!c))
		return false;
	top = kmem_load_plain(&c->top);
	any = top != c->bottom;
	if (KMEM_LIKELY(any)) {
		*r = top[-1];
		kmem_store_plain(&c->top, top - 1);
		kmem_count(&c->served);
	}
	magazine_exit(c);
	return any;
}

/* Push. Return: false if the slow path must take it. */
KMEM_INLINE bool magazine_free(struct magazine_layer *l, void *obj,
			       kmem_slot_t *slot)
{
	struct magazine_cpu *c = MAGAZINES ? magazine_enter(l) : NULL;
	struct round *top;
	bool room;

	if (KMEM_UNLIKELY(!c))
		return false;
	top = kmem_load_plain(&c->top);
	room = top < kmem_load_plain(&c->end);
	if (KMEM_LIKELY(room)) {
		struct round r = { obj, slot };

		if (KMEM_LIKELY(quarantine_pass(c, &r))) {
			*top = r;
			kmem_store_plain(&c->top, top + 1);
		}
	}
	magazine_exit(c);
	return room;
}

/* Pop up to n, last in first out. Return: how many. */
KMEM_INLINE size_t magazine_alloc_many(struct magazine_layer *l,
				       struct round *rounds, size_t n)
{
	struct magazine_cpu *c = MAGAZINES ? magazine_enter(l) : NULL;
	struct round *top;
	size_t take = 0;

	if (KMEM_UNLIKELY(!c))
		return 0;
	for (top = kmem_load_plain(&c->top); take < n && top != c->bottom; )
		rounds[take++] = *--top;
	kmem_store_plain(&c->top, top);
	kmem_count_n(&c->served, take);
	magazine_exit(c);
	return take;
}

#endif /* KMEM_MAGAZINE_H */
