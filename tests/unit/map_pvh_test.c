// SPDX-License-Identifier: MIT
/*
 * tests/unit/map_pvh_test.c - the memory map of a PVH loader.
 *
 * What could go wrong: a field read at the wrong place, a byte read outside of
 * what the caller can see, an entry lost. The blob is what QEMU left to a
 * kernel (tests/data/bootinfo), and its expected contents are written out
 * below, from QEMU's own list of its machine's memory.
 */
#include <kmem/map_pvh.h>

#include "unit.h"
#include "blob.h"

#define FILE_NAME	"tests/data/bootinfo/pvh-qemu.bin"
#define BASE		0x5a8u		/* physical, of the file's first byte */
#define INFO		0x21e0u		/* of struct hvm_start_info */
#define ENTRIES		(INFO - BASE + 48)
#define MAP		(INFO - BASE + 40)

/* The file lies at BASE, and `room` bytes of it can be seen. */
static int walk(const void *bytes, size_t room, kmem_map_fn fn, void *ctx)
{
	struct kmem_map_window window = { bytes, BASE, room };

	return kmem_map_pvh(&window, INFO, fn, ctx);
}

static const struct {
	kmem_phys_t start, end;
	const char *what;
} expected[] = {
	{ 0x0, 0x9fc00, "usable" },
	{ 0x9fc00, 0xa0000, "reserved" },
	{ 0xf0000, 0x100000, "reserved" },
	{ 0x100000, 0x7ffe0000, "usable" },
	{ 0x7ffe0000, 0x80000000, "reserved" },
	{ 0xb0000000, 0xc0000000, "reserved" },
	{ 0xfed1c000, 0xfed20000, "reserved" },
	{ 0xfffc0000, 0x100000000, "reserved" },
	{ 0x100000000, 0x200000000, "usable" },
	{ 0xfd00000000, 0x10000000000, "reserved" },
};

static void reads_what_qemu_wrote(void **state)
{
	struct blob b = blob_read(FILE_NAME);
	int err;
	struct seen seen = seen_by(&b, walk, &err);

	(void)state;
	assert_int_equal(err, KMEM_OK);
	assert_int_equal(seen.nr, KMEM_ARRAY_SIZE(expected));
	for (size_t i = 0; i < seen.nr; i++) {
		const struct kmem_map_entry *e = &seen.entry[i];

		assert_int_equal(e->start, expected[i].start);
		assert_int_equal(e->start + e->size, expected[i].end);
		assert_string_equal(e->what, expected[i].what);
		assert_int_equal(e->type == KMEM_REGION_USABLE,
				 !strcmp(e->what, "usable"));
		assert_int_equal(e->node, KMEM_NO_NODE);
	}
	blob_check_stops(&b, walk);
	free(b.bytes);
}

/* All of it reaches kmem: 6 GiB less the BIOS's holes. */
static void hands_it_to_kmem(void **state)
{
	struct kmem_params params = { .nr_cpus = 1 };
	struct kmem_boot_info info;
	struct blob b = blob_read(FILE_NAME);

	(void)state;
	kmem_reset();
	assert_int_equal(walk(b.bytes, b.size, kmem_map_add, NULL), KMEM_OK);
	assert_int_equal(kmem_boot_plan(&params, &info), KMEM_OK);
	assert_int_equal(info.nr_regions, KMEM_ARRAY_SIZE(expected));
	assert_int_equal(info.usable, 0x9fc00 + 0x7fee0000 + 4 * GIB);
	kmem_reset();
	free(b.bytes);
}

/* The structure comes last in the file: without its end there is nothing. */
static void refuses_every_shorter_file(void **state)
{
	struct blob b = blob_read(FILE_NAME);

	(void)state;
	assert_int_equal(blob_check_cuts(&b, walk), b.size);
	free(b.bytes);
}

/* The memory between the map and the structure is not looked at. */
static void survives_every_changed_byte(void **state)
{
	struct blob b = blob_read(FILE_NAME);
	size_t map_end = KMEM_ARRAY_SIZE(expected) * KMEM_PVH_ENTRY_BYTES;
	size_t refused = blob_check_changes(&b, INFO - BASE, b.size, walk);

	(void)state;
	/* At the least, all changes of the magic. */
	assert_true(refused >= 4 * (255 / test_step()));
	blob_check_changes(&b, 0, map_end, walk);
	assert_int_equal(0, blob_check_changes(&b, map_end, INFO - BASE, walk));
	free(b.bytes);
}

/* Windows that begin behind the map, or in the middle of it. */
static void sees_no_more_than_the_window(void **state)
{
	struct blob b = blob_read(FILE_NAME);

	(void)state;
	for (size_t skip = 1; skip < b.size; skip += 1 + skip / 8) {
		struct kmem_map_window w = {
			b.bytes + skip, BASE + skip, b.size - skip,
		};
		struct seen seen = { .nr = 0 };

		assert_int_equal(kmem_map_pvh(&w, INFO, seen_add, &seen),
				 KMEM_EINVAL);
		assert_int_equal(seen.nr, 0);
	}
	free(b.bytes);
}

/* Sums that overflow must not bring an address back into the window. */
static void refuses_absurd_numbers(void **state)
{
	struct blob b = blob_read(FILE_NAME);
	struct kmem_map_window w = { b.bytes, BASE, b.size };
	struct seen seen = { .nr = 0 };

	(void)state;
	assert_int_equal(kmem_map_pvh(&w, ~(kmem_phys_t)0, seen_add, &seen),
			 KMEM_EINVAL);
	assert_int_equal(kmem_map_pvh(&w, 0, seen_add, &seen), KMEM_EINVAL);

	blob_put32(&b, ENTRIES, 0xffffffff);
	assert_int_equal(walk(b.bytes, b.size, seen_add, &seen), KMEM_EINVAL);
	blob_put32(&b, ENTRIES, 0);
	assert_int_equal(walk(b.bytes, b.size, seen_add, &seen), KMEM_EINVAL);
	blob_put32(&b, ENTRIES, 1);
	assert_int_equal(walk(b.bytes, b.size, seen_add, &seen), KMEM_OK);
	assert_int_equal(seen.nr, 1);
	blob_put64(&b, MAP, ~(uint64_t)0 - 7);
	assert_int_equal(walk(b.bytes, b.size, seen_add, &seen), KMEM_EINVAL);
	blob_put64(&b, MAP, BASE - 1);
	assert_int_equal(walk(b.bytes, b.size, seen_add, &seen), KMEM_EINVAL);
	free(b.bytes);
}

/* The end of the address space is an end like others; beyond is nothing. */
static void takes_memory_up_to_the_last_byte(void **state)
{
	struct blob b = blob_read(FILE_NAME);
	struct seen seen = { .nr = 0 };

	(void)state;
	blob_put32(&b, ENTRIES, 1);
	blob_put64(&b, KMEM_E820_START, ~(uint64_t)0 - 0xfff);
	blob_put64(&b, KMEM_E820_SIZE, 0x1000);
	assert_int_equal(walk(b.bytes, b.size, seen_add, &seen), KMEM_OK);
	blob_put64(&b, KMEM_E820_SIZE, 0x1001);
	assert_int_equal(walk(b.bytes, b.size, seen_add, &seen), KMEM_EINVAL);
	blob_put64(&b, KMEM_E820_SIZE, 0);
	assert_int_equal(walk(b.bytes, b.size, seen_add, &seen), KMEM_OK);
	assert_int_equal(seen.nr, 2);
	free(b.bytes);
}

/* Only type 1 is memory for everybody, whatever else is in the list. */
static void believes_in_one_type_only(void **state)
{
	struct blob b = blob_read(FILE_NAME);

	(void)state;
	blob_put32(&b, ENTRIES, 1);
	for (uint32_t type = 0; type < 300; type++) {
		struct seen seen = { .nr = 0 };

		blob_put32(&b, KMEM_E820_TYPE, type < 290 ? type : -type);
		assert_int_equal(walk(b.bytes, b.size, seen_add, &seen),
				 KMEM_OK);
		assert_int_equal(seen.entry[0].type == KMEM_REGION_USABLE,
				 type == 1);
	}
	free(b.bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_qemu_wrote),
		cmocka_unit_test(hands_it_to_kmem),
		cmocka_unit_test(refuses_every_shorter_file),
		cmocka_unit_test(survives_every_changed_byte),
		cmocka_unit_test(sees_no_more_than_the_window),
		cmocka_unit_test(refuses_absurd_numbers),
		cmocka_unit_test(takes_memory_up_to_the_last_byte),
		cmocka_unit_test(believes_in_one_type_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
