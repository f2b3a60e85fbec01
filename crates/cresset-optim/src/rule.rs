//! An algorithm as a rule for one parameter, and what it gets to see of that parameter.

use crate::cell::Cell;
use crate::state::{StateValue, Stored};
use crate::together::Work;
use cresset_tensor::error::fail;
use cresset_tensor::{Array, Meta, Tensor};

/// Most state tensors that an algorithm keeps for a parameter.
pub(crate) const SLOTS: usize = 3;
/// Most state numbers that an algorithm keeps for a parameter.
pub(crate) const NUMBERS: usize = 2;

/// What an algorithm keeps for each parameter, in the order in which it is saved.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// Is the number of steps saved (as `step`)?
    pub step: bool,
    /// The names of single numbers, at most two.
    pub numbers: &'static [&'static str],
    /// The names of tensors shaped like the parameter, at most three.
    pub tensors: &'static [&'static str],
    /// Is the state there from the beginning, and not only after the first step?
    pub eager: bool,
}

/// An optimization algorithm with its options: what one step does to one parameter. The built-in algorithms are written with it, and others can be.
///
/// The shared part (groups, learning rates, saving) is [`OptimizerFor`](crate::OptimizerFor). A rule is called while its optimizer is locked, so
/// it must not use the optimizer.
///
/// ```
/// use cresset_optim::kernels::{Float, Formula};
/// use cresset_optim::{Cell, Layout, OptimizerFor, Rule, Stored};
/// use cresset_tensor::Tensor;
///
/// /// Moves every element by `lr` against the sign of its gradient.
/// #[derive(Clone, Copy)]
/// struct SignDescent {
///     lr: f64,
/// }
/// impl Formula<0> for SignDescent {
///     #[inline(always)]
///     fn step<F: Float>(self, p: F, g: F, state: [F; 0]) -> (F, [F; 0]) {
///         let lr = F::of(self.lr);
///         (F::choose(g > F::of(0.0), p - lr, F::choose(g < F::of(0.0), p + lr, p)), state)
///     }
/// }
/// impl Rule for SignDescent {
///     const NAME: &'static str = "SignDescent";
///     const LAYOUT: Layout = Layout { step: false, numbers: &[], tensors: &[], eager: false };
///     type Plan = ();
///     fn check(&self) -> Result<(), String> {
///         if self.lr >= 0.0 { Ok(()) } else { Err(format!("Invalid learning rate: {}", self.lr)) }
///     }
///     fn lr(&mut self) -> &mut f64 {
///         &mut self.lr
///     }
///     fn options(&mut self) -> Vec<(&'static str, &mut dyn Stored)> {
///         vec![("lr", &mut self.lr)]
///     }
///     fn plan(&self, _step: f64) {}
///     fn step(&self, _plan: (), p: &mut Cell) {
///         p.apply([], *self);
///     }
/// }
///
/// let w = Tensor::from_slice(&[1.0f32, -1.0]).requires_grad_(true);
/// let optimizer = OptimizerFor::with([&w], SignDescent { lr: 0.5 });
/// (&w * &w).sum().backward();
/// optimizer.step();
/// assert_eq!(w.to_vec::<f32>(), [0.5, -0.5]);
/// ```
pub trait Rule: Clone + Send + Sync + 'static {
    /// The name of the algorithm.
    const NAME: &'static str;
    /// What it keeps for each parameter.
    const LAYOUT: Layout;
    /// Switches that PyTorch saves and that change nothing here.
    const FLAGS: &'static [(&'static str, Option<bool>)] = &[];
    /// What is computed once for all parameters that are at the same step.
    type Plan: Copy;

    /// Are the options sensible? Otherwise the sentence that refuses them.
    fn check(&self) -> Result<(), String>;
    /// The learning rate.
    fn lr(&mut self) -> &mut f64;
    /// What schedulers cycle along with the learning rate: the momentum, or the first of the betas.
    fn momentum(&mut self) -> Option<&mut f64> {
        None
    }
    /// The options by name.
    fn options(&mut self) -> Vec<(&'static str, &mut dyn Stored)>;
    /// Which of the state tensors these options need.
    fn slots(&self) -> &'static [usize] {
        &[]
    }
    /// What a state tensor is filled with at first.
    fn initial(&self, slot: usize) -> f64 {
        let _ = slot;
        0.0
    }
    /// What a state number is at first.
    fn initial_number(&self, number: usize) -> f64 {
        let _ = number;
        0.0
    }
    /// The factors of step number `step`, counted from 1.
    fn plan(&self, step: f64) -> Self::Plan;
    /// One step for one parameter.
    fn step(&self, plan: Self::Plan, p: &mut Cell);
}

/// What is kept for one parameter.
#[derive(Clone, Default)]
pub(crate) struct ParamState {
    /// Is there a state to be saved?
    pub(crate) begun: bool,
    pub(crate) step: f32,
    pub(crate) numbers: [f32; NUMBERS],
    pub(crate) slots: [Option<Array>; SLOTS],
    /// What was loaded and belongs to nobody here.
    pub(crate) others: Vec<(String, StateValue)>,
}

impl ParamState {
    /// Makes what is missing for a parameter of that kind. True if a tensor was made.
    #[inline]
    fn prepare<R: Rule>(&mut self, rule: &R, like: &Meta) -> bool {
        if !like.dtype.is_floating_point() {
            let dtype = like.dtype.name();
            fail(R::NAME, format!("only Tensors of floating point dtype can be optimized, this one is {dtype}"));
        }
        if !self.begun {
            self.begin(rule);
        }
        let mut fresh = false;
        for &k in rule.slots() {
            match &self.slots[k] {
                Some(a) if a.dtype() == like.dtype && a.numel() == like.numel() => {}
                _ => fresh |= self.fit(rule, k, like),
            }
        }
        fresh
    }
    #[cold]
    fn begin<R: Rule>(&mut self, rule: &R) {
        self.begun = true;
        for i in 0..R::LAYOUT.numbers.len() {
            self.numbers[i] = rule.initial_number(i) as f32;
        }
    }
    #[cold]
    fn fit<R: Rule>(&mut self, rule: &R, slot: usize, like: &Meta) -> bool {
        match &self.slots[slot] {
            None => {
                let value = cresset_tensor::Scalar::Float(rule.initial(slot));
                self.slots[slot] = Some(Array::full(*like, value));
                true
            }
            Some(a) if a.numel() != like.numel() => fail(
                R::NAME,
                format!(
                    "the state {} has the shape {:?}, but its parameter has {:?}",
                    R::LAYOUT.tensors[slot],
                    a.shape(),
                    like.shape
                ),
            ),
            Some(a) => {
                // The parameter was converted (`model.to(dtype)`): its state follows.
                self.slots[slot] = Some(a.to(like.dtype));
                false
            }
        }
    }
}

/// A parameter and what is kept for it.
pub(crate) struct Param {
    pub(crate) tensor: Tensor,
    pub(crate) state: ParamState,
}

/// A [`Rule`] whose kind is forgotten.
pub(crate) trait AnyRule: Send {
    fn name(&self) -> &'static str;
    fn layout(&self) -> Layout;
    fn flags(&self) -> &'static [(&'static str, Option<bool>)];
    fn refusal(&self) -> Result<(), String>;
    fn rate(&mut self) -> &mut f64;
    fn cycled(&mut self) -> Option<&mut f64>;
    fn fields(&mut self) -> Vec<(&'static str, &mut dyn Stored)>;
    fn start(&self, p: &mut Param);
    /// Steps one parameter after the other. Gives how much work that was: the number of elements, of the parameters and of their state.
    fn step_each(&self, params: &mut [Param]) -> usize;
    /// Writes down what the step of each parameter is, to be run with those of others.
    fn record<'p>(&self, params: &'p mut [Param], works: &mut Vec<Work<'p>>);
    fn copy(&self) -> Box<dyn AnyRule>;
    fn as_any(&mut self) -> &mut dyn std::any::Any;
}

impl<R: Rule> AnyRule for R {
    fn name(&self) -> &'static str {
        R::NAME
    }
    fn layout(&self) -> Layout {
        R::LAYOUT
    }
    fn flags(&self) -> &'static [(&'static str, Option<bool>)] {
        R::FLAGS
    }
    fn refusal(&self) -> Result<(), String> {
        self.check()
    }
    fn rate(&mut self) -> &mut f64 {
        self.lr()
    }
    fn cycled(&mut self) -> Option<&mut f64> {
        self.momentum()
    }
    fn fields(&mut self) -> Vec<(&'static str, &mut dyn Stored)> {
        self.options()
    }
    fn start(&self, p: &mut Param) {
        if R::LAYOUT.eager {
            p.state.prepare(self, &p.tensor.meta());
        }
    }
    fn step_each(&self, params: &mut [Param]) -> usize {
        let (mut plans, mut work) = (Plans::of(self), 0);
        let streams = 1 + self.slots().len();
        for Param { tensor, state } in params {
            tensor.update_from_grad(|update| {
                work += update.meta().numel() * streams;
                let fresh = state.prepare(self, update.meta());
                state.step += 1.0;
                let plan = plans.at(state.step);
                self.step(plan, &mut Cell::now(update, state, fresh));
            });
        }
        work
    }
    fn record<'p>(&self, params: &'p mut [Param], works: &mut Vec<Work<'p>>) {
        let first = works.len();
        // All that can be refused is refused before anything changes.
        for Param { tensor, state } in params {
            if let Some(held) = tensor.hold_with_grad() {
                let fresh = state.prepare(self, held.meta());
                works.push(Work { tensor, held, state, fresh, formula: None, more: Vec::new() });
            }
        }
        let mut plans = Plans::of(self);
        for work in &mut works[first..] {
            work.state.step += 1.0;
            let plan = plans.at(work.state.step);
            self.step(plan, &mut Cell::later(work));
        }
    }
    fn copy(&self) -> Box<dyn AnyRule> {
        Box::new(self.clone())
    }
    fn as_any(&mut self) -> &mut dyn std::any::Any {
        self
    }
}

/// The factors of the step, computed once for all parameters that are at the same one.
struct Plans<'r, R: Rule> {
    rule: &'r R,
    known: Option<(f32, R::Plan)>,
}

impl<R: Rule> Plans<'_, R> {
    fn of(rule: &R) -> Plans<'_, R> {
        Plans { rule, known: None }
    }
    #[inline]
    fn at(&mut self, step: f32) -> R::Plan {
        match self.known {
            Some((at, plan)) if at == step => plan,
            _ => {
                let plan = self.rule.plan(f64::from(step));
                self.known = Some((step, plan));
                plan
            }
        }
    }
}

/// Refuses a number that is negative or NaN, with PyTorch's sentence.
pub(crate) fn at_least_zero(what: &str, value: f64) -> Result<(), String> {
    if value >= 0.0 { Ok(()) } else { Err(format!("Invalid {what}: {value}")) }
}

/// Refuses decay rates outside `0..1`.
pub(crate) fn check_betas(betas: (f64, f64)) -> Result<(), String> {
    for (i, beta) in [betas.0, betas.1].into_iter().enumerate() {
        if !(0.0..1.0).contains(&beta) {
            return Err(format!("Invalid beta parameter at index {i}: {beta}"));
        }
    }
    Ok(())
}
