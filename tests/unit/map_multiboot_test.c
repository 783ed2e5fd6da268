// SPDX-License-Identifier: MIT
/*
 * tests/unit/map_multiboot_test.c - the memory map of a Multiboot loader, in
 * both versions of the protocol.
 *
 * The blobs are what QEMU and GRUB left to kernels (tests/data/bootinfo): the
 * same machine's memory seen by different loaders. What could go wrong: a
 * field read at the wrong place, a byte read outside of what is there, a tag
 * that leads astray, an end that never comes.
 */
#include <kmem/map_multiboot.h>

#include "unit.h"
#include "blob.h"

#define DATA "tests/data/bootinfo/"

/* Version 1: where the file's first byte was, and the information. */
#define QEMU_BASE	0x9000u
#define QEMU_INFO	0x9500u
#define GRUB_BASE	0x10000u
#define GRUB_INFO	0x10000u
#define GRUB_MAP	0xacu		/* in the file */

static int walk_qemu(const void *bytes, size_t room, kmem_map_fn fn, void *ctx)
{
	struct kmem_map_window window = { bytes, QEMU_BASE, room };

	return kmem_map_multiboot(&window, QEMU_INFO, fn, ctx);
}

static int walk_grub(const void *bytes, size_t room, kmem_map_fn fn, void *ctx)
{
	struct kmem_map_window window = { bytes, GRUB_BASE, room };

	return kmem_map_multiboot(&window, GRUB_INFO, fn, ctx);
}

struct expected {
	kmem_phys_t start, end;
	const char *what;
};

static const struct expected by_qemu[] = {
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

/* The same machine, with a display adapter. */
static const struct expected by_grub[] = {
	{ 0x0, 0x9fc00, "usable" },
	{ 0x9fc00, 0xa0000, "reserved" },
	{ 0xf0000, 0x100000, "reserved" },
	{ 0x100000, 0x7ffdf000, "usable" },
	{ 0x7ffdf000, 0x80000000, "reserved" },
	{ 0xb0000000, 0xc0000000, "reserved" },
	{ 0xfed1c000, 0xfed20000, "reserved" },
	{ 0xfffc0000, 0x100000000, "reserved" },
	{ 0x100000000, 0x200000000, "usable" },
	{ 0xfd00000000, 0x10000000000, "reserved" },
};

/* GRUB's own summary of the firmware's 125 entries. */
static const struct expected by_grub_efi[] = {
	{ 0x0, 0xa0000, "usable" },
	{ 0x100000, 0x800000, "usable" },
	{ 0x800000, 0x808000, "ACPI NVS" },
	{ 0x808000, 0x80b000, "usable" },
	{ 0x80b000, 0x80c000, "ACPI NVS" },
	{ 0x80c000, 0x810000, "usable" },
	{ 0x810000, 0x900000, "ACPI NVS" },
	{ 0x900000, 0x7eab7000, "usable" },
	{ 0x7eab7000, 0x7eb78000, "reserved" },
	{ 0x7eb78000, 0x7f4ed000, "usable" },
	{ 0x7f4ed000, 0x7f5ed000, "reserved" },
	{ 0x7f5ed000, 0x7f6ed000, "other" },
	{ 0x7f6ed000, 0x7f76d000, "reserved" },
	{ 0x7f76d000, 0x7f77f000, "ACPI data" },
	{ 0x7f77f000, 0x7f7ff000, "ACPI NVS" },
	{ 0x7f7ff000, 0x7ff58000, "usable" },
	{ 0x7ff58000, 0x7ff78000, "reserved" },
	{ 0x7ff78000, 0x80000000, "ACPI NVS" },
	{ 0xb0000000, 0xc0000000, "reserved" },
	{ 0x100000000, 0x200000000, "usable" },
};

static void check_entries(const struct blob *b, blob_walk_fn walk,
			  const struct expected *expected, size_t nr)
{
	int err;
	struct seen seen = seen_by(b, walk, &err);

	assert_int_equal(err, KMEM_OK);
	assert_int_equal(seen.nr, nr);
	for (size_t i = 0; i < nr; i++) {
		const struct kmem_map_entry *e = &seen.entry[i];

		assert_int_equal(e->start, expected[i].start);
		assert_int_equal(e->start + e->size, expected[i].end);
		assert_string_equal(e->what, expected[i].what);
		assert_int_equal(e->type == KMEM_REGION_USABLE,
				 !strcmp(e->what, "usable"));
		assert_int_equal(e->node, KMEM_NO_NODE);
	}
	blob_check_stops(b, walk);
}

#define CHECK_ENTRIES(b, walk, expected) \
	check_entries((b), (walk), (expected), KMEM_ARRAY_SIZE(expected))

static void reads_what_qemu_wrote(void **state)
{
	struct blob b = blob_read(DATA "multiboot-qemu.bin");

	(void)state;
	CHECK_ENTRIES(&b, walk_qemu, by_qemu);
	free(b.bytes);
}

static void reads_what_grub_wrote(void **state)
{
	struct blob b = blob_read(DATA "multiboot-grub.bin");

	(void)state;
	CHECK_ENTRIES(&b, walk_grub, by_grub);
	free(b.bytes);
}

static void reads_version_2(void **state)
{
	struct blob bios = blob_read(DATA "multiboot2-grub-bios.bin");
	struct blob efi = blob_read(DATA "multiboot2-grub-efi.bin");

	(void)state;
	CHECK_ENTRIES(&bios, kmem_map_multiboot2, by_grub);
	CHECK_ENTRIES(&efi, kmem_map_multiboot2, by_grub_efi);
	free(bios.bytes);
	free(efi.bytes);
}

/* ---- without the loader's map ---- */

static size_t usable_bytes(const struct seen *seen)
{
	size_t sum = 0;

	for (size_t i = 0; i < seen->nr; i++)
		if (seen->entry[i].type == KMEM_REGION_USABLE)
			sum += (size_t)seen->entry[i].size;
	return sum;
}

/* Lower and upper memory: up to the first hole, and so none above 4 GiB. */
static void falls_back_to_two_numbers(void **state)
{
	static const struct expected two[] = {
		{ 0, 0x9fc00, "lower memory" },
		{ 0x100000, 0x7ffdf000, "upper memory" },
	};
	struct blob b = blob_read(DATA "multiboot-grub.bin");
	struct seen seen;
	int err;

	(void)state;
	blob_put32(&b, 0, blob_get32(&b, 0) & ~KMEM_MULTIBOOT_HAS_MAP);
	seen = seen_by(&b, walk_grub, &err);
	assert_int_equal(err, KMEM_OK);
	assert_int_equal(seen.nr, 2);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(seen.entry[i].start, two[i].start);
		assert_int_equal(seen.entry[i].start + seen.entry[i].size,
				 two[i].end);
		assert_int_equal(seen.entry[i].type, KMEM_REGION_USABLE);
		assert_string_equal(seen.entry[i].what, two[i].what);
	}
	blob_check_stops(&b, walk_grub);
	blob_check_cuts(&b, walk_grub);

	/* All ones is 4 TiB: no overflow, in 64 bits. */
	blob_put32(&b, KMEM_MULTIBOOT_UPPER_KIB, 0xffffffff);
	seen = seen_by(&b, walk_grub, &err);
	assert_int_equal(seen.entry[1].size, 0x3fffffffc00);

	blob_put32(&b, 0, 0);
	assert_int_equal(walk_grub(b.bytes, b.size, seen_add, &seen),
			 KMEM_EINVAL);

	/* A map of nothing is none, and the two numbers are not asked then. */
	blob_put32(&b, 0, KMEM_MULTIBOOT_HAS_MAP | KMEM_MULTIBOOT_HAS_KIB);
	blob_put32(&b, KMEM_MULTIBOOT_MAP_BYTES, 0);
	seen.nr = 0;
	assert_int_equal(walk_grub(b.bytes, b.size, seen_add, &seen),
			 KMEM_EINVAL);
	assert_int_equal(seen.nr, 0);
	free(b.bytes);
}

/* Give a tag of version 2 a type that nobody knows. */
static uint32_t find_tag(const struct blob *b, uint32_t type)
{
	uint32_t at = 8;

	while (blob_get32(b, at) != type)
		at += (blob_get32(b, at + 4) + 7) & ~7u;
	return at;
}

static void hide_tag(struct blob *b, uint32_t type)
{
	blob_put32(b, find_tag(b, type), 0x1000);
}

/*
 * GRUB's summary calls usable what is conventional, the loader's, or boot
 * services'; from EFI's map the loader's own is left out, as it may be this
 * information, or a module.
 */
static void falls_back_to_efi_map(void **state)
{
	struct blob b = blob_read(DATA "multiboot2-grub-efi.bin");
	struct seen grub, efi;
	size_t loader = 0;
	int err;

	(void)state;
	grub = seen_by(&b, kmem_map_multiboot2, &err);
	hide_tag(&b, KMEM_MULTIBOOT2_MAP);
	efi = seen_by(&b, kmem_map_multiboot2, &err);
	assert_int_equal(err, KMEM_OK);
	assert_int_equal(efi.nr, 125);
	assert_int_equal(efi.entry[0].start, 0);
	assert_string_equal(efi.entry[0].what, "EFI boot code");
	assert_string_equal(efi.entry[2].what, "EFI conventional");
	assert_int_equal(efi.entry[2].start, 0x8000);
	assert_int_equal(efi.entry[2].size, 152 * 4096);

	for (size_t i = 0; i < efi.nr; i++)
		if (!strncmp(efi.entry[i].what, "EFI loader", 10))
			loader += (size_t)efi.entry[i].size;
	assert_int_equal(usable_bytes(&efi) + loader, usable_bytes(&grub));
	blob_check_stops(&b, kmem_map_multiboot2);
	free(b.bytes);
}

/* As long as EFI's boot services run, their memory is theirs. */
static void leaves_running_services_alone(void **state)
{
	struct blob b = blob_read(DATA "multiboot2-grub-efi.bin");
	struct seen ended, run;
	size_t services = 0;
	int err;

	(void)state;
	hide_tag(&b, KMEM_MULTIBOOT2_MAP);
	ended = seen_by(&b, kmem_map_multiboot2, &err);
	blob_put32(&b, 8, KMEM_MULTIBOOT2_EFI_RUNS);	/* any other tag */
	run = seen_by(&b, kmem_map_multiboot2, &err);
	assert_int_equal(err, KMEM_OK);
	assert_int_equal(run.nr, ended.nr);
	for (size_t i = 0; i < run.nr; i++)
		if (!strncmp(run.entry[i].what, "EFI boot", 8)) {
			assert_int_equal(run.entry[i].type,
					 KMEM_REGION_RESERVED);
			services += (size_t)run.entry[i].size;
		}
	assert_true(services > 0);
	assert_int_equal(usable_bytes(&run) + services, usable_bytes(&ended));
	free(b.bytes);
}

static void falls_back_to_two_numbers_in_version_2(void **state)
{
	struct blob b = blob_read(DATA "multiboot2-grub-bios.bin");
	struct seen seen;
	int err;

	(void)state;
	hide_tag(&b, KMEM_MULTIBOOT2_MAP);
	seen = seen_by(&b, kmem_map_multiboot2, &err);
	assert_int_equal(err, KMEM_OK);
	assert_int_equal(seen.nr, 2);
	assert_int_equal(usable_bytes(&seen), 0x9fc00 + 0x7fedf000);
	assert_int_equal(blob_check_cuts(&b, kmem_map_multiboot2), b.size);
	hide_tag(&b, KMEM_MULTIBOOT2_KIB);
	seen_by(&b, kmem_map_multiboot2, &err);
	assert_int_equal(err, KMEM_EINVAL);
	free(b.bytes);
}

/* ---- handed on ---- */

static kmem_phys_t plan_usable(blob_walk_fn walk, const char *path)
{
	struct kmem_params params = { .nr_cpus = 1 };
	struct kmem_boot_info info;
	struct blob b = blob_read(path);

	kmem_reset();
	assert_int_equal(walk(b.bytes, b.size, kmem_map_add, NULL), KMEM_OK);
	assert_int_equal(kmem_boot_plan(&params, &info), KMEM_OK);
	kmem_reset();
	free(b.bytes);
	return info.usable;
}

static void hands_it_to_kmem(void **state)
{
	(void)state;
	assert_int_equal(plan_usable(walk_qemu, DATA "multiboot-qemu.bin"),
			 0x9fc00 + 0x7fee0000 + 4 * GIB);
	assert_int_equal(plan_usable(walk_grub, DATA "multiboot-grub.bin"),
			 0x9fc00 + 0x7fedf000 + 4 * GIB);
	assert_int_equal(plan_usable(kmem_map_multiboot2,
				     DATA "multiboot2-grub-bios.bin"),
			 0x9fc00 + 0x7fedf000 + 4 * GIB);
}

/* ---- cut and corrupted ---- */

/*
 * QEMU's information comes behind its map, and ends with fields that are not
 * used; GRUB's map comes last. Version 2 says how long it is.
 */
static void refuses_what_is_cut_off(void **state)
{
	struct blob b = blob_read(DATA "multiboot-qemu.bin");

	(void)state;
	assert_int_equal(blob_check_cuts(&b, walk_qemu),
			 QEMU_INFO - QEMU_BASE + KMEM_MULTIBOOT_BYTES);
	free(b.bytes);
	b = blob_read(DATA "multiboot-grub.bin");
	assert_int_equal(blob_check_cuts(&b, walk_grub), b.size);
	free(b.bytes);
	b = blob_read(DATA "multiboot2-grub-bios.bin");
	assert_int_equal(blob_check_cuts(&b, kmem_map_multiboot2), b.size);
	free(b.bytes);
	b = blob_read(DATA "multiboot2-grub-efi.bin");
	assert_int_equal(blob_check_cuts(&b, kmem_map_multiboot2), b.size);
	free(b.bytes);
}

/* Shorter lengths that the information itself admits to: cut tags and lists
 * of tags. No length may lead out of the block. */
static void refuses_what_says_it_is_shorter(void **state)
{
	struct blob b = blob_read(DATA "multiboot2-grub-efi.bin");
	size_t size = b.size;
	struct seen seen = { .nr = 0 };

	(void)state;
	hide_tag(&b, KMEM_MULTIBOOT2_MAP);
	for (size_t n = 8; n < size; n++) {
		struct blob cut = blob_cut(&b, n);

		blob_put32(&cut, 0, (uint32_t)n);
		assert_int_equal(kmem_map_multiboot2(cut.bytes, n, seen_add,
						     &seen), KMEM_EINVAL);
		free(cut.bytes);
	}
	assert_int_equal(seen.nr, 0);
	free(b.bytes);
}

static void survives_every_changed_byte(void **state)
{
	struct blob b = blob_read(DATA "multiboot-qemu.bin");

	(void)state;
	blob_check_changes(&b, 0, b.size, walk_qemu);
	free(b.bytes);
	b = blob_read(DATA "multiboot-grub.bin");
	blob_check_changes(&b, 0, b.size, walk_grub);
	free(b.bytes);
	b = blob_read(DATA "multiboot2-grub-bios.bin");
	blob_check_changes(&b, 0, b.size, kmem_map_multiboot2);
	hide_tag(&b, KMEM_MULTIBOOT2_MAP);
	blob_check_changes(&b, 0, b.size, kmem_map_multiboot2);
	free(b.bytes);
}

/* Behind the loader's own map nothing is looked at, if that is there. */
static void survives_every_changed_byte_of_efi(void **state)
{
	struct blob b = blob_read(DATA "multiboot2-grub-efi.bin");

	(void)state;
	blob_check_changes(&b, 0, 600, kmem_map_multiboot2);
	hide_tag(&b, KMEM_MULTIBOOT2_MAP);
	blob_check_changes(&b, 0, b.size, kmem_map_multiboot2);
	free(b.bytes);
}

/* ---- entries of other lengths ---- */

/* An entry may be longer than what is known of it, never shorter. */
static void steps_by_the_size_an_entry_says(void **state)
{
	struct blob b = blob_read(DATA "multiboot-grub.bin");
	int err;
	struct seen seen;

	(void)state;
	blob_put32(&b, GRUB_MAP, 20 + 24);	/* swallows the second */
	seen = seen_by(&b, walk_grub, &err);
	assert_int_equal(err, KMEM_OK);
	assert_int_equal(seen.nr, KMEM_ARRAY_SIZE(by_grub) - 1);
	assert_int_equal(seen.entry[1].start, by_grub[2].start);

	blob_put32(&b, GRUB_MAP, 19);
	seen_by(&b, walk_grub, &err);
	assert_int_equal(err, KMEM_EINVAL);
	blob_put32(&b, GRUB_MAP, 0xfffffffc);	/* + 4 would be 0 */
	seen_by(&b, walk_grub, &err);
	assert_int_equal(err, KMEM_EINVAL);
	free(b.bytes);
}

static void refuses_tags_of_no_length(void **state)
{
	struct blob b = blob_read(DATA "multiboot2-grub-bios.bin");
	int err;

	(void)state;
	for (uint32_t size = 0; size < 8; size++) {
		blob_put32(&b, 12, size);
		seen_by(&b, kmem_map_multiboot2, &err);
		assert_int_equal(err, KMEM_EINVAL);
	}
	blob_put32(&b, 12, 0xfffffff9);	/* rounded up to 8, it is 0 */
	seen_by(&b, kmem_map_multiboot2, &err);
	assert_int_equal(err, KMEM_EINVAL);
	free(b.bytes);

	/* a map too short to say how long its entries are */
	b = blob_read(DATA "multiboot2-grub-bios.bin");
	for (uint32_t size = 8; size <= 16; size++) {
		blob_put32(&b, find_tag(&b, KMEM_MULTIBOOT2_MAP) + 4, size);
		assert_int_equal(seen_by(&b, kmem_map_multiboot2, &err).nr, 0);
		assert_int_equal(err, KMEM_EINVAL);
	}
	free(b.bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_qemu_wrote),
		cmocka_unit_test(reads_what_grub_wrote),
		cmocka_unit_test(reads_version_2),
		cmocka_unit_test(falls_back_to_two_numbers),
		cmocka_unit_test(falls_back_to_efi_map),
		cmocka_unit_test(leaves_running_services_alone),
		cmocka_unit_test(falls_back_to_two_numbers_in_version_2),
		cmocka_unit_test(hands_it_to_kmem),
		cmocka_unit_test(refuses_what_is_cut_off),
		cmocka_unit_test(refuses_what_says_it_is_shorter),
		cmocka_unit_test(survives_every_changed_byte),
		cmocka_unit_test(survives_every_changed_byte_of_efi),
		cmocka_unit_test(steps_by_the_size_an_entry_says),
		cmocka_unit_test(refuses_tags_of_no_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
