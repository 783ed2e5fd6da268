// SPDX-License-Identifier: MIT
/*
 * tests/model/random.c - long random sequences of calls, against the oracle
 * (calls.h). With an odd seed the machine has two nodes.
 *
 * The balance between allocating and freeing swings, so that memory is used up
 * and comes back whole several times.
 *
 *	KMEM_SEED=n	replay		KMEM_OPS=n	how many calls
 *	KMEM_CACHES=s	params.debug	KMEM_ONLY=1,7-9	only these
 *
 * A run that fails is repeated with ever fewer of its calls (shrink.h), and
 * ends with what to type for the few that are left.
 *
 * The machine is started twice: as it is, and shortly with all caches
 * debugged, which must find nothing.
 */
#include <stdlib.h>
#include <sys/mman.h>

#include "calls.h"
#include "shrink.h"

static uint64_t seed0, seed;
static const char *debug;	/* params.debug */
static unsigned op;
static unsigned *reached;	/* the same, for the process that waits */

static uint64_t next_below(uint64_t n)
{
	return test_below(&seed, n);
}

static void where(void)
{
	fprintf(stderr, "random: call %u, KMEM_SEED=%" PRIu64 "\n", op, seed0);
}

/* One machine, from its start to its end. */
static void run(const struct test_steps *s)
{
	unsigned check_each = s->nr > 1000 ? 1000 : 1;
	const struct calls_source source = {
		next_below, where, 1 + (unsigned)(seed0 % 2), debug,
	};
	size_t most = 0, of = 0;

	calls_start(&source);
	for (op = 1; op <= s->nr; op++) {
		if (s->left_out[op])
			continue;
		*reached = op;
		/* each call's numbers are its own: others can be left out */
		seed = seed0 + op;
		seed = test_random(&seed);
		/* a swing of 160,000 calls: up until memory is used up, and
		 * down until hardly anything is held */
		calls_one(op / 80000 % 2 == 0);
		if (op % check_each == 0)
			calls_check();
		if (op % 100 == 0 && calls_pages(&of) > most)
			most = calls_pages(&of);
	}
	calls_end();
	printf("random: %u calls, %u refused for lack of memory; at most %zu "
	       "of %zu pages held\n", s->nr, calls_refused(), most, of);
}

/* Return: whether it failed; how, has been printed. */
static bool fails(unsigned nr_ops)
{
	const char *only = getenv("KMEM_ONLY");
	struct test_steps s;

	test_steps_init(&s, nr_ops, only, run);
	if (!test_steps_fail(&s, false)) {
		test_steps_fini(&s);
		return false;
	}
	s.nr = *reached;
	fprintf(stderr, "random: failed at call %u; looking for fewer calls "
		"that fail\n", s.nr);
	if (!test_steps_fail(&s, true))
		s.nr = nr_ops;		/* what was wrong was seen later */
	fprintf(stderr, "random: %u calls that fail: KMEM_SEED=%" PRIu64
		" KMEM_OPS=%u KMEM_CACHES=%s KMEM_ONLY=",
		test_steps_shrink(&s, 400), seed0, s.nr, debug ? debug : "-");
	test_steps_print(&s, stderr);
	fprintf(stderr, "\n");
	test_steps_fini(&s);
	return true;
}

int main(void)
{
	const char *ops = getenv("KMEM_OPS");
	unsigned nr_ops = ops ? (unsigned)strtoul(ops, NULL, 0) :
				test_scaled(2000000);

	reached = mmap(NULL, sizeof(*reached), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	REQUIRE(reached != MAP_FAILED);
	seed0 = test_seed("random");
	debug = getenv("KMEM_CACHES");
	if (fails(nr_ops))
		return EXIT_FAILURE;
	if (debug || !KMEM_CACHE_DEBUG)
		return EXIT_SUCCESS;
	debug = "FZPU";
	return fails(nr_ops / 8) ? EXIT_FAILURE : EXIT_SUCCESS;
}
