/* SPDX-License-Identifier: MIT */
/*
 * nolock.h - what kmem_reset() needs of nolock.c.
 */
#ifndef KMEM_NOLOCK_PRIVATE_H
#define KMEM_NOLOCK_PRIVATE_H

#include "deferred.h"

#include <kmem/nolock.h>

/* Nothing waits any more: the memory it was in is gone. */
void nolock_forget(void);

#endif /* KMEM_NOLOCK_PRIVATE_H */
