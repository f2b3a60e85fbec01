//! What plotting calls refuse: lengths that differ, limits that are none.

use crate::{Series, Shaped};
use cresset_tensor::error::fail;

#[track_caller]
pub(crate) fn pair<X: Series + ?Sized, Y: Series + ?Sized>(call: &str, x: &X, y: &Y) -> (Vec<f64>, Vec<f64>) {
    let (x, y) = (x.to_f64(), y.to_f64());
    if x.len() != y.len() {
        let (nx, ny) = (x.len(), y.len());
        fail(call, format!("x and y must have same first dimension, but have shapes ({nx},) and ({ny},)"));
    }
    (x, y)
}

#[track_caller]
pub(crate) fn index(call: &str, names: usize, values: usize) -> Vec<f64> {
    if names != values {
        fail(call, format!("expected as many labels as values, but got {names} labels and {values} values"));
    }
    (0..names).map(|i| i as f64).collect()
}

/// Shape and numbers, which must fit each other.
#[track_caller]
pub(crate) fn filled(call: &str, numbers: &impl Shaped) -> (Vec<usize>, Vec<f64>) {
    let (shape, values) = (numbers.shape(), numbers.to_f64());
    if values.len() != shape.iter().product::<usize>() {
        fail(call, format!("shape {shape:?} is invalid for input of size {}", values.len()));
    }
    (shape, values)
}

pub(crate) fn named<L: AsRef<str>>(at: &[f64], names: &[L]) -> Vec<(f64, String)> {
    let mut ticks: Vec<_> = at.iter().copied().zip(names.iter().map(|n| n.as_ref().to_owned())).collect();
    ticks.sort_by(|a, b| a.0.total_cmp(&b.0));
    ticks
}

#[track_caller]
pub(crate) fn distinct(call: &str, low: f64, high: f64) -> (f64, f64) {
    if !(high - low).is_finite() || low == high {
        fail(call, format!("limits must be finite and different, but got {low} and {high}"));
    }
    (low, high)
}

#[track_caller]
pub(crate) fn ordered(call: &str, low: f64, high: f64) -> (f64, f64) {
    if low > high {
        fail(call, format!("the first limit must be below the second, but got {low} and {high}"));
    }
    distinct(call, low, high)
}
