/* SPDX-License-Identifier: MIT */
/*
 * arch/riscv/sbi/paging.c - Sv39, as far as vmalloc() adds to it.
 */
#include "../riscv_boot.h"

/* Valid, readable, writable, global, accessed, dirty. */
#define PTE_PAGE	0xe7
#define PTE_TABLE	0x01		/* valid, and nothing else: go on */

extern uintptr_t page_table[512];
extern const char probe_load[], probe_end[];

static void flush_tlb(void)
{
	__asm__ __volatile__("sfence.vma" : : : "memory");
}

/* Whether reading it does not fault: trap_fixup() sees to the fault. */
static KMEM_NOINLINE bool probe(const void *p)
{
	register uintptr_t read __asm__("a0") = 1;

	__asm__ __volatile__(".globl probe_load, probe_end\n"
			     "probe_load:\n\tlb t0, (%1)\nprobe_end:"
			     : "+r" (read) : "r" (p) : "t0", "memory");
	return read;
}

uintptr_t trap_fixup(uintptr_t epc)
{
	return epc == (uintptr_t)probe_load ? (uintptr_t)probe_end : 0;
}

void paging_init(void)
{
	machine.vm = (struct machine_vm){
		.start = VMALLOC_BASE, .end = VMALLOC_END,
		.root = page_table, .levels = 3,
		.table_bits = PTE_TABLE, .page_bits = PTE_PAGE,
		.phys_shift = 2,
		.flush = flush_tlb, .reads = probe,
	};
}
