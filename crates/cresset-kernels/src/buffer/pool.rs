//! The free lists behind [`Buffer`](super::Buffer): per thread, shared, and the system.

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::cell::Cell;
use std::ptr::{NonNull, null_mut};
use std::sync::atomic::{AtomicIsize, AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard};

use super::ALIGN;

/// Blocks up to this size are kept per thread.
const SMALL: usize = 1 << 20;
/// From this size on a block starts a little after the address that the system gave, which is noted just before it.
/// (Zeroed memory of more than the system's own alignment would be cleared by hand, touching every page.)
const OFFSET: usize = 1 << 18;
/// From this size on huge pages are asked for, where Linux has them.
const HUGE: usize = 2 << 20;
/// Where a block of [`HUGE`] starts: on such a page. One that started elsewhere would have none of its own at 2 MiB, half of it at 4 (`cat` of 2 MiB
/// took 1.12 times as long). What lies before is never touched: of newly mapped memory it takes addresses only.
const HUGE_ALIGN: usize = if cfg!(target_os = "linux") { HUGE } else { ALIGN };
/// What one thread keeps at most.
const LOCAL_MOST: usize = 8 << 20;
/// The pool's bound is never below this.
const KEEP: usize = 64 << 20;

const CLASSES: usize = 4 * 58 + 1;
const SMALL_CLASSES: usize = class_of(SMALL) + 1;

/// The class of a block of `bytes` (> 0).
#[inline]
const fn class_of(bytes: usize) -> usize {
    if bytes <= ALIGN {
        return 0;
    }
    let last = ((bytes + ALIGN - 1) & !(ALIGN - 1)) - 1;
    let exponent = last.ilog2() as usize;
    (exponent - 6) * 4 + ((last >> (exponent - 2)) & 3) + 1
}

/// How many bytes a block of a class has: a multiple of [`ALIGN`] for every class that [`class_of`] gives.
#[inline]
const fn class_bytes(class: usize) -> usize {
    if class == 0 {
        return ALIGN;
    }
    let (exponent, step) = ((class - 1) / 4 + 6, (class - 1) % 4);
    (5 + step) << (exponent - 2)
}

/// A block for `bytes` (> 0), and whether it is all zero. `None` if the system has no memory left.
#[inline]
pub fn take(bytes: usize) -> Option<(NonNull<u8>, bool)> {
    let class = class_of(bytes);
    if class < SMALL_CLASSES
        && let Ok(Some(block)) = LOCAL.try_with(|local| local.take(class))
    {
        return Some((block, false));
    }
    take_global(class)
}

/// Gives back what `take(bytes)` gave.
#[inline]
pub fn give(block: NonNull<u8>, bytes: usize) {
    let class = class_of(bytes);
    if class < SMALL_CLASSES && LOCAL.try_with(|local| local.give(class, block)) == Ok(true) {
        return;
    }
    give_global(class, block, true);
}

/// A chain of free blocks: each holds the address of the next in its first bytes.
#[derive(Clone, Copy)]
struct Chain(*mut u8);

// SAFETY: a chain owns its blocks, which are plain memory.
unsafe impl Send for Chain {}

impl Chain {
    #[inline]
    fn push(&mut self, block: NonNull<u8>) {
        // SAFETY: a free block is ours, has 64 bytes or more, and is aligned.
        unsafe { block.cast::<*mut u8>().write(self.0) };
        self.0 = block.as_ptr();
    }

    #[inline]
    fn pop(&mut self) -> Option<NonNull<u8>> {
        let block = NonNull::new(self.0)?;
        // SAFETY: `push` wrote the next address there.
        self.0 = unsafe { block.cast::<*mut u8>().read() };
        Some(block)
    }
}

/// A thread's own free blocks, and what it has not yet added to the process's counters.
struct Local {
    chains: [Cell<Chain>; SMALL_CLASSES],
    held: Cell<usize>,
    live: Cell<isize>,
    live_peak: Cell<isize>,
    cached: Cell<isize>,
}

thread_local! {
    static LOCAL: Local = const { Local {
        chains: [const { Cell::new(Chain(null_mut())) }; SMALL_CLASSES],
        held: Cell::new(0),
        live: Cell::new(0),
        live_peak: Cell::new(0),
        cached: Cell::new(0),
    } };
}

impl Local {
    #[inline]
    fn take(&self, class: usize) -> Option<NonNull<u8>> {
        let mut chain = self.chains[class].get();
        let block = chain.pop()?;
        self.chains[class].set(chain);
        let bytes = class_bytes(class);
        self.held.set(self.held.get() - bytes);
        self.cached.set(self.cached.get() - bytes as isize);
        self.count_live(bytes as isize);
        Some(block)
    }

    #[inline]
    fn give(&self, class: usize, block: NonNull<u8>) -> bool {
        let bytes = class_bytes(class);
        if self.held.get() + bytes > LOCAL_MOST {
            return false;
        }
        let mut chain = self.chains[class].get();
        chain.push(block);
        self.chains[class].set(chain);
        self.held.set(self.held.get() + bytes);
        self.cached.set(self.cached.get() + bytes as isize);
        self.count_live(-(bytes as isize));
        true
    }

    #[inline]
    fn count_live(&self, bytes: isize) {
        let live = self.live.get() + bytes;
        self.live.set(live);
        if live > self.live_peak.get() {
            self.live_peak.set(live);
        }
        if live.unsigned_abs() > SMALL {
            self.settle();
        }
    }

    /// Adds this thread's counts to the process's.
    #[cold]
    fn settle(&self) {
        let live = LIVE.fetch_add(self.live.get(), Relaxed);
        let peak = (live + self.live_peak.get()).max(0) as usize;
        PEAK.fetch_max(peak, Relaxed);
        LAP.fetch_max(peak, Relaxed);
        CACHED.fetch_add(self.cached.get(), Relaxed);
        self.live.set(0);
        self.live_peak.set(0);
        self.cached.set(0);
    }

    /// Gives everything to the lists that all threads share.
    fn empty(&self) {
        for class in 0..SMALL_CLASSES {
            let mut chain = self.chains[class].replace(Chain(null_mut()));
            while let Some(block) = chain.pop() {
                self.held.set(self.held.get() - class_bytes(class));
                self.cached.set(self.cached.get() - class_bytes(class) as isize);
                give_global(class, block, false);
            }
        }
        self.settle();
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        self.empty();
    }
}

static LIVE: AtomicIsize = AtomicIsize::new(0);
static CACHED: AtomicIsize = AtomicIsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);
/// The most that lived since the last [`lap`].
static LAP: AtomicUsize = AtomicUsize::new(0);

/// The free blocks that all threads share.
struct Global {
    chains: [Chain; CLASSES],
    /// Bytes in `chains`.
    held: usize,
    /// Highest live bytes seen in this window and in the one before.
    peak: usize,
    peak_before: usize,
    /// Bytes handed out in this window.
    volume: usize,
}

static GLOBAL: Mutex<Global> =
    Mutex::new(Global { chains: [Chain(null_mut()); CLASSES], held: 0, peak: 0, peak_before: 0, volume: 0 });

fn global() -> MutexGuard<'static, Global> {
    GLOBAL.lock().unwrap_or_else(|e| e.into_inner())
}

fn settle() {
    let _ = LOCAL.try_with(Local::settle);
}

/// Counts in the thread's own numbers where there are any, so that they stay in order of time.
fn count(live: isize, cached: isize) {
    let counted = LOCAL.try_with(|local| {
        local.cached.set(local.cached.get() + cached);
        local.count_live(live);
    });
    if counted.is_err() {
        let now = LIVE.fetch_add(live, Relaxed) + live;
        PEAK.fetch_max(now.max(0) as usize, Relaxed);
        LAP.fetch_max(now.max(0) as usize, Relaxed);
        CACHED.fetch_add(cached, Relaxed);
    }
}

fn live_now() -> usize {
    let own = LOCAL.try_with(|local| local.live.get()).unwrap_or(0);
    (LIVE.load(Relaxed) + own).max(0) as usize
}

/// A block, from the shared lists or from the system, and whether it is all zero.
#[cold]
fn take_global(class: usize) -> Option<(NonNull<u8>, bool)> {
    let bytes = class_bytes(class);
    let mut g = global();
    if let Some(block) = g.chains[class].pop() {
        g.held -= bytes;
        g.note(bytes);
        drop(g);
        count(bytes as isize, -(bytes as isize));
        return Some((block, false));
    }
    drop(g);
    let block = system_take(bytes).or_else(|| {
        release_cached();
        system_take(bytes)
    })?;
    global().note(bytes);
    count(bytes as isize, 0);
    Some((block, true))
}

/// Puts a block that was `live` (or only moves between lists) into the shared lists, or gives it back to the system.
#[cold]
fn give_global(class: usize, block: NonNull<u8>, live: bool) {
    let bytes = class_bytes(class);
    if live {
        count(-(bytes as isize), 0);
    }
    let mut g = global();
    let recent = g.peak.max(g.peak_before);
    let bound = (recent + recent / 2).max(KEEP);
    if live_now() + g.held + bytes > bound {
        // What is kept does not fit what is used now: begin anew.
        g.release();
    }
    if live_now() + bytes > bound {
        drop(g);
        system_give(block, bytes);
        return;
    }
    g.chains[class].push(block);
    g.held += bytes;
    drop(g);
    count(0, bytes as isize);
}

impl Global {
    /// Notes that `bytes` are about to be handed out. A window ends after eight times its peak.
    fn note(&mut self, bytes: usize) {
        let live = live_now() + bytes;
        self.volume += bytes;
        self.peak = self.peak.max(live);
        if self.volume > 8 * self.peak.max(self.peak_before).max(KEEP) {
            (self.peak_before, self.peak, self.volume) = (self.peak, live, 0);
        }
    }

    fn release(&mut self) {
        let mut freed = 0;
        for class in 0..CLASSES {
            while let Some(block) = self.chains[class].pop() {
                system_give(block, class_bytes(class));
                freed += class_bytes(class);
            }
        }
        self.held -= freed;
        count(0, -(freed as isize));
    }
}

/// The system's layout for a block.
#[inline]
fn layout(bytes: usize) -> Option<Layout> {
    if bytes < OFFSET {
        Layout::from_size_align(bytes, ALIGN).ok()
    } else {
        Layout::from_size_align(bytes.checked_add(start_align(bytes))?, size_of::<usize>()).ok()
    }
}

/// To what the address of a block of [`OFFSET`] or more is aligned.
#[inline]
fn start_align(bytes: usize) -> usize {
    if bytes < HUGE { ALIGN } else { HUGE_ALIGN }
}

fn system_take(bytes: usize) -> Option<NonNull<u8>> {
    let layout = layout(bytes)?;
    // SAFETY: the size is not zero.
    let base = NonNull::new(unsafe { alloc_zeroed(layout) })?;
    if bytes < OFFSET {
        return Some(base);
    }
    // The first aligned address with room for a pointer before it: `base` is aligned to a pointer, so at most `align` further.
    let align = start_align(bytes);
    let skip = align - base.as_ptr() as usize % align;
    // SAFETY: `skip` is in 8..=align, and the allocation has `align` bytes more than `bytes`.
    let block = unsafe {
        let block = base.add(skip);
        block.cast::<*mut u8>().sub(1).write(base.as_ptr());
        block
    };
    if bytes >= HUGE {
        advise_huge(block, bytes);
    }
    Some(block)
}

fn system_give(block: NonNull<u8>, bytes: usize) {
    let layout = layout(bytes).expect("a block has a layout");
    // SAFETY: `system_take` made the block with this layout, and noted the base before it if it is a large one.
    unsafe {
        let base = if bytes < OFFSET { block.as_ptr() } else { block.cast::<*mut u8>().sub(1).read() };
        dealloc(base, layout);
    }
}

#[cfg(all(target_os = "linux", not(miri)))]
fn advise_huge(block: NonNull<u8>, bytes: usize) {
    unsafe extern "C" {
        fn madvise(address: *mut u8, length: usize, advice: i32) -> i32;
    }
    const MADV_HUGEPAGE: i32 = 14;
    const PAGE: usize = 1 << 16; // of any Linux
    let start = (block.as_ptr() as usize).next_multiple_of(PAGE);
    let end = (block.as_ptr() as usize + bytes) & !(PAGE - 1);
    // SAFETY: the range lies within the block; the advice changes no contents. A refusal does no harm.
    unsafe { madvise(start as *mut u8, end - start, MADV_HUGEPAGE) };
}

#[cfg(not(all(target_os = "linux", not(miri))))]
fn advise_huge(_block: NonNull<u8>, _bytes: usize) {}

/// What the pool holds, in bytes of whole blocks (a buffer's size rounded up to its class). Exact for the calling
/// thread; other threads' last MiB may not be counted yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stats {
    /// In buffers that live.
    pub live_bytes: usize,
    /// In blocks that wait for reuse.
    pub cached_bytes: usize,
    /// The most that lived at once since the start or [`reset_peak`].
    pub peak_bytes: usize,
}

/// The pool's figures.
pub fn stats() -> Stats {
    settle();
    Stats {
        live_bytes: LIVE.load(Relaxed).max(0) as usize,
        cached_bytes: CACHED.load(Relaxed).max(0) as usize,
        peak_bytes: PEAK.load(Relaxed),
    }
}

/// Lets [`Stats::peak_bytes`] begin again from what lives now.
pub fn reset_peak() {
    settle();
    PEAK.store(LIVE.load(Relaxed).max(0) as usize, Relaxed);
}

/// The bytes that live now, and the most that lived at once since the last call, in whole blocks: for a profile, which asks at the beginning and at
/// the end of everything. [`Stats::peak_bytes`] is another count.
pub fn lap() -> (usize, usize) {
    settle();
    let live = LIVE.load(Relaxed).max(0) as usize;
    (live, LAP.swap(live, Relaxed).max(live))
}

/// Gives the free blocks back to the system: the shared ones and the calling thread's own.
pub fn release_cached() {
    let _ = LOCAL.try_with(Local::empty);
    let mut g = global();
    g.release();
    (g.peak, g.peak_before, g.volume) = (live_now(), 0, 0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_hold_what_they_are_for() {
        for bytes in (1..5000).chain([SMALL - 1, SMALL, SMALL + 1, 3 << 30, isize::MAX as usize / 2]) {
            let class = class_of(bytes);
            assert!(class < CLASSES);
            assert!(class_bytes(class) >= bytes && class_bytes(class).is_multiple_of(ALIGN), "{bytes}");
            assert!(class_bytes(class) <= (bytes + bytes / 4 + 64).next_multiple_of(64));
            assert_eq!(class_of(class_bytes(class)), class);
        }
    }

    #[test]
    fn blocks_start_where_their_size_wants_it() {
        for bytes in [1, 100, OFFSET - ALIGN, OFFSET, SMALL, HUGE - ALIGN, HUGE, HUGE + ALIGN, 5 * HUGE] {
            let block = system_take(bytes).unwrap();
            let align = if bytes >= HUGE { HUGE_ALIGN } else { ALIGN };
            assert!((block.as_ptr() as usize).is_multiple_of(align), "{bytes} bytes at {block:?}");
            // SAFETY: the block has these bytes; the first and the last are written and read.
            unsafe {
                let last = block.add(bytes - 1);
                assert!(block.read() == 0 && last.read() == 0, "{bytes} bytes are zero");
                block.write(1);
                last.write(2);
            }
            system_give(block, bytes);
        }
    }
}
