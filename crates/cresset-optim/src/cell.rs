//! What a step sees of one parameter.

use crate::rule::{ParamState, SLOTS};
use crate::together::{Recorded, Step};
use cresset_kernels::optim::{AnyFormula, Computed, Formula, apply_any};
use cresset_tensor::{Array, DType, Update, bf16, f16};

/// What a step sees of one parameter: its numbers, its gradient, its state.
pub struct Cell<'a>(Run<'a>);

/// When formulas run.
enum Run<'a> {
    Now(Update<'a>, &'a mut ParamState, bool),
    /// With those of other parameters.
    Later(&'a mut dyn Later),
}

/// A parameter whose formulas are only written down.
pub(crate) trait Later {
    fn state(&mut self) -> &mut ParamState;
    fn is_fresh(&self) -> bool;
    fn push(&mut self, formula: Box<dyn Step>);
}

impl<'a> Cell<'a> {
    #[inline]
    pub(crate) fn now(update: Update<'a>, state: &'a mut ParamState, fresh: bool) -> Cell<'a> {
        Cell(Run::Now(update, state, fresh))
    }
    pub(crate) fn later(work: &'a mut dyn Later) -> Cell<'a> {
        Cell(Run::Later(work))
    }
    /// Was a state tensor made just now, for this step?
    #[inline]
    pub fn is_fresh(&self) -> bool {
        match &self.0 {
            Run::Now(_, _, fresh) => *fresh,
            Run::Later(work) => work.is_fresh(),
        }
    }
    /// A state number. It is an f32, as PyTorch keeps it.
    #[inline]
    pub fn number(&mut self, i: usize) -> &mut f32 {
        match &mut self.0 {
            Run::Now(_, state, _) => &mut state.numbers[i],
            Run::Later(work) => &mut work.state().numbers[i],
        }
    }
    /// Runs a formula over all elements, with the state tensors `slots`.
    #[inline]
    pub fn apply<const N: usize>(&mut self, slots: [usize; N], formula: impl Formula<N> + 'static) {
        match &mut self.0 {
            Run::Now(update, state, _) => now(update, &state.slots, slots, &formula),
            Run::Later(work) => work.push(Box::new(Recorded { slots, formula })),
        }
    }
}

/// Runs a formula on a parameter that is open.
pub(crate) fn now<const N: usize>(
    update: &mut Update,
    state: &[Option<Array>; SLOTS],
    slots: [usize; N],
    formula: &dyn AnyFormula<N>,
) {
    match update.dtype() {
        DType::F32 => run::<f32, N>(update, state, slots, formula),
        DType::F64 => run::<f64, N>(update, state, slots, formula),
        DType::F16 => run::<f16, N>(update, state, slots, formula),
        DType::BF16 => run::<bf16, N>(update, state, slots, formula),
        other => unreachable!("{other} was refused"),
    }
}

fn run<T, const N: usize>(
    update: &mut Update,
    state: &[Option<Array>; SLOTS],
    slots: [usize; N],
    formula: &dyn AnyFormula<N>,
) where
    T: cresset_kernels::map::Element<Block: Computed> + cresset_kernels::buffer::Element,
{
    let (p, g) = update.slices::<T>();
    let array = |k: usize| state[k].as_ref().expect("the rule names the slots that it uses");
    let mut open = slots.map(|k| array(k).storage().write());
    let n = p.len();
    apply_any(formula, p, g, open.each_mut().map(|w| &mut w.slice::<T>()[..n]));
}
