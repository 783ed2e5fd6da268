/* SPDX-License-Identifier: MIT */
#include "format.h"
#include "invariant.h"

void check_violated_line(struct check *c, const char *fmt, ...)
{
	char line[KMEM_LINE_MAX];
	va_list args;

	c->violations++;
	if (!c->out)
		return;
	va_start(args, fmt);
	vformat(line, sizeof(line), fmt, args);
	va_end(args);
	c->out(c->ctx, line);
}
