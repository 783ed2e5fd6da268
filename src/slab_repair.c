/* SPDX-License-Identifier: MIT */
/*
 * slab_repair.c - slabs that are not as they should be.
 *
 * Two things can spoil a slab's chain of free objects, which is out of reach of
 * their users: two frees of one object at the same instant (cache.c), found
 * when the chain leads nowhere, and somebody's wild write, which debugged slabs
 * are verified for before anything is taken from them or put back. Both are
 * reported. Then the slab is made sound again, by what its slots still say.
 *
 * Locks: the node's is held by the caller.
 */
#include "bits.h"
#include "debug.h"
#include "list.h"

/*
 * The chain of free slots leads nowhere: a CPU was held up between finding an
 * object LIVE and marking it CACHED for so long that another CPU's free of the
 * same object got here first. The slab's free objects are lost with the chain,
 * and count as live from now on; nothing else is.
 */
KMEM_COLD void slab_broken(struct slab_node *n, struct page *head)
{
	kmem_misuse("double free", page_to_virt(head),
		    "kmem: cache %s, slab %p: an object was freed twice, by "
		    "CPUs that raced; the slab's %u free objects are lost",
		    head->slabs->name, page_to_virt(head),
		    (unsigned)(slab_objects(head) - head->inuse));
	for (unsigned i = 0; i < slab_objects(head); i++)
		if (!slot_taken(head->slabs, *slab_slot(head, i)))
			kmem_store_relaxed(slab_slot(head, i),
					   slabs_live(head->slabs));
	n->inuse += (size_t)(slab_objects(head) - head->inuse);
	kmem_store_relaxed(&head->inuse, (kmem_slot_t)slab_objects(head));
	slab_place(n, head, slabs_list(head->slabs));
}

/* Its slot says that it is in use, and so does its record: only slabs that are
 * debugged are repaired. */
static bool is_used(struct page *head, unsigned i)
{
	kmem_slot_t slot = kmem_load_relaxed(slab_slot(head, i));

	if (slot != slabs_live(head->slabs))
		return slot_taken(head->slabs, slot);
	return debug_object(head, i).rec->size;
}

/* Every object that is not in use is free, the lowest first. */
static void chain_again(struct page *head)
{
	unsigned used = 0;

	head->free = SLOT_END;
	for (unsigned i = slab_objects(head); i-- > 0; ) {
		kmem_slot_t *slot = slab_slot(head, i);

		if (is_used(head, i)) {
			used++;
			continue;
		}
		kmem_store_relaxed(slot, head->free);
		head->free = (kmem_slot_t)i;
	}
	kmem_store_relaxed(&head->inuse, (kmem_slot_t)used);
}

static bool list_has(struct kmem_list *list, const struct page *head)
{
	struct kmem_list *l;

	list_for_each(l, list)
		if (list_page(l) == head)
			return true;
	return false;
}

static size_t list_inuse(struct kmem_list *list)
{
	struct kmem_list *l;
	size_t n = 0;

	list_for_each(l, list)
		n += list_page(l)->inuse;
	return n;
}

static void repair(struct slab_node *n, struct page *head)
{
	bool was_empty = list_has(&n->empty, head);

	slab_set_pages(head->slabs, head, head->order, head->slot);
	chain_again(head);
	if (was_empty)
		slab_count_empty(n, head, false);
	n->inuse = list_inuse(&n->full) + list_inuse(&n->empty);
	for (unsigned k = 0; k < CPU_LISTS; k++)
		n->inuse += list_inuse(&n->partial[k]);
	slab_place(n, head, slabs_list(head->slabs));
	n->max_empty = KMEM_MAX(n->max_empty, n->nr_empty);
}

static void report_line(void *ctx, const char *line)
{
	(void)ctx;
	kmem_misuse("damage", NULL, "kmem: slab damaged: %s", line);
}

KMEM_COLD bool slab_verify(struct slab_node *n, struct page *head)
{
	struct check c = { .out = report_line };

	slab_check(head->slabs, head, &c);
	if (!c.violations)
		return true;
	repair(n, head);
	return false;
}
