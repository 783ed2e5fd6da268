/* SPDX-License-Identifier: MIT */
/*
 * bits.c - division for CPUs that have none (KMEM_ARCH_HAS_DIV).
 *
 * By hand, in base 2: the divisor is moved up until it is the largest multiple
 * by a power of two within n, then down again step by step, and subtracted
 * wherever it fits. kmem divides when it makes a cache, and now and then when one
 * has grown, but not when it allocates what there is.
 */
#include "bits.h"

size_t bits_divide_slowly(size_t n, size_t by)
{
	size_t quotient = 0, bit = 1;

	while (by <= n >> 1) {
		by <<= 1;
		bit <<= 1;
	}
	for (; bit; bit >>= 1, by >>= 1)
		if (by <= n) {
			n -= by;
			quotient |= bit;
		}
	return quotient;
}
