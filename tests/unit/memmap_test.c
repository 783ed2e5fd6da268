/* SPDX-License-Identifier: MIT */
/*
 * tests/unit/memmap_test.c - the reader of memory maps, and what kmem makes of
 * the maps of real machines.
 *
 * What could go wrong: a line that is not understood is passed over, and with
 * it memory is lost or invented; an oddity of some firmware (overlaps, ranges
 * that end in the middle of a page, empty ranges) is counted wrong.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <string.h>

#include <host.h>

#include "unit.h"
#include "memmap.h"

#define MAPS "tests/data/memmaps"

static bool read_bytes(struct memmap *m, const char *text, size_t n,
		       char error[MEMMAP_ERROR_MAX])
{
	FILE *f = fmemopen((void *)(uintptr_t)text, n, "r");
	bool ok;

	assert_non_null(f);
	ok = memmap_read_stream(m, f, "map", error);
	fclose(f);
	return ok;
}

static bool read_text(struct memmap *m, const char *text,
		      char error[MEMMAP_ERROR_MAX])
{
	return read_bytes(m, text, strlen(text), error);
}

/* ---- bad files are refused, with the line and the reason --------------- */

static const struct {
	const char *text, *error;
} bad[] = {
	{ "\n", "map: no memory map" },
	{ "# only a comment\n", "map: no memory map" },
	{ "usable\n", "map:1: 1 field;" },
	{ "0x0 0xfff\n", "map:1: 2 fields;" },
	{ "# a\n\n0x0 0xfff usable 0 0\n", "map:3: more than 4 fields" },
	{ "0x0 0xfff usable\n0x1g 0xfff usable\n", "map:2: the start '0x1g'" },
	{ "0x0 - usable\n", "map:1: the end '-'" },
	{ "-1 0xfff usable\n", "map:1: the start '-1'" },
	{ "0x 0xfff usable\n", "map:1: the start '0x'" },
	{ "0x0x1 0xfff usable\n", "map:1: the start '0x0x1'" },
	{ "0x0 0x10000000000000000 usable\n", "map:1: the end" },
	{ "0x0 0xfff 7\n", "map:1: '7' is not a type" },
	{ "0x0 0xfff srat\n", "map:1: an srat range without its node" },
	{ "0x0 0xfff usable x\n", "map:1: the node 'x'" },
	{ "0x0 0xfff usable -1\n", "map:1: the node '-1'" },
	{ "0x0 0xfff usable 64\n", "map:1: node 64; the highest is 63" },
	{ "0x0 0xfff usable 0x1\n", "map:1: the node '0x1'" },
	{ "0x0 0xfff us\x01""able\n", "map:1: a control character (0x01)" },
	{ "# expect usable_pages 1\n", "map:1: expected '# expect" },
	{ "# expect usable_pages 1 runs -2\n", "map:1: expected '# expect" },
	{ "# expect usable_pages 1 runs 1\n# expect usable_pages 1 runs 1\n",
	  "map:2: a second 'expect'" },
};

static void refuses_bad_lines(void **state)
{
	char error[MEMMAP_ERROR_MAX];
	struct memmap m;
	size_t i;

	(void)state;
	for (i = 0; i < KMEM_ARRAY_SIZE(bad); i++) {
		if (read_text(&m, bad[i].text, error))
			fail_msg("case %zu was accepted", i);
		if (strncmp(error, bad[i].error, strlen(bad[i].error)))
			fail_msg("case %zu: '%s', not '%s'", i, error,
				 bad[i].error);
		assert_null(m.entry);
	}
}

static void refuses_long_lines_and_binaries(void **state)
{
	static const char binary[] = "0x0 0xfff us\0able\n";
	char error[MEMMAP_ERROR_MAX], line[3000];
	struct memmap m;

	(void)state;
	memset(line, 'x', sizeof(line));
	memcpy(line, "0x0 0xfff usable\n#", 18);
	assert_false(read_bytes(&m, line, sizeof(line), error));
	assert_string_equal(error,
			    "map:2: a line of more than 1023 characters");
	assert_false(read_bytes(&m, binary, sizeof(binary) - 1, error));
	assert_string_equal(error, "map:1: a control character (0x00): this "
			    "is not a text file");
}

static void refuses_what_is_no_file(void **state)
{
	char error[MEMMAP_ERROR_MAX];
	struct memmap m;

	(void)state;
	assert_false(memmap_read(&m, "/nonexistent/file", error));
	assert_string_equal(error, "/nonexistent/file: can't open it: No such "
			    "file or directory");
	assert_false(memmap_read(&m, "/", error));
	assert_string_equal(error, "/: can't read it: Is a directory");
	assert_false(memmap_read(&m, "/dev/null", error));
	assert_string_equal(error, "/dev/null: no memory map: not one entry "
			    "in it");
}

/* ---- good files -------------------------------------------------------- */

static void reads_all_that_the_format_allows(void **state)
{
	static const char text[] =
		"# machine: any\r\n"
		"# expect usable_pages 12 runs 3\r\n"
		"  0X1000\t1fff   usable\r\n"
		"\t\r\n"
		"0x5000 0x4fff reserved\n"
		"0xffffffffffffffff 0x0 efi-loader-data\n"
		"0x8000 0xffff srat 63\n"
		"0x8000 0xffff usable 3\n"
		"0x9000 0x9fff type9\n"
		"0xa000 0xafff flash-rom\n"
		"0 ffffffffffffffff pmem"; /* no end of line */
	char error[MEMMAP_ERROR_MAX];
	struct memmap m;

	(void)state;
	if (!read_text(&m, text, error))
		fail_msg("%s", error);
	assert_int_equal(m.nr_entries, 8);
	assert_true(m.has_expect);
	assert_int_equal(m.expect_pages, 12);
	assert_int_equal(m.expect_runs, 3);
	assert_int_equal(m.entry[0].start, 0x1000);
	assert_int_equal(m.entry[0].end, 0x1fff);
	assert_int_equal(m.entry[0].line, 3);
	assert_int_equal(m.entry[0].node, KMEM_NO_NODE);
	assert_int_equal(m.entry[3].type, KMEM_REGION_NODE);
	assert_int_equal(m.entry[3].node, 63);
	assert_int_equal(m.entry[4].type, KMEM_REGION_USABLE);
	assert_int_equal(m.entry[4].node, 3);
	assert_int_equal(m.entry[5].type, KMEM_REGION_RESERVED);
	/* A type of firmware's has no name; a word nobody knows is noted. */
	assert_int_equal(m.unknown_types, 1);
	assert_string_equal(m.unknown_word, "flash-rom");
	assert_int_equal(m.unknown_line, 10);
	assert_int_equal(m.entry[7].end, UINT64_MAX);
	kmem_reset();
	assert_int_equal(memmap_feed(&m, error), KMEM_OK);
	kmem_reset();
	memmap_free(&m);
}

static void says_which_entry_is_one_too_many(void **state)
{
	char error[MEMMAP_ERROR_MAX], expected[64];
	char *text = NULL;
	struct memmap m;
	size_t size;
	FILE *f = open_memstream(&text, &size);
	unsigned i;

	(void)state;
	for (i = 0; i <= KMEM_MAX_REGIONS; i++)
		fprintf(f, "%x %x usable\n", i << 16, (i << 16) + 0xfff);
	fclose(f);
	assert_true(read_text(&m, text, error));
	kmem_reset();
	assert_int_equal(memmap_feed(&m, error), KMEM_ENOSPC);
	snprintf(expected, sizeof(expected), "map:%d: more ranges",
		 KMEM_MAX_REGIONS + 1);
	assert_int_equal(strncmp(error, expected, strlen(expected)), 0);
	kmem_reset();
	memmap_free(&m);
	free(text);
}

/* ---- pieces, and machines cut to size ---------------------------------- */

static void cuts_pieces_where_page_node_and_zone_end(void **state)
{
	/* One run over the end of the zone DMA; the node changes within a
	 * page; the last page is not whole. */
	static const char text[] =
		"0xffe800 0x1002fff usable 0\n"
		"0x1003000 0x10047ff usable 0\n"
		"0x1004800 0x10068ff usable 1\n"
		"0x1008800 0x1008fff usable 1\n";
	char error[MEMMAP_ERROR_MAX];
	struct memmap_piece *p;
	struct memmap m;
	uint64_t pages;
	unsigned runs;
	size_t nr;

	(void)state;
	assert_true(read_text(&m, text, error));
	p = memmap_pieces(&m, &nr, &pages, &runs);
	assert_non_null(p);
	assert_int_equal(runs, 1);
	assert_int_equal(pages, 7);
	assert_int_equal(nr, 3);
	assert_int_equal(p[0].start, 0xfff000);
	assert_int_equal(p[0].end, 0x1000000);
	assert_int_equal(p[1].end, 0x1005000);
	assert_int_equal(p[1].node, 0);
	assert_int_equal(p[2].start, 0x1005000);
	assert_int_equal(p[2].end, 0x1006000);
	assert_int_equal(p[2].node, 1);
	free(p);
	memmap_free(&m);
}

static void check_shrunk(bool favour)
{
	static const uint64_t budget = (uint64_t)8 << 30;
	struct memmap_piece *before, *after;
	size_t nr_before, nr_after, i;
	char error[MEMMAP_ERROR_MAX];
	struct memmap m, small;
	uint64_t pages, most = 0;
	unsigned runs;

	assert_true(memmap_read(&m, MAPS "/x86-12t-uv-16node.map", error));
	assert_true(memmap_shrink(&small, &m, budget, favour));
	before = memmap_pieces(&m, &nr_before, &pages, &runs);
	after = memmap_pieces(&small, &nr_after, &pages, &runs);
	assert_true(before && after);
	assert_int_equal(nr_before, nr_after);
	for (i = 0; i < nr_before; i++) {
		assert_int_equal(before[i].start, after[i].start);
		assert_int_equal(before[i].node, after[i].node);
		assert_true(after[i].end <= before[i].end);
		if (after[i].end - after[i].start > most)
			most = after[i].end - after[i].start;
	}
	if (favour)
		assert_true(most >= budget / 2);
	else
		assert_true(most < budget / 10);
	assert_in_range(pages, (budget >> 12) * 9 / 10, (budget >> 12) * 11 /
			10);
	free(before);
	free(after);
	memmap_free(&small);
	memmap_free(&m);
}

static void shrinks_a_machine_but_keeps_its_shape(void **state)
{
	(void)state;
	check_shrunk(false);
	check_shrunk(true);
}

/* ---- every map of tests/data ------------------------------------------- */

static void check_map(const char *path)
{
	struct kmem_params params = { .nr_cpus = 4 };
	char error[MEMMAP_ERROR_MAX];
	struct kmem_boot_info info;
	struct memmap m;
	uint64_t pages;
	unsigned runs;
	size_t nr;

	if (!memmap_read(&m, path, error))
		fail_msg("%s", error);
	if (!m.has_expect)
		fail_msg("%s: no expect line", path);
	if (m.unknown_types)
		fail_msg("%s:%u: unknown type", path, m.unknown_line);
	free(memmap_pieces(&m, &nr, &pages, &runs));
	if (pages != m.expect_pages || runs != m.expect_runs)
		fail_msg("%s: the reader counts %llu pages in %u runs", path,
			 (unsigned long long)pages, runs);
	kmem_reset();
	if (memmap_feed(&m, error))
		fail_msg("%s", error);
	if (kmem_boot_plan(&params, &info) != KMEM_OK)
		fail_msg("%s: kmem can't run on it", path);
	if (info.usable_pages != m.expect_pages ||
	    info.usable_runs != m.expect_runs)
		fail_msg("%s: kmem counts %llu pages in %u runs", path,
			 (unsigned long long)info.usable_pages,
			 info.usable_runs);
	if (info.usable != info.managed + info.held + info.metadata +
			   info.rounding + info.unreachable)
		fail_msg("%s: the accounting does not add up", path);
	kmem_reset();
	memmap_free(&m);
}

static void plans_every_real_machine_exactly(void **state)
{
	DIR *dir = opendir(MAPS);
	struct dirent *entry;
	unsigned nr = 0;
	char path[512];
	size_t n;

	(void)state;
	if (!dir)
		fail_msg("no directory " MAPS ": run this from the top");
	while ((entry = readdir(dir))) {
		n = strlen(entry->d_name);
		if (n < 4 || strcmp(entry->d_name + n - 4, ".map"))
			continue;
		snprintf(path, sizeof(path), MAPS "/%s", entry->d_name);
		check_map(path);
		nr++;
	}
	closedir(dir);
	assert_true(nr >= 40);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_bad_lines),
		cmocka_unit_test(refuses_long_lines_and_binaries),
		cmocka_unit_test(refuses_what_is_no_file),
		cmocka_unit_test(reads_all_that_the_format_allows),
		cmocka_unit_test(says_which_entry_is_one_too_many),
		cmocka_unit_test(cuts_pieces_where_page_node_and_zone_end),
		cmocka_unit_test(shrinks_a_machine_but_keeps_its_shape),
		cmocka_unit_test(plans_every_real_machine_exactly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
