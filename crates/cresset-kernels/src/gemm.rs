//! Matrix products: `C = act(alpha · A B + beta · C + bias)`.
//!
//! One door for every layout: operands are [`Mat`]s with any strides, so transposing, slicing and broadcasting cost nothing
//! before the product. Fast are a unit row or column stride; that is `x W` (NN), `x Wᵀ` with `W` as a linear layer
//! stores it (NT), and `dYᵀ X` (TN).
//!
//! f32 and f64 run on kernels for AVX-512, AVX2 and a portable form (NEON); f16 and bf16 are widened to f32, summed in f32
//! and rounded once; integers wrap.
//!
//! **Same bits on any number of threads.** Every element of `C` is one chain of sums over `k` whose order depends only
//! on the shapes and strides of the call. Threads cut `C`, never `k`, and where the cuts lie changes no chain.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod blocks;
mod driver;
mod float;
mod integer;
mod kernels;
mod lanes;
mod packed;
pub(crate) mod panels;
#[cfg(test)]
mod tests;
mod thin;
pub(crate) mod tile;
mod vector;
pub(crate) mod windows;

pub use lanes::{lanes, lanes_product, turn, turn_back};
pub use packed::{Packable, Packed};

use crate::buffer::Element;
use crate::threads;

/// A matrix in someone's slice: element `(i, j)` is `data[i * row_stride + j * col_stride]`. A stride of 0 repeats.
#[derive(Clone, Copy, Debug)]
pub struct Mat<'a, T> {
    /// The numbers, beginning with element `(0, 0)`.
    pub data: &'a [T],
    /// Distance from a row to the next.
    pub row_stride: usize,
    /// Distance from a column to the next.
    pub col_stride: usize,
}

impl<'a, T> Mat<'a, T> {
    /// A matrix with these strides.
    #[inline]
    pub fn new(data: &'a [T], row_stride: usize, col_stride: usize) -> Self {
        Mat { data, row_stride, col_stride }
    }

    /// A matrix that lies row after row, `cols` elements each.
    #[inline]
    pub fn row_major(data: &'a [T], cols: usize) -> Self {
        Mat { data, row_stride: cols, col_stride: 1 }
    }

    /// The same numbers with rows and columns exchanged.
    #[inline]
    pub fn t(self) -> Self {
        Mat { data: self.data, row_stride: self.col_stride, col_stride: self.row_stride }
    }

    /// Whether a matrix of these sizes lies within the slice.
    #[inline]
    fn holds(&self, rows: usize, cols: usize) -> bool {
        rows == 0
            || cols == 0
            || last(rows, self.row_stride, cols, self.col_stride).is_some_and(|l| l < self.data.len())
    }
}

/// The index of the last element, `None` on overflow. Neither size is 0.
#[inline]
fn last(rows: usize, row_stride: usize, cols: usize, col_stride: usize) -> Option<usize> {
    (rows - 1).checked_mul(row_stride)?.checked_add((cols - 1).checked_mul(col_stride)?)
}

/// A function of each element, applied last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Activation {
    /// The element itself.
    #[default]
    None,
    /// `max(x, 0)`; NaN stays NaN.
    Relu,
}

/// What becomes of the product: `C = act(alpha · A B + beta · C + bias)`.
///
/// ```
/// use cresset_kernels::gemm::Epilogue;
/// let ep = Epilogue::<f32>::default().bias(&[1.0, 2.0]).relu();
/// assert_eq!((ep.alpha, ep.beta), (1.0, 0.0));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Epilogue<'a, T> {
    /// Factor of the product.
    pub alpha: T,
    /// Factor of what `C` holds. With 0 that is never read, so it may be NaN.
    pub beta: T,
    /// One number per column of `C`.
    pub bias: Option<&'a [T]>,
    /// Applied last.
    pub activation: Activation,
}

impl<T: GemmElement> Default for Epilogue<'_, T> {
    #[inline]
    fn default() -> Self {
        Epilogue { alpha: T::ONE, beta: T::ZERO, bias: None, activation: Activation::None }
    }
}

impl<'a, T: GemmElement> Epilogue<'a, T> {
    /// With a bias, one number per column.
    #[inline]
    pub fn bias(self, bias: &'a [T]) -> Self {
        Epilogue { bias: Some(bias), ..self }
    }

    /// With ReLU at the end.
    #[inline]
    pub fn relu(self) -> Self {
        Epilogue { activation: Activation::Relu, ..self }
    }

    /// Adds to what `C` holds.
    #[inline]
    pub fn accumulate(self) -> Self {
        Epilogue { beta: T::ONE, ..self }
    }
}

/// A type with matrix products: f32, f64, f16, bf16, i64, i32, i16, i8, u8.
pub trait GemmElement: Element + PartialEq + private::Product {
    /// Zero.
    const ZERO: Self;
    /// One.
    const ONE: Self;
}

mod private {
    use super::{Epilogue, Mat};

    pub trait Product: Sized {
        /// The product, on operands that lie within their slices. None of the sizes is 0. `parallel`: threads may take part.
        fn product(
            m: usize,
            n: usize,
            k: usize,
            a: Mat<Self>,
            b: Mat<Self>,
            c: &mut [Self],
            ldc: usize,
            ep: &Epilogue<Self>,
            parallel: bool,
        );
        /// `alpha` times nothing: the epilogue alone.
        fn no_product(n: usize, row: &mut [Self], ep: &Epilogue<Self>);
    }
}

/// `C[m, n] = act(alpha · A[m, k] B[k, n] + beta · C + bias)`, with `C(i, j)` at `c[i * ldc + j]`.
///
/// With `k == 0` the product is zero. Elements of `c` between the rows keep what they hold.
///
/// PyTorch: `torch.mm`, `torch.addmm`, `F.linear` (`b` is then `W.t()`).
///
/// ```
/// use cresset_kernels::gemm::{Epilogue, Mat, gemm};
/// let (x, w) = ([1.0f32, 2.0, 3.0, 4.0], [1.0f32, 0.0, 1.0, 1.0]);
/// let mut y = [0.0f32; 4];
/// gemm(2, 2, 2, Mat::row_major(&x, 2), Mat::row_major(&w, 2).t(), &mut y, 2, &Epilogue::default().bias(&[10.0, 0.0]));
/// assert_eq!(y, [11.0, 3.0, 13.0, 7.0]);
/// ```
///
/// # Panics
///
/// If an operand, `c` or the bias is too short for the sizes, or `ldc < n`.
#[track_caller]
pub fn gemm<T: GemmElement>(
    m: usize,
    n: usize,
    k: usize,
    a: Mat<T>,
    b: Mat<T>,
    c: &mut [T],
    ldc: usize,
    ep: &Epilogue<T>,
) {
    door(m, n, k, a, b, c, ldc, ep, true)
}

/// [`gemm`] with a say in whether threads may take part.
#[inline]
#[track_caller]
fn door<T: GemmElement>(
    m: usize,
    n: usize,
    k: usize,
    a: Mat<T>,
    b: Mat<T>,
    c: &mut [T],
    ldc: usize,
    ep: &Epilogue<T>,
    parallel: bool,
) {
    if m == 0 || n == 0 {
        return;
    }
    assert!(a.holds(m, k), "gemm: A of {m}x{k} does not lie within its {} elements", a.data.len());
    assert!(b.holds(k, n), "gemm: B of {k}x{n} does not lie within its {} elements", b.data.len());
    assert!(
        ldc >= n && last(m, ldc, n, 1).is_some_and(|l| l < c.len()),
        "gemm: C of {m}x{n}, rows {ldc} apart, does not lie within its {} elements",
        c.len()
    );
    assert!(ep.bias.is_none_or(|v| v.len() >= n), "gemm: the bias has fewer than {n} elements");
    if k == 0 {
        for row in c.chunks_mut(ldc).take(m) {
            T::no_product(n, row, ep);
        }
        return;
    }
    T::product(m, n, k, a, b, c, ldc, ep, parallel)
}

/// `batch` products of one shape: the operands of product `i` begin at `i * a_step`, `i * b_step` and `i * c_step`. A step of 0
/// for `a` or `b` repeats the matrix. One epilogue serves all.
///
/// PyTorch: `torch.bmm`, `torch.baddbmm`.
///
/// ```
/// use cresset_kernels::gemm::{Epilogue, Mat, gemm_batched};
/// let (x, w) = ([1.0f64, 2.0, 3.0, 4.0], [10.0f64, 1.0]);
/// let mut y = [0.0f64; 2];
/// // Two products of a 1x2 row with the same 2x1 column.
/// gemm_batched(2, 1, 1, 2, Mat::row_major(&x, 2), 2, Mat::row_major(&w, 1), 0, &mut y, 1, 1, &Epilogue::default());
/// assert_eq!(y, [12.0, 34.0]);
/// ```
///
/// # Panics
///
/// As [`gemm`], or if the products overlap in `c` (`c_step` smaller than one product).
#[track_caller]
pub fn gemm_batched<T: GemmElement>(
    batch: usize,
    m: usize,
    n: usize,
    k: usize,
    a: Mat<T>,
    a_step: usize,
    b: Mat<T>,
    b_step: usize,
    c: &mut [T],
    ldc: usize,
    c_step: usize,
    ep: &Epilogue<T>,
) {
    if m == 0 || n == 0 || batch == 0 {
        return;
    }
    let begins = |len: usize, step: usize| (batch - 1).checked_mul(step).is_some_and(|s| s < len);
    assert!(k == 0 || begins(a.data.len(), a_step), "gemm_batched: A is too short for {batch} products");
    assert!(k == 0 || begins(b.data.len(), b_step), "gemm_batched: B is too short for {batch} products");
    let size = last(m, ldc, n, 1).map_or(usize::MAX, |l| l + 1);
    assert!(
        batch == 1 || c_step >= size,
        "gemm_batched: products of {size} elements overlap in C at a step of {c_step}"
    );
    assert!(
        (batch - 1).checked_mul(c_step).and_then(|s| s.checked_add(size)).is_some_and(|s| s <= c.len()),
        "gemm_batched: C is too short for {batch} products"
    );
    let one = |i: usize, c: &mut [T], parallel: bool| {
        let at = |mat: Mat<'_, T>, step: usize| if k == 0 { 0 } else { i * step }.min(mat.data.len());
        let a = Mat { data: &a.data[at(a, a_step)..], ..a };
        let b = Mat { data: &b.data[at(b, b_step)..], ..b };
        door(m, n, k, a, b, c, ldc, ep, parallel);
    };
    let work = 2 * m * n * k.max(1);
    if work > LARGE {
        for i in 0..batch {
            one(i, &mut c[i * c_step..][..size], true);
        }
        return;
    }
    let results = Results(c.as_mut_ptr());
    threads::run_ranges(batch, LARGE.div_ceil(work), &|range| {
        for i in range {
            // SAFETY: the products lie within `c` and do not overlap, as seen above; each is one thread's.
            one(i, unsafe { std::slice::from_raw_parts_mut(results.get().add(i * c_step), size) }, false);
        }
    });
}

/// In a batch, threads share a product of more operations than this; of smaller ones each takes some.
const LARGE: usize = 1_000_000;

struct Results<T>(*mut T);

// SAFETY: each thread writes to its own products.
unsafe impl<T> Sync for Results<T> {}

impl<T> Results<T> {
    fn get(&self) -> *mut T {
        self.0
    }
}
