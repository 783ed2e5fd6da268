/* SPDX-License-Identifier: MIT */
/*
 * arch/i386/layout.h - the test kernel's address space, for C and assembly.
 *
 *	0xfc000000	nothing
 *	0xf8000000	windows of 4 MiB: the local APIC, ACPI's tables
 *	0xc0000000	the direct map: the first 896 MiB of memory, with the
 *			kernel image
 *	0		nothing, so that a null pointer faults
 *
 * All of it is mapped by 4 MiB pages, so the page directory is the only table.
 * It can name 4 GiB of memory. What is beyond the direct map stays unused: to
 * kmem, too, it is memory that can't be reached.
 */
#ifndef X86_LAYOUT_H
#define X86_LAYOUT_H

#define KERNEL_BASE		0xc0000000
#define DIRECT_BASE		KERNEL_BASE
#define DIRECT_SIZE		0x38000000
#define WINDOWS_BASE		0xf8000000
#define WINDOWS_END		0xfc000000

/* Memory that one entry of the page directory maps, and how many of them. */
#define LARGE_SHIFT		22
#define LARGE_SIZE		(1 << LARGE_SHIFT)
#define DIRECTORY_ENTRIES	1024

/* Page directory entries. */
#define PTE_PRESENT		0x001
#define PTE_WRITE		0x002
#define PTE_WRITE_THROUGH	0x008
#define PTE_NO_CACHE		0x010
#define PTE_LARGE		0x080	/* 4 MiB */

/* Selectors; the last is of a segment that each CPU has for itself. */
#define SEL_CODE		0x08
#define SEL_DATA		0x10
#define SEL_PER_CPU		0x18

/* CPU control bits that both ways into C set. */
#define CR0_BOOT		0x80010031	/* PG WP NE ET PE */
#define CR4_BOOT		0x00000010	/* PSE: 4 MiB pages */

#endif /* X86_LAYOUT_H */
