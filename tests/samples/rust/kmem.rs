// SPDX-License-Identifier: MIT
//
// kmem.rs - Rust's heap on kmem: copy this file into a kernel and write
//
//	#[global_allocator]
//	static HEAP: kmem::Kmem = kmem::Kmem;
//
// Then Box, Vec, String, BTreeMap, Arc … of `alloc` are kmem's. It names
// nothing but `core`. A Layout is served by kmalloc(): a power of two is
// aligned to itself, so an alignment beyond that of any block is had by a size
// rounded up. An alignment beyond a page is refused (null), and so is memory
// that there is not: what then happens is alloc's handle_alloc_error(), or an
// error to whoever used try_reserve().
//

use core::alloc::{GlobalAlloc, Layout};
use core::ffi::c_void;

// The library's names, without KMEM_PREFIX_NAMES. The three constants are the
// program's to define, in C, as flags are kmem's business and not Rust's:
//	const unsigned kmem_gfp_kernel = GFP_KERNEL;
//	const unsigned kmem_gfp_zero = __GFP_ZERO;
//	const size_t kmem_page_size = KMEM_PAGE_SIZE;
extern "C" {
    fn __kmalloc(size: usize, gfp: u32) -> *mut c_void;
    fn krealloc(p: *const c_void, size: usize, gfp: u32) -> *mut c_void;
    fn kfree(p: *const c_void);
    static kmem_gfp_kernel: u32;
    static kmem_gfp_zero: u32;
    static kmem_page_size: usize;
}

/// What kmalloc() aligns every size to: two pointers.
const ALIGNED: usize = 2 * core::mem::size_of::<usize>();

/// The size to ask kmalloc() for, or 0 if the alignment can't be had.
fn bytes(size: usize, align: usize) -> usize {
    if align <= ALIGNED {
        size
    } else if align > unsafe { kmem_page_size } {
        0
    } else {
        let size = if size < align { align } else { size };
        size.checked_next_power_of_two().unwrap_or(0)
    }
}

pub struct Kmem;

impl Kmem {
    unsafe fn get(layout: Layout, gfp: u32) -> *mut u8 {
        match bytes(layout.size(), layout.align()) {
            0 => core::ptr::null_mut(),
            n => __kmalloc(n, gfp) as *mut u8,
        }
    }
}

unsafe impl GlobalAlloc for Kmem {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        Kmem::get(layout, kmem_gfp_kernel)
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        Kmem::get(layout, kmem_gfp_kernel | kmem_gfp_zero)
    }

    unsafe fn dealloc(&self, p: *mut u8, _: Layout) {
        kfree(p as *const c_void)
    }

    // Grows in place where the size class allows it.
    unsafe fn realloc(&self, p: *mut u8, old: Layout, size: usize) -> *mut u8 {
        match bytes(size, old.align()) {
            0 => core::ptr::null_mut(),
            n => krealloc(p as *const c_void, n, kmem_gfp_kernel) as *mut u8,
        }
    }
}
