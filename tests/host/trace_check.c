/* SPDX-License-Identifier: MIT */
/*
 * tests/host/trace_check.c - is a trace something that could have happened?
 *
 * Ids are dense and given out in order of allocation, so the state of the
 * world is an array that grows by one with each allocation:
 *
 *	allocated --> freed by the operation of its kind
 *	    |
 *	    `-------> split (pages): dead, and 2^order new ids live
 *
 * Anything else is an error at the record that did it.
 */
#include "trace_parts.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* What an id stands for: the operation that made it, its size or order. */
struct object {
	uint32_t kind : 3;	/* TRACE_KMALLOC, TRACE_CACHE, TRACE_PAGE */
	uint32_t dead : 1;
	uint32_t size : 28;	/* bytes, or order; up to TRACE_MAX_BYTES */
};

struct world {
	struct trace_reader *r;
	uint32_t record;	/* the one that is looked at */
	struct object *object;
	size_t nr, max;		/* ids given out, room */
	uint64_t live_bytes, live_small, live_pages;
	uint64_t prefill_objects, prefill_pages;
	size_t next_linux;
};

#define BAD(w, fmt, ...) \
	trace_fail((w)->r, "record %" PRIu32 ": " fmt, (w)->record, \
		   __VA_ARGS__)

static const char *const op_names[TRACE_NR_OPS] = {
	"?", "kmalloc", "cache alloc", "page alloc", "kfree", "cache free",
	"page free", "split", "mark" };

/* Give out n ids. */
static bool new_ids(struct world *w, uint32_t first, size_t n,
		    struct object like)
{
	struct object *grown;
	size_t max = w->max;

	if (first != w->nr)
		return BAD(w, "id %" PRIu32 " is given, but %zu is next",
			   first, w->nr);
	if (w->nr + n > w->r->ids)
		return BAD(w, "more than the %" PRIu64 " ids that the header "
			   "names", w->r->ids);
	while (w->nr + n > max)
		max = max ? 2 * max : 4096;
	if (max > w->max) {
		grown = realloc(w->object, max * sizeof(*grown));
		if (!grown)
			return BAD(w, "%s", "out of memory");
		w->object = grown;
		w->max = max;
	}
	while (n--)
		w->object[w->nr++] = like;
	return true;
}

static void note_peak(struct world *w)
{
	struct trace *t = w->r->t;

	if (w->live_bytes > t->peak_bytes) {
		t->peak_bytes = w->live_bytes;
		t->peak_record = w->record + 1;
	}
	if (w->live_pages > t->peak_pages)
		t->peak_pages = w->live_pages;
}

static bool is_large(struct object o)
{
	return o.kind == TRACE_KMALLOC && o.size > TRACE_SMALL_BYTES;
}

/* The size or order that an allocation asks for; false if it can't be. */
static bool wanted_size(struct world *w, const struct trace_record *rec,
			uint32_t *size)
{
	const struct trace *t = w->r->t;

	switch (rec->op) {
	case TRACE_KMALLOC:
		*size = rec->arg;
		if (*size > TRACE_MAX_BYTES)
			return BAD(w, "kmalloc of %" PRIu32 " bytes; the most "
				   "is %" PRIu32, *size, TRACE_MAX_BYTES);
		return true;
	case TRACE_CACHE:
		if (rec->arg >= t->nr_caches || !t->cache[rec->arg].present)
			return BAD(w, "cache %" PRIu32 " is not in the header",
				   rec->arg);
		*size = t->cache[rec->arg].size;
		return true;
	default:
		*size = rec->arg & 0xff;
		if (*size > TRACE_MAX_ORDER)
			return BAD(w, "pages of order %" PRIu32
				   "; the highest is %d", *size,
				   TRACE_MAX_ORDER);
		return true;
	}
}

static bool check_alloc(struct world *w, const struct trace_record *rec)
{
	bool prefill = rec->flags & TRACE_F_PREFILL;
	struct object o = { .kind = rec->op & 7 };
	uint32_t size = 0;

	if (!wanted_size(w, rec, &size))
		return false;
	o.size = size & 0xfffffff;
	if (!new_ids(w, rec->id, 1, o))
		return false;
	if (rec->op == TRACE_PAGE) {
		w->live_pages += (uint64_t)1 << size;
		w->prefill_pages += prefill;
	} else {
		w->live_bytes += size;
		if (!is_large(o))
			w->live_small += size;
		w->prefill_objects += prefill;
	}
	note_peak(w);
	return true;
}

/* The live object that a record names, which must be of that kind. */
static struct object *named(struct world *w, const struct trace_record *rec,
			    unsigned kind)
{
	struct object *o;

	if (rec->id >= w->nr) {
		BAD(w, "%s of id %" PRIu32 ", which is not allocated yet",
		    op_names[rec->op], rec->id);
		return NULL;
	}
	o = &w->object[rec->id];
	if (o->dead)
		BAD(w, "%s of id %" PRIu32 ", which is free already",
		    op_names[rec->op], rec->id);
	else if (o->kind != kind)
		BAD(w, "%s of id %" PRIu32 ", which came from %s",
		    op_names[rec->op], rec->id, op_names[o->kind]);
	else
		return o;
	return NULL;
}

static bool check_free(struct world *w, const struct trace_record *rec)
{
	struct object *o = named(w, rec, rec->op - 3u);

	if (!o)
		return false;
	o->dead = 1;
	if (rec->op == TRACE_PFREE) {
		w->live_pages -= (uint64_t)1 << o->size;
		return true;
	}
	w->live_bytes -= o->size;
	if (!is_large(*o))
		w->live_small -= o->size;
	return true;
}

static bool check_split(struct world *w, const struct trace_record *rec)
{
	struct object page = { .kind = TRACE_PAGE };
	struct object *o = named(w, rec, TRACE_PAGE);

	if (!o)
		return false;
	o->dead = 1;
	return new_ids(w, rec->arg, (size_t)1 << o->size, page);
}

/*
 * What Linux needed is for one trace only: the live bytes it gives must be
 * those of this trace. (The record is not reached yet: what counts is the
 * state before it.)
 */
static bool check_linux(struct world *w)
{
	struct trace *t = w->r->t;
	const struct trace_linux *s;

	if (w->next_linux >= t->nr_linux)
		return true;
	s = &t->linux_at[w->next_linux];
	if (s->record != w->record)
		return true;
	w->next_linux++;
	if (s->requested_small == w->live_small)
		return true;
	BAD(w, "Linux's figures are for %" PRIu64 " live bytes, the trace has "
	    "%" PRIu64, s->requested_small, w->live_small);
	if (w->r->linux_in_header)
		return false;
	/* Only the file beside it does not fit there. Do without. */
	memcpy(t->note, w->r->error, sizeof(t->note));
	w->r->error[0] = '\0';
	w->next_linux--;
	t->nr_linux--;
	memmove(&t->linux_at[w->next_linux], &t->linux_at[w->next_linux + 1],
		(t->nr_linux - w->next_linux) * sizeof(*s));
	return true;
}

static bool check_record(struct world *w)
{
	struct trace *t = w->r->t;
	struct trace_record rec = trace_record(t, w->record);

	if (rec.op < TRACE_KMALLOC || rec.op >= TRACE_NR_OPS)
		return BAD(w, "operation %u is unknown", rec.op);
	if (rec.cpu >= t->nr_cpus)
		return BAD(w, "CPU %u of a machine with %u", rec.cpu,
			   t->nr_cpus);
	t->nr_ops[rec.op]++;
	if (rec.op <= TRACE_PAGE)
		return check_alloc(w, &rec);
	if (rec.op <= TRACE_PFREE)
		return check_free(w, &rec);
	if (rec.op == TRACE_SPLIT)
		return check_split(w, &rec);
	if (rec.id < TRACE_WORKLOAD || rec.id > TRACE_END)
		return BAD(w, "mark %" PRIu32 " is unknown", rec.id);
	return true;
}

/* Prefilled allocations have counters of their own. */
static bool check_counts(struct world *w)
{
	struct trace_reader *r = w->r;
	const uint32_t *found = r->t->nr_ops;
	unsigned op;

	if (!r->has_counts)
		return true;
	if (r->count[TRACE_KMALLOC] + r->count[TRACE_CACHE] +
	    r->prefill_objects !=
	    (uint64_t)found[TRACE_KMALLOC] + found[TRACE_CACHE])
		return trace_fail(r, "the header counts %" PRIu64 " objects "
				  "allocated, the records %" PRIu64,
				  r->count[TRACE_KMALLOC] +
				  r->count[TRACE_CACHE] + r->prefill_objects,
				  (uint64_t)found[TRACE_KMALLOC] +
				  found[TRACE_CACHE]);
	if (r->prefill_objects != w->prefill_objects ||
	    r->prefill_pages != w->prefill_pages)
		return trace_fail(r, "the header counts %" PRIu64 " objects "
				  "and %" PRIu64 " pages of before the trace, "
				  "the records %" PRIu64 " and %" PRIu64,
				  r->prefill_objects, r->prefill_pages,
				  w->prefill_objects, w->prefill_pages);
	r->count[TRACE_PAGE] += r->prefill_pages;
	for (op = TRACE_PAGE; op <= TRACE_SPLIT; op++)
		if (r->count[op] != found[op])
			return trace_fail(r, "the header counts %" PRIu64
					  " of %s, the records %" PRIu32,
					  r->count[op], op_names[op],
					  found[op]);
	return true;
}

bool trace_check(struct trace_reader *r)
{
	struct world w = { .r = r };
	bool ok = true;

	for (; ok && w.record < r->t->nr_records; w.record++)
		ok = check_linux(&w) && check_record(&w);
	ok = ok && check_linux(&w) && check_counts(&w);
	if (ok && w.nr != r->ids)
		ok = trace_fail(r, "the header names %" PRIu64 " ids, the "
				"records give %zu", r->ids, w.nr);
	r->t->nr_ids = (uint32_t)w.nr;
	free(w.object);
	return ok;
}
