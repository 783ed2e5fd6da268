/* SPDX-License-Identifier: MIT */
/*
 * private.h - what the files of the malloc library know of one another.
 */
#ifndef KMEM_MALLOC_PRIVATE_H
#define KMEM_MALLOC_PRIVATE_H

#include <kmem/kmem.h>

/* ---- arena.c: memory, settings, the start ---- */

/* The range of addresses that kmem's memory lies in. */
struct arena {
	uintptr_t base;
	size_t bytes;			/* 0: not started, or none to be had */
};

extern struct arena arena;

/* Start kmem, once; every thread may call it at any time. */
void arena_start(void);

KMEM_INLINE bool in_arena(const void *p)
{
	return KMEM_LIKELY((uintptr_t)p - arena.base < arena.bytes);
}

/* Write a line to stderr, whatever state the process is in. */
void say(const char *line);

/* ---- threads.c ---- */

void threads_init(unsigned nr_cpus);

/*
 * Give this thread a CPU if it has none to itself. Return: whether it has one
 * now; if not, every call into kmem must be made between section_enter() and
 * section_leave().
 */
bool thread_attach(void);

KMEM_INLINE void section_enter(void)
{
	(void)kmem_arch_irq_save();
}

KMEM_INLINE void section_leave(void)
{
	kmem_arch_irq_restore(0);
}

/* A lock whose holder is in a section: fork() waits for it to be released. */
struct section_lock {
	uint8_t locked;
};

KMEM_INLINE void section_lock(struct section_lock *l)
{
	section_enter();
	while (kmem_exchange_acquire(&l->locked, 1))
		kmem_arch_relax();
}

KMEM_INLINE void section_unlock(struct section_lock *l)
{
	kmem_store_release(&l->locked, 0);
	section_leave();
}

/* ---- big.c: blocks that are mappings of their own ---- */

/* align: a power of two. `zeroed`, or with whatever is in it. Return: NULL without
 * memory. */
void *big_alloc(size_t size, size_t align, bool zeroed);

/* Bytes that may be used at p; 0 if it is no such block. */
size_t big_size(const void *p);

/* Return: false if it is no such block. */
bool big_free(void *p);

/* Grow or shrink the block at p, which may move. NULL: it is as it was. */
void *big_resize(void *p, size_t size);

/* Blocks, their bytes, and those of freed ones that are kept. */
void big_count(size_t *nr, size_t *bytes, size_t *kept);

/* What was freed and is kept goes to the system. Return: whether there was any. */
bool big_trim(void);

/* ---- kept.c: those that were freed; big.c's lock is held ---- */

struct mapping {
	uintptr_t addr;			/* bytes 0: none */
	size_t bytes;			/* whole pages */
};

#define KEPT_MAPPINGS	16u

/* Less than that is not worth a place: smaller requests come here only for want of
 * other memory, and larger ones want more. */
#define MAPPING_LEAST	((size_t)KMALLOC_MAX_SIZE / 4)

/* One so large, or a little larger; or, to `grow`, a smaller one, which has not so
 * many bytes; or none. align: as for big_alloc(). */
struct mapping kept_take(size_t bytes, size_t align, bool grow);

/* Keep it; so much is in use. What has to go, it may be among them, is in
 * out[KEPT_MAPPINGS + 1]. Return: how many. */
unsigned kept_put(struct mapping m, size_t in_use, struct mapping *out);

/* Only so much is in use now: what has to go is in out[KEPT_MAPPINGS]. Return: how
 * many. */
unsigned kept_fit(size_t in_use, struct mapping *out);

/* All of them, to out[KEPT_MAPPINGS]. Return: how many. */
unsigned kept_drop(struct mapping *out);

size_t kept_bytes(void);

#endif /* KMEM_MALLOC_PRIVATE_H */
