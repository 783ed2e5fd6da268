/* SPDX-License-Identifier: MIT */
/*
 * arch/aarch64/trap.c - an exception other than an interrupt ends the run.
 *
 * It prints what happened and every register. No fault is expected: kmem must
 * not touch memory that is not there.
 */
#include "../arm/arm_boot.h"

#define FAULT_STACK_SIZE	4096

/* The stack as vectors.S leaves it, lowest address first. */
struct fault_frame {
	uint64_t x[31];
	uint64_t sp, pc, pstate;
	uint64_t kind;			/* FAULT_... */
	uint64_t unused;
};

KMEM_STATIC_ASSERT(sizeof(struct fault_frame) == FAULT_FRAME_SIZE,
		   "vectors.S makes room for it");

_Noreturn void arm_fault(const struct fault_frame *f);

static KMEM_ALIGNED(16) char fault_stack[ARM_MAX_CPUS][FAULT_STACK_SIZE];

/* From here on, faults that come late are let in too. */
void trap_cpu_init(unsigned cpu)
{
	__asm__ __volatile__("msr sp_el0, %0\n\tmsr daifclr, #4" : :
			     "r" (fault_stack[cpu] + FAULT_STACK_SIZE) :
			     "memory");
}

/* ESR_EL1.EC, of those that can come from the kernel itself. */
static const char *class_name(uint64_t class)
{
	switch (class) {
	case 0x00: return "undefined instruction";
	case 0x07: return "vector registers used";
	case 0x0e: return "illegal state";
	case 0x21: return "instruction abort";
	case 0x22: return "pc not aligned";
	case 0x25: return "data abort";
	case 0x26: return "sp not aligned";
	case 0x3c: return "breakpoint";
	}
	return "other";
}

/* Of an abort, ESR_EL1's lowest 6 bits: what the access met. */
static const char *status_name(uint64_t status)
{
	switch (status & 0x3c) {
	case 0x04: return ", not mapped";
	case 0x08: return ", access flag";
	case 0x0c: return ", not permitted";
	}
	return status == 0x21 ? ", not aligned" : "";
}

static const char *kind_name(uint64_t kind)
{
	static const char *const name[] = {
		[FAULT_SYNC] = "exception", [FAULT_FIQ] = "FIQ",
		[FAULT_SERROR] = "SError",
		[FAULT_LOWER] = "exception of a lower level",
	};

	return kind < KMEM_ARRAY_SIZE(name) ? name[kind] : "?";
}

static void print_registers(const struct fault_frame *f)
{
	for (unsigned i = 0; i < 30; i += 3)
		print("  x%u%s %016llx  x%u%s %016llx  x%u%s %016llx\n",
		      i, i < 10 ? " " : "", (unsigned long long)f->x[i],
		      i + 1, i + 1 < 10 ? " " : "",
		      (unsigned long long)f->x[i + 1],
		      i + 2, i + 2 < 10 ? " " : "",
		      (unsigned long long)f->x[i + 2]);
	print("  x30 %016llx  sp  %016llx  pc  %016llx\n  pstate %#llx\n",
	      (unsigned long long)f->x[30], (unsigned long long)f->sp,
	      (unsigned long long)f->pc, (unsigned long long)f->pstate);
}

_Noreturn void arm_fault(const struct fault_frame *f)
{
	uint64_t esr, far, class;

	__asm__ __volatile__("mrs %0, esr_el1" : "=r" (esr));
	__asm__ __volatile__("mrs %0, far_el1" : "=r" (far));
	class = esr >> 26;
	print("\nCPU %u: %s: %s%s; esr %#llx, far %#llx\n", kmem_arch_cpu(),
	      kind_name(f->kind), class_name(class),
	      class == 0x21 || class == 0x25 ? status_name(esr & 0x3f) : "",
	      (unsigned long long)esr, (unsigned long long)far);
	print_registers(f);
	boot_fail("unexpected exception");
}
