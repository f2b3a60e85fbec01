//! What a plot accepts as data.

use cresset_nn::Parameter;
use cresset_tensor::{DType, Tensor};

/// A sequence of numbers that can be drawn: tensors and parameters (their elements in order, without their history), slices, arrays and vectors
/// of the usual number types, and references to them.
///
/// Implement it for a type of your own to pass that to every plotting call. Values that are not finite are gaps.
///
/// ```
/// use cresset_viz::Series;
/// assert_eq!([1_usize, 2].to_f64(), [1.0, 2.0]);
/// assert_eq!(vec![0.5_f32].to_f64(), [0.5]);
/// assert_eq!(cresset_tensor::Tensor::arange(3).to_f64(), [0.0, 1.0, 2.0]);
/// ```
pub trait Series {
    /// The values in order, as `f64`.
    fn to_f64(&self) -> Vec<f64>;

    /// Whether the values are of single precision. Histograms then count in single precision, as numpy does, so that a value on
    /// the border of two bins falls where numpy puts it.
    fn is_single(&self) -> bool {
        false
    }
}

/// A number type that [`Series`] is implemented for.
pub trait Number: Copy {
    /// Whether it is `f32`.
    const SINGLE: bool = false;
    /// The value as `f64`, rounded to nearest where it does not fit.
    fn as_f64(self) -> f64;
}

macro_rules! number {
    ($($t:ty),*) => { $(impl Number for $t { fn as_f64(self) -> f64 { self as f64 } })* };
}
number!(f64, usize, u64, u32, u16, u8, isize, i64, i32, i16, i8);

impl Number for f32 {
    const SINGLE: bool = true;

    fn as_f64(self) -> f64 {
        f64::from(self)
    }
}

impl Number for bool {
    fn as_f64(self) -> f64 {
        f64::from(u8::from(self))
    }
}

impl<T: Number> Series for [T] {
    fn to_f64(&self) -> Vec<f64> {
        self.iter().map(|v| v.as_f64()).collect()
    }

    fn is_single(&self) -> bool {
        T::SINGLE
    }
}

impl<T: Number, const N: usize> Series for [T; N] {
    fn to_f64(&self) -> Vec<f64> {
        self[..].to_f64()
    }

    fn is_single(&self) -> bool {
        T::SINGLE
    }
}

impl<T: Number> Series for Vec<T> {
    fn to_f64(&self) -> Vec<f64> {
        self[..].to_f64()
    }

    fn is_single(&self) -> bool {
        T::SINGLE
    }
}

/// The elements row by row.
impl Series for Tensor {
    fn to_f64(&self) -> Vec<f64> {
        Tensor::from_array(self.array().to(DType::F64)).to_vec::<f64>()
    }

    fn is_single(&self) -> bool {
        self.dtype() == DType::F32
    }
}

impl Series for Parameter {
    fn to_f64(&self) -> Vec<f64> {
        self.tensor().to_f64()
    }

    fn is_single(&self) -> bool {
        self.tensor().is_single()
    }
}

impl<S: Series + ?Sized> Series for &S {
    fn to_f64(&self) -> Vec<f64> {
        (**self).to_f64()
    }

    fn is_single(&self) -> bool {
        (**self).is_single()
    }
}
