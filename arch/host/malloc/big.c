/* SPDX-License-Identifier: MIT */
/*
 * big.c - blocks that are mappings of their own.
 *
 * What is larger than kmem's largest block, or must be aligned to more than
 * that, or found no room in the arena, is mapped from the system. Which such
 * blocks there are is in a table apart from them, a hash of addresses with
 * linear probing; an entry that goes is filled by moving later ones up, so
 * that a search always ends at the first empty entry. The table is a mapping
 * too, and never more than half full.
 *
 * What is freed is kept for the next block (kept.c), so that using a mapped block
 * after it was freed is seen no more than that of any other is. Zeroed blocks come
 * without their pages: what their user never writes is then no memory.
 *
 * Locks: big.lock guards the table, and what is kept. Mappings are made and given
 * back without it, while they are in neither; blocks are moved and enlarged with it.
 * Each call is one section, so that fork() finds no mapping that nobody has. (So
 * threads that share a CPU wait for one another's system calls.)
 */
#define _GNU_SOURCE
#include "private.h"

#include <errno.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>

#define FIRST_ENTRIES	(KMEM_PAGE_SIZE / sizeof(struct mapping))

static struct {
	struct section_lock lock;
	struct mapping *table;		/* addr 0: empty */
	size_t entries;			/* a power of two, or 0 */
	size_t used;
	size_t bytes;			/* of all blocks */
} big;

static void *map_pages(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

static void unmap_pages(void *p, size_t bytes)
{
	int error = errno;

	if (bytes)
		munmap(p, bytes);
	errno = error;
}

/* Where the search for an address begins. */
static size_t home_of(uintptr_t addr)
{
	return (size_t)((uint64_t)(addr >> KMEM_PAGE_SHIFT) *
			0x9e3779b97f4a7c15u >> 20) & (big.entries - 1);
}

static size_t next_of(size_t i)
{
	return (i + 1) & (big.entries - 1);
}

static struct mapping *find(const void *p)
{
	uintptr_t addr = (uintptr_t)p;

	if (!addr || !big.used)
		return NULL;
	for (size_t i = home_of(addr); big.table[i].addr; i = next_of(i))
		if (big.table[i].addr == addr)
			return &big.table[i];
	return NULL;
}

static void insert(uintptr_t addr, size_t bytes)
{
	size_t i = home_of(addr);

	while (big.table[i].addr)
		i = next_of(i);
	big.table[i] = (struct mapping){ addr, bytes };
	big.used++;
	big.bytes += bytes;
}

static void erase(struct mapping *b)
{
	size_t hole = (size_t)(b - big.table);

	big.used--;
	big.bytes -= b->bytes;
	for (size_t i = next_of(hole); big.table[i].addr; i = next_of(i)) {
		size_t home = home_of(big.table[i].addr);

		/* Not if its home lies behind the hole, before i. */
		if (((i - home) & (big.entries - 1)) <
		    ((i - hole) & (big.entries - 1)))
			continue;
		big.table[hole] = big.table[i];
		hole = i;
	}
	big.table[hole].addr = 0;
}

/* Room for one more. */
static bool make_room(void)
{
	struct mapping *old = big.table;
	size_t entries = big.entries;
	struct mapping *new;

	if (2 * (big.used + 1) <= entries)
		return true;
	big.entries = entries ? 2 * entries : FIRST_ENTRIES;
	new = map_pages(big.entries * sizeof(*new));
	if (!new) {
		big.entries = entries;
		return false;
	}
	big.table = new;
	big.used = 0;
	big.bytes = 0;
	for (size_t i = 0; i < entries; i++)
		if (old[i].addr)
			insert(old[i].addr, old[i].bytes);
	unmap_pages(old, entries * sizeof(*old));
	return true;
}

static bool enter_block(void *p, size_t bytes)
{
	bool done;

	section_lock(&big.lock);
	done = make_room();
	if (done)
		insert((uintptr_t)p, bytes);
	section_unlock(&big.lock);
	return done;
}

/* Whole pages, of the system's too, or 0 if that is more than there are addresses. */
static size_t whole_pages(size_t size)
{
	size_t page = getauxval(AT_PAGESZ);

	page = page > KMEM_PAGE_SIZE ? page : KMEM_PAGE_SIZE;
	if (size > PTRDIFF_MAX)
		return 0;
	return (size + page - 1) & ~(page - 1);
}

static char *map_aligned(size_t bytes, size_t align)
{
	size_t slack = align > KMEM_PAGE_SIZE ? align - KMEM_PAGE_SIZE : 0;
	size_t head;
	char *p;

	if (slack > PTRDIFF_MAX - bytes)
		return NULL;
	p = map_pages(bytes + slack);
	if (!p)
		return NULL;
	head = -(uintptr_t)p & (align - 1);
	if (!slack)
		return p;
	unmap_pages(p, head);
	unmap_pages(p + head + bytes, slack - head);
	return p + head;
}

static void unmap_all(const struct mapping *m, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		unmap_pages((void *)m[i].addr, m[i].bytes);
}

/* The lock is held, and until it has been done: who waits for it to try again finds
 * the memory free. */
static bool drop_kept(void)
{
	struct mapping old[KEPT_MAPPINGS];
	unsigned n = kept_drop(old);

	unmap_all(old, n);
	return n;
}

bool big_trim(void)
{
	bool any;

	section_lock(&big.lock);
	any = drop_kept();
	section_unlock(&big.lock);
	return any;
}

/* Of one that is ours now; it is unmapped if that can't be done. */
static void *make_zeroed(struct mapping m)
{
	if (!madvise((void *)m.addr, m.bytes, MADV_DONTNEED))
		return (void *)m.addr;
	unmap_pages((void *)m.addr, m.bytes);
	return NULL;
}

static void *enlarge(struct mapping m, size_t bytes)
{
	void *p = mremap((void *)m.addr, m.bytes, bytes, MREMAP_MAYMOVE);

	if (p != MAP_FAILED)
		return p;
	unmap_pages((void *)m.addr, m.bytes);
	return NULL;
}

/* At least so many bytes that were kept, or NULL; *bytes: how many. */
static void *reuse(size_t *bytes, size_t align, bool zeroed)
{
	struct mapping m;

	section_lock(&big.lock);
	m = kept_take(*bytes, align, !zeroed);
	section_unlock(&big.lock);
	if (!m.bytes)
		return NULL;
	if (m.bytes < *bytes)
		return enlarge(m, *bytes);
	*bytes = m.bytes;
	return zeroed ? make_zeroed(m) : (void *)m.addr;
}

static void *map_block(size_t bytes, size_t align, bool zeroed)
{
	char *p = reuse(&bytes, align, zeroed);

	if (!p)
		p = map_aligned(bytes, align);
	if (!p) {
		big_trim();
		p = map_aligned(bytes, align);
	}
	if (!p || enter_block(p, bytes) ||
	    (big_trim() && enter_block(p, bytes)))
		return p;
	unmap_pages(p, bytes);
	return NULL;
}

void *big_alloc(size_t size, size_t align, bool zeroed)
{
	size_t bytes = whole_pages(size);
	void *p;

	if (!bytes)
		return NULL;
	section_enter();
	p = map_block(bytes, align, zeroed);
	section_leave();
	return p;
}

size_t big_size(const void *p)
{
	struct mapping *b;
	size_t bytes;

	section_lock(&big.lock);
	b = find(p);
	bytes = b ? b->bytes : 0;
	section_unlock(&big.lock);
	return bytes;
}

bool big_free(void *p)
{
	struct mapping old[KEPT_MAPPINGS + 1], *b, m;
	unsigned n = 0;

	section_enter();
	section_lock(&big.lock);
	b = find(p);
	if (b) {
		m = *b;
		erase(b);
		n = kept_put(m, big.bytes, old);
	}
	section_unlock(&big.lock);
	unmap_all(old, n);
	section_leave();
	return b;
}

/* The lock is held. Return: where it is then, and how large; no bytes if that can't
 * be done. */
static struct mapping resized(struct mapping b, size_t bytes)
{
	void *p = (void *)b.addr, *new;

	if (bytes <= b.bytes && b.bytes - bytes < MAPPING_LEAST)
		return b;
	new = mremap(p, b.bytes, bytes, MREMAP_MAYMOVE);
	if (new == MAP_FAILED && errno == ENOMEM && drop_kept())
		new = mremap(p, b.bytes, bytes, MREMAP_MAYMOVE);
	if (new == MAP_FAILED)
		return (struct mapping){ 0, 0 };
	return (struct mapping){ (uintptr_t)new, bytes };
}

/* Nobody else may be given the old address before the table knows the new
 * one, so the lock is held while the block moves. */
void *big_resize(void *p, size_t size)
{
	size_t bytes = whole_pages(size);
	struct mapping old[KEPT_MAPPINGS], *b, new = { 0, 0 };
	unsigned n = 0;

	section_enter();
	section_lock(&big.lock);
	b = bytes ? find(p) : NULL;
	if (b)
		new = resized(*b, bytes);
	if (new.bytes) {
		erase(b);
		insert(new.addr, new.bytes);
		n = kept_fit(big.bytes, old);
	}
	section_unlock(&big.lock);
	unmap_all(old, n);
	section_leave();
	return (void *)new.addr;
}

void big_count(size_t *nr, size_t *bytes, size_t *kept)
{
	section_lock(&big.lock);
	*nr = big.used;
	*bytes = big.bytes;
	*kept = kept_bytes();
	section_unlock(&big.lock);
}
