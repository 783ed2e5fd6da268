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

unsigned explore_cpu, explore_context, explore_reports, explore_steps;
bool explore_on, explore_saving, explore_tracing, explore_every, explore_quiet;

/* ---- decisions ---- */

static struct decision {
	uint8_t options, taken;
	bool cost;
	unsigned question;		/* its number */
} decisions[DECISIONS_MAX];
static unsigned nr_decisions;	/* taken so far in this schedule */
static unsigned nr_given;	/* of them, given from outside */
static unsigned nr_questions;	/* asked, those without a choice too */
static unsigned spent;		/* of the bound */
static const struct scenario *scenario;
static bool at_random;
static uint64_t random_state;
static bool at_once[CPUS];

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
	/* Seldom, so that some schedules have few preemptions. */
	if (!at_random || (cost && next_random() % 16))
		return 0;
	return (unsigned)(next_random() % n);
}

/* What was decided in a schedule that is replayed. */
static unsigned decided(unsigned n)
{
	const struct decision *d = &decisions[nr_decisions];

	if (nr_decisions == nr_given || d->question != nr_questions)
		return 0;
	nr_decisions++;
	if (d->taken >= n)
		explore_fail("decision %u of %u: this is another program",
			     d->taken, n);
	return d->taken;
}

unsigned explore_choose(unsigned n, bool cost)
{
	unsigned taken;

	nr_questions++;
	if (explore_tracing)
		return decided(n);
	if (n < 2 || (cost && (at_once[explore_cpu] ||
			       (!at_random && scenario->bound &&
				spent >= scenario->bound))))
		return 0;
	if (nr_decisions == DECISIONS_MAX)
		explore_fail("more than %d decisions", DECISIONS_MAX);
	taken = decide(n, cost);
	decisions[nr_decisions++] = (struct decision){
		(uint8_t)n, (uint8_t)taken, cost, nr_questions };
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

/* ---- states that were seen ---- */

/*
 * What a CPU has done so far: a hash of its accesses in their order, of each
 * what it saw (explore_event()). The sum over the CPUs stands for the state of
 * everything. `spent` is in the lowest bits, so that a state seen with more of
 * the bound left need not be looked at again.
 */
static struct {
	uint64_t *state;
	size_t room, nr;
} seen;

#define SPENT_MASK	255u
#define END		(CPUS + 1)	/* in place of whose turn it is */

static uint64_t mix(uint64_t a, uint64_t b)
{
	a = (a * 3 + b + 1) * 0x9e3779b97f4a7c15u;
	a = (a ^ a >> 29) * 0xbf58476d1ce4e5b9u;
	return a ^ a >> 32;
}

static uint64_t *seen_find(uint64_t state)
{
	size_t i = (size_t)(state >> 8) & (seen.room - 1);

	while (seen.state[i] && (seen.state[i] ^ state) & ~(uint64_t)SPENT_MASK)
		i = (i + 1) & (seen.room - 1);
	return &seen.state[i];
}

static void seen_grow(void)
{
	uint64_t *old = seen.state;
	size_t n = seen.room;

	seen.room = n ? 2 * n : 1 << 16;
	seen.state = calloc(seen.room, sizeof(*seen.state));
	if (!seen.state)
		abort();
	for (size_t i = 0; i < n; i++)
		if (old[i])
			*seen_find(old[i]) = old[i];
	free(old);
}

static void seen_forget(void)
{
	free(seen.state);
	memset(&seen, 0, sizeof(seen));
}

/* Return: whether it was there, with as little spent. */
static bool seen_add(uint64_t state, unsigned cost)
{
	uint64_t *at;

	if (2 * seen.nr >= seen.room)
		seen_grow();
	state = (state & ~(uint64_t)SPENT_MASK) | cost;
	at = seen_find(state);
	if (*at && (*at & SPENT_MASK) <= cost)
		return true;
	seen.nr += !*at;
	*at = state;
	return false;
}

/* ---- the CPUs ---- */

static struct cpu {
	ucontext_t context;
	char *stack;
	bool done, masked;
	bool parked;			/* in front of an access */
	bool chosen;			/* to do its next one at once */
	unsigned level, irqs;		/* running, and that have come */
	uint64_t history;		/* hash of what it did */
	const void *loaded;		/* the location of its last access, */
	unsigned loaded_nr;		/* and which store it saw, or made */
	bool spins;			/* until there is a newer one */
	bool fresh;			/* its next load must see the newest */
} cpus[CPUS];

static ucontext_t explorer;
static bool pruned;			/* the rest has been explored */
static char reason[512];

enum { EVENT_STEP, EVENT_IRQ, EVENT_IRQ_END };

uint64_t explore_event(uint64_t what)
{
	struct cpu *c = &cpus[explore_cpu];

	c->history = mix(c->history, what);
	return c->history;
}

static uint64_t state_of_all(uint64_t also)
{
	uint64_t state = also;

	for (unsigned i = 0; i < CPUS; i++)
		state += mix(cpus[i].history, i + 1);
	return mix(state, also);
}

/* Has everything from here on been explored? Within a bound it matters whose
 * turn it is: it costs nothing to let that one go on. */
static bool seen_before(void)
{
	if (at_random || explore_tracing || explore_every ||
	    nr_decisions < nr_given)
		return false;
	return scenario->bound ? seen_add(state_of_all(1 + explore_cpu), spent)
			       : seen_add(state_of_all(0), 0);
}

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
	return !c->done &&
	       (!c->spins || model_newest(c->loaded) != c->loaded_nr);
}

static void turn_to(unsigned cpu)
{
	unsigned from = explore_cpu;

	cpus[cpu].chosen = !cpus[cpu].parked;
	explore_cpu = cpu;
	explore_context = cpu * LEVELS + cpus[cpu].level;
	if (explore_tracing)
		fprintf(stderr, "---- CPU %u\n", cpu);
	swapcontext(&cpus[from].context, &cpus[cpu].context);
}

/* An interrupt of a higher priority may come in one; in an NMI, none. */
static void take_irq(struct cpu *c, void (*body)(void))
{
	unsigned from = explore_context;
	bool masked = c->masked;

	c->level++;
	c->masked |= body == scenario->nmi[explore_cpu];
	explore_event(EVENT_IRQ);
	explore_context = explore_cpu * LEVELS + c->level;
	if (explore_tracing)
		fprintf(stderr, "---- interrupt on CPU %u\n", explore_cpu);
	model_irq_enter(from, explore_context);
	body();
	model_irq_exit(explore_context, from);
	explore_event(EVENT_IRQ_END);
	if (explore_tracing)
		fprintf(stderr, "---- interrupt on CPU %u ends\n", explore_cpu);
	c->masked = masked;
	c->level--;
	explore_context = from;
}

/* What may land on this CPU now. Return: how many. */
static unsigned irqs_here(const struct cpu *c, void (*irq[2])(void))
{
	unsigned most = scenario->irqs ? scenario->irqs : 1, n = 0;

	if (c->irqs >= most || c->level + 1 >= LEVELS)
		return 0;
	if (scenario->irq[explore_cpu] && !c->masked)
		irq[n++] = scenario->irq[explore_cpu];
	if (scenario->nmi[explore_cpu])
		irq[n++] = scenario->nmi[explore_cpu];
	return n;
}

/* The other CPUs that could run. Return: how many. */
static unsigned others(unsigned other[CPUS])
{
	unsigned n = 0;

	for (unsigned i = 0; i < CPUS; i++)
		if (i != explore_cpu && can_run(&cpus[i]))
			other[n++] = i;
	return n;
}

/* Another CPU runs on, which one is a decision; nobody can: deadlock. */
static void turn_away(void)
{
	unsigned other[CPUS], n = others(other);

	if (n)
		turn_to(other[explore_choose(n, false)]);
	else if (!can_run(&cpus[explore_cpu]))
		explore_fail("deadlock: nobody can go on");
}

static void prune(void)
{
	pruned = true;
	setcontext(&explorer);
}

void explore_point(bool shared)
{
	struct cpu *c = &cpus[explore_cpu];
	bool chosen = shared && c->chosen;
	void (*irq[2])(void);
	unsigned irqs = irqs_here(c, irq), other[CPUS], n, taken;

	if (++explore_steps > STEPS_MAX)
		explore_fail("no end after %u steps", explore_steps);
	if (!shared && !irqs)
		return;
	if (shared)
		c->chosen = false;
	if ((irqs || shared) && !chosen && seen_before())
		prune();
	n = shared && !chosen ? others(other) : 0;
	taken = explore_choose(1 + irqs + n, true);
	if (taken > irqs) {
		c->parked = true;
		turn_to(other[taken - irqs - 1]);
		c->parked = false;
	} else if (taken) {
		c->irqs++;
		take_irq(c, irq[taken - 1]);
	}
	if (irqs)
		explore_event(EVENT_STEP);
}

void explore_at_once(void (*fn)(void))
{
	at_once[explore_cpu] = true;
	fn();
	at_once[explore_cpu] = false;
}

bool explore_must_be_fresh(void)
{
	return cpus[explore_cpu].fresh;
}

void explore_fresh_done(void)
{
	cpus[explore_cpu].fresh = false;
}

void explore_loaded(const void *location, unsigned nr)
{
	cpus[explore_cpu].loaded = location;
	cpus[explore_cpu].loaded_nr = nr;
}

void explore_relax(void)
{
	struct cpu *c = &cpus[explore_cpu];

	if (!explore_on)
		abort();		/* nobody else is there */
	c->fresh = true;
	c->spins = true;
	if (!can_run(c))
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

/* An NMI may still come before what it orders. */
void explore_irq_restore(uintptr_t state)
{
	if (explore_on) {
		explore_point(false);
		explore_barrier();
	}
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

static uint64_t ends;			/* all different */

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

/* What has been found sound in this state is so again. */
static bool at_new_end(void)
{
	bool new = !seen_add(state_of_all(END), 0);

	ends += new;
	return new;
}

/* Return: false if it failed. */
static bool run_schedule(void)
{
	volatile bool back = false;

	nr_decisions = 0;
	nr_questions = 0;
	spent = 0;
	explore_steps = 0;
	pruned = false;
	explore_reports = 0;
	reason[0] = '\0';
	memset(at_once, 0, sizeof(at_once));
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
	if (!reason[0] && !pruned && explore_reports > scenario->reports)
		snprintf(reason, sizeof(reason), "%u reports",
			 explore_reports);
	if (!reason[0] && !pruned && (at_new_end() || explore_every) &&
	    scenario->check)
		check();
	model_restore();
	return !reason[0];
}

/* The decisions that were not the first option: which question, and which. */
static void describe(struct explored *e)
{
	size_t at = 0;

	snprintf(e->failure, sizeof(e->failure), "%s", reason);
	for (unsigned i = 0; i < nr_decisions; i++)
		if (decisions[i].taken && at < sizeof(e->decisions) - 24)
			at += (size_t)snprintf(e->decisions + at, 24, "%u:%u,",
					       decisions[i].question,
					       decisions[i].taken);
}

static void begin(const struct scenario *s)
{
	scenario = s;
	cpus[0].masked = false;
	explore_cpu = 0;
	explore_on = false;
	explore_quiet = true;
	for (unsigned i = 0; i < CPUS; i++)
		if (s->irq[i] || s->nmi[i])
			explore_quiet = false;
	s->setup();
}

/* All schedules within the bound, as long as no new location turns out to be
 * shared. Return: false if one failed. */
static bool explore_all(uint64_t most, struct explored *e)
{
	bool ok = true, more = true;

	memset(e, 0, sizeof(*e));
	seen_forget();
	ends = 0;
	model_settle_shared();
	nr_given = 0;
	while (ok && more && e->schedules < most && !model_found_shared() &&
	       !explore_stop()) {
		ok = run_schedule();
		e->schedules++;
		if (nr_decisions > e->longest)
			e->longest = nr_decisions;
		if (ok)
			more = next_schedule();
	}
	e->all = ok && !more;
	e->ends = ends;
	return ok;
}

bool explore(const struct scenario *s, uint64_t most, uint64_t random,
	     uint64_t seed, struct explored *e)
{
	bool ok;

	begin(s);
	at_random = false;
	do
		ok = explore_all(most, e);
	while (ok && model_found_shared());
	random_state = seed | 1;
	for (at_random = true; ok && e->random < random && !explore_stop();
	     e->random++) {
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
	char *end;

	memset(e, 0, sizeof(*e));
	memset(decisions, 0, sizeof(decisions));
	for (nr_given = 0; *text && nr_given < DECISIONS_MAX; nr_given++) {
		struct decision *d = &decisions[nr_given];

		d->question = (unsigned)strtoul(text, &end, 10);
		if (*end == ':')
			d->taken = (uint8_t)strtoul(end + 1, &end, 10);
		text = end + (*end != '\0');
	}
	begin(s);
	explore_tracing = true;
	if (run_schedule())
		return true;
	describe(e);
	return false;
}
