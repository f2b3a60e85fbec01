//! The one loop over several tensors in step, blind to what is computed and to the element types.
//!
//! Whatever lies contiguous is handed to the block function where it stands; everything else (strides, broadcast rows and
//! scalars, half-precision numbers) is first brought into blocks of [`BLOCK`] elements on the stack, in the first-level cache.
//! So the text of an operation is compiled for contiguous blocks only, once for each level and computing type.

use super::gather::{BEYOND, Rows, gather, repeat, scatter};
use crate::strided::{Plan, is_contiguous};
use crate::threads;
use std::cell::UnsafeCell;
use std::mem::MaybeUninit;
use std::ops::Range;

/// The most inputs.
pub(super) const INPUTS: usize = 5;
/// Elements in a block.
const BLOCK: usize = 1024;
/// Elements in a thread's piece.
pub(super) const GRAIN: usize = 32 * 1024;
/// Rows at least this long are worked on where they stand; shorter ones are gathered into blocks.
const LONG_ROW: usize = 128;

/// Converts `n` contiguous elements.
pub(super) type Convert = unsafe fn(src: *const u8, dst: *mut u8, n: usize);

/// A tensor, untyped.
#[derive(Clone, Copy)]
pub(super) struct Operand<'a> {
    /// Its first element. For an input only read.
    pub ptr: *mut u8,
    pub strides: &'a [usize],
    /// Bytes of an element in memory.
    pub size: usize,
    /// Bytes of an element in a block.
    pub wide: usize,
    /// From memory to block for an input, from block to memory for the output; none where they are the same.
    pub convert: Option<Convert>,
}

/// Computes `n` elements: the inputs' first elements, the output's first, n.
pub(super) type Block<'a> = &'a (dyn Fn(&[*const u8; INPUTS], *mut u8, usize) + Sync);

/// How an operand is brought to the block function.
#[derive(Clone, Copy, PartialEq)]
enum Mode {
    /// In memory in the order of the walk.
    Linear,
    /// One element for all.
    Scalar,
    /// One short row, the same for every outer index.
    Repeat,
    /// Anything else.
    Rows,
}

struct Job<'a> {
    out: Operand<'a>,
    ins: &'a [Operand<'a>],
    block: Block<'a>,
    plan: Option<Plan>,
    /// Of the output, then of the inputs.
    modes: [Mode; INPUTS + 1],
    /// The output may not be written before the whole block is computed, because an input is the same memory.
    in_place: bool,
}

// SAFETY: the pieces of a job write disjoint parts of the output (`drive` demands that no two of its elements share an address)
// and only read the inputs.
unsafe impl Sync for Job<'_> {}

/// Runs `block` over all elements.
///
/// # Safety
/// Every operand must be valid for all elements of `shape` under its strides; no two elements of the output may share an
/// address; an input may be the very same elements as the output, but may not overlap it otherwise. `block` must not touch
/// anything but the elements it is given.
pub(super) unsafe fn drive(shape: &[usize], out: Operand, ins: &[Operand], block: Block) {
    let n: usize = shape.iter().product();
    if n == 0 {
        return;
    }
    let mut modes = [Mode::Linear; INPUTS + 1];
    let mut flat = true;
    let mut direct = out.convert.is_none();
    let mut in_place = false;
    for (k, o) in std::iter::once(&out).chain(ins).enumerate() {
        if is_contiguous(shape, o.strides) {
            direct &= o.convert.is_none();
        } else if shape.iter().zip(o.strides).all(|(n, s)| *n == 1 || *s == 0) {
            modes[k] = Mode::Scalar;
            direct = false;
        } else {
            flat = false;
        }
        in_place |= k > 0 && o.ptr == out.ptr;
    }
    if flat && direct && !in_place {
        let job = Job { out, ins, block, plan: None, modes, in_place };
        return threads::run_ranges(n, GRAIN, &|r| job.direct(r));
    }
    let plan = if flat { None } else { Some(plan(shape, &out, ins)) };
    let mut grain = GRAIN;
    if let Some(p) = &plan {
        grain = choose_modes(p, &mut modes[..=ins.len()]);
    }
    let job = Job { out, ins, block, plan, modes, in_place };
    threads::run_ranges(n, grain, &|r| job.piece(r));
}

#[inline(never)]
fn plan(shape: &[usize], out: &Operand, ins: &[Operand]) -> Plan {
    let mut strides: [&[usize]; INPUTS + 1] = [out.strides; INPUTS + 1];
    for (k, o) in ins.iter().enumerate() {
        strides[k + 1] = o.strides;
    }
    Plan::new(shape, &strides[..=ins.len()])
}

/// The mode of each operand and the grain, which is a whole number of rows but where they are long.
fn choose_modes(p: &Plan, modes: &mut [Mode]) -> usize {
    for (k, m) in modes.iter_mut().enumerate() {
        *m = if p.is_linear(k) {
            Mode::Linear
        } else if p.is_scalar(k) {
            Mode::Scalar
        } else if p.is_repeated_row(k) && p.row() <= BLOCK / 2 {
            Mode::Repeat
        } else {
            Mode::Rows
        };
    }
    if modes.contains(&Mode::Rows) {
        modes.iter_mut().filter(|m| **m == Mode::Repeat).for_each(|m| *m = Mode::Rows);
    }
    if p.row() <= GRAIN / 8 { GRAIN / p.row() * p.row() } else { GRAIN }
}

/// A block and what [`gather`] may write beyond it, such that the next is aligned to a cache line.
type Buffer = MaybeUninit<[u64; (BLOCK + BEYOND).next_multiple_of(8)]>;

/// Room on the stack for each operand's block, and one for half-converted elements.
#[repr(align(64))]
struct Buffers([UnsafeCell<Buffer>; INPUTS + 2]);

impl Buffers {
    /// A block. Several pointers are in use at a time, so none comes from an exclusive reference to all.
    fn of(&self, k: usize) -> *mut u8 {
        self.0[k].get().cast()
    }
    fn staging(&self) -> *mut u8 {
        self.of(INPUTS + 1)
    }
}

impl Job<'_> {
    /// Everything contiguous and in the computing type.
    #[inline]
    fn direct(&self, r: Range<usize>) {
        let mut ptrs = [std::ptr::null(); INPUTS];
        for (p, o) in ptrs.iter_mut().zip(self.ins) {
            *p = o.ptr.cast_const().wrapping_add(r.start * o.size);
        }
        (self.block)(&ptrs, self.out.ptr.wrapping_add(r.start * self.out.size), r.len());
    }

    #[inline(never)]
    fn piece(&self, r: Range<usize>) {
        let b = &Buffers([const { UnsafeCell::new(MaybeUninit::uninit()) }; INPUTS + 2]);
        // Spreading a scalar over a block is work, too: short tensors get short blocks.
        let block = if r.len() <= 2 * BLOCK { BLOCK / 4 } else { BLOCK };
        let row = self.plan.as_ref().map_or(usize::MAX, Plan::row);
        let repeats = self.modes.contains(&Mode::Repeat);
        let rows = self.modes[..=self.ins.len()].contains(&Mode::Rows);
        // Whole rows, where rows matter and are not worked on where they stand.
        let whole = repeats || rows && row < LONG_ROW;
        let size = if whole { (block / row).max(1) * row } else { block };
        let most = r.len().min(size);
        debug_assert!(!whole || r.start.is_multiple_of(row) && r.len().is_multiple_of(row));
        for (k, o) in self.ins.iter().enumerate() {
            let rows = match self.modes[k + 1] {
                Mode::Scalar => Rows::one(most, 0),
                Mode::Repeat => Rows { count: most / row, apart: 0, len: row, step: 1 },
                _ => continue,
            };
            // SAFETY: the operand has one element, or one row of at most BLOCK / 2; `most` is at most BLOCK.
            unsafe { self.load(k, o.ptr, &rows, b, 0) };
        }
        let scalars = self.modes[1..=self.ins.len()].contains(&Mode::Scalar);
        let plain = !self.in_place && !scalars && self.ins.iter().chain([&self.out]).all(|o| o.convert.is_none());
        match &self.plan {
            Some(plan) if rows && row >= LONG_ROW && plain && plan.has_plain_rows() => self.plain_rows(plan, r),
            Some(plan) if rows && row >= LONG_ROW => plan.walk(r.clone(), |at, len, step| {
                let mut done = 0;
                while done < len {
                    let n = size.min(len - done);
                    self.row(at, step, done, n, b);
                    done += n;
                }
            }),
            _ => {
                let mut start = r.start;
                while start < r.end {
                    let n = size.min(r.end - start);
                    self.gathered(start, n, rows, b);
                    start += n;
                }
            }
        }
    }

    /// Brings elements of input k to place `to` of its block, in the computing type.
    ///
    /// # Safety
    /// The elements must exist and there be room for them: at most BLOCK in all.
    unsafe fn load(&self, k: usize, src: *const u8, rows: &Rows, b: &Buffers, to: usize) {
        let o = &self.ins[k];
        let dst = b.of(k).wrapping_add(to * o.wide);
        // SAFETY: the caller vouches for the elements; a block holds BLOCK elements of 8 bytes, and a few more.
        unsafe {
            match (o.convert, rows.period()) {
                (None, _) => gather(src, rows, dst, o.size),
                (Some(convert), _) if rows.is_run() => convert(src, dst, rows.total()),
                (Some(convert), Some(n)) => {
                    convert(src, dst, n);
                    repeat(dst, n, rows.total(), o.wide);
                }
                (Some(convert), None) => {
                    gather(src, rows, b.staging(), o.size);
                    convert(b.staging(), dst, rows.total());
                }
            }
        }
    }

    /// Brings `n` computed elements to the output.
    ///
    /// # Safety
    /// The elements must exist and `n` be at most BLOCK.
    unsafe fn store(&self, src: *const u8, dst: *mut u8, step: usize, n: usize, b: &Buffers) {
        let o = &self.out;
        // SAFETY: the caller vouches for the elements; the staging block holds BLOCK elements of 8 bytes.
        unsafe {
            match o.convert {
                None => scatter(src, dst, step, n, o.size),
                Some(convert) if step == 1 => convert(src, dst, n),
                Some(convert) => {
                    let staging = b.staging();
                    convert(src, staging, n);
                    scatter(staging, dst, step, n, o.size);
                }
            }
        }
    }

    /// Rows of which every operand is in memory as the block function wants it. Apart from [`Job::piece`], whose registers are all taken: a row of
    /// 1000 noticed it (1.08).
    #[inline(never)]
    fn plain_rows(&self, plan: &Plan, r: Range<usize>) {
        plan.walk(r, |at, len, _| {
            let mut ptrs = [std::ptr::null(); INPUTS];
            for ((p, o), at) in ptrs.iter_mut().zip(self.ins).zip(&at[1..]) {
                *p = o.ptr.cast_const().wrapping_add(at * o.size);
            }
            (self.block)(&ptrs, self.out.ptr.wrapping_add(at[0] * self.out.size), len);
        });
    }

    /// `n` elements from place `done` of a row, worked on where they stand as far as possible.
    fn row(&self, at: &[usize], step: &[usize], done: usize, n: usize, b: &Buffers) {
        let mut ptrs = [std::ptr::null(); INPUTS];
        for (k, o) in self.ins.iter().enumerate() {
            let (at, step) = (at[k + 1], step[k + 1]);
            let src = o.ptr.wrapping_add((at + done * step) * o.size);
            ptrs[k] = if self.modes[k + 1] == Mode::Scalar {
                b.of(k)
            } else if step == 1 && o.convert.is_none() {
                src
            } else {
                // SAFETY: `walk` stays inside the shape; n is at most BLOCK.
                unsafe { self.load(k, src, &Rows::one(n, step), b, 0) };
                b.of(k)
            };
        }
        let dst = self.out.ptr.wrapping_add((at[0] + done * step[0]) * self.out.size);
        if step[0] == 1 && self.out.convert.is_none() && !self.in_place {
            return (self.block)(&ptrs, dst, n);
        }
        let result = b.of(INPUTS);
        (self.block)(&ptrs, result, n);
        // SAFETY: as above.
        unsafe { self.store(result, dst, step[0], n, b) };
    }

    /// Elements `start .. start + n` of the walk in one block: whole rows, if rows matter.
    fn gathered(&self, start: usize, n: usize, rows: bool, b: &Buffers) {
        let walk = self.plan.as_ref().filter(|_| rows);
        if let Some(plan) = walk {
            let mut to = 0;
            let len = plan.row();
            plan.walk_rows(start / len..(start + n) / len, |at, count| {
                for (k, o) in self.ins.iter().enumerate() {
                    if self.modes[k + 1] == Mode::Rows {
                        let src = o.ptr.wrapping_add(at[k + 1] * o.size);
                        let rows = Rows { count, apart: plan.stride(1, k + 1), len, step: plan.stride(0, k + 1) };
                        // SAFETY: the walk stays inside the shape, and the lengths add up to n, at most BLOCK.
                        unsafe { self.load(k, src, &rows, b, to) };
                    }
                }
                to += count * len;
            });
        }
        let mut ptrs = [std::ptr::null(); INPUTS];
        for (k, o) in self.ins.iter().enumerate() {
            ptrs[k] = b.of(k);
            if self.modes[k + 1] == Mode::Linear {
                let src = o.ptr.wrapping_add(start * o.size);
                match o.convert {
                    None => ptrs[k] = src,
                    // SAFETY: the operand has elements start .. start + n, and n is at most BLOCK.
                    Some(convert) => unsafe { convert(src, b.of(k), n) },
                }
            }
        }
        let linear = self.modes[0] == Mode::Linear;
        let dst = self.out.ptr.wrapping_add(start * self.out.size);
        if linear && self.out.convert.is_none() && !self.in_place {
            return (self.block)(&ptrs, dst, n);
        }
        let result = b.of(INPUTS);
        (self.block)(&ptrs, result, n);
        // SAFETY: the output has these elements, as `walk` stays inside the shape.
        unsafe {
            match walk {
                Some(plan) if !linear => {
                    let mut from = 0;
                    plan.walk(start..start + n, |at, len, step| {
                        let dst = self.out.ptr.wrapping_add(at[0] * self.out.size);
                        self.store(result.wrapping_add(from * self.out.wide), dst, step[0], len, b);
                        from += len;
                    });
                }
                // A one-element output.
                _ => self.store(result, dst, 1, n, b),
            }
        }
    }
}
