/* SPDX-License-Identifier: MIT */
/*
 * arch/x86_64/x86_boot.h - what the files of the x86_64 start-up call of one
 * another, in the order in which x86_start() does.
 */
#ifndef X86_BOOT_H
#define X86_BOOT_H

#include "../../tests/boot/machine.h"
#include "x86.h"

/* The first thing %gs points at: kmem_arch.h reads `number`. */
struct x86_cpu {
	uint32_t number;		/* KMEM_X86_CPU_OFFSET: 0 */
	uint32_t apic_id;
};

extern struct x86_cpu x86_cpus[MACHINE_MAX_CPUS];

/* serial.c */
void serial_init(void);

/* trap.c */
#define VECTOR_PIC	0x20		/* 16 of them, all masked */
#define VECTOR_TIMER	0x40
#define VECTOR_IPI	0x41
#define VECTOR_SPURIOUS	0xff
void trap_init(void);			/* once */
void trap_cpu_init(void);		/* on each CPU */

/* paging.c: map [0, end) or as much as there can be; return what is. */
uint64_t paging_direct_map(uint64_t end);
void paging_map_device(uint64_t phys);	/* the 2 MiB page at DEVICE_BASE */

/* acpi.c: fill in APIC numbers, the bootstrap CPU's first; return how many. */
unsigned acpi_find_cpus(uint64_t rsdp, uint32_t boot_apic_id);

/* clock.c */
void clock_init(void);
void clock_delay(unsigned usec);
#define CLOCK_CALIBRATE_USEC	10000
void clock_pit_wait(void);		/* that long, by the 8254 */

/* apic.c */
void apic_init(void);			/* once */
void apic_cpu_init(void);		/* on each CPU */
uint32_t apic_id(void);
void apic_start(uint32_t id, uint64_t page);	/* INIT, SIPI, SIPI */
void apic_eoi(void);

/* start.c */
_Noreturn void x86_start(uint32_t start_info);
_Noreturn void x86_ap_start(unsigned cpu);

#endif /* X86_BOOT_H */
