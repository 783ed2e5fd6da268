/* SPDX-License-Identifier: MIT */
/*
 * arch/aarch64/vectors.S - where a CPU goes when it is interrupted.
 *
 * An IRQ saves the registers that C functions may change on the stack of
 * whatever was interrupted, and calls arm_irq(). Kernel code uses the general
 * registers only, so those are all.
 *
 * Anything else is the end. It goes to a stack of its own, which each CPU has
 * in SP_EL0, otherwise unused, so that a bad stack pointer is reported too:
 * every register is saved there (struct fault_frame in trap.c is that stack in
 * C), and arm_fault() prints it. A fault on that stack is one too many: it
 * ends the run without a word.
 */
#include "layout.h"

	.macro	fault kind
	.balign	128
	msr	SPSel, #0
	sub	sp, sp, #FAULT_FRAME_SIZE
	stp	x0, x1, [sp]
	mov	x0, #\kind
	b	save_and_report
	.endm

	.macro	irq
	.balign	128
	b	save_and_handle
	.endm

	.macro	fault_in_fault
	.balign	128
	b	arm_fault_again
	.endm

	.text
	.balign	2048
	.globl	vectors
vectors:
	fault_in_fault			/* this level, on SP_EL0 */
	fault_in_fault
	fault_in_fault
	fault_in_fault

	fault	FAULT_SYNC		/* this level, on its own stack */
	irq
	fault	FAULT_FIQ
	fault	FAULT_SERROR

	.rept	8			/* a lower level: there is none */
	fault	FAULT_LOWER
	.endr

save_and_handle:
	stp	x0, x1, [sp, #-192]!
	stp	x2, x3, [sp, #16]
	stp	x4, x5, [sp, #32]
	stp	x6, x7, [sp, #48]
	stp	x8, x9, [sp, #64]
	stp	x10, x11, [sp, #80]
	stp	x12, x13, [sp, #96]
	stp	x14, x15, [sp, #112]
	stp	x16, x17, [sp, #128]
	stp	x18, x29, [sp, #144]
	mrs	x0, elr_el1
	mrs	x1, spsr_el1
	stp	x30, x0, [sp, #160]
	str	x1, [sp, #176]
	bl	arm_irq
	ldr	x1, [sp, #176]
	ldp	x30, x0, [sp, #160]
	msr	spsr_el1, x1
	msr	elr_el1, x0
	ldp	x18, x29, [sp, #144]
	ldp	x16, x17, [sp, #128]
	ldp	x14, x15, [sp, #112]
	ldp	x12, x13, [sp, #96]
	ldp	x10, x11, [sp, #80]
	ldp	x8, x9, [sp, #64]
	ldp	x6, x7, [sp, #48]
	ldp	x4, x5, [sp, #32]
	ldp	x2, x3, [sp, #16]
	ldp	x0, x1, [sp], #192
	eret

save_and_report:
	stp	x2, x3, [sp, #16]
	stp	x4, x5, [sp, #32]
	stp	x6, x7, [sp, #48]
	stp	x8, x9, [sp, #64]
	stp	x10, x11, [sp, #80]
	stp	x12, x13, [sp, #96]
	stp	x14, x15, [sp, #112]
	stp	x16, x17, [sp, #128]
	stp	x18, x19, [sp, #144]
	stp	x20, x21, [sp, #160]
	stp	x22, x23, [sp, #176]
	stp	x24, x25, [sp, #192]
	stp	x26, x27, [sp, #208]
	stp	x28, x29, [sp, #224]
	msr	SPSel, #1
	mov	x1, sp			/* of what failed */
	msr	SPSel, #0
	stp	x30, x1, [sp, #240]
	mrs	x1, elr_el1
	mrs	x2, spsr_el1
	stp	x1, x2, [sp, #256]
	str	x0, [sp, #272]
	mov	x0, sp
	bl	arm_fault

	.section .note.GNU-stack, "", @progbits
