//! 3.10.2 Histograms of weights. The figure goes to `ch03_10_2.png` in the current folder, or in the folder given as an argument.

use cresset::prelude::*;
use cresset_viz::Figure;
use std::path::{Path, PathBuf};

// 构建多分类神经网络
#[derive(Module, Clone)]
pub(crate) struct MultiClassifier {
    base: Base,
    network: Sequential,
}
impl MultiClassifier {
    pub(crate) fn new(
        input_size: usize,
        hidden_sizes: &[usize],
        num_classes: usize,
        dropout_rate: f64,
    ) -> MultiClassifier {
        // 构建层列表
        let mut network = Sequential::new(());
        let mut prev_size = input_size;

        for &hidden_size in hidden_sizes {
            network.extend((
                Linear::new(prev_size, hidden_size),
                BatchNorm1d::new(hidden_size),
                ReLU::new(),
                Dropout::new(dropout_rate),
            ));
            prev_size = hidden_size;
        }

        // 输出层
        network.push(Linear::new(prev_size, num_classes));

        MultiClassifier { base: Base::new(), network }
    }
}
impl Forward for MultiClassifier {
    type Output = Tensor;
    fn forward(&self, x: &Tensor) -> Tensor {
        self.network.call(x)
    }
}

// 权重分布可视化
fn visualize_weights(model: &dyn Module, layer_name: Option<&str>, path: &Path) -> Result<(), cresset_viz::Error> {
    let mut fig = Figure::new(15.0, 5.0);

    let mut plot_idx = 1;
    for (name, param) in model.named_parameters() {
        if name.contains("weight") && layer_name.is_none_or(|layer_name| name.contains(layer_name)) {
            let ax = fig.subplot(1, 3, plot_idx);
            let weights = param.detach();
            ax.hist(&weights, 50).alpha(0.7);
            // numpy's `std` divides by n, PyTorch's by n - 1.
            let (mean, std) = (weights.mean().item::<f32>(), weights.std_with((), 0, false).item::<f32>());
            ax.title(format!("{name}\nMean: {mean:.4}, Std: {std:.4}"));
            ax.xlabel("Weight Value");
            ax.ylabel("Frequency");
            plot_idx += 1;
            if plot_idx > 3 {
                break;
            }
        }
    }

    fig.save(path)
}

fn main() -> Result<(), cresset_viz::Error> {
    manual_seed(0);
    let folder = std::env::args().nth(1).map(PathBuf::from).unwrap_or_default();

    // 创建一个模型并可视化权重
    let model = MultiClassifier::new(784, &[256, 128], 10, 0.2);
    visualize_weights(&model, None, &folder.join("ch03_10_2.png"))
}
