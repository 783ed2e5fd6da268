/* SPDX-License-Identifier: MIT */
/*
 * kmem/kmalloc.h - memory by the byte.
 *
 * Sizes up to KMALLOC_MAX_CACHE_SIZE (two pages: 8 KiB) come from caches, one
 * a size class; larger ones are whole blocks of pages, up to KMALLOC_MAX_SIZE
 * (4 MiB). With four classes a doubling the table is
 *
 *	16 32 48 64 | 80 96 112 128 | 160 192 224 256 | … | 5120 … 8192
 *
 * and the class of a size is found by arithmetic, at compile time if the size
 * is a constant.
 *
 * Alignment: a power-of-two size is aligned to itself; any other to the
 * largest power of two that divides its class, at least two pointers. More:
 * kmalloc_aligned().
 *
 * Context: any, NMI excepted, after kmem_init(); GFP_KERNEL and its like may
 * sleep. (Before kmem_init(): kmem_boot_alloc().)
 */
#ifndef KMEM_KMALLOC_H
#define KMEM_KMALLOC_H

#include <kmem/cache.h>

/* Two pointers; with the smallest pages, that of the smallest object. */
#define KMALLOC_MIN_SHIFT \
	(sizeof(void *) == 8 || KMEM_PAGE_SHIFT == 8 ? 4u : 3u)
#define KMALLOC_MIN_SIZE	((size_t)1 << KMALLOC_MIN_SHIFT)
#define KMALLOC_SHIFT_HIGH	(KMEM_PAGE_SHIFT <= 13 ? KMEM_PAGE_SHIFT + 1 : 14)
#define KMALLOC_MAX_CACHE_SIZE	((size_t)1 << KMALLOC_SHIFT_HIGH)
#define KMALLOC_MAX_SIZE	(KMEM_PAGE_SIZE << KMEM_MAX_ORDER)

/* Kinds of kmalloc caches: by the zone that their pages come from, and by
 * whether a shrinker can free them. With KMEM_ZONES 1 all are the first. */
enum kmalloc_type {
	KMALLOC_NORMAL,
	KMALLOC_DMA,
	KMALLOC_DMA32,
	KMALLOC_RECLAIM,
	KMALLOC_NR_TYPES = KMEM_ZONES == 1 ? 1 : 4
};

/* The flags that choose among them. */
#define KMALLOC_TYPE_GFP	(KMEM_GFP_ZONEMASK | __GFP_RECLAIMABLE)

/*
 * The size classes. Four a doubling: with m the index of the highest bit of
 * (size - 1), the two bits below it select the quarter. Sizes up to
 * KMALLOC_LINEAR, whose quarter would be less than the smallest alignment,
 * are served in steps of KMALLOC_MIN_SIZE, which the same formula yields when
 * m is kept at or above that of KMALLOC_LINEAR.
 *
 * One a doubling is Linux's table, 96 and 192 included:
 * 8 16 32 64 96 128 192 256 512 … with those below KMALLOC_MIN_SIZE left out.
 */
#define KMALLOC_LINEAR_SHIFT	(KMALLOC_MIN_SHIFT + 2)
#define KMALLOC_LINEAR		((size_t)1 << KMALLOC_LINEAR_SHIFT)
#define KMALLOC_NR_CLASSES \
	(KMEM_KMALLOC_STEPS == 1 ? KMALLOC_SHIFT_HIGH + 3 - KMALLOC_MIN_SHIFT : \
				   (KMALLOC_SHIFT_HIGH - 5 + 1) * 4)

KMEM_BEGIN_DECLS

/* By kmalloc_type() and kmalloc_index(). */
extern struct kmem_cache *
kmalloc_caches[KMALLOC_NR_TYPES][KMALLOC_NR_CLASSES];

/* Index of the highest bit set; x is not 0. */
KMEM_INLINE unsigned kmem_fls(size_t x)
{
	unsigned n = 0;

	if (KMEM_ARCH_HAS_CLZ || KMEM_CONSTANT(x))
		return (unsigned)(sizeof(unsigned long) * __CHAR_BIT__ - 1) -
		       (unsigned)__builtin_clzl((unsigned long)x);
	while (x >>= 1)
		n++;
	return n;
}

/*
 * a * b; true if a size_t does not hold it. In halves: at most one factor may
 * have an upper half, which times the other's lower one must be a half itself.
 */
KMEM_INLINE bool kmem_mul_overflow(size_t a, size_t b, size_t *product)
{
	const unsigned half = sizeof(size_t) * 4;
	const size_t low = ((size_t)1 << half) - 1;
	size_t upper;

	if (KMEM_ARCH_HAS_UMULL)
		return __builtin_mul_overflow(a, b, product);
	if (a >> half && b >> half)
		return true;
	upper = (a >> half) * (b & low) + (b >> half) * (a & low);
	*product = (upper << half) + (a & low) * (b & low);
	return upper >> half || *product < upper << half;
}

/** kmalloc_index - the class of a size, 1 .. KMALLOC_MAX_CACHE_SIZE bytes */
KMEM_INLINE unsigned kmalloc_index(size_t size)
{
	size_t last = size - 1;
	unsigned m = kmem_fls(last | KMALLOC_LINEAR);

	if (KMEM_KMALLOC_STEPS == 1) {
		if (last >> 5 == 2)
			return 0;			/* 96 */
		if (last >> 6 == 2)
			return 1;			/* 192 */
		m = kmem_fls(last | (KMALLOC_MIN_SIZE - 1));
		return m + 3 - KMALLOC_MIN_SHIFT;
	}
	return (m - KMALLOC_LINEAR_SHIFT) * 4 + (unsigned)(last >> (m - 2));
}

KMEM_INLINE enum kmalloc_type kmalloc_type(gfp_t gfp)
{
	if (KMEM_ZONES == 1 || KMEM_LIKELY(!(gfp & KMALLOC_TYPE_GFP)))
		return KMALLOC_NORMAL;
	if (gfp & __GFP_DMA)
		return KMALLOC_DMA;
	return gfp & __GFP_DMA32 ? KMALLOC_DMA32 : KMALLOC_RECLAIM;
}

/* kmalloc() of more than KMALLOC_MAX_CACHE_SIZE. */
void *kmalloc_large(size_t size, gfp_t gfp)
	KMEM_MALLOC KMEM_ALLOC_SIZE(1) KMEM_MUST_CHECK;
/* kmalloc() of a size that the compiler does not know. */
void *__kmalloc(size_t size, gfp_t gfp)
	KMEM_MALLOC KMEM_ALLOC_SIZE(1) KMEM_MUST_CHECK;

/* The most bytes that a class serves. */
KMEM_INLINE size_t kmalloc_class_size(size_t size)
{
	size_t last = size - 1, step;

	if (KMEM_KMALLOC_STEPS == 1) {
		if (kmalloc_index(size) <= 1)
			return kmalloc_index(size) ? 192 : 96;
		return (size_t)2 << kmem_fls(last | (KMALLOC_MIN_SIZE - 1));
	}
	step = (size_t)1 << (kmem_fls(last | KMALLOC_LINEAR) - 2);
	return (last | (step - 1)) + 1;
}

/* A constant size for the cache that serves it, in gfp (see gfp.h). */
KMEM_INLINE gfp_t kmalloc_gfp(size_t size, gfp_t gfp)
{
	size_t left = KMEM_CACHE_DEBUG ? kmalloc_class_size(size) - size : 0;

	if (left > KMEM_GFP_LEFT_MAX)
		left = KMEM_GFP_LEFT_MAX;
	return gfp | (gfp_t)left << KMEM_GFP_LEFT_SHIFT;
}

/**
 * kmalloc - allocate memory
 * @size: bytes, 0 .. KMALLOC_MAX_SIZE
 * @gfp: flags of <kmem/gfp.h>
 *
 * Return: memory of at least that size, uninitialised unless __GFP_ZERO is
 * given; ZERO_SIZE_PTR for size 0; NULL if there is no memory or size is too
 * large.
 * Cost: O(1) up to KMALLOC_MAX_CACHE_SIZE, else as alloc_pages().
 */
KMEM_INLINE KMEM_MALLOC KMEM_ALLOC_SIZE(1) KMEM_MUST_CHECK
void *kmalloc(size_t size, gfp_t gfp)
{
	if (KMEM_CONSTANT(size) && size) {
		if (size > KMALLOC_MAX_CACHE_SIZE)
			return kmalloc_large(size, gfp);
		return kmem_cache_alloc(
			kmalloc_caches[kmalloc_type(gfp)][kmalloc_index(size)],
			kmalloc_gfp(size, gfp));
	}
	return __kmalloc(size, gfp);
}

/** kzalloc - kmalloc(), zeroed */
KMEM_INLINE KMEM_MALLOC KMEM_ALLOC_SIZE(1) KMEM_MUST_CHECK
void *kzalloc(size_t size, gfp_t gfp)
{
	return kmalloc(size, gfp | __GFP_ZERO);
}

/** kmalloc_array - n elements of size bytes; NULL if n * size overflows */
KMEM_INLINE KMEM_MALLOC KMEM_ALLOC_SIZE(1, 2) KMEM_MUST_CHECK
void *kmalloc_array(size_t n, size_t size, gfp_t gfp)
{
	size_t bytes;

	if (kmem_mul_overflow(n, size, &bytes))
		return NULL;
	return kmalloc(bytes, gfp);
}

/** kcalloc - kmalloc_array(), zeroed */
KMEM_INLINE KMEM_MALLOC KMEM_ALLOC_SIZE(1, 2) KMEM_MUST_CHECK
void *kcalloc(size_t n, size_t size, gfp_t gfp)
{
	return kmalloc_array(n, size, gfp | __GFP_ZERO);
}

/* What kmalloc_node() is. */
void *__kmalloc_node(size_t size, gfp_t gfp, int node)
	KMEM_MALLOC KMEM_ALLOC_SIZE(1) KMEM_MUST_CHECK;

/**
 * kmalloc_node - kmalloc() in the memory of a node
 * @size: bytes, 0 .. KMALLOC_MAX_SIZE
 * @gfp: flags of <kmem/gfp.h>
 * @node: its number, or KMEM_NO_NODE: as kmalloc()
 *
 * Of that node as long as it has memory, as kmem_cache_alloc_node(); with
 * __GFP_THISNODE of that node or NULL.
 *
 * Return: as kmalloc().
 * Cost: as kmem_cache_alloc_node(), alloc_pages_node().
 */
KMEM_INLINE KMEM_MALLOC KMEM_ALLOC_SIZE(1) KMEM_MUST_CHECK
void *kmalloc_node(size_t size, gfp_t gfp, int node)
{
	return __kmalloc_node(size, gfp, node);
}

/** kzalloc_node - kmalloc_node(), zeroed */
KMEM_INLINE KMEM_MALLOC KMEM_ALLOC_SIZE(1) KMEM_MUST_CHECK
void *kzalloc_node(size_t size, gfp_t gfp, int node)
{
	return kmalloc_node(size, gfp | __GFP_ZERO, node);
}

/** kmalloc_array_node - kmalloc_array() in the memory of a node */
KMEM_INLINE KMEM_MALLOC KMEM_ALLOC_SIZE(1, 2) KMEM_MUST_CHECK
void *kmalloc_array_node(size_t n, size_t size, gfp_t gfp, int node)
{
	size_t bytes;

	if (kmem_mul_overflow(n, size, &bytes))
		return NULL;
	return kmalloc_node(bytes, gfp, node);
}

/** kcalloc_node - kmalloc_array_node(), zeroed */
KMEM_INLINE KMEM_MALLOC KMEM_ALLOC_SIZE(1, 2) KMEM_MUST_CHECK
void *kcalloc_node(size_t n, size_t size, gfp_t gfp, int node)
{
	return kmalloc_array_node(n, size, gfp | __GFP_ZERO, node);
}

/**
 * kmalloc_aligned - kmalloc(), aligned
 * @size: bytes, 0 .. KMALLOC_MAX_SIZE
 * @align: a power of two, 1 .. KMALLOC_MAX_SIZE
 * @gfp: flags of <kmem/gfp.h>
 *
 * Uses the memory of the next multiple of `align`. Freed by kfree(); krealloc()
 * keeps the alignment. Above a page, addresses are aligned as far as
 * params.virt_offset is.
 *
 * Misuse: an alignment that is no power of two is reported through
 * kmem_panic(), and the call fails.
 * Return: as kmalloc(); NULL if the alignment is too large.
 */
void *kmalloc_aligned(size_t size, size_t align, gfp_t gfp)
	KMEM_ALLOC_SIZE(1) KMEM_MUST_CHECK;

/**
 * krealloc - change the size of a block
 * @p: from kmalloc() and its family; NULL: as kmalloc()
 * @size: bytes; 0: frees p and returns ZERO_SIZE_PTR
 * @gfp: flags of <kmem/gfp.h>
 *
 * The block stays where it is if its class holds the new size, and never
 * becomes less aligned than it was: one that grows is aligned as kmalloc() of
 * the new size is, and as its old class was. The content up to the smaller size
 * is kept; with __GFP_ZERO in this call and all before for the same block, the
 * rest is zero.
 *
 * Return: the block, which may have moved; NULL on failure, and then p is
 * still valid.
 */
void *krealloc(const void *p, size_t size, gfp_t gfp)
	KMEM_ALLOC_SIZE(2) KMEM_MUST_CHECK;

/**
 * krealloc_node_align - krealloc() with an alignment, in the memory of a node
 * @p: as for krealloc()
 * @size: the same
 * @align: a power of two, 1 .. KMALLOC_MAX_SIZE
 * @gfp: flags of <kmem/gfp.h>
 * @node: its number, or KMEM_NO_NODE: any
 *
 * The block stays where it is if its class holds the new size and is so
 * aligned; with __GFP_THISNODE, only if it is of that node too.
 *
 * Misuse: as kmalloc_aligned(), krealloc().
 * Return: as krealloc().
 */
void *krealloc_node_align(const void *p, size_t size, size_t align, gfp_t gfp,
			  int node) KMEM_ALLOC_SIZE(2) KMEM_MUST_CHECK;

/** krealloc_aligned - krealloc_node_align() in any node's memory */
KMEM_INLINE KMEM_ALLOC_SIZE(2) KMEM_MUST_CHECK
void *krealloc_aligned(const void *p, size_t size, size_t align, gfp_t gfp)
{
	return krealloc_node_align(p, size, align, gfp, KMEM_NO_NODE);
}

/** krealloc_array - krealloc() to n * size bytes; NULL if that overflows */
KMEM_INLINE KMEM_ALLOC_SIZE(2, 3) KMEM_MUST_CHECK
void *krealloc_array(void *p, size_t n, size_t size, gfp_t gfp)
{
	size_t bytes;

	if (kmem_mul_overflow(n, size, &bytes))
		return NULL;
	return krealloc(p, bytes, gfp);
}

/**
 * kfree - give memory back
 * @p: from kmalloc() and its family or from kmem_cache_alloc(); NULL and
 *	ZERO_SIZE_PTR do nothing
 *
 * Misuse: a second free, a pointer into the middle of an object or block, a
 * pointer that kmem did not give, a page of alloc_pages() are reported
 * through kmem_panic(), and nothing is freed.
 * Cost: O(1).
 */
void kfree(const void *p);

/**
 * kfree_sized - kfree(), by who knows the size
 * @p: as for kfree()
 * @size: bytes, as asked for; of NULL any, of ZERO_SIZE_PTR 0
 *
 * Misuse: as kfree(); a size that the block has no room for is reported
 * through kmem_panic(), and nothing is freed. (One that is too small can't be
 * told from that of a block which krealloc() made smaller.)
 */
void kfree_sized(const void *p, size_t size);

/** kfree_bulk - kfree() n pointers. Cost: less than n times kfree(). */
KMEM_INLINE void kfree_bulk(size_t n, void **p)
{
	kmem_cache_free_bulk(NULL, n, p);
}

/** kfree_sensitive - zero it, then kfree() it */
void kfree_sensitive(const void *p);

/** ksize - bytes that may be used at p, at least what was asked for, and no
 * more if there is a red zone or a guard (KMEM_HARDEN) behind it; 0 for NULL and ZERO_SIZE_PTR. Misuse:
 * as kfree(), and then 0. */
size_t ksize(const void *p);

/** kmalloc_size_roundup - what ksize() of a block of that size would be; the
 * size itself if it is 0 or too large */
size_t kmalloc_size_roundup(size_t size);

/** kmemdup - a copy of len bytes */
void *kmemdup(const void *src, size_t len, gfp_t gfp) KMEM_MUST_CHECK;

/** kmemdup_array - a copy of n elements of size bytes; NULL if n * size
 * overflows */
KMEM_INLINE KMEM_MUST_CHECK
void *kmemdup_array(const void *src, size_t n, size_t size, gfp_t gfp)
{
	size_t bytes;

	if (kmem_mul_overflow(n, size, &bytes))
		return NULL;
	return kmemdup(src, bytes, gfp);
}

/** kmemdup_nul - a copy of len bytes, and a zero behind them; NULL for NULL */
char *kmemdup_nul(const char *s, size_t len, gfp_t gfp) KMEM_MUST_CHECK;

/** kstrdup - a copy of a string; NULL for NULL */
char *kstrdup(const char *s, gfp_t gfp) KMEM_MUST_CHECK;

/** kstrndup - a copy of at most max characters of a string, terminated */
char *kstrndup(const char *s, size_t max, gfp_t gfp) KMEM_MUST_CHECK;

/** kstrdup_const - kstrdup(): kmem can't tell which strings never change */
KMEM_INLINE KMEM_MUST_CHECK
const char *kstrdup_const(const char *s, gfp_t gfp)
{
	return kstrdup(s, gfp);
}

/** kfree_const - free what kstrdup_const() gave */
KMEM_INLINE void kfree_const(const void *p)
{
	kfree(p);
}

KMEM_END_DECLS

#endif /* KMEM_KMALLOC_H */
