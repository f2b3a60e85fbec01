//! The first format: a tar archive of `storages`, `tensors` and `pickle`, each with pickles and raw numbers in turn.

use super::parsed::{Contents, Place, all_places, place_in};
use crate::bytes::Cursor;
use crate::error::{Error, Result, bail};
use crate::pickle::{Machine, Obj};

pub(super) fn is_tar(data: &[u8]) -> bool {
    data.get(257..262) == Some(b"ustar") || (data.len() >= 512 && checksum_holds(&data[..512]))
}

/// The sum of a header's bytes, its own field counted as spaces, as old archives without a magic have it.
fn checksum_holds(header: &[u8]) -> bool {
    let sum =
        header.iter().enumerate().map(|(i, &b)| if (148..156).contains(&i) { 32 } else { u64::from(b) }).sum::<u64>();
    octal(&header[148..156]) == Some(sum)
}

fn octal(field: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(field).ok()?.trim_matches(['\0', ' ']);
    u64::from_str_radix(text, 8).ok()
}

/// The file of that name in the archive.
fn member<'a>(data: &'a [u8], wanted: &str) -> Result<&'a [u8]> {
    let mut c = Cursor::new(data);
    while c.left() >= 512 {
        let at = c.at;
        let header = c.take(512)?;
        if header.iter().all(|&b| b == 0) {
            break;
        }
        if !checksum_holds(header) {
            bail!("the tar archive has a damaged header at byte {at}");
        }
        let Some(size) = octal(&header[124..136]) else { bail!("the tar archive states no size at byte {}", at + 124) };
        let body = c.take_u64(size)?;
        let padding = c.at.next_multiple_of(512) - c.at;
        c.take(padding.min(c.left()))?;
        let name = header[..100].split(|&b| b == 0).next().unwrap_or_default();
        if name.strip_prefix(b"./").unwrap_or(name) == wanted.as_bytes() {
            return match header[156] {
                b'0' | 0 => Ok(body),
                kind => bail!("{wanted:?} in the tar archive is a link or a device (kind {kind}), not a file"),
            };
        }
    }
    bail!("the tar archive has no file {wanted:?}, so torch.save has not written it")
}

pub(super) fn read(data: &[u8]) -> Result<Contents> {
    let storages = member(data, "storages")?;
    let mut m = Machine::new(storages, 0, data.len())?;
    let raw = read_storages(&mut m, storages).map_err(|e| e.within("file \"storages\" of the archive"))?;
    let tensors = member(data, "tensors")?;
    m.go_to(tensors, 0)?;
    read_tensors(&mut m, tensors).map_err(|e| e.within("file \"tensors\" of the archive"))?;
    m.go_to(member(data, "pickle")?, 0)?;
    let root = m.run().map_err(|e| e.within("file \"pickle\" of the archive"))?;
    let loaded = m.finish(root, "file \"pickle\" of the archive");
    let mut places: Vec<Option<Place>> = raw.iter().map(|raw| Some(Place::Bytes(place_in(data, raw)))).collect();
    places.resize_with(loaded.storages.len(), || None);
    let places = all_places(places, &loaded.storages)?;
    Ok(Contents { loaded, places, big_endian: false, script: false })
}

/// (key, device, class) and the numbers, for each; then the views: (name, storage, offset, number of elements).
fn read_storages<'a>(m: &mut Machine<'a>, data: &'a [u8]) -> Result<Vec<&'a [u8]>> {
    let mut raw = Vec::new();
    let count = m.run()?;
    for _ in 0..m.int(count)? {
        let head = m.run()?;
        let [key, _device, class] = *m.sequence(head)? else { bail!("a storage is not (key, device, class)") };
        let key = m.int(key)?.to_string();
        let mut c = Cursor::at(data, m.at())?;
        let numel = c.clone().u64()?;
        let (object, i, dtype) = m.outside_storage(&key, class, numel)?;
        if i != raw.len() {
            bail!("the storage {key} is there twice");
        }
        let stated = numel.saturating_mul(dtype.size() as u64);
        raw.push(super::legacy::elements(&mut c, dtype.size(), stated, false)?);
        m.set_outside(key, object);
        m.go_to(data, c.at)?;
    }
    let views = m.run()?;
    for view in m.sequence(views)?.to_vec() {
        let [name, root, offset, _numel] = *m.sequence(view)? else {
            bail!("a view is not (name, storage, offset, number)")
        };
        let (name, root, offset) = (m.int(name)?.to_string(), m.int(root)?.to_string(), m.int(offset)?);
        let Ok(offset) = u64::try_from(offset) else { bail!("the view {name} has a negative offset") };
        let object = m.outside_view(&root, offset)?;
        m.set_outside(name, object);
    }
    Ok(raw)
}

/// (key, storage, class), number of dimensions, sizes, strides and offset, for each.
fn read_tensors<'a>(m: &mut Machine<'a>, data: &'a [u8]) -> Result<()> {
    let count = m.run()?;
    for _ in 0..m.int(count)? {
        let head = m.run()?;
        let [key, storage, _class] = *m.sequence(head)? else { bail!("a tensor is not (key, storage, class)") };
        let key = m.int(key)?.to_string();
        let mut c = Cursor::at(data, m.at())?;
        let dims = c.u32()?;
        c.take(4)?;
        if dims > 10 {
            bail!("the tensor {key} has {dims} dimensions, cresset's have at most 10");
        }
        let mut number = || -> Result<usize> {
            let n = c.u64()?;
            usize::try_from(n)
                .ok()
                .filter(|&n| n <= isize::MAX as usize)
                .ok_or_else(|| Error::new("a size is negative"))
        };
        let size = (0..dims).map(|_| number()).collect::<Result<Vec<_>>>()?;
        let stride = (0..dims).map(|_| number()).collect::<Result<Vec<_>>>()?;
        let offset = number()?;
        let object = match storage {
            Obj::None => bail!("the tensor {key} has no storage"),
            s => m.outside_tensor(&m.int(s)?.to_string(), offset, size, stride)?,
        };
        m.set_outside(key, object);
        m.go_to(data, c.at)?;
    }
    Ok(())
}
