//! The bound: a step of the classifier written by hand on the kernels, with everything in place beforehand. No tensors, no graph, no modules, and
//! neither batch norm nor dropout: what is left are the products with bias and ReLU at their end, the loss, and Adam.

use crate::{Step, Workload};
use cresset::prelude::*;
use cresset_kernels::buffer::Buffer;
use cresset_kernels::columns;
use cresset_kernels::gemm::{Epilogue, Mat, gemm};
use cresset_kernels::optim::{Float, Formula, apply};

const SIZES: [usize; 5] = [784, 512, 256, 128, 10];

/// Adam with its usual numbers, of which the corrections of a step are known.
#[derive(Clone, Copy)]
struct AdamStep {
    rate: f64,
    root: f64,
}
impl Formula<2> for AdamStep {
    #[inline(always)]
    fn step<F: Float>(self, p: F, g: F, [m, v]: [F; 2]) -> (F, [F; 2]) {
        let m = m + F::of(0.1) * (g - m);
        let v = F::of(0.999) * v + F::of(0.001) * g * g;
        (p - F::of(self.rate) * m / (v.sqrt() * F::of(self.root) + F::of(1e-8)), [m, v])
    }
}

/// Numbers with their gradient and Adam's state.
struct Learned {
    /// Aligned, as a tensor's numbers are: of a `Vec` every vector would cross cache lines.
    value: Buffer,
    grad: Vec<f32>,
    state: [Vec<f32>; 2],
}
impl Learned {
    fn new(n: usize, limit: f64) -> Learned {
        let mut value = Buffer::new(n * size_of::<f32>());
        value.as_mut_slice().copy_from_slice(&Tensor::empty([n]).uniform_(-limit, limit).to_vec::<f32>());
        Learned { value, grad: vec![0.0; n], state: [vec![0.0; n], vec![0.0; n]] }
    }
    fn step(&mut self, rule: AdamStep) {
        let [m, v] = &mut self.state;
        apply(rule, self.value.as_mut_slice(), &self.grad, [m, v]);
    }
}

struct Layer {
    weight: Learned,
    bias: Learned,
    inputs: usize,
    outputs: usize,
    /// The result, and the gradient of what the activation was given.
    y: Vec<f32>,
    dz: Vec<f32>,
}

struct Network {
    layers: Vec<Layer>,
    input: Vec<f32>,
    target: Vec<usize>,
    steps: i32,
}

impl Network {
    fn new(batch: usize) -> Network {
        let layers = SIZES.windows(2).map(|s| {
            let limit = 1.0 / (s[0] as f64).sqrt();
            Layer {
                weight: Learned::new(s[0] * s[1], limit),
                bias: Learned::new(s[1], limit),
                inputs: s[0],
                outputs: s[1],
                y: vec![0.0; batch * s[1]],
                dz: vec![0.0; batch * s[1]],
            }
        });
        let layers = layers.collect();
        let target = Tensor::randint(0, 10, [batch]).to_vec::<i64>().into_iter().map(|t| t as usize).collect();
        Network { layers, input: Tensor::randn([batch, SIZES[0]]).to_vec(), target, steps: 0 }
    }

    fn forward(&mut self) {
        let batch = self.target.len();
        for i in 0..self.layers.len() {
            let last = i + 1 == self.layers.len();
            let (before, l) = self.layers.split_at_mut(i);
            let l = &mut l[0];
            let x = before.last().map_or(&self.input, |p| &p.y);
            let mut end = Epilogue::default().bias(l.bias.value.as_slice());
            if !last {
                end = end.relu();
            }
            let weight = Mat::row_major(l.weight.value.as_slice::<f32>(), l.inputs).t();
            gemm(batch, l.outputs, l.inputs, Mat::row_major(x, l.inputs), weight, &mut l.y, l.outputs, &end);
        }
    }

    /// The mean cross entropy, and its gradient in the last layer.
    fn loss(&mut self) -> f32 {
        let batch = self.target.len();
        let l = self.layers.last_mut().expect("there are layers");
        let mut loss = 0.0;
        for ((y, dz), t) in l.y.chunks(l.outputs).zip(l.dz.chunks_mut(l.outputs)).zip(&self.target) {
            let most = y.iter().copied().fold(f32::MIN, f32::max);
            dz.iter_mut().zip(y).for_each(|(d, y)| *d = (y - most).exp());
            let sum: f32 = dz.iter().sum();
            loss += (sum.ln() + most - y[*t]) / batch as f32;
            dz.iter_mut().for_each(|d| *d /= sum * batch as f32);
            dz[*t] -= 1.0 / batch as f32;
        }
        loss
    }

    fn backward(&mut self) {
        let batch = self.target.len();
        let plain = Epilogue::default();
        for i in (0..self.layers.len()).rev() {
            let (before, l) = self.layers.split_at_mut(i);
            let l = &mut l[0];
            let (inputs, outputs) = (l.inputs, l.outputs);
            let x = before.last().map_or(&self.input, |p| &p.y);
            let dz = Mat::row_major(&l.dz, outputs);
            gemm(outputs, inputs, batch, dz.t(), Mat::row_major(x, inputs), &mut l.weight.grad, inputs, &plain);
            columns::sum(&l.dz, batch, outputs, &mut l.bias.grad);
            if let Some(p) = before.last_mut() {
                let weight = Mat::row_major(l.weight.value.as_slice::<f32>(), inputs);
                gemm(batch, inputs, outputs, dz, weight, &mut p.dz, inputs, &plain);
                p.dz.iter_mut().zip(&p.y).for_each(|(d, y)| *d = if *y > 0.0 { *d } else { 0.0 });
            }
        }
    }

    fn step(&mut self) {
        self.steps += 1;
        let rule = AdamStep {
            rate: 1e-3 / (1.0 - 0.9f64.powi(self.steps)),
            root: 1.0 / (1.0 - 0.999f64.powi(self.steps)).sqrt(),
        };
        for l in &mut self.layers {
            l.weight.step(rule);
            l.bias.step(rule);
        }
    }
}

pub fn workloads() -> Vec<Workload> {
    let training = [32, 128, 512].map(|batch| {
        Workload::new(format!("bound_train_{batch}"), move || {
            let mut network = Network::new(batch);
            Box::new(move || {
                network.forward();
                let loss = network.loss();
                network.backward();
                network.step();
                Tensor::full((), f64::from(loss))
            }) as Step
        })
    });
    let inference = [1, 32, 1000].map(|batch| {
        Workload::new(format!("bound_infer_{batch}"), move || {
            let mut network = Network::new(batch);
            Box::new(move || {
                network.forward();
                Tensor::full((), f64::from(network.layers[3].y[0]))
            }) as Step
        })
    });
    [training, inference].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_network_learns_its_batch() {
        manual_seed(0);
        let mut network = Network::new(32);
        let mut loss = 0.0;
        for _ in 0..60 {
            network.forward();
            loss = network.loss();
            network.backward();
            network.step();
        }
        assert!(loss < 0.01, "{loss}");
    }
}
