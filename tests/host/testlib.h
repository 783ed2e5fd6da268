/* SPDX-License-Identifier: MIT */
/*
 * tests/host/testlib.h - what the tests share.
 *
 * Machines built from a map, recorded panics and log lines, drained machines,
 * random numbers that can be replayed, loops that shrink under slow tools.
 *
 * Nothing here needs a test framework: what does is in unit.h. Threads and long
 * loops use REQUIRE(), which ends the process: a framework's longjmp() must not
 * leave the thread that it started on.
 */
#ifndef KMEM_TESTLIB_H
#define KMEM_TESTLIB_H

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <kmem/kmem.h>

#include "host.h"

#define KIB		((uint64_t)1 << 10)
#define MIB		((uint64_t)1 << 20)
#define GIB		((uint64_t)1 << 30)
#define PAGE		((uint64_t)KMEM_PAGE_SIZE)

/* -------------------------------------------------------------- in general */

/* n, or the share of it that the environment's KMEM_TEST_SCALE (percent)
 * leaves; at least 1. */
unsigned test_scaled(unsigned n);

/* 1, or less often where KMEM_TEST_SCALE is below 30: the step of a loop that
 * is otherwise complete. */
unsigned test_step(void);

/* The process is an emulator's, or each of its accesses is watched: what the host
 * says of time and memory is not about us. */
bool test_emulated(void);

/* The environment's KMEM_SEED, or a new seed; printed either way, so that a
 * failure can be replayed. */
uint64_t test_seed(const char *program);

/* The next of a sequence of random numbers, and one below n. */
uint64_t test_random(uint64_t *state);
uint64_t test_below(uint64_t *state, uint64_t n);

/* Fill memory with a pattern that depends on `tag`, and look for a change:
 * returns the first changed byte or NULL. */
void test_fill(void *p, size_t size, uint64_t tag);
const void *test_changed(const void *p, size_t size, uint64_t tag);

/* What ksize() says of kmalloc(size): with guards, what was asked for. */
static inline size_t test_ksize(size_t size)
{
	return KMEM_HARDEN && size <= KMALLOC_MAX_CACHE_SIZE ? size :
		kmalloc_size_roundup(size);
}

/* Print what is wrong and abort. */
void test_fail(const char *file, int line, const char *what)
	__attribute__((noreturn));
#define REQUIRE(cond) \
	((cond) ? (void)0 : test_fail(__FILE__, __LINE__, #cond))

/* --------------------------------------------------------------- a machine */

struct test_range {
	kmem_phys_t start, end;
	enum kmem_region_type type;
	int node;
};

/* Forget the machine before, and give kmem this map. No memory yet. Returns
 * the first error of kmem_add_region(), or KMEM_OK. */
int test_map(const struct test_range *map, size_t n);

/* test_map(), memory for all its usable and later ranges, then kmem_init(). `params`
 * may be NULL; its virt_offset is replaced. Returns what kmem_init() does. */
int test_machine(const struct test_range *map, size_t n,
		 const struct kmem_params *params);

/* The same for a map that kmem has been given already. */
int test_start(const struct test_range *map, size_t n,
	       const struct kmem_params *params);

/* Empty the magazines and depots of CPUs 0 .. nr_cpus - 1 and give back all
 * empty slabs; the calling thread is CPU 0 afterwards. */
void test_drain(unsigned nr_cpus);

/* Lines that kmem_check_all() has to say, printed to stderr: 0 is well. */
size_t test_violations(void);

/* The n-th zone with memory whose name is `name` on `node`; false if there
 * is none. */
bool test_zone(const char *name, int node, struct kmem_zone_stats *st);

/* Pages that are free or in slabs, kmem's own structures included. With those
 * that alloc_pages() and large kmalloc() have given: all that is managed. It
 * changes by what callers take and give, and by nothing else. */
size_t test_pages(void);

/* Objects of all caches that users have. */
size_t test_live_objects(void);

/* hooks.call_rcu: a queue. What is in it runs when the readers that were there
 * have left, which the test says; or is forgotten, with the machine. */
void test_call_rcu(void *ctx, struct rcu_head *head,
		   void (*fn)(struct rcu_head *head));
void test_grace_period(void);
bool test_rcu_waits(void);
void test_rcu_forget(void);

/* ----------------------------------------------- what kmem had to complain */

/* From here on, remember what kmem_panic() is told, and go on. */
void test_panics_record(void);
/* Back to aborting. */
void test_panics_abort(void);
unsigned test_panics(void);
const char *test_panic(unsigned nth);
/* Forget them. */
void test_panics_clear(void);
/* One was recorded since the last clear, and its text contains all of: the
 * address in hexadecimal (if not NULL), and two words (if not NULL). Then
 * forgets it. */
bool test_panicked(const void *addr, const char *word, const char *word2);

/* hooks.log for a machine whose log lines are to be looked at. */
void test_log(void *ctx, const char *line);
void test_log_clear(void);
/* A line logged since the last clear contains this. */
bool test_logged(const char *words);
unsigned test_log_lines(void);

#endif /* KMEM_TESTLIB_H */
