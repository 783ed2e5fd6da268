/* SPDX-License-Identifier: MIT */
/*
 * rcu.h - kfree_rcu(), for check and reset.
 */
#ifndef KMEM_RCU_PRIVATE_H
#define KMEM_RCU_PRIVATE_H

#include "deferred.h"
#include "grace.h"

#include <kmem/rcu.h>

/* Verify R1 and G1. */
void rcu_check(struct check *c);

/* Nothing waits any more: the memory it was in is gone. */
void rcu_forget(void);

/* Where <kmem/rcu.h> has no calls, they are compiled all the same, and no
 * program holds them. */
#if !KMEM_DEFERRED
void kvfree_call_rcu(struct rcu_head *head, void *p);
void kvfree_rcu_barrier(void);
#endif

#endif /* KMEM_RCU_PRIVATE_H */
