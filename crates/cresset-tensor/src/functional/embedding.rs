//! Rows of a table by index.

use crate::error::fail;
use crate::op::apply1;
use crate::ops::embedding::{Embedding, renorm_rows};
use crate::tensor::Tensor;

/// Options of [`embedding`].
#[derive(Clone, Copy, Debug)]
pub struct EmbeddingOptions {
    /// This row gets no gradient; negative numbers count from the end.
    pub padding_idx: Option<isize>,
    /// Rows that are used and have a larger norm are scaled down to this norm, in place, first.
    pub max_norm: Option<f64>,
    /// Which norm. Default 2.
    pub norm_type: f64,
    /// Divide the gradient of a row by how often it was used? Default false.
    pub scale_grad_by_freq: bool,
}
impl Default for EmbeddingOptions {
    fn default() -> EmbeddingOptions {
        EmbeddingOptions { padding_idx: None, max_norm: None, norm_type: 2.0, scale_grad_by_freq: false }
    }
}

/// The rows of `weight` at `indices` (`torch.nn.functional.embedding(indices, weight, ...)`).
///
/// `indices` are int64 or int32 of any shape `(*)`, `weight` is `(n, d)`; the result `(*, d)`.
///
/// ```
/// use cresset_tensor::{functional::{embedding, EmbeddingOptions}, Tensor};
/// let table = Tensor::from_vec([0.0f32, 0.5, 1.0, 1.5, 2.0, 2.5], [3, 2]);
/// let rows = embedding(&Tensor::from_slice(&[2i64, 0]), &table, EmbeddingOptions::default());
/// assert_eq!(rows.to_vec::<f32>(), [2.0, 2.5, 0.0, 0.5]);
/// ```
///
/// # Panics
/// If an index is outside, the indices are no int64 or int32, `weight` is not 2-d, or `padding_idx` is outside.
#[track_caller]
pub fn embedding(indices: &Tensor, weight: &Tensor, options: EmbeddingOptions) -> Tensor {
    let rows = weight.shape().first().copied().unwrap_or(0) as isize;
    let padding = options.padding_idx.map(|p| {
        if p >= rows || p < -rows {
            fail("embedding", "Padding_idx must be within num_embeddings");
        }
        (if p < 0 { p + rows } else { p }) as usize
    });
    if let Some(max_norm) = options.max_norm
        && weight.dim() == 2
        && indices.numel() > 0
        && weight.is_floating_point()
    {
        renorm_rows(weight, indices, max_norm, options.norm_type);
    }
    apply1(Embedding { padding, scale_by_frequency: options.scale_grad_by_freq }, [weight, indices])
}
