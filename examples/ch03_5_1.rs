//! 3.5.1 A linear layer of one's own.

use cresset::functional as F;
use cresset::prelude::*;

// 自定义线性层
#[derive(Module, Clone)]
struct CustomLinear {
    base: Base,
    in_features: usize,
    out_features: usize,
    // 定义权重参数
    weight: Parameter,
    // 定义偏置参数
    bias: Option<Parameter>,
}
impl CustomLinear {
    fn new(in_features: usize, out_features: usize, bias: bool) -> CustomLinear {
        let layer = CustomLinear {
            base: Base::new(),
            in_features,
            out_features,
            weight: Parameter::new(Tensor::randn([out_features, in_features])),
            bias: bias.then(|| Parameter::new(Tensor::randn([out_features]))),
        };

        // 初始化参数
        layer.reset_parameters();
        layer
    }

    fn reset_parameters(&self) {
        init::kaiming_uniform_(&self.weight, init::KaimingOptions { a: 5f64.sqrt(), ..Default::default() });
        if let Some(bias) = &self.bias {
            let (fan_in, _) = init::calculate_fan_in_and_fan_out(&self.weight);
            let bound = 1.0 / (fan_in as f64).sqrt();
            init::uniform_(bias, -bound, bound);
        }
    }

    fn extra_repr(&self) -> String {
        let CustomLinear { in_features, out_features, .. } = self;
        format!("in_features={in_features}, out_features={out_features}, bias={}", Py(self.bias.is_some()))
    }
}
impl Forward for CustomLinear {
    type Output = Tensor;
    fn forward(&self, input: &Tensor) -> Tensor {
        F::linear(input, &self.weight, self.bias.as_deref())
    }
}

fn main() {
    manual_seed(0);

    // 测试自定义线性层
    let custom_layer = CustomLinear::new(10, 5, true);
    let input_data = Tensor::randn([3, 10]);
    let output = custom_layer.call(&input_data);
    println!("自定义层输出: {}", output.shape());
    println!("{custom_layer}");
}
