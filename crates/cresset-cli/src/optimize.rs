//! Optimizer and schedule by their names.

use crate::args::{OptimizerName, ScheduleName, Training};
use crate::failure::{Failure, Result};
use cresset::io::Value;
use cresset::nn::Parameter;
use cresset::optim::{AdagradOptions, AdamOptions, AdamWOptions, OneCycleLROptions, RMSpropOptions, SgdOptions};
use cresset::prelude::*;

/// The optimizer that the options name.
pub fn optimizer(options: &Training, params: Vec<Parameter>) -> Result<Optimizer> {
    let Training { lr, weight_decay, momentum, .. } = *options;
    if momentum.is_some() && !matches!(options.optimizer, OptimizerName::Sgd | OptimizerName::RmsProp) {
        let name = options.optimizer.name();
        return Err(Failure::new(format!("a momentum (--momentum) goes with sgd and rmsprop, not with {name}")));
    }
    Ok(match options.optimizer {
        OptimizerName::Sgd => {
            let momentum = momentum.unwrap_or(0.9);
            SGD::with(params, SgdOptions { lr, weight_decay, momentum, ..Default::default() }).into()
        }
        OptimizerName::Adam => Adam::with(params, AdamOptions { lr, weight_decay, ..Default::default() }).into(),
        OptimizerName::AdamW => AdamW::with(params, AdamWOptions { lr, weight_decay, ..Default::default() }).into(),
        OptimizerName::RmsProp => {
            let momentum = momentum.unwrap_or(0.0);
            RMSprop::with(params, RMSpropOptions { lr, weight_decay, momentum, ..Default::default() }).into()
        }
        OptimizerName::Adagrad => {
            Adagrad::with(params, AdagradOptions { lr, weight_decay, ..Default::default() }).into()
        }
    })
}

/// How the learning rate changes.
pub struct Schedule {
    kind: Kind,
    /// Is the plan made for a number of epochs?
    planned: bool,
}

enum Kind {
    None,
    EachEpoch(Box<dyn Scheduler>),
    EachBatch(Box<dyn Scheduler>),
    Plateau(ReduceLROnPlateau),
}

impl Schedule {
    /// The schedule that the options name, for `epochs` epochs of `batches` steps.
    pub fn new(options: &Training, optimizer: &Optimizer, epochs: usize, batches: usize) -> Schedule {
        let kind = match options.schedule {
            ScheduleName::None => Kind::None,
            ScheduleName::Step => Kind::EachEpoch(Box::new(StepLR::new(optimizer, epochs.div_ceil(3), 0.1))),
            ScheduleName::Cosine => Kind::EachEpoch(Box::new(CosineAnnealingLR::new(optimizer, epochs, 0.0))),
            ScheduleName::OneCycle => {
                let plan = OneCycleLROptions::new(options.lr, epochs * batches);
                // Not every optimizer has a momentum to cycle.
                let plan = OneCycleLROptions { cycle_momentum: false, ..plan };
                Kind::EachBatch(Box::new(OneCycleLR::with(optimizer, plan)))
            }
            ScheduleName::Exponential => Kind::EachEpoch(Box::new(ExponentialLR::new(optimizer, 0.95))),
            ScheduleName::Plateau => Kind::Plateau(ReduceLROnPlateau::new(optimizer)),
        };
        let planned = matches!(options.schedule, ScheduleName::Step | ScheduleName::Cosine | ScheduleName::OneCycle);
        Schedule { kind, planned }
    }
    /// After every step of the optimizer.
    pub fn batch_ends(&mut self) {
        if let Kind::EachBatch(s) = &mut self.kind {
            s.step();
        }
    }
    /// After every epoch, with its training loss.
    pub fn epoch_ends(&mut self, loss: f64) {
        match &mut self.kind {
            Kind::EachEpoch(s) => s.step(),
            Kind::Plateau(s) => s.step(loss),
            Kind::None | Kind::EachBatch(_) => {}
        }
    }
    /// What a checkpoint keeps of it.
    pub fn state(&self) -> Value {
        match &self.kind {
            Kind::None => Value::None,
            Kind::EachEpoch(s) | Kind::EachBatch(s) => s.state_dict().into(),
            Kind::Plateau(s) => s.state_dict().into(),
        }
    }
    /// Goes on from a checkpoint's state.
    pub fn load(&mut self, saved: &Value) -> Result<()> {
        match &mut self.kind {
            Kind::None => {}
            Kind::EachEpoch(s) | Kind::EachBatch(s) => s.load_state_dict(&saved.state()?)?,
            Kind::Plateau(s) => s.load_state_dict(&saved.state()?)?,
        }
        Ok(())
    }
    /// Goes to the place where a schedule for the present number of epochs is after so many epochs and batches. (A run that goes on for longer than
    /// it was begun for has another plan.) False if the plan does not depend on the number.
    pub fn replan(&mut self, optimizer: &Optimizer, epochs: usize, batches: usize) -> bool {
        if !self.planned {
            return false;
        }
        let (Kind::EachEpoch(s) | Kind::EachBatch(s)) = &mut self.kind else { return false };
        // Its first learning rates, not those of the run so far.
        optimizer.set_lrs(&s.get_last_lr());
        let steps = if let Kind::EachEpoch(_) = self.kind { epochs } else { batches };
        let (Kind::EachEpoch(s) | Kind::EachBatch(s)) = &mut self.kind else { return false };
        for _ in 0..steps {
            s.step();
        }
        true
    }
}
