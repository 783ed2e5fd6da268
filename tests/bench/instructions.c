/* SPDX-License-Identifier: MIT */
/*
 * tests/bench/instructions.c - instructions of an operation, by callgrind.
 *
 * This program is run twice under valgrind for each contender, with different
 * numbers of operations; the difference has neither start-up nor warm-up in
 * it. The same with an allocator that does nothing gives the loop, which is
 * taken off, but for the three instructions of that allocator. Unlike time,
 * the result is the same however busy the machine is.
 */
#define _GNU_SOURCE
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOTHING		3	/* instructions of loop_alloc + loop_free */
#define FEW		20000
#define MANY		120000
#define HOT_TARGET	60

/* ---- one run of valgrind ----------------------------------------------- */

/* The program under valgrind, its messages going to fd. */
static _Noreturn void start(const struct bench *b, const char *row,
			    const char *who, size_t n, int fd)
{
	char count[32];

	snprintf(count, sizeof(count), "%zu", n);
	dup2(fd, 2);
	execlp("valgrind", "valgrind", "--tool=callgrind",
	       "--callgrind-out-file=/dev/null", b->self, "-k", count, "-r",
	       row, "-c", who, (char *)NULL);
	_exit(127);
}

/* Instructions in all, or 0. */
static double count(const struct bench *b, const char *row, const char *who,
		    size_t n)
{
	unsigned long long found = 0;
	char line[512], *at;
	int fd[2], status;
	pid_t pid;
	FILE *f;

	if (pipe(fd))
		return 0;
	fflush(NULL);
	pid = fork();
	if (pid == 0)
		start(b, row, who, n, fd[1]);
	close(fd[1]);
	f = fdopen(fd[0], "r");
	while (f && fgets(line, sizeof(line), f)) {
		at = strstr(line, "Collected :");
		if (at)
			sscanf(at, "Collected : %llu", &found);
	}
	if (f)
		fclose(f);
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
		return 0;
	return (double)found;
}

/* Of one operation, the loop included; 0 on failure. */
static double per_op(const struct bench *b, const char *row, const char *who)
{
	double few = count(b, row, who, FEW);
	double many = few > 0 ? count(b, row, who, MANY) : 0;

	return many > few ? (many - few) / (MANY - FEW) : 0;
}

/* ---- rows -------------------------------------------------------------- */

static void count_row(struct bench *b, const char *of, const char *name,
		      double target_value)
{
	struct bench_row *row = &b->row[b->nr_rows];
	double loop = per_op(b, of, "loop") - NOTHING, n;
	size_t who;

	*row = (struct bench_row){ .unit = BENCH_INSTRUCTIONS,
				   .target_value = target_value };
	snprintf(row->name, sizeof(row->name), "instructions, %s", name);
	for (who = 0; who < b->nr_contenders; who++) {
		struct bench_cell *c = &b->cell[b->nr_rows][who];

		if (isatty(2))
			fprintf(stderr, "\r\033[K%s: %s", row->name,
				b->contender[who].name);
		n = per_op(b, of, b->contender[who].name);
		if (n <= 0)
			continue;
		c->has = true;
		c->nr = 1;
		c->value[0] = c->median = c->least = c->most = n - loop;
	}
	if (isatty(2))
		fprintf(stderr, "\r\033[K");
	b->nr_rows++;
}

void bench_count_all(struct bench *b)
{
	if (system("command -v valgrind > /dev/null")) {
		printf("missing: valgrind, so instructions are not counted "
		       "(Debian: valgrind)\n");
		return;
	}
	count_row(b, "hot 64 B", "hot 64 B", HOT_TARGET);
	count_row(b, "replacement, 10 k live", "replacement, 10 k live", 0);
	count_row(b, "pages, order 0, hot", "order-0 page, hot", 0);
}
