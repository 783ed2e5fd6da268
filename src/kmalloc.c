/* SPDX-License-Identifier: MIT */
/*
 * kmalloc.c - memory by the byte.
 *
 *	kmalloc(size)
 *	   │ 0                     ZERO_SIZE_PTR
 *	   │ .. two pages          the cache of the smallest class that fits
 *	   │ .. largest block      a block of 2^order pages (PAGE_KMALLOC)
 *	   └ more                  NULL
 *	kfree(p)
 *	   descriptor of p's page ─► slab: its cache;  PAGE_KMALLOC: its order
 *
 * kfree() needs no size and looks nothing up but the descriptor: which cache,
 * which object, whether it is live are all there (page.h).
 *
 * The classes and the arithmetic that finds them are in <kmem/kmalloc.h>; for
 * sizes that the compiler does not know, a table does. Why
 * four a doubling: the average waste of uniformly spread sizes is 7.7 %,
 * against 25 % with Linux's thirteen classes. Each class is a multiple of a
 * quarter of the power of two below it, and an object lies at a multiple of
 * its size from the start of a page: so its alignment is the largest power of
 * two that divides the class, and a power of two is aligned to itself.
 *
 * Memory of the zones DMA and DMA32 and reclaimable memory are asked for
 * seldom: those types have caches for the powers of two only, and where the
 * machine has no such zone they are the ordinary ones. With KMEM_ZONES 1 there
 * are no types.
 *
 * Locks: none of its own.
 */
#include "bits.h"
#include "kmalloc.h"

struct kmem_cache *kmalloc_caches[KMALLOC_NR_TYPES][KMALLOC_NR_CLASSES];

/* The ordinary cache of every size, in steps of the smallest class from 1 on: a
 * load where the arithmetic is a dozen instructions. Without magazines an
 * allocation is no matter of a dozen instructions, and the table not used. */
struct kmem_cache *kmalloc_by_size[KMALLOC_MAX_CACHE_SIZE / KMALLOC_MIN_SIZE];
static size_t largest_in_table;		/* 0 until there are caches */

/* Largest size of a class, found by asking kmalloc_index() itself: so tables
 * and arithmetic can't differ. Sizes are multiples of the smallest class. */
static size_t class_size(unsigned index)
{
	size_t largest = 0;

	for (size_t size = sizeof(void *); size <= KMALLOC_MAX_CACHE_SIZE;
	     size += sizeof(void *))
		if (kmalloc_index(size) == index)
			largest = size;
	return largest;
}

static char *name_put(char *at, const char *text)
{
	while (*text)
		*at++ = *text++;
	*at = '\0';
	return at;
}

/* In decimal; less than 10^6. */
static void name_put_number(char *at, size_t n)
{
	char digit[7] = { 0 };
	unsigned first = 6;

	do {
		size_t tenth = bits_divide(n, 10);

		digit[--first] = (char)('0' + (n - 10 * tenth));
		n = tenth;
	} while (n);
	name_put(at, digit + first);
}

/* Hardened, each has room for guards, and so for sizes of its objects: what an
 * object takes there is at most twice itself, and that in front of the first too. */
_Static_assert(4 * KMALLOC_MAX_CACHE_SIZE <= KMEM_CACHE_MAX_SIZE,
	       "guards fit around the largest of kmalloc()'s objects");

static struct kmem_cache *make_class(enum kmalloc_type type, size_t size)
{
	static const char *const prefix[] = {
		"kmalloc-", "dma-kmalloc-", "dma32-kmalloc-", "kmalloc-rcl-"
	};
	static const slab_flags_t flags[] = {
		SLAB_NO_MERGE, SLAB_NO_MERGE | SLAB_CACHE_DMA,
		SLAB_NO_MERGE | SLAB_CACHE_DMA32,
		SLAB_NO_MERGE | SLAB_RECLAIM_ACCOUNT
	};
	size_t align = size & -size;
	char name[KMEM_NAME_BYTES];
	struct kmem_cache *s;

	name_put_number(name_put(name, prefix[type]), size);
	s = kmem_cache_create(name, size, align, flags[type], NULL);
	if (KMEM_CACHE_DEBUG && s)
		cache_debug_sized(s);
	return s;
}

/* This type of kmalloc has caches of its own: if it means a zone, that zone is
 * there. */
static bool has_caches(enum kmalloc_type type)
{
	if (type == KMALLOC_NORMAL || type == KMALLOC_RECLAIM)
		return true;
	return (type == KMALLOC_DMA ? zones.dma : zones.dma32) != ZONE_NORMAL;
}

static bool make_type(enum kmalloc_type type)
{
	struct kmem_cache **caches = kmalloc_caches[type];

	/* Downwards: the next power of two has the larger index. */
	for (unsigned i = KMALLOC_NR_CLASSES; i-- > 0; ) {
		size_t size = class_size(i);

		if (!size)
			continue;
		if (!has_caches(type))
			caches[i] = kmalloc_caches[KMALLOC_NORMAL][i];
		else if (type == KMALLOC_NORMAL || is_power_of_two(size))
			caches[i] = make_class(type, size);
		else
			caches[i] = caches[kmalloc_index((size_t)2 <<
							 kmem_fls(size))];
		if (!caches[i])
			return false;
	}
	return true;
}

void kmalloc_forget(void)
{
	memset(kmalloc_caches, 0, sizeof(kmalloc_caches));
	if (MAGAZINES)
		largest_in_table = 0;
}

bool kmalloc_bootstrap(void)
{
	for (int type = 0; type < KMALLOC_NR_TYPES; type++)
		if (!make_type((enum kmalloc_type)type))
			return false;
	if (!MAGAZINES)
		return true;
	for (size_t size = 1; size <= KMALLOC_MAX_CACHE_SIZE; size++)
		kmalloc_by_size[(size - 1) / KMALLOC_MIN_SIZE] =
			kmalloc_caches[KMALLOC_NORMAL][kmalloc_index(size)];
	largest_in_table = KMALLOC_MAX_CACHE_SIZE;
	return true;
}

/* ---- allocation ---- */

KMEM_INLINE void *large_alloc(size_t size, gfp_t gfp, uintptr_t caller)
{
	if (size > KMALLOC_MAX_SIZE)
		return NULL;
	if (KMEM_MOBILITY)
		gfp &= ~KMEM_GFP_MOBILITYMASK;
	return kmalloc_block(alloc_pages_for(gfp, get_order(size), caller));
}

void *kmalloc_large(size_t size, gfp_t gfp)
{
	return large_alloc(size, gfp, INJECT_CALLER);
}

/* Any size, but meant for those that have no ordinary cache, types other than
 * the ordinary one, and memory that must be zeroed, which takes its time. */
static KMEM_NOINLINE void *kmalloc_rare(size_t size, gfp_t gfp,
					uintptr_t caller)
{
	struct kmem_cache *s;

	if (size > KMALLOC_MAX_CACHE_SIZE)
		return KMEM_INJECT ? large_alloc(size, gfp, caller) :
				     kmalloc_large(size, gfp);
	if (!size)
		return ZERO_SIZE_PTR;
	s = class_cache(size, gfp);
	if (s && cache_injected(s, gfp, caller))
		return NULL;
	if (s && slabs_debugged(&s->slabs))
		return cache_alloc_debugged(s, size, gfp, caller);
	return s ? cache_alloc_asked(s, gfp_asked(s, size, gfp)) : NULL;
}

void *__kmalloc(size_t size, gfp_t gfp)
{
	struct kmem_cache *s;

	if (!MAGAZINES)
		return kmalloc_rare(size, gfp, KMEM_CALLER);
	/* 0 is not in the table either */
	if (KMEM_UNLIKELY(size - 1 >= largest_in_table ||
			  (gfp & (KMALLOC_TYPE_GFP | __GFP_ZERO))))
		return kmalloc_rare(size, gfp, KMEM_CALLER);
	s = kmalloc_by_size[(size - 1) / KMALLOC_MIN_SIZE];
	if (cache_injected(s, gfp, INJECT_CALLER))
		return NULL;
	return cache_alloc_size(s, size, gfp);
}

void *kmalloc_in(size_t size, size_t room, gfp_t gfp, uintptr_t caller)
{
	struct kmem_cache *s = KMEM_CACHE_DEBUG ? class_cache(room, gfp) :
						  NULL;
	void *p;

	if (s && slabs_debugged(&s->slabs))
		return cache_injected(s, gfp, caller) ? NULL :
		       cache_alloc_debugged(s, size, gfp, caller);
	p = KMEM_INJECT ? kmalloc_rare(room, gfp, caller) :
			  __kmalloc(room, gfp);
	return KMEM_HARDEN ? cache_fit(p, size) : p;
}

static size_t block_bytes(const struct page *page)
{
	return KMEM_PAGE_SIZE << page->order;
}

static KMEM_NOINLINE void free_large(struct page *page, const void *p)
{
	if (ZERO_OR_NULL_PTR(p))
		return;
	if (!is_large(page, p)) {
		cache_bad_free("kfree", NULL, p, KMEM_CALLER);
		return;
	}
	large_free(page);
}

/* p lies in that page. */
KMEM_INLINE void free_in_page(struct page *page, const void *p)
{
	struct kmem_slabs *s = page->slabs;
	kmem_slot_t *slot;

	if (KMEM_UNLIKELY(!s))
		free_large(page, p);
	else if (KMEM_LIKELY(cache_mark_cached(page, s, p, &slot)))
		cache_free("kfree", slabs_cache(s), (void *)(uintptr_t)p, slot);
	else
		cache_refused("kfree", NULL, p);
}

static KMEM_NOINLINE void free_by_table(const void *p)
{
	struct page *page = virt_to_page(p);

	if (page)
		free_in_page(page, p);
	else
		free_large(NULL, p);
}

/* NULL and ZERO_SIZE_PTR are in no slab, and need no test here. */
void kfree(const void *p)
{
	uintptr_t nr = kmem_main_page(p);

	if (!KMEM_SMALL_CODE && KMEM_LIKELY(nr < kmem_page_map.main_nr))
		free_in_page(kmem_page_map.main_pages + nr, p);
	else
		free_by_table(p);
}

/* ---- sizes ---- */

size_t ksize(const void *p)
{
	struct page *page;

	if (ZERO_OR_NULL_PTR(p))
		return 0;
	page = virt_to_page(p);
	if (page && page->slabs && is_live_object(page, p))
		return KMEM_CACHE_DEBUG ? cache_object_bytes(p) :
			kmem_cache_size(slabs_cache(page->slabs));
	if (is_large(page, p))
		return block_bytes(page);
	cache_bad_free("ksize", NULL, p, KMEM_CALLER);
	return 0;
}

size_t kmalloc_size_roundup(size_t size)
{
	if (!size || size > KMALLOC_MAX_SIZE)
		return size;
	if (size > KMALLOC_MAX_CACHE_SIZE)
		return KMEM_PAGE_SIZE << get_order(size);
	return kmalloc_caches[KMALLOC_NORMAL][kmalloc_index(size)]->object_size;
}

/* ---- what is built from these ---- */

void *krealloc(const void *p, size_t size, gfp_t gfp)
{
	size_t old;

	if (!size) {
		if (!KMEM_REPORT_TEXT ||
		    block_size("krealloc", p, KMEM_CALLER))
			kfree(p);
		return ZERO_SIZE_PTR;
	}
	if (ZERO_OR_NULL_PTR(p))
		return kmalloc_in(size, size, gfp, KMEM_CALLER);
	old = block_size("krealloc", p, KMEM_CALLER);
	if (!old)			/* misuse, and reported */
		return NULL;
	if (kmalloc_resize(p, old, size, gfp))
		return (void *)(uintptr_t)p;
	return kmalloc_move(p, old,
			    kmalloc_in(size, size_aligned_as(size,
					kmalloc_room(p, old)), gfp,
				       KMEM_CALLER));
}

void kfree_sized(const void *p, size_t size)
{
	size_t most = block_size("kfree_sized", p, KMEM_CALLER);

	if (!p || (!most && p != ZERO_SIZE_PTR))
		return;			/* NULL, or misuse, and reported */
	if (size > most || !size != !most)
		kmem_misuse_by(KMEM_CALLER, "wrong size", p,
			       "kmem: kfree_sized(%p, %zu): wrong size: the "
			       "block has room for %zu bytes", p, size, most);
	else
		kfree(p);
}

void kfree_sensitive(const void *p)
{
	size_t size = block_size("kfree_sensitive", p, KMEM_CALLER);
	void *mem = (void *)(uintptr_t)p;

	if (!size)
		return;
	memset(mem, 0, size);
	/* The compiler knows that nobody reads freed memory; it is wrong. */
	kmem_barrier();
	kfree(p);
}
