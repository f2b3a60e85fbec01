//! Columns with mean 0 and standard deviation 1.

use cresset_tensor::error::fail;
use cresset_tensor::{DType, Tensor};

/// The mean and standard deviation of every column, to bring other rows to the same scale: fit on the training rows, apply to all.
///
/// ```
/// use cresset_data::Standardizer;
/// use cresset_tensor::Tensor;
/// let x = Tensor::from_vec([1.0f32, 5.0, 3.0, 5.0], [2, 2]);
/// let scale = Standardizer::fit(&x);
/// assert_eq!(scale.apply(&x).to_vec::<f32>(), [-1.0, 0.0, 1.0, 0.0]);
/// ```
#[derive(Clone, Debug)]
pub struct Standardizer {
    mean: Tensor,
    std: Tensor,
}

impl Standardizer {
    /// The statistics of the columns of an f32 tensor of shape `[rows, columns]`, added up in f64. The standard deviation divides by the number of
    /// rows; of a column without any variation it counts as 1.
    ///
    /// # Panics
    /// If the tensor has another dtype or number of dimensions, or no rows.
    #[track_caller]
    pub fn fit(x: &Tensor) -> Standardizer {
        let shape = x.shape();
        if x.dtype() != DType::F32 || shape.len() != 2 || shape[0] == 0 {
            fail("Standardizer", format!("expected float32 of shape [rows, columns], got {:?}", x.meta()));
        }
        let (rows, columns) = (shape[0], shape[1]);
        let numbers = x.to_vec::<f32>();
        let mut mean = vec![0.0f64; columns];
        let mut squares = vec![0.0f64; columns];
        if columns > 0 {
            for row in numbers.chunks_exact(columns) {
                mean.iter_mut().zip(row).for_each(|(m, &x)| *m += f64::from(x));
            }
            mean.iter_mut().for_each(|m| *m /= rows as f64);
            for row in numbers.chunks_exact(columns) {
                for ((s, m), &x) in squares.iter_mut().zip(&mean).zip(row) {
                    *s += (f64::from(x) - m).powi(2);
                }
            }
        }
        let std: Vec<f32> = squares
            .iter()
            .zip(&mean)
            .map(|(s, m)| {
                let std = (s / rows as f64).sqrt();
                // Rounding leaves a constant column with a tiny deviation.
                if std > 1e-7 * m.abs() { std as f32 } else { 1.0 }
            })
            .collect();
        let mean: Vec<f32> = mean.into_iter().map(|m| m as f32).collect();
        Standardizer { mean: Tensor::from_slice(&mean), std: Tensor::from_slice(&std) }
    }
    /// Statistics from elsewhere: a checkpoint.
    ///
    /// # Panics
    /// If they are not two f32 vectors of the same length.
    #[track_caller]
    pub fn from_parts(mean: Tensor, std: Tensor) -> Standardizer {
        if mean.meta() != std.meta() || mean.dim() != 1 || mean.dtype() != DType::F32 {
            fail(
                "Standardizer",
                format!("expected two float32 vectors of one length, got {:?} and {:?}", mean.meta(), std.meta()),
            );
        }
        Standardizer { mean, std }
    }
    /// The mean of every column.
    pub fn mean(&self) -> &Tensor {
        &self.mean
    }
    /// The standard deviation of every column.
    pub fn std(&self) -> &Tensor {
        &self.std
    }
    /// `(x - mean) / std`, for rows or a single one.
    ///
    /// # Panics
    /// If the number of columns is another.
    #[track_caller]
    pub fn apply(&self, x: &Tensor) -> Tensor {
        &(x - &self.mean) / &self.std
    }
}
