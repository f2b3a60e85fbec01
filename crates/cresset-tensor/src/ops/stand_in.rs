//! Arithmetic until the pointwise family lands.

use crate::array::{Array, Meta};
use crate::dims::broadcast;
use crate::dtype::{DType, Promotion, Scalar};
use crate::op::{Context, Few, Op, Saves, apply1};
use crate::tensor::Tensor;
use crate::{Element, with_element};

#[derive(Debug, Clone, Copy, PartialEq)]
enum Arith {
    Add,
    Sub,
    Mul,
    Div,
}
fn narrow(v: Vec<f64>, meta: Meta) -> Array {
    fn go<T: Element>(v: Vec<f64>, meta: Meta) -> Array {
        let v: Vec<T> = v.into_iter().map(|x| T::from_scalar(Scalar::Float(x))).collect();
        Array::from_slice(&v, meta.shape)
    }
    with_element!(meta.dtype, T => go::<T>(v, meta))
}
impl Op for Arith {
    fn name(&self) -> &'static str {
        match self {
            Arith::Add => "add",
            Arith::Sub => "sub",
            Arith::Mul => "mul",
            Arith::Div => "div",
        }
    }
    fn infer(&self, i: &[&Meta]) -> Result<Few<Meta>, String> {
        let dtype = Promotion::default().tensor(i[0].dtype, i[0].ndim()).tensor(i[1].dtype, i[1].ndim()).result();
        let dtype = if *self == Arith::Div && !dtype.is_floating_point() { DType::F32 } else { dtype };
        Ok([Meta { dtype, shape: broadcast(&i[0].shape, &i[1].shape)? }].into())
    }
    fn forward(&self, i: &[&Array], o: &[Meta]) -> Few<Array> {
        let wide = |a: &Array| a.to(DType::F64).broadcast_to(&o[0].shape).to_vec::<f64>();
        let (a, b) = (wide(i[0]), wide(i[1]));
        let v = a.iter().zip(&b).map(|(a, b)| match self {
            Arith::Add => a + b,
            Arith::Sub => a - b,
            Arith::Mul => a * b,
            Arith::Div => a / b,
        });
        [narrow(v.collect(), o[0])].into()
    }
    fn saves(&self) -> Saves {
        match self {
            Arith::Mul | Arith::Div => Saves::inputs(0b11),
            _ => Saves::NOTHING,
        }
    }
    fn backward(&self, ctx: &Context, grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
        let Some(g) = &grads[0] else { return [None, None].into_iter().collect() };
        let pair = match self {
            Arith::Add => [g.clone(), g.clone()],
            Arith::Sub => [g.clone(), -g],
            Arith::Mul => [g * &ctx.input(1), g * &ctx.input(0)],
            Arith::Div => [g / &ctx.input(1), -&(&(g * &ctx.input(0)) / &(&ctx.input(1) * &ctx.input(1)))],
        };
        pair.into_iter().map(Some).collect()
    }
}

macro_rules! operator {
    ($trait:ident, $f:ident) => {
        impl std::ops::$trait<&Tensor> for &Tensor {
            type Output = Tensor;
            #[track_caller]
            fn $f(self, o: &Tensor) -> Tensor {
                apply1(Arith::$trait, [self, o])
            }
        }
        impl std::ops::$trait<f64> for &Tensor {
            type Output = Tensor;
            #[track_caller]
            fn $f(self, o: f64) -> Tensor {
                apply1(Arith::$trait, [self, &Tensor::scalar_of(o)])
            }
        }
    };
}
operator!(Add, add);
operator!(Sub, sub);
operator!(Mul, mul);
operator!(Div, div);
impl std::ops::Neg for &Tensor {
    type Output = Tensor;
    fn neg(self) -> Tensor {
        self * -1.0
    }
}
