//! Schedules given by a function.

use super::scheduled::{Moment, Schedule, Scheduled, check_groups};
use crate::optimizer::Optimizer;
use crate::state::{StateValue, Stored};
use cresset_tensor::error::fail;
use std::sync::Arc;

/// A factor for each epoch.
pub type LrLambda = Arc<dyn Fn(i64) -> f64 + Send + Sync>;

/// Sets the learning rates to a function of the epoch times what they were at first (`lr_scheduler.LambdaLR`).
///
/// ```
/// use cresset_optim::{LambdaLR, SGD, Scheduler};
/// use cresset_tensor::Tensor;
/// let optimizer = SGD::new([Tensor::zeros([1])], 1.0);
/// let mut scheduler = LambdaLR::new(&optimizer, |epoch| 1.0 / (1.0 + epoch as f64));
/// scheduler.step();
/// assert_eq!(scheduler.get_last_lr(), [0.5]);
/// ```
pub type LambdaLR = Scheduled<Lambda>;

/// The formula of [`LambdaLR`].
#[derive(Clone)]
pub struct Lambda {
    lambdas: Vec<LrLambda>,
}

/// Multiplies the learning rates every epoch by a function of the epoch (`lr_scheduler.MultiplicativeLR`).
pub type MultiplicativeLR = Scheduled<Multiplicative>;

/// The formula of [`MultiplicativeLR`].
#[derive(Clone)]
pub struct Multiplicative {
    lambdas: Vec<LrLambda>,
}

#[track_caller]
fn for_each_group(name: &str, optimizer: &Optimizer, lambdas: Vec<LrLambda>) -> Vec<LrLambda> {
    let groups = optimizer.num_groups();
    if lambdas.len() != groups {
        fail(name, format!("Expected {groups} lr_lambdas, but got {}", lambdas.len()));
    }
    lambdas
}

impl LambdaLR {
    /// One function for all groups.
    pub fn new(optimizer: &Optimizer, lr_lambda: impl Fn(i64) -> f64 + Send + Sync + 'static) -> LambdaLR {
        let lambda: LrLambda = Arc::new(lr_lambda);
        Scheduled::from_schedule(optimizer, Lambda { lambdas: vec![lambda; optimizer.num_groups()] })
    }
    /// A function for each group.
    ///
    /// # Panics
    /// If there are not as many as groups.
    #[track_caller]
    pub fn for_groups(optimizer: &Optimizer, lr_lambdas: Vec<LrLambda>) -> LambdaLR {
        let lambdas = for_each_group("LambdaLR", optimizer, lr_lambdas);
        Scheduled::from_schedule(optimizer, Lambda { lambdas })
    }
}

impl MultiplicativeLR {
    /// One function for all groups.
    pub fn new(optimizer: &Optimizer, lr_lambda: impl Fn(i64) -> f64 + Send + Sync + 'static) -> MultiplicativeLR {
        let lambda: LrLambda = Arc::new(lr_lambda);
        Scheduled::from_schedule(optimizer, Multiplicative { lambdas: vec![lambda; optimizer.num_groups()] })
    }
    /// A function for each group.
    ///
    /// # Panics
    /// If there are not as many as groups.
    #[track_caller]
    pub fn for_groups(optimizer: &Optimizer, lr_lambdas: Vec<LrLambda>) -> MultiplicativeLR {
        let lambdas = for_each_group("MultiplicativeLR", optimizer, lr_lambdas);
        Scheduled::from_schedule(optimizer, Multiplicative { lambdas })
    }
}

/// Functions are not saved.
fn nothing(lambdas: &[LrLambda]) -> Vec<(&'static str, StateValue)> {
    vec![("lr_lambdas", StateValue::List(vec![StateValue::None; lambdas.len()]))]
}

impl Schedule for Lambda {
    const NAME: &'static str = "LambdaLR";
    fn lrs(&mut self, at: &Moment) -> Vec<f64> {
        check_groups(self.lambdas.len(), at.lrs.len());
        self.lambdas.iter().zip(at.base_lrs).map(|(f, base)| base * f(at.epoch)).collect()
    }
    fn fields(&mut self) -> Vec<(&'static str, &mut dyn Stored)> {
        Vec::new()
    }
    fn constants(&self) -> Vec<(&'static str, StateValue)> {
        nothing(&self.lambdas)
    }
}

impl Schedule for Multiplicative {
    const NAME: &'static str = "MultiplicativeLR";
    fn lrs(&mut self, at: &Moment) -> Vec<f64> {
        if at.initial {
            return at.unchanged();
        }
        check_groups(self.lambdas.len(), at.lrs.len());
        self.lambdas.iter().zip(at.lrs).map(|(f, lr)| lr * f(at.epoch)).collect()
    }
    fn fields(&mut self) -> Vec<(&'static str, &mut dyn Stored)> {
        Vec::new()
    }
    fn constants(&self) -> Vec<(&'static str, StateValue)> {
        nothing(&self.lambdas)
    }
}
