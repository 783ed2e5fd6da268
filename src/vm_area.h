/* SPDX-License-Identifier: MIT */
/*
 * vm_area.h - areas: a part of the range, what is mapped there, and how it
 * ends. Theory in vm_area.c.
 */
#ifndef KMEM_VM_AREA_H
#define KMEM_VM_AREA_H

#include "kmalloc.h"
#include "vm_ops.h"
#include "vm_space.h"

#include <kmem/vmalloc.h>

/* How it came to be, and so how it ends. */
enum vm_kind { VM_KIND_ALLOC, VM_KIND_MAP, VM_KIND_PHYS, VM_KIND_SPACE,
	       VM_KIND_STACK };

enum vm_state {
	VM_BUILDING,		/* has addresses, nobody else knows it */
	VM_LIVE,		/* its user has it */
	VM_ENDING,		/* freed, or about to be */
};

struct vm_area {
	struct vm_struct vm;
	struct vm_node node;	/* guard pages included */
	uint8_t kind, state;
	bool owns_pages;	/* they are freed with it */
	bool owns_array;	/* vm.pages is */
	size_t requested;	/* bytes, as asked for */
	struct vm_area *deferred; /* the next one, of those to be ended */
};

/* What an area is to be. */
struct vm_want {
	enum vm_kind kind;
	size_t size, align;	/* bytes, as asked for */
	unsigned long flags;
	gfp_t gfp;
	int node;
	const void *caller;
};

/* Everything that there is one of. */
struct vm_globals {
	struct kmem_vmalloc_params params;
	struct kmem_cache *areas;
	struct kmem_lock lock;
	/* under lock: */
	struct vm_space space;
	struct vm_area *deferred;
	size_t nr_deferred, pages, allocs, frees, failed;
};

extern struct vm_globals vm;

/* With interrupts masked, and the flag set on one CPU too: whoever only tries
 * must see it (kmem_stack_overflowed). */
KMEM_INLINE uintptr_t vm_lock(void)
{
	uintptr_t irq = kmem_arch_irq_save();

	lock_take(&vm.lock);
	return irq;
}

KMEM_INLINE void vm_unlock(uintptr_t irq)
{
	lock_release(&vm.lock);
	kmem_arch_irq_restore(irq);
}

KMEM_INLINE size_t vm_pages(size_t bytes)
{
	return ((bytes - 1) >> KMEM_PAGE_SHIFT) + 1;
}

/* Flags for what an area needs beside its pages. */
#define VM_GFP_INNER \
	(GFP_KERNEL | __GFP_NOWARN | __GFP_NORETRY | __GFP_NOFAIL | \
	 __GFP_RETRY_MAYFAIL)

/* Why a request is refused whatever happens, or NULL. */
const char *vm_refusal(const struct vm_want *w);

/*
 * A request, in order; each step is undone by the one named beside it.
 *
 * vm_area_new(): an area of that kind, BUILDING; NULL, and *why, if it can't
 * be. Then, by the caller, its pages. vm_area_map(): map them, or its physical
 * range; false, and nothing is mapped, if that fails. vm_area_publish(): from
 * now on others find it.
 */
struct vm_area *vm_area_new(const struct vm_want *w, const char **why);
bool vm_area_map(struct vm_area *a, unsigned long prot, gfp_t gfp);
void vm_area_publish(struct vm_area *a);

/* Undo vm_area_new(): give up the addresses, and what it owns. */
void vm_area_drop(struct vm_area *a);

/* A request has failed: count it, and log it unless __GFP_NOWARN. */
void vm_failed(const struct vm_want *w, const char *why);

/* Pages and array, as far as they are its own: pages from `first` on. */
void vm_area_put_pages(struct vm_area *a, size_t first);

/*
 * The area that begins at p and is of that kind, which now has that state;
 * NULL, after a report in the name of `call`, if there is none.
 */
struct vm_area *vm_area_claim(const char *call, enum vm_kind kind,
			      const void *p, enum vm_state state,
			      uintptr_t caller);

/* Claim and end an area: at once, or when a thread next comes by if `later` or
 * if it must be. */
void vm_area_free(const char *call, enum vm_kind kind, const void *p,
		  bool later, uintptr_t caller);

/* The two halves of that, with `later`; finish: any address inside. */
bool vm_area_begin_free(const char *call, const void *p, uintptr_t caller);
void vm_area_finish_free(const void *p);

/* The LIVE area at an address, guard pages included, or NULL. Under lock. */
struct vm_area *vm_area_at(const void *p);

/* What an area is, as the name of what makes one. */
const char *vm_kind_name(const struct vm_area *a);

/* Verify V1 to V5 (vm_check.c). */
void vm_check(struct check *c);

#endif /* KMEM_VM_AREA_H */
