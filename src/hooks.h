/* SPDX-License-Identifier: MIT */
/*
 * hooks.h - how kmem speaks to the kernel it lives in.
 *
 * What it says is a line of text with names and numbers. With KMEM_REPORT_TEXT
 * 0 a misuse is its kind and an address, and the log is silent; then no text
 * but the kinds, and no formatting, is part of the program.
 */
#ifndef KMEM_HOOKS_H
#define KMEM_HOOKS_H

#include <kmem/port.h>

/* The kernel's, as C has them. Who uses kmem has declarations of its own. */
void *memcpy(void *dst, const void *src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memset(void *dst, int byte, size_t n);
int memcmp(const void *a, const void *b, size_t n);

/* A copy of params.hooks; all NULL until kmem_init(). */
extern struct kmem_hooks kmem_hooks;

/* kmem_log(fmt, ...) - one line for the log. */
#define kmem_log(...) \
	(KMEM_REPORT_TEXT ? kmem_log_line(__VA_ARGS__) : (void)0)

/*
 * kmem_misuse(kind, p, fmt, ...) - the caller of the API did what it must not:
 * kmem_panic() with that line, or with `kind` and p. May return; the state is
 * sound and the bad call must do nothing.
 * kmem_misuse_by(caller, ...) - the same, and the line ends with who it was.
 */
#define kmem_misuse(kind, p, ...)	kmem_misuse_by(0, kind, p, __VA_ARGS__)
#define kmem_misuse_by(caller, kind, p, ...) \
	(KMEM_REPORT_TEXT ? kmem_misuse_line(caller, __VA_ARGS__) : \
			    kmem_misuse_kind(kind, p))

/* Where the public function returns to that this is in, or inlined into, or
 * that has ended in a jump here. Asked for where a slow path begins: a fast one
 * must not even fetch it. */
#define KMEM_CALLER \
	(KMEM_REPORT_TEXT || KMEM_INJECT ? \
	 (uintptr_t)__builtin_return_address(0) : 0)

/* kmem's own state is not what it must be. */
#define kmem_bug(file, line, what) \
	kmem_misuse("BUG", NULL, "kmem: BUG at %s:%d: %s", file, line, what)

/*
 * A call that may sleep was made: whether it may. Reports it if the kernel says
 * that it must not. With KMEM_REPORT_TEXT 0 nobody is asked.
 */
bool kmem_may_sleep_here(const char *call) KMEM_COLD;

KMEM_INLINE bool kmem_may_sleep(const char *call)
{
	return !KMEM_REPORT_TEXT || KMEM_LIKELY(!kmem_hooks.in_atomic) ||
	       kmem_may_sleep_here(call);
}

/* The same for an allocation: it goes on as one that must not sleep. */
KMEM_INLINE gfp_t gfp_checked(const char *call, gfp_t gfp)
{
	if (!(gfp & __GFP_DIRECT_RECLAIM) || kmem_may_sleep(call))
		return gfp;
	return gfp & ~(__GFP_DIRECT_RECLAIM | __GFP_NOFAIL);
}

void kmem_log_line(const char *fmt, ...) KMEM_PRINTF(1, 2);
void kmem_misuse_line(uintptr_t caller, const char *fmt, ...)
	KMEM_PRINTF(2, 3) KMEM_COLD;
void kmem_misuse_kind(const char *kind, const void *p) KMEM_COLD;

#endif /* KMEM_HOOKS_H */
