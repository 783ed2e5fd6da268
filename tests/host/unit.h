/* SPDX-License-Identifier: MIT */
/*
 * tests/host/unit.h - what programs of unit tests share: cmocka, assertions about
 * kmem, and how a case ends.
 */
#ifndef KMEM_UNIT_H
#define KMEM_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "testlib.h"

/* For machines with memory above 4 GiB. */
#define NEEDS_64_BIT() do { \
	if (sizeof(void *) < 8) \
		skip(); \
} while (0)

#define assert_sound()		assert_int_equal(test_violations(), 0)
#define assert_panicked(addr, word, word2) \
	assert_true(test_panicked((addr), (word), (word2)))
#define assert_no_panic()	assert_int_equal(test_panics(), 0)

/* How a case ends: nothing was reported, all is sound, no machine is left. */
static inline int clean_end(void **state)
{
	(void)state;
	host_irq_stop();
	assert_no_panic();
	assert_sound();
	kmem_reset();
	host_memory_release();
	host_memory_share(false);
	return 0;
}

/* A case that begins with the program's setup(). */
#define CASE(fn)	cmocka_unit_test_setup_teardown(fn, setup, clean_end)

#endif /* KMEM_UNIT_H */
