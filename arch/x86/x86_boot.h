/* SPDX-License-Identifier: MIT */
/*
 * arch/x86/x86_boot.h - what the files of the x86 start-up call of one another,
 * in the order in which x86_start() does. Those of arch/<arch> are marked: both
 * have them.
 */
#ifndef X86_BOOT_H
#define X86_BOOT_H

#include "../../tests/boot/machine.h"
#include "x86.h"

#include <frame.h>			/* struct trap_frame: arch/<arch> */

/* The first thing the CPU's segment begins with: kmem_arch.h reads `number`. */
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
void trap(struct trap_frame *f);	/* from vectors.S */

/* vectors.S, of arch/<arch>: stub n is at trap_stubs + n * TRAP_STUB_SIZE. */
#define TRAP_STUB_SIZE	16
extern const char trap_stubs[];

/* cpu.c, of arch/<arch> */
extern const char cpu_arch_name[];
void cpu_set_gate(unsigned vector, const char *handler);
void cpu_init(unsigned cpu);		/* on each CPU: number, interrupts */
void cpu_print_registers(const struct trap_frame *f);
/* A page fault that was meant to happen: go on elsewhere. Else: false. */
bool cpu_fixup(struct trap_frame *f);

/*
 * paging.c, of arch/<arch>: map [0, end) or as much as there can be, and
 * return how much it is; a page of device registers; where memory that may be
 * beyond the direct map can be read, or NULL.
 */
uint64_t paging_direct_map(uint64_t end);
volatile void *paging_map_device(uint64_t phys);
const void *paging_see(uint64_t phys, size_t size);

/*
 * loader.c: fill in the memory map and the arguments, from what lies below
 * `reach`; return where ACPI's root pointer is, physical, 0: not said.
 */
uint64_t loader_read(uint32_t magic, uint64_t info, uint64_t reach);

/* acpi.c: fill in APIC numbers, the bootstrap CPU's first; return how many. */
unsigned acpi_find_cpus(uint64_t root, uint32_t boot_apic_id);

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
_Noreturn void x86_start(uint32_t info, uint32_t magic);
_Noreturn void x86_ap_start(unsigned cpu);

#endif /* X86_BOOT_H */
