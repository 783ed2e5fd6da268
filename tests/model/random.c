// SPDX-License-Identifier: MIT
/*
 * tests/model/random.c - the whole interface against a trivial oracle.
 *
 * A small machine (with an odd seed, of two nodes), one thread that plays
 * several CPUs in turn, and a long random sequence of calls: kmalloc and its
 * family, caches that come and go, blocks of pages of all orders, bulk calls,
 * shrinking and draining, wrong frees. The oracle is a byte for each eight
 * bytes of memory, which says whether somebody holds them, and a list of all
 * that is held, with a pattern in the contents.
 *
 *	what is given	nobody holds a byte of it; aligned; in the zone asked
 *			for; zero if asked for
 *	what is held	keeps its pattern, whatever happens elsewhere
 *	what is refused	only when memory is as short as the watermarks say
 *	what is wrong	is reported once, and changes nothing
 *	every now and	kmem_check_all(), and all pages are accounted for: free,
 *	then		in slabs, or held
 *
 * The balance between allocating and freeing swings, so that memory is used up
 * and comes back whole several times.
 *
 *	KMEM_SEED=n	replay		KMEM_OPS=n	how many calls
 *	KMEM_CACHES=s	params.debug	KMEM_ONLY=1,7-9	only these
 *
 * A run that fails is repeated with ever fewer of its calls (shrink.h), and
 * ends with what to type for the few that are left.
 *
 * The machine is started twice: as it is, and shortly with all caches
 * debugged, which must find nothing.
 */
#include <stdlib.h>
#include <sys/mman.h>

#include "shrink.h"
#include "testlib.h"

#define QUIET		__GFP_NOWARN
#define CPUS		4
#define BASE		(8 * MIB)
#define BYTES		(32 * MIB)
#define DMA_END		(16 * MIB)

static uint64_t seed0, seed;
static const char *debug;	/* params.debug */
static unsigned op;
static unsigned *reached;	/* the same, for the process that waits */

#define CHECK(cond) ((cond) ? (void)0 : failed(__LINE__, #cond))

static void failed(int line, const char *what)
{
	fprintf(stderr, "random: call %u, KMEM_SEED=%" PRIu64 "\n", op, seed0);
	for (unsigned i = 0; i < test_panics(); i++)
		fprintf(stderr, "\t%s\n", test_panic(i));
	test_fail(__FILE__, line, what);
}

static uint64_t below(uint64_t n)
{
	return test_below(&seed, n);
}

/* -------------------------------------------------------------- the oracle */

enum kind { KMALLOC, CACHE, BLOCK, EXACT };

struct holding {
	char *p;
	size_t size;		/* bytes that are ours */
	uint32_t tag;
	uint8_t kind, order, cache;
	bool shared;		/* once: with KMEM_MOBILITY 0, put_page()
				 * alone frees it (page_ref.h) */
};

#define HELD_MAX	200000u

static struct holding held[HELD_MAX];
static unsigned nr_held;
static unsigned char owned[BYTES / 8];
static size_t held_pages;	/* of blocks: not in slabs */
static size_t held_objects;	/* in slabs */
static size_t all_pages;	/* what test_pages() said at first */
static size_t first_objects;
static unsigned refused;	/* calls, for lack of memory */

static size_t granule(const void *p)
{
	kmem_phys_t phys = virt_to_phys(p);

	CHECK(phys >= BASE && phys < BASE + BYTES);
	return (size_t)(phys - BASE) / 8;
}

static void own(const void *p, size_t size)
{
	size_t first = granule(p), last = granule((const char *)p + size - 1);

	CHECK(last - first == (((uintptr_t)p & 7) + size - 1) / 8);
	CHECK(!memchr(owned + first, 1, last - first + 1));
	memset(owned + first, 1, last - first + 1);
}

static void disown(const void *p, size_t size)
{
	size_t first = granule(p), last = granule((const char *)p + size - 1);

	memset(owned + first, 0, last - first + 1);
}

/* The pattern is in the first and the last bytes; of large things also once in
 * every page. */
#define EDGE	48

static void stamp(const struct holding *h)
{
	size_t edge = h->size < EDGE ? h->size : EDGE;

	for (size_t at = 0; h->size > PAGE && at < h->size - 8; at += PAGE)
		memcpy(h->p + at, &h->tag, sizeof(h->tag));
	test_fill(h->p, edge, h->tag);
	test_fill(h->p + h->size - edge, edge, h->tag ^ 0x55);
}

static void verify(const struct holding *h)
{
	size_t edge = h->size < EDGE ? h->size : EDGE;

	if (h->size >= 2 * EDGE)
		CHECK(!test_changed(h->p, edge, h->tag));
	CHECK(!test_changed(h->p + h->size - edge, edge, h->tag ^ 0x55));
	for (size_t at = PAGE; h->size > PAGE && at < h->size - EDGE - 8;
	     at += PAGE)
		CHECK(!memcmp(h->p + at, &h->tag, sizeof(h->tag)));
}

static bool large(size_t size)
{
	return size > KMALLOC_MAX_CACHE_SIZE;
}

static void account(const struct holding *h, int sign)
{
	size_t pages = 0;

	if (h->kind == BLOCK || h->kind == EXACT ||
	    (h->kind == KMALLOC && large(h->size)))
		pages = (h->size + PAGE - 1) / PAGE;
	held_pages += sign > 0 ? pages : 0 - pages;
	if (!pages)
		held_objects += sign > 0 ? 1 : (size_t)-1;
}

static void check_zero(const char *p, size_t size)
{
	size_t step = size > 8192 ? 509 : 1;

	for (size_t i = 0; i < size; i += step)
		CHECK(p[i] == 0);
}

static void hold(enum kind kind, void *p, size_t size, unsigned extra,
		 gfp_t gfp)
{
	struct holding h = { .p = p, .size = size,
			     .tag = (uint32_t)test_random(&seed) | 1,
			     .kind = (uint8_t)kind };

	CHECK(nr_held < HELD_MAX);
	h.order = kind == BLOCK ? (uint8_t)extra : 0;
	h.cache = kind == CACHE ? (uint8_t)extra : 0;
	own(p, size);
	if (gfp & __GFP_ZERO)
		check_zero(p, size);
	if (KMEM_ZONES > 1 && (gfp & __GFP_DMA))
		CHECK(virt_to_phys(p) + size <= DMA_END);
	stamp(&h);
	account(&h, 1);
	held[nr_held++] = h;
}

/* It is no longer in the list; the caller frees it now. */
static struct holding let_go(unsigned i)
{
	struct holding h = held[i];

	verify(&h);
	disown(h.p, h.size);
	account(&h, -1);
	held[i] = held[--nr_held];
	return h;
}

static unsigned find(enum kind kind)
{
	for (unsigned tries = 0; nr_held && tries < 20; tries++) {
		unsigned i = (unsigned)below(nr_held);

		if (held[i].kind == kind)
			return i;
	}
	return HELD_MAX;
}

/* -------------------------------------------------------------- the caches */

static const struct {
	size_t size, align;
	slab_flags_t flags;
} cache_kind[] = {
	{ 8, 0, 0 }, { 24, 0, 0 }, { 40, 64, 0 },
	{ 100, 0, SLAB_HWCACHE_ALIGN }, { 600, 128, 0 },
	{ 1400, 0, SLAB_CACHE_DMA }, { 4096, 4096, 0 },
	{ 6000, 0, 0 }, { 20000, 0, 0 },
};
#define NR_CACHES	KMEM_ARRAY_SIZE(cache_kind)

static struct kmem_cache *cache[NR_CACHES];
static unsigned cache_live[NR_CACHES];

static void create_cache(unsigned c)
{
	char name[16];

	snprintf(name, sizeof(name), "random-%u", c);
	cache[c] = kmem_cache_create(name, cache_kind[c].size,
				     cache_kind[c].align, cache_kind[c].flags,
				     NULL);
}

static void recreate_cache(void)
{
	unsigned c = (unsigned)below(NR_CACHES);

	if (cache_live[c])
		return;
	kmem_cache_destroy(cache[c]);
	create_cache(c);
}

static void hold_object(unsigned c, void *p, gfp_t gfp)
{
	if (cache_kind[c].align)
		CHECK((uintptr_t)p % cache_kind[c].align == 0);
	if (cache_kind[c].flags & SLAB_CACHE_DMA)
		gfp |= __GFP_DMA;
	hold(CACHE, p, cache_kind[c].size, c, gfp);
	cache_live[c]++;
}

/* --------------------------------------------------------------- the calls */

static gfp_t random_gfp(void)
{
	static const gfp_t gfp[] = {
		GFP_KERNEL, GFP_KERNEL, GFP_KERNEL, GFP_ATOMIC, GFP_NOWAIT,
		GFP_NOIO, GFP_KERNEL | __GFP_ZERO, GFP_ATOMIC | __GFP_ZERO,
		GFP_KERNEL | __GFP_NORETRY, GFP_KERNEL | GFP_DMA,
		GFP_ATOMIC | GFP_DMA, GFP_KERNEL | GFP_DMA32,
		GFP_HIGHUSER_MOVABLE, GFP_HIGHUSER_MOVABLE,
		GFP_ATOMIC | __GFP_MOVABLE | __GFP_ZERO,
		GFP_KERNEL | __GFP_RECLAIMABLE,
	};

	return gfp[below(KMEM_ARRAY_SIZE(gfp))] | QUIET;
}

static size_t random_size(void)
{
	unsigned r = (unsigned)below(1000);

	if (r < 600)
		return 1 + below(256);
	if (r < 850)
		return 1 + below(2048);
	if (r < 950)
		return 1 + below(8192);
	if (r < 995)
		return 1 + below(65536);
	return 1 + below(MIB);
}

/* A single page was refused: no zone of the request may have more free than
 * its marks and reserves, whatever CPUs have cached. */
static void check_refusal(gfp_t gfp)
{
	struct kmem_zone_stats st;

	for (unsigned i = 0; kmem_zone_stats(i, &st); i++) {
		if (KMEM_ZONES > 1 && (gfp & __GFP_DMA) && strcmp(st.name, "DMA"))
			continue;
		CHECK(st.free_pages <= st.min + BYTES / PAGE / 256 + 1);
	}
}

static void do_kmalloc(void)
{
	size_t size = random_size();
	gfp_t gfp = random_gfp();
	void *p = below(8) ? kmalloc(size, gfp) :
			     kcalloc(1, size, gfp);

	refused += !p;
	if (!p)
		return;
	CHECK(ksize(p) == kmalloc_size_roundup(size) ||
	      (gfp & KMALLOC_TYPE_GFP) || debug);
	CHECK(ksize(p) >= size);
	hold(KMALLOC, p, ksize(p), 0, gfp);
}

static void do_krealloc(void)
{
	unsigned i = find(KMALLOC);
	size_t size = random_size();
	struct holding h;
	void *p;

	if (i == HELD_MAX)
		return;
	h = let_go(i);
	test_fill(h.p, h.size, h.tag);
	p = krealloc(h.p, size, GFP_KERNEL | QUIET);
	if (!p) {
		/* it failed: the old block is as it was */
		p = h.p;
		CHECK(ksize(p) == h.size);
		size = h.size;
	}
	CHECK(ksize(p) >= size);
	CHECK(!test_changed(p, h.size < size ? h.size : size, h.tag));
	hold(KMALLOC, p, ksize(p), 0, 0);
}

static void do_object(void)
{
	unsigned c = (unsigned)below(NR_CACHES);
	gfp_t gfp = random_gfp() & ~KMEM_GFP_ZONEMASK;
	void *p;

	if (!cache[c])
		create_cache(c);
	if (!cache[c])
		return;
	p = below(4) ? kmem_cache_alloc(cache[c], gfp) :
		       kmem_cache_zalloc(cache[c], gfp |= __GFP_ZERO);
	if (p)
		hold_object(c, p, gfp);
}

static void do_bulk(void)
{
	unsigned c = (unsigned)below(NR_CACHES);
	gfp_t gfp = random_gfp() & ~KMEM_GFP_ZONEMASK;
	size_t n = 1 + below(100);
	void *obj[100];

	if (!cache[c] || !kmem_cache_alloc_bulk(cache[c], gfp, n, obj))
		return;
	while (n)
		hold_object(c, obj[--n], gfp);
}

static void do_block(void)
{
	static const unsigned char orders[] = {
		0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 3, 3, 4, 5, 6, 7, 8, 9, 10,
	};
	unsigned order = orders[below(sizeof(orders))];
	gfp_t gfp = random_gfp();
	struct page *page;
	char *p;

	if (order > 5 && below(4))
		order = 0;
	page = alloc_pages(gfp, order);
	refused += !page;
	if (!page) {
		if (!order)
			check_refusal(gfp);
		return;
	}
	p = page_to_virt(page);
	CHECK((uintptr_t)p % (PAGE << order) == 0);
	hold(BLOCK, p, PAGE << order, order, gfp);
}

static void do_exact(void)
{
	size_t size = 1 + below(20 * PAGE);
	gfp_t gfp = random_gfp();
	void *p = alloc_pages_exact(size, gfp);

	if (p)
		hold(EXACT, p, size, 0, gfp);
}

/* A block below a limit, or a run of single pages, or many of them. */
static void do_placed(void)
{
	kmem_phys_t limit = BASE + below(BYTES);
	unsigned order = (unsigned)below(6);
	size_t n = 1 + below(100);
	struct page *page[100] = { NULL };
	gfp_t gfp = random_gfp();

	switch (below(3)) {
	case 0:
		page[0] = alloc_pages_range(order, gfp, limit, 0);
		if (!page[0])
			break;
		CHECK(page_to_phys(page[0]) + (PAGE << order) <= limit);
		hold(BLOCK, page_to_virt(page[0]), PAGE << order, order, gfp);
		break;
	case 1:
		page[0] = alloc_contig_pages(n, gfp, KMEM_NO_NODE, NULL);
		for (size_t i = 0; page[0] && i < n; i++)
			hold(BLOCK, page_to_virt(page[0] + i), PAGE, 0, gfp);
		break;
	default:
		n = alloc_pages_bulk(gfp, n, page);
		for (size_t i = 0; i < n; i++)
			hold(BLOCK, page_to_virt(page[i]), PAGE, 0, gfp);
	}
}

/* A second holder, who lets go again, first or last. */
static void do_share(void)
{
	unsigned i = find(BLOCK);
	struct page *page;

	if (i == HELD_MAX)
		return;
	page = virt_to_page(held[i].p);
	CHECK(page_count(page) == 1);
	get_page(page + below(1u << held[i].order));
	held[i].shared = !KMEM_MOBILITY;
	if (KMEM_MOBILITY && below(2))
		__free_pages(page, held[i].order);
	else
		put_page(page);
	CHECK(page_count(page) == 1);
	verify(&held[i]);
}

static void do_split(void)
{
	unsigned i = find(BLOCK);
	struct holding h;

	if (i == HELD_MAX || nr_held + (1u << held[i].order) >= HELD_MAX ||
	    held[i].shared)
		return;
	h = let_go(i);
	split_page(virt_to_page(h.p), h.order);
	for (size_t at = 0; at < h.size; at += PAGE)
		hold(BLOCK, h.p + at, PAGE, 0, 0);
}

static void free_object(struct holding *h)
{
	cache_live[h->cache]--;
	if (below(2))
		kmem_cache_free(cache[h->cache], h->p);
	else
		kfree(h->p);
}

static void do_free(void)
{
	struct holding h;

	if (!nr_held)
		return;
	h = let_go((unsigned)below(nr_held));
	switch ((enum kind)h.kind) {
	case KMALLOC:
		if (below(10))
			kfree(h.p);
		else
			kfree_sensitive(h.p);
		break;
	case CACHE:
		free_object(&h);
		break;
	case BLOCK:
		if (!h.shared && below(2))
			__free_pages(virt_to_page(h.p), h.order);
		else if (h.shared || below(2))
			put_page(virt_to_page(h.p));
		else
			free_pages((uintptr_t)h.p, h.order);
		break;
	case EXACT:
		free_pages_exact(h.p, h.size);
	}
}

static void do_free_bulk(void)
{
	void *obj[100];
	size_t n = 1 + below(100), got = 0;

	while (got < n) {
		unsigned i = find(CACHE);
		struct holding h;

		if (i == HELD_MAX)
			break;
		h = let_go(i);
		cache_live[h.cache]--;
		obj[got++] = h.p;
	}
	kmem_cache_free_bulk(NULL, got, obj);
}

/* A pointer that must be refused: into the middle of something, or something
 * that is not held by anybody. */
static void do_wrong_free(void)
{
	unsigned i = (unsigned)below(nr_held + 1u);
	const char *p;

	CHECK(test_panics() == 0);
	if (i < nr_held && held[i].size > 16 && below(2)) {
		p = held[i].p + 1 + below(held[i].size - 1);
		if (held[i].kind == EXACT && (uintptr_t)p % PAGE == 0)
			return;		/* those are pages of their own */
	} else {
		p = phys_to_virt(BASE + below(BYTES));
		if (owned[granule(p)])
			return;
	}
	if (below(2))
		kfree(p);
	else
		kmem_cache_free(cache[0], (void *)(uintptr_t)p);
	CHECK(test_panics() == 1);
	test_panics_clear();
}

static void do_maintenance(void)
{
	unsigned c = (unsigned)below(NR_CACHES);

	switch (below(4)) {
	case 0:
		if (cache[c])
			kmem_cache_shrink(cache[c]);
		break;
	case 1:
		drain_pages();
		break;
	case 2:
		recreate_cache();
		break;
	default:
		break;
	}
}

/* --------------------------------------------------------- the whole of it */

static bool add_live(struct kmem_cache *s, void *arg)
{
	struct kmem_cache_stats st;

	kmem_cache_stats(s, &st);
	*(size_t *)arg += st.live;
	return true;
}

static size_t live_objects(void)
{
	size_t n = 0;

	kmem_for_each_cache(add_live, &n);
	return n;
}

static void check_everything(void)
{
	CHECK(test_violations() == 0);
	CHECK(test_pages() + held_pages == all_pages);
	CHECK(live_objects() == first_objects + held_objects);
	for (unsigned c = 0; c < NR_CACHES; c++)
		if (cache[c]) {
			struct kmem_cache_stats st;

			kmem_cache_stats(cache[c], &st);
			CHECK(st.live == cache_live[c]);
		}
}

static void one_call(bool growing)
{
	unsigned r = (unsigned)below(1000);

	if (below(4) == 0)
		host_cpu_set((unsigned)below(CPUS));
	if (r < 4)
		do_maintenance();
	else if (r < 10)
		do_wrong_free();
	else if (r < 20)
		do_split();
	else if (r < 24)
		do_placed();
	else if (r < 34)
		do_share();
	else if (r < 70)
		do_krealloc();
	else if (below(100) < (growing ? 60 : 40) && nr_held < HELD_MAX - 200) {
		r = (unsigned)below(100);
		if (r < 45)
			do_kmalloc();
		else if (r < 75)
			do_object();
		else if (r < 78)
			do_bulk();
		else if (r < 95)
			do_block();
		else
			do_exact();
	} else if (below(60) == 0) {
		do_free_bulk();
	} else {
		do_free();
	}
	CHECK(test_panics() == 0);
}

static int node_of_cpu(void *ctx, unsigned cpu)
{
	(void)ctx;
	return (int)(cpu % 2);
}

static void start_machine(void)
{
	static const struct kmem_hooks hooks = {
		.cpu_node = node_of_cpu, .run_on_cpu = host_run_on_cpu,
	};
	/* the seam is in the middle of a block and of the DMA zone */
	const kmem_phys_t seam = DMA_END - 3 * MIB - 5 * PAGE;
	const struct test_range map[] = {
		{ BASE, BASE + BYTES, KMEM_REGION_USABLE, KMEM_NO_NODE },
		{ seam, BASE + BYTES, KMEM_REGION_NODE,
		  KMEM_MAX_NODES > 1 ? (int)(seed0 % 2) : 0 },
	};
	struct kmem_params p = { .nr_cpus = CPUS, .hooks = &hooks,
				 .debug = debug };

	CHECK(test_machine(map, 2, &p) == KMEM_OK);
	test_panics_record();
	for (unsigned c = 0; c < NR_CACHES; c++)
		create_cache(c);
	first_objects = live_objects();
	all_pages = test_pages();
}

/* One machine, from its start to its end. */
static void run(const struct test_steps *s)
{
	unsigned check_each = s->nr > 1000 ? 1000 : 1;
	size_t most = 0;

	refused = 0;
	start_machine();
	for (op = 1; op <= s->nr; op++) {
		if (s->left_out[op])
			continue;
		*reached = op;
		/* each call's numbers are its own: others can be left out */
		seed = seed0 + op;
		seed = test_random(&seed);
		/* a swing of 160,000 calls: up until memory is used up, and
		 * down until hardly anything is held */
		one_call(op / 80000 % 2 == 0);
		if (op % check_each == 0)
			check_everything();
		if (op % 100 == 0 && all_pages - nr_free_pages() > most)
			most = all_pages - nr_free_pages();
	}
	while (nr_held)
		do_free();
	check_everything();
	test_drain(CPUS);
	check_everything();
	printf("random: %u calls, %u refused for lack of memory; at most %zu "
	       "of %zu pages held\n", s->nr, refused, most, all_pages);
	for (unsigned c = 0; c < NR_CACHES; c++)
		kmem_cache_destroy(cache[c]);
	CHECK(test_panics() == 0);
}

/* Return: whether it failed; how, has been printed. */
static bool fails(unsigned nr_ops)
{
	const char *only = getenv("KMEM_ONLY");
	struct test_steps s;

	test_steps_init(&s, nr_ops, only, run);
	if (!test_steps_fail(&s, false)) {
		test_steps_fini(&s);
		return false;
	}
	s.nr = *reached;
	fprintf(stderr, "random: failed at call %u; looking for fewer calls "
		"that fail\n", s.nr);
	if (!test_steps_fail(&s, true))
		s.nr = nr_ops;		/* what was wrong was seen later */
	fprintf(stderr, "random: %u calls that fail: KMEM_SEED=%" PRIu64
		" KMEM_OPS=%u KMEM_CACHES=%s KMEM_ONLY=",
		test_steps_shrink(&s, 400), seed0, s.nr, debug ? debug : "-");
	test_steps_print(&s, stderr);
	fprintf(stderr, "\n");
	test_steps_fini(&s);
	return true;
}

int main(void)
{
	const char *ops = getenv("KMEM_OPS");
	unsigned nr_ops = ops ? (unsigned)strtoul(ops, NULL, 0) :
				test_scaled(2000000);

	reached = mmap(NULL, sizeof(*reached), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	REQUIRE(reached != MAP_FAILED);
	seed0 = test_seed("random");
	debug = getenv("KMEM_CACHES");
	if (fails(nr_ops))
		return EXIT_FAILURE;
	if (debug || !KMEM_CACHE_DEBUG)
		return EXIT_SUCCESS;
	debug = "FZPU";
	return fails(nr_ops / 8) ? EXIT_FAILURE : EXIT_SUCCESS;
}
