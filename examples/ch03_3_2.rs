//! 3.3.2 Activation functions. The figure goes to `ch03_3_2.png` in the current folder, or in the folder given as an argument.

use cresset::prelude::*;
use cresset_viz::Figure;
use std::path::PathBuf;

// 常用激活函数
#[derive(Module, Clone)]
pub(crate) struct ActivationDemo {
    base: Base,
    relu: ReLU,
    leaky_relu: LeakyReLU,
    elu: ELU,
    gelu: GELU,
    swish: SiLU, // Swish激活函数
    tanh: Tanh,
    sigmoid: Sigmoid,
}
impl ActivationDemo {
    pub(crate) fn new() -> ActivationDemo {
        ActivationDemo {
            base: Base::new(),
            relu: ReLU::new(),
            leaky_relu: LeakyReLU::with_slope(0.1),
            elu: ELU::new(),
            gelu: GELU::new(),
            swish: SiLU::new(),
            tanh: Tanh::new(),
            sigmoid: Sigmoid::new(),
        }
    }
}
impl Forward for ActivationDemo {
    // Pairs, because a map of Rust does not keep the order in which its entries came.
    type Output = Vec<(&'static str, Tensor)>;
    fn forward(&self, x: &Tensor) -> Self::Output {
        vec![
            ("relu", self.relu.call(x)),
            ("leaky_relu", self.leaky_relu.call(x)),
            ("elu", self.elu.call(x)),
            ("gelu", self.gelu.call(x)),
            ("swish", self.swish.call(x)),
            ("tanh", self.tanh.call(x)),
            ("sigmoid", self.sigmoid.call(x)),
        ]
    }
}

fn main() -> Result<(), cresset_viz::Error> {
    manual_seed(0);
    let folder = std::env::args().nth(1).map(PathBuf::from).unwrap_or_default();

    // 可视化激活函数
    let x = Tensor::linspace(-3, 3, 100);
    let activation_demo = ActivationDemo::new();
    let results = activation_demo.call(&x);

    let mut fig = Figure::new(15.0, 10.0);
    for (i, (name, y)) in results.iter().enumerate() {
        fig.subplot(2, 4, i + 1).plot(&x, y).title(name.to_uppercase()).grid(true);
    }
    fig.save(folder.join("ch03_3_2.png"))
}
