/* SPDX-License-Identifier: MIT */
/*
 * debug_options.c - which caches are debugged, from one string.
 *
 *	string	list { ';' list }
 *	list	[ '-' | letter… ] { ',' name [ '*' ] }	 or nothing at all
 *
 * What it means is in <kmem/debug.h>. The string is not copied: each cache that
 * is created looks its name up in it. It has been read once before, whole, so
 * that what is wrong with it is said when the machine starts.
 *
 * Locks: none. The string is set before there are caches.
 */
#include "cache.h"
#include "format.h"

#include <kmem/debug.h>

static const char *options;

/* One list, as it stands there. */
struct option_list {
	slab_flags_t flags;
	bool lower;			/* O */
	const char *names;		/* after the ',', or NULL */
	const char *end;		/* of the list */
};

static bool ends_list(char c)
{
	return c == '\0' || c == ';';
}

/* The flag of a letter, 0 if there is none. */
static slab_flags_t letter_flag(char c)
{
	switch (c | 0x20) {
	case 'f': return SLAB_CONSISTENCY_CHECKS;
	case 'z': return SLAB_RED_ZONE;
	case 'p': return SLAB_POISON;
	case 'u': return SLAB_STORE_USER;
	case 't': return SLAB_TRACE;
	case 's': return MAGAZINES ? SLAB_TYPE_STABLE : 0;
	default: return 0;
	}
}

/* The letters, up to what follows them; NULL if one is not a letter. */
static const char *read_letters(const char *at, struct option_list *list)
{
	const char *first = at;
	bool none = *at == '-';

	for (at += none; *at != ',' && !ends_list(*at); at++) {
		if ((*at | 0x20) == 'o')
			list->lower = true;
		else if (none || !letter_flag(*at))
			return NULL;
		else
			list->flags |= letter_flag(*at);
	}
	if (at == first)
		list->flags = SLAB_CONSISTENCY_CHECKS | SLAB_RED_ZONE |
			      SLAB_POISON | SLAB_STORE_USER;
	return at;
}

/* The end of a name; NULL if it is no name. */
static const char *read_name(const char *at)
{
	const char *first = at;

	for (; *at != ',' && !ends_list(*at); at++) {
		if (*at <= ' ' || *at > '~' ||
		    at - first >= KMEM_NAME_BYTES)
			return NULL;
		if (*at == '*' && at[1] != ',' && !ends_list(at[1]))
			return NULL;
	}
	return at > first ? at : NULL;
}

/* Where it is wrong, or NULL. */
static const char *read_list(const char *at, struct option_list *list)
{
	const char *next;

	*list = (struct option_list){ .names = NULL };
	next = read_letters(at, list);
	if (!next)
		return at;
	if (*next == ',')
		list->names = next + 1;
	while (*next == ',') {
		at = next + 1;
		next = read_name(at);
		if (!next)
			return at;
	}
	list->end = next;
	return NULL;
}

/* The start of the list after this one; NULL: none. Lists of nothing don't
 * count, but for a string of nothing. */
static const char *next_list(const char *end)
{
	while (*end == ';')
		end++;
	return *end ? end : NULL;
}

#define for_each_list(at, list) \
	for ((at) = options; (at) && !read_list((at), (list)); \
	     (at) = next_list((list)->end))

bool debug_options_set(const char *string)
{
	struct option_list list;
	const char *at = string;

	options = NULL;
	for (; at; at = next_list(list.end)) {
		const char *wrong = read_list(at, &list);

		if (!wrong)
			continue;
		kmem_log("kmem: params.debug: not understood at character %zu "
			 "of \"%s\"", (size_t)(wrong - string), string);
		return false;
	}
	options = string;
	return true;
}

slab_flags_t debug_options_flags(const char *name)
{
	struct option_list list;
	slab_flags_t all = 0;
	const char *at;

	for_each_list(at, &list) {
		if (list.names && name_listed(list.names, name))
			return list.flags;
		if (!list.names && (list.flags || !list.lower))
			all = list.flags;
	}
	return all;
}

bool debug_options_lower(void)
{
	struct option_list list;
	const char *at;

	for_each_list(at, &list)
		if (list.lower)
			return true;
	return false;
}
