//! The compiled module: used like the model it was made from.

use crate::cache::{Cache, Key, Watched};
use crate::entry::Entry;
use crate::explain::Report;
use cresset_nn::{Args, Base, Buffer, Bundle, Copier, Forward, Member, MemberRef, Module, ModuleExt};
use cresset_tensor::error::{ModuleScope, fail};
use cresset_tensor::record::{Refusal, record};
use cresset_tensor::{DType, Tensor, get_rng_state, set_rng_state};
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Makes a model fast: records one run on `example`, fuses its ops and plans its memory, forward and backward
/// (`torch.compile(model)`, `torch.jit.script(model)`).
///
/// What comes back is used like the model. It has the model's own parameters and buffers, so an optimizer's step is seen at once, the model's training
/// flag, and the model's hooks on itself. A call with another shape, dtype, training flag or grad mode is recorded anew (the last
/// [`LIMIT`](crate::LIMIT) kinds are kept; [`Compiled::kinds`] counts them). Random numbers are drawn from the stream as the model draws them. Compiling
/// itself draws none and changes no buffer.
///
/// A model that is called outside of `no_grad`, four times or more without a backward, stops keeping what a backward would need, if that is
/// large beside its parameters; a backward that comes after all runs the forward again.
///
/// A call that cannot be recorded (see the panics) after the first one succeeded is run by the model itself, with one warning.
///
/// ```
/// use cresset_compile::compile;
/// use cresset_nn::{Call, Linear, ModuleExt, ReLU, Sequential};
/// use cresset_tensor::{no_grad, Tensor};
///
/// let model = Sequential::new((Linear::new(10, 20), ReLU::new(), Linear::new(20, 1)));
/// let x = Tensor::randn([32, 10]);
/// let fast = compile(&model, &x);
/// let (y, z) = no_grad(|| (model.call(&x), fast.call(&x)));
/// assert!((&y - &z).abs().max().item::<f32>() < 1e-6);
/// fast.call(&x).sum().backward(); // into the model's own parameters
/// assert!(model.parameters().iter().all(|p| p.grad().is_some()));
/// println!("{}", fast.explain());
/// ```
///
/// # Panics
/// If the run reads numbers of a tensor to decide its way (`item`, `to_vec`, printing), makes tensors by something that is no op, changes its inputs or parameters in place, sets a buffer, or there are hooks on a module inside.
#[track_caller]
pub fn compile<M, I, A>(model: &M, example: A) -> Compiled<M, I>
where
    M: Forward<I> + Clone,
    I: Bundle,
    M::Output: Bundle,
    A: Args<I>,
{
    let compiled = Compiled(Arc::new(Inner {
        watched: watched(model),
        model: model.clone(),
        cache: Cache::new(),
        templates: Mutex::new(Vec::new()),
        warned: AtomicBool::new(false),
    }));
    example.with(|input| {
        if let Err(why) = compiled.0.prepare(input) {
            fail("compile", format!("{}: {}", compiled.0.model.class_name(), compiled.0.sentence(&why)));
        }
    });
    compiled
}

/// A compiled model; see [`compile`].
pub struct Compiled<M: Forward<I>, I = Tensor>(Arc<Inner<M, I>>);

struct Inner<M: Forward<I>, I> {
    model: M,
    watched: Watched,
    cache: Cache,
    /// The output of each kind of call, with stand-ins for its tensors: what else is in it is the same in every run.
    templates: Mutex<Vec<(Key, Arc<Template<M::Output>>)>>,
    warned: AtomicBool,
}

/// An output whose tensors are empty.
struct Template<O>(Mutex<O>);

fn watched(model: &impl Module) -> Watched {
    let module = model.as_module();
    Watched {
        bases: module.modules().into_iter().map(|m| m.base().clone()).collect(),
        parameters: module.parameters().iter().map(Tensor::from).collect(),
        buffers: module.buffers(),
    }
}

/// The tensors of a bundle.
pub fn tensors(bundle: &impl Bundle) -> Vec<Tensor> {
    let mut all = Vec::new();
    bundle.visit(&mut |t| all.push(t.clone()));
    all
}

/// Records a run and makes it ready.
pub fn recorded<O: Bundle>(
    inputs: &[Tensor],
    grad: bool,
    modules_watched: bool,
    run: impl FnOnce() -> O,
) -> (Option<O>, Result<Arc<Entry>, Refusal>) {
    let outer = ModuleScope::running().len();
    match record(run) {
        Err(why) => (None, Err(why)),
        // Their training flags and hooks would go unseen.
        Ok((output, r)) if !modules_watched && r.steps.iter().any(|s| s.modules.len() > outer) => {
            let why = "a module runs inside a compiled function: compile the module itself";
            (Some(output), Err(Refusal::from(why.to_string())))
        }
        Ok((output, mut recording)) => {
            // The modules around the compiled one may be others in another call.
            recording.steps.iter_mut().for_each(|s| drop(s.modules.drain(..outer)));
            let entry = Entry::of(&recording, inputs, &tensors(&output), grad).map(Arc::new);
            (Some(output), entry)
        }
    }
}

impl<M, I> Inner<M, I>
where
    M: Forward<I>,
    I: Bundle,
    M::Output: Bundle,
{
    /// Hooks inside the model would not be run.
    fn hooked_inside(&self) -> Option<String> {
        if cresset_nn::has_global_hooks() {
            return Some("hooks are registered on all modules".into());
        }
        if !self.watched.bases.iter().any(Base::has_hooks) {
            return None;
        }
        let root = self.model.base();
        let module = self.model.as_module();
        let hooked = module.named_modules().into_iter().find(|(_, m)| !m.base().is_same(root) && m.base().has_hooks());
        hooked.map(|(path, m)| format!("there are hooks on {path} ({})", m.class_name()))
    }

    /// Records a run on an example without leaving a trace in the random numbers or the buffers.
    fn prepare(&self, example: &I) -> Result<(), Refusal> {
        if let Some(why) = self.hooked_inside() {
            return Err(why.into());
        }
        let rng = get_rng_state();
        let buffers: Vec<(Buffer, Tensor, Tensor)> = self
            .watched
            .buffers
            .iter()
            .map(|b| (b.clone(), b.get(), Tensor::from_array(b.get().array().copy())))
            .collect();
        let inputs = tensors(example);
        let key = self.watched.key(&inputs);
        let (output, entry) = recorded(&inputs, key.wants_grad(), true, || self.model.forward(example));
        set_rng_state(&rng);
        for (buffer, tensor, numbers) in buffers {
            cresset_tensor::record::write(&tensor.array(), numbers.array());
            buffer.set(tensor);
        }
        let entry = entry?;
        self.keep(key, Ok(entry), output.as_ref());
        Ok(())
    }

    fn keep(&self, key: Key, served: Result<Arc<Entry>, Refusal>, output: Option<&M::Output>) {
        if let Some(output) = output {
            let empty = Tensor::zeros_of([0], DType::F32);
            let template = output.map_tensors(&mut |_| empty.clone());
            let mut templates = self.templates.lock().unwrap_or_else(PoisonError::into_inner);
            templates.retain(|(k, _)| *k != key);
            if templates.len() == crate::LIMIT {
                templates.remove(0);
            }
            templates.push((key.clone(), Arc::new(Template(Mutex::new(template)))));
        }
        self.cache.keep(key, served);
    }

    fn template(&self, key: &Key) -> Option<Arc<Template<M::Output>>> {
        let templates = self.templates.lock().unwrap_or_else(PoisonError::into_inner);
        templates.iter().find(|(k, _)| k == key).map(|(_, t)| t.clone())
    }

    /// The refusal with the path of the module in which it happened.
    fn sentence(&self, refusal: &Refusal) -> String {
        let named = self.model.as_module().named_modules();
        let place = refusal.modules.iter().rev().find_map(|id| named.iter().find(|(_, m)| m.base().id() == *id));
        match place.filter(|(path, _)| !path.is_empty()) {
            Some((path, m)) => format!("in {path} ({}): {refusal}", m.class_name()),
            None => refusal.to_string(),
        }
    }

    #[cold]
    fn warn(&self, why: &str) {
        if !self.warned.swap(true, Ordering::Relaxed) {
            eprintln!("cresset: a compiled {} runs uncompiled: {why}", self.model.class_name());
        }
    }

    #[track_caller]
    fn run(&self, input: &I) -> M::Output {
        if let Some(why) = self.hooked_inside() {
            self.warn(&why);
            return self.model.forward(input);
        }
        // Inside somebody else's recording the model's own ops are what is wanted.
        if cresset_tensor::record::is_recording() {
            return self.model.forward(input);
        }
        let inputs = tensors(input);
        let key = self.watched.key(&inputs);
        match self.cache.find(&key) {
            Some(Ok(entry)) if entry.fits() => {
                if let Some(template) = self.template(&key) {
                    let mut results = entry.run(&inputs).into_iter();
                    let template = template.0.lock().unwrap_or_else(PoisonError::into_inner);
                    return template
                        .map_tensors(&mut |_| results.next().expect("one result for each tensor of the output"));
                }
            }
            Some(Err(_)) => return self.model.forward(input),
            _ => {}
        }
        // A new kind of call: this run is recorded, and is the run that was asked for.
        let mut result = None;
        let (_, entry) = recorded(&inputs, key.wants_grad(), true, || {
            let output = self.model.forward(input);
            // Other handles on the same tensors, for the caller.
            result = Some(output.map_tensors(&mut |t| t.clone()));
            output
        });
        if let Err(why) = &entry {
            self.warn(&self.sentence(why));
        }
        let result = result.expect("the run came to its end");
        self.keep(key, entry, Some(&result));
        result
    }
}

impl<M: Forward<I>, I> Compiled<M, I> {
    /// The model itself.
    pub fn model(&self) -> &M {
        &self.0.model
    }
    /// How many kinds of calls (shapes, dtypes, training flags, grad modes) are recorded.
    pub fn kinds(&self) -> usize {
        self.0.cache.all().iter().filter(|e| e.is_ok()).count()
    }
    /// What was done with the newest recording: the plan in words.
    pub fn explain(&self) -> Report {
        let all = self.0.cache.all();
        all.iter().rev().find_map(|e| e.as_ref().ok()).map(|e| e.report.clone()).unwrap_or_default()
    }
    /// The same for all recordings, oldest first.
    pub fn explain_all(&self) -> Vec<Report> {
        self.0.cache.all().iter().filter_map(|e| e.as_ref().ok()).map(|e| e.report.clone()).collect()
    }
}

impl<M: Forward<I>, I> Clone for Compiled<M, I> {
    fn clone(&self) -> Self {
        Compiled(self.0.clone())
    }
}

impl<M, I> Forward<I> for Compiled<M, I>
where
    M: Forward<I> + Clone,
    I: Bundle + Send + Sync + 'static,
    M::Output: Bundle + Send + 'static,
{
    type Output = M::Output;
    #[track_caller]
    fn forward(&self, input: &I) -> M::Output {
        self.0.run(input)
    }
}

impl<M, I> Member for Compiled<M, I>
where
    M: Forward<I> + Clone,
    I: Bundle + Send + Sync + 'static,
    M::Output: Bundle + Send + 'static,
{
    fn visit<'a>(&'a self, name: &str, f: &mut dyn FnMut(&str, MemberRef<'a>)) {
        f(name, MemberRef::Module(self));
    }
    /// The copy is recorded anew at its first call.
    fn deep_copy_with(&self, copier: &mut Copier) -> Self {
        let model = self.0.model.deep_copy_with(copier);
        Compiled(Arc::new(Inner {
            watched: watched(&model),
            model,
            cache: Cache::new(),
            templates: Mutex::new(Vec::new()),
            warned: AtomicBool::new(false),
        }))
    }
}

impl<M, I> Module for Compiled<M, I>
where
    M: Forward<I> + Clone,
    I: Bundle + Send + Sync + 'static,
    M::Output: Bundle + Send + 'static,
{
    fn base(&self) -> &Base {
        self.0.model.base()
    }
    fn members<'a>(&'a self, f: &mut dyn FnMut(&str, MemberRef<'a>)) {
        self.0.model.members(f);
    }
    fn class_name(&self) -> &str {
        self.0.model.class_name()
    }
    fn describe(&self) -> String {
        self.0.model.describe()
    }
    fn repr(&self) -> String {
        self.0.model.repr()
    }
    fn as_module(&self) -> &dyn Module {
        self
    }
    fn share(&self) -> Arc<dyn Module> {
        Arc::new(self.clone())
    }
    fn deep_copy_module(&self, copier: &mut Copier) -> Arc<dyn Module> {
        Arc::new(self.deep_copy_with(copier))
    }
}

impl<M: Forward<I>, I> fmt::Display for Compiled<M, I> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.0.model.repr())
    }
}
impl<M: Forward<I>, I> fmt::Debug for Compiled<M, I> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "Compiled({})", self.0.model.class_name())
    }
}
