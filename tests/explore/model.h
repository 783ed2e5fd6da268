/* SPDX-License-Identifier: MIT */
/*
 * tests/explore/model.h - what model.c and races.c share: the clocks, and what
 * is known of each word of memory.
 */
#ifndef KMEM_TESTS_EXPLORE_MODEL_H
#define KMEM_TESTS_EXPLORE_MODEL_H

#include "explore.h"

/* ---- clocks (model.c) ---- */

struct clock {
	uint32_t time[CONTEXTS];
};

struct context {
	struct clock clock;
	struct clock at_barrier;	/* what an interrupt now knows of us */
	struct clock from_irq;		/* what we know from the next barrier */
};

extern struct context contexts[CONTEXTS];

static inline struct context *here(void)
{
	return &contexts[explore_context];
}

static inline uint32_t now(void)
{
	return here()->clock.time[explore_context];
}

static inline bool known(unsigned context, uint32_t time)
{
	return here()->clock.time[context] >= time;
}

/* ---- words (races.c) ---- */

extern uint32_t schedule;		/* number of it: older marks are void */

#define WORD		8u

/*
 * What is known of a word's bytes. That of another schedule is void. Most words
 * are read and no more: what one context has read at one time is put down in
 * marks only when something else is done to the word.
 */
struct word {
	uint32_t schedule;
	uint32_t read;			/* when, by `reader`: */
	uint8_t bytes_read;		/* as bits, not in marks yet */
	uint8_t reader;
	uint8_t saved;			/* bytes to be restored, as bits */
	struct mark *mark;		/* the first ones; NULL: none yet */
	struct location *location;
};

/* The memory that is watched: the arena, and the program's variables. */
struct watched {
	uintptr_t start;		/* of a word */
	size_t bytes;
	struct word *word;
	uint8_t *users;			/* of each byte: the CPUs, as bits */
};

extern struct watched watched[2];

/* Return: NULL for a stack. */
static inline struct watched *watched_at(uintptr_t at)
{
	for (unsigned i = 0; i < 2; i++)
		if (at - watched[i].start < watched[i].bytes)
			return &watched[i];
	return NULL;
}

static inline struct word *word_at(const struct watched *w, uintptr_t at)
{
	struct word *word = &w->word[(at - w->start) / WORD];

	if (word->schedule != schedule)
		*word = (struct word){ .schedule = schedule };
	return word;
}

/* Of the word it is in, as bits; more than 0xff: it is not in one. */
static inline unsigned bytes_at(uintptr_t at, size_t size)
{
	return size > WORD ? ~0u : ((1u << size) - 1) << at % WORD;
}

/* Whether this context has read that before, and nothing happened since: the
 * last time is what counts. */
static inline bool read_again(const struct watched *w, uintptr_t at,
			      size_t size)
{
	struct word *word = word_at(w, at);
	unsigned bytes = bytes_at(at, size);

	if (word->reader != explore_context || bytes & ~word->bytes_read)
		return false;
	if (bytes == word->bytes_read)
		word->read = now();
	return word->read == now();
}

static inline bool is_saved(const struct watched *w, uintptr_t at, size_t size)
{
	return !(bytes_at(at, size) & ~word_at(w, at)->saved);
}

/* Whether several CPUs use it. */
bool is_shared(const struct watched *w, uintptr_t at);

/* An access by this context, now, of what is watched: the schedule fails if it
 * races. */
void check_bytes(const struct watched *w, uintptr_t at, size_t size,
		 bool write, bool atomic, const void *pc);

void races_start(void);

/* Of a word: those in [at, end) begin anew. */
void forget_locations(const struct word *word, uintptr_t at, uintptr_t end);

#endif /* KMEM_TESTS_EXPLORE_MODEL_H */
