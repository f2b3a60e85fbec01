//! The bilinear map.

use crate::error::fail;
use crate::ops::table::{OpInfo, Sample, numbers};
use crate::tensor::Tensor;

/// `y[o] = x1ᵀ W[o] x2 + b[o]`, for the last dimension of `x1` and `x2` (`torch.nn.functional.bilinear(x1, x2, weight, bias)`).
///
/// `x1` is `(*, n)`, `x2` `(*, m)`, `weight` `(out, n, m)`, `bias` `(out)`; the result `(*, out)`.
///
/// # Panics
/// If sizes or dtypes do not fit.
#[track_caller]
pub fn bilinear(x1: &Tensor, x2: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Tensor {
    let (a, b, w) = (x1.shape(), x2.shape(), weight.shape());
    let refuse = |sentence: String| -> ! { fail("bilinear", sentence) };
    if w.len() != 3 {
        refuse(format!("weight must be 3-D, but got {}-D", w.len()));
    }
    if a.len() != b.len() || a.is_empty() {
        refuse(format!("input dimensions do not match: got {} and {}", a.len(), b.len()));
    }
    let n = a.len() - 1;
    if let Some(d) = (0..n).find(|&d| a[d] != b[d]) {
        refuse(format!("input batch dimensions do not match at dim {d}: got {} and {}", a[d], b[d]));
    }
    for (which, have, want) in [("input1", a[n], w[1]), ("input2", b[n], w[2])] {
        if have != want {
            refuse(format!("{which} size does not match weight size: got {have} but expected {want}"));
        }
    }
    if let Some(bias) = bias
        && (bias.dim() != 1 || bias.numel() != w[0])
    {
        let have = bias.shape().first().copied().unwrap_or(1);
        refuse(format!("bias size does not match weight size: got {have} but expected {}", w[0]));
    }
    let rows: usize = a[..n].iter().product();
    // x1 with all of W first: (rows, out, m), then every row with its own x2.
    let half = x1.reshape([rows, w[1]]).mm(&weight.transpose(0, 1).reshape([w[1], w[0] * w[2]]));
    let y = half.reshape([rows, w[0], w[2]]).bmm(&x2.reshape([rows, w[2], 1]));
    let mut shape = a;
    shape[n] = w[0];
    let y = y.reshape(shape);
    match bias {
        Some(bias) => &y + bias,
        None => y,
    }
}

fn sample(shapes: &[&[usize]]) -> Sample {
    let inputs: Vec<Tensor> = shapes.iter().enumerate().map(|(i, s)| numbers(s, i as u64)).collect();
    Sample::new(&inputs, |x| bilinear(&x[0], &x[1], &x[2], x.get(3)))
}

/// The row of the table of ops.
pub(crate) const BILINEAR: &[OpInfo] = &[OpInfo {
    name: "nn.functional.bilinear",
    torch: "torch.nn.functional.bilinear(x1, x2, weight, bias)",
    samples: || {
        vec![
            sample(&[&[2, 2], &[2, 3], &[2, 2, 3], &[2]]),
            sample(&[&[2], &[2], &[3, 2, 2]]),
            sample(&[&[2, 1, 2], &[2, 1, 2], &[1, 2, 2]]),
        ]
    },
    refused: || {
        vec![
            sample(&[&[2, 2], &[2, 3], &[2, 3, 3]]),
            sample(&[&[2, 2], &[2, 3], &[2, 2, 2]]),
            sample(&[&[2, 2], &[3, 3], &[2, 2, 3]]),
            sample(&[&[2, 2], &[2, 3], &[2, 2, 3], &[3]]),
            sample(&[&[2, 2], &[3], &[2, 2, 3]]),
            sample(&[&[2, 2], &[2, 3], &[2, 3]]),
        ]
    },
}];
