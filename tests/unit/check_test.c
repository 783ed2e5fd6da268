// SPDX-License-Identifier: MIT
/*
 * tests/unit/check_test.c - kmem_check_all() sees what it is there to see.
 *
 * Each invariant's structure is changed by hand, as a wild write would, and the
 * checker has to name that invariant; then it is as it was, and nothing may be
 * said. A checker that has gone blind makes every other test pass.
 */
#include "unit.h"
#include "cache.h"
#include "debug.h"
#include "grace.h"
#include "kmalloc.h"
#include "page_alloc.h"
#include "vm_area.h"

static struct kmem_cache *s;

static int setup(void **state)
{
	void *p[300];

	(void)state;
	host_machine(32 * MIB, 1);
	test_panics_record();
	s = kmem_cache_create("checked", 100, 0, SLAB_NO_MERGE, NULL);
	for (int i = 0; i < 300; i++)
		p[i] = kmem_cache_alloc(s, GFP_KERNEL);
	for (int i = 0; i < 300; i++)
		kmem_cache_free(s, p[i]);
	return 0;
}

static int teardown(void **state)
{
	kmem_cache_destroy(s);
	return clean_end(state);
}

static const char *wanted;
static unsigned seen;

static void look(void *ctx, const char *line)
{
	(void)ctx;
	seen += strstr(line, wanted) != NULL;
}

static kmem_slot_t *slot_of(const void *p)
{
	struct page *page = virt_to_page(p);

	return &page->slot[slab_index(page, page->slabs, p).index];
}

/* While it is `wrong`, what is said has this in it; before and after, nothing is
 * said. */
#define SEES(what, wrong, right) do { \
	assert_sound(); \
	wanted = what; \
	seen = 0; \
	wrong; \
	assert_true(kmem_check_all(look, NULL) > 0); \
	right; \
	assert_true(seen > 0); \
	assert_sound(); \
} while (0)

/* ---- pages ---- */

static void test_blocks(void **state)
{
	struct page *page = alloc_pages(GFP_KERNEL, 1);
	struct zone *z = page_zone(page);
	struct kmem_boot_info *info = (struct kmem_boot_info *)(uintptr_t)
				      kmem_boot_info();

	(void)state;
	SEES("P2", page->refs = 3, page->refs = 0);
	SEES("A1", z->managed++, z->managed--);
	SEES("T1", z->managed++, z->managed--);
	SEES("T1", zones.managed++, zones.managed--);
	SEES("T1", info->held++, info->held--);
	SEES("A1", page->order = 0, page->order = 1);
	SEES("B2", z->buddy.nonempty[0] ^= 1u << KMEM_MAX_ORDER,
	     z->buddy.nonempty[0] ^= 1u << KMEM_MAX_ORDER);
	SEES("B", z->buddy.nr_blocks[KMEM_MAX_ORDER] -= 2,
	     z->buddy.nr_blocks[KMEM_MAX_ORDER] += 2);
	SEES("B", z->buddy.free_pages++, z->buddy.free_pages--);
	__free_pages(page, 1);
}

/* A free block that says it is elsewhere: where none can begin, or where there
 * is no memory. */
static void test_free_block_elsewhere(void **state)
{
	struct page *page = alloc_pages(GFP_KERNEL, KMEM_MAX_ORDER);
	uintptr_t pfn = page_to_pfn(page);

	(void)state;
	__free_pages(page, KMEM_MAX_ORDER);
	drain_pages();
	assert_int_equal(page_type(page), PAGE_FREE);
	SEES("B3", page->pfn = pfn + 1, page->pfn = pfn);
	SEES("B3", page->pfn = 0 - ((uintptr_t)1 << page->order),
	     page->pfn = pfn);
}

/* A page in a magazine that is somebody's; of another zone; of another order. */
static void test_pages_in_magazines(void **state)
{
	struct page *page;

	(void)state;
	for (int i = 0; i < 4; i++)
		__free_page(alloc_page(GFP_KERNEL));
	page = alloc_page(GFP_KERNEL);
	__free_page(page);
	assert_int_equal(page_type(page), PAGE_CACHED);
	SEES("P1", page->type = PAGE_ALLOCATED, page->type = PAGE_CACHED);
	SEES("P1", page->order = 1, page->order = 0);
	SEES("P1", page->zone++, page->zone--);
}

/* ---- objects ---- */

static void test_objects_in_magazines(void **state)
{
	struct magazine_cpu *c = magazine_enter(&s->magazine);
	struct round *r = c->bottom, was;
	struct page *page = alloc_page(GFP_KERNEL), *head;
	void *other = kmalloc(500, GFP_KERNEL);

	(void)state;
	magazine_exit(c);
	assert_true(c->top > c->bottom);
	was = *r;
	head = slab_head(virt_to_page(was.obj));
	SEES("C2", r->obj = (char *)was.obj + 1, *r = was);
	SEES("C2", r->obj = kmalloc_caches, *r = was);
	SEES("C2", r->obj = other, *r = was);
	SEES("C2", r->obj = page_to_virt(page), *r = was);
	SEES("C2", r->obj = slab_object(head, slab_objects(head)), *r = was);
	SEES("C2", r->slot++, *r = was);
	SEES("C2", *was.slot = SLOT_LIVE, *was.slot = SLOT_CACHED);
	kfree(other);
	__free_page(page);
}

/* What was written over a pointer to a magazine, or to its rounds, is not followed:
 * nothing, something odd, what is no memory of kmem's, what is another's. */
static void see_pointers(struct magazine_cpu *c)
{
	struct magazine *m = loaded(c), *previous = c->previous;
	struct magazine *last = slab_object(slab_head(virt_to_page(m)),
				slab_objects(slab_head(virt_to_page(m))));
	struct round *top = c->top, *end = c->end, *bottom = c->bottom;
	void *const wild[] = {
		NULL, (void *)1, (void *)(uintptr_t)-16, kmalloc_caches,
		(char *)bottom + 1, bottom - 1, last->round, s,
	};

	for (unsigned i = 0; i < KMEM_ARRAY_SIZE(wild); i++) {
		SEES("M", c->bottom = wild[i], c->bottom = bottom);
		SEES("M2", c->top = wild[i], c->top = top);
		if (wild[i])
			SEES("M2", c->end = wild[i], c->end = end);
		SEES("M1", c->previous = (void *)((uintptr_t)wild[i] - 1),
		     c->previous = previous);
	}
	c->end = NULL;			/* closed: that is all right */
	assert_sound();
	c->end = end;
	SEES("M2", c->top = &m->round[m->capacity + 1], c->top = top);
	SEES("M2", c->end = &m->round[m->capacity + 1], c->end = end);
	SEES("M1", (c->bottom = NULL, c->end = NULL),
	     (c->bottom = bottom, c->end = end));
	SEES("M1", (c->bottom = NULL, c->top = NULL),
	     (c->bottom = bottom, c->top = top));
	SEES("M1", m->capacity--, m->capacity++);
	SEES("M1", m->capacity++, m->capacity--);
	SEES("M1", previous->capacity++, previous->capacity--);
}

static void test_magazines(void **state)
{
	struct magazine_layer *l = &s->magazine;
	struct magazine_cpu *c = magazine_enter(l);
	struct magazine *previous = c->previous, *full, *next;
	struct depot *d = layer_depot(l, 0);
	struct magazine *empty = d->empty;
	struct magazine none = { .rounds = 1 };
	uint16_t rounds = c->previous_rounds;
	kmem_slot_t *slot;
	size_t most;

	(void)state;
	magazine_exit(c);
	assert_non_null(previous);
	see_pointers(c);
	slot = slot_of(previous);
	SEES("M1", *slot = SLOT_FRESH, *slot = SLOT_CACHED);
	SEES("M2", c->previous_rounds = (uint8_t)(previous->capacity + 1),
	     c->previous_rounds = (uint8_t)rounds);
	SEES("M1", (c->previous = NULL, c->previous_rounds = 1),
	     (c->previous = previous, c->previous_rounds = (uint8_t)rounds));
	SEES("M5", c->busy = 1, c->busy = 0);
	full = d->full;
	assert_non_null(full);
	rounds = full->rounds;
	SEES("M3", full->rounds = 0, full->rounds = rounds);
	SEES("M3", full->rounds = (uint16_t)(full->capacity + 1),
	     full->rounds = rounds);
	SEES("M3", full->rounds = UINT16_MAX, full->rounds = rounds);
	SEES("M3", d->nr_full++, d->nr_full--);
	SEES("M3", d->nr_empty++, d->nr_empty--);
	SEES("M4", d->objects++, d->objects--);
	most = d->max_objects;
	SEES("M4", d->max_objects = 0, d->max_objects = most);
	/* one that is no magazine; a circle; a full one on the list of empty ones */
	next = full->next;
	SEES("M3", d->full = &none, d->full = full);
	SEES("M3", d->empty = &none, d->empty = empty);
	SEES("M3", full->next = &none, full->next = next);
	SEES("M3", full->next = full, full->next = next);
	SEES("M3", (d->full = next, d->empty = full,
		    full->next = empty, d->nr_full--,
		    d->nr_empty++),
	     (d->full = full, d->empty = empty,
	      full->next = next, d->nr_full++, d->nr_empty--));
}

/* A short one, of a cache that is used little. */
static void test_short_magazine(void **state)
{
	struct kmem_cache *little = kmem_cache_create("little", 100, 0,
						      SLAB_NO_MERGE, NULL);
	struct magazine *m;

	(void)state;
	kmem_cache_free(little, kmem_cache_alloc(little, GFP_KERNEL));
	m = loaded(layer_cpu(&little->magazine, 0));
	assert_int_equal(m->capacity, MAGAZINE_SHORT);
	SEES("M1", m->capacity = MAGAZINE_LONG, m->capacity = MAGAZINE_SHORT);
	kmem_cache_destroy(little);
}

static void test_slabs(void **state)
{
	void *p = kmem_cache_alloc(s, GFP_KERNEL);
	struct page *head = slab_head(virt_to_page(p));
	struct slab_node *n = &s->slabs.node[0];

	(void)state;
	SEES("S1", head->inuse++, head->inuse--);
	SEES("S", n->inuse++, n->inuse--);
	SEES("S", n->nr_empty++, n->nr_empty--);
	SEES("S", head->order++, head->order--);
	kmem_cache_free(s, p);
}

/* What bounds all caches together: a slab that is empty and not counted, a depot
 * that may hold more than the sum says. */
static void test_sums(void **state)
{
	struct depot *d = layer_depot(&s->magazine, 0);

	(void)state;
	SEES("A3", zones.empty_pages++, zones.empty_pages--);
	SEES("A3", zones.empty_pages--, zones.empty_pages++);
	SEES("A3", zones.depot_bytes++, zones.depot_bytes--);
	SEES("A3", d->max_objects++, d->max_objects--);
}

/* The tables of caches that are debugged are looked at, and count. */
static void test_tables_of_debugging(void **state)
{
	struct kmem_cache *d = kmem_cache_create("debugged", 100, 0,
						 SLAB_STORE_USER, NULL);
	struct slab_node *pool, *records;

	(void)state;
	assert_non_null(d->slabs.debug);
	kmem_cache_free(d, kmem_cache_alloc(d, GFP_KERNEL));
	pool = virt_to_page(d->slabs.debug)->slabs->node;
	records = slabs_records(&d->slabs)->node;
	SEES("S5", pool->inuse++, pool->inuse--);
	SEES("S5", records->nr_slabs++, records->nr_slabs--);
	kmem_cache_destroy(d);
	SEES("S5", pool->nr_pages++, pool->nr_pages--);
	assert_int_equal(pool->nr_empty, 1);
	SEES("A3", zones.empty_pages -= pool->nr_pages,
	     zones.empty_pages += pool->nr_pages);
}

/* A page of a slab that is not like the first. */
static void test_slab_of_several_pages(void **state)
{
	struct kmem_cache *large = kmem_cache_create("large", 3000, 0,
						     SLAB_NO_MERGE, NULL);
	void *p = kmem_cache_alloc(large, GFP_KERNEL);
	struct page *head = slab_head(virt_to_page(p));

	(void)state;
	assert_true(head->order > 0);
	SEES("S2", head[1].order++, head[1].order--);
	SEES("S2", head[1].to_offset++, head[1].to_offset--);
	kmem_cache_free(large, p);
	kmem_cache_destroy(large);
}

/* Frees that wait for a grace period: of an object, of a block. */
static void test_grace(void **state)
{
	struct kmem_list item = { NULL, NULL };
	struct grace g = { .fresh = &item };
	struct check c = { .out = look };

	(void)state;
	wanted = "G1";
	seen = 0;
	grace_check(&g, &c);
	assert_int_equal(seen, 1);
	g.running = true;
	grace_check(&g, &c);
	assert_int_equal(seen, 1);
	g.fresh = NULL;
	grace_check(&g, &c);
	assert_int_equal(seen, 2);
}

/* A name whose cache must not be shared, or is gone. */
static void test_aliases(void **state)
{
	const struct test_range map[] = {
		{ MIB, 33 * MIB, KMEM_REGION_USABLE, KMEM_NO_NODE },
	};
	const struct kmem_params params = { .merge_caches = true };
	struct kmem_cache *a, *b;
	struct kmem_list *next;

	(void)state;
	assert_int_equal(test_machine(map, 1, &params), KMEM_OK);
	s = kmem_cache_create("checked", 100, 0, SLAB_NO_MERGE, NULL);
	a = kmem_cache_create("first", 96, 0, 0, NULL);
	b = kmem_cache_create("second", 96, 0, 0, NULL);
	assert_ptr_equal(a, b);
	next = a->list.next;
	SEES("C3", a->flags |= SLAB_NO_MERGE, a->flags &= ~SLAB_NO_MERGE);
	SEES("C3", list_del(&a->list), list_add(&a->list, next->prev));
	kmem_cache_destroy(b);
	kmem_cache_destroy(a);
}

/* ---- areas ---- */

static void test_areas(void **state)
{
	struct vm_area *a, *b, none = { .state = VM_ENDING };
	struct page *page;
	uintptr_t end;
	void *p, *q;

	(void)state;
	assert_int_equal(host_vmalloc(4 * MIB), KMEM_OK);
	p = vmalloc(2 * PAGE);
	q = vmalloc(PAGE);
	a = vm_area_at(p);
	b = vm_area_at(q);
	page = a->vm.pages[0];
	end = a->node.end;
	SEES("V5", page->type = PAGE_HELD, page->type = PAGE_ALLOCATED);
	SEES("V5", page->order = 1, page->order = 0);
	SEES("V4", a->vm.nr_pages += 2, a->vm.nr_pages -= 2);
	SEES("V4", a->vm.addr = (char *)p - PAGE, a->vm.addr = p);
	SEES("V", a->node.height++, a->node.height--);
	SEES("V", b->node.height++, b->node.height--);
	SEES("V", a->node.gap += PAGE, a->node.gap -= PAGE);
	SEES("V1", a->node.end = a->node.start - PAGE, a->node.end = end);
	/* on the list of those to be unmapped, and in no tree */
	SEES("V5", vm.deferred = &none, vm.deferred = NULL);
	vfree(q);
	vfree(p);
	vm_unmap_aliases();
}

/* The tree of a space: a node whose parent does not know it, a root that is none;
 * one side that is much higher than the other, whatever its root makes of that. */
static void test_tree(void **state)
{
	struct vm_node *root, *low;
	unsigned char height;
	void *p[3];

	(void)state;
	assert_int_equal(host_vmalloc(4 * MIB), KMEM_OK);
	for (int i = 0; i < 3; i++)
		p[i] = vmalloc(PAGE);
	root = vm.space.root;
	for (unsigned side = 0; side < 2; side++) {
		low = root->child[side];
		SEES("V1", low->parent = low, low->parent = root);
		SEES("V3", (low->height += 3, root->height += 3),
		     (low->height -= 3, root->height -= 3));
		height = root->height;
		SEES("V3", (low->height += 3, root->height = low->height + 1),
		     (low->height -= 3, root->height = height));
		SEES("V1", vm.space.root = low, vm.space.root = root);
	}
	for (int i = 0; i < 3; i++)
		vfree(p[i]);
	vm_unmap_aliases();
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_blocks),
		TEST(test_free_block_elsewhere),
		TEST(test_pages_in_magazines),
		TEST(test_objects_in_magazines),
		TEST(test_magazines),
		TEST(test_short_magazine),
		TEST(test_slabs),
		TEST(test_sums),
		TEST(test_tables_of_debugging),
		TEST(test_slab_of_several_pages),
		TEST(test_grace),
		TEST(test_aliases),
		TEST(test_areas),
		TEST(test_tree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
