/* SPDX-License-Identifier: MIT */
/*
 * tests/host/slurp.h - a whole file in memory, decompressed if need be.
 */
#ifndef KMEM_TESTS_SLURP_H
#define KMEM_TESTS_SLURP_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Called with what has been read so far, and more than once: how many bytes
 * is the whole expected to have? 0: can't tell yet. Reading stops one byte
 * after that, whatever follows: a compressed file of a few bytes may stand
 * for any amount.
 */
typedef size_t (*slurp_expect_fn)(const unsigned char *bytes, size_t n);

/*
 * Read a file, or standard input if the path is "-". xz, zstd and gzip are
 * recognised by their first bytes and go through the programs of those
 * names. Returns what malloc() gave, or NULL with a line in error that begins
 * with the file's name.
 */
unsigned char *slurp(const char *path, slurp_expect_fn expect, size_t *n,
		     char *error, size_t error_max);

#endif /* KMEM_TESTS_SLURP_H */
