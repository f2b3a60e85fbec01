//! What a workload is.

use cresset::prelude::*;
use std::path::PathBuf;
use std::sync::Arc;

/// What a workload needs to know of the command line.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    /// Where the files of MNIST lie.
    pub mnist_dir: Option<PathBuf>,
    /// The step is to be compared, not timed: a long one may do a part.
    pub check: bool,
}

/// One step: what is timed. It gives the loss, the output or a gradient, by which both sides are compared.
pub type Step = Box<dyn FnMut() -> Tensor>;

type Prepare = dyn Fn(&Setup) -> Result<Step, String> + Send + Sync;

/// A named workload.
#[derive(Clone)]
pub struct Workload {
    /// The name, the same as on PyTorch's side.
    pub name: String,
    /// Its peak of memory is of interest, so it is timed in a process of its own.
    pub peak: bool,
    prepare: Arc<Prepare>,
}

impl Workload {
    /// A workload that can always run.
    pub fn new(name: impl Into<String>, prepare: impl Fn() -> Step + Send + Sync + 'static) -> Workload {
        Workload::fallible(name, move |_| Ok(prepare()))
    }
    /// A workload that needs something from outside.
    pub fn fallible(
        name: impl Into<String>,
        prepare: impl Fn(&Setup) -> Result<Step, String> + Send + Sync + 'static,
    ) -> Workload {
        Workload { name: name.into(), peak: false, prepare: Arc::new(prepare) }
    }
    /// The same, with its peak of memory reported.
    pub fn with_peak(self) -> Workload {
        Workload { peak: true, ..self }
    }
    /// Sets it up: parameters and data are drawn from seed 0, as on PyTorch's side.
    ///
    /// # Errors
    /// If something from outside is missing: one sentence.
    pub fn prepare(&self, setup: &Setup) -> Result<Step, String> {
        manual_seed(0);
        (self.prepare)(setup)
    }
}
