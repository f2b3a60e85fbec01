//! safetensors: a JSON header with names, dtypes, shapes and places, then the numbers.

use crate::atomic::atomic_write;
use crate::bytes::{Bytes, Cursor, PrivateMap, numel_of, swap};
use crate::error::{Error, Result, bail};
use crate::json::{Json, parse, quote};
use crate::options::LoadOptions;
use cresset_kernels::buffer::Buffer;
use cresset_tensor::array::Array;
use cresset_tensor::dims::MAX_DIMS;
use cresset_tensor::{DType, Dims, Meta, StateDict, Tensor};
use std::io::Write;
use std::ops::Range;
use std::path::Path;

/// What a safetensors file holds.
#[derive(Clone, Debug, Default)]
pub struct SafeTensors {
    /// Names and tensors, in the header's order.
    pub tensors: StateDict,
    /// Names and texts of the header's `__metadata__`.
    pub metadata: Vec<(String, String)>,
}

/// The format's own limit.
const MOST_HEADER: u64 = 100_000_000;

const DTYPES: [(&str, DType); 10] = [
    ("F64", DType::F64),
    ("F32", DType::F32),
    ("F16", DType::F16),
    ("BF16", DType::BF16),
    ("I64", DType::I64),
    ("I32", DType::I32),
    ("I16", DType::I16),
    ("I8", DType::I8),
    ("U8", DType::U8),
    ("BOOL", DType::Bool),
];

/// Reads a safetensors file (`safetensors.torch.load_file(path)`).
///
/// The header is checked strictly: the tensors' places must fill the file without gaps, overlaps or rest.
///
/// # Errors
/// One sentence: the file cannot be read, its header is wrong, or it has a dtype that cresset does not have.
///
/// ```
/// # fn main() -> Result<(), cresset_io::Error> {
/// use cresset_io::safetensors;
/// use cresset_tensor::{StateDict, Tensor};
/// let path = std::env::temp_dir().join("cresset_safetensors_example.safetensors");
/// let state: StateDict = [("weight", Tensor::ones([2, 3]))].into_iter().collect();
/// safetensors::save(&state, &[("format", "pt")], &path)?;
/// let file = safetensors::load(&path)?;
/// assert_eq!(file.tensors["weight"].shape(), [2, 3]);
/// assert_eq!(file.metadata[0], ("format".to_string(), "pt".to_string()));
/// # std::fs::remove_file(path).unwrap();
/// # Ok(()) }
/// ```
pub fn load(path: impl AsRef<Path>) -> Result<SafeTensors> {
    load_with(path, LoadOptions::default())
}

/// [`load`] with options: `LoadOptions { mmap: true }` leaves the numbers in the file, as `safetensors.torch.load_file` does.
///
/// # Errors
/// As of [`load`].
pub fn load_with(path: impl AsRef<Path>, options: LoadOptions) -> Result<SafeTensors> {
    let path = path.as_ref();
    let (data, mut map) = if options.mmap { Bytes::open_mapped(path)? } else { (Bytes::open(path)?, None) };
    read(&data, map.as_mut()).map_err(|e| e.in_file(path))
}

/// [`load`] from bytes in memory.
///
/// # Errors
/// As of [`load`].
pub fn load_bytes(data: &[u8]) -> Result<SafeTensors> {
    read(data, None)
}

fn read(data: &[u8], mut map: Option<&mut PrivateMap>) -> Result<SafeTensors> {
    let header = Header::parse(data)?;
    let mut file = SafeTensors { metadata: header.metadata, ..SafeTensors::default() };
    for entry in header.entries {
        let tensor = match map.as_mut().and_then(|map| entry.in_map(map)) {
            Some(tensor) => tensor,
            None => entry.read(data).map_err(|e| e.within(format_args!("the tensor {:?}", entry.name)))?,
        };
        file.tensors.insert(entry.name, tensor);
    }
    Ok(file)
}

/// What the header says.
pub(crate) struct Header {
    pub entries: Vec<Entry>,
    pub metadata: Vec<(String, String)>,
}

/// A tensor of the file.
pub(crate) struct Entry {
    pub name: String,
    pub dtype: DType,
    pub shape: Vec<usize>,
    /// Its bytes, counted from the start of the file.
    range: Range<usize>,
}

impl Header {
    /// Reads and checks it; of the data only the length is looked at.
    pub fn parse(data: &[u8]) -> Result<Header> {
        let mut c = Cursor::new(data);
        let len = c.u64().map_err(|_| {
            Error::new(format!("a safetensors file begins with 8 bytes of length, this one has {}", data.len()))
        })?;
        if len > c.left() as u64 {
            bail!("the header should have {len} bytes, but only {} follow", c.left());
        }
        if len > MOST_HEADER {
            bail!("the header has {len} bytes; the format has at most {MOST_HEADER}");
        }
        let Ok(text) = std::str::from_utf8(c.take_u64(len)?) else { bail!("the header is not UTF-8") };
        if !text.starts_with('{') {
            bail!("the header is no JSON object");
        }
        let Json::Object(header) = parse(text).map_err(|e| e.within("the header"))? else {
            bail!("the header is no JSON object")
        };
        let mut file = Header { entries: Vec::new(), metadata: Vec::new() };
        let mut places = Vec::new();
        for (name, entry) in header {
            if name == "__metadata__" {
                file.metadata = metadata(entry).map_err(|e| e.within("the header's __metadata__"))?;
                continue;
            }
            let entry = entry_of(&name, entry, c.at, c.left())
                .map_err(|e| e.within(format_args!("the header's entry {name:?}")))?;
            places.push((entry.range.start - c.at, entry.range.end - c.at));
            file.entries.push(entry);
        }
        places.sort_unstable();
        let mut end = 0;
        for (from, to) in places {
            if from != end {
                bail!(
                    "the tensors' places leave a gap or overlap: one ends at byte {end} of the data, the next begins at {from}"
                );
            }
            end = to;
        }
        if end != c.left() {
            bail!("the tensors fill {end} bytes, but the file has {} after its header", c.left());
        }
        Ok(file)
    }
}

impl Entry {
    /// The tensor in the file's own pages, if its numbers can be used there as they are.
    fn in_map(&self, map: &mut PrivateMap) -> Option<Tensor> {
        if cfg!(target_endian = "big") {
            return None;
        }
        let buffer = map.part(self.range.clone(), self.dtype.size())?;
        Some(Tensor::from_array(Array::from_buffer(buffer, Meta::new(self.dtype, Dims::new(&self.shape)))))
    }
    /// Its numbers, out of the file.
    pub fn read(&self, data: &[u8]) -> Result<Tensor> {
        let raw = &data[self.range.clone()];
        let mut buffer = Buffer::try_new(raw.len()).map_err(|e| Error::new(e.to_string()))?;
        let out = buffer.as_mut_slice::<u8>();
        out.copy_from_slice(raw);
        if cfg!(target_endian = "big") {
            swap(out, self.dtype.size());
        }
        let array = Array::from_buffer(buffer, Meta::new(self.dtype, Dims::new(&self.shape)));
        Ok(Tensor::from_array(array))
    }
}

fn metadata(entry: Json) -> Result<Vec<(String, String)>> {
    let Json::Object(entries) = entry else { bail!("metadata must be an object of texts") };
    let text = |(name, value)| match value {
        Json::Text(text) => Ok((name, text)),
        _ => Err(Error::new("metadata must be texts")),
    };
    entries.into_iter().map(text).collect()
}

/// `start`, `left`: where the data begins, and how much there is.
fn entry_of(name: &str, entry: Json, start: usize, left: usize) -> Result<Entry> {
    let (mut dtype, mut shape, mut offsets) = (None, None, None);
    let Json::Object(fields) = entry else { bail!("an object is expected") };
    for (key, value) in fields {
        match (&*key, value) {
            ("dtype", Json::Text(name)) => match DTYPES.iter().find(|(n, _)| *n == name) {
                Some((_, d)) => dtype = Some(*d),
                None => bail!("the dtype {name:?} is none that cresset has (F64 F32 F16 BF16 I64 I32 I16 I8 U8 BOOL)"),
            },
            ("shape", Json::List(items)) => shape = Some(numbers(items)?),
            ("data_offsets", Json::List(items)) => offsets = Some(numbers(items)?),
            _ => bail!("{key:?} is not known or not of the right kind"),
        }
    }
    let (Some(dtype), Some(shape), Some(offsets)) = (dtype, shape, offsets) else {
        bail!("dtype, shape and data_offsets are expected")
    };
    if shape.len() > MAX_DIMS {
        bail!("it has {} dimensions, cresset's tensors have at most {MAX_DIMS}", shape.len());
    }
    let (from, to) = match offsets[..] {
        [from, to] if from <= to && to <= left => (from, to),
        _ => bail!("its data_offsets {offsets:?} are not a range in the {left} bytes of data"),
    };
    let numel = numel_of(&shape);
    if numel.and_then(|n| n.checked_mul(dtype.size())) != Some(to - from) {
        bail!("shape {shape:?} and dtype {} do not fit its {} bytes", dtype.name(), to - from);
    }
    Ok(Entry { name: name.to_string(), dtype, shape, range: start + from..start + to })
}

fn numbers(items: Vec<Json>) -> Result<Vec<usize>> {
    let number = |item| match item {
        Json::Number(n) => usize::try_from(n).map_err(|_| Error::new("a number is too large")),
        _ => Err(Error::new("a whole number is expected")),
    };
    items.into_iter().map(number).collect()
}

/// Writes a safetensors file with metadata (`safetensors.torch.save_file(tensors, path, metadata)`), whole or not at all.
///
/// The header keeps the order of the names; the numbers are placed by the size of their elements, so that each is aligned. Tensors
/// that share memory are written one by one: the format cannot share.
///
/// # Errors
/// One sentence, if the file cannot be written or a tensor is named `__metadata__`.
pub fn save(tensors: &StateDict, metadata: &[(&str, &str)], path: impl AsRef<Path>) -> Result<()> {
    atomic_write(path, |file| write(tensors, metadata, file))
}

fn write(tensors: &StateDict, metadata: &[(&str, &str)], mut out: impl Write) -> Result<()> {
    let mut order: Vec<(usize, &Tensor)> = tensors.values().enumerate().collect();
    order.sort_by_key(|(_, t)| std::cmp::Reverse(t.dtype().size()));
    let mut places = vec![(0, 0); order.len()];
    let mut at = 0;
    for &(i, t) in &order {
        let end = at + t.numel() * t.dtype().size();
        places[i] = (at, end);
        at = end;
    }
    let mut entries = Vec::new();
    if !metadata.is_empty() {
        let texts: Vec<String> = metadata.iter().map(|(k, v)| format!("{}:{}", quote(k), quote(v))).collect();
        entries.push(format!("\"__metadata__\":{{{}}}", texts.join(",")));
    }
    for ((name, t), (from, to)) in tensors.iter().zip(places) {
        if name == "__metadata__" {
            bail!("a tensor cannot be named \"__metadata__\" in a safetensors file");
        }
        let dtype = DTYPES.iter().find(|(_, d)| *d == t.dtype()).map_or("", |(n, _)| n);
        let shape: Vec<String> = t.shape().iter().map(usize::to_string).collect();
        let shape = shape.join(",");
        entries.push(format!(
            "{}:{{\"dtype\":\"{dtype}\",\"shape\":[{shape}],\"data_offsets\":[{from},{to}]}}",
            quote(name)
        ));
    }
    let mut header = format!("{{{}}}", entries.join(","));
    while !header.len().is_multiple_of(8) {
        header.push(' ');
    }
    out.write_all(&(header.len() as u64).to_le_bytes())?;
    out.write_all(header.as_bytes())?;
    for (_, t) in order {
        let array = t.array().contiguous();
        let size = array.dtype().size();
        let (start, len) = (array.offset() * size, array.numel() * size);
        if len == 0 {
            continue;
        }
        let reading = array.read();
        let raw = &reading.slice::<u8>()[start..start + len];
        if cfg!(target_endian = "big") {
            let mut copy = raw.to_vec();
            swap(&mut copy, size);
            out.write_all(&copy)?;
        } else {
            out.write_all(raw)?;
        }
    }
    Ok(())
}
