/* SPDX-License-Identifier: MIT */
/*
 * kmalloc.h - the size-class caches, for the layers above.
 */
#ifndef KMEM_KMALLOC_PRIVATE_H
#define KMEM_KMALLOC_PRIVATE_H

#include "cache.h"

#include <kmem/kmalloc.h>

/* At boot, once; caches can be created. Return: false without memory. */
bool kmalloc_bootstrap(void);

/* The caches are gone: back to before. */
void kmalloc_forget(void);

#endif /* KMEM_KMALLOC_PRIVATE_H */
