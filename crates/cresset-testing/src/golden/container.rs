//! The safetensors files in which golden data lie: a JSON header, numbers, and a list of cases in the metadata.

use cresset_tensor::{DType, Tensor, bf16, f16};
use serde_json::Value as Json;
use std::collections::HashMap;
use std::path::Path;

/// A golden file in memory.
pub struct Container {
    entries: HashMap<String, Entry>,
    data: Vec<u8>,
    /// The cases of the file, as they are written.
    pub cases: Vec<Json>,
}

struct Entry {
    dtype: DType,
    shape: Vec<usize>,
    begin: usize,
    end: usize,
}

impl Container {
    /// Reads a file.
    pub fn read(path: &Path) -> Result<Container, String> {
        let bytes = std::fs::read(path).map_err(|e| format!("{}: {e}", path.display()))?;
        Container::parse(&bytes).map_err(|e| format!("{}: {e}", path.display()))
    }

    /// A container without numbers, for cases that lie in a plain JSON file.
    pub fn without_numbers() -> Container {
        Container { entries: HashMap::new(), data: Vec::new(), cases: Vec::new() }
    }

    fn parse(bytes: &[u8]) -> Result<Container, String> {
        let length = bytes.get(..8).ok_or("no header")?;
        let length = u64::from_le_bytes(length.try_into().expect("eight bytes")) as usize;
        let end = length.checked_add(8).ok_or("the header's length is absurd")?;
        let header = bytes.get(8..end).ok_or("the header is cut off")?;
        let header: Json = serde_json::from_slice(header).map_err(|e| e.to_string())?;
        let header = header.as_object().ok_or("the header is no object")?;
        let data = bytes[end..].to_vec();
        let mut entries = HashMap::new();
        let mut cases = Vec::new();
        for (name, entry) in header {
            if name == "__metadata__" {
                if let Some(text) = entry.get("cases").and_then(Json::as_str) {
                    let list: Json = serde_json::from_str(text).map_err(|e| format!("cases: {e}"))?;
                    cases = list.as_array().ok_or("cases is no list")?.clone();
                }
                continue;
            }
            let entry = Entry::parse(entry).ok_or_else(|| format!("bad entry {name}"))?;
            if entry.end > data.len() || entry.begin > entry.end {
                return Err(format!("{name} lies outside the file"));
            }
            entries.insert(name.clone(), entry);
        }
        Ok(Container { entries, data, cases })
    }

    /// The names of all tensors.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    /// The tensor of a name, contiguous.
    pub fn tensor(&self, name: &str) -> Result<Tensor, String> {
        self.strided(name, None)
    }

    /// The tensor of a name, laid out with `strides`.
    pub fn strided(&self, name: &str, strides: Option<&[usize]>) -> Result<Tensor, String> {
        let e = self.entries.get(name).ok_or_else(|| format!("the file has no tensor {name}"))?;
        let bytes = &self.data[e.begin..e.end];
        macro_rules! numbers {
            ($t:ty) => {
                lay_out(
                    &bytes
                        .chunks_exact(size_of::<$t>())
                        .map(|b| <$t>::from_le_bytes(b.try_into().expect("whole elements")))
                        .collect::<Vec<_>>(),
                    &e.shape,
                    strides,
                )
            };
        }
        Ok(match e.dtype {
            DType::Bool => lay_out(&bytes.iter().map(|&b| b != 0).collect::<Vec<_>>(), &e.shape, strides),
            DType::U8 => numbers!(u8),
            DType::I8 => numbers!(i8),
            DType::I16 => numbers!(i16),
            DType::I32 => numbers!(i32),
            DType::I64 => numbers!(i64),
            DType::F16 => numbers!(f16),
            DType::BF16 => numbers!(bf16),
            DType::F32 => numbers!(f32),
            DType::F64 => numbers!(f64),
        })
    }
}

impl Entry {
    fn parse(json: &Json) -> Option<Entry> {
        let dtype = match json.get("dtype")?.as_str()? {
            "BOOL" => DType::Bool,
            "U8" => DType::U8,
            "I8" => DType::I8,
            "I16" => DType::I16,
            "I32" => DType::I32,
            "I64" => DType::I64,
            "F16" => DType::F16,
            "BF16" => DType::BF16,
            "F32" => DType::F32,
            "F64" => DType::F64,
            _ => return None,
        };
        let numbers = |key: &str| -> Option<Vec<usize>> {
            json.get(key)?.as_array()?.iter().map(|n| n.as_u64().map(|n| n as usize)).collect()
        };
        let shape = numbers("shape")?;
        let offsets = numbers("data_offsets")?;
        let [begin, end] = offsets[..] else { return None };
        (end.checked_sub(begin)? == shape.iter().product::<usize>() * dtype.size()).then_some(Entry {
            dtype,
            shape,
            begin,
            end,
        })
    }
}

/// A tensor with the given elements in row-major order, in memory at the given strides.
fn lay_out<T: cresset_tensor::Element>(values: &[T], shape: &[usize], strides: Option<&[usize]>) -> Tensor {
    let Some(strides) = strides else { return Tensor::from_vec(values, shape) };
    let numel: usize = shape.iter().product();
    let length = if numel == 0 { 0 } else { 1 + shape.iter().zip(strides).map(|(n, s)| (n - 1) * s).sum::<usize>() };
    let mut memory = vec![T::default(); length];
    let mut index = vec![0usize; shape.len()];
    for &value in values {
        let at: usize = index.iter().zip(strides).map(|(i, s)| i * s).sum();
        memory[at] = value;
        for d in (0..shape.len()).rev() {
            index[d] += 1;
            if index[d] < shape[d] {
                break;
            }
            index[d] = 0;
        }
    }
    let flat = Tensor::from_slice(&memory).array();
    Tensor::from_array(flat.view(shape.into(), strides.into(), 0))
}
