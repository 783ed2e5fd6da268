/* SPDX-License-Identifier: MIT */
/*
 * arch/arm/start.c - from the first line of C to boot_main(), and the start of
 * the other CPUs.
 */
#include "arm_boot.h"

extern char kernel_image_start[], kernel_image_end[], secondary_entry[];

struct machine machine;
struct arm_cpu arm_cpus[ARM_MAX_CPUS];

/* For entry.S: the stack of the CPU being started. */
extern void *secondary_stack_top;
void *secondary_stack_top;

static unsigned char online[ARM_MAX_CPUS];

static void cpu_init(unsigned cpu)
{
	arm_cpus[cpu].number = cpu;
	cpu_set_self(&arm_cpus[cpu]);
	trap_cpu_init(cpu);
}

/* The CPU that is running has number 0, wherever the devicetree has it. */
static void find_cpus(void)
{
	struct kmem_fdt_node node = { .name = NULL };
	uint64_t affinity;

	arm_cpus[0].affinity = cpu_affinity();
	machine.nr_cpus = 1;
	while (devicetree_next_cpu(&node, &affinity)) {
		unsigned cpu = affinity == arm_cpus[0].affinity ? 0 :
			       machine.nr_cpus++;

		if (cpu == ARM_MAX_CPUS)
			boot_fail("devicetree: more than %u CPUs",
				  ARM_MAX_CPUS);
		arm_cpus[cpu].affinity = affinity;
		machine.cpu_node[cpu] = (uint8_t)kmem_fdt_u32(
			&devicetree, &node, "numa-node-id", 0);
	}
}

static void read_devicetree(uint64_t fdt)
{
	if (fdt < RAM_BASE || fdt > RAM_BASE + EARLY_SIZE - DEVICETREE_ROOM)
		boot_fail("no devicetree at %#llx", (unsigned long long)fdt);
	devicetree_open(direct(fdt));
	devicetree_describe(fdt);
}

_Noreturn void arm_start(uintptr_t fdt)
{
	cpu_init(0);
	machine.name = ARM_NAME;
	machine.used[machine.nr_used++] = (struct machine_range){
		.start = direct_phys(kernel_image_start),
		.size = (uint64_t)(kernel_image_end - kernel_image_start),
		.what = "kernel image",
	};
	read_devicetree(fdt);
	pl011_init();
	psci_init();
	machine.virt_offset = ARM_VIRT_OFFSET;
	machine.direct_map_end = paging_direct_map();
	find_cpus();
	timer_init();
	gic_init();
	gic_cpu_init(&arm_cpus[0]);
	boot_main();
}

_Noreturn void arm_secondary_start(unsigned cpu)
{
	cpu_init(cpu);
	gic_cpu_init(&arm_cpus[cpu]);
	kmem_store_release(&online[cpu], 1);
	boot_secondary();
}

/* One at a time: secondary_stack_top is one. */
bool machine_start_cpu(unsigned cpu, void *stack_top, uint64_t start_page)
{
	uint64_t deadline = machine_usec() + 1000000;

	(void)start_page;
	secondary_stack_top = stack_top;
	if (!psci_cpu_on(arm_cpus[cpu].affinity, direct_phys(secondary_entry),
			 cpu))
		return false;
	while (!kmem_load_acquire(&online[cpu])) {
		if (machine_usec() > deadline)
			return false;
		kmem_arch_relax();
	}
	return true;
}

void machine_irq_enable(void)
{
	cpu_irq_enable();
}

/* The wait ends when an interrupt is pending, masked or not: none can be
 * slept through. Then it is let in. */
void machine_idle(void)
{
	cpu_wait_for_interrupt();
	cpu_irq_enable();
	kmem_arch_irq_save();
}
