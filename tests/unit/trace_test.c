/* SPDX-License-Identifier: MIT */
/*
 * tests/unit/trace_test.c - the reader of traces.
 *
 * What could go wrong: a damaged or invented trace is believed, and the
 * replay then frees what was never allocated, indexes arrays with what a file
 * says, or reserves memory that a header asks for. Each case here is a good
 * trace with one thing wrong.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "unit.h"
#include "trace.h"

/* ---- building a trace -------------------------------------------------- */

#define HEADER \
	"ncpu 2\nids %u\n" \
	"cache 0 24 8 32 0 - first\n" \
	"cache 2 700 64 704 2 AHC third one\n"

static const struct trace_record good[] = {
	{ 0, TRACE_KMALLOC, 0, TRACE_F_ZERO, 0, 100 },
	{ 1, TRACE_CACHE, 1, 0, 1, 2 },
	{ 1, TRACE_PAGE, 0, 0, 2, 2 | 1 << 8 },
	{ 9, TRACE_MARK, 0, 0, TRACE_SAMPLE, 0 },
	{ 2, TRACE_SPLIT, 1, 0, 2, 3 },		/* ids 3, 4, 5, 6 */
	{ 2, TRACE_KFREE, 1, 0, 0, 0 },
	{ 2, TRACE_CFREE, 0, 0, 1, 0 },
	{ 2, TRACE_PFREE, 0, 0, 4, 0 },
	{ 2, TRACE_KMALLOC, 0, TRACE_F_PREFILL, 7, 9000 },
};

#define NR_GOOD	(sizeof(good) / sizeof(good[0]))
#define NR_IDS	8

static void put32(unsigned char *p, uint32_t v)
{
	p[0] = (unsigned char)v;
	p[1] = (unsigned char)(v >> 8);
	p[2] = (unsigned char)(v >> 16);
	p[3] = (unsigned char)(v >> 24);
}

/* The file that these records and header lines make. */
static unsigned char *build(const char *lines, const struct trace_record *rec,
			    size_t nr, size_t *n)
{
	size_t header = (64 + strlen(lines) + 15) / 16 * 16;
	unsigned char *bytes = calloc(1, header + 16 * nr + 1), *p;
	size_t i;

	assert_non_null(bytes);
	sprintf((char *)bytes, "KAT1 %zu %zu\n%s", header, nr, lines);
	for (i = 0; i < nr; i++) {
		p = bytes + header + 16 * i;
		put32(p, rec[i].dt);
		p[4] = rec[i].op;
		p[5] = rec[i].cpu;
		p[6] = (unsigned char)rec[i].flags;
		p[7] = (unsigned char)(rec[i].flags >> 8);
		put32(p + 8, rec[i].id);
		put32(p + 12, rec[i].arg);
	}
	*n = header + 16 * nr;
	return bytes;
}

static unsigned char *build_good(size_t *n)
{
	char lines[256];

	sprintf(lines, HEADER, NR_IDS);
	return build(lines, good, NR_GOOD, n);
}

/* A trace with these lines and records must be refused like this. */
static void refused(const char *lines, const struct trace_record *rec,
		    size_t nr, const char *expected)
{
	char error[TRACE_ERROR_MAX];
	struct trace t;
	size_t n;
	unsigned char *bytes = build(lines, rec, nr, &n);

	if (trace_from_bytes(&t, bytes, n, "t", error))
		fail_msg("accepted; expected '%s'", expected);
	if (strncmp(error, expected, strlen(expected)))
		fail_msg("'%s', not '%s'", error, expected);
	assert_null(t.bytes);
}

/* ---- records ----------------------------------------------------------- */

static const struct {
	size_t at;			/* this record is replaced */
	struct trace_record by;
	const char *error;
} bad_records[] = {
	{ 0, { 0, TRACE_KMALLOC, 0, 0, 1, 100 },
	  "t: record 0: id 1 is given, but 0 is next" },
	{ 1, { 0, TRACE_CACHE, 0, 0, 0, 2 },
	  "t: record 1: id 0 is given, but 1 is next" },
	{ 1, { 0, TRACE_CACHE, 0, 0, 1, 1 },
	  "t: record 1: cache 1 is not in the header" },
	{ 1, { 0, TRACE_CACHE, 0, 0, 1, 0xffffffff },
	  "t: record 1: cache 4294967295 is not in the header" },
	{ 0, { 0, TRACE_KMALLOC, 0, 0, 0, 4194305 },
	  "t: record 0: kmalloc of 4194305 bytes; the most is 4194304" },
	{ 2, { 0, TRACE_PAGE, 0, 0, 2, 11 },
	  "t: record 2: pages of order 11; the highest is 10" },
	{ 2, { 0, TRACE_PAGE, 2, 0, 2, 0 },
	  "t: record 2: CPU 2 of a machine with 2" },
	{ 3, { 0, TRACE_MARK, 0, 0, 4, 0 }, "t: record 3: mark 4 is unknown" },
	{ 3, { 0, 0, 0, 0, 0, 0 }, "t: record 3: operation 0 is unknown" },
	{ 3, { 0, 9, 0, 0, 0, 0 }, "t: record 3: operation 9 is unknown" },
	{ 4, { 0, TRACE_SPLIT, 0, 0, 1, 3 },
	  "t: record 4: split of id 1, which came from cache alloc" },
	{ 4, { 0, TRACE_SPLIT, 0, 0, 2, 4 },
	  "t: record 4: id 4 is given, but 3 is next" },
	{ 5, { 0, TRACE_KFREE, 0, 0, 1, 0 },
	  "t: record 5: kfree of id 1, which came from cache alloc" },
	{ 5, { 0, TRACE_PFREE, 0, 0, 2, 0 },
	  "t: record 5: page free of id 2, which is free already" },
	{ 5, { 0, TRACE_KFREE, 0, 0, 7, 0 },
	  "t: record 5: kfree of id 7, which is not allocated yet" },
	{ 5, { 0, TRACE_KFREE, 0, 0, 0xffffffff, 0 },
	  "t: record 5: kfree of id 4294967295, which is not allocated yet" },
	{ 7, { 0, TRACE_KFREE, 0, 0, 0, 0 },
	  "t: record 7: kfree of id 0, which is free already" },
	{ 8, { 0, TRACE_MARK, 0, 0, TRACE_END, 0 },
	  "t: the header names 8 ids, the records give 7" },
};

static void refuses_what_can_not_have_happened(void **state)
{
	struct trace_record rec[NR_GOOD];
	char lines[256];
	size_t i;

	(void)state;
	sprintf(lines, HEADER, NR_IDS);
	for (i = 0; i < sizeof(bad_records) / sizeof(bad_records[0]); i++) {
		memcpy(rec, good, sizeof(good));
		rec[bad_records[i].at] = bad_records[i].by;
		refused(lines, rec, NR_GOOD, bad_records[i].error);
	}
	sprintf(lines, HEADER, NR_IDS - 1);
	refused(lines, good, NR_GOOD,
		"t: record 8: more than the 7 ids that the header names");
}

/* ---- the header -------------------------------------------------------- */

static const struct {
	const char *more;		/* lines after the good ones */
	const char *error;
} bad_lines[] = {
	{ "cache 1\n", "t: header line 6: expected 'cache <index>" },
	{ "cache 1 0 8 8 0 - x\n", "t: header line 6: a cache of objects of "
				   "no size" },
	{ "cache 1 24 3 8 0 - x\n", "t: header line 6: alignment 3 is not" },
	{ "cache 1 24 8 8 11 - x\n", "t: header line 6: order: 11 is more" },
	{ "cache 1 -1 8 8 0 - x\n", "t: header line 6: object size: '-1' is "
				    "not a number" },
	{ "cache 2 24 8 24 0 - x\n", "t: header line 6: cache 2 is there "
				     "already" },
	{ "cache 65536 24 8 24 0 - x\n", "t: header line 6: cache index" },
	{ "cache 1 24 8 24 0 RRRRRRRRRRRRRRRR x\n", "t: header line 6: too "
						    "many flags" },
	{ "ncpu 0\n", "t: header line 6: a machine without a CPU" },
	{ "ncpu 257\n", "t: header line 6: ncpu: 257 is more than 256" },
	{ "\nids x\n", "t: header line 7: ids: 'x' is not a number" },
	{ "ids 99999999999\n", "t: header line 6: ids:" },
	{ "records 10\n", "t: the first line says 9 records" },
	{ "workload \x07\n", "t: header line 6: a control character (0x07)" },
	{ "n_kfree two\n", "t: header line 6: n_kfree: 'two' is not" },
	{ "n_kmalloc 3\nn_cache 1\n", "t: the header counts 4 objects" },
	{ "n_kmalloc 2\nn_cache 1\n", "t: the header counts 0 objects and 0 "
				      "pages of before the trace" },
	{ "n_kmalloc 1\nn_cache 1\nn_prefill_objects 1\nn_kfree 1\n"
	  "n_page 1\nn_pfree 1\nn_split 1\n",
	  "t: the header counts 0 of cache free, the records 1" },
	{ "linux-sample 1 100 0 0\n", "t: header line 6: expected "
				      "'linux-sample" },
	{ "linux-sample 10 100 0 0 4096\n", "t: header line 6: linux-sample: "
					    "10 is more than 9" },
	{ "linux-sample 1 100 0 5000 4096\n", "t: header line 6: linux-sample: "
					      "impossible figures" },
	{ "linux-sample 1 100 0 0 4096\nlinux-sample 1 100 0 0 4096\n",
	  "t: header line 7: linux-sample: records must ascend" },
	{ "linux-sample 1 101 0 0 4096\n", "t: record 1: Linux's figures are "
					   "for 101 live bytes, the trace has "
					   "100" },
};

static void refuses_bad_headers(void **state)
{
	char lines[1024];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad_lines) / sizeof(bad_lines[0]); i++) {
		sprintf(lines, HEADER "%s", NR_IDS, bad_lines[i].more);
		refused(lines, good, NR_GOOD, bad_lines[i].error);
	}
	refused("ncpu 2\n", good, 1, "t: the header has no line 'ids'");
	refused("ids 1\n", good, 1, "t: the header has no line 'ncpu'");
}

static void refuses_bad_first_lines(void **state)
{
	static const char *const first[][2] = {
		{ "KAT2 128 1\n", "not a trace" },
		{ "KAT1 128\n", "the first line is not" },
		{ "KAT1 128 1 1\n", "the first line is not" },
		{ "KAT1 +128 1\n", "the first line is not" },
		{ "KAT1 120 1\n", "the header's length is not a multiple" },
		{ "KAT1 0 1\n", "the header's length can't be right" },
		{ "KAT1 99999999999999999984 1\n", "the first line is not" },
		{ "KAT1 1099511627776 1\n", "the header's length can't" },
		{ "KAT1 128 18446744073709551615\n", "more than 2^28" },
		{ "KAT1 128 1", "the first line does not end" },
		{ "KAT1", "the first line does not end" },
		{ "KAT", "not a trace" },
	};
	char error[TRACE_ERROR_MAX];
	struct trace t;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(first) / sizeof(first[0]); i++) {
		unsigned char *b = (unsigned char *)strdup(first[i][0]);

		assert_false(trace_from_bytes(&t, b, strlen(first[i][0]), "t",
					      error));
		if (!strstr(error, first[i][1]))
			fail_msg("'%s' for '%s'", error, first[i][0]);
	}
}

/* ---- lengths, and damage anywhere -------------------------------------- */

/* Exact allocations: a tool that checks memory sees any look beyond them. */
static bool try_bytes(const unsigned char *bytes, size_t n,
		      char error[TRACE_ERROR_MAX])
{
	unsigned char *copy = malloc(n ? n : 1);
	struct trace t;
	bool ok;

	assert_non_null(copy);
	memcpy(copy, bytes, n);
	ok = trace_from_bytes(&t, copy, n, "t", error);
	if (ok)
		trace_free(&t);
	else
		assert_true(strlen(error) > 3);
	return ok;
}

static void refuses_every_other_length(void **state)
{
	char error[TRACE_ERROR_MAX];
	size_t n, k;
	unsigned char *bytes = build_good(&n);

	(void)state;
	assert_true(try_bytes(bytes, n, error));
	for (k = 0; k < n; k++)
		assert_false(try_bytes(bytes, k, error));
	assert_string_equal(error, "t: truncated in record 8 of 9");
	assert_false(try_bytes(bytes, n + 1, error));
	assert_string_equal(error, "t: something follows the last of its 9 "
			    "records");
	free(bytes);
}

/* Whatever a flipped bit makes of it: an answer, and no crash. */
static void survives_every_flipped_bit(void **state)
{
	char error[TRACE_ERROR_MAX];
	size_t n, bit, refused_ones = 0;
	unsigned char *bytes = build_good(&n);

	(void)state;
	for (bit = 0; bit < 8 * n; bit++) {
		bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
		refused_ones += !try_bytes(bytes, n, error);
		bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
	}
	assert_true(refused_ones > n);
	assert_true(try_bytes(bytes, n, error));
	free(bytes);
}

/* ---- good ones --------------------------------------------------------- */

static void reads_a_trace(void **state)
{
	char lines[512], error[TRACE_ERROR_MAX];
	struct trace_record rec;
	unsigned char *bytes;
	struct trace t;
	size_t n;

	(void)state;
	sprintf(lines, HEADER "workload test of this\nanything else\n"
		"records 9\nn_kmalloc 1\nn_cache 1\nn_prefill_objects 1\n"
		"n_page 1\nn_kfree 1\nn_cfree 1\nn_pfree 1\nn_split 1\n"
		"linux-sample 2 800 5 96 4192\n", NR_IDS);
	bytes = build(lines, good, NR_GOOD, &n);
	if (!trace_from_bytes(&t, bytes, n, "t", error))
		fail_msg("%s", error);
	assert_int_equal(t.nr_records, NR_GOOD);
	assert_int_equal(t.nr_ids, NR_IDS);
	assert_int_equal(t.nr_cpus, 2);
	assert_string_equal(t.workload, "test of this");
	assert_true(t.nr_caches >= 3);
	assert_false(t.cache[1].present);
	assert_int_equal(t.cache[2].size, 700);
	assert_int_equal(t.cache[2].linux_slot, 704);
	assert_string_equal(t.cache[2].flags, "AHC");
	assert_string_equal(t.cache[2].name, "third one");
	assert_int_equal(t.peak_bytes, 9000);
	assert_int_equal(t.peak_record, 9);
	assert_int_equal(t.peak_pages, 4);
	assert_int_equal(t.nr_linux, 1);
	assert_int_equal(t.linux_at[0].slab_bytes, 4192);
	rec = trace_record(&t, 8);
	assert_int_equal(rec.dt, 2);
	assert_int_equal(rec.flags, TRACE_F_PREFILL);
	assert_int_equal(rec.arg, 9000);
	trace_free(&t);
}

/* The same bytes through each program that this machine has. */
static void reads_compressed_files(void **state)
{
	static const char *const program[] = { "xz", "zstd", "gzip" };
	char command[128], error[TRACE_ERROR_MAX];
	const char *plain = "build/trace_test.kat";
	size_t n, i;
	unsigned char *bytes = build_good(&n);
	FILE *f = fopen(plain, "wb");
	struct trace t;

	(void)state;
	if (!f)
		skip();
	assert_int_equal(fwrite(bytes, 1, n, f), n);
	fclose(f);
	free(bytes);
	assert_true(trace_read(&t, plain, error));
	trace_free(&t);
	for (i = 0; i < sizeof(program) / sizeof(program[0]); i++) {
		snprintf(command, sizeof(command), "%s -c %s >%s.z 2>&1",
			 program[i], plain, plain);
		if (system(command))
			continue;	/* not installed */
		if (!trace_read(&t, "build/trace_test.kat.z", error))
			fail_msg("%s: %s", program[i], error);
		assert_int_equal(t.nr_records, NR_GOOD);
		trace_free(&t);
		assert_int_equal(truncate("build/trace_test.kat.z", 40), 0);
		assert_false(trace_read(&t, "build/trace_test.kat.z", error));
		assert_non_null(strstr(error, "can't decompress it"));
	}
	remove(plain);
	remove("build/trace_test.kat.z");
}

static void takes_what_fits_from_a_json_file(void **state)
{
	static const char json[] =
		"{ \"other\": [ { \"samples\": 3 } ], \"samples\" : [\n"
		"  { \"record\": 1, \"requested_small\": 100, \"x\": \"]}\\\"\","
		" \"meminfo\": { \"record\": 7 }, \"pre_trace_bytes_upper\": 5,"
		" \"tracer_object_bytes\": 96, \"slab_bytes_from_trace\": 4192"
		" },\n"
		"  { \"record\": 2, \"requested_small\": 1 },\n"
		"  { \"record\": 3, \"requested_small\": 799, "
		"\"pre_trace_bytes_upper\": 5, \"tracer_object_bytes\": 96, "
		"\"slab_bytes_from_trace\": 4192 },\n"
		"  { \"record\": null, \"requested_small\": 0, "
		"\"pre_trace_bytes_upper\": 5, \"tracer_object_bytes\": 96, "
		"\"slab_bytes_from_trace\": 8192 } ] }";
	char error[TRACE_ERROR_MAX];
	struct trace t;
	size_t n;
	unsigned char *bytes = build_good(&n);
	FILE *f = fopen("build/trace_test2.kat", "wb");
	FILE *j = fopen("build/trace_test2.linux.json", "w");

	(void)state;
	if (!f || !j)
		skip();
	fwrite(bytes, 1, n, f);
	fputs(json, j);
	fclose(f);
	fclose(j);
	free(bytes);
	assert_true(trace_read(&t, "build/trace_test2.kat", error));
	/* The second is not complete, the third is of another trace. */
	assert_int_equal(t.nr_linux, 2);
	assert_int_equal(t.linux_at[0].record, 1);
	assert_int_equal(t.linux_at[0].tracer_bytes, 96);
	assert_int_equal(t.linux_at[1].record, 9);
	assert_int_equal(t.linux_at[1].slab_bytes, 8192);
	assert_non_null(strstr(t.note, "Linux's figures are for 799"));
	trace_free(&t);
	remove("build/trace_test2.kat");
	remove("build/trace_test2.linux.json");
}

static void reads_the_traces_of_tests_data(void **state)
{
	char error[TRACE_ERROR_MAX];
	struct trace t;

	(void)state;
	if (!trace_read(&t, "tests/data/fork-head.kat", error))
		fail_msg("%s", error);
	assert_int_equal(t.nr_linux, 3);
	trace_free(&t);
	if (!trace_read(&t, "tests/data/boot-head.kat", error))
		fail_msg("%s", error);
	trace_free(&t);
}

static void refuses_what_is_no_file(void **state)
{
	char error[TRACE_ERROR_MAX];
	struct trace t;

	(void)state;
	assert_false(trace_read(&t, "/nonexistent.kat", error));
	assert_string_equal(error, "/nonexistent.kat: can't open it: No such "
			    "file or directory");
	assert_false(trace_read(&t, "/", error));
	assert_string_equal(error, "/: can't read it: Is a directory");
	assert_false(trace_read(&t, "/dev/null", error));
	assert_string_equal(error, "/dev/null: empty: no trace");
	assert_false(trace_read(&t, "/dev/zero", error));
	assert_non_null(strstr(error, "not a trace"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_what_can_not_have_happened),
		cmocka_unit_test(refuses_bad_headers),
		cmocka_unit_test(refuses_bad_first_lines),
		cmocka_unit_test(refuses_every_other_length),
		cmocka_unit_test(survives_every_flipped_bit),
		cmocka_unit_test(reads_a_trace),
		cmocka_unit_test(reads_compressed_files),
		cmocka_unit_test(takes_what_fits_from_a_json_file),
		cmocka_unit_test(reads_the_traces_of_tests_data),
		cmocka_unit_test(refuses_what_is_no_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
