/* SPDX-License-Identifier: MIT */
/*
 * magazine_make.c - where magazines come from, and quarantines.
 *
 * From slabs of their own that have no per-CPU layer and take pages straight
 * from the zones: the page allocator has magazines too, and must not need
 * itself. They leave the zones' reserves alone: without a magazine, objects go
 * directly.
 *
 * Locks: those of the slabs.
 */
#include "depot.h"
#include "guard.h"

/* [0]: short ones, [1]: long ones */
static struct kmem_slabs magazine_slabs[2];
static struct slab_node magazine_node[2];

static struct kmem_slabs quarantine_slabs;
static struct slab_node quarantine_node;

static size_t magazine_size(unsigned capacity)
{
	return sizeof(struct magazine) + capacity * sizeof(struct round);
}

void magazines_init(void)
{
	tables_init(&magazine_slabs[0], "magazines-short",
		    magazine_size(MAGAZINE_SHORT), &magazine_node[0]);
	tables_init(&magazine_slabs[1], "magazines-long",
		    magazine_size(MAGAZINE_LONG), &magazine_node[1]);
	if (KMEM_HARDEN)
		tables_init(&quarantine_slabs, "quarantines",
			    sizeof(struct quarantine), &quarantine_node);
}

size_t magazines_bytes(void)
{
	return MAGAZINES ? slabs_bytes(&magazine_slabs[0]) +
			   slabs_bytes(&magazine_slabs[1]) +
			   (KMEM_HARDEN ? slabs_bytes(&quarantine_slabs) : 0) :
			   0;
}

void magazines_shrink(void)
{
	slabs_shrink(&magazine_slabs[0]);
	slabs_shrink(&magazine_slabs[1]);
	if (KMEM_HARDEN)
		slabs_shrink(&quarantine_slabs);
}

void magazines_check(struct check *c)
{
	if (!MAGAZINES)
		return;
	slabs_check(&magazine_slabs[0], c);
	slabs_check(&magazine_slabs[1], c);
	if (KMEM_HARDEN)
		slabs_check(&quarantine_slabs, c);
}

static bool table_has(const struct kmem_slabs *t, const void *p)
{
	struct page *page = virt_to_page(p);
	struct slab_index i;

	if (!page || page->slabs != t)
		return false;
	i = slab_index(page, t, p);
	return i.exact && i.index - slabs_first(t) < slab_objects(page) &&
	       kmem_load_relaxed(&page->slot[i.index]) == SLOT_CACHED;
}

bool magazine_exists(const struct magazine *m)
{
	return (table_has(&magazine_slabs[0], m) &&
		m->capacity == MAGAZINE_SHORT) ||
	       (table_has(&magazine_slabs[1], m) &&
		m->capacity == MAGAZINE_LONG);
}

static struct kmem_slabs *slabs_for(unsigned capacity)
{
	return &magazine_slabs[capacity > MAGAZINE_SHORT];
}

struct magazine *magazine_new(struct magazine_layer *l, unsigned limit)
{
	const gfp_t gfp = GFP_NOWAIT | __GFP_NORETRY;
	struct magazine *m = NULL;

	if (!inject_fails(KMEM_INJECT_MAGAZINE, NULL, gfp, 0))
		m = slabs_alloc(slabs_for(limit), gfp);
	if (!m)
		return NULL;
	m->capacity = limit > MAGAZINE_SHORT ? MAGAZINE_LONG : MAGAZINE_SHORT;
	m->rounds = 0;
	kmem_add_relaxed(&l->magazines, 1);
	kmem_add_relaxed(&l->magazine_bytes, magazine_size(m->capacity));
	return m;
}

void magazine_delete(struct magazine_layer *l, struct magazine *m)
{
	if (!m)
		return;
	kmem_add_relaxed(&l->magazines, (size_t)-1);
	kmem_add_relaxed(&l->magazine_bytes, 0 - magazine_size(m->capacity));
	slabs_free(slabs_for(m->capacity), m);
}

struct quarantine *quarantine_new(struct magazine_layer *l)
{
	struct quarantine *q = slabs_alloc(&quarantine_slabs,
					   GFP_NOWAIT | __GFP_NORETRY);

	if (!q)
		return NULL;
	memset(q, 0, sizeof(*q));
	q->last = l->quarantine - 1u;
	q->random = (uint32_t)guard_of(q);
	kmem_add_relaxed(&l->magazine_bytes, sizeof(*q));
	return q;
}

void quarantine_delete(struct magazine_layer *l, struct quarantine *q)
{
	if (!q)
		return;
	kmem_add_relaxed(&l->magazine_bytes, 0 - sizeof(*q));
	slabs_free(&quarantine_slabs, q);
}
