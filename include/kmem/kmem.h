/* SPDX-License-Identifier: MIT */
/*
 * kmem/kmem.h - everything, in the order in which it is best read.
 *
 * kmem gives a kernel that has nothing yet the allocator that Linux kernels
 * have: pages by a buddy system, objects by slab caches, kmalloc() by size
 * class, each with a per-CPU layer in front of it.
 *
 * The layers of the implementation, lower first; a file names only files of
 * its own or a lower layer, which `make layers` checks against this list:
 *
 *	layers: names
 *	layers: config_small
 *	layers: config
 *	layers: compiler gfp
 *	layers: port atomic kmem_arch
 *	layers: page
 *	layers: stats
 *	layers: list bits format
 *	layers: spinlock hooks vm_ops
 *	layers: invariant
 *	layers: inject
 *	layers: buddy
 *	layers: mobility
 *	layers: zone zone_range
 *	layers: slab slab_make slab_repair slots slab_check debug track guard
 *	layers: magazine magazine_cpu depot
 *	layers: magazine_make magazine_drain magazine_try magazine_check
 *	layers: page_alloc page_reclaim page_ref page_bulk contig
 *	layers: node
 *	layers: grace
 *	layers: cache caches cache_trim cache_check cache_debug debug_options trim
 *	layers: cache_args cache_merge cache_node cache_walk
 *	layers: kmalloc
 *	layers: kmalloc_node kmalloc_dup obj_info
 *	layers: deferred
 *	layers: nolock rcu
 *	layers: kvmalloc
 *	layers: regions plan account boot
 *	layers: hotplug
 *	layers: vm_space
 *	layers: vm_area vmalloc vm_check
 *	layers: cache_limit reserve sheaf shrinker mempool
 *	layers: usage
 *	layers: report check
 *	layers: boot_map
 *	layers: map_e820
 *	layers: map_efi map_fdt map_limine map_pvh map_symbols
 *	layers: map_multiboot
 *	layers: kmem
 *	layers: linux
 */
#ifndef KMEM_KMEM_H
#define KMEM_KMEM_H

#include <kmem/names.h>
#include <kmem/config.h>
#include <kmem/compiler.h>
#include <kmem/gfp.h>
#include <kmem/port.h>
#include <kmem/atomic.h>
#include <kmem/page.h>
#include <kmem/boot.h>
#include <kmem/page_alloc.h>
#include <kmem/page_ref.h>
#include <kmem/cache.h>
#include <kmem/kmalloc.h>
#include <kmem/obj_info.h>
#include <kmem/nolock.h>
#include <kmem/rcu.h>
#include <kmem/trim.h>
#include <kmem/kvmalloc.h>
#include <kmem/vmalloc.h>
#include <kmem/shrinker.h>
#include <kmem/mempool.h>
#include <kmem/reserve.h>
#include <kmem/stats.h>
#include <kmem/report.h>
#include <kmem/debug.h>
#include <kmem/inject.h>

#endif /* KMEM_KMEM_H */
