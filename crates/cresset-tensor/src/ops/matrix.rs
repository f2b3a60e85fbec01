//! What the products share: a dtype's element type, operands as matrices, PyTorch's sentences.

use crate::array::{Array, Meta};
use crate::dims::Dims;
use crate::dtype::DType;

/// Runs an expression with a type name standing for the stored element type of a dtype that has matrix products (all but bool).
macro_rules! with_number {
    ($dtype:expr, $t:ident => $body:expr) => {
        match $dtype {
            $crate::DType::I64 => {
                type $t = i64;
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
            other => unreachable!("{other} is widened before, or refused by the shape rule"),
        }
    };
}
pub(crate) use with_number;

/// Computes in the wide type of the result's dtype: f32 for f16 and bf16, i64 for small integers. The products are compiled for three types alone.
pub(crate) fn in_wide(inputs: &[&Array], meta: Meta, f: impl Fn(&[&Array], Meta) -> Array) -> Array {
    let wide = meta.dtype.computing();
    if wide == meta.dtype {
        return f(inputs, meta);
    }
    let inputs: Vec<Array> = inputs.iter().map(|a| a.to(wide)).collect();
    let inputs: Vec<&Array> = inputs.iter().collect();
    f(&inputs, Meta { dtype: wide, ..meta }).to(meta.dtype)
}

/// The elements of an array's storage from its first one on.
#[inline]
pub(crate) fn from_first<'a, T: cresset_kernels::buffer::Element>(
    a: &Array,
    reading: &'a crate::storage::Reading<'_>,
) -> &'a [T] {
    reading.slice::<T>().get(a.offset()..).unwrap_or(&[])
}

/// The strides (row, column) of an array seen as rows of its last dimension, if the other dimensions can be walked with one stride.
#[inline]
pub(crate) fn row_strides(x: &Array) -> Option<(usize, usize)> {
    match x.ndim() {
        0 => Some((1, 1)),
        1 => Some((x.shape()[0], x.strides()[0])),
        2 => Some((x.strides()[0], x.strides()[1])),
        n => Some((collapse(&x.shape()[..n - 1], &x.strides()[..n - 1])?, x.strides()[n - 1])),
    }
}

/// The one stride that walks all these dimensions in row-major order, if there is one.
pub(crate) fn collapse(shape: &[usize], strides: &[usize]) -> Option<usize> {
    let mut inner: Option<(usize, usize)> = None; // stride, and how far the dimensions seen reach
    let mut first = 0;
    for (&n, &s) in shape.iter().zip(strides).rev() {
        match (n, inner) {
            (1, _) => {}
            (_, None) => {
                inner = Some((s, s * n));
                first = s;
            }
            (_, Some((step, reach))) if s == reach => inner = Some((step, s * n)),
            _ => return None,
        }
    }
    Some(first)
}

/// The product of the sizes before the last `tail` dimensions.
#[inline]
pub(crate) fn count(shape: &Dims, tail: usize) -> usize {
    shape[..shape.len() - tail].iter().product()
}

/// How C++ names a dtype in the sentences of products.
pub(crate) fn cpp_name(dtype: DType) -> &'static str {
    match dtype {
        DType::Bool => "bool",
        DType::U8 => "unsigned char",
        DType::I8 => "signed char",
        DType::I16 => "short int",
        DType::I32 => "int",
        DType::I64 => "long int",
        DType::F16 => "c10::Half",
        DType::BF16 => "c10::BFloat16",
        DType::F32 => "float",
        DType::F64 => "double",
    }
}

/// The rule for the dtypes of a product's factors.
pub(crate) fn same_dtype(a: DType, b: DType) -> Result<DType, String> {
    if a != b {
        return Err(format!("expected m1 and m2 to have the same dtype, but got: {} != {}", cpp_name(a), cpp_name(b)));
    }
    if a == DType::Bool {
        return Err("not implemented for 'Bool'".into());
    }
    Ok(a)
}

/// The rows of products and of what stands on them.
pub(super) const TABLES: &[&[super::table::OpInfo]] = &[
    super::addmm::TABLE,
    super::contract::TABLE,
    super::conv::TABLE,
    super::einsum::TABLE,
    super::embedding::TABLE,
    super::matmul::TABLE,
    super::pool::TABLE,
    super::qr::TABLE,
    super::triangular::TABLE,
    super::unfold::TABLE,
    crate::functional::BILINEAR,
];
