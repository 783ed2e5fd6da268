/* SPDX-License-Identifier: MIT */
/*
 * vm_space.c - first fit in a range of addresses, in logarithmic time.
 *
 * There is a node for each part that is taken, none for what is free: a node
 * knows how much is free just below it.
 *
 *	start                                                      end
 *	|   gap A  [A.....]  gap B  [B..][C....]      gap top       |top
 *
 * The nodes are a search tree by address, balanced in height (Adelson-Velsky
 * and Landis 1962; Knuth, TAOCP 3, 6.2.3), and each also holds the largest gap
 * of its subtree, as any tree may hold what can be computed from a node and its
 * children (Cormen et al., Introduction to Algorithms, 14.2). So:
 *
 *	lowest gap of n bytes	go down: to the lower child if it has one so
 *				large, else stay, else to the higher child
 *	the node at an address	go down
 *	take			the new node is the next one's lower neighbour
 *				and shares its gap with it
 *	give			the next node's gap grows by node and gap
 *
 * To give therefore needs no memory and can't fail, and nothing is merged. The
 * top node, empty and never given, has the last gap.
 *
 * An alignment of more than a page: a gap of size + alignment - page fits
 * however it lies, and is found at once. If there is none, the gaps of at least
 * `size` are tried one by one, each an O(log n) step of its own, between which
 * the caller can let go of its lock.
 *
 * Invariants:
 *
 *  V1	by address, the nodes lie in the range and don't overlap; the tree has
 *	the same nodes in the same order as the list
 *  V2	each node's gap begins where its predecessor ends, and max_gap is the
 *	largest gap of its subtree; gaps and nodes add up to the range
 *  V3	the two subtrees of a node differ in height by at most 1, and `height`
 *	says it
 */
#include "bits.h"
#include "vm_space.h"

static struct vm_node *list_vm_node(struct kmem_list *l)
{
	return list_entry(l, struct vm_node, list);
}

/* ---- the tree ---- */

static unsigned height_of(const struct vm_node *n)
{
	return n ? n->height : 0;
}

static size_t max_gap_of(const struct vm_node *n)
{
	return n ? n->max_gap : 0;
}

static unsigned computed_height(const struct vm_node *n)
{
	return 1 + KMEM_MAX(height_of(n->child[0]), height_of(n->child[1]));
}

static size_t computed_max_gap(const struct vm_node *n)
{
	size_t below = KMEM_MAX(max_gap_of(n->child[0]),
				max_gap_of(n->child[1]));

	return KMEM_MAX(n->gap, below);
}

static void node_update(struct vm_node *n)
{
	n->height = computed_height(n);
	n->max_gap = computed_max_gap(n);
}

static void node_adopt(struct vm_node *parent, unsigned side,
		       struct vm_node *child)
{
	parent->child[side] = child;
	if (child)
		child->parent = parent;
}

/* Whoever is n's parent, or the root, has `by` instead. The top node is always
 * there: a root that goes is never the only one. */
static void node_replace(struct vm_space *s, struct vm_node *n,
			 struct vm_node *by)
{
	if (n->parent)
		node_adopt(n->parent, n == n->parent->child[1], by);
	else
		(s->root = by)->parent = NULL;
}

/* n goes down to that side; its other child takes its place. */
static struct vm_node *node_rotate(struct vm_space *s, struct vm_node *n,
				   unsigned side)
{
	struct vm_node *up = n->child[!side];

	node_replace(s, n, up);
	node_adopt(n, !side, up->child[side]);
	node_adopt(up, side, n);
	node_update(n);
	node_update(up);
	return up;
}

/* Its subtrees are in order. Return: what is in its place now. */
static struct vm_node *node_balance(struct vm_space *s, struct vm_node *n)
{
	unsigned high = height_of(n->child[1]) > height_of(n->child[0]);
	struct vm_node *tall = n->child[high];

	s->steps++;
	node_update(n);
	if (height_of(tall) <= height_of(n->child[!high]) + 1)
		return n;
	if (height_of(tall->child[!high]) > height_of(tall->child[high]))
		node_rotate(s, tall, high);
	return node_rotate(s, n, !high);
}

static void nodes_balance_up(struct vm_space *s, struct vm_node *n)
{
	for (; n; n = n->parent)
		n = node_balance(s, n);
}

/* Before `next`, which is below it in the tree or at its place. */
static void node_insert(struct vm_space *s, struct vm_node *n,
			struct vm_node *next)
{
	struct vm_node *lower = list_vm_node(next->list.prev);

	n->child[0] = n->child[1] = NULL;
	if (!next->child[0])
		node_adopt(next, 0, n);
	else
		node_adopt(lower, 1, n);
	list_add_tail(&n->list, &next->list);
	nodes_balance_up(s, n);		/* passes `next` */
}

/* Return: the lowest node whose subtrees have changed. */
static struct vm_node *node_unlink(struct vm_space *s, struct vm_node *n,
				   struct vm_node *next)
{
	struct vm_node *only = n->child[!n->child[0]], *from;

	if (!n->child[0] || !n->child[1]) {
		node_replace(s, n, only);
		return only ? only : n->parent;
	}
	/* `next` has no lower child, and takes n's place. */
	from = next->parent == n ? next : next->parent;
	node_replace(s, next, next->child[1]);
	node_adopt(next, 0, n->child[0]);
	node_adopt(next, 1, n->child[1]);
	node_replace(s, n, next);
	return from;
}

/* The next node by address, by the tree alone. */
static struct vm_node *node_next(struct vm_node *n)
{
	if (n->child[1]) {
		for (n = n->child[1]; n->child[0]; )
			n = n->child[0];
		return n;
	}
	while (n->parent && n == n->parent->child[1])
		n = n->parent;
	return n->parent;
}

/* ---- searching ---- */

struct vm_node *vm_space_from(struct vm_space *s, uintptr_t addr)
{
	struct vm_node *n = s->root, *best = NULL;

	while (n) {
		s->steps++;
		if (n->end > addr)
			best = n;
		n = n->child[n->end <= addr];
	}
	return best == &s->top ? NULL : best;
}

/* The lowest node of that subtree with such a gap: there is one. */
static struct vm_node *lowest_gap(struct vm_space *s, struct vm_node *n,
				  size_t need)
{
	for (;;) {
		s->steps++;
		if (max_gap_of(n->child[0]) >= need)
			n = n->child[0];
		else if (n->gap >= need)
			return n;
		else
			n = n->child[1];
	}
}

/* The lowest node that begins above `after` and has such a gap, or NULL. */
static struct vm_node *next_gap(struct vm_space *s, size_t need,
				uintptr_t after)
{
	struct vm_node *n = s->root, *at = NULL;

	if (n->max_gap < need)
		return NULL;
	while (n) {
		s->steps++;
		if (n->start > after)
			at = n;
		n = n->child[n->start <= after];
	}
	/* On from there: what is above it in its subtree, then upwards to the
	 * next parent that it is below of by address. */
	for (n = at; n; n = n->parent) {
		if (n->gap >= need)
			return n;
		if (max_gap_of(n->child[1]) >= need)
			return lowest_gap(s, n->child[1], need);
		while (n->parent && n == n->parent->child[1]) {
			s->steps++;
			n = n->parent;
		}
	}
	return NULL;
}

/* Where in the gap below `next` it lies; 0: it does not fit. */
static uintptr_t place_in_gap(const struct vm_node *next,
			      const struct vm_search *q)
{
	uintptr_t low = next->start - next->gap;
	uintptr_t aligned = low + q->lead + (q->align - 1);
	uintptr_t at = (aligned & ~(uintptr_t)(q->align - 1)) - q->lead;

	if (aligned < low || at > next->start || next->start - at < q->size)
		return 0;
	return at;
}

static void take_at(struct vm_space *s, struct vm_node *node, uintptr_t at,
		    size_t size, struct vm_node *next)
{
	node->start = at;
	node->end = at + size;
	node->gap = at - (next->start - next->gap);
	next->gap = next->start - node->end;
	s->nr++;
	s->taken_bytes += size;
	node_insert(s, node, next);
}

enum vm_found vm_space_try(struct vm_space *s, struct vm_node *node,
			   struct vm_search *q)
{
	size_t need = q->any ? q->size : q->size + (q->align - KMEM_PAGE_SIZE);
	struct vm_node *next = need < q->size ? NULL :
			       next_gap(s, need, q->after);
	uintptr_t at;

	if (!next && (q->any || q->align == KMEM_PAGE_SIZE))
		return VM_NONE;
	if (!next) {
		q->any = true;
		return VM_AGAIN;
	}
	at = place_in_gap(next, q);
	if (!at) {
		q->after = next->start;
		return VM_AGAIN;
	}
	take_at(s, node, at, q->size, next);
	return VM_TAKEN;
}

void vm_space_give(struct vm_space *s, struct vm_node *node)
{
	struct vm_node *next = list_vm_node(node->list.next);

	next->gap += node->gap + (node->end - node->start);
	s->nr--;
	s->taken_bytes -= node->end - node->start;
	list_del(&node->list);
	nodes_balance_up(s, node_unlink(s, node, next));
}

void vm_space_init(struct vm_space *s, uintptr_t start, uintptr_t end)
{
	memset(s, 0, sizeof(*s));
	s->start = start;
	s->top.start = s->top.end = end;
	s->top.gap = end - start;
	s->root = &s->top;
	list_init(&s->list);
	list_add(&s->top.list, &s->list);
	node_update(&s->top);
}

/* ---- the checker ---- */

static void check_links(const struct vm_space *s, struct vm_node *n,
			struct check *c)
{
	struct vm_node *next = n == &s->top ? NULL :
			       list_vm_node(n->list.next);

	if (node_next(n) != next || (n->parent ? n->parent->child[0] != n &&
				     n->parent->child[1] != n : s->root != n))
		check_violated(c, "V1: the node at 0x%lx: tree and list "
			       "disagree on what follows",
			       (unsigned long)n->start);
}

static void check_node(struct vm_node *n, uintptr_t low, struct check *c)
{
	unsigned a = height_of(n->child[0]), b = height_of(n->child[1]);

	if (n->start < low || n->end < n->start)
		check_violated(c, "V1: the node at 0x%lx overlaps what is "
			       "below it", (unsigned long)n->start);
	if (n->gap != n->start - low || n->max_gap != computed_max_gap(n))
		check_violated(c, "V2: the node at 0x%lx: gap %zu, largest %zu,"
			       " expected %zu, %zu", (unsigned long)n->start,
			       n->gap, n->max_gap, (size_t)(n->start - low),
			       computed_max_gap(n));
	if (n->height != computed_height(n) || a > b + 1 || b > a + 1)
		check_violated(c, "V3: the node at 0x%lx: height %u, subtrees "
			       "of %u and %u", (unsigned long)n->start,
			       n->height, a, b);
}

void vm_space_check(struct vm_space *s, struct check *c)
{
	size_t nr = 0, taken = 0, free = 0;
	uintptr_t low = s->start;
	struct kmem_list *l;

	list_for_each(l, &s->list) {
		struct vm_node *n = list_vm_node(l);

		check_links(s, n, c);
		check_node(n, low, c);
		low = n->end;
		nr++;
		taken += n->end - n->start;
		free += n->gap;
	}
	if (nr != s->nr + 1 || taken != s->taken_bytes ||
	    taken + free != s->top.end - s->start)
		check_violated(c, "V2: %zu nodes of %zu bytes and %zu bytes of "
			       "gaps; expected %zu of %zu in %zu", nr - 1,
			       taken, free, s->nr, s->taken_bytes,
			       (size_t)(s->top.end - s->start));
}
