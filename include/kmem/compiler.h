/* SPDX-License-Identifier: MIT */
/*
 * kmem/compiler.h - the words of GNU C that kmem uses, each under one name.
 */
#ifndef KMEM_COMPILER_H
#define KMEM_COMPILER_H

#include <kmem/config.h>

#define KMEM_LIKELY(x)		__builtin_expect(!!(x), 1)
#define KMEM_UNLIKELY(x)	__builtin_expect(!!(x), 0)
#define KMEM_COLD		__attribute__((cold, noinline))
#define KMEM_NOINLINE		__attribute__((noinline))

/* Fast paths are copied into whoever takes them; compiled for size (-Os),
 * into those where the compiler finds that it pays. */
#ifdef __OPTIMIZE_SIZE__
#define KMEM_SMALL_CODE		1
#define KMEM_INLINE		static inline
#else
#define KMEM_SMALL_CODE		0
#define KMEM_INLINE		static inline __attribute__((always_inline))
#endif
/* What a small program calls in one place only. */
#define KMEM_INLINE_ONCE	static inline __attribute__((always_inline))
#define KMEM_PRINTF(fmt, args)	__attribute__((format(printf, fmt, args)))
#define KMEM_MALLOC		__attribute__((malloc))
#define KMEM_ALLOC_SIZE(...)	__attribute__((alloc_size(__VA_ARGS__)))
#define KMEM_MUST_CHECK		__attribute__((warn_unused_result))
#define KMEM_ALIGNED(n)		__attribute__((aligned(n)))
#define KMEM_CONSTANT(x)	__builtin_constant_p(x)

/* The compiler may not move memory accesses across it; the CPU may. (A test
 * build has its own, an event for its model of memory.) */
#ifndef kmem_barrier
#define kmem_barrier()		__asm__ __volatile__("" ::: "memory")
#endif

#define kmem_container_of(ptr, type, member) \
	((type *)(void *)((char *)(ptr) - offsetof(type, member)))

#define KMEM_ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

/*
 * Around the declarations of a public header: C linkage, and visible outside
 * of libkmem.a. Everything else is compiled hidden and made local to the
 * library, so that kmem's short internal names can't meet the kernel's.
 */
#ifdef __cplusplus
#define KMEM_BEGIN_DECLS \
	_Pragma("GCC visibility push(default)") extern "C" {
#define KMEM_END_DECLS		} _Pragma("GCC visibility pop")
#else
#define KMEM_BEGIN_DECLS	_Pragma("GCC visibility push(default)")
#define KMEM_END_DECLS		_Pragma("GCC visibility pop")
#endif

#endif /* KMEM_COMPILER_H */
