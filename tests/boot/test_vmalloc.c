/* SPDX-License-Identifier: MIT */
/*
 * tests/boot/test_vmalloc.c - vmalloc() with real page tables and real TLBs.
 *
 * Where there are none to be had (no MMU, another kind of table), it is said,
 * and nothing is tested.
 */
#include "boot.h"

#define AREA_BYTES	((size_t)16 << 20)
#define AREA_PAGES	(AREA_BYTES / KMEM_PAGE_SIZE)

static bool skipped(void)
{
	if (!HAVE_VM)
		print("  skipped: no page tables for it on this machine\n");
	return !HAVE_VM;
}

/* ---- large areas ---- */

/* Make many single pages that have no free neighbour; they are the first to be
 * taken. */
static struct page *take_chain(size_t n)
{
	struct page *chain = NULL;

	while (n--) {
		struct page *page = alloc_page(GFP_KERNEL);

		CHECK(page);
		*(struct page **)page_to_virt(page) = chain;
		chain = page;
	}
	return chain;
}

static struct page *free_every_other(struct page *chain)
{
	struct page *kept = NULL, *next;

	for (; chain; chain = next) {
		struct page **link = page_to_virt(chain);

		next = *link;
		if (page_to_pfn(chain) & 1) {
			__free_page(chain);
		} else {
			*link = kept;
			kept = chain;
		}
	}
	return kept;
}

static void free_chain(struct page *chain)
{
	while (chain) {
		struct page *next = *(struct page **)page_to_virt(chain);

		__free_page(chain);
		chain = next;
	}
}

static char *shared;

/* Each CPU has the translations in its TLB when they are taken away. */
static void see_shared(void)
{
	for (size_t i = 0; i < AREA_BYTES; i += KMEM_PAGE_SIZE)
		CHECK(machine.vm.reads(shared + i));
	CHECK(pattern_holds(shared, KMEM_PAGE_SIZE, 0));
}

static void see_nothing(void)
{
	for (size_t i = 0; i <= AREA_BYTES; i += AREA_BYTES / 64)
		CHECK(!machine.vm.reads(shared + i));
}

static void check_translation(void)
{
	for (size_t i = 0; i < AREA_PAGES; i++) {
		char *at = shared + i * KMEM_PAGE_SIZE;
		struct page *page = vmalloc_to_page(at);

		CHECK(page && !((uintptr_t)at & (KMEM_PAGE_SIZE - 1)));
		CHECK(!memcmp(page_to_virt(page), at, KMEM_PAGE_SIZE));
	}
}

void test_vmalloc(void)
{
	struct page *kept;
	size_t maps;

	if (skipped())
		return;
	kept = free_every_other(take_chain(2 * AREA_PAGES + 64));
	maps = vm_maps();
	shared = vmalloc(AREA_BYTES);
	CHECK(shared && is_vmalloc_addr(shared));
	print("  %u pages in %u runs\n", (unsigned)AREA_PAGES,
	      (unsigned)(vm_maps() - maps));
	CHECK(vm_maps() - maps > AREA_PAGES / 2);
	for (size_t i = 0; i < AREA_PAGES; i++)
		pattern_fill(shared + i * KMEM_PAGE_SIZE, KMEM_PAGE_SIZE,
			     (uint32_t)i);
	for (size_t i = 0; i < AREA_PAGES; i++)
		CHECK(pattern_holds(shared + i * KMEM_PAGE_SIZE, KMEM_PAGE_SIZE,
				    (uint32_t)i));
	check_translation();
	cpus_run(see_shared);
	CHECK(!machine.vm.reads(shared + AREA_BYTES));
	vfree(shared);
	cpus_run(see_nothing);
	free_chain(kept);
	vm_free_tables();
}

/* ---- stacks ---- */

static void do_vfree(void *p)
{
	vfree(p);
}

static void do_vfree_atomic(void *p)
{
	vfree_atomic(p);
}

/* On another CPU, in the handler of an interrupt, if there is one. */
static void free_in_interrupt(void *p)
{
	cpus_call(NULL, machine.nr_cpus - 1, do_vfree_atomic, p);
	CHECK(!find_vm_area(p) && machine.vm.reads(p));
	vm_unmap_aliases();
	CHECK(!machine.vm.reads(p));
}

void test_stacks(void)
{
	size_t size = 4 * KMEM_PAGE_SIZE;
	char *s, *p;

	if (skipped())
		return;
	s = kmem_stack_alloc(size);
	CHECK(s && is_zero(s, size));
	memset(s, 0xaa, size);
	CHECK(!machine.vm.reads(s - 1) && !machine.vm.reads(s + size));
	CHECK(kmem_stack_overflowed(s - 1) == s);
	CHECK(!kmem_stack_overflowed(s));
	CHECK(port_catches(do_vfree, s, "kmem_stack_free() ends it"));
	kmem_stack_free(s);
	CHECK(!machine.vm.reads(s));

	p = vzalloc(3 * KMEM_PAGE_SIZE);
	CHECK(p && is_zero(p, 3 * KMEM_PAGE_SIZE));
	CHECK(port_catches(do_vfree, p + 1, "not the start"));
	free_in_interrupt(p);
	CHECK(port_catches(do_vfree, p, "double free"));
	p = vm_map_phys(virt_to_phys(s = kzalloc(64, GFP_KERNEL)), 64,
			(unsigned long)machine.vm.page_bits);
	CHECK(p);
	p[5] = 99;
	CHECK(s[5] == 99);
	vm_unmap_phys(p);
	kfree(s);
	vm_free_tables();
}

/* ---- all CPUs ---- */

#define SLOTS	8

/* An area's first word is its address: what another CPU's area, or a
 * translation that should be gone, shows is something else. */
static void fill_area(uintptr_t *p, size_t pages)
{
	for (size_t i = 0; i < pages; i++)
		p[i * KMEM_PAGE_SIZE / sizeof(*p)] = (uintptr_t)p + i;
}

static void check_area(const uintptr_t *p, size_t pages)
{
	for (size_t i = 0; i < pages; i++)
		CHECK(p[i * KMEM_PAGE_SIZE / sizeof(*p)] == (uintptr_t)p + i);
}

static void churn(void)
{
	uint64_t rng = random_start(7, kmem_arch_cpu());
	struct { uintptr_t *p; size_t pages; } slot[SLOTS] = { { NULL, 0 } };

	for (unsigned i = 0; i < 24; i++) {
		unsigned k = random_below(&rng, SLOTS);

		if (slot[k].p)
			check_area(slot[k].p, slot[k].pages);
		vfree(slot[k].p);
		slot[k].pages = 1 + random_below(&rng, 20);
		slot[k].p = vmalloc(slot[k].pages * KMEM_PAGE_SIZE);
		CHECK(slot[k].p);
		fill_area(slot[k].p, slot[k].pages);
	}
	for (unsigned k = 0; k < SLOTS; k++)
		vfree(slot[k].p);
}

void test_vmalloc_cpus(void)
{
	struct kmem_vmalloc_stats st;

	if (skipped())
		return;
	cpus_run(churn);
	kmem_vmalloc_stats(&st);
	CHECK(!st.areas && !st.pages && st.allocs == st.frees);
	vm_free_tables();
}
