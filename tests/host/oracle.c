/* SPDX-License-Identifier: MIT */
/*
 * tests/host/oracle.c - see oracle.h.
 */
#include "oracle.h"

struct calls_source calls_source;

struct holding held[HELD_MAX];
unsigned nr_held;
size_t held_pages, held_objects;

static unsigned char owned[BYTES / 8];
static uint64_t tags;

void calls_failed(const char *file, int line, const char *what)
{
	calls_source.where();
	for (unsigned i = 0; i < test_panics(); i++)
		fprintf(stderr, "\t%s\n", test_panic(i));
	test_fail(file, line, what);
}

static size_t granule(const void *p)
{
	kmem_phys_t phys = virt_to_phys(p);

	CHECK(phys >= BASE && phys < BASE + BYTES);
	return (size_t)(phys - BASE) / 8;
}

bool is_owned(const void *p)
{
	return owned[granule(p)];
}

static void own(const void *p, size_t size)
{
	size_t first = granule(p), last = granule((const char *)p + size - 1);

	CHECK(last - first == (((uintptr_t)p & 7) + size - 1) / 8);
	CHECK(!memchr(owned + first, 1, last - first + 1));
	memset(owned + first, 1, last - first + 1);
}

static void disown(const void *p, size_t size)
{
	size_t first = granule(p), last = granule((const char *)p + size - 1);

	memset(owned + first, 0, last - first + 1);
}

/* The pattern is in the first and the last bytes; of large things also once in
 * every page. */
#define EDGE	48

static void stamp(const struct holding *h)
{
	size_t edge = h->size < EDGE ? h->size : EDGE;

	for (size_t at = 0; h->size > PAGE && at < h->size - 8; at += PAGE)
		memcpy(h->p + at, &h->tag, sizeof(h->tag));
	test_fill(h->p, edge, h->tag);
	test_fill(h->p + h->size - edge, edge, h->tag ^ 0x55);
}

void verify(const struct holding *h)
{
	size_t edge = h->size < EDGE ? h->size : EDGE;

	if (h->size >= 2 * EDGE)
		CHECK(!test_changed(h->p, edge, h->tag));
	CHECK(!test_changed(h->p + h->size - edge, edge, h->tag ^ 0x55));
	for (size_t at = PAGE; h->size > PAGE && at < h->size - EDGE - 8;
	     at += PAGE)
		CHECK(!memcmp(h->p + at, &h->tag, sizeof(h->tag)));
}

static bool large(size_t size)
{
	return size > KMALLOC_MAX_CACHE_SIZE;
}

static void account(const struct holding *h, int sign)
{
	size_t pages = 0;

	if (h->kind == BLOCK || h->kind == EXACT ||
	    (h->kind == KMALLOC && large(h->size)))
		pages = (h->size + PAGE - 1) / PAGE;
	held_pages += sign > 0 ? pages : 0 - pages;
	if (!pages)
		held_objects += sign > 0 ? 1 : (size_t)-1;
}

static void check_zero(const char *p, size_t size)
{
	size_t step = size > 8192 ? 509 : 1;

	for (size_t i = 0; i < size; i += step)
		CHECK(p[i] == 0);
}

void hold(enum kind kind, void *p, size_t size, unsigned extra, gfp_t gfp)
{
	struct holding h = { .p = p, .size = size,
			     .tag = (uint32_t)test_random(&tags) | 1,
			     .kind = (uint8_t)kind };

	CHECK(nr_held < HELD_MAX);
	h.order = kind == BLOCK ? (uint8_t)extra : 0;
	h.cache = kind == CACHE ? (uint8_t)extra : 0;
	own(p, size);
	if (gfp & __GFP_ZERO)
		check_zero(p, size);
	if (KMEM_ZONES > 1 && (gfp & __GFP_DMA))
		CHECK(virt_to_phys(p) + size <= DMA_END);
	stamp(&h);
	account(&h, 1);
	held[nr_held++] = h;
}

struct holding let_go(unsigned i)
{
	struct holding h = held[i];

	verify(&h);
	disown(h.p, h.size);
	account(&h, -1);
	held[i] = held[--nr_held];
	return h;
}

unsigned find_held(enum kind kind)
{
	for (unsigned tries = 0; nr_held && tries < 20; tries++) {
		unsigned i = (unsigned)below(nr_held);

		if (held[i].kind == kind)
			return i;
	}
	return HELD_MAX;
}
