/* SPDX-License-Identifier: MIT */
/*
 * tests/bench/work_trace.c - what a real kernel allocated, once more.
 *
 * Records are done in their order by one thread. Objects of a kmem_cache come
 * from such a cache in kmem and from malloc() elsewhere; pages from
 * alloc_pages() and aligned_alloc(). A block of pages that the trace splits is
 * left out, for everybody: a malloc has nothing like that. The first word of
 * each object is written. What the trace leaves is freed at the end, so it can
 * be done again: the first time is the warm-up.
 */
#include "bench.h"

#include <kmem/kmem.h>

#include "trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_TRACES 8

enum { OP_OBJECT, OP_CACHE, OP_PAGES, OP_KINDS };

struct trace_step {
	uint32_t id;
	uint8_t kind;
	bool is_free, touch;
	uintptr_t what;
};

struct trace_work {
	struct bench_ops ops[OP_KINDS];
	struct trace_step *step;
	size_t nr_steps;
	void **object;			/* by id */
};

/* ---- from records to steps --------------------------------------------- */

struct decoder {
	const struct trace *t;
	struct trace_work *w;
	struct trace_step *made;	/* by id */
	bool *split;			/* by id: a block that is split, or
					 * one of its parts */
	struct kmem_cache **cache;	/* by index; all NULL for a peer */
	bool kmem;
};

static void mark_splits(struct decoder *d)
{
	uint32_t i, j;

	for (i = 0; i < d->t->nr_records; i++) {
		struct trace_record rec = trace_record(d->t, i);
		unsigned order;

		d->made[rec.op <= TRACE_PAGE ? rec.id : 0].what = rec.arg;
		if (rec.op != TRACE_SPLIT)
			continue;
		order = d->made[rec.id].what & 0xff;
		d->split[rec.id] = true;
		for (j = 0; j < 1u << order; j++)
			d->split[rec.arg + j] = true;
	}
}

static void make_caches(struct decoder *d)
{
	char name[32];
	size_t i;

	for (i = 0; d->kmem && i < d->t->nr_caches; i++) {
		const struct trace_cache *c = &d->t->cache[i];

		snprintf(name, sizeof(name), "trace-%zu", i);
		if (c->present && c->size <= KMEM_CACHE_MAX_SIZE)
			d->cache[i] = kmem_cache_create(name, c->size,
							c->align, 0, NULL);
	}
}

static void decode_alloc(struct decoder *d, const struct trace_record *rec,
			 struct trace_step *s)
{
	size_t bytes = rec->arg;

	s->kind = OP_OBJECT;
	s->what = bytes;
	if (rec->op == TRACE_CACHE) {
		bytes = d->t->cache[rec->arg].size;
		s->what = bytes;
		if (d->cache[rec->arg]) {
			s->kind = OP_CACHE;
			s->what = (uintptr_t)d->cache[rec->arg];
		}
	} else if (rec->op == TRACE_PAGE) {
		s->kind = OP_PAGES;
		s->what = d->kmem ? rec->arg & 0xff :
			  (size_t)4096 << (rec->arg & 0xff);
	}
	s->touch = rec->op != TRACE_PAGE && bytes >= sizeof(uint64_t);
	d->made[rec->id] = *s;
}

static void decode(struct decoder *d)
{
	struct trace_work *w = d->w;
	uint32_t i;

	for (i = 0; i < d->t->nr_records; i++) {
		struct trace_record rec = trace_record(d->t, i);
		struct trace_step *s = &w->step[w->nr_steps];

		if (rec.op >= TRACE_SPLIT || d->split[rec.id] ||
		    (rec.op == TRACE_KMALLOC && !rec.arg))
			continue;
		s->id = rec.id;
		if (rec.op <= TRACE_PAGE) {
			decode_alloc(d, &rec, s);
		} else {
			if (!d->made[rec.id].touch &&
			    d->made[rec.id].kind == OP_OBJECT &&
			    !d->made[rec.id].what)
				continue;
			*s = d->made[rec.id];
			s->is_free = true;
			d->made[rec.id].is_free = true;
		}
		w->nr_steps++;
	}
}

/* Free what the trace leaves, newest first. */
static void decode_rest(struct decoder *d)
{
	size_t i, n = d->w->nr_steps;

	for (i = n; i-- > 0; ) {
		struct trace_step *s = &d->w->step[i];

		if (s->is_free || d->made[s->id].is_free)
			continue;
		d->w->step[d->w->nr_steps] = *s;
		d->w->step[d->w->nr_steps++].is_free = true;
	}
}

/* ---- interfaces -------------------------------------------------------- */

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

static void *peer_pages_alloc(uintptr_t what, unsigned gfp)
{
	(void)gfp;
	return bench_peer.aligned_alloc(what, what);
}

static void set_interfaces(struct trace_work *w, const struct bench_ops *ops,
			   bool kmem)
{
	w->ops[OP_OBJECT] = w->ops[OP_CACHE] = w->ops[OP_PAGES] = *ops;
	w->ops[OP_CACHE].alloc = (bench_alloc_fn)(void (*)(void))
				 kmem_cache_alloc;
	w->ops[OP_CACHE].free = cache_free;
	w->ops[OP_PAGES].alloc = kmem ? pages_alloc : peer_pages_alloc;
	w->ops[OP_PAGES].free = kmem ? pages_free : ops->free;
}

/* ---- replay ------------------------------------------------------------ */

static size_t trace_body(struct bench_run *r, void *ctx, size_t n)
{
	const struct trace_work *w = ctx;
	size_t i, done;

	(void)r;
	for (done = 0; done < n; done += w->nr_steps) {
		for (i = 0; i < w->nr_steps; i++) {
			const struct trace_step *s = &w->step[i];
			const struct bench_ops *ops = &w->ops[s->kind];

			if (s->is_free) {
				ops->free(w->object[s->id], s->what);
				continue;
			}
			w->object[s->id] = bench_alloc(ops, s->what);
			if (s->touch)
				bench_touch(w->object[s->id]);
		}
	}
	return done;
}

void bench_trace(struct bench_run *r)
{
	const struct trace *t = r->row->trace;
	struct trace_work w = { .nr_steps = 0 };
	struct decoder d = { .t = t, .w = &w,
			     .kmem = r->contender->kind == BENCH_KMEM };

	w.step = bench_memory((2 * (size_t)t->nr_records + 1) *
			      sizeof(*w.step));
	w.object = bench_memory((t->nr_ids + 1) * sizeof(*w.object));
	d.made = bench_memory((t->nr_ids + 1) * sizeof(*d.made));
	d.split = bench_memory(t->nr_ids + 1);
	d.cache = bench_memory((t->nr_caches + 1) * sizeof(*d.cache));
	set_interfaces(&w, &r->ops, d.kmem);
	if (!d.kmem && !bench_peer.aligned_alloc)
		bench_fail("no aligned_alloc in the library");
	mark_splits(&d);
	memset(d.made, 0, (t->nr_ids + 1) * sizeof(*d.made));
	/* In the checking run all goes through the checked functions. */
	d.kmem = d.kmem && r->mode != BENCH_CHECK;
	if (r->mode == BENCH_CHECK)
		set_interfaces(&w, &r->ops, false);
	if (r->mode == BENCH_CHECK)
		w.ops[OP_PAGES] = w.ops[OP_OBJECT];
	make_caches(&d);
	decode(&d);
	decode_rest(&d);
	bench_sample(r, trace_body, &w);
}

size_t bench_traces(const struct trace **list, size_t max)
{
	static const char *const usual[] = { "tests/data/boot-head.kat",
					     "tests/data/fork-head.kat" };
	static struct trace trace[MAX_TRACES];
	const char *named = getenv("BENCH_TRACES");
	char error[TRACE_ERROR_MAX], *copy, *save = NULL, *path;
	size_t i, n = 0;

	if (!named) {
		for (i = 0; i < 2 && i < max; i++)
			if (trace_read(&trace[n], usual[i], error))
				list[n] = &trace[n], n++;
			else
				fprintf(stderr, "bench: %s\n", error);
		return n;
	}
	copy = strdup(named);
	for (path = strtok_r(copy, " ", &save);
	     path && n < max && n < MAX_TRACES;
	     path = strtok_r(NULL, " ", &save)) {
		if (!trace_read(&trace[n], path, error)) {
			fprintf(stderr, "bench: %s\n", error);
			exit(1);
		}
		list[n] = &trace[n];
		n++;
	}
	free(copy);
	return n;
}
