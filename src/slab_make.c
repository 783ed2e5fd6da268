/* SPDX-License-Identifier: MIT */
/*
 * slab_make.c - how slabs begin and end: their geometry, pages and slots. What
 * a slab is and does: slab.c.
 *
 *	choose_order	once for a set of slabs; slabs_enlarge(), if it may
 *			become a large one
 *	slab_make	pages, slots, all FRESH; the constructor
 *	slab_unmake	the reverse, when all objects are free
 *
 * The order of slabs is the smallest that wastes at most 1/16 of the slab and
 * holds SLAB_GOOD_OBJECTS; failing that, 1/8; failing that, the smallest that
 * wastes 1/4, or a half, of however many. (With 1/8 to begin with, recorded
 * traces needed 1 % more memory. Of tables the pads are waste as well, so they
 * do begin there.) When memory has no block of that order, the smallest that
 * holds an object is used, so how many there are is a property of each slab.
 *
 * Objects that are allocated one after the other lie one behind the other in a
 * slab, and so whoever walks them in that order finds the next one in the cache:
 * what reads ahead stops at the end of what is contiguous, a page if the next one
 * is another cache's. So once a node has more than KMEM_LARGE_SLABS_BYTES in slabs
 * of a cache whose objects are small, it makes slabs of two or four pages, as far as
 * an index can be a slot: a garbage collector's walk took 0.86 of the time. Not
 * from the first slab on, for most caches stay small: of recorded traces, with
 * 256 KiB, two needed 1 % more memory; with 4 MiB, none more than before. What
 * it costs: where a few objects at random outlive a peak, more pages have one.
 * So caches whose objects are reclaimed have none (SLAB_RECLAIM_ACCOUNT), and a
 * large slab is nothing to look far for, or to take from the reserves.
 *
 * Locks: none. Making and unmaking is done outside of the node's lock, and the
 * slab is on no list.
 */
#include "bits.h"
#include "debug.h"
#include "guard.h"
#include "list.h"

#define SLAB_GOOD_OBJECTS 4
#define LARGE_SLAB_ORDER KMEM_MIN(KMEM_SLAB_MAX_ORDER, 2u)

/* What a request for an object can't say of the pages of its slab. */
#define GFP_OF_PAGES \
	(__GFP_ZERO | KMEM_GFP_ZONEMASK | __GFP_RECLAIMABLE | __GFP_MOVABLE)

/* ---- geometry ---- */

/* Bytes for objects, each with what is its own to its left. */
static size_t slab_room(const struct kmem_slabs *s, unsigned order)
{
	size_t bytes = KMEM_PAGE_SIZE << order;

	if (!slabs_first(s))
		return bytes;
	bytes += slabs_left(s);
	return bytes > s->start + s->pad ? bytes - s->start - s->pad : 0;
}

unsigned slab_capacity(const struct kmem_slabs *s, unsigned order)
{
	size_t n = bits_divide(slab_room(s, order), s->size);

	return (unsigned)KMEM_MIN(n, SLAB_MAX_OBJECTS);
}

size_t slab_waste(const struct kmem_slabs *s, unsigned order)
{
	return (KMEM_PAGE_SIZE << order) -
	       (size_t)slab_capacity(s, order) * s->size;
}

/* At most 1/2^shift of it is waste, and it is large enough, unless so little is
 * all that can be had. */
static bool slab_fits(const struct kmem_slabs *s, unsigned order,
		      unsigned shift)
{
	return slab_capacity(s, order) >= (shift > 2 ? SLAB_GOOD_OBJECTS : 1) &&
	       slab_waste(s, order) <= KMEM_PAGE_SIZE << order >> shift;
}

static void choose_order(struct kmem_slabs *s)
{
	unsigned o = 0, best, shift = s->pad ? 3 : 4;

	while (!slab_capacity(s, o))
		o++;
	s->min_order = (uint8_t)o;
	for (best = o; !slab_fits(s, best, shift); best++) {
		if (best != KMEM_SLAB_MAX_ORDER)
			continue;
		best = o - 1;
		shift--;
	}
	s->order = (uint8_t)best;
	s->objects = (uint16_t)slab_capacity(s, best);
	s->large_order = s->order;
	s->large_objects = s->objects;
	if (KMEM_MOBILITY)
		s->min_objects = (uint16_t)slab_capacity(s, s->min_order);
}

/* Not where a slab has more for each object than a slot (debugged ones, and those
 * of hardened caches, which do not begin with an object), or has the slots inside
 * its descriptor. Nor where slabs are larger than they must be: then there would be
 * three orders of them. */
void slabs_enlarge(struct kmem_slabs *s)
{
	unsigned order = s->order;

	if (order > s->min_order || slabs_first(s) || slabs_debugged(s) ||
	    s->objects <= KMEM_INLINE_SLOTS)
		return;
	while (order + 1 <= LARGE_SLAB_ORDER &&
	       2u * s->large_objects <= SLAB_MAX_OBJECTS)
		s->large_objects = (uint16_t)slab_capacity(s, ++order);
	s->large_order = (uint8_t)order;
}

void slabs_layout(struct kmem_slabs *s, size_t size)
{
	s->size = (uint32_t)size;
	s->reciprocal = bits_divide(UINTPTR_MAX, size) + 1; /* rounded up */
	choose_order(s);
}

bool slabs_layout_apart(struct kmem_slabs *s, size_t size, size_t align,
			size_t left, size_t right)
{
	const size_t most = KMEM_PAGE_SIZE << KMEM_SLAB_MAX_ORDER;
	size_t start = (size_t)round_up_to(left, align);
	size_t stride = (size_t)round_up_to(left + size + right, align);

	/* slab_index() is right up to 2^16. */
	if (most + (stride - start) > 65536)
		start = stride;
	if (start - left + stride > most)
		return false;
	s->start = (uint32_t)start;
	s->first = 1;
	s->left = (uint8_t)left;
	slabs_layout(s, stride);
	return true;
}

void slabs_layout_padded(struct kmem_slabs *s, size_t start)
{
	const size_t most = KMEM_PAGE_SIZE << KMEM_SLAB_MAX_ORDER;
	size_t first = bits_divide(start + s->size - 1, s->size);

	/* slab_index() is right up to 2^16. */
	if (most + (first * s->size - start) > 65536)
		start = first * s->size;
	if (start + s->size + TABLE_PAD > most)
		return;
	s->start = (uint32_t)start;
	s->first = (uint8_t)first;
	s->pad = TABLE_PAD;
	slabs_layout(s, s->size);
}

void slabs_init(struct kmem_slabs *s, const char *name, size_t size,
		struct slab_node *node, unsigned nr_nodes)
{
	memset(s, 0, sizeof(*s));
	s->name = name;
	s->get_pages = slabs_raw_pages;
	s->put_pages = slabs_put_raw_pages;
	s->nr_nodes = (uint8_t)nr_nodes;
	s->node = node;
	slabs_layout(s, KMEM_MAX(size, SLAB_MIN_SIZE));
	for (unsigned i = 0; i < nr_nodes; i++) {
		memset(&node[i], 0, sizeof(node[i]));
		for (unsigned k = 0; k < CPU_LISTS; k++)
			list_init(&node[i].partial[k]);
		list_init(&node[i].full);
		list_init(&node[i].empty);
		node[i].max_empty = 1;
	}
}

struct page *slabs_raw_pages(struct kmem_slabs *s, gfp_t gfp, unsigned node,
			     unsigned order)
{
	(void)s;
	return zones_take_raw(node, order,
			      !MAGAZINES || !(gfp & __GFP_NORETRY));
}

void slabs_put_raw_pages(struct kmem_slabs *s, struct page *page,
			 unsigned order)
{
	(void)s;
	zones_give_raw(page, order);
}

/* ---- one slab ---- */

void *slab_object(const struct page *head, unsigned n)
{
	return slab_base(head) + (size_t)n * head->slabs->size;
}

void slab_set_pages(struct kmem_slabs *s, struct page *head, unsigned order,
		    kmem_slot_t *slot)
{
	for (unsigned i = 0; i < 1u << order; i++) {
		struct page *p = head + i;

		p->order = (uint8_t)order;
		kmem_store_relaxed(&p->to_offset, slab_to_offset(s, head));
		p->slot = slot;
		if (!KMEM_MOBILITY)
			p->nr_objects = (kmem_slot_t)slab_capacity(s, order);
		page_set_type(p, PAGE_SLAB);
		/* last: now a walk may find it (cache_walk.c) */
		kmem_store_release(&p->slabs, s);
	}
}

/* Make a slab of these: all of its objects are free. */
static void slab_begin(struct kmem_slabs *s, struct page *head, unsigned order,
		       kmem_slot_t *slot, unsigned slots)
{
	slots_freshen(slot, slots);
	kmem_store_relaxed(&head->inuse, 0);
	head->free = 0;
	slab_set_pages(s, head, order, slot);
}

KMEM_INLINE_ONCE struct page *slab_try_order(struct kmem_slabs *s, gfp_t gfp,
					     unsigned node, unsigned order)
{
	if (inject_fails(KMEM_INJECT_SLAB, s->name, gfp, 0))
		return NULL;
	return s->get_pages(s, gfp & ~GFP_NO_INJECT, node, order);
}

/* The order of the node's next slab, if that can be had. */
static unsigned next_order(struct kmem_slabs *s, unsigned node)
{
	size_t pages;

	if (!LARGE_SLABS || s->large_order == s->order)
		return s->order;
	pages = kmem_load_relaxed(&slabs_node(s, node)->nr_pages);
	return pages << KMEM_PAGE_SHIFT > KMEM_LARGE_SLABS_BYTES ?
	       s->large_order : s->order;
}

static struct page *slab_get_pages(struct kmem_slabs *s, gfp_t gfp,
				   unsigned node, unsigned *order)
{
	gfp_t at_once = (gfp & ~(__GFP_DIRECT_RECLAIM | __GFP_NOFAIL)) |
			__GFP_NORETRY | __GFP_NOWARN;
	struct page *page;

	*order = next_order(s, node);
	if (LARGE_SLABS && *order > s->order) {
		at_once &= ~(__GFP_HIGH | __GFP_ATOMIC | __GFP_MEMALLOC);
		at_once |= s->nr_nodes > 1 ? __GFP_THISNODE : 0;
	}
	if (*order > s->min_order) {
		page = slab_try_order(s, at_once, node, *order);
		if (page)
			return page;
	}
	*order = s->min_order;
	return slab_try_order(s, gfp, node, s->min_order);
}

/* A new slab, on no list, all of its objects free. */
struct page *slab_make(struct kmem_slabs *s, gfp_t gfp, unsigned node)
{
	struct page *head;
	kmem_slot_t *slot;
	unsigned order, n, slots;

	gfp &= ~GFP_OF_PAGES;
	head = slab_get_pages(s, gfp | s->gfp, node, &order);
	if (!head)
		return NULL;
	n = slab_capacity(s, order);
	slots = nr_slots(s, order);
	slot = slots_get(s, head, slots, gfp);
	if (!slot) {
		s->put_pages(s, head, order);
		if (!(gfp & __GFP_NOWARN))
			kmem_log("kmem: cache %s: no memory for the states of "
				 "a slab's %u objects, gfp 0x%x", s->name, n,
				 gfp | s->gfp);
		return NULL;
	}
	slab_begin(s, head, order, slot, slots);
	if (slabs_debugged(s))
		debug_slab_made(head);
	else if (KMEM_HARDEN && s->guard)
		guard_slab_made(head);
	for (unsigned i = 0; s->ctor && i < n; i++)
		s->ctor(slab_object(head, i));
	return head;
}

static struct page *try_pages(const struct kmem_slabs *s, unsigned node,
			      unsigned order)
{
	if (inject_fails(KMEM_INJECT_SLAB, s->name, GFP_NOWAIT, 0))
		return NULL;
	return zones_try_take(node, order, s->nr_nodes > 1);
}

struct page *slab_try_make(struct kmem_slabs *s, unsigned node)
{
	unsigned order = s->order, slots;
	struct page *head;
	kmem_slot_t *slot;

	if (!KMEM_DEFERRED)
		return NULL;
	head = try_pages(s, node, order);
	if (!head && order > s->min_order) {
		order = s->min_order;
		head = try_pages(s, node, order);
	}
	if (!head)
		return NULL;
	slots = nr_slots(s, order);
	slot = slots_try_get(s, head, slots);
	if (slot) {
		slab_begin(s, head, order, slot, slots);
		if (KMEM_HARDEN && s->guard)
			guard_slab_made(head);
	} else if (!zone_try_give(head, order)) {
		page_set_aside(head);
	}
	return slot ? head : NULL;
}

/* It is on no list any more. */
void slab_unmake(struct kmem_slabs *s, struct page *head)
{
	unsigned order = head->order;

	if (slabs_debugged(s))
		debug_slab_ends(head);
	else if (KMEM_HARDEN && s->guard)
		guard_slab_ends(head);
	slots_put(s, head, nr_slots(s, order));
	for (unsigned i = 0; i < 1u << order; i++) {
		struct page *p = head + i;

		page_set_type(p, PAGE_TAIL);
		kmem_store_relaxed(&p->slabs, NULL);
		p->slot = NULL;
	}
	page_set_allocated(head, gfp_mobility(s->gfp));
	s->put_pages(s, head, order);
}
