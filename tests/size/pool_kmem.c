/* SPDX-License-Identifier: MIT */
/*
 * tests/size/pool_kmem.c - fill.c's allocator: kmalloc().
 */
#include "../boot/boot.h"
#include "pool.h"

void kmem_panic(const char *reason)
{
	boot_fail("%s", reason);
}

void pool_start(char *start, size_t size)
{
	static const struct kmem_params params = { .nr_cpus = 1 };

	kmem_reset();
	CHECK(kmem_add_region((uintptr_t)start, size, KMEM_REGION_USABLE,
			      KMEM_NO_NODE) == KMEM_OK);
	CHECK(kmem_init(&params) == KMEM_OK);
}

void *pool_take(size_t size)
{
	return kmalloc(size, GFP_ATOMIC);
}

void pool_give(void *p)
{
	kfree(p);
}
