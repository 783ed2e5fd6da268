// SPDX-License-Identifier: MIT
/*
 * tests/stress/misuse.c - the same thing freed on two CPUs at the same time.
 *
 * A double free that does not race is reported at once. One that does may pass
 * both CPUs' checks; then two magazines hold the same object, and the second
 * copy must be found when it is allocated or reaches the slab. Whatever the
 * race: each extra free is reported exactly once, nothing is given to two, and
 * at the end every structure is sound.
 *
 * What is promised has a limit: a CPU that is held up between its check and its
 * mark for so long that the other CPU's copy travels all the way to the slab
 * writes its mark over a free slot. So the CPUs here have magazines that take
 * the whole batch, and nothing travels before both have finished.
 *
 * (tests/unit/misuse_test.c plays the race step by step; here it is left to
 * the machine.)
 */
#include <stdlib.h>

#include "testlib.h"

#define BATCH	(KMEM_MAGAZINE_ROUNDS - 2)

static struct {
	struct kmem_cache *cache;
	void *obj[BATCH];
	unsigned arrived;
} race;

static void wait_for_both(unsigned round)
{
	__atomic_fetch_add(&race.arrived, 1, __ATOMIC_ACQ_REL);
	while (__atomic_load_n(&race.arrived, __ATOMIC_ACQUIRE) < 2 * round)
		kmem_host_yield();
}

/* Both CPUs free the whole batch, from either end or from the same one. */
static void free_all(unsigned cpu, void *arg)
{
	bool same_way = *(bool *)arg;

	wait_for_both(1);
	for (unsigned i = 0; i < BATCH; i++)
		kmem_cache_free(race.cache,
				race.obj[cpu && !same_way ? BATCH - 1 - i : i]);
}

static void one_round(unsigned round)
{
	struct kmem_cache_stats st;
	bool same_way = round % 2;
	size_t n;

	race.arrived = 0;
	n = kmem_cache_alloc_bulk(race.cache, GFP_KERNEL, BATCH, race.obj);
	REQUIRE(n == BATCH);
	test_drain(2);		/* what came with it */
	test_panics_clear();
	host_run_cpus(2, free_all, &same_way);
	REQUIRE(test_panics() <= BATCH);
	test_drain(2);
	if (test_panics() != BATCH)
		fprintf(stderr, "round %u: %u reports\n", round,
			test_panics());
	REQUIRE(test_panics() == BATCH);
	REQUIRE(test_violations() == 0);
	kmem_cache_stats(race.cache, &st);
	REQUIRE(st.live == 1);
}

/* A CPU that often goes beyond its magazines has long ones. */
static void warm_up(unsigned cpu)
{
	static void *obj[1000];

	host_cpu_set(cpu);
	for (unsigned i = 0; i < 10; i++) {
		size_t n = kmem_cache_alloc_bulk(race.cache, GFP_KERNEL, 1000,
						 obj);

		REQUIRE(n == 1000);
		kmem_cache_free_bulk(race.cache, n, obj);
	}
}

int main(void)
{
	unsigned rounds = test_scaled(2000), reports = 0;
	void *keeper;

	host_machine(32 * MIB, 2);
	test_panics_record();
	race.cache = kmem_cache_create("raced", 64, 0, 0, NULL);
	REQUIRE(race.cache);
	/* so that the slab stays: what becomes of a copy whose slab has gone
	 * is left to the unit test */
	keeper = kmem_cache_alloc(race.cache, GFP_KERNEL);
	warm_up(1);
	warm_up(0);
	for (unsigned i = 0; i < rounds; i++) {
		one_round(i);
		reports += test_panics();
	}
	printf("misuse: %u racing double frees, each reported once\n",
	       reports);
	test_panics_clear();
	kmem_cache_free(race.cache, keeper);
	kmem_cache_destroy(race.cache);
	REQUIRE(test_panics() == 0);
	REQUIRE(test_violations() == 0);
	return EXIT_SUCCESS;
}
