/* SPDX-License-Identifier: MIT */
/*
 * tests/boot/pattern.c - contents that tell whose memory this is.
 *
 * Every byte of a small object, and a word in each 64 bytes and the end of a
 * large one, is a function of a seed and of the position; a word is what every
 * CPU can multiply. If two objects
 * overlap, or kmem writes into one, a check finds another value.
 */
#include "boot.h"

#define SMALL 1024

static uint32_t word_at(uint32_t seed, size_t at)
{
	return (seed + (uint32_t)at) * 0x9e3779b1u;
}

static size_t stride(size_t size)
{
	return size <= SMALL ? sizeof(uint32_t) : 64;
}

/* The bytes behind the last whole word. */
static uint8_t tail_at(uint32_t seed, size_t at)
{
	return (uint8_t)(word_at(seed, at) >> 24);
}

void pattern_fill(void *p, size_t size, uint32_t seed)
{
	size_t words = size & ~(size_t)3, step = stride(size);
	uint8_t *byte = p;

	for (size_t at = 0; at < words; at += step)
		*(uint32_t *)(void *)(byte + at) = word_at(seed, at);
	for (size_t at = words; at < size; at++)
		byte[at] = tail_at(seed, at);
}

bool pattern_holds(const void *p, size_t size, uint32_t seed)
{
	size_t words = size & ~(size_t)3, step = stride(size);
	const uint8_t *byte = p;

	for (size_t at = 0; at < words; at += step)
		if (*(const uint32_t *)(const void *)(byte + at) !=
		    word_at(seed, at))
			return false;
	for (size_t at = words; at < size; at++)
		if (byte[at] != tail_at(seed, at))
			return false;
	return true;
}

bool is_zero(const void *p, size_t size)
{
	const uint8_t *byte = p;

	for (size_t i = 0; i < size; i++)
		if (byte[i])
			return false;
	return true;
}
