/* SPDX-License-Identifier: MIT */
/*
 * debug.h - slabs whose objects are guarded and watched. Theory in debug.c.
 */
#ifndef KMEM_DEBUG_PRIVATE_H
#define KMEM_DEBUG_PRIVATE_H

#include "slab.h"

#include <kmem/debug.h>

/* Who did something to an object, and when. */
struct track {
	uintptr_t caller;		/* 0: nobody yet */
	uint64_t when;			/* hooks.clock, or a running number */
	unsigned cpu;
};

enum track_of { TRACK_ALLOC, TRACK_FREE, NR_TRACKS };

/* What is known of one object. */
struct debug_record {
	struct track track[NR_TRACKS];
	unsigned size;			/* where the right red zone begins; 0
					 * while it is free */
};

/* How many objects that were freed last are kept from their next user. */
#define DEBUG_HELD	16u

/* What a set of slabs is watched for. */
struct slab_debug {
	struct kmem_slabs records;	/* of one slab each, its slots behind */
	struct slab_node node;		/* of these */
	struct slab_debug *next;	/* of all that there are */
	unsigned object_size;
	bool red_zone, poison, user, trace, check;
	bool sized;			/* sizes are told one by one */
	struct kmem_lock lock;
	/* under lock: a ring of objects that are CACHED, or none */
	struct round held[DEBUG_HELD];
	unsigned oldest;		/* of them, never reduced */
	unsigned nr_held;
};

/* The same to the right, at least. */
#define RED_RIGHT	64u

/* Objects are at least that far from one another, so that the records of a
 * slab are few. */
#define DEBUG_MIN_STRIDE	64u

KMEM_INLINE bool slabs_checked(const struct kmem_slabs *s)
{
	return slabs_debugged(s) && s->debug->check;
}

KMEM_INLINE struct kmem_slabs *slabs_records(const struct kmem_slabs *s)
{
	return &s->debug->records;
}

/* One object of a debugged slab, with all that is known of it. */
struct debug_object {
	struct kmem_slabs *s;
	struct page *head;
	unsigned index;
	unsigned char *p;
	struct debug_record *rec;
};

struct debug_object debug_object(struct page *head, unsigned index);
/* The same for a pointer that is an object's first byte. */
struct debug_object debug_object_at(const void *p);

/*
 * Set up s, which has no slab yet, for what d says, with a red zone if there is
 * room for one. d stays in use as long as s.
 */
void debug_slabs_init(struct kmem_slabs *s, struct slab_debug *d,
		      size_t align);
/* Whether the smallest slab would be of a higher order than it is now. */
bool debug_raises_order(const struct kmem_slabs *s, const struct slab_debug *d,
			size_t align);

/* For slab_make() and slab_unmake(): memory for slots and records; all objects
 * are free from now on; all are free for the last time. */
kmem_slot_t *debug_slots_get(struct kmem_slabs *s, gfp_t gfp);
void debug_slots_put(struct kmem_slabs *s, kmem_slot_t *slots);
void debug_slab_made(struct page *head);
void debug_slab_ends(struct page *head);

/* A CACHED object is given to a user, for whom it has so many bytes, or taken
 * back. Report and repair what was written where it must not be. */
void debug_given(const void *p, size_t size, bool zero, uintptr_t caller);
void debug_taken(const char *call, const void *p, uintptr_t caller);

/* An object that was taken back is held, and another one, or none, is not any
 * more; all that are held go back to their slabs; fn is called for each. */
struct round debug_hold(struct kmem_slabs *s, struct round r);
void debug_release(struct kmem_slabs *s);
void debug_each_held(const struct kmem_slabs *s,
		     void (*fn)(const struct round *r, void *arg), void *arg);

/* The user's bytes from now on; the object is CACHED meanwhile. */
void debug_resize(const char *call, const void *p, size_t size,
		  uintptr_t caller);

/* Report and repair what is wrong with any object. Return: how much was.
 * Context: as slabs_for_each(). */
size_t debug_validate(const char *call, struct kmem_slabs *s);

/* Verify D1 to D4. */
void debug_check(struct kmem_slabs *s, struct check *c);

/* ---- who (track.c) ---- */

void track_set(struct track *t, uintptr_t caller);

/* "; allocated by 0x1234, CPU 1, at 99" or "", into a buffer. */
#define TRACK_TEXT_MAX	72
const char *track_text(const struct debug_object *o, enum track_of which,
		       char text[TRACK_TEXT_MAX]);

/* A line of the log for each of the two. */
void track_log(const struct debug_object *o);

/* Who has the objects in use, or freed those that are free; sorted by count. */
size_t track_table(struct kmem_slabs *s, enum track_of which,
		   struct kmem_trace *table, size_t n);

#endif /* KMEM_DEBUG_PRIVATE_H */
