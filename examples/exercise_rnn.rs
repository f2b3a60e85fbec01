//! Exercise: a recurrent network with shared parameters (创建一个参数共享的循环网络结构).
//!
//! It learns to add binary numbers: at every step it reads one digit of each number, the lowest first, and writes one digit of the sum. For that it has
//! to keep the carry in its state. The parameters are the same at every step, so a network that was trained with numbers of 8 digits adds numbers of
//! any length. The figure goes to `exercise_rnn.png` in the current folder, or in the folder given as an argument.

use cresset::prelude::*;
use cresset_viz::{Figure, Scale};
use std::path::{Path, PathBuf};

/// One step: `h' = tanh(W_x x + W_h h + b)`.
#[derive(Module, Clone)]
struct Cell {
    base: Base,
    from_input: Linear,
    from_state: Linear,
}
impl Cell {
    fn new(inputs: usize, hidden: usize) -> Cell {
        let no_bias = LinearOptions { bias: false, ..Default::default() };
        Cell {
            base: Base::new(),
            from_input: Linear::new(inputs, hidden),
            from_state: Linear::with(hidden, hidden, no_bias),
        }
    }
}
// Two inputs: what is read at this step, and the state.
impl Forward<(Tensor, Tensor)> for Cell {
    type Output = Tensor;
    fn forward(&self, (x, h): &(Tensor, Tensor)) -> Tensor {
        (self.from_input.call(x) + self.from_state.call(h)).tanh()
    }
}

/// The same cell at every step, and a layer that reads the state.
#[derive(Module, Clone)]
pub(crate) struct Rnn {
    base: Base,
    cell: Cell,
    output: Linear,
    hidden: usize,
}
impl Rnn {
    pub(crate) fn new(inputs: usize, hidden: usize, outputs: usize) -> Rnn {
        Rnn { base: Base::new(), cell: Cell::new(inputs, hidden), output: Linear::new(hidden, outputs), hidden }
    }
}
impl Forward for Rnn {
    type Output = Tensor;
    /// From `[steps, batch, inputs]` to `[steps, batch, outputs]`.
    fn forward(&self, x: &Tensor) -> Tensor {
        let mut h = Tensor::zeros([x.size(1), self.hidden]);
        let mut states = Vec::new();
        for x in x.unbind(0) {
            h = self.cell.call((&x, &h));
            states.push(h.clone());
        }
        self.output.call(&cresset::stack(&states.iter().collect::<Vec<_>>(), 0))
    }
}

/// Numbers to add, as digits `[digits + 1, batch, 2]`, and the digits of their sums `[digits + 1, batch, 1]`; the lowest digit first.
fn sums(digits: usize, batch: usize) -> (Tensor, Tensor) {
    let numbers = Tensor::randint(0, 2, [digits, batch, 2]);
    // One digit more, for the last carry.
    let numbers = cresset::cat(&[&numbers, &Tensor::zeros_of([1, batch, 2], DType::I64)], 0);
    let mut carry = Tensor::zeros_of([batch], DType::I64);
    let mut sum = Vec::new();
    for pair in numbers.unbind(0) {
        let total = pair.sum_dim(1, false) + &carry;
        sum.push(&total % 2);
        carry = total.floor_divide(2);
    }
    let sum = cresset::stack(&sum.iter().collect::<Vec<_>>(), 0);
    (numbers.float(), sum.unsqueeze(-1).float())
}

/// Trains on numbers of 8 digits; gives the network and the loss of every step.
pub(crate) fn train(steps: usize) -> (Rnn, Vec<f64>) {
    manual_seed(0);
    let model = Rnn::new(2, 16, 1);
    println!("{model}\n{} parameters, whatever the length of the numbers", model.num_parameters());
    let criterion = BCEWithLogitsLoss::new();
    let optimizer = Adam::new(model.parameters(), 1e-2);
    let mut losses = Vec::new();
    for step in 1..=steps {
        let (x, y) = sums(8, 64);
        optimizer.zero_grad();
        let loss = criterion.call((&model.call(&x), &y));
        loss.backward();
        clip_grad_norm_(model.parameters(), 1.0);
        optimizer.step();
        losses.push(loss.item());
        if step % 100 == 0 {
            println!("step {step:>4}: loss {:.4}", losses[step - 1]);
        }
    }
    (model, losses)
}

/// The share of new sums of which every digit is right.
pub(crate) fn accuracy(model: &Rnn, digits: usize) -> f64 {
    let (x, y) = sums(digits, 500);
    let right = no_grad(|| model.call(&x)).gt(0.0).float().eq(&y);
    right.all_dim(0, false).double().mean().item()
}

/// A number as people write it, from its digits with the lowest first.
fn written(digits: &Tensor) -> String {
    digits.flatten(0, -1).to_vec::<f32>().iter().rev().map(|&d| if d > 0.5 { '1' } else { '0' }).collect()
}

fn figure(losses: &[f64], accuracies: &[(usize, f64)], path: &Path) -> Result<(), cresset_viz::Error> {
    let mut fig = Figure::new(11.0, 4.2);
    let ax = fig.subplot(1, 2, 1);
    ax.plot_y(losses)
        .title("training, numbers of 8 digits")
        .xlabel("step")
        .ylabel("loss")
        .yscale(Scale::Log)
        .grid(true);
    let ax = fig.subplot(1, 2, 2);
    let (names, shares): (Vec<String>, Vec<f64>) = accuracies.iter().map(|(n, a)| (n.to_string(), *a)).unzip();
    ax.bar(&names, &shares).ylim(0.0, 1.05).title("new sums with every digit right").xlabel("digits").ylabel("share");
    fig.save(path)
}

fn main() -> Result<(), cresset_viz::Error> {
    let folder = std::env::args().nth(1).map(PathBuf::from).unwrap_or_default();
    let (model, losses) = train(1500);

    let accuracies = [4, 8, 16, 32, 64].map(|digits| (digits, accuracy(&model, digits)));
    for (digits, accuracy) in accuracies {
        println!("numbers of {digits:>2} digits: {:.1} % of new sums are right", 100.0 * accuracy);
    }
    let (x, _) = sums(16, 1);
    let sum = no_grad(|| model.call(&x)).gt(0.0).float();
    println!("  {}\n+ {}\n= {}", written(&x.i((.., .., 0))), written(&x.i((.., .., 1))), written(&sum));
    figure(&losses, &accuracies, &folder.join("exercise_rnn.png"))
}
