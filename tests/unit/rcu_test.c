// SPDX-License-Identifier: MIT
/*
 * tests/unit/rcu_test.c - kfree_rcu() and SLAB_TYPESAFE_BY_RCU.
 *
 * The kernel's RCU is here a queue of callbacks and a clock: a callback may run
 * when a reader that was there when it was queued has left, which the test says
 * by test_grace_period().
 */
#include "unit.h"
#include "cache.h"

#define CPUS	2
#define MANY	1000

struct thing {
	long value;
	struct rcu_head rcu;
	char more[40];
};

/* ------------------------------------------------------------ a tiny RCU */

static unsigned calls;			/* of call_rcu */

static void queue(void *ctx, struct rcu_head *head,
		  void (*fn)(struct rcu_head *head))
{
	calls++;
	test_call_rcu(ctx, head, fn);
}

static void barrier(void *ctx)
{
	(void)ctx;
	test_grace_period();
}

static const struct kmem_hooks with_rcu = {
	.log = test_log, .call_rcu = queue, .rcu_barrier = barrier,
};
static const struct kmem_hooks no_barrier = {
	.log = test_log, .call_rcu = queue,
};
static const struct kmem_hooks no_rcu = { .log = test_log };

static void machine(const struct kmem_hooks *hooks, uint64_t bytes)
{
	const struct test_range map[] = {
		{ MIB, MIB + bytes, KMEM_REGION_USABLE, KMEM_NO_NODE },
	};
	const struct kmem_params params = { .nr_cpus = CPUS, .hooks = hooks };

	test_rcu_forget();
	calls = 0;
	assert_int_equal(test_machine(map, 1, &params), KMEM_OK);
	host_cpu_set(0);
}

static int setup(void **state)
{
	(void)state;
	machine(&with_rcu, 32 * MIB);
	test_panics_record();
	test_log_clear();
	return 0;
}

static size_t live(void *p)
{
	struct kmem_cache_stats st;

	kmem_cache_stats(slabs_cache(virt_to_page(p)->slabs), &st);
	return st.live;
}

static bool is_waiting(void *p)
{
	struct page *page = virt_to_page(p);

	return page->slabs && page->slot[slab_index(page, page->slabs, p).index] == SLOT_RCU;
}

/* ------------------------------------------------------------- kfree_rcu */

static unsigned reclaims;

static size_t on_reclaim(void *ctx, const struct kmem_pressure *p)
{
	(void)ctx;
	(void)p;
	reclaims++;
	return 0;
}

static void *fill_memory(size_t size, void *before)
{
	void *p;

	while ((p = kmalloc(size, GFP_ATOMIC | __GFP_MEMALLOC | __GFP_NOWARN))) {
		*(void **)p = before;
		before = p;
	}
	return before;
}

/* No memory for a batch: its rcu_head serves. kfree_rcu() does not sleep for one,
 * in whichever context it is; and the barrier waits for that object too. */
static void test_without_memory(void **state)
{
	static const struct kmem_hooks hooks = {
		.log = test_log, .call_rcu = queue, .rcu_barrier = barrier,
		.reclaim = on_reclaim,
	};
	void *all = NULL, *next;
	struct thing *t;

	(void)state;
	machine(&hooks, 16 * MIB);
	t = kmalloc(sizeof(*t), GFP_KERNEL);
	for (size_t size = PAGE; size >= 8; size /= 2)
		all = fill_memory(size, all);
	reclaims = 0;
	kfree_rcu(t, rcu);
	assert_int_equal(reclaims, 0);
	assert_int_equal(calls, 1);
	assert_true(is_waiting(t));
	kvfree_rcu_barrier();
	assert_false(test_rcu_waits());
	assert_false(is_waiting(t));
	for (; all; all = next) {
		next = *(void **)all;
		kfree(all);
	}
}

/* Freed before a reader has left: its memory would be somebody else's. */
static void test_not_before_the_grace_period(void **state)
{
	struct thing *t = kmalloc(sizeof(*t), GFP_KERNEL);

	(void)state;
	t->value = 42;
	kfree_rcu(t, rcu);
	assert_int_equal(calls, 1);	/* begun at once */
	for (int i = 0; i < MANY; i++) {
		void *p = kmalloc(sizeof(*t), GFP_KERNEL);

		assert_ptr_not_equal(p, t);
		memset(p, 0, sizeof(*t));
		kfree(p);
	}
	assert_int_equal(t->value, 42);
	assert_true(is_waiting(t));
	assert_sound();
	test_grace_period();
	assert_false(is_waiting(t));
	assert_int_equal(calls, 1);
}

/* One call of the kernel's call_rcu an object, or an object that waits for a
 * batch that never fills. */
static void test_batches(void **state)
{
	static struct thing *t[MANY];
	struct thing *other = kmalloc(sizeof(*other), GFP_KERNEL);
	size_t before = live(other);

	(void)state;
	for (int i = 0; i < MANY; i++)
		t[i] = kmalloc(sizeof(**t), GFP_KERNEL);
	for (int i = 0; i < MANY; i++)
		kfree_rcu(t[i], rcu);
	assert_int_equal(calls, 1);
	test_grace_period();			/* the first object's, and begins ... */
	assert_int_equal(calls, 2);
	assert_false(is_waiting(t[0]));
	assert_true(is_waiting(t[1]) && is_waiting(t[MANY - 1]));
	assert_sound();
	test_grace_period();			/* ... that of all others */
	assert_int_equal(calls, 2);
	for (int i = 0; i < MANY; i++)
		assert_false(is_waiting(t[i]));
	assert_int_equal(live(other), before);
	kfree(other);
	assert_false(test_rcu_waits());
}

/* A grace period that began before an object came frees it, too. */
static void test_who_comes_late_waits_for_the_next(void **state)
{
	struct thing *a = kmalloc(sizeof(*a), GFP_KERNEL);
	struct thing *b = kmalloc(sizeof(*b), GFP_KERNEL);

	(void)state;
	kfree_rcu(a, rcu);
	kfree_rcu(b, rcu);
	test_grace_period();
	assert_false(is_waiting(a));
	assert_true(is_waiting(b));
	test_grace_period();
	assert_false(is_waiting(b));
}

static void test_barrier(void **state)
{
	struct thing *t[3];

	(void)state;
	kfree_rcu_barrier();		/* with nothing to wait for */
	for (int i = 0; i < 3; i++) {
		t[i] = kmalloc(sizeof(**t), GFP_KERNEL);
		host_cpu_set((unsigned)i % CPUS);
		kfree_rcu(t[i], rcu);
	}
	host_cpu_set(0);
	kfree_rcu_barrier();
	for (int i = 0; i < 3; i++)
		assert_false(is_waiting(t[i]));
	assert_false(test_rcu_waits());
}

/* Large blocks, NULL, memory without an rcu_head. */
static void test_what_it_takes(void **state)
{
	struct thing *none = NULL;
	struct thing *large = kmalloc(5 * PAGE, GFP_KERNEL);
	void *plain = kmalloc(1, GFP_KERNEL);

	(void)state;
	kfree_rcu(none, rcu);
	assert_int_equal(calls, 0);
	kfree_rcu(large, rcu);
	kfree_rcu_mightsleep(plain);
	kfree(large);
	assert_panicked(large, "freed twice", "kfree_rcu");
	kfree_rcu_barrier();
	assert_no_panic();
	kfree(large);
	assert_panicked(large, "freed twice", NULL);
}

/* The second free of an object that waits, of whatever kind, would give it to
 * two. */
static void test_double_free(void **state)
{
	struct kmem_cache *s = kmem_cache_create("twice", sizeof(struct thing),
						 0, 0, NULL);
	struct thing *t = kmem_cache_alloc(s, GFP_KERNEL);
	struct thing *large = kmalloc(3 * PAGE, GFP_KERNEL);

	(void)state;
	kfree_rcu(t, rcu);
	kfree_rcu(t, rcu);
	assert_panicked(t, "double free", "found RCU");
	kfree(t);
	assert_panicked(t, "double free", "found RCU");
	kmem_cache_free(s, t);
	assert_panicked(t, "double free", "found RCU");
	kfree_nolock(t);
	assert_panicked(t, "double free", "found RCU");
	kvfree_call_rcu(NULL, (char *)t + 8);
	assert_panicked((char *)t + 8, "not the start", NULL);
	kfree_rcu(large, rcu);
	kfree_rcu(large, rcu);
	assert_panicked(large, "freed twice", NULL);
	__free_pages(virt_to_page(large), 2);
	assert_panicked(large, "free_pages of", "freed twice");
	assert_sound();
	kmem_cache_destroy(s);		/* waits for it */
	assert_false(test_panics());
	assert_int_equal(calls, 2);	/* one more for who came meanwhile */
}

/* Without memory for a batch the object's own head serves, or the caller
 * sleeps; and nothing is lost. */
static void test_out_of_memory(void **state)
{
	static void *hog[4096];
	struct thing *t = kmalloc(sizeof(*t), GFP_KERNEL), *u;
	struct thing *large = kmalloc(3 * PAGE, GFP_KERNEL);
	void *plain = kmalloc(48, GFP_KERNEL);
	size_t n = 0, m = 0;

	(void)state;
	machine(&with_rcu, 2 * MIB);
	t = kmalloc(sizeof(*t), GFP_KERNEL);
	u = kmalloc(sizeof(*u), GFP_KERNEL);
	large = kmalloc(3 * PAGE, GFP_KERNEL);
	plain = kmalloc(48, GFP_KERNEL);
	while (n < 4096 && (hog[n] = kmalloc(1024, GFP_KERNEL | __GFP_NOWARN)))
		n++;
	assert_in_range(n, 100, 4095);
	kfree_rcu(t, rcu);
	kfree_rcu(large, rcu);
	assert_int_equal(calls, 2);
	assert_true(is_waiting(t));
	kfree_rcu_mightsleep(plain);
	assert_false(is_waiting(plain));
	test_grace_period();
	assert_false(is_waiting(t));
	kfree(large);
	assert_panicked(large, "freed twice", NULL);
	kfree_rcu(u, rcu);		/* its own head, with a barrier */
	kfree_rcu_barrier();
	assert_false(is_waiting(u));
	while (m < n)
		kfree(hog[m++]);
}

/* Without the hook rcu_barrier there is nothing to wait with for who waits by its
 * own rcu_head: the barrier returns, and its time comes all the same. */
static void test_own_heads_without_barrier(void **state)
{
	void *all, *next;
	struct thing *t;

	(void)state;
	machine(&no_barrier, 2 * MIB);
	t = kmalloc(sizeof(*t), GFP_KERNEL);
	all = fill_memory(1024, NULL);
	kfree_rcu(t, rcu);
	assert_int_equal(calls, 1);
	kvfree_rcu_barrier();
	assert_true(is_waiting(t));
	test_grace_period();
	assert_false(is_waiting(t));
	for (; all; all = next) {
		next = *(void **)all;
		kfree(all);
	}
}

/* Where there is no RCU, nothing can be promised: refused, said, not freed. */
static void test_without_the_hook(void **state)
{
	struct thing *t;

	(void)state;
	machine(&no_rcu, 32 * MIB);
	t = kmalloc(sizeof(*t), GFP_KERNEL);
	kfree_rcu(t, rcu);
	assert_panicked(t, "no call_rcu hook", "not freed");
	assert_false(is_waiting(t));
	kfree(t);			/* it was live still */
	assert_no_panic();
	assert_null(kmem_cache_create("t", 64, 0, SLAB_TYPESAFE_BY_RCU, NULL));
	assert_true(test_logged("needs the hook call_rcu"));
}

static struct thing *irq_things[64];
static unsigned irq_freed;

static void free_one(unsigned cpu)
{
	(void)cpu;
	if (irq_freed < 64) {
		kfree_rcu(irq_things[irq_freed], rcu);
		irq_freed++;
	}
}

/* An interrupt that frees lands in a kfree_rcu() of its own CPU. */
static void test_from_interrupts(void **state)
{
	(void)state;
	irq_freed = 0;
	for (int i = 0; i < 64; i++)
		irq_things[i] = kmalloc(sizeof(struct thing), GFP_KERNEL);
	host_irq_start(50, true, free_one);
	while (__atomic_load_n(&irq_freed, __ATOMIC_RELAXED) < 64) {
		struct thing *t = kmalloc(sizeof(*t), GFP_KERNEL);
		uintptr_t irq;

		kfree_rcu(t, rcu);
		irq = kmem_arch_irq_save();
		test_grace_period();
		kmem_arch_irq_restore(irq);
	}
	host_irq_stop();
	kfree_rcu_barrier();
	for (int i = 0; i < 64; i++)
		assert_false(is_waiting(irq_things[i]));
}

/* ------------------------------------------------- SLAB_TYPESAFE_BY_RCU */

static unsigned made;

static void construct(void *p)
{
	struct thing *t = p;

	t->value = 4711;
	made++;
}

/* What is freed can be had again at once. */
static void no_quarantine(struct kmem_cache *of)
{
	of->magazine.quarantine = 0;
}

static struct kmem_cache *typesafe(void)
{
	struct kmem_cache *s = kmem_cache_create("typesafe", sizeof(struct thing),
					0, SLAB_TYPESAFE_BY_RCU, construct);

	assert_non_null(s);
	no_quarantine(s);
	made = 0;
	return s;
}

/* A reader looks at an object whose slab has been given up: pages that are
 * somebody else's by then would not look like one. */
static void test_typesafe_pages(void **state)
{
	struct kmem_cache *s = typesafe();
	static struct thing *t[MANY];
	struct page *page;
	void *hog[64];

	(void)state;
	for (int i = 0; i < MANY; i++)
		t[i] = kmem_cache_alloc(s, GFP_KERNEL);
	for (int i = 0; i < MANY; i++)
		kmem_cache_free(s, t[i]);
	test_drain(CPUS);
	assert_int_equal(kmem_cache_shrink(s), 0);	/* all given up */
	assert_true(test_rcu_waits());
	page = virt_to_page(t[0]);
	for (int i = 0; i < 64; i++) {
		hog[i] = kmalloc(8 * PAGE, GFP_KERNEL);
		memset(hog[i], 0, 8 * PAGE);
	}
	for (int i = 0; i < MANY; i++)
		assert_int_equal(t[i]->value, 4711);
	assert_int_equal(page->type, PAGE_SLAB);
	kfree(t[0]);
	assert_panicked(t[0], "double free", NULL);
	assert_sound();
	kfree_rcu_barrier();		/* not what slabs wait for */
	while (test_rcu_waits())
		test_grace_period();
	assert_int_not_equal(page->type, PAGE_SLAB);
	for (int i = 0; i < 64; i++)
		kfree(hog[i]);
	kmem_cache_destroy(s);
}

/* An object is reused at once, and constructed once, when its slab is made. */
static void test_typesafe_reuse(void **state)
{
	struct kmem_cache *s = typesafe();
	struct thing *a = kmem_cache_alloc(s, GFP_KERNEL), *b;
	unsigned once = made;

	(void)state;
	kmem_cache_free(s, a);
	b = kmem_cache_alloc(s, GFP_KERNEL);
	assert_ptr_equal(a, b);
	assert_int_equal(made, once);
	assert_null(kmem_cache_zalloc(s, GFP_KERNEL));
	assert_panicked(NULL, "typesafe", "SLAB_TYPESAFE_BY_RCU");
	assert_int_equal(kmem_cache_alloc_bulk(s, __GFP_ZERO, 1, (void **)&a),
			 0);
	assert_panicked(NULL, "typesafe", "SLAB_TYPESAFE_BY_RCU");
	assert_int_equal(b->value, 4711);
	kmem_cache_free(s, b);
	kmem_cache_destroy(s);		/* waits by rcu_barrier */
	assert_false(test_rcu_waits());
}

/* The cache gone before its slabs are: they would go back to nobody. */
static void test_destroy_without_barrier(void **state)
{
	struct kmem_cache *s, *plain;
	struct thing *t;

	(void)state;
	machine(&no_barrier, 32 * MIB);
	s = typesafe();
	plain = kmem_cache_create("plain", sizeof(*t), 0, 0, NULL);
	kmem_cache_free(s, kmem_cache_alloc(s, GFP_KERNEL));
	kmem_cache_destroy(s);
	assert_panicked(NULL, "typesafe", "rcu_barrier");
	t = kmem_cache_alloc(s, GFP_KERNEL);	/* it is kept, and works */
	assert_non_null(t);
	kmem_cache_free(s, t);
	t = kmem_cache_alloc(plain, GFP_KERNEL);
	kfree_rcu(t, rcu);
	kmem_cache_destroy(plain);
	assert_panicked(t, "waits for a grace period", NULL);
	test_grace_period();
	kmem_cache_destroy(plain);
	kmem_cache_destroy(s);
	assert_panicked(NULL, "typesafe", "rcu_barrier");
	test_grace_period();
	kmem_cache_destroy(s);
	assert_no_panic();
}

/* ------------------------------------------------------ memory of vmalloc() */

static size_t areas_deferred(void)
{
	struct kmem_vmalloc_stats st;

	kmem_vmalloc_stats(&st);
	return st.deferred;
}

/* What kvmalloc() gave is given back the same way, wherever it came from. */
static void test_vmalloc_memory(void **state)
{
	enum { BIG = 3 * MIB };
	struct kmem_vmalloc_stats st;
	struct thing *t, *u;
	size_t pages;

	(void)state;
	host_memory_share(true);
	machine(&with_rcu, 32 * MIB);
	assert_int_equal(host_vmalloc(64 * MIB), KMEM_OK);
	vfree(vmalloc(1));
	pages = test_pages();
	t = vmalloc(BIG);
	u = vmalloc(BIG);
	assert_non_null(t);
	assert_non_null(u);
	t->value = 42;
	kvfree_rcu(t, rcu);
	kvfree_rcu_mightsleep(u);
	assert_int_equal(t->value, 42);	/* a reader is still there */
	assert_sound();

	vfree(t);
	assert_panicked(t, "vfree", "double free");
	kvfree(u);
	assert_panicked(u, "vfree", "double free");
	kvfree_rcu(t, rcu);
	assert_panicked(t, "kfree_rcu", "double free");
	kvfree_rcu_mightsleep((char *)u + PAGE);
	assert_panicked((char *)u + PAGE, "kfree_rcu", NULL);
	assert_null(find_vm_area(t));

	test_grace_period();
	test_grace_period();
	assert_int_equal(areas_deferred(), 2); /* it was no thread's context */
	vfree(vmalloc(1));
	assert_int_equal(areas_deferred(), 0);
	kmem_trim(KMEM_DRAIN);
	assert_int_equal(test_pages(), pages);

	t = vmalloc(BIG);
	kvfree_rcu(t, rcu);
	kvfree_rcu_barrier();			/* all is free after that */
	kmem_vmalloc_stats(&st);
	assert_int_equal(st.areas, 0);
	kmem_trim(KMEM_DRAIN);
	assert_int_equal(test_pages(), pages);
	host_memory_share(false);
}

/* And where there is no memory for a batch, by its own rcu_head. */
static void test_vmalloc_memory_out_of_memory(void **state)
{
	struct kmem_vmalloc_stats st;
	struct thing *t;
	void *all = NULL, *p;

	(void)state;
	host_memory_share(true);
	machine(&with_rcu, 4 * MIB);
	assert_int_equal(host_vmalloc(64 * MIB), KMEM_OK);
	t = vmalloc(2 * PAGE);
	while ((p = kmalloc(1024, GFP_NOWAIT | __GFP_NOWARN))) {
		*(void **)p = all;
		all = p;
	}
	kvfree_rcu(t, rcu);
	test_grace_period();
	test_grace_period();
	for (; all; all = p) {
		p = *(void **)all;
		kfree(all);
	}
	vm_unmap_aliases();
	kmem_vmalloc_stats(&st);
	assert_int_equal(st.areas, 0);
	host_memory_share(false);
}

/* What readers may still look at is neither poisoned nor zeroed when it is freed. */
static void test_what_readers_see_stays(void **state)
{
	const slab_flags_t flags[] = { 0, SLAB_POISON };

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct kmem_cache *s = kmem_cache_create("read", 40, 0,
					SLAB_TYPESAFE_BY_RCU | flags[i], NULL);
		char *p = kmem_cache_alloc(s, GFP_KERNEL);

		assert_non_null(p);
		memset(p, 0x42, 40);
		kmem_cache_free(s, p);
		assert_int_equal(p[20], 0x42);
		kmem_cache_destroy(s);
	}
	kfree_rcu_barrier();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_without_memory),
		CASE(test_not_before_the_grace_period),
		CASE(test_batches),
		CASE(test_who_comes_late_waits_for_the_next),
		CASE(test_barrier),
		CASE(test_what_it_takes),
		CASE(test_double_free),
		CASE(test_out_of_memory),
		CASE(test_own_heads_without_barrier),
		CASE(test_without_the_hook),
		CASE(test_from_interrupts),
		CASE(test_typesafe_pages),
		CASE(test_typesafe_reuse),
		CASE(test_destroy_without_barrier),
		CASE(test_what_readers_see_stays),
		CASE(test_vmalloc_memory),
		CASE(test_vmalloc_memory_out_of_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
