/* SPDX-License-Identifier: MIT */
/*
 * vm_check.c - areas verified (V4, V5), counted and shown.
 */
#include "format.h"
#include "vm_area.h"

/* ---- the checker ---- */

struct vm_sums {
	size_t pages, ending;
};

static void area_check_pages(const struct vm_area *a, struct check *c)
{
	for (size_t i = 0; i < a->vm.nr_pages; i++) {
		const struct page *p = a->vm.pages[i];

		if (page_type(p) != PAGE_ALLOCATED || p->order)
			check_violated(c, "V5: area %p: its page %zu, pfn 0x%lx,"
				       " is of type %u, order %u", a->vm.addr,
				       i, (unsigned long)p->pfn, p->type,
				       p->order);
	}
}

static void area_check(const struct vm_area *a, struct vm_sums *sum,
		       struct check *c)
{
	uintptr_t addr = (uintptr_t)a->vm.addr;
	bool fits = a->state != VM_BUILDING && addr >= a->node.start &&
		    addr + a->vm.size == a->node.end &&
		    a->vm.nr_pages <= get_vm_area_size(&a->vm) >> KMEM_PAGE_SHIFT;

	if (!fits)
		check_violated(c, "V4: area %p, state %u: %zu bytes, %zu pages "
			       "in the addresses 0x%lx-0x%lx", a->vm.addr,
			       a->state, a->vm.size, a->vm.nr_pages,
			       (unsigned long)a->node.start,
			       (unsigned long)a->node.end);
	sum->ending += a->state == VM_ENDING;
	if (!a->owns_pages)
		return;
	sum->pages += a->vm.nr_pages;
	if (fits)	/* else there may be fewer to look at */
		area_check_pages(a, c);
}

static size_t count_deferred(void)
{
	size_t n = 0;

	for (struct vm_area *a = vm.deferred; a; a = a->deferred)
		n += a->state == VM_ENDING;
	return n;
}

void vm_check(struct check *c)
{
	struct vm_sums sum = { 0, 0 };
	struct vm_node *n;

	vm_space_check(&vm.space, c);
	for (n = vm_space_from(&vm.space, 0); n;
	     n = vm_space_from(&vm.space, n->end))
		area_check(kmem_container_of(n, struct vm_area, node), &sum, c);
	if (sum.pages != vm.pages || sum.ending != vm.nr_deferred ||
	    count_deferred() > vm.nr_deferred)
		check_violated(c, "V5: areas have %zu pages, %zu are ending, "
			       "%zu on the list; counted: %zu, %zu", sum.pages,
			       sum.ending, count_deferred(), vm.pages,
			       vm.nr_deferred);
}

size_t kmem_vmalloc_check(kmem_out_fn out, void *ctx)
{
	struct check c = { .out = out, .ctx = ctx };

	if (vm_range.ops)
		vm_check(&c);
	return c.violations;
}

/* ---- figures ---- */

void kmem_vmalloc_stats(struct kmem_vmalloc_stats *st)
{
	uintptr_t irq;

	memset(st, 0, sizeof(*st));
	if (!vm_range.ops)
		return;
	irq = vm_lock();
	st->start = vm.params.start;
	st->end = vm.params.end;
	st->areas = vm.space.nr;
	st->taken_bytes = vm.space.taken_bytes;
	st->largest_gap = vm.space.root->max_gap;
	st->pages = vm.pages;
	st->deferred = vm.nr_deferred;
	st->allocs = vm.allocs;
	st->frees = vm.frees;
	st->failed = vm.failed;
	st->steps = vm.space.steps;
	vm_unlock(irq);
}

/* A copy of the lowest area that ends above an address, whatever becomes of
 * the area; false if there is none. */
static bool copy_area(uintptr_t addr, struct vm_area *copy)
{
	uintptr_t irq = vm_lock();
	struct vm_node *n = vm_space_from(&vm.space, addr);

	if (n)
		*copy = *kmem_container_of(n, struct vm_area, node);
	vm_unlock(irq);
	return n;
}

static void report_area(const struct vm_area *a, kmem_out_fn out, void *ctx)
{
	static const char *const state[] = { " building", "", " ending" };
	char line[KMEM_LINE_MAX];
	size_t len;

	len = format(line, sizeof(line), "0x%lx-0x%lx %8zu %p",
		     (unsigned long)a->vm.addr, (unsigned long)a->node.end,
		     a->vm.size, a->vm.caller);
	if (a->vm.nr_pages)
		len += format(line + len, sizeof(line) - len, " pages=%zu",
			      a->vm.nr_pages);
	if (a->kind == VM_KIND_PHYS)
		len += format(line + len, sizeof(line) - len, " phys=0x%llx",
			      (unsigned long long)a->vm.phys_addr);
	format(line + len, sizeof(line) - len, " %s%s%s", vm_kind_name(a),
	       a->vm.flags & VM_USERMAP ? " user" : "", state[a->state]);
	out(ctx, line);
}

void kmem_report_vmalloc(kmem_out_fn out, void *ctx)
{
	struct kmem_vmalloc_stats st;
	struct vm_area a;
	char line[KMEM_LINE_MAX];

	kmem_vmalloc_stats(&st);
	format(line, sizeof(line), "vmalloc: %zu areas, %zu KiB of addresses of"
	       " %zu, longest gap %zu KiB, %zu pages, %zu to be unmapped",
	       st.areas, st.taken_bytes >> 10,
	       (size_t)(st.end - st.start) >> 10, st.largest_gap >> 10,
	       st.pages, st.deferred);
	out(ctx, line);
	for (uintptr_t at = st.start; st.areas && copy_area(at, &a);
	     at = a.node.end)
		report_area(&a, out, ctx);
}
