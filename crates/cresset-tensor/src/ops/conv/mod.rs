//! Convolutions, transposed convolutions and their gradients, over one to three dimensions, as one op: all these maps are bilinear in two of
//! image, weight and output, and the derivatives of each are the other two.

mod rule;
mod table;

use crate::array::{Array, Meta};
use crate::dims::Dims;
use crate::op::{Context, Few, Op, Saves, apply_one};
use crate::ops::matrix::{in_wide, with_number};
use crate::tensor::Tensor;
use cresset_kernels::conv::{Conv, ConvElement, Window, bias_gradient, forward, input_gradient, weight_gradient};

pub(super) use table::TABLE;

/// Which of the three maps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// (image, weight[, bias]) to output.
    Output,
    /// (output, weight[, bias]) to image: a transposed convolution.
    Image,
    /// (image, output) to weight.
    Weight,
}

/// One of the maps, with the sizes that its inputs do not tell.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Convolution {
    pub name: &'static str,
    pub kind: Kind,
    /// Number of spatial dimensions.
    pub nd: usize,
    pub stride: Dims,
    /// Zeros before and behind the image.
    pub before: Dims,
    pub behind: Dims,
    pub dilation: Dims,
    pub groups: usize,
    /// For [`Kind::Image`] the spatial sizes of the image, for [`Kind::Weight`] those of the window.
    pub target: Dims,
}

/// Sizes of up to three dimensions with `fill` in front.
fn three(d: &[usize], fill: usize) -> [usize; 3] {
    let mut t = [fill; 3];
    t[3 - d.len()..].copy_from_slice(d);
    t
}

impl Convolution {
    /// The kernel's description, from the shapes of image, weight and output.
    fn sizes(&self, image: &[usize], weight: &[usize], output: &[usize]) -> Conv {
        let nd = self.nd;
        let spatial = |s: &[usize]| three(&s[s.len() - nd..], 1);
        Conv {
            batch: if image.len() == nd + 2 { image[0] } else { 1 },
            in_channels: image[image.len() - nd - 1],
            out_channels: output[output.len() - nd - 1],
            groups: self.groups,
            window: Window {
                input: spatial(image),
                kernel: spatial(weight),
                stride: three(&self.stride, 1),
                padding: three(&self.before, 0),
                dilation: three(&self.dilation, 1),
                output: spatial(output),
            },
        }
    }
    fn derived(&self, kind: Kind, target: Dims) -> Convolution {
        Convolution { kind, target, ..*self }
    }
    /// The spatial part of an input's or output's shape.
    fn spatial(&self, meta: &Meta) -> Dims {
        Dims::new(&meta.shape[meta.ndim() - self.nd..])
    }
}

impl Op for Convolution {
    fn name(&self) -> &'static str {
        self.name
    }
    fn grad_name(&self) -> String {
        "ConvolutionBackward0".into()
    }
    fn infer(&self, inputs: &[&Meta]) -> Result<Few<Meta>, String> {
        let shape = match self.kind {
            Kind::Output => self.output_shape(inputs)?,
            Kind::Image => self.image_shape(inputs)?,
            Kind::Weight => {
                let nd = self.nd;
                let channels = |m: &Meta| m.shape[m.ndim() - nd - 1];
                let mut s = Dims::new(&[channels(inputs[1]), channels(inputs[0]) / self.groups]);
                self.target.iter().for_each(|&k| s.push(k));
                s
            }
        };
        Ok([Meta { dtype: inputs[0].dtype, shape }].into())
    }
    fn forward(&self, inputs: &[&Array], outputs: &[Meta]) -> Few<Array> {
        let dtype = outputs[0].dtype;
        // f16 and bf16 are widened, and the result is rounded once. Small integers wrap around as in their own type.
        let wide = dtype.computing();
        let dense: smallvec::SmallVec<[Array; 3]> = inputs.iter().map(|a| a.to(wide).contiguous()).collect();
        let meta = Meta { dtype: wide, ..outputs[0] };
        let result = with_number!(wide, T => self.compute::<T>(&dense, meta));
        [result.to(dtype)].into()
    }
    fn flops(&self, inputs: &[&Meta], outputs: &[Meta]) -> u64 {
        // The same product in all three forms: each weight of a channel at each place of the convolution's output.
        let (output, weight) = match self.kind {
            Kind::Output => (&outputs[0], inputs[1]),
            Kind::Image => (inputs[0], inputs[1]),
            Kind::Weight => (inputs[1], &outputs[0]),
        };
        let added = if inputs.len() == 3 { outputs[0].numel() } else { 0 };
        crate::cost::product(output.numel(), weight.numel() / weight.shape[0].max(1), 1) + added as u64
    }
    fn saves(&self) -> Saves {
        Saves::inputs(0b11)
    }
    fn backward(&self, ctx: &Context, grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
        let inputs = ctx.num_inputs();
        let Some(g) = &grads[0] else { return (0..inputs).map(|_| None).collect() };
        let product = |op: Convolution, a: &Tensor, b: &Tensor| apply_one(op, &[a, b]);
        let (m0, m1) = (ctx.input_meta(0), ctx.input_meta(1));
        let first = ctx.needs(0).then(|| {
            let b = ctx.input(1);
            match self.kind {
                Kind::Output => product(self.derived(Kind::Image, self.spatial(m0)), g, &b),
                Kind::Image => product(self.derived(Kind::Output, self.spatial(m0)), g, &b),
                Kind::Weight => product(self.derived(Kind::Image, self.spatial(m0)), &b, g),
            }
        });
        let second = ctx.needs(1).then(|| {
            let a = ctx.input(0);
            match self.kind {
                Kind::Output => product(self.derived(Kind::Weight, self.spatial(m1)), &a, g),
                Kind::Image => product(self.derived(Kind::Weight, self.spatial(m1)), g, &a),
                Kind::Weight => product(self.derived(Kind::Output, self.spatial(m1)), &a, g),
            }
        });
        let mut all: Few<_> = [first].into();
        all.push(second);
        if inputs == 3 {
            all.push(ctx.needs(2).then(|| apply_one(ChannelSum { nd: self.nd }, &[g])));
        }
        all
    }
}

impl Convolution {
    fn compute<T: ConvElement>(&self, inputs: &[Array], meta: Meta) -> Array {
        let (a, b) = (&inputs[0], &inputs[1]);
        let with_bias = |f: &dyn Fn(Option<&[T]>)| match inputs.get(2) {
            Some(bias) => bias.with_slice::<T, _>(|bias| f(Some(bias))),
            None => f(None),
        };
        Array::build::<T>(meta, |out| {
            let out = std::cell::RefCell::new(out);
            a.with_slice::<T, _>(|x| {
                b.with_slice::<T, _>(|y| match self.kind {
                    Kind::Output => {
                        let sizes = self.sizes(a.shape(), b.shape(), &meta.shape);
                        with_bias(&|bias| forward(&sizes, x, y, bias, &mut out.borrow_mut()));
                    }
                    Kind::Image => {
                        let sizes = self.sizes(&meta.shape, b.shape(), a.shape());
                        with_bias(&|bias| input_gradient(&sizes, x, y, bias, &mut out.borrow_mut()));
                    }
                    Kind::Weight => {
                        let sizes = self.sizes(a.shape(), &meta.shape, b.shape());
                        weight_gradient(&sizes, x, y, &mut out.borrow_mut());
                    }
                })
            });
        })
    }
}

/// The sum of every channel: the gradient of a bias.
#[derive(Debug)]
struct ChannelSum {
    nd: usize,
}

impl Op for ChannelSum {
    fn name(&self) -> &'static str {
        "sum"
    }
    fn infer(&self, inputs: &[&Meta]) -> Result<Few<Meta>, String> {
        let m = inputs[0];
        Ok([Meta::new(m.dtype, [m.shape[m.ndim() - self.nd - 1]])].into())
    }
    fn forward(&self, inputs: &[&Array], outputs: &[Meta]) -> Few<Array> {
        let g = inputs[0].contiguous();
        let channels = outputs[0].numel();
        let positions = g.shape()[g.ndim() - self.nd..].iter().product();
        let batch = if g.ndim() == self.nd + 2 { g.shape()[0] } else { 1 };
        let sum = in_wide(&[&g], outputs[0], |g, meta| {
            with_number!(meta.dtype, T => Array::build::<T>(meta, |out| {
                g[0].with_slice::<T, _>(|g| bias_gradient(batch, channels, positions, g, out));
            }))
        });
        [sum].into()
    }
    fn backward(&self, ctx: &Context, grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
        let to = ctx.input_meta(0).shape;
        [grads[0].as_ref().map(|g| apply_one(ChannelExpand { nd: self.nd, to }, &[g]))].into()
    }
}

/// The reverse: one number for each channel, repeated over images and positions.
#[derive(Debug)]
struct ChannelExpand {
    nd: usize,
    to: Dims,
}

impl Op for ChannelExpand {
    fn name(&self) -> &'static str {
        "expand"
    }
    fn infer(&self, inputs: &[&Meta]) -> Result<Few<Meta>, String> {
        Ok([Meta { dtype: inputs[0].dtype, shape: self.to }].into())
    }
    fn forward(&self, inputs: &[&Array], _outputs: &[Meta]) -> Few<Array> {
        let x = inputs[0];
        let mut strides = Dims::filled(self.to.len(), 0);
        let at = self.to.len() - self.nd - 1;
        strides[at] = x.strides()[0];
        [x.view(self.to, strides, x.offset())].into()
    }
    fn backward(&self, _ctx: &Context, grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
        [grads[0].as_ref().map(|g| apply_one(ChannelSum { nd: self.nd }, &[g]))].into()
    }
    fn is_view(&self) -> bool {
        true
    }
}
