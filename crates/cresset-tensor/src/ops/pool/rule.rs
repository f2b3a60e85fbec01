//! The shape rules of pooling, in PyTorch's words.

use super::{Layout, Pool};
use crate::array::Meta;
use crate::dims::Dims;
use crate::dtype::DType;

fn by(sizes: &[usize]) -> String {
    sizes.iter().map(usize::to_string).collect::<Vec<_>>().join("x")
}

impl Pool {
    /// The shape and dtype of the result.
    pub(super) fn infer(&self, x: &Meta) -> Result<Meta, String> {
        let nd = self.nd;
        if x.ndim() != nd + 1 && x.ndim() != nd + 2 {
            return Err(format!("Expected {}D or {}D tensor for input, but got: {:?}", nd + 1, nd + 2, x.shape));
        }
        self.check_settings()?;
        if x.dtype == DType::Bool {
            return Err("not implemented for 'Bool'".into());
        }
        let first = x.ndim() - nd - 1;
        if let Some(d) = (first..x.ndim()).find(|&d| x.shape[d] == 0) {
            return Err(match self.layout {
                Layout::Sliding { .. } => format!(
                    "Expected {}D or {}D (batch mode) tensor with optional 0 dim batch size for input, but got:{:?}",
                    nd + 1,
                    nd + 2,
                    x.shape
                ),
                Layout::Adaptive { .. } => format!(
                    "Expected input to have non-zero size for non-batch dimensions, but input has sizes {:?} with dimension {d} being empty",
                    x.shape
                ),
            });
        }
        let mut shape = Dims::new(&x.shape[..x.ndim() - nd]);
        for n in &self.output_sizes(&x.shape[x.ndim() - nd..])? {
            shape.push(*n);
        }
        Ok(Meta { dtype: x.dtype, shape })
    }

    /// Refuses settings that fit no input.
    fn check_settings(&self) -> Result<(), String> {
        let nd = self.nd;
        let Layout::Sliding { kernel, stride, padding, dilation, .. } = &self.layout else { return Ok(()) };
        let settings = [("kernel_size", kernel), ("stride", stride), ("padding", padding), ("dilation", dilation)];
        for (what, d) in settings {
            if d.len() != nd {
                return Err(format!("{what} must either be a single int, or a tuple of {nd} ints, but got {d:?}"));
            }
        }
        if kernel.contains(&0) {
            return Err(format!("kernel size should be greater than zero, but got {kernel:?}"));
        }
        if stride.contains(&0) {
            return Err("stride should not be zero".into());
        }
        if dilation.contains(&0) {
            return Err(format!("dilation should be greater than zero, but got {dilation:?}"));
        }
        for d in 0..nd {
            let reach = (kernel[d] - 1).checked_mul(dilation[d]).filter(|r| *r < isize::MAX as usize / 4);
            let Some(reach) = reach.map(|r| r + 1) else {
                let (kernel, dilation) = (kernel[d], dilation[d]);
                return Err(format!("effective kernel size overflows: kernel size {kernel}, dilation {dilation}"));
            };
            if padding[d] > reach / 2 {
                return Err(format!(
                    "pad should be at most half of effective kernel size, but got pad={}, kernel_size={} and dilation={}",
                    padding[d], kernel[d], dilation[d]
                ));
            }
        }
        Ok(())
    }

    /// The number of windows along each dimension.
    pub(super) fn output_sizes(&self, input: &[usize]) -> Result<Dims, String> {
        let nd = self.nd;
        let Layout::Sliding { kernel, stride, padding, dilation, ceil_mode, .. } = &self.layout else {
            let Layout::Adaptive { output } = &self.layout else { unreachable!() };
            return if output.len() == nd { Ok(*output) } else { Err(format!("output_size must be {nd}")) };
        };
        let mut output = Dims::EMPTY;
        for d in 0..nd {
            let reach = dilation[d] * (kernel[d] - 1) + 1;
            let free = (input[d] + 2 * padding[d]) as isize - reach as isize;
            let up = if *ceil_mode { stride[d] - 1 } else { 0 };
            let mut n = (free + up as isize).div_euclid(stride[d] as isize) + 1;
            // The last window must begin within the input or the zeros before it.
            if *ceil_mode && n > 0 && (n as usize - 1) * stride[d] >= input[d] + padding[d] {
                n -= 1;
            }
            output.push(n.max(0) as usize);
        }
        if output.contains(&0) {
            return Err(format!(
                "Given input size: ({}). Calculated output size: ({}). Output size is too small",
                by(input),
                by(&output)
            ));
        }
        Ok(output)
    }
}
