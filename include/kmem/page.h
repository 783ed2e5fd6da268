/* SPDX-License-Identifier: MIT */
/*
 * kmem/page.h - the page descriptor, and the ways between a page's four names.
 *
 *	virtual address  <-- virt_offset -->  physical address
 *	       \                                 /
 *	        section, page in section      page frame number (pfn)
 *	         \                             /
 *	          `-----> struct page <-------'
 *
 * Physical memory is divided into sections, whose size kmem_init() chooses. A
 * section that contains memory of ours has an array of descriptors; any other
 * has none, so a hole costs one pointer a section. The table of sections
 * begins at the lowest section in use and ends at the highest.
 *
 * A descriptor is one cache line (64 bytes with 4 KiB pages on a 64-bit
 * machine: 1.56 % of memory), and everything that kfree() must know about an
 * object is in the descriptor of the page the object lies in, the slot states
 * of slabs of up to KMEM_INLINE_SLOTS objects included.
 */
#ifndef KMEM_PAGE_H
#define KMEM_PAGE_H

#include <kmem/port.h>

/* A physical address, a number of bytes, or of pages, of physical memory. */
#if KMEM_ARCH_PHYS_BITS == 32
typedef uint32_t kmem_phys_t;
#else
typedef uint64_t kmem_phys_t;
#endif

/* Where a NUMA node may be named: none in particular. */
#define KMEM_NO_NODE	(-1)

/* Slabs are of at most this order: 32 KiB with 4 KiB pages, 64 KiB at most
 * (slab.h says why). */
#define KMEM_SLAB_MAX_ORDER \
	(KMEM_PAGE_SHIFT <= 13 ? 3 : 16 - KMEM_PAGE_SHIFT)

/* Blocks that CPUs cache, if they cache any, are of at most this order. */
#define KMEM_CACHED_MAX_ORDER \
	(KMEM_MAGAZINE_ROUNDS ? KMEM_SLAB_MAX_ORDER + 1 : 0)

/* Sections are of at least 2^this pages: the descriptors of a slab's pages,
 * being of one section, lie side by side. */
#define KMEM_SECTION_MIN_ORDER	(KMEM_PAGE_SHIFT == 8 ? 3 : 6)

KMEM_STATIC_ASSERT(KMEM_SLAB_MAX_ORDER <= KMEM_SECTION_MIN_ORDER,
		   "a slab lies within a section");

/* A slot: the state of one object, out of reach of the object's user. */
#if KMEM_PAGE_SHIFT <= 12
typedef uint8_t kmem_slot_t;
#else
typedef uint16_t kmem_slot_t;
#endif
#define KMEM_INLINE_SLOTS	16

/* A link of a circular list, and its head. */
struct kmem_list {
	struct kmem_list *next, *prev;
};

/*
 * What a page is. Only the first page of a block has a type other than
 * PAGE_TAIL; the pages of a slab, which all have PAGE_SLAB, are the exception.
 * So splitting and merging blocks never touches the pages within.
 */
enum kmem_page_type {
	PAGE_TAIL,		/* inside a block, or not ours at all */
	PAGE_FREE,		/* heads a free block of the buddy */
	PAGE_CACHED,		/* heads a free block in a magazine */
	PAGE_ALLOCATED,		/* heads a block given by alloc_pages() */
	PAGE_KMALLOC,		/* heads a block given by kmalloc() */
	PAGE_SLAB,		/* part of a slab */
	PAGE_HELD,		/* as PAGE_ALLOCATED, but movable, reclaimable
				 * or shared: `mobility` and `refs` count */
	PAGE_RCU,		/* heads a block freed by kfree_rcu() */
	PAGE_NOLOCK,		/* heads a block that waits to be freed */
};

/*
 * The descriptor. Its fields are kmem's own; use the functions below.
 *
 * Who may write: type, order and list belong to the block's owner: the zone
 * lock while the block is free, the slab's node lock for `list`, `inuse` and
 * `free` of a slab, whoever allocated the block otherwise. `zone` and `pfn`
 * never change after kmem_init(). `block_mobility` is the zone lock's, whatever
 * the page is (mobility.h); it means something in the first page of a page
 * block only. `refs` is 0 but in a block with several holders.
 */
struct page {
	uint8_t type;			/* enum kmem_page_type */
	uint8_t order;			/* of the block this page heads */
	uint8_t zone;			/* index of the zone */
	union {
		kmem_slot_t nr_objects;	/* slab: how many it holds */
		uint8_t block_mobility;	/* of the page block that begins here:
					 * with KMEM_MOBILITY, the slab's are
					 * known by its order (slab_objects) */
	};
	union {
		kmem_slot_t inuse;	/* slab: objects that are not free */
		uint8_t mobility;	/* free block: of the list it is on;
					 * PAGE_HELD: as what it was given */
	};
	kmem_slot_t free;		/* slab: first free slot; of a full one,
					 * the list that it goes to next */
	uint16_t to_offset;		/* slab: an address plus this is, in 16
					 * bits, the offset in the slab */
	struct kmem_slabs *slabs;	/* slab: the owner; else NULL */
	union {
		kmem_slot_t *slot;	/* slab: states, one an object */
		uintptr_t refs;		/* PAGE_HELD: holders beyond the
					 * first; 0 in every other block */
	};
	struct kmem_list list;		/* free block, or slab of a node */
	uintptr_t pfn;			/* page frame number */
	kmem_slot_t inline_slot[KMEM_INLINE_SLOTS];
};

KMEM_STATIC_ASSERT(sizeof(void *) != 8 || KMEM_PAGE_SHIFT > 12 ||
		   sizeof(struct page) == 64, "a descriptor is one cache line");

/*
 * Where descriptors are found; set once by kmem_init().
 *
 * Most memory of most machines is one piece whose descriptors are one array:
 * the *main* range, found by arithmetic alone. The rest goes by the table.
 */
struct kmem_page_map {
	uintptr_t main_base;		/* address of its first page */
	uintptr_t main_nr;		/* pages in it */
	struct page *main_pages;	/* their descriptors */
	uintptr_t main_pfn;		/* frame number of the first */

	uintptr_t base;			/* address of the first section */
	uintptr_t nr_sections;
	struct page **section;		/* descriptors, NULL for a hole */
	uintptr_t page_mask;		/* pages in a section, minus one */
	unsigned section_shift;		/* log2 of the bytes of a section */
	uintptr_t first_pfn;		/* of the first section */
	uint64_t virt_offset;		/* virtual = physical + this */
};

KMEM_BEGIN_DECLS

/* The one that there is. */
extern struct kmem_page_map kmem_page_map;

/* By the table: the descriptor of the page that `offset` bytes above the first
 * section lies in, or NULL. Any value of offset is safe. */
struct page *kmem_page_at(uintptr_t offset);

/* virt_to_page(), not inline. */
struct page *kmem_page_of_virt(const void *addr);
/* pfn_to_page(), not inline. */
struct page *kmem_page_of_pfn(uintptr_t pfn);

/* The number of a page in the main range, if it is less than main_nr. */
KMEM_INLINE uintptr_t kmem_main_page(const void *addr)
{
	return ((uintptr_t)addr - kmem_page_map.main_base) >> KMEM_PAGE_SHIFT;
}

/**
 * virt_to_page - the descriptor of the page that an address lies in
 *
 * Context: any. Of a page that is not the caller's: it stays as long as nobody
 * calls kmem_remove_memory() for it.
 * Return: NULL if kmem has no descriptor for it (not memory that it manages).
 * Cost: O(1); for the main range no load that depends on the address.
 */
KMEM_INLINE struct page *virt_to_page(const void *addr)
{
	uintptr_t nr = kmem_main_page(addr);

	if (KMEM_SMALL_CODE)
		return kmem_page_of_virt(addr);
	if (KMEM_LIKELY(nr < kmem_page_map.main_nr))
		return kmem_page_map.main_pages + nr;
	return kmem_page_at((uintptr_t)addr - kmem_page_map.base);
}

/**
 * pfn_to_page - the descriptor of a page frame; NULL as for virt_to_page()
 */
KMEM_INLINE struct page *pfn_to_page(uintptr_t pfn)
{
	uintptr_t nr = pfn - kmem_page_map.main_pfn;

	if (!KMEM_SMALL_CODE && KMEM_LIKELY(nr < kmem_page_map.main_nr))
		return kmem_page_map.main_pages + nr;
	return kmem_page_of_pfn(pfn);
}

/** page_to_pfn - the frame number of a page. Context: any. Cost: one load. */
KMEM_INLINE uintptr_t page_to_pfn(const struct page *page)
{
	return page->pfn;
}

/** page_to_phys - the physical address of a page's first byte */
KMEM_INLINE kmem_phys_t page_to_phys(const struct page *page)
{
	return (kmem_phys_t)page->pfn << KMEM_PAGE_SHIFT;
}

/** phys_to_virt - the direct map's address of a physical address */
KMEM_INLINE void *phys_to_virt(kmem_phys_t phys)
{
	return (void *)(uintptr_t)(phys + kmem_page_map.virt_offset);
}

/** virt_to_phys - the physical address of an address in the direct map */
KMEM_INLINE kmem_phys_t virt_to_phys(const void *addr)
{
	uintptr_t offset = (uintptr_t)addr - kmem_page_map.base;

	return ((kmem_phys_t)kmem_page_map.first_pfn << KMEM_PAGE_SHIFT) +
	       offset;
}

/** page_to_virt - the direct map's address of a page's first byte */
KMEM_INLINE void *page_to_virt(const struct page *page)
{
	return phys_to_virt(page_to_phys(page));
}

/** page_address - Linux's other name for page_to_virt() */
KMEM_INLINE void *page_address(const struct page *page)
{
	return page_to_virt(page);
}

KMEM_END_DECLS

#endif /* KMEM_PAGE_H */
