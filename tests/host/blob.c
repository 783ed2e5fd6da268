/* SPDX-License-Identifier: MIT */
/*
 * tests/host/blob.c - what boot loaders leave, whole, cut and corrupted.
 */
#include "blob.h"

#include <stdlib.h>

#include "testlib.h"

struct blob blob_read(const char *path)
{
	static unsigned char bytes[1 << 20];
	struct blob file = { bytes, 0 };
	FILE *f = fopen(path, "rb");

	if (!f)
		test_fail(__FILE__, __LINE__, path);
	file.size = fread(bytes, 1, sizeof(bytes), f);
	REQUIRE(file.size && file.size < sizeof(bytes) && !ferror(f));
	fclose(f);
	return blob_cut(&file, file.size);
}

/* No malloc(0): the block would be of 1 byte. */
struct blob blob_cut(const struct blob *b, size_t size)
{
	struct blob cut = { malloc(size ? size : 1), size };

	REQUIRE(cut.bytes && size <= b->size);
	memcpy(cut.bytes, b->bytes, size);
	return cut;
}

uint32_t blob_get32(const struct blob *b, size_t at)
{
	const unsigned char *p = b->bytes + at;

	REQUIRE(at + 4 <= b->size);
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
	       (uint32_t)p[3] << 24;
}

void blob_put32(struct blob *b, size_t at, uint32_t value)
{
	REQUIRE(at + 4 <= b->size);
	for (unsigned i = 0; i < 4; i++)
		b->bytes[at + i] = (unsigned char)(value >> (8 * i));
}

void blob_put64(struct blob *b, size_t at, uint64_t value)
{
	blob_put32(b, at, (uint32_t)value);
	blob_put32(b, at + 4, (uint32_t)(value >> 32));
}

int seen_add(void *ctx, const struct kmem_map_entry *entry)
{
	struct seen *seen = ctx;

	if (seen->nr < SEEN_MAX)
		seen->entry[seen->nr] = *entry;
	seen->nr++;
	return seen->nr == seen->stop_at ? seen->stop_with : KMEM_OK;
}

struct seen seen_by(const struct blob *b, blob_walk_fn walk, int *err)
{
	struct seen seen = { .nr = 0 };

	*err = walk(b->bytes, b->size, seen_add, &seen);
	return seen;
}

static bool same_entry(const struct kmem_map_entry *a,
		       const struct kmem_map_entry *b)
{
	return a->start == b->start && a->size == b->size &&
	       a->type == b->type && a->node == b->node &&
	       strcmp(a->what, b->what) == 0;
}

static bool same_entries(const struct seen *a, const struct seen *b)
{
	if (a->nr != b->nr)
		return false;
	for (size_t i = 0; i < a->nr && i < SEEN_MAX; i++)
		if (!same_entry(&a->entry[i], &b->entry[i]))
			return false;
	return true;
}

void blob_check_stops(const struct blob *b, blob_walk_fn walk)
{
	int err;
	size_t nr = seen_by(b, walk, &err).nr;

	REQUIRE(err == KMEM_OK && nr > 0 && nr <= SEEN_MAX);
	for (size_t i = 1; i <= nr; i++) {
		struct seen seen = { .stop_at = i, .stop_with = -1000 };

		REQUIRE(walk(b->bytes, b->size, seen_add, &seen) == -1000);
		REQUIRE(seen.nr == i);
	}
}

size_t blob_check_cuts(const struct blob *b, blob_walk_fn walk)
{
	int err;
	struct seen whole = seen_by(b, walk, &err);
	size_t refused = 0;

	REQUIRE(err == KMEM_OK);
	for (size_t size = 0; size < b->size; size++) {
		struct blob cut = blob_cut(b, size);
		struct seen seen = seen_by(&cut, walk, &err);

		REQUIRE(err == KMEM_EINVAL || err == KMEM_OK);
		if (err)
			refused++;
		else
			REQUIRE(same_entries(&seen, &whole));
		free(cut.bytes);
	}
	return refused;
}

/* What is reported can be added to and compared without a thought. */
static void check_sense(const struct seen *seen, size_t max)
{
	REQUIRE(seen->nr <= max);
	for (size_t i = 0; i < seen->nr && i < SEEN_MAX; i++) {
		const struct kmem_map_entry *e = &seen->entry[i];

		REQUIRE(!e->size || e->start + (e->size - 1) >= e->start);
		REQUIRE(e->type == KMEM_REGION_USABLE ||
			e->type == KMEM_REGION_LATER ||
			e->type == KMEM_REGION_RESERVED);
		REQUIRE(e->what && *e->what);
	}
}

size_t blob_check_changes(const struct blob *b, size_t from, size_t to,
			  blob_walk_fn walk)
{
	struct blob copy = blob_cut(b, b->size);
	struct seen seen = { .nr = 0 };
	size_t refused = 0;

	for (size_t at = from; at < to; at++) {
		for (unsigned change = 1; change < 256; change += test_step()) {
			int err;

			copy.bytes[at] = (unsigned char)(b->bytes[at] ^ change);
			seen.nr = 0;
			err = walk(copy.bytes, copy.size, seen_add, &seen);
			REQUIRE(err == KMEM_EINVAL || err == KMEM_OK);
			refused += err != KMEM_OK;
			check_sense(&seen, b->size);
		}
		copy.bytes[at] = b->bytes[at];
	}
	free(copy.bytes);
	return refused;
}
