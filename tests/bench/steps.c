/* SPDX-License-Identifier: MIT */
/*
 * tests/bench/steps.c - the most instructions that one call can take.
 *
 * A slow path does a bounded number of steps, whatever its user did before. So
 * that this is seen and not believed, the worst is brought about and counted,
 * instruction by instruction: the processor's trap flag is set around the call,
 * and each step is a signal. In a virtual machine that takes 50 us a step: so no
 * more is counted than must be.
 *
 * What is counted is a call with interrupts and the optimiser as in every other
 * row: the library as it is linked here.
 */
#define _GNU_SOURCE
#include "bench.h"

#include <host.h>
#include <kmem/kmem.h>

#include <signal.h>
#include <stdio.h>

#if defined(__x86_64__)

#define PAGES	4096
#define OBJECTS	20000

static volatile sig_atomic_t nr_steps;
static void *volatile result;
static struct page *page[PAGES];
static void *object[OBJECTS];

static void on_step(int signal)
{
	(void)signal;
	nr_steps++;
}

#define TRAP_FLAG	0x100

static inline void flags_xor(unsigned long bits)
{
	__asm__ __volatile__("pushfq; xorq %0, (%%rsp); popfq"
			     : : "r" (bits) : "memory", "cc");
}

/* Instructions of the calls, less what the frame of it takes. */
#define STEPS(calls) ({ \
	nr_steps = 0; \
	flags_xor(TRAP_FLAG); \
	calls; \
	flags_xor(TRAP_FLAG); \
	(unsigned)nr_steps; })

/* ---- a sequence of calls ----------------------------------------------- */

/*
 * A sequence of calls is made twice, on two machines that are alike: first to
 * see which calls are the slowest, then to count those.
 */
#define SLOWEST	3

struct slowest {
	size_t at[SLOWEST];
	uint64_t ticks[SLOWEST];
	bool counting;
	unsigned most;
};

static bool is_slow(const struct slowest *s, size_t at)
{
	for (unsigned i = 0; i < SLOWEST; i++)
		if (s->at[i] == at)
			return s->counting;
	return false;
}

static void note_time(struct slowest *s, size_t at, uint64_t ticks)
{
	unsigned least = 0;

	for (unsigned i = 1; i < SLOWEST; i++)
		if (s->ticks[i] < s->ticks[least])
			least = i;
	if (s->counting || ticks <= s->ticks[least])
		return;
	s->ticks[least] = ticks;
	s->at[least] = at;
}

/* The at-th call of a sequence. */
#define CALL(s, at, call) do { \
	if (is_slow(s, at)) { \
		unsigned n_ = STEPS(call); \
		\
		(s)->most = n_ > (s)->most ? n_ : (s)->most; \
	} else { \
		uint64_t start_ = bench_ticks(); \
		\
		call; \
		note_time(s, at, bench_ticks() - start_); \
	} \
} while (0)

static unsigned worst_of(void (*sequence)(struct slowest *s))
{
	struct slowest s = { .at = { OBJECTS, OBJECTS, OBJECTS } };

	for (int counting = 0; counting < 2; counting++) {
		host_machine((kmem_phys_t)256 << 20, 1);
		s.counting = counting;
		sequence(&s);
	}
	return s.most;
}

/* ---- pages ------------------------------------------------------------- */

/* In the largest zone, which is tried first. */
static size_t free_blocks(unsigned order)
{
	struct kmem_zone_stats st, most = { .managed = 0 };

	for (unsigned i = 0; kmem_zone_stats(i, &st); i++)
		if (st.managed > most.managed)
			most = st;
	return most.nr_free[order];
}

/* A block of the lowest order without magazines, when there are but blocks of
 * the highest to cut it from, and to merge it to again. */
static unsigned direct(bool back)
{
	const unsigned least = KMEM_CACHED_MAX_ORDER + 1;
	unsigned cut, merged, order;

	host_machine((kmem_phys_t)256 << 20, 1);
	for (order = KMEM_MAX_ORDER - 1; order >= least; order--)
		while (free_blocks(order))
			result = alloc_pages(GFP_KERNEL, order);
	cut = STEPS(result = alloc_pages(GFP_KERNEL, least));
	merged = STEPS(__free_pages(result, least));
	return back ? merged : cut;
}

/* Each second page is free, no two of them merge: these fill a magazine. */
static void alloc_apart(struct slowest *s)
{
	unsigned i;

	for (i = 0; i < PAGES; i++)
		page[i] = alloc_pages(GFP_KERNEL, 0);
	for (i = 0; i < PAGES; i += 2)
		__free_pages(page[i], 0);
	kmem_trim(KMEM_DRAIN_CPU);
	for (i = 0; i < PAGES; i += 2) {
		CALL(s, i, result = alloc_pages(GFP_KERNEL, 0));
		page[i] = result;
	}
}

/* The pages between free ones come free: each merges with its neighbours. */
static void free_apart(struct slowest *s)
{
	unsigned i;

	for (i = 0; i < PAGES; i++)
		page[i] = alloc_pages(GFP_KERNEL, 0);
	for (i = 0; i < PAGES; i += 2)
		__free_pages(page[i], 0);
	kmem_trim(KMEM_DRAIN_CPU);
	for (i = 1; i < PAGES; i += 2)
		CALL(s, i, __free_pages(page[i], 0));
}

/* ---- objects ----------------------------------------------------------- */

/* Memory fills with objects of several sizes. */
static void fill_up(struct slowest *s)
{
	static const size_t size[] = { 64, 2048, 256, 16 };

	for (size_t i = 0; i < OBJECTS; i++) {
		CALL(s, i, result = kmalloc(size[i % 4], GFP_KERNEL));
		object[i] = result;
	}
}

/* One of each slab after the other: a magazine goes to as many slabs as it has
 * rounds; at the end each of them becomes empty. */
static void scatter(struct slowest *s)
{
	static struct slowest nothing;
	const size_t step = 4 * 64;	/* more than a slab has of any size */

	fill_up(&nothing);
	for (size_t j = 0; j < step; j++)
		for (size_t i = j; i < OBJECTS; i += step)
			CALL(s, i, kfree(object[i]));
}

/* ---- the table --------------------------------------------------------- */

static void line(const char *what, unsigned n, const char *bound)
{
	printf("%-58s %8u   %s\n", what, n, bound);
}

static void count_all(void)
{
	line("alloc_pages, order 5, cut from the largest block",
	     direct(false), "5 cuts");
	line("__free_pages, order 5, merged to the largest block",
	     direct(true), "5 merges");
	line("alloc_pages, order 0, of pages that lie apart",
	     worst_of(alloc_apart), "a magazine of 62 blocks taken");
	line("__free_pages, order 0, between free pages",
	     worst_of(free_apart), "a magazine of 62 blocks given");
	line("kmalloc, while memory fills", worst_of(fill_up),
	     "a slab made, and 4 caches trimmed");
	line("kfree, of one of each slab in turn", worst_of(scatter),
	     "62 slabs given up, and a cache trimmed");
}

void bench_steps(void)
{
	struct sigaction stepped = { .sa_handler = on_step };

	bench_pin(0);
	sigaction(SIGTRAP, &stepped, NULL);
	printf("\nThe most instructions of one call of kmem, counted\n%-58s "
	       "%8s   %s\n", "", "counted", "bounded by");
	count_all();
	signal(SIGTRAP, SIG_DFL);
}

#else

void bench_steps(void)
{
	printf("\nThe most instructions of one call: can't be counted on this "
	       "machine, only on x86_64\n");
}

#endif
