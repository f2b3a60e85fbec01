//! An epoch over real data.

use super::MultiClassifier;
use crate::{Setup, Step, Workload};
use cresset::data::Mnist;
use cresset::prelude::*;

fn prepare(setup: &Setup) -> Result<Step, String> {
    let dir = setup.mnist_dir.as_deref().ok_or("it needs --mnist-dir DIR")?;
    let train = Mnist::load(dir, true).map_err(|e| e.to_string())?.flat();
    let model = MultiClassifier::mnist();
    let criterion = CrossEntropyLoss::new();
    let optimizer = Adam::new(model.parameters(), 1e-3);
    let loader = DataLoader::new(train, 128).shuffle(true);
    // A whole epoch magnifies roundings beyond comparison; its first batches do not.
    let batches = if setup.check { 4 } else { loader.len() };
    Ok(Box::new(move || {
        let mut last = Tensor::zeros([]);
        for batch in loader.iter().take(batches) {
            let (x, y) = batch.expect("the files were read");
            optimizer.zero_grad();
            let loss = criterion.call((&model.call(&x), &y));
            loss.backward();
            optimizer.step();
            last = loss.detach();
        }
        last
    }))
}

pub fn workloads() -> Vec<Workload> {
    vec![Workload::fallible("mnist_epoch", prepare).with_peak()]
}
