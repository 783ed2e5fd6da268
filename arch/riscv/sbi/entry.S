/* SPDX-License-Identifier: MIT */
/*
 * arch/riscv/sbi/entry.S - from the firmware, in supervisor mode.
 *
 * One hart comes from the firmware, the others when they are started through
 * it: each at a physical address, with paging off, interrupts masked, and its
 * hart id in a0. The first has the physical address of the devicetree in a1.
 *
 * There is one page table, which the assembler fills in. It maps physical
 * memory at DIRECT_BASE, 256 pages of 1 GiB, and nothing else; paging.c lets
 * vmalloc() add to it. The kernel is
 * linked there. So the instruction behind the one that switches paging on is
 * mapped nowhere: fetching it is a page fault, which the CPU takes at stvec,
 * and that holds an address of the direct map.
 *
 * A hart that is started may come by the wrong door. OpenSBI (1.1, which QEMU
 * 7.2 brings) marks a hart as to be started before it writes down where; one
 * that is not asleep yet just then goes where the first one went. So the first
 * to come through riscv_entry boots, and any later one is the one that
 * machine_start_cpu() is waiting for.
 */
#include "../riscv.h"

#define SATP_SV39	8		/* << 60 */

/* Valid, readable, writable, executable, global, accessed, dirty. */
#define PTE_KERNEL	0xef

	.macro	paging_on
	la	t0, 1f
	li	t1, DIRECT_BASE
	add	t0, t0, t1
	csrw	stvec, t0
	la	t0, page_table
	srli	t0, t0, 12
	li	t1, SATP_SV39
	slli	t1, t1, 60
	or	t0, t0, t1
	sfence.vma
	csrw	satp, t0
	.balign	4			/* stvec's low bits are a mode */
1:
	.endm

/* The first instruction of the image: QEMU enters it there. */
	.section .text.start, "ax"
	.option	norelax			/* gp is not set */

	.globl	riscv_entry
riscv_entry:
	la	t0, boot_hart_came
	li	t1, 1
	amoswap.w.aq t1, t1, (t0)
	bnez	t1, secondary_entry
	csrw	sie, zero
	paging_on
	j	boot_enter

	.globl	secondary_entry
secondary_entry:
	csrw	sie, zero
	paging_on
	j	secondary_enter

	.data
	.balign	4
boot_hart_came:
	.word	0

	.balign	4096
	.globl	page_table
page_table:
	.fill	256, 8, 0
	.set	gib, 0
	.rept	256
	.quad	(gib << 28) + PTE_KERNEL
	.set	gib, gib + 1
	.endr

	.section .note.GNU-stack, "", @progbits
