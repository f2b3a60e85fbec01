//! Draws one of everything: `cargo run -p cresset-viz --example gallery -- DIRECTORY [FONT]`.

use std::path::PathBuf;

use cresset_nn::prelude::*;
use cresset_nn::{BatchNorm1d, Linear, ReLU, Sequential, stats};
use cresset_viz::{
    Error, Figure, Loc, Scale, confusion_matrix, confusion_text, histogram_grid, image_grid, training_curves,
};

fn main() -> Result<(), Error> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let directory = arguments.next().unwrap_or_else(std::env::temp_dir);
    let font = arguments.next();
    let figures = [
        ("activations", activations()),
        ("kinds", kinds()),
        ("axes", axes()),
        ("curves", curves()),
        ("confusion", confusion_matrix(&counts(), &DIGITS)),
        ("images", images()),
        ("chinese", chinese()),
        ("weights", weights()),
        ("model weights", model("weights")),
        ("model gradients", model("gradients")),
        ("model activations", model("activations")),
        ("empty", Figure::new(4.0, 3.0)),
    ];
    for (name, mut figure) in figures {
        if let Some(font) = &font {
            figure.font(font)?;
        }
        for extension in ["png", "svg"] {
            figure.save(directory.join(name).with_extension(extension))?;
        }
    }
    print!("{}", confusion_text(&counts(), &DIGITS));
    Ok(())
}

const DIGITS: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];

fn counts() -> Vec<usize> {
    (0..100).map(|i| if i / 10 == i % 10 { 970 - i } else { i * 7 % 11 }).collect()
}

/// Numbers that look like a bell curve: sums of twelve draws of a small generator.
fn bell(n: usize, seed: u64) -> Vec<f64> {
    let mut state = seed;
    let mut uniform = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 11) as f64 / (1u64 << 53) as f64
    };
    (0..n).map(|_| (0..12).map(|_| uniform()).sum::<f64>() - 6.0).collect()
}

fn activations() -> Figure {
    let x: Vec<f64> = (-500..=500).map(|i| i as f64 / 100.0).collect();
    let sigmoid = |v: f64| 1.0 / (1.0 + (-v).exp());
    let functions: [(&str, &dyn Fn(f64) -> f64); 8] = [
        ("ReLU", &|v| v.max(0.0)),
        ("LeakyReLU(0.1)", &|v| if v > 0.0 { v } else { 0.1 * v }),
        ("ELU", &|v| if v > 0.0 { v } else { v.exp() - 1.0 }),
        ("GELU", &|v| 0.5 * v * (1.0 + (0.797_884_56 * (v + 0.044_715 * v * v * v)).tanh())),
        ("Sigmoid", &sigmoid),
        ("Tanh", &|v| v.tanh()),
        ("SiLU", &|v| v * sigmoid(v)),
        ("Softplus", &|v| v.exp().ln_1p()),
    ];
    let mut fig = Figure::new(15.0, 8.0);
    for (i, (name, f)) in functions.iter().enumerate() {
        let y: Vec<f64> = x.iter().map(|&v| f(v)).collect();
        let slope: Vec<f64> = x.iter().map(|&v| (f(v + 1e-4) - f(v - 1e-4)) / 2e-4).collect();
        let ax = fig.subplot(2, 4, i + 1);
        ax.plot(&x, &y).label("f").linewidth(2.0).plot(&x, &slope).label("f'").linestyle("--");
        ax.title(*name).grid(true).xlabel("x").legend();
        if i % 4 == 0 {
            ax.ylabel("value");
        }
    }
    fig.suptitle("Activation functions and their slopes");
    fig
}

fn kinds() -> Figure {
    let mut fig = Figure::new(15.0, 9.0);
    let (a, b) = (bell(2000, 1), bell(2000, 2));
    let ax = fig.subplot(2, 3, 1);
    ax.hist(&a, 30).label("N(0, 1)").alpha(0.6);
    ax.hist(&b.iter().map(|v| v * 0.5 + 1.5).collect::<Vec<_>>(), 30).label("N(1.5, 0.25)").alpha(0.6);
    ax.title("Histograms").ylabel("count").legend();
    let ax = fig.subplot(2, 3, 2);
    ax.scatter_values(&a[..300], &b[..300], &a[300..600]).alpha(0.8).colorbar("third value");
    ax.title("Scatter with colours").xlabel("a").ylabel("b").grid(true);
    let names = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];
    let heights: Vec<f64> = (0..10).map(|i| 0.6 + 0.04 * i as f64).collect();
    fig.subplot(2, 3, 3).bar(&names, &heights).color("steelblue").title("Bars with long names").ylabel("accuracy");
    let weights: Vec<f64> = (0..64).map(|i| if i % 8 > i / 8 { 0.0 } else { 1.0 / (1 + i / 8) as f64 }).collect();
    let ax = fig.subplot(2, 3, 4);
    ax.heatmap((&weights, [8, 8])).annotate(2).colorbar("weight").title("Attention").xlabel("key").ylabel("query");
    let x: Vec<f64> = (0..60).map(|i| i as f64).collect();
    let mean: Vec<f64> = x.iter().map(|v| (v / 8.0).sin()).collect();
    let (low, high): (Vec<f64>, Vec<f64>) = mean.iter().map(|m| (m - 0.3, m + 0.3)).unzip();
    let ax = fig.subplot(2, 3, 5);
    ax.fill_between(&x, &low, &high).label("±0.3").plot(&x, &mean).label("mean").marker("o").markersize(3.0);
    ax.axhline(0.0).axvline(25.0).text(26.0, -1.1, "here").title("Band, guides, text").legend();
    let ax = fig.subplot(2, 3, 6);
    for (i, marker) in ["o", ".", "s", "^", "v", "D", "x", "+"].iter().enumerate() {
        let y: Vec<f64> = (0..6).map(|j| (i + j % 2) as f64).collect();
        let style = ["-", "--", ":", "-."][i % 4];
        ax.plot_y(&y).marker(*marker).linestyle(style).label(format!("{marker} {style}"));
    }
    ax.title("Markers and styles").xlim(-0.2, 9.0).legend_at(Loc::UpperRight);
    fig
}

fn axes() -> Figure {
    let mut fig = Figure::new(14.0, 8.0);
    let x: Vec<f64> = (1..=400).map(f64::from).collect();
    let ax = fig.subplot(2, 3, 1);
    ax.plot(&x, &x.iter().map(|v| (-v / 30.0).exp()).collect::<Vec<_>>()).yscale(Scale::Log);
    ax.title("Log y").grid(true).ylabel("loss");
    let ax = fig.subplot(2, 3, 2);
    ax.plot(&x, &x.iter().map(|v| v.powi(3)).collect::<Vec<_>>()).xscale(Scale::Log).yscale(Scale::Log);
    ax.title("Log both").grid(true).xlabel("n").ylabel("operations");
    let ax = fig.subplot(2, 3, 3);
    ax.plot(&x, &x.iter().map(|v| v * 3e6).collect::<Vec<_>>()).title("Large numbers").xlabel("step");
    let ax = fig.subplot(2, 3, 4);
    ax.plot(&x, &x.iter().map(|v| 2.0 / v).collect::<Vec<_>>()).label("loss").ylabel("loss").xlabel("step");
    let rate: Vec<f64> = x.iter().map(|v| 1e-5 * (1.0 + (v / 400.0 * std::f64::consts::PI).cos())).collect();
    ax.twinx().plot(&x, &rate).label("learning rate").ylabel("learning rate");
    ax.title("Twin axes").legend();
    let ax = fig.subplot(2, 3, 5);
    let gaps: Vec<f64> =
        x.iter().map(|v| if (*v as usize / 50) % 3 == 1 { f64::NAN } else { (v / 20.0).sin() }).collect();
    ax.plot(&x, &gaps)
        .title("A title that is much too long for the width of the plot it belongs to, with gaps in the line");
    ax.ylim(-0.5, 1.5).xlim(0.0, 400.0).grid(true);
    let ax = fig.subplot(2, 3, 6);
    ax.barh(&["conv", "linear", "norm"], &[120.0, 45.0, 7.5]).title("Lying bars").xlabel("ms").grid(true);
    fig
}

fn curves() -> Figure {
    let falling = |n: usize, rate: f64| (0..n).map(|i| 0.1 + (-(i as f64) * rate).exp()).collect::<Vec<f64>>();
    let (train, val) = (falling(12, 0.5), falling(12, 0.4));
    let accuracy: Vec<f64> = val.iter().map(|l| 1.0 - l / 2.0).collect();
    training_curves(&[("train", &train), ("val", &val)], &[("val", &accuracy)])
}

fn images() -> Figure {
    let pixels: Vec<f32> = (0..16 * 3 * 32 * 32)
        .map(|i| {
            let (n, c, y, x) = (i / 3072, i / 1024 % 3, i / 32 % 32, i % 32);
            let value = ((x * (n + 1)) as f32 / 20.0 + c as f32).sin() * (y as f32 / 10.0).cos();
            0.5 + 0.5 * value
        })
        .collect();
    let titles: Vec<String> = (0..16).map(|i| format!("image {i}")).collect();
    image_grid((&pixels, [16, 3, 32, 32]), 8, &titles)
}

fn chinese() -> Figure {
    let mut fig = Figure::new(6.0, 4.0);
    let ax = fig.subplot(1, 1, 1);
    ax.plot_y(&[3.0, 1.0, 0.5, 0.3]).label("训练损失").title("训练曲线：损失随轮次下降").xlabel("轮次").ylabel("损失");
    ax.grid(true).legend();
    fig
}

fn weights() -> Figure {
    let mut fig = Figure::new(15.0, 5.0);
    let noise: Vec<f32> = (0..200_000_u64)
        .map(|i| (i.wrapping_mul(6364136223846793005) >> 40) as f32 / 16_777_216.0 * 0.0714 - 0.0357)
        .collect();
    let panels = [("network.0.weight", noise), ("network.1.weight", vec![1.0; 256]), ("network.4.weight", vec![])];
    for (i, (name, values)) in panels.iter().enumerate() {
        let mean = values.iter().sum::<f32>() / values.len() as f32;
        let ax = fig.subplot(1, 3, i + 1);
        ax.hist(values, 50).alpha(0.7).title(format!("{name}\nMean: {mean:.4}"));
        ax.xlabel("Weight Value").ylabel("Frequency");
    }
    fig
}

/// Histograms of a small network.
fn model(what: &str) -> Figure {
    let first = (Linear::new(64, 32), BatchNorm1d::new(32), ReLU::new());
    let model = Sequential::new((Sequential::new(first), Linear::new(32, 16), ReLU::new(), Linear::new(16, 4)));
    let x = Tensor::randn([256, 64]);
    model.call(&x).square().mean().backward();
    histogram_grid(&match what {
        "weights" => stats::weights(&model),
        "gradients" => stats::gradients(&model),
        _ => stats::activations(&model, &x),
    })
}
