/* SPDX-License-Identifier: MIT */
/*
 * slab.c - objects of one size (Bonwick 1994), their state out of their reach.
 *
 * A slab is a block of 2^order pages cut into objects:
 *
 *	pages        | obj 0 | obj 1 | obj 2 | obj 3 | ... | rest |
 *	slot[]          4       LIVE   CACHED   END
 *	descriptor   slabs, slot ──┘   free = 0, inuse = 2, objects
 *
 * For each object there is one small integer, its slot. Nothing is ever
 * written into a free object, so that a use after free can't harm the
 * allocator, and the state of an object is known from its address alone:
 *
 *	index or END   free, in the slab; the next free slot
 *	CACHED         free, in a magazine or a depot, or on its way there
 *	LIVE           allocated
 *
 *	       take            cache_alloc           kfree           give
 *	free ───────► CACHED ─────────────► LIVE ─────────► CACHED ───────► free
 *
 * This file moves objects between free and CACHED, under the lock of their
 * node. The owner of a CACHED or LIVE object changes its slot without a lock:
 * slots are bytes, so CPUs that own neighbours don't disturb one another. (A
 * slot is read and written as an atomic all the same: a free that should not
 * be looks at the slot of an object whose owner is somebody else.)
 *
 * Slots of up to KMEM_INLINE_SLOTS objects lie inside the descriptor. Longer
 * arrays come from tables of 32 to 256 bytes, slabs themselves, whose own
 * slots come from a table of longer arrays; those of the longest are inline,
 * and there the recursion ends. Where bytes are left over at the end of a
 * slab, their index has a slot too, which is never LIVE: whatever a pointer
 * into a slab is, its index is good to look up.
 *
 * A node keeps its slabs on three lists: partial (some free), full (none
 * free), empty (all free; at most max_empty, so that a cache which breathes
 * by one object doesn't make and free a slab each time). take uses partial
 * slabs first, then empty ones.
 *
 * The order of slabs is the smallest that wastes at most 1/8 of the slab and
 * holds SLAB_GOOD_OBJECTS; failing that, the one that wastes least. When
 * memory has no block of that order, the smallest that holds an object is
 * used, so `objects` is a property of each slab.
 *
 * Invariants, for each slab of a node:
 *
 *  S1	inuse == objects - length of the chain of free slots
 *  S2	all its pages have type PAGE_SLAB, and the same owner, slot array and
 *	number of objects
 *  S3	it is on `full` if inuse == objects, on `empty` if inuse == 0, else on
 *	`partial`
 *  S4	every slot not on the chain is LIVE or CACHED
 * and for each node:
 *  S5	capacity, inuse, nr_pages: the sums over its slabs; nr_slabs and
 *	nr_empty: the lengths of the lists
 *  S6	nr_empty <= max_empty
 *
 * Locks: node->lock guards the lists, the counts, and `free`, `inuse` and the
 * chain of its slabs. Pages are asked for and given back outside of it.
 */
#include "bits.h"
#include "list.h"
#include "slab.h"

#define SLAB_GOOD_OBJECTS	4

/* ---- geometry ---- */

static unsigned slab_capacity(size_t size, unsigned order)
{
	size_t n = bits_divide(KMEM_PAGE_SIZE << order, size);

	return (unsigned)KMEM_MIN(n, SLAB_MAX_OBJECTS);
}

size_t slab_waste(size_t size, unsigned order)
{
	return (KMEM_PAGE_SIZE << order) - slab_capacity(size, order) * size;
}

static bool slab_fits_well(size_t size, unsigned order)
{
	return slab_capacity(size, order) >= SLAB_GOOD_OBJECTS &&
	       slab_waste(size, order) <= KMEM_PAGE_SIZE << order >> 3;
}

static void choose_order(struct kmem_slabs *s)
{
	unsigned best = 0, o = 0;

	while (!slab_capacity(s->size, o))
		o++;
	s->min_order = (uint8_t)o;
	for (best = o; o <= KMEM_SLAB_MAX_ORDER; o++) {
		if (slab_fits_well(s->size, o)) {
			best = o;
			break;
		}
		/* in proportion to the slab: compare at the highest order */
		if (slab_waste(s->size, o) << (KMEM_SLAB_MAX_ORDER - o) <
		    slab_waste(s->size, best) << (KMEM_SLAB_MAX_ORDER - best))
			best = o;
	}
	s->order = (uint8_t)best;
	s->objects = (uint16_t)slab_capacity(s->size, best);
}

void slabs_init(struct kmem_slabs *s, const char *name, size_t size,
		struct slab_node *node, unsigned nr_nodes)
{
	memset(s, 0, sizeof(*s));
	s->name = name;
	s->size = (uint32_t)KMEM_MAX(size, SLAB_MIN_SIZE);
	s->reciprocal = (uint32_t)bits_divide(UINT32_MAX, s->size) + 1;
	s->max_empty = 1;
	s->get_pages = slabs_raw_pages;
	s->put_pages = slabs_put_raw_pages;
	s->nr_nodes = nr_nodes;
	s->node = node;
	choose_order(s);
	for (unsigned i = 0; i < nr_nodes; i++) {
		memset(&node[i], 0, sizeof(node[i]));
		list_init(&node[i].partial);
		list_init(&node[i].full);
		list_init(&node[i].empty);
	}
}

struct page *slabs_raw_pages(struct kmem_slabs *s, gfp_t gfp, unsigned node,
			     unsigned order)
{
	(void)s;
	(void)gfp;
	return zones_take_raw(node, order, true);
}

struct page *slabs_spare_pages(struct kmem_slabs *s, gfp_t gfp, unsigned node,
			       unsigned order)
{
	(void)s;
	(void)gfp;
	return zones_take_raw(node, order, false);
}

void slabs_put_raw_pages(struct kmem_slabs *s, struct page *page,
			 unsigned order)
{
	(void)s;
	zones_give_raw(page, order);
}

/* ---- one slab ---- */

static void *slab_object(const struct page *head, unsigned index)
{
	return (char *)page_to_virt(head) + (size_t)index * head->slabs->size;
}

static void slab_set_pages(struct kmem_slabs *s, struct page *head,
			   unsigned order, kmem_slot_t *slot)
{
	for (unsigned i = 0; i < 1u << order; i++) {
		struct page *p = head + i;

		p->order = (uint8_t)order;
		p->slab_offset = (uint16_t)(i << KMEM_PAGE_SHIFT);
		p->slabs = s;
		p->slot = slot;
		p->objects = (kmem_slot_t)slab_capacity(s->size, order);
		page_set_type(p, PAGE_SLAB);
	}
}

static struct page *slab_get_pages(struct kmem_slabs *s, gfp_t gfp,
				   unsigned node, unsigned *order)
{
	gfp_t at_once = (gfp & ~(__GFP_DIRECT_RECLAIM | __GFP_NOFAIL)) |
			__GFP_NORETRY | __GFP_NOWARN;
	struct page *page;

	*order = s->order;
	if (s->order > s->min_order) {
		page = s->get_pages(s, at_once, node, s->order);
		if (page)
			return page;
	}
	*order = s->min_order;
	return s->get_pages(s, gfp, node, s->min_order);
}

/* A new slab, on no list, all of its objects free. */
static struct page *slab_make(struct kmem_slabs *s, gfp_t gfp, unsigned node)
{
	struct page *head;
	kmem_slot_t *slot;
	unsigned order, n, slots;

	gfp = (gfp & ~(__GFP_ZERO | KMEM_GFP_ZONEMASK)) | s->gfp;
	head = slab_get_pages(s, gfp, node, &order);
	if (!head)
		return NULL;
	n = slab_capacity(s->size, order);
	slots = nr_slots(s, order);
	slot = slots_get(s, head, slots);
	if (!slot) {
		s->put_pages(s, head, order);
		if (!(gfp & __GFP_NOWARN))
			kmem_log("kmem: cache %s: no memory for the states of "
				 "a slab's %u objects, gfp 0x%x", s->name, n,
				 gfp);
		return NULL;
	}
	for (unsigned i = 0; i < slots; i++)
		kmem_store_relaxed(&slot[i], i + 1 < n ?
				   (kmem_slot_t)(i + 1) : SLOT_END);
	slab_set_pages(s, head, order, slot);
	head->inuse = 0;
	head->free = 0;
	for (unsigned i = 0; s->ctor && i < n; i++)
		s->ctor(slab_object(head, i));
	return head;
}

/* It is on no list any more. */
static void slab_unmake(struct kmem_slabs *s, struct page *head)
{
	unsigned order = head->order;

	slots_put(s, head, nr_slots(s, order));
	for (unsigned i = 0; i < 1u << order; i++) {
		struct page *p = head + i;

		page_set_type(p, i ? PAGE_TAIL : PAGE_ALLOCATED);
		p->slabs = NULL;
		p->slot = NULL;
	}
	s->put_pages(s, head, order);
}

/* ---- the slabs of a node; its lock is held ---- */

static void slab_place(struct slab_node *n, struct page *head)
{
	list_del(&head->list);
	if (head->inuse == head->objects) {
		list_add(&head->list, &n->full);
	} else if (head->inuse == 0) {
		list_add(&head->list, &n->empty);
		n->nr_empty++;
	} else {
		list_add(&head->list, &n->partial);
	}
}

/*
 * The chain of free slots leads nowhere: a CPU was held up between finding an
 * object LIVE and marking it CACHED for so long that another CPU's free of the
 * same object got here first. The slab's free objects are lost with the chain,
 * and count as live from now on; nothing else is.
 */
static KMEM_COLD void slab_broken(struct slab_node *n, struct page *head)
{
	kmem_misuse("kmem: cache %s, slab %p: an object was freed twice, by "
		    "CPUs that raced; the slab's %u free objects are lost",
		    head->slabs->name, page_to_virt(head),
		    (unsigned)(head->objects - head->inuse));
	for (unsigned i = 0; i < head->objects; i++)
		if (head->slot[i] != SLOT_CACHED)
			kmem_store_relaxed(&head->slot[i], SLOT_LIVE);
	n->inuse += (size_t)(head->objects - head->inuse);
	head->inuse = head->objects;
	head->free = SLOT_END;
	slab_place(n, head);
}

/* Up to `want` objects of one slab. */
static size_t slab_take(struct slab_node *n, struct page *head,
			struct round *rounds, size_t want)
{
	size_t room = (size_t)(head->objects - head->inuse);
	size_t take = KMEM_MIN(room, want);
	bool was_empty = head->inuse == 0;
	char *base = page_to_virt(head);
	size_t size = head->slabs->size;
	unsigned index = head->free;

	for (size_t i = 0; i < take; i++) {
		unsigned next;

		if (KMEM_UNLIKELY(index >= head->objects)) {
			take = i;
			room = 0;
			break;
		}
		next = head->slot[index];
		kmem_store_relaxed(&head->slot[index], SLOT_CACHED);
		rounds[i].obj = base + index * size;
		rounds[i].slot = &head->slot[index];
		index = next;
	}
	head->free = (kmem_slot_t)index;
	head->inuse = (kmem_slot_t)(head->inuse + take);
	n->inuse += take;
	n->nr_empty -= was_empty;
	if (KMEM_UNLIKELY(!room))
		slab_broken(n, head);
	else if (was_empty || take == room)
		slab_place(n, head);
	return take;
}

static size_t node_take(struct slab_node *n, struct round *rounds,
			size_t want)
{
	uintptr_t irq = lock_irq(&n->lock);
	size_t got = 0;

	while (got < want) {
		struct kmem_list *l = &n->partial;

		if (list_empty(l))
			l = &n->empty;
		if (list_empty(l))
			break;
		got += slab_take(n, list_page(l->next), rounds + got,
				 want - got);
	}
	unlock_irq(&n->lock, irq);
	return got;
}

/* Put one object back. Slabs to be freed are collected on `excess`. */
static void slab_put(struct kmem_slabs *s, struct slab_node *n,
		     struct page *head, unsigned index,
		     struct kmem_list *excess)
{
	bool was_full = head->inuse == head->objects;

	KMEM_ASSERT(head->inuse > 0 && head->slabs == s);
	kmem_store_relaxed(&head->slot[index], head->free);
	head->free = (kmem_slot_t)index;
	head->inuse--;
	n->inuse--;
	if (head->inuse == 0 && n->nr_empty >= s->max_empty) {
		list_del(&head->list);
		list_add(&head->list, excess);
		n->nr_slabs--;
		n->nr_pages -= (size_t)1 << head->order;
		n->capacity -= head->objects;
		n->freed++;
	} else if (was_full || head->inuse == 0) {
		slab_place(n, head);
	}
}

static void free_excess(struct kmem_slabs *s, struct kmem_list *excess)
{
	while (!list_empty(excess)) {
		struct page *head = list_page(excess->next);

		list_del(&head->list);
		slab_unmake(s, head);
	}
}

/* ---- what the other layers call ---- */

static struct slab_node *slabs_node(struct kmem_slabs *s, unsigned node)
{
	return &s->node[s->nr_nodes == 1 ? 0 : node];
}

size_t slabs_take(struct kmem_slabs *s, struct round *rounds, size_t n)
{
	const struct node *here = zones.node[this_node()];
	size_t got = 0;

	for (unsigned i = 0; i < s->nr_nodes && !got; i++)
		got = node_take(slabs_node(s, here->nearest[i]), rounds, n);
	return got;
}

struct round slabs_grow(struct kmem_slabs *s, gfp_t gfp)
{
	struct page *head = slab_make(s, gfp, this_node());
	struct slab_node *n;
	uintptr_t irq;
	struct round r = { NULL, NULL };

	if (!head)
		return r;
	n = slabs_node(s, page_node(head));
	list_init(&head->list);
	irq = lock_irq(&n->lock);
	n->nr_slabs++;
	n->nr_empty++;
	n->nr_pages += (size_t)1 << head->order;
	n->capacity += head->objects;
	n->made++;
	slab_take(n, head, &r, 1);
	unlock_irq(&n->lock, irq);
	return r;
}

void *slabs_alloc(struct kmem_slabs *s, gfp_t gfp)
{
	struct round r;

	if (slabs_take(s, &r, 1))
		return r.obj;
	return slabs_grow(s, gfp).obj;
}

void slabs_free(struct kmem_slabs *s, void *obj)
{
	struct round r = { obj, NULL };

	slabs_give(s, &r, 1);
}

/* Objects of the same node, from rounds[0] on, under one lock operation. */
static size_t give_run(struct kmem_slabs *s, const struct round *rounds,
		       size_t n, struct kmem_list *excess)
{
	struct page *page = virt_to_page(rounds[0].obj);
	struct slab_node *node = slabs_node(s, page_node(page));
	uintptr_t irq = lock_irq(&node->lock);
	size_t i = 0;

	do {
		unsigned index = slab_index(page, s, rounds[i].obj).index;

		/* The slab of a second copy may have gone by now, or be all
		 * free already. */
		if (KMEM_LIKELY(page->slabs == s &&
				slab_head(page)->inuse &&
				kmem_load_relaxed(&page->slot[index]) ==
				SLOT_CACHED))
			slab_put(s, node, slab_head(page), index, excess);
		else
			kmem_misuse("kmem: object %p of cache %s (index %u): "
				    "freed twice, by CPUs that raced; it is "
				    "not CACHED any more", rounds[i].obj, s->name,
				    index);
		if (++i == n)
			break;
		page = virt_to_page(rounds[i].obj);
	} while (slabs_node(s, page_node(page)) == node);
	unlock_irq(&node->lock, irq);
	return i;
}

void slabs_give(struct kmem_slabs *s, const struct round *rounds, size_t n)
{
	struct kmem_list excess;
	size_t done = 0;

	list_init(&excess);
	while (done < n)
		done += give_run(s, rounds + done, n - done, &excess);
	free_excess(s, &excess);
}

void slabs_shrink(struct kmem_slabs *s)
{
	for (unsigned i = 0; i < s->nr_nodes; i++) {
		struct slab_node *n = &s->node[i];
		struct kmem_list excess;
		uintptr_t irq = lock_irq(&n->lock);

		list_init(&excess);
		while (!list_empty(&n->empty)) {
			struct page *head = list_page(n->empty.next);

			list_del(&head->list);
			list_add(&head->list, &excess);
			n->nr_slabs--;
			n->nr_empty--;
			n->nr_pages -= (size_t)1 << head->order;
			n->capacity -= head->objects;
			n->freed++;
		}
		unlock_irq(&n->lock, irq);
		free_excess(s, &excess);
	}
}

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
		sum->freed += n->freed;
		sum->lock.taken += n->lock.taken;
		sum->lock.contended += n->lock.contended;
		unlock_irq(&n->lock, irq);
	}
}

size_t slabs_bytes(struct kmem_slabs *s)
{
	struct slab_node sum;

	slabs_sum(s, &sum);
	return sum.nr_pages << KMEM_PAGE_SHIFT;
}

static void walk_list(struct kmem_list *head, kmem_slot_t state,
		      void (*fn)(void *obj, unsigned index, void *arg),
		      void *arg)
{
	struct kmem_list *l;

	list_for_each(l, head) {
		struct page *p = list_page(l);

		for (unsigned i = 0; i < p->objects; i++)
			if (p->slot[i] == state)
				fn(slab_object(p, i), i, arg);
	}
}

void slabs_for_each(struct kmem_slabs *s, kmem_slot_t state,
		    void (*fn)(void *obj, unsigned index, void *arg),
		    void *arg)
{
	for (unsigned i = 0; i < s->nr_nodes; i++) {
		walk_list(&s->node[i].partial, state, fn, arg);
		walk_list(&s->node[i].full, state, fn, arg);
	}
}
