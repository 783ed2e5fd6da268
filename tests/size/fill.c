/* SPDX-License-Identifier: MIT */
/*
 * tests/size/fill.c - of a little memory, how much does its user get?
 *
 * Each row fills all memory with blocks until an allocation fails, and prints
 * the sum of what was asked for. The allocator has POOL bytes for everything:
 * its variables (`statics`, from the linker), its tables, and what it gives.
 * It runs on the machine that armv6m boots on, with the same start-up code.
 *
 * Another allocator can stand in kmem's place: pool.h.
 */
#include "../boot/boot.h"
#include "pool.h"

#define POOL	12288

extern char heap_start[], statics[];

void boot_tick(void)
{
}

void boot_nmi(void)
{
}

static uint32_t random_below_128(uint64_t *state)
{
	return 8 + random_below(state, 121);
}

static size_t one_size(uint64_t *state, size_t size)
{
	return size ? size : random_below_128(state);
}

/* Blocks of a size, or of random ones. Return: bytes that were asked for. */
static size_t fill(size_t size)
{
	uint64_t state = random_start(1, 0);
	size_t sum = 0;

	for (;;) {
		size_t next = one_size(&state, size);
		char *p = pool_take(next);

		if (!p)
			return sum;
		memset(p, 0x5a, next);
		sum += next;
	}
}

/*
 * A program that has run for a while: blocks of random sizes come and go at
 * random until one has been refused 128 times. Return: bytes in use then, on
 * average.
 */
#define SLOTS	192

static size_t churn(void)
{
	static uint8_t *slot[SLOTS];	/* the first byte is the size */
	uint64_t state = random_start(2, 0);
	size_t sum = 0, all = 0;

	memset(slot, 0, sizeof(slot));
	for (unsigned refused = 0; refused < 128; ) {
		unsigned i = random_below(&state, SLOTS);

		uint8_t size = (uint8_t)random_below_128(&state);

		if (slot[i]) {
			sum -= *slot[i];
			pool_give(slot[i]);
			slot[i] = NULL;
			if (random_below(&state, 2))
				continue;
		}
		slot[i] = pool_take(size);
		if (slot[i]) {
			*slot[i] = size;
			sum += size;
		} else {
			refused++;
			all += sum;
		}
	}
	return all / 128;
}

_Noreturn void boot_main(void)
{
	static const uint16_t size[] = {
		8, 12, 16, 24, 32, 48, 64, 100, 128, 200, 256, 500, 0
	};

	for (unsigned i = 0; i < KMEM_ARRAY_SIZE(size); i++) {
		pool_start(heap_start, POOL - (size_t)(uintptr_t)statics);
		print("fill %u %u\n", size[i], (unsigned)fill(size[i]));
	}
	pool_start(heap_start, POOL - (size_t)(uintptr_t)statics);
	print("churn 0 %u\n", (unsigned)churn());
	print("statics 0 %u\n", (unsigned)(uintptr_t)statics);
	machine_exit(true);
}
