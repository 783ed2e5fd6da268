/* SPDX-License-Identifier: MIT */
/*
 * track.c - who allocated an object, who freed it, and who has how many.
 *
 * A caller is one address: where the public function returns to. A kernel that
 * wants more supplies hooks.caller, and gets to choose the number that is kept
 * instead: an address further up, or that of a stack trace which it keeps.
 *
 * Locks: none; a record is written by whoever has its object CACHED. Tables
 * are made while nobody uses the cache.
 */
#include "bits.h"
#include "debug.h"
#include "format.h"

static uint32_t operations;

static uint64_t track_time(void)
{
	if (kmem_hooks.clock)
		return kmem_hooks.clock(kmem_hooks.ctx);
	kmem_add_relaxed(&operations, 1);
	return kmem_load_relaxed(&operations);
}

/* Of all tracks: who reports an object need not be the one who has it. */
static struct kmem_lock tracks;

void track_set(struct track *t, uintptr_t caller)
{
	struct track new = { caller, track_time(), kmem_arch_cpu() };
	uintptr_t irq;

	if (kmem_hooks.caller)
		new.caller = kmem_hooks.caller(kmem_hooks.ctx, caller);
	irq = lock_irq(&tracks);
	*t = new;
	unlock_irq(&tracks, irq);
}

static struct track track_get(const struct debug_object *o, enum track_of which)
{
	uintptr_t irq = lock_irq(&tracks);
	struct track t = o->rec->track[which];

	unlock_irq(&tracks, irq);
	return t;
}

static const char *const track_verb[NR_TRACKS] = { "allocated", "freed" };

const char *track_text(const struct debug_object *o, enum track_of which,
		       char text[TRACK_TEXT_MAX])
{
	const struct track t = track_get(o, which);

	text[0] = '\0';
	if (t.caller)
		format(text, TRACK_TEXT_MAX, "; %s by 0x%zx, CPU %u",
		       track_verb[which], (size_t)t.caller, t.cpu);
	return text;
}

void track_log(const struct debug_object *o)
{
	for (int i = 0; i < NR_TRACKS; i++) {
		const struct track t = track_get(o, (enum track_of)i);

		if (t.caller)
			kmem_log("kmem:   %s by 0x%zx, CPU %u, at %llu",
				 track_verb[i], (size_t)t.caller, t.cpu,
				 (unsigned long long)t.when);
	}
}

/* ---- tables ---- */

struct track_walk {
	enum track_of which;
	struct kmem_trace *table;
	size_t used, n;
};

/* Where a caller is counted; NULL: nowhere yet, and there is no room. */
static struct kmem_trace *table_entry(struct track_walk *w,
				      const void *caller)
{
	for (size_t i = 0; i < w->used; i++)
		if (w->table[i].caller == caller)
			return &w->table[i];
	if (w->used == w->n)
		return NULL;
	w->table[w->used] = (struct kmem_trace){ .caller = caller };
	return &w->table[w->used++];
}

/* The table is full: its last element is everybody's from now on. */
static struct kmem_trace *table_rest(struct track_walk *w)
{
	w->table[w->n - 1].caller = NULL;
	return &w->table[w->n - 1];
}

static void table_count(struct track_walk *w, const struct debug_object *o)
{
	const struct track *t = &o->rec->track[w->which];
	struct kmem_trace *e = table_entry(w, (const void *)t->caller);

	if (!e)
		e = table_rest(w);
	e->first = e->count ? KMEM_MIN(e->first, t->when) : t->when;
	e->last = KMEM_MAX(e->last, t->when);
	e->bytes += w->which == TRACK_ALLOC ? o->rec->size :
					      o->s->debug->object_size;
	e->count++;
}

static void table_slab(struct page *head, void *arg)
{
	struct track_walk *w = arg;

	for (unsigned i = 0; i < slab_objects(head); i++) {
		struct debug_object o = debug_object(head, i);
		kmem_slot_t slot = kmem_load_relaxed(slab_slot(head, i));

		if (!slot_on_its_way(slot) && o.rec->track[w->which].caller &&
		    (slot == SLOT_TRACKED) == (w->which == TRACK_ALLOC))
			table_count(w, &o);
	}
}

/* Largest first; those that have as many stay in their order. */
static void table_sort(struct kmem_trace *t, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		struct kmem_trace e = t[i];
		size_t at = i;

		for (; at > 0 && t[at - 1].count < e.count; at--)
			t[at] = t[at - 1];
		t[at] = e;
	}
}

size_t track_table(struct kmem_slabs *s, enum track_of which,
		   struct kmem_trace *table, size_t n)
{
	struct track_walk w = { which, table, 0, n };

	if (!n || !s->debug->user)
		return 0;
	slabs_for_each_slab(s, table_slab, &w);
	table_sort(table, w.used);
	return w.used;
}
