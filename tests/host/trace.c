/* SPDX-License-Identifier: MIT */
/*
 * tests/host/trace.c - the reader of traces: the header.
 *
 *	KAT1 <header bytes> <records>\n
 *	lines "key value", comments "# ...", NULs up to a multiple of 16
 *	records
 *
 * Nothing that the header says is believed before the file has been seen to
 * bear it out: memory grows with what was really read.
 */
#define _GNU_SOURCE
#include "trace.h"
#include "trace_parts.h"
#include "slurp.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_HEADER_BYTES	((uint64_t)16 << 20)
#define MAX_RECORDS		((uint64_t)1 << 28)
#define MAX_CACHES		65536
#define FIRST_LINE_CHARS	64

bool trace_fail(struct trace_reader *r, const char *fmt, ...)
{
	va_list args;
	int n;

	if (r->line)
		n = snprintf(r->error, TRACE_ERROR_MAX, "%s: header line %u: ",
			     r->t->name, r->line);
	else
		n = snprintf(r->error, TRACE_ERROR_MAX, "%s: ", r->t->name);
	if (n < 0 || n >= TRACE_ERROR_MAX)
		return false;
	va_start(args, fmt);
	vsnprintf(r->error + n, (size_t)(TRACE_ERROR_MAX - n), fmt, args);
	va_end(args);
	return false;
}

bool trace_number(const char *word, uint64_t *value)
{
	char *end;

	if (!isdigit((unsigned char)word[0]))
		return false;
	errno = 0;
	*value = strtoull(word, &end, 10);
	return *end == '\0' && errno == 0;
}

struct trace_record trace_record(const struct trace *t, uint32_t n)
{
	const unsigned char *p = t->records + (size_t)n * TRACE_RECORD_BYTES;

#define LE32(q) ((uint32_t)(q)[0] | (uint32_t)(q)[1] << 8 | \
		 (uint32_t)(q)[2] << 16 | (uint32_t)(q)[3] << 24)
	return (struct trace_record){
		.dt = LE32(p), .op = p[4], .cpu = p[5],
		.flags = (uint16_t)(p[6] | p[7] << 8),
		.id = LE32(p + 8), .arg = LE32(p + 12),
	};
#undef LE32
}

/* ---- the first line ---------------------------------------------------- */

/* Split at blanks; the last field takes the rest of the line. */
static unsigned split(char *line, char *field[], unsigned max)
{
	unsigned n = 0;
	char *p = line;

	while (n < max) {
		p += strspn(p, " \t");
		if (!*p)
			break;
		field[n++] = p;
		if (n == max)
			break;
		p += strcspn(p, " \t");
		if (*p)
			*p++ = '\0';
	}
	return n;
}

/* The two numbers of the first line. A reason, or NULL if all is well. */
static const char *parse_first_line(const unsigned char *bytes, size_t n,
				    uint64_t *header, uint64_t *records)
{
	size_t max = n < FIRST_LINE_CHARS ? n : FIRST_LINE_CHARS;
	const unsigned char *end = memchr(bytes, '\n', max);
	char line[FIRST_LINE_CHARS + 1], *field[4];

	if (n < 4 || memcmp(bytes, "KAT1", 4))
		return "not a trace: it does not begin with KAT1";
	if (!end)
		return "the first line does not end";
	memcpy(line, bytes, (size_t)(end - bytes));
	line[end - bytes] = '\0';
	if (split(line, field, 4) != 3 || strcmp(field[0], "KAT1") ||
	    !trace_number(field[1], header) ||
	    !trace_number(field[2], records))
		return "the first line is not 'KAT1 <header bytes> <records>'";
	if (*header % TRACE_RECORD_BYTES)
		return "the header's length is not a multiple of 16";
	if (*header <= (uint64_t)(end - bytes) || *header > MAX_HEADER_BYTES)
		return "the header's length can't be right";
	if (*records > MAX_RECORDS)
		return "more than 2^28 records";
	return NULL;
}

static size_t expected_bytes(const unsigned char *bytes, size_t n)
{
	uint64_t header, records;

	if (parse_first_line(bytes, n, &header, &records))
		return n < FIRST_LINE_CHARS ? 0 : n; /* read no further */
	return (size_t)(header + records * TRACE_RECORD_BYTES);
}

/* ---- the other lines --------------------------------------------------- */

static bool read_number(struct trace_reader *r, const char *key,
			const char *word, uint64_t max, uint64_t *value)
{
	if (!trace_number(word, value))
		return trace_fail(r, "%s: '%.40s' is not a number", key, word);
	if (*value > max)
		return trace_fail(r, "%s: %" PRIu64 " is more than %" PRIu64,
				  key, *value, max);
	return true;
}

static struct trace_cache *cache_slot(struct trace *t, size_t index)
{
	struct trace_cache *grown;
	size_t nr = index + 1;

	if (index < t->nr_caches)
		return &t->cache[index];
	/* Lines come in ascending order: leave room for as many again. */
	if (nr < 2 * t->nr_caches)
		nr = 2 * t->nr_caches;
	if (nr > MAX_CACHES)
		nr = MAX_CACHES;
	grown = realloc(t->cache, nr * sizeof(*grown));
	if (!grown)
		return NULL;
	memset(grown + t->nr_caches, 0, (nr - t->nr_caches) * sizeof(*grown));
	t->cache = grown;
	t->nr_caches = nr;
	return &t->cache[index];
}

/* cache <index> <object_size> <align> <slot_size> <order> <flags> <name> */
static bool read_cache(struct trace_reader *r, char *value)
{
	static const char *const what[5] = {
		"cache index", "object size", "alignment", "slot size",
		"order" };
	static const uint64_t max[5] = { MAX_CACHES - 1, TRACE_MAX_BYTES,
					 65536, TRACE_MAX_BYTES,
					 TRACE_MAX_ORDER };
	uint64_t number[5] = { 0 };
	struct trace_cache *c;
	char *field[7];
	unsigned i;

	if (split(value, field, 7) != 7)
		return trace_fail(r, "expected 'cache <index> <object size> "
				  "<align> <slot size> <order> <flags> "
				  "<name>'");
	for (i = 0; i < 5; i++)
		if (!read_number(r, what[i], field[i], max[i], &number[i]))
			return false;
	if (number[1] == 0)
		return trace_fail(r, "a cache of objects of no size");
	if (number[2] & (number[2] - 1))
		return trace_fail(r, "alignment %" PRIu64 " is not a power of "
				  "two", number[2]);
	if (strlen(field[5]) >= sizeof(c->flags))
		return trace_fail(r, "too many flags: '%.40s'", field[5]);
	if (strlen(field[6]) >= sizeof(c->name))
		return trace_fail(r, "a cache's name of more than %zu "
				  "characters", sizeof(c->name) - 1);
	c = cache_slot(r->t, number[0]);
	if (!c)
		return trace_fail(r, "out of memory");
	if (c->present)
		return trace_fail(r, "cache %" PRIu64 " is there already",
				  number[0]);
	c->present = true;
	c->size = (uint32_t)number[1];
	c->align = (uint32_t)number[2];
	c->linux_slot = (uint32_t)number[3];
	c->linux_order = (uint32_t)number[4];
	snprintf(c->flags, sizeof(c->flags), "%s", field[5]);
	snprintf(c->name, sizeof(c->name), "%s", field[6]);
	return true;
}

bool trace_add_linux(struct trace *t, const struct trace_linux *s)
{
	struct trace_linux *grown;

	/* Doubled whenever the number reached is a power of two. */
	if (!(t->nr_linux & (t->nr_linux - 1))) {
		grown = realloc(t->linux_at, (t->nr_linux ? 2 * t->nr_linux
					      : 1) * sizeof(*grown));
		if (!grown)
			return false;
		t->linux_at = grown;
	}
	t->linux_at[t->nr_linux++] = *s;
	return true;
}

/* linux-sample <record> <requested> <pre-trace> <tracer> <slab bytes> */
static bool read_linux(struct trace_reader *r, char *value)
{
	struct trace *t = r->t;
	uint64_t number[5] = { 0 };
	struct trace_linux s;
	char *field[6];
	unsigned i;

	if (split(value, field, 6) != 5)
		return trace_fail(r, "expected 'linux-sample <record> "
				  "<requested_small> <pre_trace_bytes> "
				  "<tracer_bytes> <slab_bytes>'");
	for (i = 0; i < 5; i++)
		if (!read_number(r, "linux-sample", field[i],
				 i ? (uint64_t)1 << 48 : t->nr_records,
				 &number[i]))
			return false;
	s = (struct trace_linux){ (uint32_t)number[0], number[1], number[2],
				  number[3], number[4] };
	if (t->nr_linux && s.record <= t->linux_at[t->nr_linux - 1].record)
		return trace_fail(r, "linux-sample: records must ascend");
	if (s.requested_small + s.pre_trace_bytes == 0 ||
	    s.tracer_bytes > s.slab_bytes)
		return trace_fail(r, "linux-sample: impossible figures");
	r->linux_in_header = true;
	return trace_add_linux(t, &s) || trace_fail(r, "out of memory");
}

/* Keys "n_<op>" say how many records of a kind there are. */
static bool read_count(struct trace_reader *r, const char *key, char *value)
{
	static const struct { const char *key; enum trace_op op; } ops[] = {
		{ "n_kmalloc", TRACE_KMALLOC }, { "n_cache", TRACE_CACHE },
		{ "n_page", TRACE_PAGE }, { "n_kfree", TRACE_KFREE },
		{ "n_cfree", TRACE_CFREE }, { "n_pfree", TRACE_PFREE },
		{ "n_split", TRACE_SPLIT },
	};
	uint64_t *count = NULL;
	size_t i;

	for (i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
		if (!strcmp(key, ops[i].key))
			count = &r->count[ops[i].op];
	if (!strcmp(key, "n_prefill_objects"))
		count = &r->prefill_objects;
	if (!strcmp(key, "n_prefill_pages"))
		count = &r->prefill_pages;
	if (!count)
		return true;
	r->has_counts = true;
	return read_number(r, key, value, MAX_RECORDS, count);
}

static bool read_line(struct trace_reader *r, char *line)
{
	char *key, *value, *field[2];
	uint64_t cpus;
	unsigned n;

	if (*line == '#' || !*line)
		return true;
	n = split(line, field, 2);
	if (n == 0)
		return true;
	key = field[0];
	value = n == 2 ? field[1] : line + strlen(line);
	if (!strcmp(key, "cache"))
		return read_cache(r, value);
	if (!strcmp(key, "linux-sample"))
		return read_linux(r, value);
	if (!strncmp(key, "n_", 2))
		return read_count(r, key, value);
	if (!strcmp(key, "ids")) {
		r->has_ids = true;
		return read_number(r, key, value, UINT32_MAX - 1, &r->ids);
	}
	if (!strcmp(key, "records")) {
		r->has_records = true;
		return read_number(r, key, value, MAX_RECORDS, &r->records);
	}
	if (!strcmp(key, "ncpu")) {
		if (!read_number(r, key, value, 256, &cpus))
			return false;
		if (!cpus)
			return trace_fail(r, "a machine without a CPU");
		r->has_cpus = true;
		r->t->nr_cpus = (unsigned)cpus;
	}
	if (!strcmp(key, "workload"))
		snprintf(r->t->workload, sizeof(r->t->workload), "%s", value);
	return true;
}

/* The text ends at the first NUL; after it, there may be only NULs. */
static bool text_length(struct trace_reader *r, size_t *length)
{
	const unsigned char *p = r->t->bytes;
	size_t i, n = r->t->header_bytes;

	r->line = 1;
	for (i = 0; i < n && p[i]; i++) {
		if (p[i] == '\n')
			r->line++;
		else if ((p[i] < ' ' && p[i] != '\t') || p[i] == 127)
			return trace_fail(r, "a control character (0x%02x)",
					  p[i]);
	}
	*length = i;
	while (i < n && !p[i])
		i++;
	if (i < n)
		return trace_fail(r, "text after the NULs that end the "
				  "header");
	return true;
}

static bool read_header(struct trace_reader *r)
{
	char *text, *line, *next;
	bool ok = true;
	size_t n = 0;

	if (!text_length(r, &n))
		return false;
	text = malloc(n + 1);
	if (!text)
		return trace_fail(r, "out of memory");
	memcpy(text, r->t->bytes, n);
	text[n] = '\0';
	r->line = 1;
	for (line = strchr(text, '\n'); ok && line; line = next) {
		r->line++;
		next = strchr(++line, '\n');
		if (next)
			*next = '\0';
		ok = read_line(r, line);
	}
	free(text);
	if (!ok)
		return false;
	r->line = 0;
	if (!r->has_cpus)
		return trace_fail(r, "the header has no line 'ncpu'");
	if (!r->has_ids)
		return trace_fail(r, "the header has no line 'ids'");
	if (r->has_records && r->records != r->t->nr_records)
		return trace_fail(r, "the first line says %" PRIu32 " records"
				  ", 'records' says %" PRIu64,
				  r->t->nr_records, r->records);
	return true;
}

/* Is the file as long as its first line says? */
static bool check_length(struct trace_reader *r)
{
	struct trace *t = r->t;
	uint64_t header, records, body;
	const char *why;

	if (!t->nr_bytes)
		return trace_fail(r, "empty: no trace");
	r->line = 1;
	why = parse_first_line(t->bytes, t->nr_bytes, &header, &records);
	if (why)
		return trace_fail(r, "%s", why);
	r->line = 0;
	if (t->nr_bytes < header)
		return trace_fail(r, "truncated: the header has %" PRIu64
				  " bytes, the file %zu", header, t->nr_bytes);
	body = t->nr_bytes - header;
	if (body < records * TRACE_RECORD_BYTES)
		return trace_fail(r, "truncated in record %" PRIu64 " of %"
				  PRIu64, body / TRACE_RECORD_BYTES, records);
	if (body > records * TRACE_RECORD_BYTES)
		return trace_fail(r, "something follows the last of its %"
				  PRIu64 " records", records);
	if (!records)
		return trace_fail(r, "a trace of no records");
	t->header_bytes = header;
	t->nr_records = (uint32_t)records;
	t->records = t->bytes + header;
	return true;
}

static bool read_trace(struct trace *t, unsigned char *bytes, size_t nr_bytes,
		       const char *name, const char *path, char *error)
{
	struct trace_reader r = { .t = t, .error = error };

	memset(t, 0, sizeof(*t));
	error[0] = '\0';
	t->bytes = bytes;
	t->nr_bytes = nr_bytes;
	t->name = strdup(name);
	if (!t->name)
		snprintf(error, TRACE_ERROR_MAX, "out of memory");
	if (t->name && check_length(&r) && read_header(&r) &&
	    (!path || r.linux_in_header || trace_find_linux(&r, path)) &&
	    trace_check(&r))
		return true;
	trace_free(t);
	return false;
}

bool trace_from_bytes(struct trace *t, unsigned char *bytes, size_t nr_bytes,
		      const char *name, char error[TRACE_ERROR_MAX])
{
	return read_trace(t, bytes, nr_bytes, name, NULL, error);
}

bool trace_read(struct trace *t, const char *path,
		char error[TRACE_ERROR_MAX])
{
	bool is_stdin = !strcmp(path, "-");
	unsigned char *bytes;
	size_t n;

	memset(t, 0, sizeof(*t));
	bytes = slurp(path, expected_bytes, &n, error, TRACE_ERROR_MAX);
	if (!bytes)
		return false;
	return read_trace(t, bytes, n, is_stdin ? "standard input" : path,
			  is_stdin ? NULL : path, error);
}

void trace_free(struct trace *t)
{
	free(t->name);
	free(t->bytes);
	free(t->cache);
	free(t->linux_at);
	memset(t, 0, sizeof(*t));
}
