//! Functions of tensors that layers are made of (`torch.nn.functional`).

mod activation;
mod bilinear;
mod conv;
mod distance;
mod dropout;
mod embedding;
mod linear;
mod loss;
mod norm;
mod pair_loss;
mod pool;
mod unfold;

pub use activation::{glu, rrelu, rrelu_};
pub(crate) use bilinear::BILINEAR;
pub use bilinear::bilinear;
pub use conv::{
    ConvOptions, ConvTransposeOptions, Padding, conv_transpose1d, conv_transpose2d, conv_transpose3d, conv1d, conv2d,
    conv3d,
};
pub use distance::{cosine_similarity, normalize, pairwise_distance};
pub use dropout::{
    alpha_dropout, alpha_dropout_, dropout, dropout_, dropout1d, dropout1d_, dropout2d, dropout2d_, dropout3d,
    dropout3d_, feature_alpha_dropout, feature_alpha_dropout_,
};
pub use embedding::{EmbeddingOptions, embedding};
pub use linear::linear;
pub use loss::{CrossEntropyOptions, Reduction, cross_entropy, cross_entropy_with, nll_loss, nll_loss_with};
pub use norm::{batch_norm, group_norm, instance_norm, layer_norm, rms_norm};
pub use pair_loss::{
    binary_cross_entropy, binary_cross_entropy_with_logits, huber_loss, kl_div, l1_loss, mse_loss, smooth_l1_loss,
};
pub use pool::{
    AvgPoolOptions, MaxPoolOptions, MaxUnpoolOptions, OutputSize, adaptive_avg_pool1d, adaptive_avg_pool2d,
    adaptive_avg_pool3d, adaptive_max_pool1d, adaptive_max_pool1d_with_indices, adaptive_max_pool2d,
    adaptive_max_pool2d_with_indices, adaptive_max_pool3d, adaptive_max_pool3d_with_indices, avg_pool1d, avg_pool2d,
    avg_pool3d, max_pool1d, max_pool1d_with_indices, max_pool2d, max_pool2d_with_indices, max_pool3d,
    max_pool3d_with_indices, max_unpool1d, max_unpool2d, max_unpool3d,
};
pub use unfold::{UnfoldOptions, fold, unfold};
