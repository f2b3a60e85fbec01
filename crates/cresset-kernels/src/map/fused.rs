//! A row of pointwise steps in one pass over memory.
//!
//! A [`Program`] is a list of [`Step`]s over numbers and truth values. It is run on tiles of [`TILE`] elements: a step is a vector loop
//! from tile to tile, a row of cheap steps a chain that stays in registers (`chain.rs`), and all tiles of a program stay in the first-level
//! cache, so that only its inputs and outputs touch memory. The steps are those of [`Lane`](crate::lane::Lane), so a program gives the bits of
//! its steps run one by one.

use super::block::{self, Ask, One, Steps, Two};
use super::chain::{Instruction, Instructions};
use super::erased::{BytesIn, FloatKind};
use super::vectors::Vectors;
use crate::level::{Kernel, Level, Simd, dispatch, level};
use crate::math::Wide;
use crate::strided::{Plan, extent, is_contiguous};
use crate::threads;
use std::mem::MaybeUninit;
use std::ops::Range;

/// Elements of a tile, 3 KiB of f32: half a dozen tiles, more than most programs need, fill half of a first-level cache. A multiple of what a
/// chain and what a block takes at a time.
pub const TILE: usize = 768;
/// Elements in a thread's piece. Sums are formed piece by piece, so their bits do not depend on the number of threads.
const GRAIN: usize = 43 * TILE;

/// One step; the numbers in it are the places of earlier steps in the list.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Step {
    /// The numbers of an input.
    Input(usize),
    /// The truth values of an input, one byte each.
    Truth(usize),
    /// The same number everywhere.
    Const(f64),
    /// A function of one number.
    One(One, usize),
    /// A function of two numbers.
    Two(Two, usize, usize),
    /// `a * b + c` with one rounding where the processor can.
    Fma(usize, usize, usize),
    /// A question about two numbers.
    Ask(Ask, usize, usize),
    /// Both truth values.
    And(usize, usize),
    /// Either of two truth values.
    Or(usize, usize),
    /// The opposite truth value.
    Not(usize),
    /// The first number where the truth value holds, else the second.
    Select(usize, usize, usize),
}

impl Step {
    /// Is its result a truth value?
    pub fn is_truth(&self) -> bool {
        matches!(self, Step::Truth(_) | Step::Ask(..) | Step::And(..) | Step::Or(..) | Step::Not(_))
    }
    /// The steps that it reads.
    pub fn reads(&self) -> impl Iterator<Item = usize> {
        let three = match *self {
            Step::Input(_) | Step::Truth(_) | Step::Const(_) => [None; 3],
            Step::One(_, a) | Step::Not(a) => [Some(a), None, None],
            Step::Two(_, a, b) | Step::Ask(_, a, b) | Step::And(a, b) | Step::Or(a, b) => [Some(a), Some(b), None],
            Step::Fma(a, b, c) | Step::Select(a, b, c) => [Some(a), Some(b), Some(c)],
        };
        three.into_iter().flatten()
    }
}

/// What becomes of a step's result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It is written, row-major: numbers, or truth values as bytes 0 and 1.
    Store,
    /// The sum of all numbers is written, one number.
    Sum,
}

/// A list of steps made ready to run.
#[derive(Clone, Debug)]
pub struct Program {
    kind: FloatKind,
    steps: Vec<Step>,
    instructions: Instructions,
    /// The tile of each step.
    tiles: Vec<usize>,
    count: usize,
    inputs: usize,
    outputs: Vec<(usize, End)>,
    /// By step, the output in whose memory it may be computed: one of numbers, and the first that it is.
    direct: Vec<Option<usize>>,
}

impl Program {
    /// A program over f32 or f64 numbers. `outputs` are places in the list of steps.
    ///
    /// # Panics
    /// If the numbers are neither f32 nor f64, a step reads a later one or one of the wrong kind, or a sum is asked of truth values.
    pub fn new(kind: FloatKind, steps: Vec<Step>, outputs: Vec<(usize, End)>) -> Program {
        assert!(matches!(kind, FloatKind::F32 | FloatKind::F64), "a program computes in f32 or f64");
        let mut inputs = 0;
        for (i, step) in steps.iter().enumerate() {
            assert!(step.reads().all(|r| r < i), "step {i} reads a later one");
            let truths = |n: usize| step.reads().take(n).all(|r| steps[r].is_truth());
            let numbers = |skip: usize| step.reads().skip(skip).all(|r| !steps[r].is_truth());
            let fits = match step {
                Step::Input(k) | Step::Truth(k) => {
                    inputs = inputs.max(k + 1);
                    true
                }
                Step::And(..) | Step::Or(..) | Step::Not(_) => truths(2),
                Step::Select(..) => truths(1) && numbers(1),
                _ => numbers(0),
            };
            assert!(fits, "step {i} mixes numbers and truth values");
        }
        let numbers = outputs.iter().all(|&(o, end)| o < steps.len() && (end == End::Store || !steps[o].is_truth()));
        assert!(numbers, "an output is not there, or a sum of truth values");
        let instructions = Instructions::new(&steps, |i| outputs.iter().any(|o| o.0 == i));
        let (tiles, count) = assign(&steps, &instructions, &outputs);
        let direct = (0..steps.len())
            .map(|i| {
                let computed = !matches!(steps[i], Step::Input(_) | Step::Truth(_) | Step::Const(_));
                let first = outputs.iter().position(|o| *o == (i, End::Store));
                first.filter(|_| computed && !steps[i].is_truth())
            })
            .collect();
        Program { kind, steps, instructions, tiles, count, inputs, outputs, direct }
    }

    /// How many tensors it reads.
    pub fn inputs(&self) -> usize {
        self.inputs
    }
    /// Its steps.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }
    /// The steps that are its results, and what becomes of them.
    pub fn outputs(&self) -> &[(usize, End)] {
        &self.outputs
    }

    /// Runs it over tensors of `shape`: the inputs through their strides (0 where they broadcast), the outputs row-major.
    ///
    /// # Panics
    /// If the strides of an input reach beyond its bytes, or an output has not the bytes of its elements.
    pub fn run(&self, shape: &[usize], inputs: &[BytesIn], outputs: &mut [&mut [u8]]) {
        match self.kind {
            FloatKind::F64 => run::<f64>(self, shape, inputs, outputs),
            _ => run::<f32>(self, shape, inputs, outputs),
        }
    }
}

/// Gives the result of each instruction a tile that no living result has. It is never one that the instruction reads.
fn assign(steps: &[Step], instructions: &Instructions, outputs: &[(usize, End)]) -> (Vec<usize>, usize) {
    let fixed = |s: &Step| matches!(s, Step::Const(_) | Step::Input(_));
    let mut last: Vec<usize> = (0..steps.len()).collect();
    for (at, instruction) in instructions.list.iter().enumerate() {
        last[instructions.result(instruction)] = at;
        instructions.reads(steps, instruction).iter().for_each(|r| last[*r] = at);
    }
    for (i, step) in steps.iter().enumerate() {
        // Outputs are written when all steps are done; constants, and inputs of one element, are filled in once before the first tile.
        if fixed(step) || outputs.iter().any(|o| o.0 == i) {
            last[i] = usize::MAX;
        }
    }
    // Their tiles come first, so that no step before them uses them.
    let mut tiles = vec![0; steps.len()];
    let mut count = 0;
    for (i, step) in steps.iter().enumerate() {
        if fixed(step) {
            tiles[i] = count;
            count += 1;
        }
    }
    let mut free: Vec<usize> = Vec::new();
    let mut living: Vec<usize> = Vec::new();
    for (at, instruction) in instructions.list.iter().enumerate() {
        let i = instructions.result(instruction);
        if !fixed(&steps[i]) {
            tiles[i] = free.pop().unwrap_or_else(|| {
                count += 1;
                count - 1
            });
            living.push(i);
        }
        living.retain(|r| {
            if last[*r] == at {
                free.push(tiles[*r]);
            }
            last[*r] != at
        });
    }
    (tiles, count)
}

/// How an input is brought to a tile.
enum Mode {
    /// In memory in the order of the output.
    Linear,
    /// One element for all: filled in once.
    Scalar,
    /// Gathered.
    Walk(Box<Plan>),
}

struct Job<'a> {
    program: &'a Program,
    inputs: &'a [BytesIn<'a>],
    modes: Vec<Mode>,
    /// First byte of each output; for a sum the first byte of the sums of all pieces.
    outputs: Vec<*mut u8>,
}
// SAFETY: pieces write different parts of the outputs.
unsafe impl Sync for Job<'_> {}

fn run<W: Tiles + Vectors>(program: &Program, shape: &[usize], inputs: &[BytesIn], outputs: &mut [&mut [u8]]) {
    let n: usize = shape.iter().product();
    let size_of_input = |k: usize| {
        let truth = program.steps.contains(&Step::Truth(k));
        if truth { 1 } else { size_of::<W>() }
    };
    assert!(inputs.len() == program.inputs, "a program of {} inputs was given {}", program.inputs, inputs.len());
    assert!(outputs.len() == program.outputs.len(), "a program of {} outputs", program.outputs.len());
    for (k, (bytes, strides)) in inputs.iter().enumerate() {
        let size = size_of_input(k);
        assert!(strides.len() == shape.len(), "{} strides for {} dimensions", strides.len(), shape.len());
        assert!(extent(shape, strides) * size <= bytes.len(), "the strides reach beyond the data");
        assert!((bytes.as_ptr() as usize).is_multiple_of(size), "elements are aligned to their size");
    }
    let mut sums = Vec::new();
    let mut pointers = Vec::new();
    for (&(o, end), out) in program.outputs.iter().zip(outputs.iter_mut()) {
        let size = if program.steps[o].is_truth() { 1 } else { size_of::<W>() };
        let count = if end == End::Sum { 1 } else { n };
        assert!(out.len() >= count * size, "an output of {} bytes for {count} elements", out.len());
        assert!((out.as_ptr() as usize).is_multiple_of(size), "elements are aligned to their size");
        if end == End::Sum {
            let mut of_pieces = vec![0.0f64; threads::pieces(n, GRAIN)];
            pointers.push(of_pieces.as_mut_ptr().cast::<u8>());
            sums.push(of_pieces);
        } else {
            pointers.push(out.as_mut_ptr());
        }
    }
    if n > 0 {
        let mut strides = vec![1; shape.len()];
        for d in (1..shape.len()).rev() {
            strides[d - 1] = strides[d] * shape[d];
        }
        let mode = |s: &[usize]| {
            if is_contiguous(shape, s) {
                Mode::Linear
            } else if shape.iter().zip(s).all(|(n, s)| *n == 1 || *s == 0) {
                Mode::Scalar
            } else {
                Mode::Walk(Box::new(Plan::new(shape, &[&strides, s])))
            }
        };
        let modes = inputs.iter().map(|(_, s)| mode(s)).collect();
        let job = Job { program, inputs, modes, outputs: pointers };
        threads::run_ranges(n, GRAIN, &|range| job.piece::<W>(range));
    }
    let mut sums = sums.into_iter();
    for (&(_, end), out) in program.outputs.iter().zip(outputs) {
        if end == End::Sum {
            let total: f64 = sums.next().expect("as many as were pushed").into_iter().sum();
            // SAFETY: at least one element, aligned, as asserted above.
            unsafe { out.as_mut_ptr().cast::<W>().write(W::of_f64(total)) };
        }
    }
}

/// One tile: 6 KiB, for numbers of 8 bytes.
#[repr(C, align(64))]
#[derive(Clone, Copy)]
struct Tile(MaybeUninit<[u64; TILE]>);

impl Job<'_> {
    fn piece<W: Tiles + Vectors>(&self, range: Range<usize>) {
        let p = self.program;
        let mut memory: Vec<Tile> = Vec::with_capacity(p.count);
        // SAFETY: a tile may hold anything.
        unsafe { memory.set_len(p.count) };
        let tile = memory.as_mut_ptr();
        let place = |i: usize| tile.wrapping_add(p.tiles[i]).cast::<u8>();
        // Where each step's result lies for the current tile: in its own tile, or in the memory of an input or an output.
        let mut at: Vec<*mut u8> = (0..p.steps.len()).map(place).collect();
        let mut totals = vec![0.0f64; p.outputs.len()];
        for (i, step) in p.steps.iter().enumerate() {
            match *step {
                // SAFETY: a tile has room for TILE numbers.
                Step::Const(v) => unsafe { fill(at[i].cast::<W>(), W::of_f64(v)) },
                Step::Input(k) if matches!(self.modes[k], Mode::Scalar) => {
                    // SAFETY: the input has an element, as was asserted.
                    unsafe { fill(at[i].cast::<W>(), self.inputs[k].0.as_ptr().cast::<W>().read()) };
                }
                _ => {}
            }
        }
        // Processors with AVX-512 see for themselves what will be read, and take a twentieth less without being told.
        let ask = level() != Level::Avx512;
        let mut start = range.start;
        while start < range.end {
            let n = TILE.min(range.end - start);
            let whole = n == TILE;
            for instruction in &p.instructions.list {
                let i = p.instructions.result(instruction);
                // SAFETY: every pointer is to a tile, or, for a whole tile, to TILE elements of an input or output that exist by the
                // assertions of `run`; no result lies where an operand does (see `assign`).
                unsafe {
                    match p.steps[i] {
                        Step::Const(_) => continue,
                        Step::Input(k) => match &self.modes[k] {
                            Mode::Scalar => continue,
                            Mode::Linear if whole => {
                                at[i] = self.inputs[k].0.as_ptr().cast_mut().wrapping_add(start * size_of::<W>());
                                if ask {
                                    ask_for(at[i].wrapping_add(TILE * size_of::<W>()), TILE * size_of::<W>());
                                }
                            }
                            mode => {
                                at[i] = place(i);
                                self.load::<W>(mode, k, start, n, at[i].cast());
                            }
                        },
                        Step::Truth(k) => {
                            // Bytes are brought to the end of the tile's memory first and widened from there.
                            let bytes = place(i).wrapping_add(size_of::<Tile>() - TILE);
                            let from = match &self.modes[k] {
                                Mode::Linear if whole => self.inputs[k].0.as_ptr().wrapping_add(start),
                                mode => {
                                    self.load::<u8>(mode, k, start, n, bytes);
                                    bytes.cast_const()
                                }
                            };
                            let mut copy = [0u8; TILE];
                            std::ptr::copy_nonoverlapping(from, copy.as_mut_ptr(), TILE);
                            widen(&copy, &mut *at[i].cast::<[u32; TILE]>());
                        }
                        _ => {
                            at[i] = match p.direct[i] {
                                Some(o) if whole => self.outputs[o].wrapping_add(start * size_of::<W>()),
                                _ => place(i),
                            };
                            match instruction {
                                Instruction::Step(i) => step_on::<W>(&p.steps[*i], &at, at[*i]),
                                Instruction::Chain { from, links, to } => {
                                    p.instructions.chain::<W>(*from, links, &at, at[*to]).run_here();
                                }
                            }
                        }
                    }
                }
            }
            for (o, &(i, end)) in p.outputs.iter().enumerate() {
                // SAFETY: as above; n elements of the output are this piece's.
                unsafe {
                    match end {
                        End::Sum => totals[o] += W::sum(std::slice::from_raw_parts(at[i].cast::<W>(), n)),
                        End::Store if p.steps[i].is_truth() => {
                            let bytes = narrow(&*at[i].cast::<[u32; TILE]>());
                            std::ptr::copy_nonoverlapping(bytes.as_ptr(), self.outputs[o].add(start), n);
                        }
                        End::Store => {
                            let to = self.outputs[o].wrapping_add(start * size_of::<W>());
                            if to != at[i] {
                                std::ptr::copy_nonoverlapping(at[i], to, n * size_of::<W>());
                            }
                        }
                    }
                }
            }
            start += n;
        }
        for (o, (_, end)) in p.outputs.iter().enumerate() {
            if *end == End::Sum {
                // SAFETY: one sum for each piece, and this is the piece's own.
                unsafe { self.outputs[o].cast::<f64>().add(range.start / GRAIN).write(totals[o]) };
            }
        }
    }

    /// Brings elements `start .. start + n` of an input to `to`, and fills the tile up with the last one.
    ///
    /// # Safety
    /// The elements are of type T, and there is room for TILE of them.
    unsafe fn load<T: Copy>(&self, mode: &Mode, k: usize, start: usize, n: usize, to: *mut T) {
        let from = self.inputs[k].0.as_ptr().cast::<T>();
        // SAFETY: the walk stays within the shape, whose elements exist as was asserted.
        unsafe {
            match mode {
                Mode::Linear => std::ptr::copy_nonoverlapping(from.add(start), to, n),
                Mode::Scalar => (0..n).for_each(|i| to.add(i).write(from.read())),
                Mode::Walk(plan) => {
                    let mut done = 0;
                    plan.walk(start..start + n, |at, len, step| {
                        let (from, to) = (from.add(at[1]), to.add(done));
                        match step[1] {
                            0 => {
                                let v = from.read();
                                (0..len).for_each(|i| to.add(i).write(v));
                            }
                            1 => std::ptr::copy_nonoverlapping(from, to, len),
                            s => (0..len).for_each(|i| to.add(i).write(from.add(i * s).read())),
                        }
                        done += len;
                    });
                }
            }
            // No step stumbles over an odd number beyond the end.
            let last = to.add(n - 1).read();
            (n..TILE).for_each(|i| to.add(i).write(last));
        }
    }
}

/// Asks for memory that will be read soon, at any address. A processor that is kept waiting by the first vectors of every tile takes a fifth more.
#[inline(always)]
fn ask_for(p: *const u8, bytes: usize) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    for at in (0..bytes).step_by(64) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a prefetch never faults.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(p.wrapping_add(at).cast()) }
    }
    #[cfg(not(all(target_arch = "x86_64", not(miri))))]
    let _ = (p, bytes);
}

/// # Safety
/// There is room for TILE numbers.
unsafe fn fill<W: Copy>(to: *mut W, v: W) {
    // SAFETY: the caller's promise.
    (0..TILE).for_each(|i| unsafe { to.add(i).write(v) });
}

/// Computes one step on a tile.
///
/// # Safety
/// TILE elements of the right kind lie behind every pointer, and `out` is none of those that the step reads.
unsafe fn step_on<W: Tiles>(step: &Step, at: &[*mut u8], out: *mut u8) {
    // SAFETY: the caller's promise.
    unsafe {
        let n = |i: usize| &*at[i].cast::<[W; TILE]>();
        let m = |i: usize| &*at[i].cast::<[u32; TILE]>();
        match *step {
            Step::Input(_) | Step::Truth(_) | Step::Const(_) => {}
            Step::Fma(..) => unreachable!("a chain"),
            Step::One(s, a) => W::one(s, n(a), &mut *out.cast()),
            Step::Two(s, a, b) => W::two(s, n(a), n(b), &mut *out.cast()),
            Step::Ask(s, a, b) => W::ask(s, n(a), n(b), &mut *out.cast()),
            Step::Select(t, a, b) => W::select(m(t), n(a), n(b), &mut *out.cast()),
            Step::And(a, b) => masks(m(a), m(b), &mut *out.cast(), |a, b| a & b),
            Step::Or(a, b) => masks(m(a), m(b), &mut *out.cast(), |a, b| a | b),
            Step::Not(a) => masks(m(a), m(a), &mut *out.cast(), |a, _| a ^ 1),
        }
    }
}

/// Truth values as bytes to those of a tile, and back.
fn widen(bytes: &[u8; TILE], mask: &mut [u32; TILE]) {
    for i in 0..TILE {
        mask[i] = u32::from(bytes[i] != 0);
    }
}
fn narrow(mask: &[u32; TILE]) -> [u8; TILE] {
    let mut bytes = [0; TILE];
    for i in 0..TILE {
        bytes[i] = mask[i] as u8;
    }
    bytes
}

fn masks(a: &[u32; TILE], b: &[u32; TILE], out: &mut [u32; TILE], f: impl Fn(u32, u32) -> u32) {
    for i in 0..TILE {
        out[i] = f(a[i], b[i]);
    }
}

/// The steps over tiles that are no links of chains. For functions a call for each block of 64 costs nothing beside their work.
trait Tiles: Steps + Wide {
    fn one(step: One, x: &[Self; TILE], out: &mut [Self; TILE]);
    fn two(step: Two, a: &[Self; TILE], b: &[Self; TILE], out: &mut [Self; TILE]);
    fn ask(question: Ask, a: &[Self; TILE], b: &[Self; TILE], out: &mut [u32; TILE]);
    fn select(mask: &[u32; TILE], yes: &[Self; TILE], no: &[Self; TILE], out: &mut [Self; TILE]);
    fn sum(x: &[Self]) -> f64;
}

// The loops, as functions over whole tiles: between their arguments the compiler knows that nothing overlaps. (With the slices in a struct it has
// to look, and for three operands and a result it gives up: 310 us for a million selections instead of 60.)
#[inline(always)]
fn loop2<A: Copy, B: Copy, Y>(a: &[A; TILE], b: &[B; TILE], y: &mut [Y; TILE], f: impl Fn(A, B) -> Y) {
    for i in 0..TILE {
        y[i] = f(a[i], b[i]);
    }
}
#[inline(always)]
fn loop3<A: Copy, B: Copy, C: Copy, Y>(
    a: &[A; TILE],
    b: &[B; TILE],
    c: &[C; TILE],
    y: &mut [Y; TILE],
    f: impl Fn(A, B, C) -> Y,
) {
    for i in 0..TILE {
        y[i] = f(a[i], b[i], c[i]);
    }
}

struct LoopAsk<'a, W, F>(&'a [W; TILE], &'a [W; TILE], &'a mut [u32; TILE], F);
impl<W: Wide, F: Fn(W, W) -> bool> Kernel for LoopAsk<'_, W, F> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self) {
        loop2(self.0, self.1, self.2, |a, b| u32::from((self.3)(a, b)));
    }
}
struct LoopSelect<'a, W>(&'a [u32; TILE], &'a [W; TILE], &'a [W; TILE], &'a mut [W; TILE]);
impl<W: Wide> Kernel for LoopSelect<'_, W> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self) {
        loop3(self.0, self.1, self.2, self.3, |m, a, b| if m != 0 { a } else { b });
    }
}
struct LoopSum<'a, W>(&'a [W]);
impl<W: Copy + Into<f64> + std::ops::Add<Output = W> + Default> Kernel for LoopSum<'_, W> {
    type Output = f64;
    #[inline(always)]
    fn run<S: Simd>(self) -> f64 {
        const WIDTH: usize = 32;
        let mut lanes = [W::default(); WIDTH];
        let (chunks, rest) = self.0.as_chunks::<WIDTH>();
        for c in chunks {
            for i in 0..WIDTH {
                lanes[i] = lanes[i] + c[i];
            }
        }
        lanes.iter().chain(rest).map(|x| (*x).into()).sum()
    }
}

macro_rules! tiles {
    ($t:ty) => {
        impl Tiles for $t {
            fn one(step: One, x: &[$t; TILE], out: &mut [$t; TILE]) {
                let (x, out) = (x.as_chunks::<{ block::LEN }>().0, out.as_chunks_mut::<{ block::LEN }>().0);
                for i in 0..x.len() {
                    <$t>::block_one(step, &x[i], &mut out[i]);
                }
            }
            fn two(step: Two, a: &[$t; TILE], b: &[$t; TILE], out: &mut [$t; TILE]) {
                let (a, b) = (a.as_chunks::<{ block::LEN }>().0, b.as_chunks::<{ block::LEN }>().0);
                let out = out.as_chunks_mut::<{ block::LEN }>().0;
                for i in 0..a.len() {
                    <$t>::block_two(step, &a[i], &b[i], &mut out[i]);
                }
            }
            fn ask(question: Ask, a: &[$t; TILE], b: &[$t; TILE], out: &mut [u32; TILE]) {
                match question {
                    Ask::Lt => dispatch(LoopAsk(a, b, out, |a: $t, b: $t| a < b)),
                    Ask::Le => dispatch(LoopAsk(a, b, out, |a: $t, b: $t| a <= b)),
                    Ask::Gt => dispatch(LoopAsk(b, a, out, |b: $t, a: $t| b < a)),
                    Ask::Ge => dispatch(LoopAsk(b, a, out, |b: $t, a: $t| b <= a)),
                    Ask::Eq => dispatch(LoopAsk(a, b, out, |a: $t, b: $t| a == b)),
                    Ask::Ne => dispatch(LoopAsk(a, b, out, |a: $t, b: $t| a != b)),
                }
            }
            fn select(mask: &[u32; TILE], yes: &[$t; TILE], no: &[$t; TILE], out: &mut [$t; TILE]) {
                dispatch(LoopSelect(mask, yes, no, out));
            }
            fn sum(x: &[$t]) -> f64 {
                dispatch(LoopSum(x))
            }
        }
    };
}
tiles!(f32);
tiles!(f64);

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes<T>(x: &[T]) -> &[u8] {
        // SAFETY: plain numbers.
        unsafe { std::slice::from_raw_parts(x.as_ptr().cast(), size_of_val(x)) }
    }
    fn bytes_mut<T>(x: &mut [T]) -> &mut [u8] {
        // SAFETY: plain numbers.
        unsafe { std::slice::from_raw_parts_mut(x.as_mut_ptr().cast(), size_of_val(x)) }
    }

    // relu(x * 2 + row), its sum, and where it is positive; row broadcasts over 3 x 7 ... 1000 x 131 elements.
    #[test]
    fn a_program_gives_what_its_steps_give() {
        let steps = vec![
            Step::Input(0),
            Step::Const(2.0),
            Step::Input(1),
            Step::Fma(0, 1, 2),
            Step::Const(0.0),
            Step::Two(Two::Max, 3, 4),
            Step::Ask(Ask::Gt, 5, 4),
            Step::One(One::Exp, 5),
            Step::Truth(2),
            Step::And(6, 8),
            Step::Select(9, 7, 5),
            Step::Input(3),
            Step::Two(Two::Mul, 10, 11),
        ];
        let p = Program::new(
            FloatKind::F32,
            steps,
            vec![(12, End::Store), (6, End::Store), (5, End::Sum), (7, End::Store)],
        );
        for (rows, cols) in [(3, 7), (1, 1), (16, 16), (16, 64), (1000, 131)] {
            let n = rows * cols;
            let x: Vec<f32> = (0..n).map(|i| ((i * 37 % 101) as f32 - 50.0) / 40.0).collect();
            let row: Vec<f32> = (0..cols).map(|i| i as f32 / cols as f32 - 0.3).collect();
            let truth: Vec<u8> = (0..rows).map(|i| (i % 3 == 0) as u8).collect();
            let (mut y, mut exps) = (vec![0.0f32; n], vec![0.0f32; n]);
            let mut positive = vec![9u8; n];
            let mut sum = [0.0f32];
            p.run(
                &[rows, cols],
                &[(bytes(&x), &[cols, 1]), (bytes(&row), &[0, 1]), (&truth, &[1, 0]), (bytes(&[0.75f32]), &[0, 0])],
                &mut [bytes_mut(&mut y), &mut positive, bytes_mut(&mut sum), bytes_mut(&mut exps)],
            );
            let mut total = 0.0f64;
            for i in 0..n {
                let r = x[i].mul_add(2.0, row[i % cols]);
                let relu = r.max(0.0);
                total += f64::from(relu);
                assert_eq!(positive[i], (relu > 0.0) as u8, "{rows}x{cols} at {i}");
                let want = if relu > 0.0 && truth[i / cols] != 0 { relu.exp() * 0.75 } else { relu * 0.75 };
                assert!((y[i] - want).abs() <= 4e-6 * want.abs(), "{rows}x{cols} at {i}: {} for {want}", y[i]);
                assert!((exps[i] - relu.exp()).abs() <= 1e-6 * relu.exp());
            }
            assert!((f64::from(sum[0]) - total).abs() <= 1e-6 * total.abs());
        }
    }
}
