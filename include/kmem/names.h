/* SPDX-License-Identifier: MIT */
/*
 * kmem/names.h - for a kernel that has functions of these names already.
 *
 * With -DKMEM_PREFIX_NAMES each of Linux's names that kmem defines becomes
 * kmem_<name>, in the library and for everyone who includes its headers:
 * kmalloc(8, GFP_KERNEL) then calls kmem_kmalloc(). Names that begin with
 * kmem_ are never changed.
 */
#ifndef KMEM_NAMES_H
#define KMEM_NAMES_H

#ifdef KMEM_PREFIX_NAMES
#define alloc_pages		kmem_alloc_pages
#define alloc_pages_node	kmem_alloc_pages_node
#define __free_pages		kmem___free_pages
#define __get_free_pages	kmem___get_free_pages
#define get_zeroed_page		kmem_get_zeroed_page
#define free_pages		kmem_free_pages
#define split_page		kmem_split_page
#define alloc_pages_exact	kmem_alloc_pages_exact
#define free_pages_exact	kmem_free_pages_exact
#define nr_free_pages		kmem_nr_free_pages
#define drain_pages		kmem_drain_pages
#define virt_to_page		kmem_virt_to_page
#define pfn_to_page		kmem_pfn_to_page
#define page_to_pfn		kmem_page_to_pfn
#define page_to_phys		kmem_page_to_phys
#define page_to_virt		kmem_page_to_virt
#define page_address		kmem_page_address
#define phys_to_virt		kmem_phys_to_virt
#define virt_to_phys		kmem_virt_to_phys
#define get_order		kmem_get_order
#define kmalloc			kmem_kmalloc
#define __kmalloc		kmem___kmalloc
#define kmalloc_large		kmem_kmalloc_large
#define kmalloc_caches		kmem_kmalloc_caches
#define kmalloc_index		kmem_kmalloc_index
#define kmalloc_type		kmem_kmalloc_type
#define kzalloc			kmem_kzalloc
#define kcalloc			kmem_kcalloc
#define kmalloc_array		kmem_kmalloc_array
#define krealloc		kmem_krealloc
#define krealloc_array		kmem_krealloc_array
#define kfree			kmem_kfree
#define kfree_sensitive		kmem_kfree_sensitive
#define ksize			kmem_ksize
#define kmalloc_size_roundup	kmem_kmalloc_size_roundup
#define kmemdup			kmem_kmemdup
#define kstrdup			kmem_kstrdup
#define kstrndup		kmem_kstrndup
#endif

#endif /* KMEM_NAMES_H */
