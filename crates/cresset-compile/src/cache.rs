//! Which recording serves a call: one for each kind of input, training flag and grad mode, up to a limit.

use crate::entry::Entry;
use cresset_nn::{Base, Buffer};
use cresset_tensor::record::Refusal;
use cresset_tensor::{Dims, Meta, Tensor};
use std::sync::{Arc, Mutex, PoisonError};

/// What a recording depends on.
#[derive(Clone, PartialEq)]
pub struct Key {
    inputs: Vec<(Meta, Dims, bool)>,
    training: Vec<bool>,
    grad: bool,
    parameters: Vec<(Meta, bool)>,
    /// The tensors that the buffers hold: a recording knows them by name.
    buffers: Vec<(usize, usize)>,
}

/// The parts of a module tree that a recording depends on, found once.
#[derive(Clone, Default)]
pub struct Watched {
    /// Of all modules: training flags.
    pub bases: Vec<Base>,
    /// All parameters.
    pub parameters: Vec<Tensor>,
    /// All buffers.
    pub buffers: Vec<Buffer>,
}

impl Watched {
    /// The key of a call now.
    pub fn key(&self, inputs: &[Tensor]) -> Key {
        Key {
            inputs: inputs.iter().map(|t| (t.meta(), t.stride(), t.requires_grad())).collect(),
            training: self.bases.iter().map(Base::is_training).collect(),
            grad: cresset_tensor::is_grad_enabled(),
            parameters: self.parameters.iter().map(|p| (p.meta(), p.requires_grad())).collect(),
            buffers: self
                .buffers
                .iter()
                .map(|b| {
                    let t = b.get();
                    (t.id(), std::ptr::from_ref(t.array().storage()).addr())
                })
                .collect(),
        }
    }
}

impl Key {
    /// Will a gradient be asked for?
    pub fn wants_grad(&self) -> bool {
        self.grad && (self.inputs.iter().any(|i| i.2) || self.parameters.iter().any(|p| p.1))
    }
}

/// One kind of call and how it is served: by plans, or by the model itself because it cannot be recorded.
type Served = (Key, Result<Arc<Entry>, Refusal>);

/// The recordings of a compiled model.
pub struct Cache {
    entries: Mutex<Vec<Served>>,
}

/// How many kinds of calls are kept.
pub const LIMIT: usize = 8;

impl Cache {
    /// An empty cache.
    pub fn new() -> Cache {
        Cache { entries: Mutex::new(Vec::new()) }
    }
    /// What serves this kind of call.
    pub fn find(&self, key: &Key) -> Option<Result<Arc<Entry>, Refusal>> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.iter().find(|(k, _)| k == key).map(|(_, served)| served.clone())
    }
    /// Keeps what serves a kind of call; the oldest goes if there are too many.
    pub fn keep(&self, key: Key, served: Result<Arc<Entry>, Refusal>) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.retain(|(k, _)| *k != key);
        if entries.len() == LIMIT {
            drop(entries.remove(0));
        }
        entries.push((key, served));
    }
    /// All recordings, oldest first.
    pub fn all(&self) -> Vec<Result<Arc<Entry>, Refusal>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).iter().map(|(_, s)| s.clone()).collect()
    }
}
