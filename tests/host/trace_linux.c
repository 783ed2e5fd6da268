/* SPDX-License-Identifier: MIT */
/*
 * tests/host/trace_linux.c - what Linux needed, from NAME.linux.json.
 *
 * Of that file only this is looked at; the rest may be anything:
 *
 *	"samples": [ { "record": n, "requested_small": n,
 *		       "pre_trace_bytes_upper": n, "tracer_object_bytes": n,
 *		       "slab_bytes_from_trace": n, ... }, ... ]
 *
 * A record of null is the end of the trace.
 *
 * So this is a scanner and not a parser of JSON: it knows strings, brackets
 * and numbers. The figures are a courtesy to the reader of the demo's output;
 * a file that can't be made sense of is left aside, with a note.
 */
#include "trace_parts.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_JSON_BYTES ((size_t)64 << 20)

static const struct {
	const char *key;
	size_t offset;
} fields[] = {
	{ "requested_small", offsetof(struct trace_linux, requested_small) },
	{ "pre_trace_bytes_upper",
	  offsetof(struct trace_linux, pre_trace_bytes) },
	{ "tracer_object_bytes", offsetof(struct trace_linux, tracer_bytes) },
	{ "slab_bytes_from_trace", offsetof(struct trace_linux, slab_bytes) },
};

#define NR_FIELDS	(sizeof(fields) / sizeof(fields[0]))
#define ALL_FIELDS	((1u << (NR_FIELDS + 1)) - 1)	/* and the record */

/* p is at the opening quote; returns what follows the closing one. */
static const char *skip_string(const char *p)
{
	for (p++; *p && *p != '"'; p++)
		if (*p == '\\' && p[1])
			p++;
	return *p ? p + 1 : p;
}

static bool string_is(const char *from, const char *to, const char *word)
{
	size_t n = strlen(word);

	return (size_t)(to - from) == n + 2 && !memcmp(from + 1, word, n);
}

/* A member of a sample: remember it if it is one of ours. */
static void take_member(struct trace_linux *s, unsigned *have,
			const char *key, const char *key_end, const char *p)
{
	unsigned long long value;
	size_t i;

	p += strspn(p, " \t\r\n");
	if (string_is(key, key_end, "record") && !strncmp(p, "null", 4)) {
		s->record = UINT32_MAX;
		*have |= 1u << NR_FIELDS;
	}
	if (!isdigit((unsigned char)*p))
		return;
	value = strtoull(p, NULL, 10);
	if (string_is(key, key_end, "record") && value < UINT32_MAX) {
		s->record = (uint32_t)value;
		*have |= 1u << NR_FIELDS;
	}
	for (i = 0; i < NR_FIELDS; i++) {
		if (!string_is(key, key_end, fields[i].key))
			continue;
		*(uint64_t *)(void *)((char *)s + fields[i].offset) = value;
		*have |= 1u << i;
	}
}

static bool is_sane(const struct trace *t, const struct trace_linux *s)
{
	return s->record <= t->nr_records && s->tracer_bytes <= s->slab_bytes &&
	       s->requested_small + s->pre_trace_bytes &&
	       (!t->nr_linux ||
		s->record > t->linux_at[t->nr_linux - 1].record);
}

/* p is behind the '[' of "samples". False: out of memory. */
static bool scan_samples(struct trace *t, const char *p)
{
	struct trace_linux s = { 0 };
	unsigned have = 0, depth = 0;
	const char *key, *colon;

	for (; *p; p++) {
		if (*p == '{' || *p == '[') {
			if (depth++ == 0)
				have = 0;
		} else if (*p == '}' || *p == ']') {
			if (depth-- == 0)
				break;
			if (s.record == UINT32_MAX)
				s.record = t->nr_records;
			if (depth == 0 && have == ALL_FIELDS &&
			    is_sane(t, &s) && !trace_add_linux(t, &s))
				return false;
		} else if (*p == '"') {
			key = p;
			p = skip_string(p);
			colon = p + strspn(p, " \t\r\n");
			if (depth == 1 && *colon == ':')
				take_member(&s, &have, key, p, colon + 1);
			p--;
		}
	}
	return true;
}

static const char *find_samples(const char *p)
{
	const char *key;

	while (*p) {
		if (*p++ != '"')
			continue;
		key = p - 1;
		p = skip_string(key);
		if (!string_is(key, p, "samples"))
			continue;
		p += strspn(p, " \t\r\n:");
		if (*p == '[')
			return p + 1;
	}
	return NULL;
}

static char *read_text(FILE *f)
{
	size_t n = 0, max = 1 << 16, got;
	char *text = malloc(max), *grown;

	while (text && (got = fread(text + n, 1, max - 1 - n, f)) > 0) {
		n += got;
		if (n + 1 < max)
			continue;
		max *= 2;
		grown = max > MAX_JSON_BYTES ? NULL : realloc(text, max);
		if (!grown)
			free(text);
		text = grown;
	}
	if (text)
		text[n] = '\0';
	return text;
}

/* "dir/boot.kat.xz" -> "dir/boot.linux.json" */
static char *json_path(const char *path)
{
	static const char *const endings[] = { ".xz", ".zst", ".gz", ".kat" };
	const size_t room = sizeof(".linux.json");
	size_t i, e, n = strlen(path);
	char *json = malloc(n + room);

	if (!json)
		return NULL;
	memcpy(json, path, n + 1);
	for (i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		e = strlen(endings[i]);
		if (n > e && !strcmp(json + n - e, endings[i]))
			json[n -= e] = '\0';
	}
	memcpy(json + n, ".linux.json", room);
	return json;
}

bool trace_find_linux(struct trace_reader *r, const char *path)
{
	struct trace *t = r->t;
	char *json = json_path(path), *text;
	const char *samples;
	bool ok = true;
	FILE *f;

	if (!json)
		return trace_fail(r, "out of memory");
	f = fopen(json, "r");
	if (f) {
		text = read_text(f);
		fclose(f);
		samples = text ? find_samples(text) : NULL;
		if (samples)
			ok = scan_samples(t, samples);
		else
			snprintf(t->note, sizeof(t->note), "%.400s: no "
				 "\"samples\" in it: left aside", json);
		free(text);
	}
	free(json);
	return ok || trace_fail(r, "out of memory");
}
