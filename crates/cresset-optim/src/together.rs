//! One pass over all parameters of an optimizer.

use crate::cell::{self, Later};
use crate::rule::{ParamState, SLOTS};
use cresset_kernels::map::Element;
use cresset_kernels::optim::{AnyFormula, Computed, Formula, Together};
use cresset_tensor::storage::Writing;
use cresset_tensor::{Array, DType, Held, Tensor, Update, bf16, f16};

/// Is a pass over all parameters faster than one after the other? `work` counts the numbers of parameters and state. One takes 0.1 to 0.2 ns of a thread, putting
/// a parameter into the list 300, and the fork 300 to 1000. Little work is better cut parameter by parameter: then the half of a weight that a thread writes is about the one
/// that it reads in the next product (a step of three layers of 256 on a batch of 4: 60 µs instead of 75 with two threads).
#[inline]
pub(crate) fn is_worth(work: usize, params: usize) -> bool {
    work > 400_000 + 6_000 * params && params > 1 && cresset_tensor::get_num_threads() > 1
}

/// A formula and the state tensors that it wants.
pub(crate) struct Recorded<R, const N: usize> {
    pub(crate) slots: [usize; N],
    pub(crate) formula: R,
}

/// What is to be done to one parameter.
pub(crate) struct Work<'p> {
    pub(crate) tensor: &'p Tensor,
    pub(crate) held: Held,
    pub(crate) state: &'p mut ParamState,
    /// Was a state tensor made for this step?
    pub(crate) fresh: bool,
    pub(crate) formula: Option<Box<dyn Step>>,
    /// Formulas that run after it.
    pub(crate) more: Vec<Box<dyn Step>>,
}

impl Later for Work<'_> {
    fn state(&mut self) -> &mut ParamState {
        self.state
    }
    fn is_fresh(&self) -> bool {
        self.fresh
    }
    fn push(&mut self, formula: Box<dyn Step>) {
        match &self.formula {
            None => self.formula = Some(formula),
            Some(_) => self.more.push(formula),
        }
    }
}

/// The state tensors of a parameter, open for writing.
type Open<'a> = [Option<Writing<'a>>; SLOTS];

/// A [`Recorded`] formula whose number of state tensors is forgotten.
pub(crate) trait Step {
    /// Runs it on a parameter that is open.
    fn now(&self, update: &mut Update, slots: &[Option<Array>; SLOTS]);
    /// Adds it to the pass over all.
    fn join<'t>(&'t self, update: &'t mut Update, open: &'t mut Open, all: &mut Together<'t>);
}

// What is written for every formula is no more than a call.
impl<R: Formula<N> + 'static, const N: usize> Step for Recorded<R, N> {
    fn now(&self, update: &mut Update, slots: &[Option<Array>; SLOTS]) {
        cell::now(update, slots, self.slots, &self.formula);
    }
    fn join<'t>(&'t self, update: &'t mut Update, open: &'t mut Open, all: &mut Together<'t>) {
        join(self.slots, &self.formula, update, open, all);
    }
}

fn join<'t, const N: usize>(
    slots: [usize; N],
    formula: &'t dyn AnyFormula<N>,
    update: &'t mut Update,
    open: &'t mut Open,
    all: &mut Together<'t>,
) {
    match update.dtype() {
        DType::F32 => push::<f32, N>(slots, formula, update, open, all),
        DType::F64 => push::<f64, N>(slots, formula, update, open, all),
        DType::F16 => push::<f16, N>(slots, formula, update, open, all),
        DType::BF16 => push::<bf16, N>(slots, formula, update, open, all),
        other => unreachable!("{other} was refused"),
    }
}

fn push<'t, T, const N: usize>(
    slots: [usize; N],
    formula: &'t dyn AnyFormula<N>,
    update: &'t mut Update,
    open: &'t mut Open,
    all: &mut Together<'t>,
) where
    T: Element<Block: Computed> + cresset_kernels::buffer::Element,
{
    let (p, g) = update.slices::<T>();
    let n = p.len();
    let mut each = open.each_mut().map(Option::as_mut);
    let state = slots.map(|k| each[k].take().expect("the rule names the slots that it uses"));
    all.push(formula, p, g, state.map(|w| &mut w.slice::<T>()[..n]));
}

/// Does the work: as much as possible in one pass.
pub(crate) fn run(mut works: &[Work]) {
    while let Some(first) = works.first() {
        let done = pass(works);
        if done == 0 {
            first.alone();
        }
        works = &works[done.max(1)..];
    }
}

/// Takes what can be open at the same time from the beginning of the list, and gives how much that was. Nothing is waited for while memory is held, so that two
/// threads cannot wait for each other; parameters that share memory go one after the other.
fn pass(works: &[Work]) -> usize {
    let mut open: Vec<(&dyn Step, Update, Open)> = Vec::with_capacity(works.len());
    open.extend(works.iter().map_while(Work::open));
    let mut all = Together::with_capacity(open.len());
    for (formula, update, state) in &mut open {
        formula.join(update, state, &mut all);
    }
    all.run();
    works[..open.len()].iter().for_each(|work| work.held.changed());
    open.len()
}

impl Work<'_> {
    /// Opens the parameter, its gradient and its state, if nobody else uses them, for the formula that is to run.
    fn open(&self) -> Option<(&dyn Step, Update<'_>, Open<'_>)> {
        // What runs twice needs the numbers of the first run.
        let formula = self.formula.as_deref().filter(|_| self.more.is_empty())?;
        let update = self.held.open()?;
        let mut open = [const { None }; SLOTS];
        for (open, slot) in open.iter_mut().zip(&self.state.slots) {
            if let Some(array) = slot {
                *open = Some(array.storage().try_write()?);
            }
        }
        Some((formula, update, open))
    }

    /// Does it by itself, whatever the layout of the parameter.
    fn alone(&self) {
        let formulas = self.formula.iter().chain(&self.more);
        self.tensor.update_from_grad(|mut update| formulas.for_each(|f| f.now(&mut update, &self.state.slots)));
    }
}
