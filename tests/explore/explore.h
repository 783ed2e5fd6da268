/* SPDX-License-Identifier: MIT */
/*
 * tests/explore/explore.h - every order in which a few CPUs can do a few things.
 *
 * A *scenario* is a machine in some state, a body for each CPU, and perhaps
 * interrupts and NMIs that may land in them. It is run again and again from
 * the same state, each time with other decisions, until all schedules within
 * a bound have been seen:
 *
 *	at each atomic access	who runs on: this CPU, or another one, which
 *				counts against the bound as a preemption
 *	at each access		does an interrupt land here
 *	at each atomic load	which store it sees, of those that the rules of
 *				release and acquire leave open; to see an old
 *				one counts like a preemption
 *
 * The library is compiled with -fsanitize=thread, but linked with model.c in
 * place of the sanitizer's run-time: so every access of src/, plain or atomic,
 * calls the model, and no source file knows of it.
 *
 *	schedule.c	decisions, coroutines
 *	model.c		what an access may see
 *	races.c		with what it races; going back to the start
 *	machine.c	what scenarios are made of
 *	scenarios.c, modules.c, memory.c, later.c	what is explored
 *	main.c		which, how far; what is printed
 *
 * A failure prints the decisions that led to it; given back with -s they are
 * taken again, and every access is printed.
 *
 * What this does not model, so what it can't find:
 *
 *  - Executions in which a store is seen before an earlier load of its own CPU
 *    (load buffering), and what hardware does beyond release and acquire:
 *    sequential consistency is not relied on anywhere, and not offered.
 *  - The compiler's freedom is modelled for interrupts on one CPU (a plain or
 *    relaxed access is ordered for an interrupt only by a barrier, an acquire
 *    or a release), not within one context.
 *  - Of one location, the OLD_STORES newest stores can be seen.
 *  - Schedules with more preemptions than the bound.
 */
#ifndef KMEM_TESTS_EXPLORE_H
#define KMEM_TESTS_EXPLORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CPUS		3
#define LEVELS		3	/* thread, interrupt, interrupt in that or NMI */
#define CONTEXTS	(CPUS * LEVELS)
#define STEPS_MAX	200000

struct scenario {
	const char *name;
	const char *what;		/* may go wrong */
	unsigned bound;			/* preemptions and old stores; ALL */
	void (*setup)(void);		/* once, not explored */
	void (*body[CPUS])(void);
	void (*irq[CPUS])(void);	/* may land where they are not masked */
	void (*nmi[CPUS])(void);	/* may land anywhere */
	unsigned irqs;			/* on each CPU, at most; 0 is 1 */
	void (*check)(void);		/* at the end of each schedule */
	unsigned reports;		/* kmem_panic() calls that are fine */
	uint64_t at_random;		/* at most, as each is long; 0: as many
					 * as are asked for */
};

#define ALL		0		/* however many */

struct scenario_list {
	const struct scenario *scenario;
	size_t nr;
};

extern const struct scenario_list core_scenarios, module_scenarios,
				  memory_scenarios, later_scenarios;

/* ---- for scenarios ---- */

/* The schedule fails, with this reason. */
void explore_fail(const char *fmt, ...)
	__attribute__((format(printf, 1, 2), noreturn));
#define MUST(cond) \
	((cond) ? (void)0 : explore_fail("line %d: %s", __LINE__, #cond))

/* Use memory as its owner does: write it, or read it, in the model's sight. */
void explore_write(void *p, size_t size);
void explore_read(const void *p, size_t size);

/* A flag from one CPU to another, with release and acquire. */
void explore_post(unsigned *flag);
void explore_await(unsigned *flag);
/* In vain so far: until what was looked at last changes. */
void explore_relax(void);

/* What is of no interest: nothing lands in it, and it sees what is newest. But
 * it may have to wait for others. */
void explore_at_once(void (*fn)(void));

/* How often kmem_panic() was called in this schedule. */
extern unsigned explore_reports;

/* ---- between the files ---- */

extern unsigned explore_context;	/* explore_cpu * LEVELS + level */
extern bool explore_on;			/* false: accesses are not watched */
extern bool explore_saving;		/* but what writes replace is kept */
extern bool explore_tracing;
extern bool explore_quiet;		/* no interrupt comes in this scenario */
extern unsigned explore_steps;		/* accesses in this schedule */
extern bool explore_every;		/* also schedules that change nothing */

/* A decision among n; all but the first count against the bound if they cost.
 * What it is about is for the trace. */
unsigned explore_choose(unsigned n, bool cost);

/* Before an access: may an interrupt come in here, or, if it is an atomic one
 * of what CPUs share, another CPU? */
void explore_point(bool shared);

/* These bytes will change: what they were is to be restored. */
void explore_save(const void *p, size_t size);

/* This CPU did, or saw, something. Return: a hash of all it has done. */
uint64_t explore_event(uint64_t what);

/* This context has been waiting and must see what is newest. */
bool explore_must_be_fresh(void);
void explore_fresh_done(void);
void explore_loaded(const void *location, unsigned nr);

/* Memory is as it was before the schedule (races.c). */
void model_restore(void);

/* The contexts' clocks (model.c). */
void explore_barrier(void);
void model_start(void);
void model_settle_shared(void);
bool model_found_shared(void);
unsigned model_newest(const void *location);
void model_irq_enter(unsigned from, unsigned to);
void model_irq_exit(unsigned from, unsigned to);
void model_init(void *arena, size_t bytes);

/* Nothing more is to be explored (main.c). */
bool explore_stop(void);

/* All schedules of s, or `most` of them; then that many at random, without a
 * bound. Return: false if one failed. */
struct explored {
	uint64_t schedules, random;
	uint64_t ends;			/* states at the end, all different */
	bool all;			/* none is left within the bound */
	unsigned longest;		/* decisions */
	char failure[512];
	char decisions[2048];		/* to replay it */
};
bool explore(const struct scenario *s, uint64_t most, uint64_t at_random,
	     uint64_t seed, struct explored *e);
bool explore_replay(const struct scenario *s, const char *decisions,
		    struct explored *e);

#endif /* KMEM_TESTS_EXPLORE_H */
