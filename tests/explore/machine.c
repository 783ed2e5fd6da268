// SPDX-License-Identifier: MIT
/*
 * tests/explore/machine.c - what scenarios are made of. See machine.h.
 */
#include <stdio.h>
#include <string.h>

#include "machine.h"

_Alignas(64 * 1024) char arena[PAGED_BYTES];
struct kmem_cache *cache;
void *object[OBJECTS];
size_t pages_free;

static size_t live;			/* after setup() */

void kmem_panic(const char *reason)
{
	explore_reports++;
	if (explore_tracing)
		fprintf(stderr, "%s\n", reason);
}

/* ---- what is held ---- */

#define HELD_MAX	96

static struct held {
	char *p;
	size_t size;
} held[HELD_MAX];

void hold(void *p, size_t size)
{
	struct held *room = NULL;

	if (!p)
		return;
	for (unsigned i = 0; i < HELD_MAX; i++) {
		struct held *h = &held[i];

		if (!h->p)
			room = h;
		else if ((char *)p < h->p + h->size && h->p < (char *)p + size)
			explore_fail("%p is given to two", p);
	}
	MUST(room);
	explore_save(room, sizeof(*room));
	*room = (struct held){ p, size };
	explore_write(p, size < 64 ? size : 64);
}

void drop(void *p)
{
	for (unsigned i = 0; i < HELD_MAX; i++)
		if (held[i].p == p) {
			explore_write(p, held[i].size < 64 ?
				      held[i].size : 64);
			explore_save(&held[i], sizeof(held[i]));
			held[i].p = NULL;
			return;
		}
	explore_fail("%p is not held", p);
}

size_t nr_held(size_t size)
{
	size_t n = 0;

	for (unsigned i = 0; i < HELD_MAX; i++)
		n += held[i].p && held[i].size == size;
	return n;
}

bool is_held(const void *p, size_t size)
{
	for (unsigned i = 0; i < HELD_MAX; i++)
		if (held[i].p && held[i].size == size &&
		    (size_t)((const char *)p - held[i].p) < size)
			return true;
	return false;
}

void *get(void)
{
	void *p = kmem_cache_alloc(cache, GFP_ATOMIC | __GFP_NOWARN);

	hold(p, OBJECT);
	return p;
}

void put(void *p)
{
	if (!p)
		return;
	drop(p);
	kmem_cache_free(cache, p);
}

struct page *get_block(unsigned order)
{
	struct page *page = alloc_pages(GFP_ATOMIC | __GFP_NOWARN, order);

	if (page)
		hold(page_to_virt(page), KMEM_PAGE_SIZE << order);
	return page;
}

void put_block(struct page *page, unsigned order)
{
	if (!page)
		return;
	drop(page_to_virt(page));
	__free_pages(page, order);
}

void fill_objects(unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		object[i] = get();
}

void put_objects(unsigned first, unsigned n)
{
	for (unsigned i = first; i < first + n; i++) {
		put(object[i]);
		object[i] = NULL;
	}
}

void one_empty_slab(void)
{
	struct kmem_cache_stats st;

	fill_objects(4);
	put_objects(0, 4);
	for (unsigned i = 0; i < 2; i++)
		kmem_trim(KMEM_TRIM);
	kmem_cache_stats(cache, &st);
	MUST(st.slabs == 1 && st.empty_slabs == 1);
}

/* ---- the machine ---- */

void on(unsigned cpu, void (*fn)(void))
{
	unsigned here = explore_cpu;

	explore_cpu = cpu;
	fn();
	explore_cpu = here;
}

void on_each(void (*fn)(void))
{
	for (unsigned cpu = 0; cpu < CPUS; cpu++)
		on(cpu, fn);
}

size_t count_live(void)
{
	struct kmem_cache_stats st;

	kmem_cache_stats(cache, &st);
	return st.live;
}

void settled(void)
{
	live = count_live();
	pages_free = nr_free_pages();
}

/* Reaches nobody: what other CPUs do is what their own scripts say. But who
 * has this hook has pages in magazines. */
static void run_on_cpu(void *ctx, unsigned cpu, void (*fn)(void *), void *arg)
{
	(void)ctx;
	(void)cpu;
	(void)fn;
	(void)arg;
}

void machine_of(size_t bytes, const struct kmem_params *params,
		slab_flags_t flags)
{
	struct kmem_hooks hooks = { .ctx = NULL };
	struct kmem_params p = *params;

	if (p.hooks)
		hooks = *p.hooks;
	if (!hooks.run_on_cpu)
		hooks.run_on_cpu = run_on_cpu;
	p.hooks = &hooks;
	kmem_reset();
	memset(arena, 0, bytes);
	memset(held, 0, sizeof(held));
	memset(object, 0, sizeof(object));
	model_init(arena, p.hotplug_end ? p.hotplug_end - (uintptr_t)arena : bytes);
	if (kmem_add_region((uintptr_t)arena, bytes,
			    KMEM_REGION_USABLE, KMEM_NO_NODE) ||
	    kmem_init(&p))
		explore_fail("the machine does not start");
	cache = kmem_cache_create("explored", OBJECT, 0, flags, NULL);
	MUST(cache);
	settled();
}

void machine_with(const struct kmem_params *params, slab_flags_t flags)
{
	machine_of(ARENA_BYTES, params, flags);
}

void large_machine(void)
{
	machine_of(LARGE_BYTES, &(struct kmem_params){ .nr_cpus = CPUS }, 0);
}

void paged_machine(void)
{
	struct kmem_zone_stats st;
	struct page *page;

	machine_of(PAGED_BYTES, &(struct kmem_params){ .nr_cpus = CPUS }, 0);
	page = alloc_page(GFP_KERNEL);
	__free_page(page);
	kmem_zone_stats(0, &st);
	MUST(st.cached_pages);
}

void machine(void)
{
	machine_with(&(struct kmem_params){ .nr_cpus = CPUS }, 0);
}

/* ---- bodies ---- */

void get_one(void)
{
	get();
}

void get_two(void)
{
	void *a = get(), *b = get();

	put(a);
	put(b);
}

void get_and_put(void)
{
	put(get());
}

void put_one(void)
{
	put(object[0]);
}

void put_another(void)
{
	put(object[1]);
}

void shrink(void)
{
	kmem_cache_shrink(cache);
}

void page_and_back(void)
{
	put_block(get_block(0), 0);
}

/* ---- the end of a schedule ---- */

static void print(void *ctx, const char *line)
{
	char *first = ctx;

	if (!first[0])
		snprintf(first, 200, "%s", line);
}

void whole(void)
{
	char first[200] = "";

	if (kmem_check_all(print, first))
		explore_fail("%s", first);
}

void sound(void)
{
	whole();
	MUST(count_live() <= live + HELD_MAX);
}

void all_back(void)
{
	sound();
	if (count_live() != nr_held(OBJECT))
		explore_fail("%zu objects live, %zu held", count_live(),
			     nr_held(OBJECT));
}
