/* SPDX-License-Identifier: MIT */
/*
 * arch/host/kmem_arch.h - the hosted port: threads stand for CPUs.
 *
 * Each thread that calls kmem has a CPU number of its own, set with
 * host_cpu_set() or host_run_cpus() (host.h), and no two threads share one at
 * the same time: so nothing preempts a "CPU" but the signals that stand for
 * interrupts. Masking them is a flag that the signal handler looks at: cheap,
 * and an interrupt that finds it set is kept until the flag is cleared.
 */
#ifndef KMEM_ARCH_H
#define KMEM_ARCH_H

#include <kmem/compiler.h>

#ifdef __cplusplus
#define KMEM_HOST_TLS thread_local
#else
#define KMEM_HOST_TLS _Thread_local
#endif

#define KMEM_ARCH_DMA_LIMIT	((uint64_t)16 << 20)
#define KMEM_ARCH_DMA32_LIMIT	((uint64_t)4 << 30)

/* Signal handlers may use them as well. */
#ifdef KMEM_ARCH_VECTOR_BYTES
#elif defined(__AVX2__)
#define KMEM_ARCH_VECTOR_BYTES	32
#elif defined(__SSE2__) || defined(__ARM_NEON)
#define KMEM_ARCH_VECTOR_BYTES	16
#endif

struct kmem_host_cpu {
	unsigned cpu;
	volatile unsigned char irqs_masked;
	volatile unsigned char irq_pending;
};

KMEM_BEGIN_DECLS

/* It is in the program itself, unless this is compiled for a shared library. */
extern KMEM_HOST_TLS struct kmem_host_cpu kmem_host_cpu
#if !defined(__PIC__) || defined(__PIE__)
	__attribute__((tls_model("local-exec")))
#endif
	;

/* Run the interrupt that came while they were masked (arch/host/host.c). */
void kmem_host_irq_run_pending(void);
/* Let another thread run: there may be more "CPUs" than real ones. */
void kmem_host_yield(void);

KMEM_INLINE unsigned kmem_arch_enter(void)
{
	return kmem_host_cpu.cpu;
}

KMEM_INLINE void kmem_arch_exit(void)
{
}

KMEM_INLINE unsigned kmem_arch_cpu(void)
{
	return kmem_host_cpu.cpu;
}

KMEM_INLINE uintptr_t kmem_arch_irq_save(void)
{
	uintptr_t masked = kmem_host_cpu.irqs_masked;

	kmem_host_cpu.irqs_masked = 1;
	kmem_barrier();
	return masked;
}

KMEM_INLINE void kmem_arch_irq_restore(uintptr_t masked)
{
	kmem_barrier();
	kmem_host_cpu.irqs_masked = (unsigned char)masked;
	kmem_barrier();
	if (KMEM_UNLIKELY(!masked && kmem_host_cpu.irq_pending))
		kmem_host_irq_run_pending();
}

KMEM_INLINE void kmem_arch_relax(void)
{
	kmem_host_yield();
}

KMEM_END_DECLS

#endif /* KMEM_ARCH_H */
