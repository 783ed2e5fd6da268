// SPDX-License-Identifier: MIT
/*
 * tests/points/points.c - something happens between any two memory accesses.
 * See points.h. One thread only.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "host.h"
#include "points.h"

/* An event of so many accesses waits for something that won't come. */
#define MOST_STEPS	50000000ul

static struct {
	bool on;
	unsigned depth;			/* events under way */
	struct points_event event[2];
	unsigned long seen[2];		/* points at that depth */
	bool came;
} run;

void points_start(const struct points_event *first,
		  const struct points_event *second)
{
	run.event[0] = *first;
	run.event[1] = second ? *second : (struct points_event){ 0 };
	run.seen[0] = 0;
	run.came = false;
	run.on = true;
}

bool points_stop(void)
{
	run.on = false;
	return run.came;
}

/* As the CPU does it: masked while the handler runs. */
static void happen(const struct points_event *e)
{
	unsigned char masked = kmem_host_cpu.irqs_masked;

	kmem_host_cpu.irqs_masked = 1;
	run.depth++;
	if (run.depth < 2)
		run.seen[run.depth] = 0;
	e->fn();
	run.depth--;
	kmem_host_cpu.irqs_masked = masked;
}

static void point(void)
{
	const struct points_event *e;

	if (!run.on)
		return;
	if (run.depth == 2 || !run.event[run.depth].fn) {
		if (run.depth && ++run.seen[run.depth - 1] > MOST_STEPS) {
			fprintf(stderr, "points: an event does not end\n");
			abort();
		}
		return;
	}
	e = &run.event[run.depth];
	if (e->irq && kmem_host_cpu.irqs_masked)
		return;
	if (run.seen[run.depth]++ != e->n)
		return;
	run.came = run.came || run.depth == 0;
	happen(e);
}

/* ---- what the compiler calls ---- */

#define ACCESS(name) \
	void __tsan_##name(void *p); \
	void __tsan_##name(void *p) \
	{ \
		(void)p; \
		point(); \
	}
ACCESS(read1) ACCESS(read2) ACCESS(read4) ACCESS(read8) ACCESS(read16)
ACCESS(write1) ACCESS(write2) ACCESS(write4) ACCESS(write8) ACCESS(write16)
ACCESS(unaligned_read2) ACCESS(unaligned_read4) ACCESS(unaligned_read8)
ACCESS(unaligned_read16) ACCESS(unaligned_write2) ACCESS(unaligned_write4)
ACCESS(unaligned_write8) ACCESS(unaligned_write16)
ACCESS(volatile_read1) ACCESS(volatile_read2) ACCESS(volatile_read4)
ACCESS(volatile_read8) ACCESS(volatile_write1) ACCESS(volatile_write2)
ACCESS(volatile_write4) ACCESS(volatile_write8) ACCESS(func_entry)

#define RANGE(name) \
	void __tsan_##name(void *p, unsigned long n); \
	void __tsan_##name(void *p, unsigned long n) \
	{ \
		(void)p; \
		(void)n; \
		point(); \
	}
RANGE(read_range) RANGE(write_range)

void __tsan_init(void);
void __tsan_func_exit(void);

void __tsan_init(void)
{
}

void __tsan_func_exit(void)
{
	point();
}

#define ATOMIC(bits) \
	uint##bits##_t __tsan_atomic##bits##_load( \
		const volatile uint##bits##_t *p, int order); \
	uint##bits##_t __tsan_atomic##bits##_load( \
		const volatile uint##bits##_t *p, int order) \
	{ \
		(void)order; \
		point(); \
		return __atomic_load_n(p, __ATOMIC_SEQ_CST); \
	} \
	void __tsan_atomic##bits##_store(volatile uint##bits##_t *p, \
					 uint##bits##_t v, int order); \
	void __tsan_atomic##bits##_store(volatile uint##bits##_t *p, \
					 uint##bits##_t v, int order) \
	{ \
		(void)order; \
		point(); \
		__atomic_store_n(p, v, __ATOMIC_SEQ_CST); \
	} \
	uint##bits##_t __tsan_atomic##bits##_exchange( \
		volatile uint##bits##_t *p, uint##bits##_t v, int order); \
	uint##bits##_t __tsan_atomic##bits##_exchange( \
		volatile uint##bits##_t *p, uint##bits##_t v, int order) \
	{ \
		(void)order; \
		point(); \
		return __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST); \
	} \
	uint##bits##_t __tsan_atomic##bits##_fetch_add( \
		volatile uint##bits##_t *p, uint##bits##_t v, int order); \
	uint##bits##_t __tsan_atomic##bits##_fetch_add( \
		volatile uint##bits##_t *p, uint##bits##_t v, int order) \
	{ \
		(void)order; \
		point(); \
		return __atomic_fetch_add(p, v, __ATOMIC_SEQ_CST); \
	}
ATOMIC(8)
ATOMIC(16)
ATOMIC(32)
ATOMIC(64)
