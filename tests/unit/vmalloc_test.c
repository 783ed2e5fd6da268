// SPDX-License-Identifier: MIT
/*
 * tests/unit/vmalloc_test.c - areas of virtual addresses, on a machine whose
 * page tables are mmap(): what is not mapped faults.
 *
 * The hooks are watched: what is mapped where, and whether kmem holds a lock or
 * masks interrupts while it calls them. They can be made to fail.
 */
#include <signal.h>

#include "unit.h"
#include "vm_area.h"

#define RANGE		(8 * MIB)
#define MEMORY		(16 * MIB)

/* So that the compiler does not see what nonsense it is. */
static volatile size_t huge = SIZE_MAX;
static volatile size_t too_much = KVMALLOC_MAX_SIZE + (size_t)1;

static struct {
	struct kmem_vmalloc_params real;	/* the host's hooks */
	size_t maps, unmaps;			/* calls */
	size_t fail_at;				/* this call of map; 0: none */
	size_t mapped;				/* pages, now */
	bool atomic;				/* what is_atomic says */
	unsigned long prot;			/* of the last map */
	gfp_t gfp;
	void (*in_map)(void);
} hook;

/* Page tables need memory, and look around: with a lock held, this would
 * stand still. */
static void use_kmem(void)
{
	struct kmem_vmalloc_stats st;
	void *table = kmalloc(PAGE, GFP_KERNEL | __GFP_NOWARN);

	kmem_vmalloc_stats(&st);
	vmalloc_to_page((void *)st.start);
	kfree(table);
}

static int watched_map(void *ctx, uintptr_t virt, kmem_phys_t phys,
		       size_t nr_pages, unsigned long prot, gfp_t gfp)
{
	REQUIRE(!kmem_host_cpu.irqs_masked);
	use_kmem();
	if (hook.in_map)
		hook.in_map();
	hook.prot = prot;
	hook.gfp = gfp;
	if (++hook.maps == hook.fail_at)
		return -1;
	hook.mapped += nr_pages;
	return hook.real.map(ctx, virt, phys, nr_pages, prot, gfp);
}

static void watched_unmap(void *ctx, uintptr_t virt, size_t nr_pages)
{
	REQUIRE(!kmem_host_cpu.irqs_masked && !hook.atomic);
	use_kmem();
	hook.unmaps++;
	hook.real.unmap(ctx, virt, nr_pages);
}

static bool watched_is_atomic(void *ctx)
{
	return hook.atomic || hook.real.is_atomic(ctx);
}

static void machine(uint64_t memory, size_t range)
{
	struct kmem_vmalloc_params params;

	memset(&hook, 0, sizeof(hook));
	host_memory_share(true);
	host_machine(memory, 1);
	assert_true(host_vmalloc_params(range, &params));
	hook.real = params;
	params.map = watched_map;
	params.unmap = watched_unmap;
	params.is_atomic = watched_is_atomic;
	params.prot = 0x1234;
	assert_int_equal(kmem_vmalloc_init(&params), KMEM_OK);
}

static int setup(void **state)
{
	(void)state;
	test_panics_record();
	machine(MEMORY, RANGE);
	return 0;
}

static struct kmem_vmalloc_stats stats(void)
{
	struct kmem_vmalloc_stats st;

	kmem_vmalloc_stats(&st);
	return st;
}

/* As it was: no area, all addresses, and as many pages as before. */
#define assert_all_back(pages) \
	do { \
		assert_int_equal(stats().areas, 0); \
		assert_int_equal(stats().taken_bytes, 0); \
		assert_int_equal(stats().largest_gap, stats().end - \
				 stats().start); \
		assert_int_equal(stats().pages, 0); \
		assert_int_equal(stats().deferred, 0); \
		assert_sound(); \
		test_drain(1); \
		assert_int_equal(test_pages(), pages); \
	} while (0)

/* After everything that a cache makes once has been made. */
static size_t pages_now(void)
{
	vfree(vmalloc(PAGE));
	test_drain(1);
	return test_pages();
}

/* ---- what faults ---- */

static sigjmp_buf fault_return;
static volatile sig_atomic_t fault_expected;

static void on_fault(int sig)
{
	if (!fault_expected)
		abort();
	(void)sig;
	siglongjmp(fault_return, 1);
}

static bool faults(const volatile void *p)
{
	struct sigaction sa = { .sa_handler = on_fault }, old_segv, old_bus;
	bool faulted;

	sigaction(SIGSEGV, &sa, &old_segv);
	sigaction(SIGBUS, &sa, &old_bus);
	fault_expected = 1;
	faulted = sigsetjmp(fault_return, 1);
	if (!faulted)
		*(const volatile char *)p;
	fault_expected = 0;
	sigaction(SIGSEGV, &old_segv, NULL);
	sigaction(SIGBUS, &old_bus, NULL);
	return faulted;
}

/* ---- the start ---- */

static int init_with(uintptr_t start, uintptr_t end, bool hooks)
{
	struct kmem_vmalloc_params p = { .start = start, .end = end };

	if (hooks) {
		p.map = watched_map;
		p.unmap = watched_unmap;
	}
	return kmem_vmalloc_init(&p);
}

/* A kernel that has no page tables yet, or gives nonsense: nothing may be
 * called, and the log says why. */
static void before_the_start(void **state)
{
	const uintptr_t base = (uintptr_t)1 << 30;
	static const struct kmem_hooks hooks = { .log = test_log };
	const struct test_range map[] = {
		{ MIB, 5 * MIB, KMEM_REGION_USABLE, KMEM_NO_NODE },
	};
	const struct kmem_params params = { .hooks = &hooks };
	uintptr_t direct;
	char *p;

	clean_end(state);
	test_panics_record();
	assert_int_equal(init_with(base, base + MIB, true), KMEM_EBUSY);
	assert_int_equal(test_machine(map, 1, &params), KMEM_OK);
	test_log_clear();
	assert_null(vmalloc(100));
	assert_true(test_logged("kmem_vmalloc_init"));
	assert_null(vrealloc(NULL, 100, GFP_KERNEL));
	assert_null(kmem_stack_alloc(PAGE));
	assert_null(get_vm_area(PAGE, 0));
	assert_null(vm_map_phys(0, PAGE, 0));
	vfree(NULL);
	vm_unmap_aliases();
	assert_int_equal(stats().end, 0);
	assert_int_equal(kmem_vmalloc_check(host_print, stderr), 0);

	direct = (uintptr_t)phys_to_virt(MIB);
	assert_int_equal(kmem_vmalloc_init(NULL), KMEM_EINVAL);
	assert_int_equal(init_with(base, base + MIB, false), KMEM_EINVAL);
	assert_int_equal(init_with(base, base, true), KMEM_EINVAL);
	assert_int_equal(init_with(base + MIB, base, true), KMEM_EINVAL);
	assert_int_equal(init_with(0, base, true), KMEM_EINVAL);
	assert_int_equal(init_with(base + 1, base + MIB, true), KMEM_EINVAL);
	assert_int_equal(init_with(base, base + MIB + 1, true), KMEM_EINVAL);
	assert_int_equal(init_with(direct, direct + MIB, true), KMEM_EINVAL);
	assert_int_equal(init_with(direct - MIB, direct + 64 * PAGE, true),
			 KMEM_EINVAL);
	assert_true(test_logged("direct map"));
	assert_false(is_vmalloc_addr((void *)base));

	p = kvmalloc(100, GFP_KERNEL);		/* all the same */
	assert_non_null(p);
	assert_null(kvmalloc(KMALLOC_MAX_SIZE + 1, GFP_KERNEL | __GFP_NOWARN));
	kvfree(p);
	assert_int_equal(host_vmalloc(MIB), KMEM_OK);
	assert_int_equal(init_with(base, base + MIB, true), KMEM_EBUSY);
}

/* ---- memory ---- */

static struct page *held[8192], *held_pair[8192];
static size_t nr_held, nr_pairs;

/* Leave single pages only: of those taken one by one, one in so many is given
 * back; and pairs that nobody could take so are taken. */
static void fragment(uintptr_t one_in)
{
	size_t n = 0;

	while ((held[n] = alloc_page(GFP_ATOMIC | __GFP_NOWARN)))
		n++;
	nr_held = nr_pairs = 0;
	for (size_t i = 0; i < n; i++)
		if (page_to_pfn(held[i]) % one_in)
			held[nr_held++] = held[i];
		else
			__free_page(held[i]);
	drain_pages();
	while ((held_pair[nr_pairs] = alloc_pages(GFP_KERNEL | __GFP_NOWARN,
						  1)))
		nr_pairs++;
}

static void defragment(void)
{
	while (nr_held)
		__free_page(held[--nr_held]);
	while (nr_pairs)
		__free_pages(held_pair[--nr_pairs], 1);
}

/* Large memory must not need large blocks: with none of two pages left, an area
 * of megabytes is there, every page of it somewhere else, and holds what is
 * written. */
static void large_from_single_pages(void **state)
{
	const size_t size = 4 * MIB;
	char *p;

	(void)state;
	fragment(2);
	p = vmalloc(size);
	assert_non_null(p);
	assert_true(hook.maps >= size / PAGE);
	test_fill(p, size, 7);
	for (size_t i = 0; i < size; i += PAGE) {
		struct page *page = vmalloc_to_page(p + i);

		assert_non_null(page);
		assert_memory_equal(page_to_virt(page), p + i, PAGE);
		assert_int_equal(vmalloc_to_pfn(p + i), page_to_pfn(page));
	}
	assert_null(test_changed(p, size, 7));
	vfree(p);
	defragment();
}

/* Every size around a page: all of it usable, the next page not. */
static void sizes_and_zeros(void **state)
{
	size_t pages = pages_now();

	(void)state;
	for (size_t size = 1; size <= 3 * PAGE + 1; size += PAGE / 4 - 1) {
		size_t whole = (size + PAGE - 1) / PAGE * PAGE;
		unsigned char *p = vmalloc(size), *z = vzalloc(size);

		assert_non_null(p);
		assert_non_null(z);
		assert_int_equal((uintptr_t)p % PAGE, 0);
		memset(p, 0xee, whole);
		for (size_t i = 0; i < whole; i++)
			assert_int_equal(z[i], 0);
		assert_true(is_vmalloc_addr(p) && is_vmalloc_addr(p + size));
		assert_int_equal(find_vm_area(p)->size, whole + PAGE);
		assert_int_equal(get_vm_area_size(find_vm_area(p)), whole);
		vfree(z);
		vfree(p);
		z = vzalloc(size);		/* where the dirt was */
		for (size_t i = 0; i < whole; i++)
			assert_int_equal(z[i], 0);
		vfree(z);
	}
	assert_false(is_vmalloc_addr(&pages));
	assert_all_back(pages);
}

/* Each name, with what it promises beside memory. */
static void every_name(void **state)
{
	size_t pages = pages_now();
	void *p[12];

	(void)state;
	p[0] = vmalloc_node(100, 0);
	p[1] = vzalloc_node(100, KMEM_NO_NODE);
	p[2] = __vmalloc(100, GFP_NOFS);
	assert_int_equal(hook.gfp & GFP_KERNEL, GFP_NOFS);
	p[3] = vmalloc_array(10, 100);
	p[4] = vcalloc(10, 100);
	p[5] = __vmalloc_array(10, 100, GFP_NOIO);
	assert_int_equal(hook.gfp & GFP_KERNEL, GFP_NOIO);
	p[6] = __vcalloc(10, 100, GFP_KERNEL);
	p[7] = vmalloc_user(100);
	p[8] = vmalloc_32(100);
	p[9] = vmalloc_huge(3 * PAGE, GFP_KERNEL);
	p[10] = __vmalloc_node(PAGE, 16 * PAGE, GFP_KERNEL, 0, NULL);
	p[11] = vzalloc(1);
	for (size_t i = 0; i < 12; i++)
		assert_non_null(p[i]);
	assert_int_equal(hook.prot, 0x1234);
	assert_true(find_vm_area(p[7])->flags & VM_USERMAP);
	assert_int_equal((uintptr_t)p[10] % (16 * PAGE), 0);
	for (size_t i = 0; i < 12; i++)
		vfree(p[i]);
	assert_null(vmalloc_array(SIZE_MAX / 2, 3));
	assert_null(vcalloc(SIZE_MAX / 2, 3));
	assert_null(__vmalloc_array((size_t)1 << (sizeof(size_t) * 4),
				    (size_t)1 << (sizeof(size_t) * 4),
				    GFP_KERNEL));
	assert_all_back(pages);
}

/* What can't be is refused at once: nothing is taken, no hook is called. */
static void refusals(void **state)
{
	size_t pages = pages_now(), maps = hook.maps;

	(void)state;
	assert_null(vmalloc(0));
	assert_null(vmalloc(huge));
	assert_null(vmalloc(huge - PAGE));
	assert_null(vmalloc(RANGE));		/* no room for the guard */
	assert_null(vmalloc(RANGE + 1));
	assert_null(__vmalloc(PAGE, GFP_ATOMIC));
	assert_null(__vmalloc(PAGE, GFP_NOWAIT));
	assert_null(__vmalloc(PAGE, __GFP_ZERO));
	assert_null(__vmalloc_node(PAGE, 3 * PAGE, GFP_KERNEL, 0, NULL));
	assert_null(__vmalloc(huge, GFP_KERNEL | __GFP_NOFAIL));
	assert_null(vmap(NULL, 1, VM_MAP, 0));
	assert_null(vmap((struct page *[]){ NULL }, 1, VM_MAP, 0));
	assert_null(vmap((struct page *[]){ NULL }, 0, VM_MAP, 0));
	assert_null(vmap((struct page *[]){ NULL }, SIZE_MAX / 8, VM_MAP, 0));
	assert_null(vm_map_phys(0, 0, 0));
	assert_null(vm_map_phys(123, SIZE_MAX - 50, 0));
	assert_null(vm_map_phys(~(kmem_phys_t)0, 2, 0));
	assert_null(get_vm_area(0, 0));
	assert_null(get_vm_area(huge, 0));
	assert_null(kmem_stack_alloc(0));
	assert_null(kmem_stack_alloc(huge));
	assert_int_equal(hook.maps, maps);
	assert_all_back(pages);

	/* More than there is memory: not eaten up before it fails. */
	machine(4 * MIB, 64 * MIB);
	pages = pages_now();
	maps = hook.maps;
	assert_null(vmalloc(32 * MIB));
	assert_int_equal(hook.maps, maps);
	assert_all_back(pages);
}

/* ---- guard pages ---- */

/* One byte too far, or into what was freed, must not hit another area. */
static void guards_fault(void **state)
{
	char *p = vmalloc(2 * PAGE), *q = vmalloc(PAGE), *r;

	(void)state;
	assert_non_null(p);
	assert_int_equal(q - p, 3 * PAGE);	/* side by side, but a guard */
	assert_false(faults(p));
	assert_false(faults(p + 2 * PAGE - 1));
	assert_true(faults(p + 2 * PAGE));
	assert_true(faults(q - 1));
	assert_true(faults(q + PAGE));
	vfree(p);
	assert_true(faults(p));
	assert_true(faults(p + 2 * PAGE - 1));
	assert_false(faults(q));
	r = vmalloc(2 * PAGE);			/* the lowest that fits */
	assert_ptr_equal(r, p);
	vfree(r);
	vfree(q);
}

/* A stack that overflows must not reach its neighbour's pages, whatever that
 * is: here an area without a guard page of its own. */
static void stacks_have_guards(void **state)
{
	size_t pages = pages_now();
	struct vm_struct *below = get_vm_area(PAGE, VM_NO_GUARD);
	char *s = kmem_stack_alloc(3 * PAGE + 1), *t;

	(void)state;
	assert_non_null(below);
	assert_non_null(s);
	assert_int_equal(s - (char *)below->addr, 2 * PAGE);
	for (size_t i = 0; i < 4 * PAGE; i++)
		assert_int_equal(s[i], 0);
	memset(s, 1, 4 * PAGE);
	assert_true(faults(s - 1));
	assert_true(faults(s - PAGE));
	assert_true(faults(s + 4 * PAGE));
	assert_ptr_equal(kmem_stack_overflowed(s - 1), s);
	assert_ptr_equal(kmem_stack_overflowed(s - PAGE), s);
	assert_null(kmem_stack_overflowed(s - PAGE - 1));
	assert_null(kmem_stack_overflowed(s));
	assert_null(kmem_stack_overflowed(s + 4 * PAGE));
	assert_null(kmem_stack_overflowed(&pages));
	/* In the middle of kmem it does not wait. */
	lock_take(&vm.lock);
	assert_null(kmem_stack_overflowed(s - 1));
	lock_release(&vm.lock);
	t = kmem_stack_alloc(1);
	assert_true(faults(t - 1) && !faults(t) && faults(t + PAGE));
	assert_int_equal(find_vm_area(t)->flags, VM_ALLOC | KMEM_VM_STACK);
	assert_int_equal(vmalloc_to_pfn(t - 1), 0);
	kmem_stack_free(NULL);
	kmem_stack_free(s);
	assert_true(faults(s));
	kmem_stack_free(t);
	free_vm_area(below);
	assert_all_back(pages);
}

/* ---- failure ---- */

/* The map hook fails at its first call, its second, …: all that was done must
 * be undone, and the same request must succeed afterwards. */
static void map_fails_at_each_call(void **state)
{
	struct page *page[6];
	size_t pages, calls;
	void *p;

	(void)state;
	for (size_t i = 0; i < 6; i++)
		page[i] = alloc_page(GFP_KERNEL);
	pages = pages_now();
	for (size_t fail = 1; fail < 40; fail++) {
		hook.maps = 0;
		hook.fail_at = fail;
		p = vmalloc(30 * PAGE);
		calls = hook.maps;
		assert_int_equal(!p, calls >= fail);
		vfree(p);
		hook.maps = 0;
		p = kmem_stack_alloc(5 * PAGE);
		assert_int_equal(!p, hook.maps >= fail);
		kmem_stack_free(p);
		hook.maps = 0;
		p = vmap(page, 6, VM_MAP, 0);
		assert_int_equal(!p, hook.maps >= fail);
		vunmap(p);
		hook.maps = 0;
		p = vm_map_phys(2 * MIB, 3 * PAGE, 0);
		assert_int_equal(!p, hook.maps >= fail);
		vm_unmap_phys(p);
		hook.fail_at = 0;
		assert_all_back(pages);
		for (size_t i = 0; i < 40; i++)
			assert_true(faults((char *)stats().start + i * PAGE));
	}
	assert_true(stats().failed > 0);
	for (size_t i = 0; i < 6; i++)
		__free_page(page[i]);
}

/* What VM_MAP_PUT_PAGES gives away is still the caller's if vmap() fails. */
static void failed_vmap_keeps_nothing(void **state)
{
	struct page **array = kvmalloc_array(2, sizeof(*array), GFP_KERNEL);
	void *p;

	(void)state;
	array[0] = alloc_page(GFP_KERNEL);
	array[1] = alloc_page(GFP_KERNEL);
	hook.fail_at = hook.maps + 1;
	assert_null(vmap(array, 2, VM_MAP | VM_MAP_PUT_PAGES, 0));
	p = vmap(array, 2, VM_MAP | VM_MAP_PUT_PAGES, 0);
	assert_non_null(p);
	assert_sound();
	vfree(p);
	assert_int_equal(stats().pages, 0);
}

/* With k pages of memory left for k = 0, 1, …, a request meets the end of
 * memory at each of its steps: the area, the array, each page. */
static void memory_runs_out_at_each_step(void **state)
{
	struct page **all = held;
	size_t n = 0, pages, got = 0, failed = 0;

	(void)state;
	pages = pages_now();
	for (; (all[n] = alloc_page(GFP_ATOMIC | __GFP_NOWARN)); n++)
		;
	while (got < 3 && n) {
		size_t maps = hook.maps;
		void *p = vmalloc(16 * PAGE);

		if (p)
			test_fill(p, 16 * PAGE, n);
		else
			assert_int_equal(hook.maps, maps);
		got += p != NULL;
		failed += !p;
		vfree(p);
		assert_int_equal(stats().areas, 0);
		assert_int_equal(stats().pages, 0);
		assert_sound();
		__free_page(all[--n]);
	}
	assert_true(got == 3 && failed > 16);
	while (n)
		__free_page(all[--n]);
	assert_all_back(pages);
}

/* All addresses in use, in the smallest areas that there are. */
static void range_runs_out(void **state)
{
	static void *area[RANGE / 4096];
	size_t n = 0, pages = pages_now();
	void *at;

	(void)state;
	while ((area[n] = __vmalloc(PAGE, GFP_KERNEL | __GFP_NOWARN)))
		n++;
	assert_int_equal(n, RANGE / (2 * PAGE));
	assert_int_equal(stats().largest_gap, 0);
	assert_null(vmalloc(1));
	assert_sound();
	/* The only place left is found by who wants it aligned as it is, though
	 * it is not so long that it would do wherever it began. */
	at = area[7];
	vfree(at);
	area[7] = __vmalloc_node(PAGE, 2 * PAGE, GFP_KERNEL | __GFP_NOWARN,
				 KMEM_NO_NODE, NULL);
	assert_ptr_equal(area[7], (uintptr_t)at % (2 * PAGE) ? NULL : at);
	if (!area[7])
		area[7] = vmalloc(PAGE);
	assert_ptr_equal(area[7], at);
	/* Two that are not neighbours give no room for two pages. */
	vfree(area[10]);
	vfree(area[12]);
	assert_null(vmalloc(2 * PAGE));
	vfree(area[11]);
	area[11] = vmalloc(5 * PAGE);
	assert_ptr_equal(area[11], area[10]);
	area[10] = area[12] = NULL;
	while (n)
		vfree(area[--n]);
	assert_all_back(pages);
}

static unsigned waits;
static void *blocker;

static void wait_for_addresses(void *ctx, const struct kmem_pressure *p)
{
	(void)ctx;
	(void)p;
	if (++waits < 3)
		return;
	vfree(blocker);
	blocker = NULL;
	hook.fail_at = 0;
}

/* __GFP_NOFAIL waits for addresses and page tables as for pages. */
static void nofail_waits(void **state)
{
	void *p;

	(void)state;
	kmem_hooks.wait = wait_for_addresses;
	waits = 0;
	blocker = vmalloc(RANGE - PAGE);
	assert_non_null(blocker);
	p = __vmalloc(PAGE, GFP_KERNEL | __GFP_NOFAIL);
	assert_non_null(p);
	assert_int_equal(waits, 3);
	vfree(p);

	waits = 0;
	hook.fail_at = hook.maps + 1;
	p = __vmalloc(PAGE, GFP_KERNEL | __GFP_NOFAIL);
	assert_non_null(p);
	vfree(p);
}

/* ---- misuse ---- */

static void misuse_of_vfree(void **state)
{
	size_t pages = pages_now();
	char *p = vmalloc(3 * PAGE), *k = kmalloc(100, GFP_KERNEL);
	char *large = kmalloc(5 * PAGE, GFP_KERNEL), *s = kmem_stack_alloc(1);
	struct page *page = alloc_page(GFP_KERNEL);
	char *v = vmap(&page, 1, VM_MAP, 0);
	char *io = vm_map_phys(2 * MIB, PAGE, 0);
	struct vm_struct *bare = get_vm_area(PAGE, 0);

	(void)state;
	test_fill(p, 3 * PAGE, 1);
	vfree(p + 1);
	assert_panicked(p + 1, "vfree", "not the start");
	vfree(p + PAGE);
	assert_panicked(p + PAGE, "vfree", "not the start");
	vfree(p + 3 * PAGE);
	assert_panicked(p + 3 * PAGE, "vfree", "not the start");
	vfree(k);
	assert_panicked(k, "vfree", "slab");
	vfree(large);
	assert_panicked(large, "vfree", "allocated by kmalloc()");
	vfree(page_to_virt(page));
	assert_panicked(page_to_virt(page), "vfree", "alloc_pages()");
	vfree(&pages);
	assert_panicked(&pages, "vfree", "no memory of kmem's");
	vfree((void *)(uintptr_t)(stats().end - PAGE));
	assert_panicked(NULL, "vfree", "no area");
	vfree(s);
	assert_panicked(s, "vfree", "kmem_stack_free() ends it");
	vfree(v);
	assert_panicked(v, "vfree", "vunmap() ends it");
	vfree(io);
	assert_panicked(io, "vfree", "vm_unmap_phys() ends it");
	vfree(bare->addr);
	assert_panicked(bare->addr, "vfree", "free_vm_area() ends it");
	vunmap(p);
	assert_panicked(p, "vunmap", "vfree() ends it");
	vunmap(s);
	assert_panicked(s, "vunmap", "kmem_stack_free() ends it");
	kmem_stack_free(p);
	assert_panicked(p, "kmem_stack_free", "vfree() ends it");
	kmem_stack_free(s - PAGE);
	assert_panicked(s - PAGE, "kmem_stack_free", "not the start");
	vm_unmap_phys(p);
	assert_panicked(p, "vm_unmap_phys", "vfree() ends it");
	assert_null(vrealloc(p + 1, 10, GFP_KERNEL));
	assert_panicked(p + 1, "vrealloc", "not the start");
	assert_null(vrealloc(k, 10, GFP_KERNEL));
	assert_panicked(k, "vrealloc", "slab");
	kfree(p);
	assert_panicked(p, "kfree", "vfree()");
	assert_int_equal(ksize(p), 0);
	assert_panicked(p, "ksize", "vfree()");
	free_pages((uintptr_t)p, 0);
	assert_panicked(p, "free_pages", "vfree()");
	assert_null(test_changed(p, 3 * PAGE, 1));
	assert_sound();

	vfree(p);
	vfree(p);
	assert_panicked(p, "vfree", "double free");
	vfree_atomic(s);
	assert_panicked(s, "vfree_atomic", "kmem_stack_free() ends it");
	kmem_stack_free(s);
	kmem_stack_free(s);
	assert_panicked(s, "kmem_stack_free", "double free");
	vunmap(v);
	vunmap(v);
	assert_panicked(v, "vunmap", "double free");
	vm_unmap_phys(io);
	free_vm_area(bare);
	__free_page(page);
	kfree(k);
	kfree(large);
	assert_all_back(pages);
}

/* A page of an area that someone else frees is missing when the area ends. */
static void stolen_page(void **state)
{
	char *p = vmalloc(2 * PAGE);
	struct page *page = vmalloc_to_page(p);

	(void)state;
	__free_page(page);
	assert_true(kmem_vmalloc_check(NULL, NULL) > 0);	/* V5 */
	assert_true(kmem_check_all(NULL, NULL) > 0);
	vfree(p);
	assert_panicked(page_to_virt(page), "free_pages", "freed twice");
}

/* ---- later ---- */

/* Freed where unmapping can't be: the area is gone for its user at once, and
 * for good when a thread comes by. */
static void freed_in_an_interrupt(void **state)
{
	size_t pages = pages_now(), unmaps;
	char *p = vmalloc(3 * PAGE), *q = vmalloc(PAGE), *r = vmalloc(PAGE);
	char *s = kmem_stack_alloc(PAGE);

	(void)state;
	unmaps = hook.unmaps;
	vfree_atomic(NULL);
	vfree_atomic(p);
	hook.atomic = true;
	vfree(q);
	kmem_stack_free(s);
	assert_int_equal(stats().deferred, 3);
	assert_int_equal(hook.unmaps, unmaps);
	assert_null(find_vm_area(p));
	assert_null(vmalloc_to_page(q));
	assert_sound();
	vfree(p);
	assert_panicked(p, "vfree", "double free");
	vfree_atomic(q);
	assert_panicked(q, "vfree_atomic", "double free");
	vm_unmap_aliases();			/* not here */
	assert_int_equal(stats().deferred, 3);
	hook.atomic = false;
	assert_int_equal(stats().pages, 6);

	vfree(r);				/* a thread */
	assert_int_equal(stats().deferred, 0);
	assert_int_equal(hook.unmaps, unmaps + 4);
	assert_true(faults(p));

	p = vmalloc(RANGE - PAGE);
	vfree_atomic(p);
	p = vmalloc(RANGE - PAGE);		/* it can be had again */
	assert_non_null(p);
	vfree_atomic(p);
	vm_unmap_aliases();
	assert_all_back(pages);
}

static void *to_free[64];
static size_t nr_to_free;

static void free_one(unsigned cpu)
{
	(void)cpu;
	if (kmem_load_acquire(&nr_to_free) && to_free[nr_to_free - 1]) {
		void *p = to_free[nr_to_free - 1];

		to_free[nr_to_free - 1] = NULL;
		vfree(p);
	}
}

/* Real interrupts, at any instruction of vmalloc() and vfree(), free areas: no
 * lock is taken twice, nothing is lost. */
static void interrupts_free(void **state)
{
	size_t pages = pages_now(), served = 0;

	(void)state;
	nr_to_free = 1;
	host_irq_start(50, true, free_one);
	for (unsigned i = 0; i < test_scaled(4000) ||
	     (served < 2 && i < 4000000); i++) {
		void *p = vmalloc((1 + i % 5) * PAGE);
		uintptr_t irq;

		assert_non_null(p);
		irq = kmem_arch_irq_save();
		if (!to_free[0]) {
			to_free[0] = p;
			p = NULL;
			served++;
		}
		kmem_arch_irq_restore(irq);
		vfree(p);
	}
	host_irq_stop();
	vfree(to_free[0]);
	vm_unmap_aliases();
	assert_true(served > 1);
	assert_all_back(pages);
}

/* ---- mappings ---- */

/* The same pages twice: what is written here is read there; and ending one does
 * not end the pages. */
static void vmap_shows_pages(void **state)
{
	size_t pages = pages_now();
	struct page *page[4], **array;
	char *p, *q;

	(void)state;
	for (size_t i = 0; i < 4; i++)
		page[i] = alloc_page(GFP_KERNEL);
	p = vmap(page, 4, VM_MAP, 0x77);
	assert_int_equal(hook.prot, 0x77);
	q = vmap((struct page *[]){ page[3], page[1] }, 2, VM_MAP, 0);
	assert_non_null(p);
	assert_non_null(q);
	test_fill(p, 4 * PAGE, 3);
	for (size_t i = 0; i < 4; i++)
		assert_memory_equal(page_to_virt(page[i]), p + i * PAGE, PAGE);
	assert_memory_equal(q, p + 3 * PAGE, PAGE);
	assert_memory_equal(q + PAGE, p + PAGE, PAGE);
	memset(q, 0x55, 1);
	assert_int_equal(p[3 * PAGE], 0x55);
	assert_ptr_equal(vmalloc_to_page(q + 1), page[3]);
	assert_int_equal(stats().pages, 0);
	assert_true(faults(p + 4 * PAGE));
	vunmap(p);
	assert_true(faults(p));
	assert_false(faults(q));
	vunmap(NULL);
	vunmap(q);

	/* Given away; or taken back by vunmap(). */
	array = kvmalloc_array(4, sizeof(*array), GFP_KERNEL);
	memcpy(array, page, sizeof(page));
	p = vmap(array, 4, VM_MAP | VM_MAP_PUT_PAGES, 0);
	assert_int_equal(stats().pages, 4);
	assert_sound();
	vunmap(p);
	assert_int_equal(stats().pages, 0);
	p = vmap(array, 4, VM_MAP | VM_MAP_PUT_PAGES, 0);
	vfree(p);
	assert_all_back(pages);
}

static void areas_without_guards(void **state)
{
	struct page *page = alloc_page(GFP_KERNEL);
	char *p = vmap(&page, 1, VM_MAP | VM_NO_GUARD, 0);
	char *q = vmap(&page, 1, VM_MAP, 0);

	(void)state;
	assert_int_equal(q - p, PAGE);
	assert_int_equal(find_vm_area(p)->size, PAGE);
	assert_int_equal(get_vm_area_size(find_vm_area(p)), PAGE);
	vunmap(p);
	vunmap(q);
	__free_page(page);
}

/* Registers that begin and end in the middle of pages. */
static void physical_addresses(void **state)
{
	size_t pages = pages_now();
	kmem_phys_t phys = 2 * MIB + 0x234;
	char *direct = phys_to_virt(phys);
	char *p = vm_map_phys(phys, PAGE, 0x99);

	(void)state;
	assert_non_null(p);
	assert_int_equal((uintptr_t)p % PAGE, 0x234);
	assert_int_equal(hook.prot, 0x99);
	assert_int_equal(find_vm_area(p)->nr_pages, 2);
	assert_int_equal(find_vm_area(p)->phys_addr, 2 * MIB);
	assert_memory_equal(p, direct, PAGE);
	assert_int_equal(vmalloc_to_pfn(p + PAGE), 2 * MIB / PAGE + 1);
	assert_ptr_equal(vmalloc_to_page(p), virt_to_page(direct));
	vm_unmap_phys(NULL);
	vm_unmap_phys(p);
	assert_true(faults(p));
	assert_all_back(pages);
}

/* Addresses alone: kmem maps nothing there, and unmaps whatever is. */
static void addresses_alone(void **state)
{
	size_t pages = pages_now(), maps = hook.maps, unmaps = hook.unmaps;
	struct vm_struct *area = get_vm_area(3 * PAGE, VM_IOREMAP);
	struct page *page = alloc_page(GFP_KERNEL);

	(void)state;
	assert_non_null(area);
	assert_ptr_equal(find_vm_area((char *)area->addr + PAGE), area);
	assert_int_equal(hook.maps, maps);
	assert_true(faults(area->addr));
	assert_int_equal(vmalloc_to_pfn(area->addr), 0);
	hook.real.map(NULL, (uintptr_t)area->addr + PAGE, page_to_phys(page),
		      1, 0, GFP_KERNEL);
	assert_false(faults((char *)area->addr + PAGE));
	free_vm_area(NULL);
	free_vm_area(area);
	assert_int_equal(hook.unmaps, unmaps + 1);
	assert_true(faults((char *)stats().start + PAGE));
	__free_page(page);
	assert_all_back(pages);
}

/* ---- changing the size ---- */

static void vrealloc_keeps_content(void **state)
{
	size_t pages = pages_now();
	unsigned char *p = vrealloc(NULL, 5 * PAGE, GFP_KERNEL), *q;

	(void)state;
	assert_non_null(p);
	test_fill(p, 5 * PAGE, 9);
	q = vrealloc(p, 2 * PAGE + 10, GFP_KERNEL);	/* smaller: stays */
	assert_ptr_equal(q, p);
	assert_null(test_changed(p, 2 * PAGE + 10, 9));
	assert_int_equal(stats().pages, 3);		/* the rest came back */
	assert_true(faults(p + 3 * PAGE));
	assert_int_equal(vmalloc_to_pfn(p + 3 * PAGE), 0);
	assert_sound();
	q = vrealloc(p, 3 * PAGE, GFP_KERNEL | __GFP_ZERO);
	assert_ptr_equal(q, p);				/* its pages suffice */
	assert_null(test_changed(p, 2 * PAGE + 10, 9));
	for (size_t i = 2 * PAGE + 10; i < 3 * PAGE; i++)
		assert_int_equal(p[i], 0);
	test_fill(p, 3 * PAGE, 8);
	q = vrealloc(p, 40 * PAGE, GFP_KERNEL | __GFP_ZERO);
	assert_ptr_not_equal(q, p);
	assert_null(test_changed(q, 3 * PAGE, 8));
	for (size_t i = 3 * PAGE; i < 40 * PAGE; i++)
		assert_int_equal(q[i], 0);
	assert_true(faults(p));
	assert_null(vrealloc(q, huge, GFP_KERNEL));	/* and q is valid */
	assert_null(vrealloc(q, 50 * PAGE, GFP_ATOMIC));
	hook.fail_at = hook.maps + 1;
	assert_null(vrealloc(q, 50 * PAGE, GFP_KERNEL));
	assert_null(test_changed(q, 3 * PAGE, 8));
	assert_null(vrealloc(q, 0, GFP_KERNEL));
	assert_true(faults(q));
	assert_all_back(pages);
}

/* ---- kvmalloc ---- */

/* kmalloc() while it can, vmalloc() where it can't; whichever it was, kvfree()
 * knows. */
static void kvmalloc_has_a_second_choice(void **state)
{
	size_t pages = pages_now();
	/* of a page; where there are guards, half of one takes two */
	size_t half = KMEM_HARDEN ? PAGE / 4 : PAGE / 2;
	char *p, *q;

	(void)state;
	p = kvmalloc(8 * PAGE, GFP_KERNEL);
	assert_false(is_vmalloc_addr(p));
	kvfree(p);
	p = kvmalloc(KMALLOC_MAX_SIZE + 1, GFP_KERNEL);
	assert_true(is_vmalloc_addr(p));
	test_fill(p, KMALLOC_MAX_SIZE + 1, 2);
	kvfree(p);
	assert_null(kvmalloc(KMALLOC_MAX_SIZE + 1, GFP_ATOMIC | __GFP_NOWARN));

	fragment(4);
	assert_null(kmalloc(8 * PAGE, GFP_KERNEL | __GFP_NOWARN));
	p = kvzalloc(8 * PAGE, GFP_KERNEL);
	assert_true(is_vmalloc_addr(p));
	for (size_t i = 0; i < 8 * PAGE; i++)
		assert_int_equal(p[i], 0);
	q = kvmalloc(8 * PAGE, GFP_KERNEL | __GFP_NOFAIL);
	assert_true(is_vmalloc_addr(q));	/* no waiting for a block */
	kvfree(q);
	assert_no_panic();
	q = kvmalloc(half, GFP_KERNEL);	/* not for less than a page */
	assert_false(is_vmalloc_addr(q));
	assert_null(kvmalloc(8 * PAGE, GFP_NOWAIT | __GFP_NOWARN));
	test_fill(q, half, 5);
	q = kvrealloc(q, 9 * PAGE, GFP_KERNEL);	/* from one to the other */
	assert_true(is_vmalloc_addr(q));
	assert_null(test_changed(q, half, 5));
	q = kvrealloc(q, 2 * PAGE, GFP_KERNEL);
	assert_true(is_vmalloc_addr(q));
	assert_null(test_changed(q, half, 5));
	kvfree(q);
	kvfree_sensitive(p, 8 * PAGE);
	defragment();
	assert_all_back(pages);
}

static void kvmalloc_family(void **state)
{
	size_t pages = pages_now();
	char *p, *q;

	(void)state;
	assert_ptr_equal(kvmalloc(0, GFP_KERNEL), ZERO_SIZE_PTR);
	kvfree(ZERO_SIZE_PTR);
	kvfree(NULL);
	kvfree_sensitive(NULL, 10);
	kvfree_sensitive(ZERO_SIZE_PTR, 0);
	assert_null(kvmalloc_array(SIZE_MAX / 4, 5, GFP_KERNEL));
	assert_null(kvcalloc(SIZE_MAX / 4, 5, GFP_KERNEL));
	assert_null(kvmalloc_array_node(SIZE_MAX / 4, 5, GFP_KERNEL, 0));
	assert_null(kvcalloc_node(SIZE_MAX / 4, 5, GFP_KERNEL, 0));
	assert_null(kvmalloc(huge, GFP_KERNEL | __GFP_NOWARN));
	assert_null(kvmalloc(too_much, GFP_KERNEL | __GFP_NOWARN));
	p = kvcalloc(1000, 50, GFP_KERNEL);
	for (size_t i = 0; i < 50000; i++)
		assert_int_equal(p[i], 0);
	test_fill(p, 50000, 4);
	q = kvmemdup(p, 50000, GFP_KERNEL);
	assert_null(test_changed(q, 50000, 4));
	q = kvrealloc(q, 60000, GFP_KERNEL);
	assert_null(test_changed(q, 50000, 4));
	q = kvrealloc(q, 10, GFP_KERNEL);
	assert_null(test_changed(q, 10, 4));
	assert_ptr_equal(kvrealloc(q, 0, GFP_KERNEL), ZERO_SIZE_PTR);
	kvfree(p);
	p = kvzalloc_node(3 * PAGE, GFP_KERNEL, 0);
	q = kvmalloc_node(3 * PAGE, GFP_KERNEL, 5);	/* a hint */
	assert_non_null(p);
	assert_non_null(q);
	kvfree(p);
	kvfree(q);
	kvfree(q);
	assert_panicked(q, "kfree", "free");
	p = kvmalloc(KMALLOC_MAX_SIZE + PAGE, GFP_KERNEL);
	kvfree(p + PAGE);
	assert_panicked(p + PAGE, "vfree", "not the start");
	assert_null(kvrealloc(&pages, 100, GFP_KERNEL));
	assert_panicked(&pages, "kvrealloc", NULL);
	assert_null(kvrealloc(p, 0, GFP_KERNEL));
	kvfree(p);
	assert_panicked(p, "vfree", "double free");
	assert_all_back(pages);
}

/* ---- looking inside ---- */

static char report[8][200];
static unsigned report_lines;

static void take_line(void *ctx, const char *line)
{
	(void)ctx;
	if (report_lines < 8)
		snprintf(report[report_lines], sizeof(report[0]), "%s", line);
	report_lines++;
}

static void report_names_areas(void **state)
{
	char *p = vmalloc(3 * PAGE), *q = vm_map_phys(2 * MIB, PAGE, 0);
	char *r = vmalloc_user(1), *s = kmem_stack_alloc(1), line[100];

	(void)state;
	vfree_atomic(r);
	report_lines = 0;
	kmem_report_vmalloc(take_line, NULL);
	assert_int_equal(report_lines, 5);
	assert_non_null(strstr(report[0], "4 areas"));
	snprintf(line, sizeof(line), "0x%lx-0x%lx %8zu ", (unsigned long)p,
		 (unsigned long)(p + 4 * PAGE), (size_t)(4 * PAGE));
	assert_true(!strncmp(report[1], line, strlen(line)));
	assert_non_null(strstr(report[1], " pages=3 vmalloc"));
	assert_non_null(strstr(report[2], " phys=0x200000 vm_map_phys"));
	assert_non_null(strstr(report[3], " vmalloc user ending"));
	assert_non_null(strstr(report[4], " kmem_stack_alloc"));
	kmem_report(take_line, NULL);
	assert_true(report_lines > 10);
	vfree(p);
	vm_unmap_phys(q);
	kmem_stack_free(s);
}

/* No areas, and one that has only addresses. */
static void report_of_little(void **state)
{
	struct vm_struct *area;

	(void)state;
	report_lines = 0;
	kmem_report_vmalloc(take_line, NULL);
	assert_int_equal(report_lines, 1);
	area = get_vm_area(PAGE, 0);
	assert_non_null(area);
	report_lines = 0;
	kmem_report_vmalloc(take_line, NULL);
	assert_int_equal(report_lines, 2);
	assert_null(strstr(report[1], "pages="));
	free_vm_area(area);
}

/* A kernel that can't be in atomic context when it frees, and one that could not
 * unmap. */
static void hooks_that_are_missing(void **state)
{
	struct kmem_vmalloc_params params;
	char *p;

	(void)state;
	host_machine(MEMORY, 1);
	assert_true(host_vmalloc_params(RANGE, &params));
	hook.real = params;
	params.is_atomic = NULL;
	params.unmap = NULL;
	assert_int_equal(kmem_vmalloc_init(&params), KMEM_EINVAL);
	params.unmap = hook.real.unmap;
	assert_int_equal(kmem_vmalloc_init(&params), KMEM_OK);
	p = vmalloc(3 * PAGE);
	assert_non_null(p);
	vfree(p);
	assert_int_equal(stats().areas, 0);
}

/* What is not the start of memory to be freed is not zeroed either. */
static void sensitive_memory(void **state)
{
	char *p = vmalloc(2 * PAGE), *q = vm_map_phys(2 * MIB, PAGE, 0);

	(void)state;
	test_fill(p, 2 * PAGE, 3);
	kvfree_sensitive(p + PAGE, PAGE);
	assert_panicked(p + PAGE, NULL, NULL);
	assert_null(test_changed(p, 2 * PAGE, 3));
	kvfree_sensitive(q, PAGE);
	assert_panicked(q, NULL, NULL);
	vm_unmap_phys(q);
	kvfree_sensitive(q, PAGE);		/* nothing is there */
	assert_panicked(q, NULL, NULL);
	kvfree_sensitive(p, 2 * PAGE);
}

/* Addresses are taken but for gaps that are just long enough: a stack, which is
 * aligned, goes to one of those in which it is, or to none. */
static void stack_in_narrow_gaps(void **state)
{
	static char *p[RANGE / PAGE];
	size_t n = 0, stacks = 0;
	char *s[RANGE / PAGE];

	(void)state;
	while ((p[n] = vmalloc(PAGE)))
		n++;
	for (size_t i = 0; i + 1 < n; i += 5) {
		vfree(p[i]);
		vfree(p[i + 1]);
		p[i] = p[i + 1] = NULL;
	}
	while ((s[stacks] = kmem_stack_alloc(2 * PAGE)))
		stacks++;
	assert_in_range(stacks, 1, n / 5 + 1);
	while (stacks)
		kmem_stack_free(s[--stacks]);
	while (n)
		vfree(p[--n]);
}

/* Grown in place, and not to be zero. */
static void grown_in_place(void **state)
{
	char *p = vmalloc(100), *q, *r;

	(void)state;
	memset(p, 1, 100);
	q = vrealloc(p, 200, GFP_KERNEL);
	assert_true(q == p);
	memset(q, 2, 200);
	r = vrealloc(q, 300, GFP_KERNEL | __GFP_ZERO);
	assert_true(r == q);
	assert_int_equal(r[199], 2);
	assert_int_equal(r[200], 0);
	vfree(r);
}

/* The checker must see what it is there for. */
static void checker_sees(void **state)
{
	char *p = vmalloc(3 * PAGE);
	struct vm_area *a = vm_area_at(p);

	(void)state;
#define SEES(change, undo) \
	do { \
		change; \
		assert_true(kmem_vmalloc_check(NULL, NULL)); \
		assert_true(kmem_check_all(NULL, NULL)); \
		undo; \
		assert_int_equal(kmem_vmalloc_check(NULL, NULL), 0); \
	} while (0)
	SEES(a->node.gap++, a->node.gap--);			/* V2 */
	SEES(a->state = VM_BUILDING, a->state = VM_LIVE);	/* V4 */
	SEES(a->vm.size += PAGE, a->vm.size -= PAGE);		/* V4 */
	SEES(a->vm.nr_pages--, a->vm.nr_pages++);		/* V5 */
	SEES(vm.pages++, vm.pages--);				/* V5 */
	SEES(a->state = VM_ENDING, a->state = VM_LIVE);		/* V5 */
	SEES(vm.nr_deferred++, vm.nr_deferred--);		/* V5 */
#undef SEES
	vfree(p);
}

/* ---- many CPUs ---- */

#define NR_CPUS	4

/* Each CPU has areas with contents of its own; whatever the others do, they
 * stay, and nothing is lost. */
static void churn(unsigned cpu, void *arg)
{
	struct { unsigned char *p; size_t size; } slot[16] = { { NULL, 0 } };
	uint64_t rng = *(uint64_t *)arg + cpu;

	for (unsigned i = 0; i < test_scaled(800); i++) {
		size_t k = test_below(&rng, 16);

		if (slot[k].p) {
			REQUIRE(!test_changed(slot[k].p, slot[k].size, k));
			REQUIRE(vmalloc_to_page(slot[k].p));
			if (test_below(&rng, 4))
				vfree(slot[k].p);
			else
				vfree_atomic(slot[k].p);
			slot[k].p = NULL;
			continue;
		}
		slot[k].size = 1 + test_below(&rng, 12 * PAGE);
		slot[k].p = __vmalloc_node(slot[k].size,
				test_below(&rng, 4) ? 0 : 8 * PAGE,
				GFP_KERNEL | __GFP_NOWARN, KMEM_NO_NODE, NULL);
		if (slot[k].p)
			test_fill(slot[k].p, slot[k].size, k);
	}
	for (size_t k = 0; k < 16; k++)
		vfree(slot[k].p);
}

static void many_cpus(void **state)
{
	uint64_t seed = test_seed("vmalloc");

	(void)state;
	host_memory_share(true);
	host_machine(4 * MEMORY, NR_CPUS);
	assert_int_equal(host_vmalloc(2 * MIB), KMEM_OK);
	host_run_cpus(NR_CPUS, churn, &seed);
	vm_unmap_aliases();
	test_drain(NR_CPUS);
	assert_int_equal(stats().areas, 0);
	assert_int_equal(stats().pages, 0);
	assert_int_equal(stats().allocs, stats().frees);
	assert_true(stats().allocs > test_scaled(100));
}

/* The same area freed by all CPUs at once: one frees it, the others are told. */
static void free_the_same(unsigned cpu, void *arg)
{
	static unsigned arrived;
	void **p = arg;

	(void)cpu;
	for (unsigned i = 0; i < 50; i++) {
		__atomic_fetch_add(&arrived, 1, __ATOMIC_ACQ_REL);
		while (__atomic_load_n(&arrived, __ATOMIC_ACQUIRE) <
		       NR_CPUS * (i + 1))
			kmem_host_yield();
		vfree(p[i]);
	}
}

static void racing_double_free(void **state)
{
	void *p[50];

	(void)state;
	host_memory_share(true);
	host_machine(MEMORY, NR_CPUS);
	assert_int_equal(host_vmalloc(2 * MIB), KMEM_OK);
	for (size_t i = 0; i < 50; i++) {
		p[i] = vmalloc(PAGE);
		assert_non_null(p[i]);
	}
	host_run_cpus(NR_CPUS, free_the_same, p);
	assert_int_equal(test_panics(), 50 * (NR_CPUS - 1));
	test_panics_clear();
	assert_int_equal(stats().frees, 50);
	assert_int_equal(stats().areas, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(before_the_start),
		CASE(large_from_single_pages),
		CASE(sizes_and_zeros),
		CASE(every_name),
		CASE(refusals),
		CASE(guards_fault),
		CASE(stacks_have_guards),
		CASE(map_fails_at_each_call),
		CASE(failed_vmap_keeps_nothing),
		CASE(memory_runs_out_at_each_step),
		CASE(range_runs_out),
		CASE(nofail_waits),
		CASE(misuse_of_vfree),
		CASE(stolen_page),
		CASE(freed_in_an_interrupt),
		CASE(interrupts_free),
		CASE(vmap_shows_pages),
		CASE(areas_without_guards),
		CASE(physical_addresses),
		CASE(addresses_alone),
		CASE(vrealloc_keeps_content),
		CASE(kvmalloc_has_a_second_choice),
		CASE(kvmalloc_family),
		CASE(report_names_areas),
		CASE(report_of_little),
		CASE(hooks_that_are_missing),
		CASE(sensitive_memory),
		CASE(stack_in_narrow_gaps),
		CASE(grown_in_place),
		CASE(checker_sees),
		CASE(many_cpus),
		CASE(racing_double_free),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
