/* SPDX-License-Identifier: MIT */
/*
 * inject.h - what the places ask at which an allocation may be made to fail.
 * The theory is in inject.c.
 */
#ifndef KMEM_INJECT_PRIVATE_H
#define KMEM_INJECT_PRIVATE_H

#include "hooks.h"

#include <kmem/inject.h>

/* An attempt for a request with __GFP_NOFAIL: its own flag was taken from it so
 * that nobody below waits, but it is not to be failed. */
#define GFP_NO_INJECT \
	(KMEM_INJECT ? (gfp_t)1 << __GFP_BITS_SHIFT : (gfp_t)0)

/* Where the public function returns to that this is in. */
#define INJECT_CALLER \
	(KMEM_INJECT ? (uintptr_t)__builtin_return_address(0) : 0)

bool inject_asked(enum kmem_inject_kind kind, const char *name, gfp_t gfp,
		  uintptr_t caller) KMEM_NOINLINE;

/* Whether the call that is beginning is to fail. name NULL, caller 0: has none.
 * Context: any, NMI included. */
KMEM_INLINE bool inject_fails(enum kmem_inject_kind kind, const char *name,
			      gfp_t gfp, uintptr_t caller)
{
	return KMEM_INJECT && inject_asked(kind, name, gfp, caller);
}

#endif /* KMEM_INJECT_PRIVATE_H */
