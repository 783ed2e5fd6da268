// SPDX-License-Identifier: MIT
/*
 * tests/unit/shrink_test.c - what makes failing runs short.
 */
#include "unit.h"
#include "shrink.h"

#define STEPS	20000

/* Fails when all of these are done, the last of them after the others. */
static const unsigned needed[] = { 17, 4242, 4243, 19999 };

static void run(const struct test_steps *s)
{
	unsigned done = 0;

	for (unsigned i = 1; i <= s->nr; i++)
		if (!s->left_out[i] && done < KMEM_ARRAY_SIZE(needed) &&
		    i == needed[done])
			done++;
	REQUIRE(done < KMEM_ARRAY_SIZE(needed));
}

static void prints(const struct test_steps *s, const char *text)
{
	char got[100] = "";
	FILE *f = fmemopen(got, sizeof(got), "w");

	assert_non_null(f);
	test_steps_print(s, f);
	fclose(f);
	assert_string_equal(got, text);
}

static void test_down_to_the_cause(void **state)
{
	struct test_steps s;

	(void)state;
	test_steps_init(&s, STEPS, NULL, run);
	assert_true(test_steps_fail(&s, true));
	assert_int_equal(test_steps_shrink(&s, 1000), 4);
	prints(&s, "17,4242-4243,19999");
	assert_true(test_steps_fail(&s, true));
	test_steps_fini(&s);
}

/* With too few runs what is left is longer, and fails all the same. */
static void test_few_runs(void **state)
{
	struct test_steps s;
	unsigned n;

	(void)state;
	test_steps_init(&s, STEPS, NULL, run);
	n = test_steps_shrink(&s, 20);
	assert_true(n > 4 && n < STEPS);
	assert_true(test_steps_fail(&s, true));
	test_steps_fini(&s);
}

static void test_only(void **state)
{
	struct test_steps s;

	(void)state;
	test_steps_init(&s, STEPS, "1-17,4000-4243,19999", run);
	prints(&s, "1-17,4000-4243,19999");
	assert_true(test_steps_fail(&s, true));
	test_steps_fini(&s);
	test_steps_init(&s, STEPS, "17,4242,19999", run);
	assert_false(test_steps_fail(&s, true));
	test_steps_fini(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_down_to_the_cause),
		cmocka_unit_test(test_few_runs),
		cmocka_unit_test(test_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
