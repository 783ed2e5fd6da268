/* SPDX-License-Identifier: MIT */
/*
 * arch/i386/entry.S - from the loader, and from a start-up IPI, to C.
 *
 * The first CPU comes from a loader, PVH or Multiboot: protected mode, paging
 * off, flat segments, interrupts off, the physical address of what the loader
 * has to say in %ebx. The others come from a start-up IPI: 16-bit real mode at
 * a page below 1 MiB, into which machine_start_cpu() has copied the trampoline.
 * Both do the same four things, the last of which leads into the high half:
 *
 *	CR3 = boot_pd	 CR4.PSE  CR0.PE and PG		far jump
 *
 * boot_pd maps the lowest memory twice, at its physical address, where the
 * instruction after the switch is fetched from, and in the direct map, where
 * the kernel is linked. kernel_pd, used from then on, has no low half.
 *
 * The tables are data, filled in by the assembler: no code builds them.
 */
#include <layout.h>

/* Where an address of the image is before paging. */
#define PHYS(va)	((va) - KERNEL_BASE)

	.section .text.start, "ax"

	.globl	pvh_entry, multiboot_entry
pvh_entry:
	xorl	%eax, %eax		/* of Multiboot, it is a magic number */
multiboot_entry:
	cli
	cld
	movl	%eax, %esi
	movl	$PHYS(boot_pd), %eax
	movl	%eax, %cr3
	movl	$CR4_BOOT, %eax
	movl	%eax, %cr4
	lgdt	PHYS(gdt_low)
	movl	$CR0_BOOT, %eax
	movl	%eax, %cr0
	ljmp	$SEL_CODE, $bsp_high
bsp_high:
	movl	$x86_start, %eax
	movl	$boot_stack_top, %edi
	jmp	enter_c

ap_high:
	movl	$SEL_DATA, %ecx		/* %ds is of real mode */
	movl	%ecx, %ds
	movl	$x86_ap_start, %eax
	movl	ap_stack_top, %edi
	movl	ap_number, %ebx

/* %eax: a function that never returns, %ebx, %esi: its arguments, %edi: the
 * top of its stack, aligned to 16. */
enter_c:
	movl	$PHYS(kernel_pd), %ecx
	movl	%ecx, %cr3
	lgdt	gdt_high
	movl	$SEL_DATA, %ecx
	movl	%ecx, %ds
	movl	%ecx, %es
	movl	%ecx, %ss
	movl	%edi, %esp
	xorl	%ecx, %ecx
	movl	%ecx, %fs		/* cpu.c selects this CPU's */
	movl	%ecx, %gs
	xorl	%ebp, %ebp
	subl	$8, %esp		/* at a call, it is a multiple of 16 */
	pushl	%esi
	pushl	%ebx
	call	*%eax
	ud2

/*
 * The trampoline runs at another address than it is linked at, with %cs:0 its
 * first byte: it reaches its own data relative to its start, and everything
 * in the image by physical address.
 */
	.code16
	.globl	ap_trampoline, ap_trampoline_end
ap_trampoline:
	cli
	cld
	movw	%cs, %ax
	movw	%ax, %ds
	movl	$PHYS(boot_pd), %eax
	movl	%eax, %cr3
	movl	$CR4_BOOT, %eax
	movl	%eax, %cr4
	lgdtl	(ap_gdt - ap_trampoline)
	movl	$CR0_BOOT, %eax		/* INIT left the caches off: on */
	movl	%eax, %cr0
	ljmpl	$SEL_CODE, $ap_high

	.balign	4
ap_gdt:
	.word	gdt_end - gdt - 1
	.long	PHYS(gdt)
ap_trampoline_end:

	.section .rodata, "a"
	.balign	8
gdt:					/* until cpu.c sets the CPU's own */
	.quad	0
	.quad	0x00cf9b000000ffff	/* SEL_CODE: 32-bit, ring 0 */
	.quad	0x00cf93000000ffff	/* SEL_DATA */
gdt_end:

	.balign	4
gdt_low:				/* for lgdt before paging */
	.word	gdt_end - gdt - 1
	.long	PHYS(gdt)
	.balign	4
gdt_high:				/* and after */
	.word	gdt_end - gdt - 1
	.long	gdt

	.data
#define LARGE_RW	(PTE_PRESENT | PTE_WRITE | PTE_LARGE)

	.set	DIRECT_FIRST, DIRECT_BASE >> LARGE_SHIFT
	.set	DIRECT_ENTRIES, DIRECT_SIZE >> LARGE_SHIFT
	.set	LOW_ENTRIES, 4		/* with all of the image */

/* Entries that map memory from address 0 up. */
	.macro	map entries
	.set	page, 0
	.rept	\entries
	.long	(page << LARGE_SHIFT) + LARGE_RW
	.set	page, page + 1
	.endr
	.endm

	.balign	4096
boot_pd:
	map	LOW_ENTRIES
	.fill	DIRECT_FIRST - LOW_ENTRIES, 4, 0
	map	DIRECT_ENTRIES
	.fill	DIRECTORY_ENTRIES - DIRECT_FIRST - DIRECT_ENTRIES, 4, 0

	.globl	kernel_pd
kernel_pd:				/* paging.c adds windows */
	.fill	DIRECT_FIRST, 4, 0
	map	DIRECT_ENTRIES
	.fill	DIRECTORY_ENTRIES - DIRECT_FIRST - DIRECT_ENTRIES, 4, 0

	.bss
	.balign	16
	.skip	32768
boot_stack_top:

	.section .note.GNU-stack, "", @progbits
