/* SPDX-License-Identifier: MIT */
/*
 * kmem/map_limine.h - the memory map of a kernel that Limine, or a loader of
 * its protocol, has started.
 *
 * The kernel's image contains requests, into each of which the loader writes a
 * pointer to its response. Two are of use here. All pointers are virtual: into
 * the higher-half direct map (HHDM), where physical address a is at a + offset.
 *
 *	memory map: revision 64, count 64, pointer to an array of `count`
 *		    pointers to entries: start 64, bytes 64, type 64
 *	HHDM:	    revision 64, offset 64
 *
 *	type 0	usable				usable
 *	     2	ACPI reclaimable		later
 *	     5	boot loader reclaimable		later
 *	     6	kernel and modules		reserved
 *	     all else				reserved
 *
 *	uint64_t hhdm = hhdm_request.response->offset;
 *	struct kmem_map_window seen = { (void *)hhdm, hhdm, 0 - hhdm };
 *
 *	if (kmem_map_limine(&seen, (uintptr_t)memmap_request.response,
 *			    kmem_map_add, NULL))
 *		panic();
 *	params.virt_offset = hhdm;
 *
 * That window believes every pointer into the upper half. A smaller one (the
 * addresses here are virtual on both sides) makes any other an error.
 *
 * Reclaimable memory holds the responses themselves, the page tables, the
 * GDT and the stack that the kernel was started on, and stays mapped. When all
 * of that has been replaced, on every CPU: kmem_release_type(
 * KMEM_REGION_LATER, 0). (Source: the Limine boot protocol, base revisions 0
 * to 3.)
 */
#ifndef KMEM_MAP_LIMINE_H
#define KMEM_MAP_LIMINE_H

#include <kmem/map_e820.h>

/* Byte offsets, and sizes. */
#define KMEM_LIMINE_COUNT		8	/* in the map's response */
#define KMEM_LIMINE_ENTRIES		16
#define KMEM_LIMINE_RESPONSE_BYTES	24
#define KMEM_LIMINE_HHDM_OFFSET		8	/* in the HHDM's response */
#define KMEM_LIMINE_HHDM_BYTES		16
#define KMEM_LIMINE_START		0	/* in an entry */
#define KMEM_LIMINE_SIZE		8
#define KMEM_LIMINE_TYPE		16
#define KMEM_LIMINE_ENTRY_BYTES		24

/* Types. */
#define KMEM_LIMINE_USABLE		0u
#define KMEM_LIMINE_ACPI_RECLAIMABLE	2u
#define KMEM_LIMINE_LOADER_RECLAIMABLE	5u

/* The protocol promises this of usable and of the loader's entries. */
#define KMEM_LIMINE_ALIGN		4096u

/**
 * kmem_limine_hhdm - the offset of the direct map
 * @window: the memory that can be read, by virtual address
 * @response: virtual address of the HHDM request's response
 * @offset: set to what params.virt_offset must be
 *
 * Return: KMEM_OK; KMEM_EINVAL if the response lies outside of the window, or
 * the offset is not a multiple of 4 KiB.
 */
KMEM_INLINE int kmem_limine_hhdm(const struct kmem_map_window *window,
				 uint64_t response, uint64_t *offset)
{
	const uint8_t *p = kmem_map_see(window, response,
					KMEM_LIMINE_HHDM_BYTES);

	if (!p)
		return KMEM_EINVAL;
	*offset = kmem_map_le64(p + KMEM_LIMINE_HHDM_OFFSET);
	return *offset & (KMEM_LIMINE_ALIGN - 1) ? KMEM_EINVAL : KMEM_OK;
}

/** kmem_limine_report - call fn for the entry at p */
KMEM_INLINE int kmem_limine_report(const uint8_t *p, kmem_map_fn fn, void *ctx)
{
	static const char *const word[] = {
		"usable", "reserved", "ACPI reclaimable", "ACPI NVS",
		"bad memory", "boot loader", "kernel and modules",
		"frame buffer",
	};
	uint64_t start = kmem_map_le64(p + KMEM_LIMINE_START);
	uint64_t size = kmem_map_le64(p + KMEM_LIMINE_SIZE);
	uint64_t type = kmem_map_le64(p + KMEM_LIMINE_TYPE);
	bool aligned = !((start | size) & (KMEM_LIMINE_ALIGN - 1));
	enum kmem_region_type is = KMEM_REGION_RESERVED;

	if (type == KMEM_LIMINE_USABLE)
		is = KMEM_REGION_USABLE;
	if (type == KMEM_LIMINE_LOADER_RECLAIMABLE ||
	    type == KMEM_LIMINE_ACPI_RECLAIMABLE)
		is = KMEM_REGION_LATER;
	if (is != KMEM_REGION_RESERVED && !aligned &&
	    type != KMEM_LIMINE_ACPI_RECLAIMABLE)
		return KMEM_EINVAL;
	return kmem_map_report(start, size, is,
			       type < KMEM_ARRAY_SIZE(word) ? word[type] :
							      "other",
			       fn, ctx);
}

/**
 * kmem_map_limine - walk the memory map of a Limine loader
 * @window: the memory that can be read, by virtual address
 * @response: virtual address of the memory map request's response
 * @fn, @ctx: called for each entry
 *
 * Context: boot.
 * Return: KMEM_OK; what fn returned, if that was not KMEM_OK; KMEM_EINVAL if
 * there is no response (0) or no entry, if anything lies outside of the window,
 * or if an entry wraps around the end of the address space or is not aligned
 * as the protocol says.
 */
KMEM_INLINE int kmem_map_limine(const struct kmem_map_window *window,
				uint64_t response, kmem_map_fn fn, void *ctx)
{
	const uint8_t *head = kmem_map_see(window, response,
					   KMEM_LIMINE_RESPONSE_BYTES);
	const uint8_t *pointer, *entry;
	uint64_t nr;
	int err = KMEM_OK;

	if (!head || !response)
		return KMEM_EINVAL;
	nr = kmem_map_le64(head + KMEM_LIMINE_COUNT);
	if (!nr || nr > window->size >> 3)
		return KMEM_EINVAL;
	pointer = kmem_map_see(window, kmem_map_le64(head +
			       KMEM_LIMINE_ENTRIES), nr << 3);
	if (!pointer)
		return KMEM_EINVAL;
	for (; nr && !err; nr--, pointer += 8) {
		entry = kmem_map_see(window, kmem_map_le64(pointer),
				     KMEM_LIMINE_ENTRY_BYTES);
		err = entry ? kmem_limine_report(entry, fn, ctx) : KMEM_EINVAL;
	}
	return err;
}

#endif /* KMEM_MAP_LIMINE_H */
