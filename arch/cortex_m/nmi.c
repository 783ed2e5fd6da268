/* SPDX-License-Identifier: MIT */
/*
 * arch/cortex_m/nmi.c - the interrupt that no mask holds back.
 *
 * The CPU can only be made to interrupt itself, and does so at once. So it is
 * SysTick's handler, which comes at any instruction, that makes it come there.
 */
#include "cortex_m.h"

void nmi_send(unsigned cpu)
{
	(void)cpu;
	reg_write(ICSR, ICSR_NMIPENDSET);
	__asm__ __volatile__("dsb\n\tisb" : : : "memory");
}

void nmi_handler(void)
{
	boot_nmi();
}
