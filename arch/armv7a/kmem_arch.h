/* SPDX-License-Identifier: MIT */
/*
 * arch/armv7a/kmem_arch.h - what kmem needs to know about an ARMv7-A CPU.
 *
 * This is the inline third of the port (kmem/port.h lists all of it), and the
 * template for your own: copy it, or keep it and define, on the command line
 * or in KMEM_CONFIG_FILE, the macros that your kernel does differently:
 *
 *	KMEM_ARCH_CPU()			this CPU's number, 0 .. nr_cpus - 1.
 *		Default: the 32-bit integer at TPIDRPRW +
 *		KMEM_ARMV7A_CPU_OFFSET. A kernel for one CPU says 0.
 *	KMEM_ARMV7A_CPU_OFFSET		bytes from where TPIDRPRW points to it.
 *		Default: 0, the first member of the per-CPU structure.
 *	KMEM_ARCH_PREEMPT_DISABLE()	hold other threads off this CPU.
 *	KMEM_ARCH_PREEMPT_ENABLE()	undo that; the two nest.
 *		Default: nothing, for a kernel whose threads give the CPU up
 *		only of their own accord while they run kernel code. A kernel
 *		that switches threads at an interrupt must define both, e.g.
 *		as an increment and a decrement of a counter that the
 *		scheduler looks at. Masking interrupts would do, at several
 *		times the cost of the allocation it protects.
 *	KMEM_ARCH_DMA_LIMIT		end of the zone DMA.
 *		Default: 0, none. A board whose devices drive fewer address
 *		lines than the CPU says what they reach.
 *
 * The library must be compiled without vector registers (-mfloat-abi=soft),
 * which interrupt handlers don't save; clang, for a target without an
 * operating system, needs -meabi gnu as well, lest it call __aeabi_memcpy()
 * for memcpy(). Atomics are ldrex and strex, which work in normal cacheable
 * memory only, so the MMU must be on before kmem_init(); and whoever returns
 * from an interrupt executes clrex first. Accesses are aligned: SCTLR.A may be
 * set.
 */
#ifndef KMEM_ARCH_H
#define KMEM_ARCH_H

#include <kmem/compiler.h>

#ifndef KMEM_ARCH_DMA_LIMIT
#define KMEM_ARCH_DMA_LIMIT	((uint64_t)0)
#endif

/* No memory that the direct map can reach is above 4 GiB. */
#define KMEM_ARCH_DMA32_LIMIT	((uint64_t)0)

#ifndef KMEM_ARMV7A_CPU_OFFSET
#define KMEM_ARMV7A_CPU_OFFSET	0
#endif

#ifndef KMEM_ARCH_CPU
#define KMEM_ARCH_CPU()		kmem_armv7a_cpu()
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
KMEM_INLINE unsigned kmem_armv7a_cpu(void)
{
	unsigned cpu;

	__asm__ __volatile__("mrc p15, 0, %0, c13, c0, 4\n\tldr %0, [%0, %1]"
			     : "=r" (cpu) : "i" (KMEM_ARMV7A_CPU_OFFSET));
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

/*
 * IRQ and FIQ both: some machines bring ordinary interrupts as FIQ. The
 * clobber keeps memory accesses of the masked part behind the masking.
 */
KMEM_INLINE uintptr_t kmem_arch_irq_save(void)
{
	uintptr_t cpsr;

	__asm__ __volatile__("mrs %0, cpsr\n\tcpsid if"
			     : "=r" (cpsr) : : "memory");
	return cpsr;
}

/* The masks, and the mode, which is as it was. */
KMEM_INLINE void kmem_arch_irq_restore(uintptr_t cpsr)
{
	__asm__ __volatile__("msr cpsr_c, %0" : : "r" (cpsr) : "memory");
}

/* Tells the core that it spins: yields to its sibling, where it has one. */
KMEM_INLINE void kmem_arch_relax(void)
{
	__asm__ __volatile__("yield" : : : "memory");
}

KMEM_END_DECLS

#endif /* KMEM_ARCH_H */
