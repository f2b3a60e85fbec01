//! Speed of the matrix products in GFLOP/s, median and best: `gemm_bench [threads] [f32|f64] [MxKxN ...]`.

use std::time::Instant;

use cresset_kernels::buffer::Buffer;
use cresset_kernels::gemm::{Epilogue, GemmElement, Mat, gemm};
use cresset_kernels::{level, threads};

/// Shapes of small and middling networks, batch x in x out, and some large squares.
const SHAPES: &str = "32x10x20 32x20x1 32x784x512 32x512x256 32x128x10 128x784x512 512x784x512 1000x100x200 1000x200x100 \
                      1000x100x1 16x256x256 1x784x512 4x784x512 512x512x512 1024x1024x1024";

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    threads::set_num_threads(args.first().and_then(|a| a.parse().ok()).unwrap_or(1));
    println!("{:?}, {} threads", level::level(), threads::num_threads());
    let shapes: Vec<&str> = match args.get(2..) {
        Some(own) if !own.is_empty() => own.iter().map(|s| s.as_str()).collect(),
        _ => SHAPES.split_whitespace().collect(),
    };
    for shape in shapes {
        let sizes: Vec<usize> = shape.split('x').map(|s| s.parse().expect("MxKxN")).collect();
        match args.get(1).map(|s| s.as_str()) {
            Some("f64") => layouts::<f64>(shape, &sizes, |x| x as f64),
            _ => layouts::<f32>(shape, &sizes, |x| x),
        }
    }
}

/// Forward with `[in, out]` weights, forward with `[out, in]` weights, and the gradient of the weight.
fn layouts<T: GemmElement>(name: &str, sizes: &[usize], make: impl Fn(f32) -> T) {
    let (m, k, n) = (sizes[0], sizes[1], sizes[2]);
    // Aligned, as tensors are.
    let fill = |len: usize| {
        let mut buffer = Buffer::new(len * size_of::<T>());
        buffer.as_mut_slice::<T>()[..len]
            .iter_mut()
            .enumerate()
            .for_each(|(i, x)| *x = make((i * 7 % 13) as f32 - 6.0));
        buffer
    };
    let (x, w, dy) = (fill(m * k), fill(k * n), fill(m * n));
    let (mut y, mut dw) = (fill(m * n), fill(n * k));
    let (x, w, dy): (&[T], &[T], &[T]) = (x.as_slice(), w.as_slice(), dy.as_slice());
    let (y, dw): (&mut [T], &mut [T]) = (y.as_mut_slice(), dw.as_mut_slice());
    let ep = Epilogue::default();
    print!("{name:>16}");
    let nn = measure(|| gemm(m, n, k, Mat::row_major(x, k), Mat::row_major(w, n), y, n, &ep));
    let nt = measure(|| gemm(m, n, k, Mat::row_major(x, k), Mat::row_major(w, k).t(), y, n, &ep));
    let tn = measure(|| gemm(n, k, m, Mat::row_major(dy, n).t(), Mat::row_major(x, k), dw, k, &ep));
    let flops = 2.0 * (m * n * k) as f64;
    for (layout, (median, best)) in [("NN", nn), ("NT", nt), ("TN", tn)] {
        print!("  {layout} {:6.1} ({:6.1}) {:8.2} us", flops / median, flops / best, median / 1e3);
    }
    println!();
}

/// Median and best time of a call, in ns, from 60 ms of short rounds: short enough that some escape other processes.
fn measure(mut f: impl FnMut()) -> (f64, f64) {
    f();
    let start = Instant::now();
    f();
    let calls = (2e5 / start.elapsed().as_nanos() as f64).ceil().max(1.0) as usize;
    let begin = Instant::now();
    let mut times = Vec::new();
    while times.len() < 5 || begin.elapsed().as_millis() < 60 {
        let start = Instant::now();
        for _ in 0..calls {
            f();
        }
        times.push(start.elapsed().as_nanos() as f64 / calls as f64);
    }
    times.sort_by(f64::total_cmp);
    (times[times.len() / 2], times[0])
}
