/* SPDX-License-Identifier: MIT */
/*
 * kmalloc_dup.c - copies of memory and of strings.
 *
 * A length never comes from reading further than the caller allows: of a
 * string at most `max` characters are looked at.
 */
#include "kmalloc.h"

void *kmemdup(const void *src, size_t len, gfp_t gfp)
{
	void *p = kmalloc_in(len, len, gfp, KMEM_CALLER);

	if (p && len)
		memcpy(p, src, len);
	return p;
}

static size_t string_length(const char *s, size_t max)
{
	size_t n = 0;

	while (n < max && s[n])
		n++;
	return n;
}

static char *dup_nul(const char *s, size_t len, gfp_t gfp, uintptr_t caller)
{
	char *p;

	if (len > KMALLOC_MAX_SIZE)		/* len + 1 may be 0 */
		return NULL;
	p = kmalloc_in(len + 1, len + 1, gfp, caller);
	if (p) {
		memcpy(p, s, len);
		p[len] = '\0';
	}
	return p;
}

char *kmemdup_nul(const char *s, size_t len, gfp_t gfp)
{
	return s ? dup_nul(s, len, gfp, KMEM_CALLER) : NULL;
}

char *kstrndup(const char *s, size_t max, gfp_t gfp)
{
	return s ? dup_nul(s, string_length(s, max), gfp, KMEM_CALLER) : NULL;
}

char *kstrdup(const char *s, gfp_t gfp)
{
	return s ? dup_nul(s, string_length(s, SIZE_MAX), gfp, KMEM_CALLER) :
		   NULL;
}
