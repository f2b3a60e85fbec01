//! Chains: cheap steps of which each reads what the one before gave, run without leaving the registers.
//!
//! A step over a tile costs a load of each operand and a store, and they cost more than an addition. So [`Chain`] takes twelve vectors at a time
//! (24 of AVX-512) through all its links before it stores them. A chain of ten links over a million f32 takes a fifth of what its steps took one by
//! one (measured on Zen 3).

use super::block::{Ask, One, Two};
use super::fused::{Step, TILE};
use super::vectors::{Vector, Vectors};
use crate::level::{Kernel, Simd, dispatch};
#[cfg(target_arch = "x86_64")]
use crate::level::{Level, level};
use std::ops::Range;

/// What a link does with the number that comes along the chain, `x`, and the numbers of other steps, `a`, `b`, `c`.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Act {
    Neg,
    Abs,
    Sqrt,
    Add,
    /// `x - a`
    Sub,
    /// `a - x`
    SubFrom,
    Mul,
    /// `x / a`
    Div,
    /// `a / x`
    DivInto,
    /// The larger of x and a, in this order: it matters for the sign of zero.
    Max,
    /// The larger of a and x.
    MaxOf,
    Min,
    MinOf,
    /// `x * a + b`
    MulAdd,
    /// `a * b + x`
    AddMul,
    /// x where `a < b`, else c.
    Less,
    /// c where `a < b`, else x.
    NotLess,
    LessEqual,
    NotLessEqual,
    Equal,
    NotEqual,
    /// b where `x < a`, else x; and so on: what is asked about is also what is chosen.
    BelowElse,
    BelowKeep,
    AboveElse,
    AboveKeep,
    AtMostElse,
    AtMostKeep,
    AtLeastElse,
    AtLeastKeep,
    SameElse,
    SameKeep,
    // With constants: one instruction for each vector, and the constant is loaded once for all.
    AddConst,
    SubConst,
    SubFromConst,
    MulConst,
    DivIntoConst,
    /// `x * a + b`
    MulAddConst,
    /// a where `x < a`, else x: x if that is NaN.
    Raise,
    /// a where `x > a`, else x.
    Lower,
    /// a where `x <= a`, else x: not x itself where both are zero.
    RaiseZero,
    /// a where `x >= a`, else x.
    LowerZero,
}

/// The act with the operands that are constants as such: the same result to the bit.
fn with_constants(act: Act, constants: [Option<f64>; 3], same: bool) -> Act {
    let [Some(a), b, _] = constants else { return act };
    // In f32 a small number may be zero.
    let (zero, nan) = (a as f32 == 0.0, a.is_nan());
    match act {
        Act::Add => Act::AddConst,
        Act::Sub => Act::SubConst,
        Act::SubFrom => Act::SubFromConst,
        Act::Mul => Act::MulConst,
        Act::DivInto => Act::DivIntoConst,
        Act::MulAdd if b.is_some() => Act::MulAddConst,
        Act::Max if !zero && !nan => Act::Raise,
        Act::Min if !zero && !nan => Act::Lower,
        Act::Max if zero => Act::RaiseZero,
        Act::Min if zero => Act::LowerZero,
        Act::BelowElse if same => Act::Raise,
        Act::AboveElse if same => Act::Lower,
        Act::AtMostElse if same => Act::RaiseZero,
        Act::AtLeastElse if same => Act::LowerZero,
        _ => act,
    }
}

/// A link: an act, and the steps that it reads beside the chain.
#[derive(Clone, Copy, Debug)]
struct Link {
    act: Act,
    others: [u32; 3],
}

/// What a program does for each tile, in order.
#[derive(Clone, Debug)]
pub(super) enum Instruction {
    /// A step by itself.
    Step(usize),
    /// A chain that begins with the result of a step and gives that of another.
    Chain { from: usize, links: Range<usize>, to: usize },
}

/// The instructions of a program, and the links of all its chains.
#[derive(Clone, Debug)]
pub(super) struct Instructions {
    pub list: Vec<Instruction>,
    links: Vec<Link>,
}

impl Instructions {
    /// Joins steps to chains. `wanted` steps are results of the program: their numbers are stored.
    pub fn new(steps: &[Step], wanted: impl Fn(usize) -> bool) -> Instructions {
        let mut uses = vec![0; steps.len()];
        steps.iter().flat_map(Step::reads).for_each(|r| uses[r] += 1);
        // A number that is asked about and then chosen, by one selection alone, is used there only.
        for i in 0..steps.len() {
            if let Step::Select(m, yes, no) = steps[i]
                && let Step::Ask(_, a, b) = steps[m]
                && uses[m] == 1
            {
                (0..i).filter(|x| (a == *x) != (b == *x) && (yes == *x) != (no == *x)).for_each(|x| uses[x] -= 1);
            }
        }
        let alone = |i: usize| uses[i] == 1 && !wanted(i);
        // A question that only a selection asks is part of it.
        let asked: Vec<bool> = (0..steps.len())
            .map(|i| {
                let only = |s: &Step| matches!(s, Step::Select(m, a, b) if *m == i && *a != i && *b != i);
                matches!(steps[i], Step::Ask(..)) && alone(i) && steps.iter().any(only)
            })
            .collect();
        let links: Vec<Option<(usize, Link)>> = (0..steps.len()).map(|i| link(steps, i, &asked, &alone)).collect();
        let mut next = vec![false; steps.len()];
        for (x, _) in links.iter().flatten() {
            next[*x] = links[*x].is_some() && alone(*x);
        }
        let mut out = Instructions { list: Vec::new(), links: Vec::new() };
        for i in 0..steps.len() {
            match links[i] {
                Some(_) if next[i] => {}
                Some(_) => {
                    let start = out.links.len();
                    let mut at = i;
                    while let Some((x, link)) = links[at] {
                        out.links.push(link);
                        at = x;
                        if !next[x] {
                            break;
                        }
                    }
                    out.links[start..].reverse();
                    out.list.push(Instruction::Chain { from: at, links: start..out.links.len(), to: i });
                }
                None if asked[i] || matches!(steps[i], Step::Const(_)) => {}
                None => out.list.push(Instruction::Step(i)),
            }
        }
        out
    }

    /// The step whose result an instruction gives.
    pub fn result(&self, instruction: &Instruction) -> usize {
        match instruction {
            Instruction::Step(i) => *i,
            Instruction::Chain { to, .. } => *to,
        }
    }

    /// The steps whose results an instruction reads.
    pub fn reads(&self, steps: &[Step], instruction: &Instruction) -> Vec<usize> {
        match instruction {
            Instruction::Step(i) => steps[*i].reads().collect(),
            Instruction::Chain { from, links, .. } => {
                let others = self.links[links.clone()].iter().flat_map(|l| l.others);
                std::iter::once(*from).chain(others.filter(|o| *o != NONE).map(|o| o as usize)).collect()
            }
        }
    }

    /// A chain, ready to run on a tile.
    ///
    /// # Safety
    /// `at` has a pointer for each step, and TILE elements lie behind those that the chain reads and behind `out`.
    pub unsafe fn chain<'a, W>(
        &'a self,
        from: usize,
        links: &Range<usize>,
        at: &'a [*mut u8],
        out: *mut u8,
    ) -> Chain<'a, W> {
        Chain { links: &self.links[links.clone()], from: at[from].cast(), at, out: out.cast() }
    }
}

/// No step.
const NONE: u32 = u32::MAX;

/// Step `i` as a link: what comes along the chain, and the link. The operand that nothing else reads comes along.
fn link(steps: &[Step], i: usize, asked: &[bool], alone: &impl Fn(usize) -> bool) -> Option<(usize, Link)> {
    let cheap = |p: usize| match steps[p] {
        Step::One(One::Neg | One::Abs | One::Sqrt, _) | Step::Fma(..) => true,
        Step::Two(Two::Add | Two::Sub | Two::Mul | Two::Div | Two::Max | Two::Min, ..) => true,
        Step::Select(m, ..) => asked[m],
        _ => false,
    };
    if !cheap(i) {
        return None;
    }
    let along = |p: usize| alone(p) && cheap(p);
    let made = |x: usize, act: Act, others: &[usize]| {
        let (mut o, mut constants) = ([NONE; 3], [None; 3]);
        for (k, v) in others.iter().enumerate() {
            o[k] = *v as u32;
            if let Step::Const(c) = steps[*v] {
                constants[k] = Some(c);
            }
        }
        let act = with_constants(act, constants, others.len() > 1 && others[0] == others[1]);
        Some((x, Link { act, others: o }))
    };
    // With the same number on both sides either may come along: `alone` says no.
    match steps[i] {
        Step::One(One::Neg, a) => made(a, Act::Neg, &[]),
        Step::One(One::Abs, a) => made(a, Act::Abs, &[]),
        Step::One(_, a) => made(a, Act::Sqrt, &[]),
        Step::Two(f, a, b) => {
            let (x, other, first) = if !along(a) && along(b) { (b, a, false) } else { (a, b, true) };
            let act = match (f, first) {
                (Two::Add, _) => Act::Add,
                (Two::Mul, _) => Act::Mul,
                (Two::Sub, true) => Act::Sub,
                (Two::Sub, false) => Act::SubFrom,
                (Two::Div, true) => Act::Div,
                (Two::Div, false) => Act::DivInto,
                (Two::Max, true) => Act::Max,
                (Two::Max, false) => Act::MaxOf,
                (Two::Min, true) => Act::Min,
                _ => Act::MinOf,
            };
            made(x, act, &[other])
        }
        Step::Fma(a, b, c) if !along(a) && !along(b) && along(c) => made(c, Act::AddMul, &[a, b]),
        Step::Fma(a, b, c) if !along(a) && along(b) => made(b, Act::MulAdd, &[a, c]),
        Step::Fma(a, b, c) => made(a, Act::MulAdd, &[b, c]),
        Step::Select(m, yes, no) => {
            let Step::Ask(question, a, b) = steps[m] else { return None };
            let (mut x_if, mut a, mut b) = (along(yes) || !along(no), a, b);
            let (x, other) = if x_if { (yes, no) } else { (no, yes) };
            if x == a || x == b {
                let kept = x_if != (question == Ask::Ne);
                let acts = match (question, x == a) {
                    (Ask::Lt, true) | (Ask::Gt, false) => [Act::BelowElse, Act::BelowKeep],
                    (Ask::Gt, true) | (Ask::Lt, false) => [Act::AboveElse, Act::AboveKeep],
                    (Ask::Le, true) | (Ask::Ge, false) => [Act::AtMostElse, Act::AtMostKeep],
                    (Ask::Ge, true) | (Ask::Le, false) => [Act::AtLeastElse, Act::AtLeastKeep],
                    _ => [Act::SameElse, Act::SameKeep],
                };
                return made(x, acts[usize::from(kept)], &[if x == a { b } else { a }, other]);
            }
            if matches!(question, Ask::Gt | Ask::Ge) {
                (a, b) = (b, a);
            }
            if question == Ask::Ne {
                x_if = !x_if;
            }
            let act = match (question, x_if) {
                (Ask::Lt | Ask::Gt, true) => Act::Less,
                (Ask::Lt | Ask::Gt, false) => Act::NotLess,
                (Ask::Le | Ask::Ge, true) => Act::LessEqual,
                (Ask::Le | Ask::Ge, false) => Act::NotLessEqual,
                (_, true) => Act::Equal,
                (_, false) => Act::NotEqual,
            };
            made(x, act, &[a, b, other])
        }
        _ => None,
    }
}

/// A chain over a tile.
pub(super) struct Chain<'a, W> {
    links: &'a [Link],
    from: *const W,
    at: &'a [*mut u8],
    out: *mut W,
}

/// Vectors that go through a chain together: three quarters of the registers, the others hold operands. One, where it is for old processors
/// alone: a tenth of the text.
const VECTORS: usize = 12;
/// The same of the 32 registers of AVX-512.
#[cfg(target_arch = "x86_64")]
const VECTORS_512: usize = 24;

impl<W: Vectors> Kernel for Chain<'_, W> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self) {
        // SAFETY: by the promise of `Instructions::chain`; the level is the one that was chosen because the processor has it.
        unsafe {
            #[cfg(target_arch = "x86_64")]
            return if S::FUSED { self.go::<W::Avx2, VECTORS>() } else { self.go::<W::Portable<S>, 1>() };
            #[cfg(not(target_arch = "x86_64"))]
            self.go::<W::Portable<S>, VECTORS>()
        }
    }
}

impl<W: Vectors> Chain<'_, W> {
    /// Runs it on the instructions of the level in use.
    #[inline]
    pub fn run_here(self) {
        #[cfg(target_arch = "x86_64")]
        if level() == Level::Avx512 {
            // SAFETY: the processor has AVX-512.
            return unsafe { self.run_512() };
        }
        dispatch(self);
    }

    /// # Safety
    /// The processor must have AVX-512.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")]
    unsafe fn run_512(self) {
        // SAFETY: the caller's promise, and that of `Instructions::chain`.
        unsafe { self.go::<W::Avx512, VECTORS_512>() }
    }

    /// # Safety
    /// The processor must have the vectors' instructions.
    #[inline(always)]
    unsafe fn go<V: Vector<W>, const N: usize>(self) {
        let mut start = 0;
        // SAFETY: `start + N * V::LEN` is at most TILE, which is a multiple of it; others are steps that the link reads.
        unsafe {
            while start < TILE {
                let mut x = [V::load(self.from.add(start)); N];
                for v in 1..N {
                    x[v] = V::load(self.from.add(start + v * V::LEN));
                }
                for link in self.links {
                    let other = |k: usize| {
                        (*self.at.get_unchecked(link.others[k] as usize)).cast::<W>().cast_const().add(start)
                    };
                    macro_rules! each {
                        (|$x:ident $(, $other:ident)*| $y:expr) => {{
                            let mut _k = 0..3;
                            $( let $other = other(_k.next().expect("at most three")); )*
                            for v in 0..N {
                                let $x = x[v];
                                $( let $other = V::load($other.add(v * V::LEN)); )*
                                x[v] = $y;
                            }
                        }};
                    }
                    // A constant, or two: at the beginning of its tile.
                    macro_rules! each_const {
                        (|$x:ident $(, $other:ident)*| $y:expr) => {{
                            let mut _k = 0..3;
                            $( let $other = V::splat(*other(_k.next().expect("at most three"))); )*
                            for v in 0..N {
                                let $x = x[v];
                                x[v] = $y;
                            }
                        }};
                    }
                    match link.act {
                        Act::AddConst => each_const!(|x, a| x.add(a)),
                        Act::SubConst => each_const!(|x, a| x.sub(a)),
                        Act::SubFromConst => each_const!(|x, a| a.sub(x)),
                        Act::MulConst => each_const!(|x, a| x.mul(a)),
                        Act::DivIntoConst => each_const!(|x, a| a.div(x)),
                        Act::MulAddConst => each_const!(|x, a, b| x.fma(a, b)),
                        Act::Raise => each_const!(|x, a| a.larger_or(x)),
                        Act::Lower => each_const!(|x, a| a.smaller_or(x)),
                        Act::RaiseZero => each_const!(|x, a| V::select(x.le(a), a, x)),
                        Act::LowerZero => each_const!(|x, a| V::select(a.le(x), a, x)),
                        Act::Neg => each!(|x| x.neg()),
                        Act::Abs => each!(|x| x.abs()),
                        Act::Sqrt => each!(|x| x.sqrt()),
                        Act::Add => each!(|x, a| x.add(a)),
                        Act::Sub => each!(|x, a| x.sub(a)),
                        Act::SubFrom => each!(|x, a| a.sub(x)),
                        Act::Mul => each!(|x, a| x.mul(a)),
                        Act::Div => each!(|x, a| x.div(a)),
                        Act::DivInto => each!(|x, a| a.div(x)),
                        Act::Max => each!(|x, a| x.max(a)),
                        Act::MaxOf => each!(|x, a| a.max(x)),
                        Act::Min => each!(|x, a| x.min(a)),
                        Act::MinOf => each!(|x, a| a.min(x)),
                        Act::MulAdd => each!(|x, a, b| x.fma(a, b)),
                        Act::AddMul => each!(|x, a, b| a.fma(b, x)),
                        Act::Less => each!(|x, a, b, c| V::select(a.lt(b), x, c)),
                        Act::NotLess => each!(|x, a, b, c| V::select(a.lt(b), c, x)),
                        Act::LessEqual => each!(|x, a, b, c| V::select(a.le(b), x, c)),
                        Act::NotLessEqual => each!(|x, a, b, c| V::select(a.le(b), c, x)),
                        Act::Equal => each!(|x, a, b, c| V::select(a.eq(b), x, c)),
                        Act::NotEqual => each!(|x, a, b, c| V::select(a.eq(b), c, x)),
                        Act::BelowElse => each!(|x, a, b| V::select(x.lt(a), b, x)),
                        Act::BelowKeep => each!(|x, a, b| V::select(x.lt(a), x, b)),
                        Act::AboveElse => each!(|x, a, b| V::select(a.lt(x), b, x)),
                        Act::AboveKeep => each!(|x, a, b| V::select(a.lt(x), x, b)),
                        Act::AtMostElse => each!(|x, a, b| V::select(x.le(a), b, x)),
                        Act::AtMostKeep => each!(|x, a, b| V::select(x.le(a), x, b)),
                        Act::AtLeastElse => each!(|x, a, b| V::select(a.le(x), b, x)),
                        Act::AtLeastKeep => each!(|x, a, b| V::select(a.le(x), x, b)),
                        Act::SameElse => each!(|x, a, b| V::select(x.eq(a), b, x)),
                        Act::SameKeep => each!(|x, a, b| V::select(x.eq(a), x, b)),
                    }
                }
                for v in 0..N {
                    x[v].store(self.out.add(start + v * V::LEN));
                }
                start += N * V::LEN;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::erased::FloatKind;
    use super::super::fused::{End, Program};
    use super::*;
    use crate::level::{Level, level, set_level};

    /// A step of three numbers, one by one, by the rules of `Lane`.
    fn plain(steps: &[Step], x: &[f32; 3]) -> Vec<f32> {
        let mut v: Vec<f32> = Vec::new();
        for s in steps {
            let truth = |m: usize| v[m] != 0.0;
            v.push(match *s {
                Step::Input(k) => x[k],
                Step::Const(c) => c as f32,
                Step::One(One::Neg, a) => -v[a],
                Step::One(One::Abs, a) => v[a].abs(),
                Step::One(One::Sqrt, a) => v[a].sqrt(),
                Step::Two(Two::Add, a, b) => v[a] + v[b],
                Step::Two(Two::Sub, a, b) => v[a] - v[b],
                Step::Two(Two::Mul, a, b) => v[a] * v[b],
                Step::Two(Two::Div, a, b) => v[a] / v[b],
                Step::Two(Two::Max, a, b) => {
                    if v[a] > v[b] || v[a].is_nan() {
                        v[a]
                    } else {
                        v[b]
                    }
                }
                Step::Two(Two::Min, a, b) => {
                    if v[a] < v[b] || v[a].is_nan() {
                        v[a]
                    } else {
                        v[b]
                    }
                }
                Step::Fma(a, b, c) if level() == Level::Scalar => v[a] * v[b] + v[c],
                Step::Fma(a, b, c) => v[a].mul_add(v[b], v[c]),
                Step::Ask(q, a, b) => f32::from(match q {
                    Ask::Lt => v[a] < v[b],
                    Ask::Le => v[a] <= v[b],
                    Ask::Gt => v[a] > v[b],
                    Ask::Ge => v[a] >= v[b],
                    Ask::Eq => v[a] == v[b],
                    Ask::Ne => v[a] != v[b],
                }),
                Step::Select(m, a, b) => {
                    if truth(m) {
                        v[a]
                    } else {
                        v[b]
                    }
                }
                _ => unreachable!("{s:?}"),
            });
        }
        v
    }

    fn bytes(x: &[f32]) -> &[u8] {
        // SAFETY: plain numbers.
        unsafe { std::slice::from_raw_parts(x.as_ptr().cast(), size_of_val(x)) }
    }
    fn bytes_mut(x: &mut [f32]) -> &mut [u8] {
        // SAFETY: plain numbers.
        unsafe { std::slice::from_raw_parts_mut(x.as_mut_ptr().cast(), size_of_val(x)) }
    }

    #[test]
    fn chains_give_the_bits_of_their_steps() {
        let mut seed = 1u64;
        let mut draw = |n: usize| {
            seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (seed >> 33) as usize % n
        };
        let special = [0.0, -0.0, 1.0, -1.0, f32::NAN, f32::INFINITY, -2.5, 1e-30];
        const N: usize = 300;
        let x: [Vec<f32>; 3] = std::array::from_fn(|_| (0..N).map(|_| special[draw(special.len())]).collect());
        let before = level();
        for round in 0..if cfg!(miri) { 4 } else { 600 } {
            let mut steps =
                vec![Step::Input(0), Step::Input(1), Step::Input(2), Step::Const([0.5, 0.0, -0.0, -1.0][round % 4])];
            let questions = [Ask::Lt, Ask::Le, Ask::Gt, Ask::Ge, Ask::Eq, Ask::Ne];
            let twos = [Two::Add, Two::Sub, Two::Mul, Two::Div, Two::Max, Two::Min];
            for _ in 0..2 + draw(12) {
                let numbers: Vec<usize> = (0..steps.len()).filter(|i| !steps[*i].is_truth()).collect();
                // Mostly the last number, so that chains come about.
                let mut any = || if draw(2) == 0 { numbers[numbers.len() - 1] } else { numbers[draw(numbers.len())] };
                let (a, b, c, d) = (any(), any(), any(), any());
                match draw(5) {
                    0 => steps.push(Step::One([One::Neg, One::Abs, One::Sqrt][draw(3)], a)),
                    1 | 2 => steps.push(Step::Two(twos[draw(6)], a, b)),
                    3 => steps.push(Step::Fma(a, b, c)),
                    _ => {
                        steps.push(Step::Ask(questions[draw(6)], a, b));
                        let (c, d) = [(c, d), (a, d), (c, a), (b, d), (c, b)][draw(5)];
                        steps.push(Step::Select(steps.len() - 1, c, d));
                    }
                }
            }
            let last = steps.len() - 1;
            let mut results = vec![(last, End::Store)];
            let other = draw(steps.len());
            if other > 3 && other != last && !steps[other].is_truth() {
                results.push((other, End::Store));
            }
            let program = Program::new(FloatKind::F32, steps.clone(), results.clone());
            for wanted in [Level::Scalar, Level::Avx2, before] {
                set_level(wanted);
                let mut y = vec![vec![0.0f32; N]; results.len()];
                let mut outs: Vec<&mut [u8]> = y.iter_mut().map(|y| bytes_mut(y)).collect();
                let inputs: Vec<_> = x.iter().map(|x| (bytes(x), &[1usize][..])).collect();
                program.run(&[N], &inputs[..program.inputs()], &mut outs);
                for i in 0..N {
                    let want = plain(&steps, &[x[0][i], x[1][i], x[2][i]]);
                    for (y, (r, _)) in y.iter().zip(&results) {
                        let same = y[i].to_bits() == want[*r].to_bits() || y[i].is_nan() && want[*r].is_nan();
                        assert!(same, "round {round}, {wanted:?}: {} for {} from {steps:?}", y[i], want[*r]);
                    }
                }
            }
        }
    }
}
