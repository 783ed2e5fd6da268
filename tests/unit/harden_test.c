// SPDX-License-Identifier: MIT
/*
 * tests/unit/harden_test.c - what a hardened build finds in every cache.
 *
 * Built without KMEM_HARDEN it has one case: that guards cost nothing then.
 * Each attack must be reported once, with the object, what was expected and
 * found; afterwards all must be sound, and the object be used as any other.
 */
#include "unit.h"
#include "kmalloc.h"

#define RIGHT	"right guard overwritten"
#define LEFT	"left guard overwritten"
#define WRITTEN	"written after free"

static int setup(void **state)
{
	static const struct kmem_hooks hooks = { .log = test_log };
	static const struct test_range map[] = {
		{ 16 * MIB, 48 * MIB, KMEM_REGION_USABLE, KMEM_NO_NODE },
	};
	struct kmem_params p = { .nr_cpus = 2, .hooks = &hooks,
				 .secret = 0x1234567890abcdef };

	(void)state;
	host_cpu_set(0);
	assert_int_equal(test_machine(map, 1, &p), KMEM_OK);
	test_panics_record();
	test_log_clear();
	return 0;
}

/* One report, of this object, with these words and its cache, and nothing is
 * broken. */
static void assert_found(const void *p, const char *what, const char *bytes)
{
	const struct kmem_slabs *s = virt_to_page(p)->slabs;
	char words[200];

	assert_int_equal(test_panics(), 1);
	snprintf(words, sizeof(words), "(%p): %s: cache %s, slab ", p, what,
		 s ? s->name : "");
	if (s)
		assert_non_null(strstr(test_panic(0), words));
	assert_non_null(strstr(test_panic(0), ", index "));
	assert_panicked(p, what, bytes);
	assert_sound();
}

/* --------------------------------------------------------- beyond the ends */

static const struct attack {
	int at, n;		/* from the end; if negative, the start */
	int byte;
	const char *what, *found;
} attacks[] = {
	{ 0, 1, 'A', RIGHT, "found 41" },
	{ 0, 1, 0, RIGHT, "found 00" },
	{ 0, 1, 0xff, RIGHT, "found ff" },
	{ 0, 1, 0xaa, RIGHT, "found aa" },
	{ 0, 1, 0xcc, RIGHT, "found cc" },
	{ 0, 8, 0, RIGHT, "found 00" },
	{ 0, 8, 0x55, RIGHT, "found 55" },
	{ -8, 8, 0, LEFT, "found 00" },
	{ -8, 8, 'B', LEFT, "found 42" },
	{ -1, 1, 0, LEFT, "found 00" },
};

static void attack(char *p, size_t size, const struct attack *a)
{
	memset(a->at < 0 ? p + a->at : p + size + a->at, a->byte,
	       (size_t)a->n);
}

/* Objects of any size, aligned or not; with a constructor too. */
static void overflow_objects(size_t size, size_t align, slab_flags_t flags)
{
	struct kmem_cache *s = kmem_cache_create("victim", size, align, flags,
						 NULL);
	static char *obj[100];

	assert_non_null(s);
	for (unsigned i = 0; i < KMEM_ARRAY_SIZE(obj); i++) {
		obj[i] = kmem_cache_alloc(s, GFP_KERNEL);
		assert_int_equal((uintptr_t)obj[i] %
				 (align ? align : sizeof(void *)), 0);
	}
	for (unsigned k = 0; k < KMEM_ARRAY_SIZE(attacks); k++)
		for (unsigned i = 0; i < KMEM_ARRAY_SIZE(obj); i += 7) {
			memset(obj[i], 0xff, size);
			attack(obj[i], size, &attacks[k]);
			kmem_cache_free(s, obj[i]);
			assert_found(obj[i], attacks[k].what,
				     attacks[k].found);
			obj[i] = kmem_cache_alloc(s, GFP_KERNEL);
			memset(obj[i], 0xff, size);
		}
	for (unsigned i = 0; i < KMEM_ARRAY_SIZE(obj); i++)
		kmem_cache_free(s, obj[i]);
	assert_no_panic();
	kmem_cache_destroy(s);
	assert_no_panic();
}

static void test_overflows_of_objects(void **state)
{
	static const size_t sizes[] = { 1, 8, 13, 50, 64, 100, 512, 1000, 4096,
					8192 };

	(void)state;
	for (unsigned i = 0; i < KMEM_ARRAY_SIZE(sizes); i++) {
		overflow_objects(sizes[i], 0, 0);
		for (size_t align = 16; align <= 256; align *= 4)
			overflow_objects(sizes[i], align, 0);
	}
	overflow_objects(64, 0, SLAB_HWCACHE_ALIGN);
}

/* By 64: what is beyond the guard is a neighbour's, but the report is of who
 * wrote. */
static void test_long_overflow(void **state)
{
	(void)state;
	for (size_t size = 8; size <= 4096; size *= 2) {
		char *p = kmalloc(size, GFP_KERNEL);

		memset(p + size, 'A', 64);
		kfree(p);
		assert_panicked(p, RIGHT, "found 41");
		assert_sound();
		kmem_trim(KMEM_DRAIN_CPU);
		test_panics_clear();	/* of the neighbour */
	}
}

/* Of kmalloc(): from the size asked for on, whatever the class, and however the
 * block came to be. */
static char *some_kmalloc(unsigned how, volatile size_t size)
{
	char *p;

	switch (how) {
	case 0: return kmalloc(size, GFP_KERNEL);
	case 1: return kzalloc(size, GFP_KERNEL);
	case 2: return kmalloc_node(size, GFP_KERNEL, 0);
	case 3: return kmalloc_aligned(size, 32, GFP_KERNEL);
	case 4: return krealloc(kmalloc(1, GFP_KERNEL), size, GFP_KERNEL);
	case 5:
		p = kmalloc(size + 1, GFP_KERNEL);
		return p ? krealloc(p, size, GFP_KERNEL) : NULL;
	case 6: return kmalloc_nolock(size, 0, KMEM_NO_NODE);
	default: return kmalloc(size, GFP_KERNEL | __GFP_RECLAIMABLE);
	}
}

static void test_overflows_of_kmalloc(void **state)
{
	(void)state;
	for (size_t size = 1; size <= KMALLOC_MAX_CACHE_SIZE;
	     size += size < 140 ? 1 : size / 7)
		for (unsigned how = 0; how < 8; how++) {
			unsigned k = (unsigned)(size + how) %
				     KMEM_ARRAY_SIZE(attacks);
			char *p = some_kmalloc(how, size);

			if (how == 5 && size == KMALLOC_MAX_CACHE_SIZE) {
				kfree(p);
				continue;
			}
			assert_non_null(p);
			assert_int_equal(ksize(p), size);
			memset(p, 0xff, size);
			attack(p, size, &attacks[k]);
			kfree(p);
			assert_found(p, attacks[k].what, attacks[k].found);
		}
}

/* A size that the compiler knows takes a path of its own. */
#define CONSTANT(n) do { \
	char *p = kmalloc(n, GFP_KERNEL); \
	assert_int_equal(ksize(p), n); \
	memset(p, 'x', n); \
	p[n] = 0; \
	kfree(p); \
	assert_found(p, RIGHT, "found 00"); \
} while (0)

static void test_overflows_of_constant_kmalloc(void **state)
{
	(void)state;
	CONSTANT(1);
	CONSTANT(15);
	CONSTANT(16);
	CONSTANT(63);
	CONSTANT(64);
	CONSTANT(100);
	CONSTANT(4000);
	CONSTANT(8192);
}

/* Whoever frees, finds. */
static void test_every_free(void **state)
{
	struct kmem_cache *s = kmem_cache_create("victim", 40, 0, 0, NULL);
	void *p[3];

	(void)state;
	p[0] = kmem_cache_alloc(s, GFP_KERNEL);
	((char *)p[0])[40] = 0;
	kmem_cache_free_bulk(s, 1, p);
	assert_found(p[0], RIGHT, "kmem_cache_free_bulk");
	p[0] = kmalloc(40, GFP_KERNEL);
	((char *)p[0])[40] = 0;
	kfree_nolock(p[0]);
	assert_found(p[0], RIGHT, "kfree_nolock");
	p[0] = kmalloc(33, GFP_KERNEL);
	((char *)p[0])[33] = 0;
	p[1] = krealloc(p[0], 34, GFP_KERNEL);
	assert_found(p[0], RIGHT, "krealloc");
	kfree(p[1]);
	assert_int_equal(kmem_cache_alloc_bulk(s, GFP_KERNEL, 3, p), 3);
	((char *)p[1])[-1] = 0;
	kmem_cache_free_bulk(s, 3, p);
	assert_found(p[1], LEFT, "at -1");
	assert_no_panic();
	kmem_cache_destroy(s);
}

/* Two CPUs free it at once: here, what the second one sees, which found it LIVE
 * when the first had not marked it yet, and comes to look at its guard when the
 * first has blanked it. The second copy is dropped when it comes to its slab. */
static void test_freed_by_two_at_once(void **state)
{
	struct kmem_obj_info o;
	char *p = kmalloc(100, GFP_KERNEL);
	kmem_slot_t *slot;

	(void)state;
	assert_true(kmem_obj_lookup(p, &o));
	slot = slab_slot(slab_head(virt_to_page(p)), o.index);
	kfree(p);
	assert_int_equal(*slot, SLOT_CACHED);
	*slot = SLOT_LIVE;
	kfree(p);
	assert_panicked(p, RIGHT ", or double free by CPUs that raced",
			"at 100: expected");
	test_drain(2);
	assert_panicked(p, "freed twice, by CPUs that raced", "not CACHED");
	assert_sound();
	/* There is no such doubt about one more zero behind others, nor about
	 * an object that nobody frees. */
	p = kzalloc(100, GFP_KERNEL);
	p[100] = 0;
	kfree(p);
	assert_found(p, RIGHT, "found 00");
	p = kzalloc(100, GFP_KERNEL);
	memset(p + 100, 0, 12);
	p = krealloc(p, 60, GFP_KERNEL);
	assert_found(p, RIGHT, "krealloc");
	kfree(p);
}

/* The report says where the free was called. */
static __attribute__((noinline)) void *return_here(void)
{
	return __builtin_return_address(0);
}

static void test_report_names_the_caller(void **state)
{
	char *p = kmalloc(40, GFP_KERNEL);
	const char *by;
	uintptr_t here = (uintptr_t)return_here();

	(void)state;
	p[40] = 0;
	kfree(p);
	assert_int_equal(test_panics(), 1);
	by = strstr(test_panic(0), "; caller 0x");
	assert_non_null(by);
	assert_in_range(strtoull(by + 9, NULL, 16), here, here + 200);
	test_panics_clear();
}

/* No guard is another's, and none survives the boot. */
static void test_guards_differ(void **state)
{
	static uintptr_t seen[200];
	unsigned same = 0;
	uintptr_t before;

	(void)state;
	for (unsigned i = 0; i < 200; i++) {
		const unsigned char *g = (const unsigned char *)&seen[i];

		seen[i] = guard_of((void *)(uintptr_t)(0x100000 + 48 * i));
		for (unsigned b = 0; b < GUARD_WORD; b++)
			assert_true(g[b] >= 0x90 && g[b] != 0xff);
		for (unsigned k = 0; k < i; k++)
			same += seen[k] == seen[i];
	}
	assert_in_range(same, 0, GUARD_WORD == 8 ? 1 : 20);
	before = guard_of(seen);
	guard_bootstrap(4711);
	assert_true(before != guard_of(seen));
	setup(state);
}

/* ------------------------------------------------------- free, and blank */

static void test_write_after_free(void **state)
{
	static const size_t sizes[] = { 1, 8, 13, 50, 64, 100, 136, 300, 1000,
					4096 };
	static char *obj[3000];

	(void)state;
	for (unsigned i = 0; i < KMEM_ARRAY_SIZE(sizes); i++)
		for (unsigned at = 0; at < 3; at++) {
			size_t byte = at * (sizes[i] - 1) / 2;
			unsigned n = 0;
			char *p;
			struct kmem_cache *s = kmem_cache_create("victim",
						sizes[i], 0, 0, NULL);

			p = kmem_cache_alloc(s, GFP_KERNEL);
			obj[n++] = kmem_cache_alloc(s, GFP_KERNEL);
			memset(p, 'x', sizes[i]);
			kmem_cache_free(s, p);
			p[byte] = 1;
			kmem_cache_shrink(s);	/* out of quarantine */
			while (n < 3000 && !test_panics())
				obj[n++] = kmem_cache_alloc(s, GFP_KERNEL);
			assert_found(p, WRITTEN, "expected 00, found 01");
			while (n)
				kmem_cache_free(s, obj[--n]);
			kmem_cache_destroy(s);
			assert_no_panic();
		}
}

/* The same of kmalloc(), whose blocks come by other ways. */
static void test_write_after_kfree(void **state)
{
	static const size_t sizes[] = { 1, 24, 100, 250, 1000 };
	static char *obj[3000];

	(void)state;
	for (unsigned i = 0; i < KMEM_ARRAY_SIZE(sizes); i++)
		for (unsigned slow = 0; slow < 2; slow++) {
			struct kmem_cache *s;
			unsigned n = 0;
			char *p = kmalloc(sizes[i], GFP_KERNEL);

			s = slabs_cache(virt_to_page(p)->slabs);
			obj[n++] = kmalloc(sizes[i], GFP_KERNEL);
			kfree(p);
			p[0] = 1;
			if (slow)	/* to its slab, too */
				kmem_cache_shrink(s);
			for (unsigned k = 0; k < 2000 && !test_panics(); k++) {
				if (!slow)	/* out of quarantine */
					kfree(obj[--n]);
				obj[n++] = kmalloc(sizes[i], GFP_KERNEL);
			}
			assert_found(p, WRITTEN, "expected 00, found 01");
			assert_ptr_equal(obj[n - 1], p);
			assert_int_equal(ksize(p), sizes[i]);
			while (n)
				kfree(obj[--n]);
			kmem_cache_shrink(s);
			assert_no_panic();
		}
}

/* What is CACHED, and blank, was not written to: if it could not be given out, it
 * is the second copy of one that was freed twice. And who finds a write, but no
 * byte that differs, since it was zeroed meanwhile, says so of the last one. */
static void test_neither_written_nor_free(void **state)
{
	struct kmem_cache *s = kmem_cache_create("victim", 64, 0, 0, NULL);
	char *p = kmem_cache_alloc(s, GFP_KERNEL), *q;
	kmem_slot_t *slot;

	(void)state;
	slot = &virt_to_page(p)->slot[slab_index(virt_to_page(p), &s->slabs,
						 p).index];
	kmem_cache_free(s, p);
	q = cache_alloc_again(s, GFP_KERNEL, p);
	assert_panicked(p, "freed twice", "victim");
	assert_ptr_not_equal(p, q);
	*slot = SLOT_LIVE;
	kmem_cache_free(s, q);
	q = cache_alloc_again(s, GFP_KERNEL, p);
	assert_panicked(p, "freed twice", "victim");
	kmem_cache_free(s, q);
	*slot = SLOT_CACHED;
	guard_written(&s->slabs, p, 0);
	assert_found(p, WRITTEN, "at 63: expected 00, found 00");
	kmem_cache_destroy(s);
	assert_no_panic();
}

/* A cache of which all objects have sizes of their own goes, and all that it had:
 * nobody should, but it is one of kmalloc()'s. */
static void test_sizes_go_with_their_cache(void **state)
{
	struct kmem_cache *s = kmalloc_caches[KMALLOC_NORMAL][kmalloc_index(64)];
	size_t before;

	(void)state;
	test_drain(2);
	before = caches_bytes();
	kfree(kmalloc(64, GFP_KERNEL));
	assert_true(slabs_bytes(guard_sizes(&s->slabs)) > 0);
	kmem_cache_destroy(s);
	assert_no_panic();
	assert_in_range(caches_bytes(), 1, before);
	assert_sound();
}

/* The tables that guards are described in are verified with all else. */
static void test_tables_are_checked(void **state)
{
	struct kmem_slabs *s =
		&kmalloc_caches[KMALLOC_NORMAL][kmalloc_index(64)]->slabs;
	size_t *const counts[] = {
		&guard_sizes(s)->node->inuse,
		&virt_to_page(s->guard)->slabs->node->inuse,
		&virt_to_page(s->guard)->slabs->node->nr_pages,
		&zones.empty_pages, &zones.depot_bytes,
	};

	(void)state;
	kfree(kmalloc(64, GFP_KERNEL));
	for (unsigned i = 0; i < KMEM_ARRAY_SIZE(counts); i++) {
		assert_sound();
		++*counts[i];
		assert_in_range(kmem_check_all(NULL, NULL), 1, 2);
		--*counts[i];
	}
	assert_sound();
}

/* Caches that are debugged have no guards, and are none the worse: an object of
 * kmalloc() may be resized there, and one of a cache's is moved. */
static void test_debugged_beside_hardened(void **state)
{
	static const struct test_range map[] = {
		{ 16 * MIB, 48 * MIB, KMEM_REGION_USABLE, KMEM_NO_NODE },
	};
	const struct kmem_params params = { .debug = "FZP,kmalloc-64" };
	struct kmem_cache *s;
	char *p, *q;

	(void)state;
	assert_int_equal(test_machine(map, 1, &params), KMEM_OK);
	p = kmalloc(60, GFP_KERNEL);
	assert_null(virt_to_page(p)->slabs->guard);
	assert_int_equal(ksize(p), 60);
	p[60] = 0;
	kfree(p);
	assert_panicked(p, "right red zone", "found 00");
	s = kmem_cache_create("plain", 40, 0, 0, NULL);
	p = kmem_cache_alloc(s, GFP_KERNEL);
	test_fill(p, 40, 3);
	assert_ptr_equal(krealloc(p, 30, GFP_KERNEL), p);
	assert_int_equal(ksize(p), 40);
	q = krealloc(p, 80, GFP_KERNEL);
	assert_ptr_not_equal(p, q);
	assert_null(test_changed(q, 40, 3));
	kfree(q);
	kmem_cache_destroy(s);
	assert_no_panic();
}

/* Of any number of words, each byte is looked at and zeroed, and none beyond: not
 * the first, not the last, not where two runs of words meet. */
static void test_every_byte(void **state)
{
	static uintptr_t words[100];
	unsigned char *p = (unsigned char *)(words + 1);

	(void)state;
	for (size_t n = 0; n <= sizeof(words) - 2 * GUARD_WORD; n += GUARD_WORD) {
		memset(words, 0, sizeof(words));
		p[-1] = p[n] = 1;
		assert_false(guard_any(p, n));
		for (size_t at = 0; at < n; at++) {
			p[at] = 0x80;
			assert_true(guard_any(p, n));
			p[at] = 0;
		}
		if (n > GUARD_FAST)	/* is left to memset() */
			continue;
		memset(words, 0xff, sizeof(words));
		guard_clear(p, n);
		assert_false(guard_any(p, n));
		assert_true(p[-1] == 0xff && p[n] == 0xff);
	}
}

/* Also if it is never given out: when its slab goes. */
static void test_write_after_free_to_a_slab(void **state)
{
	struct kmem_cache *s = kmem_cache_create("victim", 64, 0, 0, NULL);
	char *p = kmem_cache_alloc(s, GFP_KERNEL);

	(void)state;
	kmem_cache_free(s, p);
	p[63] = 'A';
	kmem_cache_destroy(s);
	assert_int_equal(test_panics(), 1);
	assert_panicked(p, WRITTEN, "end of the slab");
	assert_sound();
}

/* What one left, nobody reads; not by krealloc() either. */
static void test_nothing_old_is_seen(void **state)
{
	static unsigned char *obj[500];
	uint64_t seed = test_seed("harden_test");

	(void)state;
	for (unsigned i = 0; i < test_scaled(20000); i++) {
		unsigned k = (unsigned)test_below(&seed, 500);
		size_t size = 1 + test_below(&seed, 600);
		size_t old = obj[k] ? ksize(obj[k]) : 0;

		if (test_below(&seed, 3)) {
			kfree(obj[k]);
			obj[k] = kmalloc(size, GFP_KERNEL);
			old = 0;
		} else {
			obj[k] = krealloc(obj[k], size, GFP_KERNEL);
		}
		assert_non_null(obj[k]);
		for (size_t b = old; b < size; b++)
			REQUIRE(!obj[k][b]);
		memset(obj[k], 0xee, size);
	}
	for (unsigned k = 0; k < 500; k++)
		kfree(obj[k]);
	assert_no_panic();
	assert_sound();
}

static unsigned built;

static void construct(void *obj)
{
	memset(obj, 0x77, 100);
	built++;
}

/* What a constructor made is kept; the guards are there all the same. */
static void test_constructor(void **state)
{
	struct kmem_cache *s = kmem_cache_create("built", 100, 0, 0, construct);
	unsigned char *p[200];

	(void)state;
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < 200; i++) {
			p[i] = kmem_cache_alloc(s, GFP_KERNEL);
			for (unsigned b = 0; b < 100; b++)
				REQUIRE(p[i][b] == 0x77);
		}
		for (unsigned i = 0; i < 200; i++)
			kmem_cache_free(s, p[i]);
	}
	assert_no_panic();
	p[0] = kmem_cache_alloc(s, GFP_KERNEL);
	p[0][100] = 0;
	kmem_cache_free(s, p[0]);
	assert_found(p[0], RIGHT, "found 00");
	kmem_cache_destroy(s);
}

/* ------------------------------------------------------------- quarantine */

/* Not given out before so many more frees as the queue is long; a second free
 * meanwhile is found; counted; and back in the slab after a drain. */
static void test_quarantine(void **state)
{
	static const size_t sizes[] = { 8, 64, 1024, 8192 };
	static void *obj[200];

	(void)state;
	for (unsigned i = 0; i < KMEM_ARRAY_SIZE(sizes); i++) {
		struct kmem_cache *s = kmem_cache_create("held", sizes[i], 0,
							 0, NULL);
		struct kmem_cache_stats st;
		unsigned length = sizes[i] < 1024 ? QUARANTINE_MOST :
						    QUARANTINE_LEAST;
		void *p = kmem_cache_alloc(s, GFP_KERNEL);

		assert_int_equal(kmem_cache_alloc_bulk(s, GFP_KERNEL, 200,
						       obj), 200);
		kmem_cache_free(s, p);
		for (unsigned k = 0; k < length; k++) {
			void *q;

			kmem_cache_free(s, p);
			assert_found(p, "double free", "CACHED");
			q = kmem_cache_alloc(s, GFP_KERNEL);
			assert_ptr_not_equal(q, p);
			kmem_cache_free(s, obj[k]);
			obj[k] = q;
		}
		kmem_cache_stats(s, &st);
		assert_true(st.layer.in_quarantine >= length);
		assert_true(st.layer.in_cpus >= st.layer.in_quarantine);
		assert_int_equal(st.live, 200);
		assert_sound();
		kmem_cache_free_bulk(s, 200, obj);
		kmem_cache_stats(s, &st);
		assert_in_range(st.layer.in_quarantine, length,
				length + QUARANTINE_SEATS);
		kmem_cache_shrink(s);
		kmem_cache_stats(s, &st);
		assert_int_equal(st.layer.in_quarantine, 0);
		assert_int_equal(st.slabs, 0);
		assert_sound();
		kmem_cache_destroy(s);
	}
	assert_no_panic();
}

/* A drain that another CPU has asked for reaches it. */
static void test_quarantine_of_another_cpu(void **state)
{
	struct kmem_cache *s = kmem_cache_create("held", 64, 0, 0, NULL);
	struct kmem_cache_stats st;
	void *obj[10], *p;

	(void)state;
	host_cpu_set(1);
	assert_int_equal(kmem_cache_alloc_bulk(s, GFP_KERNEL, 10, obj), 10);
	kmem_cache_free_bulk(s, 9, obj);
	host_cpu_set(0);
	kmem_cache_shrink(s);
	kmem_cache_stats(s, &st);
	assert_int_equal(st.layer.in_quarantine, 9);
	host_cpu_set(1);
	kmem_cache_free(s, obj[9]);
	kmem_cache_stats(s, &st);
	assert_int_equal(st.layer.in_quarantine, 1);
	p = kmem_cache_alloc(s, GFP_KERNEL);
	kmem_cache_free(s, p);
	host_cpu_set(0);
	assert_sound();
	kmem_cache_destroy(s);	/* takes all */
	assert_no_panic();
}

/* ----------------------------------------------------------------- traffic */

struct traffic {
	struct kmem_cache *s;
};

static void work(unsigned cpu, void *arg)
{
	struct traffic *t = arg;
	uint64_t seed = 17 + cpu;
	static void *held[2][300];
	static size_t size[2][300];

	for (unsigned i = 0; i < test_scaled(200000); i++) {
		unsigned k = (unsigned)test_below(&seed, 300);

		if (held[cpu][k]) {
			REQUIRE(!test_changed(held[cpu][k], size[cpu][k], k));
			kfree(held[cpu][k]);
		}
		size[cpu][k] = k % 3 ? 1 + test_below(&seed, 2000) : 100;
		held[cpu][k] = k % 3 ? kmalloc(size[cpu][k], GFP_KERNEL) :
				       kmem_cache_alloc(t->s, GFP_KERNEL);
		if (held[cpu][k])
			test_fill(held[cpu][k], size[cpu][k], k);
	}
	for (unsigned k = 0; k < 300; k++) {
		kfree(held[cpu][k]);
		held[cpu][k] = NULL;
	}
}

/* Nothing is reported that is not so. */
static void test_no_false_alarm_on_two_cpus(void **state)
{
	struct traffic t = { kmem_cache_create("traffic", 100, 0, 0, NULL) };

	(void)state;
	host_run_cpus(2, work, &t);
	assert_no_panic();
	assert_sound();
	kmem_cache_destroy(t.s);
	assert_no_panic();
}

/* An object too large for guards has none, and all else. */
static void test_too_large_for_guards(void **state)
{
	struct kmem_cache *s = kmem_cache_create("large", KMEM_CACHE_MAX_SIZE,
						 0, 0, NULL);
	char *p = kmem_cache_alloc(s, GFP_KERNEL);

	(void)state;
	assert_true(test_logged("too large for guards"));
	memset(p, 1, KMEM_CACHE_MAX_SIZE);
	kmem_cache_free(s, p);
	p[77] = 1;
	kmem_cache_destroy(s);
	assert_int_equal(test_panics(), 1);
	assert_panicked(p, WRITTEN, "at 77");
}

/* Without KMEM_HARDEN there is nothing of it. */
static void test_nothing_without_it(void **state)
{
	char *p = kmalloc(60, GFP_KERNEL);

	(void)state;
	assert_null(virt_to_page(p)->slabs->guard);
	assert_int_equal(virt_to_page(p)->slabs->size,
			 kmalloc_size_roundup(60));
	assert_int_equal(ksize(p), kmalloc_size_roundup(60));
	kfree(p);
	assert_int_equal(magazines_bytes() % KMEM_PAGE_SIZE, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_overflows_of_objects),
		CASE(test_long_overflow),
		CASE(test_overflows_of_kmalloc),
		CASE(test_overflows_of_constant_kmalloc),
		CASE(test_every_free),
		CASE(test_freed_by_two_at_once),
		CASE(test_report_names_the_caller),
		CASE(test_guards_differ),
		CASE(test_every_byte),
		CASE(test_write_after_free),
		CASE(test_write_after_kfree),
		CASE(test_neither_written_nor_free),
		CASE(test_sizes_go_with_their_cache),
		CASE(test_tables_are_checked),
		CASE(test_debugged_beside_hardened),
		CASE(test_write_after_free_to_a_slab),
		CASE(test_nothing_old_is_seen),
		CASE(test_constructor),
		CASE(test_quarantine),
		CASE(test_quarantine_of_another_cpu),
		CASE(test_no_false_alarm_on_two_cpus),
		CASE(test_too_large_for_guards),
	};
	const struct CMUnitTest without[] = { CASE(test_nothing_without_it) };

	if (!KMEM_HARDEN)
		return cmocka_run_group_tests(without, NULL, NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
