//! Dropout.

use crate::array::{Array, Meta};
use crate::dtype::DType;
use crate::error::fail;
use crate::op::{Context, Few, Op, Saves, apply_one, apply1};
use crate::ops::draw::{Draw, draw};
use crate::ops::table::{OpInfo, Sample, numbers};
use crate::random::{self, Generator};
use crate::record::constant;
use crate::tensor::Tensor;
use crate::with_float;
use cresset_kernels::rng;

/// Dropout of contiguous numbers: the result, and the mask of what stays.
#[derive(Debug)]
struct Dropout(f64);

/// The gradient of dropout by the mask, which is its own gradient.
#[derive(Debug)]
struct Masked(f64);

impl Op for Dropout {
    fn name(&self) -> &'static str {
        "dropout"
    }
    fn grad_name(&self) -> String {
        "MulBackward0".into()
    }
    fn infer(&self, inputs: &[&Meta]) -> Result<Few<Meta>, String> {
        let x = inputs[0];
        Ok([*x, Meta { dtype: DType::Bool, shape: x.shape }].into_iter().collect())
    }
    fn forward(&self, inputs: &[&Array], outputs: &[Meta]) -> Few<Array> {
        fn go<T: rng::Float + cresset_kernels::buffer::Element>(x: &Array, outputs: &[Meta], p: f64) -> Few<Array> {
            let (mut y, mut mask) = (Array::buffer_for(&outputs[0]), Array::buffer_for(&outputs[1]));
            let n = outputs[0].numel();
            let x = x.contiguous();
            let generator = Generator::default_generator();
            x.with_slice::<T, _>(|x| {
                let (y, mask) = (&mut y.as_mut_slice::<T>()[..n], &mut mask.as_mut_slice::<u8>()[..n]);
                generator.lock().dropout(x, p, y, mask);
            });
            [Array::from_buffer(y, outputs[0]), Array::from_buffer(mask, outputs[1])].into_iter().collect()
        }
        with_float!(outputs[0].dtype, T => go::<T>(inputs[0], outputs, self.0))
    }
    fn saves(&self) -> Saves {
        Saves::outputs(0b10)
    }
    fn effects(&self) -> bool {
        true
    }
    fn backward(&self, ctx: &Context, grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
        let masked = |g: &Tensor| {
            if ctx.create_graph() {
                return apply1(Masked(self.0), [g, &ctx.output(1)]);
            }
            let g = g.array();
            Tensor::from_array(masked(&g, ctx.output_numbers(1), *g.meta(), self.0))
        };
        [grads[0].as_ref().map(masked)].into()
    }
}

/// What [`Masked`] computes.
fn masked(g: &Array, mask: &Array, meta: Meta, p: f64) -> Array {
    fn go<T: rng::Float + cresset_kernels::buffer::Element>(g: &Array, mask: &Array, meta: Meta, p: f64) -> Array {
        let g = g.contiguous();
        Array::build::<T>(meta, |out| {
            g.with_slice::<T, _>(|g| mask.with_slice::<u8, _>(|mask| rng::dropout_backward(g, mask, p, out)));
        })
    }
    with_float!(meta.dtype, T => go::<T>(g, mask, meta, p))
}

impl Op for Masked {
    fn name(&self) -> &'static str {
        "dropout_backward"
    }
    fn grad_name(&self) -> String {
        "MulBackward0".into()
    }
    fn infer(&self, inputs: &[&Meta]) -> Result<Few<Meta>, String> {
        Ok([*inputs[0]].into())
    }
    fn forward(&self, inputs: &[&Array], outputs: &[Meta]) -> Few<Array> {
        [masked(inputs[0], inputs[1], outputs[0], self.0)].into()
    }
    fn saves(&self) -> Saves {
        Saves::inputs(0b10)
    }
    fn backward(&self, ctx: &Context, grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
        let g = grads[0].as_ref().map(|g| apply1(Masked(self.0), [g, &ctx.input(1)]));
        [g, None].into_iter().collect()
    }
}

/// Drops elements of a tensor of a floating-point dtype; `0 < p <= 1`.
pub(crate) fn dropped(x: &Tensor, p: f64) -> Tensor {
    if x.is_contiguous() && p < 1.0 {
        return apply_one(Dropout(p), &[x]);
    }
    x * &noise(&x.array(), p)
}

/// `bernoulli(1 - p) / (1 - p)` for the elements of `like`, drawn in the order of its memory.
pub(crate) fn noise(like: &Array, p: f64) -> Tensor {
    if p == 1.0 {
        return constant(Tensor::from_array(Array::zeros(*like.meta())));
    }
    draw(Draw::Noise(p), like, *like.meta())
}

/// The numbers of [`noise`].
pub(super) fn drawn_noise(like: &Array, p: f64) -> Array {
    fn go<T: rng::Float + crate::dtype::Element<Stored = T>>(like: &Array, p: f64) -> Array {
        random::fill_like::<T>(like, like.dtype(), |g, out, _| g.dropout_noise(out, p), None)
    }
    with_float!(like.dtype(), T => go::<T>(like, p))
}

/// The probability is one, the dtype a floating-point one.
#[track_caller]
pub(crate) fn check(name: &'static str, x: &Tensor, p: f64) {
    if !(0.0..=1.0).contains(&p) {
        fail(name, format!("dropout probability has to be between 0 and 1, but got {p}"));
    }
    if !x.is_floating_point() {
        fail(name, format!("result type Float can't be cast to the desired output type {}", x.dtype().scalar_name()));
    }
}

fn seeded(x: &Tensor, p: f64) -> Tensor {
    Generator::with_default(Generator::with_seed(1), || dropped(x, p))
}

pub(super) const TABLE: &[OpInfo] = &[OpInfo {
    name: "dropout",
    torch: "torch.nn.functional.dropout(x, p)",
    samples: || {
        vec![
            Sample::new(&[numbers(&[4, 5], 1)], |x| seeded(&x[0], 0.3)),
            Sample::new(&[numbers(&[3], 2)], |x| seeded(&x[0], 0.5)),
            Sample::new(&[numbers(&[3], 2)], |x| seeded(&x[0], 1.0)),
        ]
    },
    refused: || {
        vec![
            Sample::new(&[numbers(&[2], 1)], |x| crate::functional::dropout(&x[0], 1.5, true)),
            Sample::new(&[numbers(&[2], 1).to_dtype(DType::I64)], |x| crate::functional::dropout(&x[0], 0.5, true)),
        ]
    },
}];
