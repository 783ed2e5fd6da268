/* SPDX-License-Identifier: MIT */
/*
 * tests/boot/divide.c - 64-bit division.
 *
 * No 32-bit CPU has an instruction for it, and compilers call libgcc instead,
 * which a kernel need not have. kmem itself never divides 64 bits; the test
 * kernel does, to print numbers and to tell the time, and uses this.
 *
 * The schoolbook's way, in base 2: at each step the next bit of n moves from
 * its top into the remainder, and the next bit of the quotient into its bottom.
 * Shifts are by constants: by a variable, they too would be libgcc's.
 */
#include "machine.h"

uint64_t divide(uint64_t n, uint32_t by, uint32_t *remainder)
{
	uint64_t rest = 0;

	for (unsigned i = 0; i < 64; i++) {
		rest = rest << 1 | n >> 63;
		n <<= 1;
		if (rest >= by) {
			rest -= by;
			n |= 1;
		}
	}
	if (remainder)
		*remainder = (uint32_t)rest;
	return n;
}
