/* SPDX-License-Identifier: MIT */
/*
 * arch/x86/loader.c - what the loader said.
 *
 *			PVH			Multiboot
 *	memory map	kmem/map_pvh.h		kmem/map_multiboot.h
 *	command line	hvm_start_info		information, flag 2
 *	ACPI's root	hvm_start_info		0: to be searched for
 *
 * All of it is copied, since the memory it lies in may be memory that the map
 * calls usable.
 */
#include <kmem/map_multiboot.h>
#include <kmem/map_pvh.h>

#include "x86_boot.h"

static int copy_entry(void *ctx, const struct kmem_map_entry *entry)
{
	(void)ctx;
	if (machine.nr_map == MACHINE_MAX_RANGES)
		boot_fail("more than %u entries in the memory map",
			  MACHINE_MAX_RANGES);
	machine.map[machine.nr_map++] = (struct machine_range){
		.start = entry->start, .size = entry->size,
		.usable = entry->type == KMEM_REGION_USABLE,
		.what = entry->what,
	};
	return KMEM_OK;
}

/* Text at a physical address; 0: there is none. */
static void copy_arguments(const struct kmem_map_window *window, uint64_t phys)
{
	static char arguments[256];

	machine.arguments = arguments;
	if (!phys)
		return;
	for (size_t i = 0; i < sizeof(arguments) - 1; i++) {
		const uint8_t *c = kmem_map_see(window, phys + i, 1);

		if (!c || !*c)
			break;
		arguments[i] = (char)*c;
	}
}

static uint64_t read_pvh(const struct kmem_map_window *window, uint64_t phys)
{
	const uint8_t *info;

	if (kmem_map_pvh(window, phys, copy_entry, NULL))
		boot_fail("no memory map of a PVH loader at %#llx",
			  (unsigned long long)phys);
	info = kmem_map_see(window, phys, KMEM_PVH_BYTES);
	copy_arguments(window, kmem_map_le64(info + KMEM_PVH_COMMAND_LINE));
	return kmem_map_le64(info + KMEM_PVH_ACPI_ROOT);
}

static uint64_t read_multiboot(const struct kmem_map_window *window,
			       uint64_t phys)
{
	const uint8_t *info;
	bool has_line;

	if (kmem_map_multiboot(window, phys, copy_entry, NULL))
		boot_fail("no memory map of a Multiboot loader at %#llx",
			  (unsigned long long)phys);
	info = kmem_map_see(window, phys, KMEM_MULTIBOOT_BYTES);
	has_line = kmem_map_le32(info) & KMEM_MULTIBOOT_HAS_COMMAND_LINE;
	copy_arguments(window, has_line ?
		       kmem_map_le32(info + KMEM_MULTIBOOT_COMMAND_LINE) : 0);
	return 0;
}

uint64_t loader_read(uint32_t magic, uint64_t info, uint64_t reach)
{
	struct kmem_map_window window = { direct(0), 0, reach };
	bool multiboot = magic == KMEM_MULTIBOOT_MAGIC;

	print("started by a %s loader\n", multiboot ? "Multiboot" : "PVH");
	return multiboot ? read_multiboot(&window, info) :
			   read_pvh(&window, info);
}
