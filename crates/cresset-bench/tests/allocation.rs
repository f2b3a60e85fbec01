//! A warm step of training takes no memory from the system: tensors' buffers come from the library's pool.

use cresset::set_num_threads;
use cresset_bench::{Setup, find};
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// The alignment that only tensors' buffers ask for.
const ALIGN: usize = 64;
/// A block of this size counts as a buffer whatever its alignment. Nodes of the graph are below, with 1.5 KiB at most, and
/// lists of a batch norm's channels.
const LARGE: usize = 8192;

/// The system's allocator, counting what it is asked for.
struct Counting {
    large: AtomicUsize,
    small: AtomicUsize,
    small_bytes: AtomicUsize,
}

impl Counting {
    fn count(&self, bytes: usize, align: usize) {
        if bytes >= LARGE || align >= ALIGN {
            self.large.fetch_add(1, Relaxed);
        } else {
            self.small.fetch_add(1, Relaxed);
            self.small_bytes.fetch_add(bytes, Relaxed);
        }
    }
    fn counts(&self) -> [usize; 3] {
        [&self.large, &self.small, &self.small_bytes].map(|c| c.load(Relaxed))
    }
}

// SAFETY: everything is passed on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.count(layout.size(), layout.align());
        // SAFETY: the caller's promises are those that `System` asks for.
        unsafe { System.alloc(layout) }
    }
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        self.count(layout.size(), layout.align());
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        self.count(size, layout.align());
        // SAFETY: as above.
        unsafe { System.realloc(block, layout, size) }
    }
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting =
    Counting { large: AtomicUsize::new(0), small: AtomicUsize::new(0), small_bytes: AtomicUsize::new(0) };

/// Buffers and other large blocks, small blocks and the bytes of the small ones that a number of warm steps take.
///
/// Which thread does which piece is not known beforehand, so a thread may come to a kind of piece, and need its first buffer of a size, after any number of steps. What
/// every step takes is taken in every round of them, so of a few rounds the first without a large block counts.
fn taken(name: &str, threads: usize, warm: usize, steps: usize) -> [usize; 3] {
    set_num_threads(threads);
    let mut step = find(name).expect("the workload exists").prepare(&Setup::default()).expect("it needs nothing");
    for _ in 0..warm {
        step();
    }
    let mut round = || {
        let before = ALLOCATOR.counts();
        for _ in 0..steps {
            step();
        }
        let after = ALLOCATOR.counts();
        std::array::from_fn(|i| after[i] - before[i])
    };
    let mut counts: [usize; 3] = round();
    for _ in 0..if threads > 1 { 5 } else { 0 } {
        if counts[0] > 0 {
            counts = round();
        }
    }
    counts
}

#[test]
fn a_warm_step_takes_no_memory_from_the_system() {
    let workloads = [
        ("tiny_train", 50),
        ("example_train", 50),
        ("classifier_train_32", 10),
        ("resnet_train_16", 5),
        ("checkpoint_train", 2),
    ];
    for (name, steps) in workloads {
        for threads in [1, 2] {
            let [large, small, small_bytes] = taken(name, threads, 10, steps);
            println!(
                "{name}, {threads} threads: {large} large blocks in {steps} steps; small blocks for each step: {:.1}, {:.0} bytes",
                small as f64 / steps as f64,
                small_bytes as f64 / steps as f64
            );
            assert_eq!(large, 0, "{name} with {threads} threads took large blocks from the system");
        }
    }
}

#[test]
fn the_counter_counts() {
    let [before, ..] = ALLOCATOR.counts();
    drop(std::hint::black_box(vec![1u8; LARGE]));
    let [after, ..] = ALLOCATOR.counts();
    assert!(after > before);
}
