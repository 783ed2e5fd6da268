/* SPDX-License-Identifier: MIT */
/*
 * fork.c - fork() while other threads allocate as fast as they can.
 *
 * A child that inherits a lock that nobody will release hangs; one that
 * inherits a list half changed crashes or gives a block twice. So each child
 * allocates from every layer, starts threads, and has a few seconds for it.
 */
#include "check.h"

#include <pthread.h>
#include <sys/wait.h>

#define FORKS		200
#define STORMERS	6
#define CHILD_SECONDS	20

static int stop;

static void churn(uint64_t seed, int steps)
{
	static const size_t spans[] = { 64, 500, 9000, 70000, 3 << 20,
					9 << 20 };
	struct { char *p; size_t n; } b[64];

	memset(b, 0, sizeof(b));
	for (int i = 0; i < steps; i++) {
		uint64_t r = next_random(&seed);
		size_t k = r % 64, span;

		if (r >> 20 & 255)
			span = spans[(r >> 8) % 3];
		else
			span = spans[(r >> 8) % 6];
		if (b[k].p) {
			CHECK(b[k].p[0] == (char)k &&
			      b[k].p[b[k].n - 1] == (char)k);
			free(b[k].p);
			b[k].p = NULL;
		} else {
			b[k].n = (r >> 32) % span + 1;
			b[k].p = malloc(b[k].n);
			CHECK(b[k].p);
			b[k].p[0] = b[k].p[b[k].n - 1] = (char)k;
		}
	}
	for (int k = 0; k < 64; k++)
		free(b[k].p);
}

static void *stormer(void *arg)
{
	uint64_t seed = (uintptr_t)arg;

	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED))
		churn(next_random(&seed), 500);
	return NULL;
}

static void *in_child(void *arg)
{
	churn((uintptr_t)arg, 1000);
	return NULL;
}

static void child(uintptr_t n, int depth);

static void wait_for(pid_t pid)
{
	int status;

	CHECK(waitpid(pid, &status, 0) == pid);
	if (WIFSIGNALED(status))
		fprintf(stderr, "the child died of signal %d\n",
			WTERMSIG(status));
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void fork_one(uintptr_t n, int depth)
{
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (!pid)
		child(n, depth);
	wait_for(pid);
}

static void child(uintptr_t n, int depth)
{
	pthread_t t[3];

	alarm(CHILD_SECONDS);
	churn(n, 1000);
	for (uintptr_t i = 0; i < 3; i++)
		CHECK(!pthread_create(&t[i], NULL, in_child,
				      (void *)(n + i)));
	if (n % 10 == 0 && depth < 2)	/* and a child of its own meanwhile */
		fork_one(n, depth + 1);
	for (int i = 0; i < 3; i++)
		CHECK(!pthread_join(t[i], NULL));
	malloc_trim(0);			/* visits every list and lock */
	_exit(0);
}

/* Another library's handlers may allocate too. */
static _Thread_local void *between;

static void before(void)
{
	between = malloc(333);
	CHECK(between);
}

static void after(void)
{
	free(between);
	between = malloc(444);
	free(between);
}

static void *forker(void *arg)
{
	for (uintptr_t i = 0; i < 20; i++)
		fork_one((uintptr_t)arg * 100 + i, 0);
	return NULL;
}

int main(void)
{
	pthread_t t[STORMERS], f[4];

	check_preloaded();
	CHECK(!pthread_atfork(before, after, after));
	for (uintptr_t i = 0; i < STORMERS; i++)
		CHECK(!pthread_create(&t[i], NULL, stormer, (void *)i));
	for (uintptr_t i = 0; i < FORKS; i++)
		fork_one(i, 0);
	/* Several threads at once. */
	for (uintptr_t i = 0; i < 4; i++)
		CHECK(!pthread_create(&f[i], NULL, forker, (void *)i));
	for (int i = 0; i < 4; i++)
		CHECK(!pthread_join(f[i], NULL));
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	for (int i = 0; i < STORMERS; i++)
		CHECK(!pthread_join(t[i], NULL));
	printf("%d forks passed\n", FORKS + 80);
	return 0;
}
