//! The memory behind tensors: a pooled buffer that views share, with a borrow lock and a version counter.
//!
//! The lock makes data races impossible without costing what a system lock costs: readers and writers of one storage are almost
//! always on one thread, so taking it is one uncontended atomic instruction.

pub(crate) mod seen;

use cresset_kernels::buffer::{Buffer, Element};
use std::cell::UnsafeCell;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicI32, AtomicU32, Ordering};

/// Shared memory of one or more arrays.
pub struct Storage {
    buffer: UnsafeCell<Buffer>,
    bytes: usize,
    /// -1: being written; n > 0: read by n.
    lock: AtomicI32,
    /// How often the numbers were changed in place.
    version: AtomicU32,
    /// How often an in-place op under autograd gave the numbers a new history (see `Tensor::is_stale_view`).
    history: AtomicU32,
}

// SAFETY: `buffer` is reached only through `read` (shared) and `write` (exclusive), which `lock` keeps apart; a Buffer itself may
// move between and be read from any thread.
unsafe impl Send for Storage {}
// SAFETY: as above.
unsafe impl Sync for Storage {}

impl Storage {
    /// Takes a buffer over.
    pub fn new(buffer: Buffer) -> Storage {
        Storage {
            bytes: buffer.len(),
            buffer: UnsafeCell::new(buffer),
            lock: AtomicI32::new(0),
            version: AtomicU32::new(0),
            history: AtomicU32::new(0),
        }
    }

    /// Access for reading; waits while another thread writes.
    #[inline]
    pub fn read(&self) -> Reading<'_> {
        if self.lock.fetch_add(1, Ordering::Acquire) < 0 {
            self.wait_to_read();
        }
        Reading(self)
    }

    #[cold]
    fn wait_to_read(&self) {
        // A writer parks the counter far below zero; our +1 is taken back before we wait for it to leave.
        loop {
            self.lock.fetch_sub(1, Ordering::Relaxed);
            while self.lock.load(Ordering::Relaxed) < 0 {
                std::thread::yield_now();
            }
            if self.lock.fetch_add(1, Ordering::Acquire) >= 0 {
                return;
            }
        }
    }

    /// Access for writing; waits for all others. A thread must not ask for it while it holds a `Reading` of the same storage.
    #[inline]
    pub fn write(&self) -> Writing<'_> {
        while self.lock.compare_exchange(0, WRITER, Ordering::Acquire, Ordering::Relaxed).is_err() {
            std::thread::yield_now();
        }
        Writing(self)
    }

    /// [`read`](Storage::read) where nobody writes now; does not wait.
    #[inline]
    pub fn try_read(&self) -> Option<Reading<'_>> {
        if self.lock.fetch_add(1, Ordering::Acquire) < 0 {
            self.lock.fetch_sub(1, Ordering::Relaxed);
            return None;
        }
        Some(Reading(self))
    }

    /// [`write`](Storage::write) where nobody else reads or writes now; does not wait, so that several may be held at a time.
    #[inline]
    pub fn try_write(&self) -> Option<Writing<'_>> {
        self.lock.compare_exchange(0, WRITER, Ordering::Acquire, Ordering::Relaxed).is_ok().then(|| Writing(self))
    }

    /// The number of in-place changes so far.
    #[inline]
    pub fn version(&self) -> u32 {
        self.version.load(Ordering::Relaxed)
    }
    /// Counts an in-place change.
    #[inline]
    pub fn bump(&self) {
        self.version.fetch_add(1, Ordering::Relaxed);
    }
    #[inline]
    pub(crate) fn history(&self) -> u32 {
        self.history.load(Ordering::Relaxed)
    }
    pub(crate) fn new_history(&self) -> u32 {
        self.history.fetch_add(1, Ordering::Relaxed) + 1
    }
    /// Bytes.
    pub fn len(&self) -> usize {
        self.bytes
    }
    /// The memory itself.
    pub(crate) fn into_buffer(self) -> Buffer {
        self.buffer.into_inner()
    }
    /// Exchanges the whole memory for another of the same size: an in-place result without a copy.
    pub fn replace(&self, buffer: Buffer) {
        assert_eq!(buffer.len(), self.bytes, "a storage keeps its size");
        let old = std::mem::replace(&mut *self.write(), buffer);
        drop(old);
    }
    /// No bytes at all?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

const WRITER: i32 = i32::MIN / 2;

/// Read access to a storage.
pub struct Reading<'a>(&'a Storage);
impl Reading<'_> {
    /// The whole storage as numbers of one type.
    #[inline]
    pub fn slice<T: Element>(&self) -> &[T] {
        self.as_slice::<T>()
    }
}
impl Deref for Reading<'_> {
    type Target = Buffer;
    #[inline]
    fn deref(&self) -> &Buffer {
        // SAFETY: `lock` counts this reader, so no `Writing` exists until it is dropped.
        unsafe { &*self.0.buffer.get() }
    }
}
impl Drop for Reading<'_> {
    #[inline]
    fn drop(&mut self) {
        self.0.lock.fetch_sub(1, Ordering::Release);
    }
}

/// Write access to a storage.
pub struct Writing<'a>(&'a Storage);
impl Writing<'_> {
    /// The whole storage as numbers of one type.
    #[inline]
    pub fn slice<T: Element>(&mut self) -> &mut [T] {
        self.as_mut_slice::<T>()
    }
}
impl Deref for Writing<'_> {
    type Target = Buffer;
    #[inline]
    fn deref(&self) -> &Buffer {
        // SAFETY: `lock` is held exclusively.
        unsafe { &*self.0.buffer.get() }
    }
}
impl DerefMut for Writing<'_> {
    #[inline]
    fn deref_mut(&mut self) -> &mut Buffer {
        // SAFETY: `lock` is held exclusively, and `self` is borrowed mutably.
        unsafe { &mut *self.0.buffer.get() }
    }
}
impl Drop for Writing<'_> {
    #[inline]
    fn drop(&mut self) {
        self.0.lock.fetch_sub(WRITER, Ordering::Release);
    }
}
