//! Changes to pictures and other tensors on their way into a batch, as `torchvision.transforms` has them.
//!
//! A transform is also any function from tensor to tensor, so one's own stand in a [`Compose`] beside these.
//!
//! ```
//! use cresset_data::transforms::{Compose, Flatten, Normalize, Scale, Transform};
//! use cresset_data::{Dataset, TensorDataset};
//! use cresset_tensor::{DType, Tensor};
//! let change = Compose::new().then(Scale).then(Normalize::new(&[0.5], &[0.5])).then(Flatten);
//! let pictures = Tensor::full_of([4, 1, 2, 2], 255, DType::U8);
//! let data = TensorDataset::new((pictures, Tensor::zeros([4]))).map(move |(x, y)| (change.apply(&x), y));
//! assert_eq!(data.get(0).unwrap().0.to_vec::<f32>(), [1.0, 1.0, 1.0, 1.0]);
//! ```

use cresset_tensor::error::fail;
use cresset_tensor::{DType, Tensor};

/// A change to one sample.
pub trait Transform: Send + Sync {
    /// The changed sample.
    fn apply(&self, x: &Tensor) -> Tensor;
}

impl<F: Fn(&Tensor) -> Tensor + Send + Sync> Transform for F {
    fn apply(&self, x: &Tensor) -> Tensor {
        self(x)
    }
}

/// Bytes 0 to 255 as f32 from 0 to 1 (`ToTensor` without the change of layout: `x.float() / 255`). Other dtypes pass as they are.
#[derive(Clone, Copy, Debug)]
pub struct Scale;

impl Transform for Scale {
    fn apply(&self, x: &Tensor) -> Tensor {
        if x.dtype() == DType::U8 { &x.to_dtype(DType::F32) / 255.0 } else { x.clone() }
    }
}

/// `(x - mean) / std`, for every channel of pictures of shape `[..., channels, height, width]` (`torchvision.transforms.Normalize`).
#[derive(Clone, Debug)]
pub struct Normalize {
    mean: Tensor,
    std: Tensor,
}

impl Normalize {
    /// One mean and one standard deviation for each channel, or one for all.
    ///
    /// # Panics
    /// If there are not as many of both, or a standard deviation is 0.
    #[track_caller]
    pub fn new(mean: &[f32], std: &[f32]) -> Normalize {
        if mean.len() != std.len() || mean.is_empty() {
            fail("Normalize", format!("expected as many means as deviations, got {} and {}", mean.len(), std.len()));
        }
        if std.contains(&0.0) {
            fail("Normalize", "std evaluated to zero, leading to division by zero.");
        }
        let channels = [mean.len(), 1, 1];
        Normalize { mean: Tensor::from_vec(mean, channels), std: Tensor::from_vec(std, channels) }
    }
}

impl Transform for Normalize {
    fn apply(&self, x: &Tensor) -> Tensor {
        if !x.is_floating_point() {
            fail(
                "Normalize",
                format!("Input tensor should be a float tensor. Got {}: put Scale before it", x.dtype().name()),
            );
        }
        let (shape, channels) = (x.shape(), self.mean.numel());
        if shape.len() < 3 || (channels != 1 && shape[shape.len() - 3] != channels) {
            fail("Normalize", format!("expected shape [..., {channels}, height, width], got {:?}", &shape[..]));
        }
        &(x - &self.mean.to_dtype(x.dtype())) / &self.std.to_dtype(x.dtype())
    }
}

/// All dimensions in one.
#[derive(Clone, Copy, Debug)]
pub struct Flatten;

impl Transform for Flatten {
    fn apply(&self, x: &Tensor) -> Tensor {
        x.reshape(-1)
    }
}

/// Transforms one after the other (`torchvision.transforms.Compose`).
#[derive(Default)]
pub struct Compose(Vec<Box<dyn Transform>>);

impl Compose {
    /// No transform yet: gives the sample as it is.
    pub fn new() -> Compose {
        Compose::default()
    }
    /// One more transform, after the others.
    pub fn then(mut self, transform: impl Transform + 'static) -> Compose {
        self.0.push(Box::new(transform));
        self
    }
}

impl Transform for Compose {
    fn apply(&self, x: &Tensor) -> Tensor {
        self.0.iter().fold(x.clone(), |x, transform| transform.apply(&x))
    }
}
