// SPDX-License-Identifier: MIT
/*
 * tests/unit/misuse_test.c - double frees that race, played step by step.
 *
 * Two CPUs free the same object at the same time: both read LIVE before either
 * has written CACHED, both checks pass, and the object is in two magazines.
 * Here the second CPU's view is restored by hand between the two calls, so
 * that each way in which the second copy can be met is tried for certain:
 * flushed to the slab, flushed when the slab has gone, allocated. It must be
 * reported once, and the state must be sound afterwards.
 *
 * Other misuse is in the test of each module; here is what is the same for
 * all: that reports name who called and what the object is of.
 */
#include <kmem/kvmalloc.h>
#include <kmem/mempool.h>

#include "unit.h"
#include "cache.h"

/* Compiled always, run in debug builds. */
#define KMEM_DEBUG_TEST	__attribute__((unused))

static struct kmem_cache *s;

/* What is freed can be had again at once. */
static void no_quarantine(struct kmem_cache *of)
{
	of->magazine.quarantine = 0;
}

static int setup(void **state)
{
	(void)state;
	host_machine(256 * MIB, 2);
	test_panics_record();
	s = kmem_cache_create("raced", 256, 0, 0, NULL);
	no_quarantine(s);
	return 0;
}

static int teardown(void **state)
{
	struct kmem_cache_stats st;

	test_drain(2);
	assert_no_panic();
	assert_sound();
	kmem_cache_stats(s, &st);
	assert_int_equal(st.live, 0);
	kmem_cache_destroy(s);
	return clean_end(state);
}

static kmem_slot_t *slot_of(void *obj)
{
	struct page *page = virt_to_page(obj);

	return &page->slot[slab_index(page, page->slabs, obj).index];
}

/* CPU 0 and CPU 1 free it at once: it is in a magazine of each. */
static void free_on_both(void *obj)
{
	host_cpu_set(0);
	kmem_cache_free(s, obj);
	assert_int_equal(*slot_of(obj), SLOT_CACHED);
	*slot_of(obj) = SLOT_LIVE;
	host_cpu_set(1);
	kmem_cache_free(s, obj);
	host_cpu_set(0);
	assert_no_panic();
}

static void drain_cpu(unsigned cpu)
{
	host_cpu_set(cpu);
	kmem_cache_shrink(s);
	host_cpu_set(0);
}

/* Both copies reach the slab, which stays because of another object. */
static void test_second_copy_at_the_slab(void **state)
{
	void *other = kmem_cache_alloc(s, GFP_KERNEL);
	void *obj = kmem_cache_alloc(s, GFP_KERNEL);

	(void)state;
	free_on_both(obj);
	drain_cpu(0);
	drain_cpu(1);
	assert_panicked(obj, "raced", "freed twice");
	assert_sound();
	kmem_cache_free(s, other);
}

/* The first copy was the slab's last object: its pages have gone back when the
 * second copy arrives. */
static void test_second_copy_without_slab(void **state)
{
	void *obj = kmem_cache_alloc(s, GFP_KERNEL);

	(void)state;
	free_on_both(obj);
	drain_cpu(0);
	drain_pages();
	assert_int_not_equal(virt_to_page(obj)->type, PAGE_SLAB);
	drain_cpu(1);
	assert_panicked(obj, "raced", NULL);
	assert_sound();
}

/* The same, but the second copy is met by an allocation. */
static void test_allocation_without_slab(void **state)
{
	void *obj = kmem_cache_alloc(s, GFP_KERNEL), *fresh;

	(void)state;
	free_on_both(obj);
	drain_cpu(0);
	drain_pages();
	assert_int_not_equal(virt_to_page(obj)->type, PAGE_SLAB);
	host_cpu_set(1);
	/* that shrinking asked CPU 1 to drain is seen on slow paths only */
	fresh = kmem_cache_alloc(s, GFP_KERNEL);
	assert_panicked(obj, "raced", "freed twice");
	assert_non_null(fresh);
	assert_sound();
	kmem_cache_free(s, fresh);
}

/* The pages have even become a slab of another cache. */
static void test_second_copy_in_a_foreign_slab(void **state)
{
	void *obj = kmem_cache_alloc(s, GFP_KERNEL);
	struct kmem_cache *other = kmem_cache_create("other", 128, 0, 0, NULL);
	static void *taken[100000];
	size_t n = 0;

	(void)state;
	free_on_both(obj);
	drain_cpu(0);
	drain_pages();
	while (n < 100000 && virt_to_page(obj)->type != PAGE_SLAB)
		assert_non_null(taken[n++] = kmem_cache_alloc(other,
							      GFP_NOWAIT));
	if (virt_to_page(obj)->slabs != &s->slabs) {
		drain_cpu(1);
		assert_panicked(obj, "raced", NULL);
	}
	assert_sound();
	kmem_cache_free_bulk(other, n, taken);
	kmem_cache_destroy(other);
}

/* The slab of the first copy has gone and its page is a slab of another cache,
 * which has an object in a magazine at the very same place: CACHED, as it
 * should be, but not ours to give. Both caches have the same size, so that
 * index and slot agree as well. */
KMEM_DEBUG_TEST static void test_allocation_from_a_foreign_slab(void **state)
{
	void *obj = kmem_cache_alloc(s, GFP_KERNEL), *fresh;
	struct kmem_cache *other = kmem_cache_create("other", 256, 0, 0, NULL);
	static void *taken[100000];
	size_t n = 0;

	(void)state;
	no_quarantine(other);
	free_on_both(obj);
	drain_cpu(0);
	drain_pages();
	while (n < 100000 && virt_to_page(obj)->type != PAGE_SLAB)
		assert_non_null(taken[n++] = kmem_cache_alloc(other,
							      GFP_NOWAIT));
	assert_ptr_equal(taken[n - 1], obj);
	kmem_cache_free(other, obj);
	n--;
	assert_ptr_not_equal(virt_to_page(obj)->slabs, &s->slabs);
	assert_int_equal(*slot_of(obj), SLOT_CACHED);
	host_cpu_set(1);
	fresh = kmem_cache_alloc(s, GFP_KERNEL);
	assert_panicked(obj, "raced", "freed twice");
	assert_non_null(fresh);
	assert_ptr_equal(virt_to_page(fresh)->slabs, &s->slabs);
	assert_sound();
	kmem_cache_free(s, fresh);
	host_cpu_set(0);
	kmem_cache_free_bulk(other, n, taken);
	kmem_cache_destroy(other);
}

/*
 * Objects so small that their slots are an array of their own. The slab of the
 * first copy has gone, its page is free, and its slot array is that of a slab
 * of another cache: CPU 1's copy remembers the slot, and what it finds there
 * is the state of somebody else's object.
 */
KMEM_DEBUG_TEST static void test_allocation_with_a_recycled_slot(void **state)
{
	struct kmem_cache *a = kmem_cache_create("a-32", 32, 0, 0, NULL);
	struct kmem_cache *b = kmem_cache_create("b-32", 32, 0, 0, NULL);
	void *obj = kmem_cache_alloc(a, GFP_KERNEL), *fresh;
	kmem_slot_t *slot = slot_of(obj);
	static void *theirs[20000];
	static struct page *pinned[70000];
	size_t n = 0, pages = 0;

	(void)state;
	assert_true(virt_to_page(obj)->slot !=
		    virt_to_page(obj)->inline_slot);
	host_cpu_set(0);
	kmem_cache_free(a, obj);
	*slot = SLOT_LIVE;
	host_cpu_set(1);
	kmem_cache_free(a, obj);
	host_cpu_set(0);
	kmem_cache_shrink(a);
	drain_pages();
	/* b must not get the same page, or the case is the one above */
	do
		assert_non_null(pinned[pages] = alloc_page(GFP_KERNEL));
	while (pinned[pages++] != virt_to_page(obj));
	do {
		assert_in_range(n, 0, 19999);
		theirs[n] = kmem_cache_alloc(b, GFP_KERNEL);
		assert_non_null(theirs[n]);
	} while (slot_of(theirs[n++]) != slot);
	kmem_cache_free(b, theirs[--n]);
	assert_int_equal(*slot, SLOT_CACHED);
	host_cpu_set(1);
	fresh = kmem_cache_alloc(a, GFP_KERNEL);
	assert_panicked(obj, "raced", "freed twice");
	assert_non_null(fresh);
	assert_ptr_not_equal(fresh, obj);
	assert_int_equal(*slot, SLOT_CACHED);
	assert_sound();
	kmem_cache_free(a, fresh);
	host_cpu_set(0);
	while (pages)
		__free_page(pinned[--pages]);
	kmem_cache_free_bulk(b, n, theirs);
	kmem_cache_destroy(a);
	kmem_cache_destroy(b);
}

/* Both copies are allocated: the second is dropped, and the caller gets
 * another object. */
static void test_second_copy_is_allocated(void **state)
{
	void *obj = kmem_cache_alloc(s, GFP_KERNEL), *a, *b;

	(void)state;
	free_on_both(obj);
	host_cpu_set(0);
	a = kmem_cache_alloc(s, GFP_KERNEL);
	assert_ptr_equal(a, obj);
	assert_no_panic();
	host_cpu_set(1);
	b = kmem_cache_alloc(s, GFP_KERNEL);
	assert_panicked(obj, "raced", "freed twice");
	assert_non_null(b);
	assert_ptr_not_equal(a, b);
	test_fill(a, 256, 1);
	test_fill(b, 256, 2);
	assert_null(test_changed(a, 256, 1));
	assert_sound();
	kmem_cache_free(s, a);
	kmem_cache_free(s, b);
}

/* The second copy is met by a bulk allocation. */
static void test_second_copy_in_bulk(void **state)
{
	void *obj[40], *more[40];

	(void)state;
	assert_int_equal(kmem_cache_alloc_bulk(s, GFP_KERNEL, 10, obj), 10);
	free_on_both(obj[4]);
	host_cpu_set(0);
	assert_int_equal(kmem_cache_alloc_bulk(s, GFP_KERNEL, 1, &obj[4]), 1);
	host_cpu_set(1);
	assert_int_equal(kmem_cache_alloc_bulk(s, GFP_KERNEL, 40, more), 40);
	assert_panicked(NULL, "raced", "freed twice");
	assert_sound();
	for (unsigned i = 0; i < 40; i++)
		for (unsigned k = 0; k < i; k++)
			assert_ptr_not_equal(more[i], more[k]);
	for (unsigned i = 0; i < 40; i++)
		assert_ptr_not_equal(more[i], obj[4]);
	kmem_cache_free_bulk(s, 40, more);
	kmem_cache_free_bulk(s, 10, obj);
}

/* The first copy is allocated and in use while the second reaches the slab:
 * whoever uses it must not lose it. */
static void test_second_copy_of_a_live_object(void **state)
{
	void *obj = kmem_cache_alloc(s, GFP_KERNEL), *a;

	(void)state;
	free_on_both(obj);
	host_cpu_set(0);
	a = kmem_cache_alloc(s, GFP_KERNEL);
	assert_ptr_equal(a, obj);
	test_fill(a, 256, 9);
	drain_cpu(1);
	assert_panicked(obj, "raced", "freed twice");
	assert_sound();
	assert_null(test_changed(a, 256, 9));
	kmem_cache_free(s, a);
}

/* -------------------------------------------------------- who, and of whom */

/* Who calls is told by the address: only where functions that end in a call
 * jump there, for those with a slow path in two steps. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || \
	!defined(__OPTIMIZE__)
#define TAIL_CALLS	0
#elif defined(__has_feature)
#define TAIL_CALLS	(!__has_feature(address_sanitizer) && \
			 !__has_feature(thread_sanitizer))
#else
#define TAIL_CALLS	1
#endif

/* All that is misuse in this section, and nothing else. */
#define MISUSE	__attribute__((section("misuse_section"), noinline))
extern const char __start_misuse_section[], __stop_misuse_section[];

static MISUSE void call_badly(unsigned which, void *p)
{
	struct page *page = virt_to_page(p);
	void *many[1] = { p };

	switch (which) {
	case 0:
		kfree(p);
		break;
	case 1:
		kmem_cache_free(s, p);
		break;
	case 2:
		kfree_bulk(1, many);
		break;
	case 3:
		kfree_sensitive(p);
		break;
	case 4:
		kfree_sized(p, 8);
		break;
	case 5:
		kvfree(p);
		break;
	case 6:
		assert_null(krealloc(p, 8, GFP_KERNEL));
		break;
	case 7:
		assert_int_equal(ksize(p), 0);
		break;
	case 8:
		free_pages((uintptr_t)p, 3);
		break;
	case 9:
		__free_pages(page, 3);
		break;
	case 10:
		put_page(page);
		break;
	case 11:
		release_pages(&page, 1);
		break;
	case 12:
		split_page(page, 3);
		break;
	case 13:
		free_pages_exact(p, PAGE);
		break;
	case 14:
		kvfree_sensitive(p, 8);
		break;
	default:
		assert_ptr_equal(krealloc(p, 0, GFP_KERNEL), ZERO_SIZE_PTR);
	}
	__asm__ volatile("" : : : "memory");	/* no jump */
}

static void assert_names_caller(void)
{
	const char *at = strstr(test_panic(0), "; caller 0x");
	uintptr_t address = at ? (uintptr_t)strtoull(at + 9, NULL, 16) : 0;

	assert_int_equal(test_panics(), 1);
	assert_non_null(at);
	if (TAIL_CALLS)
		assert_in_range(address, (uintptr_t)__start_misuse_section,
				(uintptr_t)__stop_misuse_section);
	test_panics_clear();
}

/* Each function that refuses what it is given names who gave it: an object
 * that is free, and a page that is. */
static void test_caller_is_named(void **state)
{
	void *obj = kmem_cache_alloc(s, GFP_KERNEL);
	void *other = kmem_cache_alloc(s, GFP_KERNEL);
	void *page = page_to_virt(alloc_pages(GFP_KERNEL, 3));

	(void)state;
	kmem_cache_free(s, obj);
	free_pages((uintptr_t)page, 3);
	for (unsigned i = 0; i < 16; i++) {
		call_badly(i, i >= 8 && i < 14 ? page : obj);
		assert_names_caller();
	}
	kmem_cache_free(s, other);
}

static void test_wrong_cache_is_placed(void **state)
{
	struct kmem_cache *other = kmem_cache_create("other", 64, 0, 0, NULL);
	void *obj = kmem_cache_alloc(s, GFP_KERNEL);
	char place[64];

	(void)state;
	snprintf(place, sizeof(place), "of cache raced, slab 0x%" PRIxPTR
		 ", index ", (uintptr_t)obj & ~(uintptr_t)(PAGE - 1));
	kmem_cache_free(other, obj);
	assert_panicked(obj, "kmem_cache_free(other, ", place);
	kmem_cache_free(s, obj);
	kmem_cache_destroy(other);
}

/* What is to be zeroed and freed is looked at before it is zeroed. */
static void test_sensitive_leaves_others_alone(void **state)
{
	char *obj = kmem_cache_alloc(s, GFP_KERNEL);
	char *large = kmalloc(100000, GFP_KERNEL), here[64] = "here";

	(void)state;
	test_fill(obj, 256, 1);
	test_fill(large, 100000, 2);
	kvfree_sensitive(obj + 8, 64);
	assert_panicked(obj + 8, "kvfree_sensitive", "not the start");
	kvfree_sensitive(large + PAGE, 64);
	assert_panicked(large + PAGE, "inside a block of kmalloc()", NULL);
	kvfree_sensitive(here, sizeof(here));
	assert_panicked(here, "no memory of kmem's", NULL);
	assert_string_equal(here, "here");
	assert_null(test_changed(obj, 256, 1));
	assert_null(test_changed(large, 100000, 2));
	kmem_cache_free(s, obj);
	kvfree_sensitive(large, 1000000);	/* no more than there is */
	assert_no_panic();
}

/* ------------------------------------------------------- caches that are not */

static void test_no_cache(void **state)
{
	void *obj = kmem_cache_alloc(s, GFP_KERNEL);
	void *large = kmalloc(100000, GFP_KERNEL);

	(void)state;
	kmem_cache_free(NULL, obj);
	assert_panicked(obj, "no cache is there: NULL", "kmem_cache_free");
	kmem_cache_free(NULL, large);
	assert_panicked(large, "no cache is there: NULL", "kmem_cache_free");
	kmem_cache_free(NULL, NULL);
	kmem_cache_free(s, NULL);
	assert_no_panic();
	kmem_cache_free(s, obj);
	kfree(large);
}

/* Whoever goes on to use a cache that was destroyed is told, as long as its
 * descriptor is not another cache's; nothing is given, and nothing is lost. */
static void test_destroyed_cache(void **state)
{
	struct kmem_cache *gone = kmem_cache_create("gone", 256, 0, 0, NULL);
	void *obj = kmem_cache_alloc(gone, GFP_KERNEL), *many[4];
	size_t pages = test_pages();

	(void)state;
	kmem_cache_free(gone, obj);
	kmem_cache_destroy(gone);
	kmem_cache_destroy(gone);
	assert_panicked(gone, "kmem_cache_destroy", "it was destroyed");
	assert_null(kmem_cache_alloc(gone, GFP_KERNEL));
	assert_panicked(gone, "kmem_cache_alloc", "it was destroyed");
	assert_null(kmem_cache_zalloc(gone, GFP_KERNEL));
	assert_panicked(gone, "kmem_cache_alloc", "it was destroyed");
	assert_null(kmem_cache_alloc_node(gone, GFP_KERNEL, 0));
	assert_panicked(gone, "kmem_cache_alloc_node", "it was destroyed");
	assert_int_equal(kmem_cache_alloc_bulk(gone, GFP_KERNEL, 4, many), 0);
	assert_panicked(gone, "kmem_cache_alloc", "it was destroyed");
	kmem_cache_free(gone, obj);
	assert_panicked(obj, "kmem_cache_free", NULL);
	test_drain(2);
	assert_sound();
	assert_in_range(test_pages(), pages - 1, pages + 1);
}

/* The reserve of a pool of debugged objects fills up again as any other. */
static void test_reserve_of_debugged_objects(void **state)
{
	struct kmem_cache *d = kmem_cache_create("debugged", 64, 0,
						 SLAB_POISON, NULL);
	mempool_t *pool = mempool_create_slab_pool(2, d);
	void *p;

	(void)state;
	p = mempool_alloc_preallocated(pool);
	assert_non_null(p);
	assert_false(mempool_is_saturated(pool));
	mempool_free(p, pool);
	assert_true(mempool_is_saturated(pool));
	mempool_destroy(pool);
	kmem_cache_destroy(d);
}

/* --------------------------------------------------------- blocks of pages */

static void free_pages_on_both(struct page *page, unsigned order)
{
	host_cpu_set(0);
	__free_pages(page, order);
	assert_int_equal(page->type, PAGE_CACHED);
	page->type = PAGE_ALLOCATED;
	host_cpu_set(1);
	__free_pages(page, order);
	host_cpu_set(0);
	assert_no_panic();
}

static void drain_pages_of(unsigned cpu)
{
	host_cpu_set(cpu);
	drain_pages();
	host_cpu_set(0);
}

/* A block freed on two CPUs at once: both copies go back to the zone. */
static void test_block_on_both(void **state)
{
	(void)state;
	for (unsigned order = 0; order <= KMEM_CACHED_MAX_ORDER; order++) {
		struct page *page = alloc_pages(GFP_KERNEL, order);

		free_pages_on_both(page, order);
		drain_pages_of(0);
		assert_no_panic();
		drain_pages_of(1);
		assert_panicked(page_to_virt(page), "freed twice", NULL);
		assert_sound();
	}
}

/* The first copy is allocated and in use while the second goes back to the
 * zone: whoever uses it must not lose it. */
static void test_block_in_use(void **state)
{
	(void)state;
	for (unsigned order = 0; order <= KMEM_CACHED_MAX_ORDER; order++) {
		struct page *page = alloc_pages(GFP_KERNEL, order);

		free_pages_on_both(page, order);
		host_cpu_set(0);
		assert_ptr_equal(alloc_pages(GFP_KERNEL, order), page);
		drain_pages_of(1);
		assert_panicked(page_to_virt(page), "freed twice", NULL);
		assert_sound();
		__free_pages(page, order);
	}
}

/*
 * Both copies are allocated, by two CPUs: whoever comes second gets another
 * block, for each place in CPU 1's magazines where that copy may lie (the
 * loaded one, the bottom or the top of the other, the depot), so that it is
 * met on the fast path and behind each turn of the slow one. With many blocks
 * above it, it may be back in the zone before, and CPU 0's is the second.
 */
static void met_by_allocation(unsigned order, unsigned below, unsigned above)
{
	struct page *page = alloc_pages(GFP_KERNEL, order), *mine, *other[160];
	unsigned n = below + above, given = 0;

	host_cpu_set(1);
	for (unsigned i = 0; i < n; i++) {
		other[i] = alloc_pages(GFP_KERNEL, order);
		REQUIRE(other[i] && other[i] != page);
	}
	for (unsigned i = 0; i < below; i++)
		__free_pages(other[i], order);
	free_pages_on_both(page, order);
	host_cpu_set(1);
	for (unsigned i = below; i < n; i++)
		__free_pages(other[i], order);

	host_cpu_set(0);
	mine = alloc_pages(GFP_KERNEL, order);
	REQUIRE(mine);
	given += mine == page;
	test_fill(page_to_virt(mine), PAGE << order, order);
	host_cpu_set(1);
	for (unsigned i = 0; i < n; i++) {
		other[i] = alloc_pages(GFP_KERNEL, order);
		REQUIRE(other[i] && other[i] != mine);
		given += other[i] == page;
	}
	REQUIRE(given <= 1);
	for (unsigned i = 0; i < n; i++)
		__free_pages(other[i], order);
	drain_pages();
	host_cpu_set(0);
	assert_panicked(page_to_virt(page), "freed twice", "raced");
	REQUIRE(!test_changed(page_to_virt(mine), PAGE << order, order));
	__free_pages(mine, order);
	assert_sound();
}

static void test_block_is_allocated(void **state)
{
	(void)state;
	for (unsigned order = 0; order <= KMEM_CACHED_MAX_ORDER; order++)
		for (unsigned below = 0; below <= 70; below += 1 + below / 8)
			for (unsigned above = 0; above <= 70; above += 35)
				met_by_allocation(order, below, above);
}

/* The simplest of these, each step looked at: the second of two allocations
 * reports and yields another block, at once. */
static void test_block_second_allocation(void **state)
{
	(void)state;
	for (unsigned order = 0; order <= KMEM_CACHED_MAX_ORDER; order++) {
		struct page *page = alloc_pages(GFP_KERNEL, order), *b;

		free_pages_on_both(page, order);
		assert_ptr_equal(alloc_pages(GFP_KERNEL, order), page);
		assert_no_panic();
		host_cpu_set(1);
		b = alloc_pages(GFP_KERNEL, order);
		host_cpu_set(0);
		assert_panicked(page_to_virt(page), "freed twice", "dropped");
		assert_non_null(b);
		assert_ptr_not_equal(b, page);
		assert_int_equal(b->type, PAGE_ALLOCATED);
		assert_sound();
		__free_pages(page, order);
		__free_pages(b, order);
		assert_no_panic();
	}
}

/* A page in the middle of a block of the highest order that is otherwise free. */
static struct page *lone_page(void)
{
	struct page *page = alloc_pages(GFP_KERNEL, KMEM_MAX_ORDER);

	assert_non_null(page);
	split_page(page, KMEM_MAX_ORDER);
	for (uintptr_t i = 0; i >> KMEM_MAX_ORDER == 0; i++)
		if (i != 5)
			__free_pages(pfn_to_page(page_to_pfn(page) + i), 0);
	drain_pages();
	return pfn_to_page(page_to_pfn(page) + 5);
}

/* The second copy is met when its block has gone back to the zone, merged and
 * been given out as a part of a larger one: a page in the middle of somebody's
 * block must not be given again. */
static void test_block_inside_another(void **state)
{
	struct page *page = lone_page(), *big[64], *b;
	unsigned n = 0;

	(void)state;
	free_pages_on_both(page, 0);
	drain_pages_of(0);
	assert_int_not_equal(page->type, PAGE_CACHED);
	while (n < 64 && page->type != PAGE_TAIL)
		assert_non_null(big[n++] = alloc_pages(GFP_KERNEL,
						       KMEM_MAX_ORDER));
	host_cpu_set(1);
	b = alloc_pages(GFP_KERNEL, 0);
	host_cpu_set(0);
	assert_panicked(page_to_virt(page), "freed twice", NULL);
	assert_true(b && b != page);
	assert_sound();
	__free_pages(b, 0);
	while (n)
		__free_pages(big[--n], KMEM_MAX_ORDER);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_second_copy_at_the_slab),
		TEST(test_second_copy_without_slab),
		TEST(test_allocation_without_slab),
		TEST(test_second_copy_in_a_foreign_slab),
#if KMEM_DEBUG	/* what the default build does not look for: cache.c */
		TEST(test_allocation_from_a_foreign_slab),
		TEST(test_allocation_with_a_recycled_slot),
#endif
		TEST(test_second_copy_is_allocated),
		TEST(test_second_copy_in_bulk),
		TEST(test_second_copy_of_a_live_object),
		TEST(test_caller_is_named),
		TEST(test_wrong_cache_is_placed),
		TEST(test_sensitive_leaves_others_alone),
		TEST(test_no_cache),
		TEST(test_destroyed_cache),
		TEST(test_reserve_of_debugged_objects),
		TEST(test_block_on_both),
		TEST(test_block_in_use),
		TEST(test_block_is_allocated),
		TEST(test_block_second_allocation),
		TEST(test_block_inside_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
