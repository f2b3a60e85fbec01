//! The chapter's exercises (`examples/exercise_*.rs`) do what they claim, each in a small form.

use cresset::data::{Mnist, digits};
use cresset::prelude::*;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

/// An exercise's program as a module.
macro_rules! exercise {
    ($($name:ident = $path:literal),*) => {$(
        #[path = $path]
        #[allow(dead_code)]
        mod $name;
    )*};
}
exercise! {
    exercise_activation = "../../../examples/exercise_activation.rs",
    exercise_clipping = "../../../examples/exercise_clipping.rs",
    exercise_mlp = "../../../examples/exercise_mlp.rs",
    exercise_mnist = "../../../examples/exercise_mnist.rs",
    exercise_rnn = "../../../examples/exercise_rnn.rs",
    exercise_skip = "../../../examples/exercise_skip.rs",
    exercise_statistics = "../../../examples/exercise_statistics.rs"
}

/// One thread each: tests run side by side.
fn one_thread() {
    cresset::set_num_threads(1);
}

/// An empty folder of this test.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder to write to");
    folder
}

fn is_png(path: PathBuf) -> bool {
    fs::read(path).is_ok_and(|bytes| bytes.starts_with(b"\x89PNG") && bytes.len() > 10_000)
}

#[test]
fn mlp_learns_and_knows_its_modes() -> Result<(), Box<dyn Error>> {
    one_thread();
    let run = exercise_mlp::train(4)?;
    assert!(run.losses.windows(2).all(|w| w[1] < w[0]), "{:?}", run.losses);
    assert!(run.accuracy > 0.94, "{}", run.accuracy);
    assert!(run.accuracy_in_training_mode < run.accuracy);
    Ok(())
}

#[test]
fn activations_of_ones_own_are_differentiated_and_learn() -> Result<(), Box<dyn Error>> {
    one_thread();
    exercise_activation::check()?;
    let swish = [exercise_activation::Swish::new(), exercise_activation::Swish::new()];
    let (losses, accuracy) = exercise_activation::train(swish.clone(), 120);
    assert!(losses[119] < 0.3 * losses[0] && accuracy > 0.9, "{} {accuracy}", losses[119]);
    assert!(swish.iter().all(|s| (s.beta.detach().item::<f32>() - 1.0).abs() > 0.01));
    let squareplus = [(); 2].map(|()| exercise_activation::Squareplus::new(0.5));
    let (losses, accuracy) = exercise_activation::train(squareplus, 80);
    assert!(losses[79] < 0.7 * losses[0] && accuracy > 0.7, "{} {accuracy}", losses[79]);
    // The operation refuses what it cannot compute with, in one sentence.
    let refused = attempt(|| exercise_activation::Squareplus::new(0.5).call(&Tensor::arange(3)));
    assert!(refused.is_err_and(|e| e.to_string().contains("squareplus")));
    Ok(())
}

#[test]
fn statistics_are_those_of_the_model() -> Result<(), Box<dyn Error>> {
    one_thread();
    let folder = folder("exercise_statistics");
    let [weights, gradients, activations] = exercise_statistics::look(2, &folder)?;
    assert_eq!((weights.rows.len(), gradients.rows.len(), activations.rows.len()), (6, 6, 6));
    assert!(weights.is_finite() && gradients.is_finite() && activations.is_finite());
    assert_eq!(weights.get("fc1.weight").map(|s| s.numel()), Some(64 * 96));
    let relu = activations.get("relu1").expect("a row for each layer");
    assert!(relu.min == 0.0 && (0.1..0.9).contains(&relu.zero_rate()), "{}", relu.zero_rate());
    for name in ["", "_weights", "_gradients", "_activations"] {
        assert!(is_png(folder.join(format!("exercise_statistics{name}.png"))), "{name}");
    }

    let seen = exercise_statistics::train(1)?;
    assert_eq!(seen.names, ["fc1.weight", "fc2.weight", "fc3.weight"]);
    // 1438 digits are 23 batches.
    assert!(seen.gradient_norms.iter().all(|norms| norms.len() == 23 && norms.iter().all(|n| *n > 0.0)));
    let times = exercise_statistics::time_of_layers(&seen.model, &seen.test.0, 5);
    assert!(times.len() == 5 && times.iter().all(|(_, time)| !time.is_zero()), "{times:?}");
    Ok(())
}

#[test]
fn skips_let_a_deep_network_learn() -> Result<(), Box<dyn Error>> {
    one_thread();
    let (with, without) = (exercise_skip::train(true, 2)?, exercise_skip::train(false, 2)?);
    assert!(with.losses[1] < 1.5 && with.accuracy > 0.5, "{:?} {}", with.losses, with.accuracy);
    assert!(without.losses[1] > 2.0 && without.accuracy < 0.3, "{:?} {}", without.losses, without.accuracy);
    // Without skips next to nothing arrives at the first block.
    assert!(with.first_gradients[0] > 1e3 * without.first_gradients[0]);
    Ok(())
}

#[test]
fn shared_parameters_add_numbers_of_any_length() {
    one_thread();
    let (model, losses) = exercise_rnn::train(300);
    assert_eq!(model.num_parameters(), 2 * 16 + 16 + 16 * 16 + 16 + 1);
    assert!(losses[0] > 0.6 && losses[299] < 0.05, "{} {}", losses[0], losses[299]);
    // Longer numbers than it was trained with, too.
    let (short, long) = (exercise_rnn::accuracy(&model, 8), exercise_rnn::accuracy(&model, 24));
    assert!(short > 0.95 && long > 0.9, "{short} {long}");
}

#[test]
fn clipped_gradients_keep_the_limit() -> Result<(), Box<dyn Error>> {
    one_thread();
    let clipped = exercise_clipping::train(true, true, 4)?;
    let limit = exercise_clipping::MAX_NORM;
    assert!(clipped.norms.iter().any(|n| *n > 2.0 * limit));
    assert!(clipped.clipped_norms.iter().all(|n| *n <= limit * (1.0 + 1e-6)));
    // What is below the limit is left alone.
    let small = clipped.norms.iter().zip(&clipped.clipped_norms).filter(|(n, _)| **n < limit);
    assert!(small.clone().count() > 0 && small.clone().all(|(before, after)| before == after));
    // Up, and down to (almost) nothing.
    let (first, last) = (clipped.lrs[0], clipped.lrs[clipped.lrs.len() - 1]);
    let highest = clipped.lrs.iter().copied().fold(0.0, f64::max);
    assert!(first < 0.05 * highest && highest > 0.45 && last < 0.01 * highest, "{first} {highest} {last}");
    assert!(clipped.accuracy > 0.9, "{}", clipped.accuracy);
    let free = exercise_clipping::train(false, false, 4)?;
    assert_eq!(free.norms, free.clipped_norms);
    assert!(free.accuracy < clipped.accuracy, "{}", free.accuracy);
    Ok(())
}

/// The embedded digits as MNIST's files: every pixel three times as wide and high, with a margin of two.
fn write_idx(folder: &Path) -> std::io::Result<()> {
    let (training, test) = digits().split(0.6, 0);
    let (training, test) = (training.split(0.1, 0).0, test.split(0.2, 0).1);
    for (part, table) in [("train", &training), ("t10k", &test)] {
        let n = table.len() as u32;
        let mut images = vec![0, 0, 8, 3];
        for size in [n, 28, 28] {
            images.extend(size.to_be_bytes());
        }
        for digit in table.features.to_vec::<f32>().chunks(64) {
            for at in 0..28 * 28 {
                let (y, x) = (at / 28, at % 28);
                let inside = (2..26).contains(&y) && (2..26).contains(&x);
                let value = if inside { digit[(y - 2) / 3 * 8 + (x - 2) / 3] * 15.9 } else { 0.0 };
                images.push(value as u8);
            }
        }
        let mut labels = vec![0, 0, 8, 1];
        labels.extend(n.to_be_bytes());
        labels.extend(table.targets().to_vec::<i64>().iter().map(|&label| label as u8));
        fs::write(folder.join(format!("{part}-images-idx3-ubyte")), images)?;
        fs::write(folder.join(format!("{part}-labels-idx1-ubyte")), labels)?;
    }
    Ok(())
}

#[test]
fn mnist_program_trains_saves_and_draws() -> Result<(), Box<dyn Error>> {
    one_thread();
    let folder = folder("exercise_mnist");
    write_idx(&folder)?;
    let test = Mnist::load(&folder, false)?;
    let outcome = exercise_mnist::run(&folder, 2, &folder)?;
    assert!(outcome.losses[1] < outcome.losses[0] && outcome.accuracy > 0.6, "{}", outcome.accuracy);
    // What was saved is what was trained.
    let loaded = exercise_mnist::Cnn::new();
    loaded.load_state_dict(&load(folder.join("exercise_mnist.pth"))?.state_dict()?, true)?;
    assert!(exercise_mnist::predict(&loaded, &test)?.equal(&outcome.told));
    assert!(is_png(folder.join("exercise_mnist_confusion.png")));
    let missing = exercise_mnist::run(&folder.join("none"), 1, &folder);
    assert!(missing.is_err_and(|e| e.to_string().contains("expected a folder with the files of MNIST")));
    Ok(())
}
