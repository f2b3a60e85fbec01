//! Every op of the table, compiled against eager: results and gradients, in f64 and f32, with other numbers than those of the recording.

use cresset_compile::compile_fn;
use cresset_tensor::ops::table::{Sample, table};
use cresset_tensor::record::record;
use cresset_tensor::{DType, Tensor, attempt, manual_seed};
use std::sync::Arc;

fn leaves(inputs: &[Tensor], dtype: DType, factor: f64, grad: bool) -> Vec<Tensor> {
    let convert = |x: &Tensor| {
        let x = x.detach();
        if !x.is_floating_point() {
            return x.clone();
        }
        // Compared in the layout of the sample: an expanded or transposed input stays one.
        let y = if factor == 1.0 { x.to_dtype(dtype) } else { (x * factor).to_dtype(dtype) };
        y.requires_grad_(grad)
    };
    inputs.iter().map(convert).collect()
}

/// Results and gradients of one run; `None` if it is refused.
fn run(call: &dyn Fn(&Vec<Tensor>) -> Vec<Tensor>, x: &Vec<Tensor>, grad: bool) -> Option<Vec<Option<Tensor>>> {
    attempt(|| {
        manual_seed(5);
        let y = call(x);
        let mut all: Vec<Option<Tensor>> = y.iter().map(|t| Some(t.detach())).collect();
        if grad {
            let weighted = y.iter().filter(|t| t.requires_grad()).map(|t| {
                let w = Tensor::linspace(0.5, 1.5, t.numel()).to_dtype(t.dtype()).reshape(t.shape());
                (t * &w).sum()
            });
            if let Some(loss) = weighted.reduce(|a, b| a + b.to_dtype(DType::F64)) {
                loss.backward();
            }
            all.extend(x.iter().map(Tensor::grad));
        }
        all
    })
    .ok()
}

fn compare(what: &str, fast: &[Option<Tensor>], eager: &[Option<Tensor>], limit: f64) -> Vec<String> {
    let mut wrong = Vec::new();
    if fast.len() != eager.len() {
        return vec![format!("{what}: {} values for {}", fast.len(), eager.len())];
    }
    for (i, (a, b)) in fast.iter().zip(eager).enumerate() {
        let (Some(a), Some(b)) = (a, b) else {
            // A gradient that is zero everywhere may be missing on one side.
            let zero = |t: &Option<Tensor>| t.as_ref().is_none_or(|t| t.ne(0.0).sum().item::<i64>() == 0);
            if !zero(a) || !zero(b) {
                wrong.push(format!("{what} value {i}: there {}, in eager {}", a.is_some(), b.is_some()));
            }
            continue;
        };
        if a.meta() != b.meta() {
            wrong.push(format!("{what} value {i}: {:?} for {:?}", a.meta(), b.meta()));
            continue;
        }
        let (a, b) = (a.to_dtype(DType::F64).to_vec::<f64>(), b.to_dtype(DType::F64).to_vec::<f64>());
        let size = b.iter().filter(|x| x.is_finite()).fold(1e-3, |m: f64, x| m.max(x.abs()));
        let far = a.iter().zip(&b).find(|(x, y)| {
            let same = x == y || x.is_nan() && y.is_nan();
            !same && !((*x - *y).abs() <= limit * size)
        });
        if let Some((x, y)) = far {
            wrong.push(format!("{what} value {i}: {x} for {y}"));
        }
    }
    wrong
}

/// Ops of which some sample is not recorded, because what they give depends on the numbers that they read. They run uncompiled, with a warning that names them.
/// `dropout`'s samples set a generator of their own; `as_strided` looks at memory.
const UNCOMPILED: [&str; 17] = [
    "__getitem__",
    "as_strided",
    "bincount",
    "dropout",
    "index_fill",
    "masked_scatter",
    "masked_select",
    "nanquantile",
    "nn.functional.max_unpool1d",
    "nn.functional.max_unpool2d",
    "nn.functional.max_unpool3d",
    "nonzero",
    "one_hot",
    "quantile",
    "repeat_interleave",
    "unique",
    "unique_consecutive",
];

#[test]
fn every_op_of_the_table() {
    let (mut compiled, mut uncompiled, mut wrong) = (0, Vec::new(), Vec::new());
    for op in table() {
        let samples: Vec<Sample> = (op.samples)();
        for (s, sample) in samples.into_iter().enumerate() {
            let Sample { inputs, call, differentiable } = sample;
            let call = Arc::new(call);
            let floating = inputs.iter().any(Tensor::is_floating_point);
            for (dtype, limit) in [(DType::F64, 1e-12), (DType::F32, 1e-6)] {
                if !floating && dtype == DType::F32 {
                    continue;
                }
                let what = format!("{} sample {s} {dtype}", op.name);
                let grad = differentiable && floating;
                let f = {
                    let call = call.clone();
                    compile_fn(move |x: &Vec<Tensor>| call(x))
                };
                // The first call records; the second, with other numbers, runs the plans.
                if run(&|x| f.call(x), &leaves(&inputs, dtype, 1.0, grad), grad).is_none() {
                    continue; // the op itself refuses this dtype
                }
                if f.kinds() == 0 {
                    uncompiled.push(op.name);
                    let call = call.clone();
                    let refused = record(|| call(&leaves(&inputs, dtype, 1.0, grad))).err();
                    let named = refused.as_ref().is_none_or(|r| match op.name {
                        "dropout" => r.why.contains("generator"),
                        // A mask in an index; the positions that it says.
                        "__getitem__" => r.why.starts_with("nonzero: "),
                        name => r.why.starts_with(&format!("{}: ", name.trim_start_matches("nn.functional."))),
                    });
                    if !named {
                        wrong.push(format!("{what}: {}", refused.map_or(String::new(), |r| r.why)));
                    }
                    continue;
                }
                for factor in [1.0, 0.999] {
                    let fast = run(&|x| f.call(x), &leaves(&inputs, dtype, factor, grad), grad);
                    let eager = run(&|x| call(x), &leaves(&inputs, dtype, factor, grad), grad);
                    match (fast, eager) {
                        (Some(a), Some(b)) => wrong.extend(compare(&what, &a, &b, limit)),
                        (None, None) => {}
                        (a, b) => wrong.push(format!("{what}: runs {}, eager {}", a.is_some(), b.is_some())),
                    }
                }
                compiled += 1;
            }
        }
    }
    uncompiled.sort_unstable();
    uncompiled.dedup();
    assert_eq!(uncompiled, UNCOMPILED);
    assert!(wrong.is_empty(), "{} of {compiled} differ:\n{}", wrong.len(), wrong.join("\n"));
    assert!(compiled > 1700, "only {compiled} samples were compiled");
}
