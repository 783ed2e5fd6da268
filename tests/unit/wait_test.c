// SPDX-License-Identifier: MIT
/*
 * tests/unit/wait_test.c - requests that sleep until memory comes free, and
 * mempools: threads as CPUs, condition variables as the kernel's wait queue.
 * A wake-up that is missed is a test that does not end; sleeping has no time
 * limit here, but the process has.
 */
#include <pthread.h>
#include <unistd.h>

#include "unit.h"
#include "kmem_arch.h"

#define QUIET	__GFP_NOWARN

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t queue = PTHREAD_COND_INITIALIZER;
static unsigned sleeping;	/* under lock */
static unsigned waits, wakes;

static void hook_wait(void *ctx, const struct kmem_pressure *p)
{
	(void)ctx;
	pthread_mutex_lock(&lock);
	waits++;
	sleeping++;
	while (!kmem_woken(p))
		pthread_cond_wait(&queue, &lock);
	sleeping--;
	pthread_mutex_unlock(&lock);
}

/* As an interrupt-masked wake-up in a kernel would be. */
static void hook_wake(void *ctx)
{
	uintptr_t irq = kmem_arch_irq_save();

	(void)ctx;
	pthread_mutex_lock(&lock);
	wakes++;
	pthread_cond_broadcast(&queue);
	pthread_mutex_unlock(&lock);
	kmem_arch_irq_restore(irq);
}

static const struct kmem_hooks hooks = {
	.log = test_log, .wait = hook_wait, .wake = hook_wake,
	.run_on_cpu = host_run_on_cpu,
};

static const struct test_range map[] = {
	{ 1 * MIB, 41 * MIB, KMEM_REGION_USABLE, KMEM_NO_NODE },
};

static void start(const struct kmem_hooks *h)
{
	struct kmem_params p = { .nr_cpus = 4, .hooks = h };

	host_cpu_set(0);
	assert_int_equal(test_machine(map, 1, &p), KMEM_OK);
}

static int setup(void **state)
{
	(void)state;
	waits = wakes = 0;
	start(&hooks);
	test_panics_record();
	test_log_clear();
	alarm(120);
	return 0;
}

static void until_somebody_sleeps(void)
{
	for (;;) {
		bool yes;

		pthread_mutex_lock(&lock);
		yes = sleeping > 0;
		pthread_mutex_unlock(&lock);
		if (yes)
			return;
		sched_yield();
	}
}

/* ------------------------------------------------------------- no memory */

static struct page *pages[16384];
static size_t nr_pages;

/* Down to what these flags leave. */
static void take_all_pages(gfp_t gfp)
{
	struct page *p;

	nr_pages = 0;
	while ((p = alloc_page(gfp | QUIET)))
		pages[nr_pages++] = p;
}

static void free_pages_again(void)
{
	while (nr_pages)
		__free_pages(pages[--nr_pages], 0);
}

static unsigned rounds;

static void sleeper_of_pages(void)
{
	for (unsigned i = 0; i < rounds; i++) {
		struct page *p = alloc_page(GFP_KERNEL | __GFP_NOFAIL);

		REQUIRE(p);
		pages[__atomic_fetch_add(&nr_pages, 1, __ATOMIC_RELAXED)] = p;
		pthread_mutex_lock(&lock);
		pthread_cond_broadcast(&queue);
		pthread_mutex_unlock(&lock);
	}
}

/* CPU 0 sleeps for a page, thousands of times; CPU 1 frees one, by which the
 * page ends in its magazine, and does nothing more until that was taken. */
static void page_by_page(unsigned cpu, void *arg)
{
	(void)arg;
	if (cpu == 0) {
		sleeper_of_pages();
		return;
	}
	for (unsigned i = 0; i < rounds; i++) {
		size_t n;

		until_somebody_sleeps();
		n = __atomic_fetch_sub(&nr_pages, 1, __ATOMIC_RELAXED);
		__free_pages(pages[n - 1], 0);
		while (__atomic_load_n(&nr_pages, __ATOMIC_RELAXED) < n)
			sched_yield();
	}
}

static void test_no_wake_up_is_lost(void **state)
{
	(void)state;
	take_all_pages(GFP_NOWAIT);
	rounds = test_scaled(5000);
	host_run_cpus(2, page_by_page, NULL);
	free_pages_again();
}

static struct kmem_cache *cache;
static void *objs[65536];
static size_t nr_objs;

/* The same with objects of a cache at its bound: it is the slab that must
 * tell, since no page comes free. */
static void object_by_object(unsigned cpu, void *arg)
{
	(void)arg;
	for (unsigned i = 0; i < rounds; i++) {
		if (cpu == 0) {
			void *p = kmem_cache_alloc(cache, GFP_KERNEL |
						   __GFP_NOFAIL);

			REQUIRE(p);
			objs[__atomic_load_n(&nr_objs, __ATOMIC_RELAXED)] = p;
			__atomic_fetch_add(&nr_objs, 1, __ATOMIC_RELEASE);
		} else {
			size_t n;

			until_somebody_sleeps();
			n = __atomic_fetch_sub(&nr_objs, 1, __ATOMIC_ACQUIRE);
			kmem_cache_free(cache, objs[n - 1]);
			while (__atomic_load_n(&nr_objs, __ATOMIC_ACQUIRE) < n)
				sched_yield();
		}
	}
}

static void test_no_wake_up_is_lost_at_a_bound(void **state)
{
	(void)state;
	cache = kmem_cache_create("bound", 100, 0, 0, NULL);
	kmem_cache_set_max(cache, 200);
	nr_objs = 0;
	while ((objs[nr_objs] = kmem_cache_alloc(cache, GFP_KERNEL)))
		nr_objs++;
	assert_true(nr_objs >= 200 && nr_objs < 300);
	rounds = test_scaled(5000);
	host_run_cpus(2, object_by_object, NULL);
	while (nr_objs)
		kmem_cache_free(cache, objs[--nr_objs]);
	kmem_cache_destroy(cache);
}

/* Nobody waits: no call of the wake hook. And a slow sleeper is awake by one
 * free, of a page in a magazine that had room. */
static void one_sleeps(unsigned cpu, void *arg)
{
	(void)arg;
	if (cpu == 0) {
		pages[nr_pages] = alloc_page(GFP_KERNEL | __GFP_NOFAIL);
		REQUIRE(pages[nr_pages]);
		nr_pages++;
	} else {
		until_somebody_sleeps();
		__free_pages(arg, 0);
	}
}

static void test_one_free_wakes(void **state)
{
	(void)state;
	take_all_pages(GFP_NOWAIT);
	free_pages_again();
	assert_int_equal(wakes, 0);
	take_all_pages(GFP_NOWAIT);
	nr_pages--;
	host_run_cpus(2, one_sleeps, pages[nr_pages]);
	assert_true(waits >= 1 && wakes >= 1);
	free_pages_again();
}

static struct shrinker *busy;
static unsigned scans;

static unsigned long some(struct shrinker *s, struct shrink_control *sc)
{
	(void)s;
	(void)sc;
	return 1000;
}

static unsigned long until_its_end_is_awaited(struct shrinker *s,
					      struct shrink_control *sc)
{
	(void)s;
	(void)sc;
	if (!__atomic_exchange_n(&scans, 1, __ATOMIC_RELEASE))
		until_somebody_sleeps();
	return SHRINK_STOP;
}

static void one_ends_a_shrinker(unsigned cpu, void *arg)
{
	struct page *page;

	(void)arg;
	if (cpu == 0) {
		page = alloc_page(GFP_KERNEL | __GFP_NORETRY | QUIET);
		REQUIRE(__atomic_load_n(&scans, __ATOMIC_ACQUIRE));
		/* the page that the shrinker lay in, if its end was quick */
		if (page)
			__free_page(page);
		return;
	}
	while (!__atomic_load_n(&scans, __ATOMIC_ACQUIRE))
		sched_yield();
	shrinker_free(busy);
}

/* shrinker_free() sleeps while the shrinker runs, and no memory comes free that
 * would wake it. */
static void test_end_of_a_shrinker(void **state)
{
	(void)state;
	scans = 0;
	busy = shrinker_alloc(0, "busy");
	assert_non_null(busy);
	busy->count_objects = some;
	busy->scan_objects = until_its_end_is_awaited;
	shrinker_register(busy);
	take_all_pages(GFP_NOWAIT);
	host_run_cpus(2, one_ends_a_shrinker, NULL);
	free_pages_again();
}

/* -------------------------------------------------------------- exhaustion */

static size_t highest_blocks(void)
{
	struct kmem_zone_stats st;
	size_t n = 0;

	for (unsigned i = 0; kmem_zone_stats(i, &st); i++)
		n += st.nr_free[KMEM_MAX_ORDER];
	return n;
}

/* All memory is taken; GFP_ATOMIC still gets what is kept for it, an ordinary
 * request does not; all freed, the highest orders are as they were. */
static void test_exhaustion(void **state)
{
	size_t before, blocks, ordinary;

	(void)state;
	kmem_trim(KMEM_DRAIN);
	before = nr_free_pages();
	blocks = highest_blocks();
	for (nr_pages = 0; (pages[nr_pages] = alloc_page(GFP_NOWAIT | QUIET));)
		nr_pages++;
	ordinary = nr_pages;
	assert_null(alloc_page(GFP_KERNEL | __GFP_NORETRY | QUIET));
	while ((pages[nr_pages] = alloc_page(GFP_ATOMIC | QUIET)))
		nr_pages++;
	assert_true(nr_pages > ordinary + 4);
	assert_null(alloc_page(GFP_ATOMIC | QUIET));
	free_pages_again();
	kmem_trim(KMEM_DRAIN);
	assert_int_equal(nr_free_pages(), before);
	assert_int_equal(highest_blocks(), blocks);
}

static unsigned ooms;
static bool hook_oom(void *ctx, const struct kmem_pressure *p)
{
	(void)ctx;
	(void)p;
	ooms++;
	return false;
}

/* __GFP_RETRY_MAYFAIL fails rather than have somebody killed. */
static void test_retry_mayfail(void **state)
{
	static const struct kmem_hooks oom = {
		.log = test_log, .out_of_memory = hook_oom,
	};

	(void)state;
	start(&oom);
	ooms = 0;
	take_all_pages(GFP_NOWAIT);
	assert_null(alloc_page(GFP_KERNEL | __GFP_RETRY_MAYFAIL | QUIET));
	assert_int_equal(ooms, 0);
	assert_null(alloc_page(GFP_KERNEL | QUIET));
	assert_int_equal(ooms, 1);
	free_pages_again();
}

/* ---------------------------------------------------------------- mempools */

/* Four threads with one element each to get on, two in the reserve, and no
 * memory at all: everybody gets on. */
static void user(unsigned cpu, void *arg)
{
	mempool_t *pool = arg;

	for (unsigned i = 0; i < rounds; i++) {
		unsigned char *p = mempool_alloc(pool, GFP_KERNEL);

		REQUIRE(p);
		memset(p, (int)cpu, 300);
		if (i % 16 == 0)
			sched_yield();
		REQUIRE(!p[0] || p[299] == cpu);
		mempool_free(p, pool);
	}
}

static void test_forward_progress(void **state)
{
	struct kmem_cache *s = kmem_cache_create("element", 300, 0, 0, NULL);
	mempool_t *pool;
	void *first, *second;

	(void)state;
	pool = mempool_create_slab_pool(2, s);
	assert_non_null(pool);
	take_all_pages(GFP_ATOMIC);
	for (nr_objs = 0; (objs[nr_objs] = kmem_cache_alloc(s, GFP_ATOMIC |
							    QUIET));)
		nr_objs++;
	first = mempool_alloc(pool, GFP_NOWAIT);
	second = mempool_alloc(pool, GFP_ATOMIC);
	assert_true(first && second);
	assert_null(mempool_alloc(pool, GFP_ATOMIC));
	mempool_free(first, pool);
	mempool_free(second, pool);
	assert_true(mempool_is_saturated(pool));
	rounds = test_scaled(3000);
	host_run_cpus(4, user, pool);
	assert_true(mempool_is_saturated(pool));
	while (nr_objs)
		kmem_cache_free(s, objs[--nr_objs]);
	free_pages_again();
	mempool_destroy(pool);
	kmem_cache_destroy(s);
}

/* Nothing to wait with: a report, and NULL. */
static void test_mempool_without_a_wait_hook(void **state)
{
	static const struct kmem_hooks none = { .log = test_log };
	mempool_t pool;
	void *p;

	(void)state;
	start(&none);
	assert_int_equal(mempool_init_page_pool(&pool, 1, 0), 0);
	take_all_pages(GFP_ATOMIC);
	p = mempool_alloc(&pool, GFP_KERNEL);
	assert_non_null(p);
	assert_no_panic();
	assert_null(mempool_alloc(&pool, GFP_KERNEL));
	assert_panicked(NULL, "no memory", "wait hook");
	mempool_free(p, &pool);
	free_pages_again();
	mempool_exit(&pool);
	assert_false(mempool_initialized(&pool));
	mempool_exit(&pool);
}

static unsigned made, asked, failing;
static bool short_of_memory;

static void *my_alloc(gfp_t gfp, void *data)
{
	assert_ptr_equal(data, &made);
	asked++;
	if (failing && !--failing)
		return NULL;
	if (short_of_memory && !(gfp & __GFP_DIRECT_RECLAIM))
		return NULL;
	made++;
	return kmalloc(24, gfp & ~__GFP_DIRECT_RECLAIM);
}

static void my_free(void *element, void *data)
{
	assert_ptr_equal(data, &made);
	made--;
	kfree(element);
}

/* The reserve comes before reclaim, and reclaim after it; who may not reclaim
 * asks once. */
static void test_mempool_order(void **state)
{
	mempool_t pool;
	void *e[2];

	(void)state;
	made = failing = 0;
	assert_int_equal(mempool_init(&pool, 1, my_alloc, my_free, &made), 0);
	short_of_memory = true;
	asked = 0;
	e[0] = mempool_alloc(&pool, GFP_KERNEL);
	assert_int_equal(asked, 1);
	assert_int_equal(pool.curr_nr, 0);
	assert_null(mempool_alloc(&pool, GFP_NOWAIT));
	assert_int_equal(asked, 2);
	e[1] = mempool_alloc(&pool, GFP_KERNEL);
	assert_non_null(e[1]);
	assert_int_equal(asked, 4);
	short_of_memory = false;
	mempool_free(e[0], &pool);
	mempool_free(e[1], &pool);
	mempool_exit(&pool);
	assert_int_equal(made, 0);
}

/* Elements are counted: none is lost or made too many, by any call that fails
 * half way. */
static void test_mempool_counts(void **state)
{
	mempool_t *pool, bad;
	void *e[6];

	(void)state;
	made = 0;
	failing = 3;
	assert_null(mempool_create(4, my_alloc, my_free, &made));
	assert_int_equal(made, 0);
	assert_int_equal(mempool_init(&bad, -1, my_alloc, my_free, &made),
			 KMEM_EINVAL);
	assert_int_equal(mempool_init(&bad, 1, NULL, my_free, &made),
			 KMEM_EINVAL);
	mempool_exit(&bad);

	pool = mempool_create(4, my_alloc, my_free, &made);
	assert_non_null(pool);
	assert_int_equal(made, 4);
	asked = 0;
	assert_int_equal(mempool_resize(pool, 2), 0);
	assert_int_equal(made, 2);
	assert_int_equal(asked, 0);	/* nor was one freed too many */
	failing = 2;
	assert_int_equal(mempool_resize(pool, 5), KMEM_ENOMEM);
	assert_int_equal(pool->min_nr, 5);
	assert_int_equal(made, 3);
	assert_int_equal(mempool_resize(pool, 5), 0);
	assert_int_equal(made, 5);
	assert_int_equal(mempool_resize(pool, 0), KMEM_EINVAL);
	for (unsigned i = 0; i < 6; i++)
		assert_non_null(e[i] = mempool_alloc(pool, GFP_KERNEL |
						     __GFP_ZERO));
	assert_int_equal(made, 11);	/* the allocator is asked first */
	failing = 1;
	kfree(e[0]);
	made--;
	e[0] = mempool_alloc(pool, GFP_NOWAIT);	/* then the reserve */
	assert_non_null(e[0]);
	assert_int_equal(pool->curr_nr, 4);
	for (unsigned i = 0; i < 6; i++)
		mempool_free(e[i], pool);
	mempool_free(NULL, pool);
	assert_int_equal(pool->curr_nr, 5);
	assert_int_equal(made, 5);
	mempool_destroy(pool);
	mempool_destroy(NULL);
	assert_int_equal(made, 0);
}

/* What is freed twice, or is no element, must not get into the reserve. */
static void test_mempool_misuse(void **state)
{
	struct kmem_cache *s = kmem_cache_create("element", 64, 0, 0, NULL);
	mempool_t *pool = mempool_create_slab_pool(3, s);
	mempool_t *kpool = mempool_create_kmalloc_pool(1, 100);
	char *a, *b, *c;

	(void)state;
	assert_true(pool && kpool);
	a = mempool_alloc_preallocated(pool);
	b = mempool_alloc_preallocated(pool);
	mempool_free(a, pool);
	mempool_free(a, pool);
	assert_panicked(a, "double free", "reserve");
	mempool_free(b + 8, pool);
	assert_panicked(b + 8, "not the start", NULL);
	kmem_cache_free(s, b);
	mempool_free(b, pool);
	assert_panicked(b, "double free", NULL);
	c = mempool_alloc_preallocated(kpool);
	mempool_free(c, pool);
	assert_panicked(c, "is of cache", NULL);
	mempool_free(c, kpool);
	assert_ptr_equal(a, mempool_alloc_preallocated(pool));
	mempool_destroy(kpool);

	mempool_destroy(pool);
	kmem_cache_free(s, a);
	kmem_cache_destroy(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_one_free_wakes),
		CASE(test_end_of_a_shrinker),
		CASE(test_no_wake_up_is_lost),
		CASE(test_no_wake_up_is_lost_at_a_bound),
		CASE(test_exhaustion),
		CASE(test_retry_mayfail),
		CASE(test_forward_progress),
		CASE(test_mempool_without_a_wait_hook),
		CASE(test_mempool_order),
		CASE(test_mempool_counts),
		CASE(test_mempool_misuse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
