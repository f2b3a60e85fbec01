//! Selection and the functions of three numbers: where, lerp, addcmul, addcdiv.

use super::arith::Extremum;
use super::{BinaryDef, Layout, Operand, part, spread};
use crate::array::{Array, Meta};
use crate::dims::broadcast;
use crate::dtype::{DType, Promotion, Scalar};
use crate::expr::{Expr, Pointwise, Term};
use crate::op::{Context, Few, Op, Saves, apply_inplace, apply1};
use crate::ops::table::{OpInfo, Sample, numbers};
use crate::tensor::Tensor;
use cresset_kernels::lane::{Binary, InBlocks, Lane};
use cresset_kernels::map;

/// `a` where the condition holds, else `b`.
#[derive(Debug)]
pub(crate) struct Where;

impl Op for Where {
    fn name(&self) -> &'static str {
        "where"
    }
    fn infer(&self, inputs: &[&Meta]) -> Result<Few<Meta>, String> {
        let (c, a, b) = (inputs[0], inputs[1], inputs[2]);
        if c.dtype != DType::Bool && c.dtype != DType::U8 {
            return Err(format!(
                "where expected condition to be a boolean tensor, but got a tensor with dtype {}",
                c.dtype.scalar_name()
            ));
        }
        let shape = broadcast(&c.shape, &broadcast(&a.shape, &b.shape)?)?;
        let dtype = Promotion::default().tensor(a.dtype, a.ndim()).tensor(b.dtype, b.ndim()).result();
        Ok([Meta { dtype, shape }].into())
    }
    fn forward(&self, inputs: &[&Array], outputs: &[Meta]) -> Few<Array> {
        let meta = &outputs[0];
        let c = spread(inputs[0], &meta.shape);
        let (a, b) = (inputs[1].as_dtype(meta.dtype), inputs[2].as_dtype(meta.dtype));
        let (a, b) = (spread(&a, &meta.shape), spread(&b, &meta.shape));
        /// By size: bits are chosen, not numbers.
        fn go<T: map::Element<Block = T> + cresset_kernels::buffer::Element>(
            c: &Array,
            a: &Array,
            b: &Array,
            meta: &Meta,
        ) -> Array {
            let (rc, ra, rb) = (c.read(), a.read(), b.read());
            Layout::like(&[Some(c), Some(a), Some(b)], meta).build::<T>(|out, strides| {
                let f = |c: u8, a: T, b: T| if c != 0 { a } else { b };
                let c = part(rc.slice::<u8>(), c);
                map::map3::<u8, T, T, T>(
                    &meta.shape,
                    f,
                    c,
                    part(ra.slice::<T>(), a),
                    part(rb.slice::<T>(), b),
                    (out, strides),
                );
            })
        }
        [match meta.dtype.size() {
            1 => go::<u8>(&c, &a, &b, meta),
            2 => go::<i16>(&c, &a, &b, meta),
            4 => go::<i32>(&c, &a, &b, meta),
            _ => go::<i64>(&c, &a, &b, meta),
        }]
        .into()
    }
    fn saves(&self) -> Saves {
        Saves::inputs(0b001)
    }
    fn backward(&self, ctx: &Context, grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
        let Some(g) = &grads[0] else { return [None, None, None].into_iter().collect() };
        let (c, zero) = (ctx.input(0), Tensor::zeros_of((), g.dtype()));
        let ga = ctx.needs(1).then(|| apply1(Where, [&c, g, &zero]));
        let gb = ctx.needs(2).then(|| apply1(Where, [&c, &zero, g]));
        [None, ga, gb].into_iter().collect()
    }
    fn pointwise(&self) -> Option<&dyn Pointwise> {
        Some(self)
    }
}

impl Pointwise for Where {
    fn eval(&self, x: &[Term]) -> Term {
        Term::Number(Lane::select(&x[0].truth(), &x[1].number(), &x[2].number()))
    }
    fn gradient(&self, i: usize, g: &Expr, x: &[Term], _output: &Term) -> Option<Expr> {
        let zero = g.splat(0.0);
        match i {
            0 => None,
            1 => Some(Lane::select(&x[0].truth(), g, &zero)),
            _ => Some(Lane::select(&x[0].truth(), &zero, g)),
        }
    }
}

/// Elements of `a` where `condition` holds, else of `b`; either may be a number (`torch.where(condition, a, b)`).
///
/// # Panics
/// If the condition is not bool or the shapes do not broadcast.
///
/// ```
/// use cresset_tensor::{where_, Tensor};
/// let x = Tensor::from_slice(&[-1.0f32, 2.0]);
/// assert_eq!(where_(&x.gt(0.0), &x, &x * 0.01).to_vec::<f32>(), [-0.01, 2.0]);
/// ```
#[track_caller]
pub fn where_<'a, 'b>(condition: &Tensor, a: impl Into<Choice<'a>>, b: impl Into<Choice<'b>>) -> Tensor {
    // A number takes the dtype that it would have beside the other operand.
    let (a, b) = (a.into(), b.into());
    let beside = |s: Scalar, other: &Choice| match other.tensor() {
        Some(t) => Tensor::full_of((), s, Promotion::default().tensor(t.dtype(), 1).scalar(s).result()),
        None => Tensor::scalar_of(s),
    };
    let ta = match &a {
        Choice::Number(s) => beside(*s, &b),
        Choice::Borrowed(t) => (*t).clone(),
        Choice::Owned(t) => t.clone(),
    };
    let tb = match &b {
        Choice::Number(s) => beside(*s, &a),
        Choice::Borrowed(t) => (*t).clone(),
        Choice::Owned(t) => t.clone(),
    };
    apply1(Where, [condition, &ta, &tb])
}

/// One of the two values of [`where_`]: a tensor, owned or borrowed, or a number.
#[derive(Debug)]
pub enum Choice<'a> {
    /// A tensor.
    Borrowed(&'a Tensor),
    /// A tensor that was just computed.
    Owned(Tensor),
    /// A number.
    Number(Scalar),
}
impl Choice<'_> {
    fn tensor(&self) -> Option<&Tensor> {
        match self {
            Choice::Borrowed(t) => Some(t),
            Choice::Owned(t) => Some(t),
            Choice::Number(_) => None,
        }
    }
}
impl<'a> From<&'a Tensor> for Choice<'a> {
    fn from(t: &'a Tensor) -> Self {
        Choice::Borrowed(t)
    }
}
impl From<Tensor> for Choice<'_> {
    fn from(t: Tensor) -> Self {
        Choice::Owned(t)
    }
}
impl<S: Into<Scalar>> From<S> for Choice<'_> {
    fn from(s: S) -> Self {
        Choice::Number(s.into())
    }
}

/// `max(x, bound)` or `min(x, bound)`: the same numbers and gradients as [`Extremum`], under the names of clamping.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ClampBy<const MIN: bool>;
impl<const MIN: bool> Binary for ClampBy<MIN> {
    type Loop = InBlocks;
    #[inline(always)]
    fn eval<L: Lane>(&self, x: &L, bound: &L) -> L {
        if MIN { Extremum::<true>.eval(x, bound) } else { Extremum::<false>.eval(x, bound) }
    }
    #[inline(always)]
    fn da<L: Lane>(&self, x: &L, bound: &L, y: &L) -> L {
        if MIN { Extremum::<true>.da(x, bound, y) } else { Extremum::<false>.da(x, bound, y) }
    }
    #[inline(always)]
    fn db<L: Lane>(&self, x: &L, bound: &L, y: &L) -> L {
        if MIN { Extremum::<true>.db(x, bound, y) } else { Extremum::<false>.db(x, bound, y) }
    }
}
impl<const MIN: bool> BinaryDef for ClampBy<MIN> {
    const NAME: &'static str = if MIN { "clamp_min" } else { "clamp_max" };
    const BOOLS: bool = true;
    fn int(&self, a: i64, b: i64) -> i64 {
        if MIN { a.max(b) } else { a.min(b) }
    }
}

impl Tensor {
    /// `self` where `condition` holds, else `other` (`x.where(condition, other)`).
    #[track_caller]
    pub fn where_<'a>(&self, condition: &Tensor, other: impl Into<Choice<'a>>) -> Tensor {
        where_(condition, self, other)
    }
    /// `self + weight (end - self)`, the weight a number or a tensor (`torch.lerp`). Computed from the nearer end, so that weight 1 gives `end` exactly.
    ///
    /// # Panics
    /// If the dtypes differ or are not floating-point.
    #[track_caller]
    pub fn lerp<'a>(&self, end: &Tensor, weight: impl Into<Operand<'a>>) -> Tensor {
        lerp(self, end, weight.into())
    }
    /// [`Tensor::lerp`] in place.
    #[track_caller]
    pub fn lerp_<'a>(&self, end: &Tensor, weight: impl Into<Operand<'a>>) -> Tensor {
        let y = lerp(self, end, weight.into());
        assign("lerp_", self, y)
    }
    /// `self + value * tensor1 * tensor2` (`torch.addcmul`).
    #[track_caller]
    pub fn addcmul(&self, tensor1: &Tensor, tensor2: &Tensor, value: impl Into<Scalar>) -> Tensor {
        let value = value.into();
        let product = tensor1 * tensor2;
        self + if value.f64() == 1.0 && !value.is_float() {
            product
        } else {
            product.mul(integral("addcmul", self, &[tensor1, tensor2], value))
        }
    }
    /// [`Tensor::addcmul`] in place.
    #[track_caller]
    pub fn addcmul_(&self, tensor1: &Tensor, tensor2: &Tensor, value: impl Into<Scalar>) -> Tensor {
        let y = self.addcmul(tensor1, tensor2, value);
        assign("addcmul_", self, y)
    }
    /// `self + value * tensor1 / tensor2` (`torch.addcdiv`).
    ///
    /// # Panics
    /// If all are integers.
    #[track_caller]
    pub fn addcdiv(&self, tensor1: &Tensor, tensor2: &Tensor, value: impl Into<Scalar>) -> Tensor {
        let value = value.into();
        if !tensor1.is_floating_point() && !tensor2.is_floating_point() {
            crate::error::fail(
                "addcdiv",
                "Integer division with addcdiv is no longer supported, and in a future release addcdiv will perform a true division of tensor1 and tensor2.",
            );
        }
        self + (tensor1 * value.f64()) / tensor2
    }
    /// [`Tensor::addcdiv`] in place.
    #[track_caller]
    pub fn addcdiv_(&self, tensor1: &Tensor, tensor2: &Tensor, value: impl Into<Scalar>) -> Tensor {
        let y = self.addcdiv(tensor1, tensor2, value);
        assign("addcdiv_", self, y)
    }
}

/// For integer tensors the factor must be an integer.
#[track_caller]
fn integral(name: &'static str, x: &Tensor, others: &[&Tensor], value: Scalar) -> Scalar {
    let floating = x.is_floating_point() || others.iter().any(|t| t.is_floating_point());
    if !floating && value.is_float() {
        crate::error::fail(name, "For integral input tensors, argument alpha must not be a floating point number.");
    }
    value
}

#[track_caller]
fn lerp(start: &Tensor, end: &Tensor, weight: Operand) -> Tensor {
    if start.dtype() != end.dtype() {
        crate::error::fail("lerp", format!("expected dtype {} for `end` but got dtype {}", start.dtype(), end.dtype()));
    }
    if !start.is_floating_point() {
        crate::error::fail("lerp", format!("\"lerp_kernel\" not implemented for '{}'", start.dtype().scalar_name()));
    }
    match weight {
        Operand::Scalar(w) if w.f64().abs() < 0.5 => start + (end - start) * w.f64(),
        Operand::Scalar(w) => end - (end - start) * (1.0 - w.f64()),
        Operand::Tensor(w) => {
            if w.dtype() != start.dtype() {
                crate::error::fail(
                    "lerp",
                    format!("expected dtype {} for `weight` but got dtype {}", start.dtype(), w.dtype()),
                );
            }
            let d = end - start;
            where_(&w.abs().lt(0.5), start + &d * w, end - &d * (1.0 - w))
        }
    }
}

/// The identity of a result computed elsewhere, as an in-place op: `target` becomes `result`, history included.
#[derive(Debug)]
struct Assign(&'static str);
impl Op for Assign {
    fn name(&self) -> &'static str {
        self.0
    }
    fn infer(&self, inputs: &[&Meta]) -> Result<Few<Meta>, String> {
        Ok([*inputs[1]].into())
    }
    fn forward(&self, inputs: &[&Array], _outputs: &[Meta]) -> Few<Array> {
        [inputs[1].clone()].into()
    }
    fn backward(&self, _ctx: &Context, grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
        [None, grads[0].clone()].into_iter().collect()
    }
}

/// Writes `result`, which was computed from `target`, over it in place.
#[track_caller]
pub(crate) fn assign(name: &'static str, target: &Tensor, result: Tensor) -> Tensor {
    apply_inplace(Assign(name), &[target, &result])
}

pub(in crate::ops) const TABLE: &[OpInfo] = &[
    OpInfo {
        name: "where",
        torch: "torch.where(c, a, b)",
        samples: || {
            vec![
                Sample::new(&[numbers(&[2, 3], 1), numbers(&[3], 2)], |x| where_(&x[0].detach().gt(0.0), &x[0], &x[1])),
                Sample::new(&[numbers(&[2, 3], 1)], |x| where_(&x[0].detach().gt(0.0), &x[0], 0.5)),
            ]
        },
        refused: || {
            vec![
                Sample::new(&[numbers(&[2], 1), numbers(&[3], 2)], |x| where_(&x[0].gt(0.0), &x[0], &x[1])),
                Sample::new(&[numbers(&[2], 1)], |x| where_(&x[0], &x[0], &x[0])),
            ]
        },
    },
    OpInfo {
        name: "lerp",
        torch: "torch.lerp(a, b, w)",
        samples: || {
            vec![
                Sample::new(&[numbers(&[2, 3], 1), numbers(&[2, 3], 2)], |x| x[0].lerp(&x[1], 0.3)),
                Sample::new(&[numbers(&[2, 3], 1), numbers(&[3], 2), numbers(&[2, 1], 3)], |x| x[0].lerp(&x[1], &x[2])),
            ]
        },
        refused: || vec![Sample::new(&[numbers(&[2], 1), numbers(&[3], 2)], |x| x[0].lerp(&x[1], 0.3))],
    },
    OpInfo {
        name: "addcmul",
        torch: "torch.addcmul(x, a, b, value=v)",
        samples: || {
            vec![Sample::new(&[numbers(&[2, 3], 1), numbers(&[3], 2), numbers(&[2, 1], 3)], |x| {
                x[0].addcmul(&x[1], &x[2], 0.5)
            })]
        },
        refused: || vec![Sample::new(&[numbers(&[2], 1), numbers(&[3], 2)], |x| x[0].addcmul(&x[1], &x[1], 1.0))],
    },
    OpInfo {
        name: "addcdiv",
        torch: "torch.addcdiv(x, a, b, value=v)",
        samples: || {
            vec![Sample::new(&[numbers(&[2, 3], 1), numbers(&[3], 2), numbers(&[2, 1], 3)], |x| {
                x[0].addcdiv(&x[1], &x[2], 0.5)
            })]
        },
        refused: || vec![Sample::new(&[Tensor::full([2], 3i64)], |x| x[0].addcdiv(&x[0], &x[0], 1i64))],
    },
];
