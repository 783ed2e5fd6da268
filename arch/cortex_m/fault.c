/* SPDX-License-Identifier: MIT */
/*
 * arch/cortex_m/fault.c - exceptions end the run.
 *
 * The handler prints what happened and every register, then fails the run. No
 * fault is expected: kmem must not touch memory that is not there. ARMv7-M's
 * finer kinds of fault are not enabled, so all of them arrive as HardFault,
 * and the status registers tell which it was; ARMv6-M has none.
 */
#include "cortex_m.h"

#define CFSR	0xe000ed28u	/* configurable fault status */
#define HFSR	0xe000ed2cu	/* HardFault status */
#define BFAR	0xe000ed38u	/* address of a bus fault */

/* The stack as vectors.S leaves it, lowest address first. */
struct fault_frame {
	uintptr_t r4, r5, r6, r7;
	uintptr_t r8, r9, r10, r11;
	uintptr_t r0, r1, r2, r3, r12, lr, pc, xpsr;
};

_Noreturn void fault(const struct fault_frame *f, unsigned exception);

static void print_four(const char *names, uintptr_t a, uintptr_t b,
		       uintptr_t c, uintptr_t d)
{
	print("  %s %08lx %08lx %08lx %08lx\n", names, (unsigned long)a,
	      (unsigned long)b, (unsigned long)c, (unsigned long)d);
}

_Noreturn void fault(const struct fault_frame *f, unsigned exception)
{
	print("\nexception %u%s\n", exception,
	      exception == 3 ? " (HardFault)" : "");
	print_four("pc lr xpsr sp", f->pc, f->lr, f->xpsr, (uintptr_t)(f + 1));
	print_four("r0 .. r3     ", f->r0, f->r1, f->r2, f->r3);
	print_four("r4 .. r7     ", f->r4, f->r5, f->r6, f->r7);
	print_four("r8 .. r11    ", f->r8, f->r9, f->r10, f->r11);
	if (__ARM_ARCH >= 7)
		print_four("r12 cfsr hfsr bfar", f->r12, reg_read(CFSR),
			   reg_read(HFSR), reg_read(BFAR));
	else
		print("  r12 %08lx\n", (unsigned long)f->r12);
	boot_fail("unexpected exception");
}
