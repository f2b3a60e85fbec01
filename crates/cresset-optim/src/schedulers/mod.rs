//! Learning-rate schedules, in PyTorch's chainable form: each step goes from the learning rates that the groups have now to the next.
//!
//! A schedule holds a handle on its optimizer. Step it after the optimizer, once an epoch (or a batch, as the schedule means it).

mod annealing;
mod compose;
mod cyclic;
mod decay;
mod lambda;
mod one_cycle;
mod plateau;
mod scheduled;

pub use annealing::{CosineAnnealing, CosineAnnealingLR, CosineAnnealingWarmRestarts, WarmRestarts};
pub use compose::{ChainedScheduler, SequentialLR};
pub use cyclic::{Cyclic, CyclicLR, CyclicLROptions, CyclicMode, ScaleFn, ScaleMode};
pub use decay::{
    Constant, ConstantLR, Exponential, ExponentialLR, Linear, LinearLR, MultiStep, MultiStepLR, Polynomial,
    PolynomialLR, Step, StepLR,
};
pub use lambda::{Lambda, LambdaLR, LrLambda, Multiplicative, MultiplicativeLR};
pub use one_cycle::{Anneal, OneCycle, OneCycleLR, OneCycleLROptions};
pub use plateau::{PlateauMode, ReduceLROnPlateau, ReduceLROnPlateauOptions, ThresholdMode};
pub use scheduled::{Moment, PerGroup, Schedule, Scheduled, Scheduler};
