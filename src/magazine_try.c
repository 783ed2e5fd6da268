/* SPDX-License-Identifier: MIT */
/*
 * magazine_try.c - magazines for who must not wait: the _nolock calls (nolock.c).
 *
 * An NMI may land in a slow path, between any two stores. It then finds `busy`
 * set, and the slots are not its own. When they are, it pops and pushes, and swaps
 * the two magazines; it makes none, and asks nobody below. A swap leaves the
 * loaded one closed (magazine_drain.c), for `end` is what other CPUs write, and
 * the next free settles it.
 *
 * Locks: a depot's is tried.
 */
#include "magazine_cpu.h"

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
