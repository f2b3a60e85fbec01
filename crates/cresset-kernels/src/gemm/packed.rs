//! A right operand packed once for many products.

use super::driver::{Job, Shared};
use super::kernels::Kerneled;
use super::tile::Pack;
use super::{Activation, Epilogue, GemmElement, Mat, last};
use crate::buffer::Buffer;
use crate::threads;

/// The types whose operands can be packed: f32 and f64.
pub trait Packable: GemmElement + Kerneled {}
impl Packable for f32 {}
impl Packable for f64 {}

/// `B[k, n]` as the kernels read it: for products with many small `A`, of which each alone would not repay the packing.
///
/// ```
/// use cresset_kernels::gemm::{Epilogue, Mat, Packed};
/// let w = [1.0f32, 0.0, 1.0, 1.0];
/// let packed = Packed::new(2, 2, Mat::row_major(&w, 2).t());
/// let mut y = [0.0; 2];
/// packed.product(1, Mat::row_major(&[1.0, 2.0], 2), &mut y, 2, &Epilogue::default().bias(&[10.0, 0.0]));
/// assert_eq!(y, [11.0, 3.0]);
/// ```
pub struct Packed<T: Packable> {
    room: Buffer,
    k: usize,
    n: usize,
    kernels: &'static super::kernels::Kernels<T>,
}

impl<T: Packable> Packed<T> {
    /// Packs a matrix.
    ///
    /// # Panics
    /// If it does not lie within its slice, or a size is 0.
    #[track_caller]
    pub fn new(k: usize, n: usize, b: Mat<T>) -> Packed<T> {
        assert!(k > 0 && n > 0 && b.holds(k, n), "B of {k}x{n} does not lie within its {} elements", b.data.len());
        let mut packed = Packed { room: Buffer::new(0), k, n, kernels: T::kernels() };
        let (data, b_row, b_col) = (b.data.as_ptr(), b.row_stride, b.col_stride);
        // SAFETY: B lies within its slice, as seen above.
        packed.room = unsafe { Job { b: data, b_row, b_col, ..packed.job(0) }.pack() };
        packed
    }

    /// `C[m, n] = act(alpha · A[m, k] B + beta · C + bias)` on this thread, each element the same chain of sums whatever m is.
    ///
    /// # Panics
    /// If an operand is too short for the sizes, or `ldc < n`.
    #[track_caller]
    pub fn product(&self, m: usize, a: Mat<T>, c: &mut [T], ldc: usize, ep: &Epilogue<T>) {
        let (k, n) = (self.k, self.n);
        if m == 0 {
            return;
        }
        assert!(a.holds(m, k), "A of {m}x{k} does not lie within its {} elements", a.data.len());
        assert!(
            ldc >= n && last(m, ldc, n, 1).is_some_and(|l| l < c.len()),
            "C of {m}x{n}, rows {ldc} apart, does not lie within its {} elements",
            c.len()
        );
        assert!(ep.bias.is_none_or(|v| v.len() >= n), "the bias has fewer than {n} elements");
        let job = Job {
            a: a.data.as_ptr(),
            a_row: a.row_stride,
            a_col: a.col_stride,
            c: c.as_mut_ptr(),
            ldc,
            bias: ep.bias.map_or(std::ptr::null(), |v| v.as_ptr()),
            alpha: ep.alpha,
            beta: ep.beta,
            relu: ep.activation == Activation::Relu,
            packed: self.room.as_ptr().cast(),
            ..self.job(m)
        };
        // SAFETY: the operands lie within their memory as seen above, and the panels are those of this B.
        unsafe { job.block(0..m, 0..n) }
    }

    /// A job of these sizes without operands.
    fn job(&self, m: usize) -> Job<T> {
        Job {
            kernels: self.kernels,
            m,
            n: self.n,
            k: self.k,
            a: std::ptr::null(),
            a_row: 0,
            a_col: 0,
            b: std::ptr::null(),
            b_row: 0,
            b_col: 0,
            packed: std::ptr::null(),
            c: std::ptr::null_mut(),
            ldc: 0,
            bias: std::ptr::null(),
            alpha: <T as GemmElement>::ONE,
            beta: <T as GemmElement>::ZERO,
            relu: false,
            parallel: false,
        }
    }
}

impl<T: Kerneled + GemmElement> Job<T> {
    /// All panels of B, one behind the other: by blocks of k, and within them by columns.
    ///
    /// # Safety
    /// B must lie within its memory.
    pub(super) unsafe fn pack(&self) -> Buffer {
        let (w, width) = (self.kernels.w, self.kernels.nv * self.kernels.w);
        let lanes = self.n.next_multiple_of(w);
        let (k_blocks, kc_most) = self.k_blocks();
        let mut room = Buffer::new((lanes * self.k + 16) * size_of::<T>());
        let to = Shared(room.as_mut_ptr().cast::<T>());
        let panels = self.n.div_ceil(width);
        threads::run(if self.parallel { k_blocks * panels } else { 1 }, &|i| {
            let all = if self.parallel { i..i + 1 } else { 0..k_blocks * panels };
            for i in all {
                let (k0, j) = (i / panels * kc_most, i % panels * width);
                let kc = kc_most.min(self.k.saturating_sub(k0));
                let lanes_here = width.min(self.n - j);
                // SAFETY: this block of k and these columns of B. Panels do not overlap, and as their widths are whole vectors, nothing is
                // written beyond the end of one.
                unsafe {
                    (self.kernels.pack)(&Pack {
                        src: self.b.add(k0 * self.b_row + j * self.b_col),
                        lane: self.b_col,
                        step: self.b_row,
                        lanes: lanes_here,
                        readable: lanes_here,
                        k: kc,
                        dst: to.get().add(k0 * lanes + j * kc),
                        width: lanes_here.next_multiple_of(w),
                    });
                }
            }
        });
        room
    }
}
