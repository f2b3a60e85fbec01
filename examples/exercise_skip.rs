//! Exercise: a deep network with skip connections (实现一个带有跳跃连接的深度网络), trained with them and without.
//!
//! Both networks have the same 40 hidden layers and start from the same weights. Without the skips what flows forward and back shrinks from layer to
//! layer, so that the first layers get no gradient. The figure goes to `exercise_skip.png` in the current folder, or in the folder given as an argument.

use cresset::data::digits;
use cresset::prelude::*;
use cresset_viz::{Figure, Scale};
use std::path::{Path, PathBuf};

/// `x + f(x)` with `f` two layers, or `f(x)` alone.
#[derive(Module, Clone)]
struct Block {
    base: Base,
    fc1: Linear,
    fc2: Linear,
    skip: bool,
}
impl Block {
    fn new(size: usize, skip: bool) -> Block {
        Block { base: Base::new(), fc1: Linear::new(size, size), fc2: Linear::new(size, size), skip }
    }
    fn extra_repr(&self) -> String {
        format!("skip={}", self.skip)
    }
}
impl Forward for Block {
    type Output = Tensor;
    fn forward(&self, x: &Tensor) -> Tensor {
        let out = self.fc1.call(x).relu();
        let out = self.fc2.call(&out);
        if self.skip { (out + x).relu() } else { out.relu() }
    }
}

#[derive(Module, Clone)]
struct DeepNet {
    base: Base,
    input: Linear,
    blocks: ModuleList<Block>,
    output: Linear,
}
impl DeepNet {
    fn new(inputs: usize, size: usize, blocks: usize, classes: usize, skip: bool) -> DeepNet {
        DeepNet {
            base: Base::new(),
            input: Linear::new(inputs, size),
            blocks: ModuleList::of((0..blocks).map(|_| Block::new(size, skip))),
            output: Linear::new(size, classes),
        }
    }
}
impl Forward for DeepNet {
    type Output = Tensor;
    fn forward(&self, x: &Tensor) -> Tensor {
        let mut x = self.input.call(x).relu();
        for block in &self.blocks {
            x = block.call(&x);
        }
        self.output.call(&x)
    }
}

/// What one training run showed.
pub(crate) struct Run {
    /// The norms of the gradients of the blocks' first weights, for the first batch.
    pub(crate) first_gradients: Vec<f64>,
    /// The mean loss of every epoch.
    pub(crate) losses: Vec<f64>,
    /// The share of the test digits that are told right.
    pub(crate) accuracy: f64,
}

pub(crate) fn train(skip: bool, epochs: usize) -> Result<Run, cresset::data::Error> {
    // The same seed: both networks have the same weights, and see the digits in the same order.
    manual_seed(0);
    let digits = digits();
    let (training, test) = digits.with_features(&digits.features / 16.0).split(0.2, 0);
    let model = DeepNet::new(64, 64, 20, 10, skip);
    let criterion = CrossEntropyLoss::new();
    let optimizer = Adam::new(model.parameters(), 5e-4);
    let loader = DataLoader::new(training.dataset(), 64).shuffle(true);

    let (mut first_gradients, mut losses) = (Vec::new(), Vec::new());
    for _ in 0..epochs {
        let mut total = 0.0;
        for batch in &loader {
            let (x, y) = batch?;
            optimizer.zero_grad();
            let loss = criterion.call((&model.call(&x), &y));
            loss.backward();
            if first_gradients.is_empty() {
                let norm = |b: &Block| b.fc1.weight.grad().map_or(0.0, |g| g.norm().item());
                first_gradients = model.blocks.iter().map(norm).collect();
            }
            optimizer.step();
            total += loss.item::<f64>() * x.size(0) as f64;
        }
        losses.push(total / training.len() as f64);
    }
    let told = no_grad(|| model.call(&test.features)).argmax_dim(1, false);
    Ok(Run { first_gradients, losses, accuracy: told.eq(test.targets()).double().mean().item() })
}

fn figure(with: &Run, without: &Run, path: &Path) -> Result<(), cresset_viz::Error> {
    let mut fig = Figure::new(12.0, 4.5);
    let runs = [("with skips", with), ("without", without)];
    let ax = fig.subplot(1, 2, 1);
    for (name, run) in runs {
        let epochs: Vec<usize> = (1..=run.losses.len()).collect();
        ax.plot(&epochs, &run.losses).label(name);
    }
    ax.title("training loss").xlabel("epoch").ylabel("loss").integer_xticks().grid(true).legend();
    let ax = fig.subplot(1, 2, 2);
    for (name, run) in runs {
        let blocks: Vec<usize> = (1..=run.first_gradients.len()).collect();
        ax.plot(&blocks, &run.first_gradients).label(name).marker("o").markersize(4.0);
    }
    ax.title("gradient of each block, first batch").xlabel("block").ylabel("norm").yscale(Scale::Log);
    ax.integer_xticks().grid(true).legend();
    fig.save(path)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).map(PathBuf::from).unwrap_or_default();
    let (with, without) = (train(true, 15)?, train(false, 15)?);
    for (name, run) in [("with skips", &with), ("without", &without)] {
        let (first, last) = (run.losses[0], run.losses[run.losses.len() - 1]);
        println!("{name:>10}: loss {first:.4} → {last:.4}, test accuracy {:.4}", run.accuracy);
        println!("            gradient of the first block, first batch: {:.2e}", run.first_gradients[0]);
    }
    figure(&with, &without, &folder.join("exercise_skip.png"))?;
    Ok(())
}
