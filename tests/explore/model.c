// SPDX-License-Identifier: MIT
/*
 * tests/explore/model.c - what an access may see, and with what it races.
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
 * *Plain accesses.* For each byte: who wrote it last, and when each context
 * read it last. Two accesses, one of them a write, neither of which happened
 * before the other, are a race (Flanagan & Freund 2009, "FastTrack").
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

#include "explore.h"

#define OLD_STORES	8
#define LOCATIONS	(1u << 14)

struct clock {
	uint32_t time[CONTEXTS];
};

static struct context {
	struct clock clock;
	struct clock at_barrier;	/* what an interrupt now knows of us */
	struct clock from_irq;		/* what we know from the next barrier */
} contexts[CONTEXTS];

static uint32_t schedule;		/* number of it: older marks are void */

static void join(struct clock *to, const struct clock *from)
{
	for (unsigned i = 0; i < CONTEXTS; i++)
		if (to->time[i] < from->time[i])
			to->time[i] = from->time[i];
}

static struct context *here(void)
{
	return &contexts[explore_context];
}

static uint32_t now(void)
{
	return here()->clock.time[explore_context];
}

static void tick(struct context *c, unsigned context)
{
	c->clock.time[context]++;
}

static bool known(unsigned context, uint32_t time)
{
	return here()->clock.time[context] >= time;
}

void model_start(void)
{
	schedule++;
	memset(contexts, 0, sizeof(contexts));
	for (unsigned i = 0; i < CONTEXTS; i++)
		contexts[i].clock.time[i] = 1;
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

/* ---- plain accesses ---- */

/* Of a byte that is watched. Marks of another schedule are void. */
struct byte {
	uint32_t schedule;
	uint32_t written;		/* when; 0: not in this schedule */
	uint8_t writer;
	bool atomic;			/* that was an atomic store */
	bool location;			/* there may be one that begins here */
	uint16_t readers;		/* since the last plain write, as bits: */
	uint16_t atomic_readers;	/* contexts; when: below */
	const void *pc;			/* of the last write */
};

/* The memory that is watched: the arena, and the program's variables. */
static struct watched {
	uintptr_t start;
	size_t bytes;
	struct byte *byte;
	uint32_t *read[CONTEXTS];	/* of each byte: when each context read */
	uint32_t *atomic_read[CONTEXTS]; /* it last */
	uint8_t *users;			/* of each byte: the CPUs, as bits */
} watched[2];

/* Of watched.users: it was known at the start that there are several. */
#define SHARED		0x80u

#define FOUND_MAX	4096

/* Bytes that turned out to be, since then. */
static uint8_t *found_shared[FOUND_MAX];
static unsigned nr_found;

extern char __data_start[], _end[];

static void *zeroes(void *old, size_t n, size_t size)
{
	void *p;

	free(old);
	p = calloc(n, size);
	if (!p)
		abort();
	return p;
}

static void watch(struct watched *w, void *start, size_t bytes)
{
	w->start = (uintptr_t)start;
	w->bytes = bytes;
	w->byte = zeroes(w->byte, bytes, sizeof(struct byte));
	w->users = zeroes(w->users, bytes, 1);
	for (unsigned i = 0; i < CONTEXTS; i++) {
		w->read[i] = zeroes(w->read[i], bytes, sizeof(uint32_t));
		w->atomic_read[i] = zeroes(w->atomic_read[i], bytes,
					   sizeof(uint32_t));
	}
}

void model_init(void *arena, size_t bytes)
{
	model_settle_shared();
	watch(&watched[0], arena, bytes);
	if (!watched[1].byte)
		watch(&watched[1], __data_start,
		      (size_t)(_end - __data_start));
}

void model_settle_shared(void)
{
	while (nr_found)
		*found_shared[--nr_found] |= SHARED;
}

bool model_found_shared(void)
{
	return nr_found;
}

static void use(uint8_t *users)
{
	uint8_t cpu = (uint8_t)(1u << explore_context / LEVELS);

	if (*users && !(*users & cpu) && nr_found < FOUND_MAX)
		found_shared[nr_found++] = users;
	*users |= cpu;
}

/* An atomic access of what only one CPU uses is no place to switch: it is the
 * same to the others before and after. Who uses what is found out as we go. */
static bool is_shared(uintptr_t at)
{
	for (unsigned i = 0; i < 2; i++)
		if (at - watched[i].start < watched[i].bytes) {
			uint8_t *u = &watched[i].users[at - watched[i].start];

			if (*u & SHARED)
				return true;
			use(u);
			return explore_every || explore_tracing;
		}
	return false;
}

/* Return: NULL for a stack. */
static struct watched *watched_at(uintptr_t at)
{
	for (unsigned i = 0; i < 2; i++)
		if (at - watched[i].start < watched[i].bytes)
			return &watched[i];
	return NULL;
}

static struct byte *byte_nr(struct watched *w, size_t i)
{
	struct byte *b = &w->byte[i];

	if (b->schedule != schedule)
		*b = (struct byte){ .schedule = schedule };
	return b;
}

static void race(const char *what, uintptr_t at, const struct byte *b,
		 unsigned other, const void *pc)
{
	explore_fail("race: %s of %p by context %u at pc %p, and an access "
		     "by context %u (last written at pc %p)", what,
		     (void *)at, explore_context, pc, other, b->pc);
}

/* An access by this context, now. */
struct access {
	struct watched *to;
	uint32_t now;
	const uint32_t *known;		/* of each context: up to when */
	bool atomic;
	const void *pc;
};

static inline void check_writer(const struct access *a, const struct byte *b,
			 size_t i, const char *what)
{
	if (b->written && b->written > a->known[b->writer] &&
	    !(a->atomic && b->atomic))
		race(what, a->to->start + i, b, b->writer, a->pc);
}

static void check_reads(const struct access *a, size_t first, size_t end)
{
	uint32_t *when = a->atomic ? a->to->atomic_read[explore_context] :
				     a->to->read[explore_context];
	uint16_t reader = (uint16_t)(1u << explore_context);

	for (size_t i = first; i < end; i++) {
		struct byte *b = byte_nr(a->to, i);

		check_writer(a, b, i, "read");
		if (a->atomic)
			b->atomic_readers |= reader;
		else
			b->readers |= reader;
		when[i] = a->now;
	}
}

/* These contexts have read it: each before what this one does now. */
static inline void check_readers(const struct access *a, size_t i, unsigned readers,
			  uint32_t *const when[CONTEXTS])
{
	for (; readers; readers &= readers - 1) {
		unsigned reader = (unsigned)__builtin_ctz(readers);

		if (when[reader][i] > a->known[reader])
			race("write", a->to->start + i, &a->to->byte[i],
			     reader, a->pc);
	}
}

static void forget_location(uintptr_t at);

/* Who races with the readers before a plain write races with that too. */
static void check_writes(const struct access *a, size_t first, size_t end)
{
	for (size_t i = first; i < end; i++) {
		struct byte *b = byte_nr(a->to, i);

		check_writer(a, b, i, "write");
		check_readers(a, i, b->readers, a->to->read);
		if (!a->atomic) {
			check_readers(a, i, b->atomic_readers,
				      a->to->atomic_read);
			b->readers = b->atomic_readers = 0;
			if (b->location)
				forget_location(a->to->start + i);
			b->location = false;
		}
		b->written = a->now;
		b->writer = (uint8_t)explore_context;
		b->atomic = a->atomic;
		b->pc = a->pc;
	}
}

static void check_bytes(uintptr_t at, size_t size, bool write, bool atomic,
			const void *pc)
{
	const struct access a = { watched_at(at), now(), here()->clock.time,
				  atomic, pc };
	size_t first;

	if (!a.to)
		return;
	first = at - a.to->start;
	if (first + size > a.to->bytes)
		explore_fail("access to %p, %zu bytes: beyond the end",
			     (void *)at, size);
	if (write)
		check_writes(&a, first, first + size);
	else
		check_reads(&a, first, first + size);
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

static void plain(const void *p, size_t size, bool write, const void *pc)
{
	uintptr_t at = (uintptr_t)p;

	if (!explore_on && explore_saving && write && watched_at(at))
		explore_save(p, size);
	if (!explore_on || !size || !watched_at(at))
		return;
	explore_point(false);
	trace(write ? "write" : "read", p, size, 0, pc);
	check_bytes(at, size, write, false, pc);
	if (!write)
		return;
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
	uint32_t schedule;
	unsigned first, nr;		/* stores that can be seen: numbers
					 * [first, nr) of store[] modulo */
	unsigned seen[CONTEXTS];	/* the newest that each has seen, */
	uint32_t seen_when[CONTEXTS];	/* and when */
	struct store store[OLD_STORES];
};

static struct location locations[LOCATIONS];

static struct location *find(uintptr_t at)
{
	unsigned i = (unsigned)((at * 0x9e3779b97f4a7c15u) >> 50);

	for (;; i = (i + 1) % LOCATIONS) {
		struct location *l = &locations[i];

		if (l->schedule == schedule && l->at == at)
			return l;
		if (l->schedule != schedule) {
			l->at = at;
			l->schedule = schedule;
			l->nr = 0;
			return l;
		}
	}
}

static struct store *store_nr(struct location *l, unsigned nr)
{
	return &l->store[nr % OLD_STORES];
}

static uint64_t value_at(const volatile void *p, size_t size)
{
	uint64_t value = 0;

	memcpy(&value, (const void *)(uintptr_t)p, size);
	return value;
}

/* With what is in memory as its oldest store. */
static struct location *location(const volatile void *p, size_t size)
{
	struct location *l = find((uintptr_t)p);

	if (!l->nr) {
		struct watched *w = watched_at((uintptr_t)p);

		byte_nr(w, (uintptr_t)p - w->start)->location = true;
		memset(l->seen, 0, sizeof(l->seen));
		memset(l->seen_when, 0, sizeof(l->seen_when));
		l->first = 0;
		l->nr = 1;
		l->store[0] = (struct store){ .value = value_at(p, size),
					      .id = (uintptr_t)p };
	}
	return l;
}

static void forget_location(uintptr_t at)
{
	unsigned i = (unsigned)((at * 0x9e3779b97f4a7c15u) >> 50);

	for (; locations[i].schedule == schedule; i = (i + 1) % LOCATIONS)
		if (locations[i].at == at) {
			locations[i].nr = 0;
			return;
		}
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

	for (unsigned i = 0; i < CONTEXTS; i++)
		if (l->seen_when[i] && known(i, l->seen_when[i]) &&
		    l->seen[i] > nr)
			nr = l->seen[i];
	for (unsigned i = l->nr - 1; i > nr; i--)
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

static bool watches(const volatile void *p)
{
	return explore_on && watched_at((uintptr_t)p);
}

static uint64_t atomic_load(const volatile void *p, size_t size, int order,
			    const void *pc)
{
	struct location *l;
	unsigned low, nr;

	if (!watches(p))
		return value_at(p, size);
	explore_point(is_shared((uintptr_t)p));
	check_bytes((uintptr_t)p, size, false, true, pc);
	l = location(p, size);
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
	if (explore_on || (explore_saving && watched_at((uintptr_t)p)))
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
	struct location *l;

	if (!watches(p)) {
		put(p, size, value);
		return;
	}
	explore_point(is_shared((uintptr_t)p));
	check_bytes((uintptr_t)p, size, true, true, pc);
	l = location(p, size);
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
	uint64_t old, new;
	struct location *l;
	struct store newest;

	if (!watches(p)) {
		old = value_at(p, size);
		put(p, size, op(old, operand));
		return old;
	}
	explore_point(is_shared((uintptr_t)p));
	check_bytes((uintptr_t)p, size, true, true, pc);
	l = location(p, size);
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
