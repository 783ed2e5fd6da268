/* SPDX-License-Identifier: MIT */
/*
 * kmem/map_efi.h - the memory map of UEFI firmware, for a kernel that is an
 * EFI program itself, or whose loader passes the map on.
 *
 * GetMemoryMap() writes an array of descriptors, and says how many bytes it
 * has written and how many each of them has: more than the fields below, and
 * not the size of any C structure.
 *
 *	byte 0	type			32 bits, little-endian like all of it
 *	     8	start, physical		64
 *	    16	start, virtual		64, not used here
 *	    24	pages of 4 KiB		64
 *	    32	attributes		64
 *
 *	if (kmem_map_efi(map, map_bytes, descriptor_bytes, kmem_map_add, NULL))
 *		panic();
 *
 * with the map of the call whose key ExitBootServices() accepted. Then
 *
 *	conventional			usable, except memory of specific
 *					purpose (attribute SP)
 *	boot services, code and data	later: the kernel still runs on a stack
 *					and page tables of theirs
 *	loader, code and data		later: this very kernel, and what its
 *					loader put beside it
 *	ACPI reclaim			later: tables that are to be read
 *	all else			reserved
 *
 * What of that is to stay, the kernel's image for one, is to be reserved
 * (kmem_reserve()), which wins; the rest is had by kmem_release_type(
 * KMEM_REGION_LATER, 0) when the kernel stands on its own feet. (Source: UEFI
 * specification 2.10, 7.2.3.)
 */
#ifndef KMEM_MAP_EFI_H
#define KMEM_MAP_EFI_H

#include <kmem/map_e820.h>

/* Types of memory. */
#define KMEM_EFI_LOADER_CODE	1u
#define KMEM_EFI_LOADER_DATA	2u
#define KMEM_EFI_BOOT_CODE	3u
#define KMEM_EFI_BOOT_DATA	4u
#define KMEM_EFI_CONVENTIONAL	7u
#define KMEM_EFI_ACPI_RECLAIM	9u

#define KMEM_EFI_SPECIFIC_PURPOSE	((uint64_t)1 << 18)	/* attribute */

/* A descriptor: byte offsets, and how long it is at least. */
#define KMEM_EFI_START		8
#define KMEM_EFI_PAGES		24
#define KMEM_EFI_ATTRIBUTES	32
#define KMEM_EFI_DESCRIPTOR_BYTES	40u

/**
 * kmem_efi_type - what a descriptor's memory is
 * @boot: what memory of boot services is
 * @other: what the loader's is, and ACPI's
 */
KMEM_INLINE enum kmem_region_type kmem_efi_type(const uint8_t *p,
						enum kmem_region_type boot,
						enum kmem_region_type other)
{
	switch (kmem_map_le32(p)) {
	case KMEM_EFI_CONVENTIONAL:
		return kmem_map_le64(p + KMEM_EFI_ATTRIBUTES) &
		       KMEM_EFI_SPECIFIC_PURPOSE ? KMEM_REGION_RESERVED :
						   KMEM_REGION_USABLE;
	case KMEM_EFI_BOOT_CODE:
	case KMEM_EFI_BOOT_DATA:
		return boot;
	case KMEM_EFI_LOADER_CODE:
	case KMEM_EFI_LOADER_DATA:
	case KMEM_EFI_ACPI_RECLAIM:
		return other;
	}
	return KMEM_REGION_RESERVED;
}

/** kmem_efi_report - call fn for the descriptor at p; see kmem_efi_type() */
KMEM_INLINE int kmem_efi_report(const uint8_t *p, enum kmem_region_type boot,
				enum kmem_region_type other, kmem_map_fn fn,
				void *ctx)
{
	static const char *const word[] = {
		"EFI type 0", "EFI loader code", "EFI loader data",
		"EFI boot code", "EFI boot data", "EFI runtime code",
		"EFI runtime data", "EFI conventional", "EFI unusable",
		"EFI ACPI data", "EFI ACPI NVS", "EFI devices",
		"EFI ports", "EFI firmware", "EFI persistent",
		"EFI unaccepted",
	};
	uint32_t type = kmem_map_le32(p);
	uint64_t pages = kmem_map_le64(p + KMEM_EFI_PAGES);

	if (pages >> 52)
		return KMEM_EINVAL;
	return kmem_map_report(kmem_map_le64(p + KMEM_EFI_START), pages << 12,
			       kmem_efi_type(p, boot, other),
			       type < KMEM_ARRAY_SIZE(word) ? word[type] :
							      "EFI other",
			       fn, ctx);
}

/**
 * kmem_map_efi - walk the memory map of UEFI firmware
 * @map: the descriptors, where they can be read
 * @bytes: what GetMemoryMap() says of the map's size
 * @each: what it says of a descriptor's
 * @fn, @ctx: called for each of them
 *
 * Context: boot.
 * Return: KMEM_OK; what fn returned, if that was not KMEM_OK; KMEM_EINVAL if
 * there is no descriptor, if `each` is less than what is read of one, if
 * `bytes` is not a whole number of them, or if one of them wraps around the
 * end of the address space.
 */
KMEM_INLINE int kmem_map_efi(const void *map, size_t bytes, size_t each,
			     kmem_map_fn fn, void *ctx)
{
	const uint8_t *p = (const uint8_t *)map;
	int err = bytes ? KMEM_OK : KMEM_EINVAL;

	if (each < KMEM_EFI_DESCRIPTOR_BYTES)
		return KMEM_EINVAL;
	for (; bytes && !err; bytes -= each, p += each) {
		if (bytes < each)
			return KMEM_EINVAL;
		err = kmem_efi_report(p, KMEM_REGION_LATER, KMEM_REGION_LATER,
				      fn, ctx);
	}
	return err;
}

#endif /* KMEM_MAP_EFI_H */
