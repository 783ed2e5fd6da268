/* SPDX-License-Identifier: MIT */
/*
 * kmem/boot_map.h - from what a boot loader or firmware left in memory to
 * kmem_add_region().
 *
 * Each format has a header of its own, kmem/map_<format>.h, which is inline,
 * needs nothing but these types, and is included by whoever boots that way:
 *
 *	#include <kmem/map_fdt.h>
 *	...
 *	if (kmem_map_fdt(blob, room, kmem_map_add, NULL))
 *		panic();
 *
 * Every one of them walks a blob and calls a function for each entry, in the
 * blob's order: kmem_map_add() hands it to kmem; a function of your own may
 * print it, copy it, or leave some out. A blob that is cut off or contradicts
 * itself gives KMEM_EINVAL, and is never read beyond `room` bytes, the memory
 * that the caller knows to be readable from its start on. What was reported
 * before the error was met stays reported.
 */
#ifndef KMEM_BOOT_MAP_H
#define KMEM_BOOT_MAP_H

#include <kmem/boot.h>

/* A range of the map. */
struct kmem_map_entry {
	kmem_phys_t start, size;	/* bytes, physical */
	enum kmem_region_type type;	/* USABLE, RESERVED or LATER */
	int node;			/* or KMEM_NO_NODE */
	const char *what;		/* the format's own word for it; static,
					 * or inside the blob */
};

/* Return: KMEM_OK to go on; anything else ends the walk and is returned. */
typedef int (*kmem_map_fn)(void *ctx, const struct kmem_map_entry *entry);

/** kmem_map_add - a kmem_map_fn: kmem_add_region(). ctx is not used. */
KMEM_INLINE int kmem_map_add(void *ctx, const struct kmem_map_entry *entry)
{
	(void)ctx;
	return kmem_add_region(entry->start, entry->size, entry->type,
			       entry->node);
}

#endif /* KMEM_BOOT_MAP_H */
