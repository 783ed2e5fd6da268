/* SPDX-License-Identifier: MIT */
/*
 * magazine_cpu.h - one CPU's magazines of one layer, in the hands of who owns its
 * slots for the moment: a slow path (magazine.c), who wants back what they hold
 * (magazine_drain.c), who must not wait (magazine_try.c).
 */
#ifndef KMEM_MAGAZINE_CPU_H
#define KMEM_MAGAZINE_CPU_H

#include "depot.h"

/*
 * Interrupts are masked: from here to busy_clear() the slots of this CPU are
 * ours, from an NMI too. Return: NULL if whom we interrupted has them.
 */
KMEM_INLINE struct magazine_cpu *cpu_claim(struct magazine_layer *l)
{
	struct magazine_cpu *c = layer_cpu(l, kmem_arch_cpu());

	return busy_set(c) ? c : NULL;
}

/* Objects went past the magazines. Not only the slots' owner counts these. */
KMEM_INLINE void count_direct(struct magazine_layer *l, unsigned way)
{
	kmem_add_relaxed(&layer_cpu(l, kmem_arch_cpu())->directs[way], 1);
}

/* ---- interrupts are masked, and the slots are ours ---- */

/* Load m, which has n rounds; NULL: unload. */
KMEM_INLINE void load(struct magazine_cpu *c, struct magazine *m, unsigned n)
{
	struct round *bottom = m ? m->round : NULL;

	kmem_store_relaxed(&c->bottom, bottom);
	kmem_store_relaxed(&c->top, m ? bottom + n : NULL);
}

/* How far the loaded magazine may be filled. */
KMEM_INLINE struct round *load_end(const struct magazine_cpu *c)
{
	struct magazine *m = loaded(c);

	return m ? c->bottom + KMEM_MIN(c->limit, m->capacity) : NULL;
}

KMEM_INLINE void set_rounds(struct magazine_cpu *c, size_t n)
{
	KMEM_ASSERT(loaded(c) && n <= loaded(c)->capacity);
	kmem_store_relaxed(&c->top, c->bottom + n);
}

KMEM_INLINE void set_previous(struct magazine_cpu *c, struct magazine *m,
			      unsigned n)
{
	c->previous = m;
	kmem_store_relaxed(&c->previous_rounds, (uint8_t)n);
}

KMEM_INLINE void swap_magazines(struct magazine_cpu *c)
{
	struct magazine *m = loaded(c);
	unsigned n = rounds(c);

	load(c, c->previous, c->previous_rounds);
	set_previous(c, m, n);
}

KMEM_INLINE bool is_full(const struct magazine_cpu *c, const struct magazine *m,
			 unsigned n)
{
	return n >= KMEM_MIN(c->limit, m->capacity);
}

/* To the layer below. */
KMEM_INLINE void give_below(struct magazine_layer *l, struct magazine_cpu *c,
			    const struct round *r, size_t n)
{
	if (!n)
		return;
	kmem_count(&c->trips_below[DIR_FREE]);
	kmem_count_n(&c->moved[DIR_FREE], n);
	l->give(l, r, n);
}

/* There is one. */
KMEM_INLINE struct round pop_round(struct magazine_cpu *c)
{
	set_rounds(c, rounds(c) - 1);
	kmem_count(&c->served);
	return *c->top;
}

/* An object is freed, and there is room for what goes to the magazine. */
KMEM_INLINE void push_round(struct magazine_cpu *c, struct round r)
{
	if (quarantine_pass(c, &r)) {
		*c->top = r;
		set_rounds(c, rounds(c) + 1);
	}
}

/* All that both magazines hold, and the quarantine, to the layer below. */
void empty_both(struct magazine_layer *l, struct magazine_cpu *c);

/* The end of every slow path: let the fast ones use what is loaded now; or,
 * while somebody waits for memory, keep nothing. */
void settle(struct magazine_layer *l, struct magazine_cpu *c);

#endif /* KMEM_MAGAZINE_CPU_H */
