/* SPDX-License-Identifier: MIT */
/*
 * arch/i386/vectors.S - the 256 doors through which a CPU is interrupted.
 *
 * Stub n lies at trap_stubs + n * TRAP_STUB_SIZE. It makes the stack look the
 * same for all vectors (the CPU pushes an error code for some exceptions
 * only), saves the general registers, which are all that kernel code uses,
 * and calls trap(frame); struct trap_frame in frame.h is that stack in C.
 *
 * Alignment: the CPU interrupts at any multiple of 4, C wants 16 at a call.
 */
	.set	TRAP_STUB_SIZE, 16

	.text
	.balign	TRAP_STUB_SIZE
	.globl	trap_stubs
trap_stubs:
	.set	vector, 0
	.rept	256
	.balign	TRAP_STUB_SIZE
	/* Those with an error code: 8, 10-14, 17, 21, 29, 30. */
	.if	!((vector < 32) && ((0x60227d00 >> (vector & 31)) & 1))
	pushl	$0
	.endif
	pushl	$vector
	jmp	trap_common
	.set	vector, vector + 1
	.endr

trap_common:
	pushal
	cld
	movl	%esp, %ebx		/* C preserves it */
	andl	$-16, %esp
	subl	$12, %esp
	pushl	%ebx
	call	trap
	movl	%ebx, %esp
	popal
	addl	$8, %esp		/* vector and error code */
	iretl

	.section .note.GNU-stack, "", @progbits
