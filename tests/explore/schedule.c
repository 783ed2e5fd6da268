// SPDX-License-Identifier: MIT
/*
 * tests/explore/schedule.c - decisions, coroutines, and going back.
 *
 * A schedule is the list of decisions taken. The next one is the same list up
 * to the last decision that has an option left, with that option, and default
 * decisions from there on: a depth-first walk that stores nothing but the
 * list (Godefroid 1997, "VeriSoft"). The bound on preemptions is what keeps
 * it finite: most errors need two or three (Musuvathi & Qadeer 2007, "CHESS").
 *
 * Each CPU is a coroutine; an interrupt is a call from the access it lands on,
 * on the stack of the CPU. Between schedules the machine's memory is restored
 * from a log of what every write replaced.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include "explore.h"

#define STACK_BYTES	(128 * 1024)
#define DECISIONS_MAX	20000
#define STEPS_MAX	200000

unsigned explore_cpu, explore_context, explore_reports;
bool explore_on, explore_saving, explore_tracing;

/* ---- decisions ---- */

static struct decision {
	uint8_t options, taken;
	bool cost;
} decisions[DECISIONS_MAX];
static unsigned nr_decisions;	/* taken so far in this schedule */
static unsigned nr_given;	/* of them, given from outside */
static unsigned spent;		/* of the bound */
static const struct scenario *scenario;
static bool at_random;
static uint64_t random_state;
static unsigned steps;

static uint64_t next_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static unsigned decide(unsigned n, bool cost)
{
	if (nr_decisions < nr_given)
		return decisions[nr_decisions].taken;
	if (!at_random || explore_tracing)
		return 0;
	/* Seldom, so that some schedules have few preemptions. */
	if (cost && next_random() % 16)
		return 0;
	return (unsigned)(next_random() % n);
}

unsigned explore_choose(unsigned n, bool cost)
{
	unsigned taken;

	if (n < 2 || (cost && !at_random && spent >= scenario->bound))
		return 0;
	if (nr_decisions == DECISIONS_MAX)
		explore_fail("more than %d decisions", DECISIONS_MAX);
	taken = decide(n, cost);
	if (taken >= n)
		explore_fail("decision %u of %u: this is another program",
			     taken, n);
	decisions[nr_decisions++] = (struct decision){
		(uint8_t)n, (uint8_t)taken, cost };
	spent += cost && taken;
	return taken;
}

/* The next list of decisions. Return: false if that was the last. */
static bool next_schedule(void)
{
	while (nr_decisions) {
		struct decision *d = &decisions[nr_decisions - 1];

		if (d->taken + 1u < d->options) {
			d->taken++;
			nr_given = nr_decisions;
			return true;
		}
		nr_decisions--;
	}
	return false;
}

/* ---- what is restored ---- */

struct saved {
	unsigned char *at;
	unsigned size;
	unsigned char old[16];
};

static struct saved *saved;
static size_t nr_saved, max_saved;

void explore_save(const void *p, size_t size)
{
	unsigned char *at = (unsigned char *)(uintptr_t)p;

	while (size) {
		size_t n = size < 16 ? size : 16;

		if (nr_saved == max_saved) {
			max_saved = max_saved ? 2 * max_saved : 4096;
			saved = realloc(saved, max_saved * sizeof(*saved));
			if (!saved)
				abort();
		}
		saved[nr_saved].at = at;
		saved[nr_saved].size = (unsigned)n;
		memcpy(saved[nr_saved++].old, at, n);
		at += n;
		size -= n;
	}
}

static void restore(void)
{
	while (nr_saved) {
		const struct saved *s = &saved[--nr_saved];

		memcpy(s->at, s->old, s->size);
	}
}

/* ---- the CPUs ---- */

static struct cpu {
	ucontext_t context;
	char *stack;
	bool done, masked;
	unsigned level, irqs;		/* running, and that have come */
	bool spins;			/* until something is stored */
	uint64_t seen;			/* stores, when it began to spin */
	bool stale;			/* its last load saw an old store */
	bool fresh;			/* its next one must not */
} cpus[CPUS];

static ucontext_t explorer;
static uint64_t stores;
static char reason[512];

void explore_fail(const char *fmt, ...)
{
	va_list args;

	explore_on = false;
	va_start(args, fmt);
	vsnprintf(reason, sizeof(reason), fmt, args);
	va_end(args);
	setcontext(&explorer);
	abort();
}

static bool can_run(const struct cpu *c)
{
	return !c->done && (!c->spins || c->seen != stores);
}

static void turn_to(unsigned cpu)
{
	unsigned from = explore_cpu;

	explore_cpu = cpu;
	explore_context = cpu * LEVELS + cpus[cpu].level;
	if (explore_tracing)
		fprintf(stderr, "---- CPU %u\n", cpu);
	swapcontext(&cpus[from].context, &cpus[cpu].context);
}

/* Another CPU runs on, which one is a decision; nobody can: deadlock. */
static void turn_away(void)
{
	unsigned other[CPUS], n = 0;

	for (unsigned i = 0; i < CPUS; i++)
		if (i != explore_cpu && can_run(&cpus[i]))
			other[n++] = i;
	if (n)
		turn_to(other[explore_choose(n, false)]);
	else if (!can_run(&cpus[explore_cpu]))
		explore_fail("deadlock: nobody can go on");
}

static void take_irq(struct cpu *c, void (*body)(void))
{
	unsigned from = explore_context;
	bool masked = c->masked;

	c->level++;
	c->masked = true;
	explore_context = explore_cpu * LEVELS + c->level;
	if (explore_tracing)
		fprintf(stderr, "---- interrupt on CPU %u\n", explore_cpu);
	model_irq_enter(from, explore_context);
	body();
	model_irq_exit(explore_context, from);
	if (explore_tracing)
		fprintf(stderr, "---- interrupt on CPU %u ends\n", explore_cpu);
	c->masked = masked;
	c->level--;
	explore_context = from;
}

/* What may land on this CPU now. */
static void (*irq_here(const struct cpu *c))(void)
{
	unsigned most = scenario->irqs ? scenario->irqs : 1;

	if (c->irqs >= most || c->level + 1 >= LEVELS)
		return NULL;
	if (scenario->nmi[explore_cpu])
		return scenario->nmi[explore_cpu];
	return c->masked ? NULL : scenario->irq[explore_cpu];
}

void explore_point(bool atomic)
{
	struct cpu *c = &cpus[explore_cpu];
	unsigned other[CPUS], n = 0, taken;
	void (*irq)(void) = irq_here(c);

	if (++steps > STEPS_MAX)
		explore_fail("no end after %u steps", steps);
	for (unsigned i = 0; atomic && i < CPUS; i++)
		if (i != explore_cpu && can_run(&cpus[i]))
			other[n++] = i;
	taken = explore_choose(1 + n + (irq != NULL), true);
	if (taken && taken <= n) {
		turn_to(other[taken - 1]);
	} else if (taken) {
		c->irqs++;
		take_irq(c, irq);
	}
}

void explore_progress(void)
{
	stores++;
}

bool explore_must_be_fresh(void)
{
	return cpus[explore_cpu].fresh;
}

void explore_fresh_done(void)
{
	cpus[explore_cpu].fresh = false;
}

void explore_loaded(bool newest)
{
	cpus[explore_cpu].stale = !newest;
}

void explore_relax(void)
{
	struct cpu *c = &cpus[explore_cpu];

	if (!explore_on)
		abort();		/* nobody else is there */
	c->fresh = true;
	if (c->stale)
		return;
	c->spins = true;
	c->seen = stores;
	turn_away();
	c->spins = false;
}

uintptr_t explore_irq_save(void)
{
	struct cpu *c = &cpus[explore_cpu];
	uintptr_t was = c->masked;

	c->masked = true;
	if (explore_on)
		explore_barrier();
	return was;
}

void explore_irq_restore(uintptr_t state)
{
	if (explore_on)
		explore_barrier();
	cpus[explore_cpu].masked = state;
}

static void run_cpu(void)
{
	scenario->body[explore_cpu]();
	cpus[explore_cpu].done = true;
	for (unsigned i = 0; i < CPUS; i++)
		if (!cpus[i].done)
			turn_away();
	explore_on = false;
	setcontext(&explorer);
}

/* ---- one schedule, and all of them ---- */

static void start_cpu(struct cpu *c, void (*body)(void))
{
	char *stack = c->stack ? c->stack : malloc(STACK_BYTES);

	memset(c, 0, sizeof(*c));
	c->stack = stack;
	c->done = !body;
	if (c->done)
		return;
	getcontext(&c->context);
	c->context.uc_stack.ss_sp = stack;
	c->context.uc_stack.ss_size = STACK_BYTES;
	makecontext(&c->context, run_cpu, 0);
}

/* explore_fail() comes back here. */
static void check(void)
{
	volatile bool checked = false;

	getcontext(&explorer);
	if (!checked) {
		checked = true;
		explore_saving = true;
		scenario->check();
	}
	explore_saving = false;
	explore_cpu = 0;
}

/* Return: false if it failed. */
static bool run_schedule(void)
{
	volatile bool back = false;

	nr_decisions = 0;
	spent = 0;
	steps = 0;
	stores = 0;
	explore_reports = 0;
	reason[0] = '\0';
	for (unsigned i = 0; i < CPUS; i++)
		start_cpu(&cpus[i], scenario->body[i]);
	model_start();
	getcontext(&explorer);
	if (!back) {
		back = true;
		for (explore_cpu = 0; cpus[explore_cpu].done; )
			explore_cpu++;
		explore_context = explore_cpu * LEVELS;
		explore_on = true;
		setcontext(&cpus[explore_cpu].context);
	}
	explore_on = false;
	explore_cpu = 0;
	if (!reason[0] && explore_reports > scenario->reports)
		snprintf(reason, sizeof(reason), "%u reports",
			 explore_reports);
	if (!reason[0] && scenario->check)
		check();
	restore();
	return !reason[0];
}

static void describe(struct explored *e)
{
	size_t at = 0;
	unsigned last = nr_decisions;

	while (last && !decisions[last - 1].taken)
		last--;
	at += (size_t)snprintf(e->failure, sizeof(e->failure),
			       "%s\n\tdecisions: %s,", reason,
			       at_random ? "random" : "bound");
	for (unsigned i = 0; i < last && at < sizeof(e->failure) - 24; ) {
		unsigned zeros = 0;

		while (i < last && !decisions[i].taken) {
			zeros++;
			i++;
		}
		at += (size_t)snprintf(e->failure + at,
				       sizeof(e->failure) - at, "%u:%u,",
				       zeros, decisions[i++].taken);
	}
}

static void begin(const struct scenario *s)
{
	scenario = s;
	cpus[0].masked = false;
	explore_cpu = 0;
	explore_on = false;
	s->setup();
	nr_saved = 0;
}

bool explore(const struct scenario *s, uint64_t most, uint64_t random,
	     uint64_t seed, struct explored *e)
{
	bool ok = true, more = true;

	memset(e, 0, sizeof(*e));
	begin(s);
	nr_given = 0;
	at_random = false;
	while (ok && more && e->schedules < most) {
		ok = run_schedule();
		e->schedules++;
		if (nr_decisions > e->longest)
			e->longest = nr_decisions;
		if (ok)
			more = next_schedule();
	}
	e->all = ok && !more;
	random_state = seed | 1;
	for (at_random = true; ok && e->random < random; e->random++) {
		nr_given = 0;
		ok = run_schedule();
	}
	if (!ok)
		describe(e);
	return ok;
}

bool explore_replay(const struct scenario *s, const char *text,
		    struct explored *e)
{
	const char *comma = strchr(text, ',');
	unsigned zeros, taken;
	int used;

	at_random = text[0] == 'r';
	memset(e, 0, sizeof(*e));
	memset(decisions, 0, sizeof(decisions));
	nr_given = 0;
	text = comma ? comma + 1 : "";
	for (; sscanf(text, "%u:%u%n", &zeros, &taken, &used) == 2;
	     text += used + (text[used] == ',')) {
		nr_given += zeros;
		decisions[nr_given++].taken = (uint8_t)taken;
	}
	begin(s);
	explore_tracing = true;
	if (run_schedule())
		return true;
	describe(e);
	return false;
}
