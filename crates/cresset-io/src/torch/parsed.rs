//! A file whose pickle was read, and whose numbers still lie where they are.

use super::storages::{array, arrays};
use super::{legacy, tar, zip_format};
use crate::bytes::PrivateMap;
use crate::error::{Result, bail};
use crate::pickle::{Leaf, Loaded, Storage};
use crate::value::{Dict, Value};
use crate::zip::Archive;
use cresset_tensor::Meta;
use cresset_tensor::array::Array;
use std::ops::{Deref, Range};

/// A file of `torch.save` in any of its formats, in bytes that are lent or in a file's.
pub(crate) struct Parsed<D> {
    data: Data<D>,
    pub loaded: Loaded,
    /// Where the numbers of each storage are.
    places: Vec<Place>,
    big_endian: bool,
    /// Is it a TorchScript archive, of which the state dict is taken?
    script: bool,
}

enum Data<D> {
    Zip(Archive<D>),
    Plain(D),
}

/// Where the numbers of a storage are.
pub(super) enum Place {
    /// A record of the archive.
    Record(usize),
    /// Bytes of the file.
    Bytes(Range<usize>),
}

/// What the readers of the formats find out.
pub(super) struct Contents {
    pub loaded: Loaded,
    pub places: Vec<Place>,
    pub big_endian: bool,
    pub script: bool,
}

impl<D: Deref<Target = [u8]> + Sync> Parsed<D> {
    pub fn parse(data: D) -> Result<Parsed<D>> {
        if data.is_empty() {
            bail!("the file is empty");
        }
        let (data, contents) = if data.starts_with(b"PK\x03\x04") {
            let file = data.len();
            let archive = Archive::parse(data)?;
            let contents = zip_format::read(&archive, file)?;
            (Data::Zip(archive), contents)
        } else if tar::is_tar(&data) {
            let contents = tar::read(&data)?;
            (Data::Plain(data), contents)
        } else if data.starts_with(&[0x80]) {
            let contents = legacy::read(&data)?;
            (Data::Plain(data), contents)
        } else if data.starts_with(b"\x93NUMPY") {
            bail!("this is a numpy file, which npy::load reads")
        } else if data.get(8) == Some(&b'{') {
            bail!("this looks like a safetensors file, which safetensors::load reads")
        } else {
            bail!("this is no file of torch.save: it is neither a zip archive nor a tar archive nor a pickle")
        };
        let Contents { loaded, places, big_endian, script } = contents;
        Ok(Parsed { data, loaded, places, big_endian, script })
    }

    /// The numbers of a storage, read and checked.
    pub fn array(&self, i: usize) -> Result<Array> {
        array(&self.loaded.storages[i], self.big_endian, |out| match (&self.data, &self.places[i]) {
            (Data::Zip(archive), Place::Record(r)) => archive.read_into(&archive.records()[*r], out),
            (Data::Zip(_), Place::Bytes(_)) | (Data::Plain(_), Place::Record(_)) => bail!("a storage has no place"),
            (Data::Plain(data), Place::Bytes(range)) => {
                out.copy_from_slice(&data[range.clone()]);
                Ok(())
            }
        })
    }

    /// A storage in the file's own pages, where its numbers lie there as they are.
    fn in_map(&self, i: usize, map: &mut PrivateMap) -> Option<Array> {
        if self.big_endian != cfg!(target_endian = "big") {
            return None;
        }
        let range = match (&self.data, &self.places[i]) {
            (Data::Zip(archive), Place::Record(r)) => archive.stored(&archive.records()[*r])?,
            (Data::Plain(_), Place::Bytes(range)) => range.clone(),
            _ => return None,
        };
        let dtype = self.loaded.storages[i].numbers();
        let len = range.len() / dtype.size();
        Some(Array::from_buffer(map.part(range, dtype.size())?, Meta::new(dtype, [len])))
    }

    /// All of it; the numbers in the pages of `map`, if there is one and they can be.
    pub fn value(&self, map: Option<&mut PrivateMap>) -> Result<Value> {
        let storages = &self.loaded.storages;
        let numbers = match map {
            None => arrays(storages, |i| self.array(i))?,
            Some(map) => (0..storages.len())
                .map(|i| self.in_map(i, map).map_or_else(|| self.array(i), Ok))
                .collect::<Result<_>>()?,
        };
        if !self.script {
            return self.loaded.value(&numbers);
        }
        let mut state = Dict::ordered();
        for (name, leaf) in self.leaves()? {
            if let Leaf::Tensor(t) = leaf {
                state.insert(name, self.loaded.tensor(t, &numbers[self.loaded.storage_of(t)])?);
            }
        }
        Ok(Value::Dict(state))
    }

    /// Tensors and other values by their names.
    pub fn leaves(&self) -> Result<Vec<(String, Leaf)>> {
        self.loaded.leaves(self.script)
    }
}

/// The place of a part of the file in it.
pub(super) fn place_in(data: &[u8], part: &[u8]) -> Range<usize> {
    let start = (part.as_ptr() as usize).saturating_sub(data.as_ptr() as usize).min(data.len());
    start..(start + part.len()).min(data.len())
}

/// Every storage needs a place.
pub(super) fn all_places(places: Vec<Option<Place>>, storages: &[Storage]) -> Result<Vec<Place>> {
    let found = places.into_iter().zip(storages).map(|(place, s)| match place {
        Some(place) => Ok(place),
        None => bail!("the file has no numbers for the storage {:?}", s.key),
    });
    found.collect()
}
