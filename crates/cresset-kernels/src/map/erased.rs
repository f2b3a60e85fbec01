//! The pointwise loops with the element type as a value. A caller that serves all floating-point types through these compiles each function
//! for its two computing types alone (f32 serves f16 and bf16), not once more for each element type with all the glue around it.

use super::drive::{INPUTS, Operand, drive};
use super::element::Element;
use super::float::{Body, Compile, Derivative, Eval, GradA, GradB, pointers};
use crate::lane::{Binary, Unary};
use crate::math::Wide;
use crate::strided::{extent, is_contiguous, is_injective};
use half::{bf16, f16};

/// A floating-point element type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FloatKind {
    /// IEEE half precision, computed in f32.
    F16,
    /// Brain float, computed in f32.
    BF16,
    /// Single precision.
    F32,
    /// Double precision.
    F64,
}

/// A tensor to read: the bytes from its first element on, and its strides in elements.
pub type BytesIn<'a> = (&'a [u8], &'a [usize]);
/// A tensor to write.
pub type BytesOut<'a> = (&'a mut [u8], &'a [usize]);

fn operand<T: Element>(ptr: *mut u8, strides: &[usize], store: bool) -> Operand<'_> {
    let convert = if store { T::STORE } else { T::LOAD };
    Operand { ptr, strides, size: size_of::<T>(), wide: size_of::<T::Block>(), convert }
}

fn typed(kind: FloatKind, ptr: *mut u8, strides: &[usize], store: bool) -> Operand<'_> {
    match kind {
        FloatKind::F16 => operand::<f16>(ptr, strides, store),
        FloatKind::BF16 => operand::<bf16>(ptr, strides, store),
        FloatKind::F32 => operand::<f32>(ptr, strides, store),
        FloatKind::F64 => operand::<f64>(ptr, strides, store),
    }
}

/// Checks an input.
fn input<'a>(kind: FloatKind, shape: &[usize], (bytes, strides): BytesIn<'a>) -> Operand<'a> {
    assert!(strides.len() == shape.len(), "{} strides for {} dimensions", strides.len(), shape.len());
    let o = typed(kind, bytes.as_ptr().cast_mut(), strides, false);
    assert!(extent(shape, strides) * o.size <= bytes.len(), "the strides reach beyond the data");
    assert!((bytes.as_ptr() as usize).is_multiple_of(o.size), "elements are aligned to their size");
    o
}

/// Checks the output.
fn output<'a>(kind: FloatKind, shape: &[usize], (bytes, strides): BytesOut<'a>) -> Operand<'a> {
    assert!(strides.len() == shape.len(), "{} strides for {} dimensions", strides.len(), shape.len());
    let o = typed(kind, bytes.as_mut_ptr(), strides, true);
    assert!(extent(shape, strides) * o.size <= bytes.len(), "the strides reach beyond the data");
    assert!((bytes.as_ptr() as usize).is_multiple_of(o.size), "elements are aligned to their size");
    assert!(is_contiguous(shape, strides) || is_injective(shape, strides), "elements of the output overlap");
    o
}

/// A body behind a pointer, with its loop for one block.
struct Erased {
    body: *const (),
    /// # Safety
    /// `body` points to the body that this loop is for; n elements lie behind each pointer.
    block: unsafe fn(body: *const (), ins: &[*const u8; INPUTS], out: *mut u8, n: usize),
}
// SAFETY: bodies are `Sync` and are only read.
unsafe impl Sync for Erased {}

/// Checks the operands and runs the loop over them: the part of [`run`] that is the same for all bodies.
///
/// # Safety
/// `erased` is as its field says, for the computing type of `kind`, and touches its n elements only.
unsafe fn run_erased(kind: FloatKind, shape: &[usize], erased: Erased, ins: &[BytesIn], out: BytesOut) {
    let out = output(kind, shape, out);
    let mut operands = [out; INPUTS];
    for (o, x) in operands.iter_mut().zip(ins) {
        *o = input(kind, shape, *x);
    }
    let erased = &erased;
    // SAFETY: the operands were checked, the borrows keep inputs and output apart, and the rest is the caller's promise.
    unsafe {
        drive(shape, out, &operands[..ins.len()], &|ins, out, n| (erased.block)(erased.body, ins, out, n));
    }
}

/// Runs a body over operands of a kind.
fn run<B: Body<N>, const N: usize>(kind: FloatKind, shape: &[usize], body: B, ins: [BytesIn; N], out: BytesOut) {
    let block = if kind == FloatKind::F64 { block::<B, f64, N> } else { block::<B, f32, N> };
    // SAFETY: the loop is this body's, which outlives the call, for the computing type of the kind.
    unsafe { run_erased(kind, shape, Erased { body: (&raw const body).cast(), block }, &ins, out) };
}

/// # Safety
/// `body` points to a B; n elements of W lie behind each pointer.
unsafe fn block<B: Body<N>, W: Wide, const N: usize>(
    body: *const (),
    ins: &[*const u8; INPUTS],
    out: *mut u8,
    n: usize,
) {
    // SAFETY: the caller's promise.
    unsafe { B::Loop::run(*body.cast::<B>(), pointers::<W, N>(ins), out.cast::<W>(), n) };
}

/// `out = f(x)`
///
/// # Panics
/// As all functions here, if strides reach beyond the data or elements of the output overlap.
pub fn unary_of<U: Unary>(f: U, kind: FloatKind, shape: &[usize], x: BytesIn, out: BytesOut) {
    run(kind, shape, Eval(f), [x], out);
}

/// `out = g * f'(x, y)`. Whichever of `x` and `y` the derivative does not read may be `None`.
pub fn unary_grad_of<U: Unary>(
    f: U,
    kind: FloatKind,
    shape: &[usize],
    g: BytesIn,
    (x, y): (Option<BytesIn>, Option<BytesIn>),
    out: BytesOut,
) {
    run(kind, shape, Derivative(f), [g, x.or(y).unwrap_or(g), y.or(x).unwrap_or(g)], out);
}

/// `out = f(a, b)`
pub fn binary_of<U: Binary>(f: U, kind: FloatKind, shape: &[usize], a: BytesIn, b: BytesIn, out: BytesOut) {
    run(kind, shape, Eval(f), [a, b], out);
}

/// `out = g * ∂f/∂a`, or `∂f/∂b` if `second`. Whichever of `a`, `b`, `y` is not read may be `None`.
pub fn binary_grad_of<U: Binary>(
    f: U,
    second: bool,
    kind: FloatKind,
    shape: &[usize],
    g: BytesIn,
    saved: [Option<BytesIn>; 3],
    out: BytesOut,
) {
    let [a, b, y] = saved.map(|s| s.unwrap_or(g));
    if second {
        run(kind, shape, GradB(f), [g, a, b, y], out);
    } else {
        run(kind, shape, GradA(f), [g, a, b, y], out);
    }
}
