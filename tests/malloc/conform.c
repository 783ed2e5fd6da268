/* SPDX-License-Identifier: MIT */
/*
 * conform.c - what the C and POSIX standards, and the C library's manual, say
 * of each function.
 */
#include "check.h"

#include <limits.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

static void *volatile opaque;

/* Hide where a pointer or size came from, so that no call is optimised out. */
static void *hide(void *p)
{
	opaque = p;
	return opaque;
}

static size_t hide_size(size_t n)
{
	return (size_t)hide((void *)n);
}

/* Sizes around every boundary between two ways of serving a request. */
static size_t boundary(unsigned i)
{
	static const size_t at[] = { 16, 64, 128, 1024, 4096, 8192, 32768,
				     262144, 1 << 20, 4 << 20, 5 << 20,
				     40 << 20 };
	size_t n = sizeof(at) / sizeof(at[0]);

	return i < 3 * n ? at[i / 3] + i % 3 - 1 : 0;
}

static void sizes(void)
{
	size_t size;

	for (unsigned i = 0; (size = boundary(i)); i++) {
		char *p = hide(malloc(size));
		size_t usable = malloc_usable_size(p);

		CHECK(p && (uintptr_t)p % _Alignof(max_align_t) == 0);
		CHECK(usable >= size && usable <= 2 * size + 64);
		fill(p, usable, size);	/* all of it is ours */
		CHECK(holds(p, usable, size));
		free(p);
	}
	for (size = 1; size <= 9000; size++) {
		char *p = hide(malloc(size));

		CHECK(p && (uintptr_t)p % 16 == 0);
		fill(p, malloc_usable_size(p), size);
		free(p);
	}
}

/* Zero bytes: results differ from one another and can be freed. */
static void zero(void)
{
	void *p[100];

	for (int i = 0; i < 100; i++) {
		p[i] = hide(i % 2 ? malloc(0) : calloc(0, 8));
		CHECK(p[i] && malloc_usable_size(p[i]) > 0);
		for (int k = 0; k < i; k++)
			CHECK(p[i] != p[k]);
	}
	for (int i = 0; i < 100; i++)
		free(p[i]);
	free(hide(NULL));
	CHECK(malloc_usable_size(hide(NULL)) == 0);
}

/* Blocks that were dirty before are zero after calloc(). */
static void calloc_zeroes(void)
{
	size_t size;

	for (unsigned i = 0; (size = boundary(i)); i++)
		for (int round = 0; round < 3; round++) {
			char *p = hide(calloc(1, size));
			size_t usable = malloc_usable_size(p);

			CHECK(p);
			for (size_t k = 0; k < size; k++)
				CHECK(p[k] == 0);
			memset(p, 0xa5, usable);
			free(p);
			p = hide(malloc(size));
			memset(p, 0x5a, size);
			free(p);
		}
}

static void aligned(void)
{
	size_t sizes[] = { 0, 1, 8, 24, 100, 1000, 5000, 9000, 70000, 3000000,
			   6000000 };
	void *list[32];

	for (size_t align = 1; align <= (size_t)64 << 20; align *= 2)
		for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]);
		     i++) {
			size_t size = sizes[i];
			int n = 0;

			list[n++] = aligned_alloc(hide_size(align), size);
			list[n++] = memalign(hide_size(align), size);
			if (align >= sizeof(void *))
				CHECK(!posix_memalign(&list[n++], align,
						      size));
			list[n++] = aligned_alloc(hide_size(align), size);
			for (int k = 0; k < n; k++) {
				CHECK(list[k] &&
				      (uintptr_t)list[k] % align == 0);
				CHECK(malloc_usable_size(list[k]) >= size);
				fill(list[k], size, align + (size_t)k);
			}
			for (int k = 0; k < n; k++) {
				CHECK(holds(list[k], size,
					    align + (size_t)k));
				free(list[k]);
			}
		}
	for (int k = 0; k < 3; k++) {
		void *p = hide(k == 0 ? valloc(100) : k == 1 ? pvalloc(100) :
			       pvalloc(0));

		CHECK(p && (uintptr_t)p % 4096 == 0);
		CHECK(k == 0 || malloc_usable_size(p) >= 4096);
		free(p);
	}
}

/* Impossible requests: NULL and ENOMEM or EINVAL, and nothing is changed. */
static void failures(void)
{
	static const size_t huge[] = { SIZE_MAX, SIZE_MAX - 15,
				       SIZE_MAX / 2 + 1, SIZE_MAX / 2,
				       (size_t)PTRDIFF_MAX - 4095,
				       (size_t)1 << 48 };
	void *volatile keep = hide(malloc(100));
	void *out = keep;

	fill(keep, 100, 1);
	for (unsigned i = 0; i < sizeof(huge) / sizeof(huge[0]); i++) {
		size_t n = hide_size(huge[i]);

#define FAILS(call, error) \
		(errno = 0, (call) == NULL && errno == (error))
		CHECK(FAILS(hide(malloc(n)), ENOMEM));
		CHECK(FAILS(hide(calloc(n, 1)), ENOMEM));
		CHECK(FAILS(hide(calloc(1, n)), ENOMEM));
		CHECK(FAILS(hide(realloc(NULL, n)), ENOMEM));
		CHECK(FAILS(hide(realloc(hide(keep), n)), ENOMEM));
		CHECK(FAILS(hide(reallocarray(hide(keep), 1, n)), ENOMEM));
		CHECK(FAILS(hide(aligned_alloc(64, n)), ENOMEM));
		CHECK(FAILS(hide(aligned_alloc((size_t)1 << 30, n)), ENOMEM));
		CHECK(FAILS(hide(valloc(n)), ENOMEM));
		CHECK(FAILS(hide(pvalloc(n)), ENOMEM));
		errno = 0;
		CHECK(posix_memalign(&out, 64, n) == ENOMEM);
		CHECK(errno == 0 && out == keep);
	}
	CHECK(FAILS(hide(calloc(hide_size(SIZE_MAX / 2), 3)), ENOMEM));
	CHECK(FAILS(hide(reallocarray(hide(keep), hide_size(SIZE_MAX / 8), 9)),
		    ENOMEM));
	CHECK(FAILS(hide(aligned_alloc(hide_size(48), 96)), EINVAL));
	CHECK(FAILS(hide(aligned_alloc(hide_size(0), 96)), EINVAL));
	CHECK(posix_memalign(&out, 4, 8) == EINVAL);
	CHECK(posix_memalign(&out, 24, 8) == EINVAL && out == keep);
	CHECK(posix_memalign(&out, 0, 8) == EINVAL);
	CHECK(holds(keep, 100, 1));
	free(keep);
}

/* The content up to the smaller size survives every way of moving. */
static void realloc_keeps(void)
{
	size_t from, to;

	for (unsigned i = 0; (from = boundary(i)); i++)
		for (unsigned k = 0; (to = boundary(k)); k++) {
			size_t n = from < to ? from : to;
			char *p = hide(malloc(from));

			n = n < 100000 ? n : 100000;
			fill(p, n, i);
			p[from - 1] = 1;
			p = hide(realloc(p, to));
			CHECK(p && holds(p, n - 1, i));
			CHECK(malloc_usable_size(p) >= to);
			p[to - 1] = 2;
			free(p);
		}
	char *p = hide(realloc(NULL, 10));

	CHECK(p);
	CHECK(!hide(realloc(p, 0)));	/* freed: and again, it would abort */
	p = NULL;
	for (size_t n = 1; n < 20u << 20; n += n / 7 + 1) {
		p = hide(realloc(p, n));
		CHECK(p);
		p[n - 1] = (char)n;
		if (n == 1)
			p[0] = 42;
	}
	CHECK(p[0] == 42);
	p = hide(realloc(p, 32));	/* a little piece holds no large block */
	CHECK(p[0] == 42 && malloc_usable_size(p) < 4096);
	free(p);
	p = hide(reallocarray(NULL, 10, 10));
	CHECK(malloc_usable_size(p) >= 100);
	free(p);
}

/* free() leaves errno alone (POSIX 2024), unmapping included. */
static void errno_kept(void)
{
	size_t size;

	for (unsigned i = 0; (size = boundary(i)); i++) {
		void *p = hide(malloc(size));

		errno = 4711;
		free(p);
		CHECK(errno == 4711);
	}
}

static void c23(void)
{
	free_sized_fn *sized = (free_sized_fn *)dlsym(RTLD_DEFAULT,
						      "free_sized");
	free_aligned_sized_fn *both = (free_aligned_sized_fn *)
		dlsym(RTLD_DEFAULT, "free_aligned_sized");

	CHECK(sized && both);
	sized(malloc(100), 100);
	sized(NULL, 0);
	both(aligned_alloc(256, 1000), 256, 1000);
}

static void information(void)
{
	struct mallinfo2 before = mallinfo2(), after;
	void *p = malloc(1 << 20), *q = malloc(8 << 20);

	after = mallinfo2();
	CHECK(after.uordblks >= before.uordblks + (1 << 20));
	CHECK(after.hblks == before.hblks + 1);
	CHECK(after.hblkhd >= before.hblkhd + (8 << 20));
	CHECK(after.arena == after.uordblks + after.fordblks);
	free(p);
	free(q);
	CHECK(mallinfo2().hblks == before.hblks);
	CHECK(mallopt(M_MMAP_THRESHOLD, 1) == 0);
	malloc_trim(0);
	CHECK(malloc_trim(0) == 0);
	free(malloc(8 << 20));
	CHECK(malloc_trim(0) == 1);
}

static long faults(void)
{
	struct rusage use;

	CHECK(!getrusage(RUSAGE_SELF, &use));
	return use.ru_minflt;
}

/* A block of so many MiB, written. */
static char *written(size_t mib)
{
	char *p = malloc(mib << 20);

	CHECK(p);
	fill(p, mib << 20, mib);
	return p;
}

/* Mapped blocks that are freed are kept, and used again: whole, in part, enlarged;
 * and by who asks for zeros. */
static void big_reused(void)
{
	char *p, *q;
	long before;

	malloc_trim(0);
	p = written(12);
	free(p);
	CHECK(mallinfo2().keepcost >= 12u << 20);
	before = faults();
	q = written(12);
	CHECK(q == p && faults() - before < 100);
	free(q);
	q = written(5);
	CHECK(q == p && faults() - before < 100);
	p = written(7);
	CHECK(p == q + (5 << 20) && faults() - before < 100);
	CHECK(holds(q, 5 << 20, 5) && holds(p, 7 << 20, 7));
	free(q);
	free(p);
	p = written(9);				/* 2 MiB of it are new */
	CHECK(faults() - before < 512 + 200);
	free(p);
	CHECK(p = calloc(1, 9 << 20));
	for (size_t i = 0; i < 9u << 20; i++)
		CHECK(!p[i]);
	free(p);
	CHECK(p = aligned_alloc(32 << 20, 5 << 20));
	CHECK(!((uintptr_t)p % (32 << 20)));
	fill(p, 5 << 20, 1);
	free(p);
	CHECK(malloc_trim(0) == 1 && mallinfo2().keepcost == 0);
}

/* But no more than a part of what is in use, whatever is freed last. */
static void big_kept_is_bounded(void)
{
	enum { N = 16 };
	char *p[N], *large = malloc((size_t)1 << 30), *sparse;
	long before;

	CHECK(large);
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < N; i++)
			CHECK(p[i] = malloc(30 << 20));
		for (int i = 0; i < N; i++)
			free(p[i]);
		CHECK(mallinfo2().keepcost >= 200u << 20);
		CHECK(mallinfo2().keepcost <= 256u << 20);
		if (round) {
			free(large);
			CHECK(mallinfo2().keepcost <= 32u << 20);
		} else {
			CHECK(large = realloc(large, 30 << 20));
			CHECK(mallinfo2().keepcost <= 40u << 20);
			CHECK(large = realloc(large, 1 << 30));
		}
	}
	malloc_trim(0);
	/* Many that are freed unwritten, one after the other, take one place. */
	free(written(10));
	for (int i = 0; i < 100; i++) {
		CHECK(sparse = calloc(1, 2 << 20));
		free(sparse);
	}
	before = faults();
	free(written(8));
	CHECK(faults() - before < 100);
	malloc_trim(0);
}

/* A block that is several mappings, because its last user has split it, grows. */
static void big_split(void)
{
	char *p, *q;

	CHECK(p = malloc(16 << 20));
	CHECK(!madvise((void *)(((uintptr_t)p + 65536) & ~(uintptr_t)65535),
		       8 << 20, MADV_NOHUGEPAGE));
	free(p);
	CHECK(q = malloc(16 << 20));
	CHECK(q == p);
	fill(q, 16 << 20, 3);
	CHECK(q = realloc(q, 24 << 20));
	CHECK(holds(q, 16 << 20, 3));
	free(q);
	malloc_trim(0);
}

/* What is kept is given up for a request that fails otherwise. */
static void big_kept_in_need(void)
{
	struct rlimit old, tight;
	char *p = written(40);
	unsigned long pages;
	FILE *f;

	malloc_trim(0);
	free(written(30));
	f = fopen("/proc/self/statm", "r");
	CHECK(f && fscanf(f, "%lu", &pages) == 1);
	fclose(f);
	CHECK(!getrlimit(RLIMIT_AS, &old));
	tight = old;
	tight.rlim_cur = pages * (size_t)sysconf(_SC_PAGESIZE) + (10u << 20);
	CHECK(!setrlimit(RLIMIT_AS, &tight));
	CHECK(p = realloc(p, 60 << 20));
	CHECK(holds(p, 40 << 20, 40));
	free(p);
	free(written(30));
	CHECK(p = aligned_alloc(8 << 20, 64 << 20));
	free(p);
	free(written(30));
	CHECK(p = calloc(1, 68 << 20));
	free(p);
	CHECK(!malloc(200 << 20) && errno == ENOMEM);
	CHECK(!setrlimit(RLIMIT_AS, &old));
	malloc_trim(0);
}

/* Many mapped blocks: their table grows, and forgets what is freed. */
static void many_big(void)
{
	enum { N = 2000 };
	static char *p[N];
	uint64_t seed = 1;

	for (int i = 0; i < N; i++) {
		p[i] = malloc((5u << 20) + (size_t)i * 4096);
		CHECK(p[i]);
		p[i][0] = (char)i;
	}
	for (int i = 0; i < 10000; i++) {
		int k = (int)(next_random(&seed) % N);

		CHECK(p[k][0] == (char)k);
		free(p[k]);
		p[k] = malloc((5u << 20) + next_random(&seed) % 100 * 4096);
		CHECK(p[k]);
		p[k][0] = (char)k;
	}
	for (int i = 0; i < N; i++) {
		CHECK(p[i][0] == (char)i);
		CHECK(malloc_usable_size(p[i]) >= 5u << 20);
		free(p[i]);
	}
	CHECK(mallinfo2().hblks == 0);
}

/* A walk at random, every byte verified. */
static void storm(void)
{
	enum { N = 4000, STEPS = 400000 };
	static struct { char *p; size_t n; } b[N];
	uint64_t seed = 7;

	for (int step = 0; step < STEPS; step++) {
		size_t k = next_random(&seed) % N;
		size_t n = next_random(&seed) % (step % 64 ? 600 : 60000) + 1;

		if (!b[k].p) {
			b[k].p = malloc(n);
		} else if (step % 3) {
			CHECK(holds(b[k].p, b[k].n, k));
			free(b[k].p);
			b[k].p = NULL;
			continue;
		} else {
			CHECK(holds(b[k].p, b[k].n, k));
			b[k].p = realloc(b[k].p, n);
			CHECK(holds(b[k].p, n < b[k].n ? n : b[k].n, k));
		}
		CHECK(b[k].p);
		b[k].n = n;
		fill(b[k].p, n, k);
	}
	for (int k = 0; k < N; k++)
		free(b[k].p);
}

int main(void)
{
	check_preloaded();
	sizes();
	zero();
	calloc_zeroes();
	aligned();
	failures();
	realloc_keeps();
	errno_kept();
	c23();
	information();
	many_big();
	big_reused();
	big_kept_is_bounded();
	big_split();
	big_kept_in_need();
	storm();
	puts("15 cases passed");
	return 0;
}
