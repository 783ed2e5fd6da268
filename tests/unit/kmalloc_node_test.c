// SPDX-License-Identifier: MIT
/*
 * tests/unit/kmalloc_node_test.c - aligned memory by the byte. (Nodes:
 * cache_node_test.c.)
 */
#include "unit.h"

#define QUIET	__GFP_NOWARN

static int setup(void **state)
{
	(void)state;
	host_machine(96 * MIB, 2);
	test_panics_record();
	return 0;
}

static size_t next_multiple(size_t size, size_t align)
{
	return (size + align - 1) / align * align;
}

static bool aligned(const void *p, size_t align)
{
	return p && (uintptr_t)p % align == 0;
}

/* Every alignment with every small size and many a large one: aligned, large
 * enough, and not larger than the next multiple of the alignment needs. Several
 * at once, so that it is not the first object of a slab each time. */
static void test_every_alignment(void **state)
{
	unsigned step = test_step();
	char *p[3];

	(void)state;
	for (size_t align = 1; align <= KMALLOC_MAX_SIZE; align *= 2)
		for (size_t size = 1; size <= 2 * MIB;
		     size += size < 2100 ? step : size / 5) {
			size_t room = next_multiple(size, align);

			if (room > KMALLOC_MAX_SIZE)
				break;
			for (unsigned i = 0; i < 3; i++) {
				p[i] = kmalloc_aligned(size, align, GFP_KERNEL);
				REQUIRE(aligned(p[i], align));
				REQUIRE(ksize(p[i]) >= size);
				REQUIRE(ksize(p[i]) <=
					kmalloc_size_roundup(room));
				p[i][0] = p[i][size - 1] = (char)i;
			}
			for (unsigned i = 0; i < 3; i++) {
				REQUIRE(p[i][size - 1] == (char)i);
				kfree(p[i]);
			}
		}
	assert_sound();
}

/* Every type of kmalloc() keeps the promise. */
static void test_types(void **state)
{
	static const gfp_t flags[] = {
		GFP_DMA, GFP_DMA32, __GFP_RECLAIMABLE, __GFP_ZERO,
	};

	(void)state;
	for (unsigned i = 0; i < KMEM_ARRAY_SIZE(flags); i++)
		for (size_t align = 8; align <= 65536; align *= 2)
			for (size_t size = 1; size < 5000; size += size / 2 + 1) {
				void *p = kmalloc_aligned(size, align,
						GFP_KERNEL | flags[i]);

				REQUIRE(aligned(p, align));
				kfree(p);
			}
	assert_sound();
}

/* Nonsense: reported, or NULL; sizes that wrap around when they are rounded. */
static void test_nonsense(void **state)
{
	static const size_t wrong[] = { 0, 3, 24, 4095, SIZE_MAX };
	volatile size_t most = SIZE_MAX, zero = 0;
	char *p = kmalloc(100, GFP_KERNEL);

	(void)state;
	for (unsigned i = 0; i < KMEM_ARRAY_SIZE(wrong); i++) {
		assert_null(kmalloc_aligned(10, wrong[i], GFP_KERNEL));
		assert_panicked(NULL, "kmalloc_aligned", "power of two");
		assert_null(krealloc_aligned(p, 10, wrong[i], GFP_KERNEL));
		assert_panicked(NULL, "krealloc", "power of two");
	}
	assert_null(kmalloc_aligned(10, KMALLOC_MAX_SIZE * 2,
				    GFP_KERNEL | QUIET));
	assert_null(kmalloc_aligned(10, ~(most >> 1), GFP_KERNEL | QUIET));
	assert_null(kmalloc_aligned(KMALLOC_MAX_SIZE + 1, 8,
				    GFP_KERNEL | QUIET));
	for (size_t d = 0; d < 20000; d++)
		for (size_t align = 1; align <= KMALLOC_MAX_SIZE; align *= 16) {
			REQUIRE(!kmalloc_aligned(most - d, align,
						 GFP_KERNEL | QUIET));
			REQUIRE(!krealloc_aligned(p, most - d, align,
						  GFP_KERNEL | QUIET));
		}
	assert_int_equal(ksize(p), test_ksize(100));
	assert_ptr_equal(kmalloc_aligned(zero, 64, GFP_KERNEL), ZERO_SIZE_PTR);
	kfree(p);
	assert_ptr_equal(krealloc_aligned(NULL, 0, 64, GFP_KERNEL),
			 ZERO_SIZE_PTR);
	assert_null(krealloc_aligned(p, 200, 64, GFP_KERNEL));
	assert_panicked(p, "double free", NULL);
}

/* The aligned realloc: from and to any alignment, the content kept; in place
 * where that will do; and krealloc() of an aligned block loses nothing. */
static void test_aligned_realloc(void **state)
{
	(void)state;
	for (size_t from = 1; from <= 16384; from *= 4)
		for (size_t to = 1; to <= 65536; to *= 2)
			for (size_t size = 1; size < 20000; size += size / 2 + 1)
				for (size_t next = 1; next < 40000;
				     next += next + 7) {
			char *p = kmalloc_aligned(size, from, GFP_KERNEL), *q;
			size_t kept = size < next ? size : next;
			bool stays = next <= ksize(p) && ksize(p) % to == 0;

			test_fill(p, kept, next);
			q = krealloc_aligned(p, next, to, GFP_KERNEL);
			REQUIRE(aligned(q, to) && ksize(q) >= next);
			REQUIRE(next < size || aligned(q, from));
			REQUIRE(!stays || q == p);
			REQUIRE(!test_changed(q, kept, next));
			p = krealloc(q, next * 3, GFP_KERNEL);
			REQUIRE(aligned(p, to));
			REQUIRE(!test_changed(p, kept, next));
			kfree(p);
		}
	assert_sound();
}

/* With red zones around every block, whose sizes are then exact: aligned, moved
 * so, zeroed in place; and what is behind the last byte is still watched. */
static void test_debugged(void **state)
{
	static const struct test_range map[] = {
		{ 1 * MIB, 33 * MIB, KMEM_REGION_USABLE, KMEM_NO_NODE },
	};
	struct kmem_params params = { .nr_cpus = 2, .debug = "" };
	volatile size_t size = 120;	/* compilers would know better */
	char *p;

	(void)state;
	assert_int_equal(test_machine(map, 1, &params), KMEM_OK);
	for (size_t align = 1; align <= 4096; align *= 2)
		for (size_t n = 1; n < 5000; n += n / 3 + 1) {
			p = kmalloc_aligned(n, align, GFP_KERNEL);
			REQUIRE(aligned(p, align));
			test_fill(p, n, n);
			p = krealloc(p, n + 70, GFP_KERNEL);
			REQUIRE(aligned(p, align));
			REQUIRE(!test_changed(p, n, n));
			p = krealloc_aligned(p, n, align, GFP_KERNEL);
			REQUIRE(aligned(p, align));
			REQUIRE(!test_changed(p, n, n));
			kfree_sized(p, n);
			assert_no_panic();
		}
	p = kmalloc_aligned(100, 64, GFP_KERNEL | __GFP_ZERO);
	memset(p, 0xee, 100);
	for (unsigned i = 0; i < 2; i++) {
		p = krealloc(p, 50, GFP_KERNEL | __GFP_ZERO);
		p = krealloc(p, size, GFP_KERNEL | __GFP_ZERO);
		for (unsigned b = 50; b < 120; b++)
			assert_int_equal(p[b], 0);
	}
	((volatile char *)p)[size] = 1;
	kfree(p);
	assert_panicked(p, NULL, NULL);
	p = kmalloc_node(size, GFP_KERNEL, KMEM_NO_NODE);
	((volatile char *)p)[size] = 1;
	kfree(p);
	assert_panicked(p, NULL, NULL);
}

/* It moves to become aligned although it is large enough; without memory for
 * that, the old block stays. */
static void test_realloc_fails(void **state)
{
	void *held[3000];
	char *volatile whole;		/* not known to end after 30 */
	unsigned n = 0;
	char *p, *q;

	(void)state;
	p = kmalloc(48, GFP_KERNEL);
	q = kmalloc(48, GFP_KERNEL);
	if (aligned(p, 64)) {
		void *other = p;

		p = q;
		q = other;
	}
	test_fill(p, 40, 1);
	while (n < 3000 && (held[n] = kmalloc(65536, GFP_KERNEL | QUIET)))
		n++;
	assert_null(krealloc_aligned(p, 40, 65536, GFP_KERNEL | QUIET));
	assert_null(test_changed(p, 40, 1));
	while (n)
		kfree(held[--n]);
	assert_false(aligned(p, 64));
	p = krealloc_aligned(p, 40, 64, GFP_KERNEL);
	assert_true(aligned(p, 64));
	assert_null(test_changed(p, 40, 1));
	p = krealloc_aligned(p, 30, 64, GFP_KERNEL | __GFP_ZERO);
	whole = p;
	for (unsigned i = 30; i < ksize(p); i++)
		assert_int_equal(whole[i], 0);
	kfree(p);
	kfree(q);
	assert_ptr_equal(krealloc_aligned(kmalloc(9, GFP_KERNEL), 0, 64,
					  GFP_KERNEL), ZERO_SIZE_PTR);
}

/* What grows is as well aligned as it was, whatever less is asked for. */
static void test_grows_as_aligned(void **state)
{
	void *p[20];

	(void)state;
	for (size_t size = 64; size <= 2048; size *= 2)
		for (unsigned i = 0; i < 20; i++) {
			p[i] = kmalloc(size, GFP_KERNEL);
			p[i] = krealloc_node_align(p[i], size + 1, 8, GFP_KERNEL,
						   KMEM_NO_NODE);
			assert_true(aligned(p[i], size));
			if (i == 19)
				kfree_bulk(20, p);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_every_alignment),
		CASE(test_types),
		CASE(test_nonsense),
		CASE(test_aligned_realloc),
		CASE(test_grows_as_aligned),
		CASE(test_debugged),
		CASE(test_realloc_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
