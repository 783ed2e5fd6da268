/* SPDX-License-Identifier: MIT */
/*
 * kmem/config.h - every build-time choice, in one place.
 *
 * Each option can be set on the command line (-DKMEM_PAGE_SHIFT=14), or all
 * of them at once in a header of your own:
 *
 *	-DKMEM_CONFIG_FILE='"my_config.h"'
 *
 * The library and everything that includes its headers must be compiled with
 * the same choices: sizes of public structures depend on them.
 */
#ifndef KMEM_CONFIG_H
#define KMEM_CONFIG_H

#include <kmem/names.h>		/* and, first of all, KMEM_CONFIG_FILE */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* log2 of the page size in bytes. Range 8 (256 B) to 16 (64 KiB). */
#ifndef KMEM_PAGE_SHIFT
#define KMEM_PAGE_SHIFT 12
#endif

/* Largest block is 2^KMEM_MAX_ORDER pages. Range 3 to 20; 10 is 4 MiB. */
#ifndef KMEM_MAX_ORDER
#define KMEM_MAX_ORDER 10
#endif

/* Most CPUs that kmem_init() accepts, 1 to 240. Costs nothing until they
 * exist. 1 leaves out every atomic operation. */
#ifndef KMEM_MAX_CPUS
#define KMEM_MAX_CPUS 240
#endif

/* Most NUMA nodes. Costs a pointer each. Range 1 to 64. */
#ifndef KMEM_MAX_NODES
#define KMEM_MAX_NODES 64
#endif

/* Zones of a node: 3, DMA, DMA32 and NORMAL, as far as the machine has memory
 * in them; or 1: then GFP_DMA and GFP_DMA32 mean any memory. */
#ifndef KMEM_ZONES
#define KMEM_ZONES 3
#endif

/* 1: pages that can be moved or reclaimed are kept apart from those that can't,
 * so that large blocks come free again (mobility.h). 0: __GFP_MOVABLE and
 * __GFP_RECLAIMABLE say nothing. */
#ifndef KMEM_MOBILITY
#define KMEM_MOBILITY 1
#endif

/* Most ranges of a boot memory map, reservations and early allocations
 * included, and one for each table of kmem's own: three, one a node, and one
 * for each piece of memory that has descriptors of its own. Costs 40 bytes
 * each. A fuller map is refused, never cut. */
#ifndef KMEM_MAX_REGIONS
#define KMEM_MAX_REGIONS 512
#endif

/* Bytes; what two CPUs must not share. A power of two, 16 to 256. */
#ifndef KMEM_CACHE_LINE
#define KMEM_CACHE_LINE 64
#endif

/* Size classes a doubling of kmalloc: 4 (at most 20 % lost in a class, 8 %
 * on average) or 1 (Linux's table with 96 and 192; 25 % on average). */
#ifndef KMEM_KMALLOC_STEPS
#define KMEM_KMALLOC_STEPS 4
#endif

/* Bytes of one cache's slabs on a node, beyond which the next slabs of small
 * objects (33 to 240 bytes, with pages of 4 KiB) are two or four pages, so that
 * what is allocated together lies together. Where a few objects at random outlive
 * a peak, more pages are kept. Not of caches that are hardened, debugged or
 * SLAB_RECLAIM_ACCOUNT. 0: none. */
#ifndef KMEM_LARGE_SLABS_BYTES
#define KMEM_LARGE_SLABS_BYTES (4 << 20)
#endif

/* Objects in a magazine. Range 6 to 254; 62 makes one of 1 KiB. Or 0: there is
 * no per-CPU layer, and every allocation and free takes the lock of a slab or
 * a zone. For machines with one CPU and little memory. */
#ifndef KMEM_MAGAZINE_ROUNDS
#define KMEM_MAGAZINE_ROUNDS 62
#endif

/* Bytes of objects that one magazine may pin, at least one object. A CPU holds
 * two magazines a cache. */
#ifndef KMEM_MAGAZINE_BYTES
#define KMEM_MAGAZINE_BYTES 16384
#endif

/* Bytes of objects that one cache's depots may pin for each CPU, where memory is
 * scarce; more as long as all depots together may pin no more than 1/32 of
 * memory. They begin with 1/32 of that for one CPU, and get there only if the
 * objects are used again. */
#ifndef KMEM_DEPOT_BYTES
#define KMEM_DEPOT_BYTES 262144
#endif

/* Characters of a cache's name, terminator included. Range 12 to 64. */
#ifndef KMEM_NAME_BYTES
#define KMEM_NAME_BYTES 48
#endif

/* 1: the log and the reasons given to kmem_panic() are whole lines of text. 0:
 * there is no log, a reason is the kind of misuse and an address,
 * kmem_check_all() does not say what it counts, hooks.in_atomic is not asked,
 * and no cache can be debugged: its flags are refused. */
#ifndef KMEM_REPORT_TEXT
#define KMEM_REPORT_TEXT 1
#endif

/* 1: check kmem's own invariants as it runs (KMEM_ASSERT). 0 or 1. The checks
 * of what callers pass in are always on. */
#ifndef KMEM_DEBUG
#define KMEM_DEBUG 0
#endif

/* 1: allocations can be made to fail, by kmem_inject_set() (kmem/inject.h): for
 * tests, it costs a call in each. 0 or 1. */
#ifndef KMEM_INJECT
#define KMEM_INJECT 0
#endif

/*
 * 1: hardened: each object has a guard on either side, verified when it is freed;
 * with kmalloc() it begins at the very byte behind the size that was asked for.
 * Freed objects are zeroed, and verified to be zero when they are given out
 * again, which is not before 16 to 40 more were freed on that CPU. What is not
 * found: src/guard.c. 0 or 1; needs KMEM_REPORT_TEXT and magazines.
 * Costs, of an allocation and free of 64 bytes, 2.5 times the time, of 256 bytes
 * four times (make bench-checks); 16 bytes an object, or as many as it is aligned
 * to: a power of two of kmalloc() takes twice its size, one page three, two pages
 * eight; 1 KiB for each cache that a CPU uses, and what waits there.
 */
#ifndef KMEM_HARDEN
#define KMEM_HARDEN 0
#endif

#ifdef __cplusplus
#define KMEM_STATIC_ASSERT(cond, why) static_assert(cond, why)
#else
#define KMEM_STATIC_ASSERT(cond, why) _Static_assert(cond, why)
#endif

KMEM_STATIC_ASSERT(KMEM_PAGE_SHIFT >= 8 && KMEM_PAGE_SHIFT <= 16,
	       "KMEM_PAGE_SHIFT: 8 to 16");
KMEM_STATIC_ASSERT(KMEM_MAX_ORDER >= 3 && KMEM_MAX_ORDER <= 20,
	       "KMEM_MAX_ORDER: 3 to 20");
KMEM_STATIC_ASSERT(KMEM_MAX_CPUS >= 1 && KMEM_MAX_CPUS <= 240,
	       "KMEM_MAX_CPUS: 1 to 240");
KMEM_STATIC_ASSERT(KMEM_MAX_NODES >= 1 && KMEM_MAX_NODES <= 64,
	       "KMEM_MAX_NODES: 1 to 64");
KMEM_STATIC_ASSERT(KMEM_ZONES == 3 || KMEM_ZONES == 1, "KMEM_ZONES: 3 or 1");
KMEM_STATIC_ASSERT(KMEM_MOBILITY == 0 || KMEM_MOBILITY == 1,
	       "KMEM_MOBILITY: 0 or 1");
KMEM_STATIC_ASSERT(KMEM_MAX_REGIONS >= 8, "KMEM_MAX_REGIONS: at least 8");
KMEM_STATIC_ASSERT(KMEM_CACHE_LINE >= 16 && KMEM_CACHE_LINE <= 256 &&
	       (KMEM_CACHE_LINE & (KMEM_CACHE_LINE - 1)) == 0,
	       "KMEM_CACHE_LINE: a power of two, 16 to 256");
KMEM_STATIC_ASSERT(KMEM_KMALLOC_STEPS == 4 || KMEM_KMALLOC_STEPS == 1,
	       "KMEM_KMALLOC_STEPS: 4 or 1");
KMEM_STATIC_ASSERT(KMEM_LARGE_SLABS_BYTES >= 0,
	       "KMEM_LARGE_SLABS_BYTES: at least 0");
KMEM_STATIC_ASSERT(KMEM_MAGAZINE_ROUNDS == 0 || (KMEM_MAGAZINE_ROUNDS >= 6 &&
	       KMEM_MAGAZINE_ROUNDS <= 254), "KMEM_MAGAZINE_ROUNDS: 0, 6 to 254");
KMEM_STATIC_ASSERT(KMEM_MAGAZINE_BYTES >= 64 && KMEM_DEPOT_BYTES >= 64,
	       "KMEM_MAGAZINE_BYTES, KMEM_DEPOT_BYTES: at least 64");
KMEM_STATIC_ASSERT(KMEM_NAME_BYTES >= 12 && KMEM_NAME_BYTES <= 64,
	       "KMEM_NAME_BYTES: 12 to 64");
KMEM_STATIC_ASSERT(KMEM_REPORT_TEXT == 0 || KMEM_REPORT_TEXT == 1,
	       "KMEM_REPORT_TEXT: 0 or 1");
KMEM_STATIC_ASSERT(KMEM_DEBUG == 0 || KMEM_DEBUG == 1, "KMEM_DEBUG: 0 or 1");
KMEM_STATIC_ASSERT(KMEM_INJECT == 0 || KMEM_INJECT == 1,
	       "KMEM_INJECT: 0 or 1");
KMEM_STATIC_ASSERT(KMEM_HARDEN == 0 || (KMEM_HARDEN == 1 && KMEM_REPORT_TEXT &&
	       KMEM_MAGAZINE_ROUNDS), "KMEM_HARDEN: 0, or 1 with text and magazines");

#define KMEM_PAGE_SIZE	((size_t)1 << KMEM_PAGE_SHIFT)

/* Caches can be debugged (kmem/debug.h) where what is found can be told. */
#define KMEM_CACHE_DEBUG	KMEM_REPORT_TEXT

/* Whether there are frees that are carried out later, kfree_rcu() and the
 * _nolock calls. On one CPU without magazines a lock is the interrupt mask,
 * which nobody can look at. */
#define KMEM_DEFERRED	(KMEM_MAX_CPUS > 1 || KMEM_MAGAZINE_ROUNDS > 0)

#endif /* KMEM_CONFIG_H */
