// SPDX-License-Identifier: MIT
/*
 * tests/unit/kmalloc_test.c - memory by the byte.
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

/* ------------------------------------------------------------------- sizes */

/* The class of a size by the words of <kmem/kmalloc.h>, not its arithmetic:
 * multiples of the smallest class up to 128, then four a doubling. */
static size_t oracle_class(size_t size)
{
	size_t class = KMALLOC_MIN_SIZE;

	while (class < size) {
		size_t power = KMALLOC_MIN_SIZE;

		while (power * 2 <= class)
			power *= 2;
		class += power / 4 > KMALLOC_MIN_SIZE ? power / 4 :
							KMALLOC_MIN_SIZE;
	}
	return class;
}

/* What a block of that size must be aligned to. */
static size_t oracle_align(size_t size)
{
	size_t class;

	if (size > KMALLOC_MAX_CACHE_SIZE)
		return KMEM_PAGE_SIZE;
	class = oracle_class(size);
	if (!(size & (size - 1)) && size > KMALLOC_MIN_SIZE)
		return size < KMEM_PAGE_SIZE ? size : KMEM_PAGE_SIZE;
	class &= -class;
	return class < KMEM_PAGE_SIZE ? class : KMEM_PAGE_SIZE;
}

static size_t oracle_ksize(size_t size)
{
	size_t block = KMEM_PAGE_SIZE;

	if (size <= KMALLOC_MAX_CACHE_SIZE)
		return oracle_class(size);
	while (block < size)
		block *= 2;
	return block;
}

static void check_size(size_t size)
{
	void *p = kmalloc(size, GFP_KERNEL);

	REQUIRE(p);
	REQUIRE((uintptr_t)p % oracle_align(size) == 0);
	REQUIRE(size & (size - 1) ? true :
		(uintptr_t)p % (size > KMALLOC_MIN_SIZE ? size : 1) == 0);
	REQUIRE(ksize(p) == test_ksize(size));
	REQUIRE(kmalloc_size_roundup(size) == oracle_ksize(size));
	REQUIRE((uintptr_t)p % (2 * sizeof(void *)) == 0);
	/* all of it may be used: its first and last byte are ours alone */
	memset(p, 0x11, size < 4096 ? ksize(p) : 16);
	((char *)p)[ksize(p) - 1] = 0x22;
	REQUIRE(*(char *)p == (ksize(p) == 1 ? 0x22 : 0x11));
	REQUIRE(((char *)p)[size - 1] ==
		(size == ksize(p) ? 0x22 : size < 4096 ? 0x11 :
		 ((char *)p)[size - 1]));
	kfree(p);
}

/* Every size there is, from 0 to one more than the largest: usable, aligned, of
 * the class that the table says. (Under slow tools every small one, and then
 * some.) */
static void test_every_size(void **state)
{
	size_t step = test_step(), size = 1;
	volatile size_t zero = 0, too_large = KMALLOC_MAX_SIZE + 1;

	(void)state;
	assert_ptr_equal(kmalloc(zero, GFP_KERNEL), ZERO_SIZE_PTR);
	for (; size <= 16 * KIB; size += step)
		check_size(size);
	step = test_scaled(100) < 100 ? 4099 : 1;
	for (; size <= KMALLOC_MAX_SIZE; size += step)
		check_size(size);
	for (size_t power = 16 * KIB; power <= KMALLOC_MAX_SIZE; power *= 2)
		for (size_t d = 0; d < 3; d++) {
			check_size(power - d);
			if (power + d <= KMALLOC_MAX_SIZE)
				check_size(power + d);
		}
	assert_null(kmalloc(too_large, GFP_KERNEL | QUIET));
	assert_sound();
}

/* What is too large is NULL, up to the very end of the range of size_t, where
 * a careless addition wraps. */
static void test_too_large(void **state)
{
	volatile size_t most = SIZE_MAX;

	(void)state;
	assert_null(kmalloc(KMALLOC_MAX_SIZE + 1, GFP_KERNEL | QUIET));
	assert_null(kmalloc(SIZE_MAX / 2, GFP_KERNEL | QUIET));
	assert_int_equal(kmalloc_size_roundup(KMALLOC_MAX_SIZE + 1),
			 KMALLOC_MAX_SIZE + 1);
	for (size_t d = 0; d < 64 * KIB; d++) {
		volatile size_t size = SIZE_MAX - d;

		REQUIRE(!kmalloc(size, GFP_KERNEL | QUIET));
		REQUIRE(!kzalloc(size, GFP_KERNEL | QUIET));
		REQUIRE(!krealloc(NULL, size, GFP_KERNEL | QUIET));
		REQUIRE(kmalloc_size_roundup(size) == size);
	}
	assert_null(kmalloc_large(most, GFP_KERNEL | QUIET));
}

/* Size 0: a pointer that is not NULL, is never dereferenced, and may be freed
 * any number of times. */
static void test_zero_size(void **state)
{
	volatile size_t zero = 0;

	(void)state;
	assert_ptr_equal(kmalloc(0, GFP_KERNEL), ZERO_SIZE_PTR);
	assert_ptr_equal(kmalloc(zero, GFP_KERNEL), ZERO_SIZE_PTR);
	assert_ptr_equal(kzalloc(zero, GFP_KERNEL), ZERO_SIZE_PTR);
	assert_ptr_equal(kcalloc(zero, 8, GFP_KERNEL), ZERO_SIZE_PTR);
	assert_ptr_equal(kmalloc_array(8, zero, GFP_KERNEL), ZERO_SIZE_PTR);
	assert_ptr_equal(kmemdup("x", zero, GFP_KERNEL), ZERO_SIZE_PTR);
	assert_int_equal(ksize(ZERO_SIZE_PTR), 0);
	assert_int_equal(ksize(NULL), 0);
	assert_int_equal(kmalloc_size_roundup(0), 0);
	assert_true(ZERO_OR_NULL_PTR(NULL));
	assert_true(ZERO_OR_NULL_PTR(ZERO_SIZE_PTR));
	kfree(ZERO_SIZE_PTR);
	kfree(ZERO_SIZE_PTR);
	kfree(NULL);
	kfree_sensitive(NULL);
	kfree_sensitive(ZERO_SIZE_PTR);
}

/* kmalloc_index() never goes down, changes exactly where the class of the
 * oracle does, and stays inside the table. */
static void test_index(void **state)
{
	unsigned last = kmalloc_index(1);

	(void)state;
	for (size_t size = 2; size <= KMALLOC_MAX_CACHE_SIZE; size++) {
		unsigned index = kmalloc_index(size);

		REQUIRE(index < KMALLOC_NR_CLASSES);
		if (oracle_class(size) == oracle_class(size - 1))
			REQUIRE(index == last);
		else
			REQUIRE(index > last);
		REQUIRE(kmem_cache_size(kmalloc_caches[KMALLOC_NORMAL][index])
			== oracle_class(size));
		last = index;
	}
}

/* A size that the compiler knows and one that it doesn't come from the same
 * class. */
#define SAME(n) do { \
	volatile size_t variable = (n); \
	void *a = kmalloc((n), GFP_KERNEL); \
	void *b = kmalloc(variable, GFP_KERNEL); \
	assert_int_equal(ksize(a), ksize(b)); \
	assert_int_equal(ksize(a), test_ksize(n)); \
	assert_int_equal(kmalloc_size_roundup(n), oracle_ksize(n)); \
	kfree(a); \
	kfree(b); \
} while (0)

static void test_constant_size(void **state)
{
	(void)state;
	SAME(1); SAME(8); SAME(15); SAME(16); SAME(17); SAME(32); SAME(33);
	SAME(48); SAME(64); SAME(65); SAME(80); SAME(96); SAME(100); SAME(128);
	SAME(129); SAME(160); SAME(161); SAME(192); SAME(200); SAME(256);
	SAME(257); SAME(320); SAME(500); SAME(512); SAME(513); SAME(1000);
	SAME(1024); SAME(1025); SAME(2048); SAME(2049); SAME(4095); SAME(4096);
	SAME(4097); SAME(5120); SAME(5121); SAME(8191); SAME(8192); SAME(8193);
	SAME(10000); SAME(16384); SAME(16385); SAME(100000); SAME(1048576);
	SAME(4194304);
}

/* Waste: a class is never a quarter larger than the smallest size in it, from
 * 64 bytes on. */
static void test_waste_of_classes(void **state)
{
	(void)state;
	for (size_t size = 65; size <= KMALLOC_MAX_CACHE_SIZE; size++)
		REQUIRE((kmalloc_size_roundup(size) - size) * 4 < size);
}

/* ---------------------------------------------------------------- contents */

/* kzalloc() and its like are zero although the memory was used before, over
 * the whole block that ksize() allows, large ones too. */
static void test_zeroed(void **state)
{
	static const size_t sizes[] = {
		1, 8, 24, 100, 192, 1000, 4096, 8192, 9000, 40000,
	};

	(void)state;
	for (unsigned i = 0; i < KMEM_ARRAY_SIZE(sizes); i++)
		for (unsigned round = 0; round < 40; round++) {
			char *p = round % 2 ? kzalloc(sizes[i], GFP_KERNEL) :
					kcalloc(1, sizes[i], GFP_KERNEL);

			assert_non_null(p);
			for (size_t b = 0; b < sizes[i]; b++)
				REQUIRE(p[b] == 0);
			memset(p, 0xff, ksize(p));
			kfree(p);
		}
}

/* Many blocks at once keep what was written into them, all of ksize(). */
static void test_contents(void **state)
{
	static struct { char *p; size_t size; } b[3000];
	uint64_t seed = test_seed("kmalloc_test: contents");

	(void)state;
	for (unsigned i = 0; i < 3000; i++) {
		b[i].size = 1 + test_below(&seed,
				i % 50 == 0 ? 50000 : 2000);
		b[i].p = kmalloc(b[i].size, GFP_KERNEL);
		assert_non_null(b[i].p);
		test_fill(b[i].p, ksize(b[i].p), i);
	}
	for (unsigned i = 0; i < 3000; i++)
		assert_null(test_changed(b[i].p, ksize(b[i].p), i));
	for (unsigned i = 0; i < 3000; i += 2)
		kfree(b[i].p);
	for (unsigned i = 1; i < 3000; i += 2)
		assert_null(test_changed(b[i].p, ksize(b[i].p), i));
	for (unsigned i = 1; i < 3000; i += 2)
		kfree(b[i].p);
}

/* n * size that doesn't fit is NULL, not a small block; the factors that just
 * fit give the product. */
static void test_overflow(void **state)
{
	volatile size_t half = (size_t)1 << (sizeof(size_t) * 4);
	volatile size_t most = SIZE_MAX;
	void *p;

	(void)state;
	assert_null(kmalloc_array(half, half, GFP_KERNEL | QUIET));
	assert_null(kcalloc(half, half, GFP_KERNEL | QUIET));
	assert_null(kcalloc(half, half + 1, GFP_KERNEL | QUIET));
	assert_null(kmalloc_array(most, 2, GFP_KERNEL | QUIET));
	assert_null(kmalloc_array(2, most, GFP_KERNEL | QUIET));
	assert_null(kmalloc_array(most / 3 + 1, 3, GFP_KERNEL | QUIET));
	assert_null(kcalloc(most, most, GFP_KERNEL | QUIET));
	p = kmalloc(100, GFP_KERNEL);
	assert_null(krealloc_array(p, half, half, GFP_KERNEL | QUIET));
	assert_int_equal(ksize(p), test_ksize(100));	/* valid */
	p = krealloc_array(p, 10, 33, GFP_KERNEL);
	assert_int_equal(ksize(p), test_ksize(330));
	kfree(p);
	p = kmalloc_array(7, 9, GFP_KERNEL);
	assert_int_equal(ksize(p), test_ksize(63));
	kfree(p);
}

/* ---------------------------------------------------------------- krealloc */

/* Contents are kept from any size to any other; the block stays where it is as
 * long as its class holds the new size. */
static void test_krealloc(void **state)
{
	static const size_t sizes[] = {
		1, 16, 17, 64, 100, 500, 1024, 4000, 8192, 8193, 20000, 65536,
		100000,
	};

	(void)state;
	for (unsigned i = 0; i < KMEM_ARRAY_SIZE(sizes); i++)
		for (unsigned j = 0; j < KMEM_ARRAY_SIZE(sizes); j++) {
			char *p = kmalloc(sizes[i], GFP_KERNEL), *q;
			size_t kept = sizes[i] < sizes[j] ? sizes[i] : sizes[j];
			bool fits = sizes[j] <= kmalloc_size_roundup(sizes[i]);

			test_fill(p, sizes[i], i);
			q = krealloc(p, sizes[j], GFP_KERNEL);
			assert_non_null(q);
			if (fits)
				assert_ptr_equal(q, p);
			assert_true(ksize(q) >= sizes[j]);
			assert_null(test_changed(q, kept, i));
			memset(q, 0, sizes[j]);
			kfree(q);
		}
	assert_sound();
}

/* The corners: NULL, 0, ZERO_SIZE_PTR. */
static void test_krealloc_corners(void **state)
{
	size_t before;
	void *p;

	(void)state;
	p = krealloc(NULL, 100, GFP_KERNEL);
	assert_non_null(p);
	test_drain(2);
	before = test_pages();
	assert_ptr_equal(krealloc(p, 0, GFP_KERNEL), ZERO_SIZE_PTR);
	kfree(p);
	assert_panicked(p, "double free", NULL);	/* it was freed */
	assert_int_equal(test_pages(), before);
	p = krealloc(ZERO_SIZE_PTR, 100, GFP_KERNEL);
	assert_non_null(p);
	kfree(p);
	assert_ptr_equal(krealloc(NULL, 0, GFP_KERNEL), ZERO_SIZE_PTR);
	assert_ptr_equal(krealloc(ZERO_SIZE_PTR, 0, GFP_KERNEL),
			 ZERO_SIZE_PTR);
}

/* A larger block can't be had: NULL, and the old one is as it was. */
static void test_krealloc_fails(void **state)
{
	volatile size_t most = SIZE_MAX;
	char *p = kmalloc(1000, GFP_KERNEL);

	(void)state;
	test_fill(p, 1000, 5);
	assert_null(krealloc(p, KMALLOC_MAX_SIZE + 1, GFP_KERNEL | QUIET));
	assert_null(krealloc(p, most, GFP_KERNEL | QUIET));
	assert_null(test_changed(p, 1000, 5));
	kfree(p);
}

/* __GFP_ZERO: what is new is zero, what was there is kept. */
static void test_krealloc_zero(void **state)
{
	unsigned char *p;

	(void)state;
	for (unsigned i = 0; i < 50; i++) {	/* make dirt */
		p = kmalloc(3000, GFP_KERNEL);
		memset(p, 0xff, ksize(p));
		kfree(p);
	}
	p = kzalloc(100, GFP_KERNEL);
	memset(p, 0xaa, 100);
	p = krealloc(p, 3000, GFP_KERNEL | __GFP_ZERO);
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(p[i], 0xaa);
	for (unsigned i = 112; i < 3000; i++)
		assert_int_equal(p[i], 0);
	kfree(p);
}

/* The same over a block's whole life: with __GFP_ZERO in every call, what was
 * never written is zero, though the block became smaller and larger again where
 * it was. */
static void test_krealloc_zero_in_place(void **state)
{
	uint64_t seed = test_seed("kmalloc_test: zero");
	size_t size = 1;
	char *p = kzalloc(size, GFP_KERNEL);

	(void)state;
	for (unsigned i = 0; i < 3000; i++) {
		size_t next = 1 + test_below(&seed, i % 20 ? 300 : 20000);

		memset(p, 0xee, size);
		p = krealloc(p, next, GFP_KERNEL | __GFP_ZERO);
		assert_non_null(p);
		for (size_t b = 0; b < next; b++)
			REQUIRE(p[b] == (char)(b < size ? 0xee : 0));
		size = next;
	}
	kfree(p);
}

/* A block never becomes less aligned than it was, from any class to any size;
 * and one of a power of two is aligned to that. Several at once, so that none
 * is aligned for being the first of its slab. */
static void test_krealloc_keeps_alignment(void **state)
{
	char *p[5];

	(void)state;
	for (size_t from = 1; from <= 9000; from += from < 300 ? 1 : 97)
		for (size_t to = from; to <= 70000; to += to / 3 + 1) {
			size_t align = oracle_align(oracle_ksize(from));

			for (unsigned i = 0; i < 5; i++) {
				p[i] = kmalloc(from, GFP_KERNEL);
				test_fill(p[i], from, i);
				p[i] = krealloc(p[i], to, GFP_KERNEL);
				REQUIRE(p[i] && (uintptr_t)p[i] % align == 0);
				REQUIRE((uintptr_t)p[i] % oracle_align(to)
					== 0);
				REQUIRE(ksize(p[i]) >= to);
			}
			for (unsigned i = 0; i < 5; i++) {
				REQUIRE(!test_changed(p[i], from, i));
				kfree(p[i]);
			}
		}
	assert_sound();
}

/* A pointer that is no live block: reported, NULL, nothing allocated. */
static void test_krealloc_misuse(void **state)
{
	char *p = kmalloc(100, GFP_KERNEL);

	(void)state;
	assert_null(krealloc(p + 1, 200, GFP_KERNEL));
	assert_panicked(p + 1, "not the start", NULL);
	kfree(p);
	assert_null(krealloc(p, 200, GFP_KERNEL));
	assert_panicked(p, "double free", NULL);
}

/* --------------------------------------------------------------------- dup */

static void test_dup(void **state)
{
	char source[300], *p;

	(void)state;
	test_fill(source, sizeof(source), 1);
	p = kmemdup(source, sizeof(source), GFP_KERNEL);
	assert_ptr_not_equal(p, source);
	assert_memory_equal(p, source, sizeof(source));
	kfree(p);
	p = kstrdup("a string", GFP_KERNEL);
	assert_string_equal(p, "a string");
	kfree(p);
	p = kstrdup("", GFP_KERNEL);
	assert_string_equal(p, "");
	kfree(p);
	assert_null(kstrdup(NULL, GFP_KERNEL));
	assert_null(kstrndup(NULL, 10, GFP_KERNEL));
	p = kstrndup("a string", 3, GFP_KERNEL);
	assert_string_equal(p, "a s");
	kfree(p);
	p = kstrndup("a string", 8, GFP_KERNEL);
	assert_string_equal(p, "a string");
	kfree(p);
	p = kstrndup("a string", 100, GFP_KERNEL);
	assert_string_equal(p, "a string");
	kfree(p);
	p = kstrndup("a string", 0, GFP_KERNEL);
	assert_string_equal(p, "");
	kfree(p);
	assert_null(kmemdup(source, SIZE_MAX, GFP_KERNEL | QUIET));
}

/* The rest of that family. */
static void test_dup_more(void **state)
{
	char source[300], *p;
	volatile size_t most = SIZE_MAX;
	const char *c;

	(void)state;
	test_fill(source, sizeof(source), 2);
	p = kmemdup_nul(source, 299, GFP_KERNEL);
	assert_memory_equal(p, source, 299);
	assert_int_equal(p[299], 0);
	kfree(p);
	p = kmemdup_nul("a\0b", 3, GFP_KERNEL);
	assert_memory_equal(p, "a\0b", 4);
	kfree(p);
	p = kmemdup_nul("", 0, GFP_KERNEL);
	assert_string_equal(p, "");
	kfree(p);
	assert_null(kmemdup_nul(NULL, 5, GFP_KERNEL));
	assert_null(kmemdup_nul(source, most, GFP_KERNEL | QUIET));
	assert_null(kmemdup_nul(source, most - 1, GFP_KERNEL | QUIET));
	p = kmemdup_array(source, 10, 30, GFP_KERNEL);
	assert_memory_equal(p, source, 300);
	kfree(p);
	assert_null(kmemdup_array(source, most / 2, 3, GFP_KERNEL | QUIET));
	c = kstrdup_const("constant", GFP_KERNEL);
	assert_string_equal(c, "constant");
	kfree_const(c);
	kfree_const(NULL);
}

/* kstrndup() reads no further than max: the string need not end. */
static void test_strndup_unterminated(void **state)
{
	/* its last byte is the last of a block of pages; what is behind must
	 * not be read, which the address sanitizer would tell for this one */
	char *string = malloc(10), *p;

	(void)state;
	memset(string, 'x', 10);
	p = kstrndup(string, 10, GFP_KERNEL);
	assert_string_equal(p, "xxxxxxxxxx");
	kfree(p);
	free(string);
}

/* The content is gone before the memory is free for others. */
static void test_sensitive(void **state)
{
	static const size_t sizes[] = { 10, 100, 5000, 100000 };

	(void)state;
	for (unsigned i = 0; i < KMEM_ARRAY_SIZE(sizes); i++) {
		unsigned char *p = kmalloc(sizes[i], GFP_KERNEL);
		size_t size = ksize(p);

		memset(p, 0x77, size);
		kfree_sensitive(p);
		for (size_t b = 0; b < size; b++)
			REQUIRE(p[b] == 0);
		kfree_sensitive(p);
		assert_panicked(p, NULL, NULL);
	}
}

/* ------------------------------------------------------------------- zones */

/* GFP_DMA below 16 MiB, GFP_DMA32 below 4 GiB, of every size, and freed like
 * all others; on a machine that has all three zones. */
static void test_zones(void **state)
{
	static const struct test_range map[] = {
		{ 1 * MIB, 32 * MIB, KMEM_REGION_USABLE, KMEM_NO_NODE },
		{ 4 * GIB, 4 * GIB + 32 * MIB, KMEM_REGION_USABLE,
		  KMEM_NO_NODE },
	};
	static void *held[3][2000];

	(void)state;
	NEEDS_64_BIT();
	assert_int_equal(test_machine(map, 2, NULL), KMEM_OK);
	for (unsigned i = 0; i < 500; i++) {
		size_t size = 1 + i * 19;

		held[0][i] = kmalloc(size, GFP_KERNEL);
		held[1][i] = kmalloc(size, GFP_KERNEL | GFP_DMA32);
		held[2][i] = kmalloc(size, GFP_ATOMIC | GFP_DMA);
		assert_true(held[0][i] && held[1][i] && held[2][i]);
		assert_true(virt_to_phys(held[0][i]) >= 4 * GIB);
		assert_true(virt_to_phys(held[1][i]) + size <= 4 * GIB);
		assert_true(virt_to_phys(held[2][i]) + size <= 16 * MIB);
		assert_true(ksize(held[2][i]) >= size);
	}
	/* a constant size takes the other path */
	held[0][500] = kmalloc(100, GFP_KERNEL | GFP_DMA);
	assert_true(virt_to_phys(held[0][500]) < 16 * MIB);
	kfree(held[0][500]);
	for (unsigned i = 0; i < 500; i++)
		for (unsigned z = 0; z < 3; z++)
			kfree(held[z][i]);
	assert_sound();
}

/* When the DMA zone is used up: NULL, although there is memory elsewhere. */
static void test_dma_runs_out(void **state)
{
	static void *held[5000];
	unsigned n = 0;

	(void)state;
	while ((held[n] = kmalloc(8192, GFP_DMA | QUIET)))
		assert_true(virt_to_phys(held[n++]) < 16 * MIB);
	assert_in_range(n, KMEM_HARDEN ? 400 : 1500, 2000);
	held[n] = kmalloc(8192, GFP_KERNEL);
	assert_non_null(held[n]);
	kfree(held[n]);
	while (n)
		kfree(held[--n]);
}

/* __GFP_RECLAIMABLE: caches of its own, whose pages are marked so, for powers
 * of two; a zone flag beside it decides. Memory that a shrinker can free and
 * memory that it can't then don't share slabs. */
static void test_reclaimable(void **state)
{
	static const size_t sizes[] = { 1, 16, 100, 128, 3000, 8192 };
	char name[32];

	(void)state;
	for (unsigned i = 0; i < KMEM_ARRAY_SIZE(sizes); i++) {
		gfp_t gfp = GFP_KERNEL | __GFP_RECLAIMABLE;
		unsigned char *p = kmalloc(sizes[i], gfp);
		unsigned char *z = kzalloc(sizes[i], gfp);
		unsigned char *d = kmalloc(sizes[i], gfp | GFP_DMA);
		struct kmem_obj_info info;
		size_t class = KMALLOC_MIN_SIZE;

		while (class < sizes[i])
			class *= 2;
		assert_true(kmem_obj_lookup(p, &info));
		snprintf(name, sizeof(name), "kmalloc-rcl-%zu", class);
		assert_string_equal(info.name, KMEM_ZONES == 1 ? info.name :
				    name);
		if (KMEM_ZONES > 1) {
			assert_ptr_equal(info.cache, kmalloc_caches
				[KMALLOC_RECLAIM][kmalloc_index(sizes[i])]);
			assert_int_equal(ksize(p), KMEM_HARDEN ? sizes[i] : class);
			assert_true(virt_to_phys(d) < 16 * MIB);
		}
		for (size_t b = 0; b < sizes[i]; b++)
			REQUIRE(z[b] == 0);
		kfree(p);
		kfree(z);
		kfree(d);
	}
	/* a constant size takes the other path */
	if (KMEM_ZONES > 1) {
		struct kmem_obj_info info;
		void *p = kmalloc(200, GFP_ATOMIC | __GFP_RECLAIMABLE);

		kmem_obj_lookup(p, &info);
		assert_string_equal(info.name, "kmalloc-rcl-256");
		kfree(p);
	}
	assert_int_equal(kmalloc_type(GFP_KERNEL), KMALLOC_NORMAL);
	kfree(kmalloc(20000, GFP_KERNEL | __GFP_RECLAIMABLE));
}

/* ------------------------------------------------------------------ misuse */

/* kfree_sized(): any size that the block has room for; one byte more is
 * reported, and the block is still there. */
static void test_sized(void **state)
{
	static const size_t sizes[] = { 1, 16, 100, 8192, 8193, 100000 };
	volatile size_t zero = 0;

	(void)state;
	for (unsigned i = 0; i < KMEM_ARRAY_SIZE(sizes); i++) {
		char *p = kmalloc(sizes[i], GFP_KERNEL);
		size_t most = ksize(p);

		test_fill(p, most, i);
		kfree_sized(p, most + 1);
		assert_panicked(p, "wrong size", NULL);
		kfree_sized(p, SIZE_MAX);
		assert_panicked(p, "wrong size", NULL);
		kfree_sized(p, zero);
		assert_panicked(p, "wrong size", NULL);
		kfree_sized(p + 1, sizes[i]);
		assert_panicked(p + 1, "not the start", NULL);
		assert_null(test_changed(p, most, i));
		kfree_sized(p, sizes[i]);
		assert_no_panic();
		kfree_sized(p, sizes[i]);
		assert_panicked(p, NULL, NULL);	/* it was freed */
	}
	kfree_sized(NULL, 0);
	kfree_sized(NULL, 100);
	kfree_sized(ZERO_SIZE_PTR, 0);
	assert_no_panic();
	kfree_sized(ZERO_SIZE_PTR, 5);
	assert_panicked(NULL, "wrong size", NULL);
}

/* kfree_bulk(): small and large blocks, objects of caches, nothing; what is
 * wrong among them is reported and the rest is freed. */
static void test_kfree_bulk(void **state)
{
	struct kmem_cache *s = kmem_cache_create("any", 72, 0, 0, NULL);
	void *p[200], *bad = NULL;
	size_t before;

	(void)state;
	for (unsigned round = 0; round < 3; round++) {
		test_drain(2);
		before = test_pages();
		for (unsigned i = 0; i < 200; i++)
			p[i] = i % 7 == 0 ? NULL : i % 7 == 1 ? ZERO_SIZE_PTR :
			       i % 7 == 2 ? kmalloc(20000, GFP_KERNEL) :
			       i % 7 == 3 ? kmem_cache_alloc(s, GFP_KERNEL) :
			       kmalloc(i * 10, GFP_KERNEL);
		if (round == 1) {
			bad = p[100];
			p[100] = (char *)p[2] + KMEM_PAGE_SIZE;
		}
		kfree_bulk(200, p);
		if (round == 1) {
			assert_panicked(p[100], NULL, NULL);
			kfree(bad);
		}
		test_drain(2);
		assert_sound();
		assert_int_equal(test_pages(), before);
	}
	p[0] = kmalloc(20000, GFP_KERNEL);
	kmem_cache_free_bulk(s, 1, p);		/* of one cache: not that */
	assert_panicked(p[0], NULL, NULL);
	kfree(p[0]);
	kmem_cache_destroy(s);
}

/* kfree() takes objects of any cache. */
static void test_kfree_of_cache_object(void **state)
{
	struct kmem_cache *s = kmem_cache_create("any", 72, 0, 0, NULL);
	struct kmem_cache_stats st;
	void *obj = kmem_cache_alloc(s, GFP_KERNEL);

	(void)state;
	assert_int_equal(ksize(obj), 72);
	kfree(obj);
	kmem_cache_stats(s, &st);
	assert_int_equal(st.live, 0);
	kfree(obj);
	assert_panicked(obj, "any", "double free");
	kmem_cache_destroy(s);
}

/* Every kind of pointer that kfree() must refuse, small blocks. */
static void test_misuse_small(void **state)
{
	char *p = kmalloc(200, GFP_KERNEL), *q = kmalloc(200, GFP_KERNEL);

	(void)state;
	for (unsigned i = 1; i < 200; i++) {
		kfree(p + i);
		assert_panicked(p + i, "kmalloc-", "not the start");
	}
	kfree(p);
	kfree(p);
	assert_panicked(p, "kmalloc-", "double free");
	kfree(q);
	kfree(p);
	assert_panicked(p, "kmalloc-", "double free");
	assert_int_equal(ksize(p), 0);
	assert_panicked(p, "ksize", NULL);
	assert_sound();
}

/* The same for large ones: inside, twice, a page of alloc_pages(). */
static void test_misuse_large(void **state)
{
	char *p = kmalloc(50000, GFP_KERNEL);
	uintptr_t page = __get_free_pages(GFP_KERNEL, 2);
	static const size_t inside[] = { 1, 8, 4095, 4096, 8192, 49152, 65535 };

	(void)state;
	test_fill(p, 50000, 3);
	for (unsigned i = 0; i < KMEM_ARRAY_SIZE(inside); i++) {
		kfree(p + inside[i]);
		assert_panicked(p + inside[i], "kfree", NULL);
		assert_int_equal(ksize(p + inside[i]), 0);
		assert_panicked(p + inside[i], "ksize", NULL);
	}
	assert_null(test_changed(p, 50000, 3));
	kfree((void *)page);
	assert_panicked((void *)page, "kfree", "alloc_pages");
	assert_int_equal(ksize((void *)page), 0);
	test_panics_clear();
	free_pages((uintptr_t)p, 4);
	assert_panicked(p, "free_pages", "kmalloc");
	assert_sound();
	kfree(p);
	kfree(p);
	assert_panicked(p, "kfree", "free");
	test_drain(2);
	kfree(p);
	assert_panicked(p, "kfree", NULL);
	free_pages(page, 2);
	assert_sound();
}

/* kmem's own structures come from slabs too; a pointer to one is nobody's to
 * free. */
static void test_misuse_of_internals(void **state)
{
	void *own[] = {
		kmalloc_caches[KMALLOC_NORMAL][3], kmem_page_map.section,
		kmem_page_map.section[0],
	};

	(void)state;
	for (unsigned i = 0; i < KMEM_ARRAY_SIZE(own); i++) {
		kfree(own[i]);
		assert_panicked(own[i], "kfree", NULL);
		assert_int_equal(ksize(own[i]), 0);
		assert_panicked(own[i], "ksize", NULL);
	}
}

/* ---------------------------------------------------- when memory is short */

static struct {
	unsigned reclaims, waits;
	bool masked;
	void **held;
	size_t nr_held;
} hook;

static size_t give_back(size_t n)
{
	size_t given = 0;

	for (; given < n && hook.nr_held; given++)
		kfree(hook.held[--hook.nr_held]);
	return given;
}

/* A hook may use kmem itself, as long as that doesn't need the hook. */
static size_t hook_reclaim(void *ctx, const struct kmem_pressure *p)
{
	void *mine = kmalloc(32, GFP_ATOMIC | QUIET);

	(void)ctx;
	(void)p;
	kfree(mine);
	hook.reclaims++;
	hook.masked |= kmem_host_cpu.irqs_masked;
	return 0;
}

static void hook_wait(void *ctx, const struct kmem_pressure *p)
{
	(void)ctx;
	(void)p;
	hook.waits++;
	hook.masked |= kmem_host_cpu.irqs_masked;
	give_back(200);
}

/* A kmalloc() or a new slab that needs pages goes through the same hooks as
 * alloc_pages(), with interrupts as the caller had them; __GFP_NOFAIL ends
 * with memory; GFP_ATOMIC never gets there. */
static void test_hooks(void **state)
{
	static const struct test_range map[] = {
		{ 1 * MIB, 9 * MIB, KMEM_REGION_USABLE, KMEM_NO_NODE },
	};
	static const struct kmem_hooks hooks = {
		.reclaim = hook_reclaim, .wait = hook_wait,
	};
	struct kmem_params params = { .nr_cpus = 2, .hooks = &hooks };
	static void *held[10000];
	void *p;

	(void)state;
	assert_int_equal(test_machine(map, 1, &params), KMEM_OK);
	memset(&hook, 0, sizeof(hook));
	hook.held = held;
	while ((p = kmalloc(4096, GFP_ATOMIC | QUIET)))
		held[hook.nr_held++] = p;
	assert_int_equal(hook.reclaims + hook.waits, 0);
	assert_null(kmalloc(5000, GFP_KERNEL | QUIET));
	assert_true(hook.reclaims > 0);
	assert_int_equal(hook.waits, 0);
	p = kmalloc(5000, GFP_KERNEL | __GFP_NOFAIL);
	assert_non_null(p);
	assert_true(hook.waits > 0);
	memset(p, 1, 5000);
	kfree(p);
	hook.waits = 0;
	while ((p = kmalloc(4096, GFP_ATOMIC | QUIET)))
		held[hook.nr_held++] = p;
	p = kmalloc(100000, GFP_KERNEL | __GFP_NOFAIL);
	assert_non_null(p);
	assert_true(hook.waits > 0);
	kfree(p);
	assert_false(hook.masked);
	give_back(SIZE_MAX);
}

/* ------------------------------------------------------------ __GFP_NOFAIL */

static struct {
	struct page *page[4096];
	unsigned nr, waits;
	bool masked;
} pool;

/* Frees one page at a time, and ends the process if it has none left. */
static void free_one_page(void *ctx, const struct kmem_pressure *p)
{
	(void)ctx;
	(void)p;
	REQUIRE(pool.nr);
	pool.waits++;
	pool.masked |= kmem_host_cpu.irqs_masked;
	__free_page(pool.page[--pool.nr]);
}

static const struct kmem_hooks waiting = {
	.wait = free_one_page, .log = test_log,
};
static const struct kmem_hooks not_waiting = { .log = test_log };

/* A machine of that size with no page left that anybody can have; false if it
 * is too small to start. */
static bool start_full(uint64_t bytes, const struct kmem_hooks *hooks)
{
	const struct test_range map[] = {
		{ MIB, MIB + bytes, KMEM_REGION_USABLE, KMEM_NO_NODE },
	};
	struct kmem_params p = { .nr_cpus = 1, .hooks = hooks };

	host_cpu_set(0);
	if (test_machine(map, 1, &p))
		return false;
	memset(&pool, 0, sizeof(pool));
	while ((pool.page[pool.nr] = alloc_page(GFP_ATOMIC | QUIET)))
		REQUIRE(++pool.nr < KMEM_ARRAY_SIZE(pool.page));
	test_log_clear();
	return true;
}

/*
 * The smaller an object, the more a slab needs besides its page: an array of
 * slots, which comes from pages of its own, for which there may be none when
 * the slab's page was just got. On machines from the smallest on, a request
 * with __GFP_NOFAIL must not yield NULL as long as the wait hook can free a
 * page, and it must not wait for more than it needs: a page or two, and those
 * that magazines of pages hold back until they are full.
 */
static void test_nofail_on_tiny_machines(void **state)
{
	static const size_t sizes[] = { 16, 32, 96, 600, 4096 };
	unsigned machines = 0;

	(void)state;
	for (uint64_t bytes = 64 * KIB; bytes <= 2 * MIB;
	     bytes += (bytes < 256 * KIB ? 4 * KIB : 256 * KIB) * test_step())
		for (unsigned i = 0; i < KMEM_ARRAY_SIZE(sizes); i++) {
			unsigned before;

			if (!start_full(bytes, &waiting))
				continue;
			machines++;
			while (pool.nr > 20) {
				before = pool.waits;
				REQUIRE(kmalloc(sizes[i], GFP_KERNEL |
						__GFP_NOFAIL));
				REQUIRE(pool.waits - before <= 20);
			}
			assert_false(pool.masked);
			assert_int_equal(test_log_lines(), 0);
			assert_sound();
		}
	assert_true(machines > 100 / test_step());
}

/* The same for a cache of one's own, zeroed, and in bulk. */
static void test_nofail_of_caches(void **state)
{
	struct kmem_cache *s;
	char *obj[5];

	(void)state;
	assert_true(start_full(512 * KIB, &waiting));
	free_one_page(NULL, NULL);
	free_one_page(NULL, NULL);
	free_one_page(NULL, NULL);
	s = kmem_cache_create("nofail", 32, 0, 0, NULL);
	assert_non_null(s);
	while (pool.nr > 20) {
		obj[0] = kmem_cache_zalloc(s, GFP_KERNEL | __GFP_NOFAIL);
		assert_non_null(obj[0]);
		for (unsigned i = 0; i < 32; i++)
			REQUIRE(!obj[0][i]);
		assert_int_equal(kmem_cache_alloc_bulk(s, GFP_KERNEL |
				 __GFP_NOFAIL, 5, (void **)obj), 5);
	}
	assert_true(pool.waits > 3);
}

/* While a request waits for a page, objects of its own class come free, but
 * never a whole slab: it must be content with one of those. */
static struct {
	void *obj[65536];
	size_t nr, freed, waits;
} scattered;

static void free_scattered(void *ctx, const struct kmem_pressure *p)
{
	(void)ctx;
	(void)p;
	scattered.waits++;
	for (unsigned i = 0; i < 50; i++)
		kfree(scattered.obj[scattered.freed++ * 16 % scattered.nr]);
}

static void test_nofail_takes_what_came_free(void **state)
{
	static const struct kmem_hooks hooks = { .wait = free_scattered };
	static const struct test_range map[] = {
		{ 1 * MIB, 9 * MIB, KMEM_REGION_USABLE, KMEM_NO_NODE }
	};
	struct kmem_params params = { .nr_cpus = 1, .hooks = &hooks };
	void *p;

	(void)state;
	memset(&scattered, 0, sizeof(scattered));
	assert_int_equal(test_machine(map, 1, &params), KMEM_OK);
	while ((p = kmalloc(256, GFP_NOWAIT | __GFP_NOWARN)))
		scattered.obj[scattered.nr++] = p;
	while (__get_free_pages(GFP_ATOMIC | __GFP_NOWARN, 0))
		;
	assert_non_null(kmalloc(256, GFP_KERNEL | __GFP_NOFAIL));
	assert_in_range(scattered.waits, 1, 2);
	assert_sound();
}

/* Without a wait hook, or where waiting is not allowed, such a request can't
 * be kept: that is reported each time, not passed over with a silent NULL. */
static void test_nofail_without_waiting(void **state)
{
	static const size_t sizes[] = { 32, 4096, 100000 };

	(void)state;
	for (unsigned i = 0; i < KMEM_ARRAY_SIZE(sizes); i++) {
		assert_true(start_full(512 * KIB, &not_waiting));
		while (kmalloc(sizes[i], GFP_ATOMIC | QUIET))
			;
		assert_null(kmalloc(sizes[i], GFP_KERNEL | __GFP_NOFAIL));
		assert_panicked(NULL, "__GFP_NOFAIL", "no wait hook");
		assert_null(kmalloc(sizes[i], GFP_ATOMIC | __GFP_NOFAIL));
		assert_panicked(NULL, "__GFP_NOFAIL", "no wait hook");
		assert_sound();

		assert_true(start_full(512 * KIB, &waiting));
		while (kmalloc(sizes[i], GFP_ATOMIC | QUIET))
			;
		assert_null(kmalloc(sizes[i], GFP_ATOMIC | __GFP_NOFAIL));
		assert_panicked(NULL, "__GFP_NOFAIL", "may not wait");
		assert_int_equal(pool.waits, 0);
		assert_sound();
	}
}

/* A kmalloc() that fails says so in the log, whatever its size and whoever
 * asks, unless it is told not to. */
static void test_failure_is_logged(void **state)
{
	static const size_t sizes[] = { 16, 100, 4096, 8192, 50000 };
	static const gfp_t flags[] = {
		GFP_KERNEL, GFP_ATOMIC, GFP_NOWAIT, GFP_KERNEL | __GFP_ZERO,
	};

	(void)state;
	for (unsigned i = 0; i < KMEM_ARRAY_SIZE(sizes); i++) {
		assert_true(start_full(512 * KIB, &not_waiting));
		while (kmalloc(sizes[i], GFP_ATOMIC | QUIET))
			;
		assert_int_equal(test_log_lines(), 0);
		for (unsigned k = 0; k < KMEM_ARRAY_SIZE(flags); k++) {
			test_log_clear();
			assert_null(kmalloc(sizes[i], flags[k]));
			assert_int_equal(test_log_lines(),
					 !(flags[k] & __GFP_NOWARN));
			if (!(flags[k] & __GFP_NOWARN))
				assert_true(test_logged("failed"));
			test_log_clear();
			assert_null(kmalloc(sizes[i], flags[k] | QUIET));
			assert_int_equal(test_log_lines(), 0);
		}
	}
}

/* The same when there is a page for a slab, but none for its slots. */
static void test_failure_for_slots_is_logged(void **state)
{
	unsigned silent = 0, failed = 0;

	(void)state;
	assert_true(start_full(512 * KIB, &not_waiting));
	while (kmalloc(16, GFP_ATOMIC | QUIET))
		;
	while (pool.nr) {
		__free_page(pool.page[--pool.nr]);
		for (unsigned i = 0; i < 300; i++) {
			test_log_clear();
			if (kmalloc(16, GFP_ATOMIC))
				continue;
			failed++;
			silent += test_log_lines() != 1;
			test_log_clear();
			assert_null(kmalloc(16, GFP_ATOMIC | QUIET));
			assert_int_equal(test_log_lines(), 0);
		}
	}
	assert_true(failed > 0);
	assert_int_equal(silent, 0);
}

/* When memory is used up kmalloc() says NULL, for each size, and everything
 * can be freed and allocated again. */
static void test_exhaustion(void **state)
{
	static const size_t sizes[] = { 16, 200, 3000, 8192, 70000 };
	static void *held[8000000 / 4];

	(void)state;
	host_machine(16 * MIB, 2);
	for (unsigned i = 0; i < KMEM_ARRAY_SIZE(sizes); i++) {
		size_t first = 0;

		for (unsigned round = 0; round < 2; round++) {
			size_t n = 0;

			while ((held[n] = kmalloc(sizes[i],
						  GFP_KERNEL | QUIET)))
				n++;
			/* or, beside guards, a quarter */
			assert_true(n * kmalloc_size_roundup(sizes[i]) >
				    (KMEM_HARDEN ? 3 : 12) * MIB);
			if (!round)
				first = n;
			/* the second time is as good as the first, but for
			 * what the first left in kmem's tables */
			assert_true(n * 100 >= first * 97);
			assert_sound();
			while (n)
				kfree(held[--n]);
		}
		test_drain(2);
		assert_sound();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_every_size),
		CASE(test_too_large),
		CASE(test_zero_size),
		CASE(test_index),
		CASE(test_constant_size),
		CASE(test_waste_of_classes),
		CASE(test_zeroed),
		CASE(test_contents),
		CASE(test_overflow),
		CASE(test_krealloc),
		CASE(test_krealloc_corners),
		CASE(test_krealloc_fails),
		CASE(test_krealloc_zero),
		CASE(test_krealloc_zero_in_place),
		CASE(test_krealloc_keeps_alignment),
		CASE(test_krealloc_misuse),
		CASE(test_dup),
		CASE(test_dup_more),
		CASE(test_strndup_unterminated),
		CASE(test_sensitive),
		CASE(test_zones),
		CASE(test_dma_runs_out),
		CASE(test_reclaimable),
		CASE(test_sized),
		CASE(test_kfree_bulk),
		CASE(test_kfree_of_cache_object),
		CASE(test_misuse_small),
		CASE(test_misuse_large),
		CASE(test_misuse_of_internals),
		CASE(test_hooks),
		CASE(test_nofail_on_tiny_machines),
		CASE(test_nofail_of_caches),
		CASE(test_nofail_takes_what_came_free),
		CASE(test_nofail_without_waiting),
		CASE(test_failure_is_logged),
		CASE(test_failure_for_slots_is_logged),
		CASE(test_exhaustion),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
