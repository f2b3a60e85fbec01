//! Attacks on loaders of checkpoints, published ones among them: each is refused with a sentence, and the oldest format is read.

use cresset_io::{Value, load, load_bytes, write};
use std::path::Path;

/// A zip archive with this pickle and one storage of four floats.
fn archive(pickle: &[u8], storage: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut directory = Vec::new();
    let records: [(&str, &[u8]); 2] = [("archive/data.pkl", pickle), ("archive/data/0", storage)];
    for (name, data) in records {
        let crc = crc32fast::hash(data).to_le_bytes();
        let size = (data.len() as u32).to_le_bytes();
        let at = (out.len() as u32).to_le_bytes();
        let common = [&[20, 0, 0, 8, 0, 0, 0, 0, 0, 0][..], &crc, &size, &size, &[name.len() as u8, 0, 0, 0]].concat();
        out.extend([b"PK\x03\x04", &common[..], name.as_bytes(), data].concat());
        directory.extend([b"PK\x01\x02\x14\x00", &common[..], &[0; 10], &at, name.as_bytes()].concat());
    }
    let (start, size) = ((out.len() as u32).to_le_bytes(), (directory.len() as u32).to_le_bytes());
    out.extend(directory);
    out.extend([b"PK\x05\x06\0\0\0\0\x02\0\x02\0", &size[..], &start, &[0, 0]].concat());
    out
}

/// A tensor of `numel` floats over the storage.
fn tensor(numel: u8) -> Vec<u8> {
    let mut p =
        b"ctorch._utils\n_rebuild_tensor_v2\n((X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpuK"
            .to_vec();
    p.push(numel);
    p.extend(b"tQK\0K");
    p.push(numel);
    p.extend(b"\x85K\x01\x85\x89ccollections\nOrderedDict\n)RtR");
    p
}

fn pickle(parts: &[&[u8]]) -> Vec<u8> {
    [&[b"\x80\x02" as &[u8]], parts, &[b"."]].concat().concat()
}

fn refusal(data: &[u8]) -> String {
    load_bytes(data).map(|v| format!("{v:?}")).expect_err("should be refused").to_string()
}

#[test]
fn the_archive_of_these_tests_is_good() {
    let v = load_bytes(&archive(&pickle(&[&tensor(4)]), &[0; 16])).unwrap();
    assert_eq!(v.tensor().unwrap().to_vec::<f32>(), [0.0; 4]);
}

/// CVE-2026-24747: items set on something that is no dict, and a storage whose stated size differs from its record.
#[test]
fn items_on_a_tensor_and_sizes_that_lie() {
    let t = tensor(4);
    let set = archive(&pickle(&[&t, b"K\0K\x01s"]), &[0; 16]);
    assert!(refusal(&set).contains("no dict"));
    let set = archive(&pickle(&[&t, b"(K\0K\x01u"]), &[0; 16]);
    assert!(refusal(&set).contains("no dict"));
    for bytes in [12, 20] {
        let lie = archive(&pickle(&[&t]), &vec![0; bytes]);
        assert!(refusal(&lie).contains("but the pickle states 16"), "{}", refusal(&lie));
    }
}

/// CVE-2025-32434: code in a pickle of the tar format, which was read without the safe loader.
#[test]
fn the_tar_format_is_read_and_runs_nothing() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../goldens/saved/tar.pt");
    let v = load(&path).unwrap();
    let (w, t) = (v["w"].tensor().unwrap(), v["t"].tensor().unwrap());
    assert!(w.shares_memory(t));
    assert_eq!(t.to_vec::<f32>(), [0.0, 3.0, 1.0, 4.0, 2.0, 5.0]);
    assert_eq!(v["n"].tensor().unwrap().to_vec::<i64>(), [7, -1]);
    assert_eq!(v["epoch"].int().unwrap(), 3);
    let mut evil = std::fs::read(&path).unwrap();
    let name = b"collections\nOrderedDict\n";
    let at = evil.windows(name.len()).position(|w| w == name).unwrap();
    evil[at..at + name.len()].copy_from_slice(b"os\nsystem_________aaaaa\n");
    assert!(refusal(&evil).contains("\"os.system_________aaaaa\""), "{}", refusal(&evil));
}

#[test]
fn values_that_contain_or_multiply_themselves() {
    let cycle = archive(&pickle(&[b"]q\0h\0a"]), &[]);
    assert!(refusal(&cycle).contains("contains itself"));
    // Each list has the one before twice: 2^60 items, if they were copied.
    let mut laughs = b"]q\0".to_vec();
    for _ in 0..60 {
        laughs.extend(b"0h\0h\0\x86q\0");
    }
    let v = load_bytes(&archive(&pickle(&[&laughs]), &[])).unwrap();
    assert!(format!("{v:?}").len() < 5000);
    let mut bytes = Vec::new();
    write(&v, &mut bytes).unwrap();
    assert!(bytes.len() < 4000);
    // A list copied into a set again and again.
    let list = [&b"("[..], &b"K\x01".repeat(2000), b"lq\0c__builtin__\nset\nq\x01]q\x02"].concat();
    let copies = b"h\x01h\0\x85Ra".repeat(2000);
    assert!(refusal(&archive(&pickle(&[&list, &copies]), &[])).contains("ten times the memory of the file"));
    // Small values that take much: each empty dict is one byte.
    let dicts = [&b"("[..], &b"}".repeat(1_000_000), b"l"].concat();
    assert!(refusal(&archive(&pickle(&[&dicts]), &[])).contains("ten times the memory of the file"));
    // One number shown two billion times.
    let t = tensor(4);
    let at = t.windows(4).position(|w| w == b"tQK\0").unwrap() + 4;
    let wide = [&t[..at], b"J\0\0\0\x70\x85K\0\x85", &t[at + 6..]].concat();
    assert!(refusal(&archive(&pickle(&[&wide]), &[0; 16])).contains("shows its storage as"));
    assert!(refusal(&archive(&pickle(&[b"}]K\x01s"]), &[])).contains("a list of 0 as a key"));
}

#[test]
fn other_kinds_of_file_are_named() {
    assert!(refusal(b"\x93NUMPY\x01\0").contains("npy::load"));
    assert!(refusal(b"\x08\0\0\0\0\0\0\0{}      ").contains("safetensors::load"));
    assert!(refusal(b"\x80\x04K\x01.").contains("plain pickle"));
    assert!(refusal(b"hello").contains("no file of torch.save"));
    let quantized = archive(&pickle(&[b"ctorch._utils\n_rebuild_qtensor\n)R"]), &[]);
    assert!(refusal(&quantized).contains("quantized"));
    let complex = archive(&pickle(&[b"ctorch\nComplexFloatStorage\n"]), &[]);
    assert!(refusal(&complex).contains("complex"));
    assert!(matches!(load_bytes(&archive(&pickle(&[b"N"]), &[])), Ok(Value::None)));
}
