/* SPDX-License-Identifier: MIT */
/*
 * kmem/obj_info.h - what is this address?
 *
 * For reports of faults, leak finders and debuggers. Nothing is locked, so an
 * answer about memory that others allocate or free meanwhile may be out of
 * date; but any value whatever may be asked about, except an address in memory
 * that kmem_remove_memory() is just taking away.
 */
#ifndef KMEM_OBJ_INFO_H
#define KMEM_OBJ_INFO_H

#include <kmem/cache.h>

/* What an address lies in. */
enum kmem_obj_state {
	KMEM_OBJ_UNKNOWN,	/* no memory that kmem manages */
	KMEM_OBJ_LIVE,		/* an object that somebody has */
	KMEM_OBJ_CACHED,	/* a free object, in a magazine */
	KMEM_OBJ_FREE,		/* a free object, in its slab */
	KMEM_OBJ_REST,		/* what the objects of a slab leave over */
	KMEM_OBJ_LARGE,		/* a block of kmalloc() of whole pages */
	KMEM_OBJ_PAGES,		/* a block of alloc_pages() */
	KMEM_OBJ_FREE_PAGES,	/* a free block of pages */
	KMEM_OBJ_INTERNAL,	/* a table of kmem's own */
};

/* What kmem knows of an address. What does not apply is 0. */
struct kmem_obj_info {
	enum kmem_obj_state state;
	struct kmem_cache *cache;	/* of an object */
	const char *name;		/* of the cache, or of kmem's table */
	void *slab;			/* the first byte of its slab */
	unsigned index;			/* the object's number in the slab */
	void *start;			/* of the object, or of the block */
	size_t size;			/* bytes of it that may be used */
	size_t offset;			/* of the address from start */
};

KMEM_BEGIN_DECLS

/**
 * kmem_obj_lookup - what an address lies in
 * @p: any value
 * @info: filled in; never NULL
 *
 * Context: any, NMI included; kmem runs.
 * Return: whether it lies in something that is allocated: LIVE, LARGE or
 * PAGES.
 * Cost: O(1) in a slab, else O(KMEM_MAX_ORDER).
 */
bool kmem_obj_lookup(const void *p, struct kmem_obj_info *info);

/** kmem_valid_obj - whether p lies in a slab. Context: any. */
bool kmem_valid_obj(const void *p);

/**
 * kmem_dump_obj - log a line that says what p lies in
 *
 * Context: any that hooks.log may be called in.
 * Return: kmem_valid_obj(p); if false, nothing is logged, as in Linux.
 */
bool kmem_dump_obj(const void *p);

KMEM_END_DECLS

#endif /* KMEM_OBJ_INFO_H */
