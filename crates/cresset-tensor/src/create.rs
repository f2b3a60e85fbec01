//! Tensors from nothing and from Rust's own data.

mod convert;
mod ranges;

pub use convert::Nested;

use crate::array::{Array, Meta};
use crate::dims::Dims;
use crate::dtype::{DType, Element, Scalar};
use crate::error::fail;
use crate::record::constant;
use crate::tensor::Tensor;

impl Tensor {
    /// Zeros of the default dtype f32 (`torch.zeros(shape)`).
    #[track_caller]
    pub fn zeros(shape: impl Into<Dims>) -> Tensor {
        Tensor::zeros_of(shape, DType::F32)
    }
    /// Zeros of a dtype (`torch.zeros(shape, dtype=...)`).
    #[track_caller]
    pub fn zeros_of(shape: impl Into<Dims>, dtype: DType) -> Tensor {
        constant(Tensor::from_array(Array::zeros(Meta::new(dtype, shape))))
    }
    /// Ones of the default dtype f32 (`torch.ones(shape)`).
    #[track_caller]
    pub fn ones(shape: impl Into<Dims>) -> Tensor {
        Tensor::full_of(shape, 1.0, DType::F32)
    }
    /// Ones of a dtype.
    #[track_caller]
    pub fn ones_of(shape: impl Into<Dims>, dtype: DType) -> Tensor {
        Tensor::full_of(shape, 1.0, dtype)
    }
    /// All elements `value`; the dtype is that of the number: bool, int64 or float32 (`torch.full(shape, value)`).
    #[track_caller]
    pub fn full(shape: impl Into<Dims>, value: impl Into<Scalar>) -> Tensor {
        let value = value.into();
        Tensor::full_of(shape, value, value.dtype())
    }
    /// All elements `value`, in a given dtype.
    #[track_caller]
    pub fn full_of(shape: impl Into<Dims>, value: impl Into<Scalar>, dtype: DType) -> Tensor {
        constant(Tensor::from_array(Array::full(Meta::new(dtype, shape), value.into())))
    }
    /// Zeros of the same shape and dtype (`torch.zeros_like(x)`).
    pub fn zeros_like(&self) -> Tensor {
        constant(Tensor::from_array(Array::zeros(self.meta())))
    }
    /// Ones of the same shape and dtype (`torch.ones_like(x)`).
    pub fn ones_like(&self) -> Tensor {
        self.full_like(1.0)
    }
    /// `value` in the same shape and dtype (`torch.full_like(x, value)`).
    pub fn full_like(&self, value: impl Into<Scalar>) -> Tensor {
        constant(Tensor::from_array(Array::full(self.meta(), value.into())))
    }
    /// Memory for a shape in float32, its numbers arbitrary (`torch.empty(shape)`).
    #[track_caller]
    pub fn empty(shape: impl Into<Dims>) -> Tensor {
        Tensor::empty_of(shape, DType::F32)
    }
    /// The same of a dtype (`torch.empty(shape, dtype=...)`).
    #[track_caller]
    pub fn empty_of(shape: impl Into<Dims>, dtype: DType) -> Tensor {
        let meta = Meta::new(dtype, shape);
        if dtype == DType::Bool {
            return constant(Tensor::from_array(Array::zeros(meta)));
        }
        Tensor::from_array(Array::from_buffer(Array::buffer_for(&meta), meta))
    }
    /// Memory for the same shape and dtype, its numbers arbitrary (`torch.empty_like(x)`).
    pub fn empty_like(&self) -> Tensor {
        Tensor::empty_of(self.shape(), self.dtype())
    }
    /// Zeros of a shape in the dtype of `self` (`x.new_zeros(shape)`).
    #[track_caller]
    pub fn new_zeros(&self, shape: impl Into<Dims>) -> Tensor {
        Tensor::zeros_of(shape, self.dtype())
    }
    /// Ones of a shape in the dtype of `self` (`x.new_ones(shape)`).
    #[track_caller]
    pub fn new_ones(&self, shape: impl Into<Dims>) -> Tensor {
        Tensor::ones_of(shape, self.dtype())
    }
    /// `value` in a shape and the dtype of `self` (`x.new_full(shape, value)`).
    #[track_caller]
    pub fn new_full(&self, shape: impl Into<Dims>, value: impl Into<Scalar>) -> Tensor {
        Tensor::full_of(shape, value, self.dtype())
    }
    /// Memory for a shape in the dtype of `self`, its numbers arbitrary (`x.new_empty(shape)`).
    #[track_caller]
    pub fn new_empty(&self, shape: impl Into<Dims>) -> Tensor {
        Tensor::empty_of(shape, self.dtype())
    }
    /// A 1-d tensor with the elements of a slice (`torch.tensor([...])`).
    pub fn from_slice<T: Element>(data: &[T]) -> Tensor {
        constant(Tensor::from_array(Array::from_slice(data, Dims::new(&[data.len()]))))
    }
    /// A tensor of a shape with the elements of a slice in row-major order (`torch.tensor(data).reshape(shape)`).
    ///
    /// # Panics
    /// If the number of elements differs.
    #[track_caller]
    pub fn from_vec<T: Element>(data: impl AsRef<[T]>, shape: impl Into<Dims>) -> Tensor {
        let (data, shape) = (data.as_ref(), shape.into());
        if data.len() != shape.numel() {
            fail("from_vec", format!("shape '{:?}' is invalid for input of size {}", &shape[..], data.len()));
        }
        constant(Tensor::from_array(Array::from_slice(data, shape)))
    }
    /// A 0-d tensor of one number (`torch.tensor(3.5)`).
    pub fn scalar_of(value: impl Into<Scalar>) -> Tensor {
        Tensor::full((), value)
    }
}
