/* SPDX-License-Identifier: MIT */
/*
 * tests/size/pool.h - an allocator, as fill.c sees one.
 */
#ifndef SIZE_POOL_H
#define SIZE_POOL_H

#include <stddef.h>

/* Begin anew with that memory; all that was taken is gone. */
void pool_start(char *start, size_t size);

/* NULL if there is none; and back. */
void *pool_take(size_t size);
void pool_give(void *p);

#endif /* SIZE_POOL_H */
