/* SPDX-License-Identifier: MIT */
/*
 * tests/host/calls.h - the whole interface, in any order, against a trivial
 * oracle.
 *
 * A small machine, perhaps of two nodes, one thread that plays several CPUs in
 * turn, and calls: kmalloc and its family, caches that come and go, blocks of
 * pages of all orders, bulk calls, shrinking and draining, wrong frees. Which
 * ones, a source of numbers says: a generator or a fuzzer. The oracle is a byte
 * for each eight bytes of memory, which says whether somebody holds them, and a
 * list of all that is held, with a pattern in the contents.
 *
 *	what is given	nobody holds a byte of it; aligned; in the zone asked
 *			for; zero if asked for
 *	what is held	keeps its pattern, whatever happens elsewhere
 *	what is refused	only when memory is as short as the watermarks say
 *	what is wrong	is reported once, and changes nothing
 *	calls_check()	kmem_check_all(), and all pages are accounted for: free,
 *			in slabs, or held
 */
#ifndef KMEM_TEST_CALLS_H
#define KMEM_TEST_CALLS_H

#include "testlib.h"

struct calls_source {
	/* A number below n. */
	uint64_t (*below)(uint64_t n);
	/* Say where it went wrong. */
	void (*where)(void);
	unsigned nodes;			/* 1 or 2 */
	const char *debug;		/* params.debug */
};

/* A machine, and nothing held. */
void calls_start(const struct calls_source *source);

/* One call; more of them allocate than free, or less. What it finds wrong ends
 * the process. */
void calls_one(bool growing);

void calls_check(void);

/* Free all that is held, drain, and verify that all is as it was. */
void calls_end(void);

/* Calls refused for lack of memory, and pages that are taken now. */
unsigned calls_refused(void);
size_t calls_pages(size_t *of);

#endif /* KMEM_TEST_CALLS_H */
