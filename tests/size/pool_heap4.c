/* SPDX-License-Identifier: MIT */
/*
 * tests/size/pool_heap4.c - fill.c's allocator: FreeRTOS's heap_4.
 *
 * Its heap is an array: size.sh says where, and how large.
 */
#include "pool.h"

void vPortHeapResetState(void);
void *pvPortMalloc(size_t size);
void vPortFree(void *p);

void pool_start(char *start, size_t size)
{
	(void)start;
	(void)size;
	vPortHeapResetState();
}

void *pool_take(size_t size)
{
	return pvPortMalloc(size);
}

void pool_give(void *p)
{
	vPortFree(p);
}
