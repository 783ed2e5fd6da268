/* SPDX-License-Identifier: MIT */
/*
 * arch/armv7a/entry.S - from the loader, and from PSCI's CPU_ON, to C.
 *
 * The first CPU comes from a loader that knows ARM Linux's boot protocol: it
 * jumps to the first byte of the flat image, r2 is the physical address of the
 * devicetree. (An ELF file would get none: QEMU leaves the devicetree at the
 * start of memory, and there is no room for it below the image.) The other
 * CPUs come from the firmware, r0 being the number that machine_start_cpu()
 * gave. Either way:
 *
 *	SVC or HYP mode, MMU off, interrupts masked
 *	  to_svc	to SVC mode, where the kernel runs
 *	  mmu_on	to the direct map
 *	stack, then C
 *
 * boot_table maps memory at its physical address too, where the instruction
 * after the switch is fetched from; kernel_table, from then on, only in the
 * direct map. Both are data, filled in by the assembler: no code builds them.
 * Until the MMU is on, nothing is written: another CPU's caches are not looked
 * into.
 *
 * Facts: Linux's Documentation/arm/booting.rst; Arm ARM (DDI 0406), B3, B4.
 */
#include "layout.h"

	.arch_extension virt
	.section .text.start, "ax"
	.arm

	.globl	image_entry
image_entry:
	mov	r4, r2
	bl	to_svc
	bl	mmu_on
	ldr	r0, =bss_start
	ldr	r1, =kernel_image_end
	mov	r2, #0
1:	str	r2, [r0], #4
	cmp	r0, r1
	blo	1b
	ldr	sp, =boot_stack_top
	mov	r0, r4
	b	arm_start

	.globl	secondary_entry
secondary_entry:
	mov	r4, r0
	bl	to_svc
	bl	mmu_on
	ldr	r1, =secondary_stack_top
	ldr	sp, [r1]
	mov	r0, r4
	b	arm_secondary_start

/*
 * A hypervisor's mode is left at once: SVC mode reads the counters and sees
 * the virtual one without offset, and nothing that it does traps.
 */
to_svc:
	mrs	r1, cpsr
	and	r1, r1, #MODE_MASK
	cmp	r1, #MODE_HYP
	bne	1f
	mov	r1, #0
	mcr	p15, 4, r1, c1, c1, 0	/* HCR */
	mcrr	p15, 4, r1, r1, c14	/* CNTVOFF */
	mov	r1, #3
	mcr	p15, 4, r1, c14, c1, 0	/* CNTHCTL: PL1PCTEN, PL1PCEN */
	mov	r1, #(PSR_MASKED | MODE_SVC)
	msr	spsr_cxsf, r1
	msr	elr_hyp, lr
	eret
1:	cpsid	aif, #MODE_SVC
	bx	lr

/* Return to the caller's address in the direct map. Changes r0, r1, lr. */
mmu_on:
	ldr	r1, =VIRT_OFFSET
	ldr	r0, =boot_table
	sub	r0, r0, r1
	orr	r0, r0, #TTBR_CACHED
	mcr	p15, 0, r0, c2, c0, 0	/* TTBR0 */
	mov	r0, #0
	mcr	p15, 0, r0, c2, c0, 2	/* TTBCR: TTBR0 for all addresses */
	mov	r0, #DACR_KERNEL
	mcr	p15, 0, r0, c3, c0, 0	/* DACR */
	mcr	p15, 0, r0, c8, c7, 0	/* TLBIALL */
	mcr	p15, 0, r0, c7, c5, 0	/* ICIALLU */
	mcr	p15, 0, r0, c7, c5, 6	/* BPIALL */
	dsb
	isb
	mrc	p15, 0, r0, c1, c0, 0	/* SCTLR */
	ldr	r1, =SCTLR_OFF
	bic	r0, r0, r1
	ldr	r1, =SCTLR_ON
	orr	r0, r0, r1
	mcr	p15, 0, r0, c1, c0, 0
	isb
	ldr	r0, =1f
	bx	r0
1:	ldr	r1, =VIRT_OFFSET
	add	lr, lr, r1
	ldr	r0, =kernel_table
	sub	r0, r0, r1
	orr	r0, r0, #TTBR_CACHED
	mcr	p15, 0, r0, c2, c0, 0
	isb
	mcr	p15, 0, r0, c8, c7, 0
	mcr	p15, 0, r0, c7, c5, 6
	ldr	r0, =vectors
	mcr	p15, 0, r0, c12, c0, 0	/* VBAR */
	dsb
	isb
	bx	lr

	.data
/* Entries for the GiB of memory that begins at RAM_BASE. */
	.macro	first_gib
	.set	at, RAM_BASE
	.rept	1024
	.long	at + SECTION_MEMORY
	.set	at, at + (1 << 20)
	.endr
	.endm

#define INDEX(address)	((address) >> 20)

	.balign	16384
boot_table:
	.fill	INDEX(RAM_BASE), 4, 0
	first_gib
	first_gib			/* RAM_BASE + VIRT_OFFSET */
	.fill	1024, 4, 0

	.globl	kernel_table
kernel_table:				/* paging.c adds the rest */
	.fill	INDEX(RAM_BASE + VIRT_OFFSET), 4, 0
	first_gib
	.fill	1024, 4, 0

	.bss
	.balign	8
	.skip	32768
boot_stack_top:

	.section .note.GNU-stack, "", %progbits
