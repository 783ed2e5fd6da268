// SPDX-License-Identifier: MIT
/*
 * tests/unit/cache_merge_test.c - caches that share one.
 */
#include "unit.h"

static const struct kmem_hooks log_hooks = { .log = test_log };

static void start(bool merge)
{
	static const struct test_range map[] = {
		{ 1 * MIB, 33 * MIB, KMEM_REGION_USABLE, KMEM_NO_NODE },
	};
	struct kmem_params p = { .nr_cpus = 2, .hooks = &log_hooks,
				 .merge_caches = merge };

	host_cpu_set(0);
	assert_int_equal(test_machine(map, 1, &p), KMEM_OK);
	test_log_clear();
	test_panics_record();
}

static int setup(void **state)
{
	(void)state;
	start(true);
	return 0;
}

static struct kmem_cache *make(const char *name, size_t size, size_t align,
			       slab_flags_t flags)
{
	return kmem_cache_create(name, size, align, flags, NULL);
}

/* Whether a cache of the second kind comes to share one of the first. */
static bool shares(size_t size, size_t align, slab_flags_t flags,
		   size_t size2, size_t align2, slab_flags_t flags2)
{
	struct kmem_cache *a = make("first", size, align, flags);
	struct kmem_cache *b = make("second", size2, align2, flags2);
	bool same = a == b;

	assert_non_null(a);
	assert_non_null(b);
	kmem_cache_destroy(b);
	kmem_cache_destroy(a);
	assert_no_panic();
	assert_sound();
	return same;
}

struct names {
	char text[200];
};

static bool add_name(const char *name, struct kmem_cache *s, void *arg)
{
	struct names *n = arg;

	strcat(n->text, name);
	strcat(n->text, "=");
	strcat(n->text, kmem_cache_name(s));
	strcat(n->text, " ");
	return true;
}

static bool stop_at_once(const char *name, struct kmem_cache *s, void *arg)
{
	(void)name;
	(void)s;
	++*(unsigned *)arg;
	return false;
}

static void assert_aliases(const char *expected)
{
	struct names n = { "" };

	kmem_for_each_alias(add_name, &n);
	assert_string_equal(n.text, expected);
}

/* Off unless asked for: what could share in every respect does not, and an
 * object of the one freed to the other is found. */
static void test_off_by_default(void **state)
{
	struct kmem_cache *a, *b;
	void *obj;

	(void)state;
	start(false);
	a = make("a", 64, 0, 0);
	b = make("b", 64, 0, 0);
	assert_ptr_not_equal(a, b);
	obj = kmem_cache_alloc(a, GFP_KERNEL);
	kmem_cache_free(b, obj);
	assert_panicked(obj, "a", "b");
	kmem_cache_free(a, obj);
	assert_aliases("");
	kmem_cache_destroy(a);
	kmem_cache_destroy(b);
}

/* Each rule by a pair that keeps all the others. */
static void test_rules(void **state)
{
	static const slab_flags_t same[] = {
		SLAB_CACHE_DMA, SLAB_CACHE_DMA32, SLAB_RECLAIM_ACCOUNT,
		SLAB_ACCOUNT,
	};

	(void)state;
	assert_true(shares(64, 0, 0, 64, 0, 0));
	/* sizes: of the same number of pointers */
	assert_true(shares(64, 0, 0, 64 - sizeof(void *) + 1, 0, 0));
	assert_false(shares(64, 0, 0, 64 - sizeof(void *), 0, 0));
	assert_false(shares(64, 0, 0, 65, 0, 0));
	/* where there are guards, objects don't grow over them */
	assert_int_equal(shares(64 - sizeof(void *) + 1, 0, 0, 64, 0, 0),
			 !KMEM_HARDEN);
	assert_false(shares(48, 0, 0, 17, 0, 0));
	/* alignment: the older's slots must be at multiples of the newer's */
	assert_int_equal(shares(96, 0, 0, 96, 32, 0), !KMEM_HARDEN);
	assert_false(shares(96, 0, 0, 96, 64, 0));
	assert_int_equal(shares(128, 0, 0, 100, 64, 0), !KMEM_HARDEN);
	assert_int_equal(shares(192, 0, 0, 150, 64, SLAB_HWCACHE_ALIGN),
			 !KMEM_HARDEN);
	assert_false(shares(160, 0, 0, 150, 0, SLAB_HWCACHE_ALIGN));
	/* flags */
	for (unsigned i = 0; i < KMEM_ARRAY_SIZE(same); i++) {
		assert_true(shares(64, 0, same[i], 64, 0, same[i]));
		assert_false(shares(64, 0, same[i], 64, 0, 0));
		assert_false(shares(64, 0, 0, 64, 0, same[i]));
	}
	assert_false(shares(64, 0, SLAB_NO_MERGE, 64, 0, 0));
	assert_false(shares(64, 0, 0, 64, 0, SLAB_NO_MERGE));
	assert_true(shares(64, 0, SLAB_PANIC, 64, 0, 0));
}

static void nothing(void *obj)
{
	(void)obj;
}

/* A constructor, a part for user space, a capacity: alone, on either side. */
static void test_alone(void **state)
{
	struct kmem_cache_args user = { .usersize = 8 };
	struct kmem_cache_args sheaf = { .sheaf_capacity = 8 };
	struct kmem_cache *s[8];

	(void)state;
	s[0] = kmem_cache_create("ctor", 64, 0, 0, nothing);
	s[1] = kmem_cache_create("user", 64, &user, 0);
	s[2] = kmem_cache_create("sheaf", 64, &sheaf, 0);
	s[3] = make("plain", 64, 0, 0);
	s[4] = kmem_cache_create("ctor-2", 64, 0, 0, nothing);
	s[5] = kmem_cache_create("user-2", 64, &user, 0);
	for (unsigned i = 0; i < 6; i++)
		for (unsigned k = 0; k < i; k++)
			assert_ptr_not_equal(s[i], s[k]);
	/* nor with one that has a bound, nor one that is debugged */
	kmem_cache_set_max(s[3], 1000);
	s[6] = make("bound", 64, 0, 0);
	assert_ptr_not_equal(s[6], s[3]);
	kmem_cache_destroy(s[6]);
	s[6] = make("debugged", 64, 0, SLAB_POISON);
	s[7] = make("plain-2", 64, 0, 0);
	assert_ptr_not_equal(s[7], s[6]);
	kmem_cache_destroy(s[7]);
	kmem_cache_destroy(s[6]);
	/* nor with kmalloc()'s: its figures are of kmalloc() */
	for (unsigned i = 0; i < KMALLOC_NR_CLASSES; i++)
		assert_ptr_not_equal(s[3], kmalloc_caches[0][i]);
	for (unsigned i = 0; i < 6; i++)
		kmem_cache_destroy(s[i]);
	assert_aliases("");
}

/* Objects of one and of the other: each has the room it asked for, although
 * the cache was made for less, and __GFP_ZERO reaches to the end of it. */
static void test_objects(void **state)
{
	/* with the padding to a pointer's alignment, as large as b's */
	unsigned less = KMEM_HARDEN ? 64 : 64 - sizeof(void *) + 1;
	struct kmem_cache *a = make("a", less, 0, 0);
	struct kmem_cache *b;
	char *obj[100];

	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		obj[i] = kmem_cache_alloc(a, GFP_KERNEL);
		memset(obj[i], 0xff, 64);
	}
	for (unsigned i = 0; i < 100; i++)
		kmem_cache_free(a, obj[i]);
	assert_int_equal(kmem_cache_size(a), less);
	b = make("b", 64, 0, 0);
	assert_ptr_equal(a, b);
	assert_int_equal(kmem_cache_size(b), 64);
	for (unsigned i = 0; i < 100; i++) {
		obj[i] = kmem_cache_zalloc(b, GFP_KERNEL);
		for (unsigned k = 0; k < 64; k++)
			assert_int_equal(obj[i][k], 0);
		assert_int_equal(ksize(obj[i]), 64);
		test_fill(obj[i], 64, i);
	}
	for (unsigned i = 0; i < 100; i++) {
		assert_null(test_changed(obj[i], 64, i));
		kmem_cache_free(i % 2 ? a : b, obj[i]);
	}
	kmem_cache_destroy(a);
	kmem_cache_destroy(b);
}

/* A smaller one comes to share: the older's objects stay as large as they were,
 * and are zeroed to their end. */
static void test_smaller_comes_later(void **state)
{
	struct kmem_cache *a = make("a", 64, 0, 0);
	struct kmem_cache *b = make("b", 64 - sizeof(void *) + 1, 0, 0);
	unsigned char *obj;

	(void)state;
	assert_ptr_equal(a, b);
	assert_int_equal(kmem_cache_size(a), 64);
	obj = kmem_cache_alloc(a, GFP_KERNEL);
	assert_int_equal(ksize(obj), 64);
	memset(obj, 0xff, 64);
	kmem_cache_free(a, obj);
	obj = kmem_cache_zalloc(a, GFP_KERNEL);
	for (unsigned k = 0; k < 64; k++)
		assert_int_equal(obj[k], 0);
	kmem_cache_free(a, obj);
	kmem_cache_destroy(b);
	kmem_cache_destroy(a);
}

/* The last destroy ends it, and not one before: objects that the other has
 * are neither reported nor lost; at the end they are. */
static void test_destroy(void **state)
{
	struct kmem_cache *a, *b, *c;
	size_t before;
	void *obj;

	(void)state;
	make("warm", 64, 0, 0);
	kmem_cache_destroy(make("warm-2", 64, 0, 0));
	test_drain(2);
	before = test_pages();
	a = make("a", 200, 0, 0);
	b = make("b", 200, 0, 0);
	c = make("c", 200, 0, 0);
	assert_true(a == b && b == c);
	assert_aliases("warm-2=warm b=a c=a ");
	obj = kmem_cache_alloc(b, GFP_KERNEL);
	kmem_cache_destroy(a);
	kmem_cache_destroy(c);
	assert_no_panic();
	assert_sound();
	test_fill(obj, 200, 1);
	kmem_cache_shrink(b);
	assert_null(test_changed(obj, 200, 1));
	kmem_cache_destroy(b);
	assert_panicked(obj, "still allocated", NULL);
	kmem_cache_free(b, obj);
	kmem_cache_destroy(b);
	assert_no_panic();
	assert_aliases("warm-2=warm ");
	a = make("a", 200, 0, 0);
	assert_string_equal(kmem_cache_name(a), "a");
	kmem_cache_destroy(a);
	test_drain(2);
	assert_int_equal(test_pages(), before);
}

/* Names: one that is in use is refused, whether it is a cache's or an alias's;
 * after one of the users has gone, any of them may come again, as part of this
 * cache or as another. */
static void test_names(void **state)
{
	struct kmem_cache *a = make("a", 64, 0, 0);
	struct kmem_cache *b = make("b", 64, 0, 0);
	struct kmem_cache *other;

	(void)state;
	assert_ptr_equal(a, b);
	assert_null(make("a", 64, 0, 0));
	assert_null(make("b", 64, 0, 0));
	assert_null(make("b", 500, 0, 0));
	assert_null(make("b", 64, 0, SLAB_NO_MERGE));
	assert_true(test_logged("of that name"));
	assert_aliases("b=a ");
	for (unsigned i = 0; i < 5; i++) {
		kmem_cache_destroy(a);
		assert_ptr_equal(make(i % 2 ? "a" : "b", 64, 0, 0), a);
		assert_null(make("a", 64, 0, 0));
		assert_null(make("b", 64, 0, 0));
		assert_aliases("b=a ");
	}
	kmem_cache_destroy(a);
	other = make("b", 500, 0, 0);	/* larger this time */
	assert_non_null(other);
	assert_ptr_not_equal(other, a);
	kmem_cache_destroy(other);
	kmem_cache_destroy(a);
	assert_aliases("");
	assert_no_panic();
	a = make("b", 64, 0, 0);
	assert_string_equal(kmem_cache_name(a), "b");
	kmem_cache_destroy(a);
}

static struct names lines;

static void keep_line(void *ctx, const char *line)
{
	(void)ctx;
	if (strstr(line, "shares"))
		strcat(lines.text, line);
}

/* Whoever reads the report finds the names that have no cache of their own. */
static void test_report(void **state)
{
	struct kmem_cache *a = make("sessions", 72, 0, 0);
	unsigned calls = 0;

	(void)state;
	assert_ptr_equal(make("requests", 72, 0, 0), a);
	assert_ptr_equal(make("replies", 72, 0, 0), a);
	lines.text[0] = '\0';
	kmem_report_caches(keep_line, NULL);
	assert_non_null(strstr(lines.text, "requests"));
	assert_non_null(strstr(lines.text, "replies"));
	assert_non_null(strstr(lines.text, "shares sessions"));
	kmem_for_each_alias(stop_at_once, &calls);
	assert_int_equal(calls, 1);
	for (unsigned i = 0; i < 3; i++)
		kmem_cache_destroy(a);
}

/* CPUs that create and destroy caches of one size at once: each has a cache
 * that works as long as it has not destroyed it. */
static void churn(unsigned cpu, void *arg)
{
	unsigned rounds = test_scaled(300);

	(void)arg;
	for (unsigned i = 0; i < rounds; i++) {
		struct kmem_cache *s;
		char name[20];
		void *obj[5];

		snprintf(name, sizeof(name), "cpu-%u", cpu);
		s = make(name, 300, 0, 0);
		REQUIRE(s);
		REQUIRE(kmem_cache_alloc_bulk(s, GFP_KERNEL, 5, obj) == 5);
		for (unsigned k = 0; k < 5; k++)
			test_fill(obj[k], 300, cpu * 5 + k);
		for (unsigned k = 0; k < 5; k++) {
			REQUIRE(!test_changed(obj[k], 300, cpu * 5 + k));
			kmem_cache_free(s, obj[k]);
		}
		kmem_cache_destroy(s);
	}
}

static void test_at_once(void **state)
{
	(void)state;
	host_run_cpus(2, churn, NULL);
	assert_aliases("");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_off_by_default),
		CASE(test_rules),
		CASE(test_alone),
		CASE(test_objects),
		CASE(test_smaller_comes_later),
		CASE(test_destroy),
		CASE(test_names),
		CASE(test_report),
		CASE(test_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
