use super::*;
use crate::level::{Level, best, set_level};
use crate::threads::set_num_threads;

/// Every product of the definition: `f(output, input, weight)`.
fn each_product(conv: &Conv, mut f: impl FnMut(usize, usize, usize)) {
    let (win, cg, og) = (&conv.window, conv.group_in(), conv.group_out());
    let [od, oh, ow] = win.output;
    for at in 0..conv.batch * conv.output_image() {
        let (l, o, n) = (at % (od * oh * ow), at / (od * oh * ow) % conv.out_channels, at / conv.output_image());
        let pos = [l / (oh * ow), l / ow % oh, l % ow];
        for c in 0..cg {
            for p in 0..win.kernel_len() {
                let point = [p / (win.kernel[1] * win.kernel[2]), p / win.kernel[2] % win.kernel[1], p % win.kernel[2]];
                let i: [isize; 3] = std::array::from_fn(|d| {
                    (pos[d] * win.stride[d] + point[d] * win.dilation[d]) as isize - win.padding[d] as isize
                });
                if (0..3).any(|d| i[d] < 0 || i[d] >= win.input[d] as isize) {
                    continue;
                }
                let channel = n * conv.in_channels + o / og * cg + c;
                let i = ((channel * win.input[0] + i[0] as usize) * win.input[1] + i[1] as usize) * win.input[2]
                    + i[2] as usize;
                f(at, i, (o * cg + c) * win.kernel_len() + p);
            }
        }
    }
}

/// By the definition.
fn plain(conv: &Conv, x: &[f64], w: &[f64]) -> Vec<f64> {
    let mut y = vec![0.0; conv.batch * conv.output_image()];
    each_product(conv, |o, i, p| y[o] += x[i] * w[p]);
    y
}

fn numbers(n: usize, salt: usize) -> Vec<f64> {
    (0..n).map(|i| ((i * 7 + salt) % 13) as f64 - 6.0).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The map against its definition, and both gradients by their inner products with it: `<g, y(x, w)> = <dx, x> = <dw, w>`.
fn check(batch: usize, channels: (usize, usize), groups: usize, window: Window) {
    let conv = Conv { batch, in_channels: channels.0, out_channels: channels.1, groups, window };
    let x = numbers(batch * conv.input_image(), 1);
    let w = numbers(groups * conv.group_weight(), 2);
    let want = plain(&conv, &x, &w);
    let mut y = vec![f64::NAN; want.len()];
    forward(&conv, &x, &w, None, &mut y);
    assert_eq!(y, want);
    let g = numbers(y.len(), 3);
    let (mut dx, mut dw) = (vec![f64::NAN; x.len()], vec![f64::NAN; w.len()]);
    input_gradient(&conv, &g, &w, None, &mut dx);
    weight_gradient(&conv, &x, &g, &mut dw);
    assert_eq!(dot(&dx, &x), dot(&g, &y));
    assert_eq!(dot(&dw, &w), dot(&g, &y));
    // Not only on the average: a unit gradient at one place gives the numbers its window saw.
    let at = y.len() / 2;
    let mut unit = vec![0.0; y.len()];
    unit[at] = 1.0;
    weight_gradient(&conv, &x, &unit, &mut dw);
    assert_eq!(dot(&dw, &w), y[at]);
}

fn window(
    input: [usize; 3],
    kernel: [usize; 3],
    stride: [usize; 3],
    padding: [usize; 3],
    dilation: [usize; 3],
) -> Window {
    let output =
        std::array::from_fn(|d| (input[d] + 2 * padding[d] - dilation[d] * (kernel[d] - 1) - 1) / stride[d] + 1);
    Window { input, kernel, stride, padding, dilation, output }
}

/// A square window over pictures.
fn flat(size: [usize; 2], kernel: usize, stride: usize, padding: usize) -> Window {
    let plane = |a: usize, d: usize| [d, a, a];
    window([1, size[0], size[1]], plane(kernel, 1), plane(stride, 1), plane(padding, 0), [1; 3])
}

/// All three maps of f32, with biases: small whole numbers, so every sum is exact in any order.
fn check_f32(batch: usize, channels: (usize, usize), groups: usize, window: Window) {
    let conv = Conv { batch, in_channels: channels.0, out_channels: channels.1, groups, window };
    let few = |n: usize, salt: usize| (0..n).map(|i| ((i * 5 + i / 11 + salt) % 7) as f64 - 3.0).collect::<Vec<f64>>();
    let (x, w) = (few(batch * conv.input_image(), 1), few(groups * conv.group_weight(), 2));
    let g = few(batch * conv.output_image(), 3);
    let bias = few(channels.0.max(channels.1), 4);
    let mut want: [Vec<f64>; 3] = [
        g.iter().enumerate().map(|(i, _)| bias[i / window.output_len() % channels.1]).collect(),
        x.iter().enumerate().map(|(i, _)| bias[i / window.input_len() % channels.0]).collect(),
        vec![0.0; w.len()],
    ];
    each_product(&conv, |o, i, p| {
        want[0][o] += x[i] * w[p];
        want[1][i] += g[o] * w[p];
        want[2][p] += g[o] * x[i];
    });
    let single = |v: &[f64]| v.iter().map(|&v| v as f32).collect::<Vec<f32>>();
    let (x, w, g, bias) = (single(&x), single(&w), single(&g), single(&bias));
    for level in [Level::Avx512, Level::Avx2, Level::Neon, Level::Scalar] {
        if !set_level(level) {
            continue;
        }
        // Once more without a bias: what the memory held must not be seen.
        for biased in [true, false] {
            let mut have: [Vec<f32>; 3] = std::array::from_fn(|i| vec![f32::NAN; want[i].len()]);
            forward(&conv, &x, &w, biased.then_some(&bias), &mut have[0]);
            input_gradient(&conv, &g, &w, biased.then_some(&bias), &mut have[1]);
            weight_gradient(&conv, &x, &g, &mut have[2]);
            for (map, (have, want)) in have.iter().zip(&want).enumerate() {
                let count = [window.output_len(), window.input_len(), 1][map].max(1);
                for (i, (&have, &want)) in have.iter().zip(want).enumerate() {
                    let unbiased = if biased || map == 2 { 0.0 } else { bias[i / count % channels_of(&conv, map)] };
                    assert_eq!(have + unbiased, want as f32, "map {map} at {i}, {level:?}, {conv:?}");
                }
            }
        }
    }
    set_level(best());
}

fn channels_of(conv: &Conv, map: usize) -> usize {
    [conv.out_channels, conv.in_channels, 1][map]
}

#[test]
fn pictures_of_f32() {
    // Odd sizes, not square, one to three channels, padding wider than one, strides.
    check_f32(1, (1, 8), 1, flat([5, 9], 3, 1, 1));
    check_f32(3, (2, 9), 1, flat([11, 7], 3, 1, 2));
    check_f32(2, (3, 20), 1, flat([23, 37], 7, 2, 3));
    check_f32(2, (9, 17), 1, flat([12, 13], 3, 2, 1));
    check_f32(5, (11, 8), 1, flat([6, 7], 5, 3, 4));
    check_f32(2, (8, 10), 1, flat([9, 8], 1, 2, 0));
    check_f32(2, (8, 9), 1, flat([7, 10], 2, 4, 1));
    check_f32(1, (10, 12), 1, flat([8, 9], 1, 1, 2));
    // Padding as wide as the window or wider: some positions read nothing but zeros.
    check_f32(2, (8, 8), 1, flat([4, 5], 3, 1, 4));
    // Many pictures with few positions, and the last position alone in a vector.
    check_f32(33, (16, 24), 1, flat([4, 4], 3, 1, 1));
    check_f32(2, (40, 33), 1, flat([7, 7], 3, 1, 1));
    // Several blocks of the sum, of rows and of positions.
    check_f32(1, (80, 16), 1, flat([10, 9], 3, 1, 1));
    check_f32(2, (8, 200), 1, flat([21, 24], 3, 1, 1));
    check_f32(1, (8, 8), 1, flat([30, 90], 3, 1, 1));
    check_f32(9, (140, 8), 1, flat([6, 5], 3, 1, 1));
}

#[test]
fn other_windows_of_f32() {
    // Groups, dilation, strides that differ, one and three dimensions.
    check_f32(3, (16, 24), 2, window([1, 9, 8], [1, 3, 2], [1, 2, 3], [0, 1, 2], [1, 2, 1]));
    check_f32(2, (8, 8), 8, flat([9, 8], 3, 1, 1));
    check_f32(1, (8, 9), 1, window([5, 6, 7], [2, 3, 4], [2, 1, 2], [1, 1, 2], [2, 1, 1]));
    check_f32(2, (9, 8), 1, window([4, 5, 6], [3, 3, 3], [1; 3], [1; 3], [1; 3]));
    check_f32(3, (8, 16), 1, window([1, 1, 50], [1, 1, 5], [1, 1, 2], [0, 0, 4], [1, 1, 3]));
    check_f32(2, (16, 8), 1, window([1, 1, 1500], [1, 1, 9], [1, 1, 1], [0, 0, 4], [1, 1, 1]));
    check_f32(2, (8, 8), 1, window([1, 7, 9], [1, 3, 3], [1; 3], [0, 3, 3], [1, 3, 2]));
    // An empty batch, and no positions.
    check_f32(0, (8, 8), 1, flat([5, 5], 3, 1, 1));
    check_f32(0, (16, 16), 2, flat([5, 5], 3, 1, 1));
    check_f32(2, (8, 8), 1, Window { output: [1, 0, 5], ..flat([5, 5], 3, 1, 1) });
    check_f32(2, (8, 8), 1, Window { input: [1, 0, 4], ..flat([1, 4], 1, 1, 1) });
    // Zeros behind the input that are not those before it.
    check_f32(2, (8, 8), 1, Window { output: [1, 9, 5], ..flat([8, 8], 3, 1, 1) });
}

#[test]
fn same_bits_on_any_number_of_threads() {
    let numbers =
        |n: usize, salt: usize| (0..n).map(|i| ((i * 7919 + salt) % 1009) as f32 / 997.0 - 0.5).collect::<Vec<f32>>();
    let sizes = [
        (1, (16, 256), flat([7, 7], 3, 1, 1)),
        (4, (64, 64), flat([28, 28], 3, 1, 1)),
        (6, (16, 32), flat([9, 9], 3, 2, 1)),
        (9, (144, 16), flat([5, 5], 3, 1, 1)),
        (20, (128, 8), flat([20, 20], 1, 2, 0)),
        (25, (256, 9), flat([12, 17], 1, 2, 0)),
        (3, (252, 16), flat([25, 25], 3, 1, 1)),
        (3, (24, 250), flat([7, 30], 3, 2, 1)),
    ];
    for (batch, (in_channels, out_channels), window) in sizes {
        let conv = Conv { batch, in_channels, out_channels, groups: 1, window };
        let (x, w) = (numbers(batch * conv.input_image(), 1), numbers(conv.group_weight(), 2));
        let g = numbers(batch * conv.output_image(), 3);
        let all = |threads: usize| {
            set_num_threads(threads);
            let (mut y, mut dx, mut dw) = (vec![0.0; g.len()], vec![0.0; x.len()], vec![0.0; w.len()]);
            forward(&conv, &x, &w, None, &mut y);
            input_gradient(&conv, &g, &w, None, &mut dx);
            weight_gradient(&conv, &x, &g, &mut dw);
            set_num_threads(0);
            [y, dx, dw].map(|v| v.iter().map(|v| v.to_bits()).collect::<Vec<u32>>())
        };
        let one = all(1);
        assert!(one == all(2) && one == all(3), "{conv:?}");
    }
}

#[test]
fn convolutions_and_gradients() {
    check(2, (3, 4), 1, window([1, 6, 7], [1, 3, 3], [1; 3], [0; 3], [1; 3]));
    check(5, (4, 6), 2, window([1, 9, 8], [1, 3, 2], [1, 2, 3], [0, 1, 2], [1, 2, 1]));
    check(1, (2, 2), 1, window([5, 6, 7], [2, 3, 4], [2, 1, 2], [1, 1, 2], [2, 1, 1]));
    check(3, (5, 7), 1, window([1, 6, 7], [1, 1, 1], [1; 3], [0; 3], [1; 3]));
    check(3, (4, 4), 4, window([1, 1, 50], [1, 1, 5], [1, 1, 2], [0, 0, 4], [1, 1, 3]));
    check(2, (64, 3), 1, window([1, 1, 700], [1, 1, 9], [1, 1, 1], [0, 0, 4], [1, 1, 1]));
    check(5, (32, 8), 1, window([1, 26, 26], [1, 3, 3], [1; 3], [0, 1, 1], [1; 3]));
}

#[test]
fn unfold_and_fold_are_adjoint() {
    let window = Window {
        input: [1, 5, 6],
        kernel: [1, 2, 3],
        stride: [1, 2, 1],
        padding: [0, 1, 1],
        dilation: [1; 3],
        output: [1, 3, 6],
    };
    let x = numbers(2 * 3 * 30, 1);
    let mut cols = vec![0.0; 2 * 3 * 6 * 18];
    unfold(&window, 2, 3, &x, &mut cols);
    let g = numbers(cols.len(), 2);
    let mut dx = vec![f64::NAN; x.len()];
    fold(&window, 2, 3, &g, &mut dx);
    assert_eq!(dot(&g, &cols), dot(&dx, &x));
}

#[test]
fn bias_gradient_sums() {
    let g = numbers(3 * 2 * 2500, 4);
    let mut db = [0.0; 2];
    bias_gradient(3, 2, 2500, &g, &mut db);
    let want = |c: usize| (0..3).map(|n| g[(n * 2 + c) * 2500..][..2500].iter().sum::<f64>()).sum::<f64>();
    assert_eq!(db, [want(0), want(1)]);
}
