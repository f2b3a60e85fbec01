use super::*;

/// By the definition.
fn plain(conv: &Conv, x: &[f64], w: &[f64]) -> Vec<f64> {
    let (win, cg, og) = (&conv.window, conv.group_in(), conv.group_out());
    let mut y = vec![0.0; conv.batch * conv.output_image()];
    let [od, oh, ow] = win.output;
    for (at, y) in y.iter_mut().enumerate() {
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
                *y += x[i] * w[(o * cg + c) * win.kernel_len() + p];
            }
        }
    }
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

#[test]
fn convolutions_and_gradients() {
    let window = |input: [usize; 3], kernel: [usize; 3], stride, padding, dilation| {
        let mut output = [0; 3];
        for d in 0..3 {
            let p: [usize; 3] = padding;
            let (s, di): ([usize; 3], [usize; 3]) = (stride, dilation);
            output[d] = (input[d] + 2 * p[d] - di[d] * (kernel[d] - 1) - 1) / s[d] + 1;
        }
        Window { input, kernel, stride, padding, dilation, output }
    };
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
