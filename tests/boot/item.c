/* SPDX-License-Identifier: MIT */
/*
 * tests/boot/item.c - what the workload allocates, moves, checks and frees.
 *
 * An item is a block that knows how it was allocated: its first 16 bytes say
 * from where and how large it is, the rest is a pattern. So whoever has its
 * address, on whatever CPU and in whatever context, can check and free it.
 */
#include "boot.h"

enum kind { ITEM_KMALLOC, ITEM_CACHE, ITEM_PAGES };

/* At the start of each block; the rest is pattern. */
struct item {
	uint32_t seed;
	uint32_t size;			/* of the whole block */
	uint8_t kind, sub;		/* sub: which cache, or the order */
	uint16_t check;			/* of the fields above */
	uint32_t unused;
};

_Static_assert(sizeof(struct item) == 16, "the smallest block holds it");

static const uint16_t cache_size[] = {
	24, BY_MEMORY(120, 40), BY_MEMORY(328, 72), BY_MEMORY(1500, 104),
};
_Static_assert(KMEM_ARRAY_SIZE(cache_size) == ITEM_CACHES, "one a cache");
struct kmem_cache *item_cache[ITEM_CACHES];

static uint16_t item_check(const struct item *it)
{
	uint32_t x = it->seed ^ it->size * 7 ^ it->kind * 0x1111u ^
		     it->sub * 0x123u;

	return (uint16_t)((x ^ x >> 16) | 1);
}

/* Mostly small, as a kernel's are. */
static uint32_t random_size(uint64_t *rng)
{
	uint32_t dice = random_below(rng, 100);
	uint32_t span = dice < 70 ? BY_MEMORY(256, 48) :
			dice < 90 ? BY_MEMORY(1024, 100) :
			dice < 98 ? BY_MEMORY(8192, 300) :
				    BY_MEMORY(40000, 600);

	return (uint32_t)sizeof(struct item) + random_below(rng, span);
}

static void random_kind(struct item *it, uint64_t *rng)
{
	uint32_t dice = random_below(rng, 100);

	it->seed = random_next(rng);
	if (dice < 60) {
		it->kind = ITEM_KMALLOC;
		it->size = random_size(rng);
	} else if (dice < 90) {
		it->kind = ITEM_CACHE;
		it->sub = (uint8_t)random_below(rng, ITEM_CACHES);
		it->size = cache_size[it->sub];
	} else {
		it->kind = ITEM_PAGES;
		it->sub = (uint8_t)random_below(rng, dice < 99 ?
				BY_MEMORY(3, 1) : BY_MEMORY(7, 3));
		it->size = (uint32_t)KMEM_PAGE_SIZE << it->sub;
	}
	it->check = item_check(it);
}

static struct item *item_fill(struct item *it, const struct item *want)
{
	*it = *want;
	pattern_fill(it + 1, it->size - sizeof(*it), it->seed);
	return it;
}

struct item *item_new(uint64_t *rng, gfp_t gfp)
{
	struct item want = { 0 }, *it;

	random_kind(&want, rng);
	if (want.kind == ITEM_KMALLOC)
		it = kmalloc(want.size, gfp);
	else if (want.kind == ITEM_CACHE)
		it = kmem_cache_alloc(item_cache[want.sub], gfp);
	else
		it = (struct item *)__get_free_pages(gfp, want.sub);
	if (!it && MAY_RUN_OUT)
		return NULL;
	if (!it)
		boot_fail("CPU %u: out of memory for %u bytes, kind %u",
			  kmem_arch_cpu(), (unsigned)want.size, want.kind);
	return item_fill(it, &want);
}

static void item_verify(const struct item *it)
{
	if (it->check != item_check(it))
		boot_fail("CPU %u: item %p: header overwritten",
			  kmem_arch_cpu(), (const void *)it);
	if (!pattern_holds(it + 1, it->size - sizeof(*it), it->seed))
		boot_fail("CPU %u: item %p of %u bytes, kind %u: contents "
			  "overwritten", kmem_arch_cpu(), (const void *)it,
			  (unsigned)it->size, it->kind);
}

/* It is no item any more. */
static void item_end(struct item *it)
{
	item_verify(it);
	it->check = 0;
}

/* Two thirds of the cache objects go through kfree(). */
void item_free(struct item *it)
{
	if (!it)
		return;
	item_end(it);
	if (it->kind == ITEM_PAGES)
		free_pages((uintptr_t)it, it->sub);
	else if (it->kind == ITEM_CACHE && it->seed % 3 == 0)
		kmem_cache_free(item_cache[it->sub], it);
	else
		kfree(it);
}

#if KMEM_DEFERRED
static void *pages_nolock(unsigned order)
{
	struct page *page = alloc_pages_nolock(0, KMEM_NO_NODE, order);

	return page ? page_to_virt(page) : NULL;
}

struct item *item_new_nolock(uint64_t *rng)
{
	struct item want = { 0 }, *it;

	do {
		random_kind(&want, rng);
	} while (want.kind == ITEM_CACHE);
	if (want.kind == ITEM_KMALLOC)
		it = kmalloc_nolock(want.size, 0, KMEM_NO_NODE);
	else
		it = pages_nolock(want.sub);
	return it ? item_fill(it, &want) : NULL;
}

void item_free_nolock(struct item *it)
{
	if (!it)
		return;
	item_end(it);
	if (it->kind == ITEM_PAGES)
		free_pages_nolock(virt_to_page(it), it->sub);
	else
		kfree_nolock(it);
}
#endif

void item_resize(struct item **slot, uint64_t *rng)
{
	struct item *it = *slot;
	uint32_t size = random_size(rng), seed = random_next(rng);

	if (!it || it->kind != ITEM_KMALLOC)
		return;
	item_verify(it);
	it = krealloc(it, size, GFP_KERNEL | __GFP_NOWARN);
	if (!it && MAY_RUN_OUT)
		return;
	if (!it)
		boot_fail("krealloc to %u bytes failed", (unsigned)size);
	if (size >= it->size)
		item_verify(it);	/* it may have moved, whole */
	it->size = size;
	it->seed = seed;
	it->check = item_check(it);
	pattern_fill(it + 1, size - sizeof(*it), seed);
	*slot = it;
}

void items_init(void)
{
	static const char *const name[ITEM_CACHES] = {
		"work-0", "work-1", "work-2", "work-3",
	};

	for (unsigned i = 0; i < ITEM_CACHES; i++)
		item_cache[i] = kmem_cache_create(name[i], cache_size[i], 0,
						  SLAB_PANIC, NULL);
}

void items_exit(void)
{
	for (unsigned i = 0; i < ITEM_CACHES; i++)
		kmem_cache_destroy(item_cache[i]);
}
