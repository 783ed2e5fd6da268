/* SPDX-License-Identifier: MIT */
/*
 * arch/x86_64/layout.h - the test kernel's address space, for C and assembly.
 *
 *	0xffffffffc0000000	the local APIC, uncached
 *	0xffffffff80000000	the first GiB of memory, kernel image included
 *	0xffffc90000000000	vmalloc(), 64 GiB
 *	0xffff888000000000	the direct map: all memory, from address 0 up
 *	0			nothing, so that a null pointer faults
 *
 * The image lies in the top 2 GiB because that is what -mcmodel=kernel, and
 * so the library's default flags, suppose.
 */
#ifndef X86_LAYOUT_H
#define X86_LAYOUT_H

#define KERNEL_BASE		0xffffffff80000000
#define DIRECT_BASE		0xffff888000000000
#define DEVICE_BASE		0xffffffffc0000000
#define VMALLOC_BASE		0xffffc90000000000
#define VMALLOC_END		0xffffc91000000000

/* Index of an address in the top-level page table. */
#define PML4_INDEX(va)		(((va) >> 39) & 511)

/* Page table entries. */
#define PTE_PRESENT		0x001
#define PTE_WRITE		0x002
#define PTE_WRITE_THROUGH	0x008
#define PTE_NO_CACHE		0x010
#define PTE_LARGE		0x080	/* ends the walk: 2 MiB or 1 GiB */

/* Selectors of the one GDT. */
#define SEL_CODE		0x08
#define SEL_DATA		0x10

/* CPU control bits that both ways into long mode set. */
#define CR0_BOOT		0x80010031	/* PG WP NE ET PE */
#define CR4_BOOT		0x00000020	/* PAE */
#define MSR_EFER		0xc0000080
#define EFER_LME		0x100

#endif /* X86_LAYOUT_H */
