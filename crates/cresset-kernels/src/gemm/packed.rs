//! A right operand packed once for many products.

use super::driver::Job;
use super::kernels::Kerneled;
use super::tile::Pack;
use super::{Activation, Epilogue, GemmElement, Mat, last};
use crate::buffer::Buffer;

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
        let kernels = T::kernels();
        let (w, width) = (kernels.w, kernels.nv * kernels.w);
        let mut room = Buffer::new((n.next_multiple_of(w) * k + 16) * size_of::<T>());
        let mut packed = Packed { room: Buffer::new(0), k, n, kernels };
        let (k_blocks, kc_most) = packed.job(0).k_blocks();
        for kb in 0..k_blocks {
            let (k0, k1) = (kb * kc_most, k.min((kb + 1) * kc_most));
            for j in (0..n).step_by(width) {
                let lanes = width.min(n - j);
                // SAFETY: this block of k and these columns of B; panels lie one behind the other in the room, and what a panel writes beyond
                // its end the next one overwrites, or is part of the 16.
                unsafe {
                    (kernels.pack)(&Pack {
                        src: b.data.as_ptr().add(k0 * b.row_stride + j * b.col_stride),
                        lane: b.col_stride,
                        step: b.row_stride,
                        lanes,
                        readable: lanes,
                        k: k1.saturating_sub(k0),
                        dst: room.as_mut_ptr().cast::<T>().add(k0 * n.next_multiple_of(w) + j * (k1 - k0)),
                        width: lanes.next_multiple_of(w),
                    });
                }
            }
        }
        packed.room = room;
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
            alpha: T::ONE,
            beta: <T as GemmElement>::ZERO,
            relu: false,
            parallel: false,
        }
    }
}
