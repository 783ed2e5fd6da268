/* SPDX-License-Identifier: MIT */
/*
 * arch/riscv/mmode/clint.c - the core-local interruptor: what a kernel without
 * firmware has for software and timer interrupts.
 *
 *	base + 4 * hart			msip: 1 interrupts that hart
 *	base + 0x4000 + 8 * hart	mtimecmp: mtime >= it does, too
 *	base + 0xbff8			mtime, for all
 *
 * Hart ids are below 4095. A machine with several of these devices, one for
 * each group of harts, would need more than the first.
 *
 * Facts: SiFive FU540-C000 manual, chapter 9.
 */
#include "../riscv_boot.h"

#define MTIMECMP	0x4000
#define MTIME		0xbff8
#define HARTS		4095

static uintptr_t clint;

/* Half of a 64-bit register: harts of 32 bits have no more at once. */
static volatile uint32_t *half(uintptr_t offset, unsigned high)
{
	return (volatile uint32_t *)(clint + offset) + high;
}

void platform_init(void)
{
	struct kmem_fdt_node node;
	uint64_t phys;

	if (!devicetree_device("riscv,clint0", &node, &phys))
		boot_fail("devicetree: no device riscv,clint0");
	clint = (uintptr_t)phys;
	for (unsigned i = 0; i < machine.nr_cpus; i++)
		if (riscv_cpus[i].hart >= HARTS)
			boot_fail("hart %lu is beyond the interruptor",
				  (unsigned long)riscv_cpus[i].hart);
}

void platform_cpu_init(void)
{
	platform_timer(~(uint64_t)0);
	platform_ipi_clear();
}

/* The upper half twice: between the two reads it may have changed. */
uint64_t platform_time(void)
{
	uint32_t high, low;

	do {
		high = *half(MTIME, 1);
		low = *half(MTIME, 0);
	} while (*half(MTIME, 1) != high);
	return (uint64_t)high << 32 | low;
}

/* In three steps, of which none is earlier than the old time or the new. */
void platform_timer(uint64_t when)
{
	uintptr_t reg = MTIMECMP + 8 * this_cpu()->hart;

	*half(reg, 1) = UINT32_MAX;
	*half(reg, 0) = (uint32_t)when;
	*half(reg, 1) = (uint32_t)(when >> 32);
}

/* The fence: what the interrupt is about is seen before it. */
void platform_ipi(uintptr_t hart)
{
	__asm__ __volatile__("fence rw, o" : : : "memory");
	*half(4 * hart, 0) = 1;
}

void platform_ipi_clear(void)
{
	*half(4 * this_cpu()->hart, 0) = 0;
	__asm__ __volatile__("fence o, rw" : : : "memory");
}

/* It waits in entry.S for just that. */
bool platform_start(uintptr_t hart)
{
	platform_ipi(hart);
	return true;
}

/* No fault is provoked here. */
uintptr_t trap_fixup(uintptr_t epc)
{
	(void)epc;
	return 0;
}
