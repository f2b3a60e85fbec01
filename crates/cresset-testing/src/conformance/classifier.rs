//! The chapter's classifier of many classes (3.8.1) on its way to PyTorch and back: the same outputs there.

use super::report::Outcome;
use cresset_io::{Value, load, save};
use cresset_nn::prelude::*;
use cresset_nn::{BatchNorm1d, Dropout, Linear, ReLU, Sequential, StateDict};
use cresset_tensor::{manual_seed, no_grad};
use std::path::Path;

/// The name of the file.
pub const FILE: &str = "classifier.pth";
/// What the chapter's class calls its one member.
const PREFIX: &str = "network.";

fn network() -> Sequential {
    let mut network = Sequential::new(());
    let sizes = [784, 512, 256, 128];
    for pair in sizes.windows(2) {
        network.extend((Linear::new(pair[0], pair[1]), BatchNorm1d::new(pair[1]), ReLU::new(), Dropout::new(0.3)));
    }
    network.push(Linear::new(128, 10));
    network
}

/// A network that has seen some data, an input and its output.
fn written(path: &Path) -> Result<(), String> {
    manual_seed(0);
    let network = network();
    for _ in 0..3 {
        network.call(&Tensor::randn([32, 784])).sum().backward();
    }
    network.eval();
    let x = Tensor::randn([64, 784]);
    let y = no_grad(|| network.call(&x));
    let state: StateDict = network.state_dict().iter().map(|(k, t)| (format!("{PREFIX}{k}"), t.clone())).collect();
    let value = Value::dict([("state", Value::from(&state)), ("x", x.into()), ("y", y.into())]);
    save(value, path).map_err(|e| e.to_string())
}

fn read_back(path: &Path) -> Result<(), String> {
    let saved = load(path).map_err(|e| e.to_string())?;
    let state = saved["state"].state_dict().map_err(|e| e.to_string())?;
    let own: StateDict =
        state.iter().map(|(k, t)| (k.strip_prefix(PREFIX).unwrap_or(k).to_string(), t.clone())).collect();
    let network = network();
    network.load_state_dict(&own, true).map_err(|e| e.to_string())?;
    network.eval();
    let numbers = |t: &Tensor| t.to_vec::<f32>();
    let x = saved["x"].tensor().map_err(|e| e.to_string())?;
    let want = numbers(saved["y"].tensor().map_err(|e| e.to_string())?);
    let got = numbers(&no_grad(|| network.call(x)));
    let far = got.iter().zip(&want).map(|(g, w)| (g - w).abs() - 1.3e-6 * w.abs()).fold(0.0f32, f32::max);
    if got.len() == want.len() && far <= 1e-5 { Ok(()) } else { Err(format!("the outputs differ by {far}")) }
}

/// Writes a network with an input and its output.
pub fn write(path: &Path) -> Outcome {
    written(path).into()
}

/// Loads one that PyTorch has written.
pub fn read(path: &Path) -> Outcome {
    read_back(path).into()
}
