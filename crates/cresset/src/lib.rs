//! PyTorch's `torch.nn` way of working in Rust: define-by-run autograd, a tree of modules with names, buffers, hooks and train/eval, layers,
//! initialisers, optimizers, `.pth` checkpoints, data loading.
//!
//! **You know PyTorch? Begin with [`from_pytorch`]**: its lines beside ours, and what differs. Then everything has PyTorch's name, and says which in
//! its documentation. Figures are in the crate `cresset-viz`.
//!
//! ```
//! use cresset::prelude::*;
//!
//! #[derive(Module, Clone)]
//! struct SimpleMLP {
//!     base: Base,
//!     fc1: Linear,
//!     fc2: Linear,
//!     relu: ReLU,
//! }
//! impl SimpleMLP {
//!     fn new(input_size: usize, hidden_size: usize, output_size: usize) -> SimpleMLP {
//!         SimpleMLP {
//!             base: Base::new(),
//!             fc1: Linear::new(input_size, hidden_size),
//!             fc2: Linear::new(hidden_size, output_size),
//!             relu: ReLU::new(),
//!         }
//!     }
//! }
//! impl Forward for SimpleMLP {
//!     type Output = Tensor;
//!     fn forward(&self, x: &Tensor) -> Tensor {
//!         let x = self.fc1.call(x);
//!         let x = self.relu.call(&x);
//!         self.fc2.call(&x)
//!     }
//! }
//!
//! manual_seed(0);
//! let model = SimpleMLP::new(10, 20, 1);
//! let mut optimizer = Adam::new(model.parameters(), 1e-2);
//! let (input, target) = (Tensor::randn([100, 10]), Tensor::randn([100, 1]));
//! let criterion = MSELoss::new();
//! let mut last = f32::MAX;
//! for _ in 0..5 {
//!     optimizer.zero_grad();
//!     let loss = criterion.call((&model.call(&input), &target));
//!     loss.backward();
//!     optimizer.step();
//!     assert!(loss.item::<f32>() < last);
//!     last = loss.item::<f32>();
//! }
//! ```

#[doc = include_str!("../from-pytorch.md")]
pub mod from_pytorch {}

#[doc = include_str!("../profiling.md")]
pub mod profiling {}

pub use cresset_compile as compiler;
pub use cresset_data as data;
pub use cresset_io as io;
pub use cresset_nn as nn;
pub use cresset_optim as optim;
pub use cresset_profile as profiler;
pub use cresset_tensor as tensor;

pub use cresset_compile::{Compiled, CompiledFn, compile, compile_fn};
pub use cresset_io::{load, save};
pub use cresset_nn::functional;
pub use cresset_profile::{Profile, Profiler, autograd_graph, profile, record_function};
pub use cresset_tensor::*;

/// What most programs need: `use cresset::prelude::*;`
pub mod prelude {
    pub use crate::{Compiled, CompiledFn, compile, compile_fn, load, save};
    pub use cresset_data::{DataLoader, Dataset, Subset, TensorDataset, random_split};
    pub use cresset_nn::*;
    pub use cresset_profile::{Profile, Profiler, SortBy, autograd_graph, profile, record_function};
    // By name: the formulas of schedules (`Linear`, `Lambda`, ...) have names of layers.
    pub use cresset_optim::{
        ASGD, Adadelta, AdadeltaOptions, Adagrad, AdagradOptions, Adam, AdamOptions, AdamW, AdamWOptions, Adamax,
        AdamaxOptions, AsgdOptions, ChainedScheduler, ConstantLR, CosineAnnealingLR, CosineAnnealingWarmRestarts,
        CyclicLR, CyclicLROptions, ExponentialLR, LambdaLR, LinearLR, MultiStepLR, MultiplicativeLR, NAdam,
        NAdamOptions, OneCycleLR, OneCycleLROptions, Optimizer, OptimizerState, ParamGroup, PolynomialLR, RAdam,
        RAdamOptions, RMSprop, RMSpropOptions, ReduceLROnPlateau, ReduceLROnPlateauOptions, Rprop, RpropOptions, SGD,
        Scheduler, SequentialLR, SgdOptions, StepLR, clip_grad_norm_, clip_grad_value_,
    };
    pub use cresset_tensor::{DType, Generator, Py, Scalar, Tensor, attempt, manual_seed, no_grad, s};
}
