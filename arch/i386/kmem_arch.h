/* SPDX-License-Identifier: MIT */
/*
 * arch/i386/kmem_arch.h - what kmem needs to know about a 32-bit x86 CPU.
 *
 * This is the inline third of the port (kmem/port.h lists all of it), and the
 * template for your own: copy it, or keep it and define, on the command line
 * or in KMEM_CONFIG_FILE, the macros that your kernel does differently:
 *
 *	KMEM_ARCH_CPU()			this CPU's number, 0 .. nr_cpus - 1.
 *		Default: the 32-bit integer at %fs:KMEM_X86_CPU_OFFSET, where
 *		each CPU's %fs selects a segment that begins with its per-CPU
 *		structure. (%gs is left to a compiler's stack protector.)
 *		A kernel for one CPU says 0.
 *	KMEM_X86_CPU_OFFSET		bytes from the base of %fs to it.
 *		Default: 0, the first member of the per-CPU structure.
 *	KMEM_ARCH_PREEMPT_DISABLE()	hold other threads off this CPU.
 *	KMEM_ARCH_PREEMPT_ENABLE()	undo that; the two nest.
 *		Default: nothing, for a kernel whose threads give the CPU up
 *		only of their own accord while they run kernel code. A kernel
 *		that switches threads at an interrupt must define both, e.g.
 *		as an increment and a decrement of a counter that the
 *		scheduler looks at. Masking interrupts would do, at several
 *		times the cost of the allocation it protects.
 *
 * The library must be compiled without floating point and vector registers
 * (-mgeneral-regs-only), which interrupt handlers don't save. With -march=i486
 * it needs nothing that came later.
 *
 * Memory that the kernel's direct map does not reach, usually all above 896
 * MiB, may stand in the map given to kmem, above 4 GiB too: say where the
 * direct map ends in kmem_params.direct_map_end, and it is left alone.
 */
#ifndef KMEM_ARCH_H
#define KMEM_ARCH_H

#include <kmem/compiler.h>

/* ISA bus masters drive 24 address lines. All that a 32-bit direct map can
 * reach is within those of PCI devices. */
#define KMEM_ARCH_DMA_LIMIT	((uint64_t)16 << 20)
#define KMEM_ARCH_DMA32_LIMIT	0

#ifndef KMEM_X86_CPU_OFFSET
#define KMEM_X86_CPU_OFFSET	0
#endif

#ifndef KMEM_ARCH_CPU
#define KMEM_ARCH_CPU()		kmem_x86_fs_cpu()
#endif

#ifndef KMEM_ARCH_PREEMPT_DISABLE
#define KMEM_ARCH_PREEMPT_DISABLE()	((void)0)
#define KMEM_ARCH_PREEMPT_ENABLE()	((void)0)
#endif

/* The interrupt flag in EFLAGS. */
#define KMEM_X86_FLAGS_IF	((uintptr_t)1 << 9)

KMEM_BEGIN_DECLS

/*
 * One instruction. Volatile: a thread that slept in between may find itself
 * on another CPU, so the compiler must not reuse an earlier answer.
 */
KMEM_INLINE unsigned kmem_x86_fs_cpu(void)
{
	unsigned cpu;

	__asm__ __volatile__("movl %%fs:%c1, %0"
			     : "=r" (cpu) : "i" (KMEM_X86_CPU_OFFSET));
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

/* The clobber keeps memory accesses of the masked part behind the cli. */
KMEM_INLINE uintptr_t kmem_arch_irq_save(void)
{
	uintptr_t flags;

	__asm__ __volatile__("pushfl\n\tpopl %0\n\tcli"
			     : "=r" (flags) : : "memory");
	return flags & KMEM_X86_FLAGS_IF;
}

/*
 * Interrupts are masked now, so only their having been enabled needs work;
 * sti does that in a fraction of the time of popfl.
 */
KMEM_INLINE void kmem_arch_irq_restore(uintptr_t state)
{
	if (state)
		__asm__ __volatile__("sti" : : : "memory");
	else
		kmem_barrier();
}

/* Tells the core that it spins; older ones execute it as a nop. */
KMEM_INLINE void kmem_arch_relax(void)
{
	__asm__ __volatile__("pause" : : : "memory");
}

KMEM_END_DECLS

#endif /* KMEM_ARCH_H */
