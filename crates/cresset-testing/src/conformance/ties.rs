//! Where equal elements leave the index open: the indices must select the values.

use super::op_cases::Parsed;
use super::out::Out;
use crate::golden::compare::{floats, integers, same};
use crate::golden::{Allowance, Container, Inputs, Value, compare};
use cresset_tensor::Tensor;
use std::collections::BTreeMap;

/// Do the indices of (values, indices) select the values, along the dimension of the call?
pub fn indices_select(parsed: &Parsed, inputs: &Inputs, out: &Out, op: &str) -> Result<(), String> {
    let Some(Value::Tensor(r)) = parsed.args.first() else { return Ok(()) };
    let x = inputs.get(r)?;
    let tensors = out.tensors();
    let (values, indices) = match (&tensors[..], op) {
        ([i], "argmax" | "argmin") => (None, i),
        ([v, i], "max" | "min" | "median" | "nanmedian" | "mode" | "kthvalue" | "sort" | "topk") => (Some(v), i),
        _ => return Ok(()),
    };
    if x.dim() == 0 {
        return if integers(indices).iter().all(|&i| i == 0) { Ok(()) } else { Err("an index of a 0-d tensor".into()) };
    }
    let at = |name: &str| parsed.kwargs.iter().find(|(k, _)| k == name).map(|(_, v)| v);
    let position = if op == "kthvalue" || op == "topk" { 2 } else { 1 };
    let dim = match at("dim").or(parsed.args.get(position)) {
        Some(Value::Int(d)) => *d,
        _ if op.starts_with("arg") => return flat_extreme(&x, integers(indices)[0], op),
        _ => -1,
    };
    let dim = if dim < 0 { dim + x.dim() as i64 } else { dim } as usize;
    let (shape, data, picks) = (x.shape(), floats(&x), integers(indices));
    let wanted = values.map(floats);
    let n = shape[dim];
    let inner: usize = shape[dim + 1..].iter().product();
    let per = picks.len() / (data.len() / n.max(1)).max(1);
    for (at, &pick) in picks.iter().enumerate() {
        if pick < 0 || pick as usize >= n {
            return Err(format!("index {pick} is out of range"));
        }
        let (outer, i) = (at / (per * inner), at % inner);
        let place = |k: usize| data[(outer * n + k) * inner + i];
        let got = place(pick as usize);
        let right = match &wanted {
            Some(w) => same(got, w[at]),
            None => (0..n).all(|k| no_better(op, place(k), got)),
        };
        if !right {
            return Err(format!("index {pick} selects {got:?}"));
        }
    }
    Ok(())
}

fn no_better(op: &str, other: f64, chosen: f64) -> bool {
    chosen.is_nan() || if op == "argmax" { other <= chosen } else { other >= chosen }
}

fn flat_extreme(x: &Tensor, pick: i64, op: &str) -> Result<(), String> {
    let data = floats(x);
    let got = *data.get(pick as usize).ok_or("the index is out of range")?;
    if data.iter().all(|&v| no_better(op, v, got)) { Ok(()) } else { Err(format!("index {pick} selects {got:?}")) }
}

/// Which of the equal elements gets the gradient is open too: what all elements of a value get together must agree.
pub fn shares_agree(file: &Container, got: Option<Tensor>, want: &Value, leaf: &Tensor, allowance: Allowance) -> bool {
    let (Some(got), Value::Tensor(r)) = (got, want) else { return false };
    let Ok(want) = file.tensor(&r.name) else { return false };
    let values = floats(leaf);
    let shares = |g: &Tensor| {
        let mut sums = BTreeMap::<u64, f64>::new();
        for (v, g) in values.iter().zip(floats(g)) {
            // 0 and -0 are equal.
            *sums.entry((v + 0.0).to_bits()).or_default() += g;
        }
        Tensor::from_slice(&sums.into_values().collect::<Vec<f64>>()).to_dtype(leaf.dtype())
    };
    got.meta() == want.meta() && compare(&shares(&got), &shares(&want), allowance).is_ok()
}
