// SPDX-License-Identifier: MIT
/*
 * tests/host/testlib.c - what the tests share. See testlib.h.
 */
#include <stdlib.h>
#include <time.h>

#include "testlib.h"

/* -------------------------------------------------------------- in general */

unsigned test_step(void)
{
	unsigned percent = test_scaled(100);

	return percent >= 30 ? 1 : 30 / percent;
}

unsigned test_scaled(unsigned n)
{
	const char *scale = getenv("KMEM_TEST_SCALE");
	unsigned long percent = scale ? strtoul(scale, NULL, 10) : 100;
	uint64_t scaled = (uint64_t)n * percent / 100;

	return scaled ? (unsigned)scaled : 1;
}

bool test_emulated(void)
{
	const char *emulator = getenv("RUN_WITH");
	bool watched = false;

#ifdef __SANITIZE_THREAD__
	watched = true;
#endif
	return watched || (emulator && *emulator);
}

uint64_t test_seed(const char *program)
{
	const char *given = getenv("KMEM_SEED");
	struct timespec now;
	uint64_t seed;

	if (given) {
		seed = strtoull(given, NULL, 0);
	} else {
		timespec_get(&now, TIME_UTC);
		seed = (uint64_t)now.tv_sec * 1000000007u +
		       (uint64_t)now.tv_nsec;
	}
	printf("%s: seed %" PRIu64 " (KMEM_SEED=%" PRIu64 " replays it)\n",
	       program, seed, seed);
	fflush(stdout);
	return seed;
}

/* splitmix64 (Steele, Lea, Flood 2014): any seed will do, 0 included. */
uint64_t test_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

uint64_t test_below(uint64_t *state, uint64_t n)
{
	return test_random(state) % n;
}

static unsigned char pattern(uint64_t tag, size_t i)
{
	return (unsigned char)((tag + 1) * 167 + i * 31 + (i >> 8));
}

void test_fill(void *p, size_t size, uint64_t tag)
{
	unsigned char *bytes = p;

	for (size_t i = 0; i < size; i++)
		bytes[i] = pattern(tag, i);
}

const void *test_changed(const void *p, size_t size, uint64_t tag)
{
	const unsigned char *bytes = p;

	for (size_t i = 0; i < size; i++)
		if (bytes[i] != pattern(tag, i))
			return bytes + i;
	return NULL;
}

void test_fail(const char *file, int line, const char *what)
{
	fflush(stdout);
	fprintf(stderr, "%s:%d: failed: %s\n", file, line, what);
	abort();
}

/* --------------------------------------------------------------- a machine */

static kmem_phys_t page_down(kmem_phys_t x)
{
	return x & ~(kmem_phys_t)(PAGE - 1);
}

static kmem_phys_t page_up(kmem_phys_t x)
{
	return page_down(x + PAGE - 1);
}

int test_map(const struct test_range *map, size_t n)
{
	int error = KMEM_OK;

	kmem_reset();
	for (size_t i = 0; i < n && !error; i++)
		error = kmem_add_region(map[i].start, map[i].end - map[i].start,
					map[i].type, map[i].node);
	return error;
}

static bool is_memory(const struct test_range *r)
{
	return (r->type == KMEM_REGION_USABLE ||
		r->type == KMEM_REGION_LATER) && r->start < r->end;
}

/* Address space from the lowest to the highest byte of memory, and memory for
 * these ranges only. */
static void back_map(const struct test_range *map, size_t n)
{
	kmem_phys_t low = ~(kmem_phys_t)0, high = 0;

	for (size_t i = 0; i < n; i++) {
		if (!is_memory(&map[i]))
			continue;
		if (map[i].start < low)
			low = page_down(map[i].start);
		if (map[i].end > high)
			high = page_up(map[i].end);
	}
	if (high <= low)
		return;
	REQUIRE(host_memory_reserve(low, high));
	for (size_t i = 0; i < n; i++)
		if (is_memory(&map[i]))
			REQUIRE(host_memory_back(page_down(map[i].start),
						 page_up(map[i].end)));
}

int test_start(const struct test_range *map, size_t n,
	       const struct kmem_params *params)
{
	struct kmem_params p = { .nr_cpus = 1 };

	if (params)
		p = *params;
	back_map(map, n);
	if (!p.debug)
		p.debug = getenv("KMEM_CACHES");
	p.virt_offset = host_virt_offset();
	return kmem_init(&p);
}

int test_machine(const struct test_range *map, size_t n,
		 const struct kmem_params *params)
{
	int error = test_map(map, n);

	return error ? error : test_start(map, n, params);
}

struct cache_set {
	struct kmem_cache *cache[512];
	unsigned nr;
};

static bool collect_cache(struct kmem_cache *s, void *arg)
{
	struct cache_set *set = arg;

	REQUIRE(set->nr < KMEM_ARRAY_SIZE(set->cache));
	set->cache[set->nr++] = s;
	return true;
}

void test_drain(unsigned nr_cpus)
{
	struct cache_set set = { .nr = 0 };

	kmem_for_each_cache(collect_cache, &set);
	for (unsigned cpu = nr_cpus; cpu-- > 0;) {
		host_cpu_set(cpu);
		for (unsigned i = 0; i < set.nr; i++)
			kmem_cache_shrink(set.cache[i]);
	}
	/* Only now: the slabs that were freed may sit in page magazines. */
	for (unsigned cpu = nr_cpus; cpu-- > 0;) {
		host_cpu_set(cpu);
		drain_pages();
	}
}

static void print_violation(void *ctx, const char *line)
{
	(void)ctx;
	fprintf(stderr, "kmem_check_all: %s\n", line);
}

size_t test_violations(void)
{
	return kmem_check_all(print_violation, NULL);
}

bool test_zone(const char *name, int node, struct kmem_zone_stats *st)
{
	for (unsigned i = 0; kmem_zone_stats(i, st); i++)
		if (!strcmp(st->name, name) && st->node == node)
			return true;
	return false;
}

static bool add_slab_bytes(struct kmem_cache *s, void *arg)
{
	struct kmem_cache_stats st;

	kmem_cache_stats(s, &st);
	*(size_t *)arg += st.slab_bytes;
	return true;
}

size_t test_pages(void)
{
	size_t bytes = 0;

	kmem_for_each_cache(add_slab_bytes, &bytes);
	return nr_free_pages() +
	       (bytes + kmem_internal_bytes()) / KMEM_PAGE_SIZE;
}

static bool add_live(struct kmem_cache *s, void *arg)
{
	struct kmem_cache_stats st;

	kmem_cache_stats(s, &st);
	*(size_t *)arg += st.live;
	return true;
}

size_t test_live_objects(void)
{
	size_t n = 0;

	kmem_for_each_cache(add_live, &n);
	return n;
}

/* ------------------------------------------------------------ a tiny RCU */

static struct rcu_head *rcu_queued;	/* since the last grace period began */

void test_call_rcu(void *ctx, struct rcu_head *head,
		   void (*fn)(struct rcu_head *head))
{
	(void)ctx;
	head->func = fn;
	head->next = rcu_queued;
	rcu_queued = head;
}

void test_grace_period(void)
{
	struct rcu_head *head = rcu_queued, *next;

	rcu_queued = NULL;
	for (; head; head = next) {
		next = head->next;
		head->func(head);
	}
}

bool test_rcu_waits(void)
{
	return rcu_queued;
}

void test_rcu_forget(void)
{
	rcu_queued = NULL;
}

/* ----------------------------------------------- what kmem had to complain */

#define KEPT	64

static struct {
	char text[KEPT][256];
	unsigned nr;
} panics, logged;

static void keep(char text[256], const char *line)
{
	snprintf(text, 256, "%s", line);
}

static void record_panic(const char *reason)
{
	unsigned i = __atomic_fetch_add(&panics.nr, 1, __ATOMIC_RELAXED);

	if (i < KEPT)
		keep(panics.text[i], reason);
}

void test_panics_record(void)
{
	test_panics_clear();
	host_on_panic(record_panic);
}

void test_panics_abort(void)
{
	host_on_panic(NULL);
	test_panics_clear();
}

unsigned test_panics(void)
{
	return __atomic_load_n(&panics.nr, __ATOMIC_RELAXED);
}

const char *test_panic(unsigned nth)
{
	return nth < test_panics() && nth < KEPT ? panics.text[nth] : "";
}

void test_panics_clear(void)
{
	panics.nr = 0;
}

static bool has(const char *text, const char *word)
{
	return !word || strstr(text, word);
}

bool test_panicked(const void *addr, const char *word, const char *word2)
{
	char hex[32] = "";
	bool ok;

	if (addr)
		snprintf(hex, sizeof(hex), "%" PRIxPTR, (uintptr_t)addr);
	ok = test_panics() == 1 && has(test_panic(0), hex) &&
	     has(test_panic(0), word) && has(test_panic(0), word2);
	if (!ok) {
		fprintf(stderr, "expected one panic with \"%s\" \"%s\" \"%s\", "
			"got %u:\n", hex, word ? word : "", word2 ? word2 : "",
			test_panics());
		for (unsigned i = 0; i < test_panics() && i < KEPT; i++)
			fprintf(stderr, "\t%s\n", test_panic(i));
	}
	test_panics_clear();
	return ok;
}

void test_log(void *ctx, const char *line)
{
	(void)ctx;
	if (logged.nr < KEPT)
		keep(logged.text[logged.nr], line);
	logged.nr++;
}

void test_log_clear(void)
{
	logged.nr = 0;
}

unsigned test_log_lines(void)
{
	return logged.nr;
}

bool test_logged(const char *words)
{
	for (unsigned i = 0; i < logged.nr && i < KEPT; i++)
		if (strstr(logged.text[i], words))
			return true;
	fprintf(stderr, "no log line with \"%s\" among %u:\n", words,
		logged.nr);
	for (unsigned i = 0; i < logged.nr && i < KEPT; i++)
		fprintf(stderr, "\t%s\n", logged.text[i]);
	return false;
}
