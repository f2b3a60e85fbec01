//! Products of matrices and vectors, and what is added to them.

use crate::conformance::args::{Args, Res, Row, Stop, row, unsupported};
use crate::conformance::out::Out;
use crate::golden::Value;
use cresset_tensor::linalg::{self, MatrixNorm, QrMode, Triangular};
use cresset_tensor::{Scalar, Tensor, einsum, kron, tensordot, tensordot_dims};

type Plain = fn(&Tensor, &Tensor, &Tensor, Scalar, Scalar) -> Tensor;

/// `beta input + alpha product`.
fn added(a: &Args, names: [&str; 2], plain: Plain, in_place: Plain) -> Res<Out> {
    let (x, m1, m2) = (a.tensor("input")?, a.tensor(names[0])?, a.tensor(names[1])?);
    let factor = |name: &str| Ok(a.opt_scalar(name)?.unwrap_or(Scalar::Int(1)));
    let (beta, alpha) = (factor("beta")?, factor("alpha")?);
    Ok(if a.inplace() { in_place(&x, &m1, &m2, beta, alpha) } else { plain(&x, &m1, &m2, beta, alpha) }.into())
}

fn dot_dims(a: &Args) -> Res<Out> {
    let (x, y) = (a.tensor("a")?, a.tensor("b")?);
    Ok(match a.raw("dims") {
        None => tensordot(&x, &y, 2),
        Some(Value::Int(_)) => tensordot(&x, &y, a.usize("dims")?),
        Some(Value::Tuple(pair) | Value::List(pair)) if pair.len() == 2 => {
            let (first, second) = (a.as_dims("dims", &pair[0])?, a.as_dims("dims", &pair[1])?);
            tensordot_dims(&x, &y, first, second)
        }
        Some(other) => return Err(Stop::Inexpressible(format!("dims {other:?}"))),
    }
    .into())
}

fn contraction(a: &Args) -> Res<Out> {
    let Some(Value::Str(equation)) = a.raw("equation") else { return unsupported("einsum by lists of indices") };
    let operands = a.rest_tensors("operands")?;
    Ok(einsum(equation, &operands).into())
}

fn factors(a: &Args) -> Res<Out> {
    let mode = match a.text_or("mode", "reduced")? {
        "reduced" => QrMode::Reduced,
        "complete" => QrMode::Complete,
        "r" => QrMode::R,
        other => return Err(Stop::Inexpressible(format!("the mode {other}"))),
    };
    Ok(linalg::qr(&a.tensor("A")?, mode).into())
}

fn matrix_order(v: &Value) -> Res<MatrixNorm> {
    let number = match v {
        Value::Str(s) if s == "fro" => return Ok(MatrixNorm::Frobenius),
        Value::Int(i) => *i as f64,
        Value::Float(f) => *f,
        Value::Str(s) if s != "nuc" => return Err(Stop::Inexpressible(format!("the order {s}"))),
        other => return unsupported(format!("the matrix norm {other:?}")),
    };
    Ok(match number {
        1.0 => MatrixNorm::Columns,
        -1.0 => MatrixNorm::LeastColumns,
        f64::INFINITY => MatrixNorm::Rows,
        f64::NEG_INFINITY => MatrixNorm::LeastRows,
        other => return unsupported(format!("the matrix norm {other}")),
    })
}

fn two(dims: Vec<isize>) -> Res<[isize; 2]> {
    <[isize; 2]>::try_from(dims).map_err(|d| Stop::Inexpressible(format!("a matrix norm over the dimensions {d:?}")))
}

fn norm(a: &Args) -> Res<Out> {
    let x = a.tensor("A")?;
    let x = match a.dtype()? {
        Some(d) => x.to_dtype(d),
        None => x,
    };
    let keepdim = a.bool_or("keepdim", false)?;
    let dims = a.opt_dims("dim")?;
    let order = a.raw("ord").filter(|v| **v != Value::None);
    let Some(order) = order else {
        return Ok(x.vector_norm(2.0, dims.unwrap_or_default(), keepdim).into());
    };
    let matrix = matches!(order, Value::Str(_)) || dims.as_ref().map_or(x.dim(), Vec::len) == 2;
    if matrix {
        let dims = two(dims.unwrap_or_else(|| vec![-2, -1]))?;
        return Ok(linalg::matrix_norm(&x, matrix_order(order)?, dims, keepdim).into());
    }
    Ok(x.vector_norm(a.float("ord")?, dims.unwrap_or_default(), keepdim).into())
}

fn matrix_norm(a: &Args) -> Res<Out> {
    let x = a.tensor("A")?;
    let x = match a.dtype()? {
        Some(d) => x.to_dtype(d),
        None => x,
    };
    let order = a.raw("ord").map_or(Ok(MatrixNorm::Frobenius), matrix_order)?;
    let dims = two(a.opt_dims("dim")?.unwrap_or_else(|| vec![-2, -1]))?;
    Ok(linalg::matrix_norm(&x, order, dims, a.bool_or("keepdim", false)?).into())
}

pub(super) const ROWS: &[Row] = &[
    row("addmm", "input mat1 mat2", |a| added(a, ["mat1", "mat2"], Tensor::addmm_with, Tensor::addmm_with_)),
    row("addmv", "input mat vec", |a| added(a, ["mat", "vec"], Tensor::addmv_with, Tensor::addmv_with_)),
    row("addr", "input vec1 vec2", |a| added(a, ["vec1", "vec2"], Tensor::addr_with, Tensor::addr_with_)),
    row("baddbmm", "input batch1 batch2", |a| {
        added(a, ["batch1", "batch2"], Tensor::baddbmm_with, Tensor::baddbmm_with_)
    }),
    row("addbmm", "input batch1 batch2", |a| added(a, ["batch1", "batch2"], Tensor::addbmm_with, Tensor::addbmm_with_)),
    row("outer", "input vec2", |a| Ok(a.tensor("input")?.outer(&a.tensor("vec2")?).into())),
    row("ger", "input vec2", |a| Ok(a.tensor("input")?.ger(&a.tensor("vec2")?).into())),
    row("inner", "input other", |a| Ok(a.tensor("input")?.inner(&a.tensor("other")?).into())),
    row("kron", "input other", |a| Ok(kron(&a.tensor("input")?, &a.tensor("other")?).into())),
    row("tensordot", "a b dims", dot_dims),
    row("einsum", "equation *operands", contraction),
    row("linalg.vecdot", "x y", |a| Ok(linalg::vecdot(&a.tensor("x")?, &a.tensor("y")?, a.int_or("dim", -1)?).into())),
    row("linalg.multi_dot", "tensors", |a| Ok(linalg::multi_dot(&a.tensors("tensors")?).into())),
    row("linalg.qr", "A mode", factors),
    row("linalg.solve_triangular", "A B", |a| {
        let how = Triangular {
            upper: a.bool_or("upper", false)?,
            left: a.bool_or("left", true)?,
            unitriangular: a.bool_or("unitriangular", false)?,
        };
        Ok(linalg::solve_triangular(&a.tensor("A")?, &a.tensor("B")?, how).into())
    }),
    row("linalg.norm", "A ord dim keepdim", norm),
    row("linalg.matrix_norm", "A ord dim keepdim", matrix_norm),
];
