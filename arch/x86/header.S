/* SPDX-License-Identifier: MIT */
/*
 * arch/x86/header.S - what the image says of itself to its loaders.
 *
 * One image starts in two ways, each of which finds a mark of its own:
 *
 *	PVH		the ELF note below names pvh_entry
 *	Multiboot	the header below, in the first 8 KiB of the file, names
 *			multiboot_entry and says which part of the file goes
 *			where; so even a loader that takes 32-bit ELF files
 *			only, as QEMU does, loads a 64-bit kernel
 *
 * For that part of the file, offset and physical address differ by a constant:
 * the linker's scripts put sections one behind the other.
 *
 * QEMU's -kernel takes what has both marks for Multiboot. For PVH it gets a
 * copy without the section .multiboot.
 *
 * Facts: Multiboot Specification 0.6.96, 3.1; Xen's docs/misc/pvh.pandoc.
 */
#include <layout.h>

/* Where an address of the image is before paging. */
#define PHYS(va)		((va) - KERNEL_BASE)

#define HEADER_MAGIC		0x1badb002
#define HEADER_WANTS_MEMORY	0x00000002
#define HEADER_HAS_ADDRESSES	0x00010000
#define HEADER_FLAGS		(HEADER_WANTS_MEMORY | HEADER_HAS_ADDRESSES)

#define NOTE_PHYS32_ENTRY	18	/* XEN_ELFNOTE_PHYS32_ENTRY */

	.section .multiboot, "a", @progbits
	.balign	4
multiboot_header:
	.long	HEADER_MAGIC
	.long	HEADER_FLAGS
	.long	-(HEADER_MAGIC + HEADER_FLAGS)
	.long	PHYS(multiboot_header)
	.long	PHYS(kernel_image_start)
	.long	PHYS(kernel_data_end)
	.long	PHYS(kernel_image_end)
	.long	PHYS(multiboot_entry)

	.section .note.pvh, "a", @note
	.balign	4
	.long	4			/* size of the name */
	.long	8			/* size of the value */
	.long	NOTE_PHYS32_ENTRY
	.asciz	"Xen"
	.long	PHYS(pvh_entry), 0

	.section .note.GNU-stack, "", @progbits
