/* SPDX-License-Identifier: MIT */
/*
 * arch/riscv/vector.S - from the entry to C, and from an interrupt to C.
 *
 * Registers that C code supposes to be set, on every hart:
 *
 *	tp	the CPU's struct riscv_cpu; kmem_arch.h looks there
 *	gp	__global_pointer$, relative to which the linker addresses
 *		small data: so it must be set with such code switched off
 *	sp	a stack of its own, a multiple of 16
 *
 * An interrupt comes on the stack of what it interrupts, in the same mode, and
 * finds all three as they should be. It is not interrupted itself.
 */
#include "riscv.h"

	.section .text.enter, "ax"

	.macro	set_gp
	.option	push
	.option	norelax
	la	gp, __global_pointer$
	.option	pop
	.endm

/* The first CPU. a0: hart, a1: the devicetree, both for riscv_start(). */
	.globl	boot_enter
boot_enter:
	set_gp
	la	sp, boot_stack_top
	la	tp, riscv_cpus
	tail	riscv_start

/* Any other, with starting_cpu to say which. */
	.globl	secondary_enter
secondary_enter:
	set_gp
	la	tp, starting_cpu
	REG_LOAD tp, (tp)
	REG_LOAD sp, CPU_STACK_TOP(tp)
	mv	a0, tp
	tail	riscv_secondary_start

/*
 * struct trap_frame in trap.c is the stack in C. x0 has no place, so register
 * n is word n - 1; sp is saved as it was, but comes back by addition.
 */
	.macro	for_registers op
	.irp	n, 1, 3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16, \
		   17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	\op	x\n, (\n - 1) * REG_SIZE(sp)
	.endr
	.endm

	.text
	.balign	4			/* its low bits are a mode */
	.globl	trap_entry
trap_entry:
	addi	sp, sp, -FRAME_SIZE
	for_registers REG_STORE
	addi	t0, sp, FRAME_SIZE
	csrr	t1, CSR(epc)
	csrr	t2, CSR(cause)
	csrr	t3, CSR(tval)
	csrr	t4, CSR(status)
	REG_STORE t0, 1 * REG_SIZE(sp)
	REG_STORE t1, 31 * REG_SIZE(sp)
	REG_STORE t2, 32 * REG_SIZE(sp)
	REG_STORE t3, 33 * REG_SIZE(sp)
	REG_STORE t4, 34 * REG_SIZE(sp)
	mv	a0, sp
	call	trap
	for_registers REG_LOAD
	addi	sp, sp, FRAME_SIZE
#if KMEM_RISCV_M_MODE
	mret
#else
	sret
#endif

	.bss
	.balign	16
	.skip	32768
boot_stack_top:

	.section .note.GNU-stack, "", @progbits
