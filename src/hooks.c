/* SPDX-License-Identifier: MIT */
#include "format.h"
#include "hooks.h"

struct kmem_hooks kmem_hooks;

void kmem_log_line(const char *fmt, ...)
{
	char line[KMEM_LINE_MAX];
	va_list args;

	if (!kmem_hooks.log)
		return;
	va_start(args, fmt);
	vformat(line, sizeof(line), fmt, args);
	va_end(args);
	kmem_hooks.log(kmem_hooks.ctx, line);
}

bool kmem_may_sleep_here(const char *call)
{
	if (!kmem_hooks.in_atomic(kmem_hooks.ctx))
		return true;
	kmem_misuse("sleeps in atomic context", NULL,
		    "kmem: %s: may sleep, and was called in atomic context",
		    call);
	return false;
}

void kmem_misuse_line(uintptr_t caller, const char *fmt, ...)
{
	char line[KMEM_LINE_MAX];
	va_list args;
	size_t n;

	va_start(args, fmt);
	n = vformat(line, sizeof(line), fmt, args);
	va_end(args);
	if (caller && kmem_hooks.caller)
		caller = kmem_hooks.caller(kmem_hooks.ctx, caller);
	if (caller)
		format(line + n, sizeof(line) - n, "; caller 0x%zx",
		       (size_t)caller);
	kmem_panic(line);
}

/* "kmem: double free 0x20001230" */
void kmem_misuse_kind(const char *kind, const void *p)
{
	char line[48] = "kmem: ";
	char *at = line + 6;
	uintptr_t n = (uintptr_t)p;

	while (*kind)
		*at++ = *kind++;
	*at++ = ' ';
	*at++ = '0';
	*at++ = 'x';
	for (size_t i = 0; i < 2 * sizeof(n); i++, n <<= 4)
		*at++ = "0123456789abcdef"[n >> (8 * sizeof(n) - 4)];
	*at = '\0';
	kmem_panic(line);
}
