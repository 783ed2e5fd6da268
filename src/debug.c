/* SPDX-License-Identifier: MIT */
/*
 * debug.c - objects between red zones, poisoned while they are free.
 *
 *	| pad | zone | obj 0 | zone: right of 0, left of 1 | obj 1 | zone | rest |
 *	       ◄left►       ◄────────── right ──────►◄left►
 *	      ◄────────────────── stride ─────────────────►
 *
 * A cache is debugged if its kmem_slabs has a `debug`. Its slabs differ from
 * others in three ways, and in nothing else:
 *
 * Room. Objects are a stride apart that has room for red zones, and the first
 * begins at `start`; both are multiples of the alignment, so that an object is
 * aligned as ever. slab_index(), which is part of every kfree(), knows nothing
 * of it: offsets are counted from a bias before the slab (to_offset), and
 * the room before the first object has index 0. A zone belongs to one object,
 * to its end: nobody looks at the zones of an object that another CPU has.
 * With kmalloc() the right zone begins where the size asked for ends.
 *
 * Records. Who allocated and freed an object, and its size, are in an array
 * out of reach of any object, one a slab, which the slots follow.
 *
 * States. An object in use is TRACKED, not LIVE. So all that frees an object
 * on the fast path is refused there, and comes to be decided under the lock of
 * the node, where one of any number of frees of an object succeeds:
 *
 *	      take           debug_given            claim          give
 *	free ───────► CACHED ────────────► TRACKED ───────► CACHED ─────► free
 *	               verify, as free             verify, as used
 *	               draw, as used               draw, as free
 *
 * Before it is given to its slab it is held until DEBUG_HELD others have been
 * freed: who frees it once more meanwhile frees nobody else's. When memory runs
 * short, all that are held go at once.
 *
 * While it is CACHED an object is its CPU's alone: there are no magazines. What
 * it must look like in either life is a few bands, runs of one byte (bands()),
 * and to draw and to verify go by the same ones:
 *
 *	       left zone   object                  right zone
 *	free   bb bb bb    6b 6b 6b 6b 6b 6b a5    bb bb bb bb bb bb
 *	used   cc cc cc    (the user's)    cc cc   cc cc cc cc cc cc
 *	                            size ──►       ◄── object_size
 *
 * Damage is reported with the bytes, and with who had the object; if
 * kmem_panic() returns, the band is drawn again and the operation goes on. The
 * object is lost to nobody: whoever wrote there may do it again, and will be
 * found again.
 *
 * Invariants, for each object of a debugged slab:
 *
 *  D1	in use: its red zones, from its size on, are KMEM_RED_ACTIVE
 *  D2	free: they are KMEM_RED_INACTIVE, and its bytes poison
 *  D3	in use: 1 <= size <= object_size; free: size == 0
 *  D4	its slot is not LIVE
 *
 * Locks: the debug's own, for what is held. Whoever has an object CACHED may
 * draw and verify it.
 *
 * Cost: O(stride) for each allocation and free; sizeof(struct debug_record)
 * and at least RED_LEFT + RED_RIGHT bytes an object.
 *
 * Not found: a write beyond the zones that hits the inside of another object in
 * use; a write after free to an object that has a new user by then; what lies
 * between the last object and the end of the slab.
 */
#include "bits.h"
#include "debug.h"
#include "format.h"

/* ---- layout ---- */

/* False: no room for red zones. */
static bool layout(struct kmem_slabs *s, const struct slab_debug *d,
		   size_t align)
{
	size_t stride = (size_t)round_up_to(KMEM_MAX(s->size, DEBUG_MIN_STRIDE),
					    align);

	if (d->red_zone && slabs_layout_apart(s, d->object_size, align,
					      RED_LEFT, RED_RIGHT))
		return true;
	slabs_layout(s, stride);
	return !d->red_zone;
}

bool debug_raises_order(const struct kmem_slabs *s, const struct slab_debug *d,
			size_t align)
{
	struct kmem_slabs trial = *s;

	layout(&trial, d, align);
	return trial.min_order > s->min_order;
}

static size_t records_bytes(const struct kmem_slabs *s)
{
	return s->objects * sizeof(struct debug_record);
}

void debug_slabs_init(struct kmem_slabs *s, struct slab_debug *d, size_t align)
{
	size_t bytes;

	if (!layout(s, d, align)) {
		kmem_log("kmem: cache %s: objects of %u bytes are too large "
			 "for red zones", s->name, d->object_size);
		d->red_zone = false;
	}
	s->debug = d;
	bytes = records_bytes(s) + nr_slots(s, s->order) * sizeof(kmem_slot_t);
	tables_init(&d->records, "debug-records",
		    (size_t)round_up_to(bytes, _Alignof(struct debug_record)),
		    &d->node);
	d->records.get_pages = s->get_pages;
	d->records.put_pages = s->put_pages;
}

kmem_slot_t *debug_slots_get(struct kmem_slabs *s, gfp_t gfp)
{
	char *mem = table_alloc(slabs_records(s), gfp);

	if (!mem)
		return NULL;
	memset(mem, 0, records_bytes(s));
	return (kmem_slot_t *)(void *)(mem + records_bytes(s));
}

void debug_slots_put(struct kmem_slabs *s, kmem_slot_t *slots)
{
	slabs_free(slabs_records(s), (char *)slots - records_bytes(s));
}

struct debug_object debug_object(struct page *head, unsigned index)
{
	struct kmem_slabs *s = head->slabs;
	char *records = (char *)head->slot - records_bytes(s);

	return (struct debug_object){
		s, head, index, slab_object(head, index),
		(struct debug_record *)(void *)records + index
	};
}

struct debug_object debug_object_at(const void *p)
{
	struct page *page = virt_to_page(p);
	struct slab_index i = slab_index(page, page->slabs, p);

	return debug_object(slab_head(page),
			    (unsigned)i.index - slabs_first(page->slabs));
}

/* ---- what an object must look like ---- */

/* Bytes from `from` to `to`, seen from the object, that are all `byte`. */
struct band {
	const char *damage;		/* if they are not */
	int from, to;
	unsigned char byte;
};

#define BANDS_MAX	4

static unsigned bands(const struct debug_object *o, bool used,
		      struct band b[BANDS_MAX])
{
	const struct slab_debug *d = o->s->debug;
	int left = (int)slabs_left(o->s), end = (int)o->s->size - left;
	int size = (int)d->object_size, from = used ? (int)o->rec->size : size;
	unsigned char red = used ? KMEM_RED_ACTIVE : KMEM_RED_INACTIVE;
	unsigned n = 0;

	if (d->red_zone) {
		b[n++] = (struct band){ "left red zone overwritten", -left, 0,
					red };
		b[n++] = (struct band){ "right red zone overwritten", from,
					end, red };
	}
	if (d->poison && !used) {
		b[n++] = (struct band){ "written after free", 0, size - 1,
					KMEM_POISON_FREE };
		b[n++] = (struct band){ "written after free", size - 1, size,
					KMEM_POISON_END };
	}
	return n;
}

static void band_draw(const struct debug_object *o, const struct band *b)
{
	memset(o->p + b->from, b->byte, (size_t)(b->to - b->from));
}

static void draw(const struct debug_object *o, bool used)
{
	struct band b[BANDS_MAX];
	unsigned n = bands(o, used, b);

	while (n--)
		band_draw(o, &b[n]);
}

/* The first byte that differs, and how many do; 0: none. */
static size_t band_damage(const struct debug_object *o, const struct band *b,
			  int *first)
{
	size_t n = 0;

	for (int i = b->from; i < b->to; i++)
		if (o->p[i] != b->byte && !n++)
			*first = i;
	return n;
}

/* ---- reports ---- */

#define DUMP_BYTES	16

/* Bytes around `at`, for the log; within what is the object's. */
static void log_bytes(const struct debug_object *o, int at)
{
	char text[3 * DUMP_BYTES + 1];
	int left = (int)slabs_left(o->s), end = (int)o->s->size - left;
	size_t len = 0;

	at = KMEM_MAX(at - DUMP_BYTES / 4, -left);
	end = KMEM_MIN(at + DUMP_BYTES, end);
	for (int i = at; i < end; i++)
		len += format(text + len, sizeof(text) - len, " %02x",
			      o->p[i]);
	kmem_log("kmem:   bytes from %d on:%s", at, text);
}

static void report(const char *call, const struct debug_object *o,
		   const struct band *b, bool used, uintptr_t caller)
{
	char who[TRACK_TEXT_MAX];
	int first = b->from;
	size_t n = band_damage(o, b, &first);

	kmem_log("kmem: cache %s, object %p of %u bytes (index %u): %s: %zu of "
		 "%d bytes from %d on are not %02x", o->s->name, (void *)o->p,
		 used ? o->rec->size : o->s->debug->object_size, o->index,
		 b->damage, n, b->to - b->from, b->from, b->byte);
	log_bytes(o, first);
	track_log(o);
	kmem_misuse_by(caller, "damage", o->p,
		       "kmem: %s(%p): %s: cache %s, slab %p, index %u, at %d: "
		       "expected %02x, found %02x%s", call, (void *)o->p,
		       b->damage, o->s->name, page_to_virt(o->head), o->index,
		       first, b->byte, o->p[first],
		       track_text(o, used ? TRACK_ALLOC : TRACK_FREE, who));
}

/* Report and repair; the caller, if 0, is nobody in particular. Return: false
 * if there was something. */
static bool verify(const char *call, const struct debug_object *o, bool used,
		   uintptr_t caller)
{
	struct band b[BANDS_MAX];
	unsigned n = bands(o, used, b);
	bool well = true;
	int first = 0;

	for (unsigned i = 0; i < n; i++) {
		if (KMEM_LIKELY(!band_damage(o, &b[i], &first)))
			continue;
		report(call, o, &b[i], used, caller);
		band_draw(o, &b[i]);
		well = false;
	}
	return well;
}

/* ---- the life of an object ---- */

void debug_slab_made(struct page *head)
{
	for (unsigned i = 0; i < slab_objects(head); i++) {
		struct debug_object o = debug_object(head, i);

		draw(&o, false);
	}
}

void debug_slab_ends(struct page *head)
{
	for (unsigned i = 0; i < slab_objects(head); i++) {
		struct debug_object o = debug_object(head, i);

		verify("end of the slab", &o, false, 0);
	}
}

static void trace(const struct debug_object *o, const char *what,
		  uintptr_t caller)
{
	if (o->s->debug->trace)
		kmem_log("kmem: TRACE %s %s %p, index %u, %u bytes, by 0x%zx",
			 o->s->name, what, (void *)o->p, o->index,
			 o->rec->size, (size_t)caller);
}

void debug_given(const void *p, size_t size, bool zero, uintptr_t caller)
{
	struct debug_object o = debug_object_at(p);
	const struct slab_debug *d = o.s->debug;

	verify("allocation", &o, false, caller);
	o.rec->size = d->sized ? (unsigned)size : d->object_size;
	draw(&o, true);
	if (zero)
		memset(o.p, 0, o.rec->size);
	else if (d->poison)
		memset(o.p, KMEM_POISON_INUSE, o.rec->size);
	if (d->user)
		track_set(&o.rec->track[TRACK_ALLOC], caller);
	trace(&o, "alloc", caller);
	kmem_store_relaxed(slab_slot(o.head, o.index), SLOT_TRACKED);
}

void debug_taken(const char *call, const void *p, uintptr_t caller)
{
	struct debug_object o = debug_object_at(p);

	verify(call, &o, true, caller);
	trace(&o, "free", caller);
	if (o.s->debug->user)
		track_set(&o.rec->track[TRACK_FREE], caller);
	o.rec->size = 0;
	draw(&o, false);
}

/* ---- freed lately ---- */

struct round debug_hold(struct kmem_slabs *s, struct round r)
{
	struct slab_debug *d = s->debug;
	uintptr_t irq = lock_irq(&d->lock);
	struct round *at = &d->held[d->oldest++ % DEBUG_HELD], oldest = *at;

	*at = r;
	if (!oldest.obj)
		kmem_store_relaxed(&d->nr_held, d->nr_held + 1);
	unlock_irq(&d->lock, irq);
	return oldest;
}

void debug_release(struct kmem_slabs *s)
{
	struct slab_debug *d = s->debug;
	struct round r[DEBUG_HELD];
	size_t n = 0;
	uintptr_t irq = lock_irq(&d->lock);

	for (unsigned i = 0; i < DEBUG_HELD; i++) {
		r[n] = d->held[d->oldest++ % DEBUG_HELD];
		n += !!r[n].obj;
	}
	memset(d->held, 0, sizeof(d->held));
	kmem_store_relaxed(&d->nr_held, 0);
	unlock_irq(&d->lock, irq);
	slabs_give(s, r, n);
}

void debug_each_held(const struct kmem_slabs *s,
		     void (*fn)(const struct round *r, void *arg), void *arg)
{
	for (unsigned i = 0; i < DEBUG_HELD; i++)
		if (s->debug->held[i].obj)
			fn(&s->debug->held[i], arg);
}

void debug_resize(const char *call, const void *p, size_t size,
		  uintptr_t caller)
{
	struct debug_object o = debug_object_at(p);

	verify(call, &o, true, caller);
	if (o.s->debug->sized)
		o.rec->size = (unsigned)size;
	draw(&o, true);
}

/* ---- all of them ---- */

struct debug_walk {
	const char *call;		/* report and repair; or */
	struct check *c;		/* tell only */
	size_t damaged;
};

static void check_bands(struct check *c, const struct debug_object *o,
			bool used)
{
	struct band b[BANDS_MAX];
	unsigned n = bands(o, used, b);
	int first = 0;

	for (unsigned i = 0; i < n; i++)
		if (band_damage(o, &b[i], &first))
			check_violated(c, "D%d: cache %s, object %p (index %u): "
				       "%s: at %d: expected %02x, found %02x",
				       used ? 1 : 2, o->s->name, (void *)o->p,
				       o->index, b[i].damage, first, b[i].byte,
				       o->p[first]);
}

static void check_object(struct check *c, const struct debug_object *o,
			 kmem_slot_t slot)
{
	bool used = slot == SLOT_TRACKED;

	if (slot == SLOT_LIVE)
		check_violated(c, "D4: cache %s, object %p (index %u) is LIVE",
			       o->s->name, (void *)o->p, o->index);
	else if (!slot_on_its_way(slot) &&
		 (used ? o->rec->size - 1 >= o->s->debug->object_size :
			 o->rec->size != 0))
		check_violated(c, "D3: cache %s, object %p (index %u): %u bytes "
			       "in use of %u", o->s->name, (void *)o->p,
			       o->index, o->rec->size,
			       used ? o->s->debug->object_size : 0);
	else if (!slot_on_its_way(slot))
		check_bands(c, o, used);
}

static void debug_objects(struct page *head, void *arg)
{
	struct debug_walk *w = arg;

	for (unsigned i = 0; i < slab_objects(head); i++) {
		struct debug_object o = debug_object(head, i);
		kmem_slot_t slot = kmem_load_relaxed(slab_slot(head, i));

		if (w->c)
			check_object(w->c, &o, slot);
		else if (!slot_on_its_way(slot))
			w->damaged += !verify(w->call, &o,
					      slot == SLOT_TRACKED, 0);
	}
}

static void debug_held_object(const struct round *r, void *arg)
{
	struct debug_object o = debug_object_at(r->obj);
	struct debug_walk *w = arg;

	if (w->c)
		check_bands(w->c, &o, false);
	else
		w->damaged += !verify(w->call, &o, false, 0);
}

size_t debug_validate(const char *call, struct kmem_slabs *s)
{
	struct debug_walk w = { .call = call };

	slabs_for_each_slab(s, debug_objects, &w);
	debug_each_held(s, debug_held_object, &w);
	return w.damaged;
}

void debug_check(struct kmem_slabs *s, struct check *c)
{
	struct debug_walk w = { .c = c };

	slabs_check(slabs_records(s), c);
	slabs_for_each_slab(s, debug_objects, &w);
	debug_each_held(s, debug_held_object, &w);
}
