/* SPDX-License-Identifier: MIT */
/*
 * shrinker.c - asking others to give up what they could do without.
 *
 *	a request fails ─► kmem's own caches are shrunk (page_reclaim.c)
 *	      │ still nothing
 *	      ▼
 *	reclaim_by_shrinkers     priority 12 ─► 11 ─► … ─► 0
 *	      │ each shrinker:   count >> priority, by seeks ─► batches of scan
 *	      ▼
 *	the kernel's reclaim hook, if it has one
 *
 * The first registration puts reclaim_by_shrinkers() in front of the reclaim
 * hook: a kernel without shrinkers links nothing of this.
 *
 * *How much.* At priority p a shrinker of n objects is asked for
 *
 *	(n >> p) * 4 / seeks	at seeks 0: n / 2
 *
 * so all shrinkers shrink in the same proportion, those whose objects are dear
 * (seeks) less. What is less than a batch is put off and added the next time,
 * so that small shrinkers are asked seldom rather than for one object; never
 * more than twice n is due. A round begins at the priority that its attempt
 * has come to, and presses harder until about as much was freed as is wanted,
 * WANTED objects at least.
 *
 * *Who may run.* One thread at a time is in a shrinker: `running` is set by
 * whoever takes it from the list. Another one, or the same in an allocation
 * inside the shrinker's functions, goes past it. So these need no protection
 * against themselves and may allocate as they like. One that runs stays on the
 * list, where its thread goes on from it; shrinker_free() waits for that.
 *
 * Invariant:
 *
 *  H1	a shrinker is on the list from shrinker_register() until after
 *	shrinker_free() has seen it not running; only on the list is it run
 *
 * Locks: `shrinkers.lock` guards the list, `registered` and `running`. It is
 * not held while a shrinker runs.
 */
#include "bits.h"
#include "format.h"
#include "kmalloc.h"
#include "list.h"

#include <kmem/shrinker.h>

#define PRIORITY	12
#define BATCH		128
#define WANTED		32

static struct {
	struct kmem_lock lock;
	/* under lock: */
	struct kmem_list list;
	size_t (*hook)(void *ctx, const struct kmem_pressure *p);
} shrinkers;

/* ---- one shrinker ---- */

static unsigned long due(const struct shrinker *s, unsigned long count,
			 unsigned priority)
{
	if (!s->seeks)
		return count / 2;
	return bits_divide((count >> priority) * 4, (size_t)s->seeks);
}

/* Batches, until `todo` is done or less than a batch. Return: what is left of
 * it; *freed grows. */
static unsigned long scan(struct shrinker *s, struct shrink_control *sc,
			  unsigned long todo, unsigned long count,
			  size_t *freed)
{
	unsigned long batch = s->batch > 0 ? (unsigned long)s->batch : BATCH;

	while (todo && (todo >= batch || todo >= count)) {
		unsigned long n;

		sc->nr_to_scan = KMEM_MIN(todo, batch);
		sc->nr_scanned = sc->nr_to_scan;
		n = s->scan_objects(s, sc);
		if (n == SHRINK_STOP)
			break;
		*freed += n;
		/* One that says that it looked at nothing must not keep us. */
		if (!sc->nr_scanned)
			break;
		todo -= KMEM_MIN(todo, sc->nr_scanned);
	}
	return todo;
}

static size_t shrink_node(struct shrinker *s, gfp_t gfp, int nid,
			  unsigned priority)
{
	struct shrink_control sc = { .gfp_mask = gfp, .nid = nid };
	unsigned long count = s->count_objects(s, &sc);
	unsigned long todo;
	size_t freed = 0;

	if (!count || count == SHRINK_EMPTY)
		return 0;
	todo = s->deferred + due(s, count, priority);
	if (todo >> 1 > count)
		todo = count * 2;
	s->deferred = scan(s, &sc, todo, count, &freed);
	return freed;
}

static size_t shrink_one(struct shrinker *s, gfp_t gfp, unsigned priority)
{
	size_t freed = 0;

	if (!(s->flags & SHRINKER_NUMA_AWARE))
		return shrink_node(s, gfp, 0, priority);
	for (unsigned i = 0; i < zones.nr_nodes; i++)
		freed += shrink_node(s, gfp, zones.node[i]->id, priority);
	return freed;
}

/* ---- all of them ---- */

/* Let go of `s` (NULL: before the first), and hold the next one that nobody
 * runs, or NULL. */
static struct shrinker *shrinker_next(struct shrinker *s)
{
	uintptr_t irq = lock_irq(&shrinkers.lock);
	struct kmem_list *l = s ? s->list.next : shrinkers.list.next;

	if (s)
		s->running = false;
	for (s = NULL; !s && l != &shrinkers.list; l = l->next) {
		s = list_entry(l, struct shrinker, list);
		if (s->running || !s->registered)
			s = NULL;
	}
	if (s)
		s->running = true;
	unlock_irq(&shrinkers.lock, irq);
	wake_waiters();
	return s;
}

static size_t shrink_all(gfp_t gfp, unsigned priority)
{
	struct shrinker *s = NULL;
	size_t freed = 0;

	while ((s = shrinker_next(s)))
		freed += shrink_one(s, gfp, priority);
	return freed;
}

/* `hook` is read after the lock was taken once: so it is there (hook_in). */
static size_t reclaim_by_shrinkers(void *ctx, const struct kmem_pressure *p)
{
	unsigned priority = PRIORITY - KMEM_MIN(p->attempt, PRIORITY) + 1;
	size_t wanted = KMEM_MAX((size_t)1 << p->order, (size_t)WANTED);
	size_t freed = 0;

	while (priority-- && freed < wanted)
		freed += shrink_all(p->gfp, priority);
	if (shrinkers.hook)
		freed += shrinkers.hook(ctx, p);
	return freed;
}

/* ---- their life ---- */

struct shrinker *shrinker_alloc(unsigned flags, const char *fmt, ...)
{
	struct shrinker *s = kzalloc(sizeof(*s), GFP_KERNEL);
	va_list args;

	if (!s)
		return NULL;
	s->flags = flags;
	s->seeks = DEFAULT_SEEKS;
	list_init(&s->list);
	va_start(args, fmt);
	if (KMEM_REPORT_TEXT)
		vformat(s->name, sizeof(s->name), fmt, args);
	va_end(args);
	return s;
}

/* The first one since kmem_init(); the lock is held. */
static void hook_in(void)
{
	if (kmem_hooks.reclaim == reclaim_by_shrinkers)
		return;
	list_init(&shrinkers.list);
	shrinkers.hook = kmem_hooks.reclaim;
	kmem_store_relaxed(&kmem_hooks.reclaim, reclaim_by_shrinkers);
}

void shrinker_register(struct shrinker *s)
{
	uintptr_t irq;
	bool good;

	irq = lock_irq(&shrinkers.lock);
	good = !s->registered && s->count_objects && s->scan_objects;
	if (good) {
		hook_in();
		s->registered = true;
		list_add_tail(&s->list, &shrinkers.list);
	}
	unlock_irq(&shrinkers.lock, irq);
	if (!good)
		kmem_misuse("bad shrinker", s, "kmem: shrinker_register(%s): "
			    "%s", s->name, s->registered ?
			    "it is registered" : "it lacks a function");
}

/* Take it from the list. Return: false if it is running. */
static bool shrinker_remove(struct shrinker *s)
{
	uintptr_t irq = lock_irq(&shrinkers.lock);
	bool running = s->running;

	s->registered = false;
	if (!running)
		list_del(&s->list);
	unlock_irq(&shrinkers.lock, irq);
	return !running;
}

void shrinker_free(struct shrinker *s)
{
	struct waiter w = { .waiting = false };

	if (!s)
		return;
	while (!shrinker_remove(s)) {
		if (kmem_hooks.wait)
			wait_for_memory(&w, GFP_KERNEL, 0);
		else
			kmem_arch_relax();
	}
	wait_end(&w);
	kfree(s);
}
