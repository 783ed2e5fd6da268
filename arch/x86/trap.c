/* SPDX-License-Identifier: MIT */
/*
 * arch/x86_64/trap.c - interrupts go to the test kernel, exceptions end it.
 *
 * The exception handler prints what happened and every register, then fails
 * the run. No fault is expected: kmem must not touch memory that is not there.
 */
#include "x86_boot.h"

/* The stack as vectors.S leaves it, lowest address first. */
struct trap_frame {
	uint64_t r15, r14, r13, r12, r11, r10, r9, r8;
	uint64_t rbp, rdi, rsi, rdx, rcx, rbx, rax;
	uint64_t vector, error;
	uint64_t rip, cs, rflags, rsp, ss;
};

struct gate {
	uint16_t offset_low, selector;
	uint8_t stack, type;
	uint16_t offset_mid;
	uint32_t offset_high, reserved;
};

#define GATE_INTERRUPT	0x8e	/* present, ring 0, masks interrupts */
#define TRAP_STUB_SIZE	16

#define PIC1_COMMAND	0x20
#define PIC1_DATA	0x21
#define PIC2_COMMAND	0xa0
#define PIC2_DATA	0xa1

extern const char trap_stubs[];
void trap(struct trap_frame *f);

static struct gate idt[256];

static const char *const exception_name[32] = {
	"divide error", "debug", "non-maskable interrupt", "breakpoint",
	"overflow", "bound range", "invalid opcode", "no FPU",
	"double fault", "", "invalid TSS", "segment not present",
	"stack segment", "general protection", "page fault", "",
	"FPU error", "alignment check", "machine check", "SIMD error",
};

static void set_gate(unsigned vector)
{
	uint64_t stub = (uintptr_t)trap_stubs + vector * TRAP_STUB_SIZE;

	idt[vector] = (struct gate){
		.offset_low = (uint16_t)stub,
		.selector = SEL_CODE,
		.type = GATE_INTERRUPT,
		.offset_mid = (uint16_t)(stub >> 16),
		.offset_high = (uint32_t)(stub >> 32),
	};
}

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
		set_gate(i);
	mask_pics();
}

void trap_cpu_init(void)
{
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) idtr = { sizeof(idt) - 1, (uintptr_t)idt };

	__asm__ __volatile__("lidt %0" : : "m" (idtr) : "memory");
}

static void print_pair(const char *a, uint64_t va, const char *b, uint64_t vb,
		       const char *c, uint64_t vc)
{
	print("  %s %016llx  %s %016llx  %s %016llx\n",
	      a, (unsigned long long)va, b, (unsigned long long)vb,
	      c, (unsigned long long)vc);
}

static _Noreturn void exception(const struct trap_frame *f)
{
	const char *name = f->vector < 32 ? exception_name[f->vector] : NULL;

	print("\nCPU %u: exception %llu (%s), error code %#llx\n",
	      kmem_arch_cpu(), (unsigned long long)f->vector,
	      name && *name ? name : "reserved",
	      (unsigned long long)f->error);
	print_pair("rip", f->rip, "rsp", f->rsp, "cr2", read_cr2());
	print_pair("rax", f->rax, "rbx", f->rbx, "rcx", f->rcx);
	print_pair("rdx", f->rdx, "rsi", f->rsi, "rdi", f->rdi);
	print_pair("rbp", f->rbp, "r8 ", f->r8, "r9 ", f->r9);
	print_pair("r10", f->r10, "r11", f->r11, "r12", f->r12);
	print_pair("r13", f->r13, "r14", f->r14, "r15", f->r15);
	print_pair("flg", f->rflags, "cs ", f->cs, "ss ", f->ss);
	boot_fail("unexpected exception");
}

/* From the 8259s, or a local APIC that changed its mind: nobody to
 * acknowledge. */
static bool is_spurious(uint64_t vector)
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
	} else if (!is_spurious(f->vector)) {
		exception(f);
	}
}
