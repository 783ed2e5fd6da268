/* SPDX-License-Identifier: MIT */
/*
 * tests/bench/contenders.c - finding allocators, and opening one.
 *
 * A peer is a shared library with malloc() and free() in it. The process that
 * measures it loads it by itself, with local binding, so that the peer calls
 * its own functions while the C library and the harness keep theirs. Such
 * libraries are linked for thread-local storage in the static area, of which
 * a program started in the usual way has too little left for them: main.c
 * sees to it that there is enough.
 *
 * The floor is no allocator: an array of free blocks, of one size, for one
 * thread. What it takes is what the method takes.
 */
#define _GNU_SOURCE
#include "bench.h"

#include <host.h>

#include <dlfcn.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

struct bench_peer bench_peer;

static const struct {
	const char *name, *package, *library;
} known[] = {
	{ "mimalloc", "libmimalloc2.0", "libmimalloc.so.2" },
	{ "mimalloc", "libmimalloc2.0", "libmimalloc.so.2.0" },
	{ "jemalloc", "libjemalloc2", "libjemalloc.so.2" },
	{ "tcmalloc", "libtcmalloc-minimal4", "libtcmalloc_minimal.so.4" },
	{ "tcmalloc", "libgoogle-perftools4", "libtcmalloc.so.4" },
	{ "libumem", "libumem, which Debian 12 lacks", "libumem.so.0" },
	{ "libumem", "libumem, which Debian 12 lacks", "libumem.so.1" },
};

static struct bench_missing missing[KMEM_ARRAY_SIZE(known) + 1];

/* ---- finding them ------------------------------------------------------ */

/* A library's own function: dlsym() would look in what it depends on, too, and
 * the C library has a malloc() of its own. */
static void *own(void *so, const char *name)
{
	void *p = so ? dlsym(so, name) : NULL;
	struct link_map *map;
	Dl_info info;

	if (!p || !dladdr(p, &info) || dlinfo(so, RTLD_DI_LINKMAP, &map) ||
	    (uintptr_t)info.dli_fbase != map->l_addr)
		return NULL;
	return p;
}

/* Try a library in a child, so that this process, from which all measuring
 * ones are forked, has none in it. */
static bool can_load(const char *path, bool complain)
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		void *so = dlopen(path, RTLD_NOW | RTLD_LOCAL |
				  RTLD_DEEPBIND);
		bool good = own(so, "malloc") && own(so, "free");

		if (!good && complain)
			fprintf(stderr, "bench: %s: %s\n", path, so ?
				"no malloc and free in it" : dlerror());
		_exit(!good);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && !status;
}

static void add(struct bench_contender *list, size_t *n, const char *name,
		enum bench_kind kind, const char *path)
{
	struct bench_contender *c = &list[*n];

	if (*n == BENCH_MAX_CONTENDERS) {
		fprintf(stderr, "bench: more than %d contenders\n",
			BENCH_MAX_CONTENDERS);
		exit(1);
	}
	snprintf(c->name, sizeof(c->name), "%s", name);
	snprintf(c->path, sizeof(c->path), "%s", path);
	c->kind = kind;
	++*n;
}

static bool has(const struct bench_contender *list, size_t n,
		const char *name)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (!strcmp(list[i].name, name))
			return true;
	return false;
}

/* "/some/where/libfoo-1.so.2" -> "foo-1" */
static void add_named(struct bench_contender *list, size_t *n,
		      const char *path)
{
	const char *base = strrchr(path, '/');
	char name[32], *dot;

	base = base ? base + 1 : path;
	if (!strncmp(base, "lib", 3))
		base += 3;
	snprintf(name, sizeof(name), "%.31s", base);
	dot = strstr(name, ".so");
	if (dot)
		*dot = '\0';
	add(list, n, name, BENCH_PEER, path);
}

static void add_peers(struct bench_contender *list, size_t *n,
		      const char *peers)
{
	char *copy = strdup(peers), *save = NULL, *path;

	for (path = strtok_r(copy, " \t", &save); path;
	     path = strtok_r(NULL, " \t", &save)) {
		if (!can_load(path, true))
			exit(1);
		add_named(list, n, path);
	}
	free(copy);
}

static void add_known(struct bench_contender *list, size_t *n)
{
	size_t i, m = 0;

	for (i = 0; i < KMEM_ARRAY_SIZE(known); i++)
		if (!has(list, *n, known[i].name) &&
		    can_load(known[i].library, false))
			add(list, n, known[i].name, BENCH_PEER,
			    known[i].library);
	for (i = 0; i < KMEM_ARRAY_SIZE(known); i++) {
		if (has(list, *n, known[i].name) ||
		    (m && !strcmp(missing[m - 1].name, known[i].name)))
			continue;
		missing[m].name = known[i].name;
		missing[m++].package = known[i].package;
	}
}

size_t bench_find_contenders(struct bench_contender *list, const char *peers,
			     const struct bench_missing **missing_list)
{
	size_t n = 0;

	add(list, &n, "floor", BENCH_FLOOR, "");
	add(list, &n, "kmem", BENCH_KMEM, "");
	add(list, &n, "cache", BENCH_KMEM_CACHE, "");
	add(list, &n, "glibc", BENCH_PEER, "");
	add_known(list, &n);
	if (peers)
		add_peers(list, &n, peers);
	*missing_list = missing;
	return n;
}

/* ---- the floor --------------------------------------------------------- */

#define FLOOR_BLOCKS 100016

static struct {
	size_t n;
	void *block[FLOOR_BLOCKS];
} floor_stack;

static void *floor_alloc(uintptr_t what, unsigned gfp)
{
	(void)what;
	(void)gfp;
	return floor_stack.n ? floor_stack.block[--floor_stack.n] : NULL;
}

static void floor_free(void *p, uintptr_t what)
{
	(void)what;
	floor_stack.block[floor_stack.n++] = p;
}

static bool open_floor(struct bench_ops *ops, size_t bytes)
{
	size_t i, n = bytes <= 4096 ? FLOOR_BLOCKS : bytes <= 65536 ? 20016 :
			272;
	char *memory = mmap(NULL, n * bytes, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
			    0);

	if (memory == MAP_FAILED)
		return false;

	for (i = n; i > 0; i--)
		floor_free(memory + (i - 1) * bytes, 0);
	ops->alloc = floor_alloc;
	ops->free = floor_free;
	return true;
}

/* ---- nothing at all ---------------------------------------------------- */

static char nothing[65536];

static void *loop_alloc(uintptr_t what, unsigned gfp)
{
	(void)what;
	(void)gfp;
	return nothing;
}

static void loop_free(void *p, uintptr_t what)
{
	(void)p;
	(void)what;
}

/* ---- kmem -------------------------------------------------------------- */

static void cache_free(void *p, uintptr_t what)
{
	kmem_cache_free((struct kmem_cache *)what, p);
}

static void *pages_alloc(uintptr_t what, unsigned gfp)
{
	return alloc_pages(gfp, (unsigned)what);
}

static void pages_free(void *p, uintptr_t what)
{
	__free_pages(p, (unsigned)what);
}

static void *pages_address(void *p)
{
	return page_to_virt((struct page *)p);
}

static size_t cache_bulk_alloc(const struct bench_ops *ops, size_t n,
			       void **p)
{
	return kmem_cache_alloc_bulk((struct kmem_cache *)ops->what, ops->gfp,
				     n, p);
}

static void cache_bulk_free(const struct bench_ops *ops, size_t n, void **p)
{
	kmem_cache_free_bulk((struct kmem_cache *)ops->what, n, p);
}

static void open_kmem(struct bench_ops *ops, enum bench_interface kind,
		      size_t size)
{
	ops->gfp = GFP_KERNEL;
	if (kind == BENCH_PAGES || kind == BENCH_ALIGNED_PAGES) {
		ops->alloc = pages_alloc;
		ops->free = pages_free;
		ops->address = pages_address;
		ops->what = size;
		return;
	}
	ops->alloc = __kmalloc;
	ops->free = (bench_free_fn)(void (*)(void))kfree;
}

static bool open_cache(struct bench_ops *ops, enum bench_interface kind,
		       size_t size)
{
	if (kind != BENCH_SIZED || size > 8192)
		return false;
	ops->gfp = GFP_KERNEL;
	ops->alloc = (bench_alloc_fn)(void (*)(void))kmem_cache_alloc;
	ops->free = cache_free;
	ops->what = (uintptr_t)kmem_cache_create("bench", size, 0, 0, NULL);
	ops->bulk_alloc = cache_bulk_alloc;
	ops->bulk_free = cache_bulk_free;
	if (!ops->what)
		bench_fail("no kmem_cache");
	return true;
}

/* ---- peers ------------------------------------------------------------- */

static void *aligned_alloc_of_peer(uintptr_t what, unsigned gfp)
{
	(void)gfp;
	return bench_peer.aligned_alloc(what, what);
}

static void load(const char *path)
{
	void *so = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);

	if (!so)
		bench_fail(dlerror());
	bench_peer.malloc = (void *(*)(size_t))(uintptr_t)own(so, "malloc");
	bench_peer.free = (void (*)(void *))(uintptr_t)own(so, "free");
	bench_peer.aligned_alloc = (void *(*)(size_t, size_t))(uintptr_t)
		own(so, "aligned_alloc");
	if (!bench_peer.malloc || !bench_peer.free)
		bench_fail("no malloc and free in the library");
}

static bool open_peer(const struct bench_contender *c, struct bench_ops *ops,
		      enum bench_interface kind)
{
	if (c->path[0])
		load(c->path);
	else
		bench_peer = (struct bench_peer){ malloc, free,
						  aligned_alloc };
	ops->alloc = (bench_alloc_fn)(void (*)(void))bench_peer.malloc;
	ops->free = (bench_free_fn)(void (*)(void))bench_peer.free;
	if (kind == BENCH_ALIGNED_PAGES)
		ops->alloc = aligned_alloc_of_peer;
	return kind != BENCH_ALIGNED_PAGES || bench_peer.aligned_alloc;
}

/* ---- any of them ------------------------------------------------------- */

static size_t loop_bulk_alloc(const struct bench_ops *ops, size_t n, void **p)
{
	size_t i;

	for (i = 0; i < n; i++)
		p[i] = bench_alloc(ops, ops->what);
	return n;
}

static void loop_bulk_free(const struct bench_ops *ops, size_t n, void **p)
{
	size_t i;

	for (i = 0; i < n; i++)
		ops->free(p[i], ops->what);
}

bool bench_open(const struct bench_contender *c, enum bench_interface kind,
		size_t size, uint64_t machine_bytes, unsigned nr_cpus,
		struct bench_ops *ops)
{
	bool pages = kind == BENCH_PAGES || kind == BENCH_ALIGNED_PAGES;
	size_t bytes = pages ? (size_t)4096 << size : size;

	*ops = (struct bench_ops){ .what = bytes, .bytes = bytes,
				   .bulk_alloc = loop_bulk_alloc,
				   .bulk_free = loop_bulk_free };
	switch (c->kind) {
	case BENCH_FLOOR:
		return kind != BENCH_ANY_SIZE && nr_cpus == 1 &&
		       open_floor(ops, bytes);
	case BENCH_LOOP:
		ops->alloc = loop_alloc;
		ops->free = loop_free;
		return true;
	case BENCH_KMEM:
		host_machine(machine_bytes, nr_cpus);
		open_kmem(ops, kind, size);
		return true;
	case BENCH_KMEM_CACHE:
		host_machine(machine_bytes, nr_cpus);
		return open_cache(ops, kind, size);
	default:
		return open_peer(c, ops, kind);
	}
}
