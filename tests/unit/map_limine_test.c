// SPDX-License-Identifier: MIT
/*
 * tests/unit/map_limine_test.c - the memory map of a Limine loader.
 *
 * What could go wrong: a pointer is followed out of what the caller can see,
 * memory that the loader still uses is taken for free. The blob is what Limine
 * left to a kernel (tests/data/bootinfo): an array of pointers, the entries a
 * page or two above, the response at the end.
 */
#include <kmem/map_limine.h>

#include "unit.h"
#include "blob.h"

#define FILE_NAME	"tests/data/bootinfo/limine-bios.bin"
#define HHDM_FILE	"tests/data/bootinfo/limine-bios-hhdm.bin"
#define HHDM		0xffff800000000000u
#define BASE		(HHDM + 0x7fe74000u)	/* virtual, of the first byte */
#define ENTRIES		0x2000u			/* offsets in the file */
#define RESPONSE	0x8000u
#define NR		19u

static int walk(const void *bytes, size_t room, kmem_map_fn fn, void *ctx)
{
	struct kmem_map_window window = { bytes, BASE, room };

	return kmem_map_limine(&window, BASE + RESPONSE, fn, ctx);
}

static const struct {
	kmem_phys_t start, size;
	const char *what;
} expected[NR] = {
	{ 0x1000, 0x50000, "boot loader" },
	{ 0x51000, 0x4e000, "usable" },
	{ 0x9fc00, 0x400, "reserved" },
	{ 0xf0000, 0x10000, "reserved" },
	{ 0x100000, 0x7fd4b000, "usable" },
	{ 0x7fe4b000, 0x4000, "boot loader" },
	{ 0x7fe4f000, 0x2000, "kernel and modules" },
	{ 0x7fe51000, 0x6000, "boot loader" },
	{ 0x7fe57000, 0x1000, "usable" },
	{ 0x7fe58000, 0x2000, "boot loader" },
	{ 0x7fe5a000, 0x1a000, "usable" },
	{ 0x7fe74000, 0x16b000, "boot loader" },
	{ 0x7ffdf000, 0x21000, "reserved" },
	{ 0xb0000000, 0x10000000, "reserved" },
	{ 0xfd000000, 0x3e8000, "frame buffer" },
	{ 0xfed1c000, 0x4000, "reserved" },
	{ 0xfffc0000, 0x40000, "reserved" },
	{ 0x100000000, 0x100000000, "usable" },
	{ 0xfd00000000, 0x300000000, "reserved" },
};

static enum kmem_region_type type_of(const char *what)
{
	return !strcmp(what, "usable") ? KMEM_REGION_USABLE :
	       !strcmp(what, "boot loader") ? KMEM_REGION_LATER :
					      KMEM_REGION_RESERVED;
}

static void reads_what_limine_wrote(void **state)
{
	struct blob b = blob_read(FILE_NAME);
	int err;
	struct seen seen = seen_by(&b, walk, &err);

	(void)state;
	assert_int_equal(err, KMEM_OK);
	assert_int_equal(seen.nr, NR);
	for (size_t i = 0; i < seen.nr; i++) {
		const struct kmem_map_entry *e = &seen.entry[i];

		assert_int_equal(e->start, expected[i].start);
		assert_int_equal(e->size, expected[i].size);
		assert_string_equal(e->what, expected[i].what);
		assert_int_equal(e->type, type_of(e->what));
		assert_int_equal(e->node, KMEM_NO_NODE);
	}
	blob_check_stops(&b, walk);
	free(b.bytes);
}

static void reads_the_direct_maps_offset(void **state)
{
	struct blob b = blob_read(HHDM_FILE);
	struct kmem_map_window w = { b.bytes, HHDM + 0x7fea5000u, b.size };
	uint64_t offset;

	(void)state;
	assert_int_equal(kmem_limine_hhdm(&w, w.start, &offset), KMEM_OK);
	assert_int_equal(offset, HHDM);
	for (uint64_t at = w.start - 20; at < w.start + 20; at++)
		if (at != w.start)
			assert_int_equal(kmem_limine_hhdm(&w, at, &offset),
					 KMEM_EINVAL);
	for (w.size = 0; w.size < b.size; w.size++)
		assert_int_equal(kmem_limine_hhdm(&w, w.start, &offset),
				 KMEM_EINVAL);
	w.size = b.size;
	blob_put32(&b, KMEM_LIMINE_HHDM_OFFSET, 4095);
	assert_int_equal(kmem_limine_hhdm(&w, w.start, &offset), KMEM_EINVAL);
	free(b.bytes);
}

/* All of it reaches kmem, and the loader's share is held back. */
static void hands_it_to_kmem(void **state)
{
	struct kmem_params params = { .nr_cpus = 1 };
	struct kmem_boot_info info;
	struct blob b = blob_read(FILE_NAME);
	kmem_phys_t bytes[3] = { 0 };

	(void)state;
	for (size_t i = 0; i < NR; i++)
		bytes[type_of(expected[i].what)] += expected[i].size;
	kmem_reset();
	assert_int_equal(walk(b.bytes, b.size, kmem_map_add, NULL), KMEM_OK);
	assert_int_equal(kmem_boot_plan(&params, &info), KMEM_OK);
	assert_int_equal(info.nr_regions, NR);
	assert_int_equal(info.usable, bytes[KMEM_REGION_USABLE] +
				      bytes[KMEM_REGION_LATER]);
	assert_int_equal(info.held, bytes[KMEM_REGION_LATER]);
	assert_int_equal(info.usable, info.managed + info.held +
			 info.metadata + info.rounding + info.unreachable);
	kmem_reset();
	free(b.bytes);
}

/* The response comes last in the file: without its end there is nothing. */
static void refuses_every_shorter_file(void **state)
{
	struct blob b = blob_read(FILE_NAME);

	(void)state;
	assert_int_equal(blob_check_cuts(&b, walk), b.size);
	free(b.bytes);
}

/* Windows that begin behind the pointers, or behind the entries. */
static void sees_no_more_than_the_window(void **state)
{
	struct blob b = blob_read(FILE_NAME);

	(void)state;
	for (size_t skip = 1; skip < b.size; skip += 1 + skip / 8) {
		struct kmem_map_window w = {
			b.bytes + skip, BASE + skip, b.size - skip,
		};
		struct seen seen = { .nr = 0 };

		assert_int_equal(kmem_map_limine(&w, BASE + RESPONSE, seen_add,
						 &seen), KMEM_EINVAL);
		assert_int_equal(seen.nr, 0);
	}
	free(b.bytes);
}

static void survives_every_changed_byte(void **state)
{
	struct blob b = blob_read(FILE_NAME);
	size_t refused;

	(void)state;
	/* A pointer that leads elsewhere in the file finds zeros there. */
	blob_check_changes(&b, 0, NR * 8, walk);
	blob_check_changes(&b, ENTRIES, ENTRIES + NR * KMEM_LIMINE_ENTRY_BYTES,
			   walk);
	refused = blob_check_changes(&b, RESPONSE + 8, b.size, walk);
	/* Bits 16 to 63 of both numbers. */
	assert_true(refused >= 2 * 6 * 255 / test_step());
	free(b.bytes);
}

static void refuses_absurd_numbers(void **state)
{
	struct blob b = blob_read(FILE_NAME);
	struct kmem_map_window w = { b.bytes, BASE, b.size };
	struct seen seen = { .nr = 0 };

	(void)state;
	assert_int_equal(kmem_map_limine(&w, 0, seen_add, &seen), KMEM_EINVAL);
	assert_int_equal(kmem_map_limine(&w, ~(uint64_t)0, seen_add, &seen),
			 KMEM_EINVAL);
	blob_put64(&b, RESPONSE + KMEM_LIMINE_COUNT, 0);
	assert_int_equal(walk(b.bytes, b.size, seen_add, &seen), KMEM_EINVAL);
	blob_put64(&b, RESPONSE + KMEM_LIMINE_COUNT, (uint64_t)1 << 61);
	assert_int_equal(walk(b.bytes, b.size, seen_add, &seen), KMEM_EINVAL);
	blob_put64(&b, RESPONSE + KMEM_LIMINE_COUNT, ~(uint64_t)0);
	assert_int_equal(walk(b.bytes, b.size, seen_add, &seen), KMEM_EINVAL);
	blob_put64(&b, RESPONSE + KMEM_LIMINE_COUNT, 1);
	assert_int_equal(walk(b.bytes, b.size, seen_add, &seen), KMEM_OK);
	assert_int_equal(seen.nr, 1);
	blob_put64(&b, 0, ~(uint64_t)0 - 8);
	assert_int_equal(walk(b.bytes, b.size, seen_add, &seen), KMEM_EINVAL);
	free(b.bytes);
}

/* 0 is what a loader leaves that knows no such request: no response, even for
 * who can see what is at address 0. */
static void refuses_no_response(void **state)
{
	struct blob b = blob_read(FILE_NAME);
	struct kmem_map_window w = { b.bytes, 0, b.size };
	struct seen seen = { .nr = 0 };

	(void)state;
	blob_put64(&b, KMEM_LIMINE_COUNT, 1);
	blob_put64(&b, KMEM_LIMINE_ENTRIES, RESPONSE);
	blob_put64(&b, RESPONSE, ENTRIES);
	assert_int_equal(kmem_map_limine(&w, 0, seen_add, &seen), KMEM_EINVAL);
	assert_int_equal(seen.nr, 0);
	memmove(b.bytes + 8, b.bytes, KMEM_LIMINE_RESPONSE_BYTES);
	assert_int_equal(kmem_map_limine(&w, 8, seen_add, &seen), KMEM_OK);
	assert_int_equal(seen.nr, 1);
	free(b.bytes);
}

/* Only three types are memory for kmem, and these are whole pages. */
static void believes_in_three_types(void **state)
{
	struct blob b = blob_read(FILE_NAME);

	(void)state;
	blob_put64(&b, RESPONSE + KMEM_LIMINE_COUNT, 1);
	for (uint32_t type = 0; type < 300; type++) {
		enum kmem_region_type is = KMEM_REGION_RESERVED;
		struct seen seen = { .nr = 0 };

		if (type == 0)
			is = KMEM_REGION_USABLE;
		if (type == 2 || type == 5)
			is = KMEM_REGION_LATER;
		blob_put32(&b, ENTRIES + KMEM_LIMINE_TYPE, type);
		assert_int_equal(walk(b.bytes, b.size, seen_add, &seen),
				 KMEM_OK);
		assert_int_equal(seen.entry[0].type, is);
		blob_put32(&b, ENTRIES + KMEM_LIMINE_START, 0x1001);
		assert_int_equal(walk(b.bytes, b.size, seen_add, &seen),
				 type == 0 || type == 5 ? KMEM_EINVAL :
							  KMEM_OK);
		blob_put32(&b, ENTRIES + KMEM_LIMINE_START, 0x1000);
	}
	/* a type of 64 bits */
	blob_put64(&b, ENTRIES + KMEM_LIMINE_TYPE, (uint64_t)1 << 32);
	struct seen seen = seen_by(&b, walk, &(int){ 0 });
	assert_int_equal(seen.entry[0].type, KMEM_REGION_RESERVED);
	free(b.bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_limine_wrote),
		cmocka_unit_test(reads_the_direct_maps_offset),
		cmocka_unit_test(hands_it_to_kmem),
		cmocka_unit_test(refuses_every_shorter_file),
		cmocka_unit_test(sees_no_more_than_the_window),
		cmocka_unit_test(survives_every_changed_byte),
		cmocka_unit_test(refuses_absurd_numbers),
		cmocka_unit_test(refuses_no_response),
		cmocka_unit_test(believes_in_three_types),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
