/* SPDX-License-Identifier: MIT */
/*
 * tests/host/replay_prepare.c - dealing out the records of a trace.
 *
 * One pass over the trace gives each CPU an array of what it is to do, with
 * sizes, orders and flags looked up, and takes a census of what is alive at
 * the instants of interest: what an allocator's memory is measured against.
 */
#define _GNU_SOURCE
#include "replay.h"
#include "replay_parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * NOFAIL is left out: where memory runs out, the replay is to say so and go
 * on, and nobody would free anything to end the waiting.
 */
static gfp_t gfp_of(const struct trace_record *rec)
{
	gfp_t gfp = GFP_KERNEL;

	if (rec->flags & (TRACE_F_HARDIRQ | TRACE_F_SOFTIRQ))
		gfp = GFP_ATOMIC;
	else if (rec->flags & TRACE_F_NOWAIT)
		gfp = GFP_NOWAIT;
	if (rec->flags & TRACE_F_ZERO)
		gfp |= __GFP_ZERO;
	if (rec->flags & TRACE_F_HIGHPRIO)
		gfp |= __GFP_HIGH;
	if (rec->flags & TRACE_F_RECLAIMABLE)
		gfp |= __GFP_RECLAIMABLE;
	if (rec->flags & TRACE_F_MOVABLE)
		gfp |= __GFP_MOVABLE;
	if (rec->flags & TRACE_F_DMA)
		gfp |= __GFP_DMA;
	else if (rec->flags & TRACE_F_DMA32)
		gfp |= __GFP_DMA32;
	return gfp | __GFP_NOWARN;
}

/* Counts live things while the records are dealt out. */
struct census {
	uint64_t small, large, pages;
	uint32_t *in_cache;	/* by index */
	uint64_t kmalloc_slots;	/* bytes, in Linux's classes */
};

/* The 13 sizes that Linux's kmalloc() has on a 64-bit machine. */
static uint64_t linux_class(uint32_t bytes)
{
	uint64_t class = 8;

	if (bytes > 64 && bytes <= 96)
		return 96;
	if (bytes > 128 && bytes <= 192)
		return 192;
	while (class < bytes)
		class *= 2;
	return class;
}

/*
 * The least that Linux can need: every slab but the last of a cache full, of
 * the slot size and order that it chose; and for kmalloc, of which the trace
 * does not tell the orders, not even unused slots.
 */
static uint64_t linux_least(const struct trace *t, const struct census *n)
{
	uint64_t bytes = n->kmalloc_slots, slab, per_slab;
	size_t i;

	for (i = 0; i < t->nr_caches; i++) {
		const struct trace_cache *c = &t->cache[i];

		if (!n->in_cache[i])
			continue;
		slab = (uint64_t)4096 << c->linux_order;
		per_slab = c->linux_slot ? slab / c->linux_slot : 0;
		if (per_slab)
			bytes += (n->in_cache[i] + per_slab - 1) / per_slab *
				 slab;
		else
			bytes += (uint64_t)n->in_cache[i] * c->size;
	}
	return bytes;
}

/* An object comes (sign 1) or goes (sign -1). */
static void count(struct census *n, const struct replay_object *o, int sign)
{
	int64_t bytes = (int64_t)o->bytes * sign;

	if (o->kind == TRACE_PAGE) {
		n->pages += (uint64_t)(((int64_t)1 << o->bytes) * sign);
	} else if (o->kind == TRACE_CACHE) {
		n->in_cache[o->cache] += (uint32_t)sign;
		n->small += (uint64_t)bytes;
	} else if (o->bytes > TRACE_SMALL_BYTES) {
		n->large += (uint64_t)bytes;
	} else {
		n->kmalloc_slots += linux_class(o->bytes) * (uint64_t)sign;
		n->small += (uint64_t)bytes;
	}
}

static void prepare_alloc(struct replay *r, struct census *n,
			  const struct trace_record *rec,
			  struct replay_op *op)
{
	struct replay_object *o = &r->object[rec->id];

	o->kind = rec->op;
	op->gfp = gfp_of(rec);
	if (rec->op == TRACE_PAGE) {
		op->order = rec->arg & 0xff;
		o->bytes = op->order;
	} else if (rec->op == TRACE_CACHE) {
		o->cache = op->cache = (uint16_t)rec->arg;
		o->bytes = op->arg = r->trace->cache[rec->arg].size;
		/* The zone is the cache's; a constructor's work stays. */
		op->gfp &= ~KMEM_GFP_ZONEMASK;
		if (replay_has_ctor(r, op->cache))
			op->gfp &= ~__GFP_ZERO;
	} else {
		o->bytes = op->arg = rec->arg;
	}
	count(n, o, 1);
}

static void prepare_op(struct replay *r, struct census *n, uint32_t seq,
		       const struct trace_record *rec, struct replay_op *op)
{
	uint32_t i;

	memset(op, 0, sizeof(*op));
	op->seq = seq;
	op->op = rec->op;
	op->id = rec->id;
	if (rec->op <= TRACE_PAGE) {
		prepare_alloc(r, n, rec, op);
		return;
	}
	r->object[rec->id].freed = true;
	count(n, &r->object[rec->id], -1);
	if (rec->op != TRACE_SPLIT)
		return;
	op->arg = rec->arg;
	op->order = (uint8_t)r->object[rec->id].bytes;
	for (i = rec->arg; i < rec->arg + (1u << op->order); i++) {
		r->object[i] = (struct replay_object){ .kind = TRACE_PAGE };
		count(n, &r->object[i], 1);
	}
}

static bool size_arrays(struct replay *r)
{
	const struct trace *t = r->trace;
	uint32_t i;
	unsigned c;

	for (i = 0; i < t->nr_records; i++)
		r->cpu[trace_record(t, i).cpu % r->nr_cpus].nr_ops++;
	for (c = 0; c < r->nr_cpus; c++) {
		r->cpu[c].op = calloc(r->cpu[c].nr_ops + 1,
				      sizeof(*r->cpu[c].op));
		if (!r->cpu[c].op)
			return false;
		r->cpu[c].nr_ops = 0;
		r->cpu[c].first_failed = UINT32_MAX;
		r->cpu[c].next_report = c || !r->progress ? UINT32_MAX : 0;
	}
	return true;
}

static void note_instants(struct replay *r, const struct census *n,
			  uint32_t record, size_t *next)
{
	struct replay_instant *at = &r->instant[*next];

	if (*next == r->nr_instants || at->record != record)
		return;
	at->small = n->small;
	at->large = n->large;
	at->pages = n->pages;
	at->linux_least = linux_least(r->trace, n);
	++*next;
}

static bool deal_out(struct replay *r)
{
	const struct trace *t = r->trace;
	struct census n = { .in_cache = calloc(t->nr_caches + 1,
					       sizeof(*n.in_cache)) };
	size_t next = 0;
	uint32_t seq;

	if (!n.in_cache)
		return false;
	for (seq = 0; seq < t->nr_records; seq++) {
		struct trace_record rec = trace_record(t, seq);
		struct replay_cpu *c = &r->cpu[rec.cpu % r->nr_cpus];

		note_instants(r, &n, seq, &next);
		if (rec.op == TRACE_MARK)
			continue;
		prepare_op(r, &n, seq, &rec, &c->op[c->nr_ops++]);
		r->nr_ops++;
	}
	note_instants(r, &n, seq, &next);
	free(n.in_cache);
	return true;
}

static int compare_records(const void *a, const void *b)
{
	const struct replay_instant *x = a, *y = b;

	return (x->record > y->record) - (x->record < y->record);
}

/* Sorted, each once, with the end of the trace, and with Linux's figures. */
static bool set_instants(struct replay *r, const uint32_t *records, size_t nr)
{
	const struct trace *t = r->trace;
	size_t i, k, out = 0;

	r->instant = calloc(nr + 1, sizeof(*r->instant));
	if (!r->instant)
		return false;
	for (i = 0; i < nr; i++)
		r->instant[i].record = records[i] < t->nr_records ?
			records[i] : t->nr_records;
	r->instant[nr].record = t->nr_records;
	qsort(r->instant, nr + 1, sizeof(*r->instant), compare_records);
	for (i = 0; i <= nr; i++)
		if (!out || r->instant[out - 1].record != r->instant[i].record)
			r->instant[out++] = r->instant[i];
	r->nr_instants = out;
	for (i = 0; i < out; i++)
		for (k = 0; k < t->nr_linux; k++)
			if (t->linux_at[k].record == r->instant[i].record)
				r->instant[i].linux_at = &t->linux_at[k];
	return true;
}

/* ---- the trace's caches ------------------------------------------------ */

#define CACHE_NAME_ROOM 40

/* kmem wants 1 to 31 printable characters, and each name once. */
static void cache_name(char name[CACHE_NAME_ROOM], const struct trace_cache *c,
		       size_t index, bool plain)
{
	char *p;

	if (plain)
		snprintf(name, CACHE_NAME_ROOM, "%.31s", c->name);
	else
		snprintf(name, CACHE_NAME_ROOM, "%.24s:%u", c->name,
			 (unsigned)index % 65536);
	for (p = name; *p; p++)
		if (*p <= ' ' || *p > '~')
			*p = '_';
}

static struct kmem_cache *create_cache(const struct replay *r, size_t index)
{
	const struct trace_cache *c = &r->trace->cache[index];
	void (*ctor)(void *) = replay_has_ctor(r, (uint16_t)index) ?
		replay_construct : NULL;
	slab_flags_t flags = 0;
	struct kmem_cache *s;
	char name[CACHE_NAME_ROOM];

	if (strchr(c->flags, 'H'))
		flags |= SLAB_HWCACHE_ALIGN;
	if (strchr(c->flags, 'R'))
		flags |= SLAB_RECLAIM_ACCOUNT;
	if (strchr(c->flags, 'A'))
		flags |= SLAB_ACCOUNT;
	if (strchr(c->flags, 'D'))
		flags |= SLAB_CACHE_DMA;
	cache_name(name, c, index, true);
	s = kmem_cache_create(name, c->size, c->align, flags, ctor);
	if (s)
		return s;
	/* Perhaps another cache, of the trace or of kmem, has that name. */
	cache_name(name, c, index, false);
	return kmem_cache_create(name, c->size, c->align, flags, ctor);
}

static bool create_caches(struct replay *r, char error[REPLAY_ERROR_MAX])
{
	const struct trace *t = r->trace;
	size_t i;

	for (i = 0; i < t->nr_caches; i++) {
		/* What fits in no slab of ours is played with kmalloc(). */
		if (!t->cache[i].present ||
		    t->cache[i].size > KMEM_CACHE_MAX_SIZE)
			continue;
		r->cache[i] = create_cache(r, i);
		if (r->cache[i])
			continue;
		snprintf(error, REPLAY_ERROR_MAX, "can't create the cache "
			 "'%s' of objects of %" PRIu32 " bytes, alignment %"
			 PRIu32, t->cache[i].name, t->cache[i].size,
			 t->cache[i].align);
		return false;
	}
	return true;
}

bool replay_prepare(struct replay *r, const uint32_t *instants, size_t nr,
		    char error[REPLAY_ERROR_MAX])
{
	const struct trace *t = r->trace;

	snprintf(error, REPLAY_ERROR_MAX, "out of memory");
	r->cpu = aligned_alloc(64, r->nr_cpus * sizeof(*r->cpu));
	if (!r->cpu)
		return false;
	memset(r->cpu, 0, r->nr_cpus * sizeof(*r->cpu));
	r->object = calloc((size_t)t->nr_ids + 1, sizeof(*r->object));
	r->address = calloc((size_t)t->nr_ids + 1, sizeof(*r->address));
	r->cache = calloc(t->nr_caches + 1, sizeof(struct kmem_cache *));
	if (!r->object || !r->address || !r->cache ||
	    !set_instants(r, instants, nr) || !size_arrays(r) || !deal_out(r) ||
	    pthread_barrier_init(&r->barrier, NULL, r->nr_cpus))
		return false;
	r->has_barrier = true;
	return create_caches(r, error);
}

void replay_finish(struct replay *r)
{
	size_t i;
	unsigned c;

	for (i = 0; r->cache && i < r->trace->nr_caches; i++)
		kmem_cache_destroy(r->cache[i]);
	for (c = 0; r->cpu && c < r->nr_cpus; c++)
		free(r->cpu[c].op);
	if (r->has_barrier)
		pthread_barrier_destroy(&r->barrier);
	r->has_barrier = false;
	free(r->cpu);
	free(r->object);
	free(r->address);
	free(r->cache);
	free(r->instant);
	r->cpu = NULL;
	r->object = NULL;
	r->address = NULL;
	r->cache = NULL;
	r->instant = NULL;
}
