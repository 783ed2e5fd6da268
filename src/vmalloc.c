/* SPDX-License-Identifier: MIT */
/*
 * vmalloc.c - memory that is contiguous in virtual addresses only.
 *
 *	vmalloc(size)
 *	   │ addresses: first fit (vm_space.c), in an area (vm_area.c)
 *	   │ an array for the pages' names: kvmalloc(), so of vmalloc() again
 *	   │   where it is long; each level is shorter by a page's worth of
 *	   │   pointers
 *	   │ the pages, each a block of order 0
 *	   ▼ the hook `map`, once for each physically contiguous run
 *	an area
 *
 * and vfree() in the opposite order. Whatever fails on the way, the steps
 * before it are undone, in the opposite order too.
 *
 * The other kinds differ in where the pages come from: vmap() is given them,
 * vm_map_phys() has a physical range instead, get_vm_area() has none. Kernel
 * stacks are areas with one more guard page, below, where they would overflow.
 *
 * Locks: vm.lock, see vm_area.c.
 */
#include "vm_area.h"

/* ---- memory ---- */

/* Return: false if they are not to be had; what is there is a's then. */
static bool get_area_pages(struct vm_area *a, const struct vm_want *w)
{
	size_t nr = vm_pages(w->size);

	a->vm.pages = kvmalloc_array(nr, sizeof(a->vm.pages[0]),
				     w->gfp & VM_GFP_INNER);
	if (!a->vm.pages)
		return false;
	a->owns_array = a->owns_pages = true;
	for (; a->vm.nr_pages < nr; a->vm.nr_pages++) {
		struct page *page = alloc_pages_node(w->node, w->gfp |
						     __GFP_NOWARN, 0);

		if (!page)
			return false;
		a->vm.pages[a->vm.nr_pages] = page;
	}
	return true;
}

static struct vm_area *area_try(const struct vm_want *w, const char **why)
{
	struct vm_area *a = vm_area_new(w, why);

	if (!a)
		return NULL;
	*why = "no memory";
	if (get_area_pages(a, w)) {
		*why = "the hook `map` failed";
		if (vm_area_map(a, vm.params.prot, w->gfp)) {
			vm_area_publish(a);
			return a;
		}
	}
	vm_area_drop(a);
	return NULL;
}

/* Memory of any kind. With __GFP_NOFAIL all but the pages, which see to
 * themselves, is tried again; it never helps if it is refused. */
static void *area_alloc(const struct vm_want *w)
{
	struct waiter waiter = { .waiting = false };
	const char *why;
	struct vm_area *a;

	do {
		a = area_try(w, &why);
	} while (KMEM_UNLIKELY(!a && (w->gfp & __GFP_NOFAIL) &&
			       !vm_refusal(w) &&
			       wait_for_memory(&waiter, w->gfp, 0)));
	wait_end(&waiter);
	if (a)
		return a->vm.addr;
	vm_failed(w, why);
	return NULL;
}

static void *alloc_flagged(size_t size, size_t align, gfp_t gfp, int node,
			   unsigned long flags, const void *caller)
{
	const struct vm_want w = {
		.kind = VM_KIND_ALLOC, .size = size, .flags = VM_ALLOC | flags,
		.align = align ? align : KMEM_PAGE_SIZE,
		.gfp = gfp, .node = node, .caller = caller,
	};

	return area_alloc(&w);
}

void *__vmalloc_node(size_t size, size_t align, gfp_t gfp, int node,
		     const void *caller)
{
	return alloc_flagged(size, align, gfp, node, 0, caller ? caller :
			     __builtin_return_address(0));
}

void *__vmalloc(size_t size, gfp_t gfp)
{
	return __vmalloc_node(size, 0, gfp, KMEM_NO_NODE,
			      __builtin_return_address(0));
}

void *vmalloc(size_t size)
{
	return __vmalloc_node(size, 0, GFP_KERNEL, KMEM_NO_NODE,
			      __builtin_return_address(0));
}

void *vzalloc(size_t size)
{
	return __vmalloc_node(size, 0, GFP_KERNEL | __GFP_ZERO, KMEM_NO_NODE,
			      __builtin_return_address(0));
}

void *vmalloc_node(size_t size, int node)
{
	return __vmalloc_node(size, 0, GFP_KERNEL, node,
			      __builtin_return_address(0));
}

void *vzalloc_node(size_t size, int node)
{
	return __vmalloc_node(size, 0, GFP_KERNEL | __GFP_ZERO, node,
			      __builtin_return_address(0));
}

void *vmalloc_user(size_t size)
{
	return alloc_flagged(size, 0, GFP_KERNEL | __GFP_ZERO, KMEM_NO_NODE,
			     VM_USERMAP, __builtin_return_address(0));
}

void vfree(const void *p)
{
	if (p)
		vm_area_free("vfree", VM_KIND_ALLOC, p, false,
			     KMEM_CALLER);
}

void vfree_atomic(const void *p)
{
	if (p)
		vm_area_free("vfree_atomic", VM_KIND_ALLOC, p, true,
			     KMEM_CALLER);
}

/* ---- changing the size ---- */

/* The area has its first nr pages only; what it had besides is in `rest`. */
static void area_cut(struct vm_area *a, size_t size, size_t nr,
		     struct vm_area *rest)
{
	uintptr_t irq = vm_lock();

	*rest = *a;
	a->requested = size;
	a->vm.nr_pages = nr;
	vm.pages -= rest->vm.nr_pages - nr;
	vm_unlock(irq);
}

/* The pages suffice. */
static void resize_in_place(struct vm_area *a, size_t size, gfp_t gfp)
{
	size_t nr = vm_pages(size);
	struct vm_area rest;
	char *p = a->vm.addr;

	if (size > a->requested && (gfp & __GFP_ZERO))
		memset(p + a->requested, 0, size - a->requested);
	area_cut(a, size, nr, &rest);
	if (nr == rest.vm.nr_pages)
		return;
	vm.params.unmap(vm.params.ctx, (uintptr_t)p + (nr << KMEM_PAGE_SHIFT),
			rest.vm.nr_pages - nr);
	vm_area_put_pages(&rest, nr);
}

static void *resize(const void *p, size_t size, gfp_t gfp, const void *caller)
{
	struct vm_area *a;
	void *new;

	if (!size) {
		vfree(p);
		return NULL;
	}
	if (!p)
		return __vmalloc_node(size, 0, gfp, KMEM_NO_NODE, caller);
	a = vm_area_claim("vrealloc", VM_KIND_ALLOC, p, VM_LIVE,
			  (uintptr_t)caller);
	if (!a)
		return NULL;
	if (size <= a->vm.nr_pages << KMEM_PAGE_SHIFT) {
		resize_in_place(a, size, gfp);
		return a->vm.addr;
	}
	new = __vmalloc_node(size, 0, gfp, KMEM_NO_NODE, caller);
	if (new) {
		memcpy(new, p, a->requested);
		vfree(p);
	}
	return new;
}

void *vrealloc(const void *p, size_t size, gfp_t gfp)
{
	return resize(p, size, gfp, __builtin_return_address(0));
}

/* ---- mappings ---- */

static bool all_pages(struct page **pages, size_t count)
{
	if (!pages || count > kmem_load_relaxed(&zones.managed))
		return false;
	for (size_t i = 0; i < count; i++)
		if (!pages[i])
			return false;
	return true;
}

/* The area's array: what it was given, or a copy. */
static bool take_array(struct vm_area *a, struct page **pages, size_t count)
{
	a->vm.nr_pages = count;
	if (a->vm.flags & VM_MAP_PUT_PAGES) {
		a->vm.pages = pages;
		return true;
	}
	a->vm.pages = kvmalloc_array(count, sizeof(pages[0]),
				     GFP_KERNEL | __GFP_NOWARN);
	if (!a->vm.pages)
		return false;
	memcpy(a->vm.pages, pages, count * sizeof(pages[0]));
	a->owns_array = true;
	return true;
}

/* Map it, let it be found; NULL if that fails: then it is no more. */
static void *area_finish(struct vm_area *a, const struct vm_want *w,
			 unsigned long prot)
{
	if (!vm_area_map(a, prot, w->gfp)) {
		vm_area_drop(a);
		vm_failed(w, "the hook `map` failed");
		return NULL;
	}
	if (a->vm.flags & VM_MAP_PUT_PAGES)
		a->owns_array = a->owns_pages = true;
	vm_area_publish(a);
	return a->vm.addr;
}

/* vm_area_new(), and the news if there is none. */
static struct vm_area *area_begin(const struct vm_want *w)
{
	const char *why;
	struct vm_area *a = vm_area_new(w, &why);

	if (!a)
		vm_failed(w, why);
	return a;
}

void *vmap(struct page **pages, size_t count, unsigned long flags,
	   unsigned long prot)
{
	struct vm_want w = {
		.kind = VM_KIND_MAP, .align = KMEM_PAGE_SIZE,
		.flags = VM_MAP | (flags & (VM_NO_GUARD | VM_MAP_PUT_PAGES)),
		.gfp = GFP_KERNEL, .caller = __builtin_return_address(0),
	};
	struct vm_area *a;

	if (all_pages(pages, count))
		w.size = count << KMEM_PAGE_SHIFT;
	a = area_begin(&w);
	if (!a)
		return NULL;
	if (!take_array(a, pages, count)) {
		vm_area_drop(a);
		vm_failed(&w, "no memory");
		return NULL;
	}
	return area_finish(a, &w, prot);
}

void vunmap(const void *p)
{
	if (p)
		vm_area_free("vunmap", VM_KIND_MAP, p, false,
			     KMEM_CALLER);
}

void *vm_map_phys(kmem_phys_t phys, size_t size, unsigned long prot)
{
	size_t offset = (size_t)(phys & (KMEM_PAGE_SIZE - 1));
	struct vm_want w = {
		.kind = VM_KIND_PHYS, .align = KMEM_PAGE_SIZE,
		.flags = VM_IOREMAP, .gfp = GFP_KERNEL,
		.caller = __builtin_return_address(0),
	};
	struct vm_area *a;
	char *p;

	if (size && size <= SIZE_MAX - offset &&
	    phys + (size - 1) >= phys)
		w.size = size + offset;
	a = area_begin(&w);
	if (!a)
		return NULL;
	a->vm.phys_addr = phys - offset;
	a->vm.nr_pages = vm_pages(w.size);
	p = area_finish(a, &w, prot);
	return p ? p + offset : NULL;
}

void vm_unmap_phys(const void *p)
{
	if (p)
		vm_area_free("vm_unmap_phys", VM_KIND_PHYS,
			     (void *)((uintptr_t)p & ~(KMEM_PAGE_SIZE - 1)),
			     false, KMEM_CALLER);
}

struct vm_struct *get_vm_area(size_t size, unsigned long flags)
{
	const struct vm_want w = {
		.kind = VM_KIND_SPACE, .size = size, .align = KMEM_PAGE_SIZE,
		.flags = flags & ~VM_MAP_PUT_PAGES, .gfp = GFP_KERNEL,
		.caller = __builtin_return_address(0),
	};
	struct vm_area *a = area_begin(&w);

	if (!a)
		return NULL;
	vm_area_publish(a);
	return &a->vm;
}

void free_vm_area(struct vm_struct *area)
{
	if (area)
		vm_area_free("free_vm_area", VM_KIND_SPACE, area->addr, false,
			     KMEM_CALLER);
}

struct vm_struct *find_vm_area(const void *p)
{
	uintptr_t irq = vm_lock();
	struct vm_area *a = vm_area_at(p);

	vm_unlock(irq);
	return a ? &a->vm : NULL;
}

uintptr_t vmalloc_to_pfn(const void *p)
{
	uintptr_t irq = vm_lock(), pfn = 0;
	struct vm_area *a = vm_area_at(p);
	size_t i;

	if (a) {
		i = ((uintptr_t)p - (uintptr_t)a->vm.addr) >> KMEM_PAGE_SHIFT;
		if (i < a->vm.nr_pages)
			pfn = a->vm.pages ? page_to_pfn(a->vm.pages[i]) :
			      (uintptr_t)(a->vm.phys_addr >> KMEM_PAGE_SHIFT) +
			      i;
	}
	vm_unlock(irq);
	return pfn;
}

struct page *vmalloc_to_page(const void *p)
{
	uintptr_t pfn = vmalloc_to_pfn(p);

	return pfn ? pfn_to_page(pfn) : NULL;
}

/* ---- kernel stacks ---- */

void *kmem_stack_alloc(size_t size)
{
	const struct vm_want w = {
		.kind = VM_KIND_STACK, .size = size, .align = KMEM_PAGE_SIZE,
		.flags = VM_ALLOC | KMEM_VM_STACK, .gfp = GFP_KERNEL | __GFP_ZERO,
		.node = KMEM_NO_NODE, .caller = __builtin_return_address(0),
	};

	return area_alloc(&w);
}

void kmem_stack_free(const void *stack)
{
	if (stack)
		vm_area_free("kmem_stack_free", VM_KIND_STACK, stack, false,
			     KMEM_CALLER);
}

const void *kmem_stack_overflowed(const void *addr)
{
	uintptr_t irq = kmem_arch_irq_save();
	const void *stack = NULL;
	struct vm_area *a;

	if (lock_try(&vm.lock)) {
		a = vm_area_at(addr);
		if (a && a->kind == VM_KIND_STACK &&
		    (uintptr_t)addr < (uintptr_t)a->vm.addr)
			stack = a->vm.addr;
		lock_release(&vm.lock);
	}
	kmem_arch_irq_restore(irq);
	return stack;
}

/* ---- the start ---- */

/* Some of the range has page descriptors, at addresses of the direct map. */
static bool meets_direct_map(uintptr_t start, uintptr_t end)
{
	const struct kmem_page_map *m = &kmem_page_map;
	uintptr_t bytes = m->nr_sections << m->section_shift;

	return !bytes || start - m->base < bytes ||
	       m->base - start < end - start;
}

static const char *init_refusal(const struct kmem_vmalloc_params *p)
{
	if (!p || !p->map || !p->unmap)
		return "there are no parameters, or a hook is missing";
	if (!p->start || p->end <= p->start ||
	    ((p->start | p->end) & (KMEM_PAGE_SIZE - 1)))
		return "the range is empty, or not of whole pages";
	if (meets_direct_map(p->start, p->end))
		return "the range meets the direct map";
	return NULL;
}

static int init_failed(int error, const char *why)
{
	kmem_log("kmem: kmem_vmalloc_init: %s", why);
	return error;
}

static void *alloc_for_kvmalloc(size_t size, gfp_t gfp, int node,
				const void *caller)
{
	return __vmalloc_node(size, 0, gfp, node, caller);
}

static size_t bytes_of(const void *p)
{
	const struct vm_area *a;
	uintptr_t irq = vm_lock();
	size_t bytes = 0;

	a = vm_area_at(p);
	if (a && a->vm.addr == p && a->kind == VM_KIND_ALLOC)
		bytes = a->vm.nr_pages << KMEM_PAGE_SHIFT;
	vm_unlock(irq);
	return bytes;
}

int kmem_vmalloc_init(const struct kmem_vmalloc_params *params)
{
	static const struct vm_ops ops = {
		.alloc = alloc_for_kvmalloc, .resize = vrealloc, .free = vfree,
		.claim = vm_area_begin_free, .finish = vm_area_finish_free,
		.settle = vm_unmap_aliases, .bytes = bytes_of,
		.report = kmem_report_vmalloc, .check = vm_check,
	};
	const char *why;

	if (vm_range.ops || !zones.nr_nodes)
		return init_failed(KMEM_EBUSY, vm_range.ops ? "called twice" :
				   "kmem_init() comes first");
	why = init_refusal(params);
	if (why)
		return init_failed(KMEM_EINVAL, why);
	memset(&vm, 0, sizeof(vm));
	vm.params = *params;
	vm.areas = kmem_cache_create("vm_area", sizeof(struct vm_area), 0, 0,
				     NULL);
	if (!vm.areas)
		return init_failed(KMEM_ENOMEM, "no memory");
	vm_space_init(&vm.space, params->start, params->end);
	kmem_store_relaxed(&vm_range.start, params->start);
	kmem_store_release(&vm_range.bytes, params->end - params->start);
	kmem_store_release(&vm_range.ops, &ops);
	return KMEM_OK;
}
