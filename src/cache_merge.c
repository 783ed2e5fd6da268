/* SPDX-License-Identifier: MIT */
/*
 * cache_merge.c - caches of one size that share one (params.merge_caches).
 *
 *	kmem_cache_create("a", 64)   ─► a new cache, "a"
 *	kmem_cache_create("b", 60)   ─► the same; an alias, "b"
 *	kmem_cache_destroy(the cache)   one user less; which, nobody can tell
 *	kmem_cache_destroy(the cache)   the last: it ends
 *
 * A cache costs its descriptor, a line or two a CPU, and what its magazines
 * and its last slab hold; a kernel with a hundred caches of a few objects each
 * saves most of that by sharing. What it loses is the check that an object is
 * freed to the cache it is of, and who holds how many. So it is off unless
 * asked for.
 *
 * Two can share if neither has a constructor, a bound (cache_limit.c) or a flag
 * of FLAGS_ALONE, their zone and reclaim flags are the same, the slots of the
 * older are less than a pointer larger than the newer needs, and a multiple of
 * its alignment. A cache may then be used for objects larger than it was made
 * for: object_size grows to the largest, and whoever allocates meanwhile may
 * see either size.
 *
 * The users of a cache are its maker and one for each alias that is not `gone`.
 * As all have the same pointer, a destroy can't tell whose name is free again:
 * it marks any alias gone, and from then on none of the names is taken: each
 * may be created once more. With as many users as names, a name that is created
 * twice is refused as ever.
 *
 * Invariant:
 *
 *  C3	the cache of each alias is on the list of caches, and may be shared
 *
 * Locks: that of the list of caches.
 */
#include "bits.h"
#include "cache.h"
#include "list.h"

/* A cache with one of these is alone. */
#define FLAGS_ALONE \
	(SLAB_NO_MERGE | SLAB_TYPESAFE_BY_RCU | SLAB_TYPE_STABLE | \
	 SLAB_DEBUG_FLAGS)

/* Those that share have the same of these. */
#define FLAGS_SAME \
	(SLAB_CACHE_DMA | SLAB_CACHE_DMA32 | SLAB_RECLAIM_ACCOUNT | \
	 SLAB_ACCOUNT)

struct alias {
	struct kmem_list list;
	struct kmem_cache *cache;
	bool gone;
	char name[KMEM_NAME_BYTES];
};

static struct {
	bool on;
	struct kmem_list aliases;	/* under the lock of the caches */
	struct kmem_slabs slabs;
	struct slab_node node;
} sharing;

#define for_each_alias(a, l) \
	for ((l) = sharing.aliases.next; \
	     (l) != &sharing.aliases && \
	     ((a) = list_entry((l), struct alias, list), true); \
	     (l) = (l)->next)

void cache_merge_init(bool on)
{
	sharing.on = on;
	list_init(&sharing.aliases);
	bare_slabs(&sharing.slabs, "kmem_cache_alias", sizeof(struct alias),
		   &sharing.node);
}

void aliases_shrink(void)
{
	slabs_shrink(&sharing.slabs);
}

size_t aliases_bytes(void)
{
	return slabs_bytes(&sharing.slabs);
}

/* ---- who can share ---- */

/* What a new cache needs; and the cache that was found for it. */
struct sharing_wish {
	const char *name;
	size_t size, slot, align;
	slab_flags_t flags;
	struct kmem_cache *found;
	bool taken;			/* the name is */
};

static bool may_be_shared(const struct kmem_cache *s)
{
	return !s->slabs.ctor && !(s->flags & FLAGS_ALONE) &&
	       !slabs_debugged(&s->slabs);
}

static bool suits(const struct kmem_cache *s, const struct sharing_wish *w)
{
	/* Guards begin where the objects end that it was made for. */
	size_t room = KMEM_HARDEN ? (size_t)round_up_to(s->object_size, s->align)
				  : s->slabs.size;

	return may_be_shared(s) && !s->max_pages &&
	       !((s->flags ^ w->flags) & FLAGS_SAME) &&
	       room >= w->slot && (!KMEM_HARDEN || w->size <= s->object_size) &&
	       room - w->slot < sizeof(void *) &&
	       !((s->slabs.size | s->slabs.start) & (w->align - 1));
}

static bool find_suitable(struct kmem_cache *s, void *arg)
{
	struct sharing_wish *w = arg;

	if (!w->found && suits(s, w))
		w->found = s;
	w->taken = cache_has_name(s, w->name);
	return !w->taken;
}

/* ---- users ---- */

/* An alias of s that is gone, or one that is not; NULL: there is none. */
static struct alias *find_alias(const struct kmem_cache *s, bool gone)
{
	struct kmem_list *l;
	struct alias *a;

	for_each_alias(a, l)
		if (a->cache == s && a->gone == gone)
			return a;
	return NULL;
}

bool cache_has_alias(const struct kmem_cache *s, const char *name)
{
	struct kmem_list *l;
	struct alias *a;

	for_each_alias(a, l)
		if (a->cache == s && same_name(a->name, name))
			return true;
	return false;
}

/* One user more, noted in `a` unless there is an alias for it that is gone.
 * Return: whether it was. */
static bool add_user(struct kmem_cache *s, struct alias *a, const char *name)
{
	if (same_name(s->name, name) || cache_has_alias(s, name)) {
		find_alias(s, true)->gone = false;
		return false;
	}
	memset(a, 0, sizeof(*a));
	a->cache = s;
	for (size_t i = 0; name[i]; i++)
		a->name[i] = name[i];
	list_add_tail(&a->list, &sharing.aliases);
	return true;
}

static void grow_objects(struct kmem_cache *s, size_t size)
{
	if (size <= s->object_size)
		return;
	kmem_store_relaxed(&s->object_size, size);
	kmem_store_relaxed(&s->zeroed, (uint32_t)size);
}

struct kmem_cache *cache_share(const char *name, size_t size, size_t align,
			       slab_flags_t flags)
{
	struct sharing_wish w = { .name = name, .size = size,
				  .flags = flags };
	struct alias *a;

	if (!sharing.on || (flags & FLAGS_ALONE))
		return NULL;
	w.align = cache_align(size, align, flags);
	w.slot = (size_t)round_up_to(size, w.align);
	w.slot = KMEM_MAX(w.slot, SLAB_MIN_SIZE);
	a = table_alloc(&sharing.slabs, GFP_KERNEL);
	if (!a)
		return NULL;
	list_lock();
	caches_each(find_suitable, &w);
	if (w.taken)
		w.found = NULL;
	if (w.found) {
		grow_objects(w.found, size);
		if (add_user(w.found, a, name))
			a = NULL;
	}
	list_unlock();
	if (a)
		slabs_free(&sharing.slabs, a);
	return w.found;
}

bool cache_unshare(const struct kmem_cache *s)
{
	struct alias *a = find_alias(s, false);

	if (a)
		a->gone = true;
	return a;
}

bool cache_was_shared(const struct kmem_cache *s)
{
	return find_alias(s, true);
}

void aliases_forget(const struct kmem_cache *s)
{
	struct alias *a;

	while ((a = find_alias(s, true))) {
		list_del(&a->list);
		slabs_free(&sharing.slabs, a);
	}
}

void kmem_for_each_alias(bool (*fn)(const char *name, struct kmem_cache *s,
				    void *arg), void *arg)
{
	struct kmem_list *l;
	struct alias *a;

	if (!MERGING || !zones.nr_nodes)
		return;
	list_lock();
	for_each_alias(a, l)
		if (!fn(a->name, a->cache, arg))
			break;
	list_unlock();
}

/* ---- the checker ---- */

struct alias_search {
	const struct alias *a;
	bool found;
};

static bool is_cache_of(struct kmem_cache *s, void *arg)
{
	struct alias_search *f = arg;

	f->found = s == f->a->cache;
	return !f->found;
}

void aliases_check(struct check *c)
{
	struct kmem_list *l;
	struct alias *a;

	slabs_check(&sharing.slabs, c);
	for_each_alias(a, l) {
		struct alias_search f = { a, false };

		caches_each(is_cache_of, &f);
		if (!f.found || !may_be_shared(a->cache))
			check_violated(c, "C3: alias %s is of no cache that "
				       "may be shared", a->name);
	}
}
