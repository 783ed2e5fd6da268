/* SPDX-License-Identifier: MIT */
/*
 * tests/inject/scenarios.h - what a kernel does with kmem, a piece at a time.
 *
 * Each scenario may be told "no memory" anywhere, copes, and gives back all that
 * it got: it is fail_each.c that looks whether kmem does as well. No loop is
 * without a bound.
 */
#ifndef KMEM_SCENARIOS_H
#define KMEM_SCENARIOS_H

#include "testlib.h"

struct scenario {
	const char *name;
	void (*run)(void);
};

extern const struct scenario scenarios[];
extern const unsigned nr_scenarios;

/* The machine that they run on: CPUs, nodes, and where memory may be added. */
#define SCENARIO_CPUS	2
#define PLUG_START	(49 * MIB)
#define PLUG_BYTES	(4 * MIB)
#define SCENARIO_END	(PLUG_START + PLUG_BYTES)

#endif /* KMEM_SCENARIOS_H */
