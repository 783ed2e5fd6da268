/* SPDX-License-Identifier: MIT */
/*
 * vm_space.h - a range of addresses, parts of which are taken. Theory in
 * vm_space.c.
 *
 * Nothing here locks: the caller holds one lock for all of a space.
 */
#ifndef KMEM_VM_SPACE_H
#define KMEM_VM_SPACE_H

#include "invariant.h"
#include "list.h"

/* A part that is taken; the caller supplies it. */
struct vm_node {
	struct vm_node *child[2];	/* lower, higher addresses */
	struct vm_node *parent;
	struct kmem_list list;		/* all of a space, by address */
	uintptr_t start, end;		/* bytes [start, end) */
	size_t gap;			/* free bytes just below start */
	size_t max_gap;			/* the largest of its subtree */
	unsigned height;		/* of its subtree; a leaf has 1 */
};

struct vm_space {
	uintptr_t start;
	struct vm_node *root;
	struct kmem_list list;
	struct vm_node top;		/* empty, where the space ends */
	size_t nr, taken_bytes;		/* of nodes, the top one excluded */
	size_t steps;			/* nodes looked at, ever */
};

/* What is looked for, and how far. */
struct vm_search {
	size_t size;			/* bytes, a multiple of a page */
	size_t align;			/* a power of two, at least a page */
	size_t lead;			/* bytes; start + lead is aligned */
	/* of the search itself; 0 to begin with: */
	bool any;			/* gaps in which it may fit */
	uintptr_t after;		/* only gaps that end above this */
};

enum vm_found {
	VM_TAKEN,			/* node is set, and in the space */
	VM_AGAIN,			/* not yet: call again */
	VM_NONE,			/* there is no such gap */
};

/* [start, end): neither is 0. */
void vm_space_init(struct vm_space *s, uintptr_t start, uintptr_t end);

/*
 * One step of a search. The lowest gap that fits is taken if align is a page;
 * otherwise the lowest that fits however it lies, or else any that fits.
 *
 * Cost: O(log n). A search is one step, or with a larger alignment and only
 * narrow gaps at most 2 + the number of these.
 */
enum vm_found vm_space_try(struct vm_space *s, struct vm_node *node,
			   struct vm_search *q);

/* Give a node's bytes back. Cost: O(log n). */
void vm_space_give(struct vm_space *s, struct vm_node *node);

/* The lowest node that ends above an address: it contains it, if any does.
 * NULL: none does. Cost: O(log n). */
struct vm_node *vm_space_from(struct vm_space *s, uintptr_t addr);

/* Verify V1 to V3. */
void vm_space_check(struct vm_space *s, struct check *c);

#endif /* KMEM_VM_SPACE_H */
