/* SPDX-License-Identifier: MIT */
/*
 * slab.h - objects of one size carved from pages. The theory is in slab.c.
 *
 * A kmem_slabs is the slab layer of one cache, without names, statistics of
 * users or a per-CPU layer. kmem uses it bare for its own small tables.
 */
#ifndef KMEM_SLAB_H
#define KMEM_SLAB_H

#include "bits.h"
#include "inject.h"
#include "zone.h"

/* The states of a slot that are not an index of the next free slot. */
#define SLOT_LIVE	((kmem_slot_t)-1)	/* its user has the object */
#define SLOT_CACHED	((kmem_slot_t)-2)	/* in a magazine or depot */
#define SLOT_END	((kmem_slot_t)-3)	/* free, and the last free one */
#define SLOT_FRESH	((kmem_slot_t)-4)	/* free, never taken yet: the next
						 * one is the next free one */
#define SLOT_RCU	((kmem_slot_t)-5)	/* freed by kfree_rcu() */
#define SLOT_NOLOCK	((kmem_slot_t)-6)	/* freed by kfree_nolock() */
#define SLOT_TRACKED	((kmem_slot_t)-7)	/* in debugged slabs, which are
						 * short: its user has it */
#define SLOT_LOWEST	(KMEM_DEFERRED ? SLOT_NOLOCK : SLOT_FRESH)

/* Whether slot arrays can be longer than what a descriptor has room for. With
 * the smallest pages they can't: objects have at least 16 bytes, and larger
 * slabs are for objects too large to be more (choose_order). */
#define SLOT_TABLES	(KMEM_PAGE_SIZE / 16 > KMEM_INLINE_SLOTS)

/* The longest slot array, in slots. */
#define SLOTS_LARGE	(KMEM_PAGE_SHIFT > 12 ? \
			 (unsigned)(KMEM_PAGE_SIZE / 16) : \
			 SLOT_TABLES ? 256u : KMEM_INLINE_SLOTS)

/* An index must fit a slot beside the states, and an array. */
#define SLAB_MAX_OBJECTS \
	(SLOT_LOWEST < SLOTS_LARGE ? (unsigned)SLOT_LOWEST : SLOTS_LARGE)

/* Bytes of the smallest object: a page of them can be numbered. */
#define SLAB_MIN_SIZE	(KMEM_PAGE_SIZE / SLOTS_LARGE)

/* Whether nodes with many slabs make larger ones (slab_make.c). */
#define LARGE_SLABS	(KMEM_LARGE_SLABS_BYTES > 0)

/* What CPUs share, slabs with something free and depots, is on so many lists, a
 * power of two: a CPU uses its own first (slab.c says why). Eight depots would be
 * half of what a cache can be with pages of 256 bytes. */
#define CPU_LISTS \
	(KMEM_MAX_CPUS >= 8 && KMEM_PAGE_SHIFT >= 10 ? 8u : \
	 KMEM_MAX_CPUS >= 2 ? 2u : 1u)

/* The list that is this CPU's own. */
KMEM_INLINE unsigned own_list(void)
{
	return kmem_arch_cpu() % CPU_LISTS;
}

/* The slabs of one node. */
struct slab_node {
	KMEM_ALIGNED(KMEM_CACHE_LINE) struct kmem_lock lock;
	/* under lock: */
	struct kmem_list partial[CPU_LISTS], full, empty;
	size_t nr_slabs;		/* on all lists */
	size_t nr_empty;
	size_t max_empty;		/* its bound, for now */
	size_t given_up;		/* slabs given up because of that bound,
					 * since it was last raised */
	size_t idle_empty;		/* empty ones that nobody has needed
					 * since the last trim */
	size_t nr_pages;		/* of all slabs */
	size_t keep;			/* least capacity; not without
					 * magazines */
	size_t capacity;		/* objects, used and free */
	size_t inuse;			/* objects not free */
	size_t made;			/* slabs, since the start */
};

/* Bytes of red zone to the left of each object of a debugged slab. */
#define RED_LEFT	32u

struct slab_debug;
struct slab_guard;

struct kmem_slabs {
	/* geometry, fixed at creation; what kfree() needs comes first */
	uintptr_t reciprocal;		/* of size, as a fraction of a word */
	uint32_t size;			/* bytes from object to object */
	uint8_t order, min_order;	/* of slabs; of slabs when that fails */
	uint16_t objects, min_objects;	/* in a slab of `order`; of the other */
	uint16_t large_objects;		/* in one of those of a node with many */
	uint8_t large_order;		/* of these */
	uint8_t nr_nodes;		/* nodes told apart: 1 or all */
	uint16_t gfp;			/* added to every request for pages */
	bool stable;			/* no slab is given up */
	const char *name;
	void (*ctor)(void *);

	/* where pages come from and go to */
	struct page *(*get_pages)(struct kmem_slabs *s, gfp_t gfp,
				  unsigned node, unsigned order);
	void (*put_pages)(struct kmem_slabs *s, struct page *page,
			  unsigned order);
	/* what becomes of a slab that is given up; NULL: slab_unmake() */
	void (*retire)(struct kmem_slabs *s, struct page *head);
	struct slab_node *node;		/* nr_nodes of them */

	/* where objects do not begin with the slab: tables (TABLE_PAD), debugged
	 * ones, and those that are hardened; otherwise 0 */
	uint32_t start;			/* of the first object, in bytes */
	uint8_t first;			/* what slab_index() says of it */
	uint8_t left;			/* bytes to the left of each object that
					 * are its own */
	uint8_t pad;			/* behind the last one, nobody's */
	bool table;			/* of kmem's own, used on slow paths
					 * only: CPUs need not keep apart */
	/* of debugged slabs (debug.c); otherwise NULL */
	struct slab_debug *debug;
	/* of those that are hardened (guard.h); otherwise NULL */
	struct slab_guard *guard;
};

/* The bytes that objects of a slab of that order leave over. */
size_t slab_waste(const struct kmem_slabs *s, unsigned order);

/*
 * Set up for objects of `size` bytes, a multiple of their alignment, at most
 * KMEM_PAGE_SIZE << KMEM_SLAB_MAX_ORDER. node[] has nr_nodes elements.
 */
void slabs_init(struct kmem_slabs *s, const char *name, size_t size,
		struct slab_node *node, unsigned nr_nodes);

/* From now on a node that has many slabs makes larger ones, if objects are
 * small. Not for tables; after debugging and hardening have laid it out. */
void slabs_enlarge(struct kmem_slabs *s);

/*
 * Bytes at either end of a slab of kmem's own tables that nobody uses: a short
 * write beyond the last object of the page in front of it, or before the first
 * one of the page behind it, hits no table. Where a page is no more than a few
 * of them, or code is scarce, there are none.
 */
#define TABLE_PAD \
	(KMEM_CACHE_DEBUG && KMEM_PAGE_SHIFT >= 12 ? KMEM_CACHE_LINE : 0u)

/* Between two pads, objects from now on; if there is room. */
void slabs_layout_padded(struct kmem_slabs *s, size_t start);

/* slabs_init(), of one node, for tables of kmem's own. */
KMEM_INLINE_ONCE void tables_init(struct kmem_slabs *s, const char *name,
				  size_t size, struct slab_node *node)
{
	slabs_init(s, name, size, node, 1);
	s->table = true;
	if (TABLE_PAD)
		slabs_layout_padded(s, TABLE_PAD);
}

/* Anew for objects `size` bytes apart. */
void slabs_layout(struct kmem_slabs *s, size_t size);

/* The same for aligned objects with so many bytes to either side of each that
 * are its own, to the right at least. Return: false if there is no room. */
bool slabs_layout_apart(struct kmem_slabs *s, size_t size, size_t align,
			size_t left, size_t right);

/* Objects in a slab of that order. */
unsigned slab_capacity(const struct kmem_slabs *s, unsigned order);

/* Pages straight from the zones: for tables that the page allocator needs. Not
 * from the reserves with __GFP_NORETRY: for those that one can do without. */
struct page *slabs_raw_pages(struct kmem_slabs *s, gfp_t gfp, unsigned node,
			     unsigned order);
void slabs_put_raw_pages(struct kmem_slabs *s, struct page *page,
			 unsigned order);

/*
 * Take up to n free objects, of this node first, from slabs that exist; each
 * becomes CACHED. Unless `any`, slabs that other CPUs use are left to them
 * while it is better to make one more, and those of other nodes while this one
 * has pages.
 *
 * Context: any. Locks: one node lock at a time.
 * Return: how many.
 * Cost: O(n + slabs emptied of free objects + nodes).
 */
size_t slabs_take(struct kmem_slabs *s, struct round *rounds, size_t n,
		  bool any);

/* This CPU's node has pages for one more slab, and need not touch the last ones:
 * otherwise what other CPUs and nodes have free had better be used up. */
bool slabs_may_grow(const struct kmem_slabs *s);

/* slabs_bytes() without locks; near. */
size_t slabs_bytes_near(const struct kmem_slabs *s);

/* One free object of that node, CACHED; obj NULL: it has none. Context: any. */
struct round slabs_take_from(struct kmem_slabs *s, unsigned node);

/*
 * Make a slab, in memory of that node as far as possible, and take its first
 * object, CACHED.
 *
 * Context: as get_pages(); no lock held.
 * Return: obj NULL if there are no pages.
 * Cost: O(objects in a slab).
 */
struct round slabs_grow_on(struct kmem_slabs *s, gfp_t gfp, unsigned node);

/* The same in memory of this CPU's node. */
KMEM_INLINE struct round slabs_grow(struct kmem_slabs *s, gfp_t gfp)
{
	return slabs_grow_on(s, gfp, this_node());
}

/*
 * The same, and the way back, if nobody has the locks that it takes: one object
 * of a slab that exists; of a new one, from the zones; one back to its slab,
 * which is kept. Context: any, NMI included.
 */
bool slabs_try_take(struct kmem_slabs *s, unsigned node, struct round *r);
bool slabs_try_grow(struct kmem_slabs *s, unsigned node, struct round *r);
bool slabs_try_give(struct kmem_slabs *s, struct round r);

/* For kmem's own tables, one object: one that exists, or slabs_grow() if there is
 * none; and slabs_give(). */
void *slabs_alloc(struct kmem_slabs *s, gfp_t gfp);
/* The same, and the injector may say no. */
KMEM_INLINE_ONCE void *table_alloc(struct kmem_slabs *s, gfp_t gfp)
{
	if (inject_fails(KMEM_INJECT_TABLE, s->name, gfp, 0))
		return NULL;
	return slabs_alloc(s, gfp);
}
void slabs_free(struct kmem_slabs *s, void *obj);

/*
 * Give back n CACHED objects. Slabs that become empty beyond a node's bound
 * return their pages.
 *
 * Misuse: an object that is not CACHED was freed twice by CPUs that raced;
 * it is reported and left alone.
 */
void slabs_give(struct kmem_slabs *s, const struct round *rounds, size_t n);

/*
 * Without magazines, all of a free under one lock: p goes from that state to
 * free. The page is one of s. Return: false if p is not the first byte of an
 * object of its in that state; then nothing has changed.
 */
bool slabs_free_from(struct page *page, struct kmem_slabs *s, const void *p,
		     kmem_slot_t state);

/*
 * Of debugged slabs: p, which a user has, becomes CACHED, and its slot is in
 * *slot. Of all who try at once one succeeds. Return: false if p is not such
 * an object of s; then nothing has changed.
 */
bool slabs_claim(struct page *page, struct kmem_slabs *s, const void *p,
		 kmem_slot_t **slot);

/* From now on keep slabs for `objects`, of those there are. Return: for how
 * many of them there are none. */
size_t slabs_keep(struct kmem_slabs *s, size_t objects);

/*
 * The slab of s with objects in use that begins with page `pfn` of z, whatever
 * that page is: it may be removed at any moment (hotplug.c). The node of z is
 * locked, which keeps the slab. Return: its first page; NULL: there is none.
 */
struct page *slab_beginning_at(struct kmem_slabs *s, struct zone *z,
			       uintptr_t pfn);

/* If there is one: its objects that are in that state become CACHED, up to
 * `most`. The node is not locked. Return: how many. */
size_t slabs_collect(struct kmem_slabs *s, struct zone *z, uintptr_t pfn,
		     kmem_slot_t state, struct round *rounds, size_t most);

/* Return the pages of all empty slabs. */
void slabs_shrink(struct kmem_slabs *s);

/* Return those of empty slabs that were not needed since the last call, half
 * of them and at most `most`, and keep fewer from now on. */
void slabs_trim(struct kmem_slabs *s, size_t most);

/* The counts of all nodes, added up; sum->lock has the uses of the locks. */
void slabs_sum(struct kmem_slabs *s, struct slab_node *sum);

/* What is in empty slabs: objects, and pages. */
void slabs_empty(struct kmem_slabs *s, size_t *objects, size_t *pages);
/* Bytes of all its pages. */
size_t slabs_bytes(struct kmem_slabs *s);

/* Bytes of the slot arrays of so many slabs and pages, but for those that are
 * inside a descriptor. */
size_t slabs_slot_bytes(const struct kmem_slabs *s,
			const struct slab_node *sum);

/* Call fn for every slab; and for every object in the given state, LIVE being
 * that of debugged ones too. No other CPU may use s. */
void slabs_for_each_slab(struct kmem_slabs *s,
			 void (*fn)(struct page *head, void *arg), void *arg);
void slabs_for_each(struct kmem_slabs *s, kmem_slot_t state,
		    void (*fn)(void *obj, unsigned index, void *arg),
		    void *arg);

/* For slab.c: a new slab, on no list, all of its objects free, in memory of
 * that node as far as possible; NULL without memory. And the end of one. */
struct page *slab_make(struct kmem_slabs *s, gfp_t gfp, unsigned node);
void slab_unmake(struct kmem_slabs *s, struct page *head);
/* slab_make(), without waiting and from the zones; it runs no constructor. */
struct page *slab_try_make(struct kmem_slabs *s, unsigned node);

/* The n-th object of a slab, from 0 on. */
void *slab_object(const struct page *head, unsigned n);

/* The free object after this free one, SLOT_END if it is the last. */
unsigned slab_next_free(const struct page *head, unsigned index);

/* Of a slab: put what its descriptors say into all of them. */
void slab_set_pages(struct kmem_slabs *s, struct page *head, unsigned order,
		    kmem_slot_t *slot);

/* With the node locked: put a slab where it belongs, on that list of partial
 * ones if it is or will be partial; count one empty slab more or less. */
void slab_place(struct slab_node *n, struct page *head, unsigned list);
void slab_count_empty(struct slab_node *n, const struct page *head, bool more);

/* With the node locked: the chain of free objects leads nowhere; report. */
void slab_broken(struct slab_node *n, struct page *head);
/* The same: verify a slab; report and repair. Return: it was sound. */
bool slab_verify(struct slab_node *n, struct page *head);

/* Verify S1, S2 and S4 of a slab; S1 to S6 of all. */
void slab_check(struct kmem_slabs *s, struct page *head, struct check *c);
void slabs_check(struct kmem_slabs *s, struct check *c);

/* Set up the tables that slot arrays come from. At boot, once. */
void slots_init(void);

/* Slots of a slab: one for each index that slab_index() can yield, those of
 * the bytes left over at its end included. */
unsigned nr_slots(const struct kmem_slabs *s, unsigned order);

/* The array of n slots of a new slab of s, NULL without memory; and back. With
 * __GFP_NORETRY, not from the reserves. */
kmem_slot_t *slots_get(struct kmem_slabs *s, struct page *head, unsigned n,
		       gfp_t gfp);
kmem_slot_t *slots_try_get(struct kmem_slabs *s, struct page *head, unsigned n);
void slots_put(struct kmem_slabs *s, struct page *head, unsigned n);

/* Bytes of pages they use; return those that hold none. */
size_t slots_bytes(void);
void slots_shrink(void);
void slots_check(struct check *c);

/*
 * From a pointer to an object's number. The offset of the pointer in its slab
 * times the reciprocal is a fixed-point quotient: its upper word is the index,
 * and the lower one, the fraction, is less than the reciprocal exactly when the
 * division leaves no remainder (Lemire, Kaser, Kurz 2019; true while offset and
 * size are at most 2^16, which limits the order of slabs).
 */
struct slab_index {
	size_t index;
	bool exact;			/* it is an object's first byte */
};

KMEM_INLINE struct slab_index slab_index(const struct page *page,
					 const struct kmem_slabs *s,
					 const void *p)
{
	uintptr_t offset = ((uintptr_t)p + page->to_offset) & 0xffff;
	bits_wide quotient = bits_multiply(offset, s->reciprocal);

	return (struct slab_index){ (size_t)(quotient >> BITS_WORD),
				    (uintptr_t)quotient < s->reciprocal };
}

/* Of the node of that index. */
KMEM_INLINE struct slab_node *slabs_node(struct kmem_slabs *s, unsigned node)
{
	return &s->node[s->nr_nodes == 1 ? 0 : node];
}

KMEM_INLINE bool slabs_debugged(const struct kmem_slabs *s)
{
	return KMEM_CACHE_DEBUG && s->debug;
}

/* What slab_index() says of the first object: there is room for a red zone, or a
 * pad, in front of it, which has indices too, and slots that are never LIVE. */
KMEM_INLINE unsigned slabs_first(const struct kmem_slabs *s)
{
	return KMEM_CACHE_DEBUG ? s->first : 0;
}

/* Bytes to the left of each object that are its own. */
KMEM_INLINE unsigned slabs_left(const struct kmem_slabs *s)
{
	return KMEM_CACHE_DEBUG ? s->left : 0;
}

/* Where index 0 would begin, in bytes before the slab. */
KMEM_INLINE uint32_t slabs_bias(const struct kmem_slabs *s)
{
	return KMEM_CACHE_DEBUG ? s->first * s->size - s->start : 0;
}

/* What an address in a slab of s that begins with that page takes to be an
 * offset, index 0 being at 0. */
KMEM_INLINE uint16_t slab_to_offset(const struct kmem_slabs *s,
				    const struct page *head)
{
	return (uint16_t)(slabs_bias(s) - (uintptr_t)page_to_virt(head));
}

/* The state of objects that a user has. */
KMEM_INLINE kmem_slot_t slabs_live(const struct kmem_slabs *s)
{
	return slabs_debugged(s) ? SLOT_TRACKED : SLOT_LIVE;
}

/* Its user has not got it any more, and its slab has not yet. */
KMEM_INLINE bool slot_on_its_way(kmem_slot_t slot)
{
	return slot == SLOT_CACHED ||
	       (KMEM_DEFERRED && (slot == SLOT_RCU || slot == SLOT_NOLOCK));
}

/* The object is not free in its slab: with its user, in a magazine, or freed
 * and waiting for something. */
KMEM_INLINE bool slot_taken(const struct kmem_slabs *s, kmem_slot_t slot)
{
	return slot == slabs_live(s) || slot_on_its_way(slot);
}

/* The list of partial slabs that this CPU uses first. */
KMEM_INLINE unsigned slabs_list(const struct kmem_slabs *s)
{
	return s->table ? 0 : own_list();
}

/* The first object of a slab. */
KMEM_INLINE char *slab_base(const struct page *head)
{
	return (char *)page_to_virt(head) +
	       (KMEM_CACHE_DEBUG ? head->slabs->start : 0);
}

/* The state of its n-th object, from 0 on. */
KMEM_INLINE kmem_slot_t *slab_slot(const struct page *head, unsigned n)
{
	return head->slot + slabs_first(head->slabs) + n;
}

/* How many objects the slab of s holds that this page is part of. */
KMEM_INLINE unsigned slabs_objects_of(const struct kmem_slabs *s,
				   const struct page *page)
{
	if (!KMEM_MOBILITY)
		return page->nr_objects;
	if (LARGE_SLABS && page->order > s->order)
		return s->large_objects;
	return page->order == s->order ? s->objects : s->min_objects;
}

KMEM_INLINE unsigned slab_objects(const struct page *page)
{
	return slabs_objects_of(page->slabs, page);
}

/* Free, and never taken yet. */
KMEM_INLINE void slots_freshen(kmem_slot_t *slot, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		kmem_store_plain(&slot[i], SLOT_FRESH);
}

/* Pages of the slab before this one, slabs being aligned to their size. */
KMEM_INLINE uintptr_t slab_pages_before(const struct page *page)
{
	return page->pfn & (((uintptr_t)1 << page->order) - 1);
}

/* The first page of the slab that this page is part of. */
KMEM_INLINE struct page *slab_head(struct page *page)
{
	return page - slab_pages_before(page);
}

#endif /* KMEM_SLAB_H */
