/* SPDX-License-Identifier: MIT */
/*
 * arena.c - the memory that kmem manages in a process, and how it starts.
 *
 * The arena is one range of addresses, reserved whole at the first allocation
 * and backed by the system as it is touched. Its physical addresses are its
 * virtual ones. Its size is twice the machine's memory, for what is freed in
 * small pieces can't all be used again, but at most half of RLIMIT_AS; or
 * KMEM_MALLOC_BYTES. If the system refuses, half of that, and so on. What
 * doesn't fit into the arena, big.c maps.
 *
 * Nothing here may allocate, and the loader may call malloc() before the C
 * library is ready: so the environment is read from where the kernel shows it
 * if `environ` is not set yet, and CPUs and memory are asked for by system
 * calls that need no more than their arguments.
 *
 * Environment:
 *
 *	KMEM_MALLOC_BYTES=n[KMG]	size of the arena
 *	KMEM_MALLOC_CPUS=n		threads that have a CPU to themselves,
 *					about
 *	KMEM_MALLOC_ON_MISUSE=report	say what was wrong and go on; default:
 *					say it and abort()
 *	KMEM_MALLOC_REPORT=1		kmem_report() on stderr at exit
 *	KMEM_MALLOC_LOG=1		kmem's log on stderr
 */
#define _GNU_SOURCE
#include "private.h"

#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#define ALIGNMENT	(KMEM_PAGE_SIZE << KMEM_MAX_ORDER)
#define SMALLEST	(4 * ALIGNMENT)
#define LARGEST		((size_t)1 << 40)
#define LEAST_CPUS	32
#define CPUS_A_CORE	4

struct arena arena;

enum { NOT_STARTED, STARTING, STARTED };
static int phase;

static struct {
	bool go_on;			/* after misuse */
	bool report;
	bool log;
} settings;

void say(const char *line)
{
	char text[512];
	size_t n = strlen(line);

	n = n < sizeof(text) - 1 ? n : sizeof(text) - 1;
	memcpy(text, line, n);
	text[n++] = '\n';
	if (write(STDERR_FILENO, text, n) < 0)
		return;			/* nobody is listening */
}

void kmem_panic(const char *reason)
{
	say(reason);
	if (!settings.go_on)
		abort();
}

static void say_line(void *ctx, const char *line)
{
	(void)ctx;
	say(line);
}

/* ---- the environment ---- */

/* What the process was started with: for when `environ` is not set yet. */
static char early_environ[8192];

static void read_early_environ(void)
{
	int fd = open("/proc/self/environ", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, early_environ,
				      sizeof(early_environ) - 2);

	if (fd >= 0)
		close(fd);
	if (n < 0)
		n = 0;
	early_environ[n] = '\0';	/* and one more ends the list */
}

static const char *setting(const char *name)
{
	size_t n = strlen(name);

	if (environ)
		return getenv(name);
	for (const char *s = early_environ; *s; s += strlen(s) + 1)
		if (!strncmp(s, name, n) && s[n] == '=')
			return s + n + 1;
	return NULL;
}

/* A number with an optional K, M or G; 0 if it is none. */
static size_t size_setting(const char *name)
{
	const char *s = setting(name);
	size_t n = 0;

	for (; s && *s >= '0' && *s <= '9'; s++)
		n = n * 10 + (size_t)(*s - '0');
	if (!n)
		return 0;
	switch (*s) {
	case 'G':
		n <<= 10;	/* fall through */
	case 'M':
		n <<= 10;	/* fall through */
	case 'K':
		n <<= 10;
	}
	return n;
}

static void read_settings(void)
{
	const char *on_misuse;

	if (!environ)
		read_early_environ();
	on_misuse = setting("KMEM_MALLOC_ON_MISUSE");
	settings.go_on = on_misuse && !strcmp(on_misuse, "report");
	settings.report = size_setting("KMEM_MALLOC_REPORT") != 0;
	settings.log = size_setting("KMEM_MALLOC_LOG") != 0;
}

/* ---- the machine ---- */

static unsigned nr_cpus_wanted(void)
{
	size_t n = size_setting("KMEM_MALLOC_CPUS");
	cpu_set_t set;

	if (!n) {
		if (!sched_getaffinity(0, sizeof(set), &set))
			n = CPUS_A_CORE * (size_t)CPU_COUNT(&set);
		n = n > LEAST_CPUS ? n : LEAST_CPUS;
	}
	return n < KMEM_MAX_CPUS ? (unsigned)n : KMEM_MAX_CPUS;
}

static size_t memory_of(const struct sysinfo *info)
{
	return ((size_t)info->totalram + info->totalswap) * info->mem_unit;
}

static size_t arena_wanted(void)
{
	size_t n = size_setting("KMEM_MALLOC_BYTES");
	struct rlimit limit;
	struct sysinfo info;

	if (!n) {
		n = LARGEST;
		if (!sysinfo(&info) && memory_of(&info) < n / 2)
			n = 2 * memory_of(&info);
		if (!getrlimit(RLIMIT_AS, &limit) && limit.rlim_cur / 2 < n)
			n = limit.rlim_cur / 2;
	}
	n &= ~(ALIGNMENT - 1);
	return n < SMALLEST ? SMALLEST : n;
}

static uintptr_t reserve(size_t *bytes)
{
	for (; *bytes >= SMALLEST; *bytes = *bytes / 2 & ~(ALIGNMENT - 1)) {
		void *p = mmap(NULL, *bytes + ALIGNMENT,
			       PROT_READ | PROT_WRITE, MAP_PRIVATE |
			       MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

		if (p != MAP_FAILED)
			return ((uintptr_t)p + ALIGNMENT - 1) &
			       ~(ALIGNMENT - 1);
	}
	return 0;
}

/* A thread that is somewhere in the program can't be made to drain its
 * magazines; it will at its next slow path. What they hold meanwhile is little:
 * whoever finds no room maps memory of his own (big.c). */
static void drains_later(void *ctx, unsigned cpu, void (*fn)(void *arg),
			 void *arg)
{
	(void)ctx;
	(void)cpu;
	(void)fn;
	(void)arg;
}

static void start(void)
{
	size_t bytes = arena_wanted();
	uintptr_t base = reserve(&bytes);
	static struct kmem_hooks hooks = { .run_on_cpu = drains_later };
	struct kmem_params params = {
		.nr_cpus = nr_cpus_wanted(),
		.dma_end = KMEM_NO_ZONE,
		.zeroed = true,
		.dma32_end = KMEM_NO_ZONE,
		.hooks = &hooks,
	};

	hooks.log = settings.log ? say_line : NULL;
	if (!base || kmem_add_region(base, bytes, KMEM_REGION_USABLE,
				     KMEM_NO_NODE) ||
	    kmem_init(&params)) {
		say("kmem: no memory to start with");
		abort();
	}
	arena.base = base;
	arena.bytes = bytes;
	threads_init(params.nr_cpus);
}

void arena_start(void)
{
	int expected = NOT_STARTED;

	if (KMEM_LIKELY(kmem_load_acquire(&phase) == STARTED))
		return;
	if (__atomic_compare_exchange_n(&phase, &expected, STARTING,
					false, __ATOMIC_ACQUIRE,
					__ATOMIC_ACQUIRE)) {
		read_settings();
		start();
		kmem_store_release(&phase, STARTED);
	}
	while (kmem_load_acquire(&phase) != STARTED)
		kmem_malloc_yield();
}

__attribute__((destructor))
static void report_at_exit(void)
{
	if (settings.report)
		kmem_report(say_line, NULL);
}
