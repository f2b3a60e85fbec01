//! Loops over strided tensors against naive indexing: random shapes and strides, 0-d, empty, expanded, transposed, in place,
//! half precision; and the same bits on any number of threads.

use cresset_kernels::buffer::Buffer;
use cresset_kernels::lane::{Binary, Lane, LaneOps, Ternary, Unary};
use cresset_kernels::map::{self, Element};
use cresset_kernels::strided::{MAX_OPERANDS, Plan, extent, is_contiguous, is_injective};
use cresset_kernels::threads::set_num_threads;
use half::{bf16, f16};

/// A small generator (xorshift), so that a failure comes again.
struct Random(u64);
impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % n as u64) as usize
    }
    fn shape(&mut self) -> Vec<usize> {
        let sizes = [1, 2, 3, 5, 0, 33, 130, 1, 7];
        let dims = self.below(5);
        let small = if self.below(20) == 0 { 5 } else { 4 };
        let mut shape: Vec<usize> = (0..dims).map(|_| sizes[self.below(small)]).collect();
        if dims > 0 && self.below(2) == 0 {
            let at = self.below(dims);
            shape[at] = sizes[5 + self.below(4)];
        }
        shape
    }
    /// Strides of a tensor in permuted order, with gaps; with some zeros if it may be expanded.
    fn strides(&mut self, shape: &[usize], expanded: bool) -> Vec<usize> {
        let plain = self.below(3) == 0;
        let mut order: Vec<usize> = (0..shape.len()).rev().collect();
        if !plain {
            for i in (1..order.len()).rev() {
                order.swap(i, self.below(i + 1));
            }
        }
        let mut strides = vec![0; shape.len()];
        let mut step = if plain { 1 } else { 1 + self.below(4) / 3 };
        for d in order {
            strides[d] = step;
            step *= shape[d].max(1);
            if !plain && self.below(4) == 0 {
                step += 3;
            }
        }
        if expanded && self.below(2) == 0 {
            for s in &mut strides {
                if self.below(2) == 0 {
                    *s = 0;
                }
            }
        }
        strides
    }
}

/// All index tuples in row-major order, as offsets under the strides.
fn offsets(shape: &[usize], strides: &[usize]) -> Vec<usize> {
    let n: usize = shape.iter().product();
    (0..n)
        .map(|mut i| {
            let mut at = 0;
            for d in (0..shape.len()).rev() {
                at += i % shape[d] * strides[d];
                i /= shape[d];
            }
            at
        })
        .collect()
}

fn data(shape: &[usize], strides: &[usize], k: usize) -> Vec<f32> {
    // Few bits each, so that every formula below is exact in f32.
    (0..extent(shape, strides)).map(|i| ((i * 7 + k * 3) % 499) as f32 / 16.0 - 15.0).collect()
}

#[test]
fn plans_visit_every_element_once() {
    let mut r = Random(0x9e37_79b9_7f4a_7c15);
    for _ in 0..400 {
        let shape = r.shape();
        let strides: Vec<Vec<usize>> = (0..1 + r.below(MAX_OPERANDS)).map(|k| r.strides(&shape, k > 0)).collect();
        let refs: Vec<&[usize]> = strides.iter().map(|s| &s[..]).collect();
        let plan = Plan::new(&shape, &refs);
        let mut want: Vec<Vec<usize>> = vec![vec![]; plan.len()];
        for s in &strides {
            offsets(&shape, s).iter().zip(&mut want).for_each(|(o, w)| w.push(*o));
        }
        want.sort();
        let mut got = vec![];
        // In two pieces, cut anywhere.
        let cut = r.below(plan.len() + 1);
        for range in [0..cut, cut..plan.len()] {
            plan.walk(range, |at, len, step| {
                for i in 0..len {
                    got.push((0..strides.len()).map(|k| at[k] + i * step[k]).collect::<Vec<_>>());
                }
            });
        }
        got.sort();
        assert_eq!(got, want, "shape {shape:?}, strides {strides:?}");
        if plan.is_empty() {
            continue;
        }
        // Whole rows.
        let (row, mut got) = (plan.row(), vec![]);
        let rows = plan.len() / row;
        let cut = r.below(rows + 1);
        for range in [0..cut, cut..rows] {
            plan.walk_rows(range, |at, count| {
                for (i, c) in (0..count).flat_map(|c| (0..row).map(move |i| (i, c))) {
                    let place = |k: usize| {
                        let apart = if c == 0 { 0 } else { plan.stride(1, k) };
                        at[k] + i * plan.stride(0, k) + c * apart
                    };
                    got.push((0..strides.len()).map(place).collect::<Vec<_>>());
                }
            });
        }
        got.sort();
        assert_eq!(got, want, "rows of shape {shape:?}, strides {strides:?}");
    }
}

#[test]
fn contiguous_tensors_are_one_row() {
    let plan = Plan::new(&[4, 1, 5, 6], &[&[30, 7, 6, 1], &[30, 30, 6, 1]]);
    assert_eq!((plan.dims(), plan.row()), (1, 120));
    let plan = Plan::new(&[4, 5], &[&[1, 4], &[1, 4]]);
    assert_eq!((plan.dims(), plan.row()), (1, 20));
    assert_eq!(Plan::new(&[], &[&[]]).len(), 1);
    assert!(is_contiguous(&[3, 1, 2], &[2, 99, 1]) && !is_contiguous(&[3, 2], &[1, 3]));
    assert!(is_injective(&[3, 2], &[1, 3]) && !is_injective(&[3, 2], &[1, 2]) && !is_injective(&[2], &[0]));
}

#[derive(Clone, Copy)]
struct Poly;
impl Unary for Poly {
    type Loop = cresset_kernels::lane::InRegisters;
    #[inline(always)]
    fn eval<L: Lane>(&self, x: &L) -> L {
        x.mul(x).add_c(0.5)
    }
    #[inline(always)]
    fn derivative<L: Lane>(&self, x: &L, y: &L) -> L {
        x.mul_c(2.0).add(&y.mul_c(0.25))
    }
}
#[derive(Clone, Copy)]
struct Mix;
impl Binary for Mix {
    type Loop = cresset_kernels::lane::InRegisters;
    #[inline(always)]
    fn eval<L: Lane>(&self, a: &L, b: &L) -> L {
        a.mul_c(3.0).sub(b)
    }
    #[inline(always)]
    fn da<L: Lane>(&self, a: &L, b: &L, y: &L) -> L {
        a.add(b).add(y)
    }
    #[inline(always)]
    fn db<L: Lane>(&self, a: &L, b: &L, _: &L) -> L {
        a.sub(b)
    }
}
impl Ternary for Mix {
    type Loop = cresset_kernels::lane::InRegisters;
    #[inline(always)]
    fn eval<L: Lane>(&self, a: &L, b: &L, c: &L) -> L {
        L::select(&a.gt(b), c, &c.neg())
    }
    #[inline(always)]
    fn da<L: Lane>(&self, a: &L, _: &L, _: &L) -> L {
        a.clone()
    }
    #[inline(always)]
    fn db<L: Lane>(&self, _: &L, b: &L, _: &L) -> L {
        b.clone()
    }
    #[inline(always)]
    fn dc<L: Lane>(&self, _: &L, _: &L, c: &L) -> L {
        c.clone()
    }
}

/// A tensor with random strides, in dtype T.
struct Tensor<T> {
    data: Vec<T>,
    strides: Vec<usize>,
    at: Vec<usize>,
}
fn tensor<T: Element>(r: &mut Random, shape: &[usize], expanded: bool, k: usize, of: fn(f32) -> T) -> Tensor<T> {
    let strides = r.strides(shape, expanded);
    let data = data(shape, &strides, k).into_iter().map(of).collect();
    let at = offsets(shape, &strides);
    Tensor { data, strides, at }
}
impl<T: Copy> Tensor<T> {
    fn v(&self, i: usize) -> T {
        self.data[self.at[i]]
    }
    fn read(&self) -> map::In<'_, T> {
        (&self.data, &self.strides)
    }
    fn write(&mut self) -> map::Out<'_, T> {
        (&mut self.data, &self.strides)
    }
}

fn floats<T: map::Float + PartialEq + std::fmt::Debug>(of: fn(f32) -> T, to: fn(T) -> f32) {
    let mut r = Random(42);
    for round in 0..300 {
        // Now and then long enough for several blocks.
        let shape = match round % 10 {
            9 => vec![3, 150 * (1 + r.below(20)), 2 + r.below(5)],
            4 => vec![3, 20 * (1 + r.below(5)), 30 + r.below(80)],
            _ => r.shape(),
        };
        let x = tensor(&mut r, &shape, true, 1, of);
        let b = tensor(&mut r, &shape, true, 2, of);
        let g = tensor(&mut r, &shape, true, 3, of);
        let mut y = tensor(&mut r, &shape, false, 4, of);
        let gaps = y.data.clone();
        let n = x.at.len();
        let same = |y: &Tensor<T>, want: &dyn Fn(usize) -> f32, what: &str| {
            for i in 0..n {
                let (got, want) = (y.v(i), of(want(i)));
                assert_eq!(got, want, "{what}, element {i}, shape {shape:?}, strides {:?} {:?}", x.strides, y.strides);
            }
            // What lies between the elements is left alone.
            let mut touched = vec![false; gaps.len()];
            y.at.iter().for_each(|a| touched[*a] = true);
            assert!((0..gaps.len()).all(|i| touched[i] || y.data[i] == gaps[i]), "{what} wrote beside its elements");
        };
        let (xv, bv, gv) = (|i| to(x.v(i)), |i| to(b.v(i)), |i| to(g.v(i)));
        map::unary(Poly, &shape, x.read(), y.write());
        same(&y, &|i| xv(i) * xv(i) + 0.5, "unary");
        map::unary_grad(Poly, &shape, g.read(), Some(x.read()), Some(b.read()), y.write());
        same(&y, &|i| gv(i) * (xv(i) * 2.0 + bv(i) * 0.25), "unary_grad");
        map::binary(Mix, &shape, x.read(), b.read(), y.write());
        same(&y, &|i| xv(i) * 3.0 - bv(i), "binary");
        map::binary_grad_a(Mix, &shape, g.read(), (Some(x.read()), Some(b.read()), Some(x.read())), y.write());
        same(&y, &|i| gv(i) * (xv(i) + bv(i) + xv(i)), "binary_grad_a");
        map::binary_grad_b(Mix, &shape, g.read(), (Some(x.read()), Some(b.read()), None), y.write());
        same(&y, &|i| gv(i) * (xv(i) - bv(i)), "binary_grad_b");
        map::ternary(Mix, &shape, x.read(), b.read(), g.read(), y.write());
        same(&y, &|i| if xv(i) > bv(i) { gv(i) } else { -gv(i) }, "ternary");
        map::ternary_grad_c(Mix, &shape, g.read(), (None, None, Some(b.read())), y.write());
        same(&y, &|i| gv(i) * bv(i), "ternary_grad_c");
        map::copy(&shape, x.read(), y.write());
        same(&y, &xv, "copy");
        map::unary_(Poly, &shape, y.write());
        same(&y, &|i| xv(i) * xv(i) + 0.5, "unary_");
        map::copy(&shape, x.read(), y.write());
        map::binary_(Mix, &shape, y.write(), b.read());
        same(&y, &|i| xv(i) * 3.0 - bv(i), "binary_");
        map::fill(&shape, of(2.5), y.write());
        same(&y, &|_| 2.5, "fill");
        map::map2::<T, T, T>(&shape, T::smaller, x.read(), b.read(), y.write());
        same(&y, &|i| if xv(i) < bv(i) { xv(i) } else { bv(i) }, "map2");
    }
}

trait Smaller: Element {
    fn smaller(a: Self::Block, b: Self::Block) -> Self::Block;
}
impl<T: map::Float> Smaller for T {
    fn smaller(a: T::Block, b: T::Block) -> T::Block {
        if a < b { a } else { b }
    }
}

#[test]
fn every_layout_in_f32() {
    floats::<f32>(|v| v, |v| v);
}

/// A function with loops of its own for rows, through the door for bytes.
fn quick<T: map::Float + PartialEq + cresset_kernels::buffer::Element>(
    kind: map::FloatKind,
    of: fn(f32) -> T,
    to: fn(T) -> f32,
) {
    fn buffer<T: cresset_kernels::buffer::Element>(values: &[T]) -> Buffer {
        let mut buffer = Buffer::new(size_of_val(values));
        buffer.as_mut_slice::<T>().copy_from_slice(values);
        buffer
    }
    let function = map::Function::quick_binary(Mix);
    let mut r = Random(44);
    for round in 0..400 {
        let (rows, len) = (1 + r.below(90), 14 + r.below(120));
        let shape = match round % 4 {
            0 => r.shape(),
            1 => vec![rows, len],
            // More than a piece, now and then.
            _ => vec![1 + r.below(12), rows, len],
        };
        let operand = |r: &mut Random, k: usize| {
            let mut x = tensor(r, &shape, true, k, of);
            if r.below(3) > 0 {
                // Side by side, but for dimensions that are spread.
                let mut step = 1;
                for d in (0..shape.len()).rev() {
                    let spread = r.below(3) == 0;
                    x.strides[d] = if spread { 0 } else { step };
                    step *= if spread { 1 } else { shape[d].max(1) };
                }
                x.data = data(&shape, &x.strides, k).into_iter().map(of).collect();
                x.at = offsets(&shape, &x.strides);
            }
            x
        };
        let (a, b) = (operand(&mut r, 1), operand(&mut r, 2));
        let y = tensor(&mut r, &shape, false, 3, of);
        let (a_bytes, b_bytes, mut y_bytes) = (buffer(&a.data), buffer(&b.data), buffer(&y.data));
        let ins = [(&a_bytes, &a), (&b_bytes, &b)].map(|(bytes, x)| map::Input::Tensor((bytes.as_slice(), &x.strides)));
        function.run(map::Part::Value, kind, &shape, &ins, (y_bytes.as_mut_slice(), &y.strides));
        let mut want = y.data.clone();
        for i in 0..y.at.len() {
            want[y.at[i]] = of(to(a.v(i)) * 3.0 - to(b.v(i)));
        }
        let (sa, sb, sy) = (&a.strides, &b.strides, &y.strides);
        assert!(y_bytes.as_slice::<T>() == want, "shape {shape:?}, strides {sa:?}, {sb:?} to {sy:?}");
    }
}

#[test]
fn rows_of_quick_functions() {
    quick::<f32>(map::FloatKind::F32, |v| v, |v| v);
    quick::<f64>(map::FloatKind::F64, |v| v as f64, |v| v as f32);
    quick::<bf16>(map::FloatKind::BF16, bf16::from_f32, bf16::to_f32);
}

#[test]
fn every_layout_in_f64() {
    floats::<f64>(|v| v as f64, |v| v as f32);
}

#[test]
fn every_layout_in_half_precision() {
    floats::<bf16>(bf16::from_f32, bf16::to_f32);
    floats::<f16>(f16::from_f32, f16::to_f32);
}

#[test]
fn casts() {
    fn go<A: Element, R: Element + PartialEq + std::fmt::Debug>(x: &[A], want: &[R]) {
        let mut y = want.to_vec();
        map::fill(&[y.len()], want[want.len() - 1], (&mut y, &[1]));
        map::cast(&[x.len()], (x, &[1]), (&mut y, &[1]));
        assert_eq!(y, want);
    }
    let x = [0.0f32, -0.0, 1.9, -1.9, 200.0, 300.0];
    go(&x, &[0i64, 0, 1, -1, 200, 300]);
    go(&x, &[0u8, 0, 1, 255, 200, 44]);
    go(&x, &[0i8, 0, 1, -1, -56, 44]);
    go(&x, &[false, false, true, true, true, true]);
    go(&[f32::NAN, 0.0], &[true, false]);
    go(&[true, false], &[1.0f32, 0.0]);
    go(&[true, false], &[f16::ONE, f16::ZERO]);
    go(&[i64::MAX, -1, 1 << 40], &[-1i32, -1, 0]);
    go(&[70000i64, -3], &[f16::INFINITY, f16::from_f32(-3.0)]);
    go(&[1.0f64 / 3.0, 1e300], &[1.0f32 / 3.0, f32::INFINITY]);
    go(&[1.0f64 / 3.0, f64::NEG_INFINITY], &[f16::from_f32(1.0 / 3.0), f16::NEG_INFINITY]);
    go(&[bf16::from_f32(1.5)], &[f16::from_f32(1.5)]);
    go(&[-7i16, 3], &[bf16::from_f32(-7.0), bf16::from_f32(3.0)]);
    // Rounding to bf16: halves to even, overflow, NaN.
    let odd = f32::from_bits(0x3f81_8000);
    let even = f32::from_bits(0x3f80_8000);
    go(&[odd, even, f32::MAX], &[bf16::from_bits(0x3f82), bf16::from_bits(0x3f80), bf16::INFINITY]);
    let mut y = [bf16::ZERO];
    map::cast(&[1], (&[f32::NAN], &[1]), (&mut y, &[1]));
    assert!(y[0].is_nan());
}

#[test]
fn every_half_there_and_back() {
    let all: Vec<f16> = (0..=u16::MAX).map(f16::from_bits).collect();
    let mut wide = vec![0.0f32; all.len()];
    map::cast(&[all.len()], (&all, &[1]), (&mut wide, &[1]));
    for (h, w) in all.iter().zip(&wide) {
        assert!(h.to_f32().to_bits() == w.to_bits() || h.is_nan() && w.is_nan(), "{h:?} became {w:e}");
    }
    // Every f16, the middle to the next one, and a little to either side of it.
    let around: Vec<f32> = wide
        .iter()
        .filter(|w| !w.is_nan())
        .flat_map(|w| [0, 0xfff, 0x1000, 0x1001].map(|d| f32::from_bits(w.to_bits() + d)))
        .chain((0..1 << 20).map(|i| f32::from_bits(i << 12)))
        .collect();
    let mut back = vec![f16::ZERO; around.len()];
    map::cast(&[around.len()], (&around, &[1]), (&mut back, &[1]));
    for (w, h) in around.iter().zip(&back) {
        let want = f16::from_f32(*w);
        assert!(h.to_bits() == want.to_bits() || h.is_nan() && want.is_nan(), "{w:e} became {h:?}, not {want:?}");
    }
}

#[test]
fn masks_and_selection() {
    let (a, b) = ([1.0f32, 5.0, f32::NAN], [2.0f32, 2.0, 2.0]);
    let mut m = [false; 3];
    map::map2::<f32, f32, bool>(&[3], |a, b| a < b, (&a, &[1]), (&b, &[1]), (&mut m, &[1]));
    assert_eq!(m, [true, false, false]);
    let mut y = [0i64; 3];
    map::map3::<bool, i64, i64, i64>(
        &[3],
        |m, a, b| if m { a } else { b },
        (&m, &[1]),
        (&[7], &[0]),
        (&[1, 2, 3], &[1]),
        (&mut y, &[1]),
    );
    assert_eq!(y, [7, 2, 3]);
    map::map1_::<i64>(&[3], |v| v * 2, (&mut y, &[1]));
    assert_eq!(y, [14, 4, 6]);
}

#[test]
fn the_same_bits_on_any_number_of_threads() {
    let (rows, cols) = (700, 190);
    let x = data(&[rows, cols], &[cols, 1], 5);
    let mut first: Option<Vec<f32>> = None;
    for n in [1, 2, 3] {
        set_num_threads(n);
        let mut all = vec![];
        for strides in [[cols, 1], [1, rows], [0, 1], [1, 0], [0, 0]] {
            let mut y = vec![0.0f32; rows * cols];
            map::binary(Mix, &[rows, cols], (&x, &[cols, 1]), (&x, &strides), (&mut y, &[cols, 1]));
            all.extend_from_slice(&y);
            map::copy(&[rows, cols], (&x, &strides), (&mut y, &[cols, 1]));
            all.extend_from_slice(&y);
        }
        match &first {
            None => first = Some(all),
            Some(f) => assert!(f.iter().zip(&all).all(|(a, b)| a.to_bits() == b.to_bits())),
        }
    }
    set_num_threads(0);
}

#[test]
fn long_rows_that_repeat_or_have_gaps() {
    let (rows, cols) = (97, 1003);
    let a = data(&[rows, 1100], &[1100, 1], 5);
    let b = data(&[cols], &[1], 6);
    for gap in [1100, cols] {
        let mut y = vec![0.0f32; rows * gap];
        map::binary(Mix, &[rows, cols], (&a, &[1100, 1]), (&b, &[0, 1]), (&mut y, &[gap, 1]));
        for (r, row) in y.chunks(gap).enumerate() {
            for c in 0..gap {
                let want = if c < cols { a[r * 1100 + c] * 3.0 - b[c] } else { 0.0 };
                assert_eq!(row[c], want, "row {r} of {gap}, column {c}");
            }
        }
    }
}

#[test]
fn parts_side_by_side() {
    // Several pieces for the threads, and rows longer than a piece; a part without a single element.
    for (rows, lens) in [(1, vec![5]), (3, vec![2, 0, 7]), (5000, vec![13, 64]), (3, vec![1, 200_000])] {
        let parts: Vec<Vec<u8>> =
            lens.iter().enumerate().map(|(k, n)| (0..rows * n).map(|i| (i * 7 + k) as u8).collect()).collect();
        let slices: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        let mut out = vec![0; parts.iter().map(Vec::len).sum()];
        map::side_by_side(rows, &slices, &mut out);
        let want: Vec<u8> = (0..rows)
            .flat_map(|r| parts.iter().zip(&lens).flat_map(move |(p, n)| p[r * n..(r + 1) * n].iter().copied()))
            .collect();
        assert!(out == want, "{rows} rows of {lens:?}");
    }
}

#[test]
#[should_panic(expected = "beyond the data")]
fn strides_beyond_the_data_are_refused() {
    map::unary(Poly, &[4], (&[1.0f32; 4], &[2]), (&mut [0.0; 4], &[1]));
}

#[test]
#[should_panic(expected = "overlap")]
fn overlapping_outputs_are_refused() {
    map::unary(Poly, &[4], (&[1.0f32; 4], &[1]), (&mut [0.0; 4], &[0]));
}
