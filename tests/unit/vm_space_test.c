// SPDX-License-Identifier: MIT
/*
 * tests/unit/vm_space_test.c - first fit in a range of addresses.
 *
 * The oracle is an array with a byte for each page of a small range: it is
 * searched from the bottom, page by page, and knows no tree.
 */
#include "unit.h"
#include "vm_space.h"

#define BASE	((uintptr_t)0x40000000)
#define PAGES	300u

static struct vm_space space;
static unsigned char taken[PAGES];

static void print_line(void *ctx, const char *line)
{
	(void)ctx;
	fprintf(stderr, "%s\n", line);
}

static size_t violations(bool silent)
{
	struct check c = { .out = silent ? NULL : print_line };

	vm_space_check(&space, &c);
	return c.violations;
}

static void start(size_t pages)
{
	vm_space_init(&space, BASE, BASE + pages * PAGE);
	memset(taken, 0, sizeof(taken));
}

static bool take(struct vm_node *n, size_t pages, size_t align, size_t lead)
{
	struct vm_search q = {
		.size = pages * PAGE, .align = align * PAGE,
		.lead = lead * PAGE,
	};
	enum vm_found found;

	do {
		found = vm_space_try(&space, n, &q);
	} while (found == VM_AGAIN);
	return found == VM_TAKEN;
}

static bool free_run(size_t at, size_t pages)
{
	for (size_t i = 0; i < pages; i++)
		if (at + i >= PAGES || taken[at + i])
			return false;
	return true;
}

/* The lowest place, or PAGES. */
static size_t oracle_place(size_t pages, size_t align, size_t lead)
{
	for (size_t at = 0; at < PAGES; at++)
		if ((BASE / PAGE + at + lead) % align == 0 &&
		    free_run(at, pages))
			return at;
	return PAGES;
}

static size_t oracle_largest(void)
{
	size_t best = 0, run = 0;

	for (size_t i = 0; i < PAGES; i++) {
		run = taken[i] ? 0 : run + 1;
		best = run > best ? run : best;
	}
	return best;
}

static void mark(const struct vm_node *n, unsigned char what)
{
	for (uintptr_t at = n->start; at < n->end; at += PAGE) {
		size_t i = (at - BASE) / PAGE;

		assert_true(i < PAGES && taken[i] != what);
		taken[i] = what;
	}
}

/* The node found at each page is the one that has it, or the next above. */
static void check_finding(void)
{
	for (size_t i = 0; i < PAGES; i++) {
		uintptr_t at = BASE + i * PAGE + PAGE / 2;
		struct vm_node *n = vm_space_from(&space, at);

		assert_int_equal(n && n->start <= at, taken[i]);
		assert_true(!n || n->end > at);
	}
	assert_null(vm_space_from(&space, BASE + PAGES * PAGE));
}

/* A tree that loses a gap, or an area that overlaps another, shows up against
 * pages searched one by one; an alignment that only some gaps can satisfy by
 * chance must be found there. */
static void agrees_with_oracle(void **state)
{
	static struct vm_node node[PAGES];
	static bool used[PAGES];
	uint64_t rng = test_seed("vm_space");

	(void)state;
	start(PAGES);
	memset(used, 0, sizeof(used));
	for (unsigned i = 0; i < test_scaled(60000); i++) {
		size_t k = test_below(&rng, 100), pages = 1 +
			   test_below(&rng, test_below(&rng, 8) ? 6 : 60);
		size_t align = (size_t)1 << (test_below(&rng, 3) ? 0 :
					     test_below(&rng, 6));
		size_t lead = test_below(&rng, 2), at;

		if (used[k]) {
			mark(&node[k], 0);
			vm_space_give(&space, &node[k]);
		} else {
			at = oracle_place(pages, align, lead);
			used[k] = !take(&node[k], pages, align, lead);
			assert_int_equal(used[k], at == PAGES);
			if (used[k]) {
				used[k] = false;
				continue;
			}
			if (align == 1)
				assert_int_equal(node[k].start,
						 BASE + at * PAGE);
			assert_int_equal((node[k].start + lead * PAGE) %
					 (align * PAGE), 0);
			assert_int_equal(node[k].end - node[k].start,
					 pages * PAGE);
			mark(&node[k], 1);
		}
		used[k] = !used[k];
		assert_int_equal(violations(false), 0);
		assert_int_equal(space.root->max_gap, oracle_largest() * PAGE);
		if (i % 64 == 0)
			check_finding();
	}
}

/* A range that is full to its last page refuses one more, and gives what has
 * come free, wherever that is. */
static void fills_exactly(void **state)
{
	static struct vm_node node[PAGES];
	struct vm_node more;

	(void)state;
	start(PAGES);
	for (size_t i = 0; i < PAGES; i++) {
		assert_true(take(&node[i], 1, 1, 0));
		assert_int_equal(node[i].start, BASE + i * PAGE);
	}
	assert_false(take(&more, 1, 1, 0));
	for (size_t i = 0; i < PAGES; i++) {
		vm_space_give(&space, &node[i]);
		assert_false(take(&more, 2, 1, 0));
		assert_true(take(&node[i], 1, 1, 0));
		assert_int_equal(node[i].start, BASE + i * PAGE);
	}
	for (size_t i = PAGES; i-- > 0; )
		vm_space_give(&space, &node[i]);
	assert_int_equal(violations(false), 0);
	assert_true(take(&more, PAGES, 1, 0));
	assert_false(take(&node[0], 1, 1, 0));
}

/* Sizes and alignments so large that adding them wraps. */
static void huge_requests(void **state)
{
	struct vm_search q = { .size = SIZE_MAX & ~(PAGE - 1), .align = PAGE };
	struct vm_node n;

	(void)state;
	start(PAGES);
	assert_int_equal(vm_space_try(&space, &n, &q), VM_NONE);
	q.align = SIZE_MAX / 2 + 1;
	assert_int_equal(vm_space_try(&space, &n, &q), VM_AGAIN);
	assert_int_equal(vm_space_try(&space, &n, &q), VM_NONE);
	q = (struct vm_search){ .size = PAGE, .align = SIZE_MAX / 2 + 1 };
	while (vm_space_try(&space, &n, &q) == VM_AGAIN)
		;
	q = (struct vm_search){ .size = PAGE, .align = PAGE,
				.lead = SIZE_MAX & ~(PAGE - 1) };
	while (vm_space_try(&space, &n, &q) == VM_AGAIN)
		;
	assert_int_equal(space.nr, 0);
	assert_int_equal(violations(false), 0);
}

/* The nodes looked at by one take or give among n areas, on average and at
 * most, with every other area given back so that gaps are everywhere. */
static void count_steps(size_t n, double *average, size_t *most)
{
	struct vm_node *node = calloc(n + 1, sizeof(*node));
	size_t total = 0, ops = 0, before;
	uint64_t rng = n;

	assert_non_null(node);
	vm_space_init(&space, BASE, BASE + 4 * n * PAGE);
	for (size_t i = 0; i < n; i++)
		assert_true(take(&node[i], 1 + i % 3, 1, 0));
	*most = 0;
	for (size_t i = 0; i < 4000; i++) {
		size_t k = test_below(&rng, n);

		before = space.steps;
		vm_space_give(&space, &node[k]);
		assert_true(take(&node[k], 1 + test_below(&rng, 3), 1, 0));
		assert_non_null(vm_space_from(&space, node[k].start));
		before = space.steps - before;
		total += before;
		ops += 3;
		*most = before > *most ? before : *most;
	}
	assert_int_equal(violations(false), 0);
	*average = (double)total / (double)ops;
	free(node);
}

/* What is linear with a list: ten times the areas must cost a few steps more,
 * not ten times as many. */
static void steps_grow_with_the_logarithm(void **state)
{
	size_t largest = test_scaled(100) >= 30 ? 100000 : 10000, most;
	double average, last = 0;

	(void)state;
	for (size_t n = 100; n <= largest; n *= 10) {
		unsigned log2_n = 0;

		while ((size_t)1 << log2_n < n)
			log2_n++;
		count_steps(n, &average, &most);
		printf("%zu areas: %.1f steps an operation, at most %zu for "
		       "three\n", n, average, most);
		/* Down and up a tree of height 1.44 log2 n, thrice. */
		assert_true(most <= 3 * 2 * 3 * (log2_n + 2) / 2);
		assert_true(last == 0 || average - last < 8);
		last = average;
	}
}

/* The checker must see what a broken tree looks like. */
static void checker_sees(void **state)
{
	static struct vm_node node[7];

	(void)state;
	start(PAGES);
	for (size_t i = 0; i < 7; i++)
		assert_true(take(&node[i], 2, 1, 0));
	vm_space_give(&space, &node[3]);
	assert_int_equal(violations(true), 0);
#define SEES(change, undo) \
	do { \
		change; \
		assert_true(violations(true)); \
		undo; \
		assert_int_equal(violations(true), 0); \
	} while (0)
	SEES(node[4].gap--, node[4].gap++);				/* V2 */
	SEES(space.root->max_gap++, space.root->max_gap--);		/* V2 */
	SEES(space.taken_bytes++, space.taken_bytes--);			/* V2 */
	SEES(space.nr++, space.nr--);					/* V2 */
	SEES(node[1].height++, node[1].height--);			/* V3 */
	SEES(node[2].end += PAGE, node[2].end -= PAGE);			/* V2 */
	SEES(node[5].end += PAGE, node[5].end -= PAGE);			/* V1 */
	SEES(node[0].start -= PAGE, node[0].start += PAGE);		/* V1 */
	SEES(space.root->parent = &node[0], space.root->parent = NULL);	/* V1 */
#undef SEES
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_oracle),
		cmocka_unit_test(fills_exactly),
		cmocka_unit_test(huge_requests),
		cmocka_unit_test(steps_grow_with_the_logarithm),
		cmocka_unit_test(checker_sees),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
