/* SPDX-License-Identifier: MIT */
/*
 * slots.c - where the states of a slab's objects are kept.
 *
 * Slots of up to KMEM_INLINE_SLOTS objects lie inside the descriptor of the
 * slab's first page. Longer arrays come from tables of 32 to 256 bytes. These
 * tables are slabs themselves and need slots of their own:
 *
 *	slots-32 ──► slots-128 ──► slots-256 ──► inline
 *	slots-64 ──► slots-128
 *
 * A table's slots come from a table of longer arrays, whose slabs hold fewer
 * objects; those of the longest fit into the descriptor, and there the
 * recursion ends. CPUs take arrays from slabs of their own, as far as it is cheap
 * (slab.c), for two of the shortest are one cache line. Their pages come
 * straight from the zones, since the page allocator's magazines are slabs too.
 * (With the smallest pages, no slab needs a table: SLOT_TABLES.)
 */
#include "bits.h"
#include "debug.h"
#include "guard.h"

/* The tables of slot arrays, by length. */
#define NR_SLOT_TABLES	4

static const unsigned slot_length[NR_SLOT_TABLES] = {
	32, 64, 128, SLOTS_LARGE
};
static struct kmem_slabs slot_slabs[NR_SLOT_TABLES];
static struct slab_node slot_node[NR_SLOT_TABLES];

void slots_init(void)
{
	static const char *const name[NR_SLOT_TABLES] = {
		"slots-32", "slots-64", "slots-128", "slots-256"
	};

	for (unsigned i = 0; SLOT_TABLES && i < NR_SLOT_TABLES; i++) {
		size_t size = slot_length[i] * sizeof(kmem_slot_t);

		tables_init(&slot_slabs[i], name[i], size, &slot_node[i]);
		slot_slabs[i].table = false;
		/* Pads of whole arrays need no more slots than arrays do: those
		 * of the longest stay inline. */
		if (TABLE_PAD && size > TABLE_PAD)
			slabs_layout_padded(&slot_slabs[i], size);
	}
}

unsigned nr_slots(const struct kmem_slabs *s, unsigned order)
{
	return (unsigned)bits_divide((KMEM_PAGE_SIZE << order) - 1 +
				     slabs_bias(s), s->size) + 1;
}

/* Which table serves a slab of s with that many slots; NULL: inline. */
static struct kmem_slabs *slots_for(const struct kmem_slabs *s, unsigned n)
{
	unsigned i = 0;

	if (!SLOT_TABLES || n <= KMEM_INLINE_SLOTS)
		return NULL;
	if (s >= slot_slabs && s < slot_slabs + NR_SLOT_TABLES)
		i = (unsigned)(s - slot_slabs) + 1;
	while (slot_length[i] < n)
		i++;
	return &slot_slabs[i];
}

static size_t slot_room(const struct kmem_slabs *s, unsigned order)
{
	const struct kmem_slabs *t = slots_for(s, nr_slots(s, order));

	if (slabs_debugged(s))
		return slabs_records(s)->size;
	if (slabs_sized(s))
		return guard_sizes(s)->size;
	return t ? t->size : 0;
}

size_t slabs_slot_bytes(const struct kmem_slabs *s,
			const struct slab_node *sum)
{
	size_t more = ((size_t)1 << s->large_order) - ((size_t)1 << s->order);
	size_t large = 0;

	/* Slabs that may become large ones are of no third order. */
	if (LARGE_SLABS && more)
		large = bits_divide(sum->nr_pages -
				    (sum->nr_slabs << s->order), more);
	return (sum->nr_slabs - large) * slot_room(s, s->order) +
	       large * slot_room(s, s->large_order);
}

kmem_slot_t *slots_get(struct kmem_slabs *s, struct page *head, unsigned n,
		       gfp_t gfp)
{
	struct kmem_slabs *t = slots_for(s, n);

	if (slabs_debugged(s))
		return debug_slots_get(s, gfp);
	if (slabs_sized(s))
		t = guard_sizes(s);
	KMEM_ASSERT(t || n <= KMEM_INLINE_SLOTS);
	return t ? table_alloc(t, GFP_NOWAIT |
			       (gfp & (__GFP_NORETRY | GFP_NO_INJECT))) :
		   head->inline_slot;
}

kmem_slot_t *slots_try_get(struct kmem_slabs *s, struct page *head, unsigned n)
{
	struct kmem_slabs *t = slots_for(s, n);
	struct round r = { head->inline_slot, NULL };

	if (slabs_sized(s))
		t = guard_sizes(s);
	if (t && inject_fails(KMEM_INJECT_TABLE, t->name, GFP_NOWAIT, 0))
		return NULL;
	if (t && !slabs_try_take(t, 0, &r) && !slabs_try_grow(t, 0, &r))
		return NULL;
	return r.obj;
}

void slots_put(struct kmem_slabs *s, struct page *head, unsigned n)
{
	struct kmem_slabs *t = slots_for(s, n);

	if (slabs_debugged(s))
		debug_slots_put(s, head->slot);
	else if (slabs_sized(s))
		slabs_free(guard_sizes(s), head->slot);
	else if (t)
		slabs_free(t, head->slot);
}

size_t slots_bytes(void)
{
	size_t bytes = 0;

	for (unsigned i = 0; SLOT_TABLES && i < NR_SLOT_TABLES; i++)
		bytes += slabs_bytes(&slot_slabs[i]);
	return bytes;
}

void slots_shrink(void)
{
	/* In this order: one's slots are in the next. */
	for (unsigned i = 0; SLOT_TABLES && i < NR_SLOT_TABLES; i++)
		slabs_shrink(&slot_slabs[i]);
}

void slots_check(struct check *c)
{
	for (unsigned i = 0; SLOT_TABLES && i < NR_SLOT_TABLES; i++)
		slabs_check(&slot_slabs[i], c);
}
