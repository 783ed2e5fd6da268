/* SPDX-License-Identifier: MIT */
/*
 * kmem/debug.h - caches that find overflows, uses after free and leaks.
 *
 * Which caches are debugged, and how, is data: flags of kmem_cache_create(),
 * or a string in kmem_params, which is meant to come from the kernel's command
 * line. What each flag finds, and when:
 *
 *	SLAB_RED_ZONE	   Z  writes beyond either end of an object, found when
 *			      it is freed: at least 64 bytes to the right and
 *			      32 to the left, and with kmalloc() from the very
 *			      byte behind the size that was asked for
 *	SLAB_POISON	   P  writes to a free object, found when it is given out
 *			      again or its slab goes; free objects read as 0x6b
 *			      (the last byte as 0xa5), new ones as 0x5a.
 *			      Objects with a constructor keep their contents.
 *	SLAB_STORE_USER	   U  who allocated and who freed each object: part of
 *			      every report, and tables of callers (leaks)
 *	SLAB_CONSISTENCY_CHECKS
 *			   F  the slab's counts and free list, verified before
 *			      each operation on it
 *	SLAB_TRACE	   T  a line in the log for each allocation and free
 *
 * With one more letter, S, a cache is not debugged, but gets SLAB_TYPE_STABLE.
 *
 * With any of them, two CPUs that free an object at once are told apart, always.
 *
 * What is found goes to hooks.log, with the bytes, and then in one line to
 * kmem_panic(). If that returns, the bytes have been put back, and the operation
 * goes on: a damaged object is freed or given out like any other.
 *
 * A debugged cache has no per-CPU layer: each operation takes a lock and visits
 * the whole object. Other caches don't become slower by a single instruction.
 * ksize() of a kmalloc() block with red zones is what was asked for.
 *
 * The string, as Linux's slab_debug=: lists separated by ';', each of letters
 * (none: FZPU) and then, after a ',', names of caches. The last character of a
 * name may be '*': all that begin so. A list without names is for all caches.
 *
 *	"FZPU"		everything, all caches
 *	"Z,kmalloc-*"	red zones for kmalloc()
 *	"P;-,dentry"	poison all but one
 *	"FZPU,task;O"	O: no Z, P or U where they would raise the order of a
 *			cache's smallest slabs
 *
 * The first list that names a cache is what counts for it, otherwise the last
 * one without names. Flags given to kmem_cache_create() are set in any case.
 * kmem_init() refuses a string that it can't read (KMEM_EINVAL, and the log
 * says where).
 */
#ifndef KMEM_DEBUG_PUBLIC_H
#define KMEM_DEBUG_PUBLIC_H

#include <kmem/stats.h>

/* What fills what. */
#define KMEM_POISON_INUSE	0x5a	/* an object just allocated */
#define KMEM_POISON_FREE	0x6b	/* a free one */
#define KMEM_POISON_END		0xa5	/* and its last byte */
#define KMEM_RED_ACTIVE		0xcc	/* around an object in use */
#define KMEM_RED_INACTIVE	0xbb	/* around a free one */

/* One caller in a table. */
struct kmem_trace {
	const void *caller;	/* NULL: all that did not fit into the table */
	size_t count;		/* objects */
	size_t bytes;		/* as asked for */
	uint64_t first, last;	/* when, of these; see hooks.clock */
};

KMEM_BEGIN_DECLS

/**
 * kmem_cache_validate - look at every object of a debugged cache now
 *
 * Reports what is wrong as it would be when the object is freed or allocated,
 * and repairs it.
 *
 * Context: thread; no other CPU may be using the cache meanwhile.
 * Return: how many objects' red zones or poison were damaged; 0 for a cache
 * that is not debugged.
 * Cost: O(bytes of all its slabs).
 */
size_t kmem_cache_validate(struct kmem_cache *s);

/**
 * kmem_cache_alloc_traces - who has allocated the objects that are in use
 * @s: a cache with SLAB_STORE_USER
 * @table: filled in, most objects first
 * @n: its elements, at least 1. Callers that don't fit share the last one.
 *
 * Context: thread; no other CPU may be using the cache meanwhile.
 * Return: elements filled in; 0 for a cache without SLAB_STORE_USER.
 * Cost: O(objects * n).
 */
size_t kmem_cache_alloc_traces(struct kmem_cache *s, struct kmem_trace *table,
			       size_t n);

/** kmem_cache_free_traces - the same: who freed the objects that are free */
size_t kmem_cache_free_traces(struct kmem_cache *s, struct kmem_trace *table,
			      size_t n);

/**
 * kmem_report_traces - who holds memory: the leak report
 * @out: gets a line for each caller of each cache with SLAB_STORE_USER
 * @ctx: passed to out
 *
 * Context: thread; no other CPU may be using kmem meanwhile.
 */
void kmem_report_traces(kmem_out_fn out, void *ctx);

KMEM_END_DECLS

#endif /* KMEM_DEBUG_PUBLIC_H */
