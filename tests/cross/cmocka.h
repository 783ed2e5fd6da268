/* SPDX-License-Identifier: MIT */
/*
 * tests/cross/cmocka.h - what the tests use of cmocka, for emulated CPUs.
 *
 * Distributions have cmocka for the machine at hand, and for others in part:
 * Debian 12 has none for riscv64, and the rest only in ways that change which
 * packages the system may hold. So where
 * HOST_TARGET is given, this header is found in its place: the same names,
 * the same meaning, the same last line. A failed assertion ends its test, or
 * its teardown, by longjmp().
 */
#ifndef CROSS_CMOCKA_H
#define CROSS_CMOCKA_H

#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct CMUnitTest {
	const char *name;
	void (*test)(void **state);
	int (*setup)(void **state);
	int (*teardown)(void **state);
};

#define cmocka_unit_test(fn)	{ #fn, fn, NULL, NULL }
#define cmocka_unit_test_setup_teardown(fn, up, down)	{ #fn, fn, up, down }

/* What longjmp() brings. */
enum { TEST_FAILED = 1, TEST_SKIPPED };

static jmp_buf test_end __attribute__((unused));

#define print_message(...)	printf(__VA_ARGS__)
#define skip()			longjmp(test_end, TEST_SKIPPED)
#define fail()			fail_msg("failed")
#define fail_msg(...) \
	(printf("%s:%d: ", __FILE__, __LINE__), printf(__VA_ARGS__), \
	 printf("\n"), longjmp(test_end, TEST_FAILED))

#define assert_true(x)		((x) ? (void)0 : fail_msg("not true: %s", #x))
#define assert_false(x)		assert_true(!(x))
#define assert_null(p)		assert_true(!(p))
#define assert_non_null(p)	assert_true((p))
#define assert_ptr_equal(a, b)	\
	assert_true((const void *)(a) == (const void *)(b))
#define assert_ptr_not_equal(a, b) \
	assert_true((const void *)(a) != (const void *)(b))
#define assert_int_not_equal(a, b) \
	assert_true((uintmax_t)(a) != (uintmax_t)(b))

#define assert_int_equal(a, b) do { \
	uintmax_t a_ = (uintmax_t)(a), b_ = (uintmax_t)(b); \
	if (a_ != b_) \
		fail_msg("%s is %#jx, %s is %#jx", #a, a_, #b, b_); \
} while (0)

static inline int in_range(uintmax_t x, uintmax_t low, uintmax_t high)
{
	return low <= x && x <= high;
}

#define assert_in_range(x, low, high) do { \
	uintmax_t x_ = (uintmax_t)(x); \
	if (!in_range(x_, (uintmax_t)(low), (uintmax_t)(high))) \
		fail_msg("%s is %#jx, not %s to %s", #x, x_, #low, #high); \
} while (0)

#define assert_string_equal(a, b) do { \
	const char *a_ = (a), *b_ = (b); \
	if (strcmp(a_, b_)) \
		fail_msg("\"%s\" is not \"%s\"", a_, b_); \
} while (0)

#define assert_memory_equal(a, b, n) \
	assert_true(!memcmp((a), (b), (n)))

/* Call one of a test's functions. Return: 0, or how it ended. */
static inline int run_part(int (*fn)(void **), void (*test)(void **),
			   void **state)
{
	int end = setjmp(test_end);

	if (end)
		return end;
	if (test)
		test(state);
	return fn && fn(state) ? TEST_FAILED : 0;
}

static inline int run_test(const struct CMUnitTest *test)
{
	void *state = NULL;
	int end;

	printf("[ RUN      ] %s\n", test->name);
	fflush(stdout);
	end = run_part(test->setup, NULL, &state);
	if (!end)
		end = run_part(NULL, test->test, &state);
	if (run_part(test->teardown, NULL, &state))
		end = TEST_FAILED;
	printf("%s %s\n", end == TEST_FAILED ? "[  FAILED  ]" :
	       end == TEST_SKIPPED ? "[  SKIPPED ]" : "[       OK ]",
	       test->name);
	return end;
}

static inline int run_tests(const struct CMUnitTest *tests, size_t nr)
{
	int passed = 0, failed = 0;

	for (size_t i = 0; i < nr; i++) {
		int end = run_test(&tests[i]);

		passed += !end;
		failed += end == TEST_FAILED;
	}
	printf("[  PASSED  ] %d test(s).\n", passed);
	return failed;
}

#define cmocka_run_group_tests(tests, setup, teardown) \
	run_tests((tests), sizeof(tests) / sizeof((tests)[0]))

#endif /* CROSS_CMOCKA_H */
