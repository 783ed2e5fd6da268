/* SPDX-License-Identifier: MIT */
/*
 * arch/aarch64/layout.h - the test kernel's address space, for C and assembly.
 *
 *	0xffffffffc0000000	devices, in blocks of 2 MiB as they are mapped
 *	0xffffffff80000000	vmalloc(), 1 GiB
 *	0xffffff8000000000	the direct map: memory, at its physical address
 *				from here; the kernel image is in it; a
 *				GiB above it is nothing
 *	0			nothing, so that a null pointer faults
 *
 * Kernel addresses have 39 bits (TCR_EL1.T1SZ = 25), so that the top table's
 * 512 entries are of 1 GiB each.
 */
#ifndef AARCH64_LAYOUT_H
#define AARCH64_LAYOUT_H

#define DIRECT_BASE		0xffffff8000000000
#define DEVICE_BASE		0xffffffffc0000000
#define VMALLOC_BASE		0xffffffff80000000
#define DIRECT_SIZE		0x7f40000000	/* a GiB below that ends */

/* Where memory begins on QEMU's virt machine, and the image is loaded. */
#define RAM_BASE		0x40000000
#define IMAGE_BASE		0x40200000

/* Page table entries. */
#define PTE_TABLE		0x003
#define PTE_PAGE		0x003	/* in the lowest table */
#define PTE_BLOCK		0x001
#define PTE_DEVICE		0x004	/* attributes 1 of MAIR_EL1 */
#define PTE_INNER_SHAREABLE	0x300
#define PTE_ACCESSED		0x400
#define PTE_NO_EXECUTE		0x0060000000000000
#define BLOCK_MEMORY		(PTE_BLOCK | PTE_INNER_SHAREABLE | PTE_ACCESSED)
#define BLOCK_DEVICE \
	(PTE_BLOCK | PTE_DEVICE | PTE_ACCESSED | PTE_NO_EXECUTE)

/* Attributes 0: normal memory, write-back; 1: Device-nGnRE. */
#define MAIR_KERNEL		0x04ff

/*
 * 39 bits of addresses at the top and at the bottom, 4 KiB granules, 40 bits
 * of physical address; tables are read through the caches, which all CPUs
 * share.
 */
#define TCR_TOP			0xb5190000
#define TCR_BOTTOM		0x00003519
#define TCR_40_BITS		0x0000000200000000
#define TCR_NO_BOTTOM		0x00000080	/* EPD0: it is empty */
#define TCR_BOOT		(TCR_40_BITS | TCR_TOP | TCR_BOTTOM)
#define TCR_KERNEL		(TCR_BOOT | TCR_NO_BOTTOM)

/*
 * MMU, caches, and faults for accesses that are not aligned, on; and the bits
 * that read as 1 where what they control is not there.
 */
#define SCTLR_MMU		0x00001005	/* I C M */
#define SCTLR_ALIGNED		0x0000000a	/* SA A */
#define SCTLR_RESERVED		0x30d00800
#define SCTLR_KERNEL		(SCTLR_RESERVED | SCTLR_MMU | SCTLR_ALIGNED)

/* What vectors.S calls an exception; trap.c has the names. */
#define FAULT_SYNC		0
#define FAULT_FIQ		1
#define FAULT_SERROR		2
#define FAULT_LOWER		3

#define FAULT_FRAME_SIZE	288

#endif /* AARCH64_LAYOUT_H */
