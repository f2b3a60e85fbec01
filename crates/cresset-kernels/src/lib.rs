//! Numbers on slices for cresset: SIMD lanes, matrix products, reductions, threads, buffers, random streams. Knows no tensor.

pub mod buffer;
pub mod columns;
pub mod conv;
pub mod gemm;
pub mod lane;
pub mod level;
pub mod map;
pub mod math;
pub mod norm;
pub mod optim;
pub mod pool;
pub mod reduce;
pub mod rng;
pub mod rows;
pub mod softmax;
pub mod sort;
pub mod strided;
pub mod threads;
