/* SPDX-License-Identifier: MIT */
/*
 * arch/host/host.c - a machine in a process.
 *
 * Physical memory. One reservation of address space covers the machine from
 * its lowest to its highest byte, so that
 *
 *	virtual address == physical address + host_virt_offset()
 *
 * holds for all of it, holes included. The reservation is inaccessible: a
 * stray access to a hole faults. What is backed costs host memory only when
 * it is first touched. Shared memory (host_memory_share) is a file without a
 * name, so that a page of it can be mapped at a second address: vm.c. Physical
 * and virtual addresses are equal modulo the largest block of the buddy system,
 * so alignment means the same in both.
 *
 * CPUs. A thread is a CPU while its thread-local kmem_host_cpu says so.
 *
 * Interrupts. A ticker thread sends SIGUSR1 to the CPUs, one signal each and
 * no second one before the first has been served: a handler that is slower
 * than the period (sanitizers!) slows the CPU down but can't starve it.
 *
 *	unmasked, signal arrives   ->  the handler runs there and then, masked
 *	masked, signal arrives     ->  irq_pending is set, nothing else
 *	the mask is lifted         ->  a pending interrupt runs at once
 *
 * `irq_lock` guards the table of CPUs that get signals. A thread leaves the
 * table before it ends, and with the signal blocked, so that none is ever
 * sent to a thread that is gone.
 */
#define _GNU_SOURCE
#include <host.h>

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define IRQ_SIGNAL SIGUSR1

/* ---- physical memory --------------------------------------------------- */

static struct {
	char *map;		/* what mmap() returned */
	size_t map_bytes;
	char *base;		/* address of physical `start` */
	kmem_phys_t start, end;
	int fd;			/* what is shared, plus 1 */
} memory;
static bool sharing;

void host_memory_share(bool on)
{
	sharing = on;
}

static bool share_file(kmem_phys_t size)
{
	int fd = memfd_create("memory", MFD_CLOEXEC);

	memory.fd = fd + 1;
	return fd >= 0 && !ftruncate(fd, (off_t)size);
}

bool host_memory_reserve(kmem_phys_t start, kmem_phys_t end)
{
	const size_t block = KMEM_PAGE_SIZE << KMEM_MAX_ORDER;
	kmem_phys_t size;
	size_t shift;
	char *map;

	host_memory_release();
	start &= ~(kmem_phys_t)(KMEM_PAGE_SIZE - 1);
	size = end - start;
	if (end <= start || size > SIZE_MAX - 2 * block) {
		fprintf(stderr, "host: no memory range from 0x%" PRIx64
			" to 0x%" PRIx64 "\n", start, end);
		return false;
	}
	size += block;
	map = mmap(NULL, size, PROT_NONE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (map == MAP_FAILED) {
		fprintf(stderr, "host: this system refuses %" PRIu64
			" MiB of address space: %s\n",
			(uint64_t)size >> 20, strerror(errno));
		return false;
	}
	shift = (size_t)(start - (uintptr_t)map) & (block - 1);
	memory.map = map;
	memory.map_bytes = size;
	memory.base = map + shift;
	memory.start = start;
	memory.end = end;
	if (sharing && !share_file(size)) {
		fprintf(stderr, "host: no shared memory: %s\n",
			strerror(errno));
		return false;
	}
	return true;
}

bool host_memory_map(void *at, kmem_phys_t phys, size_t bytes)
{
	int kind = memory.fd ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS;

	if (mmap(at, bytes, PROT_READ | PROT_WRITE, kind | MAP_NORESERVE |
		 MAP_FIXED, memory.fd - 1,
		 memory.fd ? (off_t)(phys - memory.start) : 0) == MAP_FAILED)
		return false;
	/* If possible, mapped by large pages, as a kernel's direct map is. */
	madvise(at, bytes, MADV_HUGEPAGE);
	return true;
}

bool host_memory_back(kmem_phys_t start, kmem_phys_t end)
{
	const kmem_phys_t mask = KMEM_PAGE_SIZE - 1;

	if (start < memory.start || end > memory.end || start > end) {
		fprintf(stderr, "host: 0x%" PRIx64 "-0x%" PRIx64
			" is outside of the reserved range\n", start, end);
		return false;
	}
	start &= ~mask;
	end = (end + mask) & ~mask;
	if (start == end)
		return true;
	/*
	 * A new mapping and not mprotect(): the kernel would charge a private
	 * mapping that becomes writable against its commit limit.
	 */
	if (!host_memory_map(memory.base + (start - memory.start), start,
			     end - start)) {
		fprintf(stderr, "host: can't back 0x%" PRIx64 "-0x%" PRIx64
			": %s\n", start, end, strerror(errno));
		return false;
	}
	return true;
}

uint64_t host_virt_offset(void)
{
	return (uintptr_t)memory.base - memory.start;
}

void host_memory_release(void)
{
	if (memory.map)
		munmap(memory.map, memory.map_bytes);
	if (memory.fd)
		close(memory.fd - 1);
	memset(&memory, 0, sizeof(memory));
}

/* The number in a file that holds one, or UINT64_MAX ("max", no file). */
static uint64_t read_number(const char *path)
{
	uint64_t n = UINT64_MAX;
	FILE *f = fopen(path, "r");

	if (!f)
		return UINT64_MAX;
	if (fscanf(f, "%" SCNu64, &n) != 1)
		n = UINT64_MAX;
	fclose(f);
	return n;
}

/* Bytes until this control group meets its limit. */
static uint64_t group_spare(const char *limit_path, const char *usage_path)
{
	uint64_t limit = read_number(limit_path);
	uint64_t usage = read_number(usage_path);

	if (limit == UINT64_MAX || usage == UINT64_MAX)
		return UINT64_MAX;
	return limit > usage ? limit - usage : 0;
}

static uint64_t available_now(void)
{
	FILE *f = fopen("/proc/meminfo", "r");
	uint64_t kib, bytes = 0;
	char line[128];

	while (f && !bytes && fgets(line, sizeof(line), f))
		if (sscanf(line, "MemAvailable: %" SCNu64, &kib) == 1)
			bytes = kib << 10;
	if (f)
		fclose(f);
	if (!bytes)
		bytes = (uint64_t)sysconf(_SC_AVPHYS_PAGES) *
			(uint64_t)sysconf(_SC_PAGESIZE);
	return bytes;
}

uint64_t host_memory_spare(void)
{
	uint64_t spare = available_now();
	uint64_t v2 = group_spare("/sys/fs/cgroup/memory.max",
				  "/sys/fs/cgroup/memory.current");
	uint64_t v1 = group_spare(
		"/sys/fs/cgroup/memory/memory.limit_in_bytes",
		"/sys/fs/cgroup/memory/memory.usage_in_bytes");

	if (v2 < spare)
		spare = v2;
	if (v1 < spare)
		spare = v1;
	return spare / 2;
}

/* ---- interrupts -------------------------------------------------------- */

KMEM_HOST_TLS struct kmem_host_cpu kmem_host_cpu;

/* What one CPU wants another to run (kmem's hook run_on_cpu). */
struct cpu_call {
	void (*fn)(void *arg);
	void *arg;
	bool done;
};

/* One thread that gets interrupts. */
struct irq_target {
	pthread_t thread;
	unsigned cpu;
	bool used;
	bool in_flight;		/* sent, not served yet */
	struct cpu_call *call;	/* to run, or NULL */
};

static pthread_mutex_t irq_lock = PTHREAD_MUTEX_INITIALIZER;
static struct irq_target irq_targets[KMEM_MAX_CPUS + 1];
static unsigned irq_nr_targets;		/* that are used */
static KMEM_HOST_TLS struct irq_target *irq_self;

static void (*irq_handler)(unsigned cpu);

static struct {
	pthread_t thread;
	bool running;
	bool stop;
	unsigned usec;
	struct irq_target *self; /* the thread that called host_irq_start() */
} ticker;

/* What others want this thread to run. */
static void serve_call(struct irq_target *t)
{
	struct cpu_call *c = kmem_load_acquire(&t->call);

	if (!c)
		return;
	kmem_store_relaxed(&t->call, NULL);
	c->fn(c->arg);
	kmem_store_release(&c->done, true);
}

/* Run the handler; interrupts are not masked when this is called. */
static void irq_run(void)
{
	void (*handler)(unsigned cpu);

	kmem_host_cpu.irqs_masked = 1;
	kmem_barrier();
	kmem_host_cpu.irq_pending = 0;
	handler = kmem_load_acquire(&irq_handler);
	if (handler)
		handler(kmem_host_cpu.cpu);
	if (irq_self) {
		serve_call(irq_self);
		kmem_store_release(&irq_self->in_flight, false);
	}
	kmem_barrier();
	kmem_host_cpu.irqs_masked = 0;
}

static void on_signal(int sig)
{
	int saved = errno;

	(void)sig;
	if (kmem_host_cpu.irqs_masked)
		kmem_host_cpu.irq_pending = 1;
	else
		irq_run();
	errno = saved;
}

void kmem_host_irq_run_pending(void)
{
	do {
		irq_run();
	} while (kmem_host_cpu.irq_pending);
}

static void irq_signal_mask(int how)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, IRQ_SIGNAL);
	pthread_sigmask(how, &set, NULL);
}

/* From now on this thread may get interrupts. */
static struct irq_target *irq_join(void)
{
	struct irq_target *t = NULL;
	size_t i;

	/* No signal at all. But ThreadSanitizer makes what it keeps of a thread's
	 * signals at its first call of this kind, and loses one that arrives
	 * meanwhile: the thread would wait for it, and get no other. */
	pthread_kill(pthread_self(), 0);
	pthread_mutex_lock(&irq_lock);
	for (i = 0; i < KMEM_ARRAY_SIZE(irq_targets) && !t; i++)
		if (!irq_targets[i].used)
			t = &irq_targets[i];
	if (!t) {
		fprintf(stderr, "host: more threads than KMEM_MAX_CPUS\n");
		abort();
	}
	t->thread = pthread_self();
	kmem_store_relaxed(&t->cpu, kmem_host_cpu.cpu);
	kmem_store_relaxed(&t->in_flight, false);
	irq_self = t;
	t->used = true;
	kmem_add_relaxed(&irq_nr_targets, 1);
	pthread_mutex_unlock(&irq_lock);
	return t;
}

static void irq_leave(void)
{
	struct irq_target *t = irq_self;

	irq_signal_mask(SIG_BLOCK);
	pthread_mutex_lock(&irq_lock);
	t->used = false;
	kmem_add_relaxed(&irq_nr_targets, (unsigned)-1);
	irq_self = NULL;
	pthread_mutex_unlock(&irq_lock);
	serve_call(t);			/* posted in the last moment */
}

static void irq_send_all(void)
{
	size_t i;

	pthread_mutex_lock(&irq_lock);
	for (i = 0; i < KMEM_ARRAY_SIZE(irq_targets); i++) {
		struct irq_target *t = &irq_targets[i];

		if (!t->used || kmem_load_acquire(&t->in_flight))
			continue;
		kmem_store_relaxed(&t->in_flight, true);
		pthread_kill(t->thread, IRQ_SIGNAL);
	}
	pthread_mutex_unlock(&irq_lock);
}

static void *ticker_main(void *arg)
{
	struct timespec period = {
		.tv_sec = ticker.usec / 1000000,
		.tv_nsec = (long)(ticker.usec % 1000000) * 1000,
	};

	(void)arg;
	while (!kmem_load_acquire(&ticker.stop)) {
		irq_send_all();
		nanosleep(&period, NULL);
	}
	return NULL;
}

static void irq_signal_install(void)
{
	struct sigaction sa = { .sa_handler = on_signal,
				.sa_flags = SA_RESTART };

	sigemptyset(&sa.sa_mask);
	sigaction(IRQ_SIGNAL, &sa, NULL);
}

void host_irq_start(unsigned usec, bool self, void (*handler)(unsigned cpu))
{
	host_irq_stop();
	irq_signal_install();
	kmem_store_release(&irq_handler, handler);
	ticker.stop = false;
	ticker.usec = usec ? usec : 1;
	ticker.self = self ? irq_join() : NULL;
	/* The ticker inherits a mask in which interrupts are not its own. */
	irq_signal_mask(SIG_BLOCK);
	if (pthread_create(&ticker.thread, NULL, ticker_main, NULL)) {
		fprintf(stderr, "host: can't start the ticker thread\n");
		abort();
	}
	irq_signal_mask(SIG_UNBLOCK);
	ticker.running = true;
}

void host_irq_stop(void)
{
	if (!ticker.running)
		return;
	kmem_store_release(&ticker.stop, true);
	pthread_join(ticker.thread, NULL);
	ticker.running = false;
	kmem_store_release(&irq_handler, NULL);
	if (!ticker.self)
		return;
	irq_leave();
	irq_signal_mask(SIG_UNBLOCK);	/* what was under way is delivered */
	ticker.self = NULL;
}

/* ---- CPUs -------------------------------------------------------------- */

#define SPINS_BEFORE_YIELD 32

static void (*meanwhile)(void);

void host_on_wait(void (*fn)(void))
{
	meanwhile = fn;
}

void kmem_host_yield(void)
{
	static KMEM_HOST_TLS unsigned spins;

	if (meanwhile)
		meanwhile();
	else if (++spins % SPINS_BEFORE_YIELD)
		kmem_barrier();
	else
		sched_yield();	/* who holds the lock may be off its core */
}

void host_cpu_set(unsigned cpu)
{
	kmem_host_cpu.cpu = cpu;
	if (irq_self)
		kmem_store_relaxed(&irq_self->cpu, cpu);
}

/* Return: false if that CPU has a call to run already. */
static bool post_call(unsigned cpu, struct cpu_call *c)
{
	struct irq_target *t = NULL;

	for (size_t i = 0; i < KMEM_ARRAY_SIZE(irq_targets) && !t; i++)
		if (irq_targets[i].used && &irq_targets[i] != irq_self &&
		    kmem_load_relaxed(&irq_targets[i].cpu) == cpu)
			t = &irq_targets[i];
	if (!t) {
		c->done = true;
		return true;
	}
	if (kmem_load_relaxed(&t->call))
		return false;
	kmem_store_release(&t->call, c);
	pthread_kill(t->thread, IRQ_SIGNAL);
	return true;
}

#define YIELDS_BEFORE_SLEEP 100

/* Two may call one another: who waits serves, and does not rely on a signal,
 * which ThreadSanitizer delivers late. With more threads than cores, whoever is
 * to answer needs one: so that is not for long. */
static void wait_and_serve(unsigned times)
{
	const struct timespec moment = { .tv_nsec = 20000 };
	uintptr_t irq = kmem_arch_irq_save();

	if (irq_self)
		serve_call(irq_self);
	kmem_arch_irq_restore(irq);
	if (times < YIELDS_BEFORE_SLEEP)
		kmem_host_yield();
	else
		nanosleep(&moment, NULL);
}

void host_run_on_cpu(void *ctx, unsigned cpu, void (*fn)(void *arg), void *arg)
{
	struct cpu_call c = { .fn = fn, .arg = arg };
	unsigned times = 0;
	bool posted;

	(void)ctx;
	/* It would be an interrupt. */
	if (!KMEM_ARCH_NESTS || !kmem_load_relaxed(&irq_nr_targets))
		return;
	do {
		pthread_mutex_lock(&irq_lock);
		posted = post_call(cpu, &c);
		pthread_mutex_unlock(&irq_lock);
		if (!posted)
			wait_and_serve(times++);
	} while (!posted);
	while (!kmem_load_acquire(&c.done))
		wait_and_serve(times++);
}

struct cpu_start {
	pthread_t thread;
	pthread_barrier_t *ready;
	unsigned cpu;
	void (*fn)(unsigned cpu, void *arg);
	void *arg;
};

static void *cpu_main(void *arg)
{
	struct cpu_start *c = arg;

	host_cpu_set(c->cpu);
	irq_join();
	irq_signal_mask(SIG_UNBLOCK);
	pthread_barrier_wait(c->ready);
	c->fn(c->cpu, c->arg);
	irq_leave();
	return NULL;
}

void host_run_cpus(unsigned nr, void (*fn)(unsigned cpu, void *arg),
		   void *arg)
{
	struct cpu_start *cpus = calloc(nr ? nr : 1, sizeof(*cpus));
	pthread_barrier_t ready;
	uintptr_t irq;
	unsigned i;

	if (!cpus || !nr || nr > KMEM_MAX_CPUS ||
	    pthread_barrier_init(&ready, NULL, nr)) {
		fprintf(stderr, "host: can't run %u CPUs\n", nr);
		abort();
	}
	irq_signal_install();
	/* Two threads would be CPU 0 if the caller's handler ran meanwhile. */
	irq = kmem_arch_irq_save();
	for (i = 0; i < nr; i++) {
		cpus[i] = (struct cpu_start){ .ready = &ready, .cpu = i,
					      .fn = fn, .arg = arg };
		if (pthread_create(&cpus[i].thread, NULL, cpu_main,
				   &cpus[i])) {
			fprintf(stderr, "host: can't start thread %u\n", i);
			abort();
		}
	}
	for (i = 0; i < nr; i++)
		pthread_join(cpus[i].thread, NULL);
	kmem_arch_irq_restore(irq);
	pthread_barrier_destroy(&ready);
	free(cpus);
}

/* ---- what a kernel supplies -------------------------------------------- */

static void (*panic_fn)(const char *reason);

void host_on_panic(void (*fn)(const char *reason))
{
	kmem_store_release(&panic_fn, fn);
}

void kmem_panic(const char *reason)
{
	void (*fn)(const char *reason) = kmem_load_acquire(&panic_fn);

	if (fn) {
		fn(reason);
		return;
	}
	fprintf(stderr, "panic: %s\n", reason);
	abort();
}

void host_print(void *ctx, const char *line)
{
	FILE *f = ctx;

	fprintf(f ? f : stdout, "%s\n", line);
}

static void log_line(void *ctx, const char *line)
{
	(void)ctx;
	if (getenv("KMEM_LOG"))
		fprintf(stderr, "%s\n", line);
}

void host_machine(uint64_t bytes, unsigned nr_cpus)
{
	static const struct kmem_hooks hooks = {
		.log = log_line, .run_on_cpu = host_run_on_cpu,
	};
	const kmem_phys_t start = (kmem_phys_t)1 << 20;
	struct kmem_params params = { .nr_cpus = nr_cpus, .hooks = &hooks };
	int error;

	kmem_reset();
	host_cpu_set(0);
	if (!host_memory_reserve(start, start + bytes) ||
	    !host_memory_back(start, start + bytes))
		abort();
	params.virt_offset = host_virt_offset();
	params.debug = getenv("KMEM_CACHES");
	error = kmem_add_region(start, bytes, KMEM_REGION_USABLE,
				KMEM_NO_NODE);
	if (!error)
		error = kmem_init(&params);
	if (error) {
		fprintf(stderr, "host: no machine of %" PRIu64
			" bytes and %u CPUs: kmem error %d\n", bytes, nr_cpus,
			error);
		abort();
	}
}
