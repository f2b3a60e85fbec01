//! What every module has of its own: the training flag and the hooks.

use crate::copy::Copier;
use crate::hooks::Hooks;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The part of a module that `super().__init__()` makes in PyTorch: its training flag, its hooks, its identity.
///
/// A shared handle: a cloned module has the same base, so it is the same module.
#[derive(Clone)]
pub struct Base(Arc<Inner>);

struct Inner {
    id: u64,
    training: AtomicBool,
    hooked: AtomicBool,
    hooks: Mutex<Hooks>,
}

static NEXT_ID: AtomicU64 = AtomicU64::new(1);

impl Base {
    /// The base of a new module, in training mode.
    pub fn new() -> Base {
        Base::with_hooks(true, Hooks::default())
    }
    fn with_hooks(training: bool, hooks: Hooks) -> Base {
        Base(Arc::new(Inner {
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            training: AtomicBool::new(training),
            hooked: AtomicBool::new(!hooks.is_empty()),
            hooks: Mutex::new(hooks),
        }))
    }
    /// A number that no other module of this process has.
    #[inline]
    pub fn id(&self) -> u64 {
        self.0.id
    }
    /// Is this module in training mode (`module.training`)?
    #[inline]
    pub fn is_training(&self) -> bool {
        self.0.training.load(Ordering::Relaxed)
    }
    /// Sets the mode of this very module, not of its children (`module.training = mode`).
    pub fn set_training(&self, mode: bool) {
        self.0.training.store(mode, Ordering::Relaxed);
    }
    /// Do both belong to one module?
    pub fn is_same(&self, other: &Base) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
    /// A base of its own for a copy of the module: same mode, same hooks.
    pub fn deep_copy_with(&self, copier: &mut Copier) -> Base {
        copier.base(self, || Base::with_hooks(self.is_training(), self.hooks()))
    }
    /// Are hooks registered on this very module?
    pub fn has_hooks(&self) -> bool {
        self.is_hooked()
    }
    #[inline]
    pub(crate) fn is_hooked(&self) -> bool {
        self.0.hooked.load(Ordering::Relaxed)
    }
    /// A copy of the lists, so that no lock is held while hooks run.
    pub(crate) fn hooks(&self) -> Hooks {
        self.0.hooks.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
    pub(crate) fn change_hooks<R>(&self, change: impl FnOnce(&mut Hooks) -> R) -> R {
        let mut hooks = self.0.hooks.lock().unwrap_or_else(PoisonError::into_inner);
        let result = change(&mut hooks);
        self.0.hooked.store(!hooks.is_empty(), Ordering::Relaxed);
        result
    }
}

impl Default for Base {
    fn default() -> Base {
        Base::new()
    }
}
impl fmt::Debug for Base {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "Base({}, training={})", self.id(), self.is_training())
    }
}
