//! The zip format: one folder with `data.pkl`, `byteorder`, `version` and a record `data/N` for each storage.

use super::parsed::{Contents, Place};
use crate::error::{Error, Result, bail};
use crate::pickle::{Machine, Storage};
use crate::zip::Archive;
use std::ops::Deref;

/// The newest version of the layout that is known (`kMaxSupportedFileFormatVersion`).
const NEWEST: u64 = 10;

pub(super) fn read<D: Deref<Target = [u8]>>(archive: &Archive<D>, file: usize) -> Result<Contents> {
    let top = archive
        .records()
        .iter()
        .filter_map(|r| r.name.strip_suffix("/data.pkl"))
        .find(|top| !top.contains('/'))
        .ok_or_else(|| {
            Error::new("the archive has no record data.pkl in its top folder, so torch.save has not written it")
        })?;
    let text = |name: &str| -> Result<Option<String>> {
        let Some(record) = archive.find(&format!("{top}/{name}")) else { return Ok(None) };
        if record.size > 100 {
            bail!("record {:?} has {} bytes, far too many", record.name, record.size);
        }
        Ok(Some(String::from_utf8_lossy(&archive.read(record)?).trim().to_string()))
    };
    if let Some(version) = text("version")? {
        match version.parse() {
            Ok(1..=NEWEST) => {}
            _ => bail!("the archive's version is {version:?}; versions 1 to {NEWEST} are known"),
        }
    }
    let big_endian = match text("byteorder")?.as_deref() {
        None | Some("little") => false,
        Some("big") => true,
        Some(other) => bail!("the archive's byte order is {other:?}; little and big are known"),
    };
    // A TorchScript archive has code besides, which is not looked at.
    let script = archive.find(&format!("{top}/constants.pkl")).is_some();
    let Some(record) = archive.find(&format!("{top}/data.pkl")) else { bail!("the archive has no record data.pkl") };
    let place = format!("record {:?}", record.name);
    let pickle = archive.read(record)?;
    let run = || {
        let mut machine = Machine::new(&pickle, 0, file)?;
        if script {
            machine = machine.for_script();
        }
        let root = machine.run()?;
        Ok(machine.finish(root, &place))
    };
    let loaded = run().map_err(|e: Error| e.within(&place))?;
    let of_storage = |s: &Storage| {
        let name = format!("{top}/data/{}", s.key);
        let Some(i) = archive.place(&name) else {
            bail!("the archive has no record {name:?} for a storage of {} bytes", s.bytes)
        };
        let size = archive.records()[i].size;
        if size as u64 != s.bytes {
            bail!("record {name:?} has {size} bytes, but the pickle states {} for this storage", s.bytes);
        }
        Ok(Place::Record(i))
    };
    let places = loaded.storages.iter().map(of_storage).collect::<Result<_>>()?;
    Ok(Contents { loaded, places, big_endian, script })
}
