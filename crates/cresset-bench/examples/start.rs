//! The smallest program that runs a network: what a start costs.

use cresset::prelude::*;

fn main() {
    manual_seed(0);
    let model = Sequential::new((Linear::new(10, 20), ReLU::new(), Linear::new(20, 1)));
    println!("{}", model.call(&Tensor::randn([1, 10])).item::<f32>());
}
