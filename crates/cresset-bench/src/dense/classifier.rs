//! The classifier of pictures: Linear, BatchNorm1d, ReLU and Dropout, three times.

use super::{infer, train};
use crate::Workload;
use cresset::prelude::*;

/// Blocks of Linear, BatchNorm1d, ReLU and Dropout, then a Linear layer to the classes.
#[derive(Module, Clone)]
pub struct MultiClassifier {
    base: Base,
    network: Sequential,
}
impl MultiClassifier {
    /// A network from `input_size` numbers to `num_classes`, with a block for each of `hidden_sizes`.
    pub fn new(input_size: usize, hidden_sizes: &[usize], num_classes: usize, dropout_rate: f64) -> MultiClassifier {
        let mut network = Sequential::new(());
        let mut prev_size = input_size;
        for &hidden_size in hidden_sizes {
            network.push(Linear::new(prev_size, hidden_size));
            network.push(BatchNorm1d::new(hidden_size));
            network.push(ReLU::new());
            network.push(Dropout::new(dropout_rate));
            prev_size = hidden_size;
        }
        network.push(Linear::new(prev_size, num_classes));
        MultiClassifier { base: Base::new(), network }
    }
    /// The one for MNIST.
    pub fn mnist() -> MultiClassifier {
        MultiClassifier::new(784, &[512, 256, 128], 10, 0.3)
    }
}
impl Forward for MultiClassifier {
    type Output = Tensor;
    fn forward(&self, x: &Tensor) -> Tensor {
        self.network.call(x)
    }
}

pub fn workloads() -> Vec<Workload> {
    let training = [32, 128, 512].map(|batch| {
        Workload::new(format!("classifier_train_{batch}"), move || {
            let model = MultiClassifier::mnist();
            let input = Tensor::randn([batch, 784]);
            let target = Tensor::randint(0, 10, [batch]);
            train(model, CrossEntropyLoss::new(), input, target)
        })
    });
    let inference = [1, 32, 1000].map(|batch| {
        Workload::new(format!("classifier_infer_{batch}"), move || {
            let model = MultiClassifier::mnist();
            infer(model, Tensor::randn([batch, 784]))
        })
    });
    [training, inference].concat()
}
