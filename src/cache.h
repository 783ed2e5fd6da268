/* SPDX-License-Identifier: MIT */
/*
 * cache.h - the object cache: slabs below, magazines above. Theory in cache.c.
 */
#ifndef KMEM_CACHE_PRIVATE_H
#define KMEM_CACHE_PRIVATE_H

#include "guard.h"
#include "page_alloc.h"

#include <kmem/cache.h>

struct kmem_cache {
	/* slab layer */
	struct kmem_slabs slabs;	/* first: page->slabs is the cache */
	/* properties, fixed at creation */
	char name[KMEM_NAME_BYTES];
	size_t object_size;		/* as asked for */
	uint32_t zeroed;		/* of them for __GFP_ZERO, when an object
					 * has been allocated */
	size_t align;
	slab_flags_t flags;
	/* with a bound (cache_limit.c), under the first node's lock */
	size_t pages, max_pages;
	/* the list of all caches, under its lock */
	struct kmem_list list;
	/* per-CPU layer and depot */
	struct magazine_layer magazine;	/* last: the CPUs' parts follow; not
					 * there if there are no MAGAZINES */
};

/* Bytes to zero of an object that was allocated for __GFP_ZERO. */
#define CACHE_ZEROED(s) \
	(KMEM_CACHE_DEBUG ? kmem_load_relaxed(&(s)->zeroed) : (s)->object_size)

/* Bytes of one. */
#define CACHE_BYTES(nr_cpus) \
	(MAGAZINES ? sizeof(struct kmem_cache) + LAYER_BYTES(nr_cpus) : \
		     offsetof(struct kmem_cache, magazine))

/* So many CPUs that there may be such a cache of them. */
#define CACHE_MAX_CPUS \
	(CACHE_BYTES(KMEM_MAX_CPUS) <= KMEM_CACHE_MAX_SIZE ? KMEM_MAX_CPUS : \
	 (KMEM_CACHE_MAX_SIZE - CACHE_BYTES(0) - \
	  CPU_LISTS * sizeof(struct depot)) / sizeof(struct magazine_cpu))

/* At boot, once; the zones are ready. merge: params.merge_caches. */
void kmem_cache_bootstrap(bool merge);

/* A cache has grown by that slab; a CPU freed a magazine-full: let others give up
 * what they don't need. Context: any. */
void caches_grown(const struct page *slab);
void caches_freed(void);
/* At boot, of the list of caches; and that one leaves it, which is locked. */
void hands_init(struct kmem_list *caches);
void hands_leave(struct kmem_cache *s);

/* What all give up: what they have not needed since they were last trimmed; all
 * that magazines, depots and empty slabs hold; the magazines themselves; the
 * pages of descriptors that there are none of. `all_cpus`: of all, by the
 * run_on_cpu hook. Context: thread. */
void caches_trim_idle(void);
void caches_shrink(bool all_cpus);
void caches_unload(bool all_cpus);
void caches_shrink_tables(void);

/* The list of all caches. Context: thread; preemption is off meanwhile. */
void list_lock(void);
void list_unlock(void);

/* Log, or report, why a cache could not be made. Return: NULL. */
struct kmem_cache *cache_create_failed(const char *name, slab_flags_t flags,
				       const char *why);

/* kmem_for_each_cache() when the list is locked already. */
void caches_each(bool (*fn)(struct kmem_cache *s, void *arg), void *arg);

/* Slabs for kmem's own tables, on pages of the page allocator. */
void bare_slabs(struct kmem_slabs *s, const char *name, size_t size,
		struct slab_node *node);

/* As long as the list of all caches is locked, none is destroyed: a walk over
 * slabs is safe. Without `wait`, from any context: false, somebody has it. With
 * it: thread. */
bool caches_lock(bool wait);
void caches_unlock(void);

/* Bytes of pages that hold cache descriptors and per-CPU lines. */
size_t caches_bytes(void);

/*
 * Caches that share one (cache_merge.c), where memory is not so scarce that
 * the code for it would cost more.
 */
#define MERGING		MAGAZINES

void cache_merge_init(bool on);

/* A cache that may serve for this one too, without constructor; one more user
 * of it, by that name. NULL: none, or no memory to note it. */
struct kmem_cache *cache_share(const char *name, size_t size, size_t align,
			       slab_flags_t flags);

/*
 * With the list locked:
 * One user less. False: it is the last one.
 * A user of s has, or had, that name, beside the one that the cache has.
 * There were more users of s than there are now.
 * s is gone.
 */
bool cache_unshare(const struct kmem_cache *s);
bool cache_has_alias(const struct kmem_cache *s, const char *name);
bool cache_was_shared(const struct kmem_cache *s);
void aliases_forget(const struct kmem_cache *s);

/* Bytes of pages that hold aliases; give back those that hold none; and verify
 * C3. */
size_t aliases_bytes(void);
void aliases_shrink(void);
void aliases_check(struct check *c);

/* An object from wherever there is one, CACHED; obj NULL without memory. */
struct round cache_get(struct kmem_cache *s, gfp_t gfp);
/* After magazine_alloc_slow(): one that another CPU has left, CACHED; or none. */
struct round cache_get_left(struct kmem_cache *s);

/* cache_alloc() when the magazines have nothing to give at once. */
void *cache_alloc_slow(struct kmem_cache *s, gfp_t gfp) KMEM_NOINLINE;

/* cache_free() when the magazines have no room at once. */
void cache_free_slow(struct kmem_cache *s, void *p, kmem_slot_t *slot)
	KMEM_NOINLINE;

/* Hardened: cache_free() of what takes longer, or is damaged. */
void cache_free_guarded(const char *call, struct kmem_cache *s, void *p,
			kmem_slot_t *slot, uintptr_t caller) KMEM_NOINLINE;

/* cache_alloc() when they gave an object that was not CACHED: it was freed
 * twice by CPUs that raced, and this is the second copy. Reports it, and
 * allocates another one. Hardened, it may also be that it was written to. */
void *cache_alloc_again(struct kmem_cache *s, gfp_t gfp, void *bad)
	KMEM_COLD;

/* Report that it came out of the magazines a second time. */
void cache_second_copy(const struct kmem_cache *s, const void *obj) KMEM_COLD;

/* cache_alloc(), and zero it. */
void *cache_alloc_zeroed(struct kmem_cache *s, gfp_t gfp) KMEM_NOINLINE;

/* Report why p can't be freed by `call` (to cache s, or to any if NULL). */
void cache_bad_free_by(const char *call, const struct kmem_cache *s,
		       const void *p, uintptr_t caller);

KMEM_INLINE void cache_bad_free(const char *call, const struct kmem_cache *s,
				const void *p, uintptr_t caller)
{
	cache_bad_free_by(KMEM_REPORT_TEXT ? call : NULL, s, p, caller);
}

/* It was destroyed, and its descriptor is of no other cache yet. */
KMEM_INLINE bool cache_is_gone(const struct kmem_cache *s)
{
	return KMEM_REPORT_TEXT && KMEM_UNLIKELY(!s->slabs.nr_nodes);
}

/* Report that s, given to `call` with object p or none, is no cache: NULL, or
 * destroyed. */
void cache_missing(const char *call, const struct kmem_cache *s, const void *p,
		   uintptr_t caller) KMEM_COLD;

/* ---- of caches that are debugged (cache_debug.c) ---- */

void cache_debug_bootstrap(void);
/* Set up what its flags ask for, and the reverse, without any slab. Return:
 * false if memory is too short. */
bool cache_debug_init(struct kmem_cache *s);
void cache_debug_fini(struct kmem_cache *s);
/* It is kmalloc()'s: each object has a size of its own. */
void cache_debug_sized(struct kmem_cache *s);
size_t cache_debug_bytes(void);
/* Pages of such parts that nobody has. */
void cache_debug_shrink(void);
void cache_debug_check(struct check *c);

/* What params.debug says: the whole of it, false if it can't be read; the flags
 * that a cache gets; whether orders are not to be raised. */
bool debug_options_set(const char *string);
slab_flags_t debug_options_flags(const char *name);
bool debug_options_lower(void);

/* kmem_cache_alloc_node(), for that caller, who will use `size` bytes. */
void *cache_alloc_node(struct kmem_cache *s, size_t size, gfp_t gfp, int node,
		       uintptr_t caller);

/* cache_alloc_slow() of any cache, for that caller. */
void *cache_alloc_by(struct kmem_cache *s, gfp_t gfp, uintptr_t caller)
	KMEM_NOINLINE;
/* An object of a debugged one, of which `size` bytes will be used; zeroed if
 * gfp says so. */
void *cache_alloc_debugged(struct kmem_cache *s, size_t size, gfp_t gfp,
			   uintptr_t caller);

/* A CACHED one becomes such an object. Return: it. */
void *cache_given(void *obj, size_t size, gfp_t gfp, uintptr_t caller);

/* What is not LIVE is to be freed: in a debugged cache that may be right,
 * otherwise cache_bad_free(). */
void cache_free_by(const char *call, const struct kmem_cache *s,
		   const void *p, uintptr_t caller) KMEM_COLD;

/* A block of kmalloc()'s that was just given out, of which `size` bytes will
 * be used, where that could not be said before. Return: p, which may be NULL. */
void *cache_fit(void *p, size_t size);

/* Bytes that may be used of an object that a user has. */
size_t cache_object_bytes(const void *p);
/* Make it so many, where the object is. False: no such object, not debugged,
 * or too small. */
bool cache_resize(const char *call, const void *p, size_t size,
		  uintptr_t caller);

/* Who freed or allocated the object at p, if that is known, to the log and as
 * text for the end of a line. */
#define CACHE_WHO_MAX	72
const char *cache_who(const struct page *page, const void *p, bool freed,
		      char text[CACHE_WHO_MAX]);

/* Verify C1 and C2, and the layers below; of one cache, or of all. */
void cache_check(struct kmem_cache *s, struct check *c);
void caches_check(struct check *c);

KMEM_INLINE bool same_name(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

/* That name is taken, by s. */
KMEM_INLINE bool cache_has_name(const struct kmem_cache *s, const char *name)
{
	if (!MERGING)
		return same_name(s->name, name);
	return (same_name(s->name, name) || cache_has_alias(s, name)) &&
	       !cache_was_shared(s);
}

/* The alignment that was meant. An object smaller than half a cache line need
 * not have one to itself. */
KMEM_INLINE size_t cache_align(size_t size, size_t align, slab_flags_t flags)
{
	size_t line = KMEM_CACHE_LINE;

	align = KMEM_MAX(align, sizeof(void *));
	if (!(flags & SLAB_HWCACHE_ALIGN))
		return align;
	while (size <= line / 2)
		line /= 2;
	return KMEM_MAX(align, line);
}

KMEM_INLINE struct kmem_cache *slabs_cache(struct kmem_slabs *s)
{
	return kmem_container_of(s, struct kmem_cache, slabs);
}

/* p is an object that somebody has, in that page of a slab. */
KMEM_INLINE bool is_live_object(const struct page *page, const void *p)
{
	struct slab_index i = slab_index(page, page->slabs, p);

	return i.exact && kmem_load_relaxed(&page->slot[i.index]) ==
			  slabs_live(page->slabs);
}

/* p is a block of pages that kmalloc() gave. */
KMEM_INLINE bool is_large(const struct page *page, const void *p)
{
	return page && page_type(page) == PAGE_KMALLOC &&
	       page_to_virt(page) == p;
}

/* Free it. */
KMEM_INLINE void large_free(struct page *page)
{
	page_set_type(page, PAGE_ALLOCATED);
	__free_pages(page, page->order);
}

/* The round's slab is there still, and the slot is of it. */
KMEM_INLINE bool round_belongs(const struct kmem_cache *s, struct round r)
{
	const struct page *page = virt_to_page(r.obj);

	return page->slabs == &s->slabs &&
	       (uintptr_t)r.slot - (uintptr_t)page->slot <
	       (slabs_first(&s->slabs) + slab_objects(page)) *
	       sizeof(kmem_slot_t);
}

/* What a user of an object of s will use of it, as kmalloc()'s constant sizes
 * say (gfp.h). Nobody asks but hardened builds. */
KMEM_INLINE size_t cache_asked(const struct kmem_cache *s, gfp_t gfp)
{
	return KMEM_HARDEN && slabs_sized(&s->slabs) ?
		s->slabs.guard->full - (gfp >> KMEM_GFP_LEFT_SHIFT) : 0;
}

/* The reverse, of objects of that size. */
KMEM_INLINE gfp_t gfp_left(size_t object_size, size_t size, gfp_t gfp)
{
	size_t left = KMEM_MIN(object_size - size, KMEM_GFP_LEFT_MAX);

	gfp &= ((gfp_t)1 << KMEM_GFP_LEFT_SHIFT) - 1;
	return gfp | (gfp_t)left << KMEM_GFP_LEFT_SHIFT;
}

/* Of kmalloc()'s, which in hardened builds have sizes; others come here in debug
 * builds only. */
KMEM_INLINE gfp_t gfp_asked(const struct kmem_cache *s, size_t size, gfp_t gfp)
{
	return KMEM_HARDEN && (!KMEM_DEBUG || slabs_sized(&s->slabs)) ?
	       gfp_left(s->slabs.guard->size, size, gfp) : gfp;
}

/*
 * CACHED -> LIVE, of which `size` bytes will be used (cache_asked()). False if it
 * is not CACHED: it was freed twice, by CPUs that raced. That its slab has not been given up since is verified in debug builds
 * only (cache.c says why). Without magazines, which are where second copies
 * wait, it can't be.
 */
KMEM_INLINE bool cache_mark_live(struct kmem_cache *s, struct round r,
				 size_t size)
{
	if (KMEM_DEBUG && KMEM_UNLIKELY(!round_belongs(s, r)))
		return false;
	if (MAGAZINES && KMEM_WRONG(kmem_load_plain(r.slot) != SLOT_CACHED))
		return false;
	if (KMEM_HARDEN)
		guard_given(&s->slabs, r.obj, r.slot, size, KMEM_CALLER);
	if (!KMEM_UNCHECKED)
		kmem_store_plain(r.slot, SLOT_LIVE);
	return true;
}

/* Hardened: the same; false also if it was written to, for
 * cache_alloc_again(). */
KMEM_INLINE bool cache_mark_live_fast(struct kmem_cache *s, struct round r,
				      size_t size)
{
	if ((KMEM_DEBUG && KMEM_UNLIKELY(!round_belongs(s, r))) ||
	    KMEM_WRONG(kmem_load_plain(r.slot) != SLOT_CACHED) ||
	    !guard_given_fast(&s->slabs, r.obj, r.slot, size))
		return false;
	kmem_store_plain(r.slot, SLOT_LIVE);
	return true;
}

/*
 * LIVE -> CACHED. False if p is not a live object of s, which the page is of;
 * otherwise *slot is its slot. Without magazines it goes all the way to its
 * slab here, under one lock, and for cache_free() there is nothing left to do.
 */
KMEM_INLINE bool cache_mark_cached(struct page *page, struct kmem_slabs *s,
				   const void *p, kmem_slot_t **slot)
{
	struct slab_index i;

	*slot = NULL;
	if (!MAGAZINES)
		return slabs_free_from(page, s, p, SLOT_LIVE);
	i = slab_index(page, s, p);
	if (KMEM_WRONG(!i.exact))
		return false;
	*slot = &page->slot[i.index];
	if (KMEM_WRONG(kmem_load_plain(*slot) != SLOT_LIVE))
		return false;
	if (!KMEM_UNCHECKED)
		kmem_store_plain(*slot, SLOT_CACHED);
	return true;
}

/* When the magazines have nothing to give at once. */
KMEM_INLINE void *cache_alloc_below(struct kmem_cache *s, gfp_t gfp)
{
	if (KMEM_CACHE_DEBUG)
		return cache_alloc_by(s, gfp, KMEM_CALLER);
	return cache_alloc_slow(s, gfp);
}

/* An object with whatever is in it: the caller sees to __GFP_ZERO; `size` as for
 * cache_mark_live(), or what is asked for of a cache that may be debugged (whose
 * magazines never have any). The slow ways out are tail calls, so that the fast
 * one saves no register. */
KMEM_INLINE void *cache_alloc_size(struct kmem_cache *s, size_t size, gfp_t gfp)
{
	struct round r = { NULL, NULL };

	if (KMEM_DEBUG)
		gfp = gfp_checked("kmem_cache_alloc", gfp);
	if (KMEM_UNLIKELY(!magazine_alloc(&s->magazine, &r)))
		return cache_alloc_below(s, size && !slabs_sized(&s->slabs) ?
					 gfp_left(s->object_size, size, gfp) :
					 gfp_asked(s, size, gfp));
	if (KMEM_UNLIKELY(KMEM_HARDEN ? !cache_mark_live_fast(s, r, size) :
					!cache_mark_live(s, r, size)))
		return cache_alloc_again(s, gfp_asked(s, size, gfp), r.obj);
	return r.obj;
}

KMEM_INLINE void *cache_alloc(struct kmem_cache *s, gfp_t gfp)
{
	struct round r = { NULL, NULL };

	if (!KMEM_HARDEN || KMEM_DEBUG)
		return cache_alloc_size(s, cache_asked(s, gfp), gfp);
	if (KMEM_UNLIKELY(!magazine_alloc(&s->magazine, &r)))
		return cache_alloc_below(s, gfp);
	/* What has magazines is guarded: cache_asked() without its tests. */
	if (KMEM_UNLIKELY(!cache_mark_live_fast(s, r, s->slabs.guard->full -
						(gfp >> KMEM_GFP_LEFT_SHIFT))))
		return cache_alloc_again(s, gfp, r.obj);
	return r.obj;
}

/* The object that is asked for is to fail. */
KMEM_INLINE bool cache_injected(const struct kmem_cache *s, gfp_t gfp,
				uintptr_t caller)
{
	return inject_fails(KMEM_INJECT_OBJECT, s->name, gfp & __GFP_BITS_MASK,
			    caller);
}

/* kmem_cache_alloc() of those who have asked that. */
KMEM_INLINE void *cache_alloc_asked(struct kmem_cache *s, gfp_t gfp)
{
	if (!KMEM_INJECT)
		return kmem_cache_alloc(s, gfp);
	return gfp & __GFP_ZERO ? cache_alloc_zeroed(s, gfp) :
				  cache_alloc(s, gfp);
}

/* What cache_mark_cached() has refused. */
KMEM_INLINE void cache_refused(const char *call, const struct kmem_cache *s,
			       const void *p)
{
	if (KMEM_CACHE_DEBUG)
		cache_free_by(call, s, p, KMEM_CALLER);
	else
		cache_bad_free(call, s, p, 0);
}

/* An object that `call` has marked CACHED. */
KMEM_INLINE void cache_free(const char *call, struct kmem_cache *s, void *p,
			    kmem_slot_t *slot)
{
	if (KMEM_HARDEN &&
	    KMEM_UNLIKELY(!guard_taken_fast(&s->slabs, p, slot))) {
		cache_free_guarded(call, s, p, slot, KMEM_CALLER);
		return;
	}
	if (MAGAZINES && KMEM_UNLIKELY(!magazine_free(&s->magazine, p, slot)))
		cache_free_slow(s, p, slot);
}

#endif /* KMEM_CACHE_PRIVATE_H */
