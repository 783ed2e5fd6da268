/* SPDX-License-Identifier: MIT */
/*
 * kept.c - mappings that were freed and wait for the next block.
 *
 * A fresh mapping costs a page fault for each of its pages, many times what the
 * system call does: programs that allocate and free blocks of 5 to 25 MiB, which
 * they write, spent four fifths of their time on that. So what is freed is kept
 * for a while, up to KEEP_BYTES and a quarter of what is in use; when there is
 * more, those that have waited longest go back to the system.
 *
 * A block is cut from the smallest that is large enough. If none is, the largest
 * one grows to it: its pages move, and only what is new has to be faulted in.
 *
 * Who calls holds the lock of big.c. Nothing is mapped or unmapped here.
 */
#include "private.h"

#include <string.h>

#define KEEP_BYTES	((size_t)32 << 20)

/* Less than that is not worth a place. */
#define LEAST_BYTES	((size_t)256 << 10)

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

	if (m->bytes - bytes < LEAST_BYTES)
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

struct mapping kept_take(size_t bytes, size_t align)
{
	const struct mapping none = { 0, 0 };
	unsigned best = kept.nr;

	for (unsigned i = 0; i < kept.nr; i++)
		if (!(kept.at[i].addr & (align - 1)) &&
		    (best == kept.nr ||
		     fits_better(&kept.at[i], &kept.at[best], bytes)))
			best = i;
	if (best == kept.nr)
		return none;
	if (kept.at[best].bytes >= bytes)
		return cut(best, bytes);
	/* It moves to wherever there is room; and is most of what is wanted. */
	if (align > KMEM_PAGE_SIZE || kept.at[best].bytes < bytes / 4)
		return none;
	return take_out(best);
}

unsigned kept_put(struct mapping m, size_t in_use, struct mapping *out)
{
	size_t most = KEEP_BYTES + in_use / 4;
	unsigned n = 0;

	if (m.bytes < LEAST_BYTES || m.bytes > most) {
		out[n++] = m;
		return n;
	}
	while (kept.nr == KEPT_MAPPINGS ||
	       (kept.nr && kept.bytes + m.bytes > most))
		out[n++] = take_out(0);
	kept.at[kept.nr++] = m;
	kept.bytes += m.bytes;
	return n;
}

unsigned kept_drop(struct mapping *out)
{
	unsigned n = 0;

	while (kept.nr)
		out[n++] = take_out(0);
	return n;
}
