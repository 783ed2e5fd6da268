/* SPDX-License-Identifier: MIT */
/*
 * tests/host/trace_parts.h - between the files that make up the trace reader.
 *
 *	trace.c		the header, and the order in which things are read
 *	trace_check.c	every record, in sequence
 *	trace_linux.c	NAME.linux.json
 */
#ifndef KMEM_TESTS_TRACE_PARTS_H
#define KMEM_TESTS_TRACE_PARTS_H

#include "trace.h"

/* The trace being read, and what its header claims but records must show. */
struct trace_reader {
	struct trace *t;
	char *error;
	unsigned line;		/* of the header, while that is read */
	bool has_ids, has_records, has_cpus, has_counts;
	uint64_t ids, records;
	uint64_t count[TRACE_NR_OPS];	/* n_kmalloc ... n_split */
	uint64_t prefill_objects, prefill_pages;
	bool linux_in_header;
};

/* error = "name: header line 7: ..."; returns false. */
bool trace_fail(struct trace_reader *r, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* A number in decimal, and nothing else. */
bool trace_number(const char *word, uint64_t *value);

bool trace_add_linux(struct trace *t, const struct trace_linux *s);

/* Read every record; false: the trace is bad. */
bool trace_check(struct trace_reader *r);

/* Look for NAME.linux.json beside the trace. False: out of memory. */
bool trace_find_linux(struct trace_reader *r, const char *path);

#endif /* KMEM_TESTS_TRACE_PARTS_H */
