// SPDX-License-Identifier: MIT
/*
 * tests/explore/main.c - explore [-f] [-n most] [-r random] [-s decisions] [NAME...]
 *
 * -f: the first failure ends it.
 *
 * The last line is "N passed, N failed".
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "explore.h"

static bool wanted(const char *name, char **names)
{
	if (!*names)
		return true;
	for (; *names; names++)
		if (!strcmp(name, *names))
			return true;
	return false;
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	uint64_t most = 100000, at_random = 20000, total = 0;
	unsigned passed = 0, failed = 0;
	const char *replay = NULL;
	bool first = false;
	int option;

	while ((option = getopt(argc, argv, "efn:r:s:")) != -1) {
		switch (option) {
		case 'e':
			explore_every = true;
			break;
		case 'f':
			first = true;
			break;
		case 'n':
			most = strtoull(optarg, NULL, 0);
			break;
		case 'r':
			at_random = strtoull(optarg, NULL, 0);
			break;
		case 's':
			replay = optarg;
			break;
		default:
			return 2;
		}
	}
	for (size_t i = 0; i < nr_scenarios; i++) {
		const struct scenario *s = &scenarios[i];
		double start = seconds();
		struct explored e;
		bool ok;

		if (!wanted(s->name, argv + optind))
			continue;
		ok = replay ? explore_replay(s, replay, &e) :
			      explore(s, most, at_random, 88172645463325252u,
				      &e);
		passed += ok;
		failed += !ok;
		total += e.schedules + e.random;
		printf("%s %s: %" PRIu64 " ends, %" PRIu64 " schedules%s, %" PRIu64
		       " at random, up to %u decisions, %.1f s\n",
		       ok ? "ok" : "FAILED", s->name, e.ends, e.schedules,
		       e.all ? ", all" : "", e.random, e.longest,
		       seconds() - start);
		if (!ok)
			printf("\t%s\n", e.failure);
		fflush(stdout);
		if (!ok && first)
			break;
	}
	printf("%" PRIu64 " schedules\n%u passed, %u failed\n", total, passed,
	       failed);
	return failed || !passed;
}
