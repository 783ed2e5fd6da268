/* SPDX-License-Identifier: MIT */
/*
 * tests/host/memmap.c - the reader of memory maps.
 *
 * A line is a comment, blank, or
 *
 *	<start> <end> <type> [node]
 *
 * and nothing else: a line that can't be understood is an error, because
 * passing over it would lose or invent memory. Only the words for types are
 * open-ended (firmware has types that nobody has named); one that is not in
 * the table below counts as reserved, and the map remembers that it was met.
 */
#define _GNU_SOURCE
#include "memmap.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define LINE_CHARS	1024
#define MAX_ENTRIES	65536
#define MAX_FIELDS	4

/* Where a reader is in its file, and why it stopped. */
struct reader {
	struct memmap *map;
	FILE *f;
	unsigned line;
	char *error;
};

static const struct {
	const char *word;
	enum kmem_region_type type;
} types[] = {
	{ "usable", KMEM_REGION_USABLE },
	{ "reusable", KMEM_REGION_USABLE },
	{ "efi-conventional", KMEM_REGION_USABLE },
	{ "efi-boot-code", KMEM_REGION_USABLE },
	{ "efi-boot-data", KMEM_REGION_USABLE },
	{ "efi-loader-code", KMEM_REGION_USABLE },
	{ "efi-loader-data", KMEM_REGION_USABLE },
	{ "srat", KMEM_REGION_NODE },
	{ "reserved", KMEM_REGION_RESERVED },
	{ "memreserve", KMEM_REGION_RESERVED },
	{ "nomap", KMEM_REGION_RESERVED },
	{ "acpi", KMEM_REGION_RESERVED },
	{ "nvs", KMEM_REGION_RESERVED },
	{ "unusable", KMEM_REGION_RESERVED },
	{ "mmio", KMEM_REGION_RESERVED },
	{ "pmem", KMEM_REGION_RESERVED },
	{ "efi-runtime-code", KMEM_REGION_RESERVED },
	{ "efi-runtime-data", KMEM_REGION_RESERVED },
};

KMEM_PRINTF(2, 3)
static bool fail(struct reader *r, const char *fmt, ...)
{
	va_list args;
	int n;

	if (r->line)
		n = snprintf(r->error, MEMMAP_ERROR_MAX, "%s:%u: ",
			     r->map->name, r->line);
	else
		n = snprintf(r->error, MEMMAP_ERROR_MAX, "%s: ",
			     r->map->name);
	if (n < 0 || n >= MEMMAP_ERROR_MAX)
		return false;
	va_start(args, fmt);
	vsnprintf(r->error + n, (size_t)(MEMMAP_ERROR_MAX - n), fmt, args);
	va_end(args);
	return false;
}

/*
 * One line without its end, "\n" or "\r\n". Returns 1 for a line, 0 at the
 * end of the file, -1 for an error.
 */
static int next_line(struct reader *r, char line[LINE_CHARS])
{
	size_t n = 0;
	int c;

	errno = 0;
	r->line++;
	while ((c = getc(r->f)) != EOF && c != '\n') {
		if ((c < ' ' && c != '\t' && c != '\r') || c == 127) {
			fail(r, "a control character (0x%02x): this is not "
			     "a text file", (unsigned)c);
			return -1;
		}
		if (n == LINE_CHARS - 1) {
			fail(r, "a line of more than %d characters",
			     LINE_CHARS - 1);
			return -1;
		}
		line[n++] = (char)c;
	}
	if (ferror(r->f)) {
		r->line = 0;
		fail(r, "can't read it: %s", strerror(errno));
		return -1;
	}
	if (c == EOF && n == 0)
		return 0;
	if (n && line[n - 1] == '\r')
		n--;
	line[n] = '\0';
	return 1;
}

/* Split at blanks, in place. Returns the number of fields, at most max + 1. */
static unsigned split(char *line, char *field[], unsigned max)
{
	unsigned n = 0;
	char *p = strtok(line, " \t\r");

	for (; p && n <= max; p = strtok(NULL, " \t\r")) {
		if (n < max)
			field[n] = p;
		n++;
	}
	return n;
}

/* A whole word as a number; strtoull() would accept signs and blanks. */
static bool parse_number(const char *s, int base, uint64_t *value)
{
	char *end;

	if (base == 16 && s[0] == '0' && (s[1] == 'x' || s[1] == 'X'))
		s += 2;
	if (!isxdigit((unsigned char)s[0]))
		return false;
	errno = 0;
	*value = strtoull(s, &end, base);
	/* "0x0x5": strtoull() takes a second prefix. */
	return *end == '\0' && errno == 0 && !strpbrk(s, "xX");
}

static bool parse_type(struct reader *r, const char *word,
		       enum kmem_region_type *type)
{
	struct memmap *m = r->map;
	size_t i;

	for (i = 0; i < KMEM_ARRAY_SIZE(types); i++) {
		if (!strcmp(word, types[i].word)) {
			*type = types[i].type;
			return true;
		}
	}
	if (!isalpha((unsigned char)word[0]))
		return fail(r, "'%.40s' is not a type of memory", word);
	*type = KMEM_REGION_RESERVED;
	/* Types without a name are known by their number, as in "type9". */
	if (!strncmp(word, "type", 4) && isdigit((unsigned char)word[4]))
		return true;
	if (!m->unknown_types++) {
		m->unknown_line = r->line;
		snprintf(m->unknown_word, sizeof(m->unknown_word), "%s",
			 word);
	}
	return true;
}

static bool add_entry(struct memmap *m, const struct memmap_entry *e)
{
	struct memmap_entry *grown;
	size_t max;

	if (m->nr_entries == m->max_entries) {
		max = m->max_entries ? 2 * m->max_entries : 64;
		grown = realloc(m->entry, max * sizeof(*grown));
		if (!grown)
			return false;
		m->entry = grown;
		m->max_entries = max;
	}
	m->entry[m->nr_entries++] = *e;
	return true;
}

static bool parse_entry(struct reader *r, char *line)
{
	struct memmap_entry e = { .node = KMEM_NO_NODE, .line = r->line };
	char *field[MAX_FIELDS];
	unsigned n = split(line, field, MAX_FIELDS);
	uint64_t node;

	if (n == 0)
		return true;
	if (n < 3)
		return fail(r, "%u field%s; expected <start> <end> <type> "
			    "[node]", n, n == 1 ? "" : "s");
	if (n > MAX_FIELDS)
		return fail(r, "more than %d fields; expected <start> <end> "
			    "<type> [node]", MAX_FIELDS);
	if (!parse_number(field[0], 16, &e.start))
		return fail(r, "the start '%.40s' is not a hexadecimal "
			    "address of 64 bits", field[0]);
	if (!parse_number(field[1], 16, &e.end))
		return fail(r, "the end '%.40s' is not a hexadecimal address "
			    "of 64 bits", field[1]);
	if (!parse_type(r, field[2], &e.type))
		return false;
	if (n == 4) {
		if (!parse_number(field[3], 10, &node))
			return fail(r, "the node '%.40s' is not a number",
				    field[3]);
		if (node >= KMEM_MAX_NODES)
			return fail(r, "node %" PRIu64 "; the highest is %d",
				    node, KMEM_MAX_NODES - 1);
		e.node = (int)node;
	}
	if (e.type == KMEM_REGION_NODE && e.node == KMEM_NO_NODE)
		return fail(r, "an srat range without its node");
	if (r->map->nr_entries == MAX_ENTRIES)
		return fail(r, "more than %d entries", MAX_ENTRIES);
	return add_entry(r->map, &e) || fail(r, "out of memory");
}

/* "# expect usable_pages <N> runs <M>"; every other comment is just that. */
static bool parse_comment(struct reader *r, char *line)
{
	struct memmap *m = r->map;
	char *field[6];
	uint64_t runs;
	unsigned n;

	if (!strstr(line, "expect") || !strstr(line, "usable_pages"))
		return true;
	n = split(line, field, 6);
	if (n < 3 || strcmp(field[0], "#") || strcmp(field[1], "expect") ||
	    strcmp(field[2], "usable_pages"))
		return true;
	if (m->has_expect)
		return fail(r, "a second 'expect' line");
	if (n != 6 || strcmp(field[4], "runs") ||
	    !parse_number(field[3], 10, &m->expect_pages) ||
	    !parse_number(field[5], 10, &runs) || runs > UINT_MAX)
		return fail(r, "expected '# expect usable_pages <number> "
			    "runs <number>'");
	m->expect_runs = (unsigned)runs;
	m->has_expect = true;
	return true;
}

static bool parse_lines(struct reader *r)
{
	char line[LINE_CHARS];
	int more;

	while ((more = next_line(r, line)) > 0) {
		if (line[0] == '#' ? !parse_comment(r, line)
				   : !parse_entry(r, line))
			return false;
	}
	if (more < 0)
		return false;
	r->line = 0;
	if (!r->map->nr_entries)
		return fail(r, "no memory map: not one entry in it");
	return true;
}

bool memmap_read_stream(struct memmap *m, FILE *f, const char *name,
			char error[MEMMAP_ERROR_MAX])
{
	struct reader r = { .map = m, .f = f, .error = error };

	memset(m, 0, sizeof(*m));
	error[0] = '\0';
	m->name = strdup(name);
	if (m->name && parse_lines(&r))
		return true;
	if (!m->name)
		snprintf(error, MEMMAP_ERROR_MAX, "out of memory");
	memmap_free(m);
	return false;
}

bool memmap_read(struct memmap *m, const char *path,
		 char error[MEMMAP_ERROR_MAX])
{
	FILE *f;
	bool ok;

	if (!strcmp(path, "-"))
		return memmap_read_stream(m, stdin, "standard input", error);
	memset(m, 0, sizeof(*m));
	f = fopen(path, "r");
	if (!f) {
		snprintf(error, MEMMAP_ERROR_MAX, "%s: can't open it: %s",
			 path, strerror(errno));
		return false;
	}
	ok = memmap_read_stream(m, f, path, error);
	fclose(f);
	return ok;
}

void memmap_free(struct memmap *m)
{
	free(m->name);
	free(m->entry);
	memset(m, 0, sizeof(*m));
}

/*
 * A range that ends with the last byte of the 64-bit space has no exclusive
 * end in 64 bits, and one that begins at 0 as well not even a size. Its last
 * page can't be memory; leave it out.
 */
static kmem_phys_t exclusive_end(const struct memmap_entry *e)
{
	return e->end == UINT64_MAX ? UINT64_MAX - (KMEM_PAGE_SIZE - 1)
				    : e->end + 1;
}

static bool is_empty(const struct memmap_entry *e)
{
	return e->end < e->start || exclusive_end(e) <= e->start;
}

int memmap_feed(const struct memmap *m, char error[MEMMAP_ERROR_MAX])
{
	struct reader r = { .map = (struct memmap *)(uintptr_t)m,
			    .error = error };
	const struct memmap_entry *e;
	kmem_phys_t size;
	int result;

	for (e = m->entry; e < m->entry + m->nr_entries; e++) {
		size = is_empty(e) ? 0 : exclusive_end(e) - e->start;
		result = kmem_add_region(e->start, size, e->type, e->node);
		if (result == KMEM_OK)
			continue;
		r.line = e->line;
		if (result == KMEM_ENOSPC)
			fail(&r, "more ranges than KMEM_MAX_REGIONS (%d)",
			     KMEM_MAX_REGIONS);
		else
			fail(&r, "kmem refuses the range 0x%" PRIx64
			     "-0x%" PRIx64 ": error %d", e->start, e->end,
			     result);
		return result;
	}
	return KMEM_OK;
}

/* ---- what is usable, reckoned from scratch ----------------------------- */

static int compare_phys(const void *a, const void *b)
{
	const kmem_phys_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Every address at which anything begins or ends, in ascending order. */
static kmem_phys_t *edges(const struct memmap *m, size_t *nr)
{
	kmem_phys_t *edge = malloc((2 * m->nr_entries + 2) * sizeof(*edge));
	const struct memmap_entry *e;
	size_t i, n = 0, unique = 0;

	if (!edge)
		return NULL;
	edge[n++] = KMEM_ARCH_DMA_LIMIT;
	edge[n++] = KMEM_ARCH_DMA32_LIMIT;
	for (e = m->entry; e < m->entry + m->nr_entries; e++) {
		if (is_empty(e))
			continue;
		edge[n++] = e->start;
		edge[n++] = exclusive_end(e);
	}
	qsort(edge, n, sizeof(*edge), compare_phys);
	for (i = 0; i < n; i++)
		if (!unique || edge[unique - 1] != edge[i])
			edge[unique++] = edge[i];
	*nr = unique;
	return edge;
}

/* Is [start, end), which no edge cuts, usable, and of which node? */
static bool usable_between(const struct memmap *m, kmem_phys_t start,
			   kmem_phys_t end, int *node)
{
	const struct memmap_entry *e;
	bool usable = false;

	*node = KMEM_NO_NODE;
	for (e = m->entry; e < m->entry + m->nr_entries; e++) {
		if (is_empty(e) || e->start >= end || exclusive_end(e) <= start)
			continue;
		if (e->type == KMEM_REGION_RESERVED)
			return false;
		if (e->type == KMEM_REGION_USABLE)
			usable = true;
		if (e->node != KMEM_NO_NODE)
			*node = e->node;
	}
	return usable;
}

/*
 * A run of usable bytes has ended: give up what is not a whole page at its
 * two ends. The cuts inside it are moved up to the end of their page.
 */
static void close_run(struct memmap_piece *piece, size_t first, size_t *nr,
		      uint64_t *pages, unsigned *runs)
{
	const kmem_phys_t mask = KMEM_PAGE_SIZE - 1;
	const kmem_phys_t run_end = piece[*nr - 1].end & ~mask;
	uint64_t before = *pages;
	size_t i, out = first;

	for (i = first; i < *nr; i++) {
		struct memmap_piece p = piece[i];

		p.start = (p.start + mask) & ~mask;
		p.end = (p.end + mask) & ~mask;
		if (p.end > run_end)
			p.end = run_end;
		if (p.end <= p.start)
			continue;
		*pages += (p.end - p.start) >> KMEM_PAGE_SHIFT;
		piece[out++] = p;
	}
	*nr = out;
	*runs += *pages != before;
}

struct memmap_piece *memmap_pieces(const struct memmap *m, size_t *nr,
				   uint64_t *pages, unsigned *runs)
{
	struct memmap_piece *piece;
	size_t i, nr_edges, first = 0;
	kmem_phys_t *edge = edges(m, &nr_edges);
	bool inside = false;
	int node;

	*nr = 0;
	*pages = 0;
	*runs = 0;
	piece = edge ? malloc((nr_edges + 1) * sizeof(*piece)) : NULL;
	for (i = 0; piece && i + 1 < nr_edges; i++) {
		bool usable = usable_between(m, edge[i], edge[i + 1], &node);

		if (inside && !usable)
			close_run(piece, first, nr, pages, runs);
		if (usable && !inside)
			first = *nr;
		inside = usable;
		if (!usable)
			continue;
		if (*nr > first && piece[*nr - 1].node == node &&
		    edge[i] != KMEM_ARCH_DMA_LIMIT &&
		    edge[i] != KMEM_ARCH_DMA32_LIMIT)
			piece[*nr - 1].end = edge[i + 1];
		else
			piece[(*nr)++] = (struct memmap_piece){
				edge[i], edge[i + 1], node };
	}
	if (piece && inside)
		close_run(piece, first, nr, pages, runs);
	free(edge);
	return piece;
}

/* ---- a smaller machine of the same shape ------------------------------- */

#define KEEP_AT_LEAST ((kmem_phys_t)4 << 20)

static kmem_phys_t kept(kmem_phys_t size, uint64_t budget, uint64_t total)
{
	double share = (double)size * ((double)budget / (double)total);
	kmem_phys_t keep = (kmem_phys_t)share;

	keep = (keep + KMEM_PAGE_SIZE) & ~(kmem_phys_t)(KMEM_PAGE_SIZE - 1);
	if (keep < KEEP_AT_LEAST)
		keep = KEEP_AT_LEAST;
	return keep < size ? keep : size;
}

/* Reserve all but the first `keep` bytes of a piece. */
static bool reserve_tail(struct memmap *m, const struct memmap_piece *p,
			 kmem_phys_t keep)
{
	struct memmap_entry e = {
		.start = p->start + keep,
		.end = p->end - 1,
		.type = KMEM_REGION_RESERVED,
		.node = KMEM_NO_NODE,
	};

	return e.end < e.start || add_entry(m, &e);
}

static size_t largest(const struct memmap_piece *piece, size_t nr)
{
	size_t i, best = 0;

	for (i = 1; i < nr; i++)
		if (piece[i].end - piece[i].start >
		    piece[best].end - piece[best].start)
			best = i;
	return best;
}

static bool reserve_tails(struct memmap *m, const struct memmap_piece *piece,
			  size_t nr, uint64_t total, uint64_t budget,
			  bool favour_largest)
{
	size_t i, favoured = largest(piece, nr);
	kmem_phys_t size, keep;

	for (i = 0; i < nr; i++) {
		size = piece[i].end - piece[i].start;
		if (favour_largest && i == favoured)
			keep = kept(size, budget / 2, size);
		else
			keep = kept(size, favour_largest ? budget / 2
						: budget, total);
		if (!reserve_tail(m, &piece[i], keep))
			return false;
	}
	return true;
}

bool memmap_shrink(struct memmap *to, const struct memmap *from,
		   uint64_t budget, bool favour_largest)
{
	struct memmap_piece *piece;
	unsigned runs;
	uint64_t pages;
	size_t i, nr;
	bool ok;

	memset(to, 0, sizeof(*to));
	piece = memmap_pieces(from, &nr, &pages, &runs);
	to->name = strdup(from->name);
	ok = piece && to->name;
	for (i = 0; ok && i < from->nr_entries; i++)
		ok = add_entry(to, &from->entry[i]);
	ok = ok && reserve_tails(to, piece, nr, pages << KMEM_PAGE_SHIFT,
				 budget, favour_largest);
	free(piece);
	if (!ok)
		memmap_free(to);
	return ok;
}
