//! Group 5: the same networks, compiled. The other side compiles them, too.

use crate::Workload;
use crate::dense::{classifier::MultiClassifier, infer, optimized::OptimizedModel, train};
use cresset::prelude::*;

/// Ten pointwise ops in a row. As in Python, a result is dropped as soon as the next one has its name.
fn chain(x: &Tensor) -> Tensor {
    let mut y = x * 1.01;
    y = &y + 0.1;
    y = y.relu();
    y = &y - x;
    y = y.abs();
    y = &y * x;
    y = y.clamp(-1.0, 1.0);
    y = &y * 0.5;
    y = &y + x;
    -&y
}

pub fn workloads() -> Vec<Workload> {
    vec![
        Workload::new("compiled_optimized_forward", || {
            let model = OptimizedModel::new();
            let input = Tensor::randn([1000, 100]);
            let fast = compile(&model, &input);
            Box::new(move || fast.call(&input))
        }),
        Workload::new("compiled_classifier_infer_32", || {
            let (model, input) = (MultiClassifier::mnist(), Tensor::randn([32, 784]));
            model.eval();
            infer(no_grad(|| compile(&model, &input)), input)
        }),
        Workload::new("compiled_classifier_train_128", || {
            let model = MultiClassifier::mnist();
            let input = Tensor::randn([128, 784]);
            let target = Tensor::randint(0, 10, [128]);
            train(compile(&model, &input), CrossEntropyLoss::new(), input, target)
        }),
        Workload::new("chain_1m", || {
            let x = Tensor::randn([1_000_000]);
            Box::new(move || chain(&x))
        }),
        Workload::new("compiled_chain_1m", || {
            let x = Tensor::randn([1_000_000]);
            let fast = compile_fn(chain);
            Box::new(move || fast.call(&x))
        }),
    ]
}
