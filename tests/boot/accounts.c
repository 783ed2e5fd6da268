/* SPDX-License-Identifier: MIT */
/*
 * tests/boot/accounts.c - that nothing is lost, and everything is in order.
 *
 * With every cache shrunk and every CPU's pages drained, a page is free, or
 * kmem's own (magazines, slot arrays, descriptors of caches), or in use. So
 * around any piece of code that frees what it allocates,
 *
 *	free pages + pages of kmem's own	and	live objects
 *
 * are the same before and after, to the page and to the object. Neither may
 * be touched by other CPUs meanwhile: they are idle.
 */
#include "boot.h"

#define MAX_CACHES BY_MEMORY(512, 16)

struct cache_list {
	struct kmem_cache *cache[MAX_CACHES];
	unsigned nr;
};

static struct cache_list all_caches;

static bool note_cache(struct kmem_cache *s, void *arg)
{
	struct cache_list *list = arg;

	CHECK(list->nr < MAX_CACHES);
	list->cache[list->nr++] = s;
	return true;
}

/* The list of caches is locked during kmem_for_each_cache(), and shrinking
 * calls other CPUs: so note them first. */
static void shrink_all(void)
{
	all_caches.nr = 0;
	kmem_for_each_cache(note_cache, &all_caches);
	for (unsigned i = 0; i < all_caches.nr; i++)
		kmem_cache_shrink(all_caches.cache[i]);
	drain_pages();
}

static bool add_live(struct kmem_cache *s, void *arg)
{
	struct kmem_cache_stats st;

	kmem_cache_stats(s, &st);
	*(size_t *)arg += st.live;
	return true;
}

struct account account_now(void)
{
	struct account a = { 0 };

	shrink_all();
	a.pages = nr_free_pages() + kmem_internal_bytes() / KMEM_PAGE_SIZE;
	kmem_for_each_cache(add_live, &a.live);
	return a;
}

void account_check(const struct account *before, const char *what)
{
	struct account now = account_now();

	if (now.pages != before->pages || now.live != before->live)
		boot_fail("%s: %zu pages and %zu live objects before, "
			  "%zu and %zu after", what, before->pages,
			  before->live, now.pages, now.live);
	if (kmem_check_all(port_print_line, NULL))
		boot_fail("%s: invariants are violated", what);
}
