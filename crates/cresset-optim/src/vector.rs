//! All parameters as one vector.

use cresset_tensor::error::fail;
use cresset_tensor::{Tensor, cat};

/// All elements of all parameters in one vector (`nn.utils.parameters_to_vector`), differentiable.
///
/// ```
/// use cresset_optim::{parameters_to_vector, vector_to_parameters};
/// use cresset_tensor::Tensor;
/// let (a, b) = (Tensor::zeros([2, 2]), Tensor::ones([3]));
/// let v = parameters_to_vector([&a, &b]);
/// assert_eq!(v.to_vec::<f32>(), [0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0]);
/// vector_to_parameters(&(&v + 1.0), [&a, &b]);
/// assert_eq!(b.to_vec::<f32>(), [2.0; 3]);
/// ```
#[track_caller]
pub fn parameters_to_vector(params: impl IntoIterator<Item: Into<Tensor>>) -> Tensor {
    let flat: Vec<Tensor> = params.into_iter().map(|p| p.into().reshape([-1])).collect();
    let views: Vec<&Tensor> = flat.iter().collect();
    cat(&views, 0)
}

/// Gives the parameters the elements of a vector, in order (`nn.utils.vector_to_parameters`). They share its memory, as in PyTorch.
///
/// # Panics
/// If the vector is too short.
#[track_caller]
pub fn vector_to_parameters(vector: &Tensor, params: impl IntoIterator<Item: Into<Tensor>>) {
    let params: Vec<Tensor> = params.into_iter().map(Into::into).collect();
    let wanted: usize = params.iter().map(Tensor::numel).sum();
    if vector.dim() != 1 || vector.numel() < wanted {
        fail(
            "vector_to_parameters",
            format!("expected a vector of {wanted} elements, got a tensor of shape {:?}", vector.shape()),
        );
    }
    let array = vector.array().contiguous();
    let mut at = array.offset();
    for p in params {
        let shape = p.shape();
        p.set_data(&Tensor::from_array(array.view(shape, shape.contiguous_strides(), at)));
        at += shape.numel();
    }
}
