//! Layer norm and RMS norm.

use super::{Affine, Formula, check_shape, in_order, wanted, wide, with};
use crate::array::{Array, Meta};
use crate::op::{Context, Few, Op, Saves};
use crate::ops::reduce::{Over, widened, with_real};
use crate::{Dims, Tensor};
use cresset_kernels::norm::RowNorm as _;

/// Normalises the last dimensions, `shape`.
#[derive(Debug)]
pub(crate) struct RowNorm {
    pub name: &'static str,
    pub shape: Dims,
    pub eps: f64,
    /// Layer norm, not RMS norm.
    pub centred: bool,
    pub affine: Affine,
}

impl RowNorm {
    fn lead(&self, ndim: usize) -> usize {
        ndim - self.shape.len()
    }
}

impl Op for RowNorm {
    fn name(&self) -> &'static str {
        self.name
    }
    fn grad_name(&self) -> String {
        if self.centred { "NativeLayerNormBackward0".into() } else { "FusedRmsNormBackward0".into() }
    }
    fn infer(&self, inputs: &[&Meta]) -> Result<Few<Meta>, String> {
        let x = inputs[0];
        let want = &self.shape[..];
        if want.is_empty() {
            return Err("Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one element, but got normalized_shape = []".into());
        }
        if !x.dtype.is_floating_point() {
            return Err(format!("\"{}\" not implemented for '{}'", self.name, x.dtype.scalar_name()));
        }
        for (what, at) in [("weight", self.affine.weight_at()), ("bias", self.affine.bias_at())] {
            if let Some(at) = at {
                check_shape(what, inputs[at], want)?;
            }
        }
        if !x.shape.ends_with(want) {
            let sizes: Vec<String> = want.iter().map(usize::to_string).collect();
            return Err(format!(
                "Given normalized_shape={want:?}, expected input with shape [*, {}], but got input of size{:?}",
                sizes.join(", "),
                &x.shape[..]
            ));
        }
        let rows: usize = x.shape[..self.lead(x.ndim())].iter().product();
        Ok([*x, Meta::new(x.dtype.accumulator(), [2, rows])].into_iter().collect())
    }
    fn forward(&self, inputs: &[&Array], outputs: &[Meta]) -> Few<Array> {
        let x = widened(inputs[0]).contiguous();
        let (w, b) = (wide(inputs, self.affine.weight_at(), x.dtype()), wide(inputs, self.affine.bias_at(), x.dtype()));
        let (n, rows) = (self.shape.numel(), outputs[1].shape[1]);
        let (y, stats) = with_real!(x.dtype(), T => {
            let mut y = None;
            let stats = Array::build::<T>(outputs[1], |stats| {
                let (mean, rstd) = stats.split_at_mut(rows);
                y = Some(Array::build::<T>(*x.meta(), |y| x.with_slice::<T, _>(|x| {
                    with::<T, _>(w.as_deref(), |w| with::<T, _>(b.as_deref(), |b| {
                        T::rows_forward(x, n, (self.eps, self.centred), w, b, mean, rstd, y);
                    }));
                })));
            });
            (y.expect("built"), stats)
        });
        [y.to(outputs[0].dtype), stats].into_iter().collect()
    }
    fn saves(&self) -> Saves {
        Saves { inputs: 0b1 | (self.affine.weight as u32) << 1, outputs: 0b10 }
    }
    fn differentiable(&self, output: usize) -> bool {
        output == 0
    }
    fn backward(&self, ctx: &Context, grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
        let n_inputs = ctx.num_inputs();
        let Some(g) = &grads[0] else { return in_order(n_inputs, []) };
        let meta = *ctx.input_meta(0);
        let lead = self.lead(meta.ndim());
        let (wat, bat) = (self.affine.weight_at(), self.affine.bias_at());
        if ctx.create_graph() {
            let all = Over::all(meta.ndim()).mask;
            let first = (1 << lead) - 1;
            let formula = Formula {
                over: Over { mask: all & !first, drop: 0 },
                affine: Over { mask: first, drop: first },
                centred: self.centred,
                eps: self.eps,
            };
            let [gx, gw, gb] = formula.gradients(g, &ctx.input(0), wat.map(|i| ctx.input(i)).as_ref(), None);
            return in_order(n_inputs, [(Some(0), Some(gx)), (wat, Some(gw)), (bat, Some(gb))]);
        }
        let (x, g) = (widened(&ctx.input_array(0)).contiguous(), widened(&g.array()).contiguous());
        let w = wat.map(|i| ctx.input_array(i).to(x.dtype()).contiguous());
        let stats = ctx.output_array(1);
        let (n, rows) = (self.shape.numel(), stats.shape()[1]);
        let needs = |at: Option<usize>| at.is_some_and(|i| ctx.needs(i));
        with_real!(x.dtype(), T => {
            let mut gw = wanted::<T>(needs(wat), n);
            let mut gb = wanted::<T>(needs(bat), n);
            let mut run = |gx: Option<&mut [T]>| {
                x.with_slice::<T, _>(|x| g.with_slice::<T, _>(|g| with::<T, _>(w.as_ref(), |w| stats.with_slice::<T, _>(|stats| {
                    let (mean, rstd) = stats.split_at(rows);
                    T::rows_backward(g, x, (n, self.centred), mean, rstd, w, gx, gw.as_deref_mut(), gb.as_deref_mut());
                }))));
            };
            let gx = if ctx.needs(0) {
                Some(Tensor::from_array(Array::build::<T>(*x.meta(), |gx| run(Some(gx))).to(meta.dtype)))
            } else {
                run(None);
                None
            };
            let small = |v: Option<Vec<T>>| v.map(|v| Tensor::from_vec(v, self.shape));
            in_order(n_inputs, [(Some(0), gx), (wat, small(gw)), (bat, small(gb))])
        })
    }
}
