/* SPDX-License-Identifier: MIT */
/*
 * arch/x86/trap.c - interrupts go to the test kernel, exceptions end it.
 *
 * The exception handler prints what happened and every register, then fails
 * the run. No fault is expected but that of a probe: kmem must not touch memory
 * that is not there.
 */
#include "x86_boot.h"

#define VECTOR_NMI	2
#define VECTOR_PAGE_FAULT 14

#define PIC1_COMMAND	0x20
#define PIC1_DATA	0x21
#define PIC2_COMMAND	0xa0
#define PIC2_DATA	0xa1

static const char *const exception_name[32] = {
	"divide error", "debug", "non-maskable interrupt", "breakpoint",
	"overflow", "bound range", "invalid opcode", "no FPU",
	"double fault", "", "invalid TSS", "segment not present",
	"stack segment", "general protection", "page fault", "",
	"FPU error", "alignment check", "machine check", "SIMD error",
};

/* The 8259s are not used; what they may still say must not look like an
 * exception. */
static void mask_pics(void)
{
	outb(PIC1_COMMAND, 0x11);	/* initialise, 4 words follow */
	outb(PIC2_COMMAND, 0x11);
	outb(PIC1_DATA, VECTOR_PIC);
	outb(PIC2_DATA, VECTOR_PIC + 8);
	outb(PIC1_DATA, 1 << 2);	/* the second is on line 2 */
	outb(PIC2_DATA, 2);
	outb(PIC1_DATA, 0x01);		/* 8086 mode */
	outb(PIC2_DATA, 0x01);
	outb(PIC1_DATA, 0xff);		/* mask all */
	outb(PIC2_DATA, 0xff);
}

void trap_init(void)
{
	for (unsigned i = 0; i < 256; i++)
		cpu_set_gate(i, trap_stubs + i * TRAP_STUB_SIZE);
	mask_pics();
}

static _Noreturn void exception(const struct trap_frame *f)
{
	unsigned vector = (unsigned)f->vector;
	const char *name = vector < 32 ? exception_name[vector] : NULL;

	print("\nCPU %u: exception %u (%s), error code %#x\n",
	      kmem_arch_cpu(), vector, name && *name ? name : "reserved",
	      (unsigned)f->error);
	cpu_print_registers(f);
	boot_fail("unexpected exception");
}

/* From the 8259s, or a local APIC that changed its mind: nobody to
 * acknowledge. */
static bool is_spurious(unsigned vector)
{
	return vector == VECTOR_SPURIOUS ||
	       (vector >= VECTOR_PIC && vector < VECTOR_PIC + 16);
}

void trap(struct trap_frame *f)
{
	if (f->vector == VECTOR_TIMER) {
		boot_tick();
		apic_eoi();
	} else if (f->vector == VECTOR_IPI) {
		/* First: a request that comes while one is served must
		 * interrupt again as soon as this handler returns. */
		apic_eoi();
		boot_ipi();
	} else if (f->vector == VECTOR_NMI) {
		boot_nmi();
	} else if (f->vector == VECTOR_PAGE_FAULT && cpu_fixup(f)) {
		return;
	} else if (!is_spurious((unsigned)f->vector)) {
		exception(f);
	}
}
