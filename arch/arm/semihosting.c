/* SPDX-License-Identifier: MIT */
/*
 * arch/arm/semihosting.c - the way out, and the console of last resort.
 *
 * Semihosting is a call to whatever runs the machine: here the emulator, which
 * ends with the status that it is told. PSCI can only switch the machine off,
 * which looks the same after success and failure; that remains if nobody
 * listens to semihosting, where the call is an undefined instruction.
 *
 * Facts: Arm's Semihosting for AArch32 and AArch64, release 2.0.
 */
#include "arm_boot.h"

#define SYS_WRITEC		0x03
#define SYS_EXIT_EXTENDED	0x20
#define APPLICATION_EXIT	0x20026

#define EXIT_SUCCESS		33	/* not one that QEMU gives of itself */
#define EXIT_FAILURE		35

void semihosting_write(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		semihosting_call(SYS_WRITEC, &text[i]);
}

static void semihosting_exit(uintptr_t status)
{
	const uintptr_t block[2] = { APPLICATION_EXIT, status };

	semihosting_call(SYS_EXIT_EXTENDED, block);
}

_Noreturn void machine_exit(bool success)
{
	static unsigned char tried;

	kmem_arch_irq_save();
	if (!kmem_exchange_acquire(&tried, 1))
		semihosting_exit(success ? EXIT_SUCCESS : EXIT_FAILURE);
	psci_off();
	for (;;)
		cpu_wait_for_interrupt();
}

/* Nothing is sound any more. */
_Noreturn void arm_fault_again(void)
{
	machine_exit(false);
}
