/* SPDX-License-Identifier: MIT */
/*
 * tests/bench/scaling.c - how often kmem takes a lock, on 1 to 64 CPUs.
 *
 * Simulated CPUs are threads, more of them than the machine has cores: this
 * says nothing about time, but what it counts would be the same on a machine
 * with that many cores. An operation is an allocation or a free. A layer
 * scales if the share of operations that take one of its locks does not grow
 * with the number of CPUs.
 *
 *	depot	full and empty magazines: of each cache, of each order of pages
 *	node	slabs of a cache
 *	zone	the buddy system
 *
 * "met" is the number of times, for 1000 acquisitions, that a lock was held
 * by another CPU: with more threads than cores it is a matter of luck.
 */
#define _GNU_SOURCE
#include "bench.h"

#include <host.h>

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct counts {
	uint64_t ops, depot, node, zone, contended;
};

struct looks {
	struct counts at[2];
};

static bool add_cache(struct kmem_cache *s, void *arg)
{
	struct counts *c = arg;
	struct kmem_cache_stats st;

	kmem_cache_stats(s, &st);
	c->ops += st.layer.allocs + st.layer.frees;
	c->depot += st.layer.depot_locks;
	c->node += st.node_locks;
	c->contended += st.layer.depot_contended + st.node_contended;
	return true;
}

static void add_zones(struct counts *c)
{
	struct kmem_zone_stats st;
	unsigned n, order;

	for (n = 0; kmem_zone_stats(n, &st); n++) {
		c->zone += st.locks;
		c->contended += st.contended;
		for (order = 0; order <= KMEM_CACHED_MAX_ORDER; order++) {
			c->ops += st.order[order].allocs +
				  st.order[order].frees;
			c->depot += st.order[order].depot_locks;
			c->contended += st.order[order].depot_contended;
		}
	}
}

static void look(void *ctx, bool end)
{
	struct counts *c = &((struct looks *)ctx)->at[end];

	memset(c, 0, sizeof(*c));
	kmem_for_each_cache(add_cache, c);
	add_zones(c);
}

static void print_layer(double ops, double locks)
{
	printf("%11.3f", 1000 * locks / ops);
	if (locks > 0)
		printf("%11.0f", ops / locks);
	else
		printf("%11s", "-");
}

static void print_line(unsigned cpus, const struct looks *l)
{
	const struct counts *a = &l->at[0], *b = &l->at[1];
	double ops = (double)(b->ops - a->ops);
	double depot = (double)(b->depot - a->depot);
	double node = (double)(b->node - a->node);
	double zone = (double)(b->zone - a->zone);
	double all = depot + node + zone;

	printf("  %4u%11.0f", cpus, ops);
	print_layer(ops, depot);
	print_layer(ops, node);
	print_layer(ops, zone);
	printf("%9.1f\n", all > 0 ? 1000 * (double)(b->contended -
	       a->contended) / all : 0);
}

static void run(const struct bench_row *row, bool quick)
{
	static const struct bench_contender kmem = { .name = "kmem",
						     .kind = BENCH_KMEM };
	struct looks looks;
	struct bench_run r = {
		.row = row, .contender = &kmem, .mode = BENCH_MEASURE,
		.budget = (quick ? 1u : 20u) * 1000000,
		.samples = quick ? 3 : BENCH_SAMPLES,
		.look = look, .look_ctx = &looks,
	};

	alarm(120);
	bench_pin(0);
	bench_open(&kmem, row->interface, row->size, row->machine_bytes,
		   row->threads, &r.ops);
	row->work(&r);
	print_line(row->threads, &looks);
	fflush(stdout);
	_exit(0);
}

static const struct bench_row work[] = {
	{ .name = "random replacement, 2,000 live a CPU",
	  .work = bench_many_replace, .interface = BENCH_ANY_SIZE,
	  .count = 2000 },
	{ .name = "producers -> consumers in pairs, 64 B",
	  .work = bench_handover, .size = 64 },
	{ .name = "larson, 1,000 live a CPU", .work = bench_larson,
	  .interface = BENCH_ANY_SIZE, .count = 1000 },
	{ .name = "batches of 256 pages", .work = bench_many_batch,
	  .interface = BENCH_PAGES, .count = 256 },
};

static unsigned run_all(const struct bench_row *of, bool quick)
{
	struct bench_row row = *of;
	unsigned failures = 0;
	int status;
	pid_t pid;

	printf("%s\n", row.name);
	row.threads = row.work == bench_handover ? 2 : 1;
	for (; row.threads <= (quick ? 8 : 64); row.threads *= 2) {
		fflush(NULL);
		/* the bounds of magazines of pages are parts of memory */
		row.machine_bytes = (uint64_t)row.threads << 28;
		pid = fork();
		if (pid == 0)
			run(&row, quick);
		if (pid > 0 && waitpid(pid, &status, 0) == pid && !status)
			continue;
		printf("  %4u  failed\n", row.threads);
		failures++;
	}
	return failures;
}

unsigned bench_scaling(bool quick)
{
	unsigned failures = 0;
	size_t i;

	printf("\nScaling of kmem: lock acquisitions for 1000 operations, and "
	       "operations for one acquisition\n"
	       "  CPUs operations      depot   for one       node   for one"
	       "       zone   for one      met\n");
	for (i = 0; i < KMEM_ARRAY_SIZE(work); i++)
		failures += run_all(&work[i], quick);
	return failures;
}
