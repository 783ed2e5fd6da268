/* SPDX-License-Identifier: MIT */
/*
 * arch/armv7a/vectors.S - where a CPU goes when it is interrupted.
 *
 * An IRQ saves the return state and the registers that C functions may change
 * on the stack of whatever was interrupted, always in SVC mode, and calls
 * arm_irq(). Kernel code uses the general registers only, so those are all.
 *
 * Anything else is the end. Its mode has a stack of its own, so that a bad
 * stack pointer is reported too: every register is saved there (struct
 * fault_frame in trap.c is that stack in C), and arm_fault() prints it. If
 * that fails in turn, the run ends without a word.
 */
#include "layout.h"

	.text
	.arm
	.balign	32
	.globl	vectors
vectors:
	b	reset
	b	undefined
	b	call
	b	fetch
	b	data
	b	hyp
	b	irq
	b	fiq

irq:
	sub	lr, lr, #4		/* where to return to */
	srsdb	sp!, #MODE_SVC
	cps	#MODE_SVC
	push	{r0-r3, r12, lr}
	and	r1, sp, #4		/* C wants it aligned to 8 */
	sub	sp, sp, r1
	push	{r1, r2}
	bl	arm_irq
	pop	{r1, r2}
	add	sp, sp, r1
	pop	{r0-r3, r12, lr}
	clrex				/* or a strex might believe an ldrex */
	rfeia	sp!			/* of the handler's */

/* lr is so many bytes behind the instruction that is to blame. */
	.macro	fault name, kind, behind
\name:
	sub	sp, sp, #FAULT_FRAME_SIZE
	stm	sp, {r0-r12}
	sub	r8, lr, #\behind
	mov	r10, #\kind
	b	save_and_report
	.endm

	fault	reset, FAULT_RESET, 0
	fault	undefined, FAULT_UNDEFINED, 4
	fault	call, FAULT_CALL, 4
	fault	fetch, FAULT_FETCH, 4
	fault	data, FAULT_DATA, 8
	fault	hyp, FAULT_HYP, 0

/* Alone in having registers 8 to 12 of its own. */
fiq:
	sub	sp, sp, #FAULT_FRAME_SIZE
	stm	sp, {r0-r12}
	sub	r8, lr, #4
	mov	r10, #FAULT_FIQ

save_and_report:
	mrs	r9, spsr
	mov	r0, sp
	mrs	r1, cpsr
	cps	#MODE_SVC
	mov	r6, sp			/* of what failed */
	mov	r7, lr
	msr	cpsr_c, r1
	add	r1, r0, #(13 * 4)
	stm	r1, {r6-r10}
	bl	arm_fault

/* void trap_set_fault_stack(void *top) */
	.globl	trap_set_fault_stack
trap_set_fault_stack:
	mrs	r1, cpsr
	cps	#MODE_ABORT
	mov	sp, r0
	cps	#MODE_UNDEFINED
	mov	sp, r0
	cps	#MODE_FIQ
	mov	sp, r0
	msr	cpsr_c, r1
	bx	lr

	.section .note.GNU-stack, "", %progbits
