//! Gradients against finite differences, in f64: the check that an op's backward is the derivative of its forward.

use super::{Backward, enable_grad, no_grad};
use crate::{DType, Tensor, attempt, autograd};

/// How finite differences are taken and compared.
#[derive(Clone, Copy, Debug)]
pub struct Check {
    /// The step of the central difference.
    pub eps: f64,
    /// The relative tolerance.
    pub rtol: f64,
    /// The absolute tolerance.
    pub atol: f64,
    /// Up to this many input elements every single derivative is checked, beyond it only directions.
    pub full: usize,
    /// How many random directions are tried.
    pub directions: usize,
}

impl Default for Check {
    fn default() -> Check {
        Check { eps: 1e-6, rtol: 1e-5, atol: 1e-7, full: 64, directions: 3 }
    }
}

/// The gradients that backward gives for `inputs`, of s = Σ_k sum(y_k · w_k) with fixed weights `w`.
///
/// # Errors
/// If `call` refuses, or nothing it gives requires grad.
pub fn gradients(
    call: &dyn Fn(&[Tensor]) -> Vec<Tensor>,
    inputs: &[Tensor],
    weights: &[Tensor],
) -> Result<Vec<Tensor>, String> {
    let leaves = leaves(inputs);
    let outs = attempt(|| call(&leaves)).map_err(|e| e.to_string())?;
    let (outs, weights) = tracked(&outs, weights);
    if outs.is_empty() {
        return Err("no result requires grad".into());
    }
    let wanted: Vec<&Tensor> = leaves.iter().filter(|t| t.requires_grad()).collect();
    let options = Backward { allow_unused: true, materialize_grads: true, ..Default::default() };
    let grads = attempt(|| autograd::grad(&outs, &wanted, &weights, options)).map_err(|e| e.to_string())?;
    let mut grads = grads.into_iter();
    Ok(leaves
        .iter()
        .map(|t| if t.requires_grad() { grads.next().flatten().expect("materialised") } else { t.zeros_like() })
        .collect())
}

/// Checks the first derivatives of `call` at `inputs` (f64 inputs count, others are constants): `torch.autograd.gradcheck`.
///
/// Along random directions d the difference quotient (s(x + εd) − s(x − εd)) / 2ε must equal g·d; for small inputs also for every single element.
///
/// # Errors
/// A sentence with both numbers where they differ, or with what `call` refused.
///
/// ```
/// use cresset_tensor::Tensor;
/// use cresset_tensor::autograd::gradcheck;
/// let x = Tensor::from_slice(&[0.5f64, -1.0, 2.0]);
/// assert!(gradcheck(&|x| vec![x[0].tanh()], &[x.clone()]).is_ok());
/// // The derivative is lost on the way:
/// assert!(gradcheck(&|x| vec![&x[0] * &x[0].detach()], &[x]).is_err());
/// ```
pub fn gradcheck(call: &dyn Fn(&[Tensor]) -> Vec<Tensor>, inputs: &[Tensor]) -> Result<(), String> {
    gradcheck_with(call, inputs, Check::default())
}

/// [`gradcheck`] with other figures.
pub fn gradcheck_with(call: &dyn Fn(&[Tensor]) -> Vec<Tensor>, inputs: &[Tensor], check: Check) -> Result<(), String> {
    let outs = attempt(|| no_grad(|| call(&leaves(inputs)))).map_err(|e| e.to_string())?;
    let weights = weights_for(&outs, 17);
    let grads = gradients(call, inputs, &weights)?;
    for (k, (g, x)) in grads.iter().zip(inputs).enumerate() {
        if is_variable(x) && g.meta() != x.meta() {
            return Err(format!("gradient {k} is {:?}, the input {:?}", g.meta(), x.meta()));
        }
    }
    let total: usize = inputs.iter().filter(|x| is_variable(x)).map(Tensor::numel).sum();
    let s = |moved: &[Vec<f64>], at: f64| -> Result<f64, String> {
        let moved: Vec<Tensor> = inputs.iter().zip(moved).map(|(x, d)| shifted(x, d, at)).collect();
        let outs = attempt(|| no_grad(|| call(&moved))).map_err(|e| e.to_string())?;
        Ok(outs.iter().zip(&weights).map(|(y, w)| dot(&floats(y), &floats(w))).sum())
    };
    let mut directions: Vec<(String, Vec<Vec<f64>>)> = Vec::new();
    for n in 0..check.directions as u64 {
        let d = inputs.iter().enumerate().map(|(k, x)| noise(x.numel(), 31 * n + k as u64 + 1)).collect();
        directions.push((format!("random direction {n}"), d));
    }
    if total <= check.full {
        for k in (0..inputs.len()).filter(|&k| is_variable(&inputs[k])) {
            for i in 0..inputs[k].numel() {
                let mut d: Vec<Vec<f64>> = inputs.iter().map(|x| vec![0.0; x.numel()]).collect();
                d[k][i] = 1.0;
                directions.push((format!("element {i} of input {k}"), d));
            }
        }
    }
    for (name, mut d) in directions {
        for (d, x) in d.iter_mut().zip(inputs) {
            if !is_variable(x) {
                d.fill(0.0);
            }
        }
        let numeric = (s(&d, check.eps)? - s(&d, -check.eps)?) / (2.0 * check.eps);
        let analytic: f64 = grads.iter().zip(&d).map(|(g, d)| dot(&floats(g), d)).sum();
        if numeric.is_nan() && analytic.is_nan() {
            continue;
        }
        // A difference of rounded sums is uncertain by a few units in the last place of the sum, divided by the step.
        let rounding = 1e-15 * s(&d, 0.0)?.abs() / check.eps;
        if (numeric - analytic).abs() > check.atol + rounding + check.rtol * numeric.abs().max(analytic.abs()) {
            return Err(format!("{name}: backward gives {analytic:.9e}, finite differences {numeric:.9e}"));
        }
    }
    Ok(())
}

/// Checks the second derivatives: [`gradcheck`] of the function that gives the gradients, built with `create_graph`
/// (`torch.autograd.gradgradcheck`).
///
/// # Errors
/// As those of [`gradcheck`].
pub fn gradgradcheck(call: &dyn Fn(&[Tensor]) -> Vec<Tensor>, inputs: &[Tensor]) -> Result<(), String> {
    let check = Check { directions: 2, full: 12, rtol: 1e-4, atol: 1e-6, ..Check::default() };
    gradgradcheck_with(call, inputs, check)
}

/// [`gradgradcheck`] with other figures.
pub fn gradgradcheck_with(
    call: &dyn Fn(&[Tensor]) -> Vec<Tensor>,
    inputs: &[Tensor],
    check: Check,
) -> Result<(), String> {
    let outs = attempt(|| no_grad(|| call(&leaves(inputs)))).map_err(|e| e.to_string())?;
    let weights = weights_for(&outs, 29);
    let floating = outs.iter().filter(|y| y.is_floating_point()).count();
    let n = inputs.len();
    // Inputs of the gradient function: the inputs and the weights of the outputs, which it depends on too.
    let mut all = inputs.to_vec();
    all.extend(weights.iter().filter(|w| w.is_floating_point()).cloned());
    debug_assert_eq!(all.len(), n + floating);
    let first_order = |x: &[Tensor]| -> Vec<Tensor> {
        enable_grad(|| {
            // Under no_grad the arguments do not require grad: leaves of this call's own.
            let own: Vec<Tensor> = x[..n]
                .iter()
                .map(|t| if is_variable(t) && !t.requires_grad() { t.detach().requires_grad_(true) } else { t.clone() })
                .collect();
            let outs = call(&own);
            let mut given = x[n..].iter();
            let ws: Vec<Tensor> =
                outs.iter()
                    .map(|y| {
                        if y.is_floating_point() {
                            given.next().cloned().expect("a weight for each")
                        } else {
                            y.clone()
                        }
                    })
                    .collect();
            let (outs, ws) = tracked(&outs, &ws);
            let wanted: Vec<&Tensor> = own.iter().filter(|t| is_variable(t)).collect();
            let options =
                Backward { create_graph: true, allow_unused: true, materialize_grads: true, ..Default::default() };
            autograd::grad(&outs, &wanted, &ws, options).into_iter().flatten().collect()
        })
    };
    // If no gradient depends on anything (a linear function of nothing that varies), there is nothing to check.
    let probe = attempt(|| first_order(&leaves(&all))).map_err(|e| e.to_string())?;
    if probe.iter().all(|g| !g.requires_grad()) {
        return Ok(());
    }
    gradcheck_with(&first_order, &all, check)
}

/// Is it differentiated?
pub fn is_variable(t: &Tensor) -> bool {
    t.dtype() == DType::F64
}

fn leaves(inputs: &[Tensor]) -> Vec<Tensor> {
    inputs
        .iter()
        .map(|t| {
            // `detach` shares numbers and strides, so that strided inputs stay strided.
            let t = t.detach();
            if is_variable(&t) { t.requires_grad_(true) } else { t }
        })
        .collect()
}

fn tracked<'a>(outs: &'a [Tensor], weights: &[Tensor]) -> (Vec<&'a Tensor>, Vec<Option<Tensor>>) {
    outs.iter().zip(weights).filter(|(y, _)| y.requires_grad()).map(|(y, w)| (y, Some(w.clone()))).unzip()
}

fn weights_for(outs: &[Tensor], salt: u64) -> Vec<Tensor> {
    outs.iter()
        .enumerate()
        .map(|(k, y)| {
            if y.is_floating_point() {
                Tensor::from_vec(noise(y.numel(), salt + k as u64), y.shape()).to_dtype(y.dtype())
            } else {
                y.zeros_like()
            }
        })
        .collect()
}

/// `x + at · direction`, in the same layout.
fn shifted(x: &Tensor, direction: &[f64], at: f64) -> Tensor {
    if !is_variable(x) {
        return x.clone();
    }
    let moved: Vec<f64> = floats(x).iter().zip(direction).map(|(x, d)| x + at * d).collect();
    Tensor::from_vec(moved, x.shape())
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Deterministic numbers in (-1, 1).
pub fn noise(n: usize, salt: u64) -> Vec<f64> {
    let mut state = salt.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0xD1B5_4A32_D192_ED03;
    (0..n)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 11) as f64 / (1u64 << 52) as f64 - 1.0
        })
        .collect()
}

/// The elements as f64, row by row.
fn floats(t: &Tensor) -> Vec<f64> {
    Tensor::from_array(t.array().to(DType::F64)).to_vec::<f64>()
}
