//! PyTorch's torch.nn way of working in Rust: define-by-run autograd, modules, optimizers, checkpoints, data.
