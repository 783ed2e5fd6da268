/* SPDX-License-Identifier: MIT */
/*
 * arch/devicetree/devicetree.c - the machine, as a devicetree describes it.
 */
#include "devicetree.h"

struct kmem_fdt devicetree;

void devicetree_open(const void *blob)
{
	if (kmem_fdt_open(&devicetree, blob, DEVICETREE_ROOM))
		boot_fail("no devicetree at %p", blob);
}

/* A kmem_map_fn: the test kernel keeps the map, to hold kmem to it. */
static int note_range(void *ctx, const struct kmem_map_entry *entry)
{
	(void)ctx;
	if (machine.nr_map == MACHINE_MAX_RANGES)
		boot_fail("more than %u ranges in the devicetree",
			  MACHINE_MAX_RANGES);
	machine.map[machine.nr_map++] = (struct machine_range){
		.start = entry->start, .size = entry->size,
		.usable = entry->type == KMEM_REGION_USABLE,
		.what = entry->what,
		.node = entry->node == KMEM_NO_NODE ? 0 : entry->node,
	};
	return KMEM_OK;
}

void devicetree_describe(uint64_t phys)
{
	struct kmem_fdt_node chosen;
	const char *arguments = NULL;
	int err = kmem_map_fdt(devicetree.blob, devicetree.total, note_range,
			       NULL);

	if (err)
		boot_fail("devicetree: kmem_map_fdt: error %d", err);
	if (kmem_fdt_find(&devicetree, "chosen", &chosen))
		arguments = kmem_fdt_text(&devicetree, &chosen, "bootargs");
	machine.arguments = arguments ? arguments : "";
	machine.used[machine.nr_used++] = (struct machine_range){
		.start = phys, .size = devicetree.total, .what = "devicetree",
	};
}

bool devicetree_device(const char *compatible, struct kmem_fdt_node *node,
		       uint64_t *phys)
{
	struct kmem_fdt_regs regs;

	*node = kmem_fdt_root(&devicetree);
	while (kmem_fdt_next(&devicetree, node)) {
		if (!kmem_fdt_says(&devicetree, node, "compatible",
				   compatible) ||
		    !kmem_fdt_enabled(&devicetree, node) ||
		    kmem_fdt_find_regs(&devicetree, node, &regs) || !regs.nr)
			continue;
		*phys = kmem_fdt_reg_start(&regs, 0);
		return true;
	}
	return false;
}

bool devicetree_next_cpu(struct kmem_fdt_node *node, uint64_t *id)
{
	struct kmem_fdt_regs regs;

	if (!node->name && !kmem_fdt_find(&devicetree, "cpus", node))
		return false;
	while (kmem_fdt_next(&devicetree, node) && node->depth > 1) {
		if (!kmem_fdt_says(&devicetree, node, "device_type", "cpu") ||
		    kmem_fdt_find_regs(&devicetree, node, &regs) || !regs.nr)
			continue;
		*id = kmem_fdt_reg_start(&regs, 0);
		return true;
	}
	return false;
}
