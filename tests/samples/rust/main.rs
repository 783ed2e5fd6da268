// SPDX-License-Identifier: MIT
//
// main.rs - a Rust program whose heap is kmem: Box, Vec, String, BTreeMap, Arc,
// wide alignments, growth, failure. machine.c says whether all was given back.
mod kmem;

use std::collections::BTreeMap;
use std::sync::Arc;

#[global_allocator]
static HEAP: kmem::Kmem = kmem::Kmem;

extern "C" {
    fn machine_mark();
    fn machine_grown() -> usize;
    fn machine_check() -> usize;
}

#[repr(align(256))]
struct Wide([u8; 300]);

fn address<T>(p: &T) -> usize {
    p as *const T as usize
}

fn boxes() {
    let all: Vec<Box<Wide>> = (0..20).map(|i| Box::new(Wide([i; 300]))).collect();

    for (i, b) in all.iter().enumerate() {
        assert_eq!(address(&**b) % 256, 0);
        assert!(b.0.iter().all(|&x| x as usize == i));
    }
}

fn growth() {
    let mut v: Vec<u64> = Vec::new();
    let mut text = String::new();
    let mut wide: Vec<Wide> = Vec::new();

    for i in 0..100_000 {
        v.push(i);
    }
    assert_eq!(v.iter().sum::<u64>(), 99_999 * 50_000);
    for _ in 0..1000 {
        text.push_str("kmem");
    }
    assert_eq!(text.len(), 4000);
    for i in 0..50 {
        wide.push(Wide([i; 300]));
        assert_eq!(address(&wide[0]) % 256, 0);
    }
    assert!(wide.iter().enumerate().all(|(i, w)| w.0[299] as usize == i));
    v.truncate(10);
    v.shrink_to_fit();
    assert_eq!(v, (0..10).collect::<Vec<u64>>());
    assert!(vec![0u8; 100_000].iter().all(|&b| b == 0));
}

fn maps() {
    let mut map: BTreeMap<String, Arc<Vec<usize>>> = BTreeMap::new();

    for i in 0..1000 {
        map.insert(format!("key {}", i * 7919 % 1000), Arc::new(vec![i; i % 50]));
    }
    assert_eq!(map.len(), 1000);
    let kept = map.get("key 7").cloned();
    map.clear();
    assert!(kept.is_some());
}

fn failures() {
    let mut v: Vec<u8> = Vec::new();

    assert!(v.try_reserve(1 << 40).is_err());
    v.push(1);
    assert!(v.try_reserve(1 << 40).is_err());
    assert_eq!(v, [1]);
}

#[no_mangle]
pub extern "C" fn rust_main() {
    unsafe { machine_mark() };
    boxes();
    growth();
    maps();
    failures();
    let held = Box::new([1u8; 1000]);
    unsafe {
        assert_eq!(machine_grown(), 1);
        drop(held);
        assert_eq!(machine_grown(), 0);
        assert_eq!(machine_check(), 0);
    }
}
