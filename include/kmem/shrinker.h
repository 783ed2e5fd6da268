/* SPDX-License-Identifier: MIT */
/*
 * kmem/shrinker.h - those who keep what they could do without, and give it up
 * when memory is short. Names and meanings are Linux's.
 *
 *	static unsigned long my_count(struct shrinker *s,
 *				      struct shrink_control *sc);
 *	static unsigned long my_scan(struct shrinker *s,
 *				     struct shrink_control *sc);
 *
 *	struct shrinker *s = shrinker_alloc(0, "my-cache");
 *
 *	s->count_objects = my_count;
 *	s->scan_objects = my_scan;
 *	shrinker_register(s);
 *	...
 *	shrinker_free(s);
 */
#ifndef KMEM_SHRINKER_H
#define KMEM_SHRINKER_H

#include <kmem/page.h>

/* What a shrinker is asked for. */
struct shrink_control {
	gfp_t gfp_mask;			/* of the request: without __GFP_FS,
					 * enter no file system */
	int nid;			/* node, with SHRINKER_NUMA_AWARE */
	unsigned long nr_to_scan;	/* objects to look at */
	unsigned long nr_scanned;	/* set to nr_to_scan; scan may say
					 * how many it really looked at */
};

/* scan_objects: I can't now; and count_objects: there is none at all. */
#define SHRINK_STOP		(~0UL)
#define SHRINK_EMPTY		(~0UL - 1)

/* Trips it takes to make an object again, for shrinker->seeks. */
#define DEFAULT_SEEKS		2

/* For shrinker_alloc(). */
#define SHRINKER_NUMA_AWARE	0x1u	/* called for each node */

/* One of them; what its owner fills in between alloc and register. */
struct shrinker {
	/*
	 * count_objects: how many could be freed. scan_objects: look at
	 * sc->nr_to_scan of them and free those that are not in use; return
	 * how many were freed. Both in the context of an allocation with
	 * __GFP_DIRECT_RECLAIM, with no lock of kmem's held; may sleep, and
	 * may call kmem, allocations with __GFP_DIRECT_RECLAIM included: a
	 * shrinker that runs is not called again, from inside or by others.
	 */
	unsigned long (*count_objects)(struct shrinker *s,
				       struct shrink_control *sc);
	unsigned long (*scan_objects)(struct shrinker *s,
				      struct shrink_control *sc);
	long batch;			/* objects a call; 0: 128 */
	int seeks;			/* the more, the less it is asked for;
					 * 0: half of all each time */
	void *private_data;		/* the owner's */

	/* kmem's own */
	unsigned flags;
	bool registered, running;
	struct kmem_list list;
	unsigned long deferred;		/* asked for, but less than a batch */
	char name[KMEM_NAME_BYTES];
};

KMEM_BEGIN_DECLS

/**
 * shrinker_alloc - a shrinker, not registered; seeks is DEFAULT_SEEKS
 * @flags: SHRINKER_*
 * @fmt: its name, for reports, as for printf
 *
 * Context: thread. Return: NULL if there is no memory.
 */
struct shrinker *shrinker_alloc(unsigned flags, const char *fmt, ...)
	KMEM_PRINTF(2, 3) KMEM_MUST_CHECK;

/**
 * shrinker_register - from now on, have it called when memory is short
 *
 * Context: thread.
 * Misuse: one that is registered, or has not both functions, is reported
 * through kmem_panic() and not registered.
 */
void shrinker_register(struct shrinker *s);

/**
 * shrinker_free - no more calls, and free it; NULL does nothing
 *
 * When it returns, neither function is running. If one is, this waits: asleep
 * in the wait hook, or spinning where there is none.
 * Context: thread; not in the shrinker's own functions, which would wait for
 * themselves.
 */
void shrinker_free(struct shrinker *s);

KMEM_END_DECLS

#endif /* KMEM_SHRINKER_H */
