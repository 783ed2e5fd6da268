/* SPDX-License-Identifier: MIT */
/*
 * grace.h - things that wait for a grace period of the kernel's RCU. The theory
 * is in grace.c.
 */
#ifndef KMEM_GRACE_H
#define KMEM_GRACE_H

#include "slab.h"

/* A queue. All zero: empty. Items are linked by `next`, NULL behind the last. */
struct grace {
	struct kmem_lock lock;
	/* under lock: */
	struct kmem_list *waiting;	/* for the grace period that runs */
	struct kmem_list *fresh;	/* came since, for the next one */
	bool running;			/* `head` is the kernel's */
	uint32_t begun;			/* grace periods */
	uint32_t ended;			/* of them, with all they held released */
	void (*release)(struct kmem_list *items);
	struct rcu_head head;
};

/*
 * The lock is held, and something is in `fresh`: begin a grace period for it,
 * if none runs. Return: true if grace_call() must be called with no lock held.
 */
bool grace_begin(struct grace *g, void (*release)(struct kmem_list *items));
void grace_call(struct grace *g);

/* Put an item into `fresh`, the lock being held. */
KMEM_INLINE void grace_push(struct grace *g, struct kmem_list *item)
{
	item->next = g->fresh;
	g->fresh = item;
}

/*
 * Wait until everything that is in g now has been released. Context: thread;
 * sleeps in hooks.rcu_barrier. Return: false if that is not there, and there is
 * something to wait for.
 */
bool grace_wait(struct grace *g);

/* Verify G1. */
void grace_check(struct grace *g, struct check *c);

/* For caches with SLAB_TYPESAFE_BY_RCU: kmem_slabs.retire, the end of a slab
 * that is on no list any more; wait for all of them, as grace_wait(). */
void slab_retire(struct kmem_slabs *s, struct page *head);
bool slabs_retired_wait(void);
/* Pages of slabs that are waiting. */
size_t slabs_retired_pages(void);
void slabs_retired_check(struct check *c);

/* Nothing waits any more: the memory it was in is gone. */
void grace_forget(void);

#endif /* KMEM_GRACE_H */
