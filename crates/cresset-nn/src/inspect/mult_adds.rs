//! How many multiplications and additions a layer takes.

use crate::{Module, ModuleExt, Values};
use cresset_tensor::Dims;

/// Multiply-adds of one call of a layer without children: each weight and each bias once for every place of the output that it is used for.
///
/// A convolution uses its weight at every place of its output (a transposed one at every place of its input), a layer whose last dimension is
/// the output's (`Linear`, `LayerNorm`) at every row, a recurrent layer or attention for every sample and step, any other once for a sample.
/// An embedding looks up.
pub(super) fn mult_adds(module: &dyn Module, input: &Values, output: &Values) -> u64 {
    let (Some(x), Some(y)) = (input.tensors().first(), output.tensors().first()) else { return 0 };
    let (class, x, y) = (module.class_name(), x.shape(), y.shape());
    if class.starts_with("Embedding") {
        return 0;
    }
    let parameters = module.named_parameters();
    let own = |(name, p): &(String, crate::Parameter)| {
        let uses = if class.starts_with("ConvTranspose") && name == "weight" {
            places(&x, p.shape().len())
        } else if class.contains("Conv") {
            places(&y, weight_dims(module))
        } else if name != "weight" && name != "bias" && (name.contains("weight") || name.contains("bias")) {
            y.iter().take(2).product()
        } else if class.contains("BatchNorm") || class.contains("InstanceNorm") || class.contains("GroupNorm") {
            samples(&y)
        } else if name == "weight" || name == "bias" {
            rows(class, &y, &p.shape()).unwrap_or_else(|| samples(&y))
        } else {
            0
        };
        (p.numel() * uses) as u64
    };
    parameters.iter().map(own).sum()
}

fn samples(shape: &Dims) -> usize {
    shape.first().copied().unwrap_or(1)
}

/// Samples times places, where a weight of `dims` dimensions convolves: an input without a batch is one sample.
fn places(shape: &Dims, dims: usize) -> usize {
    let spatial = dims.saturating_sub(2).min(shape.len());
    let batch = if shape.len() == dims { samples(shape) } else { 1 };
    batch * shape[shape.len() - spatial..].iter().product::<usize>()
}

fn weight_dims(module: &dyn Module) -> usize {
    module.parameters().iter().map(|p| p.dim()).max().unwrap_or(0)
}

/// How many rows a parameter is used for: a norm's ends the output's shape as a whole, any other has the output's last dimension as its first.
fn rows(class: &str, output: &Dims, parameter: &Dims) -> Option<usize> {
    let ends = if class.contains("Norm") { &parameter[..] } else { &parameter[..parameter.len().min(1)] };
    let before = output.len().checked_sub(ends.len())?;
    (output[before..] == *ends).then(|| output[..before].iter().product())
}
