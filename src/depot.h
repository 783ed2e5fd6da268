/* SPDX-License-Identifier: MIT */
/*
 * depot.h - the magazines that no CPU has loaded (depot.c), and where magazines
 * come from (magazine_make.c).
 *
 * Context of every call: any; interrupts may be masked.
 */
#ifndef KMEM_DEPOT_H
#define KMEM_DEPOT_H

#include "magazine.h"

/* An empty magazine for `limit` rounds, NULL without memory; and back. */
struct magazine *magazine_new(struct magazine_layer *l, unsigned limit);
void magazine_delete(struct magazine_layer *l, struct magazine *m);

/* A CPU's quarantine, NULL without memory; and back, empty. */
struct quarantine *quarantine_new(struct magazine_layer *l);
void quarantine_delete(struct magazine_layer *l, struct quarantine *q);

/* l->max_limit is known, and all depots are zero. Where memory is scarce, they
 * never hold more than depot_bytes for each CPU, or one magazine if that is
 * more. */
void depots_init(struct magazine_layer *l, size_t object_bytes,
		 size_t depot_bytes);

/* l->max_limit has changed, of a layer that nobody has used. */
void depots_set_least(struct magazine_layer *l);

/* l->max_limit has risen, and so does depot_bytes. */
void depots_grow(struct magazine_layer *l, size_t depot_bytes);

/* No CPU may use them any more. */
void depots_fini(struct magazine_layer *l);

/* A full magazine for an empty one (or for NULL), one that this CPU has left or,
 * if there is none, `any`. Return: NULL if there is none; then the empty one is
 * still the caller's. */
struct magazine *depot_get_full(struct magazine_layer *l,
				struct magazine *empty, bool any);

/* One round of a full magazine, if nobody has the lock. Context: NMI too. */
bool depot_try_take(struct magazine_layer *l, struct round *r);

/* Leave a magazine with n rounds. This CPU's depot may borrow of the bounds of
 * others for it. Return: false if they are all at their bounds; else *empty is an empty one, if there was one. */
bool depot_put_full(struct magazine_layer *l, struct magazine *full,
		    unsigned n, struct magazine **empty);

/* n objects are wanted from below. If some were flushed there, this CPU's depot,
 * or `any`, was too small for what its users do: raise its bound by as many of
 * them. */
void depot_regret(struct magazine_layer *l, size_t n, bool any);

/* Of all depots; near. */
size_t depot_objects(struct magazine_layer *l);

/* Up to `most` magazines back that were not needed since the last call, and
 * the bound down by as much; and empty ones, if there are more than full.
 * SIZE_MAX: all of them; and if nobody has come since the last call, the bounds
 * that are above the least down to it. */
void depot_trim(struct magazine_layer *l, size_t most);

#endif /* KMEM_DEPOT_H */
