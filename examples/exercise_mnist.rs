//! Exercise: a complete network for MNIST's handwritten digits (构建一个用于MNIST数字识别的完整网络).
//!
//! `cargo run --release --example exercise_mnist -- --data-dir DIR [--epochs 3] [--out FOLDER]`. The folder holds MNIST's four files, plain or `.gz`
//! (`train-images-idx3-ubyte` and so on). Into FOLDER (else the current one) go the trained network, `exercise_mnist.pth`, and a figure with the confusion
//! matrix and digits that were told wrong.

use cresset::data::Mnist;
use cresset::prelude::*;
use cresset_viz::{Figure, confusion_matrix, image_grid};
use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Convolution, BatchNorm, ReLU, pooling, twice; then two linear layers.
#[derive(Module, Clone)]
pub(crate) struct Cnn {
    base: Base,
    conv1: Conv2d,
    bn1: BatchNorm2d,
    conv2: Conv2d,
    bn2: BatchNorm2d,
    pool: MaxPool2d,
    fc1: Linear,
    dropout: Dropout,
    fc2: Linear,
}
impl Cnn {
    pub(crate) fn new() -> Cnn {
        let no_bias = || Conv2dOptions { padding: 1.into(), bias: false, ..Default::default() };
        Cnn {
            base: Base::new(),
            conv1: Conv2d::with(1, 24, 3, no_bias()),
            bn1: BatchNorm2d::new(24),
            conv2: Conv2d::with(24, 48, 3, no_bias()),
            bn2: BatchNorm2d::new(48),
            pool: MaxPool2d::new(2),
            fc1: Linear::new(48 * 7 * 7, 128),
            dropout: Dropout::new(0.3),
            fc2: Linear::new(128, 10),
        }
    }
}
impl Forward for Cnn {
    type Output = Tensor;
    fn forward(&self, x: &Tensor) -> Tensor {
        let x = self.pool.call(&self.bn1.call(&self.conv1.call(x)).relu()); // [n, 24, 14, 14]
        let x = self.pool.call(&self.bn2.call(&self.conv2.call(&x)).relu()); // [n, 48, 7, 7]
        let x = self.fc1.call(&x.flatten(1, -1)).relu();
        self.fc2.call(&self.dropout.call(&x))
    }
}

/// What training came to.
pub(crate) struct Outcome {
    pub(crate) model: Cnn,
    /// The mean loss of every epoch.
    pub(crate) losses: Vec<f64>,
    /// What the network said of the test's digits.
    pub(crate) told: Tensor,
    /// The share of them that is right.
    pub(crate) accuracy: f64,
}

pub(crate) fn train(training: &Mnist, test: &Mnist, epochs: usize) -> Result<Outcome, Box<dyn Error>> {
    manual_seed(0);
    let model = Cnn::new();
    println!("{}", summary(&model, &Tensor::zeros([64, 1, 28, 28])));
    let criterion = CrossEntropyLoss::new();
    let loader = DataLoader::new(training.clone(), 64).shuffle(true);
    let optimizer = Adam::new(model.parameters(), 1e-3);
    // The learning rate goes up to the maximum and down to nothing, a step with every batch.
    let mut scheduler = OneCycleLR::new(&optimizer, 5e-3, epochs * loader.len());

    let mut losses = Vec::new();
    let mut told = Tensor::zeros([0]);
    let mut accuracy = 0.0;
    for epoch in 1..=epochs {
        let begun = Instant::now();
        model.train();
        let mut total = 0.0;
        for batch in &loader {
            let (x, y) = batch?;
            optimizer.zero_grad();
            let loss = criterion.call((&model.call(&x), &y));
            loss.backward();
            optimizer.step();
            scheduler.step();
            total += loss.item::<f64>() * x.size(0) as f64;
        }
        losses.push(total / training.len() as f64);
        told = predict(&model, test)?;
        accuracy = told.eq(&test.labels()).double().mean().item();
        let seconds = begun.elapsed().as_secs_f64();
        println!("epoch {epoch}: loss {:.4}, test accuracy {accuracy:.4}, {seconds:.1} s", losses[epoch - 1]);
    }
    Ok(Outcome { model, losses, told, accuracy })
}

/// The class of every picture.
pub(crate) fn predict(model: &Cnn, pictures: &Mnist) -> Result<Tensor, Box<dyn Error>> {
    model.eval();
    let _guard = cresset::no_grad_guard();
    let mut told = Vec::new();
    for batch in &DataLoader::new(pictures.clone(), 500) {
        told.push(model.call(&batch?.0).argmax_dim(1, false));
    }
    Ok(cresset::cat(&told.iter().collect::<Vec<_>>(), 0))
}

/// The confusion matrix, and digits that were told wrong.
fn figures(outcome: &Outcome, test: &Mnist, folder: &Path) -> Result<(), Box<dyn Error>> {
    let (told, labels) = (outcome.told.to_vec::<i64>(), test.labels().to_vec::<i64>());
    let mut counts = vec![0_u64; 100];
    for (&label, &told) in labels.iter().zip(&told) {
        counts[(label * 10 + told) as usize] += 1;
    }
    let names: Vec<String> = (0..10).map(|digit| digit.to_string()).collect();
    confusion_matrix(&counts, &names).save(folder.join("exercise_mnist_confusion.png"))?;

    let wrong: Vec<usize> = (0..labels.len()).filter(|&i| labels[i] != told[i]).take(32).collect();
    if !wrong.is_empty() {
        let at = Tensor::from_slice(&wrong.iter().map(|&i| i as i64).collect::<Vec<_>>());
        let titles: Vec<String> = wrong.iter().map(|&i| format!("{} not {}", labels[i], told[i])).collect();
        let grid: Figure = image_grid(&test.images().index_select(0, &at), 8, &titles);
        grid.save(folder.join("exercise_mnist_wrong.png"))?;
    }
    Ok(())
}

/// The program: reads the data, trains, saves the network, loads it again, draws.
pub(crate) fn run(data_dir: &Path, epochs: usize, out: &Path) -> Result<Outcome, Box<dyn Error>> {
    let (training, test) = (Mnist::load(data_dir, true)?, Mnist::load(data_dir, false)?);
    let outcome = train(&training, &test, epochs)?;

    let path = out.join("exercise_mnist.pth");
    save(outcome.model.state_dict(), &path)?;
    let loaded = Cnn::new();
    loaded.load_state_dict(&load(&path)?.state_dict()?, true)?;
    let same = predict(&loaded, &test)?.equal(&outcome.told);
    println!(
        "{} holds the network; loaded again it tells {}",
        path.display(),
        if same { "the same" } else { "otherwise" }
    );

    figures(&outcome, &test, out)?;
    println!("test accuracy: {:.4}", outcome.accuracy);
    Ok(outcome)
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (mut data_dir, mut epochs, mut out) = (None, 3, PathBuf::new());
    while let Some(name) = arguments.next() {
        let value = arguments.next().ok_or_else(|| format!("{name}: a value is missing"))?;
        match name.as_str() {
            "--data-dir" => data_dir = Some(PathBuf::from(value)),
            "--epochs" => epochs = value.parse()?,
            "--out" => out = value.into(),
            _ => return Err(format!("{name}: there are --data-dir DIR, --epochs N and --out FOLDER").into()),
        }
    }
    let data_dir = data_dir.ok_or("--data-dir DIR is missing: the folder with MNIST's four files")?;
    let begun = Instant::now();
    let outcome = run(&data_dir, epochs, &out)?;
    let losses: Vec<String> = outcome.losses.iter().map(|loss| format!("{loss:.4}")).collect();
    println!("losses {}; all in {:.1} s", losses.join(", "), begun.elapsed().as_secs_f64());
    Ok(())
}
