/* SPDX-License-Identifier: MIT */
/*
 * vm_area.c - areas of virtual addresses: how they begin and end.
 *
 *	        vm_area_new()    map()      publish
 *	(none) ──────────────► BUILDING ──────────► LIVE
 *	   ▲                      │ anything fails    │ vfree(), vunmap(), …
 *	   │   vm_area_drop()     │                   ▼
 *	   ├──────────────────────┘                 ENDING ──► or first on the
 *	   │   unmap(), pages, addresses              │        list of deferred
 *	   └──────────────────────────────────────────┘        ones
 *
 * An area has its addresses from before anything is mapped there until after
 * all of it is unmapped on all CPUs: so no two areas ever meet at an address,
 * in no TLB either. It is found by its users while it is LIVE only; that it is
 * ENDING is what a second vfree() sees.
 *
 * The hooks are called with no lock held. They may sleep, and allocate from
 * kmem. Where they must not be called (an interrupt handler) an area that is
 * freed becomes ENDING and is put on a list, in O(log n); the next thread that
 * allocates or frees an area ends those on the list first.
 *
 * A guard page is addresses that belong to an area and are never mapped: one
 * above, and below a stack another.
 *
 *	node.start  vm.addr                                   node.end
 *	    [guard]    [page] [page] ... [pages given back] [guard]
 *	    stacks      nr_pages of them   vrealloc()
 *
 * Invariants (V1 to V3: vm_space.c), with no CPU at work:
 *
 *  V4	every node is of an area that is LIVE or ENDING; its addresses, guard
 *	pages and nr_pages fit into the node's
 *  V5	the pages that areas own are allocated, each a block of order 0, and
 *	there are as many as counted; as many areas are ENDING as counted, and
 *	those on the list are among them
 *
 * Locks: vm.lock guards the space, the states and the list of deferred areas,
 * and nests with no other. It is held with interrupts masked for O(log areas)
 * steps.
 *
 * What it does not do: cache addresses per CPU; free in batches; map large
 * pages.
 */
#include "bits.h"
#include "vm_area.h"

struct vm_globals vm;

static struct vm_area *node_area(struct vm_node *n)
{
	return kmem_container_of(n, struct vm_area, node);
}

/* ---- what an area is ---- */

static size_t guard_bytes(unsigned long flags)
{
	return flags & VM_NO_GUARD ? 0 : KMEM_PAGE_SIZE;
}

static size_t lead_bytes(enum vm_kind kind)
{
	return kind == VM_KIND_STACK ? KMEM_PAGE_SIZE : 0;
}

const char *vm_kind_name(const struct vm_area *a)
{
	static const char *const name[] = {
		"vmalloc", "vmap", "vm_map_phys", "get_vm_area",
		"kmem_stack_alloc"
	};

	return name[a->kind];
}

static const char *kind_end(const struct vm_area *a)
{
	static const char *const name[] = {
		"vfree", "vunmap", "vm_unmap_phys", "free_vm_area",
		"kmem_stack_free"
	};

	return name[a->kind];
}

size_t get_vm_area_size(const struct vm_struct *area)
{
	return area->size - guard_bytes(area->flags);
}

/* ---- the beginning ---- */

const char *vm_refusal(const struct vm_want *w)
{
	if (!vm_range.ops)
		return "kmem_vmalloc_init() was not called";
	if (!w->size || w->size > vm_range.bytes)
		return "the size is 0, or larger than the range";
	if (!is_power_of_two(w->align))
		return "the alignment is not a power of two";
	if (!(w->gfp & __GFP_DIRECT_RECLAIM))
		return "the flags do not allow to sleep";
	if (w->kind != VM_KIND_PHYS && w->kind != VM_KIND_SPACE &&
	    vm_pages(w->size) > kmem_load_relaxed(&zones.managed))
		return "more pages than there are";
	return NULL;
}

static enum vm_found search_step(struct vm_area *a, struct vm_search *q)
{
	uintptr_t irq = vm_lock();
	enum vm_found found = vm_space_try(&vm.space, &a->node, q);

	vm_unlock(irq);
	return found;
}

static bool take_addresses(struct vm_area *a, const struct vm_want *w)
{
	size_t lead = lead_bytes(w->kind), guard = guard_bytes(w->flags);
	size_t bytes = vm_pages(w->size) << KMEM_PAGE_SHIFT;
	struct vm_search q = {
		.size = lead + bytes + guard, .lead = lead,
		.align = KMEM_MAX(w->align, KMEM_PAGE_SIZE),
	};
	enum vm_found found;

	/* addresses of the direct map are left over, more than lead and guard */
	if (KMEM_NEVER(q.size < bytes))
		return false;
	do {
		found = search_step(a, &q);
	} while (found == VM_AGAIN);
	a->vm.addr = (void *)(a->node.start + lead);
	a->vm.size = bytes + guard;
	return found == VM_TAKEN;
}

struct vm_area *vm_area_new(const struct vm_want *w, const char **why)
{
	struct vm_area *a;

	*why = vm_refusal(w);
	if (*why)
		return NULL;
	vm_unmap_aliases();
	*why = "no memory";
	a = kmem_cache_zalloc(vm.areas, w->gfp & VM_GFP_INNER);
	if (!a)
		return NULL;
	*why = "no addresses are free";
	if (!take_addresses(a, w)) {
		kmem_cache_free(vm.areas, a);
		return NULL;
	}
	a->kind = (uint8_t)w->kind;
	a->requested = w->size;
	a->vm.flags = w->flags;
	a->vm.caller = w->caller;
	return a;
}

/* How many of the pages from i on are one run, physically. */
static size_t run_length(const struct vm_area *a, size_t i)
{
	struct page **p = a->vm.pages + i;
	size_t n = 1;

	while (i + n < a->vm.nr_pages &&
	       page_to_pfn(p[n]) == page_to_pfn(p[0]) + n)
		n++;
	return n;
}

static uintptr_t address_of(const struct vm_area *a, size_t i)
{
	return (uintptr_t)a->vm.addr + (i << KMEM_PAGE_SHIFT);
}

static void area_unmap(const struct vm_area *a, size_t first, size_t nr)
{
	vm.params.unmap(vm.params.ctx, address_of(a, first), nr);
}

static bool map_run(const struct vm_area *a, size_t i, size_t n,
		    unsigned long prot, gfp_t gfp)
{
	kmem_phys_t phys = a->vm.pages ? page_to_phys(a->vm.pages[i]) :
			   a->vm.phys_addr;

	return !vm.params.map(vm.params.ctx, address_of(a, i), phys, n, prot,
			      gfp);
}

bool vm_area_map(struct vm_area *a, unsigned long prot, gfp_t gfp)
{
	for (size_t i = 0, n; i < a->vm.nr_pages; i += n) {
		n = a->vm.pages ? run_length(a, i) : a->vm.nr_pages;
		if (!map_run(a, i, n, prot, gfp & VM_GFP_INNER)) {
			area_unmap(a, 0, i + n);
			return false;
		}
	}
	return true;
}

void vm_area_publish(struct vm_area *a)
{
	uintptr_t irq = vm_lock();

	a->state = VM_LIVE;
	vm.allocs++;
	if (a->owns_pages)
		vm.pages += a->vm.nr_pages;
	vm_unlock(irq);
}

void vm_failed(const struct vm_want *w, const char *why)
{
	uintptr_t irq = vm_lock();

	vm.failed++;
	vm_unlock(irq);
	if (!(w->gfp & __GFP_NOWARN))
		kmem_log("kmem: vmalloc: %zu bytes for %p, gfp 0x%x: %s",
			 w->size, w->caller, w->gfp, why);
}

/* ---- the end ---- */

void vm_area_put_pages(struct vm_area *a, size_t first)
{
	for (size_t i = first; a->owns_pages && i < a->vm.nr_pages; i++)
		__free_page(a->vm.pages[i]);
	a->vm.nr_pages = first;
}

/* From here on its addresses can be another's. */
static void give_addresses(struct vm_area *a)
{
	uintptr_t irq = vm_lock();

	vm_space_give(&vm.space, &a->node);
	if (a->state == VM_ENDING) {
		vm.frees++;
		if (a->owns_pages)
			vm.pages -= a->vm.nr_pages;
	}
	vm_unlock(irq);
}

void vm_area_drop(struct vm_area *a)
{
	give_addresses(a);
	vm_area_put_pages(a, 0);
	if (a->owns_array)
		kvfree(a->vm.pages);
	kmem_cache_free(vm.areas, a);
}

/* vunmap() leaves the pages to whoever gave them. */
static void area_disown(struct vm_area *a)
{
	uintptr_t irq;

	if (!a->owns_pages)
		return;
	irq = vm_lock();
	vm.pages -= a->vm.nr_pages;
	a->owns_pages = a->owns_array = false;
	vm_unlock(irq);
}

static void area_end(struct vm_area *a)
{
	size_t nr = a->kind == VM_KIND_SPACE ?
		    get_vm_area_size(&a->vm) >> KMEM_PAGE_SHIFT :
		    a->vm.nr_pages;

	area_unmap(a, 0, nr);
	vm_area_drop(a);
}

static struct vm_area *take_deferred(void)
{
	uintptr_t irq = vm_lock();
	struct vm_area *a = vm.deferred;

	if (a) {
		kmem_store_relaxed(&vm.deferred, a->deferred);
		vm.nr_deferred--;
	}
	vm_unlock(irq);
	return a;
}

static bool is_atomic(void)
{
	return vm.params.is_atomic && vm.params.is_atomic(vm.params.ctx);
}

void vm_unmap_aliases(void)
{
	struct vm_area *a;

	if (!kmem_load_relaxed(&vm.deferred) || is_atomic())
		return;
	while ((a = take_deferred()))
		area_end(a);
}

static void count_ending(void)
{
	uintptr_t irq = vm_lock();

	vm.nr_deferred++;
	vm_unlock(irq);
}

static void area_defer(struct vm_area *a)
{
	uintptr_t irq = vm_lock();

	a->deferred = vm.deferred;
	kmem_store_relaxed(&vm.deferred, a);
	vm_unlock(irq);
}

/* ---- finding, and what is wrong with what was found ---- */

/* The area at an address, of any state. */
static struct vm_area *area_covering(const void *p)
{
	struct vm_node *n = vm_space_from(&vm.space, (uintptr_t)p);

	return n && n->start <= (uintptr_t)p ? node_area(n) : NULL;
}

struct vm_area *vm_area_at(const void *p)
{
	struct vm_area *a = vm_range_has(p) ? area_covering(p) : NULL;

	return a && a->state == VM_LIVE ? a : NULL;
}

static bool ends_with(const struct vm_area *a, enum vm_kind kind)
{
	return a->kind == kind || (kind == VM_KIND_ALLOC &&
				   (a->vm.flags & VM_MAP_PUT_PAGES));
}

/* No address of the range. */
static KMEM_COLD void claim_foreign(const char *call, const void *p,
				    uintptr_t caller)
{
	const struct page *page = virt_to_page(p);

	kmem_misuse_by(caller, "bad free", p, "kmem: %s(%p): not an address of "
		       "vmalloc()'s range: the page is %s", call, p,
		       page ? page_describe(page) : foreign_describe(p));
}

/* `a` is a copy of what was found there, or NULL. */
static KMEM_COLD void claim_failed(const char *call, const void *p,
				   const struct vm_area *a, uintptr_t caller)
{
	if (!a)
		kmem_misuse_by(caller, "double free", p, "kmem: %s(%p): no area "
			       "is there: double free, or it never was", call,
			       p);
	else if (a->state != VM_LIVE)
		kmem_misuse_by(caller, "double free", p, "kmem: %s(%p): double "
			       "free: the %s area of %zu bytes is being freed",
			       call, p, vm_kind_name(a), a->requested);
	else if (a->vm.addr != p)
		kmem_misuse_by(caller, "bad pointer", p, "kmem: %s(%p): not the "
			       "start of an area: %s area %p, %zu bytes", call,
			       p, vm_kind_name(a), a->vm.addr, a->requested);
	else
		kmem_misuse_by(caller, "bad free", p, "kmem: %s(%p): the area "
			       "is of %s(): %s() ends it", call, p,
			       vm_kind_name(a), kind_end(a));
}

struct vm_area *vm_area_claim(const char *call, enum vm_kind kind,
			      const void *p, enum vm_state state,
			      uintptr_t caller)
{
	struct vm_area *a, found = { .state = VM_LIVE };
	uintptr_t irq;

	if (!vm_range_has(p)) {
		claim_foreign(call, p, caller);
		return NULL;
	}
	irq = vm_lock();
	a = area_covering(p);
	if (a && a->state == VM_LIVE && a->vm.addr == p && ends_with(a, kind)) {
		a->state = (uint8_t)state;
		vm_unlock(irq);
		return a;
	}
	if (a)
		found = *a;
	vm_unlock(irq);
	claim_failed(call, p, a ? &found : NULL, caller);
	return NULL;
}

bool vm_area_begin_free(const char *call, const void *p, uintptr_t caller)
{
	if (!vm_area_claim(call, VM_KIND_ALLOC, p, VM_ENDING, caller))
		return false;
	count_ending();
	return true;
}

void vm_area_finish_free(const void *p)
{
	uintptr_t irq = vm_lock();
	struct vm_area *a = area_covering(p);

	vm_unlock(irq);
	if (KMEM_NEVER(!a))	/* whoever began has it until now */
		return;
	area_defer(a);
}

void vm_area_free(const char *call, enum vm_kind kind, const void *p,
		  bool later, uintptr_t caller)
{
	struct vm_area *a = vm_area_claim(call, kind, p, VM_ENDING, caller);

	if (!a)
		return;
	if (kind == VM_KIND_MAP)
		area_disown(a);
	if (later || is_atomic()) {
		count_ending();
		area_defer(a);
		return;
	}
	area_end(a);
	vm_unmap_aliases();
}
