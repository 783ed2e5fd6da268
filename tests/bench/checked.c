/* SPDX-License-Identifier: MIT */
/*
 * tests/bench/checked.c - the run that looks at what is in the blocks.
 *
 * Between workload and allocator stands a pair of functions that knows every
 * block that is out. A new one must be aligned and its start not be out
 * already; it is filled to its last byte, beginning with its own address. When
 * it comes back all of it must be as it was: so no two blocks may overlap, and
 * no allocator may write into a block while it is out. Of what is longer than
 * twice SEEN bytes, only so much at both ends.
 *
 * Blocks are in a hash table with open addressing; the one lock is no matter,
 * as nothing is timed. Slots that are emptied stay marked: there are several
 * for each allocation that a checking run makes.
 */
#include "bench.h"

#include <host.h>

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define SLOTS	((size_t)1 << 18)
#define SEEN	((size_t)512)
#define GONE	((void *)1)

static struct {
	struct block {
		void *p;	/* as the allocator gave it */
		size_t bytes;
	} *slot;
	struct bench_ops real;
	pthread_mutex_t lock;
	size_t out, bad, ever;
	bool pages;
} checked = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void bad(const char *what, const void *p, size_t bytes)
{
	if (!checked.bad++)
		fprintf(stderr, "bench: %s: %zu bytes at %p\n", what, bytes,
			p);
}

/* Where p is, or where it may go. */
static struct block *find(void *p)
{
	size_t i = ((uintptr_t)p >> 3) * 0x9e3779b97f4a7c15 >> 46;
	struct block *free = NULL, *b;

	for (;; i++) {
		b = &checked.slot[i % SLOTS];
		if (b->p == p)
			return b;
		if (!b->p)
			return free ? free : b;
		if (b->p == GONE && !free)
			free = b;
	}
}

static void *address(void *p)
{
	return checked.real.address ? checked.real.address(p) : p;
}

static unsigned char pattern(const void *at, size_t i)
{
	return (unsigned char)(((uintptr_t)at >> 3) * 31 + i * 7 + 1);
}

/* The byte to look at after this one. */
static size_t next(size_t i, size_t bytes)
{
	return i + 1 == SEEN && bytes > 2 * SEEN ? bytes - SEEN : i + 1;
}

static void fill(unsigned char *at, size_t bytes)
{
	uint64_t self = (uintptr_t)at;
	size_t i;

	for (i = 0; i < bytes; i = next(i, bytes))
		at[i] = pattern(at, i);
	memcpy(at, &self, bytes < sizeof(self) ? bytes : sizeof(self));
}

static bool is_filled(const unsigned char *at, size_t bytes)
{
	uint64_t self = (uintptr_t)at;
	size_t i;

	for (i = sizeof(self); i < bytes; i = next(i, bytes))
		if (at[i] != pattern(at, i))
			return false;
	return !memcmp(at, &self, bytes < sizeof(self) ? bytes :
		       sizeof(self));
}

static size_t bytes_of(uintptr_t what)
{
	return checked.real.bytes ? checked.real.bytes : what;
}

static void *checked_alloc(uintptr_t what, unsigned gfp)
{
	void *p = checked.real.alloc(what, gfp), *at;
	size_t bytes = bytes_of(what);
	struct block *b;

	if (!p)
		return NULL;
	at = address(p);
	pthread_mutex_lock(&checked.lock);
	b = find(p);
	if (b->p == p)
		bad("given out twice", at, bytes);
	else
		checked.out++;
	*b = (struct block){ p, bytes };
	if ((uintptr_t)at % (bytes >= 16 ? 16 : 8))
		bad("not aligned", at, bytes);
	checked.ever++;
	pthread_mutex_unlock(&checked.lock);
	fill(at, bytes);
	return p;
}

static void checked_free(void *p, uintptr_t what)
{
	struct block *b;

	pthread_mutex_lock(&checked.lock);
	b = find(p);
	if (b->p != p) {
		bad("freed but not out", p, 0);
	} else {
		if (!is_filled(address(p), b->bytes))
			bad("not as it was left", address(p), b->bytes);
		memset(address(p), 0xa5, b->bytes < SEEN ? b->bytes : SEEN);
		b->p = GONE;
		checked.out--;
	}
	pthread_mutex_unlock(&checked.lock);
	checked.real.free(p, what);
}

static size_t checked_bulk_alloc(const struct bench_ops *ops, size_t n,
				 void **p)
{
	size_t i, got = checked.real.bulk_alloc(&checked.real, n, p);
	struct bench_ops replay = checked.real;

	/* What came in bulk is entered one by one. */
	(void)ops;
	for (i = 0; i < got; i++) {
		struct block *b = find(p[i]);

		if (b->p == p[i])
			bad("given out twice", p[i], replay.bytes);
		*b = (struct block){ p[i], replay.bytes };
		checked.out++;
		checked.ever++;
		fill(p[i], replay.bytes);
	}
	return got;
}

static void checked_bulk_free(const struct bench_ops *ops, size_t n, void **p)
{
	size_t i;

	(void)ops;
	for (i = 0; i < n; i++) {
		struct block *b = find(p[i]);

		if (b->p != p[i] || !is_filled(p[i], b->bytes))
			bad("not as it was left", p[i], b->bytes);
		b->p = GONE;
		checked.out--;
	}
	checked.real.bulk_free(&checked.real, n, p);
}

void bench_checked_begin(struct bench_run *r)
{
	checked.slot = bench_memory(SLOTS * sizeof(*checked.slot));
	checked.real = r->ops;
	r->ops.alloc = checked_alloc;
	r->ops.free = checked_free;
	r->ops.bulk_alloc = checked_bulk_alloc;
	r->ops.bulk_free = checked_bulk_free;
}

static void kmem_violation(void *ctx, const char *line)
{
	fprintf(stderr, "bench: %s: %s\n", (const char *)ctx, line);
}

bool bench_checked_end(struct bench_run *r)
{
	bool kmem = r->contender->kind == BENCH_KMEM ||
		    r->contender->kind == BENCH_KMEM_CACHE;

	if (checked.out)
		bad("never freed", NULL, checked.out);
	if (!checked.ever)
		bad("nothing was allocated", NULL, 0);
	if (kmem && kmem_check_all(kmem_violation, (void *)r->row->name))
		checked.bad++;
	return !checked.bad;
}
