/* SPDX-License-Identifier: MIT */
/*
 * tests/host/replay.c - running a trace.
 *
 * Why it can't deadlock. Take the record with the lowest number that is not
 * done. All it may have to wait for has a lower number, so is done: the
 * allocation of what it frees, and the window, whose lower end it is itself.
 * For others to see that, a CPU publishes how far it is before it waits.
 *
 * What is written into memory. The first and the last word of an object are
 * made from its id and must still be there when it is freed: two objects that
 * overlap, or an allocator that writes into live objects, would spoil them.
 * Objects with a constructor keep its word in front while they are free.
 */
#define _GNU_SOURCE
#include "replay.h"
#include "replay_parts.h"

#include <host.h>

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define NOT_ALLOCATED	((void *)1)	/* published: the allocation failed */
#define PUBLISH_EVERY	16
#define REPORT_STEPS	100

/* ---- content ----------------------------------------------------------- */

static const uint64_t constructed = 0x636f6e7374727563;

/* Every constructor of a trace is this one. */
void replay_construct(void *object)
{
	memcpy(object, &constructed, sizeof(constructed));
}

static uint64_t key_of(uint32_t id)
{
	return (id + 1) * 0x9e3779b97f4a7c15;
}

static void mark(void *p, size_t bytes, uint32_t id)
{
	uint64_t key = key_of(id), inverse = ~key;

	memcpy(p, &key, bytes < sizeof(key) ? bytes : sizeof(key));
	if (bytes >= 2 * sizeof(key))
		memcpy((char *)p + bytes - sizeof(key), &inverse,
		       sizeof(key));
}

static bool is_marked(const void *p, size_t bytes, uint32_t id)
{
	uint64_t key = key_of(id), inverse = ~key;

	if (memcmp(p, &key, bytes < sizeof(key) ? bytes : sizeof(key)))
		return false;
	return bytes < 2 * sizeof(key) ||
	       !memcmp((const char *)p + bytes - sizeof(key), &inverse,
		       sizeof(key));
}

static bool is_zero(const void *p, size_t bytes)
{
	const char *c = p;

	return !bytes || (!c[0] && !memcmp(c, c + 1, bytes - 1));
}

bool replay_has_ctor(const struct replay *r, uint16_t cache)
{
	const struct trace_cache *c = &r->trace->cache[cache];

	return strchr(c->flags, 'C') && c->size >= sizeof(constructed);
}

KMEM_PRINTF(2, 3)
static void note_bad(struct replay_cpu *c, const char *fmt, ...)
{
	va_list args;

	if (c->bad++)
		return;
	va_start(args, fmt);
	vsnprintf(c->first_bad, sizeof(c->first_bad), fmt, args);
	va_end(args);
}

/* What address must an object have? */
static size_t alignment(const struct replay *r, const struct replay_op *op)
{
	size_t least = op->arg < KMALLOC_MIN_SIZE ? 1 : KMALLOC_MIN_SIZE;
	bool power = op->arg && !(op->arg & (op->arg - 1));

	switch (op->op) {
	case TRACE_PAGE:
		return KMEM_PAGE_SIZE << op->order;
	case TRACE_CACHE:
		if (r->cache[op->cache])
			return r->trace->cache[op->cache].align;
		return least;
	default:
		if (power && op->arg <= KMALLOC_MAX_CACHE_SIZE)
			return op->arg;
		return least;
	}
}

static void touch_new(struct replay *r, struct replay_cpu *c,
		      const struct replay_op *op, void *p, size_t bytes)
{
	size_t align = alignment(r, op);

	if (align && ((uintptr_t)p & (align - 1)))
		note_bad(c, "record %" PRIu32 ": %zu bytes at %p are not "
			 "aligned to %zu", op->seq, bytes, p, align);
	if ((op->gfp & __GFP_ZERO) && !is_zero(p, bytes))
		note_bad(c, "record %" PRIu32 ": zeroed memory is not zero",
			 op->seq);
	if (op->op == TRACE_CACHE && replay_has_ctor(r, op->cache) &&
	    memcmp(p, &constructed, sizeof(constructed)))
		note_bad(c, "record %" PRIu32 ": an object of %s is not as "
			 "its constructor left it", op->seq,
			 r->trace->cache[op->cache].name);
	mark(p, bytes, op->id);
}

static void touch_old(struct replay *r, struct replay_cpu *c, uint32_t id,
		      void *p, size_t bytes)
{
	const struct replay_object *o = &r->object[id];

	if (!is_marked(p, bytes, id))
		note_bad(c, "id %" PRIu32 " at %p: somebody else has written "
			 "into its %zu bytes", id, p, bytes);
	if (o->kind == TRACE_CACHE && replay_has_ctor(r, o->cache))
		replay_construct(p);
}

/* ---- one record -------------------------------------------------------- */

static void wait_begin(struct replay_cpu *c)
{
	if (c->next < c->nr_ops)
		kmem_store_release(&c->done, c->op[c->next].seq);
}

static uint64_t cpu_time(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* The address of what an earlier record allocates, perhaps elsewhere. */
static void *address_of(struct replay *r, struct replay_cpu *c, uint32_t id)
{
	void *p = kmem_load_acquire(&r->address[id]);
	uint64_t since;

	if (KMEM_LIKELY(p))
		return p;
	since = cpu_time();
	wait_begin(c);
	while (!(p = kmem_load_acquire(&r->address[id])))
		kmem_arch_relax();
	c->wait_ns += cpu_time() - since;
	return p;
}

static void publish(struct replay *r, struct replay_cpu *c,
		    const struct replay_op *op, void *p)
{
	if (!p) {
		c->failed[op->op]++;
		if (op->seq < c->first_failed)
			c->first_failed = op->seq;
		p = NOT_ALLOCATED;
	}
	kmem_store_release(&r->address[op->id], p);
}

static void do_alloc(struct replay *r, struct replay_cpu *c,
		     const struct replay_op *op)
{
	size_t bytes = op->arg;
	void *p;

	if (op->op == TRACE_PAGE) {
		struct page *page = alloc_pages(op->gfp, op->order);

		bytes = KMEM_PAGE_SIZE << op->order;
		p = page ? page_to_virt(page) : NULL;
	} else if (op->op == TRACE_CACHE && r->cache[op->cache]) {
		p = kmem_cache_alloc(r->cache[op->cache], op->gfp);
	} else {
		p = kmalloc(op->arg, op->gfp);
	}
	if (r->touch && p && bytes)
		touch_new(r, c, op, p, bytes);
	publish(r, c, op, p);
}

/* Give back what an id stands for. */
static void do_free(struct replay *r, struct replay_cpu *c, uint32_t id)
{
	const struct replay_object *o = &r->object[id];
	bool is_page = o->kind == TRACE_PAGE;
	size_t bytes = is_page ? KMEM_PAGE_SIZE << o->bytes : o->bytes;
	void *p = address_of(r, c, id);

	if (p == NOT_ALLOCATED) {
		c->skipped++;
		return;
	}
	if (r->touch && bytes)
		touch_old(r, c, id, p, bytes);
	if (is_page)
		__free_pages(virt_to_page(p), o->bytes);
	else if (o->kind == TRACE_CACHE && r->cache[o->cache])
		kmem_cache_free(r->cache[o->cache], p);
	else
		kfree(p);
}

static void do_split(struct replay *r, struct replay_cpu *c,
		     const struct replay_op *op)
{
	size_t i, nr = (size_t)1 << op->order;
	char *p = address_of(r, c, op->id);

	if (p == NOT_ALLOCATED) {
		c->skipped++;
	} else {
		if (r->touch)
			touch_old(r, c, op->id, p, nr << KMEM_PAGE_SHIFT);
		split_page(virt_to_page(p), op->order);
	}
	for (i = 0; i < nr; i++) {
		void *q = p;

		if (p != NOT_ALLOCATED) {
			q = p + (i << KMEM_PAGE_SHIFT);
			if (r->touch)
				mark(q, KMEM_PAGE_SIZE,
				     op->arg + (uint32_t)i);
		}
		kmem_store_release(&r->address[op->arg + i], q);
	}
}

static void do_op(struct replay *r, struct replay_cpu *c,
		  const struct replay_op *op)
{
	if (op->op <= TRACE_PAGE)
		do_alloc(r, c, op);
	else if (op->op <= TRACE_PFREE)
		do_free(r, c, op->id);
	else
		do_split(r, c, op);
}

/* ---- one CPU ----------------------------------------------------------- */

static uint32_t slowest(const struct replay *r)
{
	uint32_t least = UINT32_MAX, done;
	unsigned i;

	for (i = 0; i < r->nr_cpus; i++) {
		done = kmem_load_acquire(&r->cpu[i].done);
		if (done < least)
			least = done;
	}
	return least;
}

static void wait_for_window(struct replay *r, struct replay_cpu *c,
			    uint32_t seq)
{
	uint64_t since;

	c->window_end = slowest(r) + REPLAY_WINDOW;
	if (seq < c->window_end)
		return;
	since = cpu_time();
	wait_begin(c);
	do {
		kmem_arch_relax();
		c->window_end = slowest(r) + REPLAY_WINDOW;
	} while (seq >= c->window_end);
	c->wait_ns += cpu_time() - since;
}

static void report(struct replay *r, struct replay_cpu *c, uint32_t seq)
{
	uint64_t since = cpu_time();

	r->progress(r->ctx, seq);
	c->next_report = seq + r->trace->nr_records / REPORT_STEPS;
	c->wait_ns += cpu_time() - since;
}

/* Do all records of this CPU that are below `end`. */
static void run_until(struct replay *r, struct replay_cpu *c, uint32_t end)
{
	uint64_t since = cpu_time();
	const struct replay_op *op;

	for (; c->next < c->nr_ops; c->next++) {
		op = &c->op[c->next];
		if (op->seq >= end)
			break;
		if (KMEM_UNLIKELY(op->seq >= c->window_end))
			wait_for_window(r, c, op->seq);
		if (KMEM_UNLIKELY(op->seq >= c->next_report))
			report(r, c, op->seq);
		do_op(r, c, op);
		if (c->next % PUBLISH_EVERY == 0)
			kmem_store_release(&c->done, op->seq + 1);
	}
	kmem_store_release(&c->done, end);
	c->ns += cpu_time() - since;
}

static void free_rest(struct replay *r, unsigned cpu)
{
	uint32_t id;

	for (id = cpu; id < r->trace->nr_ids; id += r->nr_cpus)
		if (!r->object[id].freed)
			do_free(r, &r->cpu[cpu], id);
}

static bool shrink(struct kmem_cache *s, void *arg)
{
	(void)arg;
	kmem_cache_shrink(s);
	return true;
}

static void cpu_main(unsigned cpu, void *arg)
{
	struct replay *r = arg;
	struct replay_cpu *c = &r->cpu[cpu];
	size_t i;

	for (i = 0; i < r->nr_instants; i++) {
		run_until(r, c, r->instant[i].record);
		pthread_barrier_wait(&r->barrier);
		if (cpu == 0 && r->at_instant)
			r->at_instant(r->ctx, &r->instant[i]);
		pthread_barrier_wait(&r->barrier);
	}
	free_rest(r, cpu);
	pthread_barrier_wait(&r->barrier);
	kmem_for_each_cache(shrink, NULL);
	drain_pages();
}

void replay_run(struct replay *r)
{
	host_run_cpus(r->nr_cpus, cpu_main, r);
}

/* ---- sums -------------------------------------------------------------- */

uint64_t replay_failed(const struct replay *r, enum trace_op op)
{
	uint64_t sum = 0;
	unsigned i;

	for (i = 0; i < r->nr_cpus; i++)
		sum += r->cpu[i].failed[op];
	return sum;
}

uint64_t replay_skipped(const struct replay *r)
{
	uint64_t sum = 0;
	unsigned i;

	for (i = 0; i < r->nr_cpus; i++)
		sum += r->cpu[i].skipped;
	return sum;
}

uint64_t replay_bad(const struct replay *r)
{
	uint64_t sum = 0;
	unsigned i;

	for (i = 0; i < r->nr_cpus; i++)
		sum += r->cpu[i].bad;
	return sum;
}

uint32_t replay_first_failed(const struct replay *r)
{
	uint32_t first = UINT32_MAX;
	unsigned i;

	for (i = 0; i < r->nr_cpus; i++)
		if (r->cpu[i].first_failed < first)
			first = r->cpu[i].first_failed;
	return first;
}

const char *replay_first_bad(const struct replay *r)
{
	unsigned i;

	for (i = 0; i < r->nr_cpus; i++)
		if (r->cpu[i].bad)
			return r->cpu[i].first_bad;
	return "";
}

double replay_ns_per_op(const struct replay *r)
{
	uint64_t ns = 0;
	unsigned i;

	for (i = 0; i < r->nr_cpus; i++)
		ns += r->cpu[i].ns - r->cpu[i].wait_ns;
	return r->nr_ops ? (double)ns / (double)r->nr_ops : 0;
}
