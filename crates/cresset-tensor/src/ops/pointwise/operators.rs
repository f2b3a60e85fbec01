//! The operators `+ - * / %`, unary `-`, and their assigning forms, between tensors and numbers on either side.
//!
//! The numbers are f64 and i64 alone: with one type of each kind a literal has one meaning, so that `(&x * 2.0).relu()` needs no annotation.

use super::arith::{Add, Div, Mul, Sub, s_op};
use crate::tensor::Tensor;

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
        with_number!($trait, $f, $assign, $assign_f, $method, $inplace, f64);
        with_number!($trait, $f, $assign, $assign_f, $method, $inplace, i64);
    };
}
macro_rules! with_number {
    ($trait:ident, $f:ident, $assign:ident, $assign_f:ident, $method:ident, $inplace:ident, $n:ty) => {
        impl std::ops::$trait<$n> for &Tensor {
            type Output = Tensor;
            #[track_caller]
            fn $f(self, other: $n) -> Tensor {
                Tensor::$method(self, other)
            }
        }
        impl std::ops::$trait<$n> for Tensor {
            type Output = Tensor;
            #[track_caller]
            fn $f(self, other: $n) -> Tensor {
                Tensor::$method(&self, other)
            }
        }
        impl std::ops::$assign<$n> for Tensor {
            #[track_caller]
            fn $assign_f(&mut self, other: $n) {
                let _ = Tensor::$inplace(self, other);
            }
        }
    };
}
operator!(Add, add, AddAssign, add_assign, add, add_);
operator!(Sub, sub, SubAssign, sub_assign, sub, sub_);
operator!(Mul, mul, MulAssign, mul_assign, mul, mul_);
operator!(Div, div, DivAssign, div_assign, div, div_);
operator!(Rem, rem, RemAssign, rem_assign, remainder, remainder_);

/// A number on the left.
macro_rules! number_first {
    ($trait:ident, $f:ident, $op:expr, $($n:ty),*) => { $(
        impl std::ops::$trait<&Tensor> for $n {
            type Output = Tensor;
            #[track_caller]
            fn $f(self, other: &Tensor) -> Tensor {
                s_op($op, self.into(), other)
            }
        }
        impl std::ops::$trait<Tensor> for $n {
            type Output = Tensor;
            #[track_caller]
            fn $f(self, other: Tensor) -> Tensor {
                s_op($op, self.into(), &other)
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
