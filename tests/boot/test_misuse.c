/* SPDX-License-Identifier: MIT */
/*
 * tests/boot/test_misuse.c - what callers get wrong is reported at once, says
 * what it is, and changes nothing: the accounts balance afterwards.
 */
#include "boot.h"

static struct kmem_cache *other_cache;

static void do_kfree(void *p)
{
	kfree(p);
}

static void do_free_page(void *p)
{
	free_pages((uintptr_t)p, 0);
}

static void do_free_two_pages(void *p)
{
	free_pages((uintptr_t)p, 1);
}

static void do_free_to_other_cache(void *p)
{
	kmem_cache_free(other_cache, p);
}

static void *page_of(void *p)
{
	return (void *)((uintptr_t)p & ~(KMEM_PAGE_SIZE - 1));
}

static void misuse_object(size_t size)
{
	char *p = kmalloc(size, GFP_KERNEL);

	CHECK(p);
	pattern_fill(p, size, 1);
	CHECK(port_catches(do_kfree, p + 8, "not the start of an object"));
	CHECK(port_catches(do_kfree, p + size / 2, "not the start"));
	CHECK(port_catches(do_free_page, page_of(p), "part of a slab"));
	CHECK(port_catches(do_free_to_other_cache, p, "is of cache kmalloc-"));
	CHECK(pattern_holds(p, size, 1));
	kfree(p);
	CHECK(port_catches(do_kfree, p, "double free"));
	CHECK(port_catches(do_kfree, p, "double free"));
}

/* Large enough to be pages, not an object of a slab. */
static void misuse_large(size_t size)
{
	char *p = kmalloc(size, GFP_KERNEL);

	CHECK(p);
	CHECK(port_catches(do_kfree, p + 8, "kmalloc"));
	CHECK(port_catches(do_kfree, p + size / 2, "inside a block"));
	CHECK(port_catches(do_free_page, p, "allocated by kmalloc"));
	CHECK(port_catches(do_free_to_other_cache, p, "allocated by kmalloc"));
	kfree(p);
	CHECK(port_catches(do_kfree, p, "freed twice"));
}

static void misuse_pages(void)
{
	struct page *page = alloc_pages(GFP_KERNEL, 1);
	char *p = page_to_virt(page);

	CHECK(page);
	CHECK(port_catches(do_free_page, p, "order 1"));
	CHECK(port_catches(do_free_page, p + KMEM_PAGE_SIZE, "inside"));
	CHECK(port_catches(do_free_page, p + 8, "not the start of a page"));
	CHECK(port_catches(do_kfree, p, "allocated by alloc_pages"));
	__free_pages(page, 1);
	CHECK(port_catches(do_free_two_pages, p, "freed twice"));
}

static void misuse_foreign(void)
{
	static char in_the_image[64] KMEM_ALIGNED(64);
	static const char reason[] = "no memory of kmem's";
	uintptr_t beyond = (uintptr_t)(machine.virt_offset +
				       machine.direct_map_end);

	CHECK(port_catches(do_kfree, in_the_image, reason));
	CHECK(port_catches(do_kfree, (void *)(uintptr_t)4096, reason));
	CHECK(port_catches(do_kfree, (void *)(UINTPTR_MAX - 63), reason));
	CHECK(port_catches(do_free_page, (void *)(uintptr_t)4096, reason));

	/* There may be memory, only no address for it. */
	if (machine.direct_map_end && beyond)
		CHECK(port_catches(do_kfree, (void *)beyond, reason));
}

static void misuse_cache(void)
{
	void *p = kmem_cache_alloc(other_cache, GFP_KERNEL);

	CHECK(p);
	kmem_cache_free(other_cache, p);
	CHECK(port_catches(do_free_to_other_cache, p, "double free"));
	CHECK(port_catches(do_kfree, p, "double free"));
}

void test_misuse(void)
{
	other_cache = kmem_cache_create("other", 64, 0, 0, NULL);
	CHECK(other_cache);
	misuse_object(64);
	misuse_object(KMALLOC_MAX_CACHE_SIZE / 4 * 3);
	misuse_large(BY_MEMORY(KMALLOC_MAX_CACHE_SIZE * 6, KMALLOC_MAX_SIZE / 2));
	misuse_pages();
	misuse_foreign();
	misuse_cache();
	kmem_cache_destroy(other_cache);
}
