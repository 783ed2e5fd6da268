// SPDX-License-Identifier: MIT
/*
 * tests/fuzz/calls.c - sequences of calls, against the oracle (calls.h).
 *
 * The input is a language of calls: its first byte says what machine, and from
 * then on each number that a call draws (which call, which size, which of what
 * is held) is the next one, two or four bytes, as many as its range needs. So
 * each input is a sequence, and a byte changed is one choice changed.
 */
#include <stdlib.h>

#include "calls.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK_EACH	64

static const uint8_t *next, *end;

static uint64_t next_below(uint64_t n)
{
	uint64_t bytes = n <= 0x100 ? 1 : n <= 0x10000 ? 2 : 4, value = 0;

	while (bytes--)
		value = value << 8 | (next < end ? *next++ : 0);
	return value % n;
}

static void where(void)
{
	fprintf(stderr, "calls: %zu bytes before the end\n",
		(size_t)(end - next));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct calls_source source = { next_below, where, 1, NULL };

	if (!size)
		return 0;
	source.nodes = 1 + (data[0] & 1);
	source.debug = data[0] & 2 ? "FZPU" : NULL;
	next = data + 1;
	end = data + size;
	calls_start(&source);
	for (unsigned n = 1; next < end; n++) {
		calls_one(!(data[0] & 4) || n / 256 % 2 == 0);
		if (n % CHECK_EACH == 0)
			calls_check();
	}
	calls_end();
	return 0;
}
