//! Functions that are not differentiable: comparisons, integer arithmetic, logic, selection.
//!
//! The closure is inlined into a loop compiled for each level; it sees f16 and bf16 as f32 ([`Element::Block`]). It is `Copy`, and
//! best `move`: what it captures by reference is read again for every element.

use super::drive::{INPUTS, Operand, drive};
use super::element::Element;
use super::{In, Out, input, output};
use crate::level::{Kernel, Simd, dispatch};

/// The loop over one block: element i of the output is `f(i)`.
struct Loop<R, F> {
    f: F,
    out: *mut R,
    n: usize,
}

impl<R, F: Fn(usize) -> R> Kernel for Loop<R, F> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self) {
        for i in 0..self.n {
            // SAFETY: the block has room for n elements.
            unsafe { self.out.add(i).write((self.f)(i)) };
        }
    }
}

#[inline]
fn itself<'a, A: Element>(out: &Operand<'a>) -> Operand<'a> {
    Operand { convert: A::LOAD, ..*out }
}

/// # Safety
/// As [`drive`]; the operands are of the types A and R.
unsafe fn apply1<A: Element, R: Element>(
    shape: &[usize],
    f: impl Fn(A::Block) -> R::Block + Copy + Sync,
    x: Operand,
    out: Operand,
) {
    let block = |ins: &[*const u8; INPUTS], out: *mut u8, n: usize| {
        let x = ins[0].cast::<A::Block>();
        dispatch(Loop {
            // SAFETY: the block has n elements.
            f: move |i| f(unsafe { x.add(i).read() }),
            out: out.cast::<R::Block>(),
            n,
        });
    };
    // SAFETY: the caller's promise, and the loop touches n elements of each block.
    unsafe { drive(shape, out, &[x], &block) };
}

/// `out[i] = f(x[i])`
pub fn map1<A: Element, R: Element>(
    shape: &[usize],
    f: impl Fn(A::Block) -> R::Block + Copy + Sync,
    x: In<A>,
    out: Out<R>,
) {
    // SAFETY: checked by `input` and `output`; the borrows keep them apart.
    unsafe { apply1::<A, R>(shape, f, input(shape, x), output(shape, out)) };
}

/// `x[i] = f(x[i])`
pub fn map1_<A: Element>(shape: &[usize], f: impl Fn(A::Block) -> A::Block + Copy + Sync, x: Out<A>) {
    let out = output(shape, x);
    // SAFETY: checked by `output`; the input is the output itself.
    unsafe { apply1::<A, A>(shape, f, itself::<A>(&out), out) };
}

/// # Safety
/// As [`drive`]; the operands are of the types A, B and R.
unsafe fn apply2<A: Element, B: Element, R: Element>(
    shape: &[usize],
    f: impl Fn(A::Block, B::Block) -> R::Block + Copy + Sync,
    a: Operand,
    b: Operand,
    out: Operand,
) {
    let block = |ins: &[*const u8; INPUTS], out: *mut u8, n: usize| {
        let (a, b) = (ins[0].cast::<A::Block>(), ins[1].cast::<B::Block>());
        dispatch(Loop {
            // SAFETY: the blocks have n elements.
            f: move |i| f(unsafe { a.add(i).read() }, unsafe { b.add(i).read() }),
            out: out.cast::<R::Block>(),
            n,
        });
    };
    // SAFETY: the caller's promise, and the loop touches n elements of each block.
    unsafe { drive(shape, out, &[a, b], &block) };
}

/// `out[i] = f(a[i], b[i])`
pub fn map2<A: Element, B: Element, R: Element>(
    shape: &[usize],
    f: impl Fn(A::Block, B::Block) -> R::Block + Copy + Sync,
    a: In<A>,
    b: In<B>,
    out: Out<R>,
) {
    // SAFETY: checked by `input` and `output`; the borrows keep them apart.
    unsafe { apply2::<A, B, R>(shape, f, input(shape, a), input(shape, b), output(shape, out)) };
}

/// `a[i] = f(a[i], b[i])`
pub fn map2_<A: Element, B: Element>(
    shape: &[usize],
    f: impl Fn(A::Block, B::Block) -> A::Block + Copy + Sync,
    a: Out<A>,
    b: In<B>,
) {
    let out = output(shape, a);
    // SAFETY: checked by `input` and `output`; the first input is the output itself.
    unsafe { apply2::<A, B, A>(shape, f, itself::<A>(&out), input(shape, b), out) };
}

/// `out[i] = f(a[i], b[i], c[i])`: `where`, `masked_fill`.
pub fn map3<A: Element, B: Element, C: Element, R: Element>(
    shape: &[usize],
    f: impl Fn(A::Block, B::Block, C::Block) -> R::Block + Copy + Sync,
    a: In<A>,
    b: In<B>,
    c: In<C>,
    out: Out<R>,
) {
    let block = |ins: &[*const u8; INPUTS], out: *mut u8, n: usize| {
        let (a, b, c) = (ins[0].cast::<A::Block>(), ins[1].cast::<B::Block>(), ins[2].cast::<C::Block>());
        dispatch(Loop {
            // SAFETY: the blocks have n elements.
            f: move |i| f(unsafe { a.add(i).read() }, unsafe { b.add(i).read() }, unsafe { c.add(i).read() }),
            out: out.cast::<R::Block>(),
            n,
        });
    };
    let ins = [input(shape, a), input(shape, b), input(shape, c)];
    // SAFETY: checked by `input` and `output`; the borrows keep them apart; the loop touches n elements of each block.
    unsafe { drive(shape, output(shape, out), &ins, &block) };
}
