//! Numbers without a graph: a storage, a dtype, a shape, strides and an offset. Ops compute on arrays; tensors add the graph.

use crate::dims::Dims;
use crate::dtype::{DType, Element, Scalar};
use crate::storage::seen::{Memory, Seen};
use crate::storage::{Reading, Storage};
use cresset_kernels::buffer::{Buffer, Element as Stored};
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// What a shape rule sees and says of an operand or a result.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Meta {
    /// The element type.
    pub dtype: DType,
    /// The sizes.
    pub shape: Dims,
}

impl Meta {
    /// A dtype and a shape.
    pub fn new(dtype: DType, shape: impl Into<Dims>) -> Meta {
        Meta { dtype, shape: shape.into() }
    }
    /// The number of elements.
    pub fn numel(&self) -> usize {
        self.shape.numel()
    }
    /// The number of dimensions.
    pub fn ndim(&self) -> usize {
        self.shape.len()
    }
}
impl fmt::Debug for Meta {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}{:?}", self.dtype.name(), self.shape)
    }
}

/// Numbers in memory, seen through strides. Cloning shares the memory.
// One pointer: a layout has 200 bytes, and an op hands its arrays on a dozen times. (Copying them took more than a third of an op on one number.)
#[derive(Clone)]
pub struct Array(Arc<Seen>);

impl Array {
    /// A contiguous array over a whole buffer.
    #[inline]
    pub fn from_buffer(buffer: Buffer, meta: Meta) -> Array {
        debug_assert!(buffer.len() >= meta.numel() * meta.dtype.size());
        Array::from_storage(Storage::new(buffer), meta)
    }
    fn from_storage(storage: Storage, meta: Meta) -> Array {
        Array(Seen::shared(Memory::Own(storage), &meta, None, 0))
    }
    /// Fresh memory for `meta`, its numbers arbitrary.
    #[inline]
    pub fn buffer_for(meta: &Meta) -> Buffer {
        Buffer::new(meta.numel() * meta.dtype.size())
    }
    /// A contiguous array whose elements `fill` writes (all of them) into a fresh slice.
    #[inline]
    pub fn build<T: Stored>(meta: Meta, fill: impl FnOnce(&mut [T])) -> Array {
        let (mut buffer, n) = Array::fresh(&meta);
        fill(&mut buffer.as_mut_slice::<T>()[..n]);
        Array::over(buffer, meta)
    }
    // What building an array takes besides filling it, compiled once for hundreds of ways to fill it.
    #[inline(never)]
    fn fresh(meta: &Meta) -> (Buffer, usize) {
        (Array::buffer_for(meta), meta.numel())
    }
    #[inline(never)]
    fn over(buffer: Buffer, meta: Meta) -> Array {
        Array::from_buffer(buffer, meta)
    }
    /// A contiguous array without memory, for its shape and strides only: never to be read.
    pub(crate) fn shell(meta: Meta) -> Array {
        Array::from_storage(Storage::new(Buffer::new(0)), meta)
    }
    /// All elements zero.
    pub fn zeros(meta: Meta) -> Array {
        Array::from_buffer(Buffer::zeroed(meta.numel() * meta.dtype.size()), meta)
    }
    /// All elements `value`, converted to the dtype.
    pub fn full(meta: Meta, value: Scalar) -> Array {
        fn fill<T: Element>(meta: Meta, value: Scalar) -> Array {
            Array::build::<T::Stored>(meta, |out| out.fill(T::from_scalar(value).store()))
        }
        crate::with_element!(meta.dtype, T => fill::<T>(meta, value))
    }
    /// The elements of a slice, in row-major order.
    pub fn from_slice<T: Element>(data: &[T], shape: Dims) -> Array {
        assert_eq!(data.len(), shape.numel(), "an array of shape {shape:?} needs as many elements");
        Array::build::<T::Stored>(Meta::new(T::DTYPE, shape), |out| {
            for (o, x) in out.iter_mut().zip(data) {
                *o = x.store();
            }
        })
    }
    /// The same memory seen otherwise.
    ///
    /// # Panics
    /// If an element would lie outside the storage.
    #[inline]
    pub fn view(&self, shape: Dims, strides: Dims, offset: usize) -> Array {
        let meta = Meta { dtype: self.dtype(), shape };
        let a = Array(Seen::shared(Memory::Of(self.holder().clone()), &meta, Some(&strides), offset));
        if shape.numel() > 0 {
            let last = offset + shape.iter().zip(strides.iter()).map(|(n, s)| (n - 1) * s).sum::<usize>();
            assert!((last + 1) * a.dtype().size() <= a.storage().len(), "a view beyond its storage");
        }
        a
    }

    /// dtype and shape.
    #[inline]
    pub fn meta(&self) -> &Meta {
        &self.0.meta
    }
    /// The element type.
    #[inline]
    pub fn dtype(&self) -> DType {
        self.0.meta.dtype
    }
    /// The sizes.
    #[inline]
    pub fn shape(&self) -> &Dims {
        &self.0.meta.shape
    }
    /// Steps between neighbours along each dimension, in elements.
    #[inline]
    pub fn strides(&self) -> &Dims {
        &self.0.strides
    }
    /// Where the first element lies in the storage, in elements.
    #[inline]
    pub fn offset(&self) -> usize {
        self.0.offset
    }
    /// The number of elements.
    #[inline]
    pub fn numel(&self) -> usize {
        self.0.meta.shape.numel()
    }
    /// The number of dimensions.
    #[inline]
    pub fn ndim(&self) -> usize {
        self.0.meta.shape.len()
    }
    /// Row-major without gaps?
    #[inline]
    pub fn is_contiguous(&self) -> bool {
        let mut step = 1;
        for i in (0..self.ndim()).rev() {
            let n = self.0.meta.shape[i];
            if n == 0 {
                return true;
            }
            if n != 1 && self.0.strides[i] != step {
                return false;
            }
            step *= n;
        }
        true
    }
    /// Do both lie in the same memory?
    pub fn same_storage(&self, other: &Array) -> bool {
        std::ptr::eq(self.storage(), other.storage())
    }
    /// The memory.
    #[inline]
    pub fn storage(&self) -> &Storage {
        match &self.holder().0.memory {
            Memory::Own(storage) => storage,
            Memory::Of(_) => unreachable!("views are of an array with memory of its own"),
        }
    }
    /// The array in which its memory lies.
    #[inline]
    fn holder(&self) -> &Array {
        match &self.0.memory {
            Memory::Own(_) => self,
            Memory::Of(array) => array,
        }
    }
    /// Is the memory nobody else's?
    pub(crate) fn is_exclusive(&self) -> bool {
        Arc::strong_count(&self.0) == 1 && Arc::strong_count(&self.holder().0) == 1
    }
    /// The memory, if it is nobody else's; otherwise an array in it.
    pub(crate) fn into_storage(self) -> Result<Storage, Array> {
        match Arc::try_unwrap(self.0).map_err(Array)?.memory {
            Memory::Own(storage) => Ok(storage),
            Memory::Of(array) => array.into_storage(),
        }
    }
    /// Access to the numbers.
    #[inline]
    pub fn read(&self) -> Reading<'_> {
        self.storage().read()
    }
    /// Runs `f` over the elements of a contiguous array.
    ///
    /// # Panics
    /// If the array is not contiguous or the type is not its storage type.
    #[inline]
    pub fn with_slice<T: Stored, R>(&self, f: impl FnOnce(&[T]) -> R) -> R {
        let (reading, elements) = self.read_elements();
        f(&reading.slice::<T>()[elements])
    }
    #[inline(never)]
    fn read_elements(&self) -> (Reading<'_>, std::ops::Range<usize>) {
        debug_assert!(self.is_contiguous());
        let n = self.numel();
        let start = if n == 0 { 0 } else { self.0.offset };
        (self.read(), start..start + n)
    }
    /// The elements in row-major order, converted from memory.
    pub fn to_vec<T: Element>(&self) -> Vec<T> {
        assert_eq!(self.dtype(), T::DTYPE);
        let a = self.contiguous();
        a.with_slice::<T::Stored, _>(|s| s.iter().map(|x| T::load(*x)).collect())
    }
    /// The element at a position in storage.
    pub(crate) fn get(&self, position: usize) -> Scalar {
        fn at<T: Element>(a: &Array, position: usize) -> Scalar {
            T::load(a.read().slice::<T::Stored>()[position]).into()
        }
        crate::with_element!(self.dtype(), T => at::<T>(self, position))
    }
    /// Itself if it is contiguous, otherwise a row-major copy.
    pub fn contiguous(&self) -> Array {
        if self.is_contiguous() { self.clone() } else { self.copy() }
    }
    /// A row-major copy.
    pub fn copy(&self) -> Array {
        crate::kernels::copy(self)
    }
    /// Row-major and of a dtype: itself, or a copy.
    #[inline]
    pub(crate) fn dense(&self, dtype: DType) -> Cow<'_, Array> {
        if dtype == self.dtype() && self.is_contiguous() {
            return Cow::Borrowed(self);
        }
        Cow::Owned(self.to(dtype).contiguous())
    }
    /// [`to`](Array::to) without a copy of the handle where there is nothing to convert.
    #[inline]
    pub(crate) fn as_dtype(&self, dtype: DType) -> Cow<'_, Array> {
        if dtype == self.dtype() { Cow::Borrowed(self) } else { Cow::Owned(self.to(dtype)) }
    }
    /// With the elements converted; shares memory if there is nothing to convert.
    pub fn to(&self, dtype: DType) -> Array {
        if dtype == self.dtype() { self.clone() } else { crate::kernels::cast(self, dtype) }
    }
}

impl fmt::Debug for Array {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "Array({:?}, strides {:?}, offset {})", self.0.meta, self.0.strides, self.0.offset)
    }
}

/// Runs an expression with a type name standing for the element type of a dtype: `with_element!(dtype, T => f::<T>(x))`.
#[macro_export]
macro_rules! with_element {
    ($dtype:expr, $t:ident => $body:expr) => {
        match $dtype {
            $crate::DType::Bool => {
                type $t = bool;
                $body
            }
            $crate::DType::U8 => {
                type $t = u8;
                $body
            }
            $crate::DType::I8 => {
                type $t = i8;
                $body
            }
            $crate::DType::I16 => {
                type $t = i16;
                $body
            }
            $crate::DType::I32 => {
                type $t = i32;
                $body
            }
            $crate::DType::I64 => {
                type $t = i64;
                $body
            }
            $crate::DType::F16 => {
                type $t = half::f16;
                $body
            }
            $crate::DType::BF16 => {
                type $t = half::bf16;
                $body
            }
            $crate::DType::F32 => {
                type $t = f32;
                $body
            }
            $crate::DType::F64 => {
                type $t = f64;
                $body
            }
        }
    };
}

/// Runs an expression with a type name standing for the integer type of a dtype's size: for what only moves elements, or sets them to
/// zero, and need not be compiled for each dtype.
macro_rules! with_bits {
    ($dtype:expr, $t:ident => $body:expr) => {
        match $dtype.size() {
            1 => {
                type $t = u8;
                $body
            }
            2 => {
                type $t = i16;
                $body
            }
            4 => {
                type $t = i32;
                $body
            }
            _ => {
                type $t = i64;
                $body
            }
        }
    };
}
pub(crate) use with_bits;

/// [`with_element!`] for the four floating-point dtypes.
///
/// # Panics
/// For another dtype: shape rules refuse it before.
#[macro_export]
macro_rules! with_float {
    ($dtype:expr, $t:ident => $body:expr) => {
        match $dtype {
            $crate::DType::F16 => {
                type $t = half::f16;
                $body
            }
            $crate::DType::BF16 => {
                type $t = half::bf16;
                $body
            }
            $crate::DType::F32 => {
                type $t = f32;
                $body
            }
            $crate::DType::F64 => {
                type $t = f64;
                $body
            }
            other => unreachable!("{other} is refused by the shape rule"),
        }
    };
}
