//! Products of many matrices: `bmm`, and `matmul` over broadcast leading dimensions.

use crate::array::{Array, Meta};
use crate::dims::{Dims, broadcast};
use crate::op::{Context, Few, Op, Saves, apply1};
use crate::ops::matrix::{from_first, in_wide, same_dtype, with_number};
use crate::tensor::Tensor;
use cresset_kernels::gemm::{Epilogue, GemmElement, Mat, gemm};
use cresset_kernels::threads;

/// `C_i = A_i' B_i'` over all leading dimensions, which broadcast; `'` is the transpose where asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Batched {
    pub name: &'static str,
    pub transpose_a: bool,
    pub transpose_b: bool,
}

/// The last two sizes or strides, exchanged where the transpose is wanted.
fn last_two(d: &Dims, transpose: bool) -> (usize, usize) {
    let n = d.len();
    if transpose { (d[n - 1], d[n - 2]) } else { (d[n - 2], d[n - 1]) }
}

impl Op for Batched {
    fn name(&self) -> &'static str {
        self.name
    }
    fn grad_name(&self) -> String {
        "BmmBackward0".into()
    }
    fn infer(&self, inputs: &[&Meta]) -> Result<Few<Meta>, String> {
        let (a, b) = (inputs[0], inputs[1]);
        let (m, k) = last_two(&a.shape, self.transpose_a);
        let (inner, n) = last_two(&b.shape, self.transpose_b);
        if a.dtype != b.dtype {
            return Err(format!("expected scalar type {} but found {}", a.dtype.scalar_name(), b.dtype.scalar_name()));
        }
        same_dtype(a.dtype, b.dtype)?;
        let leading = broadcast(&a.shape[..a.ndim() - 2], &b.shape[..b.ndim() - 2])?;
        if k != inner {
            let batch = leading.numel();
            return Err(format!(
                "Expected size for first two dimensions of batch2 tensor to be: [{batch}, {k}] but got: [{batch}, {inner}]."
            ));
        }
        let mut shape = leading;
        shape.push(m);
        shape.push(n);
        Ok([Meta { dtype: a.dtype, shape }].into())
    }
    fn forward(&self, inputs: &[&Array], outputs: &[Meta]) -> Few<Array> {
        [in_wide(inputs, outputs[0], |i, m| with_number!(m.dtype, T => products::<T>(self, i[0], i[1], m)))].into()
    }
    fn flops(&self, inputs: &[&Meta], outputs: &[Meta]) -> u64 {
        crate::cost::product(outputs[0].numel(), 1, last_two(&inputs[0].shape, self.transpose_a).1)
    }
    fn saves(&self) -> Saves {
        Saves::inputs(0b11)
    }
    fn backward(&self, ctx: &Context, grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
        let Some(g) = &grads[0] else { return [None, None].into_iter().collect() };
        // dA' = C̄ B'ᵀ, dB' = A'ᵀ C̄, and their transposes. What broadcasting repeated is summed by the caller.
        let product = |x: &Tensor, tx, y: &Tensor, ty| {
            apply1(Batched { name: self.name, transpose_a: tx, transpose_b: ty }, [x, y])
        };
        let da = ctx.needs(0).then(|| match (self.transpose_a, &ctx.input(1)) {
            (false, b) => product(g, false, b, !self.transpose_b),
            (true, b) => product(b, self.transpose_b, g, true),
        });
        let db = ctx.needs(1).then(|| match (self.transpose_b, &ctx.input(0)) {
            (false, a) => product(a, !self.transpose_a, g, false),
            (true, a) => product(g, true, a, self.transpose_a),
        });
        [da, db].into_iter().collect()
    }
}

/// Where each matrix of a broadcast operand begins.
fn starts(a: &Array, leading: &[usize]) -> Vec<usize> {
    let own = a.ndim() - 2;
    let lead = leading.len() - own;
    let mut starts = vec![0];
    for (i, &n) in leading.iter().enumerate() {
        let step = if i < lead || a.shape()[i - lead] == 1 { 0 } else { a.strides()[i - lead] };
        starts = starts.iter().flat_map(|&s| (0..n).map(move |j| s + j * step)).collect();
    }
    starts
}

fn products<T: GemmElement>(op: &Batched, a: &Array, b: &Array, meta: Meta) -> Array {
    let nd = meta.ndim();
    let (m, n) = (meta.shape[nd - 2], meta.shape[nd - 1]);
    let (_, k) = last_two(a.shape(), op.transpose_a);
    let (ar, ac) = last_two(a.strides(), op.transpose_a);
    let (br, bc) = last_two(b.strides(), op.transpose_b);
    let leading = &meta.shape[..nd - 2];
    let (sa, sb) = (starts(a, leading), starts(b, leading));
    let (ra, rb) = (a.read(), b.read());
    let (da, db) = (from_first::<T>(a, &ra), from_first::<T>(b, &rb));
    let one = |i: usize, c: &mut [T]| {
        let a = Mat::new(da.get(sa[i]..).unwrap_or(&[]), ar, ac);
        let b = Mat::new(db.get(sb[i]..).unwrap_or(&[]), br, bc);
        gemm(m, n, k, a, b, c, n, &Epilogue::default());
    };
    Array::build::<T>(meta, |out| {
        if m * n == 0 {
            return;
        }
        // Large products are cut by the product itself; of small ones, so many make a piece that it is worth a thread.
        let work = m * n * k.max(1);
        if work > 1 << 21 {
            out.chunks_mut(m * n).enumerate().for_each(|(i, c)| one(i, c));
        } else {
            let each = (1usize << 16).div_ceil(work);
            threads::run_chunks(out, each * m * n, &|i, out| {
                out.chunks_mut(m * n).enumerate().for_each(|(j, c)| one(i * each + j, c));
            });
        }
    })
}
