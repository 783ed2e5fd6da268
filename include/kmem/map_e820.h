/* SPDX-License-Identifier: MIT */
/*
 * kmem/map_e820.h - what the boot protocols of PCs have in common.
 *
 * A PC's BIOS tells of memory in entries of three little-endian numbers,
 *
 *	byte 0	start, physical		64 bits
 *	     8	size in bytes		64 bits
 *	    16	type			32 bits, of which 1 is ordinary memory
 *
 * and the loaders behind kmem/map_pvh.h and kmem/map_multiboot.h pass them on,
 * each in a frame of its own. (ACPI specification 6.5, 15.1: the BIOS call is
 * INT 15h with AX = E820h.)
 *
 * Those frames lead from one physical address to another, and paging is on
 * when a kernel reads them. So it says what it can see: a window, the part of
 * physical memory that is mapped, as one piece, at the time. Every address
 * out of a blob is looked up in it. Whoever has all memory below 4 GiB mapped
 * says { DIRECT_MAP, 0, 4 GiB }.
 *
 * On a kernel for which physical addresses have 32 bits (KMEM_ARCH_PHYS_BITS),
 * memory above 4 GiB, which PCs have as a matter of course, is left out.
 */
#ifndef KMEM_MAP_E820_H
#define KMEM_MAP_E820_H

#include <kmem/boot_map.h>

/* Physical memory [start, start + size) is readable at virt. */
struct kmem_map_window {
	const void *virt;
	uint64_t start, size;		/* bytes */
};

#define KMEM_E820_START		0	/* byte offsets in an entry */
#define KMEM_E820_SIZE		8
#define KMEM_E820_TYPE		16
#define KMEM_E820_BYTES		20
#define KMEM_E820_USABLE	1	/* a type */

/** kmem_map_le32, kmem_map_le64 - a little-endian number, aligned or not */
KMEM_INLINE uint32_t kmem_map_le32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
	       (uint32_t)p[3] << 24;
}

KMEM_INLINE uint64_t kmem_map_le64(const uint8_t *p)
{
	return kmem_map_le32(p) | (uint64_t)kmem_map_le32(p + 4) << 32;
}

/**
 * kmem_map_see - where [phys, phys + size) can be read
 *
 * Return: NULL if the window does not show all of it.
 */
KMEM_INLINE const uint8_t *kmem_map_see(const struct kmem_map_window *w,
					uint64_t phys, uint64_t size)
{
	uint64_t at = phys - w->start;

	if (phys < w->start || at > w->size || size > w->size - at)
		return NULL;
	return (const uint8_t *)w->virt + (size_t)at;
}

/* Call fn for a range of 64-bit addresses, or what kmem_phys_t can say of it,
 * its last byte excepted, which has no end. */
KMEM_INLINE int kmem_map_report(uint64_t start, uint64_t size,
				enum kmem_region_type type, const char *what,
				kmem_map_fn fn, void *ctx)
{
	const uint64_t max = (kmem_phys_t)~(kmem_phys_t)0;
	struct kmem_map_entry entry;

	if (size && start + (size - 1) < start)
		return KMEM_EINVAL;
	if (start > max)
		return KMEM_OK;
	if (size > max || (size && start + (size - 1) > max))
		size = max - start;
	entry.start = (kmem_phys_t)start;
	entry.size = (kmem_phys_t)size;
	entry.type = type;
	entry.node = KMEM_NO_NODE;
	entry.what = what;
	return fn(ctx, &entry);
}

/** kmem_e820_report - call fn for the entry at p */
KMEM_INLINE int kmem_e820_report(const uint8_t *p, kmem_map_fn fn, void *ctx)
{
	static const char *const word[] = {
		"type 0", "usable", "reserved", "ACPI data", "ACPI NVS",
		"unusable", "disabled", "persistent",
	};
	uint32_t type = kmem_map_le32(p + KMEM_E820_TYPE);

	return kmem_map_report(kmem_map_le64(p + KMEM_E820_START),
			       kmem_map_le64(p + KMEM_E820_SIZE),
			       type == KMEM_E820_USABLE ? KMEM_REGION_USABLE :
							  KMEM_REGION_RESERVED,
			       type < KMEM_ARRAY_SIZE(word) ? word[type] :
							      "other",
			       fn, ctx);
}

#endif /* KMEM_MAP_E820_H */
