// SPDX-License-Identifier: MIT
/*
 * memory.c - writes and reads where nobody should: beyond an object, and after
 * it was freed.
 */
#include "attack.h"

#include <kmem/obj_info.h>
#include <kmem/page_ref.h>

/* ---- overflows ---- */

/* Write n bytes from p + at on, each another one than was there. */
static void scribble(struct run *r, char *p, ptrdiff_t at, size_t n)
{
	r->harmed = true;
	for (size_t i = 0; i < n; i++)
		p[at + (ptrdiff_t)i] ^= (char)between(r, 1, 255);
}

static MISUSE_CALL void give_it(struct run *r, void *p)
{
	give(r, p);
	END_OF_CALL();
}

/* All of what follows is found when the object is freed. */
static void write_and_free(struct run *r, ptrdiff_t at, size_t n)
{
	char *p = victim(r);

	if (at >= 0)
		at += (ptrdiff_t)room(r, p);
	expect(r, p, NULL, SAYS_FOUND | SAYS_ALLOC);
	scribble(r, p, at, n);
	during(r, "at the free");
	give_it(r, p);
}

static void over_1(struct run *r)
{
	write_and_free(r, 0, 1);
}

static void over_8(struct run *r)
{
	write_and_free(r, 0, 8);
}

static void over_64(struct run *r)
{
	write_and_free(r, 0, 64);
}

static void under_8(struct run *r)
{
	write_and_free(r, -8, 8);
}

/* The end of a string that is as long as its memory. */
static void over_nul(struct run *r)
{
	char *p = victim(r);

	expect(r, p, NULL, SAYS_FOUND | SAYS_ALLOC);
	r->harmed = true;
	p[room(r, p)] = '\0';
	during(r, "at the free");
	give_it(r, p);
}

/* Of what was asked for, not of what kmalloc() had room for. */
static void over_request(struct run *r)
{
	char *p = victim(r);

	expect(r, p, NULL, SAYS_FOUND | SAYS_ALLOC);
	scribble(r, p, (ptrdiff_t)r->size, 1);
	during(r, "at the free");
	give_it(r, p);
}

/* ---- after free ---- */

/*
 * Others take memory of the victim's kind, and free what they took some time
 * ago, so that a quarantine goes on; until one of them has p, or `most` were
 * taken. Freed again but for p.
 */
static bool take_until(struct run *r, const void *p, unsigned most)
{
	void *taken[200] = { NULL };
	bool found = false;

	while (!found && most--) {
		void **at = &taken[below(r, KMEM_ARRAY_SIZE(taken))];

		if (*at)
			give(r, *at);
		*at = take(r);
		if (!*at)
			break;
		found = *at == p;
		if (found)
			*at = NULL;
	}
	for (size_t i = 0; i < KMEM_ARRAY_SIZE(taken); i++)
		if (taken[i])
			give(r, taken[i]);
	return found;
}

static MISUSE_CALL bool meet_again(struct run *r, const void *p)
{
	bool met = take_until(r, p, 3000);

	END_OF_CALL();
	return met;
}

static void write_after_free(struct run *r)
{
	char *p = victim(r);

	expect(r, p, NULL, SAYS_FOUND | SAYS_FREE | NO_CALLER);
	give(r, p);
	scribble(r, p, (ptrdiff_t)below(r, r->size), 1);
	during(r, "at reuse");
	if (meet_again(r, p))
		give(r, p);
}

static void write_all_after_free(struct run *r)
{
	char *p = victim(r);

	expect(r, p, NULL, SAYS_FOUND | SAYS_FREE | NO_CALLER);
	give(r, p);
	scribble(r, p, 0, r->size);
	during(r, "at reuse");
	if (meet_again(r, p))
		give(r, p);
}

/* Is there a trace of what test_fill() wrote: as many bytes that agree as can't
 * be by chance? Of very small ones: all of them. */
static bool shows(const char *p, size_t size, uint64_t tag)
{
	char old[256];
	size_t same = 0, n = size < sizeof(old) ? size : sizeof(old);

	test_fill(old, n, tag);
	for (size_t i = 0; i < n; i++)
		same += p[i] == old[i];
	return same == n || same > 16;
}

#define SECRET	77

static void read_after_free(struct run *r)
{
	char *p = victim(r);

	test_fill(p, r->size, SECRET);
	give(r, p);
	holds(r, !shows(p, r->size, SECRET));
}

/* Whoever reads it can tell from what it reads. */
static void poison_after_free(struct run *r)
{
	unsigned char *p = victim(r);
	size_t i = 0;

	test_fill(p, r->size, SECRET);
	give(r, p);
	while (i < r->size && (p[i] == KMEM_POISON_FREE ||
			       p[i] == KMEM_POISON_END))
		i++;
	holds(r, i == r->size);
}

static void uninitialised(struct run *r)
{
	char *p = victim(r);

	test_fill(p, r->size, SECRET);
	give(r, p);
	r->nothing = !take_until(r, p, 3000);
	if (r->nothing)
		return;
	holds(r, !shows(p, r->size, SECRET));
	give(r, p);
}

/* ---- its own state ---- */

/* Everything that was given and freed, whole slabs with what objects leave
 * over, free pages: written over with anything. */
static void overwrite_slab(struct run *r, void *p)
{
	struct page *head;

	if (r->kind > CACHE) {
		scribble(r, p, 0, r->size);
		return;
	}
	head = compound_head(virt_to_page(p));
	scribble(r, page_to_virt(head), 0, page_size(head));
}

static void overwrite_everything(struct run *r)
{
	static void *p[200];
	unsigned n = (unsigned)between(r, 10, 200);

	for (unsigned i = 0; i < n; i++) {
		p[i] = take(r);
		REQUIRE(p[i]);
		/* a page that was allocated, is free, and not given to a slab */
		if (below(r, 4) == 0) {
			struct page *page = alloc_pages(GFP_KERNEL,
							(unsigned)below(r, 4));

			__free_pages(page, page->order);
			scribble(r, page_to_virt(page), 0, PAGE);
		}
	}
	for (unsigned i = 0; i < n; i++) {
		overwrite_slab(r, p[i]);
		if (below(r, 2))
			continue;
		give(r, p[i]);
		p[i] = NULL;
	}
	for (unsigned round = 0; round < 4; round++) {
		for (unsigned i = 0; i < n; i++)
			if (p[i])
				overwrite_slab(r, p[i]);
		for (unsigned i = 0; i < n; i++) {
			if (below(r, 2))
				continue;
			if (p[i])
				give(r, p[i]);
			p[i] = take(r);
		}
	}
	for (unsigned i = 0; i < n; i++)
		give(r, p[i]);
	holds(r, true);			/* if run.c finds nothing broken */
}

/* ---- who has it now? ---- */

/*
 * Freed, then so many allocations and frees by others, then freed by the first
 * owner again. Where the second owner has got the memory it is his that is
 * freed, and nobody can tell.
 */
static void stale_free(struct run *r)
{
	static void *owner[16];
	char *p = victim(r);
	unsigned n = (unsigned)between(r, 1, KMEM_ARRAY_SIZE(owner));
	bool reused = false;

	expect(r, p, NULL, SAYS_FREE);
	give(r, p);
	for (unsigned i = 0; i < n; i++) {
		owner[i] = take(r);
		reused |= owner[i] == p;
	}
	during(r, "at the free");
	give_it(r, p);
	r->harmed = reused;
	for (unsigned i = 0; i < n; i++)
		if (owner[i] != p)
			give(r, owner[i]);
}

/* All objects of a slab are freed; is its page given to others? */
static void cross_cache(struct run *r)
{
	static void *p[500], *other[2000];
	void *page[500];
	unsigned n = (unsigned)between(r, 100, 500), m = 0;
	bool crossed = false;

	for (unsigned i = 0; i < n; i++) {
		p[i] = take(r);
		REQUIRE(p[i]);
		page[i] = virt_to_page(p[i]);
	}
	for (unsigned i = 0; i < n; i++)
		give(r, p[i]);
	drain(r);
	for (; m < KMEM_ARRAY_SIZE(other) && !crossed; m++) {
		other[m] = page_to_virt(alloc_pages(GFP_KERNEL, 0));
		for (unsigned i = 0; i < n; i++)
			crossed |= page[i] == virt_to_page(other[m]);
	}
	while (m)
		free_pages((uintptr_t)other[--m], 0);
	holds(r, !crossed);
}

/* ---- asking about what is gone ---- */

static MISUSE_CALL void ask_size(const void *p)
{
	REQUIRE(ksize(p) == 0);
	END_OF_CALL();
}

static void ksize_after_free(struct run *r)
{
	char *p = victim(r);

	expect(r, p, NULL, SAYS_FREE);
	give(r, p);
	during(r, "at the call");
	ask_size(p);
}

static MISUSE_CALL void grow(struct run *r, const void *p)
{
	REQUIRE(!krealloc(p, between(r, 1, 4 * r->size), GFP_KERNEL));
	END_OF_CALL();
}

static void krealloc_after_free(struct run *r)
{
	char *p = victim(r);

	expect(r, p, NULL, SAYS_FREE);
	give(r, p);
	during(r, "at the call");
	grow(r, p);
}

#define YES	{ ALWAYS, ALWAYS, ALWAYS }
#define HARD	{ NOTHING, ALWAYS, ALWAYS }
#define NONE	{ NOTHING, NOTHING, NOTHING }

const struct attack memory_attacks[] = {
	{ "writes over all that was given: kmem's state holds",
	  overwrite_everything, ALL_KINDS, { HOLDS, HOLDS, HOLDS }, 0 },
	{ "overflow by 1", over_1, OBJECTS, HARD, 0 },
	{ "overflow by a NUL", over_nul, OBJECTS, HARD, 0 },
	{ "overflow by 8", over_8, OBJECTS, HARD, 0 },
	{ "overflow by 64", over_64, OBJECTS, HARD, 0 },
	{ "underflow by 8", under_8, OBJECTS, HARD, 0 },
	{ "overflow by 1 of the size asked for", over_request, BIT(KMALLOC),
	  HARD, 0 },
	{ "overflow by 8, pages", over_8, BLOCKS,
	  NONE, 0 },
	{ "write after free, 1 byte", write_after_free, OBJECTS, HARD, 0 },
	{ "write after free, all of it", write_all_after_free, OBJECTS, HARD,
	  0 },
	{ "write after free, pages", write_after_free, BLOCKS, NONE, 0 },
	{ "read after free sees nothing old", read_after_free, OBJECTS,
	  { NOTHING, HOLDS, HOLDS }, 0 },
	{ "read after free sees poison", poison_after_free, OBJECTS,
	  { NOTHING, NOTHING, HOLDS }, 0 },
	{ "read after free sees nothing old, pages", read_after_free, BLOCKS,
	  NONE, 0 },
	{ "new memory shows nothing old", uninitialised, OBJECTS,
	  { NOTHING, HOLDS, HOLDS }, 0 },
	{ "new memory shows nothing old, pages", uninitialised, BLOCKS, NONE,
	  0 },
	{ "stale free, 1 to 16 allocations later", stale_free, OBJECTS,
	  HARD, 0 },
	{ "a slab's page goes to no other cache", cross_cache, OBJECTS,
	  { NOTHING, HOLDS, HOLDS }, STABLE },
	{ "ksize() after the free", ksize_after_free, BYTES, YES, 0 },
	{ "krealloc() after the free", krealloc_after_free, BYTES, YES, 0 },
	{ .what = NULL },
};
