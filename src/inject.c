/* SPDX-License-Identifier: MIT */
/*
 * inject.c - allocations that fail because a test wants them to.
 *
 *	kmem_cache_alloc, __kmalloc, ...	OBJECT	┐
 *	alloc_pages, kmalloc_large, ...		PAGES	│
 *	slab_make, slab_try_make		SLAB	├─► inject_fails()
 *	table_alloc, slots_try_get		TABLE	│
 *	magazine_new				MAGAZINE│
 *	depot_get_full, depot_put_full		DEPOT	┘
 *
 * Each asks once for what it is about to do, at its start, before anything is
 * taken: so that to be failed is to find nothing. The outer two ask in the
 * public functions, in front of the magazines, because there the caller is
 * known, and because an object that a magazine would have given must be one
 * that can fail. Functions that are made of others ask where the other is
 * called (alloc_pages_for(), cache_alloc_asked()), so that each request counts
 * once.
 *
 * All that is counted is counted by single atomic additions, and whether a call
 * fails depends on the rule, and on the number that its addition gave it, alone:
 *
 *	n = 1, 2, ...			of the calls that match
 *	n >= nth			and
 *	n - nth is a multiple of interval	and
 *	hash(seed, n) < chance		and
 *	fewer than `times` have failed
 *
 * So one CPU fails at the same calls in each run, several as often; and it may be
 * asked in an NMI. (With KMEM_MAX_CPUS 1 an interrupt that lands in an addition
 * may not be counted.)
 *
 * Compiled out, not switched off: without KMEM_INJECT inject_fails() is a constant.
 *
 * Locks: none.
 */
#include "bits.h"
#include "format.h"
#include "inject.h"

#include <kmem/atomic.h>

#define CHANCE_ALL	65536u

static struct kmem_inject *inject_rule;

bool kmem_inject_set(struct kmem_inject *rule)
{
	if (!KMEM_INJECT)
		return false;
	kmem_inject_clear();
	if ((rule->kinds & ~KMEM_INJECT_ALL) || rule->chance > CHANCE_ALL ||
	    rule->caller_end < rule->caller_start)
		return false;
	rule->calls = rule->fails = 0;
	memset(rule->seen, 0, sizeof(rule->seen));
	memset(rule->failed, 0, sizeof(rule->failed));
	kmem_store_release(&inject_rule, rule);
	return true;
}

void kmem_inject_clear(void)
{
	if (KMEM_INJECT)
		kmem_store_release(&inject_rule, NULL);
}

size_t kmem_inject_failed(const struct kmem_inject *rule)
{
	size_t n = 0;

	for (unsigned i = 0; i < KMEM_INJECT_KINDS; i++)
		n += kmem_load_relaxed(&rule->failed[i]);
	return n;
}

/* ---- does it match? ---- */

static bool caller_matches(const struct kmem_inject *rule, uintptr_t caller)
{
	if (!rule->caller_end)
		return true;
	if (caller && kmem_hooks.caller)
		caller = kmem_hooks.caller(kmem_hooks.ctx, caller);
	return caller >= rule->caller_start && caller < rule->caller_end;
}

static bool matches(const struct kmem_inject *rule, enum kmem_inject_kind kind,
		    const char *name, gfp_t gfp, uintptr_t caller)
{
	unsigned kinds = rule->kinds ? rule->kinds : KMEM_INJECT_OUTER;

	return (kinds >> kind & 1) &&
	       (gfp & rule->gfp_mask) == rule->gfp_value &&
	       (!rule->caches || (name && name_listed(rule->caches, name))) &&
	       caller_matches(rule, caller);
}

/* ---- is it its turn? ---- */

/* 16 bits of a number that says nothing of the one before it: multiply and
 * shift (the constants are of Wellons, "Prospecting for Hash Functions", 2018). */
static unsigned inject_hash(uint32_t x)
{
	x = (x ^ x >> 16) * 0x7feb352du;
	x = (x ^ x >> 15) * 0x846ca68bu;
	return x >> 16;
}

static bool interval_ends(size_t n, size_t interval)
{
	return interval < 2 || bits_divide(n, interval) * interval == n;
}

static bool is_due(const struct kmem_inject *rule, size_t n)
{
	size_t first = KMEM_MAX(rule->nth, 1u);

	return n >= first && interval_ends(n - first, rule->interval) &&
	       (!rule->chance ||
		inject_hash(rule->seed + (uint32_t)n * 0x9e3779b9u) <
		rule->chance);
}

bool inject_asked(enum kmem_inject_kind kind, const char *name, gfp_t gfp,
		  uintptr_t caller)
{
	struct kmem_inject *rule = KMEM_INJECT ?
		kmem_load_acquire(&inject_rule) : NULL;

	if (!rule || (gfp & (__GFP_NOFAIL | GFP_NO_INJECT)) ||
	    !matches(rule, kind, name, gfp, caller))
		return false;
	kmem_add_relaxed(&rule->seen[kind], 1);
	if (!is_due(rule, kmem_fetch_add(&rule->calls, 1) + 1))
		return false;
	if (rule->times && kmem_fetch_add(&rule->fails, 1) >= rule->times)
		return false;
	kmem_add_relaxed(&rule->failed[kind], 1);
	return true;
}
