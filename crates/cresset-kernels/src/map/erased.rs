//! Pointwise functions as values: a [`Function`] holds a function's constants and pointers to its text, and the element type is a
//! value, too. A caller that serves all functions and floating-point types through these compiles each text once, and the loops of functions in the
//! hot path for the two computing types (f32 serves f16 and bf16), without any glue around it.

use super::constants::Constants;
use super::drive::{INPUTS, Operand, drive};
use super::element::Element;
use super::float::{Body, Derivative, Eval, GradA, GradB, WithScalar, pointers, run_fused};
use super::fused::Step;
use super::matrix::{Matrix, MatrixLoop, matrix};
use super::text::{Note, Recorder, Text};
use crate::lane::{Binary, Lane, Style, Unary};
use crate::level::{Level, level};
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

/// The loop of a function over `n` elements of f32 or f64, for the levels with fused multiply-add.
type BlockLoop = unsafe fn(body: *const (), ins: &[*const u8; INPUTS], out: *mut u8, n: usize);

/// A loop for f32 and perhaps for f64.
type Pair = [Option<BlockLoop>; 2];

/// What a function's text does for a part, over notes of the part's operands.
type Writing = for<'r> unsafe fn(body: *const (), part: Part, x: &[Note<'r>; INPUTS]) -> Note<'r>;

/// A function's text, and the loops of a function [`InRegisters`](crate::lane::InRegisters), as pointers. In f64, which is for checks rather than for
/// training, only the quickest functions have loops.
struct Texts {
    /// How many numbers the function takes.
    inputs: usize,
    write: Writing,
    whole: Option<Whole>,
    /// Of the type of the constants.
    id: fn() -> TypeId,
}
struct Whole {
    value: Pair,
    /// `g * ∂f/∂a`, `g * ∂f/∂b`; both the same for a function of one number.
    gradients: [Pair; 2],
    quick: Option<Quick>,
}

/// Further loops of the quickest functions of two numbers, for f32 and for f64.
struct Quick {
    /// For a plain number as one operand.
    with_scalar: Pair,
    rows: [MatrixLoop; 2],
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

/// A pointwise function as a value: its constants and its text. [`Function::get`] gives back what it was made from.
#[derive(Clone, Copy)]
pub struct Function {
    constants: Constants,
    texts: &'static Texts,
}

struct OfUnary<U>(U);
impl<U: Unary> OfUnary<U> {
    const GRADIENT: Pair = [Some(block::<Derivative<U>, f32, 3>), None];
    const WHOLE: Whole =
        Whole { value: [Some(block::<Eval<U>, f32, 1>), None], gradients: [Self::GRADIENT; 2], quick: None };
    const TEXTS: Texts = Texts {
        inputs: 1,
        write: write_unary::<U>,
        whole: if U::Loop::WHOLE { Some(Self::WHOLE) } else { None },
        id: TypeId::of::<U>,
    };
}
struct OfBinary<U>(U);
impl<U: Binary> OfBinary<U> {
    const WHOLE: Whole = Whole {
        value: [Some(block::<Eval<U>, f32, 2>), None],
        gradients: [[Some(block::<GradA<U>, f32, 4>), None], [Some(block::<GradB<U>, f32, 4>), None]],
        quick: None,
    };
    const TEXTS: Texts = Texts {
        inputs: 2,
        write: write_binary::<U>,
        whole: if U::Loop::WHOLE { Some(Self::WHOLE) } else { None },
        id: TypeId::of::<U>,
    };
    const QUICK: Texts = Texts {
        whole: Some(Whole {
            value: [Self::WHOLE.value[0], Some(block::<Eval<U>, f64, 2>)],
            quick: Some(Quick {
                with_scalar: [Some(scalar_block::<U, f32>), Some(scalar_block::<U, f64>)],
                rows: [matrix::<U, f32>, matrix::<U, f64>],
            }),
            ..Self::WHOLE
        }),
        ..Self::TEXTS
    };
}

/// # Safety
/// `body` points to a U.
unsafe fn write_unary<'r, U: Unary>(body: *const (), part: Part, x: &[Note<'r>; INPUTS]) -> Note<'r> {
    // SAFETY: the caller's promise.
    let f = unsafe { &*body.cast::<U>() };
    match part {
        Part::Value => f.eval(&x[0]),
        Part::Gradient(_) => x[0].mul(&f.derivative(&x[1], &x[2])),
    }
}

/// # Safety
/// `body` points to a U.
unsafe fn write_binary<'r, U: Binary>(body: *const (), part: Part, x: &[Note<'r>; INPUTS]) -> Note<'r> {
    // SAFETY: the caller's promise.
    let f = unsafe { &*body.cast::<U>() };
    match part {
        Part::Value => f.eval(&x[0], &x[1]),
        Part::Gradient(0) => x[0].mul(&f.da(&x[1], &x[2], &x[3])),
        Part::Gradient(_) => x[0].mul(&f.db(&x[1], &x[2], &x[3])),
    }
}

impl Function {
    /// A function of one number.
    pub const fn unary<U: Unary>(f: U) -> Function {
        Function { constants: Constants::new(f), texts: &OfUnary::<U>::TEXTS }
    }
    /// A function of two numbers.
    pub const fn binary<U: Binary>(f: U) -> Function {
        Function { constants: Constants::new(f), texts: &OfBinary::<U>::TEXTS }
    }
    /// The same with further loops, for a plain number as one operand and for rows: for functions so quick that copying an operand into place would be
    /// felt.
    pub const fn quick_binary<U: Binary>(f: U) -> Function {
        Function { constants: Constants::new(f), texts: &OfBinary::<U>::QUICK }
    }
    /// What it was made from.
    ///
    /// # Panics
    /// If that was of another type.
    #[inline]
    pub fn get<U: Copy + Send + Sync + 'static>(&self) -> &U {
        // SAFETY: the texts were made with the constants, from the same type.
        unsafe { self.constants.get((self.texts.id)()) }
    }
    /// How many numbers it takes: 1 or 2.
    pub fn inputs(&self) -> usize {
        self.texts.inputs
    }
    /// How many operands a part has.
    fn operands(&self, part: Part) -> usize {
        match part {
            Part::Value => self.texts.inputs,
            Part::Gradient(_) => self.texts.inputs + 2,
        }
    }
    /// Writes the text of a part.
    fn write<'r>(&self, part: Part, recorder: &'r mut Recorder, input: impl Fn(usize) -> Step) -> &'r Text {
        let value = {
            let (r, last) = (&*recorder, self.operands(part) - 1);
            let first = r.begin(input(0));
            let x = std::array::from_fn(|k| if k == 0 || k > last { first } else { r.begin(input(k)) });
            // SAFETY: the constants are what the text was made with.
            unsafe { (self.texts.write)(self.constants.as_ptr(), part, &x) }.place()
        };
        recorder.finish(value)
    }
    /// A part over any kind of number, of its operands in the order that [`Part`] names. Constants are made from the first.
    ///
    /// # Panics
    /// If there are too few operands.
    pub fn replay<L: Lane>(&self, part: Part, operands: &[&L]) -> L {
        self.write(part, &mut Recorder::new(), Step::Input).replay(operands)
    }

    /// The loop of a part, where the function has one at the level in use.
    #[inline]
    fn block(&self, part: Part, double: bool) -> Option<BlockLoop> {
        let whole = self.texts.whole.as_ref().filter(|_| level() != Level::Scalar)?;
        let pair = match part {
            Part::Value => &whole.value,
            Part::Gradient(i) => &whole.gradients[i],
        };
        pair[usize::from(double)]
    }

    /// Runs it over numbers that lie side by side, f64 or else f32, in one go. An operand that is not read may be empty. Says no, and does nothing, if
    /// the function has no loop for it.
    ///
    /// # Panics
    /// If an operand is not as long as the output, or is not aligned.
    // A call is a tenth of an op on one number.
    #[inline(always)]
    #[must_use]
    pub fn run_short(&self, part: Part, double: bool, ins: &[&[u8]], out: &mut [u8]) -> bool {
        let Some(block) = self.block(part, double) else { return false };
        let size = if double { 8 } else { 4 };
        let needed = self.operands(part);
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
        // SAFETY: the operands were checked; the loop is for these constants, and touches its elements only.
        unsafe { block(self.constants.as_ptr(), &ptrs, out.as_mut_ptr(), out.len() / size) }
        true
    }

    /// Runs it over operands of a kind.
    ///
    /// # Panics
    /// If strides reach beyond the data, elements of the output overlap, or no operand is a tensor.
    pub fn run(&self, part: Part, kind: FloatKind, shape: &[usize], ins: &[Input], out: BytesOut) {
        let double = kind == FloatKind::F64;
        let n = self.operands(part);
        let out = output(kind, shape, out);
        let stand_in = ins.iter().find_map(|x| if let Input::Tensor(x) = x { Some(*x) } else { None });
        let stand_in = input(kind, shape, stand_in.expect("an operand that is a tensor"));
        let mut operands = [stand_in; INPUTS];
        for (o, x) in operands.iter_mut().zip(ins) {
            if let Input::Tensor(x) = *x {
                *o = input(kind, shape, x);
            }
        }
        let (Some(whole), Some(block)) = (&self.texts.whole, self.block(part, double)) else {
            let mut recorder = Recorder::new();
            let text = self.write(part, &mut recorder, |k| match ins.get(k) {
                Some(Input::Scalar(v)) => Step::Const(*v),
                _ => Step::Input(k),
            });
            // SAFETY: `drive` gives n elements behind each pointer.
            let run = |ins: &[*const u8; INPUTS], out: *mut u8, n: usize| unsafe {
                if double { text.run::<f64>(ins, out, n) } else { text.run::<f32>(ins, out, n) }
            };
            // SAFETY: the operands were checked; the borrows keep inputs and output apart; the text touches its n elements only.
            return unsafe { drive(shape, out, &operands[..n], &run) };
        };
        let body = self.constants.as_ptr();
        if let (Part::Value, Some(quick), [a, b]) = (part, &whole.quick, ins) {
            let (scalar, left) = match (a, b) {
                (Input::Scalar(s), _) => (Some(*s), true),
                (_, Input::Scalar(s)) => (Some(*s), false),
                _ => (None, false),
            };
            if let (Some(scalar), Some(block)) = (scalar, quick.with_scalar[usize::from(double)]) {
                let with = ScalarBody { body, scalar, left };
                let erased = Erased { body: (&raw const with).cast(), block };
                // SAFETY: the operands were checked, the borrows keep inputs and output apart, and the loop is for this body.
                return unsafe { erased.drive(shape, out, &[stand_in]) };
            }
            if let Some(rows) = Matrix::of(shape, &out, [&operands[0], &operands[1]]) {
                // SAFETY: the operands were checked, the borrows keep inputs and output apart, and the loop is for these constants.
                return unsafe { rows.run(body, quick.rows[usize::from(double)]) };
            }
        }
        let mut scalars = [const { MaybeUninit::<(f32, f64)>::uninit() }; INPUTS];
        for ((o, x), s) in operands.iter_mut().zip(ins).zip(&mut scalars) {
            if let Input::Scalar(v) = *x {
                let s = s.write((v as f32, v));
                let (ptr, size): (*const u8, usize) =
                    if double { ((&raw const s.1).cast(), 8) } else { ((&raw const s.0).cast(), 4) };
                let strides = &NO_STRIDES[..shape.len()];
                *o = Operand { ptr: ptr.cast_mut(), strides, size, wide: size, convert: None };
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
/// The level has fused multiply-add; `body` points to a B, or to what B alone consists of; n elements of W lie behind each pointer.
unsafe fn block<B: Body<N>, W: Wide, const N: usize>(
    body: *const (),
    ins: &[*const u8; INPUTS],
    out: *mut u8,
    n: usize,
) {
    // SAFETY: the caller's promise.
    unsafe { run_fused(*body.cast::<B>(), pointers::<W, N>(ins), out.cast::<W>(), n) };
}

/// The constants of a function of two numbers, and one of the numbers.
struct ScalarBody {
    body: *const (),
    scalar: f64,
    left: bool,
}

/// # Safety
/// The level has fused multiply-add; `body` points to a [`ScalarBody`] for U; n elements of W lie behind the first pointer and the output.
unsafe fn scalar_block<U: Binary, W: Wide>(body: *const (), ins: &[*const u8; INPUTS], out: *mut u8, n: usize) {
    // SAFETY: the caller's promise.
    unsafe {
        let with = &*body.cast::<ScalarBody>();
        let body = WithScalar { f: *with.body.cast::<U>(), scalar: with.scalar, left: with.left };
        run_fused(body, pointers::<W, 1>(ins), out.cast::<W>(), n);
    }
}
