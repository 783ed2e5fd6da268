// SPDX-License-Identifier: MIT
/*
 * tests/unit/cache_walk_test.c - every object that somebody has, and what an
 * address is.
 */
#include "unit.h"
#include "cache.h"

static const struct kmem_hooks log_hooks = { .log = test_log };

static int setup(void **state)
{
	static const struct test_range map[] = {
		{ 1 * MIB, 17 * MIB, KMEM_REGION_USABLE, 0 },
		{ 33 * MIB, 49 * MIB, KMEM_REGION_USABLE, 0 },
	};
	struct kmem_params p = { .nr_cpus = 4, .hooks = &log_hooks };

	(void)state;
	host_cpu_set(0);
	assert_int_equal(test_machine(map, 2, &p), KMEM_OK);
	test_log_clear();
	test_panics_record();
	return 0;
}

/* -------------------------------------------------------------------- walk */

struct seen {
	void *obj[20000];
	unsigned nr, stop_after;
};

static struct seen seen;

static bool see(void *obj, void *arg)
{
	struct seen *w = arg;

	REQUIRE(w->nr < KMEM_ARRAY_SIZE(w->obj));
	w->obj[w->nr++] = obj;
	return !w->stop_after || w->nr < w->stop_after;
}

static unsigned walk(struct kmem_cache *s, unsigned stop_after)
{
	bool whole;

	seen.nr = 0;
	seen.stop_after = stop_after;
	whole = kmem_cache_walk(s, see, &seen);
	assert_int_equal(whole, !stop_after || seen.nr < stop_after);
	return seen.nr;
}

static int by_address(const void *a, const void *b)
{
	uintptr_t x = *(const uintptr_t *)a, y = *(const uintptr_t *)b;

	return (x > y) - (x < y);
}

static bool was_seen(void *obj)
{
	return bsearch(&obj, seen.obj, seen.nr, sizeof(obj), by_address);
}

/* Objects of every size, some of them freed again, to magazines or further
 * down: exactly those that are allocated are seen, each once. */
static void test_walk_finds_what_is_live(void **state)
{
	static const size_t sizes[] = { 8, 24, 100, 700, 3000, 9000, 32768 };
	static void *obj[900];

	(void)state;
	for (unsigned i = 0; i < KMEM_ARRAY_SIZE(sizes); i++) {
		struct kmem_cache *s = kmem_cache_create("walk", sizes[i], 0, 0,
							 NULL);
		unsigned n = sizes[i] > 9000 ? 60 : 900;

		assert_int_equal(walk(s, 0), 0);
		for (unsigned k = 0; k < n; k++)
			obj[k] = kmem_cache_alloc(s, GFP_KERNEL);
		assert_int_equal(walk(s, 0), n);
		for (unsigned k = 0; k < n; k += 3) {
			host_cpu_set(k % 4);
			kmem_cache_free(s, obj[k]);
		}
		host_cpu_set(0);
		for (unsigned again = 0; again < 2; again++) {
			assert_int_equal(walk(s, 0), n - (n + 2) / 3);
			qsort(seen.obj, seen.nr, sizeof(void *), by_address);
			for (unsigned k = 0; k < n; k++)
				assert_int_equal(was_seen(obj[k]), k % 3 > 0);
			kmem_cache_shrink(s);
			assert_sound();
		}
		for (unsigned k = 0; k < n; k++)
			if (k % 3)
				kmem_cache_free(s, obj[k]);
		assert_int_equal(walk(s, 0), 0);
		kmem_cache_destroy(s);
	}
}

/* It ends when the function says so, and leaves no lock taken. */
static void test_walk_stops(void **state)
{
	struct kmem_cache *s = kmem_cache_create("stop", 1000, 0, 0, NULL);
	void *obj[50];

	(void)state;
	assert_int_equal(kmem_cache_alloc_bulk(s, GFP_KERNEL, 50, obj), 50);
	for (unsigned n = 1; n <= 51; n++)
		assert_int_equal(walk(s, n), n < 50 ? n : 50);
	kmem_cache_free_bulk(s, 50, obj);
	kmem_cache_destroy(s);
}

#define KEPT	600

static struct kmem_cache *busy;
static void *kept[KEPT];
static unsigned running;

/* The walk looks at objects while their owners write them: atomically. */
static void build(void *obj)
{
	__atomic_store_n((unsigned *)obj, 0x600d, __ATOMIC_RELAXED);
}

/* Objects come and go, slabs are made and given back, other caches get their
 * pages; what CPU 0 sees is live and of this cache, and all that is kept. */
static void churn(unsigned cpu, void *arg)
{
	uint64_t seed = cpu + 1;
	void *obj[64] = { NULL };
	unsigned rounds = test_scaled(40000);

	(void)arg;
	for (unsigned i = 0; i < rounds; i++) {
		unsigned k = (unsigned)test_below(&seed, 64);

		if (obj[k]) {
			kfree(obj[k]);
			obj[k] = NULL;
		} else if (k % 2) {
			obj[k] = kmem_cache_alloc(busy, GFP_ATOMIC);
			if (obj[k])
				build(obj[k]);
		} else {
			obj[k] = kmalloc(1000, GFP_ATOMIC);
			if (obj[k])
				__atomic_store_n((unsigned *)obj[k], 0xbad,
						 __ATOMIC_RELAXED);
		}
		if (i % 512 == 0)
			kmem_cache_shrink(busy);
	}
	for (unsigned k = 0; k < 64; k++)
		kfree(obj[k]);
}

static unsigned kept_seen;

static bool look(void *obj, void *arg)
{
	unsigned tag = __atomic_load_n((unsigned *)obj, __ATOMIC_RELAXED);

	(void)arg;
	if (tag >= 0x10000 && tag < 0x10000 + KEPT) {
		REQUIRE(kept[tag - 0x10000] == obj);
		kept_seen++;
	} else {
		REQUIRE(tag != 0xbad);
	}
	return true;
}

static void work(unsigned cpu, void *arg)
{
	if (cpu) {
		churn(cpu, arg);
		__atomic_fetch_sub(&running, 1, __ATOMIC_RELAXED);
		return;
	}
	while (__atomic_load_n(&running, __ATOMIC_RELAXED)) {
		kept_seen = 0;
		REQUIRE(kmem_cache_walk(busy, look, NULL));
		REQUIRE(kept_seen == KEPT);
	}
}

static void test_walk_while_others_work(void **state)
{
	(void)state;
	busy = kmem_cache_create("busy", 200, 0, 0, build);
	for (unsigned i = 0; i < KEPT; i++) {
		kept[i] = kmem_cache_alloc(busy, GFP_KERNEL);
		*(unsigned *)kept[i] = 0x10000 + i;
	}
	running = 3;
	host_run_cpus(4, work, NULL);
	assert_sound();
	for (unsigned i = 0; i < KEPT; i++) {
		*(unsigned *)kept[i] = 0x600d;
		kmem_cache_free(busy, kept[i]);
	}
	kmem_cache_destroy(busy);
}

/* ---------------------------------------------------- what is this address? */

static struct kmem_obj_info info_of(const void *p, bool allocated)
{
	struct kmem_obj_info i;

	memset(&i, 0x5a, sizeof(i));
	REQUIRE(kmem_obj_lookup(p, &i) == allocated);
	return i;
}

/* Every byte of a slab's objects, in each state, and of what is behind the
 * last one. */
static void test_lookup_in_slab(void **state)
{
	struct kmem_cache *s = kmem_cache_create("look", 100, 8, 0, NULL);
	struct kmem_cache_stats st;
	char *obj = kmem_cache_alloc(s, GFP_KERNEL);
	struct kmem_obj_info i;
	char *slab;
	unsigned free_objects = 0;

	(void)state;
	kmem_cache_stats(s, &st);
	i = info_of(obj, true);
	slab = i.slab;
	assert_int_equal((uintptr_t)slab % KMEM_PAGE_SIZE, 0);
	for (unsigned b = 0; b < 104; b++) {
		i = info_of(obj + b, true);
		assert_int_equal(i.state, KMEM_OBJ_LIVE);
		assert_ptr_equal(i.cache, s);
		assert_string_equal(i.name, "look");
		assert_ptr_equal(i.start, obj);
		assert_int_equal(i.offset, b);
		assert_int_equal(i.size, 100);
		assert_ptr_equal(slab + s->slabs.start + i.index * st.slot_size,
				 obj);
	}
	for (unsigned k = 0; k < st.objects_per_slab; k++) {
		char *p = slab + s->slabs.start + k * st.slot_size;

		if (p == obj)
			continue;
		i = info_of(p, false);
		assert_true(i.state == KMEM_OBJ_FREE ||
			    i.state == KMEM_OBJ_CACHED);
		assert_int_equal(i.index, k);
		free_objects++;
	}
	assert_int_equal(free_objects, st.objects_per_slab - 1);
	i = info_of(slab + (KMEM_PAGE_SIZE << st.order) - 1, false);
	assert_int_equal(i.state, KMEM_OBJ_REST);
	assert_ptr_equal(i.cache, s);
	assert_null(i.start);
	kmem_cache_free(s, obj);
	i = info_of(obj, false);
	assert_int_equal(i.state, KMEM_OBJ_CACHED);
	kmem_cache_shrink(s);
	i = info_of(obj, false);
	assert_int_equal(i.state, KMEM_OBJ_FREE_PAGES);
	kmem_cache_destroy(s);
}

/* Blocks of pages, by any of their bytes; kmem's own tables; nothing. */
static void test_lookup_elsewhere(void **state)
{
	char *large = kmalloc(100000, GFP_KERNEL);
	struct page *page = alloc_pages(GFP_KERNEL, 3);
	char *pages = page_to_virt(page);
	struct kmem_cache *s = kmem_cache_create("own", 64, 0, 0, NULL);
	struct kmem_obj_info i;
	int on_stack;

	(void)state;
	for (unsigned b = 0; b < 131072; b += 4095) {
		i = info_of(large + b, true);
		assert_int_equal(i.state, KMEM_OBJ_LARGE);
		assert_ptr_equal(i.start, large);
		assert_int_equal(i.size, ksize(large));
		assert_int_equal(i.offset, b);
		assert_null(i.cache);
	}
	i = info_of(pages + 5 * KMEM_PAGE_SIZE + 7, true);
	assert_int_equal(i.state, KMEM_OBJ_PAGES);
	assert_ptr_equal(i.start, pages);
	assert_int_equal(i.size, KMEM_PAGE_SIZE * 8);
	__free_pages(page, 3);
	assert_int_equal(info_of(pages, false).state, KMEM_OBJ_FREE_PAGES);
	assert_int_equal(info_of(s, false).state, KMEM_OBJ_INTERNAL);
	assert_null(info_of(s, false).cache);
	assert_int_equal(info_of(NULL, false).state, KMEM_OBJ_UNKNOWN);
	assert_int_equal(info_of(ZERO_SIZE_PTR, false).state,
			 KMEM_OBJ_UNKNOWN);
	assert_int_equal(info_of(&on_stack, false).state, KMEM_OBJ_UNKNOWN);
	assert_int_equal(info_of((void *)UINTPTR_MAX, false).state,
			 KMEM_OBJ_UNKNOWN);
	assert_int_equal(info_of(virt_to_page(large), false).state,
			 KMEM_OBJ_UNKNOWN);
	kfree(large);
	kmem_cache_destroy(s);
}

/* Any page of the machine, and the hole in it, at odd places: an answer. */
static void test_lookup_everywhere(void **state)
{
	char *base = phys_to_virt(0);
	struct kmem_obj_info i;

	(void)state;
	for (size_t at = 0; at < 64 * MIB; at += 1021) {
		kmem_obj_lookup(base + at, &i);
		if (i.start)
			REQUIRE((char *)i.start + i.offset == base + at);
	}
}

/* The same of debugged objects, which lie further apart and have a state of
 * their own: the walk sees them, and the lookup what was asked for. */
static void test_debugged(void **state)
{
	struct kmem_cache *s = kmem_cache_create("debugged", 100, 0,
			SLAB_RED_ZONE | SLAB_POISON | SLAB_STORE_USER, NULL);
	struct kmem_obj_info i;
	void *obj[300];

	(void)state;
	for (unsigned k = 0; k < 300; k++)
		obj[k] = kmem_cache_alloc_node(s, GFP_KERNEL, 0);
	assert_int_equal(walk(s, 0), 300);
	qsort(seen.obj, seen.nr, sizeof(void *), by_address);
	for (unsigned k = 0; k < 300; k++) {
		assert_true(was_seen(obj[k]));
		i = info_of((char *)obj[k] + 99, true);
		assert_ptr_equal(i.start, obj[k]);
		assert_ptr_equal(i.cache, s);
		assert_int_equal(i.size, 100);
		assert_int_equal(i.offset, 99);
		assert_int_equal((uintptr_t)i.slab % KMEM_PAGE_SIZE, 0);
	}
	for (unsigned k = 0; k < 300; k += 2)
		kmem_cache_free(s, obj[k]);
	assert_int_equal(walk(s, 0), 150);
	assert_int_equal(info_of(obj[0], false).state, KMEM_OBJ_FREE);
	for (unsigned k = 1; k < 300; k += 2)
		kfree(obj[k]);
	assert_int_equal(walk(s, 0), 0);
	kmem_cache_destroy(s);
}

/* The line for people: of slabs only, as Linux has it. */
static void test_dump(void **state)
{
	char *obj = kmalloc(100, GFP_KERNEL);
	char *large = kmalloc(50000, GFP_KERNEL);

	(void)state;
	test_log_clear();
	assert_true(kmem_valid_obj(obj + 3));
	assert_true(kmem_dump_obj(obj + 3));
	assert_true(test_logged("kmalloc-112"));
	assert_true(test_logged("offset 3: allocated"));
	kfree(obj);
	assert_true(kmem_dump_obj(obj));
	assert_true(test_logged("free, in a magazine"));
	test_log_clear();
	assert_false(kmem_valid_obj(large));
	assert_false(kmem_dump_obj(large));
	assert_false(kmem_dump_obj(NULL));
	assert_false(kmem_valid_obj(&obj));
	assert_int_equal(test_log_lines(), 0);
	kfree(large);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_walk_finds_what_is_live),
		CASE(test_walk_stops),
		CASE(test_walk_while_others_work),
		CASE(test_lookup_in_slab),
		CASE(test_lookup_elsewhere),
		CASE(test_lookup_everywhere),
		CASE(test_debugged),
		CASE(test_dump),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
