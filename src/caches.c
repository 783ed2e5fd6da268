/* SPDX-License-Identifier: MIT */
/*
 * caches.c - the set of all caches: how they begin and end. (What they give up
 * for one another: cache_trim.c.)
 *
 * Life of a cache: create ─► (alloc, free, shrink)* ─► destroy. Its own
 * descriptor, with the CPUs' parts behind it, and its node structures come
 * from two bare kmem_slabs, which have no per-CPU layer: creating a cache
 * needs no cache.
 *
 * Locks: `caches.lock` guards the list of caches. It is taken by threads
 * only, with preemption off but interrupts on, because walks over all caches
 * are long; depot, node and zone locks nest inside it. From an allocation,
 * which may be in an interrupt, it is only tried.
 */
#include "bits.h"
#include "cache.h"
#include "depot.h"
#include "grace.h"
#include "list.h"

_Static_assert(offsetof(struct kmem_cache, magazine) +
	       sizeof(struct magazine_layer) == sizeof(struct kmem_cache),
	       "the CPUs' parts follow the layer, and the cache");

/* Flags that kmem knows how to honour; any other bit is refused. */
#define FLAGS_HONOURED \
	(SLAB_HWCACHE_ALIGN | SLAB_PANIC | SLAB_CACHE_DMA | SLAB_CACHE_DMA32 | \
	 SLAB_RECLAIM_ACCOUNT | SLAB_ACCOUNT | SLAB_NO_MERGE | \
	 (KMEM_DEFERRED ? SLAB_TYPESAFE_BY_RCU : 0) | \
	 (MAGAZINES ? SLAB_TYPE_STABLE : 0) | \
	 (KMEM_CACHE_DEBUG ? SLAB_DEBUG_FLAGS : 0))

static struct {
	struct kmem_lock lock;
	/* under lock: */
	struct kmem_list list;
	/* where the parts of a cache come from */
	struct kmem_slabs descriptors, nodes;
	struct slab_node node[2];
} caches;

void list_lock(void)
{
	kmem_arch_enter();
	lock_take(&caches.lock);
}

void list_unlock(void)
{
	lock_release(&caches.lock);
	kmem_arch_exit();
}

/* From any context: an interrupt may have landed in a holder. */
static bool list_try_lock(void)
{
	kmem_arch_enter();
	if (lock_try(&caches.lock))
		return true;
	kmem_arch_exit();
	return false;
}

bool caches_lock(bool wait)
{
	if (!KMEM_DEFERRED || !wait)
		return KMEM_DEFERRED && list_try_lock();
	list_lock();
	return true;
}

void caches_unlock(void)
{
	if (KMEM_DEFERRED)
		list_unlock();
}

#define for_each_cache(s, l) \
	for ((l) = caches.list.next; \
	     (l) != &caches.list && \
	     ((s) = list_entry((l), struct kmem_cache, list), true); \
	     (l) = (l)->next)

/* ---- between the layers ---- */

static struct page *get_pages(struct kmem_slabs *s, gfp_t gfp, unsigned node,
			      unsigned order)
{
	(void)s;
	return alloc_pages_near(node, gfp, order);
}

static void put_pages(struct kmem_slabs *s, struct page *page, unsigned order)
{
	(void)s;
	__free_pages(page, order);
}

static struct kmem_cache *magazine_cache(struct magazine_layer *l)
{
	return kmem_container_of(l, struct kmem_cache, magazine);
}

static size_t take_objects(struct magazine_layer *l, struct round *rounds,
			   size_t n, bool any)
{
	return slabs_take(&magazine_cache(l)->slabs, rounds, n, any);
}

static void give_objects(struct magazine_layer *l, const struct round *rounds,
			 size_t n)
{
	slabs_give(&magazine_cache(l)->slabs, rounds, n);
}

/* ---- creation ---- */

static bool valid_name(const char *name)
{
	size_t n = 0;

	for (; name && name[n]; n++)
		if (name[n] <= ' ' || name[n] > '~' ||
		    n + 1 >= KMEM_NAME_BYTES)
			return false;
	return n > 0;
}

/* Why a cache can't be, or NULL. */
static const char *refusal(const char *name, size_t size, size_t align,
			   slab_flags_t flags)
{
	if (!valid_name(name))
		return "the name must be printable characters, not too many";
	if (!size || size > KMEM_CACHE_MAX_SIZE)
		return "the size is out of range";
	/* To its own size: a slab is a block at least as large. */
	if (align && (!is_power_of_two(align) ||
		      (align > KMEM_PAGE_SIZE && align != size)))
		return "the alignment is not a power of two up to a page";
	if ((flags & SLAB_CACHE_DMA) && (flags & SLAB_CACHE_DMA32))
		return "DMA and DMA32 exclude each other";
	if (flags & ~FLAGS_HONOURED)
		return "a flag is not supported";
	if (KMEM_DEFERRED && (flags & SLAB_TYPESAFE_BY_RCU) &&
	    !kmem_hooks.call_rcu)
		return "SLAB_TYPESAFE_BY_RCU needs the hook call_rcu";
	return NULL;
}

static uint16_t pages_gfp(slab_flags_t flags)
{
	gfp_t gfp = 0;

	if (flags & SLAB_CACHE_DMA)
		gfp |= __GFP_DMA;
	if (flags & SLAB_CACHE_DMA32)
		gfp |= __GFP_DMA32;
	if (flags & SLAB_RECLAIM_ACCOUNT)
		gfp |= __GFP_RECLAIMABLE;
	return (uint16_t)gfp;
}

static void free_parts(struct kmem_cache *s, void *nodes)
{
	if (nodes)
		slabs_free(&caches.nodes, nodes);
	if (!s)
		return;
	/* Until the memory is another cache's, who uses it is found out: a
	 * cache has slabs on some node. */
	if (KMEM_REPORT_TEXT)
		s->slabs.nr_nodes = 0;
	slabs_free(&caches.descriptors, s);
}

static void cache_layer_init(struct kmem_cache *s)
{
	size_t most = KMEM_MAX(s->slabs.size, KMEM_MAGAZINE_BYTES);

	magazine_layer_init(&s->magazine, s->slabs.size,
			    slabs_debugged(&s->slabs) ? 0 : most,
			    KMEM_DEPOT_BYTES);
	if (KMEM_HARDEN)
		magazine_layer_quarantine(&s->magazine, s->slabs.size);
	s->magazine.nodes = zones.nr_nodes > 1;
	s->magazine.apart = true;
	s->magazine.take = take_objects;
	s->magazine.give = give_objects;
}

static struct kmem_cache *cache_make(const char *name, size_t size,
				     size_t align, slab_flags_t flags,
				     void (*ctor)(void *))
{
	struct kmem_cache *s = table_alloc(&caches.descriptors, GFP_KERNEL);
	void *nodes = table_alloc(&caches.nodes, GFP_KERNEL);
	size_t slot;

	if (!s || !nodes) {
		free_parts(s, nodes);
		return NULL;
	}
	memset(s, 0, CACHE_BYTES(zones.nr_cpus));
	for (size_t i = 0; name[i]; i++)
		s->name[i] = name[i];
	s->object_size = size;
	s->align = cache_align(size, align, flags);
	s->flags = flags;
	slot = (size_t)round_up_to(size, s->align);
	slabs_init(&s->slabs, s->name, slot, nodes, zones.nr_nodes);
	s->slabs.ctor = ctor;
	s->slabs.gfp = pages_gfp(flags);
	s->slabs.get_pages = get_pages;
	s->slabs.put_pages = put_pages;
	if (KMEM_CACHE_DEBUG && !cache_debug_init(s)) {
		free_parts(s, nodes);
		return NULL;
	}
	if (KMEM_DEFERRED && (flags & SLAB_TYPESAFE_BY_RCU))
		s->slabs.retire = slab_retire;
	s->slabs.stable = flags & SLAB_TYPE_STABLE;
	if (LARGE_SLABS && !(flags & SLAB_RECLAIM_ACCOUNT))
		slabs_enlarge(&s->slabs);
	if (MAGAZINES)
		cache_layer_init(s);
	return s;
}

/* False if there is one of that name already. */
static bool cache_publish(struct kmem_cache *s)
{
	struct kmem_cache *other;
	struct kmem_list *l;
	bool unique = true;

	list_lock();
	for_each_cache(other, l)
		if (cache_has_name(other, s->name))
			unique = false;
	if (unique)
		list_add_tail(&s->list, &caches.list);
	list_unlock();
	return unique;
}

struct kmem_cache *cache_create_failed(const char *name, slab_flags_t flags,
				       const char *why)
{
	if (flags & SLAB_PANIC)
		kmem_misuse("bad cache", NULL,
			    "kmem: kmem_cache_create(%s): %s", name, why);
	else
		kmem_log("kmem: kmem_cache_create(%s): %s", name, why);
	return NULL;
}

/* (In parentheses: it is a macro too.) */
struct kmem_cache *(kmem_cache_create)(const char *name, size_t size,
				       size_t align, slab_flags_t flags,
				       void (*ctor)(void *))
{
	const char *why = refusal(name, size, align, flags);
	struct kmem_cache *s;

	kmem_may_sleep("kmem_cache_create");
	if (why)
		return cache_create_failed(name, flags, why);
	if (KMEM_CACHE_DEBUG)
		flags |= debug_options_flags(name);
	if (MERGING && !ctor) {
		s = cache_share(name, size, align, flags);
		if (s)
			return s;
	}
	s = cache_make(name, size, align, flags, ctor);
	if (!s)
		return cache_create_failed(name, flags, "no memory");
	if (!cache_publish(s)) {
		if (MAGAZINES)	/* its depot may hold nothing any more */
			magazine_layer_fini(&s->magazine);
		if (KMEM_CACHE_DEBUG)
			cache_debug_fini(s);
		free_parts(s, s->slabs.node);
		return cache_create_failed(name, flags,
					   "there is a cache of that name");
	}
	return s;
}

/* ---- destruction, shrinking ---- */

/* Who is told what keeps a cache. */
struct destroyer {
	struct kmem_cache *s;
	uintptr_t caller;
};

static void report_live(void *obj, unsigned index, void *arg)
{
	const struct destroyer *d = arg;
	struct page *page = virt_to_page(obj);
	char who[CACHE_WHO_MAX] = "";

	if (KMEM_CACHE_DEBUG)
		cache_who(page, obj, false, who);
	kmem_misuse_by(d->caller, "still in use", obj,
		       "kmem: kmem_cache_destroy(%s): object %p (index %u, slab "
		       "%p) is still allocated%s", d->s->name, obj, index,
		       page_to_virt(slab_head(page)), who);
}

static void report_waiting(void *obj, unsigned index, void *arg)
{
	const struct destroyer *d = arg;

	kmem_misuse_by(d->caller, "still in use", obj,
		       "kmem: kmem_cache_destroy(%s): object %p (index %u) "
		       "waits for a grace period, and there is no hook "
		       "rcu_barrier", d->s->name, obj, index);
}

static void unlink_locked(struct kmem_cache *s)
{
	hands_leave(s);
	list_del(&s->list);
	if (MERGING)
		aliases_forget(s);
}

/* It has no object any more, but readers may be looking at what was one. */
static bool wait_for_readers(struct kmem_cache *s)
{
	if (!slabs_retired_wait()) {
		kmem_misuse("still in use", s,
			    "kmem: kmem_cache_destroy(%s): slabs wait for a "
			    "grace period, and there is no hook rcu_barrier",
			    s->name);
		return false;
	}
	list_lock();
	unlink_locked(s);
	list_unlock();
	return true;
}

/* Frees that are under way arrive. */
static void settle_frees(void)
{
	zones_do_all_later();
	if (KMEM_DEFERRED && zones.rcu_flush)
		zones.rcu_flush();
}

/* s is on the list of all caches, which is locked. */
static bool is_listed(const struct kmem_cache *s)
{
	struct kmem_list *l;
	struct kmem_cache *other;

	for_each_cache(other, l)
		if (other == s)
			return true;
	return false;
}

void kmem_cache_destroy(struct kmem_cache *s)
{
	struct destroyer d = { s, KMEM_CALLER };
	struct slab_node sum;
	bool typesafe;

	if (!s)
		return;
	kmem_may_sleep("kmem_cache_destroy");
	settle_frees();
	/* As long as it is on the list, a CPU that is short of memory may
	 * drain it, and a new cache come to share it. */
	list_lock();
	if (KMEM_REPORT_TEXT && !is_listed(s)) {
		list_unlock();
		cache_missing("kmem_cache_destroy", s, NULL, d.caller);
		return;
	}
	typesafe = KMEM_DEFERRED && s->slabs.retire;
	if (MERGING && cache_unshare(s)) {
		list_unlock();
		return;
	}
	if (MAGAZINES) {
		magazine_layer_fini(&s->magazine);
		s->slabs.stable = false;
		slabs_keep(&s->slabs, 0);
	}
	slabs_shrink(&s->slabs);
	slabs_sum(&s->slabs, &sum);
	if (!sum.inuse && !typesafe)
		unlink_locked(s);
	list_unlock();
	if (sum.inuse) {
		s->slabs.stable = s->flags & SLAB_TYPE_STABLE;
		slabs_for_each(&s->slabs, SLOT_LIVE, report_live, &d);
		if (KMEM_DEFERRED)
			slabs_for_each(&s->slabs, SLOT_RCU, report_waiting, &d);
		return;
	}
	if (typesafe && !wait_for_readers(s))
		return;
	if (KMEM_CACHE_DEBUG)
		cache_debug_fini(s);
	free_parts(s, s->slabs.node);
}

static void drain_cpu(void *arg)
{
	struct kmem_cache *s = arg;

	magazine_drain_cpu(&s->magazine);
}

int kmem_cache_shrink(struct kmem_cache *s)
{
	struct slab_node sum;

	kmem_may_sleep("kmem_cache_shrink");
	zones_do_later();
	if (MAGAZINES) {
		run_on_all_cpus(drain_cpu, s);
		magazine_drain(&s->magazine);
	}
	slabs_shrink(&s->slabs);
	slabs_sum(&s->slabs, &sum);
	return sum.nr_slabs != 0;
}

/* What this CPU has of all caches; called with the list locked, by a CPU that
 * may be another one. */
static void drain_all_here(void *arg)
{
	struct kmem_cache *s;
	struct kmem_list *l;

	(void)arg;
	for_each_cache(s, l)
		magazine_drain_cpu(&s->magazine);
}

static void unload_all_here(void *arg)
{
	struct kmem_cache *s;
	struct kmem_list *l;

	(void)arg;
	for_each_cache(s, l)
		magazine_unload_cpu(&s->magazine);
}

void caches_unload(bool all_cpus)
{
	list_lock();
	if (all_cpus)
		run_on_all_cpus(unload_all_here, NULL);
	else
		unload_all_here(NULL);
	list_unlock();
}

void caches_shrink(bool all_cpus)
{
	struct kmem_cache *s;
	struct kmem_list *l;

	list_lock();
	if (MAGAZINES && all_cpus)
		run_on_all_cpus(drain_all_here, NULL);
	for_each_cache(s, l) {
		if (MAGAZINES)
			magazine_drain(&s->magazine);
		slabs_shrink(&s->slabs);
	}
	list_unlock();
}

void caches_shrink_tables(void)
{
	slabs_shrink(&caches.descriptors);
	slabs_shrink(&caches.nodes);
	if (MERGING)
		aliases_shrink();
	if (KMEM_CACHE_DEBUG)
		cache_debug_shrink();
	if (KMEM_HARDEN)
		guards_shrink();
}

/* ---- all of them ---- */

void caches_each(bool (*fn)(struct kmem_cache *s, void *arg), void *arg)
{
	struct kmem_cache *s;
	struct kmem_list *l;

	for_each_cache(s, l)
		if (!fn(s, arg))
			break;
}

void kmem_for_each_cache(bool (*fn)(struct kmem_cache *s, void *arg),
			 void *arg)
{
	list_lock();
	caches_each(fn, arg);
	list_unlock();
}

/* ---- bootstrap, and a look inside ---- */

static bool check_one(struct kmem_cache *s, void *arg)
{
	cache_check(s, arg);
	return true;
}

void caches_check(struct check *c)
{
	slabs_check(&caches.descriptors, c);
	slabs_check(&caches.nodes, c);
	if (MERGING)
		aliases_check(c);
	if (KMEM_CACHE_DEBUG)
		cache_debug_check(c);
	kmem_for_each_cache(check_one, c);
}

size_t caches_bytes(void)
{
	return slabs_bytes(&caches.descriptors) + slabs_bytes(&caches.nodes) +
	       (MERGING ? aliases_bytes() : 0) +
	       (KMEM_CACHE_DEBUG ? cache_debug_bytes() : 0);
}

void bare_slabs(struct kmem_slabs *s, const char *name, size_t size,
		struct slab_node *node)
{
	tables_init(s, name, (size_t)round_up_to(size, KMEM_CACHE_LINE), node);
	s->get_pages = get_pages;
	s->put_pages = put_pages;
}

/*
 * The order in which things come to life, each needing only those before it:
 *
 *	zones			pages, past all per-CPU layers
 *	slot arrays		slabs on raw pages; the larger is inline
 *	magazines		slabs on raw pages
 *	alloc_pages()		zones and magazines
 *	descriptors, nodes	slabs on alloc_pages(), without magazines
 *	caches			all of the above
 *	kmalloc()		caches (kmalloc.c)
 */
void kmem_cache_bootstrap(bool merge)
{
	lock_init(&caches.lock);
	list_init(&caches.list);
	hands_init(&caches.list);
	slots_init();
	if (MAGAZINES)
		magazines_init();
	bare_slabs(&caches.descriptors, "kmem_cache",
		   CACHE_BYTES(zones.nr_cpus),
		   &caches.node[0]);
	bare_slabs(&caches.nodes, "kmem_cache_node",
		   zones.nr_nodes * sizeof(struct slab_node),
		   &caches.node[1]);
	if (KMEM_CACHE_DEBUG)
		cache_debug_bootstrap();
	if (MERGING)
		cache_merge_init(merge);
	page_alloc_set_shrink(caches_shrink);
}
