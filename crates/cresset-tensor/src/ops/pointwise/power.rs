//! Powers.

use super::{
    BinaryDef, BinaryOp, Ints, Operand, Reads, UnaryDef, UnaryOp, apply_binary, apply_binary_inplace,
    apply_scalar_first, apply_unary,
};
use crate::array::{Array, Meta};
use crate::dtype::{DType, Promotion, Scalar};
use crate::expr::{Expr, Pointwise, Term};
use crate::op::{Context, Few, Op, Saves, apply_inplace, apply1};
use crate::ops::table::{OpInfo, Sample, numbers};
use crate::tensor::Tensor;
use cresset_kernels::lane::{Binary, InBlocks, Lane, LaneOps, Unary};

#[derive(Clone, Copy, Debug)]
struct Pow;
impl Binary for Pow {
    type Loop = InBlocks;
    #[inline(always)]
    fn eval<L: Lane>(&self, a: &L, b: &L) -> L {
        a.pow(b)
    }
    #[inline(always)]
    fn da<L: Lane>(&self, a: &L, b: &L, _y: &L) -> L {
        let d = a.pow(&b.sub_c(1.0)).mul(b);
        L::select(&b.eq_c(0.0), &a.zero(), &d)
    }
    #[inline(always)]
    fn db<L: Lane>(&self, a: &L, b: &L, y: &L) -> L {
        // At a = 0 the power does not move with a positive exponent, although ln(0) is infinite.
        let flat = L::and(&a.eq_c(0.0), &b.ge_c(0.0));
        L::select(&flat, &a.zero(), &a.ln().mul(y))
    }
}
impl BinaryDef for Pow {
    const NAME: &'static str = "pow";
    const SAVES: Saves = Saves { inputs: 0b11, outputs: 1 };
    const STEPS_IN_F16: bool = true;
    fn int(&self, a: i64, b: i64) -> i64 {
        int_pow(a, b)
    }
    const GRAD_NAMES: [Option<&'static str>; 2] = [Some("PowBackward1"), Some("PowBackward0")];
}

fn int_pow(mut a: i64, b: i64) -> i64 {
    if b < 0 {
        // Only ±1 has an integer inverse.
        return match a {
            1 => 1,
            -1 => {
                if b % 2 == 0 {
                    1
                } else {
                    -1
                }
            }
            _ => 0,
        };
    }
    let (mut y, mut b) = (1i64, b);
    while b > 0 {
        if b & 1 == 1 {
            y = y.wrapping_mul(a);
        }
        a = a.wrapping_mul(a);
        b >>= 1;
    }
    y
}

/// `x^N`, for the exponents that need no power function: 2 and 3 are products, as in PyTorch.
#[derive(Clone, Copy, Debug)]
struct IntPow<const N: i32>;
impl<const N: i32> Unary for IntPow<N> {
    type Loop = InBlocks;
    #[inline(always)]
    fn eval<L: Lane>(&self, x: &L) -> L {
        match N {
            2 => x.mul(x),
            3 => x.mul(x).mul(x),
            -1 => x.recip(),
            _ => x.mul(x).recip(),
        }
    }
    #[inline(always)]
    fn derivative<L: Lane>(&self, x: &L, _y: &L) -> L {
        match N {
            2 => x.mul_c(2.0),
            3 => x.mul(x).mul_c(3.0),
            -1 => x.mul(x).recip().neg(),
            _ => x.mul(x).mul(x).recip().mul_c(-2.0),
        }
    }
}
impl<const N: i32> UnaryDef for IntPow<N> {
    const NAME: &'static str = "pow";
    const READS: Reads = Reads::Input;
    const STEPS_IN_F16: bool = true;
    const INTS: Ints = Ints::Own;
    fn int(&self, x: i64) -> i64 {
        int_pow(x, i64::from(N))
    }
}

/// `x^e` for any number e.
#[derive(Debug)]
struct PowScalar {
    exponent: Scalar,
}
#[derive(Clone, Copy, Debug)]
struct PowBy(f64);
impl Unary for PowBy {
    type Loop = InBlocks;
    #[inline(always)]
    fn eval<L: Lane>(&self, x: &L) -> L {
        if self.0 == 0.5 { x.sqrt() } else { x.pow(&x.splat(self.0)) }
    }
    #[inline(always)]
    fn derivative<L: Lane>(&self, x: &L, _y: &L) -> L {
        match self.0 {
            0.0 => x.zero(),
            0.5 => x.rsqrt().mul_c(0.5),
            e => x.pow(&x.splat(e - 1.0)).mul_c(e),
        }
    }
}
impl UnaryDef for PowBy {
    const NAME: &'static str = "pow";
    const STEPS_IN_F16: bool = true;
}
impl PowScalar {
    fn in_floats(&self) -> UnaryOp {
        UnaryOp::of(PowBy(self.exponent.f64()))
    }
}
impl Op for PowScalar {
    fn name(&self) -> &'static str {
        "pow"
    }
    fn infer(&self, inputs: &[&Meta]) -> Result<Few<Meta>, String> {
        let x = inputs[0];
        let dtype = Promotion::default().tensor(x.dtype, x.ndim()).scalar(self.exponent).result();
        if !dtype.is_floating_point() && self.exponent.i64() < 0 {
            return Err("Integers to negative integer powers are not allowed.".into());
        }
        if dtype == DType::Bool {
            return Err("\"pow\" not implemented for 'Bool'".into());
        }
        Ok([Meta { dtype, shape: x.shape }].into())
    }
    fn forward(&self, inputs: &[&Array], outputs: &[Meta]) -> Few<Array> {
        let x = inputs[0].to(outputs[0].dtype);
        if outputs[0].dtype.is_floating_point() {
            return [self.in_floats().value(&x)].into();
        }
        let e = Array::full(Meta::new(outputs[0].dtype, ()), self.exponent).broadcast_to(x.shape());
        [BinaryOp::of(Pow).value(&x, &e, &outputs[0])].into()
    }
    fn saves(&self) -> Saves {
        Saves::inputs(1)
    }
    fn backward(&self, ctx: &Context, grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
        [grads[0].as_ref().map(|g| self.in_floats().gradient(ctx, g))].into()
    }
    fn pointwise(&self) -> Option<&dyn Pointwise> {
        Some(self)
    }
}
impl Pointwise for PowScalar {
    fn eval(&self, x: &[Term]) -> Term {
        self.in_floats().eval(x)
    }
    fn gradient(&self, i: usize, g: &Expr, x: &[Term], y: &Term) -> Option<Expr> {
        Pointwise::gradient(&self.in_floats(), i, g, x, y)
    }
}

impl Tensor {
    /// `self` to the power `exponent` (`torch.pow`, `x ** e`).
    ///
    /// # Panics
    /// If an integer tensor is raised to a negative integer.
    #[track_caller]
    pub fn pow<'a>(&self, exponent: impl Into<Operand<'a>>) -> Tensor {
        match exponent.into() {
            Operand::Tensor(e) => apply_binary(Pow, self, e.into()),
            Operand::Scalar(e) => {
                let own = self.is_floating_point() || (!e.is_float() && self.dtype() != DType::Bool);
                match e.f64() {
                    2.0 if own => apply_unary(IntPow::<2>, self),
                    3.0 if own => apply_unary(IntPow::<3>, self),
                    -1.0 if self.is_floating_point() => apply_unary(IntPow::<-1>, self),
                    -2.0 if self.is_floating_point() => apply_unary(IntPow::<-2>, self),
                    _ => apply1(PowScalar { exponent: e }, [self]),
                }
            }
        }
    }
    /// `base` to the power `self` (`torch.pow(2, x)`).
    #[track_caller]
    pub fn rpow(&self, base: impl Into<Scalar>) -> Tensor {
        apply_scalar_first(Pow, base.into(), self)
    }
    /// [`Tensor::pow`] in place.
    #[track_caller]
    pub fn pow_<'a>(&self, exponent: impl Into<Operand<'a>>) -> Tensor {
        match exponent.into() {
            Operand::Tensor(e) => apply_binary_inplace(Pow, self, e.into()),
            Operand::Scalar(e) => apply_inplace(PowScalar { exponent: e }, &[self]),
        }
    }
    /// The power computed in double precision (`torch.float_power`).
    #[track_caller]
    pub fn float_power<'a>(&self, exponent: impl Into<Operand<'a>>) -> Tensor {
        let base = self.to_dtype(DType::F64);
        match exponent.into() {
            Operand::Tensor(e) => base.pow(&e.to_dtype(DType::F64)),
            Operand::Scalar(e) => base.pow(e),
        }
    }
    /// `self * 2^other` (`torch.ldexp`).
    #[track_caller]
    pub fn ldexp(&self, other: &Tensor) -> Tensor {
        if other.is_floating_point() {
            return self.mul(&other.exp2());
        }
        let product = self.mul(&other.to_dtype(DType::F32).exp2());
        if self.is_floating_point() { product.to_dtype(self.dtype()) } else { product }
    }
}

pub(in crate::ops) const TABLE: &[OpInfo] = &[OpInfo {
    name: "pow",
    torch: "torch.pow(a, b)",
    samples: || {
        fn positive(x: &Tensor) -> Tensor {
            x * x + 0.3
        }
        vec![
            Sample::new(&[numbers(&[2, 3], 1), numbers(&[2, 3], 2)], |x| positive(&x[0]).pow(&x[1])),
            Sample::new(&[numbers(&[2, 3], 1)], |x| x[0].pow(2.0)),
            Sample::new(&[numbers(&[2, 3], 1)], |x| x[0].pow(3)),
            Sample::new(&[numbers(&[2, 3], 1)], |x| x[0].pow(-1.0)),
            Sample::new(&[numbers(&[2, 3], 1)], |x| x[0].pow(-2.0)),
            Sample::new(&[numbers(&[2, 3], 1)], |x| x[0].pow(0.0)),
            Sample::new(&[numbers(&[2, 3], 1)], |x| positive(&x[0]).pow(0.5)),
            Sample::new(&[numbers(&[2, 3], 1)], |x| positive(&x[0]).pow(1.7)),
            Sample::new(&[numbers(&[2, 3], 1)], |x| x[0].rpow(2.5)),
        ]
    },
    refused: || {
        vec![
            Sample::new(&[Tensor::full([2], 3i64)], |x| x[0].pow(-2i64)),
            Sample::new(&[numbers(&[2], 1), numbers(&[3], 2)], |x| x[0].pow(&x[1])),
        ]
    },
}];
