/* SPDX-License-Identifier: MIT */
/*
 * kmem/config_small.h - the choices of <kmem/config.h> for a machine with one
 * CPU and kilobytes of memory:
 *
 *	-DKMEM_CONFIG_FILE='<kmem/config_small.h>' -Os
 *	-ffunction-sections -fdata-sections -Wl,--gc-sections
 *
 * Each can be overridden on the command line. Every check of what callers pass
 * in is on as ever; what is left out is what a small machine has no use for:
 *
 *	pages of 256 bytes	blocks of 256 bytes to 4 KiB, objects of 16
 *				bytes and more, kmalloc() of up to 512 bytes
 *				from caches
 *	no magazines		an allocation or free of an object is a few
 *				dozen instructions with interrupts masked
 *	one node, one zone, one kind of mobility
 *	Linux's size classes	eight of them: each costs a cache
 *	no text			the log is silent, and kmem_panic() is told the
 *				kind of misuse and the address
 */
#ifndef KMEM_CONFIG_SMALL_H
#define KMEM_CONFIG_SMALL_H

#ifndef KMEM_PAGE_SHIFT
#define KMEM_PAGE_SHIFT 8
#endif

#ifndef KMEM_MAX_ORDER
#define KMEM_MAX_ORDER 4
#endif

#ifndef KMEM_MAX_CPUS
#define KMEM_MAX_CPUS 1
#endif

#ifndef KMEM_MAX_NODES
#define KMEM_MAX_NODES 1
#endif

#ifndef KMEM_ZONES
#define KMEM_ZONES 1
#endif

#ifndef KMEM_MOBILITY
#define KMEM_MOBILITY 0
#endif

#ifndef KMEM_MAX_REGIONS
#define KMEM_MAX_REGIONS 8
#endif

#ifndef KMEM_CACHE_LINE
#define KMEM_CACHE_LINE 16
#endif

#ifndef KMEM_KMALLOC_STEPS
#define KMEM_KMALLOC_STEPS 1
#endif

#ifndef KMEM_LARGE_SLABS_BYTES
#define KMEM_LARGE_SLABS_BYTES 0
#endif

#ifndef KMEM_MAGAZINE_ROUNDS
#define KMEM_MAGAZINE_ROUNDS 0
#endif

#ifndef KMEM_NAME_BYTES
#define KMEM_NAME_BYTES 12
#endif

#ifndef KMEM_REPORT_TEXT
#define KMEM_REPORT_TEXT 0
#endif

#endif /* KMEM_CONFIG_SMALL_H */
