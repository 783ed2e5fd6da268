/* SPDX-License-Identifier: MIT */
/*
 * tests/host/replay.h - do again, through kmem's API, what a trace recorded.
 *
 * The records are dealt out to CPUs beforehand, so that while it runs nothing
 * but the allocator and the loop around it takes time. Each CPU does its own
 * records in their order. Between CPUs there are two rules:
 *
 *	an object is freed (or split) only after whoever allocates it has
 *	published its address;
 *	nobody gets further than REPLAY_WINDOW records ahead of the slowest.
 *
 * At the instants that the caller names all CPUs come to a stop, so that
 * memory is measured in exactly the state that the trace defines.
 */
#ifndef KMEM_TESTS_REPLAY_H
#define KMEM_TESTS_REPLAY_H

#include "trace.h"

#include <kmem/kmem.h>

#include <pthread.h>

#define REPLAY_WINDOW		1024
#define REPLAY_ERROR_MAX	256

/* One record, with all that is needed to do it. */
struct replay_op {
	uint32_t seq;		/* number of the record */
	uint32_t id;
	uint32_t arg;		/* bytes; split: first of the new ids */
	gfp_t gfp;
	uint16_t cache;		/* index */
	uint8_t op;		/* enum trace_op */
	uint8_t order;
};

/* What an id stands for. */
struct replay_object {
	uint32_t bytes;		/* or, of pages, the order */
	uint16_t cache;
	uint8_t kind;		/* TRACE_KMALLOC, TRACE_CACHE, TRACE_PAGE */
	bool freed;		/* in the trace */
};

/* What one CPU does, and what came of it. */
struct replay_cpu {
	struct replay_op *op;
	uint32_t nr_ops, next;
	uint32_t window_end;	/* may run up to here without looking */
	uint32_t next_report;
	uint64_t ns, wait_ns;	/* CPU time, and the part spent waiting */
	uint64_t failed[TRACE_NR_OPS];
	uint64_t skipped;	/* operations on what was never allocated */
	uint64_t bad;		/* wrong content, overlap, misalignment */
	uint32_t first_failed;	/* record, UINT32_MAX if none */
	char first_bad[REPLAY_ERROR_MAX];

	/* All records of this CPU below this one are done. */
	uint32_t done KMEM_ALIGNED(64);
} KMEM_ALIGNED(64);

/* The state of the trace just before a record. */
struct replay_instant {
	uint32_t record;
	uint64_t small, large;	/* live bytes; large: kmalloc above 8 KiB */
	uint64_t pages;
	uint64_t linux_least;	/* bytes of slabs below which Linux can't */
	const struct trace_linux *linux_at; /* what it took, or NULL */
};

struct replay {
	/* Set by the caller before replay_prepare(). */
	const struct trace *trace;
	unsigned nr_cpus;
	bool touch;		/* write to all memory, and check it */
	void (*at_instant)(void *ctx, const struct replay_instant *at);
	void (*progress)(void *ctx, uint32_t record);
	void *ctx;

	/* Filled in by replay_prepare(). */
	struct replay_cpu *cpu;
	struct replay_object *object;	/* by id */
	void **address;			/* by id; atomic */
	struct kmem_cache **cache;	/* by index; NULL: use kmalloc */
	struct replay_instant *instant;	/* ascending; the last is the end */
	size_t nr_instants;
	uint64_t nr_ops;		/* all but marks */
	pthread_barrier_t barrier;
	bool has_barrier;
};

/*
 * Deal out the records and create the trace's caches. kmem must run, and the
 * caller be a CPU. instants: records at which to stop, in any order; the end
 * of the trace is added. False, with a reason in error, if that fails.
 */
bool replay_prepare(struct replay *r, const uint32_t *instants, size_t nr,
		    char error[REPLAY_ERROR_MAX]);

/*
 * Run it on nr_cpus threads; then free what the trace left allocated and have
 * each CPU give back what it caches.
 */
void replay_run(struct replay *r);

/* Destroy the caches and forget everything else. */
void replay_finish(struct replay *r);

/* Sums over the CPUs. */
uint64_t replay_failed(const struct replay *r, enum trace_op op);
uint64_t replay_skipped(const struct replay *r);
uint64_t replay_bad(const struct replay *r);
uint32_t replay_first_failed(const struct replay *r);
const char *replay_first_bad(const struct replay *r);
double replay_ns_per_op(const struct replay *r);

#endif /* KMEM_TESTS_REPLAY_H */
