/* SPDX-License-Identifier: MIT */
/*
 * tests/boot/test_cache.c - kmem_cache_create() to kmem_cache_destroy().
 */
#include "boot.h"

#define NR_OBJECTS	BY_MEMORY(1000u, 8u)
#define MAGIC		0x6b6d656du

struct session {
	uint32_t magic;			/* as constructed */
	uint32_t users;			/* 0 whenever free */
	char name[BY_MEMORY(192, 56)];
};

static void *object[NR_OBJECTS];
static unsigned constructed;

static void construct(void *p)
{
	struct session *s = p;

	s->magic = MAGIC;
	s->users = 0;
	constructed++;
}

/* Taken in the constructed state, used, and left so again. */
static void use_objects(struct kmem_cache *cache)
{
	for (unsigned i = 0; i < NR_OBJECTS; i++) {
		struct session *s = kmem_cache_alloc(cache, GFP_KERNEL);

		CHECK(s);
		CHECK(((uintptr_t)s & 63) == 0);
		CHECK(s->magic == MAGIC && s->users == 0);
		s->users = i + 1;
		pattern_fill(s->name, sizeof(s->name), i);
		object[i] = s;
	}
	for (unsigned i = 0; i < NR_OBJECTS; i++) {
		struct session *s = object[i];

		CHECK(s->users == i + 1);
		CHECK(pattern_holds(s->name, sizeof(s->name), i));
		s->users = 0;
		if (i & 1)
			kmem_cache_free(cache, s);
		else
			kfree(s);
	}
}

/* Each line that this logs says why a cache is refused. */
static void check_refusals(void)
{
	print("expected: refusals of bad caches\n");
	CHECK(!kmem_cache_create("session", 8, 0, 0, NULL));
	CHECK(!kmem_cache_create("", 8, 0, 0, NULL));
	CHECK(!kmem_cache_create("two words", 8, 0, 0, NULL));
	CHECK(!kmem_cache_create("empty", 0, 0, 0, NULL));
	CHECK(!kmem_cache_create("huge", KMEM_CACHE_MAX_SIZE + 1, 0, 0, NULL));
	CHECK(!kmem_cache_create("crooked", 8, 24, 0, NULL));
}

void test_cache(void)
{
	struct kmem_cache *cache = kmem_cache_create(
		"session", sizeof(struct session), 64, 0, construct);
	struct kmem_cache_stats st;
	unsigned first_round;

	CHECK(cache);
	CHECK(kmem_cache_size(cache) == sizeof(struct session));
	CHECK(memcmp(kmem_cache_name(cache), "session", 8) == 0);
	constructed = 0;
	use_objects(cache);
	first_round = constructed;
	CHECK(first_round >= NR_OBJECTS);

	/* A slab's objects are constructed with the slab, not again. */
	use_objects(cache);
	kmem_cache_stats(cache, &st);
	CHECK(constructed == (unsigned)st.slabs_made * st.objects_per_slab);
	CHECK(st.live == 0);
	check_refusals();
	CHECK(kmem_cache_shrink(cache) == 0);
	kmem_cache_destroy(cache);
	kmem_cache_destroy(NULL);
}

static int compare_pointers(const void *a, const void *b)
{
	return a < b ? -1 : a > b;
}

/* Shell's sort: enough to find a pointer given twice. */
static void sort(void **p, size_t n)
{
	for (size_t gap = n / 2; gap; gap /= 2)
		for (size_t i = gap; i < n; i++)
			for (size_t j = i; j >= gap &&
			     compare_pointers(p[j], p[j - gap]) < 0; j -= gap) {
				void *q = p[j];

				p[j] = p[j - gap];
				p[j - gap] = q;
			}
}

static bool count_object(void *obj, void *arg)
{
	CHECK(*(uint8_t *)obj == 0x77);
	++*(size_t *)arg;
	return true;
}

/* A walk sees what is allocated, and an address says where it lies. */
void test_cache_walk(void)
{
	struct kmem_cache_args args = { .align = 32 };
	struct kmem_cache *cache = kmem_cache_create("walk", 40, &args, 0);
	struct kmem_obj_info info;
	size_t seen = 0;

	CHECK(cache);
	for (size_t i = 0; i < NR_OBJECTS; i++) {
		object[i] = kmem_cache_alloc(cache, GFP_KERNEL);
		CHECK(object[i] && (uintptr_t)object[i] % 32 == 0);
		memset(object[i], 0x77, 40);
	}
	CHECK(kmem_cache_walk(cache, count_object, &seen));
	CHECK(seen == NR_OBJECTS);
	CHECK(kmem_obj_lookup((char *)object[3] + 5, &info));
	CHECK(info.cache == cache && info.start == object[3]);
	CHECK(info.offset == 5 && info.state == KMEM_OBJ_LIVE);
	kfree_bulk(NR_OBJECTS, object);
	CHECK(!kmem_obj_lookup(object[3], &info));
	seen = 0;
	CHECK(kmem_cache_walk(cache, count_object, &seen) && seen == 0);
	kmem_cache_destroy(cache);
}

void test_cache_bulk(void)
{
	struct kmem_cache *cache = kmem_cache_create("bulk", 88, 0, 0, NULL);
	size_t n = NR_OBJECTS;

	CHECK(cache);
	CHECK(kmem_cache_alloc_bulk(cache, GFP_KERNEL, 0, object) == 0);
	CHECK(kmem_cache_alloc_bulk(cache, GFP_KERNEL | __GFP_ZERO, n,
				    object) == n);
	sort(object, n);
	for (size_t i = 0; i < n; i++) {
		CHECK(i == 0 ||
		      (char *)object[i] >= (char *)object[i - 1] + 88);
		CHECK(is_zero(object[i], 88));
		memset(object[i], 0xff, 88);
	}
	kmem_cache_free_bulk(cache, n / 2, object);
	kmem_cache_free_bulk(NULL, n - n / 2, object + n / 2);

	object[0] = kmem_cache_zalloc(cache, GFP_KERNEL);
	CHECK(object[0] && is_zero(object[0], 88));
	kmem_cache_free(cache, object[0]);
	kmem_cache_free(cache, NULL);
	kmem_cache_destroy(cache);
}
