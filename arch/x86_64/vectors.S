/* SPDX-License-Identifier: MIT */
/*
 * arch/x86_64/vectors.S - the 256 doors through which a CPU is interrupted.
 *
 * Stub n lies at trap_stubs + n * TRAP_STUB_SIZE. It makes the stack look the
 * same for all vectors (the CPU pushes an error code for some exceptions
 * only), saves the general registers, which are all that kernel code uses,
 * and calls trap(frame); struct trap_frame in frame.h is that stack in C.
 *
 * Alignment: the CPU aligns the stack to 16, then it and we push 22 words.
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
	pushq	$0
	.endif
	pushq	$vector
	jmp	trap_common
	.set	vector, vector + 1
	.endr

trap_common:
	pushq	%rax
	pushq	%rbx
	pushq	%rcx
	pushq	%rdx
	pushq	%rsi
	pushq	%rdi
	pushq	%rbp
	pushq	%r8
	pushq	%r9
	pushq	%r10
	pushq	%r11
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	cld
	movq	%rsp, %rdi
	call	trap
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%r11
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rbp
	popq	%rdi
	popq	%rsi
	popq	%rdx
	popq	%rcx
	popq	%rbx
	popq	%rax
	addq	$16, %rsp		/* vector and error code */
	iretq

	.section .note.GNU-stack, "", @progbits
