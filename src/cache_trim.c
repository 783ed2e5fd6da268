/* SPDX-License-Identifier: MIT */
/*
 * cache_trim.c - what caches give up for one another.
 *
 * Memory goes from cache to cache by trims: whenever one has grown by a slab,
 * a hand moves on by a few others on the list, and whenever a CPU has freed
 * a magazine-full, by one; each of them returns what it has not needed since
 * the hand was there last (depot.c, slab.c). When pages run short, all of them
 * return all they can (caches_shrink).
 *
 * A second hand is for the magazines of the CPU that moves it on
 * (magazine_drain.c). Most are of caches that this CPU seldom uses, but there are
 * as many as caches, and together they hold more than all depots. So it has a pace
 * of its own: once around while the slabs grow by 1/ROUND_SHARE, and one cache for
 * each magazine-full that was freed. For a slab it looks at TRIM_CACHES *
 * TRIM_LOOKS caches at most, and takes the magazines of TRIM_CACHES. Of what slabs
 * hold, in the recorded starts and runs of a kernel, that saves 0.5 to 2 %. A hand
 * that went round with each slab, or magazines that began short again, would save
 * 1 % more, but with a million objects that come and go, or in the first second of
 * that start, operations take 1.5 to 2 times as long: what was taken is wanted at
 * once.
 *
 * Locks: that of the list of caches (caches.c) guards the hands too. From an
 * allocation, which may be in an interrupt, it is only tried.
 */
#include "bits.h"
#include "cache.h"
#include "depot.h"
#include "list.h"

/* Caches to be trimmed for a new slab; and so many times, if it is time, caches to
 * be looked at until one is found whose magazines this CPU has not used. */
#define TRIM_CACHES	4
#define TRIM_LOOKS	8
#define ROUND_SHARE	1024

/* What each cache gives up at most. */
#define TRIM_MAGAZINES	1
#define TRIM_SLABS	4

/* The list, which is locked, and on it the cache that gave up slabs last. */
static struct kmem_list *all_caches, *slabs_hand;

/* And whose magazines were looked at last. */
static struct {
	struct kmem_list *at;
	size_t looks;			/* caches, in this round */
	size_t pages;			/* of their slabs */
	size_t step;			/* pages of growth from time to time */
	size_t grown;			/* of these; not under lock */
} cpu_hand;

void hands_init(struct kmem_list *caches)
{
	memset(&cpu_hand, 0, sizeof(cpu_hand));
	all_caches = slabs_hand = cpu_hand.at = caches;
}

void hands_leave(struct kmem_cache *s)
{
	if (slabs_hand == &s->list)
		slabs_hand = s->list.prev;
	if (cpu_hand.at == &s->list)
		cpu_hand.at = s->list.prev;
}

/* The next cache on the list; NULL: the hand is at its end. */
static struct kmem_cache *cache_at(struct kmem_list **hand)
{
	*hand = (*hand)->next;
	return *hand == all_caches ? NULL :
	       list_entry(*hand, struct kmem_cache, list);
}

/* Let the next cache on the list give up what its depot and slabs do not need,
 * and the page allocator in its turn, if nobody has the list. Interrupts are
 * masked, for one cache at a time: a trim is part of an allocation, and like all
 * of it holds its lock only so. */
static void trim_next(void)
{
	uintptr_t irq = kmem_arch_irq_save();
	struct kmem_cache *s;

	if (caches_lock(false)) {
		s = cache_at(&slabs_hand);
		if (s) {
			depot_trim(&s->magazine, TRIM_MAGAZINES);
			slabs_trim(&s->slabs, TRIM_SLABS);
		} else {
			pages_trim_near();
		}
		caches_unlock();
	}
	kmem_arch_irq_restore(irq);
}

static bool look_at_cpu(struct kmem_cache *s)
{
	for (unsigned i = 0; i < s->slabs.nr_nodes; i++)
		cpu_hand.pages += kmem_load_relaxed(&s->slabs.node[i]
								.nr_pages);
	cpu_hand.looks++;
	/* What is in quarantine must not come out because others grow. */
	if (KMEM_HARDEN && s->magazine.quarantine)
		return false;
	return magazine_trim_cpu(&s->magazine);
}

/* The hand of the CPUs is at the end of the list: how much memory is to grow by
 * until it goes on, and then each time. */
static void end_round(void)
{
	size_t times = cpu_hand.looks / ((size_t)TRIM_CACHES * TRIM_LOOKS) +
		       1;

	kmem_store_relaxed(&cpu_hand.step,
			   bits_divide(cpu_hand.pages, times * ROUND_SHARE));
	cpu_hand.looks = cpu_hand.pages = 0;
}

/* Of the next so many caches, let the first that has idle ones give up this CPU's
 * magazines; interrupts are masked and the list is locked meanwhile, as in
 * trim_next(). Return: false without the list, and at its end, for behind it may
 * be those again that were looked at just now. */
static bool trim_idle_cpu(unsigned looks)
{
	uintptr_t irq = kmem_arch_irq_save();
	struct kmem_cache *s = NULL;

	if (caches_lock(false)) {
		while (looks--) {
			s = cache_at(&cpu_hand.at);
			if (!s || look_at_cpu(s))
				break;
		}
		if (!s)
			end_round();
		caches_unlock();
	}
	kmem_arch_irq_restore(irq);
	return s;
}

void caches_grown(const struct page *slab)
{
	size_t grown = kmem_load_relaxed(&cpu_hand.grown) +
		       ((size_t)1 << slab->order);
	bool now = grown >= kmem_load_relaxed(&cpu_hand.step);

	/* (CPUs that grow at the same time may count one slab.) */
	kmem_store_relaxed(&cpu_hand.grown, now ? 0 : grown);
	for (unsigned i = 0; i < TRIM_CACHES; i++)
		trim_next();
	for (unsigned i = 0; now && i < TRIM_CACHES; i++)
		now = trim_idle_cpu(TRIM_LOOKS);
}

void caches_freed(void)
{
	trim_next();
	trim_idle_cpu(1);
}

static bool trim_idle(struct kmem_cache *s, void *arg)
{
	(void)arg;
	magazine_trim(&s->magazine, SIZE_MAX);
	slabs_trim(&s->slabs, SIZE_MAX);
	return true;
}

void caches_trim_idle(void)
{
	kmem_for_each_cache(trim_idle, NULL);
}
