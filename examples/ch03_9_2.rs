//! 3.9.2 A compiled function and a compiled model. The times are measured; the words around them are the book's.

use cresset::prelude::*;
use cresset::where_;
use std::sync::LazyLock;
use std::time::Instant;

// 使用torch.jit进行模型优化
static OPTIMIZED_ACTIVATION: LazyLock<CompiledFn> = LazyLock::new(|| compile_fn(|x| where_(&x.gt(0.0), x, 0.01 * x))); // Leaky ReLU的优化实现

#[derive(Module, Clone)]
struct OptimizedModel {
    base: Base,
    fc1: Linear,
    fc2: Linear,
    fc3: Linear,
}
impl OptimizedModel {
    fn new() -> OptimizedModel {
        OptimizedModel {
            base: Base::new(),
            fc1: Linear::new(100, 200),
            fc2: Linear::new(200, 100),
            fc3: Linear::new(100, 1),
        }
    }
}
impl Forward for OptimizedModel {
    type Output = Tensor;
    fn forward(&self, x: &Tensor) -> Tensor {
        let x = OPTIMIZED_ACTIVATION.call(&self.fc1.call(x));
        let x = OPTIMIZED_ACTIVATION.call(&self.fc2.call(&x));
        self.fc3.call(&x)
    }
}

fn main() {
    manual_seed(0);

    // 编译模型以获得更好的性能
    let model = OptimizedModel::new();
    let input_data = Tensor::randn([1000, 100]);
    let scripted_model = compile(&model, &input_data); // recorded on an example, as torch.jit.trace does

    // 性能比较

    // 原始模型
    let start_time = Instant::now();
    for _ in 0..100 {
        let _ = model.call(&input_data);
    }
    let original_time = start_time.elapsed().as_secs_f64();

    // 编译模型
    let start_time = Instant::now();
    for _ in 0..100 {
        let _ = scripted_model.call(&input_data);
    }
    let scripted_time = start_time.elapsed().as_secs_f64();

    println!("原始模型时间: {original_time:.4}s");
    println!("编译模型时间: {scripted_time:.4}s");
    println!("加速比: {:.2}x", original_time / scripted_time);
}
