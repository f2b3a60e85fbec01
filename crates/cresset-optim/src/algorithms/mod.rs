//! The algorithms: each file is one rule against its formula.

pub(crate) mod adadelta;
pub(crate) mod adagrad;
pub(crate) mod adam;
pub(crate) mod adamax;
pub(crate) mod adamw;
pub(crate) mod asgd;
pub(crate) mod nadam;
pub(crate) mod radam;
pub(crate) mod rmsprop;
pub(crate) mod rprop;
pub(crate) mod sgd;

pub use adadelta::{Adadelta, AdadeltaOptions};
pub use adagrad::{Adagrad, AdagradOptions};
pub use adam::{Adam, AdamOptions};
pub use adamax::{Adamax, AdamaxOptions};
pub use adamw::{AdamW, AdamWOptions};
pub use asgd::{ASGD, AsgdOptions};
pub use nadam::{NAdam, NAdamOptions};
pub use radam::{RAdam, RAdamOptions};
pub use rmsprop::{RMSprop, RMSpropOptions};
pub use rprop::{Rprop, RpropOptions};
pub use sgd::{SGD, SgdOptions};

/// `-g` when the objective is maximized.
pub(crate) fn sign(maximize: bool) -> f64 {
    if maximize { -1.0 } else { 1.0 }
}

/// The switches that most algorithms of PyTorch save besides their options.
pub(crate) const FLAGS: &[(&str, Option<bool>)] =
    &[("foreach", None), ("capturable", Some(false)), ("differentiable", Some(false))];
/// The same of those with a fused variant but without `capturable`.
pub(crate) const FUSED_FLAGS: &[(&str, Option<bool>)] =
    &[("foreach", None), ("differentiable", Some(false)), ("fused", None)];
