// SPDX-License-Identifier: MIT
/*
 * tests/unit/slab_test.c - the slab layer alone, without names and magazines.
 */
#include "unit.h"
#include "bits.h"
#include "list.h"
#include "slab.h"

/* The layer's calls, with objects for rounds. Each object's slot is verified
 * to be the one that the layer above is told. */
static void check_round(const struct round *r)
{
	struct page *page = virt_to_page(r->obj);

	assert_ptr_equal(r->slot, &page->slot[slab_index(page, page->slabs,
							 r->obj).index]);
	assert_int_equal(*r->slot, SLOT_CACHED);
}

static size_t take(struct kmem_slabs *s, void **objs, size_t n)
{
	struct round r[SLAB_MAX_OBJECTS];
	size_t got;

	assert_true(n <= SLAB_MAX_OBJECTS);
	got = slabs_take(s, r, n, true);
	for (size_t i = 0; i < got; i++) {
		check_round(&r[i]);
		objs[i] = r[i].obj;
	}
	return got;
}

static void *grow(struct kmem_slabs *s, gfp_t gfp)
{
	struct round r = slabs_grow(s, gfp);

	if (r.obj)
		check_round(&r);
	return r.obj;
}

static struct round round_of(struct kmem_slabs *s, void *obj)
{
	struct page *page = virt_to_page(obj);

	return (struct round){
		obj, &page->slot[slab_index(page, s, obj).index],
	};
}

static void give(struct kmem_slabs *s, void *const *objs, size_t n)
{
	for (size_t i = 0; i < n; ) {
		struct round r[SLAB_MAX_OBJECTS];
		size_t k = 0;

		while (k < SLAB_MAX_OBJECTS && i < n)
			r[k++] = round_of(s, objs[i++]);
		slabs_give(s, r, k);
	}
}

static struct kmem_slabs slabs;
static struct slab_node nodes[KMEM_MAX_NODES];

static void say(void *ctx, const char *line)
{
	(void)ctx;
	fprintf(stderr, "slabs_check: %s\n", line);
}

static size_t violations(void)
{
	struct check c = { .out = say };

	slabs_check(&slabs, &c);
	slots_check(&c);
	return c.violations;
}

#define assert_slabs_sound() assert_int_equal(violations(), 0)

static int setup(void **state)
{
	(void)state;
	host_machine(32 * MIB, 1);
	test_panics_record();
	return 0;
}

/* ---------------------------------------------------------------- geometry */

/* For every size: objects fit, are counted right, and no other order would
 * have been better by the rule: the smallest order that wastes at most 1/8 and
 * holds enough objects, else the least waste in proportion. */
static void test_geometry(void **state)
{
	const size_t most = KMEM_PAGE_SIZE << KMEM_SLAB_MAX_ORDER;
	unsigned worst = 0;
	size_t worst_size = 0;

	(void)state;
	for (size_t size = 16; size <= most; size += 8) {
		size_t bytes, waste, least = SIZE_MAX;

		slabs_init(&slabs, "geometry", size, nodes, 1);
		bytes = KMEM_PAGE_SIZE << slabs.order;
		waste = slab_waste(&slabs, slabs.order);
		REQUIRE(slabs.order <= KMEM_SLAB_MAX_ORDER);
		REQUIRE(slabs.min_order <= slabs.order);
		REQUIRE(slabs.objects >= 1);
		REQUIRE(slabs.objects <= SLAB_MAX_OBJECTS);
		REQUIRE(slabs.objects * size + waste == bytes);
		REQUIRE(slab_waste(&slabs, slabs.min_order) <
			KMEM_PAGE_SIZE << slabs.min_order);
		for (unsigned o = 0; o <= KMEM_SLAB_MAX_ORDER; o++)
			if (KMEM_PAGE_SIZE << o >= size)
				least = KMEM_MIN(least, slab_waste(&slabs, o) <<
						 (KMEM_SLAB_MAX_ORDER - o));
		REQUIRE(waste * 8 <= bytes ||
			waste << (KMEM_SLAB_MAX_ORDER - slabs.order) == least);
		/* What is usual: small objects never waste an eighth. */
		if (size <= 4096)
			REQUIRE(waste * 8 <= bytes);
		if (waste * 1000 / bytes > worst) {
			worst = (unsigned)(waste * 1000 / bytes);
			worst_size = size;
		}
	}
	print_message("worst waste: %u per mille, objects of %zu bytes\n",
		      worst, worst_size);
}

/* The index of any byte of a slab, by the reciprocal, must be what a division
 * says, and `exact` must be true for first bytes only: kfree() relies on it. */
static void test_index_of_every_byte(void **state)
{
	const size_t most = KMEM_PAGE_SIZE << KMEM_SLAB_MAX_ORDER;
	/* the slab wraps around in 16 bits */
	const uintptr_t base = 0x1234f000 & ~(KMEM_PAGE_SIZE - 1);
	const struct page page = { .to_offset = (uint16_t)(0 - base) };
	size_t step = test_scaled(100) < 100 ? 104 : 8;

	(void)state;
	for (size_t size = 16; size <= most; size += step) {
		size_t index = 0, rest = 0;

		slabs_init(&slabs, "index", size, nodes, 1);
		for (uintptr_t at = 0; at < KMEM_PAGE_SIZE << slabs.order;
		     at++) {
			struct slab_index i =
				slab_index(&page, &slabs,
					   (void *)(base + at));

			if (i.index != index || i.exact != (rest == 0))
				fprintf(stderr, "size %zu, offset %zu\n", size,
					(size_t)at);
			REQUIRE(i.index == index && i.exact == (rest == 0));
			if (++rest == size) {
				rest = 0;
				index++;
			}
		}
	}
}

/* ----------------------------------------------------------- take and give */

static void start_slabs(size_t size)
{
	slabs_init(&slabs, "test", size, nodes, 1);
}

static struct slab_node sum(void)
{
	struct slab_node n = nodes[0];

	return n;
}

/* One slab, object by object: its place on the lists and its counts change as
 * S3 and S5 say, and it is kept when empty. */
static void test_life_of_a_slab(void **state)
{
	static void *obj[SLAB_MAX_OBJECTS];
	void *one;

	(void)state;
	start_slabs(1024);
	assert_int_equal(take(&slabs, &one, 1), 0);
	obj[0] = grow(&slabs, GFP_KERNEL);
	assert_non_null(obj[0]);
	assert_int_equal(sum().nr_slabs, 1);
	assert_int_equal(sum().nr_empty, 0);
	assert_int_equal(sum().inuse, 1);
	assert_int_equal(sum().capacity, slabs.objects);
	assert_slabs_sound();
	for (unsigned i = 1; i < slabs.objects; i++) {
		assert_int_equal(take(&slabs, &obj[i], 1), 1);
		assert_slabs_sound();
	}
	assert_int_equal(take(&slabs, &one, 1), 0);
	assert_false(list_empty(&nodes[0].full));
	for (unsigned i = 0; i < slabs.objects; i++) {
		give(&slabs, &obj[i], 1);
		assert_slabs_sound();
		assert_int_equal(sum().inuse, slabs.objects - i - 1);
	}
	assert_int_equal(sum().nr_empty, 1);
	assert_int_equal(sum().made - sum().nr_slabs, 0);
	slabs_shrink(&slabs);
	assert_int_equal(sum().nr_slabs, 0);
	assert_int_equal(sum().nr_pages, 0);
	assert_int_equal(sum().capacity, 0);
	assert_int_equal(sum().made - sum().nr_slabs, 1);
	assert_slabs_sound();
}

/* Every object of a slab is given once; together they are the slab, without a
 * gap, and the rest is smaller than an object. */
static void test_objects_cover_the_slab(void **state)
{
	static const size_t sizes[] = {
		16, 24, 48, 64, 104, 192, 320, 640, 1000, 1280, 4096, 5120,
		8192, 12288, 20480, 32768,
	};

	(void)state;
	for (unsigned s = 0; s < KMEM_ARRAY_SIZE(sizes); s++) {
		static void *obj[SLAB_MAX_OBJECTS];
		unsigned char seen[SLAB_MAX_OBJECTS] = { 0 };
		char *base;
		size_t n;

		start_slabs(sizes[s]);
		obj[0] = grow(&slabs, GFP_KERNEL);
		assert_non_null(obj[0]);
		base = page_to_virt(slab_head(virt_to_page(obj[0])));
		n = 1 + take(&slabs, obj + 1, SLAB_MAX_OBJECTS - 1);
		assert_int_equal(n, slabs.objects);
		for (size_t i = 0; i < n; i++) {
			size_t at = (size_t)((char *)obj[i] - base);

			assert_int_equal(at % sizes[s], 0);
			assert_in_range(at / sizes[s], 0, slabs.objects - 1);
			assert_int_equal(seen[at / sizes[s]]++, 0);
			memset(obj[i], (int)i, sizes[s]);
		}
		assert_slabs_sound();
		give(&slabs, obj, n);
		assert_slabs_sound();
		slabs_shrink(&slabs);
	}
}

static size_t max_empty(void)
{
	return slabs.node[0].max_empty;
}

/* Empty slabs beyond max_empty go back at once, and partial ones are used
 * before empty ones, so that a cache which has shrunk stays small. */
static void test_empty_slabs_go_back(void **state)
{
	enum { SLABS = 20 };
	static void *obj[SLABS][SLAB_MAX_OBJECTS];
	void *one;

	(void)state;
	start_slabs(512);
	for (unsigned s = 0; s < SLABS; s++) {
		obj[s][0] = grow(&slabs, GFP_KERNEL);
		assert_int_equal(take(&slabs, obj[s] + 1,
					    slabs.objects - 1u),
				 slabs.objects - 1u);
	}
	assert_int_equal(sum().nr_slabs, SLABS);
	for (unsigned s = 0; s < SLABS - 1; s++) {
		give(&slabs, obj[s], slabs.objects);
		assert_in_range(sum().nr_empty, 0, max_empty());
		assert_slabs_sound();
	}
	assert_int_equal(sum().nr_slabs, 1 + max_empty());
	/* one object of the full slab back: it must be the next to be taken,
	 * not one of the empty slab */
	give(&slabs, &obj[SLABS - 1][3], 1);
	assert_int_equal(take(&slabs, &one, 1), 1);
	assert_ptr_equal(one, obj[SLABS - 1][3]);
	give(&slabs, obj[SLABS - 1], slabs.objects);
	slabs_shrink(&slabs);
	assert_int_equal(sum().nr_slabs, 0);
	assert_slabs_sound();
}

/* A cache that fills and empties over and over keeps its slabs after a few
 * turns, and gives them up by trims when it has come to rest. */
static void test_breathing(void **state)
{
	enum { SLABS = 30, TRIMMED = 4 };
	static void *obj[SLABS * SLAB_MAX_OBJECTS];
	size_t made = 0, n = 0, trims = 0;

	(void)state;
	start_slabs(512);
	for (unsigned turn = 0; turn < 20; turn++) {
		if (turn == 10)
			made = sum().made;
		for (n = 0; n < SLABS * slabs.objects; n++)
			assert_non_null(obj[n] = slabs_alloc(&slabs,
							     GFP_KERNEL));
		give(&slabs, obj, n);
		assert_slabs_sound();
	}
	assert_int_equal(sum().made, made);
	assert_int_equal(zones.empty_pages, sum().nr_pages);
	for (; sum().nr_slabs > 1 && trims < 100; trims++) {
		size_t before = sum().nr_slabs;

		slabs_trim(&slabs, TRIMMED);
		assert_in_range(before - sum().nr_slabs, 0, TRIMMED);
		assert_slabs_sound();
	}
	/* the first one looks what is idle, each further one gives up half of
	 * that, at most TRIMMED */
	assert_in_range(trims, 2, 5 + SLABS / TRIMMED);
	assert_int_equal(max_empty(), 1);
	slabs_shrink(&slabs);
	assert_int_equal(zones.empty_pages, 0);
}

/* All caches' empty slabs together stay within their share of memory. */
static void test_breathing_is_bounded(void **state)
{
	static void *obj[20000];
	size_t n;

	(void)state;
	start_slabs(1024);
	for (unsigned turn = 0; turn < 30; turn++) {
		for (n = 0; n < 10000; n++)
			assert_non_null(obj[n] = slabs_alloc(&slabs,
							     GFP_KERNEL));
		give(&slabs, obj, n);
	}
	assert_in_range(zones.empty_pages, 2, zones.managed / 32);
	assert_slabs_sound();
	slabs_shrink(&slabs);
}

/* Two CPUs that allocate in turn get objects of different slabs; and share those
 * that are more than each needs for now, or rather than fail. */
static void test_cpus_keep_apart(void **state)
{
	struct round a[4], b[4], c, more[64];

	(void)state;
	kmem_reset();
	host_machine(32 * MIB, 2);
	start_slabs(64);
	a[0] = slabs_grow(&slabs, GFP_KERNEL);
	assert_int_equal(slabs_take(&slabs, a + 1, 3, false), 3);
	host_cpu_set(1);
	assert_int_equal(slabs_take(&slabs, b, 1, false), 0);
	b[0] = slabs_grow(&slabs, GFP_KERNEL);
	assert_int_equal(slabs_take(&slabs, b + 1, 3, false), 3);
	for (unsigned i = 0; i < 4; i++) {
		assert_ptr_equal(virt_to_page(a[i].obj),
				 virt_to_page(a[0].obj));
		assert_ptr_equal(virt_to_page(b[i].obj),
				 virt_to_page(b[0].obj));
	}
	assert_ptr_not_equal(virt_to_page(a[0].obj), virt_to_page(b[0].obj));
	assert_slabs_sound();

	/* CPU 1's slab is used up; CPU 0's only one is left to it; of two, the one
	 * that it comes to last is not */
	assert_int_equal(slabs_take(&slabs, more, 60, false), 60);
	assert_int_equal(slabs_take(&slabs, more + 60, 4, false), 0);
	host_cpu_set(0);
	c = slabs_grow(&slabs, GFP_KERNEL);
	host_cpu_set(1);
	assert_int_equal(slabs_take(&slabs, more + 60, 4, false), 4);
	for (unsigned i = 60; i < 64; i++)
		assert_ptr_equal(virt_to_page(more[i].obj),
				 virt_to_page(a[0].obj));
	assert_slabs_sound();
	slabs_give(&slabs, more, 64);
	slabs_give(&slabs, &c, 1);
	slabs_give(&slabs, b, 4);
	slabs_give(&slabs, a, 4);

	/* the only one, but no choice */
	slabs_shrink(&slabs);
	a[0] = slabs_grow(&slabs, GFP_KERNEL);
	host_cpu_set(0);
	assert_int_equal(slabs_take(&slabs, b, 1, false), 0);
	assert_int_equal(slabs_take(&slabs, b, 1, true), 1);
	slabs_give(&slabs, a, 1);
	slabs_give(&slabs, b, 1);
	slabs_shrink(&slabs);
	assert_slabs_sound();
}

/* And so do the slots of slabs that two CPUs make in turn: no cache line has some
 * of both, where two arrays fit into one. */
static void test_slots_keep_apart(void **state)
{
	enum { EACH = 40, LINE = 64 };
	static struct round r[2][EACH];

	(void)state;
	kmem_reset();
	host_machine(32 * MIB, 2);
	start_slabs(192);
	for (unsigned i = 0; i < 2 * EACH; i++) {
		host_cpu_set(i % 2);
		r[i % 2][i / 2] = slabs_grow(&slabs, GFP_KERNEL);
	}
	nodes[1] = sum();
	assert_true(slabs_slot_bytes(&slabs, &nodes[1]) <=
		    nodes[1].nr_slabs * LINE / 2);
	for (unsigned i = 0; i < EACH; i++)
		for (unsigned j = 0; j < EACH; j++)
			assert_true((uintptr_t)r[0][i].slot / LINE !=
				    (uintptr_t)r[1][j].slot / LINE);
	assert_slabs_sound();
	host_cpu_set(0);
	slabs_give(&slabs, r[0], EACH);
	slabs_give(&slabs, r[1], EACH);
	slabs_shrink(&slabs);
}

/* What comes back to a full slab is for the CPU that took its last object,
 * whoever gives it. */
static void test_full_slab_has_an_owner(void **state)
{
	struct round a[64], b[64], r;

	(void)state;
	kmem_reset();
	host_machine(32 * MIB, 2);
	start_slabs(64);
	a[0] = slabs_grow(&slabs, GFP_KERNEL);
	assert_int_equal(slabs_take(&slabs, a + 1, 63, false), 63);
	host_cpu_set(1);
	b[0] = slabs_grow(&slabs, GFP_KERNEL);
	assert_int_equal(slabs_take(&slabs, b + 1, 63, false), 63);
	slabs_give(&slabs, &a[7], 1);
	assert_slabs_sound();
	/* little is free in others' slabs */
	assert_int_equal(slabs_take(&slabs, &r, 1, false), 0);
	host_cpu_set(0);
	assert_int_equal(slabs_take(&slabs, &r, 1, false), 1);
	assert_ptr_equal(r.obj, a[7].obj);

	/* without a choice it goes to CPU 1, and what comes back later too */
	slabs_give(&slabs, &r, 1);
	host_cpu_set(1);
	assert_int_equal(slabs_take(&slabs, &r, 1, true), 1);
	assert_ptr_equal(r.obj, a[7].obj);
	host_cpu_set(0);
	slabs_give(&slabs, &a[9], 1);
	assert_int_equal(slabs_take(&slabs, &r, 1, false), 0);
	host_cpu_set(1);
	assert_int_equal(slabs_take(&slabs, &r, 1, false), 1);
	assert_ptr_equal(r.obj, a[9].obj);
	slabs_give(&slabs, a, 64);
	slabs_give(&slabs, b, 64);
	assert_slabs_sound();
	slabs_shrink(&slabs);
	host_cpu_set(0);
}

/* A round whose slot is not its object's own, as a second copy of a racing
 * double free may carry it: reported, and neither slot is touched. */
static void test_foreign_slot(void **state)
{
	struct round r[3], wrong;

	(void)state;
	start_slabs(64);
	r[0] = slabs_grow(&slabs, GFP_KERNEL);
	assert_int_equal(slabs_take(&slabs, r + 1, 2, true), 2);
	wrong = (struct round){ r[1].obj, r[2].slot };
	slabs_give(&slabs, &wrong, 1);
	assert_panicked(r[1].obj, "freed twice", NULL);
	assert_int_equal(*r[1].slot, SLOT_CACHED);
	assert_int_equal(*r[2].slot, SLOT_CACHED);
	assert_slabs_sound();
	slabs_give(&slabs, r, 3);
	slabs_shrink(&slabs);
	assert_slabs_sound();
}

/* Random takes and gives, of many at once, over all kinds of slot arrays
 * (inline, 64, 256); the slabs are checked after every step. */
static void test_random_take_and_give(void **state)
{
	static const size_t sizes[] = { 16, 32, 56, 64, 128, 256, 1024, 8192 };
	static void *held[3000];
	uint64_t seed = test_seed("slab_test: take and give");

	(void)state;
	for (unsigned s = 0; s < KMEM_ARRAY_SIZE(sizes); s++) {
		size_t nr = 0;

		start_slabs(sizes[s]);
		for (unsigned step = 0; step < test_scaled(500); step++) {
			size_t want = 1 + test_below(&seed, 100);

			if (test_below(&seed, 2) && nr + want < 3000) {
				size_t got = take(&slabs, held + nr,
							want);

				REQUIRE(got <= want);
				nr += got;
				if (got < want) {
					held[nr] = slabs_alloc(&slabs,
							       GFP_NOWAIT);
					nr += held[nr] != NULL;
				}
			} else if (nr) {
				size_t n = want < nr ? want : nr;

				for (size_t i = 0; i < n; i++) {
					size_t j = i + test_below(&seed,
								  nr - i);
					void *t = held[i];

					held[i] = held[j];
					held[j] = t;
				}
				give(&slabs, held, n);
				nr -= n;
				memmove(held, held + n, nr * sizeof(*held));
			}
			REQUIRE(violations() == 0);
			REQUIRE(sum().inuse == nr);
		}
		give(&slabs, held, nr);
		slabs_shrink(&slabs);
		assert_int_equal(sum().nr_slabs, 0);
	}
}

static unsigned constructed;

static void construct(void *obj)
{
	*(uint32_t *)obj = 0xc0de0000u + constructed++;
}

/* The constructor sees each object of a slab once, when the slab is made;
 * taking and giving leave objects as they are. */
static void test_constructor(void **state)
{
	static void *obj[SLAB_MAX_OBJECTS];

	(void)state;
	start_slabs(512);
	slabs.ctor = construct;
	constructed = 0;
	obj[0] = grow(&slabs, GFP_KERNEL);
	assert_int_equal(constructed, slabs.objects);
	take(&slabs, obj + 1, slabs.objects - 1u);
	for (unsigned i = 0; i < slabs.objects; i++)
		assert_int_equal(*(uint32_t *)obj[i] >> 16, 0xc0de);
	give(&slabs, obj, slabs.objects);
	assert_int_equal(take(&slabs, obj, 5), 5);
	assert_int_equal(constructed, slabs.objects);
	give(&slabs, obj, 5);
	slabs_shrink(&slabs);
}

/* --------------------------------------------------------- when pages fail */

static unsigned pages_left, pages_got, pages_put;
static unsigned refuse_order;	/* and above */

static struct page *stingy_pages(struct kmem_slabs *s, gfp_t gfp, unsigned node,
				 unsigned order)
{
	struct page *page;

	if (order >= refuse_order || !pages_left)
		return NULL;
	page = slabs_raw_pages(s, gfp, node, order);
	if (page) {
		pages_left--;
		pages_got++;
	}
	return page;
}

static void counted_put(struct kmem_slabs *s, struct page *page, unsigned order)
{
	pages_put++;
	slabs_put_raw_pages(s, page, order);
}

static void start_stingy(size_t size, unsigned refuse, unsigned left)
{
	start_slabs(size);
	slabs.get_pages = stingy_pages;
	slabs.put_pages = counted_put;
	refuse_order = refuse;
	pages_left = left;
	pages_got = 0;
	pages_put = 0;
}

/* No pages: NULL, and nothing has changed. */
static void test_no_pages(void **state)
{
	void *obj;

	(void)state;
	start_stingy(256, 10, 0);
	assert_null(grow(&slabs, GFP_KERNEL));
	assert_null(slabs_alloc(&slabs, GFP_KERNEL));
	assert_int_equal(take(&slabs, &obj, 1), 0);
	assert_int_equal(sum().nr_slabs, 0);
	assert_slabs_sound();
}

/* No block of the best order: a slab of the smallest order is made, with fewer
 * objects, and lives beside larger ones. */
static void test_smaller_slabs(void **state)
{
	void *small[SLAB_MAX_OBJECTS], *large[SLAB_MAX_OBJECTS];
	size_t size = 1280, n, m;

	(void)state;
	start_stingy(size, 1, 10);
	assert_true(slabs.order > slabs.min_order);
	small[0] = grow(&slabs, GFP_KERNEL);
	assert_non_null(small[0]);
	n = 1 + take(&slabs, small + 1, SLAB_MAX_OBJECTS - 1);
	assert_int_equal(n, KMEM_PAGE_SIZE / size);
	assert_slabs_sound();
	refuse_order = 10;
	large[0] = grow(&slabs, GFP_KERNEL);
	m = 1 + take(&slabs, large + 1, SLAB_MAX_OBJECTS - 1);
	assert_int_equal(m, slabs.objects);
	assert_slabs_sound();
	give(&slabs, small, n);
	give(&slabs, large, m);
	assert_slabs_sound();
	slabs_shrink(&slabs);
	assert_int_equal(pages_got, 2);
	assert_int_equal(pages_put, 2);
	assert_int_equal(sum().nr_pages, 0);
}

/* One object of each slab, of as many as are many. */
static struct {
	void *obj[3 + KMEM_LARGE_SLABS_BYTES / KMEM_PAGE_SIZE];
	size_t nr;
} many;

static struct page *grow_many(void)
{
	void *obj = grow(&slabs, GFP_KERNEL);

	REQUIRE(obj && many.nr < KMEM_ARRAY_SIZE(many.obj));
	many.obj[many.nr++] = obj;
	return virt_to_page(obj);
}

static void start_many(size_t size)
{
	start_stingy(size, KMEM_MAX_ORDER, 100000);
	slabs_enlarge(&slabs);
	many.nr = 0;
	while (sum().nr_pages <= KMEM_LARGE_SLABS_BYTES / KMEM_PAGE_SIZE) {
		struct page *page = grow_many();

		REQUIRE(page->order == slabs.order);
		REQUIRE(slab_objects(page) == slabs.objects);
	}
}

/* Small objects: when there are many slabs, the next are larger, as far as
 * memory has such blocks, and hold as many more objects; all are counted. */
static void test_large_slabs(void **state)
{
	static const size_t sizes[] = { 48, 64, 80, 128, 192 };

	(void)state;
	for (unsigned i = 0; i < KMEM_ARRAY_SIZE(sizes); i++) {
		struct slab_node before, after;
		struct page *page;
		unsigned n;

		start_many(sizes[i]);
		assert_true(slabs.large_order > slabs.order);
		assert_true(slabs.large_order <= KMEM_SLAB_MAX_ORDER);
		before = sum();
		page = grow_many();
		assert_int_equal(page->order, slabs.large_order);
		n = slab_objects(page);
		assert_int_equal(n, slabs.large_objects);
		assert_in_range(n, slabs.objects << (page->order - slabs.order),
				SLAB_MAX_OBJECTS);
		after = sum();
		assert_int_equal(after.capacity - before.capacity, n);
		assert_true(slabs_slot_bytes(&slabs, &after) -
			    slabs_slot_bytes(&slabs, &before) >= n);
		assert_slabs_sound();

		refuse_order = slabs.large_order;
		assert_int_equal(grow_many()->order, slabs.order);
		give(&slabs, many.obj, many.nr);
		assert_slabs_sound();
		slabs_shrink(&slabs);
		assert_int_equal(sum().nr_pages, 0);
		assert_int_equal(pages_got, pages_put);
		assert_slabs_sound();
	}
}

/* Where objects are few in a slab, or none begins with it, it stays as it is. */
static void test_no_large_slabs(void **state)
{
	(void)state;
	start_slabs(KMEM_PAGE_SIZE / 4);
	slabs_enlarge(&slabs);
	assert_int_equal(slabs.large_order, slabs.order);
	start_slabs(416);
	assert_true(slabs.order > slabs.min_order);
	assert_true(slabs.objects > KMEM_INLINE_SLOTS);
	slabs_enlarge(&slabs);
	assert_int_equal(slabs.large_order, slabs.order);
	start_slabs(64);
	assert_true(slabs_layout_apart(&slabs, 64, 8, 8, 8));
	slabs_enlarge(&slabs);
	assert_int_equal(slabs.large_order, slabs.order);
}

/* An object that is not on its way back (a second copy from a racing double
 * free) is reported, and the others of the batch are given back. */
static void test_second_copy(void **state)
{
	void *obj[4], *batch[3];

	(void)state;
	start_slabs(256);
	obj[0] = grow(&slabs, GFP_KERNEL);
	assert_int_equal(take(&slabs, obj + 1, 3), 3);
	batch[0] = obj[1];
	batch[1] = obj[1];
	batch[2] = obj[2];
	give(&slabs, batch, 3);
	assert_panicked(obj[1], "test", "freed twice");
	assert_int_equal(sum().inuse, 2);
	assert_slabs_sound();
	give(&slabs, &obj[0], 1);
	give(&slabs, &obj[3], 1);
	assert_slabs_sound();
	slabs_shrink(&slabs);
}

/* slabs_for_each() shows just the objects in a state. */
static void note_object(void *obj, unsigned index, void *arg)
{
	void **list = arg;

	(void)index;
	while (*list)
		list++;
	*list = obj;
}

static void test_for_each(void **state)
{
	void *obj[8], *seen[SLAB_MAX_OBJECTS] = { NULL };
	struct page *page;
	struct slab_index i;

	(void)state;
	start_slabs(512);
	obj[0] = grow(&slabs, GFP_KERNEL);
	assert_int_equal(take(&slabs, obj + 1, 3), 3);
	page = virt_to_page(obj[2]);
	i = slab_index(page, &slabs, obj[2]);
	assert_true(i.exact);
	page->slot[i.index] = SLOT_LIVE;
	slabs_for_each(&slabs, SLOT_LIVE, note_object, seen);
	assert_ptr_equal(seen[0], obj[2]);
	assert_null(seen[1]);
	seen[0] = NULL;
	slabs_for_each(&slabs, SLOT_CACHED, note_object, seen);
	assert_non_null(seen[2]);
	assert_null(seen[3]);
	page->slot[i.index] = SLOT_CACHED;
	give(&slabs, obj, 4);
	slabs_shrink(&slabs);
}

/* A write of up to TABLE_PAD bytes beyond the page in front of a table's slab,
 * or the one behind it, hits no table; and whatever the size, all of a slab's
 * pointers have a slot, which in the pads is never LIVE. */
static void test_tables_keep_off_the_ends(void **state)
{
	const size_t sizes[] = { 32, 64, 128, 192, 240, 256, 640, 1008, 2048,
				 4032, 16320, (PAGE << KMEM_SLAB_MAX_ORDER) -
				 2 * TABLE_PAD };

	(void)state;
	for (unsigned i = 0; i < KMEM_ARRAY_SIZE(sizes); i++) {
		struct page *head;
		uintptr_t base, end;
		void *obj;

		tables_init(&slabs, "test", sizes[i], nodes);
		obj = grow(&slabs, GFP_KERNEL);
		assert_non_null(obj);
		head = slab_head(virt_to_page(obj));
		base = (uintptr_t)page_to_virt(head);
		end = base + (PAGE << head->order);
		assert_true((uintptr_t)slab_object(head, 0) >=
			    base + TABLE_PAD);
		assert_true((uintptr_t)slab_object(head, slab_objects(head)) +
			    TABLE_PAD <= end);
		for (uintptr_t p = base; p < end; p++)
			assert_true(slab_index(virt_to_page((void *)p), &slabs,
					       (void *)p).index <
				    nr_slots(&slabs, head->order));
		for (unsigned k = 0; k < slab_objects(head); k++) {
			struct slab_index at = slab_index(
				virt_to_page(slab_object(head, k)), &slabs,
				slab_object(head, k));

			assert_true(at.exact);
			assert_int_equal(at.index - slabs_first(&slabs), k);
		}
		give(&slabs, &obj, 1);
		slabs_shrink(&slabs);
	}
}

/* Objects that begin behind a pad, of any size: if they do not fit like that, or
 * the index of the last could not be found by a multiplication, they begin with
 * the slab. */
static void test_padded_layouts(void **state)
{
	const size_t most = KMEM_PAGE_SIZE << KMEM_SLAB_MAX_ORDER;
	unsigned padded = 0, plain = 0;

	(void)state;
	for (size_t size = 16; size <= 2 * most; size += 8)
		for (size_t start = 16; start <= 128; start *= 2) {
			struct kmem_slabs s = { .size = (uint32_t)size };

			slabs_layout_padded(&s, start);
			if (!s.start) {
				assert_true(size + 2 * size + start > most);
				plain++;
				continue;
			}
			padded++;
			assert_true(s.start >= start);
			assert_true(s.start + size + s.pad <= most);
			assert_true(s.first * size >= s.start);
			assert_true(s.first * size - s.start + most <= 65536);
			assert_true(s.pad > 0);
		}
	assert_true(padded > 0 && plain > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_geometry),
		CASE(test_index_of_every_byte),
		CASE(test_life_of_a_slab),
		CASE(test_objects_cover_the_slab),
		CASE(test_empty_slabs_go_back),
		CASE(test_breathing),
		CASE(test_breathing_is_bounded),
		CASE(test_cpus_keep_apart),
		CASE(test_slots_keep_apart),
		CASE(test_full_slab_has_an_owner),
		CASE(test_foreign_slot),
		CASE(test_random_take_and_give),
		CASE(test_constructor),
		CASE(test_no_pages),
		CASE(test_smaller_slabs),
		CASE(test_large_slabs),
		CASE(test_no_large_slabs),
		CASE(test_second_copy),
		CASE(test_for_each),
		CASE(test_tables_keep_off_the_ends),
		CASE(test_padded_layouts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
