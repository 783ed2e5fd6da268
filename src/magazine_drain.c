/* SPDX-License-Identifier: MIT */
/*
 * magazine_drain.c - what magazines hold goes back to the layer below.
 *
 * A CPU's magazines are its own, so that only it can empty them: in a call that
 * runs on it (run_on_all_cpus), in a trim of its own (cache_trim.c says when), or at
 * its next slow path, which looks whether the layer's `epoch` has been raised.
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
 * Locks: none of its own; depots and the layer below have theirs.
 */
#include "magazine_cpu.h"

/* ---- one CPU's; interrupts are masked, and the slots are ours ---- */

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

void empty_both(struct magazine_layer *l, struct magazine_cpu *c)
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

void settle(struct magazine_layer *l, struct magazine_cpu *c)
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

/* ---- who calls for it ---- */

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
