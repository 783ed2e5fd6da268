/* SPDX-License-Identifier: MIT */
/*
 * kmem/cache.h - caches of objects of one size.
 *
 * Context of alloc and free: any, NMI excepted; an allocation with
 * __GFP_DIRECT_RECLAIM (GFP_KERNEL) may sleep in the hooks. Of create,
 * destroy and shrink: thread.
 */
#ifndef KMEM_CACHE_H
#define KMEM_CACHE_H

#include <kmem/page.h>

/* SLAB_* */
typedef unsigned int slab_flags_t;

#define SLAB_HWCACHE_ALIGN	((slab_flags_t)0x01) /* to KMEM_CACHE_LINE */
#define SLAB_PANIC		((slab_flags_t)0x02) /* create can't fail */
#define SLAB_CACHE_DMA		((slab_flags_t)0x04) /* pages of zone DMA */
#define SLAB_CACHE_DMA32	((slab_flags_t)0x08) /* pages of zone DMA32 */
#define SLAB_RECLAIM_ACCOUNT	((slab_flags_t)0x10) /* a shrinker frees it */
#define SLAB_ACCOUNT		((slab_flags_t)0x20) /* accepted, no effect */
#define SLAB_NO_MERGE		((slab_flags_t)0x40) /* never shared with
						      * another cache */
#define SLAB_TYPESAFE_BY_RCU	((slab_flags_t)0x80) /* pages of its slabs are
					* given back after a grace period
					* only: readers under RCU find objects
					* of that type, though not always the
					* same one. Refused without the hook
					* call_rcu; no zeroed objects. */

#define SLAB_TYPE_STABLE	((slab_flags_t)0x2000) /* kmem's own: pages of
					* its slabs are given back when it is
					* destroyed, and not before, so that no
					* stale pointer to one of its objects
					* leads to what is of another cache.
					* They are lost to all else meanwhile.
					* Refused without magazines. */

/* Debugging: what they do is in kmem/debug.h. Refused if there is no
 * KMEM_REPORT_TEXT. */
#define SLAB_CONSISTENCY_CHECKS	((slab_flags_t)0x100)
#define SLAB_RED_ZONE		((slab_flags_t)0x200)
#define SLAB_POISON		((slab_flags_t)0x400)
#define SLAB_STORE_USER		((slab_flags_t)0x800)
#define SLAB_TRACE		((slab_flags_t)0x1000)
#define SLAB_DEBUG_FLAGS	((slab_flags_t)0x1f00)

/* Objects that live briefly count as reclaimable, as Linux has it. */
#define SLAB_TEMPORARY		SLAB_RECLAIM_ACCOUNT
/* Of tools that kmem has not: accepted, no effect. */
#define SLAB_NOLEAKTRACE	((slab_flags_t)0)
#define SLAB_FAILSLAB		((slab_flags_t)0)
#define SLAB_DEBUG_OBJECTS	((slab_flags_t)0)
#define SLAB_KASAN		((slab_flags_t)0)
#define SLAB_NO_USER_FLAGS	((slab_flags_t)0)

/* Largest object of a cache: one fills a slab of the highest order. */
#define KMEM_CACHE_MAX_SIZE	(KMEM_PAGE_SIZE << KMEM_SLAB_MAX_ORDER)

/* What kmalloc(0) returns: not NULL, and not to be dereferenced. */
#define ZERO_SIZE_PTR		((void *)16)
#define ZERO_OR_NULL_PTR(p)	((uintptr_t)(p) <= (uintptr_t)ZERO_SIZE_PTR)

struct kmem_cache;

/*
 * What a cache may be told beside its name, size and flags; all 0 is the
 * default.
 */
struct kmem_cache_args {
	unsigned align;			/* a power of two up to KMEM_PAGE_SIZE,
					 * or the size; 0: that of a pointer */

	/* Bytes of each object that may be copied to and from user space. Must
	 * lie in the object; nothing else is done with them: kmem copies
	 * nothing to user space. */
	unsigned useroffset, usersize;

	/* Where in a free object the allocator may keep a pointer, if
	 * use_freeptr_offset is set. Must lie in the object, aligned; kmem
	 * keeps nothing there, nor anywhere else in a free object. */
	unsigned freeptr_offset;
	bool use_freeptr_offset;

	void (*ctor)(void *obj);	/* as for kmem_cache_create() */

	/* Objects in a CPU's magazine, however large they are; at most
	 * KMEM_MAGAZINE_ROUNDS. 0: as many as fit KMEM_MAGAZINE_BYTES. */
	unsigned sheaf_capacity;
};

KMEM_BEGIN_DECLS

/**
 * kmem_cache_create - make a cache: the form with five arguments
 * @name: shown in reports; copied; less than KMEM_NAME_BYTES printable
 *	characters, no space, and no other cache's name
 * @size: bytes of an object, 1 .. KMEM_CACHE_MAX_SIZE
 * @align: a power of two up to KMEM_PAGE_SIZE, or as large as the size; 0: that
 *	of a pointer
 * @flags: SLAB_*; an unknown bit is refused
 * @ctor: called for each object when a slab is made, in the context of the
 *	allocation that needs it, not for each allocation; may be NULL.
 *	Objects must be freed in the state that it leaves them in.
 *
 * Return: the cache, or NULL (a reason is logged; SLAB_PANIC: kmem_panic()).
 */
struct kmem_cache *kmem_cache_create(const char *name, size_t size,
				     size_t align, slab_flags_t flags,
				     void (*ctor)(void *));

/**
 * __kmem_cache_create_args - make a cache: the form with a structure
 * @name: as for kmem_cache_create()
 * @size: the same
 * @args: the rest; NULL counts as all 0
 * @flags: SLAB_*
 *
 * Context: thread; may sleep.
 * Return: the cache, or NULL (a reason is logged; SLAB_PANIC: kmem_panic()).
 */
struct kmem_cache *__kmem_cache_create_args(const char *name, size_t size,
					    const struct kmem_cache_args *args,
					    slab_flags_t flags);

/**
 * kmem_cache_create_usercopy - kmem_cache_create(), with the part of an object
 * that may be copied to user space
 *
 * Return: the cache, or NULL (a reason is logged; SLAB_PANIC: kmem_panic()).
 */
struct kmem_cache *kmem_cache_create_usercopy(const char *name, size_t size,
					      size_t align, slab_flags_t flags,
					      size_t useroffset,
					      size_t usersize,
					      void (*ctor)(void *));

/** KMEM_CACHE - a cache for a struct, named after it */
#define KMEM_CACHE(__struct, __flags) \
	kmem_cache_create(#__struct, sizeof(struct __struct), \
			  __alignof__(struct __struct), (__flags), NULL)

/** KMEM_CACHE_USERCOPY - the same; one of its members may be copied to user
 * space */
#define KMEM_CACHE_USERCOPY(__struct, __flags, __field) \
	kmem_cache_create_usercopy(#__struct, sizeof(struct __struct), \
				   __alignof__(struct __struct), (__flags), \
				   offsetof(struct __struct, __field), \
				   sizeof(((struct __struct *)0)->__field), \
				   NULL)

/**
 * kmem_cache_destroy - end a cache; NULL does nothing
 *
 * Of a cache that several share (params.merge_caches) only the last destroy
 * ends it; those before report nothing.
 *
 * Nobody may be using the cache any more: magazines of all CPUs are emptied
 * from here. Waits for objects that were given to kfree_rcu() and, with
 * SLAB_TYPESAFE_BY_RCU, for readers (hook rcu_barrier; without it, and if there
 * is something to wait for, the cache is kept and that is reported).
 *
 * Context: thread; may sleep in that hook.
 * Misuse: objects that are still allocated are each reported through
 * kmem_panic(), and the cache is kept (leaked), its memory untouched.
 */
void kmem_cache_destroy(struct kmem_cache *s);

/**
 * kmem_cache_alloc - allocate an object
 *
 * Return: an object, or NULL if there is no memory.
 * Cost: O(1) from the CPU's magazine, no lock and no atomic operation.
 */
void *kmem_cache_alloc(struct kmem_cache *s, gfp_t gfp)
	KMEM_MALLOC KMEM_MUST_CHECK;

/**
 * kmem_cache_alloc_node - allocate an object in the memory of a node
 * @s: the cache
 * @gfp: flags of <kmem/gfp.h>
 * @node: its number, or KMEM_NO_NODE: as kmem_cache_alloc()
 *
 * As long as the node has a free object of this cache in its slabs, or a page
 * for one more slab, the object is of that node. After that it is of the
 * nearest one that has memory; with __GFP_THISNODE the call fails. A node that
 * is not there counts as one without memory.
 *
 * Return: an object, or NULL if there is no memory.
 * Cost: as kmem_cache_alloc() for the CPU's own node; else O(1) under the lock
 * of that node's slabs.
 */
void *kmem_cache_alloc_node(struct kmem_cache *s, gfp_t gfp, int node)
	KMEM_MALLOC KMEM_MUST_CHECK;

/** kmem_cache_zalloc - kmem_cache_alloc(), zeroed. Not with a constructor; with
 * SLAB_TYPESAFE_BY_RCU it is reported, and NULL returned. */
void *kmem_cache_zalloc(struct kmem_cache *s, gfp_t gfp)
	KMEM_MALLOC KMEM_MUST_CHECK;

struct list_lru;

/** kmem_cache_alloc_lru - kmem_cache_alloc(): kmem charges nobody, and does not
 * look at `lru`. */
#define kmem_cache_alloc_lru(s, lru, gfp) \
	((void)(lru), kmem_cache_alloc((s), (gfp)))

/**
 * kmem_cache_free - give an object back; NULL does nothing
 *
 * Misuse: a free object, a pointer into the middle of one, one of another
 * cache or of no cache are reported through kmem_panic(), and nothing is
 * freed.
 * Cost: as kmem_cache_alloc().
 */
void kmem_cache_free(struct kmem_cache *s, void *obj);

/**
 * kmem_cache_alloc_bulk - allocate n objects, all or none
 * @s: the cache
 * @gfp: flags of <kmem/gfp.h>
 * @n: how many
 * @objs: filled in
 *
 * Return: n, or 0 on failure (then nothing was allocated). With n 0: 0.
 */
size_t kmem_cache_alloc_bulk(struct kmem_cache *s, gfp_t gfp, size_t n,
			     void **objs) KMEM_MUST_CHECK;

/** kmem_cache_free_bulk - free n objects of one cache; s NULL: of any, and
 * blocks of kmalloc() */
void kmem_cache_free_bulk(struct kmem_cache *s, size_t n, void **objs);

/**
 * kmem_cache_shrink - give empty slabs back to the page allocator
 *
 * Empties this CPU's magazines and the depot first (with the run_on_cpu hook:
 * every CPU's).
 * Return: 0 if no slab remains, 1 otherwise.
 */
int kmem_cache_shrink(struct kmem_cache *s);

/** kmem_cache_size - bytes of an object, as given to kmem_cache_create(); the
 * most of those that share the cache */
size_t kmem_cache_size(const struct kmem_cache *s);

/** kmem_cache_name - its name; if it is shared, that of whoever came first */
const char *kmem_cache_name(const struct kmem_cache *s);

/**
 * kmem_cache_walk - call fn for every allocated object, until it returns false
 * @s: the cache
 * @fn: gets an object and `arg`
 * @arg: passed to fn
 *
 * Other CPUs may go on: an object that is allocated all the while is seen
 * exactly once; one that is allocated or freed meanwhile is seen once or not
 * at all. Even if its owner is just freeing it, it is memory of this cache
 * while fn looks at it.
 *
 * fn is called with interrupts masked and a lock of the cache held: it may
 * read and write the object, but must neither sleep nor call kmem. The lock is
 * held for the objects of one slab at a time.
 *
 * Context: any, NMI excepted. Nobody destroys the cache meanwhile.
 * Return: false if fn did.
 * Cost: O(pages of all memory + objects of the cache).
 */
bool kmem_cache_walk(struct kmem_cache *s, bool (*fn)(void *obj, void *arg),
		     void *arg);

KMEM_END_DECLS

/*
 * Both forms by one name: the third argument decides.
 *
 *	kmem_cache_create("a", 100, 8, SLAB_PANIC, ctor);
 *	kmem_cache_create("b", 100, &args, SLAB_PANIC);
 *	kmem_cache_create("c", 100, NULL, SLAB_PANIC);
 */
#ifdef __cplusplus
inline struct kmem_cache *kmem_cache_create(const char *name, size_t size,
					    const struct kmem_cache_args *args,
					    slab_flags_t flags)
{
	return __kmem_cache_create_args(name, size, args, flags);
}
#else
#define kmem_cache_create(name, size, args_or_align, ...) \
	_Generic((args_or_align), \
		 const struct kmem_cache_args *: __kmem_cache_create_args, \
		 struct kmem_cache_args *: __kmem_cache_create_args, \
		 void *: __kmem_cache_create_args, \
		 default: kmem_cache_create)(name, size, args_or_align, \
					     __VA_ARGS__)
#endif

#endif /* KMEM_CACHE_H */
