/* SPDX-License-Identifier: MIT */
/*
 * tests/boot/catch.c - reports that the self-test provokes.
 *
 * kmem_panic() may return, and kmem then has not done what it complained of.
 * So misuse can be tested: a call is made with the expectation that it is
 * reported once, in certain words.
 */
#include "boot.h"

static bool expected;
static unsigned seen;
static char text[BY_MEMORY(160, 48)];

bool catches(const char *reason)
{
	size_t i = 0;

	if (!expected)
		return false;
	seen++;
	for (; reason[i] && i < sizeof(text) - 1; i++)
		text[i] = reason[i];
	text[i] = '\0';
	return true;
}

/* Without text, a reason is its kind. */
static bool fits(const char *expect)
{
	if (KMEM_REPORT_TEXT)
		return contains(text, expect);
	return contains(text, "double free") ==
	       (contains(expect, "double free") ||
		contains(expect, "freed twice"));
}

bool port_catches(void (*fn)(void *arg), void *arg, const char *expect)
{
	seen = 0;
	text[0] = '\0';
	expected = true;
	fn(arg);
	expected = false;
	if (seen == 1 && fits(expect))
		return true;
	print("expected one report of \"%s\", got %u: %s\n", expect, seen,
	      text);
	return false;
}
