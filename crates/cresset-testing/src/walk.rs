//! The walk over the table of ops: what must hold for every op, checked for each of its samples.

use crate::golden::compare::{floats, integers, same};
use crate::golden::{Allowance, compare};
use cresset_kernels::threads;
use cresset_tensor::autograd::{gradcheck, gradgradcheck};
use cresset_tensor::ops::table::{OpInfo, Sample};
use cresset_tensor::{DType, Tensor, attempt, no_grad};

/// Walks over ops; gives a line for each rule that an op breaks.
pub fn walk_ops<'a>(ops: impl IntoIterator<Item = &'a OpInfo>) -> Vec<String> {
    let mut faults = Vec::new();
    for op in ops {
        for (i, sample) in (op.samples)().iter().enumerate() {
            for (rule, result) in check_sample(sample) {
                // Random numbers are drawn in the order of memory, as PyTorch does: another layout gives others.
                if rule == "layouts" && op.name.contains("dropout") {
                    continue;
                }
                if let Err(why) = result {
                    faults.push(format!("{} ({}) sample {i}: {rule}: {why}", op.name, op.torch));
                }
            }
        }
        for (i, sample) in (op.refused)().iter().enumerate() {
            if let Err(why) = check_refused(sample) {
                faults.push(format!("{} ({}) refused sample {i}: {why}", op.name, op.torch));
            }
        }
    }
    faults
}

/// Every rule for one sample, by name.
pub fn check_sample(sample: &Sample) -> Vec<(&'static str, Result<(), String>)> {
    let mut results = vec![
        ("runs", runs(sample)),
        ("inputs stay as they are", leaves_inputs_alone(sample)),
        ("layouts", layouts(sample)),
        ("threads", thread_counts(sample)),
        ("float32", in_float32(sample)),
    ];
    let variable = sample.inputs.iter().any(|x| x.dtype() == DType::F64);
    if sample.differentiable && variable && results[0].1.is_ok() {
        results.push(("gradcheck", gradcheck(&*sample.call, &sample.inputs)));
        results.push(("gradgradcheck", gradgradcheck(&*sample.call, &sample.inputs)));
    }
    results
}

fn run(sample: &Sample, inputs: &[Tensor]) -> Result<Vec<Tensor>, String> {
    attempt(|| no_grad(|| (sample.call)(inputs))).map_err(|e| e.to_string())
}

fn runs(sample: &Sample) -> Result<(), String> {
    run(sample, &sample.inputs).map(|_| ())
}

fn leaves_inputs_alone(sample: &Sample) -> Result<(), String> {
    let inputs: Vec<Tensor> = sample.inputs.iter().map(copy).collect();
    let versions: Vec<u32> = inputs.iter().map(Tensor::version).collect();
    run(sample, &inputs)?;
    unchanged(&inputs, &versions, &sample.inputs)
}

fn unchanged(inputs: &[Tensor], versions: &[u32], before: &[Tensor]) -> Result<(), String> {
    for (k, ((x, v), b)) in inputs.iter().zip(versions).zip(before).enumerate() {
        if x.version() != *v {
            return Err(format!("input {k} was written to"));
        }
        exactly(x, b).map_err(|e| format!("input {k} was changed: {e}"))?;
    }
    Ok(())
}

fn copy(t: &Tensor) -> Tensor {
    Tensor::from_array(t.array().copy())
}

/// Equal in dtype, shape and every bit that counts.
fn exactly(a: &Tensor, b: &Tensor) -> Result<(), String> {
    if a.meta() != b.meta() {
        return Err(format!("{:?} instead of {:?}", a.meta(), b.meta()));
    }
    let equal = if a.is_floating_point() {
        floats(a).iter().zip(&floats(b)).all(|(a, b)| same(*a, *b))
    } else {
        integers(a) == integers(b)
    };
    if equal { Ok(()) } else { Err("other numbers".into()) }
}

type Form = fn(&Tensor) -> Tensor;

/// The same numbers in other layouts give the same result (up to the order of sums).
fn layouts(sample: &Sample) -> Result<(), String> {
    let dense: Vec<Tensor> = sample.inputs.iter().map(copy).collect();
    let want = run(sample, &dense)?;
    let forms: [(&str, Form); 3] =
        [("reversed strides", reversed), ("every second element of a larger one", sliced), ("expanded", expanded)];
    for (name, form) in forms {
        // An expanded input has other numbers (all alike along one dimension): it is compared with its own dense copy.
        let inputs: Vec<Tensor> = dense.iter().map(form).collect();
        let want = if name == "expanded" {
            let dense: Vec<Tensor> = inputs.iter().map(copy).collect();
            match run(sample, &dense) {
                Ok(w) => w,
                Err(_) => continue, // the op needs distinct numbers (a permutation, an invertible matrix)
            }
        } else {
            want.clone()
        };
        let got = run(sample, &inputs).map_err(|e| format!("{name}: {e}"))?;
        close(&got, &want, 1e-10).map_err(|e| format!("{name}: {e}"))?;
    }
    Ok(())
}

fn close(got: &[Tensor], want: &[Tensor], tolerance: f64) -> Result<(), String> {
    if got.len() != want.len() {
        return Err(format!("{} results instead of {}", got.len(), want.len()));
    }
    for (k, (g, w)) in got.iter().zip(want).enumerate() {
        let allowance = if w.dtype() == DType::F64 { Allowance::within(tolerance, tolerance) } else { Allowance::NONE };
        compare(g, w, allowance).map_err(|e| format!("result {k}: {e}"))?;
    }
    Ok(())
}

/// The same tensor with the dimensions in reverse order in memory.
pub fn reversed(t: &Tensor) -> Tensor {
    let shape = t.shape();
    let mut strides = vec![0; shape.len()];
    let mut step = 1;
    for d in 0..shape.len() {
        strides[d] = step;
        step *= shape[d].max(1);
    }
    laid_out(t, &strides, step, 0)
}

/// The same tensor with gaps between its elements, not at the beginning of its memory.
pub fn sliced(t: &Tensor) -> Tensor {
    let strides: Vec<usize> = t.shape().contiguous_strides().iter().map(|s| s * 2).collect();
    laid_out(t, &strides, 2 * t.numel().max(1) + 3, 3)
}

/// The first position along the first dimension longer than 1, repeated without taking memory.
fn expanded(t: &Tensor) -> Tensor {
    let shape = t.shape();
    let Some(d) = (0..shape.len()).find(|&d| shape[d] > 1) else { return t.clone() };
    let a = t.array();
    let mut strides = *a.strides();
    strides[d] = 0;
    Tensor::from_array(a.view(shape, strides, a.offset()))
}

fn laid_out(t: &Tensor, strides: &[usize], length: usize, offset: usize) -> Tensor {
    fn go<T: cresset_tensor::Element>(t: &Tensor, strides: &[usize], length: usize, offset: usize) -> Tensor {
        let shape = t.shape();
        let mut memory = vec![T::default(); length.max(1)];
        let mut index = vec![0usize; shape.len()];
        for value in t.array().to_vec::<T>() {
            memory[offset + index.iter().zip(strides).map(|(i, s)| i * s).sum::<usize>()] = value;
            for d in (0..shape.len()).rev() {
                index[d] += 1;
                if index[d] < shape[d] {
                    break;
                }
                index[d] = 0;
            }
        }
        Tensor::from_array(Tensor::from_slice(&memory).array().view(shape, strides.into(), offset))
    }
    cresset_tensor::with_element!(t.dtype(), T => go::<T>(t, strides, length, offset))
}

/// One, two and three threads give the same bytes.
fn thread_counts(sample: &Sample) -> Result<(), String> {
    let before = threads::num_threads();
    let mut first: Option<Vec<Tensor>> = None;
    let mut result = Ok(());
    for n in [1, 2, 3] {
        threads::set_num_threads(n);
        let outs = run(sample, &sample.inputs);
        match (&first, outs) {
            (_, Err(e)) => result = Err(e),
            (None, Ok(outs)) => first = Some(outs),
            (Some(want), Ok(outs)) => {
                for (g, w) in outs.iter().zip(want) {
                    if let Err(e) = exactly(g, w) {
                        result = Err(format!("{n} threads: {e}"));
                    }
                }
            }
        }
    }
    threads::set_num_threads(before);
    result
}

/// The same in f32: near the f64 result.
fn in_float32(sample: &Sample) -> Result<(), String> {
    if !sample.inputs.iter().any(|x| x.dtype() == DType::F64) {
        return Ok(());
    }
    let narrow: Vec<Tensor> = sample
        .inputs
        .iter()
        .map(|x| if x.dtype() == DType::F64 { x.to_dtype(DType::F32) } else { x.clone() })
        .collect();
    let wide: Vec<Tensor> =
        narrow.iter().map(|x| if x.dtype() == DType::F32 { x.to_dtype(DType::F64) } else { x.clone() }).collect();
    let want = run(sample, &wide)?;
    let got = match run(sample, &narrow) {
        // The call holds a constant in f64 and the op does not mix dtypes.
        Err(e) if e.contains("dtype") || e.contains("Double") => return Ok(()),
        got => got?,
    };
    for (k, (g, w)) in got.iter().zip(&want).enumerate() {
        if w.dtype() != DType::F64 || g.dtype() == DType::F64 {
            continue;
        }
        compare(&g.to_dtype(DType::F64), w, Allowance::within(1e-4, 1e-4)).map_err(|e| format!("result {k}: {e}"))?;
    }
    Ok(())
}

/// A refused sample raises an ordinary error and touches nothing.
pub fn check_refused(sample: &Sample) -> Result<(), String> {
    let inputs: Vec<Tensor> = sample.inputs.iter().map(copy).collect();
    let versions: Vec<u32> = inputs.iter().map(Tensor::version).collect();
    match attempt(|| (sample.call)(&inputs)) {
        Ok(_) => return Err("went through".into()),
        Err(e) if e.op() == "panic" => return Err(format!("an ordinary panic: {}", e.message())),
        Err(_) => {}
    }
    unchanged(&inputs, &versions, &sample.inputs)
}
