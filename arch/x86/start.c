/* SPDX-License-Identifier: MIT */
/*
 * arch/x86/start.c - from the first line of C to boot_main(), and the same
 * for the other CPUs.
 *
 * What x86_64 and i386 do differently is in arch/<arch>: entry.S and
 * vectors.S, paging.c, and cpu.c for what each CPU has of its own.
 */
#include "x86_boot.h"

#define MIB	((uint64_t)1 << 20)

extern char kernel_image_start[], kernel_image_end[];
extern char ap_trampoline[], ap_trampoline_end[];

struct machine machine;
struct x86_cpu x86_cpus[MACHINE_MAX_CPUS];

/* For entry.S: what the CPU being started is to find. */
extern void *ap_stack_top;
extern unsigned ap_number;
void *ap_stack_top;
unsigned ap_number;

static unsigned char ap_online[MACHINE_MAX_CPUS];

static uint64_t end_of_memory(void)
{
	uint64_t end = 0;

	for (unsigned i = 0; i < machine.nr_map; i++) {
		const struct machine_range *r = &machine.map[i];

		if (r->usable && r->start + r->size > end)
			end = r->start + r->size;
	}
	return end;
}

_Noreturn void x86_start(uint32_t info, uint32_t magic)
{
	uint64_t acpi_root;

	serial_init();
	trap_init();
	cpu_init(0);

	/* The loader's data lies below 4 GiB: reach that much first. */
	acpi_root = loader_read(magic, info, paging_direct_map(4096 * MIB));

	machine.name = cpu_arch_name;
	machine.virt_offset = DIRECT_BASE;
	machine.direct_map_end = paging_direct_map(end_of_memory());
	machine.used[0] = (struct machine_range){
		.start = image_phys(kernel_image_start),
		.size = (uint64_t)(kernel_image_end - kernel_image_start),
		.what = "kernel image",
	};
	machine.nr_used = 1;
	machine.start_page_end = MIB;

	clock_init();
	apic_init();
	machine.nr_cpus = acpi_find_cpus(acpi_root, apic_id());
	boot_main();
}

_Noreturn void x86_ap_start(unsigned cpu)
{
	cpu_init(cpu);
	apic_cpu_init();
	__atomic_store_n(&ap_online[cpu], 1, __ATOMIC_RELEASE);
	boot_secondary();
}

/* One at a time: the trampoline and what it reads are shared. */
bool machine_start_cpu(unsigned cpu, void *stack_top, uint64_t start_page)
{
	char *page = direct(start_page);
	size_t len = (size_t)(ap_trampoline_end - ap_trampoline);
	uint64_t deadline;

	for (size_t i = 0; i < len; i++)
		page[i] = ap_trampoline[i];
	ap_stack_top = stack_top;
	ap_number = cpu;
	apic_start(x86_cpus[cpu].apic_id, start_page);

	deadline = machine_usec() + 1000000;
	while (!__atomic_load_n(&ap_online[cpu], __ATOMIC_ACQUIRE)) {
		if (machine_usec() > deadline)
			return false;
		kmem_arch_relax();
	}
	return true;
}

void machine_irq_enable(void)
{
	__asm__ __volatile__("sti" : : : "memory");
}

/* sti takes effect after the next instruction: no interrupt is slept
 * through. */
void machine_idle(void)
{
	__asm__ __volatile__("sti; hlt; cli" : : : "memory");
}
