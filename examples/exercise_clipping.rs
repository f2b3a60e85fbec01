//! Exercise: clipping gradients, and a schedule of learning rates (实现梯度裁剪和学习率调度).
//!
//! One network learns handwritten digits three times with a learning rate that is too high for it: as it is, with clipped gradients, and with clipped
//! gradients and a schedule (a warm-up, then half a cosine down to 0). The figure goes to `exercise_clipping.png` in the current folder, or in the
//! folder given as an argument.

use cresset::data::digits;
use cresset::optim::get_total_norm;
use cresset::prelude::*;
use cresset_viz::{Figure, Scale};
use std::path::{Path, PathBuf};

/// The largest norm that the gradients of all parameters together may have.
pub(crate) const MAX_NORM: f64 = 0.5;
/// The learning rate, the highest one with the schedule.
const LR: f64 = 0.5;

/// One training run; a number for every step.
#[derive(Default)]
pub(crate) struct Run {
    pub(crate) losses: Vec<f64>,
    /// The norm of the gradients as backward left them.
    pub(crate) norms: Vec<f64>,
    /// The norm that the optimizer saw.
    pub(crate) clipped_norms: Vec<f64>,
    pub(crate) lrs: Vec<f64>,
    /// The share of the test digits that are told right.
    pub(crate) accuracy: f64,
}

pub(crate) fn train(clip: bool, schedule: bool, epochs: usize) -> Result<Run, cresset::data::Error> {
    manual_seed(0);
    let digits = digits();
    let (training, test) = digits.with_features(&digits.features / 16.0).split(0.2, 0);
    let model = Sequential::new((
        Linear::new(64, 128),
        ReLU::new(),
        Linear::new(128, 128),
        ReLU::new(),
        Linear::new(128, 128),
        ReLU::new(),
        Linear::new(128, 10),
    ));
    let criterion = CrossEntropyLoss::new();
    let optimizer = SGD::with(model.parameters(), SgdOptions { lr: LR, momentum: 0.9, ..Default::default() });
    let loader = DataLoader::new(training.dataset(), 64).shuffle(true);

    let (steps, warm_up) = (epochs * loader.len(), loader.len());
    let mut scheduler = schedule.then(|| {
        let up = LinearLR::new(&optimizer, 0.02, 1.0, warm_up);
        let down = CosineAnnealingLR::new(&optimizer, steps - warm_up, 0.0);
        SequentialLR::new(&optimizer, vec![Box::new(up), Box::new(down)], vec![warm_up])
    });

    let mut run = Run::default();
    for _ in 0..epochs {
        for batch in &loader {
            let (x, y) = batch?;
            optimizer.zero_grad();
            let loss = criterion.call((&model.call(&x), &y));
            loss.backward();
            let norm = |grads: Vec<Tensor>| get_total_norm(grads, 2.0).item::<f64>();
            let gradients = || model.parameters().iter().filter_map(|p| p.grad()).collect();
            // clip_grad_norm_ gives the norm before.
            let before = if clip { clip_grad_norm_(model.parameters(), MAX_NORM).item() } else { norm(gradients()) };
            optimizer.step();

            run.losses.push(loss.item());
            run.norms.push(before);
            run.clipped_norms.push(norm(gradients()));
            run.lrs.extend(optimizer.lrs());
            if let Some(scheduler) = &mut scheduler {
                scheduler.step();
            }
        }
    }
    let told = no_grad(|| model.call(&test.features)).argmax_dim(1, false);
    run.accuracy = told.eq(test.targets()).double().mean().item();
    Ok(run)
}

/// The mean of every 10 steps, so that curves can be told from their noise.
fn smooth(values: &[f64]) -> (Vec<usize>, Vec<f64>) {
    let mean = |(i, part): (usize, &[f64])| (10 * i + 5, part.iter().sum::<f64>() / part.len() as f64);
    values.chunks(10).enumerate().map(mean).unzip()
}

fn figure(runs: &[(&str, Run)], path: &Path) -> Result<(), cresset_viz::Error> {
    let mut fig = Figure::new(15.0, 4.5);
    let ax = fig.subplot(1, 3, 1);
    for (name, run) in runs {
        let (steps, losses) = smooth(&run.losses);
        ax.plot(&steps, &losses).label(*name);
    }
    // The first run leaves the picture on its way to infinity.
    ax.title("loss").xlabel("step").yscale(Scale::Log).ylim(1e-4, 1e3).grid(true).legend();
    let ax = fig.subplot(1, 3, 2);
    if let Some((_, run)) = runs.last() {
        ax.plot_y(&run.norms).label("before clipping").linewidth(0.8);
        ax.plot_y(&run.clipped_norms).label("after").linewidth(0.8);
    }
    ax.title("norm of the gradients").xlabel("step").yscale(Scale::Log).grid(true).legend();
    let ax = fig.subplot(1, 3, 3);
    for (name, run) in &runs[1..] {
        ax.plot_y(&run.lrs).label(*name);
    }
    ax.title("learning rate").xlabel("step").grid(true).legend();
    fig.save(path)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).map(PathBuf::from).unwrap_or_default();
    let epochs = 15;
    let runs = [
        ("as it is", train(false, false, epochs)?),
        ("clipped", train(true, false, epochs)?),
        ("clipped, with a schedule", train(true, true, epochs)?),
    ];
    for (name, run) in &runs {
        let largest = |norms: &[f64]| match norms.iter().copied().fold(0.0, f64::max) {
            norm if norm < 1e4 => format!("{norm:.3}"),
            norm => format!("{norm:.0e}"),
        };
        println!(
            "{name:>24}: last loss {:.4}, test accuracy {:.4}, largest norm {}, after clipping {}",
            run.losses[run.losses.len() - 1],
            run.accuracy,
            largest(&run.norms),
            largest(&run.clipped_norms)
        );
    }
    figure(&runs, &folder.join("exercise_clipping.png"))?;
    Ok(())
}
