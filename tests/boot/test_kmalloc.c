/* SPDX-License-Identifier: MIT */
/*
 * tests/boot/test_kmalloc.c - kmalloc() and its family.
 */
#include "boot.h"

/* How kmem/kmalloc.h promises a block of that size to be aligned. */
static size_t promised_alignment(size_t size)
{
	size_t class = kmalloc_size_roundup(size);
	size_t align = class & (~class + 1);

	if ((size & (size - 1)) == 0)
		return size;
	return align < KMALLOC_MIN_SIZE ? KMALLOC_MIN_SIZE : align;
}

static void check_block(const void *p, size_t size)
{
	if (!p)
		boot_fail("kmalloc(%zu) failed", size);
	if ((uintptr_t)p & (promised_alignment(size) - 1))
		boot_fail("kmalloc(%zu) gave %p, not aligned to %zu", size, p,
			  promised_alignment(size));
	if (ksize(p) < size || ksize(p) != kmalloc_size_roundup(size))
		boot_fail("kmalloc(%zu): ksize %zu, kmalloc_size_roundup %zu",
			  size, ksize(p), kmalloc_size_roundup(size));
}

/*
 * A window of live blocks slides over all sizes: each is filled, checked as
 * it leaves the window, and would show a neighbour that overlaps it.
 */
#define WINDOW		BY_MEMORY(16u, 4u)
#define LAST_SIZE	BY_MEMORY(65536u, 640u)

static void close_window(void *block, size_t size)
{
	if (!pattern_holds(block, size, (uint32_t)size))
		boot_fail("kmalloc(%zu) at %p: contents changed", size, block);
	kfree(block);
}

void test_kmalloc_sizes(void)
{
	void *block[WINDOW];

	CHECK(kmalloc(0, GFP_KERNEL) == ZERO_SIZE_PTR);
	kfree(ZERO_SIZE_PTR);
	kfree(NULL);
	for (size_t size = 1; size <= LAST_SIZE + WINDOW; size++) {
		void **slot = &block[size % WINDOW];

		if (size > WINDOW)
			close_window(*slot, size - WINDOW);
		if (size > LAST_SIZE)
			continue;
		*slot = kmalloc(size, GFP_KERNEL);
		check_block(*slot, size);
		pattern_fill(*slot, size, (uint32_t)size);
	}
}

void test_kmalloc_limits(void)
{
	volatile size_t max = KMALLOC_MAX_SIZE, half = SIZE_MAX / 2;
	gfp_t quiet = GFP_KERNEL | __GFP_NOWARN;
	void *p = kmalloc(max, GFP_KERNEL);

	check_block(p, max);
	pattern_fill(p, max, 1);
	CHECK(pattern_holds(p, max, 1));
	kfree(p);
	CHECK(!kmalloc(max + 1, quiet));
	CHECK(!kmalloc(half, quiet));
	CHECK(!kmalloc(half * 2 + 1, quiet));
	CHECK(!kmalloc_array(half, 3, quiet));
	CHECK(!kcalloc(3, half, quiet));
	CHECK(!krealloc_array(NULL, half, 3, quiet));
	CHECK(ksize(NULL) == 0);
	CHECK(ksize(ZERO_SIZE_PTR) == 0);
	CHECK(kmalloc_size_roundup(0) == 0);
}

/* The same memory comes back first, so it comes back dirty. */
void test_kmalloc_zero(void)
{
	for (size_t size = 1; size <= BY_MEMORY(300000, 1200);
	     size += 1 + size / 8) {
		uint8_t *p = kmalloc(size, GFP_KERNEL);

		CHECK(p);
		memset(p, 0xa5, size);
		kfree(p);
		p = kzalloc(size, GFP_KERNEL);
		CHECK(p && is_zero(p, size));
		memset(p, 0x5a, size);
		kfree(p);
		p = kcalloc(size, 1, GFP_ATOMIC);
		CHECK(p && is_zero(p, size));
		kfree(p);
	}
}

static void check_bytes(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] != (uint8_t)(i * 31))
			boot_fail("krealloc: byte %zu of %p changed", i,
				  (const void *)p);
}

static uint8_t *resize(uint8_t *p, size_t old_size, size_t size)
{
	p = krealloc(p, size, GFP_KERNEL);
	CHECK(p);
	CHECK(ksize(p) >= size);
	check_bytes(p, old_size < size ? old_size : size);
	for (size_t i = old_size; i < size; i++)
		p[i] = (uint8_t)(i * 31);
	return p;
}

void test_krealloc(void)
{
	size_t size = 0, next;
	uint8_t *p = NULL, *old;

	for (next = 1; next < BY_MEMORY(40000, 1000); next += 1 + next / 8) {
		p = resize(p, size, next);
		size = next;
	}
	for (next = size; next > 1; next -= 1 + next / 8) {
		p = resize(p, size, next);
		size = next;
	}

	/* In place while the class holds it; a failure leaves the block. */
	p = resize(p, size, 70);
	old = p;
	p = resize(p, 70, ksize(p));
	CHECK(p == old);
	old = krealloc(p, (size_t)KMALLOC_MAX_SIZE * 2,
		       GFP_KERNEL | __GFP_NOWARN);
	CHECK(!old);
	check_bytes(p, 70);
	CHECK(krealloc(p, 0, GFP_KERNEL) == ZERO_SIZE_PTR);
}

/* Aligned, and still so when krealloc() has moved it. */
void test_aligned(void)
{
	for (size_t align = 1; align <= BY_MEMORY(65536, 256); align *= 2) {
		uint8_t *p = kmalloc_aligned(20, align, GFP_KERNEL);

		CHECK(p && !((uintptr_t)p & (align - 1)));
		for (size_t i = 0; i < 20; i++)
			p[i] = (uint8_t)(i * 31);
		p = krealloc_aligned(p, 40, align * 2, GFP_KERNEL);
		CHECK(p && !((uintptr_t)p & (2 * align - 1)));
		p = krealloc(p, 3 * align + 45, GFP_KERNEL);
		CHECK(p && !((uintptr_t)p & (2 * align - 1)));
		check_bytes(p, 20);
		kfree_sized(p, 3 * align + 45);
	}
}

void test_copies(void)
{
	static const char text[] = "the quick brown fox";
	char *p;

	p = kmemdup(text, sizeof(text), GFP_KERNEL);
	CHECK(p && memcmp(p, text, sizeof(text)) == 0);
	kfree(p);
	p = kstrdup(text, GFP_KERNEL);
	CHECK(p && memcmp(p, text, sizeof(text)) == 0);
	kfree_sensitive(p);
	p = kstrndup(text, 3, GFP_KERNEL);
	CHECK(p && memcmp(p, "the", 4) == 0);
	kfree(p);
	CHECK(!kstrdup(NULL, GFP_KERNEL));
	kfree_sensitive(NULL);
}
