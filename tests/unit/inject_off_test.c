// SPDX-License-Identifier: MIT
/*
 * tests/unit/inject_off_test.c - without KMEM_INJECT no allocation is failed, and
 * whoever sets a rule is told.
 */
#include "unit.h"

static void test_refused(void **state)
{
	struct kmem_inject rule = { .kinds = KMEM_INJECT_ALL };
	void *p;

	(void)state;
	host_machine(16 * MIB, 1);
	assert_false(kmem_inject_set(&rule));
	p = kmalloc(100, GFP_KERNEL);
	assert_non_null(p);
	kfree(p);
	kmem_inject_clear();
	assert_int_equal(rule.calls, 0);
	assert_int_equal(kmem_inject_failed(&rule), 0);
	assert_sound();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
