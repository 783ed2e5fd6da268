/* SPDX-License-Identifier: MIT */
/*
 * kmem/boot.h - from the firmware's memory map to a running allocator.
 *
 * The order of calls, all on one CPU, before any other use of kmem:
 *
 *	kmem_add_region(0x0, 0x9fc00, KMEM_REGION_USABLE, KMEM_NO_NODE);
 *	...					one call a map entry
 *	kmem_reserve(kernel_start, kernel_size);
 *	p = kmem_boot_alloc(size, align);	if something is needed early
 *	kmem_init(&params);			from here on: kmalloc() & co.
 *
 * The map may be given exactly as the firmware gave it: in any order,
 * overlapping, not aligned to pages, with empty entries. A byte is ours if
 * some usable range covers it and no range of another type does; a page is
 * ours if all its bytes are.
 */
#ifndef KMEM_BOOT_H
#define KMEM_BOOT_H

#include <kmem/page.h>

/* What a range of the map is. */
enum kmem_region_type {
	KMEM_REGION_USABLE,	/* ordinary memory, free to use now */
	KMEM_REGION_RESERVED,	/* anything else that must not be used */
	KMEM_REGION_NODE,	/* no memory: addresses in it are of `node` */
	KMEM_REGION_BOOT,	/* given by kmem_boot_alloc(): metadata */
};

/* Errors of the calls below. A message goes to params.hooks.log as well. */
enum kmem_error {
	KMEM_OK = 0,
	KMEM_EINVAL = -1,	/* an argument is out of its range */
	KMEM_ENOSPC = -2,	/* KMEM_MAX_REGIONS ranges already */
	KMEM_ENOMEM = -3,	/* no usable page, or too little for metadata */
	KMEM_EBUSY = -4,	/* kmem runs already */
};

/* What kmem_init() is told; all 0 is the default. */
struct kmem_params {
	unsigned nr_cpus;	/* 1 .. KMEM_MAX_CPUS; 0 counts as 1 */

	/* virtual = physical + virt_offset, modulo 2^64; a multiple of the
	 * page size. Blocks are aligned to their size physically, and so
	 * virtually if this is a multiple of the largest block. */
	uint64_t virt_offset;

	/* End (exclusive, physical) of what the direct map reaches, 0: all
	 * that pointers can tell apart. */
	kmem_phys_t direct_map_end;

	/* End of what may hold metadata, e.g. of the early page tables; 0:
	 * all that the direct map reaches. */
	kmem_phys_t metadata_end;

	/* Ends of the zones DMA and DMA32. 0: the architecture's default;
	 * KMEM_NO_ZONE: no such zone. */
	kmem_phys_t dma_end, dma32_end;

	/* All memory of the map reads as zero. Then the descriptors of each
	 * zone's longest piece are written when their pages are first needed,
	 * not by kmem_init(): for one piece, start-up takes no time and no
	 * memory that depends on its size. */
	bool zeroed;

	/* Which caches are debugged, and how (kmem/debug.h): "FZPU,task;Z".
	 * NULL: none but those created so; "": all, FZPU. Not copied: it must
	 * stay where it is. */
	const char *debug;

	/* Copied by kmem_init(). May be NULL. */
	const struct kmem_hooks *hooks;
};

#define KMEM_NO_ZONE	(~(kmem_phys_t)0)

/*
 * Where every usable byte went. The identity that holds, to the byte:
 *
 *	usable == managed + metadata + rounding + unreachable
 */
struct kmem_boot_info {
	kmem_phys_t usable;	/* bytes that only usable ranges cover */
	kmem_phys_t managed;	/* handed to the zones */
	kmem_phys_t metadata;	/* descriptors, tables, per-CPU areas and
				 * whatever kmem_boot_alloc() gave */
	kmem_phys_t rounding;	/* parts of pages at the ends of ranges, and
				 * a page whose address would be NULL */
	kmem_phys_t unreachable;/* beyond direct_map_end */

	uint64_t usable_pages;	/* whole pages, before metadata */
	unsigned usable_runs;	/* maximal runs of such pages */

	kmem_phys_t descriptors; /* part of metadata */
	kmem_phys_t section_table;
	kmem_phys_t per_cpu;	/* and node structures */
	kmem_phys_t early;	/* given by kmem_boot_alloc() */

	unsigned nr_regions;	/* entries given */
	unsigned nr_nodes;	/* nodes with memory */
};

KMEM_BEGIN_DECLS

/**
 * kmem_add_region - tell kmem of one entry of the memory map
 * @start: first byte, physical
 * @size: bytes; 0 is accepted and ignored
 * @type: USABLE, RESERVED or NODE
 * @node: NUMA node, 0 .. KMEM_MAX_NODES - 1, or KMEM_NO_NODE if not known
 *
 * Context: boot, one CPU.
 * Return: KMEM_OK; KMEM_EINVAL if the range wraps around the end of the
 * address space or type or node is out of range; KMEM_ENOSPC; KMEM_EBUSY
 * after kmem_init().
 */
int kmem_add_region(kmem_phys_t start, kmem_phys_t size,
		    enum kmem_region_type type, int node);

/** kmem_reserve - kmem_add_region(start, size, KMEM_REGION_RESERVED, none) */
int kmem_reserve(kmem_phys_t start, kmem_phys_t size);

/**
 * kmem_boot_alloc - take memory before kmem_init()
 * @size: bytes, at least 1
 * @align: bytes, a power of two
 * @end: exclusive physical limit, or 0 for none
 *
 * Takes from the top of the highest usable range that fits. What it gave
 * stays reserved for good and is counted as metadata. The memory is not
 * touched.
 *
 * Context: boot, after the map is complete, before kmem_init().
 * Return: the physical address, or 0 if nothing fits.
 * Cost: O(regions^2).
 */
kmem_phys_t kmem_boot_alloc(kmem_phys_t size, kmem_phys_t align,
			    kmem_phys_t end);

/**
 * kmem_boot_plan - what kmem_init() would do, without touching any memory
 * @params: as for kmem_init()
 * @info: filled in; never NULL
 *
 * Works for any map, however much memory it describes; leaves the map as it
 * was.
 *
 * Return: what kmem_init() would return, unless only a handful of pages is
 * left, too few for its caches.
 */
int kmem_boot_plan(const struct kmem_params *params,
		   struct kmem_boot_info *info);

/**
 * kmem_init - place the metadata, hand the rest to the zones, start up
 *
 * Zeroes and initialises one descriptor for each page (64 bytes each), builds
 * the free lists, and creates the kmalloc caches.
 *
 * Context: boot, one CPU.
 * Return: KMEM_OK; KMEM_EINVAL for parameters out of range; KMEM_ENOMEM if
 * the map has no usable page, too little memory for the metadata, or so many
 * ranges that kmem's own tables find no room among them (the log says what
 * was found); KMEM_EBUSY if kmem runs already.
 * Cost: O(descriptors) memory writes, and O(regions^2) for each piece of
 * memory that has descriptors of its own.
 */
int kmem_init(const struct kmem_params *params);

/** kmem_boot_info - the accounting of the last kmem_init() */
const struct kmem_boot_info *kmem_boot_info(void);

/**
 * kmem_reset - forget the map and everything allocated from it
 *
 * For tests, which start more than one machine in one process.
 * Context: nobody uses kmem, no other CPU runs.
 */
void kmem_reset(void);

KMEM_END_DECLS

#endif /* KMEM_BOOT_H */
