// SPDX-License-Identifier: MIT
/*
 * tests/unit/race_test.c - what another CPU does while this one waits for a lock.
 *
 * What could go wrong: what was looked at before the lock was had is believed
 * afterwards. Threads meet there once in a million; here one thread is both CPUs:
 * it finds the lock taken, and instead of waiting does what the other one does
 * meanwhile (host_on_wait()).
 */
#include "unit.h"
#include "cache.h"
#include "kmalloc.h"

static int setup(void **state)
{
	static const struct test_range map[] = {
		{ MIB, 17 * MIB, KMEM_REGION_USABLE, KMEM_NO_NODE },
	};
	const struct kmem_params params = {
		.nr_cpus = 2,
		.debug = KMEM_CACHE_DEBUG ? "FZPU,kmalloc-128,tracked" : NULL,
	};

	(void)state;
	assert_int_equal(test_machine(map, 1, &params), KMEM_OK);
	host_cpu_set(0);
	test_panics_record();
	return 0;
}

static struct kmem_lock *held;
static void (*others_work)(void);

/* CPU 1 has the lock; it releases it, and goes on. */
static void run_other(void)
{
	host_on_wait(NULL);
	lock_release(held);
	held = NULL;
	host_cpu_set(1);
	others_work();
	host_cpu_set(0);
}

static void meanwhile(struct kmem_lock *lock, void (*work)(void))
{
	assert_true(lock_try(lock));
	held = lock;
	others_work = work;
	host_on_wait(run_other);
}

/* Somebody has waited for it. */
#define assert_waited()	assert_null(held)

static struct kmem_cache *cache;
static void *object;

static void free_object(void)
{
	kmem_cache_free(cache, object);
}

static void free_object_and_slab(void)
{
	kmem_cache_free(cache, object);
	kmem_cache_shrink(cache);
	REQUIRE(!virt_to_page(object)->slabs);
}

/* An object is freed by two CPUs. The other one was first: the second free is
 * found, even if the slab is gone by then, and nothing else is freed. */
static void test_both_free(void **state)
{
	void (*const work[])(void) = { free_object, free_object_and_slab };
	struct kmem_cache_stats st;

	(void)state;
	for (int i = 0; i < 2; i++) {
		cache = kmem_cache_create("tracked", 100, 0, 0, NULL);
		object = kmem_cache_alloc(cache, GFP_KERNEL);
		meanwhile(&cache->slabs.node[0].lock, work[i]);
		kmem_cache_free(cache, object);
		assert_waited();
		assert_int_equal(test_panics(), 1);
		assert_panicked(object, NULL, NULL);
		kmem_cache_stats(cache, &st);
		assert_int_equal(st.live, 0);
		assert_sound();
		kmem_cache_destroy(cache);
	}
	assert_no_panic();
}

static void free_block(void)
{
	kfree(object);
}

/* A block is freed while somebody makes it longer: it is not as if it were his
 * still, so that his own free is found. */
static void test_free_while_resized(void **state)
{
	char *p;

	(void)state;
	if (!KMEM_CACHE_DEBUG)
		skip();
	object = kmalloc(118, GFP_KERNEL);
	meanwhile(&virt_to_page(object)->slabs->node[0].lock, free_block);
	p = krealloc(object, 126, GFP_KERNEL);
	assert_waited();
	assert_ptr_not_equal(p, object);
	assert_int_equal(test_panics(), 1);
	assert_panicked(object, "double free", "kmalloc-128");
	kfree(p);
	assert_no_panic();
}

static mempool_t *pool;
static void *taken[4];
static int nr_taken, nr_freed;

static void take_all(void)
{
	while ((taken[nr_taken] = mempool_alloc_preallocated(pool)))
		nr_taken++;
}

static void *one_more(gfp_t gfp, void *data)
{
	(void)data;
	return kmalloc(40, gfp);
}

static void one_less(void *element, void *data)
{
	(void)data;
	kfree(element);
	if (!nr_freed++)
		meanwhile((struct kmem_lock *)(void *)pool->lock, take_all);
}

/* While a pool is made smaller, all that is left in it is taken: it has its new
 * size all the same, and is filled. */
static void test_pool_emptied_while_it_shrinks(void **state)
{
	(void)state;
	pool = mempool_create(4, one_more, one_less, NULL);
	assert_non_null(pool);
	nr_taken = nr_freed = 0;
	assert_int_equal(mempool_resize(pool, 1), 0);
	assert_waited();
	assert_int_equal(nr_taken, 3);
	assert_int_equal(nr_freed, 1);
	assert_true(mempool_is_saturated(pool));
	while (nr_taken)
		mempool_free(taken[--nr_taken], pool);
	assert_int_equal(nr_freed, 4);
	mempool_destroy(pool);
	assert_int_equal(test_live_objects(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_both_free),
		CASE(test_free_while_resized),
		CASE(test_pool_emptied_while_it_shrinks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
