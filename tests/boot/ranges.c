/* SPDX-License-Identifier: MIT */
/*
 * tests/boot/ranges.c - what the machine said of an address, for comparison
 * with what kmem makes of it.
 */
#include "boot.h"

void range_print(const struct machine_range *r)
{
	print("  %#014llx - %#014llx  %s\n", (unsigned long long)r->start,
	      (unsigned long long)(r->start + r->size), r->what);
}

/* Bytes that two ranges share. */
static uint64_t common(const struct machine_range *r, uint64_t start,
		       uint64_t size)
{
	uint64_t from = r->start > start ? r->start : start;
	uint64_t to = r->start + r->size < start + size ? r->start + r->size :
							  start + size;

	return from < to ? to - from : 0;
}

/* Bytes of a range that the direct map does not reach. */
static uint64_t common_beyond(uint64_t start, uint64_t size)
{
	struct machine_range beyond = { .start = machine.direct_map_end };

	beyond.size = UINT64_MAX - beyond.start;
	return beyond.start ? common(&beyond, start, size) : 0;
}

bool port_may_be_given(kmem_phys_t start, kmem_phys_t size)
{
	uint64_t usable = 0, taboo = common_beyond(start, size);

	for (unsigned i = 0; i < machine.nr_map; i++)
		*(machine.map[i].usable ? &usable : &taboo) +=
			common(&machine.map[i], start, size);
	for (unsigned i = 0; i < machine.nr_used; i++)
		taboo += common(&machine.used[i], start, size);
	return usable >= size && !taboo;
}

int port_node(kmem_phys_t at)
{
	for (unsigned i = 0; i < machine.nr_map; i++)
		if (machine.map[i].usable && common(&machine.map[i], at, 1))
			return machine.map[i].node;
	return KMEM_NO_NODE;
}

/*
 * Memory beyond the direct map is accounted as such, to the page. (Firmware
 * calls nothing there usable that it also calls something else.)
 */
void ranges_check(const struct kmem_boot_info *info)
{
	uint64_t beyond = 0;

	for (unsigned i = 0; i < machine.nr_map; i++)
		if (machine.map[i].usable)
			beyond += common_beyond(machine.map[i].start,
						machine.map[i].size);
	CHECK(info->usable == info->managed + info->held + info->metadata +
			      info->rounding + info->unreachable);
	CHECK(info->unreachable <= beyond);
	CHECK(beyond - info->unreachable <= info->rounding);
}
