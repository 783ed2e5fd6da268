/* SPDX-License-Identifier: MIT */
/*
 * grace.c - things that wait for a grace period of the kernel's RCU.
 *
 *	     push            begin                  grace_done
 *	item ────► fresh ──────────────► waiting ─────────────► released
 *	                 at once if no             and what is fresh by then
 *	                 grace period runs,        begins the next one
 *	                 else when it ends
 *
 * A queue gives the kernel one rcu_head at a time, however much is in it: what
 * comes while a grace period runs can't be covered by it, and is kept for the
 * next. So an item waits for what is left of one grace period and for one more,
 * and nobody needs a timer. The items need no rcu_head, and may be of any number.
 *
 * Two kinds of things wait here: batches of objects given to kfree_rcu()
 * (rcu.c), and the emptied slabs of caches with SLAB_TYPESAFE_BY_RCU. Of those
 * the objects may be reused at once, but a reader who has found one by a
 * pointer that was good when his read-side section began must still find an
 * object of that type, free or not. So the slab's pages go back a grace period
 * after its last object did. Meanwhile the slab is on no list; it waits by the
 * link in its descriptor. Its cache is not destroyed before.
 *
 * Invariant, of each queue:
 *
 *  G1	something is waiting or fresh if and only if running
 *
 * Locks: the queue's, for a few instructions. The hooks are called with no
 * lock of the queue's held; but slabs come from wherever memory is given up, so
 * that interrupts may be masked, and the list of caches locked.
 */
#include "grace.h"
#include "list.h"

static struct grace retired;
static size_t retired_pages;

/* ---- a queue ---- */

static void grace_done(struct rcu_head *head);

bool grace_begin(struct grace *g, void (*release)(struct kmem_list *items))
{
	if (g->running || !g->fresh)
		return false;
	g->running = true;
	g->begun++;
	g->waiting = g->fresh;
	g->fresh = NULL;
	g->release = release;
	return true;
}

void grace_call(struct grace *g)
{
	kmem_hooks.call_rcu(kmem_hooks.ctx, &g->head, grace_done);
}

static void grace_done(struct rcu_head *head)
{
	struct grace *g = kmem_container_of(head, struct grace, head);
	struct kmem_list *items = g->waiting;
	uintptr_t irq;
	bool again;

	/* Nobody else looks at what waits, as long as it is running. */
	g->waiting = NULL;
	g->release(items);
	irq = lock_irq(&g->lock);
	g->running = false;
	again = grace_begin(g, g->release);
	g->ended++;
	unlock_irq(&g->lock, irq);
	if (again)
		grace_call(g);
}

static uint32_t grace_ended(struct grace *g)
{
	uintptr_t irq = lock_irq(&g->lock);
	uint32_t ended = g->ended;

	unlock_irq(&g->lock, irq);
	return ended;
}

bool grace_wait(struct grace *g)
{
	uintptr_t irq = lock_irq(&g->lock);
	uint32_t last = g->begun + (g->fresh ? 1 : 0);

	unlock_irq(&g->lock, irq);
	while ((int32_t)(grace_ended(g) - last) < 0) {
		if (!kmem_hooks.rcu_barrier)
			return false;
		/* More than once if another CPU is about to call call_rcu. */
		kmem_hooks.rcu_barrier(kmem_hooks.ctx);
	}
	return true;
}

void grace_check(struct grace *g, struct check *c)
{
	if ((g->waiting || g->fresh) != g->running)
		check_violated(c, "G1: a queue for grace periods: waiting %p, "
			       "fresh %p, running %d", (void *)g->waiting,
			       (void *)g->fresh, (int)g->running);
}

/* ---- slabs of caches with SLAB_TYPESAFE_BY_RCU ---- */

static void unmake_all(struct kmem_list *items)
{
	while (items) {
		struct page *head = list_page(items);

		items = items->next;
		list_init(&head->list);
		kmem_add_relaxed(&retired_pages, 0 - ((size_t)1 << head->order));
		slab_unmake(head->slabs, head);
	}
}

void slab_retire(struct kmem_slabs *s, struct page *head)
{
	uintptr_t irq = lock_irq(&retired.lock);
	bool call;

	(void)s;
	kmem_add_relaxed(&retired_pages, (size_t)1 << head->order);
	grace_push(&retired, &head->list);
	call = grace_begin(&retired, unmake_all);
	unlock_irq(&retired.lock, irq);
	if (call)
		grace_call(&retired);
}

bool slabs_retired_wait(void)
{
	return grace_wait(&retired);
}

size_t slabs_retired_pages(void)
{
	return KMEM_DEFERRED ? kmem_load_relaxed(&retired_pages) : 0;
}

void slabs_retired_check(struct check *c)
{
	grace_check(&retired, c);
}

void grace_forget(void)
{
	memset(&retired, 0, sizeof(retired));
	retired_pages = 0;
}
