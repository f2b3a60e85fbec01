//! Tables of vectors.

use crate::functional::{self as F, EmbeddingOptions as Lookup};
use crate::repr::{boolean, number};
use crate::{Base, Forward, Module, Parameter, init};
use cresset_tensor::error::fail;
use cresset_tensor::{DType, Scalar, Tensor, no_grad};

/// A vector for each index (`nn.Embedding`).
///
/// - Input: `(*)`, int64 or int32; output: `(*, embedding_dim)`.
/// - `weight`: `(num_embeddings, embedding_dim)`, initially normal with mean 0 and deviation 1; the row `padding_idx` zero.
///
/// ```
/// use cresset_nn::prelude::*;
/// let embedding = cresset_nn::Embedding::new(10, 3);
/// let words = Tensor::from_vec([1i64, 2, 4, 5, 4, 3, 2, 9], [2, 4]);
/// assert_eq!(embedding.call(&words).shape(), [2, 4, 3]);
/// ```
#[derive(Module, Clone)]
pub struct Embedding {
    base: Base,
    /// The number of vectors.
    pub num_embeddings: usize,
    /// The size of each vector.
    pub embedding_dim: usize,
    /// The row that gets no gradient.
    pub padding_idx: Option<usize>,
    /// Rows that are used and longer are scaled down to this norm.
    pub max_norm: Option<Scalar>,
    /// Which norm.
    pub norm_type: Scalar,
    /// Is the gradient of a row divided by how often it was used?
    pub scale_grad_by_freq: bool,
    /// The vectors.
    pub weight: Parameter,
}

/// The keyword arguments of [`Embedding`].
#[derive(Clone, Copy, Debug)]
pub struct EmbeddingOptions {
    /// This row is zero at first and gets no gradient; negative numbers count from the end (none).
    pub padding_idx: Option<isize>,
    /// Rows that are used and longer are scaled down to this norm, in place (none).
    pub max_norm: Option<Scalar>,
    /// Which norm (2).
    pub norm_type: Scalar,
    /// Divide the gradient of a row by how often it was used (false)?
    pub scale_grad_by_freq: bool,
    /// The dtype of the vectors (f32).
    pub dtype: DType,
}
impl Default for EmbeddingOptions {
    fn default() -> EmbeddingOptions {
        EmbeddingOptions {
            padding_idx: None,
            max_norm: None,
            norm_type: Scalar::Float(2.0),
            scale_grad_by_freq: false,
            dtype: DType::F32,
        }
    }
}

impl Embedding {
    /// A table without options.
    #[track_caller]
    pub fn new(num_embeddings: usize, embedding_dim: usize) -> Embedding {
        Embedding::with(num_embeddings, embedding_dim, EmbeddingOptions::default())
    }
    /// A table with keyword arguments.
    ///
    /// # Panics
    /// If `padding_idx` is not a row.
    #[track_caller]
    pub fn with(num_embeddings: usize, embedding_dim: usize, options: EmbeddingOptions) -> Embedding {
        let weight = Parameter::new(Tensor::zeros_of([num_embeddings, embedding_dim], options.dtype));
        let layer = Embedding::around(weight, options);
        layer.reset_parameters();
        layer
    }
    /// A table of given vectors, frozen unless `freeze` is false (`nn.Embedding.from_pretrained(embeddings, freeze)`).
    ///
    /// # Panics
    /// If `embeddings` has not two dimensions, or `padding_idx` is not a row.
    #[track_caller]
    pub fn from_pretrained(embeddings: &Tensor, freeze: bool, options: EmbeddingOptions) -> Embedding {
        if embeddings.dim() != 2 {
            fail("Embedding", "Embeddings parameter is expected to be 2-dimensional");
        }
        let weight = if freeze { Parameter::frozen(embeddings.clone()) } else { Parameter::new(embeddings.clone()) };
        Embedding::around(weight, options)
    }
    #[track_caller]
    fn around(weight: Parameter, options: EmbeddingOptions) -> Embedding {
        let (num_embeddings, embedding_dim) = (weight.size(0), weight.size(1));
        let padding_idx = options.padding_idx.map(|p| {
            let row = if p < 0 { p + num_embeddings as isize } else { p };
            if row < 0 || row >= num_embeddings as isize {
                fail("Embedding", "Padding_idx must be within num_embeddings");
            }
            row as usize
        });
        let EmbeddingOptions { max_norm, norm_type, scale_grad_by_freq, .. } = options;
        Embedding {
            base: Base::new(),
            num_embeddings,
            embedding_dim,
            padding_idx,
            max_norm,
            norm_type,
            scale_grad_by_freq,
            weight,
        }
    }
    /// Draws the initial values anew.
    pub fn reset_parameters(&self) {
        init::normal_(&self.weight, 0.0, 1.0);
        if let Some(row) = self.padding_idx {
            no_grad(|| self.weight.select(0, row as isize).zero_());
        }
    }
    fn extra_repr(&self) -> String {
        let mut text = format!("{}, {}", self.num_embeddings, self.embedding_dim);
        if let Some(row) = self.padding_idx {
            text += &format!(", padding_idx={row}");
        }
        if let Some(norm) = self.max_norm {
            text += &format!(", max_norm={}", number(norm));
        }
        if self.norm_type.f64() != 2.0 {
            text += &format!(", norm_type={}", number(self.norm_type));
        }
        if self.scale_grad_by_freq {
            text += &format!(", scale_grad_by_freq={}", boolean(true));
        }
        text
    }
}
impl Forward for Embedding {
    type Output = Tensor;
    fn forward(&self, input: &Tensor) -> Tensor {
        let options = Lookup {
            padding_idx: self.padding_idx.map(|p| p as isize),
            max_norm: self.max_norm.map(Scalar::f64),
            norm_type: self.norm_type.f64(),
            scale_grad_by_freq: self.scale_grad_by_freq,
        };
        F::embedding(input, &self.weight, options)
    }
}
