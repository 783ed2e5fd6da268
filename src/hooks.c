/* SPDX-License-Identifier: MIT */
#include "format.h"
#include "hooks.h"

struct kmem_hooks kmem_hooks;

void kmem_log(const char *fmt, ...)
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

void kmem_misuse(const char *fmt, ...)
{
	char line[KMEM_LINE_MAX];
	va_list args;

	va_start(args, fmt);
	vformat(line, sizeof(line), fmt, args);
	va_end(args);
	kmem_panic(line);
}

void kmem_bug(const char *file, int line, const char *what)
{
	kmem_misuse("kmem: BUG at %s:%d: %s", file, line, what);
}
