/* SPDX-License-Identifier: MIT */
/*
 * boot.h - what is left of the boot for those who change memory afterwards.
 */
#ifndef KMEM_BOOT_PRIVATE_H
#define KMEM_BOOT_PRIVATE_H

#include "plan.h"

struct boot {
	bool running;			/* kmem_init() has succeeded */
	unsigned nr_given;		/* map entries, empty ones not counted */
	struct plan plan;		/* its account is kept up to date */
};

extern struct boot boot;

/* NULL: there is none of that id. */
struct node *boot_node(int id);

#endif /* KMEM_BOOT_PRIVATE_H */
