/* SPDX-License-Identifier: MIT */
/*
 * tests/host/blob.h - what boot loaders leave, for tests of its readers: as
 * captured, cut short at every length, and with every byte changed.
 *
 * Each check copies the blob into a block of its own, of just its size, so
 * that AddressSanitizer sees any access beyond it.
 */
#ifndef KMEM_TESTS_BLOB_H
#define KMEM_TESTS_BLOB_H

#include <kmem/boot_map.h>

struct blob {
	unsigned char *bytes;
	size_t size;
};

/* Read a file whole; ends the process if that fails. free() the bytes. */
struct blob blob_read(const char *path);

/* A copy of the first `size` bytes, in a block of that size. */
struct blob blob_cut(const struct blob *b, size_t size);

/* Little-endian numbers at an offset. */
uint32_t blob_get32(const struct blob *b, size_t at);
void blob_put32(struct blob *b, size_t at, uint32_t value);
void blob_put64(struct blob *b, size_t at, uint64_t value);

/* A reader of such a blob, of which `room` bytes are there. */
typedef int (*blob_walk_fn)(const void *bytes, size_t room, kmem_map_fn fn,
			    void *ctx);

/* What a reader reported; the address of one is the ctx of seen_add(). */
#define SEEN_MAX 256
struct seen {
	struct kmem_map_entry entry[SEEN_MAX];
	size_t nr;			/* may be above SEEN_MAX */
	size_t stop_at;			/* refuse that one; 0: none */
	int stop_with;
};

int seen_add(void *seen, const struct kmem_map_entry *entry);
struct seen seen_by(const struct blob *b, blob_walk_fn walk, int *err);

/* ---- checks; each ends the process if it finds something wrong ---- */

/* An error of fn's ends the walk and is returned, whichever entry it is for. */
void blob_check_stops(const struct blob *b, blob_walk_fn walk);

/* For every shorter length: KMEM_EINVAL, or nothing that counts was cut off
 * and all is as in the whole. Returns how many lengths were refused. */
size_t blob_check_cuts(const struct blob *b, blob_walk_fn walk);

/* For every byte of [from, to), and every other value of it: KMEM_OK or
 * KMEM_EINVAL, entries that make sense, and an end. Returns how many of them
 * were refused. */
size_t blob_check_changes(const struct blob *b, size_t from, size_t to,
			  blob_walk_fn walk);

#endif /* KMEM_TESTS_BLOB_H */
