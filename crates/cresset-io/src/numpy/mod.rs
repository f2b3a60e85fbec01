//! numpy's files: one array in an `.npy`, several in an `.npz`.

mod header;
pub mod npy;
pub mod npz;

use crate::bytes::{numel_of, swap};
use crate::error::{Error, Result, bail};
use cresset_kernels::buffer::Buffer;
use cresset_tensor::array::Array;
use cresset_tensor::dims::MAX_DIMS;
use cresset_tensor::{DType, Dims, Meta, Tensor};

/// A dtype as numpy writes it: `<f4`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct NumpyDType {
    pub dtype: DType,
    pub big_endian: bool,
}

impl NumpyDType {
    /// From `<f4`, `>i8`, `|b1`, or without a byte order.
    pub fn parse(text: &str) -> Result<NumpyDType> {
        let (order, name) = match text.chars().next() {
            Some(c @ ('<' | '>' | '|' | '=')) => (c, &text[1..]),
            _ => ('=', text),
        };
        let dtype = match name {
            "b1" | "?" | "bool" => DType::Bool,
            "i1" | "int8" => DType::I8,
            "u1" | "uint8" => DType::U8,
            "i2" | "int16" => DType::I16,
            "i4" | "int32" => DType::I32,
            "i8" | "int64" => DType::I64,
            "f2" | "float16" => DType::F16,
            "f4" | "float32" => DType::F32,
            "f8" | "float64" => DType::F64,
            _ => {
                let short: String = text.chars().take(40).collect();
                bail!("numpy's dtype {short:?} is none that cresset has (f2 f4 f8 i1 i2 i4 i8 u1 b1)")
            }
        };
        Ok(NumpyDType { dtype, big_endian: order == '>' || (order == '=' && cfg!(target_endian = "big")) })
    }
    /// Of our own numbers.
    fn native(dtype: DType) -> Result<String> {
        let name = match dtype {
            DType::Bool => "|b1",
            DType::U8 => "|u1",
            DType::I8 => "|i1",
            DType::I16 => "<i2",
            DType::I32 => "<i4",
            DType::I64 => "<i8",
            DType::F16 => "<f2",
            DType::F32 => "<f4",
            DType::F64 => "<f8",
            DType::BF16 => bail!("numpy has no bfloat16; convert the tensor to float32 first"),
        };
        Ok(if cfg!(target_endian = "big") { name.replace('<', ">") } else { name.into() })
    }
}

/// A tensor of raw numbers, exactly as many as the shape needs.
pub(crate) fn tensor_from(raw: &[u8], numpy: NumpyDType, shape: &[usize], fortran: bool) -> Result<Tensor> {
    let dtype = numpy.dtype;
    if shape.len() > MAX_DIMS {
        bail!("an array has {} dimensions, cresset's have at most {MAX_DIMS}", shape.len());
    }
    let numel = numel_of(shape);
    let bytes = numel.and_then(|n| n.checked_mul(dtype.size()));
    if bytes != Some(raw.len()) {
        bail!("an array of shape {shape:?} and dtype {} does not fit its {} bytes", dtype.name(), raw.len());
    }
    let mut buffer = Buffer::try_new(raw.len()).map_err(|e| Error::new(e.to_string()))?;
    let out = buffer.as_mut_slice::<u8>();
    out.copy_from_slice(raw);
    if numpy.big_endian != cfg!(target_endian = "big") {
        swap(out, dtype.size());
    }
    let shape = Dims::new(shape);
    let array = Array::from_buffer(buffer, Meta::new(dtype, shape));
    if !fortran || shape.len() < 2 || raw.is_empty() {
        return Ok(Tensor::from_array(array));
    }
    let mut strides = shape;
    let mut step = 1;
    for i in 0..shape.len() {
        strides[i] = step;
        step *= shape[i];
    }
    Ok(Tensor::from_array(array.view(shape, strides, 0).contiguous()))
}
