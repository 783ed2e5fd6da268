// SPDX-License-Identifier: MIT
/*
 * tests/unit/cache_test.c - kmem_cache, through the public calls.
 */
#include "cache.h"
#include "unit.h"

#define QUIET	__GFP_NOWARN

static const struct kmem_hooks log_hooks = { .log = test_log };

/* A machine of that size whose log lines are kept. */
static void start(uint64_t bytes, unsigned cpus)
{
	struct test_range map[] = {
		{ 1 * MIB, 1 * MIB + bytes, KMEM_REGION_USABLE, KMEM_NO_NODE },
	};
	struct kmem_params p = { .nr_cpus = cpus, .hooks = &log_hooks };

	assert_int_equal(test_machine(map, 1, &p), KMEM_OK);
	test_log_clear();
}

static int setup(void **state)
{
	(void)state;
	host_cpu_set(0);
	start(64 * MIB, 2);
	test_panics_record();
	return 0;
}

static struct kmem_cache_stats stats(struct kmem_cache *s)
{
	struct kmem_cache_stats st;

	kmem_cache_stats(s, &st);
	return st;
}

/* ----------------------------------------------------------------- objects */

static int by_address(const void *a, const void *b)
{
	uintptr_t x = *(const uintptr_t *)a, y = *(const uintptr_t *)b;

	return (x > y) - (x < y);
}

/* Objects of this cache: distinct, aligned, at least `size` apart, inside of
 * managed memory; each keeps its own contents while its neighbours are
 * written. */
static void check_objects(size_t size, size_t align, unsigned n)
{
	static void *obj[400];
	struct kmem_cache *s = kmem_cache_create("sweep", size, align, 0, NULL);
	size_t at_least = align ? align : sizeof(void *);

	REQUIRE(s && n <= KMEM_ARRAY_SIZE(obj));
	REQUIRE(kmem_cache_size(s) == size);
	for (unsigned i = 0; i < n; i++) {
		obj[i] = kmem_cache_alloc(s, GFP_KERNEL);
		REQUIRE(obj[i]);
		REQUIRE((uintptr_t)obj[i] % at_least == 0);
		REQUIRE(virt_to_page(obj[i]));
		REQUIRE(virt_to_page((char *)obj[i] + size - 1));
		test_fill(obj[i], size, i);
	}
	for (unsigned i = 0; i < n; i++)
		REQUIRE(!test_changed(obj[i], size, i));
	qsort(obj, n, sizeof(*obj), by_address);
	for (unsigned i = 1; i < n; i++)
		REQUIRE((uintptr_t)obj[i] - (uintptr_t)obj[i - 1] >= size);
	for (unsigned i = 0; i < n; i++)
		kmem_cache_free(s, obj[i]);
	kmem_cache_destroy(s);
}

/* Every size from 1 to 8 KiB, with an alignment that changes from size to
 * size. */
static void test_every_size(void **state)
{
	unsigned step = test_scaled(100) < 100 ? 37 : 1;

	(void)state;
	for (size_t size = 1; size <= 8192; size += step) {
		size_t align = size % 14 ? (size_t)1 << size % 13 : 0;
		unsigned n = size < 128 ? 100 : size < 1024 ? 30 : 9;

		check_objects(size, align, n);
	}
	assert_sound();
}

/* Every alignment with sizes around it, up to the largest object. */
static void test_every_align(void **state)
{
	static const size_t sizes[] = {
		1, 7, 8, 9, 63, 64, 65, 4095, 4096, 4097, 12288, 20000,
		KMEM_CACHE_MAX_SIZE - 1, KMEM_CACHE_MAX_SIZE,
	};

	(void)state;
	for (size_t align = 1; align <= KMEM_PAGE_SIZE; align *= 2)
		for (unsigned i = 0; i < KMEM_ARRAY_SIZE(sizes); i++)
			check_objects(sizes[i], align, 12);
	assert_sound();
}

/* SLAB_HWCACHE_ALIGN: two objects never share a line unless they are at most
 * half of one. */
static void test_hwcache_align(void **state)
{
	(void)state;
	for (size_t size = 1; size <= 300; size++) {
		struct kmem_cache *s = kmem_cache_create("lines", size, 0,
					SLAB_HWCACHE_ALIGN, NULL);
		void *obj[20];

		for (unsigned i = 0; i < 20; i++) {
			uintptr_t first, last;

			obj[i] = kmem_cache_alloc(s, GFP_KERNEL);
			assert_non_null(obj[i]);
			first = (uintptr_t)obj[i];
			last = first + size - 1;
			if (size > KMEM_CACHE_LINE / 2)
				assert_int_equal(first % KMEM_CACHE_LINE, 0);
			else
				assert_int_equal(first / KMEM_CACHE_LINE,
						 last / KMEM_CACHE_LINE);
		}
		kmem_cache_free_bulk(s, 20, obj);
		kmem_cache_destroy(s);
	}
}

/* KMEM_CACHE() takes name, size and alignment from the struct. */
struct odd_struct {
	char c[40];
	_Alignas(32) int i;
};

static void test_macro(void **state)
{
	struct kmem_cache *s = KMEM_CACHE(odd_struct, 0);
	void *obj;

	(void)state;
	assert_non_null(s);
	assert_string_equal(kmem_cache_name(s), "odd_struct");
	assert_int_equal(kmem_cache_size(s), sizeof(struct odd_struct));
	obj = kmem_cache_alloc(s, GFP_KERNEL);
	assert_int_equal((uintptr_t)obj % 32, 0);
	kmem_cache_free(s, obj);
	kmem_cache_destroy(s);
}

/* Zeroed although the slot has been used and dirtied before. */
static void test_zalloc(void **state)
{
	struct kmem_cache *s = kmem_cache_create("zero", 200, 0, 0, NULL);
	char *obj;

	(void)state;
	for (unsigned round = 0; round < 100; round++) {
		obj = round % 2 ? kmem_cache_zalloc(s, GFP_KERNEL) :
			kmem_cache_alloc(s, GFP_KERNEL | __GFP_ZERO);
		for (unsigned i = 0; i < 200; i++)
			assert_int_equal(obj[i], 0);
		memset(obj, 0xff, 200);
		kmem_cache_free(s, obj);
	}
	kmem_cache_destroy(s);
}

/* Caches bound to a zone: all their objects are below its end. */
static void test_zone_flags(void **state)
{
	struct kmem_cache *s = kmem_cache_create("dma", 500, 0, SLAB_CACHE_DMA,
						 NULL);
	void *obj[200];

	(void)state;
	assert_non_null(s);
	assert_int_equal(kmem_cache_alloc_bulk(s, GFP_KERNEL, 200, obj), 200);
	for (unsigned i = 0; i < 200; i++)
		assert_true(virt_to_phys(obj[i]) < 16 * MIB);
	kmem_cache_free_bulk(s, 200, obj);
	kmem_cache_destroy(s);
	assert_null(kmem_cache_create("both", 8, 0, SLAB_CACHE_DMA |
				      SLAB_CACHE_DMA32, NULL));
}

/* A zone flag in a request to an ordinary cache: the cache's objects are of
 * the cache's zone. One slab of them in DMA memory would be given to whoever
 * comes next, and DMA memory be gone. */
static void test_zone_flags_of_requests(void **state)
{
	static const gfp_t flags[] = {
		GFP_DMA, GFP_KERNEL | GFP_DMA, GFP_ATOMIC | GFP_DMA32,
		GFP_KERNEL | __GFP_ZERO | GFP_DMA,
	};
	struct kmem_cache *s = kmem_cache_create("ordinary", 1000, 0, 0, NULL);
	struct kmem_cache *d = kmem_cache_create("dma", 1000, 0, SLAB_CACHE_DMA,
						 NULL);
	void *obj[40], *low[40];

	(void)state;
	for (unsigned i = 0; i < 40; i++) {
		obj[i] = kmem_cache_alloc(s, flags[i % 4]);
		assert_non_null(obj[i]);
		assert_true(virt_to_phys(obj[i]) >= 16 * MIB);
		low[i] = kmem_cache_alloc(d, i % 2 ? GFP_DMA32 : GFP_KERNEL);
		assert_non_null(low[i]);
		assert_true(virt_to_phys(low[i]) < 16 * MIB);
	}
	kmem_cache_free_bulk(s, 40, obj);
	kmem_cache_free_bulk(d, 40, low);
	assert_int_equal(kmem_cache_alloc_bulk(s, GFP_DMA, 40, obj), 40);
	for (unsigned i = 0; i < 40; i++)
		assert_true(virt_to_phys(obj[i]) >= 16 * MIB);
	kmem_cache_free_bulk(s, 40, obj);
	kmem_cache_destroy(s);
	kmem_cache_destroy(d);
}

/* ------------------------------------------------------------ constructors */

static unsigned built;

static void build(void *obj)
{
	memset(obj, 0xcc, 96);
	built++;
}

/* Called once an object when its slab is made, and not for each allocation:
 * objects come back as they were freed. */
static void test_ctor(void **state)
{
	struct kmem_cache *s;
	static unsigned char *obj[1000];
	struct kmem_cache_stats st;

	(void)state;
	built = 0;
	s = kmem_cache_create("ctor", 96, 0, 0, build);
	assert_non_null(s);
	assert_int_equal(built, 0);
	for (unsigned round = 0; round < 10; round++) {
		for (unsigned i = 0; i < 1000; i++) {
			obj[i] = kmem_cache_alloc(s, GFP_KERNEL);
			assert_non_null(obj[i]);
			for (unsigned b = 0; b < 96; b++)
				REQUIRE(obj[i][b] == 0xcc);
			memset(obj[i], (int)i, 96);
		}
		st = stats(s);
		assert_int_equal(built, st.slabs_made * st.objects_per_slab);
		for (unsigned i = 0; i < 1000; i++) {
			memset(obj[i], 0xcc, 96);
			kmem_cache_free(s, obj[i]);
		}
	}
	kmem_cache_destroy(s);
}

static struct kmem_cache *inner;

static void build_with_memory(void *obj)
{
	*(void **)obj = kmem_cache_alloc(inner, GFP_NOWAIT | QUIET);
}

/* A constructor may allocate, from another cache: no lock is held. */
static void test_ctor_allocates(void **state)
{
	struct kmem_cache *s;
	void *obj[50];

	(void)state;
	inner = kmem_cache_create("inner", 32, 0, 0, NULL);
	s = kmem_cache_create("outer", 64, 0, 0, build_with_memory);
	for (unsigned i = 0; i < 50; i++) {
		obj[i] = kmem_cache_alloc(s, GFP_KERNEL);
		assert_non_null(*(void **)obj[i]);
	}
	assert_sound();
	assert_true(stats(inner).live >= 50);
	for (unsigned i = 0; i < 50; i++)
		kmem_cache_free(s, obj[i]);
	kmem_cache_destroy(s);
	/* what the constructors took is lost with their objects: as expected
	 * of a caller without destructors */
	kmem_cache_destroy(inner);
	assert_true(test_panics() >= 50);
	test_panics_clear();
}

/* More small objects than a cache has in slabs of one page, however it is
 * checked: each is found, in a large slab too, and nothing lies over another. */
static void many_small_objects(slab_flags_t flags, bool large)
{
	enum { SIZE = 64, N = KMEM_LARGE_SLABS_BYTES / SIZE + 20000 };
	static uint64_t *obj[N];
	struct kmem_cache *s = kmem_cache_create("many", SIZE, 0, flags, NULL);
	struct kmem_obj_info info;

	assert_non_null(s);
	for (unsigned i = 0; i < N; i++) {
		obj[i] = kmem_cache_alloc(s, GFP_KERNEL);
		REQUIRE(obj[i]);
		for (unsigned k = 0; k < SIZE / sizeof(*obj[i]); k++)
			obj[i][k] = i;
	}
	assert_int_equal(virt_to_page(obj[N - 1])->order > stats(s).order,
			 large);
	assert_sound();
	for (unsigned i = 0; i < N; i++) {
		REQUIRE(kmem_obj_lookup((char *)obj[i] + SIZE - 1, &info));
		REQUIRE(info.start == obj[i] && info.cache == s);
		for (unsigned k = 0; k < SIZE / sizeof(*obj[i]); k++)
			REQUIRE(obj[i][k] == i);
	}
	assert_int_equal(test_panics(), 0);
	kmem_cache_free(s, obj[N - 1] + 1);
	assert_int_equal(test_panics(), 1);
	test_panics_clear();
	for (unsigned i = 0; i < N; i++)
		kmem_cache_free(s, obj[i * 7919ul % N]);
	assert_sound();
	test_drain(2);
	assert_int_equal(stats(s).live, 0);
	kmem_cache_destroy(s);
	assert_int_equal(test_panics(), 0);
}

static void test_many_small_objects(void **state)
{
	(void)state;
	many_small_objects(0, !KMEM_HARDEN);
	many_small_objects(SLAB_RECLAIM_ACCOUNT, false);
	many_small_objects(SLAB_STORE_USER, false);
	many_small_objects(SLAB_POISON, false);
	many_small_objects(SLAB_RED_ZONE | SLAB_STORE_USER, false);
}

/* ------------------------------------------------------ create and destroy */

static struct kmem_cache *try_create(const char *name, size_t size,
				     size_t align)
{
	test_log_clear();
	return kmem_cache_create(name, size, align, 0, NULL);
}

/* Names, sizes, alignments that can't be: NULL and a reason in the log. */
static void test_create_refuses(void **state)
{
	static const char *const names[] = {
		"", "with space", "tab\t", "new\nline", "del\x7f", "\xc3\xa4",
		"a-name-of-more-than-forty-seven-characters-is-no-name",
	};

	(void)state;
	for (unsigned i = 0; i < KMEM_ARRAY_SIZE(names); i++) {
		assert_null(try_create(names[i], 8, 0));
		assert_true(test_logged("name"));
	}
	assert_null(try_create(NULL, 8, 0));
	assert_true(test_logged("name"));
	assert_null(try_create("size", 0, 0));
	assert_true(test_logged("size"));
	assert_null(try_create("size", KMEM_CACHE_MAX_SIZE + 1, 0));
	assert_true(test_logged("size"));
	assert_null(try_create("size", SIZE_MAX, 0));
	assert_null(try_create("align", 8, 3));
	assert_true(test_logged("align"));
	assert_null(try_create("align", 8, KMEM_PAGE_SIZE * 2));
	assert_null(try_create("align", 8, SIZE_MAX));
	assert_sound();
}

/* No two caches of one name, not even with a kmalloc cache; a name is free
 * again after destroy, and the caller's string is copied. */
static void test_duplicate_names(void **state)
{
	char name[] = "twice";
	struct kmem_cache *s = try_create(name, 8, 0);

	(void)state;
	assert_non_null(s);
	assert_null(try_create("twice", 16, 0));
	assert_true(test_logged("twice"));
	assert_null(try_create(kmem_cache_name(kmalloc_caches[0][0]), 16, 0));
	name[0] = 'T';
	assert_string_equal(kmem_cache_name(s), "twice");
	kmem_cache_destroy(s);
	s = try_create("twice", 16, 0);
	assert_non_null(s);
	kmem_cache_destroy(s);
	kmem_cache_destroy(NULL);
}

/* SLAB_PANIC: what would have been NULL is a panic. */
static void test_slab_panic(void **state)
{
	(void)state;
	assert_null(kmem_cache_create("no", 0, 0, SLAB_PANIC, NULL));
	assert_panicked(NULL, "no", "size");
	assert_null(kmem_cache_create(NULL, 8, 0, SLAB_PANIC, NULL));
	assert_panicked(NULL, "name", NULL);
}

/* Without memory for the cache's own parts: NULL, nothing leaked. */
static void test_create_without_memory(void **state)
{
	static struct kmem_cache *made[20000];
	size_t before;
	unsigned n = 0;

	(void)state;
	kmem_reset();
	start(2 * MIB, 2);
	test_drain(2);
	before = test_pages();
	for (; n < KMEM_ARRAY_SIZE(made); n++) {
		char name[24];

		snprintf(name, sizeof(name), "cache-%u", n);
		made[n] = kmem_cache_create(name, 64, 0, 0, NULL);
		if (!made[n])
			break;
	}
	assert_true(n > 100 && n < KMEM_ARRAY_SIZE(made));
	assert_true(test_logged("no memory"));
	assert_sound();
	while (n)
		kmem_cache_destroy(made[--n]);
	test_drain(2);
	assert_sound();
	assert_int_equal(test_pages(), before);
}

/* A cache used and emptied gives all of its pages back when destroyed, those
 * that other CPUs have in their magazines included. */
static void test_destroy_returns_everything(void **state)
{
	static void *obj[5000];
	size_t before;

	(void)state;
	test_drain(2);
	before = test_pages();
	for (unsigned round = 0; round < 3; round++) {
		struct kmem_cache *s = kmem_cache_create("brief", 300, 0, 0,
							 NULL);

		for (unsigned i = 0; i < 5000; i++) {
			host_cpu_set(i / 7 % 2);
			obj[i] = kmem_cache_alloc(s, GFP_KERNEL);
			assert_non_null(obj[i]);
		}
		for (unsigned i = 0; i < 5000; i++) {
			host_cpu_set(i / 5 % 2);
			kmem_cache_free(s, obj[i]);
		}
		host_cpu_set(0);
		kmem_cache_destroy(s);
		test_drain(2);
		assert_sound();
		assert_int_equal(test_pages(), before);
	}
}

/* Objects still allocated: each is named, the cache is kept, and they remain
 * usable; after they are freed it can be destroyed. */
static void test_destroy_with_live_objects(void **state)
{
	struct kmem_cache *s = kmem_cache_create("leaky", 128, 0, 0, NULL);
	void *obj[100];

	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		obj[i] = kmem_cache_alloc(s, GFP_KERNEL);
		test_fill(obj[i], 128, i);
	}
	for (unsigned i = 3; i < 100; i++)
		kmem_cache_free(s, obj[i]);
	kmem_cache_destroy(s);
	assert_int_equal(test_panics(), 3);
	for (unsigned i = 0; i < 3; i++) {
		char hex[32];
		bool named = false;

		snprintf(hex, sizeof(hex), "%" PRIxPTR, (uintptr_t)obj[i]);
		for (unsigned p = 0; p < 3; p++)
			named |= strstr(test_panic(p), hex) &&
				 strstr(test_panic(p), "leaky");
		assert_true(named);
	}
	test_panics_clear();
	assert_sound();
	for (unsigned i = 0; i < 3; i++)
		assert_null(test_changed(obj[i], 128, i));
	/* its name is still taken, and it still works */
	assert_null(kmem_cache_create("leaky", 128, 0, 0, NULL));
	obj[3] = kmem_cache_alloc(s, GFP_KERNEL);
	assert_non_null(obj[3]);
	for (unsigned i = 0; i < 4; i++)
		kmem_cache_free(s, obj[i]);
	kmem_cache_destroy(s);
	assert_no_panic();
}

/* -------------------------------------------------------------------- bulk */

/* n objects or none; order and contents are the caller's; 0 is legal. */
static void test_bulk(void **state)
{
	struct kmem_cache *s = kmem_cache_create("bulk", 64, 0, 0, NULL);
	static void *obj[3000];
	static const size_t counts[] = { 1, 2, 61, 62, 63, 500, 3000 };

	(void)state;
	assert_int_equal(kmem_cache_alloc_bulk(s, GFP_KERNEL, 0, obj), 0);
	kmem_cache_free_bulk(s, 0, obj);
	for (unsigned c = 0; c < KMEM_ARRAY_SIZE(counts); c++) {
		size_t n = counts[c];

		assert_int_equal(kmem_cache_alloc_bulk(s, GFP_KERNEL, n, obj),
				 n);
		assert_int_equal(stats(s).live, n);
		for (size_t i = 0; i < n; i++)
			test_fill(obj[i], 64, i);
		for (size_t i = 0; i < n; i++)
			assert_null(test_changed(obj[i], 64, i));
		kmem_cache_free_bulk(s, n, obj);
		assert_int_equal(stats(s).live, 0);
		assert_sound();
	}
	assert_int_equal(kmem_cache_alloc_bulk(s, GFP_KERNEL | __GFP_ZERO, 300,
					       obj), 300);
	for (size_t i = 0; i < 300; i++)
		for (unsigned b = 0; b < 64; b++)
			REQUIRE(((char *)obj[i])[b] == 0);
	kmem_cache_free_bulk(s, 300, obj);
	kmem_cache_destroy(s);
}

/* Memory runs out in the middle: 0 is returned and nothing is kept. */
static void test_bulk_all_or_nothing(void **state)
{
	struct kmem_cache *s = kmem_cache_create("greedy", 4096, 0, 0, NULL);
	static void *obj[40000];
	size_t before;

	(void)state;
	test_drain(2);
	before = test_pages();
	assert_int_equal(kmem_cache_alloc_bulk(s, GFP_NOWAIT | QUIET, 40000,
					       obj), 0);
	assert_int_equal(stats(s).live, 0);
	assert_sound();
	test_drain(2);
	assert_int_equal(stats(s).slabs, 0);
	assert_int_equal(test_pages(), before);
	assert_int_equal(kmem_cache_alloc_bulk(s, GFP_NOWAIT | QUIET, 1000,
					       obj), 1000);
	kmem_cache_free_bulk(s, 1000, obj);
	kmem_cache_destroy(s);
}

/* With s == NULL, objects of several caches, kmalloc's included, and NULL. */
static void test_bulk_mixed(void **state)
{
	struct kmem_cache *a = kmem_cache_create("a", 40, 0, 0, NULL);
	struct kmem_cache *b = kmem_cache_create("b", 400, 0, 0, NULL);
	void *obj[31];

	(void)state;
	for (unsigned i = 0; i < 30; i++)
		obj[i] = i % 3 == 0 ? kmem_cache_alloc(a, GFP_KERNEL) :
			 i % 3 == 1 ? kmem_cache_alloc(b, GFP_KERNEL) :
				      kmalloc(i * 10, GFP_KERNEL);
	obj[30] = NULL;
	kmem_cache_free_bulk(NULL, 31, obj);
	assert_no_panic();
	assert_int_equal(stats(a).live, 0);
	assert_int_equal(stats(b).live, 0);
	assert_sound();
	kmem_cache_destroy(a);
	kmem_cache_destroy(b);
}

/* A bad object in a batch is reported; the others are freed. */
static void test_bulk_misuse(void **state)
{
	struct kmem_cache *s = kmem_cache_create("batch", 64, 0, 0, NULL);
	void *obj[10];

	(void)state;
	assert_int_equal(kmem_cache_alloc_bulk(s, GFP_KERNEL, 9, obj), 9);
	obj[9] = obj[4];
	kmem_cache_free_bulk(s, 10, obj);
	assert_panicked(obj[4], "batch", "double free");
	assert_int_equal(stats(s).live, 0);
	assert_sound();
	kmem_cache_destroy(s);
}

/* What is in no cache: the states of a slab's objects, which lie in a slab of
 * kmem's own that is of no cache, and a cache that was destroyed. Its magazines,
 * which there are none of, are not touched. */
static void test_bulk_of_no_cache(void **state)
{
	struct kmem_cache *s = kmem_cache_create("batch", 16, 0, 0, NULL);
	struct kmem_cache *gone = kmem_cache_create("gone", 64, 0, 0, NULL);
	void *obj[2];

	(void)state;
	obj[0] = kmem_cache_alloc(s, GFP_KERNEL);
	obj[1] = virt_to_page(obj[0])->slot;
	assert_non_null(virt_to_page(obj[1])->slabs);
	kmem_cache_free_bulk(NULL, 1, &obj[1]);
	assert_panicked(obj[1], "kmem_cache_free_bulk", NULL);
	assert_sound();
	kmem_cache_destroy(gone);
	kmem_cache_free_bulk(gone, 1, obj);
	assert_panicked(obj[0], "kmem_cache_free_bulk", NULL);
	assert_sound();
	kmem_cache_free_bulk(NULL, 1, obj);
	assert_int_equal(stats(s).live, 0);
	kmem_cache_destroy(s);
}

/* ------------------------------------------------------------------ shrink */

/* Empty slabs go back to the page allocator: 0 when none is left, 1 while an
 * object holds one. */
static void test_shrink(void **state)
{
	struct kmem_cache *s = kmem_cache_create("shrink", 256, 0, 0, NULL);
	static void *obj[4000];
	void *last;

	(void)state;
	assert_int_equal(kmem_cache_shrink(s), 0);
	assert_int_equal(kmem_cache_alloc_bulk(s, GFP_KERNEL, 4000, obj),
			 4000);
	last = obj[2000];
	obj[2000] = NULL;
	kmem_cache_free_bulk(s, 4000, obj);
	assert_int_equal(kmem_cache_shrink(s), 1);
	assert_int_equal(stats(s).slabs, 1);
	assert_int_equal(stats(s).live, 1);
	assert_sound();
	kmem_cache_free(s, last);
	assert_int_equal(kmem_cache_shrink(s), 0);
	assert_int_equal(stats(s).slabs, 0);
	assert_int_equal(stats(s).slab_bytes, 0);
	last = kmem_cache_alloc(s, GFP_KERNEL);
	assert_non_null(last);
	kmem_cache_free(s, last);
	kmem_cache_destroy(s);
}

/* Without run_on_cpu another CPU's objects stay; it gives them up at its next
 * slow path after being asked. */
static void test_shrink_and_other_cpus(void **state)
{
	struct kmem_cache *s = kmem_cache_create("asked", 64, 0, 0, NULL);
	static void *obj[400];

	(void)state;
	host_cpu_set(1);
	assert_int_equal(kmem_cache_alloc_bulk(s, GFP_KERNEL, 400, obj), 400);
	kmem_cache_free_bulk(s, 400, obj);
	host_cpu_set(0);
	kmem_cache_shrink(s);
	assert_int_equal(stats(s).layer.in_depot, 0);
	assert_sound();
	host_cpu_set(1);
	assert_int_equal(kmem_cache_alloc_bulk(s, GFP_KERNEL, 400, obj), 400);
	kmem_cache_free_bulk(s, 400, obj);
	assert_int_equal(kmem_cache_shrink(s), 0);
	host_cpu_set(0);
	assert_sound();
	kmem_cache_destroy(s);
}

static unsigned ran_on;

/* Stands for an inter-processor interrupt: be that CPU for a moment. */
static void run_on_cpu(void *ctx, unsigned cpu, void (*fn)(void *), void *arg)
{
	(void)ctx;
	ran_on |= 1u << cpu;
	host_cpu_set(cpu);
	fn(arg);
	host_cpu_set(0);
}

/* With it, shrink reaches every CPU. */
static void test_shrink_with_run_on_cpu(void **state)
{
	static const struct kmem_hooks hooks = { .run_on_cpu = run_on_cpu };
	struct kmem_params p = { .nr_cpus = 4, .hooks = &hooks };
	const struct test_range map[] = {
		{ 1 * MIB, 64 * MIB, KMEM_REGION_USABLE, KMEM_NO_NODE },
	};
	struct kmem_cache *s;
	void *obj[100];

	(void)state;
	assert_int_equal(test_machine(map, 1, &p), KMEM_OK);
	s = kmem_cache_create("everywhere", 64, 0, 0, NULL);
	for (unsigned cpu = 0; cpu < 4; cpu++) {
		host_cpu_set(cpu);
		for (unsigned i = 0; i < 100; i++)
			obj[i] = kmem_cache_alloc(s, GFP_KERNEL);
		for (unsigned i = 0; i < 100; i++)
			kmem_cache_free(s, obj[i]);
	}
	host_cpu_set(0);
	ran_on = 0;
	assert_int_equal(kmem_cache_shrink(s), 0);
	assert_int_equal(ran_on, 0xe);
	assert_int_equal(stats(s).layer.in_cpus, 0);
	assert_sound();
	kmem_cache_destroy(s);
}

/*
 * Memory that other CPUs have freed and forgotten: nothing is allocated, but
 * they hold the last objects of every slab in their magazines, and never come
 * here again. A request that may wait must get all of it before it fails; and
 * kmem_cache_shrink() must find nothing left afterwards.
 */
static void test_reclaim_reaches_idle_cpus(void **state)
{
	enum { CPUS = 16, CACHES = 8 };
	static const struct kmem_hooks hooks = { .run_on_cpu = run_on_cpu };
	struct kmem_params p = { .nr_cpus = CPUS, .hooks = &hooks };
	const struct test_range map[] = {
		{ 1 * MIB, 9 * MIB, KMEM_REGION_USABLE, KMEM_NO_NODE },
	};
	static struct page *page[4096];
	struct kmem_cache *s[CACHES];
	size_t n = 0, held = 0;
	struct kmem_zone_stats z;

	(void)state;
	assert_int_equal(test_machine(map, 1, &p), KMEM_OK);
	for (unsigned k = 0; k < CACHES; k++) {
		char name[16];

		snprintf(name, sizeof(name), "idle-%u", k);
		s[k] = kmem_cache_create(name, 4096, 0, 0, NULL);
	}
	for (unsigned cpu = 1; cpu < CPUS; cpu++) {
		host_cpu_set(cpu);
		for (unsigned i = 0; i < CACHES * 6; i++) {
			void *obj[4];

			REQUIRE(kmem_cache_alloc_bulk(s[i % CACHES],
						      GFP_KERNEL, 4, obj) == 4);
			kmem_cache_free_bulk(s[i % CACHES], 4, obj);
		}
		/* and some pages */
		for (unsigned i = 0; i < 8; i++)
			__free_page(alloc_page(GFP_KERNEL));
	}
	host_cpu_set(0);
	for (unsigned k = 0; k < CACHES; k++)
		held += stats(s[k]).layer.in_cpus;
	assert_true(held > 100);
	ran_on = 0;
	while ((page[n] = alloc_page(GFP_KERNEL | QUIET)))
		REQUIRE(++n < KMEM_ARRAY_SIZE(page));
	assert_int_equal(ran_on, 0xfffe);
	for (unsigned k = 0; k < CACHES; k++) {
		assert_int_equal(stats(s[k]).layer.in_cpus, 0);
		assert_int_equal(stats(s[k]).slab_bytes, 0);
		assert_int_equal(kmem_cache_shrink(s[k]), 0);
	}
	drain_pages();
	assert_null(alloc_page(GFP_KERNEL | QUIET));
	assert_true(test_zone("DMA", 0, &z));
	assert_int_equal(z.cached_pages, 0);
	assert_true(z.free_pages <= z.min);
	assert_sound();
	while (n)
		__free_page(page[--n]);
	for (unsigned k = 0; k < CACHES; k++)
		kmem_cache_destroy(s[k]);
}

/* ------------------------------------------------------------------- nodes */

static int node_of_cpu(void *ctx, unsigned cpu)
{
	(void)ctx;
	return (int)cpu;
}

/* Slabs are of the node of the CPU that needs them; objects freed on another
 * node's CPU go back to their own slab, whose node has its own lists. */
static void test_nodes(void **state)
{
	static const struct kmem_hooks hooks = { .cpu_node = node_of_cpu };
	static const struct test_range map[] = {
		{ 16 * MIB, 32 * MIB, KMEM_REGION_USABLE, 0 },
		{ 32 * MIB, 48 * MIB, KMEM_REGION_USABLE, 1 },
		{ 48 * MIB, 64 * MIB, KMEM_REGION_USABLE, 2 },
	};
	struct kmem_params p = { .nr_cpus = 3, .hooks = &hooks };
	static void *obj[3][1000];
	struct kmem_cache *s;

	(void)state;
	assert_int_equal(test_machine(map, 3, &p), KMEM_OK);
	s = kmem_cache_create("nodes", 512, 0, 0, NULL);
	for (unsigned cpu = 0; cpu < 3; cpu++) {
		host_cpu_set(cpu);
		for (unsigned i = 0; i < 1000; i++) {
			obj[cpu][i] = kmem_cache_alloc(s, GFP_KERNEL);
			assert_non_null(obj[cpu][i]);
			/* new slabs, all of them */
			assert_int_equal(virt_to_phys(obj[cpu][i]) /
					 (16 * MIB) - 1, cpu);
		}
	}
	assert_sound();
	for (unsigned i = 0; i < 3000; i++) {
		host_cpu_set((i + 1) % 3);
		kmem_cache_free(s, obj[i % 3][i / 3]);
	}
	assert_sound();
	for (unsigned cpu = 0; cpu < 3; cpu++) {
		host_cpu_set(cpu);
		kmem_cache_shrink(s);
	}
	assert_int_equal(stats(s).slabs, 0);
	host_cpu_set(0);
	assert_sound();
	kmem_cache_destroy(s);
}

/* ------------------------------------------------------------------ misuse */

static struct kmem_cache *victim;
static void *object;

static void start_victim(void)
{
	victim = kmem_cache_create("victim", 100, 0, 0, NULL);
	object = kmem_cache_alloc(victim, GFP_KERNEL);
	test_fill(object, 100, 7);
}

/* The live object is untouched by what was refused; then all is freed. */
static void end_victim(void)
{
	assert_no_panic();
	assert_sound();
	if (object) {
		assert_null(test_changed(object, 100, 7));
		assert_int_equal(stats(victim).live, 1);
		kmem_cache_free(victim, object);
	}
	assert_int_equal(stats(victim).live, 0);
	kmem_cache_destroy(victim);
	assert_no_panic();
}

/* Freed twice: at once, by either call. */
static void test_double_free(void **state)
{
	(void)state;
	start_victim();
	kmem_cache_free(victim, object);
	kmem_cache_free(victim, object);
	assert_panicked(object, "victim", "double free");
	kfree(object);
	assert_panicked(object, "victim", "double free");
	object = NULL;
	end_victim();
}

/* Freed twice after other frees, so that it isn't on top of the magazine; and
 * when it has gone back to its slab. */
static void test_double_free_later(void **state)
{
	void *others[200];

	(void)state;
	start_victim();
	assert_int_equal(kmem_cache_alloc_bulk(victim, GFP_KERNEL, 200, others),
			 200);
	kmem_cache_free(victim, object);
	for (unsigned i = 0; i < 100; i++)
		kmem_cache_free(victim, others[i]);
	kmem_cache_free(victim, object);
	assert_panicked(object, "victim", "double free");
	kmem_cache_shrink(victim);	/* to the slab */
	assert_sound();
	if (virt_to_page(object)->type == PAGE_SLAB) {
		kmem_cache_free(victim, object);
		assert_panicked(object, "victim", "double free");
	}
	for (unsigned i = 100; i < 200; i++)
		kmem_cache_free(victim, others[i]);
	object = NULL;
	end_victim();
}

/* Freed again after a thousand allocations and frees during which it was not
 * reused: still known as free. */
static void test_double_free_much_later(void **state)
{
	static void *held[1000];
	void *freed;
	unsigned n = 0;

	(void)state;
	start_victim();
	freed = kmem_cache_alloc(victim, GFP_KERNEL);
	/* hold an object of the same slab, so that the slab stays */
	kmem_cache_free(victim, freed);
	kmem_cache_shrink(victim);
	while (n < 1000) {
		held[n] = kmem_cache_alloc(victim, GFP_KERNEL);
		assert_non_null(held[n]);
		if (held[n] == freed)
			break;
		n++;
	}
	/* Bring it to the bottom: free it first, then all the others. */
	if (n < 1000)
		kmem_cache_free(victim, held[n]);
	for (unsigned i = 0; i < 1000; i++) {
		void *p = kmalloc(100, GFP_KERNEL);

		kfree(p);
	}
	kmem_cache_free(victim, freed);
	assert_panicked(freed, "victim", "double free");
	while (n)
		kmem_cache_free(victim, held[--n]);
	end_victim();
}

/* Any pointer into an object but its first byte. */
static void test_interior_pointer(void **state)
{
	(void)state;
	start_victim();
	for (unsigned i = 1; i < 100; i++) {
		char *p = (char *)object + i;

		kmem_cache_free(victim, p);
		assert_panicked(p, "victim", "not the start");
		kfree(p);
		assert_panicked(p, "victim", "not the start");
	}
	end_victim();
}

/* The bytes of a slab behind its last object are no object, even at a
 * distance that is a multiple of the size. */
static void test_behind_the_last_object(void **state)
{
	struct kmem_cache *s = kmem_cache_create("rest", 1320, 0, 0, NULL);
	struct kmem_cache_stats st = stats(s);
	char *obj = kmem_cache_alloc(s, GFP_KERNEL), *slab, *rest;

	(void)state;
	slab = (char *)((uintptr_t)obj & ~((KMEM_PAGE_SIZE << st.order) - 1));
	rest = slab + st.objects_per_slab * st.slot_size;
	if (rest < slab + (PAGE << st.order)) {
		kmem_cache_free(s, rest);
		assert_panicked(rest, "rest", NULL);
	}
	kmem_cache_free(s, obj);
	kmem_cache_destroy(s);
	assert_sound();
}

/* The same for objects of every size: each place behind the last object where
 * one more would begin. */
static void test_no_object_too_many(void **state)
{
	unsigned step = test_scaled(100) < 100 ? 104 : 8;

	(void)state;
	for (size_t size = 8; size <= KMEM_CACHE_MAX_SIZE; size += step) {
		struct kmem_cache *s = kmem_cache_create("end", size, 0, 0,
							 NULL);
		struct kmem_cache_stats st = stats(s);
		char *obj = kmem_cache_alloc(s, GFP_KERNEL), *slab, *p;

		slab = (char *)((uintptr_t)obj & ~((KMEM_PAGE_SIZE << st.order) - 1));
		p = slab + st.objects_per_slab * st.slot_size;
		for (; p < slab + (PAGE << st.order); p += st.slot_size) {
			kmem_cache_free(s, p);
			REQUIRE(test_panics() == 1);
			test_panics_clear();
		}
		kmem_cache_free(s, obj);
		kmem_cache_destroy(s);
	}
	assert_sound();
}

/* Pointers that kmem never gave: static, stack, heap, text, wild. */
static void test_foreign_pointer(void **state)
{
	static char in_data[64] = "x";
	char on_stack[64];
	char *heap = malloc(100);
	void *bad[] = {
		in_data, on_stack, heap, (void *)(uintptr_t)test_double_free,
		(void *)64, (void *)UINTPTR_MAX,
		(void *)(UINTPTR_MAX / 2 + 1), phys_to_virt(4 * GIB),
	};

	(void)state;
	start_victim();
	for (unsigned i = 0; i < KMEM_ARRAY_SIZE(bad); i++) {
		kmem_cache_free(victim, bad[i]);
		assert_panicked(bad[i], "kmem_cache_free", "no memory");
		kfree(bad[i]);
		assert_panicked(bad[i], "kfree", "no memory");
	}
	free(heap);
	end_victim();
}

/* An object of another cache: both are named, neither has changed. */
static void test_wrong_cache(void **state)
{
	struct kmem_cache *other = kmem_cache_create("other", 100, 0, 0, NULL);

	(void)state;
	start_victim();
	kmem_cache_free(other, object);
	assert_panicked(object, "victim", "other");
	assert_int_equal(stats(other).live, 0);
	end_victim();
	kmem_cache_destroy(other);
}

/* Memory of another interface: whole pages, large kmalloc, a free page. */
static void test_wrong_interface(void **state)
{
	uintptr_t page = __get_free_page(GFP_KERNEL);
	void *large = kmalloc(100 * KIB, GFP_KERNEL);

	(void)state;
	start_victim();
	kmem_cache_free(victim, (void *)page);
	assert_panicked((void *)page, "kmem_cache_free", "alloc_pages");
	kmem_cache_free(victim, large);
	assert_panicked(large, "kmem_cache_free", "kmalloc");
	free_page(page);
	kmem_cache_free(victim, (void *)page);
	assert_panicked((void *)page, "kmem_cache_free", "free");
	kfree(large);
	kmem_cache_free(victim, large);
	assert_panicked(NULL, "kmem_cache_free", NULL);
	end_victim();
}

/* NULL is nothing to free. */
static void test_free_null(void **state)
{
	void *none[3] = { NULL, NULL, NULL };

	(void)state;
	start_victim();
	kmem_cache_free(victim, NULL);
	kmem_cache_free_bulk(victim, 3, none);
	end_victim();
}

/* Use after free: whatever a user writes into a freed object, kmem's own state
 * is elsewhere. */
static void test_use_after_free_is_harmless(void **state)
{
	static void *obj[500];

	(void)state;
	start_victim();
	assert_int_equal(kmem_cache_alloc_bulk(victim, GFP_KERNEL, 500, obj),
			 500);
	kmem_cache_free_bulk(victim, 500, obj);
	for (unsigned i = 0; i < 500; i++)
		if (virt_to_page(obj[i]))
			memset(obj[i], 0xff, 100);
	assert_sound();
	if (KMEM_HARDEN)		/* so that all of it is met */
		kmem_cache_shrink(victim);
	assert_int_equal(kmem_cache_alloc_bulk(victim, GFP_KERNEL, 500, obj),
			 500);
	assert_sound();
	if (KMEM_HARDEN) {		/* nor unnoticed */
		assert_true(test_panics() > 0);
		assert_non_null(strstr(test_panic(0), "written after free"));
		test_panics_clear();
	}
	kmem_cache_free_bulk(victim, 500, obj);
	end_victim();
}

/* Caches are trimmed in turn, a little with each slab that is made. Whose turn it
 * is may be destroyed, its descriptor's page be anybody's. */
static void test_end_of_whose_turn_it_is(void **state)
{
	struct kmem_cache *s[100], *other;
	static struct page *page[32768];
	static void *obj[4000];
	size_t n = 0;

	(void)state;
	for (unsigned turn = 0; turn < 8; turn++) {
		for (unsigned i = 0; i < 100; i++) {
			char name[16];

			snprintf(name, sizeof(name), "turn-%u", i);
			s[i] = kmem_cache_create(name, 100, 0, SLAB_NO_MERGE,
						 NULL);
			assert_non_null(s[i]);
			kmem_cache_free(s[i], kmem_cache_alloc(s[i],
							       GFP_KERNEL));
		}
		for (unsigned i = 0; i < 100; i++)
			kmem_cache_destroy(s[i]);
		kmem_trim(KMEM_DRAIN);
		kmem_trim(KMEM_DRAIN);
		while ((page[n] = alloc_page(GFP_NOWAIT | QUIET)))
			memset(page_to_virt(page[n++]), 0xee, PAGE);
		while (n)
			__free_page(page[--n]);
		other = kmem_cache_create("other", 2000, 0, 0, NULL);
		assert_int_equal(kmem_cache_alloc_bulk(other, GFP_KERNEL, 4000,
						       obj), 4000);
		kmem_cache_free_bulk(other, 4000, obj);
		kmem_cache_destroy(other);
		assert_sound();
	}
}

/* Figures do not depend on what was there before them. */
static void test_figures_are_whole(void **state)
{
	struct kmem_cache *s = kmem_cache_create("figures", 64, 0, 0, NULL);
	struct kmem_cache_stats a, b;

	(void)state;
	kmem_cache_free(s, kmem_cache_alloc(s, GFP_KERNEL));
	memset(&a, 0, sizeof(a));
	memset(&b, 0xff, sizeof(b));
	kmem_cache_stats(s, &a);
	kmem_cache_stats(s, &b);
	b.node_locks = a.node_locks;	/* looking takes locks */
	b.layer.depot_locks = a.layer.depot_locks;
	assert_memory_equal(&a, &b, sizeof(a));
	kmem_cache_destroy(s);
}

/* A bulk call counts as many as it gave or took, from magazines or not. */
static void test_bulk_is_counted(void **state)
{
	struct kmem_cache *s = kmem_cache_create("bulk", 64, 0, 0, NULL);
	struct kmem_layer_stats before;
	void *obj[100];

	(void)state;
	for (unsigned round = 0; round < 4; round++) {
		before = stats(s).layer;
		assert_int_equal(kmem_cache_alloc_bulk(s, GFP_KERNEL, 100, obj),
				 100);
		assert_int_equal(stats(s).layer.allocs, before.allocs + 100);
		kmem_cache_free_bulk(s, 100, obj);
		assert_int_equal(stats(s).layer.frees, before.frees + 100);
	}
	kmem_cache_destroy(s);
}

/* SLAB_TYPE_STABLE: whatever gives memory back, a page that was once of a slab
 * stays with its cache, all of it, until that is destroyed. */
static void test_type_stable(void **state)
{
	struct kmem_cache *s = kmem_cache_create("stable", 200, 0,
						 SLAB_TYPE_STABLE, NULL);
	struct kmem_cache *other = kmem_cache_create("other", 200, 0, 0, NULL);
	static void *obj[3000], *more[3000];
	size_t pages;

	(void)state;
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < 3000; i++) {
			host_cpu_set(i % 2);
			obj[i] = kmem_cache_alloc(s, GFP_KERNEL);
			assert_non_null(obj[i]);
		}
		pages = stats(s).slabs;
		for (unsigned i = 0; i < 3000; i++)
			kmem_cache_free(s, obj[i]);
		for (unsigned cpu = 0; cpu < 2; cpu++) {
			host_cpu_set(cpu);
			kmem_cache_shrink(s);
			kmem_trim(KMEM_TRIM);
			kmem_trim(KMEM_DRAIN_CPU);
			kmem_trim(KMEM_DRAIN);
		}
		host_cpu_set(0);
		assert_int_equal(stats(s).slabs, pages);
		assert_int_equal(stats(s).slabs, stats(s).empty_slabs);
		for (unsigned i = 0; i < 3000; i++) {
			more[i] = kmem_cache_alloc(other, GFP_KERNEL);
			assert_ptr_not_equal(virt_to_page(more[i])->slabs, s);
		}
		for (unsigned i = 0; i < 3000; i++)
			assert_ptr_equal(virt_to_page(obj[i])->slabs, s);
		kmem_cache_free_bulk(other, 3000, more);
		assert_sound();
	}
	/* an end that is refused changes nothing of that */
	obj[0] = kmem_cache_alloc(s, GFP_KERNEL);
	assert_int_equal(kmem_cache_alloc_bulk(s, GFP_KERNEL, 2999, obj + 1),
			 2999);
	kmem_cache_free_bulk(s, 2999, obj + 1);
	kmem_cache_destroy(s);
	assert_panicked(obj[0], "still allocated", NULL);
	pages = stats(s).slabs;
	kmem_cache_free(s, obj[0]);
	kmem_cache_shrink(s);
	kmem_trim(KMEM_DRAIN);
	assert_true(pages > 0);
	assert_int_equal(stats(s).slabs, pages);
	kmem_cache_destroy(s);
	assert_no_panic();
	for (unsigned i = 0; i < 3000; i++)
		assert_ptr_not_equal(virt_to_page(obj[i])->slabs, s);
	kmem_cache_destroy(other);
	assert_no_panic();
	assert_sound();
}

/* --------------------------------------------------------- CPUs keep apart */

#define APART	10000u

static void *size_at_random(uint64_t *seed)
{
	void *p = kmalloc(16 + test_below(seed, 241), GFP_KERNEL);

	REQUIRE(p);
	return p;
}

/* In random order a CPU replaces objects of many sizes, of its n. */
static void replace(void **obj, unsigned n, uint64_t *seed, unsigned times)
{
	while (times--) {
		void **one = &obj[test_below(seed, n)];

		kfree(*one);
		*one = size_at_random(seed);
	}
}

static int by_page(const void *a, const void *b)
{
	uintptr_t x = *(const uintptr_t *)a / PAGE;
	uintptr_t y = *(const uintptr_t *)b / PAGE;

	return (x > y) - (x < y);
}

/* Objects of `a` that lie in a page with some of `b`, both of APART. */
static unsigned mixed(void **a, void **b)
{
	unsigned n = 0;

	qsort(b, APART, sizeof(*b), by_page);
	for (unsigned i = 0; i < APART; i++)
		n += !!bsearch(&a[i], b, APART, sizeof(*b), by_page);
	return n;
}

/*
 * Two CPUs whose numbers of objects of each size go up and down, while the sum
 * stays as it is: what one has too many of the other lacks, but each line of
 * slots is one CPU's all the same.
 */
static void test_cpus_stay_apart(void **state)
{
	static void *obj[2][APART];
	uint64_t seed = test_seed("apart");

	(void)state;
	for (unsigned i = 0; i < 2 * APART; i++) {
		host_cpu_set(i / 100 % 2);
		obj[i / 100 % 2][i / 200 * 100 + i % 100] =
			size_at_random(&seed);
	}
	/* (400 to 500 if those that have a slab each share the rest of both) */
	assert_true(mixed(obj[0], obj[1]) < APART / 100);
	for (unsigned i = 0; i < test_scaled(1000); i++)
		for (unsigned cpu = 0; cpu < 2; cpu++) {
			host_cpu_set(cpu);
			replace(obj[cpu], APART, &seed, 5000);
		}
	assert_true(mixed(obj[0], obj[1]) < APART / 4);
	for (unsigned i = 0; i < 2 * APART; i++)
		kfree(obj[i / APART][i % APART]);
	host_cpu_set(0);
}

#define LEFT	200u

/* A cache of n objects that CPU 1 has allocated. It frees LEFT of them, more than
 * once, for its depot's bound to follow: some of them are there then. */
static struct kmem_cache *some_left(void **obj, unsigned n)
{
	struct kmem_cache *s = kmem_cache_create("left", 64, 0, SLAB_NO_MERGE,
						 NULL);

	host_cpu_set(1);
	for (unsigned i = 0; i < n - LEFT; i++)
		obj[i] = kmem_cache_alloc(s, GFP_KERNEL);
	for (unsigned wave = 0; wave < 4; wave++) {
		for (unsigned i = n - LEFT; i < n; i++)
			obj[i] = kmem_cache_alloc(s, GFP_KERNEL);
		for (unsigned i = n - LEFT; i < n; i++)
			kmem_cache_free(s, obj[i]);
	}
	host_cpu_set(0);
	return s;
}

/* Pages that a zone has free beyond its low watermark. */
static size_t above_low(const char *zone)
{
	struct kmem_zone_stats z;

	assert_true(test_zone(zone, 0, &z));
	return z.free_pages > z.low ? z.free_pages - z.low : 0;
}

/* What another CPU has left in the depot is left to it while it is little of what
 * the cache has; not when it is much, or when a slab of one's own would be of the
 * last pages. */
static void test_others_objects_are_taken(void **state)
{
	enum { MANY = 8000, FEW = 500, OWN = LEFT, MOST = 65536 };
	static void *obj[MANY], *own[OWN];
	static struct page *page[MOST];
	struct kmem_cache *s;
	size_t left, slabs;
	unsigned n = 0, got;

	(void)state;
	s = some_left(obj, FEW);
	left = stats(s).layer.in_depot;
	assert_in_range(left, FEW / 16, FEW);
	own[0] = kmem_cache_alloc(s, GFP_KERNEL);
	assert_true(stats(s).layer.in_depot < left);
	kmem_cache_free(s, own[0]);
	kmem_cache_free_bulk(s, FEW - LEFT, obj);
	kmem_cache_destroy(s);

	s = some_left(obj, MANY);
	left = stats(s).layer.in_depot;
	slabs = stats(s).slabs;
	assert_in_range(left, 1, MANY / 16 - 1);
	own[0] = kmem_cache_alloc(s, GFP_KERNEL);
	assert_int_equal(stats(s).layer.in_depot, left);
	assert_int_equal(stats(s).slabs, slabs + 1);
	kmem_cache_free(s, own[0]);
	/* they are not if the zone that is used first has few, but another many */
	while (above_low("DMA32") && (page[n] = alloc_page(GFP_KERNEL)))
		REQUIRE(++n < MOST);
	assert_true(slabs_may_grow(&s->slabs));
	/* pages are few: not one is used */
	while ((page[n] = alloc_page(GFP_NOWAIT | QUIET)))
		REQUIRE(++n < MOST);
	assert_false(slabs_may_grow(&s->slabs));
	for (got = 0; stats(s).layer.in_depot; got++) {
		assert_true(got < OWN);
		own[got] = kmem_cache_alloc(s, GFP_ATOMIC);
		assert_non_null(own[got]);
		assert_int_equal(stats(s).slabs, slabs + 1);
	}
	while (n)
		__free_page(page[--n]);
	kmem_cache_free_bulk(s, got, own);
	kmem_cache_free_bulk(s, MANY - LEFT, obj);
	kmem_cache_destroy(s);
}

/* ----------------------------------------------------------------- figures */

/* The figures of a cache agree with what was done, at every step. */
static void test_stats(void **state)
{
	struct kmem_cache *s = kmem_cache_create("figures", 100, 32, 0, NULL);
	static void *obj[500];
	struct kmem_cache_stats st = stats(s);

	(void)state;
	assert_string_equal(st.name, "figures");
	assert_int_equal(st.object_size, 100);
	assert_int_equal(st.slot_size, 128);
	assert_int_equal(st.align, 32);
	assert_int_equal(st.live, 0);
	for (unsigned i = 0; i < 500; i++) {
		obj[i] = kmem_cache_alloc(s, GFP_KERNEL);
		st = stats(s);
		REQUIRE(st.live == i + 1);
		REQUIRE(st.layer.allocs == i + 1u);
		REQUIRE(st.slabs * st.objects_per_slab ==
			st.live + st.free_in_slabs + st.layer.in_cpus +
			st.layer.in_depot);
		REQUIRE(st.slab_bytes == st.slabs * (PAGE << st.order));
		REQUIRE(st.slabs == st.slabs_made - st.slabs_freed);
	}
	for (unsigned i = 0; i < 500; i++) {
		kmem_cache_free(s, obj[i]);
		st = stats(s);
		REQUIRE(st.live == 499 - i);
		REQUIRE(st.layer.frees == i + 1u);
	}
	kmem_cache_destroy(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_every_size),
		CASE(test_every_align),
		CASE(test_hwcache_align),
		CASE(test_macro),
		CASE(test_zalloc),
		CASE(test_zone_flags),
		CASE(test_zone_flags_of_requests),
		CASE(test_ctor),
		CASE(test_many_small_objects),
		CASE(test_ctor_allocates),
		CASE(test_create_refuses),
		CASE(test_duplicate_names),
		CASE(test_slab_panic),
		CASE(test_create_without_memory),
		CASE(test_destroy_returns_everything),
		CASE(test_destroy_with_live_objects),
		CASE(test_bulk),
		CASE(test_bulk_all_or_nothing),
		CASE(test_bulk_mixed),
		CASE(test_bulk_misuse),
		CASE(test_bulk_of_no_cache),
		CASE(test_shrink),
		CASE(test_shrink_and_other_cpus),
		CASE(test_shrink_with_run_on_cpu),
		CASE(test_reclaim_reaches_idle_cpus),
		CASE(test_nodes),
		CASE(test_double_free),
		CASE(test_double_free_later),
		CASE(test_double_free_much_later),
		CASE(test_interior_pointer),
		CASE(test_behind_the_last_object),
		CASE(test_no_object_too_many),
		CASE(test_foreign_pointer),
		CASE(test_wrong_cache),
		CASE(test_wrong_interface),
		CASE(test_free_null),
		CASE(test_use_after_free_is_harmless),
		CASE(test_end_of_whose_turn_it_is),
		CASE(test_figures_are_whole),
		CASE(test_bulk_is_counted),
		CASE(test_type_stable),
		CASE(test_cpus_stay_apart),
		CASE(test_others_objects_are_taken),
		CASE(test_stats),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
