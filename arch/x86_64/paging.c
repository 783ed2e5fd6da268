/* SPDX-License-Identifier: MIT */
/*
 * arch/x86_64/paging.c - the direct map.
 *
 * kmem hands out addresses of one linear map of physical memory. With 1 GiB
 * pages one table maps 512 GiB, whether there is memory or not. CPUs without
 * them get 2 MiB pages from a fixed pool of tables, up to DIRECT_MAX_GIB; of
 * memory beyond that kmem is told through params.direct_map_end.
 *
 * Large pages span ranges of different caching (the PCI hole below 4 GiB):
 * the MTRRs decide there, and nothing but the local APIC, which has an
 * uncached page of its own, is accessed in those.
 */
#include "../x86/x86_boot.h"

#define GIB		((uint64_t)1 << 30)
#define TABLE_ENTRIES	512
#define DIRECT_MAX_GIB	64
#define LARGE_RW	(PTE_PRESENT | PTE_WRITE | PTE_LARGE)

extern uint64_t kernel_pml4[TABLE_ENTRIES], device_pd[TABLE_ENTRIES];

static KMEM_ALIGNED(4096) uint64_t direct_pdpt[TABLE_ENTRIES];
static KMEM_ALIGNED(4096) uint64_t direct_pd[DIRECT_MAX_GIB][TABLE_ENTRIES];

static bool have_gib_pages(void)
{
	uint32_t reg[4];

	cpuid(0x80000000, reg);
	if (reg[0] < 0x80000001)
		return false;
	cpuid(0x80000001, reg);
	return reg[3] & (1u << 26);
}

static void map_gib(uint64_t gib)
{
	uint64_t *pd = direct_pd[gib];

	for (uint64_t i = 0; i < TABLE_ENTRIES; i++)
		pd[i] = (gib * GIB + (i << 21)) | LARGE_RW;
	direct_pdpt[gib] = image_phys(pd) | PTE_PRESENT | PTE_WRITE;
}

/* All that a CPU knows: no page is global. */
static void flush_tlb(void)
{
	uint64_t cr3;

	__asm__ __volatile__("movq %%cr3, %0\n\tmovq %0, %%cr3"
			     : "=r" (cr3) : : "memory");
}

extern const char probe_load[], probe_end[];

/* Whether reading it does not fault: cpu_fixup() sees to the fault. */
static KMEM_NOINLINE bool probe(const void *p)
{
	uint64_t read = 1;

	__asm__ __volatile__(".globl probe_load, probe_end\n"
			     "probe_load:\n\tmovb (%1), %%al\nprobe_end:"
			     : "+c" (read) : "d" (p) : "rax", "memory");
	return read;
}

bool cpu_fixup(struct trap_frame *f)
{
	if (f->rip != (uintptr_t)probe_load)
		return false;
	f->rip = (uintptr_t)probe_end;
	f->rcx = 0;
	return true;
}

static void describe_vm(void)
{
	machine.vm = (struct machine_vm){
		.start = VMALLOC_BASE, .end = VMALLOC_END,
		.root = kernel_pml4, .levels = 4,
		.table_bits = PTE_PRESENT | PTE_WRITE,
		.page_bits = PTE_PRESENT | PTE_WRITE,
		.flush = flush_tlb, .reads = probe,
	};
}

/* The tables were not present before, so no TLB holds anything stale. */
uint64_t paging_direct_map(uint64_t end)
{
	uint64_t nr_gib = TABLE_ENTRIES;

	if (have_gib_pages()) {
		for (uint64_t i = 0; i < nr_gib; i++)
			direct_pdpt[i] = i * GIB | LARGE_RW;
	} else {
		nr_gib = (end + GIB - 1) / GIB;
		if (nr_gib > DIRECT_MAX_GIB)
			nr_gib = DIRECT_MAX_GIB;
		for (uint64_t i = 0; i < nr_gib; i++)
			map_gib(i);
	}
	kernel_pml4[PML4_INDEX(DIRECT_BASE)] =
		image_phys(direct_pdpt) | PTE_PRESENT | PTE_WRITE;
	describe_vm();
	return nr_gib * GIB;
}

const void *paging_see(uint64_t phys, size_t size)
{
	uint64_t end = machine.direct_map_end;

	return phys < end && size <= end - phys ? direct(phys) : NULL;
}

/* One 2 MiB page, for one device. */
volatile void *paging_map_device(uint64_t phys)
{
	device_pd[0] = (phys & ~(((uint64_t)1 << 21) - 1)) | LARGE_RW |
		       PTE_NO_CACHE | PTE_WRITE_THROUGH;
	return (volatile char *)DEVICE_BASE + (phys & 0x1fffff);
}
