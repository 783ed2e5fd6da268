/* SPDX-License-Identifier: MIT */
/*
 * tests/bench/bench.h - kmem and other allocators, through the same code.
 *
 * A *contender* is an allocator. A *row* is something to measure. A *workload*
 * is the code that does it; it knows contenders as two function pointers and
 * nothing else, so that whatever it costs, it costs everybody.
 *
 *	main.c		options, order of events
 *	contenders.c	finding allocators, and opening one in this process
 *	rows.c		the list of rows
 *	work_one.c	workloads of one thread
 *	work_many.c	workloads of several
 *	work_trace.c	replay of a recorded trace
 *	run.c		children, rounds, medians
 *	checked.c	the run that verifies contents
 *	scaling.c	kmem's locks on 1 to 64 CPUs
 *	instructions.c	counting with callgrind
 *	table.c		what is printed
 */
#ifndef KMEM_BENCH_H
#define KMEM_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BENCH_MAX_CONTENDERS	16
#define BENCH_MAX_ROWS		96
#define BENCH_MAX_ROUNDS	32
#define BENCH_SAMPLES		15	/* of one run */
#define BENCH_MAX_THREADS	64
#define BENCH_VALUES		2	/* figures that one run may yield */

/* ---- time -------------------------------------------------------------- */

/*
 * Ticks of the time-stamp counter, which runs at a constant rate: they are
 * not cycles of the core. Elsewhere than on x86, nanoseconds.
 */
static inline uint64_t bench_ticks(void)
{
#if defined(__x86_64__)
	uint32_t low, high;

	__asm__ __volatile__("lfence; rdtsc; lfence"
			     : "=a"(low), "=d"(high) : : "memory");
	return (uint64_t)high << 32 | low;
#else
	uint64_t bench_clock_ns(void);

	return bench_clock_ns();
#endif
}

uint64_t bench_clock_ns(void);
double bench_ticks_per_ns(void);	/* measured once */

/* The compiler must assume that p is used, with all it points to. */
static inline void bench_keep(void *p)
{
	__asm__ __volatile__("" : : "r"(p) : "memory");
}

/* Writing to an object means its address in its first word: the checking run
 * expects to find it there. */
static inline void bench_touch(void *p)
{
	*(volatile uint64_t *)p = (uintptr_t)p;
}

/* Random numbers: xorshift, 64 bits of state which must not be 0. */
static inline uint64_t bench_random(uint64_t *state)
{
	uint64_t x = *state;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	*state = x;
	return x;
}

/* An index below n from 32 of the random bits. */
static inline size_t bench_below(uint64_t random, size_t n)
{
	return (size_t)(((random & 0xffffffff) * (uint64_t)n) >> 32);
}

/*
 * Sizes of 8 to 4095 bytes, geometric: each doubling is half as likely as the
 * one before it, and uniform within. Uses the upper 32 random bits.
 */
static inline size_t bench_size(uint64_t random)
{
	unsigned doubling = (unsigned)__builtin_ctzll(random >> 52 | 0x100);
	size_t base = (size_t)8 << doubling;

	return base + ((random >> 32) & (base - 1));
}

/* ---- contenders -------------------------------------------------------- */

/*
 * What a workload calls. `what` is whatever the interface takes to say what is
 * wanted: bytes for malloc() and kmalloc(), a cache for kmem_cache_alloc(), an
 * order for alloc_pages().
 *
 * malloc(), free() and kfree() take fewer arguments than they are given here:
 * harmless where the first arguments are in registers, and nobody pays for a
 * wrapper.
 */
typedef void *(*bench_alloc_fn)(uintptr_t what, unsigned gfp);
typedef void (*bench_free_fn)(void *p, uintptr_t what);

struct bench_ops {
	bench_alloc_fn alloc;
	bench_free_fn free;
	uintptr_t what;			/* for rows of one size */
	unsigned gfp;
	size_t bytes;			/* what `what` amounts to, or 0 */
	void *(*address)(void *p);	/* of what alloc gave; NULL: itself */
	size_t (*bulk_alloc)(const struct bench_ops *ops, size_t n, void **p);
	void (*bulk_free)(const struct bench_ops *ops, size_t n, void **p);
};

enum bench_interface {
	BENCH_SIZED,		/* malloc(size), kmalloc(), one cache */
	BENCH_ANY_SIZE,		/* the same, of many sizes: no cache */
	BENCH_PAGES,		/* malloc(4096 << order), alloc_pages() */
	BENCH_ALIGNED_PAGES,	/* aligned_alloc() of it */
};

enum bench_kind {
	BENCH_KMEM, BENCH_KMEM_CACHE, BENCH_PEER,
	BENCH_FLOOR,			/* an array: the limit of the method */
	BENCH_LOOP,			/* nothing: what the loop costs */
};

struct bench_contender {
	char name[32];
	enum bench_kind kind;
	char path[256];			/* of a peer; "": libc's own */
};

struct bench_missing {
	const char *name, *package;
};

/* Find what is on this machine; peers: more libraries, NULL or separated by
 * blanks. Exits if one of those can't be loaded. */
size_t bench_find_contenders(struct bench_contender *list, const char *peers,
			     const struct bench_missing **missing);

/*
 * Become the process of one contender. A kmem gets a machine of that many
 * bytes and CPUs. False if the contender has no such interface.
 */
bool bench_open(const struct bench_contender *c, enum bench_interface kind,
		size_t size, uint64_t machine_bytes, unsigned nr_cpus,
		struct bench_ops *ops);

/* Functions of an opened peer. */
struct bench_peer {
	void *(*malloc)(size_t);
	void (*free)(void *);
	void *(*aligned_alloc)(size_t, size_t);
};
extern struct bench_peer bench_peer;

/* ---- rows -------------------------------------------------------------- */

enum bench_unit { BENCH_NS, BENCH_RATIO, BENCH_INSTRUCTIONS };
enum bench_order { BENCH_IN_ORDER, BENCH_REVERSE, BENCH_SHUFFLED };

struct bench_run;

struct bench_row {
	char name[48];
	enum bench_interface interface;
	size_t size;			/* bytes, or order of pages */
	size_t count;			/* objects in a batch, or live */
	enum bench_order order;
	bool touch;
	unsigned threads;
	uint64_t machine_bytes;
	void (*work)(struct bench_run *r);
	enum bench_unit unit;
	unsigned value;			/* which of the run's figures */
	bool same_run;			/* another figure of the row before */
	double target;			/* ratio to the best peer; 0: none */
	double target_ticks;		/* kmem's own figure; 0: none */
	double target_value;
	const struct trace *trace;
	enum bench_kind ours;		/* whose figure the ratio is of */
};

/* Fill in the list. quick: smaller heaps; longer: 10 M objects too. */
size_t bench_rows(struct bench_row *rows, bool quick, bool longer);

/* ---- one run, in a process of its own ---------------------------------- */

enum bench_mode { BENCH_MEASURE, BENCH_CHECK, BENCH_COUNT };

struct bench_run {
	const struct bench_row *row;
	const struct bench_contender *contender;
	enum bench_mode mode;
	struct bench_ops ops;
	size_t ops_to_do;		/* BENCH_COUNT: exactly so many */
	uint64_t budget;		/* ticks to spend on samples */
	unsigned samples;
	uint32_t *latency;		/* least ticks of each operation */
	size_t nr_latencies;
	double value[BENCH_VALUES];	/* results: ticks an operation, … */
	/* Called by one thread while the others wait: before the first
	 * sample and after the last one. */
	void (*look)(void *ctx, bool end);
	void *look_ctx;
};

#define BENCH_LATENCIES	1000000	/* at most */

/* Does n operations; returns how many it did (batches round up). */
typedef size_t (*bench_body_fn)(struct bench_run *r, void *ctx, size_t n);

/* Time the body in samples; the median becomes r->value[0]. */
void bench_sample(struct bench_run *r, bench_body_fn body, void *ctx);

/* Memory of the harness: never from a contender. Touched. Never NULL. */
void *bench_memory(size_t bytes);

void bench_pin(unsigned nth);		/* to the nth usable core */
unsigned bench_cores(void);
double bench_median(double *values, size_t n);	/* sorts them */

/* Out of memory and the like: ends this process with a message. */
_Noreturn void bench_fail(const char *what);

static inline void *bench_alloc(const struct bench_ops *ops, uintptr_t what)
{
	void *p = ops->alloc(what, ops->gfp);

	if (__builtin_expect(!p, 0))
		bench_fail("out of memory");
	bench_keep(p);
	return p;
}

/* workloads */
void bench_hot(struct bench_run *r);
void bench_batch(struct bench_run *r);
void bench_bulk(struct bench_run *r);
void bench_replace(struct bench_run *r);
void bench_walk(struct bench_run *r);
void bench_resident(struct bench_run *r);
void bench_latency(struct bench_run *r);
void bench_many_hot(struct bench_run *r);
void bench_many_batch(struct bench_run *r);
void bench_many_replace(struct bench_run *r);
void bench_handover(struct bench_run *r);
void bench_larson(struct bench_run *r);
void bench_trace(struct bench_run *r);

/* Load the traces named in BENCH_TRACES, or those of tests/data. */
size_t bench_traces(const struct trace **list, size_t max);

/* ---- the checking run -------------------------------------------------- */

/* Have r->ops fill and verify each block. Then bench_checked_end() tells if
 * anything was wrong; kmem's own invariants are looked at too. */
void bench_checked_begin(struct bench_run *r);
bool bench_checked_end(struct bench_run *r);

/* ---- all of it --------------------------------------------------------- */

struct bench_cell {
	bool has, failed;
	double value[BENCH_MAX_ROUNDS];	/* one a round */
	size_t nr;
	double median, least, most;
	char why[64];
};

struct bench {
	struct bench_contender contender[BENCH_MAX_CONTENDERS];
	size_t nr_contenders;
	const struct bench_missing *missing;
	struct bench_row row[BENCH_MAX_ROWS];
	size_t nr_rows;
	struct bench_cell cell[BENCH_MAX_ROWS][BENCH_MAX_CONTENDERS];
	unsigned rounds;
	unsigned budget_ms;		/* for the samples of one run */
	unsigned samples;		/* of one run */
	size_t nr_latencies;
	bool quick;
	const char *self;		/* path of this program */
	unsigned failures;		/* of kmem's */
};

void bench_measure_all(struct bench *b);
void bench_check_all(struct bench *b);
void bench_count_all(struct bench *b);	/* adds rows */
unsigned bench_scaling(bool quick);	/* returns failures */
void bench_steps(void);
void bench_print(const struct bench *b);
bool bench_write(const struct bench *b, const char *directory);

/* What valgrind runs: n operations of one row, nothing timed. */
void bench_count_one(const struct bench_contender *c,
		     const struct bench_row *row, size_t n);

#endif /* KMEM_BENCH_H */
