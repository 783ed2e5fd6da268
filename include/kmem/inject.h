/* SPDX-License-Identifier: MIT */
/*
 * kmem/inject.h - allocations that fail when a test says so.
 *
 * An error path that is never taken is an error path that does not work. With
 * KMEM_INJECT 1 (config.h) a rule makes allocations fail that would have
 * succeeded: all those that match it in kind, cache, flags and call site are
 * counted, and of them the nth, or a share, or every one from there on fails.
 * To try every error path of a piece of code, fail its allocations in turn:
 *
 *	struct kmem_inject rule = { .times = 1, .caches = "kmalloc-*,task" };
 *
 *	for (rule.nth = 1; ; rule.nth++) {
 *		kmem_inject_set(&rule);
 *		my_driver_open();	(copes, or the test has found a bug)
 *		my_driver_close();
 *		kmem_inject_clear();
 *		if (!kmem_inject_failed(&rule))
 *			break;		(it makes fewer than nth)
 *	}
 *
 * With .times = 0 the nth fails and all after it, as when memory has run out.
 *
 * A request that is failed gets what it gets without memory, at once: no hook
 * is called, nothing is logged. One with __GFP_NOFAIL is never failed, and not
 * counted.
 *
 * The inner kinds are kmem's own allocations, most of which have a second
 * choice: without a new slab, an object of an old one; without a magazine, no
 * magazine. They test kmem rather than its callers. By default (kinds 0) a rule
 * is for the outer two.
 *
 * With KMEM_INJECT 0, the default, no path of kmem knows of this, and
 * kmem_inject_set() returns false.
 */
#ifndef KMEM_INJECT_H
#define KMEM_INJECT_H

#include <kmem/gfp.h>
#include <kmem/compiler.h>

/* Kinds: numbers of counters; in a rule, bits. */
enum kmem_inject_kind {
	KMEM_INJECT_OBJECT,	/* an object of a cache, kmalloc()'s included; a
				 * bulk of them counts once */
	KMEM_INJECT_PAGES,	/* blocks, in bulk, ranges; kmalloc()'s large
				 * ones; pages of vmalloc() */
	KMEM_INJECT_SLAB,	/* inner: a block for a slab, of each order that
				 * is tried */
	KMEM_INJECT_TABLE,	/* inner: descriptors of caches, the states of a
				 * slab's objects */
	KMEM_INJECT_MAGAZINE,	/* inner: a CPU's magazine */
	KMEM_INJECT_DEPOT,	/* inner: a full magazine from the depot, or
				 * room for one in it */
	KMEM_INJECT_KINDS
};

#define KMEM_INJECT_BIT(kind)	(1u << KMEM_INJECT_##kind)
#define KMEM_INJECT_OUTER	(KMEM_INJECT_BIT(OBJECT) | KMEM_INJECT_BIT(PAGES))
#define KMEM_INJECT_ALL		((1u << KMEM_INJECT_KINDS) - 1)

/* A rule: which calls fail. */
struct kmem_inject {
	/* What matches; 0 and NULL everywhere: every call of the outer kinds. */
	unsigned kinds;			/* KMEM_INJECT_BIT()s; 0: OUTER */
	const char *caches;		/* names, ',' between them; one may end in
					 * '*': all that begin so. Of OBJECT, SLAB
					 * and TABLE, which have names (of a table
					 * that of kmem_report()); others don't
					 * match then. NULL: all */
	gfp_t gfp_mask, gfp_value;	/* (gfp & gfp_mask) == gfp_value */
	uintptr_t caller_start;		/* the call returns into [start, end): of
					 * OBJECT and PAGES; others don't match
					 * then. As with SLAB_STORE_USER,
					 * hooks.caller may say another address.
					 * 0, 0: all */
	uintptr_t caller_end;

	/* Which of the calls that match fail; 0 everywhere: all of them. */
	size_t nth;			/* the first to fail, from 1 on */
	size_t interval;		/* and from there on every interval-th */
	unsigned chance;		/* of those so many in 65536; 0: all */
	uint32_t seed;			/* which ones: a function of the seed and
					 * of how many calls came before */
	size_t times;			/* no more than so many; 0: no bound */

	/* kmem's, and for you to read. Set to 0 by kmem_inject_set(). */
	size_t calls, fails;		/* of all kinds; fails may run ahead of
					 * times: kmem_inject_failed() */
	size_t seen[KMEM_INJECT_KINDS];	/* calls that matched */
	size_t failed[KMEM_INJECT_KINDS];
};

KMEM_BEGIN_DECLS

/**
 * kmem_inject_set - from now on, fail what this rule says
 * @rule: used where it is, until kmem_inject_clear() or another rule. Also
 *	before kmem_init(), and through kmem_reset().
 *
 * Context: any. Calls that are under way on other CPUs may be judged by the
 * rule before.
 * Return: false, and no rule is set, if KMEM_INJECT is 0, or for kinds that
 * there are not, a chance of more than 65536, or a range that ends before it
 * starts.
 * Cost: of each allocation with KMEM_INJECT 1: a call and a load without a rule;
 * with one, an atomic operation or two and the comparison of names.
 */
bool kmem_inject_set(struct kmem_inject *rule);

/** kmem_inject_clear - fail nothing any more. Context: any; the rule may be
 * changed or freed when no CPU is in a call that began before. */
void kmem_inject_clear(void);

/** kmem_inject_failed - how many calls a rule has failed, of all kinds */
size_t kmem_inject_failed(const struct kmem_inject *rule);

KMEM_END_DECLS

#endif /* KMEM_INJECT_H */
