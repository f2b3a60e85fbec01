//! Products of integers: they wrap.

use super::private::Product;
use super::{Activation, Epilogue, GemmElement, Mat};

macro_rules! simple {
    ($($t:ty, $zero:expr, $one:expr, $mul:expr, $add:expr;)*) => { $(
        impl GemmElement for $t {
            const ZERO: $t = $zero;
            const ONE: $t = $one;
        }
        impl Product for $t {
            fn product(m: usize, n: usize, k: usize, a: Mat<$t>, b: Mat<$t>, c: &mut [$t], ldc: usize, ep: &Epilogue<$t>) {
                for i in 0..m {
                    for j in 0..n {
                        let mut sum = $zero;
                        for p in 0..k {
                            let x = a.data[i * a.row_stride + p * a.col_stride];
                            let y = b.data[p * b.row_stride + j * b.col_stride];
                            sum = $add(sum, $mul(x, y));
                        }
                        let c = &mut c[i * ldc + j];
                        let mut v = $mul(ep.alpha, sum);
                        if ep.beta != $zero {
                            v = $add(v, $mul(ep.beta, *c));
                        }
                        if let Some(bias) = ep.bias {
                            v = $add(v, bias[j]);
                        }
                        *c = if ep.activation == Activation::Relu && v < $zero { $zero } else { v };
                    }
                }
            }
            fn no_product(n: usize, row: &mut [$t], ep: &Epilogue<$t>) {
                for (j, c) in row.iter_mut().take(n).enumerate() {
                    let mut v = if ep.beta != $zero { $mul(ep.beta, *c) } else { $zero };
                    if let Some(bias) = ep.bias {
                        v = $add(v, bias[j]);
                    }
                    *c = if ep.activation == Activation::Relu && v < $zero { $zero } else { v };
                }
            }
        }
    )* };
}
simple! {
    i64, 0, 1, i64::wrapping_mul, i64::wrapping_add;
    i32, 0, 1, i32::wrapping_mul, i32::wrapping_add;
    i16, 0, 1, i16::wrapping_mul, i16::wrapping_add;
    i8, 0, 1, i8::wrapping_mul, i8::wrapping_add;
    u8, 0, 1, u8::wrapping_mul, u8::wrapping_add;
}
