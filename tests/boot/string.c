/* SPDX-License-Identifier: MIT */
/*
 * tests/boot/string.c - the four functions that a compiler may call unasked,
 * and so the four that kmem needs from its kernel.
 *
 * Plain loops, by words where both sides are aligned. The barrier in each
 * loop keeps the compiler from recognising it as a call to the very function
 * it implements.
 */
#include <kmem/port.h>

typedef uintptr_t __attribute__((may_alias)) word_t;

#define WORD		sizeof(word_t)
#define MISALIGNED(p)	((uintptr_t)(p) & (WORD - 1))

void *memset(void *dst, int byte, size_t n)
{
	unsigned char *d = dst;
	word_t pattern = (word_t)-1 / 0xff * (unsigned char)byte;

	for (; n && MISALIGNED(d); n--)
		*d++ = (unsigned char)byte;
	for (; n >= WORD; n -= WORD, d += WORD) {
		*(word_t *)(void *)d = pattern;
		kmem_barrier();
	}
	for (; n; n--) {
		*d++ = (unsigned char)byte;
		kmem_barrier();
	}
	return dst;
}

void *memcpy(void *dst, const void *src, size_t n)
{
	unsigned char *d = dst;
	const unsigned char *s = src;

	if (!MISALIGNED(d) && !MISALIGNED(s))
		for (; n >= WORD; n -= WORD, d += WORD, s += WORD) {
			*(word_t *)(void *)d = *(const word_t *)(const void *)s;
			kmem_barrier();
		}
	for (; n; n--) {
		*d++ = *s++;
		kmem_barrier();
	}
	return dst;
}

void *memmove(void *dst, const void *src, size_t n)
{
	unsigned char *d = dst;
	const unsigned char *s = src;

	if ((uintptr_t)d - (uintptr_t)s >= n)
		return memcpy(dst, src, n);
	while (n--) {
		d[n] = s[n];
		kmem_barrier();
	}
	return dst;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const unsigned char *x = a, *y = b;

	for (; n; n--, x++, y++)
		if (*x != *y)
			return *x - *y;
	return 0;
}
