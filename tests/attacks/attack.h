/* SPDX-License-Identifier: MIT */
/*
 * attack.h - what the attacks of this folder are written with. README.md says
 * how to read the table that they make, and how to add one.
 *
 * An attack is a function. It gets a machine of its own in a process of its
 * own, with live objects around its victim, and does to it what it is named
 * after:
 *
 *	static void double_free(struct run *r)
 *	{
 *		char *p = victim(r);
 *
 *		give(r, p);			// as it should be
 *		expect(r, p, "double free", 0);	// what a report must say
 *		during(r, "at the free");
 *		free_again(r, p);		// and this is the misuse
 *	}
 *
 * What kmem_panic() is told is recorded, with what was going on just then, and
 * kmem_panic() returns. When the attack is over, the run does what programs do
 * next, and looks at everything: see run.c.
 */
#ifndef ATTACK_H
#define ATTACK_H

#include "testlib.h"

#include <kmem/mempool.h>

/* How kmem was built and started. */
enum column { DEFAULT, HARDENED, DEBUG, NR_COLUMNS };

/* What the victim is of. */
enum kind {
	KMALLOC,		/* kmalloc() of 1 to 8192 bytes */
	CACHE,			/* a kmem_cache of such a size */
	LARGE,			/* kmalloc() of more: whole pages */
	PAGES,			/* alloc_pages() */
	NR_KINDS,
};
#define BIT(kind)	(1u << (kind))
#define OBJECTS		(BIT(KMALLOC) | BIT(CACHE))
#define BYTES		(OBJECTS | BIT(LARGE))	/* what kfree() takes */
#define BLOCKS		(BIT(LARGE) | BIT(PAGES))
#define ALL_KINDS	(BYTES | BIT(PAGES))
#define ONCE		BIT(NR_KINDS)		/* it makes its own victims */

/* What a cell of the table promises. */
#define NOTHING	0u		/* measured only */
#define ALWAYS	1u		/* reported in each run */
#define HOLDS	2u		/* what the row says is so in each run */
#define LATER	4u		/* or one of these, but not yet: measured, and
				 * listed until it is so */

/* What the machine must have: vmalloc(); slabs that keep their pages. */
#define VMALLOC	1u
#define STABLE	2u

struct run;

struct attack {
	const char *what;	/* the row */
	void (*fn)(struct run *r);
	unsigned kinds;		/* a bit for each: a row each */
	unsigned char promise[NR_COLUMNS];
	unsigned needs;		/* VMALLOC, STABLE */
};

/* Of each file, ended by one without a name. */
extern const struct attack free_attacks[], page_attacks[], memory_attacks[],
			   cache_attacks[];

/* ---- the run ---- */

#define NEIGHBOURS	48

struct run {
	enum column column;
	enum kind kind;
	uint64_t random;

	struct kmem_cache *cache;	/* of CACHE */
	size_t size;			/* bytes, as asked for */
	unsigned order;			/* of PAGES */
	char *neighbour[NEIGHBOURS];
	unsigned nr_neighbours;
	mempool_t pool;			/* of such memory; its reserve is full,
					 * or not */

	bool harmed;		/* live memory was written to: more reports may
				 * come, and the neighbours are not looked at */
	unsigned reports;	/* that must come; 0: any number from 1 on */
	bool racing;		/* two CPUs at once; run.c says what that may
				 * cause besides */
	int held;		/* of HOLDS: it did, or not (0); -1: not said */
	bool nothing;		/* the attack came to nothing: by another seed */
};

/* A random number below n, and from a to b. */
uint64_t below(struct run *r, uint64_t n);
size_t between(struct run *r, size_t a, size_t b);

/* An allocation like the victim; NULL without memory. And its proper free. */
void *take(struct run *r);
void give(struct run *r, void *p);
/* Bytes of it that its user may use. */
size_t room(const struct run *r, const void *p);

/* The object that all is about, with neighbours before and behind it that are
 * in use. Its size, order and place are random. */
void *victim(struct run *r);

/* One of the neighbours, which the caller is to free now; NULL: none is left. */
void *neighbour(struct run *r);

/* n allocations of up to so many bytes; all are freed again, some at once. */
void churn(struct run *r, unsigned n, size_t most);

/* Empty all magazines, on both CPUs. */
void drain(struct run *r);

/* What is going on: a word for reports that come from here on. */
void during(struct run *r, const char *stage);

/*
 * A report has to name p, if that is not NULL, and contain the words. If p lies in a slab now, the
 * object there too: its cache, its slab, its index. And more:
 */
#define SAYS_FOUND	1u	/* what was expected, and found */
#define SAYS_ALLOC	2u	/* debugged: who allocated it */
#define SAYS_FREE	4u	/* debugged: who freed it */
#define NO_PLACE	8u	/* not which object */
#define NO_INDEX	16u	/* only the cache of it */
#define NO_CALLER	32u	/* nobody is to be named */
void expect(struct run *r, const void *p, const char *words, unsigned says);

/* Reports until now. */
unsigned nr_reports(void);

/* How the run of a HOLDS row has ended. */
void holds(struct run *r, bool held);

/* ---- calls that are misuse ---- */

/* The functions that commit it lie in a section of their own, and end with
 * something after the call: so its return address, which reports name, is told
 * from all others. */
#define MISUSE_CALL	__attribute__((section("misuse_calls"), noinline))
#define END_OF_CALL()	__asm__ volatile("" : : : "memory")

/* Free p by any function that takes what it is, or seems to be. */
void free_by_any(struct run *r, void *p);
/* The same for pages, and for those that take an address of any value. */
void free_address_as_pages(struct run *r, void *p);

/* All of them: freers.c. */
struct freer {
	const char *name;
	void (*fn)(struct run *r, void *p);
	unsigned kinds;
};
extern const struct freer freers[];
extern const unsigned nr_freers;

/* ---- run.c, for main.c ---- */

enum end {
	DETECTED, MISSED,	/* or, of a HOLDS row: held, or not */
	WRONG,			/* reported, but not as expected */
	UNSOUND,		/* and afterwards something was broken */
	CAME_TO_NOTHING,
	CRASHED,		/* said by whoever waited for the process */
};

struct outcome {
	enum end end;
	char stage[24];
	char text[640];		/* the report; or what is wrong */
};

void run_attack(const struct attack *a, enum kind kind, enum column column,
		uint64_t seed, struct outcome *o);

#endif /* ATTACK_H */
