//! The shape rules of convolutions, in PyTorch's order and words.

use super::Convolution;
use crate::array::Meta;
use crate::dims::Dims;
use crate::dtype::DType;
use crate::ops::matrix::cpp_name;

fn times(sizes: &[usize]) -> String {
    sizes.iter().map(usize::to_string).collect::<Vec<_>>().join(" x ")
}

impl Convolution {
    /// What both directions ask of their parameters, input and weight.
    fn check(&self, x: &Meta, w: &Meta) -> Result<(), String> {
        let nd = self.nd;
        if x.ndim() != nd + 1 && x.ndim() != nd + 2 {
            return Err(format!(
                "Expected {}D (unbatched) or {}D (batched) input to {}, but got input of size: {:?}",
                nd + 1,
                nd + 2,
                self.name,
                x.shape
            ));
        }
        if w.ndim() != nd + 2 {
            return Err(format!("Expected a {}D weight, but got weight of size: {:?}", nd + 2, w.shape));
        }
        if self.groups == 0 {
            return Err("non-positive groups is not supported".into());
        }
        for (what, d) in [("stride", &self.stride), ("padding", &self.before), ("dilation", &self.dilation)] {
            if d.len() != nd {
                return Err(format!(
                    "expected {what} to be a single integer value or a list of {nd} values to match the convolution dimensions, but got {what}={d:?}"
                ));
            }
        }
        if self.stride.contains(&0) {
            return Err("non-positive stride is not supported".into());
        }
        if self.dilation.contains(&0) {
            return Err(format!("dilation should be greater than zero, but got {:?}", self.dilation));
        }
        if w.shape[0] < self.groups {
            return Err(format!(
                "Given groups={0}, expected weight to be at least {0} at dimension 0, but got weight of size {1:?} instead",
                self.groups, w.shape
            ));
        }
        if !w.shape[0].is_multiple_of(self.groups) {
            return Err(format!(
                "Given groups={0}, expected weight to be divisible by {0} at dimension 0, but got weight of size {1:?} instead",
                self.groups, w.shape
            ));
        }
        Ok(())
    }
    fn check_rest(&self, inputs: &[&Meta], outputs: usize, given: &str) -> Result<(), String> {
        let (x, w) = (inputs[0], inputs[1]);
        if let Some(b) = inputs.get(2) {
            if b.shape != [outputs] {
                return Err(format!(
                    "Given {given}weight of size {:?}, expected bias to be 1-dimensional with {outputs} elements, but got bias of size {:?} instead",
                    w.shape, b.shape
                ));
            }
            if b.dtype != x.dtype {
                let (x, b) = (cpp_name(x.dtype), cpp_name(b.dtype));
                return Err(format!("Input type ({x}) and bias type ({b}) should be the same"));
            }
        }
        if x.dtype != w.dtype {
            let (x, w) = (x.dtype.scalar_name(), w.dtype.scalar_name());
            return Err(format!("expected scalar type {x} but found {w}"));
        }
        if x.dtype == DType::Bool {
            return Err("not implemented for 'Bool'".into());
        }
        Ok(())
    }
    fn channels(&self, m: &Meta) -> usize {
        m.shape[m.ndim() - self.nd - 1]
    }

    /// The shape of a convolution's output.
    pub(super) fn output_shape(&self, inputs: &[&Meta]) -> Result<Dims, String> {
        let (x, w) = (inputs[0], inputs[1]);
        self.check(x, w)?;
        let have = self.channels(x);
        if have != w.shape[1] * self.groups {
            return Err(format!(
                "Given groups={}, weight of size {:?}, expected input{:?} to have {} channels, but got {have} channels instead",
                self.groups,
                w.shape,
                x.shape,
                w.shape[1] * self.groups
            ));
        }
        self.check_rest(inputs, w.shape[0], "")?;
        let image = self.spatial(x);
        let kernel = &w.shape[2..];
        let padded: Dims = (0..self.nd).map(|d| image[d] + self.before[d] + self.behind[d]).collect();
        let reach: Dims = (0..self.nd)
            .map(|d| self.dilation[d].saturating_mul(kernel[d].saturating_sub(1)).saturating_add(1))
            .collect();
        if kernel.contains(&0) || (0..self.nd).any(|d| padded[d] < reach[d]) {
            return Err(format!(
                "Calculated padded input size per channel: ({}). Kernel size: ({}). Kernel size can't be greater than actual input size",
                times(&padded),
                times(if kernel.contains(&0) { kernel } else { &reach })
            ));
        }
        if image.contains(&0) && x.numel() == 0 && have != 0 && (x.ndim() == self.nd + 1 || x.shape[0] != 0) {
            return Err(format!(
                "Only zero batch or zero channel inputs are supported, but got input shape: {:?}",
                x.shape
            ));
        }
        let mut shape = Dims::new(&x.shape[..x.ndim() - self.nd - 1]);
        shape.push(w.shape[0]);
        // A gradient has the shape of its input: output padding may leave room for more positions.
        let positions = |d: usize| (padded[d] - reach[d]) / self.stride[d] + 1;
        (0..self.nd).for_each(|d| shape.push(self.target.get(d).copied().unwrap_or_else(|| positions(d))));
        Ok(shape)
    }

    /// The shape of a transposed convolution's result, the image.
    pub(super) fn image_shape(&self, inputs: &[&Meta]) -> Result<Dims, String> {
        let (g, w) = (inputs[0], inputs[1]);
        self.check(g, w)?;
        let have = self.channels(g);
        if have != w.shape[0] {
            return Err(format!(
                "Given transposed=1, weight of size {:?}, expected input{:?} to have {} channels, but got {have} channels instead",
                w.shape, g.shape, w.shape[0]
            ));
        }
        let outputs = w.shape[1] * self.groups;
        self.check_rest(inputs, outputs, "transposed=1, ")?;
        let mut shape = Dims::new(&g.shape[..g.ndim() - self.nd - 1]);
        shape.push(outputs);
        self.target.iter().for_each(|&n| shape.push(n));
        Ok(shape)
    }
}
