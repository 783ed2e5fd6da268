/* SPDX-License-Identifier: MIT */
/*
 * arch/riscv/trap.c - interrupts go to the test kernel, exceptions end it.
 *
 * The exception handler prints what happened and every register, then fails
 * the run. No fault is expected but that of a probe: kmem must not touch memory
 * that is not there.
 */
#include "riscv_boot.h"

/* The stack as vector.S leaves it. */
struct trap_frame {
	uintptr_t x[31];		/* x1 .. x31 */
	uintptr_t epc, cause, tval, status;
	uintptr_t unused;
};

_Static_assert(sizeof(struct trap_frame) == FRAME_SIZE, "as in vector.S");
_Static_assert(FRAME_SIZE % 16 == 0, "the stack stays aligned");
_Static_assert(offsetof(struct riscv_cpu, stack_top) == CPU_STACK_TOP,
	       "as in vector.S");

#define CAUSE_INTERRUPT	(~(UINTPTR_MAX >> 1))	/* the top bit */

#define LOAD_PAGE_FAULT	13

static const char *const exception_name[] = {
	"instruction address misaligned", "instruction access fault",
	"illegal instruction", "breakpoint",
	"load address misaligned", "load access fault",
	"store address misaligned", "store access fault",
	"environment call from U", "environment call from S", "",
	"environment call from M", "instruction page fault",
	"load page fault", "", "store page fault",
};

/* In the order of x1 .. x31. */
static const char register_name[31][4] = {
	"ra ", "sp ", "gp ", "tp ", "t0 ", "t1 ", "t2 ", "s0 ", "s1 ", "a0 ",
	"a1 ", "a2 ", "a3 ", "a4 ", "a5 ", "a6 ", "a7 ", "s2 ", "s3 ", "s4 ",
	"s5 ", "s6 ", "s7 ", "s8 ", "s9 ", "s10", "s11", "t3 ", "t4 ", "t5 ",
	"t6 ",
};

void trap_cpu_init(void)
{
	__asm__ __volatile__("csrw " CSR(tvec) ", %0"
			     : : "r" (trap_entry) : "memory");
	__asm__ __volatile__("csrw " CSR(ie) ", %0"
			     : : "r" (1 << IRQ_SOFT | 1 << IRQ_TIMER)
			     : "memory");
}

static _Noreturn void exception(const struct trap_frame *f)
{
	unsigned long cause = f->cause & ~CAUSE_INTERRUPT;
	const char *name = f->cause & CAUSE_INTERRUPT ? "interrupt" :
			   cause < KMEM_ARRAY_SIZE(exception_name) ?
			   exception_name[cause] : "";

	print("\nCPU %u, hart %lu: exception %lu (%s)\n", kmem_arch_cpu(),
	      (unsigned long)this_cpu()->hart, cause,
	      *name ? name : "reserved");
	print("  epc " REG_FORMAT "  tval " REG_FORMAT "  status " REG_FORMAT
	      "\n", (unsigned long)f->epc, (unsigned long)f->tval,
	      (unsigned long)f->status);
	for (unsigned i = 0; i < KMEM_ARRAY_SIZE(f->x); i++)
		print("  %s " REG_FORMAT "%s", register_name[i],
		      (unsigned long)f->x[i],
		      i % 3 == 2 || i == KMEM_ARRAY_SIZE(f->x) - 1 ?
		      "\n" : "");
	boot_fail("unexpected exception");
}

void trap(struct trap_frame *f)
{
	if (f->cause == (CAUSE_INTERRUPT | IRQ_TIMER)) {
		/* It is pending until it is armed for another time. */
		platform_timer(~(uint64_t)0);
		boot_tick();
	} else if (f->cause == (CAUSE_INTERRUPT | IRQ_SOFT)) {
		/* First: a request that comes while one is served must
		 * interrupt again as soon as this handler returns. */
		platform_ipi_clear();
		boot_ipi();
	} else if (f->cause == LOAD_PAGE_FAULT && trap_fixup(f->epc)) {
		f->x[9] = 0;			/* a0 */
		__asm__ __volatile__("csrw " CSR(epc) ", %0"
				     : : "r" (trap_fixup(f->epc)));
	} else {
		exception(f);
	}
}
