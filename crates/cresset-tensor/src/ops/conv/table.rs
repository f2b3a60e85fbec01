//! The rows of convolutions in the table of ops.

use crate::functional::{
    ConvOptions, ConvTransposeOptions, Padding, conv_transpose1d, conv_transpose2d, conv_transpose3d, conv1d, conv2d,
    conv3d,
};
use crate::ops::table::{OpInfo, Sample, numbers};
use crate::tensor::Tensor;

type Function<O> = fn(&Tensor, &Tensor, Option<&Tensor>, O) -> Tensor;

fn sample<O: Copy + Send + Sync + 'static>(f: Function<O>, shapes: &[&[usize]], options: O) -> Sample {
    let inputs: Vec<Tensor> = shapes.iter().enumerate().map(|(i, s)| numbers(s, i as u64)).collect();
    Sample::new(&inputs, move |x| f(&x[0], &x[1], x.get(2), options))
}

fn plain() -> ConvOptions {
    ConvOptions::default()
}
fn transposed() -> ConvTransposeOptions {
    ConvTransposeOptions::default()
}

pub(in crate::ops) const TABLE: &[OpInfo] = &[
    OpInfo {
        name: "nn.functional.conv1d",
        torch: "torch.nn.functional.conv1d(x, weight, bias, stride, padding, dilation, groups)",
        samples: || {
            let same = ConvOptions { padding: Padding::Same, ..plain() };
            let odd = ConvOptions { stride: 2.into(), padding: 1.into(), dilation: 2.into(), groups: 2 };
            vec![
                sample(conv1d, &[&[2, 2, 5], &[3, 2, 3], &[3]], plain()),
                sample(conv1d, &[&[2, 5], &[3, 2, 2]], same),
                sample(conv1d, &[&[1, 2, 6], &[4, 1, 2], &[4]], odd),
            ]
        },
        refused: || {
            vec![
                sample(conv1d, &[&[2, 2, 5, 1], &[3, 2, 3]], plain()),
                sample(conv1d, &[&[2, 3, 5], &[3, 2, 3]], plain()),
                sample(conv1d, &[&[2, 2, 2], &[3, 2, 3]], plain()),
                sample(conv1d, &[&[2, 2, 5], &[3, 2, 3], &[2]], plain()),
                sample(conv1d, &[&[2, 2, 5], &[3, 2, 3]], ConvOptions { groups: 0, ..plain() }),
                sample(conv1d, &[&[2, 2, 5], &[3, 1, 3]], ConvOptions { groups: 2, ..plain() }),
                sample(conv1d, &[&[2, 2, 5], &[3, 2, 3]], ConvOptions { stride: 0.into(), ..plain() }),
                sample(conv1d, &[&[2, 2, 5], &[3, 2, 3]], ConvOptions { dilation: 0.into(), ..plain() }),
                sample(conv1d, &[&[2, 2, 5], &[3, 2, 3]], ConvOptions { dilation: [1, 1].into(), ..plain() }),
                sample(
                    conv1d,
                    &[&[2, 2, 5], &[3, 2, 3]],
                    ConvOptions { stride: 2.into(), padding: Padding::Same, ..plain() },
                ),
            ]
        },
    },
    OpInfo {
        name: "nn.functional.conv2d",
        torch: "torch.nn.functional.conv2d(x, weight, bias, stride, padding, dilation, groups)",
        samples: || {
            let odd = ConvOptions { stride: [2, 1].into(), padding: [0, 1].into(), dilation: [1, 2].into(), groups: 1 };
            vec![
                sample(conv2d, &[&[2, 1, 4, 3], &[2, 1, 2, 2], &[2]], plain()),
                sample(conv2d, &[&[2, 4, 5], &[2, 2, 2, 2]], odd),
                sample(conv2d, &[&[1, 3, 2, 2], &[2, 3, 1, 1], &[2]], plain()),
                sample(conv2d, &[&[0, 1, 3, 3], &[2, 1, 2, 2], &[2]], plain()),
            ]
        },
        refused: || vec![sample(conv2d, &[&[2, 3], &[2, 2, 2, 2]], plain())],
    },
    OpInfo {
        name: "nn.functional.conv3d",
        torch: "torch.nn.functional.conv3d(x, weight, bias, stride, padding, dilation, groups)",
        samples: || {
            let padded = ConvOptions { padding: 1.into(), stride: 2.into(), ..plain() };
            vec![sample(conv3d, &[&[1, 1, 3, 2, 3], &[2, 1, 2, 2, 2], &[2]], padded)]
        },
        refused: || vec![sample(conv3d, &[&[2, 3], &[2, 2, 2, 2, 2]], plain())],
    },
    OpInfo {
        name: "nn.functional.conv_transpose1d",
        torch: "torch.nn.functional.conv_transpose1d(x, weight, bias, stride, padding, output_padding, groups, dilation)",
        samples: || {
            let odd = ConvTransposeOptions {
                stride: 2.into(),
                padding: 1.into(),
                output_padding: 1.into(),
                groups: 2,
                dilation: 1.into(),
            };
            vec![
                sample(conv_transpose1d, &[&[2, 2, 3], &[2, 3, 2], &[3]], transposed()),
                sample(conv_transpose1d, &[&[2, 3], &[2, 1, 3]], odd),
            ]
        },
        refused: || {
            vec![
                sample(conv_transpose1d, &[&[2, 2, 3, 1], &[2, 3, 2]], transposed()),
                sample(conv_transpose1d, &[&[2, 3, 3], &[2, 3, 2]], transposed()),
                sample(conv_transpose1d, &[&[2, 2, 3], &[2, 3, 2], &[2]], transposed()),
                sample(
                    conv_transpose1d,
                    &[&[2, 2, 3], &[2, 3, 2]],
                    ConvTransposeOptions { output_padding: 1.into(), ..transposed() },
                ),
                sample(
                    conv_transpose1d,
                    &[&[2, 2, 1], &[2, 3, 2]],
                    ConvTransposeOptions { padding: 1.into(), ..transposed() },
                ),
            ]
        },
    },
    OpInfo {
        name: "nn.functional.conv_transpose2d",
        torch: "torch.nn.functional.conv_transpose2d(x, weight, bias, stride, padding, output_padding, groups, dilation)",
        samples: || vec![sample(conv_transpose2d, &[&[1, 2, 2, 3], &[2, 1, 2, 2], &[1]], transposed())],
        refused: || vec![sample(conv_transpose2d, &[&[2, 3], &[2, 1, 2, 2]], transposed())],
    },
    OpInfo {
        name: "nn.functional.conv_transpose3d",
        torch: "torch.nn.functional.conv_transpose3d(x, weight, bias, stride, padding, output_padding, groups, dilation)",
        samples: || vec![sample(conv_transpose3d, &[&[1, 1, 2, 1, 2], &[1, 2, 2, 1, 2]], transposed())],
        refused: || vec![sample(conv_transpose3d, &[&[2, 3], &[2, 1, 2, 2, 2]], transposed())],
    },
];
