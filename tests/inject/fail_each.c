// SPDX-License-Identifier: MIT
/*
 * tests/inject/fail_each.c - every allocation fails in its turn.
 *
 * What could go wrong: an error path that is hardly ever taken leaks a page,
 * leaves a count or a list half changed, or goes on with what it has not got.
 *
 * Each scenario (scenarios.c) runs for each kind of allocation, kmem's inner ones
 * included: with the nth of them failing, and with the nth and all after it, for
 * n = 1, 2, ... until it makes fewer than n; and with failures of all kinds
 * mixed. After each run no object is live, kmem_check_all() finds nothing,
 * nothing was reported, and as many pages are free as before the scenario. It
 * ends because what is allocated does not grow with n; a run that does not end is
 * ended by alarm().
 *
 *	fail_each [SCENARIO]		with KMEM_TEST_SCALE, every so many-th n
 */
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "kmem_arch.h"
#include "scenarios.h"

#define SECONDS		60		/* for one scenario and kind */
#define MOST_POINTS	20000
#define MOST_WAITS	1000
#define SEEDS		100

static const char *const kind_name[KMEM_INJECT_KINDS] = {
	"object", "pages", "slab", "table", "magazine", "depot",
};

/* ---- the machine: two CPUs, two nodes, and every hook ---- */

static struct rcu_head *queued;
static unsigned waits;

static void call_rcu(void *ctx, struct rcu_head *head,
		     void (*fn)(struct rcu_head *head))
{
	(void)ctx;
	head->func = fn;
	head->next = queued;
	queued = head;
}

static void rcu_barrier(void *ctx)
{
	(void)ctx;
	while (queued) {
		struct rcu_head *head = queued;

		queued = head->next;
		head->func(head);
	}
}

static void run_on_cpu(void *ctx, unsigned cpu, void (*fn)(void *), void *arg)
{
	unsigned here = kmem_arch_cpu();

	(void)ctx;
	host_cpu_set(cpu);
	fn(arg);
	host_cpu_set(here);
}

static int cpu_node(void *ctx, unsigned cpu)
{
	(void)ctx;
	return (int)cpu;
}

static void wait_hook(void *ctx, const struct kmem_pressure *p)
{
	(void)ctx;
	(void)p;
	REQUIRE(++waits < MOST_WAITS);
}

static void on_panic(const char *reason)
{
	fprintf(stderr, "%s\n", reason);
	test_fail(__FILE__, __LINE__, "kmem_panic() was called");
}

static int machine(void)
{
	static const struct kmem_hooks hooks = {
		.run_on_cpu = run_on_cpu, .cpu_node = cpu_node,
		.wait = wait_hook, .call_rcu = call_rcu,
		.rcu_barrier = rcu_barrier,
	};
	struct kmem_params p = { .nr_cpus = SCENARIO_CPUS, .hooks = &hooks,
				 .merge_caches = true,
				 .hotplug_end = SCENARIO_END };

	queued = NULL;
	host_cpu_set(0);
	kmem_reset();
	host_memory_share(true);
	/* With room for whole sections, or addresses for vmalloc() may be in
	 * the direct map. */
	REQUIRE(host_memory_reserve(0, 256 * MIB));
	REQUIRE(host_memory_back(MIB, SCENARIO_END));
	p.virt_offset = host_virt_offset();
	REQUIRE(!kmem_add_region(MIB, 24 * MIB, KMEM_REGION_USABLE, 0));
	REQUIRE(!kmem_add_region(25 * MIB, 24 * MIB, KMEM_REGION_USABLE, 1));
	return kmem_init(&p);
}

/* ---- what must be so afterwards ---- */

static bool none_live(struct kmem_cache *s, void *arg)
{
	struct kmem_cache_stats st;

	(void)arg;
	kmem_cache_stats(s, &st);
	if (st.live)
		fprintf(stderr, "%zu objects of %s are live\n", st.live,
			st.name);
	REQUIRE(!st.live);
	return true;
}

static size_t settled_pages(void)
{
	rcu_barrier(NULL);
	kfree_rcu_barrier();
	kmem_trim(KMEM_DRAIN_CPU);
	return nr_free_pages();
}

static struct {
	const char *scenario, *kind;
	const struct kmem_inject *rule;
} now;

static void say_where(int sig)
{
	(void)sig;
	fprintf(stderr, "in %s: %s: nth %zu, times %zu, chance %u, seed %u\n",
		now.scenario, now.kind, now.rule ? now.rule->nth : 0,
		now.rule ? now.rule->times : 0, now.rule ? now.rule->chance : 0,
		now.rule ? (unsigned)now.rule->seed : 0);
	signal(SIGABRT, SIG_DFL);
	abort();
}

/* Return: how many calls failed. */
static size_t run_under(const struct scenario *sc, struct kmem_inject *rule)
{
	size_t before, after;

	now.rule = rule;
	waits = 0;
	before = settled_pages();
	REQUIRE(kmem_inject_set(rule));
	sc->run();
	kmem_inject_clear();
	after = settled_pages();
	kmem_for_each_cache(none_live, NULL);
	REQUIRE(test_violations() == 0);
	if (after != before)
		fprintf(stderr, "%zu pages were free, %zu are now\n", before,
			after);
	REQUIRE(after == before);
	now.rule = NULL;
	return kmem_inject_failed(rule);
}

/* Return: the runs that it took. */
static size_t fail_all(const struct scenario *sc, unsigned kinds, bool once)
{
	struct kmem_inject rule = { .kinds = kinds, .nth = 1, .times = once };
	size_t runs = 0;

	for (; run_under(sc, &rule); rule.nth += test_step()) {
		REQUIRE(rule.nth < MOST_POINTS);
		runs++;
	}
	return runs;
}

/* Here and there, of all kinds at once. */
static size_t fail_some(const struct scenario *sc)
{
	struct kmem_inject rule = { .kinds = KMEM_INJECT_ALL, .chance = 8192 };

	for (; rule.seed < test_scaled(SEEDS); rule.seed++)
		run_under(sc, &rule);
	return rule.seed;
}

static size_t calls_made(const struct scenario *sc, unsigned kinds)
{
	struct kmem_inject rule = { .kinds = kinds, .nth = SIZE_MAX };

	REQUIRE(run_under(sc, &rule) == 0);
	return rule.calls;
}

static void run_scenario(const struct scenario *sc)
{
	size_t runs;

	now.scenario = sc->name;
	REQUIRE(machine() == KMEM_OK);
	REQUIRE(host_vmalloc(16 * MIB) == KMEM_OK);
	printf("%-16s", sc->name);
	alarm(SECONDS);
	now.kind = "all at once";
	runs = fail_some(sc) + fail_all(sc, KMEM_INJECT_ALL, false);
	for (unsigned kind = 0; kind < KMEM_INJECT_KINDS; kind++) {
		now.kind = kind_name[kind];
		printf(" %4zu %s", calls_made(sc, 1u << kind), now.kind);
		fflush(stdout);
		alarm(SECONDS);
		runs += fail_all(sc, 1u << kind, true) +
			fail_all(sc, 1u << kind, false);
	}
	printf(", %zu runs\n", runs);
}

/* A machine that can't be started says so, and the next one can. */
static void fail_start(void)
{
	size_t runs = 0;

	now.scenario = "kmem_init";
	for (unsigned kind = 0; kind < KMEM_INJECT_KINDS; kind++)
		for (unsigned once = 0; once < 2; once++)
			for (size_t n = 1; n < MOST_POINTS; n++) {
				struct kmem_inject rule = {
					.kinds = 1u << kind, .nth = n,
					.times = once };
				int error;

				alarm(SECONDS);
				now.kind = kind_name[kind];
				now.rule = &rule;
				REQUIRE(kmem_inject_set(&rule));
				error = machine();
				kmem_inject_clear();
				if (!kmem_inject_failed(&rule)) {
					REQUIRE(error == KMEM_OK);
					break;
				}
				runs++;
				REQUIRE(error == KMEM_OK ||
					error == KMEM_ENOMEM);
				REQUIRE(error || test_violations() == 0);
			}
	now.rule = NULL;
	printf("%-16s %zu runs\n", "kmem_init", runs);
}

int main(int argc, char **argv)
{
	unsigned ran = 0;

	signal(SIGABRT, say_where);
	signal(SIGALRM, say_where);
	host_on_panic(on_panic);
	for (unsigned i = 0; i < nr_scenarios; i++)
		if (argc < 2 || !strcmp(argv[1], scenarios[i].name)) {
			run_scenario(&scenarios[i]);
			ran++;
		}
	if (argc < 2)
		fail_start();
	REQUIRE(ran > 0);
	printf("[  PASSED  ] %u tests\n", ran);
	return 0;
}
