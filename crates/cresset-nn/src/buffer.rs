//! The buffer: a tensor that belongs to a module's state but is not trained.

use cresset_tensor::{Dims, Tensor};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// A tensor of a module's state that gets no gradient: running statistics, positions, a hidden state (`register_buffer`).
///
/// A shared cell: [`Buffer::set`] puts another tensor there, of any shape, also in a forward that has only `&self`; every clone sees it.
///
/// ```
/// use cresset_nn::Buffer;
/// use cresset_tensor::Tensor;
/// let hidden = Buffer::new(Tensor::zeros([1, 4]));
/// hidden.set(Tensor::zeros([8, 4]));
/// assert_eq!(hidden.shape(), [8, 4]);
/// ```
#[derive(Clone)]
pub struct Buffer(Arc<Inner>);

struct Inner {
    cell: Mutex<Tensor>,
    persistent: bool,
    optional: bool,
}

impl Buffer {
    /// A buffer that is saved with the state dict.
    pub fn new(tensor: Tensor) -> Buffer {
        Buffer::make(tensor, true, false)
    }
    /// A buffer that is not saved (`register_buffer(..., persistent=False)`).
    pub fn not_persistent(tensor: Tensor) -> Buffer {
        Buffer::make(tensor, false, false)
    }
    /// A buffer that a state dict need not have when it is loaded: older checkpoints lack it.
    pub fn optional(tensor: Tensor) -> Buffer {
        Buffer::make(tensor, true, true)
    }
    fn make(tensor: Tensor, persistent: bool, optional: bool) -> Buffer {
        Buffer(Arc::new(Inner { cell: Mutex::new(tensor), persistent, optional }))
    }
    /// Another cell of the same kind.
    pub(crate) fn like(&self, tensor: Tensor) -> Buffer {
        Buffer::make(tensor, self.0.persistent, self.0.optional)
    }
    /// The tensor that it holds now.
    #[inline]
    pub fn get(&self) -> Tensor {
        self.0.cell.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
    /// The sizes of what it holds now (`self.hidden_state.shape`).
    pub fn shape(&self) -> Dims {
        self.get().shape()
    }
    /// The size along a dimension, which may count from the end (`self.hidden_state.size(d)`).
    #[track_caller]
    pub fn size(&self, dim: isize) -> usize {
        self.get().size(dim)
    }
    /// Holds `tensor` from now on (`self.hidden_state = tensor`). Take a result of the forward pass in with `.detach()`, or its graph stays alive.
    pub fn set(&self, tensor: Tensor) {
        cresset_tensor::record::refuse(|| "a buffer was given another tensor inside the run".into());
        let old = std::mem::replace(&mut *self.0.cell.lock().unwrap_or_else(PoisonError::into_inner), tensor);
        drop(old);
    }
    /// Is it part of the state dict?
    pub fn is_persistent(&self) -> bool {
        self.0.persistent
    }
    /// May a state dict lack it?
    pub fn is_optional(&self) -> bool {
        self.0.optional
    }
    /// Do both mean one cell?
    pub fn is_same(&self, other: &Buffer) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
    pub(crate) fn id(&self) -> usize {
        Arc::as_ptr(&self.0) as *const () as usize
    }
}

impl From<&Buffer> for Tensor {
    fn from(b: &Buffer) -> Tensor {
        b.get()
    }
}
impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "Buffer({:?})", self.get())
    }
}
