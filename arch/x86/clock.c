/* SPDX-License-Identifier: MIT */
/*
 * arch/x86/clock.c - time, from the time stamp counter.
 *
 * The counter's rate, and that of the local APIC's timer (apic.c), is measured
 * against channel 2 of the 8254, which runs at 1.193182 MHz on every PC and
 * can be polled without an interrupt.
 */
#include "x86_boot.h"

#define PIT_HZ		1193182
#define PIT_CHANNEL2	0x42
#define PIT_COMMAND	0x43
#define PIT_CH2_ONESHOT	0xb0	/* channel 2, low byte then high, mode 0 */
#define PORT_B		0x61
#define PORT_B_GATE2	0x01
#define PORT_B_SPEAKER	0x02
#define PORT_B_OUT2	0x20

/* Microseconds are in the upper half of ticks times this: for an hour. */
static uint64_t tsc_start, usec_per_tick;

void clock_pit_wait(void)
{
	unsigned count = PIT_HZ / (1000000 / CLOCK_CALIBRATE_USEC);
	uint8_t port_b = inb(PORT_B) & (uint8_t)~PORT_B_SPEAKER;

	outb(PORT_B, port_b | PORT_B_GATE2);
	outb(PIT_COMMAND, PIT_CH2_ONESHOT);
	outb(PIT_CHANNEL2, count & 0xff);
	outb(PIT_CHANNEL2, (uint8_t)(count >> 8));
	while (!(inb(PORT_B) & PORT_B_OUT2))
		kmem_arch_relax();
}

void clock_init(void)
{
	uint64_t passed;

	tsc_start = rdtsc();
	clock_pit_wait();
	passed = rdtsc() - tsc_start;
	if (!passed || passed >> 32)
		boot_fail("the time stamp counter can't be used: %llu in %u us",
			  (unsigned long long)passed, CLOCK_CALIBRATE_USEC);
	usec_per_tick = divide((uint64_t)CLOCK_CALIBRATE_USEC << 32,
			       (uint32_t)passed, NULL);
}

uint64_t machine_usec(void)
{
	return (rdtsc() - tsc_start) * usec_per_tick >> 32;
}

void clock_delay(unsigned usec)
{
	uint64_t end = machine_usec() + usec;

	while (machine_usec() < end)
		kmem_arch_relax();
}
