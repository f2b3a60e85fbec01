//! The ten element types and PyTorch's rules for mixing them.

use half::{bf16, f16};
use std::fmt;

/// What the elements of a tensor are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DType {
    /// True or false, stored as one byte (`torch.bool`).
    Bool,
    /// Unsigned 8-bit integer (`torch.uint8`).
    U8,
    /// Signed 8-bit integer (`torch.int8`).
    I8,
    /// Signed 16-bit integer (`torch.int16`).
    I16,
    /// Signed 32-bit integer (`torch.int32`).
    I32,
    /// Signed 64-bit integer (`torch.int64`), the dtype of indices and class labels.
    I64,
    /// IEEE half precision (`torch.float16`).
    F16,
    /// Brain float: the upper half of an f32 (`torch.bfloat16`).
    BF16,
    /// Single precision (`torch.float32`), the default.
    F32,
    /// Double precision (`torch.float64`).
    F64,
}

impl DType {
    /// All of them.
    pub const ALL: [DType; 10] = [
        DType::Bool,
        DType::U8,
        DType::I8,
        DType::I16,
        DType::I32,
        DType::I64,
        DType::F16,
        DType::BF16,
        DType::F32,
        DType::F64,
    ];

    /// Bytes of one element.
    #[inline]
    pub fn size(self) -> usize {
        match self {
            DType::Bool | DType::U8 | DType::I8 => 1,
            DType::I16 | DType::F16 | DType::BF16 => 2,
            DType::I32 | DType::F32 => 4,
            DType::I64 | DType::F64 => 8,
        }
    }
    /// f16, bf16, f32 or f64: the dtypes that can carry gradients.
    #[inline]
    pub fn is_floating_point(self) -> bool {
        matches!(self, DType::F16 | DType::BF16 | DType::F32 | DType::F64)
    }
    /// An integer, bool not counted.
    #[inline]
    pub fn is_integer(self) -> bool {
        !self.is_floating_point() && self != DType::Bool
    }
    /// Can it hold negative numbers?
    pub fn is_signed(self) -> bool {
        !matches!(self, DType::Bool | DType::U8)
    }
    /// PyTorch's name without the module: `float32`, `int64`, ...
    pub fn name(self) -> &'static str {
        match self {
            DType::Bool => "bool",
            DType::U8 => "uint8",
            DType::I8 => "int8",
            DType::I16 => "int16",
            DType::I32 => "int32",
            DType::I64 => "int64",
            DType::F16 => "float16",
            DType::BF16 => "bfloat16",
            DType::F32 => "float32",
            DType::F64 => "float64",
        }
    }
    /// The name PyTorch's error messages use: `Float`, `Long`, `Bool`, ...
    pub fn scalar_name(self) -> &'static str {
        match self {
            DType::Bool => "Bool",
            DType::U8 => "Byte",
            DType::I8 => "Char",
            DType::I16 => "Short",
            DType::I32 => "Int",
            DType::I64 => "Long",
            DType::F16 => "Half",
            DType::BF16 => "BFloat16",
            DType::F32 => "Float",
            DType::F64 => "Double",
        }
    }
    /// The dtype of that name (`float32`, also `torch.float32`).
    pub fn from_name(name: &str) -> Option<DType> {
        let name = name.strip_prefix("torch.").unwrap_or(name);
        DType::ALL.into_iter().find(|d| d.name() == name)
    }
    /// The smallest dtype that both convert to without losing the kind of number (`torch.promote_types`).
    pub fn promote(self, other: DType) -> DType {
        use DType::*;
        match (self, other) {
            (a, b) if a == b => a,
            (F16, BF16) | (BF16, F16) => F32,
            (a, b) if a.is_floating_point() && b.is_floating_point() => a.max(b),
            (a, b) if a.is_floating_point() || b.is_floating_point() => {
                if a.is_floating_point() {
                    a
                } else {
                    b
                }
            }
            (U8, I8) | (I8, U8) => I16,
            (a, b) => a.max(b),
        }
    }
    /// bool < integer < floating point.
    fn category(self) -> u8 {
        match self {
            DType::Bool => 0,
            d if d.is_floating_point() => 2,
            _ => 1,
        }
    }
    /// May a result of this dtype be written into a tensor of dtype `to`? (`torch.can_cast`)
    pub fn can_cast(self, to: DType) -> bool {
        self.category() <= to.category()
    }
    /// The type that numbers of this dtype are computed in where speed does not matter: f32 for f16 and bf16, i64 for integers and bool.
    pub fn computing(self) -> DType {
        match self {
            DType::F16 | DType::BF16 | DType::F32 => DType::F32,
            DType::F64 => DType::F64,
            _ => DType::I64,
        }
    }
    /// f32 for f16 and bf16, itself otherwise: what sums are kept in.
    pub fn accumulator(self) -> DType {
        match self {
            DType::F16 | DType::BF16 => DType::F32,
            d => d,
        }
    }
}

impl fmt::Display for DType {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "torch.{}", self.name())
    }
}

/// The dtype in which an op over these operands computes (`torch.result_type`). `dims` promotes the tensors with dimensions, `zero` the 0-d
/// ones, `scalar` the plain numbers; a lower rank counts only where its kind of number is higher.
#[derive(Clone, Copy, Default)]
pub struct Promotion {
    dims: Option<DType>,
    zero: Option<DType>,
    scalar: Option<DType>,
}

impl Promotion {
    /// Adds a tensor operand.
    pub fn tensor(mut self, dtype: DType, ndim: usize) -> Promotion {
        let slot = if ndim == 0 { &mut self.zero } else { &mut self.dims };
        *slot = Some(slot.map_or(dtype, |d| d.promote(dtype)));
        self
    }
    /// Adds a plain number.
    pub fn scalar(mut self, value: Scalar) -> Promotion {
        let dtype = value.dtype();
        self.scalar = Some(self.scalar.map_or(dtype, |d| d.promote(dtype)));
        self
    }
    /// The dtype of the result.
    pub fn result(self) -> DType {
        fn combine(higher: Option<DType>, lower: Option<DType>) -> Option<DType> {
            match (higher, lower) {
                (None, l) => l,
                (h, None) => h,
                (Some(h), Some(_)) if h.is_floating_point() => Some(h),
                (Some(h), Some(l)) if h == DType::Bool || l.is_floating_point() => Some(h.promote(l)),
                (h, _) => h,
            }
        }
        combine(self.dims, combine(self.zero, self.scalar)).unwrap_or(DType::F32)
    }
}

/// A plain number of the program: the second operand of `x * 2.0`, the value of `fill_`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scalar {
    /// A truth value.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A floating-point number.
    Float(f64),
}

impl Scalar {
    /// The dtype the number has in promotion: bool, int64 or the default float32.
    pub fn dtype(self) -> DType {
        match self {
            Scalar::Bool(_) => DType::Bool,
            Scalar::Int(_) => DType::I64,
            Scalar::Float(_) => DType::F32,
        }
    }
    /// As f64.
    #[inline]
    pub fn f64(self) -> f64 {
        match self {
            Scalar::Bool(b) => b as u8 as f64,
            Scalar::Int(i) => i as f64,
            Scalar::Float(f) => f,
        }
    }
    /// As i64, fractions cut off.
    #[inline]
    pub fn i64(self) -> i64 {
        match self {
            Scalar::Bool(b) => b as i64,
            Scalar::Int(i) => i,
            Scalar::Float(f) => f as i64,
        }
    }
    /// Is it different from zero?
    pub fn truth(self) -> bool {
        match self {
            Scalar::Bool(b) => b,
            Scalar::Int(i) => i != 0,
            Scalar::Float(f) => f != 0.0,
        }
    }
    /// Is it a floating-point number?
    pub fn is_float(self) -> bool {
        matches!(self, Scalar::Float(_))
    }
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Scalar::Bool(b) => write!(f, "{b}"),
            Scalar::Int(i) => write!(f, "{i}"),
            Scalar::Float(x) => write!(f, "{x:?}"),
        }
    }
}

/// A Rust type that is the element of some dtype.
pub trait Element: Copy + Send + Sync + Default + PartialEq + fmt::Debug + Into<Scalar> + 'static {
    /// Its dtype.
    const DTYPE: DType;
    /// How it lies in memory: itself, and u8 for bool (stale memory is a valid number, but not a valid bool).
    type Stored: cresset_kernels::buffer::Element + Default;
    /// To the form in memory.
    fn store(self) -> Self::Stored;
    /// From the form in memory.
    fn load(stored: Self::Stored) -> Self;
    /// The nearest value to a number, with C's rules for the conversion.
    fn from_scalar(value: Scalar) -> Self;
}

/// Everything about one element type that stores as itself.
macro_rules! element {
    ($t:ty, $d:ident, $scalar:expr, $from:expr) => {
        impl Element for $t {
            const DTYPE: DType = DType::$d;
            type Stored = $t;
            #[inline(always)]
            fn store(self) -> $t {
                self
            }
            #[inline(always)]
            fn load(stored: $t) -> $t {
                stored
            }
            #[inline]
            fn from_scalar(value: Scalar) -> $t {
                $from(value)
            }
        }
        impl From<$t> for Scalar {
            #[inline]
            fn from(x: $t) -> Scalar {
                $scalar(x)
            }
        }
    };
}
element!(f64, F64, Scalar::Float, Scalar::f64);
element!(f32, F32, |x| Scalar::Float(f64::from(x)), |s: Scalar| s.f64() as f32);
element!(f16, F16, |x| Scalar::Float(f64::from(x)), |s: Scalar| f16::from_f32(s.f64() as f32));
element!(bf16, BF16, |x| Scalar::Float(f64::from(x)), |s: Scalar| bf16::from_f32(s.f64() as f32));
element!(i64, I64, Scalar::Int, Scalar::i64);
element!(i32, I32, |x| Scalar::Int(i64::from(x)), |s: Scalar| s.i64() as i32);
element!(i16, I16, |x| Scalar::Int(i64::from(x)), |s: Scalar| s.i64() as i16);
element!(i8, I8, |x| Scalar::Int(i64::from(x)), |s: Scalar| s.i64() as i8);
element!(u8, U8, |x| Scalar::Int(i64::from(x)), |s: Scalar| s.i64() as u8);

impl Element for bool {
    const DTYPE: DType = DType::Bool;
    type Stored = u8;
    #[inline(always)]
    fn store(self) -> u8 {
        self as u8
    }
    #[inline(always)]
    fn load(stored: u8) -> bool {
        stored != 0
    }
    #[inline]
    fn from_scalar(value: Scalar) -> bool {
        value.truth()
    }
}
impl From<bool> for Scalar {
    fn from(b: bool) -> Scalar {
        Scalar::Bool(b)
    }
}
impl From<usize> for Scalar {
    fn from(x: usize) -> Scalar {
        Scalar::Int(x as i64)
    }
}
