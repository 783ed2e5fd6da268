/* SPDX-License-Identifier: MIT */
/*
 * check.h - for programs that run on libkmem-malloc.so: a check that ends the
 * process, and that it is kmem whose malloc is called.
 */
#ifndef MALLOC_CHECK_H
#define MALLOC_CHECK_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* In C23, and not in every C library yet. */
typedef void free_sized_fn(void *p, size_t size);
typedef void free_aligned_sized_fn(void *p, size_t align, size_t size);

#define CHECK(cond) do {						\
	if (!(cond)) {							\
		fprintf(stderr, "%s:%d: %s (errno %d)\n", __FILE__,	\
			__LINE__, #cond, errno);			\
		_exit(1);						\
	}								\
} while (0)

static inline void check_preloaded(void)
{
	Dl_info info;
	void *p = dlsym(RTLD_DEFAULT, "malloc");

	CHECK(p && dladdr(p, &info));
	if (!strstr(info.dli_fname, "libkmem-malloc.so")) {
		fprintf(stderr, "malloc is that of %s: run with "
			"LD_PRELOAD=libkmem-malloc.so\n", info.dli_fname);
		_exit(1);
	}
}

/* Each byte of a block is known by the block's number and its place. */
static inline unsigned char pattern(uint64_t id, size_t i)
{
	return (unsigned char)((id * 0x9e3779b97f4a7c15u >> 56) + i * 7);
}

static inline void fill(void *p, size_t n, uint64_t id)
{
	unsigned char *c = p;

	for (size_t i = 0; i < n; i++)
		c[i] = pattern(id, i);
}

static inline int holds(const void *p, size_t n, uint64_t id)
{
	const unsigned char *c = p;

	for (size_t i = 0; i < n; i++)
		if (c[i] != pattern(id, i))
			return 0;
	return 1;
}

static inline uint64_t next_random(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15u);

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

#endif /* MALLOC_CHECK_H */
