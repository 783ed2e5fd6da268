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

/* a * b; a is less than 2^16, and b than 2^32. */
KMEM_INLINE uint64_t bits_multiply(uintptr_t a, uintptr_t b)
{
	if (KMEM_ARCH_HAS_UMULL)
		return (uint64_t)a * b;
	return ((uint64_t)(a * (b >> 16)) << 16) + a * (b & 0xffff);
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
