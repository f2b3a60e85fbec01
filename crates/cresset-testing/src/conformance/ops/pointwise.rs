//! Pointwise ops.

use crate::conformance::args::{Args, Operand, Res, Row, Stop, row, unsupported};
use crate::conformance::out::Out;
use cresset_tensor::dtype::Promotion;
use cresset_tensor::{Approximate, Choice, RoundingMode, Scalar, Tensor, where_};

/// An op of one tensor, with its in-place form if it has one.
macro_rules! unary {
    ($name:literal, $op:ident) => {
        row($name, "input", |a| Ok(a.tensor("input")?.$op().into()))
    };
    ($name:literal, $op:ident, $inplace:ident) => {
        row($name, "input", |a| {
            let x = a.tensor("input")?;
            Ok(if a.inplace() { x.$inplace() } else { x.$op() }.into())
        })
    };
}
/// An op of a tensor and a tensor or number, with its in-place form if it has one.
macro_rules! binary {
    ($name:literal, $op:ident) => {
        row($name, "input other", |a| {
            let (x, y) = operands(a, "other")?;
            Ok(match &y {
                Operand::Tensor(y) => x.$op(y),
                Operand::Scalar(y) => x.$op(*y),
            }
            .into())
        })
    };
    ($name:literal, $op:ident, $inplace:ident) => {
        row($name, "input other", |a| {
            let (x, y) = operands(a, "other")?;
            Ok(match (&y, a.inplace()) {
                (Operand::Tensor(y), false) => x.$op(y),
                (Operand::Scalar(y), false) => x.$op(*y),
                (Operand::Tensor(y), true) => x.$inplace(y),
                (Operand::Scalar(y), true) => x.$inplace(*y),
            }
            .into())
        })
    };
}

/// [`binary`] with a number allowed as the first operand, or as both.
macro_rules! loose {
    ($name:literal, $op:ident, $inplace:ident, $numbers:literal) => {
        row($name, "input other", |a| {
            let (x, y) = loose_operands(a, "other", $numbers)?;
            Ok(match (&y, a.inplace()) {
                (Operand::Tensor(y), false) => x.$op(y),
                (Operand::Scalar(y), false) => x.$op(*y),
                (Operand::Tensor(y), true) => x.$inplace(y),
                (Operand::Scalar(y), true) => x.$inplace(*y),
            }
            .into())
        })
    };
}
/// An op of two tensors: PyTorch takes no numbers here. (cresset's wider interface is not what is compared.)
macro_rules! tensors {
    ($name:literal, $op:ident) => {
        row($name, "input other", |a| Ok(a.tensor("input")?.$op(&a.tensor("other")?).into()))
    };
    ($name:literal, $op:ident, $inplace:ident) => {
        row($name, "input other", |a| {
            let (x, y) = (a.tensor("input")?, a.tensor("other")?);
            Ok(if a.inplace() { x.$inplace(&y) } else { x.$op(&y) }.into())
        })
    };
}

/// A tensor and a tensor or number.
fn operands(a: &Args, second: &str) -> Res<(Tensor, Operand)> {
    Ok((a.tensor("input")?, a.operand(second)?))
}

/// The two operands where PyTorch also takes a number as the first: it is made a 0-d tensor of the dtype in which both are computed.
fn loose_operands(a: &Args, second: &str, numbers: bool) -> Res<(Tensor, Operand)> {
    let y = a.operand(second)?;
    Ok(match a.operand("input")? {
        Operand::Tensor(x) => (x, y),
        Operand::Scalar(s) => {
            let p = Promotion::default().scalar(s);
            let dtype = match &y {
                Operand::Tensor(t) => p.tensor(t.dtype(), t.dim()).result(),
                Operand::Scalar(t) if numbers => p.scalar(*t).result(),
                Operand::Scalar(_) => return Err(Stop::Inexpressible("an op of two numbers".into())),
            };
            (Tensor::full_of((), s, dtype), y)
        }
    })
}

fn add(a: &Args) -> Res<Out> {
    let (x, y) = loose_operands(a, "other", true)?;
    let alpha = a.opt_scalar("alpha")?;
    Ok(match (&y, alpha, a.inplace()) {
        (Operand::Tensor(y), None, false) => x.add(y),
        (Operand::Scalar(y), None, false) => x.add(*y),
        (Operand::Tensor(y), None, true) => x.add_(y),
        (Operand::Scalar(y), None, true) => x.add_(*y),
        (Operand::Tensor(y), Some(k), false) => x.add_scaled(y, k),
        (Operand::Scalar(y), Some(k), false) => x.add_scaled(*y, k),
        (Operand::Tensor(y), Some(k), true) => x.add_scaled_(y, k),
        (Operand::Scalar(y), Some(k), true) => x.add_scaled_(*y, k),
    }
    .into())
}

fn sub(a: &Args) -> Res<Out> {
    let (x, y) = loose_operands(a, "other", true)?;
    let alpha = a.opt_scalar("alpha")?;
    Ok(match (&y, alpha, a.inplace()) {
        (Operand::Tensor(y), None, false) => x.sub(y),
        (Operand::Scalar(y), None, false) => x.sub(*y),
        (Operand::Tensor(y), None, true) => x.sub_(y),
        (Operand::Scalar(y), None, true) => x.sub_(*y),
        (Operand::Tensor(y), Some(k), false) => x.sub_scaled(y, k),
        (Operand::Scalar(y), Some(k), false) => x.sub_scaled(*y, k),
        (Operand::Tensor(y), Some(k), true) => x.sub_scaled_(y, k),
        (Operand::Scalar(y), Some(k), true) => x.sub_scaled_(*y, k),
    }
    .into())
}

fn rsub(a: &Args) -> Res<Out> {
    let (x, y) = operands(a, "other")?;
    if let Some(alpha) = a.opt_scalar("alpha")? {
        return Ok(match y {
            Operand::Tensor(y) => y.sub_scaled(&x, alpha),
            Operand::Scalar(_) => return unsupported("rsub with alpha"),
        }
        .into());
    }
    Ok(match &y {
        Operand::Tensor(y) => x.rsub(y),
        Operand::Scalar(y) => x.rsub(*y),
    }
    .into())
}

fn div(a: &Args) -> Res<Out> {
    let (x, y) = loose_operands(a, "other", true)?;
    let mode = match a.has("rounding_mode").then(|| a.text_or("rounding_mode", "")).transpose()? {
        None => None,
        Some("floor") => Some(RoundingMode::Floor),
        Some("trunc") => Some(RoundingMode::Trunc),
        Some(other) => return Err(Stop::Inexpressible(format!("rounding_mode {other}"))),
    };
    if mode.is_none() {
        a.raw("rounding_mode");
    }
    Ok(match (&y, mode, a.inplace()) {
        (Operand::Tensor(y), None, false) => x.div(y),
        (Operand::Scalar(y), None, false) => x.div(*y),
        (Operand::Tensor(y), None, true) => x.div_(y),
        (Operand::Scalar(y), None, true) => x.div_(*y),
        (Operand::Tensor(y), Some(m), false) => x.div_rounded(y, m),
        (Operand::Scalar(y), Some(m), false) => x.div_rounded(*y, m),
        (Operand::Tensor(y), Some(m), true) => x.div_rounded_(y, m),
        (Operand::Scalar(y), Some(m), true) => x.div_rounded_(*y, m),
    }
    .into())
}

/// An operator whose second operand is the tensor of the call: `other op input`.
fn reversed(a: &Args, tensor: fn(&Tensor, &Tensor) -> Tensor, scalar: fn(&Tensor, Scalar) -> Tensor) -> Res<Out> {
    let x = a.tensor("input")?;
    Ok(match a.operand("other")? {
        Operand::Tensor(y) => tensor(&x, &y),
        Operand::Scalar(s) => scalar(&x, s),
    }
    .into())
}

/// A number as a tensor of the dtype in which it meets another.
fn constant(x: &Tensor, s: Scalar) -> Tensor {
    Tensor::full_of((), s, Promotion::default().tensor(x.dtype(), x.dim()).scalar(s).result())
}

fn pow(a: &Args) -> Res<Out> {
    if let (Operand::Scalar(base), false) = (a.operand("input")?, a.inplace()) {
        return Ok(match a.operand("exponent")? {
            Operand::Tensor(e) => e.rpow(base),
            Operand::Scalar(_) => return Err(Stop::Inexpressible("a power of two numbers".into())),
        }
        .into());
    }
    let (x, y) = loose_operands(a, "exponent", false)?;
    Ok(match (&y, a.inplace()) {
        (Operand::Tensor(y), false) => x.pow(y),
        (Operand::Scalar(y), false) => x.pow(*y),
        (Operand::Tensor(y), true) => x.pow_(y),
        (Operand::Scalar(y), true) => x.pow_(*y),
    }
    .into())
}

fn float_power(a: &Args) -> Res<Out> {
    let (x, y) = loose_operands(a, "exponent", false)?;
    Ok(match (&y, a.inplace()) {
        (Operand::Tensor(y), false) => x.float_power(y),
        (Operand::Scalar(y), false) => x.float_power(*y),
        (Operand::Tensor(y), true) => x.float_power_(y),
        (Operand::Scalar(y), true) => x.float_power_(*y),
    }
    .into())
}

fn clamp(a: &Args) -> Res<Out> {
    let x = a.tensor("input")?;
    let is_tensor = |name: &str| Ok(a.has(name) && matches!(a.operand(name)?, Operand::Tensor(_)));
    if is_tensor("min")? || is_tensor("max")? {
        let (min, max) = (a.opt_tensor("min")?, a.opt_tensor("max")?);
        return Ok(match (&min, &max, a.inplace()) {
            (_, _, false) => x.clamp_between(min.as_ref(), max.as_ref()),
            (Some(m), None, true) => x.clamp_min_(m),
            (None, Some(m), true) => x.clamp_max_(m),
            (_, _, true) => x.clamp_between_(min.as_ref(), max.as_ref()),
        }
        .into());
    }
    let (min, max) = (a.opt_scalar("min")?, a.opt_scalar("max")?);
    Ok(if a.inplace() { x.clamp_(min, max) } else { x.clamp(min, max) }.into())
}

fn choice(a: &Args, name: &str) -> Res<Choice<'static>> {
    Ok(match a.operand(name)? {
        Operand::Tensor(t) => Choice::Owned(t),
        Operand::Scalar(s) => Choice::Number(s),
    })
}

/// The factor of `addcmul` and `addcdiv`, 1 if not given.
fn value(a: &Args) -> Res<Scalar> {
    Ok(a.opt_scalar("value")?.unwrap_or(Scalar::Int(1)))
}

fn hardtanh(a: &Args) -> Res<Out> {
    let x = a.tensor("input")?;
    let (min, max) = (a.float_or("min_val", -1.0)?, a.float_or("max_val", 1.0)?);
    Ok(if a.inplace() { x.hardtanh_(min, max) } else { x.hardtanh(min, max) }.into())
}

fn threshold(a: &Args) -> Res<Out> {
    let x = a.tensor("input")?;
    let (threshold, value) = (a.float("threshold")?, a.float("value")?);
    Ok(if a.inplace() { x.threshold_(threshold, value) } else { x.threshold(threshold, value) }.into())
}

#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    unary!("neg", neg, neg_),
    unary!("abs", abs, abs_),
    unary!("sign", sign, sign_),
    unary!("square", square, square_),
    unary!("exp", exp, exp_),
    unary!("exp2", exp2, exp2_),
    unary!("expm1", expm1, expm1_),
    unary!("log", log, log_),
    unary!("log2", log2, log2_),
    unary!("log10", log10, log10_),
    unary!("log1p", log1p, log1p_),
    unary!("sqrt", sqrt, sqrt_),
    unary!("rsqrt", rsqrt, rsqrt_),
    unary!("reciprocal", reciprocal, reciprocal_),
    unary!("sin", sin, sin_),
    unary!("cos", cos, cos_),
    unary!("tan", tan, tan_),
    unary!("asin", asin, asin_),
    unary!("acos", acos, acos_),
    unary!("atan", atan, atan_),
    unary!("sinh", sinh, sinh_),
    unary!("cosh", cosh, cosh_),
    unary!("tanh", tanh, tanh_),
    unary!("asinh", asinh, asinh_),
    unary!("acosh", acosh, acosh_),
    unary!("atanh", atanh, atanh_),
    unary!("sigmoid", sigmoid, sigmoid_),
    unary!("erf", erf, erf_),
    unary!("erfc", erfc, erfc_),
    unary!("erfinv", erfinv, erfinv_),
    unary!("lgamma", lgamma, lgamma_),
    unary!("floor", floor, floor_),
    unary!("ceil", ceil, ceil_),
    unary!("trunc", trunc, trunc_),
    unary!("frac", frac, frac_),
    unary!("deg2rad", deg2rad, deg2rad_),
    unary!("rad2deg", rad2deg, rad2deg_),
    unary!("sinc", sinc, sinc_),
    unary!("logical_not", logical_not, logical_not_),
    unary!("bitwise_not", bitwise_not, bitwise_not_),
    unary!("digamma", digamma, digamma_),
    unary!("sgn", sgn, sgn_),
    unary!("positive", positive),
    unary!("isnan", isnan),
    unary!("isinf", isinf),
    unary!("isfinite", isfinite),
    unary!("isposinf", isposinf),
    unary!("isneginf", isneginf),
    unary!("signbit", signbit),
    unary!("negative", neg, neg_),
    unary!("absolute", abs, abs_),
    unary!("arcsin", asin, asin_),
    unary!("arccos", acos, acos_),
    unary!("arctan", atan, atan_),
    unary!("arcsinh", asinh, asinh_),
    unary!("arccosh", acosh, acosh_),
    unary!("arctanh", atanh, atanh_),
    unary!("special.expit", sigmoid, sigmoid_),
    unary!("special.erf", erf, erf_),
    unary!("special.erfc", erfc, erfc_),
    unary!("special.erfinv", erfinv, erfinv_),
    unary!("special.exp2", exp2, exp2_),
    unary!("special.expm1", expm1, expm1_),
    unary!("special.log1p", log1p, log1p_),
    unary!("special.gammaln", lgamma, lgamma_),
    unary!("special.digamma", digamma, digamma_),
    unary!("special.psi", digamma),
    unary!("special.sinc", sinc, sinc_),
    unary!("F.tanh", tanh, tanh_),
    unary!("F.sigmoid", sigmoid, sigmoid_),
    unary!("fix", trunc, trunc_),
    unary!("F.relu", relu, relu_),
    unary!("F.relu6", relu6, relu6_),
    unary!("F.selu", selu, selu_),
    unary!("F.silu", silu, silu_),
    unary!("F.mish", mish, mish_),
    unary!("F.hardsigmoid", hardsigmoid, hardsigmoid_),
    unary!("F.hardswish", hardswish, hardswish_),
    unary!("F.softsign", softsign),
    unary!("F.tanhshrink", tanhshrink),
    unary!("F.logsigmoid", logsigmoid),
    tensors!("atan2", atan2, atan2_),
    tensors!("hypot", hypot, hypot_),
    binary!("copysign", copysign, copysign_),
    binary!("eq", eq, eq_),
    binary!("ne", ne, ne_),
    binary!("lt", lt, lt_),
    binary!("le", le, le_),
    binary!("gt", gt, gt_),
    binary!("ge", ge, ge_),
    tensors!("logical_and", logical_and, logical_and_),
    tensors!("logical_or", logical_or, logical_or_),
    tensors!("logical_xor", logical_xor, logical_xor_),
    loose!("bitwise_and", bitwise_and, bitwise_and_, false),
    loose!("bitwise_or", bitwise_or, bitwise_or_, false),
    loose!("bitwise_xor", bitwise_xor, bitwise_xor_, false),
    loose!("bitwise_left_shift", bitwise_left_shift, bitwise_left_shift_, false),
    loose!("bitwise_right_shift", bitwise_right_shift, bitwise_right_shift_, false),
    tensors!("gcd", gcd, gcd_),
    tensors!("lcm", lcm, lcm_),
    tensors!("heaviside", heaviside, heaviside_),
    tensors!("nextafter", nextafter, nextafter_),
    loose!("mul", mul, mul_, true),
    loose!("floor_divide", floor_divide, floor_divide_, true),
    loose!("remainder", remainder, remainder_, false),
    binary!("fmod", fmod, fmod_),
    loose!("xlogy", xlogy, xlogy_, false),
    loose!("multiply", mul, mul_, true),
    binary!("not_equal", ne, ne_),
    binary!("less", lt, lt_),
    binary!("less_equal", le, le_),
    binary!("greater", gt, gt_),
    binary!("greater_equal", ge, ge_),
    tensors!("arctan2", atan2, atan2_),
    loose!("__and__", bitwise_and, bitwise_and_, false),
    loose!("__or__", bitwise_or, bitwise_or_, false),
    loose!("__xor__", bitwise_xor, bitwise_xor_, false),
    loose!("special.xlogy", xlogy, xlogy_, false),
    tensors!("maximum", maximum),
    tensors!("minimum", minimum),
    tensors!("fmax", fmax),
    tensors!("fmin", fmin),
    row("add", "input other", add),
    row("sub", "input other", sub),
    row("subtract", "input other", sub),
    row("rsub", "input other", rsub),
    row("div", "input other", div),
    row("divide", "input other", div),
    row("true_divide", "input other", div),
    row("pow", "input exponent", pow),
    row("__radd__", "input other", |a| reversed(a, |x, y| y.add(x), |x, s| x.add(s))),
    row("__rmul__", "input other", |a| reversed(a, |x, y| y.mul(x), |x, s| x.mul(s))),
    row("__rsub__", "input other", |a| reversed(a, |x, y| y.sub(x), |x, s| x.rsub(s))),
    row("__rdiv__", "input other", |a| reversed(a, |x, y| y.div(x), |x, s| x.reciprocal().mul(s))),
    row("__rpow__", "input other", |a| reversed(a, |x, y| y.pow(x), |x, s| x.rpow(s))),
    row("__rmod__", "input other", |a| reversed(a, |x, y| y.remainder(x), |x, s| constant(x, s).remainder(x))),
    row("__rand__", "input other", |a| reversed(a, |x, y| y.bitwise_and(x), |x, s| x.bitwise_and(s))),
    row("__ror__", "input other", |a| reversed(a, |x, y| y.bitwise_or(x), |x, s| x.bitwise_or(s))),
    row("__rxor__", "input other", |a| reversed(a, |x, y| y.bitwise_xor(x), |x, s| x.bitwise_xor(s))),
    row("__rmatmul__", "input other", |a| Ok(a.tensor("other")?.matmul(&a.tensor("input")?).into())),
    row("float_power", "input exponent", float_power),
    tensors!("ldexp", ldexp, ldexp_),
    row("logaddexp", "input other", |a| Ok(a.tensor("input")?.logaddexp(&a.tensor("other")?).into())),
    row("logaddexp2", "input other", |a| Ok(a.tensor("input")?.logaddexp2(&a.tensor("other")?).into())),
    row("round", "input", |a| {
        let x = a.tensor("input")?;
        let decimals = a.int_or("decimals", 0)? as i32;
        Ok(match (decimals, a.inplace()) {
            (0, false) => x.round(),
            (0, true) => x.round_(),
            (d, false) => x.round_decimals(d),
            (d, true) => x.round_decimals_(d),
        }.into())
    }),
    row("logit", "input eps", |a| {
        let x = a.tensor("input")?;
        let eps = a.opt_scalar("eps")?.map(Scalar::f64);
        Ok(if a.inplace() { x.logit_(eps) } else { x.logit(eps) }.into())
    }),
    row("nan_to_num", "input nan posinf neginf", |a| {
        let x = a.tensor("input")?;
        let number = |name| Ok(a.opt_scalar(name)?.map(Scalar::f64));
        let (nan, posinf, neginf) = (number("nan")?, number("posinf")?, number("neginf")?);
        Ok(if a.inplace() { x.nan_to_num_(nan, posinf, neginf) } else { x.nan_to_num(nan, posinf, neginf) }.into())
    }),
    row("equal", "input other", |a| Ok(a.tensor("input")?.equal(&a.tensor("other")?).into())),
    row("isclose", "input other rtol atol equal_nan", |a| {
        let (rtol, atol) = (a.float_or("rtol", 1e-5)?, a.float_or("atol", 1e-8)?);
        Ok(a.tensor("input")?.isclose(&a.tensor("other")?, rtol, atol, a.bool_or("equal_nan", false)?).into())
    }),
    row("allclose", "input other rtol atol equal_nan", |a| {
        let (rtol, atol) = (a.float_or("rtol", 1e-5)?, a.float_or("atol", 1e-8)?);
        Ok(a.tensor("input")?.allclose(&a.tensor("other")?, rtol, atol, a.bool_or("equal_nan", false)?).into())
    }),
    row("clamp", "input min max", clamp),
    row("clip", "input min max", clamp),
    row("clamp_min", "input min", |a| {
        let x = a.tensor("input")?;
        Ok(match (&a.operand("min")?, a.inplace()) {
            (Operand::Tensor(y), false) => x.clamp_min(y),
            (Operand::Scalar(y), false) => x.clamp_min(*y),
            (Operand::Tensor(y), true) => x.clamp_min_(y),
            (Operand::Scalar(y), true) => x.clamp_min_(*y),
        }.into())
    }),
    row("clamp_max", "input max", |a| {
        let x = a.tensor("input")?;
        Ok(match (&a.operand("max")?, a.inplace()) {
            (Operand::Tensor(y), false) => x.clamp_max(y),
            (Operand::Scalar(y), false) => x.clamp_max(*y),
            (Operand::Tensor(y), true) => x.clamp_max_(y),
            (Operand::Scalar(y), true) => x.clamp_max_(*y),
        }.into())
    }),
    row("where", "condition input other", |a| {
        if !a.has("input") {
            return Ok(a.tensor("condition")?.nonzero_tuple().into());
        }
        Ok(where_(&a.tensor("condition")?, choice(a, "input")?, choice(a, "other")?).into())
    }),
    row("Tensor.where", "input condition other", |a| {
        Ok(where_(&a.tensor("condition")?, choice(a, "input")?, choice(a, "other")?).into())
    }),
    row("lerp", "input end weight", |a| {
        let (x, end) = (a.tensor("input")?, a.tensor("end")?);
        Ok(match (&a.operand("weight")?, a.inplace()) {
            (Operand::Tensor(w), false) => x.lerp(&end, w),
            (Operand::Scalar(w), false) => x.lerp(&end, *w),
            (Operand::Tensor(w), true) => x.lerp_(&end, w),
            (Operand::Scalar(w), true) => x.lerp_(&end, *w),
        }.into())
    }),
    row("addcmul", "input tensor1 tensor2", |a| {
        let (x, t1, t2) = (a.tensor("input")?, a.tensor("tensor1")?, a.tensor("tensor2")?);
        let v = value(a)?;
        Ok(if a.inplace() { x.addcmul_(&t1, &t2, v) } else { x.addcmul(&t1, &t2, v) }.into())
    }),
    row("addcdiv", "input tensor1 tensor2", |a| {
        let (x, t1, t2) = (a.tensor("input")?, a.tensor("tensor1")?, a.tensor("tensor2")?);
        let v = value(a)?;
        Ok(if a.inplace() { x.addcdiv_(&t1, &t2, v) } else { x.addcdiv(&t1, &t2, v) }.into())
    }),
    // ---- activations with arguments
    row("F.hardtanh", "input min_val max_val inplace", hardtanh),
    row("F.leaky_relu", "input negative_slope inplace", |a| {
        let x = a.tensor("input")?;
        let slope = a.float_or("negative_slope", 0.01)?;
        Ok(if a.inplace() { x.leaky_relu_(slope) } else { x.leaky_relu(slope) }.into())
    }),
    row("F.elu", "input alpha inplace", |a| {
        let x = a.tensor("input")?;
        let alpha = a.float_or("alpha", 1.0)?;
        Ok(if a.inplace() { x.elu_(alpha) } else { x.elu(alpha) }.into())
    }),
    row("F.celu", "input alpha inplace", |a| {
        let x = a.tensor("input")?;
        let alpha = a.float_or("alpha", 1.0)?;
        Ok(if a.inplace() { x.celu_(alpha) } else { x.celu(alpha) }.into())
    }),
    row("F.gelu", "input", |a| {
        let approximate = match a.text_or("approximate", "none")? {
            "none" => Approximate::None,
            "tanh" => Approximate::Tanh,
            other => return Err(Stop::Inexpressible(format!("approximate {other}"))),
        };
        Ok(a.tensor("input")?.gelu(approximate).into())
    }),
    row("F.softplus", "input beta threshold", |a| {
        Ok(a.tensor("input")?.softplus(a.float_or("beta", 1.0)?, a.float_or("threshold", 20.0)?).into())
    }),
    row("F.hardshrink", "input lambd", |a| Ok(a.tensor("input")?.hardshrink(a.float_or("lambd", 0.5)?).into())),
    row("F.softshrink", "input lambd", |a| Ok(a.tensor("input")?.softshrink(a.float_or("lambd", 0.5)?).into())),
    row("F.threshold", "input threshold value inplace", threshold),
    row("F.prelu", "input weight", |a| Ok(a.tensor("input")?.prelu(&a.tensor("weight")?).into())),
];
