/* SPDX-License-Identifier: MIT */
/*
 * threads.c - any number of threads: short ones, more at once than there are
 * CPUs, frees by others, frees while a thread ends.
 */
#include "check.h"

#include <pthread.h>

#define CROWD		600	/* more than KMEM_MAX_CPUS */

static void churn(uint64_t seed, int steps)
{
	struct { char *p; size_t n; } b[50];

	memset(b, 0, sizeof(b));
	for (int i = 0; i < steps; i++) {
		size_t k = next_random(&seed) % 50;

		if (b[k].p) {
			CHECK(holds(b[k].p, b[k].n, k));
			free(b[k].p);
			b[k].p = NULL;
		} else {
			b[k].n = next_random(&seed) % 2000 + 1;
			b[k].p = malloc(b[k].n);
			CHECK(b[k].p);
			fill(b[k].p, b[k].n, k);
		}
	}
	for (int k = 0; k < 50; k++)
		free(b[k].p);
}

static void *churner(void *arg)
{
	churn((uintptr_t)arg, 200);
	return NULL;
}

/* Far more threads than CPUs, two at a time: each takes over the CPU, and what
 * is in its magazines, from one that has ended. */
static void short_lived(void)
{
	for (uintptr_t i = 0; i < 1000; i++) {
		pthread_t t[2];

		for (int k = 0; k < 2; k++)
			CHECK(!pthread_create(&t[k], NULL, churner,
					      (void *)(i * 2 + (size_t)k)));
		for (int k = 0; k < 2; k++)
			CHECK(!pthread_join(t[k], NULL));
	}
}

static pthread_barrier_t barrier;

static void *crowd_member(void *arg)
{
	void *p = malloc(100);

	pthread_barrier_wait(&barrier);	/* all are here at once */
	churn((uintptr_t)arg, 400);
	pthread_barrier_wait(&barrier);	/* and none leaves before */
	free(p);
	return NULL;
}

static void crowd(void)
{
	static pthread_t t[CROWD];
	pthread_attr_t small;

	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 256 << 10);
	CHECK(!pthread_barrier_init(&barrier, NULL, CROWD));
	for (uintptr_t i = 0; i < CROWD; i++)
		CHECK(!pthread_create(&t[i], &small, crowd_member,
				      (void *)i));
	for (int i = 0; i < CROWD; i++)
		CHECK(!pthread_join(t[i], NULL));
	pthread_barrier_destroy(&barrier);
	pthread_attr_destroy(&small);
}

/* One allocates, the other frees: blocks travel through depots and slabs. */
#define RING 1024

static struct {
	char *slot[RING];
	size_t head, tail;
	pthread_mutex_t lock;
	pthread_cond_t change;
} ring = { .lock = PTHREAD_MUTEX_INITIALIZER,
	   .change = PTHREAD_COND_INITIALIZER };

static void *producer(void *arg)
{
	for (size_t i = 0; i < (size_t)(uintptr_t)arg; i++) {
		char *p = malloc(i % 300 + 8);

		CHECK(p);
		memcpy(p, &i, sizeof(i));
		pthread_mutex_lock(&ring.lock);
		while (ring.head - ring.tail == RING)
			pthread_cond_wait(&ring.change, &ring.lock);
		ring.slot[ring.head++ % RING] = p;
		pthread_cond_signal(&ring.change);
		pthread_mutex_unlock(&ring.lock);
	}
	return NULL;
}

static void *consumer(void *arg)
{
	for (size_t i = 0, got; i < (size_t)(uintptr_t)arg; i++) {
		char *p;

		pthread_mutex_lock(&ring.lock);
		while (ring.head == ring.tail)
			pthread_cond_wait(&ring.change, &ring.lock);
		p = ring.slot[ring.tail++ % RING];
		pthread_cond_signal(&ring.change);
		pthread_mutex_unlock(&ring.lock);
		memcpy(&got, p, sizeof(got));
		CHECK(got == i);
		free(p);
	}
	return NULL;
}

static void handed_over(void)
{
	void *count = (void *)(uintptr_t)300000;
	pthread_t a, b;

	CHECK(!pthread_create(&a, NULL, producer, count));
	CHECK(!pthread_create(&b, NULL, consumer, count));
	CHECK(!pthread_join(a, NULL) && !pthread_join(b, NULL));
}

/* Destructors of thread-specific data, in every round of them. */
static pthread_key_t keys[4];
static int destroyed;

static void on_end(void *arg)
{
	char *p = arg;
	char *again;

	CHECK(holds(p + 1, 99, 5));
	churn((uintptr_t)p, 60);
	if (p[0]--) {
		again = malloc(100);
		memcpy(again, p, 100);
		CHECK(!pthread_setspecific(keys[1], again));
	}
	free(p);
	__atomic_fetch_add(&destroyed, 1, __ATOMIC_RELAXED);
}

static void *leaver(void *arg)
{
	for (int i = 0; i < 4; i++) {
		char *p = malloc(100);

		fill(p + 1, 99, 5);
		p[0] = (char)i;		/* rounds to go */
		CHECK(!pthread_setspecific(keys[i], p));
	}
	/* The first allocation of some is in a destructor. */
	return arg;
}

static void ends(void)
{
	for (int i = 0; i < 4; i++)
		CHECK(!pthread_key_create(&keys[i], on_end));
	for (int i = 0; i < 500; i++) {
		pthread_t t;

		CHECK(!pthread_create(&t, NULL, leaver, NULL));
		CHECK(!pthread_join(t, NULL));
	}
	CHECK(destroyed >= 4 * 500);
	for (int i = 0; i < 4; i++)
		pthread_key_delete(keys[i]);
}

static void *big_churner(void *arg)
{
	uint64_t seed = (uintptr_t)arg;

	for (int i = 0; i < 300; i++) {
		size_t n = (size_t)(next_random(&seed) % (9 << 20)) + 1;
		char *p = malloc(n);

		CHECK(p);
		p[0] = p[n - 1] = (char)i;
		p = realloc(p, n + (1 << 20));
		CHECK(p && p[n - 1] == (char)i);
		free(p);
	}
	return NULL;
}

static void big_blocks(void)
{
	pthread_t t[8];

	for (uintptr_t i = 0; i < 8; i++)
		CHECK(!pthread_create(&t[i], NULL, big_churner, (void *)i));
	for (int i = 0; i < 8; i++)
		CHECK(!pthread_join(t[i], NULL));
}

int main(void)
{
	check_preloaded();
	short_lived();
	crowd();
	handed_over();
	ends();
	big_blocks();
	crowd();
	puts("6 cases passed");
	return 0;
}
