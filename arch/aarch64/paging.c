/* SPDX-License-Identifier: MIT */
/*
 * arch/aarch64/paging.c - the direct map, and devices.
 *
 * kmem hands out addresses of one linear map of physical memory. Only memory is
 * in it, for the CPU may read ahead whatever is mapped as memory: whole GiB
 * by one entry each, the rest of a range by blocks of 2 MiB from a fixed pool
 * of tables. The GiB that memory begins in is mapped whole by entry.S.
 *
 * Entries only ever appear where there was none, so no TLB holds anything
 * stale.
 */
#include "../arm/arm_boot.h"

#define GIB		((uint64_t)1 << 30)
#define BLOCK		((uint64_t)2 << 20)
#define TABLE_ENTRIES	512
#define NR_TABLES	16

extern uint64_t kernel_table[TABLE_ENTRIES], device_table[TABLE_ENTRIES];

static KMEM_ALIGNED(4096) uint64_t pool[NR_TABLES][TABLE_ENTRIES];
static unsigned nr_used;

/* The table of blocks of a GiB; NULL if all of that is mapped at once. */
static uint64_t *blocks_of(uint64_t gib)
{
	uint64_t *entry = &kernel_table[gib / GIB];

	if (!*entry) {
		if (nr_used == NR_TABLES)
			boot_fail("memory is in more than %u pieces of GiB",
				  NR_TABLES);
		*entry = direct_phys(pool[nr_used++]) | PTE_TABLE;
	}
	if ((*entry & PTE_TABLE) != PTE_TABLE)
		return NULL;
	return direct(*entry & ~(uint64_t)0xfff);
}

/* [start, end), within one GiB. */
static void map_part(uint64_t start, uint64_t end)
{
	uint64_t gib = start & ~(GIB - 1), *blocks;

	if (end - start == GIB && !kernel_table[gib / GIB])
		kernel_table[gib / GIB] = gib | BLOCK_MEMORY;
	blocks = blocks_of(gib);
	if (!blocks)
		return;
	for (uint64_t at = start & ~(BLOCK - 1); at < end; at += BLOCK)
		blocks[(at - gib) / BLOCK] = at | BLOCK_MEMORY;
}

static void map_range(uint64_t start, uint64_t end)
{
	while (start < end && start < DIRECT_SIZE) {
		uint64_t next = (start & ~(GIB - 1)) + GIB;

		map_part(start, next < end ? next : end);
		start = next;
	}
}

/* What this CPU knows, and that entries written before are seen. */
static void flush_tlb(void)
{
	__asm__ __volatile__("dsb ishst\n\ttlbi vmalle1\n\tdsb nsh\n\tisb"
			     : : : "memory");
}

/* Let the MMU translate it as for a read: no fault is taken. */
static bool probe(const void *p)
{
	uint64_t par;

	__asm__ __volatile__("at s1e1r, %1\n\tisb\n\tmrs %0, par_el1"
			     : "=r" (par) : "r" (p) : "memory");
	return !(par & 1);
}

static void describe_vm(void)
{
	machine.vm = (struct machine_vm){
		.start = VMALLOC_BASE, .end = DEVICE_BASE,
		.root = kernel_table, .levels = 3,
		.table_bits = PTE_TABLE,
		.page_bits = PTE_PAGE | PTE_INNER_SHAREABLE | PTE_ACCESSED |
			     PTE_NO_EXECUTE,
		.flush = flush_tlb, .reads = probe,
	};
}

uint64_t paging_direct_map(void)
{
	for (unsigned i = 0; i < machine.nr_map; i++) {
		const struct machine_range *r = &machine.map[i];

		if (r->usable)
			map_range(r->start, r->start + r->size);
	}
	cpu_use_new_mappings();
	describe_vm();
	return DIRECT_SIZE;
}

volatile uint32_t *paging_map_device(uint64_t phys)
{
	uint64_t block = phys & ~(BLOCK - 1);
	unsigned i = 0;

	while (device_table[i] && device_table[i] != (block | BLOCK_DEVICE))
		if (++i == TABLE_ENTRIES)
			boot_fail("no room to map a device");
	device_table[i] = block | BLOCK_DEVICE;
	cpu_use_new_mappings();
	return (volatile uint32_t *)(DEVICE_BASE + i * BLOCK + (phys - block));
}
