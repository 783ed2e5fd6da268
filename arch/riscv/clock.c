/* SPDX-License-Identifier: MIT */
/*
 * arch/riscv/clock.c - time, which all harts share, and the next tick.
 *
 * The counter's rate is in the devicetree. As ticks come one at a time, and
 * are armed anew by whoever handles one, they come at any distance wanted, and
 * never faster than they are handled.
 */
#include "riscv_boot.h"

static uint64_t time_start;
static uint32_t ticks_per_msec = 1;

void clock_init(void)
{
	struct kmem_fdt_node cpus;

	if (!kmem_fdt_find(&devicetree, "cpus", &cpus))
		boot_fail("devicetree: no /cpus");
	ticks_per_msec = kmem_fdt_u32(&devicetree, &cpus,
				      "timebase-frequency", 0) / 1000;
	if (!ticks_per_msec)
		boot_fail("devicetree: /cpus has no timebase-frequency");
	time_start = platform_time();
}

uint64_t machine_usec(void)
{
	return divide((platform_time() - time_start) * 1000, ticks_per_msec,
		      NULL);
}

void machine_timer(unsigned usec)
{
	uint64_t ticks = divide((uint64_t)usec * ticks_per_msec, 1000, NULL);

	platform_timer(usec ? platform_time() + ticks : ~(uint64_t)0);
}
