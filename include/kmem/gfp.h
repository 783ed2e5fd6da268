/* SPDX-License-Identifier: MIT */
/*
 * kmem/gfp.h - how an allocation may be satisfied ("get free pages" flags).
 *
 * Names and meanings are Linux's; the numeric values are not, and must not be
 * relied on.
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
#define __GFP_DMA32		((gfp_t)0x04)	/* below params.dma32_end */
#define KMEM_GFP_ZONEMASK	((gfp_t)0x05)
#define __GFP_MOVABLE		((gfp_t)0x08)	/* accepted, no effect yet */

/* Behaviour. */
#define __GFP_NOWARN		((gfp_t)0x10)	/* failure is not logged */
#define __GFP_DIRECT_RECLAIM	((gfp_t)0x20)	/* may sleep, may call hooks */
#define __GFP_ZERO		((gfp_t)0x40)	/* memory reads as zero */
#define __GFP_THISNODE		((gfp_t)0x80)	/* this node or none */
#define __GFP_NOFAIL		((gfp_t)0x100)	/* wait until it succeeds */
#define __GFP_HIGH		((gfp_t)0x200)	/* may use half the reserve */
#define __GFP_ATOMIC		((gfp_t)0x400)	/* and half of the rest */
#define __GFP_NORETRY		((gfp_t)0x800)	/* reclaim once, then fail */
#define __GFP_IO		((gfp_t)0x1000)	/* reclaim may start I/O */
#define __GFP_FS		((gfp_t)0x2000)	/* reclaim may enter a fs */
#define __GFP_RECLAIMABLE	((gfp_t)0x4000)	/* accepted, no effect yet */
#define __GFP_ACCOUNT		((gfp_t)0x8000)	/* accepted, no effect yet */
#define __GFP_COMP		((gfp_t)0x10000) /* accepted: all blocks are */
#define __GFP_RETRY_MAYFAIL	((gfp_t)0x20000) /* no out-of-memory hook */

/* Flags are below 1 << this. */
#define __GFP_BITS_SHIFT	20
#define __GFP_BITS_MASK		((gfp_t)((1u << __GFP_BITS_SHIFT) - 1))

#define __GFP_KSWAPD_RECLAIM	((gfp_t)0)	/* there is no kswapd */

/* From here on, what is left over of kmalloc()'s class: how many bytes more
 * it has than were asked for, for caches with red zones. */
#define KMEM_GFP_LEFT_SHIFT	20
#define KMEM_GFP_LEFT_MAX	((size_t)0xfff)

/* What callers pass. */
#define GFP_KERNEL	(__GFP_DIRECT_RECLAIM | __GFP_IO | __GFP_FS)
#define GFP_ATOMIC	(__GFP_HIGH | __GFP_ATOMIC)	/* any context */
#define GFP_NOWAIT	((gfp_t)0)		/* any context, no reserve */
#define GFP_NOIO	(__GFP_DIRECT_RECLAIM)
#define GFP_NOFS	(__GFP_DIRECT_RECLAIM | __GFP_IO)
#define GFP_USER	GFP_KERNEL
#define GFP_KERNEL_ACCOUNT (GFP_KERNEL | __GFP_ACCOUNT)
#define GFP_DMA		__GFP_DMA
#define GFP_DMA32	__GFP_DMA32

#endif /* KMEM_GFP_H */
