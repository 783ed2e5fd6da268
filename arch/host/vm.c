/* SPDX-License-Identifier: MIT */
/*
 * arch/host/vm.c - page tables, as far as a process has them: mmap().
 *
 * The range is one inaccessible reservation; mapping puts pages of the shared
 * memory over a part of it, unmapping the reservation back. The system forgets
 * translations on all its CPUs by itself.
 */
#define _GNU_SOURCE
#include <host.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

static struct {
	char *map;
	size_t bytes;
} range;

static bool reserve(void *at, size_t bytes, void **where)
{
	*where = mmap(at, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS |
		      MAP_NORESERVE | (at ? MAP_FIXED : 0), -1, 0);
	return *where != MAP_FAILED;
}

static int host_map(void *ctx, uintptr_t virt, kmem_phys_t phys,
		    size_t nr_pages, unsigned long prot, gfp_t gfp)
{
	(void)ctx;
	(void)prot;
	(void)gfp;
	return host_memory_map((void *)virt, phys,
			       nr_pages << KMEM_PAGE_SHIFT) ? 0 : -1;
}

static void host_unmap(void *ctx, uintptr_t virt, size_t nr_pages)
{
	void *where;

	(void)ctx;
	if (!reserve((void *)virt, nr_pages << KMEM_PAGE_SHIFT, &where)) {
		perror("host: unmap");
		abort();
	}
}

/* Interrupts are masked in a handler too. */
static bool host_is_atomic(void *ctx)
{
	(void)ctx;
	return kmem_host_cpu.irqs_masked;
}

bool host_vmalloc_params(size_t bytes, struct kmem_vmalloc_params *params)
{
	void *where;

	if (range.map)
		munmap(range.map, range.bytes);
	range.map = NULL;
	/* A page more than asked for: the start is a multiple of kmem's. */
	if (!reserve(NULL, bytes + KMEM_PAGE_SIZE, &where))
		return false;
	range.map = where;
	range.bytes = bytes + KMEM_PAGE_SIZE;
	*params = (struct kmem_vmalloc_params){
		.map = host_map, .unmap = host_unmap,
		.is_atomic = host_is_atomic,
	};
	params->start = ((uintptr_t)where + KMEM_PAGE_SIZE - 1) &
			~(uintptr_t)(KMEM_PAGE_SIZE - 1);
	params->end = params->start + bytes;
	return true;
}

int host_vmalloc(size_t bytes)
{
	struct kmem_vmalloc_params params;

	return host_vmalloc_params(bytes, &params) ?
	       kmem_vmalloc_init(&params) : KMEM_ENOMEM;
}
