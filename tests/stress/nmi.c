// SPDX-License-Identifier: MIT
/*
 * tests/stress/nmi.c - NMIs, interrupts and several CPUs at once.
 *
 * Threads stand for CPUs; interrupts are the host's signals, which wait while
 * kmem has masked them. An NMI is another signal, which does not: it lands
 * anywhere, in the slow paths and between the instructions of whoever holds a
 * lock. Its handler allocates, exchanges what it got with other CPUs' handlers
 * and threads, and frees, all with the _nolock calls. Everything carries a
 * pattern. At the end all is freed, and every page is back.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "testlib.h"

#define NMI_SIGNAL	SIGUSR2
#define MAX_CPUS	4
#define HELD		128
#define SHARED		64

/* At the start of each block. */
struct block {
	uint32_t size, order;		/* of pages, if size is 0 */
	uint64_t tag;
};

static struct {
	unsigned nr_cpus, ops;
	struct cpu {
		pthread_t thread;
		int there;
		int sent;		/* an NMI is under way */
		uint64_t seed, nmi_seed, irq_seed;
		struct block *held[HELD];
		uint64_t nmis, got, refused, irqs;
	} cpu[MAX_CPUS];
	struct block *shared[SHARED];
	pthread_mutex_t lock;		/* of `there` */
	int stop;
} run;

static size_t bytes_of(const struct block *b)
{
	return b->size ? b->size : (size_t)PAGE << b->order;
}

static size_t filled(const struct block *b)
{
	size_t n = bytes_of(b) - sizeof(*b);

	return n < 200 ? n : 200;
}

static struct block *stamp(struct block *b, uint32_t size, uint32_t order)
{
	if (!b)
		return NULL;
	*b = (struct block){ size, order, (uintptr_t)b };
	test_fill(b + 1, filled(b), b->tag);
	return b;
}

static void verify(const struct block *b)
{
	REQUIRE(b->tag == (uintptr_t)b);
	REQUIRE(!test_changed(b + 1, filled(b), b->tag));
}

static uint32_t size_or_pages(uint64_t *seed, uint32_t *order)
{
	uint64_t r = test_below(seed, 100);

	*order = (uint32_t)test_below(seed, r < 95 ? 3 : 5);
	if (r >= 85)
		return 0;
	return (uint32_t)(sizeof(struct block) +
			  test_below(seed, r < 75 ? 500 : 12000));
}

static struct block *make(uint64_t *seed, gfp_t gfp)
{
	uint32_t order, size = size_or_pages(seed, &order);

	gfp |= __GFP_NOWARN;
	return stamp(size ? kmalloc(size, gfp) :
		     (struct block *)__get_free_pages(gfp, order), size, order);
}

static void drop(struct block *b)
{
	if (!b)
		return;
	verify(b);
	b->tag = 0;
	if (b->size)
		kfree(b);
	else
		free_pages((uintptr_t)b, b->order);
}

static struct block *make_nolock(uint64_t *seed)
{
	uint32_t order, size = size_or_pages(seed, &order);
	struct page *page;

	if (size)
		return stamp(kmalloc_nolock(size, 0, KMEM_NO_NODE), size, 0);
	page = alloc_pages_nolock(0, KMEM_NO_NODE, order);
	return stamp(page ? page_to_virt(page) : NULL, 0, order);
}

static void drop_nolock(struct block *b)
{
	if (!b)
		return;
	verify(b);
	b->tag = 0;
	if (b->size)
		kfree_nolock(b);
	else
		free_pages_nolock(virt_to_page(b), b->order);
}

static struct block *exchange(uint64_t *seed, struct block *b)
{
	return __atomic_exchange_n(&run.shared[test_below(seed, SHARED)], b,
				   __ATOMIC_ACQ_REL);
}

/* -------------------------------------------------------------------- NMIs */

static void nmi(struct cpu *c)
{
	c->nmis++;
	for (int i = 0; i < 4; i++) {
		struct block *b = make_nolock(&c->nmi_seed);

		if (b)
			c->got++;
		else
			c->refused++;
		drop_nolock(exchange(&c->nmi_seed, b));
	}
}

/* As a CPU does it: an NMI's handler runs with interrupts masked. */
static void on_nmi(int sig)
{
	unsigned char masked = kmem_host_cpu.irqs_masked;
	struct cpu *c = &run.cpu[kmem_host_cpu.cpu];
	int saved = errno;

	(void)sig;
	kmem_host_cpu.irqs_masked = 1;
	kmem_barrier();
	nmi(c);
	kmem_barrier();
	kmem_host_cpu.irqs_masked = masked;
	kmem_barrier();
	__atomic_store_n(&c->sent, 0, __ATOMIC_RELEASE);
	if (!masked && kmem_host_cpu.irq_pending)
		kmem_host_irq_run_pending();
	errno = saved;
}

static void *sender(void *arg)
{
	const struct timespec pause = { 0, 20000 };

	(void)arg;
	while (!__atomic_load_n(&run.stop, __ATOMIC_RELAXED)) {
		pthread_mutex_lock(&run.lock);
		for (unsigned i = 0; i < run.nr_cpus; i++) {
			struct cpu *c = &run.cpu[i];

			if (c->there && !__atomic_exchange_n(&c->sent, 1,
							     __ATOMIC_ACQ_REL))
				pthread_kill(c->thread, NMI_SIGNAL);
		}
		pthread_mutex_unlock(&run.lock);
		nanosleep(&pause, NULL);
	}
	return NULL;
}

static void mask(int how, int sig, int another)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	sigaddset(&set, another);
	pthread_sigmask(how, &set, NULL);
}

static void nmi_mask(int how)
{
	mask(how, NMI_SIGNAL, NMI_SIGNAL);
}

/* ---------------------------------------------------- threads, interrupts */

static void there(struct cpu *c, int is)
{
	pthread_mutex_lock(&run.lock);
	c->thread = pthread_self();
	c->there = is;
	pthread_mutex_unlock(&run.lock);
}

static void irq(unsigned cpu)
{
	struct cpu *c = &run.cpu[cpu];

	c->irqs++;
	drop(exchange(&c->irq_seed, make(&c->irq_seed, GFP_ATOMIC)));
}

/* On a busy machine all calls can be over before the first NMI comes. */
static int has_had_some(const volatile struct cpu *c)
{
	return c->nmis >= 5 && c->got > 0;
}

/*
 * ThreadSanitizer puts a signal off, and masks all while it runs the handlers
 * of those that wait. If one comes as it begins to, it does so again inside of
 * a handler, and takes the full mask for the thread's own: nothing arrives any
 * more (seen with that of gcc 12). So each thread unmasks now and then.
 */
static void unmask_again(unsigned i)
{
	if (i % 1024 == 0)
		mask(SIG_UNBLOCK, NMI_SIGNAL, SIGUSR1);
}

static void cpu_main(unsigned cpu, void *arg)
{
	struct cpu *c = &run.cpu[cpu];

	(void)arg;
	there(c, 1);
	nmi_mask(SIG_UNBLOCK);
	for (unsigned i = 0; i < run.ops || !has_had_some(c); i++) {
		struct block **b = &c->held[test_below(&c->seed, HELD)];
		uint64_t r = test_below(&c->seed, 1000);

		unmask_again(i);
		if (r < 800) {
			drop(*b);
			*b = make(&c->seed, GFP_KERNEL);
		} else if (r < 997) {
			*b = exchange(&c->seed, *b);
		} else {
			drain_pages();
		}
	}
	for (unsigned i = 0; i < HELD; i++)
		drop(c->held[i]);
	nmi_mask(SIG_BLOCK);
	there(c, 0);
}

static void stress(uint64_t bytes, unsigned nr_cpus, uint64_t seed)
{
	struct sigaction sa = { .sa_handler = on_nmi, .sa_flags = SA_RESTART };
	uint64_t nmis = 0, got = 0, refused = 0, irqs = 0;
	pthread_t thread;
	size_t pages;

	host_machine(bytes, nr_cpus);
	memset(&run, 0, sizeof(run));
	pthread_mutex_init(&run.lock, NULL);
	run.nr_cpus = nr_cpus;
	run.ops = test_scaled(400000) / nr_cpus;
	for (unsigned i = 0; i < nr_cpus; i++) {
		run.cpu[i].seed = test_random(&seed);
		run.cpu[i].nmi_seed = test_random(&seed);
		run.cpu[i].irq_seed = test_random(&seed);
	}
	pages = test_pages();
	sigemptyset(&sa.sa_mask);
	sigaddset(&sa.sa_mask, SIGUSR1);	/* the host's interrupts */
	sigaction(NMI_SIGNAL, &sa, NULL);
	nmi_mask(SIG_BLOCK);
	REQUIRE(!pthread_create(&thread, NULL, sender, NULL));
	host_irq_start(50, false, irq);
	host_run_cpus(nr_cpus, cpu_main, NULL);
	host_irq_stop();
	__atomic_store_n(&run.stop, 1, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	for (unsigned i = 0; i < nr_cpus; i++) {
		nmis += run.cpu[i].nmis;
		got += run.cpu[i].got;
		refused += run.cpu[i].refused;
		irqs += run.cpu[i].irqs;
	}
	for (unsigned i = 0; i < SHARED; i++)
		drop(run.shared[i]);
	REQUIRE(test_violations() == 0);
	test_drain(nr_cpus);
	REQUIRE(test_violations() == 0);
	REQUIRE(test_pages() == pages);
	printf("nmi: %3" PRIu64 " MiB, %u CPUs: %" PRIu64 " NMIs, %" PRIu64
	       " interrupts; %" PRIu64 " allocations in NMIs, %" PRIu64
	       " refused\n", bytes / MIB, nr_cpus, nmis, irqs, got, refused);
	fflush(stdout);
	REQUIRE(nmis > 0 && got > 0);
}

int main(void)
{
	uint64_t seed = test_seed("nmi");

	for (unsigned nr_cpus = 1; nr_cpus <= MAX_CPUS; nr_cpus *= 2) {
		stress(64 * MIB, nr_cpus, test_random(&seed));
		stress((nr_cpus + 1) * MIB, nr_cpus, test_random(&seed));
	}
	return EXIT_SUCCESS;
}
