/* SPDX-License-Identifier: MIT */
/*
 * kmem/map_symbols.h - the memory map of a machine that the linker's script
 * knows: a microcontroller's.
 *
 * The script places the program, and names what it leaves over:
 *
 *	.bss : { ... } > RAM
 *	heap_start = .;
 *	heap_end = ORIGIN(RAM) + LENGTH(RAM);
 *
 *	extern char heap_start[], heap_end[];
 *	...
 *	if (kmem_map_symbols(heap_start, heap_end, kmem_map_add, NULL))
 *		panic();
 *
 * once for each piece of memory. Addresses are taken to be physical, as they
 * are on a machine without MMU: virt_offset 0. All else, what the program
 * itself uses included, is not in the map and so never kmem's.
 */
#ifndef KMEM_MAP_SYMBOLS_H
#define KMEM_MAP_SYMBOLS_H

#include <kmem/boot_map.h>

/**
 * kmem_map_symbols - one entry: usable memory from start to before end
 *
 * Return: what fn returned; KMEM_EINVAL if end is below start.
 */
KMEM_INLINE int kmem_map_symbols(const char *start, const char *end,
				 kmem_map_fn fn, void *ctx)
{
	struct kmem_map_entry entry;

	if ((uintptr_t)end < (uintptr_t)start)
		return KMEM_EINVAL;
	entry.start = (uintptr_t)start;
	entry.size = (uintptr_t)end - (uintptr_t)start;
	entry.type = KMEM_REGION_USABLE;
	entry.node = KMEM_NO_NODE;
	entry.what = "heap";
	return fn(ctx, &entry);
}

#endif /* KMEM_MAP_SYMBOLS_H */
