/* SPDX-License-Identifier: MIT */
/*
 * arch/i386/cpu.c - what each CPU has of its own: the segment that %fs selects,
 * in a descriptor table of its own; and the table of interrupts, which all
 * share.
 */
#include "../x86/x86_boot.h"

struct gate {
	uint16_t offset_low, selector;
	uint8_t reserved, type;
	uint16_t offset_high;
};

#define GATE_INTERRUPT		0x8e	/* present, ring 0, masks interrupts */

/* Descriptors: bits of the base and the limit lie around these. */
#define SEGMENT_CODE		((uint64_t)0x00cf9b000000ffff)	/* 0 .. 4 GiB */
#define SEGMENT_DATA		((uint64_t)0x00cf93000000ffff)
#define SEGMENT_DATA_BYTES	((uint64_t)0x0040930000000000)

#define NR_SEGMENTS		(SEL_PER_CPU / 8 + 1)

/* What lgdt and lidt take. */
struct table_pointer {
	uint16_t limit;
	uint32_t base;
} __attribute__((packed));

const char cpu_arch_name[] = "i386";

static uint64_t gdt[MACHINE_MAX_CPUS][NR_SEGMENTS];
static struct gate idt[256];

void cpu_set_gate(unsigned vector, const char *handler)
{
	uint32_t offset = (uintptr_t)handler;

	idt[vector] = (struct gate){
		.offset_low = (uint16_t)offset,
		.selector = SEL_CODE,
		.type = GATE_INTERRUPT,
		.offset_high = (uint16_t)(offset >> 16),
	};
}

/* A segment of up to 64 KiB that begins with what p points at. */
static uint64_t segment_of(const void *p, uint16_t size)
{
	uint64_t base = (uintptr_t)p;

	return SEGMENT_DATA_BYTES | (uint16_t)(size - 1) |
	       (base & 0xffffff) << 16 | base >> 24 << 56;
}

void cpu_init(unsigned cpu)
{
	uint64_t *own = gdt[cpu];
	struct table_pointer gdtr = { sizeof(gdt[cpu]) - 1, (uintptr_t)own };
	struct table_pointer idtr = { sizeof(idt) - 1, (uintptr_t)idt };

	x86_cpus[cpu].number = cpu;
	own[SEL_CODE / 8] = SEGMENT_CODE;
	own[SEL_DATA / 8] = SEGMENT_DATA;
	own[SEL_PER_CPU / 8] = segment_of(&x86_cpus[cpu],
					  sizeof(x86_cpus[cpu]));
	__asm__ __volatile__("lgdt %0\n\tlidt %1\n\tmovw %w2, %%fs"
			     : : "m" (gdtr), "m" (idtr), "r" (SEL_PER_CPU)
			     : "memory");
}

static void print_four(const char *a, uint32_t va, const char *b, uint32_t vb,
		       const char *c, uint32_t vc, const char *d, uint32_t vd)
{
	print("  %s %08x  %s %08x  %s %08x  %s %08x\n",
	      a, va, b, vb, c, vc, d, vd);
}

/* No fault is provoked here. */
bool cpu_fixup(struct trap_frame *f)
{
	(void)f;
	return false;
}

void cpu_print_registers(const struct trap_frame *f)
{
	print_four("eip", f->eip, "esp", (uintptr_t)f->stack,
		   "cr2", read_cr2(), "flg", f->eflags);
	print_four("eax", f->eax, "ebx", f->ebx, "ecx", f->ecx, "edx", f->edx);
	print_four("esi", f->esi, "edi", f->edi, "ebp", f->ebp, "cs ", f->cs);
}
