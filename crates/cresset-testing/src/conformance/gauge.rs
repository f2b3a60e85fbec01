//! Factorisations, whose factors are unique only up to signs: what is compared instead of the factors.

use super::op_cases::Parsed;
use super::out::Out;
use crate::golden::compare::floats;
use crate::golden::{Inputs, Value};
use cresset_tensor::{DType, Tensor};

/// The tensors that do not depend on the signs.
pub fn derived(gauge: &str, out: &Out) -> Vec<Tensor> {
    let t = out.tensors();
    match (gauge, &t[..]) {
        ("qr", [q, r]) if q.numel() == 0 => vec![r * r],
        ("qr", [q, r]) => vec![q * q, r * r],
        ("eigh", [l, q]) => vec![l.clone(), q * q],
        _ => t,
    }
}

/// Does the product of the factors give the input, and are the orthogonal ones orthogonal?
pub fn factors_fit(gauge: &str, parsed: &Parsed, inputs: &Inputs, out: &Out) -> Result<(), String> {
    let Some(Value::Tensor(r)) = parsed.args.first() else { return Ok(()) };
    let x = inputs.get(r)?;
    let t = out.tensors();
    let tolerance = if x.dtype() == DType::F64 { 1e-9 } else { 1e-4 };
    match (gauge, &t[..]) {
        ("qr", [q, r]) => {
            if q.numel() > 0 {
                close(&product(q, r), &matrices(&x), tolerance, "Q @ R")?;
                orthonormal(q, tolerance, "Q")?;
            }
            Ok(())
        }
        ("eigh", [_, q]) => orthonormal(q, tolerance, "Q"),
        _ => Ok(()),
    }
}

struct Matrices {
    rows: usize,
    cols: usize,
    data: Vec<f64>,
}

fn matrices(t: &Tensor) -> Matrices {
    let n = t.dim();
    Matrices { rows: t.shape()[n - 2], cols: t.shape()[n - 1], data: floats(t) }
}

fn product(a: &Tensor, b: &Tensor) -> Matrices {
    let (a, b) = (matrices(a), matrices(b));
    let batches = a.data.len() / (a.rows * a.cols).max(1);
    let mut data = vec![0.0; batches * a.rows * b.cols];
    for n in 0..batches {
        for i in 0..a.rows {
            for j in 0..b.cols {
                data[(n * a.rows + i) * b.cols + j] = (0..a.cols)
                    .map(|k| a.data[(n * a.rows + i) * a.cols + k] * b.data[(n * b.rows + k) * b.cols + j])
                    .sum();
            }
        }
    }
    Matrices { rows: a.rows, cols: b.cols, data }
}

fn close(a: &Matrices, b: &Matrices, tolerance: f64, what: &str) -> Result<(), String> {
    let scale = b.data.iter().fold(1.0f64, |m, x| m.max(x.abs()));
    let fits =
        a.data.len() == b.data.len() && a.data.iter().zip(&b.data).all(|(a, b)| (a - b).abs() <= tolerance * scale);
    if fits { Ok(()) } else { Err(format!("{what} does not give the input")) }
}

fn orthonormal(q: &Tensor, tolerance: f64, what: &str) -> Result<(), String> {
    let m = matrices(q);
    let batches = m.data.len() / (m.rows * m.cols).max(1);
    for n in 0..batches {
        for i in 0..m.cols {
            for j in 0..m.cols {
                let dot: f64 = (0..m.rows)
                    .map(|k| m.data[(n * m.rows + k) * m.cols + i] * m.data[(n * m.rows + k) * m.cols + j])
                    .sum();
                if (dot - f64::from(i == j)).abs() > tolerance {
                    return Err(format!("the columns of {what} are not orthonormal"));
                }
            }
        }
    }
    Ok(())
}
