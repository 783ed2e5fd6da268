/* SPDX-License-Identifier: MIT */
/*
 * arch/host/malloc/kmem_arch.h - the port of the malloc library: threads are
 * given CPUs.
 *
 * A thread has a CPU of kmem's to itself for as long as it lives (threads.c),
 * so nothing preempts a "CPU" and kmem_arch_enter() has nothing to do.
 *
 * There are no interrupts to mask, and none that could come in between: signal
 * handlers may not call malloc(). What masking them brackets, though, is all
 * that touches what CPUs share: locks are held there and nowhere else. Each
 * CPU has a lock of its own for that, its *section*, which costs one exchange
 * on a cache line that nobody else looks at; whoever holds all sections knows
 * that every structure of kmem is whole. fork() does so, and then the child
 * can go on. Sections also let threads share a CPU when there are more threads
 * than CPUs: such a thread enters the section for a whole call.
 */
#ifndef KMEM_ARCH_H
#define KMEM_ARCH_H

#include <kmem/atomic.h>

#define KMEM_ARCH_NESTS		0
#define KMEM_ARCH_DMA_LIMIT	((uint64_t)0)
#define KMEM_ARCH_DMA32_LIMIT	((uint64_t)0)

#ifdef __cplusplus
#define KMEM_ARCH_TLS thread_local
#else
#define KMEM_ARCH_TLS _Thread_local
#endif
#define KMEM_ARCH_HIDDEN __attribute__((visibility("hidden")))

struct kmem_thread {
	/* Requests of 1 to this many bytes need nothing but a magazine. 0: look
	 * more closely, for this thread has no CPU to itself. */
	size_t fast_max;
	unsigned cpu;
	unsigned depth;			/* sections entered and not left */
};

struct kmem_section {
	KMEM_ALIGNED(KMEM_CACHE_LINE) uint8_t locked;
};

KMEM_BEGIN_DECLS

extern KMEM_ARCH_HIDDEN KMEM_ARCH_TLS struct kmem_thread kmem_thread;
extern KMEM_ARCH_HIDDEN struct kmem_section kmem_sections[KMEM_MAX_CPUS];

/* Who holds what is waited for may be off its core: let it run. */
KMEM_ARCH_HIDDEN void kmem_malloc_yield(void);

KMEM_INLINE unsigned kmem_arch_enter(void)
{
	return kmem_thread.cpu;
}

KMEM_INLINE void kmem_arch_exit(void)
{
}

KMEM_INLINE unsigned kmem_arch_cpu(void)
{
	return kmem_thread.cpu;
}

KMEM_INLINE uintptr_t kmem_arch_irq_save(void)
{
	if (kmem_thread.depth++)
		return 0;
	while (kmem_exchange_acquire(&kmem_sections[kmem_thread.cpu].locked,
				     1))
		kmem_malloc_yield();
	return 0;
}

KMEM_INLINE void kmem_arch_irq_restore(uintptr_t state)
{
	(void)state;
	if (--kmem_thread.depth == 0)
		kmem_store_release(&kmem_sections[kmem_thread.cpu].locked, 0);
}

KMEM_INLINE void kmem_arch_relax(void)
{
	kmem_malloc_yield();
}

KMEM_END_DECLS

#endif /* KMEM_ARCH_H */
