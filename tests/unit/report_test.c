// SPDX-License-Identifier: MIT
/*
 * tests/unit/report_test.c - does the checker see, do the tables tell the
 * truth.
 *
 * For each numbered invariant a violation is planted by hand, kmem_check_all()
 * must name it, and must be silent again when it has been taken back. A check
 * that never fails proves nothing.
 */
#include "unit.h"
#include "kmalloc.h"
#include "list.h"

#define CPUS	2

static struct kmem_cache *s;
static void *live[100];
static struct zone *z;

static int setup(void **state)
{
	(void)state;
	host_machine(64 * MIB, CPUS);
	test_panics_record();
	s = kmem_cache_create("victim", 512, 0, 0, NULL);
	for (unsigned i = 0; i < 100; i++)
		live[i] = kmem_cache_alloc(s, GFP_KERNEL);
	z = page_zone(virt_to_page(live[0]));
	/* something in the magazines, and a partial slab */
	for (unsigned i = 90; i < 100; i++)
		kmem_cache_free(s, live[i]);
	assert_sound();
	return 0;
}

static int teardown(void **state)
{
	assert_sound();
	for (unsigned i = 0; i < 90; i++)
		kmem_cache_free(s, live[i]);
	kmem_cache_destroy(s);
	return clean_end(state);
}

/* Bytes from object to object. */
static size_t slot_size(void)
{
	return s->slabs.size;
}

/* ----------------------------------------------------------- what was said */

static struct {
	char line[200][256];
	unsigned nr;
} said;

static void collect(void *ctx, const char *line)
{
	assert_ptr_equal(ctx, &said);
	assert_true(strlen(line) < 256);
	if (said.nr < 200)
		strcpy(said.line[said.nr], line);
	said.nr++;
}

/* The checker complains, and of this invariant too. */
static bool detects(const char *invariant)
{
	size_t n, quiet;

	said.nr = 0;
	n = kmem_check_all(collect, &said);
	quiet = kmem_check_all(NULL, NULL);
	if (n == 0 || n != said.nr || n != quiet)
		fprintf(stderr, "%s: %zu violations, %u lines, %zu without "
			"output\n", invariant, n, said.nr, quiet);
	for (unsigned i = 0; n && n == said.nr && n == quiet && i < n &&
	     i < 200; i++)
		if (!strncmp(said.line[i], invariant, strlen(invariant)) &&
		    said.line[i][strlen(invariant)] == ':')
			return true;
	for (unsigned i = 0; i < said.nr && i < 200; i++)
		fprintf(stderr, "\t%s\n", said.line[i]);
	return false;
}

#define assert_detects(invariant) assert_true(detects(invariant))

/* Plant, look, take back. */
#define PLANT(invariant, plant, restore) do { \
	plant; \
	assert_detects(invariant); \
	restore; \
	assert_sound(); \
} while (0)

/* --------------------------------------------------------------- the buddy */

/* A free block that heads a list, of some order below the highest. */
static struct page *some_free_block(void)
{
	for (unsigned o = 0; o < KMEM_MAX_ORDER; o++)
		if (!list_empty(&z->buddy.blocks[UNMOVABLE][o]))
			return list_page(z->buddy.blocks[UNMOVABLE][o].next);
	return NULL;
}

static void test_buddy_counts(void **state)
{
	struct buddy *b = &z->buddy;
	struct page *p = some_free_block();

	(void)state;
	assert_non_null(p);
	PLANT("B1", b->free_pages++, b->free_pages--);
	PLANT("B2", b->nr_blocks[p->order]++, b->nr_blocks[p->order]--);
	PLANT("B2", b->nonempty[UNMOVABLE] ^= 1u << p->order,
	      b->nonempty[UNMOVABLE] ^= 1u << p->order);
}

static void test_buddy_blocks(void **state)
{
	struct page *p = some_free_block();
	struct page *tail;
	uint8_t order = p->order;

	(void)state;
	PLANT("B3", p->type = PAGE_ALLOCATED, p->type = PAGE_FREE);
	PLANT("B3", p->order = (uint8_t)(order + 1), p->order = order);
	PLANT("B3", p->zone++, p->zone--);
	PLANT("B5", p->mobility = MOVABLE, p->mobility = UNMOVABLE);
	PLANT("B5", page_block(&z->buddy, p->pfn)->block_mobility = MOVABLE,
	      page_block(&z->buddy, p->pfn)->block_mobility = UNMOVABLE);
	p = list_page(z->buddy.blocks[UNMOVABLE][KMEM_MAX_ORDER].next);
	for (unsigned i = 1; i >> KMEM_MAX_ORDER == 0; i = 2 * i + 1) {
		tail = pfn_to_page(p->pfn + i);	/* the first, ..., the last */
		PLANT("B3", tail->type = PAGE_ALLOCATED,
		      tail->type = PAGE_TAIL);
	}
}

/* Two halves that are both free and did not merge. */
static void test_buddies_both_free(void **state)
{
	struct page *p = alloc_pages(GFP_KERNEL, 5);
	struct page *half = pfn_to_page(page_to_pfn(p) + 16);
	struct buddy *b = &page_zone(p)->buddy;

	(void)state;
	p->order = half->order = 4;
	p->type = half->type = PAGE_FREE;
	list_add(&p->list, &b->blocks[UNMOVABLE][4]);
	list_add(&half->list, &b->blocks[UNMOVABLE][4]);
	b->nr_blocks[4] += 2;
	b->nonempty[UNMOVABLE] |= 1u << 4;
	b->free_pages += 32;
	assert_detects("B4");
	list_del(&p->list);
	list_del(&half->list);
	b->nr_blocks[4] -= 2;
	if (list_empty(&b->blocks[UNMOVABLE][4]))
		b->nonempty[UNMOVABLE] &= ~(1u << 4);
	b->free_pages -= 32;
	half->type = PAGE_TAIL;
	p->type = PAGE_ALLOCATED;
	p->order = 5;
	assert_sound();
	__free_pages(p, 5);
}

/* -------------------------------------------------------- zones, all pages */

static void test_zone_limits(void **state)
{
	size_t managed = z->managed, low = z->wmark[WMARK_LOW];
	uintptr_t start = z->start_pfn, end = z->end_pfn;
	uintptr_t first = end, last = start, at;

	(void)state;
	PLANT("Z1", z->managed = 1, z->managed = managed);
	PLANT("Z2", z->start_pfn = end - 1, z->start_pfn = start);
	PLANT("Z2", z->end_pfn = start + 1, z->end_pfn = end);
	/* one page of one block */
	for (unsigned o = 1; o <= KMEM_MAX_ORDER; o++)
		for (struct kmem_list *l = z->buddy.blocks[UNMOVABLE][o].next;
		     l != &z->buddy.blocks[UNMOVABLE][o]; l = l->next) {
			at = list_page(l)->pfn;
			if (first > at)
				first = at;
			if (last < at + ((uintptr_t)1 << o))
				last = at + ((uintptr_t)1 << o);
		}
	PLANT("Z2", z->start_pfn = first + 1, z->start_pfn = start);
	PLANT("Z2", z->end_pfn = last - 1, z->end_pfn = end);
	PLANT("Z3", z->wmark[WMARK_LOW] = 0, z->wmark[WMARK_LOW] = low);
	PLANT("Z3", z->wmark[WMARK_LOW] = managed, z->wmark[WMARK_LOW] = low);
}

/* A page that has dropped out of everything. */
static void test_lost_page(void **state)
{
	struct page *p = alloc_pages(GFP_KERNEL, 4);

	(void)state;
	PLANT("A1", p->type = PAGE_TAIL, p->type = PAGE_ALLOCATED);
	PLANT("A1", p->order = 3, p->order = 4);
	PLANT("A1", z->managed++, z->managed--);
	PLANT("P2", p->refs++, p->refs--);
	__free_pages(p, 4);
}

static void test_cached_page(void **state)
{
	struct page *p = alloc_page(GFP_KERNEL);

	(void)state;
	__free_page(p);
	assert_int_equal(p->type, PAGE_CACHED);
	PLANT("P1", p->type = PAGE_ALLOCATED, p->type = PAGE_CACHED);
	PLANT("P1", p->order = 1, p->order = 0);
}

/* ------------------------------------------------------------------- slabs */

static struct page *head_of(void *obj)
{
	return slab_head(virt_to_page(obj));
}

static kmem_slot_t *slot_of(void *obj)
{
	struct page *page = virt_to_page(obj);

	return &page->slot[slab_index(page, page->slabs, obj).index];
}

static void test_slab_counts(void **state)
{
	struct page *head = head_of(live[0]);
	struct slab_node *n = s->slabs.node;

	(void)state;
	PLANT("S1", head->inuse--, head->inuse++);
	PLANT("S4", head->inuse--, head->inuse++);
	PLANT("S5", n->inuse++, n->inuse--);
	PLANT("S5", n->capacity++, n->capacity--);
	PLANT("S5", n->nr_slabs--, n->nr_slabs++);
	PLANT("S5", n->nr_pages++, n->nr_pages--);
	PLANT("S5", n->nr_empty++, n->nr_empty--);
}

static void test_slab_pages(void **state)
{
	struct kmem_cache *big = kmem_cache_create("big", 3000, 0, 0, NULL);
	void *obj = kmem_cache_alloc(big, GFP_KERNEL);
	struct page *p;
	uint16_t offset;

	(void)state;
	p = pfn_to_page(head_of(obj)->pfn + 1);
	offset = p->to_offset;
	assert_int_equal(p->type, PAGE_SLAB);
	PLANT("S2", p->to_offset++, p->to_offset = offset);
	PLANT("S2", p->slabs = &s->slabs, p->slabs = &big->slabs);
	PLANT("S2", p->type = PAGE_TAIL, p->type = PAGE_SLAB);
	PLANT("S2", p->slot++, p->slot--);
	kmem_cache_free(big, obj);
	kmem_cache_destroy(big);
}

static void test_slab_lists(void **state)
{
	struct slab_node *n = s->slabs.node;
	struct page *full;
	size_t max = n->max_empty;
	kmem_slot_t cpu;

	(void)state;
	assert_false(list_empty(&n->full));
	full = list_page(n->full.next);
	list_del(&full->list);
	list_add(&full->list, &n->partial[0]);
	assert_detects("S3");
	list_del(&full->list);
	list_add(&full->list, &n->full);
	assert_sound();
	/* a full slab says on which CPU's list it will be */
	cpu = full->free;
	PLANT("S3", full->free = SLOT_END, full->free = cpu);
	/* one empty slab, where none is allowed */
	for (unsigned i = 0; i < 90; i++)
		kmem_cache_free(s, live[i]);
	magazine_drain(&s->magazine);
	assert_int_equal(n->nr_empty, 1);
	PLANT("S6", n->max_empty = 0, n->max_empty = max);
	PLANT("S6", n->idle_empty = 2, n->idle_empty = 0);
	for (unsigned i = 0; i < 90; i++)
		live[i] = kmem_cache_alloc(s, GFP_KERNEL);
}

static void test_slots(void **state)
{
	kmem_slot_t *slot = slot_of(live[5]);

	(void)state;
	PLANT("S4", *slot = SLOT_END, *slot = SLOT_LIVE);
	PLANT("C1", *slot = SLOT_CACHED, *slot = SLOT_LIVE);
}

/* A chain of free slots that bites its own tail, or leads outside: found, and
 * the checker itself comes to an end. */
static void test_broken_chain(void **state)
{
	struct page *head = head_of(live[5]);
	kmem_slot_t *slot, first, next;

	(void)state;
	kmem_cache_free(s, live[5]);
	magazine_drain(&s->magazine);
	assert_in_range(head->inuse, 1, slab_objects(head) - 1u);
	first = head->free;
	slot = slab_slot(head, first);
	next = *slot;
	PLANT("S1", *slot = first, *slot = next);
	PLANT("S1", *slot = SLOT_FRESH - 1, *slot = next);
	PLANT("S1", head->free = SLOT_FRESH - 1, head->free = first);
	live[5] = kmem_cache_alloc(s, GFP_KERNEL);
}

/* --------------------------------------------------------------- magazines */

static void test_magazines(void **state)
{
	struct magazine_layer *l = &s->magazine;
	struct magazine_cpu *c = layer_cpu(l, 0);
	struct depot *d = layer_depot(l, 0);
	struct round *top = c->top, *bottom = c->bottom;

	(void)state;
	assert_true((size_t)(top - bottom) + c->previous_rounds > 0);
	PLANT("M1", (c->bottom = NULL, c->top = NULL),
	      (c->bottom = bottom, c->top = top));
	PLANT("M2", c->top = bottom + KMEM_MAGAZINE_ROUNDS + 1, c->top = top);
	PLANT("M3", d->nr_full++, d->nr_full--);
	PLANT("M3", d->nr_empty++, d->nr_empty--);
	PLANT("M4", d->objects++, d->objects--);
	PLANT("M5", c->busy = 1, c->busy = 0);
	PLANT("C1", c->top--, c->top++);
}

static void test_cached_objects(void **state)
{
	struct magazine_cpu *c = layer_cpu(&s->magazine, 0);
	struct round *round = c->bottom, was;
	char *obj;

	(void)state;
	assert_true(c->top > c->bottom);
	was = *round;
	obj = was.obj;
	PLANT("C2", *slot_of(obj) = SLOT_LIVE, *slot_of(obj) = SLOT_CACHED);
	PLANT("C2", round->obj = obj + 8, *round = was);
	PLANT("C2", round->obj = live[0], *round = was);
	PLANT("C2", round->obj = kmalloc_caches, *round = was);
	PLANT("C2", round->slot = slot_of(live[0]), *round = was);
}

/* ------------------------------------------------------------- the reports */

static void report(void (*fn)(kmem_out_fn out, void *ctx))
{
	said.nr = 0;
	fn(collect, &said);
	assert_in_range(said.nr, 1, 199);
}

/* Lines that a terminal shows as they are: no control character, no newline,
 * not too long. */
static void assert_plain_lines(void)
{
	for (unsigned i = 0; i < said.nr; i++) {
		assert_in_range(strlen(said.line[i]), 1, 199);
		for (const char *p = said.line[i]; *p; p++)
			assert_in_range((unsigned char)*p, ' ', '~');
	}
}

static void test_report_is_plain(void **state)
{
	(void)state;
	report(kmem_report);
	assert_plain_lines();
}

/* The number that follows a label. */
static uint64_t number_after(const char *label)
{
	for (unsigned i = 0; i < said.nr; i++) {
		const char *at = strstr(said.line[i], label);

		if (at)
			return strtoull(at + strlen(label), NULL, 10);
	}
	fail_msg("no line with \"%s\"", label);
	return 0;
}

static void report_boot(kmem_out_fn out, void *ctx)
{
	kmem_report_boot(kmem_boot_info(), out, ctx);
}

/* The boot table has every part of the identity, and its own numbers add up;
 * when they don't, it says so. */
static void test_report_boot(void **state)
{
	struct kmem_boot_info wrong = *kmem_boot_info();

	(void)state;
	report(report_boot);
	assert_plain_lines();
	assert_int_equal(number_after("  usable "), wrong.usable);
	assert_int_equal(number_after("= managed "), wrong.managed);
	assert_int_equal(number_after("+ held back "), wrong.held);
	assert_int_equal(number_after("+ metadata "), wrong.metadata);
	assert_int_equal(number_after("+ rounding to pages "),
			 wrong.rounding);
	assert_int_equal(number_after("+ beyond the direct map "),
			 wrong.unreachable);
	assert_int_equal(number_after("page descriptors ") +
			 number_after("section table ") +
			 number_after("nodes and per-CPU areas ") +
			 number_after("early allocations "), wrong.metadata);
	assert_non_null(strstr(said.line[said.nr - 1], "exact"));
	wrong.managed--;
	said.nr = 0;
	kmem_report_boot(&wrong, collect, &said);
	assert_non_null(strstr(said.line[said.nr - 1], "WRONG"));
}

/* The zone table is buddyinfo: its columns are the counts of the statistics,
 * and they add up to the free pages. */
static void test_report_zones(void **state)
{
	struct kmem_zone_stats st;
	unsigned at = 0;

	(void)state;
	report(kmem_report_zones);
	assert_plain_lines();
	for (unsigned i = 0; kmem_zone_stats(i, &st); i++) {
		char name[16];
		size_t sum = 0, managed;
		int node, used = 0;
		char *p;

		while (at < said.nr && strncmp(said.line[at], "Node ", 5))
			at++;
		assert_true(at < said.nr);
		assert_int_equal(sscanf(said.line[at], "Node %d, zone %15s%n",
					&node, name, &used), 2);
		assert_int_equal(node, st.node);
		assert_string_equal(name, st.name);
		p = said.line[at++] + used;
		for (unsigned o = 0; o <= KMEM_MAX_ORDER; o++) {
			size_t n = strtoull(p, &p, 10);

			assert_int_equal(n, st.nr_free[o]);
			sum += n << o;
		}
		assert_int_equal(sum, st.free_pages);
		/* what is not free now is allocated, cached or of a slab */
		managed = st.free_pages + st.cached_pages;
		assert_true(managed <= st.managed);
	}
	for (unsigned i = 0; kmem_zone_stats(i, &st); i++) {
		char name[16];
		size_t v[6];
		int node;

		while (at < said.nr && strncmp(said.line[at], "Node ", 5))
			at++;
		assert_true(at < said.nr);
		assert_int_equal(sscanf(said.line[at++], "Node %d, zone %15s "
					"%zu %zu %zu %zu %zu %zu", &node, name,
					&v[0], &v[1], &v[2], &v[3], &v[4],
					&v[5]), 8);
		assert_int_equal(v[0], st.managed);
		assert_int_equal(v[1], st.free_pages);
		assert_int_equal(v[2], st.cached_pages);
		assert_int_equal(v[3], st.min);
		assert_int_equal(v[4], st.low);
		assert_int_equal(v[5], st.high);
	}
}

/* The cache table: one line a cache that was used, columns under one another,
 * active + in CPUs + depot + free in slabs == total. */
static void test_report_caches(void **state)
{
	size_t colon = 0, seen = 0;

	(void)state;
	report(kmem_report_caches);
	assert_plain_lines();
	assert_true(said.line[0][0] == '#');
	for (unsigned i = 1; i < said.nr; i++) {
		char name[64];
		size_t v[10];
		int n = sscanf(said.line[i], "%63s %zu %zu %zu %zu %zu : %zu "
			       "%zu %zu : %zu %zu", name, &v[0], &v[1], &v[2],
			       &v[3], &v[4], &v[5], &v[6], &v[7], &v[8],
			       &v[9]);

		if (n < 11)
			continue;
		seen++;
		assert_int_equal(v[0] + v[5] + v[6] + v[7], v[1]);
		assert_int_equal(v[1] % v[3], 0);	/* whole slabs */
		assert_int_equal(v[8] * 1024, v[1] / v[3] * v[4] * PAGE);
		if (!colon)
			colon = strcspn(said.line[i], ":");
		assert_int_equal(strcspn(said.line[i], ":"), colon);
		assert_int_equal(strcspn(said.line[0], ":"), colon);
		if (!strcmp(name, "victim")) {
			assert_int_equal(v[0], 90);
			assert_int_equal(v[2], slot_size());
		}
	}
	assert_true(seen >= 1);
}

/* The layers' shares add up to all operations. */
static void test_report_layers(void **state)
{
	uint64_t all, sum = 0;

	(void)state;
	for (unsigned i = 0; i < 10000; i++)
		kfree(kmalloc(i % 3000 + 1, GFP_KERNEL));
	report(kmem_report_layers);
	assert_plain_lines();
	all = number_after("  operations ");
	sum = number_after("served by the loaded magazine ") +
	      number_after("after a swap with the previous one ") +
	      number_after("after an exchange with the depot ") +
	      number_after("after a refill or flush below ") +
	      number_after("single objects past the magazines ");
	assert_true(all >= 20000);
	/* the rest: objects that came with a new slab */
	assert_in_range(all - sum, 0, all / 50);
}

/* Caches are walked in order of creation until the callback has enough. */
struct walk {
	unsigned left, seen;
	bool found;
};

static bool walk(struct kmem_cache *cache, void *arg)
{
	struct walk *w = arg;

	w->seen++;
	w->found |= cache == s;
	return --w->left != 0;
}

static void test_for_each_cache(void **state)
{
	struct walk all = { .left = ~0u }, some = { .left = 3 };

	(void)state;
	kmem_for_each_cache(walk, &all);
	assert_true(all.found);
	assert_true(all.seen > 30);
	kmem_for_each_cache(walk, &some);
	assert_int_equal(some.seen, 3);
}

/* ---------------------------------------------------- leaked or cached? */

/* The identities of struct kmem_usage, and what is known of this machine. */
static void usage(struct kmem_usage *u)
{
	kmem_usage(u);
	assert_int_equal(u->managed, u->allocated + u->slabs + u->metadata +
			 u->cached + u->free);
	assert_int_equal(u->slabs * PAGE, u->live + u->in_cpus + u->in_depots +
			 u->in_partial + u->in_empty + u->slack);
	assert_true(u->slack <= u->slabs * PAGE / 8);
	assert_int_equal(u->metadata * PAGE, kmem_internal_bytes());
	assert_int_equal(u->free + u->cached, nr_free_pages());
}

/* Each kind of memory grows by what a user does, and no other: a page that is
 * taken is `allocated`, freed it is `cached`; an object is `live`, then in a
 * CPU, then in an empty slab, then gone. */
static void test_usage_follows_each_step(void **state)
{
	struct kmem_usage u[6];
	struct page *p;
	void *big;

	(void)state;
	p = alloc_pages(GFP_KERNEL, 1);
	usage(&u[0]);
	assert_non_null(p);
	__free_pages(p, 1);
	usage(&u[1]);
	assert_int_equal(u[1].allocated, u[0].allocated - 2);
	assert_int_equal(u[1].cached, u[0].cached + 2);
	big = kmalloc(KMALLOC_MAX_CACHE_SIZE + 1, GFP_KERNEL);
	usage(&u[2]);
	assert_true(u[2].allocated > u[1].allocated);
	assert_int_equal(u[2].live, u[1].live);
	kfree(big);

	kmem_cache_free(s, live[89]);
	usage(&u[3]);
	assert_int_equal(u[3].live, u[1].live - slot_size());
	assert_int_equal(u[3].in_cpus, u[1].in_cpus + slot_size());
	for (unsigned i = 0; i < 89; i++)
		kmem_cache_free(s, live[i]);
	usage(&u[4]);
	assert_int_equal(u[4].live, 0);
	test_drain(CPUS);
	usage(&u[5]);
	assert_int_equal(u[5].slabs, 0);
	assert_int_equal(u[5].cached, 0);
	assert_int_equal(u[5].in_cpus + u[5].in_depots, 0);
	for (unsigned i = 0; i < 90; i++)
		live[i] = kmem_cache_alloc(s, GFP_KERNEL);
}

/* Empty slabs are told from partial ones, in objects and in bytes. */
static void test_stats_of_empty_slabs(void **state)
{
	struct kmem_cache_stats st;
	struct kmem_usage u;
	unsigned whole = 0;

	(void)state;
	for (unsigned i = 0; i < 90; i++)
		kmem_cache_free(s, live[i]);
	magazine_drain_cpu(&s->magazine);
	depot_drain(&s->magazine);
	kmem_cache_stats(s, &st);
	usage(&u);
	assert_int_equal(st.live, 0);
	assert_true(st.empty_slabs > 0);
	assert_int_equal(st.slabs, st.empty_slabs);
	assert_int_equal(st.free_in_empty, st.free_in_slabs);
	assert_int_equal(st.empty_bytes, st.slab_bytes);
	assert_int_equal(u.in_empty, st.free_in_empty * slot_size());
	whole = st.empty_slabs;
	live[0] = kmem_cache_alloc(s, GFP_KERNEL);
	magazine_drain_cpu(&s->magazine);
	kmem_cache_stats(s, &st);
	assert_int_equal(st.empty_slabs, whole - 1);
	assert_int_equal(st.free_in_slabs - st.free_in_empty,
			 st.objects_per_slab - 1);
	for (unsigned i = 1; i < 90; i++)
		live[i] = kmem_cache_alloc(s, GFP_KERNEL);
}

/* Accounts that a page has slipped out of: a zone that counts one too many as
 * free, a cache that counts a slab's pages twice. */
static void test_usage_is_checked(void **state)
{
	struct slab_node *n = &s->slabs.node[0];

	(void)state;
	PLANT("A2", n->nr_pages += 4, n->nr_pages -= 4);
	PLANT("A2", z->buddy.free_pages--, z->buddy.free_pages++);
}

/* Between two points an object, a page and a whole cache leak, others come and
 * go: the three are named, with how many, and nothing else. */
static void test_leak_between_two_points(void **state)
{
	static struct kmem_leak_mark marks[200];
	struct kmem_cache *young;
	size_t n = kmem_leak_mark(marks, 200);
	void *leaked[3], *a, *b;
	struct page *page;

	(void)state;
	assert_true(n > 30 && n < 200);
	assert_int_equal(kmem_leak_mark(NULL, 0), n);
	kfree(kmalloc(100, GFP_KERNEL));
	kmem_cache_free(s, live[0]);
	assert_int_equal(kmem_leak_report(marks, n, NULL, NULL), 0);
	live[0] = kmem_cache_alloc(s, GFP_KERNEL);

	page = alloc_pages(GFP_KERNEL, 2);
	for (unsigned i = 0; i < 3; i++)
		leaked[i] = kmem_cache_alloc(s, GFP_KERNEL);
	young = kmem_cache_create("young", 32, 0, 0, NULL);
	a = kmem_cache_alloc(young, GFP_KERNEL);
	b = kmalloc(300, GFP_KERNEL);
	kfree(b);
	said.nr = 0;
	assert_int_equal(kmem_leak_report(marks, n, collect, &said), 3);
	assert_int_equal(said.nr, 3);
	assert_non_null(strstr(said.line[0], "(pages)"));
	assert_non_null(strstr(said.line[0], " 4 more"));
	assert_int_equal(kmem_leak_report(marks, n, NULL, NULL), 3);

	said.nr = 0;
	__free_pages(page, 2);
	kmem_cache_free(young, a);
	kmem_cache_destroy(young);
	assert_int_equal(kmem_leak_report(marks, n, collect, &said), 1);
	assert_non_null(strstr(said.line[0], "victim"));
	assert_non_null(strstr(said.line[0], " 3 more, now 93"));
	for (unsigned i = 0; i < 3; i++)
		kmem_cache_free(s, leaked[i]);
	assert_int_equal(kmem_leak_report(marks, n, NULL, NULL), 0);
}

static bool said_line(const char *start, const char *words)
{
	for (unsigned i = 0; i < said.nr && i < 200; i++)
		if (!strncmp(said.line[i], start, strlen(start)) &&
		    strstr(said.line[i], words))
			return true;
	return false;
}

/* What a person reads says the same as the figures; and a program can read
 * each of them. */
static void test_report_usage(void **state)
{
	struct kmem_cache_stats st;
	char words[200];
	struct kmem_usage u;

	(void)state;
	usage(&u);
	report(kmem_report_usage);
	assert_true(said.nr <= 15);
	snprintf(words, sizeof(words), "%zu KiB",
		 (size_t)(u.allocated * PAGE + u.live) >> 10);
	assert_true(said_line("Users hold", words));
	snprintf(words, sizeof(words), "%zu KiB, 90 objects",
		 90 * slot_size() >> 10);
	assert_true(said_line("  victim", words));
	snprintf(words, sizeof(words), "= %zu pages: allocated %zu +",
		 u.managed, u.allocated);
	assert_true(said_line("= ", words));

	kmem_cache_stats(s, &st);
	report(kmem_report_raw);
	snprintf(words, sizeof(words), "allocated=%zu slabs=%zu metadata=%zu",
		 u.allocated, u.slabs, u.metadata);
	assert_true(said_line("memory managed=", words));
	snprintf(words, sizeof(words), "live=90 cpus=%zu depot=0 partial=%zu",
		 st.layer.in_cpus, st.free_in_slabs - st.free_in_empty);
	assert_true(said_line("cache name=victim size=", words));
	snprintf(words, sizeof(words), "size=%zu ", slot_size());
	assert_true(said_line("cache name=victim size=", words));
	assert_true(said_line("cache_ops name=victim ", "refills="));
	assert_true(said_line("zone name=", "cached="));
}

/* Of those who hold most, the first three are named, and no others. */
static void test_report_of_three(void **state)
{
	static const size_t sizes[] = { 8000, 6000, 4000, 3000 };
	void *p[4];

	(void)state;
	for (int i = 0; i < 4; i++)
		p[i] = kmalloc(sizes[i] * 7 / 8, GFP_KERNEL);
	report(kmem_report_usage);
	assert_false(said_line("  kmalloc-3072", "objects"));
	assert_true(said_line("  victim", "90 objects") ||
		    said_line("  kmalloc-4096", "1 objects"));
	for (int i = 0; i < 4; i++)
		kfree(p[i]);
}

/* Before kmem_init() and after kmem_reset() there is nothing to say, and
 * nothing that breaks. */
static void test_without_a_machine(void **state)
{
	struct kmem_zone_stats st;

	(void)state;
	kmem_reset();
	assert_int_equal(kmem_check_all(NULL, NULL), 0);
	assert_false(kmem_zone_stats(0, &st));
	assert_int_equal(kmem_internal_bytes(), 0);
	assert_int_equal(kmem_leak_report(NULL, 0, NULL, NULL), 0);
	kmem_report_usage(collect, &said);
	setup(NULL);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_buddy_counts),
		TEST(test_buddy_blocks),
		TEST(test_buddies_both_free),
		TEST(test_zone_limits),
		TEST(test_lost_page),
		TEST(test_cached_page),
		TEST(test_slab_counts),
		TEST(test_slab_pages),
		TEST(test_slab_lists),
		TEST(test_slots),
		TEST(test_broken_chain),
		TEST(test_magazines),
		TEST(test_cached_objects),
		TEST(test_report_is_plain),
		TEST(test_report_boot),
		TEST(test_report_zones),
		TEST(test_report_caches),
		TEST(test_report_layers),
		TEST(test_for_each_cache),
		TEST(test_usage_follows_each_step),
		TEST(test_stats_of_empty_slabs),
		TEST(test_usage_is_checked),
		TEST(test_leak_between_two_points),
		TEST(test_report_usage),
		TEST(test_report_of_three),
		TEST(test_without_a_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
