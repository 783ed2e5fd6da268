/* SPDX-License-Identifier: MIT */
/*
 * page_ref.c - blocks with several holders, and what else makes a block
 * PAGE_HELD rather than PAGE_ALLOCATED.
 *
 *	alloc_pages ──► PAGE_ALLOCATED ──────────────► __free_pages
 *	                     │ get_page                     ▲
 *	   movable,          ▼                              │ the last holder,
 *	   reclaimable ─► PAGE_HELD  mobility, refs ────────┘ unmovable
 *	                     │  ▲ get_page: refs + 1
 *	                     └──┘ put_page, __free_pages: refs - 1
 *
 * Most blocks have one holder and are unmovable: for those nothing is counted
 * and nothing written, and __free_pages() needs no more than the type to know
 * that. `refs` counts the holders beyond the first, in the place where a slab
 * has its slots, and is 0 whenever a block changes hands.
 *
 * Whoever finds it 0 holds the block alone, and nobody else may touch it: so
 * the last put needs no atomic operation, only to see what the others did
 * before they let go.
 *
 * Invariant:
 *
 *  P2	the first page of every block but slabs has refs 0, unless it is
 *	PAGE_HELD
 *
 * Locks: none; one atomic addition. With one CPU, which may not have atomic
 * ones, interrupts are masked.
 */
#include "page_alloc.h"

#include <kmem/page_ref.h>

/* Add to refs; the value before. */
static uintptr_t refs_add(struct page *head, uintptr_t n)
{
	uintptr_t irq = KMEM_MAX_CPUS == 1 ? kmem_arch_irq_save() : 0;
	uintptr_t before = kmem_fetch_add(&head->refs, n);

	if (KMEM_MAX_CPUS == 1)
		kmem_arch_irq_restore(irq);
	return before;
}

/* The block's first page; NULL: no block of alloc_pages() is there. */
static struct page *held_head(struct page *page)
{
	struct page *head = page_type(page) == PAGE_TAIL ? page_find_head(page) :
							   page;

	return head && page_is_allocated(head) ? head : NULL;
}

static KMEM_COLD void bad_count(const char *call, const struct page *page,
				uintptr_t caller)
{
	void *addr = page_to_virt(page);

	if (page_type(page) == PAGE_SLAB)
		bad_block(call, page, 0, caller);
	else
		kmem_misuse_by(caller, "bad count", addr,
			       "kmem: %s of %p (pfn 0x%lx): nobody holds it: "
			       "the page is %s", call, addr,
			       (unsigned long)page->pfn, page_describe(page));
}

bool get_page_unless_zero(struct page *page)
{
	struct page *head = held_head(page);

	if (!head)
		return false;
	/* Several holders may do this at once: all write the same. */
	if (page_type(head) == PAGE_ALLOCATED) {
		page_set_mobility(head, UNMOVABLE);
		page_set_type(head, PAGE_HELD);
	}
	refs_add(head, 1);
	return true;
}

void get_page(struct page *page)
{
	if (KMEM_UNLIKELY(!get_page_unless_zero(page)))
		bad_count("get_page", page, KMEM_CALLER);
}

/* put_page(), inlined: so that the caller is who calls that. */
KMEM_INLINE void put_for(struct page *page, uintptr_t caller)
{
	struct page *head = page ? held_head(page) : NULL;

	if (head && page_type(head) == PAGE_HELD)
		free_held(head, caller);
	else if (head)
		__free_pages(head, head->order);
	else if (page)
		bad_count("put_page", page, caller);
}

void put_page(struct page *page)
{
	put_for(page, KMEM_CALLER);
}

void release_pages(struct page **pages, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		put_for(pages[i], KMEM_CALLER);
}

/* One holder less. Return: it was the last one, and the block is the
 * caller's. */
static bool drop_ref(struct page *head, uintptr_t caller)
{
	uintptr_t before;

	if (!kmem_load_acquire(&head->refs))
		return true;
	before = refs_add(head, (uintptr_t)-1);
	if (KMEM_LIKELY(before && before <= UINTPTR_MAX / 2))
		return false;
	/* The others have let go since we looked. */
	refs_add(head, 1);
	if (before)
		bad_count("put_page", head, caller);
	return !before;
}

void free_held(struct page *page, uintptr_t caller)
{
	struct round r = { page, NULL };
	enum mobility m = page_mobility(page);
	struct magazine_layer *l;

	if (!drop_ref(page, caller))
		return;
	if (m == UNMOVABLE) {
		page_set_type(page, PAGE_ALLOCATED);
		__free_pages(page, page->order);
	} else if (MAGAZINES && m == MOVABLE && !page->order) {
		page_set_type(page, PAGE_CACHED);
		l = &page_layer(page_zone(page), MOVABLE_LAYER)->magazine;
		if (KMEM_UNLIKELY(!magazine_free(l, page, NULL)))
			magazine_free_slow(l, page, NULL);
	} else {
		zone_give(page_zone(page), page->order, &r, 1, PAGE_HELD);
	}
}

/* ---- queries ---- */

struct page *compound_head(struct page *page)
{
	struct page *head = page;

	if (page_type(page) == PAGE_SLAB)
		return slab_head(page);
	if (page_type(page) == PAGE_TAIL)
		head = page_find_head(page);
	return head ? head : page;
}

size_t kmem_page_count(const struct page *page)
{
	const struct page *head = page;

	if (page_type(page) == PAGE_TAIL)
		head = page_find_head(page);
	if (!head || page_is_free(head))
		return 0;
	return page_is_shared(head) ? kmem_load_relaxed(&head->refs) + 1 : 1;
}

static bool is_slab_tail(const struct page *page)
{
	return page_type(page) == PAGE_SLAB && slab_pages_before(page);
}

unsigned compound_order(const struct page *page)
{
	if (page_type(page) == PAGE_TAIL || page_is_free(page) ||
	    is_slab_tail(page))
		return 0;
	return page->order;
}

bool PageHead(const struct page *page)
{
	return compound_order(page) > 0;
}

bool PageTail(const struct page *page)
{
	const struct page *head;

	if (is_slab_tail(page))
		return true;
	head = page_type(page) == PAGE_TAIL ? page_find_head(page) : NULL;
	return head && !page_is_free(head);
}

bool PageCompound(const struct page *page)
{
	return PageHead(page) || PageTail(page);
}
