/* SPDX-License-Identifier: MIT */
/*
 * vm_ops.h - what the layers below vmalloc() know of it: a range of addresses,
 * and a way in.
 *
 * Both are set by kmem_vmalloc_init(), and nothing else names the modules that
 * it starts: a program that does not call it is linked without them.
 */
#ifndef KMEM_VM_OPS_H
#define KMEM_VM_OPS_H

#include <kmem/atomic.h>
#include <kmem/stats.h>

struct check;

struct vm_ops {
	/* As __vmalloc_node(), vrealloc(), vfree(). */
	void *(*alloc)(size_t size, gfp_t gfp, int node, const void *caller);
	void *(*resize)(const void *p, size_t size, gfp_t gfp);
	void (*free)(const void *p);
	/* vfree() in two halves, for kfree_rcu(): after the first, who frees it
	 * again is told; the second, for any address inside, in any context but
	 * an NMI. Then, by a thread, end what that has put off. */
	bool (*claim)(const char *call, const void *p, uintptr_t caller);
	void (*finish)(const void *p);
	void (*settle)(void);
	/* Of the area that begins there; 0: none, or none of vmalloc()'s. */
	size_t (*bytes)(const void *p);
	/* For kmem_report() and kmem_check_all(). */
	void (*report)(kmem_out_fn out, void *ctx);
	void (*check)(struct check *c);
};

/* All 0 until kmem_vmalloc_init(). */
struct vm_range {
	uintptr_t start;
	size_t bytes;
	const struct vm_ops *ops;
};

extern struct vm_range vm_range;

/* Other CPUs may be in kvmalloc() and kvfree() when kmem_vmalloc_init() is
 * called. Who sees ops sees all that it has set up; who sees how long the range
 * is, where it begins. */
KMEM_INLINE const struct vm_ops *vm_ops(void)
{
	return kmem_load_acquire(&vm_range.ops);
}

KMEM_INLINE bool vm_range_has(const void *p)
{
	size_t bytes = kmem_load_acquire(&vm_range.bytes);

	return (uintptr_t)p - kmem_load_relaxed(&vm_range.start) < bytes;
}

/* In words, what an address is for which there is no page descriptor. */
const char *foreign_describe(const void *p);

#endif /* KMEM_VM_OPS_H */
