/* SPDX-License-Identifier: MIT */
/*
 * obj_info.c - what is this address?
 *
 * Everything is in the descriptor of the page that it lies in, or of the page
 * that heads the block: type, owner, states. No lock is taken; what is read
 * while it changes may be wrong, but leads nowhere that is not memory of
 * kmem's: the owner and the slots are looked at once. (The lock that keeps
 * descriptors where memory is removed, hotplug.c, may be our own CPU's: so the
 * caller has to know that nobody removes that memory.)
 */
#include "kmalloc.h"

#include <kmem/obj_info.h>

/* A table of kmem's own is no cache: it has its name from elsewhere. */
static bool is_cache(const struct kmem_slabs *s)
{
	return (uintptr_t)s->name ==
	       (uintptr_t)s + offsetof(struct kmem_cache, name);
}

static enum kmem_obj_state slot_state(const struct kmem_slabs *s,
				      kmem_slot_t slot)
{
	if (slot == slabs_live(s))
		return KMEM_OBJ_LIVE;
	return slot == SLOT_CACHED ? KMEM_OBJ_CACHED : KMEM_OBJ_FREE;
}

/* The object of that number, or what would be one of kmem's own tables. */
static void look_at_object(struct page *head, struct kmem_slabs *s,
			   unsigned n, const char *p,
			   struct kmem_obj_info *info)
{
	info->index = n;
	info->start = slab_object(head, n);
	info->offset = (size_t)(p - (char *)info->start);
	info->size = s->size;
	if (!info->cache)
		return;
	info->state = slot_state(s, kmem_load_relaxed(slab_slot(head, n)));
	info->size = info->state == KMEM_OBJ_LIVE && KMEM_CACHE_DEBUG ?
		     cache_object_bytes(info->start) :
		     kmem_cache_size(info->cache);
}

static void look_into_slab(struct page *page, struct kmem_slabs *s,
			   const char *p, struct kmem_obj_info *info)
{
	struct page *head = slab_head(page);
	unsigned index = (unsigned)slab_index(page, s, p).index;
	unsigned n = index - slabs_first(s);

	info->name = s->name;
	info->slab = page_to_virt(head);
	info->state = KMEM_OBJ_INTERNAL;
	if (is_cache(s)) {
		info->cache = slabs_cache(s);
		info->state = KMEM_OBJ_REST;
	}
	if (n < slabs_objects_of(s, page) && kmem_load_relaxed(&head->slot))
		look_at_object(head, s, n, p, info);
}

static enum kmem_obj_state block_state(const struct page *head)
{
	switch (page_type(head)) {
	case PAGE_KMALLOC:
		return KMEM_OBJ_LARGE;
	case PAGE_ALLOCATED:
	case PAGE_HELD:
		return KMEM_OBJ_PAGES;
	case PAGE_FREE:
	case PAGE_CACHED:
		return KMEM_OBJ_FREE_PAGES;
	default:
		return KMEM_OBJ_UNKNOWN;
	}
}

static void look_into_block(const struct page *page, const char *p,
			    struct kmem_obj_info *info)
{
	const struct page *head = page;

	if (page_type(page) == PAGE_TAIL)
		head = pfn_to_page(page->pfn) == page ? page_find_head(page) :
							NULL;
	if (!head)
		return;
	info->state = block_state(head);
	if (info->state == KMEM_OBJ_UNKNOWN)
		return;
	info->start = page_to_virt(head);
	info->size = KMEM_PAGE_SIZE << head->order;
	info->offset = (size_t)(p - (char *)info->start);
}

bool kmem_obj_lookup(const void *p, struct kmem_obj_info *info)
{
	struct page *page = virt_to_page(p);
	struct kmem_slabs *s;

	memset(info, 0, sizeof(*info));
	if (!page)
		return false;
	s = kmem_load_relaxed(&page->slabs);
	if (s)
		look_into_slab(page, s, p, info);
	else
		look_into_block(page, p, info);
	return info->state == KMEM_OBJ_LIVE || info->state == KMEM_OBJ_LARGE ||
	       info->state == KMEM_OBJ_PAGES;
}

bool kmem_valid_obj(const void *p)
{
	struct page *page = virt_to_page(p);

	return page && kmem_load_relaxed(&page->slabs);
}

bool kmem_dump_obj(const void *p)
{
	static const char *const words[] = {
		[KMEM_OBJ_LIVE] = "allocated",
		[KMEM_OBJ_CACHED] = "free, in a magazine",
		[KMEM_OBJ_FREE] = "free",
		[KMEM_OBJ_REST] = "behind the last object",
		[KMEM_OBJ_INTERNAL] = "kmem's own",
	};
	struct kmem_obj_info i;

	kmem_obj_lookup(p, &i);
	if (!i.slab)
		return false;
	kmem_log("kmem: %p: cache %s, slab %p, object %u at %p, %zu bytes, "
		 "offset %zu: %s", p, i.name, i.slab, i.index, i.start, i.size,
		 i.offset, words[i.state]);
	return true;
}
