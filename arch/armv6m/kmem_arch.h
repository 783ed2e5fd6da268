/* SPDX-License-Identifier: MIT */
/*
 * arch/armv6m/kmem_arch.h - what kmem needs to know about a Cortex-M0, M0+ or
 * M1 (ARMv6-M).
 *
 * This is the inline third of the port (kmem/port.h lists all of it), and the
 * template for your own: copy it, or keep it and define, on the command line
 * or in KMEM_CONFIG_FILE, the macros that your kernel does differently:
 *
 *	KMEM_ARCH_PREEMPT_DISABLE()	hold other threads off this CPU.
 *	KMEM_ARCH_PREEMPT_ENABLE()	undo that; the two nest.
 *		Default: nothing, for a program of one thread and interrupt
 *		handlers, or threads that switch of their own accord. A kernel
 *		that switches threads in PendSV or SysTick must define both,
 *		e.g. as an increment and a decrement of a counter that the
 *		scheduler looks at. (With KMEM_MAGAZINE_ROUNDS 0 all
 *		that they would protect is done with interrupts masked: they
 *		need not be defined.)
 *
 * Interrupts are masked with PRIMASK, faults and NMI are not.
 *
 * These CPUs have no atomic operation, so kmem can serve one of them only:
 * -DKMEM_MAX_CPUS=1. Nor do they divide, count zeros or multiply to 64 bits;
 * kmem does without. Compile with -fno-jump-tables, or GCC implements switch
 * by calls into its library.
 */
#ifndef KMEM_ARCH_H
#define KMEM_ARCH_H

#include <kmem/compiler.h>

KMEM_STATIC_ASSERT(KMEM_MAX_CPUS == 1,
		   "ARMv6-M has no atomic operations: -DKMEM_MAX_CPUS=1");

/* Every bus master reaches all of the 4 GiB that there are. */
#define KMEM_ARCH_DMA_LIMIT	0
#define KMEM_ARCH_DMA32_LIMIT	0

#define KMEM_ARCH_PHYS_BITS	32
#define KMEM_ARCH_HAS_CLZ	0
#define KMEM_ARCH_HAS_DIV	0
#define KMEM_ARCH_HAS_UMULL	0

#define KMEM_ARCH_CPU()		0u

#ifndef KMEM_ARCH_PREEMPT_DISABLE
#define KMEM_ARCH_PREEMPT_DISABLE()	((void)0)
#define KMEM_ARCH_PREEMPT_ENABLE()	((void)0)
#endif

KMEM_BEGIN_DECLS

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

/* The clobber keeps memory accesses of the masked part behind the cpsid. */
KMEM_INLINE uintptr_t kmem_arch_irq_save(void)
{
	uintptr_t primask;

	__asm__ __volatile__("mrs %0, primask\n\tcpsid i"
			     : "=r" (primask) : : "memory");
	return primask;
}

KMEM_INLINE void kmem_arch_irq_restore(uintptr_t primask)
{
	__asm__ __volatile__("msr primask, %0" : : "r" (primask) : "memory");
}

/* Tells the core that it spins. */
KMEM_INLINE void kmem_arch_relax(void)
{
	__asm__ __volatile__("yield" : : : "memory");
}

KMEM_END_DECLS

#endif /* KMEM_ARCH_H */
