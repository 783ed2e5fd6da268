/* SPDX-License-Identifier: MIT */
/*
 * kmem/report.h - looking inside: invariants, tables, figures.
 *
 * Text goes line by line, without newline, to a callback of yours, which may
 * be called with preemption off and kmem's locks held: it must not sleep, nor
 * call kmem. Nothing here allocates. Figures of other CPUs are read as they
 * change: exact when those CPUs are at rest, near otherwise.
 */
#ifndef KMEM_REPORT_H
#define KMEM_REPORT_H

#include <kmem/boot.h>
#include <kmem/cache.h>
#include <kmem/stats.h>

KMEM_BEGIN_DECLS

/**
 * kmem_check_all - walk every structure, verify every numbered invariant
 * @out: gets a line for each violation; NULL for none
 * @ctx: passed to out
 *
 * Context: thread; no other CPU may be using kmem meanwhile.
 * Return: the number of violations; 0 is what one wants.
 * Cost: O(pages + objects).
 */
size_t kmem_check_all(kmem_out_fn out, void *ctx);

/** kmem_report - zones, caches and layers as tables. Context: thread. */
void kmem_report(kmem_out_fn out, void *ctx);

/* The parts of it: */

/** kmem_report_boot - where every byte of the map went */
void kmem_report_boot(const struct kmem_boot_info *info, kmem_out_fn out,
		      void *ctx);
/** kmem_report_zones - free blocks by order, as Linux's buddyinfo */
void kmem_report_zones(kmem_out_fn out, void *ctx);
/** kmem_report_caches - caches, as Linux's slabinfo */
void kmem_report_caches(kmem_out_fn out, void *ctx);
/** kmem_report_layers - what each layer absorbed */
void kmem_report_layers(kmem_out_fn out, void *ctx);

/** kmem_report_usage - what users hold, what has been freed and is kept, what
 * is free: leaked or cached? */
void kmem_report_usage(kmem_out_fn out, void *ctx);

/**
 * kmem_leak_report - what users hold more of than at a mark
 * @marks: from kmem_leak_mark(), which had room for all
 * @n: what that returned
 * @out: gets a line for each cache, and one for pages; NULL for none
 * @ctx: passed to out
 *
 * Context: thread. A cache that did not exist then counts from 0; one made
 * since in the place of a destroyed one is compared with that. Exact when no
 * other CPU allocates or frees.
 * Return: how many have grown; 0 is no leak.
 * Cost: O(caches × (CPUs + n)).
 */
size_t kmem_leak_report(const struct kmem_leak_mark *marks, size_t n,
			kmem_out_fn out, void *ctx);

/** kmem_report_raw - all of it for programs: a kind, then `key=value`, a line
 * for each zone, cache and cached order. Pages, objects or bytes. */
void kmem_report_raw(kmem_out_fn out, void *ctx);

KMEM_END_DECLS

#endif /* KMEM_REPORT_H */
