//! Tensors put side by side: cat, stack and the forms built on them.

use crate::array::{Array, Meta};
use crate::dims::{Dims, broadcast, wrap_dim};
use crate::dtype::Promotion;
use crate::error::fail;
use crate::kernels;
use crate::op::{Context, Few, Op, apply_one};
use crate::ops::table::{OpInfo, Sample, numbers};
use crate::tensor::Tensor;
use std::borrow::Borrow;

/// Parts one after the other along a dimension.
#[derive(Debug)]
struct Cat {
    dim: isize,
}

/// An empty vector, which PyTorch's `cat` leaves out whatever the other shapes are.
fn is_nothing(shape: &Dims) -> bool {
    *shape == [0]
}

fn promoted(inputs: &[&Meta]) -> crate::DType {
    inputs.iter().fold(Promotion::default(), |p, m| p.tensor(m.dtype, m.ndim())).result()
}

impl Cat {
    fn dim(&self, inputs: &[&Meta]) -> Result<usize, String> {
        let ndim = inputs.iter().find(|m| !is_nothing(&m.shape)).map_or(1, |m| m.ndim());
        wrap_dim(self.dim, ndim)
    }
}

impl Op for Cat {
    fn name(&self) -> &'static str {
        "cat"
    }
    fn infer(&self, inputs: &[&Meta]) -> Result<Few<Meta>, String> {
        if inputs.is_empty() {
            return Err("expected a non-empty list of Tensors".into());
        }
        if let Some(i) = inputs.iter().position(|m| m.ndim() == 0) {
            return Err(format!("zero-dimensional tensor (at position {i}) cannot be concatenated"));
        }
        let dim = self.dim(inputs)?;
        let dtype = promoted(inputs);
        let Some(first) = inputs.iter().find(|m| !is_nothing(&m.shape)) else {
            return Ok([Meta::new(dtype, [0])].into());
        };
        let mut shape = first.shape;
        shape[dim] = 0;
        for (i, m) in inputs.iter().enumerate().filter(|(_, m)| !is_nothing(&m.shape)) {
            if m.ndim() != shape.len() {
                return Err(format!(
                    "Tensors must have same number of dimensions: got {} and {}",
                    shape.len(),
                    m.ndim()
                ));
            }
            if let Some(d) = (0..shape.len()).find(|&d| d != dim && m.shape[d] != shape[d]) {
                return Err(format!(
                    "Sizes of tensors must match except in dimension {dim}. Expected size {} but got size {} for tensor number {i} in the list.",
                    shape[d], m.shape[d]
                ));
            }
            shape[dim] += m.shape[dim];
        }
        Ok([Meta { dtype, shape }].into())
    }
    fn forward(&self, inputs: &[&Array], outputs: &[Meta]) -> Few<Array> {
        let metas: Vec<&Meta> = inputs.iter().map(|a| a.meta()).collect();
        let dim = self.dim(&metas).expect("the shape rule has passed");
        let parts: Vec<Array> = inputs.iter().filter(|a| a.numel() > 0).map(|a| a.to(outputs[0].dtype)).collect();
        if parts.iter().all(Array::is_contiguous) {
            return [kernels::side_by_side(outputs[0].shape[..dim].iter().product(), &parts, outputs[0])].into();
        }
        let out = Array::from_buffer(Array::buffer_for(&outputs[0]), outputs[0]);
        let mut start = 0;
        for a in &parts {
            kernels::write_into(&out.view(*a.shape(), *out.strides(), start * out.strides()[dim]), a);
            start += a.shape()[dim];
        }
        [out].into()
    }
    fn backward(&self, ctx: &Context, grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
        let n = ctx.num_inputs();
        let Some(g) = &grads[0] else { return vec![None; n].into() };
        let metas: Vec<&Meta> = (0..n).map(|i| ctx.input_meta(i)).collect();
        let dim = self.dim(&metas).expect("the shape rule has passed");
        let mut start = 0;
        metas
            .iter()
            .enumerate()
            .map(|(i, m)| {
                if is_nothing(&m.shape) {
                    return ctx.needs(i).then(|| Tensor::zeros_of([0], g.dtype()));
                }
                let len = m.shape[dim];
                start += len;
                ctx.needs(i).then(|| g.narrow(dim as isize, (start - len) as isize, len))
            })
            .collect()
    }
}

/// Tensors of one shape along a new dimension.
#[derive(Debug)]
struct Stack {
    dim: isize,
}

impl Op for Stack {
    fn name(&self) -> &'static str {
        "stack"
    }
    fn infer(&self, inputs: &[&Meta]) -> Result<Few<Meta>, String> {
        let Some(first) = inputs.first() else { return Err("expects a non-empty TensorList".into()) };
        let dim = wrap_dim(self.dim, first.ndim() + 1)?;
        if let Some((i, m)) = inputs.iter().enumerate().find(|(_, m)| m.shape != first.shape) {
            return Err(format!(
                "stack expects each tensor to be equal size, but got {:?} at entry 0 and {:?} at entry {i}",
                first.shape, m.shape
            ));
        }
        let mut shape = first.shape;
        shape.insert(dim, inputs.len());
        Ok([Meta { dtype: promoted(inputs), shape }].into())
    }
    fn forward(&self, inputs: &[&Array], outputs: &[Meta]) -> Few<Array> {
        let dim = wrap_dim(self.dim, outputs[0].ndim()).expect("the shape rule has passed");
        let parts: Vec<Array> = inputs.iter().map(|a| a.to(outputs[0].dtype)).collect();
        if parts.iter().all(Array::is_contiguous) {
            return [kernels::side_by_side(outputs[0].shape[..dim].iter().product(), &parts, outputs[0])].into();
        }
        let out = Array::from_buffer(Array::buffer_for(&outputs[0]), outputs[0]);
        let mut strides = *out.strides();
        let step = strides.remove(dim);
        for (i, a) in parts.iter().enumerate() {
            kernels::write_into(&out.view(*a.shape(), strides, i * step), a);
        }
        [out].into()
    }
    fn backward(&self, ctx: &Context, grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
        (0..ctx.num_inputs())
            .map(|i| grads[0].as_ref().filter(|_| ctx.needs(i)).map(|g| g.select(self.dim, i as isize)))
            .collect()
    }
}

/// The tensors one after the other along a dimension (`torch.cat(tensors, dim)`). dtypes are promoted.
///
/// ```
/// use cresset_tensor::{cat, Tensor};
/// let (a, b) = (Tensor::zeros([2, 3]), Tensor::ones([2, 1]));
/// assert_eq!(cat(&[&a, &b], 1).shape(), [2, 4]);
/// ```
///
/// # Panics
/// If there are none, or their sizes differ elsewhere than in `dim`.
#[track_caller]
pub fn cat<T: Borrow<Tensor>>(tensors: &[T], dim: isize) -> Tensor {
    let refs: Vec<&Tensor> = tensors.iter().map(Borrow::borrow).collect();
    apply_one(Cat { dim }, &refs)
}

/// The tensors, all of one shape, along a new dimension (`torch.stack(tensors, dim)`).
///
/// ```
/// use cresset_tensor::{stack, Tensor};
/// let rows = [Tensor::zeros([3]), Tensor::ones([3])];
/// assert_eq!(stack(&rows, 0).shape(), [2, 3]);
/// ```
///
/// # Panics
/// If there are none, or their shapes differ.
#[track_caller]
pub fn stack<T: Borrow<Tensor>>(tensors: &[T], dim: isize) -> Tensor {
    let refs: Vec<&Tensor> = tensors.iter().map(Borrow::borrow).collect();
    apply_one(Stack { dim }, &refs)
}

#[track_caller]
fn all<T: Borrow<Tensor>>(op: &'static str, tensors: &[T], f: impl Fn(&Tensor) -> Tensor) -> Vec<Tensor> {
    if tensors.is_empty() {
        fail(op, format!("{op} expects a non-empty TensorList"));
    }
    tensors.iter().map(|t| f(t.borrow())).collect()
}

/// The tensors side by side: along dimension 1, vectors along 0 (`torch.hstack(tensors)`).
#[track_caller]
pub fn hstack<T: Borrow<Tensor>>(tensors: &[T]) -> Tensor {
    let tensors = all("hstack", tensors, Tensor::atleast_1d);
    cat(&tensors, isize::from(tensors[0].dim() > 1))
}

/// The tensors below each other along dimension 0, vectors as rows (`torch.vstack(tensors)`).
#[track_caller]
pub fn vstack<T: Borrow<Tensor>>(tensors: &[T]) -> Tensor {
    cat(&all("vstack", tensors, Tensor::atleast_2d), 0)
}

/// The tensors behind each other along dimension 2 (`torch.dstack(tensors)`).
#[track_caller]
pub fn dstack<T: Borrow<Tensor>>(tensors: &[T]) -> Tensor {
    cat(&all("dstack", tensors, Tensor::atleast_3d), 2)
}

/// The tensors side by side, vectors as columns (`torch.column_stack(tensors)`).
#[track_caller]
pub fn column_stack<T: Borrow<Tensor>>(tensors: &[T]) -> Tensor {
    hstack(&all("column_stack", tensors, |t| if t.dim() < 2 { t.reshape([t.numel(), 1]) } else { t.clone() }))
}

/// All tensors expanded to the shape they broadcast to, as views (`torch.broadcast_tensors(*tensors)`).
#[track_caller]
pub fn broadcast_tensors<T: Borrow<Tensor>>(tensors: &[T]) -> Vec<Tensor> {
    let mut shape = Dims::EMPTY;
    for t in tensors {
        shape = broadcast(&shape, &t.borrow().shape()).unwrap_or_else(|e| fail("broadcast_tensors", e));
    }
    tensors.iter().map(|t| t.borrow().broadcast_to(shape)).collect()
}

/// One tensor of `n` dimensions for each of `n` vectors: result k varies along dimension k only (`torch.meshgrid(*tensors, indexing="ij")`).
#[track_caller]
pub fn meshgrid<T: Borrow<Tensor>>(tensors: &[T]) -> Vec<Tensor> {
    if tensors.is_empty() {
        fail("meshgrid", "meshgrid expects a non-empty TensorList");
    }
    let n = tensors.len();
    let shape: Dims = tensors.iter().map(|t| t.borrow().numel()).collect();
    let along = |(k, t): (usize, &T)| {
        let t: &Tensor = t.borrow();
        if t.dim() > 1 {
            fail(
                "meshgrid",
                format!("torch.meshgrid: Expected 0D or 1D tensor in the tensor list but got: {:?}", t.meta()),
            );
        }
        let mut sizes = Dims::filled(n, 1);
        sizes[k] = t.numel();
        t.reshape(sizes).broadcast_to(shape)
    };
    tensors.iter().enumerate().map(along).collect()
}

/// [`meshgrid`] with the first two dimensions exchanged, as in images and MATLAB (`torch.meshgrid(*tensors, indexing="xy")`).
#[track_caller]
pub fn meshgrid_xy<T: Borrow<Tensor>>(tensors: &[T]) -> Vec<Tensor> {
    let grids = meshgrid(tensors);
    if tensors.len() < 2 { grids } else { grids.iter().map(|g| g.transpose(0, 1)).collect() }
}

/// A matrix with the given matrices along its diagonal, zeros elsewhere (`torch.block_diag(*tensors)`).
#[track_caller]
pub fn block_diag<T: Borrow<Tensor>>(tensors: &[T]) -> Tensor {
    let blocks = all("block_diag", tensors, |t| {
        if t.dim() > 2 {
            fail(
                "block_diag",
                format!("Input tensors must have 2 or fewer dimensions. Input has {} dimensions", t.dim()),
            );
        }
        t.atleast_2d()
    });
    let columns: usize = blocks.iter().map(|b| b.shape()[1]).sum();
    let mut before = 0;
    let rows: Vec<Tensor> = blocks
        .iter()
        .map(|b| {
            let [n, m] = [b.shape()[0], b.shape()[1]];
            let zeros = |width| Tensor::zeros_of((), b.dtype()).broadcast_to([n, width]);
            let row = cat(&[zeros(before), b.clone(), zeros(columns - before - m)], 1);
            before += m;
            row
        })
        .collect();
    cat(&rows, 0)
}

/// All combinations of one element from each vector, as rows (`torch.cartesian_prod(*tensors)`).
#[track_caller]
pub fn cartesian_prod<T: Borrow<Tensor>>(tensors: &[T]) -> Tensor {
    for t in tensors {
        if t.borrow().dim() != 1 {
            fail("cartesian_prod", format!("Expect a 1D vector, but got shape {:?}", t.borrow().shape()));
        }
    }
    if let [only] = tensors {
        return only.borrow().clone();
    }
    let columns: Vec<Tensor> = meshgrid(tensors).iter().map(|g| g.reshape(-1)).collect();
    stack(&columns, 1)
}

pub(super) const TABLE: &[OpInfo] = &[
    OpInfo {
        name: "cat",
        torch: "torch.cat(tensors, dim)",
        samples: || {
            vec![
                Sample::new(&[numbers(&[2, 3], 1), numbers(&[1, 3], 2)], |x| cat(x, 0)),
                Sample::new(&[numbers(&[2, 3, 2], 1), numbers(&[2, 1, 2], 2), numbers(&[0], 3)], |x| cat(x, -2)),
                Sample::new(&[numbers(&[2], 1)], |x| cat(&[&x[0], &x[0]], 0)),
                Sample::new(&[numbers(&[2, 2], 1), numbers(&[3], 2)], |x| block_diag(x)),
            ]
        },
        refused: || {
            vec![
                Sample::new(&[], |_| cat::<Tensor>(&[], 0)),
                Sample::new(&[numbers(&[2, 3], 1), numbers(&[2, 2], 2)], |x| cat(x, 0)),
                Sample::new(&[numbers(&[2, 3], 1), numbers(&[2], 2)], |x| cat(x, 0)),
                Sample::new(&[numbers(&[], 1)], |x| cat(x, 0)),
                Sample::new(&[numbers(&[2], 1)], |x| cat(x, 1)),
            ]
        },
    },
    OpInfo {
        name: "stack",
        torch: "torch.stack(tensors, dim)",
        samples: || {
            vec![
                Sample::new(&[numbers(&[2, 3], 1), numbers(&[2, 3], 2)], |x| stack(x, 0)),
                Sample::new(&[numbers(&[2, 3], 1), numbers(&[2, 3], 2)], |x| stack(x, -1)),
                Sample::new(&[numbers(&[], 1), numbers(&[], 2)], |x| stack(x, 0)),
                Sample::new(&[numbers(&[3], 1), numbers(&[3], 2)], |x| column_stack(x)),
                Sample::new(&[numbers(&[3], 1), numbers(&[2], 2)], |x| cartesian_prod(x)),
            ]
        },
        refused: || {
            vec![
                Sample::new(&[], |_| stack::<Tensor>(&[], 0)),
                Sample::new(&[numbers(&[2, 3], 1), numbers(&[2, 2], 2)], |x| stack(x, 0)),
                Sample::new(&[numbers(&[2, 3], 1)], |x| stack(x, 3)),
            ]
        },
    },
    OpInfo {
        name: "meshgrid",
        torch: "torch.meshgrid(*tensors, indexing)",
        samples: || {
            vec![
                Sample::many(&[numbers(&[3], 1), numbers(&[2], 2)], |x| meshgrid(x)),
                Sample::many(&[numbers(&[3], 1), numbers(&[], 2)], |x| meshgrid_xy(x)),
                Sample::many(&[numbers(&[3, 1], 1), numbers(&[2], 2)], |x| broadcast_tensors(x)),
            ]
        },
        refused: || vec![Sample::many(&[numbers(&[3, 1], 1), numbers(&[2], 2)], |x| meshgrid(x))],
    },
];
