//! The same seed gives the same run as PyTorch: the first training losses of the MultiClassifier against those that `tools/mnist_losses.py` wrote.

use cresset::data::{self, Mnist};
use cresset::prelude::*;

/// Blocks of Linear, BatchNorm1d, ReLU and Dropout, then a Linear layer to the classes.
#[derive(Module, Clone)]
struct MultiClassifier {
    base: Base,
    network: Sequential,
}
impl MultiClassifier {
    fn new(inputs: usize, hidden: &[usize], classes: usize, dropout: f64) -> MultiClassifier {
        let mut network = Sequential::new(());
        let mut size = inputs;
        for &next in hidden {
            network.push(Linear::new(size, next));
            network.push(BatchNorm1d::new(next));
            network.push(ReLU::new());
            network.push(Dropout::new(dropout));
            size = next;
        }
        network.push(Linear::new(size, classes));
        MultiClassifier { base: Base::new(), network }
    }
}
impl Forward for MultiClassifier {
    type Output = Tensor;
    fn forward(&self, x: &Tensor) -> Tensor {
        self.network.call(x)
    }
}

/// The recorded losses of a data set.
fn wanted(name: &str) -> Vec<f32> {
    let text = include_str!("../../../goldens/training/first_losses.txt");
    let line = text.lines().find_map(|l| l.strip_prefix(name)).expect("a line for each data set");
    line.split_whitespace().map(|n| n.parse().expect("a number")).collect()
}

/// The first losses of a training run as everybody writes it.
fn losses(set: TensorDataset<(Tensor, Tensor)>, steps: usize) -> Vec<f32> {
    manual_seed(0);
    let model = MultiClassifier::new(set.tensors().0.size(1), &[512, 256, 128], 10, 0.3);
    let mut optimizer = Adam::new(model.parameters(), 1e-3);
    let criterion = CrossEntropyLoss::new();
    let loader = DataLoader::new(set, 128).shuffle(true);
    model.train();
    let mut found = Vec::new();
    loop {
        for batch in &loader {
            let (x, y) = batch.expect("a batch");
            optimizer.zero_grad();
            let loss = criterion.call((&model.call(&x), &y));
            loss.backward();
            optimizer.step();
            found.push(loss.item::<f32>());
            if found.len() == steps {
                return found;
            }
        }
    }
}

#[track_caller]
fn agree(name: &str, set: TensorDataset<(Tensor, Tensor)>) {
    let want = wanted(name);
    assert_eq!(want.len(), 20);
    let got = losses(set, want.len());
    let largest = got.iter().zip(&want).map(|(g, w)| (g - w).abs()).fold(0.0f32, f32::max);
    println!("{name}: the first {} losses differ by at most {largest:.1e}", want.len());
    assert!(got.iter().chain(&want).all(|l| l.is_finite()));
    assert!(largest <= 1e-4, "{name}: {largest:.1e}\ngot  {got:?}\nwant {want:?}");
}

#[test]
fn the_first_losses_on_the_digits_are_those_of_pytorch() {
    let digits = data::digits();
    agree("digits", TensorDataset::new((&digits.features / 16.0, digits.targets().clone())));
}

/// MNIST does not come with the library: `CRESSET_MNIST_DIR=DIR cargo test -p cresset --test first_losses -- --nocapture`.
#[test]
fn the_first_losses_on_mnist_are_those_of_pytorch() {
    let Some(dir) = std::env::var_os("CRESSET_MNIST_DIR") else {
        println!("skipped: CRESSET_MNIST_DIR does not name a folder with MNIST");
        return;
    };
    let mnist = Mnist::load(dir, true).expect("MNIST").flat();
    agree("mnist", mnist.to_tensors());
}
