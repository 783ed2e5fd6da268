/* SPDX-License-Identifier: MIT */
/*
 * arch/cortex_m/systick.c - the timer that every Cortex-M has.
 *
 * It counts down 24 bits at the CPU's clock and reloads; here it is stopped by
 * its first interrupt, and so rings once.
 */
#include "cortex_m.h"

#define SYST_CSR	0xe000e010u
#define SYST_RVR	0xe000e014u	/* reload value */
#define SYST_CVR	0xe000e018u	/* current value; any write clears */

#define CSR_RUN		0x7u		/* enable, interrupt, CPU's clock */
#define MAX_COUNT	0xffffffu

/* The linker's script says how many MHz the clock has. */
extern char systick_mhz[];

void machine_timer(unsigned usec)
{
	uint32_t count = usec * (uint32_t)(uintptr_t)systick_mhz;

	reg_write(SYST_CSR, 0);
	reg_write(ICSR, ICSR_PENDSTCLR);
	if (!usec)
		return;
	reg_write(SYST_RVR, count < MAX_COUNT ? count : MAX_COUNT);
	reg_write(SYST_CVR, 0);
	reg_write(SYST_CSR, CSR_RUN);
}

void systick_handler(void)
{
	reg_write(SYST_CSR, 0);
	boot_tick();
}
