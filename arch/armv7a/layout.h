/* SPDX-License-Identifier: MIT */
/*
 * arch/armv7a/layout.h - the test kernel's address space, for C and assembly.
 *
 *	0xf0000000	devices, in sections of 1 MiB as they are mapped
 *	0x80000000	the direct map: memory, from RAM_BASE up; the kernel
 *			image is in it
 *	0		nothing, so that a null pointer faults
 */
#ifndef ARMV7A_LAYOUT_H
#define ARMV7A_LAYOUT_H

#define VIRT_OFFSET		0x40000000
#define DEVICE_BASE		0xf0000000
#define DEVICE_SECTIONS		128

/* Where memory begins on QEMU's virt machine, and what of it is reached. */
#define RAM_BASE		0x40000000
#define DIRECT_END		(DEVICE_BASE - VIRT_OFFSET)

/*
 * Entries of the first-level table, each for a section of 1 MiB: read and
 * written by the kernel. Memory is write-back and shared by all CPUs.
 */
#define SECTION			0x00002
#define SECTION_BUFFERED	0x00004
#define SECTION_CACHED		0x00008
#define SECTION_NO_EXECUTE	0x00010
#define SECTION_KERNEL		0x00400
#define SECTION_ALLOCATE	0x01000	/* in the cache, when written too */
#define SECTION_SHARED		0x10000
#define SECTION_MEMORY \
	(SECTION | SECTION_BUFFERED | SECTION_CACHED | SECTION_KERNEL | \
	 SECTION_ALLOCATE | SECTION_SHARED)
#define SECTION_DEVICE \
	(SECTION | SECTION_BUFFERED | SECTION_KERNEL | SECTION_NO_EXECUTE)

/* TTBR0: the table itself is read through the caches, and shared. */
#define TTBR_CACHED		0x4a

/* DACR: the entries' permissions hold, for domain 0, which is all. */
#define DACR_KERNEL		0x1

/*
 * MMU, caches, branch prediction, and faults for accesses that are not
 * aligned, on; vectors high up, big endian, Thumb in exceptions and both ways
 * to see table entries otherwise, off.
 */
#define SCTLR_ON		0x00001807	/* I Z C A M */
#define SCTLR_OFF		0x72002000	/* TE AFE TRE EE V */

#define MODE_SVC		0x13
#define MODE_ABORT		0x17
#define MODE_UNDEFINED		0x1b
#define MODE_FIQ		0x11
#define MODE_HYP		0x1a
#define MODE_MASK		0x1f
#define PSR_MASKED		0x1c0		/* A I F */

/* What vectors.S calls an exception; trap.c has the names. */
#define FAULT_RESET		0
#define FAULT_UNDEFINED		1
#define FAULT_CALL		2
#define FAULT_FETCH		3
#define FAULT_DATA		4
#define FAULT_HYP		5
#define FAULT_FIQ		6

#define FAULT_FRAME_SIZE	72

#endif /* ARMV7A_LAYOUT_H */
