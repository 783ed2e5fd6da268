// SPDX-License-Identifier: MIT
/*
 * tests/unit/format_test.c - the small printf against the large one.
 */
#include <limits.h>
#include <stdio.h>

#include "unit.h"
#include "format.h"

/* Both must write the same text and say the same length. */
#define SAME(...) do { \
	char ours[300], theirs[300]; \
	size_t length_ = format(ours, sizeof(ours), __VA_ARGS__); \
	int theirs_ = snprintf(theirs, sizeof(theirs), __VA_ARGS__); \
	assert_string_equal(ours, theirs); \
	assert_int_equal(length_, theirs_); \
} while (0)

static const uint64_t numbers[] = {
	0, 1, 9, 10, 11, 99, 100, 255, 4095, 4096, 65535, 1000000, INT_MAX,
	(uint64_t)INT_MAX + 1, UINT_MAX, (uint64_t)UINT_MAX + 1,
	999999999999, (uint64_t)1 << 53, INT64_MAX, (uint64_t)INT64_MAX + 1,
	9999999999999999999u, 10000000000000000000u, UINT64_MAX - 1,
	UINT64_MAX,
};

/* Every length of every kind of number, at all the edges. */
static void test_numbers(void **state)
{
	(void)state;
	for (unsigned i = 0; i < KMEM_ARRAY_SIZE(numbers); i++) {
		uint64_t n = numbers[i];

		SAME("%u", (unsigned)n);
		SAME("%d", (int)n);
		SAME("%x", (unsigned)n);
		SAME("%lu", (unsigned long)n);
		SAME("%ld", (long)n);
		SAME("%lx", (unsigned long)n);
		SAME("%llu", (unsigned long long)n);
		SAME("%lld", (long long)n);
		SAME("%llx", (unsigned long long)n);
		SAME("%zu", (size_t)n);
		SAME("%zx", (size_t)n);
	}
	SAME("%d %d", INT_MIN, -1);
	SAME("%lld", (long long)INT64_MIN);
}

/* Widths, to the left and right, with zeros, narrower than what they hold. */
static void test_widths(void **state)
{
	(void)state;
	for (int width = 0; width < 30; width += 3) {
		SAME("[%*u]", width, 12345u);
		SAME("[%-*u]", width, 12345u);
		SAME("[%0*u]", width, 12345u);
		SAME("[%0*x]", width, 0xbeefu);
		SAME("[%*d]", width, -77);
		SAME("[%*s]", width, "text");
		SAME("[%-*s]", width, "text");
		SAME("[%*llu]", width, (unsigned long long)UINT64_MAX);
	}
	SAME("[%8u|%-8u|%08u]", 5u, 5u, 5u);
	SAME("[%c%c]", 'a', 'z');
	SAME("%s%%%s", "a", "b");
	SAME("%s", "");
	SAME("no conversion at all");
	SAME(" %s ", " spaces ");
}

static void test_pointers(void **state)
{
	const char *volatile no_string = NULL;
	char text[64];

	(void)state;
	SAME("%p", (void *)0x1234);
	SAME("%p", (void *)UINTPTR_MAX);
	format(text, sizeof(text), "%p", (void *)0);
	assert_string_equal(text, "0x0");
	format(text, sizeof(text), "%s", no_string);
	assert_string_equal(text, "(null)");
}

/* What doesn't fit is cut, at every length, and the end is always there: not
 * one byte beyond the buffer is written. */
static void test_cut(void **state)
{
	(void)state;
	for (size_t size = 1; size < 40; size++) {
		char buf[48];
		size_t n;

		memset(buf, '#', sizeof(buf));
		n = format(buf, size, "%s is %u of %llu", "this",
			   4000000000u, (unsigned long long)UINT64_MAX);
		assert_int_equal(n, strlen(buf));
		assert_true(n < size);
		assert_true(n == size - 1 || n == 38);
		for (size_t i = size; i < sizeof(buf); i++)
			assert_int_equal(buf[i], '#');
		assert_true(!strncmp("this is 4000000000 of "
				     "18446744073709551615", buf, n));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_widths),
		cmocka_unit_test(test_pointers),
		cmocka_unit_test(test_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
