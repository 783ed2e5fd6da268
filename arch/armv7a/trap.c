/* SPDX-License-Identifier: MIT */
/*
 * arch/armv7a/trap.c - an exception other than an interrupt ends the run.
 *
 * It prints what happened and every register. No fault is expected: kmem must
 * not touch memory that is not there.
 */
#include "../arm/arm_boot.h"

#define FAULT_STACK_SIZE	4096

/* The stack as vectors.S leaves it, lowest address first. */
struct fault_frame {
	uint32_t r[13];
	uint32_t sp, lr, pc, cpsr;
	uint32_t kind;			/* FAULT_... */
};

KMEM_STATIC_ASSERT(sizeof(struct fault_frame) == FAULT_FRAME_SIZE,
		   "vectors.S makes room for it");

_Noreturn void arm_fault(const struct fault_frame *f);
void trap_set_fault_stack(void *top);

static KMEM_ALIGNED(16) char fault_stack[ARM_MAX_CPUS][FAULT_STACK_SIZE];

/* From here on, faults that come late are let in too. */
void trap_cpu_init(unsigned cpu)
{
	trap_set_fault_stack(fault_stack[cpu] + FAULT_STACK_SIZE);
	__asm__ __volatile__("cpsie a" : : : "memory");
}

static const char *kind_name(uint32_t kind)
{
	static const char *const name[] = {
		[FAULT_RESET] = "reset",
		[FAULT_UNDEFINED] = "undefined instruction",
		[FAULT_CALL] = "supervisor call",
		[FAULT_FETCH] = "prefetch abort",
		[FAULT_DATA] = "data abort",
		[FAULT_HYP] = "hypervisor trap",
		[FAULT_FIQ] = "FIQ",
	};

	return kind < KMEM_ARRAY_SIZE(name) ? name[kind] : "?";
}

/* DFSR and IFSR: bits 3:0, and bit 10 above them. */
static const char *status_name(uint32_t status)
{
	switch ((status & 0xf) | (status >> 6 & 0x10)) {
	case 0x01: return ": not aligned";
	case 0x05:
	case 0x07: return ": not mapped";
	case 0x09:
	case 0x0b: return ": no domain";
	case 0x0d:
	case 0x0f: return ": not permitted";
	case 0x16: return ": asynchronous";
	}
	return "";
}

/* FSR and FAR of the two kinds of abort; nothing for others. */
static void print_abort(uint32_t kind)
{
	uint32_t status, address;

	if (kind == FAULT_DATA) {
		__asm__ __volatile__("mrc p15, 0, %0, c5, c0, 0"
				     : "=r" (status));
		__asm__ __volatile__("mrc p15, 0, %0, c6, c0, 0"
				     : "=r" (address));
	} else if (kind == FAULT_FETCH) {
		__asm__ __volatile__("mrc p15, 0, %0, c5, c0, 1"
				     : "=r" (status));
		__asm__ __volatile__("mrc p15, 0, %0, c6, c0, 2"
				     : "=r" (address));
	} else {
		return;
	}
	print("  address %08x, status %#x%s\n", (unsigned)address,
	      (unsigned)status, status_name(status));
}

static void print_registers(const struct fault_frame *f)
{
	for (unsigned i = 0; i < 12; i += 4)
		print("  r%u%s %08x  r%u%s %08x  r%u%s %08x  r%u%s %08x\n",
		      i, i < 10 ? " " : "", (unsigned)f->r[i],
		      i + 1, i + 1 < 10 ? " " : "", (unsigned)f->r[i + 1],
		      i + 2, i + 2 < 10 ? " " : "", (unsigned)f->r[i + 2],
		      i + 3, i + 3 < 10 ? " " : "", (unsigned)f->r[i + 3]);
	print("  r12 %08x  sp  %08x  lr  %08x  pc  %08x\n  cpsr %08x\n",
	      (unsigned)f->r[12], (unsigned)f->sp, (unsigned)f->lr,
	      (unsigned)f->pc, (unsigned)f->cpsr);
}

_Noreturn void arm_fault(const struct fault_frame *f)
{
	if ((f->cpsr & MODE_MASK) != MODE_SVC)
		arm_fault_again();
	print("\nCPU %u: %s\n", kmem_arch_cpu(), kind_name(f->kind));
	print_abort(f->kind);
	print_registers(f);
	boot_fail("unexpected exception");
}
