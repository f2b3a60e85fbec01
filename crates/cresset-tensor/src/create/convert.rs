//! Between tensors and Rust's own data: numbers, arrays, vectors, and the arrays of the `ndarray` crate.

use crate::dims::Dims;
use crate::dtype::{DType, Element};
use crate::error::fail;
use crate::tensor::Tensor;

/// A number, or arrays, slices or vectors of them to any depth: what a tensor can be made of.
pub trait Nested {
    /// The numbers inside.
    type Item: Element;
    /// The sizes, outermost first, appended to `shape`; of the first item where there are several.
    fn sizes(&self, shape: &mut Vec<usize>);
    /// The numbers in order, appended to `out`; `shape` is what is left of the sizes, against which each level is checked.
    #[doc(hidden)]
    fn collect(&self, shape: &[usize], depth: usize, out: &mut Vec<Self::Item>);
}

impl<T: Element> Nested for T {
    type Item = T;
    fn sizes(&self, _shape: &mut Vec<usize>) {}
    fn collect(&self, _shape: &[usize], _depth: usize, out: &mut Vec<T>) {
        out.push(*self);
    }
}

#[track_caller]
fn collect_all<N: Nested>(items: &[N], shape: &[usize], depth: usize, out: &mut Vec<N::Item>) {
    let Some((&n, rest)) = shape.split_first() else { return };
    if items.len() != n {
        fail("tensor", format!("expected sequence of length {n} at dim {depth} (got {})", items.len()));
    }
    for item in items {
        item.collect(rest, depth + 1, out);
    }
}
fn sizes_of<N: Nested>(items: &[N], shape: &mut Vec<usize>) {
    shape.push(items.len());
    if let Some(first) = items.first() {
        first.sizes(shape);
    }
}

/// For what dereferences to a slice.
macro_rules! sequence {
    ($([$($generics:tt)*] $t:ty;)*) => { $(
        impl<N: Nested, $($generics)*> Nested for $t {
            type Item = N::Item;
            fn sizes(&self, shape: &mut Vec<usize>) {
                sizes_of(&self[..], shape);
            }
            #[track_caller]
            fn collect(&self, shape: &[usize], depth: usize, out: &mut Vec<N::Item>) {
                collect_all(&self[..], shape, depth, out);
            }
        }
    )* };
}
sequence! {
    [const K: usize] [N; K];
    [const K: usize] &[N; K];
    [] &[N];
    [] Vec<N>;
    [] &Vec<N>;
}

impl<D: Nested> From<D> for Tensor {
    /// The numbers with the dtype of their Rust type: `Tensor::from([[1.0f32, 2.0], [3.0, 4.0]])`.
    ///
    /// # Panics
    /// If inner vectors differ in length.
    #[track_caller]
    fn from(data: D) -> Tensor {
        let mut shape = Vec::new();
        data.sizes(&mut shape);
        let mut numbers = Vec::with_capacity(shape.iter().product());
        data.collect(&shape, 0, &mut numbers);
        Tensor::from_vec(numbers, shape)
    }
}

impl Tensor {
    /// A tensor of the numbers as Python would make it (`torch.tensor(data)`): Rust's default literals, `f64` and `i32`, become float32 and int64.
    /// Other types keep their dtype, as does everything in `Tensor::from(data)`.
    ///
    /// ```
    /// use cresset_tensor::{DType, Tensor};
    /// let x = Tensor::new([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!((x.dtype(), x.shape().to_vec()), (DType::F32, vec![2, 2]));
    /// assert_eq!(Tensor::new([1, 2, 3]).dtype(), DType::I64);
    /// assert_eq!(Tensor::from(vec![1.0, 2.0]).dtype(), DType::F64);
    /// ```
    ///
    /// # Panics
    /// If inner vectors differ in length.
    #[track_caller]
    pub fn new(data: impl Nested) -> Tensor {
        let exact = Tensor::from(data);
        match exact.dtype() {
            DType::F64 => exact.to_dtype(DType::F32),
            DType::I32 => exact.to_dtype(DType::I64),
            _ => exact,
        }
    }
    #[track_caller]
    fn expect_rank(&self, op: &'static str, n: usize) -> Dims {
        let shape = self.shape();
        if shape.len() != n {
            fail(op, format!("expected a tensor of {n} dimensions, got shape {shape:?}"));
        }
        shape
    }
    /// The rows of a matrix (`x.tolist()`).
    ///
    /// # Panics
    /// If it is no matrix, or `T` is not its dtype.
    #[track_caller]
    pub fn to_vec2<T: Element>(&self) -> Vec<Vec<T>> {
        let shape = self.expect_rank("to_vec2", 2);
        rows(&self.to_vec::<T>(), shape[0], shape[1])
    }
    /// The matrices of a tensor of three dimensions (`x.tolist()`).
    ///
    /// # Panics
    /// If it has not three dimensions, or `T` is not its dtype.
    #[track_caller]
    pub fn to_vec3<T: Element>(&self) -> Vec<Vec<Vec<T>>> {
        let shape = self.expect_rank("to_vec3", 3);
        let (data, n) = (self.to_vec::<T>(), shape[1] * shape[2]);
        (0..shape[0]).map(|i| rows(&data[i * n..(i + 1) * n], shape[1], shape[2])).collect()
    }
}

fn rows<T: Element>(data: &[T], n: usize, m: usize) -> Vec<Vec<T>> {
    (0..n).map(|i| data[i * m..(i + 1) * m].to_vec()).collect()
}

#[cfg(feature = "ndarray")]
impl<T: Element, D: ndarray::Dimension> From<ndarray::Array<T, D>> for Tensor {
    fn from(a: ndarray::Array<T, D>) -> Tensor {
        let shape = a.shape().to_vec();
        Tensor::from_vec(a.iter().copied().collect::<Vec<T>>(), shape)
    }
}

#[cfg(feature = "ndarray")]
impl Tensor {
    /// The elements as an array of the `ndarray` crate (`x.numpy()`, but a copy).
    ///
    /// # Panics
    /// If `T` is not the tensor's dtype.
    #[track_caller]
    pub fn to_ndarray<T: Element>(&self) -> ndarray::ArrayD<T> {
        let data = self.to_vec::<T>();
        ndarray::ArrayD::from_shape_vec(self.shape().to_vec(), data).expect("as many elements as the shape has")
    }
}
