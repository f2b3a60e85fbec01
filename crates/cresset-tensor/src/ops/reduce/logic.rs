//! `all` and `any`.

use super::{Over, count, truths};
use crate::array::{Array, Meta};
use crate::dims::IntList;
use crate::dtype::DType;
use crate::op::{Context, Few, Op, apply1};
use crate::ops::table::{OpInfo, Sample, numbers};
use crate::tensor::Tensor;
use cresset_kernels::reduce::Count;

#[derive(Debug)]
struct Quantifier {
    over: Over,
    all: bool,
}
impl Op for Quantifier {
    fn name(&self) -> &'static str {
        if self.all { "all" } else { "any" }
    }
    fn infer(&self, inputs: &[&Meta]) -> Result<Few<Meta>, String> {
        // PyTorch answers uint8 with uint8, everything else with bool.
        let dtype = if inputs[0].dtype == DType::U8 { DType::U8 } else { DType::Bool };
        Ok([Meta { dtype, shape: self.over.shape(&inputs[0].shape) }].into())
    }
    fn forward(&self, inputs: &[&Array], outputs: &[Meta]) -> Few<Array> {
        let (x, out) = (truths(inputs[0]), outputs[0]);
        let n = self.over.count(x.shape()) as i64;
        let counts = count(Count::Nonzero, &x, &self.over, out.shape);
        let all = self.all;
        [Array::build::<u8>(out, |out| {
            counts.with_slice::<i64, _>(|counts| {
                for (out, &c) in out.iter_mut().zip(counts) {
                    *out = (if all { c == n } else { c > 0 }) as u8;
                }
            });
        })]
        .into()
    }
    fn backward(&self, _ctx: &Context, _grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
        [None].into()
    }
    fn differentiable(&self, _output: usize) -> bool {
        false
    }
}

impl Tensor {
    /// Is every element different from zero? A bool (uint8 for uint8) with one element (`x.all()`); true if there is none.
    #[track_caller]
    pub fn all(&self) -> Tensor {
        apply1(Quantifier { over: Over::all(self.dim()), all: true }, [self])
    }
    /// [`Tensor::all`] along one or several dimensions (`x.all(dim, keepdim)`).
    #[track_caller]
    pub fn all_dim(&self, dims: impl IntList, keepdim: bool) -> Tensor {
        apply1(Quantifier { over: Over::dims("all", dims, self.dim(), keepdim), all: true }, [self])
    }
    /// Is any element different from zero? A bool (uint8 for uint8) with one element (`x.any()`); false if there is none.
    #[track_caller]
    pub fn any(&self) -> Tensor {
        apply1(Quantifier { over: Over::all(self.dim()), all: false }, [self])
    }
    /// [`Tensor::any`] along one or several dimensions (`x.any(dim, keepdim)`).
    #[track_caller]
    pub fn any_dim(&self, dims: impl IntList, keepdim: bool) -> Tensor {
        apply1(Quantifier { over: Over::dims("any", dims, self.dim(), keepdim), all: false }, [self])
    }
}

pub(super) const TABLE: &[OpInfo] = &[
    OpInfo {
        name: "all",
        torch: "x.all(dim, keepdim)",
        samples: || vec![Sample::new(&[numbers(&[3, 4], 1)], |x| x[0].all_dim([0, 1], true)).without_grad()],
        refused: || super::refused(|x, d, k| x.all_dim(d, k)),
    },
    OpInfo {
        name: "any",
        torch: "x.any(dim, keepdim)",
        samples: || vec![Sample::new(&[numbers(&[3, 4], 1)], |x| x[0].any_dim(-1, false)).without_grad()],
        refused: || super::refused(|x, d, k| x.any_dim(d, k)),
    },
];
