/* SPDX-License-Identifier: MIT */
/*
 * tests/bench/run.c - who is measured when.
 *
 *	for each row
 *		for each round
 *			for each contender: a new process, pinned
 *
 * so that a machine which slows down for a while does so for everybody, and
 * nobody finds a heap that another has left. A process opens its contender,
 * warms up, takes samples and reports their median through memory that it
 * shares with the parent. What is printed is the median over the rounds.
 *
 * Latencies are different: of each single operation the least time over all
 * rounds is kept (work_one.c says why), and percentiles are taken at the end.
 */
#define _GNU_SOURCE
#include "bench.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define TIMEOUT		180	/* seconds for one run */
#define CHECK_OPS	10000
#define NO_SUCH		77	/* exit status: the interface is missing */

/* What children and parent share. */
static struct shared {
	double value[BENCH_VALUES];
	uint32_t latency[BENCH_MAX_CONTENDERS][BENCH_LATENCIES];
} *shared;

static void share(void)
{
	if (shared)
		return;
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		bench_fail("no memory to share with children");
}

/* ---- in the child ------------------------------------------------------ */

static bool open_row(struct bench_run *r)
{
	const struct bench_row *row = r->row;

	bench_pin(0);
	return bench_open(r->contender, row->interface, row->size,
			  row->machine_bytes, row->threads, &r->ops);
}

static _Noreturn void child(struct bench_run *r)
{
	alarm(TIMEOUT);
	if (!open_row(r))
		_exit(NO_SUCH);
	if (r->mode == BENCH_CHECK) {
		bench_checked_begin(r);
		r->row->work(r);
		_exit(!bench_checked_end(r));
	}
	r->row->work(r);
	memcpy(shared->value, r->value, sizeof(r->value));
	_exit(0);
}

/* ---- in the parent ----------------------------------------------------- */

/* Run it; false if there is nothing to run. Otherwise why is "" or what went
 * wrong. */
static bool run(struct bench_run *r, char why[64])
{
	int status;
	pid_t pid;

	fflush(NULL);
	why[0] = '\0';
	pid = fork();
	if (pid == 0)
		child(r);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		snprintf(why, 64, "%s", strerror(errno));
	else if (WIFSIGNALED(status))
		snprintf(why, 64, "killed: %s", strsignal(WTERMSIG(status)));
	else if (WEXITSTATUS(status) == NO_SUCH)
		return false;
	else if (WEXITSTATUS(status))
		snprintf(why, 64, "failed (%d)", WEXITSTATUS(status));
	return true;
}

static void note_failure(struct bench *b, const struct bench_run *r,
			 const char *why)
{
	fprintf(stderr, "bench: %s, %s: %s\n", r->row->name,
		r->contender->name, why);
	if (r->contender->kind != BENCH_PEER)
		b->failures++;
}

static void run_once(struct bench *b, size_t row, size_t who)
{
	struct bench_cell *cell = &b->cell[row][who];
	struct bench_run r = {
		.row = &b->row[row], .contender = &b->contender[who],
		.mode = BENCH_MEASURE,
		.budget = (uint64_t)(b->budget_ms * 1e6 *
				     bench_ticks_per_ns()),
		.samples = b->samples,
		.latency = shared->latency[who],
		.nr_latencies = b->nr_latencies,
	};

	if (cell->failed || !run(&r, cell->why))
		return;
	cell->has = true;
	if (cell->why[0]) {
		cell->failed = true;
		note_failure(b, &r, cell->why);
		return;
	}
	cell->value[cell->nr++] = shared->value[0];
}

static int ascending(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static void percentiles(struct bench *b, size_t row, size_t who)
{
	uint32_t *t = shared->latency[who];
	size_t n = b->nr_latencies;

	if (!b->cell[row][who].has || b->cell[row][who].failed)
		return;
	qsort(t, n, sizeof(*t), ascending);
	b->cell[row][who].nr = 1;
	b->cell[row][who].value[0] = t[n - 1 - n / 10000];
	b->cell[row + 1][who] = b->cell[row][who];
	b->cell[row + 1][who].value[0] = t[n - 1];
}

static void summarise(struct bench_cell *c, enum bench_unit unit)
{
	double scale = unit == BENCH_NS ? bench_ticks_per_ns() : 1;
	size_t i;

	for (i = 0; i < c->nr; i++)
		c->value[i] /= scale;
	c->median = bench_median(c->value, c->nr);
	c->least = c->value[0];
	c->most = c->value[c->nr ? c->nr - 1 : 0];
}

static void measure_row(struct bench *b, size_t row)
{
	bool latency = b->row[row].work == bench_latency;
	bool once = b->row[row].unit == BENCH_RATIO;
	size_t round, who;

	if (latency)
		memset(shared->latency, 0xff, sizeof(shared->latency));
	for (round = 0; round < (once ? 1 : b->rounds); round++)
		for (who = 0; who < b->nr_contenders; who++)
			run_once(b, row, who);
	for (who = 0; who < b->nr_contenders; who++) {
		if (latency) {
			percentiles(b, row, who);
			summarise(&b->cell[row + 1][who], BENCH_NS);
		}
		summarise(&b->cell[row][who], b->row[row].unit);
	}
}

static void progress(const struct bench *b, size_t row, const char *what)
{
	if (isatty(2))
		fprintf(stderr, "\r\033[K%s %zu of %zu: %s", what, row + 1,
			b->nr_rows, row < b->nr_rows ? b->row[row].name : "");
	if (isatty(2) && row + 1 == b->nr_rows)
		fprintf(stderr, "\r\033[K");
}

void bench_measure_all(struct bench *b)
{
	size_t row;

	share();
	bench_ticks_per_ns();
	for (row = 0; row < b->nr_rows; row++) {
		progress(b, row, "measuring");
		if (!b->row[row].same_run && b->row[row].work)
			measure_row(b, row);
	}
}

void bench_check_all(struct bench *b)
{
	unsigned passed = 0, before = b->failures, peers = 0;
	size_t row, who;
	char why[64];

	for (row = 0; row < b->nr_rows; row++) {
		progress(b, row, "checking");
		for (who = 0; who < b->nr_contenders; who++) {
			struct bench_row small = b->row[row];
			struct bench_run r = {
				.row = &small,
				.contender = &b->contender[who],
				.mode = BENCH_CHECK, .ops_to_do = CHECK_OPS,
			};

			if (small.machine_bytes == (uint64_t)1 << 30)
				small.machine_bytes /= 4;
			if (small.count > CHECK_OPS)
				small.count = CHECK_OPS;
			if (small.interface == BENCH_PAGES && small.size &&
			    small.count > 256)
				small.count = 256;
			if (small.same_run || !small.work || !run(&r, why))
				continue;
			if (why[0])
				note_failure(b, &r, why);
			if (why[0] && r.contender->kind == BENCH_PEER)
				peers++;
			else if (!why[0])
				passed++;
		}
	}
	printf("contents verified: %u runs passed, %u of kmem failed, "
	       "%u of peers failed\n", passed, b->failures - before, peers);
}

void bench_count_one(const struct bench_contender *c,
		     const struct bench_row *row, size_t n)
{
	struct bench_run r = { .row = row, .contender = c,
			       .mode = BENCH_COUNT, .ops_to_do = n };

	if (!open_row(&r))
		exit(NO_SUCH);
	row->work(&r);
}
