/* SPDX-License-Identifier: MIT */
/*
 * format.h - text for logs and reports, and what options say, without the C
 * library.
 */
#ifndef KMEM_FORMAT_H
#define KMEM_FORMAT_H

#include <stdarg.h>

#include <kmem/compiler.h>

#define KMEM_LINE_MAX 256	/* longest line, its terminator included */

/*
 * A subset of printf: %s %c %d %u %x %p %%, lengths l ll z, a width (also *),
 * flags '-' and '0'. Cuts what does not fit; always terminates.
 *
 * Return: characters written, terminator excluded.
 */
size_t format(char *buf, size_t size, const char *fmt, ...)
	KMEM_PRINTF(3, 4);
size_t vformat(char *buf, size_t size, const char *fmt, va_list args);

/* Whether a name is among others, with ',' between them, to the end or a ';'.
 * One that ends in '*' stands for all that begin so. */
bool name_listed(const char *names, const char *name);

#endif /* KMEM_FORMAT_H */
