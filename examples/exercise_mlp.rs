//! Exercise: a multi-layer perceptron of three layers, with BatchNorm and Dropout (实现一个三层的多层感知器,包含BatchNorm和Dropout).
//!
//! It learns 1,797 handwritten digits of 8 × 8 pixels. `cargo run --release --example exercise_mlp [epochs]`

use cresset::data::{Table, digits};
use cresset::prelude::*;

/// Linear → BatchNorm → ReLU → Dropout, twice, then the layer that gives a number for each class.
#[derive(Module, Clone)]
struct Mlp {
    base: Base,
    fc1: Linear,
    bn1: BatchNorm1d,
    dropout1: Dropout,
    fc2: Linear,
    bn2: BatchNorm1d,
    dropout2: Dropout,
    fc3: Linear,
}
impl Mlp {
    fn new(inputs: usize, hidden: [usize; 2], classes: usize, dropout_rate: f64) -> Mlp {
        Mlp {
            base: Base::new(),
            fc1: Linear::new(inputs, hidden[0]),
            bn1: BatchNorm1d::new(hidden[0]),
            dropout1: Dropout::new(dropout_rate),
            fc2: Linear::new(hidden[0], hidden[1]),
            bn2: BatchNorm1d::new(hidden[1]),
            dropout2: Dropout::new(dropout_rate),
            fc3: Linear::new(hidden[1], classes),
        }
    }
}
impl Forward for Mlp {
    type Output = Tensor;
    fn forward(&self, x: &Tensor) -> Tensor {
        let x = self.bn1.call(&self.fc1.call(x)).relu();
        let x = self.dropout1.call(&x);
        let x = self.bn2.call(&self.fc2.call(&x)).relu();
        let x = self.dropout2.call(&x);
        self.fc3.call(&x)
    }
}

/// What training came to.
pub(crate) struct Outcome {
    /// The mean loss of every epoch.
    pub(crate) losses: Vec<f64>,
    /// The share of the test digits that are told right.
    pub(crate) accuracy: f64,
    /// The same if the network is left in training mode, where Dropout goes on dropping and BatchNorm uses the batch.
    pub(crate) accuracy_in_training_mode: f64,
}

pub(crate) fn train(epochs: usize) -> Result<Outcome, cresset::data::Error> {
    manual_seed(0);
    let digits = digits();
    let digits = digits.with_features(&digits.features / 16.0);
    let (training, test) = digits.split(0.2, 0);

    let model = Mlp::new(64, [128, 64], 10, 0.3);
    println!("{model}\n{} parameters", model.num_parameters());
    let criterion = CrossEntropyLoss::new();
    let optimizer = Adam::new(model.parameters(), 2e-3);
    let loader = DataLoader::new(training.dataset(), 64).shuffle(true);

    let mut losses = Vec::new();
    for epoch in 1..=epochs {
        model.train();
        let mut total = 0.0;
        for batch in &loader {
            let (x, y) = batch?;
            optimizer.zero_grad();
            let loss = criterion.call((&model.call(&x), &y));
            loss.backward();
            optimizer.step();
            total += loss.item::<f64>() * x.size(0) as f64;
        }
        losses.push(total / training.len() as f64);
        model.eval();
        println!("epoch {epoch:>2}: loss {:.4}, test accuracy {:.4}", losses[epoch - 1], accuracy(&model, &test));
    }

    let in_eval_mode = accuracy(&model, &test);
    model.train();
    let in_training_mode = accuracy(&model, &test);
    Ok(Outcome { losses, accuracy: in_eval_mode, accuracy_in_training_mode: in_training_mode })
}

/// The share of right answers, in the mode that the model is in.
fn accuracy(model: &Mlp, data: &Table) -> f64 {
    let output = no_grad(|| model.call(&data.features));
    output.argmax_dim(1, false).eq(data.targets()).double().mean().item()
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let epochs: usize = std::env::args().nth(1).map_or(Ok(20), |n| n.parse())?;
    if epochs == 0 {
        return Err("expected at least one epoch".into());
    }
    let run = train(epochs)?;
    println!("loss {:.4} → {:.4}", run.losses[0], run.losses[run.losses.len() - 1]);
    println!("test accuracy: {:.4} (left in training mode: {:.4})", run.accuracy, run.accuracy_in_training_mode);
    Ok(())
}
