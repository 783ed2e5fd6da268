// SPDX-License-Identifier: MIT
/*
 * tests/unit/cache_args_test.c - the forms of kmem_cache_create().
 */
#include "unit.h"

static const struct kmem_hooks log_hooks = { .log = test_log };

static int setup(void **state)
{
	static const struct test_range map[] = {
		{ 1 * MIB, 33 * MIB, KMEM_REGION_USABLE, KMEM_NO_NODE },
	};
	struct kmem_params p = { .nr_cpus = 2, .hooks = &log_hooks };

	(void)state;
	host_cpu_set(0);
	assert_int_equal(test_machine(map, 1, &p), KMEM_OK);
	test_log_clear();
	test_panics_record();
	return 0;
}

static struct kmem_cache_stats stats(struct kmem_cache *s)
{
	struct kmem_cache_stats st;

	kmem_cache_stats(s, &st);
	return st;
}

static void build(void *obj)
{
	memset(obj, 0x5c, 40);
}

static void check_cache(struct kmem_cache *s, size_t size, size_t align,
			bool built)
{
	unsigned char *obj;

	assert_non_null(s);
	assert_int_equal(kmem_cache_size(s), size);
	assert_int_equal(stats(s).align, align);
	obj = kmem_cache_alloc(s, GFP_KERNEL);
	assert_non_null(obj);
	assert_int_equal((uintptr_t)obj % align, 0);
	if (built)
		for (unsigned i = 0; i < 40; i++)
			assert_int_equal(obj[i], 0x5c);
	kmem_cache_free(s, obj);
	kmem_cache_destroy(s);
	assert_no_panic();
}

/* A macro that picks the wrong function: every kind of third argument that C
 * has for the two forms, and the function by its address. */
static void test_both_forms(void **state)
{
	struct kmem_cache_args args = { .align = 64, .ctor = build };
	const struct kmem_cache_args *constant = &args;
	struct kmem_cache *(*fn)(const char *, size_t, size_t, slab_flags_t,
				 void (*)(void *)) = kmem_cache_create;
	unsigned char small = 32;

	(void)state;
	check_cache(kmem_cache_create("five", 40, 128, 0, build), 40, 128,
		    true);
	check_cache(kmem_cache_create("int", 40, 0, 0, NULL), 40,
		    sizeof(void *), false);
	check_cache(kmem_cache_create("char", 40, small, 0, NULL), 40, 32,
		    false);
	check_cache(kmem_cache_create("size_t", 40, sizeof(long), 0, NULL), 40,
		    sizeof(long), false);
	check_cache(kmem_cache_create("args", 40, &args, 0), 40, 64, true);
	check_cache(kmem_cache_create("constant", 40, constant, 0), 40, 64,
		    true);
	check_cache(kmem_cache_create("null", 40, NULL, 0), 40,
		    sizeof(void *), false);
	check_cache(kmem_cache_create("literal", 40, (&(struct kmem_cache_args)
			{ .align = 16 }), SLAB_PANIC), 40, 16, false);
	check_cache(__kmem_cache_create_args("plain", 40, &args, 0), 40, 64,
		    true);
	check_cache(__kmem_cache_create_args("none", 40, NULL, 0), 40,
		    sizeof(void *), false);
	check_cache(fn("pointer", 40, 8, 0, build), 40, 8, true);
	assert_sound();
}

struct with_user {
	long head[3];
	char user[24];
	long tail;
};

/* The part for user space: at any place in the object, the whole of it
 * included; one byte outside is refused, and so is one that wraps around. */
static void test_usercopy(void **state)
{
	struct kmem_cache_args args = { .useroffset = 8, .usersize = 32 };

	(void)state;
	check_cache(kmem_cache_create("inside", 40, &args, 0), 40,
		    sizeof(void *), false);
	args.usersize = 33;
	assert_null(kmem_cache_create("outside", 40, &args, 0));
	assert_true(test_logged("user space"));
	args.useroffset = 41;
	args.usersize = 0;
	assert_null(kmem_cache_create("outside", 40, &args, 0));
	args.useroffset = 4;
	args.usersize = UINT32_MAX;
	assert_null(kmem_cache_create("outside", 40, &args, 0));
	args.useroffset = 4;		/* no part, but at a place */
	args.usersize = 0;
	assert_null(kmem_cache_create("outside", 40, &args, 0));
	check_cache(kmem_cache_create_usercopy("all", 40, 16, 0, 0, 40, build),
		    40, 16, true);
	assert_null(kmem_cache_create_usercopy("no", 40, 16, 0, SIZE_MAX, 2,
					       NULL));
	assert_null(kmem_cache_create_usercopy("no", 40, 16, 0, 1, SIZE_MAX,
					       NULL));
	assert_null(kmem_cache_create_usercopy("no", 40, (size_t)1 << 31, 0,
					       0, 0, NULL));
	assert_null(kmem_cache_create_usercopy("no", 40, SIZE_MAX, 0, 0, 0,
					       NULL));
	check_cache(KMEM_CACHE_USERCOPY(with_user, 0, user),
		    sizeof(struct with_user), sizeof(void *), false);
	assert_sound();
}

/* The place of a free pointer is checked, and then left alone: objects come
 * back as they were freed. */
static void test_freeptr(void **state)
{
	struct kmem_cache_args args = { .freeptr_offset = 32,
					.use_freeptr_offset = true };
	struct kmem_cache *s = kmem_cache_create("pointer", 40, &args, 0);
	void *obj;

	(void)state;
	assert_non_null(s);
	obj = kmem_cache_alloc(s, GFP_KERNEL);
	test_fill(obj, 40, 3);
	kmem_cache_free(s, obj);
	kmem_cache_shrink(s);
	if (!KMEM_HARDEN)		/* which blanks it */
		assert_null(test_changed(obj, 40, 3));
	kmem_cache_destroy(s);
	args.freeptr_offset = 40;
	assert_null(kmem_cache_create("outside", 40, &args, 0));
	assert_true(test_logged("free pointer"));
	args.freeptr_offset = 33;
	assert_null(kmem_cache_create("crooked", 40, &args, 0));
	args.freeptr_offset = UINT32_MAX - 7;
	assert_null(kmem_cache_create("far", 40, &args, 0));
	args.use_freeptr_offset = false;
	check_cache(kmem_cache_create("unused", 40, &args, 0), 40,
		    sizeof(void *), false);
}

/* sheaf_capacity: that many objects stay with the CPU, more than the bytes of
 * a magazine would allow or less; too many are as many as there can be. */
static void test_sheaf_capacity(void **state)
{
	static const unsigned wanted[] = { 2, 40, 1000000 };
	static void *obj[300];

	(void)state;
	for (unsigned i = 0; i < KMEM_ARRAY_SIZE(wanted); i++) {
		struct kmem_cache_args args = { .sheaf_capacity = wanted[i] };
		struct kmem_cache *s = kmem_cache_create("sheaf", 4096, &args,
							 0);
		unsigned most = wanted[i] < KMEM_MAGAZINE_ROUNDS ? wanted[i] :
						  KMEM_MAGAZINE_ROUNDS;

		assert_non_null(s);
		for (unsigned round = 0; round < 20; round++) {
			assert_int_equal(kmem_cache_alloc_bulk(s, GFP_KERNEL,
							300, obj), 300);
			for (unsigned k = 0; k < 300; k++)
				kmem_cache_free(s, obj[k]);
			assert_sound();
			assert_true(stats(s).layer.in_cpus -
				    stats(s).layer.in_quarantine <= 2 * most);
		}
		assert_true(stats(s).layer.in_cpus >= most);
		kmem_cache_destroy(s);
	}
}

/* Flags: those that Linux has and kmem has no use for are accepted; a bit that
 * nobody knows is refused, whichever it is, and in both forms. */
static void test_flags(void **state)
{
	slab_flags_t all = SLAB_HWCACHE_ALIGN | SLAB_CACHE_DMA |
			   SLAB_CACHE_DMA32 | SLAB_PANIC |
			   SLAB_RECLAIM_ACCOUNT | SLAB_ACCOUNT | SLAB_NO_MERGE |
			   SLAB_TYPESAFE_BY_RCU | SLAB_CONSISTENCY_CHECKS |
			   SLAB_RED_ZONE | SLAB_POISON | SLAB_STORE_USER |
			   SLAB_TRACE | SLAB_TYPE_STABLE;

	(void)state;
	check_cache(kmem_cache_create("tools", 40, 8, SLAB_NOLEAKTRACE |
			SLAB_FAILSLAB | SLAB_DEBUG_OBJECTS | SLAB_KASAN |
			SLAB_NO_USER_FLAGS | SLAB_TEMPORARY | SLAB_ACCOUNT |
			SLAB_NO_MERGE, NULL), 40, 8, false);
	for (unsigned bit = 0; bit < 32; bit++) {
		slab_flags_t flag = (slab_flags_t)1 << bit;

		if (flag & all)
			continue;
		test_log_clear();
		assert_null(kmem_cache_create("bit", 40, 8, flag, NULL));
		assert_true(test_logged("flag"));
		assert_null(kmem_cache_create("bit", 40, NULL, flag));
	}
	assert_null(kmem_cache_create("x", 0, NULL, SLAB_PANIC));
	assert_panicked(NULL, "size", NULL);
	assert_null(kmem_cache_create("x", 8, (&(struct kmem_cache_args)
			{ .usersize = 9 }), SLAB_PANIC));
	assert_panicked(NULL, "user space", NULL);
	assert_sound();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_both_forms),
		CASE(test_usercopy),
		CASE(test_freeptr),
		CASE(test_sheaf_capacity),
		CASE(test_flags),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
