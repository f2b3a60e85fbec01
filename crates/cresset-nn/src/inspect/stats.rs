//! Statistics of a model's weights, gradients and activations, and the search for the module that makes the first NaN.
//!
//! ```
//! use cresset_nn::prelude::*;
//! use cresset_nn::{Linear, ReLU, Sequential, stats};
//! let model = Sequential::new((Linear::new(10, 20), ReLU::new(), Linear::new(20, 1)));
//! let x = Tensor::randn([32, 10]);
//! println!("{}", stats::weights(&model));
//! let flow = stats::activations(&model, &x);
//! assert!(flow.get("1").unwrap().zeros > 0); // what the ReLU cut off
//! model.call(&x).sum().backward();
//! assert!(stats::gradients(&model).norm() > 0.0);
//! assert!(stats::find_nan(&model, &x).is_none());
//! ```

pub use super::find_nan::{NonFinite, find_nan};
pub use super::histogram::Histogram;

use super::calls::record;
use crate::forward::{Args, Forward};
use crate::{Bundle, Module, ModuleExt};
use cresset_tensor::{DType, Dims, Tensor};
use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

/// How the numbers of one tensor are distributed. Mean, deviation, extremes and norm are those of its finite elements.
#[derive(Clone, Debug, PartialEq)]
pub struct Statistics {
    /// Of which parameter or module: a path with dots.
    pub name: String,
    /// Its shape.
    pub shape: Dims,
    /// Its mean (`x.mean()`); NaN if there is no finite element, as all that follow.
    pub mean: f64,
    /// Its standard deviation with Bessel's correction (`x.std()`); NaN for a single element.
    pub std: f64,
    /// Its smallest element.
    pub min: f64,
    /// Its largest element.
    pub max: f64,
    /// The root of the sum of squares (`x.norm()`).
    pub norm: f64,
    /// How many elements are exactly zero.
    pub zeros: usize,
    /// How many units are zero throughout: rows of a parameter or its gradient (`x[i]`), features or channels of an activation.
    pub dead_units: usize,
    /// How many units there are.
    pub units: usize,
    /// How many elements are NaN.
    pub nan: usize,
    /// How many elements are infinite.
    pub inf: usize,
    /// Its finite elements in 50 bins from the smallest to the largest, as `numpy.histogram(x, bins=50)` counts them.
    pub histogram: Histogram,
}

impl Statistics {
    /// The statistics of one tensor, with the elements along `unit_dim` as units.
    pub fn of(name: impl Into<String>, x: &Tensor, unit_dim: usize) -> Statistics {
        let shape = x.shape();
        let values = Tensor::from_array(x.array().to(DType::F64)).to_vec::<f64>();
        let finite = || values.iter().copied().filter(|v| v.is_finite());
        let n = finite().count();
        let mean = finite().sum::<f64>() / n as f64;
        let squares: f64 = finite().map(|v| (v - mean) * (v - mean)).sum();
        let (min, max) = finite().fold((f64::NAN, f64::NAN), |(lo, hi), v| (v.min(lo), v.max(hi)));
        let units = shape.get(unit_dim).copied().unwrap_or(1);
        let behind: usize = shape.iter().skip(unit_dim + 1).product();
        let mut alive = vec![values.is_empty(); units];
        for (i, v) in values.iter().enumerate() {
            alive[i / behind % units] |= *v != 0.0;
        }
        Statistics {
            name: name.into(),
            shape,
            mean,
            std: if n > 1 { (squares / (n - 1) as f64).sqrt() } else { f64::NAN },
            min,
            max,
            norm: if n > 0 { finite().map(|v| v * v).sum::<f64>().sqrt() } else { f64::NAN },
            zeros: values.iter().filter(|v| **v == 0.0).count(),
            dead_units: alive.iter().filter(|a| !**a).count(),
            units,
            nan: values.iter().filter(|v| v.is_nan()).count(),
            inf: values.iter().filter(|v| v.is_infinite()).count(),
            histogram: Histogram::count(&values, 50, x.dtype() == DType::F32),
        }
    }
    /// The number of elements.
    pub fn numel(&self) -> usize {
        self.shape.iter().product()
    }
    /// The share of elements that are exactly zero; after a ReLU, one minus the activation rate.
    pub fn zero_rate(&self) -> f64 {
        self.zeros as f64 / self.numel() as f64
    }
    /// The share of units that are zero throughout: after a ReLU, units that no sample of the batch activates.
    pub fn dead_rate(&self) -> f64 {
        self.dead_units as f64 / self.units as f64
    }
    /// Is every element a finite number?
    pub fn is_finite(&self) -> bool {
        self.nan == 0 && self.inf == 0
    }
}

/// Statistics of several tensors. `Display` is a table.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// Whose statistics they are: `weights`, `gradients`, `activations`.
    pub what: &'static str,
    /// One for each tensor: in the order of the parameters, or of the calls.
    pub rows: Vec<Statistics>,
    /// Parameters that have no gradient.
    pub missing: Vec<String>,
}

impl Report {
    /// The first statistics of a name.
    pub fn get(&self, name: &str) -> Option<&Statistics> {
        self.rows.iter().find(|r| r.name == name)
    }
    /// The norm of all tensors together; for gradients what `clip_grad_norm_` returns.
    pub fn norm(&self) -> f64 {
        self.rows.iter().map(|r| r.norm).filter(|n| n.is_finite()).map(|n| n * n).sum::<f64>().sqrt()
    }
    /// Is every element a finite number?
    pub fn is_finite(&self) -> bool {
        self.rows.iter().all(Statistics::is_finite)
    }
}

/// Statistics of every parameter.
pub fn weights<M: Module + ?Sized>(model: &M) -> Report {
    let rows = model.named_parameters().into_iter().map(|(name, p)| Statistics::of(name, &p, 0)).collect();
    Report { what: "weights", rows, missing: vec![] }
}

/// Statistics of every parameter's gradient; those that have none are listed as `missing`.
///
/// A row of a weight's gradient that is zero throughout belongs to a unit that learnt nothing from this batch.
pub fn gradients<M: Module + ?Sized>(model: &M) -> Report {
    let (mut rows, mut missing) = (Vec::new(), Vec::new());
    for (name, p) in model.named_parameters() {
        match p.grad() {
            Some(grad) => rows.push(Statistics::of(name, &grad, 0)),
            None => missing.push(name),
        }
    }
    Report { what: "gradients", rows, missing }
}

/// Statistics of what every module gives when the model runs on `input`, in the order in which the calls ended.
///
/// The model runs in the mode it is in, without gradients; its buffers and the random numbers are then as they were. The model's own output comes
/// last, under the name of its type. A module that is called again has its number behind its name, `shared#2`; of several outputs each has its
/// place, `attention[1]`. Units are the channels (dimension 1) behind a convolution or a norm over channels, and else the last dimension.
#[track_caller]
pub fn activations<I, M, A>(model: &M, input: A) -> Report
where
    I: Bundle,
    M: Forward<I> + ?Sized,
    M::Output: Bundle,
    A: Args<I>,
{
    // Was the last layer with weights one over channels?
    let channels = AtomicBool::new(false);
    let (nodes, mut records) = record(model, input, false, move |module, _, output| {
        let class = module.class_name();
        if ["Conv", "BatchNorm", "InstanceNorm", "GroupNorm"].iter().any(|k| class.contains(k)) {
            channels.store(true, Ordering::Relaxed);
        } else if module.children().is_empty() && !module.parameters().is_empty() {
            channels.store(false, Ordering::Relaxed);
        }
        let unit_dim =
            |x: &Tensor| if channels.load(Ordering::Relaxed) { 1 } else { usize::MAX }.min(x.dim().max(1) - 1);
        output.tensors().iter().map(|x| Statistics::of("", x, unit_dim(x))).collect::<Vec<_>>()
    });
    records.sort_by_key(|r| r.ended);
    let mut rows = Vec::new();
    let mut calls: HashMap<&str, usize> = HashMap::new();
    for record in records {
        let node = &nodes[record.node];
        let path = if node.path.is_empty() { node.module.class_name() } else { &node.path };
        let call = calls.entry(path).or_insert(0);
        *call += 1;
        let again = if *call > 1 { format!("#{call}") } else { String::new() };
        let outputs = record.noted.unwrap_or_default();
        let several = outputs.len() > 1;
        for (i, statistics) in outputs.into_iter().enumerate() {
            let place = if several { format!("[{i}]") } else { String::new() };
            rows.push(Statistics { name: format!("{path}{again}{place}"), ..statistics });
        }
    }
    Report { what: "activations", rows, missing: vec![] }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let head = ["", "shape", "mean", "std", "min", "max", "norm", "zeros", "dead", "nan", "inf"];
        let mut lines = vec![head.map(String::from)];
        lines[0][0] = self.what.into();
        let rate = |part: usize, all: usize| match (part, all) {
            (0, _) => "-".to_string(),
            _ => format!("{:.1}%", 100.0 * part as f64 / all as f64),
        };
        let count = |n: usize| if n == 0 { "-".to_string() } else { n.to_string() };
        for r in &self.rows {
            lines.push([
                r.name.clone(),
                format!("{:?}", &r.shape[..]),
                short(r.mean),
                short(r.std),
                short(r.min),
                short(r.max),
                short(r.norm),
                rate(r.zeros, r.numel()),
                rate(r.dead_units, r.units),
                count(r.nan),
                count(r.inf),
            ]);
        }
        let width = |c: usize| lines.iter().map(|l| l[c].chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..head.len()).map(width).collect();
        for (i, line) in lines.iter().enumerate() {
            let mut text = String::new();
            for (c, (cell, width)) in line.iter().zip(&widths).enumerate() {
                // Names and shapes to the left, numbers to the right.
                text += &if c < 2 { format!("{cell:<width$}  ") } else { format!("{cell:>width$}  ") };
            }
            let end = if i + 1 == lines.len() && self.missing.is_empty() { "" } else { "\n" };
            write!(f, "{}{end}", text.trim_end())?;
        }
        match self.missing.is_empty() {
            true => Ok(()),
            false => write!(f, "no gradient: {}", self.missing.join(", ")),
        }
    }
}

/// Four digits, with an exponent where the number is very large or small.
fn short(x: f64) -> String {
    match x.abs() {
        a if a == 0.0 || (1e-4..1e6).contains(&a) => format!("{x:.4}"),
        a if a.is_finite() => format!("{x:.2e}"),
        _ => x.to_string(),
    }
}
