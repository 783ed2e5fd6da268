/* SPDX-License-Identifier: MIT */
/*
 * tests/size/pool_tlsf.c - fill.c's allocator: TLSF.
 */
#include <tlsf.h>

#include "pool.h"

static tlsf_t tlsf;

/* Its complaints: it has none. */
int printf(const char *fmt, ...);

int printf(const char *fmt, ...)
{
	(void)fmt;
	return 0;
}

void pool_start(char *start, size_t size)
{
	tlsf = tlsf_create_with_pool(start, size & ~(size_t)7);
}

void *pool_take(size_t size)
{
	return tlsf_malloc(tlsf, size);
}

void pool_give(void *p)
{
	tlsf_free(tlsf, p);
}
