// SPDX-License-Identifier: MIT
/*
 * tests/unit/hotplug_test.c - memory that comes and goes while kmem runs.
 *
 * What could go wrong: removed memory is touched (here that faults), or its
 * descriptors are looked at after they have gone with it; a removal that fails
 * half way has lost pages; a page is added twice; zones, their bounds and the
 * account no longer fit the memory that there is; another CPU takes a page
 * out of a range that is just being removed.
 */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "unit.h"
#include "magazine.h"

#define FIRST	(1 * MIB)		/* the memory of the boot */
#define LAST	(65 * MIB)
#define SPACE	(LAST + 512 * MIB)	/* params.hotplug_end */

/* Memory that is there can be touched, and no other. */
static void plug(kmem_phys_t start, kmem_phys_t size, bool in)
{
	REQUIRE(!mprotect((char *)phys_to_virt(start), size,
			  in ? PROT_READ | PROT_WRITE : PROT_NONE));
}

static int setup(void **state)
{
	(void)state;
	test_panics_record();
	host_cpu_set(0);
	return 0;
}

/* The direct map ends at `reach`; 0: it has no end. */
static void start_within(kmem_phys_t reach, unsigned nr_cpus,
			 kmem_phys_t hotplug_end, bool zeroed)
{
	static const struct kmem_hooks hooks = {
		.run_on_cpu = host_run_on_cpu,
	};
	struct kmem_params p = { .nr_cpus = nr_cpus, .zeroed = zeroed,
				 .hotplug_end = hotplug_end,
				 .direct_map_end = reach, .hooks = &hooks };

	kmem_reset();
	REQUIRE(host_memory_reserve(FIRST, SPACE));
	REQUIRE(host_memory_back(FIRST, LAST));
	p.virt_offset = host_virt_offset();
	REQUIRE(kmem_add_region(FIRST, LAST - FIRST, KMEM_REGION_USABLE,
				KMEM_NO_NODE) == KMEM_OK);
	REQUIRE(kmem_init(&p) == KMEM_OK);
	REQUIRE(host_memory_back(LAST, SPACE));
	plug(LAST, SPACE - LAST, false);
}

static void start(unsigned nr_cpus, kmem_phys_t hotplug_end, bool zeroed)
{
	start_within(0, nr_cpus, hotplug_end, zeroed);
}

/* Memory of sections of their own begins here. */
static kmem_phys_t section_bytes(void)
{
	return (kmem_phys_t)1 << kmem_page_map.section_shift;
}

static kmem_phys_t first_section(void)
{
	return (LAST + section_bytes() - 1) & ~(section_bytes() - 1);
}

static int add(kmem_phys_t at, kmem_phys_t size)
{
	int err;

	plug(at, size, true);
	err = kmem_add_memory(at, size, KMEM_NO_NODE);
	if (err)
		plug(at, size, false);
	return err;
}

static int take_away(kmem_phys_t at, kmem_phys_t size)
{
	int err = kmem_remove_memory(at, size);

	if (!err)
		plug(at, size, false);
	return err;
}

/* kmem's own slabs have pages there: it can't do without them. */
static bool kmem_is_in(kmem_phys_t start, kmem_phys_t size)
{
	for (kmem_phys_t at = start; at < start + size; at += PAGE) {
		const struct page *p = pfn_to_page(at / PAGE);

		if (p && p->type == PAGE_SLAB)
			return true;
	}
	return false;
}

/* All that can be told apart from outside. */
struct snapshot {
	struct kmem_boot_info info;
	size_t free_pages;
	size_t managed, min, high;
};

static struct snapshot snapshot(void)
{
	struct kmem_zone_stats st;
	struct snapshot s;

	memset(&s, 0, sizeof(s));
	s.info = *kmem_boot_info();
	assert_int_equal(s.info.usable, s.info.managed + s.info.held +
			 s.info.metadata + s.info.rounding +
			 s.info.unreachable);
	s.free_pages = test_pages();
	for (unsigned i = 0; kmem_zone_stats(i, &st); i++) {
		s.managed += st.managed;
		s.min += st.min;
		s.high += st.high;
	}
	assert_sound();
	return s;
}

static void assert_same(const struct snapshot *a)
{
	struct snapshot b = snapshot();

	assert_memory_equal(a, &b, sizeof(b));
}

/* ------------------------------------------------------------ there and back */

static void what_was_added_can_be_removed(void **state)
{
	struct snapshot before, with;
	kmem_phys_t at, size;
	struct page *page;

	(void)state;
	for (int zeroed = 0; zeroed < 2; zeroed++) {
		start(1, SPACE, zeroed);
		before = snapshot();
		at = first_section();
		size = 3 * section_bytes();
		assert_int_equal(add(at, size), KMEM_OK);
		with = snapshot();
		assert_int_equal(with.info.usable, before.info.usable + size);
		assert_int_equal(with.info.managed + with.info.metadata,
				 before.info.managed + before.info.metadata +
				 size);
		assert_int_equal(with.managed * PAGE, with.info.managed);
		assert_int_equal((with.free_pages - before.free_pages) * PAGE,
				 with.info.managed - before.info.managed);
		assert_true(with.min > before.min && with.high > before.high);
		/* descriptors take no more than their share */
		assert_true(with.info.metadata - before.info.metadata <=
			    size * sizeof(struct page) / PAGE + 3 * PAGE);

		/* and it is memory like any other, in the largest blocks */
		while ((page = alloc_pages(GFP_ATOMIC | __GFP_NOWARN,
					   KMEM_MAX_ORDER)))
			if (page_to_phys(page) >= at)
				break;
		assert_non_null(page);
		memset(page_to_virt(page), 1, KMEM_PAGE_SIZE << KMEM_MAX_ORDER);
		assert_ptr_equal(virt_to_page(page_to_virt(page)), page);
		assert_int_equal(take_away(at, size), KMEM_EBUSY);
		__free_pages(page, KMEM_MAX_ORDER);
		assert_int_equal(take_away(at, size), KMEM_OK);
		assert_null(virt_to_page(phys_to_virt(at)));
		assert_null(pfn_to_page((at + size) / PAGE - 1));
	}
}

/* Each section is on its own: they go in any order, and come again. */
static void sections_go_one_by_one(void **state)
{
	static const unsigned order[] = { 1, 0, 2 };
	struct snapshot before;
	kmem_phys_t at;

	(void)state;
	start(1, SPACE, false);
	before = snapshot();
	at = first_section();
	for (unsigned round = 0; round < 3; round++) {
		assert_int_equal(add(at, 3 * section_bytes()), KMEM_OK);
		for (unsigned i = 0; i < 3; i++) {
			assert_int_equal(take_away(at + order[i] *
						   section_bytes(),
						   section_bytes()), KMEM_OK);
			snapshot();
		}
		assert_same(&before);
	}
}

/* Memory that the boot told of goes and comes, without its descriptors. */
static void boot_memory_can_be_removed(void **state)
{
	struct snapshot before;

	(void)state;
	for (int zeroed = 0; zeroed < 2; zeroed++) {
		start(1, 0, zeroed);
		before = snapshot();
		assert_int_equal(take_away(32 * MIB, 16 * MIB), KMEM_OK);
		assert_int_equal(snapshot().info.usable,
				 before.info.usable - 16 * MIB);
		/* gone is gone */
		assert_int_equal(kmem_remove_memory(32 * MIB, 16 * MIB),
				 KMEM_EINVAL);
		assert_int_equal(kmem_remove_memory(31 * MIB, 2 * MIB),
				 KMEM_EINVAL);
		assert_int_equal(kmem_release_region(32 * MIB, MIB),
				 KMEM_EINVAL);
		assert_int_equal(kmem_release_type(KMEM_REGION_USABLE, 0),
				 KMEM_OK);
		assert_int_equal(snapshot().info.usable,
				 before.info.usable - 16 * MIB);
		/* and comes in two parts */
		assert_int_equal(add(40 * MIB, 8 * MIB), KMEM_OK);
		assert_int_equal(add(36 * MIB, 8 * MIB), KMEM_EBUSY);
		plug(40 * MIB, 8 * MIB, true);
		assert_int_equal(add(32 * MIB, 8 * MIB), KMEM_OK);
		assert_same(&before);
	}
}

/* ------------------------------------------------------------------ refusals */

static void refusals_change_nothing(void **state)
{
	static const kmem_phys_t max = ~(kmem_phys_t)0;
	struct snapshot s;
	kmem_phys_t at, size;

	(void)state;
	assert_int_equal(kmem_add_memory(LAST, PAGE, 0), KMEM_EINVAL);
	assert_int_equal(kmem_remove_memory(FIRST, PAGE), KMEM_EINVAL);
	start(1, SPACE, false);
	s = snapshot();
	at = first_section();
	size = section_bytes();
	assert_int_equal(kmem_add_memory(at, 0, 0), KMEM_OK);
	assert_int_equal(kmem_remove_memory(at, 0), KMEM_OK);
	assert_int_equal(kmem_add_memory(at + 1, size, 0), KMEM_EINVAL);
	assert_int_equal(kmem_add_memory(at, size + 1, 0), KMEM_EINVAL);
	assert_int_equal(kmem_add_memory(at, size, 7), KMEM_EINVAL);
	assert_int_equal(kmem_add_memory(at, size, -7), KMEM_EINVAL);
	assert_int_equal(kmem_add_memory(at, size, KMEM_MAX_NODES),
			 KMEM_EINVAL);
	assert_int_equal(kmem_add_memory(at, max / PAGE * PAGE, 0),
			 KMEM_EINVAL);
	assert_int_equal(kmem_add_memory(max - PAGE + 1, PAGE, 0), KMEM_EINVAL);
	assert_int_equal(kmem_add_memory(SPACE + 4 * size, size, 0),
			 KMEM_EINVAL);
	assert_int_equal(kmem_add_memory(at, 2 * PAGE, 0), KMEM_EINVAL);
	assert_int_equal(kmem_add_memory(FIRST, PAGE, 0), KMEM_EBUSY);
	assert_int_equal(kmem_add_memory(LAST - PAGE, 2 * PAGE, 0),
			 KMEM_EBUSY);
	assert_int_equal(kmem_remove_memory(at, size), KMEM_EINVAL);
	/* nothing that the map names is there, or beyond */
	assert_int_equal(kmem_release_region(at, size), KMEM_EINVAL);
	assert_int_equal(kmem_remove_memory(LAST - PAGE, PAGE), KMEM_EINVAL);
	assert_int_equal(kmem_remove_memory(FIRST, LAST - FIRST), KMEM_EINVAL);
	assert_same(&s);

	assert_int_equal(add(at, size), KMEM_OK);
	s = snapshot();
	assert_int_equal(kmem_add_memory(at, size, 0), KMEM_EBUSY);
	assert_int_equal(kmem_add_memory(at, PAGE, 0), KMEM_EBUSY);
	assert_int_equal(kmem_add_memory(at + size - PAGE, 2 * PAGE, 0),
			 KMEM_EBUSY);
	assert_int_equal(kmem_release_region(at, PAGE), KMEM_EINVAL);
	assert_int_equal(kmem_release_region(at + size - PAGE, PAGE),
			 KMEM_EBUSY);
	/* the section's descriptors are still needed */
	assert_int_equal(kmem_remove_memory(at, PAGE), KMEM_EBUSY);
	assert_int_equal(kmem_remove_memory(at, size / 2), KMEM_EBUSY);
	assert_int_equal(kmem_remove_memory(at, size + PAGE), KMEM_EINVAL);
	/* half of them is none */
	assert_int_equal(kmem_remove_memory(at + PAGE, size - PAGE),
			 KMEM_EBUSY);
	assert_same(&s);
	/* but the rest can go before them */
	assert_int_equal(take_away(at + size / 2, size / 2), KMEM_OK);
	snapshot();
	assert_int_equal(take_away(at, size / 2), KMEM_OK);
	snapshot();
}

/* What is reserved may be given later, if there are a node for it and room for
 * its descriptors. */
static void what_is_reserved_may_not_be_given(void **state)
{
	static const struct kmem_hooks hooks = {
		.run_on_cpu = host_run_on_cpu,
	};
	struct kmem_params p = { .nr_cpus = 1, .hotplug_end = SPACE,
				 .hooks = &hooks };
	kmem_phys_t apart, size;
	struct snapshot s;

	(void)state;
	start(1, SPACE, false);
	apart = first_section();	/* as before, so next time */
	size = section_bytes();
	kmem_reset();
	REQUIRE(host_memory_reserve(FIRST, SPACE));
	REQUIRE(host_memory_back(FIRST, SPACE));
	p.virt_offset = host_virt_offset();
	REQUIRE(!kmem_add_region(FIRST, LAST - FIRST, KMEM_REGION_USABLE, 0));
	REQUIRE(!kmem_add_region(LAST, MIB, KMEM_REGION_RESERVED,
				 KMEM_NO_NODE));
	REQUIRE(!kmem_add_region(apart, 2 * size, KMEM_REGION_RESERVED,
				 KMEM_NO_NODE));
	REQUIRE(!kmem_add_region(apart + size, size, KMEM_REGION_NODE, 1));
	assert_int_equal(kmem_init(&p), KMEM_OK);
	assert_int_equal(section_bytes(), size);
	s = snapshot();
	/* a node that has no memory has no zones */
	assert_int_equal(kmem_release_region(apart + size, size), KMEM_EINVAL);
	assert_int_equal(kmem_release_region(apart, 2 * size), KMEM_EINVAL);
	/* descriptors for all of the section, and nothing left */
	assert_null(pfn_to_page(apart / PAGE));
	assert_int_equal(kmem_release_region(apart, 2 * PAGE), KMEM_EINVAL);
	assert_same(&s);
	assert_int_equal(kmem_release_region(apart, size), KMEM_OK);
	assert_int_equal(kmem_boot_info()->usable, s.info.usable + size);
	assert_sound();
}

/* Space that ends below memory that is there is none, and hides nothing. */
static void space_below_the_end_of_memory(void **state)
{
	(void)state;
	start(1, FIRST + MIB, false);
	assert_int_equal(kmem_boot_info()->usable, LAST - FIRST);
	assert_non_null(pfn_to_page(LAST / PAGE - 1));
	assert_int_equal(kmem_add_memory(first_section(), section_bytes(), 0),
			 KMEM_EINVAL);
	assert_sound();
}

/* The last of list[0 .. n - 1] is of the range [start, end), by chance. */
static void pick(struct page **list, size_t n, uint64_t *seed,
		 kmem_phys_t start, kmem_phys_t end)
{
	for (;;) {
		size_t i = test_below(seed, n);
		struct page *p = list[i];

		if (page_to_phys(p) < start || page_to_phys(p) >= end)
			continue;
		list[i] = list[n - 1];
		list[n - 1] = p;
		return;
	}
}

/* One page in use, wherever it is, keeps all of the range. */
/* The direct map ends within a section, whose other part has an entry in the
 * table, but no address. */
static void nothing_beyond_the_direct_map(void **state)
{
	kmem_phys_t reach = LAST + MIB;
	struct snapshot s;

	(void)state;
	start_within(reach, 1, SPACE, false);
	s = snapshot();
	assert_true(reach & (section_bytes() - 1));
	assert_int_equal(kmem_add_memory(reach, MIB, 0), KMEM_EINVAL);
	assert_int_equal(kmem_add_memory(reach - MIB, 2 * MIB, 0), KMEM_EINVAL);
	assert_int_equal(kmem_release_region(reach, PAGE), KMEM_EINVAL);
	assert_same(&s);
	assert_int_equal(add(reach - MIB, MIB), KMEM_OK);
	assert_int_equal(kmem_boot_info()->managed, s.info.managed + MIB);
	assert_sound();
}

static void a_page_in_use_keeps_its_range(void **state)
{
	enum { MAX = 1 << 15 };
	struct page **list = calloc(MAX, sizeof(*list));
	uint64_t seed = test_seed("hotplug_test: in use");
	unsigned ok = 0;
	struct snapshot s;
	size_t n;

	(void)state;
	for (unsigned round = 0; round < test_scaled(40); round++) {
		start(1, SPACE, round % 2);
		for (n = 0; n < MAX; n++)
			if (!(list[n] = alloc_page(GFP_ATOMIC | __GFP_NOWARN)))
				break;
		pick(list, n--, &seed, 16 * MIB, 48 * MIB);
		for (size_t i = 0; i < n; i++)
			__free_page(list[i]);
		test_drain(1);
		s = snapshot();
		assert_int_equal(kmem_remove_memory(16 * MIB, 32 * MIB),
				 KMEM_EBUSY);
		test_drain(1);
		assert_same(&s);
		__free_page(list[n]);
		if (take_away(16 * MIB, 32 * MIB) == KMEM_OK)
			ok++;
		else
			assert_true(kmem_is_in(16 * MIB, 32 * MIB));
		snapshot();
	}
	assert_true(ok > 0);
	free(list);
}

/* The space for what is added reaches to hotplug_end: its last section is there. */
static void the_last_section(void **state)
{
	kmem_phys_t size, at;

	(void)state;
	start(1, SPACE, false);
	size = section_bytes();
	at = (SPACE & ~(size - 1)) - size;
	assert_int_equal(add(at, size), KMEM_OK);
	assert_non_null(pfn_to_page(at / PAGE));
	assert_sound();
	assert_int_equal(take_away(at, size), KMEM_OK);
}

/* ----------------------------------------------------------- a zone is filled */

/* A zone that had no memory gets some: it is the first choice from then on,
 * with magazines; and when it is empty again, it is not. */
static void a_zone_is_filled_and_emptied(void **state)
{
	struct kmem_zone_stats st;
	struct page *page;
	kmem_phys_t at = 4 * GIB, size = 256 * MIB;
	struct kmem_params p = { .nr_cpus = 1, .hotplug_end = 5 * GIB };

	(void)state;
	NEEDS_64_BIT();
	if (KMEM_ZONES == 1)
		skip();
	kmem_reset();
	assert_true(host_memory_reserve(FIRST, 5 * GIB));
	assert_true(host_memory_back(FIRST, LAST));
	p.virt_offset = host_virt_offset();
	assert_int_equal(kmem_add_region(FIRST, LAST - FIRST,
					 KMEM_REGION_USABLE, 0), KMEM_OK);
	assert_int_equal(kmem_init(&p), KMEM_OK);
	assert_true(host_memory_back(at, at + size));
	assert_false(test_zone("Normal", 0, &st));

	for (int round = 0; round < 3; round++) {
		assert_int_equal(add(at, size), KMEM_OK);
		snapshot();
		for (int i = 0; i < 100; i++) {
			page = alloc_page(GFP_KERNEL);
			assert_true(page_to_phys(page) >= at);
			__free_page(page);
		}
		page = alloc_pages(GFP_DMA32, 0);
		assert_true(page_to_phys(page) < at);
		__free_page(page);
		assert_true(test_zone("Normal", 0, &st));
		assert_int_equal(st.managed * PAGE + size / PAGE *
				 sizeof(struct page), size);
		assert_true(st.min > 0 && st.high > st.min);
		assert_true(st.order[0].in_cpus > 0);
		assert_true(st.order[0].directs == 0 || round);

		assert_int_equal(take_away(at, size), KMEM_OK);
		snapshot();
		assert_true(test_zone("Normal", 0, &st));
		assert_int_equal(st.managed + st.free_pages + st.min, 0);
		page = alloc_page(GFP_KERNEL);
		assert_in_range(page_to_phys(page), FIRST, LAST);
		__free_page(page);
	}
}

/* --------------------------------------------------------------- under load */

#define LOAD_CPUS	4
#define TRIES		(test_scaled(400))

static bool load_stop, load_pause;
static bool at_rest[LOAD_CPUS];		/* each written by its CPU */
static unsigned removed, busy;

/* Nobody holds a block while others are told to pause. */
static void pause_load(bool pause)
{
	kmem_store_release(&load_pause, pause);
	for (unsigned cpu = 1; cpu < LOAD_CPUS; cpu++) {
		while (kmem_load_acquire(&at_rest[cpu]) != pause)
			sched_yield();
	}
}

/* CPU 0 adds and removes; what it can't remove it leaves for another time. */
static void plugger(uint64_t *seed)
{
	kmem_phys_t at = first_section(), size = section_bytes();
	bool in[4] = { false };

	for (unsigned i = 0; i < TRIES; i++) {
		unsigned k = (unsigned)test_below(seed, 4);
		kmem_phys_t where = at + k * size;

		if (i % 8 == 6)
			pause_load(true);
		if (i % 8 == 0)
			pause_load(false);
		if (!in[k]) {
			REQUIRE(add(where, size) == KMEM_OK);
			in[k] = true;
			continue;
		}
		switch (take_away(where, size)) {
		case KMEM_OK:
			in[k] = false;
			removed++;
			break;
		case KMEM_EBUSY:
			busy++;
			break;
		default:
			REQUIRE(false);
		}
	}
	pause_load(false);
	kmem_store_release(&load_stop, true);
}

/* Let go of everything, and of what this CPU keeps. */
static void drop_load(void **held, unsigned n)
{
	for (unsigned k = 0; k < n; k++) {
		kfree(held[k]);
		held[k] = NULL;
	}
	kmem_trim(KMEM_DRAIN_CPU);
}

static void load(unsigned cpu, void *arg)
{
	enum { HELD = 200 };
	uint64_t seed = *(uint64_t *)arg + cpu;
	void *held[HELD] = { NULL };

	if (cpu == 0) {
		plugger(&seed);
		return;
	}
	while (!kmem_load_acquire(&load_stop)) {
		unsigned k = (unsigned)test_below(&seed, HELD);

		if (held[k])
			REQUIRE(!test_changed(held[k], 64, k));
		kfree(held[k]);
		held[k] = kmalloc(64 + test_below(&seed, 20000),
				  GFP_ATOMIC | __GFP_NOWARN);
		if (held[k])
			test_fill(held[k], 64, k);
		if (kmem_load_acquire(&load_pause)) {
			drop_load(held, HELD);
			kmem_store_release(&at_rest[cpu], true);
			while (kmem_load_acquire(&load_pause))
				sched_yield();
			kmem_store_release(&at_rest[cpu], false);
		}
	}
	drop_load(held, HELD);
}

static void memory_comes_and_goes_under_load(void **state)
{
	uint64_t seed = test_seed("hotplug_test: load");
	unsigned left = 0;

	(void)state;
	removed = busy = 0;
	start(LOAD_CPUS, SPACE, false);
	load_stop = false;
	host_run_cpus(LOAD_CPUS, load, &seed);
	test_drain(LOAD_CPUS);
	snapshot();
	for (unsigned k = 0; k < 4; k++) {
		kmem_phys_t at = first_section() + k * section_bytes();
		int err = take_away(at, section_bytes());

		if (err == KMEM_EBUSY)
			assert_true(kmem_is_in(at, section_bytes()));
		else
			assert_true(err == KMEM_OK || err == KMEM_EINVAL);
		left += err == KMEM_EBUSY;
	}
	assert_int_equal(snapshot().info.usable, LAST - FIRST +
			 left * section_bytes());
	print_message("%u removed, %u refused\n", removed, busy);
	assert_true(removed > 0);
}

/* ------------------------- descriptors that go while somebody looks at them */

/* The section's table faults when it is touched first: there, between finding a
 * descriptor and reading it, the reader is held up while CPU 1 removes the
 * section. */
static struct {
	kmem_phys_t at;
	unsigned may_go, gone;
	int err;
	bool faulted, too_early;
} section;

static void on_fault(int signal)
{
	(void)signal;
	REQUIRE(!section.faulted);
	section.faulted = true;
	plug(section.at, section_bytes(), true);
	kmem_store_release(&section.may_go, 1);
	for (unsigned ms = 0; ms < 30 && !kmem_load_acquire(&section.gone);
	     ms++)
		usleep(1000);
	section.too_early = kmem_load_acquire(&section.gone);
}

static void *remover(void *arg)
{
	host_cpu_set(1);
	while (!kmem_load_acquire(&section.may_go))
		sched_yield();
	section.err = kmem_remove_memory(section.at, section_bytes());
	/* where objects of the test's lie in it, it stays */
	kmem_store_release(&section.gone, section.err == KMEM_OK);
	return arg;
}

static struct kmem_cache *walked;

static bool next_object(void *obj, void *arg)
{
	(void)obj, (void)arg;
	return true;
}

static void read_walk(void)
{
	assert_true(kmem_cache_walk(walked, next_object, NULL));
}

static void read_figures(void)
{
	struct kmem_zone_stats st;

	for (unsigned n = 0; kmem_zone_stats(n, &st); n++)
		;
}

static void read_range(void)
{
	uintptr_t pfn = (uintptr_t)(section.at / PAGE) + section_bytes() / PAGE - 1;

	if (!alloc_contig_range(pfn, pfn + 1, 0, GFP_KERNEL | __GFP_NOWARN))
		free_contig_range(pfn, 1);
}

static void read_aside(void)
{
	zones_do_all_later();
	assert_false(zones.later);
}

/* More frees than there is room to note: they are looked for in all pages. */
static void put_aside(unsigned n)
{
	void *p[200];

	REQUIRE(n <= KMEM_ARRAY_SIZE(p));
	for (unsigned i = 0; i < n; i++)
		REQUIRE(p[i] = kmem_cache_alloc(walked, GFP_KERNEL));
	while (n--)
		kfree_nolock(p[n]);
}

static void descriptors_stay_while_they_are_read(void **state)
{
	static void (*const readers[])(void) = {
		read_walk, read_figures, read_range, read_aside,
	};
	struct sigaction sa = { .sa_handler = on_fault }, old_segv, old_bus;
	pthread_t thread;

	(void)state;
	for (unsigned i = 0; i < KMEM_ARRAY_SIZE(readers); i++) {
		start(2, SPACE, false);
		walked = kmem_cache_create("walked", 64, 0,
					   SLAB_CONSISTENCY_CHECKS, NULL);
		assert_non_null(walked);
		memset(&section, 0, sizeof(section));
		section.at = first_section();
		assert_int_equal(add(section.at, section_bytes()), KMEM_OK);
		if (readers[i] == read_aside)
			put_aside(200);
		assert_int_equal(pthread_create(&thread, NULL, remover, NULL),
				 0);
		plug(section.at, section_bytes(), false);
		sigaction(SIGSEGV, &sa, &old_segv);
		sigaction(SIGBUS, &sa, &old_bus);
		readers[i]();
		sigaction(SIGSEGV, &old_segv, NULL);
		sigaction(SIGBUS, &old_bus, NULL);
		kmem_store_release(&section.may_go, 1);
		pthread_join(thread, NULL);
		if (!section.faulted || section.too_early)
			fail_msg("reader %u: %s", i, section.faulted ?
				 "descriptors went" : "none was read");
		assert_true(section.err == KMEM_OK ||
			    section.err == KMEM_EBUSY);
		assert_sound();
	}
}

/* -------------------------------------------------------- a model, at random */

#define MODEL_PAGES	512u		/* of the boot's memory, from its middle */
#define MODEL_START	(32 * MIB)

/* Ranges of any size go and come; the model knows of each page whether it is
 * there, in use, or gone. */
static void any_ranges_in_any_order(void **state)
{
	static struct page *used[MODEL_PAGES];
	static bool gone[MODEL_PAGES];
	uint64_t seed = test_seed("hotplug_test: model");
	size_t total = 0;

	(void)state;
	memset(used, 0, sizeof(used));
	memset(gone, 0, sizeof(gone));
	start(1, 0, false);
	for (unsigned step = 0; step < test_scaled(3000); step++) {
		size_t i = test_below(&seed, MODEL_PAGES), n, k;
		bool in_use = false, some_gone = false, all_gone = true;
		int err;

		n = 1 + test_below(&seed, step % 3 ? 8 : MODEL_PAGES - i);
		n = i + n > MODEL_PAGES ? MODEL_PAGES - i : n;
		for (k = i; k < i + n; k++) {
			in_use |= used[k] != NULL;
			some_gone |= gone[k];
			all_gone &= gone[k];
		}
		switch (test_below(&seed, 3)) {
		case 0:
			err = take_away(MODEL_START + i * PAGE, n * PAGE);
			if (!some_gone && !in_use && err)
				in_use = kmem_is_in(MODEL_START + i * PAGE,
						    n * PAGE);
			assert_int_equal(err, some_gone ? KMEM_EINVAL :
					 in_use ? KMEM_EBUSY : KMEM_OK);
			for (k = i; !err && k < i + n; k++)
				gone[k] = true;
			total += !err ? n : 0;
			break;
		case 1:
			if (all_gone)
				plug(MODEL_START + i * PAGE, n * PAGE, true);
			err = kmem_add_memory(MODEL_START + i * PAGE, n * PAGE,
					      0);
			assert_int_equal(err, all_gone ? KMEM_OK : KMEM_EBUSY);
			for (k = i; !err && k < i + n; k++)
				gone[k] = false;
			total -= !err ? n : 0;
			break;
		default:
			/* Whatever page comes: keep it if it is of the model's,
			 * or give back one that was kept. */
			if (used[i]) {
				__free_page(used[i]);
				used[i] = NULL;
				break;
			}
			struct page *p = alloc_page(GFP_KERNEL);

			k = (page_to_phys(p) - MODEL_START) / PAGE;
			if (page_to_phys(p) < MODEL_START || k >= MODEL_PAGES) {
				__free_page(p);
				break;
			}
			assert_false(gone[k]);
			assert_null(used[k]);
			used[k] = p;
		}
		assert_int_equal(kmem_boot_info()->usable,
				 LAST - FIRST - total * PAGE);
		if (step % 16 == 0)
			assert_sound();
	}
	assert_sound();
}

/* The upper half of a section came first, so the descriptors are there: the lower
 * half can go without it, not the upper one without the lower. */
static void descriptors_in_the_upper_half(void **state)
{
	kmem_phys_t half = section_bytes() / 2, at;
	struct snapshot before, one;

	(void)state;
	start(1, SPACE, false);
	half = section_bytes() / 2;
	at = first_section();
	before = snapshot();
	assert_int_equal(add(at + half, half), KMEM_OK);
	one = snapshot();
	assert_int_equal(add(at, half), KMEM_OK);
	assert_int_equal(kmem_remove_memory(at + half, half), KMEM_EBUSY);
	assert_sound();
	assert_int_equal(take_away(at, half), KMEM_OK);
	assert_same(&one);
	assert_int_equal(take_away(at + half, half), KMEM_OK);
	assert_same(&before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(what_was_added_can_be_removed),
		CASE(sections_go_one_by_one),
		CASE(boot_memory_can_be_removed),
		CASE(refusals_change_nothing),
		CASE(what_is_reserved_may_not_be_given),
		CASE(space_below_the_end_of_memory),
		CASE(nothing_beyond_the_direct_map),
		CASE(a_page_in_use_keeps_its_range),
		CASE(the_last_section),
		CASE(a_zone_is_filled_and_emptied),
		CASE(memory_comes_and_goes_under_load),
		CASE(descriptors_stay_while_they_are_read),
		CASE(any_ranges_in_any_order),
		CASE(descriptors_in_the_upper_half),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
