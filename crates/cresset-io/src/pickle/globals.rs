//! The names that a pickle may use. Everything else is refused by name.

use crate::error::{Result, bail};
use cresset_tensor::DType;

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Global {
    /// `torch._utils._rebuild_tensor`, `_v2`: storage, offset, size, stride, ...
    RebuildTensor,
    /// `_v3`, which also names the dtype.
    RebuildTensorV3,
    RebuildParameter,
    /// `torch._tensor._rebuild_from_type_v2`: a tensor with Python attributes.
    RebuildFromType,
    TensorClass,
    ParameterClass,
    OrderedDict,
    /// `collections.Counter`, `collections.defaultdict`, `dict`.
    PlainDict,
    DefaultDict,
    Set,
    List,
    Tuple,
    ByteArray,
    /// `_codecs.encode`: how protocol 2 writes bytes.
    Encode,
    BytesClass,
    /// `torch.torch_version.TorchVersion`, a kind of text.
    Text,
    Size,
    Device,
    Layout,
    /// `torch.FloatStorage` and the like; `None` for the untyped one.
    Storage(Option<DType>),
    DType(DType),
    /// A class of a TorchScript archive.
    Script,
    /// A function of TorchScript that gives its first argument.
    First,
    NumpyScalar,
    NumpyReconstruct,
    NumpyFromBuffer,
    NumpyArray,
    NumpyDType,
    /// A class that may only be named, as the factory of a `defaultdict`.
    Named,
}

/// `script`: in a TorchScript archive, whose own classes are plain attributes.
pub(super) fn lookup(module: &str, name: &str, script: bool) -> Result<Global> {
    use Global::*;
    if let ("torch", Some(dtype)) = (module, own_dtype(name)) {
        return Ok(Global::DType(dtype));
    }
    let found = match (module, name) {
        ("torch._utils", "_rebuild_tensor" | "_rebuild_tensor_v2") => RebuildTensor,
        ("torch._utils", "_rebuild_tensor_v3") => RebuildTensorV3,
        ("torch._utils", "_rebuild_parameter" | "_rebuild_parameter_with_state") => RebuildParameter,
        ("torch._tensor", "_rebuild_from_type_v2") => RebuildFromType,
        ("torch", "Tensor") => TensorClass,
        ("torch.nn.parameter", "Parameter" | "Buffer") => ParameterClass,
        ("collections", "OrderedDict") => OrderedDict,
        ("collections", "Counter") => PlainDict,
        ("collections", "defaultdict") => DefaultDict,
        ("builtins" | "__builtin__", "dict") => PlainDict,
        ("builtins" | "__builtin__", "set" | "frozenset") => Set,
        ("builtins" | "__builtin__", "list") => List,
        ("builtins" | "__builtin__", "tuple") => Tuple,
        ("builtins" | "__builtin__", "bytearray") => ByteArray,
        ("builtins" | "__builtin__", "bytes") => BytesClass,
        ("builtins" | "__builtin__", "int" | "float" | "str" | "bool") => Named,
        ("_codecs", "encode") => Encode,
        ("torch.torch_version", "TorchVersion") => Text,
        ("torch", "Size") => Size,
        ("torch", "device") => Device,
        ("torch.serialization", "_get_layout") => Layout,
        ("torch.storage", "UntypedStorage" | "_UntypedStorage") | ("torch", "UntypedStorage") => Storage(None),
        ("torch" | "torch.cuda", n) if n.ends_with("Storage") => Storage(Some(storage_dtype(n)?)),
        // The classes of the oldest tensors, which are only named.
        ("torch" | "torch.cuda", n)
            if n.ends_with("Tensor") && storage_dtype(&n.replace("Tensor", "Storage")).is_ok() =>
        {
            Named
        }
        ("torch", n) if is_other_dtype(n) => bail!("torch.{n} is a dtype that cresset does not have"),
        ("torch._utils", "_rebuild_qtensor") => {
            bail!("the file has a quantized tensor, which cresset does not have; dequantize() it before saving")
        }
        ("torch._utils", "_rebuild_sparse_tensor") => {
            bail!("the file has a sparse tensor, which cresset does not have; to_dense() it before saving")
        }
        ("numpy.core.multiarray" | "numpy._core.multiarray", "scalar") => NumpyScalar,
        ("numpy.core.multiarray" | "numpy._core.multiarray", "_reconstruct") => NumpyReconstruct,
        ("numpy.core.numeric" | "numpy._core.numeric", "_frombuffer") => NumpyFromBuffer,
        (m, _) if script && (m == "__torch__" || m.starts_with("__torch__.")) => Script,
        ("torch.jit._pickle", "restore_type_tag" | "build_intlist" | "build_doublelist" | "build_boollist")
        | ("torch.jit._pickle", "build_tensorlist")
            if script =>
        {
            First
        }
        ("numpy", "ndarray") => NumpyArray,
        ("numpy", "dtype") => NumpyDType,
        // The classes of numpy's dtypes, which new versions call like numpy.dtype.
        ("numpy.dtypes", _) => NumpyDType,
        _ => return unknown(module, name),
    };
    Ok(found)
}

fn unknown<T>(module: &str, name: &str) -> Result<T> {
    let full: String = format!("{module}.{name}").chars().take(120).collect();
    bail!(
        "it names the global {full:?}, which is not on the fixed list of harmless ones, and nothing from a file is ever run: save only tensors, \
         numbers, text and containers of them (of a model its state_dict())"
    )
}

fn own_dtype(name: &str) -> Option<DType> {
    DType::ALL.into_iter().find(|d| d.name() == name)
}

fn storage_dtype(name: &str) -> Result<DType> {
    Ok(match name {
        "DoubleStorage" => DType::F64,
        "FloatStorage" => DType::F32,
        "HalfStorage" => DType::F16,
        "BFloat16Storage" => DType::BF16,
        "LongStorage" => DType::I64,
        "IntStorage" => DType::I32,
        "ShortStorage" => DType::I16,
        "CharStorage" => DType::I8,
        "ByteStorage" => DType::U8,
        "BoolStorage" => DType::Bool,
        "ComplexFloatStorage" | "ComplexDoubleStorage" => {
            bail!("the file has complex numbers (torch.{name}), a dtype that cresset does not have")
        }
        "QInt8Storage" | "QInt32Storage" | "QUInt8Storage" | "QUInt4x2Storage" | "QUInt2x4Storage" => {
            bail!("the file has a quantized tensor (torch.{name}), a dtype that cresset does not have")
        }
        _ => return unknown("torch", name),
    })
}

/// dtypes of PyTorch that we do not have.
fn is_other_dtype(name: &str) -> bool {
    let digits = |rest: &str| rest.starts_with(|c: char| c.is_ascii_digit());
    ["uint", "int", "qint", "quint", "complex", "float8", "float4", "bits"]
        .iter()
        .any(|p| name.strip_prefix(p).is_some_and(|r| p.ends_with(|c: char| c.is_ascii_digit()) || digits(r)))
        || matches!(name, "half" | "double" | "cfloat" | "cdouble" | "chalf")
}
