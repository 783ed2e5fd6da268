/* SPDX-License-Identifier: MIT */
/*
 * arch/riscv/start.c - from the first line of C to boot_main().
 *
 * Whoever ran before passes this hart's id and the devicetree. CPU 0 is the
 * hart that boots, whichever that is; the others are numbered in the order of
 * the devicetree.
 */
#include "riscv_boot.h"

extern char kernel_image_start[], kernel_image_end[];

struct machine machine;
struct riscv_cpu riscv_cpus[MACHINE_MAX_CPUS];
struct riscv_cpu *starting_cpu;

static unsigned find_cpus(uintptr_t boot_hart)
{
	struct kmem_fdt_node node = { .name = NULL };
	unsigned nr = 1;
	uint64_t hart;

	while (devicetree_next_cpu(&node, &hart)) {
		unsigned cpu = hart == boot_hart ? 0 : nr;

		if (!kmem_fdt_enabled(&devicetree, &node))
			continue;
		if (cpu == MACHINE_MAX_CPUS) {
			print("devicetree: more than %u CPUs, the rest stays "
			      "off\n", MACHINE_MAX_CPUS);
			break;
		}
		riscv_cpus[cpu].number = cpu;
		riscv_cpus[cpu].hart = (uintptr_t)hart;
		machine.cpu_node[cpu] = (uint8_t)kmem_fdt_u32(
			&devicetree, &node, "numa-node-id", 0);
		nr += cpu == nr;
	}
	return nr;
}

/* tp is &riscv_cpus[0] already, and its number 0. */
_Noreturn void riscv_start(uintptr_t hart, uintptr_t blob)
{
	trap_cpu_init();
	devicetree_open(direct(blob));
	serial_init();
	riscv_cpus[0].hart = hart;
	machine.nr_cpus = find_cpus(hart);

	platform_init();
	platform_cpu_init();
	clock_init();

	machine.name = MACHINE_NAME;
	machine.virt_offset = DIRECT_BASE;
	machine.direct_map_end = DIRECT_END;
	machine.used[0] = (struct machine_range){
		.start = (uintptr_t)kernel_image_start - DIRECT_BASE,
		.size = (uint64_t)(kernel_image_end - kernel_image_start),
		.what = "kernel image",
	};
	machine.nr_used = 1;
	devicetree_describe(blob);
	boot_main();
}

_Noreturn void riscv_secondary_start(struct riscv_cpu *cpu)
{
	trap_cpu_init();
	platform_cpu_init();
	__atomic_store_n(&cpu->online, 1, __ATOMIC_RELEASE);
	boot_secondary();
}

/* One at a time: starting_cpu is one. */
bool machine_start_cpu(unsigned cpu, void *stack_top, uint64_t start_page)
{
	uint64_t deadline = machine_usec() + 1000000;

	(void)start_page;
	riscv_cpus[cpu].stack_top = stack_top;
	starting_cpu = &riscv_cpus[cpu];
	if (!platform_start(riscv_cpus[cpu].hart))
		return false;
	while (!__atomic_load_n(&riscv_cpus[cpu].online, __ATOMIC_ACQUIRE)) {
		if (machine_usec() > deadline)
			return false;
		kmem_arch_relax();
	}
	return true;
}

void machine_ipi(unsigned cpu)
{
	platform_ipi(riscv_cpus[cpu].hart);
}

void machine_irq_enable(void)
{
	kmem_arch_irq_restore(KMEM_RISCV_STATUS_IE);
}

/* wfi goes on when an interrupt is pending, masked or not: none is slept
 * through. It is taken between the two. */
void machine_idle(void)
{
	__asm__ __volatile__("wfi" : : : "memory");
	machine_irq_enable();
	kmem_arch_irq_save();
}
