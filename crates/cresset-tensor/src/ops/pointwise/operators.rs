//! The operators `+ - * / %`, unary `-`, and their assigning forms, between tensors and numbers on either side.

use super::apply_scalar_first;
use super::arith::{Add, Div, Mul, Sub};
use crate::dtype::Scalar;
use crate::tensor::Tensor;

/// A Rust number on the right of an operator: `&x * 2.0`.
pub trait Number: Copy {
    #[doc(hidden)]
    fn operand(self) -> Scalar;
}
impl Number for f64 {
    fn operand(self) -> Scalar {
        self.into()
    }
}
impl Number for f32 {
    fn operand(self) -> Scalar {
        self.into()
    }
}
impl Number for i64 {
    fn operand(self) -> Scalar {
        self.into()
    }
}
impl Number for i32 {
    fn operand(self) -> Scalar {
        self.into()
    }
}

/// One operator between tensors (owned or borrowed) and numbers.
macro_rules! operator {
    ($trait:ident, $f:ident, $assign:ident, $assign_f:ident, $method:ident, $inplace:ident) => {
        impl std::ops::$trait<&Tensor> for &Tensor {
            type Output = Tensor;
            #[track_caller]
            fn $f(self, other: &Tensor) -> Tensor {
                Tensor::$method(self, other)
            }
        }
        impl std::ops::$trait<Tensor> for &Tensor {
            type Output = Tensor;
            #[track_caller]
            fn $f(self, other: Tensor) -> Tensor {
                Tensor::$method(self, &other)
            }
        }
        impl std::ops::$trait<&Tensor> for Tensor {
            type Output = Tensor;
            #[track_caller]
            fn $f(self, other: &Tensor) -> Tensor {
                Tensor::$method(&self, other)
            }
        }
        impl std::ops::$trait<Tensor> for Tensor {
            type Output = Tensor;
            #[track_caller]
            fn $f(self, other: Tensor) -> Tensor {
                Tensor::$method(&self, &other)
            }
        }
        impl std::ops::$assign<&Tensor> for Tensor {
            #[track_caller]
            fn $assign_f(&mut self, other: &Tensor) {
                let _ = Tensor::$inplace(self, other);
            }
        }
        impl std::ops::$assign<Tensor> for Tensor {
            #[track_caller]
            fn $assign_f(&mut self, other: Tensor) {
                let _ = Tensor::$inplace(self, &other);
            }
        }
        // One impl for all numbers: with an impl for each, the type of `(&x * 2.0).relu()` could not be inferred.
        impl<N: Number> std::ops::$trait<N> for &Tensor {
            type Output = Tensor;
            #[track_caller]
            fn $f(self, other: N) -> Tensor {
                Tensor::$method(self, other.operand())
            }
        }
        impl<N: Number> std::ops::$trait<N> for Tensor {
            type Output = Tensor;
            #[track_caller]
            fn $f(self, other: N) -> Tensor {
                Tensor::$method(&self, other.operand())
            }
        }
        impl<N: Number> std::ops::$assign<N> for Tensor {
            #[track_caller]
            fn $assign_f(&mut self, other: N) {
                let _ = Tensor::$inplace(self, other.operand());
            }
        }
    };
}
operator!(Add, add, AddAssign, add_assign, add, add_);
operator!(Sub, sub, SubAssign, sub_assign, sub, sub_);
operator!(Mul, mul, MulAssign, mul_assign, mul, mul_);
operator!(Div, div, DivAssign, div_assign, div, div_);
operator!(Rem, rem, RemAssign, rem_assign, remainder, remainder_);

/// A number on the left: one type for floats and one for integers, so that the type of `(1.0 - &x).relu()` can be inferred.
macro_rules! number_first {
    ($trait:ident, $f:ident, $op:expr, $($n:ty),*) => { $(
        impl std::ops::$trait<&Tensor> for $n {
            type Output = Tensor;
            #[track_caller]
            fn $f(self, other: &Tensor) -> Tensor {
                apply_scalar_first($op, self.into(), other)
            }
        }
        impl std::ops::$trait<Tensor> for $n {
            type Output = Tensor;
            #[track_caller]
            fn $f(self, other: Tensor) -> Tensor {
                apply_scalar_first($op, self.into(), &other)
            }
        }
    )* };
}
number_first!(Add, add, Add, f64, i64);
number_first!(Sub, sub, Sub, f64, i64);
number_first!(Mul, mul, Mul, f64, i64);
number_first!(Div, div, Div, f64, i64);

impl std::ops::Neg for &Tensor {
    type Output = Tensor;
    #[track_caller]
    fn neg(self) -> Tensor {
        Tensor::neg(self)
    }
}
impl std::ops::Neg for Tensor {
    type Output = Tensor;
    #[track_caller]
    fn neg(self) -> Tensor {
        Tensor::neg(&self)
    }
}
