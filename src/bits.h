/* SPDX-License-Identifier: MIT */
/*
 * bits.h - arithmetic on powers of two, and what not every CPU can do in one
 * instruction.
 */
#ifndef KMEM_BITS_H
#define KMEM_BITS_H

#include <kmem/page.h>

/* Index of the lowest bit set; x is not 0. */
KMEM_INLINE unsigned bits_ffs(unsigned long x)
{
	unsigned n = 0;

	if (KMEM_ARCH_HAS_CLZ)
		return (unsigned)__builtin_ctzl(x);
	for (; !(x & 1); x >>= 1)
		n++;
	return n;
}

/* n / by, in as many steps as n has bits. */
size_t bits_divide_slowly(size_t n, size_t by);

KMEM_INLINE size_t bits_divide(size_t n, size_t by)
{
	return KMEM_ARCH_HAS_DIV ? n / by : bits_divide_slowly(n, by);
}

/* Twice as wide as an address. */
#if UINTPTR_MAX > 0xffffffff
__extension__ typedef unsigned __int128 bits_wide;
#else
typedef uint64_t bits_wide;
#endif
#define BITS_WORD	(8 * sizeof(uintptr_t))

/* a * b; a is less than 2^16. */
KMEM_INLINE bits_wide bits_multiply(uintptr_t a, uintptr_t b)
{
	if (KMEM_ARCH_HAS_UMULL)
		return (bits_wide)a * b;
	return ((bits_wide)(a * (b >> 16)) << 16) + a * (b & 0xffff);
}

KMEM_INLINE bool is_power_of_two(kmem_phys_t x)
{
	return x && !(x & (x - 1));
}

KMEM_INLINE kmem_phys_t round_down_to(kmem_phys_t x, kmem_phys_t power)
{
	return x & ~(power - 1);
}

/* The result wraps to 0 past the end of the type. */
KMEM_INLINE kmem_phys_t round_up_to(kmem_phys_t x, kmem_phys_t power)
{
	return round_down_to(x + (power - 1), power);
}

#define KMEM_MIN(a, b)	((a) < (b) ? (a) : (b))
#define KMEM_MAX(a, b)	((a) > (b) ? (a) : (b))

#endif /* KMEM_BITS_H */
