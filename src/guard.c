/* SPDX-License-Identifier: MIT */
/*
 * guard.c - objects between guards, blank while they are free (KMEM_HARDEN).
 *
 *	      give                  take
 *	CACHED ──────────► LIVE ──────────────► CACHED ──► quarantine ──► …
 *	  verify: blank           verify: guards
 *	  size, guard behind it   blank
 *
 *	| pad | g | object 0                   | g |   | g | object 1 ...
 *	free	gg  00 00 00 00 00 00 00 00 00   gg
 *	used	gg  (the user's)         gg gg   gg
 *	                         size ──►      ◄── full
 *
 * The debugging of debug.c, made cheap enough to be always on: slabs have
 * the same geometry, but nothing takes a lock, magazines stay, and what a guard
 * looks like depends on the address of its object and a secret, so that it need
 * not be drawn anew: it stands from the making of the slab to its end, and is
 * only read. Of kmalloc()'s objects the size that was asked for is remembered
 * out of their reach, behind the slots (`side`), and the guard begins there.
 *
 * What it finds, and when:
 *
 *	a write beyond either end	when the object is freed, from the first
 *	of an object			byte on, as far as guards reach
 *	a write to a free object	when it is given out again, or its slab
 *					given up
 *	a second free, as long as	at once: it is not LIVE until at least
 *	it is in quarantine		QUARANTINE_LEAST more have been freed on
 *					that CPU (magazine.h)
 *
 * And nobody reads what another has left: what is given out is zero, which
 * makes __GFP_ZERO cheap.
 *
 * Not found: what hits neither guard nor a free object; a byte of a guard that
 * is written by chance with the value it had (1 in 256); reads. Objects that
 * must keep their contents while they are free, by a constructor or
 * SLAB_TYPESAFE_BY_RCU, have guards, but are not blank. Objects so large that
 * guards don't fit a slab have none. kmem's own tables, pages, and kmalloc() of
 * more than KMALLOC_MAX_CACHE_SIZE are not concerned. An object that an
 * interrupt frees in the middle of a fast path of that CPU goes to its slab, past
 * the quarantine, as does one for which there is no memory for a magazine; and what
 * a CPU holds in quarantine goes there when kmem_trim() finds that it has not used
 * the cache since the last time, or memory is short.
 *
 * A report that returns has drawn or blanked again what it was about, and the
 * operation goes on. Damage beyond that, of neighbours, is found with them.
 *
 * Locks: none. Who has an object CACHED may look at it.
 *
 * Cost: of a free, O(size) to blank it; of an allocation, O(size) to look at it.
 * Up to 64 bytes that is some twenty instructions of the hundred that a pair of
 * calls takes more than without all this; at 1,024 nearly all of the time.
 */
#include "guard.h"

uintptr_t guard_secret[2];

/* Where the guards of caches come from. */
static struct {
	struct kmem_slabs parts;
	struct slab_node node;
} guard_pool;

/* All bits of x have a say in all of the result. */
static uintptr_t stir(uintptr_t x)
{
	for (unsigned i = 0; i < 4; i++) {
		x ^= x >> (GUARD_WORD * 4 - 1);
		x *= (uintptr_t)0x9e3779b97f4a7c15 | 1;
	}
	return x ^ x >> (GUARD_WORD * 4);
}

/* What the kernel gives, and what may differ from boot to boot besides. */
void guard_bootstrap(uint64_t random)
{
	uint64_t now = kmem_hooks.clock ? kmem_hooks.clock(kmem_hooks.ctx) : 0;
	uintptr_t x = guard_secret[0] ^ (uintptr_t)&random ^
		      (uintptr_t)&guard_pool;

	x = stir(x ^ (uintptr_t)now) ^ (uintptr_t)(now >> 32);
	x = stir(x ^ (uintptr_t)random);
	guard_secret[0] = x | 1;
	x = stir(x ^ (uintptr_t)(random >> 32));
	guard_secret[1] = x | 1;
	tables_init(&guard_pool.parts, "kmem_cache_guard",
		    (size_t)round_up_to(sizeof(struct slab_guard),
					KMEM_CACHE_LINE), &guard_pool.node);
}

bool guard_init(struct kmem_slabs *s, size_t size, size_t align, bool keeps)
{
	struct slab_guard *g = slabs_alloc(&guard_pool.parts, GFP_KERNEL);

	if (!g)
		return false;
	memset(g, 0, sizeof(*g));
	g->size = size;
	g->full = (size_t)round_up_to(size, GUARD_BYTES);
	g->left = g->full - g->size;
	g->blank = keeps ? 0 : g->size;
	g->zones = slabs_layout_apart(s, g->full, align, GUARD_BYTES,
				      GUARD_BYTES);
	if (!g->zones)
		kmem_log("kmem: cache %s: objects of %u bytes are too large "
			 "for guards", s->name, (unsigned)g->size);
	g->words = g->blank & ~(GUARD_WORD - 1);
	g->rest = g->blank == g->words ? 0 :
		  ~guard_from((uintptr_t)-1, g->blank);
	g->fast = g->zones && !g->left && g->words <= GUARD_FAST ? g->words :
								   SIZE_MAX;
	s->guard = g;
	return true;
}

void guard_sized(struct kmem_slabs *s)
{
	struct slab_guard *g = s->guard;

	KMEM_ASSERT(g->zones && !g->left);	/* kmalloc.c says why */
	g->side = KMEM_MAX(nr_slots(s, s->order), nr_slots(s, s->min_order));
	tables_init(&g->sizes, "guard-sizes",
		    (size_t)round_up_to(3 * g->side * sizeof(kmem_slot_t),
					sizeof(void *)), &g->node);
}

void guard_fini(struct kmem_slabs *s)
{
	if (!s->guard)
		return;
	if (slabs_sized(s))
		slabs_shrink(guard_sizes(s));
	slabs_free(&guard_pool.parts, s->guard);
}

size_t guards_bytes(void)
{
	return slabs_bytes(&guard_pool.parts);
}

void guards_check(struct check *c)
{
	slabs_check(&guard_pool.parts, c);
}

void guards_shrink(void)
{
	slabs_shrink(&guard_pool.parts);
}

/* ---- reports ---- */

struct guarded {
	struct page *head;
	unsigned index;
};

static struct guarded guarded_object(const struct kmem_slabs *s, const void *p)
{
	struct page *page = virt_to_page(p);

	return (struct guarded){ slab_head(page),
				 (unsigned)slab_index(page, s, p).index -
				 slabs_first(s) };
}

static unsigned char guard_byte(const void *p, int at)
{
	uintptr_t guard = guard_of(p);

	return ((unsigned char *)&guard)[(unsigned)at % GUARD_WORD];
}

/* The first byte from `from` to `to` that is not as it should be, or `to`. */
static int first_damaged(const unsigned char *p, int from, int to)
{
	while (from < to && p[from] == guard_byte(p, from))
		from++;
	return from;
}

static void guard_report(const char *call, const struct kmem_slabs *s,
			 const unsigned char *p, int at, const char *damage,
			 unsigned expected, uintptr_t caller)
{
	struct guarded o = guarded_object(s, p);

	kmem_misuse_by(caller, "damage", p,
		       "kmem: %s(%p): %s: cache %s, slab %p, index %u, at %d: "
		       "expected %02x, found %02x", call, (void *)p, damage,
		       s->name, page_to_virt(o.head), o.index, at, expected,
		       p[at]);
}

static void draw_bytes(unsigned char *p, int from, int to)
{
	for (; from < to; from++)
		p[from] = guard_byte(p, from);
}

static void guard_draw(const struct slab_guard *g, void *p, size_t size)
{
	draw_bytes(p, -(int)GUARD_BYTES, 0);
	draw_bytes(p, (int)size, (int)(g->full + GUARD_BYTES));
}

static bool guard_intact(const struct slab_guard *g, const void *p,
			 const kmem_slot_t *slot)
{
	size_t left = guard_left(g, slot);
	uintptr_t guard = guard_of(p), differ = guard_differs(g, p, guard);

	if (left)
		differ |= guard_differs_left(g, p, guard, left);
	return !differ;
}

/*
 * Two CPUs that free an object at once may both find it LIVE (cache.c). Then one
 * may look at a guard behind the size asked for that the other has just blanked,
 * with all of the object: what can't be told from a user who wrote zeros to all
 * of it and beyond (and while the other is at it, not even that is to be seen).
 * Its second copy is found later, as any.
 */
static KMEM_COLD void guard_damaged(const char *call, struct kmem_slabs *s,
				    void *p, const kmem_slot_t *slot,
				    uintptr_t caller)
{
	const struct slab_guard *g = s->guard;
	size_t size = guard_size(g, slot);
	int end = (int)(g->full + GUARD_BYTES);
	int left = first_damaged(p, -(int)GUARD_BYTES, 0);
	int right = first_damaged(p, (int)size, end);
	bool blank = g->side && right < (int)g->full &&
		     kmem_load_relaxed(slot) != SLOT_LIVE &&
		     !guard_written_to(g, p);

	if (left < 0)
		guard_report(call, s, p, left, "left guard overwritten",
			     guard_byte(p, left), caller);
	if (right < end)
		guard_report(call, s, p, right, blank ?
			     "right guard overwritten, or double free by CPUs "
			     "that raced" : "right guard overwritten",
			     guard_byte(p, right), caller);
	guard_draw(g, p, size);
}

void guard_taken(const char *call, struct kmem_slabs *s, void *p,
		 kmem_slot_t *slot, uintptr_t caller)
{
	const struct slab_guard *g = s->guard;

	if (g->zones && KMEM_UNLIKELY(!guard_intact(g, p, slot)))
		guard_damaged(call, s, p, slot, caller);
	memset(p, 0, g->blank);
}

static void blank_again(const char *call, struct kmem_slabs *s,
			unsigned char *p, uintptr_t caller)
{
	int at = 0;

	while (!p[at] && at + 1 < (int)s->guard->blank)
		at++;
	guard_report(call, s, p, at, "written after free", 0, caller);
	memset(p, 0, s->guard->blank);
}

KMEM_COLD void guard_written(struct kmem_slabs *s, void *p, uintptr_t caller)
{
	blank_again("allocation", s, p, caller);
}

/* ---- a slab, and the sizes of objects in use ---- */

void guard_slab_made(struct page *head)
{
	struct kmem_slabs *s = head->slabs;
	const struct slab_guard *g = s->guard;

	for (unsigned i = 0; i < slab_objects(head); i++) {
		void *p = slab_object(head, i);

		memset(p, 0, g->blank);
		if (g->zones)
			guard_draw(g, p, g->size);
		if (g->side)
			guard_set_size(g, slab_slot(head, i), g->size);
	}
}

void guard_slab_ends(struct page *head)
{
	struct kmem_slabs *s = head->slabs;
	const struct slab_guard *g = s->guard;

	for (unsigned i = 0; i < slab_objects(head); i++) {
		void *p = slab_object(head, i);

		if (guard_written_to(g, p))
			blank_again("end of the slab", s, p, 0);
	}
}

static kmem_slot_t *guarded_slot(const struct kmem_slabs *s, const void *p)
{
	struct guarded o = guarded_object(s, p);

	return slab_slot(o.head, o.index);
}

size_t guard_size_at(const struct kmem_slabs *s, const void *p)
{
	return guard_size(s->guard, guarded_slot(s, p));
}

void guard_fit(struct kmem_slabs *s, void *p, size_t size)
{
	kmem_slot_t *slot = guarded_slot(s, p);
	size_t old = guard_size(s->guard, slot);

	if (size > old)			/* not to show what guards look like */
		memset((char *)p + old, 0, size - old);
	guard_set_size(s->guard, slot, size);
	draw_bytes(p, (int)size, (int)s->guard->full);
}

void guard_resize(const char *call, struct kmem_slabs *s, void *p,
		  size_t size, uintptr_t caller)
{
	kmem_slot_t *slot = guarded_slot(s, p);

	if (!guard_intact(s->guard, p, slot))
		guard_damaged(call, s, p, slot, caller);
	guard_fit(s, p, size);
}
