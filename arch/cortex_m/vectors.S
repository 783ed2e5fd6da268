/* SPDX-License-Identifier: MIT */
/*
 * arch/cortex_m/vectors.S - the vector table, and the way into fault().
 *
 * The first word is the stack pointer after reset. Then 15 exceptions, of
 * which reset, NMI and SysTick are expected, and 32 interrupts, which are not.
 */
	.syntax	unified
	.thumb

	.section .vectors, "a"
	.long	stack_top
	.long	reset
	.long	nmi_handler
	.rept	12
	.long	fault_entry
	.endr
	.long	systick_handler
	.rept	32
	.long	fault_entry
	.endr

/*
 * The CPU has pushed r0-r3, r12, lr, pc and xpsr. Below them the rest: struct
 * fault_frame in fault.c is that stack in C.
 */
	.section .text.fault_entry, "ax"
	.globl	fault_entry
	.type	fault_entry, %function
	.thumb_func
fault_entry:
	cpsid	i
	mov	r0, r8
	mov	r1, r9
	mov	r2, r10
	mov	r3, r11
	push	{r0-r3}
	push	{r4-r7}
	mov	r0, sp
	mrs	r1, ipsr
	bl	fault

	.section .note.GNU-stack, "", %progbits
