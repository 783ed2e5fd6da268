/* SPDX-License-Identifier: MIT */
/*
 * bits.h - arithmetic on powers of two.
 */
#ifndef KMEM_BITS_H
#define KMEM_BITS_H

#include <kmem/compiler.h>

/* Index of the lowest bit set; x is not 0. */
KMEM_INLINE unsigned bits_ffs(unsigned long x)
{
	return (unsigned)__builtin_ctzl(x);
}

KMEM_INLINE bool is_power_of_two(uint64_t x)
{
	return x && !(x & (x - 1));
}

KMEM_INLINE uint64_t round_down_to(uint64_t x, uint64_t power)
{
	return x & ~(power - 1);
}

/* The result wraps to 0 past the end of the type. */
KMEM_INLINE uint64_t round_up_to(uint64_t x, uint64_t power)
{
	return round_down_to(x + (power - 1), power);
}

#define KMEM_MIN(a, b)	((a) < (b) ? (a) : (b))
#define KMEM_MAX(a, b)	((a) > (b) ? (a) : (b))

#endif /* KMEM_BITS_H */
