//! A file of tensors that is opened, not read: names, dtypes and shapes at once, numbers one tensor at a time.

use crate::bytes::Bytes;
use crate::error::{Error, Result, bail};
use crate::numpy::{npy, npz};
use crate::pickle::Leaf;
use crate::safetensors;
use crate::torch::Parsed;
use crate::value::Value;
use crate::zip::Archive;
use cresset_tensor::array::Array;
use cresset_tensor::{DType, StateDict, Tensor};
use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// The formats of files with tensors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A file of `torch.save`.
    Torch,
    /// safetensors.
    SafeTensors,
    /// Several arrays of numpy.
    Npz,
    /// One array of numpy.
    Npy,
}

impl Format {
    /// By the ending of a path: `pth`, `pt`, `bin`, `ckpt`, `safetensors`, `npz`, `npy`.
    pub fn of_path(path: impl AsRef<Path>) -> Option<Format> {
        let ending = path.as_ref().extension()?.to_str()?.to_ascii_lowercase();
        Some(match &*ending {
            "pth" | "pt" | "bin" | "ckpt" => Format::Torch,
            "safetensors" => Format::SafeTensors,
            "npz" => Format::Npz,
            "npy" => Format::Npy,
            _ => return None,
        })
    }
    /// By what a file holds.
    fn of(data: &[u8], path: &Path) -> Format {
        if data.starts_with(b"\x93NUMPY") {
            return Format::Npy;
        }
        if data.starts_with(b"PK\x03\x04") {
            let numpy =
                |a: Archive<&[u8]>| !a.records().is_empty() && a.records().iter().all(|r| r.name.ends_with(".npy"));
            return match Archive::parse(data).map(numpy) {
                Ok(true) => Format::Npz,
                Ok(false) => Format::Torch,
                Err(_) => Format::of_path(path).filter(|f| *f == Format::Npz).unwrap_or(Format::Torch),
            };
        }
        if data.get(8) == Some(&b'{') { Format::SafeTensors } else { Format::of_path(path).unwrap_or(Format::Torch) }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Format::Torch => "PyTorch",
            Format::SafeTensors => "safetensors",
            Format::Npz => "npz",
            Format::Npy => "npy",
        })
    }
}

/// Name, dtype and shape of a tensor in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorInfo {
    /// Its name: in a file of `torch.save` the keys and positions that lead to it, joined by dots.
    pub name: String,
    /// Its dtype.
    pub dtype: DType,
    /// Its sizes.
    pub shape: Vec<usize>,
}

/// An open file of tensors in any format that cresset reads: `.pth` (all of `torch.save`'s formats), safetensors, npz, npy. Opening it reads names,
/// dtypes and shapes; a tensor's numbers are read (and their checksum, where the format has one, is checked) when it is asked for. The file is
/// mapped into memory: of a large file nothing else is touched. (`torch.load(path, mmap=True)`, `safetensors.safe_open`.)
///
/// ```
/// # fn main() -> Result<(), cresset_io::Error> {
/// use cresset_io::{TensorFile, Value, save};
/// use cresset_tensor::Tensor;
/// let path = std::env::temp_dir().join("cresset_tensor_file_example.pth");
/// let model = Value::ordered_dict([("fc.weight", Tensor::ones([2, 3]).into()), ("fc.bias", Tensor::zeros([2]).into())]);
/// save(Value::dict([("epoch", 3.into()), ("model", model)]), &path)?;
/// let file = TensorFile::open(&path)?;
/// assert_eq!(file.tensors()[0].name, "model.fc.weight");
/// assert_eq!(file.tensors()[0].shape, [2, 3]);
/// assert_eq!(file.tensor("model.fc.bias")?.to_vec::<f32>(), [0.0, 0.0]);
/// assert_eq!(file.values()[0].0, "epoch");
/// # std::fs::remove_file(path).unwrap();
/// # Ok(()) }
/// ```
pub struct TensorFile {
    path: PathBuf,
    format: Format,
    inner: Inner,
    tensors: Vec<TensorInfo>,
    by_name: HashMap<String, usize>,
    values: Vec<(String, Value)>,
}

enum Inner {
    Torch {
        parsed: Box<Parsed<Bytes>>,
        /// Of each tensor its place, or the tensor itself where its numbers lie in the pickle.
        leaves: Vec<Leaf>,
        /// The numbers of storages that several tensors show.
        shared: Mutex<HashMap<usize, Option<Array>>>,
    },
    SafeTensors {
        data: Bytes,
        header: safetensors::Header,
    },
    Npz(Archive<Bytes>),
    Npy(Bytes),
}

impl TensorFile {
    /// Opens a file; what it holds says which format it is.
    ///
    /// # Errors
    /// One sentence: it cannot be read, is no file of tensors, or its names, dtypes and shapes are damaged.
    pub fn open(path: impl AsRef<Path>) -> Result<TensorFile> {
        let path = path.as_ref();
        TensorFile::parse(Bytes::open(path)?, path).map_err(|e| e.in_file(path))
    }
    /// The same of a file in memory.
    ///
    /// # Errors
    /// As of [`TensorFile::open`].
    pub fn from_bytes(data: Vec<u8>) -> Result<TensorFile> {
        TensorFile::parse(Bytes::Read(data), Path::new("(memory)"))
    }
    fn parse(data: Bytes, path: &Path) -> Result<TensorFile> {
        let format = Format::of(&data, path);
        let (mut tensors, mut values) = (Vec::new(), Vec::new());
        let inner = match format {
            Format::Torch => {
                let parsed = Parsed::parse(data)?;
                let mut leaves = Vec::new();
                let mut uses: HashMap<usize, usize> = HashMap::new();
                for (name, leaf) in parsed.leaves()? {
                    let (dtype, shape) = match &leaf {
                        Leaf::Tensor(t) => {
                            *uses.entry(parsed.loaded.storage_of(*t)).or_default() += 1;
                            parsed.loaded.meta_of(*t)
                        }
                        Leaf::Array(t) => (t.dtype(), t.shape().to_vec()),
                        Leaf::Value(v) => {
                            values.push((name, v.clone()));
                            continue;
                        }
                    };
                    tensors.push(TensorInfo { name, dtype, shape });
                    leaves.push(leaf);
                }
                let shared = uses.into_iter().filter(|(_, n)| *n > 1).map(|(s, _)| (s, None)).collect();
                Inner::Torch { parsed: Box::new(parsed), leaves, shared: Mutex::new(shared) }
            }
            Format::SafeTensors => {
                let header = safetensors::Header::parse(&data)?;
                let info = |e: &safetensors::Entry| TensorInfo {
                    name: e.name.clone(),
                    dtype: e.dtype,
                    shape: e.shape.clone(),
                };
                tensors.extend(header.entries.iter().map(info));
                values.extend(header.metadata.iter().map(|(k, v)| (k.clone(), v.as_str().into())));
                Inner::SafeTensors { data, header }
            }
            Format::Npz => {
                let archive = Archive::parse(data)?;
                for record in archive.records() {
                    let (dtype, shape) = npz::meta(&archive, record)?;
                    tensors.push(TensorInfo { name: npz::name_of(record)?.to_string(), dtype, shape });
                }
                Inner::Npz(archive)
            }
            Format::Npy => {
                let (dtype, shape) = npy::meta(&data)?;
                tensors.push(TensorInfo { name: "array".into(), dtype, shape });
                Inner::Npy(data)
            }
        };
        let mut by_name = HashMap::new();
        for (i, t) in tensors.iter().enumerate() {
            by_name.entry(t.name.clone()).or_insert(i);
        }
        Ok(TensorFile { path: path.to_path_buf(), format, inner, tensors, by_name, values })
    }
    /// Its format.
    pub fn format(&self) -> Format {
        self.format
    }
    /// Names, dtypes and shapes of its tensors, in its order.
    pub fn tensors(&self) -> &[TensorInfo] {
        &self.tensors
    }
    /// What else it holds, by names: numbers and texts of a checkpoint, the metadata of safetensors.
    pub fn values(&self) -> &[(String, Value)] {
        &self.values
    }
    /// The tensor of that name, read into memory. Tensors that share memory in the file share it when they are asked for.
    ///
    /// # Errors
    /// If there is none, or its numbers are damaged.
    pub fn tensor(&self, name: &str) -> Result<Tensor> {
        let Some(&i) = self.by_name.get(name) else {
            return Err(self.unknown(name).in_file(&self.path));
        };
        self.at(i)
    }
    /// The tensor at a position of [`TensorFile::tensors`].
    ///
    /// # Errors
    /// If its numbers are damaged, or there are fewer.
    pub fn at(&self, i: usize) -> Result<Tensor> {
        let Some(info) = self.tensors.get(i) else {
            bail!("{}: there is no tensor {i}, it has {}", self.path.display(), self.tensors.len())
        };
        self.read(i).map_err(|e| e.within(format_args!("the tensor {:?}", info.name)).in_file(&self.path))
    }
    /// Those of its tensors whose names `wanted` accepts.
    ///
    /// # Errors
    /// If one of them is damaged.
    pub fn state_dict(&self, wanted: impl Fn(&str) -> bool) -> Result<StateDict> {
        let mut state = StateDict::new();
        for (i, info) in self.tensors.iter().enumerate() {
            if wanted(&info.name) {
                state.insert(info.name.clone(), self.at(i)?);
            }
        }
        Ok(state)
    }
    fn read(&self, i: usize) -> Result<Tensor> {
        match &self.inner {
            Inner::Torch { parsed, leaves, shared } => match &leaves[i] {
                Leaf::Tensor(t) => {
                    let storage = parsed.loaded.storage_of(*t);
                    let mut shared = shared.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                    let numbers = match shared.get_mut(&storage) {
                        None => parsed.array(storage)?,
                        Some(Some(known)) => known.clone(),
                        Some(place) => place.insert(parsed.array(storage)?).clone(),
                    };
                    parsed.loaded.tensor(*t, &numbers)?.tensor().cloned()
                }
                Leaf::Array(t) => Ok(t.clone()),
                Leaf::Value(_) => bail!("it is no tensor"),
            },
            Inner::SafeTensors { data, header } => header.entries[i].read(data),
            Inner::Npz(archive) => npz::read(archive, &archive.records()[i]),
            Inner::Npy(data) => npy::load_bytes(data),
        }
    }
    fn unknown(&self, name: &str) -> Error {
        let mut names: Vec<&str> = self.tensors.iter().take(8).map(|t| &*t.name).collect();
        if self.tensors.len() > 8 {
            names.push("...");
        }
        Error::new(format!("there is no tensor {name:?} (tensors: {})", names.join(", ")))
    }
}

impl fmt::Debug for TensorFile {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "TensorFile({:?}, {}, {} tensors)", self.path, self.format, self.tensors.len())
    }
}
