/* SPDX-License-Identifier: MIT */
/*
 * spinlock.h - the one kind of lock, and how often it was taken.
 *
 * Test-and-test-and-set: an exchange to take, a store to release, reads in
 * between while waiting. Every lock of kmem is a leaf, held for a short and
 * bounded time with interrupts masked, so that an interrupt handler may take
 * it too. (The list of caches is an exception: see cache.c. So is a zone's lock,
 * which may be taken with that of a slab's node held: slab_beginning_at().)
 *
 * The counters are written by the holder only. They are what the claim "one
 * lock operation in a magazine-full of allocations" is measured with.
 *
 * With one CPU the interrupt mask is the lock, and nothing is counted. The flag
 * is for those who leave interrupts on and for those whom no mask holds off:
 * an NMI, which only ever tries (nolock.c). The exchange is a plain one
 * (atomic.h).
 */
#ifndef KMEM_SPINLOCK_H
#define KMEM_SPINLOCK_H

#include <kmem/atomic.h>
#include <kmem/port.h>

struct kmem_lock {
	unsigned locked;	/* a word: not every CPU can exchange a byte */
#if KMEM_MAX_CPUS > 1
	size_t taken;		/* times */
	size_t contended;	/* of them, had to wait */
#endif
};

/* What there is to count, or not. */
#if KMEM_MAX_CPUS > 1
#define LOCK_COUNT(l, which, n)	kmem_count_n(&(l)->which, n)
#define LOCK_READ(l, which)	kmem_load_relaxed(&(l)->which)
#else
#define LOCK_COUNT(l, which, n)	((void)0)
#define LOCK_READ(l, which)	((size_t)0)
#endif

KMEM_INLINE void lock_init(struct kmem_lock *l)
{
	*l = (struct kmem_lock){ 0 };
}

/* Preemption or interrupts are off already. */
KMEM_INLINE void lock_take(struct kmem_lock *l)
{
	if (KMEM_UNLIKELY(kmem_exchange_acquire(&l->locked, 1))) {
		do {
			while (kmem_load_relaxed(&l->locked))
				kmem_arch_relax();
		} while (kmem_exchange_acquire(&l->locked, 1));
		LOCK_COUNT(l, contended, 1);
	}
	LOCK_COUNT(l, taken, 1);
}

/* Without waiting; false if it is taken. */
KMEM_INLINE bool lock_try(struct kmem_lock *l)
{
	if (kmem_exchange_acquire(&l->locked, 1))
		return false;
	LOCK_COUNT(l, taken, 1);
	return true;
}

KMEM_INLINE void lock_release(struct kmem_lock *l)
{
	kmem_store_release(&l->locked, 0);
}

KMEM_INLINE uintptr_t lock_irq(struct kmem_lock *l)
{
	uintptr_t irq = kmem_arch_irq_save();

	if (KMEM_MAX_CPUS > 1) {
		lock_take(l);
	} else if (KMEM_DEFERRED) {
		kmem_store_relaxed(&l->locked, 1);
		kmem_barrier();
	}
	return irq;
}

/* The same, without waiting. Context: any, NMI included. Return: false if it is
 * taken; then interrupts are as they were. */
KMEM_INLINE bool lock_try_irq(struct kmem_lock *l, uintptr_t *irq)
{
	*irq = kmem_arch_irq_save();
	if (lock_try(l))
		return true;
	kmem_arch_irq_restore(*irq);
	return false;
}

KMEM_INLINE void unlock_irq(struct kmem_lock *l, uintptr_t irq)
{
	if (KMEM_DEFERRED)
		lock_release(l);
	kmem_arch_irq_restore(irq);
}

#endif /* KMEM_SPINLOCK_H */
