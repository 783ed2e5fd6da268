/* SPDX-License-Identifier: MIT */
/*
 * node.c - which node a CPU, or a page, is of.
 */
#include "page_alloc.h"

int numa_node_id(void)
{
	return zones.nr_nodes ? zones.node[this_node()]->id : 0;
}

int page_to_nid(const struct page *page)
{
	return page_zone(page)->node->id;
}
