/* SPDX-License-Identifier: MIT */
/*
 * tests/host/trace.h - recorded sequences of allocations (.kat files).
 *
 * A trace is a text header and then records of 16 bytes; the format is
 * described in tests/data/README.md. A trace that trace_read() has accepted
 * is consistent from end to end: whoever replays it need check nothing.
 */
#ifndef KMEM_TESTS_TRACE_H
#define KMEM_TESTS_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TRACE_ERROR_MAX		512
#define TRACE_RECORD_BYTES	16
#define TRACE_NAME_MAX		64
#define TRACE_MAX_ORDER		10
#define TRACE_MAX_BYTES		((uint32_t)4 << 20) /* of one object */
#define TRACE_SMALL_BYTES	8192	/* Linux's kmalloc takes pages above */

enum trace_op {
	TRACE_KMALLOC = 1,	/* arg: bytes */
	TRACE_CACHE,		/* arg: index of the cache */
	TRACE_PAGE,		/* arg: order, and the migrate type */
	TRACE_KFREE, TRACE_CFREE, TRACE_PFREE,
	TRACE_SPLIT,		/* arg: first of 2^order new ids */
	TRACE_MARK,		/* id: enum trace_mark; arg: sample number */
	TRACE_NR_OPS
};

enum trace_mark { TRACE_WORKLOAD = 1, TRACE_SAMPLE, TRACE_END };

enum trace_flags {
	TRACE_F_ZERO = 1 << 0, TRACE_F_NOWAIT = 1 << 1,
	TRACE_F_RECLAIMABLE = 1 << 2, TRACE_F_MOVABLE = 1 << 3,
	TRACE_F_ACCOUNT = 1 << 4, TRACE_F_DMA = 1 << 5,
	TRACE_F_DMA32 = 1 << 6, TRACE_F_HIGHPRIO = 1 << 7,
	TRACE_F_NOFAIL = 1 << 8, TRACE_F_MAYFAIL = 1 << 9,
	TRACE_F_COMP = 1 << 10, TRACE_F_BULK = 1 << 11,
	TRACE_F_HARDIRQ = 1 << 12, TRACE_F_SOFTIRQ = 1 << 13,
	TRACE_F_INFERRED = 1 << 14, TRACE_F_PREFILL = 1 << 15,
};

struct trace_record {
	uint32_t dt;		/* 100 ns since the record before */
	uint8_t op, cpu;
	uint16_t flags;
	uint32_t id, arg;
};

/* A `cache` line of the header. */
struct trace_cache {
	bool present;
	uint32_t size, align;
	uint32_t linux_slot, linux_order; /* what Linux made of it */
	char flags[16];		/* of R T A H D C, or "-" */
	char name[TRACE_NAME_MAX];
};

/* What Linux itself needed just before a record. */
struct trace_linux {
	uint32_t record;
	uint64_t requested_small; /* live bytes, kmalloc above 8 KiB aside */
	uint64_t pre_trace_bytes; /* live, but older than the trace */
	uint64_t tracer_bytes;	/* objects of the tracer */
	uint64_t slab_bytes;	/* all pages of slabs */
};

struct trace {
	char *name;		/* as messages show it */
	unsigned char *bytes;	/* the whole file, decompressed */
	size_t nr_bytes;
	const unsigned char *records;
	size_t header_bytes;
	uint32_t nr_records, nr_ids;
	unsigned nr_cpus;
	char workload[TRACE_NAME_MAX];

	struct trace_cache *cache; /* by index; not all need be present */
	size_t nr_caches;

	struct trace_linux *linux_at; /* by record, ascending */
	size_t nr_linux;
	char note[TRACE_ERROR_MAX]; /* why a .linux.json was not used, or "" */

	uint32_t nr_ops[TRACE_NR_OPS];
	uint64_t peak_bytes;	/* live requested bytes of objects */
	uint32_t peak_record;	/* reached just before this record */
	uint64_t peak_pages;	/* live pages of page allocations */
};

/*
 * Read a trace from a file: plain, or compressed with xz, zstd or gzip, which
 * its first bytes tell. "-" is standard input. What Linux needed is taken
 * from the header or else from NAME.linux.json beside NAME.kat.
 *
 * On failure error holds one line that names the file and, where they apply,
 * the line of the header or the number of the record; and the trace is empty.
 */
bool trace_read(struct trace *t, const char *path,
		char error[TRACE_ERROR_MAX]);

/* The same from bytes that malloc() gave; they become the trace's. */
bool trace_from_bytes(struct trace *t, unsigned char *bytes, size_t nr_bytes,
		      const char *name, char error[TRACE_ERROR_MAX]);

void trace_free(struct trace *t);

/* The n-th record, decoded. */
struct trace_record trace_record(const struct trace *t, uint32_t n);

#endif /* KMEM_TESTS_TRACE_H */
