/* SPDX-License-Identifier: MIT */
/*
 * invariant.h - the two kinds of run-time check.
 *
 * KMEM_ASSERT is for kmem's own mistakes: compiled always, executed in debug
 * builds. What callers may get wrong is checked by code that is always on and
 * calls kmem_misuse(). A failed allocation is neither.
 */
#ifndef KMEM_INVARIANT_H
#define KMEM_INVARIANT_H

#include "hooks.h"

#include <kmem/stats.h>

#define KMEM_ASSERT(cond) do { \
	if (KMEM_DEBUG && KMEM_UNLIKELY(!(cond))) \
		kmem_bug(__FILE__, __LINE__, #cond); \
} while (0)

/* What can't be unless memory was written over, for the reason that stands
 * beside it, and is handled all the same. The build that counts branches does not
 * count it, and traps there (tests/coverage/source.h). */
#ifndef KMEM_NEVER
#define KMEM_NEVER(cond)	KMEM_UNLIKELY(cond)
#endif

/*
 * For `make bench-checks` and nothing else: 1 leaves out what the hot paths do
 * to find misuse, so that its cost can be measured.
 */
#ifndef KMEM_UNCHECKED
#define KMEM_UNCHECKED 0
#endif

/* The caller, or whoever wrote here, has got something wrong. */
#define KMEM_WRONG(cond)	(!KMEM_UNCHECKED && KMEM_UNLIKELY(cond))

/*
 * What the checkers share: where violations are told, and how many there
 * were. Each is told with the number of the invariant, which the theory
 * comment of its module defines. With KMEM_REPORT_TEXT 0 they are counted.
 */
struct check {
	kmem_out_fn out;
	void *ctx;
	size_t violations;
	size_t empty_pages;		/* seen, of empty slabs; */
	size_t depot_bytes;		/* and what depots may hold: A3 */
};

#define check_violated(c, ...) \
	(KMEM_REPORT_TEXT ? check_violated_line(c, __VA_ARGS__) : \
			    (void)(c)->violations++)

void check_violated_line(struct check *c, const char *fmt, ...)
	KMEM_PRINTF(2, 3) KMEM_COLD;

#endif /* KMEM_INVARIANT_H */
