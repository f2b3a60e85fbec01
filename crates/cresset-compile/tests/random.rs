//! Random programs: graphs of ops that nobody thought of, compiled against eager and against f64.

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
            // Without the number beside it, the gradient where a relu gave 0 is NaN, and so is what comes of it.
            8 if j % 8 == 0 => a.abs().sqrt() + 0.1,
            8 => (a.abs() + 0.05).sqrt(),
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

fn as_dtype(x: &[Tensor], dtype: DType) -> Vec<Tensor> {
    x.iter().map(|t| t.to_dtype(dtype)).collect()
}

/// The largest difference, relative to the largest number or 1.
fn far(a: &Tensor, b: &Tensor) -> Option<f64> {
    let (x, y) = (a.to_dtype(DType::F64).to_vec::<f64>(), b.to_dtype(DType::F64).to_vec::<f64>());
    let size = y.iter().filter(|v| v.is_finite()).fold(1.0, |m: f64, v| m.max(v.abs()));
    let apart = |(x, y): (&f64, &f64)| match x == y || x.is_nan() && y.is_nan() {
        true => 0.0,
        false if (x - y).is_nan() => f64::INFINITY,
        false => (x - y).abs(),
    };
    let worst = x.iter().zip(&y).map(apart).fold(0.0, f64::max);
    (worst != 0.0).then_some(worst / size)
}

/// What is wrong with a program, if anything: compiled against eager, both against the same program in f64, and the program compiled in f64.
fn fault(seed: u64, lines: &[Line], gradients: &mut usize) -> Option<String> {
    let mut dice = Dice(seed ^ 0x9E37);
    manual_seed(seed as i128);
    let (r, c) = (1 + dice.roll(9), 1 + dice.roll(40));
    let make = || vec![Tensor::randn([r, c]), Tensor::randn([c]), Tensor::randn([r, 1]), Tensor::randn(())];
    let (first, second) = (make(), make());
    let eager = |dtype| step(&|x| run(lines, x), &as_dtype(&second, dtype));
    let exact = eager(DType::F64);
    // One in eight is compiled in f64, too.
    for (dtype, limit) in
        [(DType::F32, 4e-6), (DType::F64, 4e-14)].into_iter().take(1 + usize::from(seed.is_multiple_of(8)))
    {
        let fast = compile_fn(|x: &Vec<Tensor>| run(lines, x));
        step(&|x| fast.call(x), &as_dtype(&first, dtype));
        if fast.kinds() != 1 {
            return Some(format!("{dtype}: not recorded"));
        }
        let a = step(&|x| fast.call(x), &as_dtype(&second, dtype));
        let b = if dtype == DType::F64 { exact.clone() } else { eager(dtype) };
        *gradients += usize::from(b.len() > 3);
        for (i, ((a, b), e)) in a.iter().zip(&b).zip(&exact).enumerate() {
            // Reductions at the end of a fused pass add in another order: their last bits may differ in f32, and what follows from them.
            let apart = far(a, b).filter(|d| !(*d <= limit));
            // In f64 a number may fall on the other side of a relu: that is no fault where eager's does, too.
            let wrong = far(a, e).filter(|d| !(*d <= 1e-4) && !far(b, e).is_some_and(|of_eager| *d <= 4.0 * of_eager));
            if apart.is_some() || wrong.is_some() || a.shape() != b.shape() {
                let plan = fast.explain();
                return Some(format!(
                    "{dtype} {r}x{c}, value {i}: {apart:?} from eager, {wrong:?} from f64: {lines:?}\n{plan}"
                ));
            }
        }
    }
    None
}

/// Leaves out lines for as long as the program is still wrong.
fn smallest(seed: u64, mut lines: Vec<Line>) -> String {
    let mut at = 0;
    while at < lines.len() {
        let mut fewer = lines.clone();
        fewer.remove(at);
        match fewer.len() >= 2 && fault(seed, &fewer, &mut 0).is_some() {
            true => lines = fewer,
            false => at += 1,
        }
    }
    format!("program {seed}: {}", fault(seed, &lines, &mut 0).unwrap_or_default())
}

/// 10,000 programs, in four tests that can run at the same time; `CRESSET_PROGRAMS` asks for another number.
fn quarter(part: u64) {
    let all = std::env::var("CRESSET_PROGRAMS").ok().and_then(|n| n.parse().ok()).unwrap_or(10_000);
    let seeds = part * all / 4..(part + 1) * all / 4;
    let (mut wrong, mut gradients, count) = (Vec::new(), 0, seeds.end - seeds.start);
    for seed in seeds {
        let lines = program(&mut Dice(seed));
        if fault(seed, &lines, &mut gradients).is_some() {
            wrong.push(smallest(seed, lines));
            if wrong.len() > 3 {
                break;
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(gradients as u64 > count * 9 / 10, "only {gradients} of {count} had gradients");
}

#[test]
fn random_programs_0() {
    quarter(0);
}
#[test]
fn random_programs_1() {
    quarter(1);
}
#[test]
fn random_programs_2() {
    quarter(2);
}
#[test]
fn random_programs_3() {
    quarter(3);
}
