/* SPDX-License-Identifier: MIT */
/*
 * arch/aarch64/entry.S - from the loader, and from PSCI's CPU_ON, to C.
 *
 * The first CPU comes from a loader that knows arm64's boot protocol: the flat
 * image begins with a header, x0 is the physical address of the devicetree.
 * QEMU's -kernel with an ELF file is no such loader: it jumps to the ELF entry
 * with x0 = 0, and leaves the devicetree at the start of memory, if there is
 * room below the image. The other CPUs come from the firmware, x0 being the
 * number that machine_start_cpu() gave. Either way:
 *
 *	EL2 or EL1, MMU off, interrupts masked
 *	  drop_to_el1	to EL1, where the kernel runs
 *	  mmu_on	to the direct map
 *	stack, then C
 *
 * boot_table maps memory at its physical address, where the instruction after
 * the switch is fetched from; kernel_table, for the addresses at the top, is
 * the kernel's for good. Both are data, filled in by the assembler: no code
 * builds them. Until the MMU is on, nothing is written: another CPU's caches
 * are not looked into.
 *
 * Facts: Linux's Documentation/arm64/booting.rst; Arm ARM (DDI 0487), D5, D13.
 */
#include "layout.h"

	.section .text.start, "ax"

	.globl	image_header
image_header:
	b	image_entry
	.long	0
	.quad	IMAGE_BASE - RAM_BASE	/* from a 2 MiB boundary */
	.quad	kernel_image_end - image_header
	.quad	0x2			/* little-endian, 4 KiB pages */
	.quad	0, 0, 0
	.ascii	"ARM\x64"
	.long	0

image_entry:
	cbnz	x0, 1f
	mov	x0, #RAM_BASE
1:	mov	x19, x0
	bl	drop_to_el1
	bl	mmu_on
	ldr	x0, =bss_start
	ldr	x1, =kernel_image_end
2:	stp	xzr, xzr, [x0], #16
	cmp	x0, x1
	b.lo	2b
	ldr	x1, =boot_stack_top
	mov	sp, x1
	mov	x0, x19
	b	arm_start

	.globl	secondary_entry
secondary_entry:
	mov	x19, x0
	bl	drop_to_el1
	bl	mmu_on
	ldr	x1, =secondary_stack_top
	ldr	x1, [x1]
	mov	sp, x1
	mov	x0, x19
	b	arm_secondary_start

/*
 * A hypervisor's level is left at once: EL1 is 64-bit, reads the counters and
 * sees the virtual one without offset, and nothing that it does traps.
 */
drop_to_el1:
	mrs	x1, CurrentEL
	cmp	x1, #(2 << 2)
	b.ne	1f
	mov	x1, #(1 << 31)		/* RW */
	msr	hcr_el2, x1
	mov	x1, #3			/* EL1PCTEN, EL1PCEN */
	msr	cnthctl_el2, x1
	msr	cntvoff_el2, xzr
	ldr	x1, =SCTLR_RESERVED
	msr	sctlr_el1, x1
	mov	x1, #0x3c5		/* DAIF masked, EL1 with its own sp */
	msr	spsr_el2, x1
	msr	elr_el2, x30
	eret
1:	ret

/* Return to the caller's address in the direct map. Changes x0, x1, x30. */
mmu_on:
	msr	SPSel, #1
	adrp	x0, boot_table
	msr	ttbr0_el1, x0
	adrp	x0, kernel_table
	msr	ttbr1_el1, x0
	ldr	x0, =MAIR_KERNEL
	msr	mair_el1, x0
	ldr	x0, =TCR_BOOT
	msr	tcr_el1, x0
	tlbi	vmalle1
	dsb	nsh
	isb
	ldr	x0, =SCTLR_KERNEL
	msr	sctlr_el1, x0
	isb
	ldr	x0, =1f
	br	x0
1:	ldr	x0, =TCR_KERNEL
	msr	tcr_el1, x0
	isb
	tlbi	vmalle1
	dsb	nsh
	ldr	x0, =vectors
	msr	vbar_el1, x0
	isb
	ldr	x1, =DIRECT_BASE
	add	x30, x30, x1
	ret

	.data
#define RAM_GIB	(RAM_BASE >> 30)

	.balign	4096
boot_table:
	.fill	RAM_GIB, 8, 0
	.quad	RAM_BASE + BLOCK_MEMORY
	.fill	511 - RAM_GIB, 8, 0

	.globl	kernel_table
kernel_table:				/* paging.c adds the rest of memory */
	.fill	RAM_GIB, 8, 0
	.quad	RAM_BASE + BLOCK_MEMORY
	.fill	510 - RAM_GIB, 8, 0
	.quad	device_table - DIRECT_BASE + PTE_TABLE

	.globl	device_table
device_table:
	.fill	512, 8, 0

	.bss
	.balign	16
	.skip	32768
boot_stack_top:

	.section .note.GNU-stack, "", @progbits
