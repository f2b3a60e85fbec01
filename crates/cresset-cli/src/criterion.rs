//! The loss by its name.

use crate::args::{LossName, Training};
use crate::data::Task;
use crate::failure::{Failure, Result};
use cresset::Tensor;
use cresset::nn::functional::{self, CrossEntropyOptions, Reduction};

/// What training makes small.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Criterion {
    loss: LossName,
    label_smoothing: f64,
}

impl Criterion {
    /// The loss that the options name, or the usual one of the task.
    pub fn new(options: &Training, task: &Task) -> Result<Criterion> {
        let usual = Criterion::usual(task).loss;
        let what = if usual == LossName::CrossEntropy { "classes" } else { "numbers" };
        let loss = options.loss.unwrap_or(usual);
        if (loss == LossName::CrossEntropy) != (usual == LossName::CrossEntropy) {
            let fitting = if usual == LossName::CrossEntropy { "cross-entropy" } else { "mse, l1 and huber" };
            let name = loss.name();
            return Err(Failure::new(format!(
                "the loss {name} (--loss) does not go with this data, whose targets are {what}: for those there is {fitting}"
            )));
        }
        if options.label_smoothing > 0.0 && loss != LossName::CrossEntropy {
            let name = loss.name();
            return Err(Failure::new(format!(
                "label smoothing (--label-smoothing) goes with cross-entropy, not with {name}"
            )));
        }
        Ok(Criterion { loss, label_smoothing: options.label_smoothing })
    }
    /// Cross-entropy for classes, the squared error for numbers.
    pub fn usual(task: &Task) -> Criterion {
        let loss = match task {
            Task::Classes(_) => LossName::CrossEntropy,
            Task::Number { .. } => LossName::Mse,
        };
        Criterion { loss, label_smoothing: 0.0 }
    }
    /// The mean loss of a batch.
    pub fn call(&self, output: &Tensor, targets: &Tensor) -> Tensor {
        match self.loss {
            LossName::CrossEntropy => {
                let options = CrossEntropyOptions { label_smoothing: self.label_smoothing, ..Default::default() };
                functional::cross_entropy_with(output, targets, &options)
            }
            LossName::Mse => functional::mse_loss(output, targets, Reduction::Mean),
            LossName::L1 => functional::l1_loss(output, targets, Reduction::Mean),
            LossName::Huber => functional::huber_loss(output, targets, Reduction::Mean, 1.0),
        }
    }
}
