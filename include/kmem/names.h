/* SPDX-License-Identifier: MIT */
/*
 * kmem/names.h - for a kernel that has functions of these names already.
 *
 * With -DKMEM_PREFIX_NAMES each of Linux's names that kmem defines becomes
 * kmem_<name>, in the library and for everyone who includes its headers:
 * kmalloc(8, GFP_KERNEL) then calls kmem_kmalloc(). Names that begin with
 * kmem_ are never changed. A kernel's own header of choices may say it, too.
 *
 * The file in which the kernel defines, say, its own kfree() with kmem's
 * includes kmem's headers after all others, so that those declare the kernel's
 * functions, has `#undef kfree` after them, and calls kmem_kfree().
 */
#ifndef KMEM_NAMES_H
#define KMEM_NAMES_H

#ifdef KMEM_CONFIG_FILE
#include KMEM_CONFIG_FILE
#endif

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
#define alloc_pages_bulk	kmem_alloc_pages_bulk
#define alloc_pages_bulk_node	kmem_alloc_pages_bulk_node
#define alloc_contig_pages	kmem_alloc_contig_pages
#define alloc_contig_range	kmem_alloc_contig_range
#define free_contig_range	kmem_free_contig_range
#define alloc_pages_range	kmem_alloc_pages_range
#define alloc_pages_exact_range	kmem_alloc_pages_exact_range
#define get_page		kmem_get_page
#define get_page_unless_zero	kmem_get_page_unless_zero
#define put_page		kmem_put_page
#define release_pages		kmem_release_pages
#define page_count		kmem_page_count
#define compound_head		kmem_compound_head
#define compound_order		kmem_compound_order
#define compound_nr		kmem_compound_nr
#define page_size		kmem_page_size
#define PageHead		kmem_PageHead
#define PageTail		kmem_PageTail
#define PageCompound		kmem_PageCompound
#define gfpflags_allow_blocking	kmem_gfpflags_allow_blocking
#define kmalloc			kmem_kmalloc
#define __kmalloc		kmem___kmalloc
#define kmalloc_large		kmem_kmalloc_large
#define kmalloc_caches		kmem_kmalloc_caches
#define kmalloc_index		kmem_kmalloc_index
#define kmalloc_type		kmem_kmalloc_type
#define kmalloc_class_size	kmem_kmalloc_class_size
#define kmalloc_gfp		kmem_kmalloc_gfp
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
#define __vmalloc_node		kmem___vmalloc_node
#define __vmalloc		kmem___vmalloc
#define vmalloc			kmem_vmalloc
#define vzalloc			kmem_vzalloc
#define vmalloc_node		kmem_vmalloc_node
#define vzalloc_node		kmem_vzalloc_node
#define vmalloc_user		kmem_vmalloc_user
#define vmalloc_32		kmem_vmalloc_32
#define vmalloc_huge		kmem_vmalloc_huge
#define __vmalloc_array		kmem___vmalloc_array
#define vmalloc_array		kmem_vmalloc_array
#define __vcalloc		kmem___vcalloc
#define vcalloc			kmem_vcalloc
#define vrealloc		kmem_vrealloc
#define vfree			kmem_vfree
#define vfree_atomic		kmem_vfree_atomic
#define vm_unmap_aliases	kmem_vm_unmap_aliases
#define vmap			kmem_vmap
#define vunmap			kmem_vunmap
#define vm_map_phys		kmem_vm_map_phys
#define vm_unmap_phys		kmem_vm_unmap_phys
#define vm_struct		kmem_vm_struct
#define get_vm_area		kmem_get_vm_area
#define free_vm_area		kmem_free_vm_area
#define get_vm_area_size	kmem_get_vm_area_size
#define find_vm_area		kmem_find_vm_area
#define vmalloc_to_page		kmem_vmalloc_to_page
#define vmalloc_to_pfn		kmem_vmalloc_to_pfn
#define is_vmalloc_addr		kmem_is_vmalloc_addr
#define kvmalloc_node		kmem_kvmalloc_node
#define kvmalloc		kmem_kvmalloc
#define kvzalloc		kmem_kvzalloc
#define kvzalloc_node		kmem_kvzalloc_node
#define kvmalloc_array_node	kmem_kvmalloc_array_node
#define kvcalloc_node		kmem_kvcalloc_node
#define kvmalloc_array		kmem_kvmalloc_array
#define kvcalloc		kmem_kvcalloc
#define kvrealloc		kmem_kvrealloc
#define kvfree			kmem_kvfree
#define kvfree_sensitive	kmem_kvfree_sensitive
#define kvmemdup		kmem_kvmemdup
#define shrinker_alloc		kmem_shrinker_alloc
#define shrinker_register	kmem_shrinker_register
#define shrinker_free		kmem_shrinker_free
#define mempool_init		kmem_mempool_init
#define mempool_exit		kmem_mempool_exit
#define mempool_create		kmem_mempool_create
#define mempool_destroy		kmem_mempool_destroy
#define mempool_resize		kmem_mempool_resize
#define mempool_alloc		kmem_mempool_alloc
#define mempool_alloc_preallocated	kmem_mempool_alloc_preallocated
#define mempool_free		kmem_mempool_free
#define mempool_initialized	kmem_mempool_initialized
#define mempool_is_saturated	kmem_mempool_is_saturated
#define mempool_alloc_slab	kmem_mempool_alloc_slab
#define mempool_free_slab	kmem_mempool_free_slab
#define mempool_kmalloc		kmem_mempool_kmalloc
#define mempool_kfree		kmem_mempool_kfree
#define mempool_alloc_pages	kmem_mempool_alloc_pages
#define mempool_free_pages	kmem_mempool_free_pages
#define mempool_init_slab_pool	kmem_mempool_init_slab_pool
#define mempool_create_slab_pool	kmem_mempool_create_slab_pool
#define mempool_init_kmalloc_pool	kmem_mempool_init_kmalloc_pool
#define mempool_create_kmalloc_pool	kmem_mempool_create_kmalloc_pool
#define mempool_init_page_pool	kmem_mempool_init_page_pool
#define mempool_create_page_pool	kmem_mempool_create_page_pool
#define kstrdup_const		kmem_kstrdup_const
#define kfree_const		kmem_kfree_const
#define kmemdup_nul		kmem_kmemdup_nul
#define kmemdup_array		kmem_kmemdup_array
#define kfree_sized		kmem_kfree_sized
#define kfree_bulk		kmem_kfree_bulk
#define kmalloc_aligned		kmem_kmalloc_aligned
#define krealloc_aligned	kmem_krealloc_aligned
#define krealloc_node_align	kmem_krealloc_node_align
#define kmalloc_node		kmem_kmalloc_node
#define __kmalloc_node		kmem___kmalloc_node
#define kzalloc_node		kmem_kzalloc_node
#define kmalloc_array_node	kmem_kmalloc_array_node
#define kcalloc_node		kmem_kcalloc_node
#define numa_node_id		kmem_numa_node_id
#define page_to_nid		kmem_page_to_nid
#define __kmem_cache_create_args kmem___kmem_cache_create_args
#define kvfree_call_rcu		kmem_kvfree_call_rcu
#define kvfree_rcu_barrier	kmem_kvfree_rcu_barrier
#define kmalloc_nolock		kmem_kmalloc_nolock
#define kfree_nolock		kmem_kfree_nolock
#define alloc_pages_nolock	kmem_alloc_pages_nolock
#define free_pages_nolock	kmem_free_pages_nolock
#endif

#endif /* KMEM_NAMES_H */
