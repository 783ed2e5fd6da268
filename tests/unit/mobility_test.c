// SPDX-License-Identifier: MIT
/*
 * tests/unit/mobility_test.c - page blocks by mobility (mobility.c), seen from
 * outside: where pages of each kind are put, what is claimed and what is
 * stolen, and what is left of memory after a long churn of both kinds.
 */
#include <kmem/nolock.h>

#include "unit.h"
#include "page_alloc.h"

#define QUIET		__GFP_NOWARN
#define BYTES		(64 * MIB)
#define BLOCK_BYTES	(PAGE << PAGE_BLOCK_ORDER)

static void start(uint64_t bytes, bool mix)
{
	const struct test_range map[] = {
		{ MIB, MIB + bytes, KMEM_REGION_USABLE, KMEM_NO_NODE },
	};
	struct kmem_params p = { .nr_cpus = 1, .mix_mobility = mix,
				 .dma_end = KMEM_NO_ZONE,
				 .dma32_end = KMEM_NO_ZONE };

	assert_int_equal(test_machine(map, 1, &p), KMEM_OK);
}

static int setup(void **state)
{
	(void)state;
	start(BYTES, false);
	test_panics_record();
	test_log_clear();
	return 0;
}

/* What kind of page block a page is in. */
static unsigned kind_of(const struct page *page)
{
	return block_mobility(&page_zone(page)->buddy, page->pfn);
}

/* Movable pages all go to page blocks of their own: so none shares one with
 * what the kernel allocates, before or after. */
static void test_kept_apart(void **state)
{
	static struct page *movable[1000], *fixed[1000], *cache[1000];
	const gfp_t gfp[] = { GFP_KERNEL | __GFP_RECLAIMABLE };

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		movable[i] = alloc_page(GFP_HIGHUSER_MOVABLE);
		fixed[i] = alloc_page(GFP_KERNEL);
		cache[i] = alloc_page(gfp[0]);
		assert_int_equal(kind_of(movable[i]), MOVABLE);
		assert_int_equal(kind_of(fixed[i]), UNMOVABLE);
		assert_int_equal(kind_of(cache[i]), RECLAIMABLE);
	}
	assert_sound();
	for (unsigned i = 0; i < 1000; i++) {
		__free_page(movable[i]);
		put_page(cache[i]);
		__free_page(fixed[i]);
	}
	assert_sound();
}

/* Many at once are what they were asked for as, each of them. */
static void test_many_of_a_kind(void **state)
{
	static struct page *page[500];

	(void)state;
	assert_int_equal(alloc_pages_bulk(GFP_HIGHUSER_MOVABLE, 500, page),
			 500);
	for (unsigned i = 0; i < 500; i++) {
		assert_int_equal(page_mobility(page[i]), MOVABLE);
		assert_int_equal(kind_of(page[i]), MOVABLE);
		__free_page(page[i]);
	}
	assert_sound();
}

/* Blocks of all orders and kinds keep their kind through free and split, and
 * all of memory merges again. */
static void test_every_order_and_kind(void **state)
{
	static const gfp_t kind[] = { GFP_KERNEL, GFP_HIGHUSER_MOVABLE,
				      GFP_KERNEL | __GFP_RECLAIMABLE };
	size_t before;

	(void)state;
	test_drain(1);
	before = test_pages();
	for (unsigned k = 0; k < 3; k++)
		for (unsigned o = 0; o <= KMEM_MAX_ORDER; o++) {
			struct page *page = alloc_pages(kind[k], o);
			uintptr_t pfn;

			assert_non_null(page);
			pfn = page_to_pfn(page);
			assert_int_equal(kind_of(page), k);
			assert_int_equal(page_mobility(page), k);
			split_page(page, o);
			for (uintptr_t i = 0; i >> o == 0; i++) {
				page = pfn_to_page(pfn + i);
				assert_int_equal(page_mobility(page), k);
				assert_int_equal(kind_of(page), k);
				__free_page(page);
			}
			assert_sound();
		}
	test_drain(1);
	assert_int_equal(test_pages(), before);
}

/* Pages leave a zone. What is left of a page block without its first page is
 * movable no longer; one that keeps it is what it was. */
static void test_part_of_a_page_block_goes(void **state)
{
	struct page *page = alloc_pages(GFP_HIGHUSER_MOVABLE, 4), *block, *p;
	struct buddy *b = &page_zone(page)->buddy;

	(void)state;
	block = page_block(b, page->pfn);
	assert_ptr_equal(block, page);
	assert_int_equal(block->block_mobility, MOVABLE);
	mobility_forget(b, block->pfn + 1, block->pfn + 2);
	assert_int_equal(block->block_mobility, MOVABLE);
	p = buddy_free_head(b, block->pfn + PAGE_BLOCK_PAGES / 2);
	assert_int_equal(p->mobility, MOVABLE);
	mobility_forget(b, block->pfn, block->pfn + 16);
	assert_int_equal(block->block_mobility, UNMOVABLE);
	assert_int_equal(p->mobility, UNMOVABLE);
	assert_sound();
	__free_pages(page, 4);
}

/* All of memory is to be had by each kind alone, to the last page that the
 * watermarks leave, whatever it was before. */
static void test_all_of_memory(void **state)
{
	static struct page *held[BYTES / 4096];
	size_t first = 0;

	(void)state;
	for (unsigned round = 0; round < 6; round++) {
		gfp_t gfp = round % 2 ? GFP_KERNEL : GFP_HIGHUSER_MOVABLE;
		size_t n = 0;

		while ((held[n] = alloc_page(gfp | QUIET)))
			n++;
		assert_sound();
		if (!round)
			first = n;
		assert_true(n + 64 > first && n < first + 64);
		while (n)
			__free_page(held[--n]);
		assert_sound();
	}
}

/* A kind that has nothing takes from others rather than fail, and one page, not
 * the page block, if that is in use. */
static void test_steals_rather_than_fails(void **state)
{
	static struct page *held[BYTES / 4096], *taken[600];
	struct page *page;
	size_t n = 0, k = 0;

	(void)state;
	while ((held[n] = alloc_page(GFP_HIGHUSER_MOVABLE | QUIET)))
		n++;
	/* a few free pages in each of many movable page blocks */
	for (size_t i = 0; i < n; i += 16) {
		__free_page(held[i]);
		held[i] = NULL;
	}
	drain_pages();
	page = alloc_page(GFP_ATOMIC);
	assert_non_null(page);
	assert_sound();
	__free_page(page);
	drain_pages();
	/* so does one that waits for nobody */
	while (k < 600 && (taken[k] = alloc_pages_nolock(0, KMEM_NO_NODE, 0)))
		k++;
	assert_int_equal(k, 600);
	assert_sound();
	while (k)
		free_pages_nolock(taken[--k], 0);
	for (size_t i = 0; i < n; i++)
		__free_page(held[i]);
	assert_sound();
}

/* A page block is claimed from others when half of it is free, with all that
 * is free in it: the kinds don't mix more than they must. */
static void test_claims_half_free_block(void **state)
{
	const gfp_t all = GFP_ATOMIC | __GFP_MEMALLOC | QUIET;
	struct page *block[64], *page;
	unsigned n = 0;

	(void)state;
	/* all of memory as movable halves of page blocks and larger */
	while (n < 64 && (block[n] = alloc_pages(GFP_HIGHUSER_MOVABLE | QUIET,
						 PAGE_BLOCK_ORDER)))
		n++;
	assert_true(n > 20 && n < 64);
	while (alloc_pages(all, 5))
		;	/* what is left; lost with the machine */
	split_page(block[n / 2], PAGE_BLOCK_ORDER);
	for (unsigned i = 0; i < PAGE_BLOCK_PAGES / 2; i++)
		__free_page(block[n / 2] + i);
	drain_pages();
	assert_int_equal(kind_of(block[n / 2]), MOVABLE);
	page = alloc_pages(all, 5);
	assert_non_null(page);
	assert_true(page >= block[n / 2] &&
		    page < block[n / 2] + PAGE_BLOCK_PAGES);
	assert_int_equal(kind_of(page), UNMOVABLE);
	assert_sound();
}

/* With little memory, or if told so, all is one kind: no page block is ever
 * claimed. */
static void test_off(void **state)
{
	struct kmem_zone_stats st;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct page *page;

		kmem_reset();
		start(i ? BYTES : 8 * MIB, i);
		page = alloc_page(GFP_HIGHUSER_MOVABLE);
		assert_int_equal(kind_of(page), UNMOVABLE);
		assert_true(kmem_zone_stats(0, &st));
		assert_int_equal(st.page_blocks[MOVABLE], 0);
		__free_page(page);
	}
}

/* Caches that a shrinker can empty have their slabs in page blocks of their
 * own, and give them back as that. */
static void test_reclaimable_cache(void **state)
{
	struct kmem_cache *s = kmem_cache_create("dentry", 192, 0,
						 SLAB_RECLAIM_ACCOUNT, NULL);
	void *obj[500];

	(void)state;
	for (unsigned i = 0; i < 500; i++) {
		obj[i] = kmem_cache_alloc(s, GFP_KERNEL | __GFP_MOVABLE);
		assert_int_equal(kind_of(virt_to_page(obj[i])), RECLAIMABLE);
	}
	for (unsigned i = 0; i < 500; i++)
		kmem_cache_free(s, obj[i]);
	kmem_cache_destroy(s);
}

/* kmalloc() is of the kernel, whatever flags say. */
static void test_kmalloc_is_unmovable(void **state)
{
	void *p = kmalloc(100000, GFP_HIGHUSER_MOVABLE);

	(void)state;
	assert_int_equal(kind_of(virt_to_page(p)), UNMOVABLE);
	kfree(p);
}

/* Statistics: what the free lists say is what the figures say. */
static void test_fragmentation_figures(void **state)
{
	static struct page *held[BYTES / 4096];
	struct kmem_zone_stats st;
	size_t n = 0;

	(void)state;
	test_drain(1);
	assert_true(kmem_zone_stats(0, &st));
	assert_int_equal(st.unusable[0], 0);
	assert_true(st.unusable[KMEM_MAX_ORDER] < 200);
	assert_int_equal(st.largest_order, KMEM_MAX_ORDER);
	while ((held[n] = alloc_page(GFP_KERNEL | QUIET)))
		n++;
	for (size_t i = 0; i < n; i++)	/* every second page by number */
		if (page_to_pfn(held[i]) & 1) {
			__free_page(held[i]);
			held[i] = NULL;
		}
	drain_pages();
	assert_true(kmem_zone_stats(0, &st));
	assert_true(st.nr_free[0] > n / 3);
	assert_true(st.unusable[1] > 900);
	assert_true(st.unusable[9] >= st.unusable[1]);
	for (size_t i = 0; i < n; i++)
		__free_page(held[i]);
}

/* ------------------------------------------------- days of use, in seconds */

#define CHURN_BYTES	(256 * MIB)
#define CHURN_PAGES	(CHURN_BYTES / 4096)

/*
 * Memory near full of movable pages that come and go, and small unmovable
 * things that live long among them; then all that is movable goes. `full`: up to
 * the watermark, so that each request has to make room first. Returns the per
 * mille of free pages that are in blocks of a page block and more.
 */
static unsigned churn(bool mix, bool full, uint64_t seed)
{
	static struct page *movable[CHURN_PAGES], *fixed[CHURN_PAGES];
	size_t nr_movable = 0, nr_fixed = 0, limit;
	struct kmem_zone_stats st;

	kmem_reset();
	start(CHURN_BYTES, mix);
	limit = nr_free_pages() - (full ? 0 : nr_free_pages() / 20);
	/* with fewer there is nothing to see yet */
	for (unsigned i = 0; i < KMEM_MAX(test_scaled(600000), 60000u); i++) {
		bool unmovable = test_below(&seed, 10) == 0;
		size_t most = unmovable ? limit / 12 : limit - limit / 12;
		struct page **p = unmovable ? fixed : movable;
		size_t *nr = unmovable ? &nr_fixed : &nr_movable;

		if (*nr < most) {
			p[*nr] = alloc_page((unmovable ? GFP_KERNEL :
					     GFP_HIGHUSER_MOVABLE) | QUIET);
			if (!p[*nr] && nr_movable) {	/* as a kernel would */
				size_t k = test_below(&seed, nr_movable);

				__free_page(movable[k]);
				movable[k] = movable[--nr_movable];
				continue;
			}
			*nr += p[*nr] != NULL;
		} else {
			size_t k = test_below(&seed, *nr);

			__free_page(p[k]);
			p[k] = p[--*nr];
		}
	}
	while (nr_movable)
		__free_page(movable[--nr_movable]);
	test_drain(1);
	assert_sound();
	assert_true(kmem_zone_stats(0, &st));
	while (nr_fixed)
		__free_page(fixed[--nr_fixed]);
	return 1000u - st.unusable[PAGE_BLOCK_ORDER];
}

static void test_large_blocks_after_churn(void **state)
{
	uint64_t seed = test_seed("mobility_test: churn");

	(void)state;
	for (unsigned i = 0; i < 2; i++, seed++) {
		unsigned with = churn(false, i, seed);
		unsigned without = churn(true, i, seed);

		printf("churn: of free memory %u.%u %% are in large blocks; "
		       "mixed, %u.%u %%\n", with / 10, with % 10, without / 10,
		       without % 10);
		assert_true(with > 600);
		assert_true(with > 4 * without);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_kept_apart),
		CASE(test_many_of_a_kind),
		CASE(test_every_order_and_kind),
		CASE(test_part_of_a_page_block_goes),
		CASE(test_all_of_memory),
		CASE(test_steals_rather_than_fails),
		CASE(test_claims_half_free_block),
		CASE(test_off),
		CASE(test_reclaimable_cache),
		CASE(test_kmalloc_is_unmovable),
		CASE(test_fragmentation_figures),
		CASE(test_large_blocks_after_churn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
