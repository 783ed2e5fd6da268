/* SPDX-License-Identifier: MIT */
/*
 * kmem/map_multiboot.h - the memory map of a Multiboot loader: GRUB, QEMU's
 * -kernel, iPXE, Limine and others.
 *
 * All numbers are little-endian. The physical address of the information is
 * in %ebx; what is in %eax tells which of the two versions it is.
 *
 * ## Version 1: %eax = 0x2badb002, kmem_map_multiboot()
 *
 *	byte 0	flags: which of what follows is there	32 bits each
 *	     4	lower KiB, from address 0		flag 0
 *	     8	upper KiB, from 1 MiB			flag 0
 *	    16	command line, physical			flag 2
 *	    44	memory map, bytes			flag 6
 *	    48	memory map, physical			flag 6
 *
 * An entry of the map is a 32-bit number of bytes that follow it, then an
 * entry of kmem/map_e820.h, then what that number leaves. Without a map there
 * are the lower and the upper memory, which ends at the first hole above 1 MiB.
 *
 * ## Version 2: %eax = 0x36d76289, kmem_map_multiboot2()
 *
 *	byte 0	bytes in all, 8 of these included	32
 *	     4	reserved				32
 *	     8	tags: type 32, bytes 32, contents; each begins at a
 *		multiple of 8; the last is of type 0
 *
 *	type 4	lower and upper KiB, 32 each
 *	     6	map: bytes of an entry 32, 0 32, entries of kmem/map_e820.h
 *	    17	EFI's map: bytes of an entry 32, its version 32, entries
 *	    18	EFI's boot services still run
 *
 * The loader's own map (6) says it all, and is read alone if it is there.
 * Otherwise EFI's is (kmem/map_efi.h), where conventional memory is usable,
 * and that of boot services unless they still run: the loader has left it.
 *
 * In both versions memory is called usable in which the kernel, its modules
 * and this information lie: reserve what of that is still needed.
 *
 * (Sources: Multiboot Specification 0.6.96, 3.3; Multiboot2 Specification 2.0,
 * 3.6; UEFI specification 2.10, 7.2.3.)
 */
#ifndef KMEM_MAP_MULTIBOOT_H
#define KMEM_MAP_MULTIBOOT_H

#include <kmem/map_efi.h>

#define KMEM_MULTIBOOT_MAGIC	0x2badb002u
#define KMEM_MULTIBOOT2_MAGIC	0x36d76289u

/* Version 1: byte offsets, and flags. */
#define KMEM_MULTIBOOT_LOWER_KIB	4
#define KMEM_MULTIBOOT_UPPER_KIB	8
#define KMEM_MULTIBOOT_COMMAND_LINE	16
#define KMEM_MULTIBOOT_MAP_BYTES	44
#define KMEM_MULTIBOOT_MAP		48
#define KMEM_MULTIBOOT_BYTES		52	/* as far as is used here */

#define KMEM_MULTIBOOT_HAS_KIB		(1u << 0)
#define KMEM_MULTIBOOT_HAS_COMMAND_LINE	(1u << 2)
#define KMEM_MULTIBOOT_HAS_MAP		(1u << 6)

/* Version 2: types of tags. */
#define KMEM_MULTIBOOT2_END		0u
#define KMEM_MULTIBOOT2_KIB		4u
#define KMEM_MULTIBOOT2_MAP		6u
#define KMEM_MULTIBOOT2_EFI_MAP		17u
#define KMEM_MULTIBOOT2_EFI_RUNS	18u

/* ---- what both versions have ---- */

KMEM_INLINE int kmem_multiboot_kib(uint32_t lower, uint32_t upper,
				   kmem_map_fn fn, void *ctx)
{
	int err = kmem_map_report(0, (uint64_t)lower << 10,
				  KMEM_REGION_USABLE,
				  "lower memory", fn, ctx);

	return err ? err : kmem_map_report((uint64_t)1 << 20,
					   (uint64_t)upper << 10,
					   KMEM_REGION_USABLE,
					   "upper memory", fn, ctx);
}

/* ---- version 1 ---- */

/* The entries in `left` bytes at p. */
KMEM_INLINE int kmem_multiboot_map(const uint8_t *p, uint32_t left,
				   kmem_map_fn fn, void *ctx)
{
	int err = KMEM_OK;

	while (left && !err) {
		uint32_t size = left < 4 ? 0 : kmem_map_le32(p);

		if (size < KMEM_E820_BYTES || size > left - 4)
			return KMEM_EINVAL;
		err = kmem_e820_report(p + 4, fn, ctx);
		p += 4 + size;
		left -= 4 + size;
	}
	return err;
}

/**
 * kmem_map_multiboot - walk the memory map of a Multiboot loader, version 1
 * @window: the memory that can be read
 * @info: physical address of the information
 * @fn, @ctx: called for each entry
 *
 * Context: boot.
 * Return: KMEM_OK; what fn returned, if that was not KMEM_OK; KMEM_EINVAL if
 * the information says nothing of memory, contradicts itself, or lies outside
 * the window.
 */
KMEM_INLINE int kmem_map_multiboot(const struct kmem_map_window *window,
				   uint64_t info, kmem_map_fn fn, void *ctx)
{
	const uint8_t *p = kmem_map_see(window, info, KMEM_MULTIBOOT_BYTES);
	const uint8_t *map;
	uint32_t flags, bytes;

	if (!p)
		return KMEM_EINVAL;
	flags = kmem_map_le32(p);
	if (flags & KMEM_MULTIBOOT_HAS_MAP) {
		bytes = kmem_map_le32(p + KMEM_MULTIBOOT_MAP_BYTES);
		map = kmem_map_see(window,
				   kmem_map_le32(p + KMEM_MULTIBOOT_MAP),
				   bytes);
		return map && bytes ? kmem_multiboot_map(map, bytes, fn, ctx) :
				      KMEM_EINVAL;
	}
	if (flags & KMEM_MULTIBOOT_HAS_KIB)
		return kmem_multiboot_kib(
			kmem_map_le32(p + KMEM_MULTIBOOT_LOWER_KIB),
			kmem_map_le32(p + KMEM_MULTIBOOT_UPPER_KIB), fn, ctx);
	return KMEM_EINVAL;
}

/* ---- version 2 ---- */

struct kmem_multiboot2_tag {
	uint32_t type;
	uint32_t size;			/* bytes, 8 of head included */
	const uint8_t *at;		/* its head */
};

/*
 * The first tag of that type, in information of `bytes`. Every tag before it
 * is looked at, so what is found after all is well-formed.
 *
 * Return: KMEM_OK and a tag whose type is the one asked for, or END if there
 * is none; KMEM_EINVAL.
 */
KMEM_INLINE int kmem_multiboot2_find(const uint8_t *info, uint32_t bytes,
				     uint32_t type,
				     struct kmem_multiboot2_tag *tag)
{
	for (uint32_t at = 8, step; bytes - at >= 8; at += step) {
		tag->at = info + at;
		tag->type = kmem_map_le32(tag->at);
		tag->size = kmem_map_le32(tag->at + 4);
		if (tag->size < 8 || tag->size > bytes - at)
			return KMEM_EINVAL;
		if (tag->type == type || tag->type == KMEM_MULTIBOOT2_END)
			return KMEM_OK;
		step = (tag->size + 7) & ~7u;
		if (step > bytes - at)
			break;
	}
	return KMEM_EINVAL;
}

/* How many entries a tag with a map has; at least 1, or it is invalid: 0. */
KMEM_INLINE uint32_t kmem_multiboot2_entries(
	const struct kmem_multiboot2_tag *tag, uint32_t min, uint32_t *each)
{
	uint32_t room = tag->size - 16;

	if (tag->size < 16)
		return 0;
	*each = kmem_map_le32(tag->at + 8);
	return *each < min || room % *each ? 0 : room / *each;
}

KMEM_INLINE int kmem_multiboot2_map(const struct kmem_multiboot2_tag *tag,
				    kmem_map_fn fn, void *ctx)
{
	const uint8_t *entry = tag->at + 16;
	uint32_t each, nr = kmem_multiboot2_entries(tag, KMEM_E820_BYTES,
						    &each);
	int err = nr ? KMEM_OK : KMEM_EINVAL;

	for (; nr && !err; nr--, entry += each)
		err = kmem_e820_report(entry, fn, ctx);
	return err;
}

KMEM_INLINE int kmem_multiboot2_efi(const struct kmem_multiboot2_tag *tag,
				    bool services_run, kmem_map_fn fn,
				    void *ctx)
{
	const uint8_t *entry = tag->at + 16;
	uint32_t each, nr = kmem_multiboot2_entries(
		tag, KMEM_EFI_DESCRIPTOR_BYTES, &each);
	enum kmem_region_type boot = services_run ? KMEM_REGION_RESERVED :
						    KMEM_REGION_USABLE;
	int err = nr ? KMEM_OK : KMEM_EINVAL;

	for (; nr && !err; nr--, entry += each)
		err = kmem_efi_report(entry, boot, KMEM_REGION_RESERVED, fn,
				      ctx);
	return err;
}

/**
 * kmem_map_multiboot2 - walk the memory map of a Multiboot loader, version 2
 * @info: the information, where it can be read
 * @room: bytes from there on that can be read
 * @fn, @ctx: called for each entry
 *
 * Context: boot.
 * Return: KMEM_OK; what fn returned, if that was not KMEM_OK; KMEM_EINVAL if
 * the information says nothing of memory, contradicts itself, or is longer
 * than `room`.
 */
KMEM_INLINE int kmem_map_multiboot2(const void *info, size_t room,
				    kmem_map_fn fn, void *ctx)
{
	const uint8_t *p = (const uint8_t *)info;
	struct kmem_multiboot2_tag tag, runs;
	uint32_t bytes = room < 8 ? 0 : kmem_map_le32(p);

	if (bytes < 8 || bytes > room)
		return KMEM_EINVAL;

	if (kmem_multiboot2_find(p, bytes, KMEM_MULTIBOOT2_MAP, &tag))
		return KMEM_EINVAL;
	if (tag.type == KMEM_MULTIBOOT2_MAP)
		return kmem_multiboot2_map(&tag, fn, ctx);

	/* None: so all tags are well-formed up to the end. */
	kmem_multiboot2_find(p, bytes, KMEM_MULTIBOOT2_EFI_RUNS, &runs);
	kmem_multiboot2_find(p, bytes, KMEM_MULTIBOOT2_EFI_MAP, &tag);
	if (tag.type == KMEM_MULTIBOOT2_EFI_MAP)
		return kmem_multiboot2_efi(&tag, runs.type ==
					   KMEM_MULTIBOOT2_EFI_RUNS, fn, ctx);

	kmem_multiboot2_find(p, bytes, KMEM_MULTIBOOT2_KIB, &tag);
	if (tag.type == KMEM_MULTIBOOT2_KIB && tag.size >= 16)
		return kmem_multiboot_kib(kmem_map_le32(tag.at + 8),
					  kmem_map_le32(tag.at + 12), fn, ctx);
	return KMEM_EINVAL;
}

#endif /* KMEM_MAP_MULTIBOOT_H */
