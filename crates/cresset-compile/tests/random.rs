//! Random programs: graphs of ops that nobody thought of, compiled against eager, in f32 and f64.

use cresset_compile::compile_fn;
use cresset_tensor::{Approximate, DType, Tensor, manual_seed, no_grad, where_};

/// A small generator of its own, so that the programs do not change with the library.
struct Dice(u64);
impl Dice {
    fn roll(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(0x1405_7B7E_F767_814F);
        ((self.0 >> 33) as usize) % n
    }
}

/// A program: which op, on which earlier tensors.
type Line = (usize, usize, usize);

fn program(dice: &mut Dice) -> Vec<Line> {
    (0..2 + dice.roll(14)).map(|_| (dice.roll(26), dice.roll(1000), dice.roll(1000))).collect()
}

/// Runs a program. All functions stay within moderate numbers, so that a difference is one of the compiler's and not of a chaotic program.
fn run(lines: &[Line], inputs: &[Tensor]) -> Vec<Tensor> {
    let mut pool: Vec<Tensor> = inputs.to_vec();
    for &(op, i, j) in lines {
        // Late results are read more often, so that long chains come about.
        let pick = |k: usize| {
            if k.is_multiple_of(3) { &pool[k % pool.len()] } else { &pool[pool.len() - 1 - k % pool.len().min(3)] }
        };
        let a = pick(i);
        // The second operand must fit: any of the inputs broadcasts with everything of two dimensions.
        let b = Some(pick(j)).filter(|b| b.shape() == a.shape()).unwrap_or(&inputs[j % inputs.len()]);
        let two = a.dim() == 2 && a.shape()[0] == inputs[0].shape()[0] && a.shape()[1] == inputs[0].shape()[1];
        let y = match op {
            0 => a + b,
            1 => a - b,
            2 => &a.tanh() * b,
            3 => a / &(b.abs() + 1.0),
            4 => a.relu(),
            5 => a.sigmoid(),
            6 => a.clamp(-2.0, 2.0).exp(),
            7 => where_(&a.gt(0.1), a, a * 0.3),
            8 => a.abs().sqrt() + 0.1,
            9 => a.sin(),
            10 => -a,
            11 => a * 0.7 + 0.2,
            12 if two => a.sum_dim([1], true).expand(a.shape()),
            13 if two => a - &a.mean_dim([0], true),
            14 => a * &a.detach().cos(),
            15 if two => a.matmul(&a.t()).tanh().matmul(a),
            16 if two => a.softmax(1),
            17 if two => a.t().sigmoid().t(),
            18 => no_grad(|| a * 0.5) + a,
            19 => a.gelu(Approximate::Tanh),
            20 => a.maximum(&b.broadcast_like_or(a)),
            21 => a.silu(),
            22 if two => a.reshape([a.numel()]).tanh().reshape(a.shape()),
            23 => &(a * a) * 0.25,
            24 if two => a.narrow(0, 0, 1) + a,
            _ => a.clone() + &Tensor::full_of((), 0.5, a.dtype()),
        };
        // Kept small: what would grow is squashed.
        pool.push(if i % 5 == 0 { y.tanh() } else { y * 0.5 });
    }
    let last = pool.len() - 1;
    vec![pool[last].clone(), pool[last - 1].mean(), pool[last / 2].sum()]
}

trait Fit {
    fn broadcast_like_or(&self, a: &Tensor) -> Tensor;
}
impl Fit for Tensor {
    fn broadcast_like_or(&self, a: &Tensor) -> Tensor {
        if self.dim() <= a.dim() { self.clone() } else { a.detach() }
    }
}

/// Results and gradients.
fn step(f: &dyn Fn(&Vec<Tensor>) -> Vec<Tensor>, inputs: &[Tensor]) -> Vec<Tensor> {
    let x: Vec<Tensor> = inputs.iter().map(|x| x.detach().requires_grad_(true)).collect();
    let y = f(&x);
    let mut all: Vec<Tensor> = y.iter().map(Tensor::detach).collect();
    let loss = y.iter().map(|t| t.sum()).reduce(|a, b| a + b).expect("three results");
    if loss.requires_grad() {
        loss.backward();
        all.extend(x.iter().map(|x| x.grad().unwrap_or_else(|| x.zeros_like())));
    }
    all
}

fn far(a: &Tensor, b: &Tensor, limit: f64) -> Option<String> {
    let (x, y) = (a.to_dtype(DType::F64).to_vec::<f64>(), b.to_dtype(DType::F64).to_vec::<f64>());
    let size = y.iter().fold(1.0, |m: f64, v| m.max(v.abs()));
    let worst = x.iter().zip(&y).map(|(x, y)| (x - y).abs()).fold(0.0, f64::max);
    (!(worst <= limit * size) || x.len() != y.len()).then(|| format!("{worst:e} apart, of {size:e}"))
}

/// `CRESSET_PROGRAMS` asks for another number of programs.
#[test]
fn random_programs() {
    let count = std::env::var("CRESSET_PROGRAMS").ok().and_then(|n| n.parse().ok()).unwrap_or(300);
    let (mut wrong, mut differentiable) = (Vec::new(), 0);
    for seed in 0..count {
        let mut dice = Dice(seed);
        let lines = program(&mut dice);
        manual_seed(seed as i128);
        let (r, c) = (1 + dice.roll(9), 1 + dice.roll(40));
        let make = || vec![Tensor::randn([r, c]), Tensor::randn([c]), Tensor::randn([r, 1]), Tensor::randn(())];
        let (first, second) = (make(), make());
        for (dtype, limit) in [(DType::F32, 1e-6), (DType::F64, 1e-14)] {
            let inputs = |x: &[Tensor]| x.iter().map(|t| t.to_dtype(dtype)).collect::<Vec<_>>();
            let fast = compile_fn(|x: &Vec<Tensor>| run(&lines, x));
            step(&|x| fast.call(x), &inputs(&first));
            if fast.kinds() != 1 {
                wrong.push(format!("program {seed}: not recorded"));
                break;
            }
            let a = step(&|x| fast.call(x), &inputs(&second));
            let b = step(&|x| run(&lines, x), &inputs(&second));
            differentiable += usize::from(b.len() > 3);
            // Reductions at the end of a fused pass add in another order: their last bits may differ in f32, and what follows from them.
            let faults = a.iter().zip(&b).enumerate().filter_map(|(i, (a, b))| Some((i, far(a, b, 4.0 * limit)?)));
            for (i, how) in faults {
                wrong.push(format!("program {seed} {dtype} {r}x{c}, value {i}: {how}: {lines:?}\n{}", fast.explain()));
            }
        }
        if wrong.len() > 3 {
            break;
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(differentiable as u64 > count, "only {differentiable} of {} had gradients", 2 * count);
}
