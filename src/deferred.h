/* SPDX-License-Identifier: MIT */
/*
 * deferred.h - a free in two halves, for those who can't do it at once.
 *
 *	      claim               finish
 *	LIVE ────────► CACHED, or ───────► in a magazine or its slab
 *	               RCU, NOLOCK
 *
 * The first half is all of kfree()'s checks, and takes the object from its
 * user: from then on a free of it is a double free. A large block of kmalloc()
 * goes the same way by its page's type. What becomes of it in between is the
 * caller's business: nolock.c, rcu.c.
 */
#ifndef KMEM_DEFERRED_H
#define KMEM_DEFERRED_H

#include "kmalloc.h"

/* What an object or a block of pages is in between. */
struct deferred_state {
	kmem_slot_t slot;
	uint8_t type;			/* enum kmem_page_type */
};

/* Where an object's state is; NULL: in a block that is no slab, or nowhere. */
kmem_slot_t *deferred_slot(const struct page *page, const void *p);

/* Context: any, NMI included. Return: false if p can't be freed by `call`,
 * which has been reported; nothing has changed. */
bool deferred_claim(const char *call, const void *p, struct deferred_state to,
		    uintptr_t caller);

/* Context: any but NMI. Return: false if p is not in that state. */
bool deferred_finish(const void *p, struct deferred_state from);

#endif /* KMEM_DEFERRED_H */
