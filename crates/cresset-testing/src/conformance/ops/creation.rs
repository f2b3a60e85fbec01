//! Tensors from nothing.

use crate::conformance::args::{Row, row};
use cresset_tensor::{DType, Tensor};

pub(super) const ROWS: &[Row] = &[
    row("zeros", "*size", |a| Ok(Tensor::zeros_of(a.rest_sizes("size")?, a.factory()?.unwrap_or(DType::F32)).into())),
    row("ones", "*size", |a| Ok(Tensor::ones_of(a.rest_sizes("size")?, a.factory()?.unwrap_or(DType::F32)).into())),
    row("full", "size fill_value", |a| {
        let (size, value) = (a.sizes("size")?, a.scalar("fill_value")?);
        Ok(match a.factory()? {
            Some(dtype) => Tensor::full_of(size, value, dtype),
            None => Tensor::full(size, value),
        }
        .into())
    }),
];
