/* SPDX-License-Identifier: MIT */
/*
 * tests/explore/kmem_arch.h - the explorer's machine: CPUs are coroutines, and
 * who runs is decided at every access to memory (explore.h).
 */
#ifndef KMEM_ARCH_H
#define KMEM_ARCH_H

#include <kmem/compiler.h>

#define KMEM_ARCH_DMA_LIMIT	0
#define KMEM_ARCH_DMA32_LIMIT	0

KMEM_BEGIN_DECLS

extern unsigned explore_cpu;		/* whose turn it is */
uintptr_t explore_irq_save(void);
void explore_irq_restore(uintptr_t state);
void explore_relax(void);

/* A kernel that does not preempt its own code: no barrier in these. */
KMEM_INLINE unsigned kmem_arch_enter(void)
{
	return explore_cpu;
}

KMEM_INLINE void kmem_arch_exit(void)
{
}

KMEM_INLINE unsigned kmem_arch_cpu(void)
{
	return explore_cpu;
}

KMEM_INLINE uintptr_t kmem_arch_irq_save(void)
{
	return explore_irq_save();
}

KMEM_INLINE void kmem_arch_irq_restore(uintptr_t state)
{
	explore_irq_restore(state);
}

KMEM_INLINE void kmem_arch_relax(void)
{
	explore_relax();
}

KMEM_END_DECLS

#endif /* KMEM_ARCH_H */
