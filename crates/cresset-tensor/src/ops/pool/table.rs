//! The rows of pooling in the table of ops.

use crate::dims::Dims;
use crate::functional as f;
use crate::functional::{AvgPoolOptions, MaxPoolOptions, MaxUnpoolOptions};
use crate::ops::table::{OpInfo, Sample, numbers};
use crate::tensor::Tensor;

fn one(shape: &[usize], call: impl Fn(&Tensor) -> Tensor + Send + Sync + 'static) -> Sample {
    Sample::new(&[numbers(shape, 4)], move |x| call(&x[0]))
}
fn max() -> MaxPoolOptions {
    MaxPoolOptions::default()
}
fn avg() -> AvgPoolOptions {
    AvgPoolOptions::default()
}
fn some(d: impl Into<Dims>) -> Option<Dims> {
    Some(d.into())
}
fn indices(values: &[i64], shape: &[usize]) -> Tensor {
    Tensor::from_vec(values, shape)
}

pub(in crate::ops) const TABLE: &[OpInfo] = &[
    OpInfo {
        name: "nn.functional.max_pool1d",
        torch: "torch.nn.functional.max_pool1d(x, kernel_size, stride, padding, dilation, ceil_mode)",
        samples: || {
            let odd = MaxPoolOptions { stride: some(1), padding: 1.into(), dilation: 2.into(), ceil_mode: true };
            vec![
                one(&[2, 2, 5], |x| f::max_pool1d(x, 2, max())),
                one(&[2, 5], move |x| f::max_pool1d(x, 3, odd)),
                Sample::many(&[numbers(&[2, 6], 1)], |x| {
                    let (v, i) = f::max_pool1d_with_indices(&x[0], 3, max());
                    vec![v, i]
                }),
            ]
        },
        refused: || {
            vec![
                one(&[5], |x| f::max_pool1d(x, 2, max())),
                one(&[2, 1], |x| f::max_pool1d(x, 2, max())),
                one(&[2, 5], |x| f::max_pool1d(x, 0, max())),
                one(&[2, 5], |x| f::max_pool1d(x, 2, MaxPoolOptions { stride: some(0), ..max() })),
                one(&[2, 5], |x| f::max_pool1d(x, 2, MaxPoolOptions { padding: 2.into(), ..max() })),
                one(&[2, 5], |x| f::max_pool1d(x, 2, MaxPoolOptions { dilation: 0.into(), ..max() })),
            ]
        },
    },
    OpInfo {
        name: "nn.functional.max_pool2d",
        torch: "torch.nn.functional.max_pool2d(x, kernel_size, stride, padding, dilation, ceil_mode)",
        samples: || {
            let odd = MaxPoolOptions { stride: some([2, 1]), padding: [1, 0].into(), ..max() };
            vec![
                one(&[1, 2, 4, 4], |x| f::max_pool2d(x, 2, max())),
                one(&[2, 3, 5], move |x| f::max_pool2d(x, [2, 3], odd)),
            ]
        },
        refused: || {
            vec![one(&[2, 5], |x| f::max_pool2d(x, 2, max())), one(&[1, 2, 5, 0], |x| f::max_pool2d(x, 2, max()))]
        },
    },
    OpInfo {
        name: "nn.functional.max_pool3d",
        torch: "torch.nn.functional.max_pool3d(x, kernel_size, stride, padding, dilation, ceil_mode)",
        samples: || vec![one(&[1, 1, 2, 3, 4], |x| f::max_pool3d(x, 2, max()))],
        refused: || vec![one(&[2, 5], |x| f::max_pool3d(x, 2, max()))],
    },
    OpInfo {
        name: "nn.functional.avg_pool1d",
        torch: "torch.nn.functional.avg_pool1d(x, kernel_size, stride, padding, ceil_mode, count_include_pad)",
        samples: || {
            let odd = AvgPoolOptions { stride: some(2), padding: 1.into(), ceil_mode: true, ..avg() };
            vec![one(&[2, 2, 5], |x| f::avg_pool1d(x, 2, avg())), one(&[2, 6], move |x| f::avg_pool1d(x, 3, odd))]
        },
        refused: || vec![one(&[5], |x| f::avg_pool1d(x, 2, avg()))],
    },
    OpInfo {
        name: "nn.functional.avg_pool2d",
        torch: "torch.nn.functional.avg_pool2d(x, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)",
        samples: || {
            let odd = AvgPoolOptions { stride: some(1), padding: 1.into(), count_include_pad: false, ..avg() };
            let override_ = AvgPoolOptions { divisor_override: Some(-3), ..avg() };
            vec![
                one(&[1, 2, 4, 4], |x| f::avg_pool2d(x, 2, avg())),
                one(&[2, 3, 4], move |x| f::avg_pool2d(x, [2, 3], odd)),
                one(&[2, 3, 4], move |x| f::avg_pool2d(x, 2, override_)),
            ]
        },
        refused: || {
            vec![
                one(&[5, 5], |x| f::avg_pool2d(x, 2, avg())),
                one(&[1, 5, 5], |x| f::avg_pool2d(x, 2, AvgPoolOptions { divisor_override: Some(0), ..avg() })),
            ]
        },
    },
    OpInfo {
        name: "nn.functional.avg_pool3d",
        torch: "torch.nn.functional.avg_pool3d(x, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)",
        samples: || vec![one(&[1, 1, 2, 3, 4], |x| f::avg_pool3d(x, 2, avg()))],
        refused: || vec![one(&[2, 5], |x| f::avg_pool3d(x, 2, avg()))],
    },
    OpInfo {
        name: "nn.functional.adaptive_max_pool1d",
        torch: "torch.nn.functional.adaptive_max_pool1d(x, output_size)",
        samples: || {
            vec![one(&[2, 2, 5], |x| f::adaptive_max_pool1d(x, 3)), one(&[2, 4], |x| f::adaptive_max_pool1d(x, 1))]
        },
        refused: || vec![one(&[5], |x| f::adaptive_max_pool1d(x, 2))],
    },
    OpInfo {
        name: "nn.functional.adaptive_max_pool2d",
        torch: "torch.nn.functional.adaptive_max_pool2d(x, output_size)",
        samples: || vec![one(&[1, 2, 4, 5], |x| f::adaptive_max_pool2d(x, [3, 2]))],
        refused: || {
            vec![
                one(&[5, 5], |x| f::adaptive_max_pool2d(x, 2)),
                one(&[1, 5, 5], |x| f::adaptive_max_pool2d(x, [1, 2, 3])),
            ]
        },
    },
    OpInfo {
        name: "nn.functional.adaptive_max_pool3d",
        torch: "torch.nn.functional.adaptive_max_pool3d(x, output_size)",
        samples: || vec![one(&[1, 1, 2, 3, 4], |x| f::adaptive_max_pool3d(x, [Some(1), None, Some(3)]))],
        refused: || vec![one(&[5, 5], |x| f::adaptive_max_pool3d(x, 2))],
    },
    OpInfo {
        name: "nn.functional.adaptive_avg_pool1d",
        torch: "torch.nn.functional.adaptive_avg_pool1d(x, output_size)",
        samples: || {
            vec![one(&[2, 2, 5], |x| f::adaptive_avg_pool1d(x, 3)), one(&[2, 4], |x| f::adaptive_avg_pool1d(x, 1))]
        },
        refused: || vec![one(&[5], |x| f::adaptive_avg_pool1d(x, 2))],
    },
    OpInfo {
        name: "nn.functional.adaptive_avg_pool2d",
        torch: "torch.nn.functional.adaptive_avg_pool2d(x, output_size)",
        samples: || {
            vec![
                one(&[1, 2, 4, 5], |x| f::adaptive_avg_pool2d(x, [3, 2])),
                one(&[2, 3, 3], |x| f::adaptive_avg_pool2d(x, [None, Some(5)])),
            ]
        },
        refused: || {
            vec![one(&[5, 5], |x| f::adaptive_avg_pool2d(x, 2)), one(&[1, 5, 0], |x| f::adaptive_avg_pool2d(x, 2))]
        },
    },
    OpInfo {
        name: "nn.functional.adaptive_avg_pool3d",
        torch: "torch.nn.functional.adaptive_avg_pool3d(x, output_size)",
        samples: || vec![one(&[1, 1, 2, 3, 4], |x| f::adaptive_avg_pool3d(x, 2))],
        refused: || vec![one(&[5, 5], |x| f::adaptive_avg_pool3d(x, 2))],
    },
    OpInfo {
        name: "nn.functional.max_unpool1d",
        torch: "torch.nn.functional.max_unpool1d(x, indices, kernel_size, stride, padding, output_size)",
        samples: || {
            vec![one(&[1, 2, 2], |x| {
                f::max_unpool1d(x, &indices(&[1, 3, 0, 2], &[1, 2, 2]), 2, MaxUnpoolOptions::default())
            })]
        },
        refused: || {
            vec![
                one(&[2], |x| f::max_unpool1d(x, &indices(&[1, 3], &[2]), 2, MaxUnpoolOptions::default())),
                one(&[1, 2], |x| f::max_unpool1d(x, &indices(&[1, 4], &[1, 2]), 2, MaxUnpoolOptions::default())),
                one(&[1, 2], |x| f::max_unpool1d(x, &indices(&[1, 3], &[2, 1]), 2, MaxUnpoolOptions::default())),
            ]
        },
    },
    OpInfo {
        name: "nn.functional.max_unpool2d",
        torch: "torch.nn.functional.max_unpool2d(x, indices, kernel_size, stride, padding, output_size)",
        samples: || {
            vec![one(&[1, 1, 2, 2], |x| {
                let options = MaxUnpoolOptions { output_size: some([5, 4]), ..Default::default() };
                f::max_unpool2d(x, &indices(&[1, 3, 12, 19], &[1, 1, 2, 2]), 2, options)
            })]
        },
        refused: || {
            vec![one(&[1, 1, 2, 2], |x| {
                let options = MaxUnpoolOptions { output_size: some([7, 4]), ..Default::default() };
                f::max_unpool2d(x, &indices(&[1, 3, 12, 19], &[1, 1, 2, 2]), 2, options)
            })]
        },
    },
    OpInfo {
        name: "nn.functional.max_unpool3d",
        torch: "torch.nn.functional.max_unpool3d(x, indices, kernel_size, stride, padding, output_size)",
        samples: || {
            vec![one(&[1, 1, 1, 2], |x| {
                f::max_unpool3d(x, &indices(&[1, 14], &[1, 1, 1, 2]), 2, MaxUnpoolOptions::default())
            })]
        },
        refused: || {
            vec![one(&[2, 2], |x| f::max_unpool3d(x, &indices(&[1, 3, 0, 2], &[2, 2]), 2, MaxUnpoolOptions::default()))]
        },
    },
];
