// SPDX-License-Identifier: MIT
/*
 * tests/unit/debug_test.c - what debugged caches must find, and what not.
 *
 * Each attack is made at every position of a slab, for many sizes, alignments
 * and sets of flags, and must be reported exactly once, with what was expected
 * and found and with who had the object; afterwards all must be as before.
 */
#include <kmem/reserve.h>

#include "unit.h"
#include "debug.h"
#include "kmalloc.h"
#include "list.h"

#define F	SLAB_CONSISTENCY_CHECKS
#define Z	SLAB_RED_ZONE
#define P	SLAB_POISON
#define U	SLAB_STORE_USER
#define T	SLAB_TRACE

#define RIGHT	"right red zone overwritten"
#define LEFT	"left red zone overwritten"
#define WRITTEN	"written after free"

/* Whether functions of kmem's that end in a call jump there: only then is the
 * caller known of those that have a slow path in two steps. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || \
	!defined(__OPTIMIZE__)
#define TAIL_CALLS	0
#elif defined(__has_feature)
#define TAIL_CALLS	(!__has_feature(address_sanitizer) && \
			 !__has_feature(thread_sanitizer))
#else
#define TAIL_CALLS	1
#endif

#define NOINLINE	__attribute__((noinline))

static void start(const char *debug)
{
	static const struct kmem_hooks hooks = { .log = test_log };
	static const struct test_range map[] = {
		{ 16 * MIB, 48 * MIB, KMEM_REGION_USABLE, KMEM_NO_NODE },
	};
	struct kmem_params p = { .nr_cpus = 2, .hooks = &hooks,
				 .debug = debug };

	host_cpu_set(0);
	assert_int_equal(test_machine(map, 1, &p), KMEM_OK);
	test_panics_record();
	test_log_clear();
}

static int setup(void **state)
{
	(void)state;
	start(NULL);
	return 0;
}

static struct page *head_of(const void *p)
{
	return slab_head(virt_to_page(p));
}

/* Where an object is; it may be nowhere once it is free. */
static char place[120];

static void note_place(const void *p)
{
	struct debug_object o = debug_object_at(p);

	snprintf(place, sizeof(place), "cache %s, slab 0x%" PRIxPTR
		 ", index %u, at ", o.s->name,
		 (uintptr_t)page_to_virt(o.head), o.index);
}

/* One report, of this object, with these words; with who, if that is known. */
static void assert_found(const void *p, const char *what, const char *bytes,
			 slab_flags_t flags, const char *who)
{
	char words[160];

	assert_int_equal(test_panics(), 1);
	if (virt_to_page(p)->slabs)
		note_place(p);
	snprintf(words, sizeof(words), "%s: %s", what, place);
	if (flags & U)
		assert_non_null(strstr(test_panic(0), who));
	assert_panicked(p, words, bytes);
	assert_sound();
}

/* --------------------------------------------------------------- overflows */

static const struct attack {
	int at, n;		/* from the end; or, if negative, the start */
	int byte;
	const char *what, *found;
} attacks[] = {
	{ 0, 1, 'A', RIGHT, "expected cc, found 41" },
	{ 0, 1, 0, RIGHT, "expected cc, found 00" },
	{ 0, 8, 0x11, RIGHT, "expected cc, found 11" },
	{ 7, 1, 0x12, RIGHT, "expected cc, found 12" },
	{ 0, 64, 0xff, RIGHT, "expected cc, found ff" },
	{ 63, 1, 0x13, RIGHT, "expected cc, found 13" },
	{ -8, 8, 0x14, LEFT, "expected cc, found 14" },
	{ -1, 1, 0, LEFT, "expected cc, found 00" },
	{ -32, 1, 1, LEFT, "expected cc, found 01" },
};

static void make_attack(char *p, size_t size, const struct attack *a)
{
	memset(a->at < 0 ? p + a->at : p + size + a->at, a->byte, (size_t)a->n);
}

/* Two slabs of objects; each of them is attacked in turn. */
static void attack_cache(size_t size, size_t align, slab_flags_t flags)
{
	static char *obj[600];
	struct kmem_cache *s = kmem_cache_create("victim", size, align, flags,
						 NULL);
	unsigned n;

	assert_non_null(s);
	obj[0] = kmem_cache_alloc(s, GFP_KERNEL);
	n = 2u * slab_objects(head_of(obj[0]));
	assert_true(n <= KMEM_ARRAY_SIZE(obj));
	for (unsigned i = 1; i < n; i++)
		obj[i] = kmem_cache_alloc(s, GFP_KERNEL);
	for (unsigned i = 0; i < n; i++) {
		assert_non_null(obj[i]);
		assert_int_equal((uintptr_t)obj[i] % (align ? align : sizeof(void *)), 0);
		memset(obj[i], 0x77, size);
	}
	assert_sound();
	for (unsigned i = 0; i < n; i++) {
		const struct attack *a =
			&attacks[i % KMEM_ARRAY_SIZE(attacks)];

		make_attack(obj[i], size, a);
		assert_int_equal(kmem_check_all(NULL, NULL), 1);
		test_log_clear();
		note_place(obj[i]);
		kmem_cache_free(s, obj[i]);
		if (flags & U)
			assert_true(test_logged("allocated by 0x"));
		assert_true(test_logged("bytes from"));
		assert_found(obj[i], a->what, a->found, flags,
			     "allocated by 0x");
		if (i % 2)
			continue;
		/* it is as good as any other, and can be had again */
		obj[i] = kmem_cache_alloc(s, GFP_KERNEL);
		kmem_cache_free(s, obj[i]);
		assert_no_panic();
	}
	test_drain(2);
	kmem_cache_destroy(s);
	assert_no_panic();
	assert_sound();
}

static void test_overflows_of_objects(void **state)
{
	static const size_t sizes[] = {
		1, 8, 13, 24, 64, 100, 256, 1000, 2048, 4096, 5000, 8192,
		20000,
	};
	static const slab_flags_t flags[] = {
		Z, Z | U, Z | P, F | Z | P | U, F | Z | P | U | T,
	};
	unsigned n = 0;

	(void)state;
	for (size_t i = 0; i < KMEM_ARRAY_SIZE(sizes); i += test_step()) {
		size_t size = sizes[i];

		if (size > KMEM_CACHE_MAX_SIZE - 128)
			continue;
		attack_cache(size, 0, flags[n++ % KMEM_ARRAY_SIZE(flags)]);
		attack_cache(size, 64, flags[n++ % KMEM_ARRAY_SIZE(flags)]);
		if (size <= KMEM_PAGE_SIZE && (size & (size - 1)) == 0)
			attack_cache(size, size,
				     flags[n++ % KMEM_ARRAY_SIZE(flags)]);
	}
	for (size_t i = 0; i < KMEM_ARRAY_SIZE(flags); i++)
		attack_cache(48, 0, flags[i]);
}

/* Of kmalloc() the zone begins at the size asked for, whatever the class. */
static void test_overflows_of_kmalloc(void **state)
{
	(void)state;
	start("ZU,kmalloc-*");
	for (size_t size = 1; size <= KMALLOC_MAX_CACHE_SIZE;
	     size += size < 300 ? test_step() : size / 7)
		for (size_t i = 0; i < KMEM_ARRAY_SIZE(attacks); i++) {
			volatile size_t unknown = size;
			char *p = kmalloc(unknown, GFP_KERNEL);

			assert_int_equal(ksize(p), size);
			if (size >= 8 && (size & (size - 1)) == 0)
				assert_int_equal((uintptr_t)p % size, 0);
			memset(p, 0x77, size);
			make_attack(p, size, &attacks[i]);
			kfree(p);
			assert_found(p, attacks[i].what, attacks[i].found, U,
				     "allocated by 0x");
		}
}

#define CONSTANT(n) do { \
	char *p = kmalloc(n, GFP_KERNEL); \
	char *q = kzalloc(n, gfp); \
	assert_int_equal(ksize(p), n); \
	assert_int_equal(ksize(q), n); \
	memset(p, 0x77, n); \
	p[n] = 0; \
	note_place(p); \
	kfree(p); \
	assert_found(p, RIGHT, "expected cc, found 00", U, "by 0x"); \
	q[n] = 1; \
	note_place(q); \
	kfree(q); \
	assert_found(q, RIGHT, "expected cc, found 01", U, "by 0x"); \
} while (0)

/* The same for sizes that the compiler knows, which come another way. */
static void test_overflows_of_constant_kmalloc(void **state)
{
	volatile gfp_t gfp = GFP_ATOMIC;

	(void)state;
	start("FZPU");
	CONSTANT(1); CONSTANT(7); CONSTANT(8); CONSTANT(9); CONSTANT(16);
	CONSTANT(17); CONSTANT(33); CONSTANT(64); CONSTANT(65); CONSTANT(97);
	CONSTANT(100); CONSTANT(129); CONSTANT(193); CONSTANT(257);
	CONSTANT(511); CONSTANT(512); CONSTANT(513);
#if KMEM_PAGE_SHIFT >= 12
	CONSTANT(1000); CONSTANT(1025); CONSTANT(4097); CONSTANT(5000);
	CONSTANT(7169); CONSTANT(8191); CONSTANT(8192);
#endif
}

/* A power of two is aligned to itself, with room for red zones around it as
 * without: also where that is more than a page. */
static void test_alignment_of_kmalloc(void **state)
{
	(void)state;
	start("Z,kmalloc-*");
	for (size_t size = KMALLOC_MIN_SIZE; size <= KMALLOC_MAX_CACHE_SIZE;
	     size *= 2) {
		void *p[9];

		for (unsigned i = 0; i < KMEM_ARRAY_SIZE(p); i++) {
			p[i] = kmalloc(size, GFP_KERNEL);
			assert_non_null(p[i]);
			assert_int_equal((uintptr_t)p[i] % size, 0);
			assert_true(virt_to_page(p[i])->slabs->debug->red_zone);
			memset(p[i], 'A', size);
		}
		for (unsigned i = 0; i < KMEM_ARRAY_SIZE(p); i++)
			kfree(p[i]);
	}
	assert_int_equal(test_panics(), 0);
	assert_sound();
}

/* kmalloc_class_size() is what the caches' table says. */
static void test_class_size(void **state)
{
	(void)state;
	for (size_t size = 1; size <= KMALLOC_MAX_CACHE_SIZE; size++)
		REQUIRE(kmalloc_class_size(size) ==
			kmalloc_size_roundup(size));
}

/* The families of kmalloc() that call it for their caller. */
static void test_overflows_of_copies(void **state)
{
	static const char text[] = "a string of 25 characters";
	char *p[4];

	(void)state;
	start("ZU");
	p[0] = kstrdup(text, GFP_KERNEL);
	p[1] = kmemdup(text, sizeof(text), GFP_KERNEL);
	p[2] = kstrndup(text, 25, GFP_KERNEL);
	p[3] = kcalloc(2, 13, GFP_KERNEL);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(ksize(p[i]), 26);
		p[i][26] = 'x';
		kfree(p[i]);
		assert_found(p[i], RIGHT, "found 78", U, "by 0x");
	}
}

/* krealloc() moves the end of the block, and the zone with it. */
static void test_krealloc_moves_the_zone(void **state)
{
	size_t room = kmalloc_class_size(100);
	char *p;

	(void)state;
	start("ZPU");
	p = kmalloc(100, GFP_KERNEL);
	memset(p, 0x31, 100);
	assert_ptr_equal(krealloc(p, room, GFP_KERNEL), p);
	assert_int_equal(ksize(p), room);
	memset(p + 100, 0x32, room - 100);
	assert_ptr_equal(krealloc(p, 50, GFP_KERNEL), p);
	assert_int_equal(ksize(p), 50);
	assert_sound();
	p[50] = 0;
	/* found by the next that looks, which goes on */
	assert_ptr_equal(krealloc(p, 60, GFP_KERNEL), p);
	assert_found(p, RIGHT, "found 00", U, "allocated by");
	p[60] = 1;
	p = krealloc(p, 600, GFP_KERNEL);
	assert_int_equal(test_panics(), 1);
	test_panics_clear();
	assert_int_equal(ksize(p), 600);
	for (int i = 0; i < 50; i++)
		assert_int_equal(p[i], 0x31);
	kfree(p);
	assert_no_panic();
}

/* -------------------------------------------------------- use after a free */

/* Each byte of a free object in turn; found when it is allocated again. */
static void test_write_after_free(void **state)
{
	static const size_t sizes[] = { 1, 2, 24, 100, 700, 3000 };
	static const slab_flags_t flags[] = { P, P | U, F | Z | P | U };

	(void)state;
	for (size_t k = 0; k < KMEM_ARRAY_SIZE(sizes); k++) {
		slab_flags_t f = flags[k % KMEM_ARRAY_SIZE(flags)];
		size_t size = sizes[k];
		struct kmem_cache *s = kmem_cache_create("freed", size, 0, f,
							 NULL);
		unsigned char *p, *keep = kmem_cache_alloc(s, GFP_KERNEL);

		for (size_t at = 0; at < size; at += size / 23 + 1) {
			bool last = at == size - 1;

			p = kmem_cache_alloc(s, GFP_KERNEL);
			kmem_cache_free(s, p);
			assert_int_equal(p[at], last ? 0xa5 : 0x6b);
			p[at] ^= 1;
			assert_int_equal(kmem_check_all(NULL, NULL), 1);
			kmem_cache_shrink(s);	/* not held any more */
			assert_int_equal(kmem_check_all(NULL, NULL), 1);
			assert_ptr_equal(kmem_cache_alloc(s, GFP_KERNEL), p);
			assert_found(p, WRITTEN, last ?
				     "expected a5, found a4" :
				     "expected 6b, found 6a", f,
				     "freed by 0x");
			assert_int_equal(p[at], 0x5a);
			kmem_cache_free(s, p);
		}
		kmem_cache_free(s, keep);
		kmem_cache_destroy(s);
		assert_no_panic();
	}
}

/* It is also found when nobody allocates the object again: when its slab goes,
 * and when somebody asks. */
static void test_write_after_free_without_allocation(void **state)
{
	struct kmem_cache *s = kmem_cache_create("freed", 100, 0, P | Z | U,
						 NULL);
	char *p = kmem_cache_alloc(s, GFP_KERNEL);
	char *q = kmem_cache_alloc(s, GFP_KERNEL);

	(void)state;
	kmem_cache_free(s, p);
	p[3] = 0;
	q[100] = 1;
	assert_int_equal(kmem_cache_validate(s), 2);
	assert_int_equal(test_panics(), 2);
	test_panics_clear();
	assert_int_equal(kmem_cache_validate(s), 0);
	assert_sound();
	kmem_cache_free(s, q);
	p[99] = 1;
	kmem_cache_shrink(s);
	assert_panicked(p, WRITTEN, "freed by");
	kmem_cache_destroy(s);
}

/* What one reads in an object: 0x5a when new, zeroes when asked for, poison
 * once free; and what a constructor has made stays. */
static void construct(void *p)
{
	memset(p, 0xc0, 40);
}

static void test_contents(void **state)
{
	struct kmem_cache *s = kmem_cache_create("contents", 40, 0, F|Z|P|U|T,
						 NULL);
	struct kmem_cache *c = kmem_cache_create("made", 40, 0, F|Z|P|U,
						 construct);
	unsigned char *p = kmem_cache_alloc(s, GFP_KERNEL);
	unsigned char *q = kmem_cache_zalloc(s, GFP_KERNEL);
	void *bulk[40];

	(void)state;
	for (int i = 0; i < 40; i++) {
		assert_int_equal(p[i], 0x5a);
		assert_int_equal(q[i], 0);
	}
	assert_int_equal(kmem_cache_alloc_bulk(s, GFP_KERNEL | __GFP_ZERO, 40,
					       bulk), 40);
	for (int i = 0; i < 40; i++)
		for (int k = 0; k < 40; k++)
			assert_int_equal(((char *)bulk[i])[k], 0);
	kmem_cache_free_bulk(s, 40, bulk);
	kmem_cache_free(s, p);
	kmem_cache_free(s, q);
	for (int i = 0; i < 39; i++)
		assert_int_equal(p[i], 0x6b);
	assert_int_equal(p[39], 0xa5);
	for (int n = 0; n < 2; n++) {
		p = kmem_cache_alloc(c, GFP_KERNEL);
		for (int i = 0; i < 40; i++)
			assert_int_equal(p[i], 0xc0);
		kmem_cache_free(c, p);
		assert_int_equal(p[0], 0xc0);
	}
	assert_sound();
	kmem_cache_destroy(s);
	kmem_cache_destroy(c);
}

/* ------------------------------------------------------------ frees, racing */

/* What is found without debugging is found with it: each bad free reported
 * once, and nothing freed. */
static void test_bad_frees(void **state)
{
	struct kmem_cache *s = kmem_cache_create("bad", 100, 0, F|Z|P|U, NULL);
	struct kmem_cache *other = kmem_cache_create("other", 100, 0, U, NULL);
	char *p = kmem_cache_alloc(s, GFP_KERNEL);

	(void)state;
	for (int i = -32; i < 150; i++) {
		if (!i)
			continue;
		kfree(p + i);
		assert_panicked(p + i, "bad", "not the start of an object");
	}
	kfree(page_to_virt(head_of(p)));
	assert_int_equal(test_panics(), 1);
	test_panics_clear();
	kmem_cache_free(other, p);
	assert_panicked(p, "object is of cache bad", NULL);
	assert_sound();
	kmem_cache_free(s, p);
	kmem_cache_free(s, p);
	assert_panicked(p, "double free", "; freed by 0x");
	kfree(p);
	assert_panicked(p, "double free", "index 0");
	assert_int_equal(ksize(p), 0);
	assert_int_equal(test_panics(), 1);
	test_panics_clear();
	kmem_cache_destroy(s);
	kmem_cache_destroy(other);
}

#define RACED	2000

static struct {
	struct kmem_cache *s;
	void *obj[RACED], *kept[RACED];
	unsigned turn;
} race;

/* Both CPUs free the same object at the same moment. */
static void race_cpu(unsigned cpu, void *arg)
{
	(void)arg;
	for (unsigned i = 0; i < RACED; i++) {
		__atomic_fetch_add(&race.turn, 1, __ATOMIC_ACQ_REL);
		while (__atomic_load_n(&race.turn, __ATOMIC_ACQUIRE) <
		       2 * (i + 1))
			kmem_arch_relax();
		if (cpu)
			kfree(race.obj[i]);
		else
			kmem_cache_free(race.s, race.obj[i]);
	}
}

/* Two CPUs free an object at once: one of the two is always told. */
static void test_racing_double_frees(void **state)
{
	static const slab_flags_t flags[] = { U, F | Z | P | U };

	(void)state;
	for (size_t k = 0; k < KMEM_ARRAY_SIZE(flags); k++) {
		race.s = kmem_cache_create("raced", 100, 0, flags[k], NULL);
		race.turn = 0;
		/* slabs stay: what has become of their pages is not asked */
		for (unsigned i = 0; i < RACED; i++) {
			race.obj[i] = kmem_cache_alloc(race.s, GFP_KERNEL);
			race.kept[i] = kmem_cache_alloc(race.s, GFP_KERNEL);
		}
		host_run_cpus(2, race_cpu, NULL);
		assert_int_equal(test_panics(), RACED);
		test_panics_clear();
		assert_sound();
		kmem_cache_free_bulk(race.s, RACED, race.kept);
		kmem_cache_destroy(race.s);
		assert_no_panic();
	}
}

/* CPUs that allocate and free at once see nothing that is not there. */
static void busy_cpu(unsigned cpu, void *arg)
{
	uint64_t seed = cpu + 1;
	char *held[64] = { NULL };

	(void)arg;
	for (unsigned i = 0; i < test_scaled(40000); i++) {
		unsigned k = (unsigned)test_below(&seed, 64);
		size_t size = 1 + test_below(&seed, 500);

		if (held[k]) {
			kfree(held[k]);
			held[k] = NULL;
		} else if ((held[k] = kmalloc(size, GFP_KERNEL))) {
			memset(held[k], 0x99, size);
			if (i % 3 == 0)
				held[k] = krealloc(held[k], size / 2 + 1,
						   GFP_KERNEL);
		}
	}
	for (unsigned k = 0; k < 64; k++)
		kfree(held[k]);
}

static void test_no_false_alarm_on_two_cpus(void **state)
{
	(void)state;
	start("FZPU");
	host_run_cpus(2, busy_cpu, NULL);
	assert_no_panic();
	assert_sound();
}

/* ------------------------------------------------------------------ tracks */

static NOINLINE void *allocate_here(struct kmem_cache *s)
{
	void *p = kmem_cache_alloc(s, GFP_KERNEL);

	kmem_barrier();
	return p;
}

static NOINLINE void *allocate_there(struct kmem_cache *s)
{
	void *p = kmem_cache_zalloc(s, GFP_KERNEL);

	kmem_barrier();
	return p;
}

static NOINLINE void free_here(struct kmem_cache *s, void *p)
{
	kmem_cache_free(s, p);
	kmem_barrier();
}

#define IN(caller, fn)	((uintptr_t)(caller) - (uintptr_t)(fn) < 600)

/* The leak report: callers by how many objects of theirs are in use. */
static void test_traces(void **state)
{
	struct kmem_cache *s = kmem_cache_create("leaky", 30, 0, U, NULL);
	struct kmem_cache *none = kmem_cache_create("none", 30, 0, Z, NULL);
	struct kmem_trace t[4];
	void *here[200], *there[5];

	(void)state;
	for (int i = 0; i < 5; i++)
		there[i] = allocate_there(s);
	for (int i = 0; i < 200; i++)
		here[i] = allocate_here(s);
	assert_int_equal(kmem_cache_alloc_traces(s, t, 4), 2);
	assert_int_equal(t[0].count, 200);
	assert_int_equal(t[0].bytes, 200 * 30);
	assert_int_equal(t[1].count, 5);
	assert_true(t[1].last < t[0].first);
	assert_true(IN(t[0].caller, allocate_here));
	assert_true(!TAIL_CALLS || IN(t[1].caller, allocate_there));
	assert_int_equal(kmem_cache_free_traces(s, t, 4), 0);
	/* one line of room: all of them */
	assert_int_equal(kmem_cache_alloc_traces(s, t, 1), 1);
	assert_int_equal(t[0].count, 205);
	assert_null(t[0].caller);
	assert_int_equal(kmem_cache_alloc_traces(s, t, 0), 0);
	assert_int_equal(kmem_cache_alloc_traces(none, t, 4), 0);
	test_log_clear();
	kmem_report_traces(test_log, NULL);
	assert_true(test_logged("leaky"));
	assert_true(test_logged("200 objects"));
	assert_int_equal(test_log_lines(), 2);
	for (int i = 0; i < 150; i++)
		free_here(s, here[i]);
	assert_int_equal(kmem_cache_alloc_traces(s, t, 4), 2);
	assert_int_equal(t[0].count, 50);
	assert_true(kmem_cache_free_traces(s, t, 4) == 1);
	assert_true(IN(t[0].caller, free_here));
	for (int i = 150; i < 200; i++)
		free_here(s, here[i]);
	for (int i = 0; i < 5; i++)
		free_here(s, there[i]);
	kmem_cache_destroy(s);
	kmem_cache_destroy(none);
}

/* All ways in record who called kmem, not a function of kmem's. */
static void test_callers(void **state)
{
	uintptr_t fn = (uintptr_t)test_callers;
	struct kmem_cache *s;
	volatile size_t n = 100;
	void *p[9];

	(void)state;
	start("U");
	s = kmem_cache_create("called", 100, 0, 0, NULL);
	p[0] = kmalloc(100, GFP_KERNEL);
	p[1] = kmalloc(n, GFP_KERNEL);
	p[2] = kzalloc(n, GFP_KERNEL);
	p[3] = kzalloc(100, GFP_KERNEL);
	p[4] = kstrdup("x", GFP_KERNEL);
	p[5] = kmemdup("x", n = 2, GFP_KERNEL);
	p[6] = krealloc(NULL, 50, GFP_KERNEL);
	p[7] = kmem_cache_alloc(s, GFP_KERNEL | __GFP_ZERO);
	assert_int_equal(kmem_cache_alloc_bulk(s, GFP_KERNEL, 1, &p[8]), 1);
	for (int i = 0; i < 9; i++) {
		struct debug_object o = debug_object_at(p[i]);

		if (!TAIL_CALLS)
			o.rec->track[TRACK_ALLOC].caller = fn;
		if (o.rec->track[TRACK_ALLOC].caller - fn >= 3000)
			fprintf(stderr, "way %d: 0x%zx is not in 0x%zx\n", i,
				    (size_t)o.rec->track[TRACK_ALLOC].caller,
				    (size_t)fn);
		assert_true(o.rec->track[TRACK_ALLOC].caller - fn < 3000);
		if (i % 3 == 0)
			kfree(p[i]);
		else if (i % 3 == 1)
			kmem_cache_free_bulk(NULL, 1, &p[i]);
		else
			kmem_cache_free(slabs_cache(virt_to_page(p[i])->slabs),
					p[i]);
		if (virt_to_page(p[i])->slabs && TAIL_CALLS)
			assert_true(o.rec->track[TRACK_FREE].caller - fn <
				    3000);
	}
}

static uintptr_t name_caller(void *ctx, uintptr_t address)
{
	(void)ctx;
	return address ? 0xabcd : 0;
}

static uint64_t name_time(void *ctx)
{
	return (*(uint64_t *)ctx)++;
}

/* A kernel that knows more than an address and has a clock. */
static void test_hooks(void **state)
{
	static uint64_t now;
	struct kmem_hooks hooks = { .caller = name_caller, .ctx = &now,
				    .clock = name_time };
	static const struct test_range map[] = {
		{ 16 * MIB, 32 * MIB, KMEM_REGION_USABLE, KMEM_NO_NODE },
	};
	struct kmem_params p = { .nr_cpus = 2, .hooks = &hooks };
	struct kmem_cache *s;
	struct kmem_trace t;
	void *obj;

	(void)state;
	assert_int_equal(test_machine(map, 1, &p), KMEM_OK);
	s = kmem_cache_create("hooked", 30, 0, U, NULL);
	now = 5000000000;
	obj = kmem_cache_alloc(s, GFP_KERNEL);
	assert_int_equal(kmem_cache_alloc_traces(s, &t, 1), 1);
	assert_int_equal((uintptr_t)t.caller, 0xabcd);
	assert_true(t.first == 5000000000 && t.last == 5000000000);
	kmem_cache_free(s, obj);
	kmem_cache_destroy(s);
}

/* Objects in use at the end of their cache: each with who allocated it. */
static void test_destroy_with_live_objects(void **state)
{
	struct kmem_cache *s = kmem_cache_create("kept", 30, 0, U, NULL);
	void *p = allocate_here(s), *q = allocate_here(s);
	char by[40];

	(void)state;
	snprintf(by, sizeof(by), "; allocated by 0x%zx", (size_t)
		 debug_object_at(p).rec->track[TRACK_ALLOC].caller);
	kmem_cache_destroy(s);
	assert_int_equal(test_panics(), 2);
	assert_non_null(strstr(test_panic(0), by));
	assert_non_null(strstr(test_panic(1), by));
	test_panics_clear();
	kmem_cache_free(s, p);
	kmem_cache_free(s, q);
	kmem_cache_destroy(s);
}

static void test_trace_lines(void **state)
{
	struct kmem_cache *s = kmem_cache_create("told", 30, 0, T, NULL);
	char line[80];
	void *p;

	(void)state;
	p = kmem_cache_alloc(s, GFP_KERNEL);
	snprintf(line, sizeof(line), "TRACE told alloc 0x%zx, ", (size_t)p);
	assert_true(test_logged(line));
	assert_int_equal(test_log_lines(), 1);
	kmem_cache_free(s, p);
	snprintf(line, sizeof(line), "TRACE told free 0x%zx, ", (size_t)p);
	assert_true(test_logged(line));
	assert_int_equal(test_log_lines(), 2);
	kmem_cache_destroy(s);
}

/* ------------------------------------------------- the slab's own metadata */

/* Somebody has written into a descriptor or a slot: found before the slab is
 * used again, and made good. */
static void test_consistency(void **state)
{
	(void)state;
	for (int what = 0; what < 6; what++) {
		struct kmem_cache *s = kmem_cache_create("spoiled", 100, 0, F,
							 NULL);
		void *p = kmem_cache_alloc(s, GFP_KERNEL);
		void *q = kmem_cache_alloc(s, GFP_KERNEL), *r;
		struct page *head = head_of(p);

		switch (what) {
		case 0: head->inuse++; break;
		case 1: head->inuse = 0; break;
		case 2: head->free = 0; break;
		case 3: head->free = 200; break;
		case 4: *slab_slot(head, 4) = SLOT_TRACKED; break;
		default: *slab_slot(head, 5) = 4; break;
		}
		if (what % 2) {
			r = kmem_cache_alloc(s, GFP_KERNEL);
		} else {
			kmem_cache_free(s, q);
			kmem_cache_shrink(s);	/* to its slab */
			q = NULL;
			r = NULL;
		}
		assert_true(test_panics() >= 1);
		assert_non_null(strstr(test_panic(0), "cache spoiled"));
		test_panics_clear();
		assert_sound();
		assert_true(!r || (r != p && r != q));
		kmem_cache_free(s, p);
		kmem_cache_free(s, q);
		kmem_cache_free(s, r);
		assert_no_panic();
		assert_sound();
		kmem_cache_destroy(s);
		assert_no_panic();
	}
}

/* ----------------------------------------------------------------- geometry */

/* For every size and alignment: objects and zones are inside of the slab and
 * don't overlap, and each object's address leads back to it. */
static void test_layout(void **state)
{
	static struct slab_debug d;
	static struct slab_node node[KMEM_MAX_NODES];
	struct kmem_slabs s;
	const size_t most = KMEM_PAGE_SIZE << KMEM_SLAB_MAX_ORDER;
	unsigned without = 0;

	(void)state;
	for (size_t size = 1; size <= most; size += 1 + size / 200)
		for (size_t align = 8; align <= KMEM_PAGE_SIZE; align *= 4) {
			size_t slot = (size + align - 1) / align * align;
			struct page page = { .pfn = 0 };

			if (slot > most)
				continue;
			slabs_init(&s, "layout", slot, node, 1);
			d = (struct slab_debug){ .object_size =
				(unsigned)size, .red_zone = true };
			debug_slabs_init(&s, &d, align);
			without += !d.red_zone;
			REQUIRE(d.red_zone || size + 2 * align + 160 > most ||
				2 * (slot + 96) + align > most);
			REQUIRE(s.objects >= 1);
			REQUIRE(nr_slots(&s, s.order) <= SLOTS_LARGE);
			REQUIRE(s.objects < (unsigned)SLOT_TRACKED);
			REQUIRE(d.records.size <= most);
			REQUIRE((KMEM_PAGE_SIZE << s.order) + slabs_bias(&s) <=
				65536);
			for (unsigned i = 0; i < s.objects; i++) {
				size_t at = s.start + i * s.size;
				struct slab_index x;

				page.to_offset = (uint16_t)slabs_bias(&s);
				x = slab_index(&page, &s, (void *)at);
				REQUIRE(at % align == 0);
				REQUIRE(at >= slabs_left(&s));
				REQUIRE(at + s.size - slabs_left(&s) <=
					KMEM_PAGE_SIZE << s.order);
				REQUIRE(x.exact);
				REQUIRE(x.index == i + slabs_first(&s));
				REQUIRE(x.index < nr_slots(&s, s.order));
			}
			REQUIRE(!d.red_zone ||
				s.size >= slabs_left(&s) + size + RED_RIGHT);
		}
	assert_true(without > 0);
}

/* An object for which there is no room with red zones has none; the log says
 * so, and all else works. */
static void test_too_large_for_red_zones(void **state)
{
	struct kmem_cache *s = kmem_cache_create("large", KMEM_CACHE_MAX_SIZE,
						 0, Z | P | U, NULL);
	char *p, *other[DEBUG_HELD];

	(void)state;
	assert_true(test_logged("too large for red zones"));
	p = kmem_cache_alloc(s, GFP_KERNEL);
	for (unsigned i = 0; i < DEBUG_HELD; i++)
		other[i] = kmem_cache_alloc(s, GFP_KERNEL);
	memset(p, 1, KMEM_CACHE_MAX_SIZE);
	kmem_cache_free(s, p);
	p[77] = 1;
	for (unsigned i = 0; i < DEBUG_HELD; i++)
		kmem_cache_free(s, other[i]);
	assert_ptr_equal(kmem_cache_alloc(s, GFP_KERNEL), p);
	assert_found(p, WRITTEN, "found 01", U, "freed by");
	kmem_cache_free(s, p);
	kmem_cache_destroy(s);
}

/* Memory runs out, for slabs or for their records: nothing is lost, and
 * nothing is reported. */
static void test_out_of_memory(void **state)
{
	struct kmem_cache *s = kmem_cache_create("many", 200, 0, F|Z|P|U, NULL);
	static void *obj[300000];
	size_t n = 0, pages;

	(void)state;
	test_drain(2);
	pages = test_pages();
	while ((obj[n] = kmem_cache_alloc(s, GFP_NOWAIT | __GFP_NOWARN)))
		REQUIRE(++n < KMEM_ARRAY_SIZE(obj));
	assert_true(n > 1000);
	assert_sound();
	while (n)
		kmem_cache_free(s, obj[--n]);
	test_drain(2);
	assert_int_equal(test_pages(), pages);
	kmem_cache_destroy(s);
}

/* What was freed is given to nobody else until DEBUG_HELD more were: who frees
 * it a second time is found, and the new owner of other memory keeps that. */
static void test_held(void **state)
{
	struct kmem_cache *s = kmem_cache_create("held", 100, 0, F|Z|P|U, NULL);
	void *p = kmem_cache_alloc(s, GFP_KERNEL), *q;

	(void)state;
	kmem_cache_free(s, p);
	for (unsigned i = 0; i < DEBUG_HELD; i++) {
		q = kmem_cache_alloc(s, GFP_KERNEL);
		assert_ptr_not_equal(q, p);
		kmem_cache_free(s, p);
		assert_int_equal(test_panics(), 1);
		assert_non_null(strstr(test_panic(0), "double free"));
		assert_non_null(strstr(test_panic(0), "freed by 0x"));
		test_panics_clear();
		assert_sound();
		kmem_cache_free(s, q);
	}
	assert_ptr_equal(kmem_cache_alloc(s, GFP_KERNEL), p);
	kmem_cache_free(s, p);
	kmem_cache_destroy(s);
	assert_no_panic();
}

/* Nothing is held back from who would get no memory otherwise. */
static void test_held_when_short(void **state)
{
	struct kmem_cache *s = kmem_cache_create("short", 2048, 0, Z | P, NULL);
	static void *obj[200];
	size_t most = 0, n = 0;

	(void)state;
	kmem_cache_set_max(s, 50);
	while ((obj[most] = kmem_cache_alloc(s, GFP_NOWAIT | __GFP_NOWARN)))
		REQUIRE(++most < KMEM_ARRAY_SIZE(obj));
	assert_true(most > 2 * DEBUG_HELD);
	for (size_t i = 0; i < most; i++)
		kmem_cache_free(s, obj[i]);
	while ((obj[n] = kmem_cache_alloc(s, GFP_NOWAIT | __GFP_NOWARN)))
		REQUIRE(++n < KMEM_ARRAY_SIZE(obj));
	assert_int_equal(n, most);
	while (n)
		kmem_cache_free(s, obj[--n]);
	kmem_cache_destroy(s);
	assert_no_panic();
}

/* A debugged cache holds no more back than what was freed last; others are as
 * ever. */
static void test_magazines(void **state)
{
	struct kmem_cache *s = kmem_cache_create("slow", 64, 0, P, NULL);
	struct kmem_cache *fast = kmem_cache_create("fast", 64, 0, 0, NULL);
	struct kmem_cache_stats st;

	(void)state;
	for (int i = 0; i < 100; i++) {
		kmem_cache_free(s, kmem_cache_alloc(s, GFP_KERNEL));
		kmem_cache_free(fast, kmem_cache_alloc(fast, GFP_KERNEL));
	}
	kmem_cache_stats(s, &st);
	assert_int_equal(st.layer.in_cpus + st.layer.in_depot, DEBUG_HELD);
	assert_int_equal(st.layer.in_quarantine, DEBUG_HELD);
	assert_int_equal(st.layer.frees, 100 * !!KMEM_MAGAZINE_ROUNDS);
	assert_int_equal(st.live, 0);
	kmem_cache_shrink(s);
	kmem_cache_stats(s, &st);
	assert_int_equal(st.layer.in_cpus + st.layer.in_quarantine, 0);
	assert_int_equal(st.slabs, 0);
	kmem_cache_stats(fast, &st);
	assert_true(!KMEM_MAGAZINE_ROUNDS || st.layer.in_cpus > 0);
	kmem_cache_destroy(s);
	kmem_cache_destroy(fast);
}

/* ----------------------------------------------------------- params.debug */

static slab_flags_t flags_of(const char *options, const char *name)
{
	assert_true(debug_options_set(options));
	return debug_options_flags(name);
}

static void test_options(void **state)
{
	const slab_flags_t all = F | Z | P | U;
	char *text;

	(void)state;
	assert_int_equal(flags_of(NULL, "a"), 0);
	assert_int_equal(flags_of("", "a"), all);
	assert_int_equal(flags_of("FZPUT", "a"), all | T);
	assert_int_equal(flags_of("fzput", "a"), all | T);
	assert_int_equal(flags_of("-", "a"), 0);
	assert_int_equal(flags_of("Z", "a"), Z);
	assert_int_equal(flags_of("Z,a", "a"), Z);
	assert_int_equal(flags_of("Z,a", "ab"), 0);
	assert_int_equal(flags_of("Z,ab", "a"), 0);
	assert_int_equal(flags_of("Z,a*", "ab"), Z);
	assert_int_equal(flags_of("Z,a*", "a"), Z);
	assert_int_equal(flags_of("Z,*", "x"), Z);
	assert_int_equal(flags_of(",a", "a"), all);
	assert_int_equal(flags_of(",a", "b"), 0);
	assert_int_equal(flags_of("Z,a,b;P,c", "b"), Z);
	assert_int_equal(flags_of("Z,a,b;P,c", "c"), P);
	assert_int_equal(flags_of("Z,a,b;P,c", "d"), 0);
	assert_int_equal(flags_of("FZ;-,kmalloc-*", "kmalloc-64"), 0);
	assert_int_equal(flags_of("FZ;-,kmalloc-*", "task"), F | Z);
	assert_int_equal(flags_of("-,kmalloc-64;Z,kmalloc-*", "kmalloc-64"), 0);
	assert_int_equal(flags_of("-,kmalloc-64;Z,kmalloc-*", "kmalloc-96"), Z);
	assert_int_equal(flags_of("S,kmalloc-*", "kmalloc-64"),
			 SLAB_TYPE_STABLE);
	assert_int_equal(flags_of("Z,a;O", "b"), 0);
	assert_true(debug_options_lower());
	assert_int_equal(flags_of("ZO,a;P;;", "b"), P);
	assert_true(debug_options_lower());
	assert_int_equal(flags_of("Z", "a"), Z);
	assert_false(debug_options_lower());
	/* names as long as can be */
	text = malloc(100000);
	memset(text, 'n', 100000);
	memcpy(text, "Z,", 2);
	text[2 + KMEM_NAME_BYTES - 1] = '\0';
	assert_int_equal(flags_of(text, text + 2), Z);
	text[2 + KMEM_NAME_BYTES - 1] = 'n';
	text[99999] = '\0';
	assert_false(debug_options_set(text));
	free(text);
	debug_options_set(NULL);
}

/* Strings that are refused: with an error, and a line that says where. */
static void test_bad_options(void **state)
{
	static const char *const bad[] = {
		"X", "FZX", "F Z", " ", "Z,", "Z,,a", "Z,a,", "Z,a b", "Z,a*b",
		"Z,**", "-F", "F-", "--", "Z;P,", "Z,a;Q", "=", "*", "Z,\x01",
		"Z,\xff", "\n", "1", "Z,a\t", "FZPU;,",
	};
	static const struct kmem_hooks hooks = { .log = test_log };

	(void)state;
	kmem_reset();
	for (size_t i = 0; i < KMEM_ARRAY_SIZE(bad); i++) {
		struct kmem_params p = { .nr_cpus = 1, .hooks = &hooks,
					 .debug = bad[i] };

		assert_int_equal(kmem_add_region(MIB, 8 * MIB,
						 KMEM_REGION_USABLE,
						 KMEM_NO_NODE), KMEM_OK);
		test_log_clear();
		if (kmem_init(&p) != KMEM_EINVAL)
			fprintf(stderr, "accepted: \"%s\"\n", bad[i]);
		assert_int_equal(kmem_init(&p), KMEM_EINVAL);
		assert_true(test_logged("params.debug: not understood at"));
		kmem_reset();
	}
	start(NULL);
}

/* Whatever the string is, reading it ends, and inside of it. */
static void test_random_options(void **state)
{
	static const char letters[] = "FZPUTO-,;*ab fzx\x80";
	uint64_t seed = test_seed("debug_test");
	unsigned good = 0;

	(void)state;
	for (unsigned i = 0; i < test_scaled(200000); i++) {
		size_t n = test_below(&seed, 12);
		char *text = malloc(n + 1);

		for (size_t k = 0; k < n; k++)
			text[k] = letters[test_below(&seed,
						     sizeof(letters) - 1)];
		text[n] = '\0';
		if (debug_options_set(text)) {
			good++;
			debug_options_flags("ab");
			debug_options_flags("");
			debug_options_lower();
		}
		debug_options_set(NULL);
		free(text);
	}
	assert_true(good > 100);
}

/* From the string to the caches, kmalloc()'s among them. */
static void test_options_reach_caches(void **state)
{
	struct kmem_cache *s;
	char *p, *q;

	(void)state;
	start("ZU,kmalloc-64,task*;P,dma-*");
	s = kmem_cache_create("task_struct", 50, 0, 0, NULL);
	p = kmem_cache_alloc(s, GFP_KERNEL);
	p[50] = 1;
	kmem_cache_free(s, p);
	assert_found(p, RIGHT, "found 01", U, "by 0x");
	p = kmalloc(63, GFP_KERNEL);
	q = kmalloc(200, GFP_KERNEL);
	assert_int_equal(ksize(p), 63);
	assert_int_equal(ksize(q), test_ksize(200));
	assert_false(slabs_debugged(virt_to_page(q)->slabs));
	kfree(p);
	kfree(q);
	kmem_cache_destroy(s);
	/* with O, what would need a higher order goes without */
	start("FZPUO");
	s = kmem_cache_create("page", KMEM_PAGE_SIZE, KMEM_PAGE_SIZE, 0, NULL);
	p = kmem_cache_alloc(s, GFP_KERNEL);
	assert_int_equal(virt_to_page(p)->slabs->min_order, 0);
	assert_true(slabs_checked(virt_to_page(p)->slabs));
	kmem_cache_free(s, p);
	kmem_cache_destroy(s);
	p = kmalloc(60, GFP_KERNEL);
	assert_int_equal(ksize(p), 60);
	kfree(p);
}

/* A kernel that says who it is. */
static uintptr_t who;

static uintptr_t says_who(void *ctx, uintptr_t address)
{
	(void)ctx;
	return address ? who : 0;
}

static void start_with_callers(void)
{
	static const struct kmem_hooks hooks = { .log = test_log,
						 .caller = says_who };
	static const struct test_range map[] = {
		{ 16 * MIB, 48 * MIB, KMEM_REGION_USABLE, KMEM_NO_NODE },
	};
	struct kmem_params p = { .nr_cpus = 2, .hooks = &hooks };

	assert_int_equal(test_machine(map, 1, &p), KMEM_OK);
	test_log_clear();
}

static void *allocate_as(struct kmem_cache *s, uintptr_t caller)
{
	who = caller;
	return kmem_cache_alloc(s, GFP_KERNEL);
}

/* Who has most is first, whoever is found first. */
static void test_traces_are_sorted(void **state)
{
	(void)state;
	start_with_callers();
	for (unsigned more = 1; more < 3; more++) {
		struct kmem_cache *s = kmem_cache_create("three", 30, 0, U,
							 NULL);
		struct kmem_trace t[2];
		void *p[3];

		for (unsigned i = 0; i < 3; i++)
			p[i] = allocate_as(s, i < more ? 0x1000 : 0x2000);
		assert_int_equal(kmem_cache_alloc_traces(s, t, 2), 2);
		assert_int_equal(t[0].count, 2);
		assert_int_equal(t[1].count, 1);
		assert_int_equal((uintptr_t)t[0].caller,
				 more == 2 ? 0x1000 : 0x2000);
		for (unsigned i = 0; i < 3; i++)
			kmem_cache_free(s, p[i]);
		kmem_cache_destroy(s);
	}
}

/* Callers by their number, in a table that has room for all, for one, for none;
 * of objects in use and of those freed; of caches that know none. */
static void test_traces_of_callers(void **state)
{
	struct kmem_cache *s, *none, *plain;
	struct kmem_trace t[4];
	void *p[20];

	(void)state;
	start_with_callers();
	s = kmem_cache_create("leaky", 30, 0, U, NULL);
	none = kmem_cache_create("none", 30, 0, Z, NULL);
	plain = kmem_cache_create("plain", 30, 0, 0, NULL);
	for (unsigned i = 0; i < 20; i++)
		p[i] = allocate_as(s, i < 5 ? 0x1000 : 0x2000);
	assert_int_equal(kmem_cache_alloc_traces(s, t, 4), 2);
	assert_int_equal(t[0].count, 15);
	assert_int_equal(t[0].bytes, 15 * 30);
	assert_int_equal(t[1].count, 5);
	assert_int_equal(kmem_cache_alloc_traces(s, t, 1), 1);
	assert_int_equal(t[0].count, 20);
	assert_null(t[0].caller);
	assert_int_equal(kmem_cache_alloc_traces(s, t, 0), 0);
	assert_int_equal(kmem_cache_alloc_traces(none, t, 4), 0);
	assert_int_equal(kmem_cache_alloc_traces(plain, t, 4), 0);
	assert_int_equal(kmem_cache_free_traces(plain, t, 4), 0);
	assert_int_equal(kmem_cache_validate(plain), 0);
	test_log_clear();
	kmem_report_traces(test_log, NULL);
	assert_int_equal(test_log_lines(), 2);
	assert_true(test_logged("15 objects"));
	who = 0x3000;
	for (unsigned i = 0; i < 20; i++)
		kmem_cache_free(s, p[i]);
	assert_int_equal(kmem_cache_alloc_traces(s, t, 4), 0);
	/* of those whose slab is still there */
	assert_int_equal(kmem_cache_free_traces(s, t, 4), 1);
	assert_in_range(t[0].count, 1, 20);
	assert_int_equal(t[0].bytes, t[0].count * 30);
	assert_int_equal((uintptr_t)t[0].caller, 0x3000);
	kmem_cache_destroy(plain);
	kmem_cache_destroy(none);
	kmem_cache_destroy(s);
}

static unsigned said;
static const char *invariant;

static void hear(void *ctx, const char *line)
{
	(void)ctx;
	said += strstr(line, invariant) != NULL;
}

/* What the checker says of an object: while it is that, and not before or
 * after. */
#define SAYS(what, wrong, right) do { \
	assert_sound(); \
	invariant = what; \
	said = 0; \
	wrong; \
	kmem_check_all(hear, NULL); \
	right; \
	assert_int_equal(said, 1); \
	assert_sound(); \
} while (0)

/* A chain that was written over in a slab with no object in use. */
static void test_consistency_of_an_empty_slab(void **state)
{
	struct kmem_cache *s = kmem_cache_create("unused", 100, 0, F, NULL);
	struct slab_node *n = &s->slabs.node[0];
	struct page *head;
	size_t empty;
	void *p, *q;

	(void)state;
	assert_int_equal(kmem_cache_prealloc(s, 30, GFP_KERNEL), KMEM_OK);
	assert_false(list_empty(&n->empty));
	head = list_page(n->empty.next);
	head->free = 200;
	p = kmem_cache_alloc(s, GFP_KERNEL);
	assert_true(test_panics() >= 1);
	assert_non_null(strstr(test_panic(0), "cache unused"));
	test_panics_clear();
	assert_non_null(p);
	assert_sound();

	/* a slab in use, beside an empty one, is not taken for that */
	assert_int_equal(kmem_cache_prealloc(s, 60, GFP_KERNEL), KMEM_OK);
	assert_false(list_empty(&n->empty));
	assert_int_equal(head->inuse, 1);
	empty = n->nr_empty;
	head->free = 200;
	q = kmem_cache_alloc(s, GFP_KERNEL);
	assert_true(test_panics() >= 1);
	test_panics_clear();
	assert_ptr_equal(slab_head(virt_to_page(q)), head);
	assert_int_equal(n->nr_empty, empty);
	assert_sound();
	kmem_cache_free(s, q);
	kmem_cache_free(s, p);
	kmem_cache_destroy(s);
}

/* Slots and records that were written over. */
static void test_checker_of_records(void **state)
{
	struct kmem_cache *s = kmem_cache_create("records", 40, 0, Z | U, NULL);
	void *p = kmem_cache_alloc(s, GFP_KERNEL);
	struct debug_object o = debug_object_at(p);
	kmem_slot_t *slot = slab_slot(o.head, o.index);
	unsigned size = o.rec->size;

	(void)state;
	SAYS("D4", *slot = SLOT_LIVE, *slot = SLOT_TRACKED);
	SAYS("D3", o.rec->size = 0, o.rec->size = size);
	SAYS("D3", o.rec->size = 41, o.rec->size = size);
	o = debug_object(o.head, o.index + 1);	/* one that is free */
	SAYS("D3", o.rec->size = 8, o.rec->size = 0);
	kmem_cache_free(s, p);
	kmem_cache_destroy(s);
}

/* krealloc() of an object of a cache, which has one size; and of what was freed. */
static void test_krealloc_of_an_object(void **state)
{
	struct kmem_cache *s = kmem_cache_create("sized", 40, 0, Z | U, NULL);
	char *p = kmem_cache_alloc(s, GFP_KERNEL);

	(void)state;
	assert_ptr_equal(krealloc(p, 20, GFP_KERNEL), p);
	assert_int_equal(ksize(p), 40);
	p[39] = 1;
	kmem_cache_free(s, p);
	assert_no_panic();
	assert_null(krealloc(p, 20, GFP_KERNEL));
	assert_int_equal(test_panics(), 1);
	test_panics_clear();
	kmem_cache_destroy(s);
}

/* With a request that waits for memory, what is freed is not held. */
static void test_nothing_is_held_from_who_waits(void **state)
{
	struct kmem_cache *s = kmem_cache_create("held", 40, 0, Z, NULL);
	void *p = kmem_cache_alloc(s, GFP_KERNEL);
	void *q = kmem_cache_alloc(s, GFP_KERNEL);

	(void)state;
	kmem_cache_free(s, p);
	assert_int_equal(s->slabs.debug->nr_held, 1);
	kmem_add_relaxed(&zones.waiters, 1);
	kmem_cache_free(s, q);
	kmem_add_relaxed(&zones.waiters, -1);
	assert_true(s->slabs.debug->nr_held <= 1);
	assert_int_equal(*slab_slot(head_of(p), debug_object_at(p).index) ==
			 SLOT_CACHED, 1);
	kmem_cache_destroy(s);
}

/* The string is the kernel's: what it no longer says is no longer so. */
static void test_string_that_changes(void **state)
{
	static char string[] = "U,first";
	struct kmem_cache *s;

	(void)state;
	start(string);
	s = kmem_cache_create("first", 40, 0, 0, NULL);
	assert_true(slabs_debugged(&s->slabs));
	kmem_cache_destroy(s);
	string[0] = '?';
	s = kmem_cache_create("first", 40, 0, 0, NULL);
	assert_false(slabs_debugged(&s->slabs));
	kmem_cache_destroy(s);
	s = kmem_cache_create("first", 40, 0, Z, NULL);
	assert_true(slabs_debugged(&s->slabs));
	kmem_cache_destroy(s);
}

/* A pointer to what is in front of the first object of a slab. */
static void test_in_front(void **state)
{
	struct kmem_cache *s = kmem_cache_create("front", 40, 0, Z, NULL);
	void *p = kmem_cache_alloc(s, GFP_KERNEL);
	void *start = page_to_virt(head_of(p));

	(void)state;
	kmem_cache_free(s, start);
	assert_int_equal(test_panics(), 1);
	assert_panicked(start, "not the start of an object",
			"bytes into index 0");
	kmem_cache_free(s, p);
	kmem_cache_destroy(s);
}

static size_t pages_kept(void)
{
	kmem_trim(KMEM_TRIM);
	kmem_trim(KMEM_DRAIN_CPU);
	return nr_free_pages();
}

/* What a debugged cache has of its own goes when its name turns out to be
 * another's. */
static void test_duplicate(void **state)
{
	struct kmem_cache *s = kmem_cache_create("twice", 40, 0, F | U, NULL);
	size_t before = 0;

	(void)state;
	assert_non_null(s);
	for (unsigned i = 0; i < 500; i++) {
		assert_null(kmem_cache_create("twice", 40, 0, F | Z | P | U,
					      NULL));
		test_log_clear();
		if (!i)
			before = pages_kept();
	}
	assert_int_equal(pages_kept(), before);
	kmem_cache_destroy(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_overflows_of_objects),
		CASE(test_overflows_of_kmalloc),
		CASE(test_overflows_of_constant_kmalloc),
		CASE(test_alignment_of_kmalloc),
		CASE(test_class_size),
		CASE(test_overflows_of_copies),
		CASE(test_krealloc_moves_the_zone),
		CASE(test_write_after_free),
		CASE(test_write_after_free_without_allocation),
		CASE(test_contents),
		CASE(test_bad_frees),
		CASE(test_racing_double_frees),
		CASE(test_no_false_alarm_on_two_cpus),
		CASE(test_traces),
		CASE(test_callers),
		CASE(test_hooks),
		CASE(test_destroy_with_live_objects),
		CASE(test_trace_lines),
		CASE(test_consistency),
		CASE(test_layout),
		CASE(test_too_large_for_red_zones),
		CASE(test_out_of_memory),
		CASE(test_held),
		CASE(test_held_when_short),
		CASE(test_magazines),
		CASE(test_options),
		CASE(test_bad_options),
		CASE(test_random_options),
		CASE(test_options_reach_caches),
		CASE(test_traces_are_sorted),
		CASE(test_traces_of_callers),
		CASE(test_consistency_of_an_empty_slab),
		CASE(test_checker_of_records),
		CASE(test_krealloc_of_an_object),
		CASE(test_nothing_is_held_from_who_waits),
		CASE(test_string_that_changes),
		CASE(test_in_front),
		CASE(test_duplicate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
