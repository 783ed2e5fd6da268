// SPDX-License-Identifier: MIT
/*
 * tests/unit/trim_test.c - kmem_trim(): what kmem holds for nobody goes back,
 * to the last page.
 */
#include "unit.h"
#include "kmem_arch.h"

#define CPUS	4
#define CACHES	24

/* Stands for an inter-processor interrupt to a CPU that is idle. */
static void run_on_cpu(void *ctx, unsigned cpu, void (*fn)(void *), void *arg)
{
	unsigned here = kmem_arch_cpu();

	(void)ctx;
	host_cpu_set(cpu);
	fn(arg);
	host_cpu_set(here);
}

static const struct kmem_hooks hooks = {
	.log = test_log, .run_on_cpu = run_on_cpu,
};

static const struct test_range map[] = {
	{ 1 * MIB, 65 * MIB, KMEM_REGION_USABLE, KMEM_NO_NODE },
};

static void start(const struct kmem_hooks *h)
{
	struct kmem_params p = { .nr_cpus = CPUS, .hooks = h };

	host_cpu_set(0);
	assert_int_equal(test_machine(map, 1, &p), KMEM_OK);
}

static int setup(void **state)
{
	(void)state;
	start(&hooks);
	test_panics_record();
	test_log_clear();
	return 0;
}

/* ------------------------------------------------------- a varied workload */

enum { SLOTS = 512 };

struct work {
	struct kmem_cache *cache[CACHES];
	void *obj[CPUS][SLOTS];
	int kind[CPUS][SLOTS];	/* cache; CACHES: kmalloc; more: pages */
	unsigned turns;
};

static void put(struct work *w, unsigned cpu, unsigned i)
{
	int kind = w->kind[cpu][i];

	if (kind < CACHES)
		kmem_cache_free(w->cache[kind], w->obj[cpu][i]);
	else if (kind == CACHES)
		kfree(w->obj[cpu][i]);
	else
		__free_pages(w->obj[cpu][i], (unsigned)(kind - CACHES - 1));
	w->obj[cpu][i] = NULL;
}

static void get(struct work *w, unsigned cpu, unsigned i, uint64_t *rnd)
{
	int kind = (int)test_below(rnd, CACHES + 8);
	void *p;

	if (kind < CACHES)
		p = kmem_cache_alloc(w->cache[kind], GFP_NOWAIT);
	else if (kind == CACHES)
		p = kmalloc((size_t)test_below(rnd, 20000), GFP_NOWAIT);
	else
		p = alloc_pages(GFP_NOWAIT, (unsigned)(kind - CACHES - 1));
	w->obj[cpu][i] = p == ZERO_SIZE_PTR ? NULL : p;
	w->kind[cpu][i] = kind;
}

static void work(unsigned cpu, void *arg)
{
	struct work *w = arg;
	uint64_t rnd = cpu + 1;

	for (unsigned turn = 0; turn < w->turns; turn++) {
		unsigned i = (unsigned)test_below(&rnd, SLOTS);

		if (w->obj[cpu][i])
			put(w, cpu, i);
		else
			get(w, cpu, i, &rnd);
	}
}

static void make_caches(struct work *w)
{
	for (unsigned k = 0; k < CACHES; k++) {
		char name[16];

		snprintf(name, sizeof(name), "trim-%u", k);
		w->cache[k] = kmem_cache_create(name, 8 + k * k * 13, 0,
						SLAB_NO_MERGE, NULL);
		assert_non_null(w->cache[k]);
	}
}

/* All that the CPUs hold, each freed on the next CPU. */
static void free_all(struct work *w)
{
	for (unsigned cpu = 0; cpu < CPUS; cpu++) {
		host_cpu_set((cpu + 1) % CPUS);
		for (unsigned i = 0; i < SLOTS; i++)
			if (w->obj[cpu][i])
				put(w, cpu, i);
	}
	host_cpu_set(0);
}

static void destroy_caches(struct work *w)
{
	for (unsigned k = 0; k < CACHES; k++)
		kmem_cache_destroy(w->cache[k]);
}

static struct work w;

/*
 * A kernel counts free pages, runs a test on four CPUs that creates caches,
 * allocates from them, from kmalloc() and pages of all orders, frees it all on
 * other CPUs and destroys the caches; then it drains and counts again. What
 * could be missing: objects and pages in magazines, empty slabs, the magazines
 * themselves, slot arrays, cache descriptors.
 */
static void test_free_pages_equal_after_a_drain(void **state)
{
	size_t before = nr_free_pages();

	(void)state;
	for (unsigned round = 0; round < 3; round++) {
		make_caches(&w);
		w.turns = test_scaled(40000);
		host_run_cpus(CPUS, work, &w);
		assert_sound();
		free_all(&w);
		assert_sound();
		destroy_caches(&w);
		assert_true(nr_free_pages() < before);
		kmem_trim(KMEM_DRAIN_CPU);
		assert_int_equal(nr_free_pages(), before);
		assert_sound();
	}
}

/* The same with caches that stay, objects that stay, and CPUs whose magazines
 * have been in use before: drained before and after, the count is the same. */
static void test_equal_with_a_busy_system(void **state)
{
	struct kmem_cache *mine;
	void *obj[300];
	size_t before;

	(void)state;
	make_caches(&w);
	w.turns = test_scaled(40000);
	host_run_cpus(CPUS, work, &w);
	kmem_trim(KMEM_DRAIN_CPU);
	before = nr_free_pages();

	mine = kmem_cache_create("mine", 40, 0, 0, NULL);
	for (unsigned i = 0; i < 300; i++)
		assert_non_null(obj[i] = kmem_cache_alloc(mine, GFP_KERNEL));
	for (unsigned i = 0; i < 300; i++) {
		host_cpu_set(i % CPUS);
		kmem_cache_free(mine, obj[i]);
	}
	host_cpu_set(0);
	kmem_cache_destroy(mine);
	kmem_trim(KMEM_DRAIN_CPU);
	assert_int_equal(nr_free_pages(), before);

	free_all(&w);
	destroy_caches(&w);
}

/* KMEM_DRAIN does without other CPUs: theirs is what is still missing, and it
 * comes back when each has drained itself. */
static void test_drain_is_this_cpu(void **state)
{
	static const struct kmem_hooks none = { .log = test_log };
	void *obj[CPUS];
	size_t before;

	(void)state;
	start(&none);
	before = nr_free_pages();
	for (unsigned cpu = 0; cpu < CPUS; cpu++) {
		host_cpu_set(cpu);
		assert_non_null(obj[cpu] = kmalloc(64, GFP_KERNEL));
		kfree(obj[cpu]);
	}
	host_cpu_set(0);
	kmem_trim(KMEM_DRAIN);
	assert_true(nr_free_pages() < before);
	for (unsigned cpu = 0; cpu < CPUS; cpu++) {
		host_cpu_set(cpu);
		kmem_trim(KMEM_DRAIN);
	}
	host_cpu_set(0);
	kmem_trim(KMEM_DRAIN);
	assert_int_equal(nr_free_pages(), before);
}

/* What a trim returns has come free. */
static void test_trim_says_how_much(void **state)
{
	size_t before, freed;

	(void)state;
	assert_int_equal(kmem_trim(KMEM_DRAIN_CPU), 0);
	make_caches(&w);
	w.turns = test_scaled(40000);
	host_run_cpus(CPUS, work, &w);
	free_all(&w);
	before = nr_free_pages();
	freed = kmem_trim(KMEM_DRAIN_CPU);
	assert_true(freed > 0);
	assert_int_equal(nr_free_pages(), before + freed);
	destroy_caches(&w);
}

static size_t slabs_of(struct kmem_cache *s)
{
	struct kmem_cache_stats st;

	kmem_cache_stats(s, &st);
	return st.slabs;
}

/* A trim leaves what may be needed again, a part at least, which a drain takes;
 * a cache that has come to rest is down to nearly nothing after a few. */
static void test_trim_follows_the_working_set(void **state)
{
	enum { N = 4000 };
	static void *obj[N];
	struct kmem_cache *s = kmem_cache_create("set", 256, 0, 0, NULL);

	(void)state;
	for (unsigned turn = 0; turn < 20; turn++) {
		for (unsigned i = 0; i < N; i++)
			assert_non_null(obj[i] = kmem_cache_alloc(s,
								  GFP_KERNEL));
		for (unsigned i = 0; i < N; i++)
			kmem_cache_free(s, obj[i]);
	}
	kmem_trim(KMEM_TRIM);
	assert_true(slabs_of(s) > 4);
	for (unsigned i = 0; i < 16; i++)
		kmem_trim(KMEM_TRIM);
	assert_true(slabs_of(s) <= 2);
	assert_sound();
	kmem_trim(KMEM_DRAIN);
	assert_int_equal(slabs_of(s), 0);
	kmem_cache_destroy(s);
}

/* Blocks of that order in magazines and depots. */
static size_t pages_held(unsigned order)
{
	struct kmem_zone_stats z;
	size_t n = 0;

	for (unsigned i = 0; kmem_zone_stats(i, &z); i++)
		n += z.order[order].in_cpus + z.order[order].in_depot;
	return n;
}

static void hold_pages(unsigned order)
{
	struct page *page[24];

	for (unsigned i = 0; i < KMEM_ARRAY_SIZE(page); i++)
		assert_non_null(page[i] = alloc_pages(GFP_KERNEL, order));
	for (unsigned i = 0; i < KMEM_ARRAY_SIZE(page); i++)
		__free_pages(page[i], order);
	assert_true(pages_held(order) > 0);
}

/* Pages in magazines go back when nobody needs them: by a few trims, and while
 * caches grow, which need other pages. */
static void test_idle_pages_go_too(void **state)
{
	enum { N = 6000 };
	static void *obj[N];
	struct kmem_cache *s = kmem_cache_create("grows", 2048, 0, 0, NULL);
	unsigned n = 0;

	(void)state;
	hold_pages(2);
	for (unsigned i = 0; i < 4; i++)
		kmem_trim(KMEM_TRIM);
	assert_int_equal(pages_held(2), 0);
	hold_pages(2);
	while (n < N && pages_held(2))
		assert_non_null(obj[n++] = kmem_cache_alloc(s, GFP_KERNEL));
	assert_int_equal(pages_held(2), 0);
	while (n)
		kmem_cache_free(s, obj[--n]);
	kmem_cache_destroy(s);
}

static struct kmem_layer_stats layer_of(struct kmem_cache *s)
{
	struct kmem_cache_stats st;

	kmem_cache_stats(s, &st);
	return st.layer;
}

static void use(struct kmem_cache *s)
{
	void *p = kmem_cache_alloc(s, GFP_KERNEL);

	assert_non_null(p);
	kmem_cache_free(s, p);
}

/* Objects of `grows`, until a cache that this CPU has used but once has no more
 * than so many magazines; another one is in use all the time, and keeps its own.
 * Return: how many objects. */
static unsigned grown_until_idle(struct kmem_cache *idle, size_t magazines,
				 struct kmem_cache *grows,
				 struct kmem_cache *used, void **obj,
				 unsigned most)
{
	unsigned n = 0;

	use(idle);
	assert_true(layer_of(idle).magazines > magazines);
	while (n < most && layer_of(idle).magazines > magazines) {
		use(used);
		assert_non_null(obj[n++] = kmem_cache_alloc(grows, GFP_KERNEL));
	}
	assert_int_equal(layer_of(idle).magazines, magazines);
	assert_true(layer_of(used).magazines > 0);
	return n;
}

/* While slabs grow, a CPU gives up the magazines that it does not use, but not
 * those of another CPU; soon where there is little memory in slabs, later where
 * there is much. */
static void test_idle_magazines_go_first(void **state)
{
	enum { MOST = 2000, MUCH = 20000 };
	static void *obj[MUCH + MOST];
	struct kmem_cache *idle, *grows, *used;
	unsigned n, few, many;

	(void)state;
	if (KMEM_HARDEN)
		skip();			/* what has a quarantine is left alone */
	idle = kmem_cache_create("idle", 100, 0, SLAB_NO_MERGE, NULL);
	grows = kmem_cache_create("grows", 2048, 0, SLAB_NO_MERGE, NULL);
	used = kmem_cache_create("used", 100, 0, SLAB_NO_MERGE, NULL);
	for (unsigned i = 0; i < 1000; i++)
		assert_non_null(obj[i] = kmem_cache_alloc(idle, GFP_KERNEL));
	for (unsigned i = 0; i < 1000; i++)
		kmem_cache_free(idle, obj[i]);
	kmem_trim(KMEM_DRAIN);
	assert_int_equal(layer_of(idle).magazines, 0);
	host_cpu_set(1);
	use(idle);
	host_cpu_set(0);
	few = grown_until_idle(idle, 1, grows, used, obj, MOST);
	n = few;
	while (n < MUCH)
		assert_non_null(obj[n++] = kmem_cache_alloc(grows, GFP_KERNEL));
	many = grown_until_idle(idle, 1, grows, used, obj + n, MOST);
	print_message("idle after %u objects, and after %u\n", few, many);
	assert_true(few < 200);
	assert_true(many > few);
	for (n += many; n; )
		kmem_cache_free(grows, obj[--n]);
	kmem_cache_destroy(idle);
	kmem_cache_destroy(grows);
	kmem_cache_destroy(used);
}

/* A cache that has to grow for each object is in use, though its magazines give
 * none. */
static void test_who_grows_is_not_idle(void **state)
{
	static void *obj[60];
	struct kmem_cache *s = kmem_cache_create("one-a-slab", 20000, 0,
						 SLAB_NO_MERGE, NULL);

	(void)state;
	for (unsigned i = 0; i < KMEM_ARRAY_SIZE(obj); i++) {
		assert_non_null(obj[i] = kmem_cache_alloc(s, GFP_KERNEL));
		assert_true(layer_of(s).magazines > 0);
	}
	for (unsigned i = 0; i < KMEM_ARRAY_SIZE(obj); i++)
		kmem_cache_free(s, obj[i]);
	kmem_cache_destroy(s);
}

/* Before kmem_init() there is nothing to give. */
static void test_before_init(void **state)
{
	(void)state;
	kmem_reset();
	assert_int_equal(kmem_trim(KMEM_TRIM), 0);
	assert_int_equal(kmem_trim(KMEM_DRAIN), 0);
	assert_int_equal(kmem_trim(KMEM_DRAIN_CPU), 0);
}

/* What describes caches that are gone, debugged or shared ones too, is given
 * back with them. */
static void test_descriptors_go_too(void **state)
{
	struct kmem_params p = { .nr_cpus = CPUS, .hooks = &hooks,
				 .merge_caches = true };
	struct kmem_cache *s;
	size_t before;

	(void)state;
	assert_int_equal(test_machine(map, 1, &p), KMEM_OK);
	kmem_trim(KMEM_DRAIN_CPU);
	before = nr_free_pages();
	s = kmem_cache_create("debugged", 100, 0, SLAB_DEBUG_FLAGS & ~SLAB_TRACE,
			      NULL);
	assert_non_null(s);
	kmem_cache_destroy(s);
	kmem_trim(KMEM_DRAIN_CPU);
	assert_int_equal(nr_free_pages(), before);
	s = kmem_cache_create("shared", 1000, 0, 0, NULL);
	assert_ptr_equal(kmem_cache_create("with", 1000, 0, 0, NULL), s);
	kmem_cache_destroy(s);
	kmem_cache_destroy(s);
	kmem_trim(KMEM_DRAIN_CPU);
	assert_int_equal(nr_free_pages(), before);
}

/* A free that could only be noted (here, of a debugged cache: it takes locks) is
 * done before anything is counted. */
static void test_deferred_frees_arrive(void **state)
{
	struct kmem_cache *s = kmem_cache_create("debugged", 100, 0,
						 SLAB_CONSISTENCY_CHECKS, NULL);
	struct kmem_cache_stats st;
	void *p = kmem_cache_alloc(s, GFP_KERNEL);

	(void)state;
	kfree_nolock(p);
	kmem_cache_stats(s, &st);
	assert_int_equal(st.slabs, 1);
	kmem_trim(KMEM_DRAIN);
	kmem_cache_stats(s, &st);
	assert_int_equal(st.live, 0);
	assert_int_equal(st.slabs, 0);
	kmem_cache_destroy(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_free_pages_equal_after_a_drain),
		CASE(test_equal_with_a_busy_system),
		CASE(test_drain_is_this_cpu),
		CASE(test_trim_says_how_much),
		CASE(test_trim_follows_the_working_set),
		CASE(test_idle_pages_go_too),
		CASE(test_idle_magazines_go_first),
		CASE(test_who_grows_is_not_idle),
		CASE(test_descriptors_go_too),
		CASE(test_deferred_frees_arrive),
		CASE(test_before_init),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
