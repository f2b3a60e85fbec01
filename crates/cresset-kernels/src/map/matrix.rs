//! Quick functions of two numbers over rows, for broadcasting: where an operand gives one number for each row, or the same row again and again, a loop
//! that knows of rows needs no copies of them, and no call for each.

use super::drive::{GRAIN, Operand};
use crate::lane::Binary;
use crate::level::{Kernel, Simd, fused};
use crate::math::Wide;
use crate::strided::{Plan, is_contiguous};
use crate::threads;

/// Shorter rows are better brought into blocks together.
const SHORTEST: usize = 16;
/// Shorter rows that repeat are better copied a few times, and then worked on together.
const REPEATED: usize = 64;
/// Numbers computed at a time.
const WIDE: usize = 8;
// So that the last numbers of a row may be computed together with some before them.
const _: () = assert!(SHORTEST >= WIDE);

/// Rows of two operands and an output, the numbers of a row side by side, or one for the whole row.
pub(super) struct Matrix {
    plan: Plan,
    out: *mut u8,
    ins: [*const u8; 2],
    size: usize,
    kind: Kind,
}

// SAFETY: threads write to different rows of the output, and only read the inputs.
unsafe impl Sync for Matrix {}

/// What the operands give for a row.
#[derive(Clone, Copy)]
enum Kind {
    Rows,
    NumberAndRow,
    RowAndNumber,
}

/// Neighbouring rows.
pub(super) struct Part {
    rows: usize,
    len: usize,
    out: *mut u8,
    ins: [*const u8; 2],
    /// Elements from row to row, of the output and the inputs.
    steps: [usize; 3],
    kind: Kind,
}

/// The loop of a function over a part.
pub(super) type MatrixLoop = unsafe fn(body: *const (), part: &Part);

impl Matrix {
    /// None if the operands do not lie like this, or all lie side by side.
    pub(super) fn of(shape: &[usize], out: &Operand, ins: [&Operand; 2]) -> Option<Matrix> {
        let converted = out.convert.is_some() || ins.iter().any(|o| o.convert.is_some());
        if converted || ins.iter().all(|o| is_contiguous(shape, o.strides)) {
            return None;
        }
        let plan = Plan::new(shape, &[out.strides, ins[0].strides, ins[1].strides]);
        if plan.dims() < 2 || plan.is_empty() || !(SHORTEST..=GRAIN).contains(&plan.row()) {
            return None;
        }
        let kind = match [0, 1, 2].map(|k| plan.stride(0, k)) {
            [1, 1, 1] => Kind::Rows,
            [1, 0, 1] => Kind::NumberAndRow,
            [1, 1, 0] => Kind::RowAndNumber,
            _ => return None,
        };
        let flat = |k: usize| plan.is_linear(k) || plan.is_repeated_row(k);
        if plan.row() < REPEATED && plan.is_linear(0) && flat(1) && flat(2) {
            return None;
        }
        Some(Matrix { plan, out: out.ptr, ins: ins.map(|o| o.ptr.cast_const()), size: out.size, kind })
    }

    /// # Safety
    /// As [`drive`](super::drive::drive), and no input may be the output; the loop is for the body and for the type of the operands.
    pub(super) unsafe fn run(&self, body: *const (), f: MatrixLoop) {
        let len = self.plan.row();
        let steps = [0, 1, 2].map(|k| self.plan.stride(1, k));
        let body = Body(body);
        threads::run_ranges(self.plan.len() / len, GRAIN / len, &|range| {
            self.plan.walk_rows(range, |at, rows| {
                let part = Part {
                    rows,
                    len,
                    out: self.out.wrapping_add(at[0] * self.size),
                    ins: [0, 1].map(|k| self.ins[k].wrapping_add(at[k + 1] * self.size)),
                    steps,
                    kind: self.kind,
                };
                // SAFETY: the walk stays inside the shape.
                unsafe { f(body.get(), &part) };
            });
        });
    }
}

/// A pointer to the constants of a function.
struct Body(*const ());
// SAFETY: bodies are `Sync` and are only read.
unsafe impl Sync for Body {}
impl Body {
    fn get(&self) -> *const () {
        self.0
    }
}

/// # Safety
/// The level has fused multiply-add; `body` points to a U; the part's rows exist and consist of W, at least `WIDE` in each, and no input is the output.
pub(super) unsafe fn matrix<U: Binary, W: Wide>(body: *const (), part: &Part) {
    // SAFETY: the caller's promise.
    unsafe {
        let f = *body.cast::<U>();
        match part.kind {
            Kind::Rows => fused(Loop::<U, W, 1, 1> { f, part, numbers: std::marker::PhantomData }),
            Kind::NumberAndRow => fused(Loop::<U, W, 0, 1> { f, part, numbers: std::marker::PhantomData }),
            Kind::RowAndNumber => fused(Loop::<U, W, 1, 0> { f, part, numbers: std::marker::PhantomData }),
        }
    }
}

/// `A` and `B`: the step of each operand within a row.
struct Loop<'a, U, W, const A: usize, const B: usize> {
    f: U,
    part: &'a Part,
    numbers: std::marker::PhantomData<W>,
}

impl<U: Binary, W: Wide, const A: usize, const B: usize> Kernel for Loop<'_, U, W, A, B> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self) {
        let Part { rows, len, steps, .. } = *self.part;
        for r in 0..rows {
            // SAFETY: the caller of `matrix` vouches for the rows.
            unsafe {
                let a = self.part.ins[0].cast::<W>().add(r * steps[1]);
                let b = self.part.ins[1].cast::<W>().add(r * steps[2]);
                let out = self.part.out.cast::<W>().add(r * steps[0]);
                let (a0, b0) = (a.read(), b.read());
                let one = |i: usize| {
                    let x = if A == 0 { a0 } else { a.add(i).read() };
                    let y = if B == 0 { b0 } else { b.add(i).read() };
                    W::of_lane::<S>(self.f.eval(&x.lane::<S>(), &y.lane::<S>()))
                };
                // All are read before any is written, so the compiler may take them for a vector.
                let several = |i: usize| {
                    let mut y = [W::default(); WIDE];
                    for j in 0..WIDE {
                        y[j] = one(i + j);
                    }
                    out.add(i).cast::<[W; WIDE]>().write_unaligned(y);
                };
                let mut i = 0;
                while i + WIDE <= len {
                    several(i);
                    i += WIDE;
                }
                if i < len {
                    // Some once more: a row has at least `SHORTEST` numbers, and the output is not an input.
                    several(len - WIDE);
                }
            }
        }
    }
}
