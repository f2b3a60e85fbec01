//! [`Unary`], [`Binary`] and [`Ternary`] functions and their backward products over tensors of floating-point numbers.

use super::drive::{INPUTS, Operand, drive};
use super::element::Float;
use super::fused::Step;
use super::text::Recorder;
use super::{In, Out, input, output};
use crate::lane::{Binary, Lane, Style, Ternary, Unary};
use crate::level::{Kernel, Level, Simd, dispatch, fused, level};
use crate::math::Wide;
use std::mem::MaybeUninit;

/// What a backward product may read: the inputs, and for a binary function the output, each if it was kept.
pub type Saved<'a, T> = (Option<In<'a, T>>, Option<In<'a, T>>, Option<In<'a, T>>);

/// A function of N numbers.
#[doc(hidden)]
pub trait Body<const N: usize>: Copy + Send + Sync {
    /// How its loop is compiled.
    type Loop: Style;
    /// The function.
    fn eval<L: Lane>(&self, x: [L; N]) -> L;
}

/// The first N pointers, with their type.
#[inline]
pub(super) fn pointers<W, const N: usize>(ins: &[*const u8; INPUTS]) -> [*const W; N] {
    let mut typed = [std::ptr::null(); N];
    for k in 0..N {
        // One by one: two that were written one after the other a moment ago and are read as one vector make the processor wait, 8 ns for each row of a
        // broadcast and for each op on a few numbers.
        // SAFETY: an element of a slice.
        typed[k] = unsafe { (&raw const ins[k]).read_volatile() }.cast();
    }
    typed
}

/// Element i of every input.
///
/// # Safety
/// It must lie in bounds.
#[inline(always)]
unsafe fn lanes<W: Wide, S: Simd, const N: usize>(ins: &[*const W; N], i: usize) -> [W::Lane<S>; N] {
    // Not `map`, which may be compiled apart from this loop and would then be called for every element.
    // SAFETY: the caller's promise.
    std::array::from_fn(|k| unsafe { ins[k].add(i).read() }.lane::<S>())
}

/// The loop around a body, for one block.
struct Loop<B, W, const N: usize> {
    body: B,
    ins: [*const W; N],
    out: *mut W,
    n: usize,
}

impl<B: Body<N>, W: Wide, const N: usize> Kernel for Loop<B, W, N> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self) {
        // A tail of more than four elements is computed in full vectors, because the compiler's own loop for the tail goes one by one: together
        // with elements before it, once more, or beside the data if there are none or the inputs are written over. One copy of the body
        // serves both passes.
        const TAIL: usize = 32;
        let rest = self.n % TAIL;
        let main = if rest > 4 { self.n - rest } else { self.n };
        let mut ins = self.ins;
        let mut out = self.out;
        let mut len = main;
        let again = main > 0 && !ins.contains(&out.cast_const());
        // Written only if they are needed: a short row would notice their clearing.
        let mut tail_ins = [const { MaybeUninit::<[W; TAIL]>::uninit() }; N];
        let mut tail_out = MaybeUninit::<[W; TAIL]>::uninit();
        loop {
            for i in 0..len {
                // SAFETY: the caller gives n elements behind every pointer; the tail arrays have TAIL.
                unsafe {
                    let x = lanes::<W, S, N>(&ins, i);
                    out.add(i).write(W::of_lane::<S>(self.body.eval(x)));
                }
            }
            if main == self.n || out != self.out {
                break;
            }
            if again {
                len = TAIL;
                ins = self.ins.map(|p| p.wrapping_add(self.n - TAIL));
                out = self.out.wrapping_add(self.n - TAIL);
                continue;
            }
            for k in 0..N {
                // SAFETY: `rest` elements lie behind `main`.
                unsafe {
                    let tail = tail_ins[k].write([W::default(); TAIL]);
                    std::ptr::copy_nonoverlapping(self.ins[k].add(main), tail.as_mut_ptr(), rest);
                    ins[k] = tail.as_ptr();
                }
            }
            out = tail_out.as_mut_ptr().cast();
            len = rest.next_multiple_of(16);
        }
        if main < self.n && !again {
            // SAFETY: as above.
            unsafe { std::ptr::copy_nonoverlapping(tail_out.as_ptr().cast(), self.out.add(main), rest) };
        }
    }
}

/// The loop of a body over `n` elements, for the levels with fused multiply-add alone.
///
/// # Safety
/// The level is one of those; `n` elements must be readable behind each input and writable at `out`, which may be an input but not overlap one
/// otherwise.
#[inline(always)]
pub(super) unsafe fn run_fused<B: Body<N>, W: Wide, const N: usize>(
    body: B,
    ins: [*const W; N],
    out: *mut W,
    n: usize,
) {
    // SAFETY: the caller's promise.
    unsafe {
        #[cfg(target_arch = "x86_64")]
        if B::Loop::WIDE && level() == Level::Avx512 && W::wide_loop(&body, ins, out, n) {
            return;
        }
        fused(Loop { body, ins, out, n });
    }
}

/// # Safety
/// As [`drive`]; the operands are of type T.
unsafe fn apply<T: Float, B: Body<N>, const N: usize>(shape: &[usize], body: B, out: Operand, ins: &[Operand; N]) {
    if !B::Loop::WHOLE {
        let mut recorder = Recorder::new();
        let value = body.eval(std::array::from_fn(|k| recorder.begin(Step::Input(k)))).place();
        let text = recorder.finish(value);
        // SAFETY: `drive` gives n elements behind each pointer.
        let block = |ins: &[*const u8; INPUTS], out: *mut u8, n: usize| unsafe { text.run::<T::Block>(ins, out, n) };
        // SAFETY: the caller's promise, and the text touches n elements of each block.
        return unsafe { drive(shape, out, ins, &block) };
    }
    let block = |ins: &[*const u8; INPUTS], out: *mut u8, n: usize| {
        let (ins, out) = (pointers(ins), out.cast::<T::Block>());
        if level() == Level::Scalar {
            return dispatch(Loop { body, ins, out, n });
        }
        // SAFETY: the level is another, and `drive` gives n elements behind each pointer.
        unsafe { run_fused(body, ins, out, n) }
    };
    // SAFETY: the caller's promise, and the loop touches n elements of each block.
    unsafe { drive(shape, out, ins, &block) };
}

#[inline]
fn read<'a, T: Float>(shape: &[usize], x: In<'a, T>) -> Operand<'a> {
    input(shape, x)
}

#[inline]
fn write<'a, T: Float>(shape: &[usize], x: Out<'a, T>) -> Operand<'a> {
    output(shape, x)
}

/// The first input of an in-place call: the output itself.
fn itself<'a, T: Float>(out: &Operand<'a>) -> Operand<'a> {
    Operand { convert: T::LOAD, ..*out }
}

#[derive(Clone, Copy)]
#[repr(transparent)]
pub(super) struct Eval<U>(pub(super) U);
impl<U: Unary> Body<1> for Eval<U> {
    type Loop = U::Loop;
    #[inline(always)]
    fn eval<L: Lane>(&self, [x]: [L; 1]) -> L {
        self.0.eval(&x)
    }
}
impl<U: Binary> Body<2> for Eval<U> {
    type Loop = U::Loop;
    #[inline(always)]
    fn eval<L: Lane>(&self, [a, b]: [L; 2]) -> L {
        self.0.eval(&a, &b)
    }
}
impl<U: Ternary> Body<3> for Eval<U> {
    type Loop = U::Loop;
    #[inline(always)]
    fn eval<L: Lane>(&self, [a, b, c]: [L; 3]) -> L {
        self.0.eval(&a, &b, &c)
    }
}

/// `out = f(x)`
///
/// # Panics
/// As all functions here, if strides reach beyond the data or elements of the output overlap.
pub fn unary<T: Float, U: Unary>(f: U, shape: &[usize], x: In<T>, out: Out<T>) {
    let (x, out) = (read(shape, x), write(shape, out));
    // SAFETY: checked by `read` and `write`; the borrows keep input and output apart.
    unsafe { apply::<T, _, 1>(shape, Eval(f), out, &[x]) };
}

/// `x = f(x)`, in place.
pub fn unary_<T: Float, U: Unary>(f: U, shape: &[usize], x: Out<T>) {
    let out = write(shape, x);
    // SAFETY: checked by `write`; the input is the output itself.
    unsafe { apply::<T, _, 1>(shape, Eval(f), out, &[itself::<T>(&out)]) };
}

#[derive(Clone, Copy)]
#[repr(transparent)]
pub(super) struct Derivative<U>(pub(super) U);
impl<U: Unary> Body<3> for Derivative<U> {
    type Loop = U::Loop;
    #[inline(always)]
    fn eval<L: Lane>(&self, [g, x, y]: [L; 3]) -> L {
        g.mul(&self.0.derivative(&x, &y))
    }
}

/// `out = g * f'(x, y)` in one pass. Whichever of `x` and `y` the derivative does not read may be `None`.
///
/// # Panics
/// If both are `None`.
pub fn unary_grad<T: Float, U: Unary>(
    f: U,
    shape: &[usize],
    g: In<T>,
    x: Option<In<T>>,
    y: Option<In<T>>,
    out: Out<T>,
) {
    let some = x.or(y).expect("a derivative reads its function's input or output");
    let (x, y) = (read(shape, x.unwrap_or(some)), read(shape, y.unwrap_or(some)));
    let (g, out) = (read(shape, g), write(shape, out));
    // SAFETY: checked by `read` and `write`; the borrows keep inputs and output apart.
    unsafe { apply::<T, _, 3>(shape, Derivative(f), out, &[g, x, y]) };
}

/// `out = f(a, b)`
pub fn binary<T: Float, U: Binary>(f: U, shape: &[usize], a: In<T>, b: In<T>, out: Out<T>) {
    let (a, b, out) = (read(shape, a), read(shape, b), write(shape, out));
    // SAFETY: checked by `read` and `write`; the borrows keep inputs and output apart.
    unsafe { apply::<T, _, 2>(shape, Eval(f), out, &[a, b]) };
}

/// `a = f(a, b)`, in place.
pub fn binary_<T: Float, U: Binary>(f: U, shape: &[usize], a: Out<T>, b: In<T>) {
    let (b, out) = (read(shape, b), write(shape, a));
    // SAFETY: checked by `read` and `write`; the first input is the output itself.
    unsafe { apply::<T, _, 2>(shape, Eval(f), out, &[itself::<T>(&out), b]) };
}

#[derive(Clone, Copy)]
#[repr(transparent)]
pub(super) struct GradA<U>(pub(super) U);
impl<U: Binary> Body<4> for GradA<U> {
    type Loop = U::Loop;
    #[inline(always)]
    fn eval<L: Lane>(&self, [g, a, b, y]: [L; 4]) -> L {
        g.mul(&self.0.da(&a, &b, &y))
    }
}
/// A function of two numbers with a plain number for one of them.
#[derive(Clone, Copy)]
pub(super) struct WithScalar<U> {
    pub f: U,
    pub scalar: f64,
    /// Is the number the first operand?
    pub left: bool,
}
impl<U: Binary> Body<1> for WithScalar<U> {
    type Loop = U::Loop;
    #[inline(always)]
    fn eval<L: Lane>(&self, [x]: [L; 1]) -> L {
        let s = x.splat(self.scalar);
        if self.left { self.f.eval(&s, &x) } else { self.f.eval(&x, &s) }
    }
}
impl<U: Ternary> Body<4> for GradA3<U> {
    type Loop = U::Loop;
    #[inline(always)]
    fn eval<L: Lane>(&self, [g, a, b, c]: [L; 4]) -> L {
        g.mul(&self.0.da(&a, &b, &c))
    }
}
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(super) struct GradB<U>(pub(super) U);
impl<U: Binary> Body<4> for GradB<U> {
    type Loop = U::Loop;
    #[inline(always)]
    fn eval<L: Lane>(&self, [g, a, b, y]: [L; 4]) -> L {
        g.mul(&self.0.db(&a, &b, &y))
    }
}
impl<U: Ternary> Body<4> for GradB3<U> {
    type Loop = U::Loop;
    #[inline(always)]
    fn eval<L: Lane>(&self, [g, a, b, c]: [L; 4]) -> L {
        g.mul(&self.0.db(&a, &b, &c))
    }
}
#[derive(Clone, Copy)]
struct GradA3<U>(U);
#[derive(Clone, Copy)]
struct GradB3<U>(U);
#[derive(Clone, Copy)]
struct GradC3<U>(U);
impl<U: Ternary> Body<4> for GradC3<U> {
    type Loop = U::Loop;
    #[inline(always)]
    fn eval<L: Lane>(&self, [g, a, b, c]: [L; 4]) -> L {
        g.mul(&self.0.dc(&a, &b, &c))
    }
}

/// What the two backward products of a binary function share. Inputs that the derivative does not read may be `None`.
fn binary_grad<T: Float, B: Body<4>>(body: B, shape: &[usize], g: In<T>, saved: [Option<In<T>>; 3], out: Out<T>) {
    let some = saved.into_iter().flatten().next().unwrap_or(g);
    let [a, b, y] = saved.map(|s| read(shape, s.unwrap_or(some)));
    let (g, out) = (read(shape, g), write(shape, out));
    // SAFETY: checked by `read` and `write`; the borrows keep inputs and output apart.
    unsafe { apply::<T, _, 4>(shape, body, out, &[g, a, b, y]) };
}

/// `out = g * ∂f/∂a` in one pass, all of the broadcast shape. Whichever of `a`, `b`, `y` is not read may be `None`.
pub fn binary_grad_a<T: Float, U: Binary>(f: U, shape: &[usize], g: In<T>, (a, b, y): Saved<T>, out: Out<T>) {
    binary_grad(GradA(f), shape, g, [a, b, y], out);
}

/// `out = g * ∂f/∂b` in one pass, as [`binary_grad_a`].
pub fn binary_grad_b<T: Float, U: Binary>(f: U, shape: &[usize], g: In<T>, (a, b, y): Saved<T>, out: Out<T>) {
    binary_grad(GradB(f), shape, g, [a, b, y], out);
}

/// `out = f(a, b, c)`
pub fn ternary<T: Float, U: Ternary>(f: U, shape: &[usize], a: In<T>, b: In<T>, c: In<T>, out: Out<T>) {
    let (a, b, c, out) = (read(shape, a), read(shape, b), read(shape, c), write(shape, out));
    // SAFETY: checked by `read` and `write`; the borrows keep inputs and output apart.
    unsafe { apply::<T, _, 3>(shape, Eval(f), out, &[a, b, c]) };
}

/// `out = g * ∂f/∂a` of a ternary function. Whichever of `a`, `b`, `c` is not read may be `None`.
pub fn ternary_grad_a<T: Float, U: Ternary>(f: U, shape: &[usize], g: In<T>, (a, b, c): Saved<T>, out: Out<T>) {
    binary_grad(GradA3(f), shape, g, [a, b, c], out);
}

/// `out = g * ∂f/∂b` of a ternary function, as [`ternary_grad_a`].
pub fn ternary_grad_b<T: Float, U: Ternary>(f: U, shape: &[usize], g: In<T>, (a, b, c): Saved<T>, out: Out<T>) {
    binary_grad(GradB3(f), shape, g, [a, b, c], out);
}

/// `out = g * ∂f/∂c` of a ternary function, as [`ternary_grad_a`].
pub fn ternary_grad_c<T: Float, U: Ternary>(f: U, shape: &[usize], g: In<T>, (a, b, c): Saved<T>, out: Out<T>) {
    binary_grad(GradC3(f), shape, g, [a, b, c], out);
}
