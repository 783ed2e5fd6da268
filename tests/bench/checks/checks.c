// SPDX-License-Identifier: MIT
/*
 * tests/bench/checks/checks.c - the hot pair, in a build of the library that
 * checks more or less: `make bench-checks` compiles it with each and compares.
 *
 *	checks			nanoseconds of each pair: "row|ns"
 *	checks ROW N		N pairs of one row, for callgrind
 *	checks rows		their names
 *
 * As measured on a machine that was shared with others (x86_64, gcc 12, 15 rounds
 * at a real-time priority), in ns; hardened once with the vectors that any
 * x86_64 has, and once by words, as kernels have it:
 *
 *	pair			unchecked  default  hardened  words
 *	kmalloc, kfree, 64	   3.9		4.5	10.5	11.3	59, 71, 162 instructions
 *	kmem_cache_alloc, 64	   3.4		4.4	 9.6	10.0	58, 73, 153
 *	kmalloc, kfree, 256	   3.8		4.6	13.8	17.1
 *	kmalloc, kfree, 1024	   3.8		4.6	26.9	42.7
 *	alloc_pages, order 0	   4.3		4.3	 4.3
 *
 * So the default's checks cost 1.15 to 1.28 times, and what is hardened 2.5 to
 * 2.9 times up to 64 bytes. Beyond, it is the bytes: each is zeroed at the free,
 * and looked at when it is given out again. On that CPU to zero 1,024 alone takes
 * 20.7 ns by words (two stores in a cycle: 17 bytes), 10.5 by memset() with its
 * vectors of 64 bytes; to look at them 13.6, by vectors of 16 bytes 9.2: no less
 * than 5 times an unchecked pair. At 256 bytes it is 8 ns by words, of the
 * 7.7 that 3 times would leave for all that hardening does.
 *
 * A pair is an allocation and the free of it, its memory written to in between
 * (the first word; of a page not at all).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kmem/kmem.h>

#include "bench.h"
#include "host.h"

#define MACHINE		((uint64_t)256 << 20)
#define PAIRS		20000		/* in a sample */
#define SAMPLES		25

static struct kmem_cache *cache;

static inline void use(void *p)
{
	bench_touch(p);
	bench_keep(p);
}

/* The size is a constant, as in most of a kernel's calls. */
#define CONSTANT(size) \
static void constant_##size(size_t n) \
{ \
	while (n--) { \
		void *p = kmalloc(size, GFP_KERNEL); \
		use(p); \
		kfree(p); \
	} \
}

/* The compiler does not know it. */
#define VARIABLE(size) \
static void variable_##size(size_t n) \
{ \
	volatile size_t bytes = size; \
	while (n--) { \
		void *p = kmalloc(bytes, GFP_KERNEL); \
		use(p); \
		kfree(p); \
	} \
}

CONSTANT(64)
CONSTANT(16)
CONSTANT(256)
CONSTANT(1024)
VARIABLE(64)
VARIABLE(16)
VARIABLE(256)
VARIABLE(1024)

static void of_cache(size_t n)
{
	while (n--) {
		void *p = kmem_cache_alloc(cache, GFP_KERNEL);

		use(p);
		kmem_cache_free(cache, p);
	}
}

static void of_pages(size_t n)
{
	while (n--) {
		struct page *page = alloc_pages(GFP_KERNEL, 0);

		bench_keep(page);
		__free_pages(page, 0);
	}
}

static const struct row {
	const char *name;
	void (*run)(size_t n);
	size_t cache;
} rows[] = {
	{ "kmalloc(64), kfree", constant_64, 0 },
	{ "kmalloc(16), kfree", constant_16, 0 },
	{ "kmalloc(256), kfree", constant_256, 0 },
	{ "kmalloc(1024), kfree", constant_1024, 0 },
	{ "kmalloc(n), n = 64", variable_64, 0 },
	{ "kmalloc(n), n = 16", variable_16, 0 },
	{ "kmalloc(n), n = 256", variable_256, 0 },
	{ "kmalloc(n), n = 1024", variable_1024, 0 },
	{ "kmem_cache_alloc, 16", of_cache, 16 },
	{ "kmem_cache_alloc, 64", of_cache, 64 },
	{ "kmem_cache_alloc, 256", of_cache, 256 },
	{ "kmem_cache_alloc, 1024", of_cache, 1024 },
	{ "alloc_pages, order 0", of_pages, 0 },
};

static void begin(const struct row *r)
{
	cache = r->cache ? kmem_cache_create("bench", r->cache, 0,
					     SLAB_NO_MERGE, NULL) : NULL;
	r->run(2000);			/* magazines are there, and long */
}

/* A sample that somebody else's work fell into is not counted: the least. */
static double sample(const struct row *r)
{
	uint64_t least = UINT64_MAX;

	for (unsigned i = 0; i < SAMPLES; i++) {
		uint64_t start = bench_ticks(), ticks;

		r->run(PAIRS);
		ticks = bench_ticks() - start;
		least = ticks < least ? ticks : least;
	}
	return (double)least / bench_ticks_per_ns() / PAIRS;
}

int main(int argc, char **argv)
{
	const size_t nr = sizeof(rows) / sizeof(rows[0]);

	host_machine(MACHINE, 2);
	for (size_t i = 0; i < nr; i++) {
		if (argc == 2) {
			printf("%s\n", rows[i].name);
		} else if (argc == 3 && !strcmp(argv[1], rows[i].name)) {
			begin(&rows[i]);
			rows[i].run(strtoul(argv[2], NULL, 10));
			return EXIT_SUCCESS;
		} else if (argc == 1) {
			begin(&rows[i]);
			printf("%s|%.3f\n", rows[i].name, sample(&rows[i]));
			if (cache)
				kmem_cache_destroy(cache);
		}
	}
	return argc == 3;
}
