//! Products of floats: f32 and f64 by the kernels, f16 and bf16 by widening.

use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};

use super::private::Product;
use super::{Activation, Epilogue, GemmElement, Mat, driver};
use crate::buffer::Buffer;
use crate::threads;

macro_rules! full {
    ($t:ty) => {
        impl GemmElement for $t {
            const ZERO: $t = 0.0;
            const ONE: $t = 1.0;
        }
        impl Product for $t {
            // Not `inline`, which would compile the whole of it in every crate that multiplies.
            #[inline(never)]
            fn product(
                m: usize,
                n: usize,
                k: usize,
                a: Mat<$t>,
                b: Mat<$t>,
                c: &mut [$t],
                ldc: usize,
                ep: &Epilogue<$t>,
                parallel: bool,
            ) {
                driver::product(m, n, k, a, b, c, ldc, ep, parallel)
            }
            fn no_product(n: usize, row: &mut [$t], ep: &Epilogue<$t>) {
                for (j, c) in row.iter_mut().take(n).enumerate() {
                    let mut v = if ep.beta != 0.0 { ep.beta * *c } else { 0.0 };
                    if let Some(bias) = ep.bias {
                        v += bias[j];
                    }
                    *c = if ep.activation == Activation::Relu && v < 0.0 { 0.0 } else { v };
                }
            }
        }
    };
}
full!(f32);
full!(f64);

/// Rows and columns of `C` that are computed at once in f32: their operands, widened, fit the caches or nearly.
const BLOCK: usize = 512;

/// `dst[i * cols + j] = src(i, j)`, widened. Rows of a matrix with unit columns are converted whole.
fn widen<H: Half>(src: Mat<H>, rows: usize, cols: usize, dst: &mut [f32]) {
    let dst = Slots(dst.as_mut_ptr());
    threads::run_ranges(rows, (1usize << 15).div_ceil(cols).max(1), &|range| {
        for i in range {
            // SAFETY: `dst` has `rows * cols` numbers, and each row is one thread's.
            let row = unsafe { std::slice::from_raw_parts_mut(dst.get().add(i * cols), cols) };
            let src_row = &src.data[i * src.row_stride..];
            if src.col_stride == 1 {
                H::widen(&src_row[..cols], row);
            } else {
                for (j, x) in row.iter_mut().enumerate() {
                    *x = src_row[j * src.col_stride].wide();
                }
            }
        }
    });
}

struct Slots(*mut f32);

// SAFETY: threads write to different rows.
unsafe impl Sync for Slots {}

impl Slots {
    fn get(&self) -> *mut f32 {
        self.0
    }
}

/// A 16-bit float.
trait Half: GemmElement {
    fn wide(self) -> f32;
    fn widen(src: &[Self], dst: &mut [f32]);
    fn narrow(src: &[f32], dst: &mut [Self]);
}

/// A matrix of f32 made from a part of a 16-bit one. What lies contiguous along a side stays so, so that the product takes the same
/// way as it would for f32.
fn widened<'r, H: Half>(part: Mat<H>, rows: usize, cols: usize, room: &'r mut Buffer) -> Mat<'r, f32> {
    let room = room.as_mut_slice::<f32>();
    if part.col_stride != 1 && part.row_stride == 1 {
        widen(part.t(), cols, rows, room);
        Mat::row_major(room, rows).t()
    } else {
        widen(part, rows, cols, room);
        Mat::row_major(room, cols)
    }
}

fn half_product<H: Half>(
    m: usize,
    n: usize,
    k: usize,
    a: Mat<H>,
    b: Mat<H>,
    c: &mut [H],
    ldc: usize,
    ep: &Epilogue<H>,
    parallel: bool,
) {
    let (bm, bn) = (m.min(BLOCK), n.min(BLOCK));
    let mut a_room = Buffer::new(bm * k * 4);
    let mut b_room = Buffer::new(bn * k * 4);
    let mut c_room = Buffer::new(bm * bn * 4);
    let bias: Option<Vec<f32>> = ep.bias.map(|v| v[..n].iter().map(|x| x.wide()).collect());
    for j0 in (0..n).step_by(BLOCK) {
        let nn = bn.min(n - j0);
        let b = widened(Mat { data: &b.data[j0 * b.col_stride..], ..b }, k, nn, &mut b_room);
        for i0 in (0..m).step_by(BLOCK) {
            let mm = bm.min(m - i0);
            let a = widened(Mat { data: &a.data[i0 * a.row_stride..], ..a }, mm, k, &mut a_room);
            let sums = &mut c_room.as_mut_slice::<f32>()[..mm * nn];
            if ep.beta != H::ZERO {
                widen(Mat { data: &c[i0 * ldc + j0..], row_stride: ldc, col_stride: 1 }, mm, nn, sums);
            }
            let wide = Epilogue {
                alpha: ep.alpha.wide(),
                beta: ep.beta.wide(),
                bias: bias.as_ref().map(|v| &v[j0..]),
                activation: ep.activation,
            };
            driver::product(mm, nn, k, a, b, sums, nn, &wide, parallel);
            for (i, row) in sums.chunks_exact(nn).enumerate() {
                H::narrow(row, &mut c[(i0 + i) * ldc + j0..][..nn]);
            }
        }
    }
}

macro_rules! half {
    ($t:ty) => {
        impl Half for $t {
            #[inline]
            fn wide(self) -> f32 {
                self.to_f32()
            }
            fn widen(src: &[$t], dst: &mut [f32]) {
                src.convert_to_f32_slice(dst);
            }
            fn narrow(src: &[f32], dst: &mut [$t]) {
                dst.convert_from_f32_slice(src);
            }
        }
        impl GemmElement for $t {
            const ZERO: $t = <$t>::ZERO;
            const ONE: $t = <$t>::ONE;
        }
        impl Product for $t {
            fn product(
                m: usize,
                n: usize,
                k: usize,
                a: Mat<$t>,
                b: Mat<$t>,
                c: &mut [$t],
                ldc: usize,
                ep: &Epilogue<$t>,
                parallel: bool,
            ) {
                half_product(m, n, k, a, b, c, ldc, ep, parallel)
            }
            fn no_product(n: usize, row: &mut [$t], ep: &Epilogue<$t>) {
                for (j, c) in row.iter_mut().take(n).enumerate() {
                    let mut v = if ep.beta != <$t>::ZERO { ep.beta.to_f32() * c.to_f32() } else { 0.0 };
                    if let Some(bias) = ep.bias {
                        v += bias[j].to_f32();
                    }
                    *c = <$t>::from_f32(if ep.activation == Activation::Relu && v < 0.0 { 0.0 } else { v });
                }
            }
        }
    };
}
half!(f16);
half!(bf16);
