/* SPDX-License-Identifier: MIT */
/*
 * arch/x86_64/cpu.c - what each CPU has of its own: where %gs points, and the
 * table of interrupts, which all share.
 */
#include "../x86/x86_boot.h"

#define MSR_GS_BASE	0xc0000101

struct gate {
	uint16_t offset_low, selector;
	uint8_t stack, type;
	uint16_t offset_mid;
	uint32_t offset_high, reserved;
};

#define GATE_INTERRUPT	0x8e	/* present, ring 0, masks interrupts */

const char cpu_arch_name[] = "x86_64";

static struct gate idt[256];

void cpu_set_gate(unsigned vector, const char *handler)
{
	uint64_t offset = (uintptr_t)handler;

	idt[vector] = (struct gate){
		.offset_low = (uint16_t)offset,
		.selector = SEL_CODE,
		.type = GATE_INTERRUPT,
		.offset_mid = (uint16_t)(offset >> 16),
		.offset_high = (uint32_t)(offset >> 32),
	};
}

void cpu_init(unsigned cpu)
{
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) idtr = { sizeof(idt) - 1, (uintptr_t)idt };

	x86_cpus[cpu].number = cpu;
	wrmsr(MSR_GS_BASE, (uintptr_t)&x86_cpus[cpu]);
	__asm__ __volatile__("lidt %0" : : "m" (idtr) : "memory");
}

static void print_three(const char *a, uint64_t va, const char *b, uint64_t vb,
			const char *c, uint64_t vc)
{
	print("  %s %016llx  %s %016llx  %s %016llx\n",
	      a, (unsigned long long)va, b, (unsigned long long)vb,
	      c, (unsigned long long)vc);
}

void cpu_print_registers(const struct trap_frame *f)
{
	print_three("rip", f->rip, "rsp", f->rsp, "cr2", read_cr2());
	print_three("rax", f->rax, "rbx", f->rbx, "rcx", f->rcx);
	print_three("rdx", f->rdx, "rsi", f->rsi, "rdi", f->rdi);
	print_three("rbp", f->rbp, "r8 ", f->r8, "r9 ", f->r9);
	print_three("r10", f->r10, "r11", f->r11, "r12", f->r12);
	print_three("r13", f->r13, "r14", f->r14, "r15", f->r15);
	print_three("flg", f->rflags, "cs ", f->cs, "ss ", f->ss);
}
