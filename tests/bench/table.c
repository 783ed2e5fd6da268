/* SPDX-License-Identifier: MIT */
/*
 * tests/bench/table.c - what is printed, and the same for programs.
 */
#include "bench.h"

#include <kmem/compiler.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#define NONE	((size_t)-1)

static size_t contender_of(const struct bench *b, enum bench_kind kind)
{
	size_t i;

	for (i = 0; i < b->nr_contenders; i++)
		if (b->contender[i].kind == kind)
			return i;
	return NONE;
}

static bool usable(const struct bench *b, size_t row, size_t who)
{
	return who != NONE && b->cell[row][who].has &&
	       !b->cell[row][who].failed;
}

static size_t best_peer(const struct bench *b, size_t row)
{
	size_t i, best = NONE;

	for (i = 0; i < b->nr_contenders; i++)
		if (b->contender[i].kind == BENCH_PEER && usable(b, row, i) &&
		    (best == NONE || b->cell[row][i].median <
		     b->cell[row][best].median))
			best = i;
	return best;
}

/* ---- one row ----------------------------------------------------------- */

static void print_number(double x)
{
	printf("%9.*f", x < 10 ? 2 : x < 100 ? 1 : 0, x);
}

static void print_cell(const struct bench *b, size_t row, size_t who)
{
	if (usable(b, row, who))
		print_number(b->cell[row][who].median);
	else
		printf("%9s", b->cell[row][who].failed ? "FAILED" : "-");
}

enum verdict { NO_TARGET, MET, MISSED };

static enum verdict verdict(const struct bench *b, size_t row, char text[32])
{
	const struct bench_row *r = &b->row[row];
	size_t ours = contender_of(b, r->ours), best = best_peer(b, row);
	double got, want;

	text[0] = '\0';
	if (!usable(b, row, ours))
		return NO_TARGET;
	got = b->cell[row][ours].median;
	if (r->target_ticks > 0) {
		want = r->target_ticks;
		got *= bench_ticks_per_ns();
		snprintf(text, 32, "%g ticks", want);
	} else if (r->target_value > 0) {
		want = r->target_value;
		snprintf(text, 32, "%g", want);
	} else if (r->target > 0 && best != NONE) {
		want = r->target;
		got /= b->cell[row][best].median;
		snprintf(text, 32, "x %.2f", want);
	} else {
		return NO_TARGET;
	}
	return got <= want ? MET : MISSED;
}

static enum verdict print_row(const struct bench *b, size_t row)
{
	static const char *const words[] = { "", "met", "MISSED" };
	const struct bench_row *r = &b->row[row];
	size_t ours = contender_of(b, r->ours), best = best_peer(b, row), i;
	char target[32];
	enum verdict v = verdict(b, row, target);

	printf("%-38s", r->name);
	for (i = 0; i < b->nr_contenders; i++)
		print_cell(b, row, i);
	if (usable(b, row, ours) && best != NONE)
		printf("  %6.2f %-9.9s", b->cell[row][ours].median /
		       b->cell[row][best].median, b->contender[best].name);
	else
		printf("  %6s %-9s", "-", "");
	printf(" %-9s %-6s", target, words[v]);
	if (usable(b, row, ours) && r->unit == BENCH_NS)
		printf(" %8.1f  %.3g..%.3g", b->cell[row][ours].median *
		       bench_ticks_per_ns(), b->cell[row][ours].least,
		       b->cell[row][ours].most);
	printf("\n");
	return v;
}

/* ---- all of them ------------------------------------------------------- */

static void print_head(const struct bench *b)
{
	size_t i;

	printf("\nns for an allocation and its free, medians of %u rounds of "
	       "%u ms; 1 ns is %.3f ticks of the TSC\n(not core cycles). "
	       "ratio: kmem to the best peer of the row (bulk: its caches). "
	       "floor: an array, no allocator.\n\n%-38s", b->rounds,
	       b->budget_ms, bench_ticks_per_ns(), "");
	for (i = 0; i < b->nr_contenders; i++)
		printf("%9.8s", b->contender[i].name);
	printf("  %6s %-9s %-9s %-6s %8s  %s\n", "ratio", "best peer",
	       "target", "", "ticks", "kmem min..max");
}

/* kmem's time to this peer's, over the rows of throughput. */
static double geometric_mean(const struct bench *b, size_t peer, size_t *n)
{
	double sum = 0;
	size_t row, ours;

	*n = 0;
	for (row = 0; row < b->nr_rows; row++) {
		ours = contender_of(b, b->row[row].ours);
		if (b->row[row].unit != BENCH_NS || !usable(b, row, peer) ||
		    b->row[row].work == bench_latency ||
		    !usable(b, row, ours))
			continue;
		sum += log(b->cell[row][ours].median /
			   b->cell[row][peer].median);
		++*n;
	}
	return *n ? exp(sum / (double)*n) : 0;
}

static void print_means(const struct bench *b)
{
	unsigned met = 0, missed = 0;
	size_t i, n;
	double mean;

	printf("\nGeometric mean of kmem / peer, rows of throughput "
	       "(target: below 0.85)\n");
	for (i = 0; i < b->nr_contenders; i++) {
		if (b->contender[i].kind != BENCH_PEER)
			continue;
		mean = geometric_mean(b, i, &n);
		if (!n)
			continue;
		printf("  %-12s %5.2f  over %zu rows  %s\n",
		       b->contender[i].name, mean, n,
		       mean < 0.85 ? "met" : "MISSED");
		met += mean < 0.85;
		missed += mean >= 0.85;
	}
	printf("  %u met, %u missed\n", met, missed);
}

void bench_print(const struct bench *b)
{
	unsigned count[3] = { 0, 0, 0 };
	size_t row;

	print_head(b);
	for (row = 0; row < b->nr_rows; row++)
		count[print_row(b, row)]++;
	printf("\nTargets of single rows: %u met, %u missed, %u rows without "
	       "one\n", count[MET], count[MISSED], count[NO_TARGET]);
	print_means(b);
}

/* ---- for programs ------------------------------------------------------ */

/* One line a row and contender. */
static void write_long(const struct bench *b, FILE *f)
{
	static const char *const units[] = { "ns", "ratio", "instructions" };
	size_t row, i;

	fprintf(f, "row\tcontender\tunit\tmedian\tmin\tmax\n");
	for (row = 0; row < b->nr_rows; row++)
		for (i = 0; i < b->nr_contenders; i++)
			if (usable(b, row, i))
				fprintf(f, "%s\t%s\t%s\t%g\t%g\t%g\n",
					b->row[row].name,
					b->contender[i].name,
					units[b->row[row].unit],
					b->cell[row][i].median,
					b->cell[row][i].least,
					b->cell[row][i].most);
}

/* One line a row, a column a contender: what a plot wants. */
static void write_wide(const struct bench *b, FILE *f)
{
	size_t row, i;

	fprintf(f, "row");
	for (i = 0; i < b->nr_contenders; i++)
		fprintf(f, "\t%s", b->contender[i].name);
	for (row = 0; row < b->nr_rows; row++) {
		fprintf(f, "\n%s", b->row[row].name);
		for (i = 0; i < b->nr_contenders; i++)
			if (usable(b, row, i))
				fprintf(f, "\t%g", b->cell[row][i].median);
			else
				fprintf(f, "\t?");
	}
	fprintf(f, "\n");
}

static bool write_file(const struct bench *b, const char *directory,
		       const char *name,
		       void (*fn)(const struct bench *, FILE *))
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	f = fopen(path, "w");
	if (!f) {
		perror(path);
		return false;
	}
	fn(b, f);
	return !fclose(f);
}

bool bench_write(const struct bench *b, const char *directory)
{
	return write_file(b, directory, "bench.tsv", write_long) &&
	       write_file(b, directory, "bench-wide.tsv", write_wide);
}
