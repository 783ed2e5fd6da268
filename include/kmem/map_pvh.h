/* SPDX-License-Identifier: MIT */
/*
 * kmem/map_pvh.h - the memory map of a PVH loader: Xen, QEMU, Firecracker and
 * other virtual machines that start a kernel without a BIOS.
 *
 * The kernel's 32-bit entry finds the physical address of this in %ebx:
 *
 *	struct hvm_start_info, little-endian
 *	byte 0	magic 0x336ec578	32 bits
 *	     4	version			32
 *	     8	flags, modules		32 each
 *	    16	list of modules		64, physical
 *	    24	command line		64, physical; text, ends with NUL
 *	    32	ACPI's root pointer	64, physical
 *	    40	memory map		64, physical	from version 1 on
 *	    48	its entries		32
 *	    52	reserved		32
 *
 * An entry of the map is one of kmem/map_e820.h and 4 reserved bytes.
 *
 *	struct kmem_map_window low = { DIRECT_MAP, 0, (uint64_t)4 << 30 };
 *
 *	if (kmem_map_pvh(&low, ebx, kmem_map_add, NULL))
 *		panic();
 *
 * The map calls the memory usable in which the kernel itself, the modules and
 * this structure lie: reserve what of that is still needed. (Source: Xen,
 * docs/misc/pvh.pandoc.)
 */
#ifndef KMEM_MAP_PVH_H
#define KMEM_MAP_PVH_H

#include <kmem/map_e820.h>

#define KMEM_PVH_MAGIC		0x336ec578u

/* Byte offsets in struct hvm_start_info. */
#define KMEM_PVH_VERSION	4
#define KMEM_PVH_COMMAND_LINE	24
#define KMEM_PVH_ACPI_ROOT	32
#define KMEM_PVH_MAP		40
#define KMEM_PVH_MAP_ENTRIES	48

/* Bytes of it, in version 0 and since; and of an entry of the map. */
#define KMEM_PVH_BYTES_V0	40
#define KMEM_PVH_BYTES		56
#define KMEM_PVH_ENTRY_BYTES	24

/**
 * kmem_map_pvh - walk the memory map of a PVH loader
 * @window: the memory that can be read
 * @info: physical address of struct hvm_start_info
 * @fn, @ctx: called for each entry
 *
 * Context: boot.
 * Return: KMEM_OK; what fn returned, if that was not KMEM_OK; KMEM_EINVAL if
 * there is no such structure, if it has no map (version 0), or if anything
 * lies outside the window.
 */
KMEM_INLINE int kmem_map_pvh(const struct kmem_map_window *window,
			     uint64_t info, kmem_map_fn fn, void *ctx)
{
	const uint8_t *start_info = kmem_map_see(window, info, KMEM_PVH_BYTES);
	const uint8_t *entry;
	uint32_t nr;
	int err = KMEM_OK;

	if (!start_info || kmem_map_le32(start_info) != KMEM_PVH_MAGIC ||
	    kmem_map_le32(start_info + KMEM_PVH_VERSION) < 1)
		return KMEM_EINVAL;
	nr = kmem_map_le32(start_info + KMEM_PVH_MAP_ENTRIES);
	entry = kmem_map_see(window, kmem_map_le64(start_info + KMEM_PVH_MAP),
			     (uint64_t)nr * KMEM_PVH_ENTRY_BYTES);
	if (!entry || !nr)
		return KMEM_EINVAL;

	for (; nr && !err; nr--, entry += KMEM_PVH_ENTRY_BYTES)
		err = kmem_e820_report(entry, fn, ctx);
	return err;
}

#endif /* KMEM_MAP_PVH_H */
