/* SPDX-License-Identifier: MIT */
/*
 * guard.h - objects between guards, blank while they are free (KMEM_HARDEN).
 *
 * What the fast paths do is here, inline; reports, and the theory, are in
 * guard.c. A cache that is hardened has a `guard` in its kmem_slabs; that is
 * every one but those that are debugged, whose red zones and poison find more.
 */
#ifndef KMEM_GUARD_H
#define KMEM_GUARD_H

#include "slab.h"

/* Bytes of guard on either side, at least. */
#define GUARD_BYTES	8u

/* What a set of slabs is guarded by. */
struct slab_guard {
	uint32_t size;			/* of an object, as asked for */
	uint32_t full;			/* the same in whole GUARD_BYTES: where
					 * the last bytes of guard begin */
	uint32_t blank;			/* bytes that are zero while it is free;
					 * 0: its contents must be kept */
	uint32_t side;			/* of kmalloc()'s: from an object's slot
					 * to the low byte of the size that was
					 * asked for, and on to the high one; or
					 * 0: they are all of one size */
	bool zones;			/* there was room for guards */
	struct kmem_slabs sizes;	/* then, of slots and both bytes */
	struct slab_node node;		/* of these */
};

/* Each boot has its own; both odd. */
extern uintptr_t guard_secret[2];

/* Memory of any type, at any address. */
typedef uintptr_t __attribute__((may_alias, aligned(1))) guard_word;

#define GUARD_WORD	sizeof(guard_word)

KMEM_INLINE bool slabs_sized(const struct kmem_slabs *s)
{
	return KMEM_HARDEN && s->guard && s->guard->side;
}

KMEM_INLINE struct kmem_slabs *guard_sizes(const struct kmem_slabs *s)
{
	return &s->guard->sizes;
}

/* At boot: choose the secrets, from what the kernel says is random. */
void guard_bootstrap(uint64_t random);

/* Set up s, which has no slab yet, for guarded objects of that size, which keep
 * their contents while they are free or don't. Return: false without memory. */
bool guard_init(struct kmem_slabs *s, size_t size, size_t align, bool keeps);
/* They are kmalloc()'s: each has a size of its own. */
void guard_sized(struct kmem_slabs *s);
void guard_fini(struct kmem_slabs *s);
/* Bytes of pages that guards are described in; return those that hold none. */
size_t guards_bytes(void);
void guards_shrink(void);

/* For slab_make() and slab_unmake(): all are free from now on; for the last
 * time. */
void guard_slab_made(struct page *head);
void guard_slab_ends(struct page *head);

/* Report a write to a free object, and blank it; damage around one in use, and
 * repair it. */
void guard_written(struct kmem_slabs *s, void *p, uintptr_t caller) KMEM_COLD;
void guard_damaged(const char *call, struct kmem_slabs *s, void *p,
		   size_t size, uintptr_t caller) KMEM_COLD;

/* The user's bytes, of an object of s; from now on, of one that was just given
 * out, or of any, which is verified before. */
size_t guard_size_at(const struct kmem_slabs *s, const void *p);
void guard_fit(struct kmem_slabs *s, void *p, size_t size);
void guard_resize(const char *call, struct kmem_slabs *s, void *p,
		  size_t size, uintptr_t caller);

/* ---- what a guard looks like ---- */

/*
 * The guard of the object at p, a word that is repeated from there on at
 * multiples of its length. It can't be told from another's without the secrets.
 * Each byte is one of sixteen, and none that is written a lot by mistake: not 0
 * or 0xff, no text, and none that memory is usually filled with.
 */
KMEM_INLINE uintptr_t guard_of(const void *p)
{
	uintptr_t ones = (uintptr_t)-1 / 255;
	uintptr_t h = ((uintptr_t)p ^ guard_secret[0]) * guard_secret[1];

	h ^= h >> (GUARD_WORD * 4);
	return (h & ones * 0x4e) | ones * 0x90;
}

/* The word of it that is read `at` bytes into the object. */
KMEM_INLINE uintptr_t guard_shifted(uintptr_t guard, size_t at)
{
	const unsigned bits = GUARD_WORD * 8;
	unsigned by = at % GUARD_WORD * 8;

	if (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__)
		by = bits - by;
	return guard >> (by & (bits - 1)) | guard << (-by & (bits - 1));
}

KMEM_INLINE guard_word *guard_at(const void *p, size_t at)
{
	return (guard_word *)(uintptr_t)((uintptr_t)p + at);
}

/* Behind the first `size` bytes: to the end of the object, not aligned, and
 * from there on. */
KMEM_INLINE void guard_draw_right(const struct slab_guard *g, void *p,
				  size_t size)
{
	uintptr_t guard = guard_of(p), shifted = guard_shifted(guard, size);
	const size_t full = g->full;

	for (size_t at = size; at < full; at += GUARD_WORD)
		*guard_at(p, at) = shifted;
	for (size_t at = 0; at < GUARD_BYTES; at += GUARD_WORD)
		*guard_at(p, full + at) = guard;
}

KMEM_INLINE bool guard_intact(const struct slab_guard *g, const void *p,
			      size_t size)
{
	uintptr_t guard = guard_of(p), differ = 0;
	const char *left = (const char *)p - GUARD_BYTES;
	const size_t full = g->full;

	for (size_t at = 0; at < GUARD_BYTES; at += GUARD_WORD)
		differ |= (*guard_at(left, at) ^ guard) |
			  (*guard_at(p, full + at) ^ guard);
	if (size < full) {
		uintptr_t shifted = guard_shifted(guard, size);

		for (size_t at = size; at < full; at += GUARD_WORD)
			differ |= *guard_at(p, at) ^ shifted;
	}
	return !differ;
}

/* Four words at a time; the last ones may overlap those before. */
#define GUARD_STEP	(4 * GUARD_WORD)

KMEM_INLINE uintptr_t guard_any(const void *p, size_t at)
{
	return *guard_at(p, at) | *guard_at(p, at + GUARD_WORD) |
	       *guard_at(p, at + 2 * GUARD_WORD) |
	       *guard_at(p, at + 3 * GUARD_WORD);
}

/* The first n bytes are zero. */
KMEM_INLINE bool guard_blank(const void *p, size_t n)
{
	uintptr_t any = 0;
	size_t at = 0;

	if (KMEM_LIKELY(n >= GUARD_STEP)) {
		any = guard_any(p, 0);
		for (at = n - GUARD_STEP; (ptrdiff_t)at > 0; at -= GUARD_STEP)
			any |= guard_any(p, at);
		return !any;
	}
	for (; at + GUARD_WORD <= n; at += GUARD_WORD)
		any |= *guard_at(p, at);
	for (; at < n; at++)
		any |= ((const unsigned char *)p)[at];
	return !any;
}

KMEM_INLINE void guard_clear(void *p, size_t at)
{
	*guard_at(p, at) = *guard_at(p, at + GUARD_WORD) =
	*guard_at(p, at + 2 * GUARD_WORD) = *guard_at(p, at + 3 * GUARD_WORD) =
		0;
}

/* They become zero. Return: false, memset() is better at so many, or at what is
 * not whole words. */
KMEM_INLINE bool guard_blank_out(void *p, size_t n)
{
	if (KMEM_UNLIKELY(n < GUARD_STEP)) {
		for (size_t at = 0; at + GUARD_WORD <= n; at += GUARD_WORD)
			*guard_at(p, at) = 0;
		return !(n % GUARD_WORD);
	}
	if (KMEM_UNLIKELY(n > 8 * GUARD_STEP))
		return false;
	guard_clear(p, 0);
	for (size_t at = n - GUARD_STEP; (ptrdiff_t)at > 0; at -= GUARD_STEP)
		guard_clear(p, at);
	return true;
}

/* ---- the size of an object, where each has its own ---- */

KMEM_INLINE size_t guard_size(const struct slab_guard *g,
			      const kmem_slot_t *slot)
{
	const size_t side = g->side;

	if (!side)
		return g->size;
	return (size_t)(slot[side] & 0xff) |
	       (size_t)(slot[2 * side] & 0xff) << 8;
}

KMEM_INLINE void guard_set_size(const struct slab_guard *g, kmem_slot_t *slot,
				size_t size)
{
	const size_t side = g->side;

	slot[side] = (kmem_slot_t)(size & 0xff);
	slot[2 * side] = (kmem_slot_t)(size >> 8);
}

/* ---- the life of an object ---- */

/* A CACHED object that is blank goes to a user, for whom it has so many bytes. */
KMEM_INLINE void guard_fit_new(const struct slab_guard *g, void *p,
			       kmem_slot_t *slot, size_t size)
{
	if (!g->side)
		return;
	guard_set_size(g, slot, size);
	if (size < g->full)
		guard_draw_right(g, p, size);
}

KMEM_INLINE void guard_given(struct kmem_slabs *s, void *p, kmem_slot_t *slot,
			     size_t size, uintptr_t caller)
{
	if (KMEM_UNLIKELY(!guard_blank(p, s->guard->blank)))
		guard_written(s, p, caller);
	guard_fit_new(s->guard, p, slot, size);
}

/*
 * The same where nothing is wrong; false: nothing was done, guard_given() has
 * to. For the fast paths: one that calls nobody, and returns by the call that
 * goes another way, saves no register.
 */
KMEM_INLINE bool guard_given_fast(struct kmem_slabs *s, void *p,
				  kmem_slot_t *slot, size_t size)
{
	const struct slab_guard *g = s->guard;

	if (KMEM_UNLIKELY(!guard_blank(p, g->blank)))
		return false;
	guard_fit_new(g, p, slot, size);
	return true;
}

/* It comes back, and is CACHED. */
KMEM_INLINE void guard_taken(const char *call, struct kmem_slabs *s, void *p,
			     kmem_slot_t *slot, uintptr_t caller)
{
	const struct slab_guard *g = s->guard;
	size_t size = guard_size(g, slot);

	if (g->zones && KMEM_UNLIKELY(!guard_intact(g, p, size)))
		guard_damaged(call, s, p, size, caller);
	if (!guard_blank_out(p, g->blank))
		memset(p, 0, g->blank);
}

/* As guard_given_fast(); not for what memset() blanks better. */
KMEM_INLINE bool guard_taken_fast(struct kmem_slabs *s, void *p,
				  kmem_slot_t *slot)
{
	const struct slab_guard *g = s->guard;

	return KMEM_LIKELY(g->zones &&
			   guard_intact(g, p, guard_size(g, slot))) &&
	       guard_blank_out(p, g->blank);
}

#endif /* KMEM_GUARD_H */
