/* SPDX-License-Identifier: MIT */
/*
 * arch/riscv/mmode/entry.S - from reset, in machine mode.
 *
 * All harts come at once, with their hart id in a0 and the physical address of
 * the devicetree in a1. The first one to draw a ticket boots. The others wait
 * for a software interrupt, which they need not take to be woken by it.
 */
#include "../riscv.h"

/* The first instruction of the image: reset code jumps there. */
	.section .text.start, "ax"
	.option	norelax			/* gp is not set */

	.globl	riscv_entry
riscv_entry:
	csrw	mie, zero
	la	t0, tickets
	li	t1, 1
	amoadd.w.aqrl t1, t1, (t0)
	beqz	t1, boot

	csrw	mie, 1 << IRQ_SOFT
1:	wfi				/* may return without a reason */
	csrr	t0, mip
	andi	t0, t0, 1 << IRQ_SOFT
	beqz	t0, 1b
	fence	rw, rw			/* see what was written before it */
	j	secondary_enter

boot:
	j	boot_enter

	.data
	.balign	4
tickets:
	.long	0

	.section .note.GNU-stack, "", @progbits
