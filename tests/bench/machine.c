/* SPDX-License-Identifier: MIT */
/*
 * tests/bench/machine.c - clocks, cores and memory of the harness.
 */
#define _GNU_SOURCE
#include "bench.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

uint64_t bench_clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_RAW, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

double bench_ticks_per_ns(void)
{
	static double ratio;
	uint64_t ns, ticks, end;

	if (ratio == 0) {
		ns = bench_clock_ns();
		ticks = bench_ticks();
		while ((end = bench_clock_ns()) < ns + 50000000)
			;
		ratio = (double)(bench_ticks() - ticks) / (double)(end - ns);
	}
	return ratio;
}

/* ---- cores ------------------------------------------------------------- */

static cpu_set_t usable;

unsigned bench_cores(void)
{
	if (!CPU_COUNT(&usable))
		sched_getaffinity(0, sizeof(usable), &usable);
	return (unsigned)CPU_COUNT(&usable);
}

/* The last core first: the first one serves most of a machine's interrupts. */
void bench_pin(unsigned nth)
{
	unsigned left = nth % bench_cores();
	cpu_set_t one;
	int cpu;

	for (cpu = CPU_SETSIZE - 1; cpu >= 0; cpu--) {
		if (!CPU_ISSET(cpu, &usable) || left--)
			continue;
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		sched_setaffinity(0, sizeof(one), &one);
		return;
	}
}

/* ---- memory ------------------------------------------------------------ */

void *bench_memory(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		bench_fail("no memory for the harness");
	memset(p, 0, bytes);
	/* A zero that nobody has written may be a page that is shared. */
	for (size_t i = 0; i < bytes; i += 4096)
		((volatile char *)p)[i] = 0;
	return p;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double bench_median(double *values, size_t n)
{
	qsort(values, n, sizeof(*values), ascending);
	return n % 2 ? values[n / 2] :
	       n ? (values[n / 2 - 1] + values[n / 2]) / 2 : 0;
}

void bench_fail(const char *what)
{
	fprintf(stderr, "bench: %s\n", what);
	_exit(3);
}
