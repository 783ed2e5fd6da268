// SPDX-License-Identifier: MIT
/*
 * tests/unit/magazine_test.c - the per-CPU layer.
 *
 * Part of it looks at one layer with a backend of its own that counts, part at
 * caches and pages through the public calls, with interrupts that land in the
 * fast path.
 */
#include <time.h>

#include "unit.h"
#include "depot.h"

#define QUIET	__GFP_NOWARN
#define CPUS	4

static int setup(void **state)
{
	(void)state;
	host_machine(64 * MIB, CPUS);
	test_panics_record();
	return 0;
}

static struct kmem_cache_stats stats(struct kmem_cache *s)
{
	struct kmem_cache_stats st;

	kmem_cache_stats(s, &st);
	return st;
}

/* ---------------------------------------- one layer above a counting store */

#define STORE	100000u

static struct {
	struct magazine_layer layer;
	struct magazine_cpu cpu[CPUS];	/* right behind the layer, */
	struct depot depot[CPUS];	/* and these behind them */
	/* the store: objects are small integers, [n] tells where n is */
	unsigned char in_store[STORE + 1];
	uintptr_t next;
	size_t left;		/* how many may be taken before it refuses */
	unsigned takes, gives;
	size_t most_at_once;
} one;

static size_t store_take(struct magazine_layer *l, struct round *rounds,
			 size_t n, bool any)
{
	size_t got = 0;

	(void)any;
	REQUIRE(l == &one.layer);
	one.takes++;
	for (; got < n && one.left; got++, one.left--) {
		while (!one.in_store[one.next])
			one.next = one.next % STORE + 1;
		one.in_store[one.next] = 0;
		rounds[got] = (struct round){ (void *)one.next, NULL };
	}
	return got;
}

static void store_give(struct magazine_layer *l, const struct round *rounds,
		       size_t n)
{
	REQUIRE(l == &one.layer);
	one.gives++;
	if (n > one.most_at_once)
		one.most_at_once = n;
	for (size_t i = 0; i < n; i++) {
		uintptr_t at = (uintptr_t)rounds[i].obj;

		REQUIRE(at >= 1 && at <= STORE && !one.in_store[at]);
		one.in_store[at] = 1;
	}
	one.left += n;
}

static void one_start(size_t object_bytes, size_t magazine_bytes,
		      size_t depot_bytes)
{
	memset(&one, 0, sizeof(one));
	memset(one.in_store, 1, sizeof(one.in_store));
	one.next = 1;
	one.left = STORE;
	magazine_layer_init(&one.layer, object_bytes, magazine_bytes,
			    depot_bytes);
	one.layer.take = store_take;
	one.layer.give = store_give;
}

static void *one_alloc(void)
{
	struct round r;

	return magazine_alloc(&one.layer, &r) ? r.obj :
	       magazine_alloc_slow(&one.layer).obj;
}

static void one_free(void *obj)
{
	if (!magazine_free(&one.layer, obj, NULL))
		magazine_free_slow(&one.layer, obj, NULL);
}

static void say(void *ctx, const char *line)
{
	(void)ctx;
	fprintf(stderr, "magazine_layer_check: %s\n", line);
}

/* M1 to M5, and: every object is in one place. `held` are in the test. */
static void one_check(size_t held)
{
	struct check c = { .out = say };
	struct kmem_layer_stats st;

	magazine_layer_check(&one.layer, "one", &c);
	REQUIRE(c.violations == 0);
	magazine_layer_stats(&one.layer, &st);
	REQUIRE(one.left + st.in_cpus + st.in_depot + held == STORE);
	REQUIRE(st.allocs - st.frees == held);
	REQUIRE(st.refilled - st.flushed + st.directs <= STORE);
}

/* Nothing is lost or doubled in a random walk over several CPUs, and every
 * figure of the layer agrees with what the store has seen. */
static void test_random_walk(void **state)
{
	static void *held[4000];
	uint64_t seed = test_seed("magazine_test: walk");
	size_t nr = 0;

	(void)state;
	one_start(64, 8192, 65536);
	for (unsigned i = 0; i < test_scaled(100000); i++) {
		/* the balance swings, so that magazines fill and empty */
		bool alloc = test_below(&seed, 100) < (i / 3000 % 2 ? 35 : 65);

		host_cpu_set((unsigned)test_below(&seed, CPUS));
		if (alloc && nr < KMEM_ARRAY_SIZE(held)) {
			held[nr] = one_alloc();
			REQUIRE(held[nr]);
			nr++;
		} else if (nr) {
			size_t j = test_below(&seed, nr);

			one_free(held[j]);
			held[j] = held[--nr];
		}
		if (i % 100 == 0)
			one_check(nr);
	}
	while (nr)
		one_free(held[--nr]);
	one_check(0);
	magazine_layer_fini(&one.layer);
	assert_int_equal(one.left, STORE);
	host_cpu_set(0);
}

/* However many objects are freed, a CPU and the depot never hold more than
 * their bounds say, for small objects and large. */
static void test_bounds(void **state)
{
	static const size_t sizes[] = { 16, 64, 256, 1000, 4096, 8192, 32768 };
	static void *held[20000];

	(void)state;
	for (unsigned s = 0; s < KMEM_ARRAY_SIZE(sizes); s++) {
		size_t limit = 8192 / sizes[s] > 2 ? 8192 / sizes[s] : 2;
		struct kmem_layer_stats st;

		if (limit > KMEM_MAGAZINE_ROUNDS)
			limit = KMEM_MAGAZINE_ROUNDS;
		one_start(sizes[s], 8192, 65536);
		/* how far the depot may grow: so much for each CPU */
		assert_int_equal(one.layer.max_depot,
				 KMEM_MAX(65536 / sizes[s] * CPUS, limit));
		for (unsigned i = 0; i < 20000; i++)
			REQUIRE((held[i] = one_alloc()));
		for (unsigned i = 0; i < 20000; i++) {
			host_cpu_set(i / 5000);
			one_free(held[i]);
			magazine_layer_stats(&one.layer, &st);
			REQUIRE(st.in_cpus <= CPUS * 2 * limit);
			REQUIRE(st.in_depot <= 65536 / sizes[s] ||
				st.in_depot <= limit);
		}
		/* no lock was fought over: the bound has not grown */
		assert_int_equal(st.depot_contended, 0);
		/* and all that went below did so by a flush */
		assert_int_equal(st.flushes, st.directs ? 0 : one.gives);
		one_check(0);
		host_cpu_set(0);
		magazine_layer_fini(&one.layer);
		assert_int_equal(one.left, STORE);
	}
}

/* The point of it all: in a long run of allocations, then frees, the store is
 * asked once for many objects, and hardly at all when a few objects are
 * allocated and freed over and over, however that alternates. */
static void test_few_trips(void **state)
{
	static void *held[10000];
	unsigned trips;

	(void)state;
	one_start(64, 8192, 65536);
	for (unsigned i = 0; i < 10000; i++)
		held[i] = one_alloc();
	for (unsigned i = 0; i < 10000; i++)
		one_free(held[i]);
	print_message("10000 allocations, then frees: %u takes, %u gives\n",
		      one.takes, one.gives);
	assert_in_range(one.takes, 1, 10000 / 15);
	assert_in_range(one.gives, 1, 10000 / 15);
	trips = one.takes + one.gives;
	for (unsigned i = 0; i < 100000; i++) {
		unsigned n = 1 + i % 30;

		for (unsigned k = 0; k < n; k++)
			held[k] = one_alloc();
		for (unsigned k = 0; k < n; k++)
			one_free(held[k]);
		i += n;
	}
	assert_in_range(one.takes + one.gives - trips, 0, 4);
	one_check(0);
	magazine_layer_fini(&one.layer);
}

/* Objects freed on another CPU come back through the depot, a magazine at a
 * time: producer and consumer don't need the store. */
static void test_remote_free(void **state)
{
	static void *held[40];
	unsigned before = 0;
	struct kmem_layer_stats st;

	(void)state;
	one_start(64, 8192, 65536);
	for (unsigned round = 0; round < 2000; round++) {
		if (round == 1000)
			before = one.takes + one.gives;
		host_cpu_set(0);
		for (unsigned i = 0; i < 40; i++)
			REQUIRE((held[i] = one_alloc()));
		host_cpu_set(1);
		for (unsigned i = 0; i < 40; i++)
			one_free(held[i]);
	}
	magazine_layer_stats(&one.layer, &st);
	assert_in_range(one.takes + one.gives - before, 0, 10);
	assert_true(st.depot_allocs > 0 && st.depot_frees > 0);
	one_check(0);
	host_cpu_set(0);
	magazine_layer_fini(&one.layer);
	assert_int_equal(one.left, STORE);
}

/* So many objects were in use on CPU 0 and CPU 1 each. Some of their magazines
 * are full now, and in the depot. Return: the first object that is not CPU 0's
 * but CPU 1's. */
static uintptr_t start_used_by_two(unsigned n)
{
	static void *held[2][2000];
	uintptr_t first = 0;

	one_start(64, 8192, 65536);
	for (unsigned cpu = 0; cpu < 2; cpu++) {
		zones.depot_bytes += (n - one.depot[cpu].max_objects) * 64;
		one.depot[cpu].max_objects = n;
	}
	for (unsigned cpu = 0; cpu < 2; cpu++) {
		host_cpu_set(cpu);
		first = one.next + 1;	/* that was the last taken */
		for (unsigned i = 0; i < n; i++)
			REQUIRE((held[cpu][i] = one_alloc()));
	}
	for (unsigned cpu = 0; cpu < 2; cpu++) {
		host_cpu_set(cpu);
		for (unsigned i = 0; i < n; i++)
			one_free(held[cpu][i]);
	}
	one_check(0);
	return first;
}

/* A full magazine that a CPU has left is its own. It takes those of others when
 * neither it nor the layer below has anything. */
static void test_own_magazines_first(void **state)
{
	const unsigned n = 1000;
	uintptr_t first = start_used_by_two(n);
	unsigned takes, got;

	(void)state;
	for (unsigned cpu = 0; cpu < 2; cpu++) {
		host_cpu_set(cpu);
		takes = one.takes;
		for (got = 0; one.takes == takes; got++) {
			uintptr_t obj = (uintptr_t)one_alloc();

			assert_true(one.takes > takes ||
				    (obj < first) == (cpu == 0));
		}
		assert_in_range(got, n, n + 62 + 1);
	}
	magazine_layer_fini(&one.layer);

	start_used_by_two(n);
	one.left = 0;
	host_cpu_set(0);
	for (got = 0; one_alloc(); got++)
		;
	/* but for what CPU 1 still holds */
	assert_in_range(got, 2 * n - 2 * 62, 2 * (n + 62));
	magazine_layer_fini(&one.layer);
}

/* Kept apart, what others have left stays where it is until it is asked for; and
 * then too what the CPU has got itself meanwhile comes first. */
static void test_kept_apart(void **state)
{
	unsigned got;

	(void)state;
	start_used_by_two(1000);
	one.layer.apart = true;
	one.left = 0;
	host_cpu_set(0);
	for (got = 0; one_alloc(); got++)
		;
	assert_in_range(got, 1000, 1000 + 62);
	assert_non_null(magazine_alloc_left(&one.layer).obj);
	got = depot_objects(&one.layer);
	assert_true(got > 0);
	assert_non_null(magazine_alloc_left(&one.layer).obj);
	assert_int_equal(depot_objects(&one.layer), got);
	while (magazine_alloc_left(&one.layer).obj)
		;
	assert_int_equal(depot_objects(&one.layer), 0);
	magazine_layer_fini(&one.layer);
}

/* Who never leaves a full magazine allocates what others free: he takes theirs
 * first. */
static void test_fed_by_others(void **state)
{
	unsigned takes;

	(void)state;
	start_used_by_two(2000);
	host_cpu_set(2);
	for (unsigned i = 0; i < 8 * 62; i++)
		one_alloc();
	takes = one.takes;
	assert_true(takes > 0);
	for (unsigned i = 0; i < 40 * 62; i++)
		one_alloc();
	assert_int_equal(one.takes, takes);
	host_cpu_set(0);
	magazine_layer_fini(&one.layer);
}

/* The store runs dry: NULL, and what is in this CPU's magazines was used up
 * before. */
static void test_store_runs_dry(void **state)
{
	static void *held[STORE];
	size_t n = 0;

	(void)state;
	one_start(64, 8192, 65536);
	one.left = 1000;
	while ((held[n] = one_alloc()))
		n++;
	assert_int_equal(n, 1000);
	assert_int_equal(one.left, 0);
	one_free(held[--n]);
	held[n] = one_alloc();
	assert_non_null(held[n]);
	n++;
	assert_null(one_alloc());
	while (n)
		one_free(held[--n]);
	magazine_layer_fini(&one.layer);
	assert_int_equal(one.left, 1000);
}

/* Busy slots, as an interrupt finds them that landed in a fast path: alloc and
 * free go past them, one object each, and touch neither rounds nor arrays. */
static void test_busy_slots(void **state)
{
	struct kmem_layer_stats before, after;
	void *obj, *held;

	(void)state;
	one_start(64, 8192, 65536);
	held = one_alloc();
	magazine_layer_stats(&one.layer, &before);
	one.cpu[0].busy = 1;
	obj = one_alloc();
	assert_non_null(obj);
	one_free(obj);
	one_free(held);
	obj = one_alloc();
	magazine_drain(&one.layer);	/* must not touch them either */
	one.cpu[0].busy = 0;
	magazine_layer_stats(&one.layer, &after);
	assert_int_equal(after.in_cpus, before.in_cpus);
	assert_int_equal(after.directs, before.directs + 4);
	assert_int_equal(after.allocs, before.allocs + 2);
	assert_int_equal(after.frees, before.frees + 2);
	one_free(obj);
	one_check(0);
	magazine_layer_fini(&one.layer);
	assert_int_equal(one.left, STORE);
}

/* A drain that was asked for while another CPU could not be reached happens at
 * that CPU's next slow path. */
static void test_drain_by_epoch(void **state)
{
	static void *held[200];
	struct kmem_layer_stats st;
	unsigned gives, n = 0;

	(void)state;
	one_start(64, 8192, 65536);
	host_cpu_set(1);
	for (unsigned i = 0; i < 200; i++)
		held[i] = one_alloc();
	for (unsigned i = 0; i < 200; i++)
		one_free(held[i]);
	host_cpu_set(0);
	magazine_drain(&one.layer);
	magazine_layer_stats(&one.layer, &st);
	assert_int_equal(st.in_depot, 0);
	assert_true(st.in_cpus > 0);
	host_cpu_set(1);
	gives = one.gives;
	while (one.cpu[1].epoch != one.layer.epoch) {
		assert_in_range(n, 0, 100);
		held[n++] = one_alloc();
	}
	/* what it still had has gone below, and it has begun anew */
	assert_true(one.gives > gives);
	magazine_layer_stats(&one.layer, &st);
	assert_true(st.in_cpus <= KMEM_MAGAZINE_ROUNDS);
	one_check(n);
	while (n)
		one_free(held[--n]);
	one_check(0);
	host_cpu_set(0);
	magazine_layer_fini(&one.layer);
	assert_int_equal(one.left, STORE);
}

/* A layer that is used little pins little. */
static void test_small_at_first(void **state)
{
	struct kmem_layer_stats st;

	(void)state;
	one_start(16, 8192, 65536);
	one_free(one_alloc());
	magazine_layer_stats(&one.layer, &st);
	assert_in_range(st.in_cpus, 1, 8);
	magazine_layer_fini(&one.layer);
}

/* Who goes back and forth by more than one magazine, again and again, gets longer
 * ones, in which there is room for that; and what was in a short one moves to
 * them, though it is never empty when a free comes. */
static void test_swaps_end(void **state)
{
	enum { N = 16 };
	void *held[N];
	uint64_t swaps = 0;
	struct kmem_layer_stats st;

	(void)state;
	one_start(16, 8192, 65536);
	for (unsigned i = 0; i < 2000; i++) {
		for (unsigned k = 0; k < N; k++)
			held[k] = one_alloc();
		one_check(N);
		for (unsigned k = 0; k < N; k++)
			one_free(held[k]);
		one_check(0);
		if (i != 1000)
			continue;
		magazine_layer_stats(&one.layer, &st);
		swaps = st.alloc_swaps;
		/* 16 of them are one trip, and 4 trips raise the limit */
		assert_in_range(swaps, 4 * 16, 1000 - 1);
		assert_in_range(st.free_swaps, 4 * 16, 1000 - 1);
	}
	magazine_layer_stats(&one.layer, &st);
	assert_int_equal(st.alloc_swaps, swaps);
	magazine_layer_fini(&one.layer);
	assert_int_equal(one.left, STORE);
}

/* ---------------------------------------------------------- through caches */

/* allocs - frees == live, and objects in slabs == live + cached + free, for
 * any mixture; and what the CPUs hold is bounded in bytes. */
static void test_cache_figures(void **state)
{
	static const size_t sizes[] = { 24, 192, 2048, 8192, 20000 };
	static void *held[3000];
	uint64_t seed = test_seed("magazine_test: figures");

	(void)state;
	for (unsigned k = 0; k < KMEM_ARRAY_SIZE(sizes); k++) {
		struct kmem_cache *s = kmem_cache_create("figures", sizes[k],
							 0, 0, NULL);
		size_t nr = 0, most = 3000 / (1 + sizes[k] / 500);
		size_t cap = 2 * KMEM_MAGAZINE_BYTES;

		if (cap < 4 * stats(s).slot_size)
			cap = 4 * stats(s).slot_size;
		for (unsigned i = 0; i < test_scaled(20000); i++) {
			struct kmem_cache_stats st;

			host_cpu_set((unsigned)test_below(&seed, CPUS));
			if (test_below(&seed, 100) <
			    (i / 700 % 2 ? 30 : 70)) {
				if (nr < most)
					held[nr++] =
						kmem_cache_alloc(s, GFP_KERNEL);
				REQUIRE(held[nr - 1]);
			} else if (nr) {
				size_t j = test_below(&seed, nr);

				kmem_cache_free(s, held[j]);
				held[j] = held[--nr];
			}
			if (i % 50)
				continue;
			st = stats(s);
			REQUIRE(st.live == nr);
			REQUIRE(st.layer.allocs - st.layer.frees == nr);
			REQUIRE(st.live + st.layer.in_cpus +
				st.layer.in_depot + st.free_in_slabs ==
				st.slabs * st.objects_per_slab);
			REQUIRE((st.layer.in_cpus - st.layer.in_quarantine) *
				st.slot_size <= CPUS * cap);
			/* a depot may go beyond what is a CPU's in any case,
			 * within a share of memory */
			REQUIRE(st.layer.in_depot * st.slot_size <=
				KMEM_DEPOT_BYTES * CPUS + 64 * MIB / 32 ||
				st.layer.in_depot <= 2 * CPUS);
		}
		assert_sound();
		while (nr)
			kmem_cache_free(s, held[--nr]);
		host_cpu_set(0);
		kmem_cache_destroy(s);
	}
}

/* Whoever allocates many objects and frees them all, over and over, has them from
 * the depot the third time: no slab is made or given up any more. */
static void test_depot_follows(void **state)
{
	struct kmem_cache *s = kmem_cache_create("waves", 256, 0, 0, NULL);
	static void *held[6000];	/* 1.5 MiB */
	uint64_t made = 0;

	(void)state;
	for (unsigned wave = 0; wave < 6; wave++) {
		if (wave == 3)
			made = stats(s).slabs_made;
		for (unsigned i = 0; i < 6000; i++)
			REQUIRE((held[i] = kmem_cache_alloc(s, GFP_KERNEL)));
		for (unsigned i = 0; i < 6000; i++)
			kmem_cache_free(s, held[i]);
	}
	/* but for what trims have taken meanwhile: three waves would make
	 * 1,125 if all of it had gone back */
	assert_in_range(stats(s).slabs_made, made, made + 375);
	assert_true(stats(s).layer.in_depot > 3000);
	kmem_cache_destroy(s);
}

static void waves(struct kmem_cache *s, unsigned cpu, unsigned n)
{
	static void *held[6000];	/* 1.5 MiB: not twice what depots may */

	host_cpu_set(cpu);
	for (unsigned wave = 0; wave < n; wave++) {
		for (unsigned i = 0; i < KMEM_ARRAY_SIZE(held); i++)
			REQUIRE((held[i] = kmem_cache_alloc(s, GFP_KERNEL)));
		for (unsigned i = 0; i < KMEM_ARRAY_SIZE(held); i++)
			kmem_cache_free(s, held[i]);
	}
	host_cpu_set(0);
}

/* And when he goes on elsewhere, what depots may hold goes with him, although
 * nothing lowers a bound whose magazines have been taken; and it is given up when
 * he ends. */
static void test_bound_goes_along(void **state)
{
	struct kmem_cache *s = kmem_cache_create("moves", 256, 0, 0, NULL);
	size_t before = zones.depot_bytes;
	uint64_t refilled;

	(void)state;
	waves(s, 0, 4);
	assert_true(stats(s).layer.in_depot > 3000);
	kmem_cache_shrink(s);
	for (unsigned cpu = 1; cpu < CPUS; cpu++) {
		waves(s, cpu, 4);
		assert_true(stats(s).layer.in_depot > 3000);
		refilled = stats(s).layer.refilled;
		waves(s, cpu, 1);
		/* (6000 if all of it had been flushed) */
		assert_in_range(stats(s).layer.refilled, refilled,
				refilled + 1500);
	}
	/* The first may find that it was used since the last. */
	for (unsigned i = 0; i < 3; i++)
		kmem_trim(KMEM_TRIM);
	assert_int_equal(stats(s).layer.in_depot, 0);
	assert_true(zones.depot_bytes <= before);
	assert_sound();
	kmem_cache_destroy(s);
}

/* Whichever depots have something that nobody came for, a trim finds it, and takes
 * more where nobody came at all. */
static void test_trims_of_many_depots(void **state)
{
	size_t left, was;

	(void)state;
	start_used_by_two(1000);
	left = depot_objects(&one.layer);
	assert_true(left > 1500);
	for (unsigned i = 0; left; i++) {
		assert_true(i < 1000 / 62);
		was = left;
		depot_trim(&one.layer, 1);
		left = depot_objects(&one.layer);
		if (i > 1 && left)
			assert_true(was - left >= 4 * 62);
	}
	one_check(0);
	magazine_layer_fini(&one.layer);
}

static void alloc_and_free(unsigned cpu, unsigned n)
{
	static void *held[100];

	host_cpu_set(cpu);
	for (unsigned i = 0; i < n; i++)
		REQUIRE((held[i] = one_alloc()));
	for (unsigned i = 0; i < n; i++)
		one_free(held[i]);
	host_cpu_set(0);
}

static size_t bounds_of_one(void)
{
	size_t sum = 0;

	for (unsigned i = 0; i < CPUS; i++)
		sum += one.depot[i].max_objects;
	return sum;
}

/* What a depot lends is lent, not made: bounds add up to the same, and a trim of
 * the lender, whose bound is lower than it has begun with, does not raise it. */
static void test_lent_bounds(void **state)
{
	size_t sum, least;
	struct round r;

	(void)state;
	one_start(64, 8192, 65536);
	least = one.layer.min_depot;
	for (unsigned n = 8; !one.depot[1].objects; n++)
		alloc_and_free(1, n);
	/* a magazine of fewer rounds than that least */
	host_cpu_set(2);
	assert_true(magazine_try_alloc(&one.layer, &r));
	host_cpu_set(0);
	assert_in_range(one.depot[1].objects, 1, least - 1);
	sum = bounds_of_one();
	for (unsigned i = 0; one.depot[1].max_objects == least; i++) {
		assert_true(i < 10);
		alloc_and_free(0, 20 + i);
	}
	assert_true(one.depot[0].max_objects > least);
	if (!one.depot[0].flushed)
		assert_int_equal(bounds_of_one(), sum);
	one_check(1);
	sum = bounds_of_one();
	for (unsigned i = 0; i < 3; i++)
		depot_trim(&one.layer, 10);
	assert_int_equal(one.depot[1].objects, 0);
	assert_true(one.depot[1].max_objects < least);
	assert_true(bounds_of_one() <= sum);
	one_free(r.obj);
	magazine_layer_fini(&one.layer);
}

/* All depots together: what many caches free one after the other adds up to no
 * more than their share of memory, beyond what each may hold in any case; and
 * all of it goes back when it is asked for. */
static void test_depots_share(void **state)
{
	const size_t least = KMEM_DEPOT_BYTES * CPUS;
	struct kmem_cache *s[16];
	static void *held[24000];	/* 6 MiB: more than they may */
	size_t most = 0, share;

	(void)state;
	/* more memory: the share of so much leaves something beyond the least */
	kmem_reset();
	host_memory_release();
	host_machine(128 * MIB, CPUS);
	share = zones.managed / 32 * PAGE;
	for (unsigned k = 0; k < 16; k++) {
		char name[] = "share-a";
		size_t all = 0, beyond = 0;

		name[6] = (char)('a' + k);
		s[k] = kmem_cache_create(name, 256, 0, 0, NULL);
		for (unsigned wave = 0; wave < 24; wave++) {
			for (unsigned i = 0; i < 24000; i++)
				held[i] = kmem_cache_alloc(s[k], GFP_KERNEL);
			for (unsigned i = 0; i < 24000; i++)
				kmem_cache_free(s[k], held[i]);
		}
		for (unsigned i = 0; i <= k; i++) {
			size_t bytes = stats(s[i]).layer.in_depot * 256;

			all += bytes;
			beyond += bytes - KMEM_MIN(bytes, least);
		}
		assert_true(beyond <= share);
		assert_true(zones.depot_bytes >= all);
		most = KMEM_MAX(most, beyond);
	}
	print_message("%zu KiB beyond\n", most >> 10);
	assert_true(most > 0);
	kmem_trim(KMEM_DRAIN);
	for (unsigned k = 0; k < 16; k++) {
		assert_int_equal(stats(s[k]).layer.in_depot, 0);
		kmem_cache_destroy(s[k]);
	}
}

/* -------------------------------------------------------------- interrupts */

#define IRQ_HELD	64

static struct kmem_cache *shared;
static struct {
	void *held[IRQ_HELD];
	unsigned nr;
	uint64_t count;
	uint64_t seed;
} irq;

static void irq_swap(void *fresh)
{
	unsigned i = (unsigned)test_below(&irq.seed, IRQ_HELD);

	if (irq.held[i]) {
		REQUIRE(!test_changed(irq.held[i], 64, i));
		kmem_cache_free(shared, irq.held[i]);
	}
	if (fresh)
		test_fill(fresh, 64, i);
	irq.held[i] = fresh;
}

/* Allocates and frees in the cache that the thread is using, and pages. */
static void irq_handler(unsigned cpu)
{
	struct page *page;

	(void)cpu;
	irq.count++;
	for (unsigned i = 0; i < 3; i++)
		irq_swap(kmem_cache_alloc(shared, GFP_ATOMIC | QUIET));
	irq_swap(NULL);
	page = alloc_page(GFP_ATOMIC | QUIET);
	if (page) {
		memset(page_to_virt(page), 0x5a, PAGE);
		__free_page(page);
	}
}

static double seconds(void)
{
	struct timespec t;

	timespec_get(&t, TIME_UTC);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* What the thread does: keep some objects, swap them at random. */
static void churn(unsigned n)
{
	static void *held[256];
	uint64_t seed = 1;

	for (unsigned i = 0; i < n; i++) {
		unsigned j = (unsigned)test_below(&seed, 256);
		void *fresh = kmem_cache_alloc(shared, GFP_NOWAIT | QUIET);

		REQUIRE(fresh);
		test_fill(fresh, 64, j + 1000);
		if (held[j]) {
			REQUIRE(!test_changed(held[j], 64, j + 1000));
			kmem_cache_free(shared, held[j]);
		}
		held[j] = fresh;
	}
	for (unsigned j = 0; j < 256; j++) {
		kmem_cache_free(shared, held[j]);
		held[j] = NULL;
	}
}

/* The fast path over and over, with nothing in between, so that an interrupt
 * that comes has a fair chance to land inside of it. */
static void hammer(unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		void *a = kmem_cache_alloc(shared, GFP_NOWAIT | QUIET);
		void *b = kmem_cache_alloc(shared, GFP_NOWAIT | QUIET);

		REQUIRE(a && b && a != b);
		kmem_cache_free(shared, a);
		kmem_cache_free(shared, b);
	}
}

#if defined(__SANITIZE_THREAD__)
#define SIGNALS_ARE_DELAYED	1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SIGNALS_ARE_DELAYED	1
#endif
#endif
#ifndef SIGNALS_ARE_DELAYED
#define SIGNALS_ARE_DELAYED	0
#endif

/* Interrupts that use the same cache, at any instruction. Some land where the
 * slots are busy: those must go past them (`directs`), and at the end every
 * object is accounted for. Under the thread sanitizer signals arrive between
 * instrumented calls only, so that none need land inside. */
static void test_interrupts(void **state)
{
	double end = seconds() + 20;

	(void)state;
	shared = kmem_cache_create("shared", 64, 0, 0, NULL);
	memset(&irq, 0, sizeof(irq));
	host_irq_start(20, true, irq_handler);
	do {
		churn(test_scaled(20000));
		hammer(test_scaled(200000));
		if (SIGNALS_ARE_DELAYED && irq.count > 100)
			break;
	} while ((stats(shared).layer.directs < 5 || irq.count < 100) &&
		 seconds() < end);
	host_irq_stop();
	print_message("%" PRIu64 " interrupts, %" PRIu64 " directs\n",
		      irq.count, stats(shared).layer.directs);
	assert_true(irq.count >= 100);
	assert_true(SIGNALS_ARE_DELAYED || stats(shared).layer.directs > 0);
	assert_sound();
	for (unsigned i = 0; i < IRQ_HELD; i++) {
		if (irq.held[i])
			assert_null(test_changed(irq.held[i], 64, i));
		kmem_cache_free(shared, irq.held[i]);
	}
	assert_int_equal(stats(shared).live, 0);
	assert_int_equal(stats(shared).layer.allocs,
			 stats(shared).layer.frees);
	assert_sound();
	kmem_cache_destroy(shared);
}

/* An interrupt that shrinks and drains while the thread is in the fast path:
 * it must leave the slots alone if they are busy. */
static void shrinking_handler(unsigned cpu)
{
	(void)cpu;
	irq.count++;
	drain_pages();
	if (irq.count % 4 == 0)
		kmem_cache_free(shared, kmem_cache_alloc(shared, GFP_ATOMIC |
							 QUIET));
}

static void test_interrupts_that_drain(void **state)
{
	double end = seconds() + 10;

	(void)state;
	shared = kmem_cache_create("drained", 1024, 0, 0, NULL);
	memset(&irq, 0, sizeof(irq));
	host_irq_start(50, true, shrinking_handler);
	while (irq.count < test_scaled(1000) && seconds() < end)
		for (unsigned i = 0; i < 100; i++) {
			struct page *a = alloc_page(GFP_NOWAIT | QUIET);
			struct page *b = alloc_pages(GFP_NOWAIT | QUIET, 1);

			REQUIRE(a && b && a != b);
			__free_page(a);
			hammer(1);
			__free_pages(b, 1);
		}
	host_irq_stop();
	assert_true(irq.count > 0);
	assert_sound();
	assert_int_equal(stats(shared).live, 0);
	kmem_cache_destroy(shared);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_random_walk),
		CASE(test_bounds),
		CASE(test_few_trips),
		CASE(test_remote_free),
		CASE(test_own_magazines_first),
		CASE(test_kept_apart),
		CASE(test_fed_by_others),
		CASE(test_store_runs_dry),
		CASE(test_busy_slots),
		CASE(test_drain_by_epoch),
		CASE(test_small_at_first),
		CASE(test_swaps_end),
		CASE(test_cache_figures),
		CASE(test_depot_follows),
		CASE(test_bound_goes_along),
		CASE(test_trims_of_many_depots),
		CASE(test_lent_bounds),
		CASE(test_depots_share),
		CASE(test_interrupts),
		CASE(test_interrupts_that_drain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
