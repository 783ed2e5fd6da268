/* SPDX-License-Identifier: MIT */
/*
 * kmem/trim.h - have kmem give back what it holds for nobody.
 */
#ifndef KMEM_TRIM_H
#define KMEM_TRIM_H

#include <kmem/page_alloc.h>

/* How much. */
enum kmem_trim_level {
	KMEM_TRIM,		/* what was not needed since the last trim */
	KMEM_DRAIN,		/* this CPU's magazines, depots, empty slabs */
	KMEM_DRAIN_CPU,		/* the same, and all CPUs' magazines */
};

KMEM_BEGIN_DECLS

/**
 * kmem_trim - return cached memory to the zones: all caches', and pages
 * @level: KMEM_TRIM follows the working set: call it now and then, and what
 *	lay idle since the call before goes back, half of the idle slabs at a
 *	time. KMEM_DRAIN and KMEM_DRAIN_CPU return all that can be returned.
 *
 * After KMEM_DRAIN_CPU nothing but what callers hold, and the slabs that those
 * objects lie in, is missing from nr_free_pages(): a kernel that drains,
 * counts, runs a test that frees all it allocates, caches included, drains and
 * counts again, gets the same number. kmem's own tables (slot arrays,
 * magazines, cache descriptors) are part of that. For the magazines of other
 * CPUs it takes the run_on_cpu hook; without it they drain at their own next
 * slow path, as after KMEM_DRAIN.
 *
 * Context: thread, if run_on_cpu may only be called there; does not sleep.
 * Return: by how many pages nr_free_pages() has grown.
 * Cost: O(caches × CPUs + objects in magazines).
 */
size_t kmem_trim(enum kmem_trim_level level);

KMEM_END_DECLS

#endif /* KMEM_TRIM_H */
