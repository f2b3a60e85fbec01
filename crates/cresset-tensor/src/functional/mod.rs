//! Functions of tensors that layers are made of (`torch.nn.functional`).

mod linear;

pub use linear::linear;
