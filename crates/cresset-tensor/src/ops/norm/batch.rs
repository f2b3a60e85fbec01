//! Batch norm.

use super::{Affine, Formula, in_order, wide, with};
use crate::Tensor;
use crate::array::{Array, Meta};
use crate::dtype::DType;
use crate::kernels::overwrite;
use crate::op::{Context, Few, Op, Saves};
use crate::ops::reduce::{Over, widened, with_real};
use cresset_kernels::norm::{BatchNorm as _, Channels};

/// Running statistics that a training pass moves: `running = (1 - momentum) running + momentum batch`, with the unbiased variance.
#[derive(Debug)]
pub(crate) struct Running {
    pub mean: Option<Array>,
    pub var: Option<Array>,
    pub momentum: f64,
}

/// Normalises channels (dimension 1) over the batch. Inputs: x, weight, bias, and outside training running mean and variance.
#[derive(Debug)]
pub(crate) struct BatchNorm {
    pub training: bool,
    pub eps: f64,
    pub affine: Affine,
    pub running: Option<Running>,
    /// Are mean and 1 / standard deviation an output, as the backward pass needs them?
    pub keeps: bool,
}

impl BatchNorm {
    fn sizes(x: &[usize]) -> Channels {
        Channels { samples: x[0], channels: x.get(1).copied().unwrap_or(0), len: x[2.min(x.len())..].iter().product() }
    }

    /// Forward with running statistics.
    fn evaluate(&self, inputs: &[&Array], x: &Array, outputs: &[Meta]) -> Few<Array> {
        let s = BatchNorm::sizes(x.shape());
        let numbers = |at: Option<usize>| wide(inputs, at, x.dtype());
        let (w, b) = (numbers(self.affine.weight_at()), numbers(self.affine.bias_at()));
        let (mean, var) = (inputs[self.affine.end()].dense(x.dtype()), inputs[self.affine.end() + 1].dense(x.dtype()));
        with_real!(x.dtype(), T => {
            let run = |rstd: Option<&mut [T]>, mean: &[T]| Array::build::<T>(*x.meta(), |y| {
                x.with_slice::<T, _>(|x| var.with_slice::<T, _>(|var| with::<T, _>(w.as_deref(), |w| with::<T, _>(b.as_deref(), |b| {
                    T::batch_evaluate(x, s, mean, var, self.eps as T, w, b, rstd, y)
                }))))
            }).to(outputs[0].dtype);
            let Some(&kept) = outputs.get(1) else {
                return [mean.with_slice::<T, _>(|mean| run(None, mean))].into();
            };
            let mut y = None;
            let stats = Array::build::<T>(kept, |stats| {
                let (kept, rstd) = stats.split_at_mut(s.channels);
                mean.with_slice::<T, _>(|mean| kept.copy_from_slice(mean));
                y = Some(run(Some(rstd), kept));
            });
            y.into_iter().chain([stats]).collect()
        })
    }
}

/// Moves running statistics towards those of a batch.
pub(crate) fn update_running(old: &Array, new: impl Iterator<Item = f64>, momentum: f64) {
    let was = old.to(DType::F64).to_vec::<f64>();
    let now: Vec<f64> = was.iter().zip(new).map(|(o, n)| (1.0 - momentum) * o + momentum * n).collect();
    overwrite(old, Array::from_slice(&now, *old.shape()));
}

impl Op for BatchNorm {
    fn name(&self) -> &'static str {
        "batch_norm"
    }
    fn grad_name(&self) -> String {
        "NativeBatchNormBackward0".into()
    }
    fn infer(&self, inputs: &[&Meta]) -> Result<Few<Meta>, String> {
        let x = inputs[0];
        if !x.dtype.is_floating_point() {
            return Err(format!("\"batch_norm\" not implemented for '{}'", x.dtype.scalar_name()));
        }
        // PyTorch lets an empty 1-d tensor pass.
        if x.ndim() < 2 && (x.ndim() == 0 || x.numel() > 0) {
            return Err(format!("expected at least 2D input (got {}D input)", x.ndim()));
        }
        let channels = x.shape.get(1).copied().unwrap_or(0);
        let a = self.affine;
        let (mean, var) = if self.training { (None, None) } else { (Some(a.end()), Some(a.end() + 1)) };
        let held = |r: fn(&Running) -> Option<&Array>| self.running.as_ref().and_then(r).map(|a| a.numel());
        for (what, have) in [
            ("running_mean", mean.map(|i| inputs[i].numel()).or(held(|r| r.mean.as_ref()))),
            ("running_var", var.map(|i| inputs[i].numel()).or(held(|r| r.var.as_ref()))),
            ("weight", a.weight_at().map(|i| inputs[i].numel())),
            ("bias", a.bias_at().map(|i| inputs[i].numel())),
        ] {
            if let Some(have) = have
                && have != channels
            {
                return Err(format!("{what} should contain {channels} elements not {have}"));
            }
        }
        if self.training {
            let values = x.shape[0] * x.shape[2.min(x.ndim())..].iter().product::<usize>();
            if values == 1 {
                return Err(format!(
                    "Expected more than 1 value per channel when training, got input size {}",
                    x.shape
                ));
            }
            if self.eps <= 0.0 {
                return Err(format!("batch_norm eps must be positive during training, but got {:?}", self.eps));
            }
        }
        let stats = self.keeps.then(|| Meta::new(x.dtype.accumulator(), [2, channels]));
        Ok(std::iter::once(*x).chain(stats).collect())
    }
    fn forward(&self, inputs: &[&Array], outputs: &[Meta]) -> Few<Array> {
        let x = inputs[0].dense(inputs[0].dtype().computing());
        let s = BatchNorm::sizes(x.shape());
        if !self.training {
            return self.evaluate(inputs, &x, outputs);
        }
        let (w, b) = (wide(inputs, self.affine.weight_at(), x.dtype()), wide(inputs, self.affine.bias_at(), x.dtype()));
        let (y, stats) = with_real!(x.dtype(), T => {
            let stats = Array::build::<T>(outputs[1], |stats| {
                let (mean, second) = stats.split_at_mut(s.channels);
                x.with_slice::<T, _>(|x| T::batch_moments(x, s, mean, second));
                if let Some(running) = &self.running {
                    if let Some(old) = &running.mean {
                        update_running(old, mean.iter().map(|&m| m as f64), running.momentum);
                    }
                    if let Some(old) = &running.var {
                        let unbiased = s.count() as f64 - 1.0;
                        update_running(old, second.iter().map(|&v| v as f64 / unbiased), running.momentum);
                    }
                }
                T::batch_rstd(second, s.count() as T, self.eps as T);
            });
            let y = Array::build::<T>(*x.meta(), |y| x.with_slice::<T, _>(|x| stats.with_slice::<T, _>(|stats| {
                let (mean, rstd) = stats.split_at(s.channels);
                with::<T, _>(w.as_deref(), |w| with::<T, _>(b.as_deref(), |b| T::batch_apply(x, s, mean, rstd, w, b, y)));
            })));
            (y, stats)
        });
        [y.to(outputs[0].dtype), stats].into_iter().collect()
    }
    fn saves(&self) -> Saves {
        Saves { inputs: 0b1 | (self.affine.weight as u32) << 1, outputs: (self.keeps as u32) << 1 }
    }
    fn differentiable(&self, output: usize) -> bool {
        output == 0
    }
    fn effects(&self) -> bool {
        self.running.is_some()
    }
    fn folds(&self) -> Option<f64> {
        (!self.training).then_some(self.eps)
    }
    fn backward(&self, ctx: &Context, grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
        let n_inputs = ctx.num_inputs();
        let Some(g) = &grads[0] else { return in_order(n_inputs, []) };
        let meta = *ctx.input_meta(0);
        let (wat, bat) = (self.affine.weight_at(), self.affine.bias_at());
        let stats = ctx.output_array(1);
        let s = BatchNorm::sizes(&meta.shape);
        if ctx.create_graph() {
            let others = Over::all(meta.ndim()).mask & !0b10;
            let over = Over { mask: others, drop: 0 };
            let affine = Over { mask: others, drop: others };
            let formula = Formula { over, affine, centred: true, eps: self.eps };
            let fixed = (!self.training).then(|| {
                let mut shape = crate::Dims::filled(meta.ndim().max(2), 1);
                shape[1] = s.channels;
                let both = Tensor::from_array(stats.to(meta.dtype));
                (both.select(0, 0).reshape(shape), both.select(0, 1).reshape(shape))
            });
            let w = wat.map(|i| ctx.input(i));
            let [gx, gw, gb] = formula.gradients(g, &ctx.input(0), w.as_ref(), fixed);
            return in_order(n_inputs, [(Some(0), Some(gx)), (wat, Some(gw)), (bat, Some(gb))]);
        }
        let (x, g) = (widened(&ctx.input_array(0)).contiguous(), widened(&g.array()).contiguous());
        let w = wat.map(|i| ctx.input_array(i).to(x.dtype()).contiguous());
        with_real!(x.dtype(), T => {
            let (mut gw, mut gb) = (vec![0.0; s.channels], vec![0.0; s.channels]);
            let mut run = |gx: Option<&mut [T]>| {
                x.with_slice::<T, _>(|x| g.with_slice::<T, _>(|g| with::<T, _>(w.as_ref(), |w| stats.with_slice::<T, _>(|stats| {
                    let (mean, rstd) = stats.split_at(s.channels);
                    T::batch_backward(g, x, s, self.training, mean, rstd, w, gx, &mut gw, &mut gb);
                }))));
            };
            let gx = if ctx.needs(0) {
                Some(Tensor::from_array(Array::build::<T>(*x.meta(), |gx| run(Some(gx))).to(meta.dtype)))
            } else {
                run(None);
                None
            };
            let small = |v: Vec<T>| Some(Tensor::from_vec(v, [s.channels]));
            in_order(n_inputs, [(Some(0), gx), (wat, small(gw)), (bat, small(gb))])
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::functional::batch_norm;
    use crate::{Tensor, manual_seed, no_grad};

    #[test]
    fn evaluation_gives_the_same_with_and_without_a_graph() {
        manual_seed(0);
        // More channels than a tile has, and channels of several elements.
        for shape in [vec![3, 300], vec![1, 7], vec![2, 5, 4], vec![0, 4]] {
            let x = Tensor::randn(shape.clone()).requires_grad_(true);
            let [mean, var, weight, bias] = [0, 1, 2, 3].map(|_| Tensor::rand([shape[1]]));
            let mut wide = vec![1; shape.len()];
            wide[1] = shape[1];
            let wide = |t: &Tensor| t.reshape(wide.clone());
            for (w, b) in [(Some(&weight), Some(&bias)), (None, Some(&bias)), (Some(&weight), None), (None, None)] {
                let run = || batch_norm(&x, Some(&mean), Some(&var), w, b, false, 0.1, 1e-5);
                let (plain, recorded) = (no_grad(run), run());
                assert!(!plain.requires_grad() && recorded.requires_grad());
                assert_eq!(plain.to_vec::<f32>(), recorded.to_vec::<f32>());
                let mut want = &(&x - &wide(&mean)) * &wide(&(&var + 1e-5).rsqrt());
                want = w.map_or(want.clone(), |w| &want * &wide(w));
                want = b.map_or(want.clone(), |b| &want + &wide(b));
                for (have, want) in plain.to_vec::<f32>().iter().zip(want.to_vec::<f32>()) {
                    // Three roundings.
                    assert!((have - want).abs() <= 4.0 * f32::EPSILON * want.abs().max(1.0), "{have} for {want}");
                }
            }
        }
    }
}
