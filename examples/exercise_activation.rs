//! Exercise: an activation layer of one's own (创建一个自定义激活函数层), in two ways.
//!
//! `Swish` is a layer with a parameter that is learnt; its gradient follows from the operations that it is made of. `Squareplus` stands on an operation
//! with a backward of its own, which `gradcheck` compares with finite differences. Both are put into a network that tells two spirals apart.
//! The figure goes to `exercise_activation.png` in the current folder, or in the folder given as an argument.

use cresset::autograd::{gradcheck, gradgradcheck};
use cresset::op::{Context, Few, Saves, apply1};
use cresset::prelude::*;
use cresset::{Array, Meta, Op};
use cresset_viz::Figure;
use std::path::{Path, PathBuf};

/// `x · sigmoid(βx)` with a β that is learnt: at 0 the line x / 2, towards infinity the ReLU.
#[derive(Module, Clone)]
pub(crate) struct Swish {
    base: Base,
    pub(crate) beta: Parameter,
}
impl Swish {
    pub(crate) fn new() -> Swish {
        Swish { base: Base::new(), beta: Parameter::new(Tensor::ones([1])) }
    }
}
impl Forward for Swish {
    type Output = Tensor;
    fn forward(&self, x: &Tensor) -> Tensor {
        x * (x * &self.beta).sigmoid()
    }
}

/// The operation `(x + √(x² + b)) / 2`: a smooth ReLU without an exponential. What `torch.autograd.Function` is in PyTorch.
#[derive(Debug)]
struct SquareplusOp {
    b: f64,
}
impl Op for SquareplusOp {
    fn name(&self) -> &'static str {
        "squareplus"
    }
    /// Shape and dtype of the result, or what is wrong with the input.
    fn infer(&self, inputs: &[&Meta]) -> Result<Few<Meta>, String> {
        match inputs[0].dtype {
            DType::F32 | DType::F64 => Ok([*inputs[0]].into()),
            other => Err(format!("expected float32 or float64, got {}", other.name())),
        }
    }
    /// Numbers in, numbers out.
    fn forward(&self, inputs: &[&Array], outputs: &[Meta]) -> Few<Array> {
        // Squares and roots of f32 numbers are done in f64, and rounded once.
        let x = inputs[0].to(DType::F64).to_vec::<f64>();
        let y: Vec<f64> = x.iter().map(|x| (x + (x * x + self.b).sqrt()) / 2.0).collect();
        [Array::from_slice(&y, outputs[0].shape).to(outputs[0].dtype)].into()
    }
    /// Backward reads the input, not the output.
    fn saves(&self) -> Saves {
        Saves::inputs(0b1)
    }
    /// `dy/dx = (1 + x / √(x² + b)) / 2`, in operations of tensors, so that it can be differentiated again.
    fn backward(&self, ctx: &Context, grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
        let x = ctx.input(0);
        let slope = (&x / (&x * &x + self.b).sqrt() + 1.0) / 2.0;
        [grads[0].as_ref().map(|g| g * slope)].into()
    }
}

/// The layer around the operation.
#[derive(Module, Clone)]
pub(crate) struct Squareplus {
    base: Base,
    b: f64,
}
impl Squareplus {
    pub(crate) fn new(b: f64) -> Squareplus {
        Squareplus { base: Base::new(), b }
    }
    fn extra_repr(&self) -> String {
        format!("b={}", self.b)
    }
}
impl Forward for Squareplus {
    type Output = Tensor;
    fn forward(&self, x: &Tensor) -> Tensor {
        apply1(SquareplusOp { b: self.b }, [x])
    }
}

/// Compares backward with finite differences, for first and for second derivatives. Differences need float64.
pub(crate) fn check() -> Result<(), String> {
    let inputs = [Tensor::from(vec![-3.0_f64, -0.5, 0.0, 0.7, 2.0])];
    let squareplus = |x: &[Tensor]| vec![apply1(SquareplusOp { b: 0.5 }, [&x[0]])];
    gradcheck(&squareplus, &inputs)?;
    gradgradcheck(&squareplus, &inputs)?;
    // Of several inputs each counts that is of float64.
    let swish = |x: &[Tensor]| vec![&x[0] * (&x[0] * &x[1]).sigmoid()];
    let [x] = inputs;
    gradcheck(&swish, &[x, Tensor::from(vec![1.3_f64])])
}

/// Points `[2n, 2]` on two spirals, and on which one each of them lies `[2n, 1]`.
fn spirals(n: usize) -> (Tensor, Tensor) {
    let t = Tensor::rand([n, 1]).sqrt() * 9.0 + 0.5;
    let one = cresset::cat(&[&(&t * t.cos() / 5.0), &(&t * t.sin() / 5.0)], 1);
    let x = cresset::cat(&[&one, &-&one], 0) + Tensor::randn([2 * n, 2]) * 0.03;
    (x, cresset::cat(&[&Tensor::zeros([n, 1]), &Tensor::ones([n, 1])], 0))
}

/// Trains a network with the given activations; gives the losses and the accuracy on new points.
pub(crate) fn train<A: Layer + Clone>(activations: [A; 2], steps: usize) -> (Vec<f64>, f64) {
    let [first, second] = activations;
    manual_seed(0);
    let (x, y) = spirals(300);
    let (new_x, new_y) = spirals(300);
    let model = Sequential::new((Linear::new(2, 32), first, Linear::new(32, 32), second, Linear::new(32, 1)));
    let optimizer = Adam::new(model.parameters(), 1e-2);
    let criterion = BCEWithLogitsLoss::new();
    let mut losses = Vec::new();
    for _ in 0..steps {
        optimizer.zero_grad();
        let loss = criterion.call((&model.call(&x), &y));
        loss.backward();
        optimizer.step();
        losses.push(loss.item());
    }
    let told = no_grad(|| model.call(&new_x)).gt(0.0).float();
    (losses, told.eq(&new_y).double().mean().item())
}

/// The curve of an activation and of its derivative.
fn draw(ax: &mut cresset_viz::Axes, name: &str, f: impl Fn(&Tensor) -> Tensor) {
    let x = Tensor::linspace(-4, 4, 200).requires_grad_(true);
    let y = f(&x);
    y.sum().backward();
    ax.plot(&x, &y).label(name);
    if let Some(slope) = x.grad() {
        ax.plot(&x, &slope).label("its derivative").linestyle("--");
    }
    ax.title(name).xlabel("x").grid(true).legend();
}

fn figure(swish: &Swish, runs: &[(&str, Vec<f64>)], path: &Path) -> Result<(), cresset_viz::Error> {
    let mut fig = Figure::new(15.0, 4.5);
    let beta = swish.beta.detach().item::<f32>();
    draw(fig.subplot(1, 3, 1), &format!("Swish, learnt β = {beta:.2}"), |x| swish.call(x));
    draw(fig.subplot(1, 3, 2), "Squareplus, b = 0.5", |x| Squareplus::new(0.5).call(x));
    let ax = fig.subplot(1, 3, 3);
    for (name, losses) in runs {
        ax.plot_y(losses).label(*name);
    }
    ax.title("loss on two spirals").xlabel("step").yscale(cresset_viz::Scale::Log).grid(true).legend();
    fig.save(path)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).map(PathBuf::from).unwrap_or_default();
    check()?;
    println!("gradcheck: backward agrees with finite differences");

    let (swish, steps) = ([Swish::new(), Swish::new()], 1000);
    let mut runs = Vec::new();
    for (name, (losses, accuracy)) in [
        ("ReLU", train([ReLU::new(), ReLU::new()], steps)),
        ("Swish", train(swish.clone(), steps)),
        ("Squareplus", train([Squareplus::new(0.5), Squareplus::new(0.5)], steps)),
    ] {
        println!("{name:>10}: loss {:.4} → {:.4}, accuracy on new points {accuracy:.4}", losses[0], losses[steps - 1]);
        runs.push((name, losses));
    }
    let betas = swish.each_ref().map(|s| s.beta.detach().item::<f32>());
    println!("β of the two Swish layers, 1 at the start: {:.3}, {:.3}", betas[0], betas[1]);
    figure(&swish[0], &runs, &folder.join("exercise_activation.png"))?;
    Ok(())
}
