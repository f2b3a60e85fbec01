//! Memory for numbers: 64-byte aligned blocks from a pool that takes them back, so that a training step allocates nothing once
//! it is warm.
//!
//! Blocks come in size classes, four to each power of two. Up to 1 MiB every thread has free lists of its own (no lock); larger
//! blocks, and what a thread has too many of, go to lists behind one mutex. Memory fresh from the system is zeroed, and a reused
//! block holds stale numbers, so a [`Buffer`] never shows uninitialised bytes.
//!
//! The pool keeps live and cached bytes together within one and a half times the highest live use of late (64 MiB at least);
//! beyond, it gives its blocks back to the system. "Of late" is measured in bytes handed out, so a peak is forgotten
//! after some steps of smaller work; [`release_cached`] forgets at once.

mod pool;

use std::any::Any;
use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::ptr::NonNull;
use std::sync::Arc;

use half::{bf16, f16};

pub use pool::{Stats, lap, release_cached, reset_peak, stats};

/// A type whose values are plain numbers.
///
/// # Safety
///
/// Every pattern of bits must be a valid value, the alignment at most [`ALIGN`], and there must be no padding.
pub unsafe trait Element: Copy + Send + Sync + 'static {
    /// Is it a floating-point type?
    const REAL: bool;
}

macro_rules! elements {
    ($real:literal: $($t:ty),*) => { $(
        // SAFETY: a number without invalid patterns or padding.
        unsafe impl Element for $t {
            const REAL: bool = $real;
        }
    )* };
}
elements!(true: f32, f64, f16, bf16);
elements!(false: i64, i32, i16, i8, u8);

/// The memory of some numbers.
pub fn bytes_of<T: Element>(numbers: &[T]) -> &[u8] {
    // SAFETY: numbers have no padding, and bytes no alignment.
    unsafe { std::slice::from_raw_parts(numbers.as_ptr().cast(), size_of_val(numbers)) }
}
/// The same, to be written.
pub fn bytes_of_mut<T: Element>(numbers: &mut [T]) -> &mut [u8] {
    // SAFETY: as above, and any bits are a number.
    unsafe { std::slice::from_raw_parts_mut(numbers.as_mut_ptr().cast(), size_of_val(numbers)) }
}
/// The numbers in some memory.
///
/// # Panics
/// If it is not aligned to them.
pub fn numbers_of<T: Element>(bytes: &[u8]) -> &[T] {
    assert!(bytes.as_ptr().cast::<T>().is_aligned(), "memory of numbers is aligned to their size");
    // SAFETY: aligned, as many as there are whole ones, and any bits are a number.
    unsafe { std::slice::from_raw_parts(bytes.as_ptr().cast(), bytes.len() / size_of::<T>()) }
}
/// The same, to be written.
///
/// # Panics
/// As [`numbers_of`].
pub fn numbers_of_mut<T: Element>(bytes: &mut [u8]) -> &mut [T] {
    assert!(bytes.as_ptr().cast::<T>().is_aligned(), "memory of numbers is aligned to their size");
    // SAFETY: as above, and all numbers are bytes.
    unsafe { std::slice::from_raw_parts_mut(bytes.as_mut_ptr().cast(), bytes.len() / size_of::<T>()) }
}

/// Alignment of every buffer, in bytes: a cache line and the widest vector.
pub const ALIGN: usize = 64;

/// The system has no memory left for a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfMemory {
    /// The size asked for.
    pub bytes: usize,
}

impl fmt::Display for OutOfMemory {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "not enough memory: you tried to allocate {} bytes", self.bytes)
    }
}

impl std::error::Error for OutOfMemory {}

/// A block of bytes from the pool, aligned to [`ALIGN`]; dropping it gives the block back. (Or, rarely, memory of somebody else:
/// [`Buffer::foreign`].)
///
/// ```
/// use cresset_kernels::buffer::Buffer;
/// let mut b = Buffer::zeroed(4 * 3);
/// b.as_mut_slice::<f32>()[1] = 2.5;
/// assert_eq!(b.as_slice::<f32>(), [0.0, 2.5, 0.0]);
/// ```
pub struct Buffer {
    ptr: NonNull<u8>,
    len: usize,
    /// What keeps the bytes alive, if they are not the pool's. (One word: a buffer is made for every result.)
    owner: Option<Arc<Owner>>,
}

/// Whatever keeps memory alive by living.
pub type Owner = Box<dyn Any + Send + Sync + UnwindSafe + RefUnwindSafe>;

// SAFETY: a buffer owns its bytes, and hands them out by the usual rules of borrowing.
unsafe impl Send for Buffer {}
// SAFETY: as above.
unsafe impl Sync for Buffer {}

impl Buffer {
    /// A buffer whose bytes are any (but initialised).
    ///
    /// # Panics
    ///
    /// If the system has no memory left.
    #[inline]
    #[track_caller]
    pub fn new(bytes: usize) -> Buffer {
        match Buffer::take(bytes) {
            Ok((buffer, _)) => buffer,
            Err(e) => refuse(e),
        }
    }

    /// [`Buffer::new`], or an error if the system has no memory left.
    pub fn try_new(bytes: usize) -> Result<Buffer, OutOfMemory> {
        Buffer::take(bytes).map(|(buffer, _)| buffer)
    }

    /// A buffer of zeros.
    ///
    /// # Panics
    ///
    /// If the system has no memory left.
    #[inline]
    #[track_caller]
    pub fn zeroed(bytes: usize) -> Buffer {
        match Buffer::take(bytes) {
            Ok((buffer, fresh)) => {
                if !fresh {
                    // SAFETY: the buffer owns `bytes` bytes.
                    unsafe { buffer.ptr.as_ptr().write_bytes(0, bytes) };
                }
                buffer
            }
            Err(e) => refuse(e),
        }
    }

    /// The buffer, and whether its bytes are all zero.
    #[inline]
    fn take(bytes: usize) -> Result<(Buffer, bool), OutOfMemory> {
        if bytes == 0 {
            // SAFETY: ALIGN is not zero.
            let ptr = unsafe { NonNull::new_unchecked(ALIGN as *mut u8) };
            return Ok((Buffer { ptr, len: 0, owner: None }, true));
        }
        if bytes > isize::MAX as usize / 2 {
            return Err(OutOfMemory { bytes });
        }
        let (ptr, fresh) = pool::take(bytes).ok_or(OutOfMemory { bytes })?;
        Ok((Buffer { ptr, len: bytes, owner: None }, fresh))
    }

    /// A buffer over memory that is not the pool's, such as a file that is mapped. It may be aligned to less than [`ALIGN`], and be looked at as
    /// numbers of no larger alignment. When the buffer is dropped, `owner` is.
    ///
    /// # Safety
    ///
    /// As long as `owner` lives, the `bytes` bytes from `ptr` on must be initialised, readable and writable, and nothing but this buffer may
    /// read or write them.
    pub unsafe fn foreign(ptr: NonNull<u8>, bytes: usize, owner: Arc<Owner>) -> Buffer {
        Buffer { ptr, len: bytes, owner: Some(owner) }
    }

    /// How many bytes it has.
    #[inline]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether it has no bytes.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Where the bytes are. Aligned to [`ALIGN`] if they are the pool's, never null.
    #[inline]
    pub fn as_ptr(&self) -> *const u8 {
        self.ptr.as_ptr()
    }

    /// Where the bytes are, for writing.
    #[inline]
    pub fn as_mut_ptr(&mut self) -> *mut u8 {
        self.ptr.as_ptr()
    }

    /// The bytes as numbers: as many as fit.
    ///
    /// # Panics
    ///
    /// If the memory is somebody else's and not aligned for the type.
    #[inline]
    pub fn as_slice<T: Element>(&self) -> &[T] {
        assert!(self.ptr.cast::<T>().is_aligned(), "a buffer is aligned for its numbers");
        // SAFETY: aligned (the pool aligns for every `Element`, and see above), initialised, and any bits are a valid `T`.
        unsafe { std::slice::from_raw_parts(self.ptr.as_ptr().cast(), self.len / size_of::<T>()) }
    }

    /// The bytes as numbers, for writing.
    ///
    /// # Panics
    ///
    /// As [`Buffer::as_slice`].
    #[inline]
    pub fn as_mut_slice<T: Element>(&mut self) -> &mut [T] {
        assert!(self.ptr.cast::<T>().is_aligned(), "a buffer is aligned for its numbers");
        // SAFETY: as in `as_slice`, and borrowed mutably.
        unsafe { std::slice::from_raw_parts_mut(self.ptr.as_ptr().cast(), self.len / size_of::<T>()) }
    }
}

impl Drop for Buffer {
    #[inline]
    fn drop(&mut self) {
        if self.len > 0 && self.owner.is_none() {
            pool::give(self.ptr, self.len);
        }
    }
}

impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "Buffer({} bytes)", self.len)
    }
}

#[cold]
#[track_caller]
fn refuse(e: OutOfMemory) -> ! {
    panic!("{e}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeroed_after_use_is_zero() {
        for bytes in [0, 1, 63, 64, 65, 1000, 1 << 18, 1 << 20, 5 << 20] {
            for _ in 0..3 {
                let mut b = Buffer::zeroed(bytes);
                assert_eq!(b.as_ptr() as usize % ALIGN, 0);
                assert!(b.as_slice::<u8>().iter().all(|&x| x == 0));
                b.as_mut_slice::<u8>().fill(7);
            }
        }
    }

    #[test]
    fn foreign_memory_is_used_and_let_go() {
        let owner: Arc<Owner> = Arc::new(Box::new(()));
        // Four bytes behind a multiple of eight: numbers of four bytes lie there, none of eight.
        let mut memory = vec![0u64; 3];
        // SAFETY: within the 24 bytes, which outlive the buffer and are not touched while it lives.
        let ptr = unsafe { NonNull::new(memory.as_mut_ptr().cast::<u8>().add(4)).unwrap() };
        // SAFETY: as above.
        let mut b = unsafe { Buffer::foreign(ptr, 16, owner.clone()) };
        let live = stats().live_bytes;
        b.as_mut_slice::<f32>().fill(1.5);
        assert_eq!(b.as_slice::<f32>(), [1.5; 4]);
        assert!(std::panic::catch_unwind(|| b.as_slice::<f64>().len()).is_err());
        assert_eq!(Arc::strong_count(&owner), 2);
        drop(b);
        assert_eq!((Arc::strong_count(&owner), stats().live_bytes), (1, live));
        assert_eq!(memory[2] >> 32, 0);
        assert_eq!(memory[1], 0x3fc0_0000_3fc0_0000);
    }

    #[test]
    fn a_dropped_block_comes_back() {
        for bytes in [100, 3 << 20] {
            let mut b = Buffer::new(bytes);
            b.as_mut_slice::<u8>()[bytes - 1] = 9;
            let at = b.as_ptr();
            drop(b);
            let b = Buffer::new(bytes);
            if b.as_ptr() == at {
                assert_eq!(b.as_slice::<u8>()[bytes - 1], 9);
            }
        }
    }

    #[test]
    fn threads_hand_blocks_on_and_counts_agree() {
        let made: Vec<Buffer> = std::thread::scope(|s| {
            let threads: Vec<_> = (1..5).map(|i| s.spawn(move || Buffer::zeroed(i * 100_000))).collect();
            threads.into_iter().map(|t| t.join().unwrap()).collect()
        });
        assert!(stats().peak_bytes >= made.iter().map(|b| b.len()).sum::<usize>());
    }

    /// The bound needs a process without other tests' buffers: it runs itself again.
    #[test]
    fn memory_falls_after_a_peak_and_a_loop_allocates_nothing() {
        const NAME: &str = "buffer::tests::memory_falls_after_a_peak_and_a_loop_allocates_nothing";
        if std::env::var_os("CRESSET_TEST_ALONE").is_none() {
            let me = std::env::current_exe().unwrap();
            let alone = std::process::Command::new(me).args([NAME, "--exact"]).env("CRESSET_TEST_ALONE", "1").status();
            return assert!(alone.unwrap().success());
        }
        let mib = 1 << 20;
        // Two hundred steps that hold 160 MiB at most: after the first, no address is new.
        let mut known = std::collections::HashSet::new();
        for step in 0..200 {
            let kept: Vec<Buffer> = (1..=8).flat_map(|i| [i, i, i, i]).map(|i| Buffer::new(i * mib)).collect();
            let new = kept.iter().filter(|b| known.insert(b.as_ptr() as usize)).count();
            assert!(step == 0 || new == 0, "step {step}: {new}");
        }
        assert!(stats().cached_bytes >= 100 * mib);
        assert_eq!(stats().live_bytes, 0);
        // Smaller work makes the pool forget the peak.
        for _ in 0..2000 {
            drop((Buffer::new(3 * mib), Buffer::new(2 * mib)));
        }
        assert!(stats().cached_bytes <= 64 * mib, "{:?}", stats());
        let small = Buffer::new(100);
        reset_peak();
        assert_eq!(stats().peak_bytes, 128);
        drop(small);
        release_cached();
        assert_eq!(stats(), Stats { live_bytes: 0, cached_bytes: 0, peak_bytes: 128 });
    }

    #[test]
    fn too_much_is_refused_with_the_size() {
        let e = Buffer::try_new(1 << 61).unwrap_err();
        assert_eq!(e.to_string(), format!("not enough memory: you tried to allocate {} bytes", 1usize << 61));
        assert!(Buffer::try_new(usize::MAX).is_err());
        let text = std::panic::catch_unwind(|| Buffer::new(1 << 60)).unwrap_err();
        assert!(text.downcast_ref::<String>().unwrap().contains("1152921504606846976 bytes"));
    }
}
