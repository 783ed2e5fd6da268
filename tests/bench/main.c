/* SPDX-License-Identifier: MIT */
/*
 * tests/bench/main.c - kmem-bench.
 *
 *	-q		quick: is it all right? Figures mean nothing.
 *	-l		10 million live objects too
 *	-r TEXT		only rows with that in their names
 *	-c NAME,NAME	only these contenders
 *	-n ROUNDS	-b MS (samples of one run)
 *	-o DIR		write bench.tsv and bench-wide.tsv there
 *	-T		no table     -V	no verifying	-I	no counting
 *	-S		no scaling	-P	no steps of one call
 *	-k N		do N operations of the first row with the first
 *			contender, and nothing else: for callgrind
 */
#define _GNU_SOURCE
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define TUNABLES "GLIBC_TUNABLES"
#define ROOM "glibc.rtld.optional_static_tls=65536"

static struct bench bench = { .rounds = 5, .budget_ms = 40,
			      .samples = BENCH_SAMPLES,
			      .nr_latencies = BENCH_LATENCIES };

static struct {
	const char *rows, *contenders, *directory;
	bool longer, table, verify, count, steps, scaling;
	size_t count_ops;
} option = { .table = true, .verify = true, .count = true, .steps = true,
	     .scaling = true };

/*
 * Start again with room for the libraries' thread-local storage: the dynamic
 * linker sets it aside before main().
 */
static void make_room(char **argv)
{
	const char *now = getenv(TUNABLES);
	char all[512];

	if (now && strstr(now, ROOM))
		return;
	snprintf(all, sizeof(all), "%s%s%s", now ? now : "", now ? ":" : "",
		 ROOM);
	setenv(TUNABLES, all, 1);
	execv("/proc/self/exe", argv);
}

static void usage(void)
{
	fprintf(stderr, "usage: kmem-bench [-qlTVIPS] [-r row] [-c names] "
		"[-n rounds] [-b ms] [-o dir]\n");
	exit(2);
}

static void parse(int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "qlTVIPSr:c:n:b:o:k:")) != -1) {
		switch (c) {
		case 'q': bench.quick = true; break;
		case 'l': option.longer = true; break;
		case 'T': option.table = false; break;
		case 'V': option.verify = false; break;
		case 'I': option.count = false; break;
		case 'P': option.steps = false; break;
		case 'S': option.scaling = false; break;
		case 'r': option.rows = optarg; break;
		case 'c': option.contenders = optarg; break;
		case 'n': bench.rounds = (unsigned)atoi(optarg); break;
		case 'b': bench.budget_ms = (unsigned)atoi(optarg); break;
		case 'o': option.directory = optarg; break;
		case 'k': option.count_ops = strtoul(optarg, NULL, 10); break;
		default: usage();
		}
	}
	if (optind != argc || !bench.budget_ms || !bench.rounds ||
	    bench.rounds > BENCH_MAX_ROUNDS)
		usage();
	if (bench.quick) {
		bench.rounds = 1;
		bench.budget_ms = 1;
		bench.samples = 3;
		bench.nr_latencies = 100000;
	}
}

/* ---- what to do -------------------------------------------------------- */

/* Is it one of "name,name"? */
static bool listed(const char *list, const char *name)
{
	size_t n = strlen(name);
	const char *at = list;

	for (; (at = strstr(at, name)); at += n)
		if ((at == list || at[-1] == ',') &&
		    (!at[n] || at[n] == ','))
			return true;
	return false;
}

static void keep_contenders(void)
{
	size_t i, n = 0;

	for (i = 0; i < bench.nr_contenders; i++)
		if (listed(option.contenders, bench.contender[i].name))
			bench.contender[n++] = bench.contender[i];
	bench.nr_contenders = n;
}

/* A row that goes with the one before it goes where that goes. */
static void keep_rows(void)
{
	bool keep = false;
	size_t i, n = 0;

	for (i = 0; i < bench.nr_rows; i++) {
		if (!bench.row[i].same_run)
			keep = strstr(bench.row[i].name, option.rows);
		if (keep)
			bench.row[n++] = bench.row[i];
	}
	bench.nr_rows = n;
}

static void plan(void)
{
	bench.nr_contenders = bench_find_contenders(bench.contender,
						    getenv("PEERS"),
						    &bench.missing);
	bench.nr_rows = bench_rows(bench.row, bench.quick, option.longer);
	if (option.contenders)
		keep_contenders();
	if (option.rows)
		keep_rows();
	if (!bench.nr_rows || !bench.nr_contenders) {
		fprintf(stderr, "bench: no such row or contender\n");
		exit(2);
	}
}

static int count_only(void)
{
	static const struct bench_contender loop = { .name = "loop",
						     .kind = BENCH_LOOP };
	struct bench_row row = bench.row[0];
	bool is_loop = !strcmp(option.contenders, "loop");

	row.machine_bytes = (uint64_t)64 << 20;
	bench_count_one(is_loop ? &loop : &bench.contender[0], &row,
			option.count_ops);
	return 0;
}

static void print_contenders(void)
{
	const struct bench_missing *m;
	size_t i;

	printf("contenders:");
	for (i = 0; i < bench.nr_contenders; i++)
		printf(" %s", bench.contender[i].name);
	printf(" (cache: kmem_cache_alloc)\n");
	for (m = bench.missing; m->name; m++)
		printf("missing: %s (Debian: %s)\n", m->name, m->package);
	if (bench_cores() < 2)
		printf("only one core: rows of two threads take turns on "
		       "it\n");
}

int main(int argc, char **argv)
{
	char self[512];
	ssize_t n;

	make_room(argv);
	/* Large pages for all contenders or none, whether they ask for them or
	 * not: it is none, which all systems have. */
	prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
	parse(argc, argv);
	n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	self[n < 0 ? 0 : n] = '\0';
	bench.self = self;
	bench_cores();
	if (option.count_ops && option.contenders &&
	    !strcmp(option.contenders, "loop")) {
		option.contenders = NULL;
		plan();
		option.contenders = "loop";
	} else {
		plan();
	}
	if (option.count_ops)
		return option.contenders ? count_only() : 2;
	print_contenders();
	if (option.verify)
		bench_check_all(&bench);
	if (option.table) {
		bench_measure_all(&bench);
		if (option.count && !bench.quick)
			bench_count_all(&bench);
		bench_print(&bench);
		if (option.directory &&
		    !bench_write(&bench, option.directory))
			return 1;
	}
	if (option.steps)
		bench_steps();
	if (option.scaling)
		bench.failures += bench_scaling(bench.quick);
	return bench.failures != 0;
}
