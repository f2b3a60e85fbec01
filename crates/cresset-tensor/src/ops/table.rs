//! The table of ops. Each op's file gives its rows; generic tests, goldens and docs loop over them.

use crate::tensor::Tensor;

/// One op as the generic tests see it.
pub struct OpInfo {
    /// Its name, the last part of PyTorch's.
    pub name: &'static str,
    /// The PyTorch expression that it equals.
    pub torch: &'static str,
    /// Calls that must work, and whose gradients are checked.
    pub samples: fn() -> Vec<Sample>,
    /// Calls that must be refused with a sentence.
    pub refused: fn() -> Vec<Sample>,
}

/// The call of a sample, over its inputs.
pub type Call = Box<dyn Fn(&[Tensor]) -> Vec<Tensor> + Send + Sync>;

/// A call of an op: inputs, and the call over them.
pub struct Sample {
    /// The tensor arguments (f64 where gradients are to be checked).
    pub inputs: Vec<Tensor>,
    /// The call.
    pub call: Call,
    /// Has the call a gradient with respect to its floating-point inputs?
    pub differentiable: bool,
}

impl Sample {
    /// A differentiable call with one result.
    pub fn new(inputs: &[Tensor], call: impl Fn(&[Tensor]) -> Tensor + Send + Sync + 'static) -> Sample {
        Sample::many(inputs, move |x| vec![call(x)])
    }
    /// A differentiable call with several results.
    pub fn many(inputs: &[Tensor], call: impl Fn(&[Tensor]) -> Vec<Tensor> + Send + Sync + 'static) -> Sample {
        Sample { inputs: inputs.to_vec(), call: Box::new(call), differentiable: true }
    }
    /// The same call, not to be differentiated.
    pub fn without_grad(mut self) -> Sample {
        self.differentiable = false;
        self
    }
}

/// All ops. Behind the feature `samples`: thousands of little closures that only tests call would double what the crate takes to compile.
#[cfg(feature = "samples")]
pub fn table() -> Vec<&'static OpInfo> {
    let families: &[&'static [OpInfo]] = &[
        super::dtype::TABLE,
        super::dropout::TABLE,
        super::duplicate::TABLE,
        super::expand::TABLE,
        super::fill::TABLE,
        super::gather::TABLE,
        super::join::TABLE,
        super::mask::TABLE,
        super::pad::TABLE,
        super::rearrange::TABLE,
        super::search::TABLE,
        super::triangle::TABLE,
    ];
    let groups: &[&[&'static [OpInfo]]] = &[
        &super::index::TABLES,
        super::matrix::TABLES,
        super::pointwise::TABLES,
        super::reduce::TABLES,
        &super::view::TABLES,
    ];
    families.iter().chain(groups.iter().copied().flatten()).flat_map(|f| f.iter()).collect()
}

/// Deterministic f64 numbers in (-2, 2), none near zero and hardly two alike: safe inputs for finite differences.
pub fn numbers(shape: &[usize], salt: u64) -> Tensor {
    let n: usize = shape.iter().product();
    let data: Vec<f64> = (0..n as u64)
        .map(|i| {
            let h = (i + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(salt.wrapping_mul(0xD1B5_4A32_D192_ED03));
            let h = (h ^ (h >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            let x = ((h ^ (h >> 32)) % 1000) as f64 / 1000.0 * 3.6 - 1.8;
            if x < 0.0 { x - 0.15 } else { x + 0.15 }
        })
        .collect();
    Tensor::from_vec(data, shape)
}
