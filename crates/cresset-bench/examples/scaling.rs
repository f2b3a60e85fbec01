//! Draws and tabulates what `compare.py --group 6` has measured, with the floors of this machine beside it.
//!
//!     cargo run --release -p cresset-bench --example scaling -- target/bench/compare.json docs/scaling.svg
//!
//! prints the table in Markdown.

use cresset::profiler::Machine;
use cresset::set_num_threads;
use cresset_bench::scaling::{Size, sizes};
use cresset_viz::{Figure, Scale};
use serde_json::Value;

/// What both sides took, in microseconds, and the floors by the products and by the memory.
struct Row {
    size: Size,
    threads: usize,
    ours: f64,
    pytorch: f64,
    flops: f64,
    bytes: f64,
}

impl Row {
    fn floor(&self) -> f64 {
        self.flops.max(self.bytes)
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(json), Some(picture)) = (arguments.next(), arguments.next()) else {
        return Err("expected two arguments: the JSON of compare.py, and a file for the picture".into());
    };
    let measured: Value = serde_json::from_str(&std::fs::read_to_string(&json)?)?;
    let measured = measured["workloads"].as_array().ok_or("the JSON has no list of workloads")?;
    let mut rows = Vec::new();
    for threads in [1, 2] {
        set_num_threads(threads);
        let machine = Machine::measured();
        for size in sizes() {
            let of = |w: &&Value| w["name"] == size.name().as_str() && w["threads"] == threads;
            let Some(found) = measured.iter().find(of) else { continue };
            let time = |side: &str| found[side]["min_us"].as_f64().ok_or_else(|| format!("{}: no time", size.name()));
            rows.push(Row {
                size,
                threads,
                ours: time("ours")?,
                pytorch: time("pytorch")?,
                flops: size.flops() / machine.f32_flops * 1e6,
                bytes: size.bytes() / machine.bandwidth_for(size.bytes() as u64) * 1e6,
            });
        }
    }
    println!("| varied | batch | width | depth | threads | PyTorch / cresset | cresset / floor | the floor is |");
    println!("|---|---:|---:|---:|---:|---:|---:|---|");
    for r in &rows {
        let Size { axis, batch, width, depth } = r.size;
        let (ratio, above) = (r.pytorch / r.ours, r.ours / r.floor());
        let what = if r.flops > r.bytes { "products" } else { "memory" };
        println!("| {axis} | {batch} | {width} | {depth} | {} | {ratio:.2} | {above:.1} | {what} |", r.threads);
    }
    draw(&rows).save(&picture)?;
    Ok(())
}

/// Time against size, one panel for each axis and number of threads, relative to cresset's smallest.
fn draw(rows: &[Row]) -> Figure {
    let mut figure = Figure::new(13.0, 7.5);
    for (i, threads) in [1, 2].into_iter().enumerate() {
        for (j, axis) in ["batch", "width", "depth"].into_iter().enumerate() {
            let of: Vec<_> = rows.iter().filter(|r| r.threads == threads && r.size.axis == axis).collect();
            let Some(unit) = of.first().map(|r| r.ours) else { continue };
            let x: Vec<f64> = of.iter().map(|r| r.size.varied() as f64).collect();
            let y = |f: fn(&Row) -> f64| of.iter().map(|r| f(r) / unit).collect::<Vec<f64>>();
            let axes = figure.subplot(2, 3, i * 3 + j + 1);
            axes.plot(&x, &y(|r| r.pytorch)).label("PyTorch").marker("s");
            axes.plot(&x, &y(|r| r.ours)).label("cresset").marker("o");
            axes.plot(&x, &y(Row::floor)).label("floor").linestyle("--");
            axes.xscale(Scale::Log).yscale(Scale::Log).xlabel(axis).grid(true).legend();
            axes.title(format!("{threads} thread{}", if threads > 1 { "s" } else { "" }));
            if j == 0 {
                axes.ylabel("time, in cresset's smallest");
            }
        }
    }
    figure.suptitle("A training step, by size");
    figure
}
