/* SPDX-License-Identifier: MIT */
/*
 * cache_debug.c - caches that are debugged: how the paths of every cache lead
 * to debug.c, and what users may ask.
 *
 *	kmem_cache_alloc(s), __kmalloc		kmem_cache_free, kfree, bulk
 *	   │ no magazines				   │ not LIVE
 *	cache_alloc_by				cache_free_by
 *	   │ debugged?				   │ debugged?
 *	   ├ no: cache_alloc_slow		   ├ no: cache_bad_free
 *	   └ get one, debug_given()		   └ claim, debug_taken(), give
 *
 * A cache that is debugged has no magazines and no LIVE objects: so the fast
 * paths of all caches hold no test for it. With kmalloc() of a constant the
 * size that was asked for comes as what is left over of the class, in bits of
 * gfp that nothing else uses (KMEM_GFP_LEFT_SHIFT): a constant as well.
 */
#include "bits.h"
#include "cache.h"
#include "debug.h"
#include "format.h"
#include "guard.h"

/* Where the slab_debug of caches come from. */
static struct {
	struct kmem_slabs parts;
	struct slab_node node;
} debug_pool;

void cache_debug_bootstrap(void)
{
	tables_init(&debug_pool.parts, "kmem_cache_debug",
		    (size_t)round_up_to(sizeof(struct slab_debug),
					KMEM_CACHE_LINE), &debug_pool.node);
}

/* What is not debugged can be hardened; and then it is zero as it is given
 * out, if it may be. */
static bool harden(struct kmem_cache *s)
{
	bool keeps = s->slabs.ctor || (s->flags & SLAB_TYPESAFE_BY_RCU);

	if (!keeps)
		s->zeroed = 0;
	return guard_init(&s->slabs, s->object_size, s->align, keeps);
}

bool cache_debug_init(struct kmem_cache *s)
{
	struct slab_debug *d;

	s->zeroed = (uint32_t)s->object_size;
	if (!(s->flags & SLAB_DEBUG_FLAGS))
		return !KMEM_HARDEN || harden(s);
	d = table_alloc(&debug_pool.parts, GFP_KERNEL);
	if (!d)
		return false;
	memset(d, 0, sizeof(*d));
	d->object_size = (unsigned)s->object_size;
	d->red_zone = s->flags & SLAB_RED_ZONE;
	d->user = s->flags & SLAB_STORE_USER;
	if (debug_options_lower() &&
	    debug_raises_order(&s->slabs, d, s->align)) {
		s->flags &= ~(SLAB_RED_ZONE | SLAB_POISON | SLAB_STORE_USER);
		d->red_zone = d->user = false;
	}
	d->poison = (s->flags & SLAB_POISON) && !s->slabs.ctor &&
		    !(s->flags & SLAB_TYPESAFE_BY_RCU);
	d->trace = s->flags & SLAB_TRACE;
	d->check = s->flags & SLAB_CONSISTENCY_CHECKS;
	debug_slabs_init(&s->slabs, d, s->align);
	if (!d->red_zone)
		s->flags &= ~SLAB_RED_ZONE;
	s->zeroed = 0;			/* debug_given() does it */
	return true;
}

void cache_debug_sized(struct kmem_cache *s)
{
	if (slabs_debugged(&s->slabs))
		s->slabs.debug->sized = s->slabs.debug->red_zone;
	else if (KMEM_HARDEN)
		guard_sized(&s->slabs);
}

void cache_debug_fini(struct kmem_cache *s)
{
	if (KMEM_HARDEN)
		guard_fini(&s->slabs);
	if (!slabs_debugged(&s->slabs))
		return;
	slabs_shrink(slabs_records(&s->slabs));
	slabs_free(&debug_pool.parts, s->slabs.debug);
}

static bool add_records(struct kmem_cache *s, void *arg)
{
	if (slabs_debugged(&s->slabs))
		*(size_t *)arg += slabs_bytes(slabs_records(&s->slabs));
	else if (slabs_sized(&s->slabs))
		*(size_t *)arg += slabs_bytes(guard_sizes(&s->slabs));
	return true;
}

void cache_debug_shrink(void)
{
	slabs_shrink(&debug_pool.parts);
}

void cache_debug_check(struct check *c)
{
	slabs_check(&debug_pool.parts, c);
	if (KMEM_HARDEN)
		guards_check(c);
}

size_t cache_debug_bytes(void)
{
	size_t bytes = slabs_bytes(&debug_pool.parts) +
		       (KMEM_HARDEN ? guards_bytes() : 0);

	kmem_for_each_cache(add_records, &bytes);
	return bytes;
}

/* ---- allocation and free ---- */

void *cache_given(void *obj, size_t size, gfp_t gfp, uintptr_t caller)
{
	debug_given(obj, size, gfp & __GFP_ZERO, caller);
	return obj;
}

void *cache_alloc_debugged(struct kmem_cache *s, size_t size, gfp_t gfp,
			   uintptr_t caller)
{
	struct round r = cache_get(s, gfp);

	return r.obj ? cache_given(r.obj, size, gfp, caller) : NULL;
}

void *cache_alloc_by(struct kmem_cache *s, gfp_t gfp, uintptr_t caller)
{
	size_t left = gfp >> KMEM_GFP_LEFT_SHIFT;

	if (cache_is_gone(s)) {
		cache_missing("kmem_cache_alloc", s, NULL, caller);
		return NULL;
	}
	gfp &= ((gfp_t)1 << KMEM_GFP_LEFT_SHIFT) - 1;
	if (KMEM_LIKELY(!slabs_debugged(&s->slabs))) {
		void *obj = cache_alloc_slow(s, gfp);

		return KMEM_HARDEN && left ?
			cache_fit(obj, s->object_size - left) : obj;
	}
	return cache_alloc_debugged(s, s->object_size - left, gfp, caller);
}

/* False if p is not what can be freed: there is nothing done then. */
static bool free_debugged(const char *call, const struct kmem_cache *s,
			  const void *p, uintptr_t caller)
{
	struct page *page = virt_to_page(p);
	struct kmem_slabs *of = page ? page->slabs : NULL;
	struct round r = { (void *)(uintptr_t)p, NULL };

	if (!of || !of->debug || (s && of != &s->slabs) ||
	    !slabs_claim(page, of, p, &r.slot))
		return false;
	debug_taken(call, p, caller);
	zones_do_later();
	if (MAGAZINES)
		magazine_count_direct(&slabs_cache(of)->magazine, DIR_FREE);
	if (!somebody_waits())
		r = debug_hold(of, r);
	if (r.obj)
		slabs_give(of, &r, 1);
	return true;
}

void cache_free_by(const char *call, const struct kmem_cache *s,
		   const void *p, uintptr_t caller)
{
	if (!free_debugged(call, s, p, caller))
		cache_bad_free(call, s, p, caller);
}

size_t cache_object_bytes(const void *p)
{
	struct kmem_slabs *s = virt_to_page(p)->slabs;

	if (slabs_debugged(s))
		return debug_object_at(p).rec->size;
	if (slabs_sized(s))
		return guard_size_at(s, p);
	return kmem_cache_size(slabs_cache(s));
}

void *cache_fit(void *p, size_t size)
{
	struct page *page = ZERO_OR_NULL_PTR(p) ? NULL : virt_to_page(p);

	if (page && page->slabs && slabs_sized(page->slabs)) {
		KMEM_ASSERT(size <= page->slabs->guard->size);
		guard_fit(page->slabs, p, size);
	}
	return p;
}

static bool resize_hardened(const char *call, struct page *page, void *p,
			    size_t size, uintptr_t caller)
{
	struct kmem_slabs *s = page->slabs;

	if (!slabs_sized(s) || size > s->guard->size)
		return false;
	guard_resize(call, s, p, size, caller);
	return true;
}

bool cache_resize(const char *call, const void *p, size_t size,
		  uintptr_t caller)
{
	struct page *page = virt_to_page(p);	/* there is one: p is a block */
	struct kmem_slabs *s = page->slabs;
	kmem_slot_t *slot;

	if (KMEM_HARDEN && s && !s->debug)
		return resize_hardened(call, page, (void *)(uintptr_t)p, size,
				       caller);
	if (!s || !s->debug || size > s->debug->object_size ||
	    !slabs_claim(page, s, p, &slot))
		return false;
	debug_resize(call, p, size, caller);
	kmem_store_relaxed(slot, SLOT_TRACKED);
	return true;
}

const char *cache_who(const struct page *page, const void *p, bool freed,
		      char text[CACHE_WHO_MAX])
{
	struct debug_object o;

	text[0] = '\0';
	if (!slabs_debugged(page->slabs))
		return text;
	o = debug_object_at(p);
	track_log(&o);
	return track_text(&o, freed ? TRACK_FREE : TRACK_ALLOC, text);
}

/* ---- what users may ask ---- */

size_t kmem_cache_validate(struct kmem_cache *s)
{
	if (!slabs_debugged(&s->slabs))
		return 0;
	return debug_validate("kmem_cache_validate", &s->slabs);
}

size_t kmem_cache_alloc_traces(struct kmem_cache *s, struct kmem_trace *table,
			       size_t n)
{
	if (!slabs_debugged(&s->slabs))
		return 0;
	return track_table(&s->slabs, TRACK_ALLOC, table, n);
}

size_t kmem_cache_free_traces(struct kmem_cache *s, struct kmem_trace *table,
			      size_t n)
{
	if (!slabs_debugged(&s->slabs))
		return 0;
	return track_table(&s->slabs, TRACK_FREE, table, n);
}

#define REPORT_TRACES	16

struct trace_report {
	kmem_out_fn out;
	void *ctx;
};

static void say_trace(const struct trace_report *r, const char *name,
		      const struct kmem_trace *t)
{
	char line[KMEM_LINE_MAX];

	format(line, sizeof(line), "%-24s %8zu objects %10zu bytes  by %p, from "
	       "%llu to %llu", name, t->count, t->bytes, t->caller,
	       (unsigned long long)t->first, (unsigned long long)t->last);
	r->out(r->ctx, line);
}

static bool report_cache(struct kmem_cache *s, void *arg)
{
	struct kmem_trace table[REPORT_TRACES];
	size_t n = kmem_cache_alloc_traces(s, table, REPORT_TRACES);

	for (size_t i = 0; i < n; i++)
		say_trace(arg, s->name, &table[i]);
	return true;
}

void kmem_report_traces(kmem_out_fn out, void *ctx)
{
	struct trace_report r = { out, ctx };

	kmem_for_each_cache(report_cache, &r);
}
