// SPDX-License-Identifier: MIT
/*
 * freers.c - every function that frees, each called from the section of calls
 * that are misuse (attack.h).
 */
#include "attack.h"

#include <kmem/kvmalloc.h>
#include <kmem/nolock.h>
#include <kmem/page_ref.h>
#include <kmem/rcu.h>

static MISUSE_CALL void by_kfree(struct run *r, void *p)
{
	(void)r;
	kfree(p);
	END_OF_CALL();
}

static MISUSE_CALL void by_cache_free(struct run *r, void *p)
{
	kmem_cache_free(r->cache, p);
	END_OF_CALL();
}

/* With what is properly freed before and behind it. */
static MISUSE_CALL void by_kfree_bulk(struct run *r, void *p)
{
	void *many[3] = { neighbour(r), p, neighbour(r) };

	kfree_bulk(3, many);
	END_OF_CALL();
}

static MISUSE_CALL void by_cache_free_bulk(struct run *r, void *p)
{
	void *many[3] = { neighbour(r), p, neighbour(r) };

	kmem_cache_free_bulk(r->cache, 3, many);
	END_OF_CALL();
}

static MISUSE_CALL void by_kfree_sensitive(struct run *r, void *p)
{
	(void)r;
	kfree_sensitive(p);
	END_OF_CALL();
}

static MISUSE_CALL void by_kfree_sized(struct run *r, void *p)
{
	kfree_sized(p, r->size);
	END_OF_CALL();
}

static MISUSE_CALL void by_kvfree(struct run *r, void *p)
{
	(void)r;
	kvfree(p);
	END_OF_CALL();
}

static MISUSE_CALL void by_kvfree_sensitive(struct run *r, void *p)
{
	kvfree_sensitive(p, r->size);
	END_OF_CALL();
}

static MISUSE_CALL void by_krealloc(struct run *r, void *p)
{
	void *q = krealloc(p, 2 * r->size, GFP_KERNEL);

	END_OF_CALL();
	kfree(q);			/* NULL */
}

static MISUSE_CALL void by_krealloc_to_nothing(struct run *r, void *p)
{
	(void)r;
	REQUIRE(krealloc(p, 0, GFP_KERNEL));
	END_OF_CALL();
}

static MISUSE_CALL void by_kvrealloc(struct run *r, void *p)
{
	void *q = kvrealloc(p, 2 * r->size, GFP_KERNEL);

	END_OF_CALL();
	kvfree(q);			/* NULL */
}

static MISUSE_CALL void by_kfree_nolock(struct run *r, void *p)
{
	(void)r;
	kfree_nolock(p);
	END_OF_CALL();
}

static MISUSE_CALL void by_kfree_rcu(struct run *r, void *p)
{
	(void)r;
	kvfree_call_rcu(NULL, p);
	END_OF_CALL();
}

static MISUSE_CALL void by_mempool(struct run *r, void *p)
{
	mempool_free(p, &r->pool);
	END_OF_CALL();
}

static MISUSE_CALL void by_free_pages(struct run *r, void *p)
{
	free_pages((uintptr_t)p, r->order);
	END_OF_CALL();
}

static MISUSE_CALL void by_free_descriptor(struct run *r, void *p)
{
	__free_pages(virt_to_page(p), r->order);
	END_OF_CALL();
}

static MISUSE_CALL void by_free_pages_nolock(struct run *r, void *p)
{
	free_pages_nolock(virt_to_page(p), r->order);
	END_OF_CALL();
}

static MISUSE_CALL void by_put_page(struct run *r, void *p)
{
	(void)r;
	put_page(virt_to_page(p));
	END_OF_CALL();
}

static MISUSE_CALL void by_release_pages(struct run *r, void *p)
{
	struct page *page = virt_to_page(p);

	(void)r;
	release_pages(&page, 1);
	END_OF_CALL();
}

static MISUSE_CALL void by_page_mempool(struct run *r, void *p)
{
	mempool_free(virt_to_page(p), &r->pool);
	END_OF_CALL();
}

const struct freer freers[] = {
	{ "kfree", by_kfree, BYTES },
	{ "kmem_cache_free", by_cache_free, BIT(CACHE) },
	{ "kfree_bulk", by_kfree_bulk, BYTES },
	{ "kmem_cache_free_bulk", by_cache_free_bulk, BIT(CACHE) },
	{ "kfree_sensitive", by_kfree_sensitive, BYTES },
	{ "kfree_sized", by_kfree_sized, BYTES },
	{ "kvfree", by_kvfree, BYTES },
	{ "kvfree_sensitive", by_kvfree_sensitive, BYTES },
	{ "krealloc", by_krealloc, BYTES },
	{ "krealloc to 0", by_krealloc_to_nothing, BYTES },
	{ "kvrealloc", by_kvrealloc, BYTES },
	{ "kfree_nolock", by_kfree_nolock, BYTES },
	{ "kfree_rcu", by_kfree_rcu, BYTES },
	{ "mempool_free", by_mempool, BYTES },
	{ "free_pages", by_free_pages, BIT(PAGES) },
	{ "__free_pages", by_free_descriptor, BIT(PAGES) },
	{ "free_pages_nolock", by_free_pages_nolock, BIT(PAGES) },
	{ "put_page", by_put_page, BIT(PAGES) },
	{ "release_pages", by_release_pages, BIT(PAGES) },
	{ "mempool_free of pages", by_page_mempool, BIT(PAGES) },
};
const unsigned nr_freers = KMEM_ARRAY_SIZE(freers);

void free_address_as_pages(struct run *r, void *p)
{
	by_free_pages(r, p);
}

void free_by_any(struct run *r, void *p)
{
	const struct freer *f;

	do
		f = &freers[below(r, nr_freers)];
	while (!(f->kinds & BIT(r->kind)));
	f->fn(r, p);
}
