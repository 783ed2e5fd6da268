/* SPDX-License-Identifier: MIT */
/*
 * malloc.c - malloc() and all its relations, made of kmalloc().
 *
 *	malloc(size)
 *	   │ 1 .. 8 KiB, and the thread has a CPU	its magazine
 *	   │ .. 4 MiB					kmalloc()
 *	   │ larger, more aligned, or no room		big_alloc(): a mapping
 *	   ▼
 *	free(p)
 *	   in the arena?  yes: kfree()     no: big_free()
 *
 * A request for zero bytes is one for one byte, so that each result differs.
 * Alignment comes with the size: the block for a multiple of 2^n is aligned
 * to 2^n (kmalloc.h), so only the size has to be rounded up.
 *
 * Misuse is found and named by kmem: see kfree().
 *
 * Large blocks that are freed keep their memory, for the next one; when more
 * than UNPURGED_MOST have been freed than allocated since, it is returned to the
 * system before a block goes back to kmem. Large: from PURGE_BYTES on, where
 * the system call is little beside what it saves. (Of mappings: kept.c.)
 */
#define _GNU_SOURCE
#include "kmalloc.h"
#include "private.h"

#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#define EXPORT		__attribute__((visibility("default")))
#define PURGE_BYTES	((size_t)256 << 10)
#define UNPURGED_MOST	((size_t)32 << 20)
/* From here on zeros are got from the system rather than written. */
#define ZERO_MAP_BYTES	((size_t)1 << 20)

#define GFP_MALLOC	(GFP_NOWAIT | __GFP_NOWARN)
#define GFP_RECLAIM	(GFP_KERNEL | __GFP_NOWARN | __GFP_NORETRY)

/* Bytes of free large blocks that may hold memory; a bound, not exact. */
static size_t unpurged_bytes;

static void *no_memory(void)
{
	errno = ENOMEM;
	return NULL;
}

static void *bad_argument(void)
{
	errno = EINVAL;
	return NULL;
}

/* ---- allocation ---- */

static void *from_kmem(size_t size, gfp_t gfp)
{
	void *p = NULL;

	if (thread_attach())
		p = __kmalloc(size, gfp | GFP_MALLOC);
	if (!p) {
		section_enter();
		p = __kmalloc(size, gfp | GFP_RECLAIM);
		section_leave();
	}
	if (p && size >= PURGE_BYTES) {
		size_t kept = kmem_load_relaxed(&unpurged_bytes);

		kmem_store_relaxed(&unpurged_bytes, kept > size ? kept - size : 0);
	}
	return p;
}

static KMEM_NOINLINE void *malloc_slow(size_t size, size_t align, gfp_t gfp)
{
	void *p = NULL;

	arena_start();
	if (size > PTRDIFF_MAX)
		return no_memory();
	size += !size;
	if (size <= KMALLOC_MAX_SIZE && align <= KMALLOC_MAX_SIZE &&
	    !(gfp & __GFP_ZERO && size >= ZERO_MAP_BYTES))
		p = from_kmem(size, gfp);
	if (!p) {
		thread_attach();	/* big_alloc() is one section */
		p = big_alloc(size, align, gfp & __GFP_ZERO);
	}
	return p ? p : no_memory();
}

/* What came from a magazine was not CACHED: reported, and another one. */
static KMEM_COLD void *malloc_again(struct kmem_cache *s, void *obj,
				    size_t size, size_t align, gfp_t gfp)
{
	void *p = cache_alloc_again(s, GFP_NOWAIT, obj);

	if (!p)
		return malloc_slow(size, align, gfp);
	return gfp & __GFP_ZERO ? memset(p, 0, size) : p;
}

/* __kmalloc() of 1 to KMALLOC_MAX_CACHE_SIZE bytes, there being caches, from the
 * loaded magazine, or else the long way. The ways out are tail calls, so that
 * no register is saved. */
KMEM_INLINE void *kmalloc_fast(size_t size, size_t align, gfp_t gfp)
{
	struct kmem_cache *s = kmalloc_by_size[(size - 1) / KMALLOC_MIN_SIZE];
	struct round r;

	if (KMEM_UNLIKELY(!magazine_alloc(&s->magazine, &r)))
		return malloc_slow(size, align, gfp);
	if (KMEM_UNLIKELY(!cache_mark_live(s, r, size)))
		return malloc_again(s, r.obj, size, align, gfp);
	return gfp & __GFP_ZERO ? memset(r.obj, 0, size) : r.obj;
}

/* kfree() of an object. False: it was not one, and nothing was done. */
KMEM_INLINE bool kfree_fast(void *p)
{
	uintptr_t nr = kmem_main_page(p);
	struct page *page = kmem_page_map.main_pages + nr;
	struct kmem_slabs *s;
	kmem_slot_t *slot;

	if (KMEM_UNLIKELY(nr >= kmem_page_map.main_nr))
		return false;
	s = page->slabs;
	if (KMEM_UNLIKELY(!s || !cache_mark_cached(page, s, p, &slot)))
		return false;
	cache_free("kfree", slabs_cache(s), p, slot);
	return true;
}

KMEM_INLINE void *alloc(size_t size, size_t align, gfp_t gfp)
{
	if (KMEM_LIKELY(size - 1 < kmem_thread.fast_max))
		return kmalloc_fast(size, align, gfp);
	return malloc_slow(size, align, gfp);
}

EXPORT void *malloc(size_t size)
{
	return alloc(size, 1, 0);
}

EXPORT void *calloc(size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes))
		return no_memory();
	return alloc(bytes, 1, __GFP_ZERO);
}

/* align: a power of two. */
static void *alloc_aligned(size_t align, size_t size)
{
	size_t rounded = (size + align - 1) & ~(align - 1);

	if (size > PTRDIFF_MAX || rounded > PTRDIFF_MAX)
		return no_memory();
	return alloc(rounded ? rounded : align, align, 0);
}

EXPORT void *aligned_alloc(size_t align, size_t size)
{
	return is_power_of_two(align) ? alloc_aligned(align, size) :
					bad_argument();
}

/* As in the C library: the next power of two will do as well. */
EXPORT void *memalign(size_t align, size_t size)
{
	size_t power = 1;

	while (power && power < align)
		power <<= 1;
	return power ? alloc_aligned(power, size) : bad_argument();
}

EXPORT int posix_memalign(void **out, size_t align, size_t size)
{
	int error = errno;
	void *p;

	if (!is_power_of_two(align) || align % sizeof(void *))
		return EINVAL;
	p = alloc_aligned(align, size);
	errno = error;
	if (!p)
		return ENOMEM;
	*out = p;
	return 0;
}

EXPORT void *valloc(size_t size)
{
	return alloc_aligned(KMEM_PAGE_SIZE, size);
}

EXPORT void *pvalloc(size_t size)
{
	return alloc_aligned(KMEM_PAGE_SIZE, size ? size : 1);
}

/* ---- free ---- */

static void free_in_kmem(void *p)
{
	if (thread_attach()) {
		kfree(p);
		return;
	}
	section_enter();
	kfree(p);
	section_leave();
}

static KMEM_NOINLINE void free_slow(void *p)
{
	if (!p)
		return;
	arena_start();
	thread_attach();
	if (in_arena(p) || !big_free(p))
		free_in_kmem(p);	/* which knows what is wrong with it */
}

/* A block that may be large: p is a multiple of PURGE_BYTES. */
static KMEM_NOINLINE void free_large(void *p)
{
	size_t size = ksize(p);
	size_t kept = kmem_load_relaxed(&unpurged_bytes);
	int error = errno;

	if (size >= PURGE_BYTES) {
		if (kept + size <= UNPURGED_MOST)
			kmem_store_relaxed(&unpurged_bytes, kept + size);
		else
			madvise(p, size, MADV_DONTNEED);
		errno = error;
	}
	if (size)
		free_in_kmem(p);
}

KMEM_INLINE void release(void *p)
{
	if (KMEM_LIKELY(kmem_thread.fast_max && kfree_fast(p)))
		return;
	if (KMEM_UNLIKELY(!kmem_thread.fast_max || !in_arena(p)))
		free_slow(p);
	else if (KMEM_UNLIKELY(!((uintptr_t)p & (PURGE_BYTES - 1))))
		free_large(p);
	else
		kfree(p);
}

EXPORT void free(void *p)
{
	release(p);
}

EXPORT void cfree(void *p)
{
	release(p);
}

/* ---- sizes ---- */

static size_t size_in_kmem(void *p)
{
	size_t size;

	if (thread_attach())
		return ksize(p);
	section_enter();
	size = ksize(p);
	section_leave();
	return size;
}

/* Bytes that may be used at p, or 0 (and the misuse has been reported). */
static size_t usable_size(void *p)
{
	size_t size = 0;

	if (!p)
		return 0;
	arena_start();
	if (!in_arena(p))
		size = big_size(p);
	return size ? size : size_in_kmem(p);
}

EXPORT size_t malloc_usable_size(void *p)
{
	return usable_size(p);
}

static KMEM_COLD void bad_size(const void *p, size_t size, size_t usable)
{
	char line[160];

	snprintf(line, sizeof(line), "kmem: free_sized(%p, %zu): the block "
		 "has only %zu bytes", p, size, usable);
	kmem_panic(line);
}

EXPORT void free_sized(void *p, size_t size)
{
	size_t usable = usable_size(p);

	if (p && size > usable)
		bad_size(p, size, usable);
	else
		release(p);
}

EXPORT void free_aligned_sized(void *p, size_t align, size_t size)
{
	(void)align;
	free_sized(p, size);
}

/* ---- realloc ---- */

static void *move(void *p, size_t old, size_t size)
{
	void *new = malloc(size);

	if (new) {
		memcpy(new, p, old < size ? old : size);
		release(p);
	}
	return new;
}

/* A block stays where it is unless it is too small, or twice too large. */
EXPORT void *realloc(void *p, size_t size)
{
	size_t old;
	void *new;

	if (!p)
		return malloc(size);
	if (!size) {
		release(p);
		return NULL;
	}
	if (size > PTRDIFF_MAX)
		return no_memory();
	old = usable_size(p);
	if (!old)
		return NULL;
	/* Where that fails, it is moved like any other. */
	if (!in_arena(p) && size > KMALLOC_MAX_SIZE / 2) {
		new = big_resize(p, size);
		if (new)
			return new;
	}
	if (size <= old && size >= old / 2)
		return p;
	new = move(p, old, size);
	return new || size > old ? new : p;
}

EXPORT void *reallocarray(void *p, size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes))
		return no_memory();
	return realloc(p, bytes);
}

/* ---- what else <malloc.h> has ---- */

/* There is nothing to set. */
EXPORT int mallopt(int param, int value)
{
	(void)param;
	(void)value;
	return 0;
}

static bool shrink_cache(struct kmem_cache *s, void *arg)
{
	(void)arg;
	kmem_cache_shrink(s);
	return true;
}

/* Gathers free memory into large blocks, none of which goes to the system; but
 * mappings that were freed and kept do. The result says whether there were any. */
EXPORT int malloc_trim(size_t pad)
{
	(void)pad;
	arena_start();
	thread_attach();
	section_enter();
	kmem_for_each_cache(shrink_cache, NULL);
	drain_pages();
	section_leave();
	return big_trim();
}

static bool add_live(struct kmem_cache *s, void *arg)
{
	struct kmem_cache_stats st;
	size_t *free_bytes = arg;

	kmem_cache_stats(s, &st);
	*free_bytes += st.slab_bytes - st.live * st.slot_size;
	return true;
}

EXPORT struct mallinfo2 mallinfo2(void)
{
	struct mallinfo2 info = { 0 };
	struct kmem_zone_stats z = { 0 };
	size_t pages, in_slabs = 0;

	arena_start();
	thread_attach();
	big_count(&info.hblks, &info.hblkhd, &info.keepcost);
	section_enter();
	kmem_zone_stats(0, &z);
	kmem_for_each_cache(add_live, &in_slabs);
	section_leave();
	pages = z.free_pages + z.cached_pages;
	info.arena = z.managed << KMEM_PAGE_SHIFT;
	info.fordblks = (pages << KMEM_PAGE_SHIFT) + in_slabs;
	info.uordblks = info.arena - info.fordblks;
	return info;
}

static int clamp(size_t n)
{
	return n < INT_MAX ? (int)n : INT_MAX;
}

EXPORT struct mallinfo mallinfo(void)
{
	struct mallinfo2 m = mallinfo2();

	return (struct mallinfo){
		.arena = clamp(m.arena), .hblks = clamp(m.hblks),
		.hblkhd = clamp(m.hblkhd), .uordblks = clamp(m.uordblks),
		.fordblks = clamp(m.fordblks), .keepcost = clamp(m.keepcost),
	};
}

static void print_line(void *ctx, const char *line)
{
	(void)ctx;
	say(line);
}

EXPORT void malloc_stats(void)
{
	arena_start();
	thread_attach();
	section_enter();
	kmem_report(print_line, NULL);
	section_leave();
}

EXPORT int malloc_info(int options, FILE *f)
{
	struct mallinfo2 m;

	if (options)
		return EINVAL;
	m = mallinfo2();
	fprintf(f, "<malloc version=\"1\">\n"
		"<total type=\"arena\" size=\"%zu\"/>\n"
		"<total type=\"used\" size=\"%zu\"/>\n"
		"<total type=\"free\" size=\"%zu\"/>\n"
		"<total type=\"mmap\" count=\"%zu\" size=\"%zu\"/>\n"
		"</malloc>\n", m.arena, m.uordblks, m.fordblks, m.hblks,
		m.hblkhd);
	return 0;
}
