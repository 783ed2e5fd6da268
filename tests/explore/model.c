// SPDX-License-Identifier: MIT
/*
 * tests/explore/model.c - what an access may see.
 *
 * It stands in for the thread sanitizer's run-time: the compiler calls it for
 * every access.
 *
 * *Clocks.* Each context (a CPU's thread, or an interrupt on it) counts its own
 * time and knows how much of everybody's it has seen (Lamport; Mattern 1989).
 * An event of context t at time e happened before all that context u does now
 * if u's clock has t at e or later. Knowledge travels by
 *
 *	an acquire load of what a release store wrote
 *	the entry of an interrupt: what the CPU did up to its last barrier
 *	a barrier after an interrupt: what the interrupt did
 *
 * The last two are the compiler's rules, not the CPU's: without a barrier it
 * may delay a store beyond, or do a load before, the point where an interrupt
 * comes (port.h, "Why a plain flag is enough").
 *
 * *Plain accesses* are checked for races (races.c).
 *
 * *Atomic accesses.* For each location: its newest stores. A load may see any
 * but those that something it knows of has overwritten: a store that happened
 * before it and is newer, or one that a load that happened before it saw.
 * Which one is a decision. An exchange sees the newest, and continues the
 * release of the store it replaces.
 *
 * A store by plain access to a location that is also used atomically begins
 * its history anew: that it was ordered after all that came before is checked
 * as a race.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"

#define OLD_STORES	8
#define LOCATIONS	(1u << 14)

struct context contexts[CONTEXTS];

static void join(struct clock *to, const struct clock *from)
{
	for (unsigned i = 0; i < CONTEXTS; i++)
		if (to->time[i] < from->time[i])
			to->time[i] = from->time[i];
}

static void tick(struct context *c, unsigned context)
{
	c->clock.time[context]++;
}

void explore_barrier(void)
{
	struct context *c = here();

	if (!explore_on)
		return;
	join(&c->clock, &c->from_irq);
	c->at_barrier = c->clock;
	tick(c, explore_context);
}

void model_irq_enter(unsigned from, unsigned to)
{
	join(&contexts[to].clock, &contexts[from].at_barrier);
	contexts[to].at_barrier = contexts[to].clock;
	tick(&contexts[to], to);
}

void model_irq_exit(unsigned from, unsigned to)
{
	join(&contexts[to].from_irq, &contexts[from].clock);
	join(&contexts[to].from_irq, &contexts[from].from_irq);
	tick(&contexts[from], from);
}

static void trace(const char *what, const volatile void *p, size_t size,
		  uint64_t value, const void *pc)
{
	static const char *const level[LEVELS] = { "", " irq", " irq irq" };

	if (explore_tracing)
		fprintf(stderr, "CPU %u%s: %s %p %zu %llx pc %p\n",
			explore_context / LEVELS,
			level[explore_context % LEVELS], what,
			(void *)(uintptr_t)p, size, (unsigned long long)value,
			pc);
}

static inline void plain(const void *p, size_t size, bool write, const void *pc)
{
	const struct watched *w;

	if (!explore_on && !(explore_saving && write))
		return;
	w = watched_at((uintptr_t)p);
	if (!w || !size)
		return;
	if (explore_on) {
		if (!explore_quiet || ++explore_steps > STEPS_MAX)
			explore_point(false);
		if (explore_tracing)
			trace(write ? "write" : "read", p, size, 0, pc);
		if (write || !read_again(w, (uintptr_t)p, size))
			check_bytes(w, (uintptr_t)p, size, write, false, pc);
	}
	if (write && !is_saved(w, (uintptr_t)p, size))
		explore_save(p, size);
}

void explore_write(void *p, size_t size)
{
	plain(p, size, true, __builtin_return_address(0));
}

void explore_read(const void *p, size_t size)
{
	plain(p, size, false, __builtin_return_address(0));
}

/* ---- atomic accesses ---- */

struct store {
	uint64_t value;
	uint64_t id;			/* hash of what led to it */
	uint32_t time;			/* 0: before the schedule */
	uint8_t context;
	bool release;
	struct clock clock;		/* what an acquire load of it learns */
};

struct location {
	uintptr_t at;
	struct location *next;		/* in the same word */
	unsigned first, nr;		/* stores that can be seen: numbers
					 * [first, nr) of store[] modulo */
	unsigned seen[CONTEXTS];	/* the newest that each has seen, */
	uint32_t seen_when[CONTEXTS];	/* and when */
	struct store store[OLD_STORES];
};

/* Those of this schedule. */
static struct location locations[LOCATIONS];
static unsigned nr_locations;

static struct location *find(struct word *word, uintptr_t at)
{
	struct location *l;

	for (l = word->location; l; l = l->next)
		if (l->at == at)
			return l;
	if (nr_locations == LOCATIONS)
		explore_fail("more than %u locations", LOCATIONS);
	l = &locations[nr_locations++];
	l->at = at;
	l->next = word->location;
	l->nr = 0;
	word->location = l;
	return l;
}

void model_start(void)
{
	races_start();
	nr_locations = 0;
	memset(contexts, 0, sizeof(contexts));
	for (unsigned i = 0; i < CONTEXTS; i++)
		contexts[i].clock.time[i] = 1;
}

static struct store *store_nr(struct location *l, unsigned nr)
{
	return &l->store[nr % OLD_STORES];
}

static inline uint64_t value_at(const volatile void *p, size_t size)
{
	switch (size) {
	case 1:
		return *(const volatile uint8_t *)p;
	case 2:
		return *(const volatile uint16_t *)p;
	case 4:
		return *(const volatile uint32_t *)p;
	}
	return *(const volatile uint64_t *)p;
}

/* With what is in memory as its oldest store. */
static struct location *location(const struct watched *w,
				 const volatile void *p, size_t size)
{
	uintptr_t at = (uintptr_t)p;
	struct location *l = find(word_at(w, at), at);

	if (!l->nr) {
		memset(l->seen, 0, sizeof(l->seen));
		memset(l->seen_when, 0, sizeof(l->seen_when));
		l->first = 0;
		l->nr = 1;
		l->store[0] = (struct store){ .value = value_at(p, size),
					      .id = at };
	}
	return l;
}

void forget_locations(const struct word *word, uintptr_t at, uintptr_t end)
{
	for (struct location *l = word->location; l; l = l->next)
		if (l->at >= at && l->at < end)
			l->nr = 0;
}

static void saw(struct location *l, unsigned nr)
{
	if (nr >= l->seen[explore_context]) {
		l->seen[explore_context] = nr;
		l->seen_when[explore_context] = now();
	}
}

/* The oldest store that a load of ours can see. */
static unsigned oldest(struct location *l)
{
	unsigned nr = l->first;

	if (known(store_nr(l, l->nr - 1)->context, store_nr(l, l->nr - 1)->time))
		return l->nr - 1;
	for (unsigned i = 0; i < CONTEXTS; i++)
		if (l->seen_when[i] && known(i, l->seen_when[i]) &&
		    l->seen[i] > nr)
			nr = l->seen[i];
	for (unsigned i = l->nr - 2; i > nr; i--)
		if (known(store_nr(l, i)->context, store_nr(l, i)->time))
			return i;
	return nr;
}

static bool acquires(int order)
{
	return order == __ATOMIC_ACQUIRE || order == __ATOMIC_ACQ_REL ||
	       order == __ATOMIC_SEQ_CST || order == __ATOMIC_CONSUME;
}

static bool releases(int order)
{
	return order == __ATOMIC_RELEASE || order == __ATOMIC_ACQ_REL ||
	       order == __ATOMIC_SEQ_CST;
}

static void acquire(const struct store *s)
{
	if (s->release)
		join(&here()->clock, &s->clock);
	explore_barrier();
}

static void append(struct location *l, uint64_t value, bool release,
		   const struct store *continued)
{
	struct store s = { .value = value, .release = release,
			   .context = (uint8_t)explore_context };

	if (release) {
		explore_barrier();
		s.clock = here()->clock;
	}
	if (continued && continued->release) {
		s.release = true;
		join(&s.clock, &continued->clock);
	}
	s.time = now();
	if (l->nr - l->first == OLD_STORES)
		l->first++;
	*store_nr(l, l->nr) = s;
	store_nr(l, l->nr)->id = explore_event(store_nr(l, l->nr - 1)->id);
	explore_loaded(l, l->nr);
	saw(l, l->nr++);
	tick(here(), explore_context);
}

unsigned model_newest(const void *location)
{
	return ((const struct location *)location)->nr - 1;
}

/* Return: NULL if accesses of it are not explored. */
static const struct watched *watches(const volatile void *p)
{
	return explore_on ? watched_at((uintptr_t)p) : NULL;
}

static uint64_t atomic_load(const volatile void *p, size_t size, int order,
			    const void *pc)
{
	const struct watched *w = watches(p);
	struct location *l;
	unsigned low, nr;

	if (!w)
		return value_at(p, size);
	explore_point(is_shared(w, (uintptr_t)p));
	check_bytes(w, (uintptr_t)p, size, false, true, pc);
	l = location(w, p, size);
	low = oldest(l);
	nr = l->nr - 1;
	if (!explore_must_be_fresh())
		nr -= explore_choose(l->nr - low, true);
	saw(l, nr);
	explore_loaded(l, nr);
	explore_event(store_nr(l, nr)->id);
	if (acquires(order))
		acquire(store_nr(l, nr));
	trace("load", p, size, store_nr(l, nr)->value, pc);
	return store_nr(l, nr)->value;
}

static void put(volatile void *p, size_t size, uint64_t value)
{
	const struct watched *w = explore_on || explore_saving ?
				  watched_at((uintptr_t)p) : NULL;

	if (w && !is_saved(w, (uintptr_t)p, size))
		explore_save((const void *)(uintptr_t)p, size);
	memcpy((void *)(uintptr_t)p, &value, size);
}

/* This context, or the setup, has stored the same before, and nobody anything
 * since: whoever sees one of them can't tell which. */
static bool again(const struct store *newest, uint64_t value)
{
	return newest->value == value && !newest->release &&
	       (!newest->time || newest->context == explore_context);
}

static void atomic_store(volatile void *p, size_t size, uint64_t value,
			 int order, const void *pc)
{
	const struct watched *w = watches(p);
	struct location *l;

	if (!w) {
		put(p, size, value);
		return;
	}
	explore_point(is_shared(w, (uintptr_t)p));
	check_bytes(w, (uintptr_t)p, size, true, true, pc);
	l = location(w, p, size);
	if (!releases(order) && again(store_nr(l, l->nr - 1), value)) {
		explore_event(store_nr(l, l->nr - 1)->id);
		explore_loaded(l, l->nr - 1);
		saw(l, l->nr - 1);
	} else {
		append(l, value, releases(order), NULL);
	}
	put(p, size, value);
	explore_fresh_done();
	trace("store", p, size, value, pc);
}

/* The newest value, replaced by what op makes of it. */
static uint64_t atomic_change(volatile void *p, size_t size,
			      uint64_t (*op)(uint64_t old, uint64_t operand),
			      uint64_t operand, int order, const void *pc)
{
	const struct watched *w = watches(p);
	uint64_t old, new;
	struct location *l;
	struct store newest;

	if (!w) {
		old = value_at(p, size);
		put(p, size, op(old, operand));
		return old;
	}
	explore_point(is_shared(w, (uintptr_t)p));
	check_bytes(w, (uintptr_t)p, size, true, true, pc);
	l = location(w, p, size);
	newest = *store_nr(l, l->nr - 1);
	old = newest.value;
	saw(l, l->nr - 1);
	if (acquires(order))
		acquire(&newest);
	new = op(old, operand);
	put(p, size, new);
	append(l, value_at(p, size), releases(order), &newest);
	explore_fresh_done();
	trace("change", p, size, new, pc);
	return old;
}

static uint64_t op_exchange(uint64_t old, uint64_t operand)
{
	(void)old;
	return operand;
}

static uint64_t op_add(uint64_t old, uint64_t operand)
{
	return old + operand;
}

static uint64_t op_sub(uint64_t old, uint64_t operand)
{
	return old - operand;
}

static uint64_t op_or(uint64_t old, uint64_t operand)
{
	return old | operand;
}

static uint64_t op_and(uint64_t old, uint64_t operand)
{
	return old & operand;
}

/* ---- for scenarios ---- */

void explore_post(unsigned *flag)
{
	atomic_change(flag, sizeof(*flag), op_add, 1, __ATOMIC_ACQ_REL,
		      __builtin_return_address(0));
}

void explore_await(unsigned *flag)
{
	while (!atomic_load(flag, sizeof(*flag), __ATOMIC_ACQUIRE,
			    __builtin_return_address(0)))
		explore_relax();
}

/* ---- what compilers call for memory and strings ---- */

void *explore_memset(void *p, int byte, size_t n)
{
	plain(p, n, true, __builtin_return_address(0));
	return memset(p, byte, n);
}

void *explore_memcpy(void *to, const void *from, size_t n)
{
	plain(from, n, false, __builtin_return_address(0));
	plain(to, n, true, __builtin_return_address(0));
	return memcpy(to, from, n);
}

void *explore_memmove(void *to, const void *from, size_t n)
{
	plain(from, n, false, __builtin_return_address(0));
	plain(to, n, true, __builtin_return_address(0));
	return memmove(to, from, n);
}

/* ---- the sanitizer's interface ---- */

void __tsan_init(void);
void __tsan_func_entry(void *pc);
void __tsan_func_exit(void);
void __tsan_read_range(void *p, unsigned long n);
void __tsan_write_range(void *p, unsigned long n);
void __tsan_atomic_signal_fence(int order);
void __tsan_atomic_thread_fence(int order);

void __tsan_init(void)
{
}

void __tsan_func_entry(void *pc)
{
	(void)pc;
}

void __tsan_func_exit(void)
{
}

void __tsan_read_range(void *p, unsigned long n)
{
	plain(p, n, false, __builtin_return_address(0));
}

void __tsan_write_range(void *p, unsigned long n)
{
	plain(p, n, true, __builtin_return_address(0));
}

void __tsan_atomic_signal_fence(int order)
{
	(void)order;
	explore_barrier();
}

void __tsan_atomic_thread_fence(int order)
{
	(void)order;
	explore_fail("a stand-alone fence: the model has none");
}

#define PLAIN(n) \
	void __tsan_read##n(void *p); \
	void __tsan_write##n(void *p); \
	void __tsan_unaligned_read##n(void *p); \
	void __tsan_unaligned_write##n(void *p); \
	void __tsan_read##n(void *p) \
	{ \
		plain(p, n, false, __builtin_return_address(0)); \
	} \
	void __tsan_write##n(void *p) \
	{ \
		plain(p, n, true, __builtin_return_address(0)); \
	} \
	void __tsan_unaligned_read##n(void *p) \
	{ \
		plain(p, n, false, __builtin_return_address(0)); \
	} \
	void __tsan_unaligned_write##n(void *p) \
	{ \
		plain(p, n, true, __builtin_return_address(0)); \
	}

PLAIN(1)
PLAIN(2)
PLAIN(4)
PLAIN(8)
PLAIN(16)

#define CHANGE(bits, name, op) \
	uint##bits##_t __tsan_atomic##bits##_##name( \
		volatile void *p, uint##bits##_t value, int order); \
	uint##bits##_t __tsan_atomic##bits##_##name( \
		volatile void *p, uint##bits##_t value, int order) \
	{ \
		return (uint##bits##_t)atomic_change(p, bits / 8, op, value, \
			order, __builtin_return_address(0)); \
	}

#define ATOMIC(bits) \
	uint##bits##_t __tsan_atomic##bits##_load(const volatile void *p, \
						  int order); \
	void __tsan_atomic##bits##_store(volatile void *p, \
					 uint##bits##_t value, int order); \
	uint##bits##_t __tsan_atomic##bits##_load(const volatile void *p, \
						  int order) \
	{ \
		return (uint##bits##_t)atomic_load(p, bits / 8, order, \
			__builtin_return_address(0)); \
	} \
	void __tsan_atomic##bits##_store(volatile void *p, \
					 uint##bits##_t value, int order) \
	{ \
		atomic_store(p, bits / 8, value, order, \
			     __builtin_return_address(0)); \
	} \
	CHANGE(bits, exchange, op_exchange) \
	CHANGE(bits, fetch_add, op_add) \
	CHANGE(bits, fetch_sub, op_sub) \
	CHANGE(bits, fetch_or, op_or) \
	CHANGE(bits, fetch_and, op_and)

ATOMIC(8)
ATOMIC(16)
ATOMIC(32)
ATOMIC(64)
