//! MNIST's files: what is accepted and what is refused.

use cresset_data::{DataLoader, Dataset, Mnist, read_idx};
use cresset_tensor::DType;
use std::io::Write;
use std::path::{Path, PathBuf};

/// A folder of its own for a test, removed at the end.
struct Folder(PathBuf);
impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("cresset-data-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }
    fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path
    }
}
impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn idx(dims: &[u32], data: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, dims.len() as u8];
    dims.iter().for_each(|d| bytes.extend(d.to_be_bytes()));
    bytes.extend(data);
    bytes
}
fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    writer.write_all(bytes).unwrap();
    writer.finish().unwrap()
}
fn pixels(n: usize) -> Vec<u8> {
    (0..n * 784).map(|i| (i % 251) as u8).collect()
}

#[test]
fn plain_and_compressed_files_are_read() {
    let folder = Folder::new("read");
    folder.write("train-images-idx3-ubyte", &idx(&[3, 28, 28], &pixels(3)));
    folder.write("train-labels-idx1-ubyte.gz", &gzip(&idx(&[3], &[7, 0, 9])));
    folder.write("MNIST/raw/t10k-images.idx3-ubyte.gz", &gzip(&idx(&[1, 28, 28], &pixels(1))));
    folder.write("MNIST/raw/t10k-labels-idx1-ubyte", &idx(&[1], &[4]));
    let test = Mnist::load(&folder.0, false).unwrap();
    assert_eq!(test.labels().to_vec::<i64>(), [4]);
    let train = Mnist::load(&folder.0, true).unwrap();
    assert_eq!((train.len(), train.images().dtype()), (3, DType::U8));
    assert_eq!(train.images().to_vec::<u8>(), pixels(3));
    let (picture, label) = train.get(1).unwrap();
    assert_eq!((&picture.shape()[..], label), (&[1, 28, 28][..], 0));
    let want: Vec<f32> = pixels(3)[784..1568].iter().map(|&x| f32::from(x) / 255.0).collect();
    assert_eq!(picture.to_vec::<f32>(), want);
    let (x, y) = train.get_batch(&[2, 1]).unwrap();
    assert_eq!((&x.shape()[..], y.to_vec::<i64>()), (&[2, 1, 28, 28][..], vec![9, 0]));
    assert_eq!(x.to_vec::<f32>()[784..], want);
    let (x, _) = DataLoader::new(train.clone().flat(), 2).iter().next().unwrap().unwrap();
    assert_eq!(x.shape()[..], [2, 784]);
    assert_eq!(train.flat().to_tensors().get_batch(&[1]).unwrap().0.to_vec::<f32>(), want);
}

#[test]
fn faults_are_named() {
    let folder = Folder::new("faults");
    let refused = |what: &str| {
        let error = Mnist::load(&folder.0, true).unwrap_err().to_string();
        assert!(error.contains(what), "{error}");
    };
    let error = Mnist::load(folder.0.join("none"), true).unwrap_err().to_string();
    assert!(error.ends_with("none: expected a folder with the files of MNIST, found none"), "{error}");
    refused("expected train-images-idx3-ubyte or train-images-idx3-ubyte.gz in this folder, found neither");
    let (images, labels) = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte");
    let good = idx(&[2, 28, 28], &pixels(2));
    folder.write(labels, &idx(&[2], &[1, 2]));
    folder.write(images, &idx(&[2], &[1, 2]));
    refused(
        "train-images-idx3-ubyte: expected the magic number 0x00000803 (unsigned bytes in 3 dimensions) at offset 0, found 0x00000801",
    );
    folder.write(images, &good[..10]);
    refused("the file ends at byte 10, within its 16 bytes of header");
    folder.write(images, &good[..good.len() - 1]);
    refused("the sizes [2, 28, 28] in the header make 1584 bytes, but the file has 1583");
    folder.write(images, &[&good[..], &[0]].concat());
    refused("the sizes [2, 28, 28] in the header make 1584 bytes, but the file has 1585");
    folder.write(images, &idx(&[u32::MAX, u32::MAX, u32::MAX], &[]));
    refused("are too large");
    folder.write(images, &idx(&[2, 14, 56], &pixels(2)));
    refused("expected pictures of 28 x 28 pixels, found 14 x 56");
    folder.write(images, &gzip(&idx(&[1 << 20, 28, 28], &pixels(2))));
    refused("but the data ends at 1584");
    folder.write(images, &gzip(&[&good[..], &[0]].concat()));
    refused("there is more after the 1584 bytes");
    folder.write(images, &gzip(&good)[..100]);
    refused("the gzip data is damaged");
    folder.write(images, &good);
    folder.write(labels, &idx(&[3], &[1, 2, 3]));
    refused("has pictures (2), found 3");
    folder.write(labels, &idx(&[2], &[1, 10]));
    refused("train-labels-idx1-ubyte: expected labels from 0 to 9, found 10 at offset 9");
}

#[test]
fn damaged_files_never_panic() {
    let folder = Folder::new("damaged");
    let plain = idx(&[2, 28, 28], &pixels(2));
    let packed = gzip(&plain);
    let mut random = 99u32;
    let mut try_bytes = |bytes: &mut Vec<u8>, header_only: bool| {
        for _ in 0..2 {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let end = if header_only { 16 } else { bytes.len() };
            let at = (random >> 8) as usize % end;
            bytes[at] ^= 1 << (random >> 29);
        }
        let path = folder.write("file", bytes);
        if let Ok(idx) = read_idx(Path::new(&path), 3) {
            assert_eq!(idx.data.len(), idx.shape.iter().product::<usize>());
            assert!(idx.data.len() < 10_000 && idx.data.capacity() < 20_000);
        }
    };
    for round in 0..200 {
        try_bytes(&mut plain.clone(), round % 2 == 0);
        try_bytes(&mut packed.clone(), round % 2 == 0);
        // A header whose sizes lie, inside whole gzip data.
        let mut lying = plain.clone();
        lying[4 + round % 12] ^= 1 << (round % 8);
        try_bytes(&mut gzip(&lying), false);
    }
}
