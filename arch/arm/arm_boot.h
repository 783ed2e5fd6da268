/* SPDX-License-Identifier: MIT */
/*
 * arch/arm/arm_boot.h - what the files of the start-up of AArch64 and ARMv7-A
 * call of one another, in the order in which arm_start() does.
 *
 * The two differ in their instructions (arm_cpu.h, of which each has one),
 * page tables and vectors. What is around the CPU is the same: where things
 * are says the devicetree, a GICv2 interrupts, each CPU has its generic timer,
 * and the firmware starts CPUs. GICv2 rather than 3: Cortex-A15, like most
 * 32-bit CPUs, knows no other, and one driver then serves both.
 */
#ifndef ARM_BOOT_H
#define ARM_BOOT_H

#include <kmem/atomic.h>

#include "../devicetree/devicetree.h"
#include "arm_cpu.h"

#define ARM_MAX_CPUS	8		/* GICv2's */

/* What TPIDR_EL1 or TPIDRPRW points to: kmem_arch.h reads `number`. */
struct arm_cpu {
	uint32_t number;		/* KMEM_..._CPU_OFFSET: 0 */
	uint32_t gic_target;		/* its bit in the GIC's registers */
	uint64_t affinity;		/* its name: cpu_affinity() */
};

extern struct arm_cpu arm_cpus[ARM_MAX_CPUS];

/* paging.c, of each architecture: what the direct map covers before
 * paging_direct_map() is the EARLY_SIZE bytes from RAM_BASE on. */
#define EARLY_SIZE	((uint64_t)1 << 30)

/* Map all memory of machine.map, or as much as there can be; return the end of
 * what can be reached. */
uint64_t paging_direct_map(void);

/* The registers at that address, at most 64 KiB of them. */
volatile uint32_t *paging_map_device(uint64_t phys);

/* semihosting.c */
void semihosting_write(const char *text, size_t len);

/* pl011.c */
void pl011_init(void);

/* psci.c */
void psci_init(void);
bool psci_cpu_on(uint64_t affinity, uint64_t entry, uintptr_t argument);
void psci_off(void);

/* timer.c */
void timer_init(void);			/* once */
uint32_t timer_irq(void);		/* its number */
void timer_stop(void);

/* gic.c */
void gic_init(void);			/* once */
void gic_cpu_init(struct arm_cpu *self);	/* on each CPU */

/* trap.c, of each architecture: set up where faults go. */
void trap_cpu_init(unsigned cpu);

/* From entry.S and vectors.S. */
_Noreturn void arm_start(uintptr_t fdt);
_Noreturn void arm_secondary_start(unsigned cpu);
void arm_irq(void);
_Noreturn void arm_fault_again(void);

#endif /* ARM_BOOT_H */
