/* SPDX-License-Identifier: MIT */
/*
 * kmem/atomic.h - every access that another context may race with.
 *
 * All of kmem's atomics, and the plain accesses that an interrupt on the same
 * CPU or a reader of statistics may meet half way, go through these names and
 * nothing else does. Ordering is on the operation, never in a stand-alone
 * fence. A test build can define KMEM_ATOMIC_FILE to a header that supplies
 * the same macros over a scheduler that explores interleavings.
 *
 *	kmem_load_relaxed(p)	kmem_store_relaxed(p, v)
 *	kmem_load_acquire(p)	kmem_store_release(p, v)
 *	kmem_exchange_acquire(p, v)
 *	kmem_store_exchange(p, v)	a store that sees the one before it
 *	kmem_add_relaxed(p, v)		an atomic addition: slow paths only
 *	kmem_fetch_add(p, v)		the same, acquire and release; the
 *					value before
 *	kmem_count(p)			an increment by the only writer
 *	kmem_load_plain(p)	kmem_store_plain(p, v)
 *
 * GNU's __atomic builtins are used rather than <stdatomic.h>: they compile to
 * the same instructions and work on plain types, so that a structure has the
 * same layout for C and for C++ callers.
 */
#ifndef KMEM_ATOMIC_H
#define KMEM_ATOMIC_H

#include <kmem/compiler.h>

#ifdef KMEM_ATOMIC_FILE
#include KMEM_ATOMIC_FILE
#else

#if KMEM_MAX_CPUS > 1

#define kmem_load_relaxed(p)	__atomic_load_n((p), __ATOMIC_RELAXED)
#define kmem_load_acquire(p)	__atomic_load_n((p), __ATOMIC_ACQUIRE)
#define kmem_store_relaxed(p, v) __atomic_store_n((p), (v), __ATOMIC_RELAXED)
#define kmem_store_release(p, v) __atomic_store_n((p), (v), __ATOMIC_RELEASE)
#define kmem_exchange_acquire(p, v) \
	__atomic_exchange_n((p), (v), __ATOMIC_ACQUIRE)
#define kmem_store_exchange(p, v) \
	((void)__atomic_exchange_n((p), (v), __ATOMIC_ACQ_REL))
#define kmem_add_relaxed(p, v)	__atomic_fetch_add((p), (v), __ATOMIC_RELAXED)

#define kmem_fetch_add(p, v)	__atomic_fetch_add((p), (v), __ATOMIC_ACQ_REL)

#else /* one CPU: nobody races but interrupts, and the compiler */

#define KMEM_VOLATILE(p)	(*(volatile __typeof__(*(p)) *)(p))
#define kmem_load_relaxed(p)	KMEM_VOLATILE(p)
#define kmem_load_acquire(p)	KMEM_VOLATILE(p)
#define kmem_store_relaxed(p, v) ((void)(KMEM_VOLATILE(p) = (v)))
#define kmem_store_release(p, v) \
	do { kmem_barrier(); kmem_store_relaxed(p, v); } while (0)
/* Of locks, which only those take who mask interrupts, or only try. */
#define kmem_exchange_acquire(p, v) \
	(KMEM_VOLATILE(p) ? 1 : (KMEM_VOLATILE(p) = (v), 0))
#define kmem_store_exchange(p, v) kmem_store_relaxed(p, v)
/* Of statistics and epochs: an interrupt may make it miss one. */
#define kmem_add_relaxed(p, v)	((void)(*(p) += (v)))
/* Interrupts are masked. */
#define kmem_fetch_add(p, v)	((*(p) += (v)) - (v))

#endif

#endif

/*
 * A counter with one writer at a time, which others may read at any moment: a
 * reader can get a value that is one behind, never a torn one. Compilers turn
 * a relaxed load and store into three instructions and a plain addition into
 * one, so the plain one it is, where no tool watches for data races.
 */
#if defined(__SANITIZE_THREAD__) || defined(KMEM_ATOMIC_FILE)
#define KMEM_COUNT_ATOMIC 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define KMEM_COUNT_ATOMIC 1
#endif
#endif

/*
 * Accesses of the fast paths that are as good as relaxed ones: of what one CPU
 * alone writes, between compiler barriers and with an interrupt of that CPU as
 * the only other party (port.h), and of slots, which are looked at once. Plain
 * ones for the same reason: they fold into the instruction that uses them.
 */
#ifdef KMEM_COUNT_ATOMIC
#define kmem_load_plain(p)	kmem_load_relaxed(p)
#define kmem_store_plain(p, v)	kmem_store_relaxed(p, v)
#else
#define kmem_load_plain(p)	(*(p))
#define kmem_store_plain(p, v)	((void)(*(p) = (v)))
#endif

#ifdef KMEM_COUNT_ATOMIC
#define kmem_count_n(p, n) \
	kmem_store_relaxed((p), kmem_load_relaxed(p) + (n))
#else
#define kmem_count_n(p, n)	((void)(*(p) += (n)))
#endif
#define kmem_count(p)		kmem_count_n(p, 1)

#endif /* KMEM_ATOMIC_H */
