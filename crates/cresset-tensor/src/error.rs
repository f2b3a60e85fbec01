//! How cresset refuses: one structured error, one way to raise it, one door that turns it into a `Result`.
//!
//! A mistake in the program (wrong shapes, dtypes, dims, hyperparameters) panics with PyTorch's sentence at the caller's line.
//! [`attempt`] catches it and gives the structured error back.

use crate::autograd::mode;
use crate::trace;
use std::any::Any;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};

/// What went wrong: the op, the sentence, where.
#[derive(Clone, Debug, PartialEq)]
pub struct Error {
    op: String,
    message: String,
    module_path: Option<String>,
    modules: Vec<Running>,
    location: Option<&'static Location<'static>>,
}

/// A module whose forward is running: the id of its base, and the line that called it.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Running {
    id: u64,
    called_at: &'static Location<'static>,
}

/// Where the sources of this crate stand, as `Location` names them.
const SOURCES: &str = file!().split_at(file!().len() - "error.rs".len()).0;

impl Error {
    /// An error of the op (or module, or file) `op`.
    #[track_caller]
    pub fn new(op: impl Into<String>, message: impl Into<String>) -> Error {
        let modules = MODULES.with(|m| m.borrow().clone());
        Error { op: op.into(), message: message.into(), module_path: None, modules, location: Some(Location::caller()) }
    }
    /// The op that refused: `matmul`.
    pub fn op(&self) -> &str {
        &self.op
    }
    /// The sentence, without op and place.
    pub fn message(&self) -> &str {
        &self.message
    }
    /// The module in whose forward it happened, seen from the module that was called first: `network.4 (Linear)`.
    pub fn module_path(&self) -> Option<&str> {
        self.module_path.as_deref()
    }
    /// The line of the program that called the op; if a layer of the library called it, the line that called the layer.
    pub fn location(&self) -> Option<&'static Location<'static>> {
        self.location
    }
    /// The ids of the modules that were running, outermost first. (For the module tree, which knows their names.)
    #[doc(hidden)]
    pub fn modules(&self) -> impl DoubleEndedIterator<Item = u64> {
        self.modules.iter().map(|m| m.id)
    }
    /// If the op was called in the library itself, names the innermost call of a module that stands outside of it instead. (For the module tree,
    /// which says where its own sources are.)
    #[doc(hidden)]
    pub fn blame_caller(&mut self, sources: &str) {
        let outside = |l: &&'static Location| !l.file().starts_with(SOURCES) && !l.file().starts_with(sources);
        if self.location.is_some_and(|l| !outside(&l))
            && let Some(call) = self.modules.iter().rev().map(|m| m.called_at).find(outside)
        {
            self.location = Some(call);
        }
    }
    #[doc(hidden)]
    pub fn set_module_path(&mut self, path: String) {
        self.module_path = Some(path);
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}: {}", self.op, self.message)?;
        if let Some(path) = &self.module_path {
            write!(f, ", in {path}")?;
        }
        if let Some(at) = self.location {
            write!(f, " (at {}:{})", at.file(), at.line())?;
        }
        Ok(())
    }
}
impl std::error::Error for Error {}

thread_local! {
    /// How many `attempt`s and module calls are on the stack: then a raise needs no printing, somebody catches it.
    static CATCHERS: Cell<usize> = const { Cell::new(0) };
    static MODULES: RefCell<Vec<Running>> = const { RefCell::new(Vec::new()) };
}

/// Raises the error `message` of `op` at the caller's line.
#[cold]
#[inline(never)]
#[track_caller]
pub fn fail(op: impl Into<String>, message: impl Into<String>) -> ! {
    raise(Error::new(op, message))
}

/// Raises an error. Inside [`attempt`] nothing is printed.
#[cold]
#[track_caller]
pub fn raise(error: Error) -> ! {
    if CATCHERS.with(Cell::get) > 0 {
        // `resume_unwind` does not call the panic hook, so nothing is printed: the catcher decides.
        resume_unwind(Box::new(error))
    }
    panic!("{error}")
}

struct Catching;
impl Catching {
    fn enter() -> Catching {
        CATCHERS.with(|c| c.set(c.get() + 1));
        Catching
    }
}
impl Drop for Catching {
    fn drop(&mut self) {
        CATCHERS.with(|c| c.set(c.get() - 1));
    }
}

/// Runs `f` and catches what it raises, unopened. (For the module tree, which adds the module's name and raises again.)
#[doc(hidden)]
pub fn catch<T>(f: impl FnOnce() -> T) -> Result<T, Box<dyn Any + Send>> {
    let _catching = Catching::enter();
    catch_unwind(AssertUnwindSafe(f))
}

/// Runs `f`; a mistake that would panic comes back as an [`Error`] instead, and nothing is printed.
///
/// Every lock and mode is as it was before. A panic that is not cresset's own (an index out of bounds in `f`) also comes back as an
/// error, with its message; its text is printed by the program's panic hook first, as for any panic.
///
/// ```
/// use cresset_tensor::{attempt, Tensor};
/// let a = Tensor::zeros([2, 3]);
/// let b = Tensor::zeros([4]);
/// let error = attempt(|| &a + &b).unwrap_err();
/// assert_eq!(error.op(), "add");
/// assert!(error.message().contains("must match the size of tensor b (4)"));
/// ```
pub fn attempt<T>(f: impl FnOnce() -> T) -> Result<T, Error> {
    let depth = MODULES.with(|m| m.borrow().len());
    catch(f).map_err(|payload| {
        MODULES.with(|m| m.borrow_mut().truncate(depth));
        from_panic(payload)
    })
}

/// The error inside a caught panic.
#[doc(hidden)]
pub fn from_panic(payload: Box<dyn Any + Send>) -> Error {
    match payload.downcast::<Error>() {
        Ok(error) => *error,
        Err(other) => {
            let text = match (other.downcast_ref::<&str>(), other.downcast_ref::<String>()) {
                (Some(s), _) => (*s).to_string(),
                (_, Some(s)) => s.clone(),
                _ => "a panic without a message".to_string(),
            };
            Error { op: "panic".into(), message: text, module_path: None, modules: Vec::new(), location: None }
        }
    }
}

/// The modules whose forward is running on this thread, by the id of their base. (For the module tree.)
#[doc(hidden)]
pub struct ModuleScope {
    event: Option<trace::Open>,
}
impl ModuleScope {
    /// The modules that are running, outermost first.
    pub fn running() -> Vec<u64> {
        MODULES.with(|m| m.borrow().iter().map(|r| r.id).collect())
    }
    /// Marks the module `id` as running, called at the caller's line, until the scope is dropped; also tells whether it is the outermost.
    #[inline]
    #[track_caller]
    pub fn enter(id: u64) -> (ModuleScope, bool) {
        let called_at = Location::caller();
        let event = if mode::is_tracing() { trace::module(id) } else { None };
        MODULES.with(|m| {
            let mut m = m.borrow_mut();
            m.push(Running { id, called_at });
            (ModuleScope { event }, m.len() == 1)
        })
    }
    /// The event of a profile that stands for the call.
    #[inline]
    pub fn event(&self) -> Option<&trace::Open> {
        self.event.as_ref()
    }
}
impl Drop for ModuleScope {
    fn drop(&mut self) {
        MODULES.with(|m| m.borrow_mut().pop());
    }
}
