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
	size_t size;			/* of an object, as asked for */
	size_t full;			/* the same in whole GUARD_BYTES: where
					 * the last bytes of guard begin */
	size_t left;			/* full - size: guard as well */
	size_t blank;			/* bytes that are zero while it is free;
					 * 0: its contents must be kept */
	size_t words;			/* of them, those in whole words; */
	uintptr_t rest;			/* and the bits of the next word */
	size_t fast;			/* words; SIZE_MAX, if the fast path of a
					 * free is not for them */
	size_t side;			/* of kmalloc()'s, where left is 0: from
					 * an object's slot to the low byte of
					 * what was not asked for of its size,
					 * and on to the high one; or 0: they are
					 * all of one size */
	bool zones;			/* there was room for guards */
	struct kmem_slabs sizes;	/* then, of slots and both bytes */
	struct slab_node node;		/* of these */
};

/* Each boot has its own; both odd. */
extern uintptr_t guard_secret[2];

/* Memory of any type; objects are aligned for it. */
typedef uintptr_t __attribute__((may_alias)) guard_word;

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
void guards_check(struct check *c);

/* For slab_make() and slab_unmake(): all are free from now on; for the last
 * time. */
void guard_slab_made(struct page *head);
void guard_slab_ends(struct page *head);

/* Report a write to a free object, and blank it. */
void guard_written(struct kmem_slabs *s, void *p, uintptr_t caller) KMEM_COLD;

/* It comes back, and is CACHED. */
void guard_taken(const char *call, struct kmem_slabs *s, void *p,
		 kmem_slot_t *slot, uintptr_t caller);

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

/* Of a word, the bytes from that one on; zero before. */
KMEM_INLINE uintptr_t guard_from(uintptr_t word, size_t byte)
{
	unsigned by = byte * 8 % (8 * GUARD_WORD);

	return __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? word << by >> by :
							word >> by << by;
}

KMEM_INLINE guard_word *guard_at(const void *p, size_t at)
{
	return (guard_word *)(uintptr_t)((uintptr_t)p + at);
}

/* The last `left` bytes of `full`, from anywhere in a word on, whose bytes before
 * them are zero. */
KMEM_INLINE void guard_draw_left(const struct slab_guard *g, void *p,
				 size_t left)
{
	const size_t full = g->full;
	uintptr_t guard = guard_of(p);
	size_t at = (full - left) & ~(GUARD_WORD - 1);

	*guard_at(p, at) = guard_from(guard, full - left);
	while ((at += GUARD_WORD) < full)
		*guard_at(p, at) = guard;
}

KMEM_INLINE uintptr_t guard_differs_left(const struct slab_guard *g,
					 const void *p, uintptr_t guard,
					 size_t left)
{
	const size_t full = g->full;
	size_t at = (full - left) & ~(GUARD_WORD - 1);
	uintptr_t differ = guard_from(*guard_at(p, at) ^ guard, full - left);

	while ((at += GUARD_WORD) < full)
		differ |= *guard_at(p, at) ^ guard;
	return differ;
}

/* In front of the object, and behind `full`. */
KMEM_INLINE uintptr_t guard_differs(const struct slab_guard *g, const void *p,
				    uintptr_t guard)
{
	const char *front = (const char *)p - GUARD_BYTES;
	const size_t full = g->full;
	uintptr_t differ = 0;

	for (size_t at = 0; at < GUARD_BYTES; at += GUARD_WORD)
		differ |= (*guard_at(front, at) ^ guard) |
			  (*guard_at(p, full + at) ^ guard);
	return differ;
}

/* ---- whole words, looked at and zeroed ---- */

/*
 * Whatever their number, some from the start and as many up to the end, which
 * may be the same ones: nothing is counted, and only what is longer than
 * GUARD_FAST takes a loop. Eight words are a step, made of vectors where kmem
 * may use their registers (KMEM_ARCH_VECTOR_BYTES).
 */
typedef uintptr_t guard_vector __attribute__((may_alias,
	vector_size(KMEM_ARCH_VECTOR_BYTES), aligned(sizeof(uintptr_t))));

#define GUARD_VECTOR	sizeof(guard_vector)
#define GUARD_STEP	(8 * GUARD_WORD)
#define GUARD_FAST	(4 * GUARD_STEP) /* memset() is better at more */

KMEM_INLINE uintptr_t guard_any2(const void *p, size_t at)
{
	return *guard_at(p, at) | *guard_at(p, at + GUARD_WORD);
}

KMEM_INLINE uintptr_t guard_any4(const void *p, size_t at)
{
	return guard_any2(p, at) | guard_any2(p, at + 2 * GUARD_WORD);
}

KMEM_INLINE void guard_any_step(guard_vector *any, const char *p)
{
	const guard_vector *v = (const guard_vector *)(const void *)p;

	*any |= v[0];
	if (GUARD_STEP > GUARD_VECTOR)
		*any |= v[1];
	if (GUARD_STEP > 2 * GUARD_VECTOR)
		*any |= v[2] | v[3];
	if (GUARD_STEP > 4 * GUARD_VECTOR)
		*any |= (v[4] | v[5]) | (v[6] | v[7]);
}

/* Of more than a step. */
KMEM_INLINE uintptr_t guard_any_steps(const char *p, size_t n)
{
	const char *end = p + n - GUARD_STEP;
	guard_vector any = { 0 };
	uintptr_t word = 0;

	guard_any_step(&any, p);
	guard_any_step(&any, end);
	if (n > 2 * GUARD_STEP) {
		p += GUARD_STEP;
		end -= GUARD_STEP;
		guard_any_step(&any, p);
		guard_any_step(&any, end);
		for (p += GUARD_STEP; p < end; p += 2 * GUARD_STEP) {
			guard_any_step(&any, p);
			guard_any_step(&any, p + GUARD_STEP);
		}
	}
	for (unsigned i = 0; i < GUARD_VECTOR / GUARD_WORD; i++)
		word |= any[i];
	return word;
}

/* Not 0 if one of them isn't; n bytes are whole words. */
KMEM_INLINE uintptr_t guard_any(const void *p, size_t n)
{
	if (KMEM_LIKELY(n - 4 * GUARD_WORD <= 4 * GUARD_WORD))
		return guard_any4(p, 0) | guard_any4(p, n - 4 * GUARD_WORD);
	if (n > GUARD_STEP)
		return guard_any_steps(p, n);
	if (n >= 2 * GUARD_WORD)
		return guard_any2(p, 0) | guard_any2(p, n - 2 * GUARD_WORD);
	return n ? *guard_at(p, 0) : 0;
}

KMEM_INLINE void guard_clear2(void *p, size_t at)
{
	*guard_at(p, at) = *guard_at(p, at + GUARD_WORD) = 0;
}

KMEM_INLINE void guard_clear4(void *p, size_t at)
{
	guard_clear2(p, at);
	guard_clear2(p, at + 2 * GUARD_WORD);
}

KMEM_INLINE void guard_clear_step(void *p, size_t at)
{
	guard_clear4(p, at);
	guard_clear4(p, at + 4 * GUARD_WORD);
}

/* Of more than a step, and no more than GUARD_FAST. */
KMEM_INLINE void guard_clear_steps(void *p, size_t n)
{
	guard_clear_step(p, 0);
	guard_clear_step(p, n - GUARD_STEP);
	if (n > 2 * GUARD_STEP) {
		guard_clear_step(p, GUARD_STEP);
		guard_clear_step(p, n - 2 * GUARD_STEP);
	}
}

KMEM_INLINE void guard_clear(void *p, size_t n)
{
	if (KMEM_LIKELY(n - 4 * GUARD_WORD <= 4 * GUARD_WORD)) {
		guard_clear4(p, 0);
		guard_clear4(p, n - 4 * GUARD_WORD);
	} else if (n > GUARD_STEP) {
		guard_clear_steps(p, n);
	} else if (n >= 2 * GUARD_WORD) {
		guard_clear2(p, 0);
		guard_clear2(p, n - 2 * GUARD_WORD);
	} else if (n) {
		*guard_at(p, 0) = 0;
	}
}

/* Not 0: it is free, but not blank. */
KMEM_INLINE uintptr_t guard_written_to(const struct slab_guard *g,
				       const void *p)
{
	uintptr_t any = guard_any(p, g->words);

	if (KMEM_UNLIKELY(g->rest))
		any |= *guard_at(p, g->words) & g->rest;
	return any;
}

/* ---- the size of an object, where each has its own ---- */

/* Bytes of `full` that are not the user's. */
KMEM_INLINE size_t guard_left(const struct slab_guard *g,
			      const kmem_slot_t *slot)
{
	const size_t side = g->side;

	if (!side)
		return g->left;
	return (size_t)(slot[side] & 0xff) |
	       (size_t)(slot[2 * side] & 0xff) << 8;
}

KMEM_INLINE size_t guard_size(const struct slab_guard *g,
			      const kmem_slot_t *slot)
{
	return g->full - guard_left(g, slot);
}

KMEM_INLINE void guard_set_left(const struct slab_guard *g, kmem_slot_t *slot,
				size_t left)
{
	const size_t side = g->side;

	slot[side] = (kmem_slot_t)(left & 0xff);
	slot[2 * side] = (kmem_slot_t)(left >> 8);
}

KMEM_INLINE void guard_set_size(const struct slab_guard *g, kmem_slot_t *slot,
				size_t size)
{
	guard_set_left(g, slot, g->full - size);
}

/* ---- the life of an object ---- */

/* A CACHED object that is blank goes to a user, for whom it has so many bytes. */
KMEM_INLINE void guard_fit_new(const struct slab_guard *g, void *p,
			       kmem_slot_t *slot, size_t size)
{
	size_t left = g->full - size;

	if (!g->side)
		return;
	guard_set_left(g, slot, left);
	if (left)
		guard_draw_left(g, p, left);
}

KMEM_INLINE void guard_given(struct kmem_slabs *s, void *p, kmem_slot_t *slot,
			     size_t size, uintptr_t caller)
{
	if (KMEM_UNLIKELY(guard_written_to(s->guard, p)))
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

	if (!g->side)
		return !guard_written_to(g, p);
	if (KMEM_UNLIKELY(guard_any(p, g->words)))
		return false;
	guard_fit_new(g, p, slot, size);
	return true;
}

/* It comes back, and is CACHED: the same, of guard_taken(). */
KMEM_INLINE bool guard_taken_fast(struct kmem_slabs *s, void *p,
				  const kmem_slot_t *slot)
{
	const struct slab_guard *g = s->guard;
	const size_t side = g->side;
	uintptr_t guard = guard_of(p), differ;

	if (KMEM_UNLIKELY(g->fast > GUARD_FAST))
		return false;
	differ = guard_differs(g, p, guard);
	if (side && (slot[side] | slot[2 * side]))
		differ |= guard_differs_left(g, p, guard, guard_left(g, slot));
	if (KMEM_UNLIKELY(differ))
		return false;
	guard_clear(p, g->fast);
	return true;
}

#endif /* KMEM_GUARD_H */
