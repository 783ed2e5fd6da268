/* SPDX-License-Identifier: MIT */
/*
 * sheaf.c - objects taken in advance.
 *
 * A sheaf is an array of objects that are allocated: LIVE, of nobody but the
 * sheaf. Taking one out touches the array and nothing else, so there is no
 * lock and nothing that could fail, with interrupts off or in them.
 *
 *	object[]  │▓▓▓▓▓▓▓▓│░░░░░░░░░│
 *	          0        size      capacity
 *
 * Locks: none; its owner sees to it that one context at a time uses it.
 */
#include "kmalloc.h"

#include <kmem/boot.h>
#include <kmem/reserve.h>

struct slab_sheaf {
	struct kmem_cache *cache;
	unsigned size, capacity;
	void *object[];
};

#define SHEAF_MAX \
	((KMALLOC_MAX_SIZE - sizeof(struct slab_sheaf)) / sizeof(void *))

static struct slab_sheaf *sheaf_new(struct kmem_cache *s, gfp_t gfp,
				    unsigned capacity)
{
	struct slab_sheaf *sheaf;

	if (capacity > SHEAF_MAX)
		return NULL;
	sheaf = kmalloc(sizeof(*sheaf) + capacity * sizeof(void *),
			gfp & ~(__GFP_ZERO | KMEM_GFP_ZONEMASK));
	if (sheaf) {
		sheaf->cache = s;
		sheaf->size = 0;
		sheaf->capacity = capacity;
	}
	return sheaf;
}

/* Up to `size` objects, all that are missing or none. */
static bool sheaf_fill(struct slab_sheaf *sheaf, gfp_t gfp, unsigned size)
{
	if (size <= sheaf->size)
		return true;
	if (!kmem_cache_alloc_bulk(sheaf->cache, gfp & ~__GFP_ZERO,
				   size - sheaf->size,
				   sheaf->object + sheaf->size))
		return false;
	sheaf->size = size;
	return true;
}

struct slab_sheaf *kmem_cache_prefill_sheaf(struct kmem_cache *s, gfp_t gfp,
					    unsigned size)
{
	struct slab_sheaf *sheaf = sheaf_new(s, gfp, size);

	if (sheaf && !sheaf_fill(sheaf, gfp, size)) {
		kfree(sheaf);
		return NULL;
	}
	return sheaf;
}

static bool sheaf_is_of(const struct slab_sheaf *sheaf,
			const struct kmem_cache *s)
{
	if (KMEM_LIKELY(sheaf->cache == s))
		return true;
	kmem_misuse("wrong cache", sheaf,
		    "kmem: a sheaf (%p) of another cache was given for %s",
		    (const void *)sheaf, s->name);
	return false;
}

int kmem_cache_refill_sheaf(struct kmem_cache *s, gfp_t gfp,
			    struct slab_sheaf **sheafp, unsigned size)
{
	struct slab_sheaf *old = *sheafp, *sheaf = old;

	if (!sheaf_is_of(old, s))
		return KMEM_EINVAL;
	if (size > old->capacity) {
		sheaf = sheaf_new(s, gfp, size);
		if (!sheaf)
			return KMEM_ENOMEM;
		sheaf->size = old->size;
		memcpy(sheaf->object, old->object,
		       old->size * sizeof(void *));
	}
	if (!sheaf_fill(sheaf, gfp, size)) {
		if (sheaf != old)
			kfree(sheaf);
		return KMEM_ENOMEM;
	}
	if (sheaf != old) {
		*sheafp = sheaf;
		old->size = 0;
		kfree(old);
	}
	return 0;
}

void kmem_cache_return_sheaf(struct kmem_cache *s, gfp_t gfp,
			     struct slab_sheaf *sheaf)
{
	unsigned n;

	(void)gfp;
	if (!sheaf || !sheaf_is_of(sheaf, s))
		return;
	n = sheaf->size;
	sheaf->size = 0;
	kmem_cache_free_bulk(s, n, sheaf->object);
	sheaf->cache = NULL;		/* a second return is reported */
	kfree(sheaf);
}

void *kmem_cache_alloc_from_sheaf(struct kmem_cache *s, gfp_t gfp,
				  struct slab_sheaf *sheaf)
{
	void *obj;

	if (!sheaf_is_of(sheaf, s) || !sheaf->size)
		return NULL;
	obj = sheaf->object[--sheaf->size];
	return gfp & __GFP_ZERO ? memset(obj, 0, s->object_size) : obj;
}

unsigned kmem_cache_sheaf_size(const struct slab_sheaf *sheaf)
{
	return sheaf->size;
}
