/* SPDX-License-Identifier: MIT */
/*
 * arch/riscv/riscv_boot.h - what the files of the RISC-V start-up call of one
 * another.
 *
 *	entry.S (sbi/, mmode/) ──► vector.S ──► start.c ──► boot_main()
 *	                           vector.S ──► trap.c
 *	start.c, trap.c ──► sbi/sbi.c or mmode/clint.c: what is below the kernel
 */
#ifndef RISCV_BOOT_H
#define RISCV_BOOT_H

#include "../devicetree/devicetree.h"
#include "riscv.h"

/* What tp points at: kmem_arch.h reads `number`. */
struct riscv_cpu {
	uint32_t number;		/* KMEM_RISCV_CPU_OFFSET: 0 */
	uint32_t online;
	void *stack_top;		/* CPU_STACK_TOP */
	uintptr_t hart;
};

extern struct riscv_cpu riscv_cpus[MACHINE_MAX_CPUS];

/* A device, or the blob, where the direct map has it. */
static inline void *direct(uint64_t phys)
{
	return (void *)(uintptr_t)(phys + DIRECT_BASE);
}

static inline struct riscv_cpu *this_cpu(void)
{
	return &riscv_cpus[kmem_arch_cpu()];
}

/* serial.c: where the devicetree says the devices are. */
void serial_init(void);

/* clock.c */
void clock_init(void);

/* sbi/sbi.c, mmode/clint.c */
void platform_init(void);		/* once */
void platform_cpu_init(void);		/* on each CPU */
uint64_t platform_time(void);		/* ticks of timebase-frequency */
void platform_timer(uint64_t when);	/* ~0: never */
void platform_ipi(uintptr_t hart);
void platform_ipi_clear(void);		/* this CPU's */
bool platform_start(uintptr_t hart);	/* at secondary_entry */

/* sbi/paging.c: say where vmalloc() may map. */
void paging_init(void);
/* sbi/paging.c, mmode/clint.c: where to go on after a load at epc has faulted,
 * with a0 0; 0: nowhere. */
uintptr_t trap_fixup(uintptr_t epc);

/* vector.S */
extern char trap_entry[];
extern struct riscv_cpu *starting_cpu;	/* what secondary_entry finds */

/* trap.c */
struct trap_frame;
void trap_cpu_init(void);
void trap(struct trap_frame *f);

/* start.c */
_Noreturn void riscv_start(uintptr_t hart, uintptr_t blob);
_Noreturn void riscv_secondary_start(struct riscv_cpu *cpu);

#endif /* RISCV_BOOT_H */
