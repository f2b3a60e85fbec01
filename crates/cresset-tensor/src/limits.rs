//! What the element types can hold (`torch.finfo`, `torch.iinfo`).

use crate::dtype::DType;
use crate::error::fail;

/// The limits of a floating-point dtype (`torch.finfo`).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FloatInfo {
    /// Bits of one number.
    pub bits: u32,
    /// The distance from 1 to the next larger number.
    pub eps: f64,
    /// The largest number.
    pub max: f64,
    /// The lowest number.
    pub min: f64,
    /// The smallest positive number of full precision.
    pub smallest_normal: f64,
    /// The same, by its older name.
    pub tiny: f64,
    /// The decimal resolution.
    pub resolution: f64,
}

/// The limits of an integer dtype (`torch.iinfo`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IntInfo {
    /// Bits of one number.
    pub bits: u32,
    /// The largest number.
    pub max: i64,
    /// The lowest number.
    pub min: i64,
}

/// The limits of a floating-point dtype (`torch.finfo(dtype)`).
///
/// ```
/// use cresset_tensor::{finfo, DType};
/// assert_eq!(finfo(DType::F32).eps, f64::from(f32::EPSILON));
/// assert_eq!(finfo(DType::F16).max, 65504.0);
/// ```
///
/// # Panics
/// For a dtype that is no floating-point one.
#[track_caller]
pub fn finfo(dtype: DType) -> FloatInfo {
    // Bits of the fraction and of the exponent.
    let (fraction, exponent, resolution) = match dtype {
        DType::F64 => (52, 11, 1e-15),
        DType::F32 => (23, 8, 1e-6),
        DType::F16 => (10, 5, 1e-3),
        DType::BF16 => (7, 8, 1e-2),
        other => fail(
            "finfo",
            format!("torch.finfo() requires a floating point input type. Use torch.iinfo to handle '{other}'"),
        ),
    };
    let eps = 2f64.powi(-fraction);
    let bias = (1 << (exponent - 1)) - 1;
    let max = (2.0 - eps) * 2f64.powi(bias);
    let smallest_normal = 2f64.powi(1 - bias);
    FloatInfo { bits: 8 * dtype.size() as u32, eps, max, min: -max, smallest_normal, tiny: smallest_normal, resolution }
}

/// The limits of an integer dtype (`torch.iinfo(dtype)`).
///
/// ```
/// use cresset_tensor::{iinfo, DType};
/// assert_eq!((iinfo(DType::U8).min, iinfo(DType::U8).max), (0, 255));
/// ```
///
/// # Panics
/// For a dtype that is no integer one.
#[track_caller]
pub fn iinfo(dtype: DType) -> IntInfo {
    let (min, max) = match dtype {
        DType::U8 => (0, i64::from(u8::MAX)),
        DType::I8 => (i64::from(i8::MIN), i64::from(i8::MAX)),
        DType::I16 => (i64::from(i16::MIN), i64::from(i16::MAX)),
        DType::I32 => (i64::from(i32::MIN), i64::from(i32::MAX)),
        DType::I64 => (i64::MIN, i64::MAX),
        other => {
            fail("iinfo", format!("torch.iinfo() requires an integer input type. Use torch.finfo to handle '{other}'"))
        }
    };
    IntInfo { bits: 8 * dtype.size() as u32, max, min }
}
