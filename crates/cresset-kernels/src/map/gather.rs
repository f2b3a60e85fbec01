//! Bringing elements into the blocks of a walk, and out of them.

use crate::level::{Kernel, Simd, dispatch};

/// Rows of elements in memory. Side by side they make one run of `count * len`.
#[derive(Clone, Copy)]
pub(super) struct Rows {
    pub count: usize,
    /// Elements from the start of a row to the next.
    pub apart: usize,
    pub len: usize,
    /// Elements from one to the next in a row.
    pub step: usize,
}

impl Rows {
    /// One row.
    pub fn one(len: usize, step: usize) -> Rows {
        Rows { count: 1, apart: 0, len, step }
    }
    /// How many elements there are.
    pub fn total(&self) -> usize {
        self.count * self.len
    }
    /// Do they lie side by side already?
    pub fn is_run(&self) -> bool {
        self.step == 1 && (self.count == 1 || self.apart == self.len)
    }
    /// If all is one element or one row of neighbours, again and again: how many elements that is.
    pub fn period(&self) -> Option<usize> {
        match (self.step, self.apart) {
            (0, 0) => Some(1),
            (0, _) if self.count == 1 => Some(1),
            (1, 0) => Some(self.len),
            _ => None,
        }
    }
}

/// Elements written at a time where one is spread over a row.
const WIDE: usize = 8;
/// Elements that [`gather`] may write beyond the last.
pub(super) const BEYOND: usize = WIDE - 1;

/// Copies elements to contiguous memory.
///
/// # Safety
/// All of them must be readable, and `dst`, elsewhere, writable with [`BEYOND`] more; elements are aligned to their size.
pub(super) unsafe fn gather(src: *const u8, rows: &Rows, dst: *mut u8, size: usize) {
    // SAFETY: the caller's promise.
    unsafe {
        match rows.period() {
            _ if rows.is_run() => return std::ptr::copy_nonoverlapping(src, dst, rows.total() * size),
            Some(n) if n > 1 => {
                std::ptr::copy_nonoverlapping(src, dst, n * size);
                return repeat(dst, n, rows.total(), size);
            }
            _ => {}
        }
        match size {
            1 => dispatch(Gather { src, dst, rows }),
            2 => dispatch(Gather { src: src.cast::<u16>(), dst: dst.cast(), rows }),
            4 => dispatch(Gather { src: src.cast::<u32>(), dst: dst.cast(), rows }),
            _ => dispatch(Gather { src: src.cast::<u64>(), dst: dst.cast(), rows }),
        }
    }
}

struct Gather<'a, T> {
    src: *const T,
    dst: *mut T,
    rows: &'a Rows,
}

impl<T: Copy> Kernel for Gather<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self) {
        let Rows { count, apart, len, step } = *self.rows;
        for r in 0..count {
            // SAFETY: as `gather` demands.
            unsafe {
                let (src, dst) = (self.src.add(r * apart), self.dst.add(r * len));
                match step {
                    // What a row writes too much is written again by the next.
                    0 => {
                        let x = src.read();
                        for i in (0..len).step_by(WIDE) {
                            dst.add(i).cast::<[T; WIDE]>().write_unaligned([x; WIDE]);
                        }
                    }
                    1 if len >= WIDE => {
                        let copy = |i: usize| {
                            dst.add(i)
                                .cast::<[T; WIDE]>()
                                .write_unaligned(src.add(i).cast::<[T; WIDE]>().read_unaligned())
                        };
                        for i in (0..len - WIDE).step_by(WIDE) {
                            copy(i);
                        }
                        copy(len - WIDE);
                    }
                    _ => {
                        for i in 0..len {
                            dst.add(i).write(src.add(i * step).read());
                        }
                    }
                }
            }
        }
    }
}

/// Copies `n` contiguous elements to places `step` apart.
///
/// # Safety
/// All of them must be readable and writable, and apart; elements are aligned to their size.
pub(super) unsafe fn scatter(src: *const u8, dst: *mut u8, step: usize, n: usize, size: usize) {
    #[inline(always)]
    unsafe fn run<T: Copy>(src: *const T, dst: *mut T, step: usize, n: usize) {
        // SAFETY: the caller's promise.
        unsafe {
            match step {
                1 => std::ptr::copy_nonoverlapping(src, dst, n),
                _ => (0..n).for_each(|i| dst.add(i * step).write(src.add(i).read())),
            }
        }
    }
    // SAFETY: the caller's promise.
    unsafe {
        match size {
            1 => run(src, dst, step, n),
            2 => run(src.cast::<u16>(), dst.cast(), step, n),
            4 => run(src.cast::<u32>(), dst.cast(), step, n),
            _ => run(src.cast::<u64>(), dst.cast(), step, n),
        }
    }
}

/// Repeats the first `n` elements until there are `fill`.
///
/// # Safety
/// `fill` elements must be writable, and [`BEYOND`] more.
pub(super) unsafe fn repeat(dst: *mut u8, n: usize, fill: usize, size: usize) {
    // SAFETY: the copies stay below `fill`, and source and destination do not overlap.
    unsafe {
        if n == 1 {
            // The first element is read before anything is written.
            return if fill > 1 {
                gather(dst, &Rows::one(fill - 1, 0), dst.add(size), size)
            };
        }
        let mut have = n;
        while have < fill {
            let more = have.min(fill - have);
            std::ptr::copy_nonoverlapping(dst, dst.add(have * size), more * size);
            have += more;
        }
    }
}
