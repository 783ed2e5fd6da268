/* SPDX-License-Identifier: MIT */
/*
 * hooks.h - how kmem speaks to the kernel it lives in.
 */
#ifndef KMEM_HOOKS_H
#define KMEM_HOOKS_H

#include <kmem/port.h>

/* A copy of params.hooks; all NULL until kmem_init(). */
extern struct kmem_hooks kmem_hooks;

/* One line for the log. */
void kmem_log(const char *fmt, ...) KMEM_PRINTF(1, 2);

/* The caller of the API did what it must not: kmem_panic() with that line.
 * May return; the state is sound and the bad call must do nothing. */
void kmem_misuse(const char *fmt, ...) KMEM_PRINTF(1, 2) KMEM_COLD;

/* kmem's own state is not what it must be. */
void kmem_bug(const char *file, int line, const char *what) KMEM_COLD;

#endif /* KMEM_HOOKS_H */
