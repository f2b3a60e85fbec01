//! Every Rust line of `docs/from-pytorch.md` stands here, compiled, run and checked; the last test looks that it does.

use cresset::autograd::{Backward, grad, gradcheck};
use cresset::data::{Columns, ConcatDataset, save_csv, transforms};
use cresset::functional as F;
use cresset::io::{self, LoadOptions, Value, load_with, npy, safetensors};
use cresset::prelude::*;
use cresset::*;
use cresset_viz::{Figure, Scale, confusion_matrix, histogram_grid, image_grid};
use std::path::PathBuf;

type Tried = std::result::Result<(), Box<dyn std::error::Error>>;

fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("cresset_from_pytorch_{name}_{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

#[derive(Module, Clone)]
struct Net {
    base: Base,
    fc1: Linear,
    fc2: Linear,
    dropout: Dropout,
}
impl Net {
    fn new() -> Net {
        Net { base: Base::new(), fc1: Linear::new(10, 20), fc2: Linear::new(20, 1), dropout: Dropout::new(0.2) }
    }
    fn block(&self, x: &Tensor) -> Tensor {
        self.fc1.call(x).relu()
    }
}
impl Forward for Net {
    type Output = Tensor;
    fn forward(&self, x: &Tensor) -> Tensor {
        let x = self.checkpoint(Self::block, x);
        let x = self.dropout.call(&x);
        self.fc2.call(&x)
    }
}

#[test]
fn creating() {
    let x = Tensor::new([[1.0, 2.0], [3.0, 4.0]]);
    assert_eq!((x.dtype(), x.shape()), (DType::F32, [2, 2].into()));
    let x = Tensor::new([1, 2, 3]);
    assert_eq!(x.dtype(), DType::I64);
    let x = Tensor::from(vec![1.0_f64, 2.0]);
    assert_eq!(x.dtype(), DType::F64);
    let x = Tensor::from_vec(vec![1.0_f32, 2.0, 3.0, 4.0], [2, 2]);
    assert_eq!(x.to_vec2::<f32>(), [[1.0, 2.0], [3.0, 4.0]]);
    let x = Tensor::zeros([2, 3]);
    let y = Tensor::full([2, 3], 7.0);
    assert!(y.equal(&(&x + 7.0)));
    let x = Tensor::zeros_of([2, 3], DType::I64);
    assert_eq!(x.dtype(), DType::I64);
    let y = Tensor::ones_like(&x);
    assert_eq!(y.dtype(), DType::I64);
    manual_seed(0);
    let (u, n) = (Tensor::rand([2, 3]), Tensor::randn([2, 3]));
    assert!(u.item_sum() > 0.0 && n.shape() == u.shape());
    let i = Tensor::randint(0, 10, [5]);
    let p = Tensor::randperm(5);
    assert_eq!((i.numel(), p.sum().item::<i64>()), (5, 10));
    let r = Tensor::arange(5);
    let even = Tensor::arange_step(0, 10, 2);
    let r = r + even;
    assert_eq!(r.to_vec::<i64>(), [0, 3, 6, 9, 12]);
    let l = Tensor::linspace(-3, 3, 100);
    assert_eq!(l.numel(), 100);
    let e = Tensor::eye(3);
    assert_eq!(e.trace().item::<f32>(), 3.0);
    let g = Generator::with_seed(7);
    let x = Tensor::rand_with([2], DType::F32, Some(&g));
    assert_eq!(x.numel(), 2);
    let x = Tensor::randn([3]).requires_grad_(true);
    assert!(x.requires_grad());
}

trait ItemSum {
    fn item_sum(&self) -> f32;
}
impl ItemSum for Tensor {
    fn item_sum(&self) -> f32 {
        self.sum().item::<f32>()
    }
}

#[test]
fn looking() {
    let x = Tensor::new([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    println!("{x}");
    assert_eq!(x.to_string(), "tensor([[1., 2., 3.],\n        [4., 5., 6.]])");
    println!("{}", x.shape());
    assert_eq!(x.shape().to_string(), "torch.Size([2, 3])");
    assert_eq!((x.size(0), x.size(-1)), (2, 3));
    assert_eq!((x.dim(), x.numel()), (2, 6));
    let n = x.size(0);
    assert_eq!(n, 2);
    println!("{}", x.dtype());
    assert_eq!(x.device().to_string(), "cpu");
    println!("{:.4}", x.mean().item::<f32>());
    let v = x.to_vec2::<f32>();
    assert_eq!(v[1], [4.0, 5.0, 6.0]);
    let v: Vec<f32> = x.flatten(0, -1).to_vec();
    assert_eq!(v.len(), 6);
    assert!(x.allclose(&(&x + 1e-9), 1e-5, 1e-8, false));
    assert!(x.equal(&x.clone()) && x.is_same(&x.clone()));
    let (y, s) = (x.double(), x.gt(2.0).float().mean());
    assert_eq!((y.dtype(), s.dtype()), (DType::F64, DType::F32));
    let i = x.long();
    assert_eq!(i.dtype(), DType::I64);
    let h = x.to_dtype(DType::F16);
    assert_eq!(h.dtype(), DType::F16);
}

#[test]
fn indexing() {
    let x = Tensor::arange(12).view([3, 4]);
    assert_eq!(x.i(0).to_vec::<i64>(), [0, 1, 2, 3]);
    assert_eq!(x.i((-1, 2)).item::<i64>(), 10);
    assert_eq!(x.i((.., 0)).to_vec::<i64>(), [0, 4, 8]);
    assert_eq!(x.i((1..3, ..2)).shape(), [2, 2]);
    assert_eq!(x.i(..-1).shape(), [2, 4]);
    assert_eq!(x.i((.., s(..).step(2))).shape(), [3, 2]);
    assert_eq!(x.i((Ellipsis, 0)).shape(), [3]);
    assert_eq!(x.i((.., NewAxis)).shape(), [3, 1, 4]);
    let mask = x.gt(5);
    assert_eq!(x.i(&mask).to_vec::<i64>(), [6, 7, 8, 9, 10, 11]);
    assert_eq!(x.i([0, 2]).shape(), [2, 4]);
    let idx = Tensor::new([2, 0]);
    assert_eq!(x.i((&idx, 1)).to_vec::<i64>(), [9, 1]);
    x.set_index((0, 1), 7);
    x.set_index(&mask, 0);
    assert_eq!(x.sum().item::<i64>(), 21);
    assert_eq!(x.gather(1, &Tensor::new([[0], [1], [2]])).shape(), [3, 1]);
    assert_eq!(x.index_select(0, &idx).shape(), [2, 4]);
    assert_eq!(x.masked_fill(&mask, -1).min().item::<i64>(), -1);
    assert_eq!(x.nonzero().shape(), [5, 2]);
}

#[test]
fn shapes() {
    let x = Tensor::randn([2, 3, 4]);
    assert_eq!(x.view([6, 4]).shape(), [6, 4]);
    assert_eq!(x.reshape((x.size(0), -1)).shape(), [2, 12]);
    assert_eq!(x.flatten(1, -1).shape(), [2, 12]);
    assert_eq!(x.permute([0, 2, 1]).shape(), [2, 4, 3]);
    assert_eq!(x.transpose(1, 2).contiguous().shape(), [2, 4, 3]);
    assert_eq!(x.unsqueeze(-1).shape(), [2, 3, 4, 1]);
    assert_eq!(x.unsqueeze(0).squeeze_dim(0).shape(), [2, 3, 4]);
    assert_eq!(x.squeeze().shape(), [2, 3, 4]);
    let w = Tensor::randn([3, 4]);
    assert_eq!(w.t().shape(), w.T().shape());
    assert_eq!(Tensor::zeros([1, 4]).expand((5, -1)).shape(), [5, 4]);
    assert_eq!(w.repeat([2, 1]).shape(), [6, 4]);
    assert_eq!(cat(&[&w, &w], 0).shape(), [6, 4]);
    assert_eq!(stack(&[&w, &w], 0).shape(), [2, 3, 4]);
    let parts = w.chunk(2, 1);
    let rows = w.unbind(0);
    assert_eq!((parts.len(), rows.len()), (2, 3));
    assert_eq!(w.split(2, 0)[1].shape(), [1, 4]);
    assert_eq!(w.flip(0).roll(1, 1).shape(), [3, 4]);
    assert_eq!(w.tril(0).shape(), [3, 4]);
    assert_eq!(w.pad([1, 1], Pad::Constant(0.into())).shape(), [3, 6]);
}

#[test]
fn computing() {
    let x = Tensor::new([[1.0, -2.0], [3.0, 4.0]]);
    let y = Tensor::ones([2, 2]);
    let z = &x + &y;
    assert_eq!(z.item_sum(), 10.0);
    let z = (&x * 2.0 + 1.0) / &y - 0.5;
    assert_eq!(z.item_sum(), 14.0);
    let z = 1.0 - &x;
    assert_eq!(z.item_sum(), -2.0);
    let z = -&x;
    assert_eq!(z.item_sum(), -6.0);
    assert_eq!(x.pow(2).item_sum(), 30.0);
    assert_eq!(x.matmul(&y).item_sum(), 12.0);
    let v = x.i(0).dot(&x.i(1));
    assert_eq!(v.item::<f32>(), -5.0);
    let m = x.gt(0.0);
    assert_eq!(m.sum().item::<i64>(), 3);
    let m = m.logical_and(&x.le(3.0));
    assert!(m.any().item::<bool>() && !x.ge(0.0).all().item::<bool>());
    let z = where_(&x.gt(0.0), &x, &(&x * 0.01));
    assert!(z.allclose(&x.leaky_relu(0.01), 1e-6, 0.0, false));
    assert_eq!(x.clamp(0.0, 3.0).item_sum(), 7.0);
    assert_eq!(x.exp().log().sqrt().isnan().sum().item::<i64>(), 1);
    assert_eq!(x.sum().item::<f32>(), 6.0);
    assert_eq!(x.sum_dim(1, false).to_vec::<f32>(), [-1.0, 7.0]);
    assert_eq!(x.mean_dim(0, true).shape(), [1, 2]);
    let (mean, std) = (x.mean().item::<f32>(), x.std().item::<f32>());
    assert!(mean == 1.5 && std > 2.6);
    let (values, indices) = x.max_dim(1, false);
    assert_eq!((values.to_vec::<f32>(), indices.to_vec::<i64>()), (vec![1.0, 4.0], vec![0, 1]));
    let predicted = x.argmax_dim(1, false);
    assert_eq!(predicted.to_vec::<i64>(), [0, 1]);
    let correct = predicted.eq(&Tensor::new([0, 0])).sum().item::<i64>();
    assert_eq!(correct, 1);
    assert_eq!(x.topk(1, 1, true).0.shape(), [2, 1]);
    assert_eq!(x.sort(1, false).0.i((0, 0)).item::<f32>(), -2.0);
    assert_eq!(x.cumsum(0).i((1, 0)).item::<f32>(), 4.0);
    assert!((x.norm().item::<f32>() - 30f32.sqrt()).abs() < 1e-6);
    assert_eq!(einsum("ij,jk->ik", &[&x, &y]).shape(), [2, 2]);
    let n = Tensor::new([7, -7]);
    assert_eq!((&n / 2).to_vec::<f32>(), [3.5, -3.5]);
    assert_eq!(n.floor_divide(2).to_vec::<i64>(), [3, -4]);
    assert_eq!((&n % 3).to_vec::<i64>(), [1, 2]);
    assert_eq!((7 / 2, -7 / 2, -7 % 3, (-7_i32).div_euclid(2), (-7_i32).rem_euclid(3)), (3, -3, -1, -4, 2));
}

#[test]
fn activations_and_functions() {
    let x = Tensor::randn([4, 10]);
    let (a, b) = (x.relu(), x.sigmoid());
    assert!(a.ge(0.0).all().item::<bool>() && b.lt(1.0).all().item::<bool>());
    let z = x.gelu(Approximate::None) + x.silu() + x.tanh() + x.leaky_relu(0.1) + x.elu(1.0);
    assert_eq!(z.shape(), [4, 10]);
    assert!((x.softmax(-1).item_sum() - 4.0).abs() < 1e-5);
    assert_eq!(x.i(0).softmax(0).shape(), [10]);
    let lp = x.log_softmax(1);
    let target = Tensor::new([1, 0, 3, 9]);
    let loss = F::cross_entropy(&x, &target);
    assert!((loss.item::<f32>() - F::nll_loss(&lp, &target).item::<f32>()).abs() < 1e-6);
    let loss = F::mse_loss(&a, &b, Reduction::Mean);
    assert!(loss.item::<f32>() >= 0.0);
    let (w, bias) = (Tensor::randn([5, 10]), Tensor::zeros([5]));
    assert_eq!(F::linear(&x, &w, Some(&bias)).shape(), [4, 5]);
    let y = F::dropout(&x, 0.5, true);
    assert_eq!(y.shape(), x.shape());
    let hot = target.one_hot(10);
    assert_eq!(hot.shape(), [4, 10]);
    assert_eq!(F::normalize(&x, 2.0, 1, 1e-12).norm_dim(2.0, 1, false).shape(), [4]);
}

#[test]
fn autograd() {
    let x = Tensor::new([2.0, 3.0]).requires_grad_(true);
    let y = (&x * &x).sum();
    y.backward();
    assert_eq!(x.grad().unwrap().to_vec::<f32>(), [4.0, 6.0]);
    x.zero_grad();
    assert!(x.grad().is_none());
    let y = no_grad(|| &x * 2.0);
    assert!(!y.requires_grad());
    let y = inference_mode(|| &x * 2.0);
    assert!(y.is_inference());
    {
        let _guard = no_grad_guard();
        assert!(!is_grad_enabled());
    }
    let d = x.detach();
    assert!(!d.requires_grad() && d.shares_memory(&x));
    let c = x.detach().duplicate();
    assert!(!c.shares_memory(&x));
    let y = x.pow(3).sum();
    y.backward_with(None, Backward { retain_graph: true, ..Default::default() });
    let g = grad(&[&y], &[&x], &[None], Backward { create_graph: true, ..Default::default() });
    let g = g[0].clone().unwrap();
    let h = grad(&[&g.sum()], &[&x], &[None], Backward::default())[0].clone().unwrap();
    assert_eq!(h.to_vec::<f32>(), [12.0, 18.0]);
    let y = &x * 2.0;
    y.retain_grad();
    let handle = y.register_hook(|g| Some(g * 10.0));
    y.sum().backward();
    assert_eq!(y.grad().unwrap().to_vec::<f32>(), [10.0, 10.0]);
    handle.remove();
    assert_eq!(y.grad_fn().unwrap().0.name(), "MulBackward0");
    let w = Tensor::new([1.0, 2.0]).requires_grad_(true);
    no_grad(|| w.sub_(&(&w * 0.1)));
    assert!(w.is_leaf() && w.to_vec::<f32>() == [0.9, 1.8]);
    w.set_grad(None);
    let (e, p) = (w.detach().duplicate(), Tensor::ones([2]));
    e.lerp_(&p, 0.01);
    assert_eq!(e.i(0).item::<f32>(), 0.9 + (1.0 - 0.9) * 0.01);
    let net = Net::new();
    let y = checkpoint(
        {
            let net = net.clone();
            move |x| net.block(x)
        },
        &Tensor::ones([1, 10]),
    );
    y.sum().backward();
    assert!(net.fc1.weight.grad().is_some());
    let x = Tensor::ones([1, 10]);
    net.eval();
    let fast = compile(&net, &x);
    assert_eq!(fast.call(&x).shape(), [1, 1]);
    net.train();
    let f = compile_fn(|x: &Tensor| x.relu() * 2.0);
    assert!(f.call(&x).equal(&(&x * 2.0)));
    let x = Tensor::new([0.5, -1.0]);
    let checked = gradcheck(&|x| vec![x[0].tanh()], &[x.double()]);
    assert_eq!(checked, Ok(()));
    detect_anomaly(|| net.call(&Tensor::ones([1, 10])).sum().backward());
}

#[test]
fn in_place() {
    let x = Tensor::ones([2]);
    x.add_(1.0);
    x.mul_(&Tensor::new([2.0, 3.0])).clamp_(0.0, 5.0);
    assert_eq!(x.to_vec::<f32>(), [4.0, 5.0]);
    let mut out = x.duplicate();
    out += &x;
    assert_eq!(out.to_vec::<f32>(), [8.0, 10.0]);
    x.zero_();
    x.copy_(&out);
    x.fill_(3.0);
    assert_eq!(x.to_vec::<f32>(), [3.0, 3.0]);
    // A saved number that was changed since is refused, with PyTorch's sentence.
    let w = Tensor::ones([2]).requires_grad_(true);
    let h = w.exp();
    let y = h.exp().sum();
    h.add_(1.0);
    let error = attempt(|| y.backward()).unwrap_err();
    assert!(error.to_string().contains("modified by an inplace operation"), "{error}");
}

#[derive(Module, Clone)]
struct Plain {
    base: Base,
    debug: bool,
    bias: Option<Parameter>,
}
impl Plain {
    fn extra_repr(&self) -> String {
        format!("debug={}", Py(self.debug))
    }
}

fn custom_init(module: &dyn Module) {
    println!("{}", module.class_name());
}

#[test]
fn modules() {
    let model = Net::new();
    let x = Tensor::randn([4, 10]);
    let y = model.call(&x);
    assert_eq!(y.shape(), [4, 1]);
    println!("{model}");
    assert!(model.to_string().starts_with("Net(\n  (fc1): Linear(in_features=10, out_features=20, bias=True)"));
    model.train();
    model.eval();
    model.set_training(true);
    assert!(model.is_training());
    for (name, param) in model.named_parameters() {
        println!("{name}: {}, requires_grad={}", param.shape(), Py(param.requires_grad()));
    }
    for (name, module) in model.named_modules() {
        println!("{name}: training={}", Py(module.is_training()));
    }
    for (name, buffer) in model.named_buffers() {
        println!("{name}: {}", buffer.shape());
    }
    let bias: Option<Parameter> = None;
    let plain = Plain { base: Base::new(), debug: true, bias };
    assert_eq!((plain.to_string(), plain.num_parameters()), ("Plain(debug=True)".into(), 0));
    let total = model.num_parameters();
    let trainable = model.num_trainable_parameters();
    assert_eq!((total, trainable), (241, 241));
    for param in model.fc1.parameters() {
        param.requires_grad_(false);
    }
    model.fc1.requires_grad_(false);
    assert_eq!(model.num_trainable_parameters(), 21);
    model.requires_grad_(true);
    let (weight, bias) = (&model.fc1.weight, model.fc1.bias.tensor());
    assert_eq!((weight.shape(), bias.shape()), ([20, 10].into(), [20].into()));
    model.apply(|m| {
        if let Some(linear) = m.downcast_ref::<Linear>() {
            init::xavier_uniform_(&linear.weight, 1.0);
            init::zeros_(linear.bias.tensor());
        }
    });
    assert_eq!(model.fc1.bias.tensor().item_sum(), 0.0);
    model.apply(custom_init);
    assert!(model.get_submodule("fc1").is::<Linear>());
    let w = model.get_parameter("fc1.weight");
    assert!(w.is_same(&model.fc1.weight));
    let copy = model.deep_copy();
    let same = model.clone();
    assert!(!copy.fc1.weight.is_same(&w) && same.fc1.weight.is_same(&w));
    model.half();
    model.to(DType::F32);
    assert_eq!(w.dtype(), DType::F32);
    model.zero_grad();
    let buffer = Buffer::new(Tensor::zeros([1, 4]));
    buffer.set(buffer.get().expand((8, -1)).contiguous());
    assert_eq!(buffer.shape(), [8, 4]);
    let param = Parameter::new(Tensor::randn([5]));
    assert!(param.requires_grad());
    model.fc1.weight.set_data(&Tensor::zeros([20, 10]));
    assert_eq!(w.item_sum(), 0.0);
}

#[test]
fn layers() {
    let fc = Linear::with(5, 3, LinearOptions { bias: false, ..Default::default() });
    assert!(fc.bias.is_none());
    let conv = Conv2d::with(3, 16, 3, Conv2dOptions { padding: 1.into(), stride: 2.into(), ..Default::default() });
    assert_eq!(conv.call(&Tensor::zeros([1, 3, 8, 8])).shape(), [1, 16, 4, 4]);
    let (leaky, gelu, silu) = (LeakyReLU::with_slope(0.1), GELU::new(), SiLU::new());
    assert_eq!(leaky.call(&Tensor::new([-1.0])).item::<f32>(), -0.1);
    assert_eq!(gelu.call(&Tensor::zeros([1])).item::<f32>() + silu.call(&Tensor::zeros([1])).item::<f32>(), 0.0);
    let (bn, ln) = (BatchNorm1d::new(20), LayerNorm::new(20));
    assert_eq!((bn.running_mean.tensor().shape(), ln.weight.tensor().shape()), ([20].into(), [20].into()));
    let five = bn.running_mean.tensor().i(..5);
    assert_eq!(five.shape(), [5]);
    let (pool, drop) = (MaxPool2d::new(2), Dropout::new(0.5));
    let embedding = Embedding::new(1000, 64);
    assert_eq!(embedding.call(&Tensor::new([[1, 2], [3, 4]])).shape(), [2, 2, 64]);
    let model = Sequential::new((conv, ReLU::new(), pool, Flatten::new(), Linear::new(64, 10), drop));
    assert_eq!(model.call(&Tensor::zeros([2, 3, 8, 8])).shape(), [2, 10]);
    let mut layers = Sequential::new(());
    for size in [32, 16] {
        layers.push(Linear::new(size, size / 2));
        layers.extend((BatchNorm1d::new(size / 2), ReLU::new()));
    }
    assert_eq!((layers.len(), layers[0].class_name()), (6, "Linear"));
    let named = Sequential::named((("fc1", Linear::new(4, 3)), ("act", Tanh::new())));
    assert_eq!(named.call(&Tensor::zeros([1, 4])).shape(), [1, 3]);
    let blocks = ModuleList::new((Linear::new(8, 8), Linear::new(8, 8)));
    let mut x = Tensor::zeros([1, 8]);
    for block in &blocks {
        x = block.call(&x);
    }
    assert_eq!(x.shape(), [1, 8]);
    let (last, hidden) = blocks.split_last().unwrap();
    assert_eq!((last.class_name(), hidden.len()), ("Linear", 1));
    let scale = Lambda::new(|x| x * 2.0);
    assert_eq!(scale.call(&Tensor::ones([1])).item::<f32>(), 2.0);
    let w = Tensor::zeros([8, 8]);
    init::kaiming_normal_(
        &w,
        init::KaimingOptions {
            mode: init::FanMode::FanOut,
            nonlinearity: init::Nonlinearity::Relu,
            ..Default::default()
        },
    );
    init::kaiming_uniform_(&w, init::KaimingOptions { a: 5f64.sqrt(), ..Default::default() });
    let (fan_in, _) = init::calculate_fan_in_and_fan_out(&w);
    assert_eq!(fan_in, 8);
    init::normal_(&w, 0.0, 0.1);
    init::uniform_(&w, -0.1, 0.1);
    init::orthogonal_(&w, 1.0);
    init::constant_(&w, 0.5);
    assert_eq!(w.mean().item::<f32>(), 0.5);
}

#[test]
fn training() {
    let model = Net::new();
    let (x, target) = (Tensor::randn([16, 10]), Tensor::randn([16, 1]));
    let criterion = MSELoss::new();
    let optimizer = Adam::new(model.parameters(), 1e-3);
    let mut scheduler = StepLR::new(&optimizer, 10, 0.1);
    for _epoch in 0..2 {
        optimizer.zero_grad();
        let loss = criterion.call((&model.call(&x), &target));
        loss.backward();
        clip_grad_norm_(model.parameters(), 1.0);
        optimizer.step();
        scheduler.step();
        println!("{:.4}", loss.item::<f32>());
    }
    assert_eq!(scheduler.get_last_lr(), [1e-3]);
    let (loss, accumulate) = (criterion.call((&model.call(&x), &target)), 4);
    (&loss / accumulate as f64).backward();
    clip_grad_value_(model.parameters(), 0.5);
    let smoothed = CrossEntropyLoss::with(CrossEntropyLossOptions { label_smoothing: 0.1, ..Default::default() });
    let loss = smoothed.call((&Tensor::randn([4, 3]), &Tensor::new([0, 1, 2, 0])));
    assert!(loss.item::<f32>() > 0.0);
    let sgd = SGD::with(model.parameters(), SgdOptions { lr: 0.1, momentum: 0.9, ..Default::default() });
    sgd.set_lr(0.01);
    assert_eq!(sgd.lrs(), [0.01]);
    let adamw = AdamW::with(model.parameters(), AdamWOptions { lr: 1e-3, weight_decay: 0.01, ..Default::default() });
    let mut cosine = CosineAnnealingLR::new(&adamw, 50, 0.0);
    adamw.step();
    cosine.step();
    let groups = SGD::with_groups([
        ParamGroup::new(model.fc1.parameters(), SgdOptions { lr: 1e-3, ..Default::default() }),
        ParamGroup::new(model.fc2.parameters(), SgdOptions { lr: 1e-2, ..Default::default() }),
    ]);
    assert_eq!(groups.lrs(), [1e-3, 1e-2]);
    let thawed = model.parameters().into_iter().filter(|p| p.requires_grad());
    let optimizer = SGD::new(thawed, 0.1);
    let mut plateau = ReduceLROnPlateau::new(&optimizer);
    plateau.step(0.5);
    let warmup = LambdaLR::new(&optimizer, |epoch| (epoch as f64 / 5.0).min(1.0));
    assert_eq!(warmup.get_last_lr(), [0.0]);
    let accuracy = no_grad(|| {
        model.eval();
        let output = model.call(&x);
        output.gt(0.0).eq(&target.gt(0.0)).float().mean().item::<f32>()
    });
    assert!((0.0..=1.0).contains(&accuracy));
}

struct Squares;
impl Dataset for Squares {
    type Item = (Tensor, i64);
    fn len(&self) -> usize {
        100
    }
    fn get(&self, index: usize) -> std::result::Result<Self::Item, data::Error> {
        Ok((Tensor::full([2], (index * index) as f32), (index % 2) as i64))
    }
}

#[test]
fn data_loading() -> Tried {
    let dataset = TensorDataset::new((Tensor::randn([100, 3]), Tensor::randint(0, 2, [100])));
    let (x, y) = dataset.get(0)?;
    assert_eq!((x.shape(), y.dim()), ([3].into(), 0));
    let loader = DataLoader::new(dataset, 32).shuffle(true);
    for batch in &loader {
        let (x, y) = batch?;
        assert_eq!(x.size(0), y.size(0));
    }
    assert_eq!((loader.len(), Squares.len()), (4, 100));
    let parts = random_split(Squares, [0.8, 0.2], None);
    assert_eq!(parts[0].len(), 80);
    let loader = DataLoader::new(Squares, 10).num_workers(2).drop_last(true);
    assert_eq!(loader.iter().next().unwrap()?.1.shape(), [10]);
    let both = ConcatDataset::new(vec![Squares, Squares]);
    let some = Subset::new(both, vec![0, 150]);
    assert_eq!(some.get(1)?.1, 0);
    let doubled = Squares.map(|(x, y)| (x * 2.0, y));
    assert_eq!(doubled.get(1)?.0.to_vec::<f32>(), [2.0, 2.0]);
    let transform = transforms::Compose::new().then(transforms::Scale).then(transforms::Normalize::new(&[0.5], &[0.5]));
    let _ = transform;
    let digits = data::digits();
    assert_eq!(digits.len(), 1797);
    Ok(())
}

#[test]
fn saving() -> Tried {
    let folder = folder("saving");
    let path = folder.join("model_weights.pth");
    let (model, epoch, loss) = (Net::new(), 10_i64, 0.25_f64);
    let optimizer = Adam::new(model.parameters(), 1e-3);
    save(model.state_dict(), &path)?;
    model.load_state_dict(&load(&path)?.state_dict()?, true)?;
    let path = folder.join("checkpoint.pth");
    let checkpoint = Value::dict([
        ("model_state_dict", model.state_dict().into()),
        ("optimizer_state_dict", optimizer.state_dict().into()),
        ("epoch", epoch.into()),
        ("loss", loss.into()),
    ]);
    save(checkpoint, &path)?;
    let checkpoint = load(&path)?;
    assert_eq!(checkpoint["epoch"].int()?, 10);
    let checkpoint = load_with(&path, LoadOptions { mmap: true })?;
    model.load_state_dict(&checkpoint["model_state_dict"].state_dict()?, true)?;
    optimizer.load_state_dict(&checkpoint["optimizer_state_dict"].optimizer_state()?)?;
    let (epoch, loss) = (checkpoint["epoch"].int()?, checkpoint["loss"].float()?);
    assert_eq!((epoch, loss), (10, 0.25));
    let report = model.load_state_dict(&StateDict::new(), false)?;
    assert_eq!(report.missing_keys.len(), 4);
    let path = folder.join("weights.safetensors");
    safetensors::save(&model.state_dict(), &[], &path)?;
    let tensors = safetensors::load(&path)?;
    assert_eq!(tensors.tensors.len(), 4);
    let path = folder.join("x.npy");
    npy::save(&Tensor::ones([2]), &path)?;
    let x = npy::load(&path)?;
    assert_eq!(x.numel(), 2);
    let path = folder.join("x.csv");
    save_csv(&Tensor::ones([2]), None, &path)?;
    let x = Columns::load_csv(&path)?.matrix();
    assert_eq!(x.shape(), [2, 1]);
    let start = std::time::Instant::now();
    println!("{:.4}s", start.elapsed().as_secs_f64());
    let missing = load("no such file.pth");
    assert!(missing.is_err());
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}

#[test]
fn hooks_and_tools() {
    let model = Net::new();
    model.eval();
    let x = Tensor::randn([8, 10]);
    let handle = model.fc1.register_forward_hook(|_module, _input, output| println!("{}", output.shape()));
    let other =
        model.fc1.register_full_backward_hook(|_module, _grad_in, grad_out| println!("{}", grad_out[0].shape()));
    let pre = model.fc1.register_forward_pre_hook(|_module, input| &input[0] * 2.0);
    model.call(&x).sum().backward();
    pre.remove();
    handle.remove();
    other.remove();
    println!("{}", summary(&model, &x));
    println!("{}", stats::weights(&model));
    println!("{}", stats::gradients(&model));
    println!("{}", stats::activations(&model, &x));
    assert!(stats::find_nan(&model, &x).is_none());
}

#[test]
fn pictures() -> Tried {
    let folder = folder("pictures");
    let x = Tensor::linspace(-3, 3, 100);
    let mut fig = Figure::new(15.0, 10.0);
    let ax = fig.subplot(2, 2, 1);
    ax.plot(&x, &x.relu()).label("relu").title("ReLU").xlabel("x").grid(true).legend();
    fig.subplot(2, 2, 2).hist(&Tensor::randn([1000]), 50).alpha(0.7);
    fig.subplot(2, 2, 3).heatmap(&Tensor::rand([4, 4])).annotate(2).colorbar("weight");
    fig.subplot(2, 2, 4).plot_y(&[1.0, 0.1, 0.01]).yscale(Scale::Log);
    fig.save(folder.join("figure.png"))?;
    let fig = image_grid(&Tensor::rand([8, 3, 16, 16]), 4, &["image"; 8]);
    assert!(fig.to_svg().contains("<image"));
    let fig = confusion_matrix(&Tensor::new([[50, 3], [2, 45]]), &["cat", "dog"]);
    assert!(fig.to_svg().contains("cat"));
    let fig = histogram_grid(&stats::weights(&Net::new()));
    assert!(fig.to_svg().contains("fc2.weight"));
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}

#[test]
fn errors() {
    let (a, b) = (Tensor::zeros([2, 3]), Tensor::zeros([4, 5]));
    let result = attempt(|| a.matmul(&b));
    let sentence = result.unwrap_err().to_string();
    assert!(sentence.contains("mat1 and mat2 shapes cannot be multiplied (2x3 and 4x5)"), "{sentence}");
    let model = Sequential::new((Linear::new(3, 4), Linear::new(5, 1)));
    let sentence = attempt(|| model.call(&a)).unwrap_err().to_string();
    assert!(sentence.contains("in 1 (Linear)"), "{sentence}");
}

#[test]
fn profiling() {
    let net = Net::new();
    let x = Tensor::ones([1, 10]);
    let (loss, prof) = profile(|| net.call(&x).mean());
    assert!(autograd_graph(&loss, net.named_parameters()).to_svg().contains("fc2.weight"));
    assert_eq!(profile(|| record_function("part", || x.exp())).1.events().len(), 2);
    assert!(prof.key_averages().table(SortBy::Flops, 10).contains("linear"));
    let path = folder("profile").join("trace.json");
    let save = |path: &PathBuf| -> Tried {
        prof.save(path)?;
        Ok(())
    };
    save(&path).unwrap();
    assert!(std::fs::read_to_string(path).unwrap().contains("nn.Module: fc1 (Linear)"));
}

#[test]
fn program() {
    manual_seed(0);
    set_num_threads(2);
    let state = get_rng_state();
    let a = Tensor::rand([1]);
    set_rng_state(&state);
    assert!(a.equal(&Tensor::rand([1])));
    let kept = get_printoptions();
    set_printoptions(PrintOptions { precision: 2, ..get_printoptions() });
    set_printoptions(kept);
    assert_eq!(Py(true).to_string(), "True");
    let _: io::Result<()> = Ok(());
}

/// The code in the second column of every table.
fn rust_cells(text: &str) -> Vec<String> {
    let mut cells = Vec::new();
    for line in text.lines().filter(|l| l.starts_with('|') && !l.starts_with("|--") && !l.starts_with("| Python")) {
        let line = line.replace("\\|", "\u{1}");
        let cell = line.split('|').nth(2).expect("a second column");
        // Between backticks.
        cells.extend(cell.split('`').skip(1).step_by(2).map(|code| code.replace('\u{1}', "|")));
    }
    cells
}

#[test]
fn every_line_of_the_page_stands_above() {
    let squeezed = |s: &str| {
        let text: String = s.chars().filter(|c| !c.is_whitespace()).collect();
        text.replace(",}", "}").replace(",)", ")").replace(",]", "]")
    };
    let source = squeezed(include_str!("from_pytorch.rs").split("/// The code in").next().unwrap());
    let cells = rust_cells(include_str!("../../../docs/from-pytorch.md"));
    assert!(cells.len() > 150, "{} lines only", cells.len());
    let stands = |cell: &str| {
        let cell = squeezed(cell);
        let cell = cell.trim_end_matches([';', ',']);
        source.match_indices(cell).any(|(at, _)| {
            let before = source[..at].chars().next_back().unwrap_or(';');
            let after = source[at + cell.len()..].chars().next().unwrap_or(';');
            "(){}[;=,&|!>".contains(before) && (";,)=}{?.&".contains(after) || cell.ends_with(['{', '[']))
        })
    };
    let missing: Vec<&String> = cells.iter().filter(|c| !stands(c)).collect();
    assert!(missing.is_empty(), "compiled nowhere: {missing:#?}");
}
