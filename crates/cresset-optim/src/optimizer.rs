//! The shared part of every optimizer: groups of parameters, learning rates, the step.

use crate::rule::{AnyRule, Param};
use crate::state::StateValue;
use crate::together;
use cresset_tensor::cost::Cost;
use cresset_tensor::error::fail;
use cresset_tensor::{Tensor, trace};
use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What every optimizer can do, whatever its algorithm (`torch.optim.Optimizer`).
///
/// A shared handle: clones mean the same optimizer, so a scheduler can hold one while the training loop steps. `SGD`, `Adam` and all others deref
/// to it.
///
/// ```
/// use cresset_optim::{Optimizer, SGD};
/// use cresset_tensor::Tensor;
///
/// fn train(optimizer: &Optimizer, w: &Tensor) {
///     for _ in 0..20 {
///         optimizer.zero_grad();
///         let error = w - 3.0;
///         (&error * &error).sum().backward();
///         optimizer.step();
///     }
/// }
///
/// let w = Tensor::from_slice(&[0.0f32]).requires_grad_(true);
/// train(&SGD::new([&w], 0.2), &w);
/// assert!((w.item::<f32>() - 3.0).abs() < 1e-3);
/// ```
#[derive(Clone)]
pub struct Optimizer(Arc<Mutex<Shared>>);

pub(crate) struct Shared {
    pub(crate) groups: Vec<Group>,
    /// How much work the last step was, if it was counted.
    work: usize,
}

impl Shared {
    /// One step for all parameters: one after the other, or, where several threads share the work, in one pass over all. That is the same to the last bit,
    /// because every number is computed by itself.
    fn step(&mut self) {
        let params = self.groups.iter().map(|g| g.params.len()).sum();
        if together::is_worth(self.work, params) {
            let mut works = Vec::with_capacity(params);
            self.groups.iter_mut().for_each(|g| g.rule.record(&mut g.params, &mut works));
            together::run(&works);
        } else {
            self.work = self.groups.iter_mut().map(|g| g.rule.step_each(&mut g.params)).sum();
        }
    }
    /// What a step costs: each parameter is read and written, its gradient read, each of its state tensors read and written, with one
    /// operation for each number.
    #[cold]
    fn cost(&self) -> Cost {
        let mut cost = Cost::default();
        for p in self.groups.iter().flat_map(|g| &g.params).filter(|p| p.tensor.grad().is_some()) {
            let states = p.state.slots.iter().flatten().count();
            let meta = p.tensor.meta();
            cost.flops += (meta.numel() * (2 + states)) as u64;
            cost.bytes += (meta.numel() * meta.dtype.size() * (3 + 2 * states)) as u64;
        }
        cost
    }
}

/// A group of parameters with options of its own.
pub(crate) struct Group {
    pub(crate) rule: Box<dyn AnyRule>,
    pub(crate) params: Vec<Param>,
    /// Options that are not the rule's: what schedulers and loaded files put there (`initial_lr`, ...).
    pub(crate) extras: Vec<(String, StateValue)>,
    /// A tensor that holds the learning rate, if somebody shares one.
    pub(crate) lr: Option<Tensor>,
}

impl Group {
    #[track_caller]
    pub(crate) fn new(rule: Box<dyn AnyRule>, params: Vec<Tensor>) -> Group {
        let name = rule.name();
        if let Err(sentence) = rule.refusal() {
            fail(name, sentence);
        }
        let mut seen = HashSet::new();
        for p in &params {
            if !p.is_leaf() {
                fail(name, "can't optimize a non-leaf Tensor");
            }
            if !seen.insert(p.id()) {
                fail(name, "optimizer contains a parameter group with duplicate parameters");
            }
        }
        let mut params: Vec<Param> =
            params.into_iter().map(|tensor| Param { tensor, state: Default::default() }).collect();
        params.iter_mut().for_each(|p| rule.start(p));
        Group { rule, params, extras: Vec::new(), lr: None }
    }
    pub(crate) fn get_lr(&mut self) -> f64 {
        if let Some(t) = &self.lr {
            *self.rule.rate() = t.scalar().f64();
        }
        *self.rule.rate()
    }
    pub(crate) fn set_lr(&mut self, lr: f64) {
        *self.rule.rate() = lr;
        if let Some(t) = &self.lr {
            cresset_tensor::no_grad(|| t.fill_(lr));
        }
    }
    pub(crate) fn extra(&self, key: &str) -> Option<&StateValue> {
        self.extras.iter().find(|(k, _)| k == key).map(|(_, v)| v)
    }
    pub(crate) fn set_extra(&mut self, key: &str, value: StateValue) {
        match self.extras.iter_mut().find(|(k, _)| k == key) {
            Some((_, v)) => *v = value,
            None => self.extras.push((key.to_string(), value)),
        }
    }
    /// All options as they are saved, without the parameters.
    pub(crate) fn options(&mut self) -> Vec<(String, StateValue)> {
        self.get_lr();
        let mut all: Vec<(String, StateValue)> =
            self.rule.fields().into_iter().map(|(k, v)| (k.to_string(), v.save())).collect();
        if let Some(t) = &self.lr
            && let Some((_, lr)) = all.iter_mut().find(|(k, _)| k == "lr")
        {
            *lr = StateValue::Tensor(Tensor::from_array(t.array().copy()));
        }
        for (name, value) in self.rule.flags() {
            if self.extra(name).is_none() {
                all.push((name.to_string(), value.map_or(StateValue::None, StateValue::Bool)));
            }
        }
        all.extend(self.extras.iter().cloned());
        all
    }
}

impl Optimizer {
    #[track_caller]
    pub(crate) fn from_groups(groups: Vec<Group>) -> Optimizer {
        if groups.is_empty() || groups.len() == 1 && groups[0].params.is_empty() {
            fail("Optimizer", "optimizer got an empty parameter list");
        }
        let optimizer = Optimizer(Arc::new(Mutex::new(Shared { groups: Vec::new(), work: 0 })));
        groups.into_iter().for_each(|g| optimizer.push(g));
        optimizer
    }
    #[track_caller]
    pub(crate) fn push(&self, group: Group) {
        let mut shared = self.lock();
        let known: HashSet<usize> = shared.groups.iter().flat_map(|g| &g.params).map(|p| p.tensor.id()).collect();
        if group.params.iter().any(|p| known.contains(&p.tensor.id())) {
            drop(shared);
            fail("add_param_group", "some parameters appear in more than one parameter group");
        }
        shared.groups.push(group);
    }
    pub(crate) fn lock(&self) -> MutexGuard<'_, Shared> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
    #[track_caller]
    pub(crate) fn with_group<R>(&self, group: usize, f: impl FnOnce(&mut Group) -> R) -> R {
        let mut shared = self.lock();
        let n = shared.groups.len();
        match shared.groups.get_mut(group) {
            Some(g) => f(g),
            None => {
                drop(shared);
                fail("param_groups", format!("there is no parameter group {group}: the optimizer has {n}"))
            }
        }
    }

    /// Updates every parameter that has a gradient (`optimizer.step()`), in place: every holder of the parameter sees it. Parameters without
    /// gradient are skipped.
    pub fn step(&self) {
        let mut shared = self.lock();
        let event = trace::optimizer("step", shared.groups[0].rule.name());
        for group in shared.groups.iter_mut().filter(|g| g.lr.is_some()) {
            group.get_lr();
        }
        shared.step();
        if let Some(event) = event {
            event.cost(shared.cost());
        }
    }
    /// Runs `closure`, which computes the loss and its gradients, then [`step`](Optimizer::step)s; gives what the closure gave
    /// (`optimizer.step(closure)`).
    pub fn step_with<R>(&self, closure: impl FnOnce() -> R) -> R {
        let loss = cresset_tensor::enable_grad(closure);
        self.step();
        loss
    }
    /// Removes the gradients of all parameters (`optimizer.zero_grad()`).
    pub fn zero_grad(&self) {
        let shared = self.lock();
        let _event = trace::optimizer("zero_grad", shared.groups[0].rule.name());
        for group in &shared.groups {
            group.params.iter().for_each(|p| p.tensor.zero_grad());
        }
    }
    /// The name of the algorithm.
    pub fn name(&self) -> &'static str {
        self.lock().groups[0].rule.name()
    }
    /// How many parameter groups there are.
    pub fn num_groups(&self) -> usize {
        self.lock().groups.len()
    }
    /// The parameters and the options of every group, as they are now (`optimizer.param_groups`).
    pub fn param_groups(&self) -> Vec<GroupView> {
        let mut shared = self.lock();
        let view = |g: &mut Group| GroupView {
            params: g.params.iter().map(|p| p.tensor.clone()).collect(),
            options: g.options(),
        };
        shared.groups.iter_mut().map(view).collect()
    }
    /// The learning rate of every group.
    pub fn lrs(&self) -> Vec<f64> {
        self.lock().groups.iter_mut().map(Group::get_lr).collect()
    }
    /// Sets the learning rate of all groups.
    ///
    /// # Panics
    /// If it is negative.
    #[track_caller]
    pub fn set_lr(&self, lr: f64) {
        self.set_lrs(&vec![lr; self.num_groups()]);
    }
    /// Sets the learning rate of every group.
    ///
    /// # Panics
    /// If one is negative, or there are not as many as groups.
    #[track_caller]
    pub fn set_lrs(&self, lrs: &[f64]) {
        if let Some(lr) = lrs.iter().find(|lr| lr.is_nan() || **lr < 0.0) {
            fail("set_lr", format!("Invalid learning rate: {lr}"));
        }
        if lrs.len() != self.num_groups() {
            fail("set_lr", format!("expected {} learning rates, got {}", self.num_groups(), lrs.len()));
        }
        self.put_lrs(lrs);
    }
    pub(crate) fn put_lrs(&self, lrs: &[f64]) {
        for (group, lr) in self.lock().groups.iter_mut().zip(lrs) {
            group.set_lr(*lr);
        }
    }
    /// Lets a tensor of one element hold the learning rate of a group (`lr=torch.tensor(0.1)`): every step reads it, schedulers write it.
    ///
    /// # Panics
    /// If it has not exactly one element.
    #[track_caller]
    pub fn share_lr(&self, group: usize, lr: &Tensor) {
        if lr.numel() != 1 {
            fail("share_lr", "Tensor lr must be 1-element");
        }
        if lr.scalar().f64() < 0.0 {
            fail("share_lr", format!("Invalid learning rate: {}", lr.scalar()));
        }
        self.with_group(group, |g| g.lr = Some(lr.clone()));
    }
    /// Do both handles mean one optimizer?
    pub fn is_same(&self, other: &Optimizer) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// A group as [`Optimizer::param_groups`] shows it.
#[derive(Clone, Debug)]
pub struct GroupView {
    /// Its parameters.
    pub params: Vec<Tensor>,
    /// Its options by name.
    pub options: Vec<(String, StateValue)>,
}

impl GroupView {
    /// An option as a number.
    pub fn number(&self, option: &str) -> Option<f64> {
        self.options.iter().find(|(k, _)| k == option).and_then(|(_, v)| v.number())
    }
}

impl fmt::Display for Optimizer {
    /// The name and the options of each group, as PyTorch prints them.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{} (", self.name())?;
        for (i, group) in self.param_groups().into_iter().enumerate() {
            write!(f, "\nParameter Group {i}\n")?;
            let mut options = group.options;
            options.sort_by(|a, b| a.0.cmp(&b.0));
            for (name, value) in options {
                writeln!(f, "    {name}: {value:?}")?;
            }
        }
        write!(f, ")")
    }
}
impl fmt::Debug for Optimizer {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
