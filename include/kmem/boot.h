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
 *	...
 *	kmem_release_type(KMEM_REGION_USABLE, 0);	more is mapped now
 *	kmem_release_type(KMEM_REGION_LATER, 0);	the loader is done with
 *	kmem_release_region(init_start, init_size);	so is the kernel
 *	...
 *	kmem_add_memory(start, size, node);	the machine has grown
 *
 * The map may be given exactly as the firmware gave it: in any order,
 * overlapping, not aligned to pages, with empty entries. A byte is ours if
 * some usable range covers it and no range of another type does; a page is
 * ours if all its bytes are.
 *
 * ## In stages
 *
 * kmem_init() writes descriptors for all memory but touches no memory that is
 * held back, and gives none of it to anybody. There are two kinds:
 *
 *  - what lies beyond params.early_end, the end of what the page tables of the
 *    early boot map. All metadata is placed below. When the kernel has mapped
 *    the rest: kmem_release_type(KMEM_REGION_USABLE, 0).
 *  - KMEM_REGION_LATER: what the boot loader and the firmware left in memory:
 *    tables, this map itself, the stack that the kernel was started on. When
 *    the kernel has copied what it needs, runs on page tables and stacks of
 *    its own, and has done with ACPI's tables (if it got those as LATER):
 *    kmem_release_type(KMEM_REGION_LATER, 0).
 *
 * kmem_release_region() does either for a range of its own choice, and takes
 * reserved memory as well: a kernel's initialisation code, an initial file
 * system that has been unpacked.
 */
#ifndef KMEM_BOOT_H
#define KMEM_BOOT_H

#include <kmem/page.h>

/* What a range of the map is. */
enum kmem_region_type {
	KMEM_REGION_USABLE,	/* ordinary memory, free to use now */
	KMEM_REGION_RESERVED,	/* anything else that must not be used */
	KMEM_REGION_LATER,	/* memory, but in use until it is released:
				 * the boot loader's, for instance */
	KMEM_REGION_NODE,	/* no memory: addresses in it are of `node` */
	KMEM_REGION_BOOT,	/* given by kmem_boot_alloc(): metadata */
};

/* Errors of the calls below. A message goes to params.hooks.log as well. */
enum kmem_error {
	KMEM_OK = 0,
	KMEM_EINVAL = -1,	/* an argument is out of its range */
	KMEM_ENOSPC = -2,	/* KMEM_MAX_REGIONS ranges already */
	KMEM_ENOMEM = -3,	/* no usable page, or too little for metadata */
	KMEM_EBUSY = -4,	/* kmem runs already; pages are in use */
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

	/* End of the memory that kmem_init() may give out; what is usable from
	 * there on is held back for kmem_release_type(). metadata_end is at
	 * most this. 0: there is no such stage. */
	kmem_phys_t early_end;

	/* End of the addresses at which kmem_add_memory() may add memory that
	 * no entry of the map tells of; they begin with the lowest section
	 * that has memory. Costs a pointer a section, and sections of at least
	 * 8 blocks of the highest order. At most direct_map_end counts. 0:
	 * only gaps between memory, within its sections, can be filled. */
	kmem_phys_t hotplug_end;

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

	/* Caches of one size share one, as in Linux: that saves memory where
	 * there are many, each used little. It also loses, among those that
	 * share, the check that an object is freed to its own cache, and who
	 * holds how many. Not where there are no magazines. */
	bool merge_caches;

	/* Don't tell movable and reclaimable pages from others: as where there
	 * is little memory, or KMEM_MOBILITY is 0. */
	bool mix_mobility;

	/* With KMEM_HARDEN: bits that an attacker can't guess, other ones at
	 * each boot, from the firmware or the CPU. 0: there is nothing but
	 * addresses and hooks.clock to make guards of. */
	uint64_t secret;

	/* Copied by kmem_init(). May be NULL. */
	const struct kmem_hooks *hooks;
};

#define KMEM_NO_ZONE	(~(kmem_phys_t)0)

/*
 * Where every usable byte went. The identity that holds, to the byte:
 *
 *	usable == managed + held + metadata + rounding + unreachable
 *
 * at the end of kmem_init(), and after each release, addition and removal.
 */
struct kmem_boot_info {
	kmem_phys_t usable;	/* bytes that only usable ranges cover, now or
				 * later, and others that were released */
	kmem_phys_t managed;	/* handed to the zones */
	kmem_phys_t held;	/* whole pages that wait for their release */
	kmem_phys_t metadata;	/* descriptors, tables, per-CPU areas and
				 * whatever kmem_boot_alloc() gave */
	kmem_phys_t rounding;	/* parts of pages at the ends of ranges, and
				 * a page whose address would be NULL */
	kmem_phys_t unreachable;/* beyond direct_map_end */

	uint64_t usable_pages;	/* whole pages, before metadata */
	unsigned usable_runs;	/* maximal runs of such pages; both as the map
				 * had them */

	kmem_phys_t descriptors; /* part of metadata */
	kmem_phys_t section_table;
	kmem_phys_t per_cpu;	/* and node structures */
	kmem_phys_t early;	/* given by kmem_boot_alloc() */

	unsigned nr_regions;	/* entries given */
	unsigned nr_nodes;	/* nodes with memory, now or later */
};

KMEM_BEGIN_DECLS

/**
 * kmem_add_region - tell kmem of one entry of the memory map
 * @start: first byte, physical
 * @size: bytes; 0 is accepted and ignored
 * @type: USABLE, RESERVED, LATER or NODE
 * @node: NUMA node, 0 .. KMEM_MAX_NODES - 1, or KMEM_NO_NODE if not known
 *
 * Context: boot, one CPU.
 * Return: KMEM_OK; KMEM_EINVAL if the range wraps around the end of the
 * address space or type or node is out of range; KMEM_ENOSPC; KMEM_EBUSY
 * after kmem_init().
 */
int kmem_add_region(kmem_phys_t start, kmem_phys_t size,
		    enum kmem_region_type type, int node);

/** kmem_reserve - kmem_add_region(start, size, KMEM_REGION_RESERVED, none). Page
 * by page, upwards, is one entry of the map. */
int kmem_reserve(kmem_phys_t start, kmem_phys_t size);

/**
 * kmem_boot_alloc - take memory before kmem_init()
 * @size: bytes, at least 1
 * @align: bytes, a power of two
 * @end: exclusive physical limit, or 0 for none
 *
 * Takes from the top of the highest usable range that fits, never from memory
 * that is given as LATER. What it gave stays reserved for good, is counted as
 * metadata, and can't be released. The memory is not touched.
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
 * the free lists, and creates the kmalloc caches. All that it writes lies below
 * params.metadata_end and params.early_end.
 *
 * Context: boot, one CPU.
 * Return: KMEM_OK; KMEM_EINVAL for parameters out of range; KMEM_ENOMEM if
 * the map has no usable page, too little memory for the metadata, or so many
 * ranges that kmem's own tables find no room among them (the log says what
 * was found); KMEM_EBUSY if kmem runs already.
 * Cost: O(descriptors) memory writes; one operation on the free lists for
 * each block of the highest order, a write among the 2^KMEM_MAX_ORDER of its
 * descriptors, and at most 2 * KMEM_MAX_ORDER more for each run of memory;
 * O(regions^2) for each piece of memory that has descriptors of its own.
 */
int kmem_init(const struct kmem_params *params);

/** kmem_boot_info - the accounting of the last kmem_init(), brought up to date
 * by every call below */
const struct kmem_boot_info *kmem_boot_info(void);

/**
 * kmem_release_region - give kmem pages that were held back or reserved
 * @start: physical, a multiple of the page size
 * @size: bytes, a multiple of the page size; 0 does nothing
 *
 * All of the pages or, after an error, none. They may be of any kind that an
 * entry of the map covers; where the map says RESERVED, the caller answers for
 * there being memory. The memory is not touched, except where a section has no
 * descriptors because all of it was reserved: then it gets them at the start
 * of what is released of it.
 *
 * Context: thread, after kmem_init(), any CPU, others may be using kmem.
 * Preemption is off meanwhile, interrupts are not.
 * Return: KMEM_OK; KMEM_EBUSY if a page is managed already (released before,
 * or never held back); KMEM_EINVAL if a page holds metadata or what
 * kmem_boot_alloc() gave, is out of the direct map's reach, is in no entry of
 * the map, was taken away by kmem_remove_memory(), is on a node without memory,
 * or is too little for the descriptors that its section lacks; or before
 * kmem_init().
 * Cost: O(pages) writes of descriptors; the zone's lock is taken for a block
 * at a time.
 */
int kmem_release_region(kmem_phys_t start, kmem_phys_t size);

/**
 * kmem_release_type - give kmem all that is held back of one type
 * @type: KMEM_REGION_USABLE: what lies beyond params.early_end;
 *	  KMEM_REGION_LATER: what was given as that
 * @end: exclusive physical limit, for a mapping that grows bit by bit; 0: none
 *
 * Pages that have been released before, one by one or by an earlier call, are
 * left alone, and so is everything that is reserved.
 *
 * Context: as kmem_release_region().
 * Return: KMEM_OK; KMEM_EINVAL for another type, or before kmem_init().
 * Cost: as kmem_release_region(), and O(regions^2).
 */
int kmem_release_type(enum kmem_region_type type, kmem_phys_t end);

/**
 * kmem_add_memory - the machine has got more memory
 * @start: physical, a multiple of the page size, below params.hotplug_end
 * @size: bytes, a multiple of the page size; 0 does nothing
 * @node: one that kmem_init() found memory on; KMEM_NO_NODE: as the map's NODE
 *	  ranges say, else 0
 *
 * All of it or, after an error, nothing. Sections that have no descriptors yet
 * keep them at their start, in the added memory itself: 1.6 %, counted as
 * metadata; so that part is touched. What was removed before may be added
 * again.
 *
 * Context: as kmem_release_region().
 * Return: KMEM_OK; KMEM_EBUSY if a page of it is memory that the map tells of,
 * or was added before; KMEM_EINVAL if it lies outside of the section table or
 * of the direct map, if there is no such node, or if its part of a section is
 * too small to hold the descriptors of that; or before kmem_init().
 * Cost: O(pages); the zone's lock is taken for a block at a time.
 */
int kmem_add_memory(kmem_phys_t start, kmem_phys_t size, int node);

/**
 * kmem_remove_memory - memory will go away
 * @start, @size: as for kmem_add_memory(); any managed memory, not only what
 *	  was added
 *
 * All of it or, after an error, nothing. Empties all caches and magazines as
 * far as other CPUs can be reached (hooks.run_on_cpu). Descriptors that a
 * section holds itself go with it, when nothing else of that section is left;
 * so a range that was added can be removed. Afterwards the memory is not
 * touched any more.
 *
 * Context: as kmem_release_region(); no pointer into it may be in use, nor to
 * a struct page of it, which is not to be looked up meanwhile by virt_to_page()
 * or pfn_to_page() either. kmem's own walks, kmem_cache_walk() and those of
 * statistics among them, may be under way.
 * Return: KMEM_OK; KMEM_EBUSY if a page is not free (kmem's own magazines and
 * cache descriptors may lie anywhere), or holds descriptors that are still
 * needed; KMEM_EINVAL if a page is not managed; or before
 * kmem_init().
 * Cost: O(pages); the zone's lock is taken for a block at a time.
 */
int kmem_remove_memory(kmem_phys_t start, kmem_phys_t size);

/**
 * kmem_reset - forget the map and everything allocated from it
 *
 * For tests, which start more than one machine in one process.
 * Context: nobody uses kmem, no other CPU runs.
 */
void kmem_reset(void);

KMEM_END_DECLS

#endif /* KMEM_BOOT_H */
