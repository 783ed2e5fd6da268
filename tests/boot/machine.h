/* SPDX-License-Identifier: MIT */
/*
 * tests/boot/machine.h - between the test kernel and the machine it boots on.
 *
 * tests/boot is the same for every architecture; arch/<arch> holds the start-up
 * code of each. This is all that one knows of the other:
 *
 *	machine start-up ──► boot_main()	on CPU 0, interrupts masked,
 *						`machine` filled in
 *	boot_main() ──► machine_start_cpu()	once kmem runs, for each other
 *	machine start-up ──► boot_secondary()	on that CPU, interrupts masked
 *	an interrupt ──► boot_tick(), boot_ipi(), boot_nmi()
 *
 * CPUs are numbered 0 .. nr_cpus - 1, and kmem_arch_cpu() works on each from
 * its first line of C on. Interrupts are masked and let through with
 * kmem_arch_irq_save() and machine_irq_enable().
 */
#ifndef BOOT_MACHINE_H
#define BOOT_MACHINE_H

#include <kmem/port.h>

/* string.c: what compilers call unasked, and kmem. */
void *memcpy(void *dst, const void *src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memset(void *dst, int byte, size_t n);
int memcmp(const void *a, const void *b, size_t n);

/* What the test kernel has room for, if kmem has. */
#define MACHINE_MAX_CPUS	(KMEM_MAX_CPUS < 32 ? KMEM_MAX_CPUS : 32)
#define MACHINE_MAX_RANGES	(KMEM_MAX_REGIONS < 128 ? KMEM_MAX_REGIONS : 128)

/* An entry of the firmware's map, or a range that the machine needs itself. */
struct machine_range {
	uint64_t start, size;	/* physical, bytes */
	bool usable;		/* ordinary memory */
	const char *what;	/* the firmware's type in words, or the user */
	int node;		/* NUMA; 0 where there is only one */
};

/*
 * Where the kernel may map pages of its own, for vmalloc(): page tables of 512
 * entries of a word each, pages of 4 KiB. All 0 where there is no MMU, or none
 * of that kind.
 */
struct machine_vm {
	uintptr_t start, end;		/* addresses: nothing is there */
	uintptr_t *root;		/* the top table; all CPUs have it */
	unsigned levels;
	uintptr_t table_bits, page_bits; /* of entries, beside an address */
	unsigned phys_shift;		/* in entries, addresses are >> this */
	void (*flush)(void);		/* this CPU's TLB, of that range */
	bool (*reads)(const void *p);	/* false if reading faults */
};

/* What start-up found out. From boot_main() on, only `used` grows. */
struct machine {
	const char *name;		/* of the architecture */
	unsigned nr_cpus;		/* present, this one included */
	const char *arguments;		/* the kernel's command line */

	/* The memory map as the firmware gave it, and what of it is in use. */
	struct machine_range map[MACHINE_MAX_RANGES];
	unsigned nr_map;
	struct machine_range used[4];
	unsigned nr_used;
	uint8_t cpu_node[MACHINE_MAX_CPUS];

	struct machine_vm vm;
	uint64_t virt_offset;		/* of the direct map */
	uint64_t direct_map_end;	/* what it reaches, physical; 0: all */

	/* Make boot_nmi() run on that CPU, whatever it masks; NULL: there is
	 * no such interrupt. */
	void (*nmi)(unsigned cpu);

	/*
	 * A page that the other CPUs start in must be below this physical
	 * address; 0: no page is needed.
	 */
	uint64_t start_page_end;
};

extern struct machine machine;

/* ---- what the machine supplies ---- */

/* Write to the console. Context: any; the caller serialises. */
void machine_write(const char *text, size_t len);

/* End the run: the emulator exits with success or failure. */
_Noreturn void machine_exit(bool success);

/*
 * Start a CPU on a stack that ends at stack_top. start_page: physical, as
 * start_page_end demands, or 0. Return: false if the CPU did not come up.
 */
bool machine_start_cpu(unsigned cpu, void *stack_top, uint64_t start_page);

/* Make boot_ipi() run on that CPU as soon as it lets interrupts through. */
void machine_ipi(unsigned cpu);

/* Make boot_tick() run once on this CPU, in that many microseconds; 0: not. */
void machine_timer(unsigned usec);

/* Microseconds since start-up, about the same on all CPUs. */
uint64_t machine_usec(void);

/* Let interrupts through. */
void machine_irq_enable(void);

/* With interrupts masked: let them through and wait for one; mask again. */
void machine_idle(void);

/* ---- what the test kernel supplies ---- */

_Noreturn void boot_main(void);
_Noreturn void boot_secondary(void);

/* Interrupt handlers. Context: interrupts masked. */
void boot_tick(void);
void boot_ipi(void);

/* Context: NMI: anything may have been interrupted, but for another NMI. */
void boot_nmi(void);

/* Print a reason, and end the run as failed. Context: any. */
_Noreturn void boot_fail(const char *fmt, ...) KMEM_PRINTF(1, 2);

/* Print; whole lines of different CPUs don't mix. Context: any. */
void print(const char *fmt, ...) KMEM_PRINTF(1, 2);

/*
 * n / by, without the compiler's help: see divide.c. `remainder` may be NULL.
 * Cost: some hundred cycles.
 */
uint64_t divide(uint64_t n, uint32_t by, uint32_t *remainder);

#endif /* BOOT_MACHINE_H */
