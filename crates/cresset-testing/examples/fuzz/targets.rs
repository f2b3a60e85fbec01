//! What is fuzzed: every reader of files, each over bytes that may be anything.

use cresset_data::{CsvReader, Idx};
use cresset_io::{TensorFile, load_bytes, npy, npz, safetensors, write};

/// A reader, where its seeds lie and what mutations may add.
pub struct Target {
    pub name: &'static str,
    /// Reads the bytes; the sentence of a refusal.
    pub run: fn(&[u8]) -> Result<(), String>,
    /// Makes checksums hold again, so that mutations reach what lies behind them.
    pub repair: Option<fn(&mut [u8])>,
    /// Seeds: files of `goldens/files` and `goldens/saved` with these endings whose names begin so.
    pub seeds: fn(&str) -> bool,
    /// From a seed's bytes to the target's input.
    pub prepare: fn(&[u8]) -> Option<Vec<u8>>,
    /// Words worth inserting.
    pub words: &'static [&'static [u8]],
}

pub const TARGETS: &[Target] = &[
    Target {
        name: "pickle",
        run: |data| torch(&archive(data, &[7; 64])),
        repair: None,
        seeds: |name| name.ends_with(".pt") && !legacy(name),
        prepare: pickle_of,
        words: PICKLE_WORDS,
    },
    Target {
        name: "zip",
        run: torch,
        repair: Some(repair_zip),
        seeds: |name| name.ends_with(".pt") && !legacy(name),
        prepare: whole,
        words: ZIP_WORDS,
    },
    Target {
        name: "legacy",
        run: torch,
        repair: None,
        seeds: |name| name.starts_with("legacy"),
        prepare: whole,
        words: PICKLE_WORDS,
    },
    Target {
        name: "tar",
        run: torch,
        repair: Some(repair_tar),
        seeds: |name| name == "tar.pt",
        prepare: whole,
        words: PICKLE_WORDS,
    },
    Target {
        name: "safetensors",
        run: |data| {
            open(data);
            safetensors::load_bytes(data).map(drop).map_err(|e| e.to_string())
        },
        repair: None,
        seeds: |name| name.ends_with(".safetensors"),
        prepare: whole,
        words: &[
            b"{",
            b"}",
            b"[",
            b"]",
            b",",
            b":",
            b"\"",
            b"\"dtype\"",
            b"\"shape\"",
            b"\"data_offsets\"",
            b"\"__metadata__\"",
            b"\"F32\"",
            b"\"BF16\"",
            b"\"F8_E4M3\"",
            b"[0,4]",
            b"18446744073709551615",
            b"18446744073709551616",
            b"-1",
            b"1e3",
            b"\\u0000",
            b"\\ud800",
        ],
    },
    Target {
        name: "npy",
        run: |data| npy::load_bytes(data).map(drop).map_err(|e| e.to_string()),
        repair: None,
        seeds: |name| name.ends_with(".npy"),
        prepare: whole,
        words: NPY_WORDS,
    },
    Target {
        name: "npz",
        run: |data| {
            open(data);
            npz::load_bytes(data).map(drop).map_err(|e| e.to_string())
        },
        repair: Some(repair_zip),
        seeds: |name| name.ends_with(".npz"),
        prepare: whole,
        words: ZIP_WORDS,
    },
    Target {
        name: "idx",
        run: |data| {
            let dims = if data.get(3) == Some(&3) { 3 } else { 1 };
            Idx::parse(data, dims, "x").map(drop).map_err(|e| e.to_string())
        },
        repair: None,
        seeds: |name| name.ends_with(".idx") || name.ends_with(".idx.gz"),
        prepare: whole,
        words: &[&[0, 0, 8, 1], &[0, 0, 8, 3], &[0, 0, 0, 1], &[0x1f, 0x8b, 8], &[0xff; 4]],
    },
    Target {
        name: "csv",
        run: |data| {
            let first = CsvReader::new().parse(data, "x", -1).map(drop).map_err(|e| e.to_string());
            let second = CsvReader::new().header(false).parse(data, "x", 0).map(drop);
            let third = CsvReader::new().parse_columns(data, "x").map(drop);
            first.and(second.and(third).map_err(|e| e.to_string()))
        },
        repair: None,
        seeds: |name| name.ends_with(".csv"),
        prepare: |data| Some(data[..data.len().min(1000)].to_vec()),
        words: &[
            b",",
            b";",
            b"\t",
            b"\n",
            b"\r\n",
            b"\"",
            b"\"\"",
            b"nan",
            b"inf",
            b"1e39",
            b"-1",
            b"150,4,a,b\n",
            b"\xef\xbb\xbf",
            b"\0",
            b"\xff",
        ],
    },
    Target {
        name: "toml",
        run: |data| cresset_cli::read_config(data.to_vec()).map(drop),
        repair: None,
        seeds: |name| name.ends_with(".toml"),
        prepare: whole,
        words: TOML_WORDS,
    },
];

fn legacy(name: &str) -> bool {
    name.starts_with("legacy") || name.starts_with("tar")
}
fn whole(data: &[u8]) -> Option<Vec<u8>> {
    Some(data.to_vec())
}

/// What loads is also written, and what is written loads.
fn torch(data: &[u8]) -> Result<(), String> {
    open(data);
    let value = load_bytes(data).map_err(|e| e.to_string())?;
    let _ = format!("{value:?}");
    let mut bytes = Vec::new();
    if write(&value, &mut bytes).is_ok()
        && let Err(e) = load_bytes(&bytes)
    {
        panic!("what was written is not read: {e}");
    }
    Ok(())
}

/// The same file opened, and its tensors read one by one.
fn open(data: &[u8]) {
    if let Ok(file) = TensorFile::from_bytes(data.to_vec()) {
        for i in 0..file.tensors().len().min(100) {
            if let Ok(t) = file.at(i) {
                let info = &file.tensors()[i];
                assert!(t.shape()[..] == info.shape && t.dtype() == info.dtype, "a tensor is not what was said");
            }
        }
    }
}

/// A zip archive as `torch.save` writes it, with this pickle and a few storages of the same bytes.
fn archive(pickle: &[u8], storage: &[u8]) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    let names = ["archive/data.pkl", "archive/version", "archive/data/0", "archive/data/1", "archive/data/2"];
    for (i, name) in names.into_iter().enumerate() {
        let data: &[u8] = match i {
            0 => pickle,
            1 => b"3\n",
            2 => &storage[..storage.len() / 4],
            _ => storage,
        };
        let crc = crc32fast::hash(data).to_le_bytes();
        let size = (data.len() as u32).to_le_bytes();
        let at = (out.len() as u32).to_le_bytes();
        let common = [&[20, 0, 0, 8, 0, 0, 0, 0, 0, 0][..], &crc, &size, &size, &[name.len() as u8, 0, 0, 0]].concat();
        out.extend([b"PK\x03\x04", &common[..], name.as_bytes(), data].concat());
        directory.extend([b"PK\x01\x02\x14\x00", &common[..], &[0; 10], &at, name.as_bytes()].concat());
    }
    let (start, size) = ((out.len() as u32).to_le_bytes(), (directory.len() as u32).to_le_bytes());
    out.extend(directory);
    out.extend([b"PK\x05\x06\0\0\0\0\x05\0\x05\0", &size[..], &start, &[0, 0]].concat());
    out
}

fn u16_at(data: &[u8], at: usize) -> Option<usize> {
    Some(usize::from(u16::from_le_bytes(*data.get(at..)?.first_chunk()?)))
}
fn u32_at(data: &[u8], at: usize) -> Option<usize> {
    Some(u32::from_le_bytes(*data.get(at..)?.first_chunk()?) as usize)
}

/// Where the records of the directory begin.
fn entries(data: &[u8]) -> Vec<usize> {
    (0..data.len().saturating_sub(45)).filter(|&i| data[i..i + 4] == *b"PK\x01\x02").take(100).collect()
}

/// The bytes of a stored record: its header, and where it lies.
fn record(data: &[u8], entry: usize) -> Option<(usize, std::ops::Range<usize>)> {
    let header = u32_at(data, entry + 42)?;
    let start = header + 30 + u16_at(data, header + 26)? + u16_at(data, header + 28)?;
    let end = start.checked_add(u32_at(data, entry + 20)?)?;
    (end <= data.len()).then_some((header, start..end))
}

fn pickle_of(data: &[u8]) -> Option<Vec<u8>> {
    for entry in entries(data) {
        let name = data.get(entry + 46..entry + 46 + u16_at(data, entry + 28)?)?;
        if name.ends_with(b"/data.pkl") && u16_at(data, entry + 10) == Some(0) {
            return Some(data[record(data, entry)?.1].to_vec());
        }
    }
    None
}

/// Writes the checksums that stored records have.
fn repair_zip(data: &mut [u8]) {
    for entry in entries(data) {
        if u16_at(data, entry + 10) != Some(0) {
            continue;
        }
        let Some((header, span)) = record(data, entry) else { continue };
        let crc = crc32fast::hash(&data[span]).to_le_bytes();
        data[entry + 16..entry + 20].copy_from_slice(&crc);
        data[header + 14..header + 18].copy_from_slice(&crc);
    }
}

/// Writes the sums of headers that name one of the three files.
fn repair_tar(data: &mut [u8]) {
    let mut at = 0;
    while at + 512 <= data.len() {
        let header = &mut data[at..at + 512];
        if [&b"storages"[..], b"tensors", b"pickle", b"./"].iter().any(|n| header.starts_with(n)) {
            header[148..156].fill(b' ');
            let sum: u32 = header.iter().map(|&b| u32::from(b)).sum();
            header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        }
        at += 512;
    }
}

const TOML_WORDS: &[&[u8]] = &[
    b"[data]",
    b"[network]",
    b"[[network]]",
    b"[run]",
    b"[optimizer]",
    b"[early_stopping]",
    b"layers",
    b"activation",
    b"batch_size",
    b"epochs",
    b"csv",
    b"target",
    b"out",
    b"name",
    b"lr",
    b"=",
    b".",
    b" = ",
    b"[",
    b"]",
    b"{",
    b"}",
    b",",
    b"\n",
    b"#",
    b"\"",
    b"'",
    b"\"\"\"",
    b"'''",
    b"\\u0041",
    b"\\U0010ffff",
    b"\\x1b",
    b"0x7f",
    b"0o7",
    b"0b1",
    b"1_000",
    b"-1",
    b"1e400",
    b"nan",
    b"inf",
    b"true",
    b"1979-05-27T07:32:00Z",
    b"9223372036854775808",
    b"340282366920938463463374607431768211456",
    b"a.b.c.d = 1\n",
    b"\xef\xbb\xbf",
    b"\0",
    b"\xff",
];
const ZIP_WORDS: &[&[u8]] = &[
    b"PK\x01\x02",
    b"PK\x03\x04",
    b"PK\x05\x06",
    b"PK\x06\x06",
    b"PK\x06\x07",
    b"PK\x07\x08",
    b"/data.pkl",
    b"data/0",
    b"version",
    b"byteorder",
    b"big",
    b"little",
    b"constants.pkl",
    b".npy",
    b"..",
    b"/",
    &[0xff; 4],
    &[0xff; 8],
    &[1, 0, 16, 0],
    &[8, 0],
    &[0, 8],
    &[0; 8],
    b"\x93NUMPY\x01\x00",
];
const NPY_WORDS: &[&[u8]] = &[
    b"\x93NUMPY",
    b"'descr'",
    b"'fortran_order'",
    b"'shape'",
    b"True",
    b"False",
    b"'<f4'",
    b"'>i8'",
    b"'|b1'",
    b"'<c8'",
    b"'<U4'",
    b"(",
    b")",
    b",",
    b"{",
    b"}",
    b":",
    b"18446744073709551615",
    b"4294967296",
    b"0",
    b"-1",
    b"1L",
    b"\\",
];
const PICKLE_WORDS: &[&[u8]] = &[
    b"\x80\x02",
    b"(",
    b")",
    b"]",
    b"}",
    b"t",
    b"l",
    b"d",
    b"R",
    b"b",
    b"Q",
    b"q\x00",
    b"h\x00",
    b"\x94",
    b"\x85",
    b"\x86",
    b"\x87",
    b"u",
    b"s",
    b"e",
    b"a",
    b"0",
    b"1",
    b"2",
    b"N",
    b"\x88",
    b"\x89",
    b"K\x01",
    b"J\xff\xff\xff\xff",
    b"\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f",
    b"\x8b\xff\xff\xff\x7f",
    b"X\x01\x00\x00\x00a",
    b"\x8c\x01a",
    b"\x8d\xff\xff\xff\xff\xff\xff\xff\x7f",
    b"\x8f",
    b"\x90",
    b"\x91",
    b"\x93",
    b"\x81",
    b"I01\n",
    b"I7\n",
    b"L7L\n",
    b"F1.5\n",
    b"V\\u0041\n",
    b"S'a'\n",
    b"P0\n",
    b"p0\n",
    b"g0\n",
    b"ctorch._utils\n_rebuild_tensor_v2\n",
    b"ctorch._utils\n_rebuild_tensor_v3\n",
    b"ctorch._utils\n_rebuild_parameter\n",
    b"ctorch._tensor\n_rebuild_from_type_v2\n",
    b"ccollections\nOrderedDict\n",
    b"ccollections\ndefaultdict\n",
    b"ctorch\nFloatStorage\n",
    b"ctorch\nHalfStorage\n",
    b"ctorch.storage\nUntypedStorage\n",
    b"ctorch\nSize\n",
    b"ctorch\ndevice\n",
    b"ctorch\nfloat32\n",
    b"c_codecs\nencode\n",
    b"c__builtin__\nset\n",
    b"cbuiltins\nbytearray\n",
    b"cnumpy.core.multiarray\nscalar\n",
    b"cnumpy.core.multiarray\n_reconstruct\n",
    b"cnumpy._core.numeric\n_frombuffer\n",
    b"cnumpy\ndtype\n",
    b"cnumpy\nndarray\n",
    b"c__torch__\nNet\n",
    b"X\x07\x00\x00\x00storage",
    b".",
    b"X\x06\x00\x00\x00latin1",
    b"X\x01\x00\x00\x00<",
    b"X\x02\x00\x00\x00f4",
];
