/* SPDX-License-Identifier: MIT */
/*
 * arch/armv7a/paging.c - the direct map, and devices.
 *
 * kmem hands out addresses of one linear map of physical memory. 32 bits of
 * address reach what is below DIRECT_END; of memory beyond that kmem is told
 * through params.direct_map_end. Only memory is in the map, for the CPU may
 * read ahead whatever is mapped as memory. The GiB that memory begins with is
 * mapped whole by entry.S.
 *
 * Entries only ever appear where there was none, so no TLB holds anything
 * stale.
 */
#include "../arm/arm_boot.h"

#define SECTION_SIZE	((uint64_t)1 << 20)
#define INDEX(address)	((uint32_t)(address) >> 20)

extern uint32_t kernel_table[4096];

static void map_range(uint64_t start, uint64_t end)
{
	if (end > DIRECT_END)
		end = DIRECT_END;
	for (uint64_t at = start & ~(SECTION_SIZE - 1); at < end;
	     at += SECTION_SIZE)
		kernel_table[INDEX(at + VIRT_OFFSET)] =
			(uint32_t)at | SECTION_MEMORY;
}

uint64_t paging_direct_map(void)
{
	for (unsigned i = 0; i < machine.nr_map; i++) {
		const struct machine_range *r = &machine.map[i];

		if (r->usable)
			map_range(r->start, r->start + r->size);
	}
	cpu_use_new_mappings();
	return DIRECT_END;
}

volatile uint32_t *paging_map_device(uint64_t phys)
{
	uint32_t section = (uint32_t)phys & ~(uint32_t)(SECTION_SIZE - 1);
	uint32_t *entry = &kernel_table[INDEX(DEVICE_BASE)];
	unsigned i = 0;

	while (entry[i] && entry[i] != (section | SECTION_DEVICE))
		if (++i == DEVICE_SECTIONS)
			boot_fail("no room to map a device");
	entry[i] = section | SECTION_DEVICE;
	cpu_use_new_mappings();
	return (volatile uint32_t *)(DEVICE_BASE + i * (uint32_t)SECTION_SIZE +
				     ((uint32_t)phys - section));
}
