//! The format before PyTorch 1.6: pickles one after the other (a magic number, a version, the machine, the value, the keys of the
//! storages), then the storages, each with its number of elements before it.

use super::parsed::{Contents, Place, all_places, place_in};
use crate::bytes::Cursor;
use crate::error::{Error, Result, bail};
use crate::pickle::{Machine, Obj};
use std::collections::HashMap;

/// The magic number, as a pickled integer of protocol 2.
const MAGIC: [u8; 15] = [0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, b'.'];
const PROTOCOL: i64 = 1001;

pub(super) fn read(data: &[u8]) -> Result<Contents> {
    // Other pickle protocols put their own marks around the same number.
    let start = MAGIC.get(4..14).and_then(|m| data.get(..40.min(data.len()))?.windows(10).position(|w| w == m));
    if start.is_none() {
        bail!("this is a plain pickle, not a file of torch.save: the magic number at its start is missing");
    }
    let mut m = Machine::new(data, 0, data.len())?;
    m.run()?;
    let version = m.run()?;
    if m.int(version)? != PROTOCOL {
        bail!("the old format has the version {PROTOCOL}, this file states {}", m.int(version)?);
    }
    let machine = m.run()?;
    let big_endian = matches!(m.entry(machine, "little_endian")?, Some(Obj::Bool(false)));
    let root = m.run()?;
    let keys = m.run()?;
    let keys = m.sequence(keys)?.iter().map(|&k| m.str(k)).collect::<Result<Vec<_>>>()?;
    let mut c = Cursor::at(data, m.at())?;
    let loaded = m.finish(root, "the pickle");
    let by_key: HashMap<&str, usize> = loaded.storages.iter().enumerate().map(|(i, s)| (&*s.key, i)).collect();
    let mut places = Vec::new();
    places.resize_with(loaded.storages.len(), || None);
    for key in keys {
        let at = c.at;
        let within = |e: Error| e.within(format_args!("storage {key:?} at byte {at}"));
        let Some(&i) = by_key.get(&*key) else {
            bail!("the file has a storage {key:?} that its pickle does not refer to")
        };
        let storage = &loaded.storages[i];
        let raw = elements(&mut c, storage.numbers().size(), storage.bytes, big_endian).map_err(within)?;
        if places[i].replace(Place::Bytes(place_in(data, raw))).is_some() {
            bail!("the file has the storage {key:?} twice");
        }
    }
    let places = all_places(places, &loaded.storages)?;
    Ok(Contents { loaded, places, big_endian, script: false })
}

/// The bytes of a storage after their number, which must be the stated one.
pub(super) fn elements<'a>(c: &mut Cursor<'a>, size: usize, stated: u64, big_endian: bool) -> Result<&'a [u8]> {
    let count = c.array()?;
    let count = if big_endian { u64::from_be_bytes(count) } else { u64::from_le_bytes(count) };
    if count.checked_mul(size as u64) != Some(stated) {
        bail!("{count} elements of {size} bytes are announced, but the pickle states {stated} bytes");
    }
    c.take_u64(stated)
}
