//! The tensor: a cheap handle to numbers and their place in the graph.

use crate::array::{Array, Meta};
use crate::autograd::node::{Edge, Edges, TensorHook};
use crate::autograd::{self, Backward, mode};
use crate::dims::Dims;
use crate::dtype::{DType, Element, Scalar};
use crate::error::fail;
use crate::op::AnyNode;
use crate::record;
use smallvec::SmallVec;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// An n-dimensional array that remembers how it was computed (`torch.Tensor`).
///
/// A handle: cloning shares the numbers, the gradient and the identity, as assigning a name does in Python. `Send + Sync`. dtype and shape
/// are values, not types.
///
/// ```
/// use cresset_tensor::Tensor;
/// let w = Tensor::from_slice(&[1.0f32, -2.0, 3.0]).requires_grad_(true);
/// let y = (&w * 2.0).relu().sum();
/// y.backward();
/// assert_eq!(y.item::<f32>(), 8.0);
/// assert_eq!(w.grad().unwrap().to_vec::<f32>(), [2.0, 0.0, 2.0]);
/// ```
#[derive(Clone)]
pub struct Tensor(Arc<Inner>);

/// A handle that does not keep the tensor alive.
#[derive(Clone)]
pub struct WeakTensor(Weak<Inner>);

impl WeakTensor {
    /// The tensor, if it still exists.
    pub fn upgrade(&self) -> Option<Tensor> {
        self.0.upgrade().map(Tensor)
    }
}

struct Inner {
    state: Mutex<State>,
}

struct State {
    array: Array,
    /// The op that made it, and which of its outputs it is.
    grad_fn: Option<(Arc<AnyNode>, u32)>,
    /// For a leaf: does it want a gradient?
    requires_grad: bool,
    /// Made by an op that shares its input's memory.
    view: bool,
    /// Made inside inference mode.
    inference: bool,
    /// The storage's history count when this tensor's own history was written.
    history: u32,
    extra: Option<Box<Extra>>,
}

impl State {
    /// Is it a view whose base got a new history since? Its own history then misses what happened to the numbers.
    #[inline]
    fn is_stale_view(&self) -> bool {
        self.view && self.history != u32::MAX && self.history != self.array.storage().history()
    }
}

/// What an op learns of an input.
#[derive(Clone, Copy, Default)]
pub(crate) struct Entered {
    /// Will backward compute a gradient through it?
    pub wants: bool,
    /// Is it a view with a lost history? (Known only where a graph is asked for.)
    pub stale: bool,
}

/// What few tensors have.
#[derive(Default)]
struct Extra {
    grad: Option<Tensor>,
    hooks: Vec<(u64, TensorHook)>,
    post_accumulate: Vec<(u64, PostHook)>,
}
type PostHook = Arc<dyn Fn(&Tensor) + Send + Sync>;

static NEXT_HOOK: AtomicU64 = AtomicU64::new(1);

impl Tensor {
    // ---- making

    /// A tensor without graph over an array.
    #[inline]
    pub fn from_array(array: Array) -> Tensor {
        Tensor::from_op(array, None, false)
    }

    #[inline]
    pub(crate) fn from_op(array: Array, grad_fn: Option<(Arc<AnyNode>, u32)>, view: bool) -> Tensor {
        let history = array.storage().history();
        let (inference, recording) = mode::inference_and_recording();
        let tensor = Tensor(Arc::new(Inner {
            state: Mutex::new(State { array, grad_fn, requires_grad: false, view, inference, history, extra: None }),
        }));
        if recording {
            record::made(&tensor);
        }
        tensor
    }

    #[inline]
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    // ---- looking

    /// The numbers, without graph. Shares the memory.
    #[inline]
    #[track_caller]
    pub fn array(&self) -> Array {
        if mode::is_recording() {
            record::read();
        }
        self.lock().array.clone()
    }
    /// The same for what a recording need not know of: ops, and looks at the layout.
    #[inline]
    pub(crate) fn array_unseen(&self) -> Array {
        self.lock().array.clone()
    }
    /// Adds the numbers to an op's inputs, and with `graph` its edge behind those of the inputs before it, if it has one. One lock serves all that an op asks: a lock is a fifth of what an op on one number
    /// takes.
    #[inline]
    pub(crate) fn enter(&self, inputs: &mut SmallVec<[Array; 5]>, graph: bool, edges: &mut Edges) -> Entered {
        let s = self.lock();
        inputs.push(s.array.clone());
        let wants = s.requires_grad || s.grad_fn.is_some();
        if graph && wants {
            edges.resize_with(inputs.len() - 1, || None);
            edges.push(self.edge_of(&s));
        }
        Entered { wants, stale: graph && s.is_stale_view() }
    }
    /// dtype and shape.
    #[inline]
    pub fn meta(&self) -> Meta {
        *self.lock().array.meta()
    }
    /// Looks at the numbers' layout, in one lock and without a copy.
    #[inline]
    pub(crate) fn seen<R>(&self, look: impl FnOnce(&Array) -> R) -> R {
        look(&self.lock().array)
    }
    /// Are these its dtype and shape?
    #[inline]
    pub(crate) fn has_meta(&self, meta: &Meta) -> bool {
        self.lock().array.meta() == meta
    }
    /// The sizes, printed as `torch.Size([2, 3])` (`x.shape`).
    #[inline]
    pub fn shape(&self) -> Dims {
        *self.lock().array.shape()
    }
    /// The size along a dimension, which may count from the end (`x.size(d)`).
    #[track_caller]
    pub fn size(&self, dim: isize) -> usize {
        let shape = self.shape();
        match crate::dims::wrap_dim(dim, shape.len()) {
            Ok(d) if !shape.is_empty() => shape[d],
            Ok(_) => fail("size", format!("Dimension specified as {dim} but tensor has no dimensions")),
            Err(e) => fail("size", e),
        }
    }
    /// The element type (`x.dtype`).
    #[inline]
    pub fn dtype(&self) -> DType {
        self.lock().array.dtype()
    }
    /// Where the numbers are (`x.device`).
    pub fn device(&self) -> crate::device::Device {
        crate::device::Device::Cpu
    }
    /// The number of dimensions (`x.dim()`, `x.ndim`).
    #[inline]
    pub fn dim(&self) -> usize {
        self.lock().array.ndim()
    }
    /// The number of elements (`x.numel()`).
    #[inline]
    pub fn numel(&self) -> usize {
        self.lock().array.numel()
    }
    /// Steps between neighbours along each dimension, in elements (`x.stride()`).
    pub fn stride(&self) -> Dims {
        *self.lock().array.strides()
    }
    /// Where its first element lies in the memory it shares, in elements (`x.storage_offset()`).
    pub fn storage_offset(&self) -> usize {
        self.lock().array.offset()
    }
    /// Row-major without gaps? (`x.is_contiguous()`)
    pub fn is_contiguous(&self) -> bool {
        self.lock().array.is_contiguous()
    }
    /// Is its dtype a floating-point one? (`x.is_floating_point()`)
    pub fn is_floating_point(&self) -> bool {
        self.dtype().is_floating_point()
    }
    /// How often its numbers were changed in place (`x._version`).
    pub fn version(&self) -> u32 {
        self.lock().array.storage().version()
    }
    /// Do both handles mean one tensor (`a is b`)?
    #[inline]
    pub fn is_same(&self, other: &Tensor) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
    /// A number that tells tensors apart while they live (`id(x)`).
    #[inline]
    pub fn id(&self) -> usize {
        Arc::as_ptr(&self.0) as usize
    }
    /// Do both lie in the same memory?
    pub fn shares_memory(&self, other: &Tensor) -> bool {
        self.array_unseen().same_storage(&other.array_unseen())
    }
    /// A handle that does not keep it alive.
    pub fn downgrade(&self) -> WeakTensor {
        WeakTensor(Arc::downgrade(&self.0))
    }
    /// Does nobody else hold this tensor or its memory? Then an op may write into it.
    #[inline]
    pub(crate) fn is_exclusive(&self) -> bool {
        Arc::strong_count(&self.0) == 1
            && Arc::weak_count(&self.0) == 0
            && self.lock().array.is_exclusive()
            && !mode::is_recording()
    }

    // ---- numbers out

    /// The elements in row-major order (`x.flatten().tolist()`).
    ///
    /// # Panics
    /// If `T` is not the tensor's dtype: convert it first, so that no digit is lost unseen.
    #[track_caller]
    pub fn to_vec<T: Element>(&self) -> Vec<T> {
        let a = self.array();
        if a.dtype() != T::DTYPE {
            fail(
                "to_vec",
                format!("expected elements of dtype {}, but the tensor has {}", T::DTYPE.name(), a.dtype().name()),
            );
        }
        a.to_vec()
    }
    /// The only element, converted to `T` (`x.item()`).
    ///
    /// # Panics
    /// If there is not exactly one element.
    #[track_caller]
    pub fn item<T: Element>(&self) -> T {
        T::from_scalar(self.scalar())
    }
    /// The only element as a number of its own kind.
    #[track_caller]
    pub fn scalar(&self) -> Scalar {
        let a = self.array();
        if a.numel() != 1 {
            fail("item", format!("a Tensor with {} elements cannot be converted to Scalar", a.numel()));
        }
        a.get(a.offset())
    }

    // ---- the graph

    /// Will backward compute a gradient through it? (`x.requires_grad`)
    #[inline]
    pub fn requires_grad(&self) -> bool {
        let s = self.lock();
        s.requires_grad || s.grad_fn.is_some()
    }
    /// Asks for a gradient or no longer (`x.requires_grad_(...)`, `x.requires_grad = ...`).
    ///
    /// # Panics
    /// If the dtype is no floating-point one, or it is switched off on a tensor that an op made.
    #[track_caller]
    pub fn requires_grad_(&self, requires_grad: bool) -> Tensor {
        let mut s = self.lock();
        if s.grad_fn.is_some() {
            if !requires_grad {
                drop(s);
                fail(
                    "requires_grad_",
                    "you can only change requires_grad flags of leaf variables. If you want to use a computed variable in a subgraph that doesn't require differentiation use detach()",
                );
            }
            drop(s);
            return self.clone();
        }
        if requires_grad && !s.array.dtype().is_floating_point() {
            let dtype = s.array.dtype();
            drop(s);
            fail(
                "requires_grad_",
                format!("only Tensors of floating point dtype can require gradients, this one is {}", dtype.name()),
            );
        }
        if requires_grad && s.inference {
            drop(s);
            fail(
                "requires_grad_",
                "Setting requires_grad=True on inference tensor outside InferenceMode is not allowed.",
            );
        }
        s.requires_grad = requires_grad;
        drop(s);
        self.clone()
    }
    /// Was it not made by a recorded op? Only leaves that require grad get a `.grad` (`x.is_leaf`).
    pub fn is_leaf(&self) -> bool {
        self.lock().grad_fn.is_none()
    }
    /// The op that made it, and which output of it (`x.grad_fn`).
    pub fn grad_fn(&self) -> Option<(Arc<AnyNode>, u32)> {
        self.lock().grad_fn.clone()
    }
    /// Where a gradient of this tensor goes, if it requires one and recording is on.
    #[inline]
    pub(crate) fn edge(&self) -> Option<Edge> {
        self.edge_of(&self.lock())
    }
    #[inline]
    fn edge_of(&self, s: &State) -> Option<Edge> {
        match &s.grad_fn {
            Some((node, output)) => Some(Edge::Node(node.clone(), *output)),
            None if s.requires_grad => Some(Edge::Leaf(self.clone())),
            None => None,
        }
    }
    pub(crate) fn edge_regardless_of_mode(&self) -> Option<Edge> {
        self.edge()
    }
    /// The same numbers without history; shares the memory (`x.detach()`).
    pub fn detach(&self) -> Tensor {
        let t = Tensor::from_array(self.array_unseen());
        t.lock().history = u32::MAX;
        if mode::is_recording() {
            record::detached(self, &t);
        }
        t
    }
    /// The gradient that backward has accumulated (`x.grad`).
    pub fn grad(&self) -> Option<Tensor> {
        self.lock().extra.as_ref().and_then(|e| e.grad.clone())
    }
    /// Sets or removes the gradient (`x.grad = ...`).
    ///
    /// # Panics
    /// If the gradient's shape or dtype is not the tensor's.
    #[track_caller]
    pub fn set_grad(&self, grad: Option<Tensor>) {
        if let Some(g) = &grad {
            let want = self.meta();
            if !g.has_meta(&want) {
                let have = g.meta();
                fail(
                    "set_grad",
                    format!(
                        "assigned grad has data of a different size or type: the tensor is {want:?}, the gradient {have:?}"
                    ),
                );
            }
        }
        let old = {
            let mut s = self.lock();
            match (&mut s.extra, grad) {
                (Some(e), grad) => std::mem::replace(&mut e.grad, grad),
                (None, None) => None,
                (None, grad) => {
                    s.extra = Some(Box::new(Extra { grad, ..Default::default() }));
                    None
                }
            }
        };
        drop(old);
    }
    /// Calls `f` with the numbers of the tensor and of its gradient, if it has one, without counting their holders up and down.
    #[inline]
    pub(crate) fn with_array_and_grad<R>(&self, f: impl FnOnce(&Array, &Array) -> R) -> Option<R> {
        let s = self.lock();
        let g = s.extra.as_ref()?.grad.as_ref()?;
        if g.is_same(self) {
            return Some(f(&s.array, &s.array));
        }
        Some(f(&s.array, &g.lock().array))
    }
    /// Removes the gradient (`x.grad = None`).
    pub fn zero_grad(&self) {
        self.set_grad(None);
    }
    /// Takes a gradient over that nobody else can see, if there is none yet and nobody wants to hear of it: the usual case, in one lock of either tensor
    /// instead of eight. Otherwise gives it back.
    pub(crate) fn take_first_grad(&self, g: Tensor) -> Option<Tensor> {
        let alone = Arc::strong_count(&g.0) == 1 && Arc::weak_count(&g.0) == 0;
        if !alone || mode::is_grad_enabled() || mode::is_recording() {
            return Some(g);
        }
        let mut s = self.lock();
        let free = |e: &Extra| e.grad.is_none() && e.hooks.is_empty() && e.post_accumulate.is_empty();
        let fits = |a: &Array| a.meta() == s.array.meta() && a.is_exclusive() && a.is_contiguous();
        // `g` is not this tensor, which the caller holds, too; so the second lock is of another.
        if !s.extra.as_deref().is_none_or(free) || !fits(&g.lock().array) {
            return Some(g);
        }
        s.extra.get_or_insert_with(Box::<Extra>::default).grad = Some(g);
        None
    }
    /// `.grad += g`, taking `g` over where nobody else can see it.
    pub(crate) fn accumulate_grad(&self, g: Tensor) {
        match self.grad() {
            None => {
                let g = if mode::is_grad_enabled() || (g.is_exclusive() && g.is_contiguous()) {
                    g
                } else {
                    Tensor::from_array(g.array().copy())
                };
                self.set_grad(Some(g));
            }
            Some(old) if mode::is_grad_enabled() => self.set_grad(Some(&old + &g)),
            Some(old) => crate::kernels::accumulate(&old.array(), &g.array()),
        }
    }
    /// Computes the gradients of this scalar with respect to all leaves and adds them to their `.grad` (`loss.backward()`).
    ///
    /// # Panics
    /// If it has more than one element, does not require grad, or its graph was freed by an earlier backward.
    #[track_caller]
    pub fn backward(&self) {
        autograd::backward(&[self], &[None], Backward::default());
    }
    /// [`Tensor::backward`] from a given gradient, with options (`y.backward(gradient, retain_graph, create_graph)`).
    #[track_caller]
    pub fn backward_with(&self, gradient: Option<&Tensor>, options: Backward) {
        autograd::backward(&[self], &[gradient.cloned()], options);
    }
    /// Keeps the gradient of a tensor that is not a leaf (`x.retain_grad()`).
    #[track_caller]
    pub fn retain_grad(&self) {
        record::refuse(|| "retain_grad inside the run".into());
        match self.grad_fn() {
            Some((node, output)) => {
                let mut state = node.lock();
                let hooks = node.hooks_of(&mut state);
                if !hooks.retain.iter().any(|(_, t)| t.upgrade().is_some_and(|t| t.is_same(self))) {
                    hooks.retain.push((output, self.downgrade()));
                }
            }
            None if self.requires_grad() => {}
            None => fail("retain_grad", "can't retain_grad on Tensor that has requires_grad=False"),
        }
    }
    /// Calls `hook` with the gradient of this tensor whenever one is computed; what it returns replaces the gradient
    /// (`x.register_hook(hook)`).
    #[track_caller]
    pub fn register_hook(&self, hook: impl Fn(&Tensor) -> Option<Tensor> + Send + Sync + 'static) -> HookHandle {
        record::refuse(|| "a hook was registered on a tensor inside the run".into());
        let id = NEXT_HOOK.fetch_add(1, Ordering::Relaxed);
        let hook: TensorHook = Arc::new(hook);
        match self.grad_fn() {
            Some((node, output)) => {
                node.hooks_of(&mut node.lock()).tensor.push((output, id, hook));
                HookHandle(Some(Box::new(move || {
                    if let Some(h) = &mut node.lock().hooks {
                        h.tensor.retain(|(_, i, _)| *i != id);
                    }
                })))
            }
            None if self.requires_grad() => {
                self.lock().extra.get_or_insert_with(Box::<Extra>::default).hooks.push((id, hook));
                let tensor = self.downgrade();
                HookHandle(Some(Box::new(move || {
                    if let Some(t) = tensor.upgrade()
                        && let Some(e) = &mut t.lock().extra
                    {
                        e.hooks.retain(|(i, _)| *i != id);
                    }
                })))
            }
            None => fail("register_hook", "cannot register a hook on a tensor that doesn't require gradient"),
        }
    }
    /// Calls `hook` with this leaf after its `.grad` was updated (`x.register_post_accumulate_grad_hook(hook)`).
    #[track_caller]
    pub fn register_post_accumulate_grad_hook(&self, hook: impl Fn(&Tensor) + Send + Sync + 'static) -> HookHandle {
        if !self.is_leaf() {
            fail(
                "register_post_accumulate_grad_hook",
                "post accumulate grad hooks cannot be registered on non-leaf tensors",
            );
        }
        let id = NEXT_HOOK.fetch_add(1, Ordering::Relaxed);
        self.lock().extra.get_or_insert_with(Box::<Extra>::default).post_accumulate.push((id, Arc::new(hook)));
        let tensor = self.downgrade();
        HookHandle(Some(Box::new(move || {
            if let Some(t) = tensor.upgrade()
                && let Some(e) = &mut t.lock().extra
            {
                e.post_accumulate.retain(|(i, _)| *i != id);
            }
        })))
    }
    pub(crate) fn run_leaf_hooks(&self, g: Tensor) -> Tensor {
        let hooks = match &self.lock().extra {
            Some(e) if !e.hooks.is_empty() => e.hooks.clone(),
            _ => return g,
        };
        hooks.iter().fold(g, |g, (_, hook)| hook(&g).unwrap_or(g))
    }
    pub(crate) fn run_post_accumulate_hooks(&self) {
        let hooks = match &self.lock().extra {
            Some(e) if !e.post_accumulate.is_empty() => e.post_accumulate.clone(),
            _ => return,
        };
        for (_, hook) in hooks {
            hook(self);
        }
    }

    // ---- in place

    /// Gives the tensor other numbers, dtype and shape, keeping its identity: every holder sees them (`x.data = other`). No history is recorded, and
    /// a gradient of another shape or dtype is dropped.
    pub fn set_data(&self, other: &Tensor) {
        record::refuse(|| "set_data gave a tensor other numbers inside the run".into());
        let array = other.array_unseen();
        let keep = self.grad().is_none_or(|g| g.meta() == *array.meta());
        if !keep {
            self.set_grad(None);
        }
        let old = {
            let mut s = self.lock();
            s.history = array.storage().history();
            std::mem::replace(&mut s.array, array)
        };
        drop(old);
    }
    #[track_caller]
    pub(crate) fn check_inplace_under_grad(&self, op: &'static str) {
        let (leaf, view) = {
            let s = self.lock();
            (s.grad_fn.is_none() && s.requires_grad, s.view)
        };
        if leaf {
            fail(op, "a leaf Variable that requires grad is being used in an in-place operation.");
        }
        if view {
            fail(
                op,
                "a view is being changed in place under autograd, which would lose the gradient of its base. Use the out-of-place operation, or work under no_grad",
            );
        }
    }
    /// Refuses memory in which several elements share a place.
    #[track_caller]
    pub(crate) fn check_overlap(&self, op: &'static str) {
        let a = self.array_unseen();
        let overlaps = a.shape().iter().zip(a.strides().iter()).any(|(&n, &s)| n > 1 && s == 0);
        if overlaps {
            fail(
                op,
                "unsupported operation: more than one element of the written-to tensor refers to a single memory location. Please clone() the tensor before performing the operation.",
            );
        }
        if self.lock().inference && !mode::is_inference_mode_enabled() {
            fail(
                op,
                "Inplace update to inference tensor outside InferenceMode is not allowed. You can make a clone to get a normal tensor before doing inplace update.",
            );
        }
    }
    /// After an in-place op under autograd: the tensor is now that op's output.
    pub(crate) fn set_history(&self, node: Arc<AnyNode>) {
        let old = {
            let mut s = self.lock();
            s.history = s.array.storage().new_history();
            s.grad_fn.replace((node, 0))
        };
        drop(old);
    }
    /// Was it made by an op that shares its input's memory? (`x._is_view()`)
    pub fn is_view(&self) -> bool {
        self.lock().view
    }
    /// Was it made inside inference mode? (`x.is_inference()`)
    pub fn is_inference(&self) -> bool {
        self.lock().inference
    }
}

impl From<&Tensor> for Tensor {
    fn from(t: &Tensor) -> Tensor {
        t.clone()
    }
}

/// Removes a hook. Dropping the handle leaves the hook in place, as in PyTorch.
pub struct HookHandle(Option<Box<dyn FnOnce() + Send + Sync>>);

impl HookHandle {
    /// A handle that runs `remove` (for hooks kept elsewhere, as on modules).
    pub fn new(remove: impl FnOnce() + Send + Sync + 'static) -> HookHandle {
        HookHandle(Some(Box::new(remove)))
    }
    /// Removes the hook.
    pub fn remove(mut self) {
        if let Some(remove) = self.0.take() {
            remove();
        }
    }
}
