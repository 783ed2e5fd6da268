/* SPDX-License-Identifier: MIT */
/*
 * tests/boot/vm.c - page tables for vmalloc(): the hooks, worked out.
 *
 *	root ──► table ──► … ──► entry of a page
 *	9 bits of the address each; those of the lowest level are of 4 KiB
 *
 * What machines call the bits of an entry is in machine.vm. A table is a page of
 * kmem's, which `map` takes when it comes to an empty entry, and keeps: so tables
 * only ever appear while kmem uses them, and a walk needs no lock. Two CPUs may
 * miss the same one: what one has made meanwhile counts.
 *
 * A CPU keeps in its TLB what it has found present; so after entries were
 * cleared every CPU is interrupted to forget them, before `unmap` returns. (None
 * of these machines keeps what it found absent. On one that does, as RISC-V
 * allows, `map` must do the same, or the handler of the fault try again.)
 */
#include "boot.h"

#define INDEX_BITS	9
#define ADDRESS_MASK	((uintptr_t)0x000ffffffffff000)

static unsigned lock;
static size_t nr_maps;

size_t vm_maps(void)
{
	return kmem_load_relaxed(&nr_maps);
}

static uintptr_t *table_at(uintptr_t entry)
{
	return phys_to_virt((entry << machine.vm.phys_shift) & ADDRESS_MASK);
}

static uintptr_t entry_for(kmem_phys_t phys, uintptr_t bits)
{
	return (uintptr_t)phys >> machine.vm.phys_shift | bits;
}

static unsigned index_at(uintptr_t virt, unsigned level)
{
	return (unsigned)(virt >> (KMEM_PAGE_SHIFT + INDEX_BITS * level)) &
	       ((1u << INDEX_BITS) - 1);
}

static bool add_table(uintptr_t *entry, gfp_t gfp)
{
	struct page *page = alloc_page(gfp | __GFP_ZERO);

	if (!page)
		return false;
	while (kmem_exchange_acquire(&lock, 1))
		kmem_arch_relax();
	if (!kmem_load_relaxed(entry)) {
		kmem_store_release(entry, entry_for(page_to_phys(page),
						    machine.vm.table_bits));
		page = NULL;
	}
	kmem_store_release(&lock, 0);
	__free_pages(page, 0);
	return true;
}

/* The entry of a page; NULL: no table, or no memory to make one. */
static uintptr_t *find_entry(uintptr_t virt, bool make, gfp_t gfp)
{
	uintptr_t *table = machine.vm.root;

	for (unsigned level = machine.vm.levels - 1; level; level--) {
		uintptr_t *entry = &table[index_at(virt, level)];

		if (!kmem_load_acquire(entry) &&
		    (!make || !add_table(entry, gfp)))
			return NULL;
		table = table_at(kmem_load_acquire(entry));
	}
	return &table[index_at(virt, 0)];
}

static int vm_map(void *ctx, uintptr_t virt, kmem_phys_t phys,
		  size_t nr_pages, unsigned long prot, gfp_t gfp)
{
	(void)ctx;
	kmem_add_relaxed(&nr_maps, 1);
	for (size_t i = 0; i < nr_pages; i++) {
		uintptr_t *entry = find_entry(virt + i * KMEM_PAGE_SIZE, true,
					      gfp);

		if (!entry)
			return -1;
		CHECK(!*entry);
		kmem_store_release(entry, entry_for(phys + i * KMEM_PAGE_SIZE,
						    (uintptr_t)prot));
	}
	machine.vm.flush();
	return 0;
}

static void flush_here(void *arg)
{
	(void)arg;
	machine.vm.flush();
}

static void flush_all(void)
{
	for (unsigned cpu = 0; cpu < machine.nr_cpus; cpu++)
		cpus_call(NULL, cpu, flush_here, NULL);
}

static void vm_unmap(void *ctx, uintptr_t virt, size_t nr_pages)
{
	(void)ctx;
	for (size_t i = 0; i < nr_pages; i++) {
		uintptr_t *entry = find_entry(virt + i * KMEM_PAGE_SIZE,
					      false, 0);

		if (entry)
			kmem_store_relaxed(entry, 0);
	}
	flush_all();
}

void vm_init(void)
{
	const struct kmem_vmalloc_params params = {
		.start = machine.vm.start, .end = machine.vm.end,
		.prot = (unsigned long)machine.vm.page_bits,
		.map = vm_map, .unmap = vm_unmap,
	};

	CHECK(kmem_vmalloc_init(&params) == KMEM_OK);
}

static void free_table(uintptr_t entry, unsigned level)
{
	uintptr_t *table = table_at(entry);

	for (unsigned i = 0; i < 1u << INDEX_BITS; i++) {
		if (table[i] && level)
			free_table(table[i], level - 1);
		else
			CHECK(!table[i]);
	}
	free_pages((uintptr_t)table, 0);
}

/* The entries of the root that the range covers. */
void vm_free_tables(void)
{
	unsigned top = machine.vm.levels - 1;
	unsigned first = index_at(machine.vm.start, top);
	unsigned last = index_at(machine.vm.end - 1, top);

	for (unsigned i = first; i <= last; i++) {
		uintptr_t entry = machine.vm.root[i];

		machine.vm.root[i] = 0;
		flush_all();
		if (entry)
			free_table(entry, top - 1);
	}
}
