/* SPDX-License-Identifier: MIT */
/*
 * cache.c - kmem_cache: objects of one size, for everybody.
 *
 *	kmem_cache_alloc(s)                     kmem_cache_free(s, obj)
 *	   │ pop a magazine                        │ page, cache, index, LIVE?
 *	   │ slot CACHED -> LIVE                   │ slot LIVE -> CACHED
 *	   ▼                                       │ push to a magazine
 *	an object                                  ▼
 *
 *	and when the magazines have none:       and when they are full:
 *	   depot, slabs (magazine.c)               depot, slabs (magazine.c)
 *	   what others left, at times
 *	   grow: a new slab (slab.c),
 *	   in the caller's own context
 *
 * A new slab is made outside of every lock and with interrupts as the caller
 * had them: making one may sleep, and runs the constructor. Whoever makes it
 * keeps its first object, so that a CPU that grows a cache can't be starved
 * by others who empty it.
 *
 * What is checked on every free, and why it is cheap: the descriptor's type,
 * its owner, that the pointer is exactly an object's first byte (one
 * multiplication), and that the object is LIVE. All of it is in the
 * descriptor's cache line but the slots of slabs of more than
 * KMEM_INLINE_SLOTS objects. On every allocation: that the object was CACHED.
 *
 * What that can't catch: to find an object LIVE and to mark it CACHED are two
 * accesses, and making them one atomic operation would cost more than all the
 * rest. Of two CPUs that free the same object within those few nanoseconds
 * both may pass. The second copy is found when it is allocated after the
 * first, or reaches the slab. Until then an object can be given to two:
 *
 *  - if one of the two CPUs is held up just there while the other's copy
 *    travels all the way to the slab; slab_broken() sees to the chain;
 *  - if the whole slab was given up meanwhile and what was its slot is that of
 *    a CACHED object of another slab. Debug builds (KMEM_DEBUG) verify at each
 *    allocation that object, slab and slot still belong together; it costs a
 *    third of an allocation and free, and a cache miss on the descriptor.
 *
 * Invariants, with no CPU at work, for each cache:
 *
 *  C1	objects in use in the slabs == LIVE objects + objects in magazines and
 *	depot
 *  C2	every object in a magazine or depot lies in a slab of this cache, at
 *	an exact index, and is CACHED; the slot beside it is its own
 *
 * Locks: none of its own; where caches are made and found: caches.c.
 */
#include "bits.h"
#include "cache.h"
#include "debug.h"
#include "depot.h"
#include "vm_ops.h"

/* Much of it is this part of the slabs' bytes. */
#define LEFT_SHARE	16

/* An object of a slab that exists, CACHED. */
static struct round get_existing(struct kmem_cache *s)
{
	struct round r = { NULL, NULL };

	zones_do_later();
	if (MAGAZINES)
		return magazine_alloc_slow(&s->magazine);
	slabs_take(&s->slabs, &r, 1, true);
	return r;
}

KMEM_COLD void cache_missing(const char *call, const struct kmem_cache *s,
			     const void *p, uintptr_t caller)
{
	kmem_misuse_by(caller, "bad free", s, "kmem: %s(%p, %p): no cache is "
		       "there: %s", call, (const void *)s, p,
		       s ? "it was destroyed, or never was" : "NULL");
}

/* What other CPUs have left is taken if it is much, or pages are few, or slabs
 * bounded; otherwise rather a slab is made, for CPUs' objects mix by that
 * (slab.c). */
struct round cache_get_left(struct kmem_cache *s)
{
	struct round none = { NULL, NULL };
	size_t left;

	if (!MAGAZINES || CPU_LISTS == 1)
		return none;
	if (!kmem_load_relaxed(&s->magazine.apart) ||
	    !slabs_may_grow(&s->slabs))
		return magazine_alloc_last(&s->magazine);
	left = depot_objects(&s->magazine) * s->slabs.size;
	if (left <= slabs_bytes_near(&s->slabs) / LEFT_SHARE)
		return none;
	return magazine_alloc_left(&s->magazine);
}

/* An object from wherever there is one, CACHED; none without memory. A slab
 * needs more than its page, so __GFP_NOFAIL is kept here, not by the page
 * allocator: one wait, or one report, for each failure. */
struct round cache_get(struct kmem_cache *s, gfp_t gfp)
{
	struct round r = get_existing(s);
	struct waiter w = { .waiting = false };
	gfp_t once;

	once = gfp = gfp_checked("kmem_cache_alloc", gfp);
	if (!r.obj)
		r = cache_get_left(s);
	if (r.obj)
		return r;
	if (gfp & __GFP_NOFAIL)
		once = (gfp & ~__GFP_NOFAIL) | __GFP_NOWARN | GFP_NO_INJECT;
	do {
		r = slabs_grow(&s->slabs, once);
		if (KMEM_UNLIKELY(!r.obj) && slabs_debugged(&s->slabs))
			debug_release(&s->slabs);
		/* While we waited for pages, objects may have come free. */
		if (KMEM_UNLIKELY(!r.obj))
			r = get_existing(s);
		if (MAGAZINES && KMEM_UNLIKELY(!r.obj))
			r = magazine_alloc_last(&s->magazine);
	} while (KMEM_UNLIKELY(!r.obj) && (gfp & __GFP_NOFAIL) &&
		 wait_for_memory(&w, gfp, s->slabs.min_order));
	wait_end(&w);
	if (MAGAZINES && r.obj)
		caches_grown(virt_to_page(r.obj));
	return r;
}

void *cache_alloc_slow(struct kmem_cache *s, gfp_t gfp)
{
	struct round r;

	r = cache_get(s, gfp);
	if (!r.obj)
		return NULL;
	if (!cache_mark_live(s, r, cache_asked(s, gfp)))
		return cache_alloc_again(s, gfp, r.obj);
	return r.obj;
}

KMEM_COLD void cache_second_copy(const struct kmem_cache *s, const void *obj)
{
	kmem_misuse("double free", obj,
		    "kmem: object %p of cache %s was freed twice, by CPUs "
		    "that raced; the second copy is dropped", obj, s->name);
}

/* It is CACHED, as it should be, but not blank: reported, and the user has it.
 * False: it is the second copy of one. */
static bool cache_given_written(struct kmem_cache *s, gfp_t gfp, void *obj,
				uintptr_t caller)
{
	struct page *page = virt_to_page(obj);
	struct round r = { obj, NULL };
	size_t size = cache_asked(s, gfp);

	if (page->slabs != &s->slabs)
		return false;
	r.slot = &page->slot[slab_index(page, &s->slabs, obj).index];
	if (*r.slot != SLOT_CACHED || !guard_written_to(s->slabs.guard, obj))
		return false;
	guard_given(&s->slabs, r.obj, r.slot, size, caller);
	kmem_store_plain(r.slot, SLOT_LIVE);
	return true;
}

void *cache_alloc_again(struct kmem_cache *s, gfp_t gfp, void *bad)
{
	if (KMEM_HARDEN && cache_given_written(s, gfp, bad, KMEM_CALLER))
		return bad;
	cache_second_copy(s, bad);
	return cache_alloc(s, gfp);
}

void cache_free_guarded(const char *call, struct kmem_cache *s, void *p,
			kmem_slot_t *slot, uintptr_t caller)
{
	guard_taken(call, &s->slabs, p, slot, caller);
	if (!magazine_free(&s->magazine, p, slot))
		cache_free_slow(s, p, slot);
}

void cache_free_slow(struct kmem_cache *s, void *p, kmem_slot_t *slot)
{
	bool trim = magazine_free_slow(&s->magazine, p, slot);

	zones_do_later();
	if (trim)
		caches_freed();
}

/* Whoever still reads what the object was must not see it go blank. */
static bool must_not_zero(const struct kmem_cache *s)
{
	if (KMEM_LIKELY(!KMEM_DEFERRED || !s->slabs.retire))
		return false;
	kmem_misuse("bad flags", s, "kmem: cache %s: zeroed objects of a cache "
		    "with SLAB_TYPESAFE_BY_RCU: its readers would see it",
		    s->name);
	return true;
}

void *cache_alloc_zeroed(struct kmem_cache *s, gfp_t gfp)
{
	void *obj = must_not_zero(s) ? NULL :
		    cache_alloc(s, gfp | __GFP_ZERO);

	return obj ? memset(obj, 0, CACHE_ZEROED(s)) : NULL;
}

/* ---- allocation and free ---- */

void *kmem_cache_alloc(struct kmem_cache *s, gfp_t gfp)
{
	if (cache_injected(s, gfp, INJECT_CALLER))
		return NULL;
	if (KMEM_UNLIKELY(gfp & __GFP_ZERO))
		return cache_alloc_zeroed(s, gfp);
	return cache_alloc(s, gfp);
}

void *kmem_cache_zalloc(struct kmem_cache *s, gfp_t gfp)
{
	if (cache_injected(s, gfp, INJECT_CALLER))
		return NULL;
	return cache_alloc_zeroed(s, gfp);
}

/* NULL, or no object of s that is allocated. */
static KMEM_COLD void free_refused(struct kmem_cache *s, void *obj,
				   uintptr_t caller)
{
	if (!obj)
		return;
	if (!KMEM_CACHE_DEBUG)
		cache_bad_free("kmem_cache_free", s, obj, 0);
	else if (s)
		cache_free_by("kmem_cache_free", s, obj, caller);
	else
		cache_missing("kmem_cache_free", s, obj, caller);
}

/* It lies in that page. */
KMEM_INLINE void free_in(struct page *page, struct kmem_cache *s, void *obj)
{
	kmem_slot_t *slot;

	/* What is in no slab is of no cache: of NULL, if that were one. */
	if (KMEM_LIKELY(!KMEM_WRONG(!s || page->slabs != &s->slabs) &&
			cache_mark_cached(page, &s->slabs, obj, &slot)))
		cache_free("kmem_cache_free", s, obj, slot);
	else
		free_refused(s, obj, KMEM_CALLER);
}

static KMEM_NOINLINE void free_in_rare(struct kmem_cache *s, void *obj)
{
	struct page *page = virt_to_page(obj);

	if (page)
		free_in(page, s, obj);
	else
		free_refused(s, obj, KMEM_CALLER);
}

void kmem_cache_free(struct kmem_cache *s, void *obj)
{
	uintptr_t nr = kmem_main_page(obj);

	if (!KMEM_SMALL_CODE && KMEM_LIKELY(nr < kmem_page_map.main_nr))
		free_in(kmem_page_map.main_pages + nr, s, obj);
	else
		free_in_rare(s, obj);
}

/* ---- in bulk: what comes from or goes to one magazine, at once ---- */

/* So many, and no more, while an interrupt would find the magazine busy. */
#define BULK_ROUNDS	((size_t)32)

/* Hardened, an object is verified when it is given out or taken back, which may
 * report: not while the magazine is busy. Then it goes one by one. */
#define BULK_RUNS	(MAGAZINES && !KMEM_HARDEN)

KMEM_INLINE size_t alloc_one(struct kmem_cache *s, void **obj)
{
	struct round r = { NULL, NULL };

	if (!magazine_alloc(&s->magazine, &r))
		return 0;
	*obj = r.obj;
	if (cache_mark_live(s, r, cache_asked(s, 0)))
		return 1;
	cache_second_copy(s, r.obj);
	return 0;
}

/* Up to n that the loaded magazine has. */
static size_t alloc_run(struct kmem_cache *s, size_t n, void **objs)
{
	struct magazine_cpu *c = BULK_RUNS ? magazine_enter(&s->magazine) :
					     NULL;
	void *second_copy = NULL;
	struct round *top, *end;
	size_t got;

	if (KMEM_UNLIKELY(!c))
		return 0;
	top = kmem_load_plain(&c->top);
	n = KMEM_MIN(n, BULK_ROUNDS);
	n = KMEM_MIN(n, (size_t)(top - c->bottom));
	/* Without a magazine there are only null pointers. */
	end = n ? top - n : top;
	for (; top != end && !second_copy; objs++) {
		struct round r = *--top;

		if (KMEM_LIKELY(cache_mark_live(s, r, 0)))
			*objs = r.obj;
		else
			second_copy = r.obj;
	}
	got = n - (size_t)(top - end);
	kmem_store_plain(&c->top, top);
	kmem_count_n(&c->served, got);
	magazine_exit(c);
	if (KMEM_LIKELY(!second_copy))
		return got;
	cache_second_copy(s, second_copy);
	return got - 1;
}

size_t kmem_cache_alloc_bulk(struct kmem_cache *s, gfp_t gfp, size_t n,
			     void **objs)
{
	size_t got = 0;

	if ((gfp & __GFP_ZERO) && must_not_zero(s))
		return 0;
	if (n && cache_injected(s, gfp, INJECT_CALLER))
		return 0;
	while (got < n) {
		size_t k = KMEM_HARDEN ? alloc_one(s, objs + got) :
				alloc_run(s, n - got, objs + got);

		if (!k) {
			objs[got] = cache_alloc_below(s, gfp);
			if (!objs[got])
				break;
			k = 1;
		}
		got += k;
	}
	if (got < n) {
		kmem_cache_free_bulk(s, got, objs);
		return 0;
	}
	for (size_t i = 0; (gfp & __GFP_ZERO) && i < n; i++)
		memset(objs[i], 0, CACHE_ZEROED(s));
	return n;
}

/* Of n, those up to the first that is no live object of s, or has no room in the
 * loaded magazine. */
static size_t free_run(struct kmem_cache *s, size_t n, void **objs)
{
	struct magazine_cpu *c = BULK_RUNS ? magazine_enter(&s->magazine) :
					     NULL;
	struct round *top;
	size_t put;

	if (KMEM_UNLIKELY(!c))
		return 0;
	n = KMEM_MIN(n, BULK_ROUNDS);
	top = kmem_load_plain(&c->top);
	/* `end` each time: a drain may close the magazine meanwhile */
	for (put = 0; put < n && top < kmem_load_plain(&c->end); put++) {
		void *obj = objs[put];
		struct page *page = virt_to_page(obj);
		kmem_slot_t *slot;

		if (KMEM_WRONG(!page || page->slabs != &s->slabs) ||
		    !cache_mark_cached(page, &s->slabs, obj, &slot))
			break;
		*top++ = (struct round){ obj, slot };
	}
	kmem_store_plain(&c->top, top);
	magazine_exit(c);
	return put;
}

/* One of whatever cache it is, if s is NULL, or a block of kmalloc()'s. */
KMEM_INLINE void free_one(struct kmem_cache *s, void *p)
{
	struct page *page = virt_to_page(p);
	kmem_slot_t *slot;

	if (page && page->slabs && (!s || page->slabs == &s->slabs) &&
	    cache_mark_cached(page, page->slabs, p, &slot)) {
		s = slabs_cache(page->slabs);
		if (KMEM_HARDEN && !guard_taken_fast(&s->slabs, p, slot))
			guard_taken("kmem_cache_free_bulk", &s->slabs, p, slot,
				    KMEM_CALLER);
		if (MAGAZINES && !magazine_free(&s->magazine, p, slot))
			cache_free_slow(s, p, slot);
	} else if (!s && is_large(page, p)) {
		large_free(page);
	} else if (s || !ZERO_OR_NULL_PTR(p)) {
		cache_refused("kmem_cache_free_bulk", s, p);
	}
}

/* s, if the page of p is of one of its slabs, which p need be no object of; where
 * there is no s, the cache that p is a live object of: other slabs may be a table
 * of kmem's own. Or NULL: even s may be gone. */
KMEM_INLINE struct kmem_cache *cache_of(struct kmem_cache *s, const void *p)
{
	struct page *page = virt_to_page(p);

	if (KMEM_UNLIKELY(!page || !page->slabs))
		return NULL;
	if (s)
		return page->slabs == &s->slabs ? s : NULL;
	return is_live_object(page, p) ? slabs_cache(page->slabs) : NULL;
}

void kmem_cache_free_bulk(struct kmem_cache *s, size_t n, void **objs)
{
	while (n) {
		struct kmem_cache *of = BULK_RUNS ? cache_of(s, *objs) : NULL;
		size_t k = of ? free_run(of, n, objs) : 0;

		if (!k) {
			if (*objs)
				free_one(s, *objs);
			k = 1;
		}
		objs += k;
		n -= k;
	}
}

size_t kmem_cache_size(const struct kmem_cache *s)
{
	return kmem_load_relaxed(&s->object_size);
}

const char *kmem_cache_name(const struct kmem_cache *s)
{
	return s->name;
}

/* ---- what was wrong ---- */

static const char *slot_name(unsigned slot)
{
	return slot == SLOT_CACHED ? "CACHED" :
	       slot == SLOT_RCU ? "RCU" :
	       slot == SLOT_NOLOCK ? "NOLOCK" : "FREE";
}

static KMEM_COLD void bad_object(const char *call, const struct kmem_cache *s,
				 const struct page *page, const void *p,
				 uintptr_t caller)
{
	const struct kmem_slabs *of = page->slabs;
	struct slab_index i = slab_index(page, of, p);
	const struct page *head = slab_head((struct page *)(uintptr_t)page);
	char *first = page_to_virt(head);
	unsigned index = (unsigned)i.index - slabs_first(of), slot;
	char who[CACHE_WHO_MAX] = "";

	if (s && of != &s->slabs) {
		kmem_misuse_by(caller, "wrong cache", p,
			       "kmem: %s(%s, %p): the object is of cache %s, "
			       "slab %p, index %u", call, s->name, p, of->name,
			       (void *)first, index);
		return;
	}
	if (!i.exact || index >= slab_objects(page)) {
		if (i.index < slabs_first(of))
			index = 0;	/* in front of it */
		kmem_misuse_by(caller, "bad pointer", p,
			       "kmem: %s(%p): not the start of an object: "
			       "cache %s, slab %p, %d bytes into index %u",
			       call, p, of->name, (void *)first,
			       (int)((char *)p - slab_base(head)) -
			       (int)(index * of->size), index);
		return;
	}
	slot = kmem_load_relaxed(&page->slot[i.index]);
	kmem_misuse_by(caller, "double free", p,
		       "kmem: %s(%p): double free: cache %s, slab %p, index "
		       "%u: expected LIVE, found %s%s", call, p, of->name,
		       (void *)first, index, slot_name(slot),
		       KMEM_CACHE_DEBUG ? cache_who(page, p, true, who) : who);
}

KMEM_COLD void cache_bad_free_by(const char *call, const struct kmem_cache *s,
				 const void *p, uintptr_t caller)
{
	const struct page *page = virt_to_page(p);

	if (page && page_type(page) == PAGE_SLAB)
		bad_object(call, s, page, p, caller);
	else if (page && page_type(page) != PAGE_TAIL &&
		 page_to_virt(page) != p)
		kmem_misuse_by(caller, "bad pointer", p,
			       "kmem: %s(%p): not the start of a block: the "
			       "page is %s", call, p, page_describe(page));
	else
		kmem_misuse_by(caller, page && page_is_free(page) ?
			       "double free" : "bad free", p,
			       "kmem: %s(%p): the page is %s", call, p,
			       page ? page_describe(page) :
				      foreign_describe(p));
}
