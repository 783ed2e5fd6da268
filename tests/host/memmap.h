/* SPDX-License-Identifier: MIT */
/*
 * tests/host/memmap.h - physical memory maps in text files.
 *
 * The format is described in tests/data/memmaps/README.md. A map is kept in
 * the order and with the oddities of the file; kmem_add_region() is what has
 * to cope with them. A second, independent reckoning of what is usable stands
 * here too: to cut a map of a large machine down to the size of this one, and
 * to check kmem's own.
 */
#ifndef KMEM_TESTS_MEMMAP_H
#define KMEM_TESTS_MEMMAP_H

#include <kmem/kmem.h>

#include <stdio.h>

#define MEMMAP_ERROR_MAX 512

struct memmap_entry {
	kmem_phys_t start;
	kmem_phys_t end;	/* inclusive; below start: an empty range */
	enum kmem_region_type type;
	int node;		/* or KMEM_NO_NODE */
	unsigned line;		/* 0: not from the file */
};

struct memmap {
	char *name;		/* as errors show it */
	struct memmap_entry *entry;
	size_t nr_entries, max_entries;

	bool has_expect;	/* the file says what should come out */
	uint64_t expect_pages;
	unsigned expect_runs;

	/* Type words that are in no list: taken as reserved. */
	size_t unknown_types;
	unsigned unknown_line;	/* of the first one */
	char unknown_word[32];
};

/* A piece of usable memory: whole pages, of one node and one zone. */
struct memmap_piece {
	kmem_phys_t start, end;	/* end exclusive */
	int node;		/* or KMEM_NO_NODE */
};

/*
 * Read a map from a file, or from standard input if the path is "-". On
 * failure error holds "file:line: reason" and the map is empty.
 */
bool memmap_read(struct memmap *m, const char *path,
		 char error[MEMMAP_ERROR_MAX]);

/* The same from an open stream; name is for messages. */
bool memmap_read_stream(struct memmap *m, FILE *f, const char *name,
			char error[MEMMAP_ERROR_MAX]);

void memmap_free(struct memmap *m);

/* Give every entry to kmem_add_region(). Returns what it returned. */
int memmap_feed(const struct memmap *m, char error[MEMMAP_ERROR_MAX]);

/*
 * The usable pages as pieces in ascending order, cut where the node changes
 * and at the ends of the zones DMA and DMA32. The array is the caller's to
 * free(); NULL if there is no memory for it. *runs: how many maximal runs.
 */
struct memmap_piece *memmap_pieces(const struct memmap *m, size_t *nr,
				   uint64_t *pages, unsigned *runs);

/*
 * A copy of a map that offers about `budget` bytes: each piece keeps its
 * beginning, in proportion to its size but never less than 4 MiB of it, and
 * what follows is reserved. So every node and every zone stays populated.
 * With favour_largest, half of the budget goes to the largest piece alone: a
 * section table must lie in one piece.
 */
bool memmap_shrink(struct memmap *to, const struct memmap *from,
		   uint64_t budget, bool favour_largest);

#endif /* KMEM_TESTS_MEMMAP_H */
