//! Windows of images as columns, and back: `unfold` and `fold`.

use crate::array::{Array, Meta};
use crate::dims::Dims;
use crate::dtype::DType;
use crate::functional::{self, UnfoldOptions};
use crate::op::{Context, Few, Op, apply1};
use crate::ops::table::{OpInfo, Sample, numbers};
use crate::tensor::Tensor;
use cresset_kernels::conv::{Window, fold, unfold};

/// The window, over two dimensions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sliding {
    pub kernel: [usize; 2],
    pub dilation: [usize; 2],
    pub padding: [usize; 2],
    pub stride: [usize; 2],
}

fn pair(x: [usize; 2]) -> String {
    format!("({}, {})", x[0], x[1])
}

impl Sliding {
    fn check(&self) -> Result<(), String> {
        for (what, [h, w]) in [("kernel_size", self.kernel), ("stride", self.stride), ("dilation", self.dilation)] {
            if h == 0 || w == 0 {
                let short = what.trim_end_matches("_size");
                return Err(format!(
                    "{what} should be greater than zero, but got {short}_height: {h} {short}_width: {w}"
                ));
            }
        }
        Ok(())
    }
    /// The number of positions along both dimensions, none if negative.
    fn blocks(&self, image: [usize; 2]) -> [isize; 2] {
        std::array::from_fn(|d| {
            let free =
                (image[d] + 2 * self.padding[d]) as isize - (self.dilation[d] * (self.kernel[d] - 1) + 1) as isize;
            free.div_euclid(self.stride[d] as isize) + 1
        })
    }
    fn window(&self, image: [usize; 2]) -> Window {
        let three = |d: [usize; 2], fill: usize| [fill, d[0], d[1]];
        Window {
            input: three(image, 1),
            kernel: three(self.kernel, 1),
            stride: three(self.stride, 1),
            padding: three(self.padding, 0),
            dilation: three(self.dilation, 1),
            output: three(self.blocks(image).map(|b| b as usize), 1),
        }
    }
    fn points(&self) -> usize {
        self.kernel[0] * self.kernel[1]
    }
}

/// `(N, C, H, W)` to `(N, C K, L)`, also without N.
#[derive(Debug)]
pub(crate) struct Unfold(pub Sliding);

impl Op for Unfold {
    fn name(&self) -> &'static str {
        "unfold"
    }
    fn grad_name(&self) -> String {
        "Im2ColBackward0".into()
    }
    fn infer(&self, inputs: &[&Meta]) -> Result<Few<Meta>, String> {
        let (s, x) = (&self.0, inputs[0]);
        s.check()?;
        let n = x.ndim();
        if (n != 3 && n != 4) || x.shape[n - 3..].contains(&0) {
            return Err(format!(
                "Expected 3D or 4D (batch mode) tensor with possibly 0 batch size and other non-zero dimensions for input, but got: {:?}",
                x.shape
            ));
        }
        let image = [x.shape[n - 2], x.shape[n - 1]];
        let blocks = s.blocks(image);
        if blocks.iter().any(|&b| b < 1) {
            return Err(format!(
                "Given input with spatial size {}, kernel_size={}, dilation={}, padding={}, calculated shape of the array of sliding blocks as ({}, {}), but its components must be at least one.",
                pair(image),
                pair(s.kernel),
                pair(s.dilation),
                pair(s.padding),
                blocks[0],
                blocks[1]
            ));
        }
        let mut shape = Dims::new(&x.shape[..n - 3]);
        shape.push(x.shape[n - 3] * s.points());
        shape.push((blocks[0] * blocks[1]) as usize);
        Ok([Meta { dtype: x.dtype, shape }].into())
    }
    fn forward(&self, inputs: &[&Array], outputs: &[Meta]) -> Few<Array> {
        fn go<T: cresset_kernels::columns::Sum>(s: &Sliding, x: &Array, meta: Meta) -> Array {
            let n = x.ndim();
            let images = x.shape()[..n - 3].iter().product();
            let window = s.window([x.shape()[n - 2], x.shape()[n - 1]]);
            Array::build::<T>(meta, |out| x.with_slice::<T, _>(|v| unfold(&window, images, x.shape()[n - 3], v, out)))
        }
        let x = inputs[0].contiguous();
        // Numbers are only moved, so one type serves for all of a size.
        [match x.dtype().size() {
            1 => go::<u8>(&self.0, &x, outputs[0]),
            2 => go::<i16>(&self.0, &x, outputs[0]),
            4 => go::<f32>(&self.0, &x, outputs[0]),
            _ => go::<f64>(&self.0, &x, outputs[0]),
        }]
        .into()
    }
    fn backward(&self, ctx: &Context, grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
        let shape = ctx.input_meta(0).shape;
        let image = [shape[shape.len() - 2], shape[shape.len() - 1]];
        [grads[0].as_ref().map(|g| apply1(Fold { sliding: self.0, image }, [g]))].into()
    }
}

/// `(N, C K, L)` to `(N, C, H, W)`, also without N.
#[derive(Debug)]
pub(crate) struct Fold {
    pub sliding: Sliding,
    pub image: [usize; 2],
}

impl Op for Fold {
    fn name(&self) -> &'static str {
        "fold"
    }
    fn grad_name(&self) -> String {
        "Col2ImBackward0".into()
    }
    fn infer(&self, inputs: &[&Meta]) -> Result<Few<Meta>, String> {
        let (s, x) = (&self.sliding, inputs[0]);
        s.check()?;
        let n = x.ndim();
        if (n != 2 && n != 3) || x.shape[n - 2..].contains(&0) {
            return Err(format!(
                "Expected 2D or 3D (batch mode) tensor for input with possibly 0 batch size and non-zero dimensions for input, but got: {:?}",
                x.shape
            ));
        }
        let (rows, len) = (x.shape[n - 2], x.shape[n - 1]);
        if !rows.is_multiple_of(s.points()) {
            return Err(format!(
                "Expected size of input's dimension 1 to be divisible by the product of kernel_size, but got input.size(1)={rows} and kernel_size={}.",
                pair(s.kernel)
            ));
        }
        let blocks = s.blocks(self.image);
        let given = format!(
            "Given output_size={}, kernel_size={}, dilation={}, padding={}, stride={}",
            pair(self.image),
            pair(s.kernel),
            pair(s.dilation),
            pair(s.padding),
            pair(s.stride)
        );
        if blocks.iter().any(|&b| b < 1) {
            return Err(format!(
                "{given}, calculated shape of the array of sliding blocks as ({}, {}), which is too small (non-positive)",
                blocks[0], blocks[1]
            ));
        }
        if blocks[0] * blocks[1] != len as isize {
            return Err(format!(
                "{given}, expected size of input's dimension 2 to match the calculated number of sliding blocks {} * {} = {}, but got input.size(2)={len}.",
                blocks[0],
                blocks[1],
                blocks[0] * blocks[1]
            ));
        }
        if x.dtype == DType::Bool {
            return Err("not implemented for 'Bool'".into());
        }
        let mut shape = Dims::new(&x.shape[..n - 2]);
        shape.push(rows / s.points());
        self.image.iter().for_each(|&d| shape.push(d));
        Ok([Meta { dtype: x.dtype, shape }].into())
    }
    fn forward(&self, inputs: &[&Array], outputs: &[Meta]) -> Few<Array> {
        fn go<T: cresset_kernels::conv::ConvElement>(op: &Fold, x: &Array, meta: Meta) -> Array {
            let n = meta.ndim();
            let images = meta.shape[..n - 3].iter().product();
            let window = op.sliding.window(op.image);
            Array::build::<T>(meta, |out| x.with_slice::<T, _>(|v| fold(&window, images, meta.shape[n - 3], v, out)))
        }
        let dtype = outputs[0].dtype;
        let wide = if dtype.is_floating_point() { dtype.accumulator() } else { DType::I64 };
        let (x, meta) = (inputs[0].to(wide).contiguous(), Meta { dtype: wide, ..outputs[0] });
        let sum = match wide {
            DType::F32 => go::<f32>(self, &x, meta),
            DType::F64 => go::<f64>(self, &x, meta),
            _ => go::<i64>(self, &x, meta),
        };
        [sum.to(dtype)].into()
    }
    fn backward(&self, _ctx: &Context, grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
        [grads[0].as_ref().map(|g| apply1(Unfold(self.sliding), [g]))].into()
    }
}

fn one(shape: &[usize], call: impl Fn(&Tensor) -> Tensor + Send + Sync + 'static) -> Sample {
    Sample::new(&[numbers(shape, 3)], move |x| call(&x[0]))
}

pub(super) const TABLE: &[OpInfo] = &[
    OpInfo {
        name: "nn.functional.unfold",
        torch: "torch.nn.functional.unfold(x, kernel_size, dilation, padding, stride)",
        samples: || {
            let odd = UnfoldOptions { dilation: 2.into(), padding: [1, 0].into(), stride: [1, 2].into() };
            vec![
                one(&[2, 2, 3, 3], |x| functional::unfold(x, 2, UnfoldOptions::default())),
                one(&[2, 3, 5], move |x| functional::unfold(x, [2, 2], odd)),
            ]
        },
        refused: || {
            let zero = UnfoldOptions { stride: 0.into(), ..Default::default() };
            vec![
                one(&[3, 3], |x| functional::unfold(x, 2, UnfoldOptions::default())),
                one(&[1, 3, 3], |x| functional::unfold(x, 4, UnfoldOptions::default())),
                one(&[1, 3, 3], |x| functional::unfold(x, [1, 2, 3], UnfoldOptions::default())),
                one(&[1, 3, 3], move |x| functional::unfold(x, 2, zero)),
            ]
        },
    },
    OpInfo {
        name: "nn.functional.fold",
        torch: "torch.nn.functional.fold(x, output_size, kernel_size, dilation, padding, stride)",
        samples: || {
            let odd = UnfoldOptions { padding: [1, 0].into(), stride: [1, 2].into(), ..Default::default() };
            vec![
                one(&[2, 4, 4], |x| functional::fold(x, 3, 2, UnfoldOptions::default())),
                one(&[8, 8], move |x| functional::fold(x, [3, 5], 2, odd)),
            ]
        },
        refused: || {
            vec![
                one(&[4], |x| functional::fold(x, 3, 2, UnfoldOptions::default())),
                one(&[3, 4], |x| functional::fold(x, 3, 2, UnfoldOptions::default())),
                one(&[4, 3], |x| functional::fold(x, 3, 2, UnfoldOptions::default())),
                one(&[4, 3], |x| functional::fold(x, 1, 2, UnfoldOptions::default())),
            ]
        },
    },
];
