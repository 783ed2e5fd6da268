/* SPDX-License-Identifier: MIT */
/*
 * tests/boot/boot.h - the parts of the test kernel, in reading order.
 *
 *	main.c		what is done, in which order
 *	port.c		how kmem is tied to a kernel: the worked example
 *	vm.c		page tables for vmalloc(): the hooks, worked out
 *	catch.c, ranges.c	what only a test adds to that
 *	cpus.c		work for other CPUs, and calls between them
 *	selftest.c	each call of the API, on one CPU; with test_kmalloc.c,
 *			test_cache.c, test_pages.c, test_vmalloc.c,
 *			test_misuse.c
 *	workload.c	all CPUs and their interrupts at once; with item.c
 *	accounts.c	that nothing is lost
 *	pattern.c	contents that tell whose memory this is
 *	print.c, string.c, divide.c
 *			what a C library would supply
 */
#ifndef BOOT_BOOT_H
#define BOOT_BOOT_H

#include <kmem/kmem.h>

#include "machine.h"

/*
 * Tables and tests are as large as the machine allows: one of two sizes. The
 * largest block that kmem was configured for tells which.
 */
#define BY_MEMORY(plenty, little) \
	(KMEM_PAGE_SIZE << KMEM_MAX_ORDER >= 65536 ? (plenty) : (little))

/* An expectation of the test; the run ends at the first that fails. */
#define CHECK(cond) \
	do { \
		if (KMEM_UNLIKELY(!(cond))) \
			boot_fail("%s:%d: not true: %s", __FILE__, __LINE__, \
				  #cond); \
	} while (0)

/* ---- port.c ---- */

/* Hand kmem the machine's memory, and start it. */
void port_init(void);

/* See that it works. */
void port_prove(void);

/* Physical address of the page that CPUs start in; 0 if none is needed. */
uint64_t port_start_page(void);

/* What the hook `reclaim` does: fn frees memory, returns how many pages. */
void port_on_reclaim(size_t (*fn)(void));

/* kmem_out_fn: one line to the console. */
void port_print_line(void *ctx, const char *line);

/* ---- vm.c ---- */

/* Whether this machine has page tables that vmalloc() can be tried with. */
#define HAVE_VM \
	(sizeof(void *) == 8 && KMEM_PAGE_SHIFT == 12 && machine.vm.start)

/* Start vmalloc(). All CPUs run. */
void vm_init(void);

/* Calls of `map` so far. */
size_t vm_maps(void);

/* Free all page tables of the range; nothing is mapped there. */
void vm_free_tables(void);

/* ---- catch.c, ranges.c ---- */

/* True if the firmware calls all of that usable, the direct map reaches it,
 * and nobody but kmem uses it. */
bool port_may_be_given(kmem_phys_t start, kmem_phys_t size);

/* The node of an address, as the firmware says. */
int port_node(kmem_phys_t at);

/*
 * Call fn(arg), which misuses kmem: true if that was reported through
 * kmem_panic() exactly once, with a reason that contains `expect`. Only while
 * no other CPU uses kmem.
 */
bool port_catches(void (*fn)(void *arg), void *arg, const char *expect);

/* For kmem_panic(): true if this report is what port_catches() waits for. */
bool catches(const char *reason);

/* To the console. */
void range_print(const struct machine_range *r);

/* Fail unless kmem's account agrees with the machine's map. */
void ranges_check(const struct kmem_boot_info *info);

/* ---- cpus.c ---- */

/* Start all CPUs but this one; they wait for work. */
void cpus_start(uint64_t start_page);

/* Run fn on every CPU, return when all have finished. From CPU 0. */
void cpus_run(void (*fn)(void));

/* The hook run_on_cpu. */
void cpus_call(void *ctx, unsigned cpu, void (*fn)(void *), void *arg);

/* How many calls were served, of them in an interrupt handler. */
uint64_t cpus_calls_served(void);
uint64_t cpus_calls_interrupting(void);

/* True if no CPU has used its stack to the end. */
bool cpus_stacks_intact(void);

/* What boot_tick() calls, armed by machine_timer(); NULL: nothing. */
void cpus_on_tick(void (*fn)(void));

/* ---- accounts.c: see there. No other CPU may use kmem. ---- */

struct account {
	size_t pages;			/* free, or kmem's own */
	size_t live;			/* objects that users hold */
};

struct account account_now(void);

/* Fail unless now is as before, and every invariant of kmem's holds. */
void account_check(const struct account *before, const char *what);

/* ---- pattern.c ---- */

void pattern_fill(void *p, size_t size, uint32_t seed);
bool pattern_holds(const void *p, size_t size, uint32_t seed);
bool is_zero(const void *p, size_t size);

/* ---- item.c: the workload's blocks ---- */

struct item;

#define ITEM_CACHES 4
extern struct kmem_cache *item_cache[ITEM_CACHES];

void items_init(void);
void items_exit(void);

/* Where memory is little, the workload may use it up. */
#define MAY_RUN_OUT BY_MEMORY(false, true)

/* A block of random kind and size, filled. If there is none: NULL if memory
 * MAY_RUN_OUT, else it fails the run. */
struct item *item_new(uint64_t *rng, gfp_t gfp);

/* krealloc() it, if it is of that kind, to a random size; NULL: nothing. */
void item_resize(struct item **slot, uint64_t *rng);

/* Check its contents, then free it; NULL: nothing. */
void item_free(struct item *it);

/* The same in an NMI; NULL if it can't be had at once. */
struct item *item_new_nolock(uint64_t *rng);
void item_free_nolock(struct item *it);

/* ---- the tests ---- */

void selftest(void);
void test_kmalloc_sizes(void);
void test_kmalloc_limits(void);
void test_kmalloc_zero(void);
void test_krealloc(void);
void test_copies(void);
void test_cache(void);
void test_cache_bulk(void);
void test_cache_walk(void);
void test_aligned(void);
void test_page_orders(void);
void test_page_parts(void);
void test_zones(void);
void test_nodes(void);
void test_vmalloc(void);
void test_stacks(void);
void test_vmalloc_cpus(void);
void test_exhaustion(void);
void test_misuse(void);

/* Where memory is plenty, some of it is held back at first, from that address
 * on; 0: none. test_stages() releases it. */
kmem_phys_t stages_early_end(void);
void test_stages(void);

void workload(uint64_t seed);

/* ---- print.c ---- */

/* The number, of 32 bits, after the last "name=" of the kernel's arguments, or
 * otherwise. */
uint64_t argument(const char *name, uint64_t otherwise);
bool contains(const char *text, const char *part);

/* For people, who read milliseconds. */
static inline unsigned msec(uint64_t usec)
{
	return (unsigned)divide(usec, 1000, NULL);
}

/*
 * Pseudo-random numbers: xorshift64, by Marsaglia. Its upper half is good
 * enough here, and it needs no multiplication to 64 bits.
 */
static inline uint32_t random_next(uint64_t *state)
{
	uint64_t x = *state;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	*state = x;
	return (uint32_t)(x >> 32);
}

/* The start of the n-th sequence of a seed. */
static inline uint64_t random_start(uint64_t seed, unsigned n)
{
	uint64_t state = seed ^ ((uint64_t)(n + 1) << 40);

	state |= !state;
	for (unsigned i = 0; i < 20; i++)
		random_next(&state);
	return state;
}

/* 0 .. below - 1, near enough uniform for below up to 2^16. */
static inline uint32_t random_below(uint64_t *state, uint32_t below)
{
	return (random_next(state) >> 16) * below >> 16;
}

#endif /* BOOT_BOOT_H */
