// SPDX-License-Identifier: MIT
/*
 * tests/fuzz/trace.c - any bytes where a recorded trace is expected.
 *
 * What could go wrong: the reader runs past its input, or accepts a trace that
 * could not have happened, and whoever replays it frees what nobody has. So
 * whatever is accepted is gone through once more, with a plainer account of
 * which ids live than the reader's.
 */
#include <stdlib.h>

#include "testlib.h"
#include "trace.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

enum { UNBORN = 0, DEAD = 0xff };	/* else 1 + its order */

static void born(uint8_t *state, uint32_t id, uint32_t count, uint32_t ids,
		 uint32_t order)
{
	REQUIRE(count <= ids && id <= ids - count && order < DEAD - 1);
	for (uint32_t i = id; i < id + count; i++) {
		REQUIRE(state[i] == UNBORN);
		state[i] = (uint8_t)(1 + order);
	}
}

/* Returns the order that it had. */
static uint32_t dies(uint8_t *state, uint32_t id, uint32_t ids)
{
	uint32_t order;

	REQUIRE(id < ids && state[id] != UNBORN && state[id] != DEAD);
	order = state[id] - 1u;
	state[id] = DEAD;
	return order;
}

static void replay(const struct trace *t)
{
	uint8_t *state = calloc((size_t)t->nr_ids + 1, 1);
	uint32_t order;

	REQUIRE(state);
	for (uint32_t i = 0; i < t->nr_records; i++) {
		struct trace_record r = trace_record(t, i);

		REQUIRE(r.cpu < t->nr_cpus);
		switch ((enum trace_op)r.op) {
		case TRACE_KMALLOC: case TRACE_CACHE:
			born(state, r.id, 1, t->nr_ids, 0);
			break;
		case TRACE_PAGE:
			born(state, r.id, 1, t->nr_ids, r.arg & 0xff);
			break;
		case TRACE_KFREE: case TRACE_CFREE: case TRACE_PFREE:
			dies(state, r.id, t->nr_ids);
			break;
		case TRACE_SPLIT:
			order = dies(state, r.id, t->nr_ids);
			born(state, r.arg, 1u << order, t->nr_ids, 0);
			break;
		case TRACE_MARK:
			break;
		case TRACE_NR_OPS:
		default:
			REQUIRE(!"an operation that there is not");
		}
	}
	free(state);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	char error[TRACE_ERROR_MAX] = "";
	unsigned char *copy = malloc(n ? n : 1);
	struct trace t;

	REQUIRE(copy);
	memcpy(copy, bytes, n);
	if (trace_from_bytes(&t, copy, n, "trace", error)) {
		replay(&t);
		trace_free(&t);
	} else {
		REQUIRE(error[0]);
		REQUIRE(!t.nr_records);
	}
	return 0;
}
