/* SPDX-License-Identifier: MIT */
#include "vm_ops.h"

struct vm_range vm_range;

const char *foreign_describe(const void *p)
{
	return vm_range_has(p) ? "of vmalloc()'s range, where vfree() frees" :
				 "no memory of kmem's";
}
