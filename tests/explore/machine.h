/* SPDX-License-Identifier: MIT */
/*
 * tests/explore/machine.h - what scenarios are made of.
 *
 * A machine of three CPUs and half a MiB, magazines of six rounds, one cache
 * of large objects: so that a slab, a magazine or a depot is full or empty
 * after a few operations. Whoever gets an object or a block writes all of it
 * in the model's sight, so that two owners are a race; and what is held is
 * kept in a table, so that they are also seen when the schedule orders them.
 *
 * At the end of each schedule kmem_check_all() walks everything, and each page
 * and object is accounted for.
 */
#ifndef KMEM_TESTS_EXPLORE_MACHINE_H
#define KMEM_TESTS_EXPLORE_MACHINE_H

#include <kmem/kmem.h>

#include "explore.h"

#define ARENA_BYTES	(512 * 1024)
#define LARGE_BYTES	(1024 * 1024)	/* enough to group pages by mobility, */
#define PAGED_BYTES	(8192 * 1024)	/* and for one in each CPU's magazine */
#define OBJECT		1024
#define OBJECTS		64

extern char arena[PAGED_BYTES];
extern struct kmem_cache *cache;	/* objects of OBJECT bytes */
extern void *object[OBJECTS];		/* allocated by setup() */

/* Start it, with a cache of these flags. */
void machine_with(const struct kmem_params *params, slab_flags_t flags);
void machine(void);
void machine_of(size_t bytes, const struct kmem_params *params,
		slab_flags_t flags);
void large_machine(void);
void paged_machine(void);
/* The end of each setup(): this much is free. */
void settled(void);
extern size_t pages_free;

/* As that CPU, outside of any schedule. */
void on(unsigned cpu, void (*fn)(void));
void on_each(void (*fn)(void));

/* What is held. */
void hold(void *p, size_t size);
void drop(void *p);
size_t nr_held(size_t size);
bool is_held(const void *p, size_t size); /* by who holds so much */

/* Get and hold, drop and free; NULL is fine. */
void *get(void);
void put(void *p);
struct page *get_block(unsigned order);
void put_block(struct page *page, unsigned order);
void fill_objects(unsigned n);
void put_objects(unsigned first, unsigned n);
/* The cache has one slab, empty; in magazines there is nothing. */
void one_empty_slab(void);

/* Bodies that many scenarios share. */
void get_one(void);
void get_two(void);
void get_and_put(void);
void put_one(void);			/* object[0] */
void put_another(void);			/* object[1] */
void shrink(void);
void page_and_back(void);

/* The ends of schedules: kmem is sound; and nothing of `cache` is live that is
 * not held. */
size_t count_live(void);
void whole(void);
void sound(void);
void all_back(void);

#endif /* KMEM_TESTS_EXPLORE_MACHINE_H */
