/* SPDX-License-Identifier: MIT */
/*
 * tests/boot/selftest.c - each call of the API does what its header says.
 *
 * On one CPU, one test after the other; after each, all memory must be back
 * and every invariant must hold.
 */
#include "boot.h"

static const struct {
	const char *name;
	void (*run)(void);
} tests[] = {
	{ "kmalloc: every size, small and larger", test_kmalloc_sizes },
	{ "kmalloc: largest size, too large, overflow", test_kmalloc_limits },
	{ "kzalloc, kcalloc: zeros where dirt was", test_kmalloc_zero },
	{ "krealloc: growing and shrinking", test_krealloc },
	{ "kmalloc_aligned, krealloc_aligned", test_aligned },
	{ "kmemdup, kstrdup, kstrndup, kfree_sensitive", test_copies },
	{ "kmem_cache: constructor, alignment, refusals", test_cache },
	{ "kmem_cache: bulk", test_cache_bulk },
	{ "kmem_cache: walk; what is this address?", test_cache_walk },
	{ "pages: every order, and the names of a page", test_page_orders },
	{ "pages: zeroed, exact, split", test_page_parts },
	{ "pages: zones", test_zones },
	{ "pages: nodes, from every CPU", test_nodes },
	{ "vmalloc: megabytes from single pages", test_vmalloc },
	{ "vmalloc: stacks and guard pages", test_stacks },
	{ "vmalloc: all CPUs at once", test_vmalloc_cpus },
	{ "exhaustion, reclaim, release", test_exhaustion },
	{ "misuse is reported and harmless", test_misuse },
};

void selftest(void)
{
	for (unsigned i = 0; i < KMEM_ARRAY_SIZE(tests); i++) {
		struct account before = account_now();
		uint64_t start = machine_usec();

		tests[i].run();
		account_check(&before, tests[i].name);
		print("ok %u - %s (%u ms)\n", i + 1, tests[i].name,
		      msec(machine_usec() - start));
	}
}
