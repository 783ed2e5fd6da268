/* SPDX-License-Identifier: MIT */
/*
 * arch/cortex_m/cortex_m.h - the parts of the test kernel's start-up code for
 * ARM's microcontrollers, ARMv6-M and ARMv7-M.
 *
 *	vectors.S	the vector table; what precedes fault()
 *	start.c		reset, and the memory map
 *	fault.c		what is not an expected interrupt ends the run
 *	systick.c	the timer whose handler allocates
 *	nmi.c		the interrupt that can't be masked, and whose handler
 *			allocates, too
 *	semihosting.c	console, clock and exit, by asking the emulator
 *
 * What machines differ in, where memory is and how fast the clock runs, is in
 * their linker's scripts.
 */
#ifndef CORTEX_M_H
#define CORTEX_M_H

#include "../../tests/boot/machine.h"

/* ---- start.c, systick.c, nmi.c: in the vector table ---- */

_Noreturn void reset(void);
void systick_handler(void);
void nmi_handler(void);

/* ---- nmi.c ---- */

/* For machine.nmi. */
void nmi_send(unsigned cpu);

/* ---- semihosting.c ---- */

/* The kernel's command line, behind its first word, the name of the image. */
const char *semihosting_arguments(void);

/* ---- system registers ---- */

#define ICSR			0xe000ed04u	/* interrupt control and state */
#define ICSR_NMIPENDSET		(1u << 31)
#define ICSR_PENDSTCLR		(1u << 25)	/* SysTick is pending no more */

static inline uint32_t reg_read(uintptr_t address)
{
	return *(volatile uint32_t *)address;
}

static inline void reg_write(uintptr_t address, uint32_t value)
{
	*(volatile uint32_t *)address = value;
}

#endif /* CORTEX_M_H */
