/* SPDX-License-Identifier: MIT */
/*
 * list.h - circular doubly linked lists, the links inside the elements.
 *
 * A list is its head; an empty one points to itself. So does an element after
 * list_del(), so that to do that twice is harmless; not so after list_unlink().
 */
#ifndef KMEM_LIST_H
#define KMEM_LIST_H

#include <kmem/page.h>

KMEM_INLINE void list_init(struct kmem_list *l)
{
	l->next = l;
	l->prev = l;
}

KMEM_INLINE bool list_empty(const struct kmem_list *head)
{
	return head->next == head;
}

KMEM_INLINE void list_insert(struct kmem_list *l, struct kmem_list *prev,
			     struct kmem_list *next)
{
	l->prev = prev;
	l->next = next;
	prev->next = l;
	next->prev = l;
}

KMEM_INLINE void list_add(struct kmem_list *l, struct kmem_list *head)
{
	list_insert(l, head, head->next);
}

/* To one that is empty. */
KMEM_INLINE void list_start(struct kmem_list *l, struct kmem_list *head)
{
	l->prev = l->next = head;
	head->prev = head->next = l;
}

KMEM_INLINE void list_add_tail(struct kmem_list *l, struct kmem_list *head)
{
	list_insert(l, head->prev, head);
}

/* It is added to another list next, or to none any more. */
KMEM_INLINE void list_unlink(struct kmem_list *l)
{
	l->prev->next = l->next;
	l->next->prev = l->prev;
}

KMEM_INLINE void list_del(struct kmem_list *l)
{
	list_unlink(l);
	list_init(l);
}

#define list_entry(l, type, member) kmem_container_of(l, type, member)

#define list_for_each(l, head) \
	for ((l) = (head)->next; (l) != (head); (l) = (l)->next)

/* The descriptor whose `list` this is. */
KMEM_INLINE struct page *list_page(struct kmem_list *l)
{
	return list_entry(l, struct page, list);
}

#endif /* KMEM_LIST_H */
