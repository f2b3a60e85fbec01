//! The analyser: where the time of a program goes, and what limits it.
//!
//! [`profile`] runs a function and notes every op, backward node, module call and optimizer step of the thread, with time, floating-point operations, bytes
//! moved and memory. A [`Profile`] makes tables of them, a flame chart and a trace for Perfetto. [`autograd_graph`] draws what `backward` will walk.
//!
//! ```
//! use cresset_nn::{Call, Linear, ModuleExt, ReLU, Sequential};
//! use cresset_profile::{profile, SortBy};
//! use cresset_tensor::Tensor;
//!
//! let model = Sequential::new((Linear::new(64, 32), ReLU::new(), Linear::new(32, 10)));
//! let x = Tensor::randn([16, 64]);
//! let (_, prof) = profile(|| model.call(&x).sum().backward());
//! println!("{}", prof.key_averages().table(SortBy::SelfCpuTimeTotal, 10));
//! let first = prof.modules().iter().find(|row| row.name == "0 (Linear)").unwrap().clone();
//! assert_eq!((first.calls, first.flops), (1, 2 * (2 * 16 * 64 * 32 + 16 * 32)));
//! assert!(prof.to_chrome_trace().contains("\"name\":\"AddmmBackward0\""));
//! ```

mod autograd_graph;
mod chrome;
mod flame;
mod machine;
mod profile;
mod rows;
mod table;
mod tree;

pub use cresset_tensor::trace::{Event, Kind};

pub use autograd_graph::{AutogradGraph, autograd_graph};
pub use machine::Machine;
pub use profile::{Profile, Profiler, profile, record_function};
pub use rows::{Limit, Row, Rows};
pub use table::SortBy;
