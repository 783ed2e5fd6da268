// SPDX-License-Identifier: MIT
/*
 * tests/inject/ambient.c - failures all the while, under tests that know nothing
 * of them.
 *
 * Linked to the randomized model, half of all magazines that are wanted and of all
 * exchanges with the depot fail: callers must notice nothing, and the model checks
 * every answer. (It counts each refusal against the memory that is left, so that
 * others may not fail.) Linked to the stress tests, which cope with refusals and
 * carry patterns through every object, an eighth of all objects and of all slabs
 * of kmalloc()'s caches: also in interrupts and NMIs, and with several CPUs.
 */
#include <stdlib.h>
#include <sys/mman.h>

#include "testlib.h"

static const struct kmem_inject wanted = {
#ifdef AMBIENT_INNER
	.kinds = KMEM_INJECT_BIT(MAGAZINE) | KMEM_INJECT_BIT(DEPOT),
	.chance = 32768,
#else
	.kinds = KMEM_INJECT_BIT(OBJECT) | KMEM_INJECT_BIT(SLAB),
	.caches = "kmalloc-*",
	.chance = 8192,
#endif
};

/* Shared with the processes that the program may start, so that what fails in
 * them counts. */
static struct kmem_inject *rule;

__attribute__((constructor)) static void begin(void)
{
	rule = mmap(NULL, sizeof(*rule), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	REQUIRE(rule != MAP_FAILED);
	*rule = wanted;
	/* A short run: the long one is without this. */
	setenv("KMEM_OPS", "300000", 0);
	setenv("KMEM_TEST_SCALE", "10", 0);
	REQUIRE(kmem_inject_set(rule));
}

__attribute__((destructor)) static void end(void)
{
	size_t failed = kmem_inject_failed(rule);

	printf("%zu of %zu calls were failed\n", failed, rule->calls);
	REQUIRE(failed > 0);
}
