//! Numbers with a shape: what heat maps and images are drawn from.

use crate::{Number, Series};
use cresset_nn::Parameter;
use cresset_tensor::Tensor;

/// Numbers with a shape: a tensor, rows of numbers, or numbers and their shape as a pair.
///
/// ```
/// use cresset_tensor::Tensor;
/// use cresset_viz::Figure;
/// let mut fig = Figure::new(6.0, 2.0);
/// fig.subplot(1, 3, 1).heatmap(&Tensor::rand([4, 6]));
/// fig.subplot(1, 3, 2).heatmap(&[[1, 2], [3, 4], [5, 6]]);
/// fig.subplot(1, 3, 3).heatmap((&[0.0_f32; 24], [4, 6]));
/// ```
pub trait Shaped {
    /// The size of each dimension.
    fn shape(&self) -> Vec<usize>;
    /// The numbers row by row, as `f64`.
    fn to_f64(&self) -> Vec<f64>;
}

impl Shaped for &Tensor {
    fn shape(&self) -> Vec<usize> {
        Tensor::shape(self).to_vec()
    }
    fn to_f64(&self) -> Vec<f64> {
        Series::to_f64(*self)
    }
}

impl Shaped for &Parameter {
    fn shape(&self) -> Vec<usize> {
        Tensor::shape(self.tensor()).to_vec()
    }
    fn to_f64(&self) -> Vec<f64> {
        Series::to_f64(*self)
    }
}

impl<T: Number, const N: usize, const M: usize> Shaped for &[[T; N]; M] {
    fn shape(&self) -> Vec<usize> {
        vec![M, N]
    }
    fn to_f64(&self) -> Vec<f64> {
        self.as_flattened().to_f64()
    }
}

/// Rows of one length; shorter ones are filled up with gaps.
impl<T: Number> Shaped for &Vec<Vec<T>> {
    fn shape(&self) -> Vec<usize> {
        vec![self.len(), self.iter().map(Vec::len).max().unwrap_or(0)]
    }
    fn to_f64(&self) -> Vec<f64> {
        let columns = self.shape()[1];
        self.iter().flat_map(|row| (0..columns).map(|i| row.get(i).map_or(f64::NAN, |v| v.as_f64()))).collect()
    }
}

impl<S: Series, const N: usize> Shaped for (S, [usize; N]) {
    fn shape(&self) -> Vec<usize> {
        self.1.to_vec()
    }
    fn to_f64(&self) -> Vec<f64> {
        self.0.to_f64()
    }
}

impl<S: Series> Shaped for (S, &[usize]) {
    fn shape(&self) -> Vec<usize> {
        self.1.to_vec()
    }
    fn to_f64(&self) -> Vec<f64> {
        self.0.to_f64()
    }
}
