/* SPDX-License-Identifier: MIT */
/*
 * cache_limit.c - a cache's most and least.
 *
 * Both are about slabs, so that allocation and free know nothing of them.
 *
 * The most: a cache that has a bound gets its pages by functions of its own,
 * which count them before they ask for them. pages <= max_pages, but for a
 * bound that was lowered. The least is the slabs' (slabs_keep).
 *
 * Locks: the first node's lock guards pages and max_pages.
 */
#include "bits.h"
#include "cache.h"

#include <kmem/boot.h>
#include <kmem/reserve.h>

static void add_pages(struct kmem_cache *c, size_t pages)
{
	struct kmem_lock *lock = &c->slabs.node[0].lock;
	uintptr_t irq = lock_irq(lock);

	c->pages += pages;
	unlock_irq(lock, irq);
}

static bool charge(struct kmem_cache *c, size_t pages)
{
	struct kmem_lock *lock = &c->slabs.node[0].lock;
	uintptr_t irq = lock_irq(lock);
	bool room = c->pages + pages <= c->max_pages;

	if (room)
		c->pages += pages;
	unlock_irq(lock, irq);
	return room;
}

/* At the bound: have free objects in slabs, where the request looks next, or
 * slabs less. */
static void take_back_objects(struct kmem_cache *c, gfp_t gfp)
{
	if (!MAGAZINES)
		return;
	if (gfp & __GFP_DIRECT_RECLAIM)
		kmem_cache_shrink(c);
	else
		magazine_drain(&c->magazine);
}

static struct page *limited_get_pages(struct kmem_slabs *s, gfp_t gfp,
				      unsigned node, unsigned order)
{
	struct kmem_cache *c = slabs_cache(s);
	struct page *page;

	if (!charge(c, (size_t)1 << order)) {
		if (order != s->min_order)
			return NULL;
		take_back_objects(c, gfp);
		/* slabs that were all free by then have been given up */
		if (!charge(c, (size_t)1 << order))
			return NULL;
	}
	page = alloc_pages_near(node, gfp, order);
	if (!page)
		add_pages(c, 0 - ((size_t)1 << order));
	return page;
}

static void limited_put_pages(struct kmem_slabs *s, struct page *page,
			      unsigned order)
{
	add_pages(slabs_cache(s), 0 - ((size_t)1 << order));
	__free_pages(page, order);
	wake_waiters();
}

/* Count from now on. */
static void begin_limit(struct kmem_cache *s)
{
	struct slab_node sum;

	if (s->slabs.get_pages == limited_get_pages)
		return;
	slabs_sum(&s->slabs, &sum);
	s->pages = sum.nr_pages;
	/* What there is, whoever has left it, must be used up first. */
	if (MAGAZINES)
		kmem_store_relaxed(&s->magazine.apart, false);
	s->slabs.put_pages = limited_put_pages;
	s->slabs.get_pages = limited_get_pages;
}

size_t kmem_cache_set_max(struct kmem_cache *s, size_t objects)
{
	const struct kmem_slabs *of = &s->slabs;
	size_t slabs = bits_divide(objects, of->objects);
	uintptr_t irq;

	slabs += slabs * of->objects < objects;
	begin_limit(s);
	irq = lock_irq(&s->slabs.node[0].lock);
	s->max_pages = objects ? slabs << of->order : SIZE_MAX;
	unlock_irq(&s->slabs.node[0].lock, irq);
	return objects ? slabs * of->objects : SIZE_MAX;
}

int kmem_cache_prealloc(struct kmem_cache *s, size_t objects, gfp_t gfp)
{
	if (!MAGAZINES)
		return KMEM_EINVAL;
	while (slabs_keep(&s->slabs, objects)) {
		struct round r = slabs_grow(&s->slabs, gfp);

		if (!r.obj)
			return KMEM_ENOMEM;
		slabs_keep(&s->slabs, objects);
		slabs_give(&s->slabs, &r, 1);
	}
	return 0;
}
