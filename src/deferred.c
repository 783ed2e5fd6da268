/* SPDX-License-Identifier: MIT */
/*
 * deferred.c - a free in two halves. See deferred.h.
 */
#include "deferred.h"

kmem_slot_t *deferred_slot(const struct page *page, const void *p)
{
	struct slab_index i;

	if (!page || !page->slabs)
		return NULL;
	i = slab_index(page, page->slabs, p);
	return i.exact ? &page->slot[i.index] : NULL;
}

static bool heads_block(const struct page *page, const void *p, unsigned type)
{
	return page && page_type(page) == type && page_to_virt(page) == p;
}

bool deferred_claim(const char *call, const void *p, struct deferred_state to,
		    uintptr_t caller)
{
	struct page *page = virt_to_page(p);
	kmem_slot_t *slot = deferred_slot(page, p);

	if (slot && kmem_load_relaxed(slot) == slabs_live(page->slabs)) {
		kmem_store_relaxed(slot, to.slot);
		return true;
	}
	if (heads_block(page, p, PAGE_KMALLOC)) {
		page_set_type(page, (enum kmem_page_type)to.type);
		return true;
	}
	cache_bad_free(call, NULL, p, caller);
	return false;
}

static bool finish_object(struct page *page, kmem_slot_t *slot, const void *p,
			  kmem_slot_t from)
{
	if (slabs_debugged(page->slabs)) {
		if (kmem_load_relaxed(slot) != from)
			return false;
		/* What is to be verified, and poisoned, is so now. */
		kmem_store_relaxed(slot, SLOT_TRACKED);
		kfree(p);
		return true;
	}
	if (!MAGAZINES)
		return slabs_free_from(page, page->slabs, p, from);
	if (kmem_load_relaxed(slot) != from)
		return false;
	kmem_store_relaxed(slot, SLOT_CACHED);
	cache_free(from == SLOT_RCU ? "kfree_rcu" : "kfree_nolock",
		   slabs_cache(page->slabs), (void *)(uintptr_t)p, slot);
	return true;
}

bool deferred_finish(const void *p, struct deferred_state from)
{
	struct page *page = virt_to_page(p);
	kmem_slot_t *slot = deferred_slot(page, p);

	if (slot)
		return finish_object(page, slot, p, from.slot);
	if (!heads_block(page, p, from.type))
		return false;
	page_set_type(page, PAGE_ALLOCATED);
	__free_pages(page, page->order);
	return true;
}
