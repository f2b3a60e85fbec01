//! Exercise: statistics of a model's parameters, and their pictures (实现模型参数的统计和可视化函数; 创建一个模型性能分析和可视化工具).
//!
//! A network learns handwritten digits. Before, meanwhile and afterwards it is looked at: its layers and what they cost, the distributions of weights,
//! gradients and activations, the norm of every layer's gradient, the time that each layer takes. Figures go to `exercise_statistics*.png` in the
//! current folder, or in the folder given as an argument.

use cresset::data::digits;
use cresset::prelude::*;
use cresset_viz::{Figure, Scale, histogram_grid};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What is seen while a network trains.
pub(crate) struct Observed {
    pub(crate) model: Sequential,
    /// The weights of the first layer before training.
    first_weights: Tensor,
    /// The names of the weight matrices, and the norms of their gradients after every step.
    pub(crate) names: Vec<String>,
    pub(crate) gradient_norms: Vec<Vec<f64>>,
    /// Digits that the network was not trained with.
    pub(crate) test: (Tensor, Tensor),
}

/// Trains a network and takes notes of its gradients.
pub(crate) fn train(epochs: usize) -> Result<Observed, cresset::data::Error> {
    manual_seed(0);
    let digits = digits();
    let (training, test) = digits.with_features(&digits.features / 16.0).split(0.2, 0);
    let model = Sequential::named((
        ("fc1", Linear::new(64, 96)),
        ("relu1", ReLU::new()),
        ("fc2", Linear::new(96, 48)),
        ("relu2", ReLU::new()),
        ("fc3", Linear::new(48, 10)),
    ));
    let first_weights = model.get_parameter("fc1.weight").detach().duplicate();
    let matrices: Vec<_> = model.named_parameters().into_iter().filter(|(_, p)| p.dim() == 2).collect();
    let mut gradient_norms = vec![Vec::new(); matrices.len()];

    let criterion = CrossEntropyLoss::new();
    let optimizer = Adam::new(model.parameters(), 2e-3);
    let loader = DataLoader::new(training.dataset(), 64).shuffle(true);
    for _ in 0..epochs {
        for batch in &loader {
            let (x, y) = batch?;
            optimizer.zero_grad();
            criterion.call((&model.call(&x), &y)).backward();
            for ((_, weight), norms) in matrices.iter().zip(&mut gradient_norms) {
                norms.extend(weight.grad().map(|g| g.norm().item::<f64>()));
            }
            optimizer.step();
        }
    }
    let names = matrices.into_iter().map(|(name, _)| name).collect();
    let test = (test.features.clone(), test.targets().clone());
    Ok(Observed { model, first_weights, names, gradient_norms, test })
}

/// The time that every layer takes for its forward, by hooks around it: the mean of `runs` runs.
pub(crate) fn time_of_layers(model: &Sequential, x: &Tensor, runs: u32) -> Vec<(String, Duration)> {
    let times: Arc<Mutex<HashMap<String, (Instant, Duration)>>> = Arc::default();
    let layers = model.named_children();
    let mut hooks = Vec::new();
    for (name, layer) in &layers {
        // A hook owns what it works with: clones are handles on the same map.
        let (begun, ended) = ((times.clone(), name.to_string()), (times.clone(), name.to_string()));
        hooks.push(layer.register_forward_pre_hook(move |_module, _input| {
            let (times, name) = &begun;
            let mut times = times.lock().unwrap_or_else(PoisonError::into_inner);
            times.entry(name.clone()).or_insert((Instant::now(), Duration::ZERO)).0 = Instant::now();
        }));
        hooks.push(layer.register_forward_hook(move |_module, _input, _output| {
            let now = Instant::now();
            let (times, name) = &ended;
            let mut times = times.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some((begun, total)) = times.get_mut(name) {
                *total += now - *begun;
            }
        }));
    }
    no_grad(|| (0..runs).for_each(|_| drop(model.call(x))));
    hooks.into_iter().for_each(|hook| hook.remove());
    let times = times.lock().unwrap_or_else(PoisonError::into_inner);
    let mean = |name: &str| times.get(name).map_or(Duration::ZERO, |(_, total)| *total / runs);
    layers.iter().map(|(name, _)| (name.to_string(), mean(name))).collect()
}

/// Four views of one training run.
fn figure(seen: &Observed, activations: &stats::Report, times: &[(String, Duration)]) -> Figure {
    let mut fig = Figure::new(13.0, 9.0);
    let ax = fig.subplot(2, 2, 1);
    ax.hist(&seen.model.get_parameter("fc1.weight"), 60).density(true).alpha(0.6).label("trained");
    ax.hist(&seen.first_weights, 60).density(true).alpha(0.6).label("at the start");
    ax.title("fc1.weight").xlabel("weight").ylabel("density").legend();

    let ax = fig.subplot(2, 2, 2);
    for (name, norms) in seen.names.iter().zip(&seen.gradient_norms) {
        ax.plot_y(norms).label(name).linewidth(0.8);
    }
    ax.title("norm of the gradient").xlabel("step").yscale(Scale::Log).grid(true).legend();

    let ax = fig.subplot(2, 2, 3);
    let relus: Vec<_> = activations.rows.iter().filter(|r| r.name.starts_with("relu")).collect();
    let at: Vec<f64> = (0..relus.len()).map(|i| i as f64).collect();
    let beside: Vec<f64> = at.iter().map(|x| x + 0.4).collect();
    let (zeros, dead): (Vec<f64>, Vec<f64>) = relus.iter().map(|r| (r.zero_rate(), r.dead_rate())).unzip();
    ax.bar_at(&at, &zeros, 0.4).label("zeros");
    ax.bar_at(&beside, &dead, 0.4).label("dead units");
    let names: Vec<&str> = relus.iter().map(|r| r.name.as_str()).collect();
    let middle: Vec<f64> = at.iter().map(|x| x + 0.2).collect();
    ax.xticks(&middle, &names).ylim(0.0, 1.0).title("what the ReLUs cut off").ylabel("share").legend();

    let ax = fig.subplot(2, 2, 4);
    let (names, micros): (Vec<&str>, Vec<f64>) =
        times.iter().map(|(name, time)| (name.as_str(), time.as_secs_f64() * 1e6)).unzip();
    ax.barh(&names, &micros).title("time of forward").xlabel("µs");
    fig
}

/// Looks at a network that has been trained for so many epochs; gives the statistics of its weights, gradients and activations.
pub(crate) fn look(epochs: usize, folder: &Path) -> Result<[stats::Report; 3], Box<dyn std::error::Error>> {
    let seen = train(epochs)?;
    let (model, (x, y)) = (&seen.model, &seen.test);
    println!("{}", summary(model, x));

    model.zero_grad();
    functional::cross_entropy(&model.call(x), y).backward();
    let (weights, gradients) = (stats::weights(model), stats::gradients(model));
    let activations = stats::activations(model, x);
    println!("{weights}\n{gradients}\n{activations}");
    println!("norm of all gradients together: {:.4}", gradients.norm());
    match stats::find_nan(model, x) {
        Some(fault) => println!("{fault}"),
        None => println!("every activation is a finite number"),
    }
    let times = time_of_layers(model, x, 200);
    for (name, time) in &times {
        println!("{name:>6} {:8.1} µs", time.as_secs_f64() * 1e6);
    }

    figure(&seen, &activations, &times).save(folder.join("exercise_statistics.png"))?;
    for report in [&weights, &gradients, &activations] {
        histogram_grid(report).save(folder.join(format!("exercise_statistics_{}.png", report.what)))?;
    }
    Ok([weights, gradients, activations])
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).map(PathBuf::from).unwrap_or_default();
    look(20, &folder)?;
    Ok(())
}
