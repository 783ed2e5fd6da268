/* SPDX-License-Identifier: MIT */
/*
 * kept.c - mappings that were freed and wait for the next block.
 *
 * A fresh mapping costs a page fault for each of its pages, many times what the
 * system call does: programs that allocate and free blocks of 5 to 25 MiB, which
 * they write, spent four fifths of their time on that. So what is freed is kept,
 * up to KEPT_LEAST bytes and a quarter of what is in use, but no more than
 * KEPT_MOST; when there is more, those that have waited longest go back to the
 * system. Nothing else sends them there but malloc_trim(), and a request that
 * could not be met otherwise.
 *
 * A block is cut from the smallest that is large enough. If none is, the largest
 * one grows to it: its pages move, and only what is new has to be faulted in.
 * Whoever asks for zeros gets one without its pages (big.c). What the last user did
 * to it by mprotect() or madvise() stays, as in every heap.
 *
 * Who calls holds the lock of big.c. Nothing is mapped or unmapped here.
 */
#include "private.h"

#include <string.h>

#define KEPT_LEAST	((size_t)32 << 20)
#define KEPT_MOST	((size_t)256 << 20)

static struct {
	struct mapping at[KEPT_MAPPINGS];	/* the oldest first */
	unsigned nr;
	size_t bytes;			/* of them all */
} kept;

static struct mapping take_out(unsigned i)
{
	struct mapping m = kept.at[i];

	kept.nr--;
	memmove(&kept.at[i], &kept.at[i + 1],
		(kept.nr - i) * sizeof(kept.at[0]));
	kept.bytes -= m.bytes;
	return m;
}

/* The first so many bytes of it. What is left stays, if that is much. */
static struct mapping cut(unsigned i, size_t bytes)
{
	struct mapping *m = &kept.at[i], front = { m->addr, bytes };

	if (m->bytes - bytes < MAPPING_LEAST)
		return take_out(i);
	m->addr += bytes;
	m->bytes -= bytes;
	kept.bytes -= bytes;
	return front;
}

/* a is the better one to make so many bytes of. */
static bool fits_better(const struct mapping *a, const struct mapping *b,
			size_t bytes)
{
	if (a->bytes < bytes)
		return a->bytes > b->bytes;
	return b->bytes < bytes || a->bytes < b->bytes;
}

struct mapping kept_take(size_t bytes, size_t align, bool grow)
{
	const struct mapping none = { 0, 0 };
	unsigned best = kept.nr;

	if (bytes < MAPPING_LEAST)
		return none;
	for (unsigned i = 0; i < kept.nr; i++)
		if (!(kept.at[i].addr & (align - 1)) &&
		    (best == kept.nr ||
		     fits_better(&kept.at[i], &kept.at[best], bytes)))
			best = i;
	if (best == kept.nr)
		return none;
	if (kept.at[best].bytes >= bytes)
		return cut(best, bytes);
	/* It moves to wherever there is room, and should be some part of what is
	 * wanted. */
	if (!grow || align > KMEM_PAGE_SIZE || kept.at[best].bytes < bytes / 4)
		return none;
	return take_out(best);
}

/* The oldest have to go, for no more bytes than that to be left. */
static unsigned evict(size_t most, struct mapping *out)
{
	unsigned n = 0;

	while (kept.bytes > most)
		out[n++] = take_out(0);
	return n;
}

static size_t bound(size_t in_use)
{
	size_t most = KEPT_LEAST + in_use / 4;

	return most < KEPT_MOST ? most : KEPT_MOST;
}

unsigned kept_fit(size_t in_use, struct mapping *out)
{
	return evict(bound(in_use), out);
}

unsigned kept_put(struct mapping m, size_t in_use, struct mapping *out)
{
	size_t most = bound(in_use);
	bool keep = m.bytes >= MAPPING_LEAST && m.bytes <= most;
	unsigned n = evict(keep ? most - m.bytes : most, out);

	if (!keep) {
		out[n++] = m;
		return n;
	}
	if (kept.nr == KEPT_MAPPINGS)
		out[n++] = take_out(0);
	kept.at[kept.nr++] = m;
	kept.bytes += m.bytes;
	return n;
}

unsigned kept_drop(struct mapping *out)
{
	return evict(0, out);
}

size_t kept_bytes(void)
{
	return kept.bytes;
}
