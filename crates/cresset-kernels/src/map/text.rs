//! The text of a pointwise function as a list of its steps. Run over [`Note`]s, a function writes down what it does; the list then serves every
//! type and level, block by block, and every other kind of number. So a function's text is compiled once, and the loops behind the steps exist
//! once for the whole library. Writing a list takes a few nanoseconds for each step.

use super::block::{Ask, LEN, One, Two};
use super::drive::INPUTS;
use super::fused::Step;
use crate::lane::Lane;
use crate::math::Wide;
use std::cell::UnsafeCell;
use std::mem::MaybeUninit;

/// The most steps that a function may have, its inputs and constants counted.
const MOST: usize = 256;
/// The most whose results fit on the stack.
const FEW: usize = 48;

/// The steps of a function, of which one is its value.
pub(super) struct Text {
    steps: [MaybeUninit<Step>; MOST],
    count: usize,
    value: usize,
}

/// A text in the making.
pub(super) struct Recorder(UnsafeCell<Text>);

/// A number in a text in the making.
#[derive(Clone, Copy)]
pub(super) struct Note<'r>(&'r Recorder, usize);
/// A truth value in it.
#[derive(Clone, Copy)]
pub(super) struct Truth<'r>(&'r Recorder, usize);

impl Recorder {
    pub fn new() -> Recorder {
        Recorder(UnsafeCell::new(Text { steps: [const { MaybeUninit::uninit() }; MOST], count: 0, value: 0 }))
    }
    #[inline(never)]
    fn push(&self, step: Step) -> usize {
        // SAFETY: nobody holds a reference into the text while notes are made, and no other thread has the recorder.
        let text = unsafe { &mut *self.0.get() };
        assert!(text.count < MOST, "a pointwise function of more than {MOST} steps");
        text.steps[text.count].write(step);
        text.count += 1;
        text.count - 1
    }
    /// A step that reads no other.
    pub fn begin(&self, step: Step) -> Note<'_> {
        Note(self, self.push(step))
    }
    /// The text whose value is a note of this recorder.
    pub fn finish(&mut self, value: usize) -> &Text {
        let text = self.0.get_mut();
        assert!(value < text.count);
        text.value = value;
        text
    }
}

impl<'r> Note<'r> {
    /// Its place in the list.
    pub fn place(self) -> usize {
        self.1
    }
    #[inline(never)]
    fn one(self, f: One) -> Note<'r> {
        self.0.begin(Step::One(f, self.1))
    }
    #[inline(never)]
    fn two(self, f: Two, b: &Note<'r>) -> Note<'r> {
        self.0.begin(Step::Two(f, self.1, b.1))
    }
    #[inline(never)]
    fn ask(self, f: Ask, b: &Note<'r>) -> Truth<'r> {
        Truth(self.0, self.0.push(Step::Ask(f, self.1, b.1)))
    }
}

macro_rules! lane {
    (one: $($one:ident = $One:ident)*; two: $($two:ident = $Two:ident)*; ask: $($ask:ident = $Ask:ident)*) => {
        impl<'r> Lane for Note<'r> {
            type Mask = Truth<'r>;
            #[inline(never)]
            fn splat(&self, v: f64) -> Self {
                self.0.begin(Step::Const(v))
            }
            fn fma(&self, b: &Self, c: &Self) -> Self {
                self.0.begin(Step::Fma(self.1, b.1, c.1))
            }
            $(#[inline]
            fn $one(&self) -> Self {
                self.one(One::$One)
            })*
            $(#[inline]
            fn $two(&self, b: &Self) -> Self {
                self.two(Two::$Two, b)
            })*
            $(#[inline]
            fn $ask(&self, b: &Self) -> Truth<'r> {
                self.ask(Ask::$Ask, b)
            })*
            fn is_nan(&self) -> Truth<'r> {
                self.ask(Ask::Ne, self)
            }
            fn and(a: &Truth<'r>, b: &Truth<'r>) -> Truth<'r> {
                Truth(a.0, a.0.push(Step::And(a.1, b.1)))
            }
            fn or(a: &Truth<'r>, b: &Truth<'r>) -> Truth<'r> {
                Truth(a.0, a.0.push(Step::Or(a.1, b.1)))
            }
            fn not(a: &Truth<'r>) -> Truth<'r> {
                Truth(a.0, a.0.push(Step::Not(a.1)))
            }
            fn select(mask: &Truth<'r>, yes: &Self, no: &Self) -> Self {
                yes.0.begin(Step::Select(mask.1, yes.1, no.1))
            }
        }

        /// A step over any kind of number.
        fn step<L: Lane>(step: &Step, at: &[Value<L>], inputs: &[&L]) -> Value<L> {
            Value::Number(match *step {
                Step::Input(k) => inputs[k].clone(),
                Step::Const(v) => inputs[0].splat(v),
                $(Step::One(One::$One, a) => at[a].number().$one(),)*
                $(Step::Two(Two::$Two, a, b) => at[a].number().$two(at[b].number()),)*
                Step::Fma(a, b, c) => at[a].number().fma(at[b].number(), at[c].number()),
                Step::Select(m, a, b) => L::select(at[m].truth(), at[a].number(), at[b].number()),
                $(Step::Ask(Ask::$Ask, a, b) => return Value::Truth(at[a].number().$ask(at[b].number())),)*
                Step::And(a, b) => return Value::Truth(L::and(at[a].truth(), at[b].truth())),
                Step::Or(a, b) => return Value::Truth(L::or(at[a].truth(), at[b].truth())),
                Step::Not(a) => return Value::Truth(L::not(at[a].truth())),
                Step::Truth(_) => unreachable!("functions are of numbers"),
            })
        }
    };
}
lane!(
    one: neg = Neg abs = Abs sign = Sign sqrt = Sqrt rsqrt = Rsqrt recip = Recip floor = Floor ceil = Ceil round = Round trunc = Trunc
        exp = Exp exp2 = Exp2 expm1 = Expm1 ln = Ln log2 = Log2 log10 = Log10 log1p = Log1p sin = Sin cos = Cos tan = Tan asin = Asin
        acos = Acos atan = Atan sinh = Sinh cosh = Cosh tanh = Tanh asinh = Asinh acosh = Acosh atanh = Atanh sigmoid = Sigmoid
        erf = Erf erfc = Erfc gaussian = Gaussian erfinv = Erfinv lgamma = Lgamma digamma = Digamma;
    two: add = Add sub = Sub mul = Mul div = Div min = Min max = Max copysign = Copysign fmod = Fmod rem = Rem pow = Pow atan2 = Atan2;
    ask: lt = Lt le = Le gt = Gt ge = Ge eq = Eq ne = Ne
);

enum Value<L: Lane> {
    Number(L),
    Truth(L::Mask),
}
impl<L: Lane> Value<L> {
    fn number(&self) -> &L {
        match self {
            Value::Number(x) => x,
            Value::Truth(_) => unreachable!("a number"),
        }
    }
    fn truth(&self) -> &L::Mask {
        match self {
            Value::Truth(x) => x,
            Value::Number(_) => unreachable!("a truth value"),
        }
    }
}

/// 64 numbers, or 64 truth values of 4 bytes.
#[repr(C, align(64))]
#[derive(Clone, Copy)]
struct Room<W: Copy>(MaybeUninit<[W; LEN]>);

impl Text {
    fn steps(&self) -> &[Step] {
        // SAFETY: `count` steps were written.
        unsafe { std::slice::from_raw_parts(self.steps.as_ptr().cast(), self.count) }
    }

    /// The value over any kind of number.
    pub fn replay<L: Lane>(&self, inputs: &[&L]) -> L {
        let mut values: Vec<Value<L>> = Vec::with_capacity(self.count);
        for s in self.steps() {
            let value = step(s, &values, inputs);
            values.push(value);
        }
        values[self.value].number().clone()
    }

    /// The value of `n` elements of W, block by block. A short block is filled up with a number that occurs, so that no step stumbles over an odd one.
    ///
    /// # Safety
    /// `n` elements must be readable behind each pointer that the text reads and writable at `out`, which may be an input but not overlap one
    /// otherwise.
    pub unsafe fn run<W: Wide>(&self, ins: &[*const u8; INPUTS], out: *mut u8, n: usize) {
        let steps = self.steps();
        let mut few = [const { MaybeUninit::<Room<W>>::uninit() }; FEW];
        let mut many = Vec::with_capacity(if steps.len() > FEW { steps.len() } else { 0 });
        let rooms = if steps.len() > FEW { many.as_mut_ptr() } else { few.as_mut_ptr() };
        let room = |i: usize| rooms.wrapping_add(i).cast::<u8>();
        let mut places = [const { MaybeUninit::<*mut u8>::uninit() }; MOST];
        for i in 0..steps.len() {
            places[i].write(room(i));
        }
        // SAFETY: as many were just written.
        let at = unsafe { std::slice::from_raw_parts_mut(places.as_mut_ptr().cast::<*mut u8>(), steps.len()) };
        for (i, step) in steps.iter().enumerate() {
            if let Step::Const(v) = *step {
                // SAFETY: a room is for LEN numbers.
                unsafe { at[i].cast::<[W; LEN]>().write([W::of_f64(v); LEN]) };
            }
        }
        // What is computed last may be written where it belongs, unless that is an input, which a step reads.
        let direct = !matches!(steps[self.value], Step::Input(_) | Step::Const(_)) && !ins.contains(&out.cast_const());
        let mut start = 0;
        while start < n {
            let len = LEN.min(n - start);
            let offset = start * size_of::<W>();
            for (i, step) in steps.iter().enumerate() {
                let to = if direct && i == self.value && len == LEN { out.wrapping_add(offset) } else { room(i) };
                // SAFETY: pointers are to rooms, or to LEN elements of an input or of the output; a step reads earlier steps, none of which
                // lies where its result does.
                unsafe {
                    let n = |i: usize| &*at[i].cast::<[W; LEN]>();
                    let m = |i: usize| &*at[i].cast::<[u32; LEN]>();
                    match *step {
                        Step::Const(_) => continue,
                        Step::Input(k) => {
                            let from = ins[k].wrapping_add(offset);
                            if len == LEN {
                                at[i] = from.cast_mut();
                                continue;
                            }
                            let (from, to) = (from.cast::<W>(), to.cast::<W>());
                            std::ptr::copy_nonoverlapping(from, to, len);
                            let last = from.add(len - 1).read();
                            (len..LEN).for_each(|j| to.add(j).write(last));
                        }
                        Step::One(f, a) => W::block_one(f, n(a), &mut *to.cast()),
                        Step::Two(f, a, b) => W::block_two(f, n(a), n(b), &mut *to.cast()),
                        Step::Ask(f, a, b) => W::block_ask(f, n(a), n(b), &mut *to.cast()),
                        Step::Fma(a, b, c) => W::block_fma(n(a), n(b), n(c), &mut *to.cast()),
                        Step::Select(t, a, b) => W::block_select(m(t), n(a), n(b), &mut *to.cast()),
                        Step::And(a, b) => masks(m(a), m(b), &mut *to.cast(), |a, b| a & b),
                        Step::Or(a, b) => masks(m(a), m(b), &mut *to.cast(), |a, b| a | b),
                        Step::Not(a) => masks(m(a), m(a), &mut *to.cast(), |a, _| a ^ 1),
                        Step::Truth(_) => unreachable!("functions are of numbers"),
                    }
                }
                at[i] = to;
            }
            let value = at[self.value];
            if value != out.wrapping_add(offset) {
                // SAFETY: the value has LEN elements, and `len` may be written; where the output is an input that is the value, nothing is copied.
                unsafe { std::ptr::copy_nonoverlapping(value, out.wrapping_add(offset), len * size_of::<W>()) };
            }
            start += len;
        }
    }
}

fn masks(a: &[u32; LEN], b: &[u32; LEN], out: &mut [u32; LEN], f: impl Fn(u32, u32) -> u32) {
    for i in 0..LEN {
        out[i] = f(a[i], b[i]);
    }
}
