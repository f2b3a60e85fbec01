//! MNIST and its relatives from a folder of IDX files.

use super::idx::read_idx;
use crate::collate::Collate;
use crate::dataset::{Dataset, TensorDataset, out_of_range};
use crate::error::Error;
use cresset_tensor::array::{Array, Meta};
use cresset_tensor::{DType, Dims, Tensor};
use std::path::{Path, PathBuf};
use std::sync::Arc;

const SIDE: usize = 28;
const PIXELS: usize = SIDE * SIDE;

/// The pictures and labels of MNIST (or Fashion-MNIST, or another set in the same files), kept as bytes.
///
/// A sample is the picture, an f32 tensor of shape `[1, 28, 28]` with values from 0 to 1 (`torchvision.datasets.MNIST` with `ToTensor`), and its
/// label; a batch is made of the bytes at once.
///
/// ```no_run
/// use cresset_data::{DataLoader, Mnist};
/// let train = Mnist::load("data/mnist", true)?.flat();
/// for batch in &DataLoader::new(train, 128).shuffle(true) {
///     let (x, y) = batch?; // [128, 784] and [128]
/// }
/// # Ok::<(), cresset_data::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Mnist {
    images: Arc<Vec<u8>>,
    labels: Arc<Vec<u8>>,
    flat: bool,
}

impl Mnist {
    /// Reads `train-images-idx3-ubyte` and `train-labels-idx1-ubyte`, or the `t10k-` files of the test, from a folder; each may be plain or
    /// compressed (`.gz`). The folder `MNIST/raw` below, where torchvision puts them, is looked into as well.
    ///
    /// # Errors
    /// If a file is missing or damaged, pictures are not 28 x 28, labels are not as many as pictures, or a label is above 9: one sentence with the
    /// file and what was expected.
    pub fn load(dir: impl AsRef<Path>, train: bool) -> Result<Mnist, Error> {
        let part = if train { "train" } else { "t10k" };
        let images_path = find(dir.as_ref(), &format!("{part}-images"), "idx3-ubyte")?;
        let labels_path = find(dir.as_ref(), &format!("{part}-labels"), "idx1-ubyte")?;
        let images = read_idx(&images_path, 3)?;
        if images.shape[1..] != [SIDE, SIDE] {
            let (rows, columns) = (images.shape[1], images.shape[2]);
            return Err(Error::new(format!(
                "{}: expected pictures of 28 x 28 pixels, found {rows} x {columns}",
                images_path.display()
            )));
        }
        let labels = read_idx(&labels_path, 1)?;
        if labels.shape[0] != images.shape[0] {
            return Err(Error::new(format!(
                "{}: expected as many labels as {} has pictures ({}), found {}",
                labels_path.display(),
                images_path.display(),
                images.shape[0],
                labels.shape[0]
            )));
        }
        if let Some(at) = labels.data.iter().position(|&label| label > 9) {
            return Err(Error::new(format!(
                "{}: expected labels from 0 to 9, found {} at offset {}",
                labels_path.display(),
                labels.data[at],
                at + 8
            )));
        }
        Ok(Mnist { images: Arc::new(images.data), labels: Arc::new(labels.data), flat: false })
    }
    /// The same with pictures as vectors of 784 numbers.
    pub fn flat(mut self) -> Mnist {
        self.flat = true;
        self
    }
    /// The pictures, a u8 tensor of shape `[n, 28, 28]` (`dataset.data`).
    pub fn images(&self) -> Tensor {
        Tensor::from_vec(self.images.as_slice(), [self.labels.len(), SIDE, SIDE])
    }
    /// The labels, an i64 tensor of shape `[n]` (`dataset.targets`).
    pub fn labels(&self) -> Tensor {
        Tensor::from_slice(&self.labels.iter().map(|&l| i64::from(l)).collect::<Vec<i64>>())
    }
    /// All samples as tensors: pictures of f32, four times as large as the bytes, and labels.
    pub fn to_tensors(&self) -> TensorDataset<(Tensor, Tensor)> {
        let all: Vec<usize> = (0..self.labels.len()).collect();
        TensorDataset::new(self.gather(&all))
    }
    fn gather(&self, indices: &[usize]) -> (Tensor, Tensor) {
        let labels: Vec<i64> = indices.iter().map(|&i| i64::from(self.labels[i])).collect();
        let shape: Dims =
            if self.flat { Dims::new(&[indices.len(), PIXELS]) } else { Dims::new(&[indices.len(), 1, SIDE, SIDE]) };
        // x / 255 of all bytes; a product with 1/255 would be rounded otherwise.
        let scaled: [f32; 256] = std::array::from_fn(|x| x as f32 / 255.0);
        let pictures = Array::build::<f32>(Meta::new(DType::F32, shape), |out| {
            for (picture, &i) in out.chunks_exact_mut(PIXELS).zip(indices) {
                let bytes = &self.images[i * PIXELS..][..PIXELS];
                for (o, &x) in picture.iter_mut().zip(bytes) {
                    *o = scaled[usize::from(x)];
                }
            }
        });
        (Tensor::from_array(pictures), Tensor::from_slice(&labels))
    }
    fn check(&self, index: usize) -> Result<(), Error> {
        if index < self.labels.len() { Ok(()) } else { Err(out_of_range(index, self.labels.len())) }
    }
}

impl Dataset for Mnist {
    type Item = (Tensor, i64);
    fn len(&self) -> usize {
        self.labels.len()
    }
    fn get(&self, index: usize) -> Result<(Tensor, i64), Error> {
        self.check(index)?;
        Ok((self.gather(&[index]).0.select(0, 0), i64::from(self.labels[index])))
    }
    fn get_batch(&self, indices: &[usize]) -> Result<<Self::Item as Collate>::Batch, Error> {
        for &i in indices {
            self.check(i).map_err(|e| e.at_sample(i))?;
        }
        Ok(self.gather(indices))
    }
}

/// The file `part-format` or `part.format`, plain or compressed.
fn find(dir: &Path, part: &str, format: &str) -> Result<PathBuf, Error> {
    if !dir.is_dir() {
        return Err(Error::new(format!("{}: expected a folder with the files of MNIST, found none", dir.display())));
    }
    for folder in [dir.to_path_buf(), dir.join("MNIST").join("raw")] {
        for end in ["", ".gz"] {
            for joint in ["-", "."] {
                let path = folder.join(format!("{part}{joint}{format}{end}"));
                if path.is_file() {
                    return Ok(path);
                }
            }
        }
    }
    Err(Error::new(format!(
        "{}: expected {part}-{format} or {part}-{format}.gz in this folder, found neither",
        dir.display()
    )))
}
