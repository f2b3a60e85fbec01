//! The steps of many parameters as one pass over all of them.

use super::{Float, Rule, Start, parts, piece, starts};
use crate::map::Element;
use crate::threads;
use std::marker::PhantomData;
use std::ops::Range;

/// A [`Formula`](super::Formula) whose kind is forgotten, so that what holds and cuts slices is compiled once for all of them.
pub trait AnyFormula<const N: usize>: Rule<f32, N> + Rule<f64, N> + Send {}
impl<R: Rule<f32, N> + Rule<f64, N> + Send, const N: usize> AnyFormula<N> for R {}

/// What formulas compute in: f32 or f64.
pub trait Computed: Float {
    #[doc(hidden)]
    fn rule<const N: usize>(formula: &dyn AnyFormula<N>) -> &dyn Rule<Self, N>;
}
impl Computed for f32 {
    fn rule<const N: usize>(formula: &dyn AnyFormula<N>) -> &dyn Rule<f32, N> {
        formula
    }
}
impl Computed for f64 {
    fn rule<const N: usize>(formula: &dyn AnyFormula<N>) -> &dyn Rule<f64, N> {
        formula
    }
}

/// Elements that one thread takes at a time: a thirty-second of all, but neither so few that claiming them (0.05 µs) counts, nor more than are needed. Two
/// threads whose pieces lie side by side fetch each other's numbers ahead: over ten million, pieces of 4,096 take 1.3 times as long as these.
fn grain(elements: usize) -> usize {
    (elements / 32).clamp(4 * 1024, 64 * 1024).next_multiple_of(ALIGN)
}
/// Parameters stand in the list as if they were a multiple of this long, so that every cut lies between blocks of lanes.
const ALIGN: usize = 64;

/// Formulas with the slices that they will run over. Together they are one pass: its pieces may end in one parameter and begin in another, so many small
/// parameters cost no more than a large one.
///
/// ```
/// use cresset_kernels::optim::{Float, Formula, Together};
///
/// #[derive(Clone, Copy)]
/// struct Descent;
/// impl Formula<0> for Descent {
///     #[inline(always)]
///     fn step<F: Float>(self, p: F, g: F, state: [F; 0]) -> (F, [F; 0]) {
///         (p - g, state)
///     }
/// }
///
/// let (mut weight, mut bias) = ([1.0f32, 2.0], [3.0f64]);
/// let mut all = Together::new();
/// all.push(&Descent, &mut weight, &[0.5, 0.5], []);
/// all.push(&Descent, &mut bias, &[1.0], []);
/// all.run();
/// assert_eq!((weight, bias), ([0.5, 1.5], [2.0]));
/// ```
#[derive(Default)]
pub struct Together<'a> {
    tasks: Vec<Box<dyn Task + 'a>>,
    /// Where each of them ends in the list.
    ends: Vec<usize>,
}

/// A formula and its slices.
trait Task: Sync {
    /// Runs over the part of the slices that lies within a range.
    ///
    /// # Safety
    /// Of several calls at a time, no two have ranges that overlap.
    unsafe fn run(&self, r: Range<usize>);
}

struct Slices<'a, T: Element, const N: usize> {
    rule: &'a dyn Rule<T::Block, N>,
    p: Start<T>,
    g: &'a [T],
    state: [Start<T>; N],
    borrowed: PhantomData<&'a mut [T]>,
}

impl<T: Element<Block: Float>, const N: usize> Task for Slices<'_, T, N> {
    unsafe fn run(&self, r: Range<usize>) {
        let n = self.g.len();
        let (start, len) = (r.start.min(n), r.end.min(n).saturating_sub(r.start.min(n)));
        // SAFETY: all slices have `n` elements, which are borrowed for as long as this lives, and the caller promises that nobody else
        // reaches these.
        let (p, state) =
            unsafe { (std::slice::from_raw_parts_mut(self.p.at(start), len), parts(&self.state, start, len)) };
        piece(self.rule, p, &self.g[start..start + len], state);
    }
}

impl<'a> Together<'a> {
    /// Nothing yet.
    pub fn new() -> Together<'a> {
        Together::default()
    }

    /// Nothing yet, with room for some parameters.
    pub fn with_capacity(params: usize) -> Together<'a> {
        Together { tasks: Vec::with_capacity(params), ends: Vec::with_capacity(params) }
    }

    /// Adds a parameter, its gradient and its state, all of one length. 16-bit numbers are computed with in f32.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn push<T, const N: usize>(
        &mut self,
        formula: &'a dyn AnyFormula<N>,
        p: &'a mut [T],
        g: &'a [T],
        state: [&'a mut [T]; N],
    ) where
        T: Element<Block: Computed>,
    {
        let n = p.len();
        assert!(g.len() == n && state.iter().all(|s| s.len() == n), "a formula's slices are of one length");
        let rule = T::Block::rule(formula);
        let (p, state) = (Start(p.as_mut_ptr()), starts(state));
        self.tasks.push(Box::new(Slices { rule, p, g, state, borrowed: PhantomData }));
        self.ends.push(self.len() + n.next_multiple_of(ALIGN));
    }

    /// The length of the list.
    fn len(&self) -> usize {
        self.ends.last().copied().unwrap_or(0)
    }

    /// Runs all of them, in pieces on several threads.
    pub fn run(self) {
        threads::run_ranges(self.len(), grain(self.len()), &|r| {
            let mut task = self.ends.partition_point(|end| *end <= r.start);
            let mut at = r.start;
            while at < r.end {
                let begin = task.checked_sub(1).map_or(0, |before| self.ends[before]);
                let end = self.ends[task].min(r.end);
                // SAFETY: pieces do not overlap, so their parts within one task do not either.
                unsafe { self.tasks[task].run(at - begin..end - begin) };
                (at, task) = (end, task + 1);
            }
        });
    }
}
