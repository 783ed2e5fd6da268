// SPDX-License-Identifier: MIT
/*
 * tests/unit/map_phys32_test.c - the readers of memory maps, for a kernel whose
 * physical addresses have 32 bits.
 *
 * What could go wrong: memory above 4 GiB turns up below it, its address cut
 * off. The readers are inline, so this program has its own, with another
 * kmem_phys_t than the library: nothing of that is called.
 */
#define KMEM_ARCH_PHYS_BITS 32

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <kmem/map_e820.h>
#include <kmem/map_fdt.h>

#define FOUR_GIB	((uint64_t)1 << 32)

_Static_assert(sizeof(kmem_phys_t) == 4, "physical addresses of 32 bits");

static struct kmem_map_entry seen;
static unsigned nr_seen;

static int note(void *ctx, const struct kmem_map_entry *entry)
{
	(void)ctx;
	seen = *entry;
	nr_seen++;
	return KMEM_OK;
}

static int report(uint64_t start, uint64_t size)
{
	nr_seen = 0;
	return kmem_map_report(start, size, KMEM_REGION_USABLE, "usable", note,
			       NULL);
}

static void expect(uint64_t start, uint64_t size, kmem_phys_t reported)
{
	assert_int_equal(report(start, size), KMEM_OK);
	assert_int_equal(nr_seen, 1);
	assert_int_equal(seen.start, start);
	assert_int_equal(seen.size, reported);
}

/* What lies above is passed over, what reaches there is cut; the last byte has
 * no end that could be said. */
static void what_is_out_of_reach_is_cut_off(void **state)
{
	(void)state;
	expect(0x1000, 0x2000, 0x2000);
	expect(0, FOUR_GIB - 1, 0xffffffff);
	expect(0, FOUR_GIB, 0xffffffff);
	expect(0x80000000, FOUR_GIB, 0x7fffffff);
	expect(0x80000000, 0x80000000, 0x80000000);
	expect(0x80000000, 0x80000001, 0x7fffffff);
	expect(FOUR_GIB - 1, 0, 0);
	assert_int_equal(report(FOUR_GIB, 0x1000), KMEM_OK);
	assert_int_equal(nr_seen, 0);
	assert_int_equal(report(FOUR_GIB, 0), KMEM_OK);
	assert_int_equal(nr_seen, 0);
	assert_int_equal(report(UINT64_MAX, 2), KMEM_EINVAL);
	assert_int_equal(nr_seen, 0);
}

/* A devicetree says what this very machine has: there it is an error. */
static void devicetrees_are_refused(void **state)
{
	static const struct {
		uint64_t start, size;
		int err;
	} tried[] = {
		{ 0x80000000, 0x80000000, KMEM_OK },
		{ 0x80000000, 0x80000001, KMEM_EINVAL },
		{ 0, FOUR_GIB, KMEM_EINVAL },
		{ FOUR_GIB, 0x1000, KMEM_EINVAL },
		{ FOUR_GIB, 0, KMEM_EINVAL },
	};

	(void)state;
	for (unsigned i = 0; i < KMEM_ARRAY_SIZE(tried); i++) {
		nr_seen = 0;
		assert_int_equal(kmem_fdt_entry(tried[i].start, tried[i].size,
						KMEM_REGION_USABLE, 0, "memory",
						note, NULL), tried[i].err);
		assert_int_equal(nr_seen, tried[i].err == KMEM_OK);
	}
	/* the first of these: what was said */
	assert_int_equal(kmem_fdt_entry(0x80000000, 0x80000000,
					KMEM_REGION_USABLE, 3, "memory", note,
					NULL), KMEM_OK);
	assert_int_equal(seen.start, 0x80000000);
	assert_int_equal(seen.size, 0x80000000);
	assert_int_equal(seen.node, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_out_of_reach_is_cut_off),
		cmocka_unit_test(devicetrees_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
