//! Pointwise functions as values: a [`Function`] holds a function's constants and pointers to its loops over blocks, and the element type is a
//! value, too. A caller that serves all functions and floating-point types through these compiles each function for its two computing types
//! alone (f32 serves f16 and bf16), without any glue around it.

use super::constants::Constants;
use super::drive::{INPUTS, Operand, drive};
use super::element::Element;
use super::float::{Body, Compile, Derivative, Eval, GradA, GradB, WithScalar, pointers};
use crate::lane::{Binary, Unary};
use crate::math::Wide;
use crate::strided::{extent, is_contiguous, is_injective};
use half::{bf16, f16};
use std::any::TypeId;
use std::mem::MaybeUninit;

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

/// The loop of a function over a block: `n` elements, of f32 or f64, lie behind each pointer that the function reads and behind `out`.
///
/// # Safety
/// `body` points to what the loop is for.
pub type BlockLoop = unsafe fn(body: *const (), ins: &[*const u8; INPUTS], out: *mut u8, n: usize);

/// A loop for f32 and for f64.
type Pair = [BlockLoop; 2];

/// The loops of a function, as pointers.
struct Loops {
    /// How many numbers the function takes.
    inputs: usize,
    value: Pair,
    /// `g * ∂f/∂a`, `g * ∂f/∂b`; both the same for a function of one number.
    gradients: [Pair; 2],
    /// Of a function of two numbers, for a plain number as one of them; without, the number is spread over a block.
    with_scalar: Option<Pair>,
    /// Of the type of the constants.
    id: fn() -> TypeId,
}

/// Which of a function's loops to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// `f(a)` or `f(a, b)`, of the operands a, b.
    Value,
    /// `g * ∂f/∂a` (0) or `g * ∂f/∂b` (1), of the operands g, a, y or g, a, b, y, where y is the value. What the derivative does not read may be
    /// left out.
    Gradient(usize),
}

/// An operand of a function.
#[derive(Clone, Copy, Debug)]
pub enum Input<'a> {
    /// A tensor.
    Tensor(BytesIn<'a>),
    /// One number for all elements, rounded to the computing type and not to the element type.
    Scalar(f64),
    /// None: it is not read.
    Nothing,
}

/// A pointwise function as a value: its constants and its loops. [`Function::get`] gives back what it was made from.
#[derive(Clone, Copy)]
pub struct Function {
    constants: Constants,
    loops: &'static Loops,
}

struct OfUnary<U>(U);
impl<U: Unary> OfUnary<U> {
    const GRADIENT: Pair = [block::<Derivative<U>, f32, 3>, block::<Derivative<U>, f64, 3>];
    const LOOPS: Loops = Loops {
        inputs: 1,
        value: [block::<Eval<U>, f32, 1>, block::<Eval<U>, f64, 1>],
        gradients: [Self::GRADIENT; 2],
        with_scalar: None,
        id: TypeId::of::<U>,
    };
}
struct OfBinary<U>(U);
impl<U: Binary> OfBinary<U> {
    const LOOPS: Loops = Loops {
        inputs: 2,
        value: [block::<Eval<U>, f32, 2>, block::<Eval<U>, f64, 2>],
        gradients: [
            [block::<GradA<U>, f32, 4>, block::<GradA<U>, f64, 4>],
            [block::<GradB<U>, f32, 4>, block::<GradB<U>, f64, 4>],
        ],
        with_scalar: None,
        id: TypeId::of::<U>,
    };
    const WITH_SCALAR: Loops =
        Loops { with_scalar: Some([scalar_block::<U, f32>, scalar_block::<U, f64>]), ..Self::LOOPS };
}

impl Function {
    /// A function of one number.
    pub const fn unary<U: Unary>(f: U) -> Function {
        Function { constants: Constants::new(f), loops: &OfUnary::<U>::LOOPS }
    }
    /// A function of two numbers.
    pub const fn binary<U: Binary>(f: U) -> Function {
        Function { constants: Constants::new(f), loops: &OfBinary::<U>::LOOPS }
    }
    /// The same with a further loop for a plain number as one operand: for functions so quick that reading the number again and again would be
    /// felt.
    pub const fn binary_with_scalar<U: Binary>(f: U) -> Function {
        Function { constants: Constants::new(f), loops: &OfBinary::<U>::WITH_SCALAR }
    }
    /// What it was made from.
    ///
    /// # Panics
    /// If that was of another type.
    #[inline]
    pub fn get<U: Copy + Send + Sync + 'static>(&self) -> &U {
        // SAFETY: the loops were made with the constants, from the same type.
        unsafe { self.constants.get((self.loops.id)()) }
    }
    /// How many numbers it takes: 1 or 2.
    pub fn inputs(&self) -> usize {
        self.loops.inputs
    }
    /// One of its loops, for f64 or else f32, and what to hand it as its body.
    pub fn block(&self, part: Part, double: bool) -> (BlockLoop, *const ()) {
        let pair = match part {
            Part::Value => &self.loops.value,
            Part::Gradient(i) => &self.loops.gradients[i],
        };
        (pair[usize::from(double)], self.constants.as_ptr())
    }

    /// Runs it over numbers that lie side by side, f64 or else f32, in one go. An operand that is not read may be empty.
    ///
    /// # Panics
    /// If an operand is not as long as the output, or is not aligned.
    #[inline]
    pub fn run_short(&self, part: Part, double: bool, ins: &[&[u8]], out: &mut [u8]) {
        let size = if double { 8 } else { 4 };
        let needed = match part {
            Part::Value => self.loops.inputs,
            Part::Gradient(_) => self.loops.inputs + 2,
        };
        assert!(ins.len() == needed, "{} operands, {needed} expected", ins.len());
        let aligned = |bytes: &[u8]| (bytes.as_ptr() as usize).is_multiple_of(size);
        assert!(out.len().is_multiple_of(size) && aligned(out), "elements are aligned to their size");
        let stand_in = ins.iter().find(|x| !x.is_empty()).map_or(out.as_ptr(), |x| x.as_ptr());
        let mut ptrs = [stand_in; INPUTS];
        for (p, bytes) in ptrs.iter_mut().zip(ins).filter(|(_, bytes)| !bytes.is_empty()) {
            assert!(
                bytes.len() == out.len() && aligned(bytes),
                "an operand of {} bytes for {}",
                bytes.len(),
                out.len()
            );
            *p = bytes.as_ptr();
        }
        let (block, body) = self.block(part, double);
        // SAFETY: the operands were checked; the loop is for these constants, and touches its elements only.
        unsafe { block(body, &ptrs, out.as_mut_ptr(), out.len() / size) }
    }

    /// Runs it over operands of a kind.
    ///
    /// # Panics
    /// If strides reach beyond the data, elements of the output overlap, or no operand is a tensor.
    pub fn run(&self, part: Part, kind: FloatKind, shape: &[usize], ins: &[Input], out: BytesOut) {
        let double = kind == FloatKind::F64;
        let n = match part {
            Part::Value => self.loops.inputs,
            Part::Gradient(_) => self.loops.inputs + 2,
        };
        let out = output(kind, shape, out);
        let stand_in = ins.iter().find_map(|x| if let Input::Tensor(x) = x { Some(*x) } else { None });
        let stand_in = input(kind, shape, stand_in.expect("an operand that is a tensor"));
        let (block, body) = self.block(part, double);
        if let (Part::Value, Some(pair), [a, b]) = (part, &self.loops.with_scalar, ins) {
            let (scalar, left) = match (a, b) {
                (Input::Scalar(s), _) => (Some(*s), true),
                (_, Input::Scalar(s)) => (Some(*s), false),
                _ => (None, false),
            };
            if let Some(scalar) = scalar {
                let with = ScalarBody { body, scalar, left };
                let erased = Erased { body: (&raw const with).cast(), block: pair[usize::from(double)] };
                // SAFETY: the operands were checked, the borrows keep inputs and output apart, and the loop is for this body.
                return unsafe { erased.drive(shape, out, &[stand_in]) };
            }
        }
        let mut scalars = [const { MaybeUninit::<(f32, f64)>::uninit() }; INPUTS];
        let mut operands = [stand_in; INPUTS];
        for ((o, x), s) in operands.iter_mut().zip(ins).zip(&mut scalars) {
            match *x {
                Input::Tensor(x) => *o = input(kind, shape, x),
                Input::Scalar(v) => {
                    let s = s.write((v as f32, v));
                    let (ptr, size): (*const u8, usize) =
                        if double { ((&raw const s.1).cast(), 8) } else { ((&raw const s.0).cast(), 4) };
                    let strides = &NO_STRIDES[..shape.len()];
                    *o = Operand { ptr: ptr.cast_mut(), strides, size, wide: size, convert: None };
                }
                Input::Nothing => {}
            }
        }
        // SAFETY: the operands were checked, or are numbers of the computing type that outlive the call; the borrows keep inputs and output apart;
        // the loop is for these constants and touches its n elements only.
        unsafe { Erased { body, block }.drive(shape, out, &operands[..n]) }
    }
}

/// The strides of a number that is spread over a shape.
static NO_STRIDES: [usize; 64] = [0; 64];

/// A body behind a pointer, with its loop for one block.
struct Erased {
    body: *const (),
    block: BlockLoop,
}
// SAFETY: bodies are `Sync` and are only read.
unsafe impl Sync for Erased {}

impl Erased {
    /// # Safety
    /// As [`drive`]; the loop is for the body and for the computing type of the operands.
    unsafe fn drive(&self, shape: &[usize], out: Operand, ins: &[Operand]) {
        // SAFETY: the caller's promise.
        unsafe { drive(shape, out, ins, &|ins, out, n| (self.block)(self.body, ins, out, n)) }
    }
}

/// # Safety
/// `body` points to a B, or to what B alone consists of; n elements of W lie behind each pointer.
unsafe fn block<B: Body<N>, W: Wide, const N: usize>(
    body: *const (),
    ins: &[*const u8; INPUTS],
    out: *mut u8,
    n: usize,
) {
    // SAFETY: the caller's promise.
    unsafe { B::Loop::run(*body.cast::<B>(), pointers::<W, N>(ins), out.cast::<W>(), n) };
}

/// The constants of a function of two numbers, and one of the numbers.
struct ScalarBody {
    body: *const (),
    scalar: f64,
    left: bool,
}

/// # Safety
/// `body` points to a [`ScalarBody`] for U; n elements of W lie behind the first pointer and the output.
unsafe fn scalar_block<U: Binary, W: Wide>(body: *const (), ins: &[*const u8; INPUTS], out: *mut u8, n: usize) {
    // SAFETY: the caller's promise.
    unsafe {
        let with = &*body.cast::<ScalarBody>();
        let body = WithScalar { f: *with.body.cast::<U>(), scalar: with.scalar, left: with.left };
        U::Loop::run(body, pointers::<W, 1>(ins), out.cast::<W>(), n);
    }
}
