/* SPDX-License-Identifier: MIT */
/*
 * arch/aarch64/kmem_arch.h - what kmem needs to know about an AArch64 CPU.
 *
 * This is the inline third of the port (kmem/port.h lists all of it), and the
 * template for your own: copy it, or keep it and define, on the command line
 * or in KMEM_CONFIG_FILE, the macros that your kernel does differently:
 *
 *	KMEM_ARCH_CPU()			this CPU's number, 0 .. nr_cpus - 1.
 *		Default: the 32-bit integer at TPIDR_EL1 +
 *		KMEM_AARCH64_CPU_OFFSET. A kernel for one CPU says 0.
 *	KMEM_AARCH64_CPU_OFFSET		bytes from where TPIDR_EL1 points to it.
 *		Default: 0, the first member of the per-CPU structure.
 *	KMEM_ARCH_PREEMPT_DISABLE()	hold other threads off this CPU.
 *	KMEM_ARCH_PREEMPT_ENABLE()	undo that; the two nest.
 *		Default: nothing, for a kernel whose threads give the CPU up
 *		only of their own accord while they run kernel code. A kernel
 *		that switches threads at an interrupt must define both, e.g.
 *		as an increment and a decrement of a counter that the
 *		scheduler looks at. Masking interrupts would do, at several
 *		times the cost of the allocation it protects.
 *	KMEM_ARCH_DMA_LIMIT, KMEM_ARCH_DMA32_LIMIT
 *		Ends of the zones, below. A board whose devices drive fewer
 *		lines (30 on a Raspberry Pi 4) has a zone DMA as well.
 *
 * The library must be compiled without vector registers
 * (-mgeneral-regs-only), which interrupt handlers don't save, and with atomics
 * inline (-mno-outline-atomics): gcc's default is calls to libgcc. Atomics
 * work in normal cacheable memory only, so the MMU must be on before
 * kmem_init(). Accesses are aligned: SCTLR_EL1.A may be set.
 */
#ifndef KMEM_ARCH_H
#define KMEM_ARCH_H

#include <kmem/compiler.h>

/* No device that all machines have drives fewer than 32 lines. */
#ifndef KMEM_ARCH_DMA_LIMIT
#define KMEM_ARCH_DMA_LIMIT	((uint64_t)0)
#endif
#ifndef KMEM_ARCH_DMA32_LIMIT
#define KMEM_ARCH_DMA32_LIMIT	((uint64_t)4 << 30)
#endif

#ifndef KMEM_AARCH64_CPU_OFFSET
#define KMEM_AARCH64_CPU_OFFSET	0
#endif

#ifndef KMEM_ARCH_CPU
#define KMEM_ARCH_CPU()		kmem_aarch64_cpu()
#endif

#ifndef KMEM_ARCH_PREEMPT_DISABLE
#define KMEM_ARCH_PREEMPT_DISABLE()	((void)0)
#define KMEM_ARCH_PREEMPT_ENABLE()	((void)0)
#endif

KMEM_BEGIN_DECLS

/*
 * Volatile: a thread that slept in between may find itself on another CPU, so
 * the compiler must not reuse an earlier answer. The number itself never
 * changes, so that the compiler need not know what memory is read.
 */
KMEM_INLINE unsigned kmem_aarch64_cpu(void)
{
	uint64_t cpu;

	__asm__ __volatile__("mrs %0, tpidr_el1\n\tldr %w0, [%0, %1]"
			     : "=r" (cpu) : "i" (KMEM_AARCH64_CPU_OFFSET));
	return (unsigned)cpu;
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

/*
 * IRQ and FIQ both: some machines bring ordinary interrupts as FIQ. The
 * clobber keeps memory accesses of the masked part behind the masking.
 */
KMEM_INLINE uintptr_t kmem_arch_irq_save(void)
{
	uintptr_t daif;

	__asm__ __volatile__("mrs %0, daif\n\tmsr daifset, #3"
			     : "=r" (daif) : : "memory");
	return daif;
}

KMEM_INLINE void kmem_arch_irq_restore(uintptr_t daif)
{
	__asm__ __volatile__("msr daif, %0" : : "r" (daif) : "memory");
}

/* Tells the core that it spins: yields to its sibling, where it has one. */
KMEM_INLINE void kmem_arch_relax(void)
{
	__asm__ __volatile__("yield" : : : "memory");
}

KMEM_END_DECLS

#endif /* KMEM_ARCH_H */
