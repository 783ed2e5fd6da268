/* SPDX-License-Identifier: MIT */
/*
 * tests/points/points.h - something happens between any two memory accesses.
 *
 * The library is compiled with -fsanitize=thread, which puts a call before each
 * access to memory; points.c supplies those calls in place of the compiler's
 * run-time library. A *point* is such a call. Run a piece of code once for each
 * of its points, and let an interrupt or an NMI come there and then.
 */
#ifndef POINTS_H
#define POINTS_H

#include <stdbool.h>

/* What comes, and when: `fn` runs at the n-th point from 0, where it is let
 * through. An interrupt is not, where kmem has masked interrupts. */
struct points_event {
	void (*fn)(void);
	bool irq;
	unsigned long n;
};

/*
 * From here to points_stop(), points of this thread are counted. The second
 * event comes inside of the first, n counted from its start; or NULL.
 */
void points_start(const struct points_event *first,
		  const struct points_event *second);

/* Return: whether the first event came. */
bool points_stop(void);

#endif /* POINTS_H */
