//! Matrix products and convolutions.

use crate::conformance::args::{Args, Res, Row, Stop, row};
use crate::conformance::out::Out;
use crate::golden::Value;
use cresset_tensor::functional::{self as F, ConvOptions, ConvTransposeOptions, Padding};
use cresset_tensor::{Dims, Tensor};

/// One number or one for each dimension.
pub fn window(a: &Args, name: &str, default: usize) -> Res<Dims> {
    Ok(a.opt_sizes(name)?.map_or(Dims::new(&[default]), Dims::from))
}

fn options(a: &Args) -> Res<ConvOptions> {
    let padding = match a.raw("padding") {
        None => Padding::Valid,
        Some(Value::Str(s)) if s == "valid" => Padding::Valid,
        Some(Value::Str(s)) if s == "same" => Padding::Same,
        Some(Value::Str(s)) => return Err(Stop::Inexpressible(format!("padding {s}"))),
        Some(_) => window(a, "padding", 0)?.into(),
    };
    Ok(ConvOptions {
        stride: window(a, "stride", 1)?,
        padding,
        dilation: window(a, "dilation", 1)?,
        groups: a.usize_or("groups", 1)?,
    })
}

type Conv = fn(&Tensor, &Tensor, Option<&Tensor>, ConvOptions) -> Tensor;
fn conv(a: &Args, f: Conv) -> Res<Out> {
    let (x, w, b) = (a.tensor("input")?, a.tensor("weight")?, a.opt_tensor("bias")?);
    Ok(f(&x, &w, b.as_ref(), options(a)?).into())
}

type ConvTranspose = fn(&Tensor, &Tensor, Option<&Tensor>, ConvTransposeOptions) -> Tensor;
fn conv_transpose(a: &Args, f: ConvTranspose) -> Res<Out> {
    let (x, w, b) = (a.tensor("input")?, a.tensor("weight")?, a.opt_tensor("bias")?);
    let options = ConvTransposeOptions {
        stride: window(a, "stride", 1)?,
        padding: window(a, "padding", 0)?,
        output_padding: window(a, "output_padding", 0)?,
        groups: a.usize_or("groups", 1)?,
        dilation: window(a, "dilation", 1)?,
    };
    Ok(f(&x, &w, b.as_ref(), options).into())
}

const CONV: &str = "input weight bias stride padding dilation groups";
const CONV_TRANSPOSE: &str = "input weight bias stride padding output_padding groups dilation";

pub(super) const ROWS: &[Row] = &[
    row("mm", "input mat2", |a| Ok(a.tensor("input")?.mm(&a.tensor("mat2")?).into())),
    row("bmm", "input mat2", |a| Ok(a.tensor("input")?.bmm(&a.tensor("mat2")?).into())),
    row("mv", "input vec", |a| Ok(a.tensor("input")?.mv(&a.tensor("vec")?).into())),
    row("dot", "input tensor", |a| Ok(a.tensor("input")?.dot(&a.tensor("tensor")?).into())),
    row("vdot", "input other", |a| Ok(a.tensor("input")?.vdot(&a.tensor("other")?).into())),
    row("matmul", "input other", |a| Ok(a.tensor("input")?.matmul(&a.tensor("other")?).into())),
    row("linalg.matmul", "input other", |a| Ok(a.tensor("input")?.matmul(&a.tensor("other")?).into())),
    row("__matmul__", "input other", |a| Ok(a.tensor("input")?.matmul(&a.tensor("other")?).into())),
    row("F.linear", "input weight bias", |a| {
        let (x, w, b) = (a.tensor("input")?, a.tensor("weight")?, a.opt_tensor("bias")?);
        Ok(F::linear(&x, &w, b.as_ref()).into())
    }),
    row("F.conv1d", CONV, |a| conv(a, F::conv1d)),
    row("F.conv2d", CONV, |a| conv(a, F::conv2d)),
    row("F.conv3d", CONV, |a| conv(a, F::conv3d)),
    row("F.conv_transpose1d", CONV_TRANSPOSE, |a| conv_transpose(a, F::conv_transpose1d)),
    row("F.conv_transpose2d", CONV_TRANSPOSE, |a| conv_transpose(a, F::conv_transpose2d)),
    row("F.conv_transpose3d", CONV_TRANSPOSE, |a| conv_transpose(a, F::conv_transpose3d)),
];
