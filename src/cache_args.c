/* SPDX-License-Identifier: MIT */
/*
 * cache_args.c - the forms of kmem_cache_create() that take more than its five
 * arguments.
 *
 * What is said of objects alone is checked, and that is all: kmem copies
 * nothing to user space, and keeps no pointer in a free object. What changes
 * how the cache works is set on the new cache before anybody else knows it;
 * such a cache is not shared with others (cache_merge.c).
 */
#include "bits.h"
#include "cache.h"

/* Bytes [offset, offset + bytes) lie in an object. */
static bool lies_in(size_t size, size_t offset, size_t bytes)
{
	return offset <= size && bytes <= size - offset;
}

/* Why these can't be, or NULL. */
static const char *args_refusal(size_t size,
				const struct kmem_cache_args *args)
{
	if (!lies_in(size, args->useroffset, args->usersize) ||
	    (args->useroffset && !args->usersize))
		return "what may be copied to user space is not in the object";
	if (args->use_freeptr_offset &&
	    (!lies_in(size, args->freeptr_offset, sizeof(void *)) ||
	     (args->freeptr_offset & (sizeof(void *) - 1))))
		return "the free pointer is not in the object, or not aligned";
	return NULL;
}

struct kmem_cache *__kmem_cache_create_args(const char *name, size_t size,
					    const struct kmem_cache_args *args,
					    slab_flags_t flags)
{
	static const struct kmem_cache_args none;
	struct kmem_cache *s;
	const char *why;

	if (!args)
		args = &none;
	why = args_refusal(size, args);
	if (why)
		return cache_create_failed(name, flags, why);
	if (args->usersize || args->sheaf_capacity)
		flags |= SLAB_NO_MERGE;
	s = kmem_cache_create(name, size, args->align, flags, args->ctor);
	if (MAGAZINES && s && args->sheaf_capacity)
		magazine_layer_set_limit(&s->magazine,
					 args->sheaf_capacity);
	return s;
}

struct kmem_cache *kmem_cache_create_usercopy(const char *name, size_t size,
					      size_t align, slab_flags_t flags,
					      size_t useroffset,
					      size_t usersize,
					      void (*ctor)(void *))
{
	struct kmem_cache_args args = { .ctor = ctor };

	/* Before they are cut to the width of the structure's members. */
	if (!lies_in(size, useroffset, usersize))
		return cache_create_failed(name, flags, "what may be copied "
					   "to user space is not in the object");
	if (align > KMEM_PAGE_SIZE)
		return cache_create_failed(name, flags,
					   "the alignment is out of range");
	args.align = (unsigned)align;
	args.useroffset = (unsigned)useroffset;
	args.usersize = (unsigned)usersize;
	return __kmem_cache_create_args(name, size, &args, flags);
}
