/* SPDX-License-Identifier: MIT */
/*
 * tests/size/program.c - a program that uses kmem as a small machine does: what
 * it links is what kmem costs there.
 *
 * It is linked and measured, not run. One call of each kind: the start, objects
 * by size, a cache of its own, pages.
 */
#include <kmem/kmem.h>
#include <kmem/map_symbols.h>

extern char heap_start[], heap_end[];

_Noreturn void program(void);

void kmem_panic(const char *reason)
{
	(void)reason;
	for (;;)
		kmem_arch_relax();
}

void *memcpy(void *dst, const void *src, size_t n)
{
	volatile char *d = dst;
	const char *s = src;

	while (n--)
		*d++ = *s++;
	return dst;
}

void *memset(void *dst, int byte, size_t n)
{
	volatile char *d = dst;

	while (n--)
		*d++ = (char)byte;
	return dst;
}

static void use_kmalloc(volatile size_t *size)
{
	void *p = kmalloc(*size, GFP_KERNEL);

	p = krealloc(p, *size, GFP_ATOMIC);
	kfree(p);
}

static void use_cache(volatile size_t *size)
{
	struct kmem_cache *s = kmem_cache_create("cache", *size, 0, 0, NULL);

	kmem_cache_free(s, kmem_cache_alloc(s, GFP_KERNEL));
}

static void use_pages(volatile size_t *size)
{
	struct page *page = alloc_pages(GFP_KERNEL, (unsigned)*size);

	__free_pages(page, (unsigned)*size);
}

_Noreturn void program(void)
{
	static const struct kmem_params params = { .nr_cpus = 1 };
	volatile size_t size = 1;

	if (kmem_map_symbols(heap_start, heap_end, kmem_map_add, NULL) ||
	    kmem_init(&params))
		kmem_panic("no memory");
	for (;;) {
		use_kmalloc(&size);
		use_cache(&size);
		use_pages(&size);
	}
}
