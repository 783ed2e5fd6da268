/* SPDX-License-Identifier: MIT */
/*
 * arch/i386/paging.c - the direct map, and windows on what is beyond it.
 *
 * kmem hands out addresses of one linear map of physical memory. Here that is
 * the first 896 MiB, mapped since entry.S whether there is memory or not; that
 * a machine has more, kmem is told through params.direct_map_end.
 *
 * The firmware's tables and the local APIC's registers are beyond. Each gets a
 * window: two entries of the page directory, since what is looked for may
 * cross into the next 4 MiB. There are few of them, and they stay.
 */
#include "../x86/x86_boot.h"

#define FIRST_WINDOW	(WINDOWS_BASE >> LARGE_SHIFT)
#define END_OF_WINDOWS	(WINDOWS_END >> LARGE_SHIFT)
#define LARGE_RW	(PTE_PRESENT | PTE_WRITE | PTE_LARGE)
#define UNCACHED	(PTE_NO_CACHE | PTE_WRITE_THROUGH)
#define FOUR_GIB	((uint64_t)4 << 30)

extern uint32_t kernel_pd[DIRECTORY_ENTRIES];

static unsigned next_window = FIRST_WINDOW;

uint64_t paging_direct_map(uint64_t end)
{
	(void)end;
	return DIRECT_SIZE;
}

/* The CPU notes in entries that it has used them: compare the address only. */
static bool shows(unsigned window, uint32_t page)
{
	return (kernel_pd[window] & ~(uint32_t)(LARGE_SIZE - 1)) == page;
}

/* The entries were not present before, so no TLB holds anything stale. */
static void *map_window(uint64_t phys, size_t size, uint32_t flags)
{
	uint32_t inside = (uint32_t)phys & (LARGE_SIZE - 1);
	uint32_t page = (uint32_t)phys - inside;
	unsigned window = FIRST_WINDOW;

	if (phys >= FOUR_GIB || size > FOUR_GIB - phys || size > LARGE_SIZE)
		return NULL;
	while (window < next_window && !shows(window, page))
		window += 2;
	if (window == END_OF_WINDOWS)
		return NULL;
	if (window == next_window) {
		kernel_pd[window] = page | LARGE_RW | flags;
		kernel_pd[window + 1] = (page + LARGE_SIZE) | LARGE_RW | flags;
		next_window += 2;
	}
	return (void *)(((uintptr_t)window << LARGE_SHIFT) + inside);
}

const void *paging_see(uint64_t phys, size_t size)
{
	if (phys < DIRECT_SIZE && size <= DIRECT_SIZE - phys)
		return direct(phys);
	return map_window(phys, size, 0);
}

volatile void *paging_map_device(uint64_t phys)
{
	return map_window(phys, KMEM_PAGE_SIZE, UNCACHED);
}
