/* SPDX-License-Identifier: MIT */
/*
 * arch/riscv64/kmem_arch.h - what kmem needs to know about a RISC-V hart, of
 * 64 or of 32 bits.
 *
 * This is the inline third of the port (kmem/port.h lists all of it), and the
 * template for your own: copy it, or keep it and define, on the command line
 * or in KMEM_CONFIG_FILE, the macros that your kernel does differently:
 *
 *	KMEM_RISCV_M_MODE		1: the kernel runs in machine mode.
 *		Default: 0, supervisor mode.
 *	KMEM_ARCH_CPU()			this CPU's number, 0 .. nr_cpus - 1.
 *		Default: the 32-bit integer at tp + KMEM_RISCV_CPU_OFFSET.
 *		A kernel for one hart says 0. Hart ids (mhartid) won't do
 *		unless they are such numbers: they may have gaps.
 *	KMEM_RISCV_CPU_OFFSET		bytes from what tp points at to it,
 *		-2048 to 2047. Default: 0, the first member of the per-CPU
 *		structure.
 *	KMEM_ARCH_PREEMPT_DISABLE()	hold other threads off this CPU.
 *	KMEM_ARCH_PREEMPT_ENABLE()	undo that; the two nest.
 *		Default: nothing, for a kernel whose threads give the CPU up
 *		only of their own accord while they run kernel code. A kernel
 *		that switches threads at an interrupt must define both, e.g.
 *		as an increment and a decrement of a counter that the
 *		scheduler looks at. Masking interrupts would do, at several
 *		times the cost of the allocation it protects.
 *
 * If tp is the current thread, as in Linux, rather than the CPU, then its
 * number must be in the thread, kept up to date by whoever moves threads.
 *
 * The library must be compiled with an ABI without floating-point registers
 * (-mabi=lp64 or ilp32), which interrupt handlers don't save, for a core with
 * Zicsr (binutils asks for the name: -march=rv64imac_zicsr) and, unless
 * KMEM_MAX_CPUS is 1, the A extension, and with a code model that reaches
 * where it is linked (-mcmodel=medany: anywhere). It does not use gp.
 */
#ifndef KMEM_ARCH_H
#define KMEM_ARCH_H

#include <kmem/compiler.h>

#ifndef KMEM_RISCV_M_MODE
#define KMEM_RISCV_M_MODE	0
#endif

/* There is no ISA bus; devices that drive 32 address lines are common where
 * there are more. */
#define KMEM_ARCH_DMA_LIMIT	0
#if __riscv_xlen == 64
#define KMEM_ARCH_DMA32_LIMIT	((uint64_t)4 << 30)
#else
#define KMEM_ARCH_DMA32_LIMIT	0
#endif

/* Only the Zbb extension counts zeros. */
#ifdef __riscv_zbb
#define KMEM_ARCH_HAS_CLZ	1
#else
#define KMEM_ARCH_HAS_CLZ	0
#endif

#ifndef KMEM_RISCV_CPU_OFFSET
#define KMEM_RISCV_CPU_OFFSET	0
#endif

#ifndef KMEM_ARCH_CPU
#define KMEM_ARCH_CPU()		kmem_riscv_tp_cpu()
#endif

#ifndef KMEM_ARCH_PREEMPT_DISABLE
#define KMEM_ARCH_PREEMPT_DISABLE()	((void)0)
#define KMEM_ARCH_PREEMPT_ENABLE()	((void)0)
#endif

/* The mode's own interrupt enable, as bit and as part of a register's name. */
#if KMEM_RISCV_M_MODE
#define KMEM_RISCV_STATUS	"mstatus"
#define KMEM_RISCV_STATUS_IE	8
#else
#define KMEM_RISCV_STATUS	"sstatus"
#define KMEM_RISCV_STATUS_IE	2
#endif

KMEM_BEGIN_DECLS

/*
 * One instruction. Volatile: a thread that slept in between may find itself
 * on another CPU, so the compiler must not reuse an earlier answer.
 */
KMEM_INLINE unsigned kmem_riscv_tp_cpu(void)
{
	unsigned cpu;

	__asm__ __volatile__("lw %0, %1(tp)"
			     : "=r" (cpu) : "i" (KMEM_RISCV_CPU_OFFSET));
	return cpu;
}

KMEM_INLINE unsigned kmem_arch_enter(void)
{
	KMEM_ARCH_PREEMPT_DISABLE();
	return KMEM_ARCH_CPU();
}

KMEM_INLINE void kmem_arch_exit(void)
{
	KMEM_ARCH_PREEMPT_ENABLE();
}

KMEM_INLINE unsigned kmem_arch_cpu(void)
{
	return KMEM_ARCH_CPU();
}

/* Read and clear at once. The clobber keeps memory accesses of the masked
 * part behind it. */
KMEM_INLINE uintptr_t kmem_arch_irq_save(void)
{
	uintptr_t status;

	__asm__ __volatile__("csrrci %0, " KMEM_RISCV_STATUS ", %1"
			     : "=r" (status) : "i" (KMEM_RISCV_STATUS_IE)
			     : "memory");
	return status & KMEM_RISCV_STATUS_IE;
}

KMEM_INLINE void kmem_arch_irq_restore(uintptr_t state)
{
	__asm__ __volatile__("csrs " KMEM_RISCV_STATUS ", %0"
			     : : "r" (state) : "memory");
}

/* The hint `pause`, by its number: assemblers may not know it, and harts
 * without it do nothing. */
KMEM_INLINE void kmem_arch_relax(void)
{
	__asm__ __volatile__(".4byte 0x0100000f" : : : "memory");
}

KMEM_END_DECLS

#endif /* KMEM_ARCH_H */
