//! Rows of a table by index: `embedding`.

use crate::array::{Array, Meta, with_bits};
use crate::dtype::DType;
use crate::error::fail;
use crate::op::{Context, Few, Op, Saves, apply1};
use crate::ops::matrix::from_first;
use crate::ops::table::{OpInfo, Sample, numbers};
use crate::tensor::Tensor;
use crate::{Element, with_float};
use cresset_kernels::buffer::Element as Stored;
use cresset_kernels::rows;

/// Inputs: the table (n, d), indices of any shape.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Embedding {
    /// A row that gets no gradient.
    pub padding: Option<usize>,
    /// Divide a row's gradient by how often it was used?
    pub scale_by_frequency: bool,
}

/// The indices as a contiguous list of i64.
fn list(indices: &Array) -> Array {
    indices.to(DType::I64).contiguous()
}

impl Op for Embedding {
    fn name(&self) -> &'static str {
        "embedding"
    }
    fn infer(&self, inputs: &[&Meta]) -> Result<Few<Meta>, String> {
        let (w, at) = (inputs[0], inputs[1]);
        if w.ndim() != 2 {
            return Err("'weight' must be 2-D".into());
        }
        if !matches!(at.dtype, DType::I64 | DType::I32) {
            return Err(format!(
                "Expected tensor for argument #1 'indices' to have one of the following scalar types: Long, Int; but got torch.{}Tensor instead (while checking arguments for embedding)",
                at.dtype.scalar_name()
            ));
        }
        let mut shape = at.shape;
        shape.push(w.shape[1]);
        Ok([Meta { dtype: w.dtype, shape }].into())
    }
    fn forward(&self, inputs: &[&Array], outputs: &[Meta]) -> Few<Array> {
        fn go<T: Stored>(w: &Array, at: &Array, meta: Meta) -> Array {
            let width = w.shape()[1];
            let dense;
            let w = if w.strides()[1] == 1 || width == 1 {
                w
            } else {
                dense = w.copy();
                &dense
            };
            let reading = w.read();
            let table = from_first::<T>(w, &reading);
            Array::build::<T>(meta, |out| at.with_slice(|at| rows::take(table, w.strides()[0], width, at, out)))
        }
        let (w, at) = (inputs[0], list(inputs[1]));
        let n = w.shape()[0];
        let bad = at.with_slice::<i64, _>(|s| s.iter().any(|&i| i < 0 || i as usize >= n));
        if bad {
            // What indices may be is known only from the numbers, so this refusal stands here.
            fail("embedding", "index out of range in self");
        }
        [with_bits!(w.dtype(), T => go::<T>(w, &at, outputs[0]))].into()
    }
    fn saves(&self) -> Saves {
        Saves::inputs(0b10)
    }
    fn backward(&self, ctx: &Context, grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
        let op = AddRows { rows: ctx.input_meta(0).shape[0], how: *self };
        [grads[0].as_ref().map(|g| apply1(op, [g, &ctx.input(1)])), None].into_iter().collect()
    }
}

/// The gradient of the table: rows added in the order of the indices.
#[derive(Debug)]
struct AddRows {
    rows: usize,
    how: Embedding,
}

impl Op for AddRows {
    fn name(&self) -> &'static str {
        "embedding_backward"
    }
    fn infer(&self, inputs: &[&Meta]) -> Result<Few<Meta>, String> {
        let g = inputs[0];
        Ok([Meta::new(g.dtype, [self.rows, g.shape[g.ndim() - 1]])].into())
    }
    fn forward(&self, inputs: &[&Array], outputs: &[Meta]) -> Few<Array> {
        fn go<T: rows::Row>(op: &AddRows, g: &Array, at: &Array, meta: Meta) -> Array {
            Array::build::<T>(meta, |out| {
                g.with_slice::<T, _>(|g| {
                    at.with_slice(|at| {
                        rows::add(g, meta.shape[1], at, op.how.padding, op.how.scale_by_frequency, out);
                    });
                });
            })
        }
        let wide = outputs[0].dtype.accumulator();
        let (g, at) = (inputs[0].to(wide).contiguous(), list(inputs[1]));
        let meta = Meta { dtype: wide, ..outputs[0] };
        let sum = if wide == DType::F64 { go::<f64>(self, &g, &at, meta) } else { go::<f32>(self, &g, &at, meta) };
        [sum.to(outputs[0].dtype)].into()
    }
    fn saves(&self) -> Saves {
        Saves::inputs(0b10)
    }
    fn backward(&self, ctx: &Context, grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
        // dg_i = c_{at i} * factor_i, where the factor is 0 for padding and 1 / frequency where that was asked for.
        let g = grads[0].as_ref().map(|c| {
            let at = ctx.input(1);
            let rows = apply1(Embedding { padding: None, scale_by_frequency: false }, [c, &at]);
            if self.how.padding.is_none() && !self.how.scale_by_frequency {
                rows
            } else {
                &rows * &self.factors(&at, c)
            }
        });
        [g, None].into_iter().collect()
    }
}

impl AddRows {
    fn factors(&self, at: &Tensor, like: &Tensor) -> Tensor {
        let list = list(&at.array());
        let factors =
            list.with_slice::<i64, _>(|s| rows::factors(s, self.rows, self.how.padding, self.how.scale_by_frequency));
        let mut shape = at.shape();
        shape.push(1);
        Tensor::from_vec(factors, shape).to_dtype(like.dtype())
    }
}

/// Scales the rows that are used down to `max_norm`, in place.
pub(crate) fn renorm_rows(weight: &Tensor, indices: &Tensor, max_norm: f64, norm_type: f64) {
    fn go<T: Element + Into<crate::Scalar>>(w: &Array, at: &[i64], max_norm: f64, norm_type: f64) -> Array {
        let dense = w.copy();
        let (n, width) = (w.shape()[0], w.shape()[1]);
        let mut values = dense.to_vec::<T>();
        let mut seen = vec![false; n];
        for &i in at {
            let i = i as usize;
            if std::mem::replace(&mut seen[i], true) {
                continue;
            }
            let row = &mut values[i * width..][..width];
            let terms = row.iter().map(|x| (*x).into().f64().abs());
            let norm = match norm_type {
                p if p == f64::INFINITY => terms.fold(0.0, f64::max),
                p => terms.map(|x| x.powf(p)).sum::<f64>().powf(1.0 / p),
            };
            if norm > max_norm {
                let factor = max_norm / (norm + 1e-7);
                row.iter_mut().for_each(|x| *x = T::from_scalar(crate::Scalar::Float((*x).into().f64() * factor)));
            }
        }
        Array::from_slice(&values, *w.shape())
    }
    let w = weight.array();
    let at = list(&indices.array());
    let n = w.shape()[0];
    let new = at.with_slice::<i64, _>(|at| {
        if at.iter().any(|&i| i < 0 || i as usize >= n) {
            fail("embedding", "index out of range in self");
        }
        with_float!(w.dtype(), T => go::<T>(&w, at, max_norm, norm_type))
    });
    crate::kernels::overwrite(&w, new);
}

fn at(values: &[i64], shape: &[usize]) -> Tensor {
    Tensor::from_vec(values, shape)
}

pub(super) const TABLE: &[OpInfo] = &[OpInfo {
    name: "nn.functional.embedding",
    torch: "torch.nn.functional.embedding(indices, weight, padding_idx, max_norm, norm_type, scale_grad_by_freq)",
    samples: || {
        use crate::functional::{EmbeddingOptions, embedding};
        let plain = EmbeddingOptions::default();
        let padded = EmbeddingOptions { padding_idx: Some(-2), scale_grad_by_freq: true, ..plain };
        vec![
            Sample::new(&[numbers(&[4, 3], 1)], move |x| embedding(&at(&[0, 3, 3, 1], &[2, 2]), &x[0], plain)),
            Sample::new(&[numbers(&[4, 3], 1)], move |x| embedding(&at(&[2], &[]), &x[0], plain)),
            Sample::new(&[numbers(&[4, 3], 1)], move |x| embedding(&at(&[2, 0, 0, 1], &[4]), &x[0], padded))
                // Scaled by frequency and without the padding row it is no derivative.
                .without_grad(),
        ]
    },
    refused: || {
        use crate::functional::{EmbeddingOptions, embedding};
        let plain = EmbeddingOptions::default();
        let outside = EmbeddingOptions { padding_idx: Some(4), ..plain };
        vec![
            Sample::new(&[numbers(&[4, 3], 1)], move |x| embedding(&at(&[0, 4], &[2]), &x[0], plain)),
            Sample::new(&[numbers(&[4, 3], 1)], move |x| embedding(&at(&[0, -1], &[2]), &x[0], plain)),
            Sample::new(&[numbers(&[4], 1)], move |x| embedding(&at(&[0], &[1]), &x[0], plain)),
            Sample::new(&[numbers(&[4, 3], 1)], move |x| embedding(&x[0], &x[0], plain)),
            Sample::new(&[numbers(&[4, 3], 1)], move |x| embedding(&at(&[0], &[1]), &x[0], outside)),
        ]
    },
}];
