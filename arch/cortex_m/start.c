/* SPDX-License-Identifier: MIT */
/*
 * arch/cortex_m/start.c - from reset to boot_main().
 *
 * The CPU loads its stack pointer from the first word of the vector table and
 * jumps to the second, so all of it is C: copy .data from where the image was
 * loaded, clear .bss, and tell the test kernel what memory there is.
 *
 *	RAM	| ◄── stack | .data .bss | heap ───────────────► |
 *
 * The stack lies lowest: one that overflows leaves RAM, which is a fault, and
 * does not run into variables.
 */
#include <kmem/map_symbols.h>

#include "cortex_m.h"

/* All from the linker's script. */
extern char data_start[], data_end[], data_load[], bss_start[], bss_end[],
	    heap_start[], heap_end[], heap2_start[], heap2_end[];

struct machine machine;

static int note_range(void *ctx, const struct kmem_map_entry *entry)
{
	(void)ctx;
	if (!entry->size)
		return KMEM_OK;
	machine.map[machine.nr_map++] = (struct machine_range){
		.start = entry->start, .size = entry->size, .usable = true,
		.what = entry->what,
	};
	return KMEM_OK;
}

_Noreturn void reset(void)
{
	memcpy(data_start, data_load, (size_t)(data_end - data_start));
	memset(bss_start, 0, (size_t)(bss_end - bss_start));

	machine.name = __ARM_ARCH >= 7 ? "armv7m" : "armv6m";
	machine.nr_cpus = 1;
	machine.arguments = semihosting_arguments();
	machine.nmi = nmi_send;
	machine.direct_map_end = (uint64_t)1 << 32;
	if (kmem_map_symbols(heap_start, heap_end, note_range, NULL) ||
	    kmem_map_symbols(heap2_start, heap2_end, note_range, NULL))
		boot_fail("the linker's script is wrong about the heap");
	kmem_arch_irq_save();
	boot_main();
}

/* ---- one CPU ---- */

bool machine_start_cpu(unsigned cpu, void *stack_top, uint64_t start_page)
{
	(void)cpu;
	(void)stack_top;
	(void)start_page;
	return false;
}

void machine_ipi(unsigned cpu)
{
	(void)cpu;
}

void machine_irq_enable(void)
{
	__asm__ __volatile__("cpsie i" : : : "memory");
}

/* A masked interrupt ends the wait, too: none is slept through. */
void machine_idle(void)
{
	__asm__ __volatile__("wfi\n\tcpsie i\n\tisb\n\tcpsid i"
			     : : : "memory");
}
