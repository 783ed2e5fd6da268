// SPDX-License-Identifier: MIT
/*
 * pages.c - blocks of pages: parts of them, wrong orders, and the calls that
 * are for objects.
 */
#include "attack.h"

#include <kmem/kvmalloc.h>
#include <kmem/page_ref.h>
#include <kmem/vmalloc.h>

/* A block of two pages or more. */
static char *block_of_many(struct run *r)
{
	char *p;

	if (r->kind == PAGES && !r->order)
		r->order = 1 + (unsigned)below(r, 4);
	if (r->kind == PAGES)
		r->size = PAGE << r->order;
	p = victim(r);
	return p;
}

static MISUSE_CALL void kfree_it(const void *p)
{
	kfree(p);
	END_OF_CALL();
}

static MISUSE_CALL void free_pages_of(struct run *r, void *p, unsigned order)
{
	if (below(r, 2))
		free_pages((uintptr_t)p, order);
	else
		__free_pages(virt_to_page(p), order);
	END_OF_CALL();
}

/* The mempool of the run has another order, so the blocks get new ones. */
static void free_tail(struct run *r)
{
	char *p = block_of_many(r);
	size_t pages = r->kind == PAGES ? (size_t)1 << r->order :
					  ksize(p) / PAGE;
	char *tail = p + between(r, 1, pages - 1) * PAGE;

	expect(r, tail, "inside a block", 0);
	during(r, "at the free");
	if (below(r, 2))
		kfree_it(tail);
	else
		free_pages_of(r, tail, (unsigned)below(r, 3));
	give(r, p);
}

static void free_within_page(struct run *r)
{
	char *p = victim(r);

	p += between(r, 1, PAGE - 1);
	expect(r, p, "not the start of a page", 0);
	during(r, "at the free");
	free_address_as_pages(r, p);
}

static void wrong_order(struct run *r)
{
	char *p = victim(r);
	unsigned order = (unsigned)below(r, KMEM_MAX_ORDER + 1);

	if (order == r->order)
		order++;
	expect(r, p, "it was allocated with order", 0);
	during(r, "at the free");
	free_pages_of(r, p, order);
	give(r, p);
}

/* Beyond every order, and what -1 becomes. */
static void huge_order(struct run *r)
{
	const unsigned order[] = { KMEM_MAX_ORDER + 1, 31, 32, 63, 64, 255, 256,
				   0x80000000u, ~0u };
	char *p = victim(r);
	unsigned n = order[below(r, KMEM_ARRAY_SIZE(order))];

	expect(r, p, "it was allocated with order", 0);
	during(r, "at the free");
	free_pages_of(r, p, n);
	give(r, p);
}

static void huge_request(struct run *r)
{
	const unsigned order[] = { KMEM_MAX_ORDER + 1, 32, 64, ~0u };
	const size_t size[] = { KMALLOC_MAX_SIZE + 1, SIZE_MAX / 2, SIZE_MAX - 1,
				SIZE_MAX, (size_t)-4096, (size_t)-16 };
	unsigned n = order[below(r, KMEM_ARRAY_SIZE(order))];
	size_t bytes = size[below(r, KMEM_ARRAY_SIZE(size))];
	char *p = victim(r);

	holds(r, !alloc_pages(GFP_KERNEL, n) && !kmalloc(bytes, GFP_KERNEL) &&
	      !krealloc(p, bytes, GFP_KERNEL) &&
	      !kmalloc_array(bytes, 17, GFP_KERNEL) &&
	      !kcalloc(bytes / 8, 9, GFP_KERNEL) &&
	      !alloc_pages_exact(bytes, GFP_KERNEL) && !nr_reports());
}

static MISUSE_CALL void page_calls(struct run *r, void *p, unsigned order)
{
	switch (below(r, 4)) {
	case 0:
		free_pages((uintptr_t)p, order);
		break;
	case 1:
		__free_pages(virt_to_page(p), order);
		break;
	case 2:
		put_page(virt_to_page(p));
		break;
	default:
		split_page(virt_to_page(p), order);
	}
	END_OF_CALL();
}

/* Also with the very order of the slab. */
static void pages_of_object(struct run *r)
{
	char *p = victim(r);
	void *at = (void *)((uintptr_t)p & ~(uintptr_t)(PAGE - 1));

	expect(r, at, r->kind == LARGE ? "allocated by kmalloc()" :
	       "part of a slab", r->kind == LARGE ? 0 : NO_INDEX);
	if (r->kind == LARGE && at != p)
		expect(r, at, "inside a block", 0);
	during(r, "at the free");
	page_calls(r, at, compound_order(virt_to_page(at)));
	give(r, p);
}

static MISUSE_CALL void object_calls(struct run *r, void *p)
{
	switch (below(r, 5)) {
	case 0:
		kfree(p);
		break;
	case 1:
		kmem_cache_free(r->cache, p);
		break;
	case 2:
		kvfree(p);
		break;
	case 3:
		kfree_sensitive(p);
		break;
	default:
		kfree_bulk(1, &p);
	}
	END_OF_CALL();
}

static void object_of_pages(struct run *r)
{
	char *p = victim(r);

	expect(r, p, "allocated by alloc_pages()", 0);
	during(r, "at the free");
	object_calls(r, p);
	give(r, p);
}

/* ---- holders ---- */

static MISUSE_CALL void put(struct page *page)
{
	put_page(page);
	END_OF_CALL();
}

static void put_once_more(struct run *r)
{
	char *p = victim(r);
	struct page *page = virt_to_page(p);
	unsigned n = (unsigned)below(r, 5);

	for (unsigned i = 0; i < n; i++)
		get_page(page);
	for (unsigned i = 0; i <= n; i++)
		put_page(page);
	expect(r, p, NULL, 0);
	during(r, "at the put");
	put(page);
}

static MISUSE_CALL void get(struct page *page)
{
	get_page(page);
	END_OF_CALL();
}

static void get_after_free(struct run *r)
{
	char *p = victim(r);

	give(r, p);
	expect(r, p, NULL, 0);
	during(r, "at the get");
	get(virt_to_page(p));
}

/* ---- blocks that have been split, and exact ones ---- */

static MISUSE_CALL void split(struct page *page, unsigned order)
{
	split_page(page, order);
	END_OF_CALL();
}

static void free_whole_after_split(struct run *r)
{
	char *p = block_of_many(r);
	struct page *page = virt_to_page(p);

	split_page(page, r->order);
	expect(r, p, "it was allocated with order", 0);
	during(r, "at the free");
	free_pages_of(r, p, r->order);
	for (size_t i = 0; i >> r->order == 0; i++)
		free_pages((uintptr_t)p + i * PAGE, 0);
}

static void split_badly(struct run *r)
{
	char *p = block_of_many(r);
	struct page *page = virt_to_page(p);

	expect(r, p, NULL, 0);
	during(r, "at the split");
	if (below(r, 2)) {
		split(page, r->order + 1);
		give(r, p);
	} else {
		give(r, p);
		split(page, r->order);
	}
}

static MISUSE_CALL void free_exact(void *p, size_t size)
{
	free_pages_exact(p, size);
	END_OF_CALL();
}

/* Those behind it are somebody else's, or free: each is reported. */
static void free_exact_too_much(struct run *r)
{
	size_t pages = between(r, 1, 9), more = between(r, 1, 3);
	char *p = alloc_pages_exact(pages * PAGE, GFP_KERNEL), *q;

	REQUIRE(p);
	/* What follows is in use: a block of several pages, or free. */
	q = kmalloc(2 * KMALLOC_MAX_CACHE_SIZE, GFP_KERNEL);
	r->nothing = virt_to_page(p + pages * PAGE) &&
		     page_count(virt_to_page(p + pages * PAGE)) == 1 &&
		     !PageCompound(virt_to_page(p + pages * PAGE));
	if (r->nothing)
		return;
	expect(r, p + pages * PAGE, NULL, NO_PLACE);
	during(r, "at the free");
	free_exact(p, (pages + more) * PAGE);
	r->harmed = true;		/* more than one may be reported */
	kfree(q);
}

/* ---- pages of another kind ---- */

static MISUSE_CALL void free_of_vmalloc(struct run *r, void *p)
{
	switch (below(r, 4)) {
	case 0:
		kfree(p);
		break;
	case 1:
		kmem_cache_free(r->cache, p);
		break;
	case 2:
		free_pages((uintptr_t)p, 0);
		break;
	default:
		kfree_sensitive(p);
	}
	END_OF_CALL();
}

static void kfree_of_vmalloc(struct run *r)
{
	char *p = vmalloc(between(r, 1, 10) * PAGE);

	REQUIRE(p);
	expect(r, p, NULL, 0);
	during(r, "at the free");
	free_of_vmalloc(r, p);
	vfree(p);
}

static MISUSE_CALL void vfree_it(const void *p)
{
	vfree(p);
	END_OF_CALL();
}

static void vfree_of_kmalloc(struct run *r)
{
	char *p = victim(r);

	expect(r, p, NULL, NO_PLACE);
	during(r, "at the free");
	vfree_it(p);
	give(r, p);
}

static void vfree_twice(struct run *r)
{
	char *p = vmalloc(between(r, 1, 10) * PAGE);

	REQUIRE(p);
	vfree(p);
	expect(r, p, "double free", 0);
	during(r, "at the free");
	vfree_it(p);
}

static void vfree_interior(struct run *r)
{
	char *p = vmalloc(2 * PAGE);
	size_t at = between(r, 1, 2 * PAGE - 1);

	REQUIRE(p);
	expect(r, p + at, "not the start of an area", 0);
	during(r, "at the free");
	vfree_it(p + at);
	vfree(p);
}

#define YES	{ ALWAYS, ALWAYS, ALWAYS }
#define PAGES_ONLY	BIT(PAGES)

const struct attack page_attacks[] = {
	{ "free of a page inside of a block", free_tail, BLOCKS, YES, 0 },
	{ "free_pages() of an address within a page", free_within_page,
	  PAGES_ONLY, YES, 0 },
	{ "wrong order to free_pages()", wrong_order, PAGES_ONLY, YES, 0 },
	{ "order beyond all, or negative, to free_pages()", huge_order,
	  PAGES_ONLY, YES, 0 },
	{ "requests beyond all bounds fail, nothing is reported", huge_request,
	  BIT(KMALLOC), { HOLDS, HOLDS, HOLDS }, 0 },
	{ "page calls on an object", pages_of_object, BYTES, YES, 0 },
	{ "object calls on pages", object_of_pages, PAGES_ONLY, YES, 0 },
	{ "put_page() once more than held", put_once_more, PAGES_ONLY, YES,
	  0 },
	{ "get_page() after the free", get_after_free, PAGES_ONLY, YES, 0 },
	{ "split_page(), then freed as a whole", free_whole_after_split,
	  PAGES_ONLY, YES, 0 },
	{ "split_page() of the wrong order, or after the free", split_badly,
	  PAGES_ONLY, YES, 0 },
	{ "free_pages_exact() of more than there is", free_exact_too_much, ONCE,
	  YES, 0 },
	{ "kfree() and others of what vmalloc() gave", kfree_of_vmalloc, ONCE,
	  YES, VMALLOC },
	{ "vfree() of an object or of pages", vfree_of_kmalloc, ALL_KINDS, YES,
	  VMALLOC },
	{ "vfree() twice", vfree_twice, ONCE, YES, VMALLOC },
	{ "vfree() of an interior pointer", vfree_interior, ONCE, YES, VMALLOC },
	{ .what = NULL },
};
