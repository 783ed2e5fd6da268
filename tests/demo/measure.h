/* SPDX-License-Identifier: MIT */
/*
 * tests/demo/measure.h - memory held against memory asked for.
 */
#ifndef KMEM_DEMO_MEASURE_H
#define KMEM_DEMO_MEASURE_H

#include "replay.h"

#define MEASURE_MAX 8

/*
 * Records at which to measure: the peak, and some of those for which Linux's
 * own figures are known, or else the quarters of the trace. Returns how many.
 */
size_t measure_instants(const struct trace *t, uint32_t record[MEASURE_MAX]);

/* Bytes of pages of all slabs, kmem's own included. */
uint64_t measure_slab_bytes(void);

/* Take a measurement (all CPUs stand still), forget all, print them. */
void measure_take(const struct replay_instant *at);
void measure_reset(void);
void measure_print(bool all_allocated);

#endif /* KMEM_DEMO_MEASURE_H */
