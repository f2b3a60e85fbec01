//! The in-place forms of ops that need all of their input before the first result: computed beside the tensor, then moved in.

use super::pointwise::ternary::assign;
use crate::dtype::{DType, Scalar};
use crate::error::fail;
use crate::ops::pointwise::Operand;
use crate::tensor::Tensor;

/// The forms of a sum of a tensor and a product.
macro_rules! products {
    ($($plain:ident $scaled:ident: $in_place:ident $in_place_scaled:ident($a:ident, $b:ident), $torch:literal;)*) => {
        impl Tensor {
            $(
                #[doc = concat!("[`Tensor::", stringify!($plain), "`] in place (`x.", $torch, "`).")]
                ///
                /// # Panics
                /// As the form that is not in place, or if the result has another shape than `self`.
                #[track_caller]
                pub fn $in_place(&self, $a: &Tensor, $b: &Tensor) -> Tensor {
                    assign(stringify!($in_place), self, self.$plain($a, $b))
                }
                #[doc = concat!("[`Tensor::", stringify!($scaled), "`] in place (`x.", $torch, "` with `beta` and `alpha`).")]
                ///
                /// # Panics
                /// As the form that is not in place, or if the result has another shape than `self`.
                #[track_caller]
                pub fn $in_place_scaled(
                    &self,
                    $a: &Tensor,
                    $b: &Tensor,
                    beta: impl Into<Scalar>,
                    alpha: impl Into<Scalar>,
                ) -> Tensor {
                    assign(stringify!($in_place), self, self.$scaled($a, $b, beta, alpha))
                }
            )*
        }
    };
}
products! {
    addmm addmm_with: addmm_ addmm_with_(mat1, mat2), "addmm_(mat1, mat2)";
    addmv addmv_with: addmv_ addmv_with_(mat, vec), "addmv_(mat, vec)";
    addr addr_with: addr_ addr_with_(vec1, vec2), "addr_(vec1, vec2)";
    baddbmm baddbmm_with: baddbmm_ baddbmm_with_(batch1, batch2), "baddbmm_(batch1, batch2)";
}

impl Tensor {
    /// [`Tensor::addbmm`] in place (`x.addbmm_(batch1, batch2)`). A tensor that was broadcast takes the shape of the result, as in PyTorch.
    ///
    /// # Panics
    /// As [`Tensor::addbmm`]; also if `self` requires grad and its shape would change.
    #[track_caller]
    pub fn addbmm_(&self, batch1: &Tensor, batch2: &Tensor) -> Tensor {
        self.addbmm_with_(batch1, batch2, 1, 1)
    }
    /// [`Tensor::addbmm_with`] in place (`x.addbmm_(batch1, batch2, beta=beta, alpha=alpha)`).
    ///
    /// # Panics
    /// As [`Tensor::addbmm_`].
    #[track_caller]
    pub fn addbmm_with_(
        &self,
        batch1: &Tensor,
        batch2: &Tensor,
        beta: impl Into<Scalar>,
        alpha: impl Into<Scalar>,
    ) -> Tensor {
        let sum = self.addbmm_with(batch1, batch2, beta, alpha);
        if sum.shape() == self.shape() || sum.requires_grad() {
            return assign("addbmm_", self, sum);
        }
        self.set_data(&sum);
        self.clone()
    }
    /// [`Tensor::cumsum`] in place, in the tensor's own dtype (`x.cumsum_(dim)`).
    ///
    /// # Panics
    /// If the dimension is out of range.
    #[track_caller]
    pub fn cumsum_(&self, dim: isize) -> Tensor {
        assign("cumsum_", self, self.cumsum(dim).to_dtype(self.dtype()))
    }
    /// [`Tensor::cumprod`] in place, in the tensor's own dtype (`x.cumprod_(dim)`).
    ///
    /// # Panics
    /// If the dimension is out of range.
    #[track_caller]
    pub fn cumprod_(&self, dim: isize) -> Tensor {
        assign("cumprod_", self, self.cumprod(dim).to_dtype(self.dtype()))
    }
    /// [`Tensor::clamp_between`] in place (`x.clamp_(min=tensor, max=tensor)`).
    ///
    /// # Panics
    /// As the form that is not in place, or if the result does not fit the tensor's shape or dtype.
    #[track_caller]
    pub fn clamp_between_(&self, min: Option<&Tensor>, max: Option<&Tensor>) -> Tensor {
        assign("clamp_", self, self.clamp_between(min, max))
    }
    /// [`Tensor::float_power`] in place, for float64 (`x.float_power_(exponent)`).
    ///
    /// # Panics
    /// If the dtype is not float64, in which the power is computed.
    #[track_caller]
    pub fn float_power_<'a>(&self, exponent: impl Into<Operand<'a>>) -> Tensor {
        if self.dtype() != DType::F64 {
            let own = self.dtype().scalar_name();
            fail(
                "float_power_",
                format!(
                    "the base given to float_power_ has dtype {own} but the operation's result requires dtype Double"
                ),
            );
        }
        assign("float_power_", self, self.float_power(exponent))
    }
    /// [`Tensor::ldexp`] in place (`x.ldexp_(other)`).
    ///
    /// # Panics
    /// If the result does not fit the tensor's shape or dtype.
    #[track_caller]
    pub fn ldexp_(&self, other: &Tensor) -> Tensor {
        assign("ldexp_", self, self.ldexp(other))
    }
    /// [`Tensor::digamma`] in place (`x.digamma_()`).
    ///
    /// # Panics
    /// If the dtype is no floating-point one.
    #[track_caller]
    pub fn digamma_(&self) -> Tensor {
        assign("digamma_", self, self.digamma())
    }
    /// [`Tensor::sgn`] in place (`x.sgn_()`).
    #[track_caller]
    pub fn sgn_(&self) -> Tensor {
        self.sign_()
    }
    /// [`Tensor::put`] in place (`x.put_(index, source, accumulate)`).
    ///
    /// # Panics
    /// As the form that is not in place.
    #[track_caller]
    pub fn put_(&self, index: &Tensor, source: &Tensor, accumulate: bool) -> Tensor {
        assign("put_", self, self.put(index, source, accumulate))
    }
}
