//! Losses of classification in one pass: the negative log likelihood of classes, with the log softmax before it or without.

use crate::array::{Array, Meta};
use crate::dims::Dims;
use crate::dtype::DType;
use crate::error::fail;
use crate::op::{Context, Few, Op, Saves, apply, apply_one};
use crate::ops::reduce::{Over, sum::sum_over, widened, with_real};
use crate::ops::table::{OpInfo, Sample, numbers};
use crate::tensor::Tensor;
use cresset_kernels::softmax::{ClassLosses, Classes, Softmax};

/// What a loss does with the losses of the elements.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Reduction {
    /// Leaves them as they are (`reduction="none"`).
    None,
    /// Their mean; with class weights the weighted mean (`reduction="mean"`).
    #[default]
    Mean,
    /// Their sum (`reduction="sum"`).
    Sum,
}

/// Classes as targets, over scores (with the log softmax) or log probabilities.
#[derive(Debug)]
pub(crate) struct ClassLoss {
    /// Scores, not log probabilities.
    pub scores: bool,
    pub weighted: bool,
    pub ignore: i64,
    pub reduction: Reduction,
    pub smoothing: f64,
    /// There are dimensions after the classes: PyTorch's node has another name then.
    pub planes: bool,
}

/// (N, C, ...) as contiguous rows of classes, and their number.
fn rows(x: &Array) -> (Array, usize) {
    let (shape, n) = (x.shape(), x.ndim());
    if n <= 2 {
        return (x.contiguous(), shape[n - 1]);
    }
    let order: Dims = std::iter::once(0).chain(2..n).chain([1]).collect();
    let moved =
        x.view(order.iter().map(|&d| shape[d]).collect(), order.iter().map(|&d| x.strides()[d]).collect(), x.offset());
    (moved.contiguous(), shape[1])
}

/// The opposite of [`rows`]: (N, ..., C) back to (N, C, ...).
fn unrows(x: Array, shape: &Dims) -> Array {
    let n = shape.len();
    if n <= 2 {
        return x;
    }
    let mut wide = *shape;
    wide.remove(1);
    wide.push(shape[1]);
    let steps = wide.contiguous_strides();
    let order: Dims = [0, n - 1].into_iter().chain(1..n - 1).collect();
    x.view(*shape, order.iter().map(|&d| steps[d]).collect(), 0).copy()
}

impl ClassLoss {
    /// Runs `f` over the rows, the classes and their weights.
    fn with<T: cresset_kernels::buffer::Element, R>(
        &self,
        arrays: [&Array; 3],
        f: impl FnOnce(&[T], Classes<'_, T>) -> R,
    ) -> R {
        let [x, target, weight] = arrays;
        x.with_slice::<T, _>(|x| {
            target.with_slice::<i64, _>(|target| {
                let (ignore, smoothing) = (self.ignore, self.smoothing);
                match self.weighted {
                    true => weight.with_slice::<T, _>(|w| f(x, Classes { target, weight: Some(w), ignore, smoothing })),
                    false => f(x, Classes { target, weight: None, ignore, smoothing }),
                }
            })
        })
    }
    /// The rows' constant target distributions times what they weigh, in the shape of x, and the weight of each row.
    fn distribution(&self, ctx: &Context) -> (Tensor, Tensor) {
        let meta = *ctx.input_meta(0);
        let (target, weight) = (ctx.input_array(1).contiguous(), self.weights(ctx));
        let c = meta.shape[if meta.ndim() == 1 { 0 } else { 1 }];
        let target = target.to_vec::<i64>();
        let weight = weight.map(|w| w.to(DType::F64).to_vec::<f64>());
        let mut q = vec![0.0; target.len() * c];
        for (t, q) in target.iter().zip(q.chunks_exact_mut(c.max(1))) {
            if *t == self.ignore {
                continue;
            }
            let w = |i: usize| weight.as_ref().map_or(1.0, |w| w[i]);
            for (i, q) in q.iter_mut().enumerate() {
                *q = self.smoothing / c as f64 * w(i);
            }
            q[*t as usize] += (1.0 - self.smoothing) * w(*t as usize);
        }
        let mut wide = meta.shape;
        if wide.len() > 2 {
            wide.remove(1);
            wide.push(c);
        }
        let q = unrows(Array::from_slice(&q, wide), &meta.shape);
        let q = Tensor::from_array(q.to(meta.dtype));
        let sums = sum_over(&q, class_dim(meta.ndim()));
        (q, sums)
    }
    fn weights(&self, ctx: &Context) -> Option<Array> {
        self.weighted.then(|| ctx.input_array(2))
    }
}

/// The dimension of the classes, kept.
fn class_dim(ndim: usize) -> Over {
    Over { mask: if ndim == 1 { 1 } else { 2 }, drop: 0 }
}

impl Op for ClassLoss {
    fn name(&self) -> &'static str {
        if self.scores { "cross_entropy" } else { "nll_loss" }
    }
    fn grad_name(&self) -> String {
        if self.planes { "NllLoss2DBackward0".into() } else { "NllLossBackward0".into() }
    }
    fn infer(&self, inputs: &[&Meta]) -> Result<Few<Meta>, String> {
        let (x, t) = (inputs[0], inputs[1]);
        if !x.dtype.is_floating_point() {
            return Err(format!("\"{}\" not implemented for '{}'", self.name(), x.dtype.scalar_name()));
        }
        if x.ndim() == 0 {
            return Err("input tensor should be 1D or more".into());
        }
        if t.dtype != DType::I64 {
            return Err(format!("expected scalar type Long but found {}", t.dtype.scalar_name()));
        }
        let mut want = x.shape;
        let c = want.remove(if x.ndim() == 1 { 0 } else { 1 });
        if t.shape != want {
            let (n, have) = (want.first().copied(), t.shape.first().copied());
            return Err(match (n, have) {
                (Some(n), Some(have)) if n != have && t.ndim() == want.len() => {
                    format!("Expected input batch_size ({n}) to match target batch_size ({have}).")
                }
                _ => format!("Expected target size {:?}, got {:?}", &want[..], &t.shape[..]),
            });
        }
        if !(0.0..=1.0).contains(&self.smoothing) {
            return Err(format!("label_smoothing must be between 0.0 and 1.0. Got: {:?}", self.smoothing));
        }
        if let Some(w) = inputs.get(2) {
            if w.shape != [c] {
                return Err(format!(
                    "weight tensor should be defined either for all {c} classes or no classes but got weight tensor of shape: {:?}",
                    &w.shape[..]
                ));
            }
            if w.dtype != x.dtype {
                return Err(format!(
                    "expected scalar type {} but found {}",
                    x.dtype.scalar_name(),
                    w.dtype.scalar_name()
                ));
            }
        }
        let loss = if self.reduction == Reduction::None { t.shape } else { Dims::EMPTY };
        // What backward needs of each row, and what the mean divided by.
        let kept = if self.scores { t.numel() + 1 } else { 1 };
        Ok([Meta { dtype: x.dtype, shape: loss }, Meta::new(x.dtype.accumulator(), [kept])].into_iter().collect())
    }
    fn forward(&self, inputs: &[&Array], outputs: &[Meta]) -> Few<Array> {
        let (x, c) = rows(&widened(inputs[0]));
        let target = inputs[1].contiguous();
        let weight = if self.weighted { widened(inputs[2]).contiguous() } else { target.clone() };
        let n = target.numel();
        let (loss, kept) = with_real!(x.dtype(), T => {
            let mut losses = vec![0.0; n];
            let mut total: T = 1.0;
            let kept = Array::build::<T>(outputs[1], |kept| {
                self.with::<T, _>([&x, &target, &weight], |x, classes| {
                    if self.scores {
                        T::log_sum_exp(x, c, &mut kept[..n]);
                        T::nll(x, c, Some(&kept[..n]), classes, &mut losses);
                    } else {
                        T::nll(x, c, None, classes, &mut losses);
                    }
                    if self.reduction == Reduction::Mean {
                        total = classes.total();
                    }
                    kept[kept.len() - 1] = total;
                });
            });
            let losses = Array::from_slice(&losses, *target.shape());
            let meta = Meta { dtype: x.dtype(), shape: outputs[0].shape };
            let loss = match self.reduction {
                Reduction::None => losses,
                _ => {
                    let sum = crate::ops::reduce::sum::sum_array(&losses, &Over::all(losses.ndim()), meta);
                    Array::build::<T>(meta, |out| out[0] = sum.with_slice::<T, _>(|s| s[0]) / total)
                }
            };
            (loss, kept)
        });
        [loss.to(outputs[0].dtype), kept].into_iter().collect()
    }
    fn saves(&self) -> Saves {
        Saves { inputs: if self.weighted { 0b111 } else { 0b11 }, outputs: 0b10 }
    }
    fn differentiable(&self, output: usize) -> bool {
        output == 0
    }
    fn backward(&self, ctx: &Context, grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
        let mut out: Few<Option<Tensor>> = (0..ctx.num_inputs()).map(|_| None).collect();
        let Some(g) = &grads[0] else { return out };
        let meta = *ctx.input_meta(0);
        let kept = ctx.output_array(1);
        if ctx.create_graph() || !self.scores {
            let (q, sums) = self.distribution(ctx);
            let total = kept.to(DType::F64).to_vec::<f64>();
            let mut over = class_dim(meta.ndim());
            over.drop = over.mask;
            let g = if self.reduction == Reduction::None { over.spread(g, &meta.shape) } else { g.clone() };
            let g = &g / total[total.len() - 1];
            out[0] = Some(if self.scores {
                let dim = if meta.ndim() == 1 { 0 } else { 1 };
                &g * &(&(&ctx.input(0).softmax(dim) * &sums) - &q)
            } else {
                -&(&g * &q)
            });
            return out;
        }
        let (x, c) = rows(&widened(&ctx.input_array(0)));
        let target = ctx.input_array(1).contiguous();
        let weight = self.weights(ctx).map_or(target.clone(), |w| widened(&w).contiguous());
        let g = widened(&g.array()).contiguous();
        let n = target.numel();
        let gx = with_real!(x.dtype(), T => Array::build::<T>(*x.meta(), |out| {
            kept.with_slice::<T, _>(|kept| g.with_slice::<T, _>(|g| self.with::<T, _>([&x, &target, &weight], |x, classes| {
                T::cross_entropy_backward((g, 1.0 / kept[n]), x, c, &kept[..n], classes, out);
            })));
        }));
        out[0] = Some(Tensor::from_array(unrows(gx, &meta.shape).to(meta.dtype)));
        out
    }
}

/// Runs the op after the checks that need the numbers.
#[track_caller]
pub(crate) fn class_loss(op: ClassLoss, x: &Tensor, target: &Tensor, weight: Option<&Tensor>) -> Tensor {
    let name = op.name();
    let shape = x.shape();
    let classes = match shape.len() {
        0 => 0,
        1 => shape[0],
        _ => shape[1],
    };
    let looked_at;
    let mut target = target;
    if target.dtype() == DType::I64 && !shape.is_empty() {
        let checked = CheckedTarget { name, classes, ignore: op.ignore };
        if crate::record::is_recording() {
            looked_at = apply_one(checked, &[target]);
            target = &looked_at;
        } else {
            checked.look(&target.array());
        }
    }
    let mut outs = match weight {
        Some(w) => apply(op, &[x, target, w]),
        None => apply(op, &[x, target]),
    };
    outs.truncate(1);
    outs.pop().expect("the loss")
}

/// Looks at every target. An op of its own in recordings, so that the targets of later runs are looked at, too.
#[derive(Debug)]
struct CheckedTarget {
    name: &'static str,
    classes: usize,
    ignore: i64,
}

impl CheckedTarget {
    #[track_caller]
    fn look(&self, target: &Array) {
        let outside = |t: &i64| (*t < 0 || *t >= self.classes as i64) && *t != self.ignore;
        let bad = target.contiguous().with_slice::<i64, _>(|t| t.iter().copied().find(outside));
        if let Some(t) = bad {
            fail(self.name, format!("Target {t} is out of bounds."));
        }
    }
}

impl Op for CheckedTarget {
    fn name(&self) -> &'static str {
        "checked_target"
    }
    fn infer(&self, inputs: &[&Meta]) -> Result<Few<Meta>, String> {
        Ok([*inputs[0]].into())
    }
    fn forward(&self, inputs: &[&Array], _outputs: &[Meta]) -> Few<Array> {
        self.look(inputs[0]);
        [inputs[0].clone()].into()
    }
    fn backward(&self, _ctx: &Context, _grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
        [None].into()
    }
    fn effects(&self) -> bool {
        true
    }
}

pub(super) const TABLE: &[OpInfo] = &[
    OpInfo {
        name: "cross_entropy",
        torch: "torch.nn.functional.cross_entropy(x, target, weight, ...)",
        samples: || samples(true),
        refused: || refused(true),
    },
    OpInfo {
        name: "nll_loss",
        torch: "torch.nn.functional.nll_loss(x, target, weight, ...)",
        samples: || samples(false),
        refused: || refused(false),
    },
];

fn run(scores: bool, reduction: Reduction, smoothing: f64, x: &[Tensor]) -> Tensor {
    let op = ClassLoss { scores, weighted: x.len() > 2, ignore: -100, reduction, smoothing, planes: x[0].dim() > 2 };
    class_loss(op, &x[0], &x[1], x.get(2).map(Tensor::detach).as_ref())
}

fn samples(scores: bool) -> Vec<Sample> {
    let target = || Tensor::from_slice(&[2i64, 0, -100, 3]);
    let many = || Tensor::from_vec([0i64, 1, 2, 2, -100, 1], [2, 3]);
    let mut samples = vec![
        Sample::new(&[numbers(&[4, 5], 1), target()], move |x| run(scores, Reduction::Mean, 0.0, x)),
        Sample::new(&[numbers(&[4, 5], 2), target()], move |x| run(scores, Reduction::Sum, 0.0, x)),
        Sample::new(&[numbers(&[4, 5], 3), target()], move |x| run(scores, Reduction::None, 0.0, x)),
        Sample::new(&[numbers(&[2, 3, 3], 4), many()], move |x| run(scores, Reduction::None, 0.0, x)),
        Sample::new(&[numbers(&[3], 5), Tensor::from_vec([1i64], ())], move |x| run(scores, Reduction::Mean, 0.0, x)),
        Sample::new(&[numbers(&[2, 3, 3], 6), many()], move |x| {
            let w = Tensor::from_slice(&[0.5f64, 2.0, 1.5]);
            run(scores, Reduction::Mean, 0.0, &[x[0].clone(), x[1].clone(), w])
        }),
    ];
    if scores {
        samples.push(Sample::new(&[numbers(&[4, 5], 7), target()], |x| run(true, Reduction::Mean, 0.3, x)));
        samples.push(Sample::new(&[numbers(&[2, 3, 3], 8), many()], |x| {
            let w = Tensor::from_slice(&[0.5f64, 2.0, 1.5]);
            run(true, Reduction::Sum, 0.2, &[x[0].clone(), x[1].clone(), w])
        }));
    }
    samples
}

fn refused(scores: bool) -> Vec<Sample> {
    let target = |t: &[i64]| Tensor::from_slice(t);
    vec![
        Sample::new(&[numbers(&[3, 4], 1), target(&[0, 1])], move |x| run(scores, Reduction::Mean, 0.0, x)),
        Sample::new(&[numbers(&[2, 4], 1), target(&[0, 4])], move |x| run(scores, Reduction::Mean, 0.0, x)),
        Sample::new(&[numbers(&[2, 4], 1), target(&[0, -1])], move |x| run(scores, Reduction::Mean, 0.0, x)),
    ]
}
