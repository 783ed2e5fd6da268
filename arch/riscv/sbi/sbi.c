/* SPDX-License-Identifier: MIT */
/*
 * arch/riscv/sbi/sbi.c - what the kernel asks the firmware for: harts to be
 * started, interrupts to other harts, timer interrupts.
 *
 * An extension is a number in a7, its function one in a6; arguments from a0
 * on, an error in a0 and a value in a1 when it returns.
 *
 * Facts: RISC-V Supervisor Binary Interface Specification 1.0.
 */
#include "../riscv_boot.h"

#define SBI_BASE	0x10		/* every firmware has it */
#define SBI_TIME	0x54494d45	/* "TIME" */
#define SBI_IPI		0x735049	/* "sPI" */
#define SBI_HSM		0x48534d	/* "HSM": hart state management */

#define BASE_PROBE	3		/* a0: extension; value: 0, not there */
#define TIME_SET	0		/* a0 (and a1): when */
#define IPI_SEND	0		/* a0: mask of harts, a1: the first */
#define HSM_START	0		/* a0: hart, a1: where, a2: its a1 */

extern char secondary_entry[];

struct sbi_result {
	long error;			/* 0: none */
	unsigned long value;
};

static struct sbi_result sbi_call(unsigned long extension,
				  unsigned long function, unsigned long arg0,
				  unsigned long arg1, unsigned long arg2)
{
	register unsigned long a0 __asm__("a0") = arg0;
	register unsigned long a1 __asm__("a1") = arg1;
	register unsigned long a2 __asm__("a2") = arg2;
	register unsigned long a6 __asm__("a6") = function;
	register unsigned long a7 __asm__("a7") = extension;

	__asm__ __volatile__("ecall"
			     : "+r" (a0), "+r" (a1)
			     : "r" (a2), "r" (a6), "r" (a7) : "memory");
	return (struct sbi_result){ (long)a0, a1 };
}

static void need(unsigned long extension, const char *name)
{
	if (!sbi_call(SBI_BASE, BASE_PROBE, extension, 0, 0).value)
		boot_fail("the firmware has no SBI extension %s", name);
}

void platform_init(void)
{
	need(SBI_TIME, "TIME");
	need(SBI_IPI, "IPI");
	need(SBI_HSM, "HSM");
	paging_init();
}

void platform_cpu_init(void)
{
	platform_timer(~(uint64_t)0);
	platform_ipi_clear();
}

uint64_t platform_time(void)
{
	uint64_t time;

	__asm__ __volatile__("rdtime %0" : "=r" (time));
	return time;
}

void platform_timer(uint64_t when)
{
	sbi_call(SBI_TIME, TIME_SET, when, 0, 0);
}

void platform_ipi(uintptr_t hart)
{
	struct sbi_result r = sbi_call(SBI_IPI, IPI_SEND, 1, hart, 0);

	if (r.error)
		boot_fail("SBI: interrupt to hart %lu: error %d",
			  (unsigned long)hart, (int)r.error);
}

void platform_ipi_clear(void)
{
	__asm__ __volatile__("csrc sip, %0"
			     : : "r" (1 << IRQ_SOFT) : "memory");
}

bool platform_start(uintptr_t hart)
{
	uintptr_t entry = (uintptr_t)secondary_entry - DIRECT_BASE;
	struct sbi_result r = sbi_call(SBI_HSM, HSM_START, hart, entry, 0);

	if (r.error)
		print("SBI: start of hart %lu: error %d\n",
		      (unsigned long)hart, (int)r.error);
	return !r.error;
}
