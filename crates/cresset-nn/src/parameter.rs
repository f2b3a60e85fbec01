//! The parameter: a tensor that a module trains.

use cresset_tensor::{Operand, Tensor};
use std::fmt;
use std::ops::{Add, Deref, Div, Mul, Neg, Sub};

/// A tensor that requires grad and belongs to a module (`nn.Parameter`).
///
/// A shared handle on one cell: clones, the optimizer, tied owners and hooks all see the same numbers and the same `.grad`. Loading, freezing and
/// [`to`](crate::ModuleExt::to) change what the cell holds, never its identity.
///
/// ```
/// use cresset_nn::Parameter;
/// use cresset_tensor::Tensor;
/// let weight = Parameter::new(Tensor::zeros([2, 3]));
/// let tied = weight.clone();
/// weight.set_data(&Tensor::ones([2, 3]));
/// assert!(tied.requires_grad() && tied.to_vec::<f32>() == [1.0; 6]);
/// ```
#[derive(Clone)]
pub struct Parameter(Tensor);

impl Parameter {
    /// A parameter with the numbers of `data`, sharing their memory, without its history.
    ///
    /// # Panics
    /// If the dtype is no floating-point one.
    #[track_caller]
    pub fn new(data: Tensor) -> Parameter {
        Parameter(Tensor::from_array(data.array()).requires_grad_(true))
    }
    /// A parameter that is not trained (`nn.Parameter(data, requires_grad=False)`), of any dtype.
    pub fn frozen(data: Tensor) -> Parameter {
        Parameter(Tensor::from_array(data.array()))
    }
    /// The tensor: the same cell.
    #[inline]
    pub fn tensor(&self) -> &Tensor {
        &self.0
    }
}

impl Deref for Parameter {
    type Target = Tensor;
    #[inline]
    fn deref(&self) -> &Tensor {
        &self.0
    }
}
impl AsRef<Tensor> for Parameter {
    fn as_ref(&self) -> &Tensor {
        &self.0
    }
}
impl From<Parameter> for Tensor {
    fn from(p: Parameter) -> Tensor {
        p.0
    }
}
impl From<&Parameter> for Tensor {
    fn from(p: &Parameter) -> Tensor {
        p.0.clone()
    }
}
/// `x.mul(&self.weight)`, as with any tensor.
impl<'a> From<&'a Parameter> for Operand<'a> {
    fn from(p: &'a Parameter) -> Operand<'a> {
        Operand::Tensor(&p.0)
    }
}
impl fmt::Debug for Parameter {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "Parameter({:?})", self.0)
    }
}
impl fmt::Display for Parameter {
    /// `Parameter containing:` and the numbers, as Python prints it.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "Parameter containing:\n{}", self.0)
    }
}

/// A parameter stands in arithmetic like the tensor that it is.
macro_rules! arithmetic {
    ($($trait:ident $method:ident),*) => {$(
        impl $trait<&Tensor> for &Parameter {
            type Output = Tensor;
            #[track_caller]
            fn $method(self, other: &Tensor) -> Tensor {
                (&self.0).$method(other)
            }
        }
        impl $trait<&Parameter> for &Tensor {
            type Output = Tensor;
            #[track_caller]
            fn $method(self, other: &Parameter) -> Tensor {
                self.$method(&other.0)
            }
        }
        impl $trait<&Parameter> for &Parameter {
            type Output = Tensor;
            #[track_caller]
            fn $method(self, other: &Parameter) -> Tensor {
                (&self.0).$method(&other.0)
            }
        }
        impl $trait<&Parameter> for Tensor {
            type Output = Tensor;
            #[track_caller]
            fn $method(self, other: &Parameter) -> Tensor {
                (&self).$method(&other.0)
            }
        }
        impl $trait<Tensor> for &Parameter {
            type Output = Tensor;
            #[track_caller]
            fn $method(self, other: Tensor) -> Tensor {
                (&self.0).$method(&other)
            }
        }
        numbers!($trait $method f64 i64);
    )*};
}
/// One type for floats and one for integers, so that the type of `(&weight * 2.0).relu()` can be inferred.
macro_rules! numbers {
    ($trait:ident $method:ident $($number:ty)*) => {$(
        impl $trait<$number> for &Parameter {
            type Output = Tensor;
            #[track_caller]
            fn $method(self, other: $number) -> Tensor {
                (&self.0).$method(other)
            }
        }
        impl $trait<&Parameter> for $number {
            type Output = Tensor;
            #[track_caller]
            fn $method(self, other: &Parameter) -> Tensor {
                self.$method(&other.0)
            }
        }
    )*};
}
arithmetic!(Add add, Sub sub, Mul mul, Div div);
impl Neg for &Parameter {
    type Output = Tensor;
    #[track_caller]
    fn neg(self) -> Tensor {
        -&self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_stands_where_a_tensor_does() {
        let (p, x) = (Parameter::new(Tensor::new([1.0, -2.0])), Tensor::ones([2]));
        let y = (&p * 2.0).relu() + (1.0 - &p) + &p * x.exp() + &x / &p + (-&p) * 3_i64 + x.mul(&p).sub(&p);
        let e = 1f32.exp();
        let want = [2.0 + 0.0 + e + 1.0 - 3.0, 0.0 + 3.0 - 2.0 * e - 0.5 + 6.0];
        assert!(y.allclose(&Tensor::from(want), 1e-6, 0.0, false), "{y}");
        y.sum().backward();
        assert!(p.grad().is_some());
    }
}
