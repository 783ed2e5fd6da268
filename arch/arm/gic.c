/* SPDX-License-Identifier: MIT */
/*
 * arch/arm/gic.c - the interrupt controller, a GICv2.
 *
 *	distributor	one; the first 32 interrupts of each CPU are its own,
 *			seen through the same registers: 0 - 15 are sent by
 *			CPUs, 16 - 31 come from the CPU's devices
 *	CPU interface	one a CPU, at the same address
 *
 * To take an interrupt is to read its number; writing it back lets others of
 * its priority through again.
 *
 * Facts: Arm Generic Interrupt Controller v2 (IHI 0048), 4.
 */
#include "arm_boot.h"

#define GICD_CONTROL		(0x000 / 4)
#define GICD_ENABLE		(0x100 / 4)	/* a bit each */
#define GICD_PRIORITY		(0x400 / 4)	/* a byte each */
#define GICD_TARGETS		(0x800 / 4)	/* a byte each */
#define GICD_SEND		(0xf00 / 4)
#define SEND_TARGET_SHIFT	16

#define GICC_CONTROL		(0x00 / 4)
#define GICC_PRIORITY_MASK	(0x04 / 4)
#define GICC_TAKE		(0x0c / 4)
#define GICC_END		(0x10 / 4)
#define NUMBER_MASK		0x3ff		/* above it: the sender */
#define NUMBER_SPURIOUS		1020		/* and above: nothing */

#define OWN_INTERRUPTS		32
#define IRQ_IPI			0

static volatile uint32_t *distributor, *interface;

void gic_init(void)
{
	struct kmem_fdt_node node;
	struct kmem_fdt_regs regs;
	uint64_t phys;

	if (!devicetree_device("arm,cortex-a15-gic", &node, &phys) &&
	    !devicetree_device("arm,gic-400", &node, &phys))
		boot_fail("devicetree: no GICv2");
	if (kmem_fdt_find_regs(&devicetree, &node, &regs) || regs.nr < 2)
		boot_fail("devicetree: no CPU interface of the GIC");
	distributor = paging_map_device(phys);
	interface = paging_map_device(kmem_fdt_reg_start(&regs, 1));
	distributor[GICD_CONTROL] = 1;
}

/* Both kinds of interrupt have the same priority: none interrupts another. */
void gic_cpu_init(struct arm_cpu *self)
{
	for (unsigned i = 0; i < OWN_INTERRUPTS / 4; i++)
		distributor[GICD_PRIORITY + i] = 0x80808080;
	self->gic_target = distributor[GICD_TARGETS] & 0xff;
	distributor[GICD_ENABLE] = 1u << IRQ_IPI | 1u << timer_irq();
	interface[GICC_PRIORITY_MASK] = 0xff;
	interface[GICC_CONTROL] = 1;
}

void machine_ipi(unsigned cpu)
{
	cpu_publish();
	distributor[GICD_SEND] =
		arm_cpus[cpu].gic_target << SEND_TARGET_SHIFT | IRQ_IPI;
}

/* The end comes first: a request that is made while one is served must
 * interrupt again as soon as this handler returns. */
void arm_irq(void)
{
	uint32_t taken = interface[GICC_TAKE];
	uint32_t number = taken & NUMBER_MASK;

	if (number >= NUMBER_SPURIOUS)
		return;
	if (number == timer_irq())
		timer_stop();
	interface[GICC_END] = taken;
	if (number == IRQ_IPI)
		boot_ipi();
	else if (number == timer_irq())
		boot_tick();
	else
		boot_fail("interrupt %u, which nobody let through",
			  (unsigned)number);
}
