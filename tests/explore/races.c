// SPDX-License-Identifier: MIT
/*
 * tests/explore/races.c - with what an access races, and what it replaced.
 *
 * For each byte: who wrote it last, and when each context read it last. Two
 * accesses, one of them a write, neither of which happened before the other,
 * are a race (Flanagan & Freund 2009, "FastTrack").
 *
 * Most schedules do a few thousand accesses, so what one costs is what the
 * explorer costs. Bytes of a word share a mark as long as they are used
 * together, which most are for good: a field. And what one context read last is
 * only put down in marks when somebody else comes, or writes: read again, it is
 * a matter of one comparison.
 */
#include <stdlib.h>
#include <string.h>

#include "model.h"

#define MARKS		(1u << 18)

uint32_t schedule;
struct watched watched[2];

/*
 * Marks of bytes of one word that were always used together: which bytes those
 * are, is found out as we go. What is done to a part of them is done to a copy,
 * of that part alone; and what is written by one plain access is of one mark
 * from then on.
 */
struct mark {
	struct mark *next;		/* of the same word, other bytes */
	const void *pc;			/* of the last write */
	uint32_t written;		/* when; 0: not in this schedule */
	uint16_t readers;		/* since the last plain write, as bits: */
	uint16_t atomic_readers;	/* contexts; when: below */
	uint8_t bytes;			/* of the word, as bits */
	uint8_t writer;
	bool atomic;			/* that was an atomic store */
	uint32_t read[CONTEXTS];
	uint32_t atomic_read[CONTEXTS];
};

/* Those of this schedule. */
static struct mark *marks;
static unsigned nr_marks;

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
	size_t before = (uintptr_t)start % WORD;

	w->start = (uintptr_t)start - before;
	w->bytes = before + bytes;
	w->word = zeroes(w->word, w->bytes / WORD + 1, sizeof(struct word));
	w->users = zeroes(w->users, w->bytes, 1);
}

void model_init(void *arena, size_t bytes)
{
	model_settle_shared();
	watch(&watched[0], arena, bytes);
	if (!marks)
		marks = zeroes(NULL, MARKS, sizeof(*marks));
	/* Anew too: who uses what is of this scenario, wherever it runs. */
	watch(&watched[1], __data_start, (size_t)(_end - __data_start));
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
bool is_shared(const struct watched *w, uintptr_t at)
{
	uint8_t *u = &w->users[at - w->start];

	if (*u & SHARED)
		return true;
	use(u);
	return explore_every || explore_tracing;
}

static struct mark *add_mark(void)
{
	if (nr_marks == MARKS)
		explore_fail("more than %u marks", MARKS);
	return &marks[nr_marks++];
}

/* Of bytes of which nothing is known. */
static struct mark *first_mark(void)
{
	struct mark *m = add_mark();

	m->next = NULL;
	m->pc = NULL;
	m->written = 0;
	m->readers = m->atomic_readers = 0;
	m->bytes = 0xff;
	return m;
}

/* Of the word that begins here: the bytes in [at, end), as bits. */
static inline unsigned bytes_of(uintptr_t word, uintptr_t at, uintptr_t end)
{
	unsigned bytes = 0xff;

	if (word < at)
		bytes &= 0xffu << (at - word);
	if (end - word < WORD)
		bytes &= (1u << (end - word)) - 1;
	return bytes;
}

static inline uintptr_t word_of(uintptr_t at)
{
	return at & ~(uintptr_t)(WORD - 1);
}

/* An access by this context, now. */
struct access {
	uintptr_t word;			/* where it begins */
	uint32_t now;
	const uint32_t *known;		/* of each context: up to when */
	bool atomic;
	const void *pc;
};

static void race(const char *what, const struct access *a,
		 const struct mark *m, unsigned other)
{
	explore_fail("race: %s of %p by context %u at pc %p, and an access "
		     "by context %u (last written at pc %p)", what,
		     (void *)(a->word + (unsigned)__builtin_ctz(m->bytes)),
		     explore_context, a->pc, other, m->pc);
}

static inline void check_writer(const struct access *a, const struct mark *m,
				const char *what)
{
	if (m->written && m->written > a->known[m->writer] &&
	    !(a->atomic && m->atomic))
		race(what, a, m, m->writer);
}

/* These contexts have read it: each before what this one does now. */
static inline void check_readers(const struct access *a, const struct mark *m,
				 unsigned readers, const uint32_t *when)
{
	for (; readers; readers &= readers - 1) {
		unsigned reader = (unsigned)__builtin_ctz(readers);

		if (when[reader] > a->known[reader])
			race("write", a, m, reader);
	}
}

static void note_read(struct mark *m, bool atomic, unsigned reader,
		      uint32_t when)
{
	if (atomic) {
		m->atomic_readers |= (uint16_t)(1u << reader);
		m->atomic_read[reader] = when;
	} else {
		m->readers |= (uint16_t)(1u << reader);
		m->read[reader] = when;
	}
}

/* Who races with the readers before a plain write races with that too. */
static void check_write(const struct access *a, struct mark *m)
{
	check_writer(a, m, "write");
	check_readers(a, m, m->readers, m->read);
	if (!a->atomic) {
		check_readers(a, m, m->atomic_readers, m->atomic_read);
		m->readers = m->atomic_readers = 0;
	}
	m->written = a->now;
	m->writer = (uint8_t)explore_context;
	m->atomic = a->atomic;
	m->pc = a->pc;
}

/* The mark after this one is of these of its bytes alone, if it has others.
 * Return: whether this one is. */
static inline bool split(struct mark *m, unsigned bytes)
{
	struct mark *part;

	if (!(m->bytes & bytes))
		return false;
	if (!(m->bytes & ~bytes))
		return true;
	part = add_mark();
	*part = *m;
	part->bytes &= (uint8_t)bytes;
	m->bytes &= (uint8_t)~bytes;
	m->next = part;
	return false;
}

/* All that was read is in marks, and each byte is of one. */
static void settle(struct word *word)
{
	if (!word->mark)
		word->mark = first_mark();
	if (!word->bytes_read)
		return;
	for (struct mark *m = word->mark; m; m = m->next)
		if (split(m, word->bytes_read))
			note_read(m, false, word->reader, word->read);
	word->bytes_read = 0;
}

static void check_plain_read(const struct access *a, struct word *word,
			     unsigned bytes)
{
	for (const struct mark *m = word->mark; m; m = m->next)
		if (m->bytes & bytes)
			check_writer(a, m, "read");
	if (word->reader != explore_context || word->read != a->now) {
		if (word->bytes_read && (word->reader != explore_context ||
					 word->bytes_read & ~bytes))
			settle(word);
		word->bytes_read = 0;
		word->reader = (uint8_t)explore_context;
		word->read = a->now;
	}
	word->bytes_read |= (uint8_t)bytes;
}

static void check_atomic(const struct access *a, struct word *word,
			 unsigned bytes, bool write)
{
	settle(word);
	for (struct mark *m = word->mark; m; m = m->next) {
		if (!split(m, bytes))
			continue;
		if (write) {
			check_write(a, m);
		} else {
			check_writer(a, m, "read");
			note_read(m, true, explore_context, a->now);
		}
	}
}

static void check_plain_write(const struct access *a, struct word *word,
			      unsigned bytes)
{
	struct mark *before = NULL, *written = NULL;

	settle(word);
	for (struct mark *m = word->mark; m; m = m->next) {
		if (split(m, bytes)) {
			check_write(a, m);
			if (written) {
				written->bytes |= m->bytes;
				before->next = m->next;
				continue;
			}
			written = m;
		}
		before = m;
	}
}

void check_bytes(const struct watched *w, uintptr_t at, size_t size,
		 bool write, bool atomic, const void *pc)
{
	struct access a = { 0, now(), here()->clock.time, atomic, pc };
	uintptr_t end = at + size;

	if (end - w->start > w->bytes)
		explore_fail("access to %p, %zu bytes: beyond the end",
			     (void *)at, size);
	for (a.word = word_of(at); a.word < end; a.word += WORD) {
		struct word *word = word_at(w, a.word);
		unsigned bytes = bytes_of(a.word, at, end);

		if (atomic) {
			check_atomic(&a, word, bytes, write);
		} else if (write) {
			check_plain_write(&a, word, bytes);
			forget_locations(word, at, end);
		} else {
			check_plain_read(&a, word, bytes);
		}
	}
}

/* ---- what is restored ---- */

static struct saved {
	struct word *word;
	uintptr_t at;
	unsigned char old[WORD];
} *saved;
static size_t nr_saved, max_saved;

static void save_word(struct word *word, uintptr_t at)
{
	if (nr_saved == max_saved) {
		max_saved = max_saved ? 2 * max_saved : 4096;
		saved = realloc(saved, max_saved * sizeof(*saved));
		if (!saved)
			abort();
	}
	saved[nr_saved].word = word;
	saved[nr_saved].at = at;
	memcpy(saved[nr_saved++].old, (const void *)at, WORD);
}

void explore_save(const void *p, size_t size)
{
	uintptr_t at = (uintptr_t)p, end = at + size;
	const struct watched *w = watched_at(at);

	if (!w)
		return;
	for (uintptr_t i = word_of(at); i < end; i += WORD) {
		struct word *word = word_at(w, i);

		if (!word->saved)
			save_word(word, i);
		word->saved |= (uint8_t)bytes_of(i, at, end);
	}
}

/* The other bytes of a word may be the explorer's. */
void model_restore(void)
{
	while (nr_saved) {
		const struct saved *s = &saved[--nr_saved];

		for (unsigned i = 0; i < WORD; i++)
			if (s->word->saved >> i & 1)
				((unsigned char *)s->at)[i] = s->old[i];
		s->word->saved = 0;
	}
}

void races_start(void)
{
	schedule++;
	nr_marks = 0;
	nr_saved = 0;			/* what setup() did stays */
}
