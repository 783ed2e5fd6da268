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
 *	FRESH          free, in the slab, never taken yet; the next one follows
 *	CACHED         free, in a magazine or a depot, or on its way there
 *	LIVE           allocated
 *	RCU, NOLOCK    freed by kfree_rcu() or kfree_nolock(), and waiting: for
 *	               its grace period, or for somebody who can take locks
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
 * A new slab is all FRESH, so that making it takes one pass of stores and no
 * chain. Objects of a magazine mostly lie in a few slabs, side by side: take
 * and give go slab by slab, and what a round says of its slot spares the search
 * for it (and is verified).
 *
 * *Pads.* Of kmem's own tables, which come from slabs too (slot arrays,
 * magazines, cache descriptors, ...), the first and last TABLE_PAD bytes of each
 * slab are left unused: who writes less than that beyond the memory that was
 * given to him hits no table. Not kept from them: a write further away, and
 * what boot has placed (plan.c), which has no pads.
 *
 * A node keeps its slabs on lists: partial (some free), full (none free), empty
 * (all free). take uses partial slabs first, then empty ones.
 *
 * *Neighbours.* Every allocation and free writes a slot, and the slots of a
 * slab's objects share a cache line or two. When two CPUs use objects of one
 * slab, that line goes back and forth between them with each operation: a hot
 * pair on two CPUs took five times as long as on one. So CPUs keep apart where
 * it is cheap:
 *
 *  - There are CPU_LISTS lists of partial slabs. A slab is on the list of the
 *    CPU that took the first of its objects; of a full one, `free` says on which
 *    list it goes when something comes back, whoever gives it: that of the CPU
 *    that took the last.
 *  - Take uses its own list, then empty slabs; those of other CPUs only where one
 *    more slab would be worse: when much is free in more than the one that each
 *    of them is using (others_slab()), or little memory (`any`).
 *  - Full magazines are kept apart likewise (depot.c), and left to their CPUs
 *    while they are little of what the cache has.
 *  - So are the arrays of slots, of which two may share a line (slots.c).
 *
 * All are needed: as long as objects cross one way, CPUs' objects mix a
 * little more with each crossing. When two CPUs freed and allocated at random,
 * with 10,000 objects each, 24 of 100 operations met a line of slots that the
 * other CPU had written last; so 1 does, for 1.5 % more pages. With eight CPUs it
 * is 5 of 100 instead of 38. With objects of all sizes up to 256 bytes, of which
 * each CPU has now more, now fewer, half of the pages were shared after ten
 * million operations; so 3 of 100 are, and an operation takes four fifths of the
 * time.
 *
 * What nothing undoes: a thread that goes on elsewhere frees there what it
 * allocated here.
 *
 * *Breathing.* How many empty slabs a node keeps (max_empty) follows the
 * working set, as the depot's bound does (depot.c): up when a slab is made
 * after others were given up, down by a trim when empty ones lay idle. All
 * caches together keep at most 1/SLABS_EMPTY_SHARE of memory that way, beyond
 * one slab each, and all of it goes back when pages run short; except for those
 * that a cache was told to keep (slabs_keep).
 *
 * Invariants, for each slab of a node:
 *
 *  S1	inuse == objects - length of the chain of free slots
 *  S2	all its pages have type PAGE_SLAB, and the same owner, slot array and
 *	order
 *  S3	it is on `full` if inuse == objects, on `empty` if inuse == 0, else on
 *	`partial`; if full, free < CPU_LISTS
 *  S4	every slot not on the chain is LIVE, CACHED, RCU or NOLOCK
 * and for each node:
 *  S5	capacity, inuse, nr_pages: the sums over its slabs; nr_slabs and
 *	nr_empty: the lengths of the lists
 *  S6	nr_empty <= max_empty, idle_empty <= nr_empty
 *
 * Locks: node->lock guards the lists, the counts, and `free`, `inuse` and the
 * chain of its slabs. Pages are asked for and given back outside of it.
 */
#include "bits.h"
#include "debug.h"
#include "guard.h"
#include "list.h"

/* Slabs of so many objects are worth having for one CPU alone. */
#define SLAB_SHARED_OBJECTS	16

/* Empty slabs of all caches together may be this part of all memory. */
#define SLABS_EMPTY_SHARE	32

/* Who trims caches so that empty slabs come back has magazines to trim. Without
 * them, a node keeps one. */
#define BREATHING	MAGAZINES

/* ---- the slabs of a node; its lock is held ---- */

void slab_count_empty(struct slab_node *n, const struct page *head, bool more)
{
	size_t pages = (size_t)1 << head->order;

	kmem_store_relaxed(&n->nr_empty, n->nr_empty + (more ? 1 : (size_t)-1));
	if (!BREATHING)
		return;
	kmem_add_relaxed(&zones.empty_pages, more ? pages : 0 - pages);
	n->idle_empty = KMEM_MIN(n->idle_empty, n->nr_empty);
}

static bool slab_is_full(const struct page *head)
{
	return head->inuse == slab_objects(head);
}

/* Where it belongs now: while it is partial, on that list. */
void slab_place(struct slab_node *n, struct page *head, unsigned list)
{
	list_del(&head->list);
	if (slab_is_full(head)) {
		head->free = (kmem_slot_t)list;
		list_add(&head->list, &n->full);
	} else if (head->inuse == 0) {
		list_add(&head->list, &n->empty);
		slab_count_empty(n, head, true);
	} else {
		list_add(&head->list, &n->partial[list]);
	}
}

/* On no list any more, to be unmade. */
static void slab_remove(struct slab_node *n, struct page *head,
			struct kmem_list *excess)
{
	list_del(&head->list);
	list_add(&head->list, excess);
	n->nr_slabs--;
	kmem_count_n(&n->nr_pages, 0 - ((size_t)1 << head->order));
	n->capacity -= slab_objects(head);
}

/* What a free slot says of the next one. */
static unsigned next_free(kmem_slot_t slot, unsigned index, unsigned objects)
{
	if (slot != SLOT_FRESH)
		return slot;
	return index + 1 < objects ? index + 1 : SLOT_END;
}

unsigned slab_next_free(const struct page *head, unsigned index)
{
	return next_free(*slab_slot(head, index), index, slab_objects(head));
}

/* Up to `want` objects of one slab. The last round is the first of them: that is
 * the order in which they leave a magazine, and memory is best used upwards. */
static size_t slab_take(struct slab_node *n, struct page *head,
			struct round *rounds, size_t want)
{
	const unsigned objects = slab_objects(head);
	size_t room = (size_t)(objects - head->inuse);
	size_t take = KMEM_MIN(room, want);
	bool was_empty = head->inuse == 0;
	char *base = slab_base(head);
	size_t size = head->slabs->size;
	kmem_slot_t *slots = slab_slot(head, 0);
	unsigned index = head->free;

	if (slabs_checked(head->slabs) && !slab_verify(n, head))
		return 0;
	for (size_t i = take; i-- > 0; ) {
		kmem_slot_t *slot = &slots[index];

		if (MAGAZINES && KMEM_WRONG(index >= objects)) {
			take -= i + 1;
			memmove(rounds, rounds + i + 1, take * sizeof(*rounds));
			room = 0;
			break;
		}
		rounds[i] = (struct round){ base + index * size, slot };
		index = next_free(*slot, index, objects);
		kmem_store_relaxed(slot, SLOT_CACHED);
	}
	head->free = (kmem_slot_t)index;
	kmem_store_relaxed(&head->inuse, (kmem_slot_t)(head->inuse + take));
	n->inuse += take;
	if (was_empty)
		slab_count_empty(n, head, false);
	if (MAGAZINES && KMEM_UNLIKELY(!room))
		slab_broken(n, head);
	else if (was_empty || take == room)
		slab_place(n, head, slabs_list(head->slabs));
	return take;
}

/*
 * A slab that other CPUs use, unless it is better left alone: slots of neighbours
 * share a cache line. So a node should rather grow that has little free; and the
 * only one on a list is what its CPU takes from next (unless it is of few
 * objects): in a small cache that alone is much, and of CPUs that filled it at the
 * same time, a third of the objects lay among others'. If there are more, its CPU
 * comes to the last one last.
 */
static struct page *others_slab(const struct kmem_slabs *s,
				struct slab_node *n, bool any)
{
	bool leave_one = !any && s->objects >= SLAB_SHARED_OBJECTS;

	if (!any && n->capacity - n->inuse < n->capacity / 8)
		return NULL;
	for (unsigned i = 0; i < CPU_LISTS; i++) {
		struct kmem_list *l = &n->partial[i];

		if (!list_empty(l) && !(leave_one && l->next == l->prev))
			return list_page(l->prev);
	}
	return NULL;
}

/* A slab with something free, or NULL. */
static struct page *node_slab(struct kmem_slabs *s, struct slab_node *n,
			      bool any)
{
	struct kmem_list *l = &n->partial[slabs_list(s)];

	if (list_empty(l))
		l = &n->empty;
	if (!list_empty(l))
		return list_page(l->next);
	return CPU_LISTS > 1 ? others_slab(s, n, any) : NULL;
}

static size_t node_take(struct kmem_slabs *s, struct slab_node *n,
			struct round *rounds, size_t want, bool any)
{
	uintptr_t irq = lock_irq(&n->lock);
	struct page *head;
	size_t got = 0;

	while (got < want && (head = node_slab(s, n, any)))
		got += slab_take(n, head, rounds + got, want - got);
	unlock_irq(&n->lock, irq);
	return got;
}

/* It is one of those to keep. */
static bool must_keep(const struct slab_node *n, const struct page *head)
{
	return BREATHING && (head->slabs->stable ||
			     n->capacity - slab_objects(head) < n->keep);
}

/* There is room for one more empty slab. (CPUs that look at the same time may
 * each find room.) */
static bool may_keep(const struct slab_node *n, const struct page *head)
{
	size_t all;

	if (!BREATHING)
		return !n->nr_empty;
	all = kmem_load_relaxed(&zones.empty_pages) +
	      ((size_t)1 << head->order);

	return n->nr_empty < n->max_empty &&
	       (!n->nr_empty || all <= kmem_load_relaxed(&zones.managed) /
				       SLABS_EMPTY_SHARE);
}

/* All of its objects are free: from the first one on, whatever the order in
 * which they were freed. */
static void slab_freshen(struct page *head)
{
	slots_freshen(slab_slot(head, 0), slab_objects(head));
	head->free = 0;
}

/* It has become empty: keep it, or not; with `excess` NULL, in any case. */
static void slab_emptied(struct slab_node *n, struct page *head,
			 struct kmem_list *excess)
{
	if (must_keep(n, head) || (KMEM_DEFERRED && !excess) ||
	    may_keep(n, head)) {
		if (MAGAZINES)
			slab_freshen(head);
		slab_place(n, head, 0);
		if (BREATHING)
			n->max_empty = KMEM_MAX(n->max_empty, n->nr_empty);
	} else {
		slab_remove(n, head, excess);
		if (BREATHING)
			n->given_up++;
	}
}

/* Where the chain of free objects goes on behind one that comes back. */
static unsigned slab_chain(const struct page *head)
{
	return slab_is_full(head) ? SLOT_END : head->free;
}

/* So many objects came back to a slab, whose chain begins with `free` now. */
static void slab_count_back(struct slab_node *n, struct page *head,
			    unsigned back, unsigned free,
			    struct kmem_list *excess)
{
	bool was_full = slab_is_full(head);
	unsigned list = head->free;

	head->free = (kmem_slot_t)free;
	kmem_store_relaxed(&head->inuse, (kmem_slot_t)(head->inuse - back));
	n->inuse -= back;
	if (head->inuse == 0)
		slab_emptied(n, head, excess);
	else if (was_full)
		slab_place(n, head, list);
}

/* An object that is CACHED goes back to its slab. `index` as slab_index() says. */
static void slab_put(struct slab_node *n, struct page *head, unsigned index,
		     struct kmem_list *excess)
{
	kmem_store_relaxed(&head->slot[index], (kmem_slot_t)slab_chain(head));
	slab_count_back(n, head, 1, index - slabs_first(head->slabs), excess);
}

/* The round says of an object of s what is so: it is CACHED, and its slot is
 * that one. *index as slab_index() says. */
KMEM_INLINE bool round_is_sound(const struct kmem_slabs *s,
				const struct page *page,
				const struct round *r, unsigned *index)
{
	struct slab_index i = slab_index(page, s, r->obj);

	*index = (unsigned)i.index;
	return KMEM_UNCHECKED ||
	       (page->slabs == s && i.exact &&
		r->slot == &page->slot[i.index] &&
		kmem_load_relaxed(r->slot) == SLOT_CACHED);
}

static void free_excess(struct kmem_slabs *s, struct kmem_list *excess)
{
	while (!list_empty(excess)) {
		struct page *head = list_page(excess->next);

		list_del(&head->list);
		if (KMEM_DEFERRED && s->retire)
			s->retire(s, head);
		else
			slab_unmake(s, head);
	}
}

/* ---- what the other layers call ---- */

static struct slab_node *page_slab_node(struct kmem_slabs *s,
					const struct page *page)
{
	if (KMEM_MAX_NODES == 1 || s->nr_nodes == 1)
		return s->node;
	return &s->node[page_node(page)];
}

bool slabs_may_grow(const struct kmem_slabs *s)
{
	enum zone_type type = gfp_zone(s->gfp);
	const struct zone *z;
	struct zone_walk w;

	zone_walk_start(&w, this_node(), type, true);
	while ((z = zone_walk_next(&w)))
		if (zone_free_pages(z) > ((size_t)1 << s->order) +
		    kmem_load_relaxed(&z->wmark[WMARK_LOW]) +
		    kmem_load_relaxed(&z->reserve[type]))
			return true;
	return false;
}

size_t slabs_bytes_near(const struct kmem_slabs *s)
{
	size_t pages = 0;

	for (unsigned i = 0; i < s->nr_nodes; i++)
		pages += kmem_load_relaxed(&s->node[i].nr_pages);
	return pages << KMEM_PAGE_SHIFT;
}

size_t slabs_take(struct kmem_slabs *s, struct round *rounds, size_t n,
		  bool any)
{
	const struct node *here = zones.node[this_node()];
	unsigned nodes = s->nr_nodes;
	size_t got = 0;

	if (KMEM_MAX_NODES > 1 && !any && nodes > 1 && slabs_may_grow(s))
		nodes = 1;
	for (unsigned i = 0; i < nodes && !got; i++)
		got = node_take(s, slabs_node(s, here->nearest[i]), rounds, n,
				any);
	return got;
}

/* The bound was too low, if slabs were given up: raise it. */
static void keep_more(struct slab_node *n)
{
	if (!BREATHING)
		return;
	n->max_empty += KMEM_MIN(n->given_up, n->max_empty);
	n->given_up = 0;
}

/* A new slab, and its first object. The lock is held. */
static void slab_enter(struct slab_node *n, struct page *head, struct round *r)
{
	list_init(&head->list);
	n->nr_slabs++;
	kmem_count_n(&n->nr_pages, (size_t)1 << head->order);
	n->capacity += slab_objects(head);
	n->made++;
	keep_more(n);
	slab_count_empty(n, head, true);	/* until the next line */
	slab_take(n, head, r, 1);
}

struct round slabs_take_from(struct kmem_slabs *s, unsigned node)
{
	struct round r = { NULL, NULL };

	node_take(s, slabs_node(s, node), &r, 1, true);
	return r;
}

struct round slabs_grow_on(struct kmem_slabs *s, gfp_t gfp, unsigned node)
{
	struct page *head = slab_make(s, gfp, node);
	struct slab_node *n;
	uintptr_t irq;
	struct round r = { NULL, NULL };

	if (!head)
		return r;
	n = page_slab_node(s, head);
	irq = lock_irq(&n->lock);
	slab_enter(n, head, &r);
	unlock_irq(&n->lock, irq);
	return r;
}

/* ---- the same without waiting ---- */

bool slabs_try_take(struct kmem_slabs *s, unsigned node, struct round *r)
{
	struct slab_node *n = slabs_node(s, node);
	struct page *head;
	uintptr_t irq;
	bool got;

	if (!KMEM_DEFERRED || !lock_try_irq(&n->lock, &irq))
		return false;
	head = node_slab(s, n, true);
	got = head && slab_take(n, head, r, 1);
	unlock_irq(&n->lock, irq);
	return got;
}

/* The lock is held while the slab is made, so that nothing has to be undone
 * because it can't be had. The locks inside are only tried. */
bool slabs_try_grow(struct kmem_slabs *s, unsigned node, struct round *r)
{
	struct slab_node *n = slabs_node(s, node);
	struct page *head;
	uintptr_t irq;

	if (!KMEM_DEFERRED || !lock_try_irq(&n->lock, &irq))
		return false;
	head = slab_try_make(s, node);
	if (head)
		slab_enter(n, head, r);
	unlock_irq(&n->lock, irq);
	return head;
}

bool slabs_try_give(struct kmem_slabs *s, struct round r)
{
	struct page *page = virt_to_page(r.obj), *head = slab_head(page);
	struct slab_node *n = page_slab_node(s, head);
	bool put = false;
	unsigned index;
	uintptr_t irq;

	if (!KMEM_DEFERRED || !lock_try_irq(&n->lock, &irq))
		return false;
	if (head->inuse > 1 || may_keep(n, head))
		put = round_is_sound(s, page, &r, &index);
	if (put)
		slab_put(n, head, index, NULL);
	unlock_irq(&n->lock, irq);
	return put;
}

void *slabs_alloc(struct kmem_slabs *s, gfp_t gfp)
{
	bool share = CPU_LISTS == 1 || s->table;
	struct round r;

	if (slabs_take(s, &r, 1, share))
		return r.obj;
	/* One of another CPU's, rather than a page of the reserves. */
	if (!share) {
		r = slabs_grow(s, gfp | __GFP_NORETRY);
		if (r.obj || slabs_take(s, &r, 1, true))
			return r.obj;
	}
	return slabs_grow(s, gfp).obj;
}

void slabs_free(struct kmem_slabs *s, void *obj)
{
	struct page *page = virt_to_page(obj);
	struct round r = { obj,
			   &page->slot[slab_index(page, s, obj).index] };

	if (MAGAZINES)
		slabs_give(s, &r, 1);
	else
		slabs_free_from(page, s, obj, SLOT_CACHED);
}

static KMEM_COLD void given_twice(const struct kmem_slabs *s, const void *obj)
{
	kmem_misuse("double free", obj,
		    "kmem: object %p of cache %s: freed twice, by CPUs that "
		    "raced; it is not CACHED any more", obj, s->name);
}

/* Objects of one slab, which that page is part of, from rounds[0] on: as a rule,
 * what was freed together was allocated together. Return: how many. */
static size_t give_slab(struct kmem_slabs *s, struct slab_node *node,
			struct page *page, const struct round *rounds,
			size_t n, struct kmem_list *excess)
{
	struct page *head;
	uintptr_t begin;
	unsigned free, index;
	size_t bytes, i = 0;

	/* (It is theirs: of two who free one, the first claims it.) */
	if (slabs_checked(s))
		slab_verify(node, slab_head(page));
	/* The slab of a second copy may have gone by now. */
	if (KMEM_UNLIKELY(!round_is_sound(s, page, &rounds[0], &index))) {
		given_twice(s, rounds[0].obj);
		return 1;
	}
	head = slab_head(page);
	begin = (uintptr_t)page_to_virt(head);
	bytes = KMEM_PAGE_SIZE << head->order;
	free = slab_chain(head);
	do {
		kmem_store_relaxed(rounds[i].slot, (kmem_slot_t)free);
		free = index - slabs_first(s);
	} while (++i < n && (uintptr_t)rounds[i].obj - begin < bytes &&
		 round_is_sound(s, page, &rounds[i], &index));
	slab_count_back(node, head, (unsigned)i, free, excess);
	return i;
}

/* Objects of the same node, from rounds[0] on, under one lock operation. */
static size_t give_run(struct kmem_slabs *s, const struct round *rounds,
		       size_t n, struct kmem_list *excess)
{
	struct page *page = virt_to_page(rounds[0].obj);
	struct slab_node *node = page_slab_node(s, page);
	uintptr_t irq = lock_irq(&node->lock);
	size_t i = 0;

	do {
		i += give_slab(s, node, page, rounds + i, n - i, excess);
		if (i == n)
			break;
		page = virt_to_page(rounds[i].obj);
	} while (page_slab_node(s, page) == node);
	unlock_irq(&node->lock, irq);
	wake_waiters();
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

/* Those of a slab that are in that state, up to `most`: CACHED. */
static size_t slab_collect(struct page *head, kmem_slot_t state,
			   struct round *rounds, size_t most)
{
	size_t n = 0;

	for (unsigned i = 0; i < slab_objects(head) && n < most; i++) {
		kmem_slot_t *slot = slab_slot(head, i);

		if (kmem_load_acquire(slot) != state)
			continue;
		kmem_store_relaxed(slot, SLOT_CACHED);
		rounds[n++] = (struct round){ slab_object(head, i), slot };
	}
	return n;
}

/* In this order: cache_walk.c says why. */
static bool begins_slab(const struct kmem_slabs *s, const struct zone *z,
			const struct page *page)
{
	if (!page || !kmem_load_acquire(&page->inuse) ||
	    kmem_load_acquire(&page->slabs) != s)
		return false;
	if (kmem_load_relaxed(&page->to_offset) != slab_to_offset(s, page))
		return false;
	return kmem_load_relaxed(&page->zone) == z->id;
}

struct page *slab_beginning_at(struct kmem_slabs *s, struct zone *z,
			       uintptr_t pfn)
{
	uintptr_t irq = lock_irq(&z->lock);
	struct page *page = pfn_to_page(pfn);

	if (!begins_slab(s, z, page))
		page = NULL;
	unlock_irq(&z->lock, irq);
	return page;
}

size_t slabs_collect(struct kmem_slabs *s, struct zone *z, uintptr_t pfn,
		     kmem_slot_t state, struct round *rounds, size_t most)
{
	struct slab_node *n = slabs_node(s, z->node->index);
	uintptr_t irq = lock_irq(&n->lock);
	struct page *head = slab_beginning_at(s, z, pfn);
	size_t got = head ? slab_collect(head, state, rounds, most) : 0;

	unlock_irq(&n->lock, irq);
	return got;
}

bool slabs_free_from(struct page *page, struct kmem_slabs *s, const void *p,
		     kmem_slot_t state)
{
	struct slab_node *node = page_slab_node(s, page);
	struct slab_index i = slab_index(page, s, p);
	struct kmem_list excess;
	bool found = false;
	uintptr_t irq;

	list_init(&excess);
	irq = lock_irq(&node->lock);
	/* Of two that free it at once, one finds it free, or the slab gone. */
	if (KMEM_LIKELY(i.exact && page->slabs == s &&
			page->slot[i.index] == state)) {
		slab_put(node, slab_head(page), (unsigned)i.index, &excess);
		found = true;
	}
	unlock_irq(&node->lock, irq);
	wake_waiters();
	free_excess(s, &excess);
	return found;
}

bool slabs_claim(struct page *page, struct kmem_slabs *s, const void *p,
		 kmem_slot_t **slot)
{
	struct slab_node *node = page_slab_node(s, page);
	uintptr_t irq = lock_irq(&node->lock);
	struct slab_index i = slab_index(page, s, p);
	bool found = page->slabs == s && i.exact;

	if (found) {
		*slot = &page->slot[i.index];
		found = **slot == SLOT_TRACKED;
	}
	if (found)
		kmem_store_relaxed(*slot, SLOT_CACHED);
	unlock_irq(&node->lock, irq);
	return found;
}

/* Up to `most` of a node's empty slabs. */
static void remove_empty(struct slab_node *n, size_t most,
			 struct kmem_list *excess)
{
	while (most-- && !list_empty(&n->empty)) {
		struct page *head = list_page(n->empty.next);

		if (must_keep(n, head))
			break;
		slab_count_empty(n, head, false);
		slab_remove(n, head, excess);
	}
}

size_t slabs_keep(struct kmem_slabs *s, size_t objects)
{
	for (unsigned i = 0; i < s->nr_nodes; i++) {
		struct slab_node *n = &s->node[i];
		uintptr_t irq = lock_irq(&n->lock);

		n->keep = KMEM_MIN(n->capacity, objects);
		objects -= n->keep;
		unlock_irq(&n->lock, irq);
	}
	return objects;
}

void slabs_shrink(struct kmem_slabs *s)
{
	if (slabs_debugged(s))
		debug_release(s);
	for (unsigned i = 0; i < s->nr_nodes; i++) {
		struct slab_node *n = &s->node[i];
		struct kmem_list excess;
		uintptr_t irq = lock_irq(&n->lock);

		list_init(&excess);
		remove_empty(n, SIZE_MAX, &excess);
		if (BREATHING) {
			n->max_empty = KMEM_MAX(n->nr_empty, (size_t)1);
			n->given_up = 0;
		}
		unlock_irq(&n->lock, irq);
		free_excess(s, &excess);
	}
	if (slabs_debugged(s))
		slabs_shrink(slabs_records(s));
	else if (slabs_sized(s))
		slabs_shrink(guard_sizes(s));
}

void slabs_trim(struct kmem_slabs *s, size_t most)
{
	for (unsigned i = 0; i < s->nr_nodes; i++) {
		struct slab_node *n = &s->node[i];
		struct kmem_list excess;
		uintptr_t irq;
		size_t idle;

		if (!kmem_load_relaxed(&n->nr_empty))
			continue;
		list_init(&excess);
		irq = lock_irq(&n->lock);
		idle = KMEM_MIN((n->idle_empty + 1) / 2, most);
		remove_empty(n, idle, &excess);
		n->max_empty = KMEM_MAX(n->max_empty - idle, n->nr_empty);
		n->max_empty = KMEM_MAX(n->max_empty, (size_t)1);
		n->idle_empty = n->nr_empty;
		unlock_irq(&n->lock, irq);
		free_excess(s, &excess);
	}
	if (slabs_debugged(s))
		slabs_trim(slabs_records(s), most);
	else if (slabs_sized(s))
		slabs_trim(guard_sizes(s), most);
}
