//! Group norm; instance norm is the case of one channel to a group.

use super::{Affine, Formula, in_order, wanted, wide, with};
use crate::Tensor;
use crate::array::{Array, Meta};
use crate::op::{Context, Few, Op, Saves};
use crate::ops::reduce::{Over, widened, with_real};
use cresset_kernels::norm::{GroupNorm as _, Groups};

/// Normalises groups of channels; the channels are dimension 1.
#[derive(Debug)]
pub(crate) struct GroupNorm {
    pub name: &'static str,
    pub groups: usize,
    pub eps: f64,
    pub affine: Affine,
}

impl GroupNorm {
    fn sizes(&self, x: &[usize]) -> Groups {
        Groups { samples: x[0], channels: x[1], groups: self.groups, len: x[2..].iter().product() }
    }
}

impl Op for GroupNorm {
    fn name(&self) -> &'static str {
        self.name
    }
    fn grad_name(&self) -> String {
        "NativeGroupNormBackward0".into()
    }
    fn infer(&self, inputs: &[&Meta]) -> Result<Few<Meta>, String> {
        let x = inputs[0];
        let shape = &x.shape[..];
        if x.ndim() < 2 {
            return Err(format!("Expected at least 2 dimensions for input tensor but received {}", x.ndim()));
        }
        if !x.dtype.is_floating_point() {
            return Err(format!("\"{}\" not implemented for '{}'", self.name, x.dtype.scalar_name()));
        }
        if self.groups == 0 {
            return Err("Expected num groups to be greater than 0, got 0".into());
        }
        if !shape[1].is_multiple_of(self.groups) {
            return Err(format!(
                "Expected number of channels in input to be divisible by num_groups, but got input of shape {shape:?} and num_groups={}",
                self.groups
            ));
        }
        for (what, at) in [("weight", self.affine.weight_at()), ("bias", self.affine.bias_at())] {
            if let Some(at) = at
                && inputs[at].shape != [shape[1]]
            {
                return Err(format!(
                    "Expected {what} to be a vector of size equal to the number of channels in input, but got {what} of shape {:?} and input of shape {shape:?}",
                    &inputs[at].shape[..]
                ));
            }
        }
        if shape[2..].contains(&0) {
            return Err("Expected HxW to be greater than 0, got 0".into());
        }
        Ok([*x, Meta::new(x.dtype.accumulator(), [2, shape[0] * self.groups])].into_iter().collect())
    }
    fn forward(&self, inputs: &[&Array], outputs: &[Meta]) -> Few<Array> {
        let x = widened(inputs[0]).contiguous();
        let (w, b) = (wide(inputs, self.affine.weight_at(), x.dtype()), wide(inputs, self.affine.bias_at(), x.dtype()));
        let (s, rows) = (self.sizes(x.shape()), outputs[1].shape[1]);
        let (y, stats) = with_real!(x.dtype(), T => {
            let mut y = None;
            let stats = Array::build::<T>(outputs[1], |stats| {
                let (mean, rstd) = stats.split_at_mut(rows);
                y = Some(Array::build::<T>(*x.meta(), |y| x.with_slice::<T, _>(|x| {
                    with::<T, _>(w.as_deref(), |w| with::<T, _>(b.as_deref(), |b| {
                        T::groups_forward(x, s, self.eps, w, b, mean, rstd, y);
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
        let s = self.sizes(&meta.shape);
        let (wat, bat) = (self.affine.weight_at(), self.affine.bias_at());
        if ctx.create_graph() {
            // (samples, groups, channels of a group, elements)
            let cut = [s.samples, s.groups, s.channels / s.groups, s.len];
            let per_channel = [s.groups, s.channels / s.groups];
            let formula = Formula {
                over: Over { mask: 0b1100, drop: 0 },
                affine: Over { mask: 0b1001, drop: 0b1001 },
                centred: true,
                eps: self.eps,
            };
            let w = wat.map(|i| ctx.input(i).reshape(per_channel));
            let [gx, gw, gb] = formula.gradients(&g.reshape(cut), &ctx.input(0).reshape(cut), w.as_ref(), None);
            let channels = |t: Tensor| Some(t.reshape([s.channels]));
            return in_order(
                n_inputs,
                [(Some(0), Some(gx.reshape(meta.shape))), (wat, channels(gw)), (bat, channels(gb))],
            );
        }
        let (x, g) = (widened(&ctx.input_array(0)).contiguous(), widened(&g.array()).contiguous());
        let w = wat.map(|i| ctx.input_array(i).to(x.dtype()).contiguous());
        let stats = ctx.output_array(1);
        let rows = stats.shape()[1];
        let needs = |at: Option<usize>| at.is_some_and(|i| ctx.needs(i));
        with_real!(x.dtype(), T => {
            let mut gw = wanted::<T>(needs(wat), s.channels);
            let mut gb = wanted::<T>(needs(bat), s.channels);
            let mut run = |gx: Option<&mut [T]>| {
                x.with_slice::<T, _>(|x| g.with_slice::<T, _>(|g| with::<T, _>(w.as_ref(), |w| stats.with_slice::<T, _>(|stats| {
                    let (mean, rstd) = stats.split_at(rows);
                    T::groups_backward(g, x, s, mean, rstd, w, gx, gw.as_deref_mut(), gb.as_deref_mut());
                }))));
            };
            let gx = if ctx.needs(0) {
                Some(Tensor::from_array(Array::build::<T>(*x.meta(), |gx| run(Some(gx))).to(meta.dtype)))
            } else {
                run(None);
                None
            };
            let small = |v: Option<Vec<T>>| v.map(|v| Tensor::from_vec(v, [s.channels]));
            in_order(n_inputs, [(Some(0), gx), (wat, small(gw)), (bat, small(gb))])
        })
    }
}
