// SPDX-License-Identifier: MIT
/*
 * tests/unit/cache_node_test.c - memory of the node that was asked for.
 *
 * Machines of one to four nodes, of 16 MiB each, with two CPUs a node: CPU i is
 * on node i / 2. The number of a node is not its index: 10, 11, 12, 13.
 */
#include "unit.h"

#define QUIET	__GFP_NOWARN
#define NODE(i)	(10 + (int)(i))

static int node_of_cpu(void *ctx, unsigned cpu)
{
	(void)ctx;
	return NODE(cpu / 2);
}

static unsigned waits;
static void *spare[4];

/* Something of node 11 comes free. */
static void wait_hook(void *ctx, const struct kmem_pressure *p)
{
	(void)ctx;
	(void)p;
	if (waits < 4)
		kfree(spare[waits]);
	waits++;
}

static const struct kmem_hooks hooks = {
	.cpu_node = node_of_cpu, .log = test_log, .wait = wait_hook,
	.run_on_cpu = host_run_on_cpu,
};

static void start(unsigned nodes)
{
	struct test_range map[4];
	struct kmem_params p = { .nr_cpus = 2 * nodes, .hooks = &hooks };

	for (unsigned i = 0; i < nodes && i < KMEM_ARRAY_SIZE(map); i++)
		map[i] = (struct test_range){
			(16 + 16 * i) * MIB, (32 + 16 * i) * MIB,
			KMEM_REGION_USABLE, NODE(i)
		};
	host_cpu_set(0);
	assert_int_equal(test_machine(map, nodes, &p), KMEM_OK);
	test_log_clear();
}

static int setup(void **state)
{
	(void)state;
	start(3);
	waits = 0;
	test_panics_record();
	return 0;
}

static unsigned node_of(const void *p)
{
	unsigned n = (unsigned)(virt_to_phys(p) / (16 * MIB)) - 1;

	REQUIRE(page_to_nid(virt_to_page(p)) == NODE(n));
	return n;
}

static struct kmem_cache_stats stats(struct kmem_cache *s)
{
	struct kmem_cache_stats st;

	kmem_cache_stats(s, &st);
	return st;
}

/* Who is where. */
static void test_ids(void **state)
{
	void *p = kmalloc(100, GFP_KERNEL);

	(void)state;
	for (unsigned cpu = 0; cpu < 6; cpu++) {
		host_cpu_set(cpu);
		assert_int_equal(numa_node_id(), NODE(cpu / 2));
	}
	host_cpu_set(0);
	assert_int_equal(page_to_nid(virt_to_page(p)), NODE(0));
	kfree(p);
}

/* From every CPU for every node, while others' objects fill the magazines: the
 * node that was asked for, always. */
static void test_every_node_from_every_cpu(void **state)
{
	static void *obj[3000];
	static const size_t sizes[] = { 32, 600, 4096 };
	uint64_t seed = test_seed("cache_node_test");

	(void)state;
	for (unsigned nodes = 2; nodes <= 4; nodes++) {
		start(nodes);
		for (unsigned k = 0; k < KMEM_ARRAY_SIZE(sizes); k++) {
			struct kmem_cache *s = kmem_cache_create("nodes",
						sizes[k], 0, 0, NULL);

			memset(obj, 0, sizeof(obj));
			for (unsigned i = 0; i < test_scaled(60000); i++) {
				unsigned at = (unsigned)test_below(&seed, 3000);
				unsigned n = (unsigned)test_below(&seed, nodes);
				gfp_t strict = i % 2 ? __GFP_THISNODE : 0;

				host_cpu_set((unsigned)test_below(&seed,
								  2 * nodes));
				if (obj[at]) {
					kmem_cache_free(s, obj[at]);
					obj[at] = NULL;
					continue;
				}
				obj[at] = kmem_cache_alloc_node(s,
						GFP_KERNEL | strict, NODE(n));
				REQUIRE(obj[at] && node_of(obj[at]) == n);
			}
			for (unsigned i = 0; i < 3000; i++)
				kmem_cache_free(s, obj[i]);
			host_cpu_set(0);
			assert_sound();
			kmem_cache_destroy(s);
		}
	}
}

/* The hot path of a driver: allocate here, free here. A magazine full of what
 * another node's CPU once freed here must not give it out for ever. */
static void test_local_after_remote_frees(void **state)
{
	struct kmem_cache *s = kmem_cache_create("remote", 256, 0, 0, NULL);
	static void *obj[2000];

	(void)state;
	for (unsigned i = 0; i < 2000; i++)
		obj[i] = kmem_cache_alloc_node(s, GFP_KERNEL, NODE(1));
	for (unsigned i = 0; i < 2000; i++)
		kmem_cache_free(s, obj[i]);	/* on node 0 */
	/* all but what the CPU's two magazines hold has gone home */
	assert_true(stats(s).layer.in_cpus <= 2 * 62);
	assert_int_equal(stats(s).layer.in_depot, 0);
	for (unsigned i = 0; i < 2000; i++) {
		obj[i] = kmem_cache_alloc_node(s, GFP_KERNEL, NODE(0));
		REQUIRE(node_of(obj[i]) == 0);
	}
	for (unsigned i = 0; i < 2000; i++)
		kmem_cache_free(s, obj[i]);
	assert_sound();
	kmem_cache_destroy(s);
}

/* Plain allocations: memory made on one node and freed on another, over and
 * over. It does not drift: what a CPU is given is of its own node, but for what
 * two magazines hold. */
static void test_plain_allocations_stay_local(void **state)
{
	struct kmem_cache *s = kmem_cache_create("drift", 256, 0, 0, NULL);
	static void *obj[1500];
	unsigned remote = 0;

	(void)state;
	for (unsigned round = 0; round < 30; round++) {
		unsigned cpu = round % 6;

		host_cpu_set(cpu);
		for (unsigned i = 0; i < 1500; i++) {
			obj[i] = kmem_cache_alloc(s, GFP_KERNEL);
			remote += node_of(obj[i]) != cpu / 2;
		}
		host_cpu_set((cpu + 3) % 6);
		for (unsigned i = 0; i < 1500; i++)
			kmem_cache_free(s, obj[i]);
	}
	assert_true(remote <= 30 * 2 * 62);
	host_cpu_set(0);
	assert_sound();
	kmem_cache_destroy(s);
}

/* A cache of 500 objects that this CPU has allocated. It frees those from `kept` on,
 * and much of what there is lies in the depot then. */
static struct kmem_cache *some_left(unsigned cpu, void **obj, unsigned kept)
{
	struct kmem_cache *s = kmem_cache_create("left", 64, 0, SLAB_NO_MERGE,
						 NULL);

	host_cpu_set(cpu);
	for (unsigned i = 0; i < kept; i++)
		obj[i] = kmem_cache_alloc(s, GFP_KERNEL);
	/* more than once, for that depot's bound to follow */
	for (unsigned wave = 0; wave < 4; wave++) {
		for (unsigned i = kept; i < 500; i++)
			obj[i] = kmem_cache_alloc(s, GFP_KERNEL);
		for (unsigned i = kept; i < 500; i++)
			kmem_cache_free(s, obj[i]);
	}
	host_cpu_set(0);
	assert_true(stats(s).layer.in_depot > 500 / 16);
	return s;
}

/* Objects of node 1 that a CPU there has left in the depot, much of what there
 * is: on node 0 they are no reason not to make a slab; they go home. */
static void test_what_another_node_left(void **state)
{
	static void *obj[500];
	struct kmem_cache *s = some_left(2, obj, 0);

	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		obj[i] = kmem_cache_alloc(s, GFP_KERNEL);
		assert_int_equal(node_of(obj[i]), 0);
	}
	kmem_cache_free_bulk(s, 100, obj);
	kmem_cache_destroy(s);
}

/* What the other CPU of the node has left, much of what there is, goes to who asks
 * for memory of that node as well. */
static void test_what_a_neighbour_left(void **state)
{
	static void *obj[500];
	struct kmem_cache *s = some_left(1, obj, 300);
	size_t slabs = stats(s).slabs, left = stats(s).layer.in_depot;

	(void)state;
	obj[300] = kmem_cache_alloc_node(s, GFP_KERNEL, NODE(0));
	assert_true(stats(s).layer.in_depot < left);
	assert_int_equal(stats(s).slabs, slabs);
	kmem_cache_free_bulk(s, 301, obj);
	kmem_cache_destroy(s);
}

/* Objects freed far from home reach their own slabs: when all are free, and
 * every CPU has shrunk, no slab is left on any node. */
static void test_objects_go_home(void **state)
{
	struct kmem_cache *s = kmem_cache_create("home", 120, 0, 0, NULL);
	static void *obj[3][800];

	(void)state;
	for (unsigned n = 0; n < 3; n++)
		for (unsigned i = 0; i < 800; i++)
			obj[n][i] = kmem_cache_alloc_node(s, GFP_KERNEL,
							  NODE(n));
	for (unsigned i = 0; i < 2400; i++) {
		host_cpu_set(i % 6);
		kmem_cache_free(s, obj[i % 3][i / 3]);
	}
	for (unsigned cpu = 6; cpu-- > 0; ) {
		host_cpu_set(cpu);
		kmem_cache_shrink(s);
	}
	assert_int_equal(stats(s).slabs, 0);
	assert_sound();
	kmem_cache_destroy(s);
}

static unsigned fill_node(struct kmem_cache *s, void **obj, unsigned most)
{
	unsigned n = 0;

	while (n < most && (obj[n] = kmem_cache_alloc_node(s,
			GFP_ATOMIC | __GFP_THISNODE | QUIET, NODE(1))))
		REQUIRE(node_of(obj[n++]) == 1);
	return n;
}

/* A node that is full: the nearest that has memory, or with __GFP_THISNODE
 * NULL, and that in the log unless __GFP_NOWARN. One object freed there is
 * found again, although it is in a magazine of this CPU. */
static void test_node_runs_out(void **state)
{
	struct kmem_cache *s = kmem_cache_create("full", 2048, 0, 0, NULL);
	static void *obj[10000];
	unsigned n = fill_node(s, obj, 10000);
	void *p, *q;

	(void)state;
	assert_in_range(n, KMEM_HARDEN ? 6000 : 7000, 8192);
	test_log_clear();
	assert_null(kmem_cache_alloc_node(s, GFP_KERNEL | __GFP_THISNODE |
					  QUIET, NODE(1)));
	assert_int_equal(test_log_lines(), 0);
	assert_null(kmem_cache_alloc_node(s, GFP_KERNEL | __GFP_THISNODE,
					  NODE(1)));
	assert_true(test_logged("failed"));
	p = kmem_cache_alloc_node(s, GFP_KERNEL, NODE(1));
	assert_non_null(p);
	assert_int_not_equal(node_of(p), 1);
	kmem_cache_free(s, obj[17]);
	q = kmem_cache_alloc_node(s, GFP_KERNEL | __GFP_THISNODE, NODE(1));
	assert_ptr_equal(q, obj[17]);
	kmem_cache_free(s, p);
	for (unsigned i = 0; i < n; i++)
		kmem_cache_free(s, obj[i]);
	assert_sound();
	kmem_cache_destroy(s);
}

/* Tables of kmem's own come from another node, too, when this one has nothing: a
 * slab of small objects is nothing without the states of its objects. */
static void test_tables_of_another_node(void **state)
{
	enum { N = 40000 };
	struct kmem_cache *s = kmem_cache_create("small", 32, 0, 0, NULL);
	struct page *page, *all = NULL;
	static void *obj[N];

	(void)state;
	while ((page = alloc_pages_node(NODE(0), GFP_ATOMIC | __GFP_THISNODE |
					QUIET, 0))) {
		*(struct page **)page_to_virt(page) = all;
		all = page;
	}
	for (unsigned i = 0; i < N; i++)
		REQUIRE((obj[i] = kmem_cache_alloc(s, GFP_KERNEL)));
	assert_int_not_equal(node_of(obj[N - 1]), 0);
	for (unsigned i = 0; i < N; i++)
		kmem_cache_free(s, obj[i]);
	while ((page = all)) {
		all = *(struct page **)page_to_virt(page);
		__free_pages(page, 0);
	}
	kmem_cache_destroy(s);
}

/* A node in pieces: it has no block of the order that the cache would like best,
 * but pages; those are taken before blocks of other nodes. */
static void test_node_in_pieces(void **state)
{
	struct kmem_cache *s = kmem_cache_create("pieces", 1500, 0, 0, NULL);
	static struct page *page[5000];
	unsigned n = 0;
	void *obj[40];

	(void)state;
	assert_true(stats(s).order > 0);
	while ((page[n] = alloc_pages_node(NODE(1), GFP_ATOMIC |
					   __GFP_THISNODE | QUIET, 0)))
		n++;
	for (unsigned i = 0; i < n; i += 2)
		__free_page(page[i]);
	for (unsigned i = 0; i < 40; i++) {
		obj[i] = kmem_cache_alloc_node(s, GFP_KERNEL, NODE(1));
		assert_int_equal(node_of(obj[i]), 1);
	}
	for (unsigned i = 0; i < 40; i++)
		kmem_cache_free(s, obj[i]);
	for (unsigned i = 1; i < n; i += 2)
		__free_page(page[i]);
	assert_sound();
	kmem_cache_destroy(s);
}

/* The CPUs of a full node use what others have free before they make more: a
 * slab of a remote node for each object would be the end of all memory. */
static void test_full_node_shares(void **state)
{
	struct kmem_cache *s = kmem_cache_create("guest", 128, 0, 0, NULL);
	static struct page *page[10000];
	static void *obj[5000];
	unsigned n = 0;

	(void)state;
	host_cpu_set(2);			/* of node 1 */
	while ((page[n] = alloc_pages_node(NODE(1), GFP_ATOMIC |
					   __GFP_THISNODE | QUIET, 0)))
		n++;
	for (unsigned i = 0; i < 5000; i++) {
		obj[i] = kmem_cache_alloc(s, GFP_KERNEL);
		REQUIRE(obj[i]);
	}
	assert_true(stats(s).slab_bytes < 5000 * 128 * 5 / 4);
	for (unsigned i = 0; i < 5000; i++)
		kmem_cache_free(s, obj[i]);
	while (n)
		__free_page(page[--n]);
	host_cpu_set(0);
	assert_sound();
	kmem_cache_destroy(s);
}

/* __GFP_NOFAIL on one node: waits until something of that node is free. */
static void test_nofail(void **state)
{
	struct kmem_cache *s = kmem_cache_create("wait", 4096, 0, 0, NULL);
	static void *obj[5000];
	unsigned n = fill_node(s, obj, 5000);
	void *p;

	(void)state;
	for (unsigned i = 0; i < 4; i++)
		spare[i] = obj[--n];
	p = kmem_cache_alloc_node(s, GFP_KERNEL | __GFP_THISNODE |
				  __GFP_NOFAIL | QUIET, NODE(1));
	assert_non_null(p);
	assert_int_equal(node_of(p), 1);
	assert_int_equal(waits, 1);
	kmem_cache_free(s, p);
	for (unsigned i = 1; i < 4; i++)
		kmem_cache_free(s, spare[i]);
	while (n)
		kmem_cache_free(s, obj[--n]);
	kmem_cache_destroy(s);
}

/* No node, and nodes that are not there: any node, or with __GFP_THISNODE NULL;
 * on a machine of one node too. */
static void test_node_numbers(void **state)
{
	static const int wrong[] = { 0, 9, 14, 64, 1000, -2, INT32_MIN };

	(void)state;
	for (unsigned nodes = 1; nodes <= 3; nodes += 2) {
		struct kmem_cache *s;
		void *p;

		start(nodes);
		s = kmem_cache_create("number", 64, 0, 0, NULL);
		p = kmem_cache_alloc_node(s, GFP_KERNEL, KMEM_NO_NODE);
		kmem_cache_free(s, p);
		p = kmem_cache_alloc_node(s, GFP_KERNEL | __GFP_THISNODE,
					  KMEM_NO_NODE);
		assert_non_null(p);
		kmem_cache_free(s, p);
		p = kmem_cache_alloc_node(s, GFP_KERNEL | __GFP_THISNODE,
					  NODE(0));
		assert_int_equal(node_of(p), 0);
		kmem_cache_free(s, p);
		for (unsigned i = 0; i < KMEM_ARRAY_SIZE(wrong); i++) {
			p = kmem_cache_alloc_node(s, GFP_KERNEL, wrong[i]);
			assert_non_null(p);
			kmem_cache_free(s, p);
			assert_null(kmem_cache_alloc_node(s, GFP_KERNEL |
						__GFP_THISNODE, wrong[i]));
			assert_null(kmalloc_node(20000, GFP_KERNEL |
						__GFP_THISNODE, wrong[i]));
		}
		kmem_cache_destroy(s);
	}
}

/* kmalloc_node() and its family: of every size, on every node, zeroed where it
 * says so; NULL where a product overflows. */
static void test_kmalloc_family(void **state)
{
	static const size_t sizes[] = { 1, 50, 64, 1000, 8192, 8193, 100000 };
	volatile size_t most = SIZE_MAX, zero = 0;

	(void)state;
	for (unsigned i = 0; i < KMEM_ARRAY_SIZE(sizes); i++)
		for (unsigned k = 0; k < 12; k++) {
			int node = NODE(k % 3);
			size_t size = sizes[i];
			unsigned char *p;

			host_cpu_set(k / 2);
			p = k % 4 == 0 ? kmalloc_node(size, GFP_KERNEL, node) :
			    k % 4 == 1 ? kzalloc_node(size, GFP_KERNEL, node) :
			    k % 4 == 2 ? kcalloc_node(1, size, GFP_KERNEL,
						      node) :
			    kmalloc_array_node(size, 1, GFP_KERNEL, node);
			assert_non_null(p);
			assert_int_equal(node_of(p), k % 3);
			assert_int_equal(ksize(p), test_ksize(size));
			for (size_t b = 0; k % 4 % 3 && b < size; b++)
				REQUIRE(p[b] == 0);
			memset(p, 0xff, ksize(p));
			kfree(p);
		}
	host_cpu_set(0);
	for (unsigned n = 0; n < 3; n++) {	/* a constant size */
		void *p = kmalloc_node(300, GFP_KERNEL, NODE(n));

		assert_int_equal(node_of(p), n);
		kfree(p);
	}
	assert_ptr_equal(kmalloc_node(zero, GFP_KERNEL, NODE(1)),
			 ZERO_SIZE_PTR);
	assert_null(kmalloc_node(most, GFP_KERNEL | QUIET, NODE(1)));
	assert_null(kmalloc_node(KMALLOC_MAX_SIZE + 1, GFP_KERNEL | QUIET,
				 NODE(1)));
	assert_null(kcalloc_node(most, 2, GFP_KERNEL, NODE(1)));
	assert_null(kmalloc_array_node(most / 2, 3, GFP_KERNEL, NODE(1)));
}

/* krealloc_node_align(): stays, unless it must be of that node. */
static void test_krealloc_node(void **state)
{
	char *p = kmalloc_node(200, GFP_KERNEL, NODE(0)), *q;

	(void)state;
	test_fill(p, 100, 4);
	q = krealloc_node_align(p, 100, 1, GFP_KERNEL, NODE(1));
	assert_ptr_equal(p, q);
	q = krealloc_node_align(p, 100, 1, GFP_KERNEL | __GFP_THISNODE,
				NODE(0));
	assert_ptr_equal(p, q);
	q = krealloc_node_align(p, 100, 1, GFP_KERNEL | __GFP_THISNODE,
				NODE(1));
	assert_int_equal(node_of(q), 1);
	assert_null(test_changed(q, 100, 4));
	p = krealloc_node_align(q, 20000, 64, GFP_KERNEL, NODE(2));
	assert_int_equal(node_of(p), 2);
	assert_null(test_changed(p, 100, 4));
	kfree(p);
	p = krealloc_node_align(NULL, 50, 32, GFP_KERNEL, NODE(2));
	assert_int_equal(node_of(p), 2);
	kfree(p);
}

/* CPUs of all nodes at once, each freeing what others allocated. */
static void *volatile shared[64];

static void trade(unsigned cpu, void *arg)
{
	struct kmem_cache *s = arg;
	uint64_t seed = cpu + 1;

	for (unsigned i = 0; i < test_scaled(20000); i++) {
		unsigned n = (unsigned)test_below(&seed, 3);
		void *p = kmem_cache_alloc_node(s, GFP_ATOMIC, NODE(n));

		REQUIRE(p && node_of(p) == n);
		p = __atomic_exchange_n(&shared[test_below(&seed, 64)], p,
					__ATOMIC_ACQ_REL);
		kmem_cache_free(s, p);
	}
}

static void test_all_at_once(void **state)
{
	struct kmem_cache *s = kmem_cache_create("trade", 100, 0, 0, NULL);

	(void)state;
	host_run_cpus(6, trade, s);
	for (unsigned i = 0; i < 64; i++)
		kmem_cache_free(s, shared[i]);
	assert_sound();
	kmem_cache_destroy(s);
}

/* Memory below 16 MiB is of one node, or of none: caches of it look there first,
 * and do not take another node's page count for their own. */
static void test_dma_of_another_node(void **state)
{
	const struct test_range map[] = {
		{ 8 * MIB, 32 * MIB, KMEM_REGION_USABLE, NODE(0) },
		{ 32 * MIB, 48 * MIB, KMEM_REGION_USABLE, NODE(1) },
	};
	const struct kmem_params p = { .nr_cpus = 4, .hooks = &hooks };
	struct kmem_cache *s = kmem_cache_create("low", 600, 0, SLAB_CACHE_DMA,
						 NULL);
	void *obj;

	(void)state;
	host_cpu_set(2);
	assert_null(kmem_cache_alloc(s, GFP_NOWAIT | QUIET));
	kmem_cache_destroy(s);
	host_cpu_set(0);
	assert_int_equal(test_machine(map, 2, &p), KMEM_OK);
	s = kmem_cache_create("low", 600, 0, SLAB_CACHE_DMA, NULL);
	for (unsigned cpu = 0; cpu < 4; cpu += 2) {
		host_cpu_set(cpu);
		obj = kmem_cache_alloc(s, GFP_NOWAIT | QUIET);
		assert_non_null(obj);
		assert_true(virt_to_phys(obj) < 16 * MIB);
		assert_int_equal(page_to_nid(virt_to_page(obj)), NODE(0));
		kmem_cache_free(s, obj);
	}
	host_cpu_set(0);
	kmem_cache_destroy(s);
}

/* A large slab is of the node that it is asked of; when that has none, the next
 * node gives a slab as small as ever. */
static void test_large_slabs_at_home(void **state)
{
	enum { SIZE = 64, N = 17 * MIB / SIZE };
	static void *obj[N];
	struct kmem_cache *s = kmem_cache_create("many", SIZE, 0, 0, NULL);
	unsigned large = 0, away = 0, n = 0;

	(void)state;
	while (n < N && !away) {
		struct page *page;

		obj[n] = kmem_cache_alloc(s, GFP_KERNEL);
		REQUIRE(obj[n]);
		page = virt_to_page(obj[n]);
		away = node_of(obj[n++]);
		large += page->order > stats(s).order;
		if (away)
			assert_int_equal(page->order, stats(s).order);
	}
	assert_int_equal(away, 1);
	assert_int_equal(large > 0, !KMEM_HARDEN);
	assert_sound();
	while (n)
		kmem_cache_free(s, obj[--n]);
	test_drain(6);
	kmem_cache_destroy(s);
	assert_int_equal(test_panics(), 0);
	assert_sound();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_ids),
		CASE(test_large_slabs_at_home),
		CASE(test_every_node_from_every_cpu),
		CASE(test_local_after_remote_frees),
		CASE(test_plain_allocations_stay_local),
		CASE(test_what_another_node_left),
		CASE(test_what_a_neighbour_left),
		CASE(test_objects_go_home),
		CASE(test_node_runs_out),
		CASE(test_tables_of_another_node),
		CASE(test_node_in_pieces),
		CASE(test_full_node_shares),
		CASE(test_dma_of_another_node),
		CASE(test_nofail),
		CASE(test_node_numbers),
		CASE(test_kmalloc_family),
		CASE(test_krealloc_node),
		CASE(test_all_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
