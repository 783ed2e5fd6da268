// SPDX-License-Identifier: MIT
/*
 * free.c - freeing what is not to be freed, or not so.
 */
#include <stdlib.h>
#include <sys/mman.h>

#include "attack.h"

#include <kmem/kvmalloc.h>
#include <kmem/obj_info.h>
#include <kmem/page_ref.h>

/* ---- double free ---- */

/* A victim, freed; what a second free is to say of it. */
static void *freed_victim(struct run *r)
{
	void *p = victim(r);

	expect(r, p, r->kind <= CACHE ? "double free" : "free",
	       SAYS_FREE | (r->kind <= CACHE ? SAYS_FOUND : 0));
	give(r, p);
	return p;
}

/* Bytes of an object of the victim's cache. */
static size_t object_size(const struct run *r)
{
	return r->kind == CACHE ? r->size : kmalloc_size_roundup(r->size);
}

/* Its slab may have gone since: then it is a part of free memory. Where
 * somebody has that by now, it is another row's matter. */
static void free_again(struct run *r, void *p)
{
	struct kmem_obj_info o;

	kmem_obj_lookup(p, &o);
	if (o.state == KMEM_OBJ_FREE_PAGES)
		expect(r, p, "free", 0);
	else
		r->nothing = r->kind > CACHE || o.start != p || !o.cache ||
			     o.state == KMEM_OBJ_LIVE ||
			     kmem_cache_size(o.cache) != object_size(r);
	during(r, "at the free");
	if (!r->nothing)
		free_by_any(r, p);
}

static void double_free(struct run *r)
{
	free_again(r, freed_victim(r));
}

static void double_free_between(struct run *r)
{
	void *p = freed_victim(r);

	for (size_t n = between(r, 1, r->nr_neighbours); n--; )
		give(r, neighbour(r));
	free_again(r, p);
}

static void double_free_late(struct run *r)
{
	void *p;

	/* What that needs of pages it has already, and can leave it alone. */
	churn(r, 1000, r->kind <= CACHE ? 4096 : 64);
	p = freed_victim(r);
	churn(r, 1000, r->kind <= CACHE ? 4096 : 64);
	free_again(r, p);
}

/* By then it is in its slab, or back in its zone. */
static void double_free_drained(struct run *r)
{
	void *p = freed_victim(r);

	test_drain(2);
	free_again(r, p);
}

/* On another CPU than the one that has it in a magazine. */
static void double_free_elsewhere(struct run *r)
{
	void *p = freed_victim(r);

	host_cpu_set(1);
	free_again(r, p);
	host_cpu_set(0);
}

static void many_times(struct run *r)
{
	void *p = freed_victim(r);

	r->reports = (unsigned)between(r, 2, 20);
	for (unsigned i = 0; i < r->reports; i++)
		free_again(r, p);
}

/* ---- pointers that are no object's ---- */

/* Free so many bytes into p; 0: there is no such place. */
static void free_inside(struct run *r, char *p, size_t at)
{
	r->nothing = !at;
	expect(r, p + at, r->kind == LARGE ? "block" :
	       "not the start of an object", 0);
	during(r, "at the free");
	if (at)
		free_by_any(r, p + at);
	give(r, p);
}

static void free_interior(struct run *r)
{
	char *p = victim(r);
	size_t size = room(r, p);
	size_t at = between(r, 1, size > 1 ? size - 1 : 1);

	free_inside(r, p, size == 1 ? 0 : at);	/* 0: it has none */
}

/* Who keeps flags in the low bits of a pointer, and forgets to clear them. */
static void free_tagged(struct run *r)
{
	char *p = victim(r);
	size_t tag = between(r, 1, 7);

	free_inside(r, p, room(r, p) <= tag ? 0 : tag);
}

/* Behind the last object of its slab, or before the first one. */
static void free_rest(struct run *r)
{
	struct kmem_obj_info o;
	char *p = victim(r), *at;

	kmem_obj_lookup(p, &o);
	at = (char *)o.slab + (PAGE << compound_order(virt_to_page(o.slab))) -
	     between(r, 1, 8);
	kmem_obj_lookup(at, &o);
	r->nothing = o.state != KMEM_OBJ_REST;
	expect(r, at, "not the start of an object", NO_INDEX);
	during(r, "at the free");
	if (!r->nothing)
		free_by_any(r, at);
	give(r, p);
}

static void free_foreign(struct run *r, void *p)
{
	expect(r, p, NULL, 0);
	during(r, "at the free");
	if (r->kind == PAGES)
		free_address_as_pages(r, p);
	else
		free_by_any(r, p);
}

static void free_not_heap(struct run *r)
{
	static char global[256];
	char *mapped = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	/* below the machine's memory, right after it, and anywhere */
	char *low = phys_to_virt((kmem_phys_t)(16 * MIB));
	char *end = phys_to_virt((kmem_phys_t)(48 * MIB));
	void *const p[] = {
		global + below(r, 256), mapped + below(r, 2) * PAGE,
		(void *)(uintptr_t)&free_not_heap, low - 1, low - PAGE, end,
		end + PAGE + 8, (void *)UINTPTR_MAX, (void *)(UINTPTR_MAX / 2),
		(void *)~(uintptr_t)(PAGE - 1), (void *)(uintptr_t)test_random(&r->random),
	};
	size_t i = below(r, KMEM_ARRAY_SIZE(p));

	victim(r);
	r->nothing = (uintptr_t)p[i] - (uintptr_t)low < 32 * MIB;
	if (!r->nothing)
		free_foreign(r, p[i]);
}

static void free_libc(struct run *r)
{
	char *p = malloc(64);

	victim(r);
	free_foreign(r, p);
	memset(p, 1, 64);
	free(p);
}

/* NULL, and something: the address of a member of nothing. */
static void free_null_and_offset(struct run *r)
{
	victim(r);
	/* ZERO_SIZE_PTR, 16, is right, and below it kfree() does nothing. */
	free_foreign(r, (char *)ZERO_SIZE_PTR + between(r, 1, 4096));
}

static void free_stack(struct run *r)
{
	volatile char frame[128];

	frame[0] = 1;
	victim(r);
	free_foreign(r, (char *)(uintptr_t)frame + below(r, 128));
}

/* What holds kmem's own tables: descriptors of pages, of caches. */
static void free_own_tables(struct run *r)
{
	char *p = victim(r);

	if (below(r, 2))
		p = (char *)virt_to_page(p);
	else
		p = (char *)r->cache + 8 * below(r, 8);
	if (r->kind == PAGES)
		p = (char *)((uintptr_t)p & ~(uintptr_t)(PAGE - 1));
	r->nothing = r->kind == PAGES && !virt_to_page(p);
	if (r->nothing)
		return;
	expect(r, p, NULL, NO_INDEX);
	during(r, "at the free");
	free_by_any(r, p);
}

/* Not a misuse, and not to be reported. */
static void free_nothing(struct run *r)
{
	void *none[2] = { NULL, ZERO_SIZE_PTR };

	victim(r);
	for (unsigned i = 0; i < nr_freers; i++)
		if (freers[i].kinds & BIT(KMALLOC))
			freers[i].fn(r, NULL);
	kfree(ZERO_SIZE_PTR);
	kvfree(ZERO_SIZE_PTR);
	kfree_sensitive(ZERO_SIZE_PTR);
	kfree_bulk(2, none);
	free_pages(0, 3);
	__free_pages(NULL, 0);
	put_page(NULL);
	kmem_cache_destroy(NULL);
	holds(r, !nr_reports() && !ksize(ZERO_SIZE_PTR));
}

/* ---- the wrong cache ---- */

static MISUSE_CALL void free_to_cache(struct run *r, struct kmem_cache *s,
				      void *p)
{
	void *many[1] = { p };

	if (below(r, 2))
		kmem_cache_free(s, p);
	else
		kmem_cache_free_bulk(s, 1, many);
	END_OF_CALL();
}

/* Of the same size or of another, empty or in use. */
static void free_to_other_cache(struct run *r)
{
	struct kmem_cache *other;
	void *p = victim(r), *q;

	other = kmem_cache_create("other", below(r, 2) ? r->size : 96, 0, 0,
				  NULL);
	if (!other) {			/* larger than any cache's */
		r->nothing = true;
		return;
	}
	q = below(r, 2) ? kmem_cache_alloc(other, GFP_KERNEL) : NULL;
	expect(r, p, r->kind == LARGE ? NULL : "the object is of cache", 0);
	during(r, "at the free");
	free_to_cache(r, other, p);
	kmem_cache_free(other, q);
	kmem_cache_destroy(other);
	give(r, p);
}

#define DOUBLE	{ ALWAYS, ALWAYS, ALWAYS }

const struct attack free_attacks[] = {
	{ "double free, at once", double_free, ALL_KINDS, DOUBLE, 0 },
	{ "double free, other frees between", double_free_between, ALL_KINDS,
	  DOUBLE, 0 },
	{ "double free, 1000 allocations later", double_free_late, ALL_KINDS,
	  DOUBLE, 0 },
	{ "double free, all magazines drained before", double_free_drained,
	  ALL_KINDS, DOUBLE, 0 },
	{ "double free, by another CPU", double_free_elsewhere, ALL_KINDS,
	  DOUBLE, 0 },
	{ "freed up to 20 times more", many_times, ALL_KINDS, DOUBLE, 0 },
	{ "free of an interior pointer", free_interior, BYTES, DOUBLE, 0 },
	{ "free of a pointer with flags in its low bits", free_tagged, BYTES,
	  DOUBLE, 0 },
	{ "free of what is behind a slab's last object", free_rest, OBJECTS,
	  DOUBLE, 0 },
	{ "free of a non-heap pointer", free_not_heap, ALL_KINDS, DOUBLE,
	  0 },
	{ "free of what malloc() of the host gave", free_libc, ALL_KINDS,
	  DOUBLE, 0 },
	{ "free of NULL plus an offset", free_null_and_offset, ALL_KINDS,
	  DOUBLE, 0 },
	{ "free of a stack pointer", free_stack, ALL_KINDS, DOUBLE, 0 },
	{ "free of kmem's own tables", free_own_tables, ALL_KINDS, DOUBLE,
	  0 },
	{ "free of NULL or ZERO_SIZE_PTR is none, and not reported",
	  free_nothing, BIT(KMALLOC), { HOLDS, HOLDS, HOLDS }, 0 },
	{ "free to the wrong cache", free_to_other_cache, BYTES, DOUBLE,
	  0 },
	{ .what = NULL },
};
