/* SPDX-License-Identifier: MIT */
/*
 * tests/host/shrink.c - see shrink.h.
 *
 * Pieces of the steps that remain are left out, one after the other: halves at
 * first, then quarters, down to single steps. What is left out and still fails
 * stays out. It ends when no single step can go.
 */
#define _GNU_SOURCE
#include "shrink.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "testlib.h"

/* A run that takes longer has met something else. */
#define MAX_SECONDS	120

static void read_only(struct test_steps *s, const char *only)
{
	memset(s->left_out, 1, s->nr + 1);
	while (*only) {
		char *end;
		unsigned long first = strtoul(only, &end, 10), last = first;

		if (*end == '-')
			last = strtoul(end + 1, &end, 10);
		REQUIRE(end != only && first && first <= last && last <= s->nr);
		memset(s->left_out + first, 0, last - first + 1);
		only = *end == ',' ? end + 1 : end;
		REQUIRE(only != end || !*end);
	}
}

void test_steps_init(struct test_steps *s, unsigned nr, const char *only,
		     void (*run)(const struct test_steps *s))
{
	*s = (struct test_steps){ nr, calloc(nr + 1u, 1), run };
	REQUIRE(s->left_out);
	if (only)
		read_only(s, only);
}

void test_steps_fini(struct test_steps *s)
{
	free(s->left_out);
}

static void hush(void)
{
	int null = open("/dev/null", O_WRONLY);

	REQUIRE(null >= 0);
	dup2(null, STDOUT_FILENO);
	dup2(null, STDERR_FILENO);
	alarm(MAX_SECONDS);
}

bool test_steps_fail(const struct test_steps *s, bool quiet)
{
	pid_t child;
	int status;

	fflush(NULL);
	child = fork();
	REQUIRE(child >= 0);
	if (!child) {
		if (quiet)
			hush();
		s->run(s);
		fflush(NULL);
		exit(EXIT_SUCCESS);	/* coverage.sh: it counts */
	}
	REQUIRE(waitpid(child, &status, 0) == child);
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
		return false;
	return !WIFEXITED(status) || WEXITSTATUS(status);
}

static unsigned remaining(const struct test_steps *s)
{
	unsigned n = 0;

	for (unsigned i = 1; i <= s->nr; i++)
		n += !s->left_out[i];
	return n;
}

/* Leave out n of the steps from `first` on, and the end of these in *end. */
static void leave_out(struct test_steps *s, unsigned first, unsigned n,
		      unsigned *end)
{
	unsigned i;

	for (i = first; i <= s->nr && n; i++)
		if (!s->left_out[i]) {
			s->left_out[i] = 2;
			n--;
		}
	*end = i;
}

/* What was left out by way of trial: stays out, or comes back. */
static void settle(struct test_steps *s, unsigned first, unsigned end, bool out)
{
	for (unsigned i = first; i < end; i++)
		if (s->left_out[i] == 2)
			s->left_out[i] = out;
}

/* Try to do without each piece of that many steps. Return: whether one went. */
static bool try_pieces(struct test_steps *s, unsigned piece, unsigned *runs)
{
	bool gone = false;
	unsigned end;

	for (unsigned first = 1; first <= s->nr && *runs; first = end) {
		bool fails;

		leave_out(s, first, piece, &end);
		--*runs;
		fails = test_steps_fail(s, true);
		settle(s, first, end, fails);
		gone |= fails;
	}
	return gone;
}

static unsigned smaller(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

unsigned test_steps_shrink(struct test_steps *s, unsigned max_runs)
{
	unsigned piece = (remaining(s) + 1) / 2;

	while (piece && max_runs) {
		bool gone = try_pieces(s, piece, &max_runs);

		if (piece > 1)
			piece = smaller((piece + 1) / 2,
					(remaining(s) + 1) / 2);
		else if (!gone)
			break;
	}
	return remaining(s);
}

void test_steps_print(const struct test_steps *s, FILE *f)
{
	const char *comma = "";

	for (unsigned i = 1; i <= s->nr; i++) {
		unsigned last = i;

		if (s->left_out[i])
			continue;
		while (last < s->nr && !s->left_out[last + 1])
			last++;
		fprintf(f, last > i ? "%s%u-%u" : "%s%u", comma, i, last);
		comma = ",";
		i = last;
	}
}
