/* SPDX-License-Identifier: MIT */
/*
 * slab_check.c - what slabs hold, and their invariants, S1 to S6, verified.
 *
 * Where slab.c follows a link or believes a count, the checker recounts.
 */
#include "list.h"
#include "slab.h"

void slabs_sum(struct kmem_slabs *s, struct slab_node *sum)
{
	memset(sum, 0, sizeof(*sum));
	for (unsigned i = 0; i < s->nr_nodes; i++) {
		struct slab_node *n = &s->node[i];
		uintptr_t irq = lock_irq(&n->lock);

		sum->nr_slabs += n->nr_slabs;
		sum->nr_empty += n->nr_empty;
		sum->nr_pages += n->nr_pages;
		sum->capacity += n->capacity;
		sum->inuse += n->inuse;
		sum->made += n->made;
		LOCK_COUNT(&sum->lock, taken, LOCK_READ(&n->lock, taken));
		LOCK_COUNT(&sum->lock, contended,
			   LOCK_READ(&n->lock, contended));
		unlock_irq(&n->lock, irq);
	}
}

void slabs_empty(struct kmem_slabs *s, size_t *objects, size_t *pages)
{
	struct kmem_list *l;

	*objects = *pages = 0;
	for (unsigned i = 0; i < s->nr_nodes; i++) {
		struct slab_node *n = &s->node[i];
		uintptr_t irq = lock_irq(&n->lock);

		list_for_each(l, &n->empty) {
			*objects += slab_objects(list_page(l));
			*pages += (size_t)1 << list_page(l)->order;
		}
		unlock_irq(&n->lock, irq);
	}
}

size_t slabs_bytes(struct kmem_slabs *s)
{
	struct slab_node sum;

	slabs_sum(s, &sum);
	return sum.nr_pages << KMEM_PAGE_SHIFT;
}

static void walk_list(struct kmem_list *list,
		      void (*fn)(struct page *head, void *arg), void *arg)
{
	struct kmem_list *l;

	list_for_each(l, list)
		fn(list_page(l), arg);
}

void slabs_for_each_slab(struct kmem_slabs *s,
			 void (*fn)(struct page *head, void *arg), void *arg)
{
	for (unsigned i = 0; i < s->nr_nodes; i++) {
		for (unsigned k = 0; k < CPU_LISTS; k++)
			walk_list(&s->node[i].partial[k], fn, arg);
		walk_list(&s->node[i].full, fn, arg);
		walk_list(&s->node[i].empty, fn, arg);
	}
}

struct object_walk {
	kmem_slot_t state;
	void (*fn)(void *obj, unsigned index, void *arg);
	void *arg;
};

static void walk_slab(struct page *head, void *arg)
{
	const struct object_walk *w = arg;

	for (unsigned i = 0; i < slab_objects(head); i++)
		if (*slab_slot(head, i) == w->state)
			w->fn(slab_object(head, i), i, w->arg);
}

void slabs_for_each(struct kmem_slabs *s, kmem_slot_t state,
		    void (*fn)(void *obj, unsigned index, void *arg),
		    void *arg)
{
	struct object_walk w = { state, fn, arg };

	if (state == SLOT_LIVE)
		w.state = slabs_live(s);
	slabs_for_each_slab(s, walk_slab, &w);
}

/* ---- the checker ---- */

static unsigned chain_length(const struct page *head)
{
	unsigned n = 0;
	unsigned index = head->free;

	if (head->inuse == slab_objects(head))
		return 0;
	for (; index != SLOT_END && n <= slab_objects(head); n++) {
		if (index >= slab_objects(head))
			return slab_objects(head) + 1u;
		index = slab_next_free(head, index);
	}
	return n;
}

void slab_check(struct kmem_slabs *s, struct page *head,
		struct check *c)
{
	unsigned chain = chain_length(head), taken = 0;
	void *base = page_to_virt(head);

	for (unsigned i = 0; i < 1u << head->order; i++) {
		struct page *p = head + i;

		if (page_type(p) != PAGE_SLAB ||
		    p->to_offset != slab_to_offset(s, head) ||
		    p->slabs != s || p->slot != head->slot ||
		    p->order != head->order)
			check_violated(c, "S2: cache %s, slab %p: page %u is "
				       "not like the first", s->name, base, i);
	}
	for (unsigned i = 0; i < slab_objects(head); i++)
		taken += slot_taken(s, kmem_load_relaxed(slab_slot(head, i)));
	if (head->inuse + chain != slab_objects(head))
		check_violated(c, "S1: cache %s, slab %p: %u in use + %u free "
			       "of %u", s->name, base, head->inuse, chain,
			       slab_objects(head));
	if (head->inuse == slab_objects(head) && head->free >= CPU_LISTS)
		check_violated(c, "S3: cache %s, slab %p: full, of CPU list %u",
			       s->name, base, head->free);
	if (taken != head->inuse)
		check_violated(c, "S4: cache %s, slab %p: %u in use, but %u "
			       "slots are not free", s->name, base,
			       head->inuse, taken);
}

enum slab_list { SLABS_PARTIAL, SLABS_FULL, SLABS_EMPTY };

static bool placed_right(const struct page *p, enum slab_list which)
{
	if (p->inuse == slab_objects(p))
		return which == SLABS_FULL;
	return (p->inuse == 0) == (which == SLABS_EMPTY);
}

static void node_check_list(struct kmem_slabs *s, struct kmem_list *list,
			    enum slab_list which, struct slab_node *sum,
			    struct check *c)
{
	struct kmem_list *l;

	list_for_each(l, list) {
		struct page *p = list_page(l);

		slab_check(s, p, c);
		if (!placed_right(p, which))
			check_violated(c, "S3: cache %s, slab %p: %u of %u in "
				       "use, on list %d", s->name,
				       page_to_virt(p), p->inuse,
				       slab_objects(p), (int)which);
		sum->nr_slabs++;
		sum->nr_empty += which == SLABS_EMPTY;
		if (MAGAZINES && which == SLABS_EMPTY)
			c->empty_pages += (size_t)1 << p->order;
		sum->nr_pages += (size_t)1 << p->order;
		sum->capacity += slab_objects(p);
		sum->inuse += p->inuse;
	}
}

void slabs_check(struct kmem_slabs *s, struct check *c)
{
	for (unsigned i = 0; i < s->nr_nodes; i++) {
		struct slab_node *n = &s->node[i];
		struct slab_node sum = { .nr_slabs = 0 };

		for (unsigned k = 0; k < CPU_LISTS; k++)
			node_check_list(s, &n->partial[k], SLABS_PARTIAL, &sum,
					c);
		node_check_list(s, &n->full, SLABS_FULL, &sum, c);
		node_check_list(s, &n->empty, SLABS_EMPTY, &sum, c);
		if (sum.nr_slabs != n->nr_slabs ||
		    sum.nr_empty != n->nr_empty ||
		    sum.nr_pages != n->nr_pages ||
		    sum.capacity != n->capacity || sum.inuse != n->inuse)
			check_violated(c, "S5: cache %s, node %u: the counts "
				       "%zu %zu %zu %zu %zu are not the sums",
				       s->name, i, n->nr_slabs, n->nr_empty,
				       n->nr_pages, n->capacity, n->inuse);
		if (n->nr_empty > n->max_empty || n->idle_empty > n->nr_empty)
			check_violated(c, "S6: cache %s, node %u: %zu empty "
				       "slabs, %zu of them idle, bound %zu",
				       s->name, i, n->nr_empty, n->idle_empty,
				       n->max_empty);
	}
}
