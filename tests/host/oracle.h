/* SPDX-License-Identifier: MIT */
/*
 * tests/host/oracle.h - what is held, and what must be true of it.
 */
#ifndef KMEM_TEST_ORACLE_H
#define KMEM_TEST_ORACLE_H

#include "calls.h"

#define BASE		(8 * MIB)
#define BYTES		(32 * MIB)
#define DMA_END		(16 * MIB)

enum kind { KMALLOC, CACHE, BLOCK, EXACT };

struct holding {
	char *p;
	size_t size;		/* bytes that are ours */
	uint32_t tag;
	uint8_t kind, order, cache;
	bool shared;		/* once: put_page() alone frees it where the
				 * small configuration says so (page_ref.h) */
};

#define HELD_MAX	200000u

extern struct calls_source calls_source;

extern struct holding held[HELD_MAX];
extern unsigned nr_held;
extern size_t held_pages;	/* of blocks: not in slabs */
extern size_t held_objects;	/* in slabs */

void calls_failed(const char *file, int line, const char *what)
	__attribute__((noreturn));
#define CHECK(cond) \
	((cond) ? (void)0 : calls_failed(__FILE__, __LINE__, #cond))

static inline uint64_t below(uint64_t n)
{
	return calls_source.below(n);
}

/* Whether somebody holds that byte. */
bool is_owned(const void *p);

void verify(const struct holding *h);
void hold(enum kind kind, void *p, size_t size, unsigned extra, gfp_t gfp);

/* It is no longer in the list; the caller frees it now. */
struct holding let_go(unsigned i);

/* One of that kind, or HELD_MAX. */
unsigned find_held(enum kind kind);

#endif /* KMEM_TEST_ORACLE_H */
