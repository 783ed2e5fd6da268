// SPDX-License-Identifier: MIT
/*
 * tests/unit/map_efi_test.c - the memory map of UEFI firmware.
 *
 * What could go wrong: descriptors are longer than what is known of them, and
 * a step of the wrong length reads nonsense; memory that boot services still
 * have the kernel's stack in is taken for free. The blob is what OVMF wrote
 * (tests/data/bootinfo).
 */
#include <kmem/map_efi.h>

#include "unit.h"
#include "blob.h"

#define FILE_NAME	"tests/data/bootinfo/uefi-ovmf.bin"
#define EACH		48u
#define NR		122u

static int walk(const void *bytes, size_t room, kmem_map_fn fn, void *ctx)
{
	return kmem_map_efi(bytes, room, EACH, fn, ctx);
}

/* What is of each type, in pages, and how often: read off the file by another
 * program. */
static const struct {
	const char *what;
	unsigned times;
	uint64_t pages;
	enum kmem_region_type type;
} expected[] = {
	{ "EFI type 0", 2, 65664, KMEM_REGION_RESERVED },
	{ "EFI loader code", 1, 19, KMEM_REGION_LATER },
	{ "EFI boot code", 49, 951, KMEM_REGION_LATER },
	{ "EFI boot data", 52, 9237, KMEM_REGION_LATER },
	{ "EFI runtime code", 1, 256, KMEM_REGION_RESERVED },
	{ "EFI runtime data", 3, 646, KMEM_REGION_RESERVED },
	{ "EFI conventional", 8, 1561007, KMEM_REGION_USABLE },
	{ "EFI ACPI data", 1, 18, KMEM_REGION_LATER },
	{ "EFI ACPI NVS", 4, 506, KMEM_REGION_RESERVED },
	{ "EFI devices", 1, 1024, KMEM_REGION_RESERVED },
};

static void reads_what_the_firmware_wrote(void **state)
{
	struct blob b = blob_read(FILE_NAME);
	int err;
	struct seen seen = seen_by(&b, walk, &err);
	size_t sum = 0;

	(void)state;
	assert_int_equal(err, KMEM_OK);
	assert_int_equal(seen.nr, NR);
	for (size_t i = 0; i < KMEM_ARRAY_SIZE(expected); i++) {
		uint64_t pages = 0;
		unsigned n = 0;

		for (size_t k = 0; k < seen.nr; k++) {
			const struct kmem_map_entry *e = &seen.entry[k];

			if (strcmp(e->what, expected[i].what))
				continue;
			assert_int_equal(e->type, expected[i].type);
			pages += e->size / 4096;
			n++;
		}
		assert_int_equal(pages, expected[i].pages);
		assert_int_equal(n, expected[i].times);
		sum += n;
	}
	assert_int_equal(sum, NR);
	assert_int_equal(seen.entry[0].start, 0);
	assert_int_equal(seen.entry[1].start, 0x1000);
	assert_int_equal(seen.entry[1].size, 0x9f000);
	assert_int_equal(seen.entry[NR - 3].start, 0x140013000);
	blob_check_stops(&b, walk);
	free(b.bytes);
}

static void hands_it_to_kmem(void **state)
{
	/* so that the page at 0 is not the one at NULL */
	struct kmem_params params = { .nr_cpus = 1, .virt_offset = GIB };
	struct kmem_boot_info info;
	struct blob b = blob_read(FILE_NAME);
	/* the loader's code lies above 4 GiB */
	const unsigned low = 951 + 9237 + 18, high = 19;
	unsigned held = sizeof(void *) == 8 ? low + high : low;

	(void)state;
	kmem_reset();
	assert_int_equal(walk(b.bytes, b.size, kmem_map_add, NULL), KMEM_OK);
	assert_int_equal(kmem_boot_plan(&params, &info), KMEM_OK);
	assert_int_equal(info.nr_regions, NR);
	assert_int_equal(info.held, held * 4096);
	assert_int_equal(info.usable, (kmem_phys_t)(1561007 + low + high) * 4096);
	kmem_reset();
	free(b.bytes);
}

/* A map that ends within a descriptor is refused; one that ends between two is
 * a shorter map. */
static void refuses_what_is_cut_off(void **state)
{
	struct blob b = blob_read(FILE_NAME);

	(void)state;
	for (size_t size = 0; size < b.size; size++) {
		struct blob cut = blob_cut(&b, size);
		struct seen seen = { .nr = 0 };
		int err = walk(cut.bytes, size, seen_add, &seen);

		assert_int_equal(err, size && size % EACH == 0 ? KMEM_OK :
							       KMEM_EINVAL);
		assert_int_equal(seen.nr, size / EACH);
		free(cut.bytes);
	}
	free(b.bytes);
}

static void survives_every_changed_byte(void **state)
{
	struct blob b = blob_read(FILE_NAME);
	size_t refused = blob_check_changes(&b, 0, b.size, walk);

	(void)state;
	/* a number of pages of more than 52 bits */
	assert_true(refused >= NR * 255 / test_step());
	free(b.bytes);
}

static void refuses_absurd_sizes_of_descriptors(void **state)
{
	struct blob b = blob_read(FILE_NAME);
	struct seen seen = { .nr = 0 };

	(void)state;
	for (size_t each = 0; each < KMEM_EFI_DESCRIPTOR_BYTES; each++)
		assert_int_equal(kmem_map_efi(b.bytes, b.size, each, seen_add,
					      &seen), KMEM_EINVAL);
	assert_int_equal(seen.nr, 0);
	assert_int_equal(kmem_map_efi(b.bytes, b.size, b.size + 1, seen_add,
				      &seen), KMEM_EINVAL);
	assert_int_equal(kmem_map_efi(b.bytes, b.size, ~(size_t)0, seen_add,
				      &seen), KMEM_EINVAL);
	assert_int_equal(seen.nr, 0);
	assert_int_equal(kmem_map_efi(b.bytes, b.size, b.size, seen_add,
				      &seen), KMEM_OK);
	assert_int_equal(seen.nr, 1);
	free(b.bytes);
}

static void refuses_what_wraps(void **state)
{
	struct blob b = blob_read(FILE_NAME);
	struct seen seen = { .nr = 0 };

	(void)state;
	b.size = EACH;
	blob_put64(&b, KMEM_EFI_START, ~(uint64_t)0 - 0xfff);
	blob_put64(&b, KMEM_EFI_PAGES, 1);
	assert_int_equal(walk(b.bytes, EACH, seen_add, &seen), KMEM_OK);
	blob_put64(&b, KMEM_EFI_PAGES, 2);
	assert_int_equal(walk(b.bytes, EACH, seen_add, &seen), KMEM_EINVAL);
	blob_put64(&b, KMEM_EFI_START, 0);
	blob_put64(&b, KMEM_EFI_PAGES, (uint64_t)1 << 52);
	assert_int_equal(walk(b.bytes, EACH, seen_add, &seen), KMEM_EINVAL);
	free(b.bytes);
}

/* Each type, and memory that the firmware keeps for a purpose. */
static void knows_the_types(void **state)
{
	struct blob b = blob_read(FILE_NAME);

	(void)state;
	for (uint32_t type = 0; type < 300; type++) {
		bool later = type == 1 || type == 2 || type == 3 || type == 4 ||
			     type == 9;
		struct seen seen = { .nr = 0 };

		blob_put32(&b, 0, type);
		blob_put64(&b, KMEM_EFI_ATTRIBUTES, 0xf);
		assert_int_equal(walk(b.bytes, EACH, seen_add, &seen), KMEM_OK);
		blob_put64(&b, KMEM_EFI_ATTRIBUTES, 0x4000f);
		assert_int_equal(walk(b.bytes, EACH, seen_add, &seen), KMEM_OK);
		assert_int_equal(seen.entry[0].type, type == 7 ?
				 KMEM_REGION_USABLE : later ?
				 KMEM_REGION_LATER : KMEM_REGION_RESERVED);
		assert_int_equal(seen.entry[1].type, later ?
				 KMEM_REGION_LATER : KMEM_REGION_RESERVED);
	}
	free(b.bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_the_firmware_wrote),
		cmocka_unit_test(hands_it_to_kmem),
		cmocka_unit_test(refuses_what_is_cut_off),
		cmocka_unit_test(survives_every_changed_byte),
		cmocka_unit_test(refuses_absurd_sizes_of_descriptors),
		cmocka_unit_test(refuses_what_wraps),
		cmocka_unit_test(knows_the_types),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
