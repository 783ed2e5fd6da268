/* SPDX-License-Identifier: MIT */
/*
 * kmem/gfp.h - how an allocation may be satisfied ("get free pages" flags).
 *
 * Names and meanings are Linux's; the numeric values are not, and must not be
 * relied on.
 *
 * Which set a caller passes depends on where it is:
 *
 *	thread, may sleep	GFP_KERNEL; inside a block device GFP_NOIO,
 *				inside a file system GFP_NOFS
 *	for user space		GFP_USER, GFP_HIGHUSER_MOVABLE
 *	interrupt, spinlock	GFP_ATOMIC, or GFP_NOWAIT if there is a second
 *				choice
 *
 * A request with __GFP_DIRECT_RECLAIM may sleep. Where it must not, the hook
 * in_atomic says so, and the call is reported (port.h).
 */
#ifndef KMEM_GFP_H
#define KMEM_GFP_H

#include <kmem/config.h>

/* How to get memory: any of the __GFP_ flags, or one of the sets below. */
typedef unsigned int gfp_t;

/*
 * Zone modifiers: the highest zone allowed. None: any zone. As in Linux they
 * are among the lowest four bits, which code that keeps a gfp_t in a word of
 * its own (radix trees do) reuses; so nothing else is there.
 */
#define __GFP_DMA		((gfp_t)0x01)	/* below params.dma_end */
#define __GFP_HIGHMEM		((gfp_t)0x02)	/* all memory is mapped */
#define __GFP_DMA32		((gfp_t)0x04)	/* below params.dma32_end */
#define __GFP_MOVABLE		((gfp_t)0x08)	/* its user can move it */
#define KMEM_GFP_ZONEMASK	(__GFP_DMA | __GFP_DMA32)
#define GFP_ZONEMASK		((gfp_t)0x0f)

/* What the block is for (mobility.h). */
#define __GFP_RECLAIMABLE	((gfp_t)0x10)	/* a shrinker can free it */
#define KMEM_GFP_MOBILITYMASK	(__GFP_MOVABLE | __GFP_RECLAIMABLE)

/* Behaviour. */
#define __GFP_DIRECT_RECLAIM	((gfp_t)0x20)	/* may sleep, may call hooks */
#define __GFP_ZERO		((gfp_t)0x40)	/* memory reads as zero */
#define __GFP_ACCOUNT		((gfp_t)0x80)	/* accepted, no effect yet */
#define __GFP_NOFAIL		((gfp_t)0x100)	/* wait until it succeeds */
#define __GFP_HIGH		((gfp_t)0x200)	/* may use half the reserve */
#define __GFP_ATOMIC		((gfp_t)0x400)	/* and half of the rest */
#define __GFP_NORETRY		((gfp_t)0x800)	/* reclaim once, then fail */
#define __GFP_IO		((gfp_t)0x1000)	/* reclaim may start I/O */
#define __GFP_FS		((gfp_t)0x2000)	/* reclaim may enter a fs */
#define __GFP_NOWARN		((gfp_t)0x4000)	/* failure is not logged */
#define __GFP_THISNODE		((gfp_t)0x8000)	/* this node or none */
#define __GFP_COMP		((gfp_t)0x10000) /* accepted: all blocks are */
#define __GFP_RETRY_MAYFAIL	((gfp_t)0x20000) /* no out-of-memory hook */
#define __GFP_MEMALLOC		((gfp_t)0x40000) /* all of the reserve: it is
						  * for freeing memory */
#define __GFP_NOMEMALLOC	((gfp_t)0x80000) /* not all, even if MEMALLOC
						  * says so */

/* Flags are below 1 << this. */
#define __GFP_BITS_SHIFT	20
#define __GFP_BITS_MASK		((gfp_t)((1u << __GFP_BITS_SHIFT) - 1))

/* From there on, what is left over of kmalloc()'s class: how many bytes more
 * it has than were asked for, for caches with red zones. */
#define KMEM_GFP_LEFT_SHIFT	__GFP_BITS_SHIFT
#define KMEM_GFP_LEFT_MAX	((size_t)0xfff)

/* Accepted, and nothing to do about: there is no kswapd, and no such thing in
 * kmem as a cpuset, a dirty page, a tag, KASAN or lockdep. */
#define __GFP_KSWAPD_RECLAIM	((gfp_t)0)
#define __GFP_HARDWALL		((gfp_t)0)
#define __GFP_WRITE		((gfp_t)0)
#define __GFP_ZEROTAGS		((gfp_t)0)
#define __GFP_SKIP_ZERO		((gfp_t)0)
#define __GFP_SKIP_KASAN	((gfp_t)0)
#define __GFP_NOLOCKDEP		((gfp_t)0)
#define __GFP_NO_OBJ_EXT	((gfp_t)0)
#define __GFP_COLD		((gfp_t)0)	/* of older Linuxes */
#define __GFP_NOTRACK		((gfp_t)0)

#define __GFP_RECLAIM	(__GFP_DIRECT_RECLAIM | __GFP_KSWAPD_RECLAIM)

/* What callers pass. */
#define GFP_KERNEL	(__GFP_RECLAIM | __GFP_IO | __GFP_FS)
#define GFP_ATOMIC	(__GFP_HIGH | __GFP_ATOMIC | __GFP_KSWAPD_RECLAIM)
/* any context, no reserve; may well fail, and says nothing then */
#define GFP_NOWAIT	(__GFP_KSWAPD_RECLAIM | __GFP_NOWARN)
#define GFP_NOIO	(__GFP_RECLAIM)
#define GFP_NOFS	(__GFP_RECLAIM | __GFP_IO)
#define GFP_USER	(GFP_KERNEL | __GFP_HARDWALL)
#define GFP_KERNEL_ACCOUNT (GFP_KERNEL | __GFP_ACCOUNT)
#define GFP_DMA		__GFP_DMA
#define GFP_DMA32	__GFP_DMA32
#define GFP_HIGHUSER	(GFP_USER | __GFP_HIGHMEM)
#define GFP_HIGHUSER_MOVABLE (GFP_HIGHUSER | __GFP_MOVABLE | __GFP_SKIP_KASAN)
#define GFP_TRANSHUGE_LIGHT ((GFP_HIGHUSER_MOVABLE | __GFP_COMP | \
			      __GFP_NOMEMALLOC | __GFP_NOWARN) & \
			     ~__GFP_RECLAIM)
#define GFP_TRANSHUGE	(GFP_TRANSHUGE_LIGHT | __GFP_DIRECT_RECLAIM)

/* Of Linux's sets of flags: what a request may be asked to respect. */
#define GFP_MOVABLE_MASK	KMEM_GFP_MOBILITYMASK
#define GFP_RECLAIM_MASK \
	(__GFP_RECLAIM | __GFP_HIGH | __GFP_ATOMIC | __GFP_IO | __GFP_FS | \
	 __GFP_NOWARN | __GFP_RETRY_MAYFAIL | __GFP_NOFAIL | __GFP_NORETRY | \
	 __GFP_MEMALLOC | __GFP_NOMEMALLOC | __GFP_NOLOCKDEP)
#define GFP_CONSTRAINT_MASK	(__GFP_HARDWALL | __GFP_THISNODE)

/** gfpflags_allow_blocking - whether such a request may sleep. Context: any. */
static inline bool gfpflags_allow_blocking(gfp_t gfp)
{
	return (gfp & __GFP_DIRECT_RECLAIM) != 0;
}

#endif /* KMEM_GFP_H */
