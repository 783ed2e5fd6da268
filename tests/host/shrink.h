/* SPDX-License-Identifier: MIT */
/*
 * tests/host/shrink.h - from a long run that fails to a short one that does.
 *
 * A run is steps 1 .. nr, each of which does the same whatever steps are left
 * out before it: so it must draw its random numbers from its own number. A run
 * is repeated, each time in a process of its own, with ever more steps left
 * out, as long as it still fails (delta debugging: Zeller & Hildebrandt 2002).
 */
#ifndef KMEM_TEST_SHRINK_H
#define KMEM_TEST_SHRINK_H

#include <stdbool.h>
#include <stdio.h>

struct test_steps {
	unsigned nr;
	unsigned char *left_out;	/* [nr + 1] */
	void (*run)(const struct test_steps *s);
};

/* All steps, or those that `only` names, as "3,7-9"; NULL: all. */
void test_steps_init(struct test_steps *s, unsigned nr, const char *only,
		     void (*run)(const struct test_steps *s));
void test_steps_fini(struct test_steps *s);

/* Run them in a process of its own, quiet or not. Return: whether it failed:
 * aborted, was killed, or has another exit status than 0. */
bool test_steps_fail(const struct test_steps *s, bool quiet);

/* Leave out what can be, of steps that fail, within that many runs. Return: how
 * many steps are left. */
unsigned test_steps_shrink(struct test_steps *s, unsigned max_runs);

/* As test_steps_init() reads them. */
void test_steps_print(const struct test_steps *s, FILE *f);

#endif /* KMEM_TEST_SHRINK_H */
