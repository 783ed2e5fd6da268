/* SPDX-License-Identifier: MIT */
/*
 * arch/arm/timer.c - time and ticks, from each CPU's generic timer.
 *
 * All CPUs read the same count. The virtual timer is used, whose interrupt is
 * the kernel's whether or not something runs beneath it. It interrupts as
 * long as its count is passed, so a tick first switches it off; whoever wants
 * another sets it anew: ticks come at any distance wanted, and never faster
 * than they are handled.
 *
 * Conversions are multiplications with fractions of 32 bits: there is no
 * 64-bit division on some of these CPUs, and it would be slow on others.
 */
#include "arm_boot.h"

#define TIMER_ON	1
#define INTERRUPT_BYTES	12		/* a word each: kind, number, flags */
#define VIRTUAL_TIMER	2		/* after the physical ones */
#define KIND_PRIVATE	1		/* to the CPU */
#define FIRST_PRIVATE	16
#define ONE		((uint64_t)1 << 32)

static uint64_t count_start;
static uint32_t usec_fraction;		/* of a count */
static uint64_t counts_per_usec;	/* in 1 / 2^32 */
static uint32_t irq;

static uint32_t find_irq(void)
{
	struct kmem_fdt_node node;
	const unsigned char *list = NULL;
	size_t length;

	if (kmem_fdt_find(&devicetree, "timer", &node))
		list = kmem_fdt_prop(&devicetree, &node, "interrupts", &length);
	if (!list || length < (VIRTUAL_TIMER + 1) * INTERRUPT_BYTES)
		boot_fail("devicetree: no timer with a virtual one");
	list += VIRTUAL_TIMER * INTERRUPT_BYTES;
	if (kmem_fdt_number(list, 1) != KIND_PRIVATE)
		boot_fail("devicetree: the timer's interrupt is no CPU's own");
	return FIRST_PRIVATE + (uint32_t)kmem_fdt_number(list + 4, 1);
}

void timer_init(void)
{
	uint32_t hz = timer_hz();

	if (hz <= 1000000)
		boot_fail("the timer counts %u Hz", (unsigned)hz);
	counts_per_usec = divide(hz * ONE, 1000000, NULL);
	usec_fraction = (uint32_t)divide(1000000 * ONE, hz, NULL);
	count_start = timer_count();
	irq = find_irq();
}

uint32_t timer_irq(void)
{
	return irq;
}

uint64_t machine_usec(void)
{
	uint64_t counts = timer_count() - count_start;

	return (counts >> 32) * usec_fraction +
	       ((counts & (ONE - 1)) * usec_fraction >> 32);
}

void timer_stop(void)
{
	timer_control(0);
}

void machine_timer(unsigned usec)
{
	timer_stop();
	if (!usec)
		return;
	timer_set_distance((uint32_t)(usec * counts_per_usec >> 32));
	timer_control(TIMER_ON);
}
