/* SPDX-License-Identifier: MIT */
/*
 * kmem/rcu.h - free, once nobody can be reading it any more.
 *
 * Needs the kernel's RCU: the hook call_rcu, and rcu_barrier to wait for it
 * (port.h). Without call_rcu each call here is reported and frees nothing.
 *
 * Objects are gathered in batches, of which each begins a grace period as soon
 * as the one before has ended: an object is freed after what is left of one
 * grace period and one more, at the latest, however few there are.
 *
 * Until then it is neither live nor free: kfree() or kfree_rcu() of it is
 * reported as a double free.
 *
 * Not there with KMEM_MAX_CPUS 1 and KMEM_MAGAZINE_ROUNDS 0 (config_small.h).
 */
#ifndef KMEM_RCU_H
#define KMEM_RCU_H

#include <kmem/page.h>

#if KMEM_DEFERRED

KMEM_BEGIN_DECLS

/**
 * kvfree_call_rcu - what the macros below call
 * @head: an rcu_head inside of the object, used only if there is no memory for
 *	a batch; or NULL: then it may sleep
 * @p: an object of kmalloc() or of a cache, or memory of vmalloc(); NULL does
 *	nothing
 *
 * Context: any, interrupt handlers included, NMI excepted; with head NULL:
 *	thread, may sleep.
 * Cost: O(1), one lock that few CPUs share; now and then a kmalloc().
 * Misuse: as kfree(): reported, and nothing is freed. Without the call_rcu hook
 *	the object stays as it is.
 */
void kvfree_call_rcu(struct rcu_head *head, void *p);

/**
 * kvfree_rcu_barrier - wait until all that was given to kfree_rcu() is free
 *
 * Context: thread; sleeps in the hook rcu_barrier. Without that hook it waits
 *	for nothing.
 */
void kvfree_rcu_barrier(void);

KMEM_END_DECLS

/* kfree_rcu(p, field): free p after a grace period; `field` of *p is a struct
 * rcu_head. Context: any but NMI. */
#define kmem_kfree_rcu(ptr, field) do { \
	__typeof__(ptr) kmem_freed = (ptr); \
	if (kmem_freed) \
		kvfree_call_rcu(&kmem_freed->field, (void *)kmem_freed); \
} while (0)

/* The same for an object without rcu_head. Context: thread, may sleep. */
#define kmem_kfree_rcu_mightsleep(ptr)	kvfree_call_rcu(NULL, (void *)(ptr))

#ifndef KMEM_PREFIX_NAMES
#define kfree_rcu(ptr, field)		kmem_kfree_rcu(ptr, field)
#define kfree_rcu_mightsleep(ptr)	kmem_kfree_rcu_mightsleep(ptr)
#define kvfree_rcu(ptr, field)		kmem_kfree_rcu(ptr, field)
#define kvfree_rcu_mightsleep(ptr)	kmem_kfree_rcu_mightsleep(ptr)
#define kfree_rcu_barrier()		kvfree_rcu_barrier()
#endif

#endif

#endif /* KMEM_RCU_H */
