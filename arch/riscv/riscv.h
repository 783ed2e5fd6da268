/* SPDX-License-Identifier: MIT */
/*
 * arch/riscv/riscv.h - what differs between the two modes that the test
 * kernel runs in and between harts of 32 and 64 bits; for C and assembly.
 *
 *			supervisor (sbi)	machine (mmode)
 *	registers	sstatus, sie, …		mstatus, mie, …
 *	address space	Sv39: direct map,	physical
 *			vmalloc()
 *	below it	SBI firmware		nothing
 */
#ifndef RISCV_H
#define RISCV_H

#ifndef KMEM_RISCV_M_MODE
#define KMEM_RISCV_M_MODE	0
#endif

#ifdef __ASSEMBLER__
#define RISCV_S_NAME(name)	s##name
#define RISCV_M_NAME(name)	m##name
#else
#define RISCV_S_NAME(name)	"s" #name
#define RISCV_M_NAME(name)	"m" #name
#endif

#if KMEM_RISCV_M_MODE
#define CSR(name)		RISCV_M_NAME(name)
#define IRQ_SOFT		3	/* numbers, and bits of mie and mip */
#define IRQ_TIMER		7
#define DIRECT_BASE		0
#define DIRECT_END		0	/* all of what there is */
#else
#define CSR(name)		RISCV_S_NAME(name)
#define IRQ_SOFT		1
#define IRQ_TIMER		5
#define DIRECT_BASE		0xffffffc000000000
#define DIRECT_END		0x4000000000	/* 256 GiB */
#define VMALLOC_BASE		0x2000000000	/* 64 GiB, in the lower half */
#define VMALLOC_END		0x3000000000
#endif

#if __riscv_xlen == 64
#define REG_SIZE		8
#define REG_LOAD		ld
#define REG_STORE		sd
#define REG_FORMAT		"%016lx"
#define MACHINE_NAME		"riscv64"
#else
#define REG_SIZE		4
#define REG_LOAD		lw
#define REG_STORE		sw
#define REG_FORMAT		"%08lx"
#define MACHINE_NAME		"riscv32"
#endif

/* struct riscv_cpu, for assembly. */
#define CPU_STACK_TOP		8

/* struct trap_frame: 31 registers, 4 more words, filled up to 16 bytes. */
#define FRAME_SIZE		(36 * REG_SIZE)

#endif /* RISCV_H */
