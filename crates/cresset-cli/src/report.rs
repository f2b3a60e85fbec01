//! Measuring a network, and what is said about it.

use crate::checkpoint::Epoch;
use crate::criterion::Criterion;
use crate::data::{Rows, Task};
use crate::failure::Result;
use cresset::io::Value;
use cresset::nn::functional::{Reduction, mse_loss};
use cresset::prelude::*;
use std::io::Write;
use std::path::Path;

/// What was measured on some samples.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Measure {
    /// The sum of the samples' losses.
    loss: f64,
    /// Correct answers, or the sum of squared errors.
    score: f64,
    samples: usize,
}

impl Measure {
    /// The loss of a batch, for backward, which is counted too.
    pub fn loss_of(&mut self, task: &Task, criterion: Criterion, output: &Tensor, targets: &Tensor) -> Tensor {
        let n = output.shape()[0];
        let loss = criterion.call(output, targets);
        let mean = loss.item::<f32>() as f64;
        self.loss += mean * n as f64;
        self.samples += n;
        self.score += match task {
            Task::Classes(_) => {
                let predicted = predictions(output);
                predicted.iter().zip(targets.to_vec::<i64>()).filter(|(p, t)| **p == *t).count() as f64
            }
            Task::Number { .. } => no_grad(|| mse_loss(output, targets, Reduction::Sum)).item(),
        };
        loss
    }
    /// The mean loss.
    pub fn loss(&self) -> f64 {
        self.loss / self.samples as f64
    }
    /// The share of correct answers, or the root of the mean squared error in the target's unit.
    pub fn score(&self, task: &Task) -> f64 {
        let mean = self.score / self.samples as f64;
        match task {
            Task::Classes(_) => mean,
            Task::Number { std, .. } => mean.sqrt() * std,
        }
    }
    /// For a checkpoint.
    pub fn to_value(self) -> Value {
        Value::dict([("loss", self.loss.into()), ("score", self.score.into()), ("samples", self.samples.into())])
    }
    /// From a checkpoint.
    pub fn from_value(v: &Value) -> cresset::io::Result<Measure> {
        Ok(Measure { loss: v["loss"].float()?, score: v["score"].float()?, samples: v["samples"].usize()? })
    }
}

/// The name of [`Measure::score`].
pub fn score_name(task: &Task) -> &'static str {
    match task {
        Task::Classes(_) => "accuracy",
        Task::Number { .. } => "rmse",
    }
}

fn predictions(output: &Tensor) -> Vec<i64> {
    output.argmax_dim(1, false).to_vec()
}

/// So many rows at a time go through the network when nothing is learnt.
const ROWS: usize = 1024;

/// Measures a network in evaluation mode. For classes also the confusion matrix: `counts[true * n + predicted]`.
pub fn measure(
    model: &impl Call<Tensor, Output = Tensor>,
    rows: &Rows,
    task: &Task,
    criterion: Criterion,
) -> (Measure, Vec<u64>) {
    let classes = if let Task::Classes(names) = task { names.len() } else { 0 };
    let (mut measure, mut counts) = (Measure::default(), vec![0; classes * classes]);
    no_grad(|| {
        for at in (0..rows.len()).step_by(ROWS) {
            let n = ROWS.min(rows.len() - at);
            let part = |t: &Tensor| t.narrow(0, at as isize, n);
            let targets = part(&rows.targets);
            let output = model.call(&part(&rows.features));
            measure.loss_of(task, criterion, &output, &targets);
            if classes > 0 {
                for (predicted, target) in predictions(&output).iter().zip(targets.to_vec::<i64>()) {
                    counts[target as usize * classes + *predicted as usize] += 1;
                }
            }
        }
    });
    (measure, counts)
}

/// A confusion matrix wider than this is no help on a terminal.
const MOST_CLASSES: usize = 30;

/// What is known at the end. The last line is `test accuracy: 0.9xxx`.
pub fn final_text(task: &Task, measure: &Measure, counts: &[u64]) -> String {
    let mut text = String::new();
    if let Task::Classes(names) = task
        && names.len() <= MOST_CLASSES
    {
        let counts: Vec<f64> = counts.iter().map(|&c| c as f64).collect();
        text += &cresset_viz::confusion_text(&counts, names);
        text += "\n";
    }
    text += &format!("test loss: {:.4}\n", measure.loss());
    text + &format!("test {}: {:.4}\n", score_name(task), measure.score(task))
}

/// Writes the figures of all epochs as a table.
pub fn write_metrics(path: &Path, task: &Task, history: &[Epoch]) -> Result<()> {
    let name = score_name(task);
    Ok(cresset::io::atomic_write(path, |file| {
        // A column of its own where rows are held out.
        let held_out = history.iter().any(|e| e.validation_loss.is_some());
        let column = if held_out { "validation_loss," } else { "" };
        writeln!(file, "epoch,train_loss,train_{name},{column}test_loss,test_{name},lr,seconds")?;
        for (i, e) in history.iter().enumerate() {
            let Epoch { train_loss, train_score, validation_loss, test_loss, test_score, lr, seconds } = e;
            let held_out = validation_loss.map(|loss| format!("{loss},")).unwrap_or_default();
            writeln!(
                file,
                "{},{train_loss},{train_score},{held_out}{test_loss},{test_score},{lr},{seconds:.3}",
                i + 1
            )?;
        }
        Ok(())
    })?)
}

/// The curves of losses and accuracies.
pub fn curves(task: &Task, history: &[Epoch]) -> cresset_viz::Figure {
    let all = |f: fn(&Epoch) -> f64| history.iter().map(f).collect::<Vec<f64>>();
    let (train_loss, test_loss) = (all(|e| e.train_loss), all(|e| e.test_loss));
    let (train_score, test_score) = (all(|e| e.train_score), all(|e| e.test_score));
    let validation_loss: Vec<f64> = history.iter().filter_map(|e| e.validation_loss).collect();
    let mut losses: Vec<(&str, &[f64])> = vec![("train", &train_loss), ("test", &test_loss)];
    if !validation_loss.is_empty() {
        losses.push(("validation", &validation_loss));
    }
    let scores: [(&str, &[f64]); 2] = [("train", &train_score), ("test", &test_score)];
    match task {
        Task::Classes(_) => cresset_viz::training_curves(&losses, &scores),
        Task::Number { .. } => cresset_viz::training_curves(&losses, &[]),
    }
}
