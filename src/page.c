/* SPDX-License-Identifier: MIT */
/*
 * page.c - the map from addresses to descriptors, for what <kmem/page.h> does
 * not find by arithmetic alone, and for all in code that must be small. Written
 * by boot.c; entries of the table come and go later (hotplug.c), as one store
 * each.
 */
#include <kmem/atomic.h>
#include <kmem/page.h>

KMEM_ALIGNED(KMEM_CACHE_LINE) struct kmem_page_map kmem_page_map;

struct page *kmem_page_at(uintptr_t offset)
{
	uintptr_t s = offset >> kmem_page_map.section_shift;
	struct page *pages;

	if (s >= kmem_page_map.nr_sections)
		return NULL;
	pages = kmem_load_relaxed(&kmem_page_map.section[s]);
	if (!pages)
		return NULL;
	return pages + ((offset >> KMEM_PAGE_SHIFT) & kmem_page_map.page_mask);
}

struct page *kmem_page_of_virt(const void *addr)
{
	return kmem_page_at((uintptr_t)addr - kmem_page_map.base);
}

struct page *kmem_page_of_pfn(uintptr_t pfn)
{
	uintptr_t nr = pfn - kmem_page_map.first_pfn;

	if (nr > UINTPTR_MAX >> KMEM_PAGE_SHIFT)
		return NULL;
	return kmem_page_at(nr << KMEM_PAGE_SHIFT);
}
