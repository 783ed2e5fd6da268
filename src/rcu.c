/* SPDX-License-Identifier: MIT */
/*
 * rcu.c - kfree_rcu(): free, once nobody can be reading it any more.
 *
 *	kfree_rcu(p)
 *	   │ the checks of kfree(); LIVE -> RCU
 *	   ▼
 *	a batch, of those that came since      ┐
 *	the last grace period began            │ a queue for
 *	   ▼ begin                             │ grace periods
 *	batches that wait for this one         │ (grace.c)
 *	   ▼ it has ended                      ┘
 *	RCU -> CACHED, to a magazine, as kfree() does it
 *
 * A batch is an array of addresses, from kmalloc(); each CPU has a queue, or
 * shares it with a few. So the kernel's call_rcu() is called once in a grace
 * period for each queue, not once an object; an object's own rcu_head is used
 * only when there is no memory for a batch. The first object of an idle queue
 * begins a grace period at once: nothing has to fill up, and no object waits
 * longer than what is left of one grace period and one more.
 *
 * While it waits, an object is in state RCU, a large block of type PAGE_RCU, and
 * an area of vmalloc()'s ENDING: neither live nor free. So a second free of it,
 * of whatever kind, is found at once; and kmem_cache_destroy() knows whom to wait
 * for.
 *
 * Invariant:
 *
 *  R1	what is in a batch is in state RCU, of type PAGE_RCU, or vmalloc()'s
 *
 * Locks: the queue's, for each call; memory for batches is asked for outside of
 * it. Not done: calls from an NMI.
 */
#include "list.h"
#include "rcu.h"
#include "vm_ops.h"

#define NR_QUEUES	(KMEM_MAX_CPUS >= 8 ? 8u : KMEM_MAX_CPUS > 1 ? 2u : 1u)
#define BATCH_BYTES	(KMEM_PAGE_SIZE < 1024 ? KMEM_PAGE_SIZE : (size_t)1024)
#define BATCH_ROOM	((BATCH_BYTES - sizeof(struct batch)) / sizeof(void *))

struct batch {
	struct kmem_list link;		/* in a queue; only `next` */
	size_t n;
	const void *p[];
};

static struct grace queues[NR_QUEUES];

/* Some wait by their own rcu_head; cleared before they are waited for. */
static unsigned alone;

static const struct deferred_state waits = { SLOT_RCU, PAGE_RCU };

/* ---- when the grace period is over ---- */

static void finish(const void *p)
{
	if (vm_range_has(p))
		vm_range.ops->finish(p);
	else if (!deferred_finish(p, waits))
		kmem_misuse("bad free", p, "kmem: kfree_rcu(%p): after the "
			    "grace period it is not what it was: freed twice, "
			    "by CPUs that raced", p);
}

static void free_batches(struct kmem_list *items)
{
	while (items) {
		struct batch *b = list_entry(items, struct batch, link);

		items = items->next;
		for (size_t i = 0; i < b->n; i++)
			finish(b->p[i]);
		kfree(b);
	}
}

/* The object, or the block, that an rcu_head lies in. */
static const void *owner_of(const struct rcu_head *head)
{
	struct page *page = virt_to_page(head);

	if (page->slabs)
		return slab_object(slab_head(page),
				   (unsigned)slab_index(page, page->slabs,
							head).index -
				   slabs_first(page->slabs));
	if (page_type(page) == PAGE_TAIL)
		page = page_find_head(page);
	return page_to_virt(page);
}

static void free_by_head(struct rcu_head *head)
{
	finish(vm_range_has(head) ? head : owner_of(head));
}

/* ---- kfree_rcu() ---- */

/* Into the batch that is being filled, or into b. Return: false if there is no
 * room, and no b. The lock is held. */
static bool batch_add(struct grace *g, const void *p, struct batch **b)
{
	struct batch *open = g->fresh ? list_entry(g->fresh, struct batch,
						   link) : NULL;

	if (!open || open->n == BATCH_ROOM) {
		if (!*b)
			return false;
		open = *b;
		*b = NULL;
		open->n = 0;
		grace_push(g, &open->link);
	}
	open->p[open->n++] = p;
	return true;
}

static bool queue_add(struct grace *g, const void *p, struct batch **b)
{
	uintptr_t irq = lock_irq(&g->lock);
	bool added = batch_add(g, p, b);
	bool call = added && grace_begin(g, free_batches);

	unlock_irq(&g->lock, irq);
	if (call)
		grace_call(g);
	return added;
}

/* Return: false without memory. */
static bool add(const void *p, gfp_t gfp)
{
	struct grace *g = &queues[kmem_arch_cpu() % NR_QUEUES];
	struct batch *b = NULL;

	if (queue_add(g, p, &b))
		return true;
	b = kmalloc(BATCH_BYTES, gfp | __GFP_NOWARN);
	if (!b)
		return false;
	queue_add(g, p, &b);		/* now it can */
	kfree(b);			/* there was room by then */
	return true;
}

struct sleeper {
	struct rcu_head head;
	unsigned done;
};

static void wake(struct rcu_head *head)
{
	struct sleeper *s = kmem_container_of(head, struct sleeper, head);

	kmem_store_release(&s->done, 1);
}

/* No memory for a batch and no rcu_head: wait for the grace period here. */
static void free_and_sleep(const void *p)
{
	struct sleeper s = { .done = 0 };

	if (!kmem_hooks.rcu_barrier) {
		kmem_misuse("no memory", p, "kmem: kfree_rcu_mightsleep(%p): no "
			    "memory, and no rcu_barrier hook to wait with: it "
			    "is not freed", p);
		return;
	}
	kmem_hooks.call_rcu(kmem_hooks.ctx, &s.head, wake);
	while (!kmem_load_acquire(&s.done))
		kmem_hooks.rcu_barrier(kmem_hooks.ctx);
	finish(p);
}

static void wait_for_all(void)
{
	for (unsigned i = 0; i < NR_QUEUES; i++)
		grace_wait(&queues[i]);
	if (!kmem_load_acquire(&alone) || !kmem_hooks.rcu_barrier)
		return;
	kmem_store_relaxed(&alone, 0);
	kmem_hooks.rcu_barrier(kmem_hooks.ctx);
}

static bool claim(const void *p, uintptr_t caller)
{
	return vm_range_has(p) ?
	       vm_range.ops->claim("kfree_rcu", p, caller) :
	       deferred_claim("kfree_rcu", p, waits, caller);
}

void kvfree_call_rcu(struct rcu_head *head, void *p)
{
	if (ZERO_OR_NULL_PTR(p))
		return;
	if (!kmem_hooks.call_rcu) {
		kmem_misuse("no RCU", p, "kmem: kfree_rcu(%p): there is no "
			    "call_rcu hook: it is not freed", p);
		return;
	}
	if (!claim(p, KMEM_CALLER))
		return;
	kmem_store_relaxed(&zones.rcu_flush, wait_for_all);
	if (add(p, head ? GFP_NOWAIT : GFP_KERNEL))
		return;
	if (!head) {
		free_and_sleep(p);
		return;
	}
	kmem_hooks.call_rcu(kmem_hooks.ctx, head, free_by_head);
	kmem_store_release(&alone, 1);
}

void kvfree_rcu_barrier(void)
{
	wait_for_all();
	if (vm_ops())
		vm_range.ops->settle();
}

/* ---- the checker ---- */

static void batch_check(const struct batch *b, struct check *c)
{
	for (size_t i = 0; i < b->n; i++) {
		const struct page *page = virt_to_page(b->p[i]);
		const kmem_slot_t *slot = deferred_slot(page, b->p[i]);

		if (vm_range_has(b->p[i]))
			continue;
		if (slot ? *slot != SLOT_RCU :
			   !page || page_type(page) != PAGE_RCU)
			check_violated(c, "R1: %p is in a batch of kfree_rcu(),"
				       " but not in state RCU", b->p[i]);
	}
}

static void batches_check(struct kmem_list *l, struct check *c)
{
	for (; l; l = l->next)
		batch_check(list_entry(l, struct batch, link), c);
}

void rcu_check(struct check *c)
{
	slabs_retired_check(c);
	for (unsigned i = 0; i < NR_QUEUES; i++) {
		uintptr_t irq = lock_irq(&queues[i].lock);

		grace_check(&queues[i], c);
		batches_check(queues[i].waiting, c);
		batches_check(queues[i].fresh, c);
		unlock_irq(&queues[i].lock, irq);
	}
}

void rcu_forget(void)
{
	memset(queues, 0, sizeof(queues));
	alone = 0;
}
