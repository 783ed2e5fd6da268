/* SPDX-License-Identifier: MIT */
/*
 * arch/devicetree/devicetree.h - what start-up code of any architecture takes
 * from a flattened devicetree.
 */
#ifndef DEVICETREE_H
#define DEVICETREE_H

#include <kmem/map_fdt.h>

#include "../../tests/boot/machine.h"

/* The blob; valid from devicetree_open() on, for good. */
extern struct kmem_fdt devicetree;

/* More than any blob; loaders leave that much behind the start of it. */
#define DEVICETREE_ROOM		((size_t)2 << 20)

/* Fails the run if there is no devicetree. */
void devicetree_open(const void *blob);

/*
 * Fill in the machine's map and arguments. The blob, which they refer to, is
 * entered as in use: phys is where it lies.
 */
void devicetree_describe(uint64_t phys);

/*
 * Physical address of the first enabled device that is compatible with that;
 * false if there is none.
 */
bool devicetree_device(const char *compatible, struct kmem_fdt_node *node,
		       uint64_t *phys);

/*
 * The next CPU of /cpus, enabled or not, and its number on the bus (`reg`).
 * node->name NULL: the first. Return: false if there are no more.
 */
bool devicetree_next_cpu(struct kmem_fdt_node *node, uint64_t *id);

#endif /* DEVICETREE_H */
