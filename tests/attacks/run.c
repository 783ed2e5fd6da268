// SPDX-License-Identifier: MIT
/*
 * run.c - one attack, once: the machine, the victim, what is looked at after.
 *
 * A run is DETECTED if the first report is right: it names the object, with its
 * cache, slab and index, what was found, who called, and, where it is tracked,
 * who allocated and who freed it. All of that is noted when the victim is still
 * what it was.
 *
 * After it, kmem must be sound, reported or not: kmem_check_all() finds
 * nothing, the neighbours have what was in them, 1,000 allocations and frees
 * get memory that nobody else has, and when all is freed the checker finds
 * nothing again. What was missed and harmed live memory may cause reports in
 * that time; anything else that is reported then is UNSOUND too.
 */
#include <stdarg.h>
#include <stdlib.h>

#include "attack.h"

#include <kmem/obj_info.h>

#define MEMORY		(32 * MIB)
#define KEPT		32

/* What kmem_panic() was told. */
static struct {
	const char *stage;
	struct report {
		const char *stage;
		char text[400];
	} report[KEPT];
	unsigned n;
} said = { .stage = "" };

/* What must be in a report. */
static struct {
	char address[24], cache[64], slab[40], index[24];
	const char *words;
	unsigned says;
} wanted;

static void on_panic(const char *reason)
{
	unsigned i = __atomic_fetch_add(&said.n, 1, __ATOMIC_RELAXED);

	if (i >= KEPT)
		return;
	said.report[i].stage = said.stage;
	snprintf(said.report[i].text, sizeof(said.report[i].text), "%s",
		 reason);
}

unsigned nr_reports(void)
{
	return __atomic_load_n(&said.n, __ATOMIC_RELAXED);
}

void during(struct run *r, const char *stage)
{
	(void)r;
	said.stage = stage;
}

void holds(struct run *r, bool held)
{
	if (r->held)
		r->held = held;
}

/* ---- what a report has to say ---- */

void expect(struct run *r, const void *p, const char *words, unsigned says)
{
	struct kmem_obj_info o;

	(void)r;
	memset(&wanted, 0, sizeof(wanted));
	wanted.words = words;
	wanted.says = says;
	if (p)
		snprintf(wanted.address, sizeof(wanted.address), "0x%" PRIxPTR,
			 (uintptr_t)p);
	kmem_obj_lookup(p, &o);
	if (!o.cache || (says & NO_PLACE))
		return;
	snprintf(wanted.cache, sizeof(wanted.cache), "cache %s", o.name);
	if (says & NO_INDEX)
		return;
	snprintf(wanted.slab, sizeof(wanted.slab), "slab 0x%" PRIxPTR,
		 (uintptr_t)o.slab);
	snprintf(wanted.index, sizeof(wanted.index), "index %u", o.index);
}

/* The text has that, and the word or number ends there. */
static const char *has(const char *text, const char *word)
{
	size_t n = strlen(word);

	for (const char *at = text; n && (at = strstr(at, word)); at++)
		if (!strchr("0123456789abcdef", at[n]) || !at[n])
			return at + n;
	return NULL;
}

extern const char __start_misuse_calls[], __stop_misuse_calls[];

/* After `word` comes the address of a call that was misuse. */
static bool names_call(const char *text, const char *word)
{
	const char *at = strstr(text, word);
	uintptr_t address = 0;

	if (at)
		address = (uintptr_t)strtoull(at + strlen(word), NULL, 16);
	return address - (uintptr_t)__start_misuse_calls <
	       (uintptr_t)(__stop_misuse_calls - __start_misuse_calls);
}

/* After `word` comes an address of this program. */
static bool names_code(const char *text, const char *word)
{
	const char *at = strstr(text, word);

	return at && strtoull(at + strlen(word), NULL, 16) > PAGE;
}

/* What is missing in it; NULL: nothing. */
static const char *lacks(const struct run *r, const char *text)
{
	const char *const must[] = { wanted.address, wanted.cache, wanted.slab,
				     wanted.index };

	for (unsigned i = 0; i < KMEM_ARRAY_SIZE(must); i++)
		if (*must[i] && !has(text, must[i]))
			return must[i];
	if (wanted.words && !strstr(text, wanted.words))
		return wanted.words;
	if ((wanted.says & SAYS_FOUND) &&
	    !(strstr(text, "expected ") && strstr(text, "found ")))
		return "expected, found";
	if (!(wanted.says & NO_CALLER) && !names_call(text, "caller 0x"))
		return "caller";
	if (r->column != DEBUG || r->kind > CACHE)
		return NULL;
	if ((wanted.says & SAYS_ALLOC) && !names_code(text, "allocated by 0x"))
		return "allocated by";
	if ((wanted.says & SAYS_FREE) && !names_code(text, "freed by 0x"))
		return "freed by";
	return NULL;
}

/* ---- the machine ---- */

/* RCU: what waits is called when somebody asks. */
static struct rcu_head *waiting;

static void call_rcu(void *ctx, struct rcu_head *head,
		     void (*fn)(struct rcu_head *head))
{
	(void)ctx;
	head->func = fn;
	head->next = waiting;
	waiting = head;
}

static void rcu_barrier(void *ctx)
{
	(void)ctx;
	while (waiting) {
		struct rcu_head *head = waiting;

		waiting = head->next;
		head->func(head);
	}
}

static void machine(const struct attack *a, enum column column)
{
	static const char *const debug[NR_COLUMNS][2] = {
		[HARDENED] = { NULL, "S" }, [DEBUG] = { "FZPU", "FZPUS" },
	};
	static const struct kmem_hooks hooks = {
		.call_rcu = call_rcu, .rcu_barrier = rcu_barrier,
	};
	static const struct test_range map[] = {
		{ 16 * MIB, 16 * MIB + MEMORY, KMEM_REGION_USABLE,
		  KMEM_NO_NODE },
	};
	bool stable = a->needs & STABLE;
	struct kmem_params p = { .nr_cpus = 2, .hooks = &hooks,
				 .debug = debug[column][stable] };

	host_cpu_set(0);
	host_memory_share(a->needs & VMALLOC);
	REQUIRE(test_machine(map, 1, &p) == KMEM_OK);
	if (a->needs & VMALLOC)
		REQUIRE(host_vmalloc(64 * MIB) == 0);
	host_on_panic(on_panic);
}

/* ---- the victim ---- */

uint64_t below(struct run *r, uint64_t n)
{
	return test_below(&r->random, n);
}

size_t between(struct run *r, size_t a, size_t b)
{
	return a + (size_t)below(r, b - a + 1);
}

/* Small sizes are as many as large ones; powers of two, and their neighbours,
 * are often. */
static size_t random_size(struct run *r, size_t least, size_t most)
{
	size_t size = (size_t)8 << below(r, 16);

	switch (below(r, 4)) {
	case 0:
		size -= 1;
		break;
	case 1:
		size += 1;
		break;
	case 2:
		size = between(r, size / 2 + 1, size);
		break;
	}
	return size < least ? between(r, least, least + 64) :
	       size > most ? between(r, most / 2, most) : size;
}

void *take(struct run *r)
{
	struct page *page;

	switch (r->kind) {
	case CACHE:
		return kmem_cache_alloc(r->cache, GFP_KERNEL);
	case PAGES:
		page = alloc_pages(GFP_KERNEL, r->order);
		return page ? page_to_virt(page) : NULL;
	default:
		return kmalloc(r->size, GFP_KERNEL);
	}
}

/* It may be what finds an attack, and is to be named then. */
MISUSE_CALL void give(struct run *r, void *p)
{
	if (r->kind == CACHE)
		kmem_cache_free(r->cache, p);
	else if (r->kind == PAGES)
		free_pages((uintptr_t)p, r->order);
	else
		kfree(p);
	END_OF_CALL();
}

size_t room(const struct run *r, const void *p)
{
	return r->kind == PAGES ? PAGE << r->order :
	       r->kind == CACHE ? r->size : ksize(p);
}

/* The reserve is full, so that what is freed goes to the allocator; or not. */
static void make_pool(struct run *r)
{
	int error = r->kind == CACHE ?
			mempool_init_slab_pool(&r->pool, 2, r->cache) :
		    r->kind == PAGES ?
			mempool_init_page_pool(&r->pool, 2, r->order) :
			mempool_init_kmalloc_pool(&r->pool, 2, r->size);
	void *p;

	REQUIRE(!error);
	if (below(r, 2))
		return;
	p = mempool_alloc_preallocated(&r->pool);
	give(r, r->kind == PAGES ? page_to_virt(p) : p);
}

static void choose(struct run *r)
{
	size_t large = KMALLOC_MAX_CACHE_SIZE;

	r->order = (unsigned)below(r, 5);
	if (r->kind == LARGE)
		r->size = random_size(r, large + 1, 64 * KIB);
	else if (r->kind == PAGES)
		r->size = PAGE << r->order;
	else
		r->size = random_size(r, 1, large);
	r->cache = kmem_cache_create("victims", r->kind == CACHE ? r->size : 64,
				     0, 0, NULL);
	REQUIRE(r->cache);
	make_pool(r);
}

static void add_neighbours(struct run *r, unsigned n)
{
	for (; n && r->nr_neighbours < NEIGHBOURS; n--) {
		char *p = take(r);

		if (!p)
			return;
		test_fill(p, r->size, r->nr_neighbours);
		r->neighbour[r->nr_neighbours++] = p;
	}
}

void *victim(struct run *r)
{
	void *p;

	add_neighbours(r, (unsigned)between(r, 1, NEIGHBOURS / 2));
	p = take(r);
	REQUIRE(p);
	add_neighbours(r, (unsigned)between(r, 1, NEIGHBOURS / 2 - 1));
	return p;
}

void *neighbour(struct run *r)
{
	return r->nr_neighbours ? r->neighbour[--r->nr_neighbours] : NULL;
}

void churn(struct run *r, unsigned n, size_t most)
{
	void *p[16] = { NULL };

	while (n) {
		void **at = &p[below(r, KMEM_ARRAY_SIZE(p))];

		kfree(*at);
		*at = NULL;
		n--;
		if (below(r, 8))
			*at = kmalloc(random_size(r, 1, most), GFP_KERNEL);
	}
	for (unsigned i = 0; i < KMEM_ARRAY_SIZE(p); i++)
		kfree(p[i]);
}

void drain(struct run *r)
{
	(void)r;
	test_drain(2);
}

/* ---- afterwards ---- */

static char wrong[500];

/* The first thing that is wrong is what is told. */
static void note(const char *fmt, ...)
{
	va_list args;

	if (*wrong)
		return;
	va_start(args, fmt);
	vsnprintf(wrong, sizeof(wrong), fmt, args);
	va_end(args);
}

static void print_violation(void *ctx, const char *line)
{
	(void)ctx;
	note("kmem_check_all: %s", line);
}

static bool validate(struct kmem_cache *s, void *arg)
{
	(void)arg;
	kmem_cache_validate(s);
	return true;
}

/* What was written to free or live objects is no matter of kmem's state: in
 * debugged caches it is found, and repaired, before that is looked at. */
static void check(struct run *r)
{
	if (r->harmed)
		kmem_for_each_cache(validate, NULL);
	kmem_check_all(print_violation, NULL);
}

struct piece {
	char *p;
	size_t size;
	unsigned tag;
};

static void piece_free(struct piece *m)
{
	if (m->p && test_changed(m->p, m->size, m->tag))
		note("memory given to one was given to another: %p", m->p);
	kfree(m->p);
	m->p = NULL;
}

static void go_on(struct run *r, unsigned n)
{
	static struct piece piece[64];

	for (unsigned i = 0; i < n; i++) {
		struct piece *m = &piece[below(r, 64)];

		piece_free(m);
		m->size = random_size(r, 1, below(r, 8) ? 2048 : 32 * KIB);
		m->tag = i;
		m->p = below(r, 4) ? kmalloc(m->size, GFP_KERNEL) :
				     kzalloc(m->size, GFP_KERNEL);
		if (!m->p)
			note("no memory for %zu bytes", m->size);
		else
			test_fill(m->p, m->size, m->tag);
	}
	for (unsigned i = 0; i < KMEM_ARRAY_SIZE(piece); i++)
		piece_free(&piece[i]);
}

static void end_neighbours(struct run *r)
{
	for (unsigned i = 0; i < r->nr_neighbours; i++) {
		char *p = r->neighbour[i];

		if (!r->harmed && test_changed(p, r->size, i))
			note("a neighbour, %p, was changed", p);
		give(r, p);
	}
}

static void aftermath(struct run *r)
{
	unsigned before = nr_reports();

	during(r, "later");
	check(r);
	go_on(r, 1000);
	end_neighbours(r);
	mempool_exit(&r->pool);
	drain(r);
	rcu_barrier(NULL);
	check(r);
	if (!r->harmed && nr_reports() != before)
		note("reported later: %s", before < KEPT ?
		     said.report[before].text : "");
}

/*
 * Of two CPUs that free an object of kmalloc()'s at once, one may find the guard
 * behind it blanked by the other, and report that besides what is common to both.
 */
static bool counts(const struct run *r, const struct report *said_here)
{
	return !r->racing || r->column != HARDENED || r->kind != KMALLOC ||
	       !strstr(said_here->text, "right guard overwritten");
}

/* Return: the first report that counts, and how many do; NULL: none. */
static const struct report *find_reports(const struct run *r, unsigned *n)
{
	const struct report *first = NULL;

	*n = nr_reports();
	for (unsigned i = 0; i < nr_reports() && i < KEPT; i++)
		if (!counts(r, &said.report[i]))
			--*n;
		else if (!first)
			first = &said.report[i];
	return first;
}

static void judge(const struct run *r, struct outcome *o)
{
	const struct report *report;
	const char *first, *missing;
	unsigned n;

	o->stage[0] = '\0';
	if (r->held >= 0) {
		o->end = r->held ? DETECTED : MISSED;
		return;
	}
	report = find_reports(r, &n);
	if (!report) {
		o->end = MISSED;
		return;
	}
	snprintf(o->stage, sizeof(o->stage), "%s", report->stage);
	first = report->text;
	missing = lacks(r, first);
	o->end = missing ? WRONG : DETECTED;
	if (missing)
		snprintf(o->text, sizeof(o->text), "no \"%s\" in: %s", missing,
			 first);
	else
		snprintf(o->text, sizeof(o->text), "%s", first);
	if (!missing && r->reports && r->reports != n) {
		o->end = WRONG;
		snprintf(o->text, sizeof(o->text), "%u reports, not %u: %s", n,
			 r->reports, first);
	}
}

void run_attack(const struct attack *a, enum kind kind, enum column column,
		uint64_t seed, struct outcome *o)
{
	struct run r = { .column = column, .kind = kind, .random = seed,
			 .held = -1 };

	machine(a, column);
	choose(&r);
	during(&r, "before");
	a->fn(&r);
	if (r.nothing) {
		o->end = CAME_TO_NOTHING;
		return;
	}
	judge(&r, o);
	/* What was not found until now is found there, or never. */
	aftermath(&r);
	if (o->end == MISSED && r.held < 0 && nr_reports())
		judge(&r, o);
	if (*wrong) {
		o->end = UNSOUND;
		snprintf(o->text, sizeof(o->text), "%s", wrong);
	}
}
